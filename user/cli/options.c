/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/options.h"

#include <string.h>

#define NS_PER_MS 1000000ull
#define NS_PER_H  (3600 * 1000 * NS_PER_MS)
#define MAX_PID	  4194304 /* PID_MAX_LIMIT of a 64-bit kernel */

#define AT(member)  offsetof(struct leat_cli_args, member)
#define IN(verb)    (1u << LEAT_CLI_##verb)
#define ANY_VERB    ((1u << LEAT_CLI_VERB__MAX) - 1)
#define ROW(id)	    [LEAT_CLI_OPT_##id]
#define FLAG(at)    .type = LEAT_CLI_FLAG, .offset = AT(at)
#define GROUP(name) .group = LEAT_CLI_G_##name

static const char *const unwind_choices[] = { "auto", "fp", "table", NULL };
static const char *const sort_choices[] = { "self", "total", NULL };
static const char *const when_choices[] = { "auto", "always", "never", NULL };

static const struct leat_cli_option options[LEAT_CLI_OPT__MAX] = {
	/* --- target --------------------------------------------------------------------- */
	ROW(PID) = { .name = "pid",
		     .letter = 'p',
		     .type = LEAT_CLI_IDS,
		     GROUP(TARGET),
		     .complete = LEAT_CLI_C_PID,
		     .verbs = IN(RECORD) | IN(DOCTOR),
		     .offset = AT(pids),
		     .min = 1,
		     .max = MAX_PID,
		     .arg = "PID[,PID...]",
		     .expected = "process ids from 1 to 4194304, separated by commas",
		     .help = "these processes, with all their threads; repeatable",
		     .more = "A pid is one of the pid namespace in which leat runs." },
	ROW(TID) = { .name = "tid",
		     .letter = 't',
		     .type = LEAT_CLI_IDS,
		     GROUP(TARGET),
		     .complete = LEAT_CLI_C_PID,
		     .verbs = IN(RECORD),
		     .offset = AT(tids),
		     .min = 1,
		     .max = MAX_PID,
		     .arg = "TID[,TID...]",
		     .expected = "thread ids from 1 to 4194304, separated by commas",
		     .help = "these threads; repeatable" },
	ROW(NAME) = { .name = "name",
		      .letter = 'n',
		      .type = LEAT_CLI_TEXTS,
		      GROUP(TARGET),
		      .complete = LEAT_CLI_C_PROCESS,
		      .verbs = IN(RECORD),
		      .offset = AT(names),
		      .arg = "GLOB",
		      .expected = "a name such as nginx, or a pattern such as 'post*'",
		      .help = "processes of this name or executable; repeatable",
		      .more = "GLOB is a shell pattern; it is compared with the name of the process "
			      "and with the last part of its executable's path." },
	ROW(CGROUP) = { .name = "cgroup",
			.letter = 'G',
			.type = LEAT_CLI_TEXTS,
			GROUP(TARGET),
			.complete = LEAT_CLI_C_DIR,
			.verbs = IN(RECORD),
			.offset = AT(cgroups),
			.arg = "PATH",
			.expected = "the path of a cgroup (v2)",
			.help = "processes in this cgroup and those below it; repeatable",
			.more = "PATH is absolute, or relative to where cgroup v2 is mounted." },
	ROW(UID) = { .name = "uid",
		     .letter = 'u',
		     .type = LEAT_CLI_USERS,
		     GROUP(TARGET),
		     .complete = LEAT_CLI_C_USER,
		     .verbs = IN(RECORD),
		     .offset = AT(uids),
		     .arg = "USER[,USER...]",
		     .expected = "names of users, or user ids",
		     .help = "processes of these users; repeatable" },
	ROW(ALL) = { .name = "all",
		     .letter = 'a',
		     FLAG(all),
		     GROUP(TARGET),
		     .verbs = IN(RECORD),
		     .help = "every process on the host" },
	ROW(CPUS) = { .name = "cpus",
		      .letter = 'C',
		      .type = LEAT_CLI_CPU_LIST,
		      GROUP(TARGET),
		      .verbs = IN(RECORD),
		      .offset = AT(cpus),
		      .arg = "CPULIST",
		      .expected = "a list of CPUs such as 0-3,8",
		      .help = "only what runs on these CPUs",
		      .more = "Alone it means every process on these CPUs." },
	ROW(CHILDREN) = { .name = "children",
			  FLAG(children),
			  GROUP(TARGET),
			  .verbs = IN(RECORD),
			  .help = "also the targets' children, present and future",
			  .more = "This is the default for a command that leat starts." },
	ROW(NO_CHILDREN) = { .name = "no-children",
			     FLAG(no_children),
			     GROUP(TARGET),
			     .verbs = IN(RECORD),
			     .help = "of a command, only its own process" },

	/* --- sampling ------------------------------------------------------------------- */
	ROW(DURATION) = { .name = "duration",
			  .letter = 'd',
			  .type = LEAT_CLI_NS,
			  GROUP(SAMPLING),
			  .verbs = IN(RECORD),
			  .offset = AT(duration_ns),
			  .min = NS_PER_MS,
			  .max = 10000 * NS_PER_H,
			  .arg = "DURATION",
			  .expected = "a duration such as 10, 500ms, 2m or 1h",
			  .help = "how long (ends a command); default: to Ctrl-C or target's end",
			  .more = "A number without a unit means seconds; units are us, ms, s, m "
				  "and h, and they combine: 1m30s. A command that leat started "
				  "ends with the recording." },
	ROW(FREQUENCY) = { .name = "frequency",
			   .letter = 'F',
			   .type = LEAT_CLI_NUMBER,
			   GROUP(SAMPLING),
			   .verbs = IN(RECORD),
			   .offset = AT(freq_hz),
			   .min = 1,
			   .max = 1000000,
			   .arg = "HZ",
			   .expected = "a number of samples a second from 1 to 1000000",
			   .help = "samples a second and CPU (default 99)",
			   .more = "The kernel has a limit of its own, "
				   "kernel.perf_event_max_sample_rate, which it lowers by itself on "
				   "a slow host; a frequency above it is an error that names it." },
	ROW(EVENT) = { .name = "event",
		       .letter = 'e',
		       .type = LEAT_CLI_TEXT,
		       GROUP(SAMPLING),
		       .complete = LEAT_CLI_C_EVENT,
		       .verbs = IN(RECORD),
		       .offset = AT(event),
		       .arg = "EVENT",
		       .expected = "an event that \"leat list\" shows",
		       .help = "what to sample by (see leat list); default: CPU time",
		       .more = "Without it leat takes cycles where the processor's counters can be "
			       "used, else cpu-clock, and says which in the output." },
	ROW(PERIOD) = { .name = "period",
			.letter = 'c',
			.type = LEAT_CLI_NUMBER,
			GROUP(SAMPLING),
			.verbs = IN(RECORD),
			.offset = AT(period),
			.min = 1,
			.max = 1000000000000000ull,
			.arg = "COUNT",
			.expected = "a number of events from 1 to 10^15",
			.help = "one sample every COUNT events instead of by time" },
	ROW(IDLE) = { .name = "idle",
		      FLAG(idle),
		      GROUP(SAMPLING),
		      .verbs = IN(RECORD),
		      .help = "with -a or -C: show idle CPUs too" },
	ROW(NO_KTHREADS) = { .name = "no-kthreads",
			     FLAG(no_kthreads),
			     GROUP(SAMPLING),
			     .verbs = IN(RECORD),
			     .help = "leave out kernel threads" },
	ROW(STREAM) = { .name = "stream",
			FLAG(stream),
			GROUP(SAMPLING),
			.verbs = IN(RECORD),
			.help = "send every sample with its time instead of counting",
			.more = "It costs more. The format script asks for it by itself." },
	ROW(BUFFER) = { .name = "buffer",
			.type = LEAT_CLI_BYTES,
			GROUP(SAMPLING),
			.verbs = IN(RECORD),
			.offset = AT(buffer_bytes),
			.min = 64 << 10,
			.max = 1 << 30,
			.arg = "SIZE",
			.expected = "a size from 64K to 1G, such as 4M",
			.help = "memory between kernel and leat, in all (default 2M)",
			.more = "It is rounded up to what the kernel accepts. A larger one helps "
				"when samples are lost because the ring was full." },
	ROW(MAX_LOSS) = { .name = "max-loss",
			  .type = LEAT_CLI_PERCENT,
			  GROUP(SAMPLING),
			  .verbs = IN(RECORD),
			  .offset = AT(max_loss_percent),
			  .arg = "PERCENT",
			  .expected = "a percentage from 0 to 100",
			  .help = "exit with 7 when more samples than this are lost",
			  .more = "The files are written all the same." },

	/* --- stacks --------------------------------------------------------------------- */
	ROW(USER_ONLY) = { .name = "user-only",
			   .letter = 'U',
			   FLAG(user_only),
			   GROUP(STACKS),
			   .verbs = IN(RECORD),
			   .help = "only user code and its stacks" },
	ROW(KERNEL_ONLY) = { .name = "kernel-only",
			     .letter = 'K',
			     FLAG(kernel_only),
			     GROUP(STACKS),
			     .verbs = IN(RECORD),
			     .help = "only kernel code and its stacks" },
	ROW(UNWIND) = { .name = "unwind",
			.type = LEAT_CLI_CHOICE,
			GROUP(STACKS),
			.complete = LEAT_CLI_C_CHOICE,
			.verbs = IN(RECORD),
			.offset = AT(unwind),
			.choices = unwind_choices,
			.arg = "MODE",
			.expected = "auto, fp or table",
			.help = "how user stacks are taken: auto, table, fp (frame pointers)",
			.more = "table walks by the unwind information of each binary, so that code "
				"without frame pointers has its callers too; auto means table." },
	ROW(UNWIND_MEMORY) = { .name = "unwind-memory",
			       .type = LEAT_CLI_BYTES,
			       GROUP(STACKS),
			       .verbs = IN(RECORD),
			       .offset = AT(unwind_memory),
			       .min = 64 << 10,
			       .max = 1 << 30,
			       .arg = "SIZE",
			       .expected = "a size from 64K to 1G, such as 64M",
			       .help = "kernel memory for unwind tables (default 64M)",
			       .more = "The table that was needed least recently goes when it is full. A "
				       "large binary takes a tenth of its size." },
	ROW(UNWIND_CACHE) = { .name = "unwind-cache",
			      .type = LEAT_CLI_TEXT,
			      GROUP(STACKS),
			      .complete = LEAT_CLI_C_DIR,
			      .verbs = IN(RECORD),
			      .offset = AT(unwind_cache),
			      .arg = "DIR",
			      .expected = "a directory",
			      .help = "keep unwind tables in DIR, by build id",
			      .more = "The next recording loads them instead of building them. DIR is "
				      "made if it is missing; one that another user owns or may "
				      "write to is refused. At most 256 MB lie there: what was not "
				      "used for the longest time goes." },
	ROW(MAX_STACK) = { .name = "max-stack",
			   .type = LEAT_CLI_NUMBER,
			   GROUP(STACKS),
			   .verbs = IN(RECORD),
			   .offset = AT(max_stack),
			   .min = 1,
			   .max = 512,
			   .arg = "FRAMES",
			   .expected = "a number of frames from 1 to 512",
			   .help = "frames of a user stack at most, 1 to 512 (default 127)",
			   .more = "Deeper stacks are marked [truncated], and counted." },
	ROW(PER_THREAD) = { .name = "per-thread",
			    FLAG(per_thread),
			    GROUP(STACKS),
			    .verbs = IN(RECORD),
			    .help = "keep the threads apart" },

	/* --- output --------------------------------------------------------------------- */
	ROW(OUTPUT) = { .name = "output",
			.letter = 'o',
			.type = LEAT_CLI_TEXTS,
			GROUP(OUTPUT),
			.complete = LEAT_CLI_C_FILE,
			.verbs = IN(RECORD) | IN(CONVERT),
			.offset = AT(outputs),
			.arg = "FILE",
			.expected = "the name of a file, or - for standard output",
			.help = "where to; the extension chooses the format; repeatable",
			.more = "Without it the file is called leat-NAME-PID-DATE-TIME.html. The file "
				"appears whole or not at all; an older one of that name is replaced "
				"only then. Devices and pipes are written directly, a symbolic link "
				"is followed, and under sudo the file belongs to the invoking user." },
	ROW(FORMAT) = { .name = "format",
			.letter = 'f',
			.type = LEAT_CLI_FORMATS,
			GROUP(OUTPUT),
			.complete = LEAT_CLI_C_CHOICE,
			.verbs = IN(RECORD) | IN(CONVERT),
			.offset = AT(format),
			.arg = "FORMAT",
			.expected = "one of",
			.help = "the format, where FILE is - or has no extension",
			.more = "Alone it goes with the default name. On standard output the default "
				"is folded." },
	ROW(TITLE) = { .name = "title",
		       .type = LEAT_CLI_TEXT,
		       GROUP(OUTPUT),
		       .verbs = IN(RECORD) | IN(CONVERT),
		       .offset = AT(title),
		       .arg = "TEXT",
		       .expected = "some text",
		       .help = "heading of the flame graph" },
	ROW(MIN_WIDTH) = { .name = "min-width",
			   .type = LEAT_CLI_PERCENT,
			   GROUP(OUTPUT),
			   .verbs = IN(RECORD) | IN(CONVERT),
			   .offset = AT(min_width_percent),
			   .arg = "PERCENT",
			   .expected = "a percentage from 0 to 100",
			   .help = "pictures: leave out what stands on narrower boxes",
			   .more = "How much is left out is said. 0 leaves out nothing. Without it: 0.1 "
				   "in SVG; in HTML 0.01, and nothing up to a million boxes." },
	ROW(SUMMARY) = { .name = "summary",
			 .type = LEAT_CLI_TEXT,
			 GROUP(OUTPUT),
			 .complete = LEAT_CLI_C_FILE,
			 .verbs = IN(RECORD) | IN(CONVERT),
			 .offset = AT(summary),
			 .arg = "FILE",
			 .expected = "the name of a file, or - for standard output",
			 .help = "write the verdict, every counter of it, as JSON" },
	ROW(ANONYMIZE) = { .name = "anonymize",
			   FLAG(anonymize),
			   GROUP(OUTPUT),
			   .verbs = IN(RECORD),
			   .help = "leave out host, command line and home directories",
			   .more = "See below, under Anonymous output." },
	ROW(PROPAGATE) = { .name = "propagate",
			   FLAG(propagate),
			   GROUP(OUTPUT),
			   .verbs = IN(RECORD),
			   .help = "exit with the status of the command",
			   .more = "When the command ends with 0, the exit status is leat's own. A "
				   "command that a signal ends counts as 128 plus the signal." },

	/* --- what of a file ------------------------------------------------------------- */
	ROW(FILE_EVENT) = { .name = "event",
			    .letter = 'e',
			    .type = LEAT_CLI_TEXT,
			    GROUP(INPUT),
			    .verbs = IN(REPORT) | IN(CONVERT),
			    .offset = AT(event),
			    .arg = "EVENT",
			    .expected = "the name of an event, or of a value of pprof",
			    .help = "of several events or values in the file, this one",
			    .more = "Without it: of perf script the event that comes first, of pprof "
				    "the samples, else the value that the file prefers, else the last. "
				    "What is left out is said. \"cycles\" is also cycles:P, where there "
				    "is only one such event." },
	ROW(PERIODS) = { .name = "periods",
			 FLAG(periods),
			 GROUP(INPUT),
			 .verbs = IN(REPORT) | IN(CONVERT),
			 .help = "perf script: a sample counts as its period, not as one",
			 .more = "The values are then events, such as cycles, instead of samples." },

	/* --- report --------------------------------------------------------------------- */
	ROW(TOP) = { .name = "top",
		     .letter = 'n',
		     .type = LEAT_CLI_NUMBER,
		     GROUP(REPORT),
		     .verbs = IN(REPORT),
		     .offset = AT(top),
		     .min = 1,
		     .max = 100000000,
		     .arg = "N",
		     .expected = "a number of functions from 1 to 100000000",
		     .help = "show the N hottest functions (default 20)" },
	ROW(SORT) = { .name = "sort",
		      .type = LEAT_CLI_CHOICE,
		      GROUP(REPORT),
		      .complete = LEAT_CLI_C_CHOICE,
		      .verbs = IN(REPORT),
		      .offset = AT(sort),
		      .choices = sort_choices,
		      .arg = "BY",
		      .expected = "self or total",
		      .help = "hottest by self (default) or by total",
		      .more = "Self is what a function does itself; total is that and all that it "
			      "calls." },
	ROW(CALLERS) = { .name = "callers",
			 .letter = 'G',
			 .type = LEAT_CLI_TEXT,
			 GROUP(REPORT),
			 .verbs = IN(REPORT),
			 .offset = AT(callers),
			 .arg = "FUNCTION",
			 .expected = "the name of a function, or a pattern",
			 .help = "who calls FUNCTION; default: the three hottest ones",
			 .more = "FUNCTION is a name, or a shell pattern. Of a recursive function "
				 "the caller is the one that began the recursion." },
	ROW(PROCESS) = { .name = "process",
			 .type = LEAT_CLI_TEXT,
			 GROUP(REPORT),
			 .verbs = IN(REPORT),
			 .offset = AT(process),
			 .arg = "PID|NAME",
			 .expected = "a process id, a name or a pattern",
			 .help = "only samples of this process" },
	ROW(THREAD) = { .name = "thread",
			.type = LEAT_CLI_TEXT,
			GROUP(REPORT),
			.verbs = IN(REPORT),
			.offset = AT(thread),
			.arg = "TID|NAME",
			.expected = "a thread id, a name or a pattern",
			.help = "only samples of this thread (recorded with --per-thread)" },

	/* --- messages ------------------------------------------------------------------- */
	ROW(JSON) = { .name = "json",
		      FLAG(json),
		      GROUP(MESSAGES),
		      .verbs = IN(REPORT) | IN(DOCTOR) | IN(LIST),
		      .help = "JSON instead of text" },
	ROW(NAMES) = { .name = "names",
		       FLAG(names_only),
		       GROUP(MESSAGES),
		       .verbs = IN(LIST),
		       .help = "only the names of what can be sampled here" },
	ROW(MAN) = { .name = "man",
		     FLAG(man),
		     GROUP(MESSAGES),
		     .verbs = IN(HELP),
		     .help = "the manual page, as mdoc" },
	ROW(QUIET) = { .name = "quiet",
		       .letter = 'q',
		       FLAG(quiet),
		       GROUP(MESSAGES),
		       .verbs = IN(RECORD) | IN(REPORT) | IN(CONVERT),
		       .help = "no messages but errors" },
	ROW(VERBOSE) = { .name = "verbose",
			 .letter = 'v',
			 .type = LEAT_CLI_COUNT,
			 .offset = AT(verbose),
			 GROUP(MESSAGES),
			 .verbs = IN(RECORD) | IN(REPORT) | IN(CONVERT) | IN(DOCTOR) | IN(LIST),
			 .help = "say more; repeatable" },
	ROW(COLOR) = { .name = "color",
		       .type = LEAT_CLI_CHOICE,
		       GROUP(MESSAGES),
		       .complete = LEAT_CLI_C_CHOICE,
		       .verbs = IN(RECORD) | IN(REPORT) | IN(CONVERT) | IN(DOCTOR) | IN(LIST),
		       .offset = AT(color),
		       .choices = when_choices,
		       .arg = "WHEN",
		       .expected = "auto, always or never",
		       .help = "colours in messages: auto, always, never",
		       .more = "By default on a terminal, unless NO_COLOR is set." },
	ROW(HELP) = { .name = "help",
		      .letter = 'h',
		      FLAG(help),
		      GROUP(MESSAGES),
		      .verbs = ANY_VERB,
		      .help = "this text" },
};

