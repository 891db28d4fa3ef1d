/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbols/job.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

int leat_opener_open(struct leat_opener *f, const struct leat_object *o, enum leat_file_what what,
		     const char *arg, unsigned int n)
{
	int fd;

	pthread_mutex_lock(&f->lock);
	fd = f->provider->open(f->provider->ctx, f->profile, o, what, arg, n);
	pthread_mutex_unlock(&f->lock);
	return fd;
}

int leat_opener_open_ksyms(struct leat_opener *f, const struct leat_object *o,
			   const struct leat_spots *spots)
{
	const struct leat_file_provider *p = f->provider;
	int fd = -ENOTSUP;

	pthread_mutex_lock(&f->lock);
	if (p->open_ksyms)
		fd = p->open_ksyms(p->ctx, spots->addr, spots->n);
	pthread_mutex_unlock(&f->lock);
	return fd >= 0 ? fd : leat_opener_open(f, o, LEAT_FILE_KALLSYMS, NULL, 0);
}

enum leat_unnamed leat_unnamed_of_errno(int err)
{
	switch (err) {
	case -EACCES:
	case -EPERM:
		return LEAT_UNNAMED_PERMISSION;
	case -ENOENT:
	case -ESTALE:
	case -ENOTDIR:
	case -ESRCH:
		return LEAT_UNNAMED_FILE_GONE;
	default:
		return LEAT_UNNAMED_BAD_FILE;
	}
}

int leat_job_make_spots(struct leat_job *j)
{
	struct leat_group *g = &j->group;
	uint64_t *addr;
	size_t n = 0;
	int err;

	leat_items_sort(g->items, g->n);
	addr = malloc(g->n * sizeof(*addr));
	if (!addr)
		return -ENOMEM;
	for (size_t i = 0; i < g->n; i++) {
		struct leat_item *it = &g->items[i];

		it->spot = LEAT_ID_NONE;
		if (it->at == UINT64_MAX)
			continue;
		if (!n || addr[n - 1] != it->at)
			addr[n++] = it->at;
		it->spot = (uint32_t)(n - 1);
	}
	if (!n) {
		free(addr);
		return 0;
	}
	err = leat_spots_init(&j->spots, addr, n);
	if (err)
		return err;
	j->found_at = malloc(n * sizeof(*j->found_at));
	j->done = calloc(n, 1);
	if (!j->found_at || !j->done)
		return -ENOMEM;
	memset(j->found_at, 0xff, n * sizeof(*j->found_at));
	return 0;
}

bool leat_job_is_open(const struct leat_job *j)
{
	return j->spots.n && memchr(j->done, 0, j->spots.n);
}

int leat_job_add(struct leat_job *j, const struct leat_found *f, uint32_t *id)
{
	int err =
		LEAT_ARRAY_ROOM(j->found, j->found_cap, j->found_cnt + 1, LEAT_PROFILE_MAX_FRAMES);

	if (err)
		return err;
	if (j->text.err)
		return j->text.err;
	*id = (uint32_t)j->found_cnt;
	j->found[j->found_cnt++] = *f;
	return 0;
}

void leat_job_set(struct leat_job *j, size_t spot, uint32_t id)
{
	j->found_at[spot] = id;
	j->done[spot] = 1;
}

const char *leat_object_base(const struct leat_profile *p, const struct leat_object *o, size_t *len)
{
	static const char deleted[] = " (deleted)";
	const char *path = leat_profile_str(p, o->path);
	size_t n = strlen(path), cut = sizeof(deleted) - 1;
	const char *slash;

	if (n > cut && strcmp(path + n - cut, deleted) == 0)
		n -= cut;
	slash = memrchr(path, '/', n);
	if (slash && slash + 1 < path + n) {
		n -= (size_t)(slash + 1 - path);
		path = slash + 1;
	}
	*len = n;
	return path;
}

void leat_job_fini(struct leat_job *j)
{
	leat_spots_fini(&j->spots);
	free(j->found_at);
	free(j->done);
	free(j->found);
	leat_buf_fini(&j->text);
	j->found_at = NULL;
	j->done = NULL;
	j->found = NULL;
	j->found_cnt = j->found_cap = 0;
}
