/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What both sides agree on about the program that has the kernel name its own addresses. */
#ifndef LEAT_BPF_KSYMS_H
#define LEAT_BPF_KSYMS_H

#include "leat_types.h"

/* As many as one bpf_snprintf takes. A call of the program costs 1 us beside 12 names of 0.5 us. */
#define LEAT_KSYMS_BATCH 12
/* KSYM_SYMBOL_LEN is below 1024. */
#define LEAT_KSYMS_TEXT_BYTES (LEAT_KSYMS_BATCH * 1024)

struct leat_ksyms_batch {
	__u64 text_start; /* of the kernel's own code: _stext, _etext; 0 not asked yet */
	__u64 text_end;
	__u64 addr[LEAT_KSYMS_BATCH];
	char text[LEAT_KSYMS_TEXT_BYTES]; /* "NAME+0xOFFSET/0xSIZE[ [MODULE]]\n" of each */
};

#endif
