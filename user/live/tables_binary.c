/* SPDX-License-Identifier: BSD-2-Clause */
/* Binaries by identity: which one has a table, which one needs one, which one's has to go. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "live/files_impl.h"
#include "live/procfs.h"
#include "live/tables_impl.h"

static bool binary_eq(const void *ctx, uint32_t value, const void *key)
{
	/* The first ones have no file. */
	const struct leat_binary *a = (const struct leat_binary *)ctx + LEAT_EXE__FIRST + value;
	const struct leat_binary *b = key;

	if (a->vdso != b->vdso || a->build_id_len != b->build_id_len)
		return false;
	if (b->build_id_len)
		return !memcmp(a->build_id, b->build_id, b->build_id_len);
	return a->dev == b->dev && a->ino == b->ino && a->ino_gen == b->ino_gen;
}

static uint64_t binary_hash(const struct leat_binary *b)
{
	if (b->build_id_len)
		return leat_hash_bytes(b->build_id, b->build_id_len);
	return leat_hash_u64(b->ino ^ leat_hash_u64(b->dev + b->vdso));
}

uint32_t leat_binary_of(struct leat_tables *t, const struct leat_rec_mmap *m)
{
	struct leat_binary b = { .fd = -1,
				 .map_fd = -1,
				 .vdso = m->mmap_kind == LEAT_MMAP_VDSO,
				 .dev = m->dev,
				 .ino = m->ino,
				 .ino_gen = m->ino_gen };
	uint64_t hash;
	uint32_t i;

	if (m->mmap_kind == LEAT_MMAP_ANON)
		return LEAT_EXE_ANON;
	if (m->build_id_len && m->build_id_len <= sizeof(b.build_id)) {
		b.build_id_len = m->build_id_len;
		memcpy(b.build_id, m->build_id, m->build_id_len);
	}
	if (m->mmap_kind == LEAT_MMAP_VSYSCALL || (!b.vdso && !b.build_id_len && !b.ino))
		return LEAT_EXE_NONE;
	hash = binary_hash(&b);
	i = leat_index_find(&t->by_id, hash, binary_eq, t->binaries, &b);
	if (i != LEAT_INDEX_NONE)
		return LEAT_EXE__FIRST + i;
	if (t->binary_cnt == t->kernel.exe_cnt ||
	    leat_index_add(&t->by_id, hash, t->binary_cnt - LEAT_EXE__FIRST)) {
		t->stats.refused++;
		return LEAT_EXE_NONE;
	}
	t->binaries[t->binary_cnt] = b;
	return t->binary_cnt++;
}

bool leat_binary_bias(const struct leat_binary *b, const struct leat_code *c, uint64_t *bias)
{
	return !leat_unwind_bias(b->segments, b->segment_cnt, c->start, c->pgoff, bias);
}

static int open_file(struct leat_tables *t, const struct leat_binary *b)
{
	const struct leat_file_want w = { .path = "",
					  .dev = b->dev,
					  .ino = b->ino,
					  .ino_gen = b->ino_gen,
					  .build_id = b->build_id,
					  .build_id_len = b->build_id_len };
	struct leat_file_provider p = leat_files_provider(t->o.files);

	if (b->vdso)
		return p.open(p.ctx, NULL, NULL, LEAT_FILE_VDSO, NULL, 0);
	return leat_files_open(t->o.files, &w);
}

static void queue(struct leat_tables *t, uint32_t no)
{
	struct leat_binary *b = &t->binaries[no];
	struct stat st;

	if (b->evicted)
		t->again = no;
	b->fd = open_file(t, b);
	b->file_bytes = b->fd >= 0 && !fstat(b->fd, &st) ? (uint64_t)st.st_size : 0;
	b->state = LEAT_BINARY_QUEUED;
	leat_builder_add(t, no);
}

static bool may_build_again(const struct leat_tables *t, uint64_t now_ns)
{
	return !t->again && now_ns >= t->again_ns;
}

