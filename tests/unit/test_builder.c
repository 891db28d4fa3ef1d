/* SPDX-License-Identifier: BSD-2-Clause */
#include <leat/session.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
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

Test(builder, no_memory_for_the_builder)
{
	struct leat_session_builder *none = NULL;

	leat_session_with_user(leat_session_with_kernel(none, true), true);
	leat_session_with_times(leat_session_with_per_thread(none, true), true);
	leat_session_with_callback(none, "a", count_records, NULL);
	leat_session_with_source(none, leat_mock_source(mock));
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
		err = leat_session_build(q, &made);
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		cr_assert(eq(int, !made, err != 0));
		leat_session_free(&made);
		leat_session_builder_free(&q);
	}
}
