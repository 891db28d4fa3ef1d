/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_ring [SECONDS]: from a BPF ring to a callback. A thread runs a syscall program that fills the
 * ring with 64-byte records in a loop; this one reads them and dispatches each to a callback, which
 * reads two fields. Fails unless seen == delivered + lost and every record arrived whole, once.
 */
#include <bpf/bpf.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/ring_flood.skel.h"
#include "engine/ring.h"
#include "event/wire.h"

struct counts {
	uint64_t seen, lost;
};

struct intake {
	struct leat_bus *bus;
	leat_field_ref ts, last;
	uint64_t delivered;
	uint64_t previous;
	uint64_t broken; /* out of order, or not what was sent */
};

static volatile bool stop;

static void check(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "bench_ring: %s: error %d\n", what, err);
	exit(1);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *produce(void *arg)
{
	const int fd = *(int *)arg;
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	while (!stop)
		check(bpf_prog_test_run_opts(fd, &opts), "run");
	return NULL;
}

static int on_record(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct intake *in = ctx;
	const struct leat_format *f = leat_event_format(ev);
	uint64_t ts = 0, last = 0;

	if (leat_get_u64(f, in->ts, r, &ts) || leat_get_u64(f, in->last, r, &last))
		return -ENODATA;
	in->broken += ts <= in->previous || last != ts + 4;
	in->previous = ts;
	in->delivered++;
	return 0;
}

static int take(void *ctx, const void *data, size_t n)
{
	struct intake *in = ctx;
	struct leat_record r;

	if (leat_wire_record(data, n, &r))
		in->broken++;
	else
		leat_bus_dispatch(in->bus, &r);
	return 1;
}

static void prepare(struct intake *in)
{
	static const struct leat_field fields[] = {
		{ .name = "h.ts_ns", .type = LEAT_TYPE_UINT, .offset = 8, .size = 8 },
		{ .name = "payload.4", .type = LEAT_TYPE_UINT, .offset = 56, .size = 8 },
	};
	struct leat_format *f = NULL;
	struct leat_event *ev = NULL;

	check(leat_bus_new(&in->bus) || leat_format_new(&f, "flood"), "bus");
	check(leat_format_add(f, &fields[0]) || leat_format_add(f, &fields[1]), "format");
	check(leat_format_ref(f, "h.ts_ns", &in->ts) || leat_format_ref(f, "payload.4", &in->last),
	      "references");
	check(leat_bus_add_event(in->bus, 1, "bench/flood", f, &ev), "event");
	check(leat_event_add_callback(ev, on_record, in, NULL), "callback");
}

int main(int argc, char **argv)
{
	const double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;
	struct ring_flood *skel = ring_flood__open_and_load();
	struct intake in = { .delivered = 0 };
	struct counts c = { 0 };
	const uint32_t zero = 0;
	struct leat_ring ring;
	pthread_t thread;
	double start;
	int fd;

	check(!skel, "load");
	prepare(&in);
	check(leat_ring_open(&ring, bpf_map__fd(skel->maps.ring), 16 << 20), "ring");
	fd = bpf_program__fd(skel->progs.flood);
	check(pthread_create(&thread, NULL, produce, &fd), "thread");
	start = now_s();
	while (now_s() - start < seconds)
		leat_ring_consume(&ring, 65536, take, &in);
	stop = true;
	start = now_s() - start;
	pthread_join(thread, NULL);
	while (leat_ring_consume(&ring, 65536, take, &in))
		;
	check(bpf_map_lookup_elem(bpf_map__fd(skel->maps.counts), &zero, &c), "counts");
	printf("| BPF ring to callback, 64-byte records | %.1f million/s | seen %" PRIu64
	       " = delivered %" PRIu64 " + lost %" PRIu64 " |\n",
	       (double)in.delivered / start / 1e6, c.seen, in.delivered, c.lost);
	check(c.seen != in.delivered + c.lost || in.broken || leat_bus_error_cnt(in.bus), "sums");
	leat_ring_close(&ring);
	leat_bus_free(&in.bus);
	ring_flood__destroy(skel);
	return 0;
}
