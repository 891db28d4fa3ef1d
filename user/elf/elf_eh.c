/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Function bounds from .eh_frame_hdr and .eh_frame, which stripped files keep (LSB 5.0, chapters
 * "Exception Frames" and "Exception Frame Header"; DWARF 5, section 6.4).
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "elf/elf_impl.h"

/* Of a CIE or FDE up to the addresses wanted here; real ones have them in the first 40 bytes. */
#define ENTRY_BYTES 256

enum {
	EH_PE_ABSPTR = 0x00,
	EH_PE_ULEB128 = 0x01,
	EH_PE_UDATA2 = 0x02,
	EH_PE_UDATA4 = 0x03,
	EH_PE_UDATA8 = 0x04,
	EH_PE_SLEB128 = 0x09,
	EH_PE_SDATA2 = 0x0a,
	EH_PE_SDATA4 = 0x0b,
	EH_PE_SDATA8 = 0x0c,
	EH_PE_FORMAT = 0x0f,
	EH_PE_PCREL = 0x10,
	EH_PE_DATAREL = 0x30,
	EH_PE_BASE = 0xf0, /* mask, with the indirect bit */
	EH_PE_OMIT = 0xff,
};

static int read_u16(struct leat_reader *r, bool is_signed, uint64_t *out)
{
	uint16_t v;
	int err = leat_reader_u16(r, &v);

	if (!err)
		*out = is_signed ? (uint64_t)(int16_t)v : v;
	return err;
}

static int read_u32(struct leat_reader *r, bool is_signed, uint64_t *out)
{
	uint32_t v;
	int err = leat_reader_u32(r, &v);

	if (!err)
		*out = is_signed ? (uint64_t)(int32_t)v : v;
	return err;
}

static int read_sleb(struct leat_reader *r, uint64_t *out)
{
	int64_t v;
	int err = leat_reader_sleb128(r, &v);

	if (!err)
		*out = (uint64_t)v;
	return err;
}

/* The value alone; what it is relative to is the caller's. */
static int read_format(struct leat_reader *r, uint8_t enc, uint64_t *out)
{
	switch (enc & EH_PE_FORMAT) {
	case EH_PE_ABSPTR:
	case EH_PE_UDATA8:
	case EH_PE_SDATA8:
		return leat_reader_u64(r, out);
	case EH_PE_UDATA2:
	case EH_PE_SDATA2:
		return read_u16(r, (enc & EH_PE_FORMAT) == EH_PE_SDATA2, out);
	case EH_PE_UDATA4:
	case EH_PE_SDATA4:
		return read_u32(r, (enc & EH_PE_FORMAT) == EH_PE_SDATA4, out);
	case EH_PE_ULEB128:
		return leat_reader_uleb128(r, out);
	case EH_PE_SLEB128:
		return read_sleb(r, out);
	default:
		return -ENOTSUP;
	}
}

/*
 * A CIE or FDE in a reader that starts at @vaddr and ends with it, or after ENTRY_BYTES. Copied, for
 * they are scattered: in windows that are kept, a thousand look-ups would hold all of .eh_frame.
 */
struct entry {
	uint8_t bytes[ENTRY_BYTES];
	struct leat_reader r;
	uint64_t vaddr;
	uint64_t id_vaddr; /* of the CIE id or pointer */
	uint32_t id;
};

static int open_entry(struct leat_elf *e, uint64_t vaddr, struct entry *out)
{
	uint64_t room, len;
	uint32_t len32;
	int err;

	if (leat_elf_room_at_vaddr(e, vaddr, &room))
		return -EBADMSG;
	room = room < ENTRY_BYTES ? room : ENTRY_BYTES;
	err = leat_elf_copy_vaddr(e, vaddr, out->bytes, room);
	if (err)
		return err;
	out->vaddr = vaddr;
	out->r = leat_reader_of(out->bytes, room);
	if (leat_reader_u32(&out->r, &len32))
		return -EBADMSG;
	len = len32;
	if (len32 == UINT32_MAX && leat_reader_u64(&out->r, &len))
		return -EBADMSG;
	out->id_vaddr = vaddr + out->r.off;
	if (len < leat_reader_left(&out->r))
		out->r.len = out->r.off + len;
	return leat_reader_u32(&out->r, &out->id) ? -EBADMSG : 0;
}

/* The augmentation data up to 'R'. */
static int read_augmentation(struct leat_reader *r, const char *aug, uint8_t *enc)
{
	uint64_t ignored;
	uint8_t pers;

	for (; *aug; aug++) {
		switch (*aug) {
		case 'R':
			return leat_reader_u8(r, enc) ? -EBADMSG : 0;
		case 'L':
			if (leat_reader_skip(r, 1))
				return -EBADMSG;
			break;
		case 'P':
			if (leat_reader_u8(r, &pers) || read_format(r, pers, &ignored))
				return -EBADMSG;
			break;
		case 'S':
		case 'B':
		case 'G':
			break;
		default:
			return -ENOTSUP;
		}
	}
	return 0;
}

