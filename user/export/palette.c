/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/palette.h"

const struct leat_palette leat_palette_light = {
	.name = "light",
	.text = 0x1a1d21,
	.around = { 0xe9ecef, 0x454c54 },
	.match = { 0xb0136d, 0xffffff },
	.thin = 0xcfc8b8,
	.ring = 0x111418,
	.kinds = {
		{ 0xf9d496, 0xf2bb68 }, /* native: orange */
		{ 0xa6d3f1, 0x84c0e8 }, /* kernel: sky blue */
		{ 0xb9caf2, 0x9db4e9 }, /* module: blue */
		{ 0xe6bcd7, 0xdaa0c5 }, /* BPF: reddish purple */
		{ 0x9bddc3, 0x78cdac }, /* JIT: bluish green */
		{ 0xf4ea9d, 0xe9db70 }, /* inlined: yellow */
		{ 0xdde1e6, 0xd1d6dc }, /* marks: grey */
	},
	.mixed = { 0xf5c67d, 0x95caee, 0xabbfee, 0xe0aece, 0x8ad5b8, 0xefe287, 0xf3b49b, 0x97d6d9,
		   0xd9c7ad, 0xcbbaec },
};

const struct leat_palette leat_palette_dark = {
	.name = "dark",
	.text = 0xf3f1ec,
	.around = { 0x252a31, 0xaab3bd },
	.match = { 0xff74b8, 0x22060f },
	.thin = 0x4a453a,
	.ring = 0xffffff,
	.kinds = {
		{ 0x8a651f, 0x745018 },
		{ 0x226594, 0x1b557d },
		{ 0x4a5aa6, 0x3d4d93 },
		{ 0x8a4772, 0x763b62 },
		{ 0x207356, 0x196249 },
		{ 0x716920, 0x5f5818 },
		{ 0x424a54, 0x383f48 },
	},
	.mixed = { 0x7f5b1b, 0x1e5d88, 0x44549c, 0x80416a, 0x1d6a4f, 0x68611c, 0x8d462d, 0x1d6a6e,
		   0x705b44, 0x624b99 },
};

uint32_t leat_palette_shade(const struct leat_palette *pal, unsigned int kind, unsigned int step)
{
	const uint32_t *ends =
		pal->kinds[kind < LEAT_PALETTE_KINDS ? kind : LEAT_PALETTE_KINDS - 1];
	uint32_t rgb = 0;

	for (int shift = 0; shift <= 16; shift += 8) {
		int a = (int)(ends[0] >> shift & 0xff), b = (int)(ends[1] >> shift & 0xff);
		int v = a + (b - a) * (int)step / (LEAT_PALETTE_SHADES - 1);

		rgb |= (uint32_t)v << shift;
	}
	return rgb;
}

unsigned int leat_palette_step(const char *name)
{
	uint32_t h = 0x811c9dc5;

	for (const unsigned char *s = (const unsigned char *)name; *s; s++)
		h = (h ^ *s) * 0x01000193;
	return (h ^ h >> 15) % LEAT_PALETTE_SHADES;
}

static void put_list(struct leat_buf *out, const char *key, const uint32_t *rgb, size_t n)
{
	leat_buf_printf(out, "\"%s\":[", key);
	for (size_t i = 0; i < n; i++)
		leat_buf_printf(out, "%s\"#%06x\"", i ? "," : "", rgb[i]);
	leat_buf_char(out, ']');
}

void leat_palette_json(const struct leat_palette *pal, struct leat_buf *out)
{
	leat_buf_printf(out, "{\"text\":\"#%06x\",\"thin\":\"#%06x\",\"ring\":\"#%06x\",",
			pal->text, pal->thin, pal->ring);
	put_list(out, "around", pal->around, 2);
	leat_buf_char(out, ',');
	put_list(out, "match", pal->match, 2);
	leat_buf_char(out, ',');
	put_list(out, "mixed", pal->mixed, LEAT_PALETTE_MIXED);
	leat_buf_str(out, ",\"kinds\":[");
	for (unsigned int kind = 0; kind < LEAT_PALETTE_KINDS; kind++) {
		for (unsigned int step = 0; step < LEAT_PALETTE_SHADES; step++)
			leat_buf_printf(out, "%s\"#%06x\"",
					step   ? ","
					: kind ? "],["
					       : "[",
					leat_palette_shade(pal, kind, step));
	}
	leat_buf_str(out, "]]}");
}
