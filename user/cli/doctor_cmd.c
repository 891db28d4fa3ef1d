/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/commands.h"
#include "live/live.h"

#define GREEN  "\033[1;32m"
#define YELLOW "\033[1;33m"
#define RED    "\033[1;31m"
#define PLAIN  "\033[0m"

static const char *const level_names[] = { "PASS", "WARN", "FAIL" };
static const char *const level_colors[] = { GREEN, YELLOW, RED };

static void add_detail(struct leat_buf *b, const char *label, const char *text)
{
	if (!*text)
		return;
	leat_buf_printf(b, "        %s", label);
	leat_text_clean(b, text, strlen(text));
	leat_buf_char(b, '\n');
}

static void add_check(struct leat_buf *b, const struct leat_check *k, int width, bool color)
{
	leat_buf_printf(b, "  %s%s%s  ", color ? level_colors[k->level] : "", level_names[k->level],
			color ? PLAIN : "");
	leat_buf_printf(b, "%-*s  ", width, k->name);
	leat_text_clean(b, k->value, strlen(k->value));
	leat_buf_char(b, '\n');
	if (k->level == LEAT_CHECK_PASS)
		return;
	add_detail(b, "why: ", k->consequence);
	add_detail(b, "fix: ", k->fix);
}

static void add_json(struct leat_buf *b, const char *key, const char *text, const char *before)
{
	leat_buf_printf(b, "%s\"%s\": ", before, key);
	leat_text_json(b, text, strlen(text));
}

static void add_check_json(struct leat_buf *b, const struct leat_check *k, bool first)
{
	static const char *const levels[] = { "pass", "warn", "fail" };

	leat_buf_str(b, first ? "\n    {" : ",\n    {");
	add_json(b, "name", k->name, "");
	add_json(b, "level", levels[k->level], ", ");
	add_json(b, "value", k->value, ", ");
	add_json(b, "consequence", k->consequence, ", ");
	add_json(b, "fix", k->fix, ", ");
	leat_buf_char(b, '}');
}

static void report_text(struct leat_buf *b, const struct leat_check *checks, size_t n, bool color)
{
	size_t cnt[3] = { 0 };
	int width = 0;

	for (size_t i = 0; i < n; i++)
		width = (int)strlen(checks[i].name) > width ? (int)strlen(checks[i].name) : width;
	for (size_t i = 0; i < n; i++) {
		cnt[checks[i].level]++;
		add_check(b, &checks[i], width, color);
	}
	if (cnt[LEAT_CHECK_FAIL])
		leat_buf_printf(b, "leat cannot record here: %zu failed, %zu to look at.\n",
				cnt[LEAT_CHECK_FAIL], cnt[LEAT_CHECK_WARN]);
	else
		leat_buf_printf(b, "leat can record here%s.\n",
				cnt[LEAT_CHECK_WARN] ? "; the warnings say what will be missing"
						     : "");
}

static void report_json(struct leat_buf *b, const struct leat_check *checks, size_t n, bool usable)
{
	leat_buf_printf(b, "{\n  \"version\": 1,\n  \"usable\": %s,\n  \"checks\": [",
			usable ? "true" : "false");
	for (size_t i = 0; i < n; i++)
		add_check_json(b, &checks[i], i == 0);
	leat_buf_str(b, "\n  ]\n}\n");
}

static int one_pid(struct leat_cli_call *c, uint32_t *tgid)
{
	struct leat_diag d = { 0 };

	*tgid = c->args->pids.n ? c->args->pids.items[0] : 0;
	if (c->args->pids.n <= 1)
		return LEAT_EXIT_OK;
	leat_diag_set(&d, -EINVAL, LEAT_EXIT_USAGE, "-p: expected one process, found %zu",
		      c->args->pids.n);
	leat_diag_fix(&d, "leat doctor -p %u", *tgid);
	return leat_cli_fail(c, &d, d.err);
}

int leat_cli_doctor_cmd(struct leat_cli_call *c)
{
	LEAT_FREE struct leat_check *checks = NULL;
	struct leat_diag none = { 0 };
	bool usable = true;
	struct leat_buf b;
	uint32_t tgid;
	size_t n = 0;
	int err, code = one_pid(c, &tgid);

	if (code)
		return code;
	err = leat_live_doctor(tgid, &checks, &n);
	if (err)
		return leat_cli_fail(c, &none, err);
	for (size_t i = 0; i < n; i++)
		usable &= checks[i].level != LEAT_CHECK_FAIL;
	leat_buf_init(&b, LEAT_CLI_MAX_TEXT);
	if (c->args->json)
		report_json(&b, checks, n, usable);
	else
		report_text(&b, checks, n, c->io.out_color);
	code = leat_cli_print(c, &b);
	return code || usable ? code : LEAT_EXIT_FAILURE;
}
