/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk of user stacks that the test makes up in its own memory, by BPF_PROG_TEST_RUN of the
 * same handler: result codes, windows, holes, truncation; and scratch memory that was poisoned.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/ring.h"
#include "leat_cfg.h"
#include "leat_glob.h"
#include "leat_stat.h"
#include "leat_table.h"
#include "leat_wire.h"
#include "tests/sample_test.skel.h"

#define RING_BYTES  (256u << 10)
#define ARENA_BYTES (1u << 20)
#define USER_CS	    0x33
#define USER32_CS   0x23
#define KERNEL_CS   0x10
#define CODE	    0x400000ull /* return addresses: CODE + number of the frame */
#define STATS	    32u
#define SLACK	    32768u /* bytes that a window may read past the frames */

struct rig {
	struct leat_sample_test *skel;
	struct leat_ring ring;
	struct leat_ctl *ctl;
	int ring_fd;
	uint8_t *arena; /* the stack: grows towards higher addresses here, as a walk does */
	struct leat_rec_sample *rec; /* the last one, copied */
	size_t recs;
	uint32_t answer; /* of the last program that ran */
};

static int keep(void *ctx, const void *data, size_t n)
{
	struct rig *r = ctx;

	free(r->rec);
	r->rec = malloc(n);
	cr_assert(r->rec != NULL);
	memcpy(r->rec, data, n);
	cr_assert(eq(sz, (size_t)r->rec->h.size, n));
	r->recs++;
	return 1;
}

/* What @asked leaves open is filled in. */
static void rig_open_cfg(struct rig *r, const struct leat_cfg *asked)
{
	struct leat_cfg *cfg;

	*r = (struct rig){ .skel = leat_sample_test__open() };
	cr_assert(r->skel != NULL);
	cfg = (struct leat_cfg *)&r->skel->rodata->cfg;
	memcpy(cfg, asked, sizeof(*cfg));
	cfg->stream = 1;
	cfg->ring_cnt = 1;
	cfg->slot_bits = 4;
	cfg->seed = 1;
	cfg->ring_wake_bytes = RING_BYTES;
	bpf_map__set_max_entries(r->skel->maps.leat_slots,
				 (uint32_t)libbpf_num_possible_cpus() * 2 << cfg->slot_bits);
	bpf_map__set_max_entries(r->skel->maps.leat_cpu_ring, (uint32_t)libbpf_num_possible_cpus());
	bpf_map__set_max_entries(r->skel->maps.leat_used, (uint32_t)libbpf_num_possible_cpus());
	bpf_map__set_max_entries(r->skel->maps.leat_ring, RING_BYTES);
	cr_assert(zero(int, leat_sample_test__load(r->skel)));
	r->ring_fd = bpf_map__fd(r->skel->maps.leat_ring);
	cr_assert(zero(int, leat_ring_open(&r->ring, r->ring_fd, RING_BYTES)));
	r->ctl = mmap(NULL, sizeof(*r->ctl), PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(r->skel->maps.leat_ctl), 0);
	cr_assert(ne(ptr, (void *)r->ctl, MAP_FAILED));
	r->ctl->resend_gen = 1;
	r->arena = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	cr_assert(ne(ptr, (void *)r->arena, MAP_FAILED));
}

static void rig_open_with(struct rig *r, uint32_t max_frames, bool user, bool kernel)
{
	const struct leat_cfg cfg = { .max_uframes = max_frames,
				      .user_stack = user,
				      .kernel_stack = kernel };

	rig_open_cfg(r, &cfg);
}

static void rig_open(struct rig *r, uint32_t max_frames)
{
	rig_open_with(r, max_frames, true, false);
}

static void rig_close(struct rig *r)
{
	leat_ring_close(&r->ring);
	munmap(r->ctl, sizeof(*r->ctl));
	munmap(r->arena, ARENA_BYTES);
	free(r->rec);
	leat_sample_test__destroy(r->skel);
}

