/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of all sources are sorted by address, then each is turned into rows. Where two overlap,
 * the one that begins later holds from its start to its end, and what the earlier one says of the
 * rest is dropped: an unwinder that searches .eh_frame_hdr sees it so too. Of two with the same
 * start the first one holds.
 */
#include "unwind/table.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "unwind/cfi.h"
#include "unwind/frames.h"
#include "unwind/gaps.h"
#include "unwind/gopclntab.h"
#include "unwind/plt.h"

#define FP_GAP_MIN   (64u << 10)
#define FP_GAP_MAX   (64u << 20)
#define FP_EVERY     2048 /* node 20's builtins have one prologue in 900 bytes */
#define PLTS_MAX     16
#define LOOK_SHARE   12		 /* of the code */
#define LOOK_BYTES   (64u << 10) /* 6 ms */
#define PAGE_BYTES   4096ull
#define SEGMENTS_MAX 64
#define CFIS_MAX     4
#define SOURCE_GO    CFIS_MAX
#define SOURCE_PLT   (CFIS_MAX + 1)

struct segment {
	uint64_t start, end;
};

struct build {
	struct leat_elf *elf;
	struct leat_elf *mini; /* of .gnu_debugdata */
	struct segment code[SEGMENTS_MAX];
	size_t code_cnt;
	/*
	 * Sections of code, sorted. Linkers that do not separate code put a binary's constants and unwind
	 * information into its segment too (libLLVM 14: 51 of 102 MB).
	 */
	struct segment text[SEGMENTS_MAX];
	size_t text_cnt;
	uint64_t low, high; /* of all code */
	bool framed;	    /* most of it is not described, and keeps frame pointers */
	struct leat_cfi cfi[CFIS_MAX];
	uint32_t cfi_cnt;
	struct leat_gopcln go;
	struct leat_fdes fdes;
	struct leat_gaps gaps;
	bool look; /* into gaps, for what can be found out of their code */
	struct leat_unwind_table t;
};

static void build_fini(struct build *b)
{
	for (uint32_t i = 0; i < b->cfi_cnt; i++)
		leat_cfi_fini(&b->cfi[i]);
	free(b->fdes.v);
	leat_gaps_fini(&b->gaps);
	leat_elf_free(&b->mini);
}

static int find_code(struct build *b)
{
	for (size_t i = 0; i < leat_elf_phdr_cnt(b->elf); i++) {
		const struct leat_elf_phdr *p = leat_elf_phdr_at(b->elf, i);
		uint64_t end;

		if (p->type != PT_LOAD || !(p->flags & PF_X) || !p->memsz)
			continue;
		if (__builtin_add_overflow(p->vaddr, p->memsz, &end))
			return -EBADMSG;
		if (b->code_cnt == SEGMENTS_MAX)
			return -EOVERFLOW;
		if (!b->code_cnt || p->vaddr < b->low)
			b->low = p->vaddr;
		if (end > b->high)
			b->high = end;
		b->code[b->code_cnt++] = (struct segment){ p->vaddr, end };
	}
	return b->code_cnt ? 0 : -EBADMSG;
}

