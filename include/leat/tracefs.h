/* SPDX-License-Identifier: BSD-2-Clause */
/* leat/tracefs.h - formats of the kernel's trace events, from the text that tracefs shows. */
#ifndef LEAT_TRACEFS_H
#define LEAT_TRACEFS_H

#include <leat/event.h>

#ifdef __cplusplus
extern "C" {
#endif

/** LEAT_TRACEFS_MAX_BYTES - the longest text that is taken; the longest of Linux 6.18 has 6 KB. */
#define LEAT_TRACEFS_MAX_BYTES (1u << 20)

/**
 * leat_tracefs_parse - the format of an event from its whole "format" file.
 * @text: bytes of the file; need not be NUL-terminated.
 * @len:  at most LEAT_TRACEFS_MAX_BYTES.
 * @out:  a format named like the event ("sched_switch"), its fields in the order of the file,
 *	  common_type, common_flags, common_preempt_count and common_pid first. Offsets count from the
 *	  record's start, which is where common_type lies.
 * @id:   the event's id, as common_type has it; may be NULL.
 *
 * Types: signedness from "signed:", width from "size:". "char x[N]" and dynamic arrays of char are
 * text; "T *" is a pointer; a flexible array is a tail; a struct, and what has the size of no
 * integer, is bytes. Tables of __print_symbolic and __print_flags in "print fmt" give values of a
 * field their names where the first argument is that field alone; an entry whose value is no
 * constant is left out.
 *
 * Ownership: @out is the caller's.
 * Errors:    -EBADMSG malformed or cut, -EOVERFLOW too long or too many fields, -ENOMEM.
 * Cost:      linear in @len.
 * Source:    Linux, kernel/trace/trace_events.c, f_show().
 */
int leat_tracefs_parse(const char *text, size_t len, struct leat_format **out, uint32_t *id);

#ifdef __cplusplus
}
#endif

#endif
