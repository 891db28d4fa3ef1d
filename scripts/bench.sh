#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bench.sh [ROUNDS]: every figure of docs/benchmarks.md, beside its peers, as tables on standard output.
# Called by "make bench", which builds what it runs. As root, on an otherwise idle machine; about
# half an hour, after the peers are installed. BENCH="bpf names record event engine capture import merge" chooses parts.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-9}
parts=${BENCH:-bpf names record event engine capture import merge}
out=${LEAT_OUT:?run it by "make bench"}
export PATH=$PATH:/usr/sbin:/sbin
peers=$(scripts/bench-peers.sh)
export PATH=$PATH:$peers

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
		if [ -x "$peers/blazecli" ]; then
			tests/bench/bench_names.py "$out/tests/bench/bench_names" "$peers/blazecli" --rounds "$rounds"
		else
			echo "names: no blazecli, left out"
		fi
		;;
	event)
		if [ -x "$peers/peer_one_collect" ]; then
			tests/bench/bench_event.py "$out/tests/bench/bench_event" "$peers/peer_one_collect" --rounds "$rounds"
		else
			echo "event: no peer_one_collect, left out"
		fi
		;;
	capture) "$out/tests/bench/bench_capture" "$rounds" ;;
	record) tests/bench/bench_record.py "$out/leat" "$out/workloads" --rounds "$rounds" ;;
	engine)
		# Cases by name, leat's and the peer's in one run; sums that differ are no comparison.
		theirs=$(mktemp)
		[ ! -x "$peers/peer_one_collect" ] || "$peers/peer_one_collect" "$rounds" >"$theirs"
		for b in event filter intern; do
			[ ! -x "$out/tests/bench/bench_$b" ] || "$out/tests/bench/bench_$b" "$rounds"
		done | awk -F '\t' 'NR == FNR { ns[$1] = $2; sum[$1] = $3; next }
			!head++ { print "case | leat, ns | one_collect, ns | ratio"; print "---|---|---|---" }
			!($1 in ns) { print $1 " | " $2 " | - | -"; next }
			{ print $1 " | " $2 " | " ns[$1] " | " (sum[$1] == $3 ? sprintf("%.2f", $2 / ns[$1]) : "sums differ") }' \
			"$theirs" -
		rm -f "$theirs"
		;;
	import)
		if [ -x "$peers/inferno-collapse-perf" ]; then
			tests/bench/bench_import.py "$out/import_tool" "$peers" --rounds "$rounds"
		else
			echo "import: no inferno, left out"
		fi
		;;
	merge) "$out/tests/bench/bench_merge" "$rounds" ;;
	*) echo "bench.sh: unknown part $part" >&2; exit 2 ;;
	esac
done
