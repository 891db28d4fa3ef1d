/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unwind_judge [-s STEPS] [-k TIMES] [-n STOPS] [-t MS] [-i STEPS] [-w] [-v] [-p PID | COMMAND [ARG...]]
 *
 * Steps: a COMMAND that holds two breakpoint instructions (int3) is run to the first and then stepped
 * to the second, one instruction at a time, STEPS at most; with -b it is stepped from its very
 * first instruction on. With -k an instruction is judged the first TIMES that it is come to, so that
 * loops do not outweigh the rest. Else STOPS times, -t MS apart, the process (its main thread) is
 * stopped and unwound, and after every stop some hundred instructions are stepped (-i); from within a
 * system call only with -w, for there a step waits until it returns.
 *
 * Prints one line of figures:
 *	points	 unwound by all judges		frames	 in all of them
 *	places	 different instructions of these points
 *	equal	 leat and libdwfl agree, frame by frame
 *	wrong	 leat has a frame that is not there (of those stepped: proven)
 *	short	 leat says that it does not know on, and what it has is right; libdwfl is right
 *	better	 leat is right and libdwfl is not
 *	neither	 leat is short, libdwfl is wrong
 *	landing	 libgcc is about to jump to where an exception lands: it has written that frame's registers
 *		 over those that its own frame has saved, so stacks go on there; what is left out is
 *		 what the exception ends
 *	unproven differences at stops that stepping on could not decide
 *	guess	 wrong, after a frame that was left by frame pointer (code made at run time)
 *	complete stacks that leat calls complete
 * Exit status: 0, 1 when there is a wrong one, 2 when it could not run.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"
#include "judge.h"

#define PROOF_STEPS 20000
#define VISITS_MAX  (1u << 22)
#define TOLD_MAX    6 /* differences that are printed, of each kind */

enum kind { WRONG, SHORT, BETTER, NEITHER, LANDING, UNPROVEN, GUESS, KINDS };
static const char *const kind_names[KINDS] = { "wrong",	  "short",    "better", "neither",
					       "landing", "unproven", "guess" };

/* An instruction, and how often it was judged. */
struct visit {
	uint64_t pc, times;
};

struct run {
	struct target target;
	struct truth truth;
	struct stack leat, dwfl, real;
	uint64_t points, frames, equal, complete, kinds[KINDS];
	uint64_t max_steps, max_times, max_stops, between;
	struct leat_index visit_of; /* by pc */
	struct visit *visits;
	size_t visit_cnt, visit_cap;
	unsigned int pause_ms;
	bool from_start, waits, verbose, ended;
	int signal; /* to be delivered */
};

static bool same(const struct stack *a, const struct stack *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (a->frames[i].pc != b->frames[i].pc)
			return false;
	}
	return true;
}

static bool is_prefix(const struct stack *a, const struct stack *of)
{
	for (size_t i = 0; i < a->n; i++) {
		if (i >= of->n || a->frames[i].pc != of->frames[i].pc)
			return false;
	}
	return true;
}

static void print_stack(const struct run *r, const char *who, const struct stack *s)
{
	fprintf(stderr, "  %s: %zu frames, result %d\n", who, s->n, (int)s->result);
	for (size_t i = 0; i < s->n && i < 12; i++)
		fprintf(stderr, "    %016" PRIx64 " %s\n", s->frames[i].pc,
			judge_name(&r->target, s->frames[i].pc));
}

static void count(struct run *r, enum kind kind, bool has_truth)
{
	if (r->kinds[kind]++ >= TOLD_MAX || !r->verbose)
		return;
	fprintf(stderr, "%s at %s rsp %llx rbp %llx\n", kind_names[kind],
		judge_name(&r->target, r->target.regs.rip), r->target.regs.rsp, r->target.regs.rbp);
	print_stack(r, "leat", &r->leat);
	print_stack(r, "dwfl", &r->dwfl);
	if (has_truth)
		print_stack(r, "real", &r->real);
}

static bool is_visit(const void *ctx, uint32_t value, const void *key)
{
	const struct run *r = ctx;

	return r->visits[value].pc == *(const uint64_t *)key;
}

/* Of the instruction that comes next; valid until the next call. */
static struct visit *visit(struct run *r)
{
	const uint64_t pc = r->target.regs.rip, hash = leat_hash_u64(pc);
	uint32_t i = leat_index_find(&r->visit_of, hash, is_visit, r, &pc);

