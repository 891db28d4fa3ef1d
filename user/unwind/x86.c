/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/x86.h"

#include <string.h>

#define INSN_MAX 15

/* What follows an opcode. */
#define M 1  /* ModRM */
#define B 2  /* a byte */
#define Z 4  /* four bytes; two behind a prefix 66, unless it is a jump */
#define X 8  /* nothing: not for user space, not in 64-bit code, or too rare to be known */
#define Q 16 /* four bytes, eight with REX.W, two behind a prefix 66 */
#define W 32 /* two bytes */

#define ALU(o) [(o)...(o) + 3] = M, [(o) + 4] = B, [(o) + 5] = Z, [(o) + 6 ...(o) + 7] = X

/* clang-format off */
static const uint8_t one_byte[256] = {
	ALU(0x00), ALU(0x08), ALU(0x10), ALU(0x18), ALU(0x20), ALU(0x28), ALU(0x30), ALU(0x38),
	[0x40 ... 0x4f] = X,
	[0x60 ... 0x62] = X, [0x63] = M, [0x64 ... 0x67] = X, [0x68] = Z, [0x69] = M | Z,
	[0x6a] = B, [0x6b] = M | B, [0x6c ... 0x6f] = X,
	[0x70 ... 0x7f] = B,
	[0x80] = M | B, [0x81] = M | Z, [0x82] = X, [0x83] = M | B, [0x84 ... 0x8f] = M,
	[0x9a] = X,
	[0xa0 ... 0xa3] = X, [0xa8] = B, [0xa9] = Z,
	[0xb0 ... 0xb7] = B, [0xb8 ... 0xbf] = Q,
	[0xc0 ... 0xc1] = M | B, [0xc2] = W, [0xc4 ... 0xc5] = X, [0xc6] = M | B, [0xc7] = M | Z,
	[0xc8] = X, [0xca ... 0xcb] = X, [0xcd] = B, [0xce ... 0xcf] = X,
	[0xd0 ... 0xd3] = M, [0xd4 ... 0xd6] = X, [0xd8 ... 0xdf] = M,
	[0xe0 ... 0xe3] = B, [0xe4 ... 0xe7] = X, [0xe8 ... 0xe9] = Z, [0xea] = X, [0xeb] = B,
	[0xec ... 0xef] = X,
	[0xf0 ... 0xf3] = X, [0xf6 ... 0xf7] = M, [0xfa ... 0xfb] = X, [0xfe ... 0xff] = M,
};

static const uint8_t two_byte[256] = {
	[0x00] = X, [0x01] = M, [0x02 ... 0x04] = X, [0x06 ... 0x0a] = X, [0x0c] = X, [0x0d] = M,
	[0x0e ... 0x0f] = X,
	[0x10 ... 0x1f] = M, [0x20 ... 0x27] = X, [0x28 ... 0x2f] = M,
	[0x30] = X, [0x32] = X, [0x34 ... 0x3f] = X,
	[0x40 ... 0x6f] = M, [0x70 ... 0x73] = M | B, [0x74 ... 0x76] = M, [0x78 ... 0x7f] = M,
	[0x80 ... 0x8f] = Z, [0x90 ... 0x9f] = M,
	[0xa0 ... 0xa1] = X, [0xa3] = M, [0xa4] = M | B, [0xa5] = M, [0xa6 ... 0xaa] = X, [0xab] = M,
	[0xac] = M | B, [0xad ... 0xaf] = M,
	[0xb0 ... 0xb9] = M, [0xba] = M | B, [0xbb ... 0xbf] = M,
	[0xc0 ... 0xc1] = M, [0xc2] = M | B, [0xc3] = M, [0xc4 ... 0xc6] = M | B, [0xc7] = M,
	[0xd0 ... 0xff] = M,
};
/* clang-format on */

struct decoder {
	const uint8_t *p;
	size_t n, at;
	bool bad, half, rep, wide; /* prefix 66, F2 or F3; REX.W */
	bool vector;		   /* VEX, EVEX */
	uint8_t rex, map, op;	   /* map: 0 one byte, 1 0F, 2 0F38, 3 0F3A, others of EVEX */
	uint8_t vvvv;
	uint8_t mod, reg, rm; /* rm: a register where mod is 3 */
	uint8_t base;	      /* of memory: a register, NONE, IP */
	bool index;	      /* more than base + disp, or another segment */
	int64_t disp, imm;
};

