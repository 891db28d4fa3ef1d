/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/outputs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/signals.h"
#include "cli/target.h"
#include "export/export.h"

static bool is_stdout(const char *path)
{
	return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0;
}

static int is_directory(const char *path, struct leat_diag *d)
{
	size_t n = strlen(path);

	leat_diag_set(d, -EISDIR, LEAT_EXIT_USAGE, "-o: '%s' is a directory", path);
	leat_diag_fix(d, "name a file in it: -o '%s%sflame.html'", path,
		      n && path[n - 1] == '/' ? "" : "/");
	return -EISDIR;
}

static int no_format(const char *path, struct leat_diag *d)
{
	const struct leat_exporter *e;
	char all[256] = "";
	struct stat st;
	size_t len = 0;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return is_directory(path, d);
	for (size_t i = 0; (e = leat_exporter_at(i)) && len < sizeof(all); i++)
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s", i ? " " : "",
					e->extension);
	leat_diag_set(d, -EINVAL, LEAT_EXIT_USAGE, "-o: no format is known for the name '%s'",
		      path);
	leat_diag_why(d, "the extension chooses the format: %s", all);
	leat_diag_fix(d, "-o '%s.html', or name the format: -f html", path);
	return -EINVAL;
}

/* The format of @path; *@used_f tells whether -f decided. */
static int choose_format(const char *path, const struct leat_exporter *f,
			 const struct leat_exporter **out, bool *used_f, struct leat_diag *d)
{
	const struct leat_exporter *e = is_stdout(path) ? NULL : leat_exporter_for_path(path);

	/* ".txt" says no more than that it is text. */
	if (f && (!e || (strcmp(e->extension, ".txt") == 0 && !f->binary))) {
		*used_f = true;
		e = f;
	}
	if (!e && is_stdout(path))
		e = leat_exporter_find("folded");
	if (!e)
		return no_format(path, d);
	*out = e;
	return 0;
}

static int conflict_of_formats(const struct leat_cli_args *a, const struct leat_cli_outputs *s,
			       struct leat_diag *d)
{
	const struct leat_exporter *e = s->files[0].format;

	leat_diag_set(d, -EINVAL, LEAT_EXIT_USAGE, "-f %s: the name '%s' says %s",
		      a->format->format, a->outputs.items[0], e->format);
	leat_diag_fix(d, "leave -f out, or end the name in %s", a->format->extension);
	return -EINVAL;
}

static int plan_file(struct leat_cli_outputs *s, const char *path,
		     const struct leat_exporter *format)
{
	struct leat_cli_file *f = &s->files[s->n++];

	f->out.path = path;
	f->format = format;
	s->needs_stream |= format && format->needs_stream;
	return 0;
}

static int too_many_stdout(struct leat_diag *d)
{
	leat_diag_set(d, -EINVAL, LEAT_EXIT_USAGE,
		      "-o and --summary: standard output is named twice");
	leat_diag_fix(d, "give one of them the name of a file");
	return -EINVAL;
}

/* One recording is written down once; a second one would cost as much again. */
static int check_capture(const struct leat_cli_outputs *s, struct leat_diag *d)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->files[i].format && s->files[i].format->capture;
	if (n <= 1)
		return 0;
	leat_diag_set(d, -EINVAL, LEAT_EXIT_USAGE, "-o: more than one capture file");
	leat_diag_fix(d, "name one of them, and copy it when leat is done");
	return -EINVAL;
}

static int check_stdout(const struct leat_cli_outputs *s, struct leat_diag *d)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += is_stdout(s->files[i].out.path);
	return n > 1 ? too_many_stdout(d) : 0;
}

static int too_many_files(struct leat_diag *d)
{
	leat_diag_set(d, -EINVAL, LEAT_EXIT_USAGE, "-o: more than %d files", LEAT_CLI_MAX_OUTPUTS);
	leat_diag_why(d, "leat keeps all of them open while it records");
	leat_diag_fix(d, "give fewer of them; one for each format does");
	return -EINVAL;
}

int leat_cli_outputs_plan(struct leat_cli_outputs *s, const struct leat_cli_args *a,
			  struct leat_diag *diag)
{
	const struct leat_exporter *html = leat_exporter_find("html");
	bool used_f = false;

