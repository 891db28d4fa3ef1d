# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# For cli_*.sh: TAP, a scratch directory, processes to look at. $LEAT is the program, $FAKE the same
# program over a layer that needs no kernel (tests/support/fake_live.c).
set -u
LEAT=${LEAT:?path of the program}
FAKE=${LEAT_OUT:?directory of the build}/tests/leat-fake
tap_n=0
tap_bad=0
tmp=$(mktemp -d)
chmod 755 "$tmp"
started=()

cleanup() {
	local p
	for p in "${started[@]}"; do kill -KILL "$p" 2>/dev/null; done
	wait 2>/dev/null
	mountpoint -q "$tmp/full" && umount "$tmp/full"
	rm -rf "$tmp"
}
trap cleanup EXIT

# check TEXT COMMAND...: ok when the command succeeds.
check() {
	local text=$1
	shift
	tap_n=$((tap_n + 1))
	if "$@" >"$tmp/.check" 2>&1; then
		echo "ok $tap_n - $text"
	else
		echo "not ok $tap_n - $text"
		sed 's/^/# /' "$tmp/.check"
		[ -s "$tmp/err" ] && sed 's/^/# err: /' "$tmp/err"
		tap_bad=$((tap_bad + 1))
	fi
}
skip() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}
finish() {
	echo "1..$tap_n"
	exit $((tap_bad != 0))
}

# status WANT COMMAND...: runs it with outputs in $tmp/out and $tmp/err.
status() {
	local want=$1 got
	shift
	"$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	[ $got = "$want" ] || { echo "exit status $got, wanted $want: $*"; return 1; }
}
said() { grep -qF -- "$1" "$tmp/err" || { echo "not said: $1"; return 1; }; }
not_said() { ! grep -qF -- "$1" "$tmp/err"; }
# No file but those named, hidden ones included, is in the directory.
only_files() {
	local dir=$1 have
	shift
	have=$(find "$dir" -mindepth 1 -printf '%P\n' | sort | tr '\n' ' ')
	[ "$have" = "$(printf '%s\n' "$@" | sort | sed '/^$/d' | tr '\n' ' ')" ] || { echo "there: $have"; return 1; }
}

# A process that is busy, one that sleeps; $pid.
busy() {
	sh -c 'while :; do :; done' &
	pid=$!
	started+=("$pid")
}
idle() {
	sleep 1000 &
	pid=$!
	started+=("$pid")
}
# wait_text FILE TEXT: until it is there, 20 s at most.
wait_text() {
	local i
	for i in $(seq 200); do
		grep -qF -- "$2" "$1" 2>/dev/null && return 0
		sleep 0.1
	done
	echo "never came: $2"
	return 1
}
nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
