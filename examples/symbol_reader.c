/* SPDX-License-Identifier: BSD-2-Clause */
/* Names from a table of user code, then a file that shows them. */
#include <leat/export.h>
#include <leat/symbols.h>

#include "demo.h"

static int reset(void *self)
{
	*(size_t *)self = 0;
	return 0;
}

/* Offsets are of the file: the mapping at 0x400000 begins with its first byte. */
static int next(void *self, struct leat_symbol *out)
{
	static const struct leat_symbol symbols[] = {
		{ 0x1000, 0x1100, "parse", 5, "app.c", 12, false },
		{ 0x2000, 0x2100, "main", 4, "app.c", 40, false },
	};
	size_t *at = (size_t *)self;

	if (*at == 2)
		return 0;
	*out = symbols[(*at)++];
	return 1;
}

int main(void)
{
	static const struct leat_symbol_reader_ops ops = { "table", reset, next };
	struct leat_profile *p = demo_profile((struct leat_attribute_source){ NULL, NULL });
	size_t at = 0, named = 0, len = 0;
	struct leat_symbol_reader reader = { &ops, &at };
	char *data = NULL;

	CHECK(leat_symbols_read(p, demo_object(p, "/opt/app"), &reader, &named) == 0);
	CHECK(named == 3);
	CHECK(leat_symbols_finish(p) == 0); /* what nobody knows is shown as such */
	CHECK(leat_export_write(leat_exporter_find("folded"), p, NULL, &data, &len) == 0);
	CHECK(strcmp(data, "app;main 1\napp;main;parse 2\n") == 0);
	printf("%d places named\n", (int)named);
	free(data);
	leat_profile_free(&p);
	return 0;
}
