/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbols/insn.h"

#include <elf.h>
#include <string.h>

#define AARCH64_BL_MASK	 0xfc000000u
#define AARCH64_BL	 0x94000000u
#define AARCH64_BLR_MASK 0xfefff000u /* blr, and blraa and its like with a key */
#define AARCH64_BLR	 0xd63f0000u

bool leat_code_is_known(uint16_t machine)
{
	return machine == EM_X86_64 || machine == EM_AARCH64;
}

static int32_t read_i32(const uint8_t *p)
{
	int32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/*
 * Length of "call r/m64" (ff /2) at @p, 0 when it is something else. Prefixes (REX, segment, bnd,
 * notrack) stand before it and change nothing. Intel SDM volume 2, sections 2.1 and 3.3, CALL.
 */
static size_t indirect_len(const uint8_t *p, size_t n)
{
	uint8_t mod, rm, base;
	size_t len = 2;

	if (n < 2 || p[0] != 0xff || ((p[1] >> 3) & 7) != 2)
		return 0;
	mod = p[1] >> 6;
	rm = p[1] & 7;
	if (mod == 3)
		return len;
	base = rm;
	if (rm == 4) {
		if (n < 3)
			return 0;
		base = p[2] & 7;
		len++;
	}
	if (mod == 1)
		return len + 1;
	/* Without a base register there are 32 bits of displacement. */
	return mod == 2 || base == 5 ? len + 4 : len;
}

static struct leat_call call_x86(const struct leat_code *c)
{
	const uint8_t *end = c->before + LEAT_CODE_BEFORE;
	struct leat_call call = { 0 };

	if (c->before_len >= 5 && end[-5] == 0xe8) {
		call.direct = true;
		call.target = c->vaddr + (uint64_t)(int64_t)read_i32(end - 4);
	}
	for (size_t n = 2; n <= 7 && n <= c->before_len; n++)
		call.indirect |= indirect_len(end - n, n) == n;
	return call;
}

static struct leat_call call_aarch64(const struct leat_code *c)
{
	struct leat_call call = { 0 };
	uint32_t insn;

	if (c->before_len < 4 || c->vaddr % 4)
		return call;
	memcpy(&insn, c->before + LEAT_CODE_BEFORE - 4, sizeof(insn));
	call.indirect = (insn & AARCH64_BLR_MASK) == AARCH64_BLR;
	call.direct = (insn & AARCH64_BL_MASK) == AARCH64_BL;
	if (call.direct) {
		int32_t words = (int32_t)(insn << 6) >> 6;

		call.target = c->vaddr - 4 + (uint64_t)((int64_t)words * 4);
	}
	return call;
}

struct leat_call leat_code_call(uint16_t machine, const struct leat_code *c)
{
	switch (machine) {
	case EM_X86_64:
		return call_x86(c);
	case EM_AARCH64:
		return call_aarch64(c);
	default:
		return (struct leat_call){ 0 };
	}
}

static bool follows(const struct leat_code *c, size_t at, const uint8_t *bytes, size_t n)
{
	return c->after_len >= at + n && memcmp(c->after + at, bytes, n) == 0;
}

bool leat_code_is_sigreturn(uint16_t machine, const struct leat_code *c)
{
	static const uint8_t x86[] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };
	static const uint8_t aarch64[] = { 0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4 };

	if (machine == EM_X86_64)
		return follows(c, 0, x86, sizeof(x86));
	return machine == EM_AARCH64 && follows(c, 0, aarch64, sizeof(aarch64));
}

/* Length of "mov %rax,%rdi", "mov %eax,%edi" (in either encoding) or "movslq %eax,%rdi", or 0. */
static size_t result_to_argument(const struct leat_code *c)
{
	size_t at = c->after_len && c->after[0] == 0x48;

	if (c->after_len < at + 2)
		return 0;
	if (at && c->after[at] == 0x63 && c->after[at + 1] == 0xf8)
		return at + 2;
	if ((c->after[at] == 0x89 && c->after[at + 1] == 0xc7) ||
	    (c->after[at] == 0x8b && c->after[at + 1] == 0xf8))
		return at + 2;
	return 0;
}

bool leat_code_is_thread_end(uint16_t machine, const struct leat_code *c)
{
	/* mov $60,%eax (glibc); xor %eax,%eax; mov $60,%al (musl); then syscall */
	static const uint8_t mov[] = { 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05 };
	static const uint8_t xor_mov[] = { 0x31, 0xc0, 0xb0, 0x3c, 0x0f, 0x05 };
	size_t at;

	if (machine != EM_X86_64)
		return false;
	at = result_to_argument(c);
	return at && (follows(c, at, mov, sizeof(mov)) || follows(c, at, xor_mov, sizeof(xor_mov)));
}

bool leat_code_passes_result(uint16_t machine, const struct leat_code *c, uint64_t *f)
{
	size_t at;

	if (machine != EM_X86_64)
		return false;
	at = result_to_argument(c);
	if (!at || c->after_len < at + 5 || c->after[at] != 0xe8)
		return false;
	*f = c->vaddr + at + 5 + (uint64_t)(int64_t)read_i32(c->after + at + 1);
	return true;
}
