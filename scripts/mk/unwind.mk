# SPDX-License-Identifier: BSD-2-Clause
lib_src += user/unwind/cfi.c user/unwind/cfi_expr.c user/unwind/cfi_scan.c \
	   user/unwind/flow.c user/unwind/flow_state.c user/unwind/frames.c user/unwind/gaps.c user/unwind/gopclntab.c \
	   user/unwind/plt.c user/unwind/rows.c user/unwind/rules.c user/unwind/store.c user/unwind/table.c \
	   user/unwind/unwind.c user/unwind/x86.c
bench_src += tests/bench/bench_unwind.c

# Tables that are kept in files hold for the code that built them: any change of it makes them stale.
gen_h += $(G)/unwind_code.h
unwind_code := user/unwind/cfi.c user/unwind/cfi_expr.c user/unwind/cfi_scan.c user/unwind/flow.c user/unwind/flow_state.c \
	       user/unwind/frames.c user/unwind/gaps.c user/unwind/gopclntab.c user/unwind/plt.c user/unwind/rows.c \
	       user/unwind/rules.c user/unwind/table.c user/unwind/x86.c \
	       bpf/include/leat_unwind.h
$(G)/unwind_code.h: $(unwind_code)
	$(Q)mkdir -p $(@D); printf '/* Generated. */\n#define LEAT_UNWIND_CODE 0x%sull\n' \
		"$$(cat $^ | sha256sum | cut -c1-16)" > $@

# Judges leat's frames by those of libdwfl, and by the calls that were really made.
live_test += tests/unwind/corpus.sh tests/unwind/nocfi.sh
check-unwind: $(O)/workloads/unwind_judge $(O)/workloads/live_judge $(O)/workloads/wl_nofp
	$(Q)UNWIND_LONG=1 JUDGE_LONG=1 TEST_TIMEOUT=7200 AS_ROOT=1 $(run_tests) $(O)/log/unwind \
		tests/unwind/corpus.sh tests/live/judge.sh
.PHONY: check-unwind
judge_src := tests/unwind/judge.c tests/unwind/dwfl.c tests/unwind/target.c tests/unwind/truth.c
workload_bin += $(O)/workloads/unwind_judge
$(judge_src:%.c=$(O)/%.o): cc_extra := -Itests/unwind
$(O)/workloads/unwind_judge: $(judge_src:%.c=$(O)/%.o) $(O)/libleat.a
	$(call say,LD)
	$(Q)mkdir -p $(@D); $(CC) $(ld_flags) $(judge_src:%.c=$(O)/%.o) $(O)/libleat.a $(deps_l) -ldw -o $@

# The same for processes that run: one perf event carries leat's program and a copy of the stack.
live_test += tests/live/judge.sh
live_judge_src := tests/unwind/live_judge.c tests/unwind/live_perf.c tests/unwind/live_take.c tests/unwind/dwfl.c tests/unwind/target.c
workload_bin += $(O)/workloads/live_judge
$(live_judge_src:%.c=$(O)/%.o): cc_extra := -Itests/unwind
$(O)/workloads/live_judge: $(live_judge_src:%.c=$(O)/%.o) $(O)/libleat.a
	$(call say,LD)
	$(Q)mkdir -p $(@D); $(CC) $(ld_flags) $(live_judge_src:%.c=$(O)/%.o) $(O)/libleat.a $(deps_l) -ldw -o $@

bpf_test_src += tests/bpf/test_unwind_step.c tests/bpf/unwind_test.bpf.c
support_src += tests/support/cfi_builder.c
unit_src += tests/unit/test_eh_frame.c tests/unit/test_flow.c tests/unit/test_gopclntab.c tests/unit/test_unwind.c \
	    tests/unit/test_unwind_files.c tests/unit/test_unwind_store.c
fuzz_src += tests/fuzz/fuzz_eh_frame.c tests/fuzz/fuzz_gopclntab.c tests/fuzz/fuzz_step.c tests/fuzz/fuzz_store.c

# The first inputs of the fuzz targets, written anew.
seed_dir := tests/fuzz/corpus
$(O)/tests/fuzz/store_seeds: $(O)/tests/fuzz/store_seeds.o $(O)/libleat.a
	$(call say,LD)
	$(Q)$(CC) $(ld_flags) $^ $(deps_l) -o $@
fuzz-seeds-unwind: $(O)/tests/fuzz/store_seeds
	$(Q)mkdir -p $(seed_dir)/store && $< $(seed_dir)/store
	$(Q)mkdir -p $(seed_dir)/eh_frame $(seed_dir)/gopclntab $(seed_dir)/step $(O)/seeds
	$(Q)$(CC) -c tests/unwind/corpus/hand.s -o $(O)/seeds/hand.o
	$(Q)objcopy -O binary --only-section=.eh_frame --set-section-flags .eh_frame=alloc $(O)/seeds/hand.o $(seed_dir)/eh_frame/by-hand
	$(Q)$(CC) -nostdlib -static -Wl,-e,main,--build-id=none,-z,noseparate-code -s tests/unwind/corpus/hand.s -o $(seed_dir)/eh_frame/file
	$(Q)for v in 2 16 20; do $(CC) -c -Wa,--defsym,VERSION=$$v tests/fuzz/gopclntab_seed.s -o $(O)/seeds/go.o && \
		objcopy -O binary --only-section=.gopclntab $(O)/seeds/go.o $(seed_dir)/gopclntab/go-1.$$v; done
	$(Q)head -c 4096 $(seed_dir)/eh_frame/file > $(seed_dir)/step/any
.PHONY: fuzz-seeds-unwind
