/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unwind tables of a recording, with a kernel side in plain memory (fake_engine.h): which binaries
 * get one and when, what goes for want of memory, and what does not work out.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/alloc.h"
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

TestSuite(tables, .init = init, .fini = fini, .timeout = 60);

/* ---- which binaries, and when ---- */

Test(tables, built_only_for_a_binary_that_was_sampled)
{
	const uint32_t a = leat_rig_map(&rig, 1000, leat_rig_file(&rig, "a", 1, 0), 0x10000000),
		       b = leat_rig_map(&rig, 1000, leat_rig_file(&rig, "b", 2, 0), 0x20000000);

	cr_expect(ne(u32, a, b));
	for (int i = 0; i < 5; i++)
		leat_rig_round(&rig);
	cr_expect(eq(uint, rig.engine->news, 0), "mapped, and never sampled");
	leat_rig_sampled(&rig, b);
	cr_assert(leat_rig_wait(&rig, b, LEAT_EXE_READY));
	cr_expect(eq(uint, rig.engine->news, 1));
	cr_expect(eq(u32, rig.engine->kernel.exes[a].state, LEAT_EXE_UNKNOWN));
	cr_expect(rig.engine->put[b]);
	cr_expect(not(rig.engine->put[a]));
	cr_expect(eq(u64, leat_rig_stats(&rig).tables, 1));
}

Test(tables, one_table_for_all_processes_by_build_id)
{
	const char *first = leat_rig_file(&rig, "first", 1, 0), *copy;
	const uint32_t a = leat_rig_map(&rig, 1000, first, 0x10000000);
	uint32_t b, c;

	/* Another file with the same build id is the same binary: in a container's layer, say. */
	copy = leat_rig_file(&rig, "copy", 1, 0);
	b = leat_rig_map(&rig, 1001, copy, 0x30000000);
	c = leat_rig_map(&rig, 1002, leat_rig_file(&rig, "other", 2, 0), 0x10000000);
	cr_expect(eq(u32, a, b));
	cr_expect(ne(u32, a, c));
	leat_rig_sampled(&rig, a);
	cr_assert(leat_rig_wait(&rig, a, LEAT_EXE_READY));
	cr_expect(eq(uint, rig.engine->news, 1));
}

Test(tables, without_a_build_id_by_inode)
{
	const char *file = leat_rig_file(&rig, "a", 0, 0);
	const uint32_t a = leat_rig_map(&rig, 1000, file, 0x10000000);

	cr_expect(eq(u32, leat_rig_map(&rig, 1001, file, 0x50000000), a));
	cr_expect(ne(u32, leat_rig_map(&rig, 1001, leat_rig_file(&rig, "b", 0, 0), 0x60000000), a));
	leat_rig_sampled(&rig, a);
	cr_assert(leat_rig_wait(&rig, a, LEAT_EXE_READY));
}

/* ---- in which order ---- */

static bool is_built(uint32_t no)
{
	return rig.tables->binaries[no].state == LEAT_BINARY_BUILT ||
	       rig.tables->binaries[no].state == LEAT_BINARY_READY;
}

Test(tables, small_files_come_first)
{
	static const char *const names[] = { "a", "b", "c", "small" };
	uint32_t no[4];

	for (uint8_t i = 0; i < 4; i++)
		no[i] = leat_rig_map(
			&rig, 1000,
			leat_rig_file(&rig, names[i], i + 1u, i < 3 ? LEAT_RIG_LARGE : 0),
			0x10000000 * (i + 1ull));
	for (uint8_t i = 0; i < 4; i++)
		leat_rig_sampled(&rig, no[i]);
	rig.engine->new_us = 20000;
	leat_rig_round(&rig);
	while (!is_built(no[3]))
		leat_rig_round(&rig);
	/* The thread may have begun with the first one before it saw the others. */
	cr_expect(not(is_built(no[1])));
	cr_expect(not(is_built(no[2])));
	cr_assert(leat_rig_wait_built(&rig, 4));
}

