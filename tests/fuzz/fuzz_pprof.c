/* SPDX-License-Identifier: BSD-2-Clause */
/* A pprof file, inflated. What was read can be written. */
#include <assert.h>

#include "export/formats.h"
#include "import/build.h"
#include "import/pprof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct leat_export_opts eo = { .tree.by_process = true };
	struct leat_import_opts o = { 0 };
	struct leat_build b;
	struct leat_buf out;

	if (leat_build_init(&b))
		return 0;
	leat_buf_init(&out, 64 << 20);
	if (!leat_pprof_parse(&b, &o, (const char *)data, size, "x", NULL) &&
	    !leat_build_finish(&b, &o, NULL)) {
		assert(b.p->verdict.taken == leat_profile_total(b.p));
		assert(!leat_export_folded(b.p, NULL, &out));
		leat_buf_reset(&out);
		assert(!leat_export_pprof(b.p, &eo, &out));
	}
	leat_buf_fini(&out);
	leat_build_fini(&b);
	return 0;
}
