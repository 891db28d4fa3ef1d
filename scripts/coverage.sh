#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# coverage.sh BUILD-DIR: line coverage of the library by the unit tests, a line per file.
set -eu -o pipefail
cd "$1"
find user -name '*.gcda' | sort | while read -r data; do
	gcov -n -o "$(dirname "$data")" "$data" 2>/dev/null |
		awk -F"'" '/^File .*user\// { f = $2; sub(/.*user\//, "user/", f) }
			/^Lines executed/ && f { sub(/Lines executed:/, ""); printf "%-40s %s\n", f, $0; f = "" }'
done | grep '\.c ' | sort -u
