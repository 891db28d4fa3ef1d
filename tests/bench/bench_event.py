#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench_event.py PEER OURS... [--rounds N]: runs the programs in turns and prints one table.

Each prints "case<TAB>median ns<TAB>least ns<TAB>checksum" a line. Of all turns the least time of a
case counts: what else runs on the machine only ever adds to it. A case that both have must have read
the same: its checksums are equal, or this fails.
"""
import argparse
import subprocess
import sys

TURNS = 3


def run(program, rounds):
    text = subprocess.run([program, str(rounds)], check=True, capture_output=True, text=True).stdout
    rows = (line.split("\t") for line in text.splitlines())
    return {name: (float(least), checksum) for name, _, least, checksum in rows}


def merge(into, new):
    for name, (least, checksum) in new.items():
        old = into.get(name, (least, checksum))
        if old[1] != checksum:
            sys.exit(f"bench_event.py: {name}: turns differ")
        into[name] = (min(old[0], least), checksum)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("peer")
    args.add_argument("ours", nargs="+")
    args.add_argument("--rounds", type=int, default=9)
    opts = args.parse_args()
    ours, peer = {}, {}
    for _ in range(TURNS):
        for program in opts.ours:
            merge(ours, run(program, opts.rounds * 2 + 1))
        merge(peer, run(opts.peer, opts.rounds * 2 + 1))
    print("| case | leat, ns | one_collect, ns | ratio |")
    print("|---|---|---|---|")
    for name, (least, checksum) in ours.items():
        if name not in peer:
            print(f"| {name} | {least:.1f} | - | - |")
            continue
        if peer[name][1] != checksum:
            sys.exit(f"bench_event.py: {name}: leat and the peer read different things")
        print(f"| {name} | {least:.1f} | {peer[name][0]:.1f} | {least / peer[name][0]:.2f} |")


main()
