# SPDX-License-Identifier: BSD-2-Clause
"""Programs at work for bench_table.py. Each is a context: .tid is the busy thread, and all that was started
ends with it."""
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time


def wait_until(is_ready, what):
    for _ in range(200):
        if is_ready():
            return
        time.sleep(0.1)
    raise RuntimeError(f"{what} does not answer")


def answers(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Load:
    name = mapped = ""
    programs = ()

    def __init__(self, a, tmp):
        self.a, self.tmp = a, tmp
        self.started = []
        self.port = 20000 + (os.getpid() * 7) % 20000

    @classmethod
    def is_here(cls):
        return all(shutil.which(p) for p in cls.programs)

    def start(self, *argv, **kw):
        kw.setdefault("stdout", subprocess.DEVNULL)
        kw.setdefault("stderr", subprocess.DEVNULL)
        p = subprocess.Popen(argv, start_new_session=True, **kw)
        self.started.append(p)
        return p

    def __enter__(self):
        try:
            self.tid = self.begin()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *exc):
        self.end()

    def end(self):
        for p in reversed(self.started):
            if p.poll() is None:
                p.send_signal(signal.SIGINT if p.args[0] == "setpriv" else signal.SIGKILL)
            p.wait(timeout=30)
        self.started = []


class Nofp(Load):
    """A stack of known depth in a program without frame pointers, or the same program with them."""

    def __init__(self, a, depth, framed=False):
        super().__init__(a, None)
        self.depth, self.framed = depth, framed

    def begin(self):
        # _start and two functions of the C library, main, nofp_outer, nofp_leaf, and one more nofp_deep
        program = f"{self.a.out}/workloads/wl_nofp{'_fp' if self.framed else ''}"
        p = self.start(program, "deep", str(self.depth - 7), stdout=subprocess.PIPE)
        p.stdout.readline()
        return p.pid


class Postgres(Load):
    name, programs = "postgres", ("pgbench",)
    bin = max((f"/usr/lib/postgresql/{v}/bin" for v in os.listdir("/usr/lib/postgresql")), default="") \
        if os.path.isdir("/usr/lib/postgresql") else ""

    def __init__(self, a, tmp, clients=1, select=True):
        super().__init__(a, tmp)
        self.clients, self.select = clients, select

    @classmethod
    def is_here(cls):
        return bool(cls.bin)

    def as_postgres(self, *argv):
        return ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "env", f"PATH={self.bin}:/usr/bin:/bin",
                "LC_ALL=C", f"HOME={self.tmp}/pg", *argv)

    def pgbench(self, *argv):
        return self.as_postgres("pgbench", "-h", f"{self.tmp}/pg", "-p", str(self.port), *argv, "postgres")

    def begin(self):
        home = f"{self.tmp}/pg"
        os.mkdir(home, 0o700)
        shutil.chown(home, "postgres", "postgres")
        subprocess.run(self.as_postgres("initdb", "-D", f"{home}/data", "-A", "trust"), check=True,
                       stdout=subprocess.DEVNULL, cwd=home)
        self.server = self.start(*self.as_postgres("postgres", "-D", f"{home}/data", "-p", str(self.port), "-k", home, "-c",
                                                   "listen_addresses=", "-c", "fsync=off"), cwd=home)
        ready = self.as_postgres("pg_isready", "-q", "-t", "20", "-h", home, "-p", str(self.port))
        wait_until(lambda: subprocess.run(ready, check=False, cwd=home).returncode == 0, "postgres")
        subprocess.run(self.pgbench("-i", "-s", "5", "-q"), check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, cwd=home)
        self.bench = self.start(*self.pgbench("-c", str(self.clients), "-T", "100000", "-P", "1",
                                              *(["-S"] if self.select else [])), cwd=home, stderr=subprocess.PIPE)
        time.sleep(1)
        return self.backends()[0]

    def backends(self):
        """The processes that serve pgbench's clients."""
        children = subprocess.run(["pgrep", "-P", str(self.server.pid), "-f", "postgres: postgres postgres"],
                                  stdout=subprocess.PIPE, text=True, check=True).stdout
        return [int(pid) for pid in children.split()]

    def all(self):
        return [self.server.pid, *self.backends()]

    def rate(self, seconds=4):
        """Transactions a second, by pgbench's own reports: the next @seconds whole seconds."""
        stream = self.bench.stderr
        os.set_blocking(stream.fileno(), False)
        while stream.read():
            pass
        os.set_blocking(stream.fileno(), True)
        tps = []
        stream.readline()  # began before this
        while len(tps) < seconds:
            m = re.search(rb"progress: .* ([0-9.]+) tps", stream.readline())
            if m:
                tps.append(float(m.group(1)))
        return sum(tps) / seconds


