/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A profile for the examples: a source whose events have the names and the fields that a session
 * looks for, one process "app" with one mapped file, three samples of two stacks.
 */
#ifndef LEAT_EXAMPLE_DEMO_H
#define LEAT_EXAMPLE_DEMO_H

#include <leat/session.h>

#include <stddef.h>
#include <string.h>

#include "example.h"

enum { DEMO_PROCESS = 500, DEMO_MMAP, DEMO_SAMPLE };

struct demo_process {
	uint64_t start_ns;
	char comm[16];
};

struct demo_mmap {
	uint64_t start, end, pgoff;
	char path[16];
};

struct demo_sample {
	uint64_t stack_hash, count;
	uint16_t kframe_cnt, uframe_cnt;
	uint8_t uresult; /* 1: complete */
	uint64_t frames[2];
};

#define DEMO_FIELD(s, m, t)                                                                        \
	{                                                                                          \
		.name = #m, .type = (t), .offset = offsetof(struct s, m),                          \
		.size = sizeof(((struct s *)0)->m), .elem_size = sizeof(((struct s *)0)->m)        \
	}
#define DEMO_TEXT(s, m)                                                                            \
	{                                                                                          \
		.name = #m, .type = LEAT_TYPE_CHAR, .offset = offsetof(struct s, m), .size = 16,   \
		.elem_size = 1                                                                     \
	}

static inline void demo_event(struct leat_bus *bus, uint16_t id, const char *name,
			      const struct leat_field *fields, size_t n)
{
	struct leat_format *format = NULL;

	CHECK(leat_format_new(&format, name) == 0);
	for (size_t i = 0; i < n; i++)
		CHECK(leat_format_add(format, &fields[i]) == 0);
	CHECK(leat_bus_add_event(bus, id, name, format, NULL) == 0);
}

static inline int demo_open(void *self, struct leat_bus *bus)
{
	static const struct leat_field process[] = {
		DEMO_FIELD(demo_process, start_ns, LEAT_TYPE_UINT),
		DEMO_TEXT(demo_process, comm),
	};
	static const struct leat_field map[] = {
		DEMO_FIELD(demo_mmap, start, LEAT_TYPE_UINT),
		DEMO_FIELD(demo_mmap, end, LEAT_TYPE_UINT),
		DEMO_FIELD(demo_mmap, pgoff, LEAT_TYPE_UINT),
		DEMO_TEXT(demo_mmap, path),
	};
	static const struct leat_field sample[] = {
		DEMO_FIELD(demo_sample, stack_hash, LEAT_TYPE_UINT),
		DEMO_FIELD(demo_sample, count, LEAT_TYPE_UINT),
		DEMO_FIELD(demo_sample, kframe_cnt, LEAT_TYPE_UINT),
		DEMO_FIELD(demo_sample, uframe_cnt, LEAT_TYPE_UINT),
		DEMO_FIELD(demo_sample, uresult, LEAT_TYPE_UINT),
		{ .name = "frames",
		  .type = LEAT_TYPE_UINT,
		  .offset = offsetof(struct demo_sample, frames),
		  .size = 16,
		  .elem_size = 8 },
	};

	(void)self;
	demo_event(bus, DEMO_PROCESS, "env/process", process, 2);
	demo_event(bus, DEMO_MMAP, "env/mmap", map, 4);
	demo_event(bus, DEMO_SAMPLE, "leat/sample", sample, 6);
	return 0;
}

static inline int demo_nothing(void *self)
{
	(void)self;
	return 0;
}

static inline void demo_close(void *self)
{
	(void)self;
}

static inline int demo_poll(void *self, struct leat_bus *bus, uint64_t until_ns, bool *more)
{
	static const struct demo_process app = { 100, "app" };
	static const struct demo_mmap text = { 0x400000, 0x500000, 0, "/opt/app" };
	static const struct demo_sample samples[] = {
		{ 1, 2, 0, 2, 1, { 0x401010, 0x402020 } },
		{ 2, 1, 0, 1, 1, { 0x402008, 0 } },
	};
	struct leat_record records[] = {
		{ &app, sizeof(app), DEMO_PROCESS, 0, 42, 42, 200 },
		{ &text, sizeof(text), DEMO_MMAP, 0, 42, 42, 300 },
		{ &samples[0], sizeof(samples[0]), DEMO_SAMPLE, 0, 42, 42, 400 },
		{ &samples[1], sizeof(samples[1]), DEMO_SAMPLE, 0, 42, 42, 500 },
	};
	int *next = (int *)self, n = 0;

	for (; *next < 4 && records[*next].ts_ns <= until_ns; ++*next, n++)
		leat_bus_dispatch(bus, &records[*next]);
	*more = false;
	return n;
}

/* The profile; with @attributes, if it has operations. */
static inline struct leat_profile *demo_profile(struct leat_attribute_source attributes)
{
	static const struct leat_source_ops ops = {
		.name = "demo",
		.open = demo_open,
		.start = demo_nothing,
		.poll = demo_poll,
		.stop = demo_nothing,
		.close = demo_close,
	};
	struct leat_session_builder *b = leat_session_builder_new();
	struct leat_profile *p;
	struct leat_session *s = NULL;
	int next = 0;

	leat_session_with_source(b, (struct leat_source){ &ops, &next });
	if (attributes.ops)
		leat_session_with_attributes(b, attributes);
	CHECK(leat_session_build(b, &s) == 0);
	CHECK(leat_session_start(s) == 0);
	CHECK(leat_session_finish(s) == 0);
	p = leat_session_take_profile(s);
	CHECK(p && leat_profile_total(p) == 3);
	leat_session_free(&s);
	leat_session_builder_free(&b);
	return p;
}

/* The id of the object of a path. */
static inline uint32_t demo_object(const struct leat_profile *p, const char *path)
{
	struct leat_object_info o;

	for (size_t i = 0; leat_profile_object_at(p, i, &o) == 0; i++) {
		if (strcmp(o.path, path) == 0)
			return (uint32_t)i;
	}
	CHECK(!"the object is there");
	return LEAT_NONE;
}

#endif
