/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tables.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/impl.h"

/* A mapped array is a whole number of pages. */
static size_t map_size(size_t cnt, size_t elem)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (cnt * elem + page - 1) / page * page;
}

static int map_array(int fd, size_t bytes, void **out)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	*out = p;
	return 0;
}

int leat_engine_tables_open(struct leat_engine *e)
{
	struct leat_kernel_tables *t = &e->tables;
	int err;

	if (!e->opts.cfg.unwind)
		return 0;
	t->range_cnt = e->opts.range_max;
	t->exe_cnt = e->opts.exe_max;
	if ((err = map_array(leat_engine_table_fd(e, LEAT_TABLE_RANGES),
			     map_size(t->range_cnt, sizeof(*t->ranges)), (void **)&t->ranges)) ||
	    (err = map_array(leat_engine_table_fd(e, LEAT_TABLE_EXES),
			     map_size(t->exe_cnt, sizeof(*t->exes)), (void **)&t->exes)) ||
	    (err = map_array(leat_engine_table_fd(e, LEAT_TABLE_RULES),
			     map_size(LEAT_UNWIND_RULES_MAX, sizeof(*t->rules)),
			     (void **)&t->rules)))
		return err;
	t->exes[LEAT_EXE_ANON].state = LEAT_EXE_FRAME;
	t->exes[LEAT_EXE_NONE].state = LEAT_EXE_FAILED;
	return 0;
}

void leat_engine_tables_close(struct leat_engine *e)
{
	struct leat_kernel_tables *t = &e->tables;

	if (t->ranges)
		munmap(t->ranges, map_size(t->range_cnt, sizeof(*t->ranges)));
	if (t->exes)
		munmap(t->exes, map_size(t->exe_cnt, sizeof(*t->exes)));
	if (t->rules)
		munmap(t->rules, map_size(LEAT_UNWIND_RULES_MAX, sizeof(*t->rules)));
	*t = (struct leat_kernel_tables){ 0 };
}

int leat_engine_tables(const struct leat_engine *e, struct leat_kernel_tables *out)
{
	if (!e->tables.rules)
		return -ENOENT;
	*out = e->tables;
	return 0;
}

int leat_engine_space_set(struct leat_engine *e, uint32_t tgid, const struct leat_space *space)
{
	int err = bpf_map_update_elem(leat_engine_table_fd(e, LEAT_TABLE_SPACES), &tgid, space,
				      BPF_ANY);

	leat_engine_set_changed(e);
	return err == -E2BIG || err == -ENOSPC ? -EOVERFLOW : err;
}

int leat_engine_space_clear(struct leat_engine *e, uint32_t tgid)
{
	int err = bpf_map_delete_elem(leat_engine_table_fd(e, LEAT_TABLE_SPACES), &tgid);

	leat_engine_set_changed(e);
	return err == -ENOENT ? 0 : err;
}

bool leat_engine_space_has(const struct leat_engine *e, uint32_t tgid)
{
	struct leat_space space;

	return !bpf_map_lookup_elem(leat_engine_table_fd(e, LEAT_TABLE_SPACES), &tgid, &space);
}

int leat_engine_table_new(const struct leat_engine *e, uint32_t block_cnt, void **mem,
			  size_t *bytes, int *fd)
{
	LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	const size_t size = map_size(block_cnt, sizeof(union leat_unwind_block));
	LEAT_CLOSE int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "leat_table", sizeof(uint32_t),
					    sizeof(union leat_unwind_block), block_cnt, &o);
	int err;

	(void)e;
	if (map < 0)
		return map;
	err = map_array(map, size, mem);
	if (err)
		return err;
	*bytes = size;
	*fd = LEAT_TAKE_FD(map);
	return 0;
}

int leat_engine_tables_put(const struct leat_engine *e, const uint32_t *exes, const int *fds,
			   uint32_t cnt, uint32_t *put)
{
	const int map = leat_engine_table_fd(e, LEAT_TABLE_TABLES);
	uint32_t done = cnt;
	int err = bpf_map_update_batch(map, exes, fds, &done, NULL);

	if (!err) {
		*put = cnt;
		return 0;
	}
	/* Before 5.15 maps of maps know nothing of it; how many were put then is not to be relied on. */
	for (done = 0, err = 0; done < cnt && !err; done += !err)
		err = bpf_map_update_elem(map, &exes[done], &fds[done], BPF_ANY);
	*put = done;
	return err;
}

int leat_engine_table_drop(const struct leat_engine *e, uint32_t exe)
{
	return bpf_map_delete_elem(leat_engine_table_fd(e, LEAT_TABLE_TABLES), &exe);
}
