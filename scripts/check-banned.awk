# SPDX-License-Identifier: BSD-2-Clause
# check-banned.awk FILE...: calls that no code of leat makes, calls that its library does not make,
# and notes to oneself. Tested by tests/lint/run.sh.
BEGIN {
	head = "(^|[^A-Za-z0-9_.>])"
	banned = head "(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|strtok|alloca)[ \t]*\\("
	# The library reports through errors and log sinks, and leaves the process alone.
	library = head "((exit|abort|printf|vprintf|puts|putchar|perror)[ \t]*\\(|stdout|stderr)"
	notes = head "(TO" "DO|FIX" "ME|X" "XX)([^A-Za-z0-9_]|$)"
}

function complain(text)
{
	printf "%s:%d: %s\n", FILENAME, FNR, text
	bad = 1
}

{
	if ($0 ~ notes)
		complain("a note to oneself: open an issue instead")
	line = $0
	gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
	gsub(/\/\*.*\*\//, "", line)
	sub(/\/\*.*/, "", line)
	if (line ~ /^[ \t]*\*/)
		next
	if (line ~ banned)
		complain("banned function")
	if (FILENAME ~ /(^|\/)user\/[^\/]+\// && FILENAME !~ /(^|\/)user\/cli\// && line ~ library)
		complain("the library does not exit and does not print")
}
END { exit bad }
