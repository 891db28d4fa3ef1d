/* SPDX-License-Identifier: BSD-2-Clause */
/* Side-band records as the kernel writes them, made by a builder, decoded and turned into leat's own. */
#include "live/sideband.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "event/wire.h"

/* ---- a builder ---- */

struct rec {
	union {
		struct perf_event_header h;
		uint8_t bytes[8192];
	};
	size_t n;
};

static void put(struct rec *r, const void *p, size_t n)
{
	cr_assert(r->n + n <= sizeof(r->bytes));
	memcpy(r->bytes + r->n, p, n);
	r->n += n;
}

static void put32(struct rec *r, uint32_t v)
{
	put(r, &v, sizeof(v));
}

static void put64(struct rec *r, uint64_t v)
{
	put(r, &v, sizeof(v));
}

static void put_text(struct rec *r, const char *s)
{
	static const char zeros[8];
	size_t n = strlen(s) + 1;

	put(r, s, n);
	put(r, zeros, (8 - n % 8) % 8);
}

static struct rec begin(uint32_t type, uint16_t misc)
{
	struct rec r = { .h = { .type = type, .misc = misc },
			 .n = sizeof(struct perf_event_header) };

	return r;
}

static void end(struct rec *r, uint64_t ts_ns)
{
	put32(r, 42);
	put32(r, 43);
	put64(r, ts_ns);
	put32(r, 3);
	put32(r, 0);
	r->h.size = (uint16_t)r->n;
}

static struct rec mmap2(uint16_t misc, const char *path)
{
	struct rec r = begin(PERF_RECORD_MMAP2, misc);

	put32(&r, 100);
	put32(&r, 101);
	put64(&r, 0x7f0000001000);
	put64(&r, 0x2000);
	put64(&r, 0x1000);
	put32(&r, 254);
	put32(&r, 1);
	put64(&r, 4711);
	put64(&r, 99);
	put32(&r, 5);
	put32(&r, 2);
	put_text(&r, path);
	end(&r, 123456789);
	return r;
}

static struct rec task(uint32_t type)
{
	struct rec r = begin(type, 0);

	put32(&r, 200);
	put32(&r, 100);
	put32(&r, 201);
	put32(&r, 101);
	put64(&r, 1);
	end(&r, 77);
	return r;
}

static struct rec comm(uint16_t misc, const char *name)
{
	struct rec r = begin(PERF_RECORD_COMM, misc);

	put32(&r, 100);
	put32(&r, 100);
	put_text(&r, name);
	end(&r, 5);
	return r;
}

/* ---- decoding ---- */

Test(perf_record, mmap_by_inode)
{
	struct rec r = mmap2(0, "/usr/bin/x y");
	struct leat_sideband s;

	cr_assert(eq(int, leat_sideband_decode(r.bytes, r.n, &s), 0));
	cr_assert(eq(int, (int)s.kind, LEAT_SIDEBAND_MMAP));
	cr_assert(eq(u32, s.tgid, 100));
	cr_assert(eq(u32, s.tid, 101));
	cr_assert(eq(u64, s.start, 0x7f0000001000));
	cr_assert(eq(u64, s.end, 0x7f0000003000));
	cr_assert(eq(u64, s.pgoff, 0x1000));
	cr_assert(eq(u64, s.dev, makedev(254, 1)));
	cr_assert(eq(u64, s.ino, 4711));
	cr_assert(eq(u64, s.ino_gen, 99));
	cr_assert(eq(u64, s.ts_ns, 123456789));
	cr_assert(eq(u32, s.cpu, 3));
	cr_assert(eq(sz, s.text_len, strlen("/usr/bin/x y")));
}

/* The kernel leaves the mark of another one's event there; the bytes are an inode all the same. */
Test(perf_record, mark_of_a_build_id_is_not_ours)
{
	struct rec r = mmap2(1 << 14, "/usr/bin/x");
	union leat_env_record w;
	struct leat_sideband s;

	cr_assert(eq(int, leat_sideband_decode(r.bytes, r.n, &s), 0));
	cr_assert(eq(u64, s.dev, makedev(254, 1)));
	cr_assert(eq(u64, s.ino, 4711));
	cr_assert(eq(u64, s.ino_gen, 99));
	cr_assert(gt(sz, leat_sideband_to_wire(&s, &w), 0));
	cr_assert(eq(int, w.mmap.mmap_kind, LEAT_MMAP_FILE));
	cr_assert(eq(u8, w.mmap.build_id_len, 0));
}

