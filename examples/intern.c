/* SPDX-License-Identifier: BSD-2-Clause */
/* Strings and stacks by dense ids. */
#include <leat/intern.h>

#include <string.h>

#include "example.h"

static int sum_lengths(void *ctx, uint32_t id, const void *p, size_t n)
{
	(void)id;
	(void)p;
	*(size_t *)ctx += n;
	return 0;
}

int main(void)
{
	static const uint64_t stack[] = { 0x401000, 0x401234, 0x7f0000001000 };
	struct leat_intern *strings = NULL, *stacks = NULL;
	uint32_t a, b, again;
	size_t n, sum = 0;

	CHECK(leat_intern_new(&strings, 1000, 1 << 20) == 0);
	CHECK(leat_intern_str(strings, "main", &a) == 0 && a == 0);
	CHECK(leat_intern_str(strings, "do_work", &b) == 0 && b == 1);
	CHECK(leat_intern_put(strings, "main()", 4, &again) == 0 && again == a);
	CHECK(strcmp(leat_intern_at(strings, b, NULL), "do_work") == 0);
	CHECK(leat_intern_each(strings, sum_lengths, &sum) == 0 && sum == 11);

	CHECK(leat_intern_new(&stacks, 1000, 1 << 20) == 0);
	CHECK(leat_intern_stack(stacks, stack, 3, &a) == 0);
	CHECK(leat_intern_stack(stacks, stack, 3, &again) == 0 && again == a);
	CHECK(leat_intern_stack_at(stacks, a, &n)[2] == stack[2] && n == 3);
	printf("%u strings, %u stack\n", leat_intern_count(strings), leat_intern_count(stacks));
	leat_intern_free(&strings);
	leat_intern_free(&stacks);
	return 0;
}
