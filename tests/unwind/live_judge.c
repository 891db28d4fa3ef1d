/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live_judge [-F HZ] [-n SAMPLES] [-d SECONDS] [-P PERF-PID -f FILE] [-o FILE] [-N NAME] [-v] PID...
 *
 * Samples processes that run (until there are SAMPLES, or for SECONDS), each sample by leat's BPF
 * program and as a copy of registers and stack in one perf event, has libdwfl unwind the copy, and
 * compares frame by frame. With -P the events and copies are those of a perf record (it has been
 * started with its events off): "shared" is printed when leat's program is on them too, and once it
 * has ended the FILE that it has written is read. -o writes each of leat's stacks, one a line:
 *	TID TIME-NS KIND|partial|incomplete MISSED-BELOW-SP ADDRESS:OFFSET-IN-FILE:FUNCTION...
 * Prints one line:
 *
 *	samples	 that have both			no-leat, no-copy: that have one of them only
 *	raw	 of them, unwound in user space because a table was not ready
 *	partial	 of these, not complete: leat's copy is of one stack, and Go changes stacks
 *	complete stacks that leat calls complete, of all but the partial ones
 *	cut	 equal as far as the copy goes: 64 KB of one stack
 *	below	 leat's is right, and libdwfl asks for a word below sp, which the kernel does not copy
 *	equal	 of the others: the same frames, the outermost one included
 *	proven	 equal, or leat's is right and libdwfl's is not:
 *	  stopped  libdwfl ends before the root
 *	  guessed  libdwfl goes by frame pointer where they part, for want of unwind information
 *	  astray   none of these
 *	guess	 they part at code made at run time, by frame pointer
 *	short	 leat ends earlier
 *	open	 it cannot be said who is right
 *	wrong	 leat has a frame that is not there
 *
 * Right is shown by the calls: leat's stack is complete, before each return address from where they
 * part stands a call, and those whose target can be told (direct, by a linkage table, by a fixed word
 * in memory) call the function that the frame below is in; at the place where they part, libdwfl's
 * frame does not.
 *
 * Exit status: 0, 1 when there is a wrong one, 2 when it could not run.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "judge.h"
#include "live.h"
#include "symbols/insn.h"

#define TOLD_MAX 4 /* differences that are printed, of each kind */

enum kind { EQUAL, CUT, BELOW, STOPPED, GUESSED, ASTRAY, GUESS, SHORT, OPEN, WRONG, KINDS };
static const char *const kind_names[KINDS] = { "equal",	 "cut",	  "below", "stopped", "guessed",
					       "astray", "guess", "short", "open",    "wrong" };

struct live {
	struct take take;
	struct target *targets; /* by index of take.pids */
	struct target *t;	/* of the sample */
	struct stack leat, dwfl;
	bool exact[FRAMES_MAX];
	uint64_t kinds[KINDS], no_leat, no_user, raw, partial, complete, frames;
	bool verbose;
	FILE *stacks; /* -o */
};

/* ---- who called whom ---- */

enum link {
	LINK_NONE,  /* no call stands before the return address */
	LINK_OTHER, /* it calls another function: one that has jumped on, or it is the wrong frame */
	LINK_OPEN,  /* through a register */
	LINK_YES,   /* it calls the function that the frame below is in */
};

/* Where a jump through a word of a linkage table at @at goes. */
static bool follow_plt(const struct target *t, uint64_t at, uint64_t *to)
{
	uint8_t c[12] = { 0 };
	size_t i = 0;
	int32_t off;

	if (!target_bytes(t, at, c, sizeof(c)))
		return false;
	if (!memcmp(c, "\xf3\x0f\x1e\xfa", 4))
		i = 4;
	if (c[i] == 0xf2)
		i++;
	if (c[i] != 0xff || c[i + 1] != 0x25)
		return false;
	memcpy(&off, c + i + 2, sizeof(off));
	return target_bytes(t, at + i + 6 + (uint64_t)(int64_t)off, to, sizeof(*to));
}

