#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a recording costs, beside its peers: base, peer and leat interleaved in each round, the
median of the rounds and their spread, as a table in Markdown.

bench_record.py LEAT WORKLOADS [--rounds N] [--seconds S] [--only NAME,...]
"""
import argparse
import json
import os
import re
import resource
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HZ = 999
COUNTER_STEP = 8


class Workload:
    """Two busy threads at the bottom of a stack of known depth, and how much they get done."""

    def __init__(self, workloads, tmp, depth=30, frame=256, mode="user", threads=2):
        self.file = os.path.join(tmp, "counter")
        self.threads = threads
        self.proc = subprocess.Popen([os.path.join(workloads, "bench_spin"), str(threads), str(depth),
                                      str(frame), mode, self.file, "100000"])
        time.sleep(0.3)
        self.pid = self.proc.pid

    def done(self):
        with open(self.file, "rb") as f:
            data = f.read(self.threads * COUNTER_STEP * 8)
        return sum(struct.unpack_from("Q", data, i * COUNTER_STEP * 8)[0] for i in range(self.threads))

    def close(self):
        self.proc.kill()
        self.proc.wait()


def high_water(pid):
    """Peak resident MiB so far. (ru_maxrss also counts what this interpreter had when it forked.)"""
    try:
        with open(f"/proc/{pid}/status") as f:
            return next((int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM:")), 0)
    except (FileNotFoundError, ProcessLookupError):
        return 0


def run(argv, **kw):
    """Runs a command to its end; CPU seconds of it and its children, wall seconds, peak RSS in MiB."""
    kw.setdefault("stdout", subprocess.DEVNULL)
    kw.setdefault("stderr", subprocess.DEVNULL)
    t = time.monotonic()
    p = subprocess.Popen(argv, **kw)
    peak, done = 0, 0
    while not done:
        peak = max(peak, high_water(p.pid))
        time.sleep(0.005)
        done, status, ru = os.wait4(p.pid, os.WNOHANG)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: exit {p.returncode}")
    return ru.ru_utime + ru.ru_stime, time.monotonic() - t, peak


def bpf_ns():
    """Run time of leat's BPF programs so far, ns (statistics must be on)."""
    out = subprocess.run(["bpftool", "prog", "show", "-j"], capture_output=True, text=True, check=True)
    return sum(p.get("run_time_ns", 0) for p in json.loads(out.stdout or "[]")
               if p.get("name", "").startswith("leat_"))


class BpfStats:
    """kernel.bpf_stats_enabled while it lives, restored afterwards."""
    path = "/proc/sys/kernel/bpf_stats_enabled"

    def __enter__(self):
        with open(self.path) as f:
            self.old = f.read()
        with open(self.path, "w") as f:
            f.write("1")

    def __exit__(self, *exc):
        with open(self.path, "w") as f:
            f.write(self.old)


def spread(values):
    return f"{statistics.median(values):.3g} ({min(values):.3g}-{max(values):.3g})"


def decide(ratios, bound):
    if max(ratios) <= bound:
        return "reached"
    if min(ratios) > bound:
        return "missed"
    m = statistics.median(ratios)
    return f"not decided (median {'within' if m <= bound else 'over'})"


class Table:
    def __init__(self):
        print("| what | leat | peer | ratio, median (spread) | bound | |")
        print("|---|---|---|---|---|---|")

    def row(self, what, leat, peer_name, peer, bound):
        ratios = [a / b for a, b in zip(leat, peer)]
        print(f"| {what} | {spread(leat)} | {peer_name}: {spread(peer)} | {spread(ratios)} | {bound} | "
              f"{decide(ratios, bound)} |", flush=True)

    def absolute(self, what, leat, bound, unit):
        verdict = "reached" if max(leat) <= bound else "missed" if min(leat) > bound else "not decided"
        print(f"| {what} | {spread(leat)} {unit} | - | - | {bound} {unit} | {verdict} |", flush=True)


def leat_argv(a, w, out, seconds):
    return [a.leat, "record", "-q", "-p", str(w.pid), "-F", str(HZ), "-d", str(seconds), "-o", out]


def perf_record(w, out, seconds):
    return ["perf", "record", "-q", "-g", "-F", str(HZ), "-e", "cpu-clock", "-p", str(w.pid), "-o", out, "--",
            "sleep", str(seconds)]


def fold(tmp):
    """perf script, folded by a plain awk: the least that a user runs after perf record."""
    awk = ("/^[^ \\t#]/ {comm = $1; stack = \"\"} /^\\t/ {f = $2; sub(/\\+0x.*/, \"\", f); stack = f \";\" stack} "
           "/^$/ {if (stack != \"\") n[comm \";\" stack]++; stack = \"\"} END {for (s in n) print s, n[s]}")
    return ["sh", "-c", f"perf script -i {tmp}/perf.data 2>/dev/null | awk '{awk}' >{tmp}/perf.folded"]


