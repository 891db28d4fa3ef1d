/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of perf script: in one piece and in two, the samples are the same number. */
#include <assert.h>

#include "export/formats.h"
#include "import/build.h"
#include "import/perf_script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int parse(struct leat_build *b, const char *p, size_t n, bool last)
{
	struct leat_import_opts o = { .times = n & 1, .periods = n & 2 };
	struct leat_chunk c = { .p = p, .n = n, .last = last };

	return leat_perf_script_parse(b, &o, &c);
}

static void finish(struct leat_build *b)
{
	struct leat_import_opts o = { 0 };
	struct leat_buf out;

	leat_buf_init(&out, 64 << 20);
	if (!leat_build_finish(b, &o, NULL)) {
		assert(b->p->verdict.taken == leat_profile_total(b->p));
		for (size_t i = 0; i < b->p->sample_cnt; i++)
			assert(b->p->samples[i].process < b->p->process_cnt);
		assert(!leat_export_folded(b->p, NULL, &out));
	}
	leat_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	size_t cut = leat_perf_script_cut(p, size);
	struct leat_build a, b;

	assert(cut <= size);
	leat_import_detect(p, size, true);
	if (leat_build_init(&a))
		return 0;
	if (leat_build_init(&b)) {
		leat_build_fini(&a);
		return 0;
	}
	if (!parse(&a, p, cut, false) && !parse(&b, p + cut, size - cut, true) &&
	    !leat_build_merge(&a, &b))
		finish(&a);
	leat_build_fini(&a);
	leat_build_fini(&b);
	return 0;
}
