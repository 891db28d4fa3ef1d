/* SPDX-License-Identifier: BSD-2-Clause */
#include "live/slices.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

#define SLICES_MAX (1u << 17)

void leat_slices_init(struct leat_slices *s, uint32_t max)
{
	*s = (struct leat_slices){ .max = max };
}

void leat_slices_fini(struct leat_slices *s)
{
	free(s->v);
	*s = (struct leat_slices){ 0 };
}

static uint8_t class_of(uint32_t cnt)
{
	uint8_t class = 0;

	while ((1u << class) < cnt)
		class ++;
	return class;
}

static uint32_t with_tag(const struct leat_slices *s, uint64_t tag, uint32_t cnt)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].refs && s->v[i].tag == tag && s->v[i].cnt == cnt)
			return (uint32_t)i;
	return LEAT_SLICE_NONE;
}

/* The oldest free place of a class, if it is at rest. */
static uint32_t take_free(struct leat_slices *s, uint8_t class, uint64_t now_ns)
{
	const uint32_t i = s->head[class] - 1;

	if (!s->head[class] || s->v[i].freed_ns + LEAT_SLICE_REST_NS > now_ns)
		return LEAT_SLICE_NONE;
	s->head[class] = s->v[i].next;
	if (!s->head[class])
		s->tail[class] = 0;
	return i;
}

static uint32_t make_place(struct leat_slices *s, uint8_t class)
{
	const uint32_t size = 1u << class;

	if (size > s->max - s->used || LEAT_ARRAY_ROOM(s->v, s->cap, s->n + 1, SLICES_MAX))
		return LEAT_SLICE_NONE;
	s->v[s->n] = (struct leat_slice_place){ .first = s->used, .class = class };
	s->used += size;
	return (uint32_t)s->n++;
}

int leat_slices_get(struct leat_slices *s, uint64_t tag, uint32_t cnt, uint64_t now_ns,
		    uint32_t *slice, bool *fresh)
{
	const uint8_t least = class_of(cnt);
	uint32_t i = with_tag(s, tag, cnt);

	if (least >= LEAT_SLICE_CLASSES)
		return -ENOSPC;
	*fresh = i == LEAT_SLICE_NONE;
	if (*fresh)
		i = take_free(s, least, now_ns);
	if (i == LEAT_SLICE_NONE)
		i = make_place(s, least);
	for (uint8_t c = least + 1; i == LEAT_SLICE_NONE && c < LEAT_SLICE_CLASSES; c++)
		i = take_free(s, c, now_ns);
	if (i == LEAT_SLICE_NONE)
		return -ENOSPC;
	s->v[i].tag = tag;
	s->v[i].cnt = cnt;
	s->v[i].refs++;
	*slice = i;
	return 0;
}

void leat_slices_put(struct leat_slices *s, uint32_t slice, uint64_t now_ns)
{
	struct leat_slice_place *p;

	if (slice == LEAT_SLICE_NONE)
		return;
	p = &s->v[slice];
	if (--p->refs)
		return;
	p->freed_ns = now_ns;
	p->next = 0;
	if (s->tail[p->class])
		s->v[s->tail[p->class] - 1].next = slice + 1;
	else
		s->head[p->class] = slice + 1;
	s->tail[p->class] = slice + 1;
}

_Static_assert((1u << (LEAT_SLICE_CLASSES - 1)) == 16384, "the largest place");
