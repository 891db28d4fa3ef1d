/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_event [ROUNDS]: the engine's cases, the same as tests/bench/peers/one_collect, on the same
 * bytes. Prints "case<TAB>median ns<TAB>least ns<TAB>checksum" a line: times of a call over the rounds,
 * and the sum of what the calls of one round read. bench_event.py puts both programs' lines side by side.
 */
#include <inttypes.h>
#include <leat/writer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

#define RECORDS	   256u	   /* used in turn: what is read differs from call to call */
#define CALLS	   102400u /* of a round: short, so that some of many are not disturbed */
#define ROUNDS_MAX 10001
#define RECORD_MAX 64

struct records {
	uint8_t bytes[RECORDS][RECORD_MAX];
	uint32_t size;
};

struct bench {
	struct records records;
	struct leat_bus *bus;
	struct leat_format *format;
	struct leat_writer *writer;
	struct leat_field_reader *reader;
	leat_field_ref refs[8];
	uint64_t sum; /* of the callback */
};

typedef uint64_t (*case_fn)(struct bench *b, const struct leat_record *r);

static int rounds = 101;

static uint64_t next(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static void check(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "bench_event: %s: %s\n", what, strerror(-err));
	exit(1);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Inline, as the peer's: a call through a pointer is a quarter of the cheapest case. */
static inline __attribute__((always_inline)) void run(struct bench *b, const char *name, case_fn fn)
{
	static struct leat_record r[RECORDS];
	static double times[ROUNDS_MAX];
	uint64_t first = 0;

	for (uint32_t i = 0; i < RECORDS; i++)
		r[i] = (struct leat_record){ .data = b->records.bytes[i],
					     .size = b->records.size,
					     .kind = 1 };
	for (int round = 0; round < rounds; round++) {
		uint64_t sum = 0;
		double start = now_ns();

		for (uint32_t i = 0; i < CALLS; i++)
			sum += fn(b, &r[i & (RECORDS - 1)]);
		times[round] = (now_ns() - start) / CALLS;
		if (round && sum != first)
			check(-EINVAL, "rounds differ");
		first = sum;
	}
	qsort(times, (size_t)rounds, sizeof(times[0]), by_value);
	printf("%s\t%.2f\t%.2f\t%016" PRIx64 "\n", name, times[rounds / 2], times[0], first);
	leat_bus_free(&b->bus);
	leat_format_free(&b->format);
	leat_writer_free(&b->writer);
	leat_field_reader_free(&b->reader);
}

/* ---- inputs ---- */

static void random_bytes(struct records *rec, uint64_t seed, uint32_t size)
{
	rec->size = size;
	for (uint32_t i = 0; i < RECORDS; i++)
		for (uint32_t k = 0; k < size; k++)
			rec->bytes[i][k] = (uint8_t)(next(&seed) >> 56);
}

static uint8_t *put_letters(uint8_t *p, uint64_t *rnd, int n)
{
	while (n--)
		*p++ = (uint8_t)('a' + next(rnd) % 26);
	*p++ = 0;
	return p;
}

static void add(struct leat_format *f, struct leat_field field)
{
	check(leat_format_add(f, &field), field.name);
}

static struct leat_format *format_new(void)
{
	struct leat_format *f = NULL;

	check(leat_format_new(&f, "bench"), "format");
	return f;
}

static void dispatch_to(struct bench *b, struct leat_format *f, leat_event_fn fn)
{
	struct leat_event *ev = NULL;

	check(leat_bus_new(&b->bus), "bus");
	check(leat_bus_add_event(b->bus, 1, "bench/event", f, &ev), "event");
	check(leat_event_add_callback(ev, fn, b, NULL), "callback");
}

static inline __attribute__((always_inline)) uint64_t dispatch(struct bench *b,
							       const struct leat_record *r)
{
	b->sum = 0;
	leat_bus_dispatch(b->bus, r);
	return b->sum;
}

/* ---- cases ---- */

static int on_empty(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct bench *b = ctx;

	(void)ev;
	(void)r;
	b->sum++;
	return 0;
}

static void empty(struct bench *b)
{
	random_bytes(&b->records, 1, 8);
	dispatch_to(b, format_new(), on_empty);
	run(b, "empty callback", dispatch);
}

static int on_bytes(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct bench *b = ctx;
	const struct leat_format *f = leat_event_format(ev);
	uint64_t x, y, z;

	if (leat_get_u64(f, b->refs[0], r, &x) || leat_get_u64(f, b->refs[1], r, &y) ||
	    leat_get_u64(f, b->refs[2], r, &z))
		return -ENODATA;
	b->sum += x + 2 * y + 3 * z;
	return 0;
}

static void resolve(struct bench *b, const struct leat_format *f, int n)
{
	for (int i = 0; i < n; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", i);
		check(leat_format_ref(f, name, &b->refs[i]), name);
	}
}

static void add_ints(struct leat_format *f, const uint32_t *sizes, uint32_t n)
{
	uint32_t offset = 0;

	for (uint32_t i = 0; i < n; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%u", i);
		add(f, (struct leat_field){ .name = name,
					    .type = LEAT_TYPE_UINT,
					    .offset = offset,
					    .size = sizes[i] });
		offset += sizes[i];
	}
}

static void three_bytes(struct bench *b)
{
	static const uint32_t sizes[] = { 1, 1, 1 };
	struct leat_format *f = format_new();

	add_ints(f, sizes, 3);
	resolve(b, f, 3);
	random_bytes(&b->records, 2, 3);
	dispatch_to(b, f, on_bytes);
	run(b, "3 one-byte fields", dispatch);
}

static int on_ints(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct bench *b = ctx;
	const struct leat_format *f = leat_event_format(ev);
	uint64_t sum = 0, v;

#pragma GCC unroll 8
	for (int i = 0; i < 8; i++) {
		if (leat_get_u64(f, b->refs[i], r, &v))
			return -ENODATA;
		sum += v;
	}
	b->sum += sum;
	return 0;
}

static void eight_ints(struct bench *b)
{
	static const uint32_t sizes[] = { 8, 8, 4, 4, 2, 2, 1, 1 };
	struct leat_format *f = format_new();

	add_ints(f, sizes, 8);
	resolve(b, f, 8);
	random_bytes(&b->records, 3, 30);
	dispatch_to(b, f, on_ints);
	run(b, "8 typed integers", dispatch);
}

static inline __attribute__((always_inline)) uint64_t read_value(struct bench *b,
								 const struct leat_record *r)
{
	uint64_t v = 0;

	return leat_read_u64(b->reader, r, &v) ? 0 : v;
}

static void behind_strings(struct bench *b)
{
	struct leat_format *f = format_new();
	uint64_t rnd = 4;
	leat_field_ref ref;

	for (uint32_t i = 0; i < RECORDS; i++) {
		uint8_t *p = b->records.bytes[i];
		uint32_t id = (uint32_t)next(&rnd);
		uint64_t value;

		memcpy(p, &id, sizeof(id));
		p = put_letters(p + sizeof(id), &rnd, 12);
		p = put_letters(p, &rnd, 20);
		value = next(&rnd);
		memcpy(p, &value, sizeof(value));
		b->records.size = (uint32_t)(p + sizeof(value) - b->records.bytes[i]);
	}
	add(f, (struct leat_field){ .name = "id", .type = LEAT_TYPE_UINT, .size = 4 });
	add(f, (struct leat_field){ .name = "a",
				    .type = LEAT_TYPE_CHAR,
				    .location = LEAT_LOCATION_STRING,
				    .offset = 4 });
	add(f, (struct leat_field){ .name = "b",
				    .type = LEAT_TYPE_CHAR,
				    .location = LEAT_LOCATION_STRING,
				    .follows = true });
	add(f, (struct leat_field){
		       .name = "value", .type = LEAT_TYPE_UINT, .size = 8, .follows = true });
	check(leat_format_ref(f, "value", &ref), "value");
	check(leat_field_reader_new(&b->reader, f, ref), "reader");
	leat_format_free(&f);
	run(b, "u64 behind two strings", read_value);
}

static inline __attribute__((always_inline)) uint64_t write_record(struct bench *b,
								   const struct leat_record *r)
{
	char out[64];
	size_t len = 0;
	uint64_t sum;

	if (leat_writer_write(b->writer, r, out, sizeof(out), &len))
		return 0;
	sum = len;
	for (size_t i = 0; i < len; i += 7)
		sum += (uint8_t)out[i];
	return sum;
}

static void fill_write(struct bench *b)
{
	uint64_t rnd = 5;

	for (uint32_t i = 0; i < RECORDS; i++) {
		uint32_t id = 100000 + (uint32_t)(next(&rnd) % 900000);

		memcpy(b->records.bytes[i], &id, sizeof(id));
		put_letters(b->records.bytes[i] + sizeof(id), &rnd, 13);
	}
	b->records.size = 18;
}

static void writer(struct bench *b, enum leat_writer_kind kind, const char *name)
{
	struct leat_format *f = format_new();

	fill_write(b);
	add(f, (struct leat_field){ .name = "id", .type = LEAT_TYPE_UINT, .size = 4 });
	add(f, (struct leat_field){ .name = "name",
				    .type = LEAT_TYPE_CHAR,
				    .location = LEAT_LOCATION_STRING,
				    .offset = 4 });
	check(leat_writer_new(&b->writer, f, kind), "writer");
	leat_format_free(&f);
	run(b, name, write_record);
}

int main(int argc, char **argv)
{
	static struct bench b;

	if (argc > 1)
		rounds = (int)strtol(argv[1], NULL, 10);
	if (rounds < 1 || rounds > ROUNDS_MAX)
		return 2;
	empty(&b);
	three_bytes(&b);
	eight_ints(&b);
	behind_strings(&b);
	writer(&b, LEAT_WRITER_TEXT, "write u32 + string");
	writer(&b, LEAT_WRITER_JSON, "write u32 + string, JSON");
	return 0;
}
