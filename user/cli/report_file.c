/* SPDX-License-Identifier: BSD-2-Clause */
/* What a report says, worked out. */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "cli/report_impl.h"
#include "cli/suggest.h"

/* ---- --process, --thread ---- */

/* A number is an id, anything else a name or a pattern. */
static bool matches(const char *wanted, uint32_t id, const char *name)
{
	uint64_t n;

	if (leat_cli_value_u64(wanted, &n) == 0)
		return n == id;
	return fnmatch(wanted, name, 0) == 0;
}

static bool is_wanted(const struct leat_report *r, const struct leat_sample *s)
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

static int nothing_left(const struct leat_report *r, struct leat_diag *d)
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

static int keep_wanted(struct leat_report *r, struct leat_diag *d)
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

/* ---- processes, threads, modules ---- */

static int by_value(const void *a, const void *b)
{
	const struct leat_report_share *x = a, *y = b;

	if (x->value != y->value)
		return x->value > y->value ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Keeps of @rows, whose index is their id, those with samples. @rows is taken. */
static void keep_shares(struct leat_report_shares *out, struct leat_report_share *rows, size_t cnt)
{
	size_t kept = 0;

	for (size_t i = 0; i < cnt; i++) {
		if (rows[i].value)
			rows[kept++] = (struct leat_report_share){ (uint32_t)i, rows[i].value };
	}
	qsort(rows, kept, sizeof(*rows), by_value);
	*out = (struct leat_report_shares){ .rows = rows, .n = kept };
}

static int sum_up(struct leat_report *r, bool threads, struct leat_report_shares *out)
{
	size_t cnt = threads ? r->p->thread_cnt : r->p->process_cnt;
	struct leat_report_share *rows = calloc(cnt + 1, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < r->p->sample_cnt; i++) {
		const struct leat_sample *s = &r->p->samples[i];
		uint32_t id = threads ? s->thread : s->process;

		if (id < cnt)
			rows[id].value += s->value;
	}
	keep_shares(out, rows, cnt);
	return 0;
}

static bool is_kernel(const struct leat_function *f)
{
	return f->kind == LEAT_FUNCTION_KERNEL || f->kind == LEAT_FUNCTION_MODULE ||
	       f->kind == LEAT_FUNCTION_BPF;
}

/* By where samples fell. Run-time code of many processes is one module: all of one path are. */
static int sum_up_modules(struct leat_report *r)
{
	size_t cnt = leat_intern_count(r->p->strings);
	struct leat_report_share *rows = calloc(cnt + 1, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < r->top_cnt; i++) {
		const struct leat_function *f = &r->p->functions[r->top[i].function];

		r->kernel += is_kernel(f) ? r->top[i].self : 0;
		if (f->object < r->p->object_cnt)
			rows[r->p->objects[f->object].path].value += r->top[i].self;
	}
	keep_shares(&r->modules, rows, cnt);
	return 0;
}

const char *leat_report_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

const char *leat_report_module(const struct leat_profile *p, uint32_t function)
{
	uint32_t object = p->functions[function].object;

	return object < p->object_cnt
		       ? leat_report_base_name(leat_profile_str(p, p->objects[object].path))
		       : "";
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

static int make_top(struct leat_report *r)
{
	int err = leat_top_build(r->p, &r->top, &r->top_cnt);

	if (err)
		return err;
	r->by_total = malloc((r->top_cnt + 1) * sizeof(*r->by_total));
	if (!r->by_total)
		return -ENOMEM;
	memcpy(r->by_total, r->top, r->top_cnt * sizeof(*r->top));
	qsort(r->by_total, r->top_cnt, sizeof(*r->by_total), by_total);
	return 0;
}

/* ---- callers ---- */

struct counting {
	uint8_t *is_called; /* by function: which are meant */
	size_t cnt;
	uint64_t *value; /* by function: samples that came from it */
	uint32_t *ids;	 /* scratch: a stack */
	size_t n, cap;
};

static void counting_fini(struct counting *c)
{
	free(c->is_called);
	free(c->value);
	free(c->ids);
}

static int counting_init(struct counting *c, size_t cnt)
{
	c->cnt = cnt;
	c->is_called = calloc(cnt + 1, 1);
	c->value = calloc(cnt + 1, sizeof(*c->value));
	return c->is_called && c->value ? 0 : -ENOMEM;
}

/* The outermost call: recursion does not hide who began it. */
static int count_sample(struct counting *c, struct leat_report_called *out, struct leat_profile *p,
			const struct leat_sample *s)
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
	out->total += s->value;
	if (c->ids[c->n - 1] < c->cnt && c->is_called[c->ids[c->n - 1]])
		out->self += s->value;
	if (!i || c->ids[i - 1] >= c->cnt)
		out->from_none += s->value;
	else
		c->value[c->ids[i - 1]] += s->value;
	return 0;
}

static int add_called(struct leat_report *r, struct counting *c, const char *name)
{
	struct leat_report_called *out = &r->called[r->called_cnt];
	int err = 0;

	*out = (struct leat_report_called){ .name = name };
	out->by = calloc(c->cnt + 1, sizeof(*out->by));
	if (!out->by)
		return -ENOMEM;
	r->called_cnt++;
	for (size_t i = 0; !err && i < r->p->sample_cnt; i++)
		err = count_sample(c, out, r->p, &r->p->samples[i]);
	for (size_t i = 0; i < c->cnt; i++) {
		if (c->value[i])
			out->by[out->n++] =
				(struct leat_top){ .function = (uint32_t)i, .total = c->value[i] };
	}
	qsort(out->by, out->n, sizeof(*out->by), by_total);
	return err;
}

/* By name, or by pattern when no function is called just so. */
static int callers_of_name(struct leat_report *r, const char *name, struct leat_diag *d)
{
	LEAT_AUTO(counting_fini) struct counting c = { 0 };
	struct leat_cli_nearest near = { .word = name };
	bool any = false;
	int err = counting_init(&c, r->p->function_cnt);

	if (err)
		return err;
	for (int pattern = 0; pattern < 2 && !any; pattern++) {
		for (size_t i = 0; i < r->top_cnt; i++) {
			uint32_t id = r->top[i].function;
			const char *have = leat_profile_str(r->p, r->p->functions[id].name);

			c.is_called[id] = pattern ? fnmatch(name, have, 0) == 0
						  : strcmp(name, have) == 0;
			any |= c.is_called[id];
			leat_cli_nearest_try(&near, have);
		}
	}
	if (any)
		return add_called(r, &c, name);
	leat_diag_set(d, -ENOENT, LEAT_EXIT_FAILURE, "no function is called '%s'", name);
	if (near.best[0])
		leat_diag_fix(d, "did you mean %s?", near.best);
	leat_diag_alt(d, "a pattern such as '*%s*' finds more", name);
	return -ENOENT;
}

static int callers_of_id(struct leat_report *r, uint32_t id)
{
	LEAT_AUTO(counting_fini) struct counting c = { 0 };
	int err = counting_init(&c, r->p->function_cnt);

	if (err)
		return err;
	c.is_called[id] = 1;
	return add_called(r, &c, leat_profile_str(r->p, r->p->functions[id].name));
}

/* Of those that do most themselves, whatever the order of the table. */
static int make_called(struct leat_report *r, struct leat_diag *d)
{
	int err = 0;

	if (r->args->callers)
		return callers_of_name(r, r->args->callers, d);
	for (size_t i = 0; !err && i < r->top_cnt && r->called_cnt < LEAT_REPORT_CALLED; i++) {
		if (r->p->functions[r->top[i].function].kind != LEAT_FUNCTION_MARK &&
		    r->top[i].self)
			err = callers_of_id(r, r->top[i].function);
	}
	return err;
}

/* ---- all of it ---- */

static void report_fini(struct leat_report *r)
{
	free(r->processes.rows);
	free(r->threads.rows);
	free(r->modules.rows);
	free(r->top);
	free(r->by_total);
	for (size_t i = 0; i < r->called_cnt; i++)
		free(r->called[i].by);
}

int leat_cli_report_profile(struct leat_buf *b, struct leat_profile *p,
			    const struct leat_cli_args *a, bool color, struct leat_diag *diag)
{
	LEAT_AUTO(report_fini) struct leat_report r = { .p = p, .args = a };
	int err = keep_wanted(&r, diag);

	if (!err)
		err = make_top(&r);
	if (!err)
		err = sum_up(&r, false, &r.processes);
	if (!err)
		err = sum_up(&r, true, &r.threads);
	if (!err)
		err = sum_up_modules(&r);
	if (!err)
		err = make_called(&r, diag);
	if (err)
		return err;
	if (a->json)
		leat_report_json(&r, b);
	else
		leat_report_text(&r, color, b);
	return b->err;
}
