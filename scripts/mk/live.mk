# SPDX-License-Identifier: BSD-2-Clause
lib_src += user/live/anonymize.c user/live/capture.c user/live/command.c user/live/cost.c user/live/doctor.c user/live/doctor_system.c \
	   user/live/doctor_target.c user/live/doctor_unwind.c user/live/env.c user/live/env_proc.c user/live/files.c \
	   user/live/files_ksyms.c user/live/files_open.c user/live/files_provider.c user/live/finish.c user/live/loop.c \
	   user/live/maps.c user/live/plan.c user/live/procfs.c user/live/procfs_parse.c \
	   user/live/record.c user/live/rings.c user/live/sideband.c user/live/slices.c user/live/source.c user/live/space.c user/live/stored.c \
	   user/live/table_cache.c \
	   user/live/tables.c user/live/tables_binary.c user/live/tables_build.c user/live/tables_raw.c \
	   user/live/tables_space.c user/live/target.c \
	   user/live/target_where.c
unit_src += tests/unit/test_env.c tests/unit/test_files.c tests/unit/test_maps.c \
	    tests/unit/test_perf_record.c tests/unit/test_procfs.c tests/unit/test_slices.c tests/unit/test_space.c \
	    tests/unit/test_stored.c tests/unit/test_table_cache.c tests/unit/test_tables.c tests/unit/test_tables_memory.c \
	    tests/unit/test_target.c
support_src += tests/support/fake_engine.c tests/support/tables_rig.c
fuzz_src += tests/fuzz/fuzz_maps.c tests/fuzz/fuzz_raw.c tests/fuzz/fuzz_sideband.c
$(O)/tests/fuzz/fuzz_raw: $(O)/tests/libsupport.a
$(O)/tests/fuzz/fuzz_raw: fuzz_libs := $(O)/tests/libsupport.a
live_test += tests/live/beside.sh tests/live/capture.sh tests/live/ksyms.sh tests/live/life.sh tests/live/places.sh tests/live/targets.sh
workload_src += $(foreach w,brood forks jit maps short swap threads tree,tests/workloads/wl_$(w).c)
# Two libraries of the same layout: they come to lie at one address in turns.
workload_bin += $(O)/workloads/wl_swap_a.so $(O)/workloads/wl_swap_b.so
$(O)/workloads/wl_swap_%.so: tests/workloads/wl_swap_%.c tests/workloads/wl_swap_lib.h
	$(call say,CC)
	$(Q)mkdir -p $(@D); $(CC) $(wl_flags) -fPIC -shared $< -o $@
# Answers in the kernel's place (tests/live/refused.sh, ksyms.sh).
live_test    += tests/live/refused.sh
workload_bin += $(O)/tests/refuse.so
$(O)/tests/refuse.so: tests/support/refuse.c
	$(call say,CC)
	$(Q)mkdir -p $(@D); $(CC) $(wl_flags) -fPIC -shared $< -o $@ -ldl
public_h += include/leat/live.h
