#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# check.sh: all tests. Goes on after a failed stage; the last line is "N passed, N failed, N skipped"
# and the exit status says whether all is well. Each stage has its own time limit.
# Environment: JOBS, BUILD, FUZZ_SECONDS, STAGES="unit live" (only these).
set -u
cd "$(dirname "$0")/.." || exit 1
export JOBS=${JOBS:-$(nproc)} BUILD=${BUILD:-build} WERROR=1 LC_ALL=C.UTF-8
export PATH=$PATH:/usr/sbin:/sbin:/usr/local/go/bin
export LEAT_CHECK_RUN=leat-check-$$-$RANDOM
unset MAKEFLAGS FLAVOUR MODULES TEST
log=$BUILD/check
passed=0 failed=0 skipped=0
summary=()
begin_all=$SECONDS

sudo_maybe() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Processes that carry this run's mark in their environment, this shell's own line of descent left
# out. A stage that was cut off leaves its servers and targets here.
leftovers() {
	local dir pid
	for dir in /proc/[0-9]*; do
		pid=${dir#/proc/}
		[ "$pid" != $$ ] && [ "$pid" != "$BASHPID" ] || continue
		sudo_maybe grep -qsF "LEAT_CHECK_RUN=$LEAT_CHECK_RUN" "$dir/environ" 2>/dev/null && echo "$pid"
	done
}
reap() {
	local pid
	for pid in $(leftovers); do
		[ -r "/proc/$pid/cmdline" ] || continue
		echo "left behind, ended: $pid $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
		sudo_maybe kill -TERM "$pid" 2>/dev/null
		sleep 0.2
		sudo_maybe kill -KILL "$pid" 2>/dev/null
	done
}
trap 'reap >/dev/null' EXIT
trap 'exit 130' INT TERM HUP

add_totals() { # STAGE STATUS TOTALS-FILE|-
	local p=0 f=0 s=0
	if [ "$3" != - ] && [ -r "$3" ]; then
		read -r p f s <"$3"
	elif [ "$2" = 0 ]; then
		p=1
	fi
	# A stage may fail outside its tests: it did not build, or was cut off.
	[ "$2" = 0 ] || [ "$f" -gt 0 ] || f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	summary+=("$(printf '%-14s %5d s  %5d passed, %d failed, %d skipped' "$1" \
		$((SECONDS - begin)) "$p" "$f" "$s")")
}

# stage NAME SECONDS TOTALS-FILE|- COMMAND...
stage() {
	local name=$1 limit=$2 totals=$3 rc left
	shift 3
	if [ -n "${STAGES:-}" ] && [[ " $STAGES " != *" $name "* ]]; then
		return 0
	fi
	begin=$SECONDS
	echo "=== $name"
	[ "$totals" = - ] || sudo_maybe rm -f "$totals"
	timeout -k 20 "$limit" "$@" </dev/null 2>&1 | tee "$log/$name.log"
	rc=${PIPESTATUS[0]}
	[ $rc != 124 ] && [ $rc != 137 ] || echo "FAIL $name: no end within $limit s"
	left=$(reap)
	if [ -n "$left" ]; then
		echo "$left"
		echo "FAIL $name left processes behind"
		[ $rc != 0 ] || rc=1
	fi
	add_totals "$name" $rc "$totals"
}


mkdir -p "$log"
r=$BUILD/release/log
a=$BUILD/asan/log
stage setup 1800 - scripts/setup.sh --tests
stage build 900 - make -j"$JOBS" all tests
stage lint 300 - make -k -j"$JOBS" lint
stage tidy 900 - make tidy
stage lint-tests 300 "$r/lint/totals" make check-lint
stage build-tests 600 "$r/build/totals" scripts/run-tests.sh "$r/build" scripts/check-build.sh
stage build-clang 900 - make -j"$JOBS" BUILD="$BUILD/clang" CC=clang all
stage unit 600 "$r/unit/totals" make -j"$JOBS" check
stage build-asan 900 - make -j"$JOBS" FLAVOUR=asan tests
stage unit-asan 900 "$a/unit/totals" make -j"$JOBS" check-asan
stage bpf 900 "$r/bpf/totals" make -j"$JOBS" check-bpf
stage live 3600 "$r/live/totals" make -j"$JOBS" check-live
stage fuzz-replay 600 "$a/fuzz-replay/totals" make -j"$JOBS" FLAVOUR=asan fuzz-replay
stage fuzz-short 1200 "$BUILD/fuzz/log/fuzz-short/totals" make -j"$JOBS" fuzz-short
stage kernels 1800 "$r/kernels/totals" make -j"$JOBS" check-kernels

echo
echo "=== summary ($((SECONDS - begin_all)) s)"
printf '%s\n' "${summary[@]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
