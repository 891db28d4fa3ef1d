/* SPDX-License-Identifier: BSD-2-Clause */
/* leat doctor: kernel, privileges, limits. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "live/doctor.h"
#include "live/procfs.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif
#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

#define SETCAP                                                                                     \
	"sudo setcap cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search,"                      \
	"cap_checkpoint_restore,cap_syslog+ep $(command -v leat)"

static void check_kernel(struct leat_checks *c)
{
	struct leat_check *k = leat_check_add(c, "kernel");
	unsigned int major = 0, minor = 0;
	struct utsname u = { 0 };

	uname(&u);
	leat_check_value(k, "%s %s", u.release, u.machine);
	if (sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
	    (major < 5 || (major == 5 && minor < 10)))
		leat_check_bad(k, LEAT_CHECK_FAIL, "leat needs Linux 5.10 or newer",
			       "install a newer kernel");
}

static void check_btf(struct leat_checks *c)
{
	struct leat_check *k = leat_check_add(c, "kernel type information");

	if (!access("/sys/kernel/btf/vmlinux", R_OK)) {
		leat_check_value(k, "/sys/kernel/btf/vmlinux");
		return;
	}
	leat_check_value(k, "none (%s)", strerrorname_np(errno));
	leat_check_bad(k, LEAT_CHECK_FAIL,
		       "leat's programs are relocated by the kernel's own type information",
		       "a kernel built with CONFIG_DEBUG_INFO_BTF=y");
}

static const struct need {
	const char *name;
	int bit;
	enum leat_check_level level;
	const char *use;
} needs[] = {
	{ "cap_bpf", CAP_BPF, LEAT_CHECK_FAIL, "BPF programs cannot be loaded" },
	{ "cap_perfmon", CAP_PERFMON, LEAT_CHECK_FAIL, "samples and kernel stacks are refused" },
	{ "cap_sys_ptrace", CAP_SYS_PTRACE, LEAT_CHECK_WARN,
	  "mappings of other users' processes cannot be read" },
	{ "cap_dac_read_search", CAP_DAC_READ_SEARCH, LEAT_CHECK_WARN,
	  "binaries and perf maps of other users may be unreadable" },
	{ "cap_checkpoint_restore", CAP_CHECKPOINT_RESTORE, LEAT_CHECK_WARN,
	  "deleted and replaced binaries cannot be opened (map_files)" },
	{ "cap_syslog", CAP_SYSLOG, LEAT_CHECK_WARN, "kernel symbols may read as zeros" },
};

/* What a capability stands in for where the kernel is older or the user is root. */
static bool has_cap(uint64_t eff, int bit)
{
	bool admin = eff >> CAP_SYS_ADMIN & 1;

	if (eff >> bit & 1)
		return true;
	return admin && (bit == CAP_BPF || bit == CAP_PERFMON || bit == CAP_CHECKPOINT_RESTORE ||
			 bit == CAP_SYSLOG);
}

static void check_caps(struct leat_checks *c)
{
	struct leat_proc_status st = { 0 };
	char text[4096];
	int n = leat_procfs_text("/proc/self/status", text, sizeof(text));
	size_t i;

	if (n <= 0 || leat_procfs_parse_status(text, (size_t)n, &st))
		return;
	for (i = 0; i < LEAT_ARRAY_SIZE(needs); i++) {
		struct leat_check *k = leat_check_add(c, needs[i].name);

		if (has_cap(st.cap_eff, needs[i].bit)) {
			leat_check_value(k, "held");
			continue;
		}
		leat_check_value(k, "missing (euid %u, CapEff %016llx)", (unsigned int)geteuid(),
				 (unsigned long long)st.cap_eff);
		leat_check_bad(k, needs[i].level, needs[i].use, "sudo leat ..., or once: " SETCAP);
	}
	if (st.seccomp == 2) {
		struct leat_check *k = leat_check_add(c, "seccomp");

		leat_check_value(k, "filter");
		leat_check_bad(k, LEAT_CHECK_WARN,
			       "a container's filter may refuse bpf and perf_event_open",
			       "start the container with --security-opt seccomp=unconfined");
	}
}

