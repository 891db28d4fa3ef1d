/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/probes_impl.h"

#include <errno.h>

static int add_dynamic(const struct leat_field *f, struct leat_probe_cfg *cfg)
{
	for (uint32_t at = 0; at < f->size; at += sizeof(uint32_t)) {
		if (cfg->dyn_cnt == LEAT_PROBE_MAX_DYN)
			return -EOVERFLOW;
		cfg->dyn_offset[cfg->dyn_cnt] = f->offset + at;
		cfg->dyn_base[cfg->dyn_cnt++] =
			f->location == LEAT_LOCATION_REL_LOC
				? f->offset + at + (uint32_t)sizeof(uint32_t)
				: 0;
	}
	return 0;
}

int leat_probe_layout(const struct leat_format *f, struct leat_probe_cfg *cfg)
{
	struct leat_probe_cfg c = *cfg;
	int err = 0;

	c.fixed_bytes = LEAT_PROBE_COMMON;
	c.dyn_cnt = 0;
	for (size_t i = 0; i < leat_format_field_cnt(f) && !err; i++) {
		const struct leat_field *field = leat_format_field_at(f, i);
		uint32_t end = field->offset + field->size;

		/* Less than the maximum, so that the program can mask it. */
		if (end >= LEAT_PROBE_MAX_BYTES)
			return -EOVERFLOW;
		if (end > c.fixed_bytes)
			c.fixed_bytes = end;
		if (field->location == LEAT_LOCATION_DATA_LOC ||
		    field->location == LEAT_LOCATION_REL_LOC)
			err = add_dynamic(field, &c);
	}
	if (!err)
		*cfg = c;
	return err;
}