static int by_start(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* What can be taken for code. Without sections: all that is executable. */
static void find_text(struct build *b)
{
	for (size_t i = 0; i < leat_elf_section_cnt(b->elf) && b->text_cnt < SEGMENTS_MAX; i++) {
		const struct leat_elf_section *s = leat_elf_section_at(b->elf, i);
		uint64_t end;

		if (s->type == SHT_PROGBITS && s->flags & SHF_EXECINSTR && s->size &&
		    !__builtin_add_overflow(s->addr, s->size, &end))
			b->text[b->text_cnt++] = (struct segment){ s->addr, end };
	}
	if (!b->text_cnt) {
		memcpy(b->text, b->code, b->code_cnt * sizeof(*b->code));
		b->text_cnt = b->code_cnt;
	}
	qsort(b->text, b->text_cnt, sizeof(*b->text), by_start);
	for (size_t i = 1; i < b->text_cnt; i++) {
		struct segment *s = &b->text[i];

		s->start = s->start > s[-1].end ? s->start : s[-1].end;
		s->end = s->end > s->start ? s->end : s->start;
	}
}

/* The part of [@start, @end) that lies in one of them; false: none. */
static bool text_part(const struct build *b, size_t i, uint64_t start, uint64_t end,
		      struct segment *out)
{
	out->start = start > b->text[i].start ? start : b->text[i].start;
	out->end = end < b->text[i].end ? end : b->text[i].end;
	return out->start < out->end;
}

/* ---- call frame information ---- */

static struct leat_cfi *add_cfi(struct build *b, const uint8_t *data, size_t len, uint64_t vaddr)
{
	struct leat_cfi *c = &b->cfi[b->cfi_cnt];

	*c = (struct leat_cfi){ .data = data, .len = len, .vaddr = vaddr, .source = b->cfi_cnt };
	b->cfi_cnt++;
	return c;
}

/* What a maximum leaves out is missing; what is there counts. */
static int keep_part(struct build *b, int err)
{
	if (err != -EOVERFLOW)
		return err;
	b->t.err = err;
	return 0;
}

static int scan_section(struct build *b, struct leat_elf *e, const char *name, bool debug)
{
	const struct leat_elf_section *s = leat_elf_section_find(e, name);
	const size_t before = b->fdes.n;
	const uint8_t *data;
	struct leat_cfi *c;
	size_t len;
	int err;

	if (!s || s->type == SHT_NOBITS)
		return 0;
	err = leat_elf_section_data(e, s, &data, &len);
	/* A section that is damaged is as good as none: another source may do. */
	if (err == -EBADMSG || err == -ENOTSUP) {
		b->t.bad_cnt++;
		return 0;
	}
	if (err)
		return err;
	c = add_cfi(b, data, len, debug ? 0 : s->addr);
	c->debug = debug;
	err = keep_part(b, leat_cfi_scan(c, &b->fdes));
	b->t.bad_cnt += c->bad_cnt;
	if (b->fdes.n > before)
		b->t.sources |= debug ? LEAT_UNWIND_DEBUG_FRAME : LEAT_UNWIND_EH_FRAME;
	return err;
}

#define HDR_TABLE 0x3b /* relative to the header, signed, 4 bytes: what all linkers write */
#define PE_SDATA4 0x1b /* relative to itself, signed, 4 bytes */
#define PE_UDATA4 0x03
#define PE_OMIT	  0xff

/* A file without sections: the header says where .eh_frame is, and its table where the FDEs are. */
struct hdr {
	uint64_t frame; /* address of .eh_frame */
	const uint8_t *rows;
	size_t cnt;
	uint64_t vaddr;
};

static int read_hdr(struct leat_elf *e, const struct leat_elf_phdr *p, struct hdr *h)
{
	const uint8_t *d;
	uint64_t room;
	int32_t rel;
	uint32_t cnt = 0;
	int err;

	if (leat_elf_room_at_vaddr(e, p->vaddr, &room))
		return -EBADMSG;
	room = room < p->filesz ? room : p->filesz;
	err = leat_elf_at_vaddr(e, p->vaddr, room, &d);
	if (err)
		return err == -ENOENT ? -EBADMSG : err;
	if (room < 8 || d[0] != 1 || d[1] != PE_SDATA4)
		return -EBADMSG;
	memcpy(&rel, d + 4, sizeof(rel));
	*h = (struct hdr){ .frame = p->vaddr + 4 + (uint64_t)(int64_t)rel, .vaddr = p->vaddr };
	if (room >= 12 && d[2] == PE_UDATA4 && d[3] == HDR_TABLE) {
		memcpy(&cnt, d + 8, sizeof(cnt));
		h->rows = d + 12;
		h->cnt = cnt < (room - 12) / 8 ? cnt : (room - 12) / 8;
	}
	return 0;
}

/*
 * FDEs by the header's table: the section has no known end. The CIEs come first, for FDEs know them
 * by index. A table that names one long FDE again and again would take a quadratic time: the bytes
 * of all are at most as many as there are to the end of the segment.
 */
static int scan_table(struct build *b, struct leat_cfi *c, const struct hdr *h)
{
	uint64_t bytes = 0;
	int err = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < h->cnt && !err; i++) {
			const size_t before = b->fdes.n;
			uint64_t off;
			int32_t rel;

			memcpy(&rel, h->rows + i * 8 + 4, sizeof(rel));
			off = h->vaddr + (uint64_t)(int64_t)rel - c->vaddr;
			err = pass ? leat_cfi_scan_at(c, off, &b->fdes) : leat_cfi_want(c, off);
			if (err == -EBADMSG) {
				c->bad_cnt += pass;
				err = 0;
			}
			if (b->fdes.n > before)
				bytes += b->fdes.v[before].ins_len;
			if (bytes > c->len)
				err = -EOVERFLOW;
		}
	}
	return err;
}