static uint8_t byte(struct decoder *d)
{
	if (d->at >= d->n) {
		d->bad = true;
		return 0;
	}
	return d->p[d->at++];
}

static int64_t number(struct decoder *d, size_t bytes)
{
	int64_t v = 0;
	uint64_t u = 0;

	for (size_t i = 0; i < bytes; i++)
		u |= (uint64_t)byte(d) << (8 * i);
	v = bytes == 1 ? (int8_t)u : bytes == 2 ? (int16_t)u : bytes == 4 ? (int32_t)u : (int64_t)u;
	return v;
}

/* Prefixes but for VEX; leaves the byte behind them to be read. */
static void prefixes(struct decoder *d)
{
	for (;;) {
		const uint8_t c = d->at < d->n ? d->p[d->at] : 0;

		if (c == 0x66)
			d->half = true;
		else if (c == 0xf2 || c == 0xf3)
			d->rep = true;
		else if (c == 0x64 || c == 0x65 || c == 0x67)
			d->index = true;
		else if (c != 0xf0 && c != 0x2e && c != 0x36 && c != 0x3e && c != 0x26)
			break;
		d->at++;
	}
	if (d->at < d->n && (d->p[d->at] & 0xf0) == 0x40) {
		d->rex = d->p[d->at++];
		d->wide = d->rex & 8;
	}
}

/* VEX and EVEX have the bits of REX inverted. */
static void vex(struct decoder *d, uint8_t first)
{
	uint8_t a = byte(d), b = a, c;

	d->vector = true;
	d->map = 1;
	d->rex = 0x40;
	if (!(a & 0x80))
		d->rex |= 4;
	if (first != 0xc5) {
		d->map = first == 0xc4 ? a & 0x1f : a & 7;
		d->rex |= (a & 0x40 ? 0 : 2) | (a & 0x20 ? 0 : 1);
		b = byte(d);
		d->wide = b & 0x80;
	}
	d->vvvv = (~b >> 3) & 15;
	if (first == 0x62) {
		c = byte(d);
		(void)c; /* mask, length, and the fifth bit of vvvv */
	}
	d->op = byte(d);
}

static void opcode(struct decoder *d)
{
	const uint8_t c = byte(d);

	if (c == 0xc4 || c == 0xc5 || c == 0x62) {
		vex(d, c);
		return;
	}
	d->op = c;
	if (c != 0x0f)
		return;
	d->map = 1;
	d->op = byte(d);
	if (d->op != 0x38 && d->op != 0x3a)
		return;
	d->map = d->op == 0x38 ? 2 : 3;
	d->op = byte(d);
}

static uint8_t follows(const struct decoder *d)
{
	if (d->vector && (d->map == 0 || d->map > 6 || d->map == 4))
		return X;
	if (d->map == 0)
		return one_byte[d->op];
	if (d->map == 1 && d->vector)
		return d->op == 0x77 ? 0 : (uint8_t)(M | (two_byte[d->op] & B));
	if (d->map == 1)
		return two_byte[d->op];
	return d->map == 3 ? M | B : M;
}

static void memory(struct decoder *d)
{
	uint8_t sib;

	d->base = d->rm | ((d->rex & 1) << 3);
	if (d->rm == 4) {
		sib = byte(d);
		if ((sib >> 3 & 7) != 4 || d->rex & 2)
			d->index = true;
		d->base = (sib & 7) | ((d->rex & 1) << 3);
		if ((sib & 7) == 5 && d->mod == 0) {
			d->base = LEAT_X86_NONE;
			d->disp = number(d, 4);
		}
	} else if (d->rm == 5 && d->mod == 0) {
		d->base = LEAT_X86_IP;
		d->disp = number(d, 4);
	}
	if (d->mod)
		d->disp = number(d, d->mod == 1 ? 1 : 4);
}

