/* SPDX-License-Identifier: BSD-2-Clause */
#include <leat/session.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../support/alloc.h"
#include "event/mock.h"
#include "event/pump.h"
#include "leat_wire.h"

static struct leat_mock *mock;
static struct leat_session_builder *b;
static struct leat_session *s;

static void init(void)
{
	cr_assert(eq(int, leat_mock_new(&mock), 0));
	b = leat_session_builder_new();
	cr_assert(ne(ptr, b, NULL));
}

static void fini(void)
{
	leat_session_free(&s);
	leat_session_builder_free(&b);
	leat_session_builder_free(&b);
	leat_mock_free(&mock);
}

TestSuite(builder, .init = init, .fini = fini);

static void push_sample(uint64_t ts)
{
	struct leat_rec_sample rec = {
		.h = { .kind = LEAT_REC_SAMPLE, .size = sizeof(rec), .ts_ns = ts, .tgid = 1 },
		.count = 2,
		.uresult = LEAT_STACK_TRUNCATED,
	};

	cr_assert(eq(int, leat_mock_push(mock, &rec, sizeof(rec)), 0));
}

static int count_records(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	(void)ev;
	(void)r;
	(*(int *)ctx)++;
	return 0;
}

Test(builder, a_session_from_source_to_profile)
{
	struct leat_profile *p;
	int records = 0;

	cr_assert(eq(ptr, leat_session_with_source(b, leat_mock_source(mock)), b));
	leat_session_with_callback(leat_session_with_times(b, true), "leat/sample", count_records,
				   &records);
	cr_assert(eq(int, leat_session_build(b, &s), 0));
	cr_assert(eq(str, (char *)leat_session_builder_error(b), (char *)""));
	push_sample(10);
	push_sample(20);
	push_sample(30);
	cr_assert(eq(int, leat_session_poll(s, 15), 0), "not started");
	cr_assert(eq(int, leat_session_start(s), 0));
	cr_assert(eq(int, leat_session_poll(s, 15), 1));
	cr_assert(eq(u64, leat_session_samples(s), 2));
	cr_assert(eq(u64, leat_session_stacks(s), 1));
	cr_assert(eq(int, leat_session_finish(s), 0));
	cr_assert(eq(int, records, 3), "what is left is handled");
	p = leat_session_take_profile(s);
	cr_assert(eq(ptr, leat_session_take_profile(s), NULL));
	cr_assert(eq(u64, leat_profile_total(p), 6));
	leat_profile_free(&p);
}

Test(builder, a_session_that_is_given_up_closes_its_sources)
{
	leat_session_with_source(b, leat_mock_source(mock));
	cr_assert(eq(int, leat_session_build(b, &s), 0));
	cr_assert(eq(int, leat_session_start(s), 0));
	leat_session_free(&s);
}

Test(builder, needs_a_source)
{
	cr_assert(eq(int, leat_session_build(b, &s), -EINVAL));
	cr_assert(
		eq(str, (char *)leat_session_builder_error(b), (char *)"a session needs a source"));
	cr_assert(eq(ptr, s, NULL));
}

Test(builder, the_first_error_sticks)
{
	struct leat_source none = { .ops = NULL };
	char name[200];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	leat_session_with_source(b, none);
	leat_session_with_callback(b, name, count_records, NULL);
	leat_session_with_source(b, leat_mock_source(mock));
	cr_assert(eq(int, leat_session_build(b, &s), -EINVAL));
	cr_assert(eq(str, (char *)leat_session_builder_error(b),
		     (char *)"a source has no operations"));
}

Test(builder, maxima)
{
	for (int i = 0; i <= LEAT_PUMP_MAX_SOURCES; i++)
		leat_session_with_source(b, leat_mock_source(mock));
	cr_assert(eq(int, leat_session_build(b, &s), -EOVERFLOW));
	cr_assert(eq(str, (char *)leat_session_builder_error(b), (char *)"more than 1024 sources"));
	leat_session_builder_free(&b);
	b = leat_session_builder_new();
	leat_session_with_source(b, leat_mock_source(mock));
	for (int i = 0; i < 65; i++)
		leat_session_with_callback(b, "leat/count", count_records, NULL);
	cr_assert(eq(int, leat_session_build(b, &s), -EOVERFLOW));
}

