/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk by unwind tables over stacks, mappings and tables that the test makes up, by
 * BPF_PROG_TEST_RUN of the sampler's handler: each kind of rule, the cache of rules, what is not
 * ready; and that the same stack gives the same frames on the host.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../support/kernel_side.h"
#include "leat_cfg.h"
#include "leat_glob.h"
#include "leat_space.h"
#include "leat_stat.h"
#include "leat_table.h"
#include "leat_wire.h"
#include "tests/sample_test.skel.h"
#include "unwind/rows.h"
#include "unwind/rules.h"
#include "unwind/unwind.h"

#define RING_BYTES  (256u << 10)
#define ARENA_BYTES (256u << 10)
#define USER_CS	    0x33
#define CODE	    0x7000000ull /* where the made-up binary is mapped */
#define VADDR	    0x401000ull	 /* of its first function */
#define FUNC	    256u	 /* bytes of a function */
#define FUNCS	    64u
#define EXE	    LEAT_EXE__FIRST
#define STATS	    32u
#define OFF(bytes)  ((bytes)*256) /* as a rule holds it, rbx unchanged */
#define TOP	    1000	  /* frames that a stack of a test has at most */

struct rig {
	struct leat_sample_test *skel;
	struct leat_kernel_side side;
	struct leat_unwind_table table; /* of the host */
	uint8_t *arena;
	size_t at; /* where the next frame of the stack under construction begins */
	uint64_t pcs[TOP];
	size_t n;
	uint64_t tag;
	uint8_t *rec; /* the last one, copied */
	size_t recs;
};

static int keep(void *ctx, const void *data, size_t n)
{
	struct rig *r = ctx;

	free(r->rec);
	r->rec = malloc(n);
	cr_assert(r->rec != NULL);
	memcpy(r->rec, data, n);
	r->recs++;
	return 1;
}

static void rig_open(struct rig *r, uint32_t max_frames)
{
	struct leat_cfg *cfg;

	*r = (struct rig){ .skel = leat_sample_test__open() };
	cr_assert(r->skel != NULL);
	cfg = (struct leat_cfg *)&r->skel->rodata->cfg;
	leat_kernel_side_configure(r->skel->obj, cfg, RING_BYTES);
	cfg->raw_bytes = 2 * 6 * 4096 + 1000; /* three stacks of 6 pages and a bit */
	cfg->max_uframes = max_frames;
	cr_assert(zero(int, leat_sample_test__load(r->skel)));
	leat_kernel_side_init(&r->side, r->skel->obj, RING_BYTES);
	r->arena = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	cr_assert(ne(ptr, (void *)r->arena, MAP_FAILED));
	r->at = 4096;
}

static void rig_close(struct rig *r)
{
	leat_kernel_side_fini(&r->side);
	munmap(r->arena, ARENA_BYTES);
	free(r->table.blocks);
	free(r->rec);
	leat_sample_test__destroy(r->skel);
}

static uint64_t addr(const struct rig *r, size_t at)
{
	return (uint64_t)(uintptr_t)(r->arena + at);
}

static void word(struct rig *r, size_t at, uint64_t v)
{
	cr_assert(le(sz, at + sizeof(v), ARENA_BYTES));
	memcpy(r->arena + at, &v, sizeof(v));
}

/* The process's mappings as the kernel side sees them: new ones, under a new tag. */
static void set_space(struct rig *r, uint32_t first, uint32_t cnt)
{
	const struct leat_space s = { .tag = ++r->tag, .first = first, .cnt = cnt };

	leat_kernel_side_space(&r->side, &s);
}

static void set_range(struct rig *r, uint32_t i, uint64_t start, uint64_t end, uint32_t exe)
{
	r->side.ranges[i] =
		(struct leat_range){ .start = start, .end = end, .bias = CODE - VADDR, .exe = exe };
}

