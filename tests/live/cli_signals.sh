#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# How a recording ends: Ctrl-C and its kin with the result, a second Ctrl-C without.
. "$(dirname "$0")/cli_lib.sh"
mkdir "$tmp/d"
cd "$tmp/d" || exit 1

# start PROGRAM ARGS...: in the background with signals as a terminal has them; $leat is its pid.
start() {
	: >"$tmp/err"
	python3 - "$@" >"$tmp/out" 2>"$tmp/err" <<'END' &
import os, signal, sys
for s in (signal.SIGINT, signal.SIGQUIT):
    signal.signal(s, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
END
	leat=$!
	started+=("$leat")
}
ends_with() {
	local got
	wait "$leat"
	got=$?
	[ $got = "$1" ] || { echo "exit status $got, wanted $1"; return 1; }
}

busy
for sig in INT TERM HUP; do
	start "$LEAT" record -p "$pid" -F 499 -o "$sig.html"
	check "it records until it is told to stop" wait_text "$tmp/err" "recording sh"
	sleep 0.5
	kill -$sig "$leat"
	check "SIG$sig ends it with 0" ends_with 0
	check "... and with the result" grep -q '<html' "$sig.html"
	check "... which is reported" said "wrote $sig.html"
done

status 124 timeout -s INT 1 "$LEAT" record -p "$pid" -o timeout.html
check "timeout(1), which signals twice at once, gets the result" [ -s timeout.html ]
start nohup "$LEAT" record -p "$pid" -d 2 -o nohup.html
wait_text "$tmp/err" "recording sh" >/dev/null
kill -HUP "$leat"
sleep 0.5
check "under nohup a hang-up ends nothing" kill -0 "$leat"
check "... it ends at its time" ends_with 0

begin=$(date +%s%N)
start "$LEAT" record -p "$pid" -F 499 -o exit.html
wait_text "$tmp/err" "recording sh" >/dev/null
sleep 0.5
kill "$pid"
check "the target's end ends it with the result" ends_with 0
check "... at once" [ $((($(date +%s%N) - begin) / 1000000)) -lt 15000 ]
check "... in a file" [ -s exit.html ]
rm -f ./*

export LEAT_FAKE="wait slow"
echo old >old.html
start "$FAKE" record -p 1 -o a.html -o old.html
wait_text "$tmp/err" "recording" >/dev/null
kill -INT "$leat"
sleep 0.6
kill -INT "$leat"
check "a second Ctrl-C aborts with 130" ends_with 130
check "... nothing is left of it" only_files . old.html
check "... and the old file stays" grep -qx old old.html
check "... which is said" said "aborted"
unset LEAT_FAKE

mkfifo fifo
start "$FAKE" record -p 1 -o fifo -f folded
sleep 0.5
kill -INT "$leat"
check "Ctrl-C ends the wait for the reader of a FIFO" ends_with 130
rm -f fifo old.html

start "$LEAT" record -F 499 -o cmd.html -- sh -c 'trap "exit 7" TERM; echo ready >&2; while :; do :; done'
check "a command is started" wait_text "$tmp/err" "ready"
sleep 0.5
kill -TERM "$leat"
check "a signal reaches the command, and the result is written" ends_with 0
check "... whose end is told" said "command: exited with status 7"
check "... in a file" [ -s cmd.html ]

# Each signal reaches the command as itself.
for sig in INT TERM HUP; do
	start "$LEAT" record -F 499 -o cmd.html -- bash -c 'for s in INT TERM HUP; do
		trap "echo got $s >&2; exit 5" $s; done; echo ready >&2; while :; do :; done'
	wait_text "$tmp/err" "ready" >/dev/null
	wait_text "$tmp/err" "recording" >/dev/null
	sleep 0.3
	kill -$sig "$leat"
	check "SIG$sig for leat, with a command, is a normal end" ends_with 0
	check "... the command got SIG$sig" said "got $sig"
	check "... and no other" [ "$(grep -c '^got ' "$tmp/err")" = 1 ]
done

begin=$(date +%s%N)
start "$LEAT" record -d 1 -F 499 -o cmd.html -- sh -c 'trap "exit 6" TERM; while :; do :; done'
check "the end of -d is the end of the command" ends_with 0
check "... by TERM" said "command: exited with status 6"
check "... then" [ $((($(date +%s%N) - begin) / 1000000)) -lt 15000 ]

start env LEAT_FAKE="wait" "$FAKE" record -p 1 -o quit.html
wait_text "$tmp/err" "recording" >/dev/null
kill -QUIT "$leat"
check "SIGQUIT aborts with 130, and without a core" ends_with 130
check "... and without a file" [ ! -e quit.html ]

start "$LEAT" record -p $$ -o never.html
sleep 0.7
kill -KILL "$leat"
wait "$leat" 2>/dev/null
check "killed, it leaves no result" [ ! -e never.html ]
mkdir killed
echo old >killed/old.html
start env LEAT_FAKE="wait" "$FAKE" record -p 1 -o killed/a.html -o killed/old.html
wait_text "$tmp/err" "recording" >/dev/null
kill -KILL "$leat"
wait "$leat" 2>/dev/null
if python3 -c 'import os; os.open("killed", os.O_TMPFILE | os.O_WRONLY)' 2>/dev/null; then
	check "... nor a temporary file" only_files killed old.html
else
	skip "... nor a temporary file" "no O_TMPFILE in this file system"
fi
check "... and keeps the old file" grep -qx old killed/old.html
finish