Test(builder, an_event_that_no_source_has)
{
	leat_session_with_callback(leat_session_with_source(b, leat_mock_source(mock)), "no/such",
				   count_records, NULL);
	cr_assert(eq(int, leat_session_build(b, &s), -ENOENT));
	cr_assert(eq(str, (char *)leat_session_builder_error(b),
		     (char *)"no source has the event no/such"));
}

Test(builder, nothing_to_keep)
{
	leat_session_with_source(b, leat_mock_source(mock));
	leat_session_with_user(leat_session_with_kernel(b, false), false);
	cr_assert(eq(int, leat_session_build(b, &s), -EINVAL));
}

static int refuse(void *self, struct leat_bus *bus)
{
	(void)self;
	(void)bus;
	return -EACCES;
}

Test(builder, a_source_that_cannot_be_opened)
{
	static const struct leat_source_ops ops = { .name = "broken", .open = refuse };

	leat_session_with_source(b, leat_mock_source(mock));
	leat_session_with_source(b, (struct leat_source){ .ops = &ops });
	cr_assert(eq(int, leat_session_build(b, &s), -EACCES));
	cr_assert(eq(str, (char *)leat_session_builder_error(b),
		     (char *)"the source broken cannot be opened: Permission denied"));
}

/* ---- what a live source takes ---- */

struct taker {
	uint32_t took;
	int err;
	struct leat_session_config seen;
	char name[64];
};

static int take(void *self, const struct leat_session_config *c, uint32_t *took)
{
	struct taker *t = self;

	t->seen = *c;
	if (c->target_cnt > 1)
		snprintf(t->name, sizeof(t->name), "%s", c->targets[1].name);
	*took = t->took;
	return t->err;
}

static int open_nothing(void *self, struct leat_bus *bus)
{
	(void)self;
	(void)bus;
	return 0;
}

static int do_nothing(void *self)
{
	(void)self;
	return 0;
}

static void close_nothing(void *self)
{
	(void)self;
}

static const struct leat_source_ops taker_ops = {
	.name = "taker",
	.open = open_nothing,
	.start = do_nothing,
	.stop = do_nothing,
	.close = close_nothing,
	.configure = take,
};

Test(builder, a_source_is_told_what_is_wanted)
{
	struct taker t = { .took = LEAT_CONFIG_TARGETS | LEAT_CONFIG_FREQUENCY };
	char cgroup[] = "/system.slice";

	leat_session_with_source(b, (struct leat_source){ .ops = &taker_ops, .self = &t });
	leat_session_with_source(b, leat_mock_source(mock));
	leat_session_with_target(b, &(struct leat_target_spec){ LEAT_TARGET_PROCESS, 42, NULL });
	leat_session_with_target(b, &(struct leat_target_spec){ LEAT_TARGET_CGROUP, 0, cgroup });
	leat_session_with_frequency(b, 99);
	leat_session_with_times(leat_session_with_kernel(b, false), true);
	leat_session_with_event(b, "leat/sample", "count > 1");
	cgroup[1] = 'X'; /* it was copied */
	cr_assert(leat_session_build(b, &s) == 0, "%s", leat_session_builder_error(b));
	cr_expect(eq(sz, t.seen.sz, sizeof(t.seen)));
	cr_expect(eq(sz, t.seen.target_cnt, 2));
	cr_expect(eq(str, t.name, (char *)"/system.slice"));
	cr_expect(eq(u64, t.seen.frequency_hz, 99));
	cr_expect(eq(sz, t.seen.event_cnt, 1));
	cr_expect(t.seen.times && t.seen.no_kernel && !t.seen.per_thread && !t.seen.no_user);
}

Test(builder, what_no_source_takes_is_an_error)
{
	static const char *const want[] = {
		"no source can be told who is looked at",
		"no source can be told how often samples are taken",
		"no source can be told how large its buffers are",
	};

	for (int i = 0; i < 3; i++) {
		struct taker t = { .took = 7u & ~(1u << i) };

		leat_session_builder_free(&b);
		b = leat_session_builder_new();
		leat_session_with_source(b, (struct leat_source){ .ops = &taker_ops, .self = &t });
		leat_session_with_target(b, &(struct leat_target_spec){ .kind = LEAT_TARGET_ALL });
		leat_session_with_buffers(leat_session_with_frequency(b, 1), 65536);
		cr_expect(eq(int, leat_session_build(b, &s), -ENOTSUP));
		cr_expect(eq(str, (char *)leat_session_builder_error(b), (char *)want[i]));
	}
}

