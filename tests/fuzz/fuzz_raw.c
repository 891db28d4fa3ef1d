/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sample that came with registers and a copy of its stack, of any content and any lengths that
 * its members claim: it is refused, or goes on as one sample with frames that begins at its pc.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../support/tables_rig.h"
#include "event/wire.h"

#define TGID  1000u
#define START 0x10000000ull
#define STACK 0x7ffd00000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct leat_rig rig;

static void end(void)
{
	leat_rig_fini(&rig);
}

/* One process for all inputs, with a binary whose table is ready. */
static void begin(void)
{
	uint32_t no;

	leat_rig_init(&rig, 0, NULL);
	atexit(end);
	no = leat_rig_map(&rig, TGID, leat_rig_file(&rig, "a", 1, 0), START);
	leat_rig_sampled(&rig, no);
	if (!leat_rig_wait(&rig, no, LEAT_EXE_READY))
		abort();
}

static void dispatch(struct leat_rec_raw *raw, size_t size)
{
	const size_t samples = rig.sample_cnt;
	struct leat_record rec;

	raw->h.kind = LEAT_REC_RAW;
	raw->h.size = (uint32_t)size;
	raw->h.tgid = TGID;
	if (leat_wire_record(raw, size, &rec))
		return;
	leat_bus_dispatch(rig.bus, &rec);
	leat_rig_round(&rig);
	assert(rig.sample_cnt <= samples + 1);
	if (rig.sample_cnt > samples) {
		assert(rig.last.uframe_cnt >= 1 && rig.last.uframe_cnt <= LEAT_MAX_UFRAMES);
		assert(rig.last.uresult > LEAT_STACK_NONE && rig.last.uresult < LEAT_STACK__MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct leat_rec_raw *raw;

	if (!rig.engine)
		begin();
	if (size < sizeof(*raw) || size > (1u << 16))
		return 0;
	raw = malloc(size); /* of exactly that size: a sanitizer sees what is read behind it */
	if (!raw)
		abort();
	memcpy(raw, data, size);
	dispatch(raw, size);
	/* Registers that lead into the code and the stack, and lengths that are right. */
	memcpy(raw, data, size);
	raw->kframe_cnt = 0;
	raw->stack_bytes = (uint32_t)(size - sizeof(*raw));
	raw->stack_addr = STACK;
	raw->regs[6] = STACK + (raw->regs[6] & 0xff8);
	raw->regs[7] = STACK + (raw->regs[7] & 0xff8);
	raw->regs[16] = START + raw->regs[16] % 0x1000;
	dispatch(raw, size);
	free(raw);
	return 0;
}
