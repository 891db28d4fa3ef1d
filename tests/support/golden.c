/* SPDX-License-Identifier: BSD-2-Clause */
#include "golden.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *load(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	long size;

	*n = 0;
	if (!f)
		return NULL;
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	text = malloc((size_t)size + 1);
	if (text)
		*n = fread(text, 1, (size_t)size, f);
	fclose(f);
	return text;
}

static void store(const char *path, const char *text, size_t n)
{
	FILE *f = fopen(path, "wb");

	if (!f)
		cr_fatal("%s: cannot be written", path);
	fwrite(text, 1, n, f);
	fclose(f);
}

void leat_golden_check(const char *name, const char *text, size_t n)
{
	char path[256];
	size_t want_n, i = 0, line = 1;
	char *want;

	/* Tests run in the root of the project, or are told where that is. */
	snprintf(path, sizeof(path), "%s/tests/golden/%s",
		 getenv("LEAT_SRC") ? getenv("LEAT_SRC") : ".", name);
	if (getenv("LEAT_GOLDEN_UPDATE")) {
		store(path, text, n);
		return;
	}
	want = load(path, &want_n);
	if (!want)
		cr_fatal("%s: not there; run with LEAT_GOLDEN_UPDATE=1", path);
	for (; i < n && i < want_n && text[i] == want[i]; i++)
		line += text[i] == '\n';
	if (i != n || i != want_n)
		cr_fatal("%s: differs in line %zu (byte %zu): expected \"%.60s\", got \"%.60s\"",
			 path, line, i, i < want_n ? want + i : "", i < n ? text + i : "");
	free(want);
}
