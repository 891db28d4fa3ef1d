/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_names FILE N SEED [--print] [--raw] [--threads T]
 *
 * Names N random addresses of FILE's code in a cold process, by the path that a recording takes.
 * Prints "us=<time> rss_kb=<peak> named=<n> of=<n>" to standard error; with --print the result to
 * standard output, "0x<address> <name>" a line, the name empty where no symbol covers the address.
 * --addresses prints the addresses alone, for another symbolizer.
 */
#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "elf/elf_file.h"
#include "symbols/symbols.h"

struct options {
	const char *file;
	size_t n;
	uint64_t seed;
	bool print, raw, addresses;
	unsigned int threads;
};

static uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Peak of this program's own memory: getrusage's would be that of who started it. */
static long peak_kb(void)
{
	LEAT_FREE char *text = NULL;
	const char *p;

	if (leat_file_read_at(AT_FDCWD, "/proc/self/status", 1 << 16, &text, NULL))
		return 0;
	p = strstr(text, "VmHWM:");
	return p ? strtol(p + strlen("VmHWM:"), NULL, 10) : 0;
}

static bool is_text(const struct leat_elf_section *s)
{
	return s->type == SHT_PROGBITS && (s->flags & SHF_EXECINSTR) && (s->flags & SHF_ALLOC) &&
	       strncmp(s->name, ".text", 5) == 0;
}

static uint64_t pick(const struct leat_elf *e, uint64_t at)
{
	for (size_t i = 0; i < leat_elf_section_cnt(e); i++) {
		const struct leat_elf_section *s = leat_elf_section_at(e, i);

		if (!is_text(s))
			continue;
		if (at < s->size)
			return s->addr + at;
		at -= s->size;
	}
	return 0;
}

static int choose(const struct options *o, uint64_t *vaddrs, uint64_t *offsets)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	LEAT_CLOSE int fd = open(o->file, O_RDONLY | O_CLOEXEC);
	uint64_t total = 0, state = o->seed;

	if (fd < 0 || leat_elf_open(&e, fd))
		return -1;
	for (size_t i = 0; i < leat_elf_section_cnt(e); i++) {
		if (is_text(leat_elf_section_at(e, i)))
			total += leat_elf_section_at(e, i)->size;
	}
	if (!total)
		return -1;
	for (size_t i = 0; i < o->n; i++) {
		vaddrs[i] = pick(e, next_random(&state) % total);
		if (leat_elf_vaddr_to_offset(e, vaddrs[i], &offsets[i]))
			return -1;
	}
	return 0;
}

static int open_file(void *ctx, const struct leat_profile *p, const struct leat_object *o,
		     enum leat_file_what what, const char *arg, unsigned int n)
{
	const struct options *opts = ctx;

	(void)p;
	(void)o;
	(void)arg;
	(void)n;
	return what == LEAT_FILE_BINARY ? open(opts->file, O_RDONLY | O_CLOEXEC) : -2;
}

static int fill(struct leat_profile *p, const struct options *o, const uint64_t *offsets)
{
	struct leat_object object = { .kind = LEAT_OBJECT_FILE };
	uint32_t id, frame;
	int err = leat_profile_string(p, o->file, strlen(o->file), &object.path);

	if (!err)
		err = leat_profile_object(p, &object, &id);
	for (size_t i = 0; i < o->n && !err; i++)
		err = leat_profile_frame(p, id, offsets[i], 0, &frame);
	return err;
}

static void print(const struct leat_profile *p, const struct options *o, const uint64_t *vaddrs,
		  const uint64_t *offsets)
{
	for (size_t i = 0; i < o->n; i++) {
		const struct leat_function *f = NULL;
		uint32_t id;

		if (!leat_profile_frame((struct leat_profile *)(uintptr_t)p, 0, offsets[i], 0, &id))
			f = &p->functions[p->frames[id].function];
		printf("0x%" PRIx64 " %s\n", vaddrs[i],
		       !f || f->unnamed ? "" : leat_profile_str(p, o->raw ? f->raw : f->name));
	}
}

static int run(const struct options *o, uint64_t *vaddrs, uint64_t *offsets)
{
	struct leat_file_provider prov = { .ctx = (void *)(uintptr_t)o, .open = open_file };
	struct leat_symbols_opts opts = { .no_demangle = o->raw, .threads = o->threads };
	struct leat_profile *p = NULL;
	long rss_kb;
	uint64_t start_us;
	size_t named = 0;

	if (choose(o, vaddrs, offsets))
		return 1;
	for (size_t i = 0; o->addresses && i < o->n; i++)
		printf("0x%" PRIx64 "\n", vaddrs[i]);
	if (o->addresses)
		return 0;
	start_us = now_us();
	if (leat_profile_new(&p) || fill(p, o, offsets) || leat_symbols_resolve(p, &prov, &opts))
		return 1;
	start_us = now_us() - start_us;
	rss_kb = peak_kb();
	if (o->print)
		print(p, o, vaddrs, offsets);
	for (size_t i = 0; i < p->frame_cnt; i++)
		named += !p->functions[p->frames[i].function].unnamed;
	fprintf(stderr, "us=%" PRIu64 " rss_kb=%ld named=%zu of=%zu\n", start_us, rss_kb, named,
		p->frame_cnt);
	leat_profile_free(&p);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	LEAT_FREE uint64_t *vaddrs = NULL;
	LEAT_FREE uint64_t *offsets = NULL;

	if (argc < 4)
		return 2;
	o.file = argv[1];
	o.n = strtoul(argv[2], NULL, 10);
	o.seed = strtoul(argv[3], NULL, 10);
	for (int i = 4; i < argc; i++) {
		o.print |= strcmp(argv[i], "--print") == 0;
		o.raw |= strcmp(argv[i], "--raw") == 0;
		o.addresses |= strcmp(argv[i], "--addresses") == 0;
		if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
			o.threads = (unsigned int)strtoul(argv[++i], NULL, 10);
	}
	vaddrs = calloc(o.n + 1, sizeof(*vaddrs));
	offsets = calloc(o.n + 1, sizeof(*offsets));
	return vaddrs && offsets ? run(&o, vaddrs, offsets) : 1;
}
