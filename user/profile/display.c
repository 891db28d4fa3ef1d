/* SPDX-License-Identifier: BSD-2-Clause */
/* What one sample is shown as: a list of functions, outermost first, with marks for what is missing. */
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "profile/tree.h"

#define ATTRIBUTE_MAX_BYTES (64u << 10)

#define UNKNOWN "[unknown]"

/* At the outer end of a user stack that ended early; NULL: nothing is missing. */
static const char *const user_marks[LEAT_STACK__MAX] = {
	[LEAT_STACK_TRUNCATED] = "[truncated]",
	[LEAT_STACK_BAD_MEMORY] = "[bad memory]",
	[LEAT_STACK_NO_UNWIND] = "[no unwind information]",
	[LEAT_STACK_COMPAT] = "[32-bit task]",
	[LEAT_STACK_BAD_CALL] = "[cut: not a return address]",
	[LEAT_STACK_UNSENT] = "[frames lost]",
	[LEAT_STACK_BROKEN] = "[frames lost]",
	[LEAT_STACK_NO_TABLE] = "[unwind table not ready]",
};

/* The same between the kernel part and the user part. */
static const char *kernel_mark(uint8_t kresult)
{
	if (kresult == LEAT_STACK_TRUNCATED || kresult == LEAT_STACK_BAD_MEMORY)
		return user_marks[kresult];
	return NULL;
}

const char *leat_stack_mark(uint8_t uresult)
{
	return uresult < LEAT_STACK__MAX ? user_marks[uresult] : UNKNOWN;
}

struct list {
	uint32_t **ids;
	size_t *n;
	size_t *cap;
};

/* Room is there: leat_stack_functions made it. */
static void put(struct list *l, uint32_t id)
{
	(*l->ids)[(*l->n)++] = id;
}

int leat_mark_function(struct leat_profile *p, const char *name, uint32_t *id)
{
	struct leat_function f = {
		.raw = LEAT_ID_NONE,
		.object = LEAT_ID_NONE,
		.file = LEAT_ID_NONE,
		.kind = LEAT_FUNCTION_MARK,
	};
	int err = leat_profile_string(p, name, strlen(name), &f.name);

	return err ? err : leat_profile_function(p, &f, id);
}

static int put_mark(struct leat_profile *p, struct list *l, const char *name)
{
	uint32_t id;
	int err = leat_mark_function(p, name, &id);

	if (!err)
		put(l, id);
	return err;
}

/* The value that a set of attributes has for a key; NULL: none. */
static const char *value_of(const struct leat_profile *p, uint32_t set, const char *key)
{
	const char *have, *value;

	for (size_t i = 0; !leat_profile_attribute_at(p, set, i, &have, &value); i++) {
		if (strcmp(have, key) == 0)
			return value;
	}
	return NULL;
}

/* "pod=web-7", "[no pod]" */
static int put_attribute(struct leat_profile *p, struct list *l, const char *key, uint32_t set)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf text;
	const char *value = value_of(p, set, key);

	leat_buf_init(&text, ATTRIBUTE_MAX_BYTES);
	if (value)
		leat_buf_printf(&text, "%s=%s", key, value);
	else
		leat_buf_printf(&text, "[no %s]", key);
	return text.err ? text.err : put_mark(p, l, text.data);
}

static int put_process(struct leat_profile *p, struct list *l, uint32_t process)
{
	const char *name = leat_profile_str(p, p->processes[process].comm);

	return put_mark(p, l, *name ? name : UNKNOWN);
}

/* "worker (tid 4243)" */
static int put_thread(struct leat_profile *p, struct list *l, uint32_t thread)
{
	const struct leat_thread *t = &p->threads[thread];
	const char *name = leat_profile_str(p, t->comm);
	char text[LEAT_COMM_LEN * 4 + 32];

	snprintf(text, sizeof(text), "%.64s (tid %u)", *name ? name : UNKNOWN, t->tid);
	return put_mark(p, l, text);
}

static int put_frames(struct leat_profile *p, struct list *l, const uint32_t *frames, size_t cnt)
{
	for (size_t i = cnt; i--;) {
		uint32_t function = p->frames[frames[i]].function;
		int err = 0;

		if (function != LEAT_ID_NONE)
			put(l, function);
		else
			err = put_mark(p, l, UNKNOWN);
		if (err)
			return err;
	}
	return 0;
}

static int put_stack(struct leat_profile *p, struct list *l, const struct leat_stack *s)
{
	const uint32_t *frames = leat_profile_stack_frames(p, s);
	const char *umark = leat_stack_mark(s->uresult);
	const char *kmark = kernel_mark(s->kresult);
	int err = 0;

	if (!umark && !kmark && !s->kframe_cnt && !s->uframe_cnt)
		return put_mark(p, l, UNKNOWN);
	if (umark)
		err = put_mark(p, l, umark);
	if (!err)
		err = put_frames(p, l, frames + s->kframe_cnt, s->uframe_cnt);
	if (!err && kmark)
		err = put_mark(p, l, kmark);
	return err ? err : put_frames(p, l, frames, s->kframe_cnt);
}

int leat_stack_functions(struct leat_profile *p, const struct leat_sample *s,
			 const struct leat_tree_opts *o, uint32_t **ids, size_t *n, size_t *cap)
{
	const struct leat_stack *stack = &p->stacks[s->stack];
	struct list l = { .ids = ids, .n = n, .cap = cap };
	size_t most = (size_t)stack->kframe_cnt + stack->uframe_cnt + 5; /* marks included */
	size_t before = *n;
	int err = LEAT_ARRAY_ROOM(*ids, *cap, *n + most, UINT32_MAX);

	if (!err && o && o->by_attribute)
		err = put_attribute(p, &l, o->by_attribute, s->attrs);
	if (!err && o && o->by_process)
		err = put_process(p, &l, s->process);
	if (!err && o && o->by_thread && s->thread != LEAT_ID_NONE)
		err = put_thread(p, &l, s->thread);
	if (!err)
		err = put_stack(p, &l, stack);
	if (err)
		*n = before;
	return err;
}
