#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Unwinding by tables where it is hard: binaries that say little or nonsense of themselves, address
# spaces that change all the time, a cache on disk, and code that a JIT makes.
. "$(dirname "$0")/lib.sh"
work_dir
# Half a second of a recording is enough when the program runs in it, whatever else the machine does.
renice -n -10 -p $$ >/dev/null

complete() { # NAME WANTED: percent of the user stacks
	at_least "$(verdict "$1" complete_percent)" "$2"
}

# user_part NAME: stacks without their kernel frames, recursion as one.
user_part() {
	sed -E 's/(;[^;]*_\[k\])+ / /; s/(;nofp_deep)+/;nofp_deep/' "$work/$1.folded"
}

# only NAME REGEX: every stack that ends in nofp_leaf is one of these; there are some.
only() {
	user_part "$1" | awk -v re="$2" '{n = $NF; sub(/ [0-9]+$/, "")} /;nofp_leaf$/ {all += n; if ($0 !~ re) print}
	END {if (!all) print "none"}' | head -n 3 | (! grep .)
}

blind() { # KIND
	WAIT_READY=1 start "$WORKLOADS/wl_blind_$1" deep 10
	record "blind_$1" -p "$pid" --unwind table -F 999 -d 0.7 -o "$work/blind_$1.leat"
	stop "$pid"
	recorded "blind_$1" "$2"
}

# why KIND: what the verdict says of that binary.
why() {
	grep -oE "wl_blind_$1\",\"why\":\"[a-z_]+" "$work/blind_$1.json" | sed 's/.*"//'
}

test_blind() {
	if blind framed "frame pointers, unwind information of the start files alone"; then
		is "by frame pointer: complete" complete blind_framed 99
		is "by frame pointer: all callers" at_least \
			"$(share blind_framed ';main;nofp_outer;nofp_deep' nofp_leaf)" 99
	fi
	if blind stripped "frame pointers, no unwind information"; then
		is "no unwind information: complete" complete blind_stripped 99
		is "no unwind information: all callers" at_least \
			"$(share blind_stripped ';main;nofp_outer;nofp_deep' nofp_leaf)" 99
		is "no unwind information: found out of the code, so nothing is amiss" test -z "$(why stripped)"
	fi
	if blind neither "neither"; then
		is "neither: complete, by its instructions" complete blind_neither 99
		is "neither: all callers, and none that is none" only blind_neither ';main;nofp_outer;nofp_deep;nofp_leaf$'
	fi
	if blind damaged "damaged unwind information"; then
		is "damaged: said to be incomplete" at_most "$(verdict blind_damaged complete_percent)" 5
		is "damaged: no caller that is none" only blind_damaged ';[[]no unwind information[]];nofp_leaf$'
		is "damaged: the verdict names it, and why" test "$(why damaged)" = malformed
		"$LEAT" report -v "$work/blind_damaged.leat" >"$work/report" 2>&1
		is "damaged: so does a report of the capture" grep -q \
			"unwind table of .*/wl_blind_damaged: unwind information malformed$" "$work/report"
	fi
}

files_in() {
	find "$1" -name '*.unwind' | wc -l
}

