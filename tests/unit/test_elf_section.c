/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <elf.h>
#include <errno.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "../support/alloc.h"
#include "../support/elf_builder.h"
#include "base/buf.h"
#include "elf/elf_file.h"

#define ZSTD_TYPE   2 /* ELFCOMPRESS_ZSTD */
#define PLAIN_BYTES 20000

static const uint8_t *plain(void)
{
	static uint8_t bytes[PLAIN_BYTES];

	for (size_t i = 0; i < PLAIN_BYTES; i++)
		bytes[i] = (uint8_t)(i * i >> 7);
	return bytes;
}

/* A compressed section: the header with the size it claims, then @n packed bytes. */
static void put_packed(struct leat_buf *b, uint32_t type, uint64_t claimed, const void *p, size_t n)
{
	Elf64_Chdr h = { .ch_type = type, .ch_size = claimed, .ch_addralign = 1 };

	leat_buf_init(b, 1 << 20);
	leat_buf_add(b, &h, sizeof(h));
	leat_buf_add(b, p, n);
}

static void pack(struct leat_buf *b, uint32_t type, uint64_t claimed)
{
	static uint8_t out[2 * PLAIN_BYTES];
	uLongf n = sizeof(out);

	if (type == ELFCOMPRESS_ZLIB)
		cr_assert(eq(int, compress(out, &n, plain(), PLAIN_BYTES), Z_OK));
	else
		n = ZSTD_compress(out, sizeof(out), plain(), PLAIN_BYTES, 1);
	put_packed(b, type, claimed, out, n);
}

static struct leat_elf *with_section(const char *name, uint64_t flags, const void *p, size_t n)
{
	struct leat_eb *b = leat_eb_new(ET_REL, EM_X86_64);
	struct leat_elf *e = NULL;
	uint8_t *file;
	size_t len;

	leat_eb_section(b, name, SHT_PROGBITS, flags, 0, p, n);
	file = leat_eb_done(b, &len);
	leat_eb_free(&b);
	cr_assert(eq(int, leat_elf_open_mem(&e, file, len, true), 0));
	return e;
}

static int data_of(struct leat_elf *e, const uint8_t **data, size_t *n)
{
	return leat_elf_section_data(e, leat_elf_section_at(e, 1), data, n);
}

Test(elf_section, bytes_as_they_are)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = with_section(".x", 0, "abc", 3);
	const uint8_t *data;
	size_t n;

	cr_assert(eq(int, data_of(e, &data, &n), 0));
	cr_assert(eq(sz, n, 3));
	cr_assert(memcmp(data, "abc", 3) == 0);
}

Test(elf_section, empty_section_has_no_bytes)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = with_section(".x", 0, "", 0);
	const uint8_t *data = NULL;
	size_t n = 7;

	cr_assert(eq(int, data_of(e, &data, &n), 0));
	cr_assert(eq(sz, n, 0));
	cr_assert(ne(ptr, (void *)data, NULL));
}

Test(elf_section, packed_is_unpacked_once)
{
	static const uint32_t types[] = { ELFCOMPRESS_ZLIB, ZSTD_TYPE };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(types); i++) {
		LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
		LEAT_AUTO(leat_buf_fini) struct leat_buf b;
		const uint8_t *data, *again;
		size_t n;

		pack(&b, types[i], PLAIN_BYTES);
		e = with_section(".debug_info", SHF_COMPRESSED, b.data, b.len);
		cr_assert(eq(int, data_of(e, &data, &n), 0));
		cr_assert(eq(sz, n, PLAIN_BYTES));
		cr_assert(memcmp(data, plain(), n) == 0);
		cr_assert(eq(int, data_of(e, &again, &n), 0));
		cr_assert(eq(ptr, (void *)data, (void *)again));
	}
}

Test(elf_section, wrong_packed_size_is_malformed)
{
	static const uint64_t claims[] = { 0, 1, PLAIN_BYTES - 1, PLAIN_BYTES + 1, 1 << 20 };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(claims) * 2; i++) {
		LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
		LEAT_AUTO(leat_buf_fini) struct leat_buf b;
		const uint8_t *data;
		size_t n;

		pack(&b, i & 1 ? ELFCOMPRESS_ZLIB : ZSTD_TYPE, claims[i / 2]);
		e = with_section(".debug_info", SHF_COMPRESSED, b.data, b.len);
		cr_assert(eq(int, data_of(e, &data, &n), -EBADMSG));
	}
}

Test(elf_section, packed_truncated_at_every_length)
{
	static const uint32_t types[] = { ELFCOMPRESS_ZLIB, ZSTD_TYPE };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(types); i++) {
		LEAT_AUTO(leat_buf_fini) struct leat_buf b;

		pack(&b, types[i], PLAIN_BYTES);
		for (size_t n = 0; n < b.len; n += n < 64 ? 1 : 37) {
			LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
			const uint8_t *data;
			size_t len;

			e = with_section(".x", SHF_COMPRESSED, b.data, n);
			cr_assert(eq(int, data_of(e, &data, &len), -EBADMSG));
		}
	}
}

