/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi_builder.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>

#include "elf_builder.h"

#define BYTES_MAX ((size_t)256 << 20)

void leat_cb_init(struct leat_cb *c, bool debug)
{
	*c = (struct leat_cb){ .debug = debug };
	leat_buf_init(&c->b, BYTES_MAX);
}

void leat_cb_fini(struct leat_cb *c)
{
	leat_buf_fini(&c->b);
}

void leat_cb_entry(struct leat_cb *c, uint32_t id, const void *bytes, size_t n)
{
	uint32_t len = (uint32_t)n + 4;

	leat_buf_add(&c->b, &len, sizeof(len));
	leat_buf_add(&c->b, &id, sizeof(id));
	leat_buf_add(&c->b, bytes, n);
}

void leat_cb_cie_raw(struct leat_cb *c, const void *bytes, size_t n)
{
	c->cie = c->b.len;
	leat_cb_entry(c, c->debug ? UINT32_MAX : 0, bytes, n);
}

void leat_cb_cie(struct leat_cb *c, const void *ins, size_t n)
{
	static const uint8_t eh[] = { 1, 'z', 'R', 0, 1, 0x78, 16, 1, 4, 0x0c, 7, 8, 0x90, 1 };
	static const uint8_t debug[] = { 3, 0, 1, 0x78, 16, 0x0c, 7, 8, 0x90, 1 };
	struct leat_buf all;

	leat_buf_init(&all, BYTES_MAX);
	if (c->debug)
		leat_buf_add(&all, debug, sizeof(debug));
	else
		leat_buf_add(&all, eh, sizeof(eh));
	leat_buf_add(&all, ins, n);
	leat_cb_cie_raw(c, all.data, all.len);
	leat_buf_fini(&all);
}

void leat_cb_fde(struct leat_cb *c, uint64_t start, uint64_t size, const void *ins, size_t n)
{
	struct leat_buf all;

	leat_buf_init(&all, BYTES_MAX);
	leat_buf_add(&all, &start, sizeof(start));
	leat_buf_add(&all, &size, sizeof(size));
	if (!c->debug)
		leat_buf_char(&all, 0); /* no augmentation data */
	leat_buf_add(&all, ins, n);
	leat_cb_entry(c, (uint32_t)(c->debug ? c->cie : c->b.len + 4 - c->cie), all.data, all.len);
	leat_buf_fini(&all);
}

struct leat_elf *leat_cb_elf(const struct leat_cb *c)
{
	struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);
	struct leat_elf *e = NULL;
	unsigned int text;
	uint8_t *p;
	size_t n;

	text = leat_eb_section(b, ".text", SHT_NOBITS, SHF_ALLOC | SHF_EXECINSTR, LEAT_CB_TEXT,
			       NULL, 1u << 20);
	leat_eb_phdr(b, PT_LOAD, PF_R | PF_X, text);
	leat_eb_section(b, c->debug ? ".debug_frame" : ".eh_frame", SHT_PROGBITS,
			c->debug ? 0 : SHF_ALLOC, c->debug ? 0 : LEAT_CB_FRAME, c->b.data,
			c->b.len);
	p = leat_eb_done(b, &n);
	leat_eb_free(&b);
	if (c->b.err || leat_elf_open_mem(&e, p, n, true)) {
		fprintf(stderr, "cfi_builder: no file\n");
		abort();
	}
	return e;
}
