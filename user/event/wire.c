/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/wire.h"

#include <leat/data_ref.h>

#include <errno.h>
#include <string.h>

#include "event/format.h"

/* Spelled as BTF has it. */
#define TYPE_NAME(s, m)                                                                            \
	_Generic(((struct s *)0)->m,                                                              \
		__u8: "__u8",                                                                     \
		__u16: "__u16",                                                                   \
		__u32: "__u32",                                                                   \
		__u64: "__u64",                                                                   \
		__u8 *: "__u8",                                                                   \
		__u64 *: "__u64",                                                                 \
		char *: "char")

#define ELEM(s, m) sizeof(((struct s *)0)->m[0])
#define FIELD(s, m, t, loc, bytes, elem)                                                           \
	{                                                                                          \
		.name = #m, .type_name = TYPE_NAME(s, m), .type = LEAT_TYPE_##t,                   \
		.location = LEAT_LOCATION_##loc, .offset = offsetof(struct s, m), .size = (bytes), \
		.elem_size = (elem)                                                                \
	}
#define UINT(s, m)  FIELD(s, m, UINT, STATIC, sizeof(((struct s *)0)->m), sizeof(((struct s *)0)->m))
#define UINTS(s, m) FIELD(s, m, UINT, STATIC, sizeof(((struct s *)0)->m), ELEM(s, m))
#define TEXT(s, m)  FIELD(s, m, CHAR, STATIC, sizeof(((struct s *)0)->m), 1)
#define TAIL(s, m)  FIELD(s, m, UINT, TAIL, 0, ELEM(s, m))
#define PATH(s, m)  FIELD(s, m, CHAR, TAIL, 0, 1)

#define HEADER(s)                                                                                  \
	UINT(s, h.kind), UINT(s, h.cpu), UINT(s, h.size), UINT(s, h.ts_ns), UINT(s, h.tgid),       \
		UINT(s, h.tid)
#define PROC(s) UINT(s, proc.start_ns), UINT(s, proc.exec_cnt), UINT(s, proc.map_gen)
#define STACK(s)                                                                                   \
	UINT(s, kframe_cnt), UINT(s, uframe_cnt), UINT(s, uresult), UINT(s, kresult),              \
		UINT(s, user_mode), UINTS(s, pad), TAIL(s, frames)

