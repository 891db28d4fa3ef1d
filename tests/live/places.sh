#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Programs that cannot be found by their path: deleted, replaced, in namespaces of their own.
. "$(dirname "$0")/lib.sh"
work_dir

test_deleted() {
	cp "$WORKLOADS/wl_shares" "$work/deleted"
	start "$work/deleted" 30 2
	rm "$work/deleted"
	record deleted -p "$pid" -F 499 -d 2
	recorded deleted "deleted binary" && is "deleted binary: names" at_least "$(share deleted work_)" 90
	# Another program under its name: its symbols would be wrong.
	cp "$WORKLOADS/wl_threads" "$work/deleted"
	record replaced -p "$pid" -F 499 -d 2
	stop "$pid"
	if recorded replaced "replaced binary"; then
		is "replaced binary: its own names" at_least "$(share replaced work_)" 90
		is "replaced binary: none of the other's" at_most "$(total replaced 'even_work|odd_work')" 0
	fi
	cp "$WORKLOADS/wl_shares" "$work/gone"
	start "$work/gone" 2 2
	(sleep 0.5; rm "$work/gone") &
	record gone -p "$pid" -F 499
	recorded gone "binary and process gone" && is "binary and process gone: names" at_least "$(share gone work_)" 90
}

# Runs $1 in a mount and a pid namespace of its own, from a file system that only it sees.
in_own_world() {
	# shellcheck disable=SC2016
	start unshare -m -p -f --mount-proc bash -c '
		mkdir -p "$0" && mount -t tmpfs none "$0" && cp "$1" "$0/hidden" && cd "$0" &&
		cp "$2" perf-lib && exec "$0/hidden" 40 2' "$work/tmpfs" "$1" "$1"
	for _ in $(seq 100); do
		inner=$(pgrep -f "^$work/tmpfs/hidden" | head -n 1)
		[ -n "$inner" ] && break
		sleep 0.05
	done
}

test_namespaces() {
	in_own_world "$WORKLOADS/wl_shares"
	if [ -z "$inner" ]; then
		skip "own mount and pid namespace" "namespaces cannot be made here"
		return
	fi
	is "own namespaces: the binary is not visible outside" test ! -e "$work/tmpfs/hidden"
	record inner -p "$inner" -F 499 -d 2
	recorded inner "own namespaces" && is "own namespaces: names" at_least "$(share inner work_)" 90
	# leat inside of a pid namespace, beside its target.
	# shellcheck disable=SC2016
	unshare -m -p -f --mount-proc bash -c '
		"$1" 20 2 & sleep 0.3
		"$0" record -p $! -e cpu-clock -F 499 -d 2 -o "$2"; rc=$?
		kill -KILL $!; exit $rc' "$LEAT" "$WORKLOADS/wl_shares" "$work/nested.folded" 2>"$work/nested.err" 9>&-
	recorded nested "leat in a pid namespace" && is "leat in a pid namespace: names" at_least "$(share nested work_)" 90
	kill -KILL "$inner" 2>/dev/null
	stop "$pid"
}

# Only the capabilities that the manual names.
test_capabilities() {
	local caps=bpf,perfmon,sys_ptrace,dac_read_search,checkpoint_restore,syslog c set=
	if ! command -v setpriv >/dev/null; then
		skip "capabilities" "no setpriv"
		return
	fi
	for c in ${caps//,/ }; do set=$set,+$c; done
	cp "$WORKLOADS/wl_shares" "$work/caps"
	start "$work/caps" 30 2
	rm "$work/caps"
	mkdir "$work/out"
	chown 65534:65534 "$work/out"
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps="-all$set" --ambient-caps="-all$set" \
		--bounding-set="-all$set" "$LEAT" record -p "$pid" -e cpu-clock -F 499 -d 2 \
		-o "$work/out/caps.folded" 2>"$work/caps.err" 9>&-
	is "capabilities alone: exit 0" test $? = 0
	cp "$work/out/caps.folded" "$work/" 2>/dev/null
	recorded caps "capabilities alone" && is "capabilities alone: names of a deleted binary" at_least "$(share caps work_)" 90
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all \
		"$LEAT" record -p "$pid" -d 1 -o "$work/out/none.folded" 2>"$work/none.err" 9>&-
	is "no capabilities: exit 3" test $? = 3
	is "no capabilities: says which" grep -qi "cap_perfmon\|cap_bpf" "$work/none.err"
	stop "$pid"
}

# A perf map is believed only when the process or root wrote it.
test_doctor() {
	"$LEAT" doctor >"$work/doctor.out" 2>&1
	is "doctor: exit 0 where a recording works" test $? = 0
	is "doctor: says what is there" grep -q "type information" "$work/doctor.out"
	start "$WORKLOADS/wl_shares" 10 1
	"$LEAT" doctor -p "$pid" >"$work/doctor.out" 2>&1
	is "doctor of a target: exit 0" test $? = 0
	is "doctor of a target: its frame pointers" grep -q "frame pointers" "$work/doctor.out"
	stop "$pid"
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all \
		"$LEAT" doctor >"$work/doctor.out" 2>&1
	is "doctor without privilege: not 0" test $? != 0
	is "doctor without privilege: names the capability" grep -q cap_bpf "$work/doctor.out"
}

test_deleted
test_namespaces
test_capabilities
test_doctor
done_testing
