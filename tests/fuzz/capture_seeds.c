/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the seeds of fuzz_capture into the directory that is named: "make fuzz-seeds-capture". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "../support/capture_file.h"

static void put(const char *dir, const char *name, const void *p, size_t n)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wbe");
	if (!f || fwrite(p, 1, n, f) != n || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

/* Chunks as they are decompressed: what is changed in them is not lost in compression. */
static uint8_t *unpack(const struct leat_example *e, size_t *n)
{
	size_t offs[64], cnt = leat_capture_offsets(e->bytes, e->len, offs, 64);
	uint8_t *to = malloc(e->len * 64), *at = to + sizeof(struct leat_capture_header);

	if (!to)
		exit(1);
	memcpy(to, e->bytes, sizeof(struct leat_capture_header));
	for (size_t i = 0; i < cnt; i++) {
		const uint8_t *from = e->bytes + offs[i];
		struct leat_capture_chunk h;

		memcpy(&h, from, sizeof(h));
		from += sizeof(h);
		if (h.codec == LEAT_CAPTURE_RAW)
			memcpy(at + sizeof(h), from, h.raw_bytes);
		else if (ZSTD_decompress(at + sizeof(h), h.raw_bytes, from, h.stored_bytes) !=
			 h.raw_bytes)
			exit(1);
		h.codec = LEAT_CAPTURE_RAW;
		h.stored_bytes = h.raw_bytes;
		memcpy(at, &h, sizeof(h));
		at += sizeof(h) + h.raw_bytes;
	}
	*n = (size_t)(at - to);
	leat_capture_mend(to, *n);
	return to;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		struct leat_capture_options o;
	} rows[] = {
		{ "counted", { .by_thread = false } },
		{ "streamed", { .session = { .per_thread = true, .stream = true } } },
		{ "threads", { .by_thread = true, .session = { .per_thread = true } } },
		{ "user", { .session = { .user_only = true } } },
	};

	if (argc != 2)
		return 2;
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		struct leat_example e;
		char name[64];
		uint8_t *raw;
		size_t n;

		leat_example_init(&e, &rows[i].o);
		put(argv[1], rows[i].name, e.bytes, e.len);
		raw = unpack(&e, &n);
		snprintf(name, sizeof(name), "%s-raw", rows[i].name);
		put(argv[1], name, raw, n);
		if (!i)
			put(argv[1], "cut", raw, n / 2);
		free(raw);
		leat_example_fini(&e);
	}
	return 0;
}