/* A binary whose function i follows rules[i]; its mapping, alone. */
static void make_binary(struct rig *r, const struct leat_unwind_rule *rules, size_t n)
{
	struct leat_rows rows;

	cr_assert(zero(int, leat_rows_init(&rows, VADDR, VADDR + FUNCS * FUNC)));
	for (size_t i = 0; i < n; i++)
		leat_rows_add(&rows, VADDR + i * FUNC,
			      leat_unwind_rules_intern(r->side.rules, rules[i]));
	leat_rows_add(&rows, VADDR + n * FUNC, LEAT_RULE_INVALID);
	free(r->table.blocks);
	cr_assert(zero(int, leat_rows_done(&rows, &r->table.blocks)));
	r->table.block_cnt = (uint32_t)rows.block_cnt;
	r->table.first_page = rows.first_page;
	r->table.page_cnt = rows.page_cnt;
	leat_kernel_side_put(&r->side, EXE, &r->table);
	set_range(r, 10, CODE, CODE + FUNCS * FUNC, EXE);
	set_space(r, 10, 1);
}

/* An address inside function @i: the return address of a call in it. */
static uint64_t in(size_t i)
{
	return CODE + i * FUNC + 16;
}

/* Runs the handler. Its record; NULL when none came. */
static const void *run(struct rig *r, uint64_t pc, uint64_t sp, uint64_t fp)
{
	uint64_t args[4] = { pc, sp, fp, USER_CS };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));
	const size_t before = r->recs;

	cr_assert(zero(
		int, bpf_prog_test_run_opts(bpf_program__fd(r->skel->progs.leat_t_sample), &opts)));
	leat_ring_consume(&r->side.ring, SIZE_MAX, keep, r);
	return r->recs > before ? r->rec : NULL;
}

static const struct leat_rec_sample *walk(struct rig *r, uint64_t pc, uint64_t sp, uint64_t fp)
{
	const struct leat_rec_sample *s = run(r, pc, sp, fp);

	cr_assert(s != NULL);
	cr_assert(eq(uint, s->h.kind, LEAT_REC_SAMPLE));
	return s;
}

static uint64_t stat_of(const struct rig *r, enum leat_stat id)
{
	const int cpus = libbpf_num_possible_cpus();
	uint64_t *v = calloc((size_t)cpus * STATS, sizeof(*v)), sum = 0;
	const uint32_t zero = 0;

	cr_assert(zero(int,
		       bpf_map_lookup_elem(leat_kernel_side_fd(&r->side, "leat_stats"), &zero, v)));
	for (int i = 0; i < cpus; i++)
		sum += v[(unsigned int)i * STATS + id];
	free(v);
	return sum;
}

/* The same on the host: frames and result are those of the record. */
static void expect_as_on_host(const struct rig *r, const struct leat_rec_sample *s, uint64_t sp,
			      uint64_t fp)
{
	const struct leat_unwind_map map = { CODE, CODE + FUNCS * FUNC, CODE - VADDR, &r->table };
	const struct leat_unwind_space space = { &map, 1, r->side.rules };
	const struct leat_unwind_piece stack = { r->arena, addr(r, 0), ARENA_BYTES };
	struct leat_unwind_sample sample = { .pieces = &stack, .piece_cnt = 1 };
	struct leat_unwind_frame frames[TOP];
	size_t n = 0;

	sample.regs.known = UINT32_MAX;
	sample.regs.r[6] = fp;
	sample.regs.r[7] = sp;
	sample.regs.r[16] = s->frames[0];
	cr_expect(eq(int, (int)leat_unwind_stack(&space, &sample, frames, TOP, &n), s->uresult));
	cr_expect(eq(sz, n, s->uframe_cnt));
	for (size_t i = 0; i < n && i < s->uframe_cnt; i++)
		cr_expect(eq(u64, s->frames[i] & ~LEAT_PC_EXACT, frames[i].pc), "frame %zu", i);
}

static const struct leat_unwind_rule stop = { .cfa = LEAT_CFA_STOP };

/* @n frames of 48 bytes below a root: function 0 calls itself, function 1 is the root. */
static void build_plain(struct rig *r, size_t n)
{
	static const struct leat_unwind_rule rules[] = { { LEAT_CFA_SP, LEAT_FP_SAME, 0, OFF(48) },
							 { .cfa = LEAT_CFA_STOP } };

	make_binary(r, rules, 2);
	for (size_t i = 0; i < n; i++)
		word(r, 4096 + i * 48 + 40, i + 1 < n ? in(0) : in(1));
}

