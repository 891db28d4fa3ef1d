/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report_file.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/io.h"
#include "cli/suggest.h"
#include "export/export.h"
#include "profile/tree.h"

#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

#define MAX_NAME_BYTES	 200
#define MAX_NAME_COLUMN	 52 /* names are rarely longer; those that are push their module aside */
#define CALLED_FUNCTIONS 3  /* whose callers are shown when nobody asked for one */
#define CALLERS		 5
#define PLACES		 10 /* processes, threads */

struct report {
	struct leat_buf *b;
	struct leat_profile *p;
	const struct leat_cli_args *args;
	bool color;
	uint64_t total; /* samples that are left */
	uint64_t all;	/* of the file */
};

/* ---- --process, --thread ---- */

/* A number is an id, anything else a name or a pattern. */
static bool matches(const char *wanted, uint32_t id, const char *name)
{
	uint64_t n;

	if (leat_cli_value_u64(wanted, &n) == 0)
		return n == id;
	return fnmatch(wanted, name, 0) == 0;
}

static bool is_wanted(const struct report *r, const struct leat_sample *s)
{
	const struct leat_process *proc = &r->p->processes[s->process];
	const struct leat_thread *t;

	if (r->args->process &&
	    !matches(r->args->process, proc->tgid, leat_profile_str(r->p, proc->comm)))
		return false;
	if (!r->args->thread)
		return true;
	if (s->thread == LEAT_ID_NONE)
		return false;
	t = &r->p->threads[s->thread];
	return matches(r->args->thread, t->tid, leat_profile_str(r->p, t->comm));
}

static int nothing_left(const struct report *r, struct leat_diag *d)
{
	const char *what = r->args->thread ? r->args->thread : r->args->process;

	leat_diag_set(d, -ENOENT, LEAT_EXIT_NO_SAMPLES, "no sample is of %s '%s'",
		      r->args->thread ? "thread" : "process", what);
	if (r->args->thread && !r->p->thread_cnt)
		leat_diag_why(d, "the recording did not keep threads apart (--per-thread)");
	else
		leat_diag_fix(d, "leat report without it shows which there are");
	return -ENOENT;
}

static int keep_wanted(struct report *r, struct leat_diag *d)
{
	size_t kept = 0;

	r->all = leat_profile_total(r->p);
	for (size_t i = 0; i < r->p->sample_cnt; i++) {
		if (is_wanted(r, &r->p->samples[i]))
			r->p->samples[kept++] = r->p->samples[i];
	}
	r->p->sample_cnt = kept;
	r->total = leat_profile_total(r->p);
	return r->total ? 0 : nothing_left(r, d);
}

/* ---- text ---- */

static double percent(uint64_t part, uint64_t of)
{
	return of ? 100.0 * (double)part / (double)of : 0;
}

static void heading(const struct report *r, const char *text)
{
	leat_buf_printf(r->b, "\n%s%s%s\n", r->color ? BOLD : "", text, r->color ? PLAIN : "");
}

static void add_share(struct leat_buf *b, uint64_t part, uint64_t of)
{
	leat_buf_printf(b, " %5.1f%%", percent(part, of));
}

static void add_right(struct leat_buf *b, uint64_t n, int width)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf text;

	leat_buf_init(&text, 64);
	leat_verdict_number(&text, n);
	leat_buf_printf(b, " %*s", width, text.data ? text.data : "");
}

/* Columns of text, as a terminal counts them: but for wide characters, which names rarely have. */
static size_t columns(const char *s, size_t n)
{
	size_t cnt = 0;

	for (size_t i = 0; i < n; i++)
		cnt += ((unsigned char)s[i] & 0xc0) != 0x80;
	return cnt;
}

static void add_name(const struct report *r, uint32_t function, size_t width)
{
	const struct leat_function *f = &r->p->functions[function];
	const char *path = f->object < r->p->object_cnt
				   ? leat_profile_str(r->p, r->p->objects[f->object].path)
				   : "";
	const char *base = strrchr(path, '/');
	size_t at = r->b->len, cols;

	leat_cli_clean(r->b, leat_profile_str(r->p, f->name), MAX_NAME_BYTES);
	if (!*path || r->b->err)
		return;
	cols = columns(r->b->data + at, r->b->len - at);
	leat_buf_printf(r->b, "%*s  ", cols < width ? (int)(width - cols) : 0, "");
	leat_cli_clean(r->b, base && base[1] ? base + 1 : path, MAX_NAME_BYTES);
}

