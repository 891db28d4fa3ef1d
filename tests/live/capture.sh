#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A capture file gives what the live run gave, byte for byte, where the binaries are gone; a recording
# that was killed leaves one that can be used; a full disk is an error. Prints TAP.
. "$(dirname "$0")/lib.sh"
work_dir
formats="html svg folded pb.gz json txt"

# away COMMAND...: where neither the binary nor /proc, /home nor /sys can be seen.
away() {
	unshare -m -- bash -c '
		for d in /proc /sys /home "$0"; do mount -t tmpfs none "$d" || exit 99; done
		"$@"' "$work/bin" "$@"
}

# outputs NAME FORMATS: -o options for each format.
outputs() {
	local f
	for f in $2; do printf -- '-o\n%s\n' "$work/$1.$f"; done
}

# round TEXT FORMATS ARGS...: records with ARGS, replays away, compares.
round() {
	local text=$1 f differs="" list
	list=$2
	shift 2
	mapfile -t outs < <(outputs live "$list")
	mapfile -t back < <(outputs back "$list")
	rm -f "$work"/live.* "$work"/back.* "$work/run.leat"
	if ! "$LEAT" record -d 1 "${outs[@]}" -o "$work/run.leat" --summary "$work/live.sum" "$@" \
		2>"$work/record.err"; then
		not_ok "$text: recorded" "$(cat "$work/record.err")"
		return
	fi
	if ! away "$LEAT" convert "$work/run.leat" "${back[@]}" --summary "$work/back.sum" 2>"$work/convert.err"; then
		not_ok "$text: converted" "$(cat "$work/convert.err")"
		return
	fi
	for f in $list sum; do
		cmp -s "$work/live.$f" "$work/back.$f" || differs="$differs $f"
	done
	if [ -z "$differs" ]; then ok "$text: all outputs have the same bytes"; else not_ok "$text: the same bytes" "$differs"; fi
}

mkdir "$work/bin"
cp "$WORKLOADS/demo" "$WORKLOADS/wl_jit" "$work/bin/"
WAIT_READY=0 start "$work/bin/demo"
demo=$pid
sleep 0.3

no_stream="html svg folded pb.gz json"
round "counted" "$no_stream" -F 499 -p "$demo"
round "streamed" "$formats" -F 499 -p "$demo" --stream
round "per thread" "$no_stream" -F 499 -p "$demo" --per-thread
round "user only" "$no_stream" -F 499 -p "$demo" -U
round "kernel only" "$no_stream" -F 499 -p "$demo" -K
round "by period" "$no_stream" -p "$demo" -e page-faults -c 10
round "whole host, streamed, per thread" "$formats" -F 499 -a --stream --per-thread
round "a title and deep stacks" "$no_stream" -F 499 -p "$demo" --title 'a <title> & "more"' --max-stack 3
# shellcheck disable=SC2016
round "a command and its children" "$no_stream" -F 999 -- bash -c 'while :; do (: "$(echo x)"); done'
WAIT_READY=1 start "$work/bin/wl_jit" 20
jit=$pid
round "code made at run time" "$no_stream" -F 499 -p "$jit"
stop "$jit"

# --- anonymous -------------------------------------------------------------------------------
home=$(mktemp -d /home/leat-test-XXXXXX 2>/dev/null)
if [ -n "$home" ]; then
	at_end() { rm -rf "$home"; }
	cp "$WORKLOADS/demo" "$home/demo"
	chmod 755 "$home" "$home/demo"
	"$home/demo" >/dev/null 2>&1 &
	secret=$!
	started+=("$secret")
	sleep 0.3
	round "anonymous" "$no_stream" -F 499 -p "$secret" --anonymize
	# Records are compressed: what is in them is seen when they are not.
	"$LEAT" report "$work/run.leat" >"$work/report.txt" 2>&1
	text=$(python3 - "$work/run.leat" <<'PY'
import ctypes, struct, sys
zstd = ctypes.CDLL("libzstd.so.1")
zstd.ZSTD_decompress.restype = ctypes.c_size_t
data = open(sys.argv[1], "rb").read()
off, out = struct.unpack_from("<I", data, 16)[0], b""
while off < len(data):
	mark, kind, codec, flags, seq, stored, raw, items, sums = struct.unpack_from("<IHBBIIIIQ", data, off)
	part = data[off + 32:off + 32 + stored]
	if codec:
		buf = ctypes.create_string_buffer(raw)
		assert zstd.ZSTD_decompress(buf, ctypes.c_size_t(raw), part, ctypes.c_size_t(stored)) == raw
		part = buf.raw
	out += part
	off += 32 + stored
sys.stdout.buffer.write(out.replace(b"\0", b"\n"))
PY
)
	if grep -q -a "~/demo" <<<"$text"; then ok "anonymous: the path is there, without its owner"; else not_ok "anonymous: ~/demo is in the file"; fi
	if grep -q -a -e "$(basename "$home")" <<<"$text"; then
		not_ok "anonymous: the home directory is not in the file" "$(grep -a -e "$(basename "$home")" <<<"$text" | head -5)"
	else
		ok "anonymous: the home directory is not in the file"
	fi
	is "anonymous: neither host nor command" bash -c '! grep -q -e "^  host .*$(uname -n)," -e "^  command" "$0"' "$work/report.txt"
	stop "$secret"
else
	not_ok "a directory below /home"
fi

