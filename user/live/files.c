/* SPDX-License-Identifier: BSD-2-Clause */
#include "live/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/hash.h"
#include "live/files_impl.h"
#include "live/maps.h"
#include "live/procfs.h"

int leat_files_new(struct leat_files **out)
{
	struct leat_files *f = calloc(1, sizeof(*f));
	struct rlimit lim;

	if (!f)
		return -ENOMEM;
	leat_index_init(&f->by_key);
	pthread_mutex_init(&f->lock, NULL);
	f->fd_max = 256;
	if (!getrlimit(RLIMIT_NOFILE, &lim)) {
		f->old_limit = lim.rlim_cur;
		lim.rlim_cur = lim.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &lim))
			lim.rlim_cur = f->old_limit;
		f->fd_max = lim.rlim_cur / 2 < LEAT_FILES_MAX ? (size_t)lim.rlim_cur / 2
							      : LEAT_FILES_MAX;
	}
	*out = f;
	return 0;
}

void leat_files_free(struct leat_files **fp)
{
	struct leat_files *f = *fp;
	size_t i;

	if (!f)
		return;
	for (i = 0; i < f->n; i++) {
		if (f->items[i].fd >= 0)
			close(f->items[i].fd);
		free(f->items[i].path);
	}
	for (i = 0; i < f->root_cnt; i++) {
		if (f->roots[i].fd >= 0)
			close(f->roots[i].fd);
		if (f->roots[i].map_fd >= 0)
			close(f->roots[i].map_fd);
	}
	free(f->items);
	free(f->keys);
	free(f->roots);
	leat_index_fini(&f->by_key);
	pthread_mutex_destroy(&f->lock);
	free(f);
	*fp = NULL;
}

uint64_t leat_files_old_limit(const struct leat_files *f)
{
	return f->old_limit;
}

void leat_files_stats(const struct leat_files *f, struct leat_files_stats *out)
{
	*out = f->stats;
	out->known = f->n;
	out->held = f->fd_cnt;
}

struct lookup {
	const struct leat_files *f;
	uint64_t ino_gen;
};

static bool key_eq(const void *ctx, uint32_t value, const void *key)
{
	const struct lookup *l = ctx;
	const struct leat_file_key *a = &l->f->keys[value], *b = key;
	uint64_t gen;

	if (a->build_id_len != b->build_id_len)
		return false;
	if (b->build_id_len)
		return memcmp(a->build_id, b->build_id, b->build_id_len) == 0;
	/* /proc does not tell the generation; where both do, a reused inode is another file. */
	gen = l->f->items[a->file].ino_gen;
	return a->dev == b->dev && a->ino == b->ino && (!gen || !l->ino_gen || gen == l->ino_gen);
}

static uint64_t key_hash(const struct leat_file_key *k)
{
	if (k->build_id_len)
		return leat_hash_bytes(k->build_id, k->build_id_len);
	return leat_hash_u64(k->ino ^ leat_hash_u64(k->dev));
}

static struct leat_file_key key_of(const uint8_t *build_id, uint8_t build_id_len, uint64_t dev,
				   uint64_t ino)
{
	struct leat_file_key k = { 0 };

	if (build_id_len && build_id_len <= sizeof(k.build_id)) {
		k.build_id_len = build_id_len;
		memcpy(k.build_id, build_id, build_id_len);
	} else {
		k.dev = dev;
		k.ino = ino;
	}
	return k;
}

uint32_t leat_files_find(const struct leat_files *f, const struct leat_file_want *w)
{
	struct leat_file_key k = key_of(w->build_id, w->build_id_len, w->dev, w->ino);
	struct lookup l = { f, w->ino_gen };
	uint32_t i;

	if (!k.build_id_len && !k.ino)
		return LEAT_INDEX_NONE;
	i = leat_index_find(&f->by_key, key_hash(&k), key_eq, &l, &k);
	return i == LEAT_INDEX_NONE ? i : f->keys[i].file;
}