/* How wide the column of names has to be. */
static size_t name_column(const struct report *r, const struct leat_top *top, size_t n)
{
	size_t width = 8;

	for (size_t i = 0; i < n; i++) {
		const char *name = leat_profile_str(r->p, r->p->functions[top[i].function].name);
		size_t cols = columns(name, strlen(name));

		width = cols > width ? cols : width;
	}
	return width < MAX_NAME_COLUMN ? width : MAX_NAME_COLUMN;
}

/* ---- the header ---- */

static void add_line(struct leat_buf *b, const char *label, const char *text)
{
	if (!*text)
		return;
	leat_buf_printf(b, "  %-9s", label);
	leat_cli_clean(b, text, 1024);
	leat_buf_char(b, '\n');
}

static void add_where(const struct report *r)
{
	const struct leat_meta *m = &r->p->meta;
	time_t seconds = (time_t)(m->start_real_ns / 1000000000);
	char when[64] = "", text[512];
	struct tm tm;

	if (m->start_real_ns && gmtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	add_line(r->b, "recorded", when);
	snprintf(text, sizeof(text), "%s%s%s%s%s", leat_profile_str(r->p, m->host),
		 m->host ? ", " : "", m->kernel ? "Linux " : "", leat_profile_str(r->p, m->kernel),
		 m->os ? ", " : "");
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s",
		 leat_profile_str(r->p, m->os));
	add_line(r->b, "host", text);
	add_line(r->b, "command", leat_profile_str(r->p, m->command_line));
	add_line(r->b, "note", leat_profile_str(r->p, m->event_note));
}

/* Its first line; with -v all of them, one below the other. */
static void add_verdict(const struct report *r)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf text;
	const char *label = "verdict";

	leat_buf_init(&text, LEAT_CLI_MAX_TEXT);
	if (r->args->verbose)
		leat_profile_verdict_text(r->p, &text);
	else
		leat_verdict_line(&r->p->verdict, &text);
	for (char *line = text.data, *next; line && *line; line = next) {
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		leat_buf_printf(r->b, "  %-9s%.*s\n", label, (int)strcspn(line, "\n"), line);
		label = "";
	}
}

static void add_header(const struct report *r)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf title;

	leat_buf_init(&title, LEAT_CLI_MAX_TEXT);
	leat_export_title(r->p, NULL, &title);
	leat_buf_str(r->b, r->color ? BOLD : "");
	leat_cli_clean(r->b, title.data ? title.data : "", 1024);
	leat_buf_printf(r->b, "%s\n", r->color ? PLAIN : "");
	add_where(r);
	add_verdict(r);
	if (r->total == r->all)
		return;
	leat_buf_str(r->b, "  shown    ");
	leat_cli_count(r->b, r->total);
	leat_buf_printf(r->b, " samples, %.1f%% of all\n", percent(r->total, r->all));
}

/* ---- processes and threads ---- */

struct place {
	uint32_t id;
	uint64_t value;
};

static int by_value(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->value != y->value)
		return x->value > y->value ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int sum_up(const struct report *r, bool threads, struct place **out, size_t *n)
{
	size_t cnt = threads ? r->p->thread_cnt : r->p->process_cnt, kept = 0;
	LEAT_FREE struct place *all = calloc(cnt + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < r->p->sample_cnt; i++) {
		const struct leat_sample *s = &r->p->samples[i];
		uint32_t id = threads ? s->thread : s->process;

		if (id < cnt)
			all[id].value += s->value;
	}
	for (size_t i = 0; i < cnt; i++) {
		if (all[i].value)
			all[kept++] = (struct place){ (uint32_t)i, all[i].value };
	}
	qsort(all, kept, sizeof(*all), by_value);
	*out = LEAT_TAKE(all);
	*n = kept;
	return 0;
}

static void add_place(const struct report *r, bool threads, const struct place *at)
{
	const struct leat_thread *t = threads ? &r->p->threads[at->id] : NULL;
	const struct leat_process *proc = &r->p->processes[t ? t->process : at->id];

	add_share(r->b, at->value, r->total);
	add_right(r->b, at->value, 10);
	leat_buf_str(r->b, "  ");
	leat_cli_clean(r->b, leat_profile_str(r->p, t ? t->comm : proc->comm), MAX_NAME_BYTES);
	leat_buf_printf(r->b, " (%s %u", t ? "tid" : "pid", t ? t->tid : proc->tgid);
	if (t && t->tid != proc->tgid)
		leat_buf_printf(r->b, " of %u", proc->tgid);
	leat_buf_str(r->b, ")\n");
}

