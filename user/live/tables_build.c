/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread that builds tables. A table is handed back as soon as it is built, for samples that
 * wait here; to put it into the kernel waits for a grace period, so that is done for all of them at
 * once: when nothing else is to be built, or, on a host where the thread gets little of a CPU, when
 * they have waited for a while. Small files come first: a large one delays them by more than they it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "elf/elf_file.h"
#include "live/files_impl.h"
#include "live/procfs.h"
#include "live/tables_impl.h"
#include "unwind/frames.h"

/* Code of which the first part is looked at for frame pointers. */
#define LOOK_BYTES 65536u
/*
 * Each sample that waits for a table has cost a copy of its stack. What the thread does is done once,
 * so it is better done soon: with ten others on a CPU it gets a quarter of it so, and 9 % else.
 */
#define NICE (-5)
/* One table's samples ask for the next one: so long it is worth waiting. */
#define LINGER_NS 2000000u
/* So long a table waits for others that are built, so that one grace period does for all. */
#define GATHER_NS 50000000u

/* Whether its functions begin as those with frame pointers do. */
static bool looks_framed(struct leat_elf *e, const struct leat_binary *b)
{
	LEAT_FREE uint8_t *code = malloc(LOOK_BYTES);
	const struct leat_unwind_segment *s = &b->segments[0];
	size_t n;

	if (!code || !b->segment_cnt)
		return false;
	n = s->end - s->offset < LOOK_BYTES ? (size_t)(s->end - s->offset) : LOOK_BYTES;
	return !leat_elf_copy(e, s->offset, code, n) && leat_code_keeps_frames(code, n, s->vaddr);
}

/*
 * The kernel's copy of the dictionary follows before the table that refers to it. The fixed rules
 * are there before the first sample: code without a file needs no table to be walked.
 */
static void copy_rules(struct leat_tables *t)
{
	memcpy(t->kernel.rules, leat_unwind_rules_all(t->rules),
	       leat_unwind_rules_cnt(t->rules) * sizeof(*t->kernel.rules));
}

/* Moves the blocks into the kernel's array, which stays mapped. */
static int move_blocks(struct leat_tables *t, struct leat_binary *b)
{
	const size_t bytes = (size_t)leat_unwind_table_bytes(b->table);
	int err = leat_engine_table_new(t->o.engine, b->table->block_cnt, &b->mem, &b->bytes,
					&b->map_fd);

	if (err)
		return err;
	memcpy(b->mem, b->table->blocks, bytes);
	free(b->table->blocks);
	b->table->blocks = b->mem;
	copy_rules(t);
	return 0;
}

static void drop_table(struct leat_binary *b)
{
	if (b->table && b->mem)
		b->table->blocks = NULL;
	leat_unwind_table_free(&b->table);
	if (b->mem)
		munmap(b->mem, b->bytes);
	if (b->map_fd >= 0)
		close(b->map_fd);
	b->mem = NULL;
	b->map_fd = -1;
	b->put = false;
}

/* What a file that is written to changes. */
struct version {
	uint64_t bytes;
	struct timespec written, changed;
};

static int version_of(int fd, struct version *v)
{
	struct stat st;

	memset(v, 0, sizeof(*v));
	if (fstat(fd, &st))
		return -errno;
	v->bytes = (uint64_t)st.st_size;
	v->written = st.st_mtim;
	v->changed = st.st_ctim;
	return 0;
}

/* The file is the one that was mapped, as far as its build id tells; it becomes the cache's key. */
static int check_id(struct leat_binary *b, struct leat_elf *e, uint64_t bytes)
{
	struct leat_build_id id = { 0 };

	if (leat_elf_build_id(e, &id))
		id.len = 0;
	if (b->build_id_len && !b->vdso &&
	    (id.len != b->build_id_len || memcmp(id.bytes, b->build_id, id.len) != 0))
		return -ESTALE;
	b->key = (struct leat_store_key){ .build_id_len = id.len, .file_bytes = bytes };
	memcpy(b->key.build_id, id.bytes, id.len);
	return 0;
}

/* From the cache; false: it has to be built. */
static bool take_cached(struct leat_tables *t, struct leat_binary *b)
{
	int err;

	if (!t->o.cache || !b->key.build_id_len)
		return false;
	err = leat_table_cache_load(t->o.cache, &b->key, t->rules, &b->table);
	/* One that another leat has made is out of date, no more. */
	b->damaged = err && err != -ENOENT && err != -ESTALE;
	if (b->damaged)
		leat_log(LEAT_LOG_WARN, "a file of the unwind cache cannot be used: %s",
			 strerrorname_np(-err));
	return !err;
}

