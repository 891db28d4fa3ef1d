#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Live stacks judged frame by frame: one perf event carries leat's program and a copy of registers and
# stack, which libdwfl unwinds afterwards (tests/unwind/live_judge.c says what is counted). Programs
# without frame pointers, and servers under load. Prints TAP; the figures go to standard error.
#
# Then the very samples of a perf record, unwound by perf and by leat (same.py).
#
# JUDGE_LONG=1: up to 10,000 stacks of each in a minute, Java, and profiles beside those of perf; else
# 500 stacks. JUDGE_PARTS: only these.
# JUDGE_KEEP: a directory for what the judge says of single stacks.
. "$(dirname "$0")/lib.sh"
work_dir
judge=$WORKLOADS/live_judge
corpus=$here/../unwind/corpus
export PATH=$PATH:/usr/local/go/bin:$HOME/.cargo/bin
long=${JUDGE_LONG:-0}
stacks=500 seconds=8 same_s=4
[ "$long" = 0 ] || stacks=10000 seconds=60 same_s=15

have() { command -v "$1" >/dev/null; }

# count NAME KEY: a number of the judge's line.
count() { grep -oE "\b$2 +[0-9.]+" "$work/$1.line" | head -n 1 | grep -oE '[0-9.]+$'; }

# few NAME PERCENT SHARE: all but 1 in a thousand (and one more, for the short form) are in that share.
few() {
	awk -v n="$(count "$1" samples)" -v p="$(count "$1" "$2")" -v least="$3" 'BEGIN {
		out = n * (100 - p) / 100
		if (out > n * (100 - least) / 100 + 1.01) {printf "%.0f of %d are not\n", out, n; exit 1}
	}' || { head -n 60 "$work/$1.err"; return 1; }
}

# judged NAME COMPLETE-PERCENT EQUAL|proven PID...: COMPLETE-PERCENT of the stacks are complete, and
# 99.9 % of those that can be judged are the same (or leat's is proven right where libdwfl cannot be).
judged() {
	local name=$1 complete=$2 how=$3 rc
	shift 3
	timeout 300 "$judge" -N "$name" -v -n "$stacks" -d "$seconds" "$@" >"$work/$name.line" 2>"$work/$name.err"
	rc=$?
	cat "$work/$name.line" >&2
	[ -z "${JUDGE_KEEP:-}" ] || cp "$work/$name.err" "$JUDGE_KEEP/$name.err"
	if [ $rc != 0 ] || [ "$(count "$name" samples)" -lt 50 ]; then
		not_ok "$name: no frame is wrong" "$(cat "$work/$name.line"; head -n 60 "$work/$name.err")"
		return
	fi
	ok "$name: no frame is wrong in $(count "$name" samples) stacks"
	is "$name: all but 1 in 1,000 are $how" few "$name" "$how" 99.9
	is "$name: $complete % of the stacks are complete" few "$name" complete "$complete"
	is "$name: the copies of first samples hold all of their stacks, but for a few" at_most \
		"$(count "$name" partial)" $(($(count "$name" samples) / 100))
	is "$name: each sample of leat has its copy" at_most "$(($(count "$name" no-leat) + $(count "$name" no-copy)))" \
		"$(($(count "$name" samples) / 50))"
}

background() {
	"$@" >/dev/null 2>&1 </dev/null &
	pid=$!
	started+=("$pid")
}

# busy NAME COMPLETE HOW COMMAND...: a program of its own, that works for ever.
busy() {
	local name=$1 complete=$2 how=$3
	shift 3
	background "$@"
	wait_exec "$pid"
	wait_cpu "$pid"
	judged "$name" "$complete" "$how" "$pid"
	stop "$pid"
}

