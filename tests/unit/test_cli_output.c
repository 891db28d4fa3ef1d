/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../support/tmpdir.h"
#include "base/file.h"
#include "cli/output.h"
#include "cli/signals.h"

#define STR(s)	 ((char *)(s))
#define NOBODY	 65534
#define STRANGER 4711

static const struct leat_cli_owner nobody_special;

struct fixture {
	struct leat_tmpdir dir;
	struct leat_cli_output out;
	struct leat_diag diag;
};

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	umask(022);
	leat_tmpdir_init(&f->dir);
}

static void teardown(struct fixture *f)
{
	leat_cli_output_abandon(&f->out);
	if (geteuid() != getuid())
		cr_assert(eq(int, seteuid(getuid()), 0));
	leat_tmpdir_fini(&f->dir);
}

static const char *at(struct fixture *f, const char *name)
{
	return leat_tmpdir_path(&f->dir, name);
}

static int open_out(struct fixture *f, const char *path)
{
	memset(&f->diag, 0, sizeof(f->diag));
	return leat_cli_output_open(&f->out, path, &nobody_special, &f->diag);
}

static int commit(struct fixture *f, const char *text)
{
	return leat_cli_output_commit(&f->out, text, strlen(text), &nobody_special, &f->diag);
}

static void expect_text(const char *path, const char *want)
{
	LEAT_FREE char *got = NULL;

	cr_assert(eq(int, leat_file_read_at(AT_FDCWD, path, 1 << 20, &got, NULL), 0), "%s", path);
	cr_expect(eq(str, got, STR(want)), "%s", path);
}

/* Entries of the directory but "." and "..". */
static int entries(struct fixture *f)
{
	DIR *d = opendir(f->dir.path);
	int n = -2;

	cr_assert(ne(ptr, d, NULL));
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

Test(output, appears_at_commit_and_not_before)
{
	struct fixture f;
	struct stat st;
	const char *path;

	setup(&f);
	path = at(&f, "a.html");
	cr_assert(eq(int, open_out(&f, path), 0), "%s", f.diag.what);
	cr_expect(eq(int, stat(path, &st), -1));
	cr_expect(eq(int, entries(&f), !f.out.nameless));
	cr_assert(eq(int, commit(&f, "hello"), 0));
	expect_text(path, "hello");
	cr_assert(eq(int, stat(path, &st), 0));
	cr_expect(eq(uint, st.st_mode & 07777, 0644));
	cr_expect(eq(int, entries(&f), 1));
	teardown(&f);
}

Test(output, umask_is_respected)
{
	struct fixture f;
	struct stat st;

	setup(&f);
	umask(077);
	cr_assert(eq(int, open_out(&f, at(&f, "a.html")), 0));
	cr_assert(eq(int, commit(&f, ""), 0));
	cr_assert(eq(int, stat(at(&f, "a.html"), &st), 0));
	cr_expect(eq(uint, st.st_mode & 07777, 0600));
	cr_expect(eq(int, (int)st.st_size, 0));
	teardown(&f);
}

Test(output, abandoned_leaves_the_old_file_and_nothing_else)
{
	struct fixture f;
	const char *path;

	setup(&f);
	path = leat_tmpdir_write(&f.dir, "a.html", "old", 3);
	cr_assert(eq(int, open_out(&f, path), 0));
	leat_cli_output_abandon(&f.out);
	leat_cli_output_abandon(&f.out);
	expect_text(path, "old");
	cr_expect(eq(int, entries(&f), 1));
	teardown(&f);
}

Test(output, existing_file_is_replaced)
{
	struct fixture f;
	const char *path;

	setup(&f);
	path = leat_tmpdir_write(&f.dir, "a.html", "old", 3);
	cr_assert(eq(int, open_out(&f, path), 0));
	cr_assert(eq(int, commit(&f, "new"), 0));
	expect_text(path, "new");
	teardown(&f);
}

Test(output, bare_name_is_in_the_current_directory)
{
	struct fixture f;

	setup(&f);
	cr_assert(eq(int, chdir(f.dir.path), 0));
	cr_assert(eq(int, open_out(&f, "a.html"), 0));
	cr_assert(eq(int, commit(&f, "x"), 0));
	expect_text("a.html", "x");
	cr_assert(eq(int, chdir("/"), 0));
	teardown(&f);
}

Test(output, refused_with_a_cause)
{
	static const struct {
		const char *path;
		int err;
		const char *why, *fix;
	} rows[] = {
		{ "none/a.html", -ENOENT, "does not exist", "mkdir -p" },
		{ "file/a.html", -ENOTDIR, "not a directory", "" },
		{ "sub", -EISDIR, "it is a directory", "flame.html" },
		{ "sub/", -EISDIR, "it names a directory", "flame.html" },
		{ "sub/..", -EISDIR, "it is a directory", "flame.html" },
		{ "loop", -ELOOP, "symbolic links", "" },
		{ "toloop/a", -ELOOP, "", "" },
		{ "todir", -EISDIR, "it is a directory", "" },
	};
	struct fixture f;

	setup(&f);
	cr_assert(eq(int, mkdir(at(&f, "sub"), 0755), 0));
	leat_tmpdir_write(&f.dir, "file", "x", 1);
	cr_assert(eq(int, symlink("loop", at(&f, "loop")), 0));
	cr_assert(eq(int, symlink("toloop", at(&f, "toloop")), 0));
	cr_assert(eq(int, symlink("sub", at(&f, "todir")), 0));
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		const char *path = at(&f, rows[i].path);

		cr_expect(eq(int, open_out(&f, path), rows[i].err), "%s", rows[i].path);
		cr_expect(eq(int, (int)f.diag.exit, LEAT_EXIT_FAILURE));
		cr_expect(ne(ptr, strstr(f.diag.what, rows[i].path), NULL), "%s", f.diag.what);
		cr_expect(ne(ptr, strstr(f.diag.why, rows[i].why), NULL), "%s", f.diag.why);
		cr_expect(ne(ptr, strstr(f.diag.fix, rows[i].fix), NULL), "%s", f.diag.fix);
	}
	cr_expect(eq(int, entries(&f), 5));
	teardown(&f);
}

