/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leat/event.h - events, their formats and fields, callbacks, sources.
 *
 * Everything that arrives is an event with a format made of fields. References to fields are
 * taken once, by name, before the data flows; on the data path there is no string.
 */
#ifndef LEAT_EVENT_H
#define LEAT_EVENT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where a field's bytes are found in a record. */
enum leat_location {
	LEAT_LOCATION_STATIC = 0,    /**< offset .. offset + size */
	LEAT_LOCATION_STRING = 1,    /**< from offset to the first NUL or the record's end */
	LEAT_LOCATION_UTF16 = 2,     /**< the same in UTF-16LE */
	LEAT_LOCATION_DATA_LOC = 3,  /**< u32 at offset: length << 16 | offset in the record */
	LEAT_LOCATION_REL_LOC = 4,   /**< the same, counted from the end of that u32 */
	LEAT_LOCATION_TAIL = 5,	     /**< from offset to the record's end (flexible array) */
	LEAT_LOCATION_LEN_ARRAY = 6, /**< u16 count at offset, then as many elements of elem_size */
	LEAT_LOCATION_BITS = 7,	     /**< bits of an integer of size bytes at offset */
};

/** What a field's bytes mean. Signedness comes from the format, never from the name. */
enum leat_type {
	LEAT_TYPE_BYTES = 0,   /**< anything else: a slice */
	LEAT_TYPE_UINT = 1,    /**< 1, 2, 4 or 8 bytes */
	LEAT_TYPE_INT = 2,     /**< 1, 2, 4 or 8 bytes, two's complement */
	LEAT_TYPE_CHAR = 3,    /**< text, cut at the first NUL; elements of 2 bytes: UTF-16LE */
	LEAT_TYPE_FLOAT = 4,   /**< 4 or 8 bytes */
	LEAT_TYPE_POINTER = 5, /**< 4 or 8 bytes */
	LEAT_TYPE_GUID = 6,    /**< 16 bytes: u32, u16, u16 little-endian, then 8 bytes */
	LEAT_TYPE_BOOL = 7,    /**< 1, 2, 4 or 8 bytes; read as an unsigned integer */
	LEAT_TYPE_TIME = 8, /**< 8 bytes: nanoseconds of CLOCK_MONOTONIC; read as an unsigned one */
};

/** The name of a value: of an enumeration, or of a flag (a mask of one or more bits). */
struct leat_value_name {
	uint64_t value; /**< of a signed field: sign-extended */
	const char *name;
};

/** One field of a format. Plain data, copied into the format with all it points to. */
struct leat_field {
	const char *name;	     /**< nested structs as "outer.inner" */
	const char *type_name;	     /**< as the source spells it */
	enum leat_type type;	     /**< of one element */
	enum leat_location location; /**< how to find it */
	uint32_t offset;	     /**< bytes from the record's start, but see @follows */
	uint32_t size;	      /**< bytes of the whole field in place; 0: variable. Of an array
				      *   of n descriptors: 4 * n */
	uint32_t elem_size;   /**< bytes of an element of an array, else == size */
	uint8_t bit_offset;   /**< LEAT_LOCATION_BITS: lowest bit, counted from bit 0 */
	uint8_t bit_width;    /**< LEAT_LOCATION_BITS: 1 .. 8 * size - bit_offset */
	bool follows;	      /**< offset counts from the end of the last field before it whose
				      *   length is found in place (STRING, UTF16, LEN_ARRAY) */
	bool names_are_flags; /**< names are of bits that may be or-ed, in order of precedence */
	uint32_t name_cnt;
	const struct leat_value_name *names; /**< NULL: none */
};

struct leat_format;
struct leat_event;
struct leat_bus;
struct leat_data_ref;
struct leat_filter;

/**
 * A resolved reference to a field: an index, copied freely. Valid for formats equal to its own.
 * Beside the index lies, for a plain integer, what the inline getters need; a reference made by
 * hand of an index alone works too, more slowly.
 */
typedef struct leat_field_ref {
	uint16_t index; /**< LEAT_FIELD_REF_NONE when not resolved */
	uint8_t left;	/**< bits above the field, | 0x80 when it is signed */
	uint8_t right;	/**< 64 - bits of the field */
	uint32_t end;	/**< offset of the integer's end; 0: no plain integer */
} leat_field_ref;
#define LEAT_FIELD_REF_NONE UINT16_MAX

