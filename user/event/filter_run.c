/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the program of a filter. */
#include <errno.h>
#include <string.h>

#include "event/filter_prog.h"

#define LOAD(type, p)                                                                              \
	({                                                                                         \
		type v_;                                                                           \
		memcpy(&v_, (p), sizeof(v_));                                                      \
		v_;                                                                                \
	})

/* Half of the ranges are left out at each step, without a branch that depends on the value. */
static bool in_set(const struct leat_insn *in, uint64_t v)
{
	const struct leat_prog_range *r = in->ranges;

	v = (v & in->num.mask) ^ in->num.lo;
	for (size_t n = in->n; n > 1;) {
		size_t half = n / 2;

		r = r[half].lo <= v ? r + half : r;
		n -= half;
	}
	return v - r->lo <= r->hi - r->lo;
}

/* The bytes of a text: as many as there may be, its NUL not looked for. */
static inline const uint8_t *text_of(const struct leat_insn *in, const struct leat_record *r,
				     const struct leat_prog_slot *slots, size_t *n)
{
	if (in->span == LEAT_SPAN_SLOT) {
		*n = slots[in->at].n;
		return slots[in->at].p;
	}
	*n = in->span == LEAT_SPAN_STATIC ? in->size : r->size - in->at;
	return (const uint8_t *)r->data + in->at;
}

/* The literal's NUL stands behind it: one comparison finds the text equal and ended. */
static bool equals(const struct leat_insn *in, const uint8_t *p, size_t n, size_t width)
{
	if (n >= in->n + width)
		return memcmp(p, in->lit, in->n + width) == 0;
	/* An odd byte behind the last unit of UTF-16 is none. */
	return n - n % width == in->n && (!in->n || memcmp(p, in->lit, in->n) == 0);
}

static bool ends_with(const struct leat_insn *in, const uint8_t *p, size_t n)
{
	return n >= in->n && memcmp(p + n - in->n, in->lit, in->n) == 0;
}

static bool test_text(const struct leat_insn *in, const struct leat_record *r,
		      const struct leat_prog_slot *slots)
{
	size_t n;
	const uint8_t *p = text_of(in, r, slots, &n);

	if (!n && (in->op == LEAT_PROG_GLOB || in->op == LEAT_PROG_GLOB_W))
		return leat_glob_matches(in->glob, (const uint8_t *)"", 0);
	if (!n)
		return !in->n; /* the end of empty text may be no address at all */
	switch (in->op) {
	case LEAT_PROG_EQ:
		return equals(in, p, n, 1);
	case LEAT_PROG_EQ_W:
		return equals(in, p, n, 2);
	case LEAT_PROG_STARTS: /* no NUL in the literal: none in what is equal to it */
	case LEAT_PROG_STARTS_W:
		return n >= in->n && memcmp(p, in->lit, in->n) == 0;
	case LEAT_PROG_ENDS:
		return ends_with(in, p, strnlen((const char *)p, n));
	case LEAT_PROG_ENDS_W:
		return ends_with(in, p, leat_filter_len16(p, n));
	case LEAT_PROG_CONTAINS:
		return leat_filter_find(p, n, in->lit, in->n);
	case LEAT_PROG_CONTAINS_W:
		return leat_filter_find16(p, n, in->lit, in->n);
	case LEAT_PROG_GLOB:
		return leat_glob_matches(in->glob, p, strnlen((const char *)p, n));
	default:
		return leat_glob_matches(in->glob, p, leat_filter_len16(p, n));
	}
}

#define NUMBER(name, type)                                                                         \
	case LEAT_PROG_RANGE + LEAT_LOAD_##name:                                                   \
		ok = ((uint64_t)LOAD(type, data + in->at) & in->num.mask) - in->num.lo <=          \
		     in->num.span_len;                                                             \
		break;                                                                             \
	case LEAT_PROG_SET + LEAT_LOAD_##name:                                                     \
		ok = in_set(in, (uint64_t)LOAD(type, data + in->at));                              \
		break

