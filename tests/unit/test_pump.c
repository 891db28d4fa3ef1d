/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/pump.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

/* A source that writes down what is asked of it. */
struct fake {
	char letter;
	int left; /* records; each poll gives one */
	int open_err, start_err, poll_err, stop_err;
	struct fake *feeds; /* its first record gives that one another */
};

static char diary[256];

static void write_down(const struct fake *f, char what)
{
	size_t n = strlen(diary);

	cr_assert(lt(sz, n, sizeof(diary) - 3));
	diary[n] = f->letter;
	diary[n + 1] = what;
	diary[n + 2] = 0;
}

static int fake_open(void *self, struct leat_bus *bus)
{
	(void)bus;
	write_down(self, 'o');
	return ((struct fake *)self)->open_err;
}

static int fake_start(void *self)
{
	write_down(self, 's');
	return ((struct fake *)self)->start_err;
}

static int fake_poll(void *self, struct leat_bus *bus, uint64_t until_ns, bool *more)
{
	struct fake *f = self;

	(void)bus;
	(void)until_ns;
	if (f->poll_err)
		return f->poll_err;
	if (!f->left)
		return 0;
	write_down(f, 'p');
	f->left--;
	if (f->feeds)
		f->feeds->left++;
	f->feeds = NULL;
	*more = true; /* also when it has not: a round must end all the same */
	return 1;
}

static int fake_stop(void *self)
{
	write_down(self, 'x');
	return ((struct fake *)self)->stop_err;
}

static void fake_close(void *self)
{
	write_down(self, 'c');
}

static const struct leat_source_ops ops = {
	.open = fake_open,
	.start = fake_start,
	.poll = fake_poll,
	.stop = fake_stop,
	.close = fake_close,
};

static struct leat_pump pump;
static struct fake a, b;

static void init(void)
{
	diary[0] = 0;
	a = (struct fake){ .letter = 'a' };
	b = (struct fake){ .letter = 'b' };
	leat_pump_init(&pump, NULL);
	cr_assert(eq(int, leat_pump_add(&pump, (struct leat_source){ &ops, &a }), 0));
	cr_assert(eq(int, leat_pump_add(&pump, (struct leat_source){ &ops, &b }), 0));
}

TestSuite(pump, .init = init);

Test(pump, a_round_drains_each_source_in_order)
{
	a.left = 2;
	b.left = 1;
	cr_assert(eq(int, leat_pump_open(&pump), 0));
	cr_assert(eq(int, leat_pump_start(&pump), 0));
	cr_assert(eq(int, leat_pump_round(&pump, 100), 3));
	cr_assert(eq(int, leat_pump_stop(&pump), 0));
	leat_pump_close(&pump);
	leat_pump_close(&pump);
	cr_assert(eq(str, diary,
		     (char *)"aobo"
			     "asbs"
			     "apapbp"
			     "bxax"
			     "bcac"),
		  "%s", diary);
}

Test(pump, the_last_round_ends_when_nothing_is_left)
{
	a.left = 1;
	b.left = 1;
	b.feeds = &a; /* a has more when its turn in this round is over */
	cr_assert(eq(int, leat_pump_open(&pump), 0));
	cr_assert(eq(int, leat_pump_start(&pump), 0));
	cr_assert(eq(int, leat_pump_round(&pump, UINT64_MAX), 3));
	leat_pump_close(&pump);
}

Test(pump, a_source_that_fails_does_not_stop_the_others)
{
	a.poll_err = -EIO;
	b.left = 2;
	cr_assert(eq(int, leat_pump_open(&pump), 0));
	cr_assert(eq(int, leat_pump_start(&pump), 0));
	cr_assert(eq(int, leat_pump_round(&pump, 100), -EIO));
	cr_assert(eq(int, b.left, 0));
	cr_assert(eq(int, leat_pump_round(&pump, UINT64_MAX), -EIO));
	leat_pump_close(&pump);
}

Test(pump, what_was_opened_is_closed_when_another_fails)
{
	b.open_err = -ENOENT;
	cr_assert(eq(int, leat_pump_open(&pump), -ENOENT));
	leat_pump_close(&pump);
	cr_assert(eq(str, diary, (char *)"aoboac"));
}

Test(pump, what_was_started_is_stopped_when_another_fails)
{
	b.start_err = -EPERM;
	cr_assert(eq(int, leat_pump_open(&pump), 0));
	cr_assert(eq(int, leat_pump_start(&pump), -EPERM));
	a.stop_err = -EIO;
	cr_assert(eq(int, leat_pump_stop(&pump), -EIO));
	leat_pump_close(&pump);
	cr_assert(eq(str, diary,
		     (char *)"aobo"
			     "asbs"
			     "ax"
			     "bcac"),
		  "%s", diary);
}

Test(pump, sources_are_added_before_opening_and_are_few)
{
	cr_assert(eq(int, leat_pump_open(&pump), 0));
	cr_assert(eq(int, leat_pump_add(&pump, (struct leat_source){ &ops, &a }), -EBUSY));
	leat_pump_close(&pump);
	for (size_t i = pump.source_cnt; i < LEAT_PUMP_MAX_SOURCES; i++)
		cr_assert(eq(int, leat_pump_add(&pump, (struct leat_source){ &ops, &a }), 0));
	cr_assert(eq(int, leat_pump_add(&pump, (struct leat_source){ &ops, &a }), -EOVERFLOW));
	leat_pump_close(&pump);
}