/* Both claim something else: ENOENT and EACCES. */
Test(output, file_systems_that_make_no_files)
{
	static const char *const paths[] = { "/proc/leat.html", "/sys/leat.html" };
	struct fixture f;

	setup(&f);
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(paths); i++) {
		cr_expect(lt(int, open_out(&f, paths[i]), 0));
		/* Without root, or with /sys mounted read-only, other causes come first. */
		if (i > 0 && (geteuid() != 0 || f.diag.err == -EROFS))
			continue;
		cr_expect(ne(ptr, strstr(f.diag.why, "no files can be created"), NULL), "%s",
			  f.diag.why);
		cr_expect(ne(ptr, strstr(f.diag.fix, "/tmp/"), NULL), "%s", f.diag.fix);
	}
	teardown(&f);
}

Test(output, directory_that_was_deleted)
{
	struct fixture f;

	setup(&f);
	cr_assert(eq(int, mkdir(at(&f, "sub"), 0755), 0));
	cr_assert(eq(int, chdir(at(&f, "sub")), 0));
	cr_assert(eq(int, rmdir(at(&f, "sub")), 0));
	cr_expect(eq(int, open_out(&f, "a.html"), -ENOENT));
	cr_expect(ne(ptr, strstr(f.diag.why, "was deleted"), NULL), "%s", f.diag.why);
	cr_assert(eq(int, chdir("/"), 0));
	teardown(&f);
}

/* Turns the nameless file of @f, where there is one, into what other file systems have. */
static void without_nameless(struct fixture *f)
{
	if (!f->out.nameless)
		return;
	close(f->out.fd);
	snprintf(f->out.temp, sizeof(f->out.temp), ".leat-test.tmp");
	f->out.fd = openat(f->out.dirfd, f->out.temp, O_WRONLY | O_CREAT | O_EXCL, 0644);
	cr_assert(ge(int, f->out.fd, 0));
	f->out.nameless = false;
}

