/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The workload of scripts/demo.sh: a small service without a network. Three workers serve orders,
 * searches and reports as fast as they can, a fourth thread writes their log. The call tree is that
 * of a service (parse, verify, search, sort, format, compress, system calls), 12 to 20 frames deep.
 *
 * demo [SECONDS]: ends by itself after that time (60).
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define WORKERS	    3
#define BODY_BYTES  8192
#define REPLY_BYTES 65536
#define DOCUMENTS   600
#define LZ_BITS	    12

struct text {
	char *data;
	size_t len, cap;
};

struct document {
	uint32_t id, score;
	char title[24];
};

struct worker {
	pthread_t thread;
	uint32_t seed;
	int sink_fd, log_fd;
	uint64_t served;
	struct document docs[DOCUMENTS];
	struct text body, reply, packed;
	uint8_t digest[32];
};

static atomic_bool stopping;

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* --- text ---------------------------------------------------------------------------------- */

static void text_init(struct text *t, size_t cap)
{
	t->data = malloc(cap);
	t->cap = t->data ? cap : 0;
	t->len = 0;
}

static void append_char(struct text *t, char c)
{
	if (t->len < t->cap)
		t->data[t->len++] = c;
}

static void append_string(struct text *t, const char *s)
{
	while (*s)
		append_char(t, *s++);
}

static void append_decimal(struct text *t, uint32_t v)
{
	char digits[12];
	int n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	while (n)
		append_char(t, digits[--n]);
}

/* --- requests: nested JSON ------------------------------------------------------------------ */

static void make_item(struct text *t, uint32_t *seed, int depth)
{
	append_string(t, "{\"sku\":\"item-");
	append_decimal(t, next_random(seed));
	append_string(t, "\",\"price\":");
	append_decimal(t, next_random(seed) % 10000);
	append_string(t, ",\"tags\":[\"new\",\"blue\",true,null],\"parts\":[");
	for (int i = 0; depth > 0 && i < 2; i++) {
		if (i)
			append_char(t, ',');
		make_item(t, seed, depth - 1);
	}
	append_string(t, "]}");
}

static void make_body(struct text *t, uint32_t *seed)
{
	t->len = 0;
	make_item(t, seed, 5);
	append_char(t, '\0');
}

struct parser {
	const char *at;
	uint64_t sum;
	uint32_t values;
};

static void parse_value(struct parser *p);

static void skip_space(struct parser *p)
{
	while (*p->at == ' ' || *p->at == '\n')
		p->at++;
}

static void parse_string(struct parser *p)
{
	for (p->at++; *p->at && *p->at != '"'; p->at++)
		p->sum = p->sum * 31 + (unsigned char)*p->at;
	if (*p->at)
		p->at++;
}

static void parse_number(struct parser *p)
{
	uint64_t v = 0;

	while (*p->at >= '0' && *p->at <= '9')
		v = v * 10 + (uint64_t)(*p->at++ - '0');
	p->sum += v;
}

static void parse_word(struct parser *p)
{
	while (*p->at >= 'a' && *p->at <= 'z')
		p->at++;
}

static void parse_array(struct parser *p)
{
	p->at++;
	while (*p->at && *p->at != ']') {
		parse_value(p);
		if (*p->at == ',')
			p->at++;
	}
	if (*p->at)
		p->at++;
}

static void parse_member(struct parser *p)
{
	parse_string(p);
	skip_space(p);
	if (*p->at == ':')
		p->at++;
	parse_value(p);
}

static void parse_object(struct parser *p)
{
	p->at++;
	while (*p->at && *p->at != '}') {
		parse_member(p);
		if (*p->at == ',')
			p->at++;
	}
	if (*p->at)
		p->at++;
}

static void parse_value(struct parser *p)
{
	skip_space(p);
	p->values++;
	if (*p->at == '{')
		parse_object(p);
	else if (*p->at == '[')
		parse_array(p);
	else if (*p->at == '"')
		parse_string(p);
	else if (*p->at >= '0' && *p->at <= '9')
		parse_number(p);
	else
		parse_word(p);
	skip_space(p);
}

