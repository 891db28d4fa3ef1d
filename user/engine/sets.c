/* SPDX-License-Identifier: BSD-2-Clause */
/* The sets of processes and threads that the BPF programs look things up in. */
#include "engine/impl.h"

#include <bpf/bpf.h>
#include <errno.h>

static int set_error(int err)
{
	return err == -E2BIG || err == -ENOSPC ? -EOVERFLOW : err;
}

void leat_engine_set_changed(struct leat_engine *e)
{
	__atomic_add_fetch(&e->ctl->set_gen, 1, __ATOMIC_RELEASE);
}

int leat_engine_set_tgid(struct leat_engine *e, uint32_t tgid, uint32_t bits)
{
	const int fd = leat_engine_tgids_fd(e);
	uint32_t now = 0;
	int err;

	if (bpf_map_lookup_elem(fd, &tgid, &now))
		now = 0;
	if ((now & bits) == bits)
		return 0;
	now |= bits;
	err = bpf_map_update_elem(fd, &tgid, &now, BPF_ANY);
	leat_engine_set_changed(e);
	return set_error(err);
}

int leat_engine_clear_tgid(struct leat_engine *e, uint32_t tgid, uint32_t bits)
{
	const int fd = leat_engine_tgids_fd(e);
	uint32_t now = 0;
	int err;

	if (bpf_map_lookup_elem(fd, &tgid, &now))
		return 0;
	now &= ~bits;
	err = now ? bpf_map_update_elem(fd, &tgid, &now, BPF_EXIST)
		  : bpf_map_delete_elem(fd, &tgid);
	leat_engine_set_changed(e);
	return err == -ENOENT ? 0 : err;
}

int leat_engine_set_tid(struct leat_engine *e, uint32_t tid)
{
	const uint32_t one = 1;

	return set_error(bpf_map_update_elem(leat_engine_tids_fd(e), &tid, &one, BPF_ANY));
}
