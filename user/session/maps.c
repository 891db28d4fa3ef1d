/* SPDX-License-Identifier: BSD-2-Clause */
/* Executable mappings and the objects behind them. */
#include <errno.h>
#include <string.h>

#include "session/impl.h"

enum {
	MMAP_START,
	MMAP_END,
	MMAP_PGOFF,
	MMAP_DEV,
	MMAP_INO,
	MMAP_INO_GEN,
	MMAP_KIND,
	MMAP_BUILD_ID_LEN,
	MMAP_FROM_PROC,
	MMAP_BUILD_ID,
	MMAP_PATH
};
const char *const leat_mmap_fields[] = {
	"start",      "end",	       "pgoff",	     "?dev",	  "?ino",  "?ino_gen",
	"?mmap_kind", "?build_id_len", "?from_proc", "?build_id", "?path", NULL,
};

/* A mapping as it was read. */
struct seen {
	struct leat_mapping map;
	struct leat_object object;
	enum leat_mmap_kind kind;
};

struct leat_mappings *leat_maps_of(struct leat_session *s, uint32_t process, uint64_t *until_ns)
{
	struct leat_incarnation *of = &s->inc[process];
	uint64_t until = UINT64_MAX;
	size_t steps = 0;

	/* Ends: nobody inherits from himself, see leat_on_fork. */
	while (!s->p->processes[process].maps.n && s->inc[process].inherit != LEAT_ID_NONE) {
		const struct leat_incarnation *inc = &s->inc[process];

		until = inc->inherit_ns < until ? inc->inherit_ns : until;
		process = inc->inherit;
		steps++;
	}
	if (steps > 1) { /* a long line of forks is walked once */
		of->inherit = process;
		of->inherit_ns = until;
	}
	*until_ns = until;
	return &s->p->processes[process].maps;
}

/* A child that maps something itself takes its parent's mappings along first. */
static int make_own(struct leat_session *s, uint32_t process)
{
	struct leat_mappings own = { .items = NULL };
	struct leat_mappings *maps = &s->p->processes[process].maps;
	const struct leat_mappings *from;
	uint64_t until_ns;
	int err;

	if (maps->n || s->inc[process].inherit == LEAT_ID_NONE)
		return 0;
	from = leat_maps_of(s, process, &until_ns);
	if (from == maps || !from->n)
		return 0;
	if (s->mapping_cnt + from->n > LEAT_SESSION_MAX_MAPPINGS)
		return -EOVERFLOW;
	err = leat_mappings_inherit(&own, from, until_ns);
	if (err) {
		leat_mappings_fini(&own);
		return err;
	}
	/* Higher than any that the parent has had: what was placed by its mappings is looked at anew. */
	own.version += from->version + 1;
	s->mapping_cnt += own.n;
	*maps = own;
	return 0;
}

int leat_maps_split(struct leat_session *s, uint32_t from, uint32_t to, uint64_t ns)
{
	struct leat_process *procs = s->p->processes;

	return leat_mappings_split(&procs[to].maps, &procs[from].maps, ns);
}

static void read_object(struct leat_reading *rd, struct leat_object *o)
{
	const struct leat_hook *hook = rd->hook;
	uint32_t len = leat_field_u32(rd, MMAP_BUILD_ID_LEN);
	struct leat_slice id;

	o->dev = leat_field_u64(rd, MMAP_DEV);
	o->ino = leat_field_u64(rd, MMAP_INO);
	o->ino_gen = leat_field_u64(rd, MMAP_INO_GEN);
	if (!len || hook->refs[MMAP_BUILD_ID].index == LEAT_FIELD_REF_NONE)
		return;
	id = leat_get_slice(hook->format, hook->refs[MMAP_BUILD_ID], rd->r);
	if (len > id.len || len > sizeof(o->build_id)) {
		rd->err = -EBADMSG;
		return;
	}
	o->build_id_len = (uint8_t)len;
	memcpy(o->build_id, id.data, len);
}

