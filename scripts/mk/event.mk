# SPDX-License-Identifier: BSD-2-Clause
lib_src += user/event/bus.c user/event/field_reader.c user/event/fields.c user/event/format.c user/event/mock.c \
	   user/event/out.c user/event/out_text.c user/event/place.c user/event/pump.c user/event/tracefs.c user/event/tracefs_const.c \
	   user/event/tracefs_print.c user/event/tracefs_type.c user/event/wire.c user/event/writer.c
unit_src += tests/unit/test_event.c tests/unit/test_fields.c tests/unit/test_format.c tests/unit/test_mock.c \
	    tests/unit/test_pump.c tests/unit/test_tracefs.c tests/unit/test_wire.c \
	    tests/unit/test_writer.c
bench_src += tests/bench/bench_event.c
fuzz_src += tests/fuzz/fuzz_tracefs.c
public_h += include/leat/event.h include/leat/tracefs.h include/leat/writer.h