static bool sysctl(struct leat_checks *c, const char *name, const char *path, struct leat_check **k,
		   int64_t *v)
{
	char text[64];

	*k = leat_check_add(c, name);
	if (leat_procfs_text(path, text, sizeof(text)) <= 0) {
		leat_check_value(*k, "not there");
		return false;
	}
	*v = strtoll(text, NULL, 10);
	leat_check_value(*k, "%lld", (long long)*v);
	return true;
}

static void check_sysctls(struct leat_checks *c)
{
	struct leat_check *k;
	int64_t v;

	if (sysctl(c, "perf_event_paranoid", "/proc/sys/kernel/perf_event_paranoid", &k, &v) &&
	    v > 2)
		leat_check_bad(k, LEAT_CHECK_WARN, "only cap_perfmon, not a sysctl, gives access",
			       "");
	if (sysctl(c, "perf_event_max_sample_rate", "/proc/sys/kernel/perf_event_max_sample_rate",
		   &k, &v) &&
	    v < 99)
		leat_check_bad(k, LEAT_CHECK_FAIL, "the default of 99 Hz is above the limit",
			       "sudo sysctl kernel.perf_event_max_sample_rate=100000");
	if (sysctl(c, "perf_event_max_stack", "/proc/sys/kernel/perf_event_max_stack", &k, &v) &&
	    v < 127)
		leat_check_bad(k, LEAT_CHECK_WARN, "kernel stacks are cut short",
			       "sudo sysctl kernel.perf_event_max_stack=127");
	if (sysctl(c, "kptr_restrict", "/proc/sys/kernel/kptr_restrict", &k, &v) && v > 1)
		leat_check_bad(
			k, LEAT_CHECK_WARN,
			"kernel symbols are hidden from everyone: kernel frames stay unnamed",
			"sudo sysctl kernel.kptr_restrict=1");
}

static void check_lockdown(struct leat_checks *c)
{
	struct leat_check *k;
	char text[128];
	const char *at;

	if (leat_procfs_text("/sys/kernel/security/lockdown", text, sizeof(text)) <= 0)
		return;
	k = leat_check_add(c, "lockdown");
	at = strchr(text, '[');
	leat_check_value(k, "%.*s", (int)strcspn(at ? at + 1 : text, "]\n"), at ? at + 1 : text);
	if (strstr(text, "[confidentiality]"))
		leat_check_bad(k, LEAT_CHECK_FAIL, "BPF may not read memory in this mode",
			       "boot with lockdown=integrity");
}

static void check_place(struct leat_checks *c)
{
	uint64_t ns = leat_procfs_ns(0, "pid");
	struct leat_check *k = leat_check_add(c, "pid namespace");

	if (ns == 0xEFFFFFFCu) {
		leat_check_value(k, "initial");
	} else {
		leat_check_value(k, "nested (%llu)", (unsigned long long)ns);
		leat_check_bad(k, LEAT_CHECK_WARN,
			       "processes outside of this container are not seen",
			       "run on the host, or start the container with --pid=host");
	}
	k = leat_check_add(c, "/proc");
	if (access("/proc/self/maps", R_OK)) {
		leat_check_value(k, "not mounted");
		leat_check_bad(k, LEAT_CHECK_FAIL, "processes cannot be found",
			       "mount -t proc proc /proc");
		return;
	}
	leat_check_value(k, "mounted");
}

static void check_disk(struct leat_checks *c)
{
	struct leat_check *k = leat_check_add(c, "disk space here");
	struct statvfs fs;
	unsigned long long mib;

	if (statvfs(".", &fs)) {
		leat_check_value(k, "unknown (%s)", strerrorname_np(errno));
		return;
	}
	mib = (unsigned long long)fs.f_bavail * fs.f_frsize >> 20;
	leat_check_value(k, "%llu MiB", mib);
	if (mib < 32)
		leat_check_bad(k, LEAT_CHECK_WARN, "the output may not fit", "-o DIR/flame.html");
}

void leat_doctor_system(struct leat_checks *c)
{
	check_kernel(c);
	check_btf(c);
	check_caps(c);
	check_sysctls(c);
	check_lockdown(c);
	check_place(c);
	check_disk(c);
}
