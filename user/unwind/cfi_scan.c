/* SPDX-License-Identifier: BSD-2-Clause */
/* The entries of .eh_frame and .debug_frame. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "unwind/cfi_impl.h"

enum {
	PE_ABSPTR = 0x00,
	PE_ULEB128 = 0x01,
	PE_UDATA2 = 0x02,
	PE_UDATA4 = 0x03,
	PE_UDATA8 = 0x04,
	PE_SLEB128 = 0x09,
	PE_SDATA2 = 0x0a,
	PE_SDATA4 = 0x0b,
	PE_SDATA8 = 0x0c,
	PE_FORMAT = 0x0f,
	PE_PCREL = 0x10,
	PE_BASE = 0xf0, /* mask, with the indirect bit */
	PE_OMIT = 0xff,
};

/* Of a file without sections; real ones have two. */
#define TABLE_CIES_MAX 4096

#define DWARF_RA 16 /* x86-64's column of the return address */

static int read_small(struct leat_reader *r, uint8_t format, uint64_t *out)
{
	uint16_t v2;
	uint32_t v4;
	int err;

	if (format == PE_UDATA2 || format == PE_SDATA2) {
		err = leat_reader_u16(r, &v2);
		if (!err)
			*out = format == PE_UDATA2 ? v2 : (uint64_t)(int16_t)v2;
		return err;
	}
	err = leat_reader_u32(r, &v4);
	if (!err)
		*out = format == PE_UDATA4 ? v4 : (uint64_t)(int32_t)v4;
	return err;
}

/* The value alone. */
static int read_format(struct leat_reader *r, uint8_t enc, uint64_t *out)
{
	int64_t s;
	int err;

	switch (enc & PE_FORMAT) {
	case PE_ABSPTR:
	case PE_UDATA8:
	case PE_SDATA8:
		return leat_reader_u64(r, out);
	case PE_UDATA2:
	case PE_SDATA2:
	case PE_UDATA4:
	case PE_SDATA4:
		return read_small(r, enc & PE_FORMAT, out);
	case PE_ULEB128:
		return leat_reader_uleb128(r, out);
	case PE_SLEB128:
		err = leat_reader_sleb128(r, &s);
		if (!err)
			*out = (uint64_t)s;
		return err;
	default:
		return -ENOTSUP;
	}
}

int leat_cfi_address(const struct leat_cfi *c, uint8_t enc, struct leat_reader *r, uint64_t *out)
{
	uint64_t at = c->vaddr + (uint64_t)(r->base - c->data) + r->off, v;
	int err;

	if ((enc & PE_BASE) != PE_ABSPTR && (enc & PE_BASE) != PE_PCREL)
		return -ENOTSUP;
	err = read_format(r, enc, &v);
	if (err)
		return err == -ENOTSUP ? err : -EBADMSG;
	*out = (enc & PE_BASE) == PE_PCREL ? v + at : v;
	return 0;
}

void leat_cfi_fini(struct leat_cfi *c)
{
	free(c->cies);
	*c = (struct leat_cfi){ 0 };
}

/* ---- CIE ---- */

/* What 'z' announces: one letter each. False: unreadable, or of a meaning that is not known. */
static bool read_augmentation(struct leat_reader *r, const char *letters, struct leat_cie *cie)
{
	uint64_t ignored;
	uint8_t enc;

	for (; *letters; letters++) {
		switch (*letters) {
		case 'R':
			if (leat_reader_u8(r, &cie->enc))
				return false;
			break;
		case 'P':
			if (leat_reader_u8(r, &enc) ||
			    (enc != PE_OMIT && read_format(r, enc, &ignored)))
				return false;
			break;
		case 'L':
			if (leat_reader_skip(r, 1))
				return false;
			break;
		case 'S':
			cie->signal_frame = true;
			break;
		case 'B': /* arm64: signed with the other key */
			break;
		default:
			return false;
		}
	}
	return true;
}

