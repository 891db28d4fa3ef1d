#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# vm-matrix.sh BUILD-DIR [KERNEL...]
# Boots other kernels under software emulation and, in each, lets a statically linked leat sample a
# workload of known shares. Prints TAP. Kernels: 5.10 6.1 6.12 7 (Debian's packages, cached).
set -uo pipefail
cd "$(dirname "$0")/.."
build=${1:?build directory, with leat-static and workloads-static/wl_shares}
shift
kernels=${*:-5.10 6.1 6.12 7}
cache=${LEAT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/leat}/vm
timeout_s=${LEAT_VM_TIMEOUT:-120}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0

ok() { n=$((n + 1)); echo "ok $n - $1"; }
not_ok() { n=$((n + 1)); echo "not ok $n - $1"; [ -z "${2:-}" ] || sed 's/^/# /' "$2"; }
skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }

# The suites that hold a release of each series, and what its packages are called.
# From 7 on the image itself is in a package of its own, and so are the modules.
suite_of() {
	case $1 in
	5.10) echo "bullseye linux-image-5\\.10\\.[0-9-]*-cloud-amd64" ;;
	6.1) echo "bookworm linux-image-6\\.1\\.[0-9-]*-cloud-amd64" ;;
	6.12) echo "bookworm-backports linux-image-6\\.12\\.[0-9.]*\\+deb12(\\.[0-9]+)?-cloud-amd64" ;;
	7) echo "trixie-backports linux-binary-7\\.[0-9.]*\\+deb13(\\.[0-9]+)?-cloud-amd64" ;;
	*) return 1 ;;
	esac
}

