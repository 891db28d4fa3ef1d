#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# demo.sh [FILE]: installs what is missing, builds leat, starts a bundled workload of four threads,
# attaches to it for five seconds, and writes the flame graph (flame.html).
set -eu -o pipefail
out=$(realpath -m "${1:-flame.html}")
cd "$(dirname "$0")/.."
build=${BUILD:-build}
root=()
if [ "$(id -u)" != 0 ]; then
	root=(sudo)
fi

scripts/setup.sh
make -j"$(nproc)" all workloads
if [ "$(id -u)" != 0 ]; then
	sudo -v # asks for the password now, not while the workload runs
fi

"$build/release/workloads/demo" 120 >/dev/null &
pid=$!
trap 'kill $pid 2>/dev/null || true; wait $pid 2>/dev/null || true' EXIT
sleep 0.5 # past its start-up

echo
"${root[@]}" "$build/release/leat" record -p $pid -d 5 -F 499 -o "$out"
echo
echo "The flame graph is $out: open it in a browser."
