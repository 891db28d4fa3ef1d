/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Has the kernel name addresses of its own, a batch a run: /proc/kallsyms would print every symbol for
 * the sake of a few hundred. Attached to nothing. From 5.16 on, which brought the look-up by name: it
 * tells where the kernel's code ends, for %pS names data too, and it is refused where addresses are
 * hidden (kptr_restrict), which %pS does not look at. No CO-RE, so that nobody reads the kernel's BTF.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "leat_ksyms.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct leat_ksyms_batch batch;

static const char first[] = "_stext";
static const char last[] = "_etext";
static const char lines[] = "%pS\n%pS\n%pS\n%pS\n%pS\n%pS\n%pS\n%pS\n%pS\n%pS\n%pS\n%pS\n";

/* Bytes of text with its NUL, more than there is room for when it was cut; negative errno. */
SEC("syscall")
int leat_ksyms(void *ctx)
{
	long err = 0;

	if (!batch.text_end)
		err = bpf_kallsyms_lookup_name(first, sizeof(first), 0, &batch.text_start);
	if (!err && !batch.text_end)
		err = bpf_kallsyms_lookup_name(last, sizeof(last), 0, &batch.text_end);
	if (err)
		return err;
	return bpf_snprintf(batch.text, sizeof(batch.text), lines, batch.addr, sizeof(batch.addr));
}
