# SPDX-License-Identifier: BSD-2-Clause
# Short programs of user code: public headers and the shared library alone. "make check" runs them.
example_src :=
example_src += examples/attributes.c
example_src += examples/builder.c
example_src += examples/cells.c
example_src += examples/exporter.c
example_src += examples/filter.c
example_src += examples/intern.c
example_src += examples/proxy.c
example_src += examples/source.c
example_src += examples/symbol_reader.c

example_bin := $(example_src:%.c=$(O)/%)
$(example_bin): $(O)/%: %.c examples/example.h $(O)/libleat.so $(flags_f)
	$(call say,CC)
	$(Q)mkdir -p $(@D); $(CC) -std=c11 -pedantic $(warn) $(flav) $(CFLAGS) $(CPPFLAGS) -Iinclude \
		$< $(LDFLAGS) -L$(O) -lleat -Wl,-rpath,$(abspath $(O)) -o $@
examples: $(example_bin)
# Each ends with 0 when what it shows is so, and prints one line.
check-examples: $(example_bin)
	$(Q)mkdir -p $(O)/log; for e in $(example_bin); do \
		timeout 20 $$e > $(O)/log/example.out 2>&1 && [ "$$(wc -l < $(O)/log/example.out)" = 1 ] || \
		{ echo "FAIL $$e"; cat $(O)/log/example.out; exit 1; }; \
		printf '%s: %s\n' "$$(basename $$e)" "$$(cat $(O)/log/example.out)"; done
check: check-examples
.PHONY: examples check-examples
