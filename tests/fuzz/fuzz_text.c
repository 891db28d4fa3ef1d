/* SPDX-License-Identifier: BSD-2-Clause */
/* Whatever a name holds, what comes out is UTF-8 that acts on nothing. */
#include <assert.h>
#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct leat_buf *b, const char *never)
{
	uint32_t cp = 0;
	size_t len;

	assert(!b->err);
	for (size_t at = 0; at < b->len; at += len) {
		len = leat_text_utf8(b->data + at, b->len - at, &cp);
		assert(len);
		assert(cp >= 0x20 && (cp < 0x7f || cp > 0x9f));
		assert(cp != 0x2028 && cp != 0x2029 && cp != 0xfeff);
		assert((cp < 0x202a || cp > 0x202e) && (cp < 0x2066 || cp > 0x2069));
		assert(cp >= 0x80 || !strchr(never, (int)cp));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data;
	struct leat_buf b;

	leat_buf_init(&b, size * 8 + 16);
	leat_text_clean(&b, s, size);
	check(&b, "");
	leat_buf_reset(&b);
	leat_text_folded(&b, s, size);
	check(&b, ";");
	leat_buf_reset(&b);
	leat_text_json(&b, s, size);
	check(&b, "<>&");
	leat_buf_reset(&b);
	leat_text_xml(&b, s, size);
	check(&b, "<>\"'");
	leat_buf_fini(&b);
	return 0;
}
