/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/ksyms.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "engine/features.h"
#include "engine/impl.h"
#include "leat_ksyms.h"

#include "ksyms.skel.h" /* of leat_ksyms.h, which it does not include */

static void close_program(struct leat_ksyms **skel)
{
	leat_ksyms__destroy(*skel);
}

/* One run: appends @n lines. */
static int ask_batch(struct leat_ksyms *skel, const uint64_t *addr, size_t n, struct leat_buf *text)
{
	struct leat_ksyms_batch *b = &skel->bss->batch;
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int len, err;

	memset(b->addr, 0, sizeof(b->addr));
	memcpy(b->addr, addr, n * sizeof(*addr));
	err = bpf_prog_test_run_opts(bpf_program__fd(skel->progs.leat_ksyms), &opts);
	len = (int)opts.retval;
	if (err || len < 0)
		return err ? err : len;
	if (!len || (size_t)len > sizeof(b->text))
		return -EOVERFLOW;
	leat_buf_add(text, b->text, (size_t)len - 1);
	return text->err;
}

static int ask_all(struct leat_ksyms *skel, const uint64_t *addr, size_t n, struct leat_buf *text)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i += LEAT_KSYMS_BATCH)
		err = ask_batch(skel, addr + i, n - i < LEAT_KSYMS_BATCH ? n - i : LEAT_KSYMS_BATCH,
				text);
	return err;
}

int leat_ksyms_ask(const uint64_t *addr, size_t n, struct leat_ksyms_said *out)
{
	LEAT_AUTO(close_program) struct leat_ksyms *skel = NULL;
	LEAT_AUTO(leat_buf_fini) struct leat_buf text;
	int err = leat_feature_probe(LEAT_FEATURE_KSYMS);

	leat_buf_init(&text, n / LEAT_KSYMS_BATCH * LEAT_KSYMS_TEXT_BYTES + LEAT_KSYMS_TEXT_BYTES);
	if (err <= 0)
		return err ? err : -ENOTSUP;
	leat_engine_log_libbpf();
	skel = leat_ksyms__open_and_load();
	if (!skel)
		return -errno;
	err = ask_all(skel, addr, n, &text);
	if (err)
		return err;
	out->text_start = skel->bss->batch.text_start;
	out->text_end = skel->bss->batch.text_end;
	out->text = text;
	leat_buf_init(&text, 0); /* it is the caller's now */
	return 0;
}
