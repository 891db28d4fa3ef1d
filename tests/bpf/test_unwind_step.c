/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The step in the kernel: it loads, within its budget; a table that is filled through mmap gives the
 * same frames as on the host, over stacks of this very program.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "leat_wire.h"
#include "tests/unwind_test.skel.h"
#include "unwind/unwind.h"

#define FRAMES	 32
#define INSN_MAX 1940 /* 1,764 on 6.18, and a tenth: all programs of a recording have 45,000 */

struct rig {
	struct leat_unwind_test *skel;
	struct leat_unwind_rules *rules;
	struct leat_unwind_table *table;
	struct leat_elf *elf;
	uint64_t bias;
	int inner;
};

static int first_module(struct dl_phdr_info *info, size_t size, void *out)
{
	(void)size;
	*(uint64_t *)out = info->dlpi_addr;
	return 1;
}

/* An array of exactly the table's size, filled by one copy into its mapping. */
static int upload(const struct leat_unwind_table *t)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	const size_t bytes = leat_unwind_table_bytes(t);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "leat_table", 4, 64, t->block_cnt, &opts);
	void *p;

	cr_assert(ge(int, fd, 0));
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert(ne(ptr, p, MAP_FAILED));
	memcpy(p, t->blocks, bytes);
	munmap(p, bytes);
	return fd;
}

static void rig_open(struct rig *r)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	const uint32_t zero = 0;
	size_t bytes;
	void *p;

	*r = (struct rig){ .skel = leat_unwind_test__open_and_load() };
	cr_assert(r->skel != NULL);
	cr_assert(zero(int, leat_unwind_rules_new(&r->rules)));
	cr_assert(zero(int, leat_elf_open(&r->elf, fd)));
	close(fd);
	cr_assert(zero(int, leat_unwind_table_build(&r->table, r->elf, NULL, r->rules)));
	r->inner = upload(r->table);
	cr_assert(zero(int, bpf_map_update_elem(bpf_map__fd(r->skel->maps.tables), &zero, &r->inner,
						BPF_ANY)));
	bytes = leat_unwind_rules_cnt(r->rules) * sizeof(struct leat_unwind_rule);
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(r->skel->maps.rules),
		 0);
	cr_assert(ne(ptr, p, MAP_FAILED));
	memcpy(p, leat_unwind_rules_all(r->rules), bytes);
	munmap(p, bytes);
	dl_iterate_phdr(first_module, &r->bias);
}

static void rig_close(struct rig *r)
{
	close(r->inner);
	leat_unwind_table_free(&r->table);
	leat_elf_free(&r->elf);
	leat_unwind_rules_free(&r->rules);
	leat_unwind_test__destroy(r->skel);
}

/* As tests/bpf/unwind_test.bpf.c has it. */
struct walker {
	struct leat_unwind_walk w;
	uint64_t bias;
	uint64_t bx;
	uint64_t frames[FRAMES];
	uint32_t frame_cnt;
	uint32_t result;
};

static void walk_in_kernel(struct rig *r, const greg_t *g, struct walker *out)
{
	uint64_t args[7] = { (uint64_t)g[REG_RIP],
			     (uint64_t)g[REG_RSP],
			     (uint64_t)g[REG_RBP],
			     (uint64_t)g[REG_RBX],
			     r->bias,
			     r->table->first_page,
			     r->table->page_cnt };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));
	const uint32_t zero = 0;

	cr_assert(zero(
		int, bpf_prog_test_run_opts(bpf_program__fd(r->skel->progs.leat_t_unwind), &opts)));
	cr_assert(zero(uint, opts.retval));
	cr_assert(zero(int, bpf_map_lookup_elem(bpf_map__fd(r->skel->maps.walkers), &zero, out)));
}

static int own_word(void *ctx, uint64_t addr, uint64_t *out)
{
	(void)ctx;
	if (addr < 4096)
		return -1;
	memcpy(out, (const void *)(uintptr_t)addr, sizeof(*out));
	return 0;
}

static enum leat_stack_result walk_on_host(struct rig *r, const greg_t *g,
					   struct leat_unwind_frame *frames, size_t *n)
{
	const struct leat_unwind_map map = {
		.start = r->bias, .end = UINT64_MAX, .bias = r->bias, .table = r->table
	};
	const struct leat_unwind_space space = { .maps = &map, .map_cnt = 1, .rules = r->rules };
	struct leat_unwind_sample s = { .word = own_word };

	s.regs.r[3] = (uint64_t)g[REG_RBX];
	s.regs.r[6] = (uint64_t)g[REG_RBP];
	s.regs.r[7] = (uint64_t)g[REG_RSP];
	s.regs.r[16] = (uint64_t)g[REG_RIP];
	s.regs.known = 1u << 3;
	return leat_unwind_stack(&space, &s, frames, FRAMES, n);
}

/* Both walk this program's own stack, down to where it leaves the program. */
static void __attribute__((noinline)) compare_here(struct rig *r)
{
	struct leat_unwind_frame frames[FRAMES];
	enum leat_stack_result result;
	struct walker x;
	ucontext_t u;
	size_t n;

	cr_assert(zero(int, getcontext(&u)));
	walk_in_kernel(r, u.uc_mcontext.gregs, &x);
	result = walk_on_host(r, u.uc_mcontext.gregs, frames, &n);
	cr_expect(eq(u32, x.result, (uint32_t)result));
	cr_assert(eq(sz, (size_t)x.frame_cnt, n));
	for (size_t i = 0; i < n; i++)
		cr_expect(eq(u64, x.frames[i], frames[i].pc), "frame %zu", i);
	cr_expect(ge(sz, n, 3));
}

static int __attribute__((noinline)) nested(struct rig *r, int depth)
{
	volatile char pad[88];

	pad[depth & 7] = (char)depth;
	if (depth)
		return nested(r, depth - 1) + pad[depth & 7];
	compare_here(r);
	return pad[0];
}

Test(unwind_step, kernel_and_host_walk_alike)
{
	struct rig r;

	rig_open(&r);
	for (int depth = 0; depth < 40; depth += 3)
		nested(&r, depth);
	rig_close(&r);
}

Test(unwind_step, thirty_two_frames_are_within_the_budget)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	struct rig r;

	rig_open(&r);
	cr_assert(zero(int, bpf_obj_get_info_by_fd(bpf_program__fd(r.skel->progs.leat_t_unwind),
						   &info, &len)));
	fprintf(stderr, "verified instructions: %u\n", info.verified_insns);
	cr_expect(lt(uint, info.verified_insns, INSN_MAX));
	cr_expect(gt(uint, info.verified_insns, 0));
	rig_close(&r);
}
