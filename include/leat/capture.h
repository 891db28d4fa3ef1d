/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leat/capture.h - capture files: the records of a recording, for replay.
 *
 * A capture file holds the records of all sources in the order in which they were dispatched, with
 * the formats of their events, so that it can be read without knowing any struct. A writer is a
 * callback on every event of a bus; a reader is a source like any other. docs/capture-format.md
 * describes the file byte by byte.
 */
#ifndef LEAT_CAPTURE_H
#define LEAT_CAPTURE_H

#include <leat/event.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The version that is written. A reader takes every minor version of its major one. */
#define LEAT_CAPTURE_MAJOR 1
#define LEAT_CAPTURE_MINOR 0

/** What a chunk holds. Append only, never renumbered: files hold the numbers. */
enum leat_capture_kind {
	LEAT_CAPTURE_EVENTS = 1,    /**< events and their formats */
	LEAT_CAPTURE_RECORDS = 2,   /**< records, in order */
	LEAT_CAPTURE_OPTIONS = 3,   /**< items: what the session was told */
	LEAT_CAPTURE_META = 4,	    /**< items: what was recorded, where, when; later ones win */
	LEAT_CAPTURE_VERDICT = 5,   /**< items: every counter */
	LEAT_CAPTURE_STRINGS = 6,   /**< strings of the tables below, by number */
	LEAT_CAPTURE_PROCESSES = 7, /**< table: processes that objects belong to */
	LEAT_CAPTURE_OBJECTS = 8,   /**< table: identities of what was mapped */
	LEAT_CAPTURE_FUNCTIONS = 9, /**< table: resolved functions */
	LEAT_CAPTURE_FRAMES = 10,   /**< table: object and offset to function */
	LEAT_CAPTURE_END = 11,	    /**< counts; the file is whole */
	LEAT_CAPTURE_KIND__MAX
};

/* ---- writing ---- */

struct leat_capture_writer;

/** What a writer did. */
struct leat_capture_written {
	uint64_t records; /**< records taken */
	uint64_t lost;	  /**< records that could not be written: too large, or after an error */
	uint64_t bytes;	  /**< bytes written */
	uint64_t chunks;
	bool whole; /**< the end mark is written */
};

/**
 * leat_capture_writer_new - begin a capture file: writes the file's header.
 * @out: the writer; unchanged on failure.
 * @fd:  where to; written in order, never read, never seeked: a pipe will do.
 *
 * Ownership: @out is the caller's; @fd is borrowed until leat_capture_writer_free.
 * Threads:   caller serialises; the callbacks run where the bus dispatches.
 * Errors:    -ENOMEM, of write(2).
 * Cost:      about 1.5 MB of memory.
 */
int leat_capture_writer_new(struct leat_capture_writer **out, int fd);

/** leat_capture_writer_free - NULL is accepted; nulls the pointer. What was not flushed is lost. */
void leat_capture_writer_free(struct leat_capture_writer **w);

/**
 * leat_capture_writer_attach - write down the events of a bus, and from now on their records.
 * @bus: with all events registered; callbacks of others that are added later run after the
 *       writer's, so that a record stands before those that its callbacks dispatch.
 *
 * Ownership: @bus is borrowed; its callbacks hold @w: free @w, or detach it, before the bus.
 * Errors:    -EBUSY attached already, -ENOMEM, of write(2).
 * Cost:      of each record then a copy, and its share of compressing 256 KiB.
 */
int leat_capture_writer_attach(struct leat_capture_writer *w, struct leat_bus *bus);

/** leat_capture_writer_detach - removes the callbacks; nothing happens when there are none. */
void leat_capture_writer_detach(struct leat_capture_writer *w);

/**
 * leat_capture_writer_chunk - write a chunk of one's own, behind the records so far.
 * @kind: enum leat_capture_kind but RECORDS and END, or a number from 32,768 on.
 * @p:    @n bytes, at most 4 MiB.
 *
 * Errors: -EINVAL, -EOVERFLOW too large, -ENOMEM, of write(2); the first one of write(2) sticks.
 */
