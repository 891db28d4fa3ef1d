/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unwind tables of a recording that has too little memory for them, with a kernel side in plain
 * memory (fake_engine.h): which ones go, when they come again, and what becomes of the samples.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <unistd.h>

#include "../support/tables_rig.h"
#include "live/tables_impl.h"

static struct leat_rig rig;

static void init(void)
{
	leat_rig_init(&rig, 0, NULL);
}

static void fini(void)
{
	leat_rig_fini(&rig);
}

TestSuite(tables_memory, .init = init, .fini = fini, .timeout = 60);

static uint64_t bytes_of_one(unsigned int how)
{
	const uint32_t no =
		leat_rig_map(&rig, 1000, leat_rig_file(&rig, "size", 99, how), 0x10000000);
	uint64_t bytes;

	leat_rig_sampled(&rig, no);
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_READY));
	bytes = leat_rig_stats(&rig).bytes;
	cr_assert(gt(u64, bytes, 0));
	return bytes;
}

static uint32_t sampled_one(uint8_t id, uint32_t epoch)
{
	char name[16];
	uint32_t no;

	snprintf(name, sizeof(name), "bin%u", id);
	no = leat_rig_map(&rig, 1000u + id, leat_rig_file(&rig, name, id, 0), 0x10000000);
	leat_rig_sampled(&rig, no);
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_READY));
	rig.engine->kernel.exes[no].used_epoch = epoch;
	return no;
}

Test(tables_memory, the_least_recently_sampled_one_goes)
{
	const uint64_t one = bytes_of_one(0);
	uint32_t a, b, c, d;

	leat_rig_fini(&rig);
	leat_rig_init(&rig, 2 * one, NULL);
	a = sampled_one(1, 50);
	b = sampled_one(2, 30);
	cr_expect(eq(u64, leat_rig_stats(&rig).evicted, 0));
	c = sampled_one(3, 60);
	cr_assert(leat_rig_wait_gone(&rig, b), "b was sampled before a");
	cr_expect(rig.engine->put[a]);
	cr_expect(rig.engine->put[c]);
	cr_expect(eq(u32, rig.engine->kernel.exes[b].state, LEAT_EXE_UNKNOWN));
	cr_expect(eq(u64, leat_rig_stats(&rig).evicted, 1));
	rig.engine->kernel.exes[a].used_epoch = 70;
	d = sampled_one(4, 80);
	cr_assert(leat_rig_wait_gone(&rig, c), "a has been sampled since");
	cr_expect(rig.engine->put[a]);
	cr_expect(rig.engine->put[d]);
	cr_expect(le(u64, leat_rig_stats(&rig).bytes, 2 * one));
	/* What went comes again when it is sampled again. */
	leat_rig_sampled(&rig, b);
	cr_assert(leat_rig_wait(&rig, b, LEAT_EXE_READY));
	cr_assert(leat_rig_wait_gone(&rig, a));
	cr_expect(eq(u64, leat_rig_stats(&rig).evicted, 3));
}

/* More than the limit is wanted at once: all get their turn, and it ends. */
Test(tables_memory, more_than_the_limit_at_once)
{
	const uint64_t one = bytes_of_one(0);
	uint32_t no[8];

	leat_rig_fini(&rig);
	leat_rig_init(&rig, 2 * one, NULL);
	for (uint8_t i = 0; i < 8; i++) {
		char name[16];

		snprintf(name, sizeof(name), "bin%u", i);
		no[i] = leat_rig_map(&rig, 1000u + i, leat_rig_file(&rig, name, i + 1u, 0),
				     0x10000000);
		leat_rig_sampled(&rig, no[i]);
	}
	cr_assert(leat_rig_wait_built(&rig, 8));
	cr_assert(leat_rig_wait_bytes(&rig, 2 * one), "%llu bytes",
		  (unsigned long long)leat_rig_stats(&rig).bytes);
	cr_expect(ge(u64, leat_rig_stats(&rig).evicted, 6));
}

/* ---- too little for what is sampled ---- */

/* Two binaries of which one has room, both of them sampled in one process. */
static void begin_thrashing(uint32_t no[2])
{
	const uint64_t one = bytes_of_one(LEAT_RIG_LARGE);

	leat_rig_fini(&rig);
	leat_rig_init(&rig, one, NULL);
	no[0] = leat_rig_map(&rig, 1000, leat_rig_file(&rig, "a", 1, LEAT_RIG_LARGE), 0x10000000);
	no[1] = leat_rig_map(&rig, 1000, leat_rig_file(&rig, "b", 2, LEAT_RIG_LARGE), 0x20000000);
}

