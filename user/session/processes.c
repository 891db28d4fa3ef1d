/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens to processes: seen, forked, renamed, exec, exited. */
#include <string.h>

#include "session/impl.h"

enum {
	PROCESS_START,
	PROCESS_PPID,
	PROCESS_NS_TGID,
	PROCESS_UID,
	PROCESS_FLAGS,
	PROCESS_COMM,
	PROCESS_EXE
};
const char *const leat_process_fields[] = { "start_ns", "?ppid", "?ns_tgid", "?uid",
					    "?flags",	"comm",	 "?exe",     NULL };
enum { COMM_FLAGS, COMM_COMM };
const char *const leat_comm_fields[] = { "?flags", "comm", NULL };
enum { TASK_PTGID };
const char *const leat_task_fields[] = { "ptgid", NULL };

/* A text field as a string of the profile; @id is left alone when it is empty. */
static int read_string(const struct leat_hook *hook, unsigned int field,
		       const struct leat_record *r, uint32_t *id)
{
	struct leat_slice text = { .data = NULL, .len = 0 };

	if (hook->refs[field].index != LEAT_FIELD_REF_NONE)
		text = leat_get_text(hook->format, hook->refs[field], r);
	if (!text.len)
		return 0;
	return leat_profile_string(hook->s->p, text.data, text.len, id);
}

/* A process as /proc has it: a new one, or more about one that is known. */
static int merge_process(struct leat_session *s, const struct leat_record *r,
			 const struct leat_process *seen)
{
	uint32_t id = leat_incarnation_at(s, r->tgid, r->ts_ns, seen->start_ns);
	struct leat_process *have;
	int err;

	if (id == LEAT_ID_NONE) {
		err = leat_incarnation_add(s, seen, &id);
		if (err)
			return err;
	}
	s->inc[id].info_ns = r->ts_ns;
	have = &s->p->processes[id];
	if (!have->start_ns)
		have->start_ns = seen->start_ns;
	have->ppid = seen->ppid ? seen->ppid : have->ppid;
	have->ns_tgid = seen->ns_tgid;
	have->uid = seen->uid;
	have->flags = seen->flags;
	have->comm = seen->comm ? seen->comm : have->comm;
	have->exe = seen->exe != LEAT_ID_NONE ? seen->exe : have->exe;
	have->announced = true;
	have->maps_known = true;
	return 0;
}

int leat_on_process(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_reading rd = { .hook = ctx, .r = r };
	struct leat_process proc = {
		.tgid = r->tgid,
		.ns_tgid = leat_field_u32(&rd, PROCESS_NS_TGID),
		.ppid = leat_field_u32(&rd, PROCESS_PPID),
		.uid = leat_field_u32(&rd, PROCESS_UID),
		.exe = LEAT_ID_NONE,
		.flags = leat_field_u32(&rd, PROCESS_FLAGS),
		.start_ns = leat_field_u64(&rd, PROCESS_START),
		.to_ns = UINT64_MAX,
	};
	int err;

	(void)ev;
	if (leat_reading_failed(&rd))
		return 0;
	/* It ran before it was seen: since its start, which is known to some ticks. */
	proc.from_ns = proc.start_ns > LEAT_START_SLACK_NS ? proc.start_ns - LEAT_START_SLACK_NS
							   : 0;
	if (!proc.ns_tgid && !(proc.flags & LEAT_PROCESS_OTHER_PID_NS))
		proc.ns_tgid = proc.tgid;
	err = read_string(rd.hook, PROCESS_COMM, r, &proc.comm);
	if (!err)
		err = read_string(rd.hook, PROCESS_EXE, r, &proc.exe);
	return err ? err : merge_process(rd.hook->s, r, &proc);
}

static int name_thread(const struct leat_hook *hook, const struct leat_record *r)
{
	struct leat_session *s = hook->s;
	uint32_t process, thread;
	int err;

	if (!s->opts.per_thread)
		return 0;
	err = leat_incarnation_get(s, r->tgid, r->ts_ns, 0, &process);
	if (!err)
		err = leat_profile_thread(s->p, process, r->tid, &thread);
	if (err)
		return err;
	return read_string(hook, COMM_COMM, r, &s->p->threads[thread].comm);
}

int leat_on_thread(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	(void)ev;
	return name_thread(ctx, r);
}

