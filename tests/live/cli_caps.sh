#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Without root: exactly the capabilities that the manual lists are enough, and frames have names.
. "$(dirname "$0")/cli_lib.sh"
chmod 777 "$tmp"
cd "$tmp" || exit 1
cp "$LEAT" leat
caps="bpf perfmon sys_ptrace dac_read_search checkpoint_restore syslog"
all="cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search,cap_checkpoint_restore,cap_syslog"

# with CAPS...: as nobody, holding these and no others.
with() {
	local set="-all" c
	while [ "$1" != -- ]; do
		set+=",+$1"
		shift
	done
	shift
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps="$set" --ambient-caps="$set" \
		--bounding-set="$set" "$@"
}
named() { # at least one kernel and one user function of dd have names
	grep -qE 'sys_read|ksys_read|read_iter|entry_SYSCALL|do_syscall_64' "$1" && grep -qE '__GI_|read|write|_start' "$1"
}

for c in $caps; do
	check "the manual lists cap_$c" bash -c "'$LEAT' help --man | grep -qx '.It Cm cap_$c'"
done
# Root's process, in and out of the kernel.
dd if=/dev/zero of=/dev/null bs=4k 2>/dev/null &
pid=$!
started+=("$pid")
# shellcheck disable=SC2086
check "these six are enough" status 0 with $caps -- ./leat record -p "$pid" -d 2 -F 499 -o caps.folded --summary caps.json
check "... user and kernel functions have names" named caps.folded
check "... nothing is hidden or unreadable" bash -c "python3 - <<'END'
import json
v = json.load(open('caps.json'))
s = json.dumps(v)
assert not v.get('kptr_restricted'), s
assert not v.get('processes_unreadable'), s
END"
# shellcheck disable=SC2086
check "doctor agrees" status 0 with $caps -- ./leat doctor -p "$pid"
for c in bpf perfmon; do
	# shellcheck disable=SC2046
	check "3: without cap_$c" status 3 with $(printf '%s\n' $caps | grep -vx $c) -- \
		./leat record -p "$pid" -d 1 -o none.folded
	check "... with a fix" grep -q '^  fix: ' "$tmp/err"
done
# shellcheck disable=SC2046
check "without cap_syslog kernel names are missing, and that is said" status 0 \
	with $(printf '%s\n' $caps | grep -vx syslog) -- ./leat record -p "$pid" -d 1 -o nosys.folded
check "... in the hint" said "leat doctor"

if setcap "$all+ep" leat 2>/dev/null; then
	check "the line that errors and the manual give works" status 0 nobody ./leat record -p "$pid" -d 1 -F 499 -o fcaps.folded
	check "... names too" named fcaps.folded
	check "... the file is the user's" [ "$(stat -c %u fcaps.folded)" = 65534 ]
	cp "$LEAT" plain
	status 3 nobody ./plain record -p "$pid" -d 1 -o x.folded
	check "... and is the one that the error prints" said "setcap $all+ep"
else
	skip "the line that errors and the manual give works" "no file capabilities here"
fi
finish
