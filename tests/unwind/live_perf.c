/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A perf record whose own samples carry leat's program: its events are lent from it, and its file is
 * read when it has ended. Of the file (tools/perf/Documentation/perf.data-file-format.txt) the format
 * of the first event counts: the others of perf record, for mappings, give no samples.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "live.h"

#define MAGIC	   "PERFILE2"
#define PATH_BYTES 300

static void die(const char *what, int err)
{
	fprintf(stderr, "%s: %s\n", what, strerror(err));
	exit(2);
}

/* ---- its events ---- */

static bool is_event(uint32_t tgid, const char *fd)
{
	char path[PATH_BYTES], to[PATH_BYTES];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/fd/%s", tgid, fd);
	n = readlink(path, to, sizeof(to) - 1);
	if (n < 0)
		return false;
	to[n] = 0;
	return strcmp(to, "anon_inode:[perf_event]") == 0;
}

/* True: the event runs the program from now on, until perf closes it. */
static bool share_event(int pidfd, int fd, int prog_fd)
{
	int event = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	bool done;

	if (event < 0)
		die("event of perf", errno);
	done = ioctl(event, PERF_EVENT_IOC_SET_BPF, prog_fd) == 0;
	close(event);
	return done;
}

int perf_share(uint32_t tgid, int prog_fd)
{
	int pidfd = (int)syscall(SYS_pidfd_open, tgid, 0);
	char path[PATH_BYTES];
	struct dirent *e;
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/fd", tgid);
	dir = opendir(path);
	if (pidfd < 0 || !dir)
		die("perf record", errno);
	while ((e = readdir(dir))) {
		if (is_event(tgid, e->d_name))
			n += share_event(pidfd, (int)strtol(e->d_name, NULL, 10), prog_fd);
	}
	closedir(dir);
	if (!n)
		die("events of perf record", ENOENT);
	return pidfd;
}

/* ---- its file ---- */

struct section {
	uint64_t off, size;
};

struct file_header {
	char magic[8];
	uint64_t size, attr_size;
	struct section attrs, data, event_types;
};

static void read_at(FILE *f, uint64_t off, void *to, size_t n)
{
	if (fseeko(f, (off_t)off, SEEK_SET) || fread(to, 1, n, f) != n)
		die("file of perf", EBADMSG);
}

/* False: it is of no process that is judged. */
static bool is_wanted(const struct take *t, const struct copy *c)
{
	for (size_t i = 0; i < t->pid_cnt; i++) {
		if (t->pids[i] == c->tgid)
			return true;
	}
	return false;
}

static void add(struct take *t, const struct copy_format *f, const uint8_t *p, size_t n)
{
	const size_t before = t->copy_cnt;

	take_add(t, f, p, n);
	if (t->copy_cnt == before || is_wanted(t, &t->copies[before]))
		return;
	free(t->copies[before].stack);
	t->copy_cnt = before;
}

void perf_read(struct take *t)
{
	static uint8_t record[UINT16_MAX + 1];
	struct perf_event_header h;
	struct perf_event_attr attr = { 0 };
	struct file_header head;
	FILE *f = fopen(t->perf_data, "re");
	struct copy_format format;

	if (!f)
		die(t->perf_data, errno);
	read_at(f, 0, &head, sizeof(head));
	if (memcmp(head.magic, MAGIC, sizeof(head.magic)) != 0)
		die(t->perf_data, EBADMSG);
	read_at(f, head.attrs.off, &attr,
		head.attr_size < sizeof(attr) ? head.attr_size : sizeof(attr));
	format = (struct copy_format){ attr.sample_type, attr.sample_regs_user };
	for (uint64_t at = 0; at < head.data.size; at += h.size) {
		read_at(f, head.data.off + at, &h, sizeof(h));
		if (h.size < sizeof(h) || h.size > head.data.size - at)
			die(t->perf_data, EBADMSG);
		read_at(f, head.data.off + at + sizeof(h), record, h.size - sizeof(h));
		if (h.type == PERF_RECORD_SAMPLE)
			add(t, &format, record, h.size - sizeof(h));
	}
	fclose(f);
}
