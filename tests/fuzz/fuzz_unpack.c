/* SPDX-License-Identifier: BSD-2-Clause */
/* gzip, zstd or neither, read by single bytes and by large pieces: the same bytes, the same end. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "import/unpack.h"

#define MAX_OUT ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	uint8_t *p;
	size_t n;
	int err;
	bool cut;
};

static void read_all(int fd, size_t piece, struct result *r)
{
	struct leat_unpack u;
	ssize_t got;

	*r = (struct result){ .p = malloc(MAX_OUT) };
	assert(r->p && lseek(fd, 0, SEEK_SET) == 0);
	r->err = leat_unpack_init(&u, fd);
	if (r->err)
		return;
	while (r->n < MAX_OUT) {
		size_t left = MAX_OUT - r->n;

		got = leat_unpack_read(&u, r->p + r->n, piece < left ? piece : left);
		if (got <= 0)
			break;
		r->n += (size_t)got;
	}
	r->err = u.err;
	r->cut = u.cut;
	leat_unpack_fini(&u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("unpack", MFD_CLOEXEC);
	struct result a, b;

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	read_all(fd, 1, &a);
	read_all(fd, 65536, &b);
	/* What was read before damage was met depends on the pieces. */
	if (!a.err && !b.err) {
		assert(a.n == b.n && !memcmp(a.p, b.p, a.n));
		assert(a.n == MAX_OUT || a.cut == b.cut);
	}
	free(a.p);
	free(b.p);
	close(fd);
	return 0;
}
