/* SPDX-License-Identifier: BSD-2-Clause */
/* Options, header and verdict of a recording as named values: one table for both directions. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "session/capture_impl.h"

/* ---- options ---- */

static const struct {
	const char *name;
	size_t at;
} options[] = {
	{ "per_thread", offsetof(struct leat_capture_options, session.per_thread) },
	{ "stream", offsetof(struct leat_capture_options, session.stream) },
	{ "user_only", offsetof(struct leat_capture_options, session.user_only) },
	{ "kernel_only", offsetof(struct leat_capture_options, session.kernel_only) },
	{ "by_thread", offsetof(struct leat_capture_options, by_thread) },
};

void leat_items_put_options(struct leat_buf *b, const struct leat_capture_options *o)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(options); i++)
		leat_capture_put_u64(b, options[i].name,
				     *(const bool *)((const char *)o + options[i].at));
}

int leat_items_get_options(const void *p, size_t n, struct leat_capture_options *o)
{
	struct leat_reader r = leat_reader_of(p, n);
	struct leat_capture_item it;
	int rc;

	while ((rc = leat_capture_next_item(&r, &it)) > 0) {
		for (size_t i = 0; i < LEAT_ARRAY_SIZE(options); i++) {
			if (it.type == LEAT_CAPTURE_U64 &&
			    leat_capture_item_is(&it, options[i].name))
				*(bool *)((char *)o + options[i].at) = it.value != 0;
		}
	}
	return rc;
}

/* ---- what was recorded ---- */

enum meta_type { META_TEXT, META_U64, META_BOOL };

#define META(member, t)                                                                            \
	{                                                                                          \
#member, META_##t, offsetof(struct leat_meta, member)                              \
	}

static const struct {
	const char *name;
	enum meta_type type;
	size_t at;
} metas[] = {
	META(title, TEXT),	  META(target, TEXT),	    META(event, TEXT),
	META(event_note, TEXT),	  META(command_line, TEXT), META(host, TEXT),
	META(kernel, TEXT),	  META(os, TEXT),	    META(version, TEXT),
	META(boot, TEXT),	  META(unwind, TEXT),	    META(start_real_ns, U64),
	META(start_mono_ns, U64), META(duration_ns, U64),   META(freq_hz, U64),
	META(period, U64),	  META(time_based, BOOL),   META(anonymized, BOOL),
};

void leat_items_put_meta(struct leat_buf *b, const struct leat_profile *p)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(metas); i++) {
		const char *at = (const char *)&p->meta + metas[i].at;

		if (metas[i].type == META_TEXT)
			leat_capture_put_text(b, metas[i].name,
					      leat_profile_str(p, *(const uint32_t *)at));
		else if (metas[i].type == META_U64)
			leat_capture_put_u64(b, metas[i].name, *(const uint64_t *)at);
		else
			leat_capture_put_u64(b, metas[i].name, *(const bool *)at);
	}
}

static int set_meta(struct leat_profile *p, const struct leat_capture_item *it, size_t i)
{
	char *at = (char *)&p->meta + metas[i].at;
	uint8_t type = metas[i].type == META_TEXT ? LEAT_CAPTURE_TEXT : LEAT_CAPTURE_U64;
	size_t len;

	if (it->type != type)
		return -EBADMSG;
	switch (metas[i].type) {
	case META_TEXT:
		/* Texts of a profile end at their first NUL, wherever they come from. */
		len = strnlen(it->text, it->text_len);
		return leat_profile_string(p, it->text, len, (uint32_t *)at);
	case META_U64:
		*(uint64_t *)at = it->value;
		break;
	case META_BOOL:
		*(bool *)at = it->value != 0;
		break;
	}
	return 0;
}

int leat_items_get_meta(const void *p, size_t n, struct leat_profile *to)
{
	struct leat_reader r = leat_reader_of(p, n);
	struct leat_capture_item it;
	int rc;

	while ((rc = leat_capture_next_item(&r, &it)) > 0) {
		for (size_t i = 0; i < LEAT_ARRAY_SIZE(metas); i++) {
			int err = leat_capture_item_is(&it, metas[i].name) ? set_meta(to, &it, i)
									   : 0;

			if (err)
				return err;
		}
	}
	return rc;
}

/* ---- the verdict ---- */

/* LIVE: what a replay takes from the file. OWN: what it finds out itself. */
enum { OWN = 0, LIVE = 1 };

