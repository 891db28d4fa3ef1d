/* SPDX-License-Identifier: BSD-2-Clause */
#include "live/stored.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "live/files_impl.h"
#include "live/procfs.h"

#define KALLSYMS_MAX ((size_t)256 << 20)
#define NS_PER_S     1000000000ull
#define TICK_NS	     20000000u /* start times are told to the clock tick, and converted */

struct leat_stored {
	struct leat_files *files; /* none held: each is opened when it is asked for */
	struct leat_file_provider opener;
	bool same_boot;
	uint64_t until_real_ns; /* of the last record: what was changed later is another file */
};

int leat_stored_new(struct leat_stored **out, const struct leat_profile *p)
{
	struct leat_stored *s = calloc(1, sizeof(*s));
	const char *boot = leat_profile_str(p, p->meta.boot);
	char now[LEAT_BOOT_ID_LEN];
	int err = s ? leat_files_new(&s->files) : -ENOMEM;

	if (err) {
		free(s);
		return err;
	}
	leat_procfs_boot(now);
	s->opener = leat_files_provider(s->files);
	s->same_boot = *boot && strcmp(boot, now) == 0;
	s->until_real_ns = p->meta.start_real_ns + p->meta.duration_ns;
	*out = s;
	return 0;
}

void leat_stored_free(struct leat_stored **s)
{
	if (!*s)
		return;
	leat_files_free(&(*s)->files);
	free(*s);
	*s = NULL;
}

static uint64_t ns_of(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * NS_PER_S + (uint64_t)ts->tv_nsec;
}

/* Gives @taken back, or -ESTALE when the file was changed since. */
static int unchanged(const struct leat_stored *s, int taken)
{
	LEAT_CLOSE int fd = taken;
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	/* A time of the inode's cannot be set back, as that of the content can. */
	return ns_of(&st.st_ctim) <= s->until_real_ns ? LEAT_TAKE_FD(fd) : -ESTALE;
}

static int open_binary(const struct leat_stored *s, const struct leat_profile *p,
		       const struct leat_object *o)
{
	int fd;

	/* Device and inode mean nothing on another host, or when a device has gone and come back. */
	if (!o->build_id_len && (!s->same_boot || !o->ino))
		return -ESTALE;
	fd = s->opener.open(s->opener.ctx, p, o, LEAT_FILE_BINARY, NULL, 0);
	return fd < 0 || o->build_id_len ? fd : unchanged(s, fd);
}

/* Where another process has the number now, its root directory is another one, too. */
static bool is_another(const struct leat_process *proc)
{
	struct leat_proc_info info;
	uint64_t a = proc->start_ns, b;

	if (leat_procfs_read(proc->tgid, &info))
		return false;
	b = info.start_ns;
	return !a || (a < b ? b - a : a - b) > TICK_NS;
}

static int open_perf_map(const struct leat_stored *s, const struct leat_profile *p,
			 const struct leat_object *o)
{
	int fd;

	if (o->process >= p->process_cnt || is_another(&p->processes[o->process]))
		return -ESTALE;
	fd = s->opener.open(s->opener.ctx, p, o, LEAT_FILE_PERF_MAP, NULL, 0);
	return fd < 0 ? fd : unchanged(s, fd);
}

/*
 * Where a BPF program was, another may have been loaded since. They stand behind all else, and become
 * data: bounds of what is named, and no names.
 */
static void unname_bpf(char *text)
{
	char *line = strstr(text, "\t[bpf]\n");

	if (line)
		line = memrchr(text, '\n', (size_t)(line - text));
	for (; line && line[1]; line = strchr(line + 1, '\n')) {
		size_t digits = strspn(line + 1, "0123456789abcdef");

		if (line[1 + digits] == ' ' && line[2 + digits])
			line[2 + digits] = 'd';
	}
}

static int open_kallsyms(void)
{
	LEAT_FREE char *text = NULL;
	size_t len;
	int err = leat_file_read_at(AT_FDCWD, "/proc/kallsyms", KALLSYMS_MAX, &text, &len);

	if (err)
		return err;
	unname_bpf(text);
	return leat_file_of_bytes("leat-kallsyms", text, len);
}

static int provide(void *ctx, const struct leat_profile *p, const struct leat_object *o,
		   enum leat_file_what what, const char *arg, unsigned int n)
{
	const struct leat_stored *s = ctx;

	switch (what) {
	case LEAT_FILE_BINARY:
		return open_binary(s, p, o);
	case LEAT_FILE_BUILD_ID:
	case LEAT_FILE_DEBUGLINK:
		break; /* found by the binary, and checked against it */
	case LEAT_FILE_PERF_MAP:
		return s->same_boot ? open_perf_map(s, p, o) : -ESTALE;
	case LEAT_FILE_KALLSYMS:
		return s->same_boot ? open_kallsyms() : -ESTALE;
	case LEAT_FILE_VDSO:
		if (!s->same_boot)
			return -ESTALE;
		break;
	}
	return s->opener.open(s->opener.ctx, p, o, what, arg, n);
}

struct leat_file_provider leat_stored_provider(struct leat_stored *s)
{
	return (struct leat_file_provider){ .ctx = s, .open = provide };
}
