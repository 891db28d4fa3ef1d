/* SPDX-License-Identifier: BSD-2-Clause */
/* What says which file this is, and which one has its debug information. */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "base/reader.h"
#include "elf/elf_impl.h"

#define NOTES_MAX                                                                                  \
	((uint64_t)1 << 20) /* of a segment or section; real ones have some hundred bytes */

/* To the next multiple of @align from where the notes start. The last one's padding may be missing. */
static void skip_padding(struct leat_reader *r, size_t align)
{
	size_t pad = -r->off & (align - 1);

	r->off += pad < leat_reader_left(r) ? pad : leat_reader_left(r);
}

static int next_note(struct leat_reader *r, size_t align, Elf64_Nhdr *h, const void **name,
		     const void **desc)
{
	int err = leat_reader_copy(r, h, sizeof(*h));

	if (err)
		return err;
	err = leat_reader_bytes(r, h->n_namesz, name);
	if (err)
		return err;
	skip_padding(r, align);
	err = leat_reader_bytes(r, h->n_descsz, desc);
	if (err)
		return err;
	skip_padding(r, align);
	return 0;
}

static int find_build_id(const void *p, size_t n, size_t align, struct leat_build_id *out)
{
	struct leat_reader r = leat_reader_of(p, n);
	const void *name, *desc;
	Elf64_Nhdr h;

	while (leat_reader_left(&r)) {
		if (next_note(&r, align, &h, &name, &desc))
			return -ENOENT;
		if (h.n_type != NT_GNU_BUILD_ID || h.n_namesz != 4 || memcmp(name, "GNU", 4) != 0)
			continue;
		/* The kernel and everything that looks files up by id stop at 20 bytes too. */
		if (!h.n_descsz || h.n_descsz > LEAT_ELF_BUILD_ID_MAX)
			return -ENOENT;
		out->len = (uint8_t)h.n_descsz;
		memset(out->bytes, 0, sizeof(out->bytes));
		memcpy(out->bytes, desc, h.n_descsz);
		return 0;
	}
	return -ENOENT;
}

int leat_elf_notes_build_id(const void *p, size_t n, struct leat_build_id *out)
{
	return find_build_id(p, n, 4, out);
}

/* Notes of 8-byte alignment (GNU properties) are padded to 8, all others to 4. */
static int build_id_at(struct leat_elf *e, uint64_t off, uint64_t n, uint64_t align,
		       struct leat_build_id *out)
{
	const uint8_t *notes;
	int err;

	if (n > NOTES_MAX)
		n = NOTES_MAX;
	err = leat_elf_fetch(e, off, n, &notes);
	if (err)
		return err == -ENOMEM ? err : -ENOENT;
	return find_build_id(notes, n, align == 8 ? 8 : 4, out);
}

int leat_elf_build_id(struct leat_elf *e, struct leat_build_id *out)
{
	int err = -ENOENT;

	for (size_t i = 0; i < e->phdr_cnt && err == -ENOENT; i++) {
		const struct leat_elf_phdr *p = &e->phdrs[i];

		if (p->type == PT_NOTE)
			err = build_id_at(e, p->offset, p->filesz, p->align, out);
	}
	for (size_t i = 0; i < e->section_cnt && err == -ENOENT; i++) {
		const struct leat_elf_section *s = &e->sections[i];

		if (s->type == SHT_NOTE)
			err = build_id_at(e, s->offset, s->size, s->align, out);
	}
	return err;
}

int leat_elf_debuglink(struct leat_elf *e, const char **name, uint32_t *crc)
{
	const struct leat_elf_section *s = leat_elf_section_find(e, ".gnu_debuglink");
	const uint8_t *data;
	struct leat_reader r;
	const char *file;
	size_t n;
	int err;

	if (!s)
		return -ENOENT;
	err = leat_elf_section_data(e, s, &data, &n);
	if (err)
		return err;
	r = leat_reader_of(data, n);
	if (leat_reader_str(&r, &file) || !*file)
		return -EBADMSG;
	skip_padding(&r, 4);
	if (leat_reader_u32(&r, crc))
		return -EBADMSG;
	*name = file;
	return 0;
}

uint32_t leat_elf_debuglink_crc(const void *p, size_t n)
{
	return (uint32_t)crc32_z(0, p, n);
}

int leat_elf_debuglink_crc_fd(int fd, uint32_t *crc)
{
	LEAT_FREE uint8_t *piece = malloc(1 << 16);
	uLong sum = crc32_z(0, NULL, 0);
	ssize_t got;

	if (!piece)
		return -ENOMEM;
	for (;;) {
		got = read(fd, piece, 1 << 16);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		sum = crc32_z(sum, piece, (size_t)got);
	}
	*crc = (uint32_t)sum;
	return 0;
}
