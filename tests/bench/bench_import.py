#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench_import.py LEAT PEERS [--rounds N]: text of perf script to folded stacks, and folded stacks to a
picture, beside inferno; PEERS is the directory of the peer's programs. Wall time and peak memory of each
process. The two take turns, ratios are taken within a round, and the table has their median and spread.
The inputs are made in a temporary directory and deleted; that both found the same stacks is checked."""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
INPUTS = [("perf script text, 1 GB, steady", 1000000000, 0, 4000),
          ("perf script text, 440 MB, 200,000 stacks", 440000000, 200000, 200000)]


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
    """The distinct lines, by their hash; inferno writes a blank of a comm as an underscore."""
    with open(path, "rb") as f:
        return {hash(line.rsplit(b" ", 1)[0].replace(b" ", b"_")) for line in f}


def spread(values, digits):
    return (f"{statistics.median(values):.{digits}f} "
            f"({min(values):.{digits}f}-{max(values):.{digits}f})")


def verdict(ratios, bound):
    if max(ratios) <= bound:
        return "reached"
    return "missed" if min(ratios) > bound else "not decided"


def row(what, mine, other, digits, bound):
    ratios = [a / b for a, b in zip(mine, other)]
    print(f"| {what} | {spread(mine, digits)} | {spread(other, digits)} | {spread(ratios, 2)} | {bound} | "
          f"{verdict(ratios, bound)} |", flush=True)


def rows(what, size, ours, peers, bound, rounds, folder):
    mine, other = [], []
    for _ in range(rounds):
        mine.append(run(ours, f"{folder}/ours"))
        other.append(run(peers, f"{folder}/peer"))
    row(f"{what}, s", [m[0] for m in mine], [m[0] for m in other], 2, bound)
    row("the same, peak memory, MB", [m[1] for m in mine], [m[1] for m in other], 0, 1.0)
    best, peer = (size / min(m[0] for m in side) / 1e6 for side in (mine, other))
    return f"{what}: at best {best:.0f} MB/s, inferno {peer:.0f} MB/s"


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("leat")
    ap.add_argument("peers")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--scale", type=float, default=1.0, help="of the inputs, for a quick look")
    o = ap.parse_args()
    collapse, flame = f"{o.peers}/inferno-collapse-perf", f"{o.peers}/inferno-flamegraph"
    speeds = []
    print("| what | leat convert | inferno, 2 threads | ratio, median (spread) | bound | |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="leat-bench-") as folder:
        text = f"{folder}/text"
        for what, size, cnt, expected in INPUTS:
            with open(text, "wb") as f:
                subprocess.run([sys.executable, f"{HERE}/gen_perf_script.py", str(int(size * o.scale)),
                                str(int(cnt * o.scale))], stdout=f, check=True)
            speeds.append(rows(what, os.path.getsize(text), [o.leat, "convert", "-q", text, "-f", "folded", "-o", "-"],
                               [collapse, "-n", "2", "--kernel", text], 0.5, o.rounds, folder))
            ours = stacks(f"{folder}/ours")
            if ours != stacks(f"{folder}/peer"):
                sys.exit("bench_import: the stacks differ")
            if len(ours) < expected * min(o.scale, 1) * 0.9:
                sys.exit(f"bench_import: only {len(ours)} distinct stacks in it")
        os.rename(f"{folder}/peer", text)
        size = os.path.getsize(text)
        speeds.append(rows(f"folded stacks, {size / 1e6:.0f} MB, to SVG", size,
                           [o.leat, "convert", "-q", text, "-f", "svg", "-o", "-"], [flame, text], 0.4, o.rounds, folder))
    print()
    for line in speeds:
        print(f"- {line}")


main()
