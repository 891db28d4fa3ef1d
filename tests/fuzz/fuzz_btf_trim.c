/* SPDX-License-Identifier: BSD-2-Clause */
/* Type information of a kernel, cut to what the same bytes, or their second half, name. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/btf_trim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t half = size / 8 * 4;
	struct leat_buf out;
	int err;

	leat_buf_init(&out, 1 << 20);
	err = leat_btf_trim(data, size, data, size, &out);
	/* What was trimmed by its own names has nothing to lose any more. */
	if (!err) {
		struct leat_buf again;

		leat_buf_init(&again, 1 << 20);
		assert(leat_btf_trim(out.data, out.len, out.data, out.len, &again) == 0);
		assert(again.len <= out.len);
		leat_buf_fini(&again);
	}
	leat_buf_fini(&out);
	leat_buf_init(&out, 1 << 20);
	(void)!leat_btf_trim(data, half, data + half, size - half, &out);
	leat_buf_fini(&out);
	return 0;
}
