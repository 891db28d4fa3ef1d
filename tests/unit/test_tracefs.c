/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../support/alloc.h"
#include "event/format.h"
#include "event/tracefs.h"

#define HEAD                                                                                       \
	"name: %s\nID: 372\nformat:\n"                                                             \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"                     \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"                     \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"             \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

static const char sched_switch[] =
	"name: sched_switch\nID: 372\nformat:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
	"\n"
	"\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
	"\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
	"\tfield:int prev_prio;\toffset:28;\tsize:4;\tsigned:1;\n"
	"\tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;\n"
	"\n"
	"print fmt: \"prev_comm=%s prev_state=%s\", REC->prev_comm, (REC->prev_state & ((0x1 | 0x2) + 1)) ? "
	"__print_flags(REC->prev_state & 0xff, \"|\", { 0x00000001, \"S\" }) : \"R\"\n";

/* A format with one more field, or with a table behind its text. */
static struct leat_format *parse(const char *field, const char *print, int *err)
{
	struct leat_format *f = NULL;
	char text[4096];
	int n = snprintf(text, sizeof(text), HEAD "%s%s\nprint fmt: \"x\"%s\n", "event", field,
			 *field ? "\n" : "", print);

	*err = leat_tracefs_parse(text, (size_t)n, &f, NULL);
	return f;
}

Test(tracefs, a_real_format)
{
	struct leat_format *f = NULL;
	const struct leat_field *field;
	uint32_t id = 0;

	cr_assert(zero(int, leat_tracefs_parse(sched_switch, sizeof(sched_switch) - 1, &f, &id)));
	cr_assert(eq(u32, id, 372));
	cr_assert(eq(str, (char *)leat_format_name(f), (char *)"sched_switch"));
	cr_assert(eq(sz, leat_format_field_cnt(f), 8));
	field = leat_format_field_at(f, 0);
	cr_assert(eq(str, (char *)field->name, (char *)"common_type"));
	cr_assert(eq(int, field->type, LEAT_TYPE_UINT));
	field = leat_format_field_at(f, 4);
	cr_assert(eq(str, (char *)field->type_name, (char *)"char"));
	cr_assert(eq(int, field->type, LEAT_TYPE_CHAR));
	cr_assert(eq(u32, field->size, 16));
	cr_assert(eq(u32, field->elem_size, 1));
	field = leat_format_field_at(f, 7);
	cr_assert(eq(int, field->type, LEAT_TYPE_INT));
	cr_assert(eq(u32, field->offset, 32));
	cr_assert(zero(u32, field->name_cnt)); /* of a part of the value only */
	leat_format_free(&f);
}

struct spelling {
	const char *decl;
	uint32_t size, is_signed;
	const char *name, *type_name;
	enum leat_type type;
	enum leat_location location;
	uint32_t field_size, elem;
};

#define U(decl, size)                                                                              \
	{                                                                                          \
		decl, size, 0, "x", NULL, LEAT_TYPE_UINT, LEAT_LOCATION_STATIC, size, size         \
	}
#define S(decl, size)                                                                              \
	{                                                                                          \
		decl, size, 1, "x", NULL, LEAT_TYPE_INT, LEAT_LOCATION_STATIC, size, size          \
	}
#define P(decl)                                                                                    \
	{                                                                                          \
		decl, 8, 0, "x", NULL, LEAT_TYPE_POINTER, LEAT_LOCATION_STATIC, 8, 8               \
	}
#define DYN(decl, loc, type, elem)                                                                 \
	{                                                                                          \
		decl, 4, 0, "x", NULL, LEAT_TYPE_##type, LEAT_LOCATION_##loc, 4, elem              \
	}

