/* SPDX-License-Identifier: BSD-2-Clause */
#include "import/build.h"

#include <errno.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/array.h"
#include "base/hash.h"
#include "profile/tree.h"

#define UNKNOWN	  "[unknown]"
#define UNKNOWN_N (sizeof(UNKNOWN) - 1)

int leat_build_init(struct leat_build *b)
{
	memset(b, 0, sizeof(*b));
	leat_index_init(&b->names_ix);
	leat_index_init(&b->modules_ix);
	leat_index_init(&b->who_ix);
	b->last_module_id = LEAT_ID_NONE;
	return leat_profile_new(&b->p);
}

void leat_build_forget_lines(struct leat_build *b)
{
	free(b->lines);
	b->lines = NULL;
	b->line_slots = b->line_cnt = 0;
}

void leat_build_fini(struct leat_build *b)
{
	leat_profile_free(&b->p);
	leat_index_fini(&b->names_ix);
	leat_index_fini(&b->modules_ix);
	leat_index_fini(&b->who_ix);
	free(b->names);
	free(b->modules);
	free(b->who);
	free(b->events);
	free(b->ids);
	leat_build_forget_lines(b);
	memset(b, 0, sizeof(*b));
}

static bool is(const char *s, size_t n, const char *what)
{
	return n == strlen(what) && memcmp(s, what, n) == 0;
}

static bool starts(const char *s, size_t n, const char *with)
{
	size_t m = strlen(with);

	return n >= m && memcmp(s, with, m) == 0;
}

static bool ends(const char *s, size_t n, const char *with)
{
	size_t m = strlen(with);

	return n >= m && memcmp(s + n - m, with, m) == 0;
}

/* The part behind the last slash. */
static const char *base_name(const char *s, size_t *n)
{
	const char *slash = memrchr(s, '/', *n);

	if (!slash || slash + 1 == s + *n)
		return s;
	*n -= (size_t)(slash + 1 - s);
	return slash + 1;
}

/* ---- modules ---- */

/* Names in brackets that are no kernel module. */
static bool is_user_area(const char *s, size_t n)
{
	static const char *const names[] = { "[vdso]",	  "[vsyscall]", "[heap]",
					     "[stack]",	  "[anon]",	"[uprobes]",
					     "[inlined]", "[vvar]",	"[vdso32]" };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(names); i++) {
		if (is(s, n, names[i]))
			return true;
	}
	return starts(s, n, "[anon:") || starts(s, n, "[stack:");
}

static bool is_jit(const char *s, size_t n)
{
	size_t m = n;
	const char *base = base_name(s, &m);

	return starts(s, n, "//anon") || starts(s, n, "[anon") || starts(s, n, "anon_inode:") ||
	       starts(s, n, "/memfd:") || is(s, n, "[jit]") || starts(base, m, "jitted-") ||
	       (starts(base, m, "perf-") && ends(base, m, ".map"));
}

static enum leat_module_kind module_kind(const char *s, size_t n)
{
	size_t m = n;
	const char *base = base_name(s, &m);

	if (!n)
		return LEAT_MODULE_NONE;
	if (is(s, n, UNKNOWN))
		return LEAT_MODULE_UNKNOWN;
	if (is_jit(s, n))
		return LEAT_MODULE_JIT;
	if (starts(s, n, "[kernel") || starts(s, n, "[guest.kernel") || starts(base, m, "vmlinux"))
		return LEAT_MODULE_KERNEL;
	if (starts(s, n, "[bpf") || starts(s, n, "bpf_prog_"))
		return LEAT_MODULE_BPF;
	if (ends(s, n, ".ko") || memmem(base, m, ".ko.", 4))
		return LEAT_MODULE_KMODULE;
	return s[0] == '[' && !is_user_area(s, n) ? LEAT_MODULE_KMODULE : LEAT_MODULE_FILE;
}

struct module_key {
	const struct leat_profile *p;
	const char *s;
	size_t n;
};