static int scan_hdr(struct build *b)
{
	const struct leat_elf_phdr *p = NULL;
	const size_t before = b->fdes.n;
	struct leat_cfi *c;
	const uint8_t *data;
	uint64_t room;
	struct hdr h;
	int err;

	for (size_t i = 0; i < leat_elf_phdr_cnt(b->elf) && !p; i++) {
		if (leat_elf_phdr_at(b->elf, i)->type == PT_GNU_EH_FRAME)
			p = leat_elf_phdr_at(b->elf, i);
	}
	if (!p)
		return 0;
	err = read_hdr(b->elf, p, &h);
	if (!err && leat_elf_room_at_vaddr(b->elf, h.frame, &room))
		err = -EBADMSG;
	if (!err)
		err = leat_elf_at_vaddr(b->elf, h.frame, room, &data);
	if (err == -EBADMSG) {
		b->t.bad_cnt++;
		return 0;
	}
	if (err)
		return err;
	c = add_cfi(b, data, room, h.frame);
	c->to_terminator = true;
	err = keep_part(b, h.cnt ? scan_table(b, c, &h) : leat_cfi_scan(c, &b->fdes));
	b->t.bad_cnt += c->bad_cnt;
	if (b->fdes.n > before)
		b->t.sources |= LEAT_UNWIND_EH_FRAME;
	return err;
}

static int scan_mini(struct build *b)
{
	int err = leat_elf_debugdata(b->elf, &b->mini);

	if (err == -ENOMEM)
		return err;
	if (err) /* none, or one that cannot be read */
		return 0;
	return scan_section(b, b->mini, ".debug_frame", true);
}

static int scan_go(struct build *b)
{
	const size_t before = b->fdes.n;
	int err = leat_gopcln_open(&b->go, b->elf);

	if (err == -ENOENT)
		return 0;
	if (err == -EBADMSG || err == -ENOTSUP || err == -ENODATA) {
		b->t.bad_cnt++;
		return 0;
	}
	if (err)
		return keep_part(b, err);
	b->go.source = SOURCE_GO;
	err = keep_part(b, leat_gopcln_scan(&b->go, &b->fdes));
	b->t.bad_cnt += b->go.bad_cnt;
	if (b->fdes.n > before)
		b->t.sources |= LEAT_UNWIND_GOPCLNTAB;
	return err;
}

/* After all others: of two with the same start the first one holds. */
static int add_plts(struct build *b)
{
	for (size_t i = 0; i < leat_elf_section_cnt(b->elf); i++) {
		const struct leat_elf_section *s = leat_elf_section_at(b->elf, i);
		int err;

		if (!(s->flags & SHF_EXECINSTR) || s->type != SHT_PROGBITS || !s->size ||
		    !leat_plt_is_name(s->name) || s->addr + s->size < s->addr)
			continue;
		err = LEAT_ARRAY_ROOM(b->fdes.v, b->fdes.cap, b->fdes.n + 1,
				      LEAT_CFI_FDES_MAX + PLTS_MAX);
		if (err)
			return keep_part(b, err);
		b->fdes.v[b->fdes.n++] = (struct leat_fde){ .start = s->addr,
							    .end = s->addr + s->size,
							    .ins = (uint32_t)i,
							    .source = SOURCE_PLT };
	}
	return 0;
}

/* No function was described: was there nothing, or nothing that could be understood? */
static int nothing(const struct build *b)
{
	return b->t.bad_cnt ? -EBADMSG : -ENODATA;
}

static uint64_t code_bytes(const struct build *b)
{
	uint64_t n = 0;

	for (size_t i = 0; i < b->text_cnt; i++)
		n += b->text[i].end - b->text[i].start;
	return n;
}

static bool is_inside(const struct build *b, const struct leat_fde *f)
{
	for (size_t i = 0; i < b->code_cnt; i++)
		if (f->start >= b->code[i].start && f->start < b->code[i].end)
			return f->source != SOURCE_PLT;
	return false;
}

/* Whether what is described comes from the C library's start files, so that all else is gaps. */
static bool is_mostly_gaps(const struct build *b)
{
	uint64_t described = 0, code = code_bytes(b);

	for (size_t i = 0; i < b->fdes.n && described < code; i++)
		if (is_inside(b, &b->fdes.v[i]))
			described += b->fdes.v[i].end - b->fdes.v[i].start;
	return described < code / 2;
}