void leat_binary_want(struct leat_tables *t, uint32_t no)
{
	struct leat_binary *b = &t->binaries[no];

	if (b->state != LEAT_BINARY_NEW)
		return;
	if (!b->evicted || may_build_again(t, leat_clock_ns())) {
		queue(t, no);
		return;
	}
	b->state = LEAT_BINARY_NO_ROOM;
	b->starved = true;
	b->asked = 0;
}

/*
 * Of those that wait for want of memory, the one that most samples have come to. What it displaces
 * is not lost altogether: the kernel side remembers the rules of addresses that it has looked up.
 */
static void build_again(struct leat_tables *t, uint64_t now_ns)
{
	uint32_t most = 0;

	if (!may_build_again(t, now_ns))
		return;
	for (uint32_t no = LEAT_EXE__FIRST; no < t->binary_cnt; no++) {
		const struct leat_binary *b = &t->binaries[no];

		/* Perhaps none was counted: beyond a CPU's bound of bytes samples do not come here. */
		if (b->state == LEAT_BINARY_NO_ROOM &&
		    (!most || b->asked > t->binaries[most].asked))
			most = no;
	}
	if (most)
		queue(t, most);
}

static void set_exe(struct leat_tables *t, uint32_t no, enum leat_exe_state state)
{
	__atomic_store_n(&t->kernel.exes[no].state, (uint32_t)state, __ATOMIC_RELEASE);
}

/* Of those that were looked up in the same epoch, the one goes that has been there for longer. */
static bool goes_before(const struct leat_tables *t, uint32_t a, uint32_t b)
{
	const uint32_t used_a = t->kernel.exes[a].used_epoch, used_b = t->kernel.exes[b].used_epoch;

	return used_a == used_b ? t->binaries[a].ready_ns < t->binaries[b].ready_ns
				: used_a < used_b;
}

/*
 * Makes room for @bytes: the table that was looked up least recently goes, but not that of @keep: one
 * that is larger than all room there is stays alone.
 */
static void make_room(struct leat_tables *t, size_t bytes, uint32_t keep)
{
	while (t->stats.bytes + bytes > t->o.memory_bytes) {
		uint32_t oldest = 0, no;

		for (no = LEAT_EXE__FIRST; no < t->binary_cnt; no++) {
			if (t->binaries[no].state != LEAT_BINARY_READY || no == keep)
				continue;
			if (!oldest || goes_before(t, no, oldest))
				oldest = no;
		}
		if (!oldest)
			return;
		set_exe(t, oldest, LEAT_EXE_UNKNOWN);
		t->binaries[oldest].state = LEAT_BINARY_LEAVING;
		t->binaries[oldest].evicted = true;
		t->binaries[oldest].file_bytes = 0;
		t->stats.bytes -= t->binaries[oldest].bytes;
		t->stats.evicted++;
		leat_builder_add(t, oldest);
	}
}

enum leat_no_table leat_tables_why(int err, bool framed)
{
	switch (err) {
	case -ENODATA:
		return framed ? LEAT_NO_TABLE_FRAMES : LEAT_NO_TABLE_NOTHING;
	case -EBADMSG:
		return LEAT_NO_TABLE_MALFORMED;
	case -EOVERFLOW:
		return LEAT_NO_TABLE_TOO_LARGE;
	case -ENOTSUP:
		return LEAT_NO_TABLE_MACHINE;
	case -ENOENT:
		return LEAT_NO_TABLE_GONE;
	case -EACCES:
	case -EPERM:
		return LEAT_NO_TABLE_PERMISSION;
	case -ESTALE:
		return LEAT_NO_TABLE_CHANGED;
	default:
		return LEAT_NO_TABLE_RESOURCES;
	}
}

static bool may_pass(enum leat_no_table why)
{
	return why == LEAT_NO_TABLE_GONE || why == LEAT_NO_TABLE_CHANGED ||
	       why == LEAT_NO_TABLE_RESOURCES;
}

