#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# User stacks by unwind tables: programs without frame pointers and their known callers, and Debian's
# servers, which have none.
. "$(dirname "$0")/lib.sh"
work_dir

complete() { # NAME WANTED: percent of the user stacks
	at_least "$(verdict "$1" complete_percent)" "$2"
}

# accounted NAME: every sample that was sent as a copy of its stack is in the profile.
accounted() {
	adds_up "$1" && test "$(verdict "$1" lost_user)" = 0
}

test_deep() {
	local deep
	WAIT_READY=1 start "$WORKLOADS/wl_nofp" deep 40
	record deep -p "$pid" --unwind table -F 999 -d 2
	recorded deep "deep recursion" || return
	deep=$(printf 'nofp_deep;%.0s' $(seq 41))
	is "deep recursion: stacks are complete" complete deep 99
	is "deep recursion: all callers, and no other" at_least \
		"$(share deep ";main;nofp_outer;${deep}nofp_leaf" nofp_leaf)" 99.9
	is "deep recursion: every sample accounted for" accounted deep
	is "deep recursion: some were unwound in user space at first" at_least "$(verdict deep raw)" 1
	is "deep recursion: nearly all in the kernel" at_most "$(verdict deep raw)" "$(($(total deep) / 5))"
	record deep_fp -p "$pid" --unwind fp -F 999 -d 1
	is "deep recursion: frame pointers do not find them" at_most \
		"$(share deep_fp ";main;nofp_outer;${deep}nofp_leaf" nofp_leaf)" 1
	record deep_small -p "$pid" --unwind table --unwind-memory 64K -F 999 -d 2
	is "deep recursion, no memory for tables: not worse for it" complete deep_small 95
	stop "$pid"
}

test_signal() {
	WAIT_READY=1 start "$WORKLOADS/wl_nofp" signal
	record signal -p "$pid" --unwind table -F 999 -d 2
	stop "$pid"
	recorded signal "signal handler" || return
	is "signal handler: stacks are complete" complete signal 99
	is "signal handler: what it interrupted is below it" at_least \
		"$(share signal ';main;nofp_waits;.*nofp_handler;nofp_leaf' nofp_leaf)" 99
	is "signal handler: it is where the time goes" at_least "$(share signal nofp_handler)" 50
}

test_plug() {
	WAIT_READY=1 start "$WORKLOADS/wl_nofp" plug "$WORKLOADS/wl_nofp_plug.so"
	record plug -p "$pid" --unwind table -F 999 -d 3
	stop "$pid"
	recorded plug "library opened and closed" || return
	is "library opened and closed: stacks are complete" complete plug 99
	is "library opened and closed: callers on both sides" at_least \
		"$(share plug ';main;nofp_plugged;plug_run;nofp_back;nofp_leaf' nofp_leaf)" 99
}

test_fork() {
	WAIT_READY=1 start "$WORKLOADS/wl_nofp" fork
	record forks -p "$pid" --children --unwind table -F 999 -d 3
	stop "$pid"
	recorded forks "children" || return
	is "children: stacks are complete" complete forks 99
	is "children: the callers are their parent's" at_least \
		"$(share forks ';main;child;nofp_outer;nofp_deep;nofp_deep;nofp_deep;nofp_deep;nofp_deep;nofp_deep;nofp_leaf' nofp_leaf)" 99
	is "children: every sample accounted for" accounted forks
}

test_exec() {
	WAIT_READY=1 start "$WORKLOADS/wl_short" 2000 2
	(sleep 0.7; echo go >&9) &
	record short -p "$pid" --children --unwind table -F 999
	recorded short "2,000 short processes" || return
	is "2,000 short processes: stacks are complete" complete short 97
	is "2,000 short processes: every sample accounted for" adds_up short
	is "2,000 short processes: leat under 35 % of a CPU" at_most "$(self_percent short)" 35
}

test_deleted() {
	cp "$WORKLOADS/wl_nofp" "$work/wl_nofp_gone"
	WAIT_READY=1 start "$work/wl_nofp_gone" deep 10
	rm "$work/wl_nofp_gone"
	record deleted -p "$pid" --unwind table -F 999 -d 2
	stop "$pid"
	recorded deleted "deleted binary" || return
	is "deleted binary: stacks are complete" complete deleted 99
	is "deleted binary: its callers" at_least "$(share deleted 'main;nofp_outer;nofp_deep' nofp_leaf)" 99
}

test_command() {
	record command --unwind table -F 999 -d 2 -- "$WORKLOADS/wl_nofp" deep 10 >/dev/null
	recorded command "started program" || return
	is "started program: stacks are complete" complete command 99
}

test_host() {
	WAIT_READY=1 start "$WORKLOADS/wl_nofp" deep 10
	record host -a --unwind table -F 499 -d 5
	stop "$pid"
	recorded host "whole host" || return
	# In the first moments all processes of the host ask for tables at once.
	is "whole host: the callers of one of its programs" at_least \
		"$(share host ';main;nofp_outer;nofp_deep' nofp_leaf)" 85
	is "whole host: all of them, but for samples that say that the table was not ready" at_least \
		"$(share host '(;main;nofp_outer;nofp_deep|table not ready).*nofp_leaf' nofp_leaf)" 99.9
	is "whole host: every sample accounted for" adds_up host
}

