#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Names of the kernel: asked for by address, and read from /proc/kallsyms where that is refused
# (tests/support/refuse.c). Both ways name every frame, by names that the kernel has.
. "$(dirname "$0")/lib.sh"
work_dir
refuse=${LEAT_OUT:-$here/../../build/release}/tests/refuse.so

# functions NAME: of the kernel's frames.
functions() { grep -oE '[^;]+_\[k\]' "$work/$1.folded" | sed 's/_\[k\]$//' | sort -u; }

# strangers NAME: those that /proc/kallsyms does not have; BPF programs have lost their prefix.
strangers() {
	functions "$1" | comm -23 - <(cut -f 1 /proc/kallsyms "$work/before" | cut -d ' ' -f 3 | sed -E 's/^bpf_prog_[0-9a-f]{16}_//' | sort -u)
}

# none LIST: fails and prints it when there is something in it.
none() { [ -z "$1" ] || { echo "$1"; return 1; }; }

said() { grep -qF -- "$2" "$work/$1.err" || { cat "$work/$1.err"; return 1; }; }

one_way() { # NAME TEXT
	recorded "$1" "$2" || return
	is "$2: the system call has a name" at_least "$(share "$1" '(ksys_read|do_syscall_64|el0_svc)_.k.')" 50
	is "$2: no frame of the kernel's is unnamed" none "$(grep -F '[kernel]' "$work/$1.folded")"
	is "$2: all names are the kernel's" none "$(strangers "$1")"
	is "$2: nothing is hidden" at_most "$(verdict "$1" kptr_restricted)" 0
}

if ! grep -q ' bpf_kallsyms_lookup_name$' /proc/kallsyms; then
	skip "names that are asked for" "the kernel has no BPF look-up of kernel symbols"
else
	start dd if=/dev/zero of=/dev/null bs=4k
	cp /proc/kallsyms "$work/before"
	record asked -p "$pid" -F 499 -d 2 -v -v
	one_way asked "asked"
	is "asked: the kernel was" said asked "debug: the kernel named "
	LD_PRELOAD=$refuse REFUSE=ksyms record read -p "$pid" -F 499 -d 2 -v -v
	one_way read "read"
	is "read: because it may not be asked" said read "debug: names of the kernel are read from /proc/kallsyms (EPERM)"
	# Neither way knows more functions than the other of a loop as short as this.
	is "the same functions" at_least "$(comm -12 <(functions asked) <(functions read) | wc -l)" 5
	stop "$pid"
fi
done_testing
