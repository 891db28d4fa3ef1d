/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>

#include "cli/help.h"

static struct leat_buf text_of(const char *shell)
{
	struct leat_buf b;

	leat_buf_init(&b, 1 << 20);
	cr_assert(eq(int, leat_cli_completion(&b, shell), 0));
	return b;
}

/* The lines between the one that begins the part of @verb and the one that ends it. */
static const char *part(const struct leat_buf *b, const char *verb, const char **end)
{
	char begin[64];
	const char *at;

	snprintf(begin, sizeof(begin), "\n\t%s)\n", verb);
	at = strstr(b->data, begin);
	cr_assert(ne(ptr, (void *)at, NULL), "%s", verb);
	*end = strstr(at, ";;");
	cr_assert(ne(ptr, (void *)*end, NULL));
	return at;
}

static bool within(const char *from, const char *to, const char *word)
{
	const char *at = strstr(from, word);

	return at && at < to;
}

/* Two verbs may have options of one name. */
static bool is_of(const struct leat_cli_option *o, enum leat_cli_verb_id v)
{
	return leat_cli_option_long(v, o->name, strlen(o->name)) != LEAT_CLI_OPT__MAX;
}

Test(completion, bash_agrees_with_the_table)
{
	struct leat_buf b = text_of("bash");

	for (enum leat_cli_verb_id v = 0; v < LEAT_CLI_VERB__MAX; v++) {
		const char *end, *from = part(&b, leat_cli_verb_at(v)->name, &end);

		for (enum leat_cli_opt id = 0; id < LEAT_CLI_OPT__MAX; id++) {
			const struct leat_cli_option *o = leat_cli_option_at(id);
			char word[64];

			snprintf(word, sizeof(word), "--%s ", o->name);
			cr_expect(eq(int, within(from, end, word), is_of(o, v)), "%s %s",
				  leat_cli_verb_at(v)->name, word);
		}
	}
	leat_buf_fini(&b);
}

Test(completion, zsh_agrees_with_the_table)
{
	struct leat_buf b = text_of("zsh");

	for (enum leat_cli_verb_id v = 0; v < LEAT_CLI_VERB__MAX; v++) {
		const char *end, *from = part(&b, leat_cli_verb_at(v)->name, &end);

		for (enum leat_cli_opt id = 0; id < LEAT_CLI_OPT__MAX; id++) {
			const struct leat_cli_option *o = leat_cli_option_at(id);
			char word[64];

			snprintf(word, sizeof(word), "'*--%s%s[", o->name, o->arg ? "=" : "");
			cr_expect(eq(int, within(from, end, word), is_of(o, v)), "%s %s",
				  leat_cli_verb_at(v)->name, word);
		}
	}
	leat_buf_fini(&b);
}

/* "-n '__fish_seen_subcommand_from record doctor' -s p -l pid " */
Test(completion, fish_agrees_with_the_table)
{
	struct leat_buf b = text_of("fish");

	for (enum leat_cli_opt id = 0; id < LEAT_CLI_OPT__MAX; id++) {
		const struct leat_cli_option *o = leat_cli_option_at(id);
		char line[256];
		int n = snprintf(line, sizeof(line), "__fish_seen_subcommand_from");

		for (enum leat_cli_verb_id v = 0; v < LEAT_CLI_VERB__MAX; v++)
			if (leat_cli_option_of(id, v))
				n += snprintf(line + n, sizeof(line) - (size_t)n, " %s",
					      leat_cli_verb_at(v)->name);
		n += snprintf(line + n, sizeof(line) - (size_t)n, "'");
		if (o->letter)
			n += snprintf(line + n, sizeof(line) - (size_t)n, " -s %c", o->letter);
		snprintf(line + n, sizeof(line) - (size_t)n, " -l %s ", o->name);
		cr_expect(ne(ptr, strstr(b.data, line), NULL), "%s", line);
	}
	leat_buf_fini(&b);
}

Test(completion, offers_formats_and_choices)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(shells); i++) {
		struct leat_buf b = text_of(shells[i]);

		cr_expect(ne(ptr, strstr(b.data, "html svg folded"), NULL), "%s", shells[i]);
		cr_expect(ne(ptr, strstr(b.data, "auto fp"), NULL), "%s", shells[i]);
		cr_expect(ne(ptr, strstr(b.data, "leat list --names"), NULL), "%s", shells[i]);
		leat_buf_fini(&b);
	}
}

Test(completion, offers_files_where_one_is_read)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };
	static const char *const words[] = { "\tconvert)\n", "'1:input:_files'",
					     "report convert' -F" };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(shells); i++) {
		struct leat_buf b = text_of(shells[i]);

		cr_expect(ne(ptr, strstr(b.data, words[i]), NULL), "%s", shells[i]);
		leat_buf_fini(&b);
	}
}

/* One letter, another option for each verb: bash is told which. */
Test(completion, letters_that_two_verbs_share)
{
	struct leat_buf b = text_of("bash");

	cr_expect(ne(ptr, strstr(b.data, "\trecord:-G|*:--cgroup)"), NULL));
	cr_expect(ne(ptr, strstr(b.data, "\treport:-G|*:--callers)"), NULL));
	leat_buf_fini(&b);
}

Test(completion, unknown_shell)
{
	struct leat_buf b;

	leat_buf_init(&b, 100);
	cr_expect(eq(int, leat_cli_completion(&b, "csh"), -ENOENT));
	leat_buf_fini(&b);
}