static void put(struct rig *r, size_t at, uint64_t fp, uint64_t ret)
{
	memcpy(r->arena + at, &fp, sizeof(fp));
	memcpy(r->arena + at + 8, &ret, sizeof(ret));
}

static uint64_t addr(const struct rig *r, size_t at)
{
	return (uint64_t)(uintptr_t)(r->arena + at);
}

/* @n frames, @step bytes apart, the first at @at; the last one ends the chain by fp 0. */
static void build(struct rig *r, size_t at, size_t step, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		put(r, at + i * step, i + 1 < n ? addr(r, at + (i + 1) * step) : 0, CODE + i);
}

/* Runs the handler at the frame at @at. Returns its record; NULL when none came. */
static const struct leat_rec_sample *walk(struct rig *r, uint64_t fp, uint64_t sp, uint64_t cs)
{
	uint64_t args[4] = { CODE - 1, sp, fp, cs };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));
	const size_t before = r->recs;

	cr_assert(zero(
		int, bpf_prog_test_run_opts(bpf_program__fd(r->skel->progs.leat_t_sample), &opts)));
	r->answer = opts.retval;
	leat_ring_consume(&r->ring, SIZE_MAX, keep, r);
	return r->recs > before ? r->rec : NULL;
}

static const struct leat_rec_sample *walk_at(struct rig *r, size_t at)
{
	return walk(r, addr(r, at), addr(r, at), USER_CS);
}

static uint64_t stat_of(const struct rig *r, enum leat_stat id)
{
	const int cpus = libbpf_num_possible_cpus();
	uint64_t *v = calloc((size_t)cpus * STATS, sizeof(*v)), sum = 0;
	const uint32_t zero = 0;

	cr_assert(zero(int, bpf_map_lookup_elem(bpf_map__fd(r->skel->maps.leat_stats), &zero, v)));
	for (int i = 0; i < cpus; i++)
		sum += v[(unsigned int)i * STATS + id];
	free(v);
	return sum;
}

static void expect_frames(const struct leat_rec_sample *s, unsigned int n)
{
	cr_assert(s != NULL);
	cr_expect(eq(uint, s->uframe_cnt, n + 1));
	cr_expect(eq(u64, s->frames[0], CODE - 1));
	for (unsigned int i = 0; i < n && i + 1 < s->uframe_cnt; i++)
		cr_expect(eq(u64, s->frames[i + 1], CODE + i));
}

Test(walk, a_chain_that_ends_in_zero_is_complete)
{
	struct rig r;
	const struct leat_rec_sample *s;

	rig_open(&r, 127);
	build(&r, 64, 48, 30);
	s = walk_at(&r, 64);
	expect_frames(s, 30);
	cr_expect(eq(uint, s->uresult, LEAT_STACK_COMPLETE));
	cr_expect(eq(uint, s->user_mode, 1));
	cr_expect(eq(uint, s->h.tgid, (uint32_t)getpid()));
	cr_expect(ne(u64, s->proc.start_ns, 0));
	cr_expect(ne(uint, s->proc.map_gen, 0));
	rig_close(&r);
}

Test(walk, frame_sizes_across_windows_and_pages)
{
	static const size_t steps[] = { 16, 24, 48, 504, 1000, 1504, 4080, 4096, 4104, 8184, 8200 };
	struct rig r;

	rig_open(&r, 127);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		memset(r.arena, 0, ARENA_BYTES);
		build(&r, 4096 - 40, steps[i], 100);
		for (int again = 0; again < 3; again++) { /* the window adapts */
			const struct leat_rec_sample *s = walk_at(&r, 4096 - 40);

			expect_frames(s, 100);
			cr_expect(eq(uint, s->uresult, LEAT_STACK_COMPLETE));
		}
	}
	rig_close(&r);
}

static uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	return x ^ (x >> 31);
}

