/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "cli/help.h"
#include "cli/io.h"

#define STR(s) ((char *)(s))

Test(options, every_row_is_filled)
{
	for (enum leat_cli_opt id = 0; id < LEAT_CLI_OPT__MAX; id++) {
		const struct leat_cli_option *o = leat_cli_option_at(id);
		bool takes = o->type != LEAT_CLI_FLAG && o->type != LEAT_CLI_COUNT;

		cr_assert(ne(ptr, (void *)o->name, NULL), "row %d", (int)id);
		cr_expect(ne(ptr, (void *)o->help, NULL), "%s", o->name);
		cr_expect(eq(int, takes, o->arg != NULL), "%s", o->name);
		cr_expect(eq(int, takes, o->expected != NULL), "%s", o->name);
		cr_expect(eq(int, o->type == LEAT_CLI_CHOICE, o->choices != NULL), "%s", o->name);
		cr_expect(ne(uint, o->verbs, 0), "%s", o->name);
		cr_expect(lt(sz, o->offset, sizeof(struct leat_cli_args)), "%s", o->name);
		cr_expect(le(sz, strlen(o->help), 64), "%s: %s", o->name, o->help);
		if (o->type == LEAT_CLI_NUMBER || o->type == LEAT_CLI_NS ||
		    o->type == LEAT_CLI_BYTES || o->type == LEAT_CLI_IDS)
			cr_expect(lt(u64, o->min, o->max), "%s", o->name);
	}
	cr_expect(eq(ptr, (void *)leat_cli_option_at(LEAT_CLI_OPT__MAX), NULL));
}

/* Two rows with one name, one member, or one letter in the same verb would shadow each other. */
Test(options, names_letters_and_members_are_unique)
{
	for (enum leat_cli_opt i = 0; i < LEAT_CLI_OPT__MAX; i++) {
		const struct leat_cli_option *a = leat_cli_option_at(i);

		for (enum leat_cli_opt j = i + 1; j < LEAT_CLI_OPT__MAX; j++) {
			const struct leat_cli_option *b = leat_cli_option_at(j);

			if (!(a->verbs & b->verbs))
				continue;
			cr_expect(ne(str, (char *)a->name, (char *)b->name));
			cr_expect(eq(int, a->letter != 0 && a->letter == b->letter, 0), "-%c",
				  a->letter);
			cr_expect(ne(sz, a->offset, b->offset), "%s %s", a->name, b->name);
		}
	}
}

Test(options, look_up_by_verb)
{
	cr_expect(eq(int, (int)leat_cli_option_long(LEAT_CLI_RECORD, "pid", 3), LEAT_CLI_OPT_PID));
	cr_expect(eq(int, (int)leat_cli_option_long(LEAT_CLI_RECORD, "pidx", 3), LEAT_CLI_OPT_PID));
	cr_expect(eq(int, (int)leat_cli_option_long(LEAT_CLI_RECORD, "pi", 2), LEAT_CLI_OPT__MAX));
	cr_expect(
		eq(int, (int)leat_cli_option_long(LEAT_CLI_RECORD, "json", 4), LEAT_CLI_OPT__MAX));
	cr_expect(
		eq(int, (int)leat_cli_option_short(LEAT_CLI_RECORD, 'F'), LEAT_CLI_OPT_FREQUENCY));
	cr_expect(eq(int, (int)leat_cli_option_short(LEAT_CLI_DOCTOR, 'F'), LEAT_CLI_OPT__MAX));
	cr_expect(eq(int, (int)leat_cli_option_short(LEAT_CLI_RECORD, '\0'), LEAT_CLI_OPT__MAX));
}

Test(options, verbs_are_found)
{
	for (enum leat_cli_verb_id v = 0; v < LEAT_CLI_VERB__MAX; v++) {
		const struct leat_cli_verb *verb = leat_cli_verb_at(v);

		cr_expect(eq(int, (int)leat_cli_verb_find(verb->name), (int)v));
		cr_expect(ne(ptr, (void *)verb->summary, NULL));
		cr_expect(ne(ptr, (void *)verb->examples[0].command, NULL));
	}
	cr_expect(eq(int, (int)leat_cli_verb_find("nothing"), LEAT_CLI_VERB__MAX));
	cr_expect(eq(ptr, (void *)leat_cli_verb_at(LEAT_CLI_VERB__MAX), NULL));
}

