/* SPDX-License-Identifier: BSD-2-Clause */
/* Names by asking the kernel are those that are read from /proc/kallsyms. */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/features.h"
#include "engine/ksyms.h"
#include "live/files_impl.h"
#include "symbols/symbols.h"

#define AT_ONCE	   30000u /* addresses: below what is asked for at most */
#define KNOWN_MAX  (1u << 19)
#define CAP_SYSLOG 34

/* Starts of the functions of /proc/kallsyms, ascending; of the kernel itself. */
struct known {
	uint64_t *start;
	size_t n;
	uint64_t text_end;
	uint64_t init; /* of a function of the kernel's beginnings */
	uint64_t data;
};

static void known_read(struct known *k)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	char type, name[600], line[1024];
	unsigned long addr;

	cr_assert(f != NULL);
	*k = (struct known){ .start = malloc(KNOWN_MAX * sizeof(*k->start)) };
	cr_assert(k->start != NULL);
	while (fgets(line, sizeof(line), f)) {
		if (strchr(line, '[') || sscanf(line, "%lx %c %599s", &addr, &type, name) != 3)
			continue;
		if (!strcmp(name, "_etext"))
			k->text_end = addr;
		if (!strcmp(name, "_sinittext"))
			k->init = addr + 0x20;
		if ((type | 0x20) == 'd')
			k->data = addr;
		if (!k->text_end && ((type | 0x20) == 't' || (type | 0x20) == 'w') &&
		    (!k->n || k->start[k->n - 1] != addr) && k->n < KNOWN_MAX)
			k->start[k->n++] = addr;
	}
	fclose(f);
	cr_assert(k->n > 1000 && k->text_end, "kallsyms shows no addresses");
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 16;
}

/* ---- the two ways ---- */

struct both {
	struct leat_profile *asked, *read;
	uint32_t asked_object, read_object;
	struct leat_files *files;
	struct leat_file_provider files_of;
	unsigned int answers; /* of the kernel, that is: without the file */
	int refusal;
};

static int open_of_files(void *ctx, const struct leat_profile *p, const struct leat_object *o,
			 enum leat_file_what what, const char *arg, unsigned int n)
{
	const struct both *b = ctx;

	return b->files_of.open(b->files_of.ctx, p, o, what, arg, n);
}

static int open_ksyms(void *ctx, const uint64_t *addr, size_t n)
{
	struct both *b = ctx;
	int fd = b->files_of.open_ksyms(b->files_of.ctx, addr, n);

	b->answers += fd >= 0;
	b->refusal = fd < 0 ? fd : 0;
	return fd;
}

static uint32_t kernel_object(struct leat_profile *p)
{
	struct leat_object o = { .kind = LEAT_OBJECT_KERNEL, .process = LEAT_ID_NONE };
	uint32_t id = 0;

	cr_assert(zero(int, leat_profile_string(p, "[kernel]", 8, &o.path)));
	cr_assert(zero(int, leat_profile_object(p, &o, &id)));
	return id;
}

static void both_init(struct both *b)
{
	*b = (struct both){ 0 };
	cr_assert(zero(int, leat_files_new(&b->files)));
	b->files_of = leat_files_provider(b->files);
	cr_assert(b->files_of.open_ksyms != NULL);
	cr_assert(zero(int, leat_profile_new(&b->asked)));
	cr_assert(zero(int, leat_profile_new(&b->read)));
	b->asked_object = kernel_object(b->asked);
	b->read_object = kernel_object(b->read);
}

static void both_fini(struct both *b)
{
	leat_profile_free(&b->asked);
	leat_profile_free(&b->read);
	leat_files_free(&b->files);
}

static void both_add(struct both *b, uint64_t addr)
{
	uint32_t id;

	cr_assert(zero(
		int, leat_profile_frame(b->asked, b->asked_object, addr, LEAT_FRAME_KERNEL, &id)));
	cr_assert(zero(int,
		       leat_profile_frame(b->read, b->read_object, addr, LEAT_FRAME_KERNEL, &id)));
}

static const struct leat_function *function_of(const struct leat_profile *p, size_t frame)
{
	return &p->functions[p->frames[frame].function];
}

static const char *object_of(const struct leat_profile *p, const struct leat_function *f)
{
	return leat_profile_str(p, p->objects[f->object].path);
}

static bool same_function(const struct both *b, size_t i)
{
	const struct leat_function *x = function_of(b->asked, i), *y = function_of(b->read, i);

	return x->start == y->start && x->kind == y->kind && x->unnamed == y->unnamed &&
	       !strcmp(leat_profile_str(b->asked, x->name), leat_profile_str(b->read, y->name)) &&
	       !strcmp(object_of(b->asked, x), object_of(b->read, y));
}