/* @n frames at @at, sizes at random; where the last one ends. */
static size_t build_mixed(struct rig *r, size_t at, unsigned int n, uint64_t *state)
{
	static const size_t sizes[] = { 16, 16, 48, 48, 112, 256, 1504, 4104, 20000, 70000 };

	for (unsigned int i = 0; i < n; i++) {
		size_t kind = next_random(state) % (sizeof(sizes) / sizeof(sizes[0]));
		/* The largest seldom: the arena has to hold them all. */
		size_t step = kind > 7 && next_random(state) % 4 ? 64 : sizes[kind];
		bool last = i + 1 == n || at + step + SLACK > ARENA_BYTES;

		put(r, at, last ? 0 : addr(r, at + step), CODE + i);
		if (last)
			return i + 1;
		at += step;
	}
	return n;
}

/*
 * What a thread's last stack was decides how the next one is read, never what is found: stacks of
 * any shape in any order, each begun higher or lower, ending nearer or farther than the one before.
 */
Test(walk, any_mix_of_frame_sizes_in_any_order)
{
	uint64_t state = 1;
	struct rig r;

	rig_open(&r, 127);
	for (int i = 0; i < 500; i++) {
		const size_t at = next_random(&state) % 1000 * 16;
		const unsigned int n = 1 + (unsigned int)(next_random(&state) % 120);
		const unsigned int built = (unsigned int)build_mixed(&r, at, n, &state);
		const struct leat_rec_sample *s = walk_at(&r, at);

		expect_frames(s, built);
		cr_assert(eq(uint, s->uresult, LEAT_STACK_COMPLETE), "stack %d", i);
	}
	cr_expect(zero(u64, stat_of(&r, LEAT_STAT_N_WINDOW_RETRY)), "read past the arena");
	rig_close(&r);
}

/* A window ends where the thread's last stack did: what lies behind is not touched again. */
Test(walk, a_known_stack_is_not_read_past_its_end)
{
	struct rig r;

	rig_open(&r, 127);
	build(&r, 8192 - 10 * 48, 48, 10);
	expect_frames(walk_at(&r, 8192 - 10 * 48), 10);
	cr_assert(zero(int, mprotect(r.arena + 8192, 4096, PROT_NONE)));
	for (int i = 0; i < 20; i++) /* each CPU learns it once */
		expect_frames(walk_at(&r, 8192 - 10 * 48), 10);
	cr_expect(le(u64, stat_of(&r, LEAT_STAT_N_WINDOW_RETRY),
		     (uint64_t)libbpf_num_possible_cpus() - 1));
	/* The same stack, deeper at the inner end, then at the outer one. */
	build(&r, 8192 - 30 * 48, 48, 30);
	expect_frames(walk_at(&r, 8192 - 30 * 48), 30);
	cr_assert(zero(int, mprotect(r.arena + 8192, 4096, PROT_READ | PROT_WRITE)));
	build(&r, 8192 - 30 * 48, 48, 60);
	expect_frames(walk_at(&r, 8192 - 30 * 48), 60);
	expect_frames(walk_at(&r, 8192 - 30 * 48), 60);
	rig_close(&r);
}

Test(walk, more_frames_than_asked_for_are_truncated)
{
	struct rig r;
	const struct leat_rec_sample *s;

	rig_open(&r, 20);
	build(&r, 0, 48, 19);
	s = walk_at(&r, 0);
	expect_frames(s, 19);
	cr_expect(eq(uint, s->uresult, LEAT_STACK_COMPLETE), "just fits");
	build(&r, 0, 48, 20);
	s = walk_at(&r, 0);
	expect_frames(s, 19);
	cr_expect(eq(uint, s->uresult, LEAT_STACK_TRUNCATED));
	rig_close(&r);
}

Test(walk, five_hundred_and_twelve_frames)
{
	struct rig r;
	const struct leat_rec_sample *s;

	rig_open(&r, LEAT_MAX_UFRAMES);
	build(&r, 0, 64, 511);
	s = walk_at(&r, 0);
	expect_frames(s, 511);
	cr_expect(eq(uint, s->uresult, LEAT_STACK_COMPLETE));
	build(&r, 0, 64, 600);
	s = walk_at(&r, 0);
	expect_frames(s, 511);
	cr_expect(eq(uint, s->uresult, LEAT_STACK_TRUNCATED));
	rig_close(&r);
}

