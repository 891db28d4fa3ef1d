/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces of the file: fetched by pread, kept, bounded. */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/hash.h"
#include "elf/elf_impl.h"

/*
 * Small reads (notes, CIEs, instructions before a return address) share windows. A window reaches
 * over its end by the largest small read, so that each of them lies in the window it starts in.
 */
#define WINDOW_BYTES 16384u
#define SMALL_BYTES  256u
#define WINDOWS_MAX  (LEAT_ELF_HELD_MAX / WINDOW_BYTES)

static int new_chunk(struct leat_elf *e, uint64_t n, struct leat_elf_chunk **out)
{
	struct leat_elf_chunk *c;

	if (n > LEAT_ELF_HELD_MAX - e->held)
		return -EOVERFLOW;
	c = malloc(sizeof(*c) + n);
	if (!c)
		return -ENOMEM;
	c->next = NULL;
	c->off = UINT64_MAX;
	c->len = n;
	e->held += n;
	*out = c;
	return 0;
}

static void drop_chunk(struct leat_elf *e, struct leat_elf_chunk *c)
{
	e->held -= c->len;
	free(c);
}

int leat_elf_hold(struct leat_elf *e, uint64_t n, struct leat_elf_chunk **out)
{
	struct leat_elf_chunk *c;
	int err = new_chunk(e, n, &c);

	if (err)
		return err;
	c->next = e->chunks;
	e->chunks = c;
	*out = c;
	return 0;
}

void leat_elf_unhold(struct leat_elf *e)
{
	struct leat_elf_chunk *c = e->chunks;

	e->chunks = c->next;
	drop_chunk(e, c);
}

