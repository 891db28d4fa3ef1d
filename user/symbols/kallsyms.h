/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/kallsyms: "ADDRESS TYPE NAME[\t[MODULE]]". The kernel proper comes first, sorted by
 * address; then modules, each in the order of its own table; then BPF programs. There are no sizes:
 * a function ends where the next symbol begins. Of several names of one address the first is taken,
 * as the kernel does where it names an address itself (%pS, a trace, an oops): names are then the same
 * whoever was asked.
 */
#ifndef LEAT_SYMBOLS_KALLSYMS_H
#define LEAT_SYMBOLS_KALLSYMS_H

#include <stdbool.h>

#include "base/buf.h"
#include "symbols/spots.h"

#define LEAT_KALLSYMS_TEXT_MAX ((size_t)64 << 20) /* names that are kept */

/* The nearest symbol at or below a spot. */
struct leat_ksym {
	uint64_t start;	 /* 0: none found */
	uint32_t name;	 /* in leat_kallsyms.text */
	uint32_t module; /* the same; without the brackets */
	uint16_t name_len;
	uint16_t module_len;
	bool is_text;
};

/* A line of the file, borrowed. */
struct leat_kline {
	uint64_t addr;
	const char *name;
	const char *module;
	uint16_t name_len;
	uint16_t module_len;
	char type;
};

struct leat_kallsyms {
	const struct leat_spots *spots;
	struct leat_ksym *syms; /* by spot */
	struct leat_buf text;
	uint64_t line_cnt;
	uint64_t zero_cnt; /* of them with address 0 */
	uint64_t lowest;   /* address of the kernel's first symbol; 0 not seen */
	/* private: the name of the newest address, until the next address is known */
	struct leat_kline held;
	char held_name[512];
	char held_module[64];
	uint64_t visits;
	bool complete;
};

/* @syms: zeroed, one for each spot. */
void leat_kallsyms_init(struct leat_kallsyms *k, const struct leat_spots *spots,
			struct leat_ksym *syms);
void leat_kallsyms_fini(struct leat_kallsyms *k);
/* One line without its newline. false: malformed. */
bool leat_kline_parse(const char *s, size_t n, struct leat_kline *out);
/* Reads whole lines; returns how many bytes were used. */
size_t leat_kallsyms_feed(struct leat_kallsyms *k, const char *s, size_t n);
/* Nothing that comes can be nearer: all spots lie in the kernel proper, and it is behind us. */
bool leat_kallsyms_is_complete(const struct leat_kallsyms *k);
/* After the last line. */
void leat_kallsyms_end(struct leat_kallsyms *k);
/* Addresses are hidden (kptr_restrict, or no capability). */
bool leat_kallsyms_is_hidden(const struct leat_kallsyms *k);

#endif
