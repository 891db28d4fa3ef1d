/* SPDX-License-Identifier: BSD-2-Clause */
#include "import/import.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

#include "../support/alloc.h"
#include "../support/sample_profile.h"
#include "base/file.h"
#include "event/capture.h"
#include "export/formats.h"

static struct leat_diag diag;
static struct leat_buf out;

/* A file in memory. */
static int file_of(const void *p, size_t n)
{
	int fd = memfd_create("import", MFD_CLOEXEC);

	cr_assert(ge(int, fd, 0));
	cr_assert(zero(int, leat_file_write_all(fd, p, n)));
	cr_assert(eq(long, (long)lseek(fd, 0, SEEK_SET), 0L));
	return fd;
}

static int import_with(const void *p, size_t n, const struct leat_import_opts *o,
		       struct leat_profile **profile)
{
	int fd = file_of(p, n), err;

	memset(&diag, 0, sizeof(diag));
	err = leat_import_fd_opts(fd, "x", o, profile, &diag);
	close(fd);
	cr_assert(eq(int, err != 0, diag.err != 0), "an error is described: %d %d", err, diag.err);
	return err;
}

static struct leat_profile *imported(const char *text, const struct leat_import_opts *o)
{
	struct leat_profile *p = NULL;

	cr_assert(zero(int, import_with(text, strlen(text), o, &p)), "%s", diag.what);
	return p;
}

static const char *folded_of(struct leat_profile *p)
{
	leat_buf_fini(&out);
	leat_buf_init(&out, LEAT_EXPORT_MAX_BYTES);
	cr_assert(zero(int, leat_export_folded(p, NULL, &out)));
	return out.len ? out.data : "";
}

static void teardown(void)
{
	leat_buf_fini(&out);
}

TestSuite(import, .fini = teardown);

/* ---- text in, folded out ---- */

#define T "\t"
struct row {
	const char *what;
	const char *text;
	const char *folded;
};