/* How the FDEs of the CIE at @vaddr write addresses. */
static int cie_encoding(struct leat_elf *e, uint64_t vaddr, uint8_t *enc)
{
	uint64_t code_align, reg, aug_len;
	int64_t data_align;
	struct entry cie;
	const char *aug;
	uint8_t version, reg8;
	int err = open_entry(e, vaddr, &cie);

	*enc = EH_PE_ABSPTR;
	if (err)
		return err;
	if (cie.id != 0 || leat_reader_u8(&cie.r, &version) || leat_reader_str(&cie.r, &aug))
		return -EBADMSG;
	if (version != 1 && version != 3)
		return -ENOTSUP;
	if (leat_reader_uleb128(&cie.r, &code_align) || leat_reader_sleb128(&cie.r, &data_align))
		return -EBADMSG;
	if (version == 1 ? leat_reader_u8(&cie.r, &reg8) : leat_reader_uleb128(&cie.r, &reg))
		return -EBADMSG;
	if (*aug != 'z')
		return *aug ? -ENOTSUP : 0;
	if (leat_reader_uleb128(&cie.r, &aug_len))
		return -EBADMSG;
	return read_augmentation(&cie.r, aug + 1, enc);
}

static int fde_range(struct leat_elf *e, uint64_t vaddr, uint64_t *start, uint64_t *end)
{
	struct entry fde;
	uint64_t at, pc, size;
	uint8_t enc = 0;
	int err = open_entry(e, vaddr, &fde);

	if (err)
		return err;
	if (fde.id == 0)
		return -EBADMSG; /* a CIE */
	/* A file has few CIEs, and neighbours share one. */
	if (!e->cie_known || e->cie_vaddr != fde.id_vaddr - fde.id) {
		err = cie_encoding(e, fde.id_vaddr - fde.id, &enc);
		if (err)
			return err;
		e->cie_known = true;
		e->cie_vaddr = fde.id_vaddr - fde.id;
		e->cie_enc = enc;
	}
	enc = e->cie_enc;
	if ((enc & EH_PE_BASE) != EH_PE_ABSPTR && (enc & EH_PE_BASE) != EH_PE_PCREL)
		return -ENOTSUP;
	at = fde.vaddr + fde.r.off;
	if (read_format(&fde.r, enc, &pc))
		return -EBADMSG;
	if ((enc & EH_PE_BASE) == EH_PE_PCREL)
		pc += at;
	/* The size has the same format, and is never negative. */
	if (read_format(&fde.r, enc, &size) || __builtin_add_overflow(pc, size, end))
		return -EBADMSG;
	*start = pc;
	return 0;
}

struct search_table {
	const uint8_t *rows; /* {int32 function, int32 FDE}[], both from @base */
	uint64_t cnt;
	uint64_t base;
};

static int open_table(struct leat_elf *e, struct search_table *t)
{
	const struct leat_elf_phdr *p = leat_elf_phdr_find(e, PT_GNU_EH_FRAME);
	uint8_t version, ptr_enc, cnt_enc, table_enc;
	struct leat_reader r;
	const uint8_t *data;
	uint64_t ignored, room;
	int err;

	if (!p || leat_elf_room_at_vaddr(e, p->vaddr, &room))
		return -ENODATA;
	room = room < p->filesz ? room : p->filesz;
	err = leat_elf_at_vaddr(e, p->vaddr, room, &data);
	if (err)
		return err;
	r = leat_reader_of(data, room);
	if (leat_reader_u8(&r, &version) || leat_reader_u8(&r, &ptr_enc) ||
	    leat_reader_u8(&r, &cnt_enc) || leat_reader_u8(&r, &table_enc))
		return -EBADMSG;
	/* The form all linkers write; another one is legal, and read by nobody. */
	if (version != 1 || cnt_enc == EH_PE_OMIT || table_enc != (EH_PE_DATAREL | EH_PE_SDATA4))
		return -ENODATA;
	if ((ptr_enc != EH_PE_OMIT && read_format(&r, ptr_enc, &ignored)) ||
	    read_format(&r, cnt_enc, &t->cnt))
		return -EBADMSG;
	t->rows = data + r.off;
	t->base = p->vaddr;
	if (t->cnt > leat_reader_left(&r) / 8)
		t->cnt = leat_reader_left(&r) / 8;
	return 0;
}

static uint64_t table_at(const struct search_table *t, uint64_t row, size_t column)
{
	int32_t v;

	memcpy(&v, t->rows + row * 8 + column * 4, sizeof(v));
	return t->base + (uint64_t)(int64_t)v;
}

int leat_elf_fde_find(struct leat_elf *e, uint64_t vaddr, uint64_t *start, uint64_t *end)
{
	struct search_table t;
	uint64_t low = 0, high, first, last;
	int err = open_table(e, &t);

	if (err)
		return err;
	/* The last row at or below @vaddr. An unsorted table gives some row, which is checked. */
	for (high = t.cnt; low < high;) {
		uint64_t mid = low + (high - low) / 2;

		if (table_at(&t, mid, 0) <= vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return -ENOENT;
	err = fde_range(e, table_at(&t, low - 1, 1), &first, &last);
	if (err)
		return err;
	if (vaddr < first || vaddr >= last)
		return -ENOENT;
	*start = first;
	*end = last;
	return 0;
}
