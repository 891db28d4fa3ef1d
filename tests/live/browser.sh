#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The HTML and SVG files in a headless Chromium, by real keys and mouse (browser.py). Prints TAP.
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
for tool in chromium chromedriver python3; do
	if ! command -v "$tool" >/dev/null; then
		echo "not ok 1 - $tool is not installed: scripts/setup.sh installs it"
		exit 1
	fi
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
gen=$LEAT_OUT/gen_profile
"$gen" html hostile >"$tmp/hostile.html"
"$gen" svg hostile >"$tmp/hostile.svg"
"$gen" html server 20000 >"$tmp/server.html"
"$gen" html wide 200000 >"$tmp/wide.html"
PYTHONDONTWRITEBYTECODE=1 python3 "$here/browser.py" "$tmp"
