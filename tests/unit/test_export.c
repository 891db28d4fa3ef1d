/* SPDX-License-Identifier: BSD-2-Clause */
#include <leat/export.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../support/alloc.h"
#include "../support/sample_profile.h"

static struct leat_profile *p;

static void init(void)
{
	cr_assert(eq(int, leat_sample_profile_hostile(&p), 0));
}

static void fini(void)
{
	leat_profile_free(&p);
}

TestSuite(export, .init = init, .fini = fini);

Test(export, a_format_that_leat_has)
{
	const struct leat_exporter *e = leat_exporter_find("folded");
	char *data = NULL, *again = NULL;
	size_t len, len_again;

	cr_assert(ne(ptr, (void *)e, NULL));
	cr_assert(eq(int, leat_export_write(e, p, NULL, &data, &len), 0));
	cr_assert(eq(int, leat_export_write(e, p, NULL, &again, &len_again), 0));
	cr_assert(gt(sz, len, 100));
	cr_expect(eq(sz, len, strlen(data)));
	cr_expect(eq(str, data, again), "same input, same bytes");
	free(data);
	free(again);
}

/* One of user code: through the public getters alone, it finds what the folded format has. */
static int write_total(struct leat_profile *q, const struct leat_export_opts *o,
		       struct leat_buf *out)
{
	struct leat_sample_info s;
	uint64_t sum = 0;

	for (size_t i = 0; leat_profile_sample_at(q, i, &s) == 0; i++)
		sum += s.value;
	leat_text_json(out, o->title ? o->title : "none", o->title ? strlen(o->title) : 4);
	leat_buf_str(out, ":");
	leat_buf_u64(out, sum);
	leat_buf_add(out, "\n", 1);
	return 0;
}

Test(export, a_format_of_user_code)
{
	static const struct leat_exporter e = { .format = "total", .write = write_total };
	struct leat_export_opts o = { .title = "a\"<b" };
	char *data = NULL, want[64];
	size_t len;

	cr_assert(eq(int, leat_export_write(&e, p, &o, &data, &len), 0));
	snprintf(want, sizeof(want), "\"a\\\"\\u003cb\":%llu\n",
		 (unsigned long long)leat_profile_total(p));
	cr_expect(eq(str, data, want));
	free(data);
}

static int write_nothing(struct leat_profile *q, const struct leat_export_opts *o,
			 struct leat_buf *out)
{
	(void)q;
	(void)out;
	return o->title ? -EIO : 0;
}

Test(export, nothing_and_errors)
{
	static const struct leat_exporter e = { .format = "none", .write = write_nothing };
	struct leat_export_opts o = { .title = "fail" };
	char *data = NULL;
	size_t len = 99;

	cr_expect(eq(int, leat_export_write(&e, p, &o, &data, &len), -EIO));
	cr_expect(eq(ptr, data, NULL));
	cr_expect(eq(sz, len, 99));
	cr_expect(eq(int, leat_export_write(&e, p, NULL, &data, &len), 0));
	cr_expect(eq(str, data, (char *)""));
	cr_expect(eq(sz, len, 0));
	free(data);
}

/* The getters agree with the tables, and end where these do. */
Test(export, getters)
{
	struct leat_process_info proc;
	struct leat_function_info fn;
	struct leat_object_info obj;
	struct leat_thread_info thread;
	struct leat_sample_info s;
	struct leat_stack_info st;
	struct leat_frame_info f;
	struct leat_verdict_info v;

	for (size_t i = 0; i < leat_profile_sample_cnt(p); i++) {
		cr_assert(eq(int, leat_profile_sample_at(p, i, &s), 0));
		cr_assert(eq(u64, s.value, p->samples[i].value));
		cr_assert(eq(int, leat_profile_process_at(p, s.process, &proc), 0));
		cr_assert(eq(u32, proc.tgid, p->processes[s.process].tgid));
		cr_assert(eq(str, (char *)proc.comm,
			     (char *)leat_profile_str(p, p->processes[s.process].comm)));
		cr_assert(eq(int, leat_profile_stack_at(p, s.stack, &st), 0));
		cr_assert(le(sz, st.kernel_cnt, st.frame_cnt));
		for (size_t k = 0; k < st.frame_cnt; k++) {
			cr_assert(eq(int, leat_profile_frame_at(p, st.frames[k], &f), 0));
			cr_assert(eq(int, leat_profile_function_at(p, f.function, &fn), 0));
			cr_assert(ne(ptr, (void *)fn.name, NULL));
			cr_assert(eq(int, leat_profile_object_at(p, f.object, &obj), 0));
		}
	}
	cr_expect(eq(int, leat_profile_sample_at(p, leat_profile_sample_cnt(p), &s), -ENOENT));
	cr_expect(eq(int, leat_profile_stack_at(p, leat_profile_stack_cnt(p), &st), -ENOENT));
	cr_expect(eq(int, leat_profile_frame_at(p, leat_profile_frame_cnt(p), &f), -ENOENT));
	cr_expect(eq(int, leat_profile_function_at(p, leat_profile_function_cnt(p), &fn), -ENOENT));
	cr_expect(eq(int, leat_profile_object_at(p, leat_profile_object_cnt(p), &obj), -ENOENT));
	cr_expect(eq(int, leat_profile_process_at(p, leat_profile_process_cnt(p), &proc), -ENOENT));
	cr_expect(eq(int, leat_profile_thread_at(p, leat_profile_thread_cnt(p), &thread), -ENOENT));
	leat_profile_verdict(p, &v);
	cr_expect(
		eq(str, (char *)v.trust, (char *)leat_trust_name(leat_verdict_trust(&p->verdict))));
	cr_expect(eq(u64, v.taken, p->verdict.taken));
}

Test(export, threads)
{
	struct leat_thread_info thread;

	leat_profile_free(&p);
	cr_assert(eq(int, leat_sample_profile_streamed(&p), 0));
	cr_assert(gt(sz, leat_profile_thread_cnt(p), 0));
	for (size_t i = 0; i < leat_profile_thread_cnt(p); i++) {
		cr_assert(eq(int, leat_profile_thread_at(p, i, &thread), 0));
		cr_assert(eq(u32, thread.tid, p->threads[i].tid));
	}
}

Test(export, survives_each_failing_allocation)
{
	LEAT_ALLOC_EACH_FAILS {
		char *data = NULL;
		size_t len;
		int err = leat_export_write(leat_exporter_find("folded"), p, NULL, &data, &len);

		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		cr_assert(eq(int, !data, err != 0));
		free(data);
	}
}
