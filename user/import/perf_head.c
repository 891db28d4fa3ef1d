/* SPDX-License-Identifier: BSD-2-Clause */
#include "import/perf_head.h"

#include <string.h>

#include "profile/profile.h"

#define MAX_COMM_WORDS 32 /* a comm has 15 bytes */
#define NS_DIGITS      9

struct words {
	const char *at, *end;
};

struct word {
	const char *s;
	size_t n;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool next_word(struct words *w, struct word *out)
{
	while (w->at < w->end && is_blank(*w->at))
		w->at++;
	out->s = w->at;
	while (w->at < w->end && !is_blank(*w->at))
		w->at++;
	out->n = (size_t)(w->at - out->s);
	return out->n != 0;
}

/* Decimal digits from *@i on; false: none, or more than 64 bits. */
static bool number(const struct word *w, size_t *i, uint64_t *out)
{
	uint64_t v = 0;
	size_t from = *i;

	for (; *i < w->n && is_digit(w->s[*i]); ++*i) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(w->s[*i] - '0'), &v))
			return false;
	}
	*out = v;
	return *i > from;
}

/* "123", "123/456"; the kernel's swapper and foreign threads may be -1. */
static bool parse_pid(const struct word *w, struct leat_perf_head *h)
{
	uint64_t pid, tid;
	size_t i = 0;

	if (w->n == 2 && memcmp(w->s, "-1", 2) == 0) {
		h->pid = h->tid = 0;
		h->pair = false;
		return true;
	}
	if (!number(w, &i, &pid) || pid > UINT32_MAX)
		return false;
	h->pid = h->tid = (uint32_t)pid;
	h->pair = false;
	if (i == w->n)
		return true;
	if (w->s[i++] != '/')
		return false;
	if (w->n - i == 2 && memcmp(w->s + i, "-1", 2) == 0)
		return true;
	if (!number(w, &i, &tid) || tid > UINT32_MAX || i != w->n)
		return false;
	h->tid = (uint32_t)tid;
	h->pair = true;
	return true;
}

/* "[003]" */
static bool parse_cpu(const struct word *w, uint16_t *cpu)
{
	uint64_t v;
	size_t i = 1;

	if (w->n < 3 || w->s[0] != '[' || w->s[w->n - 1] != ']' || !number(w, &i, &v) ||
	    i != w->n - 1)
		return false;
	*cpu = v < UINT16_MAX ? (uint16_t)v : UINT16_MAX;
	return true;
}

/* "4794564.109216:", with six digits behind the point or, after --ns, nine. */
static bool parse_time(const struct word *w, uint64_t *ns)
{
	uint64_t s, part;
	size_t i = 0, from;

	if (!number(w, &i, &s) || i >= w->n || w->s[i] != '.')
		return false;
	from = ++i;
	if (!number(w, &i, &part) || i - from > NS_DIGITS || i + 1 != w->n || w->s[i] != ':')
		return false;
	for (size_t k = i - from; k < NS_DIGITS; k++)
		part *= 10;
	return !__builtin_mul_overflow(s, (uint64_t)1000000000, ns) &&
	       !__builtin_add_overflow(*ns, part, ns);
}

/* "10101010 cpu-clock:", "cycles:u:", "sched:sched_switch: prev_comm=..." */
static void parse_event(struct words w, struct leat_perf_head *h)
{
	struct words before = w;
	struct word word;
	size_t i = 0;
	uint64_t v;

	h->period = 0;
	h->event = h->rest = w.end;
	h->event_n = h->rest_n = 0;
	if (!next_word(&w, &word))
		return;
	if (number(&word, &i, &v) && i == word.n) {
		h->period = v;
		before = w;
		if (!next_word(&w, &word))
			return;
	}
	if (word.s[word.n - 1] == ':' || (word.n > 12 && memcmp(word.s, "PERF_RECORD_", 12) == 0)) {
		h->event = word.s;
		h->event_n = word.n - (word.s[word.n - 1] == ':');
		before = w;
	}
	while (before.at < before.end && is_blank(*before.at))
		before.at++;
	h->rest = before.at;
	h->rest_n = (size_t)(before.end - before.at);
}

/* What may stand behind a pid. False: that was no pid. */
static bool parse_after_pid(struct words w, struct leat_perf_head *h)
{
	struct words before = w;
	struct word word;

	h->cpu = UINT16_MAX;
	h->has_time = false;
	h->ts_ns = 0;
	h->sure = false;
	if (next_word(&w, &word) && parse_cpu(&word, &h->cpu)) {
		h->sure = true;
		before = w;
		if (!next_word(&w, &word))
			word.n = 0;
	}
	/* Between CPU and time there may be flags of the tracer: "d.h..". */
	if (word.n && (parse_time(&word, &h->ts_ns) ||
		       (next_word(&w, &word) && parse_time(&word, &h->ts_ns)))) {
		before = w;
		h->sure = h->has_time = true;
	}
	parse_event(before, h);
	return h->sure || h->event_n || !h->rest_n;
}

/* How much speaks for a pid: 3 a time behind it, 2 a CPU, 1 neither; 0 it is none. */
static int weigh(const struct word *word, struct words after, size_t nth, struct leat_perf_head *h)
{
	if (!parse_pid(word, h) || !parse_after_pid(after, h))
		return 0;
	return h->has_time ? 3 : h->sure ? 2 : nth ? 1 : 0;
}

bool leat_perf_head_parse(const char *p, size_t n, struct leat_perf_head *out)
{
	struct words w = { .at = p, .end = p + n };
	struct word word;
	int best = 0;

	for (size_t i = 0; best < 3 && i < MAX_COMM_WORDS && next_word(&w, &word); i++) {
		struct leat_perf_head h = { .comm = p };
		const char *end = word.s;
		int weight = weigh(&word, w, i, &h);

		if (weight <= best)
			continue;
		while (h.comm < end && is_blank(*h.comm))
			h.comm++;
		while (end > h.comm && is_blank(end[-1]))
			end--;
		h.comm_n = (size_t)(end - h.comm);
		best = weight;
		*out = h;
	}
	return best != 0;
}