static uint64_t parse_body(const struct text *body)
{
	struct parser p = { .at = body->data };

	parse_value(&p);
	return p.sum + p.values;
}

/* --- signatures: SHA-256 --------------------------------------------------------------------- */

static const uint32_t sha_init[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
				      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

#define ROTATE(v, n) ((v) >> (n) | (v) << (32 - (n)))

static void sha256_schedule(uint32_t w[64], const uint8_t *block)
{
	memcpy(w, block, 64);
	for (int i = 16; i < 64; i++) {
		uint32_t a = ROTATE(w[i - 15], 7) ^ ROTATE(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t b = ROTATE(w[i - 2], 17) ^ ROTATE(w[i - 2], 19) ^ w[i - 2] >> 10;

		w[i] = w[i - 16] + a + w[i - 7] + b;
	}
}

/* The rounds, with a constant of the round number: it costs what SHA-256 costs. */
static void sha256_rounds(uint32_t h[8], const uint32_t w[64])
{
	uint32_t s[8];

	memcpy(s, h, sizeof(s));
	for (int i = 0; i < 64; i++) {
		uint32_t e = ROTATE(s[4], 6) ^ ROTATE(s[4], 11) ^ ROTATE(s[4], 25);
		uint32_t a = ROTATE(s[0], 2) ^ ROTATE(s[0], 13) ^ ROTATE(s[0], 22);
		uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
		uint32_t t1 = s[7] + e + choice + 0x9e3779b9u * (uint32_t)(i + 1) + w[i];
		uint32_t t2 = a + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

		for (int j = 7; j > 0; j--)
			s[j] = s[j - 1];
		s[4] += t1;
		s[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		h[i] += s[i];
}

static void sha256_block(uint32_t h[8], const uint8_t *block)
{
	uint32_t w[64];

	sha256_schedule(w, block);
	sha256_rounds(h, w);
}

static void sha256_update(uint32_t h[8], const uint8_t *data, size_t len)
{
	for (size_t off = 0; off + 64 <= len; off += 64)
		sha256_block(h, data + off);
}

static void sha256_digest(const uint8_t *data, size_t len, uint8_t digest[32])
{
	uint32_t h[8];

	memcpy(h, sha_init, sizeof(h));
	sha256_update(h, data, len);
	memcpy(digest, h, 32);
}

static void sign_body(struct worker *w)
{
	sha256_digest((const uint8_t *)w->body.data, w->body.len, w->digest);
}

static bool verify_signature(struct worker *w)
{
	sign_body(w);
	return w->digest[0] != w->digest[1];
}

/* --- search ---------------------------------------------------------------------------------- */

static uint32_t term_weight(const char *title, uint32_t term)
{
	uint32_t h = term;

	for (int round = 0; round < 3; round++)
		for (const char *c = title; *c; c++)
			h = (h ^ (uint32_t)*c) * 16777619u;
	return h % 1000;
}

static uint32_t score_document(const struct document *d, uint32_t query)
{
	uint32_t score = 0;

	for (uint32_t term = 0; term < 4; term++)
		score += term_weight(d->title, query + term);
	return score;
}

static void rank_documents(struct worker *w, uint32_t query)
{
	for (int i = 0; i < DOCUMENTS; i++)
		w->docs[i].score = score_document(&w->docs[i], query);
}

static int compare_documents(const struct document *a, const struct document *b)
{
	if (a->score != b->score)
		return a->score < b->score ? 1 : -1;
	return strcmp(a->title, b->title);
}

static void swap_documents(struct document *a, struct document *b)
{
	struct document t = *a;

	*a = *b;
	*b = t;
}

static int partition_range(struct document *d, int lo, int hi)
{
	struct document pivot = d[lo + (hi - lo) / 2];
	int i = lo - 1, j = hi + 1;

	for (;;) {
		do
			i++;
		while (compare_documents(&d[i], &pivot) < 0);
		do
			j--;
		while (compare_documents(&d[j], &pivot) > 0);
		if (i >= j)
			return j;
		swap_documents(&d[i], &d[j]);
	}
}

static void sort_range(struct document *d, int lo, int hi)
{
	if (lo < hi) {
		int mid = partition_range(d, lo, hi);

		sort_range(d, lo, mid);
		sort_range(d, mid + 1, hi);
	}
}

static void sort_results(struct worker *w)
{
	sort_range(w->docs, 0, DOCUMENTS - 1);
}

/* --- reports --------------------------------------------------------------------------------- */

static void format_money(struct text *t, uint32_t cents)
{
	append_decimal(t, cents / 100);
	append_char(t, '.');
	append_decimal(t, cents % 100);
}

static void escape_cell(struct text *t, const char *s)
{
	for (; *s; s++) {
		if (*s == '<')
			append_string(t, "&lt;");
		else
			append_char(t, *s);
	}
}

static void format_cell(struct text *t, const struct document *d, int column)
{
	append_string(t, "<td>");
	if (column == 0)
		append_decimal(t, d->id);
	else if (column == 1)
		escape_cell(t, d->title);
	else
		format_money(t, d->score * 7);
	append_string(t, "</td>");
}

static void format_row(struct text *t, const struct document *d)
{
	append_string(t, "<tr>");
	for (int column = 0; column < 3; column++)
		format_cell(t, d, column);
	append_string(t, "</tr>\n");
}

static void format_table(struct text *t, const struct document *d, int rows)
{
	append_string(t, "<table>\n");
	for (int i = 0; i < rows; i++)
		format_row(t, &d[i]);
	append_string(t, "</table>\n");
}

static void render_report(struct worker *w)
{
	w->reply.len = 0;
	append_string(&w->reply, "<h1>Report</h1>\n");
	format_table(&w->reply, w->docs, DOCUMENTS / 2);
}

/* --- compression: LZ77 with a table of one candidate per hash ---------------------------------- */

static size_t match_length(const char *a, const char *b, size_t max)
{
	size_t n = 0;

	while (n < max && a[n] == b[n])
		n++;
	return n;
}

static uint32_t hash_window(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return (v * 2654435761u) >> (32 - LZ_BITS);
}

static size_t find_match(uint32_t *table, const struct text *in, size_t at, size_t *from)
{
	uint32_t slot = hash_window(in->data + at);

	*from = table[slot];
	table[slot] = (uint32_t)at;
	if (*from >= at)
		return 0;
	return match_length(in->data + *from, in->data + at, in->len - at - 4);
}

static void emit_match(struct text *out, size_t distance, size_t len)
{
	append_char(out, (char)0x80);
	append_char(out, (char)distance);
	append_char(out, (char)(distance >> 8));
	append_char(out, (char)len);
}

static void lz_compress(const struct text *in, struct text *out)
{
	uint32_t table[1 << LZ_BITS] = { 0 };
	size_t at = 0;

	out->len = 0;
	while (at + 8 < in->len) {
		size_t from;
		size_t len = find_match(table, in, at, &from);

		if (len >= 4) {
			emit_match(out, at - from, len);
			at += len;
		} else {
			append_char(out, in->data[at++]);
		}
	}
}

static uint32_t checksum(const struct text *t)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < t->len; i++) {
		crc ^= (uint8_t)t->data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
	}
	return ~crc;
}

static uint32_t compress_reply(struct worker *w)
{
	lz_compress(&w->reply, &w->packed);
	return checksum(&w->packed);
}

/* --- system calls ------------------------------------------------------------------------------ */

static void write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

static void send_reply(struct worker *w)
{
	for (size_t off = 0; off < w->packed.len; off += 1024)
		write_all(w->sink_fd, w->packed.data + off, 1024);
}

static void new_session_key(struct worker *w)
{
	uint8_t key[512];

	if (getrandom(key, sizeof(key), 0) == (ssize_t)sizeof(key))
		w->seed ^= key[0];
}

/* Fresh pages: the kernel's part of a cache that grows. */
static void fill_cache(struct worker *w)
{
	size_t bytes = 16 * 4096;
	uint8_t *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return;
	for (size_t i = 0; i < bytes; i += 4096)
		p[i] = w->digest[i % 32];
	munmap(p, bytes);
}

static void log_request(struct worker *w, const char *what, uint64_t value)
{
	char line[96];
	int n = snprintf(line, sizeof(line), "%s %llu\n", what, (unsigned long long)value);

	write_all(w->log_fd, line, (size_t)n);
}

/* --- the service --------------------------------------------------------------------------------- */

static void handle_order(struct worker *w)
{
	uint64_t sum;

	make_body(&w->body, &w->seed);
	sum = parse_body(&w->body);
	if (verify_signature(w))
		new_session_key(w);
	fill_cache(w);
	log_request(w, "order", sum);
}

static void handle_search(struct worker *w)
{
	rank_documents(w, next_random(&w->seed));
	sort_results(w);
	log_request(w, "search", w->docs[0].id);
}

static void handle_report(struct worker *w)
{
	render_report(w);
	log_request(w, "report", compress_reply(w));
	send_reply(w);
}

static void route_request(struct worker *w)
{
	uint32_t kind = next_random(&w->seed) % 10;

	if (kind < 6)
		handle_order(w);
	else if (kind < 9)
		handle_search(w);
	else
		handle_report(w);
}

static void handle_request(struct worker *w)
{
	route_request(w);
	w->served++;
}

static void serve_connection(struct worker *w)
{
	for (int i = 0; i < 16; i++)
		handle_request(w);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	while (!stopping)
		serve_connection(w);
	return NULL;
}

static void write_log(int sink_fd, const char *data, size_t len)
{
	write_all(sink_fd, data, len);
}

static void *logger_main(void *arg)
{
	const int *fds = arg; /* read end, sink */
	char data[4096];
	ssize_t n;

	while ((n = read(fds[0], data, sizeof(data))) > 0)
		write_log(fds[1], data, (size_t)n);
	return NULL;
}

static void worker_init(struct worker *w, int number, int sink_fd, int log_fd)
{
	w->seed = (uint32_t)number * 7919u + 1;
	w->sink_fd = sink_fd;
	w->log_fd = log_fd;
	text_init(&w->body, BODY_BYTES);
	text_init(&w->reply, REPLY_BYTES);
	text_init(&w->packed, REPLY_BYTES);
	for (uint32_t i = 0; i < DOCUMENTS; i++) {
		w->docs[i].id = i;
		snprintf(w->docs[i].title, sizeof(w->docs[i].title), "document %u <%x>", i,
			 next_random(&w->seed));
	}
}

static void start_thread(pthread_t *thread, const char *name, void *(*fn)(void *), void *arg)
{
	if (pthread_create(thread, NULL, fn, arg) != 0) {
		perror("pthread_create");
		exit(1);
	}
	pthread_setname_np(*thread, name);
}

int main(int argc, char **argv)
{
	static struct worker workers[WORKERS];
	static int log_end[2];
	long seconds = argc > 1 ? strtol(argv[1], NULL, 10) : 60;
	pthread_t logger;
	int fds[2];
	uint64_t served = 0;
	int sink_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (sink_fd < 0 || pipe(fds) != 0) {
		perror("demo");
		return 1;
	}
	log_end[0] = fds[0];
	log_end[1] = sink_fd;
	start_thread(&logger, "logger", logger_main, log_end);
	for (int i = 0; i < WORKERS; i++) {
		worker_init(&workers[i], i, sink_fd, fds[1]);
		start_thread(&workers[i].thread, "worker", worker_main, &workers[i]);
	}
	sleep(seconds > 0 ? (unsigned int)seconds : 1);
	stopping = true;
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		served += workers[i].served;
	}
	close(fds[1]);
	pthread_join(logger, NULL);
	printf("%llu requests served\n", (unsigned long long)served);
	return 0;
}
