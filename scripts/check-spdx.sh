#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# check-spdx.sh: every file that can carry a comment names its licence in its first three lines;
# what becomes part of a BPF program is dual-licensed.
set -u -o pipefail
bad=0

list() {
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files -co --exclude-standard
	else
		find . -path ./build -prune -o -type f -print | sed 's|^\./||'
	fi
}

# Data: golden outputs, fuzz inputs, licence texts and the like hold what they hold.
needs_licence() {
	case $1 in
	tests/golden/* | tests/fuzz/corpus/* | tests/data/* | LICENSES/*) return 1 ;;
	*.[ch] | *.cc | *.cpp | *.sh | *.mk | *.awk | *.md | *.py | *.js | *.css | *.html | *.go | *.in) return 0 ;;
	Makefile | */Makefile | .ci/run | .clang-* | .editorconfig | .gitattributes | .gitignore) return 0 ;;
	esac
	return 1
}

while IFS= read -r f; do
	[ -f "$f" ] && needs_licence "$f" || continue
	want='SPDX-License-Identifier: BSD-2-Clause'
	case $f in
	vmlinux/*.h) want='SPDX-License-Identifier: GPL-2.0' ;;
	bpf/*.[ch] | tests/bpf/*.bpf.c) want='SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)' ;;
	esac
	if ! head -n 3 "$f" | grep -qF "$want"; then
		echo "$f: no line '$want'"
		bad=1
	fi
done < <(list)
exit $bad
