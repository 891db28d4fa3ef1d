/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct got {
	int cnt;
	enum leat_log_level level;
	char line[2048];
};

static void keep(void *ctx, enum leat_log_level level, const char *line)
{
	struct got *g = ctx;

	g->cnt++;
	g->level = level;
	snprintf(g->line, sizeof(g->line), "%s", line);
}

Test(log, lines_up_to_the_level_reach_the_sink)
{
	static struct got g;

	leat_log_set_sink(keep, &g, LEAT_LOG_INFO);
	leat_log(LEAT_LOG_DEBUG, "debug");
	cr_assert(eq(int, g.cnt, 0));
	leat_log(LEAT_LOG_INFO, "value %d", 7);
	cr_assert(eq(int, g.cnt, 1));
	cr_assert(eq(str, g.line, (char *)"value 7"));
	cr_assert(eq(int, (int)g.level, (int)LEAT_LOG_INFO));
	leat_log_set_sink(NULL, NULL, LEAT_LOG_DEBUG);
	leat_log(LEAT_LOG_ERROR, "nobody hears");
	cr_assert(eq(int, g.cnt, 1));
}

Test(log, err_r_logs_with_the_errno_text_and_returns_it)
{
	static struct got g;

	cr_assert(eq(int, leat_err_r(-EIO, "no sink"), -EIO));
	leat_log_set_sink(keep, &g, LEAT_LOG_ERROR);
	cr_assert(eq(int, leat_err_r(-ENOENT, "open %s", "x"), -ENOENT));
	cr_assert(eq(str, g.line, (char *)"open x: No such file or directory"));
	cr_assert(eq(int, leat_err_r(-EIO, "%*s", 5000, ""), -EIO));
	cr_assert(eq(sz, strlen(g.line), 1023));
	leat_log_set_sink(NULL, NULL, LEAT_LOG_ERROR);
}
