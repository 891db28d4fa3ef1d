/* SPDX-License-Identifier: BSD-2-Clause */
/* A process that is traced and stopped: registers, memory, mappings, tables. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#include "base/file.h"
#include "judge.h"

#define STACK_BYTES ((size_t)2 << 20)
#define MAPS_MAX    ((size_t)4 << 20)

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* What is in no piece: another stack of Go's. */
static int far_word(void *ctx, uint64_t addr, uint64_t *out)
{
	const struct target *t = ctx;

	return !t->copied && target_bytes(t, addr, out, sizeof(*out)) ? 0 : -1;
}

void target_init(struct target *t, pid_t pid)
{
	*t = (struct target){ .pid = pid };
	t->sample = (struct leat_unwind_sample){ .pieces = t->pieces, .word = far_word, .ctx = t };
	if (leat_unwind_rules_new(&t->rules))
		die("rules");
	for (size_t i = 0; i < PIECES; i++) {
		t->memory[i] = malloc(STACK_BYTES);
		if (!t->memory[i])
			die("malloc");
	}
}

void target_fini(struct target *t)
{
	judge_close(t);
	for (size_t i = 0; i < t->image_cnt; i++) {
		leat_unwind_table_free(&t->images[i].table);
		leat_elf_free(&t->images[i].elf);
		free(t->images[i].copy);
	}
	for (size_t i = 0; i < PIECES; i++)
		free(t->memory[i]);
	free(t->maps_text);
	leat_unwind_rules_free(&t->rules);
}

bool target_bytes(const struct target *t, uint64_t addr, void *to, size_t n)
{
	struct iovec here = { to, n }, there = { (void *)(uintptr_t)addr, n };

	return process_vm_readv(t->pid, &here, 1, &there, 1, 0) == (ssize_t)n;
}

bool target_word(const struct target *t, uint64_t addr, uint64_t *out)
{
	for (size_t i = 0; i < t->sample.piece_cnt; i++) {
		const struct leat_unwind_piece *s = &t->pieces[i];

		if (addr >= s->addr && addr - s->addr + 8 <= s->len) {
			memcpy(out, s->data + (addr - s->addr), 8);
			return true;
		}
	}
	return !t->copied && target_bytes(t, addr, out, sizeof(*out));
}

/* ---- mappings ---- */

struct line {
	uint64_t start, end, off, dev, ino;
	char perms[5];
	const char *path;
};

static bool parse_line(char *text, struct line *l)
{
	unsigned int major_no, minor_no;
	int path = 0;

	if (sscanf(text, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &l->start,
		   &l->end, l->perms, &l->off, &major_no, &minor_no, &l->ino, &path) < 7)
		return false;
	l->dev = makedev(major_no, minor_no);
	l->path = text + path;
	return true;
}

static void open_image(struct target *t, const struct line *l, struct image *image)
{
	char path[128];
	int fd;

	*image = (struct image){ .dev = l->dev, .ino = l->ino };
	if (strcmp(l->path, "[vdso]") == 0) {
		image->copy = malloc(l->end - l->start);
		if (!image->copy || !target_bytes(t, l->start, image->copy, l->end - l->start) ||
		    leat_elf_open_mem(&image->elf, image->copy, l->end - l->start, false))
			return;
	} else {
		snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, t->pid,
			 l->start, l->end);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			fd = open(l->path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return;
		if (leat_elf_open(&image->elf, fd))
			image->elf = NULL;
		close(fd);
	}
	if (!image->elf)
		return;
	image->segment_cnt = leat_unwind_segments(image->elf, image->segments);
	if (leat_unwind_table_build(&image->table, image->elf, NULL, t->rules))
		image->table = NULL;
}

static const struct image *image_of(struct target *t, const struct line *l)
{
	for (size_t i = 0; i < t->image_cnt; i++) {
		if (t->images[i].dev == l->dev && t->images[i].ino == l->ino)
			return &t->images[i];
	}
	if (t->image_cnt == LEAT_ARRAY_SIZE(t->images))
		die("too many files");
	open_image(t, l, &t->images[t->image_cnt]);
	return &t->images[t->image_cnt++];
}

static void add_map(struct target *t, const struct line *l)
{
	struct leat_unwind_map m = { .start = l->start, .end = l->end };
	const struct image *image = NULL;

	if (t->map_cnt == LEAT_ARRAY_SIZE(t->maps))
		die("too many mappings");
	if (l->ino || strcmp(l->path, "[vdso]") == 0)
		image = image_of(t, l);
	if (image &&
	    !leat_unwind_bias(image->segments, image->segment_cnt, l->start, l->off, &m.bias))
		m.table = image->table;
	t->owners[t->map_cnt] = image;
	t->offs[t->map_cnt] = l->off;
	t->maps[t->map_cnt++] = m;
}

