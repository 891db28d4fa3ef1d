/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../support/alloc.h"
#include "../support/tmpdir.h"

static int open_with(const struct leat_tmpdir *d, size_t n)
{
	LEAT_FREE char *data = malloc(n + 1);

	memset(data, 'x', n);
	return open(leat_tmpdir_write(d, "f", data, n), O_RDONLY | O_CLOEXEC);
}

Test(file, reads_all_sizes_up_to_the_maximum)
{
	static const size_t sizes[] = { 0, 1, 4093, 4094, 4095, 4096, 4097, 8192, 100000 };
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;

	leat_tmpdir_init(&d);
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(sizes); i++) {
		LEAT_CLOSE int fd = open_with(&d, sizes[i]);
		LEAT_FREE char *data = NULL;
		size_t n = 0;

		cr_assert(eq(int, leat_file_read_fd(fd, sizes[i], &data, &n), 0));
		cr_assert(eq(sz, n, sizes[i]));
		cr_assert(eq(sz, strlen(data), n));
	}
}

Test(file, larger_than_maximum_overflows)
{
	static const size_t sizes[] = { 1, 4096, 4097, 100000 };
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;

	leat_tmpdir_init(&d);
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(sizes); i++) {
		LEAT_CLOSE int fd = open_with(&d, sizes[i]);
		char *data = NULL;
		size_t n = 7;

		cr_assert(eq(int, leat_file_read_fd(fd, sizes[i] - 1, &data, &n), -EOVERFLOW));
		cr_assert(eq(ptr, data, NULL));
		cr_assert(eq(sz, n, 7));
	}
	cr_assert(eq(int, leat_file_read_fd(0, SIZE_MAX, &(char *){ NULL }, NULL), -EOVERFLOW));
}

Test(file, reads_proc_whose_size_is_unknown)
{
	LEAT_FREE char *data = NULL;
	size_t n = 0;

	cr_assert(eq(int, leat_file_read_at(AT_FDCWD, "/proc/self/maps", 1 << 22, &data, &n), 0));
	cr_assert(gt(sz, n, 100));
	cr_assert(eq(sz, strlen(data), n));
}

Test(file, errors_are_told)
{
	char *data = NULL;

	cr_assert(eq(int, leat_file_read_at(AT_FDCWD, "/nowhere/x", 10, &data, NULL), -ENOENT));
	cr_assert(eq(int, leat_file_read_at(AT_FDCWD, "/", 10, &data, NULL), -EISDIR));
	cr_assert(eq(int, leat_file_read_fd(-1, 10, &data, NULL), -EBADF));
	cr_assert(eq(int, leat_file_write_all(-1, "x", 1), -EBADF));
	cr_assert(eq(int, leat_file_pread_all(-1, &data, 1, 0), -EBADF));
}

Test(file, fifo_does_not_block)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	LEAT_FREE char *data = NULL;
	size_t n = 1;

	leat_tmpdir_init(&d);
	cr_assert(eq(int, mkfifo(leat_tmpdir_path(&d, "fifo"), 0600), 0));
	cr_assert(eq(int, leat_file_read_at(AT_FDCWD, leat_tmpdir_path(&d, "fifo"), 10, &data, &n),
		     0));
	cr_assert(eq(sz, n, 0));
}

Test(file, pread_reads_all_or_says_that_it_ended)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	LEAT_CLOSE int fd = -1;
	char to[4];

	leat_tmpdir_init(&d);
	fd = open(leat_tmpdir_write(&d, "f", "0123456789", 10), O_RDONLY | O_CLOEXEC);
	cr_assert(eq(int, leat_file_pread_all(fd, to, 4, 6), 0));
	cr_assert(memcmp(to, "6789", 4) == 0);
	cr_assert(eq(int, leat_file_pread_all(fd, to, 4, 7), -ENODATA));
	cr_assert(eq(int, leat_file_pread_all(fd, to, 4, UINT64_MAX - 1), -ENODATA));
	cr_assert(eq(int, leat_file_pread_all(fd, to, 4, INT64_MAX), -ENODATA));
	cr_assert(eq(int, leat_file_pread_all(fd, to, 0, 0), 0));
}

Test(file, write_all_writes_through_a_pipe)
{
	static char data[30000];
	LEAT_FREE char *back = NULL;
	size_t n = 0;
	int fds[2];

	memset(data, 'y', sizeof(data));
	cr_assert(eq(int, pipe2(fds, O_CLOEXEC), 0));
	cr_assert(eq(int, leat_file_write_all(fds[1], data, sizeof(data)), 0));
	close(fds[1]);
	cr_assert(eq(int, leat_file_read_fd(fds[0], sizeof(data), &back, &n), 0));
	close(fds[0]);
	cr_assert(eq(sz, n, sizeof(data)));
	cr_assert(memcmp(back, data, n) == 0);
}

Test(file, every_allocation_failure_is_reported)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;

	leat_tmpdir_init(&d);
	LEAT_ALLOC_EACH_FAILS {
		char *data = NULL;
		int err = leat_file_read_at(AT_FDCWD, "/proc/self/maps", 1 << 22, &data, NULL);

		leat_alloc_disarm();
		cr_assert(eq(int, err, leat_alloc_failed() ? -ENOMEM : 0));
		free(data);
	}
}
