/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/probes_impl.h"

#include <errno.h>
#include <string.h>

/*
 * What bpf/probe.bpf.c makes anew. The kernel fills in the others (flags, counts) after it has run
 * the program: there they are 0, or what was there before.
 */
static bool is_known(const char *name)
{
	return strncmp(name, "common_", strlen("common_")) != 0 || !strcmp(name, "common_type") ||
	       !strcmp(name, "common_pid");
}

int leat_probe_known_fields(struct leat_format **f)
{
	LEAT_AUTO(leat_format_free) struct leat_format *known = NULL;
	int err = leat_format_new(&known, leat_format_name(*f));

	for (size_t i = 0; !err && i < leat_format_field_cnt(*f); i++) {
		const struct leat_field *field = leat_format_field_at(*f, i);

		if (is_known(field->name))
			err = leat_format_add(known, field);
	}
	if (err)
		return err;
	leat_format_free(f);
	*f = LEAT_TAKE(known);
	return 0;
}

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
