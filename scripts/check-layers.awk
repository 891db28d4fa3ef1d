# SPDX-License-Identifier: BSD-2-Clause
# check-layers.awk FILE...: who may know whom (docs/architecture.md). Fails on an include, a call or
# a path literal that breaks an arrow. Tested by tests/lint/run.sh, with one wrong file per rule.
BEGIN {
	ok["base"] = "base"
	ok["event"] = "base event"
	ok["elf"] = "base elf"
	ok["profile"] = "base profile"
	ok["session"] = "base event profile session"
	ok["symbols"] = "base elf profile symbols"
	ok["unwind"] = "base elf unwind"
	ok["engine"] = "base event engine"
	ok["live"] = "base event elf symbols profile unwind engine session live"
	ok["import"] = "base event profile import"
	ok["export"] = "base event profile export"
	ok["win"] = "base event profile win"
	ok["cli"] = "base event elf profile session symbols unwind live import export cli win"
	ok["main"] = ok["cli"]
	windows = "<(windows|evntrace|evntcons|evntprov|tdh|dbghelp|psapi|winsock2)[.]h>"
}

function complain(text)
{
	printf "%s:%d: %s\n", FILENAME, FNR, text
	bad = 1
}

# The part that a file belongs to: a module of user/, "main", "win", "bpf", "public".
function part_of(path,    p)
{
	if (path ~ /(^|\/)include\/leat\/[^\/]*$/)
		return "public"
	if (match(path, /(^|\/)user\/[^\/]+$/))
		return "main"
	if (match(path, /(^|\/)user\/[^\/]+\//)) {
		p = substr(path, RSTART, RLENGTH - 1)
		sub(/.*\//, "", p)
		return p
	}
	if (path ~ /(^|\/)win\//)
		return "win"
	return "bpf"
}

function exists(path,    line, rc)
{
	rc = (getline line < path)
	close(path)
	return rc >= 0
}

function check_module(dir)
{
	if (me == "bpf")
		complain("bpf/ may not include user space")
	else if (me == "public")
		complain("a public header includes only <leat/*.h> and the system's")
	else if (dir == "live" && FILENAME ~ /user\/cli\/(load|report_file|report_cmd)\.[ch]$/)
		complain("a stored profile is read without live/")
	else if (index(" " ok[me] " ", " " dir " ") == 0)
		complain(me " may not include " dir "/")
}

function check_quoted(name,    dir)
{
	if (name ~ /\.\.\//)
		complain("include by module (\"base/x.h\"), not by ../")
	else if (name ~ /\//) {
		dir = name
		sub(/\/.*/, "", dir)
		if (dir in ok)
			check_module(dir)
	} else if (me == "public")
		complain("a public header includes only <leat/*.h> and the system's")
	else if (me != "bpf" && name ~ /\.bpf\.h$/)
		complain(name " is for BPF programs alone")
	else if (me !~ /^(bpf|unwind|engine)$/ && exists("bpf/lib/" name))
		complain("bpf/lib is for unwind and engine alone")
}

function check_include(line,    name)
{
	if (line ~ /<(bpf\/|linux\/bpf)/ && me != "engine" && me != "bpf")
		complain("only engine may include " line)
	if (line ~ /\.skel\.h[">]/ && me != "engine")
		complain("only engine may include a skeleton")
	if (line ~ windows && FILENAME !~ /(^|\/)win\/etw_session\.c$/)
		complain("only win/etw_session.c may include Windows headers")
	if (me == "bpf" && line ~ /<leat\//)
		complain("bpf/ may not include user space")
	if (match(line, /"[^"]+"/)) {
		name = substr(line, RSTART + 1, RLENGTH - 2)
		check_quoted(name)
	}
}

function check_code(line)
{
	# The engine asks for its own limits in one place; it never looks at another process.
	if (FILENAME ~ /user\/engine\/sysctl\.c$/)
		gsub(/"\/proc\/(sys|self)\//, "\"", line)
	if (line ~ /"\/proc/ && me !~ /^(live|bpf)$/ && FILENAME !~ /user\/cli\/doctor/)
		complain("only live (and doctor) may open /proc")
	gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
	if (line ~ /(^|[^A-Za-z0-9_])(bpf_[a-z0-9_]+[ \t]*\(|libbpf_|SYS_bpf|__NR_bpf)/ &&
	    me != "engine" && me != "bpf")
		complain("only engine may call libbpf or bpf(2)")
}

FNR == 1 {
	me = part_of(FILENAME)
	if (me != "bpf" && me != "public" && !(me in ok))
		complain("unknown module " me)
}
/^[ \t]*#[ \t]*include/ { check_include($0); next }
{
	line = $0
	gsub(/\/\*.*\*\//, "", line)
	if (line !~ /^[ \t]*(\/?\*|\/\/)/)
		check_code(line)
}
END { exit bad }