/* The function that the call before @ret calls; false: it cannot be told. */
static bool called(const struct target *t, uint64_t ret, const struct leat_call *call,
		   const uint8_t *before, uint64_t *to)
{
	int32_t off;

	if (call->direct) {
		*to = call->target;
		(void)follow_plt(t, call->target, to);
		return true;
	}
	/* call *off(%rip) */
	if (before[2] != 0xff || before[3] != 0x15)
		return false;
	memcpy(&off, before + 4, sizeof(off));
	return target_bytes(t, ret + (uint64_t)(int64_t)off, to, sizeof(*to));
}

/* @below: an address inside the function that would have been called. */
static enum link link_of(struct target *t, uint64_t ret, uint64_t below)
{
	struct leat_code code = { .before_len = LEAT_CODE_BEFORE, .vaddr = ret };
	struct leat_call call;
	uint64_t to, entry;

	if (!target_bytes(t, ret - LEAT_CODE_BEFORE, code.before, LEAT_CODE_BEFORE))
		return LINK_NONE;
	call = leat_code_call(EM_X86_64, &code);
	if (!call.direct && !call.indirect)
		return LINK_NONE;
	if (!called(t, ret, &call, code.before, &to) || !target_function(t, below, &entry))
		return LINK_OPEN;
	if (to == entry)
		return LINK_YES;
	/* Both readings of the bytes are possible. */
	return call.indirect ? LINK_OPEN : LINK_OTHER;
}

/*
 * A frame of leat's to the one before it: calls, but for what a signal has put there, and a root that
 * nobody calls (Go's goexit: the stack is made so that its second byte is returned to).
 */
static enum link leat_link(struct live *x, size_t i)
{
	const struct stack *s = &x->leat;
	const uint64_t below = s->frames[i - 1].pc - (i > 1 && !x->exact[i - 1]);
	uint64_t start;

	if (x->exact[i] || (i + 1 < s->n && x->exact[i + 1]))
		return LINK_YES;
	if (i + 1 == s->n && s->result == LEAT_STACK_COMPLETE &&
	    target_function(x->t, s->frames[i].pc - 1, &start) && start + 1 == s->frames[i].pc)
		return LINK_OPEN;
	return link_of(x->t, s->frames[i].pc, below);
}

static bool is_proven(struct live *x, size_t from)
{
	enum link first = from < x->leat.n ? leat_link(x, from) : LINK_YES;

	if (x->leat.result != LEAT_STACK_COMPLETE || first == LINK_NONE)
		return false;
	for (size_t i = from; i < x->leat.n; i++) {
		if (leat_link(x, i) == LINK_NONE)
			return false;
	}
	if (from >= x->dwfl.n)
		return true;
	/* Where they part, leat's is the likelier caller. */
	return first >
	       link_of(x->t, x->dwfl.frames[from].pc, x->dwfl.frames[from - 1].pc - (from > 1));
}

/* ---- a sample ---- */

static size_t common(const struct stack *a, const struct stack *b)
{
	size_t k = 0;

	while (k < a->n && k < b->n && a->frames[k].pc == b->frames[k].pc)
		k++;
	return k;
}

static enum kind why_dwfl_differs(struct live *x, size_t k)
{
	const uint64_t pc = x->leat.frames[k - 1].pc - (k > 1);

	if (!judge_has_cfi(x->t, pc))
		return GUESSED;
	return k == x->dwfl.n ? STOPPED : ASTRAY;
}

static enum kind kind_of(struct live *x)
{
	const size_t k = common(&x->leat, &x->dwfl);
	const struct leat_unwind_piece *copy = &x->t->pieces[0];
	const uint64_t missed = x->t->missed;
	uint64_t pc;
	bool guesses;

