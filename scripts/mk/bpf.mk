# SPDX-License-Identifier: BSD-2-Clause
# The kernel side, its tests (root) and its benchmark.
bpf_src      += bpf/ksyms.bpf.c bpf/probe.bpf.c bpf/sample.bpf.c
workload_src += tests/workloads/wl_deep.c
workload_src += tests/workloads/wl_nofp.c
wl_flags_wl_nofp := -O2 -fomit-frame-pointer -fno-optimize-sibling-calls
workload_src += tests/workloads/wl_storm.c
wl_flags_wl_storm := $(wl_flags_wl_nofp)
live_test    += tests/live/tables.sh tests/live/storms.sh
workload_bin += $(O)/workloads/wl_nofp_plug.so
# The same program with other knowledge of its frames: frame pointers and no unwind information, beside
# the C library's start files or of nobody; neither; and unwind information that is damaged.
wl_blind := framed stripped neither
workload_bin += $(wl_blind:%=$(O)/workloads/wl_blind_%) $(O)/workloads/wl_blind_damaged
wl_flags_blind := $(wl_flags) -O2 -fno-optimize-sibling-calls -fno-asynchronous-unwind-tables -fno-unwind-tables
$(O)/workloads/wl_blind_%: tests/workloads/wl_nofp.c
	$(call say,CC)
	$(Q)mkdir -p $(@D); $(CC) $(wl_flags_blind) -f$(if $(filter neither,$*),,no-)omit-frame-pointer \
		$(if $(filter stripped,$*),-Wl$(comma)--no-eh-frame-hdr) $< -o $@
	$(Q)$(if $(filter stripped,$*),objcopy --remove-section .eh_frame $@)
# A CIE whose length goes past the end; another build id than that of the sound one.
$(O)/workloads/wl_blind_damaged: tests/workloads/wl_nofp.c
	$(call say,CC)
	$(Q)mkdir -p $(@D); $(CC) $(wl_flags) $(wl_flags_wl_nofp) -Wl,--build-id=md5 -Wl,--no-eh-frame-hdr $< -o $@
	$(Q)printf '\xf0\xff\xff\x0f' > $@.bytes; objcopy --update-section .eh_frame=$@.bytes $@; rm $@.bytes
$(O)/workloads/wl_nofp_plug.so: tests/workloads/wl_nofp_plug.c
	$(call say,CC)
	$(Q)mkdir -p $(@D); $(CC) $(wl_flags) $(wl_flags_wl_nofp) -fPIC -shared $< -o $@
# The same program with frame pointers: what the benchmark walks by them.
workload_bin += $(O)/workloads/wl_nofp_fp
$(O)/workloads/wl_nofp_fp: tests/workloads/wl_nofp.c
	$(call say,CC)
	$(Q)mkdir -p $(@D); $(CC) $(wl_flags) $(wl_flags_wl_nofp) -fno-omit-frame-pointer $< -o $@
wl_flags_wl_deep := -fno-inline -fno-optimize-sibling-calls
bench_src    += tests/bench/bench_bpf.c tests/bench/bench_read.c tests/bench/bench_ring.c tests/bench/bench_table.c

# What the benchmark compares with.
$(B)/bench/%.tmp.o: tests/bench/%.bpf.c
	$(call say,BPF)
	$(Q)mkdir -p $(@D); $(CLANG) $(bpf_flags) -MMD -MP -c $< -o $@
$(B)/bench/%.skel.h: $(B)/bench/%.bpf.o
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< name $(*F) > $@
$(O)/tests/bench/bench_bpf.o $(O)/tests/bench/bench_table.o: | $(B)/bench/peer_stackid.skel.h
$(O)/tests/bench/bench_read.o: | $(B)/bench/read_cost.skel.h
$(O)/tests/bench/bench_ring.o: | $(B)/bench/ring_flood.skel.h

support_src  += tests/support/collect.c tests/support/kernel_side.c
bpf_test_src += tests/bpf/test_load.c tests/bpf/test_sample.c tests/bpf/test_filter.c \
		tests/bpf/test_life.c tests/bpf/test_ksyms.c tests/bpf/test_live_source.c tests/bpf/test_probe.c tests/bpf/test_table.c \
		tests/bpf/test_walk.c tests/bpf/sample_test.bpf.c tests/bpf/test_contexts.c \
		tests/bpf/contexts_test.bpf.c tests/bpf/test_orc.c tests/bpf/orc_test.bpf.c