static const struct spelling spellings[] = {
	U("u8 x", 1),
	U("__u8 x", 1),
	U("unsigned char x", 1),
	U("uint8_t x", 1),
	U("char x", 1),
	S("char x", 1),
	S("signed char x", 1),
	S("s8 x", 1),
	S("int8_t x", 1),
	U("u16 x", 2),
	U("unsigned short x", 2),
	U("umode_t x", 2),
	U("__be16 x", 2),
	S("short x", 2),
	S("s16 x", 2),
	U("unsigned int x", 4),
	U("unsigned x", 4),
	U("uint32_t x", 4),
	U("__u32 x", 4),
	U("dev_t x", 4),
	U("gfp_t x", 4),
	U("uid_t x", 4),
	U("enum zone_type x", 4),
	S("int x", 4),
	S("pid_t x", 4),
	S("s32 x", 4),
	S("enum lru_list x", 4),
	S("const int x", 4),
	U("u64 x", 8),
	U("unsigned long x", 8),
	U("unsigned long long x", 8),
	U("size_t x", 8),
	U("sector_t x", 8),
	U("umode_t x", 8),
	U("ino_t x", 8),
	S("long x", 8),
	S("long long x", 8),
	S("loff_t x", 8),
	S("s64 x", 8),
	S("ssize_t x", 8),
	P("void * x"),
	P("const char * x"),
	P("const char *x"),
	P("const void* x"),
	P("struct mm_struct * x"),
	P("const char *const * x"),
	P("const void *const x"),
	P("struct iocb * * x"),
	P("void __seg_gs * x"),
	{ "bool x", 1, 0, "x", "bool", LEAT_TYPE_BOOL, LEAT_LOCATION_STATIC, 1, 1 },
	{ "float x", 4, 1, "x", "float", LEAT_TYPE_FLOAT, LEAT_LOCATION_STATIC, 4, 4 },
	{ "double x", 8, 1, "x", "double", LEAT_TYPE_FLOAT, LEAT_LOCATION_STATIC, 8, 8 },
	{ "guid_t x", 16, 0, "x", "guid_t", LEAT_TYPE_GUID, LEAT_LOCATION_STATIC, 16, 16 },
	{ "struct timespec64 x", 16, 0, "x", NULL, LEAT_TYPE_BYTES, LEAT_LOCATION_STATIC, 16, 16 },
	{ "struct small x", 8, 0, "x", NULL, LEAT_TYPE_BYTES, LEAT_LOCATION_STATIC, 8, 8 },
	{ "odd_t x", 3, 0, "x", NULL, LEAT_TYPE_BYTES, LEAT_LOCATION_STATIC, 3, 3 },
	/* arrays */
	{ "char x[16]", 16, 0, "x", "char", LEAT_TYPE_CHAR, LEAT_LOCATION_STATIC, 16, 1 },
	{ "char x[TASK_COMM_LEN]", 16, 0, "x", "char", LEAT_TYPE_CHAR, LEAT_LOCATION_STATIC, 16,
	  1 },
	{ "u8 x[6]", 6, 0, "x", "u8", LEAT_TYPE_UINT, LEAT_LOCATION_STATIC, 6, 1 },
	{ "unsigned long x[6]", 48, 0, "x", NULL, LEAT_TYPE_UINT, LEAT_LOCATION_STATIC, 48, 8 },
	{ "long x[3]", 24, 1, "x", "long", LEAT_TYPE_INT, LEAT_LOCATION_STATIC, 24, 8 },
	{ "u16[4] x", 8, 0, "x", "u16", LEAT_TYPE_UINT, LEAT_LOCATION_STATIC, 8, 2 },
	{ "odd_t x[N]", 12, 0, "x", "odd_t", LEAT_TYPE_BYTES, LEAT_LOCATION_STATIC, 12, 12 },
	{ "void * x[2]", 16, 0, "x", NULL, LEAT_TYPE_POINTER, LEAT_LOCATION_STATIC, 16, 8 },
	{ "char x[]", 0, 0, "x", "char", LEAT_TYPE_CHAR, LEAT_LOCATION_TAIL, 0, 1 },
	{ "u32 x[]", 0, 0, "x", "u32", LEAT_TYPE_UINT, LEAT_LOCATION_TAIL, 0, 4 },
	{ "unsigned long x[]", 0, 0, "x", NULL, LEAT_TYPE_UINT, LEAT_LOCATION_TAIL, 0, 8 },
	/* dynamic: as tracefs prints them for __data_loc and, of older kernels, for __rel_loc */
	DYN("__data_loc char[] x", DATA_LOC, CHAR, 1),
	DYN("__rel_loc char[] x", REL_LOC, CHAR, 1),
	DYN("__data_loc char x[]", DATA_LOC, CHAR, 1),
	DYN("__rel_loc char x[]", REL_LOC, CHAR, 1),
	DYN("__data_loc u8[] x", DATA_LOC, UINT, 1),
	DYN("__rel_loc u8 x[]", REL_LOC, UINT, 1),
	DYN("__data_loc unsigned int[] x", DATA_LOC, UINT, 4),
	DYN("__data_loc u64[] x", DATA_LOC, UINT, 8),
	DYN("__data_loc unsigned long[] x", DATA_LOC, UINT, 8),
	DYN("__data_loc const char *[] x", DATA_LOC, POINTER, 8),
	DYN("__data_loc enum e[] x", DATA_LOC, UINT, 4),
	DYN("__data_loc cpumask_t x", DATA_LOC, BYTES, 1),
	DYN("__data_loc struct s[] x", DATA_LOC, BYTES, 1),
	{ "__data_loc s32[] x", 4, 1, "x", "s32", LEAT_TYPE_INT, LEAT_LOCATION_DATA_LOC, 4, 4 },
	{ "__data_loc char[][3] x", 12, 0, "x", "char", LEAT_TYPE_CHAR, LEAT_LOCATION_DATA_LOC, 12,
	  1 },
};

