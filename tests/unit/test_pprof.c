/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/formats.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "export/proto.h"

#include "../support/alloc.h"
#include "../support/golden.h"
#include "../support/sample_profile.h"

static struct leat_profile *profile;
static struct leat_buf out, text;

static void setup(void)
{
	cr_assert(zero(int, leat_sample_profile_hostile(&profile)));
	leat_buf_init(&out, LEAT_EXPORT_MAX_BYTES);
	leat_buf_init(&text, LEAT_EXPORT_MAX_BYTES);
}

static void teardown(void)
{
	leat_profile_free(&profile);
	leat_buf_fini(&out);
	leat_buf_fini(&text);
}

TestSuite(pprof, .init = setup, .fini = teardown);

struct cursor {
	const unsigned char *at, *end;
};

static uint64_t varint(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; c->at < c->end; shift += 7) {
		unsigned char b = *c->at++;

		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	cr_fatal("a varint without end");
	return 0;
}

/* What each field of length-delimited type holds, by path: message, packed numbers or a string. */
static char form_of(const char *path)
{
	static const char *const messages = " 1 2 3 4 5 11 2.3 4.4 ", *const packed = " 2.1 2.2 ";
	char key[32];

	snprintf(key, sizeof(key), " %s ", path);
	return strstr(messages, key) ? 'm' : strstr(packed, key) ? 'p' : 's';
}

/* An own, simple reader: prints every field as text. Checks that the message is well-formed. */
static void dump(struct cursor c, const char *path)
{
	while (c.at < c.end) {
		uint64_t tag = varint(&c);
		struct cursor in;
		char here[32];

		snprintf(here, sizeof(here), "%s%s%" PRIu64, path, *path ? "." : "", tag >> 3);
		leat_buf_printf(&text, "%*s%" PRIu64, *path ? 2 * (int)(strlen(path) + 1) / 2 : 0,
				"", tag >> 3);
		cr_assert(tag % 8 == 0 || tag % 8 == 2);
		if ((tag & 7) == 0) {
			leat_buf_printf(&text, ": %" PRIu64 "\n", varint(&c));
			continue;
		}
		in.at = c.at;
		in.end = c.end;
		uint64_t n = varint(&in);

		cr_assert(n <= (uint64_t)(in.end - in.at));
		in.end = in.at + n;
		c.at = in.end;
		if (form_of(here) == 's') {
			leat_buf_printf(&text, ": \"%.*s\"", (int)n, (const char *)in.at);
		} else if (form_of(here) == 'p') {
			while (in.at < in.end)
				leat_buf_printf(&text, " %" PRIu64, varint(&in));
		}
		leat_buf_char(&text, '\n');
		if (form_of(here) == 'm')
			dump(in, here);
	}
}

static void export(const struct leat_export_opts *o)
{
	static unsigned char raw[1 << 20];
	z_stream z = { .next_out = raw, .avail_out = sizeof(raw) };

	leat_buf_reset(&out);
	leat_buf_reset(&text);
	cr_assert(zero(int, leat_export_pprof(profile, o, &out)));
	/* gzip, deflate, no flags, no time, unknown system (RFC 1952). */
	cr_assert(zero(int, memcmp(out.data, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10)));
	z.next_in = (Bytef *)out.data;
	z.avail_in = (uInt)out.len;
	cr_assert(inflateInit2(&z, 15 + 32) == Z_OK);
	cr_assert(inflate(&z, Z_FINISH) == Z_STREAM_END);
	inflateEnd(&z);
	dump((struct cursor){ raw, raw + z.total_out }, "");
}

static size_t count(const char *needle)
{
	size_t n = 0;

	for (const char *s = text.data; (s = strstr(s, needle)); s++)
		n++;
	return n;
}

Test(pprof, golden)
{
	export(&(struct leat_export_opts){ 0 });
	leat_golden_check("export/hostile.pprof.txt", text.data, text.len);
}

Test(pprof, streamed_samples_of_a_thread_are_added_up)
{
	leat_profile_free(&profile);
	cr_assert(zero(int, leat_sample_profile_streamed(&profile)));
	export(&(struct leat_export_opts){ 0 });
	cr_expect(eq(sz, count("\"tid\""), 1));
	leat_golden_check("export/streamed.pprof.txt", text.data, text.len);
}

/* The same stack of the same process, with attributes and without: two samples. */
Test(pprof, attributes_are_labels)
{
	struct leat_attribute pod = { 0 };
	struct leat_sample s;

	cr_assert(zero(int, leat_profile_string(profile, "pod", 3, &pod.key)));
	cr_assert(zero(int, leat_profile_string(profile, "web-7", 5, &pod.value)));
	s = profile->samples[0];
	cr_assert(zero(int, leat_profile_attributes(profile, &pod, 1, &s.attrs)));
	s.value = 777;
	export(&(struct leat_export_opts){ 0 });
	cr_expect(zero(sz, count("\"web-7\"")), "no sample has it yet");
	cr_expect(zero(sz, count("2: 777")));
	cr_assert(zero(int, leat_profile_sample(profile, &s)));
	export(&(struct leat_export_opts){ 0 });
	cr_expect(eq(sz, count("\"pod\""), 1));
	cr_expect(eq(sz, count("\"web-7\""), 1));
	cr_expect(eq(sz, count("2 777"), 1));
}

Test(pprof, events_without_time)
{
	profile->meta.time_based = false;
	profile->meta.freq_hz = 0;
	profile->meta.period = 1000;
	export(&(struct leat_export_opts){ .no_verdict = true });
	cr_expect(zero(sz, count("nanoseconds")));
	cr_expect(eq(sz, count("12: 1000\n"), 1));
	cr_expect(zero(sz, count("trust")));
}

/* Every location lies within its mapping, whatever the offsets are. */
Test(pprof, mapping_is_as_wide_as_its_samples)
{
	for (size_t i = 0; i < profile->frame_cnt; i++) {
		if (i % 3 == 0)
			profile->frames[i].offset = i % 2 ? 0x10 : 0x7fffff0000;
	}
	export(&(struct leat_export_opts){ 0 });
	cr_expect(count("\n3\n") > 3);
}

Test(pprof, empty_profile)
{
	leat_profile_free(&profile);
	cr_assert(zero(int, leat_profile_new(&profile)));
	export(&(struct leat_export_opts){ 0 });
	cr_expect(zero(sz, count("\n2\n")));
}

Test(pprof, proto_leaves_out_zeros)
{
	leat_proto_number(&text, 1, 0);
	cr_expect(zero(sz, text.len));
	leat_proto_element(&text, 1, 0);
	leat_proto_number(&text, 16, 300);
	leat_proto_bytes(&text, 2, "ab", 2);
	cr_assert(eq(sz, text.len, 10));
	cr_expect(zero(int, memcmp(text.data,
				   "\x08\0\x80\x01\xac\x02\x12\x02"
				   "ab",
				   10)));
}

Test(pprof, allocation_fails)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_buf b;
		int err;

		leat_buf_init(&b, LEAT_EXPORT_MAX_BYTES);
		err = leat_export_pprof(profile, &(struct leat_export_opts){ 0 }, &b);
		leat_alloc_disarm();
		cr_expect(err == 0 || err == -ENOMEM, "%d", err);
		leat_buf_fini(&b);
	}
}
