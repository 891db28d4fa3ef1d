# SPDX-License-Identifier: BSD-2-Clause
lib_src += user/event/bus.c user/event/format.c user/event/mock.c user/event/pump.c user/event/wire.c
lib_src += user/event/capture_format.c user/event/capture_read.c user/event/capture_source.c \
	   user/event/capture_write.c
unit_src += tests/unit/test_capture.c tests/unit/test_event.c tests/unit/test_format.c tests/unit/test_mock.c \
	    tests/unit/test_pump.c tests/unit/test_wire.c
public_h += include/leat/event.h include/leat/capture.h
bench_src += tests/bench/bench_capture.c
