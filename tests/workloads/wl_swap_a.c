/* SPDX-License-Identifier: BSD-2-Clause */
#include "wl_swap_lib.h"
SWAP_LIB(a)
