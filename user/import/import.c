/* SPDX-License-Identifier: BSD-2-Clause */
#include "import/import.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "event/capture.h"
#include "import/build.h"
#include "import/chunks.h"
#include "import/folded.h"
#include "import/perf_script.h"
#include "import/pprof.h"
#include "import/unpack.h"

/* Of a format that is read as a whole. */
#define MAX_WHOLE_BYTES ((size_t)2 << 30)

/* The file, as far as it was read ahead. */
struct input {
	struct leat_unpack from;
	const char *name;
	const struct leat_import_opts *o;
	struct leat_diag *d;
	struct leat_buf head;
	bool eof;
	const char *why; /* of what a parser found wrong */
	struct leat_build builds[LEAT_CHUNK_PARSERS];
};

static int bad_read(const struct input *in, int err)
{
	if (err == -EBADMSG)
		return leat_diag_set(
			in->d, err, LEAT_EXIT_INPUT, "%s: damaged %s data near byte %llu", in->name,
			leat_packing_name(in->from.packing), (unsigned long long)in->from.taken);
	if (err == -ENOMEM)
		return err;
	return leat_diag_set(in->d, err, LEAT_EXIT_INPUT, "cannot read %s (%s)", in->name,
			     strerrorname_np(-err));
}

static int read_ahead(struct input *in, size_t want)
{
	LEAT_FREE char *piece = malloc(LEAT_CHUNK_BYTES);

	if (!piece)
		return -ENOMEM;
	while (!in->eof && in->head.len < want) {
		size_t n = want - in->head.len;
		ssize_t got = leat_unpack_read(&in->from, piece,
					       n < LEAT_CHUNK_BYTES ? n : LEAT_CHUNK_BYTES);

		if (got < 0)
			return bad_read(in, (int)got);
		in->eof = !got;
		leat_buf_add(&in->head, piece, (size_t)got);
	}
	return in->head.err;
}

/* ---- texts ---- */

static int parse_folded(void *ctx, unsigned int parser, struct leat_chunk *c)
{
	struct input *in = ctx;
	const char *why = NULL;
	int err = leat_folded_parse(&in->builds[parser], c, &why);

	if (err == -EBADMSG)
		__atomic_store_n(&in->why, why, __ATOMIC_RELAXED);
	return err;
}

static int parse_perf_script(void *ctx, unsigned int parser, struct leat_chunk *c)
{
	struct input *in = ctx;

	return leat_perf_script_parse(&in->builds[parser], in->o, c);
}

static int import_text(struct input *in, enum leat_import_format f)
{
	bool folded = f == LEAT_IMPORT_FOLDED;
	struct leat_chunk_text t = {
		.from = &in->from,
		.head = in->head.data,
		.head_n = in->head.len,
		.eof = in->eof,
		.cut = folded ? leat_folded_cut : leat_perf_script_cut,
		.parse = folded ? parse_folded : parse_perf_script,
		.ctx = in,
	};
	uint64_t line = 0;
	int err = leat_build_init(&in->builds[1]);

	if (!err)
		err = leat_chunks_run(&t, &line);
	if (in->from.err)
		bad_read(in, in->from.err);
	else if (err == -EBADMSG) {
		leat_diag_set(in->d, err, LEAT_EXIT_INPUT, "%s: line %llu: %s", in->name,
			      (unsigned long long)line, in->why);
		leat_diag_why(in->d, "by its first lines it is %s", leat_import_format_name(f));
	} else if (err == -EOVERFLOW)
		leat_diag_set(in->d, err, LEAT_EXIT_INPUT,
			      "%s: near line %llu: more than leat takes (entries, names or counts)",
			      in->name, (unsigned long long)line);
	leat_build_forget_lines(&in->builds[0]);
	leat_build_forget_lines(&in->builds[1]);
	if (!err)
		err = leat_build_merge(&in->builds[0], &in->builds[1]);
	in->builds[0].cut |= in->builds[1].cut;
	leat_build_fini(&in->builds[1]);
	return err;
}

/* ---- all formats ---- */