static const struct row rows[] = {
	{ "folded as it is", "p;a;b 2\np;a 1\np;a;b 3\n", "p;a 1\np;a;b 5\n" },
	{ "folded, suffixes", "p;a;k_[k] 1\np;a;i_[i] 2\np;j_[j] 3\n",
	  "p;a;i 2\np;a;k_[k] 1\np;j 3\n" },
	{ "folded, names with blanks, parentheses, digits", "my proc;f(int, x 3) 12;op 3 4\n",
	  "my proc;f(int, x 3) 12;op 3 4\n" },
	{ "folded, empty names", "p;;x; 3\n", "p;;x; 3\n" },
	{ "folded, marks", "p;[truncated];a;[bad memory];k_[k] 3\np;[unknown] 2\n",
	  "p;[truncated];a;[bad memory];k_[k] 3\np;[unknown] 2\n" },
	{ "folded, lines that begin alike", "p;ab;c 1\np;a;c 2\np;ab;cd 3\np;ab 4\nq;ab;c 5\n",
	  "p;a;c 2\np;ab 4\np;ab;c 1\np;ab;cd 3\nq;ab;c 5\n" },
	{ "folded, CRLF, comments, empty lines, no newline", "# x\r\np;a 1\r\n\r\np;b 2",
	  "p;a 1\np;b 2\n" },
	{ "folded, a process alone", "main 5\n", "main;[unknown] 5\n" },
	{ "perf, all fields",
	  "nginx 12/13 [001] 1.000001:   99 cycles:P: \n" T "    7f01 b+0x1 (/bin/x)\n" T
	  "    7f02 a+0x2f (/bin/x)\n\n",
	  "nginx;a;b 1\n" },
	{ "perf, tid alone, no CPU", "java 25607 4794564.109216: cycles:\n" T "7f01 b (/x)\n\n",
	  "java;b 1\n" },
	{ "perf, comm with blanks, digits, colons, brackets",
	  "V8 Worker 1 24636/25607 [000] 94564.109216: cycles:\n" T "1 a (/x)\n\n"
	  "[kworker/0:1-ev 99 [000] 1.5: cycles:\n" T "1 a (/x)\n\n"
	  "a 1 [2] 3: 77 [003] 1.6: cycles:\n" T "1 a (/x)\n\n",
	  "V8 Worker 1;a 1\n[kworker/0:1-ev;a 1\na 1 [2] 3:;a 1\n" },
	{ "perf, kernel, modules, bpf, vsyscall, jit",
	  "p 1 [0] 1.0: cycles:\n" T "ffffffff81000000 k+0x0 ([kernel.kallsyms])\n" T
	  "ffffffffc0000000 m ([virtio_net])\n" T "ffffffffc0001000 bpf_prog_1_x (bpf_prog_1_x)\n" T
	  "ffffffffff600000 vs ([vsyscall])\n" T "7f0000001000 j (/tmp/perf-12.map)\n\n",
	  "p;j;vs;bpf_prog_1_x_[k];m_[k];k_[k] 1\n" },
	{ "perf, what has no name",
	  "p 1 [0] 1.0: cycles:\n" T "ffffffffffffff01 [unknown] ([unknown])\n" T
	  "7f02 [unknown] (/lib/libc.so.6)\n" T "7f03 [unknown] (//anon)\n" T "7f04\n" T
	  "7f05  (/lib/libz.so)\n\n",
	  "p;[libz.so];[unknown];[anon];[libc.so.6];[unknown] 1\n" },
	{ "perf, paths with blanks and parentheses",
	  "p 1 [0] 1.0: cycles:\n" T "1 a(int)+0x1 (/opt/My App (x86)/b (deleted))\n" T
	  "2 operator()(int, char) const (/tmp/x (deleted))\n" T "3 no_dso(int)\n\n",
	  "p;no_dso(int);operator()(int, char) const;a(int) 1\n" },
	{ "perf, inlined", "p 1 [0] 1.0: cycles:\n" T "1 in (inlined)\n" T "1 a+0x2 (/x)\n\n",
	  "p;a;in 1\n" },
	{ "perf, offsets in the module", "p 1 [0] 1.0: cycles:\n" T "1 a (/lib/x.so+0x12af)\n\n",
	  "p;a 1\n" },
	{ "perf, one line each",
	  "            perf  12 [000] 1.5:  3 cycles:  ffffffff81000000 k+0x6 ([kernel.kallsyms])\n"
	  "              dd  13 [000] 1.6:  3 cycles:  7f0001 a+0x6 (/bin/dd)\n",
	  "dd;a 1\nperf;k_[k] 1\n" },
	{ "perf, tracepoint with data and a stack",
	  "p 1 [0] 1.0: sched:sched_switch: prev_comm=a prev_pid=1 ==> (x)\n" T "1 a (/x)\n\n",
	  "p;a 1\n" },
	{ "perf, a comm and an event", "bash 12 cycles: \n" T "1 c (/x)\n\n", "bash;c 1\n" },
	{ "perf, no stack", "p 1 [0] 1.0: cycles:\n\nq 1 [0] 1.1: cycles:\n\n",
	  "p;[unknown] 1\nq;[unknown] 1\n" },
	{ "perf, fields left out",
	  "bash \n" T "1 a (/x)\n\nbash 12 \n" T "1 b (/x)\n\nbash 12/12 \n" T "1 c (/x)\n\n",
	  "bash;a 1\nbash;b 1\nbash;c 1\n" },
	{ "perf, frames alone", T "1 a (/x)\n" T "2 b (/x)\n\n" T "1 a (/x)\n\n",
	  "[unknown];a 1\n[unknown];b;a 1\n" },
	{ "perf, an event without an empty line behind it",
	  "p 1 [0] 1.0: cycles:\n" T "1 a (/x)\np 1 [0] 1.1: cycles:\n" T "1 b (/x)\n",
	  "p;a 1\np;b 1\n" },
	{ "perf, the first of two events",
	  "p 1 [0] 1.0: 5 cycles:\n" T "1 a (/x)\n\np 1 [0] 1.0: 7 instructions:\n" T
	  "1 b (/x)\n\n",
	  "p;a 1\n" },
	{ "perf, threads of a process whose leader is seen, and of one whose is not",
	  "w 10/11 [0] 1.0: cycles:\n" T "1 a (/x)\n\nmain 10/10 [0] 1.1: cycles:\n" T
	  "1 a (/x)\n\n"
	  "v 20/21 [0] 1.2: cycles:\n" T "1 a (/x)\n\n",
	  "main;a 2\nv;a 1\n" },
	{ "perf, side band and comments",
	  "# captured on: x\np 1 [0] 1.0: PERF_RECORD_COMM: x:1/1\np 1 [0] 1.1: cycles:\n" T
	  "1 a (/x)\n\n",
	  "p;a 1\n" },
	{ "perf, source lines",
	  "p 1 [0] 1.1: cycles:\n" T "1 a (/x)\n  file.c:12\n" T "2 b (/x)\n\n", "p;b;a 1\n" },
	{ "perf, CRLF", "p 1 [0] 1.1: cycles:\r\n" T "1 a (/x)\r\n\r\n", "p;a 1\n" },
	{ "perf, sums of samples that leat wrote",
	  "p 1/1 0.000000: 30 cpu-clock:\n" T "1 a (/x)\n\n", "p;a 30\n" },
	{ "perf, cut in a frame", "p 1 [0] 1.0: cycles:\n" T "1 a (/x)\n" T "2 b+0x1 (/us",
	  "p;[frames lost];a 1\n" },
};

