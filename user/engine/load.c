/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens, configures and loads the BPF object: the only file that includes its skeleton. */
#include "engine/impl.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "engine/btf_trim.h"
#include "engine/name_glob.h"
#include "engine/ring_map.h"
#include "engine/sysctl.h"
#include "sample.skel.h"

#define VMLINUX_BTF    "/sys/kernel/btf/vmlinux"
#define VERIFIER_LOG   (16u << 20) /* touched only when a load was refused */
#define VERIFIER_LINES 5
#define LOAD_FILES     32 /* at least what a load has open at once */

static void set_sizes(struct leat_engine *e)
{
	const struct leat_cfg *c = &e->opts.cfg;
	const bool sets = c->by_process || c->by_name || c->notify_procs;
	const uint32_t set_max = e->opts.set_max ? (uint32_t)e->opts.set_max : LEAT_SET_MAX;

	bpf_map__set_max_entries(e->skel->maps.leat_slots, (e->cpu_max * 2) << c->slot_bits);
	bpf_map__set_max_entries(e->skel->maps.leat_used, e->cpu_max);
	bpf_map__set_max_entries(e->skel->maps.leat_cpu_ring, e->cpu_max);
	bpf_map__set_max_entries(e->skel->maps.leat_rings, e->ring_cnt);
	bpf_map__set_max_entries(e->skel->maps.leat_control, LEAT_CONTROL_BYTES);
	bpf_map__set_max_entries(e->skel->maps.leat_tgids, sets ? set_max : 1);
	bpf_map__set_max_entries(e->skel->maps.leat_tids, c->by_thread ? set_max : 1);
}

/* Maps of walks by tables; without those nothing refers to them. */
static void set_tables(struct leat_engine *e)
{
	const struct {
		struct bpf_map *map;
		uint32_t cnt;
	} maps[] = {
		{ e->skel->maps.leat_ranges, e->opts.range_max },
		{ e->skel->maps.leat_spaces, e->opts.space_max },
		{ e->skel->maps.leat_exes, e->opts.exe_max },
		{ e->skel->maps.leat_tables, e->opts.exe_max },
		{ e->skel->maps.leat_rules, LEAT_UNWIND_RULES_MAX },
		{ e->skel->maps.leat_raw_bufs, e->cpu_max },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(maps); i++) {
		bpf_map__set_autocreate(maps[i].map, e->opts.cfg.unwind);
		bpf_map__set_max_entries(maps[i].map, maps[i].cnt);
	}
	bpf_map__set_autocreate(e->skel->maps.leat_rule_cache,
				e->opts.cfg.unwind || e->opts.cfg.orc);
	bpf_map__set_max_entries(e->skel->maps.leat_rule_cache, e->cpu_max);
	bpf_map__set_autocreate(e->skel->maps.leat_orc, e->opts.cfg.orc);
}

/* Programs that nothing needs are not loaded. */
static void set_programs(struct leat_engine *e)
{
	const struct leat_cfg *c = &e->opts.cfg;
	const bool sets = c->by_process || c->by_name || c->notify_procs || c->unwind;

	bpf_program__set_autoload(e->skel->progs.leat_fork, sets);
	bpf_program__set_autoload(e->skel->progs.leat_exit, sets || c->by_thread);
	bpf_program__set_autoload(e->skel->progs.leat_exec, sets);
	bpf_program__set_autoload(e->skel->progs.leat_orc_find, c->orc);
	bpf_program__set_autoload(e->skel->progs.leat_module_free, c->orc);
}

static int set_globs(struct leat_engine *e, struct leat_diag *diag)
{
	for (uint32_t i = 0; i < e->opts.cfg.by_name; i++) {
		const char *name = e->opts.cfg.names[i];
		/* The kernel keeps 15 characters of a name; longer ones match by executable only. */
		int err = strnlen(name, LEAT_CFG_NAME_LEN) == LEAT_CFG_NAME_LEN
				  ? -EOVERFLOW
				  : leat_glob_compile(name, &e->skel->rodata->globs[i]);

		if (err)
			return leat_diag_set(diag, err, LEAT_EXIT_USAGE,
					     "the name %.*s is longer than %d characters",
					     LEAT_CFG_NAME_LEN, name, LEAT_GLOB_ATOMS);
	}
	return 0;
}

/* Several rings must exist before the load: one of them is the pattern of the outer map. */
static int create_rings(struct leat_engine *e)
{
	e->ring_fds = malloc(e->ring_cnt * sizeof(*e->ring_fds));
	if (!e->ring_fds)
		return -ENOMEM;
	memset(e->ring_fds, 0xff, e->ring_cnt * sizeof(*e->ring_fds));
	if (e->ring_cnt == 1)
		return bpf_map__set_max_entries(e->skel->maps.leat_ring, (uint32_t)e->ring_size);
	for (uint32_t i = 0; i < e->ring_cnt; i++) {
		e->ring_fds[i] = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "leat_ring", 0, 0,
						(uint32_t)e->ring_size, NULL);
		if (e->ring_fds[i] < 0)
			return e->ring_fds[i];
	}
	return bpf_map__set_inner_map_fd(e->skel->maps.leat_rings, e->ring_fds[0]);
}

