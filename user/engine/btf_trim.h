/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A part of a kernel's type information. libbpf copies, indexes and searches all of it for each
 * type that a program names: 21 of 35 ms CPU to the first sample. A program needs the types that its own
 * type information names, and what lies in them by value: 2 % of it, found in one pass.
 */
#ifndef LEAT_ENGINE_BTF_TRIM_H
#define LEAT_ENGINE_BTF_TRIM_H

#include <stddef.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define LEAT_BTF_TYPES_MAX 2000000u
#define LEAT_BTF_BYTES_MAX (64u << 20)

/*
 * Into @out (initialised, empty): the structs, unions, enums and typedefs of @btf that have the
 * name of one in @wanted, with all that is in them; what pointers lead to is void. Both are raw
 * type information of this machine's byte order, whole. 0; -EBADMSG: malformed, or of kinds that are not known;
 * -EOVERFLOW: more than the maxima; -ENOENT: no name is there; -ENOMEM. Threads: any. One pass:
 * 1.5 ms for a kernel's 5.5 MB.
 */
int leat_btf_trim(const void *btf, size_t btf_len, const void *wanted, size_t wanted_len,
		  struct leat_buf *out) LEAT_MUST_USE;

#endif
