/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/plt.h"

#include <string.h>

enum effect { NOTHING, PUSHES, LEAVES, PUSHES_FIRST };

/* Of which entries are made. @n bytes of @bytes, then what differs. */
static const struct {
	uint8_t n;
	uint8_t bytes[5];
	uint8_t len; /* of the instruction */
	uint8_t effect;
} insns[] = {
	{ 4, { 0xf3, 0x0f, 0x1e, 0xfa }, 4, NOTHING }, /* endbr64 */
	{ 2, { 0xff, 0x35 }, 6, PUSHES_FIRST },	       /* push x(%rip) */
	{ 2, { 0xff, 0x25 }, 6, LEAVES },	       /* jmp *x(%rip) */
	{ 3, { 0xf2, 0xff, 0x25 }, 7, LEAVES },	       /* bnd jmp *x(%rip) */
	{ 1, { 0x68 }, 5, PUSHES },		       /* push $n */
	{ 1, { 0xe9 }, 5, LEAVES },		       /* jmp x */
	{ 2, { 0xf2, 0xe9 }, 6, LEAVES },	       /* bnd jmp x */
	{ 2, { 0x41, 0x53 }, 2, PUSHES },	       /* push %r11 */
	{ 2, { 0x41, 0xbb }, 6, NOTHING },	       /* mov $n, %r11d */
	{ 3, { 0x4c, 0x8d, 0x1d }, 7, NOTHING },       /* lea x(%rip), %r11 */
	{ 4, { 0x0f, 0x1f, 0x40, 0x00 }, 4, NOTHING },
	{ 5, { 0x0f, 0x1f, 0x44, 0x00, 0x00 }, 5, NOTHING },
	{ 3, { 0x0f, 0x1f, 0x00 }, 3, NOTHING },
	{ 2, { 0x66, 0x90 }, 2, NOTHING },
	{ 1, { 0x90 }, 1, NOTHING },
	{ 1, { 0xcc }, 1, NOTHING },
};

bool leat_plt_is_name(const char *name)
{
	static const char *const names[] = { ".plt", ".plt.sec", ".plt.got", ".iplt" };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static size_t match(const uint8_t *code, size_t left)
{
	size_t i = 0;

	while (i < LEAT_ARRAY_SIZE(insns) &&
	       (left < insns[i].len || memcmp(code, insns[i].bytes, insns[i].n) != 0))
		i++;
	return i;
}

static void put(struct leat_unwind_rules *rules, struct leat_rows *out, uint64_t vaddr, int pushed)
{
	const struct leat_unwind_rule r = { .cfa = LEAT_CFA_SP, .cfa_bx = (8 + 8 * pushed) << 8 };

	leat_rows_add(out, vaddr, leat_unwind_rules_intern(rules, r));
}

void leat_plt_rows(const uint8_t *code, size_t n, uint64_t vaddr, struct leat_unwind_rules *rules,
		   struct leat_rows *out)
{
	int pushed = 0; /* words since the call */

	for (size_t at = 0; at < n;) {
		size_t i = match(code + at, n - at);

		if (i == LEAT_ARRAY_SIZE(insns)) {
			leat_rows_add(out, vaddr + at, LEAT_RULE_INVALID);
			at = (at | 15) + 1;
			pushed = 0;
			continue;
		}
		/* The entry that begins so is what the others jump to, with a word pushed. */
		if (insns[i].effect == PUSHES_FIRST && !pushed)
			pushed = 1;
		put(rules, out, vaddr + at, pushed);
		if (insns[i].effect == PUSHES || insns[i].effect == PUSHES_FIRST)
			pushed++;
		if (insns[i].effect == LEAVES)
			pushed = 0;
		at += insns[i].len;
	}
}
