/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Every way a sample can go in the kernel, once: X(id, class, help).
 * Classes: SEEN (how often the program ran), FILTERED (not asked for), DELIVERED (counted or
 * sent), LOST (asked for and not delivered), NOTE (says more about a sample counted elsewhere).
 * seen == delivered + filtered + lost holds on every CPU. Append only: files hold the numbers.
 */
#ifndef LEAT_BPF_STAT_H
#define LEAT_BPF_STAT_H

#define LEAT_STATS(X)                                                                              \
	X(SEEN, SEEN, "samples that reached the program")                                          \
	X(F_IDLE, FILTERED, "idle task")                                                           \
	X(F_KTHREAD, FILTERED, "kernel thread")                                                    \
	X(F_TARGET, FILTERED, "not a process, thread, name, cgroup or user of the target")         \
	X(F_SELF, FILTERED, "leat itself")                                                         \
	X(COUNTED, DELIVERED, "counted in the kernel")                                             \
	X(STREAMED, DELIVERED, "sent as a record of its own because that was asked for")           \
	X(OVERFLOWED, DELIVERED, "sent as a record of its own because the count table was full")   \
	X(L_STALLED, LOST, "user space did not beat for 5 s")                                      \
	X(L_BUSY, LOST, "scratch slot in use")                                                     \
	X(L_RING_FULL, LOST, "ring full or its lock busy")                                         \
	X(L_NO_SCRATCH, LOST, "a map slot that must exist is missing")                             \
	X(N_STACK_UNSENT, NOTE, "a stack's frames did not fit into the ring; asked for again")     \
	X(N_STACK_SENT, NOTE, "stacks whose frames were sent")                                     \
	X(N_PROC_UNSENT, NOTE, "a notice of a new process did not fit into the control ring")      \
	X(N_WINDOW_RETRY, NOTE, "a window of the user stack faulted and was read again, shorter")  \
	X(N_COMPAT_TASK, NOTE, "32-bit task, not walked")                                          \
	X(N_SET_FULL, NOTE, "a child did not fit into the set of processes")                       \
	X(N_DRAIN_FULL, NOTE, "a drain stopped because the ring was full, and went on later")      \
	X(N_BPF_NS, NOTE, "nanoseconds spent in 1 of 64 samples")                                  \
	X(N_BPF_TIMED, NOTE, "samples that were timed")                                            \
	X(F_MODE, FILTERED, "user or kernel mode that was not asked for")                          \
	X(RAW, DELIVERED, "sent with a copy of the stack, because a table was not ready")          \
	X(N_TABLE_FRAMES, NOTE, "frames walked by unwind tables")                                  \
	X(N_TABLE_MISS, NOTE, "of these, frames whose rule was not remembered")                    \
	X(N_RAW_UNSENT, NOTE, "stacks that were to be unwound in user space, and were not sent")   \
	X(N_WINDOW_READ, NOTE, "reads of user stacks")                                             \
	X(N_KSTACK_ASKED, NOTE, "kernel stacks that were left to the kernel's own unwinder")       \
	X(N_KSTACK_DIFFERED, NOTE,                                                                 \
	  "kernel stacks that the kernel walked otherwise: it walks all from then on")

enum leat_stat_class {
	LEAT_STAT_CLASS_SEEN = 0,
	LEAT_STAT_CLASS_FILTERED = 1,
	LEAT_STAT_CLASS_DELIVERED = 2,
	LEAT_STAT_CLASS_LOST = 3,
	LEAT_STAT_CLASS_NOTE = 4,
};

enum leat_stat {
#define LEAT_STAT_ENUM(id, class, help) LEAT_STAT_##id,
	LEAT_STATS(LEAT_STAT_ENUM)
#undef LEAT_STAT_ENUM
		LEAT_STAT__MAX
};

#endif
