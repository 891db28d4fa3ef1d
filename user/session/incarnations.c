/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes by {tgid, start, exec}. Those of one tgid form a list, newest first: a time belongs to
 * the first one that had begun by then. An end is noted and decides nothing: threads outlive their
 * leader, and clocks differ by some ticks.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "session/impl.h"

bool leat_start_agrees(uint64_t a_ns, uint64_t b_ns)
{
	uint64_t diff = a_ns > b_ns ? a_ns - b_ns : b_ns - a_ns;

	return !a_ns || !b_ns || diff <= LEAT_START_SLACK_NS;
}

static bool tgid_eq(const void *ctx, uint32_t value, const void *key)
{
	return ((const struct leat_tgid *)ctx)[value].tgid == *(const uint32_t *)key;
}

/* Index into tgids, or LEAT_INDEX_NONE. Records of one process come in runs. */
static uint32_t find_tgid(struct leat_session *s, uint32_t tgid)
{
	uint32_t i = s->last_tgid;

	if (i < s->tgid_index.n && s->tgids[i].tgid == tgid)
		return i;
	i = leat_index_find(&s->tgid_index, leat_hash_u64(tgid), tgid_eq, s->tgids, &tgid);
	if (i != LEAT_INDEX_NONE)
		s->last_tgid = i;
	return i;
}

static int get_tgid(struct leat_session *s, uint32_t tgid, uint32_t *out)
{
	uint32_t i = find_tgid(s, tgid);
	int err;

	if (i == LEAT_INDEX_NONE) {
		i = (uint32_t)s->tgid_index.n;
		err = LEAT_ARRAY_ROOM(s->tgids, s->tgid_cap, (size_t)i + 1,
				      LEAT_PROFILE_MAX_PROCESSES);
		if (!err)
			err = leat_index_add(&s->tgid_index, leat_hash_u64(tgid), i);
		if (err)
			return err;
		s->tgids[i] = (struct leat_tgid){ .tgid = tgid, .newest = LEAT_ID_NONE };
	}
	*out = i;
	return 0;
}

uint32_t leat_incarnation_at(struct leat_session *s, uint32_t tgid, uint64_t ns, uint64_t start_ns)
{
	uint32_t at = find_tgid(s, tgid);
	uint32_t first = LEAT_ID_NONE; /* the oldest that agrees, should all have begun later */
	uint32_t i;

	if (at == LEAT_INDEX_NONE)
		return LEAT_ID_NONE;
	for (i = s->tgids[at].newest; i != LEAT_ID_NONE; i = s->inc[i].older) {
		const struct leat_process *proc = &s->p->processes[i];

		if (!leat_start_agrees(proc->start_ns, start_ns))
			continue;
		if (proc->from_ns <= ns)
			return i;
		first = i;
	}
	return first;
}

/* Puts @id where its beginning belongs among those of its tgid. */
static void link_in(struct leat_session *s, uint32_t tgid_at, uint32_t id)
{
	struct leat_process *procs = s->p->processes;
	uint32_t *link = &s->tgids[tgid_at].newest;
	uint32_t newer = LEAT_ID_NONE;

	while (*link != LEAT_ID_NONE && procs[*link].from_ns > procs[id].from_ns) {
		newer = *link;
		link = &s->inc[*link].older;
	}
	s->inc[id].older = *link;
	*link = id;
	if (newer != LEAT_ID_NONE && procs[id].to_ns > procs[newer].from_ns)
		procs[id].to_ns = procs[newer].from_ns;
	if (s->inc[id].older != LEAT_ID_NONE) {
		struct leat_process *older = &procs[s->inc[id].older];

		if (older->to_ns > procs[id].from_ns)
			older->to_ns = procs[id].from_ns;
	}
}

int leat_incarnation_add(struct leat_session *s, const struct leat_process *proc, uint32_t *process)
{
	uint32_t tgid_at, id;
	int err = LEAT_ARRAY_ROOM(s->inc, s->inc_cap, s->p->process_cnt + 1,
				  LEAT_PROFILE_MAX_PROCESSES);

	if (!err)
		err = get_tgid(s, proc->tgid, &tgid_at);
	if (!err)
		err = leat_profile_process(s->p, proc, &id);
	if (err)
		return err;
	s->inc[id] = (struct leat_incarnation){
		.older = LEAT_ID_NONE,
		.inherit = LEAT_ID_NONE,
		.exec_of = LEAT_ID_NONE,
		.unknown = LEAT_ID_NONE,
	};
	link_in(s, tgid_at, id);
	*process = id;
	return 0;
}

/* The idle task is no process, and everybody knows it. */
static int name_made_up(struct leat_session *s, struct leat_process *proc)
{
	char name[32];
	int n = snprintf(name, sizeof(name), "[pid %u]", proc->tgid);

	if (proc->tgid == 0) {
		n = snprintf(name, sizeof(name), "swapper");
		proc->announced = true;
		proc->flags = LEAT_PROCESS_KTHREAD;
	}
	return leat_profile_string(s->p, name, (size_t)n, &proc->comm);
}

int leat_incarnation_get(struct leat_session *s, uint32_t tgid, uint64_t ns, uint64_t start_ns,
			 uint32_t *process)
{
	struct leat_process proc = {
		.tgid = tgid,
		.ns_tgid = tgid,
		.exe = LEAT_ID_NONE,
		.start_ns = start_ns,
		.from_ns = start_ns,
		.to_ns = UINT64_MAX,
	};
	uint32_t have = leat_incarnation_at(s, tgid, ns, tgid ? start_ns : 0);
	int err;

	if (have != LEAT_ID_NONE) {
		if (!s->p->processes[have].start_ns)
			s->p->processes[have].start_ns = start_ns;
		*process = have;
		return 0;
	}
	if (!tgid)
		proc.start_ns = proc.from_ns = 0;
	err = name_made_up(s, &proc);
	return err ? err : leat_incarnation_add(s, &proc, process);
}

/* Parents come before their children: one pass hands names down. */
void leat_incarnations_finish(struct leat_session *s)
{
	struct leat_profile *p = s->p;

	for (uint32_t i = 0; i < p->process_cnt; i++) {
		struct leat_process *proc = &p->processes[i];
		const struct leat_mappings *maps;
		uint64_t until_ns;

		if (s->inc[i].inherit != LEAT_ID_NONE && !proc->announced) {
			const struct leat_process *parent = &p->processes[s->inc[i].inherit];

			proc->announced = parent->announced;
			proc->comm = parent->announced ? parent->comm : proc->comm;
			proc->exe = parent->exe;
			proc->maps_known = parent->maps_known;
		}
		maps = leat_maps_of(s, i, &until_ns);
		if (!maps->n ||
		    proc->flags & (LEAT_PROCESS_MAPS_UNREADABLE | LEAT_PROCESS_MAPS_TRUNCATED))
			proc->maps_known = false;
		if (!proc->announced)
			p->verdict.unknown_process += proc->samples;
		if (proc->samples && proc->flags & LEAT_PROCESS_MAPS_UNREADABLE)
			p->verdict.processes_unreadable++;
	}
}
