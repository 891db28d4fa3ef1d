/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The events of leat's own records (bpf/include/leat_wire.h): names, and formats for records that
 * user space makes itself (environment, mocks). Kernel records get theirs from BTF (engine).
 */
#ifndef LEAT_EVENT_WIRE_H
#define LEAT_EVENT_WIRE_H

#include <leat/event.h>

#include "base/cleanup.h"
#include "leat_wire.h"

/* "leat/count", "leat/stack", "leat/sample", "leat/raw", "leat/newproc", "env/process", "env/thread",
 * "env/comm", "env/mmap", "env/fork", "env/exit", "env/lost", "leat/stat"; NULL when unknown. */
const char *leat_wire_event_name(enum leat_rec_kind kind);
/* The C struct behind a kind, "leat_rec_count" and so on; NULL when unknown. */
const char *leat_wire_struct_name(enum leat_rec_kind kind);
/* A format from the C struct itself (offsetof), fields named as in BTF: "h.ts_ns", "proc.start_ns",
 * "stack_hash", "frames". 0, -ENOENT, -ENOMEM. */
int leat_wire_format(enum leat_rec_kind kind, struct leat_format **out) LEAT_MUST_USE;
/* Registers the event of @kind with @format (owned on success; NULL: leat_wire_format). An event
 * that is there already with an equal format is no error. */
int leat_wire_register(struct leat_bus *bus, enum leat_rec_kind kind,
		       struct leat_format *format) LEAT_MUST_USE;
/* Registers all of them; those that are there already are left as they are. */
int leat_wire_register_all(struct leat_bus *bus) LEAT_MUST_USE;
/*
 * Fills a record from bytes that begin with struct leat_rec. The header's size counts: a ring may
 * hand out more bytes (room reserved and not used). -EBADMSG when it says more than there is, or
 * less than a header.
 */
int leat_wire_record(const void *p, size_t n, struct leat_record *out) LEAT_MUST_USE;
/* Dispatches a record that leat_wire_record made: the bus's header reference is where its header is. */
void leat_wire_dispatch(struct leat_bus *bus, const struct leat_record *r);
/* The same for one that was made of another event's record: to a proxy. Errors: leat_event_forward. */
int leat_wire_forward(struct leat_bus *bus, struct leat_event *proxy,
		      const struct leat_record *r) LEAT_MUST_USE;

#endif