# --- a recording that is killed ---------------------------------------------------------------
# kill_recording NAME PID: records PID into $work/NAME.leat.part until 300 samples are in it, and some more in
# a chunk behind these; then kills leat.
kill_recording() {
	local i leat enough=300
	"$LEAT" record -p "$2" -e cpu-clock -F 499 -o "$work/$1.leat" 2>/dev/null &
	leat=$!
	for i in $(seq 100); do
		sleep 0.2
		"$LEAT" convert -q "$work/$1.leat.part" -o "$work/$1.folded" 2>/dev/null &&
			at_least "$(total "$1")" "$enough" >/dev/null || continue
		[ "$enough" = 300 ] || break
		enough=$(($(total "$1") + 1))
	done
	kill -KILL "$leat"
	wait "$leat" 2>/dev/null
}

# killed_convert NAME: to NAME.folded, NAME.json (the verdict), NAME.err.
killed_convert() {
	"$LEAT" convert "$work/$1.leat.part" -o "$work/$1.folded" --summary "$work/$1.json" 2>"$work/$1.err"
}

kill_recording killed "$demo"
is "killed: no file of that name" test ! -e "$work/killed.leat"
is "killed: what was written is beside it" test -s "$work/killed.leat.part"
if killed_convert killed; then
	is "killed: what was sampled a second before can be used" at_least "$(total killed)" 300
	is "killed: it is said" grep -q "incomplete" "$work/killed.err"
	is "killed: the verdict says so, and for how long it ran" grep -q "with care: .* cut off after [0-9.]* s" "$work/killed.err"
	is "killed: nothing was lost but what is cut off" test "$(verdict killed lost_user)" = 0 -a "$(verdict killed cut_off)" = 1
	is "killed: names are found where the files still are" at_least "$(verdict killed named_percent)" 95
	is "killed: functions of the program" grep -q "sha256_rounds" "$work/killed.folded"
	is "killed: stacks are judged, too" at_least "$(verdict killed ret_checked)" 10
else
	not_ok "killed: can be used" "$(cat "$work/killed.err")"
fi
if away "$LEAT" convert "$work/killed.leat.part" -o "$work/away.folded" --summary "$work/away.json" 2>"$work/away.err"; then
	is "killed, the files gone: as many samples" test "$(total away)" = "$(total killed)"
	is "killed, the files gone: a box for each file" grep -q '\[demo\]' "$work/away.folded"
	is "killed, the files gone: nothing is named" test "$(verdict away named_percent)" = 0.000
else
	not_ok "killed, the files gone: can be used" "$(cat "$work/away.err")"
fi
head -c -5 "$work/killed.leat.part" >"$work/shorter.leat.part"
is "killed, cut within a chunk: can be used" killed_convert shorter
is "killed, cut within a chunk: what is left out is counted" at_least "$(verdict shorter cut_bytes)" 1
is "killed, cut within a chunk: fewer samples" at_most "$(total shorter)" "$(total killed)"
is "killed, cut within a chunk: report says how much" \
	grep -q "cut off, and not in it: .*bytes of a chunk" <("$LEAT" report -v "$work/shorter.leat.part" 2>/dev/null)

# Another program in the place of the one that was recorded is not taken for it.
cp "$WORKLOADS/demo" "$work/bin/doomed"
WAIT_READY=0 start "$work/bin/doomed"
kill_recording doomed "$pid"
stop "$pid"
rm "$work/bin/doomed"
cp "$WORKLOADS/wl_jit" "$work/bin/doomed"
if killed_convert doomed; then
	is "killed, another program in its place: not taken for it" grep -q '\[doomed\]' "$work/doomed.folded"
	is "killed, another program in its place: libraries are named" grep -q "write" "$work/doomed.folded"
else
	not_ok "killed, another program in its place: can be used" "$(cat "$work/doomed.err")"
fi
"$LEAT" record -p "$demo" -d 0.3 -o "$work/killed.leat" 2>/dev/null
is "killed: the next one does not write over it" test -s "$work/killed.leat.part" -a -s "$work/killed.leat" -a ! -e "$work/killed.leat.part-2"

# --- ends -------------------------------------------------------------------------------------
"$LEAT" record -p "$demo" -d 0.5 -f leat -o - 2>/dev/null | "$LEAT" report - >"$work/piped.txt" 2>&1
is "through a pipe" grep -q "FUNCTION" "$work/piped.txt"
# What other tools wrote, packed, through a pipe; and what is no profile leaves an older file as it was.
"$LEAT" convert "$work/killed.leat.part" -o "$work/piped.folded" 2>/dev/null
for pack in gzip zstd; do
	is "through $pack: the same stacks" \
		cmp "$work/piped.folded" <($pack -qc "$work/piped.folded" | "$LEAT" convert - -f folded 2>/dev/null)
done
echo old >"$work/kept.folded"
for bad in "$work" /dev/null "$LEAT" "$0"; do
	"$LEAT" convert "$bad" -o "$work/kept.folded" 2>"$work/bad.err"
	rc=$?
	is "no profile: $(basename "$bad") is refused with 8, and why" test $rc = 8 -a -s "$work/bad.err"
done
is "no profile: the older file is as it was" test "$(cat "$work/kept.folded")" = old
"$LEAT" record -p "$demo" -d 0.5 -f leat -o - 2>/dev/null >/dev/full
is "a full device is an error" test $? = 1

mkdir "$work/small"
if mount -t tmpfs -o size=16k none "$work/small"; then
	"$LEAT" record -a -F 999 --stream -d 2 -o "$work/small/full.leat" -o "$work/other.folded" 2>"$work/full.err"
	is "disk full: exit 1" test $? = 1
	is "disk full: said" grep -q "no space is left" "$work/full.err"
	is "disk full: nothing stays" test -z "$(ls -A "$work/small")"
	is "disk full: the other file is written" test -s "$work/other.folded"
	umount "$work/small"
else
	skip "disk full" "namespaces cannot be made here"
fi
"$LEAT" record -o "$work/none.leat" -- true 2>/dev/null
is "a recording that fails leaves nothing" test -z "$(ls "$work" | grep none)"

stop "$demo"
done_testing
