/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One stack, sampled by a perf event, at a tracepoint and at a uprobe: walked by unwind tables in the
 * kernel, each gives the same callers, down to the root.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../support/kernel_side.h"
#include "base/file.h"
#include "elf/elf_file.h"
#include "engine/tracefs_dir.h"
#include "leat_cfg.h"
#include "leat_glob.h"
#include "leat_space.h"
#include "leat_stat.h"
#include "leat_wire.h"
#include "live/maps.h"
#include "tests/contexts_test.skel.h"
#include "unwind/table.h"

#define RING_BYTES (1u << 20)
#define FRAMES	   127u

struct stack {
	uint64_t frames[FRAMES];
	uint32_t n;
	uint8_t result, user;
};

struct rig {
	struct leat_contexts_test *skel;
	struct leat_kernel_side side;
	uint32_t exe_cnt;
	/* the first record whose innermost frame lies in [from, to) */
	uint64_t from, to;
	struct stack got;
	bool have;
};

/* ---- the stack: three functions, with names that an attachment finds ---- */

#define FUNCTION __attribute__((noinline))

int contexts_leaf(int what);
int contexts_mid(int what);
int contexts_outer(int what);

static volatile uint64_t spin_end;
static volatile unsigned int spun;

/* Where the three contexts are met: at its first instruction, at the call of the kernel, in the loop. */
FUNCTION int contexts_leaf(int what)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"((long)SYS_getpgid), "D"(0L)
			 : "rcx", "r11", "memory");
	while (spin_end && spun < spin_end)
		spun++;
	return what + (ret < 0);
}

FUNCTION int contexts_mid(int what)
{
	volatile char room[200];

	room[0] = (char)what;
	return contexts_leaf(what) + room[0];
}

FUNCTION int contexts_outer(int what)
{
	return contexts_mid(what + 1) * 3;
}

/* ---- the kernel side ---- */

static int keep(void *ctx, const void *data, size_t n)
{
	struct rig *r = ctx;
	const struct leat_rec_sample *s = data;

	if (n < sizeof(*s) || s->h.kind != LEAT_REC_SAMPLE || r->have || !s->uframe_cnt ||
	    s->frames[0] < r->from || s->frames[0] >= r->to)
		return 1;
	r->have = true;
	r->got.n = s->uframe_cnt;
	r->got.result = s->uresult;
	r->got.user = s->user_mode;
	memcpy(r->got.frames, s->frames, s->uframe_cnt * sizeof(s->frames[0]));
	return 1;
}

/* A mapping of this process, with the table of its file. */
static void add_mapping(struct rig *r, const struct leat_maps_line *l, uint32_t *cnt)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	LEAT_AUTO(leat_unwind_table_free) struct leat_unwind_table *t = NULL;
	LEAT_CLOSE int fd = -1;
	struct leat_unwind_segment segments[LEAT_UNWIND_SEGMENTS];
	char path[4096];
	uint64_t bias;

	leat_maps_path(l->path, l->path_len, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || leat_elf_open(&e, fd) ||
	    leat_unwind_table_build(&t, e, NULL, r->side.rules) ||
	    leat_unwind_bias(segments, leat_unwind_segments(e, segments), l->start, l->pgoff,
			     &bias))
		return;
	cr_assert(lt(u32, r->exe_cnt, LEAT_SIDE_EXES));
	leat_kernel_side_put(&r->side, r->exe_cnt, t);
	r->side.ranges[(*cnt)++] = (struct leat_range){
		.start = l->start, .end = l->end, .bias = bias, .exe = r->exe_cnt++
	};
}

static void tell_mappings(struct rig *r)
{
	struct leat_space space = { .tag = 1 };
	LEAT_FREE char *text = NULL;
	size_t len;

	cr_assert(
		zero(int, leat_file_read_at(AT_FDCWD, "/proc/self/maps", 16u << 20, &text, &len)));
	for (char *line = text, *end; *line; line = end) {
		struct leat_maps_line l;

		end = line + strcspn(line, "\n");
		end += *end == '\n';
		if (!leat_maps_parse(line, (size_t)(end - line), &l) && l.exec && l.ino)
			add_mapping(r, &l, &space.cnt);
	}
	leat_kernel_side_space(&r->side, &space);
}

static void rig_open(struct rig *r)
{
	struct leat_cfg *cfg;

	*r = (struct rig){ .skel = leat_contexts_test__open(), .exe_cnt = LEAT_EXE__FIRST };
	cr_assert(r->skel != NULL);
	cfg = (struct leat_cfg *)&r->skel->rodata->cfg;
	leat_kernel_side_configure(r->skel->obj, cfg, RING_BYTES);
	cfg->max_uframes = FRAMES;
	cr_assert(zero(int, leat_contexts_test__load(r->skel)));
	leat_kernel_side_init(&r->side, r->skel->obj, RING_BYTES);
	tell_mappings(r);
	cr_assert(gt(u32, r->exe_cnt, LEAT_EXE__FIRST));
}