/* Nothing when there is only one. */
static int add_places(const struct report *r, bool threads)
{
	LEAT_FREE struct place *all = NULL;
	size_t n = 0, shown;
	int err = sum_up(r, threads, &all, &n);

	if (err || n < 2)
		return err;
	shown = n < PLACES ? n : PLACES;
	heading(r, threads ? "  SHARE    SAMPLES  THREAD" : "  SHARE    SAMPLES  PROCESS");
	for (size_t i = 0; i < shown; i++)
		add_place(r, threads, &all[i]);
	if (shown < n)
		leat_buf_printf(r->b, "  and %zu more\n", n - shown);
	return 0;
}

/* ---- functions ---- */

static int by_total(const void *a, const void *b)
{
	const struct leat_top *x = a, *y = b;

	if (x->total != y->total)
		return x->total > y->total ? -1 : 1;
	if (x->self != y->self)
		return x->self > y->self ? -1 : 1;
	return x->function < y->function ? -1 : x->function > y->function;
}

static void add_top(const struct report *r, const struct leat_top *top, size_t n)
{
	size_t shown = n < r->args->top ? n : (size_t)r->args->top;
	size_t width = name_column(r, top, shown);

	heading(r, "   SELF   TOTAL    SAMPLES  FUNCTION");
	for (size_t i = 0; i < shown; i++) {
		add_share(r->b, top[i].self, r->total);
		leat_buf_char(r->b, ' ');
		add_share(r->b, top[i].total, r->total);
		add_right(r->b, r->args->sort == LEAT_CLI_SORT_TOTAL ? top[i].total : top[i].self,
			  10);
		leat_buf_str(r->b, "  ");
		add_name(r, top[i].function, width);
		leat_buf_char(r->b, '\n');
	}
	if (shown < n)
		leat_buf_printf(r->b, "  and %zu more (--top %zu shows all)\n", n - shown, n);
}

/* ---- callers ---- */

/* Who called one function, or all of one name. */
struct callers {
	uint8_t *is_called; /* by function */
	size_t cnt;
	uint64_t *value; /* by function: samples that came from it */
	uint64_t total, self, from_none;
	uint32_t *ids; /* scratch: a stack */
	size_t n, cap;
};

static void callers_fini(struct callers *c)
{
	free(c->is_called);
	free(c->value);
	free(c->ids);
}

/* The outermost call: recursion does not hide who began it. */
static int count_sample(struct callers *c, struct leat_profile *p, const struct leat_sample *s)
{
	size_t i = 0;
	int err;

	c->n = 0;
	err = leat_stack_functions(p, s, NULL, &c->ids, &c->n, &c->cap);
	if (err)
		return err;
	while (i < c->n && !(c->ids[i] < c->cnt && c->is_called[c->ids[i]]))
		i++;
	if (i == c->n)
		return 0;
	c->total += s->value;
	if (c->ids[c->n - 1] < c->cnt && c->is_called[c->ids[c->n - 1]])
		c->self += s->value;
	if (!i || c->ids[i - 1] >= c->cnt)
		c->from_none += s->value;
	else
		c->value[c->ids[i - 1]] += s->value;
	return 0;
}

static void add_callers(const struct report *r, const struct callers *c, const char *name,
			struct leat_top *by)
{
	size_t n = 0, shown, width;

	for (size_t i = 0; i < c->cnt; i++) {
		if (c->value[i])
			by[n++] =
				(struct leat_top){ .function = (uint32_t)i, .total = c->value[i] };
	}
	qsort(by, n, sizeof(*by), by_total);
	shown = n < CALLERS ? n : CALLERS;
	width = name_column(r, by, shown);
	leat_buf_printf(r->b, "\n%scallers of ", r->color ? BOLD : "");
	leat_cli_clean(r->b, name, MAX_NAME_BYTES);
	leat_buf_printf(r->b, "%s  (self %.1f%%, total %.1f%%)\n", r->color ? PLAIN : "",
			percent(c->self, r->total), percent(c->total, r->total));
	for (size_t i = 0; i < shown; i++) {
		add_share(r->b, by[i].total, c->total);
		add_right(r->b, by[i].total, 10);
		leat_buf_str(r->b, "  ");
		add_name(r, by[i].function, width);
		leat_buf_char(r->b, '\n');
	}
	if (shown < n)
		leat_buf_printf(r->b, "  and %zu more\n", n - shown);
	if (!c->from_none)
		return;
	add_share(r->b, c->from_none, c->total);
	add_right(r->b, c->from_none, 10);
	leat_buf_str(r->b, "  (nobody: the stack begins there)\n");
}

