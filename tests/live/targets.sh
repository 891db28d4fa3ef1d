#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every way to say what shall be recorded, and what is said when it is not there.
. "$(dirname "$0")/lib.sh"
work_dir
cgroup=
at_end() {
	[ -z "$cgroup" ] || rmdir "$cgroup" 2>/dev/null
	remove_cpusets
}

# perf_share FUNCTION: percent of perf's samples in it; it calls nothing in user space.
perf_share() {
	perf report -i "$work/perf.data" --no-children --sort symbol --stdio 2>/dev/null |
		awk -v f="$1" '$3 == f {sub(/%/, "", $1); s += $1} END {printf "%.2f\n", s}'
}
compare_with_perf() {
	local f
	if [ ! -s "$work/perf.data" ] || [ "$(perf_share work_sixty)" = 0.00 ]; then
		skip "the same as perf" "no perf that can sample here"
		return
	fi
	for f in work_sixty work_thirty work_ten; do
		is "the same as perf: $f" within "$(share beside_perf "$f")" "$(perf_share "$f")" 2
	done
}

# --- a process of known proportions ---
test_shares() {
	local secs=9
	start "$WORKLOADS/wl_shares" 200 4
	record shares -p "$pid" -F 999 -d $secs
	# A host that is busy with other things takes longer.
	if [ "$(total shares)" -lt 15000 ]; then
		secs=$((secs * 17000 / ($(total shares) + 1)))
		record shares -p "$pid" -F 999 -d $((secs < 120 ? secs : 120))
	fi
	# perf looks at the same process at the same time.
	local perf_pid=
	if command -v perf >/dev/null; then
		# The frequencies share no multiple (see agree.py). Of 30,000 samples each, the difference has a
		# standard error of at most 0.4 points, a fifth of what is allowed; two CPUs give 150,000.
		perf record -q -B -e cpu-clock -F 8837 -p "$pid" -o "$work/perf.data" -- sleep 10 2>/dev/null 9>&- &
		perf_pid=$!
		record beside_perf -p "$pid" -F 7919 -d 10
		wait "$perf_pid"
	fi
	stop "$pid"
	recorded shares "proportions" || return
	compare_with_perf
	is "proportions: at least 15,000 samples" at_least "$(total shares)" 15000
	is "proportions: 60 %" within "$(share shares work_sixty)" 60 2
	is "proportions: 30 %" within "$(share shares work_thirty)" 30 2
	is "proportions: 10 %" within "$(share shares work_ten)" 10 2
	is "proportions: nothing lost" at_most "$(verdict shares lost)" "$(($(total shares) / 50))"
	is "proportions: every sample accounted for" adds_up shares
}

# --- one thread of several ---
test_thread() {
	local even
	WAIT_READY=1 start "$WORKLOADS/wl_threads" 20 4
	even=$(awk '$2 == "even" {print $1; exit}' "$work/wl_threads.out")
	record thread -t "$even" -F 499 -d 2
	if recorded thread "thread"; then
		is "thread: only what it runs" at_most "$(total thread odd_work)" 0
		is "thread: and that" at_least "$(share thread even_work)" 95
	fi
	record per_thread -p "$pid" -F 499 -d 2 --per-thread
	if recorded per_thread "per thread"; then
		is "per thread: names of threads" at_least "$(share per_thread 'even.*even_work' even_work)" 99
	fi
	"$LEAT" record -p "$even" -d 1 -o "$work/x.folded" 2>"$work/tid.err"
	is "a thread given as a process: exit 4" test $? = 4
	is "a thread given as a process: says whose it is" grep -q "thread of process $pid" "$work/tid.err"
	stop "$pid"
}

