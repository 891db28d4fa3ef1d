/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session fed with records that contradict each other: few processes, few times, few places, in
 * any order, some of them cut. No sample may be lost without being counted.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "event/wire.h"
#include "export/formats.h"
#include "session/judge.h"
#include "session/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p;
	size_t left;
	uint64_t samples; /* of records that were whole */
	bool cut;	  /* one was not */
};

static uint8_t next(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

union record {
	struct leat_rec h;
	struct leat_rec_count count;
	struct leat_rec_stack stack;
	struct leat_rec_sample sample;
	struct leat_rec_process process;
	struct leat_rec_comm comm;
	struct leat_rec_mmap mmap;
	struct leat_rec_task task;
	struct leat_rec_lost lost;
	struct leat_rec_stat stat;
	uint8_t bytes[512];
};

static uint64_t time_of(struct input *in)
{
	return (uint64_t)(next(in) % 16) * 20000000; /* within and beyond the slack of starts */
}

/* Frames behind @fixed; returns the record's size. */
static uint32_t put_frames(struct input *in, union record *r, size_t fixed, uint16_t *k,
			   uint16_t *u)
{
	size_t at = fixed;

	*k = next(in) % 4;
	*u = next(in) % 6;
	for (int i = 0; i < *k + *u; i++, at += sizeof(uint64_t)) {
		uint64_t addr = (uint64_t)next(in) << 4;

		memcpy(r->bytes + at, &addr, sizeof(addr));
	}
	return (uint32_t)at;
}

static uint32_t put_stack(struct input *in, union record *r)
{
	r->stack.stack_hash = next(in) % 8;
	r->stack.uresult = next(in) % 12;
	r->stack.kresult = next(in) % 12;
	return put_frames(in, r, sizeof(r->stack), &r->stack.kframe_cnt, &r->stack.uframe_cnt);
}

static uint32_t put_sample(struct input *in, union record *r)
{
	r->sample.stack_hash = next(in) % 8;
	r->sample.count = 1;
	r->sample.uresult = next(in) % 12;
	r->sample.proc.start_ns = time_of(in);
	return put_frames(in, r, sizeof(r->sample), &r->sample.kframe_cnt, &r->sample.uframe_cnt);
}

static uint32_t put_count(struct input *in, union record *r)
{
	r->count.stack_hash = next(in) % 8;
	r->count.count = next(in) % 4;
	r->count.first_ns = time_of(in);
	r->count.last_ns = time_of(in);
	r->count.proc.start_ns = time_of(in);
	return sizeof(r->count);
}

static uint32_t put_mmap(struct input *in, union record *r)
{
	r->mmap.start = (uint64_t)next(in) << 4;
	r->mmap.end = r->mmap.start + ((uint64_t)(next(in) % 64) << 4);
	r->mmap.pgoff = next(in);
	r->mmap.ino = next(in) % 4;
	r->mmap.from_proc = next(in) & 1;
	r->mmap.mmap_kind = next(in) % 5;
	r->mmap.build_id_len = next(in) % 24;
	r->mmap.build_id[0] = next(in) % 2;
	r->bytes[offsetof(struct leat_rec_mmap, path)] = next(in);
	return offsetof(struct leat_rec_mmap, path) + 2;
}

static uint32_t put_rest(struct input *in, union record *r)
{
	switch (r->h.kind) {
	case LEAT_REC_PROCESS:
		r->process.start_ns = time_of(in);
		r->process.flags = next(in);
		r->process.comm[0] = (char)next(in);
		return sizeof(r->process);
	case LEAT_REC_THREAD:
	case LEAT_REC_COMM:
		r->comm.flags = next(in) % 3;
		r->comm.comm[0] = (char)next(in);
		return sizeof(r->comm);
	case LEAT_REC_FORK:
	case LEAT_REC_EXIT:
		r->task.ptgid = next(in) % 5;
		return sizeof(r->task);
	case LEAT_REC_STAT:
		r->h.cpu = next(in);
		r->stat.wanted = next(in);
		r->stat.stat[LEAT_STAT_SEEN] = next(in);
		return sizeof(r->stat);
	default:
		r->lost.lost_cnt = next(in);
		return sizeof(r->lost);
	}
}

static uint32_t put_record(struct input *in, union record *r)
{
	memset(r, 0, sizeof(*r));
	r->h.kind = next(in) % LEAT_REC__MAX;
	r->h.tgid = next(in) % 5;
	r->h.tid = r->h.tgid + next(in) % 2;
	r->h.ts_ns = time_of(in);
	switch (r->h.kind) {
	case LEAT_REC_COUNT:
		return put_count(in, r);
	case LEAT_REC_STACK:
		return put_stack(in, r);
	case LEAT_REC_SAMPLE:
		return put_sample(in, r);
	case LEAT_REC_MMAP:
		return put_mmap(in, r);
	default:
		return put_rest(in, r);
	}
}

static void dispatch(struct input *in, struct leat_bus *bus)
{
	union record r;
	struct leat_record rec;
	uint8_t *exact;

	r.h.size = put_record(in, &r);
	if (r.h.kind == LEAT_REC_COUNT)
		in->samples += r.count.count;
	if (r.h.kind == LEAT_REC_SAMPLE)
		in->samples++;
	if (next(in) >= 250) {
		in->cut = true;
		r.h.size = next(in) % (r.h.size + 1);
	}
	exact = malloc(r.h.size ? r.h.size : 1); /* so that a read behind it is seen */
	if (!exact)
		abort();
	memcpy(exact, r.bytes, r.h.size);
	rec = (struct leat_record){ .data = exact,
				    .size = r.h.size,
				    .kind = r.h.kind,
				    .cpu = r.h.cpu,
				    .tgid = r.h.tgid,
				    .tid = r.h.tid,
				    .ts_ns = r.h.ts_ns };
	leat_bus_dispatch(bus, &rec);
	free(exact);
}

static void check(struct leat_profile *p, const struct input *in)
{
	struct leat_buf out;

	leat_buf_init(&out, 1u << 24);
	assert(leat_profile_total(p) == p->verdict.taken);
	assert(in->cut || p->verdict.taken == in->samples);
	if (leat_judge_stacks(p) || leat_judge_count(p) || leat_export_folded(p, NULL, &out))
		abort();
	assert(in->cut || p->verdict.taken == in->samples);
	leat_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .p = data, .left = size };
	struct leat_session_opts opts = { 0 };
	struct leat_session *s = NULL;
	struct leat_bus *bus = NULL;
	struct leat_profile *p;
	uint8_t flags = next(&in);

	opts.per_thread = flags & 1;
	opts.stream = flags & 2;
	opts.user_only = flags & 4;
	opts.kernel_only = flags & 8;
	if (leat_bus_new(&bus) || leat_wire_register_all(bus) || leat_session_new(&s))
		abort();
	leat_session_set_opts(s, &opts);
	if (leat_session_attach(s, bus))
		abort();
	while (in.left)
		dispatch(&in, bus);
	if (leat_session_finish(s))
		abort();
	p = leat_session_take_profile(s);
	check(p, &in);
	leat_profile_free(&p);
	leat_session_free(&s);
	leat_bus_free(&bus);
	return 0;
}
