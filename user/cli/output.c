/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cli/signals.h"
#include "cli/value.h"

#define MAX_LINKS  40 /* as the kernel's own limit */
#define FILE_MODE  0644
#define MAX_TRIES  16  /* for a random name that nobody has */
#define MAX_NUMBER 999 /* of x-2.html, ... */
#define COPY_BYTES ((size_t)16 << 20)

void leat_cli_owner_init(struct leat_cli_owner *w)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	uint64_t u, g;

	*w = (struct leat_cli_owner){ 0 };
	if (geteuid() != 0 || !uid || !gid || leat_cli_value_u64(uid, &u) ||
	    leat_cli_value_u64(gid, &g) || u >= UINT32_MAX || g >= UINT32_MAX)
		return;
	*w = (struct leat_cli_owner){ .set = true, .uid = (uid_t)u, .gid = (gid_t)g };
}

void leat_cli_output_init(struct leat_cli_output *o)
{
	*o = (struct leat_cli_output){ .fd = -1, .dirfd = -1, .temp_slot = -1 };
}

void leat_cli_output_abandon(struct leat_cli_output *o)
{
	if (o->temp[0])
		unlinkat(o->dirfd, o->temp, 0);
	leat_cli_temp_forget(o->temp_slot);
	if (o->fd >= 0)
		close(o->fd);
	if (o->dirfd >= 0)
		close(o->dirfd);
	leat_cli_output_init(o);
}

bool leat_cli_output_same(const struct leat_cli_output *a, const struct leat_cli_output *b)
{
	return a->direct == b->direct && a->dev == b->dev && a->ino == b->ino &&
	       strcmp(a->base, b->base) == 0;
}

LEAT_PRINTF(4, 5)
static int fail(struct leat_diag *d, const char *path, int err, const char *fmt, ...)
{
	const char *name = strerrorname_np(-err);
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	leat_diag_set(d, err, LEAT_EXIT_FAILURE, "cannot write '%s' (%s)", path,
		      name ? name : "unknown");
	leat_diag_why(d, "%s", why);
	return err;
}

/* A failed open or create at @path, whose directory is @dir. */
static int fail_open(struct leat_diag *d, const char *path, const char *dir, int err)
{
	switch (err) {
	case -ENOENT:
		fail(d, path, err, "the directory '%s' does not exist", dir);
		leat_diag_fix(d, "mkdir -p '%s'", dir);
		return err;
	case -ENOTDIR:
		return fail(d, path, err, "'%s' is not a directory", dir);
	case -EACCES:
	case -EPERM:
		fail(d, path, err, "uid %u may not write there", (unsigned int)geteuid());
		leat_diag_fix(d, "give a name in a directory of your own: -o \"$HOME/flame.html\"");
		return err;
	case -EROFS:
		fail(d, path, err, "the file system of '%s' is read-only", dir);
		leat_diag_fix(d, "give a name on another one: -o /tmp/flame.html");
		return err;
	case -ENOSPC:
	case -EDQUOT:
		return fail(d, path, err, "no space is left in '%s'", dir);
	default:
		return fail(d, path, err, "%s", strerror(-err));
	}
}

/*
 * Creating failed in the directory that o->dirfd is: it is there, whatever errno claims. /proc says
 * ENOENT and /sys EACCES to everybody.
 */
static int fail_create(const struct leat_cli_output *o, struct leat_diag *d, const char *dir,
		       int err)
{
	struct stat st;

	if (err != -ENOENT && err != -EACCES && err != -EPERM && err != -EOPNOTSUPP)
		return fail_open(d, o->path, dir, err);
	if (fstat(o->dirfd, &st) == 0 && st.st_nlink == 0)
		return fail(d, o->path, err, "the directory '%s' was deleted", dir);
	if (err != -ENOENT && faccessat(o->dirfd, ".", W_OK, AT_EACCESS) != 0)
		return fail_open(d, o->path, dir, err);
	fail(d, o->path, err, "no files can be created in this file system, that of '%s'", dir);
	leat_diag_fix(d, "give a name on another one: -o /tmp/flame.html");
	return err;
}

