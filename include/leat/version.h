/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LEAT_VERSION_H
#define LEAT_VERSION_H

/** The version of libleat and of the program: MAJOR.MINOR.PATCH. */
#define LEAT_VERSION "0.1.0"

/** The same as numbers, for comparison. */
enum leat_version {
	LEAT_VERSION_MAJOR = 0,
	LEAT_VERSION_MINOR = 1,
	LEAT_VERSION_PATCH = 0,
};

#endif