static struct leat_file_want want_of(const struct leat_rec_mmap *m)
{
	return (struct leat_file_want){
		.tgid = m->h.tgid,
		.start = m->start,
		.end = m->end,
		.path = m->path,
		.dev = m->dev,
		.ino = m->ino,
		.ino_gen = m->ino_gen,
		.build_id = m->build_id,
		.build_id_len = m->build_id_len,
	};
}

static int add_key(struct leat_files *f, uint32_t file, struct leat_file_key k, uint64_t gen)
{
	struct lookup l = { f, gen };
	uint64_t hash;
	int err;

	if (!k.build_id_len && !k.ino)
		return 0;
	hash = key_hash(&k);
	if (leat_index_find(&f->by_key, hash, key_eq, &l, &k) != LEAT_INDEX_NONE)
		return 0;
	if (LEAT_ARRAY_ROOM(f->keys, f->key_cap, f->key_cnt + 1, 2 * LEAT_FILES_MAX))
		return -ENOMEM;
	err = leat_index_add(&f->by_key, hash, (uint32_t)f->key_cnt);
	if (err)
		return err;
	k.file = file;
	f->keys[f->key_cnt++] = k;
	return 0;
}

static void hold(struct leat_files *f, struct leat_file *it, int fd)
{
	if (f->fd_cnt >= f->fd_max) {
		f->stats.over_limit++;
		close(fd);
		return;
	}
	it->fd = fd;
	f->fd_cnt++;
}

/* Opens the file of a mapping and learns its identity. */
static void try_open(struct leat_files *f, struct leat_file *it, const struct leat_rec_mmap *m)
{
	struct leat_file_want w = want_of(m);
	struct leat_build_id id = { 0 };
	struct stat st;
	bool elf = false;
	int fd;

	it->tries++;
	fd = leat_file_open_want(&w, &id, &elf);
	if (fd < 0) {
		f->stats.refused += fd == -EACCES || fd == -EPERM;
		f->stats.stale += fd == -ESTALE;
		f->stats.gone += fd == -ENOENT;
		return;
	}
	it->build_id = id;
	it->elf = elf;
	if (!it->ino && !fstat(fd, &st)) {
		it->dev = st.st_dev;
		it->ino = st.st_ino;
	}
	hold(f, it, fd);
}

static void know_build_id(struct leat_file *it, const struct leat_rec_mmap *m)
{
	if (it->build_id.len || m->build_id_len > sizeof(it->build_id.bytes))
		return;
	it->build_id.len = m->build_id_len;
	memcpy(it->build_id.bytes, m->build_id, m->build_id_len);
}

static int remember_place(struct leat_file *it, const struct leat_rec_mmap *m)
{
	if (!it->path) {
		it->path = strdup(m->path);
		if (!it->path)
			return -ENOMEM;
	}
	it->tgid = m->h.tgid;
	it->start = m->start;
	it->end = m->end;
	return 0;
}

/* @it turned out to be the file @same. */
static void merge(struct leat_files *f, struct leat_file *same, struct leat_file *it)
{
	if (it->fd >= 0 && same->fd < 0) {
		same->fd = it->fd;
		same->elf = it->elf;
	} else if (it->fd >= 0) {
		close(it->fd);
		f->fd_cnt--;
	}
	free(it->path);
}

/* A file that was not known by the identity in @m; it may turn out to be known by another. */
static struct leat_file *add_file(struct leat_files *f, const struct leat_rec_mmap *m)
{
	struct leat_file it = { .fd = -1, .dev = m->dev, .ino = m->ino, .ino_gen = m->ino_gen };
	struct leat_file_want w = want_of(m);
	uint32_t same;

