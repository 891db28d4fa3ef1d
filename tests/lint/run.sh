#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Tests of the lint: for each rule a small tree that breaks it (the check must fail and name the
# file), and one that keeps it (the check must pass). Prints TAP.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
n=0
failures=0

report() { # OK(0/1) TEXT
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failures=$((failures + 1))
	fi
}

# one FILE CONTENT: a tree that holds this file alone.
one() {
	rm -rf "$tmp"/*
	mkdir -p "$(dirname "$1")" bpf/lib
	echo '/* dual-compiled logic */' >bpf/lib/step.h
	printf '%b\n' "$2" >"$1"
}

# refuses|accepts CHECK FILE CONTENT: CHECK is a command that gets the file's name.
refuses() {
	local out
	one "$2" "$3"
	out=$($1 "$2" 2>&1) && report 1 "$2 is refused: $3" && return
	[[ $out == *"$2"* ]]
	report $? "$2 is refused: ${3%%\\n*}"
}
accepts() {
	one "$2" "$3"
	$1 "$2" >"$tmp/out" 2>&1
	report $? "$2 is accepted: ${3%%\\n*}"
}

layers() { awk -f "$root/scripts/check-layers.awk" "$@"; }
banned() { awk -f "$root/scripts/check-banned.awk" "$@"; }
size() { "$root/scripts/check-size.sh" "$@"; }
spdx() { "$root/scripts/check-spdx.sh"; }
headers() { CC=gcc FLAGS='-Iinclude -Iuser -Ibpf/lib -Wall' "$root/scripts/check-headers.sh"; }

# The arrows, as docs/architecture.md draws them; all that is not listed is refused.
all='base event elf profile session symbols unwind engine live import export cli win'
declare -A may=(
	[base]='base' [event]='base event' [elf]='base elf' [profile]='base profile'
	[session]='base event profile session' [symbols]='base elf profile symbols'
	[unwind]='base elf unwind' [engine]='base event engine'
	[live]='base event elf symbols profile unwind engine session live'
	[import]='base event profile import' [export]='base event profile export'
	[cli]='base event elf profile session symbols unwind live import export cli win'
)
for from in "${!may[@]}"; do
	for to in $all; do
		if [[ " ${may[$from]} " == *" $to "* ]]; then
			accepts layers "user/$from/x.c" "#include \"$to/y.h\""
		else
			refuses layers "user/$from/x.c" "#include \"$to/y.h\""
		fi
	done
done
refuses layers user/main.c '#include "engine/engine.h"'
accepts layers user/main.c '#include "cli/cli.h"'
refuses layers win/etw_decode.c '#include "session/session.h"'
refuses layers user/nonsense/x.c 'int x;'
refuses layers user/base/x.c '#include "../event/wire.h"'
for to in $all; do
	refuses layers bpf/sample.bpf.c "#include \"$to/y.h\""
	refuses layers include/leat/x.h "#include \"$to/y.h\""
done
refuses layers bpf/sample.bpf.c '#include <leat/event.h>'
refuses layers include/leat/x.h '#include "wire.h"'
accepts layers include/leat/x.h '#include <leat/event.h>'

# libbpf, skeletons and bpf(2): only in the engine.
for part in user/live user/cli user/session user/event user/base user/unwind user; do
	refuses layers $part/x.c '#include <bpf/libbpf.h>'
	refuses layers $part/x.c '#include <linux/bpf.h>'
	refuses layers $part/x.c '#include "sample.skel.h"'
	refuses layers $part/x.c 'void f(void)\n{\n\tbpf_map_update_elem(fd, &k, &v, 0);\n}'
	refuses layers $part/x.c 'void f(void)\n{\n\tsyscall(__NR_bpf, 0, 0, 0);\n}'
done
accepts layers user/engine/x.c '#include <bpf/libbpf.h>\n#include "sample.skel.h"\nint x = bpf_obj_get("x");'
accepts layers user/live/x.c '/* bpf_map_update_elem() would do */\nconst char *s = "bpf_map_update_elem(x)";'
refuses layers user/session/x.c '#include "step.h"'
accepts layers user/unwind/x.c '#include "step.h"'
refuses layers user/unwind/x.c '#include "stack.bpf.h"'

