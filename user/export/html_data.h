/* SPDX-License-Identifier: BSD-2-Clause */
/* The data block of the HTML file, as the viewer reads it. Private to export/. */
#ifndef LEAT_EXPORT_HTML_DATA_H
#define LEAT_EXPORT_HTML_DATA_H

#include "export/export.h"

/*
 * One JSON object, safe inside <script>:
 *	functions  for each: flags (1 new name, 2 source line, kind << 2), module + 1, [file, line]
 *	names	   one per new name, sorted: two characters say how much of the name before it stays
 *		   (large: "packed", deflated and in base64url)
 *	nodes	   preorder: (levels up << 1 | has self), function, [self]
 * Numbers are varints of 5 bits a character, in the alphabet of base64url; lowest bits first.
 */
int leat_html_data(struct leat_profile *p, const struct leat_tree *t,
		   struct leat_buf *out) LEAT_MUST_USE;

#endif
