# SPDX-License-Identifier: BSD-2-Clause
public_h += include/leat/symbols.h
lib_src += user/symbols/binary.c user/symbols/callcheck.c user/symbols/debug_file.c \
	   user/symbols/demangle.c user/symbols/group.c user/symbols/insn.c user/symbols/job.c \
	   user/symbols/kallsyms.c user/symbols/ksym_lines.c user/symbols/perf_map.c user/symbols/pool.c \
	   user/symbols/reader.c user/symbols/resolve.c user/symbols/roots.c user/symbols/spots.c user/symbols/table.c
support_src += tests/support/sym_files.c
unit_src += tests/unit/test_symbol_reader.c tests/unit/test_callcheck.c tests/unit/test_demangle.c tests/unit/test_kallsyms.c tests/unit/test_ksym_lines.c \
	    tests/unit/test_perf_map.c tests/unit/test_resolve.c tests/unit/test_roots.c \
	    tests/unit/test_symtab.c
fuzz_src += tests/fuzz/fuzz_callcheck.c tests/fuzz/fuzz_demangle.c tests/fuzz/fuzz_kallsyms.c \
	    tests/fuzz/fuzz_perf_map.c
bench_src += tests/bench/bench_names.c

# The first input of a fuzz target, written anew.
fuzz-seeds-symbols:
	$(Q)mkdir -p tests/fuzz/corpus/callcheck
	$(Q)cd tests/fuzz && $(CC) -nostdlib -static -Wl,--eh-frame-hdr,-z,noseparate-code,--build-id=none \
		-o corpus/callcheck/static callcheck_seed.s
	$(Q)cd tests/fuzz && $(CC) -nostdlib -pie -Wl,-E,-z,noseparate-code,--build-id=none \
		-o corpus/callcheck/libc.so callcheck_seed.s
.PHONY: fuzz-seeds-symbols