/** One record as a source delivers it. Valid during the callback only. */
struct leat_record {
	const void *data; /**< the whole record, header included */
	uint32_t size;	  /**< bytes */
	uint16_t kind;	  /**< event id: index of the dense array */
	uint16_t cpu;	  /**< UINT16_MAX unknown */
	uint32_t tgid;	  /**< 0 unknown or idle */
	uint32_t tid;
	uint64_t ts_ns; /**< CLOCK_MONOTONIC; 0 unknown */
};

/** A borrowed slice of a record. */
struct leat_slice {
	const void *data;
	size_t len; /**< bytes; 0: empty, missing or out of range */
};

/* ---- formats ---- */

/**
 * leat_format_new - an empty format.
 * @out:  the format; unchanged on failure.
 * @name: copied.
 *
 * Ownership: the caller's until it is given to an event.  Threads: caller serialises.
 * Errors:    -ENOMEM.
 */
int leat_format_new(struct leat_format **out, const char *name);
/** leat_format_free - NULL is accepted; nulls the pointer. */
void leat_format_free(struct leat_format **f);
/**
 * leat_format_add - append a field.
 * Errors: -EINVAL (size, type and location disagree, empty name, follows nothing), -EEXIST (name
 *	   taken), -EOVERFLOW (more than 4,096 fields, or names of one field), -ENOMEM.
 */
int leat_format_add(struct leat_format *f, const struct leat_field *field);
/** leat_format_field_cnt - number of fields. */
size_t leat_format_field_cnt(const struct leat_format *f);
/** leat_format_field_at - the field behind an index, borrowed; NULL when out of range. */
const struct leat_field *leat_format_field_at(const struct leat_format *f, size_t i);
/**
 * leat_format_ref - resolve a field by name, once.
 * Errors: -ENOENT; @out is then LEAT_FIELD_REF_NONE.   Cost: linear in the number of fields.
 */
int leat_format_ref(const struct leat_format *f, const char *name, leat_field_ref *out);
/** leat_format_name - borrowed. */
const char *leat_format_name(const struct leat_format *f);

/** leat_type_is_integer - whether leat_get_u64 reads a field of that type: integers, pointers, times. */
bool leat_type_is_integer(enum leat_type type);
/**
 * leat_field_value_name - the name of a value; NULL when it has none. A flag's: of exactly this mask.
 *
 * Ownership: borrowed from the format.   Cost: linear in the number of names.
 */
const char *leat_field_value_name(const struct leat_field *field, uint64_t value);
/** leat_field_value_of - the value of a name, case-sensitive. Errors: -ENOENT. */
int leat_field_value_of(const struct leat_field *field, const char *name, uint64_t *out);

/*
 * ---- reading ----
 *
 * O(1) but for fields that follow others of variable length, where these are skipped over. Nothing
 * outside the record is ever read. What is short, or has a descriptor or a count that leads out of
 * the record, reads as empty (-ENODATA), and is counted in the format.
 * Threads: one reader of a format at a time, because of that counter.
 */

/** leat_get_slice - the field's bytes, without terminator or count; of an array of descriptors: them. */
struct leat_slice leat_get_slice(const struct leat_format *f, leat_field_ref ref,
				 const struct leat_record *r);
/** leat_get_text - a char field or string, cut at the first NUL; not NUL-terminated. */
struct leat_slice leat_get_text(const struct leat_format *f, leat_field_ref ref,
				const struct leat_record *r);
/** A number, or why there is none; by value, so that it stays in registers. */
struct leat_number {
	uint64_t value;
	int err; /**< 0 or a negative errno */
};

/** leat_get_number - what leat_get_u64 calls for all that is not a plain integer in the record. */
struct leat_number leat_get_number(const struct leat_format *f, leat_field_ref ref,
				   const struct leat_record *r) __attribute__((cold));
/** leat_field_is_signed - whether a field is a signed integer; false for an unknown one. */
bool leat_field_is_signed(const struct leat_format *f, leat_field_ref ref);