# --- by name: a pattern, the executable's name, its path ---
test_name() {
	local glob
	cp "$WORKLOADS/wl_threads" "$work/wl_a_rather_long_name"
	WAIT_READY=1 start "$work/wl_a_rather_long_name" 60 2
	for glob in 'wl_a_rather_*' 'wl_a_rather_long_name' "$work/wl_a*name"; do
		record name -n "$glob" -F 499 -d 1
		recorded name "name ${glob/$work/DIR}" &&
			is "name ${glob/$work/DIR}: only that program" at_most "$(total name)" \
				"$(total name 'even_work|odd_work|_[[]k[]]')"
	done
	stop "$pid"
	"$LEAT" record -n no-such-program-here -d 1 -o "$work/x.folded" 2>"$work/name.err"
	is "no such name: exit 4" test $? = 4
	is "no such name: no file" test ! -e "$work/x.folded"
}

# --- children: those that were there, and those that come ---
test_children() {
	WAIT_READY=1 start "$WORKLOADS/wl_tree" 12
	record alone -p "$pid" -F 499 -d 1
	is "children: not asked for, not there" at_most "$(total alone tree_old 2>/dev/null)" 0
	(sleep 1; echo go >&9) &
	record tree -p "$pid" --children -F 499 -d 4
	if recorded tree "children"; then
		is "children: the parent" at_least "$(total tree tree_parent)" 100
		is "children: one that was there before" at_least "$(total tree tree_old)" 100
		is "children: one that came later" at_least "$(total tree tree_new)" 100
	fi
	kill "$pid"
	pkill -KILL -P "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
}

# --- children that are forked while leat is not ready yet ---
test_brood() {
	local found
	start "$WORKLOADS/wl_brood" 7 60
	record brood -p "$pid" --children -F 999 -d 5
	if recorded brood "children of the start-up"; then
		found=$(grep -oE 'brood_[0-9]+' "$work/brood.folded" | sort -u | wc -l)
		is "children of the start-up: all of them" test "$found" = 60
		is "children of the start-up: every sample accounted for" adds_up brood
	fi
	wait "$pid" 2>/dev/null
}

# --- the main thread has ended, others work on ---
test_leader_gone() {
	cp "$WORKLOADS/wl_threads" "$work/leaderless"
	WAIT_READY=1 start "$work/leaderless" 20 2 leave
	rm "$work/leaderless"
	sleep 0.2
	is "leader gone: a zombie" grep -q '^State:.Z' "/proc/$pid/status"
	record leaderless -p "$pid" --children -F 499 -d 1
	recorded leaderless "leader gone" && is "leader gone: names, of a deleted binary" \
		at_least "$(share leaderless 'even_work|odd_work')" 90
	"$LEAT" doctor -p "$pid" >"$work/doctor.out" 2>&1
	is "leader gone: doctor finds its executable" grep -q "functions of its executable\|too few symbols" "$work/doctor.out"
	stop "$pid"
	# Its end comes with its last thread, not with the leader.
	WAIT_READY=0 start "$WORKLOADS/wl_threads" 3 2 leave
	record leaving -p "$pid" --children -F 499
	recorded leaving "leader leaves" && is "leader leaves: until the last thread's end" at_least \
		"$(verdict leaving duration_ns)" 2000000000
}

# --- leat itself may run on one CPU only; it samples all ---
test_taskset() {
	[ "$(getconf _NPROCESSORS_ONLN)" -ge 2 ] || {
		skip "leat on one CPU" "one CPU"
		return
	}
	start taskset -c 1 "$WORKLOADS/wl_shares" 20 1
	local one=$pid
	WAIT_READY=1 start taskset -c 0 "$WORKLOADS/wl_threads" 20 2
	taskset -c 0 "$LEAT" record -p "$one" -p "$pid" -e cpu-clock -F 499 -d 1 -o "$work/pinned.folded" \
		--summary "$work/pinned.json" 2>"$work/pinned.err" 9>&-
	if recorded pinned "leat on one CPU"; then
		is "leat on one CPU: what runs on another" at_least "$(total pinned work_)" 100
		is "leat on one CPU: what runs there" at_least "$(total pinned 'even_work|odd_work')" 50
	fi
	stop "$pid"
	stop "$one"
}

