/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A report for programs, one JSON object. "version" grows when a member changes its meaning or goes;
 * new members may come at any time (leat-report(1)).
 */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "cli/report_impl.h"
#include "export/export.h"

#define VERSION 1

struct json {
	const struct leat_report *r;
	struct leat_buf *b;
};

static void put_text(struct leat_buf *b, const char *key, const char *s)
{
	leat_buf_printf(b, "\"%s\":", key);
	leat_text_json(b, s, strlen(s));
	leat_buf_char(b, ',');
}

static void put_number(struct leat_buf *b, const char *key, uint64_t v)
{
	leat_buf_printf(b, "\"%s\":%" PRIu64 ",", key, v);
}

/* Ends an object or a list: what stands before it left a comma. */
static void end(struct leat_buf *b, const char *with)
{
	if (!b->err && b->len && b->data[b->len - 1] == ',')
		b->len--;
	leat_buf_str(b, with);
}

static void put_header(const struct json *x)
{
	const struct leat_profile *p = x->r->p;
	const struct leat_meta *m = &p->meta;
	LEAT_AUTO(leat_buf_fini) struct leat_buf title;

	leat_buf_init(&title, 4096);
	leat_export_title(p, NULL, &title);
	put_number(x->b, "version", VERSION);
	put_text(x->b, "title", title.data ? title.data : "");
	put_text(x->b, "target", leat_profile_str(p, m->target));
	put_text(x->b, "event", leat_profile_str(p, m->event));
	put_text(x->b, "note", leat_profile_str(p, m->event_note));
	put_text(x->b, "command_line", leat_profile_str(p, m->command_line));
	put_text(x->b, "host", leat_profile_str(p, m->host));
	put_text(x->b, "kernel", leat_profile_str(p, m->kernel));
	put_text(x->b, "os", leat_profile_str(p, m->os));
	put_number(x->b, "start_real_ns", m->start_real_ns);
	put_number(x->b, "duration_ns", m->duration_ns);
	put_number(x->b, "freq_hz", m->freq_hz);
	put_number(x->b, "period", m->period);
	put_number(x->b, "samples", x->r->total);
	put_number(x->b, "samples_of_file", x->r->all);
	put_number(x->b, "samples_in_kernel", x->r->kernel);
	leat_buf_str(x->b, "\"verdict\":");
	leat_verdict_json(&p->verdict, x->b);
	leat_buf_char(x->b, ',');
}

static void put_process(const struct json *x, uint32_t id)
{
	const struct leat_process *proc = &x->r->p->processes[id];

	put_number(x->b, "pid", proc->tgid);
	put_text(x->b, "name", leat_profile_str(x->r->p, proc->comm));
}

static void put_thread(const struct json *x, uint32_t id)
{
	const struct leat_thread *t = &x->r->p->threads[id];

	put_number(x->b, "tid", t->tid);
	put_text(x->b, "name", leat_profile_str(x->r->p, t->comm));
	put_number(x->b, "pid", x->r->p->processes[t->process].tgid);
}

static void put_module(const struct json *x, uint32_t id)
{
	put_text(x->b, "path", leat_profile_str(x->r->p, id));
}

static void put_shares(const struct json *x, const char *key, const struct leat_report_shares *s,
		       void (*put)(const struct json *x, uint32_t id))
{
	leat_buf_printf(x->b, "\"%s\":[", key);
	for (size_t i = 0; i < s->n; i++) {
		leat_buf_char(x->b, '{');
		put(x, s->rows[i].id);
		put_number(x->b, "samples", s->rows[i].value);
		end(x->b, "},");
	}
	end(x->b, "],");
}

static void put_function(const struct json *x, uint32_t id)
{
	const struct leat_profile *p = x->r->p;

	put_text(x->b, "function", leat_profile_str(p, p->functions[id].name));
	put_text(x->b, "module", leat_report_module(p, id));
}

static void put_functions(const struct json *x)
{
	const struct leat_report *r = x->r;
	const struct leat_top *top = r->args->sort == LEAT_CLI_SORT_TOTAL ? r->by_total : r->top;

	put_number(x->b, "function_cnt", r->top_cnt);
	leat_buf_str(x->b, "\"functions\":[");
	for (size_t i = 0; i < r->top_cnt && i < r->args->top; i++) {
		leat_buf_char(x->b, '{');
		put_function(x, top[i].function);
		put_number(x->b, "self", top[i].self);
		put_number(x->b, "total", top[i].total);
		end(x->b, "},");
	}
	end(x->b, "],");
}

static void put_called(const struct json *x, const struct leat_report_called *c)
{
	leat_buf_char(x->b, '{');
	put_text(x->b, "function", c->name);
	put_number(x->b, "self", c->self);
	put_number(x->b, "total", c->total);
	put_number(x->b, "from_none", c->from_none);
	leat_buf_str(x->b, "\"callers\":[");
	for (size_t i = 0; i < c->n; i++) {
		leat_buf_char(x->b, '{');
		put_function(x, c->by[i].function);
		put_number(x->b, "samples", c->by[i].total);
		end(x->b, "},");
	}
	end(x->b, "]},");
}

void leat_report_json(const struct leat_report *r, struct leat_buf *b)
{
	const struct json x = { .r = r, .b = b };

	leat_buf_char(b, '{');
	put_header(&x);
	put_shares(&x, "processes", &r->processes, put_process);
	put_shares(&x, "threads", &r->threads, put_thread);
	put_shares(&x, "modules", &r->modules, put_module);
	put_functions(&x);
	leat_buf_str(b, "\"called\":[");
	for (size_t i = 0; i < r->called_cnt; i++)
		put_called(&x, &r->called[i]);
	end(b, "]}\n");
}
