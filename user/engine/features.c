/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <leat/once.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/sysctl.h"

#define VMLINUX_BTF "/sys/kernel/btf/vmlinux"

#define ROW(i, n, s, r, u)                                                                         \
	[LEAT_FEATURE_##i] = {                                                                     \
		.id = LEAT_FEATURE_##i, .name = (n), .since = (s), .required = (r), .use = (u)     \
	}

static const struct leat_feature_row rows[LEAT_FEATURE__MAX] = {
	ROW(BTF, "BTF", "5.4", true, "type information that relocates leat's programs"),
	ROW(RINGBUF, "BPF ring buffer", "5.8", true, "the way of all records to user space"),
	ROW(PERF_EVENT_PROG, "BPF on perf events", "4.9", true, "takes the samples"),
	ROW(RAW_TP_TEST_RUN, "BPF test run of raw tracepoints", "5.10", true,
	    "moves the counts from the tables to the ring"),
	ROW(TASK_PT_REGS, "bpf_task_pt_regs", "5.15", false,
	    "user registers of samples in the kernel; without it from the top of the kernel stack"),
	ROW(BPF_LOOP, "bpf_loop", "5.17", false, "not used yet; loops are bounded instead"),
	ROW(FIND_VMA, "bpf_find_vma", "5.17", false, "not used yet"),
	ROW(FORMAT_LOST, "count of lost perf records", "6.0", false,
	    "a loss of process records is seen at once; without it with the CPU's next record"),
	ROW(PMU, "hardware PMU", "-", false, "samples on cycles; without it on cpu-clock"),
	ROW(FENTRY, "fentry", "5.5", false, "not used yet"),
	ROW(KPROBE, "kprobes", "4.1", false, "not used yet"),
	ROW(MEMCG_ACCOUNTING, "BPF memory in cgroups", "5.11", false,
	    "maps are not limited by RLIMIT_MEMLOCK; without it the limit is raised"),
	ROW(KSYMS, "BPF look-up of kernel symbols", "5.16", false,
	    "the kernel names what was sampled of it, and says where its unwind tables are (6.4); without it "
	    "all symbols are read, 40 ms, and the kernel walks its stacks, 0.2 us a frame"),
};

const struct leat_feature_row *leat_feature_at(size_t i)
{
	return i < LEAT_FEATURE__MAX ? &rows[i] : NULL;
}

/* libbpf answers 0 too when it was not permitted to ask. */
static int from_libbpf(int rc)
{
	uint64_t caps;

	if (rc != 0)
		return rc;
	if (geteuid() && !leat_cap_effective(&caps) && !(caps >> 39 & 1) && !(caps >> 21 & 1))
		return -EPERM;
	return 0;
}

static int probe_helper(enum bpf_func_id id)
{
	return from_libbpf(libbpf_probe_bpf_helper(BPF_PROG_TYPE_PERF_EVENT, id, NULL));
}

/* A program that does nothing but return 0. */
static int load_nop(enum bpf_prog_type type, const char *attach, enum bpf_attach_type expected)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = expected);

	if (attach) {
		int id = libbpf_find_vmlinux_btf_id(attach, expected);

		if (id < 0)
			return id;
		opts.attach_btf_id = (__u32)id;
	}
	return bpf_prog_load(type, "leat_nop", "GPL", insns, LEAT_ARRAY_SIZE(insns), &opts);
}

static int probe_test_run(void)
{
	LEAT_CLOSE int fd = load_nop(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL, 0);
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (fd < 0)
		return fd;
	return bpf_prog_test_run_opts(fd, &opts) ? 0 : 1;
}

static int probe_fentry(void)
{
	LEAT_CLOSE int fd = load_nop(BPF_PROG_TYPE_TRACING, "schedule", BPF_TRACE_FENTRY);

	return fd >= 0;
}

static int probe_format_lost(void)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.read_format = 1u << 4, /* PERF_FORMAT_LOST */
		.disabled = 1,
		.exclude_kernel = 1,
	};
	LEAT_CLOSE int fd =
		(int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd >= 0)
		return 1;
	return errno == EINVAL || errno == E2BIG ? 0 : -errno;
}

static int probe_pmu(void)
{
	struct leat_perf_event ev;
	int err = leat_perf_event_find("cycles", &ev);

	if (!err)
		err = leat_perf_event_try(&ev);
	return err == -EACCES || err == -EPERM ? err : !err;
}

/*
 * The younger of the two helpers that it takes (bpf_snprintf came with 5.13). libbpf believes of every
 * helper that a type of program which the kernel does not know (before 5.14) can call it.
 */
static int probe_ksyms(void)
{
	int rc = from_libbpf(libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_SYSCALL, NULL));

	if (rc <= 0)
		return rc;
	return from_libbpf(libbpf_probe_bpf_helper(BPF_PROG_TYPE_SYSCALL,
						   BPF_FUNC_kallsyms_lookup_name, NULL));
}

static int probe(void *ctx)
{
	const enum leat_feature *f = ctx;

	switch (*f) {
	case LEAT_FEATURE_BTF:
		return access(VMLINUX_BTF, R_OK) == 0;
	case LEAT_FEATURE_RINGBUF:
		return from_libbpf(libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL));
	case LEAT_FEATURE_PERF_EVENT_PROG:
		return from_libbpf(libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_PERF_EVENT, NULL));
	case LEAT_FEATURE_RAW_TP_TEST_RUN:
		return probe_test_run();
	case LEAT_FEATURE_TASK_PT_REGS:
		return probe_helper(BPF_FUNC_task_pt_regs);
	case LEAT_FEATURE_BPF_LOOP:
		return probe_helper(BPF_FUNC_loop);
	case LEAT_FEATURE_FIND_VMA:
		return probe_helper(BPF_FUNC_find_vma);
	case LEAT_FEATURE_FORMAT_LOST:
		return probe_format_lost();
	case LEAT_FEATURE_PMU:
		return probe_pmu();
	case LEAT_FEATURE_FENTRY:
		return probe_fentry();
	case LEAT_FEATURE_KPROBE:
		return access("/sys/bus/event_source/devices/kprobe", F_OK) == 0;
	case LEAT_FEATURE_MEMCG_ACCOUNTING:
		/* Came with a helper that 5.11 added; tracing programs may not call that one. */
		return from_libbpf(libbpf_probe_bpf_helper(BPF_PROG_TYPE_SOCKET_FILTER,
							   BPF_FUNC_ktime_get_coarse_ns, NULL));
	case LEAT_FEATURE_KSYMS:
		return probe_ksyms();
	default:
		return -EINVAL;
	}
}

int leat_feature_probe(enum leat_feature f)
{
	static struct leat_once asked[LEAT_FEATURE__MAX] = { [0 ... LEAT_FEATURE__MAX - 1] =
								     LEAT_ONCE_INIT };

	return (unsigned int)f < LEAT_FEATURE__MAX ? leat_once(&asked[f], probe, &f) : -EINVAL;
}