static const struct leat_field count_fields[] = {
	HEADER(leat_rec_count),		  PROC(leat_rec_count),
	UINT(leat_rec_count, stack_hash), UINT(leat_rec_count, first_ns),
	UINT(leat_rec_count, last_ns),	  UINT(leat_rec_count, count),
};
static const struct leat_field stack_fields[] = {
	HEADER(leat_rec_stack),
	UINT(leat_rec_stack, stack_hash),
	STACK(leat_rec_stack),
};
static const struct leat_field sample_fields[] = {
	HEADER(leat_rec_sample),      PROC(leat_rec_sample),  UINT(leat_rec_sample, stack_hash),
	UINT(leat_rec_sample, count), STACK(leat_rec_sample),
};
static const struct leat_field raw_fields[] = {
	HEADER(leat_rec_raw),		PROC(leat_rec_raw),
	UINTS(leat_rec_raw, regs),	UINT(leat_rec_raw, stack_bytes),
	UINT(leat_rec_raw, kframe_cnt), UINT(leat_rec_raw, kresult),
	UINT(leat_rec_raw, user_mode),	UINT(leat_rec_raw, stack_addr),
	TAIL(leat_rec_raw, words),
};
static const struct leat_field newproc_fields[] = {
	HEADER(leat_rec_newproc),
	PROC(leat_rec_newproc),
};
static const struct leat_field process_fields[] = {
	HEADER(leat_rec_process),     UINT(leat_rec_process, start_ns),
	UINT(leat_rec_process, ppid), UINT(leat_rec_process, ns_tgid),
	UINT(leat_rec_process, uid),  UINT(leat_rec_process, flags),
	TEXT(leat_rec_process, comm), PATH(leat_rec_process, exe),
};
static const struct leat_field comm_fields[] = {
	HEADER(leat_rec_comm),
	UINT(leat_rec_comm, flags),
	UINT(leat_rec_comm, pad),
	TEXT(leat_rec_comm, comm),
};
static const struct leat_field mmap_fields[] = {
	HEADER(leat_rec_mmap),
	UINT(leat_rec_mmap, start),
	UINT(leat_rec_mmap, end),
	UINT(leat_rec_mmap, pgoff),
	UINT(leat_rec_mmap, dev),
	UINT(leat_rec_mmap, ino),
	UINT(leat_rec_mmap, ino_gen),
	UINT(leat_rec_mmap, mmap_kind),
	UINT(leat_rec_mmap, build_id_len),
	UINT(leat_rec_mmap, from_proc),
	UINTS(leat_rec_mmap, pad),
	UINTS(leat_rec_mmap, build_id),
	PATH(leat_rec_mmap, path),
};
static const struct leat_field task_fields[] = {
	HEADER(leat_rec_task),
	UINT(leat_rec_task, ptgid),
	UINT(leat_rec_task, ptid),
};
static const struct leat_field lost_fields[] = {
	HEADER(leat_rec_lost),
	UINT(leat_rec_lost, lost_cnt),
};
static const struct leat_field stat_fields[] = {
	HEADER(leat_rec_stat),
	UINT(leat_rec_stat, wanted),
	UINT(leat_rec_stat, enabled_ns),
	UINTS(leat_rec_stat, stat),
};

struct event_def {
	const char *name;
	const char *struct_name;
	uint32_t flags; /* enum leat_event_flag */
	const struct leat_field *fields;
	size_t field_cnt;
};

#define DEF_AS(event, s, f, fl)                                                                    \
	{                                                                                          \
		.name = (event), .struct_name = #s, .flags = (fl), .fields = (f),                  \
		.field_cnt = LEAT_ARRAY_SIZE(f)                                                    \
	}
#define DEF(event, s, f) DEF_AS(event, s, f, 0)
/* What happens to a process, or is counted of it, has no stack. */
#define TOLD(event, s, f) DEF_AS(event, s, f, LEAT_EVENT_NO_STACK)

static const struct event_def events[LEAT_REC__MAX] = {
	[LEAT_REC_COUNT] = DEF("leat/count", leat_rec_count, count_fields),
	[LEAT_REC_STACK] = DEF("leat/stack", leat_rec_stack, stack_fields),
	/* What a raw one becomes is forwarded to it. */
	[LEAT_REC_SAMPLE] = DEF_AS("leat/sample", leat_rec_sample, sample_fields, LEAT_EVENT_PROXY),
	/* A copy of a stack, with whatever secrets were on it. */
	[LEAT_REC_RAW] = DEF_AS("leat/raw", leat_rec_raw, raw_fields, LEAT_EVENT_NOT_STORED),
	[LEAT_REC_NEWPROC] = TOLD("leat/newproc", leat_rec_newproc, newproc_fields),
	[LEAT_REC_PROCESS] = TOLD("env/process", leat_rec_process, process_fields),
	[LEAT_REC_THREAD] = TOLD("env/thread", leat_rec_comm, comm_fields),
	[LEAT_REC_COMM] = TOLD("env/comm", leat_rec_comm, comm_fields),
	[LEAT_REC_MMAP] = TOLD("env/mmap", leat_rec_mmap, mmap_fields),
	[LEAT_REC_FORK] = TOLD("env/fork", leat_rec_task, task_fields),
	[LEAT_REC_EXIT] = TOLD("env/exit", leat_rec_task, task_fields),
	[LEAT_REC_ENV_LOST] = TOLD("env/lost", leat_rec_lost, lost_fields),
	[LEAT_REC_STAT] = TOLD("leat/stat", leat_rec_stat, stat_fields),
};

