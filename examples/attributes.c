/* SPDX-License-Identifier: BSD-2-Clause */
/* What user code knows of processes, on every sample of theirs. */
#include "demo.h"

static int container_of(void *self, const struct leat_process_info *process,
			struct leat_attribute_list *out)
{
	int err;

	++*(int *)self;
	err = leat_attribute_add(out, "pod", strcmp(process->comm, "app") == 0 ? "web-7" : "?");
	return err ? err : leat_attribute_add(out, "container", "frontend");
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
	leat_profile_free(&p);
	return 0;
}
