/* SPDX-License-Identifier: BSD-2-Clause */
/* The rings of a collection: mapped, watched, consumed. */
#include "engine/impl.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/*
 * Edge-triggered: a ring may hold records that nobody woke us for, and one that is younger than
 * the pump's time stays in it; level-triggered, either would make the caller spin.
 */
static int watch(int epoll_fd, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

int leat_engine_rings_open(struct leat_engine *e)
{
	int err;

	e->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (e->epoll_fd < 0)
		return -errno;
	e->rings = calloc(e->ring_cnt, sizeof(*e->rings));
	if (!e->rings)
		return -ENOMEM;
	for (uint32_t i = 0; i < e->ring_cnt; i++) {
		err = leat_ring_open(&e->rings[i], e->ring_fds[i], e->ring_size);
		if (!err)
			err = watch(e->epoll_fd, e->ring_fds[i]);
		if (err)
			return err;
	}
	return leat_ring_open(&e->control, leat_engine_control_map_fd(e), LEAT_CONTROL_BYTES);
}

void leat_engine_rings_close(struct leat_engine *e)
{
	for (uint32_t i = 0; e->rings && i < e->ring_cnt; i++)
		leat_ring_close(&e->rings[i]);
	leat_ring_close(&e->control);
	free(e->rings);
	e->rings = NULL;
	if (e->epoll_fd >= 0)
		close(e->epoll_fd);
	e->epoll_fd = -1;
}

/* A streamed sample that is younger than the pump's time waits: its process may not be known yet. */
static int take_record(void *ctx, const void *data, size_t n)
{
	struct leat_intake *in = ctx;
	struct leat_record r;

	if (leat_wire_record(data, n, &r)) {
		in->e->stats.malformed++;
		return 1;
	}
	if (r.kind == LEAT_REC_SAMPLE && r.ts_ns > in->until_ns)
		return 0;
	in->e->stats.records++;
	in->e->stats.bytes += n;
	leat_wire_dispatch(in->bus, &r);
	return 1;
}

size_t leat_engine_intake(struct leat_ring *r, size_t max, struct leat_intake *in)
{
	return leat_ring_consume(r, max, take_record, in);
}
