/* SPDX-License-Identifier: BSD-2-Clause */
/* The writers behind the table in registry.c. 0, -ENOMEM, or -EOVERFLOW (the buffer's maximum). */
#ifndef LEAT_EXPORT_FORMATS_H
#define LEAT_EXPORT_FORMATS_H

#include "export/export.h"

int leat_export_html(struct leat_profile *p, const struct leat_export_opts *o,
		     struct leat_buf *out);
int leat_export_svg(struct leat_profile *p, const struct leat_export_opts *o, struct leat_buf *out);
int leat_export_folded(struct leat_profile *p, const struct leat_export_opts *o,
		       struct leat_buf *out);
int leat_export_pprof(struct leat_profile *p, const struct leat_export_opts *o,
		      struct leat_buf *out);
int leat_export_speedscope(struct leat_profile *p, const struct leat_export_opts *o,
			   struct leat_buf *out);
int leat_export_script(struct leat_profile *p, const struct leat_export_opts *o,
		       struct leat_buf *out);

#endif