	if (i != LEAT_INDEX_NONE)
		return &r->visits[i];
	i = (uint32_t)r->visit_cnt;
	if (LEAT_ARRAY_ROOM(r->visits, r->visit_cap, r->visit_cnt + 1, VISITS_MAX) ||
	    leat_index_add(&r->visit_of, hash, i)) {
		fprintf(stderr, "too many instructions\n");
		exit(2);
	}
	r->visits[r->visit_cnt++] = (struct visit){ .pc = pc };
	return &r->visits[i];
}

static bool is_done(struct run *r)
{
	return r->max_times && visit(r)->times >= r->max_times;
}

/* Unwinds by both. True when they agree. */
static bool unwind(struct run *r)
{
	bool equal;

	visit(r)->times++;
	target_unwind(&r->target, &r->leat);
	judge_unwind(&r->target, &r->dwfl);
	equal = same(&r->leat, &r->dwfl);
	r->points++;
	r->frames += r->leat.n;
	r->equal += equal;
	r->complete += r->leat.result == LEAT_STACK_COMPLETE;
	return equal;
}

/* How many frames leat has right. */
static size_t right_frames(const struct run *r)
{
	size_t k = 0;

	while (k < r->leat.n && k < r->real.n && r->leat.frames[k].pc == r->real.frames[k].pc)
		k++;
	return k;
}

/*
 * One of the innermost frames is libgcc's, of those that hand over to where an exception lands; what
 * leat has beyond its caller is the outer part of the stack that is left then. @kept: the return
 * address is not written over yet.
 */
static bool is_landing(const struct run *r, bool kept)
{
	size_t at = 0, rest;

	if (!strstr(judge_name(&r->target, r->leat.frames[0].pc), "libgcc_s"))
		return false;
	while (at < 3 && at < r->leat.n &&
	       !strstr(judge_name(&r->target, r->leat.frames[at].pc), " _Unwind_"))
		at++;
	if (at == 3 || right_frames(r) <= at + kept || r->leat.n >= r->real.n)
		return false;
	rest = r->leat.n - right_frames(r);
	for (size_t i = 1; kept && i <= rest; i++) {
		if (r->leat.frames[r->leat.n - i].pc != r->real.frames[r->real.n - i].pc)
			return false;
	}
	return true;
}

/* The first frame that is not there was found by frame pointer. */
static bool is_guess(const struct run *r)
{
	const size_t k = right_frames(r);

	return k && target_guesses(&r->target, r->leat.frames[k - 1].pc);
}

/* At a point whose calls are known. */
static void judge_by_truth(struct run *r)
{
	bool equal = unwind(r), dwfl_right;

	if (!truth_stack(&r->truth, &r->target, &r->real)) {
		if (!equal)
			count(r, is_landing(r, false) ? LANDING : UNPROVEN, true);
		return;
	}
	dwfl_right = same(&r->dwfl, &r->real);
	if (equal && dwfl_right)
		return;
	if (!dwfl_right && is_landing(r, true))
		count(r, LANDING, true);
	else if (!is_prefix(&r->leat, &r->real) ||
		 (r->leat.result == LEAT_STACK_COMPLETE && r->leat.n != r->real.n))
		count(r, is_guess(r) ? GUESS : WRONG, true);
	else if (r->leat.n == r->real.n)
		count(r, BETTER, true);
	else
		count(r, dwfl_right ? SHORT : NEITHER, true);
}

/* ---- ptrace ---- */

/* Waits for a stop. False: the process is gone. @status as waitpid has it. */
static bool wait_stop(struct run *r, int *status)
{
	while (waitpid(r->target.pid, status, __WALL) < 0) {
		if (errno != EINTR)
			return false;
	}
	r->ended = !WIFSTOPPED(*status);
	return !r->ended;
}

