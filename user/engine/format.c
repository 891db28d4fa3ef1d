/* SPDX-License-Identifier: BSD-2-Clause */
/* The events of the kernel side, with formats made from the type information in the BPF object. */
#include "engine/impl.h"

static int register_kind(struct leat_engine *e, struct leat_bus *bus, enum leat_rec_kind kind)
{
	LEAT_AUTO(leat_format_free) struct leat_format *format = NULL;
	int err = leat_btf_format(leat_engine_btf(e), leat_wire_struct_name(kind), &format);

	if (err)
		return leat_diag_set(&e->diag, err, LEAT_EXIT_FAILURE,
				     "the BPF object has no type struct %s",
				     leat_wire_struct_name(kind));
	err = leat_wire_register(bus, kind, format);
	if (!err)
		(void)LEAT_TAKE(format);
	return err;
}

int leat_engine_register(struct leat_engine *e, struct leat_bus *bus)
{
	static const enum leat_rec_kind kinds[] = { LEAT_REC_COUNT, LEAT_REC_STACK, LEAT_REC_SAMPLE,
						    LEAT_REC_NEWPROC, LEAT_REC_RAW };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(kinds); i++) {
		int err = register_kind(e, bus, kinds[i]);

		if (err)
			return err;
	}
	/* Made by user space: the format is that of the C struct. */
	return leat_wire_register(bus, LEAT_REC_STAT, NULL);
}