/* By batch where the kernel can: each single update waits for a grace period. */
static int fill_outer(const struct leat_engine *e)
{
	const int outer = bpf_map__fd(e->skel->maps.leat_rings);
	uint32_t keys[LEAT_RINGS_MAX], cnt = e->ring_cnt;
	int err = 0;

	for (uint32_t i = 0; i < cnt; i++)
		keys[i] = i;
	if (!bpf_map_update_batch(outer, keys, e->ring_fds, &cnt, NULL))
		return 0;
	for (uint32_t i = 0; i < e->ring_cnt && !err; i++)
		err = bpf_map_update_elem(outer, &i, &e->ring_fds[i], BPF_ANY);
	return err;
}

static int fill_rings(struct leat_engine *e)
{
	const int cpu_ring = bpf_map__fd(e->skel->maps.leat_cpu_ring);
	int err = 0;

	e->cpu_ring = calloc(e->cpu_max, sizeof(*e->cpu_ring));
	if (!e->cpu_ring)
		return -ENOMEM;
	if (e->ring_cnt == 1) {
		e->ring_fds[0] = fcntl(bpf_map__fd(e->skel->maps.leat_ring), F_DUPFD_CLOEXEC, 0);
		return e->ring_fds[0] < 0 ? -errno : 0;
	}
	leat_ring_map(e->cpus, e->opts.cpu_cnt, e->ring_cnt, e->cpu_ring, e->cpu_max);
	for (uint32_t cpu = 0; cpu < e->cpu_max && !err; cpu++)
		err = bpf_map_update_elem(cpu_ring, &cpu, &e->cpu_ring[cpu], BPF_ANY);
	return err ? err : fill_outer(e);
}

static int map_words(struct leat_engine *e)
{
	void *ctl = mmap(NULL, sizeof(*e->ctl), PROT_READ | PROT_WRITE, MAP_SHARED,
			 bpf_map__fd(e->skel->maps.leat_ctl), 0);
	void *used;

	if (ctl == MAP_FAILED)
		return -errno;
	e->ctl = ctl;
	used = mmap(NULL, e->cpu_max * sizeof(*e->used), PROT_READ | PROT_WRITE, MAP_SHARED,
		    bpf_map__fd(e->skel->maps.leat_used), 0);
	if (used == MAP_FAILED)
		return -errno;
	e->used = used;
	e->ctl->resend_gen = 1;
	return 0;
}

/* The set of processes is right from here on, before the first of them is put in. */
static int attach_life(struct leat_engine *e)
{
	struct bpf_program *progs[LEAT_ENGINE_LINKS] = { e->skel->progs.leat_fork,
							 e->skel->progs.leat_exit,
							 e->skel->progs.leat_exec };

	for (size_t i = 0; i < LEAT_ENGINE_LINKS; i++) {
		if (!bpf_program__autoload(progs[i]))
			continue;
		e->links[i] = bpf_program__attach(progs[i]);
		if (!e->links[i])
			return -errno;
	}
	return 0;
}

/* The last lines of the verifier's log: they hold the reason. */
static void why_verifier(struct leat_diag *diag, char *log)
{
	char *end = log + strlen(log), *at;
	int lines = 0;

	while (end > log && end[-1] == '\n')
		*--end = 0;
	for (at = end; at > log; at--)
		if (at[-1] == '\n' && ++lines == VERIFIER_LINES)
			break;
	leat_diag_why(diag, "%s", at);
}

/* @btf: where libbpf finds the kernel's type information when it loads; NULL: where it always is. */
static int open_skeleton(struct leat_engine *e, const char *btf, struct leat_diag *diag)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = btf);
	int err;

	e->skel = leat_sample__open_opts(&opts);
	if (!e->skel)
		return leat_diag_set(diag, -errno, LEAT_EXIT_SYSTEM,
				     "cannot open the BPF object (%s)", strerror(errno));
	memcpy(&e->skel->rodata->cfg, &e->opts.cfg, sizeof(e->opts.cfg));
	err = set_globs(e, diag);
	if (err)
		return err;
	set_sizes(e);
	set_tables(e);
	set_programs(e);
	err = create_rings(e);
	if (err && !leat_why_limit(diag, err, "create the BPF rings"))
		leat_diag_set(diag, err, err == -EPERM ? LEAT_EXIT_PRIVILEGE : LEAT_EXIT_SYSTEM,
			      "cannot create the BPF rings (%s)", strerror(-err));
	return err;
}

