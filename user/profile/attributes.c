/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of attributes: pairs of string ids, sorted by key, interned as they lie. Set 0 is empty. */
#include <errno.h>
#include <string.h>

#include "profile/profile.h"

int leat_profile_attributes(struct leat_profile *p, const struct leat_attribute *pairs, size_t n,
			    uint32_t *set)
{
	uint32_t empty;
	int err = 0;

	if (n > LEAT_PROFILE_MAX_ATTRIBUTES)
		return -EOVERFLOW;
	if (!p->attribute_sets) {
		err = leat_intern_new(&p->attribute_sets, LEAT_PROFILE_MAX_ATTRIBUTE_SETS,
				      LEAT_PROFILE_MAX_STRING_BYTES);
		if (!err)
			err = leat_intern_put(p->attribute_sets, NULL, 0, &empty);
	}
	return err ? err : leat_intern_put(p->attribute_sets, pairs, n * sizeof(*pairs), set);
}

int leat_profile_attribute_at(const struct leat_profile *p, uint32_t set, size_t i,
			      const char **key, const char **value)
{
	const struct leat_attribute *pairs;
	size_t bytes;

	if (!p->attribute_sets || set >= leat_intern_count(p->attribute_sets))
		return -ENOENT;
	pairs = leat_intern_at(p->attribute_sets, set, &bytes);
	if (i >= bytes / sizeof(*pairs))
		return -ENOENT;
	*key = leat_profile_str(p, pairs[i].key);
	*value = leat_profile_str(p, pairs[i].value);
	return 0;
}
