/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the first inputs of fuzz_elf and fuzz_notes: make fuzz-seeds-elf. Beside them the corpus
 * holds what found a bug.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../support/elf_builder.h"

#define FUNC ELF64_ST_INFO(STB_GLOBAL, STT_FUNC)

static int save(const char *dir, const char *name, const void *p, size_t n)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wbe");
	if (!f || fwrite(p, 1, n, f) != n || fclose(f) != 0) {
		perror(path);
		return 1;
	}
	return 0;
}

static void add_packed(struct leat_eb *b)
{
	uint8_t out[sizeof(Elf64_Chdr) + 64];
	Elf64_Chdr h = { .ch_type = ELFCOMPRESS_ZLIB, .ch_size = 5, .ch_addralign = 1 };
	uLongf n = 64;

	if (compress(out + sizeof(h), &n, (const Bytef *)"hello", 5) != Z_OK)
		return;
	memcpy(out, &h, sizeof(h));
	leat_eb_section(b, ".debug_str", SHT_PROGBITS, SHF_COMPRESSED, 0, out, sizeof(h) + n);
}

static int write_elf(const char *dir, const char *name, bool sections, enum leat_eb_hash hash)
{
	static const struct leat_eb_range ranges[] = { { 0x1000, 16 }, { 0x1010, 32 } };
	static const char *const names[] = { "puts", "malloc" };
	struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);
	static const uint8_t code[48];
	uint8_t *p;
	size_t n;
	int bad;

	leat_eb_section(b, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0x1000, code,
			sizeof(code));
	leat_eb_sym(b, "main", 0x1000, 16, FUNC, 1);
	leat_eb_dynsym(b, "f", 0x1010, 32, FUNC, 1);
	leat_eb_plt(b, 0x2000, 0x8000, names, 2);
	leat_eb_dynamic(b, 0x3000, hash);
	leat_eb_eh_frame(b, 0x4000, ranges, 2);
	leat_eb_build_id(b, "\1\2\3\4", 4);
	leat_eb_debuglink(b, "x.debug", 7);
	add_packed(b);
	if (!sections)
		leat_eb_no_sections(b);
	p = leat_eb_done(b, &n);
	leat_eb_free(&b);
	bad = save(dir, name, p, n);
	free(p);
	return bad;
}

int main(int argc, char **argv)
{
	static const uint32_t note[] = { 4, 8, NT_GNU_BUILD_ID, 0x00554e47, 1, 2 };
	static const uint32_t two[] = {
		4, 4, 1, 0x00554e47, 9, 4, 4, NT_GNU_BUILD_ID, 0x00554e47, 1
	};

	if (argc != 3) {
		fprintf(stderr, "usage: %s ELF-DIR NOTES-DIR\n", argv[0]);
		return 2;
	}
	return write_elf(argv[1], "whole", true, LEAT_EB_HASH_GNU) |
	       write_elf(argv[1], "no-sections-gnu", false, LEAT_EB_HASH_GNU) |
	       write_elf(argv[1], "no-sections-sysv", false, LEAT_EB_HASH_SYSV) |
	       save(argv[2], "one", note, sizeof(note)) | save(argv[2], "two", two, sizeof(two));
}
