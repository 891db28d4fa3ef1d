# SPDX-License-Identifier: BSD-2-Clause
lib_src += user/base/array.c user/base/buf.c user/base/cell.c user/base/diag.c user/base/errors.c user/base/file.c \
	   user/base/hash.c user/base/index.c user/base/intern.c user/base/log.c user/base/nearest.c user/base/once.c \
	   user/base/reader.c user/base/text.c
unit_src += tests/unit/test_array.c tests/unit/test_buf.c tests/unit/test_cell.c tests/unit/test_diag.c \
	    tests/unit/test_errors.c tests/unit/test_file.c tests/unit/test_hash.c \
	    tests/unit/test_index.c tests/unit/test_intern.c tests/unit/test_log.c \
	    tests/unit/test_nearest.c \
	    tests/unit/test_once.c tests/unit/test_reader.c tests/unit/test_text.c
fuzz_src += tests/fuzz/fuzz_reader.c tests/fuzz/fuzz_text.c
public_h += include/leat/cell.h include/leat/intern.h include/leat/once.h