static void expect_plain(const struct leat_rec_sample *s, size_t n)
{
	cr_expect(eq(uint, s->uresult, LEAT_STACK_COMPLETE));
	cr_expect(eq(sz, s->uframe_cnt, n + 1));
	for (size_t i = 0; i + 1 < s->uframe_cnt; i++)
		cr_expect(eq(u64, s->frames[i], in(0)), "frame %zu", i);
	cr_expect(eq(u64, s->frames[s->uframe_cnt - 1], in(1)));
}

Test(table, stacks_of_any_depth_end_at_their_root)
{
	static const size_t depths[] = { 1, 7, 8, 9, 30, 120, 510 };
	struct rig r;

	rig_open(&r, LEAT_MAX_UFRAMES);
	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		build_plain(&r, depths[i]);
		expect_plain(walk(&r, in(0), addr(&r, 4096), 1), depths[i]);
	}
	cr_expect(gt(u64, stat_of(&r, LEAT_STAT_N_TABLE_FRAMES), 600));
	rig_close(&r);
}

Test(table, more_frames_than_asked_for_are_truncated)
{
	struct rig r;

	rig_open(&r, 20);
	build_plain(&r, 19);
	expect_plain(walk(&r, in(0), addr(&r, 4096), 1), 19);
	build_plain(&r, 20);
	cr_expect(eq(uint, walk(&r, in(0), addr(&r, 4096), 1)->uresult, LEAT_STACK_TRUNCATED));
	cr_expect(eq(uint, walk(&r, in(0), addr(&r, 4096), 1)->uframe_cnt, 20));
	rig_close(&r);
}

/* One stack through a function of each kind of rule, then the root. */
Test(table, every_kind_of_rule)
{
	static const struct leat_unwind_rule rules[] = {
		{ LEAT_CFA_REG + 6, LEAT_FP_SAME, 0, OFF(16) }, /* 0: rbp + 16, in the innermost */
		{ LEAT_CFA_SP, LEAT_FP_CFA, -2, OFF(32) },	/* 1: sp + 32, fp at CFA - 16 */
		{ LEAT_CFA_FP, LEAT_FP_CFA, -2, OFF(16) },	/* 2: fp + 16 */
		{ LEAT_CFA_FP_MEM, LEAT_FP_FP, 0, OFF(-16 * 8) }, /* 3: *(fp - 8), fp at fp */
		{ LEAT_CFA_SP_MEM, LEAT_FP_SP, 2,
		  OFF(16 * 8 + 1) },			      /* 4: *(sp + 8) + 8, fp at sp + 16 */
		{ LEAT_CFA_PLT, LEAT_FP_SAME, 11, OFF(8) },   /* 5: (pc & 15) is 11: sp + 16 */
		{ LEAT_CFA_SIGNAL, LEAT_FP_SAME, 0, OFF(0) }, /* 6 */
		{ LEAT_CFA_REG + 12, LEAT_FP_SAME, 0,
		  OFF(8) }, /* 7: what a signal interrupted: r12 */
		{ LEAT_CFA_FRAME, LEAT_FP_CFA, -2, OFF(16) }, /* 8 */
		{ LEAT_CFA_STOP, 0, 0, OFF(0) },	      /* 9 */
	};
	const struct leat_rec_sample *s;
	size_t at = 4096, regs = 8192 + 40, fp = 16384;
	struct rig r;

	rig_open(&r, 127);
	make_binary(&r, rules, 10);
	/* 0: its CFA is 4096 + 16, by a register that points there */
	word(&r, at + 8, in(1));
	at += 16;
	word(&r, at + 16, addr(&r, at + 32 + 64)); /* fp of 2 */
	word(&r, at + 24, in(2));
	at += 32;
	word(&r, at + 64, addr(&r, at + 240)); /* fp of 3 */
	word(&r, at + 72, in(3));
	word(&r, at + 240, addr(&r, fp)); /* [fp]: fp of 4, which keeps it at sp + 16 too */
	word(&r, at + 232, addr(&r, at + 400));
	word(&r, at + 392, in(4));
	at += 400;
	word(&r, at + 8, addr(&r, at + 72));
	word(&r, at + 16, addr(&r, fp));
	word(&r, at + 72, in(5) + 11); /* from here on a word is pushed */
	at += 80;
	word(&r, at + 8, in(6));
	word(&r, at + 0, 1); /* what the PLT has pushed */
	at += 16;
	/* 6: the ucontext is at sp; r12 is gregs[4] */
	regs = at + 40;
	word(&r, regs + 16 * 8, in(7));
	word(&r, regs + 15 * 8, addr(&r, 12288));
	word(&r, regs + 10 * 8, addr(&r, fp));
	word(&r, regs + 4 * 8, addr(&r, 12288 + 56));
	word(&r, 12288 + 56, in(8)); /* r12 + 8 - 8 */
	word(&r, fp, 0);
	word(&r, fp + 8, in(9));
	s = walk(&r, in(0), addr(&r, 4096), addr(&r, 4096));
	cr_expect(eq(uint, s->uresult, LEAT_STACK_COMPLETE));
	cr_expect(eq(uint, s->uframe_cnt, 10));
	for (size_t i = 0; i < s->uframe_cnt; i++)
		cr_expect(eq(u64, s->frames[i],
			     (in(i) + (i == 5 ? 11 : 0)) | (i == 7 ? LEAT_PC_EXACT : 0)),
			  "frame %zu", i);
	expect_as_on_host(&r, s, addr(&r, 4096), addr(&r, 4096));
	rig_close(&r);
}

