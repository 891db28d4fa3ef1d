/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names that were found when it was recorded, put onto the frames of a replay: by object and offset,
 * so that they fit even where the session of another version numbers them otherwise.
 */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "session/capture_impl.h"

#define FINDINGS (LEAT_FRAME_BAD_CALL | LEAT_FRAME_CHECKED | LEAT_FRAME_ROOT | LEAT_FRAME_SIGNAL)

void leat_names_fini(struct leat_names *n)
{
	free(n->strings);
	free(n->processes);
	free(n->objects);
	free(n->functions);
	free(n->frames);
	*n = (struct leat_names){ 0 };
}

/* ---- reading ---- */

static int read_strings(struct leat_names *n, struct leat_reader *r, struct leat_profile *to)
{
	while (leat_reader_left(r)) {
		const void *text;
		uint32_t len, id;
		int err;

		if (leat_reader_u32(r, &len) || leat_reader_bytes(r, len, &text))
			return -EBADMSG;
		err = LEAT_ARRAY_ROOM(n->strings, n->string_cap, n->string_cnt + 1,
				      LEAT_PROFILE_MAX_STRINGS);
		if (!err)
			err = leat_profile_string(to, text, strnlen(text, len), &id);
		if (err)
			return err;
		n->strings[n->string_cnt++] = id;
	}
	return 0;
}

/* What of a longer row is known is taken. */
#define READ_ROWS(rows, cnt, cap, max)                                                             \
	({                                                                                         \
		struct leat_capture_table t_;                                                      \
		int err_ = leat_capture_get_table(r, sizeof(*(rows)), &t_);                        \
                                                                                                   \
		if (!err_)                                                                         \
			err_ = LEAT_ARRAY_ROOM(rows, cap, (cnt) + t_.row_cnt, max);                \
		for (uint32_t i_ = 0; !err_ && i_ < t_.row_cnt; i_++)                              \
			memcpy(&(rows)[(cnt)++], r->base + r->off + (size_t)i_ * t_.row_bytes,     \
			       sizeof(*(rows)));                                                   \
		err_;                                                                              \
	})

int leat_names_read(struct leat_names *n, uint16_t kind, struct leat_reader *r,
		    struct leat_profile *to)
{
	switch (kind) {
	case LEAT_CAPTURE_STRINGS:
		return read_strings(n, r, to);
	case LEAT_CAPTURE_PROCESSES:
		return READ_ROWS(n->processes, n->process_cnt, n->process_cap,
				 LEAT_PROFILE_MAX_PROCESSES);
	case LEAT_CAPTURE_OBJECTS:
		return READ_ROWS(n->objects, n->object_cnt, n->object_cap,
				 LEAT_PROFILE_MAX_OBJECTS);
	case LEAT_CAPTURE_FUNCTIONS:
		return READ_ROWS(n->functions, n->function_cnt, n->function_cap,
				 LEAT_PROFILE_MAX_FUNCTIONS);
	case LEAT_CAPTURE_FRAMES:
		return READ_ROWS(n->frames, n->frame_cnt, n->frame_cap, LEAT_PROFILE_MAX_FRAMES);
	default:
		return 0;
	}
}

/* ---- applying ---- */

struct applying {
	const struct leat_names *n;
	struct leat_profile *p;
	uint32_t *process;  /* of the profile, by number in the file; LEAT_ID_NONE */
	uint32_t *object;   /* the same */
	uint32_t *function; /* the same */
	uint32_t *sorted;   /* processes of the profile in order; NULL until it is needed */
};

static void applying_fini(struct applying *a)
{
	free(a->process);
	free(a->object);
	free(a->function);
	free(a->sorted);
}

