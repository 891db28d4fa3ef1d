/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole records as text and as JSON, with the format of a kernel tracepoint.
 * Build: cc writer.c $(pkg-config --cflags --libs leat)
 */
#include <leat/tracefs.h>
#include <leat/writer.h>
#include <stdio.h>
#include <string.h>

static const char format_text[] =
	"name: softirq_entry\n"
	"ID: 153\n"
	"format:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
	"\n"
	"\tfield:unsigned int vec;\toffset:8;\tsize:4;\tsigned:0;\n"
	"\n"
	"print fmt: \"vec=%u [action=%s]\", REC->vec, __print_symbolic(REC->vec, { 0, \"HI\" }, "
	"{ 1, \"TIMER\" }, { 2, \"NET_TX\" })\n";

static const char record_bytes[] = "\x99\0\0\0\x2a\0\0\0\1\0\0\0";

static int print(const struct leat_format *f, enum leat_writer_kind kind)
{
	const struct leat_record r = { .data = record_bytes, .size = sizeof(record_bytes) - 1 };
	struct leat_writer *w = NULL;
	char line[256];
	size_t len;
	int err = leat_writer_new(&w, f, kind);

	if (!err)
		err = leat_writer_write(w, &r, line, sizeof(line), &len);
	if (!err)
		printf("%.*s\n", (int)len, line);
	leat_writer_free(&w);
	return err;
}

int main(void)
{
	struct leat_format *f = NULL;
	int err = leat_tracefs_parse(format_text, strlen(format_text), &f, NULL);

	if (!err)
		err = print(f, LEAT_WRITER_TEXT);
	if (!err)
		err = print(f, LEAT_WRITER_JSON);
	leat_format_free(&f);
	return err != 0;
}
