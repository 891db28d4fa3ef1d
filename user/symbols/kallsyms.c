/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbols/kallsyms.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "symbols/hex.h"
#include "symbols/job.h"

/* No function is larger: an address further behind a symbol is not in it. */
#define REACH	   ((uint64_t)1 << 20)
#define VISITS_MAX ((uint64_t)1 << 26)
/* seq_file gives a page a time, whatever is asked for. */
#define PIECE_BYTES ((size_t)64 << 10)
#define KERNEL_HALF ((uint64_t)1 << 63)

void leat_kallsyms_init(struct leat_kallsyms *k, const struct leat_spots *spots,
			struct leat_ksym *syms)
{
	memset(k, 0, sizeof(*k));
	k->spots = spots;
	k->syms = syms;
	leat_buf_init(&k->text, LEAT_KALLSYMS_TEXT_MAX);
}

void leat_kallsyms_fini(struct leat_kallsyms *k)
{
	leat_buf_fini(&k->text);
}

/* "\t[module]" to the end of the line. */
static void parse_module(const char *s, const char *end, struct leat_kline *out)
{
	while (s < end && (*s == '\t' || *s == ' '))
		s++;
	if (end - s < 3 || *s != '[' || end[-1] != ']')
		return;
	out->module = s + 1;
	out->module_len = (uint16_t)(end - s - 2);
}

bool leat_kline_parse(const char *s, size_t n, struct leat_kline *out)
{
	const char *end = s + n, *p = leat_hex_read(s, end, &out->addr), *name;

	if (n > UINT16_MAX || p == s || end - p < 4 || p[0] != ' ' || p[2] != ' ')
		return false;
	out->type = p[1];
	name = p += 3;
	while (p < end && *p != '\t' && *p != ' ')
		p++;
	out->name = name;
	out->name_len = (uint16_t)(p - name);
	out->module = NULL;
	out->module_len = 0;
	parse_module(p, end, out);
	return out->name_len > 0;
}

static bool is_text(char type)
{
	return (type | 0x20) == 't' || (type | 0x20) == 'w';
}

/* Whether @l says more than what is known: nearer, or code where that is data. */
static bool is_better(const struct leat_ksym *s, const struct leat_kline *l)
{
	if (s->start != l->addr)
		return s->start < l->addr;
	return is_text(l->type) && !s->is_text;
}

static void put(struct leat_kallsyms *k, const struct leat_kline *l, uint64_t end)
{
	const struct leat_spots *spots = k->spots;
	struct leat_ksym new = { .start = l->addr };
	bool kept = false;

	for (size_t i = leat_spots_from(spots, l->addr); i < spots->n && spots->addr[i] < end;
	     i++) {
		if (k->visits++ > VISITS_MAX || !is_better(&k->syms[i], l))
			continue;
		if (!kept) {
			kept = true;
			new.is_text = is_text(l->type);
			new.name = (uint32_t)k->text.len;
			new.name_len = l->name_len;
			leat_buf_add(&k->text, l->name, l->name_len);
			new.module = (uint32_t)k->text.len;
			new.module_len = l->module_len;
			leat_buf_add(&k->text, l->module, l->module_len);
		}
		if (k->text.err)
			return;
		k->syms[i] = new;
	}
}

static uint64_t reach(uint64_t addr)
{
	return addr > UINT64_MAX - REACH ? UINT64_MAX : addr + REACH;
}

/* Keeps a line beyond its text. A name that is too long is cut: KSYM_NAME_LEN is 512. */
static void hold(struct leat_kallsyms *k, const struct leat_kline *l)
{
	k->held = *l;
	if (k->held.name_len > sizeof(k->held_name))
		k->held.name_len = sizeof(k->held_name);
	if (k->held.module_len > sizeof(k->held_module))
		k->held.module_len = sizeof(k->held_module);
	memcpy(k->held_name, l->name, k->held.name_len);
	if (l->module)
		memcpy(k->held_module, l->module, k->held.module_len);
	k->held.name = k->held_name;
	k->held.module = l->module ? k->held_module : NULL;
}

static void close_held(struct leat_kallsyms *k, const struct leat_kline *next)
{
	const struct leat_kline *h = &k->held;
	uint64_t end = reach(h->addr);

	if (!h->name_len)
		return;
	/* Only the kernel proper is sorted; of modules, the nearest one below is found by put(). */
	if (next && !h->module && next->addr > h->addr && next->addr < end)
		end = next->addr;
	put(k, h, end);
	k->held.name_len = 0;
}

static void take(struct leat_kallsyms *k, const struct leat_kline *l)
{
	const struct leat_kline *h = &k->held;

	k->line_cnt++;
	if (!l->addr) {
		k->zero_cnt++;
		return;
	}
	/* Absolute ones, and offsets into the per-CPU area, are no places. */
	if ((l->type | 0x20) == 'a' || (l->type | 0x20) == 'u' || l->addr < KERNEL_HALF)
		return;
	if (!k->lowest)
		k->lowest = l->addr;
	if (h->name_len && h->addr == l->addr && !h->module && !l->module) {
		if (is_text(l->type) && !is_text(h->type))
			hold(k, l);
		return;
	}
	close_held(k, l);
	if (!l->module && l->addr > k->spots->addr[k->spots->n - 1] &&
	    k->spots->addr[0] >= k->lowest)
		k->complete = true;
	hold(k, l);
}

