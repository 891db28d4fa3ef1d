# SPDX-License-Identifier: BSD-2-Clause
lib_src += user/session/attributes.c user/session/build.c user/session/builder.c \
	   user/session/capture_items.c user/session/capture_out.c user/session/incarnations.c \
	   user/session/judge.c user/session/maps.c user/session/names.c user/session/place.c \
	   user/session/processes.c user/session/raw.c user/session/replay.c user/session/samples.c \
	   user/session/session.c user/session/stat.c
support_src += tests/support/capture_file.c tests/support/world.c
unit_src += tests/unit/test_builder.c tests/unit/test_judge.c tests/unit/test_replay.c tests/unit/test_session.c \
	    tests/unit/test_session_env.c
public_h += include/leat/session.h
fuzz_src += tests/fuzz/fuzz_session.c
fuzz_src += tests/fuzz/fuzz_capture.c

# The seeds of fuzz_capture, written anew.
$(O)/tests/fuzz/capture_seeds: $(O)/tests/fuzz/capture_seeds.o $(O)/tests/libsupport.a $(O)/libleat.a
	$(call say,LD)
	$(Q)$(CC) $(ld_flags) $(wrap_l) $^ $(deps_l) $(test_l) -o $@
fuzz-seeds-capture: $(O)/tests/fuzz/capture_seeds
	$(Q)mkdir -p tests/fuzz/corpus/capture
	$(Q)$< tests/fuzz/corpus/capture
.PHONY: fuzz-seeds-capture