static int scan_all(struct build *b, struct leat_elf *debug)
{
	int err = scan_section(b, b->elf, ".eh_frame", false);

	if (!err && !b->fdes.n)
		err = scan_hdr(b);
	if (!err)
		err = scan_go(b);
	/* A program that is built without has the little of its start files, and the rest here. */
	if (!err && is_mostly_gaps(b))
		err = scan_section(b, b->elf, ".debug_frame", true);
	if (!err && !b->fdes.n)
		err = scan_mini(b);
	if (!err && !b->fdes.n && debug)
		err = scan_section(b, debug, ".debug_frame", true);
	return err ? err : add_plts(b);
}

/* ---- order ---- */

static const struct segment *segment_of(const struct build *b, uint64_t vaddr)
{
	for (size_t i = 0; i < b->code_cnt; i++) {
		if (vaddr >= b->code[i].start && vaddr < b->code[i].end)
			return &b->code[i];
	}
	return NULL;
}

/* Functions that the linker has dropped have left FDEs that begin at 0 or thereabouts. */
static void drop_outside(struct build *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->fdes.n; i++) {
		if (segment_of(b, b->fdes.v[i].start))
			b->fdes.v[n++] = b->fdes.v[i];
	}
	b->fdes.n = n;
}

static bool is_sorted(const struct leat_fdes *f)
{
	for (size_t i = 1; i < f->n; i++) {
		if (f->v[i - 1].start > f->v[i].start)
			return false;
	}
	return true;
}

static void sort_digit(const struct leat_fde *from, struct leat_fde *to, size_t n,
		       unsigned int shift, size_t cnt[256])
{
	size_t at = 0;

	for (size_t d = 0; d < 256; d++) {
		size_t next = at + cnt[d];

		cnt[d] = at;
		at = next;
	}
	for (size_t i = 0; i < n; i++)
		to[cnt[from[i].start >> shift & 255]++] = from[i];
}

/* By start, and in the order found where starts are equal: a radix sort, linear whatever comes. */
static int sort(struct leat_fdes *f)
{
	LEAT_FREE struct leat_fde *other = NULL;

	if (is_sorted(f))
		return 0;
	other = malloc(f->n * sizeof(*other));
	if (!other)
		return -ENOMEM;
	for (unsigned int shift = 0; shift < 64; shift += 8) {
		size_t cnt[256] = { 0 };
		struct leat_fde *t;

		for (size_t i = 0; i < f->n; i++)
			cnt[f->v[i].start >> shift & 255]++;
		if (cnt[f->v[0].start >> shift & 255] == f->n)
			continue; /* all the same */
		sort_digit(f->v, other, f->n, shift, cnt);
		t = f->v;
		f->v = other;
		other = t;
	}
	f->cap = f->n;
	return 0;
}

/* ---- rows ---- */

/* An entry that is cut off, or whose code cannot be read, says nothing. */
static bool put_plt(struct build *b, const struct leat_fde *f, uint64_t end,
		    struct leat_unwind_rules *rules, struct leat_rows *rows)
{
	const uint8_t *code;
	size_t n;

	if (leat_elf_section_data(b->elf, leat_elf_section_at(b->elf, f->ins), &code, &n)) {
		leat_rows_add(rows, f->start, LEAT_RULE_INVALID);
		return false;
	}
	leat_plt_rows(code, n < end - f->start ? n : end - f->start, f->start, rules, rows);
	return true;
}

static void put_function(struct build *b, const struct leat_fde *f, uint64_t end,
			 struct leat_unwind_rules *rules, struct leat_rows *rows)
{
	bool ok;

	if (f->source == SOURCE_PLT)
		ok = put_plt(b, f, end, rules, rows);
	else if (f->source == SOURCE_GO)
		ok = leat_gopcln_rows(&b->go, f, end, rules, rows);
	else
		ok = leat_cfi_rows(&b->cfi[f->source], f, end, rules, rows);
	b->t.bad_cnt += !ok;
	b->t.func_cnt++;
}

/* "push rbp; mov rbp, rsp", at least once in FP_EVERY bytes. */
static bool keeps_frames(const uint8_t *code, size_t n)
{
	static const uint8_t prologue[] = { 0x55, 0x48, 0x89, 0xe5 };
	const uint8_t *at = code;
	size_t cnt = 0;

	while (cnt < n / FP_EVERY &&
	       (at = memmem(at, n - (size_t)(at - code), prologue, sizeof(prologue)))) {
		at += sizeof(prologue);
		cnt++;
	}
	return cnt >= n / FP_EVERY;
}

