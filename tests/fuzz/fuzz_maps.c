/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/PID/maps line by line, and the parsers of stat, status and CPU lists on the same bytes. */
#include <assert.h>
#include <string.h>

#include "live/maps.h"
#include "live/procfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sink;

static void one_line(const char *s, size_t n)
{
	struct leat_maps_line l;
	char path[256];
	size_t len;

	if (leat_maps_parse(s, n, &l))
		return;
	assert(l.end > l.start);
	assert(l.path >= s && l.path + l.path_len <= s + n);
	sink += leat_maps_kind(l.path, l.path_len, l.ino);
	len = leat_maps_path(l.path, l.path_len, path, sizeof(path));
	assert(len < sizeof(path) && strlen(path) == len && len <= l.path_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data;
	struct leat_proc_stat stat;
	struct leat_proc_status status;
	uint32_t cpus[64];
	size_t at = 0, n = 0;

	while (at < size) {
		const char *eol = memchr(s + at, '\n', size - at);
		size_t len = eol ? (size_t)(eol - (s + at)) : size - at;

		one_line(s + at, len);
		at += len + 1;
	}
	if (!leat_procfs_parse_stat(s, size, &stat))
		sink += strlen(stat.comm);
	if (!leat_procfs_parse_status(s, size, &status))
		sink += status.tgid;
	if (!leat_procfs_parse_cpus(s, size, cpus, 64, &n))
		assert(n <= 64);
	return 0;
}
