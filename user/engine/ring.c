/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Own reader, because libbpf's takes a callback for whole rings only: it can neither stop before a
 * record nor bound a batch (libbpf 1.1), and would spin under a sustained producer.
 * Source: kernel/bpf/ringbuf.c: consumer page, producer page, data pages mapped twice in a row.
 */
#include "engine/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

int leat_ring_open(struct leat_ring *r, int map_fd, size_t size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *consumer, *producer;

	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	producer = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (producer == MAP_FAILED) {
		int err = -errno;

		munmap(consumer, page);
		return err;
	}
	*r = (struct leat_ring){
		.fd = map_fd,
		.consumer = consumer,
		.producer = producer,
		.data = (const uint8_t *)producer + page,
		.page = page,
		.size = size,
	};
	return 0;
}

void leat_ring_close(struct leat_ring *r)
{
	if (r->consumer)
		munmap(r->consumer, r->page);
	if (r->producer)
		munmap(r->producer, r->page + 2 * r->size);
	*r = (struct leat_ring){ .fd = -1 };
}

size_t leat_ring_pending(const struct leat_ring *r)
{
	unsigned long prod =
		__atomic_load_n((const unsigned long *)(void *)r->producer, __ATOMIC_ACQUIRE);
	unsigned long cons =
		__atomic_load_n((const unsigned long *)(void *)r->consumer, __ATOMIC_RELAXED);

	return prod - cons;
}

size_t leat_ring_consume(struct leat_ring *r, size_t max, leat_ring_fn fn, void *ctx)
{
	unsigned long *cons_pos = (unsigned long *)(void *)r->consumer;
	const unsigned long *prod_pos = (const unsigned long *)(void *)r->producer;
	unsigned long cons = __atomic_load_n(cons_pos, __ATOMIC_RELAXED);
	const unsigned long prod = __atomic_load_n(prod_pos, __ATOMIC_ACQUIRE);
	size_t taken = 0;

	while (cons < prod && taken < max) {
		const uint8_t *head = r->data + (cons & (r->size - 1));
		uint32_t len =
			__atomic_load_n((const uint32_t *)(const void *)head, __ATOMIC_ACQUIRE);
		uint32_t bytes = len & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (len & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(len & BPF_RINGBUF_DISCARD_BIT)) {
			if (!fn(ctx, head + BPF_RINGBUF_HDR_SZ, bytes))
				break;
			taken++;
		}
		cons += (bytes + BPF_RINGBUF_HDR_SZ + 7) & ~7ul;
		__atomic_store_n(cons_pos, cons, __ATOMIC_RELEASE);
	}
	return taken;
}