Test(elf_section, claims_beyond_all_bounds)
{
	static const struct {
		uint32_t type;
		uint64_t size;
		int err;
	} rows[] = {
		{ ELFCOMPRESS_ZLIB, UINT64_MAX, -EBADMSG },
		{ ELFCOMPRESS_ZLIB, 2000000, -EBADMSG },
		{ ZSTD_TYPE, UINT64_MAX, -EOVERFLOW },
		{ ZSTD_TYPE, LEAT_ELF_HELD_MAX + 1, -EOVERFLOW },
		{ 77, 10, -ENOTSUP },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
		LEAT_AUTO(leat_buf_fini) struct leat_buf b;
		const uint8_t *data;
		size_t n;

		put_packed(&b, rows[i].type, rows[i].size, "0123456789", 10);
		e = with_section(".x", SHF_COMPRESSED, b.data, b.len);
		cr_assert(eq(int, data_of(e, &data, &n), rows[i].err));
	}
}

Test(elf_section, outside_the_file_is_malformed)
{
	struct leat_eb *b = leat_eb_new(ET_REL, EM_X86_64);
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	const uint8_t *data;
	uint64_t off = UINT64_MAX - 1;
	Elf64_Ehdr h;
	uint8_t *p;
	size_t n;

	leat_eb_section(b, ".x", SHT_PROGBITS, 0, 0, "abcd", 4);
	p = leat_eb_done(b, &n);
	leat_eb_free(&b);
	memcpy(&h, p, sizeof(h));
	memcpy(p + h.e_shoff + 64 + offsetof(Elf64_Shdr, sh_offset), &off, sizeof(off));
	cr_assert(eq(int, leat_elf_open_mem(&e, p, n, true), 0));
	cr_assert(eq(int, data_of(e, &data, &n), -EBADMSG));
}

/* A file with one symbol, packed by xz, as the section .gnu_debugdata of another. */
static struct leat_elf *with_debugdata(size_t cut, int damage_at)
{
	struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);
	LEAT_FREE uint8_t *inner = NULL;
	uint8_t out[4096];
	size_t n, made = 0;

	leat_eb_sym(b, "hidden", 0x10, 8, ELF64_ST_INFO(STB_LOCAL, STT_FUNC), 1);
	inner = leat_eb_done(b, &n);
	leat_eb_free(&b);
	cr_assert(eq(int,
		     (int)lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, inner, n, out, &made,
						  sizeof(out)),
		     (int)LZMA_OK));
	if (damage_at >= 0)
		out[(size_t)damage_at % made] ^= 0x55;
	return with_section(".gnu_debugdata", 0, out, made > cut ? made - cut : 0);
}

Test(elf_section, debugdata_is_opened)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = with_debugdata(0, -1);
	LEAT_AUTO(leat_elf_free) struct leat_elf *mini = NULL;
	struct leat_elf_symtab t;
	struct leat_elf_sym s;

	cr_assert(eq(int, leat_elf_debugdata(e, &mini), 0));
	cr_assert(eq(int, leat_elf_symtab(mini, false, &t), 0));
	leat_elf_sym_at(&t, 1, &s);
	cr_assert(eq(str, (char *)s.name, (char *)"hidden"));
}

Test(elf_section, debugdata_absent_cut_or_damaged)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *none = with_section(".x", 0, "a", 1);
	struct leat_elf *mini = NULL;

	cr_assert(eq(int, leat_elf_debugdata(none, &mini), -ENOENT));
	for (size_t cut = 1; cut < 300; cut++) {
		LEAT_AUTO(leat_elf_free) struct leat_elf *e = with_debugdata(cut, -1);

		cr_assert(eq(int, leat_elf_debugdata(e, &mini), -EBADMSG));
	}
	for (int at = 0; at < 200; at++) {
		LEAT_AUTO(leat_elf_free) struct leat_elf *e = with_debugdata(0, at);

		cr_assert(ne(int, leat_elf_debugdata(e, &mini), 0), "%d", at);
	}
	cr_assert(eq(ptr, mini, NULL));
}

Test(elf_section, every_allocation_failure_is_reported)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;

	pack(&b, ELFCOMPRESS_ZLIB, PLAIN_BYTES);
	LEAT_ALLOC_EACH_FAILS {
		struct leat_elf *e, *mini = NULL;
		const uint8_t *data;
		size_t n;
		int err;

		leat_alloc_disarm();
		e = with_section(".x", SHF_COMPRESSED, b.data, b.len);
		leat_alloc_arm(leat_nth_);
		err = data_of(e, &data, &n);
		leat_elf_free(&e);
		leat_alloc_disarm();
		cr_assert(eq(int, err, leat_alloc_failed() ? -ENOMEM : 0));
		if (err)
			continue;
		e = with_debugdata(0, -1);
		leat_alloc_arm(leat_nth_);
		err = leat_elf_debugdata(e, &mini);
		leat_alloc_disarm();
		cr_assert(eq(int, err, leat_alloc_failed() ? -ENOMEM : 0));
		leat_elf_free(&mini);
		leat_elf_free(&e);
	}
}
