/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capture files: what their writer and their reader share, and what of them is not public.
 * docs/capture-format.md is the description; the structs here are its bytes.
 */
#ifndef LEAT_EVENT_CAPTURE_H
#define LEAT_EVENT_CAPTURE_H

#include <leat/capture.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/reader.h"

/* As PNG has it: not text, and what a text mode transfer does to it is seen. */
#define LEAT_CAPTURE_MAGIC     "\x89LEAT\r\n\x1a"
#define LEAT_CAPTURE_MAGIC_LEN 8
/* Reads as 0x04030201 on a host of the other byte order. */
#define LEAT_CAPTURE_BYTE_ORDER 0x01020304u

struct leat_capture_header {
	uint8_t magic[LEAT_CAPTURE_MAGIC_LEN];
	uint32_t byte_order;
	uint16_t major;
	uint16_t minor;
	uint32_t header_bytes; /* this struct; a newer minor version may have a longer one */
	uint32_t pad;
	uint64_t checksum; /* of the bytes before it */
};
_Static_assert(sizeof(struct leat_capture_header) == 32, "file format");

#define LEAT_CAPTURE_CHUNK_MARK 0x4b4e4843u /* "CHNK" */

enum leat_capture_codec {
	LEAT_CAPTURE_RAW = 0,
	LEAT_CAPTURE_ZSTD = 1,
};

/* A reader that does not know the kind must not go on. */
#define LEAT_CAPTURE_REQUIRED 1u

struct leat_capture_chunk {
	uint32_t mark;
	uint16_t kind; /* enum leat_capture_kind */
	uint8_t codec;
	uint8_t flags;
	uint32_t seq;	       /* 0, 1, 2, ... */
	uint32_t stored_bytes; /* behind this header */
	uint32_t raw_bytes;    /* decompressed */
	uint32_t item_cnt;     /* records; 0 for other kinds */
	uint64_t checksum; /* of the payload as stored, seeded with that of the bytes before it */
};
_Static_assert(sizeof(struct leat_capture_chunk) == 32, "file format");

/* Before each record; when the record begins with the very same bytes, they stand there once. */
struct leat_capture_entry {
	uint16_t kind;
	uint16_t cpu;
	uint32_t
		size; /* LEAT_CAPTURE_APART, and bytes: this header, and the record unless it is one */
	uint64_t ts_ns;
	uint32_t tgid;
	uint32_t tid;
};
_Static_assert(sizeof(struct leat_capture_entry) == 24, "file format");

/* The record stands behind the entry; else the entry is its beginning. */
#define LEAT_CAPTURE_APART 0x80000000u
#define LEAT_CAPTURE_ALIGN 8u /* entries begin at multiples of it */

struct leat_capture_end {
	uint64_t records;
	uint64_t lost;
	uint64_t chain; /* of all checksums before, in order */
};

/* Maxima of a file. */
#define LEAT_CAPTURE_MAX_HEADER 4096u
#define LEAT_CAPTURE_MAX_CHUNK	(4u << 20) /* bytes, stored and raw */
#define LEAT_CAPTURE_MAX_RECORD (128u << 10)
/* raw : stored; a chunk that would compress better is stored as it is. */
#define LEAT_CAPTURE_MAX_RATIO	1024u
#define LEAT_CAPTURE_MAX_EVENTS 4096u
#define LEAT_CAPTURE_MAX_FIELDS 65536u /* of all events */
#define LEAT_CAPTURE_MAX_NAME	4096u  /* of an event, a format, a field, a type */

/* Records are collected up to here. */
#define LEAT_CAPTURE_CHUNK_BYTES (256u << 10)

uint64_t leat_capture_chunk_sum(const struct leat_capture_chunk *h, const void *payload);
uint64_t leat_capture_header_sum(const struct leat_capture_header *h);
/* The chain of the end mark, one more. */
uint64_t leat_capture_chain(uint64_t chain, uint64_t checksum);

/* ---- events ---- */

struct leat_capture_event {
	uint16_t id;
	uint32_t flags; /* enum leat_event_flag */
	char *name;
	struct leat_format *format; /* NULL: of a newer version, or taken */
};

void leat_capture_put_event(struct leat_buf *b, const struct leat_event *ev);
/*
 * Reads one; *@fields counts down. An event whose format has values of a newer version has none.
 * -EBADMSG, -EOVERFLOW, -ENOMEM; on failure there is nothing to free.
 */
int leat_capture_get_event(struct leat_reader *r, struct leat_capture_event *out,
			   uint32_t *fields) LEAT_MUST_USE;
void leat_capture_event_fini(struct leat_capture_event *ev);

/* ---- items: named values ---- */

enum leat_capture_item_type {
	LEAT_CAPTURE_U64 = 1,
	LEAT_CAPTURE_TEXT = 2,
};

struct leat_capture_item {
	const char *name; /* not NUL-terminated */
	size_t name_len;
	uint8_t type; /* enum leat_capture_item_type; others are passed over */
	uint64_t value;
	const char *text;
	size_t text_len;
};

void leat_capture_put_u64(struct leat_buf *b, const char *name, uint64_t v);
void leat_capture_put_text(struct leat_buf *b, const char *name, const char *s);
/* 1 and the next one, borrowed from @r; 0 at the end; -EBADMSG. */
int leat_capture_next_item(struct leat_reader *r, struct leat_capture_item *out) LEAT_MUST_USE;
bool leat_capture_item_is(const struct leat_capture_item *it, const char *name);

/* ---- tables: rows of one size, which a newer minor version may lengthen ---- */

struct leat_capture_table {
	uint32_t row_bytes;
	uint32_t row_cnt;
};

/* Rows of @row_bytes at least, as *@t says; the rows are left in @r. -EBADMSG. */
int leat_capture_get_table(struct leat_reader *r, uint32_t row_bytes,
			   struct leat_capture_table *t) LEAT_MUST_USE;

/* ---- writer ---- */

/* What belongs into the file cannot be made: it will not be whole. The first error sticks. */
void leat_capture_writer_fail(struct leat_capture_writer *w, int err);

/*
 * Puts another record in the place of one before it is written: true, and *@out is to be written
 * (valid until the next call).
 */
typedef bool (*leat_capture_rewrite_fn)(void *ctx, const struct leat_event *ev,
					const struct leat_record *r, struct leat_record *out);
void leat_capture_writer_set_rewrite(struct leat_capture_writer *w, leat_capture_rewrite_fn fn,
				     void *ctx);

#endif
