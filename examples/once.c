/* SPDX-License-Identifier: BSD-2-Clause */
/* A table that is made at first use; and a failure, which is not tried again. */
#include <leat/once.h>

#include <errno.h>

#include "example.h"

static int made;

static int make_squares(void *ctx)
{
	unsigned int *squares = ctx;

	made++;
	for (unsigned int i = 0; i < 16; i++)
		squares[i] = i * i;
	return 0;
}

static int fail(void *ctx)
{
	++*(int *)ctx;
	return -ENOENT;
}

int main(void)
{
	static struct leat_once table = LEAT_ONCE_INIT, missing = LEAT_ONCE_INIT;
	static unsigned int squares[16];
	int tried = 0;

	for (int i = 0; i < 3; i++) {
		CHECK(leat_once(&table, make_squares, squares) == 0);
		CHECK(leat_once(&missing, fail, &tried) == -ENOENT);
	}
	CHECK(made == 1 && tried == 1);
	printf("9 * 9 = %u, made once\n", squares[9]);
	return 0;
}