static void come_to_be_ready(uint32_t no)
{
	leat_rig_sampled(&rig, no);
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_READY));
}

static enum leat_no_table missing(uint32_t *cnt)
{
	struct leat_tables_missing m = { 0 };
	uint32_t at = 0;

	for (*cnt = 0; leat_tables_missing(rig.tables, &at, &m);)
		++*cnt;
	return m.why;
}

/* The first one has come again, and the second one has gone for it. */
static void begin_waiting(uint32_t no[2])
{
	begin_thrashing(no);
	come_to_be_ready(no[0]);
	come_to_be_ready(no[1]);
	cr_assert(leat_rig_wait_gone(&rig, no[0]));
	come_to_be_ready(no[0]);
	cr_expect(eq(u64, leat_rig_stats(&rig).again, 1));
	cr_assert(leat_rig_wait_gone(&rig, no[1]));
}

Test(tables_memory, what_went_comes_again_at_once_and_then_has_to_wait)
{
	const uint64_t begin = leat_rig_ns();
	uint32_t no[2], cnt;

	begin_waiting(no);
	cr_expect(eq(int, missing(&cnt), LEAT_NO_TABLE_NONE));
	leat_rig_dispatch_raw(&rig, 1000, 0x20000100, 4);
	leat_rig_round(&rig);
	cr_expect(eq(sz, rig.sample_cnt, 0), "its sample waits with it");
	cr_expect(eq(int, missing(&cnt), LEAT_NO_TABLE_MEMORY));
	cr_expect(eq(u32, cnt, 1));
	cr_assert(leat_rig_wait(&rig, no[1], LEAT_EXE_READY), "its turn comes");
	cr_expect(ge(u64, leat_rig_ns() - begin, 32 * leat_rig_stats(&rig).again_cpu_ns / 4));
	leat_rig_round(&rig);
	cr_assert(eq(sz, rig.sample_cnt, 1));
	cr_expect(eq(int, missing(&cnt), LEAT_NO_TABLE_MEMORY), "it had none for a while");
	cr_expect(eq(u64, leat_rig_stats(&rig).tables, 4));
	cr_expect(eq(u64, leat_rig_stats(&rig).need_bytes, 2 * leat_rig_stats(&rig).bytes));
}

/* It needs both, and they never are there at once: it goes on from where it came to. */
Test(tables_memory, a_stack_over_more_than_there_is_room_for)
{
	static const uint64_t pages[] = { 0x10000000, 0x20000000, 0x20000000, 0x10000000 };
	const uint64_t begin = leat_rig_ns();
	uint32_t no[2];

	begin_waiting(no);
	rig.tables->again_ns = 0;
	leat_rig_dispatch_raw_over(&rig, 1000, 0x10000100, pages, LEAT_ARRAY_SIZE(pages));
	while (!rig.sample_cnt && leat_rig_ns() - begin < 20000000000u) {
		leat_rig_round(&rig);
		rig.tables->again_ns = 0; /* however long it takes to build one */
		usleep(500);
	}
	cr_assert(eq(sz, rig.sample_cnt, 1));
	cr_expect(eq(uint, rig.last.uresult, LEAT_STACK_COMPLETE));
	cr_expect(eq(uint, rig.last.uframe_cnt, 5));
	cr_expect(ge(u64, leat_rig_stats(&rig).again, 3));
}

/* What is known of its mappings is of another time: it begins anew. */
Test(tables_memory, a_walk_begins_anew_when_the_mappings_change)
{
	static const uint64_t pages[] = { 0x20000000, 0x20000000 };
	const uint64_t begin = leat_rig_ns();
	const char *none;
	uint32_t no[2];

	begin_waiting(no);
	leat_rig_dispatch_raw_over(&rig, 1000, 0x10000100, pages, LEAT_ARRAY_SIZE(pages));
	leat_rig_round(&rig);
	cr_assert(eq(sz, rig.sample_cnt, 0));
	cr_assert(eq(sz, rig.tables->waiting[0].frame_cnt, 2));
	/* The first frame lies in code of which nothing is known. */
	none = leat_rig_file(&rig, "none", 4, LEAT_RIG_NO_CFI);
	leat_rig_dispatch_map(&rig, 1000, none, 0x10000000, 0);
	while (!rig.sample_cnt && leat_rig_ns() - begin < 20000000000u) {
		leat_rig_round(&rig);
		rig.tables->again_ns = 0;
		usleep(500);
	}
	cr_assert(eq(sz, rig.sample_cnt, 1));
	cr_expect(eq(uint, rig.last.uresult, LEAT_STACK_NO_UNWIND));
	cr_expect(eq(uint, rig.last.uframe_cnt, 1));
}

