/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leat/event.h - events, their formats and fields, callbacks, sources.
 *
 * Everything that arrives is an event with a format made of fields. References to fields are
 * taken once, by name, before the data flows; on the data path there is no string.
 */
#ifndef LEAT_EVENT_H
#define LEAT_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where a field's bytes are found in a record. */
enum leat_location {
	LEAT_LOCATION_STATIC = 0,   /**< offset .. offset + size */
	LEAT_LOCATION_STRING = 1,   /**< from offset to the first NUL or the record's end */
	LEAT_LOCATION_UTF16 = 2,    /**< the same in UTF-16LE */
	LEAT_LOCATION_DATA_LOC = 3, /**< u32 at offset: length << 16 | offset in the record */
	LEAT_LOCATION_REL_LOC = 4,  /**< the same, counted from the end of that u32 */
	LEAT_LOCATION_TAIL = 5,	    /**< from offset to the record's end (flexible array) */
};

/** What a field's bytes mean. Signedness comes from the format, never from the name. */
enum leat_type {
	LEAT_TYPE_BYTES = 0, /**< anything else: a slice */
	LEAT_TYPE_UINT = 1,  /**< 1, 2, 4 or 8 bytes */
	LEAT_TYPE_INT = 2,   /**< 1, 2, 4 or 8 bytes, two's complement */
	LEAT_TYPE_CHAR = 3,  /**< text, cut at the first NUL */
	LEAT_TYPE_FLOAT = 4, /**< 4 or 8 bytes */
	LEAT_TYPE_POINTER = 5,
	LEAT_TYPE_GUID = 6,
};

/** One field of a format. Plain data, copied into the format. */
struct leat_field {
	const char *name;	     /**< nested structs as "outer.inner" */
	const char *type_name;	     /**< as the source spells it */
	enum leat_type type;	     /**< of one element */
	enum leat_location location; /**< how to find it */
	uint32_t offset;	     /**< bytes from the record's start */
	uint32_t size;		     /**< bytes of the whole field; 0: variable */
	uint32_t elem_size;	     /**< bytes of an element of an array, else == size */
};

struct leat_format;
struct leat_event;
struct leat_bus;

/** A resolved reference to a field: an index, copied freely. Valid for formats equal to its own. */
typedef struct leat_field_ref {
	uint16_t index; /**< LEAT_FIELD_REF_NONE when not resolved */
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
 * Errors: -EINVAL (size and type disagree, empty name), -EEXIST (name taken), -EOVERFLOW (too many), -ENOMEM.
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

/* ---- reading: O(1), never outside the record ---- */

/** leat_get_slice - the field's bytes; empty when short or out of range (counted in the format). */
struct leat_slice leat_get_slice(const struct leat_format *f, leat_field_ref ref,
				 const struct leat_record *r);
/** leat_get_u64 - an integer of any width, zero- or sign-extended. Errors: -ENODATA short, -EINVAL type. */
int leat_get_u64(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		 uint64_t *out);
/** leat_get_i64 - as leat_get_u64, for signed use. */
int leat_get_i64(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		 int64_t *out);
/** leat_get_u32 - the low 32 bits; -EOVERFLOW when the value does not fit. */
int leat_get_u32(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		 uint32_t *out);
/** leat_get_text - a char field or string, cut at the first NUL; not NUL-terminated. */
struct leat_slice leat_get_text(const struct leat_format *f, leat_field_ref ref,
				const struct leat_record *r);
/** leat_format_short_cnt - how often a read found a record too short or a descriptor out of range. */
uint64_t leat_format_short_cnt(const struct leat_format *f);

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
	LEAT_EVENT_PROXY = 2, /**< never enabled in the system: another callback forwards to it */
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
/**
 * leat_bus_dispatch - run the callbacks of the record's event.
 * Records of an unknown id are counted (leat_bus_unknown_cnt). Errors of callbacks are collected.
 */
void leat_bus_dispatch(struct leat_bus *bus, const struct leat_record *r);
/** leat_bus_unknown_cnt - records whose id has no event. */
uint64_t leat_bus_unknown_cnt(const struct leat_bus *bus);
/** leat_bus_error_cnt - true count of errors that callbacks returned. */
uint64_t leat_bus_error_cnt(const struct leat_bus *bus);
/** leat_bus_error_at - the first errors, up to 16: 0 and *err, *event_id; -ENOENT past the end. */
int leat_bus_error_at(const struct leat_bus *bus, size_t i, int *err, uint16_t *event_id);

uint16_t leat_event_id(const struct leat_event *ev);
const char *leat_event_name(const struct leat_event *ev);
const struct leat_format *leat_event_format(const struct leat_event *ev);
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
