/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs and cgroups that the user named. */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "live/plan.h"
#include "live/procfs.h"

#define ONLINE "/sys/devices/system/cpu/online"

#ifndef CGROUP2_SUPER_MAGIC
#define CGROUP2_SUPER_MAGIC 0x63677270
#endif

static int read_online(struct leat_plan *p, char *text, size_t cap)
{
	int n = leat_procfs_text(ONLINE, text, cap);

	if (n < 0)
		return n;
	text[strcspn(text, "\n")] = '\0';
	p->online = calloc(LEAT_PLAN_CPUS_MAX, sizeof(*p->online));
	if (!p->online)
		return -ENOMEM;
	return leat_procfs_parse_cpus(text, strlen(text), p->online, LEAT_PLAN_CPUS_MAX,
				      &p->online_cnt);
}

static bool is_online(const struct leat_plan *p, uint32_t cpu)
{
	size_t i;

	for (i = 0; i < p->online_cnt; i++) {
		if (p->online[i] == cpu)
			return true;
	}
	return false;
}

int leat_plan_cpus(struct leat_plan *p, const struct leat_target *t, struct leat_diag *diag)
{
	char text[4096] = "";
	int err = read_online(p, text, sizeof(text));
	size_t i;

	if (err)
		return leat_diag_set(diag, err, LEAT_EXIT_SYSTEM, "cannot read %s (%s)", ONLINE,
				     strerrorname_np(-err));
	p->cpu_cnt = t->cpu_cnt ? t->cpu_cnt : p->online_cnt;
	p->cpus = calloc(p->cpu_cnt, sizeof(*p->cpus));
	if (!p->cpus)
		return leat_diag_set(diag, -ENOMEM, LEAT_EXIT_FAILURE, "out of memory");
	for (i = 0; i < p->cpu_cnt; i++) {
		p->cpus[i] = t->cpu_cnt ? t->cpus[i] : p->online[i];
		if (is_online(p, p->cpus[i]))
			continue;
		leat_diag_set(diag, -ENODEV, LEAT_EXIT_TARGET, "CPU %u is not online", p->cpus[i]);
		leat_diag_why(diag, "online are: %s", text);
		leat_diag_fix(diag, "-C %s", text);
		return -ENODEV;
	}
	return 0;
}

/* Where cgroup v2 is mounted, on a hybrid host too. */
static int cgroup2_mount(char *out, size_t cap)
{
	LEAT_FREE char *text = NULL;
	char *line, *rest = NULL;
	int err = leat_file_read_at(-1, "/proc/self/mountinfo", 16u << 20, &text, NULL);

	if (err)
		return err;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		const char *type = strstr(line, " - cgroup2 ");
		char *mount = line;
		int field;

		if (!type)
			continue;
		/* id parent major:minor root MOUNT-POINT */
		for (field = 0; field < 4 && mount; field++) {
			mount = strchr(mount, ' ');
			if (mount)
				mount++;
		}
		if (!mount)
			continue;
		mount[strcspn(mount, " ")] = '\0';
		snprintf(out, cap, "%s", mount);
		return 0;
	}
	return -ENOENT;
}

static bool is_cgroup2(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC;
}

static int find_cgroup(const char *name, char *path, size_t cap, struct leat_diag *diag)
{
	char mount[LEAT_PATH_MAX];
	int err;

	if (name[0] == '/' && is_cgroup2(name)) {
		snprintf(path, cap, "%s", name);
		return 0;
	}
	err = cgroup2_mount(mount, sizeof(mount));
	if (err) {
		leat_diag_set(diag, err, LEAT_EXIT_SYSTEM, "no cgroup v2 hierarchy is mounted");
		leat_diag_fix(diag, "mount -t cgroup2 none /sys/fs/cgroup/unified");
		return err;
	}
	if ((size_t)snprintf(path, cap, "%s/%s", mount, name + (name[0] == '/')) >= cap)
		return leat_diag_set(diag, -ENAMETOOLONG, LEAT_EXIT_USAGE,
				     "the path of a cgroup is too long");
	if (is_cgroup2(path))
		return 0;
	leat_diag_set(diag, -ENOENT, LEAT_EXIT_TARGET, "cgroup '%s' not found", name);
	leat_diag_why(diag,
		      access(name, F_OK) ? "neither it nor %s exists"
					 : "it is not part of cgroup v2, and %s does not exist",
		      path);
	leat_diag_fix(diag, "the cgroup of a process: cat /proc/PID/cgroup (the line that begins "
			    "with 0::)");
	return -ENOENT;
}

static bool is_within(const char *path, const char *top)
{
	size_t n = strlen(top);

	return strncmp(path, top, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* One that lies within another is in it already, and its time would be counted twice. */
static int add_cgroup(struct leat_plan *p, const char *path, uint64_t id)
{
	struct leat_cfg *c = &p->engine.cfg;
	LEAT_FREE char *real = realpath(path, NULL);
	uint32_t i, kept = 0;

	if (!real)
		return -errno;
	for (i = 0; i < c->by_cgroup; i++) {
		if (is_within(real, p->cgroup_path[i]) || id == c->cgroups[i])
			return 0;
	}
	for (i = 0; i < c->by_cgroup; i++) {
		if (is_within(p->cgroup_path[i], real)) {
			free((char *)(uintptr_t)p->cgroup_path[i]);
			continue;
		}
		c->cgroups[kept] = c->cgroups[i];
		p->cgroup_path[kept++] = p->cgroup_path[i];
	}
	for (i = kept; i < c->by_cgroup; i++)
		p->cgroup_path[i] = NULL;
	c->cgroups[kept] = id;
	p->cgroup_path[kept] = LEAT_TAKE(real);
	c->by_cgroup = kept + 1;
	return 0;
}

int leat_plan_cgroups(struct leat_plan *p, const struct leat_target *t, struct leat_diag *diag)
{
	size_t i;
	int err;

	if (t->cgroup_cnt > LEAT_CFG_MAX_CGROUPS)
		return leat_diag_set(diag, -EOVERFLOW, LEAT_EXIT_USAGE, "more than %d cgroups",
				     LEAT_CFG_MAX_CGROUPS);
	for (i = 0; i < t->cgroup_cnt; i++) {
		char path[2 * LEAT_PATH_MAX];
		struct stat st;

		err = find_cgroup(t->cgroups[i], path, sizeof(path), diag);
		if (err)
			return err;
		/* kernfs: the inode is the id that the kernel side compares. */
		if (stat(path, &st))
			return leat_diag_set(diag, -errno, LEAT_EXIT_TARGET,
					     "cannot read cgroup '%s'", path);
		if (add_cgroup(p, path, st.st_ino))
			return leat_diag_set(diag, -ENOMEM, LEAT_EXIT_FAILURE, "out of memory");
	}
	return 0;
}
