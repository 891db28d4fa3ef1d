# SPDX-License-Identifier: BSD-2-Clause
"""Exports read by readers that are not leat's: go tool pprof, Python's json and XML parsers, and a
folder of perf script's text. exports.py GEN_PROFILE DIRECTORY; prints TAP."""
import json
import os
import re
import socket
import subprocess
import sys
import time
import traceback
import urllib.request
import xml.etree.ElementTree as xml
from collections import Counter

gen, directory = sys.argv[1:3]
SVG = '{http://www.w3.org/2000/svg}'
tests = []


def test(f):
    tests.append(f)
    return f


def check(condition, *what):
    if not condition:
        raise AssertionError(' '.join(str(w) for w in what))


def export(form, what, count='20000'):
    """The bytes, and the path of a file that holds them."""
    ext = {'pprof': 'pb.gz', 'speedscope': 'json'}.get(form, form)
    path = os.path.join(directory, f'{what}.{ext}')
    data = subprocess.run([gen, form, what, count], check=True, stdout=subprocess.PIPE).stdout
    with open(path, 'wb') as f:
        f.write(data)
    return data, path


def pprof(path, *options):
    return subprocess.run(['go', 'tool', 'pprof', *options, path], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def folded(what):
    """Stack without its process and marks of kind -> samples, by leat's folded output."""
    stacks = Counter()
    for line in export('folded', what)[0].decode().splitlines():
        stack, _, n = line.rpartition(' ')
        stacks[re.sub(r'_\[[a-z]+\](?=;|$)', '', stack.partition(';')[2])] += int(n)
    return stacks


def collapse(text):
    """perf script's text -> stacks, by the patterns that such tools use."""
    stacks, frames, weight = Counter(), [], 0
    for line in text.splitlines() + ['']:
        head = re.match(r'(\S.*?)\s+(\d+)/(\d+)\s+(?:\[\d+\]\s+)?([\d.]+):\s+(\d+)\s+(\S+):$', line)
        frame = re.match(r'\s+([0-9a-f]+) (.*) \((.*)\)$', line)
        if head:
            weight = int(head.group(5))
        elif frame:
            frames.append(re.sub(r'\+0x[0-9a-f]+$', '', frame.group(2)))
        elif not line:
            if frames:
                stacks[';'.join(f.replace(';', ':') for f in reversed(frames))] += weight
            frames = []
        else:
            raise AssertionError('neither head nor frame: ' + line)
    return stacks


@test
def pprof_top_and_peek():
    for what in ('hostile', 'server', 'streamed'):
        _, path = export('pprof', what)
        top = pprof(path, '-top', '-sample_index=samples', '-nodecount=1000', '-nodefraction=0')
        check('Type: samples' in top and 'flat%' in top, top)
        flat = {m.group(2): int(m.group(1)) for m in
                re.finditer(r'^\s*(\d+)\s+[\d.]+%\s+[\d.]+%\s+\d+\s+[\d.]+%\s+(.*)$', top, re.M)}
        want = Counter()
        for stack, n in folded(what).items():
            want[stack.rpartition(';')[2]] += n
        for name in ('hot', 'netif_rx', 'longest_match', 'virtnet_poll'):
            check(flat.get(name, 0) == want.get(name, 0), what, name, flat.get(name), want.get(name))
    peek = pprof(path, '-peek', '^main$')
    check('_start' in peek and 'main' in peek, peek)


@test
def pprof_mappings_comments_labels():
    _, path = export('pprof', 'hostile')
    raw = pprof(path, '-raw')
    check(re.search(r'1: 0x[0-9a-f]+/0x[0-9a-f]+/0x[0-9a-f]+ /usr/sbin/nginx (a0){20} ', raw), raw)
    check('[FN]' in raw, raw)
    check('PeriodType: cpu nanoseconds' in raw and 'Period: 10101010' in raw, raw)
    check('Duration: 10' in raw, raw)
    check(re.search(r'process:\[nginx\]', raw) and re.search(r'tgid:\[4242\]', raw), raw)
    comments = pprof(path, '-comments')
    check('trust' in comments and 'nginx (pid 4242)' in comments, comments)
    check('cpu' in pprof(path, '-top'))


@test
def pprof_web_interface():
    _, path = export('pprof', 'hostile')
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    server = subprocess.Popen(['go', 'tool', 'pprof', '-no_browser', f'-http=127.0.0.1:{port}', path],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              start_new_session=True)
    try:
        for _ in range(100):
            try:
                page = urllib.request.urlopen(f'http://127.0.0.1:{port}/ui/flamegraph', timeout=10).read()
                break
            except OSError:
                time.sleep(0.1)
        check(b'hot' in page and b'<img src=x' not in page)
        for view in ('top', 'peek?f=main'):
            check(urllib.request.urlopen(f'http://127.0.0.1:{port}/ui/{view}', timeout=10).status == 200)
    finally:
        os.killpg(server.pid, 15)
        server.wait()


@test
def speedscope_follows_its_schema():
    for what in ('hostile', 'server', 'streamed'):
        data = json.loads(export('speedscope', what)[0])
        check(data['$schema'] == 'https://www.speedscope.app/file-format-schema.json')
        frames = data['shared']['frames']
        check(all(isinstance(f['name'], str) for f in frames))
        total = 0
        for p in data['profiles']:
            check(p['type'] == 'sampled' and p['unit'] == 'nanoseconds')
            check(len(p['samples']) == len(p['weights']))
            check(all(0 <= i < len(frames) for s in p['samples'] for i in s))
            check(sum(p['weights']) == p['endValue'] - p['startValue'])
            total += sum(w for s, w in zip(p['samples'], p['weights']) if s)
        unit = 1000000 if what == 'streamed' else 10101010
        check(total == unit * sum(folded(what).values()), what, total)
    check([p['name'] for p in data['profiles']] == ['nginx (4242/4242)', 'worker-1 (4242/4243)'])


@test
def svg_is_well_formed_and_complete():
    for what in ('hostile', 'server', 'streamed'):
        root = xml.fromstring(export('svg', what)[0])
        boxes = [g for g in root.iter(SVG + 'g') if g.get('class') == 'f']
        check(len(boxes) > 10)
        names = set()
        for g in boxes:
            lines = g.find(SVG + 'title').text.split('\n')
            names.add(lines[0])
            shown = g.find(SVG + 'text').text or ''
            check(lines[0].startswith(shown.rstrip('\u2026')), lines[0], shown)
            rect = g.find(SVG + 'rect')
            check(float(rect.get('x')) + float(rect.get('width')) <= 1188.02)
        check(len(root.findall(SVG + 'script')) == 1)
    check('</script><img src=x onerror=alert(1)>' in names, names)


@test
def script_folds_to_the_same_stacks():
    for what in ('server', 'streamed'):
        ours, theirs = folded(what), collapse(export('script', what)[0].decode())
        check(ours == theirs, what, (ours - theirs).most_common(3), (theirs - ours).most_common(3))


@test
def html_data_is_json():
    page = export('html', 'hostile')[0].decode()
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])
    check(data['version'] == 1 and data['functionCnt'] > 20)


@test
def same_input_same_bytes():
    for form in ('html', 'svg', 'pprof', 'speedscope', 'script', 'folded'):
        check(export(form, 'server')[0] == export(form, 'server')[0], form)


@test
def fast_enough():
    """Bounds with room for a busy machine; scripts/bench.sh measures."""
    for form, what, count, bound in (('html', 'server', '20000', 50), ('svg', 'server', '20000', 50),
                                     ('pprof', 'server', '20000', 50), ('html', 'wide', '200000', 1000)):
        said = subprocess.run([gen, form, what, count, '5'], check=True, text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE).stderr
        print('# ' + said.strip())
        check(float(re.search(r': ([\d.]+) ms', said)[1]) < bound, said)


def main():
    failed = 0
    for n, f in enumerate(tests, 1):
        try:
            f()
            print(f'ok {n} - {f.__name__}', flush=True)
        except Exception:  # any failure is this test's alone
            failed += 1
            print(f'not ok {n} - {f.__name__}')
            print('# ' + traceback.format_exc().strip().replace('\n', '\n# '), flush=True)
    print(f'1..{len(tests)}')
    sys.exit(1 if failed else 0)


main()
