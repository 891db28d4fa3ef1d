/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbols/ksym_lines.h"

#include <errno.h>
#include <string.h>

#include "symbols/hex.h"

/* "0x" and digits. Where they end, or NULL. */
static const char *read_number(const char *s, const char *end, uint64_t *out)
{
	const char *p;

	if (end - s < 3 || s[0] != '0' || s[1] != 'x')
		return NULL;
	p = leat_hex_read(s + 2, end, out);
	return p == s + 2 ? NULL : p;
}

/* " [module]" at the end of the line; gives the end of what is before it. */
static const char *cut_module(const char *s, const char *end, struct leat_kline *out)
{
	const char *space = memrchr(s, ' ', (size_t)(end - s));

	if (!space || end - space < 4 || space[1] != '[' || end[-1] != ']')
		return end;
	out->module = space + 2;
	out->module_len = (uint16_t)(end - 1 - out->module);
	return space;
}

bool leat_ksym_parse(const char *s, size_t n, uint64_t addr, struct leat_kline *out)
{
	struct leat_kline l = { .type = 't', .name = s };
	uint64_t offset, size;
	const char *end, *plus, *p;

	if (n > UINT16_MAX)
		return false;
	end = cut_module(s, s + n, &l);
	plus = memrchr(s, '+', (size_t)(end - s));
	if (!plus || plus == s || memchr(s, ' ', (size_t)(plus - s)))
		return false;
	p = read_number(plus + 1, end, &offset);
	if (!p || p == end || *p != '/' || read_number(p + 1, end, &size) != end)
		return false;
	/* Behind a module's code the kernel subtracts beyond zero: there is no such size. */
	if (offset >= size || offset >= addr || size > UINT64_MAX - (addr - offset))
		return false;
	l.addr = addr - offset;
	l.name_len = (uint16_t)(plus - s);
	*out = l;
	return true;
}

static bool has_prefix(const struct leat_kline *l, const char *prefix)
{
	size_t n = strlen(prefix);

	return l->name_len > n && !memcmp(l->name, prefix, n);
}

/*
 * The kernel does not say [bpf] here, as /proc/kallsyms does. Data of its own has such names too
 * (bpf_prog_fops), but none with a program's tag or a trampoline's number.
 */
static bool is_bpf(const struct leat_kline *l)
{
	static const char prog[] = "bpf_prog_", trampoline[] = "bpf_trampoline_";
	const char *tag = l->name + sizeof(prog) - 1, *end = l->name + l->name_len;
	uint64_t v;

	if (has_prefix(l, prog))
		return leat_hex_read(tag, end, &v) == tag + 16 &&
		       (tag + 16 == end || tag[16] == '_');
	if (has_prefix(l, trampoline))
		return leat_hex_digit(l->name[sizeof(trampoline) - 1]) < 10;
	/* Of struct_ops, and where a few programs are told apart. */
	return has_prefix(l, "bpf__") || has_prefix(l, "bpf_dispatcher_");
}

/* Whether @l, which @addr is in, is a function; what belongs to no module is the kernel's, or BPF. */
static bool is_code(const struct leat_ksym_text *said, uint64_t addr, struct leat_kline *l)
{
	if (l->module || (addr >= said->text_start && addr < said->text_end))
		return true;
	if (!is_bpf(l))
		return false;
	l->module = "bpf";
	l->module_len = 3;
	return true;
}

static void add_line(const struct leat_kline *l, struct leat_buf *out)
{
	leat_buf_printf(out, "%016llx %c ", (unsigned long long)l->addr, l->type);
	leat_buf_add(out, l->name, l->name_len);
	if (l->module) {
		leat_buf_str(out, "\t[");
		leat_buf_add(out, l->module, l->module_len);
		leat_buf_char(out, ']');
	}
	leat_buf_char(out, '\n');
}

int leat_ksym_lines(const uint64_t *addr, size_t n, const struct leat_ksym_text *said,
		    struct leat_buf *out)
{
	const char *at = said->s, *end = at + said->len;
	uint64_t last = 0;

	for (size_t i = 0; i < n; i++) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		struct leat_kline l;

		if (!nl)
			return -EBADMSG;
		if (!leat_ksym_parse(at, (size_t)(nl - at), addr[i], &l) ||
		    !is_code(said, addr[i], &l))
			return -ENOENT;
		if (l.addr != last)
			add_line(&l, out);
		last = l.addr;
		at = nl + 1;
	}
	return out->err;
}