Test(builder, a_source_that_refuses_the_configuration)
{
	struct taker t = { .err = -EPERM };

	leat_session_with_source(b, (struct leat_source){ .ops = &taker_ops, .self = &t });
	cr_expect(eq(int, leat_session_build(b, &s), -EPERM));
	cr_expect(eq(str, (char *)leat_session_builder_error(b),
		     (char *)"the source taker cannot do that: Operation not permitted"));
}

static const char *say_why(const void *self)
{
	return ((const struct taker *)self)->name;
}

static int open_not(void *self, struct leat_bus *bus)
{
	(void)bus;
	return ((struct taker *)self)->err;
}

Test(builder, a_source_says_why)
{
	struct leat_source_ops ops = taker_ops;
	struct taker t = { .err = -EPERM, .name = "it is forbidden here" };

	ops.error = say_why;
	leat_session_with_source(b, (struct leat_source){ .ops = &ops, .self = &t });
	cr_expect(eq(int, leat_session_build(b, &s), -EPERM));
	cr_expect(eq(str, (char *)leat_session_builder_error(b),
		     (char *)"the source taker cannot do that: it is forbidden here"));
	leat_session_builder_free(&b);
	b = leat_session_builder_new();
	ops.configure = NULL;
	ops.open = open_not;
	leat_session_with_source(b, (struct leat_source){ .ops = &ops, .self = &t });
	cr_expect(eq(int, leat_session_build(b, &s), -EPERM));
	cr_expect(eq(str, (char *)leat_session_builder_error(b),
		     (char *)"the source taker cannot be opened: it is forbidden here"));
}

Test(builder, what_is_wrong_is_refused_at_once)
{
	static const struct leat_target_spec wrong[] = {
		{ .kind = 0 },
		{ .kind = LEAT_TARGET_PROCESS },
		{ .kind = LEAT_TARGET_THREAD, .name = "x" },
		{ .kind = LEAT_TARGET_NAME },
		{ .kind = LEAT_TARGET_CGROUP, .name = "" },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(wrong) + 5; i++) {
		leat_session_builder_free(&b);
		b = leat_session_with_source(leat_session_builder_new(), leat_mock_source(mock));
		if (i < LEAT_ARRAY_SIZE(wrong))
			leat_session_with_target(b, &wrong[i]);
		else if (i == LEAT_ARRAY_SIZE(wrong))
			leat_session_with_frequency(b, 0);
		else if (i == LEAT_ARRAY_SIZE(wrong) + 1)
			leat_session_with_frequency(b, 1000001);
		else if (i == LEAT_ARRAY_SIZE(wrong) + 2)
			leat_session_with_buffers(b, (uint64_t)2 << 30);
		else if (i == LEAT_ARRAY_SIZE(wrong) + 3)
			leat_session_with_event(b, "", NULL);
		else
			leat_session_with_attributes(b, (struct leat_attribute_source){ NULL, b });
		cr_expect(eq(int, leat_session_build(b, &s), -EINVAL), "%zu", i);
	}
}

Test(builder, maxima_of_targets_events_and_hooks)
{
	char name[32];

	for (int i = 0; i <= LEAT_SESSION_MAX_TARGETS; i++)
		leat_session_with_target(b, &(struct leat_target_spec){ .kind = LEAT_TARGET_ALL });
	cr_expect(eq(int, leat_session_build(b, &s), -EOVERFLOW));
	leat_session_builder_free(&b);
	b = leat_session_builder_new();
	for (int i = 0; i <= LEAT_SESSION_MAX_EVENTS; i++) {
		snprintf(name, sizeof(name), "e/%d", i);
		leat_session_with_event(b, name, "x == 1");
	}
	cr_expect(eq(int, leat_session_build(b, &s), -EOVERFLOW));
	leat_session_builder_free(&b);
	b = leat_session_builder_new();
	for (int i = 0; i <= 16; i++)
		leat_session_with_hooks(b, NULL, NULL, NULL);
	cr_expect(eq(int, leat_session_build(b, &s), -EOVERFLOW));
}

