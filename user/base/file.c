/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/array.h"

#define FIRST_BYTES 4096

/* Bytes read at most (0: end), or -errno. */
static ssize_t read_some(int fd, char *p, size_t n)
{
	ssize_t got;

	do {
		got = read(fd, p, n);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

/* A regular file's size is a good first guess, and no more than that. */
static size_t first_guess(int fd, size_t max)
{
	struct stat st;
	size_t guess = FIRST_BYTES;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > FIRST_BYTES)
		guess = (size_t)st.st_size + 2; /* one to see the end by, one for the NUL */
	return guess < max ? guess : max;
}

int leat_file_read_fd(int fd, size_t max, char **out, size_t *len)
{
	LEAT_FREE char *data = NULL;
	size_t cap = 0, n = 0, bound;
	ssize_t got;
	int err;

	/* One byte over the maximum, to see that the file is larger, and the NUL. */
	if (__builtin_add_overflow(max, 2, &bound))
		return -EOVERFLOW;
	err = leat_array_reserve((void **)&data, &cap, first_guess(fd, bound), 1, bound);
	if (err)
		return err;
	for (;;) {
		err = LEAT_ARRAY_ROOM(data, cap, n + 2, bound);
		if (err)
			return err;
		got = read_some(fd, data + n, cap - n - 1);
		if (got < 0)
			return (int)got;
		if (got == 0)
			break;
		n += (size_t)got;
		if (n > max)
			return -EOVERFLOW;
	}
	data[n] = '\0';
	*out = LEAT_TAKE(data);
	if (len)
		*len = n;
	return 0;
}

int leat_file_read_at(int dirfd, const char *path, size_t max, char **out, size_t *len)
{
	LEAT_CLOSE int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	return leat_file_read_fd(fd, max, out, len);
}

int leat_file_pread_all(int fd, void *p, size_t n, uint64_t off)
{
	uint64_t end;
	ssize_t got;
	char *at = p;

	if (__builtin_add_overflow(off, n, &end) || end > INT64_MAX)
		return -ENODATA;
	while (n) {
		got = pread(fd, at, n, (off_t)off);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -ENODATA;
		at += got;
		off += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

int leat_file_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;
	ssize_t put;

	while (n) {
		put = write(fd, at, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		if (put == 0)
			return -EIO; /* would loop for ever */
		at += put;
		n -= (size_t)put;
	}
	return 0;
}