	if (f->n >= LEAT_FILES_MAX || LEAT_ARRAY_ROOM(f->items, f->cap, f->n + 1, LEAT_FILES_MAX) ||
	    remember_place(&it, m))
		return NULL;
	try_open(f, &it, m);
	know_build_id(&it, m);
	w.build_id = it.build_id.bytes;
	w.build_id_len = it.build_id.len;
	w.dev = it.dev;
	w.ino = it.ino;
	same = leat_files_find(f, &w);
	if (same == LEAT_INDEX_NONE) {
		same = (uint32_t)f->n;
		f->items[f->n++] = it;
	} else {
		merge(f, &f->items[same], &it);
	}
	if (add_key(f, same, key_of(m->build_id, m->build_id_len, m->dev, m->ino), m->ino_gen) ||
	    add_key(f, same, key_of(it.build_id.bytes, it.build_id.len, 0, 0), 0) ||
	    add_key(f, same, key_of(NULL, 0, it.dev, it.ino), it.ino_gen))
		return NULL;
	return &f->items[same];
}

static void fill_in(const struct leat_file *it, struct leat_rec_mmap *m)
{
	if (!m->build_id_len && it->build_id.len) {
		m->build_id_len = it->build_id.len;
		memcpy(m->build_id, it->build_id.bytes, it->build_id.len);
	}
	if (!m->ino) {
		m->dev = it->dev;
		m->ino = it->ino;
	}
	/* One spelling for all mappings of it, from /proc or not. */
	m->ino_gen = it->ino_gen;
}

void leat_files_identify(struct leat_files *f, struct leat_rec_mmap *m)
{
	bool memfd = leat_maps_is_memfd(m->path, strlen(m->path));
	struct leat_file_want w = want_of(m);
	struct leat_file *it;
	uint32_t i;

	if (m->mmap_kind != LEAT_MMAP_FILE && !memfd)
		return;
	i = leat_files_find(f, &w);
	if (i == LEAT_INDEX_NONE) {
		it = add_file(f, m);
	} else {
		it = &f->items[i];
		if (it->fd < 0 && it->tries < LEAT_FILES_TRIES && !remember_place(it, m))
			try_open(f, it, m);
	}
	if (!it)
		return;
	fill_in(it, m);
	if (memfd && it->elf)
		m->mmap_kind = LEAT_MMAP_FILE;
}

/* Whether @root is what leat itself sees as its root, in the same mount namespace. */
static bool is_own_root(uint32_t tgid, int root)
{
	struct stat a, b, ns_a, ns_b;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/ns/mnt", tgid);
	return !fstat(root, &a) && !stat("/", &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino &&
	       !stat(path, &ns_a) && !stat("/proc/self/ns/mnt", &ns_b) &&
	       ns_a.st_ino == ns_b.st_ino;
}

static void try_perf_map(struct leat_files *f, struct leat_file_root *r)
{
	if (r->fd < 0 || r->map_fd >= 0 || f->fd_cnt >= f->fd_max)
		return;
	r->map_fd = leat_file_open_perf_map(r->fd, r->ns_tgid, r->uid);
	if (r->map_fd >= 0)
		f->fd_cnt++;
}

void leat_files_keep_root(struct leat_files *f, uint32_t tgid)
{
	struct leat_file_root r = { .tgid = tgid, .fd = -1, .map_fd = -1 };
	struct leat_proc_info info;
	LEAT_CLOSE int root = -1;
	size_t i;

	for (i = f->root_cnt; i-- > 0;) {
		if (f->roots[i].tgid == tgid)
			return;
	}
	root = leat_file_open_proc_root(tgid);
	if (root < 0 || leat_procfs_read(tgid, &info))
		return;
	if (f->root_cnt >= LEAT_FILES_ROOTS_MAX || f->fd_cnt >= f->fd_max ||
	    LEAT_ARRAY_ROOM(f->roots, f->root_cap, f->root_cnt + 1, LEAT_FILES_ROOTS_MAX)) {
		f->stats.over_limit++;
		return;
	}
	r.ns_tgid = info.status.ns_tgid ? info.status.ns_tgid : tgid;
	r.uid = info.status.uid;
	if (!is_own_root(tgid, root)) {
		r.fd = LEAT_TAKE_FD(root);
		f->fd_cnt++;
	}
	try_perf_map(f, &r);
	f->roots[f->root_cnt++] = r;
}

void leat_files_tick(struct leat_files *f)
{
	size_t i;

	for (i = 0; i < f->root_cnt; i++)
		try_perf_map(f, &f->roots[i]);
}