static bool module_eq(const void *ctx, uint32_t value, const void *key)
{
	const struct leat_build_module *have = &((const struct leat_build_module *)ctx)[value];
	const struct module_key *want = key;
	size_t n;
	const char *s = leat_intern_at(want->p->strings, have->path, &n);

	return n == want->n && memcmp(s, want->s, n) == 0;
}

static int add_module(struct leat_build *b, const char *s, size_t n, uint64_t hash)
{
	struct leat_object o = { .kind = LEAT_OBJECT_NAMED };
	uint32_t id = (uint32_t)b->modules_ix.n;
	int err = LEAT_ARRAY_ROOM(b->modules, b->module_cap, id + 1, LEAT_PROFILE_MAX_OBJECTS);

	if (!err)
		err = leat_profile_string(b->p, s, n, &o.path);
	if (!err)
		err = leat_profile_object(b->p, &o, &b->modules[id].object);
	if (!err)
		err = leat_index_add(&b->modules_ix, hash, id);
	if (err)
		return err;
	b->modules[id].path = o.path;
	b->modules[id].kind = module_kind(s, n);
	return 0;
}

int leat_build_module(struct leat_build *b, const char *s, size_t n, uint32_t *module)
{
	struct module_key key = { .p = b->p, .s = n ? s : "", .n = n };
	uint64_t hash;
	uint32_t id;
	int err;

	if (b->last_module_id != LEAT_ID_NONE && b->last_module_n == n &&
	    memcmp(b->last_module, key.s, n) == 0) {
		*module = b->last_module_id;
		return 0;
	}
	hash = XXH3_64bits(key.s, n);
	id = leat_index_find(&b->modules_ix, hash, module_eq, b->modules, &key);
	if (id == LEAT_INDEX_NONE) {
		id = (uint32_t)b->modules_ix.n;
		err = add_module(b, key.s, n, hash);
		if (err)
			return err;
	}
	b->last_module = leat_intern_at(b->p->strings, b->modules[id].path, &b->last_module_n);
	b->last_module_id = id;
	*module = id;
	return 0;
}

/* ---- functions and frames ---- */

size_t leat_build_strip_offset(const char *s, size_t n)
{
	size_t i = n;

	while (i && ((s[i - 1] >= '0' && s[i - 1] <= '9') || (s[i - 1] >= 'a' && s[i - 1] <= 'f')))
		i--;
	if (i == n || i < 3 || s[i - 1] != 'x' || s[i - 2] != '0' || s[i - 3] != '+')
		return n;
	return i - 3;
}

static bool is_mark(const char *s, size_t n)
{
	if (n < 2 || s[0] != '[')
		return false;
	for (unsigned int i = 0; i < LEAT_STACK__MAX; i++) {
		const char *mark = leat_stack_mark((uint8_t)i);

		if (mark && is(s, n, mark))
			return true;
	}
	return is(s, n, UNKNOWN);
}

static enum leat_function_kind function_kind(const char *s, size_t n, enum leat_module_kind m,
					     uint32_t flags)
{
	bool bpf = starts(s, n, "bpf_prog_") || starts(s, n, "bpf_trampoline_");

	if (flags & LEAT_NAME_INLINED)
		return LEAT_FUNCTION_INLINED;
	if (m == LEAT_MODULE_BPF || ((flags & LEAT_NAME_KERNEL) && bpf))
		return LEAT_FUNCTION_BPF;
	if (m == LEAT_MODULE_KMODULE)
		return LEAT_FUNCTION_MODULE;
	if (m == LEAT_MODULE_KERNEL || flags & LEAT_NAME_KERNEL)
		return LEAT_FUNCTION_KERNEL;
	return m == LEAT_MODULE_JIT || flags & LEAT_NAME_JIT ? LEAT_FUNCTION_JIT
							     : LEAT_FUNCTION_NATIVE;
}

