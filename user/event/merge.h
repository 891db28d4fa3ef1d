/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of several sources in order of time, equal times in order of the sources. What a source
 * may still bring that is older (its reorder window) holds the others back: a record goes out when
 * it is not younger than the watermark, the least of what each source has shown less its window. A
 * source that has nothing for a round is taken to have reached the round's time: it stalls nobody.
 * A record that comes later than it may is delivered at once, and counted. Caller serialises.
 */
#ifndef LEAT_EVENT_MERGE_H
#define LEAT_EVENT_MERGE_H

#include <leat/event.h>

#include "base/cleanup.h"

/* Records that one source's window may hold back; beyond it the oldest goes out, as late. */
#define LEAT_MERGE_MAX_HELD (1u << 20)

struct leat_merge;

int leat_merge_new(struct leat_merge **out) LEAT_MUST_USE;
void leat_merge_free(struct leat_merge **m);
/* A source that has .next; it is opened and started by the caller. */
int leat_merge_add(struct leat_merge *m, struct leat_source s) LEAT_MUST_USE;
/*
 * Dispatches all that is due at @until_ns (UINT64_MAX: all there is, windows or not). The number
 * of records, or the first error; a source that fails does not stop the others.
 */
int leat_merge_round(struct leat_merge *m, struct leat_bus *bus, uint64_t until_ns) LEAT_MUST_USE;
/* Records that came after younger ones had gone out. */
uint64_t leat_merge_late(const struct leat_merge *m);

#endif