/**
 * leat_get_u64 - an integer of any width, bit-fields included, zero- or sign-extended.
 *
 * Errors: -ENODATA short, -EINVAL no integer, or an array; @out is then unchanged.
 * Cost:   inline: about 1 ns.
 */
static inline int leat_get_u64(const struct leat_format *f, leat_field_ref ref,
			       const struct leat_record *r, uint64_t *out)
{
	const uint8_t *end = (const uint8_t *)r->data + ref.end;
	struct leat_number n;
	uint64_t v64;
	uint32_t v32;

	/* No plain integer has an end of 0. */
	if (__builtin_expect(ref.end - 1 < r->size, 1)) {
		if (ref.right == 32 && !ref.left) {
			memcpy(&v32, end - sizeof(v32), sizeof(v32));
			*out = v32;
			return 0;
		}
		if (ref.right == 56 && !ref.left) {
			*out = end[-1];
			return 0;
		}
		if (__builtin_expect(ref.end >= sizeof(v64), 1)) {
			/* Eight bytes that end with the field: always inside the record. */
			memcpy(&v64, end - sizeof(v64), sizeof(v64));
			if (ref.left & 0x80)
				*out = (uint64_t)((int64_t)(v64 << (ref.left & 63)) >> ref.right);
			else
				*out = v64 << ref.left >> ref.right;
			return 0;
		}
	}
	n = leat_get_number(f, ref, r);
	if (!n.err)
		*out = n.value;
	return n.err;
}

/** leat_get_i64 - as leat_get_u64, for signed use; -EOVERFLOW when an unsigned one does not fit. */
static inline int leat_get_i64(const struct leat_format *f, leat_field_ref ref,
			       const struct leat_record *r, int64_t *out)
{
	uint64_t v;
	int err = leat_get_u64(f, ref, r, &v);

	if (err)
		return err;
	if ((int64_t)v < 0 && !(ref.left & 0x80) && !leat_field_is_signed(f, ref))
		return -EOVERFLOW;
	*out = (int64_t)v;
	return 0;
}

/** leat_get_u32 - as leat_get_u64; -EOVERFLOW when the value does not fit. */
static inline int leat_get_u32(const struct leat_format *f, leat_field_ref ref,
			       const struct leat_record *r, uint32_t *out)
{
	uint64_t v;
	int err = leat_get_u64(f, ref, r, &v);

	if (err)
		return err;
	if (v > UINT32_MAX)
		return -EOVERFLOW;
	*out = (uint32_t)v;
	return 0;
}

/** A GUID as it lies in the record. */
struct leat_guid {
	uint8_t bytes[16];
};

/** leat_get_bool - whether an integer is not 0. Errors: as leat_get_u64. */
int leat_get_bool(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		  bool *out);
/** leat_get_f64 - a float or double. Errors: -ENODATA short, -EINVAL no such field, or an array. */
int leat_get_f64(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		 double *out);
/** leat_get_guid - a GUID. Errors: -ENODATA short, -EINVAL no such field, or an array. */
int leat_get_guid(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		  struct leat_guid *out);

/** leat_get_cnt - whole elements of an array (1 for what is none, 0 when short or empty). */
size_t leat_get_cnt(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r);
/**
 * leat_get_u64_at - an element of an array of integers.
 * @i: 0 .. leat_get_cnt() - 1.
 *
 * Errors: -ENODATA no such element, or short; -EINVAL no integers.
 */
int leat_get_u64_at(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		    size_t i, uint64_t *out);
/** leat_get_i64_at - as leat_get_u64_at, for signed use; -EOVERFLOW when it does not fit. */
int leat_get_i64_at(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		    size_t i, int64_t *out);
/** leat_get_f64_at - an element of an array of floats or doubles. Errors: as leat_get_u64_at. */
int leat_get_f64_at(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		    size_t i, double *out);
/** leat_get_slice_at - the bytes of an element; of an array of descriptors: what the i-th names. */
struct leat_slice leat_get_slice_at(const struct leat_format *f, leat_field_ref ref,
				    const struct leat_record *r, size_t i);

/** leat_format_short_cnt - how often a read found a record too short or a descriptor out of range. */
uint64_t leat_format_short_cnt(const struct leat_format *f);

/* ---- compiled readers ---- */

/**
 * A reader of one field: what must be skipped to find it was worked out when it was made, and it
 * needs the format no more. For a field that follows two strings it costs two searches for a NUL.
 */
