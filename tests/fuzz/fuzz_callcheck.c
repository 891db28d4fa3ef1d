/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A binary of which frames were sampled: its return addresses are checked, its roots are found, and
 * every frame gets a function, whatever the file holds. The same file serves as its debug file.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/file.h"
#include "symbols/symbols.h"

enum { FRAMES = 64 };

struct input {
	const uint8_t *data;
	size_t size;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int open_file(void *ctx, const struct leat_profile *p, const struct leat_object *o,
		     enum leat_file_what what, const char *arg, unsigned int n)
{
	const struct input *in = ctx;
	int fd;

	(void)p;
	(void)o;
	(void)arg;
	if (what == LEAT_FILE_KALLSYMS || n > 0)
		return -ENOENT;
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (leat_file_write_all(fd, in->data, in->size)) {
		close(fd);
		return -EIO;
	}
	return fd;
}

/* Names that make the search for roots look into the file. */
static const char *const paths[] = { "/lib/libc.so.6", "/bin/static", "[vdso]" };

static int fill(struct leat_profile *p, const struct input *in)
{
	int err = 0;

	for (size_t k = 0; k < LEAT_ARRAY_SIZE(paths) && !err; k++) {
		struct leat_object o = { .kind = k == 2 ? LEAT_OBJECT_VDSO : LEAT_OBJECT_FILE };
		uint32_t id, frame;

		err = leat_profile_string(p, paths[k], strlen(paths[k]), &o.path);
		if (!err)
			err = leat_profile_object(p, &o, &id);
		for (size_t i = 0; i < FRAMES && !err; i++)
			err = leat_profile_frame(p, id, i * (in->size / FRAMES + 1),
						 i & 1 ? LEAT_FRAME_RETURN : 0, &frame);
	}
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct leat_file_provider prov = { .ctx = &in, .open = open_file };
	struct leat_symbols_opts opts = { .threads = 1 };
	struct leat_profile *p = NULL;
	int err;

	if (leat_profile_new(&p))
		return 0;
	err = fill(p, &in);
	if (!err)
		err = leat_symbols_check_calls(p, &prov);
	if (!err)
		err = leat_symbols_resolve(p, &prov, &opts);
	assert(err == 0 || err == -ENOMEM || err == -EOVERFLOW);
	for (size_t i = 0; i < p->frame_cnt && !err; i++)
		assert(p->frames[i].function < p->function_cnt);
	leat_profile_free(&p);
	return 0;
}
