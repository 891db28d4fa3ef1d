/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables as bytes of a file: there and back, and whatever else a file may hold. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../support/alloc.h"
#include "unwind/rows.h"
#include "unwind/store.h"
#include "unwind/unwind.h"

#define VADDR 0x401000ull
#define END   0x480000ull

static const struct leat_store_key key = {
	.build_id = { 1, 2, 3, 4, 5, 6, 7, 8 },
	.build_id_len = 8,
	.file_bytes = 12345,
};

/* What a test works on: a table, its dictionary, and its file. */
static struct leat_unwind_rules *rules;
static struct leat_unwind_table table;
static uint8_t *file;
static size_t file_len;

static struct leat_unwind_rule sp_rule(int off)
{
	return (struct leat_unwind_rule){ .cfa = LEAT_CFA_SP, .cfa_bx = off * 256 };
}

/* Pages with a few rows, with many, with none, and one that goes on with the rule before it. */
static void make_table(void)
{
	struct leat_rows r;

	cr_assert(zero(int, leat_unwind_rules_new(&rules)));
	cr_assert(zero(int, leat_rows_init(&r, VADDR, END)));
	for (uint32_t i = 0; i < 2000; i++)
		leat_rows_add(&r, VADDR + i * 7,
			      leat_unwind_rules_intern(rules, sp_rule(8 + (int)(i % 37) * 8)));
	leat_rows_add(&r, VADDR + 0x8000, LEAT_RULE_INVALID);
	leat_rows_add(&r, VADDR + 0x40000, LEAT_RULE_STOP);
	leat_rows_add(&r, VADDR + 0x40004, leat_unwind_rules_intern(rules, sp_rule(4000)));
	cr_assert(zero(int, leat_rows_done(&r, &table.blocks)));
	table.block_cnt = table.blocks[0].head.block_cnt;
	table.first_page = table.blocks[0].head.first_page;
	table.page_cnt = table.blocks[0].head.page_cnt;
	table.row_cnt = table.blocks[0].head.row_cnt;
	table.sources = LEAT_UNWIND_EH_FRAME;
	table.func_cnt = 3;
	table.bad_cnt = 2;
	table.err = -EOVERFLOW;
}

static void init(void)
{
	make_table();
	cr_assert(zero(int, leat_store_encode(&table, rules, &key, &file, &file_len)));
}

static void fini(void)
{
	leat_unwind_rules_free(&rules);
	free(table.blocks);
	free(file);
}

TestSuite(unwind_store, .init = init, .fini = fini);

/* Decodes into a dictionary of its own, in which all is well afterwards whatever the file holds. */
static int decode(const uint8_t *data, size_t len)
{
	LEAT_AUTO(leat_unwind_rules_free) struct leat_unwind_rules *own = NULL;
	LEAT_AUTO(leat_unwind_table_free) struct leat_unwind_table *t = NULL;
	int err;

	cr_assert(zero(int, leat_unwind_rules_new(&own)));
	err = leat_store_decode(&t, data, len, &key, own);
	cr_expect(eq(int, !err, t != NULL));
	if (err)
		cr_expect(eq(u32, leat_unwind_rules_cnt(own), LEAT_RULE__FIXED),
			  "a file that was refused leaves no rules");
	return err;
}

static void expect_equal(const struct leat_unwind_table *t, const struct leat_unwind_rules *own)
{
	for (uint64_t at = VADDR - 16; at < END + 16; at++) {
		const uint32_t a = leat_unwind_table_rule(&table, at),
			       b = leat_unwind_table_rule(t, at);

		cr_assert(zero(int, memcmp(&leat_unwind_rules_all(rules)[a],
					   &leat_unwind_rules_all(own)[b],
					   sizeof(struct leat_unwind_rule))),
			  "at %llx", (unsigned long long)at);
	}
}

Test(unwind_store, what_comes_back_is_what_was_written)
{
	LEAT_AUTO(leat_unwind_rules_free) struct leat_unwind_rules *own = NULL;
	LEAT_AUTO(leat_unwind_table_free) struct leat_unwind_table *t = NULL;

	cr_assert(zero(int, leat_unwind_rules_new(&own)));
	/* Another dictionary has other numbers for the same rules. */
	for (int i = 0; i < 100; i++)
		(void)leat_unwind_rules_intern(own, sp_rule(100000 + i * 8));
	cr_assert(zero(int, leat_store_decode(&t, file, file_len, &key, own)));
	expect_equal(t, own);
	cr_expect(eq(u32, t->block_cnt, table.block_cnt));
	cr_expect(eq(u32, t->row_cnt, table.row_cnt));
	cr_expect(eq(u32, t->sources, table.sources));
	cr_expect(eq(u64, t->func_cnt, 3));
	cr_expect(eq(u64, t->bad_cnt, 2));
	cr_expect(eq(int, t->err, -EOVERFLOW));
	cr_expect(eq(u32, leat_unwind_rules_cnt(own), LEAT_RULE__FIXED + 138));
}

