/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filter text, up to the first newline; the rest is a record. What parses prints, and what was
 * printed parses to an equal tree; a program runs on any record and reads nothing outside it.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <leat/filter.h>

/* Fuzz targets are linked with the library alone. */
#include "../support/filter_format.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct leat_format *f, const struct leat_filter_tree *t)
{
	struct leat_filter_tree *again = NULL;
	struct leat_filter_error e;
	char *text = NULL;
	int err;

	assert(leat_filter_tree_text(t, &text) == 0);
	err = leat_filter_parse(&again, f, text, NULL, &e);
	/* Printed in full an expression may be longer than the maximum, and nothing else. */
	assert(err == 0 || (err == -EOVERFLOW && strlen(text) > LEAT_FILTER_MAX_BYTES));
	assert(err || leat_filter_tree_equal(t, again));
	leat_filter_tree_free(&again);
	free(text);
}

static void run(struct leat_filter *filter, const uint8_t *data, size_t size)
{
	struct leat_record r = { .size = (uint32_t)size };
	uint8_t *copy = malloc(size ? size : 1); /* its end is watched */
	uint64_t missing;
	bool passes;

	if (size)
		memcpy(copy, data, size);
	r.data = copy;
	passes = leat_filter_matches(filter, &r);
	missing = leat_filter_missing_cnt(filter);
	assert(!passes || !missing);
	assert(leat_filter_matches(filter, &r) == passes);
	assert(leat_filter_missing_cnt(filter) == 2 * missing);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t n = end ? (size_t)(end - data) : size;
	char *text = malloc(n + 1);
	struct leat_format *f = filter_format();
	struct leat_filter_tree *t = NULL;
	struct leat_filter *filter = NULL;
	struct leat_filter_error e;

	if (n)
		memcpy(text, data, n);
	text[n] = 0;
	if (leat_filter_parse(&t, f, text, NULL, &e) == 0) {
		check_text(f, t);
		if (leat_filter_from_tree(&filter, t, leat_filter_user_backend(), &e) == 0)
			run(filter, data + n + (end != NULL), size - n - (end != NULL));
	} else {
		assert(e.text[0] && e.column >= 1 && e.column <= n + 1);
	}
	leat_filter_free(&filter);
	leat_filter_tree_free(&t);
	leat_format_free(&f);
	free(text);
	return 0;
}
