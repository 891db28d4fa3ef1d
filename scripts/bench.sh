#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bench.sh [ROUNDS]: every figure of docs/benchmarks.md, beside its peers, as tables on standard output.
# Called by "make bench", which builds what it runs. As root, on an otherwise idle machine; about
# half an hour. BENCH="bpf names capture record" chooses parts.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-9}
parts=${BENCH:-bpf names capture record}
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
	capture) "$out/tests/bench/bench_capture" "$rounds" ;;
	record) tests/bench/bench_record.py "$out/leat" "$out/workloads" --rounds "$rounds" ;;
	*) echo "bench.sh: unknown part $part" >&2; exit 2 ;;
	esac
done
