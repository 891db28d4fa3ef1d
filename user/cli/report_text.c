/* SPDX-License-Identifier: BSD-2-Clause */
/* A report for people: header, verdict, where, hottest functions, who calls them. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/io.h"
#include "cli/report_impl.h"
#include "export/export.h"

#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

#define MAX_NAME_BYTES	200
#define MAX_NAME_COLUMN 52 /* names are rarely longer; those that are push their module aside */
#define CALLERS		5
#define PLACES		10 /* processes, threads */
#define MODULES		5
#define BY_TOTAL	10
#define ALL_PERCENT	99.5 /* of the samples: what begins all stacks says nothing */

struct writing {
	const struct leat_report *r;
	struct leat_buf *b;
	bool color;
};

/* ---- text ---- */

static double percent(uint64_t part, uint64_t of)
{
	return of ? 100.0 * (double)part / (double)of : 0;
}

static void heading(const struct writing *w, const char *text)
{
	leat_buf_printf(w->b, "\n%s%s%s\n", w->color ? BOLD : "", text, w->color ? PLAIN : "");
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

static void add_name(const struct writing *w, uint32_t function, size_t width)
{
	const struct leat_profile *p = w->r->p;
	const char *module = leat_report_module(p, function);
	size_t at = w->b->len, cols;

	leat_cli_clean(w->b, leat_profile_str(p, p->functions[function].name), MAX_NAME_BYTES);
	if (!*module || w->b->err)
		return;
	cols = columns(w->b->data + at, w->b->len - at);
	leat_buf_printf(w->b, "%*s  ", cols < width ? (int)(width - cols) : 0, "");
	leat_cli_clean(w->b, module, MAX_NAME_BYTES);
}

/* How wide the column of names has to be. */
static size_t name_column(const struct writing *w, const struct leat_top *top, size_t n)
{
	const struct leat_profile *p = w->r->p;
	size_t width = 8;

	for (size_t i = 0; i < n; i++) {
		const char *name = leat_profile_str(p, p->functions[top[i].function].name);
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

static void add_where(const struct writing *w)
{
	const struct leat_meta *m = &w->r->p->meta;
	time_t seconds = (time_t)(m->start_real_ns / 1000000000);
	char when[64] = "", text[512];
	struct tm tm;

	if (m->start_real_ns && gmtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	add_line(w->b, "recorded", when);
	snprintf(text, sizeof(text), "%s%s%s%s%s", leat_profile_str(w->r->p, m->host),
		 m->host ? ", " : "", m->kernel ? "Linux " : "",
		 leat_profile_str(w->r->p, m->kernel), m->os ? ", " : "");
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s",
		 leat_profile_str(w->r->p, m->os));
	add_line(w->b, "host", text);
	add_line(w->b, "command", leat_profile_str(w->r->p, m->command_line));
	add_line(w->b, "note", leat_profile_str(w->r->p, m->event_note));
}

/* Its first line; with -v all of them, one below the other. */
static void add_verdict(const struct writing *w)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf text;
	const char *label = "verdict";

	leat_buf_init(&text, LEAT_CLI_MAX_TEXT);
	if (w->r->args->verbose)
		leat_profile_verdict_text(w->r->p, &text);
	else
		leat_verdict_line(&w->r->p->verdict, &text);
	for (char *line = text.data, *next; line && *line; line = next) {
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		leat_buf_printf(w->b, "  %-9s%.*s\n", label, (int)strcspn(line, "\n"), line);
		label = "";
	}
}

/* Where the processor was. */
static void add_split(const struct writing *w)
{
	if (!w->r->kernel || w->r->kernel == w->r->total)
		return;
	leat_buf_printf(w->b, "  %-9skernel %.1f%%, user %.1f%%\n", "where",
			percent(w->r->kernel, w->r->total),
			percent(w->r->total - w->r->kernel, w->r->total));
}

static void add_header(const struct writing *w)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf title;

	leat_buf_init(&title, LEAT_CLI_MAX_TEXT);
	leat_export_title(w->r->p, NULL, &title);
	leat_buf_str(w->b, w->color ? BOLD : "");
	leat_cli_clean(w->b, title.data ? title.data : "", 1024);
	leat_buf_printf(w->b, "%s\n", w->color ? PLAIN : "");
	add_where(w);
	add_verdict(w);
	add_split(w);
	if (w->r->total == w->r->all)
		return;
	leat_buf_str(w->b, "  shown    ");
	leat_cli_count(w->b, w->r->total);
	leat_buf_printf(w->b, " samples, %.1f%% of all\n", percent(w->r->total, w->r->all));
}

/* ---- processes, threads, modules ---- */

static void add_process(const struct writing *w, uint32_t id)
{
	const struct leat_process *proc = &w->r->p->processes[id];

	leat_cli_clean(w->b, leat_profile_str(w->r->p, proc->comm), MAX_NAME_BYTES);
	if (proc->tgid)
		leat_buf_printf(w->b, " (pid %u)", proc->tgid);
}

static void add_thread(const struct writing *w, uint32_t id)
{
	const struct leat_thread *t = &w->r->p->threads[id];
	uint32_t tgid = w->r->p->processes[t->process].tgid;

	leat_cli_clean(w->b, leat_profile_str(w->r->p, t->comm), MAX_NAME_BYTES);
	leat_buf_printf(w->b, " (tid %u", t->tid);
	if (t->tid != tgid)
		leat_buf_printf(w->b, " of %u", tgid);
	leat_buf_str(w->b, ")");
}

static void add_module(const struct writing *w, uint32_t id)
{
	leat_cli_clean(w->b, leat_report_base_name(leat_profile_str(w->r->p, id)), MAX_NAME_BYTES);
}

/* Nothing when there is only one. */
static void add_shares(const struct writing *w, const struct leat_report_shares *s, size_t max,
		       const char *title, void (*add)(const struct writing *w, uint32_t id))
{
	size_t shown = s->n < max ? s->n : max;

	if (s->n < 2)
		return;
	heading(w, title);
	for (size_t i = 0; i < shown; i++) {
		add_share(w->b, s->rows[i].value, w->r->total);
		add_right(w->b, s->rows[i].value, 10);
		leat_buf_str(w->b, "  ");
		add(w, s->rows[i].id);
		leat_buf_char(w->b, '\n');
	}
	if (shown < s->n)
		leat_buf_printf(w->b, "  and %zu more\n", s->n - shown);
}

/* ---- functions ---- */

static void add_function(const struct writing *w, const struct leat_top *f, bool total,
			 size_t width)
{
	add_share(w->b, total ? f->total : f->self, w->r->total);
	leat_buf_char(w->b, ' ');
	add_share(w->b, total ? f->self : f->total, w->r->total);
	add_right(w->b, total ? f->total : f->self, 10);
	leat_buf_str(w->b, "  ");
	add_name(w, f->function, width);
	leat_buf_char(w->b, '\n');
}

static void add_functions(const struct writing *w, const struct leat_top *top, size_t n, bool total)
{
	size_t width = name_column(w, top, n);

	heading(w, total ? "  TOTAL    SELF    SAMPLES  FUNCTION"
			 : "   SELF   TOTAL    SAMPLES  FUNCTION");
	for (size_t i = 0; i < n; i++)
		add_function(w, &top[i], total, width);
}

static void add_top(const struct writing *w)
{
	bool total = w->r->args->sort == LEAT_CLI_SORT_TOTAL;
	size_t n = w->r->top_cnt;
	size_t shown = n < w->r->args->top ? n : (size_t)w->r->args->top;

	add_functions(w, total ? w->r->by_total : w->r->top, shown, total);
	if (shown < n)
		leat_buf_printf(w->b, "  and %zu more (--top %zu shows all)\n", n - shown, n);
}

/*
 * Which parts of the program are dear, beside which functions: without what begins all stacks.
 * Nothing when the table above shows every function.
 */
static void add_by_total(const struct writing *w)
{
	const struct leat_top *top = w->r->by_total;
	size_t first = 0, n;

	while (first < w->r->top_cnt && percent(top[first].total, w->r->total) >= ALL_PERCENT)
		first++;
	n = w->r->top_cnt - first;
	n = n < BY_TOTAL ? n : BY_TOTAL;
	if (w->r->args->sort == LEAT_CLI_SORT_TOTAL || !n || w->r->top_cnt <= w->r->args->top)
		return;
	add_functions(w, top + first, n, true);
	if (first)
		leat_buf_printf(w->b, "  without %zu that are in all stacks (--sort total)\n",
				first);
}

/* ---- callers ---- */

static void add_called(const struct writing *w, const struct leat_report_called *c)
{
	size_t shown = c->n < CALLERS ? c->n : CALLERS, width = name_column(w, c->by, shown);

	leat_buf_printf(w->b, "\n%scallers of ", w->color ? BOLD : "");
	leat_cli_clean(w->b, c->name, MAX_NAME_BYTES);
	leat_buf_printf(w->b, "%s  (self %.1f%%, total %.1f%%)\n", w->color ? PLAIN : "",
			percent(c->self, w->r->total), percent(c->total, w->r->total));
	for (size_t i = 0; i < shown; i++) {
		add_share(w->b, c->by[i].total, c->total);
		add_right(w->b, c->by[i].total, 10);
		leat_buf_str(w->b, "  ");
		add_name(w, c->by[i].function, width);
		leat_buf_char(w->b, '\n');
	}
	if (shown < c->n)
		leat_buf_printf(w->b, "  and %zu more\n", c->n - shown);
	if (!c->from_none)
		return;
	add_share(w->b, c->from_none, c->total);
	add_right(w->b, c->from_none, 10);
	leat_buf_str(w->b, "  (nobody: the stack begins there)\n");
}

void leat_report_text(const struct leat_report *r, bool color, struct leat_buf *b)
{
	const struct writing w = { .r = r, .b = b, .color = color };

	add_header(&w);
	add_shares(&w, &r->processes, PLACES, "  SHARE    SAMPLES  PROCESS", add_process);
	add_shares(&w, &r->threads, PLACES, "  SHARE    SAMPLES  THREAD", add_thread);
	add_shares(&w, &r->modules, MODULES, "   SELF    SAMPLES  MODULE", add_module);
	add_top(&w);
	add_by_total(&w);
	for (size_t i = 0; i < r->called_cnt; i++)
		add_called(&w, &r->called[i]);
}