struct leat_field_reader;

/**
 * leat_field_reader_new - compile a reader.
 *
 * Ownership: the caller's; @f is not kept.   Threads: as for @f, one reader at a time.
 * Errors:    -ENOENT no such field, -ENOMEM.
 */
int leat_field_reader_new(struct leat_field_reader **out, const struct leat_format *f,
			  leat_field_ref ref);
/** leat_field_reader_free - NULL is accepted; nulls the pointer. */
void leat_field_reader_free(struct leat_field_reader **rd);
/** leat_read_slice - as leat_get_slice. Allocates nothing, as all of these. */
struct leat_slice leat_read_slice(const struct leat_field_reader *rd, const struct leat_record *r);
/** leat_read_text - as leat_get_text. */
struct leat_slice leat_read_text(const struct leat_field_reader *rd, const struct leat_record *r);
/** leat_read_u64 - as leat_get_u64. */
int leat_read_u64(const struct leat_field_reader *rd, const struct leat_record *r, uint64_t *out);
/** leat_read_i64 - as leat_get_i64. */
int leat_read_i64(const struct leat_field_reader *rd, const struct leat_record *r, int64_t *out);
/** leat_read_f64 - as leat_get_f64. */
int leat_read_f64(const struct leat_field_reader *rd, const struct leat_record *r, double *out);
/** leat_field_reader_short_cnt - as leat_format_short_cnt, of this reader alone. */
uint64_t leat_field_reader_short_cnt(const struct leat_field_reader *rd);

/* ---- events and callbacks ---- */

/**
 * leat_event_fn - called for each record of an event, in order of registration.
 * Returns 0 or a negative errno: collected, never stops the other callbacks.
 */
typedef int (*leat_event_fn)(void *ctx, const struct leat_event *ev, const struct leat_record *r);

/** Names a registered callback, for removal. 0 is never used. */
typedef uint32_t leat_callback_id;

enum leat_event_flag {
	LEAT_EVENT_NO_STACK = 1, /**< never carries a call stack */
	/** Nothing is enabled in the system for it: others forward to it. "leat/sample" is one, for
	    samples that user space has unwound. */
	LEAT_EVENT_PROXY = 2,
	LEAT_EVENT_NOT_STORED = 4, /**< holds memory of a target: no file keeps its records */
};

/** leat_bus_new - the registry and dispatcher: event id to event by a dense array. Errors: -ENOMEM. */
int leat_bus_new(struct leat_bus **out);
void leat_bus_free(struct leat_bus **bus);
/**
 * leat_bus_add_event - register an event.
 * @id:     below 65,535; the index of the dense array.
 * @name:   "system/event", copied, unique.
 * @format: owned by the bus on success.
 * @out:    borrowed until the bus is freed; may be NULL.
 * Errors:  -EEXIST id or name taken, -EINVAL, -ENOMEM.
 */
int leat_bus_add_event(struct leat_bus *bus, uint16_t id, const char *name,
		       struct leat_format *format, struct leat_event **out);
/** leat_bus_find - by name, before the data flows; NULL when unknown. */
struct leat_event *leat_bus_find(const struct leat_bus *bus, const char *name);
/** leat_bus_at - by id; NULL when unknown. */
struct leat_event *leat_bus_at(const struct leat_bus *bus, uint16_t id);

/*
 * The first members of an event and of a bus, for the inline functions below and for them alone: a call
 * of a function costs as much as all that they do.
 */
struct leat_event_head {
	const struct leat_format *format;
	leat_event_fn fn; /* the only callback of an event without a filter, else NULL */
	void *ctx;
	uint64_t seen;
	uint32_t running; /* dispatches under way: they may nest, one event forwards to another */
};
struct leat_bus_head {
	struct leat_event_head **events; /* by id; .fn is NULL where there is none */
	size_t event_cnt;
};

/** leat_bus_dispatch_any - what leat_bus_dispatch calls for all but a lone callback. */
void leat_bus_dispatch_any(struct leat_bus *bus, const struct leat_record *r);
/** leat_bus_error - what leat_bus_dispatch calls for an error of a callback. */
void leat_bus_error(struct leat_bus *bus, struct leat_event *ev, int err);