static uint32_t result_with(struct rig *r, struct leat_unwind_rule rule, uint64_t fp)
{
	const struct leat_rec_sample *s;

	make_binary(r, &rule, 1);
	s = walk(r, in(0), addr(r, 4096), fp);
	expect_as_on_host(r, s, addr(r, 4096), fp);
	return s->uresult;
}

Test(table, rules_that_lead_nowhere)
{
	const struct leat_unwind_rule sp = { LEAT_CFA_SP, 0, 0, OFF(16) },
				      back = { LEAT_CFA_SP, 0, 0, OFF(-8) },
				      mem = { LEAT_CFA_FP, 0, 0, OFF(16) },
				      odd = { LEAT_CFA_SP, 0, 0, OFF(12) }, none = { 0 },
				      reg = { LEAT_CFA_REG + 6, 0, 0, OFF(16) };
	struct rig r;

	rig_open(&r, 127);
	word(&r, 4096 + 8, 0);
	cr_expect(eq(u32, result_with(&r, sp, 1), LEAT_STACK_NO_UNWIND), "a return to 0");
	word(&r, 4096 + 8, 17);
	cr_expect(eq(u32, result_with(&r, sp, 1), LEAT_STACK_NO_UNWIND), "no code there");
	cr_expect(eq(u32, result_with(&r, back, 1), LEAT_STACK_NO_UNWIND), "sp must grow");
	cr_expect(eq(u32, result_with(&r, odd, 1), LEAT_STACK_NO_UNWIND), "not aligned");
	cr_expect(eq(u32, result_with(&r, none, 1), LEAT_STACK_NO_UNWIND), "invalid");
	cr_expect(eq(u32, result_with(&r, mem, addr(&r, ARENA_BYTES + (64u << 20))),
		     LEAT_STACK_BAD_MEMORY));
	cr_expect(eq(u32, result_with(&r, reg, 8), LEAT_STACK_NO_UNWIND));
	cr_expect(eq(u32, result_with(&r, stop, 8), LEAT_STACK_COMPLETE));
	rig_close(&r);
}

