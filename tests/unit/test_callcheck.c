/* SPDX-License-Identifier: BSD-2-Clause */
/* Return addresses: by bytes, and over all of the C library of this machine. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../support/sym_files.h"
#include "../support/tmpdir.h"
#include "symbols/insn.h"

#define MAX_BYTES 12

struct row {
	const char *what;
	uint8_t bytes[MAX_BYTES];
	size_t n;
	bool is_call;
};

static const struct row rows[] = {
	{ "call rel32", { 0xe8, 1, 2, 3, 0 }, 5, true },
	{ "call *%rax", { 0xff, 0xd0 }, 2, true },
	{ "call *%r11", { 0x41, 0xff, 0xd3 }, 3, true },
	{ "call *(%rax)", { 0xff, 0x10 }, 2, true },
	{ "call *(%rsp)", { 0xff, 0x14, 0x24 }, 3, true },
	{ "call *(%r12,%rbx,8)", { 0x41, 0xff, 0x14, 0xdc }, 4, true },
	{ "call *disp32(,%rax,8)", { 0xff, 0x14, 0xc5, 1, 2, 3, 4 }, 7, true },
	{ "call *disp32(%rip)", { 0xff, 0x15, 1, 2, 3, 4 }, 6, true },
	{ "call *disp8(%rax)", { 0xff, 0x50, 8 }, 3, true },
	{ "call *disp8(%rsp)", { 0xff, 0x54, 0x24, 8 }, 4, true },
	{ "call *disp32(%rax)", { 0xff, 0x90, 1, 2, 3, 4 }, 6, true },
	{ "call *disp32(%rax,%rcx)", { 0xff, 0x94, 0x08, 1, 2, 3, 4 }, 7, true },
	{ "call *%fs:disp32", { 0x64, 0xff, 0x14, 0x25, 1, 2, 3, 4 }, 8, true },
	{ "bnd call", { 0xf2, 0xe8, 1, 2, 3, 0 }, 6, true },
	{ "notrack call *%rax", { 0x3e, 0xff, 0xd0 }, 3, true },
	{ "call *disp8(%rbp) with base 5", { 0xff, 0x54, 0x05, 8 }, 4, true },
	{ "jmp rel32", { 0xe9, 1, 2, 3, 0 }, 5, false },
	{ "jmp *%rax", { 0xff, 0xe0 }, 2, false },
	{ "far call", { 0xff, 0x18 }, 2, false },
	{ "push", { 0xff, 0x30 }, 2, false },
	{ "mov, ret", { 0x48, 0x89, 0xe5, 0x5d, 0xc3 }, 5, false },
	{ "call one byte early", { 0xe8, 1, 2, 3, 0, 0x90 }, 6, false },
	{ "nothing", { 0 }, 0, false },
	{ "one byte", { 0xe8 }, 1, false },
	{ "disp8 is missing", { 0xff, 0x50 }, 2, false },
	{ "call far ptr16:32 is invalid", { 0x9a, 1, 2, 3, 4, 5, 6 }, 7, false },
};

static void set_code(struct leat_code *c, const uint8_t *before, size_t n)
{
	size_t keep = n < LEAT_CODE_BEFORE ? n : LEAT_CODE_BEFORE;

	memset(c, 0, sizeof(*c));
	memcpy(c->before + LEAT_CODE_BEFORE - keep, before + n - keep, keep);
	c->before_len = (uint8_t)keep;
	c->vaddr = 0x1000;
}

Test(callcheck, x86_forms)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		struct leat_code c;
		struct leat_call call;

		set_code(&c, rows[i].bytes, rows[i].n);
		call = leat_code_call(EM_X86_64, &c);
		cr_expect(eq(int, call.direct || call.indirect, rows[i].is_call), "%s",
			  rows[i].what);
	}
}

Test(callcheck, target_of_direct_call)
{
	static const uint8_t back[] = { 0xe8, 0xf0, 0xff, 0xff, 0xff };
	struct leat_code c;

	set_code(&c, back, sizeof(back));
	cr_expect(eq(u64, leat_code_call(EM_X86_64, &c).target, 0x1000 - 16));
}

Test(callcheck, aarch64_forms)
{
	static const uint8_t bl[] = { 0x02, 0x00, 0x00, 0x94 }, blr[] = { 0x20, 0x01, 0x3f, 0xd6 };
	static const uint8_t blraa[] = { 0x0a, 0x09, 0x3f, 0xd7 },
			     ret[] = { 0xc0, 0x03, 0x5f, 0xd6 };
	struct leat_code c;

	set_code(&c, bl, 4);
	cr_expect(eq(int, !!(leat_code_call(EM_AARCH64, &c).direct), 1));
	cr_expect(eq(u64, leat_code_call(EM_AARCH64, &c).target, 0xffc + 8));
	set_code(&c, blr, 4);
	cr_expect(eq(int, !!(leat_code_call(EM_AARCH64, &c).indirect), 1));
	set_code(&c, blraa, 4);
	cr_expect(eq(int, !!(leat_code_call(EM_AARCH64, &c).indirect), 1));
	set_code(&c, ret, 4);
	cr_expect(eq(int, !!(leat_code_call(EM_AARCH64, &c).indirect), 0));
	cr_expect(eq(int, !!(leat_code_call(EM_RISCV, &c).indirect), 0));
	cr_expect(eq(int, !!(leat_code_is_known(EM_RISCV)), 0));
}

Test(callcheck, ends_of_threads)
{
	static const uint8_t glibc[] = { 0x89, 0xc7, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05 };
	static const uint8_t clone3[] = { 0x48, 0x89, 0xc7, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05 };
	static const uint8_t musl[] = { 0x89, 0xc7, 0x31, 0xc0, 0xb0, 0x3c, 0x0f, 0x05 };
	static const uint8_t sigreturn[] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };
	struct leat_code c = { .after_len = LEAT_CODE_AFTER };

	cr_expect(eq(int, !!(leat_code_is_thread_end(EM_X86_64, &c)), 0));
	memcpy(c.after, glibc, sizeof(glibc));
	cr_expect(eq(int, !!(leat_code_is_thread_end(EM_X86_64, &c)), 1));
	c.after_len = sizeof(glibc) - 1;
	cr_expect(eq(int, !!(leat_code_is_thread_end(EM_X86_64, &c)), 0));
	c.after_len = LEAT_CODE_AFTER;
	memcpy(c.after, clone3, sizeof(clone3));
	cr_expect(eq(int, !!(leat_code_is_thread_end(EM_X86_64, &c)), 1));
	memcpy(c.after, musl, sizeof(musl));
	cr_expect(eq(int, !!(leat_code_is_thread_end(EM_X86_64, &c)), 1));
	cr_expect(eq(int, !!(leat_code_is_thread_end(EM_AARCH64, &c)), 0));
	cr_expect(eq(int, !!(leat_code_is_sigreturn(EM_X86_64, &c)), 0));
	memcpy(c.after, sigreturn, sizeof(sigreturn));
	cr_expect(eq(int, !!(leat_code_is_sigreturn(EM_X86_64, &c)), 1));
}

/* The library that this very program uses. */
static void find_libc(char *path, size_t n)
{
	char line[512];
	FILE *f = fopen("/proc/self/maps", "re");

	path[0] = 0;
	while (f && fgets(line, sizeof(line), f)) {
		char *p = strchr(line, '/');

		if (!p || !strstr(p, "libc.so"))
			continue;
		p[strcspn(p, "\n")] = 0;
		snprintf(path, n, "%s", p);
		break;
	}
	if (f)
		fclose(f);
	cr_assert(ne(chr, path[0], 0));
}

