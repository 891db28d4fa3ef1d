# SPDX-License-Identifier: BSD-2-Clause
lib_src += user/unwind/cfi.c user/unwind/cfi_expr.c user/unwind/cfi_scan.c \
	   user/unwind/gopclntab.c user/unwind/rows.c user/unwind/rules.c user/unwind/table.c \
	   user/unwind/unwind.c
bench_src += tests/bench/bench_unwind.c
