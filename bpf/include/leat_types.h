/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The only header that knows on which side it is compiled. */
#ifndef LEAT_BPF_TYPES_H
#define LEAT_BPF_TYPES_H

#ifdef __bpf__
#include "vmlinux.h"
#elif defined(__linux__)
#include <linux/types.h>
#include <stddef.h>
#else
#include <stddef.h>
#include <stdint.h>
typedef uint8_t __u8;
typedef uint16_t __u16;
typedef uint32_t __u32;
typedef uint64_t __u64;
typedef int32_t __s32;
typedef int64_t __s64;
#endif

#endif
