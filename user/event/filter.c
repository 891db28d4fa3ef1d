/* SPDX-License-Identifier: BSD-2-Clause */
/* A filter: a program of a back end, and the count of records that lack a field. */
#include "event/filter.h"

#include <errno.h>

struct leat_filter {
	struct leat_filter_head head;
	struct leat_filter_program program;
};

_Static_assert(offsetof(struct leat_filter, head) == 0, "leat_filter_matches looks for it first");

static void program_free(struct leat_filter_program *p)
{
	if (p->free)
		p->free(p->self);
}

int leat_filter_from_tree(struct leat_filter **out, const struct leat_filter_tree *t,
			  const struct leat_filter_backend *b, struct leat_filter_error *e)
{
	struct leat_filter_error spare;
	struct leat_filter *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	if (!e)
		e = &spare;
	*e = (struct leat_filter_error){ .column = 0 };
	err = b->compile(t, &f->program, e);
	if (!err && !f->program.run) {
		program_free(&f->program);
		err = -EINVAL;
	}
	if (err) {
		free(f);
		return err;
	}
	f->head.run = f->program.run;
	f->head.self = f->program.self;
	*out = f;
	return 0;
}

int leat_filter_new(struct leat_filter **out, const struct leat_format *f, const char *text,
		    struct leat_filter_error *e)
{
	LEAT_AUTO(leat_filter_tree_free) struct leat_filter_tree *t = NULL;
	int err = leat_filter_parse(&t, f, text, NULL, e);

	return err ? err : leat_filter_from_tree(out, t, leat_filter_user_backend(), e);
}

void leat_filter_free(struct leat_filter **f)
{
	if (!*f)
		return;
	program_free(&(*f)->program);
	free(*f);
	*f = NULL;
}

uint64_t leat_filter_missing_cnt(const struct leat_filter *f)
{
	return f->head.missing_cnt;
}
