#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Exports read by readers that are not leat's (exports.py). Prints TAP.
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/local/go/bin
for tool in go python3; do
	if ! command -v "$tool" >/dev/null; then
		echo "not ok 1 - $tool is not installed: scripts/setup.sh installs it"
		exit 1
	fi
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
PPROF_TMPDIR=$tmp PYTHONDONTWRITEBYTECODE=1 python3 "$here/exports.py" "$LEAT_OUT/gen_profile" "$tmp"
