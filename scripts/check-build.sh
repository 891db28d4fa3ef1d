#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# check-build.sh: tests of the build itself, as TAP. Environment: BUILD, WERROR as for make.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0
failures=0

report() { # STATUS TEXT
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/  /' "$tmp/out" | tail -n 20
		failures=$((failures + 1))
	fi
}
check() { # TEXT COMMAND...
	local text=$1
	shift
	"$@" >"$tmp/out" 2>&1
	report $? "$text"
}

nothing_to_do() {
	make -q all && make all | grep -q 'Nothing to be done'
}
# What make would do if this file were new, without touching it.
rebuilds() { # FILE WANTED...
	local file=$1 want
	shift
	make -n V=1 -W "$file" all >"$tmp/plan"
	for want in "$@"; do
		grep -qF -e "$want" "$tmp/plan" || { echo "$file: $want is not rebuilt"; return 1; }
	done
}
leaves_alone() { # FILE UNWANTED
	make -n V=1 -W "$1" all >"$tmp/plan"
	! grep -F -e "$2" "$tmp/plan"
}
installs() {
	local f
	make install DESTDIR="$tmp/root" prefix=/opt/leat || return 1
	for f in bin/leat lib/libleat.a lib/libleat.so lib/pkgconfig/leat.pc include/leat/version.h \
		share/man/man1/leat.1 share/bash-completion/completions/leat; do
		[ -s "$tmp/root/opt/leat/$f" ] || { echo "$f is not installed"; return 1; }
	done
	"$tmp/root/opt/leat/bin/leat" --version
}
pc() {
	PKG_CONFIG_SYSROOT_DIR=$tmp/root PKG_CONFIG_PATH=$tmp/root/opt/leat/lib/pkgconfig \
		pkg-config "$@" leat
}
links_against_it() {
	cat >"$tmp/use.c" <<'END'
#include <leat/event.h>
#include <leat/session.h>
#include <leat/version.h>
#include <stdio.h>
int main(void)
{
	return puts(LEAT_VERSION) < 0;
}
END
	# shellcheck disable=SC2046
	gcc -std=c11 -pedantic -Werror "$tmp/use.c" -o "$tmp/use" $(pc --cflags --libs) &&
		LD_LIBRARY_PATH=$tmp/root/opt/leat/lib "$tmp/use"
}
exports_what_headers_name() {
	local so=$build/release/libleat.so
	nm -D --defined-only "$so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u >"$tmp/has"
	grep -ohE '\bleat_[a-z0-9_]+\(' include/leat/*.h | tr -d '(' | sort -u >"$tmp/may"
	[ -s "$tmp/has" ] && ! comm -23 "$tmp/has" "$tmp/may" | grep .
}
uninstalls() {
	make uninstall DESTDIR="$tmp/root" prefix=/opt/leat
	! find "$tmp/root" ! -type d | grep .
}
same_bytes() {
	make -j"${JOBS:-2}" BUILD="$tmp/b" FLAVOUR=release all || return 1
	cmp "$build/release/libleat.a" "$tmp/b/release/libleat.a" &&
		cmp "$build/release/leat" "$tmp/b/release/leat"
}
tree_is_clean() {
	git rev-parse --is-inside-work-tree >/dev/null 2>&1 || return 0
	git status --porcelain >"$tmp/after"
	diff "$tmp/before" "$tmp/after"
}

git status --porcelain >"$tmp/before" 2>/dev/null
make -j"${JOBS:-2}" all >/dev/null || exit 1
check 'a second make does nothing' nothing_to_do
check 'a shared header rebuilds the BPF object, its skeleton and its users' \
	rebuilds bpf/include/leat_wire.h .bpf.o .skel.h user/engine/
check 'a header of base rebuilds its users' rebuilds user/base/buf.h user/base/buf.o
check 'a header of base leaves BPF alone' leaves_alone user/base/buf.h .bpf.o
check 'install respects DESTDIR and prefix, and the program runs' installs
check 'a program builds and runs with what is installed' links_against_it
check 'the shared library exports what the public headers name' exports_what_headers_name
check 'uninstall leaves nothing' uninstalls
check 'another build directory gives the same bytes' same_bytes
check 'building changes no file of the source tree' tree_is_clean
echo "1..$n"
[ $failures = 0 ]
