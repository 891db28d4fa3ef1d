#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# vmlinux.sh ARCH: writes vmlinux/ARCH/vmlinux_VER.h from the BTF of the running kernel, and says in
# README.md where it came from. CO-RE makes one header serve all kernels; a build never runs this.
set -eu -o pipefail
arch=${1:-x86}
btf=${VMLINUX_BTF:-/sys/kernel/btf/vmlinux}
release=${VMLINUX_RELEASE:-$(uname -r)}
version=$(printf '%s' "$release" | sed -E 's/^([0-9]+)\.([0-9]+).*/\1\2/')
dir=vmlinux/$arch
out=$dir/vmlinux_$version.h
mkdir -p "$dir"

{
	echo '/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */'
	"${BPFTOOL:-bpftool}" btf dump file "$btf" format c
} >"$out.tmp"
mv "$out.tmp" "$out"
ln -sf "$(basename "$out")" "$dir/vmlinux.h"

config='not readable on that host'
if [ -r /proc/config.gz ]; then
	config="sha256 $(zcat /proc/config.gz | sha256sum | cut -d' ' -f1) of /proc/config.gz"
fi
cat >"$dir/README.md" <<END
<!-- SPDX-License-Identifier: BSD-2-Clause -->
# vmlinux.h for $arch

Generated, not edited: the types of one kernel, from its BTF. BPF programs are relocated (CO-RE) on
the kernel that they meet, so the kernel of this file need not be the one that leat runs on.

| | |
|---|---|
| kernel  | $release |
| config  | $config |
| command | \`bpftool btf dump file $btf format c\` ($("${BPFTOOL:-bpftool}" version | head -1)), first line added |
| again   | \`make vmlinux\` |
| sha256  | \`$(sha256sum "$out" | cut -d' ' -f1)\` \`$(basename "$out")\` |

\`vmlinux.h\` is a link to the newest file here.
END
echo "$out: $(wc -l <"$out") lines"
