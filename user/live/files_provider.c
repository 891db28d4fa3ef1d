/* SPDX-License-Identifier: BSD-2-Clause */
/* What symbols asks for: binaries that are held, debug files, perf maps, kallsyms, the vDSO. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "live/files_impl.h"
#include "live/maps.h"
#include "live/procfs.h"

#define DEBUG_ROOT "/usr/lib/debug"

static int dup_fd(int fd)
{
	int got = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return got < 0 ? -errno : got;
}

static const struct leat_process *process_of(const struct leat_profile *p,
					     const struct leat_object *o)
{
	return o->process < p->process_cnt ? &p->processes[o->process] : NULL;
}

static int open_known(struct leat_files *f, struct leat_file_want w)
{
	struct leat_build_id id;
	bool elf;
	uint32_t i = leat_files_find(f, &w);
	int fd;

	if (i != LEAT_INDEX_NONE && f->items[i].fd >= 0)
		return dup_fd(f->items[i].fd);
	fd = leat_file_open_want(&w, &id, &elf);
	if (fd != -ENOENT || i == LEAT_INDEX_NONE)
		return fd;
	/* The process has gone: perhaps another one that has the file mapped is there. */
	w.tgid = f->items[i].tgid;
	w.start = f->items[i].start;
	w.end = f->items[i].end;
	w.path = f->items[i].path;
	return leat_file_open_want(&w, &id, &elf);
}

int leat_files_open(struct leat_files *f, const struct leat_file_want *w)
{
	int fd;

	pthread_mutex_lock(&f->lock);
	fd = open_known(f, *w);
	pthread_mutex_unlock(&f->lock);
	return fd;
}

static int open_binary(struct leat_files *f, const struct leat_profile *p,
		       const struct leat_object *o)
{
	const struct leat_process *proc = process_of(p, o);
	const struct leat_file_want w = {
		.tgid = proc ? proc->tgid : 0,
		.start = o->map_start,
		.end = o->map_end,
		.path = leat_profile_str(p, o->path),
		.dev = o->dev,
		.ino = o->ino,
		.ino_gen = o->ino_gen,
		.build_id = o->build_id,
		.build_id_len = o->build_id_len,
	};

	return open_known(f, w);
}

static const struct leat_file_root *root_of(const struct leat_files *f, uint32_t tgid)
{
	size_t i;

	for (i = f->root_cnt; i-- > 0;) {
		if (f->roots[i].tgid == tgid)
			return &f->roots[i];
	}
	return NULL;
}