static const struct event_def *def_of(enum leat_rec_kind kind)
{
	if ((unsigned int)kind >= LEAT_REC__MAX || !events[kind].name)
		return NULL;
	return &events[kind];
}

const char *leat_wire_event_name(enum leat_rec_kind kind)
{
	const struct event_def *def = def_of(kind);

	return def ? def->name : NULL;
}

const char *leat_wire_struct_name(enum leat_rec_kind kind)
{
	const struct event_def *def = def_of(kind);

	return def ? def->struct_name : NULL;
}

int leat_wire_format(enum leat_rec_kind kind, struct leat_format **out)
{
	LEAT_AUTO(leat_format_free) struct leat_format *f = NULL;
	const struct event_def *def = def_of(kind);
	int err;

	if (!def)
		return -ENOENT;
	err = leat_format_new(&f, def->struct_name);
	for (size_t i = 0; !err && i < def->field_cnt; i++)
		err = leat_format_add(f, &def->fields[i]);
	if (err)
		return err;
	*out = LEAT_TAKE(f);
	return 0;
}

static int register_event(struct leat_bus *bus, enum leat_rec_kind kind, struct leat_format *f)
{
	const char *name = leat_wire_event_name(kind);
	const struct leat_event *have = leat_bus_at(bus, (uint16_t)kind);
	struct leat_event *ev;

	if (!have) {
		int err = leat_bus_add_event(bus, (uint16_t)kind, name, f, &ev);

		if (!err)
			leat_event_set_flags(ev, events[kind].flags);
		return err;
	}
	if (strcmp(leat_event_name(have), name) != 0 ||
	    !leat_format_equal(leat_event_format(have), f))
		return -EEXIST;
	leat_format_free(&f); /* it was given to us, and the event has an equal one */
	return 0;
}

int leat_wire_register(struct leat_bus *bus, enum leat_rec_kind kind, struct leat_format *format)
{
	struct leat_format *made = NULL;
	int err;

	if (!def_of(kind))
		return -ENOENT;
	if (format)
		return register_event(bus, kind, format);
	err = leat_wire_format(kind, &made);
	if (err)
		return err;
	err = register_event(bus, kind, made);
	if (err)
		leat_format_free(&made);
	return err;
}

int leat_wire_register_all(struct leat_bus *bus)
{
	int err = 0;

	for (unsigned int kind = 0; !err && kind < LEAT_REC__MAX; kind++) {
		if (def_of(kind) && !leat_bus_at(bus, (uint16_t)kind))
			err = leat_wire_register(bus, kind, NULL);
	}
	return err;
}

int leat_wire_record(const void *p, size_t n, struct leat_record *out)
{
	struct leat_rec h;

	if (n < sizeof(h))
		return -EBADMSG;
	memcpy(&h, p, sizeof(h));
	if (h.size < sizeof(h) || h.size > n)
		return -EBADMSG;
	*out = (struct leat_record){
		.data = p,
		.size = h.size,
		.kind = h.kind,
		.cpu = h.cpu,
		.tgid = h.tgid,
		.tid = h.tid,
		.ts_ns = h.ts_ns,
	};
	return 0;
}

void leat_wire_dispatch(struct leat_bus *bus, const struct leat_record *r)
{
	struct leat_data_ref *header = leat_bus_header(bus);

	leat_data_ref_move(header, 0, sizeof(struct leat_rec));
	leat_bus_dispatch(bus, r);
	leat_data_ref_reset(header);
}

int leat_wire_forward(struct leat_bus *bus, struct leat_event *proxy, const struct leat_record *r)
{
	struct leat_data_ref *header = leat_bus_header(bus);
	int err;

	leat_data_ref_move(header, 0, sizeof(struct leat_rec));
	err = leat_event_forward(bus, proxy, r, 0, r->size);
	leat_data_ref_reset(header);
	return err;
}