static void both_resolve(struct both *b)
{
	const struct leat_file_provider asking = { .ctx = b,
						   .open = open_of_files,
						   .open_ksyms = open_ksyms };
	const struct leat_file_provider reading = { .ctx = b, .open = open_of_files };

	cr_assert(zero(int, leat_symbols_resolve(b->asked, &asking, NULL)));
	cr_assert(zero(int, leat_symbols_resolve(b->read, &reading, NULL)));
}

/* How many of the frames have a name. */
static size_t expect_same(const struct both *b)
{
	size_t named = 0;

	cr_assert(eq(sz, b->asked->frame_cnt, b->read->frame_cnt));
	for (size_t i = 0; i < b->asked->frame_cnt; i++) {
		const struct leat_function *x = function_of(b->asked, i),
					   *y = function_of(b->read, i);

		named += x->unnamed == LEAT_UNNAMED_NONE;
		cr_assert(same_function(b, i), "%lx: asked %s at %lx in %s, read %s at %lx in %s",
			  b->asked->frames[i].offset, leat_profile_str(b->asked, x->name), x->start,
			  object_of(b->asked, x), leat_profile_str(b->read, y->name), y->start,
			  object_of(b->read, y));
	}
	return named;
}

static void skip_without(void)
{
	if (leat_feature_probe(LEAT_FEATURE_KSYMS) <= 0)
		cr_skip("this kernel has no BPF look-up of kernel symbols");
}

/* ---- names ---- */

/* Each start, and behind it somewhere and the last byte: far from its start, too. */
Test(ksyms, every_function_has_the_name_that_the_file_gives, .timeout = 120)
{
	struct known k;
	uint64_t seed = 1;
	size_t named = 0, asked = 0;

	skip_without();
	known_read(&k);
	for (size_t from = 0; from + 1 < k.n; from += AT_ONCE / 3) {
		struct both b;

		both_init(&b);
		for (size_t i = from; i + 1 < k.n && i < from + AT_ONCE / 3; i++) {
			both_add(&b, k.start[i]);
			both_add(&b,
				 k.start[i] + next_random(&seed) % (k.start[i + 1] - k.start[i]));
			both_add(&b, k.start[i + 1] - 1);
		}
		both_resolve(&b);
		cr_assert(eq(uint, b.answers, 1), "%s", strerrorname_np(-b.refusal));
		named += expect_same(&b);
		asked += b.asked->frame_cnt;
		both_fini(&b);
	}
	/* All but those in a hole of over a MiB, which neither way names. */
	cr_expect(gt(sz, named, asked - asked / 100), "%zu of %zu", named, asked);
	free(k.start);
}

Test(ksyms, addresses_anywhere_in_the_code, .timeout = 120)
{
	struct known k;
	uint64_t seed = 2;
	struct both b;

	skip_without();
	known_read(&k);
	both_init(&b);
	for (size_t i = 0; i < AT_ONCE; i++)
		both_add(&b, k.start[0] + next_random(&seed) % (k.text_end - k.start[0]));
	both_resolve(&b);
	cr_expect(eq(uint, b.answers, 1), "%s", strerrorname_np(-b.refusal));
	expect_same(&b);
	both_fini(&b);
	free(k.start);
}

/* A program that does nothing, and has a name; its code in the kernel and how long that is. */
static int load_program(uint64_t *at, uint32_t *bytes)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_prog_info info = { .nr_jited_ksyms = 1,
				      .jited_ksyms = (__u64)(uintptr_t)at,
				      .nr_jited_func_lens = 1,
				      .jited_func_lens = (__u64)(uintptr_t)bytes };
	__u32 len = sizeof(info);
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "leat_named", "GPL", insns,
			       LEAT_ARRAY_SIZE(insns), NULL);

	cr_assert(ge(int, fd, 0));
	cr_assert(zero(int, bpf_obj_get_info_by_fd(fd, &info, &len)));
	return fd;
}

Test(ksyms, bpf_programs, .timeout = 120)
{
	struct known k;
	struct both b;
	uint64_t at = 0;
	uint32_t bytes = 0;
	int fd;

	skip_without();
	known_read(&k);
	fd = load_program(&at, &bytes);
	both_init(&b);
	both_add(&b, at);
	both_add(&b, at + bytes - 1);
	both_add(&b, k.start[10]);
	both_resolve(&b);
	close(fd);
	cr_expect(eq(uint, b.answers, 1), "%s", strerrorname_np(-b.refusal));
	cr_expect(eq(sz, expect_same(&b), 3));
	cr_expect(eq(int, function_of(b.asked, 0)->kind, LEAT_FUNCTION_BPF));
	cr_expect(zero(int, strcmp(leat_profile_str(b.asked, function_of(b.asked, 0)->name),
				   "leat_named")));
	both_fini(&b);
	free(k.start);
}

