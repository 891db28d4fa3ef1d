/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/stored_names.h"

#include <leat/symbols.h>

#include "live/stored.h"

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
	struct leat_file_provider files;
	int err;

	(void)ctx;
	if (!p->verdict.cut_off)
		return leat_symbols_finish(p);
	err = leat_stored_new(&s, p);
	if (err)
		return err;
	files = leat_stored_provider(s);
	return leat_symbols_resolve(p, &files, NULL);
}
