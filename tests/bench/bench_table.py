#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What walks by unwind tables cost, beside their peers, as tables in Markdown: run time of the BPF
programs by sample, start, host, memory, and CPU beside perf's copies of stacks.

bench_table.py LEAT OUT PEERS [--rounds N] [--only NAME,...]

LEAT is the program, OUT its build directory, PEERS where profile-bee is (rows against it are left out
where it could not be built).
"""
import argparse
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import bench_record as record
from table_loads import Clang, Gcc, Nginx, Nofp, Postgres, Python

HZ = 999
START = 2.0  # s in which a tool starts and reads the target's tables


class Tool:
    """A profiler that runs until it is told to stop."""

    def __init__(self, argv, cwd=None):
        self.argv = argv
        self.proc = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=cwd)
        self.pid = self.proc.pid

    def stop(self):
        if self.proc.poll() is not None:
            raise RuntimeError(f"{' '.join(self.argv)}: ended by itself")
        self.proc.send_signal(signal.SIGINT)
        self.proc.wait(timeout=60)


def leat(a, *argv):
    return [a.leat, "record", "-e", "cpu-clock", "--unwind", "table", *map(str, argv)]


def bee(a, target, out):
    """profile-bee needs a tracefs: it has one of its own, which goes with it."""
    own = [] if os.path.exists("/sys/kernel/tracing/events") else \
        ["unshare", "--mount", "sh", "-c", 'mount -t tracefs tracefs /sys/kernel/tracing && exec "$@"', "sh"]
    return own + [a.bee, "--dwarf", "-f", "1", "-t", "0", "-p", str(target), "-o", out]


def tool(a, *argv):
    out = subprocess.run([f"{a.out}/tests/bench/bench_table", *map(str, argv)], stdout=subprocess.PIPE, text=True,
                         check=True)
    return out.stdout


def held(a, pid):
    """The BPF programs of a process: verified instructions, run time in ns (while statistics are on)."""
    lines = [line.split() for line in tool(a, "programs", pid).splitlines()]
    return list({line[0]: (int(line[2]), int(line[3])) for line in lines}.values())


def bpf_s(a, pid):
    return sum(p[1] for p in held(a, pid)) / 1e9


def depth_of(folded):
    """Frames of the mean stack in a folded file: user frames and kernel frames."""
    frames = samples = 0
    with open(folded) as f:
        for line in f:
            stack, n = line.rsplit(" ", 1)
            frames += (stack.count(";") + 1) * int(n)
            samples += int(n)
    return frames / max(samples, 1)


class Turns:
    """
    Run time by sample of leat's and its peers' programs on one load, in turns within each round. All
    run at 1 Hz meanwhile, which is next to nothing: the samples are those of events of the
    benchmark's own on the target's thread. What comes before the tables are there is not measured.
    """

    def __init__(self, a, tmp, hz, ms, target, framed=None):
        self.by = {}
        self.bee_depth = None
        tools, sides = [], []
        try:
            tools.append(Tool(leat(a, "-F", 1, "-p", target, "-o", f"{tmp}/leat.folded")))
            sides.append(f"leat={tools[0].pid}:{target}")
            if a.bee:
                tools.append(Tool(bee(a, target, f"{tmp}/bee.folded"), tmp))
                sides.append(f"bee={tools[1].pid}:{target}")
            if framed:
                sides.append(f"stackid=0:{framed}")
            time.sleep(START)
            for line in tool(a, "turns", hz, ms, a.rounds, *sides).splitlines():
                who, *numbers = line.split()
                self.by.setdefault(who, []).append([float(n) for n in numbers])
        finally:
            for t in tools:
                t.stop()
        if a.bee:
            self.bee_depth = depth_of(f"{tmp}/bee.folded")

    def us(self, who):
        return [turn[0] for turn in self.by[who]]

    def ratios(self, peer):
        return [x / y for x, y in zip(self.us("leat"), self.us(peer))]

    def leat_mean(self, column):
        """frames 2, misses 3, raw 4, reads 5: of a sample."""
        turns = self.by["leat"]
        return sum(t[column] for t in turns) / sum(t[1] for t in turns)

    def hits(self):
        frames = self.leat_mean(2)
        return 100 * (1 - self.leat_mean(3) / frames) if frames else 0

    def cells(self, peer, bound):
        if peer not in self.by:
            return f"- | - | {bound} | not measured"
        r = self.ratios(peer)
        return f"{record.spread(self.us(peer))} | {record.spread(r)} | {bound} | {record.decide(r, bound)}"


def bench_sample(a, tmp):
    print("| frames | leat, us | reads of the stack | profile-bee --dwarf, us | ratio | bound | "
          "| stackid + count, us | ratio | bound | |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for depth in (10, 30, 60, 120):
        with Nofp(a, depth) as target, Nofp(a, depth, framed=True) as framed:
            t = Turns(a, tmp, 4999, 300, target.tid, framed.tid)
        print(f"| {t.leat_mean(2):.0f} | {record.spread(t.us('leat'))} | {t.leat_mean(5):.2f} | "
              f"{t.cells('bee', 0.25)} | {t.cells('stackid', 0.6)} |", flush=True)


def bench_loads(a, tmp):
    print("| load | frames, leat / peer | rules remembered, % | reads of the stack | with a copy, % | leat, us | "
          "profile-bee --dwarf, us | ratio | bound | |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for load in (Postgres, Nginx, Python, Clang):
        if not load.is_here():
            print(f"| {load.name} | not installed |")
            continue
        with load(a, tmp) as target:
            t = Turns(a, tmp, HZ, 1000, target.tid)
        peer_depth = "-" if t.bee_depth is None else f"{t.bee_depth:.1f}"
        print(f"| {load.name} | {t.leat_mean(2):.1f} / {peer_depth} | {t.hits():.1f} | {t.leat_mean(5):.2f} | "
              f"{100 * t.leat_mean(4):.1f} | {record.spread(t.us('leat'))} | {t.cells('bee', 0.35)} |", flush=True)


# ---- start ----

def phases(a, target, tmp):
    """ms from the start of a recording to its phases."""
    err = subprocess.run(leat(a, "-vv", "-F", HZ, "-p", target, "-d", "300ms", "-f", "folded", "-o", f"{tmp}/phases"),
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True).stderr
    return {m.group(2): float(m.group(1)) for m in re.finditer(r"([0-9.]+) ms: (.+)", err)}


def first_sample(a, target, tmp):
    out = f"{tmp}/first.txt"
    t = time.clock_gettime(time.CLOCK_MONOTONIC)
    record.run(leat(a, "-F", HZ, "-p", target, "-d", "300ms", "--stream", "-f", "script", "-o", out))
    with open(out) as f:
        times = [float(m.group(1)) for line in f if (m := re.match(r"^\S.*?\s(\d+\.\d+):", line))]
    return (min(times) - t) * 1000


def bench_start(a, tmp, table):
    load, first = [], []
    with Nofp(a, 30) as target:
        for _ in range(a.rounds):
            p = phases(a, target.tid, tmp)
            load.append(p["BPF programs loaded"] - p["target found"])
            first.append(first_sample(a, target.tid, tmp))
        t = Tool(leat(a, "-F", HZ, "-p", target.tid, "-o", f"{tmp}/programs.folded"))
        time.sleep(1)
        programs = held(a, t.pid)
        t.stop()
    insns = sum(p[0] for p in programs)
    print(f"| instructions that the verifier walks, {len(programs)} programs | {insns} | - | - | 45000 | "
          f"{'reached' if insns <= 45000 else 'missed'} |", flush=True)
    table.absolute("load of the BPF programs", load, 60, "ms")
    table.absolute("start to first sample, by tables", first, 100, "ms")


def bench_attach(a, tmp, table):
    """From the start of the program until the kernel side walks a stack by itself."""
    for load in (Gcc, Clang):
        if not load.is_here():
            continue
        with load(a, tmp) as target:
            ms = [float(tool(a, "first", *leat(a, "-q", "-F", HZ, "-p", target.tid, "-d", "1500ms", "-o",
                                               f"{tmp}/attach.folded"))) for _ in range(a.rounds)]
        table.absolute(f"attach to {load.name} ({load.mapped}), to first complete stack", ms, 300, "ms")


# ---- memory ----

def bench_memory(a, tmp, table):
    del tmp
    libs = "/usr/lib/x86_64-linux-gnu/"
    process = [libs + f for f in ("libc.so.6", "libstdc++.so.6", "libcrypto.so.3")] + [a.binary]
    big = libs + "libLLVM-14.so.1"
    files = [f for f in [big] + process if f and os.path.exists(f)]
    ms, rows_of, kernel = [], {}, {}
    for line in tool(a, "load", 5 * a.rounds, *files).splitlines():
        path, rows, took, size = line.split()
        kernel[path] = int(size)
        rows_of[path] = int(rows)
        if path == big:
            ms.append(float(took) * 1e6 / int(rows))
    if ms:
        table.absolute("load 1,000,000 rows into the kernel (libLLVM's, scaled)", ms, 10, "ms")
    worst = max(files, key=lambda f: kernel[f] / rows_of[f])
    table.absolute(f"kernel memory of a row, {len(files)} files together ({kernel[worst] / rows_of[worst]:.2f} in "
                   f"{os.path.basename(worst)}: whole pages)", [sum(kernel.values()) / sum(rows_of.values())], 4.2, "bytes")
    if all(f in kernel for f in process):
        table.absolute(f"kernel memory, tables of libc, libstdc++, libcrypto and {os.path.basename(a.binary)} "
                       f"({os.path.getsize(a.binary) >> 20} MiB)", [sum(kernel[f] for f in process) / 2 ** 20], 4,
                       "MiB")


# ---- CPU ----

def cpu_of(a, argv):
    """CPU s of a recorder, its BPF programs included, from its start to its end."""
    p = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(a.seconds)
    in_kernel = bpf_s(a, p.pid)
    p.send_signal(signal.SIGINT)
    _, status, ru = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode not in (0, -signal.SIGINT):
        raise RuntimeError(f"{' '.join(argv)}: exit {p.returncode}")
    return ru.ru_utime + ru.ru_stime + in_kernel


def bench_copies(a, tmp, table):
    mine, peer = [], []
    with Postgres(a, tmp, clients=4, select=False) as target, record.Sysctl("kernel/bpf_stats_enabled", "1"):
        for _ in range(a.rounds):
            perf = ["perf", "record", "-q", "--call-graph", "dwarf", "-F", "99", "-e", "cpu-clock", "-p",
                    ",".join(map(str, target.all())), "-o", f"{tmp}/perf.data"]
            peer.append(cpu_of(a, perf) +
                        record.children_cpu(["sh", "-c", f"perf script -i {tmp}/perf.data >/dev/null 2>&1"]))
            mine.append(cpu_of(a, leat(a, "-F", 99, "-p", ",".join(map(str, target.all())), "-o",
                                       f"{tmp}/copies.html")))
    table.row(f"CPU s of collector and kernel, 99 Hz, {a.seconds} s, postgres under pgbench", mine,
              "perf record --call-graph dwarf + perf script", peer, 0.05)


def bench_host(a, tmp, table):
    """
    pgbench's own rate, by turns: alone, beside leat, alone, beside perf. A tool's turn is measured
    against the turns before and after it.
    """
    cpu, kernel, lost, nothing = [], [], {"leat": [], "perf record -g": []}, 0
    with Postgres(a, tmp, clients=4, select=False) as target, record.Sysctl("kernel/bpf_stats_enabled", "1"):
        base = target.rate()
        for _ in range(a.rounds + 2):
            t = Tool(leat(a, "-a", "-F", HZ, "-o", f"{tmp}/host.folded", "--summary", f"{tmp}/host.json"))
            time.sleep(record.SETTLE)
            begin, in_kernel, used = time.monotonic(), bpf_s(a, t.pid), record.process_cpu(t.pid)
            beside = target.rate()
            took, used = time.monotonic() - begin, record.process_cpu(t.pid) - used
            in_kernel = (bpf_s(a, t.pid) - in_kernel) / took
            t.stop()
            after = target.rate()
            lost["leat"].append(100 * (1 - 2 * beside / (base + after)))
            kernel.append(100 * in_kernel)
            cpu.append(100 * (used / took + in_kernel))
            nothing += without_stack(f"{tmp}/host.folded")
            base = after
            t = Tool(["perf", "record", "-q", "-g", "-a", "-F", str(HZ), "-e", "cpu-clock", "-o", f"{tmp}/perf.data"])
            time.sleep(record.SETTLE)
            beside = target.rate()
            t.stop()
            after = target.rate()
            lost["perf record -g"].append(100 * (1 - 2 * beside / (base + after)))
            base = after
    table.absolute(f"whole system, {HZ} Hz, pgbench with 4 clients: CPU of leat, % of one", cpu, 2, "%")
    table.absolute("of that in its BPF programs", kernel, 2, "%")
    record.print_lost("throughput of pgbench that is lost", lost["leat"], "perf record -g", lost["perf record -g"])
    print(f"| samples without a stack | {nothing} | - | - | 0 | {'reached' if not nothing else 'missed'} |", flush=True)


def without_stack(folded):
    """Samples of a process that have no frame."""
    with open(folded) as f:
        return sum(int(line.rsplit(" ", 1)[1]) for line in f if ";" not in line)


BENCHES = {"sample": bench_sample, "loads": bench_loads, "start": bench_start, "attach": bench_attach,
           "memory": bench_memory, "copies": bench_copies, "host": bench_host}
TABLES = ("sample", "loads")  # print their own


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("leat")
    ap.add_argument("out")
    ap.add_argument("peers")
    ap.add_argument("--rounds", type=int, default=9)
    ap.add_argument("--seconds", type=int, default=10)
    ap.add_argument("--only", default=",".join(BENCHES))
    a = ap.parse_args()
    if os.geteuid() != 0:
        sys.exit("bench_table.py: needs root")
    a.bee = shutil.which("probee", path=a.peers)
    # A binary of 40 MiB, or what comes next to it.
    a.binary = shutil.which("node") or subprocess.run(["gcc", "-print-prog-name=cc1"], stdout=subprocess.PIPE, text=True,
                                                      check=True).stdout.strip()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    table = None
    for name in a.only.split(","):
        with tempfile.TemporaryDirectory() as tmp:
            os.chmod(tmp, 0o755)
            if name in TABLES:
                BENCHES[name](a, tmp)
                print(flush=True)
                continue
            table = table or record.Table()
            BENCHES[name](a, tmp, table)


if __name__ == "__main__":
    main()
