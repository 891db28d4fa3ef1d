# SPDX-License-Identifier: BSD-2-Clause
# The program: main.c and the command line. They are no part of libleat.
cli_src := user/cli/cli.c user/cli/completion.c user/cli/convert_cmd.c user/cli/doctor_cmd.c user/cli/help.c user/cli/hint.c \
	   user/cli/io.c user/cli/list_cmd.c user/cli/load.c user/cli/man.c user/cli/options.c \
	   user/cli/output.c user/cli/outputs.c user/cli/parse.c user/cli/progress.c \
	   user/cli/record_cmd.c user/cli/report.c \
	   user/cli/report_cmd.c user/cli/report_file.c user/cli/report_json.c user/cli/report_text.c user/cli/signals.c user/cli/stored_names.c user/cli/suggest.c \
	   user/cli/target.c user/cli/value.c user/cli/verbs.c
app_src += user/main.c $(cli_src)
public_h += include/leat/version.h

# Prose of the manual pages travels inside the program (docs/man/README.md).
man_gen := $(foreach p,leat record report convert doctor list,$(G)/man_$(p).h)
gen_h   += $(man_gen)
$(man_gen): $(G)/man_%.h: docs/man/%.mdoc scripts/embed.sh
	$(call say,EMBED)
	$(Q)mkdir -p $(@D); scripts/embed.sh leat_man_$* $< > $@

man_page   += $(foreach p,leat leat-record leat-report leat-convert leat-doctor leat-list,$(O)/man/$(p).1)
$(O)/man/leat.1: $(O)/leat
	$(call say,MAN)
	$(Q)mkdir -p $(@D); $< help --man > $@
$(O)/man/leat-%.1: $(O)/leat
	$(call say,MAN)
	$(Q)mkdir -p $(@D); $< help --man $* > $@

comp_bash += $(O)/completion/bash/leat
comp_zsh  += $(O)/completion/zsh/_leat
comp_fish += $(O)/completion/fish/leat.fish
$(O)/completion/bash/leat $(O)/completion/zsh/_leat $(O)/completion/fish/leat.fish: $(O)/leat
	$(call say,COMP)
	$(Q)mkdir -p $(@D); $< completion $(notdir $(@D)) > $@

# Tests run the command line against a layer "live" of their own: no privilege, a known profile.
# The objects stand in front of libleat in the link, so that the real layer is not taken.
cli_test_src := tests/support/fake_live.c tests/support/cli_run.c
cli_unit_src := $(foreach t,value suggest options parse output io progress report target completion record golden,tests/unit/test_cli_$(t).c)
unit_src     += $(cli_unit_src)
cli_test_obj := $(cli_src:%.c=$(O)/%.o) $(cli_test_src:%.c=$(O)/%.o)
$(cli_unit_src:%.c=$(O)/%): $(cli_test_obj)
$(cli_unit_src:%.c=$(O)/%): private wrap_l += $(cli_test_obj)

# The same as a program, for tests in shell.
workload_bin += $(O)/tests/leat-fake
$(O)/tests/leat-fake: $(O)/user/main.o $(cli_src:%.c=$(O)/%.o) $(O)/tests/support/fake_live.o \
		$(O)/libleat.a
	$(call say,LD)
	$(Q)$(CC) $(ld_flags) $^ $(deps_l) -o $@

live_test += tests/live/cli_texts.sh tests/live/cli_outputs.sh tests/live/cli_signals.sh \
	     tests/live/cli_exit.sh tests/live/cli_caps.sh