static bool read_cie_head(struct leat_reader *r, uint8_t *version, const char **letters)
{
	uint8_t address_bytes = 0, segment_bytes = 0;
	uint64_t ignored;

	if (leat_reader_u8(r, version) || leat_reader_str(r, letters))
		return false;
	if (*version != 1 && *version != 3 && *version != 4)
		return false;
	/* Of gcc 2: a pointer comes next. */
	if (strcmp(*letters, "eh") == 0) {
		*letters += 2;
		return !leat_reader_u64(r, &ignored);
	}
	if (*version != 4)
		return true;
	return !leat_reader_u8(r, &address_bytes) && !leat_reader_u8(r, &segment_bytes) &&
	       address_bytes == 8 && segment_bytes == 0;
}

static bool read_cie(struct leat_reader r, struct leat_cie *cie)
{
	const char *letters;
	uint64_t column, n;
	uint8_t version = 0, column8 = 0;

	if (!read_cie_head(&r, &version, &letters) || leat_reader_uleb128(&r, &cie->code_align) ||
	    leat_reader_sleb128(&r, &cie->data_align))
		return false;
	if (version == 1) {
		if (leat_reader_u8(&r, &column8))
			return false;
		column = column8;
	} else if (leat_reader_uleb128(&r, &column)) {
		return false;
	}
	if (column != DWARF_RA)
		return false;
	if (*letters == 'z') {
		struct leat_reader aug;

		cie->augmented = true;
		if (leat_reader_uleb128(&r, &n) || leat_reader_sub(&r, r.off, n, &aug) ||
		    leat_reader_skip(&r, n) || !read_augmentation(&aug, letters + 1, cie))
			return false;
	} else if (*letters) {
		return false;
	}
	return leat_cfi_initial(cie, leat_reader_of(r.base + r.off, leat_reader_left(&r)));
}

static int add_cie(struct leat_cfi *c, uint32_t off, struct leat_reader r)
{
	int err = LEAT_ARRAY_ROOM(c->cies, c->cie_cap, c->cie_cnt + 1, LEAT_CFI_CIES_MAX);
	struct leat_cie *cie;

	if (err)
		return err;
	cie = &c->cies[c->cie_cnt++];
	*cie = (struct leat_cie){ .off = off };
	cie->usable = read_cie(r, cie);
	c->bad_cnt += !cie->usable;
	return 0;
}

/* Index of the CIE at @off; cie_cnt when there is none. */
static size_t find_cie(const struct leat_cfi *c, uint64_t off)
{
	size_t low = 0, high = c->cie_cnt;

	if (high && c->cies[high - 1].off == off)
		return high - 1;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c->cies[mid].off < off)
			low = mid + 1;
		else
			high = mid;
	}
	return low < c->cie_cnt && c->cies[low].off == off ? low : c->cie_cnt;
}

/* ---- entries ---- */

struct entry {
	size_t off;    /* of its length */
	size_t next;   /* of what follows */
	size_t id_off; /* of the CIE id or pointer */
	uint64_t id;   /* as it is */
	bool is_cie;
	struct leat_reader r; /* what comes after the id */
};

/* 0, -ENODATA at the end of the section (also a length that leads beyond), 1 for a terminator. */
static int read_entry(const struct leat_cfi *c, size_t off, struct entry *out)
{
	struct leat_reader r = leat_reader_of(c->data, c->len);
	uint32_t len32, id32;
	uint64_t len, id;
	bool wide;

	r.off = off;
	if (leat_reader_u32(&r, &len32))
		return -ENODATA;
	out->off = off;
	out->next = r.off;
	if (!len32)
		return 1;
	len = len32;
	wide = len32 == UINT32_MAX;
	if (wide && leat_reader_u64(&r, &len))
		return -ENODATA;
	if (len > leat_reader_left(&r))
		return -ENODATA;
	out->next = r.off + len;
	out->id_off = r.off;
	r.len = out->next;
	/* .eh_frame's pointers have 32 bits even there. */
	if (wide && c->debug) {
		if (leat_reader_u64(&r, &id))
			id = 1; /* too short for an id: no CIE has this one */
		out->is_cie = id == UINT64_MAX;
	} else {
		if (leat_reader_u32(&r, &id32))
			id32 = 1;
		id = id32;
		out->is_cie = id32 == (c->debug ? UINT32_MAX : 0);
	}
	out->id = id;
	out->r = leat_reader_of(c->data + r.off, out->next - r.off);
	return 0;
}