void leat_elf_release(struct leat_elf *e)
{
	struct leat_elf_chunk *next;

	for (struct leat_elf_chunk *c = e->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	for (size_t i = 0; i < e->window_index.n; i++)
		free(e->windows[i]);
	free(e->windows);
	leat_index_fini(&e->window_index);
}

static bool is_window(const void *ctx, uint32_t value, const void *key)
{
	const struct leat_elf *e = ctx;

	return e->windows[value]->off == *(const uint64_t *)key;
}

static int read_chunk(struct leat_elf *e, uint64_t off, uint64_t n, struct leat_elf_chunk **out)
{
	struct leat_elf_chunk *c;
	int err = new_chunk(e, n, &c);

	if (err)
		return err;
	err = leat_file_pread_all(e->fd, c->data, n, off);
	if (err) {
		drop_chunk(e, c);
		return err;
	}
	c->off = off;
	*out = c;
	return 0;
}

static int add_window(struct leat_elf *e, uint64_t off, uint64_t hash, struct leat_elf_chunk **out)
{
	uint64_t n = e->size - off;
	size_t cnt = e->window_index.n;
	int err;

	err = LEAT_ARRAY_ROOM(e->windows, e->windows_cap, cnt + 1, WINDOWS_MAX);
	if (err)
		return err;
	err = leat_index_reserve(&e->window_index, cnt + 1);
	if (err)
		return err;
	if (n > WINDOW_BYTES + SMALL_BYTES)
		n = WINDOW_BYTES + SMALL_BYTES;
	err = read_chunk(e, off, n, &e->windows[cnt]);
	if (err)
		return err;
	*out = e->windows[cnt];
	return leat_index_add(&e->window_index, hash, (uint32_t)cnt);
}

static int fetch_small(struct leat_elf *e, uint64_t off, const uint8_t **data)
{
	uint64_t first = off & ~(uint64_t)(WINDOW_BYTES - 1);
	uint64_t hash = leat_hash_u64(first);
	struct leat_elf_chunk *w;
	uint32_t i = leat_index_find(&e->window_index, hash, is_window, e, &first);
	int err;

	if (i != LEAT_INDEX_NONE) {
		w = e->windows[i];
	} else {
		err = add_window(e, first, hash, &w);
		if (err)
			return err;
	}
	/* In it: what is read is no more than SMALL_BYTES, and the caller has checked the end of the file. */
	*data = w->data + (off - first);
	return 0;
}

static int fetch_large(struct leat_elf *e, uint64_t off, uint64_t n, const uint8_t **data)
{
	struct leat_elf_chunk *c;
	int err;

	for (c = e->chunks; c; c = c->next) {
		if (c->off <= off && off - c->off < c->len && n <= c->len - (off - c->off)) {
			*data = c->data + (off - c->off);
			return 0;
		}
	}
	err = read_chunk(e, off, n, &c);
	if (err)
		return err;
	c->next = e->chunks;
	e->chunks = c;
	*data = c->data;
	return 0;
}

int leat_elf_fetch(struct leat_elf *e, uint64_t off, uint64_t n, const uint8_t **data)
{
	static const uint8_t nothing[1];

	if (off > e->size || n > e->size - off)
		return -EBADMSG;
	if (!n) {
		*data = nothing;
		return 0;
	}
	if (e->mem) {
		*data = e->mem + off;
		return 0;
	}
	return n <= SMALL_BYTES ? fetch_small(e, off, data) : fetch_large(e, off, n, data);
}

int leat_elf_copy(const struct leat_elf *e, uint64_t off, void *to, size_t n)
{
	if (off > e->size || n > e->size - off)
		return -EBADMSG;
	if (!e->mem)
		return leat_file_pread_all(e->fd, to, n, off);
	if (n)
		memcpy(to, e->mem + off, n);
	return 0;
}

/* The segment whose part in the file holds @at; executable ones win where two claim it. */
static const struct leat_elf_phdr *segment_of(const struct leat_elf *e, uint64_t at, bool by_offset)
{
	const struct leat_elf_phdr *found = NULL;

	for (size_t i = 0; i < e->phdr_cnt; i++) {
		const struct leat_elf_phdr *p = &e->phdrs[i];
		uint64_t start = by_offset ? p->offset : p->vaddr;

		if (p->type != PT_LOAD || at < start || at - start >= p->filesz)
			continue;
		if (p->flags & PF_X)
			return p;
		if (!found)
			found = p;
	}
	return found;
}

int leat_elf_offset_to_vaddr(const struct leat_elf *e, uint64_t off, uint64_t *vaddr)
{
	const struct leat_elf_phdr *p = segment_of(e, off, true);

	if (!p || __builtin_add_overflow(p->vaddr, off - p->offset, vaddr))
		return -ENOENT;
	return 0;
}

/* Where @vaddr is in the file, and how many bytes of its segment the file has from there. */
static int locate(const struct leat_elf *e, uint64_t vaddr, uint64_t *off, uint64_t *left)
{
	const struct leat_elf_phdr *p = segment_of(e, vaddr, false);
	uint64_t at;

	if (!p || __builtin_add_overflow(p->offset, vaddr - p->vaddr, &at) || at >= e->size)
		return -ENOENT;
	*off = at;
	*left = p->filesz - (vaddr - p->vaddr);
	if (*left > e->size - at)
		*left = e->size - at;
	return 0;
}

int leat_elf_vaddr_to_offset(const struct leat_elf *e, uint64_t vaddr, uint64_t *off)
{
	uint64_t left;

	return locate(e, vaddr, off, &left);
}

int leat_elf_room_at_vaddr(const struct leat_elf *e, uint64_t vaddr, uint64_t *n)
{
	uint64_t off;

	return locate(e, vaddr, &off, n);
}

int leat_elf_at_vaddr(struct leat_elf *e, uint64_t vaddr, size_t n, const uint8_t **data)
{
	uint64_t off, left;

	if (locate(e, vaddr, &off, &left) || n > left)
		return -ENOENT;
	return leat_elf_fetch(e, off, n, data);
}

int leat_elf_copy_vaddr(const struct leat_elf *e, uint64_t vaddr, void *to, size_t n)
{
	uint64_t off, left;

	if (locate(e, vaddr, &off, &left) || n > left)
		return -ENOENT;
	return leat_elf_copy(e, off, to, n);
}
