#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# run-tests.sh LOG-DIR TEST...
#
# A TEST is a Criterion program, or a script (*.sh) that prints TAP: "ok N - text",
# "not ok N - text", "ok N - text # SKIP reason". Fails on: a failing test, a test program that ran
# no test, a time-out, a skip whose reason is not in tests/allowed-skips.txt, any report of a
# sanitizer. (Criterion itself counts a leaking test, and no test at all, as passed.)
#
# Writes "passed failed skipped" to LOG-DIR/totals. Environment: AS_ROOT=1 runs the tests as root,
# TEST_ARGS goes to the tests, TEST_TIMEOUT is the limit of one program in seconds. (Criterion's own
# --timeout has no effect in 2.4.1; a test may set .timeout.)
set -u
[ $# -gt 0 ] || exit 2
log=$1
shift
rm -rf "$log" 2>/dev/null || sudo -n rm -rf "$log"
mkdir -p "$log"
log=$(cd "$log" && pwd)
here=$(cd "$(dirname "$0")/.." && pwd)
allowed=$here/tests/allowed-skips.txt
passed=0 failed=0 skipped=0
export ASAN_OPTIONS="log_path=$log/san:detect_leaks=1:abort_on_error=1:strict_string_checks=1:allocator_may_return_null=1"
export UBSAN_OPTIONS="log_path=$log/san:print_stacktrace=1:halt_on_error=1"
as_root=()
if [ "${AS_ROOT:-0}" = 1 ] && [ "$(id -u)" != 0 ]; then
	as_root=(sudo -n -E)
fi

fail() {
	echo "FAIL $*"
	failed=$((failed + 1))
}

# run NAME PROGRAM: leaves TAP in $log/NAME.tap and all output in $log/NAME.out.
run() {
	local limit=(timeout -k 10 "${TEST_TIMEOUT:-600}")
	# shellcheck disable=SC2086 # TEST_ARGS are several arguments
	case $2 in
	*.sh)
		"${as_root[@]}" "${limit[@]}" "$2" ${TEST_ARGS:-} </dev/null >"$log/$1.tap" 2>"$log/$1.out"
		;;
	*)
		"${as_root[@]}" "${limit[@]}" "$2" --quiet ${TEST_ARGS:-} \
			--tap="$log/$1.tap" </dev/null >"$log/$1.out" 2>&1
		;;
	esac
}

# Counts a skip as skipped when its reason holds one of the allowed texts, else as failed.
judge_skips() {
	local line reason
	while IFS= read -r line; do
		reason=${line#*# SKIP}
		skipped=$((skipped + 1))
		if ! grep -qF -f <(grep -v -e '^#' -e '^$' "$allowed") <<<"$reason"; then
			skipped=$((skipped - 1))
			fail "$1: reason is not in tests/allowed-skips.txt: $line"
		fi
	done < <(grep -E '^ok.*# SKIP' "$log/$1.tap")
}

for t in "$@"; do
	name=$(basename "$t")
	: >"$log/$name.tap"
	begin=$SECONDS
	run "$name" "$t"
	rc=$?
	ok=$(grep -E '^ok' "$log/$name.tap" | grep -vc '# SKIP')
	bad=$(grep -cE '^not ok' "$log/$name.tap")
	skip=$(grep -cE '^ok.*# SKIP' "$log/$name.tap")
	printf '%-28s %4d passed, %d failed, %d skipped  (%d s)\n' "$name" "$ok" "$bad" "$skip" \
		$((SECONDS - begin))
	passed=$((passed + ok))
	failed=$((failed + bad))
	judge_skips "$name"
	if [ "$bad" -gt 0 ]; then
		grep -E '^not ok' -A 8 "$log/$name.tap" | head -60
		tail -n 40 "$log/$name.out"
	elif [ $rc = 124 ] || [ $rc = 137 ]; then
		fail "$name: no end within ${TEST_TIMEOUT:-600} s"
		tail -n 20 "$log/$name.out"
	elif [ $rc != 0 ]; then
		fail "$name: exit status $rc"
		tail -n 40 "$log/$name.out"
	elif [ $((ok + skip)) = 0 ]; then
		fail "$name: ran no tests"
	fi
done
for report in "$log"/san.*; do
	[ -e "$report" ] || continue
	# A test may ask for more memory than there is; that alone is a warning.
	grep -qvE 'WARNING: AddressSanitizer failed to allocate|^ *#|^$' "$report" || continue
	fail "sanitizer report $report"
	head -n 30 "$report"
done
echo "$passed $failed $skipped" >"$log/totals"
[ "$failed" = 0 ]
