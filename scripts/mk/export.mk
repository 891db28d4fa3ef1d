# SPDX-License-Identifier: BSD-2-Clause
# Exporters, and the viewer that travels inside the HTML and SVG files.
public_h += include/leat/export.h
lib_src += user/export/common.c user/export/deflate.c user/export/folded.c user/export/html.c \
	   user/export/html_data.c user/export/name_sort.c user/export/palette.c \
	   user/export/pprof.c user/export/proto.c user/export/registry.c user/export/script.c \
	   user/export/speedscope.c user/export/svg.c
support_src += tests/support/golden.c tests/support/sample_profile.c
unit_src += tests/unit/test_export.c tests/unit/test_export_attributes.c tests/unit/test_html.c tests/unit/test_name_sort.c tests/unit/test_palette.c \
	    tests/unit/test_pprof.c tests/unit/test_script.c tests/unit/test_speedscope.c tests/unit/test_svg.c
live_test += tests/live/browser.sh tests/live/exports.sh
fuzz_src += tests/fuzz/fuzz_export.c

viewer := user/export/viewer
gen_h += $(G)/viewer_js.h $(G)/viewer_css.h $(G)/viewer_svg.h $(G)/viewer_html.h $(G)/viewer_hash.h
# What travels in every file is without comments and needless blanks, but for the licence.
$(G)/viewer.js: $(viewer)/data.js $(viewer)/view.js $(viewer)/page.js
$(G)/viewer.svg: $(viewer)/svg.js
$(G)/viewer.js $(G)/viewer.svg: scripts/squeeze.awk
	$(Q)mkdir -p $(@D); awk -f $< $(filter %.js,$^) > $@
$(G)/viewer.css: $(viewer)/viewer.css
	$(Q)mkdir -p $(@D); sed -E '1!{s/^[[:blank:]]+//;s/ *([{}:;,]) */\1/g}' $< | sed '2,$$H;1p;$$!d;x;s/\n//g' > $@
# The template's first line is its licence.
$(G)/viewer.html: $(viewer)/template.html
	$(Q)mkdir -p $(@D); tail -n +2 $< > $@
$(G)/viewer_%.h: $(G)/viewer.% scripts/embed.sh
	$(call say,EMBED)
	$(Q)scripts/embed.sh leat_viewer_$* $< > $@
sha256 = $$(printf "$$(sha256sum $(1) | cut -c1-64 | sed 's/../\\x&/g')" | base64)
# The page's policy names script and style by these: nothing else can run in it.
$(G)/viewer_hash.h: $(G)/viewer.js $(G)/viewer.css
	$(Q)printf '/* Generated. */\n#define LEAT_VIEWER_%s_HASH "%s"\n#define LEAT_VIEWER_%s_HASH "%s"\n' \
		SCRIPT "$(call sha256,$(G)/viewer.js)" STYLE "$(call sha256,$(G)/viewer.css)" > $@

# Writes profiles made in code in every format: for the browser tests and for measuring.
workload_bin += $(O)/gen_profile
$(O)/gen_profile: $(O)/tests/support/gen_profile.o $(O)/tests/support/sample_profile.o $(O)/libleat.a
	$(call say,LD)
	$(Q)$(CC) $(ld_flags) $^ $(deps_l) -o $@
