/* SPDX-License-Identifier: BSD-2-Clause */
#include <leat/data_ref.h>

#include <errno.h>

#include "base/cleanup.h"

struct leat_data_ref {
	uint32_t holders;
	uint32_t start, end;
	uint64_t short_cnt;
};

int leat_data_ref_new(struct leat_data_ref **out)
{
	struct leat_data_ref *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->holders = 1;
	*out = d;
	return 0;
}

struct leat_data_ref *leat_data_ref_get(struct leat_data_ref *d)
{
	d->holders++;
	return d;
}

void leat_data_ref_put(struct leat_data_ref **d)
{
	if (*d && --(*d)->holders == 0)
		free(*d);
	*d = NULL;
}

uint32_t leat_data_ref_move(struct leat_data_ref *d, uint32_t start, uint32_t len)
{
	d->start = start;
	if (__builtin_add_overflow(start, len, &d->end))
		d->end = UINT32_MAX; /* behind every record */
	return d->end;
}

void leat_data_ref_reset(struct leat_data_ref *d)
{
	d->start = d->end = 0;
}

void leat_data_ref_range(const struct leat_data_ref *d, uint32_t *start, uint32_t *end)
{
	*start = d->start;
	*end = d->end;
}

struct leat_slice leat_data_ref_read(struct leat_data_ref *d, const struct leat_record *r)
{
	struct leat_slice none = { .data = NULL, .len = 0 };

	if (d->end > r->size) {
		d->short_cnt++;
		return none;
	}
	if (d->start == d->end)
		return none;
	return (struct leat_slice){ .data = (const uint8_t *)r->data + d->start,
				    .len = d->end - d->start };
}

uint64_t leat_data_ref_short_cnt(const struct leat_data_ref *d)
{
	return d->short_cnt;
}
