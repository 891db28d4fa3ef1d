/* SPDX-License-Identifier: BSD-2-Clause */
/* The first half of the input says what to read, the second half is read. */
#include <assert.h>
#include <string.h>

#include "base/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sink;

static int read_integer(struct leat_reader *r, uint8_t op)
{
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;
	uint8_t u8;
	int64_t s64;

	switch (op % 6) {
	case 0:
		return leat_reader_u8(r, &u8);
	case 1:
		return leat_reader_u16(r, &u16);
	case 2:
		return leat_reader_u32(r, &u32);
	case 3:
		return leat_reader_u64(r, &u64);
	case 4:
		return leat_reader_uleb128(r, &u64);
	default:
		return leat_reader_sleb128(r, &s64);
	}
}

static int read_piece(struct leat_reader *r, uint8_t op, uint8_t n)
{
	struct leat_reader sub;
	const void *p;
	const char *s;
	int err;

	switch (op % 5) {
	case 0:
		err = leat_reader_bytes(r, n, &p);
		sink += !err && n ? ((const uint8_t *)p)[n - 1] : 0;
		return err;
	case 1:
		err = leat_reader_str(r, &s);
		sink += err ? 0 : strlen(s);
		return err;
	case 2:
		return leat_reader_skip(r, n);
	case 3:
		/* Success, which may go back, is not progress: the check below would complain. */
		return leat_reader_seek(r, r->off + n);
	default:
		err = leat_reader_sub(r, r->off, n, &sub);
		while (!err && !leat_reader_uleb128(&sub, &(uint64_t){ 0 }))
			;
		return err;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t ops = size / 2;
	struct leat_reader r = leat_reader_of(data + ops, size - ops);

	for (size_t i = 0; i + 1 < ops; i += 2) {
		size_t before = r.off;
		int err = data[i] & 0x80 ? read_integer(&r, data[i] & 0x7f)
					 : read_piece(&r, data[i], data[i + 1]);

		assert(err == 0 || err == -ENODATA || err == -EOVERFLOW);
		assert(err ? r.off == before : r.off >= before);
		assert(r.off <= r.len);
	}
	return 0;
}
