#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# check-headers.sh: every header compiles alone and has the guard that its place demands; the public
# ones also as strict C11 and as C++. Environment: CC, FLAGS (those of the library).
set -u
bad=0
shopt -s nullglob

try() {
	local what=$1 header=$2 include=$3
	shift 3
	if ! printf '#include "%s"\n' "$include" | "$@" -Werror -fsyntax-only - 2>/tmp/headers.$$; then
		echo "$header does not compile alone ($what):"
		head -n 12 /tmp/headers.$$
		bad=1
	fi
}

guard() {
	local want
	want=LEAT_$(printf '%s' "$2" | tr 'a-z/.-' 'A-Z___')
	if ! grep -q "^#ifndef $want\$" "$1"; then
		echo "$1: guard is not $want"
		bad=1
	fi
}

# shellcheck disable=SC2086 # FLAGS are several words
for h in user/*/*.h; do
	try 'C, internal' "$h" "${h#user/}" $CC $FLAGS -x c
	guard "$h" "${h#user/}"
done
# shellcheck disable=SC2086
for h in bpf/include/*.h bpf/lib/*.h; do
	[[ $h == *.bpf.h ]] && continue
	try 'C, shared' "$h" "$(basename "$h")" $CC $FLAGS -x c
done
for h in include/leat/*.h; do
	try 'C11 pedantic' "$h" "leat/$(basename "$h")" $CC -std=c11 -pedantic -Wall -Wextra -Iinclude -x c
	if command -v "${CXX:-g++}" >/dev/null; then
		try 'C++' "$h" "leat/$(basename "$h")" "${CXX:-g++}" -std=c++11 -pedantic -Wall -Wextra \
			-Iinclude -x c++
	fi
done
rm -f /tmp/headers.$$
exit $bad
