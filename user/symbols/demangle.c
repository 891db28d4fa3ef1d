/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbols/demangle.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include "symbols/hex.h"

/* "17h", 16 digits, "E": what rustc's legacy mangling ends with. */
#define LEGACY_TAIL 20
#define PLT_LEN	    4

bool leat_is_mangled(const char *symbol, size_t n)
{
	return n > 2 && symbol[0] == '_' && (symbol[1] == 'Z' || symbol[1] == 'R');
}

struct sink {
	struct leat_buf *out;
	size_t start;
	jmp_buf over;
	bool is_rust;
};

static bool is_ascii(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)s[i] >= 0x80)
			return false;
	}
	return true;
}

/*
 * A short symbol can stand for an endless name, by references to itself. Leaving the printer is
 * the only way to end that. It holds nothing but its own stack, with one exception: the text of a
 * Rust identifier in Punycode, which is never plain ASCII, is freed when this returns.
 */
static void add(const char *s, size_t n, void *opaque)
{
	struct sink *sink = opaque;
	bool over = sink->out->len - sink->start + n > LEAT_DEMANGLE_OUT_MAX;

	if (!over)
		leat_buf_add(sink->out, s, n);
	if ((over || sink->out->err) && (!sink->is_rust || is_ascii(s, n)))
		longjmp(sink->over, 1);
}

static void cut_back(struct leat_buf *out, size_t len)
{
	out->len = len;
	if (out->data)
		out->data[len] = 0;
}

static bool run(const char *symbol, bool is_rust, struct leat_buf *out)
{
	struct sink sink = { .out = out, .start = out->len, .is_rust = is_rust };
	bool ok;

	if (setjmp(sink.over)) {
		cut_back(out, sink.start);
		return false;
	}
	if (is_rust)
		ok = rust_demangle_callback(symbol, 0, add, &sink);
	else
		ok = cplus_demangle_v3_callback(symbol, DMGL_PARAMS | DMGL_ANSI | DMGL_RET_DROP,
						add, &sink);
	if (ok && out->len > sink.start)
		return true;
	cut_back(out, sink.start);
	return false;
}

static bool is_hash(const char *s)
{
	for (size_t i = 0; i < 16; i++) {
		if (leat_hex_digit(s[3 + i]) > 15)
			return false;
	}
	return memcmp(s, "17h", 3) == 0 && s[LEGACY_TAIL - 1] == 'E';
}

/* Length of _ZN...17h<16 hex digits>E, without what the compiler has added; 0: no such name. */
static size_t legacy_rust_len(const char *symbol, size_t n)
{
	if (n < LEGACY_TAIL + 3 || memcmp(symbol, "_ZN", 3) != 0)
		return 0;
	for (size_t end = n; end >= LEGACY_TAIL + 3; end--) {
		if ((end == n || symbol[end] == '.') && is_hash(symbol + end - LEGACY_TAIL))
			return end;
	}
	return 0;
}

/* ".cold" and its like say which part of a function this is; ".llvm.<number>" says nothing. */
static void add_suffix(const char *s, struct leat_buf *out)
{
	static const char llvm[] = ".llvm.";

	while (*s) {
		size_t n = 1 + strcspn(s + 1, ".");

		if (strncmp(s, llvm, sizeof(llvm) - 1) == 0) {
			s += sizeof(llvm) - 1;
			s += strspn(s, "0123456789");
			continue;
		}
		leat_buf_add(out, s, n);
		s += n;
	}
}

static bool demangle_rust(char *symbol, size_t len, struct leat_buf *out)
{
	char first = symbol[len];
	bool ok;

	symbol[len] = 0;
	ok = run(symbol, true, out);
	symbol[len] = first;
	if (ok)
		add_suffix(symbol + len, out);
	return ok;
}

static bool demangle(char *symbol, size_t n, struct leat_buf *out)
{
	size_t legacy;

	if (symbol[1] == 'R')
		return demangle_rust(symbol, strcspn(symbol, ".$"), out);
	legacy = legacy_rust_len(symbol, n);
	if (legacy && demangle_rust(symbol, legacy, out))
		return true;
	return run(symbol, false, out);
}

/* An entry of the procedure linkage table, not the function itself. */
static bool is_plt(const char *symbol, size_t n)
{
	return n > PLT_LEN && memcmp(symbol + n - PLT_LEN, "@plt", PLT_LEN) == 0;
}

bool leat_demangle(const char *symbol, size_t n, struct leat_buf *out)
{
	char copy[LEAT_DEMANGLE_IN_MAX];
	bool plt = is_plt(symbol, n);

	n -= plt ? PLT_LEN : 0;
	if (n >= sizeof(copy) || !leat_is_mangled(symbol, n) || out->err)
		return false;
	memcpy(copy, symbol, n);
	copy[n] = 0;
	if (!demangle(copy, n, out))
		return false;
	if (plt)
		leat_buf_str(out, "@plt");
	return true;
}

size_t leat_unversioned(const char *symbol, size_t n)
{
	const char *at = n ? memchr(symbol + 1, '@', n - 1) : NULL;

	return at && !is_plt(symbol, n) ? (size_t)(at - symbol) : n;
}
