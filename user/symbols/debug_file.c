/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbols/debug_file.h"

#include <errno.h>
#include <string.h>

/* Beside the binary, in .debug/ beside it, below the debug root. */
#define DEBUGLINK_PLACES 3

static int open_at(int fd, struct leat_elf **out)
{
	int err = leat_elf_open(out, fd);

	return err && err != -ENOMEM ? -ENOENT : err;
}

static bool is_of_build(struct leat_elf *e, const struct leat_build_id *want)
{
	struct leat_build_id id;

	return leat_elf_build_id(e, &id) == 0 && id.len == want->len &&
	       memcmp(id.bytes, want->bytes, id.len) == 0;
}

static int open_by_build_id(struct leat_opener *files, const struct leat_object *o,
			    const struct leat_build_id *id, struct leat_elf **out)
{
	static const char digits[] = "0123456789abcdef";
	char path[sizeof(".build-id/") + 2 * LEAT_ELF_BUILD_ID_MAX + sizeof("/.debug")] =
		".build-id/";
	char *p = path + strlen(".build-id/");
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	LEAT_CLOSE int fd = -1;
	int err;

	if (id->len < 2)
		return -ENOENT;
	for (unsigned int i = 0; i < id->len; i++) {
		*p++ = digits[id->bytes[i] >> 4];
		*p++ = digits[id->bytes[i] & 15];
		if (i == 0)
			*p++ = '/';
	}
	memcpy(p, ".debug", sizeof(".debug"));
	fd = leat_opener_open(files, o, LEAT_FILE_BUILD_ID, path, 0);
	if (fd < 0)
		return -ENOENT;
	err = open_at(fd, &e);
	if (err)
		return err;
	if (!is_of_build(e, id))
		return -ENOENT;
	*out = LEAT_TAKE(e);
	return 0;
}

/* One place of the link: accepted by build id, else by CRC. */
static int try_link(int fd, const struct leat_build_id *id, uint32_t crc, struct leat_elf **out)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	uint32_t have = 0;
	int err = open_at(fd, &e);

	if (err)
		return err;
	if (id->len ? !is_of_build(e, id) : leat_elf_debuglink_crc_fd(fd, &have) || have != crc)
		return -ENOENT;
	*out = LEAT_TAKE(e);
	return 0;
}

static int open_by_link(struct leat_opener *files, const struct leat_object *o,
			struct leat_elf *binary, const struct leat_build_id *id,
			struct leat_elf **out)
{
	const char *name;
	uint32_t crc;

	if (leat_elf_debuglink(binary, &name, &crc))
		return -ENOENT;
	/* A link must not lead elsewhere. */
	if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -ENOENT;
	for (unsigned int n = 0; n < DEBUGLINK_PLACES; n++) {
		LEAT_CLOSE int fd = leat_opener_open(files, o, LEAT_FILE_DEBUGLINK, name, n);
		int err;

		if (fd < 0)
			continue;
		err = try_link(fd, id, crc, out);
		if (err != -ENOENT)
			return err;
	}
	return -ENOENT;
}

int leat_debug_file_open(struct leat_opener *files, const struct leat_object *o,
			 struct leat_elf *binary, struct leat_elf **out)
{
	struct leat_build_id id = { 0 };
	int err = -ENOENT;

	if (leat_elf_build_id(binary, &id))
		id.len = 0;
	if (id.len)
		err = open_by_build_id(files, o, &id, out);
	if (err == -ENOENT)
		err = open_by_link(files, o, binary, &id, out);
	return err;
}
