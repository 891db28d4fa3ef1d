/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be told from the bytes around an address in code, without any symbol. */
#ifndef LEAT_SYMBOLS_INSN_H
#define LEAT_SYMBOLS_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEAT_CODE_BEFORE 8u  /* bytes that decide whether a call stands before */
#define LEAT_CODE_AFTER	 16u /* and what follows it */

struct leat_code {
	uint8_t before[LEAT_CODE_BEFORE]; /* ends at the address: the last bytes count */
	uint8_t after[LEAT_CODE_AFTER];
	uint8_t before_len, after_len; /* how many are known */
	uint64_t vaddr;
};

/* A call that ends exactly at the address; several readings are possible. */
struct leat_call {
	bool direct, indirect;
	uint64_t target; /* of the direct one */
};

/* The instruction sets below can be judged. */
bool leat_code_is_known(uint16_t machine);
struct leat_call leat_code_call(uint16_t machine, const struct leat_code *c);
/* mov $__NR_rt_sigreturn, %rax; syscall: where a signal handler returns to. */
bool leat_code_is_sigreturn(uint16_t machine, const struct leat_code *c);
/* exit(result): what the C library does after a thread's function; nothing can be above. */
bool leat_code_is_thread_end(uint16_t machine, const struct leat_code *c);
/* f(result), by a direct call: where main's result goes to exit(). */
bool leat_code_passes_result(uint16_t machine, const struct leat_code *c, uint64_t *f);

#endif