# --- a cgroup, and one below it ---
test_cgroup() {
	local root
	root=$(awk '$0 ~ / - cgroup2 / {print $5; exit}' /proc/self/mountinfo)
	if [ -z "$root" ]; then
		skip "cgroup" "no cgroup v2 is mounted"
		return
	fi
	cgroup=$root/leat-test-$$
	if ! mkdir "$cgroup" "$cgroup/below"; then
		skip "cgroup" "no cgroup v2 can be made"
		return
	fi
	start "$WORKLOADS/wl_shares" 30 1
	local outside=$pid
	WAIT_READY=1 start "$WORKLOADS/wl_threads" 30 2
	echo "$pid" >"$cgroup/below/cgroup.procs"
	record cgroup --cgroup "$cgroup" -F 499 -d 2
	if recorded cgroup "cgroup"; then
		is "cgroup: those below it" at_least "$(share cgroup '(even|odd)_work')" 90
		is "cgroup: nobody else" at_most "$(total cgroup work_sixty)" 0
	fi
	record cgroup_rel --cgroup "leat-test-$$/below" -F 499 -d 1
	recorded cgroup_rel "cgroup, path below the mount"
	record cgroup_twice --cgroup "$cgroup/below" --cgroup "$cgroup" --cgroup "$cgroup" -F 499 -d 1
	recorded cgroup_twice "cgroups that overlap" && is "cgroups that overlap: nothing is wanted twice" at_most \
		"$(verdict cgroup_twice kernel_skipped)" "$(($(total cgroup_twice) / 10))"
	stop "$pid"
	stop "$outside"
	rmdir "$cgroup/below"
	"$LEAT" record --cgroup /no/such/cgroup -d 1 -o "$work/x.folded" 2>/dev/null
	is "no such cgroup: exit 4" test $? = 4
}

# --- users, and kinds that intersect ---
test_uid() {
	start setpriv --reuid=65534 --regid=65534 --clear-groups "$WORKLOADS/wl_shares" 30 1
	local nobody=$pid
	WAIT_READY=1 start "$WORKLOADS/wl_threads" 30 2
	record uid --uid 65534 -F 499 -d 2
	if recorded uid "uid"; then
		is "uid: that user's" at_least "$(share uid work_)" 80
		is "uid: nobody else's" at_most "$(total uid 'even_work|odd_work')" 0
	fi
	"$LEAT" record -p "$pid" --uid 65534 -e cpu-clock -F 499 -d 1 -o "$work/x.folded" 2>/dev/null
	is "process and user: both must hold" test $? = 5
	stop "$pid"
	stop "$nobody"
}

# --- CPUs ---
test_cpus() {
	start taskset -c 0 "$WORKLOADS/wl_shares" 20 1
	record cpu0 -p "$pid" -C 0 -F 499 -d 1
	recorded cpu0 "CPU list"
	if [ "$(getconf _NPROCESSORS_ONLN)" -ge 2 ]; then
		taskset -apc 1 "$pid" >/dev/null
		sleep 0.1
		"$LEAT" record -p "$pid" -C 0 -e cpu-clock -d 1 -o "$work/other.folded" 2>"$work/other.err"
		is "a target on another CPU: exit 5" test $? = 5
		is "a target on another CPU: no guess at its CPU time" test "$(grep -c "used .* s of CPU" "$work/other.err")" = 0
	fi
	"$LEAT" record -p "$pid" -C 4095 -d 1 -o "$work/x.folded" 2>"$work/cpu.err"
	is "a CPU that is not there: exit 4" test $? = 4
	is "a CPU that is not there: names those that are" grep -q "$(cat /sys/devices/system/cpu/online)" "$work/cpu.err"
	stop "$pid"
}