/**
 * leat_bus_dispatch - run the callbacks of the record's event.
 * Records of an unknown id are counted (leat_bus_unknown_cnt). Errors of callbacks are collected.
 * Cost: inline: about 2 ns.
 */
static inline void leat_bus_dispatch(struct leat_bus *bus, const struct leat_record *r)
{
	const struct leat_bus_head *b = (const struct leat_bus_head *)bus;
	struct leat_event_head *h;
	struct leat_event *ev;
	int err;

	if (__builtin_expect(r->kind >= b->event_cnt, 0)) {
		leat_bus_dispatch_any(bus, r);
		return;
	}
	h = b->events[r->kind];
	ev = (struct leat_event *)h;
	if (__builtin_expect(!h->fn || h->running, 0)) {
		leat_bus_dispatch_any(bus, r);
		return;
	}
	/* Constants: to add and to take away again would make each record wait for the one before it. */
	h->running = 1;
	h->seen++;
	err = h->fn(h->ctx, ev, r);
	h->running = 0;
	if (__builtin_expect(err != 0, 0))
		leat_bus_error(bus, ev, err);
}
/** leat_bus_unknown_cnt - records whose id has no event. */
uint64_t leat_bus_unknown_cnt(const struct leat_bus *bus);
/** leat_bus_error_cnt - true count of errors that callbacks returned. */
uint64_t leat_bus_error_cnt(const struct leat_bus *bus);
/** leat_bus_error_at - the first errors, up to 16: 0 and *err, *event_id; -ENOENT past the end. */
int leat_bus_error_at(const struct leat_bus *bus, size_t i, int *err, uint16_t *event_id);

uint16_t leat_event_id(const struct leat_event *ev);
const char *leat_event_name(const struct leat_event *ev);
static inline const struct leat_format *leat_event_format(const struct leat_event *ev)
{
	return ((const struct leat_event_head *)ev)->format;
}
uint32_t leat_event_flags(const struct leat_event *ev);
void leat_event_set_flags(struct leat_event *ev, uint32_t flags);
/**
 * leat_event_add_callback - append a callback; safe inside a callback (runs from the next record on).
 * @id: may be NULL.   Errors: -ENOMEM.
 */
int leat_event_add_callback(struct leat_event *ev, leat_event_fn fn, void *ctx,
			    leat_callback_id *id);
/** leat_event_remove_callback - also from inside a callback, also itself. Errors: -ENOENT. */
int leat_event_remove_callback(struct leat_event *ev, leat_callback_id id);

/* ---- filters of events, proxy events, the record's header, errors ---- */

/**
 * leat_event_set_filter - let only records that match reach the callbacks.
 * @filter: made for the event's format (leat/filter.h); the event's from now on. NULL: all records.
 * An earlier filter is freed. Not from inside a callback of the event: -EBUSY, and @filter stays
 * the caller's.
 */
int leat_event_set_filter(struct leat_event *ev, struct leat_filter *filter);

/** What became of an event's records. seen == delivered + filtered + too_deep. */
struct leat_event_stats {
	uint64_t seen;	    /**< dispatched or forwarded to it */
	uint64_t delivered; /**< to its callbacks, if there were any */
	uint64_t filtered;  /**< did not match, those in .missing among them */
	uint64_t missing;   /**< lacked a field of the filter */
	uint64_t too_deep;  /**< more within each other than LEAT_DISPATCH_MAX_DEPTH */
};
/** leat_event_stats - cumulative. */
void leat_event_stats(const struct leat_event *ev, struct leat_event_stats *out);

/** Dispatches of one event within each other: its callbacks dispatch or forward it again. */
#define LEAT_DISPATCH_MAX_DEPTH 16u

/**
 * leat_event_forward - hand a part of a record to a proxy event, as a record of its own.
 * @ev:    has LEAT_EVENT_PROXY.
 * @start: bytes from the start of the record's data ...
 * @end:   ... to here.
 *
 * The proxy's callbacks run before this returns; what they see has the CPU, time and thread of @r.
 * Errors: -EINVAL no proxy, -ENODATA the part is not inside the record, -ELOOP too deep (counted).
 */
int leat_event_forward(struct leat_bus *bus, struct leat_event *ev, const struct leat_record *r,
		       uint32_t start, uint32_t end);