static int compare(const struct leat_process *proc, const struct leat_row_process *row)
{
	if (proc->tgid != row->tgid)
		return proc->tgid < row->tgid ? -1 : 1;
	if (proc->from_ns != row->from_ns)
		return proc->from_ns < row->from_ns ? -1 : 1;
	if (proc->start_ns != row->start_ns)
		return proc->start_ns < row->start_ns ? -1 : 1;
	return proc->exec_cnt < row->exec_cnt ? -1 : proc->exec_cnt > row->exec_cnt;
}

static int by_identity(const void *x, const void *y, void *ctx)
{
	const struct leat_profile *p = ctx;
	const struct leat_process *a = &p->processes[*(const uint32_t *)x];
	const struct leat_process *b = &p->processes[*(const uint32_t *)y];
	struct leat_row_process row = { b->tgid, b->exec_cnt, b->start_ns, b->from_ns };

	return compare(a, &row);
}

static int sort_processes(struct applying *a)
{
	size_t cnt = a->p->process_cnt;

	a->sorted = malloc((cnt + 1) * sizeof(*a->sorted));
	if (!a->sorted)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++)
		a->sorted[i] = (uint32_t)i;
	if (cnt)
		qsort_r(a->sorted, cnt, sizeof(*a->sorted), by_identity, a->p);
	return 0;
}

