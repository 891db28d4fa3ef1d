#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# apt-suite.sh STATE-DIR SUITE[,SUITE...] apt-get|apt-cache ARGS...
# Runs apt with other suites of the mirror that this machine's apt is set up with. Lists and
# packages are kept in STATE-DIR, so that the machine's own configuration stays as it is.
set -euo pipefail
[ $# -ge 3 ] || { sed -n '3,5s/^# //p' "$0" >&2; exit 2; }
state=$1 suites=$2
shift 2

# The URI of the archive proper: of the entry that has the running release's own suite.
mirror=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
	awk -v c="$(. /etc/os-release; echo "${VERSION_CODENAME:-}")" '$1 == c && $2 == "main" && $3 !~ /security/ {print $3; exit}')
[ -n "$mirror" ] || { echo "apt-suite.sh: no Debian archive in this machine's apt configuration" >&2; exit 1; }

mkdir -p "$state"/lists/partial "$state"/cache/archives/partial
state=$(cd "$state" && pwd)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
: >"$state/sources.list.new"
for s in ${suites//,/ }; do
	echo "deb [signed-by=$keyring] $mirror $s main" >>"$state/sources.list.new"
done
cat >"$state/apt.conf" <<EOF
Dir::Etc::sourcelist "$state/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$state/lists";
Dir::Cache "$state/cache";
Acquire::Languages "none";
APT::Sandbox::User "root";
EOF
export APT_CONFIG=$state/apt.conf
# Lists are fetched once a day at most: a check must not depend on more network than it needs.
if ! cmp -s "$state/sources.list.new" "$state/sources.list" ||
	[ -z "$(find "$state/stamp" -mmin -1440 2>/dev/null)" ]; then
	mv "$state/sources.list.new" "$state/sources.list"
	apt-get -qq update >&2
	touch "$state/stamp"
fi
exec "$@"