static bool is_stop_signal(int sig)
{
	return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

/*
 * One instruction. False: the process is gone, or it was a breakpoint (then *@trap). Signals are
 * delivered by the next step; *@delivered: by this one.
 */
static bool step(struct run *r, bool *trap, bool *delivered)
{
	int sig = r->signal, status;

	*trap = false;
	r->signal = 0;
	*delivered = sig != 0;
	if (ptrace(PTRACE_SINGLESTEP, r->target.pid, NULL, (void *)(long)sig) ||
	    !wait_stop(r, &status))
		return false;
	sig = WSTOPSIG(status);
	if (sig == SIGTRAP) {
		siginfo_t si = { 0 };

		/* An int3 of the program's own: the instruction before pc. */
		ptrace(PTRACE_GETSIGINFO, r->target.pid, NULL, &si);
		*trap = si.si_code == SI_KERNEL;
		return true;
	}
	if (!is_stop_signal(sig))
		r->signal = sig;
	return true;
}

/* 0f 05 with the number of a call that changes mappings. */
static bool changes_maps(const struct target *t)
{
	uint8_t code[2] = { 0 };

	if (!target_bytes(t, t->regs.rip, code, 2) || code[0] != 0x0f || code[1] != 0x05)
		return false;
	return (t->regs.rax >= 9 && t->regs.rax <= 12) || t->regs.rax == 25;
}

/* Is the signal that the step delivers caught? Then sp has gone down by a frame of the kernel's. */
static bool entered_handler(const struct run *r)
{
	return r->target.regs.rip != r->truth.old_pc && r->target.regs.rsp != r->truth.old_sp;
}

/* @max instructions from here, each judged; the next breakpoint ends it. */
static void step_judged(struct run *r, uint64_t max)
{
	bool maps = false, trap, delivered;

	for (uint64_t i = 0; i < max; i++) {
		uint64_t sig_pc = r->target.regs.rip;

		truth_before(&r->truth, &r->target);
		maps |= changes_maps(&r->target);
		if (!step(r, &trap, &delivered) || trap)
			return;
		/* A signal that has arrived in place of a step: nothing was executed. */
		if (!target_read_regs(&r->target))
			return;
		if (r->signal && r->target.regs.rip == sig_pc)
			continue;
		truth_after(&r->truth, &r->target, delivered && entered_handler(r));
		if (is_done(r))
			continue;
		if (!target_read(&r->target, maps))
			return;
		maps = false;
		judge_by_truth(r);
	}
}

/* ---- the ways to run ---- */

static pid_t start(char **argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execvp(argv[0], argv);
		_exit(127);
	}
	return pid;
}

/* To the first int3; other signals go through. */
static bool run_to_trap(struct run *r)
{
	int status, sig = 0;
	siginfo_t si;

	for (;;) {
		if (ptrace(PTRACE_CONT, r->target.pid, NULL, (void *)(long)sig) ||
		    !wait_stop(r, &status))
			return false;
		sig = WSTOPSIG(status);
		si = (siginfo_t){ 0 };
		ptrace(PTRACE_GETSIGINFO, r->target.pid, NULL, &si);
		if (sig == SIGTRAP && si.si_code == SI_KERNEL)
			return true;
		if (sig == SIGTRAP)
			sig = 0;
	}
}

static int run_steps(struct run *r, char **argv)
{
	int status;

	target_init(&r->target, start(argv));
	if (!wait_stop(r, &status) || (!r->from_start && !run_to_trap(r)) ||
	    !target_read(&r->target, true)) {
		fprintf(stderr, "%s: no breakpoint\n", argv[0]);
		return 2;
	}
	if (!unwind(r) && !r->from_start) {
		fprintf(stderr, "%s: no agreement where it begins\n", argv[0]);
		print_stack(r, "leat", &r->leat);
		print_stack(r, "dwfl", &r->dwfl);
		return 2;
	}
	truth_begin(&r->truth, &r->leat);
	step_judged(r, r->max_steps);
	return 0;
}

/* Steps until the first frame in question has returned, and sees where to. */
static enum kind prove(struct run *r)
{
	size_t k = 0;
	bool trap, delivered;

	while (k < r->leat.n && k < r->dwfl.n && r->leat.frames[k].pc == r->dwfl.frames[k].pc)
		k++;
	if (k == r->leat.n && r->leat.result != LEAT_STACK_COMPLETE)
		return SHORT; /* if libdwfl is right; it may as well be a guess */
	if (k == 0 || k == r->leat.n || r->signal)
		return UNPROVEN;
	for (uint64_t i = 0; i < PROOF_STEPS; i++) {
		if (!step(r, &trap, &delivered) || !target_read(&r->target, false))
			return UNPROVEN;
		if (r->target.regs.rsp != r->leat.frames[k].sp)
			continue;
		return r->target.regs.rip == r->leat.frames[k].pc ? BETTER : WRONG;
	}
	return UNPROVEN;
}

