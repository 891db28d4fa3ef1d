/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The colours of boxes, for HTML and SVG, light and dark: after Okabe and Ito's set, softened, so
 * that kinds of code stay apart for colour-blind eyes. A test computes the contrast of every pair
 * of text and ground: at least 4.5:1.
 */
#ifndef LEAT_EXPORT_PALETTE_H
#define LEAT_EXPORT_PALETTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define LEAT_PALETTE_KINDS  7 /* enum leat_function_kind */
#define LEAT_PALETTE_SHADES 4
#define LEAT_PALETTE_MIXED  10

/* Colours are 0xRRGGBB. */
struct leat_palette {
	const char *name;
	uint32_t text;	    /* on kinds and mixed */
	uint32_t around[2]; /* ground and text of what lies around the zoomed box */
	uint32_t match[2];  /* ground and text of what the search found */
	uint32_t thin;	    /* boxes too narrow to draw */
	uint32_t ring;	    /* around the chosen box */
	uint32_t kinds[LEAT_PALETTE_KINDS][2]; /* first and last shade */
	uint32_t mixed[LEAT_PALETTE_MIXED];    /* where colour tells modules or names apart */
};

extern const struct leat_palette leat_palette_light;
extern const struct leat_palette leat_palette_dark;

/* Shade @step (below LEAT_PALETTE_SHADES) of @kind. */
uint32_t leat_palette_shade(const struct leat_palette *pal, unsigned int kind, unsigned int step);
/* The shade that a name has: the same in every file. FNV-1a, folded. */
unsigned int leat_palette_step(const char *name);
/* As a JSON object. */
void leat_palette_json(const struct leat_palette *pal, struct leat_buf *out);

#endif
