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

# Overlayfs, as containers have it: mappings show another device and inode than the file that leat opens.
test_overlay() {
	# shellcheck disable=SC2016
	start unshare -m bash -c '
		mkdir -p "$0/o" && mount -t tmpfs none "$0/o" && cd "$0/o" && mkdir low up work all && cp "$1" low/prog &&
		cp "$2" low/later &&
		mount -t overlay overlay -o "lowerdir=$0/o/low,upperdir=$0/o/up,workdir=$0/o/work" all && echo mounted &&
		exec all/prog 60 2' "$work" "$WORKLOADS/wl_shares" "$WORKLOADS/wl_threads"
	if ! wait_for unshare 'mounted\|overlay' || ! grep -q mounted "$work/unshare.out"; then
		skip "overlayfs" "namespaces cannot be made here"
		stop "$pid"
		return
	fi
	record overlay -p "$pid" -F 499 -d 2
	recorded overlay "overlayfs" && is "overlayfs: names" at_least "$(share overlay work_)" 90
	# Begun while leat records, and gone before it resolves: known from the side band alone.
	(
		sleep 1
		# shellcheck disable=SC2016
		exec nsenter -m -t "$pid" bash -c 'exec "$0/o/all/later" 2 2 </dev/null >/dev/null' "$work"
	) &
	record overlay_late --uid 0 -F 499 -d 5
	is "overlayfs: a program begun meanwhile has names" at_least "$(share overlay_late '(even|odd)_work' '^later;')" 80
	is "overlayfs: and is there" at_least "$(total overlay_late '^later;')" 50
	# shellcheck disable=SC2016
	nsenter -m -t "$pid" bash -c 'cp "$1" "$0/o/all/new" && mv "$0/o/all/new" "$0/o/all/prog"' "$work" "$WORKLOADS/wl_threads"
	record overlay_replaced -p "$pid" -F 499 -d 2
	if recorded overlay_replaced "overlayfs, replaced"; then
		is "overlayfs, replaced: its own names" at_least "$(share overlay_replaced work_)" 90
		is "overlayfs, replaced: none of the other's" at_most "$(total overlay_replaced '(even|odd)_work')" 0
	fi
	stop "$pid"
}

# A perf that runs beside leat: its records of mappings stay whole.
test_perf_beside() {
	if ! command -v perf >/dev/null; then
		skip "perf beside leat" "no perf that can sample here"
		return
	fi
	perf record -q -a -B -e cpu-clock -F 99 -o "$work/beside.data" -- sleep 3 2>/dev/null 9>&- &
	local perf_pid=$! i
	sleep 0.7
	(for i in $(seq 20); do /bin/true; sleep 0.05; done) &
	record beside_perf -a -F 99 -d 1
	wait "$perf_pid"
	is "perf beside leat: ends well" test $? = 0
	perf script -i "$work/beside.data" --show-mmap-events -F comm,event 2>"$work/beside.err" >"$work/beside.txt"
	is "perf beside leat: its file can be read" test $? = 0
	is "perf beside leat: inodes, not taken for build ids" test "$(grep -c 'assertion failed' "$work/beside.err")" = 0
	is "perf beside leat: mappings are there" grep -q PERF_RECORD_MMAP2 "$work/beside.txt"
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

# Code made at run time: a perf map is believed only when the process or root wrote it.
test_perf_map() {
	WAIT_READY=1 start "$WORKLOADS/wl_jit" 3
	record jit -p "$pid" -F 499
	rm -f "/tmp/perf-$pid.map"
	recorded jit "perf map" && is "perf map: names, though the process has gone" at_least "$(share jit jit_spin)" 90
	WAIT_READY=1 start "$WORKLOADS/wl_jit" 20 65534
	record jit_foreign -p "$pid" -F 499 -d 1
	is "perf map of another user: not believed" at_most "$(total jit_foreign jit_spin)" 0
	mv "/tmp/perf-$pid.map" "$work/real.map"
	chown 0 "$work/real.map"
	ln -s "$work/real.map" "/tmp/perf-$pid.map"
	record jit_link -p "$pid" -F 499 -d 1
	is "perf map behind a link: not followed" at_most "$(total jit_link jit_spin)" 0
	rm -f "/tmp/perf-$pid.map"
	mkfifo "/tmp/perf-$pid.map"
	record jit_fifo -p "$pid" -F 499 -d 1
	is "a FIFO in its place: leat does not wait" test -s "$work/jit_fifo.folded"
	rm -f "/tmp/perf-$pid.map"
	stop "$pid"
	# In a pid and mount namespace of its own, with a /tmp of its own, gone before leat looks.
	# shellcheck disable=SC2016
	start unshare -m -p -f --mount-proc bash -c '
		exec 8<"$0" && mount -t tmpfs none /tmp && cp /proc/self/fd/8 /tmp/jit && chmod +x /tmp/jit &&
		exec /tmp/jit 4 8<&-' "$WORKLOADS/wl_jit"
	wait_for unshare ready
	inner=$(pgrep -P "$pid" | head -n 1)
	record jit_inner -p "$inner" -F 499
	recorded jit_inner "perf map in a namespace" &&
		is "perf map in a namespace: names, though all has gone" at_least "$(share jit_inner jit_spin)" 90
}

# A program that no directory has: from a memfd.
test_memfd() {
	command -v python3 >/dev/null || {
		skip "memfd" "no python3"
		return
	}
	start python3 -c 'import os, sys
fd = os.memfd_create("prog")
os.write(fd, open(sys.argv[1], "rb").read())
os.execve(fd, ["prog", "20", "2"], os.environ)' "$WORKLOADS/wl_shares"
	for _ in $(seq 200); do
		grep -qz '^prog$' "/proc/$pid/cmdline" && break
		sleep 0.05
	done
	record memfd -p "$pid" -F 499 -d 2
	stop "$pid"
	recorded memfd "program in a memfd" && is "program in a memfd: names" at_least "$(share memfd work_)" 90
}

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
test_overlay
test_perf_beside
test_capabilities
if [ "$(uname -m)" = x86_64 ]; then test_perf_map; fi
test_memfd
test_doctor
done_testing
