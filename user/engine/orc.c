/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the kernel's own unwind tables are: found by a BPF program, once, and sorted here. */
#include "leat_orc.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"
#include "engine/impl.h"

static int by_start(const void *a, const void *b)
{
	const struct leat_orc_part *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Modules lie above the kernel, whose part stays the first. None is in use unless all are in order. */
static bool in_order(const struct leat_orc *o, uint32_t cnt)
{
	for (uint32_t i = 1; i < cnt; i++)
		if (o->parts[i].start < o->parts[i - 1].end)
			return false;
	return true;
}

/* A module that goes meanwhile changes the tag before it takes all modules away. */
static bool use_modules(struct leat_orc *o, uint32_t cnt, uint32_t tag)
{
	qsort(o->parts + 1, cnt - 1, sizeof(*o->parts), by_start);
	if (!in_order(o, cnt))
		return false;
	__atomic_store_n(&o->part_cnt, cnt, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&o->tag, __ATOMIC_SEQ_CST) == tag)
		return true;
	__atomic_store_n(&o->part_cnt, 1, __ATOMIC_SEQ_CST);
	return false;
}

/* Parts that were found; 0 none, -errno. */
static int find(int prog_fd)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int err = bpf_prog_test_run_opts(prog_fd, &opts);

	if (err)
		return err;
	return opts.retval <= LEAT_ORC_PARTS ? (int)opts.retval : -E2BIG;
}

/* Found once more when nothing can go unnoticed any longer. */
static int find_modules(struct leat_engine *e, const struct leat_orc_side *p, struct leat_orc *o)
{
	const uint32_t tag = __atomic_load_n(&o->tag, __ATOMIC_SEQ_CST);
	int cnt;

	e->module_link = bpf_program__attach(p->free_prog);
	if (!e->module_link)
		return -errno;
	cnt = find(p->find_fd);
	if (cnt <= 1)
		return cnt;
	return use_modules(o, (uint32_t)cnt, tag) ? cnt : -EAGAIN;
}

void leat_engine_find_orc(struct leat_engine *e)
{
	struct leat_orc_side p;
	struct leat_orc *o;
	int cnt;

	if (!e->opts.cfg.orc)
		return;
	p = leat_engine_orc_side(e);
	o = mmap(NULL, sizeof(*o), PROT_READ | PROT_WRITE, MAP_SHARED, p.map_fd, 0);
	if (o == MAP_FAILED) {
		leat_log(LEAT_LOG_INFO, "unwind tables of the kernel: %s", strerror(errno));
		return;
	}
	cnt = find(p.find_fd);
	if (cnt > 1)
		cnt = find_modules(e, &p, o);
	leat_log(cnt < 0 ? LEAT_LOG_INFO : LEAT_LOG_DEBUG, "unwind tables of the kernel: %u (%s)",
		 o->part_cnt, cnt < 0 ? strerror(-cnt) : "its own and its modules'");
	munmap(o, sizeof(*o));
}
