/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/suggest.h"
#include "live/live.h"

struct listing {
	struct leat_buf b;
	const struct leat_cli_args *args;
	size_t shown;
	struct leat_cli_nearest near;
};

static bool wanted(const struct leat_cli_args *a, const char *name)
{
	bool any = false;

	for (size_t i = 0; i < a->operands.n && !any; i++)
		any = fnmatch(a->operands.items[i], name, 0) == 0;
	return any || !a->operands.n;
}

static void add_json(struct listing *l, const char *key, const char *text)
{
	leat_buf_printf(&l->b, "\"%s\": ", key);
	leat_text_json(&l->b, text, strlen(text));
	leat_buf_str(&l->b, ", ");
}

static void add_text(struct listing *l, const char *text, int width)
{
	size_t before = l->b.len;

	leat_text_clean(&l->b, text, strlen(text));
	while (l->b.len < before + (size_t)width && !l->b.err)
		leat_buf_char(&l->b, ' ');
}

static void add_event(void *ctx, const char *name, const char *kind, bool usable,
		      const char *why_not)
{
	struct listing *l = ctx;

	leat_cli_nearest_try(&l->near, name);
	if (!wanted(l->args, name) || (l->args->names_only && !usable))
		return;
	if (l->args->json) {
		leat_buf_str(&l->b, l->shown ? ",\n    {" : "\n    {");
		add_json(l, "name", name);
		add_json(l, "kind", kind);
		add_json(l, "why_not", usable || !why_not ? "" : why_not);
		leat_buf_printf(&l->b, "\"usable\": %s}", usable ? "true" : "false");
	} else if (l->args->names_only) {
		add_text(l, name, 0);
		leat_buf_char(&l->b, '\n');
	} else {
		leat_buf_str(&l->b, "  ");
		add_text(l, name, 30);
		leat_buf_char(&l->b, ' ');
		add_text(l, kind, 10);
		leat_buf_char(&l->b, ' ');
		add_text(l, usable ? "yes" : why_not && *why_not ? why_not : "no", 0);
		leat_buf_char(&l->b, '\n');
	}
	l->shown++;
}

static int nothing_shown(struct leat_cli_call *c, struct listing *l)
{
	struct leat_diag d = { 0 };

	leat_buf_fini(&l->b);
	leat_diag_set(&d, -ENOENT, LEAT_EXIT_FAILURE, "no event matches '%s'",
		      c->args->operands.items[0]);
	if (l->near.best[0])
		leat_diag_fix(&d, "did you mean %s?", l->near.best);
	leat_diag_alt(&d, "leat list (shows all of them)");
	return leat_cli_fail(c, &d, d.err);
}

int leat_cli_list_cmd(struct leat_cli_call *c)
{
	const struct leat_cli_strs *globs = &c->args->operands;
	struct listing l = { .args = c->args };
	struct leat_diag none = { 0 };
	int err;

	l.near.word = globs->n ? globs->items[0] : "";
	leat_buf_init(&l.b, LEAT_CLI_MAX_TEXT);
	if (c->args->json)
		leat_buf_str(&l.b, "{\n  \"version\": 1,\n  \"events\": [");
	else if (!c->args->names_only)
		leat_buf_printf(&l.b, "  %-30s %-10s %s\n", "EVENT", "KIND", "CAN BE SAMPLED HERE");
	err = leat_live_list_events(add_event, &l);
	if (err) {
		leat_buf_fini(&l.b);
		return leat_cli_fail(c, &none, err);
	}
	if (globs->n && !l.shown)
		return nothing_shown(c, &l);
	if (c->args->json)
		leat_buf_str(&l.b, "\n  ]\n}\n");
	return leat_cli_print(c, &l.b);
}
