/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Whose sample this is, in leat's own pid namespace, and what user space has said about it. */
#ifndef LEAT_BPF_PIDS_H
#define LEAT_BPF_PIDS_H

#include "scratch.bpf.h"

/* tgid and tid in leat's own pid namespace; 0: leat sees no such process. */
static __always_inline int leat_pids_of_ns(__u32 *tgid, __u32 *tid)
{
	struct bpf_pidns_info ns = {};

	if (bpf_get_ns_current_pid_tgid(cfg.pidns_dev, cfg.pidns_ino, &ns, sizeof(ns)))
		return 0;
	*tgid = ns.tgid;
	*tid = ns.pid;
	return 1;
}

static __always_inline void leat_pids_read(struct leat_scratch *s, __u64 pid_tgid)
{
	__u32 tgid = pid_tgid >> 32, tid = (__u32)pid_tgid, in_ns = 1;

	s->itgid = tgid;
	if (cfg.pidns_ino)
		in_ns = leat_pids_of_ns(&tgid, &tid);
	s->tgid = tgid;
	s->tid = tid;
	s->in_ns = in_ns;
}

/*
 * What the set holds of this process. The last answer is kept while nobody changes the set: a
 * look-up in a hash that is cold costs 200 ns, a fifth of a sample.
 */
static __always_inline __u32 leat_set_bits(struct leat_scratch *s)
{
	__u32 tgid = s->tgid;
	__u32 *bits;

	if (cfg.pidns_ino && !s->in_ns)
		return 0;
	if (s->set_tgid == tgid && s->set_gen == s->ctl_gen)
		return s->set_bits;
	bits = bpf_map_lookup_elem(&leat_tgids, &tgid);
	s->set_tgid = tgid;
	s->set_gen = s->ctl_gen;
	s->set_bits = bits ? *bits : 0;
	return s->set_bits;
}

#endif
