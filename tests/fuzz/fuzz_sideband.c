/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The side band: the input is a ring (its first byte says where reading begins), whose records are
 * decoded and turned into leat's own.
 */
#include <assert.h>
#include <string.h>

#include "event/wire.h"
#include "live/sideband.h"

#define RING 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sink;

static void one_record(const void *p, size_t n)
{
	union leat_env_record w;
	struct leat_sideband s;
	struct leat_record r;
	size_t size;

	if (leat_sideband_decode(p, n, &s))
		return;
	if (s.text_len)
		assert(s.text >= (const char *)p && s.text + s.text_len < (const char *)p + n);
	if (s.kind == LEAT_SIDEBAND_MMAP)
		assert(s.end > s.start);
	size = leat_sideband_to_wire(&s, &w);
	if (!size)
		return;
	assert(size <= sizeof(w) && size == w.h.size);
	assert(leat_wire_record(&w, size, &r) == 0);
	for (size_t i = 0; i < size; i++)
		sink += (uint8_t)w.bytes[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t rec[RING / 8];
	uint8_t ring[RING] = { 0 };
	uint64_t tail, head;
	int n;

	if (size < 2)
		return 0;
	tail = (uint64_t)data[0] * 16;
	data++;
	size = size - 1 < RING ? size - 1 : RING;
	for (size_t i = 0; i < size; i++)
		ring[(tail + i) & (RING - 1)] = data[i];
	head = tail + size;
	while ((n = leat_sideband_next(ring, RING, head, &tail, rec, sizeof(rec))) > 0)
		one_record(rec, (size_t)n);
	assert(tail <= head);
	/* The same bytes as one record of just their size. */
	if (size >= sizeof(struct perf_event_header)) {
		struct perf_event_header h;

		memcpy(rec, data, size);
		memcpy(&h, rec, sizeof(h));
		h.size = (uint16_t)size;
		memcpy(rec, &h, sizeof(h));
		one_record(rec, size);
	}
	return 0;
}
