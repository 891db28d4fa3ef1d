/* SPDX-License-Identifier: BSD-2-Clause */
/* leat/writer.h - whole records as text or JSON, by a formatter that is made once for a format. */
#ifndef LEAT_WRITER_H
#define LEAT_WRITER_H

#include <leat/event.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * How a record is written. Names of fields are those of the format ("proc.start_ns").
 *
 * | value              | text                                 | JSON                             |
 * |--------------------|--------------------------------------|----------------------------------|
 * | integer            | -5                                   | -5                               |
 * | named value        | TIMER, its number when it has none   | "TIMER", 17                      |
 * | flags              | READ|SYNC|0x40, the rest in hex; 0   | "READ|SYNC|0x40", "0"            |
 * | boolean            | true                                 | true                             |
 * | pointer            | 0xffff888100000000                   | "0xffff888100000000"             |
 * | time               | 1.000000005                          | 1000000005 (nanoseconds)         |
 * | float              | the shortest that reads back the same| the same; null for NaN, infinite |
 * | GUID               | 781c74e8-dd76-59a2-e52f-cb83919aa38b | the same, in quotes              |
 * | text, UTF-16       | redis, "two words", ""               | "two words"                      |
 * | bytes, u8[]        | 0x0a0b0c                             | "0x0a0b0c"                       |
 * | other array        | [1,2,3]                              | [1,2,3]                          |
 * | missing, too short | ?                                    | null                             |
 *
 * Text is put in quotes where it holds anything but printable ASCII, or a blank, quote, backslash or
 * equals sign. Within quotes \\n \\r \\t \\" \\\\ stand for themselves, \\xNN for a control character
 * or a byte that is no UTF-8, \\u{NNNN} for a character that acts on what is around it (bidirectional
 * controls, separators). In JSON control characters and those are \\uNNNN, and what is no UTF-8, or
 * half a surrogate pair, is U+FFFD: the output is valid whatever the record holds.
 */
enum leat_writer_kind {
	LEAT_WRITER_TEXT = 0, /**< name=value name=value */
	LEAT_WRITER_JSON = 1, /**< {"name":value,"name":value} */
};

struct leat_writer;

/**
 * leat_writer_new - compile a writer for all fields of a format.
 *
 * Ownership: the caller's; @f is not kept.   Threads: one thread at a time for each writer.
 * Errors:    -EINVAL kind, -ENOMEM.
 */
int leat_writer_new(struct leat_writer **out, const struct leat_format *f,
		    enum leat_writer_kind kind);
/** leat_writer_free - NULL is accepted; nulls the pointer. */
void leat_writer_free(struct leat_writer **w);
/**
 * leat_writer_write - write one record: no newline, no NUL.
 * @buf: @cap bytes; what it holds after a failure is of no use.
 * @len: bytes written; unchanged on failure.
 *
 * Errors: -EOVERFLOW it does not fit.
 * Cost:   one pass over the record, no allocation, no look-up by name; about 25 ns for a number and
 *	   a short string.
 */
int leat_writer_write(struct leat_writer *w, const struct leat_record *r, char *buf, size_t cap,
		      size_t *len);
/** leat_writer_short_cnt - fields that were written as missing. */
uint64_t leat_writer_short_cnt(const struct leat_writer *w);

#ifdef __cplusplus
}
#endif

#endif
