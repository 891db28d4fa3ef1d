/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that were there before: read from /proc, delivered as records. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "live/env_impl.h"
#include "live/maps.h"
#include "live/procfs.h"

/* Start times from /proc are rounded down to a tick of 10 ms. */
#define TICK_NS 20000000u

static void init_header(struct leat_rec *h, enum leat_rec_kind kind, uint32_t tgid, uint64_t ts_ns)
{
	h->kind = kind;
	h->cpu = UINT16_MAX;
	h->ts_ns = ts_ns;
	h->tgid = tgid;
	h->tid = tgid;
}

static uint32_t flags_of(const struct leat_env *e, uint32_t tgid, const struct leat_proc_info *info)
{
	uint64_t mnt = leat_procfs_ns(tgid, "mnt");
	uint32_t flags = info->kthread ? LEAT_PROCESS_KTHREAD : 0;

	if (mnt && mnt != e->mnt_ns)
		flags |= LEAT_PROCESS_OTHER_MNT_NS;
	if (info->status.ns_depth > 1)
		flags |= LEAT_PROCESS_OTHER_PID_NS;
	return flags;
}

static void emit_process(struct leat_env *e, uint32_t tgid, const struct leat_proc_info *info,
			 uint32_t flags, uint64_t ts_ns)
{
	union leat_env_record r;

	memset(&r.process, 0, sizeof(r.process));
	init_header(&r.h, LEAT_REC_PROCESS, tgid, ts_ns);
	r.process.start_ns = info->start_ns;
	r.process.ppid = info->status.ppid;
	r.process.ns_tgid = info->status.ns_tgid;
	r.process.uid = info->status.uid;
	r.process.flags = flags;
	memcpy(r.process.comm, info->comm, sizeof(r.process.comm));
	r.process.exe[0] = '\0';
	if (!info->kthread && leat_procfs_exe(tgid, r.process.exe, LEAT_PATH_MAX))
		r.process.exe[0] = '\0';
	r.h.size = (uint32_t)(sizeof(r.process) + strlen(r.process.exe) + 1);
	leat_env_emit(e, &r);
}

struct thread_ctx {
	struct leat_env *e;
	uint32_t tgid;
	uint64_t ts_ns;
};

static int emit_thread(void *ctx, uint32_t tid)
{
	const struct thread_ctx *t = ctx;
	union leat_env_record r;
	char path[64];
	int n;

	memset(&r.comm, 0, sizeof(r.comm));
	init_header(&r.h, LEAT_REC_THREAD, t->tgid, t->ts_ns);
	r.h.tid = tid;
	r.h.size = sizeof(r.comm);
	snprintf(path, sizeof(path), "/proc/%u/task/%u/comm", t->tgid, tid);
	n = leat_procfs_text(path, r.comm.comm, sizeof(r.comm.comm));
	if (n <= 0)
		return 0;
	r.comm.comm[strcspn(r.comm.comm, "\n")] = '\0';
	leat_env_emit(t->e, &r);
	return 0;
}

static void emit_line(struct leat_env *e, uint32_t tgid, const struct leat_maps_line *l,
		      uint64_t ts_ns)
{
	union leat_env_record r;
	size_t n;

	memset(&r.mmap, 0, sizeof(r.mmap));
	init_header(&r.h, LEAT_REC_MMAP, tgid, ts_ns);
	r.mmap.start = l->start;
	r.mmap.end = l->end;
	r.mmap.pgoff = l->pgoff;
	r.mmap.dev = l->dev;
	r.mmap.ino = l->ino;
	r.mmap.mmap_kind = (uint8_t)leat_maps_kind(l->path, l->path_len, l->ino);
	r.mmap.from_proc = 1;
	n = leat_maps_path(l->path, l->path_len, r.mmap.path, LEAT_PATH_MAX);
	r.h.size = (uint32_t)(sizeof(r.mmap) + n + 1);
	leat_env_emit_mmap(e, &r);
}

struct maps_read {
	struct leat_env *e;
	uint32_t tgid;
	uint64_t ts_ns;
	size_t cnt; /* executable ones */
	bool any;   /* the file was not empty */
};

/* The whole lines of @text; returns how many bytes they took. */
static size_t take_lines(struct maps_read *m, const char *text, size_t len)
{
	size_t at = 0;

	while (at < len && m->cnt < LEAT_ENV_MAPS_MAX) {
		const char *eol = memchr(text + at, '\n', len - at);
		struct leat_maps_line l;
		size_t n;

		if (!eol)
			break;
		n = (size_t)(eol - (text + at));
		if (leat_maps_parse(text + at, n, &l))
			m->e->stats.malformed++;
		else if (l.exec) {
			emit_line(m->e, m->tgid, &l, m->ts_ns);
			m->cnt++;
		}
		at += n + 1;
	}
	return at;
}

