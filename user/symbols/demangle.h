/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Symbols as people write them: C++ (Itanium ABI) and Rust (legacy and v0).
 *
 * C++ names keep their parameters, so that overloads stay apart, and lose the return type of
 * template functions, which would stand in front of the name. Rust names lose their hash.
 */
#ifndef LEAT_SYMBOLS_DEMANGLE_H
#define LEAT_SYMBOLS_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define LEAT_DEMANGLE_IN_MAX  4096u	  /* bytes of a symbol; a longer one stays as it is */
#define LEAT_DEMANGLE_OUT_MAX (32u << 10) /* the same for what it would become */

/* Whether it is worth a try. */
bool leat_is_mangled(const char *symbol, size_t n);
/*
 * Appends the demangled name. false: not mangled, or over a limit; nothing was appended.
 * Thread-safe. Takes up to some MB of stack on a hostile symbol.
 */
bool leat_demangle(const char *symbol, size_t n, struct leat_buf *out);
/* Length without the version ("exit@@GLIBC_2.2.5") that linkers put into .symtab. */
size_t leat_unversioned(const char *symbol, size_t n);

#endif
