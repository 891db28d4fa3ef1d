/* SPDX-License-Identifier: BSD-2-Clause */
#include "profile/verdict.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* 1,000 samples, all well. */
static struct leat_verdict good(void)
{
	struct leat_verdict v = { .taken = 1000, .frames = 10000 };

	v.kernel[LEAT_STAT_SEEN] = v.kernel[LEAT_STAT_COUNTED] = 1000;
	v.stacks[LEAT_STACK_COMPLETE] = 900;
	v.stacks[LEAT_STACK_NONE] = 100;
	return v;
}

static char *text_of(void (*fn)(const struct leat_verdict *, struct leat_buf *),
		     const struct leat_verdict *v)
{
	static struct leat_buf b;

	if (!b.max)
		leat_buf_init(&b, 1 << 16);
	leat_buf_reset(&b);
	fn(v, &b);
	cr_assert(eq(int, b.err, 0));
	return b.data;
}

Test(verdict, thresholds_of_loss)
{
	static const struct {
		uint64_t taken, lost;
		enum leat_trust want;
	} rows[] = {
		{ 980, 20, LEAT_TRUST_YES },   { 979, 21, LEAT_TRUST_CARE },
		{ 800, 200, LEAT_TRUST_CARE }, { 799, 201, LEAT_TRUST_NO },
		{ 100, 0, LEAT_TRUST_YES },    { 99, 0, LEAT_TRUST_CARE },
		{ 20, 0, LEAT_TRUST_CARE },    { 19, 0, LEAT_TRUST_NO },
		{ 0, 0, LEAT_TRUST_NO },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		struct leat_verdict v = good();

		v.taken = rows[i].taken;
		v.kernel[LEAT_STAT_L_RING_FULL] = rows[i].lost / 2;
		v.lost_user = rows[i].lost - rows[i].lost / 2;
		cr_assert(eq(u64, leat_verdict_lost(&v), rows[i].lost));
		cr_assert(eq(int, leat_verdict_trust(&v), rows[i].want), "row %zu", i);
	}
}

Test(verdict, thresholds_of_stacks)
{
	static const struct {
		uint64_t complete, truncated, cut;
		enum leat_trust want;
	} rows[] = {
		{ 950, 0, 50, LEAT_TRUST_YES },	 { 900, 50, 50, LEAT_TRUST_YES },
		{ 949, 0, 51, LEAT_TRUST_CARE }, { 500, 0, 500, LEAT_TRUST_CARE },
		{ 499, 0, 501, LEAT_TRUST_NO },	 { 0, 0, 0, LEAT_TRUST_YES },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		struct leat_verdict v = good();

		v.stacks[LEAT_STACK_COMPLETE] = rows[i].complete;
		v.stacks[LEAT_STACK_TRUNCATED] = rows[i].truncated;
		v.stacks[LEAT_STACK_NO_UNWIND] = rows[i].cut;
		cr_assert(eq(int, leat_verdict_trust(&v), rows[i].want), "row %zu", i);
	}
}

Test(verdict, thresholds_of_names)
{
	static const struct {
		uint64_t unnamed;
		enum leat_trust want;
	} rows[] = {
		{ 500, LEAT_TRUST_YES },
		{ 501, LEAT_TRUST_CARE },
		{ 5000, LEAT_TRUST_CARE },
		{ 5001, LEAT_TRUST_NO },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		struct leat_verdict v = good();

		v.frames_unnamed[LEAT_UNNAMED_NONE] = 99; /* means named */
		v.frames_unnamed[LEAT_UNNAMED_JIT] = rows[i].unnamed / 2;
		v.frames_unnamed[LEAT_UNNAMED_STRIPPED] = rows[i].unnamed - rows[i].unnamed / 2;
		cr_assert(eq(int, leat_verdict_trust(&v), rows[i].want), "row %zu", i);
	}
}

