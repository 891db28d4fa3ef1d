/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "cli/suggest.h"

#define STR(s) ((char *)(s))

static void expect_option(enum leat_cli_verb_id verb, const char *word, const char *want)
{
	char got[64] = "untouched";

	leat_cli_suggest_option(verb, word, got, sizeof(got));
	cr_expect(eq(str, got, (char *)want), "%s", word);
}

Test(suggest, options)
{
	expect_option(LEAT_CLI_RECORD, "frequenzy", "--frequency");
	expect_option(LEAT_CLI_RECORD, "durration", "--duration");
	expect_option(LEAT_CLI_RECORD, "dur", "--duration");
	expect_option(LEAT_CLI_RECORD, "pids", "--pid");
	expect_option(LEAT_CLI_RECORD, "PID", "--pid");
	expect_option(LEAT_CLI_RECORD, "max-los", "--max-loss");
	expect_option(LEAT_CLI_RECORD, "zzzzzzzz", "");
	expect_option(LEAT_CLI_RECORD, "", "");
	expect_option(LEAT_CLI_DOCTOR, "frequency", "");
	expect_option(LEAT_CLI_DOCTOR, "jsn", "--json");
}

Test(suggest, habits_from_other_profilers)
{
	expect_option(LEAT_CLI_RECORD, "rate", "--frequency");
	expect_option(LEAT_CLI_RECORD, "all-user", "--user-only");
	expect_option(LEAT_CLI_RECORD, "subprocesses", "--children");
	expect_option(LEAT_CLI_RECORD, "call-graph", "--unwind");
	expect_option(LEAT_CLI_RECORD, "g", "");
}

/* What is suggested exists. */
Test(suggest, suggestions_are_options)
{
	static const char *const words[] = { "rate",	   "hz",	"count",   "system-wide",
					     "all-user",   "comm",	"threads", "no-inherit",
					     "seconds",	   "cpu",	"file",	   "html",
					     "mmap-pages", "max-depth", "user-id" };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(words); i++) {
		char got[64];

		leat_cli_suggest_option(LEAT_CLI_RECORD, words[i], got, sizeof(got));
		cr_assert(eq(int, strncmp(got, "--", 2), 0), "%s", words[i]);
		cr_expect(lt(int,
			     (int)leat_cli_option_long(LEAT_CLI_RECORD, got + 2, strlen(got) - 2),
			     (int)LEAT_CLI_OPT__MAX),
			  "%s", got);
	}
}

Test(suggest, verbs)
{
	char got[64];

	leat_cli_suggest_verb("recrod", got, sizeof(got));
	cr_expect(eq(str, got, STR("record")));
	leat_cli_suggest_verb("docter", got, sizeof(got));
	cr_expect(eq(str, got, STR("doctor")));
	leat_cli_suggest_verb("ls", got, sizeof(got));
	cr_expect(eq(str, got, STR("")));
}

Test(suggest, formats)
{
	char got[64];

	leat_cli_suggest_format("htm", got, sizeof(got));
	cr_expect(eq(str, got, STR("html")));
	leat_cli_suggest_format("fold", got, sizeof(got));
	cr_expect(eq(str, got, STR("folded")));
	leat_cli_suggest_format("jpeg", got, sizeof(got));
	cr_expect(eq(str, got, STR("")));
}