size_t leat_kallsyms_feed(struct leat_kallsyms *k, const char *s, size_t n)
{
	const char *p = s, *end = s + n;
	struct leat_kline l;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		if (!nl)
			break;
		if (leat_kline_parse(p, (size_t)(nl - p), &l))
			take(k, &l);
		p = nl + 1;
	}
	return (size_t)(p - s);
}

bool leat_kallsyms_is_complete(const struct leat_kallsyms *k)
{
	return k->complete;
}

void leat_kallsyms_end(struct leat_kallsyms *k)
{
	close_held(k, NULL);
}

bool leat_kallsyms_is_hidden(const struct leat_kallsyms *k)
{
	return k->line_cnt > 0 && k->zero_cnt == k->line_cnt;
}

static int read_all(struct leat_kallsyms *k, int fd)
{
	LEAT_FREE char *piece = malloc(PIECE_BYTES);
	size_t have = 0;

	if (!piece)
		return -ENOMEM;
	while (!leat_kallsyms_is_complete(k)) {
		ssize_t got = read(fd, piece + have, PIECE_BYTES - have);
		size_t used;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		have += (size_t)got;
		used = leat_kallsyms_feed(k, piece, have);
		if (!used && have == PIECE_BYTES)
			return -EBADMSG;
		have -= used;
		memmove(piece, piece + used, have);
	}
	leat_kallsyms_end(k);
	return k->text.err;
}

/* "bpf_prog_<16 digits>_<name>": the name is what people know. */
static void shorten_bpf(const char *name, struct leat_found *f)
{
	static const char prefix[] = "bpf_prog_";
	size_t skip = sizeof(prefix) - 1 + 16 + 1;

	if (f->raw_len <= skip || memcmp(name, prefix, sizeof(prefix) - 1) != 0 ||
	    name[skip - 1] != '_')
		return;
	f->shown += skip;
	f->shown_len -= skip;
}

static void describe(struct leat_job *j, const struct leat_kallsyms *k, const struct leat_ksym *s,
		     struct leat_found *f)
{
	const char *name = k->text.data + s->name, *module = k->text.data + s->module;

	*f = (struct leat_found){ .start = s->start, .kind = LEAT_FUNCTION_KERNEL };
	f->raw = f->shown = j->text.len;
	f->raw_len = f->shown_len = s->name_len;
	leat_buf_add(&j->text, name, s->name_len);
	if (!s->module_len)
		return;
	if (s->module_len == 3 && memcmp(module, "bpf", 3) == 0) {
		f->kind = LEAT_FUNCTION_BPF;
		shorten_bpf(name, f);
		return;
	}
	/* "__builtin__kprobes" and the like are pages of the kernel itself. */
	if (s->module_len > 2 && memcmp(module, "__", 2) == 0)
		return;
	f->kind = LEAT_FUNCTION_MODULE;
	f->module = j->text.len;
	f->module_len = s->module_len;
	leat_buf_add(&j->text, module, s->module_len);
}

static int add_found(struct leat_job *j, const struct leat_kallsyms *k)
{
	uint32_t id = LEAT_ID_NONE;

	for (size_t i = 0; i < j->spots.n; i++) {
		const struct leat_ksym *s = &k->syms[i];
		struct leat_found f;
		int err;

		if (!s->start || !s->is_text)
			continue;
		if (id == LEAT_ID_NONE || j->found[id].start != s->start) {
			describe(j, k, s, &f);
			err = leat_job_add(j, &f, &id);
			if (err)
				return err;
		}
		leat_job_set(j, i, id);
	}
	return 0;
}

void leat_job_kernel(struct leat_job *j)
{
	LEAT_FREE struct leat_ksym *syms = NULL;
	LEAT_AUTO(leat_kallsyms_fini) struct leat_kallsyms k = { 0 };
	LEAT_CLOSE int fd = -1;

	j->cause = LEAT_UNNAMED_STRIPPED;
	j->err = leat_job_make_spots(j);
	if (j->err || !j->spots.n)
		return;
	fd = leat_opener_open_ksyms(j->files, leat_job_object(j), &j->spots);
	if (fd < 0) {
		j->cause = leat_unnamed_of_errno(fd);
		j->unreadable = true;
		return;
	}
	syms = calloc(j->spots.n, sizeof(*syms));
	if (!syms) {
		j->err = -ENOMEM;
		return;
	}
	leat_kallsyms_init(&k, &j->spots, syms);
	j->err = read_all(&k, fd);
	if (j->err && j->err != -ENOMEM)
		j->err = 0; /* what could be read counts */
	if (leat_kallsyms_is_hidden(&k)) {
		j->cause = LEAT_UNNAMED_PERMISSION;
		j->kptr_restricted = true;
	}
	if (!j->err)
		j->err = add_found(j, &k);
}
