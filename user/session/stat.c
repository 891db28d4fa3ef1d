/* SPDX-License-Identifier: BSD-2-Clause */
/* The accounting of the sources: counters of the kernel side by CPU, records that got lost. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "session/impl.h"

enum { STAT_STAT, STAT_WANTED };
const char *const leat_stat_fields[] = { "stat", "?wanted", NULL };
enum { LOST_CNT };
const char *const leat_lost_fields[] = { "lost_cnt", NULL };

static int cpu_of(struct leat_session *s, uint16_t cpu, struct leat_cpu_stat **out)
{
	int err = LEAT_ARRAY_ROOM(s->cpus, s->cpu_cap, (size_t)cpu + 1, LEAT_SESSION_MAX_CPUS);

	if (err)
		return err;
	while (s->cpu_cnt <= cpu)
		s->cpus[s->cpu_cnt++] = (struct leat_cpu_stat){ .seen = false };
	*out = &s->cpus[cpu];
	return 0;
}

/* Cumulative, so the last one of a CPU says all. A kernel side of another age has other counters. */
int leat_on_stat(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	const struct leat_hook *hook = ctx;
	struct leat_reading rd = { .hook = hook, .r = r };
	uint64_t wanted = leat_field_u64(&rd, STAT_WANTED);
	struct leat_slice stat = leat_get_slice(hook->format, hook->refs[STAT_STAT], r);
	struct leat_cpu_stat *cpu;
	int err;

	(void)ev;
	if (!stat.len)
		rd.err = -ENODATA;
	if (leat_reading_failed(&rd))
		return 0;
	err = cpu_of(hook->s, r->cpu, &cpu);
	if (err)
		return err;
	cpu->seen = true;
	cpu->wanted = wanted;
	memcpy(cpu->stat, stat.data, stat.len < sizeof(cpu->stat) ? stat.len : sizeof(cpu->stat));
	return 0;
}

int leat_on_env_lost(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_reading rd = { .hook = ctx, .r = r };
	uint64_t lost = leat_field_u64(&rd, LOST_CNT);

	(void)ev;
	if (!leat_reading_failed(&rd))
		rd.hook->s->p->verdict.env_lost += lost;
	return 0;
}

/*
 * The kernel skips without telling for whom. Of those skipped, as many were asked for as of those
 * seen. (live knows better where the target's CPU time says what was wanted.)
 */
static uint64_t skipped(const struct leat_verdict *v)
{
	uint64_t seen = v->kernel[LEAT_STAT_SEEN];
	uint64_t filtered = leat_verdict_class(v, LEAT_STAT_CLASS_FILTERED);

	if (v->wanted <= seen || filtered > seen)
		return 0;
	if (!seen)
		return v->wanted;
	return (uint64_t)((double)(v->wanted - seen) * (double)(seen - filtered) / (double)seen +
			  0.5);
}

void leat_stat_finish(struct leat_session *s)
{
	struct leat_verdict *v = &s->p->verdict;
	uint64_t delivered;
	bool seen = false;

	for (size_t i = 0; i < s->cpu_cnt; i++) {
		seen = seen || s->cpus[i].seen;
		v->wanted += s->cpus[i].wanted;
		for (size_t j = 0; j < LEAT_STAT__MAX; j++)
			v->kernel[j] += s->cpus[i].stat[j];
	}
	v->taken = s->taken;
	v->lost_user = s->lost;
	if (!seen)
		return;
	v->kernel_skipped = skipped(v);
	/* Counted or sent by the kernel side, and neither kept nor refused here. */
	delivered = leat_verdict_class(v, LEAT_STAT_CLASS_DELIVERED);
	if (delivered > v->taken + v->lost_user)
		v->lost_user = delivered - v->taken;
}
