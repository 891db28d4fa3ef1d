/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_capture [ROUNDS]: what a capture file costs while it is written, and how fast it is replayed
 * from memory: chunks checked and decompressed, records decoded and given to a callback that adds up
 * two of their members. CPU time of one thread; the best of ROUNDS and the median.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include <leat/capture.h>

#include "base/hash.h"
#include "event/wire.h"

#define RECORDS	   4000000u
#define MAX_ROUNDS 101

static void need(int err)
{
	if (err < 0) {
		fprintf(stderr, "bench_capture: %s\n", strerror(-err));
		exit(1);
	}
}

static double cpu_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Samples of 40 threads on 8 CPUs, as they look: times that grow, addresses from a few functions. */
static void fill(uint8_t *rec, uint16_t kind, uint32_t size, uint64_t i)
{
	struct leat_rec h = {
		.kind = kind,
		.cpu = (uint16_t)(i & 7),
		.size = size,
		.ts_ns = 1000000000 + i * 10000 + (leat_hash_u64(i) & 0xfff),
		.tgid = 4000 + (uint32_t)(leat_hash_u64(i) % 5),
	};

	h.tid = h.tgid + (uint32_t)(leat_hash_u64(i) >> 32 & 7);
	memcpy(rec, &h, sizeof(h));
	for (uint32_t at = sizeof(h); at + 8 <= size; at += 8) {
		uint64_t v = 0x55d0c0de0000 + (leat_hash_u64(i % 97 + at) & 0xffff0);

		memcpy(rec + at, &v, sizeof(v));
	}
}

struct shape {
	const char *name;
	uint16_t kind;
	uint32_t size;
};

/* Writes @cnt records; *@ns: CPU of the writer alone, a record. */
static int write_file(const struct shape *s, uint32_t cnt, bool attached, double *ns)
{
	struct leat_capture_writer *w = NULL;
	struct leat_bus *bus = NULL;
	uint8_t *recs = malloc((size_t)1024 * s->size);
	int fd = memfd_create("bench", MFD_CLOEXEC);
	double begin, spent = 0;

	if (!recs || fd < 0)
		exit(1);
	need(leat_bus_new(&bus));
	need(leat_wire_register_all(bus));
	need(leat_capture_writer_new(&w, fd));
	if (attached)
		need(leat_capture_writer_attach(w, bus));
	for (uint32_t i = 0; i < cnt; i += 1024) {
		for (uint32_t j = 0; j < 1024; j++)
			fill(recs + (size_t)j * s->size, s->kind, s->size, i + j);
		begin = cpu_s();
		for (uint32_t j = 0; j < 1024; j++) {
			struct leat_record r;

			need(leat_wire_record(recs + (size_t)j * s->size, s->size, &r));
			leat_wire_dispatch(bus, &r);
		}
		spent += cpu_s() - begin;
	}
	begin = cpu_s();
	need(leat_capture_writer_finish(w));
	spent += cpu_s() - begin;
	*ns = spent * 1e9 / cnt;
	leat_bus_free(&bus);
	leat_capture_writer_free(&w);
	free(recs);
	return fd;
}

static int on_record(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	uint64_t *sum = ctx;

	(void)ev;
	sum[0] += r->ts_ns;
	sum[1] += r->size;
	return 0;
}

/* Seconds of one replay; the sums say that every record was there. */
static double replay(const void *p, size_t n, const struct shape *s, uint32_t cnt)
{
	struct leat_capture *c = NULL;
	struct leat_capture_info info;
	struct leat_bus *bus = NULL;
	struct leat_source src;
	uint64_t sum[2] = { 0, 0 };
	double begin = cpu_s();
	bool more = true;

	need(leat_bus_new(&bus));
	need(leat_capture_new(&c));
	need(leat_capture_open_bytes(c, p, n));
	src = leat_capture_source(c);
	need(src.ops->open(src.self, bus));
	need(leat_event_add_callback(leat_bus_at(bus, s->kind), on_record, sum, NULL));
	need(src.ops->start(src.self));
	while (more)
		need(src.ops->poll(src.self, bus, UINT64_MAX, &more));
	begin = cpu_s() - begin;
	leat_capture_info(c, &info);
	if (!info.complete || info.records != cnt || sum[1] != (uint64_t)cnt * s->size) {
		fprintf(stderr, "bench_capture: %llu records came back\n",
			(unsigned long long)info.records);
		exit(1);
	}
	leat_capture_free(&c);
	leat_bus_free(&bus);
	return begin;
}

static void run(const struct shape *s, unsigned int rounds)
{
	uint32_t cnt = RECORDS / 1024 * 1024;
	double write_ns[MAX_ROUNDS], read_s[MAX_ROUNDS], none_ns = 0;
	struct stat st = { 0 };

	for (unsigned int i = 0; i < rounds; i++) {
		void *p;
		int fd;

		close(write_file(s, cnt, false, &none_ns));
		fd = write_file(s, cnt, true, &write_ns[i]);
		write_ns[i] -= none_ns;
		if (fstat(fd, &st) != 0)
			exit(1);
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
		if (p == MAP_FAILED)
			exit(1);
		read_s[i] = replay(p, (size_t)st.st_size, s, cnt);
		munmap(p, (size_t)st.st_size);
		close(fd);
	}
	qsort(write_ns, rounds, sizeof(*write_ns), compare);
	qsort(read_s, rounds, sizeof(*read_s), compare);
	printf("| %s | %u | %.1f | %.0f / %.0f | %.1f / %.1f |\n", s->name, s->size,
	       (double)st.st_size / cnt, write_ns[0], write_ns[rounds / 2], cnt / read_s[0] / 1e6,
	       cnt / read_s[rounds / 2] / 1e6);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const struct shape shapes[] = {
		{ "header and a number", LEAT_REC_ENV_LOST, 32 },
		{ "a count (leat/count)", LEAT_REC_COUNT, 72 },
		{ "a sample of 30 frames (leat/sample)", LEAT_REC_SAMPLE, 304 },
	};
	unsigned int rounds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 5;

	rounds = rounds < 1 ? 1 : rounds > MAX_ROUNDS ? MAX_ROUNDS : rounds;
	printf("Capture file, %u records, one thread, best / median of %u.\n\n", RECORDS, rounds);
	printf("| record | bytes | in the file | written, ns of CPU each | replayed, million a "
	       "second |\n|---|---|---|---|---|\n");
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		run(&shapes[i], rounds);
	return 0;
}
