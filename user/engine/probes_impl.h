/* SPDX-License-Identifier: BSD-2-Clause */
/* Insides of the tracepoint source, shared by its files only. */
#ifndef LEAT_ENGINE_PROBES_IMPL_H
#define LEAT_ENGINE_PROBES_IMPL_H

#include "engine/probes.h"
#include "engine/ring.h"
#include "leat_probe.h"

struct leat_probe; /* the skeleton: one copy of the program */
struct bpf_link;

struct leat_tracepoint {
	char *name; /* "system/event" */
	struct leat_format *format;
	struct leat_probe_cfg cfg;
	struct leat_probe *skel;
	struct bpf_link *link;
};

struct leat_probes {
	struct leat_probes_opts opts; /* names: not kept */
	struct leat_tracepoint *tps;
	size_t cnt;
	struct leat_ring ring;
	struct leat_diag diag;
	struct leat_source_stats stats;
};

/* probes_layout.c: what the program must know of a format. -EOVERFLOW too large, too many arrays. */
int leat_probe_layout(const struct leat_format *f, struct leat_probe_cfg *cfg) LEAT_MUST_USE;

/* Takes out of *@f what the kernel has not filled in by then; it is another format afterwards. -ENOMEM. */
int leat_probe_known_fields(struct leat_format **f) LEAT_MUST_USE;

/* probes.c: BPF objects. */
int leat_probes_attach(struct leat_probes *p) LEAT_MUST_USE;
void leat_probes_detach(struct leat_probes *p);

#endif