/* ---- events with filters, hooks, errors, attributes ---- */

Test(builder, an_event_with_a_filter)
{
	struct leat_event_stats stats;
	int records = 0;

	leat_session_with_source(b, leat_mock_source(mock));
	leat_session_with_event(b, "leat/sample", "h.ts_ns > 15 && h.ts_ns != 30");
	leat_session_with_callback(b, "leat/sample", count_records, &records);
	cr_assert(leat_session_build(b, &s) == 0, "%s", leat_session_builder_error(b));
	push_sample(10);
	push_sample(20);
	push_sample(30);
	cr_assert(eq(int, leat_session_start(s), 0));
	cr_assert(eq(int, leat_session_finish(s), 0));
	cr_expect(eq(int, records, 1));
	cr_expect(eq(u64, leat_session_samples(s), 2), "the session sees no other either");
	leat_event_stats(leat_bus_find(leat_session_bus(s), "leat/sample"), &stats);
	cr_expect(eq(u64, stats.seen, 3));
	cr_expect(eq(u64, stats.filtered, 2));
}

Test(builder, a_filter_that_is_wrong)
{
	leat_session_with_source(b, leat_mock_source(mock));
	leat_session_with_event(b, "leat/sample", "count > 1 && h.ts_n > 15");
	cr_expect(eq(int, leat_session_build(b, &s), -ENOENT));
	cr_expect(strncmp(leat_session_builder_error(b),
			  "the filter of leat/sample: column 14: no field \"h.ts_n\"; did you mean "
			  "\"h.ts_ns\"?; fields are: ",
			  80) == 0,
		  "%s", leat_session_builder_error(b));
}

Test(builder, an_event_that_is_not_there_or_wanted_twice)
{
	leat_session_with_source(b, leat_mock_source(mock));
	leat_session_with_event(b, "sched/sched_switch", NULL);
	cr_expect(eq(int, leat_session_build(b, &s), -ENOENT));
	cr_expect(eq(str, (char *)leat_session_builder_error(b),
		     (char *)"no source has the event sched/sched_switch"));
	leat_session_builder_free(&b);
	b = leat_session_with_source(leat_session_builder_new(), leat_mock_source(mock));
	leat_session_with_event(leat_session_with_event(b, "leat/sample", NULL), "leat/sample",
				"count > 1");
	cr_expect(eq(int, leat_session_build(b, &s), -EEXIST));
}

struct hooked {
	struct leat_mock *mock;
	char *order;
	char letter;
	int err;
};

static int on_build(void *ctx, struct leat_session_builder *q)
{
	struct hooked *h = ctx;

	strncat(h->order, &h->letter, 1);
	if (h->mock)
		leat_session_with_source(q, leat_mock_source(h->mock));
	return h->letter == 'z' ? h->err : 0;
}

static int on_session(void *ctx, struct leat_session *q)
{
	struct hooked *h = ctx;
	char upper = (char)(h->letter - 'a' + 'A');

	cr_expect(ne(ptr, leat_session_bus(q), NULL));
	strncat(h->order, &upper, 1);
	return h->letter == 'y' ? h->err : 0;
}

static int add_hook(void *ctx, struct leat_session_builder *q)
{
	leat_session_with_hooks(q, on_build, on_session, ctx);
	return 0;
}

Test(builder, hooks_change_the_builder_and_the_session)
{
	char order[16] = "";
	struct hooked first = { mock, order, 'a', 0 }, last = { NULL, order, 'b', 0 },
		      added = { NULL, order, 'c', 0 };

	leat_session_with_hooks(b, on_build, on_session, &first);
	leat_session_with_hooks(b, add_hook, NULL, &added);
	leat_session_with_hooks(b, on_build, on_session, &last);
	cr_assert(leat_session_build(b, &s) == 0, "%s", leat_session_builder_error(b));
	cr_expect(eq(str, order, (char *)"abcABC"), "in order of registration");
}

