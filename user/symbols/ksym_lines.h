/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel says of addresses that it was asked for, "NAME+0xOFFSET/0xSIZE[ [MODULE]]" a line,
 * as the lines of /proc/kallsyms that it stands for: who reads those has one thing to read.
 */
#ifndef LEAT_SYMBOLS_KSYM_LINES_H
#define LEAT_SYMBOLS_KSYM_LINES_H

#include "base/buf.h"
#include "symbols/kallsyms.h"

/* Whatever is said of @addr in a line without its newline. false: no name, or malformed. */
bool leat_ksym_parse(const char *s, size_t n, uint64_t addr, struct leat_kline *out);

struct leat_ksym_text {
	const char *s; /* a line for each address; more of them are of no interest */
	size_t len;
	uint64_t text_start; /* the kernel's own code, without modules */
	uint64_t text_end;
};

/*
 * Appends the line of each function that one of the @n addresses (ascending) is in. All or nothing,
 * on failure what is in @out is of no use: -ENOENT when of one no name is said, or one of data, for
 * /proc/kallsyms also has the pages of probes and of tracers, the code of the kernel's beginnings, and
 * what stands behind its end. -EBADMSG fewer lines than addresses; -ENOMEM, -EOVERFLOW of @out.
 */
int leat_ksym_lines(const uint64_t *addr, size_t n, const struct leat_ksym_text *said,
		    struct leat_buf *out) LEAT_MUST_USE;

#endif