/* Another program in the same process: no mapping is left, and the executable is not known yet. */
static int exec(const struct leat_hook *hook, const struct leat_record *r)
{
	struct leat_session *s = hook->s;
	struct leat_process proc;
	uint32_t old, id;
	bool seen_after;
	int err;

	err = leat_incarnation_get(s, r->tgid, r->ts_ns, 0, &old);
	if (err)
		return err;
	if (s->p->processes[old].from_ns > r->ts_ns)
		s->p->processes[old].from_ns = r->ts_ns; /* it was there to call exec */
	proc = s->p->processes[old];
	memset(&proc.maps, 0, sizeof(proc.maps));
	seen_after = s->inc[old].info_ns > r->ts_ns;
	proc.exe = seen_after ? proc.exe : LEAT_ID_NONE;
	proc.flags &= ~(uint32_t)(LEAT_PROCESS_MAPS_UNREADABLE | LEAT_PROCESS_MAPS_TRUNCATED);
	proc.exec_cnt++;
	proc.from_ns = r->ts_ns;
	proc.samples = 0;
	proc.announced = true;
	proc.maps_known = true;
	err = read_string(hook, COMM_COMM, r, &proc.comm);
	if (!err)
		err = leat_incarnation_add(s, &proc, &id);
	if (err)
		return err;
	s->inc[id].exec_of = old;
	s->inc[id].info_ns = seen_after ? s->inc[old].info_ns : 0;
	return leat_maps_split(s, old, id, r->ts_ns);
}

int leat_on_comm(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_reading rd = { .hook = ctx, .r = r };
	uint32_t flags = leat_field_u32(&rd, COMM_FLAGS);
	struct leat_session *s = rd.hook->s;
	uint32_t process;
	int err;

	(void)ev;
	if (leat_reading_failed(&rd))
		return 0;
	if (flags & LEAT_COMM_EXEC)
		return exec(rd.hook, r);
	if (r->tid != r->tgid)
		return name_thread(rd.hook, r);
	err = leat_incarnation_get(s, r->tgid, r->ts_ns, 0, &process);
	return err ? err : read_string(rd.hook, COMM_COMM, r, &s->p->processes[process].comm);
}

/* A child begins as its parent is now: name, executable, mappings. */
static int fork_child(struct leat_session *s, const struct leat_record *r, uint32_t parent)
{
	struct leat_process proc = s->p->processes[parent];
	uint32_t id;
	int err;

	memset(&proc.maps, 0, sizeof(proc.maps));
	proc.ppid = proc.tgid;
	proc.tgid = r->tgid;
	proc.ns_tgid = proc.flags & LEAT_PROCESS_OTHER_PID_NS ? 0 : r->tgid;
	proc.start_ns = proc.from_ns = r->ts_ns;
	proc.to_ns = UINT64_MAX;
	proc.exec_cnt = 0;
	proc.samples = 0;
	err = leat_incarnation_add(s, &proc, &id);
	if (err)
		return err;
	s->inc[id].inherit = parent;
	s->inc[id].inherit_ns = r->ts_ns;
	return 0;
}

/* Whether @process has its mappings from @from, at whatever distance. */
static bool has_maps_of(const struct leat_session *s, uint32_t process, uint32_t from)
{
	while (process != LEAT_ID_NONE && process != from)
		process = s->inc[process].inherit;
	return process == from;
}

/* A child that was seen before its fork was told: what it has of its own stands. */
static void adopt_child(struct leat_session *s, const struct leat_record *r, uint32_t parent,
			uint32_t child)
{
	const struct leat_process *from = &s->p->processes[parent];
	struct leat_process *to = &s->p->processes[child];

	if (!to->announced) {
		to->comm = from->comm;
		to->exe = from->exe;
		to->uid = from->uid;
		to->flags = from->flags;
		to->announced = from->announced;
		to->maps_known = from->maps_known;
		to->ppid = from->tgid;
	}
	/* Records that contradict each other must not make a circle. */
	if (s->inc[child].inherit == LEAT_ID_NONE && !to->maps.n &&
	    !has_maps_of(s, parent, child)) {
		s->inc[child].inherit = parent;
		s->inc[child].inherit_ns = r->ts_ns;
	}
}

int leat_on_fork(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_reading rd = { .hook = ctx, .r = r };
	uint32_t ptgid = leat_field_u32(&rd, TASK_PTGID);
	struct leat_session *s = rd.hook->s;
	uint32_t parent, have;
	int err;

	(void)ev;
	if (leat_reading_failed(&rd))
		return 0;
	if (ptgid == r->tgid)
		return 0; /* a thread */
	err = leat_incarnation_get(s, ptgid, r->ts_ns, 0, &parent);
	if (err)
		return err;
	have = leat_incarnation_at(s, r->tgid, r->ts_ns, r->ts_ns);
	if (have == LEAT_ID_NONE || !s->p->processes[have].start_ns)
		return fork_child(s, r, parent);
	adopt_child(s, r, parent, have);
	return 0;
}

/* The leader's exit, and that of threads that outlive it. */
int leat_on_exit(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_hook *hook = ctx;
	uint32_t id = leat_incarnation_at(hook->s, r->tgid, r->ts_ns, 0);
	struct leat_process *proc;

	(void)ev;
	if (id == LEAT_ID_NONE)
		return 0;
	proc = &hook->s->p->processes[id];
	if (r->tid == r->tgid || (proc->to_ns != UINT64_MAX && proc->to_ns < r->ts_ns))
		proc->to_ns = r->ts_ns;
	return 0;
}
