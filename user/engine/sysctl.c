/* SPDX-License-Identifier: BSD-2-Clause */
/* The one file of the engine that reads /proc: limits of the host and facts about leat itself. */
#include "engine/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

#define FILE_MAX 16384

int leat_sysctl_read(const char *name, int64_t *out)
{
	LEAT_FREE char *text = NULL;
	char path[128];
	char *end;
	size_t len;
	int err;

	if (snprintf(path, sizeof(path), "/proc/sys/%s", name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	err = leat_file_read_at(AT_FDCWD, path, FILE_MAX, &text, &len);
	if (err)
		return err;
	errno = 0;
	*out = strtoll(text, &end, 10);
	return end == text || errno ? -EBADMSG : 0;
}

/* The number behind "@key" in a file of "key: value" lines. */
static int read_key(const char *path, const char *key, int base, uint64_t *out)
{
	LEAT_FREE char *text = NULL;
	const char *at;
	size_t len;
	int err = leat_file_read_at(AT_FDCWD, path, FILE_MAX, &text, &len);

	if (err)
		return err;
	at = strstr(text, key);
	if (!at)
		return -ENOENT;
	*out = strtoull(at + strlen(key), NULL, base);
	return 0;
}

int leat_cap_effective(uint64_t *out)
{
	return read_key("/proc/self/status", "CapEff:", 16, out);
}

size_t leat_map_memory(int map_fd)
{
	char path[64];
	uint64_t bytes;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", map_fd);
	return read_key(path, "memlock:", 10, &bytes) ? 0 : bytes;
}

void leat_fd_path(int fd, char out[LEAT_FD_PATH])
{
	snprintf(out, LEAT_FD_PATH, "/proc/self/fd/%d", fd);
}
