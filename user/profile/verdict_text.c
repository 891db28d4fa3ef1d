/* SPDX-License-Identifier: BSD-2-Clause */
/* The verdict in words and as JSON. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "profile/verdict.h"

#define NS_PER_S 1000000000.0

void leat_verdict_number(struct leat_buf *out, uint64_t v)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)v);

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			leat_buf_char(out, ',');
		leat_buf_char(out, digits[i]);
	}
}

/* One digit behind the point, and never 100.0 for what is not all. */
static void put_percent(struct leat_buf *out, double percent)
{
	if (percent < 100 && percent > 99.9)
		percent = 99.9;
	if (percent >= 100)
		leat_buf_str(out, "100 %");
	else if (percent > 0 && percent < 0.05)
		leat_buf_str(out, "under 0.1 %");
	else
		leat_buf_printf(out, "%.1f %%", percent);
}

static void put_lost_share(const struct leat_verdict *v, struct leat_buf *out)
{
	uint64_t lost = leat_verdict_lost(v);

	leat_verdict_number(out, lost);
	leat_buf_str(out, " lost");
	if (lost) {
		leat_buf_str(out, " (");
		put_percent(out, leat_verdict_lost_percent(v));
		leat_buf_char(out, ')');
	}
}

void leat_verdict_line(const struct leat_verdict *v, struct leat_buf *out)
{
	leat_buf_str(out, leat_trust_name(leat_verdict_trust(v)));
	leat_buf_str(out, ": ");
	leat_verdict_number(out, v->taken);
	leat_buf_str(out, v->taken == 1 ? " sample, " : " samples, ");
	if (v->imported == LEAT_IMPORTED)
		leat_buf_str(out, "imported: what was lost is not known, ");
	if (v->imported != LEAT_IMPORTED || leat_verdict_lost(v)) {
		put_lost_share(v, out);
		leat_buf_str(out, ", ");
	}
	if (v->cut_off)
		leat_buf_printf(out, "cut off after %.1f s, ", (double)v->duration_ns / NS_PER_S);
	if (!v->imported) {
		put_percent(out, leat_verdict_complete_percent(v));
		leat_buf_str(out, " of user stacks complete, ");
	}
	put_percent(out, leat_verdict_named_percent(v));
	leat_buf_str(out, " of frames named");
}

/* "title: 12 this, 3 that": the title comes with the first that is not zero. */
struct line {
	struct leat_buf *out;
	const char *title;
	bool open;
};

static void put_item(struct line *l, uint64_t n, const char *what)
{
	if (!n)
		return;
	leat_buf_str(l->out, l->open ? ", " : l->title);
	leat_verdict_number(l->out, n);
	leat_buf_char(l->out, ' ');
	leat_buf_str(l->out, what);
	l->open = true;
}

static void end_line(struct line *l)
{
	if (l->open)
		leat_buf_char(l->out, '\n');
	l->open = false;
}

static const char *const unknown_texts[LEAT_UNKNOWN__MAX] = {
	[LEAT_UNKNOWN_CPUS] = "the kernel does not tell how long the target ran on these CPUs",
	[LEAT_UNKNOWN_KINDS] =
		"the kernel does not tell how long what is in all kinds of target ran",
	[LEAT_UNKNOWN_IDLE] = "an idle CPU may be parked, and gives fewer samples then",
	[LEAT_UNKNOWN_MANY] = "the target has more processes than leat follows",
	[LEAT_UNKNOWN_EVENT] = "the kernel only aims at the frequency of this event",
};