	if (k == x->leat.n && k == x->dwfl.n)
		return EQUAL;
	if (!k)
		return WRONG;
	pc = x->leat.frames[k - 1].pc - (k > 1);
	guesses = target_guesses(x->t, pc);
	if (k == x->dwfl.n && (guesses || judge_has_cfi(x->t, pc)) && missed &&
	    (missed >= copy->addr + copy->len || missed + 128 < copy->addr))
		return CUT;
	if (missed && missed < copy->addr && is_proven(x, k))
		return BELOW;
	if (guesses)
		return GUESS;
	if (is_proven(x, k))
		return why_dwfl_differs(x, k);
	if (k == x->leat.n && x->leat.result != LEAT_STACK_COMPLETE)
		return SHORT;
	if (k < x->dwfl.n && k < x->leat.n &&
	    link_of(x->t, x->dwfl.frames[k].pc, x->dwfl.frames[k - 1].pc - (k > 1)) <=
		    leat_link(x, k))
		return OPEN;
	return k < x->dwfl.n ? WRONG : OPEN;
}

static void print_stack(struct live *x, const char *who, const struct stack *s, size_t k)
{
	fprintf(stderr, "  %s: %zu frames, result %d\n", who, s->n, (int)s->result);
	for (size_t i = k > 2 ? k - 2 : 0; i < s->n && i < k + 4; i++)
		fprintf(stderr, "    %zu %016" PRIx64 " %s\n", i, s->frames[i].pc,
			judge_name(x->t, s->frames[i].pc));
}

static void tell(struct live *x, enum kind kind)
{
	const size_t k = common(&x->leat, &x->dwfl);

	fprintf(stderr, "%s at %s, they part at frame %zu; libdwfl missed %" PRIx64 ", sp %llx\n",
		kind_names[kind], judge_name(x->t, x->t->regs.rip), k, x->t->missed,
		x->t->regs.rsp);
	print_stack(x, "leat", &x->leat, k);
	print_stack(x, "libdwfl", &x->dwfl, k);
}

static void tell_incomplete(struct live *x)
{
	fprintf(stderr, "not complete, at %s\n", judge_name(x->t, x->t->regs.rip));
	print_stack(x, "leat", &x->leat, x->leat.n);
	print_stack(x, "libdwfl", &x->dwfl, x->leat.n);
}

static void use_shot(struct live *x, const struct shot *s)
{
	const __u64 *frames = s->rec->frames + s->rec->kframe_cnt;

	x->leat.n = 0;
	x->leat.result = s->rec->uresult;
	for (size_t i = 0; i < s->rec->uframe_cnt && i < FRAMES_MAX; i++) {
		x->exact[i] = i == 0 || frames[i] & LEAT_PC_EXACT;
		x->leat.frames[x->leat.n++].pc = frames[i] & ~LEAT_PC_EXACT;
	}
}

/* Addresses are those of calls: the ones that perf shows. */
static void write_stack(const struct live *x, const struct copy *c, const char *kind)
{
	const uint64_t missed = x->t->missed, sp = x->t->pieces[0].addr;

	fprintf(x->stacks, "%u %" PRIu64 " %s %" PRIu64, c->tid, c->ts_ns, kind,
		missed && missed < sp ? sp - missed : 0);
	for (size_t i = 0; i < x->leat.n; i++) {
		const uint64_t pc = x->leat.frames[i].pc - !x->exact[i];
		const char *name = strrchr(judge_name(x->t, pc), ' ') + 1;

		fprintf(x->stacks, " %" PRIx64 ":%" PRIx64 ":%s", pc, target_offset(x->t, pc),
			name);
	}
	fputc('\n', x->stacks);
}

static void judge_copy(struct live *x, const struct copy *c)
{
	const struct shot *s = take_find(&x->take, c);
	enum kind kind;
	const char *how;
	size_t i = 0;

	while (x->take.pids[i] != c->tgid)
		i++;
	x->t = &x->targets[i];
	if (!s) {
		x->no_leat++;
		return;
	}
	if (!s->rec->uframe_cnt) {
		x->no_user++;
		return;
	}
	use_shot(x, s);
	target_use_copy(x->t, c->regs, c->stack, c->stack_len);
	judge_unwind(x->t, &x->dwfl);
	kind = kind_of(x);
	x->kinds[kind]++;
	x->frames += x->leat.n;
	x->raw += s->raw;
	x->complete += x->leat.result == LEAT_STACK_COMPLETE;
	how = kind_names[kind];
	if (x->leat.result != LEAT_STACK_COMPLETE)
		how = s->raw ? "partial" : "incomplete";
	x->partial += s->raw && x->leat.result != LEAT_STACK_COMPLETE;
	if (x->stacks)
		write_stack(x, c, how);
	if (x->verbose && kind != EQUAL && x->kinds[kind] <= TOLD_MAX)
		tell(x, kind);
	if (x->verbose && x->leat.result != LEAT_STACK_COMPLETE)
		tell_incomplete(x);
}

