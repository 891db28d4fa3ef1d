/* SPDX-License-Identifier: BSD-2-Clause */
/* Symbols: bounded output in bounded time, and no memory left behind. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/demangle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct leat_buf out;
	size_t n;
	bool ok;

	leat_buf_init(&out, 1 << 20);
	leat_buf_str(&out, "x");
	n = leat_unversioned((const char *)data, size);
	assert(n <= size);
	ok = leat_demangle((const char *)data, n, &out);
	assert(ok == (out.len > 1));
	assert(out.len <= 1 + LEAT_DEMANGLE_OUT_MAX + LEAT_DEMANGLE_IN_MAX);
	assert(out.data[0] == 'x');
	leat_buf_fini(&out);
	return 0;
}
