#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench_import.py TOOL PEERS [--rounds N]: text of perf script to folded stacks, and folded stacks to a
picture, beside inferno. TOOL is import_tool, PEERS the directory of the peer's programs. Wall time and
peak memory of each process; medians over rounds, both sides in turns. The inputs are made in a
temporary directory and deleted."""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
INPUTS = [("perf script, 1 GB, steady", 1000000000, 0), ("perf script, 440 MB, 200,000 stacks", 440000000, 200000)]


def run(argv, out):
    """Seconds and peak MB of one process; its memory is the kernel's own count."""
    with open(out, "wb") as f:
        begin = time.monotonic()
        p = subprocess.Popen(argv, stdout=f, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(p.pid, 0)
        seconds = time.monotonic() - begin
    if status:
        sys.exit(f"bench_import: {argv[0]} failed")
    return seconds, usage.ru_maxrss / 1000


def stacks(path):
    """How many distinct lines; inferno writes a blank of a comm as an underscore."""
    seen = set()
    with open(path, "rb") as f:
        for line in f:
            seen.add(hash(line.rsplit(b" ", 1)[0].replace(b" ", b"_")))
    return seen


def row(what, size, ours, peers, to_reach, rounds, folder):
    mine, other = [], []
    for _ in range(rounds):
        mine.append(run(ours, f"{folder}/ours"))
        other.append(run(peers, f"{folder}/peer"))
    t, u = statistics.median(m[0] for m in mine), statistics.median(m[0] for m in other)
    a, b = max(m[1] for m in mine), max(m[1] for m in other)
    print(f"| {what} | {t:.2f} s, {size / t / 1e6:.0f} MB/s, {a:.0f} MB | {u:.2f} s, {size / u / 1e6:.0f} MB/s, "
          f"{b:.0f} MB | {t / u:.2f} x | {to_reach} | {a / b:.2f} x |", flush=True)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("tool")
    ap.add_argument("peers")
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--scale", type=float, default=1.0, help="of the inputs, for a quick look")
    o = ap.parse_args()
    collapse, flame = f"{o.peers}/inferno-collapse-perf", f"{o.peers}/inferno-flamegraph"
    print("| input | leat | inferno, 2 threads | time | to reach | memory |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="leat-bench-") as folder:
        text = f"{folder}/text"
        for what, size, cnt in INPUTS:
            with open(text, "wb") as f:
                subprocess.run([sys.executable, f"{HERE}/gen_perf_script.py", str(int(size * o.scale)),
                                str(int(cnt * o.scale))], stdout=f, check=True)
            row(what, os.path.getsize(text), [o.tool, "folded", text], [collapse, "-n", "2", "--kernel", text],
                "0.5 x", o.rounds, folder)
            if stacks(f"{folder}/ours") != stacks(f"{folder}/peer"):
                sys.exit("bench_import: the stacks differ")
        os.rename(f"{folder}/peer", text)
        size = os.path.getsize(text)
        row(f"folded, {size / 1e6:.0f} MB, to SVG", size, [o.tool, "svg", text], [flame, text], "0.4 x", o.rounds,
            folder)


main()
