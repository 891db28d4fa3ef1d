/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_intern [ROUNDS]: interning, on the same bytes as the peer's tests/bench/peers intern.rs. */
#include <string.h>

#include "base/intern.h"
#include "cases.h"

#define STRINGS 1024
#define MILLION 1000000
#define STACKS	100000
#define DEEP	32
#define MAX_LEN 32

struct bed {
	struct leat_intern *in;
	char (*strings)[MAX_LEN];
	uint8_t *lens;
	uint64_t *stacks; /* of .depth frames each */
	size_t cnt;
	size_t depth;
};

static void check(int err)
{
	if (!err)
		return;
	fprintf(stderr, "bench_intern: error %d\n", err);
	exit(1);
}

static void *allocate(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		check(-1);
	return p;
}

static void renew(struct bed *b)
{
	leat_intern_free(&b->in);
	check(leat_intern_new(&b->in, 1u << 30, (size_t)1 << 40));
}

/* Names as symbols have them: 12 to 27 bytes, all different. */
static void make_strings(struct bed *b, size_t cnt, uint64_t state)
{
	b->cnt = cnt;
	b->strings = allocate(cnt, MAX_LEN);
	b->lens = allocate(cnt, 1);
	for (size_t i = 0; i < cnt; i++) {
		size_t n = 6 + case_random(&state) % 16;

		case_letters(&state, b->strings[i], n);
		b->lens[i] = (uint8_t)(n + 6);
		for (size_t k = 0; k < 6; k++) /* the number, so that none is twice */
			b->strings[i][n + k] = (char)('0' + (i >> (4 * k) & 15));
	}
	renew(b);
}

static void make_stacks(struct bed *b, size_t cnt, size_t depth, uint64_t state)
{
	b->cnt = cnt;
	b->depth = depth;
	b->stacks = allocate(cnt * depth, sizeof(uint64_t));
	for (size_t i = 0; i < cnt * depth; i++)
		b->stacks[i] = 0x7f0000000000u + case_random(&state) % 0x1000000;
	renew(b);
}

static void fini(struct bed *b)
{
	leat_intern_free(&b->in);
	free(b->strings);
	free(b->lens);
	free(b->stacks);
}

static uint64_t put_string(void *ctx, size_t i)
{
	struct bed *b = ctx;
	uint32_t id;

	i %= b->cnt;
	check(leat_intern_put(b->in, b->strings[i], b->lens[i], &id));
	return id;
}

static uint64_t put_new_string(void *ctx, size_t i)
{
	struct bed *b = ctx;

	if (i % b->cnt == 0)
		renew(b);
	return put_string(b, i);
}

static uint64_t put_stack(void *ctx, size_t i)
{
	struct bed *b = ctx;
	uint32_t id;

	i %= b->cnt;
	check(leat_intern_put(b->in, b->stacks + i * b->depth, b->depth * 8, &id));
	return id;
}

static uint64_t put_new_stack(void *ctx, size_t i)
{
	struct bed *b = ctx;

	if (i % b->cnt == 0)
		renew(b);
	return put_stack(b, i);
}

static void strings(unsigned int rounds)
{
	struct bed few = { .in = NULL }, many = { .in = NULL };

	make_strings(&few, STRINGS, 21);
	for (size_t i = 0; i < STRINGS; i++)
		put_string(&few, i);
	case_run("intern string, hit", rounds, CASE_CALLS, put_string, &few);
	case_run("intern string, new", rounds, 976 * STRINGS, put_new_string, &few);
	fini(&few);
	make_strings(&many, MILLION, 22);
	case_run("intern 1 million strings, each", rounds, MILLION, put_new_string, &many);
	fini(&many);
}

static void stacks(unsigned int rounds)
{
	struct bed five = { .in = NULL }, deep = { .in = NULL }, many = { .in = NULL };

	make_stacks(&five, CASE_RECORDS, 5, 23);
	make_stacks(&deep, CASE_RECORDS, DEEP, 24);
	case_run("intern 5-frame stack, hit", rounds, CASE_CALLS, put_stack, &five);
	case_run("intern 32-frame stack, hit", rounds, CASE_CALLS, put_stack, &deep);
	make_stacks(&many, STACKS, DEEP, 25);
	case_run("intern 100,000 32-frame stacks, each", rounds, STACKS, put_new_stack, &many);
	fini(&five);
	fini(&deep);
	fini(&many);
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 9;

	rounds = rounds ? rounds : 1;
	strings(rounds);
	stacks(rounds);
	return 0;
}