# wait_cpu PID: until its threads have used 0.2 s of CPU; at most 20 s.
wait_cpu() {
	local i
	for i in $(seq 200); do
		awk '{used += $1} END {exit used < 2e8}' /proc/"$1"/task/*/schedstat 2>/dev/null && return
		sleep 0.1
	done
}

# wait_child PID REGEX: a process below PID whose command line matches, and that has used 0.2 s of CPU
# (a server has others, that come and go); in $pid. At most 20 s.
wait_child() {
	local i
	for i in $(seq 200); do
		for pid in $(pgrep -P "$1" -f "$2"); do
			awk '{exit $1 < 2e8}' "/proc/$pid/schedstat" 2>/dev/null && return 0
		done
		sleep 0.1
	done
	return 1
}

wait_file() { # PATH
	local i
	for i in $(seq 100); do
		[ -e "$1" ] && return 0
		sleep 0.1
	done
	return 1
}

test_nofp() {
	WAIT_READY=1 start "$WORKLOADS/wl_nofp" deep 40
	judged nofp-deep 99.9 equal "$pid"
	stop "$pid"
	WAIT_READY=1 start "$WORKLOADS/wl_nofp" signal
	judged nofp-signal 99.9 equal "$pid"
	stop "$pid"
}

test_python3() {
	busy python3 99.9 equal python3 -c 'import re, json
while True: json.dumps([re.sub("a+", "b", "aaa%d" % i) for i in range(50)], sort_keys=True)'
}

# Its own code by frame pointer, its runtime by tables.
test_node() {
	have node || { skip "node" "no node"; return; }
	busy node 99.5 proven node -e 'while (1) JSON.parse(JSON.stringify(Array.from({ length: 200 }, (_, i) => ({ i, s: "x".repeat(i) }))))'
}

# libdwfl does not know how Go changes stacks.
test_go() {
	have go || { skip "go" "no go"; return; }
	cp "$corpus/busy.go" "$work/main.go"
	(cd "$work" && GOCACHE=${LEAT_OUT:-$work}/go-cache go build -o busy_go main.go) >"$work/go.log" 2>&1
	busy go 99.9 proven "$work/busy_go"
}

test_rust() {
	have rustc || { skip "rust" "no rustc"; return; }
	rustc -O "$corpus/busy.rs" -o "$work/busy_rust" 2>"$work/rust.log"
	busy rust 99.9 equal "$work/busy_rust"
}

# The compilers and the collector of the Java machine by tables. The code that it makes uses rbp as it
# likes, so a walk by frame pointer ends there, or guesses; libdwfl guesses alike.
test_java() {
	have java || { skip "java" "no java"; return; }
	local java
	java=$(readlink -f "$(command -v java)")
	background "${java%/*}/keytool" -J-Xcomp -genkeypair -keyalg RSA -keysize 16384 -alias a -dname CN=a \
		-keystore "$work/keys" -storepass secret
	wait_cpu "$pid"
	judged java 50 proven "$pid"
	stop "$pid"
}

test_redis() {
	have redis-benchmark && have redis-server || { skip "redis" "no redis-server"; return; }
	background redis-server --port 0 --unixsocket "$work/redis" --save '' --appendonly no --dir "$work"
	local server=$pid
	wait_file "$work/redis"
	background redis-benchmark -s "$work/redis" -c 4 -n 100000000 -t set,get,lpush,zadd,lrange_300
	local load=$pid
	wait_cpu "$server"
	judged redis 99.9 equal "$server"
	stop "$load"
	stop "$server"
}

test_nginx() {
	local p=$((20000 + ($$ + 7) % 20000))
	have nginx && have wrk || { skip "nginx" "no nginx"; return; }
	mkdir -p "$work/nginx"
	head -c 2000 /dev/urandom | base64 >"$work/nginx/index.html"
	cat >"$work/nginx.conf" <<-N
		daemon off; worker_processes 1; pid $work/nginx.pid; error_log /dev/null;
		events {}
		http { access_log off; gzip on; gzip_min_length 1; gzip_types text/html;
		 client_body_temp_path $work/nginx; proxy_temp_path $work/nginx; fastcgi_temp_path $work/nginx;
		 uwsgi_temp_path $work/nginx; scgi_temp_path $work/nginx;
		 server { listen 127.0.0.1:$p; root $work/nginx; } }
	N
	background nginx -p "$work/nginx" -c "$work/nginx.conf"
	local server=$pid load
	wait_file "$work/nginx.pid"
	background wrk -t 1 -c 8 -d 600 "http://127.0.0.1:$p/"
	load=$pid
	if wait_child "$server" 'nginx: worker'; then judged nginx 99.9 equal "$pid"; else not_ok "nginx: works"; fi
	stop "$load"
	stop "$server"
}

# with_postgres COMMAND...: while pgbench keeps one of its backends busy, whose pid is put behind. The
# server has the first CPU that is allowed here, its load the last.
with_postgres() {
	local bin
	bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
	[ -n "$bin" ] || { skip "postgres" "no postgres"; return; }
	rm -rf "$work/pg"
	install -d -o postgres -m 700 "$work/pg"
	# Programs that exec one another: what is started has the pid that is ended.
	local as=(setpriv --reuid=postgres --regid=postgres --init-groups env -C "$work/pg" LC_ALL=C HOME="$work/pg")
	"${as[@]}" "$bin/initdb" -D "$work/pg/data" -A trust -N >"$work/pg.log" 2>&1
	background nice -n -19 taskset -c "$first" "${as[@]}" "$bin/postgres" -D "$work/pg/data" -k "$work/pg" -c listen_addresses= -c fsync=off
	local server=$pid
	wait_file "$work/pg/.s.PGSQL.5432"
	"${as[@]}" "$bin/pgbench" -h "$work/pg" -i -s 3 -q postgres >>"$work/pg.log" 2>&1
	background nice -n -19 taskset -c "$last" "${as[@]}" "$bin/pgbench" -h "$work/pg" -c 1 -T 3600 postgres
	local load=$pid
	if wait_child "$server" '^postgres: postgres postgres'; then
		"$@" "$pid"
	else
		not_ok "postgres: works" "$(cat "$work/pg.log")"
	fi
	stop "$load"
	kill -INT "$server"
	wait "$server" 2>/dev/null
}

# alike NAME COMM PID: what perf makes of its samples, and leat of the same ones.
alike() {
	have perf || { skip "$1 as by perf" "no perf"; return; }
	if PYTHONDONTWRITEBYTECODE=1 python3 "$here/same.py" "$work" "$1" "$2" "$first" "$same_s" "$judge" "$3" >"$work/$1.same" 2>&1; then
		ok "$1: the samples of perf record --call-graph dwarf within a point, each difference accounted for"
	else
		not_ok "$1: the samples of perf record --call-graph dwarf within a point" "$(cat "$work/$1.same")"
	fi
	sed "s/^/$1: /" "$work/$1.same" >&2
	rm -f "$work/$1.data"
}

judged_and_alike() {
	judged postgres 99.9 equal "$1"
	alike postgres postgres "$1"
}

test_postgres() { with_postgres judged_and_alike; }

# agrees NAME COMM PID: the same functions in the same share of the stacks as by perf's copies of 64 KB.
agrees() {
	if AGREE_CHAINS=1 PYTHONDONTWRITEBYTECODE=1 nice -n -19 taskset -c "$last" python3 "$here/agree.py" "$work" "$1" "$2" "$first" "$LEAT" -p "$3" \
		>"$work/$1.agree" 2>&1; then
		ok "$1: within a point of perf record --call-graph dwarf"
	else
		not_ok "$1: within a point of perf record --call-graph dwarf" "$(cat "$work/$1.agree")"
	fi
	sed "s/^/$1: /" "$work/$1.agree" >&2
}

test_beside() {
	have perf || { skip "beside perf" "no perf"; return; }
	WAIT_READY=1 start nice -n -19 taskset -c "$first" "$WORKLOADS/wl_nofp" deep 10
	alike nofp wl_nofp "$pid"
	agrees nofp wl_nofp "$pid"
	stop "$pid"
}

# Two recordings see other times in the kernel (docs/unwinding.md): run by name alone. The same samples
# are compared by test_postgres.
test_beside_postgres() { with_postgres agrees postgres postgres; }

cpus=$(awk '/^Cpus_allowed_list/ {print $2}' /proc/self/status)
first=${cpus%%[,-]*}
last=${cpus##*[,-]}
all=(nofp python3 node go rust redis nginx postgres)
[ "$long" = 0 ] || all+=(java beside)
for part in ${JUDGE_PARTS:-"${all[@]}"}; do
	"test_$part"
done
done_testing
