/* SPDX-License-Identifier: BSD-2-Clause */
/* Folded stacks: what was read and written again is read as the same. */
#include <assert.h>
#include <string.h>

#include "export/formats.h"
#include "import/build.h"
#include "import/folded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_all(const char *p, size_t n, struct leat_buf *out)
{
	struct leat_chunk c = { .p = p, .n = n, .last = true };
	struct leat_import_opts o = { 0 };
	struct leat_build b;
	const char *why;
	int err = leat_build_init(&b);

	if (!err)
		err = leat_folded_parse(&b, &c, &why);
	if (!err)
		err = leat_build_finish(&b, &o, NULL);
	if (!err) {
		assert(b.p->verdict.taken == leat_profile_total(b.p));
		err = leat_export_folded(b.p, NULL, out);
	}
	leat_build_fini(&b);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct leat_buf once, twice;

	assert(leat_folded_cut((const char *)data, size) <= size);
	leat_import_detect((const char *)data, size, true);
	leat_buf_init(&once, 64 << 20);
	leat_buf_init(&twice, 64 << 20);
	/* Text that is cleaned already stays as it is. */
	if (!read_all((const char *)data, size, &once) && !read_all(once.data, once.len, &twice)) {
		leat_buf_reset(&once);
		assert(!read_all(twice.data, twice.len, &once));
		assert(once.len == twice.len && !memcmp(once.data, twice.data, once.len));
	}
	leat_buf_fini(&once);
	leat_buf_fini(&twice);
	return 0;
}
