/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/file.h"
#include "capture_mend.h"
#include "event/format.h"
#include "session/judge.h"
#include "world.h"

#define MS 1000000ull

static void need(int err)
{
	if (err) {
		fprintf(stderr, "capture_file: error %d\n", err);
		abort();
	}
}

uint8_t *leat_capture_slurp(int fd, size_t *n)
{
	struct stat st;
	uint8_t *p;

	if (fstat(fd, &st) != 0 || !(p = malloc((size_t)st.st_size + 1)))
		abort();
	*n = (size_t)st.st_size;
	need(leat_file_pread_all(fd, p, *n, 0));
	return p;
}

size_t leat_capture_offsets(const uint8_t *p, size_t n, size_t *offs, size_t max)
{
	struct leat_capture_chunk h;
	size_t off = sizeof(struct leat_capture_header), cnt = 0;

	while (cnt + 1 < max && off + sizeof(h) <= n) {
		memcpy(&h, p + off, sizeof(h));
		offs[cnt++] = off;
		off += sizeof(h) + h.stored_bytes;
	}
	offs[cnt] = off;
	return cnt;
}

void leat_capture_mend(uint8_t *p, size_t n)
{
	leat_mend(p, n);
}

/* ---- what happens in it ---- */

static void put_world(struct leat_world *w)
{
	leat_put_process(w, &(struct leat_put_process){ .ts = 10 * MS,
							.start = 5 * MS,
							.tgid = 100,
							.ppid = 1,
							.comm = "web",
							.exe = "/usr/bin/web" });
	leat_put_map(w, &(struct leat_put_map){ .ts = 10 * MS,
						.tgid = 100,
						.start = 0x400000,
						.end = 0x500000,
						.ino = 7,
						.from_proc = true,
						.path = "/usr/bin/web",
						.build_id = "abcdefghijklmnopqrst" });
	leat_put_map(w, &(struct leat_put_map){ .ts = 10 * MS,
						.tgid = 100,
						.start = 0x7f0000,
						.end = 0x7f8000,
						.kind = LEAT_MMAP_ANON });
	leat_put_comm(w, &(struct leat_put_comm){ .ts = 11 * MS,
						  .tgid = 100,
						  .tid = 101,
						  .kind = LEAT_REC_THREAD,
						  .comm = "worker" });
	leat_put_fork(w, 20 * MS, 100, 200, 200);
	leat_put_comm(w,
		      &(struct leat_put_comm){
			      .ts = 21 * MS, .tgid = 200, .flags = LEAT_COMM_EXEC, .comm = "job" });
	leat_put_map(w, &(struct leat_put_map){ .ts = 21 * MS,
						.tgid = 200,
						.start = 0x10000,
						.end = 0x20000,
						.ino = 9,
						.path = "/opt/job" });
}

static const struct leat_put_stack stacks[] = {
	{ .hash = 1,
	  .kcnt = 2,
	  .ucnt = 3,
	  .uresult = LEAT_STACK_NO_UNWIND,
	  .kresult = LEAT_STACK_COMPLETE,
	  .frames = { 0xffffffff81000010, 0xffffffff81000020, 0x400100, 0x400210, 0x400320 } },
	{ .hash = 2,
	  .ucnt = 4,
	  .uresult = LEAT_STACK_TRUNCATED,
	  .user_mode = 1,
	  .frames = { 0x7f0010, 0x400210, 0x400999, 0x400320 } },
	{ .hash = 3,
	  .ucnt = 2,
	  .uresult = LEAT_STACK_COMPLETE,
	  .user_mode = 1,
	  .frames = { 0x10040, 0x999999 } },
};

static void put_counts(struct leat_world *w)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(stacks); i++) {
		struct leat_put_stack s = stacks[i];
		uint32_t tgid = i == 2 ? 200 : 100;

		s.ts = 30 * MS;
		s.tgid = tgid;
		leat_put_stack(w, &s);
		leat_put_count(w, &(struct leat_put_count){ .hash = s.hash,
							    .start = i == 2 ? 0 : 5 * MS,
							    .first = 30 * MS,
							    .last = (40 + i) * MS,
							    .count = 10 + i,
							    .tgid = tgid,
							    .tid = tgid });
	}
	/* Its frames never come. */
	leat_put_count(
		w,
		&(struct leat_put_count){
			.hash = 99, .first = 31 * MS, .last = 32 * MS, .count = 2, .tgid = 100 });
}

static void put_samples(struct leat_world *w)
{
	for (size_t i = 0; i < 12; i++) {
		struct leat_put_stack s = stacks[i % LEAT_ARRAY_SIZE(stacks)];

		s.hash += 10;
		s.ts = (50 + i) * MS;
		s.tgid = i % 3 == 2 ? 200 : 100;
		s.tid = i % 3 == 2 ? 200 : 100 + (uint32_t)(i & 1);
		s.cpu = (uint16_t)(i & 3);
		leat_put_sample(w, &s);
	}
	leat_put_stat(w, &(struct leat_rec_stat){ .h = { .ts_ns = 90 * MS },
						  .wanted = 60,
						  .stat = { [LEAT_STAT_SEEN] = 47,
							    [LEAT_STAT_COUNTED] = 35,
							    [LEAT_STAT_STREAMED] = 12 } });
	leat_put_lost(w, 91 * MS, 3);
	leat_put_exit(w, 92 * MS, 200, 200);
}

