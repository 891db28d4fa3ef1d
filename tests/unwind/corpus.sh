#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Programs built by every compiler and linker that is there, and a distribution's own: unwound at
# many points by leat and by libdwfl, and compared frame by frame. Prints TAP; the figures of each
# program go to standard error.
#
# UNWIND_LONG=1: every instruction, and ten times the stops; else it stays within about two minutes.
set -u
cd "$(dirname "$0")/../.." || exit 1
judge=${LEAT_OUT:?run it by "make check-live"}/workloads/unwind_judge
src=tests/unwind/corpus
work=$(mktemp -d) || exit 1
pids=()
on_exit() {
	local p
	for p in ${pids[@]+"${pids[@]}"}; do
		kill "$p" 2>/dev/null
	done
	wait 2>/dev/null
	rm -rf "$work"
}
trap on_exit EXIT
trap 'exit 130' INT TERM
export PATH=$PATH:/usr/local/go/bin:$HOME/.cargo/bin
long=${UNWIND_LONG:-0}
steps=60000 stops=200
[ "$long" = 0 ] || { steps=2000000 stops=2000; }
# How often an instruction is judged: loops are not to outweigh the rest.
times=1000
bind=1
n=0 failures=0
points=0 equal=0 short=0 better=0 neither=0 landing=0 unproven=0 guess=0

results=$work/results

# What is judged in lanes beside one another is told at the end of each, in one piece.
result() { # STATUS TEXT [LINE]
	printf '%s\t%s\t%s\n' "$1" "$2" "${3:-}" >>"$results"
}
skip() { # TEXT REASON
	result skip "$@"
}

ok() { # STATUS TEXT
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failures=$((failures + 1))
	fi
}

# tell RESULTS
tell() {
	local status text line
	while IFS=$'\t' read -r status text line; do
		if [ "$status" = skip ]; then
			n=$((n + 1))
			echo "ok $n - $text # SKIP $line"
			continue
		fi
		if [ -n "$line" ]; then
			echo "$line" >&2
			add "$line"
		fi
		[ "$status" = 0 ] || head -n 60 "$work/$text.err" >&2
		ok "$status" "$text"
	done <"$1"
}

# Adds the figures of one line of the judge to the sums.
add() {
	local p e s b x l u g
	read -r p e s b x l u g < <(sed -E 's/.*points +([0-9]+) .*equal +([0-9.]+) %.*short ([0-9]+) .*better ([0-9]+) .*neither ([0-9]+) .*landing ([0-9]+) .*unproven ([0-9]+) .*guess ([0-9]+).*/\1 \2 \3 \4 \5 \6 \7 \8/' <<<"$1")
	points=$((points + p))
	equal=$((equal + $(awk -v p="$p" -v e="$e" 'BEGIN { printf "%.0f", p * e / 100 }')))
	short=$((short + s)) better=$((better + b)) neither=$((neither + x)) landing=$((landing + l)) unproven=$((unproven + u)) guess=$((guess + g))
}

# judged NAME ARG...: no frame that leat shows is wrong.
judged() {
	local name=$1 line rc
	shift
	line=$(timeout 600 "$judge" -N "$name" -v "$@" 2>"$work/$name.err")
	rc=$?
	[ -z "${UNWIND_KEEP:-}" ] || cp "$work/$name.err" "$UNWIND_KEEP/"
	result $rc "$name" "$line"
}

# stepped NAME COMPILER-ARG...: builds and steps it from its first breakpoint to its second.
stepped() {
	local name=$1
	shift
	if ! "$@" -o "$work/$name" 2>"$work/$name.err"; then
		result 1 "$name"
		return
	fi
	LD_BIND_NOW=$bind judged "$name" -s "$steps" -k "$times" "$work/$name"
	rm -f "$work/$name"
}

# lazily NAME COMPILER-ARG...: the same, with calls into libraries bound as they are made. The others
# are bound when they are loaded: in programs that are as short as these, the dynamic linker at that
# work, where libdwfl errs, would weigh ten times what it does in programs that run.
lazily() {
	bind=
	stepped "$@"
	bind=1
}