/**
 * leat_bus_header - where the header of the record under way is (leat/data_ref.h).
 * Sources whose records have one move it before each; empty for the others. In a proxy event it is
 * where it was, counted from the start of the part, or empty when it is not inside the part.
 * Borrowed until the bus is freed; who wants it longer takes a reference.
 */
struct leat_data_ref *leat_bus_header(const struct leat_bus *bus);

/** An error that a callback returned. */
struct leat_event_error {
	int err; /**< negative errno */
	uint16_t event_id;
};
#define LEAT_BATCH_ERRORS 16u /**< that are kept of a batch */

/**
 * leat_errors_fn - told of the errors since it was called last.
 * @errors: the first @kept of them, in order; valid during the call.
 * @cnt:    how many there were.
 */
typedef void (*leat_errors_fn)(void *ctx, const struct leat_event_error *errors, size_t kept,
			       uint64_t cnt);
/** leat_bus_set_error_fn - be told of errors once a batch, never once a record. NULL: not. */
void leat_bus_set_error_fn(struct leat_bus *bus, leat_errors_fn fn, void *ctx);
/**
 * leat_bus_end_batch - report the errors since the last time, if there are any. Sessions do at the
 * end of each poll; who dispatches without one calls it when it suits.
 */
void leat_bus_end_batch(struct leat_bus *bus);

/* ---- sources ---- */

/** What a source counted itself, cumulative. */
struct leat_source_stats {
	uint64_t records; /**< delivered */
	uint64_t bytes;
	uint64_t lost; /**< known to be lost before they could be delivered */
	uint64_t malformed;
};

enum leat_control {
	LEAT_CONTROL_FLUSH = 1,	 /**< deliver all that is still counted in the kernel */
	LEAT_CONTROL_RESEND = 2, /**< arg: u64 stack hash whose frames shall be sent again */
};

/** What a session asks of its sources. Borrowed, until leat_session_build returns. */
struct leat_session_config;

/**
 * A source of records: live BPF, the environment, a capture file, a mock. The session and all
 * after it cannot tell which one feeds it.
 */
struct leat_source_ops {
	const char *name;
	/** Registers the events it produces; nothing flows yet. */
	int (*open)(void *self, struct leat_bus *bus);
	/** Begins to collect. */
	int (*start)(void *self);
	/**
	 * Dispatches what is available and not younger than @until_ns (UINT64_MAX: all).
	 * Returns how many records, or a negative errno. Bounded: 1 in *more when there is more.
	 */
	int (*poll)(void *self, struct leat_bus *bus, uint64_t until_ns, bool *more);
	/** Ends the collection; what is left can still be polled. */
	int (*stop)(void *self);
	void (*close)(void *self);
	void (*stats)(const void *self, struct leat_source_stats *out);
	/** Optional, NULL in replay. */
	int (*control)(void *self, enum leat_control what, uint64_t arg);
	/** A file descriptor that polls readable when there is something to read; -1 none. */
	int (*poll_fd)(const void *self);
	/**
	 * Optional. What the session wants (leat/session.h), before .open. *@took: the parts that
	 * this source has taken over, LEAT_CONFIG_*; a part that no source takes is an error.
	 */
	int (*configure)(void *self, const struct leat_session_config *c, uint32_t *took);
	/**
	 * Optional: hands out the next record not younger than @until_ns instead of dispatching it;
	 * then poll is not called, and the pump merges such sources by time. 1 and *out, which is
	 * valid until the next call, 0 when there is none now, or a negative errno.
	 */
	int (*next)(void *self, uint64_t until_ns, struct leat_record *out);
	/**
	 * Optional, with next: nanoseconds by which a record may be older than one that was handed
	 * out before it. NULL, or 0: they come in order.
	 */
	uint64_t (*window_ns)(const void *self);
	/** With next: bytes of the header that each of its records begins with (leat_bus_header). */
	uint32_t header_size;
	/** Optional. What the operation that failed last has to say, "" nothing. Borrowed. */
	const char *(*error)(const void *self);
};

/** A source: its operations and its state. Plain data, copied. */
struct leat_source {
	const struct leat_source_ops *ops;
	void *self;
};

#ifdef __cplusplus
}
#endif

#endif