/* Why a frame in such a module has no name. */
static enum leat_unnamed no_name(enum leat_module_kind m)
{
	if (m == LEAT_MODULE_NONE || m == LEAT_MODULE_UNKNOWN)
		return LEAT_UNNAMED_UNMAPPED;
	if (m == LEAT_MODULE_JIT)
		return LEAT_UNNAMED_JIT;
	return m == LEAT_MODULE_KERNEL ? LEAT_UNNAMED_PERMISSION : LEAT_UNNAMED_STRIPPED;
}

/* "[libc.so.6]", as other tools show what has no name; "[unknown]" where there is no module. */
static int put_module_name(struct leat_build *b, const struct leat_build_module *m, uint32_t *id)
{
	size_t n;
	const char *path = leat_intern_at(b->p->strings, m->path, &n);
	const char *base = base_name(path, &n);
	LEAT_FREE char *text = NULL;

	if (m->kind == LEAT_MODULE_NONE || m->kind == LEAT_MODULE_UNKNOWN)
		return leat_profile_string(b->p, UNKNOWN, UNKNOWN_N, id);
	text = malloc(n + 2);
	if (!text)
		return -ENOMEM;
	text[0] = '[';
	memcpy(text + 1, base, n);
	text[n + 1] = ']';
	return leat_profile_string(b->p, text, n + 2, id);
}

/*
 * A text that stands in for a name: "[libc.so.6]" of other tools, "libfoo.so+0x1230" of leat's own.
 * Code that other tools name in brackets ("[lua] handler.lua:12") goes on behind them.
 */
static bool stands_in(const char *s, size_t n, enum leat_module_kind m, uint32_t flags)
{
	if (leat_build_strip_offset(s, n) != n)
		return true;
	return m == LEAT_MODULE_NONE && !(flags & LEAT_NAME_KERNEL) && n > 2 && s[0] == '[' &&
	       s[n - 1] == ']' && !memchr(s, ' ', n);
}

int leat_build_function(struct leat_build *b, const char *name, size_t n, uint32_t module,
			uint32_t flags, struct leat_function *f)
{
	const struct leat_build_module *m = &b->modules[module];

	*f = (struct leat_function){
		.raw = LEAT_ID_NONE,
		.object = m->object,
		.file = LEAT_ID_NONE,
	};
	if ((flags & LEAT_NAME_MARK) && !(flags & LEAT_NAME_KERNEL) && is_mark(name, n)) {
		f->kind = LEAT_FUNCTION_MARK;
		f->object = LEAT_ID_NONE;
		f->unnamed = is(name, n, UNKNOWN) ? LEAT_UNNAMED_UNMAPPED : LEAT_UNNAMED_NONE;
		return leat_profile_string(b->p, name, n, &f->name);
	}
	f->kind = function_kind(name, n, m->kind, flags);
	if (is(name, n, UNKNOWN)) {
		f->unnamed = no_name(m->kind);
		return put_module_name(b, m, &f->name);
	}
	if (stands_in(name, n, m->kind, flags))
		f->unnamed = m->kind == LEAT_MODULE_JIT ? LEAT_UNNAMED_JIT : LEAT_UNNAMED_STRIPPED;
	return leat_profile_string(b->p, name, n, &f->name);
}

int leat_build_named(struct leat_build *b, uint32_t object, uint32_t function, uint32_t *frame)
{
	enum leat_function_kind kind = b->p->functions[function].kind;
	uint32_t flags = kind == LEAT_FUNCTION_KERNEL || kind == LEAT_FUNCTION_MODULE ||
					 kind == LEAT_FUNCTION_BPF
				 ? LEAT_FRAME_KERNEL
				 : 0;
	/* No address is known: what tells it from others is its function. */
	int err = leat_profile_frame(b->p, object, function, flags, frame);

	if (!err)
		b->p->frames[*frame].function = function;
	return err;
}

static inline bool name_eq(const void *ctx, uint32_t value, const void *key)
{
	const struct leat_build_name *have = &((const struct leat_build_name *)ctx)[value];
	const struct leat_build_name *want = key;

	return have->n == want->n && have->object == want->object && have->flags == want->flags &&
	       memcmp(have->s, want->s, want->n) == 0;
}

