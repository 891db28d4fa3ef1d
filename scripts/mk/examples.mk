# SPDX-License-Identifier: BSD-2-Clause
# examples/NAME.c: short programs on the public headers and the shared library alone. The tests run
# them, and compare what they print with examples/NAME.out.
examples += attributes builder cells errors exporter fields filter intern live once proxy source symbol_reader writer

example_bin  := $(examples:%=$(O)/examples/%)
workload_bin += $(example_bin)
live_test    += tests/live/examples.sh
$(example_bin): $(O)/examples/%: examples/%.c $(wildcard examples/*.h) $(O)/libleat.so $(public_h) \
		$(flags_f)
	$(call say,CC)
	$(Q)mkdir -p $(@D); $(CC) -std=c11 -pedantic $(warn) $(flav) $(CFLAGS) $(CPPFLAGS) -Iinclude $< \
		$(LDFLAGS) -L$(O) -lleat -Wl,-rpath,'$$ORIGIN/..' -o $@
