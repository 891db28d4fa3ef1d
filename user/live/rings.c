/* SPDX-License-Identifier: BSD-2-Clause */
#include "live/rings.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "live/sideband.h"

/*
 * A record takes about 150 bytes. 64 KiB hold some 400: at 1,000 short processes a second on a
 * CPU, each with 8 records, that is 50 ms, and its reader wakes within a few.
 */
#define RING_BYTES 65536u

/* perf_event_header.size is 16 bits wide. */
#define RECORD_MAX 65536u

#define FORMAT_LOST (1u << 4) /* PERF_FORMAT_LOST, Linux 6.0 */

/*
 * No build_id: with it, the kernel (perf_event_mmap_output, to 6.18 at least) leaves the mark
 * "carries a build id" in the record of whoever follows in its list, every event that was opened
 * before ours. A perf record that ran on the host took inodes for build ids then and aborted, as
 * did perf script on what it had written, 8 times of 8. Files are identified by their inode, and
 * opened once for their build id.
 */
static int open_event(uint32_t cpu, bool reads_lost)
{
	struct perf_event_attr a = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(a),
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = LEAT_SIDEBAND_SAMPLE_TYPE,
		.sample_id_all = 1,
		.mmap = 1,
		.mmap2 = 1,
		.comm = 1,
		.comm_exec = 1,
		.task = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.watermark = 1,
		.wakeup_watermark = 1,
		.exclude_kernel = 1,
		.read_format = reads_lost ? FORMAT_LOST : 0,
	};
	int fd = (int)syscall(SYS_perf_event_open, &a, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int map_ring(struct leat_ring *r)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	r->data_bytes = RING_BYTES > page ? RING_BYTES : page;
	r->map_bytes = page + r->data_bytes;
	r->base = mmap(NULL, r->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->base == MAP_FAILED) {
		r->base = NULL;
		return -errno;
	}
	return 0;
}

/* A kernel that does not count what it loses refuses the attribute as such. */
static int open_ring(struct leat_rings *rs, uint32_t cpu)
{
	struct leat_ring *r = &rs->items[rs->n];
	struct epoll_event ev = { .events = EPOLLIN };
	int err;

	r->fd = open_event(cpu, rs->reads_lost);
	if (r->fd == -EINVAL && rs->reads_lost) {
		rs->reads_lost = false;
		r->fd = open_event(cpu, false);
	}
	if (r->fd == -ENODEV)
		return 0;
	if (r->fd < 0)
		return r->fd;
	rs->n++;
	err = map_ring(r);
	if (err)
		return err;
	ev.data.u32 = cpu;
	return epoll_ctl(rs->epoll_fd, EPOLL_CTL_ADD, r->fd, &ev) ? -errno : 0;
}

static int refused(struct leat_diag *d, int err)
{
	bool privilege = err == -EPERM || err == -EACCES;

	leat_diag_set(d, err, privilege ? LEAT_EXIT_PRIVILEGE : LEAT_EXIT_SYSTEM,
		      "cannot follow processes and mappings (perf_event_open: %s)",
		      strerrorname_np(-err));
	if (privilege) {
		leat_diag_why(d, "events of the whole system need CAP_PERFMON");
		leat_diag_fix(d, "sudo leat ...");
	} else if (err == -EMFILE) {
		leat_diag_why(d, "too many open files; one is needed for each CPU");
		leat_diag_fix(d, "ulimit -n 4096");
	}
	return err;
}

int leat_rings_open(struct leat_rings *r, const uint32_t *cpus, size_t cpu_cnt,
		    struct leat_diag *diag)
{
	int err = 0;
	size_t i;

	*r = (struct leat_rings){ .epoll_fd = -1, .reads_lost = true };
	r->items = calloc(cpu_cnt ? cpu_cnt : 1, sizeof(*r->items));
	r->record = malloc(RECORD_MAX);
	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!r->items || !r->record)
		err = -ENOMEM;
	else if (r->epoll_fd < 0)
		err = -errno;
	for (i = 0; !err && i < cpu_cnt; i++)
		err = open_ring(r, cpus[i]);
	if (!err)
		return 0;
	leat_rings_close(r);
	return refused(diag, err);
}

void leat_rings_stop(struct leat_rings *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		ioctl(r->items[i].fd, PERF_EVENT_IOC_DISABLE, 0);
}

void leat_rings_close(struct leat_rings *r)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		if (r->items[i].base)
			munmap(r->items[i].base, r->items[i].map_bytes);
		close(r->items[i].fd);
	}
	free(r->items);
	free(r->record);
	if (r->epoll_fd >= 0)
		close(r->epoll_fd);
	*r = (struct leat_rings){ .epoll_fd = -1 };
}

uint64_t leat_rings_lost(const struct leat_rings *r)
{
	struct {
		uint64_t value, lost;
	} now;
	uint64_t sum = 0;
	size_t i;

	for (i = 0; r->reads_lost && i < r->n; i++) {
		if (read(r->items[i].fd, &now, sizeof(now)) == (ssize_t)sizeof(now))
			sum += now.lost;
	}
	return sum;
}

struct drain {
	int (*fn)(void *ctx, const void *rec, size_t n);
	void *ctx;
	void *record; /* RECORD_MAX bytes */
	uint64_t *broken;
};

static int drain_one(struct leat_ring *r, const struct drain *d)
{
	struct perf_event_mmap_page *page = r->base;
	const uint8_t *data = (uint8_t *)r->base + (r->map_bytes - r->data_bytes);
	uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = page->data_tail;
	int cnt = 0, n, err = 0;

	while (!err && (n = leat_sideband_next(data, r->data_bytes, head, &tail, d->record,
					       RECORD_MAX)) > 0) {
		err = d->fn(d->ctx, d->record, (size_t)n);
		cnt++;
	}
	if (!err && n < 0) {
		tail = head;
		(*d->broken)++;
	}
	__atomic_store_n(&page->data_tail, tail, __ATOMIC_RELEASE);
	return err ? err : cnt;
}

int leat_rings_drain(struct leat_rings *r, int (*fn)(void *ctx, const void *rec, size_t n),
		     void *ctx, uint64_t *broken)
{
	struct drain d = { fn, ctx, r->record, broken };
	int total = 0;
	size_t i;

	for (i = 0; i < r->n; i++) {
		int n = drain_one(&r->items[i], &d);

		if (n < 0)
			return n;
		total += n;
	}
	return total;
}
