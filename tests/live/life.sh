#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Processes that come and go, mappings that change: everything keeps its right name.
. "$(dirname "$0")/lib.sh"
work_dir

# --- 2,000 processes that live 5 to 20 ms ---
test_short() {
	WAIT_READY=1 start "$WORKLOADS/wl_short" 2000 2
	(sleep 0.7; echo go >&9) &
	record short -p "$pid" --children -F 999
	recorded short "2,000 short processes" || return
	is "2,000 short processes: 95 % of their user frames have names" at_least "$(named_user_percent short)" 95
	is "2,000 short processes: nobody unknown" at_most "$(verdict short unknown_process)" "$(($(total short) / 100))"
	is "2,000 short processes: their work is found" at_least "$(share short short_work)" 60
	is "2,000 short processes: every sample accounted for" adds_up short
	WAIT_READY=1 start "$WORKLOADS/wl_short" 500 2
	(sleep 0.7; echo go >&9) &
	local wl=$pid
	(wait_gone "$wl"; sleep 0.2; pkill -INT -f "$work/short_all.folded") &
	record short_all -a -F 999 -d 60
	if recorded short_all "short processes, whole host"; then
		is "short processes, whole host: found" at_least "$(total short_all short_work)" 1000
		is "short processes, whole host: unnamed frames are few" at_most \
			"$(total short_all 'wl_short;.*[[]unknown[]]')" "$(($(total short_all wl_short) / 20))"
	fi
}
wait_gone() {
	while [ -e "/proc/$1" ]; do sleep 0.1; done
}

# --- library A closed, B opened at the same address ---
test_swap() {
	WAIT_READY=0 start "$WORKLOADS/wl_swap" 6 "$WORKLOADS/wl_swap_a.so" "$WORKLOADS/wl_swap_b.so"
	sleep 0.3
	record swap -p "$pid" -F 999 -d 5
	wait "$pid"
	is "library swapped at one address: it was" test $? = 0
	recorded swap "library swapped at one address" || return
	is "library swapped: A is seen" at_least "$(share swap 'work_in_a;.*swap_(in|loop)_a')" 35
	is "library swapped: B is seen" at_least "$(share swap 'work_in_b;.*swap_(in|loop)_b')" 35
	is "library swapped: no sample under the wrong name" at_most \
		"$(total swap 'work_in_a;.*swap_(in|loop)_b|work_in_b;.*swap_(in|loop)_a')" 0
	is "library swapped: few are ambiguous" at_most "$(verdict swap remapped)" "$(($(total swap) / 20))"
}

# --- many mappings, many changes ---
test_maps() {
	local old
	old=$(cat /proc/sys/vm/max_map_count)
	echo 300000 >/proc/sys/vm/max_map_count
	WAIT_READY=1 start "$WORKLOADS/wl_maps" 30 100000 1000
	echo "$old" >/proc/sys/vm/max_map_count
	is "100,000 mappings: there" at_least "$(wc -l <"/proc/$pid/maps")" 99000
	record maps -p "$pid" -F 99 -d 6
	stop "$pid"
	if recorded maps "100,000 mappings"; then
		is "100,000 mappings: found" at_least "$(share maps maps_work)" 90
		is "100,000 mappings: leat under 5 % of a CPU" at_most "$(self_percent maps)" 5
	fi
	WAIT_READY=1 start "$WORKLOADS/wl_maps" 30 2 0 "$WORKLOADS/wl_swap_a.so"
	record dl -p "$pid" -F 99 -d 6
	stop "$pid"
	if recorded dl "100 dlopen a second"; then
		is "100 dlopen a second: leat under 5 % of a CPU" at_most "$(self_percent dl)" 5
		is "100 dlopen a second: names" at_least "$(named_user_percent dl)" 95
	fi
}