/* The frame's registers lie before the return address where a window begins. */
Test(table, frames_across_windows_and_holes)
{
	static const struct leat_unwind_rule rules[] = {
		{ LEAT_CFA_SP, LEAT_FP_CFA, -2, OFF(4104) }, { .cfa = LEAT_CFA_STOP }
	};
	const struct leat_rec_sample *s;
	struct rig r;

	rig_open(&r, 127);
	make_binary(&r, rules, 2);
	for (size_t i = 0; i < 30; i++)
		word(&r, 4096 + (i + 1) * 4104 - 8, i < 29 ? in(0) : in(1));
	s = walk(&r, in(0), addr(&r, 4096), 1);
	cr_expect(eq(uint, s->uframe_cnt, 31));
	cr_expect(eq(uint, s->uresult, LEAT_STACK_COMPLETE));
	/* Nobody has touched the local variables of the first frame: its page is not there. */
	make_binary(&r, (const struct leat_unwind_rule[]){ { LEAT_CFA_SP, 0, 0, OFF(8192) }, stop },
		    2);
	word(&r, 4096 + 8192 - 8, in(1));
	cr_assert(zero(int, mprotect(r.arena + 4096, 4096, PROT_NONE)));
	cr_expect(eq(uint, walk(&r, in(0), addr(&r, 4096), 1)->uresult, LEAT_STACK_COMPLETE));
	rig_close(&r);
}

/* From the second time on its end is known, and what it is made of is read at once. */
Test(table, a_stack_whose_end_is_known_is_read_once)
{
	const uint64_t cpus = (uint64_t)libbpf_num_possible_cpus();
	uint64_t reads;
	struct rig r;

	rig_open(&r, 127);
	build_plain(&r, 100);
	for (uint64_t i = 0; i < 10 * cpus; i++)
		expect_plain(walk(&r, in(0), addr(&r, 4096), 1), 100);
	reads = stat_of(&r, LEAT_STAT_N_WINDOW_READ);
	/* Two the first time, on each CPU. */
	cr_expect(le(u64, reads, (10 + 1) * cpus), "%lu reads of %lu stacks", reads, 10 * cpus);
	cr_expect(ge(u64, reads, 10 * cpus));
	rig_close(&r);
}

/* Small frames that save a register below their return address, across several windows. */
Test(table, a_window_holds_what_comes_next)
{
	static const struct leat_unwind_rule rules[] = { { LEAT_CFA_SP, LEAT_FP_CFA, -2, OFF(256) },
							 { .cfa = LEAT_CFA_STOP } };
	const uint64_t cpus = (uint64_t)libbpf_num_possible_cpus();
	const size_t n = 100;
	uint64_t reads;
	struct rig r;

	rig_open(&r, 127);
	make_binary(&r, rules, 2);
	for (size_t i = 0; i < n; i++)
		word(&r, 4096 + i * 256 + 248, i + 1 < n ? in(0) : in(1));
	for (uint64_t i = 0; i < 10 * cpus; i++)
		expect_plain(walk(&r, in(0), addr(&r, 4096), 1), n);
	reads = stat_of(&r, LEAT_STAT_N_WINDOW_READ);
	/* 25,600 bytes: two windows when their end is known; the first time on each CPU one more. */
	cr_expect(le(u64, reads, (2 * 10 + 2) * cpus), "%lu reads of %lu stacks", reads, 10 * cpus);
	rig_close(&r);
}

/* ---- the cache of rules ---- */

Test(table, a_remembered_rule_is_the_one_that_was_found)
{
	struct rig r;
	uint64_t hash, misses;

	rig_open(&r, 127);
	build_plain(&r, 30);
	hash = walk(&r, in(0), addr(&r, 4096), 1)->stack_hash;
	misses = stat_of(&r, LEAT_STAT_N_TABLE_MISS);
	/* in(0) itself, in(0) - 1 of all the others, in(1) - 1 */
	cr_expect(eq(u64, misses, 3));
	for (int i = 0; i < 20; i++) {
		const struct leat_rec_sample *s = walk(&r, in(0), addr(&r, 4096), 1);

		expect_plain(s, 30);
		cr_expect(eq(u64, s->stack_hash, hash));
	}
	/* The test may have been moved to other CPUs, which learn it once each. */
	cr_expect(le(u64, stat_of(&r, LEAT_STAT_N_TABLE_MISS),
		     misses * (uint64_t)libbpf_num_possible_cpus()));
	rig_close(&r);
}

