#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Exit statuses and what is said with each, from the real program.
. "$(dirname "$0")/cli_lib.sh"
cd "$tmp" || exit 1
record() { status "$1" "$LEAT" record "${@:2}"; }
loop='i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'

check "2: no target" record 2 -d 1
check "... names the choices" said "-p PID, -n NAME"
check "2: unknown option" record 2 --frequenzy 1
check "... guesses" said "did you mean --frequency?"
check "2: nonsense number" record 2 -p 1 -d 0
check "2: a conflict" record 2 -a -p 1
max=$(cat /proc/sys/kernel/perf_event_max_sample_rate)
check "2: above the kernel's limit" record 2 -p $$ -F $((max + 1))
check "... which is named" grep -qw "$max" "$tmp/err"
check "2: far above it, and above leat's own" record 2 -p $$ -F 99999999
check "... the kernel's is the one that is named" grep -qw "kernel's limit is $max" "$tmp/err"
check "2: unknown event" record 2 -p $$ -e cpu-clok -o a.html
check "... guesses" said "did you mean -e cpu-clock?"
check "2: unknown extension" record 2 -p $$ -o a.jpeg

check "4: no such process" record 4 -p 4194303 -d 1 -o a.html
check "... says so" said "4194303"
check "4: no such name" record 4 -n no-such-process -d 1 -o a.html
check "4: no such cgroup" record 4 --cgroup /no/such/group -d 1 -o a.html
idle
check "5: an idle target" record 5 -p "$pid" -d 1 -o a.html
check "... used no CPU" said "0.00 s of CPU"
check "no file was made by any of them" bash -c "! ls '$tmp'/a.* 2>/dev/null"

busy
check "0: a recording" record 0 -p "$pid" -d 1 -o a.html
check "... with its verdict" grep -qE '^  (trust|with care|do not trust): ' "$tmp/err"
check "... and the hottest functions" said "  hottest: "
check "1: a file that cannot be written" record 1 -p "$pid" -d 1 -o /dev/full -f html
check "7: loss above the limit" status 7 env LEAT_FAKE=lossy "$FAKE" record -p 1 --max-loss 5 -o l.html
check "... the file is written" [ -s l.html ]
check "every target at once" record 0 -a -d 1 -o a.html
check "by name" record 0 -n sh -d 1 -o a.html
check "by user, on one CPU list" record 0 -u root -C 0-1 -d 1 -o a.html
check "quiet" record 0 -p "$pid" -d 1 -q -o a.html
check "... means silent" [ ! -s "$tmp/err" ]
check "the default name" bash -c "mkdir n && cd n && '$LEAT' record -p $pid -d 500ms -q &&
	ls | grep -qxE 'leat-sh-$pid-[0-9]{8}-[0-9]{6}\.html'"

check "0: a command that fails" record 0 -o c.html -- sh -c "$loop; exit 3"
check "... whose status is told" said "command: exited with status 3"
check "3: the same, propagated" record 3 --propagate -o c.html -- sh -c "$loop; exit 3"
check "137: by a signal, propagated" record 137 --propagate -o c.html -- sh -c "$loop; kill -KILL \$\$"
check "... which is named" said "SIGKILL"
check "4: a command that does not exist" record 4 -o c.html -- /no/such/command
check "... and no end of it is told" not_said "command: "
check "4: also when its status is asked for" record 4 --propagate -o c.html -- /no/such/command
check "... and no signal is made up" not_said "ended by signal"
check "output of the command is its own" bash -c "[ \"\$('$LEAT' record -q -o c.html -- sh -c '$loop; echo hello')\" = hello ]"
check "a command under sudo is the user's" bash -c "[ \"\$(SUDO_UID=65534 SUDO_GID=65534 SUDO_USER=nobody \
	'$LEAT' record -q -o c.html -- sh -c '$loop; id -u')\" = 65534 ]"

chmod 777 "$tmp"
cp "$LEAT" "$tmp/leat"
check "3: not privileged" status 3 nobody "$tmp/leat" record -p "$pid" -d 1 -o n.html
check "... with the cause" said "CAP_BPF"
check "... and the fix" grep -qE '^  fix: .*sudo' "$tmp/err"
check "... and the lesser one" said "setcap cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search,cap_checkpoint_restore,cap_syslog+ep"
check "... no file" [ ! -e n.html ]
check "doctor finds nothing here that would stop a recording" status 0 "$LEAT" doctor
check "... for a process too" status 0 "$LEAT" doctor -p "$pid"
check "... and for programs" bash -c "'$LEAT' doctor --json | python3 -m json.tool"
check "doctor says what an ordinary user lacks" status 1 nobody "$tmp/leat" doctor
check "list shows cpu-clock" bash -c "'$LEAT' list --names | grep -qx cpu-clock"
check "... and is JSON when asked" bash -c "'$LEAT' list --json | python3 -m json.tool"
(while :; do /bin/true; done) &
started+=($!)
for e in cpu-clock page-faults context-switches minor-faults; do
	"$LEAT" list --names | grep -qx $e || continue
	period=1
	[ $e = cpu-clock ] && period=10000000 # ns
	check "list offers $e, and it can be sampled" record 0 -a -e $e -c "$period" -d 1 -o /dev/null -f folded
done
finish
