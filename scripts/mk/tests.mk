# SPDX-License-Identifier: BSD-2-Clause
# What all tests share, and the workload of the demo.
support_src  += tests/support/alloc.c tests/support/tmpdir.c
live_test    += tests/live/servers.sh
workload_src += tests/workloads/demo.c tests/workloads/wl_shares.c tests/workloads/bench_spin.c
# Each function keeps its frame: the picture shows the tree as it is written.
wl_flags_demo := -fno-inline -fno-optimize-sibling-calls
