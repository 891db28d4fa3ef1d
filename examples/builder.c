/* SPDX-License-Identifier: BSD-2-Clause */
/* A session is built by calls that chain; the first error sticks, and has a text. */
#include <leat/session.h>

#include <errno.h>
#include <string.h>

#include "example.h"

struct silent {
	uint64_t frequency_hz;
	uint32_t pid;
};

/* What a live source would do: take over what it can, and say so. */
static int configure(void *self, const struct leat_session_config *c, uint32_t *took)
{
	struct silent *s = self;

	s->frequency_hz = c->frequency_hz;
	s->pid = c->target_cnt ? c->targets[0].id : 0;
	*took = LEAT_CONFIG_TARGETS | LEAT_CONFIG_FREQUENCY;
	return 0;
}

static int open_silent(void *self, struct leat_bus *bus)
{
	(void)self;
	(void)bus;
	return 0;
}

static int nothing(void *self)
{
	(void)self;
	return 0;
}

static int poll_silent(void *self, struct leat_bus *bus, uint64_t until_ns, bool *more)
{
	(void)self;
	(void)bus;
	(void)until_ns;
	*more = false;
	return 0;
}

static void close_silent(void *self)
{
	(void)self;
}

static const struct leat_source_ops ops = {
	.name = "silent",
	.open = open_silent,
	.start = nothing,
	.poll = poll_silent,
	.stop = nothing,
	.close = close_silent,
	.configure = configure,
};

static int set_frequency(void *ctx, struct leat_session_builder *b)
{
	(void)ctx;
	leat_session_with_frequency(b, 99);
	return 0;
}

int main(void)
{
	struct leat_target_spec target = { LEAT_TARGET_PROCESS, 42, NULL };
	struct leat_session_builder *b = leat_session_builder_new();
	struct leat_session *s = NULL;
	struct silent silent = { 0, 0 }, other = { 0, 0 };

	leat_session_with_target(leat_session_with_per_thread(b, true), &target);
	leat_session_with_hooks(b, set_frequency, NULL, NULL);
	leat_session_with_source(b, (struct leat_source){ &ops, &silent });
	CHECK(leat_session_build(b, &s) == 0);
	CHECK(silent.pid == 42 && silent.frequency_hz == 99);
	leat_session_free(&s);
	leat_session_builder_free(&b);

	/* What no source takes is not ignored. */
	b = leat_session_builder_new();
	leat_session_with_buffers(b, 65536);
	leat_session_with_source(b, (struct leat_source){ &ops, &other });
	CHECK(leat_session_build(b, &s) == -ENOTSUP);
	CHECK(strcmp(leat_session_builder_error(b),
		     "no source can be told how large its buffers are") == 0);
	printf("pid %u at %d Hz; else: %s\n", silent.pid, (int)silent.frequency_hz,
	       leat_session_builder_error(b));
	leat_session_builder_free(&b);
	return 0;
}
