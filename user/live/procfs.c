/* SPDX-License-Identifier: BSD-2-Clause */
#include "live/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "live/maps.h"

#define PF_KTHREAD 0x00200000u

static uint64_t clock_of(clockid_t id)
{
	struct timespec ts = { 0 };

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t leat_clock_ns(void)
{
	return clock_of(CLOCK_MONOTONIC);
}

uint64_t leat_clock_real_ns(void)
{
	return clock_of(CLOCK_REALTIME);
}

/*
 * /proc tells the start in ticks of CLOCK_BOOTTIME; the kernel side keeps CLOCK_MONOTONIC. They
 * differ by the time that the host was suspended.
 */
static uint64_t start_to_monotonic(uint64_t ticks)
{
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t monotonic = leat_clock_ns(); /* read first: never ahead of the other */
	uint64_t ahead = clock_of(CLOCK_BOOTTIME) - monotonic;
	uint64_t ns;

	if (hz == 0 || __builtin_mul_overflow(ticks, 1000000000u / hz, &ns))
		return 0;
	return ns > ahead ? ns - ahead : 0;
}

int leat_procfs_text(const char *path, char *out, size_t cap)
{
	LEAT_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len = 0;

	if (fd < 0)
		return -errno;
	while (len + 1 < cap) {
		ssize_t n = read(fd, out + len, cap - 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	out[len] = '\0';
	return (int)len;
}

int leat_procfs_u64(const char *path, uint64_t *out)
{
	char text[64], *end;
	unsigned long long v;
	int n = leat_procfs_text(path, text, sizeof(text));

	if (n < 0)
		return n;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (end == text || errno)
		return -EBADMSG;
	*out = v;
	return 0;
}

static int read_stat(const char *path, struct leat_proc_stat *out)
{
	char text[1024];
	int n = leat_procfs_text(path, text, sizeof(text));

	if (n < 0)
		return n == -ENOENT ? -ESRCH : n;
	return leat_procfs_parse_stat(text, (size_t)n, out);
}

/* The kernel counts a leader until it is collected, dead or not. */
bool leat_procfs_has_ended(const struct leat_proc_stat *st)
{
	return st->state == 'X' || (st->state == 'Z' && st->threads <= 1);
}

bool leat_procfs_is_over(uint32_t tgid)
{
	struct leat_proc_stat st;
	char path[64];
	int err;

	snprintf(path, sizeof(path), "/proc/%u/stat", tgid);
	err = read_stat(path, &st);
	return err ? err == -ESRCH : leat_procfs_has_ended(&st);
}

struct living {
	uint32_t tgid, tid;
};

static int find_living(void *ctx, uint32_t tid)
{
	struct living *l = ctx;
	struct leat_proc_stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/task/%u/stat", l->tgid, tid);
	if (read_stat(path, &st) || st.state == 'Z' || st.state == 'X')
		return 0;
	l->tid = tid;
	return 1;
}

uint32_t leat_procfs_via(uint32_t tgid)
{
	struct living l = { .tgid = tgid };
	struct leat_proc_stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/stat", tgid);
	if (read_stat(path, &st))
		return 0;
	if (st.state != 'Z' && st.state != 'X')
		return tgid;
	if (leat_procfs_has_ended(&st) || leat_procfs_each_thread(tgid, find_living, &l) != 1)
		return 0;
	return l.tid;
}

int leat_procfs_read(uint32_t pid, struct leat_proc_info *out)
{
	struct leat_proc_info p = { 0 };
	char path[64], text[4096];
	int n;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	n = leat_procfs_text(path, text, sizeof(text));
	if (n < 0)
		return n == -ENOENT ? -ESRCH : n;
	n = leat_procfs_parse_stat(text, (size_t)n, &p.stat);
	if (n)
		return n;
	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	n = leat_procfs_text(path, text, sizeof(text));
	if (n < 0)
		return n == -ENOENT ? -ESRCH : n;
	n = leat_procfs_parse_status(text, (size_t)n, &p.status);
	if (n)
		return n;
	snprintf(p.comm, sizeof(p.comm), "%.*s", LEAT_COMM_LEN - 1, p.stat.comm);
	p.start_ns = start_to_monotonic(p.stat.start_ticks);
	p.kthread = p.stat.flags & PF_KTHREAD;
	*out = p;
	return 0;
}

int leat_procfs_exe(uint32_t pid, char *out, size_t cap)
{
	char path[64], link[LEAT_PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	n = readlink(path, link, sizeof(link));
	out[0] = '\0';
	if (n < 0 && (errno == ENOENT || errno == ESRCH)) {
		uint32_t via = leat_procfs_via(pid);

		if (!via || via == pid)
			return 0; /* a kernel thread */
		snprintf(path, sizeof(path), "/proc/%u/exe", via);
		n = readlink(path, link, sizeof(link));
	}
	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	leat_maps_path(link, (size_t)n, out, cap);
	return 0;
}

uint64_t leat_procfs_ns(uint32_t pid, const char *what)
{
	struct stat st;
	char path[64];
	uint32_t via;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%u/ns/%s", pid, what);
	else
		snprintf(path, sizeof(path), "/proc/self/ns/%s", what);
	if (!stat(path, &st))
		return (uint64_t)st.st_ino;
	via = pid ? leat_procfs_via(pid) : 0;
	if (!via || via == pid)
		return 0;
	snprintf(path, sizeof(path), "/proc/%u/ns/%s", via, what);
	return stat(path, &st) ? 0 : (uint64_t)st.st_ino;
}

static int each_number(const char *path, int (*fn)(void *ctx, uint32_t n), void *ctx)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int err = 0;

	if (!d)
		return -errno;
	while (!err && (e = readdir(d))) {
		char *end;
		unsigned long n = strtoul(e->d_name, &end, 10);

		if (end != e->d_name && !*end && n > 0 && n <= INT_MAX)
			err = fn(ctx, (uint32_t)n);
	}
	closedir(d);
	return err;
}

int leat_procfs_each(int (*fn)(void *ctx, uint32_t pid), void *ctx)
{
	return each_number("/proc", fn, ctx);
}

int leat_procfs_each_thread(uint32_t tgid, int (*fn)(void *ctx, uint32_t tid), void *ctx)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/task", tgid);
	return each_number(path, fn, ctx);
}

void leat_procfs_boot(char out[LEAT_BOOT_ID_LEN])
{
	if (leat_procfs_text("/proc/sys/kernel/random/boot_id", out, LEAT_BOOT_ID_LEN) < 0)
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}