# Prints the directory of a cached kernel, fetching its package first if it is not there: its image, and
# one of its modules.
fetch_kernel() {
	local k=$1 suite pattern pkg pkgs deb dir=$cache/$1 module
	[ -s "$dir/vmlinuz" ] && [ -s "$dir/overlay.ko" ] && { echo "$dir"; return 0; }
	read -r suite pattern < <(suite_of "$k") || return 1
	mkdir -p "$dir/deb"
	pkg=$(scripts/apt-suite.sh "$cache/apt-$suite" "$suite" apt-cache search --names-only "^$pattern\$" |
		awk '{print $1}' | sort -V | tail -n 1)
	[ -n "$pkg" ] || { echo "no package matches $pattern in $suite" >&2; return 1; }
	local apt=$PWD/scripts/apt-suite.sh
	pkgs=$pkg
	[ "$pkg" = "${pkg#linux-binary-}" ] || pkgs="$pkg linux-modules-${pkg#linux-binary-}"
	# shellcheck disable=SC2086
	(cd "$dir/deb" && "$apt" "$cache/apt-$suite" "$suite" apt-get -qq download $pkgs) >&2 || return 1
	for deb in "$dir"/deb/*.deb; do
		dpkg -x "$deb" "$dir/deb/x" || return 1
	done
	module=$(find "$dir/deb/x" -name 'overlay.ko*' -type f | head -n 1)
	case $module in
	*.xz) xz -dc "$module" >"$dir/overlay.ko" || return 1 ;;
	*) cp "$module" "$dir/overlay.ko" || return 1 ;;
	esac
	mv "$(find "$dir/deb/x" -name 'vmlinuz*' -type f | head -n 1)" "$dir/vmlinuz" || return 1
	rm -rf "$dir/deb"
	echo "$dir"
}

make_initramfs() {
	local root=$work/root
	mkdir -p "$root"/{bin,proc,sys,dev,tmp,run}
	cp "$(command -v busybox)" "$root/bin/busybox" || return 1
	cp tests/vm/init "$root/init" || return 1
	cp "$build/leat-static" "$root/leat" || return 1
	cp "$build/workloads-static/wl_shares" "$root/workload" || return 1
	(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd.gz"
}

# The module goes into an archive of its own, behind the one that all kernels share.
boot() {
	local kernel=$1 log=$2
	(cd "$kernel" && echo overlay.ko | cpio -o -H newc --quiet | gzip -1 | cat "$work/initrd.gz" -) >"$work/initrd-module"
	timeout -k 5 "$timeout_s" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -m 1024 -smp 2 \
		-nographic -no-reboot -nodefaults -serial stdio -kernel "$kernel/vmlinuz" \
		-initrd "$work/initrd-module" -append "console=ttyS0 panic=-1 quiet no_timer_check" </dev/null |
		tr -d '\r' >"$log"
}

# The lines of one section of a guest's console.
part() { awk -v s="@@ $2" '$0 == s {p = 1; next} /^@@ /{p = 0} p' "$1"; }

# Shares of the three workers within 6 points of 60/30/10 (emulated clocks are coarse).
shares_right() {
	awk '{v = $NF; all += v} /work_sixty/{a += v} /work_thirty/{b += v} /work_ten/{c += v}
	END {
		printf "samples %d: %.1f / %.1f / %.1f %%\n", all, all ? 100 * a / all : 0,
			all ? 100 * b / all : 0, all ? 100 * c / all : 0
		exit !(all >= 100 && a / all > .54 && a / all < .66 && b / all > .24 && b / all < .36 &&
			c / all > .04 && c / all < .16)
	}'
}

# An emulated timer loses ticks, so the loss itself is no failure; that it is accounted for is asked.
summary_holds='
import json, sys
v = json.load(sys.stdin)
k = v["kernel"]
of = lambda *names: sum(n for name, n in k.items() if name.startswith(names))
assert k["seen"] == of("counted", "streamed", "overflowed", "raw") + of("f_") + of("l_"), k
assert of("counted", "overflowed", "raw") == v["taken"] + v["lost_user"], v
assert v["wanted"] == v["taken"] + v["kernel_skipped"] or v["wanted"] < v["taken"] * 1.05, v
assert v["named_percent"] > 99 and v["complete_percent"] > 99, v
print("%d seen, %d taken, %.0f %% named" % (k["seen"], v["taken"], v["named_percent"]))
'

# Kernel stacks are walked by leat where the kernel's tables are laid out as since 6.4, modules included.
kstacks_hold='
import json, sys
own, lines = sys.argv[1] == "own", sys.stdin.read().splitlines()
k = json.loads(lines[0])["kernel"]
chain = ";ksys_write;vfs_write;"
module = sum(int(l.rsplit(" ", 1)[1]) for l in lines[1:] if "ovl_" in l)
whole = sum(int(l.rsplit(" ", 1)[1]) for l in lines[1:] if "ovl_" in l and chain in l.replace("_[k]", ""))
assert module > 20 and whole > module / 2, (module, whole, lines[1:20])
assert not k["n_kstack_differed"], k
assert k["n_kstack_asked"] * 10 < module if own else k["n_kstack_asked"] >= module, (k, module)
print("%d samples in a module, %d kernel stacks left to the kernel" % (module, k["n_kstack_asked"]))
'

judge() {
	local k=$1 log=$2 own=own
	part "$log" end >/dev/null
	grep -q '^@@ end' "$log" || { not_ok "kernel $k boots and ends" "$log"; return; }
	ok "kernel $k boots and ends ($(part "$log" kernel))"
	local what
	for what in folded streamfolded; do
		part "$log" "$what" >"$work/part"
		if shares_right <"$work/part" >"$work/shares"; then
			ok "kernel $k: $what has the shares of the workload: $(cat "$work/shares")"
		else
			cat "$work/shares" >>"$work/part"
			part "$log" record >>"$work/part"
			part "$log" stream >>"$work/part"
			not_ok "kernel $k: $what has the shares of the workload" "$work/part"
		fi
	done
	if part "$log" summary | python3 -c "$summary_holds" >"$work/part" 2>&1; then
		ok "kernel $k: the verdict adds up: $(cat "$work/part")"
	else
		not_ok "kernel $k: the verdict adds up" "$work/part"
	fi
	case $k in 5.10 | 6.1) own=kernel ;; esac
	if part "$log" kstacks | python3 -c "$kstacks_hold" "$own" >"$work/part" 2>&1; then
		ok "kernel $k: kernel stacks: $(cat "$work/part")"
	else
		part "$log" kstackrun >>"$work/part"
		not_ok "kernel $k: kernel stacks" "$work/part"
	fi
	for what in record stream doctor; do
		part "$log" "$what" >"$work/part"
		if grep -q '^exit 0$' "$work/part"; then ok "kernel $k: $what ends with 0"; else not_ok "kernel $k: $what ends with 0" "$work/part"; fi
	done
	# The kernel is asked for its names from 5.16 on, and /proc/kallsyms is read on older ones.
	local way='the kernel named'
	[ "$k" != 5.10 ] || way='names of the kernel are read from /proc/kallsyms (EOPNOTSUPP)'
	part "$log" names >"$work/part"
	if grep -qF "$way" "$work/part" && grep -q 'do_syscall_64_.k.' "$work/part"; then
		ok "kernel $k: names of the kernel: $way"
	else
		not_ok "kernel $k: names of the kernel: $way" "$work/part"
	fi
	part "$log" offline >"$work/part"
	if head -n 1 "$work/part" | grep -qx 0 && grep -q '^exit 0$' "$work/part" && grep -q 'CPU 1' "$work/part" &&
		! grep -q 'sampled on' "$work/part"; then
		ok "kernel $k: an offline CPU is left out, and named when asked for"
	else
		not_ok "kernel $k: an offline CPU is left out, and named when asked for" "$work/part"
	fi
	part "$log" nobtf >"$work/part"
	if grep -q '^exit 6$' "$work/part" && grep -q 'BTF' "$work/part" && grep -q 'fix:' "$work/part" &&
		! grep -q 'left a file' "$work/part"; then
		ok "kernel $k: without BTF the error is clear"
	else
		not_ok "kernel $k: without BTF the error is clear" "$work/part"
	fi
}

if ! command -v qemu-system-x86_64 >/dev/null; then
	skip "kernel matrix" "no qemu-system-x86_64"
	echo "1..$n"
	exit 0
fi
make_initramfs || { not_ok "initramfs"; echo "1..$n"; exit 1; }
for k in $kernels; do
	if dir=$(fetch_kernel "$k" 2>"$work/err"); then
		boot "$dir" "$work/log-$k"
		[ -z "${LEAT_VM_KEEP:-}" ] || cp "$work/log-$k" "$LEAT_VM_KEEP/"
		judge "$k" "$work/log-$k"
	else
		not_ok "kernel $k: package" "$work/err"
	fi
done
echo "1..$n"
