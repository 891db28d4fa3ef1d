# SPDX-License-Identifier: BSD-2-Clause
bench_src += tests/bench/bench_filter.c tests/bench/bench_intern.c
