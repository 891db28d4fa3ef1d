/* SPDX-License-Identifier: BSD-2-Clause */
/* What user code knows of processes, on every sample of theirs, and in what is written of them. */
#include <leat/export.h>

#include "demo.h"

static int container_of(void *self, const struct leat_process_info *process,
			struct leat_attribute_list *out)
{
	int err;

	++*(int *)self;
	err = leat_attribute_add(out, "pod", strcmp(process->comm, "app") == 0 ? "web-7" : "?");
	return err ? err : leat_attribute_add(out, "container", "frontend");
}

/* Labels in pprof; elsewhere one of them may be the outermost level. (Nobody has named the frames.) */
static void tell_by_pod(struct leat_profile *p)
{
	const struct leat_export_opts by_pod = { .tree.by_attribute = "pod" };
	char *text;
	size_t len;

	CHECK(leat_export_write(leat_exporter_find("folded"), p, &by_pod, &text, &len) == 0);
	printf("%.*s", (int)len, text);
	free(text);
}

int main(void)
{
	static const struct leat_attribute_source_ops ops = { "containers", container_of };
	int asked = 0;
	struct leat_profile *p = demo_profile((struct leat_attribute_source){ &ops, &asked });
	struct leat_sample_info sample;
	const char *key, *value;

	CHECK(asked == 1); /* once a process, not once a sample */
	for (size_t i = 0; leat_profile_sample_at(p, i, &sample) == 0; i++) {
		CHECK(leat_profile_attribute_at(p, sample.attributes, 0, &key, &value) == 0);
		CHECK(strcmp(key, "container") == 0 && strcmp(value, "frontend") == 0);
		CHECK(leat_profile_attribute_at(p, sample.attributes, 1, &key, &value) == 0);
		CHECK(strcmp(key, "pod") == 0 && strcmp(value, "web-7") == 0);
	}
	printf("%d samples, all with container and pod\n", (int)leat_profile_sample_cnt(p));
	tell_by_pod(p);
	leat_profile_free(&p);
	return 0;
}
