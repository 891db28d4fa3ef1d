/* SPDX-License-Identifier: BSD-2-Clause */
#include "tables_rig.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf_builder.h"
#include "event/wire.h"
#include "live/procfs.h"
#include "live/tables_impl.h"

#define TEXT_BYTES  0x1000u
#define LARGE_BYTES (8u << 20)
#define LARGE_FDES  100000u
#define FRAME_AT    0x1000000ull
#define STACK_AT    0x7ffd00000000ull
#define WAIT_MS	    20000

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "tables_rig: %s (%s)\n", what, strerrorname_np(errno));
	abort();
}

/* ---- binaries ---- */

static void put_cfi(struct leat_cb *c, unsigned int how, void (*more)(struct leat_cb *c))
{
	static const uint8_t root[] = { 0x07, 16 }; /* the return address is undefined */
	static const uint8_t junk[] = { 9, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	leat_cb_init(c, false);
	if (how & LEAT_RIG_BAD_CFI) {
		leat_cb_cie_raw(c, junk, sizeof(junk));
		leat_cb_fde(c, LEAT_RIG_TEXT + LEAT_RIG_FUNC, 0x100, NULL, 0);
		return;
	}
	leat_cb_cie(c, NULL, 0);
	leat_cb_fde(c, LEAT_RIG_TEXT + LEAT_RIG_FUNC, LEAT_RIG_ROOT - LEAT_RIG_FUNC, NULL, 0);
	leat_cb_fde(c, LEAT_RIG_TEXT + LEAT_RIG_ROOT, 0x100, root, sizeof(root));
	for (uint32_t i = 0; how & LEAT_RIG_LARGE && i < LARGE_FDES; i++)
		leat_cb_fde(c, LEAT_RIG_TEXT + TEXT_BYTES + i * 64, 32, NULL, 0);
	if (more)
		more(c);
	if (how & LEAT_RIG_BAD_END) {
		leat_cb_fde(c, LEAT_RIG_TEXT + 0xa00, 0x100, NULL, 0);
		c->b.len -= 4;
	}
}

static uint8_t *make_elf(uint8_t id, unsigned int how, void (*more)(struct leat_cb *c), size_t *n)
{
	static const uint8_t prologue[] = { 0x55, 0x48, 0x89, 0xe5 };
	const size_t text_len = how & LEAT_RIG_LARGE ? LARGE_BYTES : TEXT_BYTES;
	struct leat_eb *b = leat_eb_new(ET_DYN, how & LEAT_RIG_ARM ? EM_AARCH64 : EM_X86_64);
	uint8_t *text = calloc(1, text_len), ids[8], *bytes;
	struct leat_cb c;

	need(text, "memory");
	for (size_t i = 0; how & LEAT_RIG_FRAMED && i < text_len; i += 64)
		memcpy(text + i, prologue, sizeof(prologue));
	leat_eb_paged(b);
	leat_eb_section(b, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, LEAT_RIG_TEXT, text,
			text_len);
	put_cfi(&c, how, more);
	need(!c.b.err, "call frame information");
	if (!(how & LEAT_RIG_NO_CFI))
		leat_eb_section(b, ".eh_frame", SHT_PROGBITS, SHF_ALLOC, FRAME_AT, c.b.data,
				c.b.len);
	memset(ids, id, sizeof(ids));
	if (id)
		leat_eb_build_id(b, ids, sizeof(ids));
	bytes = leat_eb_done(b, n);
	leat_eb_free(&b);
	leat_cb_fini(&c);
	free(text);
	return bytes;
}

static void write_file(const char *path, uint8_t id, unsigned int how,
		       void (*more)(struct leat_cb *c))
{
	size_t n;
	uint8_t *bytes = make_elf(id, how, more, &n);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	need(fd >= 0, "cannot write a binary");
	if (how & LEAT_RIG_NO_ELF)
		memset(bytes, 'x', 64);
	if (how & LEAT_RIG_CUT)
		n = 70;
	need(write(fd, bytes, n) == (ssize_t)n, "cannot write a binary");
	close(fd);
	free(bytes);
}

const char *leat_rig_file(struct leat_rig *r, const char *name, uint8_t id, unsigned int how)
{
	const char *path = leat_tmpdir_path(&r->dir, name);
	struct stat st;

	for (size_t i = 0; i < r->made_cnt; i++)
		if (!strcmp(r->made[i].name, name))
			return path;
	need(r->made_cnt < LEAT_ARRAY_SIZE(r->made), "too many binaries");
	write_file(path, id, how, r->more_cfi);
	need(!stat(path, &st), "stat");
	snprintf(r->made[r->made_cnt].name, sizeof(r->made[0].name), "%s", name);
	r->made[r->made_cnt].id = id;
	r->made[r->made_cnt].dev = st.st_dev;
	r->made[r->made_cnt++].ino = st.st_ino;
	return path;
}

void leat_rig_rename(struct leat_rig *r, const char *from, const char *to)
{
	need(!rename(leat_tmpdir_path(&r->dir, from), leat_tmpdir_path(&r->dir, to)), "rename");
}

void leat_rig_overwrite(struct leat_rig *r, const char *name, uint8_t id)
{
	write_file(leat_tmpdir_path(&r->dir, name), id, 0, NULL);
}

/* ---- the rig ---- */

static int on_sample(void *ctx, const struct leat_event *ev, const struct leat_record *rec)
{
	struct leat_rig *r = ctx;
	const struct leat_rec_sample *s = rec->data;

	(void)ev;
	r->sample_cnt++;
	r->complete_cnt += s->uresult == LEAT_STACK_COMPLETE;
	r->frame_cnt += s->uframe_cnt;
	r->last.uframe_cnt = s->uframe_cnt;
	r->last.uresult = s->uresult;
	return 0;
}

void leat_rig_init(struct leat_rig *r, uint64_t memory_bytes, struct leat_table_cache *cache)
{
	struct leat_tables_opts o = { .memory_bytes = memory_bytes, .cache = cache };

	*r = (struct leat_rig){ .engine = leat_fake_engine_init() };
	leat_tmpdir_init(&r->dir);
	need(!leat_files_new(&r->files), "files");
	o.files = r->files;
	need(!leat_bus_new(&r->bus) && !leat_wire_register_all(r->bus), "bus");
	need(!leat_tables_new(&r->tables, &o) && !leat_tables_attach(r->tables, r->bus), "tables");
	need(!leat_event_add_callback(leat_bus_at(r->bus, LEAT_REC_SAMPLE), on_sample, r, NULL),
	     "callback");
}

void leat_rig_fini(struct leat_rig *r)
{
	leat_bus_free(&r->bus);
	leat_tables_free(&r->tables);
	leat_files_free(&r->files);
	leat_fake_engine_fini();
	leat_tmpdir_fini(&r->dir);
}

uint64_t leat_rig_ns(void)
{
	return leat_clock_ns();
}

/* ---- records ---- */

static void dispatch(struct leat_rig *r, const void *rec, size_t n)
{
	struct leat_record out;

	need(!leat_wire_record(rec, n, &out), "record");
	leat_bus_dispatch(r->bus, &out);
}

void leat_rig_dispatch_map(struct leat_rig *r, uint32_t tgid, const char *path, uint64_t start,
			   uint64_t ts_ns)
{
	const char *name = strrchr(path, '/') + 1;
	union {
		struct leat_rec_mmap m;
		uint8_t bytes[sizeof(struct leat_rec_mmap) + 256];
	} u = { .m = { .start = start,
		       .end = start + TEXT_BYTES,
		       .pgoff = LEAT_RIG_TEXT,
		       .mmap_kind = LEAT_MMAP_FILE } };

	u.m.h = (struct leat_rec){
		.kind = LEAT_REC_MMAP, .size = sizeof(u), .tgid = tgid, .tid = tgid, .ts_ns = ts_ns
	};
	snprintf(u.m.path, 256, "%s", path);
	for (size_t i = 0; i < r->made_cnt; i++) {
		if (strcmp(r->made[i].name, name))
			continue;
		u.m.dev = r->made[i].dev;
		u.m.ino = r->made[i].ino;
		u.m.build_id_len = r->made[i].id ? 8 : 0;
		memset(u.m.build_id, r->made[i].id, u.m.build_id_len);
	}
	leat_files_identify(r->files, &u.m);
	dispatch(r, &u, sizeof(u));
}

uint32_t leat_rig_map(struct leat_rig *r, uint32_t tgid, const char *path, uint64_t start)
{
	const struct leat_code *c;

	leat_rig_dispatch_map(r, tgid, path, start, 0);
	c = leat_codes_find(&leat_program_at(r->tables, tgid, UINT64_MAX)->codes, start);
	need(c, "mapping");
	return c->exe;
}

void leat_rig_exec(struct leat_rig *r, uint32_t tgid, uint64_t ts_ns)
{
	struct leat_rec_comm c = { .h = { .kind = LEAT_REC_COMM,
					  .size = sizeof(c),
					  .tgid = tgid,
					  .tid = tgid,
					  .ts_ns = ts_ns },
				   .flags = LEAT_COMM_EXEC };

	dispatch(r, &c, sizeof(c));
}

void leat_rig_exit(struct leat_rig *r, uint32_t tgid)
{
	struct leat_rec_task t = { .h = { .kind = LEAT_REC_EXIT,
					  .size = sizeof(t),
					  .tgid = tgid,
					  .tid = tgid,
					  .ts_ns = leat_clock_ns() } };

	dispatch(r, &t, sizeof(t));
}

/* @pages: of the callers' code. */
static void dispatch_raw(struct leat_rig *r, uint32_t tgid, uint64_t pc, const uint64_t *pages,
			 size_t depth, uint64_t ts_ns)
{
	union {
		struct leat_rec_raw raw;
		uint64_t words[sizeof(struct leat_rec_raw) / 8 + 64];
	} u = { .raw = { .user_mode = 1, .stack_addr = STACK_AT } };

	need(depth >= 1 && depth <= 64, "depth");
	u.raw.h = (struct leat_rec){ .kind = LEAT_REC_RAW,
				     .size = (uint32_t)(sizeof(u.raw) + depth * 8),
				     .tgid = tgid,
				     .tid = tgid,
				     .ts_ns = ts_ns };
	u.raw.regs[7] = STACK_AT;
	u.raw.regs[16] = pc;
	u.raw.stack_bytes = (uint32_t)depth * 8;
	for (size_t i = 0; i < depth; i++)
		u.raw.words[i] =
			pages[i] + (i + 1 < depth ? LEAT_RIG_FUNC + 16 : LEAT_RIG_ROOT + 16);
	dispatch(r, &u, u.raw.h.size);
}

void leat_rig_dispatch_raw_at(struct leat_rig *r, uint32_t tgid, uint64_t pc, size_t depth,
			      uint64_t ts_ns)
{
	uint64_t pages[64];

	for (size_t i = 0; i < 64; i++)
		pages[i] = pc & ~0xfffull;
	dispatch_raw(r, tgid, pc, pages, depth, ts_ns);
}

void leat_rig_dispatch_raw_over(struct leat_rig *r, uint32_t tgid, uint64_t pc,
				const uint64_t *pages, size_t depth)
{
	dispatch_raw(r, tgid, pc, pages, depth, leat_clock_ns());
}

void leat_rig_dispatch_raw(struct leat_rig *r, uint32_t tgid, uint64_t pc, size_t depth)
{
	leat_rig_dispatch_raw_at(r, tgid, pc, depth, leat_clock_ns());
}

/* ---- time ---- */

void leat_rig_sampled(struct leat_rig *r, uint32_t no)
{
	if (r->engine->kernel.exes[no].state == LEAT_EXE_UNKNOWN)
		r->engine->kernel.exes[no].state = LEAT_EXE_WANTED;
}

void leat_rig_round(struct leat_rig *r)
{
	need(!leat_tables_round(r->tables), "round");
}

struct wanted {
	uint32_t no;
	enum leat_exe_state state;
	uint64_t n;
};

static bool wait_until(struct leat_rig *r,
		       bool (*is)(const struct leat_rig *r, const struct wanted *w),
		       struct wanted w)
{
	const uint64_t until = leat_clock_ns() + WAIT_MS * 1000000ull;

	for (;;) {
		leat_rig_round(r);
		if (is(r, &w))
			return true;
		if (leat_clock_ns() > until)
			return false;
		usleep(500);
	}
}

static bool is_state(const struct leat_rig *r, const struct wanted *w)
{
	return r->engine->kernel.exes[w->no].state == (uint32_t)w->state;
}

static bool is_gone(const struct leat_rig *r, const struct wanted *w)
{
	return r->tables->binaries[w->no].state == LEAT_BINARY_NEW;
}

static bool is_built(const struct leat_rig *r, const struct wanted *w)
{
	return leat_rig_stats(r).tables >= w->n;
}

static bool is_small(const struct leat_rig *r, const struct wanted *w)
{
	return leat_rig_stats(r).bytes <= w->n;
}

static bool is_settled(const struct leat_rig *r, const struct wanted *w)
{
	const enum leat_binary_state s = r->tables->binaries[w->no].state;

	return s == LEAT_BINARY_READY || s == LEAT_BINARY_FAILED || s == LEAT_BINARY_FRAMED;
}

bool leat_rig_wait(struct leat_rig *r, uint32_t no, enum leat_exe_state state)
{
	return wait_until(r, is_state, (struct wanted){ .no = no, .state = state });
}

bool leat_rig_wait_gone(struct leat_rig *r, uint32_t no)
{
	return wait_until(r, is_gone, (struct wanted){ .no = no });
}

bool leat_rig_wait_built(struct leat_rig *r, uint64_t tables)
{
	return wait_until(r, is_built, (struct wanted){ .n = tables });
}

bool leat_rig_wait_bytes(struct leat_rig *r, uint64_t max)
{
	return wait_until(r, is_small, (struct wanted){ .n = max });
}

bool leat_rig_wait_settled(struct leat_rig *r, uint32_t no)
{
	return wait_until(r, is_settled, (struct wanted){ .no = no });
}

struct leat_tables_stats leat_rig_stats(const struct leat_rig *r)
{
	struct leat_tables_stats s;

	leat_tables_stats(r->tables, &s);
	return s;
}

enum leat_no_table leat_rig_why(const struct leat_rig *r, uint32_t no)
{
	return r->tables->binaries[no].why;
}
