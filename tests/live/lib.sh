# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034
# What the live tests share: TAP lines, programs that are started and always ended, a recording, and
# questions to its results. Sourced; $LEAT is the program, $WORKLOADS where the workloads are.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LEAT=${LEAT:-$here/../../build/release/leat}
WORKLOADS=${WORKLOADS:-${LEAT_OUT:-$here/../../build/release}/workloads}
tap_n=0
tap_bad=0

ok() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1"
}

# not_ok TEXT [DETAIL]
not_ok() {
	tap_n=$((tap_n + 1))
	tap_bad=$((tap_bad + 1))
	echo "not ok $tap_n - $1"
	[ -z "${2:-}" ] || sed 's/^/# /' <<<"$2"
}

# skip TEXT REASON
skip() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

# is TEXT COMMAND...: the command succeeds; its output is the detail when it does not.
is() {
	local text=$1 out
	shift
	if out=$("$@" 2>&1); then ok "$text"; else not_ok "$text" "$out"; fi
}

done_testing() {
	echo "1..$tap_n"
	[ "$tap_bad" = 0 ]
}

# --- a place, and programs that end with the test ---------------------------------------------

# work_dir: makes $work, and sees that it and all that was started is gone at the end.
started=()
work_dir() {
	work=$(mktemp -d "${TMPDIR:-/tmp}/leat-live.XXXXXX")
	chmod 755 "$work"
	trap clean_up EXIT
}
clean_up() {
	local pid
	for pid in "${started[@]:+${started[@]}}"; do
		kill -KILL "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	type at_end >/dev/null 2>&1 && at_end
	rm -rf "$work"
}

# start PROGRAM ARGS...: in the background; its pid is in $pid, its output in $work/PROGRAM.out, and
# fd 9 is its standard input. The program itself has begun when this returns, not only the shell that
# executes it; waits until it says "ready" when WAIT_READY=1.
start() {
	local name
	name=$(basename "$1")
	rm -f "$work/$name.in"
	mkfifo "$work/$name.in"
	: >"$work/$name.out"
	"$@" <"$work/$name.in" >"$work/$name.out" 2>&1 9>&- &
	pid=$!
	started+=("$pid")
	exec 9>"$work/$name.in"
	wait_exec "$pid"
	[ "${WAIT_READY:-0}" = 0 ] || wait_for "$name" ready
}

# wait_exec PID: until a child of this shell is another program than this shell, or has ended; at most 10 s.
wait_exec() {
	local i own args
	mapfile -d '' -t own </proc/$$/cmdline
	for i in $(seq 1000); do
		mapfile -d '' -t args <"/proc/$1/cmdline" || return 0
		[ "${args[*]}" = "${own[*]}" ] || return 0
		sleep 0.01
	done 2>/dev/null
	echo "process $1 did not become its program" >&2
	return 1
}

# wait_for NAME TEXT: until the program's output holds TEXT; at most 10 s.
wait_for() {
	local i
	for i in $(seq 200); do
		grep -q "$2" "$work/$1.out" 2>/dev/null && return 0
		sleep 0.05
	done
	echo "$1 did not say '$2'" >&2
	return 1
}

stop() {
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# --- recordings -------------------------------------------------------------------------------

# record NAME ARGS...: leat record; leaves $work/NAME.folded, NAME.json (the verdict), NAME.err.
# cpu-clock unless the arguments say -e: the same on every host.
record() {
	local name=$1 event=(-e cpu-clock)
	shift
	case " $* " in *" -e "*) event=() ;; esac
	rm -f "$work/$name.folded" "$work/$name.json"
	"$LEAT" record "${event[@]:+${event[@]}}" -o "$work/$name.folded" --summary "$work/$name.json" \
		"$@" 2>"$work/$name.err" 9>&-
}

# recorded NAME TEXT: reports that there is a profile; false when there is none.
recorded() {
	if [ -s "$work/$1.folded" ]; then
		ok "$2: recorded, $(total "$1") samples"
		return 0
	fi
	not_ok "$2: recorded" "$(cat "$work/$1.err")"
	return 1
}

# total NAME [REGEX]: samples whose stack matches.
total() {
	awk -v re="${2:-.}" '{n = $NF; sub(/ [0-9]+$/, "")} $0 ~ re {s += n} END {print s + 0}' "$work/$1.folded"
}

# share NAME REGEX [OF-REGEX]: percent of the samples, of those that match OF-REGEX.
share() {
	awk -v re="$2" -v of="${3:-.}" '{n = $NF; sub(/ [0-9]+$/, "")} $0 ~ of {all += n; if ($0 ~ re) s += n}
	END {printf "%.2f\n", all ? 100 * s / all : 0}' "$work/$1.folded"
}

# within VALUE WANTED SLACK; at_least, at_most VALUE BOUND: numbers may have a fraction.
within() {
	awk -v v="$1" -v w="$2" -v s="$3" 'BEGIN {d = v - w; if (d < 0) d = -d; if (d > s) {print v " is not " w " +- " s; exit 1}}'
}
at_least() {
	awk -v v="$1" -v b="$2" 'BEGIN {if (v < b) {print v " is less than " b; exit 1}}'
}
at_most() {
	awk -v v="$1" -v b="$2" 'BEGIN {if (v > b) {print v " is more than " b; exit 1}}'
}

# verdict NAME KEY: a number of the verdict, wherever the key stands.
verdict() {
	grep -oE "\"$2\": ?-?[0-9.]+" "$work/$1.json" | head -n 1 | sed 's/.*: *//'
}

# adds_up NAME: seen == delivered + filtered + lost.
adds_up() {
	local sum=0 key v
	for key in f_idle f_kthread f_target f_self f_mode raw counted streamed overflowed l_stalled l_busy l_ring_full l_no_scratch; do
		v=$(verdict "$1" "$key")
		sum=$((sum + ${v:-0}))
	done
	[ "$sum" = "$(verdict "$1" seen)" ] || {
		echo "seen $(verdict "$1" seen), delivered + filtered + lost $sum"
		return 1
	}
}

# named_user_percent NAME: of the user frames, weighted by samples.
named_user_percent() {
	awk -v all="$(verdict "$1" user_frames)" -v bad="$(verdict "$1" user_unnamed)" \
		'BEGIN {printf "%.2f\n", all ? 100 * (all - bad) / all : 0}'
}

# self_percent NAME: leat's own CPU time while recording, in percent of one CPU.
self_percent() {
	awk -v c="$(verdict "$1" self_cpu_ns)" -v d="$(verdict "$1" duration_ns)" \
		'BEGIN {printf "%.2f\n", d ? 100 * c / d : 0}'
}

# bpf_ids PID: "prog ID", "map ID", "link ID" of what that process holds.
bpf_ids() {
	cat "/proc/$1/fdinfo"/* 2>/dev/null | awk '$1 ~ /^(prog|map|link)_id:$/ {sub(/_id:/, "", $1); print $1, $2}' | sort -u
}

# bpf_left: of the lines of bpf_ids on standard input, those that the kernel still has.
bpf_left() {
	local kind id
	while read -r kind id; do
		bpftool "$kind" show id "$id" >/dev/null 2>&1 && echo "$kind $id"
	done
}
