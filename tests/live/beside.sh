#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Another tracing program beside leat: the kernel then skips leat's samples and counts nothing. What
# is missing must show in the verdict, by the target's CPU time.
. "$(dirname "$0")/lib.sh"
work_dir

# bpftrace wants tracefs; mounted where only it sees it.
tracer() {
	start unshare -m bash -c 'mount -t debugfs none /sys/kernel/debug 2>/dev/null
		mount -t tracefs none /sys/kernel/tracing 2>/dev/null
		exec bpftrace -e "tracepoint:raw_syscalls:sys_enter { @[ustack] = count(); }"'
	tracer=$pid
	wait_for unshare Attaching && sleep 1
}

# CPU time of a process in ns, and the time.
cpu_and_time() { echo "$(awk '{print $1}' "/proc/$1/task/$1/schedstat") $(date +%s%N)"; }

if ! command -v bpftrace >/dev/null; then
	skip "another tracer" "no bpftrace"
	done_testing
	exit
fi
start "$WORKLOADS/wl_deep" 10 48 sys 60
target=$pid
record alone -p "$target" -F 999 -d 3
recorded alone "alone" && is "alone: nothing is skipped" at_most "$(verdict alone kernel_skipped)" "$(($(total alone) / 100))"
if ! tracer; then
	skip "another tracer" "bpftrace does not start"
	done_testing
	exit
fi
# The target's share of a CPU, from the scheduler, while leat samples and does nothing else.
(
	sleep 1
	cpu_and_time "$target"
	sleep 2.5
	cpu_and_time "$target"
) >"$work/times" &
record beside -p "$target" -F 999 -d 4
if recorded beside "beside a tracer"; then
	true_wanted=$(awk -v d="$(verdict beside duration_ns)" 'NR == 1 {c = $1; t = $2} NR == 2 {printf "%d", 999e-9 * d * ($1 - c) / ($2 - t)}' "$work/times")
	is "beside a tracer: what was wanted, within 2 %" within "$(verdict beside wanted)" "$true_wanted" $((true_wanted / 50))
	is "beside a tracer: the rest is a loss" within "$(verdict beside kernel_skipped)" \
		$((true_wanted - $(total beside))) $((true_wanted / 50))
	is "beside a tracer: much was skipped" at_least "$(verdict beside kernel_skipped)" $((true_wanted / 4))
fi
kill -INT "$tracer" 2>/dev/null
stop "$target"
done_testing
