#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# check-size.sh FILE...: functions of at most 100 lines (BPF 65, main 60), files of at most 1000
# lines (from 600 on, a warning).
set -u -o pipefail
[ $# -gt 0 ] || exit 0
ctags=$(command -v ctags-universal || command -v ctags) || {
	echo "universal-ctags is missing: scripts/setup.sh --tests" >&2
	exit 1
}
bad=0

"$ctags" -x --_xformat='%N %F %n %{end}' --languages=C,C++ --langmap=C:.c.h --kinds-C=f "$@" | awk '
	$4 == "" { next }
	{
		lines = $4 - $3 + 1
		max = 100
		if ($2 ~ /^(.*\/)?bpf\// && $2 !~ /tests\//) max = 65
		if ($1 == "main") max = 60
		if (lines > max) {
			printf "%s:%d: %s has %d lines, at most %d\n", $2, $3, $1, lines, max
			bad = 1
		}
	}
	END { exit bad }' || bad=1

for f in "$@"; do
	n=$(wc -l <"$f")
	if [ "$n" -gt 1000 ]; then
		echo "$f: $n lines, at most 1000"
		bad=1
	elif [ "$n" -gt 600 ]; then
		echo "warning: $f: $n lines, better at most 600"
	fi
done
exit $bad
