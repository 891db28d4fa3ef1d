/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_filter [ROUNDS]: filters, on the same bytes as the peer's tests/bench/peers filter.rs. */
#include <string.h>

#include <leat/filter.h>

#include "cases.h"

struct bed {
	struct leat_format *format;
	struct leat_filter *filter;
	char bytes[CASE_RECORDS][64];
	struct leat_record records[CASE_RECORDS];
};

static void die(const char *what)
{
	fprintf(stderr, "bench_filter: %s\n", what);
	exit(1);
}

static void make(struct bed *b, const struct leat_field *field, uint32_t size, const char *text)
{
	struct leat_filter_error e;

	if (leat_format_new(&b->format, "bench") || leat_format_add(b->format, field))
		die("no format");
	if (leat_filter_new(&b->filter, b->format, text, &e))
		die(e.text);
	for (size_t i = 0; i < CASE_RECORDS; i++)
		b->records[i] = (struct leat_record){ .data = b->bytes[i], .size = size };
}

static inline __attribute__((always_inline)) uint64_t match(void *ctx, size_t i)
{
	struct bed *b = ctx;

	return leat_filter_matches(b->filter, &b->records[i % CASE_RECORDS]);
}

static void run(struct bed *b, const char *name, unsigned int rounds)
{
	case_run(name, rounds, CASE_CALLS, match, b);
	leat_filter_free(&b->filter);
	leat_format_free(&b->format);
}

static void number(unsigned int rounds)
{
	struct leat_field f = { .name = "f", .type = LEAT_TYPE_UINT, .size = 4 };
	struct bed b = { .filter = NULL };
	uint64_t state = 11;

	make(&b, &f, 4, "f >= 2147483648");
	for (size_t i = 0; i < CASE_RECORDS; i++) {
		uint32_t v = (uint32_t)case_random(&state);

		memcpy(b.bytes[i], &v, sizeof(v));
	}
	run(&b, "filter u32 >=", rounds);
}

static void comm(unsigned int rounds)
{
	struct leat_field f = { .name = "f", .type = LEAT_TYPE_CHAR, .size = 16, .elem_size = 1 };
	struct bed b = { .filter = NULL };
	uint64_t state = 12;

	make(&b, &f, 16, "f == \"redis-server\"");
	for (size_t i = 0; i < CASE_RECORDS; i++) {
		if (case_random(&state) % 2)
			memcpy(b.bytes[i], "redis-server", 12);
		else
			case_letters(&state, b.bytes[i], 12);
	}
	run(&b, "filter char[16] ==", rounds);
}

static void contains(unsigned int rounds, bool hit)
{
	struct leat_field f = { .name = "f",
				.type = LEAT_TYPE_CHAR,
				.location = LEAT_LOCATION_STRING };
	struct bed b = { .filter = NULL };
	uint64_t state = 13;

	make(&b, &f, 46, "f contains \"/etc/pam\"");
	for (size_t i = 0; i < CASE_RECORDS; i++) {
		case_letters(&state, b.bytes[i], 45);
		if (hit)
			memcpy(b.bytes[i] + 30 + case_random(&state) % 7, "/etc/pam", 8);
	}
	run(&b, hit ? "filter contains, hit" : "filter contains, miss", rounds);
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 9;

	rounds = rounds ? rounds : 1;
	number(rounds);
	comm(rounds);
	contains(rounds, true);
	contains(rounds, false);
	return 0;
}