static uint32_t search_process(const struct applying *a, const struct leat_row_process *row)
{
	size_t from = 0, to = a->p->process_cnt;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int c = compare(&a->p->processes[a->sorted[mid]], row);

		if (!c)
			return a->sorted[mid];
		if (c < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return LEAT_ID_NONE;
}

static int map_processes(struct applying *a)
{
	a->process = malloc((a->n->process_cnt + 1) * sizeof(*a->process));
	if (!a->process)
		return -ENOMEM;
	for (size_t i = 0; i < a->n->process_cnt; i++) {
		const struct leat_row_process *row = &a->n->processes[i];

		/* The same session numbers them alike. */
		if (i < a->p->process_cnt && !compare(&a->p->processes[i], row)) {
			a->process[i] = (uint32_t)i;
			continue;
		}
		if (!a->sorted && sort_processes(a))
			return -ENOMEM;
		a->process[i] = search_process(a, row);
	}
	return 0;
}

/* A string's id; LEAT_ID_NONE stays what it is. */
static int map_string(const struct applying *a, uint32_t number, uint32_t *id)
{
	if (number != LEAT_ID_NONE && number >= a->n->string_cnt)
		return -EBADMSG;
	*id = number == LEAT_ID_NONE ? LEAT_ID_NONE : a->n->strings[number];
	return 0;
}

static bool is_of_process(const struct leat_object *o)
{
	return o->kind == LEAT_OBJECT_JIT || o->kind == LEAT_OBJECT_UNKNOWN;
}

/* Of a kind that is unknown, or of a process that the replay does not have: *@id LEAT_ID_NONE. */
static int map_object(struct applying *a, const struct leat_row_object *row, uint32_t *id)
{
	struct leat_object o = {
		.kind = (enum leat_object_kind)row->kind,
		.process = LEAT_ID_NONE,
		.dev = row->dev,
		.ino = row->ino,
		.ino_gen = row->ino_gen,
		.map_start = row->map_start,
		.map_end = row->map_end,
		.map_pgoff = row->map_pgoff,
	};
	int err = map_string(a, row->path, &o.path);

	*id = LEAT_ID_NONE;
	if (err || o.path == LEAT_ID_NONE || row->build_id_len > sizeof(o.build_id))
		return -EBADMSG;
	o.build_id_len = (uint8_t)row->build_id_len;
	memcpy(o.build_id, row->build_id, sizeof(o.build_id));
	if (row->process != LEAT_ID_NONE && row->process < a->n->process_cnt)
		o.process = a->process[row->process];
	if (row->kind > LEAT_OBJECT_NAMED || (is_of_process(&o) && o.process == LEAT_ID_NONE))
		return 0;
	err = leat_profile_object(a->p, &o, id);
	if (err)
		return err;
	a->p->objects[*id].unreadable = row->flags & LEAT_ROW_UNREADABLE;
	a->p->objects[*id].no_table = (uint8_t)(row->flags >> LEAT_ROW_NO_TABLE);
	return 0;
}

static int map_objects(struct applying *a)
{
	int err = 0;

	a->object = malloc((a->n->object_cnt + 1) * sizeof(*a->object));
	if (!a->object)
		return -ENOMEM;
	for (size_t i = 0; !err && i < a->n->object_cnt; i++)
		err = map_object(a, &a->n->objects[i], &a->object[i]);
	return err;
}

static int map_function(struct applying *a, const struct leat_row_function *row, uint32_t *id)
{
	struct leat_function f = {
		.object = LEAT_ID_NONE,
		.line = row->line,
		.kind = (enum leat_function_kind)row->kind,
		.unnamed = (enum leat_unnamed)row->unnamed,
		.start = row->start,
	};
	int err = 0;

	if ((err = map_string(a, row->name, &f.name)) || (err = map_string(a, row->raw, &f.raw)) ||
	    (err = map_string(a, row->file, &f.file)))
		return err;
	if (f.name == LEAT_ID_NONE ||
	    (row->object != LEAT_ID_NONE && row->object >= a->n->object_cnt))
		return -EBADMSG;
	if (row->object != LEAT_ID_NONE)
		f.object = a->object[row->object];
	/* Of a newer version: it is code, and it has a name. */
	if (row->kind > LEAT_FUNCTION_MARK)
		f.kind = LEAT_FUNCTION_NATIVE;
	if (row->unnamed >= LEAT_UNNAMED__MAX)
		f.unnamed = LEAT_UNNAMED_STRIPPED;
	return leat_profile_function(a->p, &f, id);
}

static int map_functions(struct applying *a)
{
	int err = 0;

	a->function = malloc((a->n->function_cnt + 1) * sizeof(*a->function));
	if (!a->function)
		return -ENOMEM;
	for (size_t i = 0; !err && i < a->n->function_cnt; i++)
		err = map_function(a, &a->n->functions[i], &a->function[i]);
	return err;
}

static bool is_frame(const struct leat_profile *p, size_t i, uint32_t object,
		     const struct leat_row_frame *row)
{
	return i < p->frame_cnt && p->frames[i].object == object &&
	       p->frames[i].offset == row->offset &&
	       ((p->frames[i].flags ^ row->flags) & LEAT_FRAME_IDENTITY) == 0;
}

static int apply_frame(struct applying *a, size_t i, uint64_t *strange)
{
	const struct leat_row_frame *row = &a->n->frames[i];
	uint32_t object, id = (uint32_t)i;

	if (row->object >= a->n->object_cnt ||
	    (row->function != LEAT_ID_NONE && row->function >= a->n->function_cnt))
		return -EBADMSG;
	object = a->object[row->object];
	if (!is_frame(a->p, i, object, row))
		id = object == LEAT_ID_NONE
			     ? LEAT_ID_NONE
			     : leat_profile_frame_find(a->p, object, row->offset, row->flags);
	if (id == LEAT_ID_NONE) {
		(*strange)++;
		return 0;
	}
	a->p->frames[id].flags |= row->flags & FINDINGS;
	if (row->function != LEAT_ID_NONE)
		a->p->frames[id].function = a->function[row->function];
	return 0;
}

int leat_names_apply(const struct leat_names *n, struct leat_profile *p, uint64_t *strange)
{
	LEAT_AUTO(applying_fini) struct applying a = { .n = n, .p = p };
	uint64_t cnt = 0;
	int err = map_processes(&a);

	if (!err)
		err = map_objects(&a);
	if (!err)
		err = map_functions(&a);
	for (size_t i = 0; !err && i < n->frame_cnt; i++)
		err = apply_frame(&a, i, &cnt);
	if (!err)
		*strange = cnt;
	return err;
}