# started COMMAND...: in the background, ended with this script.
started() {
	"$@" >/dev/null 2>&1 </dev/null &
	pids+=($!)
}

have() {
	command -v "$1" >/dev/null
}

# ---- C, C++, Rust, assembly ----
c="$src/calls.c -lm"
[ -x "$judge" ] || { echo "1..0 # SKIP no judge"; exit 1; }
# Timers do not wait for who is stepped: programs with signals make no way to speak of, and have fewer.
by_compiler() {
	local cc=$1 o ld
	for o in O0 O1 O2 O3 Os; do
		stepped "$cc-$o" $cc -$o $c
	done
	stepped "$cc-O2-fp" $cc -O2 -fno-omit-frame-pointer $c
	stepped "$cc-O0-nofp" $cc -O0 -fomit-frame-pointer $c
	stepped "$cc-O2-static" $cc -O2 -static $c
	stepped "$cc-O2-nopie" $cc -O2 -fno-pie -no-pie $c
	lazily "$cc-O2-lazy" $cc -O2 -Wl,-z,lazy $c
	stepped "$cc-O2-now" $cc -O2 -Wl,-z,now $c
	stepped "$cc-O2-cet" $cc -O2 -fcf-protection=full $c
	for ld in bfd gold lld mold; do
		if ! have ld.$ld; then
			skip "$cc-O2-$ld" "no ld.$ld"
		elif [ $cc = gcc ] && [ $ld = mold ]; then
			have mold && stepped "$cc-O2-$ld" env PATH="/usr/libexec/mold:$PATH" $cc -O2 -B/usr/libexec/mold $c
		else
			stepped "$cc-O2-$ld" $cc -O2 -fuse-ld=$ld $c
		fi
	done
	steps=20000 stepped "$cc-signals" $cc -O2 $src/signals.c
	steps=20000 lazily "$cc-signals-O0" $cc -O0 $src/signals.c
}
others() {
	stepped gcc-lto gcc -O2 -flto $c
	stepped gcc-O2-split gcc -O2 -freorder-blocks-and-partition -fno-inline $c
	stepped gcc-O2-avx512 gcc -O3 -mavx2 $c
	stepped gcc-static-pie gcc -O2 -static-pie $c
	stepped g++-throws g++ -O2 $src/throws.cc
	stepped g++-throws-O0 g++ -O0 $src/throws.cc
	stepped clang++-throws clang++ -O2 $src/throws.cc
	stepped by-hand gcc $src/hand.s
	if have rustc; then
		stepped rustc-O rustc -O $src/main.rs
		lazily rustc-debug rustc $src/main.rs
	else
		skip rustc "no rustc"
	fi
}

# Two at a time: a stepped program and its judge take turns.
(results=$work/results-gcc by_compiler gcc) &
gcc=$!
(results=$work/results-clang by_compiler clang) &
clang=$!
wait "$gcc" "$clang"
(results=$work/results-others others) &
others=$!

# ---- a distribution's own, while they work ----
# stopped NAME COMMAND...: stops it again and again, and steps on a little.
stopped() {
	local name=$1
	shift
	judged "$name" -n "$stops" -i 150 "$@"
}

stopped python3 python3 -c 'import re, json
while True: json.dumps([re.sub("a+", "b", "aaa%d" % i) for i in range(50)], sort_keys=True)'
stopped perl perl -e 'while (1) { my %h; $h{$_ % 17} .= sprintf("%05d", $_) for 1 .. 200; join ",", sort map { "$_$h{$_}" } keys %h }'
stopped openssl openssl speed -seconds 60 sha256
stopped xz sh -c 'exec xz -9 -c </dev/zero >/dev/null'
if have go; then
	cp $src/busy.go "$work/main.go"
	(cd "$work" && GOCACHE=${LEAT_OUT:?}/go-cache go build -o go main.go) >&2
	# Goroutines change stacks, so calls cannot be followed by sp: no steps between. A stop is a reason
	# to preempt, so that most are in a signal's handler; then where none is.
	judged go-preempted -n 60 "$work/go"
	GODEBUG=asyncpreemptoff=1 GOMAXPROCS=1 judged go -n $((stops * 2)) "$work/go"
else
	skip go "no go"
