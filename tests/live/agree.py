# SPDX-License-Identifier: BSD-2-Clause
"""Whether leat and perf see the same functions hot, in the same seconds, on one CPU:
agree.py DIRECTORY NAME COMM CPU LEAT TARGET-OPTION...

Both sample on cpu-clock, and that alone makes no fair comparison. Measured with nginx under wrk, perf
cut down to leat's window:

- On all CPUs the timers of a tool keep a fixed distance from CPU to CPU. Its interrupt on one CPU holds
  up who runs there, and so whoever wakes or waits for it from another CPU; when its sample there is
  due just then, it sees far more of that than there is. With nginx and wrk on a CPU each, the share of
  _raw_spin_unlock_irqrestore (a wake-up of the other) was 25.7 % for one tool and 14.6 % for the other,
  19.3 and 11.0, 16.1 and 20.7, new at each start, however many samples there are. On nginx's CPU
  alone: 22.7 and 24.0, 20.8 and 20.7, 18.0 and 17.1, 18.5 and 19.3: chance.
- At one frequency the timers of the two tools keep a fixed distance too, and share a fate: either every
  sample is one of the same moment, or each sees other points of a pattern that timers pace. Of the same
  process in the same seconds one tool had 0.7 to 1.5 times the samples of the other.
- 1999 Hz is nearly a multiple of the tick (250 Hz): its samples wander past a tick once a second, so
  that few of them are independent.
- Shares change by several points within seconds when others use the CPUs: different windows compare
  different loads.

So: the server has one CPU, and both sample only there; two frequencies that no small multiple brings
together, nor a tick; perf all the time, leat in slices, and perf's samples cut to leat's windows; as
many slices as it takes until five standard errors of the difference are at most the 2 points that are
allowed. The standard error is the larger of the one that independent samples would have,
sqrt(p (1 - p) (1/n + 1/m)), and the one that the slices show (jackknife), which knows of bursts. A slice
in which the kernel skipped samples, as it does beside another tracing program, is taken again.

AGREE_CHAINS=1: perf record --call-graph dwarf,65528, at a tenth of the rate, for each sample is 64 KB; what
is compared are the shares of samples that have a function anywhere in their stack, three standard errors
of the difference are at most the point that is allowed."""
import functools
import gzip
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter

CHAINS = os.environ.get('AGREE_CHAINS') == '1'
PERF_HZ, LEAT_HZ = 8837, 7919  # 35.3 and 31.7 in a tick of 4 ms, 8.8 and 7.9 in one of 1 ms
BOUND = 2.0  # points
SIGMAS = 5
SLICE_S, BATCH, BATCHES = 3, 6, 6
SKIPPED = 5  # percent of what the timer should have given
FEWEST = 5  # slices
FIRST = 5
if CHAINS:
    PERF_HZ, BOUND, SIGMAS, BATCHES, FIRST = 883, 1.0, 3, 20, 12
ALL = ''  # in a counter: all samples
OUTER = {'start', 'libc_start_main', 'libc_start_main_impl'}  # leat shows a stack from where main is called

directory, name, comm, cpu, leat = sys.argv[1:6]
target = sys.argv[6:]


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7f) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def window(path):
    """time_nanos and duration_nanos of a pprof profile, as begin and end in seconds."""
    data, at, found = gzip.open(path).read(), 0, {}
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 2:
            size, at = varint(data, at)
            at += size
        else:
            found[key >> 3], at = varint(data, at)
    return found[9] / 1e9, (found[9] + found[10]) / 1e9


@functools.lru_cache(None)
def kernel_aliases():
    """Further names of an address of the kernel's, and the first, which is the one that leat takes."""
    first, further = {}, {}
    with open('/proc/kallsyms') as file:
        for line in file:
            address, _, symbol = line.split()[:3]
            if first.setdefault(address, symbol) != symbol:
                further[symbol] = first[address]
    return further


@functools.lru_cache(None)
def plain(symbol):
    """libc and the kernel have several names for one address; each tool takes another."""
    symbol = re.sub(r'(\+0x[0-9a-f]+|_\[k\]|@@?[A-Z].*)$', '', symbol)
    return re.sub(r'^(__GI_)?_*', '', kernel_aliases().get(symbol, symbol))


def count(counter, frames, n):
    """A stack, innermost function first. Names that a tool does not know are no names."""
    names = {plain(f) for f in (frames if CHAINS else frames[:1]) if f != '[unknown]'}
    for name in names - {ALL} | {ALL}:
        counter[name] += n


class Slice:
    def __init__(self):
        self.begin = self.end = 0
        self.leat, self.perf = Counter(), Counter()


def path(what):
    return os.path.join(directory, f'{name}.{what}')