static void operands(struct decoder *d, uint8_t what)
{
	const bool jump = d->map == 0 ? d->op == 0xe8 || d->op == 0xe9 : true;
	uint8_t modrm;

	d->base = LEAT_X86_NONE;
	if (what & M) {
		modrm = byte(d);
		d->mod = modrm >> 6;
		d->reg = (modrm >> 3 & 7) | (d->rex & 4 ? 8 : 0);
		d->rm = modrm & 7;
		if (d->mod == 3)
			d->rm |= (d->rex & 1) << 3;
		else
			memory(d);
	}
	/* test is the only one of its group that has a constant. */
	if (d->map == 0 && (d->op & 0xfe) == 0xf6 && (d->reg & 7) < 2)
		what |= d->op & 1 ? Z : B;
	if (what & Q)
		what |= d->wide ? 0 : Z;
	if (what & Q && d->wide)
		d->imm = number(d, 8);
	else if (what & Z)
		d->imm = number(d, d->half && !jump ? 2 : 4);
	else if (what & W)
		d->imm = number(d, 2);
	else if (what & B)
		d->imm = number(d, 1);
}

static uint16_t bit(uint32_t reg)
{
	return (uint16_t)(1u << (reg & 15));
}

/* A register of 8 bits: ah to bh, where no REX says otherwise. */
static uint16_t small(const struct decoder *d, uint8_t reg)
{
	return bit(!d->rex && reg >= 4 ? reg - 4u : reg);
}

static uint16_t sized(const struct decoder *d, uint8_t reg)
{
	return d->op & 1 ? bit(reg) : small(d, reg);
}

static uint16_t written_rm(const struct decoder *d)
{
	return d->mod == 3 ? sized(d, d->rm) : 0;
}

static bool is_plain(const struct decoder *d)
{
	return d->mod != 3 && !d->index && d->base < LEAT_X86_REGS && d->wide;
}

/* ---- one byte ---- */

static void alu(const struct decoder *d, struct leat_x86_insn *i)
{
	const uint8_t kind = d->op >> 3, form = d->op & 7;

	if (kind == 7) /* cmp */
		return;
	if (kind == 6 && (form == 1 || form == 3) && d->mod == 3 && d->reg == d->rm) {
		i->op = LEAT_X86_ZERO;
		i->reg = d->reg;
	} else if (form < 2) {
		i->writes = written_rm(d);
	} else {
		i->writes = form < 4 ? sized(d, d->reg) : bit(LEAT_X86_AX);
	}
}

static void alu_constant(const struct decoder *d, struct leat_x86_insn *i)
{
	const uint8_t kind = d->reg & 7;

	if (kind == 7)
		return;
	if (d->op == 0x80 || d->mod != 3 || !d->wide || (kind != 0 && kind != 5 && kind != 4)) {
		i->writes = written_rm(d);
		return;
	}
	i->op = kind == 4 ? LEAT_X86_ALIGN : LEAT_X86_ADD;
	i->reg = d->rm;
	i->imm = kind == 5 ? -d->imm : d->imm;
}

static void move(const struct decoder *d, struct leat_x86_insn *i)
{
	const bool to_rm = d->op < 0x8a;

	i->reg = d->reg;
	i->base = d->base;
	i->imm = d->disp;
	if (d->mod == 3 && d->wide && d->op & 1) {
		i->op = LEAT_X86_LEA;
		i->reg = to_rm ? d->rm : d->reg;
		i->base = to_rm ? d->reg : d->rm;
		i->imm = 0;
	} else if (is_plain(d) && d->op & 1) {
		i->op = to_rm ? LEAT_X86_STORE : LEAT_X86_LOAD;
	} else {
		i->writes = to_rm ? written_rm(d) : sized(d, d->reg);
	}
}

static void lea(const struct decoder *d, struct leat_x86_insn *i)
{
	i->reg = d->reg;
	i->base = d->base;
	i->imm = d->disp;
	if (is_plain(d))
		i->op = LEAT_X86_LEA;
	else if (d->mod != 3 && d->base == LEAT_X86_IP && d->wide)
		i->op = LEAT_X86_ADDRESS;
	else
		i->writes = bit(d->reg);
}

static void group_ff(struct decoder *d, struct leat_x86_insn *i)
{
	switch (d->reg & 7) {
	case 0:
	case 1:
		i->writes = written_rm(d);
		break;
	case 2:
		i->op = LEAT_X86_CALL;
		break;
	case 4:
		i->op = LEAT_X86_JUMP;
		break;
	case 6:
		i->op = LEAT_X86_PUSH;
		i->reg = d->mod == 3 ? d->rm : LEAT_X86_NONE;
		break;
	default:
		d->bad = true;
	}
}

