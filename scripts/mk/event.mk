# SPDX-License-Identifier: BSD-2-Clause
lib_src += user/event/bus.c user/event/format.c user/event/merge.c user/event/mock.c user/event/pump.c user/event/wire.c
unit_src += tests/unit/test_event.c tests/unit/test_format.c tests/unit/test_merge.c tests/unit/test_mock.c \
	    tests/unit/test_pump.c tests/unit/test_wire.c
bench_src += tests/bench/bench_merge.c
public_h += include/leat/event.h