Test(verdict, what_the_kernel_skipped_is_lost)
{
	struct leat_verdict v = good();

	v.kernel_skipped = 100;
	v.kernel[LEAT_STAT_L_BUSY] = 20;
	v.kernel[LEAT_STAT_L_STALLED] = 3;
	v.kernel[LEAT_STAT_F_IDLE] = 3000;
	v.kernel[LEAT_STAT_F_MODE] = 1000;
	v.lost_user = 2;
	cr_assert(eq(u64, leat_verdict_lost(&v), 125));
	cr_assert(gt(dbl, leat_verdict_lost_percent(&v), 11.1));
	cr_assert(lt(dbl, leat_verdict_lost_percent(&v), 11.2));
	cr_assert(eq(u64, leat_verdict_class(&v, LEAT_STAT_CLASS_FILTERED), 4000));
}

Test(verdict, the_first_line)
{
	struct leat_verdict v = good();

	v.taken = 6930;
	cr_assert(eq(str, text_of(leat_verdict_line, &v),
		     (char *)"trust: 6,930 samples, 0 lost, 100 % of user stacks complete, "
			     "100 % of frames named"));
	v.kernel[LEAT_STAT_L_BUSY] = 1;
	v.stacks[LEAT_STACK_TRUNCATED] = 1;
	v.frames_unnamed[LEAT_UNNAMED_JIT] = 180;
	cr_assert(eq(str, text_of(leat_verdict_line, &v),
		     (char *)"trust: 6,930 samples, 1 lost (under 0.1 %), 99.9 % of user stacks "
			     "complete, 98.2 % of frames named"));
	v.taken = 1;
	cr_assert(eq(str, text_of(leat_verdict_line, &v),
		     (char *)"do not trust: 1 sample, 1 lost (50.0 %), 99.9 % of user stacks "
			     "complete, 98.2 % of frames named"));
}

Test(verdict, the_text_says_only_what_there_is)
{
	struct leat_verdict v = good();

	cr_assert(
		eq(str, text_of(leat_verdict_text, &v),
		   (char *)"trust: 1,000 samples, 0 lost, 100 % of user stacks complete, 100 % of "
			   "frames named\n"));
	v.kernel[LEAT_STAT_L_RING_FULL] = 7;
	v.kernel_skipped = 1234567;
	v.stacks[LEAT_STACK_TRUNCATED] = 3;
	v.stacks[LEAT_STACK_BAD_CALL] = 2;
	v.kstack_truncated = 1;
	v.ret_checked = 500;
	v.ret_bad = 2;
	v.frames_unnamed[LEAT_UNNAMED_STRIPPED] = 12;
	v.objects_unreadable = 1;
	v.env_lost = 4;
	v.malformed = 5;
	v.kptr_restricted = 1;
	v.self_cpu_ns = 120000000;
	v.duration_ns = 10000000000;
	v.bpf_ns = 31000000;
	v.rss_bytes = 14200000;
	v.map_bytes = 4000000;
	cr_assert(
		eq(str, strchr(text_of(leat_verdict_text, &v), '\n') + 1,
		   (char *)"lost: 7 ring full or its lock busy, 1,234,567 skipped by the kernel, "
			   "which runs one tracing program at a time on a CPU\n"
			   "user stacks: 3 truncated, 2 cut: not a return address\n"
			   "kernel stacks: 1 truncated\n"
			   "return addresses: 500 checked, 2 without a call before them\n"
			   "frames without a name: 12 stripped\n"
			   "files: 1 could not be read\n"
			   "kernel symbols are hidden (kernel.kptr_restrict)\n"
			   "environment: 4 records of processes and mappings lost, 5 records "
			   "malformed\n"
			   "cost of leat: 0.12 s of CPU (1.2 % of one), 0.031 s in BPF, 14.2 MB of "
			   "memory, 4.0 MB in BPF maps\n"));
}