static void relative(const struct decoder *d, struct leat_x86_insn *i, enum leat_x86_op op)
{
	i->op = (uint8_t)op;
	i->base = LEAT_X86_IP;
	i->imm = d->imm;
}

/* B8 to BF and C7: addresses are set so in files that are not moved. */
static void constant(const struct decoder *d, struct leat_x86_insn *i, uint8_t reg)
{
	i->op = LEAT_X86_ADDRESS;
	i->reg = reg;
	i->base = LEAT_X86_NONE;
	i->imm = d->imm;
}

static void stack_op(const struct decoder *d, struct leat_x86_insn *i, enum leat_x86_op op)
{
	i->op = (uint8_t)op;
	i->reg = LEAT_X86_NONE;
	if ((d->op & 0xf0) == 0x50)
		i->reg = (d->op & 7) | ((d->rex & 1) << 3);
	else if (d->op == 0x8f && d->mod == 3)
		i->reg = d->rm;
}

/* 0x40 to 0x9f. */
static void lower(struct decoder *d, struct leat_x86_insn *i)
{
	const uint8_t op = d->op;

	if ((op >= 0x50 && op < 0x58) || op == 0x68 || op == 0x6a || op == 0x9c)
		stack_op(d, i, LEAT_X86_PUSH);
	else if (op < 0x60 || op == 0x8f || op == 0x9d)
		stack_op(d, i, LEAT_X86_POP);
	else if (op == 0x63 || op == 0x69 || op == 0x6b)
		i->writes = bit(d->reg);
	else if (op >= 0x70 && op < 0x80)
		relative(d, i, LEAT_X86_BRANCH);
	else if (op >= 0x80 && op < 0x84)
		alu_constant(d, i);
	else if (op == 0x86 || op == 0x87)
		i->writes = sized(d, d->reg) | written_rm(d);
	else if (op >= 0x88 && op < 0x8c)
		move(d, i);
	else if (op == 0x8d)
		lea(d, i);
	else if (op == 0x8c)
		i->writes = d->mod == 3 ? bit(d->rm) : 0;
	else if (op == 0x90 && !(d->rex & 1))
		i->op = LEAT_X86_NOP;
	else if (op >= 0x90 && op < 0x98)
		i->writes = bit(LEAT_X86_AX) | bit((op & 7u) | (d->rex & 1u) << 3);
	else if (op == 0x98 || op == 0x99)
		i->writes = bit(LEAT_X86_AX) | bit(LEAT_X86_DX);
}

static bool is_not_or_neg(const struct decoder *d)
{
	return (d->op & 0xfe) == 0xf6 && ((d->reg & 7) == 2 || (d->reg & 7) == 3);
}

/* 0xa0 to 0xff. */
static void upper(struct decoder *d, struct leat_x86_insn *i)
{
	const uint8_t op = d->op;

	if (op < 0xb0 && op != 0xa8 && op != 0xa9)
		i->writes = bit(LEAT_X86_SI) | bit(LEAT_X86_DI) | bit(LEAT_X86_CX) |
			    bit(LEAT_X86_AX);
	else if (op >= 0xb0 && op < 0xb8)
		i->writes = small(d, (op & 7) | ((d->rex & 1) << 3));
	else if (op >= 0xb8 && op < 0xc0)
		constant(d, i, (op & 7) | ((d->rex & 1) << 3));
	else if (op == 0xc7 && d->mod == 3 && d->wide)
		constant(d, i, d->rm);
	else if (op == 0xc2 || op == 0xc3)
		i->op = LEAT_X86_RET;
	else if (op < 0xc8 || (op >= 0xd0 && op < 0xd4) || op == 0xfe || is_not_or_neg(d))
		i->writes = written_rm(d);
	else if (op == 0xc9)
		i->op = LEAT_X86_LEAVE;
	else if (op == 0xf4)
		i->op = LEAT_X86_END;
	else if (op == 0xcd || op == 0xd7 || op == 0xdf)
		i->writes = bit(LEAT_X86_AX);
	else if (op >= 0xe0 && op < 0xe4)
		relative(d, i, LEAT_X86_BRANCH);
	else if (op == 0xe8)
		relative(d, i, LEAT_X86_CALL);
	else if (op == 0xe9 || op == 0xeb)
		relative(d, i, LEAT_X86_JUMP);
	else if ((op & 0xfe) == 0xf6 && (d->reg & 7) >= 4)
		i->writes = bit(LEAT_X86_AX) | bit(LEAT_X86_DX);
	else if (op == 0xff)
		group_ff(d, i);
	if (i->op == LEAT_X86_BRANCH)
		i->writes = bit(LEAT_X86_CX); /* loop */
}