static int make_table(struct leat_tables *t, struct leat_binary *b, struct leat_elf *e)
{
	const uint64_t refused = leat_unwind_rules_refused(t->rules);
	int err;

	b->cached = take_cached(t, b);
	b->unsaved = false;
	if (b->cached)
		return 0;
	err = leat_unwind_table_build(&b->table, e, NULL, t->rules);
	if (err)
		b->framed = (err == -ENODATA || err == -EBADMSG) && looks_framed(e, b);
	else /* A full dictionary is this recording's fault, not the table's. */
		b->unsaved = t->o.cache && b->key.build_id_len &&
			     leat_unwind_rules_refused(t->rules) == refused;
	return err;
}

/* What was read from a file that was written meanwhile is neither the old one's nor the new one's. */
static int check_version(struct leat_binary *b, const struct version *before)
{
	struct version now;
	int err = version_of(b->fd, &now);

	if (!err && memcmp(&now, before, sizeof(now)) != 0)
		err = -ESTALE;
	return err;
}

static int build(struct leat_tables *t, struct leat_binary *b)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	struct version v = { 0 };
	int err = b->fd < 0 ? b->fd : version_of(b->fd, &v);

	drop_table(b); /* one that could not be put into the kernel */
	if (!err)
		err = leat_elf_open(&e, b->fd);
	b->framed = err == -EBADMSG && leat_file_is_foreign(b->fd);
	if (b->framed)
		return -ENODATA;
	if (err)
		return err == -ENODATA ? -EBADMSG : err;
	b->segment_cnt = leat_unwind_segments(e, b->segments);
	err = check_id(b, e, v.bytes);
	if (!err)
		err = make_table(t, b, e);
	if (check_version(b, &v)) {
		err = -ESTALE;
		b->framed = false;
	}
	if (!err)
		err = move_blocks(t, b);
	if (err)
		drop_table(b);
	return err;
}

static void hand_back(struct leat_tables *t, uint32_t no)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&t->lock);
	t->done[t->done_cnt++] = no;
	pthread_mutex_unlock(&t->lock);
	if (write(t->event_fd, &one, sizeof(one)) < 0)
		return; /* it is readable already */
}

/* CPU time of the thread. */
static uint64_t thread_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Builds one, or takes it out; whether it has yet to be put into the kernel. */
static bool work_on(struct leat_tables *t, uint32_t no)
{
	struct leat_binary *b = &t->binaries[no];
	const uint64_t begin = leat_clock_ns(), cpu = thread_ns();

	if (b->state == LEAT_BINARY_LEAVING) {
		b->err = leat_engine_table_drop(t->o.engine, no);
		drop_table(b);
		hand_back(t, no);
		return false;
	}
	b->framed = false;
	b->err = build(t, b);
	b->build_ns = leat_clock_ns() - begin;
	b->cpu_ns = thread_ns() - cpu;
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
	b->put = false;
	hand_back(t, no);
	return !b->err;
}

/* Under the lock. What leaves the kernel has no file. */
static uint32_t take_smallest(struct leat_tables *t)
{
	uint32_t at = 0, no;

	for (uint32_t i = 1; i < t->job_cnt; i++)
		if (t->binaries[t->jobs[i]].file_bytes < t->binaries[t->jobs[at]].file_bytes)
			at = i;
	no = t->jobs[at];
	t->job_cnt--;
	memmove(t->jobs + at, t->jobs + at + 1, (t->job_cnt - at) * sizeof(*t->jobs));
	return no;
}

/* The next job; false: none came within @wait_ns, or it is over. */
static bool next_job(struct leat_tables *t, uint64_t wait_ns, uint32_t *no)
{
	struct timespec until;
	bool got = false;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)wait_ns;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&t->lock);
	while (!t->job_cnt && !t->quit) {
		if (!wait_ns)
			pthread_cond_wait(&t->more, &t->lock);
		else if (pthread_cond_timedwait(&t->more, &t->lock, &until))
			break;
	}
	if (t->job_cnt && !t->quit) {
		*no = take_smallest(t);
		got = true;
	}
	pthread_mutex_unlock(&t->lock);
	return got;
}

static bool is_over(struct leat_tables *t)
{
	bool quit;

	pthread_mutex_lock(&t->lock);
	quit = t->quit;
	pthread_mutex_unlock(&t->lock);
	return quit;
}