Test(verdict, how_much_memory_would_hold_all_unwind_tables)
{
	struct leat_verdict v = good();

	v.tables_built = 7;
	v.tables_need_bytes = 8 << 20;
	cr_expect(eq(str, strchr(text_of(leat_verdict_text, &v), '\n') + 1,
		     (char *)"unwind tables: 7 built\n"));
	v.tables_evicted = 3;
	cr_expect(eq(str, strchr(text_of(leat_verdict_text, &v), '\n') + 1,
		     (char *)"unwind tables: 7 built, 3 went for want of memory\n"
			     "unwind memory is full: --unwind-memory 8M would hold all tables\n"));
	v.tables_need_bytes++;
	v.no_table[LEAT_NO_TABLE_MEMORY] = 2;
	cr_expect(
		eq(str, strchr(text_of(leat_verdict_text, &v), '\n') + 1,
		   (char *)"unwind tables: 7 built, 3 went for want of memory\n"
			   "unwind memory is full: 2 binaries had to do without a table at times, "
			   "--unwind-memory 9M would hold all tables\n"
			   "binaries without a whole unwind table: 2 --unwind-memory full at "
			   "times\n"));
}

Test(verdict, what_was_cut_off_is_never_trusted_in_full)
{
	struct leat_verdict v = good();

	cr_assert(eq(int, leat_verdict_trust(&v), LEAT_TRUST_YES));
	v.cut_off = 1;
	v.duration_ns = 3250000000;
	v.cut_samples = 74;
	cr_expect(eq(int, leat_verdict_trust(&v), LEAT_TRUST_CARE));
	cr_expect(eq(u64, leat_verdict_lost(&v), 0));
	cr_expect(eq(str, text_of(leat_verdict_text, &v),
		     (char *)"with care: 1,000 samples, 0 lost, cut off after 3.2 s, 100 % of user "
			     "stacks complete, 100 % of frames named\n"
			     "cut off, and not in it: 74 samples that the kernel had counted\n"));
	v.cut_samples = 0;
	v.cut_bytes = 1234;
	cr_expect(eq(str, strchr(text_of(leat_verdict_text, &v), '\n') + 1,
		     (char *)"cut off, and not in it: 1,234 bytes of a chunk that is not whole\n"));
}

Test(verdict, why_wanted_is_unknown)
{
	struct leat_verdict v = { .taken = 1000 };

	for (uint64_t why = LEAT_UNKNOWN_NONE + 1; why < LEAT_UNKNOWN__MAX; why++) {
		v.wanted_unknown = why;
		cr_expect(
			ne(ptr, strstr(text_of(leat_verdict_text, &v), "\nwanted unknown: "), NULL),
			"reason %llu", (unsigned long long)why);
	}
	v.wanted_unknown = LEAT_UNKNOWN__MAX;
	cr_expect(eq(ptr, strstr(text_of(leat_verdict_text, &v), "unknown"), NULL));
}

Test(verdict, json_has_every_counter)
{
	struct leat_verdict v = { 0 };
	uint64_t *words = (uint64_t *)&v;
	char key[32];
	char *text;

	_Static_assert(sizeof(v) % sizeof(*words) == 0, "plain counters");
	for (size_t i = 0; i < sizeof(v) / sizeof(*words); i++)
		words[i] = 7000000 + i; /* each counter is found again by its value */
	text = text_of(leat_verdict_json, &v);
	for (size_t i = 0; i < sizeof(v) / sizeof(*words); i++) {
		/* Named frames are no counter of unnamed ones. */
		if (&words[i] == &v.frames_unnamed[LEAT_UNNAMED_NONE] ||
		    &words[i] == &v.no_table[LEAT_NO_TABLE_NONE])
			continue;
		snprintf(key, sizeof(key), ":%zu", 7000000 + i);
		cr_assert(ne(ptr, strstr(text, key), NULL), "word %zu", i);
	}
	cr_assert(eq(int, strncmp(text, "{\"trust\":\"", 10), 0));
	cr_assert(eq(chr, text[strlen(text) - 1], '}'));
	cr_assert(eq(ptr, strstr(text, ",}"), NULL));
}