Test(options, groups_have_names)
{
	for (enum leat_cli_group g = 0; g < LEAT_CLI_GROUP__MAX; g++)
		cr_expect(gt(sz, strlen(leat_cli_group_name(g)), 0));
	cr_expect(eq(str, (char *)leat_cli_group_name(LEAT_CLI_GROUP__MAX), STR("")));
}

static bool shows(const char *text, const char *before, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = text; (at = strstr(at, before)); at++) {
		const char *word = at + strlen(before);

		if (strncmp(word, name, n) == 0 && !strchr("abcdefghijklmnopqrstuvwxyz-", word[n]))
			return true;
		if (strncmp(word, name, n) == 0 && word[n] == '\0')
			return true;
	}
	return false;
}

/* --help and the manual show exactly the options that the parser takes. */
Test(options, help_and_manual_agree_with_the_table)
{
	for (enum leat_cli_verb_id v = 0; v < LEAT_CLI_VERB__MAX; v++) {
		struct leat_buf help, man;
		bool page;

		leat_buf_init(&help, 1 << 20);
		leat_buf_init(&man, 1 << 20);
		leat_cli_help(&help, v);
		page = leat_cli_man(&man, v) == 0;
		for (enum leat_cli_opt id = 0; id < LEAT_CLI_OPT__MAX; id++) {
			const struct leat_cli_option *o = leat_cli_option_at(id);
			/* Two verbs may have options of one name. */
			bool mine = leat_cli_option_long(v, o->name, strlen(o->name)) !=
				    LEAT_CLI_OPT__MAX;

			cr_expect(eq(int,
				     shows(help.data, o->letter ? ", --" : "      --", o->name),
				     mine),
				  "help %s: --%s", leat_cli_verb_at(v)->name, o->name);
			if (page && mine)
				cr_expect(shows(man.data, "Fl -", o->name), "man %s: --%s",
					  leat_cli_verb_at(v)->name, o->name);
		}
		leat_buf_fini(&help);
		leat_buf_fini(&man);
	}
}

Test(options, help_has_six_examples_first_and_fits)
{
	struct leat_buf b;
	size_t examples = 0, longest = 0;

	leat_buf_init(&b, 1 << 20);
	leat_cli_help(&b, LEAT_CLI_RECORD);
	for (const char *s = b.data; (s = strstr(s, "  sudo leat ")); s++)
		examples++;
	for (const char *s = b.data; *s; s += strcspn(s, "\n") + 1)
		longest = strcspn(s, "\n") > longest ? strcspn(s, "\n") : longest;
	cr_expect(eq(sz, examples, 6));
	cr_expect(lt(ptr, strstr(b.data, "Examples:"), strstr(b.data, "Target:")));
	cr_expect(le(sz, longest, 100));
	leat_buf_fini(&b);
}

Test(options, manual_has_no_token_left)
{
	static const enum leat_cli_verb_id pages[] = { LEAT_CLI_VERB__MAX, LEAT_CLI_RECORD,
						       LEAT_CLI_REPORT,	   LEAT_CLI_CONVERT,
						       LEAT_CLI_DOCTOR,	   LEAT_CLI_LIST };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(pages); i++) {
		struct leat_buf b;

		leat_buf_init(&b, 1 << 20);
		cr_assert(eq(int, leat_cli_man(&b, pages[i]), 0));
		cr_expect(eq(ptr, strchr(b.data, '@'), NULL));
		cr_expect(ne(ptr, strstr(b.data, ".Sh EXIT STATUS"), NULL));
		leat_buf_fini(&b);
	}
}

/* A buffer that is too small is an error, at any size, never a crash. */
Test(options, texts_report_full_buffers)
{
	for (size_t max = 0; max < 1200; max += 7) {
		struct leat_buf b;

		leat_buf_init(&b, max);
		leat_cli_help(&b, LEAT_CLI_RECORD);
		cr_expect(eq(int, b.err, -EOVERFLOW));
		leat_buf_reset(&b);
		cr_expect(eq(int, leat_cli_man(&b, LEAT_CLI_RECORD), -EOVERFLOW));
		leat_buf_reset(&b);
		cr_expect(eq(int, leat_cli_completion(&b, "zsh"), -EOVERFLOW));
		leat_buf_fini(&b);
	}
}
