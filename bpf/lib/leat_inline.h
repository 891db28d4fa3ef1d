/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Logic without helper calls is compiled for BPF and for the host (tests); this names the keyword. */
#ifndef LEAT_BPF_INLINE_H
#define LEAT_BPF_INLINE_H

#include "leat_types.h"

#ifdef __bpf__
#define LEAT_INLINE static inline __attribute__((always_inline))
#else
#define LEAT_INLINE static inline
#endif

#endif