# --- a command ---
test_command() {
	record cmd -F 499 -- "$WORKLOADS/wl_shares" 2 1
	is "command: ends with it, exit 0" test $? = 0
	recorded cmd "command" && is "command: from its beginning" within \
		"$(total cmd)" "$(($(verdict cmd target_cpu_ns) / 1000 * 499 / 1000000))" $(($(total cmd) / 20))
	"$LEAT" record -o "$work/x.folded" -- /no/such/program 2>"$work/cmd.err"
	is "command that is not there: exit 4" test $? = 4
	is "command that is not there: says so" grep -q ENOENT "$work/cmd.err"
	is "command that is not there: did not end by a signal" test "$(grep -c signal "$work/cmd.err")" = 0
	local i bad=0
	for i in 1 2 3; do
		"$LEAT" record --propagate -o "$work/x.folded" -- /etc/passwd 2>/dev/null
		[ $? = 4 ] || bad=$((bad + 1))
	done
	is "command that cannot be run: exit 4 with --propagate too, always" test "$bad" = 0
	"$LEAT" record -o "$work/x.folded" -e cpu-clock -F 499 --propagate -- \
		bash -c 'for i in $(seq 100000); do :; done; exit 7' 2>/dev/null
	is "command: its status, when asked for" test $? = 7
	# Ctrl-C and SIGTERM reach it.
	"$LEAT" record -o "$work/sig.folded" -e cpu-clock -- "$WORKLOADS/wl_shares" 60 1 2>/dev/null &
	local leat=$!
	sleep 2
	local child
	child=$(pgrep -P "$leat" -f wl_shares)
	kill -TERM "$leat"
	wait "$leat"
	is "command: a signal ends it, the result is written" test -s "$work/sig.folded"
	is "command: and it is gone" test ! -e "/proc/$child"
	SUDO_UID=65534 SUDO_GID=65534 SUDO_USER=nobody "$LEAT" record -o - -e cpu-clock -- \
		bash -c 'id -u >&2; for i in $(seq 200000); do :; done' >/dev/null 2>"$work/sudo.err"
	is "command: runs as the user behind sudo" grep -qx 65534 "$work/sudo.err"
}

# --- counted in the kernel, and one record a sample: the same profile ---
test_stream() {
	local f streaming
	start "$WORKLOADS/wl_shares" 200 4
	# At once, and at two frequencies: the same load, and not the same moments (see agree.py). A share of
	# 60 % has a standard error of 0.49 points in 10,000 samples, the difference of two one of 0.7; five
	# of these are allowed.
	"$LEAT" record -p "$pid" -e cpu-clock -F 1997 --stream -d 10 -o "$work/stream.folded" -o "$work/stream.txt" \
		--summary "$work/stream.json" 2>"$work/stream.err" 9>&- &
	streaming=$!
	record counted -p "$pid" -F 1777 -d 10
	wait "$streaming"
	stop "$pid"
	if recorded stream "streamed" && recorded counted "counted at the same time"; then
		is "streamed: one record a sample" test "$(grep -c ' cpu-clock:$' "$work/stream.txt")" = "$(total stream)"
		is "streamed: every sample accounted for" adds_up stream
		# With their frames, or (before their binary's table was there) with a copy of their stack.
		is "streamed: all of them as records" test \
			"$(($(verdict stream streamed) + $(verdict stream raw)))" -ge "$(total stream)"
		is "counted: none of them as a record" test "$(verdict counted streamed)" = 0
		for f in work_sixty work_thirty work_ten; do
			is "streamed and counted: $f" within "$(share stream "$f")" "$(share counted "$f")" \
				"$(five_sigma "$(share counted "$f")" "$(total stream)" "$(total counted)")"
		done
		# Each against the CPU time of its own seconds, which are not quite the same.
		is "streamed: as many as there were, within the loss" all_of stream 1997
		is "counted: as many as there were, within the loss" all_of counted 1777
	fi
}

# all_of NAME HZ: taken and lost are what the target's CPU time gives at that frequency.
all_of() {
	local want
	want=$(awk -v ns="$(verdict "$1" target_cpu_ns)" -v hz="$2" 'BEGIN {printf "%d", ns * hz / 1e9}')
	within "$(($(total "$1") + $(verdict "$1" lost)))" "$want" "$((want / 20 + 10))"
}