static void put_lost(const struct leat_verdict *v, struct leat_buf *out)
{
	struct line l = { .out = out, .title = "lost: " };

	for (unsigned int i = 0; i < LEAT_STAT__MAX; i++) {
		if (leat_stat_class_of(i) == LEAT_STAT_CLASS_LOST)
			put_item(&l, v->kernel[i], leat_stat_help(i));
	}
	put_item(&l, v->kernel_skipped,
		 "skipped by the kernel, which runs one tracing program at a time on a CPU");
	put_item(&l, v->lost_user, "delivered and not kept");
	end_line(&l);
	if (v->wanted_unknown && v->wanted_unknown < LEAT_UNKNOWN__MAX)
		leat_buf_printf(
			out, "wanted unknown: %s; samples that the kernel skipped would not show\n",
			unknown_texts[v->wanted_unknown]);
}

static void put_cut(const struct leat_verdict *v, struct leat_buf *out)
{
	struct line l = { .out = out, .title = "cut off, and not in it: " };

	put_item(&l, v->cut_samples, "samples that the kernel had counted");
	put_item(&l, v->cut_bytes, "bytes of a chunk that is not whole");
	end_line(&l);
}

/* User stacks that the kernel side walked to an end by itself. */
static uint64_t by_tables(const struct leat_verdict *v)
{
	uint64_t all = 0, other = v->kernel[LEAT_STAT_RAW] + v->stacks[LEAT_STACK_COMPAT] +
				  v->kernel[LEAT_STAT_N_RAW_UNSENT];

	for (unsigned int i = LEAT_STACK_NONE + 1; i < LEAT_STACK__MAX; i++)
		all += v->stacks[i];
	return all > other ? all - other : 0;
}

static void put_stacks(const struct leat_verdict *v, struct leat_buf *out)
{
	struct line l = { .out = out, .title = "user stacks: " };

	for (unsigned int i = LEAT_STACK_TRUNCATED; i < LEAT_STACK__MAX; i++)
		put_item(&l, v->stacks[i], leat_stack_result_name(i));
	end_line(&l);
	l.title = "unwound by tables: ";
	if (v->kernel[LEAT_STAT_N_TABLE_FRAMES] || v->kernel[LEAT_STAT_RAW]) {
		put_item(&l, by_tables(v), "in the kernel");
		put_item(&l, v->kernel[LEAT_STAT_RAW], "in user space, before a table was ready");
	}
	end_line(&l);
	l.title = "kernel stacks: ";
	put_item(&l, v->kstack_truncated, "truncated");
	put_item(&l, v->kstack_bad, "bad memory");
	end_line(&l);
	l.title = "return addresses: ";
	if (v->ret_bad || v->ret_not_judged)
		put_item(&l, v->ret_checked, "checked");
	put_item(&l, v->ret_bad, "without a call before them");
	put_item(&l, v->ret_not_judged, "not judged");
	end_line(&l);
}

static void put_memory(const struct leat_verdict *v, struct leat_buf *out)
{
	const uint64_t n = v->no_table[LEAT_NO_TABLE_MEMORY];

	if (!v->tables_evicted || !v->tables_need_bytes)
		return;
	leat_buf_str(out, "unwind memory is full: ");
	if (n) {
		leat_verdict_number(out, n);
		leat_buf_str(out, n == 1 ? " binary" : " binaries");
		leat_buf_str(out, " had to do without a table at times, ");
	}
	leat_buf_printf(out, "--unwind-memory %lluM would hold all tables\n",
			(unsigned long long)leat_verdict_tables_mb(v));
}

static void put_tables(const struct leat_verdict *v, struct leat_buf *out)
{
	struct line l = { .out = out, .title = "unwind tables: " };

	put_item(&l, v->tables_built, "built");
	put_item(&l, v->tables_cached, "from the cache");
	put_item(&l, v->tables_evicted, "went for want of memory");
	put_item(&l, v->tables_refused, "mappings did not fit");
	put_item(&l, v->cache_damaged, "cached ones could not be used");
	put_item(&l, v->cache_unwritten, "could not be cached");
	end_line(&l);
	put_memory(v, out);
	l.title = "binaries without a whole unwind table: ";
	for (unsigned int i = LEAT_NO_TABLE_NONE + 1; i < LEAT_NO_TABLE__MAX; i++)
		put_item(&l, v->no_table[i], leat_no_table_name(i));
	end_line(&l);
}

