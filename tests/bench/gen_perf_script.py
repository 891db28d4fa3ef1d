#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""gen_perf_script.py BYTES [STACKS] [SEED]: text as "perf script" prints it, to standard output.

A call graph of some thousand functions in a dozen modules is walked at random; each function has a
few call sites, so addresses repeat as they do in a real program. STACKS: how many distinct stacks
there are (0: 4,000, as in a server under a steady load); a sample is about 2,150 bytes, so that
200,000 of them fit into 440 MB. Who runs, where and when differs from sample to sample: no sample is
a copy of another.
"""
import random
import sys

WORDS = ["request", "storage", "cache", "index", "query", "buffer", "session", "codec", "stream",
         "planner", "executor", "table", "cursor", "router", "metrics", "lock", "alloc", "page"]
MODULES = ["/usr/sbin/server", "/usr/lib/x86_64-linux-gnu/libc.so.6",
           "/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30", "/usr/lib/x86_64-linux-gnu/libssl.so.3",
           "/usr/lib/x86_64-linux-gnu/libz.so.1.2.13", "/opt/service/lib/libengine.so.12"]
COMMS = ["server", "worker-1", "worker-2", "V8 WorkerThread", "kworker/0:1-events", "postgres"]


def functions(rnd):
    out = []
    for i in range(6000):
        a, b, c = (rnd.choice(WORDS) for _ in range(3))
        kernel = i % 6 == 0
        module = "[kernel.kallsyms]" if kernel else rnd.choice(MODULES)
        name = (f"__{a}_{b}_{i}" if kernel else f"{a}_{b}_{c}_{i}" if i % 3 else
                f"service::{a}::{b}_{c}<{a}_traits>::handle_{i}")
        base = (0xffffffff81000000 if kernel else 0x7f0000000000) + i * 0x1000
        sites = [rnd.randrange(4, 0xf00) for _ in range(4)]
        out.append((kernel, [f"\t{base + s:16x} {name}+0x{s:x} ({module})\n" for s in sites]))
    return out


def stacks(rnd, cnt):
    fns = functions(rnd)
    user = [f for k, f in fns if not k]
    kernel = [f for k, f in fns if k]
    for _ in range(cnt):
        depth = rnd.randrange(10, 32)
        # The outer half of a program varies less than the inner one.
        path = [user[rnd.randrange(6 + 12 * d) % len(user)] for d in range(depth)]
        if rnd.random() < 0.4:
            path += [kernel[rnd.randrange(4 + 8 * d)] for d in range(rnd.randrange(3, 14))]
        yield "".join(rnd.choice(f) for f in reversed(path)) + "\n"


def main():
    size = int(sys.argv[1])
    cnt = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    rnd = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    every = list(stacks(rnd, cnt or 4000))
    put, at, i, ts = sys.stdout.write, 0, 0, 4794564.0
    while at < size:
        text = every[i % len(every)] if i < len(every) else rnd.choice(every)
        who = rnd.randrange(len(COMMS))
        ts += rnd.random() / 1000
        head = f"{COMMS[who]} {24000 + who}/{24100 + rnd.randrange(8)} [{i % 64:03d}] {ts:.6f}: {rnd.randrange(1, 999999):10d} cycles:P: \n"
        at += len(head) + len(text)
        put(head + text)
        i += 1


main()
