#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Where the result goes: formats, devices, pipes, links, sticky directories, full disks, sudo.
. "$(dirname "$0")/cli_lib.sh"
mkdir "$tmp/d"
cd "$tmp/d" || exit 1
clean() { cd "$tmp/d" && find . -mindepth 1 -delete; }

busy
check "all formats at once, from the real thing" status 0 "$LEAT" record -p "$pid" -d 1 -F 499 \
	-o a.html -o b.svg -o c.folded -o d.pb.gz -o e.json -o f.txt --summary v.json
check "... each is there, and nothing else" \
	only_files . a.html b.svg c.folded d.pb.gz e.json f.txt v.json
check "html is html" grep -q '<html' a.html
check "svg is svg" grep -q '<svg' b.svg
check "folded is folded" grep -qE '^sh;.* [0-9]+$' c.folded
check "pprof is gzip" gzip -t d.pb.gz
check "speedscope is JSON" python3 -m json.tool e.json
check "the summary is JSON" python3 -m json.tool v.json
check "each written file is named" [ "$(grep -c '^wrote ' "$tmp/err")" = 7 ]
kill "$pid"
clean

fake() { status "$1" "$FAKE" record -p 1 "${@:2}"; }
check "standard output" fake 0 -o - -q
check "... has folded stacks" grep -q '^demo;main' "$tmp/out"
check "/dev/null stays a device" fake 0 -o /dev/null -f html
check "... really" [ -c /dev/null ]
check "/dev/stdout is standard output" fake 0 -o /dev/stdout -q
check "... and has the stacks" grep -q '^demo;main' "$tmp/out"
check "/dev/full is an error" fake 1 -o /dev/full -f html
check "... that is explained" said "ENOSPC"
mkfifo fifo
cat fifo >got &
check "a FIFO is written directly" fake 0 -o fifo -f folded
wait $!
check "... its reader has all" grep -q '^demo;main' got
check "process substitution" bash -c "'$FAKE' record -p 1 -q -f folded -o >(cat >'$tmp/got2'); sleep 0.3; grep -q main '$tmp/got2'"
check "a reader that goes away ends it quietly" bash -c \
	"set -o pipefail; '$FAKE' record -p 1 -q -o - 2>'$tmp/err' | true; [ ! -s '$tmp/err' ]"
clean

echo old >real.html
ln -s real.html link.html
check "a link is followed" fake 0 -o link.html
check "... and stays one" [ -L link.html ]
check "... its target is new" grep -q '<html' real.html
ln -s new.html dangling.html
check "a dangling link makes its target" fake 0 -o dangling.html
check "... there" [ -s new.html ]
check "nothing else is left" only_files . real.html link.html dangling.html new.html
clean

mkdir dir
check "a directory is no file" fake 2 -o dir
check "... and the fix names one in it" said "dir/flame.html"
check "a directory that does not exist" fake 1 -o none/a.html
check "... is named, before recording" said "mkdir -p 'none'"
check "... before recording" not_said "recording"
check "a file system without files of ours" fake 1 -o /proc/x.html
check "... is told from a directory that is not there" said "no files can be created in this file system"
check "... without a mkdir" not_said mkdir
check "an extension without a format" fake 2 -o a.foo
mkdir -m 0555 ro
chown 65534 ro
echo old >ro/old.html
chmod 444 ro/old.html
check "an unwritable directory" status 1 nobody "$FAKE" record -p 1 -o ro/a.html
check "... is explained" said "may not write there"
check "a read-only file" status 1 nobody "$FAKE" record -p 1 -o ro/old.html
check "... is kept" grep -qx old ro/old.html
clean

mkdir "$tmp/full"
if mount -t tmpfs -o size=64k tmpfs "$tmp/full" 2>/dev/null; then
	echo old >"$tmp/full/a.html"
	head -c 1M /dev/zero >"$tmp/full/ballast" 2>/dev/null
	check "a full disk is an error" fake 1 -o "$tmp/full/a.html" -o b.folded
	check "... that is explained" said "no space is left"
	check "... the old file stays" grep -qx old "$tmp/full/a.html"
	check "... nothing partial is left" only_files "$tmp/full" a.html ballast
	check "... the other output is written" [ -s b.folded ]
	umount "$tmp/full"
else
	skip "a full disk is an error" "no tmpfs may be mounted"
fi
clean

mkdir -m 1777 sticky
echo precious >precious
nobody ln -s "$tmp/d/precious" sticky/trap.html
check "root does not follow a stranger's link in a sticky directory" fake 1 -o sticky/trap.html
check "... and says why" said "belongs to uid 65534"
check "... the target is untouched" grep -qx precious precious
nobody mkfifo sticky/fifo
check "nor opens a stranger's FIFO" fake 1 -o sticky/fifo -f folded
check "a new file in a sticky directory is fine" fake 0 -o sticky/new.html
check "... replacing it too" fake 0 -o sticky/new.html
check "no temporary file is left" only_files sticky trap.html fifo new.html
clean

check "under sudo" status 0 env SUDO_UID=65534 SUDO_GID=65534 "$FAKE" record -p 1 -o mine.html
check "... the file is the user's" [ "$(stat -c %u:%g:%a mine.html)" = 65534:65534:644 ]
check "without it root's" bash -c "umask 027; '$FAKE' record -p 1 -q -o r.html; [ \$(stat -c %u:%a r.html) = 0:640 ]"
check "SUDO_UID means nothing to others" bash -c "mkdir -m 777 w; cd w; SUDO_UID=1 SUDO_GID=1 \
	setpriv --reuid 65534 --regid 65534 --clear-groups '$FAKE' record -p 1 -q -o n.html &&
	[ \$(stat -c %u n.html) = 65534 ]"
clean

mkdir many
cd many || exit 1
runs=()
for _ in 1 2 3 4 5 6; do
	LEAT_FAKE=wait "$FAKE" record -p 4242 -d 300ms -q &
	runs+=($!)
done
wait "${runs[@]}"
check "six at once, without -o, leave six results" [ "$(find . -name 'leat-demo-4242-*.html' -size +1k | wc -l)" = 6 ]
check "... and nothing else" [ "$(find . -mindepth 1 | wc -l)" = 6 ]
cd ..
clean

on_tty() { script -qec "$1" /dev/null </dev/null; }
check "binary formats are not for a terminal" bash -c "! script -qec \"'$FAKE' record -p 1 -f pprof -o -\" /dev/null </dev/null >'$tmp/err'"
check "... and it says so" said "not for a terminal"
on_tty "LEAT_FAKE=wait TERM=xterm '$FAKE' record -p 1 -d 900ms -o t.html" >"$tmp/err"
check "a terminal sees a line that moves" grep -q $'\r  00:0.*samples' "$tmp/err"
on_tty "LEAT_FAKE=wait TERM=dumb '$FAKE' record -p 1 -d 900ms -o t.html" >"$tmp/err"
check "a dumb one does not" bash -c "! grep -q '\[####' '$tmp/err'"
check "... but the first and last lines" said "wrote t.html"
on_tty "TERM=xterm '$FAKE' record" >"$tmp/err"
check "errors have colour on a terminal" grep -q $'\033' "$tmp/err"
on_tty "NO_COLOR=1 TERM=xterm '$FAKE' record" >"$tmp/err"
check "... but not with NO_COLOR" bash -c "! grep -q \$'\033' '$tmp/err'"
finish