/* @called: which functions are meant, by id; taken. */
static int report_callers(const struct report *r, uint8_t *called, size_t cnt, const char *name)
{
	LEAT_AUTO(callers_fini) struct callers c = { .is_called = called, .cnt = cnt };
	LEAT_FREE struct leat_top *by = calloc(cnt + 1, sizeof(*by));
	int err = 0;

	c.value = calloc(cnt + 1, sizeof(*c.value));
	if (!c.value || !by)
		return -ENOMEM;
	for (size_t i = 0; !err && i < r->p->sample_cnt; i++)
		err = count_sample(&c, r->p, &r->p->samples[i]);
	if (!err)
		add_callers(r, &c, name, by);
	return err;
}

static int callers_of_id(const struct report *r, uint32_t id)
{
	size_t cnt = r->p->function_cnt;
	uint8_t *called = calloc(cnt + 1, 1);

	if (!called)
		return -ENOMEM;
	called[id] = 1;
	return report_callers(r, called, cnt, leat_profile_str(r->p, r->p->functions[id].name));
}

/* By name, or by pattern when no function is called just so. */
static int callers_of_name(const struct report *r, const char *name, const struct leat_top *top,
			   size_t n, struct leat_diag *d)
{
	struct leat_cli_nearest near = { .word = name };
	size_t cnt = r->p->function_cnt;
	uint8_t *called = calloc(cnt + 1, 1);
	bool any = false;

	if (!called)
		return -ENOMEM;
	for (int pattern = 0; pattern < 2 && !any; pattern++) {
		for (size_t i = 0; i < n; i++) {
			const char *have =
				leat_profile_str(r->p, r->p->functions[top[i].function].name);

			called[top[i].function] = pattern ? fnmatch(name, have, 0) == 0
							  : strcmp(name, have) == 0;
			any |= called[top[i].function];
			leat_cli_nearest_try(&near, have);
		}
	}
	if (any)
		return report_callers(r, called, cnt, name);
	free(called);
	leat_diag_set(d, -ENOENT, LEAT_EXIT_FAILURE, "no function is called '%s'", name);
	if (near.best[0])
		leat_diag_fix(d, "did you mean %s?", near.best);
	leat_diag_alt(d, "a pattern such as '*%s*' finds more", name);
	return -ENOENT;
}

static int add_all_callers(const struct report *r, const struct leat_top *top, size_t n,
			   struct leat_diag *d)
{
	size_t shown = 0;
	int err = 0;

	if (r->args->callers)
		return callers_of_name(r, r->args->callers, top, n, d);
	for (size_t i = 0; !err && i < n && shown < CALLED_FUNCTIONS; i++) {
		if (r->p->functions[top[i].function].kind == LEAT_FUNCTION_MARK || !top[i].self)
			continue;
		err = callers_of_id(r, top[i].function);
		shown++;
	}
	return err;
}

int leat_cli_report_profile(struct leat_buf *b, struct leat_profile *p,
			    const struct leat_cli_args *a, bool color, struct leat_diag *diag)
{
	struct report r = { .b = b, .p = p, .args = a, .color = color };
	LEAT_FREE struct leat_top *top = NULL;
	LEAT_FREE struct leat_top *hot = NULL;
	size_t n = 0;
	int err = keep_wanted(&r, diag);

	if (!err)
		err = leat_top_build(p, &top, &n);
	if (err)
		return err;
	hot = malloc((n + 1) * sizeof(*hot));
	if (!hot)
		return -ENOMEM;
	memcpy(hot, top, n * sizeof(*hot));
	if (a->sort == LEAT_CLI_SORT_TOTAL)
		qsort(top, n, sizeof(*top), by_total);
	add_header(&r);
	err = add_places(&r, false);
	if (!err)
		err = add_places(&r, true);
	if (!err)
		add_top(&r, top, n);
	if (!err)
		err = add_all_callers(&r, hot, n, diag);
	return err ? err : b->err;
}