static void expect_numbered(bool nameless)
{
	struct leat_cli_numbered n = { .stem = "a", .extension = ".pb.gz" };
	struct fixture f;

	setup(&f);
	cr_assert(eq(int, chdir(f.dir.path), 0));
	leat_cli_numbered_take(&n, 1);
	cr_expect(eq(str, n.name, STR("a.pb.gz")));
	cr_assert(eq(int, open_out(&f, n.name), 0));
	f.out.numbered = &n;
	if (!nameless)
		without_nameless(&f);
	/* Two others came first. */
	leat_tmpdir_write(&f.dir, "a.pb.gz", "one", 3);
	cr_assert(eq(int, symlink("nowhere", "a-2.pb.gz"), 0));
	cr_assert(eq(int, commit(&f, "three"), 0), "%s", f.diag.why);
	cr_expect(eq(str, n.name, STR("a-3.pb.gz")));
	expect_text("a.pb.gz", "one");
	expect_text("a-3.pb.gz", "three");
	cr_expect(eq(int, entries(&f), 3));
	cr_assert(eq(int, chdir("/"), 0));
	teardown(&f);
}

Test(output, default_name_replaces_nothing)
{
	expect_numbered(true);
	expect_numbered(false);
}

Test(output, without_nameless_files_the_name_is_taken_all_the_same)
{
	struct fixture f;

	setup(&f);
	cr_assert(eq(int, open_out(&f, at(&f, "a.html")), 0));
	without_nameless(&f);
	leat_tmpdir_write(&f.dir, "a.html", "old", 3);
	cr_assert(eq(int, commit(&f, "new"), 0));
	expect_text(at(&f, "a.html"), "new");
	cr_assert(eq(int, open_out(&f, at(&f, "a.html")), 0));
	without_nameless(&f);
	leat_cli_output_abandon(&f.out);
	expect_text(at(&f, "a.html"), "new");
	cr_expect(eq(int, entries(&f), 1));
	teardown(&f);
}

/* The umask counts for nameless files too, and the group of the directory. */
Test(output, mode_of_a_replaced_file_is_that_of_a_new_one)
{
	struct fixture f;
	struct stat st;
	const char *path;

	setup(&f);
	path = leat_tmpdir_write(&f.dir, "a.html", "old", 3);
	cr_assert(eq(int, chmod(path, 0600), 0));
	umask(027);
	cr_assert(eq(int, open_out(&f, path), 0));
	cr_assert(eq(int, commit(&f, "x"), 0));
	cr_assert(eq(int, stat(path, &st), 0));
	cr_expect(eq(uint, st.st_mode & 07777, 0640));
	cr_expect(eq(int, entries(&f), 1));
	teardown(&f);
}

Test(output, name_that_is_too_long)
{
	struct fixture f;
	char big[5000];

	setup(&f);
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	cr_expect(eq(int, open_out(&f, big), -ENAMETOOLONG));
	big[300] = '\0';
	cr_expect(eq(int, open_out(&f, big), -ENAMETOOLONG));
	teardown(&f);
}

/* As another user where the test runs as root: root may write everywhere. */
static bool become_nobody(void)
{
	return geteuid() != 0 || seteuid(NOBODY) == 0;
}

Test(output, directory_that_is_not_writable)
{
	struct fixture f;

	setup(&f);
	cr_assert(eq(int, chmod(f.dir.path, 0555), 0));
	cr_assert(become_nobody());
	cr_expect(eq(int, open_out(&f, at(&f, "a.html")), -EACCES));
	cr_expect(ne(ptr, strstr(f.diag.why, "may not write"), NULL), "%s", f.diag.why);
	teardown(&f);
}

Test(output, read_only_file_is_kept)
{
	struct fixture f;
	const char *path;

	setup(&f);
	path = leat_tmpdir_write(&f.dir, "a.html", "old", 3);
	cr_assert(eq(int, chmod(path, 0444), 0));
	cr_assert(eq(int, chmod(f.dir.path, 0777), 0));
	cr_assert(become_nobody());
	cr_expect(eq(int, open_out(&f, path), -EACCES));
	cr_expect(ne(ptr, strstr(f.diag.why, "read-only"), NULL), "%s", f.diag.why);
	expect_text(path, "old");
	teardown(&f);
}

