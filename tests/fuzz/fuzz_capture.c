/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture file that nobody vouches for, through a session to outputs. What is given is made to
 * have the right checksums and numbers first, so that what stands behind them is reached; if its
 * last byte is 0xff it is taken as it is.
 */
#include <assert.h>
#include <leat/symbols.h>
#include <stdlib.h>
#include <string.h>

#include "../support/capture_mend.h"
#include "base/buf.h"
#include "export/formats.h"
#include "session/capture.h"

#define MAX_INPUT (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int name(void *ctx, struct leat_profile *p)
{
	(void)ctx;
	return leat_symbols_finish(p);
}

/* What every profile must hold to, wherever it comes from. */
static void check(struct leat_replayed *got)
{
	struct leat_export_opts o = { .tree = { .by_process = true, .by_thread = got->by_thread } };
	struct leat_profile *p = got->profile;
	struct leat_buf out;

	assert(p->verdict.taken && p->verdict.taken == leat_profile_total(p));
	for (size_t i = 0; i < p->frame_cnt; i++)
		assert(p->frames[i].function < p->function_cnt);
	leat_buf_init(&out, (size_t)64 << 20);
	assert(!leat_export_folded(p, &o, &out));
	leat_buf_reset(&out);
	assert(!leat_export_pprof(p, &o, &out));
	leat_buf_fini(&out);
}

static void replay(const uint8_t *p, size_t n)
{
	struct leat_replay_opts o = { .name = name };
	struct leat_replayed got = { .profile = NULL };
	struct leat_replay *r = NULL;
	int err;

	assert(!leat_replay_new(&r));
	err = leat_capture_open_bytes(leat_replay_capture(r), p, n);
	if (!err)
		err = leat_replay_run(r, &o, &got);
	assert(err || *leat_replay_error(r) == '\0');
	if (err)
		assert(*leat_replay_error(r) != '\0');
	else
		check(&got);
	leat_profile_free(&got.profile);
	leat_replay_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *p;

	if (size > MAX_INPUT)
		return 0;
	p = malloc(size ? size : 1);
	assert(p);
	if (size)
		memcpy(p, data, size);
	if (size && data[size - 1] != 0xff)
		leat_mend(p, size);
	replay(p, size);
	free(p);
	return 0;
}
