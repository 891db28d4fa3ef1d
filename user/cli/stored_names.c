/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/stored_names.h"

#include <errno.h>

#include "live/stored.h"

/* What the objects are called is all that is known then. */
static int no_file(void *ctx, const struct leat_profile *p, const struct leat_object *o,
		   enum leat_file_what what, const char *arg, unsigned int n)
{
	(void)ctx;
	(void)p;
	(void)o;
	(void)what;
	(void)arg;
	(void)n;
	return -ENOENT;
}

int leat_cli_stored_check(void *ctx, struct leat_profile *p)
{
	LEAT_AUTO(leat_stored_free) struct leat_stored *s = NULL;
	struct leat_file_provider files;
	int err;

	(void)ctx;
	if (!p->verdict.cut_off)
		return 0;
	err = leat_stored_new(&s, p);
	if (err)
		return err;
	files = leat_stored_provider(s);
	return leat_symbols_check_calls(p, &files);
}

int leat_cli_stored_name(void *ctx, struct leat_profile *p)
{
	LEAT_AUTO(leat_stored_free) struct leat_stored *s = NULL;
	struct leat_file_provider files = { .open = no_file };
	int err = p->verdict.cut_off ? leat_stored_new(&s, p) : 0;

	(void)ctx;
	if (err)
		return err;
	if (s)
		files = leat_stored_provider(s);
	return leat_symbols_resolve(p, &files, NULL);
}
