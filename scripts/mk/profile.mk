# SPDX-License-Identifier: BSD-2-Clause
lib_src += user/profile/attributes.c user/profile/display.c user/profile/info.c \
	   user/profile/mappings.c user/profile/no_table.c user/profile/objects.c \
	   user/profile/profile.c user/profile/tables.c user/profile/top.c user/profile/tree.c \
	   user/profile/tree_order.c user/profile/verdict.c user/profile/verdict_text.c
unit_src += tests/unit/test_folded.c tests/unit/test_mappings.c tests/unit/test_profile.c \
	    tests/unit/test_tree.c tests/unit/test_verdict.c
public_h += include/leat/profile.h