static void use_maps(struct target *t, const char *text)
{
	char *copy = strdup(text), *save = NULL;

	if (!copy)
		die("strdup");
	t->map_cnt = 0;
	for (char *s = strtok_r(copy, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
		struct line l = { 0 };

		if (!parse_line(s, &l))
			continue;
		if (strcmp(l.path, "[stack]") == 0) {
			t->main_start = l.start;
			t->main_end = l.end;
		}
		if (l.perms[2] == 'x')
			add_map(t, &l);
	}
	free(copy);
}

static bool read_maps(struct target *t)
{
	char path[64], *text = NULL;

	snprintf(path, sizeof(path), "/proc/%d/maps", t->pid);
	if (leat_file_read_at(AT_FDCWD, path, MAPS_MAX, &text, NULL))
		return false;
	if (t->maps_text && strcmp(t->maps_text, text) == 0) {
		free(text);
		return true;
	}
	free(t->maps_text);
	t->maps_text = text;
	use_maps(t, text);
	judge_close(t);
	judge_open(t);
	return true;
}

/* ---- registers and stack ---- */

static void add_piece(struct target *t, uint64_t addr, uint64_t end)
{
	size_t n = end - addr < STACK_BYTES ? end - addr : STACK_BYTES;
	uint8_t *to = t->memory[t->sample.piece_cnt];
	struct iovec here = { to, n }, there = { (void *)(uintptr_t)addr, n };
	ssize_t got = process_vm_readv(t->pid, &here, 1, &there, 1, 0);

	if (got > 0)
		t->pieces[t->sample.piece_cnt++] =
			(struct leat_unwind_piece){ .data = to, .addr = addr, .len = (size_t)got };
}

static void read_stack(struct target *t)
{
	uint64_t sp = t->regs.rsp & ~7ull;

	t->sample.piece_cnt = 0;
	/* 128 bytes below sp belong to a function too. */
	if (sp >= t->main_start && sp < t->main_end) {
		add_piece(t, sp - 128 < t->main_start ? sp : sp - 128, t->main_end);
		return;
	}
	add_piece(t, sp - 128, sp + (256u << 10));
	if (t->main_end - t->main_start > STACK_BYTES)
		add_piece(t, t->main_end - STACK_BYTES, t->main_end);
	else if (t->main_end)
		add_piece(t, t->main_start, t->main_end);
}

bool target_read_regs(struct target *t)
{
	const struct user_regs_struct *u = &t->regs;

	if (ptrace(PTRACE_GETREGS, t->pid, NULL, &t->regs))
		return false;
	t->sample.piece_cnt = 0;
	t->sample.regs = (struct leat_unwind_regs){
		.r = { u->rax, u->rdx, u->rcx, u->rbx, u->rsi, u->rdi, u->rbp, u->rsp, u->r8, u->r9,
		       u->r10, u->r11, u->r12, u->r13, u->r14, u->r15, u->rip },
		.known = (1u << LEAT_UNWIND_REGS) - 1,
	};
	return true;
}

bool target_read(struct target *t, bool maps)
{
	if (!target_read_regs(t) || (maps && !read_maps(t)))
		return false;
	read_stack(t);
	return t->sample.piece_cnt > 0;
}

void target_unwind(const struct target *t, struct stack *out)
{
	const struct leat_unwind_space space = { .maps = t->maps,
						 .map_cnt = t->map_cnt,
						 .rules = t->rules };

	out->result = leat_unwind_stack(&space, &t->sample, out->frames, FRAMES_MAX, &out->n);
}

bool target_map(struct target *t)
{
	return read_maps(t);
}

void target_use_copy(struct target *t, const uint64_t *regs, uint8_t *stack, size_t len)
{
	t->copied = true;
	t->sample.regs.known = (1u << LEAT_UNWIND_REGS) - 1;
	memcpy(t->sample.regs.r, regs, sizeof(t->sample.regs.r));
	t->regs.rip = regs[16];
	t->regs.rsp = regs[7];
	t->regs.rbp = regs[6];
	t->pieces[0] = (struct leat_unwind_piece){ .data = stack, .addr = regs[7], .len = len };
	t->sample.piece_cnt = 1;
}

bool target_function(struct target *t, uint64_t pc, uint64_t *start)
{
	for (size_t i = 0; i < t->map_cnt; i++) {
		const struct leat_unwind_map *m = &t->maps[i];
		uint64_t bias, end;

		if (pc < m->start || pc >= m->end || !t->owners[i] || !t->owners[i]->elf)
			continue;
		bias = m->bias;
		if (leat_elf_fde_find(t->owners[i]->elf, pc - bias, start, &end))
			break;
		*start += bias;
		return true;
	}
	return judge_symbol(t, pc, start);
}

uint64_t target_offset(const struct target *t, uint64_t pc)
{
	for (size_t i = 0; i < t->map_cnt; i++) {
		const struct leat_unwind_map *m = &t->maps[i];

		if (pc >= m->start && pc < m->end && t->owners[i])
			return pc - m->start + t->offs[i];
	}
	return pc;
}

bool target_guesses(const struct target *t, uint64_t pc)
{
	for (size_t i = 0; i < t->map_cnt; i++) {
		const struct leat_unwind_map *m = &t->maps[i];

		if (pc >= m->start && pc < m->end)
			return !m->table ||
			       leat_unwind_table_rule(m->table, pc - m->bias) == LEAT_RULE_FRAME;
	}
	return false;
}
