/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "cli/options.h"

static const struct leat_cli_verb verbs[LEAT_CLI_VERB__MAX] = {
	[LEAT_CLI_RECORD] = {
		.name = "record",
		.summary = "sample a live process and write a flame graph",
		.operands = "[-- COMMAND [ARG ...]]",
		.examples = {
			{ "sudo leat record -p 4242 -d 10 -o flame.html",
			  "a running process, for ten seconds" },
			{ "sudo leat record -n nginx -d 30", "every process called nginx" },
			{ "sudo leat record -o build.html -- make -j4",
			  "a command and its children, to its end" },
			{ "sudo leat record -a -F 49 -d 1m -o host.svg", "the whole host" },
			{ "sudo leat record -p 4242 -d 10 -o cpu.pb.gz -o cpu.html",
			  "for pprof, and for people" },
			{ "sudo leat record -p 4242 -d 10 -o - | head",
			  "folded stacks on standard output" },
		},
	},
	[LEAT_CLI_REPORT] = {
		.name = "report",
		.summary = "show a stored profile as text: verdict, hottest functions, callers",
		.operands = "INPUT",
		.examples = {
			{ "leat report run.leat", "where the time went" },
			{ "leat report run.leat --top 50 --sort total", "more, and by total" },
			{ "leat report run.leat -G memcpy", "who calls memcpy" },
			{ "leat report run.leat --process nginx", "of one process" },
			{ "ssh host cat run.leat | leat report -", "from standard input" },
		},
	},
	[LEAT_CLI_CONVERT] = {
		.name = "convert",
		.summary = "write a stored profile in other formats",
		.operands = "INPUT",
		.examples = {
			{ "leat convert run.leat -o flame.html", "a flame graph, as record makes it" },
			{ "leat convert run.leat -o a.svg -o a.pb.gz", "several at once" },
			{ "leat convert run.leat -f folded | head", "on standard output" },
			{ "leat convert run.leat.part -o flame.html", "of a recording that was killed" },
		},
	},
	[LEAT_CLI_DOCTOR] = {
		.name = "doctor",
		.summary = "check what leat needs on this host, and say what to do",
		.examples = {
			{ "sudo leat doctor", "kernel, privileges, limits" },
			{ "sudo leat doctor -p 4242", "the same, and how this process will look" },
			{ "sudo leat doctor --json", "for programs" },
		},
	},
	[LEAT_CLI_LIST] = {
		.name = "list",
		.summary = "list the events that can be sampled here, and why others cannot",
		.operands = "[GLOB ...]",
		.examples = {
			{ "sudo leat list", "every event" },
			{ "sudo leat list 'cache*' '*-misses'", "those that match" },
			{ "sudo leat list --names", "only the names of those that work here" },
		},
	},
	[LEAT_CLI_HELP] = {
		.name = "help",
		.summary = "explain a verb and its options",
		.operands = "[VERB]",
		.examples = {
			{ "leat help record", "what record can do" },
			{ "leat help --man record | man -l -", "its manual page" },
		},
	},
	[LEAT_CLI_VERSION] = {
		.name = "version",
		.summary = "print the version",
		.examples = { { "leat version", NULL } },
	},
	[LEAT_CLI_COMPLETION] = {
		.name = "completion",
		.summary = "print the completions for a shell: bash, zsh or fish",
		.operands = "SHELL",
		.examples = {
			{ "source <(leat completion bash)", "for this bash" },
			{ "leat completion fish > ~/.config/fish/completions/leat.fish",
			  "for every fish" },
		},
	},
};

const struct leat_cli_verb *leat_cli_verb_at(enum leat_cli_verb_id id)
{
	return id < LEAT_CLI_VERB__MAX ? &verbs[id] : NULL;
}

enum leat_cli_verb_id leat_cli_verb_find(const char *name)
{
	enum leat_cli_verb_id id = 0;

	while (id < LEAT_CLI_VERB__MAX && strcmp(verbs[id].name, name) != 0)
		id++;
	return id;
}
