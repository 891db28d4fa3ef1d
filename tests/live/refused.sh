#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The kernel says no where it does not on this machine: a preloaded library answers in its place
# (tests/support/refuse.c).
. "$(dirname "$0")/lib.sh"
work_dir
refuse=${LEAT_OUT:-$here/../../build/release}/tests/refuse.so

# refused WHAT ARGS...: leat record with such a kernel; its status is in $rc.
refused() {
	LD_PRELOAD=$refuse REFUSE=$1 "$LEAT" record "${@:2}" -o "$work/refused.html" 2>"$work/refused.err" 9>&-
	rc=$?
}
said() { grep -qF -- "$1" "$work/refused.err" || { cat "$work/refused.err"; return 1; }; }

start "$WORKLOADS/wl_shares" 60 1
refused verifier -p "$pid" -d 1
is "verifier: exit 6" test $rc = 6
is "verifier: which program" said "the kernel refused the BPF program leat_sample (EINVAL)"
is "verifier: the reason, from the end of its log" said "R2 invalid mem access 'scalar'"
is "verifier: its last lines" said "processed 40 insns"
is "verifier: not the whole log" test "$(grep -c 'r1 = ' "$work/refused.err")" -le 4
is "verifier: what to do" grep -q '^  fix: ' "$work/refused.err"
is "verifier: no file" test -z "$(find "$work" -name 'refused.html' -o -name '.leat-*')"
refused access -p "$pid" -d 1
is "verifier, a wrong access: exit 6, for root lacks no privilege" test $rc = 6
is "verifier, a wrong access: the reason" said "R2 invalid mem access 'scalar'"
refused verifier -- "$WORKLOADS/wl_shares" 60 7
is "verifier, with a command: exit 6" test $rc = 6
is "verifier, with a command: it was not started, and is gone" test -z "$(pgrep -f "$WORKLOADS/wl_shares 60 7")"

for when in pmu pmu-late; do
	refused $when -p "$pid" -d 1 -F 499
	is "busy PMU ($when): exit 0" test $rc = 0
	is "busy PMU ($when): samples on cpu-clock" grep -q ' samples of cpu-clock' "$work/refused.err"
	is "busy PMU ($when): and says why" grep -q 'cycles: the hardware counters are in use; sampling on cpu-clock instead' \
		"$work/refused.err" "$work/refused.html"
	refused $when -p "$pid" -d 1 -e cycles -c 1000000
	is "busy PMU ($when), by period: exit 6" test $rc = 6
	is "busy PMU ($when), by period: the cause" said "the hardware counters are in use"
	is "busy PMU ($when), by period: the lesser way" said "-e cpu-clock works everywhere"
done
stop "$pid"
done_testing