/* Where it takes long to build those that are wanted, those that are built do not wait for all. */
Test(tables, what_is_built_goes_into_the_kernel_before_long)
{
	uint32_t no[8];

	rig.engine->new_us = 20000;
	for (uint8_t i = 0; i < 8; i++) {
		char name[16];

		snprintf(name, sizeof(name), "bin%u", i);
		no[i] = leat_rig_map(&rig, 1000, leat_rig_file(&rig, name, i + 1u, 0),
				     0x10000000 * (i + 1ull));
		leat_rig_sampled(&rig, no[i]);
	}
	cr_assert(leat_rig_wait(&rig, no[0], LEAT_EXE_READY));
	cr_expect(lt(u64, leat_rig_stats(&rig).tables, 8));
	cr_expect(ge(u64, leat_rig_stats(&rig).tables, 2), "but some of them together");
	cr_assert(leat_rig_wait_built(&rig, 8));
}

/* ---- what does not work out ---- */

static enum leat_no_table why(uint32_t no)
{
	return leat_rig_why(&rig, no);
}

static uint32_t failing(const char *file)
{
	const uint32_t no = leat_rig_map(&rig, 1000, file, 0x10000000);

	leat_rig_sampled(&rig, no);
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_FAILED));
	return no;
}

Test(tables, a_file_that_was_not_to_be_found_is_tried_again)
{
	const char *file = leat_rig_file(&rig, "gone", 1, 0);
	uint32_t no;

	leat_rig_rename(&rig, "gone", "away");
	no = failing(file);
	cr_expect(eq(int, why(no), LEAT_NO_TABLE_GONE));
	cr_expect(eq(u64, leat_rig_stats(&rig).failed, 1));
	leat_rig_sampled(&rig, no);
	leat_rig_round(&rig);
	cr_expect(eq(u64, leat_rig_stats(&rig).retried, 0), "not at once");
	leat_rig_rename(&rig, "away", "gone");
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_UNKNOWN), "after a while it may be asked for");
	cr_expect(eq(u64, leat_rig_stats(&rig).failed, 0));
	leat_rig_sampled(&rig, no);
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_READY));
	cr_expect(eq(int, why(no), LEAT_NO_TABLE_NONE));
}

Test(tables, it_is_given_up_in_the_end)
{
	const char *file = leat_rig_file(&rig, "gone", 1, 0);
	uint64_t begin = leat_rig_ns(), gap = 0;
	uint32_t no;

	leat_rig_rename(&rig, "gone", "away");
	no = failing(file);
	/* Each wait is twice the last one. The first ones are seen; all would be 13 s. */
	for (int i = 0; i < 4; i++) {
		uint64_t took;

		cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_UNKNOWN));
		took = leat_rig_ns() - begin;
		begin = leat_rig_ns();
		cr_expect(gt(u64, took, gap), "try %d", i);
		gap = took;
		leat_rig_sampled(&rig, no);
		cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_FAILED));
	}
	cr_expect(eq(u64, leat_rig_stats(&rig).retried, 4));
	cr_expect(eq(u64, leat_rig_stats(&rig).failed, 1),
		  "one binary, however often it was tried");
}

Test(tables, another_file_in_its_place)
{
	const char *file = leat_rig_file(&rig, "a", 1, 0);
	const uint32_t no = leat_rig_map(&rig, 1000, file, 0x10000000);

	/* Written anew in place, so that the descriptor that is held shows another binary. */
	leat_rig_overwrite(&rig, "a", 2);
	leat_rig_sampled(&rig, no);
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_FAILED));
	cr_expect(eq(int, why(no), LEAT_NO_TABLE_CHANGED));
	cr_expect(eq(uint, rig.engine->news, 0), "no table of the other one");
	leat_rig_overwrite(&rig, "a", 1);
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_UNKNOWN));
	leat_rig_sampled(&rig, no);
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_READY));
}

struct toucher {
	const char *path;
	unsigned int cnt; /* changes that were made */
	bool end;
};