Test(tracefs, every_spelling_of_a_type)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(spellings); i++) {
		const struct spelling *s = &spellings[i];
		LEAT_AUTO(leat_format_free) struct leat_format *f = NULL;
		const struct leat_field *field;
		char line[128];
		int err;

		snprintf(line, sizeof(line), "\tfield:%s;\toffset:8;\tsize:%u;\tsigned:%u;",
			 s->decl, s->size, s->is_signed);
		f = parse(line, "", &err);
		cr_assert(zero(int, err), "%s", s->decl);
		field = leat_format_field_at(f, 4);
		cr_assert(eq(str, (char *)field->name, (char *)s->name), "%s", s->decl);
		if (s->type_name)
			cr_assert(eq(str, (char *)field->type_name, (char *)s->type_name), "%s",
				  s->decl);
		cr_assert(eq(int, field->type, s->type), "%s", s->decl);
		cr_assert(eq(int, field->location, s->location), "%s", s->decl);
		cr_assert(eq(u32, field->offset, 8));
		cr_assert(eq(u32, field->size, s->field_size), "%s", s->decl);
		cr_assert(eq(u32, field->elem_size, s->elem), "%s", s->decl);
	}
}

Test(tracefs, malformed_lines_are_refused)
{
	static const char *const lines[] = {
		"\tfield:u32 x;\toffset:8;\tsize:4;\tsigned:0",
		"\tfield:u32 x;\toffset:8;\tsize:4;",
		"\tfield:u32 x;\toffset:8;\tsize:4;\tsigned:2;",
		"\tfield:u32 x;\toffset:8;\tsize:;\tsigned:0;",
		"\tfield:u32 x;\toffset:-8;\tsize:4;\tsigned:0;",
		"\tfield:u32 x;\toffset:99999999999;\tsize:4;\tsigned:0;",
		"\tfield:u32 x;\toffset:4294967295;\tsize:4;\tsigned:0;",
		"\tfield:u32 x;\tsize:4;\toffset:8;\tsigned:0;",
		"\tfield:u32;\toffset:8;\tsize:4;\tsigned:0;",
		"\tfield:;\toffset:8;\tsize:4;\tsigned:0;",
		"\tfield:u32 *;\toffset:8;\tsize:4;\tsigned:0;",
		"\tfield:u32 common_pid;\toffset:8;\tsize:4;\tsigned:0;",
		"\tfield:__data_loc char[] x;\toffset:8;\tsize:3;\tsigned:0;",
		"\tfield:u32 x];\toffset:8;\tsize:4;\tsigned:0;",
		"\tfield:u32 x;\toffset:8;\tsize:4;\tsigned:0; more",
		"\tsomething else",
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(lines); i++) {
		int err;
		struct leat_format *f = parse(lines[i], "", &err);

		cr_assert(eq(int, err, -EBADMSG), "%s", lines[i]);
		cr_assert(f == NULL);
	}
}

