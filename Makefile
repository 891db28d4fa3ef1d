# SPDX-License-Identifier: BSD-2-Clause
# The only build entry point. Sources are listed in scripts/mk/*.mk; everything made goes below
# $(BUILD). "make help" lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

FLAVOUR    ?= release
BUILD      ?= build
O          := $(BUILD)/$(strip $(FLAVOUR))
B          := $(BUILD)/bpf
G          := $(B)/gen
CLANG      ?= clang
BPFTOOL    ?= $(or $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v bpftool),bpftool)
PKG_CONFIG ?= pkg-config
BPF_ARCH   ?= $(shell uname -m | sed -e s/x86_64/x86/ -e s/aarch64/arm64/)
VMLINUX_H  ?= vmlinux/$(BPF_ARCH)/vmlinux.h
ifeq ($(origin CC),default)
CC := $(if $(filter fuzz,$(FLAVOUR)),clang,$(CROSS_COMPILE)gcc)
endif
ifeq ($(origin AR),default)
AR := $(CROSS_COMPILE)ar
endif

prefix      ?= /usr/local
bindir      ?= $(prefix)/bin
libdir      ?= $(prefix)/lib
includedir  ?= $(prefix)/include
datadir     ?= $(prefix)/share
mandir      ?= $(datadir)/man
pkgconfdir  ?= $(libdir)/pkgconfig
bashcompdir ?= $(datadir)/bash-completion/completions
zshcompdir  ?= $(datadir)/zsh/site-functions
fishcompdir ?= $(datadir)/fish/vendor_completions.d

CFLAGS ?= -g
Q      := $(if $(filter 1,$(V)),,@)
say     = $(if $(Q),@printf '  %-6s %s\n' '$(1)' '$(patsubst $(BUILD)/%,%,$@)')

# --- what is built: the fragments append to these -------------------------------------------
lib_src      := # libleat: user/<module>/*.c
app_src      := # the program: user/main.c user/cli/*.c
bpf_src      := # bpf/NAME.bpf.c -> $(B)/NAME.skel.h
unit_src     := # tests/unit/test_*.c (Criterion, no root)
bpf_test_src := # tests/bpf/test_*.c (Criterion, root) and tests/bpf/NAME.bpf.c (skeletons for them)
support_src  := # tests/support/*.c, linked into every test that needs them
live_test    := # tests/live/*.sh (print TAP)
fuzz_src     := # tests/fuzz/fuzz_*.c
bench_src    := # tests/bench/*.c
workload_src := # tests/workloads/*.c; wl_flags_NAME, wl_libs_NAME
workload_bin := # further files that the live tests need, made by rules of the fragment
public_h     := # include/leat/*.h, installed
gen_h        := # $(G)/*.h, made by rules of the fragment
man_page     := # $(O)/man/*.1, made by rules of the fragment, installed
comp_bash    := # completion files, made by rules of the fragment, installed
comp_zsh     :=
comp_fish    :=
bpf_cpu      := v3