static int add_name(struct leat_build *b, struct leat_build_name *key, uint64_t hash)
{
	uint32_t id = (uint32_t)b->names_ix.n, kept, function;
	struct leat_function f;
	int err = LEAT_ARRAY_ROOM(b->names, b->name_cap, (size_t)id + 1, LEAT_PROFILE_MAX_FRAMES);

	/* The text as it stands in the file is kept too, for the next look-up. */
	if (!err)
		err = leat_profile_string(b->p, key->s, key->n, &kept);
	if (!err)
		err = leat_build_function(b, key->s, key->n, key->object, key->flags, &f);
	if (!err)
		err = leat_profile_function(b->p, &f, &function);
	if (!err)
		err = leat_build_named(b, b->modules[key->object].object, function, &key->frame);
	if (!err)
		err = leat_index_add(&b->names_ix, hash, id);
	if (err)
		return err;
	key->s = leat_profile_str(b->p, kept);
	b->names[id] = *key;
	return 0;
}

int leat_build_frame(struct leat_build *b, const char *name, size_t n, uint32_t module,
		     uint32_t flags, uint32_t *frame)
{
	struct leat_build_name key = {
		.s = n ? name : "", .n = (uint32_t)n, .object = module, .flags = flags
	};
	uint64_t hash = XXH3_64bits_withSeed(key.s, n, (uint64_t)module << 8 | flags);
	uint32_t id = leat_index_find(&b->names_ix, hash, name_eq, b->names, &key);
	int err;

	if (id == LEAT_INDEX_NONE) {
		id = (uint32_t)b->names_ix.n;
		err = add_name(b, &key, hash);
		if (err)
			return err;
	}
	*frame = b->names[id].frame;
	return 0;
}

/* ---- stacks and samples ---- */

int leat_build_push(struct leat_build *b, uint32_t frame)
{
	int err;

	if (b->depth == LEAT_IMPORT_MAX_DEPTH) {
		b->cut_deep++;
		return 0;
	}
	err = LEAT_ARRAY_ROOM(b->ids, b->ids_cap, b->depth + 1, LEAT_IMPORT_MAX_DEPTH);
	if (err)
		return err;
	b->ids[b->depth++] = frame;
	return 0;
}

static const struct leat_function *function_of(const struct leat_build *b, uint32_t frame)
{
	return &b->p->functions[b->p->frames[frame].function];
}

static bool is_kernel(const struct leat_build *b, uint32_t frame)
{
	return b->p->frames[frame].flags & LEAT_FRAME_KERNEL;
}

/* The result that a mark stands for; LEAT_STACK_NONE: none. */
static uint8_t mark_result(const struct leat_build *b, uint32_t frame)
{
	const struct leat_function *f = function_of(b, frame);
	const char *name = leat_profile_str(b->p, f->name);

	if (f->kind != LEAT_FUNCTION_MARK)
		return LEAT_STACK_NONE;
	for (unsigned int i = 0; i < LEAT_STACK__MAX; i++) {
		const char *mark = leat_stack_mark(i);

		if (mark && strcmp(mark, name) == 0)
			return (uint8_t)i;
	}
	return LEAT_STACK_NONE;
}

static bool is_nothing(const struct leat_build *b, uint32_t frame)
{
	const struct leat_function *f = function_of(b, frame);

	return f->kind == LEAT_FUNCTION_MARK && f->unnamed == LEAT_UNNAMED_UNMAPPED;
}

/* A mark between the kernel part and the user part tells how the former ended. */
static void take_kernel_mark(struct leat_build *b, struct leat_stack *s, size_t *n)
{
	size_t k = s->kframe_cnt;
	uint8_t result;

	if (!k || k >= *n)
		return;
	result = mark_result(b, b->ids[k]);
	if (result != LEAT_STACK_TRUNCATED && result != LEAT_STACK_BAD_MEMORY)
		return;
	s->kresult = result;
	memmove(b->ids + k, b->ids + k + 1, (*n - k - 1) * sizeof(*b->ids));
	(*n)--;
}