Test(unwind_store, a_file_that_ends_early_at_any_byte)
{
	uint8_t *cut = malloc(file_len);

	cr_assert(cut != NULL);
	for (size_t n = 0; n < file_len; n++) {
		uint8_t *own =
			realloc(cut, n ? n : 1); /* so that a sanitizer sees a read behind it */

		cr_assert(own != NULL);
		cut = own;
		memcpy(cut, file, n);
		cr_assert(eq(int, decode(cut, n), -EBADMSG), "%zu bytes", n);
		if (n >= sizeof(struct leat_store_head)) {
			/* Though it says that this is all of it. */
			((struct leat_store_head *)cut)->bytes = n;
			leat_store_seal(cut, n);
			cr_assert(eq(int, decode(cut, n), -EBADMSG), "%zu bytes, sealed", n);
		}
		cut = realloc(cut, file_len);
		cr_assert(cut != NULL);
	}
	free(cut);
}

Test(unwind_store, a_file_that_goes_on)
{
	uint8_t *longer = calloc(1, file_len + 64);

	cr_assert(longer != NULL);
	memcpy(longer, file, file_len);
	cr_expect(eq(int, decode(longer, file_len + 64), -EBADMSG));
	((struct leat_store_head *)longer)->bytes = file_len + 64;
	leat_store_seal(longer, file_len + 64);
	cr_expect(eq(int, decode(longer, file_len + 64), -EBADMSG));
	free(longer);
}

Test(unwind_store, every_bit_counts)
{
	for (size_t i = 0; i < file_len * 8; i++) {
		int err;

		file[i / 8] ^= (uint8_t)(1u << (i % 8));
		err = decode(file, file_len);
		cr_assert(err == -EBADMSG || err == -ESTALE, "bit %zu: %d", i, err);
		file[i / 8] ^= (uint8_t)(1u << (i % 8));
	}
	cr_expect(zero(int, decode(file, file_len)));
}

/* Where the checksum is right all the same, a table comes that the step can walk, or none. */
Test(unwind_store, sealed_nonsense_is_refused_or_harmless)
{
	LEAT_AUTO(leat_unwind_rules_free) struct leat_unwind_rules *own = NULL;
	size_t taken = 0, refused = 0;

	cr_assert(zero(int, leat_unwind_rules_new(&own)));
	for (size_t i = sizeof(struct leat_store_head) * 8; i < file_len * 8; i += 5) {
		struct leat_unwind_table *t = NULL;

		file[i / 8] ^= (uint8_t)(1u << (i % 8));
		leat_store_seal(file, file_len);
		if (leat_store_decode(&t, file, file_len, &key, own)) {
			refused++;
		} else {
			taken++;
			for (uint64_t at = VADDR - 16; at < END; at += 4099)
				cr_assert(lt(u32, leat_unwind_table_rule(t, at),
					     leat_unwind_rules_cnt(own)));
			leat_unwind_table_free(&t);
		}
		file[i / 8] ^= (uint8_t)(1u << (i % 8));
	}
	cr_expect(gt(sz, taken, 0));
	cr_expect(gt(sz, refused, 0));
}

static struct leat_store_head *head(void)
{
	return (struct leat_store_head *)file;
}

static int sealed(void)
{
	leat_store_seal(file, file_len);
	return decode(file, file_len);
}

Test(unwind_store, of_another_binary_or_other_code)
{
	head()->build_id[3] ^= 1;
	cr_expect(eq(int, sealed(), -ESTALE), "another build id");
	head()->build_id[3] ^= 1;
	head()->build_id_len = 7;
	cr_expect(eq(int, sealed(), -ESTALE), "a shorter one");
	head()->build_id_len = 8;
	head()->file_bytes++;
	cr_expect(eq(int, sealed(), -ESTALE), "the stripped binary");
	head()->file_bytes--;
	head()->code++;
	cr_expect(eq(int, sealed(), -ESTALE), "other code");
	head()->code--;
	head()->version++;
	cr_expect(eq(int, sealed(), -ESTALE), "a newer version");
	head()->version--;
	cr_expect(zero(int, sealed()));
}

static union leat_unwind_block *block(uint32_t i)
{
	return (union leat_unwind_block *)(file + file_len -
					   (size_t)table.block_cnt * sizeof(*table.blocks)) +
	       i;
}