Test(output, link_is_followed_and_stays)
{
	struct fixture f;
	struct stat st;
	const char *target;

	setup(&f);
	cr_assert(eq(int, mkdir(at(&f, "sub"), 0755), 0));
	target = leat_tmpdir_write(&f.dir, "sub/real.html", "old", 3);
	cr_assert(eq(int, symlink("sub/second", at(&f, "first")), 0));
	cr_assert(eq(int, symlink("real.html", at(&f, "sub/second")), 0));
	cr_assert(eq(int, open_out(&f, at(&f, "first")), 0), "%s", f.diag.what);
	cr_assert(eq(int, commit(&f, "new"), 0));
	expect_text(target, "new");
	cr_assert(eq(int, lstat(at(&f, "first"), &st), 0));
	cr_expect(eq(uint, st.st_mode & S_IFMT, S_IFLNK));
	cr_expect(eq(int, entries(&f), 2));
	teardown(&f);
}

Test(output, dangling_link_makes_its_target)
{
	struct fixture f;

	setup(&f);
	cr_assert(eq(int, symlink(at(&f, "real.html"), at(&f, "link")), 0));
	cr_assert(eq(int, open_out(&f, at(&f, "link")), 0), "%s", f.diag.what);
	cr_assert(eq(int, commit(&f, "new"), 0));
	expect_text(at(&f, "real.html"), "new");
	teardown(&f);
}

Test(output, link_into_nowhere)
{
	struct fixture f;

	setup(&f);
	cr_assert(eq(int, symlink("none/real.html", at(&f, "link")), 0));
	cr_expect(eq(int, open_out(&f, at(&f, "link")), -ENOENT));
	teardown(&f);
}

Test(output, devices_are_written_directly)
{
	struct fixture f;
	struct stat st;

	setup(&f);
	cr_assert(eq(int, symlink("/dev/null", at(&f, "null")), 0));
	cr_assert(eq(int, open_out(&f, at(&f, "null")), 0), "%s", f.diag.what);
	cr_expect(f.out.direct);
	cr_assert(eq(int, commit(&f, "x"), 0));
	cr_assert(eq(int, stat("/dev/null", &st), 0));
	cr_expect(eq(uint, st.st_mode & S_IFMT, S_IFCHR));
	cr_assert(eq(int, open_out(&f, "/dev/null"), 0));
	cr_assert(eq(int, commit(&f, "x"), 0));
	teardown(&f);
}

Test(output, full_device_is_an_error)
{
	struct fixture f;

	setup(&f);
	cr_assert(eq(int, open_out(&f, "/dev/full"), 0), "%s", f.diag.what);
	cr_expect(eq(int, commit(&f, "x"), -ENOSPC));
	cr_expect(ne(ptr, strstr(f.diag.why, "no space"), NULL));
	teardown(&f);
}

/* The write fails in the middle: the old file stays, nothing partial is left. */
Test(output, failed_write_keeps_the_old_file)
{
	struct rlimit limit = { .rlim_cur = 10, .rlim_max = RLIM_INFINITY };
	struct fixture f;
	const char *path;

	setup(&f);
	signal(SIGXFSZ, SIG_IGN);
	path = leat_tmpdir_write(&f.dir, "a.html", "old", 3);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 10;
	cr_assert(eq(int, open_out(&f, path), 0));
	cr_assert(eq(int, setrlimit(RLIMIT_FSIZE, &limit), 0));
	cr_expect(eq(int, commit(&f, "more than ten bytes"), -EFBIG));
	limit.rlim_cur = limit.rlim_max;
	cr_assert(eq(int, setrlimit(RLIMIT_FSIZE, &limit), 0));
	expect_text(path, "old");
	cr_expect(eq(int, entries(&f), 1));
	teardown(&f);
}

Test(output, failed_rename_leaves_nothing)
{
	struct fixture f;

	setup(&f);
	cr_assert(eq(int, open_out(&f, at(&f, "a.html")), 0));
	cr_assert(eq(int, mkdir(at(&f, "a.html"), 0755), 0));
	cr_expect(eq(int, commit(&f, "x"), -EISDIR));
	cr_expect(eq(int, entries(&f), 1));
	cr_expect(gt(sz, strlen(f.diag.what), 0));
	teardown(&f);
}