int leat_build_stack(struct leat_build *b, uint8_t uresult, uint32_t *stack)
{
	struct leat_stack s = { .uresult = uresult };
	size_t n = b->depth;

	if (n && mark_result(b, b->ids[n - 1]) != LEAT_STACK_NONE) {
		s.uresult = mark_result(b, b->ids[n - 1]);
		n--;
	} else if (n == 1 && is_nothing(b, b->ids[0])) {
		n = 0;
	}
	while (s.kframe_cnt < n && is_kernel(b, b->ids[s.kframe_cnt]))
		s.kframe_cnt++;
	take_kernel_mark(b, &s, &n);
	s.uframe_cnt = (uint16_t)(n - s.kframe_cnt);
	return leat_profile_stack(b->p, &s, b->ids, stack);
}

static bool who_eq(const void *ctx, uint32_t value, const void *key)
{
	const struct leat_build_who *have = &((const struct leat_build_who *)ctx)[value];
	const struct leat_build_who *want = key;

	return have->comm == want->comm && have->pid == want->pid && have->pair == want->pair;
}

static int add_who(struct leat_build *b, struct leat_build_who *w, uint64_t hash)
{
	struct leat_process proc = {
		.tgid = w->pid,
		.ns_tgid = w->pid,
		.comm = w->comm,
		.exe = LEAT_ID_NONE,
		.to_ns = UINT64_MAX,
	};
	uint32_t id = (uint32_t)b->who_ix.n;
	int err = LEAT_ARRAY_ROOM(b->who, b->who_cap, (size_t)id + 1, LEAT_PROFILE_MAX_PROCESSES);

	if (!err)
		err = leat_profile_process(b->p, &proc, &w->process);
	if (!err)
		err = leat_index_add(&b->who_ix, hash, id);
	if (!err)
		b->who[id] = *w;
	return err;
}

int leat_build_who(struct leat_build *b, const char *comm, size_t n, uint32_t pid, uint32_t tid,
		   bool pair, uint32_t *process, uint32_t *thread)
{
	struct leat_build_who w = { .pid = pid, .pair = pair };
	uint64_t hash;
	uint32_t id;
	int err = leat_profile_string(b->p, comm, n, &w.comm);

	if (err)
		return err;
	hash = leat_hash_u64((uint64_t)w.comm << 32 | pid) + pair;
	id = leat_index_find(&b->who_ix, hash, who_eq, b->who, &w);
	if (id == LEAT_INDEX_NONE) {
		err = add_who(b, &w, hash);
		if (err)
			return err;
	} else {
		w = b->who[id];
	}
	*process = w.process;
	*thread = LEAT_ID_NONE;
	return pair ? leat_profile_thread(b->p, w.process, tid, thread) : 0;
}

int leat_build_event(struct leat_build *b, const char *s, size_t n, uint32_t *event)
{
	struct leat_build_event e = { .samples = 0 };
	int err = leat_profile_string(b->p, n ? s : "", n, &e.name);

	if (err)
		return err;
	for (uint32_t i = 0; i < b->event_cnt; i++) {
		if (b->events[i].name == e.name) {
			*event = i;
			return 0;
		}
	}
	if (b->event_cnt == LEAT_IMPORT_MAX_EVENTS) {
		*event = LEAT_ID_NONE;
		return 0;
	}
	err = LEAT_ARRAY_ROOM(b->events, b->event_cap, b->event_cnt + 1, LEAT_IMPORT_MAX_EVENTS);
	if (err)
		return err;
	*event = (uint32_t)b->event_cnt;
	b->events[b->event_cnt++] = e;
	return 0;
}

int leat_build_sample(struct leat_build *b, const struct leat_sample *s)
{
	uint64_t total;

	if (__builtin_add_overflow(b->total, s->value, &total) || total > LEAT_IMPORT_MAX_TOTAL)
		return -EOVERFLOW;
	b->total = total;
	b->events[s->kind].samples++;
	b->events[s->kind].total += s->value;
	return leat_profile_sample(b->p, s);
}
