/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/frames.h"

#include <string.h>

#define ALIGNED 16 /* compilers begin functions there, and loops */
#define BEGIN	20 /* bytes in which a frame is set up */

/* After a return, a jump, or the padding behind them: nops end so. */
static bool may_end_here(uint8_t last)
{
	return last == 0xc3 || last == 0x90 || last == 0x00 || last == 0xcc;
}

static bool is_padding(const uint8_t *p)
{
	return p[0] == 0x90 || p[0] == 0xcc || (p[0] == 0x0f && p[1] == 0x1f) ||
	       (p[0] == 0x66 && (p[1] == 0x90 || p[1] == 0x2e || p[1] == 0x66 || p[1] == 0x0f)) ||
	       (!p[0] && !p[1] && !p[2] && !p[3]);
}

/* push %rbp; mov %rsp,%rbp, after endbr64 perhaps, and with an instruction or two between them. */
static bool sets_frame(const uint8_t *p, size_t n)
{
	static const uint8_t endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	static const uint8_t mov[] = { 0x48, 0x89, 0xe5 };

	if (n > sizeof(endbr) && !memcmp(p, endbr, sizeof(endbr))) {
		p += sizeof(endbr);
		n -= sizeof(endbr);
	}
	return p[0] == 0x55 && memmem(p + 1, n - 1, mov, sizeof(mov));
}

bool leat_code_keeps_frames(const uint8_t *code, size_t n, uint64_t vaddr)
{
	size_t starts = 0, framed = 0;

	for (size_t i = (ALIGNED - vaddr % ALIGNED) % ALIGNED; i + 8 <= n; i += ALIGNED) {
		if ((i && !may_end_here(code[i - 1])) || is_padding(code + i))
			continue;
		starts++;
		framed += sets_frame(code + i, n - i < BEGIN ? n - i : BEGIN);
	}
	return framed && framed * 4 >= starts;
}