/* The root directory of @o's process: held, or the living process's. The caller's to close. */
static int root_fd(const struct leat_files *f, const struct leat_profile *p,
		   const struct leat_object *o)
{
	const struct leat_process *proc = process_of(p, o);
	const struct leat_file_root *r = proc ? root_of(f, proc->tgid) : NULL;
	int fd;

	if (r && r->fd >= 0)
		return dup_fd(r->fd);
	if (!r && proc) {
		fd = leat_file_open_proc_root(proc->tgid);
		if (fd >= 0)
			return fd;
	}
	fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool is_plain(const char *arg)
{
	return arg && arg[0] && !strstr(arg, "..");
}

/* What is asked for; @n-th place to look. */
struct request {
	struct leat_files *files;
	const struct leat_profile *p;
	const struct leat_object *o;
	const char *arg;
	unsigned int n;
};

/* In the process's root if wanted, then in leat's own. */
static int open_debug(const struct request *q, const char *path, bool in_target)
{
	LEAT_CLOSE int root = in_target ? root_fd(q->files, q->p, q->o) : -1;
	int fd = -ENOENT;

	if (root >= 0)
		fd = leat_file_open_in_root(root, path, true);
	return fd >= 0 ? fd : leat_file_open_in_root(-1, path, true);
}

static int open_build_id(const struct request *q)
{
	char path[LEAT_PATH_MAX];

	if (!is_plain(q->arg))
		return -EINVAL;
	snprintf(path, sizeof(path), DEBUG_ROOT "/%s", q->arg);
	return q->n < 2 ? open_debug(q, path, q->n == 0) : -ENOENT;
}

/* Places as gdb has them: beside the binary, .debug/ there, the same directory in the debug root. */
static int open_debuglink(const struct request *q)
{
	const char *bin = leat_profile_str(q->p, q->o->path);
	const char *slash = strrchr(bin, '/');
	int dir = slash ? (int)(slash - bin) : 0;
	char path[2 * LEAT_PATH_MAX];

	if (!is_plain(q->arg) || strchr(q->arg, '/') || !slash)
		return -EINVAL;
	if (q->n == 0)
		snprintf(path, sizeof(path), "%.*s/%s", dir, bin, q->arg);
	else if (q->n == 1)
		snprintf(path, sizeof(path), "%.*s/.debug/%s", dir, bin, q->arg);
	else if (q->n == 2)
		snprintf(path, sizeof(path), DEBUG_ROOT "%.*s/%s", dir, bin, q->arg);
	else
		return -ENOENT;
	return open_debug(q, path, true);
}

static bool has_root(uint32_t tgid)
{
	LEAT_CLOSE int fd = leat_file_open_proc_root(tgid);

	return fd >= 0;
}

int leat_file_open_perf_map(int root, uint32_t ns_tgid, uint32_t uid)
{
	LEAT_CLOSE int fd = -1;
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/perf-%u.map", ns_tgid);
	fd = leat_file_open_in_root(root, path, false);
	if (fd < 0)
		return fd == -ELOOP || fd == -EINVAL ? -EPERM : fd;
	if (fstat(fd, &st))
		return -errno;
	/* Anyone may write to /tmp: only what the process itself, or root, wrote is believed. */
	return st.st_uid == uid || st.st_uid == 0 ? LEAT_TAKE_FD(fd) : -EPERM;
}

static int open_perf_map(struct leat_files *f, const struct leat_profile *p,
			 const struct leat_object *o)
{
	const struct leat_process *proc = process_of(p, o);
	const struct leat_file_root *r = proc ? root_of(f, proc->tgid) : NULL;
	LEAT_CLOSE int root = -1;

	if (!proc)
		return -ENOENT;
	if (r && r->map_fd >= 0)
		return dup_fd(r->map_fd);
	/* Its pid means nothing in our /tmp when its own was another one. */
	if (!r && (proc->flags & LEAT_PROCESS_OTHER_MNT_NS) && !has_root(proc->tgid))
		return -ENOENT;
	root = root_fd(f, p, o);
	if (root < 0)
		return root;
	return leat_file_open_perf_map(root, proc->ns_tgid ? proc->ns_tgid : proc->tgid, proc->uid);
}

/* Bytes of the image that this process was given by the kernel; 0: none. */
static size_t vdso_bytes(uint64_t base)
{
	LEAT_FREE char *text = NULL;
	size_t len, at = 0;

	if (leat_file_read_at(AT_FDCWD, "/proc/self/maps", 64u << 20, &text, &len))
		return 0;
	while (at < len) {
		const char *eol = memchr(text + at, '\n', len - at);
		size_t n = eol ? (size_t)(eol - (text + at)) + 1 : len - at;
		struct leat_maps_line l;

		if (!leat_maps_parse(text + at, n, &l) && l.start == base)
			return (size_t)(l.end - l.start);
		at += n;
	}
	return 0;
}

static int open_vdso(void)
{
	uint64_t base = getauxval(AT_SYSINFO_EHDR);
	size_t n = base ? vdso_bytes(base) : 0;

	return n ? leat_file_of_bytes("leat-vdso", (const void *)(uintptr_t)base, n) : -ENOENT;
}

static int open_kallsyms(void)
{
	int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int open_what(const struct request *q, enum leat_file_what what)
{
	switch (what) {
	case LEAT_FILE_BINARY:
		return open_binary(q->files, q->p, q->o);
	case LEAT_FILE_BUILD_ID:
		return open_build_id(q);
	case LEAT_FILE_DEBUGLINK:
		return open_debuglink(q);
	case LEAT_FILE_PERF_MAP:
		return open_perf_map(q->files, q->p, q->o);
	case LEAT_FILE_KALLSYMS:
		return open_kallsyms();
	case LEAT_FILE_VDSO:
		return open_vdso();
	}
	return -ENOTSUP;
}

static int provide(void *ctx, const struct leat_profile *p, const struct leat_object *o,
		   enum leat_file_what what, const char *arg, unsigned int n)
{
	struct request q = { ctx, p, o, arg, n };
	int fd;

	pthread_mutex_lock(&q.files->lock);
	fd = open_what(&q, what);
	pthread_mutex_unlock(&q.files->lock);
	return fd;
}

/* Touches nothing of the files that are held. */
static int provide_ksyms(void *ctx, const uint64_t *addr, size_t n)
{
	(void)ctx;
	return leat_file_open_ksyms(addr, n);
}

struct leat_file_provider leat_files_provider(struct leat_files *f)
{
	return (struct leat_file_provider){ .ctx = f,
					    .open = provide,
					    .open_ksyms = provide_ksyms };
}