test_redis() {
	local p=$((20000 + $$ % 20000))
	command -v redis-server >/dev/null || { skip "redis" "no redis-server"; return; }
	(cd "$work" && exec redis-server --port "$p" --bind 127.0.0.1 --save "" --daemonize no) >"$work/redis.log" 2>&1 &
	local server=$!
	started+=("$server")
	for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null && break; sleep 0.1; done
	timeout 20 redis-benchmark -p "$p" -t set,lpush,lrange_300 -n 100000000 -P 8 -q >/dev/null 2>&1 &
	started+=("$!")
	sleep 1
	record redis -p "$server" --unwind table -F 999 -d 5
	recorded redis "redis" || return
	is "redis: 99.9 % of the stacks are complete" complete redis 99.9
	is "redis: all begins where the C library calls main" at_least "$(share redis ';__libc_start_call_main;')" 99
	is "redis: every sample accounted for" accounted redis
}

test_postgres() {
	local p=$((20001 + $$ % 20000)) bin
	bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
	[ -n "$bin" ] || { skip "postgres" "no postgres"; return; }
	install -d -o postgres -m 700 "$work/pg"
	as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups env PATH="$bin:$PATH" LC_ALL=C HOME="$work/pg" "$@"; }
	as_postgres initdb -D "$work/pg/data" -A trust >"$work/pg.log" 2>&1
	as_postgres postgres -D "$work/pg/data" -p "$p" -k "$work/pg" -c listen_addresses=127.0.0.1 -c fsync=off >>"$work/pg.log" 2>&1 &
	local server=$!
	for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null && break; sleep 0.1; done
	as_postgres pgbench -h 127.0.0.1 -p "$p" -i -s 3 -q postgres >>"$work/pg.log" 2>&1
	as_postgres pgbench -h 127.0.0.1 -p "$p" -S -c 2 -T 12 postgres >>"$work/pg.log" 2>&1 &
	local bench=$!
	sleep 1
	record postgres -p "$server" --children --unwind table -F 999 -d 5
	if recorded postgres "postgres"; then
		is "postgres: 99.9 % of the stacks are complete" complete postgres 99.9
		is "postgres: all begins where the C library calls main" at_least \
			"$(share postgres ';__libc_start_call_main;')" 99
		is "postgres: most rules are remembered" at_most \
			"$(($(verdict postgres n_table_miss) * 4))" "$(verdict postgres n_table_frames)"
	fi
	kill "$bench"
	kill -INT "$(head -n 1 "$work/pg/data/postmaster.pid")"
	wait "$server"
}

# Code without a file is walked by frame pointer, also before any table was asked for.
test_jit() {
	[ "$(uname -m)" = x86_64 ] || { skip "jit" "x86-64 only"; return; }
	WAIT_READY=1 start "$WORKLOADS/wl_jit" 20
	record jit -p "$pid" --unwind table -F 999 -d 2
	stop "$pid"
	rm -f "/tmp/perf-$pid.map"
	recorded jit "code made at run time" || return
	is "code made at run time: stacks are complete" complete jit 99
	is "code made at run time: who called it" at_least "$(share jit ';main;jit_spin' jit_spin)" 99
}

# long_compilation FILE: a C file that keeps an optimizing compiler busy for minutes.
long_compilation() {
	awk 'BEGIN {
		for (i = 0; i < 20000; i++) {
			printf "int f%d(int *a, int n) { int s = n; for (int i = 0; i < n; i++) { switch (a[i & 63] & 7) {\n", i
			for (k = 0; k < 7; k++)
				printf "case %d: s += a[(s ^ %d) & 63] * %d; if (s & %d) s ^= n; break;\n", k, i * 7 + k, k + 3, 2 ^ k
			printf "default: s -= i; } } return s; }\n"
		}
	}' >"$1"
}

# The tables of two libraries have 4 MB each, and every stack needs both: less than that is a
# recording of little worth, which says so, and still costs little.
test_starved() {
	command -v clang >/dev/null || { skip "little memory for tables" "no clang"; return; }
	long_compilation "$work/long.c"
	start clang -O2 -c -o "$work/long.o" "$work/long.c"
	sleep 2
	record starved -p "$pid" --children --unwind table --unwind-memory 1M -F 999 -d 6
	stop "$pid"
	recorded starved "little memory for tables" || return
	is "little memory for tables: every sample accounted for" accounted starved
	# 200 and more, were each built as soon as it is asked for; on a busy host there is no time for that.
	is "little memory for tables: they are not built over and over" \
		at_most "$(verdict starved tables_built)" 60
	is "little memory for tables: leat under 10 % of a CPU" at_most "$(self_percent starved)" 10
	is "little memory for tables: binaries are named by cause" at_least "$(verdict starved memory)" 2
	is "little memory for tables: it is said, and what would do" \
		grep -q "no memory for their unwind tables: take --unwind-memory [0-9]*M" "$work/starved.err"
}

for part in ${TABLES_PARTS:-deep signal plug jit fork exec deleted command host starved redis postgres}; do
	"test_$part"
done
done_testing