/* Loads once more, with the log of the verifier, and says what it says. */
static void explain_refusal(struct leat_engine *e, struct leat_diag *diag)
{
	LEAT_FREE char *log = calloc(1, VERIFIER_LOG);
	struct bpf_program *prog;

	leat_engine_unload(e);
	if (!log || open_skeleton(e, NULL, NULL))
		return;
	bpf_object__for_each_program(prog, e->skel->obj)
	{
		bpf_program__set_log_buf(prog, log, VERIFIER_LOG);
		bpf_program__set_log_level(prog, 1);
	}
	if (!leat_sample__load(e->skel))
		leat_diag_why(diag,
			      "a second attempt succeeded: memory was short, or a limit was hit");
	else if (log[0])
		why_verifier(diag, log);
}

/*
 * libbpf takes a probe that found no free file for a feature that the kernel lacks, and fails
 * later with another error: whether files are short is tried here, with nothing of a load open.
 */
static bool files_are_short(void)
{
	int fds[LOAD_FILES];
	size_t n = 0;

	while (n < LOAD_FILES && (fds[n] = eventfd(0, EFD_CLOEXEC)) >= 0)
		n++;
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	return n < LOAD_FILES;
}

static int explain_load(struct leat_engine *e, int err, struct leat_diag *diag)
{
	if (access(VMLINUX_BTF, R_OK)) {
		leat_diag_set(diag, -ENOTSUP, LEAT_EXIT_SYSTEM, "no BTF at " VMLINUX_BTF " (%s)",
			      strerror(errno));
		leat_diag_why(diag, "leat's programs are relocated by the kernel's own type "
				    "information, and this kernel was built without it");
		leat_diag_fix(diag, "a kernel built with CONFIG_DEBUG_INFO_BTF=y (5.10 or newer)");
		return -ENOTSUP;
	}
	/* EACCES is what the verifier says of a wrong access; root does not lack the privilege. */
	if (err == -EPERM || (err == -EACCES && geteuid())) {
		leat_diag_set(diag, err, LEAT_EXIT_PRIVILEGE, "cannot load the BPF programs (%s)",
			      strerrorname_np(-err));
		leat_why_privilege(diag, err);
		if (!geteuid())
			explain_refusal(e, diag);
		return err;
	}
	leat_engine_unload(e);
	if (files_are_short())
		err = -EMFILE;
	if (leat_why_limit(diag, err, "load the BPF programs"))
		return err;
	leat_diag_set(diag, err, LEAT_EXIT_SYSTEM,
		      "the kernel refused the BPF program leat_sample (%s)",
		      strerrorname_np(-err) ? strerrorname_np(-err) : "?");
	explain_refusal(e, diag);
	leat_diag_fix(diag, "please report this with the output of: leat doctor");
	return err;
}

/* Writes the part of @kernel that the object names into @fd. */
static int write_trimmed(const struct leat_engine *e, const void *kernel, size_t len, int fd)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf part;
	const void *wanted;
	__u32 wanted_len;
	int err;

	leat_buf_init(&part, LEAT_BTF_BYTES_MAX);
	wanted = btf__raw_data(bpf_object__btf(e->skel->obj), &wanted_len);
	if (!wanted)
		return -ENOMEM;
	err = leat_btf_trim(kernel, len, wanted, wanted_len, &part);
	return err ? err : leat_file_write_all(fd, part.data, part.len);
}

/* Mapped where the kernel can (6.16): a read copies 5 MB by pages, 8 ms. Never shrinks. */
static int trim_kernel_btf(const struct leat_engine *e, int fd)
{
	LEAT_CLOSE int in = open(VMLINUX_BTF, O_RDONLY | O_CLOEXEC);
	LEAT_FREE char *copy = NULL;
	struct stat st;
	size_t len;
	void *map;
	int err;

	if (in < 0 || fstat(in, &st))
		return -errno;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, in, 0);
	if (map != MAP_FAILED) {
		err = write_trimmed(e, map, (size_t)st.st_size, fd);
		munmap(map, (size_t)st.st_size);
		return err;
	}
	err = leat_file_read_fd(in, LEAT_BTF_BYTES_MAX, &copy, &len);
	return err ? err : write_trimmed(e, copy, len, fd);
}

/* Loads with the part of the kernel's type information that is needed (btf_trim.h). */
static int load_trimmed(struct leat_engine *e, struct leat_diag *diag)
{
	LEAT_CLOSE int fd = memfd_create("leat-btf", MFD_CLOEXEC);
	char path[LEAT_FD_PATH];
	int err;

	if (fd < 0)
		return -errno;
	leat_fd_path(fd, path);
	err = open_skeleton(e, path, diag);
	if (!err)
		err = trim_kernel_btf(e, fd);
	return err ? err : leat_sample__load(e->skel);
}

