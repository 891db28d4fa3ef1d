#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# fuzz.sh replay|short|long OUT TARGET...
#
# replay: every target runs its committed corpus (tests/fuzz/corpus/NAME) once.
# short, long: libFuzzer for FUZZ_SECONDS in all, shared among the targets (150; long: 3600), with
# the dictionary tests/fuzz/NAME.dict where there is one. What it finds stays below OUT/fuzz; an
# input that crashes a target is named, and belongs into the corpus with the fix.
# Writes "passed failed skipped" to OUT/log/fuzz-MODE/totals, one test a target.
set -u
mode=$1
out=$2
shift 2
log=$out/log/fuzz-$mode
rm -rf "$log"
mkdir -p "$log" "$out/fuzz"
passed=0 failed=0
case $mode in
long) total=${FUZZ_SECONDS:-3600} ;;
*) total=${FUZZ_SECONDS:-150} ;;
esac
export ASAN_OPTIONS="abort_on_error=1:detect_leaks=1:allocator_may_return_null=1"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1"

replay() { # NAME PROGRAM
	local inputs=()
	[ -d "tests/fuzz/corpus/$1" ] && inputs=("tests/fuzz/corpus/$1")
	timeout -k 5 300 "$2" "${inputs[@]}" >"$log/$1.out" 2>&1
}

explore() { # NAME PROGRAM SECONDS
	local corpus=$out/fuzz/$1 args=()
	mkdir -p "$corpus"
	[ -f "tests/fuzz/$1.dict" ] && args+=("-dict=tests/fuzz/$1.dict")
	[ -d "tests/fuzz/corpus/$1" ] && args+=("$corpus" "tests/fuzz/corpus/$1") || args+=("$corpus")
	timeout -k 5 $(($3 + 120)) "$2" -max_total_time="$3" -timeout=10 -rss_limit_mb=2048 \
		-max_len=65536 -artifact_prefix="$log/$1-" -print_final_stats=1 "${args[@]}" \
		>"$log/$1.out" 2>&1
}

share=$((total / ($# > 0 ? $# : 1)))
for program in "$@"; do
	name=$(basename "$program")
	name=${name#fuzz_}
	if [ "$mode" = replay ]; then
		replay "$name" "$program"
	else
		explore "$name" "$program" "$share"
	fi
	if [ $? = 0 ]; then
		passed=$((passed + 1))
		echo "fuzz $name: $(grep -hE 'inputs$|number_of_executed_units' "$log/$name.out" | tail -n 1)"
	else
		failed=$((failed + 1))
		echo "FAIL fuzz $name (${log}/$name.out)"
		tail -n 40 "$log/$name.out"
	fi
done
echo "$passed $failed 0" >"$log/totals"
[ $failed = 0 ]
