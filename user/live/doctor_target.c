/* SPDX-License-Identifier: BSD-2-Clause */
/* leat doctor: what this kernel and this host offer for a recording, and what a target lacks. */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf/elf_file.h"
#include "engine/features.h"
#include "live/doctor.h"
#include "live/maps.h"
#include "live/procfs.h"

static void check_features(struct leat_checks *c)
{
	const struct leat_feature_row *row;
	size_t i;

	for (i = 0; (row = leat_feature_at(i)); i++) {
		struct leat_check *k;
		int got;

		/* Checked apart, or of no use to a recording yet. */
		if (row->id == LEAT_FEATURE_BTF || row->id == LEAT_FEATURE_PMU ||
		    !strncmp(row->use, "not used", 8))
			continue;
		got = leat_feature_probe(row->id);
		k = leat_check_add(c, row->name);
		if (got > 0) {
			leat_check_value(k, "there");
			continue;
		}
		leat_check_value(k, got ? "not permitted to ask (since %s)" : "absent (since %s)",
				 row->since);
		leat_check_bad(k, row->required ? LEAT_CHECK_FAIL : LEAT_CHECK_WARN, row->use,
			       got ? "" : "a newer kernel");
	}
}

static void check_events(struct leat_checks *c)
{
	struct leat_check *k = leat_check_add(c, "sampling");
	struct leat_perf_event cycles, clock;
	int err;

	if (!leat_perf_event_find("cycles", &cycles) && !leat_perf_event_try(&cycles)) {
		leat_check_value(k, "cycles (hardware PMU)");
		return;
	}
	err = leat_perf_event_find("cpu-clock", &clock);
	if (!err)
		err = leat_perf_event_try(&clock);
	if (!err) {
		leat_check_value(k, "cpu-clock (no hardware PMU: common in virtual machines)");
		return;
	}
	leat_check_value(k, "refused (%s)", strerrorname_np(-err));
	leat_check_bad(k, LEAT_CHECK_FAIL, "no event can be sampled", "sudo leat doctor");
}

/* All addresses are zero; the first few are in any case, of per-CPU data. */
static bool all_zero(const char *line)
{
	while (line && *line) {
		if (strtoull(line, NULL, 16))
			return false;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return true;
}

static void check_kallsyms(struct leat_checks *c)
{
	struct leat_check *k = leat_check_add(c, "kernel symbols");
	char text[4096];
	int n = leat_procfs_text("/proc/kallsyms", text, sizeof(text));

	if (n <= 0) {
		leat_check_value(k, "no /proc/kallsyms");
		leat_check_bad(k, LEAT_CHECK_WARN, "kernel frames stay unnamed", "");
	} else if (all_zero(text)) {
		leat_check_value(k, "hidden");
		leat_check_bad(
			k, LEAT_CHECK_WARN, "kernel frames stay unnamed",
			"sudo leat, or cap_syslog; kernel.kptr_restrict=2 hides them from all");
	} else {
		leat_check_value(k, "/proc/kallsyms");
	}
}

static void check_debug_files(struct leat_checks *c)
{
	struct leat_check *k = leat_check_add(c, "separate debug files");
	bool there = !access("/usr/lib/debug/.build-id", R_OK);

	leat_check_value(k, there ? "/usr/lib/debug" : "none");
	/* Function names of stripped libraries; not needed to record. */
	if (!there)
		leat_check_value(k, "none installed (names come from the binaries alone)");
}

void leat_doctor_recording(struct leat_checks *c)
{
	check_features(c);
	check_events(c);
	check_kallsyms(c);
	check_debug_files(c);
}

/* ---- a target ---- */

/* push %rbp; mov %rsp,%rbp, after endbr64 perhaps. */
static bool sets_frame_pointer(const uint8_t *p)
{
	static const uint8_t endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	static const uint8_t push_mov[] = { 0x55, 0x48, 0x89, 0xe5 };

	if (!memcmp(p, endbr, sizeof(endbr)))
		p += sizeof(endbr);
	return !memcmp(p, push_mov, sizeof(push_mov));
}

/* How many of a binary's functions have a frame pointer; by those that have a symbol. */
static void count_prologues(struct leat_elf *e, size_t *with, size_t *all)
{
	struct leat_elf_symtab t;
	size_t i;

	*with = *all = 0;
	if (leat_elf_symtab(e, false, &t) && leat_elf_symtab(e, true, &t))
		return;
	for (i = 0; i < t.cnt && *all < 20000; i++) {
		struct leat_elf_sym s;
		const uint8_t *p;

		leat_elf_sym_at(&t, i, &s);
		/* The smallest functions keep none anyway. */
		if (s.type != STT_FUNC || s.size < 48 || leat_elf_at_vaddr(e, s.value, 16, &p))
			continue;
		(*all)++;
		*with += sets_frame_pointer(p);
	}
}

static void check_frame_pointers(struct leat_checks *c)
{
	struct leat_check *k = leat_check_add(c, "frame pointers");
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	LEAT_CLOSE int fd = -1;
	char path[64];
	size_t with, all;

	snprintf(path, sizeof(path), "/proc/%u/exe", c->via);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || leat_elf_open(&e, fd)) {
		leat_check_value(k, "unknown: its executable cannot be read");
		return;
	}
	count_prologues(e, &with, &all);
	if (all < 20) {
		leat_check_value(k, "unknown: too few symbols in its executable");
		return;
	}
	leat_check_value(k, "%zu %% of the functions of its executable", with * 100 / all);
}