def children_cpu(argv):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(argv)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def leat_cpu(a, w, tmp):
    """CPU of one leat run, its BPF run time included: that up to 0.3 s before the end, scaled."""
    before = bpf_ns()
    p = subprocess.Popen(leat_argv(a, w, f"{tmp}/leat.html", a.seconds), stdout=subprocess.DEVNULL)
    time.sleep(a.seconds - 0.3)
    used = (bpf_ns() - before) * a.seconds / max(a.seconds - 0.4, 0.1) / 1e9
    _, status, ru = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode != 0:
        raise RuntimeError(f"leat: exit {p.returncode}")
    return ru.ru_utime + ru.ru_stime + used


def bench_collector(a, tmp, table):
    """CPU of the whole collection, symbolization and output included; and recording alone."""
    w = Workload(a.workloads, tmp)
    leat, perf, perf_alone, samply_cpu = [], [], [], []
    samply = a.samply
    try:
        with BpfStats():
            for _ in range(a.rounds):
                alone = children_cpu(perf_record(w, f"{tmp}/perf.data", a.seconds))
                perf_alone.append(alone)
                perf.append(alone + children_cpu(fold(tmp)))
                leat.append(leat_cpu(a, w, tmp))
                if samply:
                    samply_cpu.append(children_cpu(
                        [samply, "record", "--save-only", "-o", f"{tmp}/samply.json.gz", "--rate", str(HZ),
                         "-p", str(w.pid), "-d", str(a.seconds)]))
    finally:
        w.close()
    what = f"CPU s of the collector, {a.seconds} s at {HZ} Hz, 2 busy CPUs"
    table.row(what + ", all included", leat, "perf record -g + script + folding", perf, 0.25)
    table.row(what + "; perf recording alone", leat, "perf record -g", perf_alone, 0.5)
    if samply_cpu:
        table.row(what + "; samply recording alone", leat, "samply record", samply_cpu, 0.5)


def rate(w, seconds):
    t, n = time.monotonic(), w.done()
    time.sleep(seconds)
    return (w.done() - n) / (time.monotonic() - t)


def slowed(w, argv, base, seconds):
    """By how much the target is slower while @argv runs, percent."""
    p = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.7)
    r = rate(w, seconds)
    p.wait()
    return 100 * (1 - r / base)


def slow_decided(leat, peer):
    if max(leat) <= min(peer):
        return "reached"
    return "missed" if min(leat) > max(peer) else "not decided"