static void *touch(void *arg)
{
	struct toucher *t = arg;
	int fd = open(t->path, O_WRONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return NULL;
	for (off_t i = 0; !__atomic_load_n(&t->end, __ATOMIC_ACQUIRE); i++) {
		if (ftruncate(fd, st.st_size + i % 1000))
			break;
		__atomic_fetch_add(&t->cnt, 1, __ATOMIC_RELAXED);
	}
	close(fd);
	return NULL;
}

/* How it ended for a binary that was written to meanwhile; its number. */
static enum leat_no_table changing(uint8_t id, uint32_t *no)
{
	struct toucher t = { .end = false };
	pthread_t thread;
	char name[16];

	snprintf(name, sizeof(name), "large%u", id);
	t.path = leat_rig_file(&rig, name, id, LEAT_RIG_LARGE);
	*no = leat_rig_map(&rig, 1000u + id, t.path, 0x10000000);
	cr_assert(zero(int, pthread_create(&thread, NULL, touch, &t)));
	while (__atomic_load_n(&t.cnt, __ATOMIC_RELAXED) < 10)
		usleep(100);
	leat_rig_sampled(&rig, *no);
	cr_assert(leat_rig_wait_settled(&rig, *no));
	__atomic_store_n(&t.end, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	return why(*no);
}

Test(tables, a_file_that_changes_while_it_is_read)
{
	enum leat_no_table how = LEAT_NO_TABLE_NONE;
	uint32_t no = 0;

	/* One might be read between two changes. */
	for (uint8_t i = 1; i <= 8 && how == LEAT_NO_TABLE_NONE; i++)
		how = changing(i, &no);
	cr_expect(eq(int, how, LEAT_NO_TABLE_CHANGED));
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_UNKNOWN), "it has come to rest since");
	leat_rig_sampled(&rig, no);
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_READY));
}

Test(tables, causes_are_told_apart)
{
	static const struct {
		const char *name;
		unsigned int how;
		enum leat_no_table why;
	} rows[] = {
		{ "whole", 0, LEAT_NO_TABLE_NONE },
		{ "none", LEAT_RIG_NO_CFI, LEAT_NO_TABLE_NOTHING },
		{ "none, framed", LEAT_RIG_NO_CFI | LEAT_RIG_FRAMED, LEAT_NO_TABLE_FRAMES },
		{ "partly", LEAT_RIG_BAD_END, LEAT_NO_TABLE_PARTLY },
		{ "malformed", LEAT_RIG_BAD_CFI, LEAT_NO_TABLE_MALFORMED },
		{ "malformed, framed", LEAT_RIG_BAD_CFI | LEAT_RIG_FRAMED,
		  LEAT_NO_TABLE_MALFORMED },
		{ "other machine", LEAT_RIG_ARM, LEAT_NO_TABLE_MACHINE },
		{ "no ELF", LEAT_RIG_NO_ELF, LEAT_NO_TABLE_FRAMES },
		{ "cut", LEAT_RIG_CUT, LEAT_NO_TABLE_MALFORMED },
	};

	for (uint8_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		/* What is no ELF file has no build id to be known by. */
		const uint8_t id = rows[i].how & (LEAT_RIG_NO_ELF | LEAT_RIG_CUT) ? 0 : i + 1u;
		const char *file = leat_rig_file(&rig, rows[i].name, id, rows[i].how);
		const uint32_t no = leat_rig_map(&rig, 1000u + i, file, 0x10000000);
		enum leat_exe_state want = LEAT_EXE_FAILED;

		if (rows[i].why == LEAT_NO_TABLE_NONE || rows[i].why == LEAT_NO_TABLE_PARTLY)
			want = LEAT_EXE_READY;
		else if (rows[i].how & (LEAT_RIG_FRAMED | LEAT_RIG_NO_ELF))
			want = LEAT_EXE_FRAME;
		leat_rig_sampled(&rig, no);
		cr_assert(leat_rig_wait(&rig, no, want), "%s: state %u", rows[i].name,
			  rig.engine->kernel.exes[no].state);
		cr_expect(eq(int, why(no), rows[i].why), "%s", rows[i].name);
	}
}

#define AT (LEAT_RIG_TEXT + 0x900) /* of functions that are described badly */

static void past_the_end(struct leat_cb *c)
{
	static const uint8_t long_one[] = { 0xf0, 0xff, 0xff, 0x0f, 0, 0, 0, 0, 1, 2, 3, 4 };

	leat_buf_add(&c->b, long_one, sizeof(long_one));
}

static void uleb_bomb(struct leat_cb *c)
{
	uint8_t cie[260] = { 1, 'z', 'R', 0 };

	memset(cie + 4, 0x80, sizeof(cie) - 4); /* the code alignment goes on and on */
	leat_cb_cie_raw(c, cie, sizeof(cie));
	leat_cb_fde(c, AT, 16, NULL, 0);
}

