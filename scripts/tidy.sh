#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tidy.sh FLAG... -- FILE...: clang-tidy, silent when it finds nothing.
set -u
flags=()
while [ "$1" != -- ]; do
	flags+=("$1")
	shift
done
shift
if ! out=$(clang-tidy --quiet "$@" -- "${flags[@]}" 2>&1); then
	grep -v -e 'warnings generated' -e '^Suppressed' -e '^Use -header-filter' <<<"$out"
	exit 1
fi
