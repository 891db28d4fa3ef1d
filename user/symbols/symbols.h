/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * (object, offset) -> function, once for each distinct frame, after the recording. Opens nothing
 * itself: files come from a provider, so that it can move into an unprivileged process.
 */
#ifndef LEAT_SYMBOLS_SYMBOLS_H
#define LEAT_SYMBOLS_SYMBOLS_H

#include "base/cleanup.h"
#include "profile/profile.h"

enum leat_file_what {
	/* the mapped file itself */
	LEAT_FILE_BINARY = 0,
	/* arg: path below a debug root, ".build-id/ab/cdef.debug" */
	LEAT_FILE_BUILD_ID = 1,
	/* arg: file name; n: where, 0 beside the binary, 1 .debug/, 2 below the debug root */
	LEAT_FILE_DEBUGLINK = 2,
	/* of object->process: /tmp/perf-<ns_tgid>.map in its root, owner checked */
	LEAT_FILE_PERF_MAP = 3,
	LEAT_FILE_KALLSYMS = 4,
	/* the vDSO image of object->process, or of leat itself */
	LEAT_FILE_VDSO = 5,
};

/*
 * Gives an open file descriptor (the caller closes it) or -ENOENT (no such file), -EACCES/-EPERM,
 * -ESTALE (another file than the one that was mapped), -errno. Regular files, memory files, and for
 * LEAT_FILE_KALLSYMS anything that can be read; read from the start. Called from several threads,
 * but never twice at the same time. @p and @o are valid during the call.
 */
struct leat_file_provider {
	void *ctx;
	int (*open)(void *ctx, const struct leat_profile *p, const struct leat_object *o,
		    enum leat_file_what what, const char *arg, unsigned int n);
	/*
	 * The lines of LEAT_FILE_KALLSYMS for the functions that @n addresses (ascending, over 0) are
	 * in, and no others: names are the same, and nobody prints all of the kernel's. On any error,
	 * or where it is NULL, that file is asked for.
	 */
	int (*open_ksyms)(void *ctx, const uint64_t *addr, size_t n);
};

struct leat_symbols_opts {
	bool no_demangle;
	unsigned int threads; /* 0: as many as help, at most the CPUs */
};

/*
 * leat_symbols_resolve - give every frame of @p that has none its function.
 * Sets frames[].function, objects[].unreadable, verdict's kptr_restricted and objects*. A file
 * that cannot be had or is malformed leaves its frames unnamed, with the cause: no error.
 *
 * Unnamed: "libfoo.so.1+0x1230", the address in the file of the function's start, where .eh_frame
 * knows it; else "[libfoo.so.1]", one box for the object. An address that no symbol covers is never
 * given the name of the symbol below it. Functions of kernel modules are in an object "[module]" of
 * kind LEAT_OBJECT_KERNEL, which is added.
 * @o may be NULL. Errors: -ENOMEM, -EOVERFLOW; some frames may have their function then.
 */
int leat_symbols_resolve(struct leat_profile *p, const struct leat_file_provider *prov,
			 const struct leat_symbols_opts *o) LEAT_MUST_USE;

/*
 * leat_symbols_check_calls - for each frame with LEAT_FRAME_RETURN of a file or the vDSO: do the
 * bytes before it decode as a call? Sets LEAT_FRAME_CHECKED and LEAT_FRAME_BAD_CALL and the
 * verdict's ret_* counters (distinct frames; ret_bad of ret_checked). Before leat_symbols_resolve,
 * so that nothing invented is resolved. A signal trampoline, which no call enters, is no bad call:
 * it gets LEAT_FRAME_SIGNAL.
 * Also sets LEAT_FRAME_ROOT on frames above which there is nothing: in the function at e_entry, the
 * C library's thread entry (start_thread, and returns into clone) and the caller of main, stripped
 * or not; in Go's goexit and its like. Such a frame ends a stack; what an unwinder without unwind
 * information finds above it is made up.
 * Errors: -ENOMEM.
 */
int leat_symbols_check_calls(struct leat_profile *p,
			     const struct leat_file_provider *prov) LEAT_MUST_USE;

#endif