static void check_maps(struct leat_checks *c)
{
	struct leat_check *k = leat_check_add(c, "its mappings");
	char path[64], text[256];
	DIR *d;
	int n;

	snprintf(path, sizeof(path), "/proc/%u/maps", c->via);
	n = leat_procfs_text(path, text, sizeof(text));
	if (n < 0) {
		leat_check_value(k, "unreadable (%s)", strerrorname_np(-n));
		leat_check_bad(k, LEAT_CHECK_FAIL, "none of its user frames can be named",
			       "sudo leat, or cap_sys_ptrace");
		return;
	}
	snprintf(path, sizeof(path), "/proc/%u/map_files", c->via);
	d = opendir(path);
	if (d) {
		closedir(d);
		leat_check_value(k, "readable");
		return;
	}
	leat_check_value(k, "readable, map_files is not (%s)", strerrorname_np(errno));
	leat_check_bad(k, LEAT_CHECK_WARN, "deleted binaries cannot be opened",
		       "sudo leat, or cap_checkpoint_restore and cap_sys_ptrace");
}

void leat_doctor_target(struct leat_checks *c)
{
	struct leat_check *k = leat_check_add(c, "target");
	struct leat_proc_info info;
	uint64_t mnt;
	int err = leat_procfs_read(c->pid, &info);

	if (err) {
		if (err == -ESRCH)
			leat_check_value(k, "no such process: %u", c->pid);
		else
			leat_check_value(k, "process %u is hidden (%s)", c->pid,
					 strerrorname_np(-err));
		leat_check_bad(k, LEAT_CHECK_FAIL,
			       err == -ESRCH ? "it has ended, or the number is wrong"
					     : "nothing of it can be recorded",
			       err == -ESRCH ? "pgrep -a NAME" : "sudo leat doctor");
		return;
	}
	if (leat_procfs_has_ended(&info.stat)) {
		leat_check_value(k, "%s (pid %u) has ended already", info.comm, c->pid);
		leat_check_bad(k, LEAT_CHECK_FAIL, "a zombie runs no more", "");
		return;
	}
	c->via = leat_procfs_via(c->pid);
	leat_check_value(k, "%s (pid %u%s)", info.comm, c->pid,
			 info.kthread ? ", a kernel thread" : "");
	if (info.status.tgid != c->pid)
		leat_check_bad(k, LEAT_CHECK_FAIL, "this is a thread, not a process",
			       "give its process's number");
	mnt = leat_procfs_ns(c->pid, "mnt");
	k = leat_check_add(c, "its namespaces");
	leat_check_value(k, "mount: %s, pid: %s",
			 mnt && mnt != leat_procfs_ns(0, "mnt") ? "its own" : "the same",
			 info.status.ns_depth > 1 ? "its own" : "the same");
	if (info.kthread)
		return;
	check_maps(c);
	check_frame_pointers(c);
	leat_doctor_unwind(c);
}
