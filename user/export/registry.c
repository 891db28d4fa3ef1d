/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of exporters: the only place that knows them all. */
#include <errno.h>
#include <string.h>

#include "export/formats.h"

static const struct leat_exporter exporters[] = {
	{ .format = "html",
	  .extension = ".html",
	  .help = "flame graph to read, search and zoom in a browser; one self-contained file",
	  .write = leat_export_html },
	{ .format = "svg",
	  .extension = ".svg",
	  .help = "flame graph as a picture",
	  .write = leat_export_svg },
	{ .format = "folded",
	  .extension = ".folded",
	  .help = "one line a stack, for other flame graph tools",
	  .write = leat_export_folded },
	{ .format = "pprof",
	  .extension = ".pb.gz",
	  .help = "for go tool pprof and servers that take it",
	  .binary = true,
	  .write = leat_export_pprof },
	{ .format = "speedscope",
	  .extension = ".json",
	  .help = "for speedscope.app",
	  .write = leat_export_speedscope },
	{ .format = "script",
	  .extension = ".txt",
	  .help = "one entry a sample with its time; with --stream",
	  .needs_stream = true,
	  .write = leat_export_script },
	{ .format = "leat",
	  .extension = ".leat",
	  .help = "capture file: all that was recorded, for leat convert and leat report",
	  .binary = true,
	  .capture = true },
};

const struct leat_exporter *leat_exporter_at(size_t i)
{
	return i < LEAT_ARRAY_SIZE(exporters) ? &exporters[i] : NULL;
}

const struct leat_exporter *leat_exporter_find(const char *format)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(exporters); i++) {
		if (strcmp(exporters[i].format, format) == 0)
			return &exporters[i];
	}
	return NULL;
}

/* A name that is nothing but an extension has none. */
static bool ends_with(const char *name, const char *extension)
{
	size_t n = strlen(name), m = strlen(extension);

	return n > m && strcmp(name + n - m, extension) == 0;
}

const struct leat_exporter *leat_exporter_for_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(exporters); i++) {
		if (ends_with(name, exporters[i].extension))
			return &exporters[i];
	}
	return NULL;
}

int leat_export_write(const struct leat_exporter *e, struct leat_profile *p,
		      const struct leat_export_opts *o, char **data, size_t *len)
{
	static const struct leat_export_opts defaults;
	LEAT_AUTO(leat_buf_fini) struct leat_buf out;
	size_t n;
	int err;

	if (!e->write)
		return -EINVAL;
	leat_buf_init(&out, LEAT_EXPORT_MAX_BYTES);
	leat_buf_str(&out, ""); /* also what writes nothing has a NUL */
	err = e->write(p, o ? o : &defaults, &out);
	if (!err)
		err = out.err; /* an exporter need not look */
	if (err)
		return err;
	*data = leat_buf_take(&out, &n);
	*len = n;
	return 0;
}