static int read_maps_of(struct maps_read *m, uint32_t pid)
{
	LEAT_CLOSE int fd = -1;
	char path[64], *text = m->e->text;
	size_t have = 0;

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n = read(fd, text + have, LEAT_ENV_TEXT - have);
		size_t used;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		m->any = true;
		have += (size_t)n;
		used = take_lines(m, text, have);
		if (m->cnt >= LEAT_ENV_MAPS_MAX)
			return -E2BIG;
		/* A line that fills the buffer is none that the kernel writes. */
		if (used == 0 && have == LEAT_ENV_TEXT)
			return -EBADMSG;
		memmove(text, text + used, have - used);
		have -= used;
	}
}

/*
 * 0, or why the mappings could not be read. -E2BIG: more than the maximum. A thread that has ended
 * has none to show, be it the leader of a process that works on.
 */
static int read_maps(struct maps_read *m)
{
	int err = read_maps_of(m, m->tgid);
	uint32_t via;

	if (m->any || (err && err != -ESRCH))
		return err;
	via = leat_procfs_via(m->tgid);
	if (via && via != m->tgid)
		err = read_maps_of(m, via);
	return m->any ? err : -ESRCH;
}

static void emit_maps(struct leat_env *e, uint32_t tgid, const struct leat_proc_info *info,
		      uint32_t flags)
{
	struct maps_read m = { .e = e, .tgid = tgid, .ts_ns = leat_clock_ns() };
	int err = read_maps(&m);

	if (!err)
		return;
	if (err == -E2BIG) {
		e->stats.truncated++;
		flags |= LEAT_PROCESS_MAPS_TRUNCATED;
	} else {
		e->stats.unreadable++;
		flags |= LEAT_PROCESS_MAPS_UNREADABLE;
	}
	emit_process(e, tgid, info, flags, m.ts_ns);
}

int leat_env_read(struct leat_env *e, uint32_t tgid, uint64_t start_ns)
{
	uint64_t begin = leat_clock_ns();
	struct leat_proc_info info;
	uint32_t flags;
	int err = leat_procfs_read(tgid, &info);

	e->stats.reads++;
	if (err) {
		e->stats.unreadable++;
		return err;
	}
	/* The sample told of a process that has gone, and its number was given away again. */
	if (start_ns && info.start_ns > start_ns + TICK_NS)
		return -ESRCH;
	if (start_ns)
		info.start_ns = start_ns;
	flags = flags_of(e, tgid, &info);
	emit_process(e, tgid, &info, flags, begin);
	if (e->o.threads) {
		struct thread_ctx t = { e, tgid, begin };

		if (leat_procfs_each_thread(tgid, emit_thread, &t))
			e->stats.unreadable++;
	}
	if (!info.kthread)
		emit_maps(e, tgid, &info, flags);
	e->stats.read_ns += leat_clock_ns() - begin;
	return 0;
}

void leat_env_keep(struct leat_env *e, uint32_t tgid)
{
	if (LEAT_ARRAY_ROOM(e->kept, e->kept_cap, e->kept_cnt + 1, LEAT_ENV_KEPT_MAX))
		return;
	e->kept[e->kept_cnt++] = (struct leat_env_kept){ .tgid = tgid };
}

void leat_env_mark_lost(struct leat_env *e)
{
	size_t i;

	for (i = 0; i < e->kept_cnt; i++)
		e->kept[i].dirty = true;
	e->any_dirty = e->kept_cnt > 0;
}

void leat_env_look_again(struct leat_env *e, uint32_t tgid)
{
	size_t i = 0;

	if (!leat_env_follows(e, tgid) && !e->o.all)
		return;
	while (i < e->kept_cnt && e->kept[i].tgid != tgid)
		i++;
	if (i == e->kept_cnt)
		leat_env_keep(e, tgid);
	if (i == e->kept_cnt)
		return;
	e->kept[i].dirty = true;
	e->any_dirty = true;
}

/*
 * A read costs its process's share of the time: the next one waits 64 times as long as this one
 * took, and twice as long as the last wait while losses go on.
 */
static bool reread_one(struct leat_env *e, struct leat_env_kept *k)
{
	const uint64_t begin = leat_clock_ns();
	int err = leat_env_read(e, k->tgid, 0);
	uint64_t took;

	took = leat_clock_ns() - begin;
	e->stats.rereads++;
	k->dirty = false;
	k->wait_ns = k->wait_ns ? 2 * k->wait_ns : 64 * took;
	if (k->wait_ns < 64 * took)
		k->wait_ns = 64 * took;
	if (k->wait_ns > 30000000000u)
		k->wait_ns = 30000000000u;
	k->next_ns = begin + k->wait_ns;
	e->reread_after_ns = begin + 64 * took;
	return !err;
}

void leat_env_reread(struct leat_env *e)
{
	uint64_t now = leat_clock_ns();
	size_t i = 0;

	if (!e->any_dirty)
		return;
	e->any_dirty = false;
	while (i < e->kept_cnt) {
		struct leat_env_kept *k = &e->kept[i];
		bool due = k->dirty && now >= k->next_ns && now >= e->reread_after_ns;

		if (due && !reread_one(e, k)) {
			*k = e->kept[--e->kept_cnt];
			continue;
		}
		e->any_dirty |= k->dirty;
		i++;
	}
}