# --- 200 threads ---
test_threads() {
	WAIT_READY=1 start "$WORKLOADS/wl_threads" 30 200
	record threads -p "$pid" -F 1999 -d 6
	stop "$pid"
	recorded threads "200 threads" || return
	is "200 threads: all of them" within "$(share threads even_work '(even|odd)_work')" 50 6
	is "200 threads: every sample accounted for" adds_up threads
}

# --- as many processes as the machine can make ---
held_once() {
	local twice f
	twice=$(for f in "/proc/$1/fd"/*; do readlink "$f"; done | grep -E '^/(usr|bin|lib|home|opt|root)' | sort | uniq -d)
	echo "$twice"
	[ -z "$twice" ] && [ "$(find "/proc/$1/fd" | wc -l)" -lt 400 ]
}
test_storm() {
	local leat
	start "$WORKLOADS/wl_forks" 12 2
	"$LEAT" record -a -e cpu-clock -F 999 -d 8 -o "$work/storm.folded" --summary "$work/storm.json" \
		2>"$work/storm.err" 9>&- &
	leat=$!
	sleep 6
	# Files are held once each; nothing is kept of a process that has gone.
	# A file is held once, however many processes map it.
	is "fork storm: no file descriptor for each process" held_once "$leat"
	wait "$leat"
	is "fork storm: exit 0" test $? = 0
	wait_for wl_forks processes
	recorded storm "fork storm ($(grep -oE '[0-9]+ processes' "$work/wl_forks.out"))" || return
	is "fork storm: every sample accounted for" adds_up storm
	is "fork storm: memory is bounded" at_most "$(verdict storm rss_bytes)" 150000000
	is "fork storm: its work is found" at_least "$(total storm storm_child)" 100
}

# --- leat itself cannot keep up: what it misses is counted, and read again ---
test_stalled() {
	local leat cpu
	WAIT_READY=1 start "$WORKLOADS/wl_tree" 14
	local tree=$pid
	"$LEAT" record -a -e cpu-clock -F 999 -d 8 -o "$work/stalled.folded" --summary "$work/stalled.json" \
		2>"$work/stalled.err" 9>&- &
	leat=$!
	sleep 2
	kill -STOP "$leat"
	echo go >&9
	start "$WORKLOADS/wl_forks" 2 2
	sleep 3
	kill -CONT "$leat"
	sleep 0.5
	# The kernel tells of a loss with the next record of the same CPU.
	for cpu in $(seq 0 $(($(nproc --all) - 1))); do taskset -c "$cpu" true 2>/dev/null; done
	wait "$leat"
	is "leat stalled: exit 0" test $? = 0
	recorded stalled "leat stalled" || return
	is "leat stalled: side-band records are lost, and counted" at_least "$(verdict stalled env_lost)" 1
	is "leat stalled: every sample accounted for" adds_up stalled
	is "leat stalled: who came meanwhile is known" at_least "$(total stalled tree_new)" 100
	kill "$tree"
	pkill -KILL -P "$tree" 2>/dev/null
}

# --- ends in the middle ---
test_ends() {
	local held
	start "$WORKLOADS/wl_shares" 60 2
	(sleep 1.5; kill -KILL "$pid") &
	record killed -p "$pid" -F 499 -d 30
	is "target killed: exit 0" test $? = 0
	recorded killed "target killed" && is "target killed: names" at_least "$(share killed work_)" 90
	start "$WORKLOADS/wl_shares" 30 2
	"$LEAT" record -p "$pid" -e cpu-clock -d 20 -o "$work/dead.folded" 2>/dev/null 9>&- &
	local leat=$!
	sleep 1.5
	held=$(bpf_ids "$leat")
	is "leat at work: holds BPF objects" at_least "$(grep -c . <<<"$held")" 5
	kill -KILL "$leat"
	wait "$leat" 2>/dev/null
	stop "$pid"
	sleep 1
	is "leat killed: nothing left in the kernel" test -z "$(bpf_left <<<"$held")"
	is "leat killed: no file" test ! -e "$work/dead.folded"
}

test_short
test_swap
test_maps
test_threads
test_storm
test_stalled
test_ends
done_testing
