#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every example runs, and prints what stands beside its source.
set -u
n=0 bad=0
for want in examples/*.out; do
	name=$(basename "$want" .out)
	n=$((n + 1))
	got=$("$LEAT_OUT/examples/$name" 2>&1)
	rc=$?
	if [ $rc = 77 ]; then
		echo "ok $n - example $name # SKIP $got"
	elif [ $rc = 0 ] && [ "$got" = "$(cat "$want")" ]; then
		echo "ok $n - example $name"
	else
		bad=1
		echo "not ok $n - example $name"
		printf '%s\n' "$got" | sed 's/^/# /'
	fi
done
echo "1..$n"
exit $bad