static inline __attribute__((always_inline)) int run(const struct leat_prog *pr,
						     const struct leat_record *r,
						     const struct leat_prog_slot *slots)
{
	const uint8_t *data = r->data;
	unsigned int at = pr->entry;

	while (at < LEAT_PROG_FALSE) {
		const struct leat_insn *in = &pr->code[at];
		bool ok;

		switch (in->op) {
			NUMBER(U8, uint8_t);
			NUMBER(U16, uint16_t);
			NUMBER(U32, uint32_t);
			NUMBER(U64, uint64_t);
			NUMBER(I8, int8_t);
			NUMBER(I16, int16_t);
			NUMBER(I32, int32_t);
		case LEAT_PROG_RANGE + LEAT_LOAD_SLOT:
			ok = (slots[in->at].n & in->num.mask) - in->num.lo <= in->num.span_len;
			break;
		case LEAT_PROG_SET + LEAT_LOAD_SLOT:
			ok = in_set(in, slots[in->at].n);
			break;
		case LEAT_PROG_F32:
			ok = (double)LOAD(float, data + in->at) >= in->real.lo &&
			     (double)LOAD(float, data + in->at) <= in->real.hi;
			break;
		case LEAT_PROG_F64:
			ok = LOAD(double, data + in->at) >= in->real.lo &&
			     LOAD(double, data + in->at) <= in->real.hi;
			break;
		case LEAT_PROG_F_SLOT:
			ok = LOAD(double, &slots[in->at].n) >= in->real.lo &&
			     LOAD(double, &slots[in->at].n) <= in->real.hi;
			break;
		case LEAT_PROG_EQ8:
			ok = (LOAD(uint64_t, data + in->at) & in->eq.mask[0]) == in->eq.lit[0];
			break;
		case LEAT_PROG_EQ16:
			ok = (((LOAD(uint64_t, data + in->at) & in->eq.mask[0]) ^ in->eq.lit[0]) |
			      ((LOAD(uint64_t, data + in->at + 8) & in->eq.mask[1]) ^
			       in->eq.lit[1])) == 0;
			break;
		default:
			ok = test_text(in, r, slots);
			break;
		}
		at = ok ? in->if_true : in->if_false;
	}
	return at == LEAT_PROG_TRUE;
}

/* __data_loc and __rel_loc: length in the upper half, offset in the lower. */
static bool fetch_described(const struct leat_prog_fetch *f, const struct leat_record *r,
			    struct leat_prog_slot *out)
{
	const uint8_t *data = r->data;
	uint32_t word = LOAD(uint32_t, data + f->at);
	uint64_t start = word & 0xffff;

	if (f->location == LEAT_LOCATION_REL_LOC)
		start += (uint64_t)f->at + sizeof(word);
	out->p = data + start;
	out->n = word >> 16;
	return start + out->n <= r->size;
}

static bool fetch_float(const struct leat_slice *s, struct leat_prog_slot *out)
{
	double v;

	if (s->len != sizeof(float) && s->len != sizeof(double))
		return false;
	v = s->len == sizeof(float) ? (double)LOAD(float, s->data) : LOAD(double, s->data);
	memcpy(&out->n, &v, sizeof(v));
	return true;
}

static bool fetch(const struct leat_prog *pr, const struct leat_prog_fetch *f,
		  const struct leat_record *r, struct leat_prog_slot *out)
{
	struct leat_slice s;

	if (f->location == LEAT_LOCATION_DATA_LOC || f->location == LEAT_LOCATION_REL_LOC)
		return fetch_described(f, r, out);
	if (f->kind == LEAT_FILTER_NUMBER)
		return leat_get_u64(pr->format, f->field, r, &out->n) == 0;
	s = leat_get_slice(pr->format, f->field, r);
	if (f->kind == LEAT_FILTER_FLOAT)
		return fetch_float(&s, out);
	out->p = s.data;
	out->n = s.len;
	return s.data != NULL;
}