Test(import, text_becomes_folded)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		struct leat_profile *p = imported(rows[i].text, NULL);

		cr_expect(eq(str, (char *)folded_of(p), (char *)rows[i].folded), "%s",
			  rows[i].what);
		leat_profile_free(&p);
	}
}

/* ---- what is refused ---- */

struct refusal {
	const char *text;
	int err;
	const char *says;
};

static const struct refusal refusals[] = {
	{ "", -ENODATA, "x is empty" },
	{ "p;a 1\np;a\n", -EBADMSG, "x: line 2: no count at its end" },
	{ "p;a 1.5\n", -EBADMSG, "x: line 1: its count is no whole number" },
	{ "p;a 1\n\np;b 1e3\n", -EBADMSG, "x: line 3: its count is no whole number" },
	{ "p;a -1\np;a 2\n", -EBADMSG, "x: line 1: its count is negative" },
	{ "p;a 99999999999999999999\n", -EBADMSG, "x: line 1: its count is too large" },
	{ "p;a 9999999999999999999\n", -EOVERFLOW, "near line 1" },
	{ "p;a 0\n", -ENODATA, "no samples" },
	{ "PERFILE2\x01\x02\x03", -EBADMSG, "x is a perf.data file" },
	{ "{\"json\": 1}\n", -EBADMSG, "not a format that leat knows" },
	{ "<svg>\na;b 1\n", -EBADMSG, "not a format that leat knows" },
	{ "hello\nworld\n", -EBADMSG, "not a format that leat knows" },
	{ "\x1f\x8b\x08\0broken, as it is", -EBADMSG, "damaged gzip" },
	{ "\x28\xb5\x2f\xfd broken, as it is", -EBADMSG, "damaged zstd" },
};

Test(import, refused)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(refusals); i++) {
		const struct refusal *r = &refusals[i];
		size_t n = r->text[0] == '\x1f' ? 20 : strlen(r->text);
		struct leat_profile *p = NULL;

		cr_expect(eq(int, import_with(r->text, n, NULL, &p), r->err), "%s", r->text);
		cr_expect(ne(ptr, strstr(diag.what, r->says), NULL), "%s", diag.what);
		cr_expect(eq(ptr, p, NULL));
	}
}

/* A program has blanks and digits in it, too. */
Test(import, binaries_are_no_text)
{
	static const char elf[] = "\177ELF\2\1\1\0\0\0\0\0;a 1\n;b 2\n";
	struct leat_profile *p = NULL;

	cr_expect(eq(int, import_with(elf, sizeof(elf) - 1, NULL, &p), -EBADMSG));
	cr_expect(ne(ptr, strstr(diag.what, "not a format that leat knows"), NULL), "%s",
		  diag.what);
}

Test(import, a_packed_capture_file_is_told_how)
{
	char packed[128];
	struct leat_profile *p = NULL;
	size_t n = ZSTD_compress(packed, sizeof(packed), LEAT_CAPTURE_MAGIC "rest", 12, 3);

	cr_expect(eq(int, import_with(packed, n, NULL, &p), -EBADMSG));
	cr_expect(eq(str, diag.what, (char *)"x is a capture file inside zstd"));
	cr_expect(eq(str, diag.fix, (char *)"zstd -dc x | leat report -"));
}

