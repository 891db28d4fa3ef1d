#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# setup.sh [--tests]: installs what building leat needs, with --tests also what its tests need
# (profilers to compare with, servers to profile, a browser, an emulator). Debian and its relatives;
# elsewhere it prints the names of the packages. Does nothing when all is there. Daemons that come
# with the packages are not started, and none that runs is touched.
set -eu -o pipefail
with_tests=0
case ${1:-} in
--tests) with_tests=1 ;;
'') ;;
*)
	echo "usage: setup.sh [--tests]" >&2
	exit 2
	;;
esac

build=(make gcc libc6-dev clang bpftool pkg-config libbpf-dev libelf-dev zlib1g-dev libzstd-dev
	liblzma-dev libxxhash-dev libiberty-dev)
tests=(g++ libcriterion-dev libdw-dev universal-ctags clang-format clang-tidy mandoc linux-perf bpftrace nginx-light
	wrk redis-server redis-tools postgresql postgresql-contrib busybox-static cpio lld mold
	libcap2-bin binutils elfutils fish zsh chromium chromium-driver python3 git procps file
	xz-utils)
# Taken from the backports of the release where it has some (the emulator of Debian 12 is too old).
newer=(qemu-system-x86)
fedora="make gcc clang bpftool pkgconf libbpf-devel elfutils-libelf-devel zlib-devel libzstd-devel
	xz-devel xxhash-devel binutils-devel"
arch="make gcc clang bpf pkgconf libbpf libelf zlib zstd xz xxhash binutils"

elsewhere() {
	echo "This is not Debian. leat needs these packages:"
	echo "  Fedora: sudo dnf install" $fedora
	echo "  Arch:   sudo pacman -S" $arch
	missing=$(command -v make gcc clang pkg-config >/dev/null && pkg-config --exists \
		'libbpf >= 1.1 libelf zlib libzstd liblzma libxxhash' && echo no || echo yes)
	[ "$missing" = no ] && echo "They seem to be there." && exit 0
	exit 1
}

have() {
	dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^ii'
}

missing_of() {
	local p
	for p in "$@"; do
		have "$p" || echo "$p"
	done
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "setup.sh: root is needed to install packages: run it as root, or install sudo" >&2
		exit 1
	fi
}

update() {
	apt -q update || echo "setup.sh: apt-get update had errors; going on with what is known" >&2
}

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 "$@" </dev/null
}

cleanup=()
on_exit() {
	local c
	for c in ${cleanup[@]+"${cleanup[@]}"}; do
		as_root sh -c "$c"
	done
}
trap on_exit EXIT

# invoke-rc.d asks this program whether it may start a daemon; an existing one is put back.
forbid_daemons() {
	local policy=/usr/sbin/policy-rc.d
	if [ -e $policy ]; then
		as_root cp -a $policy $policy.leat
		cleanup+=("mv $policy.leat $policy")
	else
		cleanup+=("rm -f $policy")
	fi
	printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
	as_root chmod 755 $policy
}

# The backports of the release, from the mirror that apt is configured with, only for as long as
# this script runs.
add_backports() {
	local list=/etc/apt/sources.list.d/leat-backports.list uri key
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
		grep -q "^$codename-backports " && return
	uri=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
		awk -v r="$codename" '($1 == r || $1 == "stable") && $2 == "main" { print $3; exit }')
	[ -n "$uri" ] || return 0
	key=/usr/share/keyrings/debian-archive-keyring.gpg
	[ -e $key ] || key=
	echo "deb ${key:+[signed-by=$key] }$uri $codename-backports main" | as_root tee "$list" >/dev/null
	cleanup+=("rm -f $list")
}

clang_runtime() {
	local major
	major=$(clang -dumpversion 2>/dev/null | cut -d. -f1)
	[ -z "$major" ] || echo "libclang-rt-$major-dev"
}

install_tests() {
	local packages=("${tests[@]}") missing
	packages+=($(clang_runtime))
	command -v go >/dev/null || [ -x /usr/local/go/bin/go ] || packages+=(golang-go)
	command -v java >/dev/null || packages+=(default-jre-headless)
	command -v rustc >/dev/null || [ -x "$HOME/.cargo/bin/rustc" ] || packages+=(rustc)
	missing=($(missing_of "${packages[@]}"))
	newer_missing=($(missing_of "${newer[@]}"))
	[ ${#missing[@]} -gt 0 ] || [ ${#newer_missing[@]} -gt 0 ] || return 0
	forbid_daemons
	[ "$codename" != bookworm ] || [ ${#newer_missing[@]} = 0 ] || add_backports
	update
	[ ${#missing[@]} = 0 ] || apt -q -y --no-install-recommends install "${missing[@]}"
	[ ${#newer_missing[@]} = 0 ] || install_newer
}

install_newer() {
	apt -q -y --no-install-recommends -t "$codename-backports" install "${newer_missing[@]}" ||
		apt -q -y --no-install-recommends install "${newer_missing[@]}"
}

command -v apt-get >/dev/null && command -v dpkg-query >/dev/null || elsewhere
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
missing=($(missing_of "${build[@]}"))
if [ ${#missing[@]} -gt 0 ]; then
	update
	apt -q -y --no-install-recommends install "${missing[@]}"
fi
[ $with_tests = 0 ] || install_tests
echo "setup: everything is there"