	*s = (struct leat_cli_outputs){ 0 };
	for (size_t i = 0; i <= LEAT_CLI_MAX_OUTPUTS; i++)
		leat_cli_output_init(&s->files[i].out);
	leat_cli_owner_init(&s->owner);
	if (a->outputs.n > LEAT_CLI_MAX_OUTPUTS)
		return too_many_files(diag);
	for (size_t i = 0; i < a->outputs.n; i++) {
		const struct leat_exporter *format = NULL;
		int err = choose_format(a->outputs.items[i], a->format, &format, &used_f, diag);

		if (err)
			return err;
		plan_file(s, a->outputs.items[i], format);
	}
	for (size_t i = 0; i < s->n && a->format && !used_f; i++)
		used_f = s->files[i].format == a->format;
	if (a->outputs.n && a->format && !used_f)
		return conflict_of_formats(a, s, diag);
	if (!a->outputs.n)
		plan_file(s, s->standard.name, a->format ? a->format : html);
	if (a->summary)
		plan_file(s, a->summary, NULL);
	return check_stdout(s, diag) ? -EINVAL : check_capture(s, diag);
}

/* Names of processes hold anything; file names should not. */
static void add_plain(char *out, size_t size, const char *name)
{
	size_t n = 0;

	for (; name[n] && n + 1 < size && n < 64; n++) {
		char c = name[n];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || strchr("._+@=", c);

		out[n] = plain ? c : '-';
	}
	out[n] = '\0';
}

void leat_cli_default_name(char *out, size_t size, const char *name, uint32_t tgid,
			   const struct tm *when, const char *extension)
{
	char plain[80], pid[16] = "", stamp[32] = "";

	add_plain(plain, sizeof(plain), name);
	if (tgid)
		snprintf(pid, sizeof(pid), "-%u", tgid);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", when);
	snprintf(out, size, "leat-%s%s-%s%s", plain[0] ? plain : "leat", pid, stamp, extension);
}

/* Two recordings within one second: the second one takes the next free name, also at its end. */
static void name_default(struct leat_cli_outputs *s, const struct leat_cli_args *a)
{
	struct leat_cli_numbered *n = &s->standard;
	time_t now = time(NULL);
	char name[32] = "";
	uint32_t tgid = 0;
	struct stat st;
	struct tm tm;

	leat_cli_target_name(a, name, &tgid);
	localtime_r(&now, &tm);
	leat_cli_default_name(n->stem, sizeof(n->stem), name, tgid, &tm, "");
	n->extension = s->files[0].format->extension;
	for (unsigned int i = 1; i < 100; i++) {
		leat_cli_numbered_take(n, i);
		if (lstat(n->name, &st) != 0)
			return;
	}
}

static int refuse_tty(const struct leat_cli_file *f, struct leat_diag *d)
{
	leat_diag_set(d, -EINVAL, LEAT_EXIT_USAGE, "-o %s: %s is not for a terminal", f->out.path,
		      f->format->format);
	leat_diag_fix(d, "-o FILE%s, or redirect standard output", f->format->extension);
	return -EINVAL;
}

static int open_one(struct leat_cli_outputs *s, size_t i, struct leat_diag *d)
{
	struct leat_cli_file *f = &s->files[i];
	const char *path = f->out.path;
	int err = leat_cli_output_open(&f->out, path, &s->owner, d);

	if (err)
		return err;
	if (path == s->standard.name && !f->out.direct)
		f->out.numbered = &s->standard;
	if (f->out.tty && f->format && f->format->binary)
		return refuse_tty(f, d);
	if (f->format && f->format->capture)
		err = leat_cli_output_name_part(&f->out, &s->owner, d);
	if (err)
		return err;
	for (size_t j = 0; j < i; j++) {
		if (f->out.direct || !leat_cli_output_same(&f->out, &s->files[j].out))
			continue;
		leat_diag_set(d, -EINVAL, LEAT_EXIT_USAGE, "'%s' and '%s' are the same file",
			      s->files[j].out.path, path);
		leat_diag_fix(d, "give each output a name of its own");
		return -EINVAL;
	}
	return 0;
}

int leat_cli_outputs_open(struct leat_cli_outputs *s, const struct leat_cli_args *a,
			  struct leat_diag *diag)
{
	const volatile sig_atomic_t *stop = leat_cli_signals_stop();
	int err = 0;

	if (!a->outputs.n)
		name_default(s, a);
	for (size_t i = 0; i < s->n && !err; i++) {
		if (*stop)
			err = leat_diag_set(diag, -EINTR, LEAT_EXIT_ABORTED, "interrupted");
		else
			err = open_one(s, i, diag);
	}
	if (err)
		leat_cli_outputs_fini(s);
	return err;
}

