/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether code of which nothing else is known keeps frame pointers. x86-64. */
#ifndef LEAT_UNWIND_FRAMES_H
#define LEAT_UNWIND_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * leat_code_keeps_frames - by how its functions begin.
 * @code: its address is @vaddr. No byte is an instruction for sure.
 *
 * True when a quarter of what looks like a function's first byte sets up a frame. Without frame
 * pointers a few functions do so too: those with alloca, or with aligned locals.
 */
bool leat_code_keeps_frames(const uint8_t *code, size_t n, uint64_t vaddr);

#endif