# five_sigma PERCENT N M: five standard errors of the difference of two shares.
five_sigma() { awk -v p="$1" -v n="$2" -v m="$3" 'BEGIN {print 5 * sqrt(p * (100 - p) * (1 / n + 1 / m)) + 0.1}'; }

# --- cpusets: of the target, and of leat itself ---
test_cpuset() {
	local root kind=v1
	[ "$(getconf _NPROCESSORS_ONLN)" -ge 2 ] || {
		skip "cpuset" "one CPU"
		return
	}
	root=$(awk '$0 ~ / - cgroup .*cpuset/ {print $5; exit}' /proc/self/mountinfo)
	if [ -z "$root" ]; then
		kind=v2
		root=$(awk '$0 ~ / - cgroup2 / {print $5; exit}' /proc/self/mountinfo)
		grep -qw cpuset "$root/cgroup.controllers" 2>/dev/null || root=
	fi
	if [ -z "$root" ] || ! make_cpuset "$root" $kind one 1 || ! make_cpuset "$root" $kind zero 0; then
		skip "cpuset" "no cpuset can be made"
		return
	fi
	start "$WORKLOADS/wl_shares" 60 2
	echo "$pid" >"${cpusets[0]}/cgroup.procs"
	record cpuset -p "$pid" -F 499 -d 2 --stream -o "$work/cpuset.txt"
	if recorded cpuset "target in a cpuset"; then
		is "target in a cpuset: on its CPU alone" test "$(grep -oE ' \[[0-9]+\] ' "$work/cpuset.txt" | sort -u)" = ' [001] '
		is "target in a cpuset: no more is wanted than one CPU gives" at_most "$(verdict cpuset wanted)" \
			"$(one_cpu cpuset 499)"
	fi
	# leat has only CPU 0, its target only CPU 1.
	bash -c 'echo $$ >"$1/cgroup.procs" && exec "$0" record -p "$2" -e cpu-clock -F 499 -d 2 -o "$3"' \
		"$LEAT" "${cpusets[1]}" "$pid" "$work/in_cpuset.folded" 2>"$work/in_cpuset.err" 9>&-
	recorded in_cpuset "leat in another cpuset" &&
		is "leat in another cpuset: samples the target's CPU" at_least "$(total in_cpuset work_)" 100
	"$LEAT" record -p "$pid" -C 0 -e cpu-clock -d 1 -o "$work/x.folded" 2>/dev/null
	is "target in a cpuset, another CPU asked for: exit 5" test $? = 5
	stop "$pid"
	remove_cpusets
}

# one_cpu NAME HZ: what one CPU gives in that time, and a tick of the clocks.
one_cpu() { echo $(($(verdict "$1" duration_ns) / 1000 * $2 / 1000000 + $2 / 50 + 10)); }

# make_cpuset ROOT v1|v2 NAME CPUS
cpusets=()
make_cpuset() {
	local dir=$1/leat-test-$$-$3
	if [ "$2" = v2 ]; then echo +cpuset >"$1/cgroup.subtree_control" 2>/dev/null || return 1; fi
	mkdir "$dir" 2>/dev/null || return 1
	cpusets+=("$dir")
	echo "$4" >"$dir/cpuset.cpus" || return 1
	[ "$2" = v2 ] || cat "$1/cpuset.mems" >"$dir/cpuset.mems"
}
remove_cpusets() {
	local dir
	for dir in "${cpusets[@]:+${cpusets[@]}}"; do
		for _ in $(seq 50); do
			rmdir "$dir" 2>/dev/null && break
			sleep 0.1
		done
	done
	cpusets=()
}

