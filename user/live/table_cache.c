/* SPDX-License-Identifier: BSD-2-Clause */
#include "live/table_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "live/procfs.h"

#define SUFFIX	   ".unwind"
#define TEMP	   ".new-"
#define NAME_BYTES (2 * LEAT_STORE_BUILD_ID + 48)
/* What a leat that died has left behind. */
#define TEMP_AGE_S 3600
/* Files that one save makes go. */
#define EVICT_MAX 256

struct leat_table_cache {
	int dir;
	uint64_t max_bytes;
	uint64_t bytes; /* of all files, as far as is known */
	bool counted;
};

/* Nobody but leat's own user and root may have written what is read here. */
static int check_owner(const struct stat *st)
{
	if (st->st_uid != geteuid() && st->st_uid)
		return -EPERM;
	return st->st_mode & (S_IWGRP | S_IWOTH) ? -EACCES : 0;
}

int leat_table_cache_open(struct leat_table_cache **out, const char *dir, uint64_t max_bytes)
{
	LEAT_CLOSE int fd = -1;
	struct leat_table_cache *c;
	struct stat st;
	int err;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return -errno;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	err = check_owner(&st);
	if (err)
		return err;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->dir = LEAT_TAKE_FD(fd);
	c->max_bytes = max_bytes ? max_bytes : LEAT_CACHE_BYTES;
	*out = c;
	return 0;
}

void leat_table_cache_close(struct leat_table_cache **c)
{
	if (!*c)
		return;
	close((*c)->dir);
	free(*c);
	*c = NULL;
}

/* "0123abcd.unwind" */
static void name_of(const struct leat_store_key *key, char out[NAME_BYTES])
{
	for (size_t i = 0; i < key->build_id_len; i++)
		snprintf(out + 2 * i, 3, "%02x", key->build_id[i]);
	memcpy(out + 2 * (size_t)key->build_id_len, SUFFIX, sizeof(SUFFIX));
}

static int load_fd(int fd, const struct leat_store_key *key, struct leat_unwind_rules *rules,
		   struct leat_unwind_table **out)
{
	LEAT_FREE uint8_t *data = NULL;
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return -errno;
	err = S_ISREG(st.st_mode) ? check_owner(&st) : -EBADMSG;
	if (err)
		return err;
	if ((uint64_t)st.st_size < sizeof(struct leat_store_head) ||
	    (uint64_t)st.st_size > LEAT_STORE_BYTES_MAX)
		return -EBADMSG;
	data = malloc((size_t)st.st_size);
	if (!data)
		return -ENOMEM;
	/* Not mapped: a file that shrinks would be a SIGBUS. */
	err = leat_file_pread_all(fd, data, (size_t)st.st_size, 0);
	if (err)
		return err == -ENODATA ? -EBADMSG : err;
	return leat_store_decode(out, data, (size_t)st.st_size, key, rules);
}

int leat_table_cache_load(struct leat_table_cache *c, const struct leat_store_key *key,
			  struct leat_unwind_rules *rules, struct leat_unwind_table **out)
{
	char name[NAME_BYTES];
	LEAT_CLOSE int fd = -1;
	int err;

	name_of(key, name);
	fd = openat(c->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno == ELOOP ? -EBADMSG : -errno;
	err = load_fd(fd, key, rules, out);
	/* Used: it goes last. A directory that cannot be written to keeps its times. */
	if (!err)
		(void)!futimens(fd, NULL);
	return err;
}

/* ---- its size ---- */

static bool ends_with(const char *s, const char *end)
{
	const size_t n = strlen(s), m = strlen(end);

	return n > m && !strcmp(s + n - m, end);
}

struct oldest {
	char name[NAME_BYTES];
	struct timespec used;
};

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* Looks at all files; those that were left behind half-written go. */
static int scan(struct leat_table_cache *c, struct oldest *o)
{
	int fd = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return -errno;
	}
	c->bytes = 0;
	o->name[0] = '\0';
	while ((e = readdir(d))) {
		const bool temp = !strncmp(e->d_name, TEMP, sizeof(TEMP) - 1);
		struct stat st;

		if ((!temp && !ends_with(e->d_name, SUFFIX)) || strlen(e->d_name) >= NAME_BYTES ||
		    fstatat(c->dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
			continue;
		if (temp && st.st_mtim.tv_sec + TEMP_AGE_S < time(NULL)) {
			unlinkat(c->dir, e->d_name, 0);
			continue;
		}
		c->bytes += (uint64_t)st.st_size;
		if (temp || (o->name[0] && !is_before(&st.st_mtim, &o->used)))
			continue;
		memcpy(o->name, e->d_name, strlen(e->d_name) + 1);
		o->used = st.st_mtim;
	}
	closedir(d);
	c->counted = true;
	return 0;
}

/* Other leats write there too: what is counted here is looked at again before anything goes. */
static int make_room(struct leat_table_cache *c, uint64_t more)
{
	struct oldest o = { .used = { 0 } };
	int err = 0;

	if (more > c->max_bytes)
		return -ENOSPC;
	if (c->counted && c->bytes + more <= c->max_bytes)
		return 0;
	for (int i = 0; i < EVICT_MAX; i++) {
		err = scan(c, &o);
		if (err || c->bytes + more <= c->max_bytes)
			return err;
		if (!o.name[0] || (unlinkat(c->dir, o.name, 0) && errno != ENOENT))
			break;
	}
	return -ENOSPC;
}

static int write_new(struct leat_table_cache *c, const char *temp, const uint8_t *data, size_t len)
{
	LEAT_CLOSE int fd =
		openat(c->dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? -errno : leat_file_write_all(fd, data, len);
}

int leat_table_cache_save(struct leat_table_cache *c, const struct leat_store_key *key,
			  const struct leat_unwind_table *t, const struct leat_unwind_rules *rules)
{
	char name[NAME_BYTES], temp[NAME_BYTES];
	LEAT_FREE uint8_t *data = NULL;
	size_t len;
	int err = leat_store_encode(t, rules, key, &data, &len);

	if (!err)
		err = make_room(c, len);
	if (err)
		return err;
	name_of(key, name);
	snprintf(temp, sizeof(temp), TEMP "%d-%llx", getpid(), (unsigned long long)leat_clock_ns());
	err = write_new(c, temp, data, len);
	if (!err && renameat(c->dir, temp, c->dir, name))
		err = -errno;
	if (err)
		unlinkat(c->dir, temp, 0);
	else
		c->bytes += len;
	return err;
}