static void sleep_ms(unsigned int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

/* Stops a process that was seized. Signals that come first are delivered. */
static bool interrupt(struct run *r)
{
	int status, sig = r->signal;

	r->signal = 0;
	if (ptrace(PTRACE_CONT, r->target.pid, NULL, (void *)(long)sig))
		return false;
	sleep_ms(r->pause_ms);
	if (ptrace(PTRACE_INTERRUPT, r->target.pid, NULL, NULL))
		return false;
	for (;;) {
		if (!wait_stop(r, &status))
			return false;
		if (status >> 16 == PTRACE_EVENT_STOP)
			return true;
		sig = WSTOPSIG(status);
		if (ptrace(PTRACE_CONT, r->target.pid, NULL,
			   (void *)(long)(is_stop_signal(sig) || sig == SIGTRAP ? 0 : sig)))
			return false;
	}
}

static void judge_stop(struct run *r)
{
	if (unwind(r)) {
		/* What both do not know further is no list of the calls. */
		if (r->leat.result != LEAT_STACK_COMPLETE)
			return;
		truth_begin(&r->truth, &r->leat);
		if (r->between && (r->waits || r->target.regs.orig_rax == UINT64_MAX))
			step_judged(r, r->between);
		return;
	}
	if (r->verbose && r->kinds[SHORT] + r->kinds[UNPROVEN] + r->kinds[WRONG] < TOLD_MAX) {
		fprintf(stderr, "difference at %s\n", judge_name(&r->target, r->target.regs.rip));
		print_stack(r, "leat", &r->leat);
		print_stack(r, "dwfl", &r->dwfl);
	}
	r->kinds[prove(r)]++;
}

static int run_stops(struct run *r, pid_t pid, char **argv)
{
	int status;

	if (argv) {
		pid = fork();
		if (pid == 0) {
			execvp(argv[0], argv);
			_exit(127);
		}
		sleep_ms(300);
	}
	target_init(&r->target, pid);
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)(long)(argv ? PTRACE_O_EXITKILL : 0)) ||
	    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) || !wait_stop(r, &status)) {
		perror("attach");
		return 2;
	}
	for (uint64_t i = 0; i < r->max_stops && interrupt(r); i++) {
		if (!target_read(&r->target, true))
			break;
		judge_stop(r);
	}
	return 0;
}

static void finish(struct run *r, bool ours)
{
	if (r->ended)
		return;
	if (!ours) {
		ptrace(PTRACE_DETACH, r->target.pid, NULL, (void *)(long)r->signal);
		return;
	}
	kill(r->target.pid, SIGKILL);
	while (waitpid(r->target.pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

static int report(const struct run *r, const char *name)
{
	printf("%-28s points %8" PRIu64 "  places %7zu  frames %9" PRIu64
	       "  equal %8.4f %%  complete %8.4f %%",
	       name, r->points, r->visit_cnt, r->frames,
	       r->points ? 100.0 * (double)r->equal / (double)r->points : 0,
	       r->points ? 100.0 * (double)r->complete / (double)r->points : 0);
	for (int i = 0; i < KINDS; i++)
		printf("  %s %" PRIu64, kind_names[i], r->kinds[i]);
	printf("\n");
	return r->kinds[WRONG] ? 1 : 0;
}

int main(int argc, char **argv)
{
	static struct run r = { .max_steps = 200000, .pause_ms = 1 };
	const char *name = NULL;
	pid_t pid = 0;
	int opt, rc;

	while ((opt = getopt(argc, argv, "+s:k:n:t:i:p:N:bwv")) != -1) {
		switch (opt) {
		case 's':
			r.max_steps = strtoull(optarg, NULL, 10);
			break;
		case 'k':
			r.max_times = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			r.max_stops = strtoull(optarg, NULL, 10);
			break;
		case 'i':
			r.between = strtoull(optarg, NULL, 10);
			break;
		case 't':
			r.pause_ms = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'p':
			pid = (pid_t)strtol(optarg, NULL, 10);
			break;
		case 'N':
			name = optarg;
			break;
		case 'b':
			r.from_start = true;
			break;
		case 'w':
			r.waits = true;
			break;
		case 'v':
			r.verbose = true;
			break;
		default:
			return 2;
		}
	}
	if (!pid && optind == argc)
		return 2;
	if (r.max_stops)
		rc = run_stops(&r, pid, pid ? NULL : argv + optind);
	else
		rc = run_steps(&r, argv + optind);
	if (rc == 0)
		rc = report(&r, name ? name : pid ? "process" : argv[optind]);
	finish(&r, pid == 0);
	target_fini(&r.target);
	leat_index_fini(&r.visit_of);
	free(r.visits);
	return rc;
}
