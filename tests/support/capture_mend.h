/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the checksums of a changed capture file right, so that what stands behind them is reached. */
#ifndef LEAT_TESTS_SUPPORT_CAPTURE_MEND_H
#define LEAT_TESTS_SUPPORT_CAPTURE_MEND_H

#include <string.h>

#include "event/capture.h"

/* The end mark counts what came before it; only raw ones can be put right. */
static inline void leat_mend_end(struct leat_capture_chunk *h, uint8_t *payload, uint64_t records,
				 uint64_t chain)
{
	struct leat_capture_end end;

	if (h->kind != LEAT_CAPTURE_END || h->codec != LEAT_CAPTURE_RAW ||
	    h->stored_bytes < sizeof(end))
		return;
	memcpy(&end, payload, sizeof(end));
	end.records = records;
	end.chain = chain;
	memcpy(payload, &end, sizeof(end));
}

static inline void leat_mend(uint8_t *p, size_t n)
{
	struct leat_capture_header fh;
	struct leat_capture_chunk h;
	uint64_t chain = 0, records = 0;
	uint32_t seq = 0;
	size_t off;

	if (n < sizeof(fh))
		return;
	memcpy(&fh, p, sizeof(fh));
	fh.checksum = leat_capture_header_sum(&fh);
	memcpy(p, &fh, sizeof(fh));
	off = fh.header_bytes;
	while (off <= n && n - off >= sizeof(h)) {
		memcpy(&h, p + off, sizeof(h));
		if (h.stored_bytes > n - off - sizeof(h))
			return;
		h.seq = seq++;
		leat_mend_end(&h, p + off + sizeof(h), records, chain);
		records += h.kind == LEAT_CAPTURE_RECORDS ? h.item_cnt : 0;
		h.checksum = leat_capture_chunk_sum(&h, p + off + sizeof(h));
		memcpy(p + off, &h, sizeof(h));
		chain = leat_capture_chain(chain, h.checksum);
		off += sizeof(h) + h.stored_bytes;
	}
}

#endif