/* ---- more bytes ---- */

static bool writes_reg(const struct decoder *d)
{
	const uint8_t op = d->op;

	if (d->map == 1)
		return op == 0x2c || op == 0x2d || (op >= 0x40 && op < 0x51) || op == 0x78 ||
		       op == 0x79 || op == 0x93 || op == 0xaf || (op >= 0xb2 && op < 0xb9) ||
		       (op >= 0xbc && op < 0xc2) || op == 0xc5 || op == 0xd7;
	return d->map == 2 ? op >= 0xf0 && op < 0xf8 : d->map == 3 && op == 0xf0;
}

static bool writes_rm(const struct decoder *d)
{
	const uint8_t op = d->op;

	if (d->map == 1)
		return op == 0x7e || (op >= 0x90 && op < 0xa0) || op == 0xa4 || op == 0xa5 ||
		       op == 0xab || op == 0xac || op == 0xad || op == 0xb0 || op == 0xb1 ||
		       op == 0xb3 || op == 0xba || op == 0xbb || op == 0xc0 || op == 0xc1 ||
		       op == 0xc7;
	return d->map == 3 && op >= 0x14 && op < 0x18;
}

static void many_bytes(const struct decoder *d, struct leat_x86_insn *i)
{
	const uint8_t op = d->op;
	const bool is_small = !d->vector && d->map == 1 &&
			      ((op >= 0x90 && op < 0xa0) || op == 0xb0 || op == 0xc0);

	if (writes_reg(d))
		i->writes = is_small ? small(d, d->reg) : bit(d->reg);
	if (writes_rm(d) && d->mod == 3)
		i->writes |= is_small ? small(d, d->rm) : bit(d->rm);
	if (d->vector && d->map == 2 && (op == 0xf3 || op == 0xf6))
		i->writes |= bit(d->vvvv);
	if (d->map == 3 && op >= 0x60 && op < 0x64)
		i->writes |= bit(LEAT_X86_CX);
	if (d->map != 1 || d->vector)
		return;
	if (op == 0x05)
		i->writes = bit(LEAT_X86_AX) | bit(LEAT_X86_CX) | bit(11);
	else if (op == 0x0b || op == 0xff)
		i->op = LEAT_X86_END;
	else if (op >= 0x19 && op < 0x20)
		i->op = LEAT_X86_NOP;
	else if (op >= 0x80 && op < 0x90)
		relative(d, i, LEAT_X86_BRANCH);
	else if (op == 0xa2 || op == 0x01 || op == 0x31 || op == 0x33 || op == 0xc7)
		i->writes |= bit(LEAT_X86_AX) | bit(LEAT_X86_DX) |
			     (op == 0xa2 ? bit(LEAT_X86_BX) | bit(LEAT_X86_CX) : 0);
	else if (op >= 0xc8 && op < 0xd0)
		i->writes = bit((op & 7u) | (d->rex & 1u) << 3);
}

/* Half of a word on the stack: nobody writes that. */
static bool is_odd(const struct decoder *d, const struct leat_x86_insn *i)
{
	return d->half && (i->op == LEAT_X86_PUSH || i->op == LEAT_X86_POP);
}

bool leat_x86_decode(const uint8_t *code, size_t n, struct leat_x86_insn *out)
{
	struct decoder d = { .p = code, .n = n < INSN_MAX ? n : INSN_MAX };
	struct leat_x86_insn i = { .reg = LEAT_X86_NONE, .base = LEAT_X86_NONE };
	uint8_t what;

	prefixes(&d);
	opcode(&d);
	what = d.bad ? X : follows(&d);
	if (what & X)
		return false;
	operands(&d, what);
	if (d.map)
		many_bytes(&d, &i);
	else if (d.op < 0x40)
		alu(&d, &i);
	else if (d.op < 0xa0)
		lower(&d, &i);
	else
		upper(&d, &i);
	if (d.bad || is_odd(&d, &i))
		return false;
	i.len = (uint8_t)d.at;
	*out = i;
	return true;
}
