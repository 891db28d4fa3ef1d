/* SPDX-License-Identifier: BSD-2-Clause */
/* An event with a field of every kind that a filter compares, and a record of it. */
#ifndef LEAT_TESTS_SUPPORT_FILTER_FORMAT_H
#define LEAT_TESTS_SUPPORT_FILTER_FORMAT_H

#include <leat/event.h>

/* Packed, so that nothing is aligned. The strings that descriptors point to follow .tail. */
struct filter_fixed {
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	int8_t i8;
	int16_t i16;
	int32_t i32;
	int64_t i64;
	float f32;
	double f64;
	uint64_t ptr;
	uint32_t flags;
	char comm[16];
	char name4[4]; /* filled: no NUL */
	uint16_t wide[8];
	uint32_t dl;  /* __data_loc char[] */
	uint32_t rl;  /* __rel_loc char[] */
	uint32_t dlw; /* __data_loc, UTF-16 */
	uint32_t array[2];
} __attribute__((packed));

/*
 * Fields as in the struct, and "inner.pid" (offset of u32), "odd name" (u8), "guid" (at comm),
 * "str" and "wstr" in place behind the fixed part, and "tail".
 */
struct leat_format *filter_format(void);
/* u8 200 u16 60000 u32 4000000000 u64 2^63 i8 -100 i16 -30000 i32 -2000000000 i64 -2^63
 * f32 1.5 f64 -2.25 ptr 0xffff800000000000 flags 0x15 comm redis-server name4 full
 * wide "wörld" dl /etc/passwd rl /usr/lib dlw "a\u20acb", str "tail text" */
struct filter_record {
	uint8_t bytes[512];
	struct leat_record r;
};
void filter_record(struct filter_record *out);

#endif
