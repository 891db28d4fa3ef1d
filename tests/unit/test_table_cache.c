/* SPDX-License-Identifier: BSD-2-Clause */
/* Unwind tables that are kept in a directory: what is believed of it, and what is not. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/tables_rig.h"

static struct leat_rig rig;

static void init(void)
{
	leat_rig_init(&rig, 0, NULL);
}

static void fini(void)
{
	leat_rig_fini(&rig);
}

TestSuite(table_cache, .init = init, .fini = fini, .timeout = 60);

static struct leat_table_cache *cache_in(struct leat_tmpdir *d, uint64_t max_bytes)
{
	struct leat_table_cache *c = NULL;

	cr_assert(zero(int, leat_table_cache_open(&c, leat_tmpdir_path(d, "cache"), max_bytes)));
	return c;
}

/* One recording of a binary with the cache; what it did. */
static struct leat_tables_stats record(struct leat_table_cache *c)
{
	struct leat_tables_stats s;
	uint32_t no;

	leat_rig_fini(&rig);
	leat_rig_init(&rig, 0, c);
	no = leat_rig_map(&rig, 1000, leat_rig_file(&rig, "a", 1, 0), 0x10000000);
	leat_rig_dispatch_raw(&rig, 1000, 0x10000100, 4);
	cr_assert(leat_rig_wait(&rig, no, LEAT_EXE_READY));
	cr_assert(zero(int, leat_tables_finish(rig.tables)));
	cr_expect(eq(uint, rig.last.uframe_cnt, 5));
	cr_expect(eq(uint, rig.last.uresult, LEAT_STACK_COMPLETE));
	leat_tables_stats(rig.tables, &s);
	return s;
}

Test(table_cache, the_second_recording_builds_nothing)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	LEAT_AUTO(leat_table_cache_close) struct leat_table_cache *c = NULL;
	struct leat_tables_stats s;

	leat_tmpdir_init(&d);
	c = cache_in(&d, 0);
	s = record(c);
	cr_expect(eq(u64, s.tables, 1));
	cr_expect(eq(u64, s.cached, 0));
	s = record(c);
	cr_expect(eq(u64, s.tables, 0));
	cr_expect(eq(u64, s.cached, 1));
	cr_expect(eq(u64, s.cache_damaged, 0));
	leat_rig_fini(&rig);
	leat_rig_init(&rig, 0, NULL);
}

/* The file of the cache, of which a test knows that there is one. */
static const char *cached_file(struct leat_tmpdir *d)
{
	return leat_tmpdir_path(d, "cache/0101010101010101.unwind");
}

Test(table_cache, a_damaged_file_is_built_anew_and_counted)
{
	static const char *const ways[] = { "cut", "flip", "empty", "link", "writable" };
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	LEAT_AUTO(leat_table_cache_close) struct leat_table_cache *c = NULL;

	leat_tmpdir_init(&d);
	c = cache_in(&d, 0);
	(void)record(c);
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(ways); i++) {
		const char *path = cached_file(&d);
		struct leat_tables_stats s;
		struct stat st;
		int fd;

		cr_assert(zero(int, stat(path, &st)));
		cr_expect(eq(u32, st.st_mode & 0777, 0600));
		fd = open(path, O_WRONLY | O_CLOEXEC);
		cr_assert(ge(int, fd, 0));
		if (i == 0)
			cr_assert(zero(int, ftruncate(fd, st.st_size - 1)));
		else if (i == 1)
			cr_assert(eq(sz, (size_t)pwrite(fd, "\xff", 1, st.st_size - 20), 1));
		else if (i == 2)
			cr_assert(zero(int, ftruncate(fd, 0)));
		else if (i == 3)
			cr_assert(zero(int, unlink(path) || symlink("/etc/passwd", path)));
		else
			cr_assert(zero(int, fchmod(fd, 0666)));
		close(fd);
		s = record(c);
		cr_expect(eq(u64, s.tables, 1), "%s", ways[i]);
		cr_expect(eq(u64, s.cached, 0), "%s", ways[i]);
		cr_expect(eq(u64, s.cache_damaged, 1), "%s", ways[i]);
		s = record(c);
		cr_expect(eq(u64, s.cached, 1), "%s: and kept again", ways[i]);
	}
	leat_rig_fini(&rig);
	leat_rig_init(&rig, 0, NULL);
}

Test(table_cache, directories_that_are_refused)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	struct leat_table_cache *c = NULL;
	const char *dir;

	leat_tmpdir_init(&d);
	dir = leat_tmpdir_path(&d, "cache");
	cr_expect(eq(int, leat_table_cache_open(&c, leat_tmpdir_path(&d, "a/b"), 0), -ENOENT));
	cr_assert(zero(int, leat_table_cache_open(&c, dir, 0)));
	leat_table_cache_close(&c);
	cr_assert(zero(int, chmod(dir, 0770)));
	cr_expect(eq(int, leat_table_cache_open(&c, dir, 0), -EACCES));
	cr_assert(zero(int, chmod(dir, 0700)));
	if (!geteuid()) {
		cr_assert(zero(int, chown(dir, 12345, 12345)));
		cr_expect(eq(int, leat_table_cache_open(&c, dir, 0), -EPERM));
	}
	cr_expect(eq(int, leat_table_cache_open(&c, leat_tmpdir_write(&d, "file", "x", 1), 0),
		     -ENOTDIR));
	cr_expect(c == NULL);
}

/* A table of its own for each key, of about 100 KB. */
static int save(struct leat_table_cache *c, uint8_t id)
{
	static union leat_unwind_block blocks[1600];
	const struct leat_unwind_table t = { .blocks = blocks,
					     .block_cnt = LEAT_ARRAY_SIZE(blocks),
					     .page_cnt = 1 };
	const struct leat_store_key key = { { id }, 1, 1 };
	LEAT_AUTO(leat_unwind_rules_free) struct leat_unwind_rules *rules = NULL;

	cr_assert(zero(int, leat_unwind_rules_new(&rules)));
	return leat_table_cache_save(c, &key, &t, rules);
}

static bool is_kept(struct leat_tmpdir *d, uint8_t id)
{
	char name[32];

	snprintf(name, sizeof(name), "cache/%02x.unwind", id);
	return !access(leat_tmpdir_path(d, name), F_OK);
}

Test(table_cache, the_cache_has_a_bound)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	LEAT_AUTO(leat_table_cache_close) struct leat_table_cache *c = NULL;
	static const struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	const char *left;

	leat_tmpdir_init(&d);
	c = cache_in(&d, 350000);
	for (uint8_t i = 1; i <= 3; i++)
		cr_assert(zero(int, save(c, i)));
	cr_assert(zero(int, utimensat(AT_FDCWD, leat_tmpdir_path(&d, "cache/02.unwind"), old, 0)));
	left = leat_tmpdir_write(&d, "cache/.new-1-1", "x", 1);
	cr_assert(zero(int, utimensat(AT_FDCWD, left, old, 0)));
	cr_assert(zero(int, save(c, 4)));
	cr_expect(is_kept(&d, 1));
	cr_expect(not(is_kept(&d, 2)), "it was not used for the longest time");
	cr_expect(is_kept(&d, 3));
	cr_expect(is_kept(&d, 4));
	cr_expect(ne(int, access(leat_tmpdir_path(&d, "cache/.new-1-1"), F_OK), 0),
		  "what was left half-written has gone");
	leat_table_cache_close(&c);
	c = cache_in(&d, 1000);
	cr_expect(eq(int, save(c, 5), -ENOSPC), "larger than the cache");
	cr_expect(is_kept(&d, 1));
}