int leat_capture_writer_chunk(struct leat_capture_writer *w, uint16_t kind, const void *p,
			      size_t n);

/**
 * leat_capture_writer_flush - write the records so far as a chunk: what is lost if the writer dies.
 * Errors: as leat_capture_writer_chunk.
 */
int leat_capture_writer_flush(struct leat_capture_writer *w);

/**
 * leat_capture_writer_finish - detach, flush, and write the mark that says the file is whole.
 * Errors: as leat_capture_writer_chunk; the file is then not whole.
 */
int leat_capture_writer_finish(struct leat_capture_writer *w);

/** leat_capture_writer_error - the first error, 0 when there was none; nothing was written after it. */
int leat_capture_writer_error(const struct leat_capture_writer *w);

/** leat_capture_writer_stats - so far. */
void leat_capture_writer_stats(const struct leat_capture_writer *w,
			       struct leat_capture_written *out);

/* ---- reading ---- */

struct leat_capture;

/** What a reader found; complete when the source has given its last record. */
struct leat_capture_info {
	uint16_t major, minor;	 /**< of the file */
	bool complete;		 /**< its end was there: nothing is missing */
	uint64_t chunks;	 /**< whole ones */
	uint64_t skipped_chunks; /**< of a kind that is unknown: of a newer version */
	uint64_t skipped_events; /**< whose format is of a newer version */
	uint64_t records;	 /**< delivered */
	uint64_t skipped;	 /**< records of an event that was skipped, or never described */
	uint64_t lost;		 /**< records that the writer could not write, as it said */
	uint64_t bytes;		 /**< of the file, read so far */
	uint64_t cut_bytes;	 /**< of them, in a chunk that the file ends within */
	uint64_t last_ns;	 /**< youngest record, CLOCK_MONOTONIC of the recording host */
};

/**
 * leat_capture_chunk_fn - called with every chunk but records, in order.
 * @p: @n bytes, valid during the call.
 * Returns 0, or a negative errno that ends the reading.
 */
typedef int (*leat_capture_chunk_fn)(void *ctx, uint16_t kind, const void *p, size_t n);

/** leat_capture_new - a reader of nothing yet. Errors: -ENOMEM. */
int leat_capture_new(struct leat_capture **out);
/** leat_capture_free - NULL is accepted; nulls the pointer. After the session that it feeds. */
void leat_capture_free(struct leat_capture **c);
/** leat_capture_set_chunk_fn - before opening. @fn must be valid as long as @c. */
void leat_capture_set_chunk_fn(struct leat_capture *c, leat_capture_chunk_fn fn, void *ctx);

/**
 * leat_capture_open_fd - begin to read: everything up to the first record.
 * @fd: read in order, never seeked: a pipe will do; borrowed until leat_capture_free.
 *
 * Nothing in a file is trusted: sizes, counts and ratios have maxima, each chunk has a checksum.
 * Errors: -EBADMSG no capture file, or corrupt; -ENOTSUP of another major version or byte order;
 *         -ENODATA it ends within its header; -EBUSY, -ENOMEM, of read(2), of the chunk's callback.
 *         leat_capture_error says it in words.
 */
int leat_capture_open_fd(struct leat_capture *c, int fd);
/** leat_capture_open_bytes - the same from memory, which must live as long as @c. */
int leat_capture_open_bytes(struct leat_capture *c, const void *p, size_t n);

/**
 * leat_capture_source - the records as a source. Its poll returns -EBADMSG where the file is
 * corrupt, and ends where it ends: whether that was its proper end, leat_capture_info tells.
 */
struct leat_source leat_capture_source(struct leat_capture *c);

/** leat_capture_error - what is wrong with the file, "" when nothing is. Valid until freed. */
const char *leat_capture_error(const struct leat_capture *c);
/** leat_capture_info - so far. */
void leat_capture_info(const struct leat_capture *c, struct leat_capture_info *out);

#ifdef __cplusplus
}
#endif

#endif
