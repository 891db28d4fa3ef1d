/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening files of targets: by the mapping itself, by the process's root, never on trust. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "live/files_impl.h"
#include "live/maps.h"
#include "live/procfs.h"

/*
 * From O_PATH to a readable descriptor, for regular files alone: opening a device or a FIFO can
 * block or do things.
 */
static int reopen_regular(int path_fd)
{
	struct stat st;
	char name[64];
	int fd;

	if (fstat(path_fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", path_fd);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int leat_file_open_in_root(int root, const char *path, bool follow)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW),
		.resolve = root >= 0 ? RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS : 0,
	};
	LEAT_CLOSE int fd = -1;
	long got = syscall(SYS_openat2, root >= 0 ? root : AT_FDCWD, path, &how, sizeof(how));

	if (got < 0)
		return -errno;
	fd = (int)got;
	return reopen_regular(fd);
}

int leat_file_open_proc_root(uint32_t tgid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/root", tgid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ESRCH)) {
		uint32_t via = leat_procfs_via(tgid);

		if (!via || via == tgid)
			return -ENOENT;
		snprintf(path, sizeof(path), "/proc/%u/root", via);
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	return fd < 0 ? -errno : fd;
}

bool leat_file_inspect(int fd, struct leat_build_id *id)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;

	*id = (struct leat_build_id){ 0 };
	if (leat_elf_open(&e, fd))
		return false;
	if (leat_elf_build_id(e, id))
		id->len = 0;
	return true;
}

bool leat_file_is_foreign(int fd)
{
	char magic[SELFMAG];

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       memcmp(magic, ELFMAG, SELFMAG) != 0;
}

static bool same_generation(int fd, uint64_t want)
{
	int gen = 0;

	if (!want || ioctl(fd, FS_IOC_GETVERSION, &gen))
		return true;
	return gen == 0 || (uint32_t)gen == (uint32_t)want;
}

/* What the kernel shows of the mapping at @at of leat itself. */
static bool find_mapping(uint64_t at, struct leat_maps_line *out, char **text)
{
	size_t len, i = 0;

	if (leat_file_read_at(AT_FDCWD, "/proc/self/maps", 64u << 20, text, &len))
		return false;
	while (i < len) {
		const char *eol = memchr(*text + i, '\n', len - i);
		size_t n = eol ? (size_t)(eol - (*text + i)) + 1 : len - i;

		if (!leat_maps_parse(*text + i, n, out) && out->start <= at && at < out->end)
			return true;
		i += n;
	}
	return false;
}

/*
 * Overlay and btrfs show other device numbers in mappings than in stat(), overlay other inodes
 * too. Mapped by ourselves, the same file shows the same ones. A name proves nothing.
 */
static bool same_when_mapped(int fd, const struct leat_file_want *w)
{
	LEAT_FREE char *text = NULL;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *map = mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, 0);
	struct leat_maps_line l;
	bool same;

	if (map == MAP_FAILED)
		return false;
	same = find_mapping((uintptr_t)map, &l, &text) && l.ino == w->ino && l.dev == w->dev;
	munmap(map, page);
	return same && same_generation(fd, w->ino_gen);
}

/* @by_mapping: found through the mapping, which names the file exactly unless it was replaced. */
static int verify(int fd, const struct leat_file_want *w, bool by_mapping, struct leat_build_id *id,
		  bool *is_elf)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	*is_elf = leat_file_inspect(fd, id);
	if (w->build_id_len) {
		/* The kernel may cut or pad; what both know must agree. */
		return id->len == w->build_id_len && !memcmp(id->bytes, w->build_id, id->len)
			       ? 0
			       : -ESTALE;
	}
	if (!w->ino)
		return by_mapping ? 0 : -ESTALE;
	if (st.st_ino == w->ino && st.st_dev == w->dev)
		return same_generation(fd, w->ino_gen) ? 0 : -ESTALE;
	return same_when_mapped(fd, w) ? 0 : -ESTALE;
}

static int open_map_file(uint32_t pid, const struct leat_file_want *w)
{
	LEAT_CLOSE int fd = -1;
	char path[96];

	snprintf(path, sizeof(path), "/proc/%u/map_files/%llx-%llx", pid,
		 (unsigned long long)w->start, (unsigned long long)w->end);
	fd = open(path, O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : reopen_regular(fd);
}

/* A leader that has ended has no mappings; its threads have. */
static int open_mapping(const struct leat_file_want *w)
{
	int fd = open_map_file(w->tgid, w);
	uint32_t via = fd == -ENOENT || fd == -ESRCH ? leat_procfs_via(w->tgid) : 0;

	if (via && via != w->tgid)
		fd = open_map_file(via, w);
	return fd == -ESRCH ? -ENOENT : fd;
}

static int open_by_root(const struct leat_file_want *w)
{
	LEAT_CLOSE int root = leat_file_open_proc_root(w->tgid);

	if (root < 0)
		return root;
	return leat_file_open_in_root(root, w->path, true);
}

static int open_by_path(const struct leat_file_want *w)
{
	return leat_file_open_in_root(-1, w->path, true);
}

/* The more telling of two reasons: another file over no permission over not found. */
static int worse(int a, int b)
{
	if (a == -ESTALE || b == -ESTALE)
		return -ESTALE;
	if (a == -EACCES || a == -EPERM)
		return a;
	if (b == -EACCES || b == -EPERM)
		return b;
	return -ENOENT;
}

int leat_file_open_want(const struct leat_file_want *w, struct leat_build_id *id, bool *is_elf)
{
	int (*const ways[])(const struct leat_file_want *) = { open_mapping, open_by_root,
							       open_by_path };
	int why = -ENOENT;
	size_t i;

	for (i = 0; i < LEAT_ARRAY_SIZE(ways); i++) {
		LEAT_CLOSE int fd = -1;
		int err;

		if ((i == 0 && !(w->tgid && w->end)) || (i == 1 && !w->tgid) ||
		    (i > 0 && w->path[0] != '/'))
			continue;
		fd = ways[i](w);
		err = fd < 0 ? fd : verify(fd, w, i == 0, id, is_elf);
		if (!err)
			return LEAT_TAKE_FD(fd);
		if (err == -EMFILE || err == -ENFILE || err == -ENOMEM)
			return err;
		why = worse(why, err);
	}
	return why;
}

int leat_file_of_bytes(const char *label, const void *bytes, size_t n)
{
	LEAT_CLOSE int fd = memfd_create(label, MFD_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = leat_file_write_all(fd, bytes, n);
	if (err)
		return err;
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : LEAT_TAKE_FD(fd);
}