Test(output, pipe_with_a_reader)
{
	struct fixture f;
	char got[8] = "";
	const char *path;
	int fd;

	setup(&f);
	path = at(&f, "fifo");
	cr_assert(eq(int, mkfifo(path, 0600), 0));
	fd = open(path, O_RDONLY | O_NONBLOCK);
	cr_assert(eq(int, open_out(&f, path), 0), "%s", f.diag.what);
	cr_assert(eq(int, commit(&f, "hello"), 0));
	cr_expect(eq(int, (int)read(fd, got, sizeof(got)), 5));
	cr_expect(eq(str, got, STR("hello")));
	close(fd);
	teardown(&f);
}

Test(output, reader_that_went_away_is_quiet)
{
	struct fixture f;
	int fd;

	setup(&f);
	leat_cli_signals_pipe();
	cr_assert(eq(int, mkfifo(at(&f, "fifo"), 0600), 0));
	fd = open(at(&f, "fifo"), O_RDONLY | O_NONBLOCK);
	cr_assert(eq(int, open_out(&f, at(&f, "fifo")), 0));
	close(fd);
	cr_expect(eq(int, commit(&f, "hello"), -EPIPE));
	cr_expect(eq(int, f.diag.err, 0));
	teardown(&f);
}

static void on_alarm(int sig)
{
	(void)sig;
}

Test(output, signal_ends_the_wait_for_a_reader)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct fixture f;

	setup(&f);
	cr_assert(eq(int, mkfifo(at(&f, "fifo"), 0600), 0));
	sigaction(SIGALRM, &sa, NULL);
	ualarm(20000, 20000);
	cr_expect(eq(int, open_out(&f, at(&f, "fifo")), -EINTR));
	ualarm(0, 0);
	cr_expect(eq(int, (int)f.diag.exit, LEAT_EXIT_ABORTED));
	teardown(&f);
}

Test(output, same_file_under_two_names)
{
	struct leat_cli_output other;
	struct fixture f;

	setup(&f);
	leat_cli_output_init(&other);
	leat_tmpdir_write(&f.dir, "a.html", "old", 3);
	cr_assert(eq(int, symlink("a.html", at(&f, "b.html")), 0));
	cr_assert(eq(int, open_out(&f, at(&f, "a.html")), 0));
	cr_assert(
		eq(int, leat_cli_output_open(&other, at(&f, "b.html"), &nobody_special, NULL), 0));
	cr_expect(leat_cli_output_same(&f.out, &other));
	leat_cli_output_abandon(&other);
	cr_assert(
		eq(int, leat_cli_output_open(&other, at(&f, "c.html"), &nobody_special, NULL), 0));
	cr_expect(eq(int, leat_cli_output_same(&f.out, &other), 0));
	leat_cli_output_abandon(&other);
	teardown(&f);
}

Test(output, owner_comes_from_sudo)
{
	struct leat_cli_owner w;

	setenv("SUDO_UID", "4711", 1);
	setenv("SUDO_GID", "4712", 1);
	leat_cli_owner_init(&w);
	cr_expect(eq(int, w.set, geteuid() == 0));
	if (w.set)
		cr_expect(eq(int, w.uid == 4711 && w.gid == 4712, 1));
	setenv("SUDO_GID", "x", 1);
	leat_cli_owner_init(&w);
	cr_expect(eq(int, w.set, 0));
	unsetenv("SUDO_UID");
	leat_cli_owner_init(&w);
	cr_expect(eq(int, w.set, 0));
}

/* What follows needs other users' files, so root; the live tests run it in any case. */
static bool make_sticky(struct fixture *f)
{
	setup(f);
	return geteuid() == 0 && chmod(f->dir.path, 01777) == 0;
}

Test(output, under_sudo_the_file_is_the_users)
{
	struct leat_cli_owner w = { .set = true, .uid = STRANGER, .gid = STRANGER };
	struct fixture f;
	struct stat st;

	if (make_sticky(&f)) {
		cr_assert(eq(int, open_out(&f, at(&f, "a.html")), 0));
		cr_assert(eq(int, leat_cli_output_commit(&f.out, "x", 1, &w, &f.diag), 0));
		cr_assert(eq(int, stat(at(&f, "a.html"), &st), 0));
		cr_expect(eq(uint, st.st_uid, STRANGER));
		cr_expect(eq(uint, st.st_gid, STRANGER));
	}
	teardown(&f);
}

