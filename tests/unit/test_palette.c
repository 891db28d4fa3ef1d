/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/palette.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "viewer_css.h"

#define ENOUGH 4.5 /* WCAG 2.1, 1.4.3 */

static double channel(uint32_t v)
{
	double c = v / 255.0;

	return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(uint32_t rgb)
{
	return 0.2126 * channel(rgb >> 16 & 0xff) + 0.7152 * channel(rgb >> 8 & 0xff) +
	       0.0722 * channel(rgb & 0xff);
}

static double contrast(uint32_t a, uint32_t b)
{
	double x = luminance(a), y = luminance(b);

	return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}

static void check_pair(const char *what, uint32_t text, uint32_t ground)
{
	double c = contrast(text, ground);

	cr_expect(c >= ENOUGH, "%s: #%06x on #%06x has a contrast of %.2f", what, text, ground, c);
}

static void check_palette(const struct leat_palette *pal)
{
	for (unsigned int kind = 0; kind < LEAT_PALETTE_KINDS; kind++) {
		for (unsigned int step = 0; step < LEAT_PALETTE_SHADES; step++)
			check_pair(pal->name, pal->text, leat_palette_shade(pal, kind, step));
	}
	for (unsigned int i = 0; i < LEAT_PALETTE_MIXED; i++)
		check_pair(pal->name, pal->text, pal->mixed[i]);
	check_pair(pal->name, pal->around[1], pal->around[0]);
	check_pair(pal->name, pal->match[1], pal->match[0]);
}

Test(palette, contrast_known_values)
{
	cr_assert(contrast(0xffffff, 0x000000) > 20.99);
	cr_assert(contrast(0x777777, 0xffffff) < 4.5);
	cr_assert(contrast(0x767676, 0xffffff) > 4.5);
}

Test(palette, text_on_every_colour_is_legible)
{
	check_palette(&leat_palette_light);
	check_palette(&leat_palette_dark);
}

/* What the search found stands out from every kind, and kinds from one another, by lightness too. */
Test(palette, match_stands_out)
{
	for (unsigned int kind = 0; kind < LEAT_PALETTE_KINDS; kind++) {
		cr_expect(contrast(leat_palette_light.match[0], leat_palette_light.kinds[kind][1]) >
			  3);
		cr_expect(contrast(leat_palette_dark.match[0], leat_palette_dark.kinds[kind][0]) >
			  2);
	}
}

/* "--name: light-dark(#a, #b)" of the style sheet. */
static uint32_t css(const char *name, int theme)
{
	const char *at = strstr((const char *)leat_viewer_css, name);

	cr_assert(at != NULL, "%s is not in the style sheet", name);
	for (int i = 0; i <= theme; i++)
		at = strchr(at + 1, '#');
	return (uint32_t)strtoul(at + 1, NULL, 16);
}

Test(palette, page_text_is_legible)
{
	static const char *const pairs[][2] = {
		{ "--fg:", "--bg:" },	 { "--dim:", "--bg:" }, { "--fg:", "--soft:" },
		{ "--dim:", "--soft:" }, { "--fg:", "--on:" },	{ "--good:", "--bg:" },
		{ "--care:", "--bg:" },	 { "--bad:", "--bg:" }, { "--accent:", "--bg:" },
	};

	for (int theme = 0; theme < 2; theme++) {
		for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
			check_pair(pairs[i][0], css(pairs[i][0], theme), css(pairs[i][1], theme));
	}
}

Test(palette, shades_go_from_end_to_end)
{
	const struct leat_palette *pal = &leat_palette_light;

	cr_assert(eq(u32, leat_palette_shade(pal, 0, 0), pal->kinds[0][0]));
	cr_assert(eq(u32, leat_palette_shade(pal, 0, LEAT_PALETTE_SHADES - 1), pal->kinds[0][1]));
	cr_assert(eq(u32, leat_palette_shade(pal, 999, 0), pal->kinds[LEAT_PALETTE_KINDS - 1][0]));
}

Test(palette, names_spread_over_shades)
{
	unsigned int seen = 0;
	char name[] = "function_a";

	for (char c = 'a'; c <= 'z'; c++) {
		name[9] = c;
		seen |= 1u << leat_palette_step(name);
	}
	cr_assert(eq(uint, seen, (1u << LEAT_PALETTE_SHADES) - 1));
	cr_assert(eq(uint, leat_palette_step("main"), leat_palette_step("main")));
}
