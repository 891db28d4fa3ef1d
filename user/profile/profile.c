/* SPDX-License-Identifier: BSD-2-Clause */
#include "profile/profile.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "profile/index.h"

static int init(struct leat_profile *p)
{
	uint32_t empty;
	int err = leat_intern_new(&p->strings, LEAT_PROFILE_MAX_STRINGS,
				  LEAT_PROFILE_MAX_STRING_BYTES);

	if (err)
		return err;
	p->ix = calloc(1, sizeof(*p->ix));
	if (!p->ix)
		return -ENOMEM;
	/* Never NULL: a stack without frames has a place in it too. */
	err = LEAT_ARRAY_ROOM(p->frame_ids, p->frame_id_cap, 1, LEAT_PROFILE_MAX_FRAME_IDS);
	if (err)
		return err;
	return leat_intern_str(p->strings, "", &empty);
}

int leat_profile_new(struct leat_profile **out)
{
	LEAT_AUTO(leat_profile_free) struct leat_profile *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	err = init(p);
	if (err)
		return err;
	*out = LEAT_TAKE(p);
	return 0;
}

static void free_index(struct leat_profile_index *ix)
{
	if (!ix)
		return;
	leat_index_fini(&ix->frames);
	leat_index_fini(&ix->stacks);
	leat_index_fini(&ix->functions);
	leat_index_fini(&ix->threads);
	leat_sparse_fini(&ix->samples);
	leat_sparse_fini(&ix->by_build_id);
	leat_sparse_fini(&ix->by_file);
	leat_sparse_fini(&ix->by_rest);
	free(ix);
}

void leat_profile_free(struct leat_profile **p)
{
	struct leat_profile *q = *p;

	if (!q)
		return;
	for (size_t i = 0; i < q->process_cnt; i++)
		leat_mappings_fini(&q->processes[i].maps);
	leat_intern_free(&q->strings);
	leat_intern_free(&q->attribute_sets);
	free_index(q->ix);
	free(q->objects);
	free(q->functions);
	free(q->frames);
	free(q->stacks);
	free(q->frame_ids);
	free(q->processes);
	free(q->threads);
	free(q->samples);
	free(q);
	*p = NULL;
}

int leat_profile_string(struct leat_profile *p, const char *s, size_t n, uint32_t *id)
{
	return leat_intern_put(p->strings, s, n, id);
}

const char *leat_profile_str(const struct leat_profile *p, uint32_t id)
{
	return id == LEAT_ID_NONE ? "" : leat_intern_at(p->strings, id, NULL);
}

int leat_profile_process(struct leat_profile *p, const struct leat_process *proc, uint32_t *id)
{
	int err = LEAT_ARRAY_ROOM(p->processes, p->process_cap, p->process_cnt + 1,
				  LEAT_PROFILE_MAX_PROCESSES);

	if (err)
		return err;
	*id = (uint32_t)p->process_cnt;
	p->processes[p->process_cnt++] = *proc;
	return 0;
}

static bool thread_eq(const void *ctx, uint32_t value, const void *key)
{
	const struct leat_thread *have = &((const struct leat_thread *)ctx)[value];
	const struct leat_thread *want = key;

	return have->process == want->process && have->tid == want->tid;
}

/* A thread begins with its creator's name, and that is the process's for want of better. */
int leat_profile_thread(struct leat_profile *p, uint32_t process, uint32_t tid, uint32_t *id)
{
	struct leat_thread t = { .process = process, .tid = tid };
	uint64_t hash = leat_hash_u64((uint64_t)process << 32 | tid);
	uint32_t have = leat_index_find(&p->ix->threads, hash, thread_eq, p->threads, &t);
	int err;

	if (have != LEAT_INDEX_NONE) {
		*id = have;
		return 0;
	}
	err = LEAT_ARRAY_ROOM(p->threads, p->thread_cap, p->thread_cnt + 1,
			      LEAT_PROFILE_MAX_THREADS);
	if (!err)
		err = leat_index_add(&p->ix->threads, hash, (uint32_t)p->thread_cnt);
	if (err)
		return err;
	t.comm = p->processes[process].comm;
	*id = (uint32_t)p->thread_cnt;
	p->threads[p->thread_cnt++] = t;
	return 0;
}

uint64_t leat_profile_total(const struct leat_profile *p)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < p->sample_cnt; i++)
		sum += p->samples[i].value;
	return sum;
}
