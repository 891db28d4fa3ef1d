/* SPDX-License-Identifier: BSD-2-Clause */
/* What libbpf has to say, into leat's log. */
#include <bpf/libbpf.h>
#include <stdio.h>

#include "base/log.h"
#include "engine/impl.h"

/* libbpf's messages one level lower: what matters is said in the diagnosis. */
LEAT_PRINTF(2, 0)
static int print_to_log(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[512];
	int n = vsnprintf(line, sizeof(line), fmt, ap);

	while (n > 0 && n < (int)sizeof(line) && line[n - 1] == '\n')
		line[--n] = 0;
	leat_log(level == LIBBPF_WARN ? LEAT_LOG_INFO : LEAT_LOG_DEBUG, "%s", line);
	return n;
}

void leat_engine_log_libbpf(void)
{
	libbpf_set_print(print_to_log);
}