/* What has no file behind it is code of this process alone. */
static int name_object(struct leat_session *s, struct seen *m, const char *path, size_t n)
{
	struct leat_object *o = &m->object;

	o->kind = LEAT_OBJECT_FILE;
	if (m->kind == LEAT_MMAP_VDSO) {
		o->kind = LEAT_OBJECT_VDSO;
		path = "[vdso]";
	} else if (m->kind == LEAT_MMAP_ANON || !n) {
		o->kind = LEAT_OBJECT_JIT;
		o->build_id_len = 0;
		o->dev = o->ino = o->ino_gen = 0;
		path = "[jit]";
		m->map.pgoff = m->map.start; /* offsets in it are addresses */
	}
	if (o->kind != LEAT_OBJECT_FILE)
		n = strlen(path);
	return leat_profile_string(s->p, path, n, &o->path);
}

static int add_object(struct leat_session *s, struct seen *m, uint32_t process)
{
	size_t before = s->p->object_cnt;
	int err;

	m->object.process = process;
	m->object.map_start = m->map.start;
	m->object.map_end = m->map.end;
	m->object.map_pgoff = m->map.pgoff;
	err = leat_profile_object(s->p, &m->object, &m->map.object);
	if (!err && s->p->object_cnt > before && s->hooks.on_object)
		s->hooks.on_object(s->hooks.ctx, s->p, m->map.object, process, m->map.start,
				   m->map.end);
	return err;
}

static int add_mapping(struct leat_session *s, const struct seen *m, uint32_t process)
{
	struct leat_process *proc = &s->p->processes[process];
	size_t before;
	int err = make_own(s, process);

	if (!err && s->mapping_cnt >= LEAT_SESSION_MAX_MAPPINGS)
		err = -EOVERFLOW;
	if (err)
		return err;
	before = proc->maps.n;
	err = leat_mappings_add(&proc->maps, &m->map);
	s->mapping_cnt += proc->maps.n - before;
	/* After an exec the kernel maps the executable first. */
	if (!err && !m->map.from_proc && proc->exe == LEAT_ID_NONE &&
	    m->object.kind == LEAT_OBJECT_FILE)
		proc->exe = m->object.path;
	return err;
}

/* A mapping that does not fit leaves its frames without a name, and is counted. */
static int add_seen(struct leat_session *s, struct seen *m, uint32_t process)
{
	int err = add_object(s, m, process);

	if (!err)
		err = add_mapping(s, m, process);
	if (err == -EOVERFLOW)
		s->p->processes[process].flags |= LEAT_PROCESS_MAPS_TRUNCATED;
	return err;
}

int leat_on_mmap(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_reading rd = { .hook = ctx, .r = r };
	struct leat_slice path = { .data = NULL, .len = 0 };
	struct leat_session *s = rd.hook->s;
	struct seen m = { .kind = leat_field_u32(&rd, MMAP_KIND) };
	uint32_t process;
	int err;

	(void)ev;
	m.map.start = leat_field_u64(&rd, MMAP_START);
	m.map.end = leat_field_u64(&rd, MMAP_END);
	m.map.pgoff = leat_field_u64(&rd, MMAP_PGOFF);
	m.map.from_ns = r->ts_ns;
	m.map.from_proc = leat_field_u32(&rd, MMAP_FROM_PROC) != 0;
	read_object(&rd, &m.object);
	if (rd.hook->refs[MMAP_PATH].index != LEAT_FIELD_REF_NONE)
		path = leat_get_text(rd.hook->format, rd.hook->refs[MMAP_PATH], r);
	if (m.map.start >= m.map.end)
		rd.err = -EBADMSG;
	if (leat_reading_failed(&rd))
		return 0;
	/* The kernel emulates calls into the vsyscall page: nothing runs there. */
	if (m.kind == LEAT_MMAP_VSYSCALL)
		return 0;
	err = leat_incarnation_get(s, r->tgid, r->ts_ns, 0, &process);
	if (!err)
		err = name_object(s, &m, path.data ? path.data : "", path.len);
	return err ? err : add_seen(s, &m, process);
}
