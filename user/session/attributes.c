/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks attribute sources about the processes that have samples. */
#include <errno.h>
#include <string.h>

#include "session/impl.h"

struct leat_attribute_list {
	struct leat_profile *p;
	struct leat_attribute pairs[LEAT_PROFILE_MAX_ATTRIBUTES]; /* sorted by key */
	size_t n;
};

int leat_attribute_add(struct leat_attribute_list *l, const char *key, const char *value)
{
	struct leat_attribute a;
	size_t at = 0;
	int order = 1;
	int err;

	if (!key || !*key || !value)
		return -EINVAL;
	while (at < l->n && (order = strcmp(leat_profile_str(l->p, l->pairs[at].key), key)) < 0)
		at++;
	order = at < l->n ? order : 1;
	if (order && l->n == LEAT_PROFILE_MAX_ATTRIBUTES)
		return -EOVERFLOW;
	err = leat_profile_string(l->p, key, strlen(key), &a.key);
	if (!err)
		err = leat_profile_string(l->p, value, strlen(value), &a.value);
	if (err)
		return err;
	if (order) {
		memmove(&l->pairs[at + 1], &l->pairs[at], (l->n - at) * sizeof(a));
		l->n++;
	}
	l->pairs[at] = a;
	return 0;
}

static int ask(struct leat_session *s, uint32_t process, uint32_t *set)
{
	struct leat_attribute_list list = { .p = s->p };
	struct leat_process_info info;
	int err = leat_profile_process_at(s->p, process, &info);

	for (size_t i = 0; i < s->attribute_source_cnt && !err; i++) {
		const struct leat_attribute_source *a = &s->attribute_sources[i];
		int failed = a->ops->attributes(a->self, &info, &list);

		/* What the others know is kept; only lack of memory ends it. */
		if (failed == -ENOMEM)
			err = failed;
		else if (failed)
			s->p->verdict.callback_errors++;
	}
	return err ? err : leat_profile_attributes(s->p, list.pairs, list.n, set);
}

int leat_attributes_finish(struct leat_session *s)
{
	LEAT_FREE uint32_t *sets = NULL;
	struct leat_profile *p = s->p;
	int err = 0;

	if (!s->attribute_source_cnt)
		return 0;
	sets = calloc(p->process_cnt + 1, sizeof(*sets));
	if (!sets)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->process_cnt && !err; i++) {
		if (p->processes[i].samples)
			err = ask(s, i, &sets[i]);
	}
	if (err)
		return err;
	/* A process has one set: samples that differed differ still. */
	for (size_t i = 0; i < p->sample_cnt; i++)
		p->samples[i].attrs = sets[p->samples[i].process];
	return 0;
}
