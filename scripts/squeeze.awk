# SPDX-License-Identifier: BSD-2-Clause
# squeeze.awk FILE.js...: the scripts without comments and needless blanks, one line for each
# unindented statement; the first line, the licence, stays. Strings, templates and regular
# expressions are copied. It relies on every statement ending in ";" or "}", and on divisions being
# written with blanks.
function quoted(q,    n, c, class) {
	for (n = at + 1; n <= len; n++) {
		c = substr(text, n, 1)
		if (c == "\\")
			n++
		else if (q == "/" && (c == "[" || c == "]"))
			class = c == "["
		else if (c == q && !class)
			break
	}
	put(substr(text, at, n - at + 1))
	at = n + 1
}
function put(s) {
	# A blank stays between two words, and between two signs that would make another one.
	if (blank && ((last ~ /[A-Za-z0-9_$]/ && s ~ /^[A-Za-z0-9_$]/) || (last ~ /[-+]/ && s ~ /^[-+]/)))
		printf " "
	else if (newline && last ~ /[;}]/)
		printf "\n"
	printf "%s", s
	last = substr(s, length(s))
	blank = newline = 0
}
NR == 1 { print; next }
{ text = text $0 "\n" }
END {
	len = length(text)
	for (at = 1; at <= len;) {
		c = substr(text, at, 1)
		if (substr(text, at, 2) == "/*") {
			at += index(substr(text, at), "*/") + 1
		} else if (c ~ /['"`]/ || (c == "/" && substr(text, at + 1, 1) != " ")) {
			quoted(c)
		} else if (c ~ /[ \t\n]/) {
			blank = 1
			newline = newline || (c == "\n" && substr(text, at + 1, 1) !~ /[\t\n]/)
			at++
		} else {
			put(c)
			at++
		}
	}
	printf "\n"
}