/* Such a binary as a whole: one of its gaps may be too short to tell. */
static bool keeps_frames_everywhere(const struct build *b)
{
	const uint64_t start = b->text[0].start, end = b->text[b->text_cnt - 1].end;
	const uint64_t n = end - start < FP_GAP_MAX ? end - start : FP_GAP_MAX;
	const uint8_t *code;

	return is_mostly_gaps(b) && !leat_elf_at_vaddr(b->elf, start, n, &code) &&
	       leat_code_keeps_frames(code, (size_t)n, start);
}

/* Code that a compiler of its own has put there, as V8's builtins in node (1.5 MB). */
static bool is_framed_gap(struct build *b, uint64_t start, uint64_t end)
{
	const uint8_t *code;

	return end - start >= FP_GAP_MIN && end - start <= FP_GAP_MAX && !b->framed &&
	       !leat_elf_at_vaddr(b->elf, start, end - start, &code) &&
	       keeps_frames(code, end - start);
}

/* A part of one section that nothing is said of; @look into it. */
static int put_part(struct build *b, const struct segment *s, bool look,
		    struct leat_unwind_rules *rules, struct leat_rows *rows)
{
	const uint32_t rest = b->framed ? LEAT_RULE_FRAME : LEAT_RULE_INVALID;
	int err = 0;

	leat_rows_add(rows, s->start, rest);
	if (is_framed_gap(b, s->start, s->end))
		leat_rows_add(rows, s->start, LEAT_RULE_FRAME); /* as when it is made at run time */
	else if (look)
		err = leat_gaps_rows(&b->gaps, s->start, s->end, rest, rules, rows);
	leat_rows_add(rows, s->end, LEAT_RULE_INVALID);
	return err;
}

static int put_gap(struct build *b, uint64_t start, uint64_t end, struct leat_unwind_rules *rules,
		   struct leat_rows *rows)
{
	const bool look = b->look && end - start >= LEAT_GAP_MIN;
	struct segment part;
	int err = 0;

	/* A signal's restorer ends with its system call, and the kernel samples behind that. */
	if (rows->next_rule == LEAT_RULE_SIGNAL)
		start++;
	leat_rows_add(rows, start, LEAT_RULE_INVALID);
	for (size_t i = 0; i < b->text_cnt && !err; i++)
		if (text_part(b, i, start, end, &part))
			err = put_part(b, &part, look, rules, rows);
	return err;
}

static int put_rows(struct build *b, struct leat_unwind_rules *rules, struct leat_rows *rows)
{
	const struct leat_fdes *fs = &b->fdes;
	uint64_t done = 0;
	int err = 0;

	b->framed = keeps_frames_everywhere(b);
	for (size_t i = 0; i < fs->n && !err; i++) {
		const struct leat_fde *f = &fs->v[i];
		uint64_t end = f->end < b->high ? f->end : b->high;

		if (i && fs->v[i - 1].start == f->start)
			continue;
		for (size_t k = i + 1; k < fs->n; k++) {
			if (fs->v[k].start == f->start)
				continue;
			b->t.cut_cnt += fs->v[k].start < end;
			end = fs->v[k].start < end ? fs->v[k].start : end;
			break;
		}
		if (f->start > done)
			err = put_gap(b, done, f->start, rules, rows);
		put_function(b, f, end, rules, rows);
		done = end;
	}
	return err ? err : put_gap(b, done, b->high, rules, rows);
}

static uint64_t text_in(const struct build *b, uint64_t start, uint64_t end)
{
	struct segment part;
	uint64_t n = 0;

	for (size_t i = 0; i < b->text_cnt; i++)
		n += text_part(b, i, start, end, &part) ? part.end - part.start : 0;
	return n;
}

/* Bytes that nothing describes, but for the padding between functions. */
static uint64_t gap_bytes(const struct build *b)
{
	uint64_t bytes = 0, done = b->low;

	for (size_t i = 0; i < b->fdes.n; i++) {
		const struct leat_fde *f = &b->fdes.v[i];

		if (f->start > done && f->start - done >= LEAT_GAP_MIN)
			bytes += text_in(b, done, f->start);
		done = f->end > done ? f->end : done;
	}
	return bytes + (b->high > done ? text_in(b, done, b->high) : 0);
}