Test(tracefs, a_text_cut_anywhere)
{
	const char *print = strstr(sched_switch, "print fmt:");

	for (size_t n = 0; n < sizeof(sched_switch); n++) {
		LEAT_AUTO(leat_format_free) struct leat_format *f = NULL;
		LEAT_FREE char *text = malloc(n ? n : 1);
		int err;

		memcpy(text, sched_switch, n);
		err = leat_tracefs_parse(text, n, &f, NULL);
		/* All fields are there, or it is an error. */
		if (n < (size_t)(print - sched_switch) + strlen("print fmt:") ||
		    n == sizeof(sched_switch))
			cr_assert(eq(int, err, -EBADMSG), "%zu", n);
		else
			cr_assert(err == 0 && leat_format_field_cnt(f) == 8, "%zu", n);
	}
}

Test(tracefs, the_head_must_be_whole)
{
	static const char *const texts[] = {
		"",
		"name: x\nID: 1\nformat:\n",
		"name: x\nformat:\n\nprint fmt: \"\"\n",
		"ID: 1\nformat:\n\nprint fmt: \"\"\n",
		"name: x\nID: 1\n\nprint fmt: \"\"\n",
		"name: x\nID: y\nformat:\n\nprint fmt: \"\"\n",
		"name:\nID: 1\nformat:\n\nprint fmt: \"\"\n",
		"name: x\nID: 1\n\tfield:u8 a;\toffset:0;\tsize:1;\tsigned:0;\nformat:\nprint fmt: \"\"\n",
	};
	struct leat_format *f = NULL;
	char *big = calloc(1, LEAT_TRACEFS_MAX_BYTES + 1);

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(texts); i++)
		cr_assert(
			eq(int, leat_tracefs_parse(texts[i], strlen(texts[i]), &f, NULL), -EBADMSG),
			"%zu", i);
	cr_assert(
		eq(int, leat_tracefs_parse(big, LEAT_TRACEFS_MAX_BYTES + 1, &f, NULL), -EOVERFLOW));
	cr_assert(eq(int, leat_tracefs_parse(big, 10, &f, NULL), -EBADMSG));
	cr_assert(zero(
		int, leat_tracefs_parse("name: x\nID: 1\nformat:\nprint fmt: \"\"", 35, &f, NULL)));
	cr_assert(zero(sz, leat_format_field_cnt(f)));
	leat_format_free(&f);
	free(big);
}

/* ---- names of values ---- */

struct print_row {
	const char *print;
	uint32_t cnt;
	bool flags;
	uint64_t value; /* of the last name */
	const char *name;
};

