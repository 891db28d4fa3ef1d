#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Names for random addresses of large libraries, cold process, demangled: leat beside blazecli.

bench_names.py BENCH_NAMES BLAZECLI [--rounds N] [FILE...]
"""
import argparse
import glob
import os
import re
import statistics
import subprocess
import sys
import time

ADDRESSES = 2000
BOUND = 0.7


def libraries():
    """libLLVM of Debian, and the compiler's own library where a Rust toolchain is there."""
    found = glob.glob("/usr/lib/x86_64-linux-gnu/libLLVM-14.so.1")
    rust = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, check=False)
    if rust.returncode == 0:
        found += glob.glob(os.path.join(rust.stdout.strip(), "lib", "librustc_driver-*.so"))
    return found


def measure(argv):
    t = time.monotonic()
    p = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = p.communicate()
    wall = (time.monotonic() - t) * 1000
    if p.returncode != 0:
        raise RuntimeError(f"{argv[0]}: {err.strip()}")
    return wall, out


def peak_rss(argv):
    """MiB. Under a small shell: ru_maxrss also counts what the forking process had."""
    p = subprocess.Popen(["sh", "-c", 'ulimit -c 0; "$@" >/dev/null 2>&1 & while s=$(grep VmHWM /proc/$!/status); do '
                          'echo "$s"; done 2>/dev/null; wait', "sh"] + argv, stdout=subprocess.PIPE, text=True)
    return max(int(line.split()[1]) for line in p.communicate()[0].splitlines()) / 1024


def normal(name):
    """Spellings on which demanglers differ: return types, casts of numbers, blanks, LLVM's suffixes."""
    name = re.sub(r"\.llvm\.\d+", "", name)
    name = re.sub(r"\((unsigned )?(int|long|char|short|bool)\)(\d+)", r"\3", name)
    name = re.sub(r"(\d)u?l?\b", r"\1", name)
    return re.sub(r"\s+", "", name)


def names_of_blazecli(out):
    """0xaddr: name @ 0x..., one line an address; unknown ones have no name."""
    names = {}
    for line in out.splitlines():
        m = re.match(r"^(0x[0-9a-f]+): (.*?)(?: @ 0x[0-9a-f]+\+0x[0-9a-f]+.*)?$", line)
        if m:
            names[int(m[1], 16)] = "" if m[2].startswith("<no-symbol>") else m[2].strip()
    return names


def names_of_leat(out):
    return {int(a, 16): n for a, _, n in (line.partition(" ") for line in out.splitlines())}


def compare(ours, theirs):
    """Equal names; one that ends with the other differs by the return type, which leat leaves out."""
    def equal(a):
        x, y = normal(ours[a]), normal(theirs.get(a, ""))
        return x == y or (x and y.endswith(x))
    differ = [(hex(a), ours[a], theirs.get(a, "")) for a in ours if not equal(a)]
    return len(ours) - len(differ), differ


def bench(a, lib):
    leat = [a.bench_names, lib, str(ADDRESSES), "1"]
    addresses = subprocess.run(leat + ["--addresses"], capture_output=True, text=True, check=True).stdout.split()
    peer = [a.blazecli, "symbolize", "elf", "--path", lib] + addresses
    ours, theirs = [], []
    for _ in range(a.rounds):
        theirs.append(measure(peer)[0])
        ours.append(measure(leat)[0])
    ratios = [x / y for x, y in zip(ours, theirs)]
    same, differ = compare(names_of_leat(measure(leat + ["--print"])[1]), names_of_blazecli(measure(peer)[1]))
    name = re.sub(r"-[0-9a-f]{16}", "", os.path.basename(lib))
    print(f"| names of {ADDRESSES} addresses of {name}, {os.path.getsize(lib) >> 20} MiB, ms | "
          f"{statistics.median(ours):.1f} ({min(ours):.1f}-{max(ours):.1f}) | blazecli: "
          f"{statistics.median(theirs):.1f} ({min(theirs):.1f}-{max(theirs):.1f}) | "
          f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f}) | {BOUND} | "
          f"{'reached' if max(ratios) <= BOUND else 'missed' if min(ratios) > BOUND else 'not decided'} |")
    print(f"| the same, peak memory, MiB; equal names | {peak_rss(leat):.1f} | blazecli: {peak_rss(peer):.1f} | "
          f"{same} of {len(addresses)} equal | | |", flush=True)
    for d in differ[:5]:
        print("differs:", *d, file=sys.stderr)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("bench_names")
    ap.add_argument("blazecli")
    ap.add_argument("files", nargs="*")
    ap.add_argument("--rounds", type=int, default=9)
    a = ap.parse_args()
    for lib in a.files or libraries():
        bench(a, lib)


if __name__ == "__main__":
    main()