/* The file then says what there is to say, of all that was asked for. */
Test(ksyms, what_is_no_code_goes_by_the_file, .timeout = 120)
{
	struct known k;
	uint64_t odd[6];

	skip_without();
	known_read(&k);
	memcpy(odd,
	       ((const uint64_t[]){ 0, 0x1000, k.text_end, k.init, k.data, 0xffffffffff600000 }),
	       sizeof(odd));
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(odd); i++) {
		struct both b;

		both_init(&b);
		both_add(&b, odd[i]);
		both_add(&b, k.start[10]);
		both_resolve(&b);
		cr_expect(zero(uint, b.answers), "%lx", odd[i]);
		cr_expect(eq(int, b.refusal, -ENOENT), "%lx", odd[i]);
		cr_expect(ge(sz, expect_same(&b), 1));
		both_fini(&b);
	}
	free(k.start);
}

Test(ksyms, very_many_go_by_the_file, .timeout = 120)
{
	struct known k;
	struct both b;

	skip_without();
	known_read(&k);
	both_init(&b);
	for (size_t i = 0; i < k.n && i < 40000; i++)
		both_add(&b, k.start[i]);
	both_resolve(&b);
	cr_expect(eq(int, b.refusal, -E2BIG));
	expect_same(&b);
	both_fini(&b);
	free(k.start);
}

/* ---- what is said ---- */

Test(ksyms, a_line_for_each_address_in_order)
{
	struct leat_ksyms_said said = { 0 };
	struct known k;
	size_t lines = 0;

	skip_without();
	known_read(&k);
	/* Around the size of a batch. */
	for (size_t n = 1; n < 40; n++) {
		lines = 0;
		cr_assert(zero(int, leat_ksyms_ask(k.start + 10, n, &said)));
		for (const char *s = said.text.data; (s = strchr(s, '\n')); s++)
			lines++;
		cr_expect(ge(sz, lines, n));
		cr_expect(eq(u64, said.text_end, k.text_end));
		cr_expect(le(u64, said.text_start, k.start[0]));
		leat_buf_fini(&said.text);
	}
	free(k.start);
}

/* ---- refusals ---- */

static void drop_syslog(void)
{
	/* The header's version and pid; effective, permitted, inheritable of the first 32, and of the rest. */
	uint32_t head[2] = { 0x20080522, 0 }, sets[6];

	cr_assert(zero(long, syscall(SYS_capget, head, sets)));
	sets[CAP_SYSLOG / 32 * 3] &= ~(1u << (CAP_SYSLOG % 32));
	cr_assert(zero(long, syscall(SYS_capset, head, sets)));
}

static int ask_hidden(void)
{
	struct leat_ksyms_said said = { 0 };
	const uint64_t addr = 0xffffffff81000000;

	drop_syslog();
	return leat_ksyms_ask(&addr, 1, &said);
}

static int ask_as_nobody(void)
{
	struct leat_ksyms_said said = { 0 };
	const uint64_t addr = 0xffffffff81000000;

	if (setgid(65534) || setuid(65534))
		return 0;
	return leat_ksyms_ask(&addr, 1, &said);
}

/* What it returns in a process of its own. */
static int in_child(int (*fn)(void))
{
	int status = 0;
	pid_t pid = fork();

	cr_assert(ge(int, pid, 0));
	if (!pid)
		_exit(-fn());
	cr_assert(eq(int, waitpid(pid, &status, 0), pid));
	cr_assert(eq(int, WIFEXITED(status), 1));
	return -WEXITSTATUS(status);
}

static bool first_line_is_hidden(void)
{
	FILE *f;
	char line[256] = "";

	drop_syslog();
	f = fopen("/proc/kallsyms", "r");
	cr_assert(f && fgets(line, sizeof(line), f));
	fclose(f);
	return !strncmp(line, "0000000000000000", 16);
}

static int hidden_here(void)
{
	return first_line_is_hidden() ? -1 : 0;
}

/* Nobody gets by this way what /proc/kallsyms does not show. */
Test(ksyms, addresses_that_are_hidden_are_not_named)
{
	skip_without();
	if (!in_child(hidden_here))
		cr_skip("kernel.perf_event_paranoid shows addresses to everyone");
	cr_expect(eq(int, in_child(ask_hidden), -EPERM));
}

Test(ksyms, without_privilege)
{
	cr_expect(eq(int, in_child(ask_as_nobody), -EPERM));
}
