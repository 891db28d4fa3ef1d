/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/signals.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "base/diag.h"

/*
 * timeout(1) and some terminals deliver one request twice, to the process and to its group; what
 * comes within this time is not a second Ctrl-C of a person.
 */
#define ONE_REQUEST_NS 300000000ll

struct temp {
	int dirfd;
	char name[NAME_MAX + 1];
	volatile sig_atomic_t used; /* set last, cleared first */
};

static struct temp temps[LEAT_CLI_MAX_TEMPS];
static volatile sig_atomic_t stop;
static volatile int64_t stop_ns;

static int64_t now_ns(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* Async-signal-safe calls only. */
static void abort_now(void)
{
	static const char text[] = "\nleat: aborted; unfinished files are removed\n";
	ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)n;
	for (size_t i = 0; i < LEAT_CLI_MAX_TEMPS; i++)
		if (temps[i].used)
			unlinkat(temps[i].dirfd, temps[i].name, 0);
	_exit(LEAT_EXIT_ABORTED);
}

static void on_stop(int sig)
{
	int saved = errno;

	if (stop && sig == SIGINT && now_ns() - stop_ns > ONE_REQUEST_NS)
		abort_now();
	if (!stop) {
		stop_ns = now_ns();
		stop = sig; /* a command gets the same one */
	}
	errno = saved;
}

/* Ctrl-\ is for a program that hangs; a core of leat helps nobody. */
static void on_quit(int sig)
{
	(void)sig;
	abort_now();
}

static void on_pipe(int sig)
{
	(void)sig;
}

const volatile sig_atomic_t *leat_cli_signals_stop(void)
{
	return &stop;
}

int leat_cli_signals_install(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction sa = { 0 }, old;

	stop = 0;
	/* One at a time: the handler is not interrupted by itself. No SA_RESTART: waits end. */
	sigfillset(&sa.sa_mask);
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(ends); i++) {
		if (sigaction(ends[i], NULL, &old) != 0)
			return -errno;
		/* nohup leat ...: whoever ignores hang-ups goes on ignoring them. */
		if ((ends[i] == SIGHUP || ends[i] == SIGQUIT) && old.sa_handler == SIG_IGN)
			continue;
		sa.sa_handler = ends[i] == SIGQUIT ? on_quit : on_stop;
		if (sigaction(ends[i], &sa, NULL) != 0)
			return -errno;
	}
	return 0;
}

void leat_cli_signals_pipe(void)
{
	/* A handler, for SIG_IGN would be inherited by a command across exec. */
	struct sigaction sa = { .sa_handler = on_pipe };

	sigaction(SIGPIPE, &sa, NULL);
}

int leat_cli_temp_remember(int dirfd, const char *name)
{
	for (int i = 0; i < LEAT_CLI_MAX_TEMPS; i++) {
		struct temp *t = &temps[i];

		if (t->used)
			continue;
		if (snprintf(t->name, sizeof(t->name), "%s", name) >= (int)sizeof(t->name))
			return -1;
		t->dirfd = dirfd;
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		t->used = 1;
		return i;
	}
	return -1;
}

void leat_cli_temp_forget(int slot)
{
	if (slot >= 0 && slot < LEAT_CLI_MAX_TEMPS)
		temps[slot].used = 0;
}