static void no_table(struct leat_tables *t, uint32_t no)
{
	struct leat_binary *b = &t->binaries[no];

	b->state = b->framed ? LEAT_BINARY_FRAMED : LEAT_BINARY_FAILED;
	set_exe(t, no, b->framed ? LEAT_EXE_FRAME : LEAT_EXE_FAILED);
	t->stats.framed += b->framed;
	t->stats.failed += !b->framed;
	b->why = leat_tables_why(b->err, b->framed);
	if (!b->framed && may_pass(b->why) && ++b->tries < LEAT_TABLES_TRIES)
		b->retry_ns = leat_clock_ns() + (LEAT_TABLES_RETRY_NS << (b->tries - 1));
}

/* The next sample that comes there asks for it once more. */
static void retry(struct leat_tables *t, uint32_t no)
{
	struct leat_binary *b = &t->binaries[no];

	b->state = LEAT_BINARY_NEW;
	b->why = LEAT_NO_TABLE_NONE;
	b->retry_ns = 0;
	t->stats.failed--;
	t->stats.retried++;
	t->version++;
	set_exe(t, no, LEAT_EXE_UNKNOWN);
}

static void built(struct leat_tables *t, struct leat_binary *b)
{
	b->state = LEAT_BINARY_BUILT;
	if (b->table->err)
		b->why = LEAT_NO_TABLE_TOO_LARGE;
	else if (b->table->bad_cnt)
		b->why = LEAT_NO_TABLE_PARTLY;
	t->stats.again += b->evicted;
	t->stats.need_bytes += b->bytes - b->need;
	b->need = b->bytes;
	t->stats.tables += !b->cached;
	t->stats.cached += b->cached;
	t->stats.rows += b->cached ? 0 : b->table->row_cnt;
	make_room(t, b->bytes, 0);
	t->stats.bytes += b->bytes;
}

static void count_work(struct leat_tables *t, uint32_t no)
{
	struct leat_binary *b = &t->binaries[no];

	if (b->cached)
		t->stats.cached_ns += b->build_ns;
	else
		t->stats.build_ns += b->build_ns;
	b->build_ns = 0;
	t->stats.cache_damaged += b->damaged;
	b->damaged = false;
}

/* It is in the kernel, or will not be: the next one has to wait. */
static void came_again(struct leat_tables *t, const struct leat_binary *b)
{
	const uint64_t rest = b->cpu_ns * LEAT_TABLES_AGAIN;

	t->again = 0;
	t->again_ns = leat_clock_ns() + (rest > LEAT_TABLES_STAY_NS ? rest : LEAT_TABLES_STAY_NS);
	t->stats.again_cpu_ns += b->cpu_ns;
}

/* The thread has it no more. */
static void take_back(struct leat_tables *t, uint32_t no)
{
	struct leat_binary *b = &t->binaries[no];
	struct leat_exe *exe = &t->kernel.exes[no];

	t->version++;
	if (b->state == LEAT_BINARY_LEAVING) {
		b->state = LEAT_BINARY_NEW;
		return;
	}
	count_work(t, no);
	if (b->state == LEAT_BINARY_QUEUED && !b->err) {
		built(t, b);
		return;
	}
	if (t->again == no)
		came_again(t, b);
	if (b->err) {
		if (b->state == LEAT_BINARY_BUILT)
			t->stats.bytes -= b->bytes;
		no_table(t, no);
		return;
	}
	b->state = LEAT_BINARY_READY;
	b->ready_ns = leat_clock_ns();
	exe->first_page = b->table->first_page;
	exe->page_cnt = b->table->page_cnt;
	leat_programs_bias(t, no);
	set_exe(t, no, LEAT_EXE_READY);
	/* Those that were built together had none to go for them. */
	make_room(t, 0, no);
}

void leat_binaries_round(struct leat_tables *t)
{
	uint64_t events, now;
	uint32_t no;

	if (read(t->event_fd, &events, sizeof(events)) < 0)
		events = 0; /* nothing was built since */
	while (leat_builder_take(t, &no))
		take_back(t, no);
	now = leat_clock_ns();
	for (no = LEAT_EXE__FIRST; no < t->binary_cnt; no++) {
		if (t->kernel.exes[no].state == LEAT_EXE_WANTED)
			leat_binary_want(t, no);
		else if (t->binaries[no].retry_ns && t->binaries[no].retry_ns <= now)
			retry(t, no);
	}
	build_again(t, now);
}
