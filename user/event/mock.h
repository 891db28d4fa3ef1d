/* SPDX-License-Identifier: BSD-2-Clause */
/* A source that delivers records from memory, in order of time; for tests, and as an example. */
#ifndef LEAT_EVENT_MOCK_H
#define LEAT_EVENT_MOCK_H

#include <leat/event.h>

#include "base/cleanup.h"

struct leat_mock;

int leat_mock_new(struct leat_mock **out) LEAT_MUST_USE;
void leat_mock_free(struct leat_mock **m);
/*
 * Appends a copy of a wire record (begins with struct leat_rec); not from inside a callback. What
 * is too short for a header is counted as malformed when its turn comes.
 */
int leat_mock_push(struct leat_mock *m, const void *rec, size_t size) LEAT_MUST_USE;
struct leat_source leat_mock_source(struct leat_mock *m);

#endif