Test(verdict, json_of_a_good_one)
{
	struct leat_verdict v = good();
	char *text = text_of(leat_verdict_json, &v);

	cr_assert(ne(ptr,
		     strstr(text, "\"trust\":\"trust\",\"lost\":0,\"lost_percent\":0.000,"
				  "\"complete_percent\":100.000"),
		     NULL));
	cr_assert(ne(ptr, strstr(text, "\"kernel\":{\"seen\":1000,\"f_idle\":0,"), NULL));
	cr_assert(ne(ptr, strstr(text, "\"stacks\":{\"none\":100,\"complete\":900,"), NULL));
}

Test(verdict, every_value_has_a_name)
{
#define CHECK(id, class_, help_)                                                                   \
	{                                                                                          \
		const char *name = leat_stat_name(LEAT_STAT_##id);                                 \
		for (size_t i = 0; i < sizeof(#id); i++)                                           \
			cr_assert(eq(int, name[i], tolower(#id[i])), #id);                         \
		cr_assert(eq(str, (char *)leat_stat_help(LEAT_STAT_##id), (char *)(help_)));       \
		cr_assert(eq(int, leat_stat_class_of(LEAT_STAT_##id), LEAT_STAT_CLASS_##class_));  \
	}
	LEAT_STATS(CHECK)
#undef CHECK
	for (int i = 0; i < LEAT_UNNAMED__MAX; i++) {
		cr_assert(ne(str, (char *)leat_unnamed_name(i), (char *)"unknown"));
		cr_assert(eq(ptr, strchr(leat_unnamed_key(i), ' '), NULL));
	}
	for (int i = 0; i < LEAT_NO_TABLE__MAX; i++) {
		cr_assert(ne(str, (char *)leat_no_table_name(i), (char *)"unknown"));
		cr_assert(eq(ptr, strchr(leat_no_table_key(i), ' '), NULL));
	}
	for (int i = 0; i < LEAT_STACK__MAX; i++) {
		cr_assert(ne(str, (char *)leat_stack_result_name(i), (char *)"unknown"));
		cr_assert(eq(ptr, strchr(leat_stack_result_key(i), ' '), NULL));
	}
	cr_assert(eq(str, (char *)leat_trust_name(LEAT_TRUST_YES), (char *)"trust"));
	cr_assert(eq(str, (char *)leat_trust_name(LEAT_TRUST_CARE), (char *)"with care"));
	cr_assert(eq(str, (char *)leat_trust_name(LEAT_TRUST_NO), (char *)"do not trust"));
}

Test(verdict, what_is_out_of_range_is_unknown)
{
	cr_assert(eq(str, (char *)leat_stat_name(999), (char *)"unknown"));
	cr_assert(eq(str, (char *)leat_stat_help(999), (char *)""));
	cr_assert(eq(int, leat_stat_class_of(999), LEAT_STAT_CLASS_NOTE));
	cr_assert(eq(str, (char *)leat_unnamed_name(999), (char *)"unknown"));
	cr_assert(eq(str, (char *)leat_unnamed_key(999), (char *)"unknown"));
	cr_assert(eq(str, (char *)leat_no_table_name(999), (char *)"unknown"));
	cr_assert(eq(str, (char *)leat_no_table_key(999), (char *)"unknown"));
	cr_assert(eq(str, (char *)leat_stack_result_name(999), (char *)"unknown"));
	cr_assert(eq(str, (char *)leat_stack_result_key(999), (char *)"unknown"));
	cr_assert(eq(str, (char *)leat_trust_name(999), (char *)"unknown"));
}

Test(verdict, numbers_have_commas)
{
	static const struct {
		uint64_t v;
		const char *want;
	} rows[] = {
		{ 0, "0" },
		{ 999, "999" },
		{ 1000, "1,000" },
		{ 123456, "123,456" },
		{ 1234567, "1,234,567" },
		{ UINT64_MAX, "18,446,744,073,709,551,615" },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		struct leat_buf b;

		leat_buf_init(&b, 64);
		leat_verdict_number(&b, rows[i].v);
		cr_assert(eq(str, b.data, (char *)rows[i].want));
		leat_buf_fini(&b);
	}
}