Test(tables_memory, a_sample_does_not_wait_for_long)
{
	uint64_t begin;
	uint32_t no[2];

	begin_waiting(no);
	rig.tables->again_ns = UINT64_MAX;
	begin = leat_rig_ns();
	leat_rig_dispatch_raw(&rig, 1000, 0x20000100, 4);
	while (!rig.sample_cnt && leat_rig_ns() - begin < 5000000000u) {
		leat_rig_round(&rig);
		usleep(1000);
	}
	cr_assert(eq(sz, rig.sample_cnt, 1));
	cr_expect(ge(u64, leat_rig_ns() - begin, LEAT_TABLES_WAIT_NS));
	cr_expect(eq(uint, rig.last.uresult, LEAT_STACK_NO_TABLE));
	cr_expect(eq(uint, rig.last.uframe_cnt, 1));
}

Test(tables_memory, samples_that_wait_for_memory_leave_room_to_others)
{
	uint32_t no[2];

	begin_waiting(no);
	rig.tables->again_ns = UINT64_MAX;
	for (size_t i = 0; i < LEAT_TABLES_RAW_MAX; i++)
		leat_rig_dispatch_raw(&rig, 1000, 0x20000100, 4);
	leat_rig_round(&rig);
	cr_expect(eq(sz, rig.tables->waiting_cnt, LEAT_TABLES_RAW_MAX / 2));
	cr_expect(eq(sz, rig.sample_cnt + rig.tables->waiting_cnt, LEAT_TABLES_RAW_MAX));
	cr_expect(zero(u64, leat_rig_stats(&rig).raw_lost));
}

Test(tables_memory, tables_that_come_and_go_take_little_of_a_cpu)
{
	uint64_t begin, sent = 0, took = 0;
	struct leat_tables_stats s = { 0 };
	uint32_t no[2];

	begin_thrashing(no);
	begin = leat_rig_ns();
	/* Until it has come to rest; a host that is slow at building has to rest for long. */
	for (uint32_t i = 0; took < 2000000000u || (s.again < 3 && took < 30000000000u); i++) {
		for (int k = 0; k < 2; k++) {
			leat_rig_sampled(&rig, no[k]);
			rig.engine->kernel.exes[no[k]].used_epoch = i;
			if (rig.engine->kernel.exes[no[k]].state == LEAT_EXE_READY)
				continue;
			leat_rig_dispatch_raw(&rig, 1000, k ? 0x20000100 : 0x10000100, 4);
			sent++;
		}
		leat_rig_round(&rig);
		usleep(1000);
		took = leat_rig_ns() - begin;
		s = leat_rig_stats(&rig);
	}
	cr_assert(ge(u64, s.again, 2), "and they do come");
	/* The first one comes at once, and one may be under way. */
	cr_expect(le(u64, s.again_cpu_ns, took / 32 + 3 * s.again_cpu_ns / s.again), "%llu times",
		  (unsigned long long)s.again);
	cr_assert(zero(int, leat_tables_finish(rig.tables)));
	cr_expect(eq(u64, rig.sample_cnt, sent), "all samples are there");
	cr_expect(zero(u64, leat_rig_stats(&rig).raw_lost));
}

/* Those that more samples have come to are built first. */
Test(tables_memory, the_one_that_is_sampled_most_has_the_next_turn)
{
	uint32_t no[2], c;

	begin_thrashing(no);
	c = leat_rig_map(&rig, 1000, leat_rig_file(&rig, "c", 3, LEAT_RIG_LARGE), 0x30000000);
	come_to_be_ready(no[0]);
	come_to_be_ready(no[1]);
	come_to_be_ready(c);
	cr_assert(leat_rig_wait_gone(&rig, no[1]));
	come_to_be_ready(no[0]);
	cr_assert(leat_rig_wait_gone(&rig, c));
	for (int i = 0; i < 10; i++)
		leat_rig_dispatch_raw(&rig, 1000, i < 4 ? 0x20000100 : 0x30000100, 4);
	cr_assert(leat_rig_wait(&rig, c, LEAT_EXE_READY));
	cr_expect(not(rig.engine->put[no[1]]));
	cr_assert(leat_rig_wait(&rig, no[1], LEAT_EXE_READY), "then the other one");
}