test_cache() {
	local before after
	WAIT_READY=1 start "$WORKLOADS/wl_nofp" deep 10
	record cold -p "$pid" --unwind-cache "$work/cache" -F 999 -d 0.5
	before=$(files_in "$work/cache")
	record warm -p "$pid" --unwind-cache "$work/cache" -F 999 -d 0.5
	after=$(files_in "$work/cache")
	for f in "$work/cache"/*; do truncate -s 1000 "$f"; done
	record cut -p "$pid" --unwind-cache "$work/cache" -F 999 -d 0.5
	recorded warm "cache" || return
	is "cache: the first recording builds" at_least "$(verdict cold tables_built)" 2
	is "cache: and keeps all" test "$before" = "$(verdict cold tables_built)"
	is "cache: the second one loads them" at_least "$(verdict warm tables_cached)" 2
	# By chance it may have come to a binary that the first one did not.
	is "cache: and builds nothing that was there" test "$(verdict warm tables_built)" = $((after - before))
	is "cache: the stacks are the same" at_least "$(share warm ';main;nofp_outer;nofp_deep' nofp_leaf)" 99
	is "cache: damaged files are built anew, and counted" at_least "$(verdict cut cache_damaged)" 1
	is "cache: and give the same stacks" at_least "$(share cut ';main;nofp_outer;nofp_deep' nofp_leaf)" 99
	is "cache: only its owner may read it" test "$(stat -c %a "$work/cache")" = 700
	mkdir -m 777 "$work/open"
	record open -p "$pid" --unwind-cache "$work/open" -d 1
	is "cache: a directory that others may write to is refused" grep -q "others may write" "$work/open.err"
	install -d -o nobody -m 755 "$work/theirs"
	record theirs -p "$pid" --unwind-cache "$work/theirs" -d 1
	is "cache: so is another user's" grep -q "belongs to another user" "$work/theirs.err"
	# Many at once, on one directory.
	rm -rf "$work/cache"
	for i in 1 2 3 4; do
		record "beside$i" -p "$pid" --unwind-cache "$work/cache" -F 99 -d 0.5 &
	done
	wait $(jobs -p | grep -vx "$pid")
	record after -p "$pid" --unwind-cache "$work/cache" -F 999 -d 0.5
	is "cache: several recordings beside one another leave it whole" test "$(verdict after cache_damaged)" = 0
	is "cache: and with the tables that all needed" at_least "$(verdict after tables_cached)" 2
	is "cache: nothing half-written stays" test -z "$(find "$work/cache" -name '.new-*')"
	stop "$pid"
}

test_execs() {
	record execs -F 999 -- "$WORKLOADS/wl_storm" execs 2 >/dev/null
	recorded execs "two and three execs within milliseconds" || return
	is "execs: who called it" at_least "$(share execs ';main;step;storm_caller;storm_leaf' storm_leaf)" 95
	is "execs: a stack that is not whole says so" test -z \
		"$(awk '/storm_leaf/ && !/__libc_start_call_main;main|\[/' "$work/execs.folded")"
	is "execs: every sample accounted for" adds_up execs
}

test_forks() {
	record forks -F 999 -- "$WORKLOADS/wl_forks" 2 2 >/dev/null
	recorded forks "fork storm" || return
	is "fork storm: who called it" at_least "$(share forks ';main;(storm;)?storm_child' storm_child)" 95
	is "fork storm: every sample accounted for" adds_up forks
}

test_moves() {
	[ "$(uname -m)" = x86_64 ] || { skip "moves" "x86-64 only"; return; }
	record moves -F 999 -- "$WORKLOADS/wl_storm" moves 3 >/dev/null
	recorded moves "code moved by mremap" || return
	# Nothing tells of it: it is found by samples that came to a place where no code is known.
	is "mremap: who called it" at_least "$(share moves ';main;call_moved;')" 85
}

test_maps() {
	WAIT_READY=1 start "$WORKLOADS/wl_maps" 30 200000 12000
	record maps -p "$pid" -F 999 -d 2
	stop "$pid"
	recorded maps "200,000 mappings, 12,000 with code" || return
	is "many mappings: complete" complete maps 90
	is "many mappings: who called it" at_least "$(share maps ';main;maps_work' maps_work)" 90
	is "many mappings: leat under half a CPU" at_most "$(self_percent maps)" 50
	WAIT_READY=1 start "$WORKLOADS/wl_maps" 30 60000 30000
	record more -p "$pid" -F 499 -d 1
	stop "$pid"
	recorded more "30,000 mappings with code: more than the kernel side takes" || return
	is "too many mappings: counted" at_least "$(verdict more tables_refused)" 1
	is "too many mappings: every sample accounted for" adds_up more
}

test_short() {
	cp "$WORKLOADS/wl_nofp" "$work/one"
	record short -F 999 -- "$WORKLOADS/wl_storm" short 2 "$work/one" "$WORKLOADS/wl_blind_framed" \
		"$WORKLOADS/wl_blind_damaged" >/dev/null
	recorded short "processes that are killed while their tables are built" || return
	is "killed: the callers of those that say them" at_least \
		"$(share short '^(one|wl_blind_framed);.*;main;nofp_outer;nofp_deep' '^(one|wl_blind_framed);.*nofp_leaf')" 95
	is "killed: every sample accounted for" adds_up short
}

# V8 compiles jit_hot, which then runs in code of its own.
test_node() {
	command -v node >/dev/null || { skip "node" "no node"; return; }
	cat >"$work/jit.js" <<-'END'
		function jitLeaf(n) { let s = 0; for (let i = 0; i < n; i++) s = (s * 31 + i) % 1000003; return s; }
		function jitDeep(n) { return n ? jitDeep(n - 1) + 1 : jitLeaf(20000); }
		const text = 'some text of 42 words '.repeat(50);
		let sum = 0;
		function jitWork(i) {
			sum += jitDeep(i % 20);
			sum += text.split(' ').map((w) => w.length + i).reduce((a, b) => a + b, 0);
			sum += JSON.stringify({ i, list: [i, i + 1] }).length;
		}
		for (let i = 0; i < 3000; i++) jitWork(i);
		console.log('ready');
		const end = Date.now() + 30000;
		for (let i = 0; Date.now() < end; i++) jitWork(i);
	END
	(cd "$work" && exec node --perf-basic-prof jit.js) >"$work/node.out" 2>&1 &
	pid=$!
	started+=("$pid")
	wait_for node ready
	record node -p "$pid" --unwind table -F 999 -d 3
	stop "$pid"
	rm -f "/tmp/perf-$pid.map"
	recorded node "node" || return
	is "node: 99.5 % of the stacks are complete" complete node 99.5
	is "node: most is code that V8 has made" at_least "$(share node 'jitLeaf')" 50
	is "node: its callers" at_least "$(share node 'jitDeep' jitLeaf)" 95
	is "node: all of them begin in the C library" at_least "$(share node ';__libc_start_call_main;' jitLeaf)" 99
}

for part in ${STORM_PARTS:-blind cache execs forks moves maps short node}; do
	"test_$part"
done
done_testing
