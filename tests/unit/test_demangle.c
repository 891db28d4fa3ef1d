/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "symbols/demangle.h"

struct row {
	const char *symbol;
	const char *name; /* NULL: stays as it is */
};

static const struct row rows[] = {
	{ "main", NULL },
	{ "", NULL },
	{ "_", NULL },
	{ "_Z", NULL },
	{ "_Zfoo", NULL },
	{ "_start", NULL },
	{ "_ZN3foo3barEv", "foo::bar()" },
	{ "_ZN3foo3barEi", "foo::bar(int)" },
	{ "_ZNK3foo3barEv", "foo::bar() const" },
	{ "_ZN3fooC1Ev", "foo::foo()" },
	{ "_ZN3fooD0Ev", "foo::~foo()" },
	/* The return type of a template function would stand in front. */
	{ "_Z3maxIiET_S0_S0_", "max<int>(int, int)" },
	{ "_ZZ4mainENKUlvE_clEv", "main::{lambda()#1}::operator()() const" },
	{ "_ZTv0_n24_N3foo3barEv", "virtual thunk to foo::bar()" },
	{ "_ZN3foo3barEv.cold", "foo::bar() [clone .cold]" },
	{ "_GLOBAL__sub_I_main.cpp", NULL },
	{ "_ZN3foo3barEv@plt", "foo::bar()@plt" },
	/* Rust, legacy: the hash goes. */
	{ "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad" },
	{ "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE.llvm.12345",
	  "core::fmt::Formatter::pad" },
	{ "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE.llvm.12345.cold",
	  "core::fmt::Formatter::pad.cold" },
	{ "_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar"
	  "17h930b740aa94f1d3aE",
	  "<Test + 'static as foo::Bar<Test>>::bar" },
	/* A C++ name that only ends like one. */
	{ "_ZN3foo17hnotahash12345678Ev", "foo::hnotahash12345678()" },
	/* Rust, v0. */
	{ "_RNvC7mycrate3foo", "mycrate::foo" },
	{ "_RNvC6_123foo3bar", "123foo::bar" },
	{ "_RNvC7mycrate3foo.cold", "mycrate::foo.cold" },
	{ "_RNvC7mycrate3foo.llvm.99", "mycrate::foo" },
	{ "_RNvC7mycrate", NULL },
	{ "_R", NULL },
};

Test(demangle, names)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		struct leat_buf out;
		bool ok;

		leat_buf_init(&out, 1 << 20);
		leat_buf_str(&out, "<");
		ok = leat_demangle(rows[i].symbol, strlen(rows[i].symbol), &out);
		cr_expect(eq(int, ok, rows[i].name != NULL), "%s", rows[i].symbol);
		if (rows[i].name)
			cr_expect(eq(str, out.data + 1, (char *)(uintptr_t)rows[i].name));
		else
			cr_expect(eq(sz, out.len, 1));
		leat_buf_fini(&out);
	}
}

static bool demangle(const char *s, size_t n, size_t *len)
{
	struct leat_buf out;
	bool ok;

	leat_buf_init(&out, 1 << 20);
	ok = leat_demangle(s, n, &out);
	*len = out.len;
	leat_buf_fini(&out);
	return ok;
}

/* Each substitution doubles the one before: 2^30 names out of some hundred bytes. */
Test(demangle, growth_is_bounded)
{
	struct leat_buf s;
	size_t len = 0;

	leat_buf_init(&s, 4000);
	leat_buf_str(&s, "_Z1fSt4pairIiiE");
	for (unsigned int i = 0; i < 30; i++) {
		char seq = (char)(i < 10 ? '0' + i : 'A' + (i - 10));

		leat_buf_printf(&s, "St4pairIS%c_S%c_E", seq, seq);
	}
	cr_assert(eq(int, s.err, 0));
	demangle(s.data, s.len, &len);
	cr_expect(le(sz, len, LEAT_DEMANGLE_OUT_MAX));
	leat_buf_fini(&s);
}

/* Base 62 with an end mark, as v0 counts: "_" is 0, "0_" is 1. */
static void add_base62(struct leat_buf *s, size_t v)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	if (v > 62)
		leat_buf_char(s, digits[(v - 1) / 62]);
	if (v)
		leat_buf_char(s, digits[(v - 1) % 62]);
	leat_buf_char(s, '_');
}

/* Each tuple holds the one before it twice, by reference. */
Test(demangle, rust_growth_is_bounded)
{
	struct leat_buf s;
	size_t len = 0, before;

	leat_buf_init(&s, 4000);
	leat_buf_str(&s, "_RINvC1a1b");
	before = s.len - 2;
	leat_buf_str(&s, "TyyE");
	for (unsigned int i = 0; i < 60; i++) {
		size_t at = s.len - 2;

		leat_buf_str(&s, "TB");
		add_base62(&s, before);
		leat_buf_char(&s, 'B');
		add_base62(&s, before);
		leat_buf_char(&s, 'E');
		before = at;
	}
	leat_buf_char(&s, 'E');
	cr_assert(eq(int, s.err, 0));
	/* It would be far more than there is memory: over the limit, so the symbol stays. */
	cr_expect(eq(int, demangle(s.data, s.len, &len), 0));
	cr_expect(eq(sz, len, 0));
	leat_buf_fini(&s);
}

Test(demangle, depth_is_bounded)
{
	char *s = malloc(LEAT_DEMANGLE_IN_MAX * 2);
	size_t len = 0;

	memcpy(s, "_Z1f", 4);
	memset(s + 4, 'P', LEAT_DEMANGLE_IN_MAX - 6);
	s[LEAT_DEMANGLE_IN_MAX - 2] = 'i';
	demangle(s, LEAT_DEMANGLE_IN_MAX - 1, &len);
	/* Too long: not even tried. */
	memset(s + 4, 'i', LEAT_DEMANGLE_IN_MAX);
	cr_expect(eq(int, demangle(s, LEAT_DEMANGLE_IN_MAX, &len), 0));
	cr_expect(eq(sz, len, 0));
	free(s);
}

Test(demangle, cut_anywhere)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		for (size_t n = 0; n <= strlen(rows[i].symbol); n++) {
			char *copy = malloc(n ? n : 1);
			size_t len;

			memcpy(copy, rows[i].symbol, n);
			demangle(copy, n, &len);
			free(copy);
		}
	}
}

Test(demangle, full_buffer)
{
	struct leat_buf out;

	leat_buf_init(&out, 4);
	cr_expect(eq(int, leat_demangle("_ZN3foo3barEv", 13, &out), 0));
	cr_expect(eq(sz, out.len, 0));
	leat_buf_fini(&out);
}

Test(demangle, versions)
{
	cr_expect(eq(sz, leat_unversioned("exit@@GLIBC_2.2.5", 17), 4));
	cr_expect(eq(sz, leat_unversioned("exit@GLIBC_2.2.5", 16), 4));
	cr_expect(eq(sz, leat_unversioned("puts@plt", 8), 8));
	cr_expect(eq(sz, leat_unversioned("puts@pl", 7), 4));
	cr_expect(eq(sz, leat_unversioned("@odd", 4), 4));
	cr_expect(eq(sz, leat_unversioned("plain", 5), 5));
	cr_expect(eq(sz, leat_unversioned("", 0), 0));
}