/* Another binary is mapped where the first one was: what was remembered is void. */
Test(table, a_new_tag_forgets_what_was_remembered)
{
	static const struct leat_unwind_rule other = { LEAT_CFA_SP, LEAT_FP_SAME, 0, OFF(96) };
	struct rig r;

	rig_open(&r, 127);
	build_plain(&r, 30);
	expect_plain(walk(&r, in(0), addr(&r, 4096), 1), 30);
	make_binary(&r, &other, 1);
	word(&r, 4096 + 88, 0);
	cr_expect(eq(uint, walk(&r, in(0), addr(&r, 4096), 1)->uframe_cnt, 1));
	rig_close(&r);
}

Test(table, the_right_one_of_many_ranges)
{
	static const uint32_t counts[] = { 1, 2, 3, 500, 1000 };
	struct rig r;

	rig_open(&r, 127);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		const uint32_t cnt = counts[i];

		build_plain(&r, 5);
		for (uint32_t k = 0; k < cnt; k++)
			set_range(&r, 20 + k, 0x10000 + k * 8192ull, 0x11000 + k * 8192ull,
				  LEAT_EXE_NONE);
		set_range(&r, 20 + cnt - 1, CODE, CODE + FUNCS * FUNC, EXE);
		set_space(&r, 20, cnt);
		expect_plain(walk(&r, in(0), addr(&r, 4096), 1), 5);
	}
	rig_close(&r);
}

/* ---- not ready ---- */

static const struct leat_rec_raw *raw(struct rig *r, uint64_t pc, uint64_t sp, uint64_t fp)
{
	const struct leat_rec_raw *w = run(r, pc, sp, fp);

	cr_assert(w != NULL);
	cr_assert(eq(uint, w->h.kind, LEAT_REC_RAW));
	return w;
}

Test(table, a_table_that_is_missing_is_asked_for_and_the_stack_is_sent)
{
	const struct leat_rec_raw *w;
	struct rig r;

	rig_open(&r, 127);
	build_plain(&r, 30);
	r.side.exes[EXE].state = LEAT_EXE_UNKNOWN;
	r.side.ctl->epoch = 7;
	w = raw(&r, in(0), addr(&r, 4096), 123);
	cr_expect(eq(uint, r.side.exes[EXE].state, LEAT_EXE_WANTED));
	cr_expect(eq(uint, r.side.exes[EXE].used_epoch, 7));
	cr_expect(eq(u64, w->regs[16], in(0)));
	cr_expect(eq(u64, w->regs[7], addr(&r, 4096)));
	cr_expect(eq(u64, w->regs[6], 123));
	cr_expect(eq(uint, w->user_mode, 1));
	cr_expect(zero(uint, w->kframe_cnt));
	cr_expect(ge(uint, w->stack_bytes, LEAT_RAW_BYTES - LEAT_MAX_KFRAMES * 8 - 4096));
	cr_expect(eq(u64, w->h.size, sizeof(*w) + w->stack_bytes));
	cr_expect(zero(int, memcmp(w->words, r.arena + 4096 - LEAT_RAW_BELOW, w->stack_bytes)));
	cr_expect(eq(u64, stat_of(&r, LEAT_STAT_RAW), 1));
	/* Once it is there, nothing has to be forgotten. */
	r.side.exes[EXE].state = LEAT_EXE_READY;
	expect_plain(walk(&r, in(0), addr(&r, 4096), 1), 30);
	rig_close(&r);
}

Test(table, the_copy_of_a_stack_ends_where_it_cannot_be_read)
{
	const struct leat_rec_raw *w;
	struct rig r;

	rig_open(&r, 127);
	build_plain(&r, 3);
	r.side.exes[EXE].state = LEAT_EXE_WANTED;
	cr_assert(zero(int, mprotect(r.arena + 12288, 4096, PROT_NONE)));
	w = raw(&r, in(0), addr(&r, 4096 + 8), 1);
	cr_expect(eq(u64, w->stack_addr, addr(&r, 4096 + 8 - LEAT_RAW_BELOW)));
	cr_expect(eq(uint, w->stack_bytes, 8192 - 8 + LEAT_RAW_BELOW));
	rig_close(&r);
}

static void set_beyond(struct rig *r)
{
	set_range(r, 10, CODE, CODE + FUNC, EXE);
	set_space(r, 10, 1);
}