def record_slice():
    """One recording by leat; None when the kernel skipped samples, as it does beside another tracer."""
    subprocess.run([leat, 'record', *target, '-C', cpu, '-e', 'cpu-clock', '-F', str(LEAT_HZ), '-d', str(SLICE_S), '-q',
                    '-o', path('slice.folded'), '-o', path('pb.gz'), '--summary', path('json')],
                   check=True, stdin=subprocess.DEVNULL)
    with open(path('json')) as f:
        verdict = json.load(f)
    if verdict['kernel']['seen'] * 100e9 < (100 - SKIPPED) * LEAT_HZ * verdict['duration_ns']:
        return None
    s = Slice()
    s.begin, s.end = window(path('pb.gz'))
    with open(path('slice.folded')) as f, open(path('folded'), 'a') as whole:
        for line in f:
            whole.write(line)
            stack, _, n = line.rpartition(' ')
            count(s.leat, stack.split(';')[1:][::-1], int(n))
    return s


class Perf:
    """perf record, sampling from the end of __enter__ to __exit__."""

    def __enter__(self):
        control, self.control = os.pipe()
        self.ack, ack = os.pipe()
        # -B: reading build ids at the end, it dies at times when processes come and go.
        self.process = subprocess.Popen(
            ['perf', 'record', '-q', '-C', cpu, '-B', '-k', 'CLOCK_REALTIME', '-e', 'cpu-clock', '-F', str(PERF_HZ),
             *(['--call-graph', 'dwarf,65528'] if CHAINS else []), '-D', '-1', '--control', f'fd:{control},{ack}', '-o', path('data')],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=(control, ack))
        os.close(control)
        os.close(ack)
        os.write(self.control, b'enable\n')
        if not os.read(self.ack, 16).startswith(b'ack'):
            sys.exit('perf record does not begin')
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        os.close(self.control)
        os.close(self.ack)


def perf_samples():
    """(time, frames) of the process, innermost first; None when the file cannot be read."""
    # Of a process alone where leat records that: servers have others of that name.
    chosen = ['--pid', target[1]] if target[0] == '-p' else ['--comms', comm]
    for _ in range(5):  # it dies at times, by chance
        run = subprocess.run(['perf', 'script', '-i', path('data'), '--ns', *chosen, '--no-inline', '-F', 'time,ip,sym'],
                             text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, errors='replace')
        if run.returncode == 0:
            break
    else:
        return None
    samples = []
    for line in run.stdout.splitlines():
        head = re.match(r'\s*(\d+\.\d+):\s*(?:[0-9a-f]+\s+(.*\S))?\s*$', line)
        frame = re.match(r'\s+[0-9a-f]+\s+(.*\S)', line)
        if head:
            samples.append((float(head.group(1)), [head.group(2)] if head.group(2) else []))
        elif frame and samples:
            samples[-1][1].append(frame.group(1))
    return samples


def record_batch():
    """Slices; how many were disturbed."""
    with Perf():
        slices = [record_slice() for _ in range(BATCH)]
    kept = [s for s in slices if s]
    samples = perf_samples()
    # Whoever asks for build ids on this host spoils perf's file (user/live/rings.c says how).
    if samples is None:
        return [], len(slices)
    for t, frames in samples:
        for s in kept:
            if s.begin <= t < s.end:
                count(s.perf, frames, 1)
    return kept, len(slices) - len(kept)


def share(counter, f):
    return 100 * counter[f] / counter[ALL] if counter[ALL] else 0


def difference(slices, f):
    n = {tool: [sum(getattr(s, tool)[key] for s in slices) for key in (f, ALL)] for tool in ('perf', 'leat')}
    return sum(sign * 100 * n[tool][0] / (n[tool][1] or 1) for tool, sign in (('perf', 1), ('leat', -1)))


def standard_error(slices, f, perf, leat_all):
    p = share(perf, f) / 100
    chance = 100 * (p * (1 - p) * (1 / perf[ALL] + 1 / leat_all[ALL])) ** 0.5
    k = len(slices)
    left = [difference(slices[:i] + slices[i + 1:], f) for i in range(k)]
    mean = sum(left) / k
    return max(chance, ((k - 1) / k * sum((d - mean) ** 2 for d in left)) ** 0.5)


def judge(slices):
    """The lines of the report; enough samples; all within the bound."""
    perf = sum((s.perf for s in slices), Counter())
    leat_all = sum((s.leat for s in slices), Counter())
    lines, enough, agree = [], True, True
    hot = [f for f, _ in perf.most_common() if f and f not in OUTER][:FIRST]
    for f in hot:
        d, se = difference(slices, f), standard_error(slices, f, perf, leat_all)
        lines.append(f'{f}: perf {share(perf, f):.2f} leat {share(leat_all, f):.2f}, standard error {se:.2f}')
        enough &= SIGMAS * se <= BOUND
        agree &= abs(d) <= BOUND
    lines.append(f'{perf[ALL]} samples of perf, {leat_all[ALL]} of leat, {len(slices)} slices')
    return lines, enough and len(hot) == FIRST, agree


def main():
    slices, skipped, lines = [], 0, []
    open(path('folded'), 'w').close()
    for _ in range(BATCHES):
        more, missed = record_batch()
        slices += more
        skipped += missed
        if len(slices) < FEWEST:
            continue
        lines, enough, agree = judge(slices)
        if enough:
            print(*lines, f'{skipped} slices taken again', sep='\n')
            return 0 if agree else 1
    print(*lines, f'too few samples to decide; beside them {skipped} slices in which the kernel skipped samples, or the file of perf was spoilt', sep='\n')
    return 1


sys.exit(main())
