/* SPDX-License-Identifier: BSD-2-Clause */
#include "live/command.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

/* The user behind sudo; uid 0 when there is none. */
struct user {
	uid_t uid;
	gid_t gid;
	const char *name;
};

static bool number_env(const char *name, unsigned long *out)
{
	const char *s = getenv(name);
	char *end;

	if (!s || *s < '0' || *s > '9')
		return false;
	errno = 0;
	*out = strtoul(s, &end, 10);
	return !errno && !*end && *out < UINT32_MAX;
}

static struct user invoking_user(void)
{
	unsigned long uid, gid;
	struct user u = { 0 };

	if (geteuid() != 0 || !number_env("SUDO_UID", &uid) || !number_env("SUDO_GID", &gid))
		return u;
	u.uid = (uid_t)uid;
	u.gid = (gid_t)gid;
	u.name = getenv("SUDO_USER");
	return u;
}

static int become(const struct user *u)
{
	if (!u->uid)
		return 0;
	if (u->name ? initgroups(u->name, u->gid) : setgroups(1, &u->gid))
		return -errno;
	if (setresgid(u->gid, u->gid, u->gid) || setresuid(u->uid, u->uid, u->uid))
		return -errno;
	return 0;
}

static void restore_defaults(uint64_t nofile)
{
	struct rlimit lim;
	sigset_t none;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (nofile && !getrlimit(RLIMIT_NOFILE, &lim)) {
		lim.rlim_cur = nofile;
		setrlimit(RLIMIT_NOFILE, &lim);
	}
}

/* Never returns: waits for the word to go, then becomes the program. */
static void child(char **argv, int go_fd, int err_fd, uint64_t nofile)
{
	struct user u = invoking_user();
	char go;
	int err;
	ssize_t n;

	restore_defaults(nofile);
	do {
		n = read(go_fd, &go, 1);
	} while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(127); /* leat has given up */
	err = become(&u);
	if (!err) {
		execvp(argv[0], argv);
		err = -errno;
	}
	n = write(err_fd, &err, sizeof(err));
	_exit(n == sizeof(err) ? 127 : 126);
}

int leat_command_start(struct leat_command *c, char **argv, uint64_t nofile, struct leat_diag *diag)
{
	int go[2] = { -1, -1 }, err[2] = { -1, -1 };
	pid_t pid = -1;
	int why = 0;

	*c = (struct leat_command){ .go_fd = -1, .err_fd = -1 };
	if (pipe2(go, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		why = -errno;
	if (!why && (pid = fork()) < 0)
		why = -errno;
	if (pid == 0) {
		close(go[1]);
		child(argv, go[0], err[1], nofile);
	}
	if (go[0] >= 0)
		close(go[0]);
	if (err[1] >= 0)
		close(err[1]);
	c->go_fd = go[1];
	c->err_fd = err[0];
	if (why) {
		leat_command_fini(c);
		return leat_diag_set(diag, why, LEAT_EXIT_FAILURE, "cannot start '%s' (%s)",
				     argv[0], strerrorname_np(-why));
	}
	c->pid = pid;
	return 0;
}

static int cannot_run(const char *name, int err, struct leat_diag *d)
{
	leat_diag_set(d, err, LEAT_EXIT_TARGET, "cannot run '%s' (%s)", name,
		      strerrorname_np(-err));
	if (err == -ENOENT && strchr(name, '/')) {
		leat_diag_why(d, "there is no such file, or its interpreter is missing");
		leat_diag_fix(d, "look at it: ls -l '%s'; head -n 1 '%s'", name, name);
	} else if (err == -ENOENT) {
		leat_diag_why(d, "it is not in PATH");
		leat_diag_fix(d, "give its path: leat record -- ./%s", name);
	} else if (err == -EACCES) {
		leat_diag_why(d, "it is not executable for the user that it would run as, or is a "
				 "directory");
		leat_diag_fix(d, "look at it: ls -ld '%s'; make it executable: chmod +x '%s'", name,
			      name);
	}
	return err;
}

int leat_command_go(struct leat_command *c, const char *name, struct leat_diag *diag)
{
	int err = 0;
	ssize_t n;

	/* When it has gone already, its end of the other pipe tells. */
	if (write(c->go_fd, "", 1) < 0)
		leat_log(LEAT_LOG_DEBUG, "cannot let '%s' go (%s)", name, strerrorname_np(errno));
	close(c->go_fd);
	c->go_fd = -1;
	do {
		n = read(c->err_fd, &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	close(c->err_fd);
	c->err_fd = -1;
	c->failed = n == sizeof(err) && err < 0;
	return c->failed ? cannot_run(name, err, diag) : 0;
}

void leat_command_signal(const struct leat_command *c, int sig)
{
	if (c->pid && !c->reaped)
		kill(c->pid, sig);
}

static uint64_t cpu_of(const struct rusage *u)
{
	uint64_t us = (uint64_t)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000u +
		      (uint64_t)(u->ru_utime.tv_usec + u->ru_stime.tv_usec);

	return us * 1000;
}

bool leat_command_reap(struct leat_command *c, unsigned int timeout_ms)
{
	unsigned int waited;

	for (waited = 0; c->pid && !c->reaped; waited += 5) {
		struct timespec nap = { .tv_nsec = 5000000 };
		struct rusage u;
		pid_t got = wait4(c->pid, &c->status, WNOHANG, &u);

		if (got == c->pid) {
			c->reaped = true;
			c->cpu_ns = cpu_of(&u);
		}
		if (c->reaped || waited >= timeout_ms || (got < 0 && errno != EINTR))
			break;
		nanosleep(&nap, NULL);
	}
	return c->reaped;
}

void leat_command_fini(struct leat_command *c)
{
	bool held = c->go_fd >= 0;

	if (c->go_fd >= 0)
		close(c->go_fd);
	if (c->err_fd >= 0)
		close(c->err_fd);
	c->go_fd = c->err_fd = -1;
	/* Its end of the pipe is closed: it leaves by itself. */
	if (held && c->pid)
		leat_command_reap(c, 1000);
}