/* Splits at the last slash: the directory into @dir (PATH_MAX bytes), the rest is returned. */
static const char *split(const char *path, char *dir)
{
	const char *slash = strrchr(path, '/');

	if (!slash) {
		snprintf(dir, PATH_MAX, ".");
		return path;
	}
	snprintf(dir, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return slash + 1;
}

static bool trusted(uid_t uid, const struct stat *dir, const struct leat_cli_owner *w)
{
	return uid == geteuid() || uid == dir->st_uid || uid == 0 || (w->set && uid == w->uid);
}

/*
 * What the kernel does under fs.protected_symlinks and protected_fifos, for every kernel: in a
 * sticky directory that all may write to (/tmp), links, pipes and files of strangers are traps.
 */
static int check_sticky(const struct leat_cli_output *o, const struct stat *dir,
			const struct stat *st, const struct leat_cli_owner *w, struct leat_diag *d)
{
	if ((dir->st_mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH) ||
	    trusted(st->st_uid, dir, w))
		return 0;
	fail(d, o->path, -EACCES,
	     "it exists, belongs to uid %u, and stands in a directory that everybody may write to",
	     (unsigned int)st->st_uid);
	leat_diag_fix(d, "give another name");
	return -EACCES;
}

/* Devices and pipes; @flags: O_NOFOLLOW unless a link was seen there, and trusted. */
static int open_direct(struct leat_cli_output *o, int flags, struct leat_diag *d)
{
	LEAT_CLOSE int fd = openat(o->dirfd, o->base, O_WRONLY | O_NOCTTY | O_CLOEXEC | flags);
	struct stat st;

	if (fd < 0 && errno == EINTR)
		return leat_diag_set(d, -EINTR, LEAT_EXIT_ABORTED,
				     "interrupted while '%s' had no reader", o->path);
	if (fd < 0 || fstat(fd, &st) != 0)
		return fail_open(d, o->path, o->path, -errno);
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		return fail(d, o->path, -ESTALE, "it was exchanged while leat looked at it");
	close(o->dirfd);
	o->dirfd = -1;
	o->fd = LEAT_TAKE_FD(fd);
	o->direct = true;
	o->tty = isatty(o->fd);
	o->dev = st.st_dev;
	o->ino = st.st_ino;
	return 0;
}

/* Makes the name o->temp and removes it when the program is aborted. */
static int name_temp(struct leat_cli_output *o)
{
	uint64_t r;

	if (getrandom(&r, sizeof(r), 0) != sizeof(r))
		return -EIO;
	snprintf(o->temp, sizeof(o->temp), ".leat-%016llx.tmp", (unsigned long long)r);
	o->temp_slot = leat_cli_temp_remember(o->dirfd, o->temp);
	return 0;
}

static void forget_temp(struct leat_cli_output *o)
{
	leat_cli_temp_forget(o->temp_slot);
	o->temp_slot = -1;
	o->temp[0] = '\0';
}

/* Where there are no nameless files. */
static int create_temp(struct leat_cli_output *o)
{
	int err = -EEXIST;

	for (int tries = 0; tries < MAX_TRIES && err == -EEXIST; tries++) {
		err = name_temp(o);
		if (err)
			return err;
		o->fd = openat(o->dirfd, o->temp,
			       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
		err = o->fd >= 0 ? 0 : -errno;
		if (err)
			forget_temp(o);
	}
	return err;
}

/*
 * A file without a name: even SIGKILL leaves nothing of it. Before Linux 6.0 some file systems did
 * not apply the umask to these (ac6800e279a2), so it is done here.
 */
static bool create_nameless(struct leat_cli_output *o)
{
	mode_t mask = umask(077);

	umask(mask);
	o->fd = openat(o->dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE & ~mask);
	o->nameless = o->fd >= 0;
	return o->nameless;
}

static int check_regular(struct leat_cli_output *o, const struct stat *st, struct leat_diag *d)
{
	int err;

	if (S_ISDIR(st->st_mode)) {
		fail(d, o->path, -EISDIR, "it is a directory");
		leat_diag_fix(d, "name a file in it: -o '%s/flame.html'", o->path);
		return -EISDIR;
	}
	/* rename() would replace it all the same; who made it read-only meant something else. */
	if (faccessat(o->dirfd, o->base, W_OK, AT_EACCESS) == 0)
		return 0;
	err = fail(d, o->path, -errno, "the file that stands there is read-only");
	leat_diag_fix(d, "give another name, or: chmod u+w '%s'", o->path);
	return err;
}

struct walk {
	char path[PATH_MAX]; /* what is still to be opened, from .dirfd */
	char dir[PATH_MAX];
};

/* Opens the directory of w->path in the place of o->dirfd. The last part is returned. */
static int enter(struct leat_cli_output *o, struct walk *k, const char **base, struct leat_diag *d)
{
	int from = o->dirfd >= 0 ? o->dirfd : AT_FDCWD;
	int fd;

	*base = split(k->path, k->dir);
	fd = openat(from, k->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_open(d, o->path, k->dir, -errno);
	if (o->dirfd >= 0)
		close(o->dirfd);
	o->dirfd = fd;
	if (!**base) {
		fail(d, o->path, -EISDIR, "it names a directory");
		leat_diag_fix(d, "name a file in it: -o '%sflame.html'", o->path);
		return -EISDIR;
	}
	if (strlen(*base) > NAME_MAX)
		return fail(d, o->path, -ENAMETOOLONG, "its name has more than %d bytes", NAME_MAX);
	return 0;
}

/*
 * One step: decides what stands at k->path. 1: a link, k->path is now its target. 0: done, with
 * o->fd or o->base set. Negative: refused.
 */
static int step(struct leat_cli_output *o, struct walk *k, const struct leat_cli_owner *w,
		struct leat_diag *d)
{
	struct stat dir, st, target;
	const char *base;
	ssize_t n;
	int err = enter(o, k, &base, d);

	if (err)
		return err;
	if (fstat(o->dirfd, &dir) != 0)
		return fail(d, o->path, -errno, "%s", strerror(errno));
	o->dev = dir.st_dev;
	o->ino = dir.st_ino;
	snprintf(o->base, sizeof(o->base), "%s", base);
	if (fstatat(o->dirfd, o->base, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : fail_open(d, o->path, k->dir, -errno);
	err = check_sticky(o, &dir, &st, w, d);
	if (err)
		return err;
	if (!S_ISLNK(st.st_mode))
		return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? check_regular(o, &st, d)
								  : open_direct(o, O_NOFOLLOW, d);
	/* Links of /proc/self/fd lead to pipes that have no path. */
	if (fstatat(o->dirfd, o->base, &target, 0) == 0 && !S_ISREG(target.st_mode) &&
	    !S_ISDIR(target.st_mode))
		return open_direct(o, 0, d);
	n = readlinkat(o->dirfd, o->base, k->path, sizeof(k->path) - 1);
	if (n < 0)
		return fail_open(d, o->path, k->dir, -errno);
	k->path[n] = '\0';
	return 1;
}

static int open_stdout(struct leat_cli_output *o, struct leat_diag *d)
{
	struct stat st;

	o->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (o->fd < 0 || fstat(o->fd, &st) != 0)
		return fail(d, "-", -errno, "standard output is closed");
	o->direct = true;
	o->tty = isatty(o->fd);
	o->dev = st.st_dev;
	o->ino = st.st_ino;
	return 0;
}

static int open_path(struct leat_cli_output *o, const struct leat_cli_owner *w, struct leat_diag *d)
{
	struct walk k;
	int more = 1;

	if (snprintf(k.path, sizeof(k.path), "%s", o->path) >= (int)sizeof(k.path))
		return fail(d, o->path, -ENAMETOOLONG, "the path has more than %d bytes", PATH_MAX);
	for (int i = 0; more == 1; i++) {
		if (i > MAX_LINKS)
			return fail(d, o->path, -ELOOP, "more than %d symbolic links", MAX_LINKS);
		more = step(o, &k, w, d);
	}
	if (more < 0 || o->direct)
		return more;
	if (create_nameless(o))
		return 0;
	more = create_temp(o);
	return more ? fail_create(o, d, k.dir, more) : 0;
}

int leat_cli_output_open(struct leat_cli_output *o, const char *path,
			 const struct leat_cli_owner *w, struct leat_diag *diag)
{
	int err;

	leat_cli_output_init(o);
	o->path = path;
	if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0)
		err = open_stdout(o, diag);
	else
		err = open_path(o, w, diag);
	if (err)
		leat_cli_output_abandon(o);
	return err;
}

/* An earlier one is all that is left of a recording: it is never written over. */
static int create_part(struct leat_cli_output *o)
{
	char name[NAME_MAX + 32];

	for (int i = 1; i <= MAX_NUMBER; i++) {
		char suffix[16] = "";

		if (i > 1)
			snprintf(suffix, sizeof(suffix), "-%d", i);
		snprintf(name, sizeof(name), "%s.part%s", o->base, suffix);
		if (strlen(name) > NAME_MAX)
			return -ENAMETOOLONG;
		o->fd = openat(o->dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			       FILE_MODE);
		if (o->fd < 0 && errno == EEXIST)
			continue;
		if (o->fd < 0)
			return -errno;
		snprintf(o->temp, sizeof(o->temp), "%.*s", NAME_MAX, name);
		o->temp_slot = leat_cli_temp_remember(o->dirfd, o->temp);
		return 0;
	}
	return -EEXIST;
}

int leat_cli_output_name_part(struct leat_cli_output *o, const struct leat_cli_owner *w,
			      struct leat_diag *diag)
{
	int err;

	if (o->direct)
		return 0;
	if (o->temp[0]) {
		unlinkat(o->dirfd, o->temp, 0);
		forget_temp(o);
	}
	close(o->fd);
	o->fd = -1;
	o->nameless = false;
	err = create_part(o);
	/* Whoever finds it after a crash may read it. Some file systems know no owners. */
	if (!err && w->set && fchown(o->fd, w->uid, w->gid) != 0 && errno != EPERM &&
	    errno != ENOSYS && errno != EINVAL)
		err = -errno;
	return err ? fail(diag, o->path, err, "%s", strerror(-err)) : 0;
}

void leat_cli_numbered_take(struct leat_cli_numbered *n, unsigned int number)
{
	char suffix[16] = "";

	if (number > 1)
		snprintf(suffix, sizeof(suffix), "-%u", number);
	snprintf(n->name, sizeof(n->name), "%s%s%s", n->stem, suffix, n->extension);
}

/* Gives the nameless file the name @name; -EEXIST when it is taken. */
static int link_as(const struct leat_cli_output *o, const char *name)
{
	char self[40];

	snprintf(self, sizeof(self), "/dev/fd/%d", o->fd);
	if (linkat(AT_FDCWD, self, o->dirfd, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno == EEXIST)
		return -EEXIST;
	/* No /dev/fd here: this way wants CAP_DAC_READ_SEARCH. */
	return linkat(o->fd, "", o->dirfd, name, AT_EMPTY_PATH) == 0 ? 0 : -errno;
}

static int rename_temp(const struct leat_cli_output *o)
{
	struct stat st;

	if (!o->numbered)
		return renameat(o->dirfd, o->temp, o->dirfd, o->base) == 0 ? 0 : -errno;
	if (renameat2(o->dirfd, o->temp, o->dirfd, o->base, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* A file system that knows no flags: what remains is to look. */
	if (fstatat(o->dirfd, o->base, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(o->dirfd, o->temp, o->dirfd, o->base) == 0 ? 0 : -errno;
}

/* Gives the file the name o->base; -EEXIST when it is taken and must not be replaced. */
static int take_name(struct leat_cli_output *o)
{
	int err = o->nameless ? link_as(o, o->base) : 0;

	if (o->nameless && (err != -EEXIST || o->numbered))
		return err;
	for (int tries = 0; tries < MAX_TRIES && err == -EEXIST; tries++) {
		err = name_temp(o);
		if (!err)
			err = link_as(o, o->temp);
		if (err)
			forget_temp(o);
	}
	if (err)
		return err;
	err = rename_temp(o);
	if (!err)
		forget_temp(o);
	return err;
}

/* Everything that can fail before the name is taken, and that. */
static int finish_file(struct leat_cli_output *o, const struct leat_cli_owner *w)
{
	int copy, err = 0;

	/* Some file systems know no owners; the file is still whole then. */
	if (w->set && fchown(o->fd, w->uid, w->gid) != 0 && errno != EPERM && errno != ENOSYS &&
	    errno != EINVAL)
		return -errno;
	/* Network file systems say only at a close that the disk is full; any close will do. */
	copy = fcntl(o->fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0 || (close(copy) != 0 && errno != EINTR))
		return -errno;
	err = take_name(o);
	for (unsigned int i = 2; err == -EEXIST && o->numbered && i <= MAX_NUMBER; i++) {
		leat_cli_numbered_take(o->numbered, i);
		snprintf(o->base, sizeof(o->base), "%s", o->numbered->name);
		err = take_name(o);
	}
	return err;
}

int leat_cli_output_write(void *output, const void *data, size_t n)
{
	struct leat_cli_output *o = output;
	int err = leat_file_write_all(o->fd, data, n);

	if (!o->write_err)
		o->write_err = err;
	return err;
}

/* The file got no name, for a reason that may lie in its having none: once more, with one. */
static bool link_refused(const struct leat_cli_output *o, int err)
{
	return o->nameless && (err == -EPERM || err == -EACCES || err == -ENOENT || err == -EXDEV ||
			       err == -EOPNOTSUPP || err == -EINVAL);
}

int leat_cli_output_fail(const struct leat_cli_output *o, struct leat_diag *d, int err)
{
	if (err == -ENOSPC || err == -EDQUOT) {
		fail(d, o->path, err, "no space is left on its file system");
		leat_diag_fix(d, "give a name on another one: -o /tmp/flame.html");
		return err;
	}
	return fail(d, o->path, err, "%s", strerror(-err));
}

/* The same bytes in a file that has a name from the beginning. */
static int begin_again(struct leat_cli_output *o)
{
	LEAT_CLOSE int from = o->fd;
	off_t at = 0;
	ssize_t n;
	int err;

	o->fd = -1;
	o->nameless = false;
	err = create_temp(o);
	while (!err && (n = sendfile(o->fd, from, &at, COPY_BYTES)) != 0) {
		if (n < 0 && errno != EINTR)
			err = -errno;
	}
	return err;
}

int leat_cli_output_commit(struct leat_cli_output *o, const void *data, size_t n,
			   const struct leat_cli_owner *w, struct leat_diag *diag)
{
	int err = leat_cli_output_write(o, data, n);

	if (!err && !o->direct) {
		err = finish_file(o, w);
		if (link_refused(o, err)) {
			err = begin_again(o);
			if (!err)
				err = finish_file(o, w);
		}
	}
	if (err && err != -EPIPE)
		leat_cli_output_fail(o, diag, err);
	leat_cli_output_abandon(o);
	return err;
}