static void put_names(const struct leat_verdict *v, struct leat_buf *out)
{
	struct line l = { .out = out, .title = "frames without a name: " };

	for (unsigned int i = LEAT_UNNAMED_NONE + 1; i < LEAT_UNNAMED__MAX; i++)
		put_item(&l, v->frames_unnamed[i], leat_unnamed_name(i));
	end_line(&l);
	l.title = "files: ";
	put_item(&l, v->objects_unreadable, "could not be read");
	end_line(&l);
	if (v->kptr_restricted)
		leat_buf_str(out, "kernel symbols are hidden (kernel.kptr_restrict)\n");
}

static void put_environment(const struct leat_verdict *v, struct leat_buf *out)
{
	struct line l = { .out = out, .title = "environment: " };

	put_item(&l, v->env_lost, "records of processes and mappings lost");
	put_item(&l, v->processes_unreadable, "processes whose mappings could not be read");
	put_item(&l, v->unknown_process, "samples of processes that were never announced");
	put_item(&l, v->malformed, "records malformed");
	put_item(&l, v->callback_errors, "errors while records were handled");
	end_line(&l);
}

static void put_import(const struct leat_verdict *v, struct leat_buf *out)
{
	struct line l = { .out = out, .title = "import: " };

	put_item(&l, v->import_unknown, "samples hold a frame without a name");
	put_item(&l, v->import_unread, "lines were not understood");
	put_item(&l, v->import_other, "samples of other events were left out");
	put_item(&l, v->import_deep, "frames were deeper than leat takes");
	put_item(&l, v->import_labels, "labels were more than leat takes");
	end_line(&l);
	if (v->import_cut)
		leat_buf_str(out, "import: the file ends in the middle of an entry\n");
}

static void put_cost(const struct leat_verdict *v, struct leat_buf *out)
{
	if (!v->self_cpu_ns && !v->bpf_ns && !v->rss_bytes)
		return;
	leat_buf_printf(out, "cost of leat: %.2f s of CPU", (double)v->self_cpu_ns / NS_PER_S);
	if (v->duration_ns) {
		leat_buf_str(out, " (");
		put_percent(out, 100.0 * (double)v->self_cpu_ns / (double)v->duration_ns);
		leat_buf_str(out, " of one)");
	}
	leat_buf_printf(out, ", %.3f s in BPF", (double)v->bpf_ns / NS_PER_S);
	if (v->rss_bytes)
		leat_buf_printf(out, ", %.1f MB of memory", (double)v->rss_bytes / 1e6);
	if (v->map_bytes)
		leat_buf_printf(out, ", %.1f MB in BPF maps", (double)v->map_bytes / 1e6);
	leat_buf_char(out, '\n');
}

void leat_verdict_text(const struct leat_verdict *v, struct leat_buf *out)
{
	leat_verdict_line(v, out);
	leat_buf_char(out, '\n');
	put_lost(v, out);
	put_cut(v, out);
	put_stacks(v, out);
	put_tables(v, out);
	put_names(v, out);
	put_environment(v, out);
	put_import(v, out);
	put_cost(v, out);
}

/* ---- JSON ---- */

static void put_key(struct leat_buf *out, const char *key)
{
	leat_buf_char(out, '"');
	leat_buf_str(out, key);
	leat_buf_str(out, "\":");
}

static void put_u64(struct leat_buf *out, const char *key, uint64_t v)
{
	put_key(out, key);
	leat_buf_u64(out, v);
	leat_buf_char(out, ',');
}

static void put_double(struct leat_buf *out, const char *key, double v)
{
	put_key(out, key);
	leat_buf_printf(out, "%.3f,", v);
}

/* Ends an object whose last member left a comma. */
static void close_object(struct leat_buf *out, const char *then)
{
	if (!out->err && out->len && out->data[out->len - 1] == ',')
		out->len--;
	leat_buf_char(out, '}');
	leat_buf_str(out, then);
}

