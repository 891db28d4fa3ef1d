/* SPDX-License-Identifier: BSD-2-Clause */
/* The measured cause of a refusal: want of privilege, or a limit that was hit. */
#include "engine/impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/sysctl.h"

#define CAP_SYS_ADMIN_BIT 21
#define CAP_PERFMON_BIT	  38
#define CAP_BPF_BIT	  39

static bool has_cap(uint64_t caps, int bit)
{
	return caps >> bit & 1;
}

static void add_missing(struct leat_buf *b, uint64_t caps)
{
	if (has_cap(caps, CAP_SYS_ADMIN_BIT))
		return;
	if (!has_cap(caps, CAP_BPF_BIT))
		leat_buf_str(b, ", no CAP_BPF");
	if (!has_cap(caps, CAP_PERFMON_BIT))
		leat_buf_str(b, ", no CAP_PERFMON");
}

/*
 * Root without the capabilities is a container; all of them and still refused is a security
 * module. The fixes differ, so the cause is looked for.
 */
void leat_why_privilege(struct leat_diag *d, int err)
{
	struct leat_buf b;
	int64_t paranoid, unprivileged;
	uint64_t caps = 0;

	leat_buf_init(&b, 1024);
	if (!leat_sysctl_read("kernel/perf_event_paranoid", &paranoid))
		leat_buf_printf(&b, "kernel.perf_event_paranoid=%" PRId64 ", ", paranoid);
	if (!leat_sysctl_read("kernel/unprivileged_bpf_disabled", &unprivileged))
		leat_buf_printf(&b, "kernel.unprivileged_bpf_disabled=%" PRId64 ", ", unprivileged);
	leat_buf_printf(&b, "euid %u", (unsigned int)geteuid());
	if (!leat_cap_effective(&caps)) {
		add_missing(&b, caps);
		leat_buf_printf(&b, " (CapEff %016" PRIx64 ")", caps);
	}
	if (b.data && !b.err)
		leat_diag_why(d, "%s", b.data);
	leat_buf_fini(&b);
	(void)err;
	if (geteuid()) {
		leat_diag_fix(d, "run it again with sudo");
		leat_diag_alt(d, "sudo setcap cap_bpf,cap_perfmon,cap_sys_ptrace,"
				 "cap_dac_read_search,cap_checkpoint_restore,cap_syslog+ep "
				 "on the installed leat, then run it as you");
	} else {
		leat_diag_fix(d, "run it on the host, or start the container with "
				 "--cap-add=BPF --cap-add=PERFMON --pid=host");
	}
}

static void why_open_files(struct leat_diag *d)
{
	struct rlimit lim = { 0 };

	if (!getrlimit(RLIMIT_NOFILE, &lim))
		leat_diag_why(d, "too many open files: limit %llu",
			      (unsigned long long)lim.rlim_cur);
	leat_diag_fix(d, "ulimit -n 4096");
}

bool leat_why_limit(struct leat_diag *d, int err, const char *what)
{
	if (err != -EMFILE && err != -ENFILE && err != -ENOMEM)
		return false;
	leat_diag_set(d, err, LEAT_EXIT_SYSTEM, "cannot %s (%s)", what, strerrorname_np(-err));
	if (err == -EMFILE) {
		why_open_files(d);
	} else if (err == -ENFILE) {
		leat_diag_why(d, "too many open files on this machine: limit fs.file-max");
		leat_diag_fix(d, "sudo sysctl fs.file-max=1000000");
	} else {
		leat_diag_why(d, "the kernel has no memory for it: that of the machine, or of "
				 "leat's cgroup, is used up");
		leat_diag_fix(d, "free memory, or raise the limit of the cgroup");
	}
	return true;
}