static double percent(uint64_t part, uint64_t all)
{
	return all ? 100.0 * (double)part / (double)all : 0;
}

static int report(const struct live *x, const char *name)
{
	const uint64_t *n = x->kinds;
	uint64_t all = 0, judged;

	for (int i = 0; i < KINDS; i++)
		all += n[i];
	judged = all - n[CUT] - n[BELOW];
	printf("%-14s samples %6" PRIu64 "  frames %8" PRIu64 "  raw %" PRIu64 "  partial %" PRIu64
	       "  complete %8.4f %%  equal %8.4f %%  proven %8.4f %%",
	       name, all, x->frames, x->raw, x->partial, percent(x->complete, all - x->partial),
	       percent(n[EQUAL], judged),
	       percent(n[EQUAL] + n[STOPPED] + n[GUESSED] + n[ASTRAY], judged));
	for (int i = CUT; i < KINDS; i++)
		printf("  %s %" PRIu64, kind_names[i], n[i]);
	printf("  no-leat %" PRIu64 "  no-copy %" PRIu64 "\n", x->no_leat,
	       x->take.delivered > x->take.copy_cnt + x->take.no_regs
		       ? x->take.delivered - x->take.copy_cnt - x->take.no_regs
		       : 0);
	return n[WRONG] ? 1 : 0;
}

static void judge_all(struct live *x)
{
	x->targets = calloc(x->take.pid_cnt, sizeof(*x->targets));
	if (!x->targets)
		exit(2);
	for (size_t i = 0; i < x->take.pid_cnt; i++) {
		target_init(&x->targets[i], (pid_t)x->take.pids[i]);
		if (!target_map(&x->targets[i])) {
			fprintf(stderr, "process %u has gone\n", x->take.pids[i]);
			exit(2);
		}
	}
	for (size_t i = 0; i < x->take.copy_cnt; i++)
		judge_copy(x, &x->take.copies[i]);
	for (size_t i = 0; i < x->take.pid_cnt; i++)
		target_fini(&x->targets[i]);
	free(x->targets);
}

static bool parse(struct live *x, int argc, char **argv, const char **name)
{
	int opt;

	while ((opt = getopt(argc, argv, "F:n:d:P:f:o:N:v")) != -1) {
		if (opt == 'F')
			x->take.hz = (unsigned int)strtoul(optarg, NULL, 10);
		else if (opt == 'n')
			x->take.max = strtoul(optarg, NULL, 10);
		else if (opt == 'd')
			x->take.seconds = (unsigned int)strtoul(optarg, NULL, 10);
		else if (opt == 'P')
			x->take.perf_tgid = (uint32_t)strtoul(optarg, NULL, 10);
		else if (opt == 'f')
			x->take.perf_data = optarg;
		else if (opt == 'o')
			x->stacks = fopen(optarg, "we");
		else if (opt == 'N')
			*name = optarg;
		else if (opt == 'v')
			x->verbose = true;
		else
			return false;
	}
	for (; optind < argc && x->take.pid_cnt < TAKE_PIDS; optind++)
		x->take.pids[x->take.pid_cnt++] = (uint32_t)strtoul(argv[optind], NULL, 10);
	return x->take.pid_cnt && !x->take.perf_tgid == !x->take.perf_data;
}

int main(int argc, char **argv)
{
	static struct live x = { .take = { .hz = 499, .seconds = 3, .max = TAKE_MAX } };
	const char *name = "process";
	int rc;

	if (!parse(&x, argc, argv, &name))
		return 2;
	take_run(&x.take);
	judge_all(&x);
	rc = report(&x, name);
	if (x.stacks && fclose(x.stacks))
		return 2;
	take_fini(&x.take);
	return rc;
}
