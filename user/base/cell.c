/* SPDX-License-Identifier: BSD-2-Clause */
#include <leat/cell.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

struct leat_cell {
	size_t holders; /* a read or write under way is one too: the value outlives it */
	uint32_t readers;
	bool is_written;
	uint64_t conflict_cnt;
	_Alignas(max_align_t) unsigned char value[];
};

int leat_cell_new(struct leat_cell **out, const void *value, size_t size)
{
	struct leat_cell *c;
	size_t bytes;

	if (__builtin_add_overflow(sizeof(*c), size, &bytes))
		return -ENOMEM;
	c = malloc(bytes);
	if (!c)
		return -ENOMEM;
	memset(c, 0, sizeof(*c));
	memcpy(c->value, value, size);
	c->holders = 1;
	*out = c;
	return 0;
}

struct leat_cell *leat_cell_get(struct leat_cell *c)
{
	c->holders++;
	return c;
}

static void drop(struct leat_cell *c)
{
	if (--c->holders == 0)
		free(c);
}

void leat_cell_put(struct leat_cell **c)
{
	if (*c)
		drop(*c);
	*c = NULL;
}

int leat_cell_begin_read(struct leat_cell *c, const void **value)
{
	if (c->is_written || c->readers == LEAT_CELL_MAX_READERS) {
		c->conflict_cnt++;
		return -EBUSY;
	}
	c->readers++;
	c->holders++;
	*value = c->value;
	return 0;
}

void leat_cell_end_read(struct leat_cell *c)
{
	c->readers--;
	drop(c);
}

int leat_cell_begin_write(struct leat_cell *c, void **value)
{
	if (c->is_written || c->readers) {
		c->conflict_cnt++;
		return -EBUSY;
	}
	c->is_written = true;
	c->holders++;
	*value = c->value;
	return 0;
}

void leat_cell_end_write(struct leat_cell *c)
{
	c->is_written = false;
	drop(c);
}

uint64_t leat_cell_conflict_cnt(const struct leat_cell *c)
{
	return c->conflict_cnt;
}