# --- what was wanted: known where the kernel tells, and else it is said ---
test_wanted() {
	start setpriv --reuid=65533 --regid=65533 --clear-groups "$WORKLOADS/wl_shares" 60 1
	record wanted_uid --uid 65533 -F 499 -d 3
	if recorded wanted_uid "wanted, of a user"; then
		is "wanted, of a user: known" at_least "$(verdict wanted_uid wanted)" "$(total wanted_uid)"
		is "wanted, of a user: no more than his one thread could run" at_most "$(verdict wanted_uid wanted)" \
			"$(one_cpu wanted_uid 499)"
		is "wanted, of a user: his CPU time" at_least "$(verdict wanted_uid target_cpu_ns)" 100000000
	fi
	record wanted_cpu -C 0 -F 499 -d 3
	if recorded wanted_cpu "wanted, of a CPU"; then
		is "wanted, of a CPU: known" at_least "$(verdict wanted_cpu wanted)" 1
		is "wanted, of a CPU: not more than it has" at_most "$(verdict wanted_cpu wanted)" \
			"$(one_cpu wanted_cpu 499)"
	fi
	record wanted_mixed -p "$pid" --uid 65533 -F 499 -d 1 -o "$work/mixed.html"
	is "wanted, of two kinds: unknown" test "$(verdict wanted_mixed wanted)" = 0
	is "wanted, of two kinds: said" grep -q "wanted unknown: the kernel does not tell" "$work/mixed.html"
	record wanted_pcpu -p "$pid" -C 0,1 -F 499 -d 1 -o "$work/pcpu.html"
	is "wanted, on some CPUs: said" grep -q "wanted unknown: .* ran on these CPUs" "$work/pcpu.html"
	stop "$pid"
}

# --- nothing that tells whose machine it was ---
test_anonymize() {
	mkdir -p /home/leat-test-user
	cp "$WORKLOADS/wl_shares" /home/leat-test-user/prog
	start /home/leat-test-user/prog 20 1
	"$LEAT" record -p "$pid" -e cpu-clock -F 499 -d 1 --anonymize -o "$work/anon.html" -o "$work/anon.pb.gz" 2>/dev/null
	stop "$pid"
	rm -rf /home/leat-test-user
	is "anonymize: written" test -s "$work/anon.html"
	is "anonymize: no user's path" test "$(cat "$work/anon.html" <(zcat "$work/anon.pb.gz") | grep -c leat-test-user)" = 0
	is "anonymize: no host" test "$(grep -cF "\"$(uname -n)\"" "$work/anon.html")" = 0
}

# --- nothing there ---
test_nothing() {
	"$LEAT" record -p 4194000 -d 1 -o "$work/x.folded" 2>"$work/none.err"
	is "no such process: exit 4" test $? = 4
	is "no such process: says which" grep -q "process 4194000 not found" "$work/none.err"
	start sleep 30
	"$LEAT" record -p "$pid" -d 1 -o "$work/idle.folded" 2>"$work/idle.err"
	is "idle: exit 5" test $? = 5
	is "idle: says so" grep -q "used 0.00 s of CPU in 1.0 s; nothing to sample" "$work/idle.err"
	is "idle: no file" test ! -e "$work/idle.folded"
	"$LEAT" record -p "$pid" -e page-faults -d 1 -o "$work/x.folded" 2>"$work/faults.err"
	is "no such event happened: exit 5" test $? = 5
	is "no such event happened: says so" grep -q "no such event happened" "$work/faults.err"
	"$LEAT" doctor -p 4194000 >"$work/doctor.out" 2>&1
	is "doctor of nobody: says so" grep -q "no such process: 4194000" "$work/doctor.out"
	"$LEAT" record -p "$pid" -F 99999999 -d 1 -o "$work/x.folded" 2>"$work/freq.err"
	is "frequency above the limit: exit 2" test $? = 2
	is "frequency above the limit: names it" grep -qw "$(cat /proc/sys/kernel/perf_event_max_sample_rate)" "$work/freq.err"
	stop "$pid"
}

test_shares
test_thread
test_name
test_children
test_brood
test_leader_gone
test_taskset
test_cgroup
test_uid
test_cpus
test_command
test_stream
test_cpuset
test_wanted
test_anonymize
test_nothing
done_testing
