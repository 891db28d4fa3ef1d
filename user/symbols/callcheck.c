/* SPDX-License-Identifier: BSD-2-Clause */
/* Judges return addresses by the code around them, and finds the outermost frames. */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "symbols/job.h"
#include "symbols/roots.h"

#define WINDOW_BYTES 4096u

struct checker {
	struct leat_profile *profile;
	const struct leat_object *object;
	struct leat_elf *elf;
	struct leat_roots roots;
	uint16_t machine;
	/* the piece of the file that was read last */
	uint8_t window[WINDOW_BYTES];
	uint64_t window_off;
	size_t window_len;
};

static bool is_wanted(const struct leat_profile *p, const struct leat_frame *f)
{
	enum leat_object_kind kind = p->objects[f->object].kind;

	return !(f->flags & LEAT_FRAME_KERNEL) && kind != LEAT_OBJECT_KERNEL &&
	       kind != LEAT_OBJECT_NAMED;
}

/* The executable segment that holds the byte before @off: a call may be the last one in it. */
static const struct leat_elf_phdr *segment_of(const struct leat_elf *e, uint64_t off)
{
	for (size_t i = 0; i < leat_elf_phdr_cnt(e); i++) {
		const struct leat_elf_phdr *p = leat_elf_phdr_at(e, i);

		if (p->type == PT_LOAD && (p->flags & PF_X) && off > p->offset &&
		    off - p->offset <= p->filesz)
			return p;
	}
	return NULL;
}

static bool is_code(const struct leat_elf *e, uint64_t vaddr)
{
	for (size_t i = 0; i < leat_elf_phdr_cnt(e); i++) {
		const struct leat_elf_phdr *p = leat_elf_phdr_at(e, i);

		if (p->type == PT_LOAD && (p->flags & PF_X) && vaddr >= p->vaddr &&
		    vaddr - p->vaddr < p->memsz)
			return true;
	}
	return false;
}

/* @n bytes of the file at @off, in the window. Frames come sorted, so neighbours share one. */
static const uint8_t *read_window(struct checker *c, uint64_t off, size_t n, uint64_t limit)
{
	uint64_t len = limit - off;

	if (off >= c->window_off && off - c->window_off + n <= c->window_len)
		return c->window + (off - c->window_off);
	len = len < WINDOW_BYTES ? len : WINDOW_BYTES;
	c->window_len = 0;
	if (len < n || leat_elf_copy(c->elf, off, c->window, len))
		return NULL;
	c->window_off = off;
	c->window_len = len;
	return c->window;
}

/* The code around file offset @off. false: it cannot be read. */
static bool read_code(struct checker *c, uint64_t off, struct leat_code *code)
{
	const struct leat_elf_phdr *seg = segment_of(c->elf, off);
	uint64_t end, before, after;
	const uint8_t *p;

	if (!seg || __builtin_add_overflow(seg->offset, seg->filesz, &end))
		return false;
	before = off - seg->offset;
	after = end - off;
	before = before < LEAT_CODE_BEFORE ? before : LEAT_CODE_BEFORE;
	after = after < LEAT_CODE_AFTER ? after : LEAT_CODE_AFTER;
	p = read_window(c, off - before, before + after, end);
	if (!p)
		return false;
	memset(code, 0, sizeof(*code));
	memcpy(code->before + LEAT_CODE_BEFORE - before, p, before);
	memcpy(code->after, p + before, after);
	code->before_len = (uint8_t)before;
	code->after_len = (uint8_t)after;
	code->vaddr = seg->vaddr + (off - seg->offset);
	return true;
}

/* A direct call leads to code of the same file. */
static bool is_called(const struct checker *c, const struct leat_code *code)
{
	struct leat_call call = leat_code_call(c->machine, code);

	return call.indirect || (call.direct && is_code(c->elf, call.target));
}