Test(perf_record, empty_or_wrapping_range)
{
	static const uint64_t lens[] = { 0, UINT64_MAX, UINT64_MAX - 0x7f0000001000 + 1 };
	struct leat_sideband s;

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(lens); i++) {
		struct rec r = mmap2(0, "/x");

		memcpy(r.bytes + 8 + 16, &lens[i], 8);
		cr_assert(eq(int, leat_sideband_decode(r.bytes, r.n, &s), -EBADMSG));
	}
}

Test(perf_record, fork_exit_comm_lost)
{
	struct rec fork = task(PERF_RECORD_FORK), gone = task(PERF_RECORD_EXIT);
	struct rec name = comm(1 << 13, "worker"), lost = begin(PERF_RECORD_LOST, 0);
	struct leat_sideband s;

	cr_assert(eq(int, leat_sideband_decode(fork.bytes, fork.n, &s), 0));
	cr_assert(eq(int, (int)s.kind, LEAT_SIDEBAND_FORK));
	cr_assert(eq(u32, s.tgid, 200));
	cr_assert(eq(u32, s.ptgid, 100));
	cr_assert(eq(u32, s.tid, 201));
	cr_assert(eq(u32, s.ptid, 101));
	cr_assert(eq(int, leat_sideband_decode(gone.bytes, gone.n, &s), 0));
	cr_assert(eq(int, (int)s.kind, LEAT_SIDEBAND_EXIT));
	cr_assert(eq(int, leat_sideband_decode(name.bytes, name.n, &s), 0));
	cr_assert(eq(int, (int)s.kind, LEAT_SIDEBAND_COMM));
	cr_assert(s.exec);
	cr_assert(eq(sz, s.text_len, 6));
	put64(&lost, 9);
	put64(&lost, 1234);
	end(&lost, 1);
	cr_assert(eq(int, leat_sideband_decode(lost.bytes, lost.n, &s), 0));
	cr_assert(eq(int, (int)s.kind, LEAT_SIDEBAND_LOST));
	cr_assert(eq(u64, s.lost_cnt, 1234));
	cr_assert(eq(u32, s.tgid, 0));
}

Test(perf_record, lost_samples)
{
	struct rec lost = begin(PERF_RECORD_LOST_SAMPLES, 0);
	struct leat_sideband s;

	put64(&lost, 55);
	end(&lost, 1);
	cr_assert(eq(int, leat_sideband_decode(lost.bytes, lost.n, &s), 0));
	cr_assert(eq(u64, s.lost_cnt, 55));
}

Test(perf_record, unknown_kind_is_no_error)
{
	struct rec r = begin(999, 0);
	union leat_env_record w;
	struct leat_sideband s;

	end(&r, 1);
	cr_assert(eq(int, leat_sideband_decode(r.bytes, r.n, &s), 0));
	cr_assert(eq(int, (int)s.kind, LEAT_SIDEBAND_OTHER));
	cr_assert(eq(sz, leat_sideband_to_wire(&s, &w), 0));
}

/* Any record at any shorter size, with the size it claims changed along or not. */
static void cut_everywhere(const struct rec *full)
{
	for (size_t n = 0; n < full->n; n++) {
		struct rec r = *full;
		struct leat_sideband s = { .tgid = 7 };

		cr_assert(lt(int, leat_sideband_decode(r.bytes, n, &s), 0));
		r.h.size = (uint16_t)n;
		if (leat_sideband_decode(r.bytes, n, &s) == 0)
			cr_assert(le(sz, s.text_len, n));
		else
			cr_assert(eq(u32, s.tgid, 7));
	}
}

Test(perf_record, cut_at_every_length)
{
	struct rec all[] = { mmap2(0, "/usr/bin/x"), mmap2(1 << 14, "/usr/bin/x"), comm(0, "name"),
			     task(PERF_RECORD_FORK), task(PERF_RECORD_EXIT) };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(all); i++)
		cut_everywhere(&all[i]);
}

Test(perf_record, name_without_end)
{
	struct rec r = begin(PERF_RECORD_COMM, 0);
	struct leat_sideband s;

	put32(&r, 1);
	put32(&r, 1);
	put64(&r, 0x4141414141414141);
	end(&r, 1);
	cr_assert(eq(int, leat_sideband_decode(r.bytes, r.n, &s), -EBADMSG));
}

/* ---- leat's own records ---- */

static struct leat_record to_wire(const struct rec *r, union leat_env_record *w)
{
	struct leat_record out = { 0 };
	struct leat_sideband s;
	size_t n;

	memset(w, 0xaa, sizeof(*w));
	cr_assert(eq(int, leat_sideband_decode(r->bytes, r->n, &s), 0));
	n = leat_sideband_to_wire(&s, w);
	cr_assert(eq(sz, n, w->h.size));
	cr_assert(eq(int, leat_wire_record(w, n, &out), 0));
	return out;
}