Test(table, code_outside_all_mappings_is_for_user_space)
{
	struct rig r;

	rig_open(&r, 127);
	build_plain(&r, 3);
	set_beyond(&r); /* function 1 is not in it */
	raw(&r, in(0), addr(&r, 4096), 1);
	rig_close(&r);
}

Test(table, a_process_without_mappings_is_for_user_space)
{
	const uint32_t tgid = (uint32_t)getpid();
	struct rig r;

	rig_open(&r, 127);
	build_plain(&r, 3);
	cr_assert(
		zero(int, bpf_map_delete_elem(leat_kernel_side_fd(&r.side, "leat_spaces"), &tgid)));
	r.side.ctl->set_gen++;
	raw(&r, in(0), addr(&r, 4096), 1);
	rig_close(&r);
}

/* Three for each CPU and epoch; then samples are counted with what was walked of them. */
Test(table, no_more_than_so_many_stacks_are_sent)
{
	const uint64_t cpus = (uint64_t)libbpf_num_possible_cpus();
	uint64_t sent, i;
	struct rig r;

	rig_open(&r, 127);
	build_plain(&r, 3);
	set_beyond(&r);
	for (i = 0; i < 3 * cpus + 20; i++) {
		const struct leat_rec_sample *s = run(&r, in(0), addr(&r, 4096), 1);

		cr_assert(s != NULL);
		if (s->h.kind == LEAT_REC_RAW)
			continue;
		cr_expect(eq(uint, s->uresult, LEAT_STACK_NO_TABLE));
		cr_expect(eq(uint, s->uframe_cnt, 4));
	}
	sent = stat_of(&r, LEAT_STAT_RAW);
	cr_expect(ge(u64, sent, 3));
	cr_expect(le(u64, sent, 3 * cpus));
	cr_expect(eq(u64, stat_of(&r, LEAT_STAT_N_RAW_UNSENT), i - sent));
	cr_expect(eq(u64, stat_of(&r, LEAT_STAT_STREAMED), i - sent));
	cr_expect(eq(u64, stat_of(&r, LEAT_STAT_SEEN), i));
	r.side.ctl->epoch++;
	run(&r, in(0), addr(&r, 4096), 1);
	cr_expect(eq(u64, stat_of(&r, LEAT_STAT_RAW), sent + 1));
	rig_close(&r);
}

/* JIT code has no table; what a frame pointer leads to outside of all code is no secret. */
Test(table, code_without_a_file_is_walked_by_frame_pointer)
{
	const struct leat_rec_sample *s;
	struct rig r;

	rig_open(&r, 127);
	build_plain(&r, 3);
	set_range(&r, 10, CODE, CODE + FUNCS * FUNC, LEAT_EXE_ANON);
	set_space(&r, 10, 1);
	word(&r, 8192, addr(&r, 8256));
	word(&r, 8200, in(5));
	word(&r, 8256, 0);
	word(&r, 8264, in(6));
	s = walk(&r, in(0), addr(&r, 4096), addr(&r, 8192));
	cr_expect(eq(uint, s->uresult, LEAT_STACK_COMPLETE));
	cr_expect(eq(uint, s->uframe_cnt, 3));
	word(&r, 8264, CODE + (1u << 20));
	s = walk(&r, in(0), addr(&r, 4096), addr(&r, 8192));
	cr_expect(eq(uint, s->uresult, LEAT_STACK_NO_UNWIND));
	rig_close(&r);
}

Test(table, a_binary_without_table_and_frame_pointers_ends_a_stack)
{
	struct rig r;

	rig_open(&r, 127);
	build_plain(&r, 3);
	r.side.exes[EXE].state = LEAT_EXE_FAILED;
	cr_expect(eq(uint, walk(&r, in(0), addr(&r, 4096), 1)->uresult, LEAT_STACK_NO_UNWIND));
	/* It is tried again: nothing of the failure is remembered. */
	r.side.exes[EXE].state = LEAT_EXE_READY;
	cr_expect(eq(uint, walk(&r, in(0), addr(&r, 4096), 1)->uframe_cnt, 4));
	rig_close(&r);
}
