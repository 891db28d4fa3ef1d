# SPDX-License-Identifier: BSD-2-Clause
# examples/NAME.c: short programs on the public headers alone, run by the tests, which compare what
# they print with examples/NAME.out.
examples += fields writer

example_bin  := $(foreach e,$(examples),$(O)/examples/$(e))
workload_bin += $(example_bin)
live_test    += tests/live/examples.sh
$(example_bin): $(O)/examples/%: examples/%.c $(O)/libleat.so $(public_h) $(flags_f)
	$(call say,CC)
	$(Q)mkdir -p $(@D); $(CC) -std=c11 -pedantic $(warn) $(flav) $(CFLAGS) -Iinclude $< \
		-L$(O) -lleat -Wl,-rpath,'$$ORIGIN/..' -o $@