Test(import, perf_data_is_told_how)
{
	struct leat_profile *p = NULL;

	cr_assert(eq(int, import_with("PERFILE2", 8, NULL, &p), -EBADMSG));
	cr_expect(eq(str, diag.fix, (char *)"perf script -i x | leat convert - ..."));
}

/* ---- what the verdict says ---- */

static void verdict_is(const char *text, const char *says)
{
	struct leat_profile *p = imported(text, NULL);
	struct leat_buf b;

	leat_buf_init(&b, 1 << 16);
	leat_verdict_text(&p->verdict, &b);
	cr_expect(ne(ptr, strstr(b.data, says), NULL), "%s", b.data);
	leat_buf_fini(&b);
	leat_profile_free(&p);
}

Test(import, the_verdict_says_what_is_not_known)
{
	verdict_is("p;a 500\n",
		   "with care: 500 samples, imported: what was lost is not known, 100 % of frames");
	verdict_is("p;a 5\n", "do not trust: 5 samples, imported");
	verdict_is("p;[truncated];a 500\n", "user stacks: 500 truncated");
	verdict_is("p;[libc.so.6];a 5\np;b 4\n", "import: 5 samples hold a frame without a name");
	verdict_is("p 1 [0] 1.1: cycles:\n" T "1 a (/x)\nwhat is this\n\nand this?\n",
		   "2 lines were not understood");
	verdict_is("p 1 [0] 1.1: cycles:\n" T "1 a (/x)\n\np 1 [0] 1.1: faults:\n\n",
		   "1 samples of other events were left out");
	verdict_is("p;a 5\np;b 4", "the file ends in the middle of an entry");
	verdict_is("p;a 5\np;b", "the file ends in the middle of an entry");
	verdict_is("p 1 [0] 1.1: cycles:\n" T "1 a (/x)\n\np 1 [0] 1.2: PERF_RECORD_LOST lost 7\n",
		   "7 delivered and not kept");
}

Test(import, stacks_as_deep_as_perf_goes_were_cut)
{
	struct leat_buf text;
	struct leat_profile *p;

	leat_buf_init(&text, 1 << 20);
	for (int depth = 126; depth < 128; depth++) {
		leat_buf_str(&text, "p 1 [0] 1.1: cycles:\n");
		for (int i = 0; i < depth; i++)
			leat_buf_str(&text, "\t1 a (/x)\n");
		leat_buf_str(&text, "\n");
	}
	p = imported(text.data, NULL);
	cr_expect(eq(u64, p->verdict.stacks[LEAT_STACK_TRUNCATED], 1));
	cr_expect(ne(ptr, strstr(folded_of(p), "p;[truncated];a;a"), NULL));
	leat_profile_free(&p);
	leat_buf_fini(&text);
}

Test(import, events_and_periods)
{
	static const char text[] = "p 1 [0] 1.0: 10101010 cpu-clock:\n" T "1 a (/x)\n\n"
				   "p 1 [2] 1.5: 10101010 cpu-clock:\n" T
				   "1 a (/x)\n\np 1 [0] 1.0: 7 faults:\n" T "1 b (/x)\n\n";
	struct leat_import_opts o = { .event = "faults" };
	struct leat_profile *p = imported(text, &o);

	cr_expect(eq(str, (char *)folded_of(p), (char *)"p;b 1\n"));
	leat_profile_free(&p);
	o = (struct leat_import_opts){ .periods = true };
	p = imported(text, &o);
	cr_expect(eq(str, (char *)folded_of(p), (char *)"p;a 20202020\n"));
	leat_profile_free(&p);
	o = (struct leat_import_opts){ .times = true };
	p = imported(text, &o);
	cr_assert(eq(sz, p->sample_cnt, 2));
	cr_expect(eq(u64, p->samples[1].ts_ns, 1500000000));
	cr_expect(eq(int, p->samples[1].cpu, 2));
	cr_expect(eq(u64, p->meta.freq_hz, 99));
	cr_expect(p->meta.time_based);
	leat_profile_free(&p);
	o = (struct leat_import_opts){ .event = "none" };
	cr_expect(eq(int, import_with(text, sizeof(text) - 1, &o, &p), -ENOENT));
	cr_expect(eq(str, diag.why, (char *)"it holds: cpu-clock (2 samples), faults (1 sample)"));
}

