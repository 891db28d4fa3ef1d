# SPDX-License-Identifier: BSD-2-Clause
"""The very samples of perf record --call-graph dwarf,65528, unwound by perf script and by leat:
same.py DIRECTORY NAME COMM CPU SECONDS LIVE-JUDGE PID

Each sample is one event of perf record, that has run leat's program too (tests/unwind/live_perf.c): the
same moment, so that no chance is in the difference, and each can be accounted for. Frames are compared
by address. libdwfl unwinds perf's copies as a third: that says whether a word that the rules name lies
below sp, which the kernel does not copy. Printed are

	equal	 the same frames, to the root
	below	 perf's stack ends early, or goes astray, where a word below sp is needed; leat has read it,
		 and is right by its calls or as libdwfl has it
	partial	 leat's ends early, and says so: a table was not ready, and its own copy not large enough
	other	 none of these: printed with its frames

and for the functions that perf sees most the share of samples that have them anywhere in their stack.
Exit status 1: shares are more than a point apart (and three standard errors of how many differ, which
counts where samples are few), or more than 1 in 1,000 differ otherwise,
or 1 in 100 are partial."""
import os
import re
import signal
import subprocess
import sys
from collections import Counter

HZ = 883
BOUND = 1.0  # points
AT_MOST = {'partial': 0.01, 'other': 0.001}  # of the samples, and one more
FIRST = 12
FEWEST = 300
KERNEL = 1 << 63
TOLD = 6

directory, name, comm, cpu, seconds, judge, pid = sys.argv[1:]
data, stacks = (os.path.join(directory, f'{name}.{what}') for what in ('data', 'stacks'))


def take():
    """perf record with leat's program on its events; the judge has read its file when this returns."""
    control, control_in = os.pipe()
    ack_out, ack = os.pipe()
    # -B: reading build ids at the end, it dies at times when processes come and go.
    perf = subprocess.Popen(
        ['perf', 'record', '-q', '-C', cpu, '-B', '-k', 'CLOCK_MONOTONIC', '-m', '16M', '-e', 'cpu-clock', '-F', str(HZ),
         '--call-graph', 'dwarf,65528', '-D', '-1', '--control', f'fd:{control},{ack}', '-o', data],
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=(control, ack))
    os.close(control)
    os.close(ack)

    def tell(command):
        os.write(control_in, command + b'\n')
        if not os.read(ack_out, 16).startswith(b'ack'):
            sys.exit('perf record does not answer')

    tell(b'ping')  # its events are there
    shared = subprocess.Popen([judge, '-P', str(perf.pid), '-f', data, '-o', stacks, '-N', name, pid],
                              stdout=subprocess.PIPE, text=True)
    if shared.stdout.readline() != 'shared\n':
        sys.exit('leat does not share the events of perf record')
    tell(b'enable')
    try:
        perf.wait(float(seconds))
    except subprocess.TimeoutExpired:
        tell(b'disable')
    perf.send_signal(signal.SIGINT)
    perf.wait()
    print(shared.stdout.read().strip())
    if shared.wait() != 0:
        sys.exit('a frame of leat is wrong')


def perf_stacks():
    """By thread and time: the addresses and names of the user frames, innermost first."""
    script = subprocess.run(['perf', 'script', '-i', data, '--ns', '--comms', comm, '--no-inline', '--max-stack', '1024', '-F', 'tid,time,ip,sym'],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors='replace', check=True)
    found = {}
    for line in script.stdout.splitlines():
        head = re.match(r'\s*(\d+)\s+(\d+)\.(\d+):', line)
        frame = re.match(r'\s+([0-9a-f]+) (.*)', line)
        if head:
            frames = found[int(head[1]), int(head[2]) * 10**9 + int(head[3])] = []
        elif frame and not int(frame[1], 16) & KERNEL:
            frames.append((int(frame[1], 16), frame[2].strip()))
    return found


class Stack:
    """One of leat's."""

    def __init__(self, line):
        tid, time, self.kind, below, *frames = line.split()
        self.key, self.below = (int(tid), int(time)), int(below)
        self.frames = []
        for f in frames:
            address, offset, function = f.split(':', 2)
            self.frames.append(({int(address, 16), int(offset, 16)}, function))

    def common(self, of_perf):
        n = 0
        while n < min(len(self.frames), len(of_perf)) and of_perf[n][0] in self.frames[n][0]:
            n += 1
        return n


def kind_of(s, of_perf, n):
    """@n: frames alike."""
    if n == len(s.frames) == len(of_perf) and s.kind != 'incomplete':
        return 'equal'
    if s.kind == 'partial':
        return 'partial' if n == len(s.frames) else 'other'
    return 'below' if s.below and s.kind in ('below', 'equal') else 'other'


def compare(mine, perfs):
    """Kinds, shares by tool, and the stacks that differ."""
    kinds, shares, told = Counter(), {'perf': Counter(), 'leat': Counter()}, {'below': [], 'partial': [], 'other': []}
    for s in mine:
        of_perf = perfs[s.key]
        n = s.common(of_perf)
        kind = kind_of(s, of_perf, n)
        kinds[kind] += 1
        if kind != 'equal':
            told[kind].append((s, of_perf, n))
        names = [f for _, f in s.frames]
        shares['leat'].update({f for f in names if f != '?'})
        shares['perf'].update({f for f in names[:n] + [f for _, f in of_perf[n:]] if f not in ('?', '[unknown]')})
    return kinds, shares, told


def show(kind, differences):
    for s, of_perf, n in differences[:TOLD]:
        print(f'{kind}: {n} frames alike, perf {len(of_perf)}, leat {len(s.frames)} ({s.kind}); a word {s.below} below sp')
        for tool, frames in (('perf', [(f'{a:x}', f) for a, f in of_perf]), ('leat', [(f'{min(a):x}', f) for a, f in s.frames])):
            print(*(f'    {tool} {i} {a} {f}' for i, (a, f) in enumerate(frames[:n + 3]) if i >= n - 2), sep='\n')


def main():
    take()
    perfs = perf_stacks()
    with open(stacks) as f:
        mine = [s for s in map(Stack, f) if s.key in perfs]
    kinds, shares, told = compare(mine, perfs)
    for kind, differences in told.items():
        show(kind, differences)
    worst = 0
    for f, count in shares['perf'].most_common(FIRST):
        of_perf, of_leat = (100 * c / len(mine) for c in (count, shares['leat'][f]))
        worst = max(worst, abs(of_perf - of_leat))
        print(f'{f}: perf {of_perf:.2f} leat {of_leat:.2f}')
    bound = BOUND + 3 * 100 * (len(mine) - kinds['equal'])**0.5 / max(1, len(mine))
    print(f'{len(mine)} samples, ' + ', '.join(f'{kinds[k]} {k}' for k in ('equal', *told)) + f'; shares at most {worst:.2f} points apart')
    few = all(kinds[k] <= 1 + at_most * len(mine) for k, at_most in AT_MOST.items())
    return 0 if len(mine) >= FEWEST and worst <= bound and few else 1


sys.exit(main())
