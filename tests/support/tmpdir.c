/* SPDX-License-Identifier: BSD-2-Clause */
#include "tmpdir.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

void leat_tmpdir_init(struct leat_tmpdir *d)
{
	const char *base = getenv("TMPDIR");
	int len = snprintf(d->path, sizeof(d->path), "%s/leat-test-XXXXXX", base ? base : "/tmp");

	if (len < 0 || (size_t)len >= sizeof(d->path) || !mkdtemp(d->path))
		die("temporary directory");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void leat_tmpdir_fini(struct leat_tmpdir *d)
{
	if (d->path[0])
		nftw(d->path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	d->path[0] = '\0';
}

const char *leat_tmpdir_path(const struct leat_tmpdir *d, const char *name)
{
	static char ring[4][PATH_MAX];
	static unsigned int at;
	char *path = ring[at++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", d->path, name);
	return path;
}

const char *leat_tmpdir_write(const struct leat_tmpdir *d, const char *name, const void *data,
			      size_t size_bytes)
{
	const char *path = leat_tmpdir_path(d, name);
	FILE *f = fopen(path, "we");

	if (!f || fwrite(data, 1, size_bytes, f) != size_bytes || fclose(f) != 0)
		die(path);
	return path;
}