# MODULES="base elf" builds these parts alone; by default everything is built.
include $(sort $(if $(MODULES),$(MODULES:%=scripts/mk/%.mk) scripts/mk/tests.mk,\
	$(wildcard scripts/mk/*.mk)))

version   := $(or $(shell sed -n 's/^\#define LEAT_VERSION "\(.*\)"$$/\1/p' \
		include/leat/version.h 2>/dev/null),0.1.0)
so_major  := $(firstword $(subst ., ,$(version)))
soname    := libleat.so.$(so_major)

# --- flags -----------------------------------------------------------------------------------
flav_release := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong
flav_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
flav_cov     := -O0 --coverage
flav_fuzz    := $(flav_asan) -fsanitize=fuzzer-no-link
flav         := $(flav_$(strip $(FLAVOUR)))
$(if $(flav),,$(error FLAVOUR=$(FLAVOUR) is unknown: release asan cov fuzz))

warn := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wundef -Wwrite-strings -Wpointer-arith -Wformat=2 -Wimplicit-fallthrough \
	$(if $(WERROR),-Werror)
deps        := libbpf >= 1.1 libelf >= 0.186 zlib libzstd liblzma libxxhash
deps_l      := $(shell $(PKG_CONFIG) --libs '$(deps)' 2>/dev/null) -liberty -lpthread -lm
deps_c      := $(shell $(PKG_CONFIG) --cflags '$(deps)' 2>/dev/null)
deps_static  = $(shell $(PKG_CONFIG) --static --libs '$(deps)') -liberty -lpthread -lm
test_l       = $(eval test_l := $$(shell $(PKG_CONFIG) --libs criterion))$(test_l)
prefix_map  := -ffile-prefix-map=$(abspath $(BUILD))=build -ffile-prefix-map=$(CURDIR)=.
cc_flags     = -std=gnu11 -D_GNU_SOURCE $(warn) $(flav) $(prefix_map) $(CFLAGS) $(CPPFLAGS) \
	       -Iinclude -Iuser -Ibpf/include -Ibpf/lib -I$(B) -I$(G) $(deps_c)
# One set of library objects serves the archive and the shared library.
lib_flags   := -fPIC -fno-semantic-interposition
ld_flags     = $(flav) -Wl,--as-needed $(LDFLAGS)
# tests/support/alloc.h needs every allocation of the code under test to pass through tests/support.
comma       := ,
wrap_l      := $(foreach f,malloc calloc realloc strdup strndup,-Wl$(comma)--wrap=$(f)) \
	       -Wl,-u,__wrap_malloc
bpf_flags    = -std=gnu11 -g -O2 -Wall -Wextra -Wno-unused-parameter -Werror -target bpf \
	       -mcpu=$(bpf_cpu) -D__TARGET_ARCH_$(BPF_ARCH) $(prefix_map) \
	       -I$(dir $(VMLINUX_H)) -Ibpf/include -Ibpf/lib
wl_flags     = -std=gnu11 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer -pthread -Wall -Wextra \
	       $(prefix_map) -Iinclude -Itests/workloads

# Objects depend on the first of these files, leat.pc on the second, what is linked on the third:
# they change when what they hold does, and at no other time.
flags_f := $(O)/.flags
paths_f := $(O)/.paths
lists_f := $(O)/.lists
define remember
ifneq ($$(strip $$(file <$(1))),$$(strip $(2)))
$$(shell mkdir -p $(O))
$$(file >$(1),$$(strip $(2)))
endif
endef
$(eval $(call remember,$(flags_f),$$(CC) $$(cc_flags) $$(ld_flags)))
$(eval $(call remember,$(paths_f),$$(prefix) $$(libdir) $$(includedir) $$(version)))
$(eval $(call remember,$(lists_f),$$(lib_src) $$(app_src) $$(support_src) $$(public_h)))

# --- names -----------------------------------------------------------------------------------
bpf_test_c := $(filter-out %.bpf.c,$(bpf_test_src))
bpf_test_b := $(filter %.bpf.c,$(bpf_test_src))
lib_obj  := $(lib_src:%.c=$(O)/%.o)
app_obj  := $(app_src:%.c=$(O)/%.o)
sup_obj  := $(support_src:%.c=$(O)/%.o)
unit_bin := $(unit_src:%.c=$(O)/%)
bpft_bin := $(bpf_test_c:%.c=$(O)/%)
fuzz_bin := $(fuzz_src:%.c=$(O)/%)
bench_bin := $(bench_src:%.c=$(O)/%)
wl_bin   := $(workload_src:tests/workloads/%.c=$(O)/workloads/%) $(workload_bin)
skel     := $(bpf_src:bpf/%.bpf.c=$(B)/%.skel.h)
skel_t   := $(bpf_test_b:tests/bpf/%.bpf.c=$(B)/tests/%.skel.h)
sup_a    := $(O)/tests/libsupport.a
lib_a    := $(O)/libleat.a
lib_so   := $(O)/libleat.so.$(version)
program  := $(if $(app_src),$(O)/leat)
# TEST="reader elf" limits check, check-bpf and check-live to tests whose name holds one of these.
pick      = $(if $(TEST),$(foreach t,$(TEST),$(foreach f,$(1),$(if $(findstring $(t),$(notdir $(f))),$(f)))),$(1))
# What clang-format, ctags and the licence check look at.
our_c     = $(wildcard user/*.[ch] user/*/*.[ch] bpf/*.c bpf/*/*.h tests/*/*.[ch] win/*.[ch] \
	    include/leat/*.h examples/*.c)

all: $(program) $(if $(lib_src),$(lib_a) $(lib_so) $(O)/libleat.so) $(O)/leat.pc
static: $(O)/leat-static
workloads: $(wl_bin)
tests: $(unit_bin) $(bpft_bin) $(wl_bin)
man: $(man_page)

# --- rules -----------------------------------------------------------------------------------
$(O)/leat: $(app_obj) $(lib_a) $(lists_f)
	$(call say,LD)
	$(Q)$(CC) $(ld_flags) $(app_obj) $(lib_a) $(deps_l) -o $@
$(O)/leat-static: $(app_obj) $(lib_a) $(lists_f)
	$(call say,LD)
	$(Q)$(CC) $(ld_flags) -static $(app_obj) $(lib_a) $(deps_static) -o $@
$(lib_a): $(lib_obj) $(lists_f)
	$(call say,AR)
	$(Q)rm -f $@; $(AR) rcsD $@ $(lib_obj)
$(sup_a): $(sup_obj) $(lists_f)
	$(call say,AR)
	$(Q)rm -f $@; $(AR) rcsD $@ $(sup_obj)
# The shared library exports what the public headers name, and nothing else.
$(O)/libleat.map: $(public_h) $(lists_f)
	$(Q)names=$$(cat $(public_h) /dev/null | { grep -oE '\bleat_[a-z0-9_]+\(' || true; } \
			| sed 's/($$/;/' | LC_ALL=C sort -u); \
		echo "LEAT_$(so_major) { $${names:+global:} $$names local: *; };" > $@
$(lib_so): $(lib_obj) $(O)/libleat.map
	$(call say,LD)
	$(Q)$(CC) $(ld_flags) -shared -Wl,-soname,$(soname) \
		-Wl,--version-script=$(O)/libleat.map $(lib_obj) $(deps_l) -o $@
	$(Q)ln -sf $(@F) $(O)/$(soname)
$(O)/libleat.so: $(lib_so)
	$(Q)ln -sf $(soname) $@; touch -h $@
$(O)/leat.pc: leat.pc.in $(paths_f)
	$(Q)sed -e 's|@prefix@|$(prefix)|; s|@libdir@|$(libdir)|; s|@includedir@|$(includedir)|' \
		-e 's|@version@|$(version)|; s|@requires@|$(deps)|' $< > $@

$(lib_obj): cc_extra := $(lib_flags)
$(O)/%.o: %.c $(flags_f) | $(gen_h)
	$(call say,CC)
	$(Q)mkdir -p $(@D); $(CC) $(cc_flags) $(cc_extra) -MMD -MP -c $< -o $@
# Only the engine sees skeletons (checked by lint), so only it waits for them.
$(filter $(O)/user/engine/%,$(lib_obj)): | $(skel)
$(bpft_bin:%=%.o): | $(skel) $(skel_t)

$(B)/%.tmp.o: bpf/%.bpf.c
	$(call say,BPF)
	$(Q)mkdir -p $(@D); $(CLANG) $(bpf_flags) -MMD -MP -c $< -o $@
$(B)/tests/%.tmp.o: tests/bpf/%.bpf.c
	$(call say,BPF)
	$(Q)mkdir -p $(@D); $(CLANG) $(bpf_flags) -Ibpf -MMD -MP -c $< -o $@
# gen object strips the DWARF of vmlinux.h: a hundredth of the size.
$(B)/%.bpf.o: $(B)/%.tmp.o
	$(Q)$(BPFTOOL) gen object $@ $<
$(B)/%.skel.h: $(B)/%.bpf.o
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< name leat_$(*F) > $@

$(unit_bin) $(bpft_bin): %: %.o $(lib_a) $(sup_a)
	$(call say,LD)
	$(Q)$(CC) $(ld_flags) $(wrap_l) $< $(sup_a) $(lib_a) $(deps_l) $(test_l) -o $@
# Fuzz targets: libFuzzer in the flavour fuzz, else a main that replays files.
$(fuzz_bin): %: %.o $(lib_a) $(O)/tests/fuzz/replay.o
	$(call say,LD)
	$(Q)$(CC) $(ld_flags) $(if $(filter fuzz,$(FLAVOUR)),-fsanitize=fuzzer) \
		$< $(if $(filter fuzz,$(FLAVOUR)),,$(O)/tests/fuzz/replay.o) $(fuzz_libs) $(lib_a) \
		$(deps_l) -o $@
$(bench_bin): %: %.o $(lib_a)
	$(call say,LD)
	$(Q)$(CC) $(ld_flags) $< $(lib_a) $(deps_l) -o $@
$(O)/workloads/%: tests/workloads/%.c $(flags_f)
	$(call say,CC)
	$(Q)mkdir -p $(@D); $(CC) $(wl_flags) $(wl_flags_$*) -MMD -MP -MF $@.d $< $(wl_libs_$*) -o $@
# For guests that have no libraries.
$(O)/workloads-static/%: tests/workloads/%.c $(flags_f)
	$(call say,CC)
	$(Q)mkdir -p $(@D); $(CC) $(wl_flags) $(wl_flags_$*) -static -MMD -MP -MF $@.d $< $(wl_libs_$*) -o $@

# --- tests -----------------------------------------------------------------------------------
run_tests = LEAT_OUT=$(abspath $(O)) LEAT_BPF=$(abspath $(B)) LEAT=$(abspath $(O))/leat scripts/run-tests.sh
check: $(unit_bin)
	$(Q)TEST_TIMEOUT=$${TEST_TIMEOUT:-120} $(run_tests) $(O)/log/unit $(call pick,$(unit_bin))
check-asan:
	$(Q)$(MAKE) FLAVOUR=asan check
check-bpf: $(program) $(bpft_bin) $(wl_bin)
	$(Q)TEST_ARGS="-j1 $(TEST_ARGS)" AS_ROOT=1 $(run_tests) $(O)/log/bpf $(call pick,$(bpft_bin))
check-live: all $(wl_bin) $(man_page) $(comp_bash) $(comp_zsh) $(comp_fish)
	$(Q)AS_ROOT=1 $(run_tests) $(O)/log/live $(call pick,$(live_test))
check-kernels: $(O)/leat-static $(O)/workloads-static/wl_shares
	$(Q)TEST_ARGS=$(abspath $(O)) TEST_TIMEOUT=$${TEST_TIMEOUT:-1700} $(run_tests) $(O)/log/kernels scripts/vm-matrix.sh
check-lint:
	$(Q)$(run_tests) $(O)/log/lint tests/lint/run.sh
fuzz-replay: $(fuzz_bin)
	$(Q)scripts/fuzz.sh replay $(O) $(fuzz_bin)
fuzz fuzz-short:
	$(Q)$(MAKE) FLAVOUR=fuzz $@-run
fuzz-run: $(fuzz_bin)
	$(Q)scripts/fuzz.sh long $(O) $(fuzz_bin)
fuzz-short-run: $(fuzz_bin)
	$(Q)scripts/fuzz.sh short $(O) $(fuzz_bin)
bench: all $(bench_bin) $(wl_bin)
	$(Q)LEAT_OUT=$(abspath $(O)) LEAT=$(abspath $(O))/leat scripts/bench.sh $(ROUNDS)
coverage:
	$(Q)$(MAKE) FLAVOUR=cov check
	$(Q)scripts/coverage.sh $(BUILD)/cov

# --- lint ------------------------------------------------------------------------------------
lint_steps := layers size banned spdx format headers symbols shell
lint: $(lint_steps:%=lint-%)
lint-layers:
	$(Q)awk -f scripts/check-layers.awk $(wildcard user/*.[ch] user/*/*.[ch] win/*.[ch] bpf/*.c bpf/*/*.h)
lint-size:
	$(Q)scripts/check-size.sh $(our_c)
lint-banned:
	$(Q)awk -f scripts/check-banned.awk $(our_c)
lint-spdx:
	$(Q)scripts/check-spdx.sh
lint-format:
	$(Q)clang-format --dry-run -Werror $(our_c)
lint-headers: $(gen_h)
	$(Q)CC='$(CC)' FLAGS='$(cc_flags)' scripts/check-headers.sh
lint-symbols: $(lib_a)
	$(Q)nm -g --defined-only $< | awk 'NF == 3 && $$3 !~ /^leat_/ \
		{ print "not prefixed by leat_: " $$3; bad = 1 } END { exit bad }'
lint-shell:
	$(Q)for f in $(wildcard scripts/*.sh tests/*/*.sh .ci/run); do bash -n $$f; done
# Slower than lint: the analyzer, a file at a time.
tidy: | $(skel) $(gen_h)
	$(Q)printf '%s\n' $(lib_src) $(app_src) | xargs -P $(or $(JOBS),2) -n 4 scripts/tidy.sh \
		-std=gnu11 -D_GNU_SOURCE -Iinclude -Iuser -Ibpf/include -Ibpf/lib -I$(B) -I$(G) --
format:
	$(Q)clang-format -i $(or $(FILES),$(our_c))

# --- install ---------------------------------------------------------------------------------
D = $(DESTDIR)
install: all man $(comp_bash) $(comp_zsh) $(comp_fish)
	$(Q)scripts/install.sh dirs '$(D)$(bindir)' '$(D)$(libdir)' '$(D)$(pkgconfdir)' '$(D)$(includedir)/leat'
	$(Q)install -m 0755 $(program) '$(D)$(bindir)'
	$(Q)install -m 0644 $(lib_a) '$(D)$(libdir)'
	$(Q)install -m 0755 $(lib_so) '$(D)$(libdir)'
	$(Q)ln -sf libleat.so.$(version) '$(D)$(libdir)/$(soname)'
	$(Q)ln -sf $(soname) '$(D)$(libdir)/libleat.so'
	$(Q)install -m 0644 $(O)/leat.pc '$(D)$(pkgconfdir)'
	$(Q)scripts/install.sh files '$(D)$(includedir)/leat' $(public_h)
	$(Q)scripts/install.sh files '$(D)$(mandir)/man1' $(man_page)
	$(Q)scripts/install.sh files '$(D)$(bashcompdir)' $(comp_bash)
	$(Q)scripts/install.sh files '$(D)$(zshcompdir)' $(comp_zsh)
	$(Q)scripts/install.sh files '$(D)$(fishcompdir)' $(comp_fish)
uninstall:
	$(Q)rm -f '$(D)$(bindir)/leat' '$(D)$(libdir)'/libleat.a '$(D)$(libdir)'/libleat.so* \
		'$(D)$(pkgconfdir)/leat.pc'
	$(Q)rm -rf '$(D)$(includedir)/leat'
	$(Q)rm -f $(foreach f,$(notdir $(man_page)),'$(D)$(mandir)/man1/$(f)') \
		$(foreach f,$(notdir $(comp_bash)),'$(D)$(bashcompdir)/$(f)') \
		$(foreach f,$(notdir $(comp_zsh)),'$(D)$(zshcompdir)/$(f)') \
		$(foreach f,$(notdir $(comp_fish)),'$(D)$(fishcompdir)/$(f)')

vmlinux:
	$(Q)BPFTOOL='$(BPFTOOL)' scripts/vmlinux.sh $(BPF_ARCH)
clean:
	$(Q)rm -rf $(BUILD)
help:
	$(Q)sed 's/^/  /' scripts/mk/help.txt

.PHONY: all static workloads tests man check check-asan check-bpf check-live check-kernels check-lint fuzz \
	fuzz-replay fuzz-run fuzz-short fuzz-short-run bench coverage tidy lint $(lint_steps:%=lint-%) \
	format install uninstall vmlinux clean help

ifeq ($(filter clean help uninstall vmlinux format,$(MAKECMDGOALS)),)
ifeq ($(filter -lbpf,$(deps_l)),)
$(error a library is missing ($(deps)): run scripts/setup.sh)
endif
endif
-include $(shell find $(O) $(B) -name '*.d' 2>/dev/null)
