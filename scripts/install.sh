#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# install.sh dirs DIR...         makes directories
# install.sh files DIR FILE...   installs data files; does nothing without files
set -eu
what=$1
shift
case $what in
dirs)
	install -d "$@"
	;;
files)
	dir=$1
	shift
	[ $# -gt 0 ] || exit 0
	install -d "$dir"
	install -m 0644 "$@" "$dir"
	;;
esac