fi

# Its own code by frame pointer, its runtime by tables.
if have node; then
	stopped node node -e 'while (1) JSON.parse(JSON.stringify(Array.from({ length: 200 }, (_, i) => ({ i, s: "x".repeat(i) }))))'
else
	skip node "no node"
fi

# served NAME PID: a process of a server that is under load, so that a system call of it comes back.
served() {
	judged "$1" -w -n "$stops" -i 150 -p "$2"
}

# The Java machine itself, in C++: its compiler at work, while it runs as the main thread waits.
if have java; then
	java=$(readlink -f "$(command -v java)")
	started "${java%/*}/keytool" -J-Xcomp -genkeypair -keyalg RSA -keysize 16384 -alias a -dname CN=a \
		-keystore "$work/keys" -storepass secret
	compiler=
	for _ in $(seq 100); do
		compiler=$(grep -sl '^C2 Compiler' "/proc/${pids[-1]}"/task/*/comm | head -n 1)
		[ -n "$compiler" ] && break
		sleep 0.1
	done
	judged java -n "$stops" -i 150 -p "$(basename "$(dirname "$compiler")")"
	kill "${pids[-1]}"
else
	skip java "no java"
fi

if have redis-server && have redis-benchmark; then
	started redis-server --port 0 --unixsocket "$work/redis" --save '' --appendonly no
	redis=${pids[-1]}
	sleep 0.5
	started redis-benchmark -s "$work/redis" -c 4 -n 100000000 -t set,get,lpush,zadd
	sleep 0.5
	served redis-server "$redis"
else
	skip redis-server "no redis-server"
fi

if have nginx && have wrk; then
	mkdir -p "$work/nginx"
	cat >"$work/nginx.conf" <<-N
		daemon off; worker_processes 1; pid $work/nginx.pid; error_log /dev/null;
		events {}
		http { access_log off; server { listen 127.0.0.1:18471; root $work/nginx; location / { return 200 "hello"; } } }
	N
	started nginx -p "$work/nginx" -c "$work/nginx.conf"
	sleep 0.7
	started wrk -t1 -c4 -d600 http://127.0.0.1:18471/
	sleep 0.3
	served nginx "$(pgrep -P "${pids[-2]}" | head -n 1)"
else
	skip nginx "no nginx"
fi

pg=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
if [ -n "$pg" ] && id postgres >/dev/null 2>&1; then
	chmod 755 "$work"
	mkdir -p "$work/pg"
	chown postgres "$work/pg"
	# Programs that exec one another: what is started has the pid that is ended.
	as_pg=(setpriv --reuid postgres --regid postgres --clear-groups env -C "$work/pg")
	"${as_pg[@]}" "$pg/initdb" -D "$work/pg/data" -A trust >/dev/null 2>&1
	started "${as_pg[@]}" "$pg/postgres" -D "$work/pg/data" -k "$work/pg" -c listen_addresses= -c fsync=off
	sleep 1.5
	"${as_pg[@]}" "$pg/pgbench" -h "$work/pg" -i -s 1 postgres >/dev/null 2>&1
	started "${as_pg[@]}" "$pg/pgbench" -h "$work/pg" -c 1 -T 600 -S postgres
	sleep 0.7
	served postgres "$(pgrep -f "^postgres: postgres postgres \\[local\\]" | head -n 1)"
else
	skip postgres "no postgres"
fi

wait "$others"
for f in gcc clang others; do
	tell "$work/results-$f"
done
tell "$results"
printf 'in all: points %d, equal %.4f %%, equal or proven %.4f %%, short %d, neither %d, landing %d, unproven %d, guess %d\n' \
	"$points" "$(awk -v e="$equal" -v p="$points" 'BEGIN { print 100 * e / (p ? p : 1) }')" \
	"$(awk -v e="$((equal + better))" -v p="$points" 'BEGIN { print 100 * e / (p ? p : 1) }')" \
	"$short" "$neither" "$landing" "$unproven" "$guess" >&2
[ $((1000 * equal)) -ge $((999 * points)) ]
ok $? "at least 99.9 % of $points stacks are equal"
echo "1..$n"
[ "$failures" = 0 ]