Test(perf_record, wire_mmap)
{
	struct rec r = mmap2(0, "/tmp/a b (deleted)");
	union leat_env_record w;
	struct leat_record out = to_wire(&r, &w);

	cr_assert(eq(int, out.kind, LEAT_REC_MMAP));
	cr_assert(eq(u32, out.tgid, 100));
	cr_assert(eq(u64, out.ts_ns, 123456789));
	cr_assert(eq(int, out.cpu, 3));
	cr_assert(eq(str, (char *)w.mmap.path, (char *)"/tmp/a b"));
	cr_assert(eq(int, w.mmap.from_proc, 0));
	cr_assert(eq(int, w.mmap.pad[0], 0));
	cr_assert(eq(u64, w.mmap.ino, 4711));
}

Test(perf_record, wire_long_names_are_cut)
{
	char path[5000];
	struct rec r;
	union leat_env_record w;

	memset(path, 'p', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	r = mmap2(0, path);
	to_wire(&r, &w);
	cr_assert(eq(sz, strlen(w.mmap.path), LEAT_PATH_MAX - 1));
	r = comm(0, "a name of more than 15 characters");
	to_wire(&r, &w);
	cr_assert(eq(str, (char *)w.comm.comm, (char *)"a name of more "));
	cr_assert(eq(u32, w.comm.flags, 0));
	cr_assert(eq(u32, w.comm.pad, 0));
}

Test(perf_record, wire_tasks)
{
	struct rec r = task(PERF_RECORD_FORK);
	union leat_env_record w;

	cr_assert(eq(int, to_wire(&r, &w).kind, LEAT_REC_FORK));
	cr_assert(eq(u32, w.task.ptgid, 100));
	cr_assert(eq(u32, w.task.ptid, 101));
	r = task(PERF_RECORD_EXIT);
	cr_assert(eq(int, to_wire(&r, &w).kind, LEAT_REC_EXIT));
	r = comm(1 << 13, "x");
	cr_assert(eq(int, to_wire(&r, &w).kind, LEAT_REC_COMM));
	cr_assert(eq(u32, w.comm.flags, LEAT_COMM_EXEC));
}

/* ---- the ring ---- */

#define RING 256u

static void ring_put(uint8_t *ring, uint64_t at, const struct rec *r)
{
	for (size_t i = 0; i < r->n; i++)
		ring[(at + i) & (RING - 1)] = r->bytes[i];
}

/* A record at every place of the ring, so that it goes around its end in every way. */
Test(perf_record, ring_goes_around)
{
	struct rec r = comm(0, "abc"), out;

	for (uint64_t at = 0; at < RING; at += 8) {
		uint8_t ring[RING] = { 0 };
		uint64_t tail = at;

		ring_put(ring, at, &r);
		cr_assert(eq(int,
			     leat_sideband_next(ring, RING, at + r.n, &tail, out.bytes,
						sizeof(out.bytes)),
			     (int)r.n));
		cr_assert(eq(int, memcmp(out.bytes, r.bytes, r.n), 0));
		cr_assert(eq(u64, tail, at + r.n));
		cr_assert(eq(int,
			     leat_sideband_next(ring, RING, at + r.n, &tail, out.bytes,
						sizeof(out.bytes)),
			     0));
	}
}

Test(perf_record, ring_hostile)
{
	static const uint16_t sizes[] = { 0, 7, 65, 65535 };
	uint8_t ring[RING] = { 0 }, out[RING];
	struct perf_event_header h = { .type = PERF_RECORD_COMM };
	uint64_t tail = 0;

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(sizes); i++) {
		h.size = sizes[i];
		memcpy(ring, &h, sizeof(h));
		cr_assert(eq(int, leat_sideband_next(ring, RING, 64, &tail, out, sizeof(out)),
			     -EBADMSG));
		cr_assert(eq(u64, tail, 0));
	}
	cr_assert(eq(int, leat_sideband_next(ring, RING, 4, &tail, out, sizeof(out)), -EBADMSG));
	cr_assert(eq(int, leat_sideband_next(ring, RING, RING + 8, &tail, out, sizeof(out)),
		     -EBADMSG));
	tail = 64;
	cr_assert(eq(int, leat_sideband_next(ring, RING, 0, &tail, out, sizeof(out)), -EBADMSG));
	h.size = 64;
	memcpy(ring, &h, sizeof(h));
	tail = 0;
	cr_assert(eq(int, leat_sideband_next(ring, RING, 64, &tail, out, 32), -EBADMSG));
}
