/* SPDX-License-Identifier: BSD-2-Clause */
/* An example that does not do what it shows ends with 1, and says where. */
#ifndef LEAT_EXAMPLE_H
#define LEAT_EXAMPLE_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);    \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

#endif
