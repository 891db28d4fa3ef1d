#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bench.sh [ROUNDS]: every figure of docs/benchmarks.md, beside its peers, as tables on standard output.
# Called by "make bench", which builds what it runs. As root, on an otherwise idle machine; about
# three quarters of an hour, after the peers are installed. BENCH="bpf names" chooses parts, ROUNDS=3
# makes it shorter.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-9}
parts=${BENCH:-bpf names record event capture merge import unwind table}
out=${LEAT_OUT:?run it by "make bench"}
export PATH=$PATH:/usr/sbin:/sbin
peers=$(scripts/bench-peers.sh)
export PATH=$PATH:$peers

# beside PEER COMMAND...: runs it where the peer could be installed.
beside() {
	if [ -x "$peers/$1" ]; then
		"${@:2}"
	else
		echo "$part: no $1, left out"
	fi
}

# Binaries of all sorts and sizes, those that are there.
binaries() {
	local f
	for f in /lib/x86_64-linux-gnu/libc.so.6 /usr/lib/x86_64-linux-gnu/{libstdc++.so.6,libcrypto.so.3,libLLVM-14.so.1} \
		/usr/bin/{python3,perf,node} "$(gcc -print-prog-name=cc1)" "$(command -v go)"; do
		[ ! -r "$f" ] || echo "$f"
	done
}

echo "Machine: $(uname -r), $(nproc) CPUs, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
for part in $parts; do
	echo
	case $part in
	bpf)
		"$out/tests/bench/bench_bpf" "$out/workloads/wl_deep" "$rounds"
		echo
		"$out/tests/bench/bench_read" "$out/workloads/wl_deep"
		;;
	names)
		beside blazecli tests/bench/bench_names.py "$out/tests/bench/bench_names" "$peers/blazecli" --rounds "$rounds"
		;;
	record) tests/bench/bench_record.py "$out/leat" "$out/workloads" --rounds "$rounds" ;;
	event)
		"$out/tests/bench/bench_ring"
		echo
		beside peer_one_collect tests/bench/bench_event.py "$peers/peer_one_collect" \
			"$out"/tests/bench/bench_{event,filter,intern} --rounds "$rounds"
		;;
	capture) "$out/tests/bench/bench_capture" "$rounds" ;;
	merge) "$out/tests/bench/bench_merge" "$rounds" ;;
	import)
		beside inferno-collapse-perf tests/bench/bench_import.py "$out/leat" "$peers" --rounds "$rounds"
		;;
	unwind)
		mapfile -t files < <(binaries)
		"$out/tests/bench/bench_unwind" "$rounds" "${files[@]}"
		;;
	table) tests/bench/bench_table.py "$out/leat" "$out" "$peers" --rounds "$rounds" ;;
	*) echo "bench.sh: unknown part $part" >&2; exit 2 ;;
	esac
done