static int refuse(struct input *in)
{
	const char *s = in->head.data;
	size_t n = in->head.len;

	if (!n)
		return leat_diag_set(in->d, -ENODATA, LEAT_EXIT_NO_SAMPLES, "%s is empty",
				     in->name);
	if (n >= 8 && (memcmp(s, "PERFILE2", 8) == 0 || memcmp(s, "2ELIFREP", 8) == 0)) {
		leat_diag_set(in->d, -EBADMSG, LEAT_EXIT_INPUT,
			      "%s is a perf.data file, which leat does not read", in->name);
		leat_diag_fix(in->d, "perf script -i %s | leat convert - ...", in->name);
		return -EBADMSG;
	}
	if (n >= 8 && memcmp(s, LEAT_CAPTURE_MAGIC, 8) == 0) {
		leat_diag_set(in->d, -EBADMSG, LEAT_EXIT_INPUT, "%s is a capture file inside %s",
			      in->name, leat_packing_name(in->from.packing));
		leat_diag_why(in->d, "it is compressed as it is, and read without that");
		leat_diag_fix(in->d, "%s -dc %s | leat report -",
			      leat_packing_name(in->from.packing), in->name);
		return -EBADMSG;
	}
	leat_diag_set(in->d, -EBADMSG, LEAT_EXIT_INPUT,
		      "%s: not a format that leat knows by its content", in->name);
	leat_diag_why(in->d, "it is neither folded stacks, nor pprof, nor what perf script prints");
	leat_diag_fix(in->d, "leat record -o run.leat makes a file that can be read");
	return -EBADMSG;
}

static int import_pprof(struct input *in)
{
	int err = read_ahead(in, MAX_WHOLE_BYTES);

	if (!err && !in->eof)
		err = -EOVERFLOW;
	return err ? err
		   : leat_pprof_parse(&in->builds[0], in->o, in->head.data, in->head.len, in->name,
				      in->d);
}

/* "perf.txt (perf script)" is what was profiled, for want of better. */
static int put_target(struct input *in, enum leat_import_format f)
{
	struct leat_profile *p = in->builds[0].p;
	struct leat_buf text;
	int err;

	if (p->meta.target)
		return 0;
	leat_buf_init(&text, 8192);
	leat_buf_printf(&text, "%s (%s)", in->name, leat_import_format_name(f));
	err = text.err ? text.err : leat_profile_string(p, text.data, text.len, &p->meta.target);
	leat_buf_fini(&text);
	return err;
}

static const struct leat_import_opts defaults;

static int import(struct input *in)
{
	enum leat_import_format f;
	int err = read_ahead(in, LEAT_CHUNK_BYTES);

	if (err)
		return err;
	f = leat_import_detect(in->head.len ? in->head.data : "", in->head.len, in->eof);
	if (f == LEAT_IMPORT_NONE)
		return refuse(in);
	err = f == LEAT_IMPORT_PPROF ? import_pprof(in) : import_text(in, f);
	in->builds[0].cut |= in->from.cut;
	/* Of pprof, the event was chosen as it was read. */
	if (!err)
		err = leat_build_finish(&in->builds[0], f == LEAT_IMPORT_PPROF ? &defaults : in->o,
					in->d);
	return err ? err : put_target(in, f);
}

int leat_import_fd_opts(int fd, const char *name, const struct leat_import_opts *o,
			struct leat_profile **out, struct leat_diag *d)
{
	struct input in = { .name = name, .o = o ? o : &defaults, .d = d };
	int err = leat_unpack_init(&in.from, fd);

	if (err)
		bad_read(&in, err);
	leat_buf_init(&in.head, MAX_WHOLE_BYTES);
	if (!err)
		err = leat_build_init(&in.builds[0]);
	if (!err)
		err = import(&in);
	if (!err)
		*out = LEAT_TAKE(in.builds[0].p);
	leat_build_fini(&in.builds[0]);
	leat_build_fini(&in.builds[1]);
	leat_buf_fini(&in.head);
	leat_unpack_fini(&in.from);
	if (err == -ENOMEM)
		leat_diag_set(d, err, LEAT_EXIT_FAILURE, "%s: out of memory", name);
	else if (err)
		leat_diag_set(d, err, LEAT_EXIT_INPUT, "%s: more than leat takes", name);
	return err;
}

int leat_import_fd(int fd, const char *name, struct leat_profile **out, struct leat_diag *d)
{
	return leat_import_fd_opts(fd, name, NULL, out, d);
}
