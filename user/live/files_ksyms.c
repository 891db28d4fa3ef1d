/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of the kernel's functions by the kernel itself, without all of /proc/kallsyms. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "engine/ksyms.h"
#include "live/files_impl.h"
#include "symbols/ksym_lines.h"

/*
 * More are named sooner by the file. CPU time of naming 50, 500, 5000 and 32,000 addresses, median of 9:
 * 0.9, 1.8, 7.7 and 40 ms; by the file, of 122,000 lines, 40, 41, 43 and 53 ms.
 */
#define ASKED_MAX  32768
#define LINE_BYTES 1024

static int ask(const uint64_t *addr, size_t n, struct leat_ksyms_said *said, struct leat_buf *lines)
{
	struct leat_ksym_text text;
	int err = n > ASKED_MAX ? -E2BIG : leat_ksyms_ask(addr, n, said);

	if (err)
		return err;
	text = (struct leat_ksym_text){
		.s = said->text.data,
		.len = said->text.len,
		.text_start = said->text_start,
		.text_end = said->text_end,
	};
	return leat_ksym_lines(addr, n, &text, lines);
}

int leat_file_open_ksyms(const uint64_t *addr, size_t n)
{
	struct leat_ksyms_said said = { 0 };
	LEAT_AUTO(leat_buf_fini) struct leat_buf lines;
	int err;

	leat_buf_init(&lines, n * LINE_BYTES);
	err = ask(addr, n, &said, &lines);
	leat_buf_fini(&said.text);
	if (err) {
		leat_log(LEAT_LOG_DEBUG, "names of the kernel are read from /proc/kallsyms (%s)",
			 strerrorname_np(-err));
		return err;
	}
	leat_log(LEAT_LOG_DEBUG, "the kernel named %zu addresses", n);
	return leat_file_of_bytes("leat-ksyms", lines.data, lines.len);
}
