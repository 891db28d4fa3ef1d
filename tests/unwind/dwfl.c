/* SPDX-License-Identifier: BSD-2-Clause */
/* The judge: elfutils' libdwfl over the same registers and memory. No debug files are asked for. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "judge.h"

static pid_t next_thread(Dwfl *dwfl, void *ctx, void **arg)
{
	struct target *t = ctx;

	(void)dwfl;
	if (*arg)
		return 0;
	*arg = t;
	return t->pid;
}

static bool read_word(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *out, void *ctx)
{
	struct target *t = ctx;
	uint64_t word;

	(void)dwfl;
	if (!target_word(t, addr, &word)) {
		t->missed = addr;
		return false;
	}
	*out = word;
	return true;
}

static bool set_registers(Dwfl_Thread *thread, void *ctx)
{
	struct target *t = ctx;
	Dwarf_Word words[LEAT_UNWIND_REGS];

	for (size_t i = 0; i < LEAT_UNWIND_REGS; i++)
		words[i] = t->sample.regs.r[i];
	return dwfl_thread_state_registers(thread, 0, LEAT_UNWIND_REGS, words);
}

static int no_debug_file(Dwfl_Module *mod, void **data, const char *name, Dwarf_Addr base,
			 const char *file, const char *link, GElf_Word crc, char **out)
{
	(void)mod, (void)data, (void)name, (void)base, (void)file, (void)link, (void)crc, (void)out;
	return -1;
}

void judge_open(struct target *t)
{
	static const Dwfl_Callbacks files = { .find_elf = dwfl_linux_proc_find_elf,
					      .find_debuginfo = no_debug_file };
	static const Dwfl_Thread_Callbacks threads = { .next_thread = next_thread,
						       .memory_read = read_word,
						       .set_initial_registers = set_registers };

	t->dwfl = dwfl_begin(&files);
	if (!t->dwfl || dwfl_linux_proc_report(t->dwfl, t->pid) ||
	    dwfl_report_end(t->dwfl, NULL, NULL) ||
	    !dwfl_attach_state(t->dwfl, NULL, t->pid, &threads, t)) {
		fprintf(stderr, "libdwfl: %s\n", dwfl_errmsg(-1));
		exit(2);
	}
}

void judge_close(struct target *t)
{
	if (t->dwfl)
		dwfl_end(t->dwfl);
	t->dwfl = NULL;
}

static int add_frame(Dwfl_Frame *frame, void *ctx)
{
	struct stack *s = ctx;
	Dwarf_Addr pc;

	if (!dwfl_frame_pc(frame, &pc, NULL))
		return DWARF_CB_ABORT;
	s->frames[s->n++] = (struct leat_unwind_frame){ .pc = pc };
	return s->n < FRAMES_MAX ? DWARF_CB_OK : DWARF_CB_ABORT;
}

void judge_unwind(struct target *t, struct stack *out)
{
	out->n = 0;
	t->missed = 0;
	/* How it ends is told by the frames: an error is one more way to end. */
	(void)dwfl_getthread_frames(t->dwfl, t->pid, add_frame, out);
}

const char *judge_name(const struct target *t, uint64_t pc)
{
	static char text[512];
	Dwfl_Module *mod = dwfl_addrmodule(t->dwfl, pc);
	const char *path = "?", *name = NULL;
	Dwarf_Addr start = 0;

	if (mod) {
		path = dwfl_module_info(mod, NULL, &start, NULL, NULL, NULL, NULL, NULL);
		name = dwfl_module_addrname(mod, pc);
	}
	snprintf(text, sizeof(text), "%s+0x%" PRIx64 " %s", path, pc - start, name ? name : "?");
	return text;
}

bool judge_has_cfi(struct target *t, uint64_t pc)
{
	Dwfl_Module *mod = dwfl_addrmodule(t->dwfl, pc);
	Dwarf_Frame *frame = NULL;
	Dwarf_Addr bias = 0;
	Dwarf_CFI *cfi = mod ? dwfl_module_eh_cfi(mod, &bias) : NULL;
	bool has = cfi && !dwarf_cfi_addrframe(cfi, pc - bias, &frame);

	free(frame);
	if (has || !mod)
		return has;
	frame = NULL;
	cfi = dwfl_module_dwarf_cfi(mod, &bias);
	has = cfi && !dwarf_cfi_addrframe(cfi, pc - bias, &frame);
	free(frame);
	return has;
}

bool judge_symbol(struct target *t, uint64_t pc, uint64_t *start)
{
	Dwfl_Module *mod = dwfl_addrmodule(t->dwfl, pc);
	GElf_Off off;
	GElf_Sym sym;

	if (!mod || !dwfl_module_addrinfo(mod, pc, &off, &sym, NULL, NULL, NULL) ||
	    off >= sym.st_size)
		return false;
	*start = pc - off;
	return true;
}