static void check_return(struct checker *c, struct leat_frame *f)
{
	struct leat_verdict *v = &c->profile->verdict;
	const struct leat_root *root;
	struct leat_code code;

	if (!leat_code_is_known(c->machine) || !read_code(c, f->offset, &code)) {
		v->ret_not_judged++;
		return;
	}
	root = leat_roots_at(&c->roots, code.vaddr - 1, true);
	f->flags |= LEAT_FRAME_CHECKED;
	v->ret_checked++;
	if (leat_code_is_sigreturn(c->machine, &code)) {
		f->flags |= LEAT_FRAME_SIGNAL;
	} else if (!is_called(c, &code) && !(root && root->no_call)) {
		f->flags |= LEAT_FRAME_BAD_CALL;
		v->ret_bad++;
		return;
	}
	if (root || leat_roots_is_end(&c->roots, c->machine, &code))
		f->flags |= LEAT_FRAME_ROOT;
}

static void check_frame(struct checker *c, struct leat_frame *f)
{
	uint64_t vaddr;

	f->flags &=
		~(LEAT_FRAME_CHECKED | LEAT_FRAME_BAD_CALL | LEAT_FRAME_ROOT | LEAT_FRAME_SIGNAL);
	if (f->flags & LEAT_FRAME_RETURN)
		check_return(c, f);
	else if (leat_elf_offset_to_vaddr(c->elf, f->offset, &vaddr) == 0 &&
		 leat_roots_at(&c->roots, vaddr, false))
		f->flags |= LEAT_FRAME_ROOT;
}

static bool is_other_build(const struct leat_object *o, struct leat_elf *e)
{
	struct leat_build_id id;

	return o->build_id_len && leat_elf_build_id(e, &id) == 0 &&
	       (id.len != o->build_id_len || memcmp(id.bytes, o->build_id, id.len) != 0);
}

/* Opens the file of an object; c->elf stays NULL when it has none that can be read. */
static int open_object(struct checker *c, const struct leat_file_provider *prov)
{
	enum leat_file_what what = LEAT_FILE_BINARY;
	char base[256];
	const char *s;
	size_t len;
	int err;

	if (c->object->kind == LEAT_OBJECT_VDSO)
		what = LEAT_FILE_VDSO;
	else if (c->object->kind != LEAT_OBJECT_FILE)
		return 0;
	LEAT_CLOSE int fd = prov->open(prov->ctx, c->profile, c->object, what, NULL, 0);
	if (fd < 0)
		return 0;
	err = leat_elf_open(&c->elf, fd);
	if (!err && is_other_build(c->object, c->elf))
		leat_elf_free(&c->elf);
	if (err || !c->elf)
		return err == -ENOMEM ? err : 0;
	s = leat_object_base(c->profile, c->object, &len);
	len = len < sizeof(base) ? len : sizeof(base) - 1;
	memcpy(base, s, len);
	base[len] = 0;
	c->machine = leat_elf_machine(c->elf);
	return leat_roots_find(&c->roots, c->elf, base);
}

static int check_object(struct checker *c, const struct leat_file_provider *prov,
			const struct leat_group *g)
{
	int err = open_object(c, prov);

	leat_items_sort(g->items, g->n);
	for (size_t i = 0; i < g->n && !err; i++) {
		struct leat_frame *f = &c->profile->frames[g->items[i].frame];

		if (c->elf)
			check_frame(c, f);
		else
			c->profile->verdict.ret_not_judged += f->flags & LEAT_FRAME_RETURN;
	}
	leat_elf_free(&c->elf);
	return err;
}

int leat_symbols_check_calls(struct leat_profile *p, const struct leat_file_provider *prov)
{
	LEAT_FREE struct checker *c = malloc(sizeof(*c));
	LEAT_AUTO(leat_groups_fini) struct leat_groups g = { 0 };
	int err;

	if (!c)
		return -ENOMEM;
	p->verdict.ret_checked = 0;
	p->verdict.ret_bad = 0;
	p->verdict.ret_not_judged = 0;
	err = leat_groups_make(&g, p, is_wanted);
	for (size_t i = 0; i < g.n && !err; i++) {
		memset(c, 0, sizeof(*c));
		c->profile = p;
		c->object = &p->objects[g.groups[i].object];
		err = check_object(c, prov, &g.groups[i]);
	}
	return err;
}