static void put_groups(const struct leat_verdict *v, struct leat_buf *out)
{
	leat_buf_str(out, "\"kernel\":{");
	for (unsigned int i = 0; i < LEAT_STAT__MAX; i++)
		put_u64(out, leat_stat_name(i), v->kernel[i]);
	close_object(out, ",\"stacks\":{");
	for (unsigned int i = 0; i < LEAT_STACK__MAX; i++)
		put_u64(out, leat_stack_result_key(i), v->stacks[i]);
	close_object(out, ",\"frames_unnamed\":{");
	for (unsigned int i = LEAT_UNNAMED_NONE + 1; i < LEAT_UNNAMED__MAX; i++)
		put_u64(out, leat_unnamed_key(i), v->frames_unnamed[i]);
	close_object(out, ",\"no_table\":{");
	for (unsigned int i = LEAT_NO_TABLE_NONE + 1; i < LEAT_NO_TABLE__MAX; i++)
		put_u64(out, leat_no_table_key(i), v->no_table[i]);
	close_object(out, ",");
}

#define COUNTERS(X)                                                                                \
	X(wanted)                                                                                  \
	X(wanted_unknown)                                                                          \
	X(taken)                                                                                   \
	X(kernel_skipped)                                                                          \
	X(lost_user)                                                                               \
	X(unknown_process)                                                                         \
	X(env_lost)                                                                                \
	X(malformed)                                                                               \
	X(callback_errors)                                                                         \
	X(kstack_truncated)                                                                        \
	X(kstack_bad)                                                                              \
	X(ret_checked)                                                                             \
	X(ret_bad)                                                                                 \
	X(ret_not_judged)                                                                          \
	X(frames)                                                                                  \
	X(user_frames)                                                                             \
	X(user_unnamed)                                                                            \
	X(objects)                                                                                 \
	X(objects_unreadable)                                                                      \
	X(processes_unreadable)                                                                    \
	X(kptr_restricted)                                                                         \
	X(tables_built)                                                                            \
	X(tables_cached)                                                                           \
	X(tables_evicted)                                                                          \
	X(tables_need_bytes)                                                                       \
	X(tables_refused)                                                                          \
	X(cache_damaged)                                                                           \
	X(cache_unwritten)                                                                         \
	X(bpf_ns)                                                                                  \
	X(self_cpu_ns)                                                                             \
	X(target_cpu_ns)                                                                           \
	X(duration_ns)                                                                             \
	X(rss_bytes)                                                                               \
	X(map_bytes)                                                                               \
	X(freq_hz)                                                                                 \
	X(period)                                                                                  \
	X(imported)                                                                                \
	X(import_unknown)                                                                          \
	X(import_unread)                                                                           \
	X(import_other)                                                                            \
	X(import_deep)                                                                             \
	X(import_labels)                                                                           \
	X(import_cut)                                                                              \
	X(cut_off)                                                                                 \
	X(cut_samples)                                                                             \
	X(cut_bytes)

void leat_verdict_json(const struct leat_verdict *v, struct leat_buf *out)
{
	leat_buf_char(out, '{');
	put_key(out, "trust");
	leat_text_json(out, leat_trust_name(leat_verdict_trust(v)),
		       strlen(leat_trust_name(leat_verdict_trust(v))));
	leat_buf_char(out, ',');
	put_u64(out, "lost", leat_verdict_lost(v));
	put_double(out, "lost_percent", leat_verdict_lost_percent(v));
	put_double(out, "complete_percent", leat_verdict_complete_percent(v));
	put_double(out, "usable_percent", leat_verdict_usable_percent(v));
	put_double(out, "named_percent", leat_verdict_named_percent(v));
	put_groups(v, out);
#define PUT(member) put_u64(out, #member, v->member);
	COUNTERS(PUT)
#undef PUT
	close_object(out, "");
}
