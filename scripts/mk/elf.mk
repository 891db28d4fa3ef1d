# SPDX-License-Identifier: BSD-2-Clause
lib_src += user/elf/elf_eh.c user/elf/elf_file.c user/elf/elf_note.c user/elf/elf_plt.c \
	   user/elf/elf_read.c user/elf/elf_section.c user/elf/elf_sym.c
support_src += tests/support/elf_builder.c
unit_src += tests/unit/test_elf_eh.c tests/unit/test_elf_file.c tests/unit/test_elf_note.c \
	    tests/unit/test_elf_plt.c tests/unit/test_elf_read.c tests/unit/test_elf_section.c \
	    tests/unit/test_elf_sym.c
fuzz_src += tests/fuzz/fuzz_elf.c tests/fuzz/fuzz_notes.c

# The first inputs of the fuzz targets, written anew.
$(O)/tests/fuzz/elf_seeds: $(O)/tests/fuzz/elf_seeds.o $(O)/tests/libsupport.a $(O)/libleat.a
	$(call say,LD)
	$(Q)$(CC) $(ld_flags) $(wrap_l) $^ $(deps_l) -o $@
fuzz-seeds-elf: $(O)/tests/fuzz/elf_seeds
	$(Q)mkdir -p tests/fuzz/corpus/elf tests/fuzz/corpus/notes
	$(Q)$< tests/fuzz/corpus/elf tests/fuzz/corpus/notes
.PHONY: fuzz-seeds-elf