/* Whatever is wrong with the part, or with the whole, is found out, and said, with the whole. */
static int load_whole(struct leat_engine *e, struct leat_diag *diag)
{
	int err;

	leat_engine_unload(e);
	err = open_skeleton(e, NULL, diag);
	if (err) {
		if (err == -EPERM)
			leat_why_privilege(diag, err);
		return err;
	}
	err = leat_sample__load(e->skel);
	return err ? explain_load(e, err, diag) : 0;
}

int leat_engine_load(struct leat_engine *e, struct leat_diag *diag)
{
	struct leat_diag unsaid = { 0 };
	int err;

	leat_engine_log_libbpf();
	err = load_trimmed(e, &unsaid);
	if (err) {
		leat_log(LEAT_LOG_DEBUG, "loading with all type information (%s)", strerror(-err));
		err = load_whole(e, diag);
	}
	if (err)
		return err;
	e->drain_fd = bpf_program__fd(e->skel->progs.leat_drain);
	leat_engine_find_orc(e);
	err = fill_rings(e);
	if (!err)
		err = map_words(e);
	if (!err)
		err = leat_engine_tables_open(e);
	if (!err)
		err = attach_life(e);
	if (err && !leat_why_limit(diag, err, "set up the BPF programs"))
		leat_diag_set(diag, err, LEAT_EXIT_SYSTEM,
			      "cannot set up the maps and programs of the kernel side (%s)",
			      strerror(-err));
	return err;
}

struct leat_orc_side leat_engine_orc_side(const struct leat_engine *e)
{
	return (struct leat_orc_side){ .map_fd = bpf_map__fd(e->skel->maps.leat_orc),
				       .find_fd = bpf_program__fd(e->skel->progs.leat_orc_find),
				       .free_prog = e->skel->progs.leat_module_free };
}

void leat_engine_unload(struct leat_engine *e)
{
	bpf_link__destroy(e->module_link);
	e->module_link = NULL;
	for (size_t i = 0; i < LEAT_ENGINE_LINKS; i++) {
		bpf_link__destroy(e->links[i]);
		e->links[i] = NULL;
	}
	leat_engine_tables_close(e);
	if (e->ctl)
		munmap(e->ctl, sizeof(*e->ctl));
	if (e->used)
		munmap(e->used, e->cpu_max * sizeof(*e->used));
	e->ctl = NULL;
	e->used = NULL;
	for (uint32_t i = 0; e->ring_fds && i < e->ring_cnt; i++)
		if (e->ring_fds[i] >= 0)
			close(e->ring_fds[i]);
	free(e->ring_fds);
	free(e->cpu_ring);
	e->ring_fds = NULL;
	e->cpu_ring = NULL;
	leat_sample__destroy(e->skel);
	e->skel = NULL;
}

const struct btf *leat_engine_btf(const struct leat_engine *e)
{
	return bpf_object__btf(e->skel->obj);
}

int leat_engine_tgids_fd(const struct leat_engine *e)
{
	return bpf_map__fd(e->skel->maps.leat_tgids);
}

int leat_engine_tids_fd(const struct leat_engine *e)
{
	return bpf_map__fd(e->skel->maps.leat_tids);
}

int leat_engine_control_map_fd(const struct leat_engine *e)
{
	return bpf_map__fd(e->skel->maps.leat_control);
}

int leat_engine_stats_fd(const struct leat_engine *e)
{
	return bpf_map__fd(e->skel->maps.leat_stats);
}

int leat_engine_table_fd(const struct leat_engine *e, enum leat_table_role role)
{
	struct bpf_map *const maps[] = {
		[LEAT_TABLE_RANGES] = e->skel->maps.leat_ranges,
		[LEAT_TABLE_SPACES] = e->skel->maps.leat_spaces,
		[LEAT_TABLE_EXES] = e->skel->maps.leat_exes,
		[LEAT_TABLE_TABLES] = e->skel->maps.leat_tables,
		[LEAT_TABLE_RULES] = e->skel->maps.leat_rules,
	};

	return bpf_map__fd(maps[role]);
}

int leat_engine_sample_fd(const struct leat_engine *e)
{
	return bpf_program__fd(e->skel->progs.leat_sample);
}

size_t leat_engine_maps_memory(const struct leat_engine *e)
{
	struct bpf_map *map;
	size_t sum = 0;

	bpf_object__for_each_map(map, e->skel->obj)
	{
		if (bpf_map__fd(map) >= 0)
			sum += leat_map_memory(bpf_map__fd(map));
	}
	for (uint32_t i = 0; i < e->ring_cnt && e->ring_cnt > 1; i++)
		sum += leat_map_memory(e->ring_fds[i]);
	return sum;
}