/* More than one process: the picture keeps them apart. */
static bool many_processes(const struct leat_profile *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->process_cnt; i++)
		n += p->processes[i].samples > 0;
	return n > 1;
}

static int render(const struct leat_cli_file *f, struct leat_profile *p,
		  const struct leat_cli_args *a, struct leat_buf *b)
{
	struct leat_export_opts o = { .title = a->title };
	int err = 0;

	/* In an imported profile the process may be all that tells its stacks apart. */
	o.tree.by_process = p->verdict.imported || many_processes(p);
	o.tree.by_thread = a->per_thread;
	if (leat_cli_given(a, LEAT_CLI_OPT_MIN_WIDTH))
		o.min_width_percent = a->min_width_percent > 0 ? a->min_width_percent : -1;
	if (f->format) {
		err = f->format->write(p, &o, b);
	} else {
		leat_profile_verdict_json(p, b);
		leat_buf_char(b, '\n');
	}
	return err ? err : b->err;
}

static struct leat_cli_file *capture_of(struct leat_cli_outputs *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->files[i].format && s->files[i].format->capture)
			return &s->files[i];
	}
	return NULL;
}

int leat_cli_outputs_capture(struct leat_cli_outputs *s, struct leat_diag *diag)
{
	struct leat_cli_file *f = capture_of(s);
	int err;

	if (!f)
		return 0;
	err = leat_capture_writer_new(&s->capture, f->out.fd);
	return err ? leat_cli_output_fail(&f->out, diag, err) : 0;
}

/* It was written as it happened: what is left is its name, if it is whole. */
static int end_capture(struct leat_cli_outputs *s, struct leat_cli_file *f, struct leat_diag *d)
{
	struct leat_capture_written w = { 0 };
	int err = -EINVAL;

	if (s->capture) {
		leat_capture_writer_stats(s->capture, &w);
		err = leat_capture_writer_error(s->capture);
	}
	if (!err && !w.whole)
		err = -EINVAL;
	if (!err)
		err = leat_cli_output_commit(&f->out, "", 0, &s->owner, d);
	else if (err != -EPIPE)
		leat_cli_output_fail(&f->out, d, err);
	leat_cli_output_abandon(&f->out);
	f->bytes = w.bytes;
	f->done = !err;
	return err;
}

static int write_one(struct leat_cli_outputs *s, struct leat_cli_file *f, struct leat_profile *p,
		     const struct leat_cli_args *a, struct leat_diag *d)
{
	const char *path = f->out.path;
	struct leat_buf b;
	int err;

	if (f->format && f->format->capture) {
		err = end_capture(s, f, d);
		f->out.path = path;
		return err;
	}
	leat_buf_init(&b, LEAT_EXPORT_MAX_BYTES);
	leat_buf_drain_to(&b, leat_cli_output_write, &f->out);
	err = render(f, p, a, &b);
	if (err && f->out.write_err) {
		if (err != -EPIPE)
			leat_cli_output_fail(&f->out, d, err);
		leat_cli_output_abandon(&f->out);
	} else if (err) {
		leat_diag_set(d, err, LEAT_EXIT_FAILURE, "cannot make '%s' (%s)", path,
			      strerrorname_np(-err) ? strerrorname_np(-err) : "unknown");
		leat_cli_output_abandon(&f->out);
	} else {
		err = leat_cli_output_commit(&f->out, b.data ? b.data : "", b.len, &s->owner, d);
		f->bytes = b.drained + b.len;
		f->done = !err;
	}
	f->out.path = path;
	leat_buf_fini(&b);
	return err;
}

int leat_cli_outputs_write(struct leat_cli_outputs *s, struct leat_profile *p,
			   const struct leat_cli_args *a, struct leat_cli_io *io)
{
	int first = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct leat_diag d = { 0 };
		int err = write_one(s, &s->files[i], p, a, &d);

		if (!err || err == -EPIPE)
			continue;
		leat_cli_io_diag(io, &d, err);
		first = first ? first : err;
	}
	return first;
}

void leat_cli_outputs_fini(struct leat_cli_outputs *s)
{
	leat_capture_writer_free(&s->capture);
	for (size_t i = 0; i < s->n; i++)
		leat_cli_output_abandon(&s->files[i].out);
}