class Nginx(Load):
    name, programs = "nginx", ("nginx", "wrk")

    def begin(self):
        root = f"{self.tmp}/nginx"
        os.makedirs(f"{root}/logs")
        with open(f"{root}/index.html", "w") as f:
            f.write("".join(random.Random(1).choices("abcdefghij \n", k=20000)))
        temp = "".join(f"{kind}_temp_path {root};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(f"{root}/nginx.conf", "w") as f:
            f.write(f"worker_processes 1; daemon off; user root; error_log {root}/error.log; pid {root}/pid;\n"
                    f"events {{ worker_connections 512; }}\n"
                    f"http {{ access_log off; {temp} gzip on; gzip_min_length 1; gzip_types text/html;\n"
                    f"server {{ listen 127.0.0.1:{self.port}; root {root}; }} }}\n")
        master = self.start("nginx", "-p", root, "-c", f"{root}/nginx.conf")
        wait_until(lambda: answers(self.port), "nginx")
        self.start("wrk", "-t", "1", "-c", "16", "-d", "100000", "-H", "Accept-Encoding: gzip", f"http://127.0.0.1:{self.port}/")
        time.sleep(1)
        return int(subprocess.run(["pgrep", "-P", str(master.pid)], stdout=subprocess.PIPE, text=True,
                                  check=True).stdout.split()[0])

    def end(self):
        # The master ends its worker.
        for p in self.started[:1]:
            p.send_signal(signal.SIGTERM)
            p.wait(timeout=30)
        super().end()


class Python(Load):
    """The distribution's own, on pure Python code: objects, strings, regular expressions, recursion."""
    name, programs, mapped = "python3", ("/usr/bin/python3",), "python3"
    code = """
import json, re
def tree(n): return {"k%d" % n: [tree(n - 1), tree(n - 2)], "s": "a b c " * n} if n > 1 else {"leaf": n}
def walk(t): return sum(map(walk, t.values())) if isinstance(t, dict) else sum(map(walk, t)) if isinstance(t, list) else len(str(t))
while True:
    text = json.dumps(tree(11), indent=1)
    walk(json.loads(text))
    sorted(re.findall(r"[a-z]+\\d", text), key=lambda s: s[::-1])
"""

    def begin(self):
        p = self.start("/usr/bin/python3", "-c", self.code)
        time.sleep(0.5)
        return p.pid


class Clang(Load):
    """Optimizes a long C file."""
    name, programs, mapped = "clang", ("clang",), "libLLVM and libclang-cpp: 160 MiB"

    def begin(self):
        rnd = random.Random(1)
        with open(f"{self.tmp}/big.c", "w") as f:
            for i in range(20000):
                cases = "".join(f"case {k}: s += a[(s ^ {rnd.randrange(1 << 16)}) & 63] * {rnd.randrange(1, 99)}; "
                                f"if (s & {1 << rnd.randrange(8)}) s ^= n; break;\n" for k in range(12))
                call = f"+ f{i - 1}(a, n / 2)" if i % 3 else ""
                f.write(f"int f{i}(int *a, int n) {{ int s = n; for (int i = 0; i < n; i++) {{ switch (a[i & 63] & 15) {{\n"
                        f"{cases}default: s -= i {call}; }} }} return s; }}\n")
        p = self.start(*self.command(), f"{self.tmp}/big.c")
        time.sleep(4)  # parsed
        return p.pid

    def command(self):
        return "clang", "-O2", "-c", "-o", f"{self.tmp}/big.o"


class Gcc(Clang):
    """The same file, by the compiler proper."""
    name, programs, mapped = "cc1", ("gcc",), "33 MiB"

    def command(self):
        cc1 = subprocess.run(["gcc", "-print-prog-name=cc1"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        return cc1, "-quiet", "-O2", "-o", f"{self.tmp}/big.s"