/*
 * Where little of a binary is missing and it is long, it is not worth its time: 90 ns a byte, for which
 * two rows of what is described are made (182 KB of libcrypto).
 */
static bool wants_look(struct build *b)
{
	const uint64_t bytes = gap_bytes(b);

	b->look = leat_elf_machine(b->elf) == EM_X86_64 && bytes >= LEAT_GAP_MIN &&
		  (bytes <= LOOK_BYTES || bytes >= code_bytes(b) / LOOK_SHARE);
	return b->look;
}

/* Of a file that says nothing, half of the code at least has to be found out; of a damaged one, nothing. */
static bool is_enough(const struct build *b)
{
	return b->t.sources ||
	       (!b->t.bad_cnt && b->gaps.described >= text_in(b, b->low, b->high) / 2);
}

static int make_rows(struct build *b, struct leat_unwind_rules *rules)
{
	LEAT_AUTO(leat_rows_fini) struct leat_rows rows;
	int err = leat_rows_init(&rows, b->low, b->high);

	if (!err && wants_look(b))
		err = leat_gaps_find(&b->gaps, &b->fdes);
	if (!err)
		err = put_rows(b, rules, &rows);
	if (!err && !is_enough(b))
		err = nothing(b);
	if (!err)
		err = leat_rows_done(&rows, &b->t.blocks);
	if (err)
		return err;
	if (rows.err)
		b->t.err = rows.err;
	b->t.block_cnt = (uint32_t)rows.block_cnt;
	b->t.first_page = rows.first_page;
	b->t.page_cnt = rows.page_cnt;
	b->t.row_cnt = (uint32_t)rows.row_cnt;
	return 0;
}

static int build_table(struct build *b, struct leat_elf *debug, struct leat_unwind_rules *rules,
		       struct leat_unwind_table **out)
{
	int err = find_code(b);

	if (!err) {
		find_text(b);
		err = scan_all(b, debug);
	}
	if (err)
		return err;
	drop_outside(b);
	err = sort(&b->fdes);
	if (!err)
		err = make_rows(b, rules);
	if (err)
		return err;
	*out = malloc(sizeof(**out));
	if (!*out) {
		free(b->t.blocks);
		return -ENOMEM;
	}
	**out = b->t;
	return 0;
}

int leat_unwind_table_build(struct leat_unwind_table **out, struct leat_elf *e,
			    struct leat_elf *debug, struct leat_unwind_rules *rules)
{
	struct build b = { .elf = e, .gaps = { .elf = e } };
	struct leat_unwind_table *t = NULL;
	int err;

	if (leat_elf_machine(e) != EM_X86_64)
		return -ENOTSUP;
	err = build_table(&b, debug, rules, &t);
	build_fini(&b);
	if (!err)
		*out = t;
	return err;
}

void leat_unwind_table_free(struct leat_unwind_table **t)
{
	if (!*t)
		return;
	free((*t)->blocks);
	free(*t);
	*t = NULL;
}

size_t leat_unwind_segments(const struct leat_elf *e, struct leat_unwind_segment *out)
{
	size_t n = 0;

	for (size_t i = 0; i < leat_elf_phdr_cnt(e) && n < LEAT_UNWIND_SEGMENTS; i++) {
		const struct leat_elf_phdr *p = leat_elf_phdr_at(e, i);
		const uint64_t skip = p->offset % PAGE_BYTES;

		if (p->type != PT_LOAD || !(p->flags & PF_X) || p->offset + p->filesz < p->offset)
			continue;
		out[n++] = (struct leat_unwind_segment){ .offset = p->offset - skip,
							 .end = p->offset + p->filesz,
							 .vaddr = p->vaddr - skip };
	}
	return n;
}

int leat_unwind_bias(const struct leat_unwind_segment *s, size_t n, uint64_t start, uint64_t pgoff,
		     uint64_t *bias)
{
	const struct leat_unwind_segment *of = NULL;

	for (size_t i = 0; i < n; i++) {
		if (pgoff < s[i].offset || pgoff >= s[i].end)
			continue;
		/* Two segments may share a page of the file: it is the one that begins there. */
		if (!of || s[i].offset == pgoff)
			of = &s[i];
	}
	if (!of)
		return -ENOENT;
	*bias = start - (of->vaddr + (pgoff - of->offset));
	return 0;
}
