/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import_tool FORMAT FILE|- [event=NAME] [times] [periods]: imports a profile and writes it in FORMAT
 * ("none": not at all) to standard output; the verdict goes to standard error. For tests and for
 * measuring, without the rest of the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "export/export.h"
#include "import/import.h"

static int put(void *ctx, const void *p, size_t n)
{
	(void)ctx;
	return leat_file_write_all(1, p, n);
}

static int write_out(struct leat_profile *p, const char *format)
{
	const struct leat_exporter *e = leat_exporter_find(format);
	struct leat_export_opts o = { .tree.by_process = true };
	struct leat_buf out;
	int err;

	if (!e)
		return strcmp(format, "none") ? -EINVAL : 0;
	leat_buf_init(&out, LEAT_EXPORT_MAX_BYTES);
	leat_buf_drain_to(&out, put, NULL);
	err = e->write(p, &o, &out);
	if (!err)
		err = leat_file_write_all(1, out.data, out.len);
	leat_buf_fini(&out);
	return err;
}

static void say(const struct leat_profile *p)
{
	struct leat_buf text;

	leat_buf_init(&text, 1 << 20);
	leat_verdict_text(&p->verdict, &text);
	if (text.data)
		fputs(text.data, stderr);
	leat_buf_fini(&text);
}

int main(int argc, char **argv)
{
	struct leat_import_opts o = { 0 };
	struct leat_profile *p = NULL;
	struct leat_diag d = { 0 };
	int fd, err;

	if (argc < 3) {
		fprintf(stderr, "usage: %s FORMAT FILE|- [event=NAME] [times] [periods]\n",
			argv[0]);
		return 2;
	}
	for (int i = 3; i < argc; i++) {
		o.times |= strcmp(argv[i], "times") == 0;
		o.periods |= strcmp(argv[i], "periods") == 0;
		if (strncmp(argv[i], "event=", 6) == 0)
			o.event = argv[i] + 6;
	}
	fd = strcmp(argv[2], "-") ? open(argv[2], O_RDONLY | O_CLOEXEC) : 0;
	if (fd < 0) {
		perror(argv[2]);
		return 1;
	}
	err = leat_import_fd_opts(fd, argv[2], &o, &p, &d);
	if (!err)
		err = write_out(p, argv[1]);
	if (!err)
		say(p);
	else
		fprintf(stderr, "%s\n%s%s%s%s", d.what[0] ? d.what : strerror(-err), d.why,
			d.why[0] ? "\n" : "", d.fix, d.fix[0] ? "\n" : "");
	leat_profile_free(&p);
	return err ? 1 : 0;
}
