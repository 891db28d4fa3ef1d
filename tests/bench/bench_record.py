#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a recording costs, beside its peers: base, peer and leat interleaved in each round, the
median of the rounds and their spread, as a table in Markdown.

bench_record.py LEAT WORKLOADS [--rounds N] [--seconds S] [--only NAME,...]
"""
import argparse
import json
import math
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
import threading
import time

HZ = 999
COUNTER_STEP = 8
SETTLE = 0.7  # seconds in which a tool starts
TURN = 2.5    # seconds of a turn of the slow-down


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


class Sysctl:
    """A value while it lives, restored afterwards."""

    def __init__(self, name, value):
        self.path, self.value = "/proc/sys/" + name, value

    def __enter__(self):
        with open(self.path) as f:
            self.old = f.read()
        with open(self.path, "w") as f:
            f.write(self.value)

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
    return [a.leat, "record", "-q", "--unwind", "fp", "-p", str(w.pid), "-F", str(HZ), "-d", str(seconds), "-o", out]


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


def process_cpu(pid):
    """CPU seconds of a process so far, ended threads included (its CPU clock: clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | 2)


def until_stop(argv, seconds):
    """Runs a recorder, stops it by SIGINT. CPU seconds of its process until then, and in all."""
    p = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    alone = process_cpu(p.pid)
    p.send_signal(signal.SIGINT)
    _, status, ru = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    # perf ends by the signal that it was sent.
    if p.returncode not in (0, -signal.SIGINT):
        raise RuntimeError(f"{' '.join(argv)}: exit {p.returncode}")
    return alone, ru.ru_utime + ru.ru_stime


def leat_cpu(a, w, tmp):
    """The same of leat; the run time of its BPF programs is CPU of the collector too."""
    argv = [a.leat, "record", "-q", "--unwind", "fp", "-p", str(w.pid), "-F", str(HZ), "-o", f"{tmp}/leat.html"]
    watch = BpfTime()
    alone, whole = until_stop(argv, a.seconds)
    in_kernel = watch.stop()
    return alone + in_kernel, whole + in_kernel


class BpfTime:
    """Run time of leat's BPF programs until they are gone, s: looked at each 0.2 s."""

    def __init__(self):
        self.most, self.ended = 0, threading.Event()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self):
        while not self.ended.wait(0.2):
            self.most = max(self.most, bpf_ns())

    def stop(self):
        self.ended.set()
        self.thread.join()
        return self.most / 1e9


def perf_record(w, out, seconds=None):
    argv = ["perf", "record", "-q", "-g", "-F", str(HZ), "-e", "cpu-clock", "-p", str(w.pid), "-o", out]
    return argv + ["--", "sleep", str(seconds)] if seconds else argv


def samply_record(a, w, tmp):
    """Until SIGINT: it takes no duration with a process that runs already."""
    return [a.samply, "record", "--save-only", "-o", f"{tmp}/samply.json.gz", "--rate", str(HZ), "-p", str(w.pid)]


def bench_collector(a, tmp, table):
    """CPU of the whole collection, symbolization and output included; and up to the stop, alone."""
    w = Workload(a.workloads, tmp)
    leat, leat_alone, perf, perf_alone, samply = [], [], [], [], []
    try:
        with Sysctl("kernel/bpf_stats_enabled", "1"):
            for _ in range(a.rounds):
                alone, whole = until_stop(perf_record(w, f"{tmp}/perf.data"), a.seconds)
                perf_alone.append(alone)
                perf.append(whole + children_cpu(fold(tmp)))
                alone, whole = leat_cpu(a, w, tmp)
                leat_alone.append(alone)
                leat.append(whole)
                if a.samply:
                    samply.append(until_stop(samply_record(a, w, tmp), a.seconds)[0])
    finally:
        w.close()
    what = f"CPU s of the collector, {a.seconds} s at {HZ} Hz, 2 busy CPUs"
    table.row(what + ", all included", leat, "perf record -g + script + folding", perf, 0.25)
    table.row(what + "; up to the stop", leat_alone, "perf record -g", perf_alone, 0.5)
    if samply:
        table.row(what + "; up to the stop", leat_alone, "samply record", samply, 0.5)


