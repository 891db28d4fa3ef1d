#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Debian's nginx, redis and PostgreSQL under load, on loopback: their hot functions have names, and
# agree with perf, which samples the same seconds.
. "$(dirname "$0")/lib.sh"

seconds=300 # of load, at most: it is ended when there are samples enough
pids=()
cleanup() {
	local p
	for p in "${pids[@]}" $(head -qn 1 "$tmp/pg/data/postmaster.pid" 2>/dev/null); do kill -QUIT "$p" 2>/dev/null; done
	wait 2>/dev/null
	rm -rf "$tmp"
}
tmp=$(mktemp -d)
chmod 755 "$tmp"
trap cleanup EXIT

port() { echo $((20000 + ($$ + $1) % 20000)); }
wait_port() {
	local i
	for i in $(seq 100); do
		(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
		sleep 0.1
	done
	return 1
}

# The server has the first CPU, its load the last; both before what else is to be done here.
cpus=$(awk '/^Cpus_allowed_list/ {print $2}' /proc/self/status)
first=${cpus%%[,-]*}
last=${cpus##*[,-]}
as_server() { exec nice -n -19 taskset -c "$first" "$@"; }
as_load() { exec nice -n -19 taskset -c "$last" "$@"; }

# record NAME COMM TARGET-ARGS...: leat and perf over the same seconds (agree.py); says at the end
# whether they agree.
record() {
	(as_load env PYTHONDONTWRITEBYTECODE=1 python3 "$here/agree.py" "$tmp" "$1" "$2" "$first" "$LEAT" "${@:3}") \
		>"$tmp/$1.agree" 2>&1
	echo $? >"$tmp/$1.rc"
}

# Share of samples by innermost function: "percent name", descending.
leat_self() {
	awk '{n = $NF; sub(/ [0-9]+$/, ""); sub(/.*;/, ""); sub(/_\[k\]$/, ""); s[$0] += n; all += n}
	END {for (f in s) printf "%.2f %s\n", 100 * s[f] / all, f}' "$1" | sort -rn
}

# check NAME FUNCTION...: recorded, names, agreement.
check() {
	local name=$1 f missing=
	shift
	if [ ! -s "$tmp/$name.folded" ]; then
		not_ok "$name: recorded" "$(cat "$tmp/$name.agree")"
		return
	fi
	ok "$name: recorded, $(awk '{n += $NF} END {print n}' "$tmp/$name.folded") samples"
	for f in "$@"; do
		grep -qE "$f" "$tmp/$name.folded" || missing="$missing $f"
	done
	if [ -z "$missing" ]; then ok "$name: hot functions by name"; else not_ok "$name: not found:$missing" "$(leat_self "$tmp/$name.folded" | head -n 12)"; fi
	if [ "$(cat "$tmp/$name.rc")" = 0 ]; then
		ok "$name: agrees with perf's first five within 2 points"
		sed 's/^/# /' "$tmp/$name.agree"
	else
		not_ok "$name: agrees with perf's first five within 2 points" "$(cat "$tmp/$name.agree")"
	fi
}

# User frames of the stacks, by how many there are.
user_depths() {
	awk '{n = $NF; sub(/ [0-9]+$/, ""); m = split($0, f, ";"); u = 0
		for (i = 2; i <= m; i++) if (f[i] !~ /_\[k\]$/ && f[i] !~ /^\[/) u++
		all += n; if (u > 2) deep += n}
	END {printf "%d of %d samples have more than 2 user frames\n", deep, all; exit deep * 100 > all}' "$1"
}

# Debian builds redis without frame pointers: beyond the innermost frame, and a caller whose frame the
# vDSO or libc happens to keep, there is nothing to be known; the rest is cut, and counted.
invents_nothing() {
	local name=$1
	if user_depths "$tmp/$name.folded" >"$tmp/depths"; then
		ok "$name: no callers are made up: $(cat "$tmp/depths")"
	else
		not_ok "$name: no callers are made up" "$(cat "$tmp/depths")"
	fi
	if python3 - "$tmp/$name.json" <<'EOF'
import json, sys
v = json.load(open(sys.argv[1]))
assert v["ret_checked"] > 0, v
cut = v["stacks"]["no_unwind"] + v["stacks"]["bad_call"] + v["stacks"]["bad_memory"]
assert cut > 0.9 * v["taken"], v["stacks"]
assert v["trust"] == "do not trust" and v["complete_percent"] < 5, v
EOF
	then ok "$name: what frame pointers invent is cut and counted"; else not_ok "$name: what frame pointers invent is cut and counted" "$(cat "$tmp/$name.json")"; fi
}

test_nginx() {
	local p
	p=$(port 1)
	mkdir -p "$tmp/nginx/logs" "$tmp/www"
	head -c 2000 /dev/urandom | base64 >"$tmp/www/index.html"
	cat >"$tmp/nginx/nginx.conf" <<EOF
worker_processes 1; daemon off; error_log $tmp/nginx/error.log; pid $tmp/nginx/pid;
events { worker_connections 512; }
http { access_log off; client_body_temp_path $tmp/nginx; proxy_temp_path $tmp/nginx; fastcgi_temp_path $tmp/nginx;
 uwsgi_temp_path $tmp/nginx; scgi_temp_path $tmp/nginx; gzip on; gzip_min_length 1; gzip_types text/html;
 server { listen 127.0.0.1:$p; root $tmp/www; } }
EOF
	as_server nginx -p "$tmp/nginx" -c "$tmp/nginx/nginx.conf" 2>"$tmp/nginx/err" &
	pids+=($!)
	local master=$!
	wait_port "$p" || { not_ok "nginx: starts" "$(cat "$tmp/nginx/err")"; return; }
	as_load wrk -t 1 -c 16 -d $seconds "http://127.0.0.1:$p/" >"$tmp/wrk" 2>&1 &
	pids+=($!)
	local bench=$!
	sleep 1
	record nginx nginx -n nginx
	check nginx 'ngx_http_' 'ngx_epoll_process_events|epoll_wait' '_\[k\]'
	kill "$bench" "$master"
	wait "$bench" "$master" 2>/dev/null
}

test_redis() {
	local p
	p=$(port 2)
	(cd "$tmp" && as_server redis-server --port "$p" --bind 127.0.0.1 --save "" --daemonize no) >"$tmp/redis.log" 2>&1 &
	pids+=($!)
	local server=$!
	wait_port "$p" || { not_ok "redis: starts" "$(cat "$tmp/redis.log")"; return; }
	as_load redis-benchmark -p "$p" -t set,lpush,lrange_300 -n 100000000 -P 8 -q >/dev/null 2>&1 &
	pids+=($!)
	local bench=$!
	sleep 1
	record redis redis-server -p "$server" --unwind fp
	check redis 'processCommand|call|dictFind|lookupKey|createStringObject|sds' '_\[k\]'
	invents_nothing redis
	kill "$bench" "$server"
	wait "$bench" "$server" 2>/dev/null
}

test_postgres() {
	local p bin
	p=$(port 3)
	bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
	install -d -o postgres -m 700 "$tmp/pg"
	as_postgres() { # AS-WHAT COMMAND...
		local as=$1
		shift
		"$as" setpriv --reuid=postgres --regid=postgres --init-groups env PATH="$bin:$PATH" LC_ALL=C HOME="$tmp/pg" "$@"
	}
	(as_postgres as_load initdb -D "$tmp/pg/data" -A trust) >"$tmp/pg.log" 2>&1
	as_postgres as_server postgres -D "$tmp/pg/data" -p "$p" -k "$tmp/pg" -c listen_addresses=127.0.0.1 -c fsync=off >>"$tmp/pg.log" 2>&1 &
	pids+=($!)
	local server=$!
	wait_port "$p" || { not_ok "postgres: starts" "$(cat "$tmp/pg.log")"; return; }
	(as_postgres as_load pgbench -h 127.0.0.1 -p "$p" -i -s 3 -q postgres) >>"$tmp/pg.log" 2>&1
	as_postgres as_load pgbench -h 127.0.0.1 -p "$p" -S -c 2 -T $seconds postgres >>"$tmp/pg.log" 2>&1 &
	local bench=$!
	pids+=($bench)
	sleep 1
	record postgres postgres -n postgres
	check postgres 'PostgresMain|exec_simple_query|ExecutorRun|hash_search|AllocSet' '_\[k\]'
	kill "$bench"
	kill -INT "$(head -n 1 "$tmp/pg/data/postmaster.pid")"
	wait "$server"
}

for tool in nginx wrk redis-server redis-benchmark perf; do
	command -v "$tool" >/dev/null || { skip "servers" "no $tool"; done_testing; exit 0; }
done
test_nginx
test_redis
test_postgres
done_testing