static const struct print_row prints[] = {
	{ ", __print_symbolic(REC->f, { 0, \"HI\" }, { 1, \"TIMER\" })", 2, false, 1, "TIMER" },
	{ ", __print_symbolic(REC->f, { 0, \"HI\" }, { 9, \"RCU\"})", 2, false, 9, "RCU" },
	{ ", __print_flags(REC->f, \"|\", { 0x10, \"A\" }, { (1UL << 5), \"B\" })", 2, true, 32,
	  "B" },
	{ ", __print_flags((unsigned long)REC->f, \"\", {1, \"A\"})", 1, true, 1, "A" },
	{ ", (REC->f) ? __print_flags((unsigned long)(REC->f), \"|\", {1, \"A\"}) : \"none\"", 1,
	  true, 1, "A" },
	{ ", __print_flags_u64(((REC->f)), \" | \", {1, \"A\"})", 1, true, 1, "A" },
	{ ", __print_symbolic(REC->f, { -1, \"MINUS\" })", 1, false, 0xffffffff, "MINUS" },
	{ ", __print_symbolic(REC->f, { (int)~0x0fU, \"X\" })", 1, false, 0xfffffff0, "X" },
	{ ", __print_symbolic(REC->f, { 1 + 2 * 3 - 1, \"X\" })", 1, false, 6, "X" },
	{ ", __print_symbolic(REC->f, { 0x1|0x2&0x6^1, \"X\" })", 1, false, 3, "X" },
	{ ", __print_symbolic(REC->f, { 010, \"X\" })", 1, false, 8, "X" },
	{ ", __print_symbolic(REC->f, { 1ULL << 31 >> 1, \"X\" })", 1, false, 1u << 30, "X" },
	{ ", __print_symbolic(REC->f, { ENUMERATOR, \"X\" }, { 2, \"Y\" })", 1, false, 2, "Y" },
	{ ", __print_symbolic(REC->f, { 1, \"a \\\"b\\\" }\" })", 1, false, 1, "a \"b\" }" },
	{ ", __print_symbolic(REC->f, { 1, \"a\" \"b\" })", 1, false, 1, "ab" },
	/* not of the field's whole value, of no such field, cut, or empty */
	{ ", __print_symbolic(REC->f & 0xff, { 1, \"A\" })", 0, false, 0, NULL },
	{ ", __print_symbolic(((REC->f) >> 13) & 7, { 1, \"A\" })", 0, false, 0, NULL },
	{ ", __print_symbolic(1 << REC->f, { 1, \"A\" })", 0, false, 0, NULL },
	{ ", __print_symbolic(REC->other, { 1, \"A\" })", 0, false, 0, NULL },
	{ ", __print_symbolic(REC->f, { 1, \"A\" }, { 2", 0, false, 0, NULL },
	{ ", __print_symbolic(REC->f, { 1, \"A\" }", 0, false, 0, NULL },
	{ ", __print_symbolic(REC->f", 0, false, 0, NULL },
	{ ", __print_symbolic(REC->f)", 0, false, 0, NULL },
	{ ", __print_flags(REC->f, { 1, \"A\" })", 0, false, 0, NULL },
	{ ", __print_hex(REC->f, 4)", 0, false, 0, NULL },
};

Test(tracefs, names_of_values_from_print_fmt)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(prints); i++) {
		const struct print_row *row = &prints[i];
		LEAT_AUTO(leat_format_free) struct leat_format *f = NULL;
		const struct leat_field *field;
		int err;

		f = parse("\tfield:u32 f;\toffset:8;\tsize:4;\tsigned:0;", row->print, &err);
		cr_assert(zero(int, err), "%s", row->print);
		field = leat_format_field_at(f, 4);
		cr_assert(eq(u32, field->name_cnt, row->cnt), "%s", row->print);
		if (!row->cnt)
			continue;
		cr_assert(eq(int, field->names_are_flags, row->flags));
		cr_assert(eq(u64, field->names[row->cnt - 1].value, row->value), "%s", row->print);
		cr_assert(eq(str, (char *)field->names[row->cnt - 1].name, (char *)row->name));
	}
}

Test(tracefs, the_first_table_of_a_field_stays)
{
	LEAT_AUTO(leat_format_free) struct leat_format *f = NULL;
	int err;

	f = parse(
		"\tfield:u32 f;\toffset:8;\tsize:4;\tsigned:0;",
		", __print_symbolic(REC->f, { 1, \"A\" }), __print_symbolic(REC->f, { 1, \"B\" })",
		&err);
	cr_assert(zero(int, err));
	cr_assert(
		eq(str, (char *)leat_field_value_name(leat_format_field_at(f, 4), 1), (char *)"A"));
}

/* Parentheses as deep as a text may be do not eat the stack. */
Test(tracefs, constants_are_bounded)
{
	static char text[100000];
	const char *p = text;
	uint64_t v;

	memset(text, '(', sizeof(text));
	cr_assert(not(leat_tracefs_const(&p, text + sizeof(text), &v)));
	memset(text, '-', sizeof(text));
	p = text;
	cr_assert(not(leat_tracefs_const(&p, text + sizeof(text), &v)));
	p = "99999999999999999999";
	cr_assert(not(leat_tracefs_const(&p, p + 20, &v)));
	p = "0x";
	cr_assert(not(leat_tracefs_const(&p, p + 2, &v)));
}

Test(tracefs, failing_allocations)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_format *f = NULL;
		int err;

		err = leat_tracefs_parse(sched_switch, sizeof(sched_switch) - 1, &f, NULL);
		leat_alloc_disarm();
		cr_assert(err == 0 || (err == -ENOMEM && !f));
		leat_format_free(&f);
	}
}
