/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gen_profile FORMAT hostile|streamed|server|wide [COUNT [ROUNDS]]: writes a profile made in code
 * to standard output, and to standard error how much CPU time the export took. For the browser
 * tests and for measuring; ROUNDS exports are made, the fastest one is told.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "export/export.h"
#include "sample_profile.h"

static double now_ms(void)
{
	struct timespec ts;

	/* CPU time: other work on the machine is not the exporter's. */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int make(const char *what, uint64_t count, struct leat_profile **p)
{
	if (strcmp(what, "hostile") == 0)
		return leat_sample_profile_hostile(p);
	if (strcmp(what, "streamed") == 0)
		return leat_sample_profile_streamed(p);
	if (strcmp(what, "server") == 0)
		return leat_sample_profile_server(p, count);
	return leat_sample_profile_wide(p, (uint32_t)count);
}

int main(int argc, char **argv)
{
	const struct leat_exporter *e = argc > 2 ? leat_exporter_find(argv[1]) : NULL;
	uint64_t count = argc > 3 ? strtoull(argv[3], NULL, 10) : 20000;
	int rounds = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 1, err;
	struct leat_profile *p = NULL;
	struct leat_export_opts o = { 0 };
	struct leat_buf out;
	double best = 1e9;

	if (!e) {
		fprintf(stderr, "usage: %s FORMAT hostile|streamed|server|wide [COUNT [ROUNDS]]\n",
			argv[0]);
		return 2;
	}
	leat_buf_init(&out, LEAT_EXPORT_MAX_BYTES);
	err = make(argv[2], count, &p);
	o.tree.by_process = !err && p->process_cnt > 1;
	for (int i = 0; i < rounds && !err; i++) {
		double begin = now_ms();

		leat_buf_reset(&out);
		err = e->write(p, &o, &out);
		if (now_ms() - begin < best)
			best = now_ms() - begin;
	}
	if (err)
		fprintf(stderr, "gen_profile: %s\n", strerror(-err));
	else if (fwrite(out.data, 1, out.len, stdout) != out.len)
		err = -1;
	if (rounds > 1)
		fprintf(stderr, "%s %s: %.1f ms of CPU, %zu bytes\n", argv[1], argv[2], best,
			out.len);
	leat_profile_free(&p);
	leat_buf_fini(&out);
	return err ? 1 : 0;
}
