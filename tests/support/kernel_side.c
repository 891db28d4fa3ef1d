/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel_side.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "leat_table.h"

#define PAGES(n)    (((n) + 4095) & ~(size_t)4095)
#define RULES_BYTES (LEAT_UNWIND_RULES_MAX * sizeof(struct leat_unwind_rule))

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "kernel_side: %s (%s)\n", what, strerrorname_np(errno));
	abort();
}

static struct bpf_map *map_of(const struct bpf_object *obj, const char *name)
{
	struct bpf_map *m = bpf_object__find_map_by_name(obj, name);

	need(m, name);
	return m;
}

void leat_kernel_side_configure(const struct bpf_object *obj, struct leat_cfg *cfg,
				uint32_t ring_bytes)
{
	const uint32_t cpus = (uint32_t)libbpf_num_possible_cpus(), slot_bits = 4;
	const struct {
		const char *name;
		uint32_t cnt;
	} maps[] = {
		{ "leat_slots", cpus * 2 << slot_bits },
		{ "leat_cpu_ring", cpus },
		{ "leat_used", cpus },
		{ "leat_ring", ring_bytes },
		{ "leat_ranges", LEAT_SIDE_RANGES },
		{ "leat_spaces", LEAT_SIDE_SPACES },
		{ "leat_exes", LEAT_SIDE_EXES },
		{ "leat_tables", LEAT_SIDE_EXES },
		{ "leat_rule_cache", cpus },
		{ "leat_raw_bufs", cpus },
	};

	cfg->user_stack = 1;
	cfg->unwind = 1;
	cfg->stream = 1;
	cfg->ring_cnt = 1;
	cfg->slot_bits = slot_bits;
	cfg->seed = 1;
	cfg->ring_wake_bytes = ring_bytes;
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(maps); i++)
		need(!bpf_map__set_max_entries(map_of(obj, maps[i].name), maps[i].cnt),
		     maps[i].name);
}

static void *mapped(const struct bpf_object *obj, const char *name, size_t bytes)
{
	void *p = mmap(NULL, PAGES(bytes), PROT_READ | PROT_WRITE, MAP_SHARED,
		       bpf_map__fd(map_of(obj, name)), 0);

	need(p != MAP_FAILED, name);
	return p;
}

void leat_kernel_side_init(struct leat_kernel_side *s, const struct bpf_object *obj,
			   uint32_t ring_bytes)
{
	*s = (struct leat_kernel_side){ .obj = obj };
	need(!leat_ring_open(&s->ring, leat_kernel_side_fd(s, "leat_ring"), ring_bytes), "ring");
	need(!leat_unwind_rules_new(&s->rules), "rules");
	s->ctl = mapped(obj, "leat_ctl", sizeof(*s->ctl));
	s->ranges = mapped(obj, "leat_ranges", LEAT_SIDE_RANGES * sizeof(*s->ranges));
	s->exes = mapped(obj, "leat_exes", LEAT_SIDE_EXES * sizeof(*s->exes));
	s->kernel_rules = mapped(obj, "leat_rules", RULES_BYTES);
	s->exes[LEAT_EXE_ANON].state = LEAT_EXE_FRAME;
	s->exes[LEAT_EXE_NONE].state = LEAT_EXE_FAILED;
}

void leat_kernel_side_fini(struct leat_kernel_side *s)
{
	leat_ring_close(&s->ring);
	munmap(s->ctl, PAGES(sizeof(*s->ctl)));
	munmap(s->ranges, PAGES(LEAT_SIDE_RANGES * sizeof(*s->ranges)));
	munmap(s->exes, PAGES(LEAT_SIDE_EXES * sizeof(*s->exes)));
	munmap(s->kernel_rules, PAGES(RULES_BYTES));
	leat_unwind_rules_free(&s->rules);
}

int leat_kernel_side_fd(const struct leat_kernel_side *s, const char *map)
{
	return bpf_map__fd(map_of(s->obj, map));
}

void leat_kernel_side_put(struct leat_kernel_side *s, uint32_t exe,
			  const struct leat_unwind_table *t)
{
	LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	const size_t bytes = (size_t)leat_unwind_table_bytes(t);
	LEAT_CLOSE int fd =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, "t", 4, sizeof(*t->blocks), t->block_cnt, &o);
	void *p;

	need(fd >= 0, "table");
	p = mmap(NULL, PAGES(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(p != MAP_FAILED, "table");
	memcpy(p, t->blocks, bytes);
	munmap(p, PAGES(bytes));
	memcpy(s->kernel_rules, leat_unwind_rules_all(s->rules),
	       leat_unwind_rules_cnt(s->rules) * sizeof(*s->kernel_rules));
	need(exe < LEAT_SIDE_EXES && !bpf_map_update_elem(leat_kernel_side_fd(s, "leat_tables"),
							  &exe, &fd, BPF_ANY),
	     "table");
	s->exes[exe] = (struct leat_exe){ .state = LEAT_EXE_READY,
					  .first_page = t->first_page,
					  .page_cnt = t->page_cnt };
}

void leat_kernel_side_space(struct leat_kernel_side *s, const struct leat_space *space)
{
	const uint32_t tgid = (uint32_t)getpid();

	need(!bpf_map_update_elem(leat_kernel_side_fd(s, "leat_spaces"), &tgid, space, BPF_ANY),
	     "space");
	s->ctl->set_gen++;
}