#define COUNTER(member, whose)                                                                     \
	{                                                                                          \
#member, whose, offsetof(struct leat_verdict, member)                              \
	}

static const struct {
	const char *name;
	int whose;
	size_t at;
} counters[] = {
	COUNTER(wanted, LIVE),
	COUNTER(taken, OWN),
	COUNTER(kernel_skipped, LIVE),
	COUNTER(lost_user, OWN),
	COUNTER(unknown_process, OWN),
	COUNTER(env_lost, OWN),
	COUNTER(malformed, OWN),
	COUNTER(callback_errors, LIVE),
	COUNTER(kstack_truncated, OWN),
	COUNTER(kstack_bad, OWN),
	COUNTER(ret_checked, LIVE),
	COUNTER(ret_bad, LIVE),
	COUNTER(ret_not_judged, LIVE),
	COUNTER(frames, OWN),
	COUNTER(user_frames, OWN),
	COUNTER(user_unnamed, OWN),
	COUNTER(objects, LIVE),
	COUNTER(objects_unreadable, LIVE),
	COUNTER(processes_unreadable, OWN),
	COUNTER(kptr_restricted, LIVE),
	COUNTER(tables_built, LIVE),
	COUNTER(tables_cached, LIVE),
	COUNTER(tables_evicted, LIVE),
	COUNTER(tables_need_bytes, LIVE),
	COUNTER(tables_refused, LIVE),
	COUNTER(cache_damaged, LIVE),
	COUNTER(cache_unwritten, LIVE),
	COUNTER(bpf_ns, LIVE),
	COUNTER(self_cpu_ns, LIVE),
	COUNTER(target_cpu_ns, LIVE),
	COUNTER(duration_ns, LIVE),
	COUNTER(rss_bytes, LIVE),
	COUNTER(map_bytes, LIVE),
	COUNTER(freq_hz, LIVE),
	COUNTER(period, LIVE),
};

static uint64_t *counter_at(struct leat_verdict *v, size_t i)
{
	return (uint64_t *)((char *)v + counters[i].at);
}

static void put_named(struct leat_buf *b, const char *prefix, const char *name, uint64_t v)
{
	char whole[64];

	snprintf(whole, sizeof(whole), "%s.%s", prefix, name);
	leat_capture_put_u64(b, whole, v);
}

void leat_items_put_verdict(struct leat_buf *b, const struct leat_verdict *v)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(counters); i++)
		leat_capture_put_u64(b, counters[i].name, *counter_at((struct leat_verdict *)v, i));
	for (unsigned int i = 0; i < LEAT_STAT__MAX; i++)
		put_named(b, "kernel", leat_stat_name((enum leat_stat)i), v->kernel[i]);
	for (unsigned int i = 0; i < LEAT_STACK__MAX; i++)
		put_named(b, "stacks", leat_stack_result_key((enum leat_stack_result)i),
			  v->stacks[i]);
	for (unsigned int i = 1; i < LEAT_UNNAMED__MAX; i++)
		put_named(b, "unnamed", leat_unnamed_key((enum leat_unnamed)i),
			  v->frames_unnamed[i]);
	for (unsigned int i = 1; i < LEAT_NO_TABLE__MAX; i++)
		put_named(b, "no_table", leat_no_table_key((enum leat_no_table)i), v->no_table[i]);
}

static void get_no_table(const struct leat_capture_item *it, struct leat_verdict *v)
{
	char name[64];

	for (unsigned int i = 1; i < LEAT_NO_TABLE__MAX; i++) {
		snprintf(name, sizeof(name), "no_table.%s",
			 leat_no_table_key((enum leat_no_table)i));
		if (leat_capture_item_is(it, name))
			v->no_table[i] = it->value;
	}
}

int leat_items_get_verdict(const void *p, size_t n, struct leat_verdict *v, uint64_t *taken)
{
	struct leat_reader r = leat_reader_of(p, n);
	struct leat_capture_item it;
	int rc;

	while ((rc = leat_capture_next_item(&r, &it)) > 0) {
		if (it.type != LEAT_CAPTURE_U64)
			continue;
		if (leat_capture_item_is(&it, "taken"))
			*taken = it.value;
		for (size_t i = 0; i < LEAT_ARRAY_SIZE(counters); i++) {
			if (counters[i].whose == LIVE &&
			    leat_capture_item_is(&it, counters[i].name))
				*counter_at(v, i) = it.value;
		}
		get_no_table(&it, v);
	}
	return rc;
}
