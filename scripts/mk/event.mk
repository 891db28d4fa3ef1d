# SPDX-License-Identifier: BSD-2-Clause
lib_src += user/event/bus.c user/event/field_reader.c user/event/fields.c user/event/format.c \
	   user/event/mock.c user/event/out.c user/event/out_text.c user/event/place.c \
	   user/event/pump.c user/event/tracefs.c user/event/tracefs_const.c \
	   user/event/tracefs_print.c user/event/tracefs_type.c user/event/wire.c \
	   user/event/writer.c user/event/data_ref.c user/event/filter.c \
	   user/event/filter_field.c user/event/filter_glob.c user/event/filter_lex.c \
	   user/event/filter_parse.c user/event/filter_range.c user/event/filter_run.c \
	   user/event/filter_text.c user/event/filter_tree.c user/event/filter_user.c \
	   user/event/merge.c user/event/capture_format.c user/event/capture_read.c \
	   user/event/capture_source.c user/event/capture_write.c
unit_src += tests/unit/test_event.c tests/unit/test_fields.c tests/unit/test_fields_cut.c tests/unit/test_format.c \
	   tests/unit/test_mock.c tests/unit/test_pump.c tests/unit/test_tracefs.c \
	   tests/unit/test_wire.c tests/unit/test_writer.c tests/unit/test_data_ref.c \
	   tests/unit/test_filter.c tests/unit/test_filter_parse.c tests/unit/test_filter_text.c \
	   tests/unit/test_merge.c tests/unit/test_capture.c tests/unit/test_capture_format.c
bench_src += tests/bench/bench_event.c tests/bench/bench_merge.c tests/bench/bench_capture.c
fuzz_src += tests/fuzz/fuzz_tracefs.c tests/fuzz/fuzz_filter.c
public_h += include/leat/event.h include/leat/tracefs.h include/leat/writer.h \
	   include/leat/data_ref.h include/leat/filter.h include/leat/capture.h
support_src += tests/support/filter_format.c
