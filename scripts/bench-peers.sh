#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bench-peers.sh: installs the peers that the benchmarks measure against, by name, and prints the
# directory of those that are built from crates. Some minutes the first time; kept in the cache.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${LEAT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/leat}/peers
mkdir -p "$cache"
for crate in samply blazecli inferno profile-bee; do
	program=$crate
	options=()
	case $crate in
	inferno) program=inferno-flamegraph ;;
	profile-bee) program=probee options=(--no-default-features --features tui) ;;
	esac
	[ -x "$cache/bin/$program" ] && continue
	command -v cargo >/dev/null || { echo "bench-peers.sh: no cargo: rows against $crate are left out" >&2; continue; }
	CARGO_TARGET_DIR=$cache/target cargo install --quiet --locked --root "$cache" "${options[@]}" "$crate" >&2 ||
		echo "bench-peers.sh: $crate does not build: its rows are left out" >&2
done
rm -rf "$cache/target"

# A peer that is a library: a program of ours that runs the cases with it. Built again when a source
# is newer; kept apart, because its dependencies take minutes.
build_library_peer() { # NAME
	local src=tests/bench/peers/$1 bin=$cache/bin/peer_$1
	if [ -x "$bin" ] && [ -z "$(find "$src" -newer "$bin" -name '*.*' -print -quit)" ]; then
		return
	fi
	command -v cargo >/dev/null || { echo "bench-peers.sh: no cargo: rows against $1 are left out" >&2; return; }
	rm -rf "$cache/src/$1"
	mkdir -p "$cache/bin" "$cache/src"
	cp -r "$src" "$cache/src/$1"
	if (cd "$cache/src/$1" && CARGO_TARGET_DIR=$cache/build cargo build --quiet --release >&2); then
		install -m 0755 "$cache/build/release/peer_$1" "$bin"
	else
		echo "bench-peers.sh: $1 does not build: its rows are left out" >&2
	fi
}
build_library_peer one_collect
missing=()
for p in linux-perf bpftrace redis-server redis-tools libllvm14 nginx wrk postgresql clang; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
if [ ${#missing[@]} -gt 0 ]; then
	apt-get -qq install -y --no-install-recommends "${missing[@]}" >&2
fi
echo "$cache/bin"
