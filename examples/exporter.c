/* SPDX-License-Identifier: BSD-2-Clause */
/* A format of user code: samples by process as CSV, by the public getters alone. */
#include <leat/export.h>

#include "demo.h"

static int write_csv(struct leat_profile *p, const struct leat_export_opts *o, struct leat_buf *out)
{
	struct leat_sample_info sample;
	struct leat_stack_info stack;
	struct leat_process_info process;

	(void)o;
	leat_buf_str(out, "process,frames,result,samples\n");
	for (size_t i = 0; leat_profile_sample_at(p, i, &sample) == 0; i++) {
		CHECK(leat_profile_process_at(p, sample.process, &process) == 0);
		CHECK(leat_profile_stack_at(p, sample.stack, &stack) == 0);
		leat_text_clean(out, process.comm, strlen(process.comm));
		leat_buf_str(out, ",");
		leat_buf_u64(out, stack.frame_cnt);
		leat_buf_str(out, ",");
		leat_buf_str(out, stack.result);
		leat_buf_str(out, ",");
		leat_buf_u64(out, sample.value);
		leat_buf_str(out, "\n");
	}
	return 0; /* an error of the buffer sticks in it */
}

int main(void)
{
	static const struct leat_exporter csv = {
		.format = "csv", .extension = ".csv", .help = "a line a sample", .write = write_csv
	};
	struct leat_profile *p = demo_profile((struct leat_attribute_source){ NULL, NULL });
	char *data = NULL;
	size_t len = 0;

	CHECK(leat_export_write(&csv, p, NULL, &data, &len) == 0);
	CHECK(strcmp(data, "process,frames,result,samples\n"
			   "app,2,complete,2\n"
			   "app,1,complete,1\n") == 0);
	printf("%d bytes of CSV\n", (int)len);
	free(data);
	leat_profile_free(&p);
	return 0;
}
