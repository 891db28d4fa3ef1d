# SPDX-License-Identifier: BSD-2-Clause
# Profiles that other tools wrote.
lib_src += user/import/build.c user/import/chunks.c user/import/detect.c user/import/finish.c \
	   user/import/folded.c user/import/import.c user/import/merge.c user/import/perf_head.c \
	   user/import/perf_script.c user/import/pprof.c user/import/pprof_frames.c \
	   user/import/pprof_samples.c user/import/proto_read.c user/import/unpack.c

# Any format to any other, for tests and benchmarks.
workload_bin += $(O)/import_tool
$(O)/import_tool: $(O)/tests/support/import_tool.o $(O)/libleat.a
	$(call say,LD)
	$(Q)$(CC) $(ld_flags) $^ $(deps_l) -o $@

unit_src += tests/unit/test_import.c tests/unit/test_import_pprof.c
fuzz_src += tests/fuzz/fuzz_folded.c tests/fuzz/fuzz_pprof.c tests/fuzz/fuzz_perf_script.c tests/fuzz/fuzz_unpack.c