/*
 * Frames for what follows each call in a disassembly. Addresses equal file offsets in the code of
 * Debian's libc; other layouts are the business of test_resolve.
 */
static size_t add_calls(struct leat_profile *p, uint32_t object, const char *path)
{
	char line[512], cmd[600];
	bool after_call = false;
	size_t cnt = 0;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "objdump -d --no-show-raw-insn %s", path);
	f = popen(cmd, "r");
	cr_assert(ne(ptr, f, NULL));
	while (fgets(line, sizeof(line), f)) {
		unsigned long addr;
		char colon;

		if (sscanf(line, " %lx%c", &addr, &colon) != 2 || colon != ':')
			continue;
		if (after_call) {
			leat_sym_frame(p, object, addr, LEAT_FRAME_RETURN);
			cnt++;
		}
		after_call = strstr(line, "call ") != NULL;
	}
	pclose(f);
	return cnt;
}

Test(callcheck, every_call_in_the_c_library)
{
	struct leat_sym_files files;
	struct leat_profile *p = leat_sym_profile();
	uint32_t object;
	char path[512];
	size_t calls;

	find_libc(path, sizeof(path));
	leat_sym_files_init(&files);
	leat_sym_files_add(&files, LEAT_FILE_BINARY, NULL, NULL, path);
	object = leat_sym_object(p, LEAT_OBJECT_FILE, path);
	calls = add_calls(p, object, path);
	cr_assert(gt(sz, calls, 10000));
	cr_assert(eq(int, leat_symbols_check_calls(p, &files.provider), 0));
	cr_expect(eq(u64, p->verdict.ret_checked, calls));
	cr_expect(eq(u64, p->verdict.ret_bad, 0));
	cr_expect(eq(u64, p->verdict.ret_not_judged, 0));
	leat_profile_free(&p);
}