def bench_slowdown(a, tmp, table):
    w = Workload(a.workloads, tmp)
    leat, perf, samply = [], [], []
    s = max(2, a.seconds // 3)
    try:
        for _ in range(a.rounds):
            base = rate(w, s)
            perf.append(slowed(w, perf_record(w, f"{tmp}/perf.data", s + 1.2), base, s))
            base = (base + rate(w, s)) / 2
            leat.append(slowed(w, leat_argv(a, w, f"{tmp}/leat.html", s + 1.2), base, s))
            if a.samply:
                base = rate(w, s)
                samply.append(slowed(w, [a.samply, "record", "--save-only", "-o", f"{tmp}/s.json.gz", "--rate",
                                         str(HZ), "-p", str(w.pid), "-d", str(s + 1)], base, s))
    finally:
        w.close()
    for name, peer in (("perf record -g", perf), ("samply record", samply)):
        if peer:
            print(f"| slow-down of the target, % | {spread(leat)} | {name}: {spread(peer)} | "
                  f"- | 1.0 | {slow_decided(leat, peer)} |", flush=True)


def bench_rss(a, tmp, table):
    w = Workload(a.workloads, tmp)
    leat, perf, trace = [], [], []
    prog = f"profile:hz:{HZ} /pid == {w.pid}/ {{ @[ustack] = count(); }} interval:s:3 {{ exit(); }}"
    try:
        for _ in range(a.rounds):
            leat.append(run(leat_argv(a, w, f"{tmp}/leat.html", 3))[2])
            perf.append(run(perf_record(w, f"{tmp}/perf.data", 3))[2])
            trace.append(run(["bpftrace", "-e", prog])[2])
    finally:
        w.close()
    table.absolute("peak resident memory, one process on 2 CPUs", leat, 20, "MiB")
    table.row("peak resident memory, MiB", leat, "perf record -g", perf, 1.0)
    table.row("peak resident memory, MiB", leat, "bpftrace", trace, 1.0)


def first_sample_leat(a, w, tmp):
    """Seconds from the start of the program to its first streamed sample (CLOCK_MONOTONIC)."""
    out = f"{tmp}/first.txt"
    t = time.clock_gettime(time.CLOCK_MONOTONIC)
    run([a.leat, "record", "-q", "-p", str(w.pid), "-F", str(HZ), "-d", "300ms", "--stream", "-f", "script",
         "-o", out])
    times = []
    with open(out) as f:
        for line in f:
            m = re.match(r"^\S.*?\s(\d+\.\d+):", line)
            if m:
                times.append(float(m.group(1)))
    return (min(times) - t) * 1000


def first_sample_bpftrace(w):
    t = time.clock_gettime(time.CLOCK_MONOTONIC)
    prog = f"profile:hz:{HZ} /pid == {w.pid}/ {{ printf(\"%llu\\n\", nsecs); exit(); }}"
    out = subprocess.run(["bpftrace", "-e", prog], capture_output=True, text=True, check=True).stdout
    ns = [int(x) for x in re.findall(r"^(\d{6,})$", out, re.M)]
    return (min(ns) / 1e9 - t) * 1000


def bench_start(a, tmp, table):
    w = Workload(a.workloads, tmp)
    leat, trace = [], []
    try:
        for _ in range(a.rounds):
            trace.append(first_sample_bpftrace(w))
            leat.append(first_sample_leat(a, w, tmp))
    finally:
        w.close()
    table.absolute("start to first sample", leat, 100, "ms")
    table.row("start to first sample, ms", leat, "bpftrace", trace, 1.0)


def bench_finish(a, tmp, table):
    """Stop to HTML written: from SIGINT to the end of the program, 20,000 samples of a server."""
    server = Redis(tmp)
    leat, perf = [], []
    try:
        for _ in range(a.rounds):
            p = subprocess.Popen([a.leat, "record", "-q", "-n", "redis-server", "-F", "4999", "-o",
                                  f"{tmp}/redis.html"], stdout=subprocess.DEVNULL)
            time.sleep(4.6)
            t = time.monotonic()
            p.send_signal(signal.SIGINT)
            if p.wait() != 0:
                raise RuntimeError("leat failed")
            leat.append((time.monotonic() - t) * 1000)
            run(["perf", "record", "-q", "-g", "-F", "4999", "-e", "cpu-clock", "-p", str(server.pid), "-o",
                 f"{tmp}/perf.data", "--", "sleep", "4.4"])
            perf.append(run(["sh", "-c", f"perf script -i {tmp}/perf.data >/dev/null 2>&1"])[1] * 1000)
    finally:
        server.close()
    table.absolute("stop to HTML written, about 20,000 samples of redis", leat, 200, "ms")
    table.row("stop to HTML written, ms", leat, "perf script", perf, 0.5)


class Redis:
    def __init__(self, tmp):
        port = 20000 + os.getpid() % 20000
        self.proc = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                                      "--dir", tmp], stdout=subprocess.DEVNULL)
        self.pid = self.proc.pid
        time.sleep(0.7)
        self.load = subprocess.Popen(["redis-benchmark", "-p", str(port), "-t", "set,lpush,lrange_100", "-n",
                                      "1000000000", "-q", "-P", "8"], stdout=subprocess.DEVNULL)
        time.sleep(0.5)

    def close(self):
        for p in (self.load, self.proc):
            p.kill()
            p.wait()


def bench_storm(a, tmp, table):
    """As many short processes as the machine makes, for 10 s, -a."""
    stop = time.monotonic() + a.seconds + 2
    storm = subprocess.Popen([os.path.join(a.workloads, "wl_forks"), str(a.seconds + 2)],
                             stdout=subprocess.PIPE, text=True)
    time.sleep(0.5)
    summary = f"{tmp}/storm.json"
    _, _, rss = run([a.leat, "record", "-q", "-a", "-F", str(HZ), "-d", str(a.seconds), "-o",
                     f"{tmp}/storm.folded", "--summary", summary])
    made = storm.communicate(timeout=max(5, stop - time.monotonic() + 10))[0].strip()
    with open(summary) as f:
        v = json.load(f)
    print(f"| short processes, {made}; -a at {HZ} Hz for {a.seconds} s | taken {v['taken']}, "
          f"lost {v.get('lost', '?')}, RSS {rss:.1f} MiB | - | - | seen == delivered + lost | |", flush=True)


BENCHES = {"collector": bench_collector, "slowdown": bench_slowdown, "rss": bench_rss, "start": bench_start,
           "finish": bench_finish, "storm": bench_storm}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("leat")
    ap.add_argument("workloads")
    ap.add_argument("--rounds", type=int, default=9)
    ap.add_argument("--seconds", type=int, default=10)
    ap.add_argument("--only", default=",".join(BENCHES))
    ap.add_argument("--samply", default=shutil.which("samply"))
    a = ap.parse_args()
    if os.geteuid() != 0:
        sys.exit("bench_record.py: needs root")
    table = Table()
    for name in a.only.split(","):
        with tempfile.TemporaryDirectory() as tmp:
            BENCHES[name](a, tmp, table)


if __name__ == "__main__":
    main()