static bool read_fde(const struct leat_cfi *c, struct entry *e, size_t cie_at, struct leat_fde *out)
{
	const struct leat_cie *cie = &c->cies[cie_at];
	uint64_t start, size, n;

	if (leat_cfi_address(c, cie->enc, &e->r, &start))
		return false;
	/* The size has the same format, and is relative to nothing. */
	if (read_format(&e->r, cie->enc & PE_FORMAT, &size) ||
	    __builtin_add_overflow(start, size, &out->end))
		return false;
	if (cie->augmented && (leat_reader_uleb128(&e->r, &n) || leat_reader_skip(&e->r, n)))
		return false;
	out->start = start;
	out->ins = (uint32_t)((size_t)(e->r.base - c->data) + e->r.off);
	out->ins_len = (uint32_t)leat_reader_left(&e->r);
	out->cie = (uint32_t)cie_at;
	out->source = c->source;
	return true;
}

static uint64_t cie_of(const struct leat_cfi *c, const struct entry *e)
{
	return c->debug ? e->id : e->id_off - e->id;
}

static int add_fde(struct leat_cfi *c, struct entry *e, struct leat_fdes *out)
{
	size_t cie_at = find_cie(c, cie_of(c, e));
	struct leat_fde f;
	int err;

	if (cie_at == c->cie_cnt || !c->cies[cie_at].usable || !read_fde(c, e, cie_at, &f)) {
		c->bad_cnt++;
		return 0;
	}
	if (f.start == f.end)
		return 0;
	err = LEAT_ARRAY_ROOM(out->v, out->cap, out->n + 1, LEAT_CFI_FDES_MAX);
	if (!err)
		out->v[out->n++] = f;
	return err;
}

int leat_cfi_scan(struct leat_cfi *c, struct leat_fdes *out)
{
	struct entry e;
	int err = 0;

	if (c->len > UINT32_MAX)
		return -EOVERFLOW;
	for (size_t off = 0; off < c->len && err >= 0; off = e.next) {
		err = read_entry(c, off, &e);
		if (err == -ENODATA) {
			/* The end; less than a length is padding. */
			c->bad_cnt += c->len - off >= 4;
			return 0;
		}
		if (err && c->to_terminator)
			return 0;
		if (err)
			continue;
		if (c->to_terminator && !e.is_cie && find_cie(c, cie_of(c, &e)) == c->cie_cnt)
			return 0; /* what comes after the section */
		err = e.is_cie ? add_cie(c, (uint32_t)off, e.r) : add_fde(c, &e, out);
	}
	return err < 0 ? err : 0;
}

/* CIEs come in no order here. There are few, or the file is not worth the time. */
static int insert_cie(struct leat_cfi *c, uint32_t off, struct leat_reader r)
{
	struct leat_cie cie;
	size_t at;
	int err = c->cie_cnt < TABLE_CIES_MAX ? add_cie(c, off, r) : -EOVERFLOW;

	if (err)
		return err;
	cie = c->cies[c->cie_cnt - 1];
	for (at = c->cie_cnt - 1; at > 0 && c->cies[at - 1].off > cie.off; at--)
		c->cies[at] = c->cies[at - 1];
	c->cies[at] = cie;
	return 0;
}

int leat_cfi_want(struct leat_cfi *c, uint64_t off)
{
	struct entry e;
	uint64_t cie;

	if (c->len > UINT32_MAX)
		return -EOVERFLOW;
	if (off >= c->len || read_entry(c, off, &e) || e.is_cie)
		return -EBADMSG;
	cie = cie_of(c, &e);
	if (find_cie(c, cie) != c->cie_cnt)
		return 0;
	if (cie >= c->len || read_entry(c, cie, &e) || !e.is_cie)
		return -EBADMSG;
	return insert_cie(c, (uint32_t)cie, e.r);
}

int leat_cfi_scan_at(struct leat_cfi *c, uint64_t off, struct leat_fdes *out)
{
	struct entry e;

	if (off >= c->len || read_entry(c, off, &e) || e.is_cie)
		return -EBADMSG;
	return add_fde(c, &e, out);
}
