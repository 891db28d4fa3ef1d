#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Help, manual pages and completions: right for their readers, and in agreement with each other.
. "$(dirname "$0")/cli_lib.sh"

verbs="record report convert doctor list help version completion"

for page in "" record report convert doctor list; do
	"$LEAT" help --man $page >"$tmp/leat${page:+-$page}.1"
done

# References to pages that are not installed on the machine of the test are no mistake.
lint() { mandoc -Tlint "$1" | grep -v 'referenced manual not found' | { ! grep .; }; }
for f in "$tmp"/*.1; do
	check "mandoc has nothing to say about $(basename "$f")" lint "$f"
	check "groff has nothing to say about $(basename "$f")" \
		bash -c "groff -mdoc -ww -z '$f' 2>&1 | { ! grep .; }"
done

help_options() { "$LEAT" help "$1" | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort; }
man_options() { mandoc -Tascii "$tmp/leat-$1.1" | col -bx | grep -oE '^ {5}(-., )?--[a-z-]+' |
	grep -oE -- '--[a-z-]+' | sort; }
bash_options() { complete_bash leat "$1" -- | grep -E '^--[a-z]' | sort; }
fish_options() { fish -c "source '$tmp/c.fish'; complete -C 'leat $1 --'" 2>/dev/null |
	cut -f1 | sed 's/=$//' | grep -E '^--[a-z]' | sort; }
zsh_options() { sed -n "/^	$1)/,/;;/p" "$tmp/c.zsh" | grep -oE "'\*--[a-z-]+" | cut -c3- | sort; }

# What bash offers for the last word.
complete_bash() {
	bash -c '
		source "$1"; shift
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
		compopt() { :; }
		_leat
		printf "%s\n" "${COMPREPLY[@]}"' - "$tmp/c.bash" "$@"
}
for shell in bash zsh fish; do
	"$LEAT" completion $shell >"$tmp/c.$shell"
	check "$shell reads its completion" $shell -n "$tmp/c.$shell"
done
for v in $verbs; do
	help_options "$v" >"$tmp/a"
	check "bash offers the options of $v" diff "$tmp/a" <(bash_options "$v")
	check "fish offers the options of $v" diff "$tmp/a" <(fish_options "$v")
	check "zsh offers the options of $v" diff "$tmp/a" <(zsh_options "$v")
done
for v in record report convert doctor list; do
	help_options "$v" >"$tmp/a"
	check "the manual has the options of $v" diff "$tmp/a" <(man_options "$v")
done
check "bash completes a verb" [ "$(complete_bash leat rec)" = record ]
check "bash completes a format" [ "$(complete_bash leat record -f ht)" = html ]
check "bash completes --format=" [ "$(complete_bash leat record --format = ht)" = html ]
check "bash completes a pid" grep -qx $$ <(complete_bash leat record -p "$$")
check "bash completes a command behind --" grep -qx make <(complete_bash leat record -- mak)
check "fish completes a format" \
	bash -c "fish -c \"source '$tmp/c.fish'; complete -C 'leat record -f ht'\" | cut -f1 | grep -qx html"

# Every long option that a text of the program names is one of its own, or known to be of another
# program. The viewer's parts are left out (custom properties of a style sheet look the same), and
# the C that BPF objects carry along
others="--pid=host --cap-add --security-opt" # docker
others+=" --fcs-skip"			     # fish
texts() { find "$LEAT_OUT/user" -name '*.o' -not -path '*/export/*' -exec strings -n 4 {} +; }
own=$(for v in $verbs; do help_options "$v"; done | sort -u)$'\n--version'
named() {
	local o bad=0
	while read -r o; do
		grep -qxF -- "$o" <<<"$own" || grep -qwF -- "$o" <<<"$others" || { echo "named: $o"; bad=1; }
	done < <({ texts | grep -vE -e '[=%]s' -e '->' | grep -oE "(^|[ ('\"])--[a-z][a-z-]*[a-z]"
		cat "$tmp"/*.1 | grep -oE '[^-[:alnum:]\\]--[a-z][a-z-]+'
		} | grep -oE -- '--[a-z-]+' | sort -u)
	return $bad
}
check "every long option that a message names exists" named
letters=$("$LEAT" help record | grep -oE '^ +-[A-Za-z],' | tr -d ' ,' | sort -u)
short_named() {
	local o bad=0
	while read -r o; do
		grep -qxF -- "$o" <<<"$letters" || { echo "named: leat record ... $o"; bad=1; }
	done < <(texts | grep -E 'leat record' | sed 's/ -- .*//' |
		grep -oE '(^| )-[A-Za-z]( |$|[0-9%])' | grep -oE -- '-[A-Za-z]' | sort -u)
	return $bad
}
check "every short option of leat record that a message names exists" short_named
check "leat alone explains itself, with 2" status 2 "$LEAT"
check "... and names its verbs" said "record      "
check "a closed pipe is no error" bash -c "set -o pipefail; '$LEAT' help record | true"
check "a full disk is one" bash -c "'$LEAT' help record >/dev/full 2>'$tmp/err'; [ \$? = 1 ]"
check "... that is explained" said "cannot write to standard output (ENOSPC)"
finish