static uint32_t result_of(struct rig *r, uint64_t fp, uint64_t sp, uint64_t cs)
{
	const struct leat_rec_sample *s = walk(r, fp, sp, cs);

	cr_assert(s != NULL);
	return s->uresult;
}

Test(walk, pointers_that_lead_nowhere_are_no_unwind_information)
{
	struct rig r;

	rig_open(&r, 127);
	build(&r, 0, 48, 4);
	cr_expect(eq(u32, result_of(&r, addr(&r, 4), addr(&r, 0), USER_CS), LEAT_STACK_NO_UNWIND));
	cr_expect(eq(u32, result_of(&r, addr(&r, 0), addr(&r, 8), USER_CS), LEAT_STACK_NO_UNWIND));
	cr_expect(eq(u32, result_of(&r, 1ull << 63, addr(&r, 0), USER_CS), LEAT_STACK_NO_UNWIND));
	put(&r, 48, addr(&r, 0), CODE); /* back down: a loop */
	cr_expect(eq(u32, result_of(&r, addr(&r, 0), addr(&r, 0), USER_CS), LEAT_STACK_NO_UNWIND));
	put(&r, 48, addr(&r, 96), 17); /* no code there */
	cr_expect(eq(u32, result_of(&r, addr(&r, 0), addr(&r, 0), USER_CS), LEAT_STACK_NO_UNWIND));
	put(&r, 48, addr(&r, 96), ~0ull);
	cr_expect(eq(u32, result_of(&r, addr(&r, 0), addr(&r, 0), USER_CS), LEAT_STACK_NO_UNWIND));
	put(&r, 48, addr(&r, 96), 0); /* a return address of zero: the outermost frame */
	cr_expect(eq(u32, result_of(&r, addr(&r, 0), addr(&r, 0), USER_CS), LEAT_STACK_COMPLETE));
	cr_expect(eq(u32, result_of(&r, 0, addr(&r, 0), USER_CS), LEAT_STACK_COMPLETE));
	rig_close(&r);
}

Test(walk, a_stack_that_cannot_be_read_is_bad_memory)
{
	struct rig r;
	const struct leat_rec_sample *s;

	rig_open(&r, 127);
	build(&r, 8192 - 96, 48, 4);
	cr_assert(zero(int, mprotect(r.arena + 8192, 4096, PROT_NONE)));
	s = walk_at(&r, 8192 - 96);
	expect_frames(s, 2);
	cr_expect(eq(uint, s->uresult, LEAT_STACK_BAD_MEMORY));
	rig_close(&r);
}

/* One page is absent in the middle of what a window covers, but no frame lies there. */
Test(walk, a_hole_in_the_stack_is_stepped_over_and_remembered)
{
	struct rig r;
	uint64_t retries;

	rig_open(&r, 127);
	build(&r, 4096 - 480, 48, 10);
	put(&r, 4096 - 48, addr(&r, 8192 + 16), CODE + 9);
	cr_assert(zero(int, mprotect(r.arena + 4096, 4096, PROT_NONE)));
	for (int i = 0; i < 3; i++)
		put(&r, 8192 + 16 + (size_t)i * 64,
		    i < 2 ? addr(&r, 8192 + 80 + (size_t)i * 64) : 0, CODE + 10 + (uint64_t)i);
	expect_frames(walk_at(&r, 4096 - 480), 13);
	retries = stat_of(&r, LEAT_STAT_N_WINDOW_RETRY);
	cr_expect(eq(u64, retries, 1));
	/* Per CPU: this one may have moved, and then learns it once more. */
	for (int i = 0; i < 20; i++)
		expect_frames(walk_at(&r, 4096 - 480), 13);
	cr_expect(le(u64, stat_of(&r, LEAT_STAT_N_WINDOW_RETRY),
		     (uint64_t)libbpf_num_possible_cpus()));
	r.ctl->epoch++; /* it may be there now */
	expect_frames(walk_at(&r, 4096 - 480), 13);
	cr_expect(gt(u64, stat_of(&r, LEAT_STAT_N_WINDOW_RETRY), retries));
	rig_close(&r);
}