/* Addresses in the middle of nothing: what garbage on a stack looks like. */
Test(callcheck, few_other_addresses_pass)
{
	struct leat_sym_files files;
	struct leat_profile *p = leat_sym_profile();
	uint32_t object;
	char path[512];
	uint64_t text;

	find_libc(path, sizeof(path));
	leat_sym_files_init(&files);
	leat_sym_files_add(&files, LEAT_FILE_BINARY, NULL, NULL, path);
	object = leat_sym_object(p, LEAT_OBJECT_FILE, path);
	text = leat_sym_offset_of(path, "malloc");
	for (uint64_t i = 0; i < 20000; i++)
		leat_sym_frame(p, object, text + i * 13, LEAT_FRAME_RETURN);
	cr_assert(eq(int, leat_symbols_check_calls(p, &files.provider), 0));
	cr_expect(eq(u64, p->verdict.ret_checked, 20000));
	/* Every 60th byte or so really follows a call. */
	cr_expect(gt(u64, p->verdict.ret_bad, 19000));
	leat_profile_free(&p);
}

Test(callcheck, what_cannot_be_read_is_not_judged)
{
	struct leat_sym_files files;
	struct leat_profile *p = leat_sym_profile();
	uint32_t gone, jit, kernel, file, leaf;

	leat_sym_files_init(&files);
	gone = leat_sym_object(p, LEAT_OBJECT_FILE, "/gone");
	jit = leat_sym_object(p, LEAT_OBJECT_JIT, "[jit]");
	kernel = leat_sym_object(p, LEAT_OBJECT_KERNEL, "[kernel]");
	file = leat_sym_frame(p, gone, 0x1234, LEAT_FRAME_RETURN);
	leaf = leat_sym_frame(p, gone, 0x1234, 0);
	leat_sym_frame(p, jit, 0x7000, LEAT_FRAME_RETURN);
	leat_sym_frame(p, kernel, 0xffffffff81000000, LEAT_FRAME_RETURN | LEAT_FRAME_KERNEL);
	cr_assert(eq(int, leat_symbols_check_calls(p, &files.provider), 0));
	cr_expect(eq(u64, p->verdict.ret_not_judged, 2));
	cr_expect(eq(u64, p->verdict.ret_checked, 0));
	cr_expect(eq(u32, p->frames[file].flags, LEAT_FRAME_RETURN));
	cr_expect(eq(u32, p->frames[leaf].flags, 0));
	leat_profile_free(&p);
}

Test(callcheck, call_at_the_edges_of_a_segment)
{
	struct leat_tmpdir dir;
	struct leat_sym_files files;
	struct leat_profile *p = leat_sym_profile();
	char path[128];
	uint64_t start, size;
	uint32_t object, first, last;

	leat_tmpdir_init(&dir);
	leat_sym_sh(
		"cd %s && echo '.globl f; .type f,@function; f: .Lf: nop; call .Lf; .size f, .-f' > t.s && "
		"gcc -shared -nostdlib -Wl,--build-id=none -o t.so t.s",
		dir.path);
	snprintf(path, sizeof(path), "%s/t.so", dir.path);
	start = leat_sym_offset_of(path, "f");
	size = leat_sym_size_of(path, "f");
	leat_sym_files_init(&files);
	leat_sym_files_add(&files, LEAT_FILE_BINARY, NULL, NULL, path);
	object = leat_sym_object(p, LEAT_OBJECT_FILE, path);
	first = leat_sym_frame(p, object, start, LEAT_FRAME_RETURN);
	last = leat_sym_frame(p, object, start + size, LEAT_FRAME_RETURN);
	cr_assert(eq(int, leat_symbols_check_calls(p, &files.provider), 0));
	cr_expect(eq(u32, p->frames[last].flags & LEAT_FRAME_BAD_CALL, 0));
	cr_expect(eq(u32, p->frames[last].flags & LEAT_FRAME_CHECKED, LEAT_FRAME_CHECKED));
	/* Nothing stands before the first byte: it cannot be judged. */
	cr_expect(eq(u32, p->frames[first].flags & LEAT_FRAME_CHECKED, 0));
	leat_profile_free(&p);
	leat_tmpdir_fini(&dir);
}
