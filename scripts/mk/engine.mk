# SPDX-License-Identifier: BSD-2-Clause
# The engine: the only user of libbpf.
lib_src += user/engine/counters.c user/engine/drain.c user/engine/engine.c user/engine/events.c \
	   user/engine/features.c user/engine/format.c user/engine/load.c user/engine/name_glob.c \
	   user/engine/ring.c user/engine/ring_map.c user/engine/rings.c user/engine/sampling.c \
	   user/engine/sets.c user/engine/sizes.c user/engine/source.c user/engine/sysctl.c user/engine/tables.c \
	   user/engine/why.c
unit_src += tests/unit/test_engine_events.c tests/unit/test_engine_glob.c \
	    tests/unit/test_engine_hash.c tests/unit/test_engine_ring_map.c