static void uleb_in_a_rule(struct leat_cb *c)
{
	uint8_t ins[200] = { 0x0e };

	memset(ins + 1, 0xff, sizeof(ins) - 1);
	leat_cb_fde(c, AT, 16, ins, sizeof(ins));
}

static void its_own_cie(struct leat_cb *c)
{
	const uint64_t words[] = { AT, 16, 0 };

	leat_cb_entry(c, 4, words, sizeof(words));
}

static void overlapping(struct leat_cb *c)
{
	for (uint64_t i = 0; i < 64; i++)
		leat_cb_fde(c, AT + i, 128 - i, NULL, 0);
}

static void same_again(struct leat_cb *c)
{
	for (uint32_t i = 0; i < 300000; i++)
		leat_cb_fde(c, AT, 64, NULL, 0);
}

/* What can be understood holds, what cannot has no rules, and the binary is named for it. */
Test(tables, hostile_information_is_an_error_of_that_binary)
{
	static const struct {
		const char *name;
		void (*cfi)(struct leat_cb *c);
		enum leat_no_table why;
	} rows[] = {
		{ "past the end", past_the_end, LEAT_NO_TABLE_PARTLY },
		{ "ULEB bomb", uleb_bomb, LEAT_NO_TABLE_PARTLY },
		{ "ULEB in a rule", uleb_in_a_rule, LEAT_NO_TABLE_PARTLY },
		{ "its own CIE", its_own_cie, LEAT_NO_TABLE_PARTLY },
		{ "overlapping", overlapping, LEAT_NO_TABLE_NONE },
		{ "the same again", same_again, LEAT_NO_TABLE_NONE },
	};

	for (uint8_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		const size_t before = rig.sample_cnt;
		uint32_t no;

		rig.more_cfi = rows[i].cfi;
		no = leat_rig_map(&rig, 1000u + i, leat_rig_file(&rig, rows[i].name, i + 1u, 0),
				  0x10000000);
		leat_rig_dispatch_raw(&rig, 1000u + i, 0x10000100, 4);
		cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_READY), "%s", rows[i].name);
		leat_rig_round(&rig);
		cr_expect(eq(int, why(no), rows[i].why), "%s", rows[i].name);
		cr_expect(eq(sz, rig.sample_cnt, before + 1), "%s", rows[i].name);
		cr_expect(eq(uint, rig.last.uresult, LEAT_STACK_COMPLETE), "%s", rows[i].name);
		cr_expect(eq(uint, rig.last.uframe_cnt, 5), "%s", rows[i].name);
		if (rows[i].why == LEAT_NO_TABLE_NONE)
			continue;
		leat_rig_dispatch_raw(&rig, 1000u + i, 0x10000908, 4);
		leat_rig_round(&rig);
		cr_expect(eq(uint, rig.last.uresult, LEAT_STACK_NO_UNWIND), "%s", rows[i].name);
		cr_expect(eq(uint, rig.last.uframe_cnt, 1), "%s", rows[i].name);
	}
}

Test(tables, no_memory_in_the_kernel)
{
	uint32_t no;

	rig.engine->new_err = -ENOMEM;
	no = failing(leat_rig_file(&rig, "a", 1, 0));
	cr_expect(eq(int, why(no), LEAT_NO_TABLE_RESOURCES));
	rig.engine->new_err = 0;
	rig.engine->put_err = -E2BIG;
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_UNKNOWN));
	leat_rig_sampled(&rig, no);
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_FAILED));
	cr_expect(eq(u64, leat_rig_stats(&rig).bytes, 0));
	rig.engine->put_err = 0;
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_UNKNOWN));
	leat_rig_sampled(&rig, no);
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_READY));
}

/* They go into the kernel together. */
Test(tables, one_that_does_not_go_into_the_kernel_keeps_none_of_the_others_away)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	uint32_t no[4];

	rig.engine->put_err = -ENOMEM;
	for (uint8_t i = 0; i < 4; i++)
		no[i] = leat_rig_map(&rig, 1000, leat_rig_file(&rig, names[i], i + 1u, 0),
				     0x10000000 * (i + 1ull));
	rig.engine->put_err_exe = no[1];
	for (uint8_t i = 0; i < 4; i++)
		leat_rig_sampled(&rig, no[i]);
	for (uint8_t i = 0; i < 4; i++)
		cr_assert(leat_rig_wait_settled(&rig, no[i]));
	cr_expect(eq(uint, rig.engine->puts, 3));
	for (uint8_t i = 0; i < 4; i++)
		cr_expect(eq(u32, rig.engine->kernel.exes[no[i]].state,
			     i == 1 ? LEAT_EXE_FAILED : LEAT_EXE_READY),
			  "%u", i);
	cr_expect(eq(int, why(no[1]), LEAT_NO_TABLE_RESOURCES));
}

