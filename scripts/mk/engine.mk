# SPDX-License-Identifier: BSD-2-Clause
# The engine: the only user of libbpf.
lib_src += user/engine/btf_format.c user/engine/btf_trim.c user/engine/counters.c user/engine/drain.c user/engine/engine.c user/engine/events.c \
	   user/engine/features.c user/engine/format.c user/engine/ksyms.c user/engine/libbpf_log.c user/engine/load.c user/engine/name_glob.c \
	   user/engine/probes.c user/engine/probes_layout.c user/engine/probes_source.c \
	   user/engine/ring.c user/engine/ring_map.c user/engine/rings.c user/engine/sampling.c \
	   user/engine/orc.c user/engine/sets.c user/engine/sizes.c user/engine/source.c user/engine/sysctl.c \
	   user/engine/tables.c user/engine/tracefs_dir.c user/engine/why.c
unit_src += tests/unit/test_engine_btf_format.c tests/unit/test_engine_btf_trim.c tests/unit/test_engine_events.c tests/unit/test_engine_glob.c \
	    tests/unit/test_engine_hash.c tests/unit/test_engine_probes.c tests/unit/test_engine_ring_map.c
fuzz_src += tests/fuzz/fuzz_btf_trim.c
