#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bench.sh [ROUNDS]: every figure of docs/benchmarks.md, beside its peers, as tables on standard output.
# Called by "make bench", which builds what it runs. As root, on an otherwise idle machine; about
# half an hour. BENCH="bpf names unwind record" chooses parts.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-9}
parts=${BENCH:-bpf names unwind record}
out=${LEAT_OUT:?run it by "make bench"}
export PATH=$PATH:/usr/sbin:/sbin
peers=$(scripts/bench-peers.sh)
export PATH=$PATH:$peers

echo "Machine: $(uname -r), $(nproc) CPUs, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
for part in $parts; do
	echo
	case $part in
	bpf) "$out/tests/bench/bench_bpf" "$out/workloads/wl_deep" "$rounds" ;;
	names)
		if [ -x "$peers/blazecli" ]; then
			tests/bench/bench_names.py "$out/tests/bench/bench_names" "$peers/blazecli" --rounds "$rounds"
		else
			echo "names: no blazecli, left out"
		fi
		;;
	unwind)
		files=()
		for f in /lib/x86_64-linux-gnu/libc.so.6 /usr/lib/x86_64-linux-gnu/{libstdc++.so.6,libcrypto.so.3,libLLVM-14.so.1} \
			/usr/bin/{python3,perf,node} "$(gcc -print-prog-name=cc1)" "$(command -v go)"; do
			[ ! -r "$f" ] || files+=("$f")
		done
		"$out/tests/bench/bench_unwind" "$rounds" "${files[@]}"
		;;
	record) tests/bench/bench_record.py "$out/leat" "$out/workloads" --rounds "$rounds" ;;
	*) echo "bench.sh: unknown part $part" >&2; exit 2 ;;
	esac
done
