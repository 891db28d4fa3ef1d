# SPDX-License-Identifier: BSD-2-Clause
lib_src += user/unwind/cfi.c user/unwind/cfi_expr.c user/unwind/cfi_scan.c \
	   user/unwind/gopclntab.c user/unwind/plt.c user/unwind/rows.c user/unwind/rules.c user/unwind/table.c \
	   user/unwind/unwind.c
bench_src += tests/bench/bench_unwind.c

# Judges leat's frames by those of libdwfl, and by the calls that were really made.
judge_src := tests/unwind/judge.c tests/unwind/dwfl.c tests/unwind/target.c tests/unwind/truth.c
workload_bin += $(O)/workloads/unwind_judge
$(judge_src:%.c=$(O)/%.o): cc_extra := -Itests/unwind
$(O)/workloads/unwind_judge: $(judge_src:%.c=$(O)/%.o) $(O)/libleat.a
	$(call say,LD)
	$(Q)mkdir -p $(@D); $(CC) $(ld_flags) $(judge_src:%.c=$(O)/%.o) $(O)/libleat.a $(deps_l) -ldw -o $@

bpf_test_src += tests/bpf/test_unwind_step.c tests/bpf/unwind_test.bpf.c
support_src += tests/support/cfi_builder.c
unit_src += tests/unit/test_eh_frame.c tests/unit/test_unwind.c