/* ---- there and back ---- */

typedef int (*writer)(struct leat_profile *, const struct leat_export_opts *, struct leat_buf *);

static void round_trip(struct leat_profile *p, writer write)
{
	struct leat_export_opts o = { .tree.by_process = true };
	struct leat_profile *back = NULL;
	struct leat_buf file, before;

	leat_buf_init(&file, LEAT_EXPORT_MAX_BYTES);
	leat_buf_init(&before, LEAT_EXPORT_MAX_BYTES);
	cr_assert(zero(int, leat_export_folded(p, NULL, &before)));
	cr_assert(zero(int, write(p, &o, &file)));
	cr_assert(zero(int, import_with(file.data, file.len, NULL, &back)), "%s", diag.what);
	cr_expect(eq(str, (char *)folded_of(back), before.data));
	cr_expect(eq(u64, back->verdict.taken, leat_profile_total(p)));
	/* And once more, from what was imported. */
	leat_buf_reset(&file);
	cr_assert(zero(int, write(back, &o, &file)));
	leat_profile_free(&back);
	cr_assert(zero(int, import_with(file.data, file.len, NULL, &back)), "%s", diag.what);
	cr_expect(eq(str, (char *)folded_of(back), before.data));
	leat_profile_free(&back);
	leat_buf_fini(&file);
	leat_buf_fini(&before);
}

static const writer writers[] = { leat_export_folded, leat_export_pprof, leat_export_script };

Test(import, what_leat_writes_it_reads)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(writers); i++) {
		struct leat_profile *p = NULL;

		cr_assert(zero(int, leat_sample_profile_hostile(&p)));
		round_trip(p, writers[i]);
		leat_profile_free(&p);
		cr_assert(zero(int, leat_sample_profile_streamed(&p)));
		round_trip(p, writers[i]);
		leat_profile_free(&p);
		cr_assert(zero(int, leat_sample_profile_server(&p, 5000)));
		round_trip(p, writers[i]);
		leat_profile_free(&p);
	}
}

/* A file that two threads share: the pieces must add up, and be the same each time. */
Test(import, large_files_in_pieces)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(writers); i++) {
		struct leat_profile *p = NULL;

		cr_assert(zero(int, leat_sample_profile_wide(&p, 20000)));
		round_trip(p, writers[i]);
		leat_profile_free(&p);
	}
}

Test(import, an_error_in_a_later_piece_has_its_line)
{
	struct leat_buf text;
	struct leat_profile *p = NULL;
	char says[64];

	leat_buf_init(&text, 64 << 20);
	for (int i = 1; i <= 200000; i++)
		leat_buf_printf(&text, "process;outer;inner_%d%s", i, i == 150001 ? "\n" : " 1\n");
	cr_assert(eq(int, import_with(text.data, text.len, NULL, &p), -EBADMSG));
	snprintf(says, sizeof(says), "x: line %d: no count at its end", 150001);
	cr_expect(eq(str, diag.what, says));
	leat_buf_fini(&text);
}

/* ---- packed ---- */

static size_t gzip(void *to, size_t room, const void *p, size_t n)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)p, .avail_in = (uInt)n };
	size_t len;

	z.next_out = to;
	z.avail_out = (uInt)room;
	cr_assert(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	cr_assert(deflate(&z, Z_FINISH) == Z_STREAM_END);
	len = z.total_out;
	deflateEnd(&z);
	return len;
}

static size_t zstd(void *to, size_t room, const void *p, size_t n)
{
	size_t len = ZSTD_compress(to, room, p, n, 3);

	cr_assert(ZSTD_isError(len) == 0);
	return len;
}

static size_t (*const packers[])(void *, size_t, const void *, size_t) = { gzip, zstd };

