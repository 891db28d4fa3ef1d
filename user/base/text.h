/* SPDX-License-Identifier: BSD-2-Clause */
/* Untrusted text on its way out: names come from targets and may hold anything. */
#ifndef LEAT_BASE_TEXT_H
#define LEAT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Appends @n bytes as valid UTF-8 without control characters: C0, DEL, bytes that are not UTF-8
 * become the text \xNN; C1 too; U+2028/9, bidirectional controls, byte order mark, tags and
 * non-characters become \u{NNNN}. A backslash stays as it is, so this cannot be undone.
 */
void leat_text_clean(struct leat_buf *b, const char *s, size_t n);
/* As leat_text_clean, but for a folded stack's frame: ';' becomes ':', newline cannot occur. */
void leat_text_folded(struct leat_buf *b, const char *s, size_t n);
/*
 * A JSON string with its quotes; also safe inside <script>: '<', '>', '&' are \uNNNN. Newline and
 * tab are \n and \t; what leat_text_clean escapes beside them is that same text in the value, so
 * that all outputs show one name, and none lets it act.
 */
void leat_text_json(struct leat_buf *b, const char *s, size_t n);
/* Text for XML and HTML, attributes in quotes included. Cleaned as leat_text_clean does. */
void leat_text_xml(struct leat_buf *b, const char *s, size_t n);
/* Length in bytes of the well-formed UTF-8 sequence at @s, 0 when there is none. */
size_t leat_text_utf8(const char *s, size_t n, uint32_t *cp);
/* Whether a character is escaped by all of these: it acts on what is around it, or is none. */
bool leat_text_is_harmful(uint32_t cp);

#endif