# What is stored is read without a live system.
for f in load report_file report_cmd; do
	refuses layers user/cli/$f.c '#include "live/live.h"'
	accepts layers user/cli/$f.c '#include "session/session.h"'
done
accepts layers user/cli/record_cmd.c '#include "live/live.h"'

# Windows, and /proc.
refuses layers user/base/x.c '#include <windows.h>'
refuses layers win/etw_decode.c '#include <windows.h>'
refuses layers win/etl_reader.c '#include <tdh.h>'
accepts layers win/etw_session.c '#include <windows.h>'
for part in user/session user/symbols user/engine user/event user/base user/export user; do
	refuses layers $part/x.c 'int fd = open("/proc/self/maps", 0);'
done
refuses layers user/cli/record.c 'int fd = open("/proc/self/maps", 0);'
accepts layers user/cli/doctor.c 'int fd = open("/proc/self/maps", 0);'
accepts layers user/live/x.c 'int fd = open("/proc/self/maps", 0);'
accepts layers user/session/x.c '/* "/proc/self/maps" is not read here */'
accepts layers user/engine/sysctl.c 'open("/proc/sys/kernel/perf_event_paranoid", 0);'
refuses layers user/engine/sysctl.c 'open("/proc/1/maps", 0);'
refuses layers user/engine/ring.c 'open("/proc/sys/kernel/perf_event_paranoid", 0);'

# Banned calls.
for f in strcpy strcat sprintf gets atoi strtok alloca; do
	refuses banned user/base/x.c "int y = $f(a);"
	accepts banned user/base/x.c "int y = my_$f(a);"
done
for call in 'exit(1);' 'abort();' 'printf("x");' 'fprintf(stderr, "x");' 'fflush(stdout);'; do
	refuses banned user/session/x.c "void f(void) { $call }"
	accepts banned user/cli/x.c "void f(void) { $call }"
done
refuses banned user/base/x.c '/* TO''DO: later */'
accepts banned user/base/x.c '/* strcpy() is no friend */'

# Sizes.
body() { for _ in $(seq "$1"); do printf '\\tx++;\\n'; done; }
fn() { printf 'int %s(void)\\n{\\n\\tint x = 0;\\n%s\\treturn x;\\n}' "$1" "$(body "$2")"; }
accepts size user/base/x.c "$(fn leat_f 94)"
refuses size user/base/x.c "$(fn leat_f 97)"
accepts size user/main.c "$(fn main 54)"
refuses size user/main.c "$(fn main 57)"
accepts size bpf/x.bpf.c "$(fn leat_f 59)"
refuses size bpf/x.bpf.c "$(fn leat_f 62)"
refuses size tests/unit/test_x.c "Test(module, name)\n{\n$(body 100)}"
accepts size user/base/x.h "$(printf '/* */\\n%.0s' $(seq 999))"
refuses size user/base/x.h "$(printf '/* */\\n%.0s' $(seq 1001))"

# Licences.
bsd='SPDX-License-Identifier: BSD-2-Clause'
dual='SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)'
spdx_tree() { rm -f bpf/lib/step.h; spdx; }
refuses spdx_tree user/base/x.c 'int x;'
accepts spdx_tree user/base/x.c "/* $bsd */"
refuses spdx_tree bpf/x.bpf.c "/* $bsd */"
accepts spdx_tree bpf/x.bpf.c "/* $dual */"
refuses spdx_tree scripts/x.sh '#!/bin/sh\ntrue'
refuses spdx_tree docs/x.md '# Title'
accepts spdx_tree tests/golden/x.html '<p>'

# Headers.
guarded() { printf '#ifndef %s\\n#define %s\\n%s\\n#endif' "$1" "$1" "$2"; }
accepts headers user/base/x.h "$(guarded LEAT_BASE_X_H 'int x(int y);')"
refuses headers user/base/x.h "$(guarded LEAT_BASE_Y_H 'int x(int y);')"
refuses headers user/base/x.h "$(guarded LEAT_BASE_X_H 'int x(size_t y);')"
refuses headers include/leat/x.h "$(guarded LEAT_X_H 'int f(int class, __typeof__(1) y);')"
refuses headers include/leat/x.h "$(guarded LEAT_X_H 'struct x { int a[0]; };')"

echo "1..$n"
[ $failures = 0 ]