static void rig_close(struct rig *r)
{
	leat_kernel_side_fini(&r->side);
	leat_contexts_test__destroy(r->skel);
}

/* ---- the three of them ---- */

static int open_event(uint32_t type, uint64_t config, uint64_t period)
{
	struct perf_event_attr attr = {
		.type = type, .size = sizeof(attr), .config = config, .sample_period = period
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static uint64_t tracepoint_id(void)
{
	LEAT_FREE char *text = NULL;
	LEAT_CLOSE int dir = -1;
	const char *at;

	cr_assert(zero(int, leat_tracefs_dir_open(&dir)));
	cr_assert(zero(int, leat_tracefs_format_text(dir, "raw_syscalls:sys_enter", &text, NULL)));
	at = strstr(text, "ID: ");
	cr_assert(at != NULL);
	return strtoull(at + 4, NULL, 10);
}

static struct bpf_link *attach(struct rig *r, const char *how)
{
	LIBBPF_OPTS(bpf_uprobe_opts, uo, .func_name = "contexts_leaf");
	int fd;

	if (!strcmp(how, "uprobe"))
		return bpf_program__attach_uprobe_opts(r->skel->progs.leat_c_uprobe, getpid(),
						       "/proc/self/exe", 0, &uo);
	fd = strcmp(how, "perf event")
		     ? open_event(PERF_TYPE_TRACEPOINT, tracepoint_id(), 1)
		     : open_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, 500000);
	cr_assert(ge(int, fd, 0), "%s: %s", how, strerrorname_np(errno));
	return bpf_program__attach_perf_event(strcmp(how, "perf event")
						      ? r->skel->progs.leat_c_tracepoint
						      : r->skel->progs.leat_c_perf,
					      fd);
}

/* The stack of contexts_leaf as one of them sees it. */
static struct stack take(struct rig *r, const char *how, int (*call)(int))
{
	struct bpf_link *link = attach(r, how);

	cr_assert(link != NULL, "%s: %s", how, strerrorname_np(errno));
	r->have = false;
	r->from = (uint64_t)(uintptr_t)contexts_leaf;
	r->to = r->from + 256;
	/* A perf event comes when it comes. */
	for (int i = 0; i < 1000 && !r->have; i++) {
		spun = 0;
		spin_end = strcmp(how, "perf event") ? 0 : 20000000;
		(void)call(1);
		leat_ring_consume(&r->side.ring, SIZE_MAX, keep, r);
	}
	cr_expect(zero(int, bpf_link__destroy(link)));
	leat_ring_consume(&r->side.ring, SIZE_MAX, keep, r);
	cr_assert(r->have, "%s: no sample", how);
	return r->got;
}

static void expect_same(const struct stack *a, const struct stack *b, const char *how)
{
	cr_expect(eq(int, a->result, LEAT_STACK_COMPLETE), "%s", how);
	cr_assert(eq(u32, a->n, b->n), "%s", how);
	for (uint32_t i = 1; i < a->n; i++)
		cr_expect(eq(u64, a->frames[i], b->frames[i]), "%s: frame %u", how, i);
}

Test(contexts, a_perf_event_a_tracepoint_and_a_uprobe_see_the_same_callers, .timeout = 120)
{
	static const char *const ways[] = { "uprobe", "tracepoint", "perf event" };
	/* Called through it, at one place: the same return address each time. */
	int (*volatile call)(int) = contexts_outer;
	struct stack s[LEAT_ARRAY_SIZE(ways)];
	struct rig r;

	rig_open(&r);
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(ways); i++)
		s[i] = take(&r, ways[i], call);
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(ways); i++)
		expect_same(&s[i], &s[0], ways[i]);
	cr_expect(ge(u32, s[0].n, 5));
	cr_expect(eq(u64, s[0].frames[0], (uint64_t)(uintptr_t)contexts_leaf),
		  "its first instruction");
	cr_expect(eq(int, s[0].user, 1), "a uprobe's registers are the context");
	cr_expect(eq(int, s[1].user, 0), "a tracepoint's were saved at entry");
	cr_expect(eq(int, s[2].user, 1));
	cr_expect(lt(u64, s[0].frames[1] - (uint64_t)(uintptr_t)contexts_mid, 256));
	cr_expect(lt(u64, s[0].frames[2] - (uint64_t)(uintptr_t)contexts_outer, 256));
	rig_close(&r);
}
