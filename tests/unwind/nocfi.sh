#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Programs that are built without unwind information, stepped instruction by instruction: their rules
# are found out of the code, or in .debug_frame, and the calls that were really made judge them
# (tests/unwind/judge.c). Prints TAP; the figures go to standard error.
set -u
cd "$(dirname "$0")/../.." || exit 1
judge=${LEAT_OUT:?run it by "make check-live"}/workloads/unwind_judge
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
n=0 failures=0

ok() { # STATUS TEXT
	n=$((n + 1))
	[ "$1" = 0 ] || failures=$((failures + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

# figure KEY: a number of the judge's line.
figure() { grep -oE "\b$1 +[0-9.]+" "$work/line" | grep -oE '[0-9.]+$'; }

# stepped NAME COMPLETE-PERCENT COMPILER-ARG...: no frame is wrong, and none is missing.
stepped() {
	local name=$1 complete=$2
	shift 2
	"$@" -fno-asynchronous-unwind-tables -fno-unwind-tables tests/unwind/corpus/calls.c -lm -o "$work/$name" \
		2>"$work/err" || head -n 20 "$work/err" >&2
	timeout 120 "$judge" -N "$name" -v -s 3000 "$work/$name" >"$work/line" 2>"$work/err"
	ok $? "$name: no frame is wrong"
	cat "$work/line" >&2
	[ "$(figure wrong)" = 0 ] || head -n 40 "$work/err" >&2
	[ "$(figure points)" -ge 2900 ] && [ "$(figure short)" = 0 ]
	ok $? "$name: none is missing that libdwfl has"
	awk -v c="$(figure complete)" -v least="$complete" 'BEGIN { exit !(c >= least) }'
	ok $? "$name: $complete % of the stacks are complete"
	rm -f "$work/$name"
}

stepped code-O0 99 gcc -O0
stepped code-O2-fp 99 gcc -O2 -fno-omit-frame-pointer
stepped code-clang-fp 99 clang -O2 -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer
stepped debug-frame-O2 99 gcc -O2 -g
echo "1..$n"
[ "$failures" = 0 ]