/* Into the cache, when nobody waits for it any more. */
static void save(struct leat_tables *t, uint32_t no)
{
	struct leat_binary *b = &t->binaries[no];
	int err;

	if (!b->unsaved || !b->table)
		return;
	b->unsaved = false;
	err = leat_table_cache_save(t->o.cache, &b->key, b->table, t->rules);
	if (!err)
		return;
	t->unwritten++;
	leat_log(LEAT_LOG_DEBUG, "cannot keep an unwind table: %s", strerrorname_np(-err));
}

static void save_all(struct leat_tables *t, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		save(t, t->built[i]);
}

/* Into the kernel; one that does not go there keeps none of the others away. */
static void put_all(struct leat_tables *t, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		t->built_fds[i] = t->binaries[t->built[i]].map_fd;
	for (uint32_t at = 0; at < n && !is_over(t);) {
		uint32_t put = 0;
		int err = leat_engine_tables_put(t->o.engine, t->built + at, t->built_fds + at,
						 n - at, &put);

		for (uint32_t i = 0; i < put + !!err; i++, at++) {
			struct leat_binary *b = &t->binaries[t->built[at]];

			b->err = i < put ? 0 : err;
			b->put = !b->err;
			hand_back(t, t->built[at]);
		}
	}
}

static void *builder(void *arg)
{
	struct leat_tables *t = arg;
	uint64_t gathers_ns = 0; /* since */
	uint32_t n = 0, no;

	/* Who may not do that does without. */
	(void)!setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	while (!is_over(t)) {
		if ((!n || leat_clock_ns() - gathers_ns < GATHER_NS) &&
		    next_job(t, n ? LINGER_NS : 0, &no)) {
			if (!n)
				gathers_ns = leat_clock_ns();
			if (work_on(t, no))
				t->built[n++] = no;
			continue;
		}
		put_all(t, n);
		save_all(t, n);
		n = 0;
	}
	save_all(t, n);
	return NULL;
}

int leat_builder_start(struct leat_tables *t)
{
	pthread_condattr_t attr;
	int err;

	t->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* A binary is a job at most once; it is handed back at most twice. */
	t->jobs = calloc(t->kernel.exe_cnt, sizeof(*t->jobs));
	t->done = calloc((size_t)t->kernel.exe_cnt * 2, sizeof(*t->done));
	if (t->event_fd < 0)
		return -errno;
	t->built = calloc(t->kernel.exe_cnt, sizeof(*t->built));
	t->built_fds = calloc(t->kernel.exe_cnt, sizeof(*t->built_fds));
	if (!t->jobs || !t->done || !t->built || !t->built_fds)
		return -ENOMEM;
	copy_rules(t);
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->more, &attr);
	pthread_condattr_destroy(&attr);
	err = pthread_create(&t->thread, NULL, builder, t);
	if (err) {
		pthread_cond_destroy(&t->more);
		pthread_mutex_destroy(&t->lock);
		return -err;
	}
	t->started = true;
	return 0;
}

void leat_builder_end(struct leat_tables *t)
{
	if (!t->started || t->quit)
		return;
	pthread_mutex_lock(&t->lock);
	t->quit = true;
	pthread_cond_signal(&t->more);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
}

void leat_builder_stop(struct leat_tables *t)
{
	leat_builder_end(t);
	if (t->started) {
		pthread_cond_destroy(&t->more);
		pthread_mutex_destroy(&t->lock);
	}
	for (uint32_t i = 0; i < t->binary_cnt; i++) {
		if (t->binaries[i].fd >= 0)
			close(t->binaries[i].fd);
		drop_table(&t->binaries[i]);
	}
	if (t->event_fd >= 0)
		close(t->event_fd);
	free(t->jobs);
	free(t->done);
	free(t->built);
	free(t->built_fds);
	t->started = false;
}

void leat_builder_add(struct leat_tables *t, uint32_t no)
{
	pthread_mutex_lock(&t->lock);
	t->jobs[t->job_cnt++] = no;
	pthread_cond_signal(&t->more);
	pthread_mutex_unlock(&t->lock);
}

bool leat_builder_take(struct leat_tables *t, uint32_t *no)
{
	bool got;

	pthread_mutex_lock(&t->lock);
	got = t->done_cnt > 0;
	if (got) {
		*no = t->done[0];
		t->done_cnt--;
		memmove(t->done, t->done + 1, t->done_cnt * sizeof(*t->done));
	}
	pthread_mutex_unlock(&t->lock);
	return got;
}
