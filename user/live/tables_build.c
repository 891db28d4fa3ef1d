/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread that builds tables. A table is handed back as soon as it is built, for samples that
 * wait here; to put it into the kernel waits for a grace period, so that is done for all of them
 * when nothing else is to be built.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "elf/elf_file.h"
#include "live/procfs.h"
#include "live/tables_impl.h"

/* Code of which the first part is looked at for frame pointers. */
#define LOOK_BYTES 65536u
/* push %rbp; mov %rsp,%rbp: one for so many bytes of code is a habit. */
#define LOOK_EVERY 1024u
/* One table's samples ask for the next one: so long it is worth waiting. */
#define LINGER_NS 2000000u

/* Whether its functions begin as those with frame pointers do. */
static bool looks_framed(struct leat_elf *e, const struct leat_binary *b)
{
	static const uint8_t prologue[] = { 0x55, 0x48, 0x89, 0xe5 };
	LEAT_FREE uint8_t *code = malloc(LOOK_BYTES);
	size_t n, found = 0;

	if (!code || !b->segment_cnt)
		return false;
	n = b->segments[0].end - b->segments[0].offset;
	n = n < LOOK_BYTES ? n : LOOK_BYTES;
	if (leat_elf_copy(e, b->segments[0].offset, code, n))
		return false;
	for (size_t i = 0; i + sizeof(prologue) <= n; i++)
		found += !memcmp(code + i, prologue, sizeof(prologue));
	return found && found * LOOK_EVERY >= n / 4;
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

static int build(struct leat_tables *t, struct leat_binary *b, bool *framed)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	int err = b->fd < 0 ? b->fd : leat_elf_open(&e, b->fd);

	if (err)
		return err;
	b->segment_cnt = leat_unwind_segments(e, b->segments);
	err = leat_unwind_table_build(&b->table, e, NULL, t->rules);
	if (!err)
		err = move_blocks(t, b);
	if (!err)
		return 0;
	drop_table(b);
	*framed = err == -ENODATA && looks_framed(e, b);
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

/* Builds one, or takes it out; whether it has yet to be put into the kernel. */
static bool work_on(struct leat_tables *t, uint32_t no)
{
	struct leat_binary *b = &t->binaries[no];
	const uint64_t begin = leat_clock_ns();
	bool framed = false;

	if (b->state == LEAT_BINARY_LEAVING) {
		b->err = leat_engine_table_drop(t->o.engine, no);
		drop_table(b);
		hand_back(t, no);
		return false;
	}
	b->err = build(t, b, &framed);
	b->build_ns = leat_clock_ns() - begin;
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
	b->put = false;
	if (framed)
		b->err = -ENODATA;
	else if (b->err == -ENODATA)
		b->err = -ENOENT;
	hand_back(t, no);
	return !b->err;
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
		*no = t->jobs[t->job_first];
		t->job_first = (t->job_first + 1) % t->kernel.exe_cnt;
		t->job_cnt--;
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

static void *builder(void *arg)
{
	struct leat_tables *t = arg;
	uint32_t n = 0, no;

	while (!is_over(t)) {
		if (next_job(t, n ? LINGER_NS : 0, &no)) {
			if (work_on(t, no))
				t->built[n++] = no;
			continue;
		}
		for (uint32_t i = 0; i < n && !is_over(t); i++) {
			struct leat_binary *b = &t->binaries[t->built[i]];

			b->err = leat_engine_table_put(t->o.engine, t->built[i], b->map_fd);
			b->put = !b->err;
			hand_back(t, t->built[i]);
		}
		n = 0;
	}
	return NULL;
}

int leat_builder_start(struct leat_tables *t)
{
	pthread_condattr_t attr;
	int err;

	t->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* A binary is in the ring at most once; it is handed back at most twice. */
	t->jobs = calloc(t->kernel.exe_cnt, sizeof(*t->jobs));
	t->done = calloc((size_t)t->kernel.exe_cnt * 2, sizeof(*t->done));
	if (t->event_fd < 0)
		return -errno;
	t->built = calloc(t->kernel.exe_cnt, sizeof(*t->built));
	if (!t->jobs || !t->done || !t->built)
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

void leat_builder_stop(struct leat_tables *t)
{
	if (t->started) {
		pthread_mutex_lock(&t->lock);
		t->quit = true;
		pthread_cond_signal(&t->more);
		pthread_mutex_unlock(&t->lock);
		pthread_join(t->thread, NULL);
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
	t->started = false;
}

void leat_builder_add(struct leat_tables *t, uint32_t no)
{
	pthread_mutex_lock(&t->lock);
	t->jobs[(t->job_first + t->job_cnt) % t->kernel.exe_cnt] = no;
	t->job_cnt++;
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
