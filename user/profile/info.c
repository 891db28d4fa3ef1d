/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of a profile for those outside: plain values, no way to change them. */
#include <errno.h>

#include "profile/profile.h"

size_t leat_profile_sample_cnt(const struct leat_profile *p)
{
	return p->sample_cnt;
}

size_t leat_profile_stack_cnt(const struct leat_profile *p)
{
	return p->stack_cnt;
}

size_t leat_profile_frame_cnt(const struct leat_profile *p)
{
	return p->frame_cnt;
}

size_t leat_profile_function_cnt(const struct leat_profile *p)
{
	return p->function_cnt;
}

size_t leat_profile_object_cnt(const struct leat_profile *p)
{
	return p->object_cnt;
}

size_t leat_profile_process_cnt(const struct leat_profile *p)
{
	return p->process_cnt;
}

size_t leat_profile_thread_cnt(const struct leat_profile *p)
{
	return p->thread_cnt;
}

int leat_profile_sample_at(const struct leat_profile *p, size_t i, struct leat_sample_info *out)
{
	const struct leat_sample *s;

	if (i >= p->sample_cnt)
		return -ENOENT;
	s = &p->samples[i];
	*out = (struct leat_sample_info){
		.process = s->process,
		.thread = s->thread,
		.stack = s->stack,
		.attributes = s->attrs,
		.value = s->value,
		.ts_ns = s->ts_ns,
		.cpu = s->cpu,
	};
	return 0;
}

int leat_profile_stack_at(const struct leat_profile *p, size_t i, struct leat_stack_info *out)
{
	const struct leat_stack *s;

	if (i >= p->stack_cnt)
		return -ENOENT;
	s = &p->stacks[i];
	*out = (struct leat_stack_info){
		.frames = leat_profile_stack_frames(p, s),
		.frame_cnt = (size_t)s->kframe_cnt + s->uframe_cnt,
		.kernel_cnt = s->kframe_cnt,
		.complete = s->uresult == LEAT_STACK_COMPLETE,
		.result = leat_stack_result_name((enum leat_stack_result)s->uresult),
	};
	return 0;
}

int leat_profile_frame_at(const struct leat_profile *p, size_t i, struct leat_frame_info *out)
{
	const struct leat_frame *f;

	if (i >= p->frame_cnt)
		return -ENOENT;
	f = &p->frames[i];
	*out = (struct leat_frame_info){
		.object = f->object,
		.function = f->function,
		.offset = f->offset,
		.is_kernel = f->flags & LEAT_FRAME_KERNEL,
		.is_return = f->flags & LEAT_FRAME_RETURN,
	};
	return 0;
}

int leat_profile_function_at(const struct leat_profile *p, size_t i, struct leat_function_info *out)
{
	const struct leat_function *f;

	if (i >= p->function_cnt)
		return -ENOENT;
	f = &p->functions[i];
	*out = (struct leat_function_info){
		.name = leat_profile_str(p, f->name),
		.raw = leat_profile_str(p, f->raw),
		.file = leat_profile_str(p, f->file),
		.line = f->line,
		.object = f->object,
		.is_kernel = f->kind == LEAT_FUNCTION_KERNEL || f->kind == LEAT_FUNCTION_MODULE ||
			     f->kind == LEAT_FUNCTION_BPF,
	};
	return 0;
}

int leat_profile_object_at(const struct leat_profile *p, size_t i, struct leat_object_info *out)
{
	const struct leat_object *o;

	if (i >= p->object_cnt)
		return -ENOENT;
	o = &p->objects[i];
	*out = (struct leat_object_info){
		.path = leat_profile_str(p, o->path),
		.build_id = o->build_id,
		.build_id_len = o->build_id_len,
		.is_file = o->kind == LEAT_OBJECT_FILE,
	};
	return 0;
}

int leat_profile_process_at(const struct leat_profile *p, size_t i, struct leat_process_info *out)
{
	const struct leat_process *proc;

	if (i >= p->process_cnt)
		return -ENOENT;
	proc = &p->processes[i];
	*out = (struct leat_process_info){
		.tgid = proc->tgid,
		.ns_tgid = proc->ns_tgid,
		.ppid = proc->ppid,
		.uid = proc->uid,
		.comm = leat_profile_str(p, proc->comm),
		.exe = leat_profile_str(p, proc->exe),
		.start_ns = proc->start_ns,
		.end_ns = proc->to_ns,
		.samples = proc->samples,
	};
	return 0;
}

int leat_profile_thread_at(const struct leat_profile *p, size_t i, struct leat_thread_info *out)
{
	const struct leat_thread *t;

	if (i >= p->thread_cnt)
		return -ENOENT;
	t = &p->threads[i];
	*out = (struct leat_thread_info){
		.process = t->process,
		.tid = t->tid,
		.comm = leat_profile_str(p, t->comm),
	};
	return 0;
}

void leat_profile_verdict(const struct leat_profile *p, struct leat_verdict_info *out)
{
	const struct leat_verdict *v = &p->verdict;

	*out = (struct leat_verdict_info){
		.trust = leat_trust_name(leat_verdict_trust(v)),
		.wanted = v->wanted,
		.taken = v->taken,
		.lost = leat_verdict_lost(v),
		.complete_percent = leat_verdict_complete_percent(v),
		.named_percent = leat_verdict_named_percent(v),
	};
}
