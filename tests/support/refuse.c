// SPDX-License-Identifier: BSD-2-Clause
/*
 * Preloaded, it makes system calls fail that do not fail on the machine of the test. REFUSE says which:
 * verifier   loading a program of leat's (not a probe), with a log as the verifier writes it, EINVAL
 * access     the same, EACCES
 * ksyms      loading the program that names the kernel, EPERM
 * pmu        opening a hardware event, EBUSY
 * pmu-late   the same, on a CPU; on a process, where leat tries it first, a dummy is opened instead
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

typedef long syscall_fn(long nr, ...);

/* Our own definition of what the header declares. */
long syscall(long nr, ...);

static void write_log(const union bpf_attr *a)
{
	size_t at = 0;

	if (!a->log_level || !a->log_buf || !a->log_size)
		return;
	for (int i = 0; i < 40 && at < a->log_size; i++)
		at += (size_t)snprintf((char *)(uintptr_t)a->log_buf + at, a->log_size - at,
				       "%d: (79) r1 = *(u64 *)(r2 +8)\n", i);
	if (at < a->log_size)
		snprintf((char *)(uintptr_t)a->log_buf + at, a->log_size - at,
			 "R2 invalid mem access 'scalar'\n"
			 "processed 40 insns (limit 1000000) max_states_per_insn 0\n");
}

static int refuses_program(const long *a, const char *name, int err)
{
	const union bpf_attr *attr = (const void *)(uintptr_t)a[1];

	if (a[0] != BPF_PROG_LOAD || strncmp(attr->prog_name, name, strlen(name)) != 0)
		return 0;
	write_log(attr);
	return err;
}

long syscall(long nr, ...)
{
	static syscall_fn *next;
	const char *what = getenv("REFUSE");
	struct perf_event_attr dummy;
	int err = 0;
	long a[6];
	va_list ap;

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (!next)
		next = (syscall_fn *)dlsym(RTLD_NEXT, "syscall");
	if (what && nr == SYS_bpf && strcmp(what, "verifier") == 0)
		err = refuses_program(a, "leat_sample", EINVAL);
	if (what && nr == SYS_bpf && strcmp(what, "access") == 0)
		err = refuses_program(a, "leat_sample", EACCES);
	if (what && nr == SYS_bpf && strcmp(what, "ksyms") == 0)
		err = refuses_program(a, "leat_ksyms", EPERM);
	if (what && nr == SYS_perf_event_open && strncmp(what, "pmu", 3) == 0 &&
	    ((const struct perf_event_attr *)(uintptr_t)a[0])->type == PERF_TYPE_HARDWARE) {
		if (strcmp(what, "pmu") == 0 || (int)a[2] >= 0) {
			err = EBUSY;
		} else {
			dummy = (struct perf_event_attr){ .type = PERF_TYPE_SOFTWARE,
							  .size = sizeof(dummy),
							  .config = PERF_COUNT_SW_DUMMY,
							  .exclude_kernel = 1 };
			a[0] = (long)(uintptr_t)&dummy;
		}
	}
	if (err) {
		errno = err;
		return -1;
	}
	return next(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}