Test(walk, code_of_32_bits_is_not_walked)
{
	struct rig r;
	const struct leat_rec_sample *s;

	rig_open(&r, 127);
	build(&r, 0, 48, 4);
	s = walk(&r, addr(&r, 0), addr(&r, 0), USER32_CS);
	cr_assert(s != NULL);
	cr_expect(eq(uint, s->uresult, LEAT_STACK_COMPAT));
	cr_expect(eq(uint, s->uframe_cnt, 1));
	cr_expect(eq(u64, stat_of(&r, LEAT_STAT_N_COMPAT_TASK), 1));
	rig_close(&r);
}

/* ---- one mode alone ---- */

static void expect_sum(const struct rig *r);

Test(walk, kernel_stacks_alone_leave_out_what_fell_in_user_mode)
{
	struct rig r;
	const struct leat_rec_sample *s;

	rig_open_with(&r, 127, false, true);
	build(&r, 0, 48, 4);
	cr_expect(walk_at(&r, 0) == NULL);
	cr_expect(eq(u64, stat_of(&r, LEAT_STAT_F_MODE), 1));
	s = walk(&r, addr(&r, 0), addr(&r, 0), KERNEL_CS);
	cr_assert(s != NULL);
	cr_expect(gt(uint, s->kframe_cnt, 0));
	cr_expect(zero(uint, s->uframe_cnt));
	cr_expect(eq(u64, stat_of(&r, LEAT_STAT_F_MODE), 1));
	expect_sum(&r);
	rig_close(&r);
}

Test(walk, both_stacks_keep_samples_of_both_modes)
{
	struct rig r;

	rig_open_with(&r, 127, true, true);
	build(&r, 0, 48, 4);
	cr_expect(walk_at(&r, 0) != NULL);
	cr_expect(walk(&r, addr(&r, 0), addr(&r, 0), KERNEL_CS) != NULL);
	cr_expect(zero(u64, stat_of(&r, LEAT_STAT_F_MODE)));
	expect_sum(&r);
	rig_close(&r);
}

/* A user part that begins nowhere is that of a thread of the kernel. */
Test(walk, user_stacks_alone_leave_out_what_has_no_user_part)
{
	uint64_t args[4] = { 0, 0, 0, USER_CS };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));
	struct rig r;

	rig_open_with(&r, 127, true, false);
	build(&r, 0, 48, 4);
	cr_expect(walk_at(&r, 0) != NULL);
	cr_expect(walk(&r, addr(&r, 0), addr(&r, 0), KERNEL_CS) != NULL, "a system call's caller");
	cr_expect(zero(u64, stat_of(&r, LEAT_STAT_F_MODE)));
	cr_assert(zero(
		int, bpf_prog_test_run_opts(bpf_program__fd(r.skel->progs.leat_t_sample), &opts)));
	cr_expect(eq(u64, stat_of(&r, LEAT_STAT_F_MODE), 1));
	expect_sum(&r);
	rig_close(&r);
}

/* The kernel writes the perf event's record when the program returns something. */
Test(walk, the_event_is_kept_of_what_is_sent)
{
	struct leat_cfg cfg = { .max_uframes = 127, .user_stack = 1 };
	struct rig r;

	for (unsigned int i = 0; i < 4; i++) {
		cfg.keep_events = i & 1;
		cfg.by_process = i >> 1; /* of an empty set */
		rig_open_cfg(&r, &cfg);
		build(&r, 0, 48, 4);
		cr_expect(eq(int, walk_at(&r, 0) != NULL, !cfg.by_process));
		cr_expect(eq(u32, r.answer, cfg.keep_events && !cfg.by_process));
		rig_close(&r);
	}
}

