/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tracefs_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "base/file.h"

#define FORMAT_MAX_BYTES (1u << 20)

static int open_mounted(const char *path)
{
	LEAT_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs st;

	if (fd < 0 || fstatfs(fd, &st) || st.f_type != TRACEFS_MAGIC)
		return -1;
	return LEAT_TAKE_FD(fd);
}

/* glibc 2.36 has wrappers of these, older ones have not. */
static int mount_own(int *out)
{
	LEAT_CLOSE int fs = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);
	LEAT_CLOSE int mnt = -1;

	if (fs < 0)
		return -errno;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	mnt = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	if (mnt < 0)
		return -errno;
	*out = LEAT_TAKE_FD(mnt);
	return 0;
}

int leat_tracefs_dir_open(int *out)
{
	static const char *const paths[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(paths); i++) {
		int fd = open_mounted(paths[i]);

		if (fd >= 0) {
			*out = fd;
			return 0;
		}
	}
	return mount_own(out);
}

int leat_tracefs_format_text(int dir, const char *name, char **out, size_t *len)
{
	char path[512];
	const size_t system = strcspn(name, "/:");
	const char *event = name + system + 1;

	/* Two names and nothing else: no way up, no way down. */
	if (!system || !name[system] || !*event || strpbrk(event, "/:") || name[0] == '.' ||
	    event[0] == '.')
		return -EINVAL;
	if (snprintf(path, sizeof(path), "events/%.*s/%s/format", (int)system, name, event) >=
	    (int)sizeof(path))
		return -EINVAL;
	return leat_file_read_at(dir, path, FORMAT_MAX_BYTES, out, len);
}