Test(builder, hooks_that_fail_end_the_build)
{
	char order[16] = "";
	struct hooked before = { mock, order, 'z', -EIO }, after = { mock, order, 'y', -EPERM };

	leat_session_with_hooks(b, on_build, on_session, &before);
	cr_expect(eq(int, leat_session_build(b, &s), -EIO));
	cr_expect(eq(str, order, (char *)"z"));
	leat_session_builder_free(&b);
	b = leat_session_builder_new();
	leat_session_with_hooks(b, on_build, on_session, &after);
	cr_expect(eq(int, leat_session_build(b, &s), -EPERM));
	cr_expect(eq(ptr, s, NULL));
	cr_expect(eq(str, (char *)leat_session_builder_error(b),
		     (char *)"hook 0, of the session: Operation not permitted"));
}

static int always_fail(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	(void)ctx;
	(void)ev;
	(void)r;
	return -EIO;
}

static void note_errors(void *ctx, const struct leat_event_error *errors, size_t kept, uint64_t cnt)
{
	int *seen = ctx;

	cr_expect(eq(sz, kept, cnt));
	cr_expect(eq(int, errors[0].err, -EIO));
	seen[0]++;
	seen[1] += (int)cnt;
}

Test(builder, errors_are_told_once_a_poll)
{
	int seen[2] = { 0, 0 };

	leat_session_with_source(b, leat_mock_source(mock));
	leat_session_with_callback(b, "leat/sample", always_fail, NULL);
	leat_session_with_errors(b, note_errors, seen);
	cr_assert(eq(int, leat_session_build(b, &s), 0));
	cr_assert(eq(int, leat_session_start(s), 0));
	for (int i = 1; i < 6; i++)
		push_sample((uint64_t)i);
	cr_assert(eq(int, leat_session_poll(s, 3), 3));
	cr_expect(eq(int, seen[0], 1));
	cr_expect(eq(int, seen[1], 3));
	cr_assert(eq(int, leat_session_poll(s, 3), 0));
	cr_expect(eq(int, seen[0], 1), "nothing new");
	cr_assert(eq(int, leat_session_finish(s), 0));
	cr_expect(eq(int, seen[1], 5));
}

static int attributes(void *self, const struct leat_process_info *p,
		      struct leat_attribute_list *out)
{
	char value[32];

	if (self)
		return -EIO;
	snprintf(value, sizeof(value), "c%u", p->tgid);
	cr_expect(eq(int, leat_attribute_add(out, "", "x"), -EINVAL));
	cr_expect(eq(int, leat_attribute_add(out, "pod", "web"), 0));
	cr_expect(eq(int, leat_attribute_add(out, "container", "old"), 0));
	cr_expect(eq(int, leat_attribute_add(out, "container", value), 0));
	for (int i = 0; i < 30; i++) {
		snprintf(value, sizeof(value), "z%02d", i);
		cr_expect(eq(int, leat_attribute_add(out, value, "v"), 0));
	}
	cr_expect(eq(int, leat_attribute_add(out, "more", "v"), -EOVERFLOW));
	cr_expect(eq(int, leat_attribute_add(out, "pod", "db"), 0), "but a new value");
	return 0;
}

Test(builder, attributes_of_processes_are_on_their_samples)
{
	static const struct leat_attribute_source_ops ops = { "test", attributes };
	struct leat_verdict_info verdict;
	struct leat_sample_info sample;
	const char *key, *value;
	struct leat_profile *p;

	leat_session_with_source(b, leat_mock_source(mock));
	leat_session_with_attributes(b, (struct leat_attribute_source){ &ops, b });
	leat_session_with_attributes(b, (struct leat_attribute_source){ &ops, NULL });
	cr_assert(eq(int, leat_session_build(b, &s), 0));
	cr_assert(eq(int, leat_session_start(s), 0));
	push_sample(10);
	cr_assert(eq(int, leat_session_finish(s), 0));
	p = leat_session_take_profile(s);
	cr_assert(eq(sz, leat_profile_sample_cnt(p), 1));
	cr_assert(eq(int, leat_profile_sample_at(p, 0, &sample), 0));
	cr_assert(ne(u32, sample.attributes, 0));
	cr_assert(eq(int, leat_profile_attribute_at(p, sample.attributes, 0, &key, &value), 0));
	cr_expect(eq(str, (char *)key, (char *)"container"));
	cr_expect(eq(str, (char *)value, (char *)"c1"));
	cr_assert(eq(int, leat_profile_attribute_at(p, sample.attributes, 1, &key, &value), 0));
	cr_expect(eq(str, (char *)value, (char *)"db"));
	cr_expect(eq(int, leat_profile_attribute_at(p, sample.attributes, 32, &key, &value),
		     -ENOENT));
	cr_expect(eq(int, leat_profile_attribute_at(p, 0, 0, &key, &value), -ENOENT));
	cr_expect(eq(int, leat_profile_attribute_at(p, 99, 0, &key, &value), -ENOENT));
	leat_profile_verdict(p, &verdict);
	cr_expect(eq(u64, verdict.taken, 2));
	leat_profile_free(&p);
}