Test(unwind_store, heads_that_lie)
{
	const uint32_t rule_cnt = head()->rule_cnt, block_cnt = head()->block_cnt;

	for (uint32_t i = 0; i < 64; i++) {
		head()->rule_cnt = i < 32 ? 1u << i : rule_cnt;
		head()->block_cnt = i < 32 ? block_cnt : 1u << (i - 32);
		cr_expect(eq(int, sealed(), -EBADMSG), "%u", i);
	}
	head()->rule_cnt = rule_cnt;
	head()->block_cnt = block_cnt;
	head()->err = -ENOENT;
	cr_expect(eq(int, sealed(), -EBADMSG));
	head()->err = 0;
	block(0)->head.page_cnt = LEAT_UNWIND_PAGES_MAX;
	cr_expect(eq(int, sealed(), -EBADMSG));
	block(0)->head.page_cnt = 0;
	cr_expect(eq(int, sealed(), -EBADMSG));
	block(0)->head.page_cnt = table.page_cnt;
	block(0)->head.block_cnt--;
	cr_expect(eq(int, sealed(), -EBADMSG));
	block(0)->head.block_cnt++;
	cr_expect(zero(int, sealed()));
}

Test(unwind_store, pages_and_rows_that_lie)
{
	const uint32_t first = table.page_cnt + 1;
	struct leat_unwind_page *page = &block(1)->page;
	struct leat_unwind_row *row = &block(first)->rows[5];
	struct leat_unwind_rule *rule = (struct leat_unwind_rule *)(head() + 1);

	page->first += 1;
	cr_expect(eq(int, sealed(), -EBADMSG), "rows that belong to nobody");
	page->first = UINT32_MAX;
	cr_expect(eq(int, sealed(), -EBADMSG));
	page->first = first;
	page->sub[3] += 1000;
	cr_expect(eq(int, sealed(), -EBADMSG), "a part outside its page");
	page->sub[3] -= 1000;
	page->sub[2]++;
	cr_expect(eq(int, sealed(), -EBADMSG), "a part that begins behind its first row");
	page->sub[2] -= 2;
	cr_expect(eq(int, sealed(), -EBADMSG), "or before it");
	page->sub[2]++;
	row->pc -= 100;
	cr_expect(eq(int, sealed(), -EBADMSG), "rows out of order");
	row->pc += 100;
	row->rule += 5000;
	cr_expect(eq(int, sealed(), -EBADMSG), "a rule that is not there");
	row->rule -= 5000;
	block(2)->page.first = first;
	cr_expect(eq(int, sealed(), -EBADMSG), "two pages with the same rows");
	block(2)->page.first = block(3)->page.first;
	rule->cfa = 7;
	cr_expect(eq(int, sealed(), -EBADMSG), "a rule of no kind");
	rule->cfa = LEAT_CFA_SP;
	rule->fp = 0x40;
	cr_expect(eq(int, sealed(), -EBADMSG), "a frame pointer of no kind");
}

Test(unwind_store, failing_allocations)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_unwind_table *t = NULL;
		uint8_t *data = NULL;
		size_t len = 0;
		int err = leat_store_encode(&table, rules, &key, &data, &len);

		if (!err)
			err = leat_store_decode(&t, data, len, &key, rules);
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		cr_expect(eq(int, err != 0, leat_alloc_failed()));
		leat_unwind_table_free(&t);
		free(data);
	}
}

/* A dictionary that is full says INVALID, as the builder would. */
Test(unwind_store, into_a_full_dictionary)
{
	LEAT_AUTO(leat_unwind_rules_free) struct leat_unwind_rules *own = NULL;
	LEAT_AUTO(leat_unwind_table_free) struct leat_unwind_table *t = NULL;

	cr_assert(zero(int, leat_unwind_rules_new(&own)));
	for (int i = 0; i < LEAT_UNWIND_RULES_MAX; i++)
		(void)leat_unwind_rules_intern(own, sp_rule(8000 + i * 8));
	cr_assert(zero(int, leat_store_decode(&t, file, file_len, &key, own)));
	cr_expect(eq(u32, leat_unwind_table_rule(t, VADDR + 1), LEAT_RULE_INVALID));
	cr_expect(eq(u32, leat_unwind_table_rule(t, VADDR + 0x40001), LEAT_RULE_STOP));
	cr_expect(gt(u64, leat_unwind_rules_refused(own), 0));
}

/* A real one, and through the builder. */
Test(unwind_store, the_table_of_the_c_library)
{
	LEAT_CLOSE int fd = open("/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY | O_CLOEXEC);
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	LEAT_AUTO(leat_unwind_table_free) struct leat_unwind_table *a = NULL;
	LEAT_AUTO(leat_unwind_table_free) struct leat_unwind_table *b = NULL;
	LEAT_FREE uint8_t *data = NULL;
	size_t len;

	cr_assert(ge(int, fd, 0));
	cr_assert(zero(int, leat_elf_open(&e, fd)));
	cr_assert(zero(int, leat_unwind_table_build(&a, e, NULL, rules)));
	cr_assert(zero(int, leat_store_encode(a, rules, &key, &data, &len)));
	cr_assert(zero(int, leat_store_decode(&b, data, len, &key, rules)));
	cr_assert(eq(u32, a->block_cnt, b->block_cnt));
	cr_expect(zero(int, memcmp(a->blocks, b->blocks, (size_t)leat_unwind_table_bytes(a))));
}
