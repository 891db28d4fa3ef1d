/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast tables are built, and how large they are:
 *
 *	bench_unwind ROUNDS FILE...
 *
 * For each file the best of ROUNDS: milliseconds, rows, millions of rows a second, bytes a row. The
 * file is in the page cache, and reading it is part of the time. Then the host's step: nanoseconds a
 * frame, over synthetic stacks of 32 frames through the largest of the files; and that one's table
 * from the bytes of a file (unwind/store.h), the best of 20.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unwind/store.h"
#include "unwind/table.h"
#include "unwind/unwind.h"

#define FRAMES 32
#define SPOTS  4096
#define STACK  (FRAMES * 8)
#define WALKS  20000

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int build(const char *path, struct leat_unwind_rules *rules, struct leat_unwind_table **out,
		 uint64_t *ns)
{
	LEAT_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	uint64_t start = now_ns();
	int err;

	if (fd < 0)
		return -errno;
	err = leat_elf_open(&e, fd);
	if (!err)
		err = leat_unwind_table_build(out, e, NULL, rules);
	*ns = now_ns() - start;
	return err;
}

static int bench_build(const char *path, unsigned int rounds, struct leat_unwind_rules *rules,
		       struct leat_unwind_table **keep)
{
	const char *name = strrchr(path, '/');
	uint64_t best = UINT64_MAX, ns = 0;
	double rows;

	for (unsigned int i = 0; i < rounds; i++) {
		int err;

		leat_unwind_table_free(keep);
		err = build(path, rules, keep, &ns);
		if (err) {
			fprintf(stderr, "%s: %s\n", path, strerror(-err));
			return 1;
		}
		best = ns < best ? ns : best;
	}
	rows = (*keep)->row_cnt;
	printf("| %s | %u | %u | %.1f | %.1f | %.3f | %u |\n", name ? name + 1 : path,
	       (unsigned int)(*keep)->func_cnt, (*keep)->row_cnt, (double)best / 1e6,
	       rows * 1e3 / (double)best, (double)leat_unwind_table_bytes(*keep) / rows,
	       leat_unwind_rules_cnt(rules));
	return 0;
}

/* Addresses whose rule is "CFA = sp + 8": a stack of nothing but return addresses. */
static size_t find_spots(const struct leat_unwind_table *t, const struct leat_unwind_rules *rules,
			 uint64_t *spots)
{
	uint64_t state = 12345, base = (uint64_t)t->first_page << LEAT_UNWIND_PAGE_BITS;
	size_t n = 0;

	for (size_t tries = 0; n < SPOTS && tries < (1u << 24); tries++) {
		uint64_t at;
		const struct leat_unwind_rule *r;

		state = state * 6364136223846793005u + 1442695040888963407u;
		at = base + (state >> 16) % ((uint64_t)t->page_cnt << LEAT_UNWIND_PAGE_BITS);
		r = &leat_unwind_rules_all(rules)[leat_unwind_table_rule(t, at)];
		if (r->cfa == LEAT_CFA_SP && leat_unwind_cfa_off(r) == 8 && r->fp == LEAT_FP_SAME)
			spots[n++] = at + 1;
	}
	return n;
}

static int bench_step(const struct leat_unwind_table *t, const struct leat_unwind_rules *rules)
{
	static uint64_t spots[SPOTS], words[FRAMES + 1];
	const struct leat_unwind_map map = { .start = 0, .end = UINT64_MAX, .table = t };
	const struct leat_unwind_space space = { .maps = &map, .map_cnt = 1, .rules = rules };
	const struct leat_unwind_piece piece = { .data = (const uint8_t *)words,
						 .addr = 0x7fff0000,
						 .len = STACK };
	struct leat_unwind_sample sample = { .regs = { .r = { [7] = 0x7fff0000 } },
					     .pieces = &piece,
					     .piece_cnt = 1 };
	struct leat_unwind_frame frames[FRAMES + 1];
	size_t n = find_spots(t, rules, spots), got = 0, cnt;
	uint64_t start, ns = 0;

	if (n < SPOTS)
		return 1;
	for (size_t i = 0; i < WALKS; i++) {
		for (size_t k = 0; k < FRAMES; k++)
			words[k] = spots[(i * 31 + k * 97) % SPOTS];
		sample.regs.r[16] = spots[i % SPOTS] - 1;
		start = now_ns();
		(void)leat_unwind_stack(&space, &sample, frames, FRAMES + 1, &cnt);
		ns += now_ns() - start;
		got += cnt;
	}
	printf("\nStep on the host: %.1f ns a frame (%u stacks of %u frames, %u addresses)\n",
	       (double)ns / (double)got, WALKS, FRAMES, SPOTS);
	return got == (size_t)WALKS * (FRAMES + 1) ? 0 : 1;
}

static int bench_load(const struct leat_unwind_table *t, struct leat_unwind_rules *rules)
{
	const struct leat_store_key key = { { 1 }, 1, 1 };
	LEAT_FREE uint8_t *data = NULL;
	uint64_t start = now_ns(), best = UINT64_MAX, put;
	size_t len;

	if (leat_store_encode(t, rules, &key, &data, &len))
		return 1;
	put = now_ns() - start;
	for (int i = 0; i < 20; i++) {
		struct leat_unwind_table *got = NULL;
		uint64_t ns;

		start = now_ns();
		if (leat_store_decode(&got, data, len, &key, rules))
			return 1;
		ns = now_ns() - start;
		leat_unwind_table_free(&got);
		best = ns < best ? ns : best;
	}
	printf("From the bytes of a file: %u rows in %.1f ms, %.1f million a second; to bytes %.1f ms\n",
	       t->row_cnt, (double)best / 1e6, t->row_cnt * 1e3 / (double)best, (double)put / 1e6);
	return 0;
}

int main(int argc, char **argv)
{
	LEAT_AUTO(leat_unwind_rules_free) struct leat_unwind_rules *rules = NULL;
	LEAT_AUTO(leat_unwind_table_free) struct leat_unwind_table *largest = NULL;
	unsigned int rounds;

	if (argc < 3 || leat_unwind_rules_new(&rules))
		return 2;
	rounds = (unsigned int)strtoul(argv[1], NULL, 10);
	printf("| file | functions | rows | ms | M rows/s | bytes/row | rules so far |\n");
	printf("|---|---|---|---|---|---|---|\n");
	for (int i = 2; i < argc; i++) {
		struct leat_unwind_table *t = NULL, *old = largest;

		if (bench_build(argv[i], rounds ? rounds : 1, rules, &t))
			return 1;
		if (!largest || t->row_cnt > largest->row_cnt) {
			largest = t;
			t = old;
		}
		leat_unwind_table_free(&t);
	}
	return bench_step(largest, rules) || bench_load(largest, rules);
}
