/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/hint.h"

/* Shares from which a hint is worth its line, in percent. */
#define MUCH_LOST      2
#define MANY_LOST      20 /* samples */
#define MUCH_OF_STACKS 20
#define MUCH_UNNAMED   20
#define FEW_SAMPLES    100
#define ENOUGH_STACKS  20    /* a share of fewer says nothing */
#define FAST_HZ	       10000 /* the timer of a busy virtual CPU keeps up to about here */

static unsigned int percent(uint64_t part, uint64_t of)
{
	return of ? (unsigned int)(100.0 * (double)part / (double)of + 0.5) : 0;
}

/* Samples were lost: the cause with the largest share decides what helps. */
static bool hint_loss(struct leat_buf *b, const struct leat_verdict *v, uint64_t freq_hz)
{
	uint64_t ring = v->kernel[LEAT_STAT_L_RING_FULL];

	/* A handful is within what a clock and a counter may differ by. */
	if (leat_verdict_lost_percent(v) <= MUCH_LOST || leat_verdict_lost(v) < MANY_LOST)
		return false;
	if (v->kernel_skipped > ring)
		leat_buf_printf(b,
				"  note: the kernel did not run leat's program for %u%% of the "
				"samples: another tracing program on these CPUs, or a rate that "
				"the timer cannot keep%s\n",
				percent(v->kernel_skipped, v->wanted),
				freq_hz > FAST_HZ ? ": take a lower -F" : "");
	else if (ring)
		leat_buf_str(b, "  note: the ring was full: take --buffer 8M or a lower -F\n");
	else
		leat_buf_str(b, "  note: samples were lost: take a lower -F\n");
	return true;
}

static bool hint_memory(struct leat_buf *b, const struct leat_verdict *v, uint64_t all)
{
	const unsigned int cut = percent(v->stacks[LEAT_STACK_NO_TABLE], all);

	if (!v->tables_evicted || !v->tables_need_bytes || cut < MUCH_OF_STACKS)
		return false;
	leat_buf_printf(b,
			"  note: %u%% of user stacks end early: there was no memory for their "
			"unwind tables: take --unwind-memory %lluM\n",
			cut, (unsigned long long)leat_verdict_tables_mb(v));
	return true;
}

static bool hint_stacks(struct leat_buf *b, const struct leat_verdict *v)
{
	uint64_t all = 0, cut;

	for (size_t i = 0; i < LEAT_STACK__MAX; i++)
		all += i == LEAT_STACK_NONE ? 0 : v->stacks[i];
	cut = v->stacks[LEAT_STACK_NO_UNWIND] + v->stacks[LEAT_STACK_BAD_CALL];
	if (all < ENOUGH_STACKS)
		return false;
	if (hint_memory(b, v, all))
		return true;
	if (percent(cut, all) >= MUCH_OF_STACKS && v->kernel[LEAT_STAT_N_TABLE_FRAMES]) {
		leat_buf_printf(b,
				"  note: %u%% of user stacks end early: that code has no usable "
				"unwind information\n",
				percent(cut, all));
		return true;
	}
	if (percent(cut, all) >= MUCH_OF_STACKS) {
		leat_buf_printf(
			b,
			"  note: %u%% of user stacks end early: that code was built without "
			"frame pointers: take --unwind table\n",
			percent(cut, all));
		return true;
	}
	cut = v->stacks[LEAT_STACK_TRUNCATED];
	if (percent(cut, all) < MUCH_OF_STACKS)
		return false;
	leat_buf_printf(b,
			"  note: %u%% of user stacks are deeper than was asked for: take "
			"--max-stack 512\n",
			percent(cut, all));
	return true;
}

static bool hint_names(struct leat_buf *b, const struct leat_verdict *v)
{
	static const char *const what[LEAT_UNNAMED__MAX] = {
		[LEAT_UNNAMED_STRIPPED] = "the file has no symbols: install its debug symbols",
		[LEAT_UNNAMED_FILE_GONE] =
			"their file was deleted or replaced: restart that program",
		[LEAT_UNNAMED_JIT] =
			"compiled at run time: let the runtime write /tmp/perf-PID.map",
		[LEAT_UNNAMED_PERMISSION] = "leat may not read where they are: see leat doctor",
	};
	uint64_t all = 0;
	size_t most = 0;

	for (size_t i = 1; i < LEAT_UNNAMED__MAX; i++) {
		all += v->frames_unnamed[i];
		most = v->frames_unnamed[i] > v->frames_unnamed[most] || !most ? i : most;
	}
	if (percent(all, v->frames) < MUCH_UNNAMED || !what[most])
		return false;
	leat_buf_printf(b, "  note: %u%% of frames have no name; most of them: %s\n",
			percent(all, v->frames), what[most]);
	return true;
}

void leat_cli_hint(struct leat_buf *b, const struct leat_verdict *v, uint64_t freq_hz)
{
	/* Its options are not those of who recorded it. */
	if (v->imported || hint_loss(b, v, freq_hz))
		return;
	if (v->kptr_restricted) {
		leat_buf_str(
			b, "  note: the kernel hides its symbols from leat (kernel.kptr_restrict): "
			   "see leat doctor\n");
		return;
	}
	if (hint_stacks(b, v) || hint_names(b, v))
		return;
	if (v->taken < FEW_SAMPLES)
		leat_buf_str(b,
			     "  note: few samples: record longer (-d), or more often (-F 499)\n");
}