static bool no_threads;

/* In the place of the C library's. */
int pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	return no_threads ? EAGAIN : real(t, attr, fn, arg);
}

Test(tables, a_thread_that_does_not_start)
{
	const struct leat_tables_opts o = { .engine = NULL, .files = rig.files };
	struct leat_tables *t = NULL;

	no_threads = true;
	cr_expect(eq(int, leat_tables_new(&t, &o), -EAGAIN));
	cr_expect(t == NULL);
	no_threads = false;
}

Test(tables, failing_allocations)
{
	const char *file = leat_rig_file(&rig, "a", 1, 0);
	const struct leat_tables_opts o = { .engine = NULL, .files = rig.files };

	LEAT_ALLOC_EACH_FAILS {
		struct leat_tables *t = NULL;
		int err = leat_tables_new(&t, &o);

		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		cr_expect(eq(int, !err, t != NULL));
		leat_tables_free(&t);
	}
	LEAT_ALLOC_EACH_FAILS {
		const uint32_t tgid = 4100000;
		int err;

		/* A callback that fails is counted by the bus; what was known stays. */
		leat_rig_dispatch_map(&rig, tgid, file, 0x10000000, 0);
		leat_rig_dispatch_raw(&rig, tgid, 0x10000100, 4);
		err = leat_tables_round(rig.tables);
		leat_alloc_disarm();
		cr_assert(zero(int, err), "it makes do with less");
		leat_rig_exit(&rig, tgid);
	}
}

/* ---- samples that wait ---- */

Test(tables, a_sample_waits_for_its_table)
{
	const uint32_t no = leat_rig_map(&rig, 1000, leat_rig_file(&rig, "a", 1, 0), 0x10000000);

	leat_rig_dispatch_raw(&rig, 1000, 0x10000100, 4);
	leat_rig_round(&rig);
	cr_expect(eq(sz, rig.sample_cnt, 0), "its table is not there");
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_READY), "it asks for it");
	leat_rig_round(&rig);
	cr_assert(eq(sz, rig.sample_cnt, 1));
	cr_expect(eq(uint, rig.last.uframe_cnt, 5));
	cr_expect(eq(uint, rig.last.uresult, LEAT_STACK_COMPLETE));
	cr_expect(eq(u64, leat_rig_stats(&rig).unwound, 1));
}

Test(tables, a_sample_of_a_failed_binary_says_so)
{
	const uint32_t no =
		leat_rig_map(&rig, 1000, leat_rig_file(&rig, "a", 1, LEAT_RIG_NO_CFI), 0x10000000);

	leat_rig_dispatch_raw(&rig, 1000, 0x10000100, 4);
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_FAILED));
	leat_rig_round(&rig);
	cr_assert(eq(sz, rig.sample_cnt, 1));
	cr_expect(eq(uint, rig.last.uframe_cnt, 1));
	cr_expect(eq(uint, rig.last.uresult, LEAT_STACK_NO_UNWIND));
}

Test(tables, samples_of_nobody_and_of_no_code)
{
	leat_rig_dispatch_raw(&rig, 3000, 0x10000100, 4);
	leat_rig_map(&rig, 1000, leat_rig_file(&rig, "a", 1, 0), 0x10000000);
	leat_rig_dispatch_raw(&rig, 1000, 0x999000, 4);
	leat_rig_round(&rig);
	cr_assert(eq(sz, rig.sample_cnt, 2));
	cr_expect(eq(uint, rig.last.uframe_cnt, 1));
	cr_expect(eq(uint, rig.last.uresult, LEAT_STACK_NO_UNWIND));
}