Test(import, packed_text)
{
	static const char text[] = "p;a;b 2\np;a 1\n";

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(packers); i++) {
		unsigned char packed[512];
		struct leat_profile *p = NULL;
		size_t len = packers[i](packed, 256, text, sizeof(text) - 1), both;

		cr_assert(zero(int, import_with(packed, len, NULL, &p)), "%s", diag.what);
		cr_expect(eq(str, (char *)folded_of(p), (char *)"p;a 1\np;a;b 2\n"));
		leat_profile_free(&p);
		for (size_t n = 1; n < len; n++) {
			if (!import_with(packed, n, NULL, &p))
				cr_expect(p->verdict.import_cut == 1, "%zu", n);
			leat_profile_free(&p);
		}
		/* Two of them are one text. */
		both = len + packers[i](packed + len, 256, text, sizeof(text) - 1);
		cr_assert(zero(int, import_with(packed, both, NULL, &p)));
		cr_expect(eq(u64, p->verdict.taken, 6));
		leat_profile_free(&p);
	}
}

/* Larger than any buffer on the way, of which damage in the middle is told. */
Test(import, large_packed_text)
{
	struct leat_buf text;

	leat_buf_init(&text, 64 << 20);
	for (int i = 0; i < 200000; i++)
		leat_buf_printf(&text, "process;outer_%d;inner_%d 1\n", i % 7, i * 7919);
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(packers); i++) {
		LEAT_FREE unsigned char *packed = malloc(text.len);
		size_t len = packers[i](packed, text.len, text.data, text.len);
		struct leat_profile *p = NULL;

		cr_assert(zero(int, import_with(packed, len, NULL, &p)), "%s", diag.what);
		cr_expect(eq(u64, p->verdict.taken, 200000));
		leat_profile_free(&p);
		cr_assert(zero(int, import_with(packed, len / 2, NULL, &p)), "%s", diag.what);
		cr_expect(eq(u64, p->verdict.import_cut, 1));
		leat_profile_free(&p);
		memset(packed + len / 2, 0xa5, 1024);
		cr_expect(eq(int, import_with(packed, len, NULL, &p), -EBADMSG));
		cr_expect(ne(ptr, strstr(diag.what, i ? "damaged zstd" : "damaged gzip"), NULL),
			  "%s", diag.what);
	}
	leat_buf_fini(&text);
}

/* ---- cut anywhere ---- */

static void cut_everywhere(const char *p, size_t n, uint64_t total)
{
	for (size_t i = 0; i <= n; i++) {
		LEAT_FREE char *exact = malloc(i ? i : 1); /* a read past the end is seen */
		struct leat_profile *got = NULL;

		cr_assert(exact != NULL);
		memcpy(exact, p, i);
		/* The beginning of a line may well be a folded stack of its own: "nginx 424". */
		if (!import_with(exact, i, NULL, &got) && i > 60)
			cr_assert(le(u64, got->verdict.taken, total));
		leat_profile_free(&got);
	}
}

Test(import, cut_at_every_byte)
{
	struct leat_export_opts o = { 0 };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(writers); i++) {
		struct leat_profile *p = NULL;
		struct leat_buf file;

		leat_buf_init(&file, LEAT_EXPORT_MAX_BYTES);
		cr_assert(zero(int, leat_sample_profile_hostile(&p)));
		cr_assert(zero(int, writers[i](p, &o, &file)));
		cut_everywhere(file.data, file.len, leat_profile_total(p));
		leat_profile_free(&p);
		leat_buf_fini(&file);
	}
}

Test(import, survives_each_failing_allocation)
{
	static const char *const texts[] = {
		"p;a;b 2\np;a 1\n",
		"p 1/1 [0] 1.0: 5 cycles:\n" T "1 a (/x)\n\np 1/2 [0] 1.0: 7 faults:\n" T
		"1 b (/x)\n\n",
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(texts); i++) {
		LEAT_ALLOC_EACH_FAILS {
			int fd = file_of(texts[i], strlen(texts[i])), err;
			struct leat_profile *p = NULL;

			err = leat_import_fd(fd, "x", &p, NULL);
			leat_alloc_disarm();
			cr_assert(err == 0 || err == -ENOMEM, "%d", err);
			leat_profile_free(&p);
			close(fd);
		}
	}
}
