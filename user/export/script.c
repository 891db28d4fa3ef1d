/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One block of text for each sample, as perf script prints them: a line that says who and when,
 * then the frames, innermost first. Tools that fold such text read it.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "export/common.h"
#include "export/formats.h"

struct script {
	struct leat_profile *p;
	struct leat_export_stack stack;
	struct leat_buf *out;
};

static int compare(const void *a, const void *b, void *arg)
{
	const struct leat_profile *p = arg;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	uint64_t x = p->samples[i].ts_ns, y = p->samples[k].ts_ns;

	return x != y ? (x < y ? -1 : 1) : i < k ? -1 : i > k;
}

static void put_text(struct script *x, const char *s)
{
	leat_text_clean(x->out, s, strlen(s));
}

static void put_head(struct script *x, const struct leat_sample *s)
{
	const struct leat_profile *p = x->p;
	const struct leat_process *proc = s->process < p->process_cnt ? &p->processes[s->process]
								      : NULL;
	const struct leat_thread *thread = s->thread < p->thread_cnt ? &p->threads[s->thread]
								     : NULL;
	const char *comm = leat_profile_str(p, thread ? thread->comm
					       : proc ? proc->comm
						      : LEAT_ID_NONE);
	const char *event = leat_profile_str(p, p->meta.event);
	uint32_t tgid = proc ? proc->tgid : 0;

	put_text(x, *comm ? comm : "[unknown]");
	leat_buf_printf(x->out, " %" PRIu32 "/%" PRIu32 " ", tgid, thread ? thread->tid : tgid);
	if (s->cpu != UINT16_MAX)
		leat_buf_printf(x->out, "[%03u] ", s->cpu);
	leat_buf_printf(x->out, "%" PRIu64 ".%06" PRIu64 ": %" PRIu64 " ", s->ts_ns / 1000000000,
			s->ts_ns % 1000000000 / 1000, s->value);
	put_text(x, *event ? event : "samples");
	leat_buf_str(x->out, ":\n");
}

static void put_frame(struct script *x, uint64_t address, uint32_t function, uint64_t offset)
{
	const struct leat_profile *p = x->p;
	const struct leat_function *f = function < p->function_cnt ? &p->functions[function] : NULL;
	const char *module = f ? leat_export_module(p, f->object) : "";

	leat_buf_printf(x->out, "\t%16" PRIx64 " ", address);
	put_text(x, f ? leat_profile_str(p, f->name) : "[unknown]");
	if (f && f->start && f->unnamed == LEAT_UNNAMED_NONE && offset >= f->start)
		leat_buf_printf(x->out, "+0x%" PRIx64, offset - f->start);
	else if (f && !*leat_profile_str(p, f->name))
		leat_buf_str(x->out, "+0x0"); /* else readers take it for a frame without a name */
	leat_buf_str(x->out, " (");
	put_text(x, *module ? module : "[leat]");
	leat_buf_str(x->out, ")\n");
}

static int put_sample(struct script *x, const struct leat_sample *s)
{
	const struct leat_profile *p = x->p;
	int err = leat_export_stack(&x->stack, x->p, s);

	if (err)
		return err;
	put_head(x, s);
	for (size_t i = 0; i < x->stack.n; i++) {
		const struct leat_export_place *place = &x->stack.places[i];
		const struct leat_frame *f = place->frame < p->frame_cnt ? &p->frames[place->frame]
									 : NULL;

		put_frame(x, f ? leat_export_address(&p->objects[f->object], f->offset) : 0,
			  place->function, f ? f->offset : 0);
	}
	leat_buf_char(x->out, '\n');
	return 0;
}

int leat_export_script(struct leat_profile *p, const struct leat_export_opts *o,
		       struct leat_buf *out)
{
	struct script x = { .p = p, .out = out };
	LEAT_FREE uint32_t *order = malloc((p->sample_cnt + 1) * sizeof(*order));
	int err = order ? 0 : -ENOMEM;

	(void)o;
	for (size_t i = 0; !err && i < p->sample_cnt; i++)
		order[i] = (uint32_t)i;
	if (!err)
		qsort_r(order, p->sample_cnt, sizeof(*order), compare, p);
	for (size_t i = 0; !err && i < p->sample_cnt; i++)
		err = put_sample(&x, &p->samples[order[i]]);
	leat_export_stack_fini(&x.stack);
	return err ? err : out->err;
}