/* In the kernel the registers come from where it saved them: those of the bpf() call. */
Test(walk, a_sample_in_the_kernel_starts_from_the_saved_registers)
{
	struct rig r;
	const struct leat_rec_sample *s;

	rig_open(&r, 127);
	build(&r, 0, 48, 4);
	s = walk(&r, addr(&r, 0), addr(&r, 0), KERNEL_CS);
	cr_assert(s != NULL);
	cr_expect(eq(uint, s->user_mode, 0));
	cr_expect(ge(uint, s->uframe_cnt, 1));
	cr_expect(ne(u64, s->frames[0], CODE - 1));
	rig_close(&r);
}

Test(walk, equal_stacks_have_equal_hashes_and_others_do_not)
{
	struct rig r;
	uint64_t a, b;

	rig_open(&r, 127);
	build(&r, 0, 48, 10);
	a = walk_at(&r, 0)->stack_hash;
	cr_expect(eq(u64, walk_at(&r, 0)->stack_hash, a));
	build(&r, 0, 64, 10); /* other frames' sizes, same addresses: the same stack */
	cr_expect(eq(u64, walk_at(&r, 0)->stack_hash, a));
	build(&r, 0, 48, 9);
	b = walk_at(&r, 0)->stack_hash;
	cr_expect(ne(u64, b, a));
	rig_close(&r);
}

/* ---- scratch memory that holds anything ---- */

static void poison(struct rig *r, uint32_t busy)
{
	const int cpus = libbpf_num_possible_cpus();
	const size_t size = (bpf_map__value_size(r->skel->maps.leat_scratch) + 7) & ~7ul;
	uint8_t *v = malloc(size * (size_t)cpus);
	const uint32_t slot = 0;

	cr_assert(v != NULL);
	memset(v, 0xaa, size * (size_t)cpus);
	for (int i = 0; i < cpus; i++)
		memcpy(v + size * (size_t)i, &busy, sizeof(busy)); /* the first member */
	cr_assert(zero(int, bpf_map_update_elem(bpf_map__fd(r->skel->maps.leat_scratch), &slot, v,
						BPF_ANY)));
	free(v);
}

static void expect_sum(const struct rig *r)
{
	uint64_t sum = 0;

#define ADD(id, class, help)                                                                       \
	if (LEAT_STAT_CLASS_##class != LEAT_STAT_CLASS_SEEN &&                                     \
	    LEAT_STAT_CLASS_##class != LEAT_STAT_CLASS_NOTE)                                       \
		sum += stat_of(r, LEAT_STAT_##id);
	LEAT_STATS(ADD)
#undef ADD
	cr_expect(eq(u64, sum, stat_of(r, LEAT_STAT_SEEN)));
}

Test(walk, poisoned_scratch_reaches_no_record)
{
	struct rig r;
	const struct leat_rec_sample *s;

	rig_open(&r, 127);
	build(&r, 0, 48, 12);
	poison(&r, 0);
	s = walk_at(&r, 0);
	expect_frames(s, 12);
	cr_expect(eq(uint, s->h.kind, LEAT_REC_SAMPLE));
	cr_expect(eq(uint, s->h.size, (unsigned int)(sizeof(*s) + 13 * 8)));
	cr_expect(eq(uint, s->uresult, LEAT_STACK_COMPLETE));
	cr_expect(eq(uint, s->kframe_cnt, 0));
	cr_expect(eq(uint, s->kresult, LEAT_STACK_NONE));
	cr_expect(eq(uint, s->pad[0], 0));
	cr_expect(eq(u64, s->count, 1));
	expect_sum(&r);
	rig_close(&r);
}

Test(walk, a_slot_in_use_is_a_counted_loss)
{
	struct rig r;

	rig_open(&r, 127);
	build(&r, 0, 48, 12);
	poison(&r, 1);
	cr_expect(walk_at(&r, 0) == NULL);
	cr_expect(eq(u64, stat_of(&r, LEAT_STAT_L_BUSY), 1));
	expect_sum(&r);
	rig_close(&r);
}
