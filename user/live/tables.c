/* SPDX-License-Identifier: BSD-2-Clause */
#include "live/tables.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"
#include "live/procfs.h"
#include "live/tables_impl.h"

/* How long the end of a recording waits for tables that are still to be built. */
#define FINISH_MS 5000

static int init(struct leat_tables *t, const struct leat_tables_opts *o)
{
	int err = leat_engine_tables(o->engine, &t->kernel);

	if (err)
		return err;
	t->o = *o;
	if (!t->o.memory_bytes)
		t->o.memory_bytes = LEAT_TABLES_MEMORY;
	if (!t->o.max_frames || t->o.max_frames > LEAT_MAX_UFRAMES)
		t->o.max_frames = LEAT_MAX_UFRAMES;
	t->version = 1;
	leat_index_init(&t->by_id);
	leat_slices_init(&t->slices, t->kernel.range_cnt);
	t->binaries = calloc(t->kernel.exe_cnt, sizeof(*t->binaries));
	t->frames = calloc(LEAT_MAX_UFRAMES, sizeof(*t->frames));
	t->sample = calloc(1, sizeof(*t->sample) + LEAT_MAX_FRAMES * sizeof(t->sample->frames[0]));
	if (!t->binaries || !t->frames || !t->sample)
		return -ENOMEM;
	for (; t->binary_cnt < LEAT_EXE__FIRST; t->binary_cnt++)
		t->binaries[t->binary_cnt] = (struct leat_binary){ .fd = -1, .map_fd = -1 };
	t->by_tgid = mmap(NULL, LEAT_TABLES_PIDS * sizeof(*t->by_tgid), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (t->by_tgid == MAP_FAILED) {
		t->by_tgid = NULL;
		return -errno;
	}
	err = leat_unwind_rules_new(&t->rules);
	return err ? err : leat_builder_start(t);
}

int leat_tables_new(struct leat_tables **out, const struct leat_tables_opts *o)
{
	LEAT_AUTO(leat_tables_free) struct leat_tables *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->event_fd = -1;
	err = init(t, o);
	if (err)
		return err;
	*out = LEAT_TAKE(t);
	return 0;
}

void leat_tables_free(struct leat_tables **tp)
{
	struct leat_tables *t = *tp;

	if (!t)
		return;
	leat_builder_stop(t);
	leat_programs_fini(t);
	leat_waiting_fini(t);
	leat_slices_fini(&t->slices);
	leat_index_fini(&t->by_id);
	leat_unwind_rules_free(&t->rules);
	if (t->by_tgid)
		munmap(t->by_tgid, LEAT_TABLES_PIDS * sizeof(*t->by_tgid));
	free(t->binaries);
	free(t->frames);
	free(t->sample);
	free(t);
	*tp = NULL;
}

int leat_tables_attach(struct leat_tables *t, struct leat_bus *bus)
{
	int err;

	t->bus = bus;
	err = leat_programs_attach(t);
	return err ? err : leat_raw_attach(t);
}

int leat_tables_round(struct leat_tables *t)
{
	leat_binaries_round(t);
	leat_programs_round(t, leat_clock_ns());
	return leat_waiting_round(t, false);
}

int leat_tables_fd(const struct leat_tables *t)
{
	return t->event_fd;
}

int leat_tables_finish(struct leat_tables *t)
{
	const uint64_t until = leat_clock_ns() + FINISH_MS * 1000000ull;
	struct pollfd p = { .fd = t->event_fd, .events = POLLIN };
	int err = leat_tables_round(t);

	while (!err && t->waiting_cnt && leat_clock_ns() < until) {
		if (poll(&p, 1, 100) < 0 && errno != EINTR)
			return -errno;
		err = leat_tables_round(t);
	}
	if (!err)
		err = leat_waiting_round(t, true);
	if (t->o.cache) {
		leat_builder_end(t);
		leat_binaries_round(t); /* counts what it has handed back since */
		t->stats.cache_unwritten = t->unwritten;
	}
	leat_log(
		LEAT_LOG_DEBUG,
		"%llu tables of %llu rows built in %.1f ms, %llu from the cache in %.1f ms, %llu "
		"binaries by frame pointer, %llu without, %llu evicted, %llu built again; %llu samples unwound here",
		(unsigned long long)t->stats.tables, (unsigned long long)t->stats.rows,
		(double)t->stats.build_ns / 1e6, (unsigned long long)t->stats.cached,
		(double)t->stats.cached_ns / 1e6, (unsigned long long)t->stats.framed,
		(unsigned long long)t->stats.failed, (unsigned long long)t->stats.evicted,
		(unsigned long long)t->stats.again, (unsigned long long)t->stats.unwound);
	return err;
}

void leat_tables_stats(const struct leat_tables *t, struct leat_tables_stats *out)
{
	*out = t->stats;
}

static enum leat_no_table why_missing(const struct leat_binary *b)
{
	return !b->why && b->starved ? LEAT_NO_TABLE_MEMORY : b->why;
}

bool leat_tables_missing(const struct leat_tables *t, uint32_t *at, struct leat_tables_missing *out)
{
	const struct leat_binary *b;

	if (*at < LEAT_EXE__FIRST)
		*at = LEAT_EXE__FIRST;
	while (*at < t->binary_cnt && !why_missing(&t->binaries[*at]))
		(*at)++;
	if (*at >= t->binary_cnt)
		return false;
	b = &t->binaries[(*at)++];
	*out = (struct leat_tables_missing){ .why = why_missing(b),
					     .build_id_len = b->build_id_len,
					     .dev = b->dev,
					     .ino = b->ino,
					     .vdso = b->vdso };
	memcpy(out->build_id, b->build_id, sizeof(out->build_id));
	return true;
}