_Static_assert(LEAT_CLI_OPT__MAX <= 64, "struct leat_cli_args has one bit for each in .given");

const struct leat_cli_option *leat_cli_option_at(enum leat_cli_opt id)
{
	return id < LEAT_CLI_OPT__MAX ? &options[id] : NULL;
}

bool leat_cli_option_of(enum leat_cli_opt id, enum leat_cli_verb_id verb)
{
	return id < LEAT_CLI_OPT__MAX && options[id].verbs >> verb & 1;
}

const char *leat_cli_group_name(enum leat_cli_group g)
{
	static const char *const names[LEAT_CLI_GROUP__MAX] = {
		[LEAT_CLI_G_TARGET] = "Target", [LEAT_CLI_G_SAMPLING] = "Sampling",
		[LEAT_CLI_G_STACKS] = "Stacks", [LEAT_CLI_G_OUTPUT] = "Output",
		[LEAT_CLI_G_REPORT] = "Report", [LEAT_CLI_G_MESSAGES] = "Messages",
		[LEAT_CLI_G_INPUT] = "Input",
	};

	return g < LEAT_CLI_GROUP__MAX ? names[g] : "";
}

enum leat_cli_opt leat_cli_option_long(enum leat_cli_verb_id verb, const char *name, size_t n)
{
	for (enum leat_cli_opt id = 0; id < LEAT_CLI_OPT__MAX; id++)
		if (leat_cli_option_of(id, verb) && strlen(options[id].name) == n &&
		    memcmp(options[id].name, name, n) == 0)
			return id;
	return LEAT_CLI_OPT__MAX;
}

enum leat_cli_opt leat_cli_option_short(enum leat_cli_verb_id verb, char letter)
{
	for (enum leat_cli_opt id = 0; id < LEAT_CLI_OPT__MAX; id++)
		if (letter && leat_cli_option_of(id, verb) && options[id].letter == letter)
			return id;
	return LEAT_CLI_OPT__MAX;
}

void leat_cli_args_init(struct leat_cli_args *a)
{
	*a = (struct leat_cli_args){
		.freq_hz = 99, .max_stack = 127, .max_loss_percent = 100, .top = 20
	};
}

void leat_cli_args_fini(struct leat_cli_args *a)
{
	leat_cli_ids_fini(&a->pids);
	leat_cli_ids_fini(&a->tids);
	leat_cli_ids_fini(&a->uids);
	leat_cli_ids_fini(&a->cpus);
	leat_cli_strs_fini(&a->names);
	leat_cli_strs_fini(&a->cgroups);
	leat_cli_strs_fini(&a->outputs);
	leat_cli_strs_fini(&a->operands);
}