static int run_with_slots(const void *program, const struct leat_record *r)
{
	struct leat_prog_slot slots[LEAT_FILTER_MAX_SLOTS];
	const struct leat_prog *pr = program;

	if (r->size < pr->min_size)
		return -ENODATA;
	for (size_t i = 0; i < pr->fetch_cnt; i++) {
		if (!fetch(pr, &pr->fetches[i], r, &slots[i]))
			return -ENODATA;
	}
	return run(pr, r, slots);
}

static int run_fixed(const void *program, const struct leat_record *r)
{
	static const struct leat_prog_slot none;
	const struct leat_prog *pr = program;

	if (__builtin_expect(r->size < pr->min_size, 0))
		return -ENODATA;
	return run(pr, r, &none);
}

/* One test of one number, which most filters are: no dispatch, no jump. */
#define RUN_ONE(name, type)                                                                        \
	static int run_##name(const void *program, const struct leat_record *r)                    \
	{                                                                                          \
		const struct leat_prog *pr = program;                                              \
		const struct leat_prog_one *one = &pr->one;                                        \
		uint64_t v;                                                                        \
                                                                                                   \
		if (__builtin_expect(r->size < pr->min_size, 0))                                   \
			return -ENODATA;                                                           \
		v = (uint64_t)LOAD(type, (const uint8_t *)r->data + one->at) & one->mask;          \
		return (int)((v - one->lo > one->span_len) ^ one->passes);                         \
	}

RUN_ONE(u8, uint8_t)
RUN_ONE(u16, uint16_t)
RUN_ONE(u32, uint32_t)
RUN_ONE(u64, uint64_t)
RUN_ONE(i8, int8_t)
RUN_ONE(i16, int16_t)
RUN_ONE(i32, int32_t)

/* One test of one text that is compared whole. */
static int run_equal(const void *program, const struct leat_record *r)
{
	const struct leat_prog *pr = program;
	const struct leat_insn *in = &pr->code[pr->entry];
	const uint8_t *p = (const uint8_t *)r->data + in->at;
	uint64_t differs;

	if (__builtin_expect(r->size < pr->min_size, 0))
		return -ENODATA;
	differs = (LOAD(uint64_t, p) & in->eq.mask[0]) ^ in->eq.lit[0];
	if (in->op == LEAT_PROG_EQ16)
		differs |= (LOAD(uint64_t, p + 8) & in->eq.mask[1]) ^ in->eq.lit[1];
	return (differs == 0) == (in->if_true == LEAT_PROG_TRUE);
}

/* Both ends are verdicts, and not the same one. */
static bool is_one_test(const struct leat_prog *pr, const struct leat_insn *in)
{
	return pr->entry < LEAT_PROG_FALSE && in->if_true >= LEAT_PROG_FALSE &&
	       in->if_false >= LEAT_PROG_FALSE && in->if_true != in->if_false;
}

int (*leat_prog_runner(struct leat_prog *pr))(const void *program, const struct leat_record *r)
{
	static int (*const ones[])(const void *program, const struct leat_record *r) = {
		[LEAT_LOAD_U8] = run_u8,   [LEAT_LOAD_U16] = run_u16, [LEAT_LOAD_U32] = run_u32,
		[LEAT_LOAD_U64] = run_u64, [LEAT_LOAD_I8] = run_i8,   [LEAT_LOAD_I16] = run_i16,
		[LEAT_LOAD_I32] = run_i32,
	};
	const struct leat_insn *in = &pr->code[pr->entry < LEAT_PROG_FALSE ? pr->entry : 0];

	if (pr->fetch_cnt)
		return run_with_slots;
	if (!is_one_test(pr, in))
		return run_fixed;
	if (in->op == LEAT_PROG_EQ8 || in->op == LEAT_PROG_EQ16)
		return run_equal;
	if (in->op >= LEAT_LOAD_SLOT)
		return run_fixed;
	pr->one = (struct leat_prog_one){
		.at = in->at,
		.passes = in->if_true == LEAT_PROG_TRUE,
		.mask = in->num.mask,
		.lo = in->num.lo,
		.span_len = in->num.span_len,
	};
	return ones[in->op];
}