def stolen():
    """CPU seconds that the host took from this machine."""
    with open("/proc/stat") as f:
        return int(f.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


def rate(w, seconds):
    """Work done in a CPU second of the machine's own."""
    t, n, s = time.monotonic(), w.done(), stolen()
    time.sleep(seconds)
    n, t = w.done() - n, time.monotonic() - t
    return n / (t - (stolen() - s) / os.cpu_count())


def rate_beside(w, argv, seconds):
    """The same while @argv runs, which it does from before to after."""
    p = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(SETTLE)
    r = rate(w, seconds)
    if p.poll() is not None:
        raise RuntimeError(f"{' '.join(argv)}: ended by itself")
    p.send_signal(signal.SIGINT)
    p.wait()
    return r


def interval(values):
    """Of the median, at 95 %: the order statistics that a median of coin tosses stays within."""
    v, n = sorted(values), len(values)
    k, tail = 0, 0.5 ** n
    while tail <= 0.025 and k < n // 2:
        k += 1
        tail += math.comb(n, k) * 0.5 ** n
    k = max(k - 1, 0)
    return v[k], v[n - 1 - k]


def bench_slowdown(a, tmp, table):
    """
    Turns without a tool stand between those with one: a tool's turn is measured against the two
    around it, and tools against each other within a round. Differences of some tenths of a percent
    need more rounds than the rest.
    """
    w = Workload(a.workloads, tmp)
    tools = {"leat": leat_argv(a, w, f"{tmp}/leat.html", 60),
             "perf record -g": perf_record(w, f"{tmp}/perf.data")}
    if a.samply:
        tools["samply record"] = samply_record(a, w, tmp)
    lost = {name: [] for name in tools}
    try:
        base = rate(w, TURN)
        for _ in range(a.rounds + 6):
            for name, argv in tools.items():
                beside = rate_beside(w, argv, TURN)
                after = rate(w, TURN)
                lost[name].append(100 * (1 - 2 * beside / (base + after)))
                base = after
    finally:
        w.close()
    for name in tools:
        if name != "leat":
            print_lost("slow-down of the target", lost["leat"], name, lost[name])


def print_lost(what, leat, name, peer):
    """What the target did less beside leat, and beside its peer, by round; %."""
    diff = [a - b for a, b in zip(leat, peer)]
    low, high = interval(diff)
    verdict = "reached" if high <= 0 else "missed" if low > 0 else "not decided"

    def shown(v):
        return "{:.2f} ({:.2f} to {:.2f})".format(statistics.median(v), *interval(v))
    print(f"| {what}, % (median, its 95 % interval, {len(diff)} rounds) | {shown(leat)} | "
          f"{name}: {shown(peer)} | leat less peer: {shown(diff)} | 0 | {verdict} |", flush=True)


def bench_rss(a, tmp, table):
    w = Workload(a.workloads, tmp)
    leat, perf, trace = [], [], []
    prog = f"profile:hz:{HZ} /pid == {w.pid}/ {{ @[ustack] = count(); }} interval:s:2 {{ exit(); }}"
    try:
        for _ in range(a.rounds):
            leat.append(run(leat_argv(a, w, f"{tmp}/leat.html", 2))[2])
            perf.append(run(perf_record(w, f"{tmp}/perf.data", 2))[2])
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
    run([a.leat, "record", "-q", "--unwind", "fp", "-p", str(w.pid), "-F", str(HZ), "-d", "300ms", "--stream", "-f", "script",
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
            p = subprocess.Popen([a.leat, "record", "-q", "--unwind", "fp", "-n", "redis-server", "-F", "4999", "-o",
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
    _, _, rss = run([a.leat, "record", "-q", "--unwind", "fp", "-a", "-F", str(HZ), "-d", str(a.seconds), "-o",
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
    # What was set is set back, whoever ends this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    table = Table()
    for name in a.only.split(","):
        # samply refuses to run above 1, root or not.
        with tempfile.TemporaryDirectory() as tmp, Sysctl("kernel/perf_event_paranoid", "1"):
            BENCHES[name](a, tmp, table)


if __name__ == "__main__":
    main()