Test(output, sticky_directory_traps_are_refused)
{
	struct fixture f;

	if (make_sticky(&f)) {
		leat_tmpdir_write(&f.dir, "victim", "old", 3);
		cr_assert(eq(int, symlink("victim", at(&f, "link")), 0));
		cr_assert(eq(int, lchown(at(&f, "link"), STRANGER, STRANGER), 0));
		cr_assert(eq(int, mkfifo(at(&f, "fifo"), 0666), 0));
		cr_assert(eq(int, chown(at(&f, "fifo"), STRANGER, STRANGER), 0));
		cr_expect(eq(int, open_out(&f, at(&f, "link")), -EACCES));
		cr_expect(ne(ptr, strstr(f.diag.why, "uid 4711"), NULL), "%s", f.diag.why);
		cr_expect(eq(int, open_out(&f, at(&f, "fifo")), -EACCES));
		cr_assert(eq(int, chown(at(&f, "victim"), STRANGER, STRANGER), 0));
		cr_expect(eq(int, open_out(&f, at(&f, "victim")), -EACCES));
		expect_text(at(&f, "victim"), "old");
	}
	teardown(&f);
}

Test(output, sticky_directory_own_and_sudo_users_links_are_followed)
{
	struct leat_cli_owner w = { .set = true, .uid = STRANGER, .gid = STRANGER };
	struct fixture f;

	if (make_sticky(&f)) {
		leat_tmpdir_write(&f.dir, "real", "old", 3);
		cr_assert(eq(int, symlink("real", at(&f, "link")), 0));
		cr_assert(eq(int, open_out(&f, at(&f, "link")), 0), "%s", f.diag.what);
		leat_cli_output_abandon(&f.out);
		cr_assert(eq(int, lchown(at(&f, "link"), STRANGER, STRANGER), 0));
		cr_assert(eq(int, leat_cli_output_open(&f.out, at(&f, "link"), &w, &f.diag), 0));
	}
	teardown(&f);
}

/* timeout(1) sends its signal twice at once: that is one request. */
Test(output, signals_at_once_are_one_request)
{
	cr_assert(eq(int, leat_cli_signals_install(), 0));
	cr_expect(eq(int, *leat_cli_signals_stop(), 0));
	raise(SIGINT);
	raise(SIGINT);
	raise(SIGTERM);
	raise(SIGHUP);
	cr_expect(eq(int, *leat_cli_signals_stop(), SIGINT));
}

Test(output, stop_is_the_signal_that_came_first)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(sigs); i++) {
		cr_assert(eq(int, leat_cli_signals_install(), 0));
		raise(sigs[i]);
		raise(SIGTERM);
		cr_expect(eq(int, *leat_cli_signals_stop(), sigs[i]));
	}
}

Test(output, quit_that_is_ignored_stays_ignored)
{
	signal(SIGQUIT, SIG_IGN);
	cr_assert(eq(int, leat_cli_signals_install(), 0));
	raise(SIGQUIT);
}

Test(output, hangup_that_is_ignored_stays_ignored)
{
	signal(SIGHUP, SIG_IGN);
	cr_assert(eq(int, leat_cli_signals_install(), 0));
	raise(SIGHUP);
	cr_expect(eq(int, *leat_cli_signals_stop(), 0));
}

Test(output, slots_for_temporary_files_are_bounded)
{
	char big[300];

	for (int i = 0; i < LEAT_CLI_MAX_TEMPS; i++)
		cr_assert(eq(int, leat_cli_temp_remember(-1, "x"), i));
	cr_expect(eq(int, leat_cli_temp_remember(-1, "x"), -1));
	leat_cli_temp_forget(3);
	cr_expect(eq(int, leat_cli_temp_remember(-1, "x"), 3));
	leat_cli_temp_forget(3);
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	cr_expect(eq(int, leat_cli_temp_remember(-1, big), -1));
	leat_cli_temp_forget(-1);
}