Test(tables, no_more_samples_wait_than_there_is_room_for)
{
	leat_rig_map(&rig, 1000, leat_rig_file(&rig, "a", 1, LEAT_RIG_LARGE), 0x10000000);
	for (int i = 0; i < 5000; i++)
		leat_rig_dispatch_raw(&rig, 1000, 0x10000100, 4);
	cr_expect(eq(u64, leat_rig_stats(&rig).raw_lost, 5000 - 4096));
	cr_assert(zero(int, leat_tables_finish(rig.tables)));
	cr_expect(eq(sz, rig.sample_cnt, 4096), "all others came");
}

Test(tables, the_end_waits_for_tables)
{
	leat_rig_map(&rig, 1000, leat_rig_file(&rig, "a", 1, LEAT_RIG_LARGE), 0x10000000);
	leat_rig_dispatch_raw(&rig, 1000, 0x10000100, 4);
	cr_assert(zero(int, leat_tables_finish(rig.tables)));
	cr_assert(eq(sz, rig.sample_cnt, 1));
	cr_expect(eq(uint, rig.last.uresult, LEAT_STACK_COMPLETE));
}

Test(tables, a_process_that_dies_while_its_table_is_built)
{
	for (uint32_t i = 0; i < 50; i++) {
		const uint32_t tgid = 4000000 + i;
		char name[16];

		snprintf(name, sizeof(name), "f%u", i % 10);
		leat_rig_map(&rig, tgid, leat_rig_file(&rig, name, (uint8_t)(i % 10 + 1), 0),
			     0x10000000);
		leat_rig_dispatch_raw(&rig, tgid, 0x10000100, 4);
		leat_rig_round(&rig);
		leat_rig_exit(&rig, tgid);
		if (i % 3 == 0)
			leat_rig_round(&rig);
	}
	cr_assert(zero(int, leat_tables_finish(rig.tables)));
	cr_expect(eq(sz, rig.sample_cnt, 50));
	for (uint32_t i = 0; i < 50; i++)
		cr_expect(leat_fake_engine_space(4000000 + i) == NULL, "the kernel side has none");
}

/* Two programs within a moment in one process: each sample by the mappings of its time. */
Test(tables, two_execs_in_a_row)
{
	const char *a = leat_rig_file(&rig, "a", 1, 0), *b = leat_rig_file(&rig, "b", 2, 0);
	const uint64_t begin = leat_rig_ns();

	leat_rig_exec(&rig, 1000, begin);
	leat_rig_dispatch_map(&rig, 1000, a, 0x10000000, begin + 10);
	leat_rig_exec(&rig, 1000, begin + 1000);
	leat_rig_dispatch_map(&rig, 1000, b, 0x20000000, begin + 1010);
	leat_rig_exec(&rig, 1000, begin + 2000);
	leat_rig_dispatch_map(&rig, 1000, a, 0x30000000, begin + 2010);
	leat_rig_dispatch_raw_at(&rig, 1000, 0x10000100, 4, begin + 500);
	leat_rig_dispatch_raw_at(&rig, 1000, 0x20000100, 3, begin + 1500);
	leat_rig_dispatch_raw_at(&rig, 1000, 0x30000100, 2, begin + 2500);
	/* Where another program had its code at that time, there was none. */
	leat_rig_dispatch_raw_at(&rig, 1000, 0x20000100, 4, begin + 2500);
	cr_assert(zero(int, leat_tables_finish(rig.tables)));
	cr_assert(eq(sz, rig.sample_cnt, 4));
	cr_expect(eq(sz, rig.complete_cnt, 3));
	cr_expect(eq(sz, rig.frame_cnt, 5 + 4 + 3 + 1));
}

Test(tables, mappings_that_do_not_fit_are_counted)
{
	const char *file = leat_rig_file(&rig, "a", 1, 0);
	const struct leat_space *s;

	/* The kernel side of the test has room for 1,024 mappings. */
	for (uint64_t i = 0; i < 2000; i++)
		leat_rig_dispatch_map(&rig, 1000, file, 0x10000000 + i * 0x100000, 0);
	for (int i = 0; i < 10; i++) {
		leat_rig_round(&rig);
		usleep(3000);
	}
	s = leat_fake_engine_space(1000);
	cr_expect(s == NULL, "none is better than a part that says that the rest is no code");
	cr_expect(ge(u64, leat_rig_stats(&rig).refused, 2000));
}
