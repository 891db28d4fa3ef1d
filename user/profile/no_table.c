/* SPDX-License-Identifier: BSD-2-Clause */
/* The verdict of a profile, with the names of the binaries that it speaks of. */
#include <string.h>

#include "base/text.h"
#include "profile/profile.h"

/* Binaries that are named; the counters tell of all. */
#define NAMED_MAX 16

static void put_line(const struct leat_profile *p, const struct leat_object *o,
		     struct leat_buf *out)
{
	const char *path = leat_profile_str(p, o->path);

	leat_buf_str(out, "unwind table of ");
	leat_text_clean(out, path, strlen(path));
	leat_buf_str(out, ": ");
	leat_buf_str(out, leat_no_table_name(o->no_table));
	leat_buf_char(out, '\n');
}

void leat_profile_verdict_text(const struct leat_profile *p, struct leat_buf *out)
{
	size_t n = 0;

	leat_verdict_text(&p->verdict, out);
	for (size_t i = 0; i < p->object_cnt; i++) {
		if (p->objects[i].no_table && n++ < NAMED_MAX)
			put_line(p, &p->objects[i], out);
	}
	if (n > NAMED_MAX)
		leat_buf_printf(out, "unwind tables of %zu more\n", n - NAMED_MAX);
}

void leat_profile_verdict_json(const struct leat_profile *p, struct leat_buf *out)
{
	size_t n = 0;

	leat_verdict_json(&p->verdict, out);
	if (out->err)
		return;
	out->len--; /* the brace */
	leat_buf_str(out, ",\"no_table_files\":[");
	for (size_t i = 0; i < p->object_cnt; i++) {
		const struct leat_object *o = &p->objects[i];
		const char *path = leat_profile_str(p, o->path);

		if (!o->no_table || n == NAMED_MAX)
			continue;
		leat_buf_str(out, n++ ? ",{\"file\":" : "{\"file\":");
		leat_text_json(out, path, strlen(path));
		leat_buf_printf(out, ",\"why\":\"%s\"}", leat_no_table_key(o->no_table));
	}
	leat_buf_str(out, "]}");
}
