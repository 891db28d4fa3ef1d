/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The body of both libraries of wl_swap: same code, other names (of the same length). The work is
 * one call further down, for a function that calls nothing keeps no frame.
 */
#include <stdint.h>

#define SWAP_LIB(letter)                                                                           \
	__attribute__((noinline)) static void swap_loop_##letter(void)                             \
	{                                                                                          \
		static volatile uint64_t sink;                                                     \
                                                                                                   \
		for (int i = 0; i < 100000; i++)                                                   \
			sink += (uint64_t)i;                                                       \
	}                                                                                          \
	void swap_in_##letter(void);                                                               \
	void swap_in_##letter(void)                                                                \
	{                                                                                          \
		swap_loop_##letter();                                                              \
		__asm__ volatile("");                                                              \
	}
