/* SPDX-License-Identifier: BSD-2-Clause */
/* A blob of notes, as a segment or /sys/kernel/notes has it. */
#include <assert.h>
#include <string.h>

#include "elf/elf_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct leat_build_id id = { 0 };

	if (leat_elf_notes_build_id(data, size, &id))
		assert(id.len == 0);
	else
		assert(id.len && id.len <= LEAT_ELF_BUILD_ID_MAX &&
		       memmem(data, size, id.bytes, id.len));
	return 0;
}