/* ---- the process table, as a cell ---- */

static int count_processes(void *ctx, const struct leat_process_table *t)
{
	(void)ctx;
	return t->profile ? (int)leat_profile_process_cnt(t->profile) : -ENODATA;
}

/* A reader that lets the session go on while it reads: the table must not move under it. */
static int poll_inside(void *ctx, const struct leat_process_table *t)
{
	size_t before = leat_profile_process_cnt(t->profile);

	cr_expect(eq(int, leat_session_poll(ctx, UINT64_MAX), 1));
	cr_expect(eq(ptr, leat_session_take_profile(ctx), NULL), "it is being read");
	cr_expect(eq(int, leat_session_finish(ctx), -EBUSY), "not yet");
	return leat_profile_process_cnt(t->profile) == before ? 0 : -EBADMSG;
}

Test(builder, processes_are_read_through_a_cell)
{
	struct leat_process_cell_readonly r;
	struct leat_profile *p;

	leat_session_with_source(b, leat_mock_source(mock));
	cr_assert(eq(int, leat_session_build(b, &s), 0));
	cr_assert(eq(int, leat_session_start(s), 0));
	r = leat_session_processes(s);
	cr_expect(eq(int, leat_process_cell_read(r, count_processes, NULL), 0));
	push_sample(10);
	cr_expect(eq(int, leat_process_cell_read(r, poll_inside, s), 0));
	cr_expect(eq(u64, leat_bus_error_cnt(leat_session_bus(s)), 1), "refused, and said");
	cr_expect(eq(u64, leat_cell_conflict_cnt(r.cell), 3));
	push_sample(20);
	cr_expect(eq(int, leat_session_poll(s, UINT64_MAX), 1));
	cr_expect(eq(int, leat_process_cell_read(r, count_processes, NULL), 1));
	cr_assert(eq(int, leat_session_finish(s), 0));
	p = leat_session_take_profile(s);
	cr_assert(ne(ptr, p, NULL));
	leat_profile_free(&p);
	cr_expect(eq(int, leat_process_cell_read(r, count_processes, NULL), -ENODATA), "taken");
	leat_session_free(&s);
	cr_expect(eq(int, leat_process_cell_read(r, count_processes, NULL), -ENODATA));
	leat_process_cell_drop_readonly(&r);
}

Test(builder, no_memory_for_the_builder)
{
	struct leat_session_builder *none = NULL;

	leat_session_with_user(leat_session_with_kernel(none, true), true);
	leat_session_with_times(leat_session_with_per_thread(none, true), true);
	leat_session_with_callback(none, "a", count_records, NULL);
	leat_session_with_source(none, leat_mock_source(mock));
	leat_session_with_target(none, NULL);
	leat_session_with_frequency(leat_session_with_buffers(none, 1), 1);
	leat_session_with_event(leat_session_with_hooks(none, NULL, NULL, NULL), "a", NULL);
	leat_session_with_errors(none, NULL, NULL);
	leat_session_with_attributes(none, (struct leat_attribute_source){ NULL, NULL });
	cr_assert(eq(int, leat_session_build(none, &s), -ENOMEM));
	cr_assert(eq(str, (char *)leat_session_builder_error(none), (char *)"out of memory"));
	leat_session_builder_free(&none);
}

Test(builder, survives_each_failing_allocation)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_session_builder *q = leat_session_builder_new();
		struct leat_session *made = NULL;
		int err;

		leat_session_with_callback(leat_session_with_source(q, leat_mock_source(mock)),
					   "leat/count", count_records, NULL);
		leat_session_with_event(q, "leat/sample", "count > 1");
		err = leat_session_build(q, &made);
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		cr_assert(eq(int, !made, err != 0));
		leat_session_free(&made);
		leat_session_builder_free(&q);
	}
}
