#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bench.sh [ROUNDS]: every figure of docs/benchmarks.md, beside its peers, as tables on standard output.
# Called by "make bench", which builds what it runs. As root, on an otherwise idle machine; about
# half an hour. BENCH="bpf names record engine" chooses parts.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-9}
parts=${BENCH:-bpf names record engine}
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
	record) tests/bench/bench_record.py "$out/leat" "$out/workloads" --rounds "$rounds" ;;
	engine)
		# Cases by name, leat's and the peer's in one run, the least of the rounds: what others do
		# on the machine only adds. Sums that differ are no comparison.
		theirs=$(mktemp)
		[ ! -x "$peers/peer_one_collect" ] || "$peers/peer_one_collect" "$rounds" >"$theirs"
		for b in event filter intern; do
			[ ! -x "$out/tests/bench/bench_$b" ] || "$out/tests/bench/bench_$b" "$rounds"
		done | awk -F '\t' 'NR == FNR { ns[$1] = $3; sum[$1] = $4; next }
			!head++ { print "case | leat, ns | one_collect, ns | ratio"; print "---|---|---|---" }
			!($1 in ns) { print $1 " | " $3 " | - | -"; next }
			{ print $1 " | " $3 " | " ns[$1] " | " (sum[$1] == $4 ? sprintf("%.2f", $3 / ns[$1]) : "sums differ") }' \
			"$theirs" -
		rm -f "$theirs"
		;;
	*) echo "bench.sh: unknown part $part" >&2; exit 2 ;;
	esac
done
