/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever names a profile holds, every format keeps its form. The input is stacks: names,
 * outermost first, separated by 0xfe; stacks by 0xff. The first name of a stack is the process's.
 */
#include <assert.h>
#include <string.h>

#include "export/export.h"

#define MAX_FRAMES 64
#define MAX_STACKS 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t string(struct leat_profile *p, const uint8_t *s, size_t n)
{
	uint32_t id = 0;

	assert(!leat_profile_string(p, (const char *)s, n, &id));
	return id;
}

static uint32_t frame(struct leat_profile *p, uint32_t object, const uint8_t *s, size_t n)
{
	struct leat_function f = { .name = string(p, s, n), .raw = LEAT_ID_NONE, .object = object };
	uint32_t id = 0, function = 0;

	f.kind = n % (LEAT_FUNCTION_INLINED + 1);
	f.file = n % 5 ? LEAT_ID_NONE : f.name;
	f.line = (uint32_t)n;
	assert(!leat_profile_function(p, &f, &function));
	assert(!leat_profile_frame(p, object, (uint64_t)f.name << 8 | n, 0, &id));
	p->frames[id].function = function;
	return id;
}

static void stack(struct leat_profile *p, const uint8_t *s, size_t n)
{
	struct leat_stack st = { .uresult = n % LEAT_STACK__MAX };
	struct leat_object o = { .kind = LEAT_OBJECT_FILE };
	struct leat_process proc = { .exe = LEAT_ID_NONE };
	struct leat_sample sample = { .thread = LEAT_ID_NONE,
				      .cpu = UINT16_MAX,
				      .value = 1 + n % 7 };
	uint32_t ids[MAX_FRAMES], object = 0;
	const uint8_t *end = s + n, *next = memchr(s, 0xfe, n);

	o.path = proc.comm = string(p, s, next ? (size_t)(next - s) : n);
	assert(!leat_profile_object(p, &o, &object));
	assert(!leat_profile_process(p, &proc, &sample.process));
	for (; next && st.uframe_cnt < MAX_FRAMES; s = next) {
		s = next + 1;
		next = memchr(s, 0xfe, (size_t)(end - s));
		ids[st.uframe_cnt++] = frame(p, object, s, (size_t)((next ? next : end) - s));
	}
	assert(!leat_profile_stack(p, &st, ids, &sample.stack));
	assert(!leat_profile_sample(p, &sample));
}

static size_t count(const struct leat_buf *b, const char *needle)
{
	size_t n = 0;

	for (const char *s = b->data; (s = strstr(s, needle)); s++)
		n++;
	return n;
}

/* One line is one of the format's own: names make none. Also the sum of what folded lines count. */
static void check_lines(const struct leat_buf *b, const char *format)
{
	for (char *line = b->data, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		assert(next && next >= line);
		if (strcmp(format, "folded") == 0)
			assert(next[-1] >= '0' && next[-1] <= '9');
		else if (next > line)
			assert(next[-1] == ')' || next[-1] == ':');
		next++;
	}
}

static void check(struct leat_profile *p, const struct leat_exporter *e)
{
	struct leat_export_opts o = { .tree.by_process = true, .min_width_percent = -1 };
	struct leat_buf b;

	leat_buf_init(&b, (size_t)64 << 20);
	assert(!e->write(p, &o, &b));
	for (size_t i = 0; !e->binary && i < b.len; i++)
		assert((unsigned char)b.data[i] >= 0x20 || b.data[i] == '\n' || b.data[i] == '\t');
	if (strcmp(e->format, "html") == 0) {
		assert(count(&b, "<script") == 2 && count(&b, "</script") == 2);
		assert(count(&b, "<!--") == 0 && count(&b, "<img") == 0);
	} else if (strcmp(e->format, "svg") == 0) {
		assert(count(&b, "<g class=\"f\">") == count(&b, "</g>"));
		assert(count(&b, "<script") == 1 && count(&b, "]]>") == 1);
	} else if (strcmp(e->format, "folded") == 0 || strcmp(e->format, "script") == 0) {
		check_lines(&b, e->format);
	}
	leat_buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size;
	struct leat_profile *p = NULL;
	int stacks = 0;

	assert(!leat_profile_new(&p));
	while (data < end && stacks++ < MAX_STACKS) {
		const uint8_t *next = memchr(data, 0xff, (size_t)(end - data));

		stack(p, data, (size_t)((next ? next : end) - data));
		data = next ? next + 1 : end;
	}
	for (size_t i = 0; leat_exporter_at(i); i++) {
		if (leat_exporter_at(i)->write)
			check(p, leat_exporter_at(i));
	}
	leat_profile_free(&p);
	return 0;
}