/* ---- what was found out afterwards ---- */

static void add_module(struct leat_profile *p)
{
	struct leat_object o = { .kind = LEAT_OBJECT_KERNEL, .process = LEAT_ID_NONE };
	uint32_t id;

	need(leat_profile_string(p, "[virtio_net]", 12, &o.path));
	need(leat_profile_object(p, &o, &id));
	for (size_t i = 0; i < p->frame_cnt; i++) {
		struct leat_function f = p->functions[p->frames[i].function];

		if (p->frames[i].offset != 0xffffffff81000020)
			continue;
		f.object = id;
		f.kind = LEAT_FUNCTION_MODULE;
		need(leat_profile_function(p, &f, &p->frames[i].function));
	}
}

static void find_out(struct leat_profile *p)
{
	for (size_t i = 0; i < p->frame_cnt; i++) {
		uint64_t offset = p->frames[i].offset;

		p->frames[i].flags |= LEAT_FRAME_CHECKED;
		p->frames[i].flags |= offset == 0x320 ? LEAT_FRAME_ROOT : 0;
		p->frames[i].flags |= offset == 0x999 ? LEAT_FRAME_BAD_CALL : 0;
	}
	p->objects[0].unreadable = true;
	leat_fake_names(p);
	add_module(p);
}

static void put_text(struct leat_profile *p, uint32_t *id, const char *s)
{
	need(leat_profile_string(p, s, strlen(s), id));
}

static void describe(struct leat_profile *p)
{
	struct leat_meta *m = &p->meta;

	put_text(p, &m->target, "web (pid 100)");
	put_text(p, &m->event, "cpu-clock");
	put_text(p, &m->event_note, "no PMU <here>");
	put_text(p, &m->command_line, "leat record -p 100 -o run.leat");
	put_text(p, &m->host, "host7");
	put_text(p, &m->kernel, "6.1.0");
	put_text(p, &m->os, "Debian GNU/Linux 12");
	put_text(p, &m->unwind, "fp");
	m->start_real_ns = 1764284400000000000;
	m->start_mono_ns = 9 * MS;
	m->duration_ns = 100 * MS;
	m->freq_hz = 99;
	m->time_based = true;
}

static void cost(struct leat_verdict *v)
{
	v->wanted = 50;
	v->kernel_skipped = 1;
	v->ret_checked = 12;
	v->ret_bad = 1;
	v->ret_not_judged = 2;
	v->objects = 3;
	v->objects_unreadable = 1;
	v->kptr_restricted = 1;
	v->bpf_ns = 12345;
	v->self_cpu_ns = 3 * MS;
	v->target_cpu_ns = 77 * MS;
	v->duration_ns = 100 * MS;
	v->rss_bytes = 5 << 20;
	v->map_bytes = 4 << 20;
	v->freq_hz = 99;
	v->callback_errors = 4;
}

static void finish(struct leat_world *w, struct leat_capture_writer *writer)
{
	leat_world_finish(w);
	describe(w->p);
	cost(&w->p->verdict);
	find_out(w->p);
	need(leat_judge_stacks(w->p));
	need(leat_judge_count(w->p));
	need(leat_capture_put_profile(writer, w->p));
	need(leat_capture_writer_finish(writer));
}

void leat_example_init(struct leat_example *e, const struct leat_capture_options *o)
{
	struct leat_capture_options none = { .by_thread = false };
	struct leat_capture_writer *writer = NULL;
	struct leat_world w;
	int fd = memfd_create("example", MFD_CLOEXEC);

	o = o ? o : &none;
	leat_world_init(&w, &o->session);
	need(leat_capture_writer_new(&writer, fd));
	need(leat_capture_put_options(writer, o));
	need(leat_capture_writer_attach(writer, w.bus));
	put_world(&w);
	leat_world_run(&w);
	need(leat_capture_writer_flush(writer));
	put_counts(&w);
	leat_world_run(&w);
	need(leat_capture_writer_flush(writer));
	put_samples(&w);
	finish(&w, writer);
	leat_capture_writer_free(&writer);
	e->bytes = leat_capture_slurp(fd, &e->len);
	e->p = LEAT_TAKE(w.p);
	close(fd);
	leat_world_fini(&w);
}

void leat_example_fini(struct leat_example *e)
{
	free(e->bytes);
	e->bytes = NULL;
	leat_profile_free(&e->p);
}

struct leat_format *leat_example_format(const char *field)
{
	const struct leat_field d = {
		.name = field, .type = LEAT_TYPE_UINT, .size = 4, .elem_size = 4
	};
	struct leat_format *f = NULL;

	need(leat_format_new(&f, "made"));
	need(leat_format_add(f, &d));
	return f;
}
