/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event is a line that says who and when, then its frames, innermost first, each behind a tab,
 * then an empty line. Without call chains an event is one line with at most one frame.
 *
 *	nginx  4242/4243 [001]  5.001500:   10101010 cpu-clock:
 *		    7f0000028775 hot+0x5 (/usr/sbin/nginx)
 */
#include "import/perf_script.h"

#include <errno.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "import/perf_head.h"

#define FIRST_SLOTS   512u
#define MAX_SLOTS     32768u /* 4 MB */
#define KERNEL_DIGITS 16
#define DEEP_NESTING  64 /* parentheses in a path */

struct script {
	struct leat_build *b;
	const struct leat_import_opts *o;
	struct leat_perf_head head;
	bool in_event; /* between its first line and the empty one */
	bool is_sample;
	const char *end; /* of the chunk */
};

size_t leat_perf_script_cut(const char *p, size_t n)
{
	const char *at = p + n, *nl;

	/* Behind the last empty line ... */
	while ((nl = memrchr(p, '\n', (size_t)(at - p))) && nl > p) {
		if (nl[-1] == '\n' || (nl[-1] == '\r' && nl > p + 1 && nl[-2] == '\n'))
			return (size_t)(nl + 1 - p);
		at = nl;
	}
	/* ... or where there is none, before the last line that is no frame. */
	for (at = p + n; (nl = memrchr(p, '\n', (size_t)(at - p))); at = nl) {
		if (nl + 1 < p + n && nl[1] != '\t' && nl[1] != '\r')
			return (size_t)(nl + 1 - p);
	}
	return 0;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* ---- frames ---- */

struct frame_text {
	const char *name, *module;
	size_t name_n, module_n;
	bool kernel;
};

/* The parenthesis that the last character closes: a path may hold some, "(/x (deleted))". */
static const char *opening(const char *p, const char *close)
{
	const char *open = memrchr(p, '(', (size_t)(close - p));
	size_t depth = 0;

	if (!open || !memchr(open, ')', (size_t)(close - open)))
		return open;
	for (const char *s = close; s >= p && depth < DEEP_NESTING; s--) {
		if (*s == ')')
			depth++;
		else if (*s == '(' && --depth == 0)
			return s;
	}
	return open;
}

/* "ffffffff81 name+0x1f ([kernel.kallsyms])", from the address on. False: no frame. */
static bool split_frame(const char *p, const char *end, struct frame_text *f)
{
	const char *at = p, *open;

	while (at < end && is_hex(*at))
		at++;
	if (at == p || (at < end && *at != ' '))
		return false;
	/* In 64-bit address spaces the upper half is the kernel's. */
	f->kernel = at - p == KERNEL_DIGITS && *p >= '8';
	while (at < end && *at == ' ')
		at++;
	f->name = at;
	f->module = end;
	f->module_n = 0;
	if (end > at && end[-1] == ')') {
		open = opening(at, end - 1);
		if (open && (open == at || open[-1] == ' ')) {
			f->module = open + 1;
			f->module_n = (size_t)(end - 1 - f->module);
			end = open;
		}
	}
	while (end > at && end[-1] == ' ')
		end--;
	if (end == at) {
		f->name = "[unknown]";
		f->name_n = sizeof("[unknown]") - 1;
		f->module_n = leat_build_strip_offset(f->module, f->module_n);
		return true;
	}
	f->name_n = leat_build_strip_offset(at, (size_t)(end - at));
	f->module_n = leat_build_strip_offset(f->module, f->module_n);
	return true;
}

static int make_frame(struct script *x, const struct frame_text *f, uint32_t *frame)
{
	uint32_t module, flags = f->kernel ? LEAT_NAME_KERNEL : 0;
	const char *path = f->module;
	size_t path_n = f->module_n;
	int err;

	if (path_n == 7 && memcmp(path, "inlined", 7) == 0) {
		flags |= LEAT_NAME_INLINED;
		path_n = 0; /* its module is its caller's, which comes next */
	} else if (path_n == 6 && memcmp(path, "[leat]", 6) == 0) {
		flags |= LEAT_NAME_MARK;
		path_n = 0;
	} else if ((path_n == 10 && memcmp(path, "[vsyscall]", 10) == 0) ||
		   (path_n == 9 && memcmp(path, "[unknown]", 9) == 0)) {
		flags = 0; /* a page of user code in the upper half; no code at all */
	}
	err = leat_build_module(x->b, path, path_n, &module);
	return err ? err : leat_build_frame(x->b, f->name, f->name_n, module, flags, frame);
}

static int add_frame(struct script *x, const struct frame_text *f)
{
	uint32_t frame;
	int err = make_frame(x, f, &frame);

	return err ? err : leat_build_push(x->b, frame);
}

static struct leat_build_line *slot_of(const struct leat_build *b, uint64_t hash)
{
	return &b->lines[hash & (b->line_slots - 1)];
}

/* Room for more lines, while there are more of them than slots. */
static int grow_lines(struct leat_build *b)
{
	size_t slots = b->line_slots ? 2 * b->line_slots : FIRST_SLOTS, old = b->line_slots;
	LEAT_FREE struct leat_build_line *from = b->lines;

	b->lines = calloc(slots, sizeof(*b->lines));
	if (!b->lines) {
		b->lines = LEAT_TAKE(from);
		return -ENOMEM;
	}
	b->line_slots = slots;
	for (size_t i = 0; i < old; i++) {
		if (from[i].n)
			*slot_of(b, from[i].hash) = from[i];
	}
	return 0;
}

static int keep_line(struct leat_build *b, const char *p, size_t n, uint64_t hash, uint32_t frame)
{
	struct leat_build_line *line;
	int err = 0;

	if (n > sizeof(line->text))
		return 0;
	if (b->line_cnt++ >= b->line_slots && b->line_slots < MAX_SLOTS)
		err = grow_lines(b);
	if (err)
		return err;
	line = slot_of(b, hash);
	line->hash = hash;
	line->frame = frame;
	line->n = (uint32_t)n;
	memcpy(line->text, p, n);
	return 0;
}

/*
 * Code is called from few places: nearly every line was there before, and what it says depends on
 * nothing but its text. 1: a frame; 0: none; or -errno.
 */
static int frame_of_line(struct script *x, const char *p, const char *end, uint32_t *frame)
{
	size_t n = (size_t)(end - p);
	uint64_t hash = XXH3_64bits(p, n);
	struct frame_text f;
	int err;

	if (x->b->line_slots) {
		const struct leat_build_line *line = slot_of(x->b, hash);

		if (line->hash == hash && line->n == n && memcmp(line->text, p, n) == 0) {
			*frame = line->frame;
			return 1;
		}
	}
	if (!split_frame(p, end, &f))
		return 0;
	err = make_frame(x, &f, frame);
	if (!err)
		err = keep_line(x->b, p, n, hash, *frame);
	return err ? err : 1;
}

/* ---- events ---- */

/* The number before the event is a period; where leat wrote sums of samples, at no time, a count. */
static uint64_t value_of(const struct script *x)
{
	const struct leat_perf_head *h = &x->head;

	if (h->period && (x->o->periods || (h->has_time && !h->ts_ns)))
		return h->period;
	return 1;
}

static void note_period(struct leat_build_event *e, uint64_t period)
{
	if (!e->samples)
		e->period = period;
	else if (e->period != period)
		e->period_varies = true;
}

static int add_sample(struct script *x, uint8_t uresult)
{
	const struct leat_perf_head *h = &x->head;
	struct leat_sample s = { .cpu = UINT16_MAX, .value = value_of(x) };
	uint32_t event;
	int err = leat_build_event(x->b, h->event, h->event_n, &event);

	if (!err && event == LEAT_ID_NONE) {
		x->b->other_event++;
		return 0;
	}
	if (!err)
		err = leat_build_who(x->b, h->comm, h->comm_n, h->pid, h->tid, h->pair, &s.process,
				     &s.thread);
	if (!err)
		err = leat_build_stack(x->b, uresult, &s.stack);
	if (err)
		return err;
	s.kind = (uint16_t)event;
	if (x->o->times) {
		s.cpu = h->cpu;
		s.ts_ns = h->ts_ns;
	}
	note_period(&x->b->events[event], h->period);
	return leat_build_sample(x->b, &s);
}

static int end_event(struct script *x, uint8_t uresult)
{
	int err = 0;

	if (x->in_event && x->is_sample)
		err = add_sample(x, uresult);
	x->in_event = false;
	x->b->depth = 0;
	return err;
}

static void begin(struct script *x, const struct leat_perf_head *h)
{
	x->head = *h;
	x->in_event = true;
	x->is_sample = true;
	x->b->depth = 0;
}

/* "PERF_RECORD_LOST lost 12": the file says what was lost. */
static void take_side_band(struct script *x, const struct leat_perf_head *h)
{
	static const char lost[] = "lost ";
	const char *at = memmem(h->rest, h->rest_n, lost, sizeof(lost) - 1);
	uint64_t n = 0;

	x->is_sample = false;
	if (!at || h->event_n < 16 || memcmp(h->event, "PERF_RECORD_LOST", 16) != 0)
		return;
	for (at += sizeof(lost) - 1; at < h->rest + h->rest_n && *at >= '0' && *at <= '9'; at++)
		n = n < LEAT_IMPORT_MAX_TOTAL / 16 ? n * 10 + (uint64_t)(*at - '0') : n;
	x->b->lost += n;
}

static int begin_event(struct script *x, const struct leat_perf_head *h, const char *next)
{
	struct frame_text f;
	int err = end_event(x, LEAT_STACK_NONE);

	if (err)
		return err;
	begin(x, h);
	if (h->event_n > 12 && memcmp(h->event, "PERF_RECORD_", 12) == 0) {
		take_side_band(x, h);
		return 0;
	}
	/* One line with its only frame, unless a call chain follows. */
	if (h->rest_n && (next == x->end || *next != '\t') &&
	    split_frame(h->rest, h->rest + h->rest_n, &f))
		return add_frame(x, &f);
	return 0;
}

/* "  file.c:12" below a frame, by -F +srcline. */
static bool is_source_line(const char *p, const char *end)
{
	const char *at = end;

	while (at > p && at[-1] >= '0' && at[-1] <= '9')
		at--;
	return end - p > 4 && p[0] == ' ' && p[1] == ' ' && p[2] != ' ' && at < end &&
	       at[-1] == ':';
}

/* Without CPU and time, only what has frames is an event. */
static bool is_event(const struct script *x, const struct leat_perf_head *h, const char *next)
{
	struct frame_text f;

	return (next < x->end && *next == '\t') ||
	       (h->rest_n && split_frame(h->rest, h->rest + h->rest_n, &f));
}

/* A line that does not begin with a tab. */
static int other_line(struct script *x, const char *p, const char *end, const char *next)
{
	struct leat_perf_head h = { .cpu = UINT16_MAX };
	struct frame_text f;
	const char *text = p;

	while (text < end && *text == ' ')
		text++;
	if (text == end)
		return end_event(x, LEAT_STACK_NONE);
	if (leat_perf_head_parse(p, (size_t)(end - p), &h) && (h.sure || is_event(x, &h, next)))
		return begin_event(x, &h, next);
	if (*p == '#')
		return 0;
	if (*p == ' ' && x->in_event && split_frame(text, end, &f))
		return add_frame(x, &f);
	if (x->in_event && is_source_line(p, end))
		return 0;
	/* -F without pid: whatever stands before a frame names the process. */
	if (next < x->end && *next == '\t') {
		int err = end_event(x, LEAT_STACK_NONE);

		while (end > text && end[-1] == ' ')
			end--;
		h = (struct leat_perf_head){ .comm = text, .cpu = UINT16_MAX };
		h.comm_n = (size_t)(end - text);
		h.event = h.rest = end;
		begin(x, &h);
		return err;
	}
	x->b->unread++;
	return 0;
}

static int frame_line(struct script *x, const char *p, const char *end)
{
	static const struct leat_perf_head nobody = { .comm = "", .event = "", .cpu = UINT16_MAX };
	uint32_t frame;
	int rc;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p == end)
		return end_event(x, LEAT_STACK_NONE);
	rc = frame_of_line(x, p, end, &frame);
	if (rc <= 0) {
		x->b->unread += !rc;
		return rc;
	}
	if (!x->in_event)
		begin(x, &nobody); /* -F ip,sym: no line says who it was */
	return x->is_sample ? leat_build_push(x->b, frame) : 0;
}

static int parse_lines(struct script *x, struct leat_chunk *c)
{
	const char *p = c->p;
	int err = 0;

	while (!err && p < x->end) {
		const char *nl = memchr(p, '\n', (size_t)(x->end - p));
		const char *end = nl ? nl : x->end, *next = nl ? nl + 1 : x->end;

		c->lines++;
		if (!nl) {
			x->b->cut = true;
			if (end[-1] != ')') /* half a line says nothing */
				return end_event(x, LEAT_STACK_BROKEN);
		}
		if (end > p && end[-1] == '\r')
			end--;
		if (p == end)
			err = end_event(x, LEAT_STACK_NONE);
		else if (*p == '\t')
			err = frame_line(x, p + 1, end);
		else
			err = other_line(x, p, end, next);
		p = next;
	}
	return err;
}

int leat_perf_script_parse(struct leat_build *b, const struct leat_import_opts *o,
			   struct leat_chunk *c)
{
	struct script x = { .b = b, .o = o, .end = c->p + c->n };
	int err = parse_lines(&x, c);

	/* Frames, and no empty line behind them: more may have followed. */
	if (!err && c->last && x.in_event && b->depth > 1)
		b->cut = true;
	return err ? err : end_event(&x, LEAT_STACK_NONE);
}
