/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of tracefs, wherever it is mounted, and where it is mounted nowhere. */
#ifndef LEAT_ENGINE_TRACEFS_DIR_H
#define LEAT_ENGINE_TRACEFS_DIR_H

#include <stddef.h>

#include "base/cleanup.h"

/*
 * A directory: /sys/kernel/tracing, /sys/kernel/debug/tracing, else a mount that nobody sees and that
 * ends with this descriptor (fsmount, 5.2). close() it. -EPERM, -EACCES not root; -ENODEV the kernel
 * has no tracefs.
 */
int leat_tracefs_dir_open(int *out) LEAT_MUST_USE;
/*
 * The text of events/SYSTEM/EVENT/format below @dir; free() it. @name: "system/event" or "system:event".
 * -EINVAL no such name, -ENOENT no such event.
 */
int leat_tracefs_format_text(int dir, const char *name, char **out, size_t *len) LEAT_MUST_USE;

#endif
