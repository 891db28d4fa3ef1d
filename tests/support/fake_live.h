/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A layer "live" for tests of the command line: no kernel, no privilege, a profile that is known.
 * What it does is chosen by the environment variable LEAT_FAKE, a list of words:
 *
 *	privilege gone idle system event silent	fail, as the real one would
 *	nostart			the command could not be started
 *	wait			go on until stopped or the duration is over
 *	lossy			12.5 % of the samples were lost
 *	hostile			names with control characters
 *	nounwind deep stripped few kptr	verdicts that call for a hint
 *	two			samples in two processes
 *	note			another event was taken than asked for
 *	broken			doctor fails
 */
#ifndef LEAT_TESTS_SUPPORT_FAKE_LIVE_H
#define LEAT_TESTS_SUPPORT_FAKE_LIVE_H

#include "live/live.h"

/* What the last recording was asked for. */
struct leat_fake {
	struct leat_live_opts opts;
	unsigned int calls;
};
const struct leat_fake *leat_fake_last(void);

#endif
