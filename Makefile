# flec: one binary over a static library per folder. `make help` lists the targets.
VERSION  := 0.2.0
BUILD    ?= build
PREFIX   ?= /usr/local
DESTDIR  ?=
ifeq ($(origin CC),default)
CC       := gcc
endif
PKGS     := jansson libcurl openssl rdkafka libpcre2-8 libmicrohttpd gnutls
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wundef -Wvla -Wno-unused-parameter
HARDEN   := -fstack-protector-strong -fPIC $(if $(findstring clang,$(CC)),,-fstack-clash-protection -fcf-protection)
OPT      ?= -O2 -g
SAN      ?=
CPPFLAGS += -I. -I$(BUILD) -D_GNU_SOURCE -DFLEC_VERSION='"$(VERSION)"' $(if $(findstring -O0,$(OPT))$(SAN),,-D_FORTIFY_SOURCE=2)
CFLAGS   := -std=gnu11 $(WARN) $(if $(CI)$(WERROR),-Werror) $(HARDEN) $(OPT) $(SAN) $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDFLAGS  := -pie -Wl,-z,relro,-z,now $(SAN)
LDLIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm -lpthread
REPORTS  := $(BUILD)/reports
# V=1 shows whole commands
Q        := $(if $(V),,@)
say       = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

# ---- the program: folders, what each may include besides itself, what is generated in it ----
FOLDERS        := base schema lang compiler runtime
NEEDS_base     :=
NEEDS_schema   := base
NEEDS_lang     := base
NEEDS_compiler := lang schema base
NEEDS_runtime  := schema base
NEEDS_cli      := compiler lang runtime schema base
GEN_lang       := $(BUILD)/lang/parse.c $(BUILD)/lang/quick.c $(BUILD)/lang/scan.c
GEN_compiler   := $(BUILD)/compiler/catalog_data.c $(BUILD)/compiler/clients_data.c
GEN_cli        := $(BUILD)/cli/pages.c

sources  = $(filter-out %_test.c %_tool.c,$(wildcard $(1)/*.c $(1)/*/*.c))
objects  = $(patsubst %.c,$(BUILD)/%.o,$(call sources,$(1))) $(GEN_$(1):.c=.o)
archives = $(foreach f,$(1),$(BUILD)/libflec-$(f).a)
tests    = $(patsubst %.c,$(BUILD)/%,$(wildcard $(1)/*_test.c $(1)/*/*_test.c))

all: $(BUILD)/flec
$(BUILD)/flec: $(call objects,cli) $(call archives,$(NEEDS_cli)) $(BUILD)/cli/.boundaries
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LDLIBS)

define folder
$(BUILD)/libflec-$(1).a: $(call objects,$(1)) $(BUILD)/$(1)/.boundaries
	@rm -f $$@
	$$(Q)ar rcs $$@ $$(filter %.o,$$^)
lib-$(1): $(BUILD)/libflec-$(1).a
$(call tests,$(1)): $(BUILD)/%: $(BUILD)/%.o $(call archives,$(1) $(NEEDS_$(1)))
	$$(call say,LINK,$$@)
	$$(Q)$(CC) $(LDFLAGS) -o $$@ $$^ -lcmocka -lavro $(LDLIBS)
unit-$(1): $(call tests,$(1))
	tests/lib/units $(REPORTS)/unit-$(1) $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call folder,$(f))))
UNITS := $(foreach f,$(FOLDERS) cli,$(call tests,$(f)))
# units of cli/ link its objects but main
$(call tests,cli): $(BUILD)/%: $(BUILD)/%.o $(filter-out $(BUILD)/cli/main.o,$(call objects,cli)) $(call archives,$(NEEDS_cli))
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)
unit-cli: $(call tests,cli)
	tests/lib/units $(REPORTS)/unit-cli $^
$(FOLDERS:%=$(BUILD)/%/.boundaries) $(BUILD)/cli/.boundaries: $(BUILD)/%/.boundaries: $(wildcard $(foreach f,$(FOLDERS) cli,$(f)/*.[chly] $(f)/*/*.[ch]))
	@tests/lib/boundaries $* $(NEEDS_$*) && mkdir -p $(@D) && touch $@

# One object serves the program and the shared library: position-independent, its names hidden, so that a call costs
# what it costs in a program. Tests keep theirs in sight: some stand in for malloc.
hide = $(if $(filter tests/%,$<)$(findstring _test.c,$<),,-fvisibility=hidden)
$(BUILD)/%.o: %.c $(BUILD)/.flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(hide) -MMD -MP -c -o $@ $<
# what was compiled otherwise is compiled again
$(BUILD)/.flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(CC) $(CPPFLAGS) $(filter-out -Werror,$(CFLAGS)))' > $@.new
	@cmp -s $@ $@.new && rm $@.new || mv $@.new $@
$(GEN_lang:.c=.o) $(GEN_compiler:.c=.o) $(GEN_cli:.c=.o): $(BUILD)/%.o: $(BUILD)/%.c $(BUILD)/.flags
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-unused-function -Wno-shadow -Wno-undef -MMD -MP -c -o $@ $<
$(BUILD)/lang/parse.c: lang/parse.y
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)bison -Werror -d -o $@ $<
$(BUILD)/lang/parse.h: $(BUILD)/lang/parse.c
# the same grammar without a look ahead, for files that are right
$(BUILD)/lang/quick.c: lang/parse.y
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)bison -Werror -F parse.lac=none -F 'api.prefix={lang_quick}' -o $@ $<
$(BUILD)/lang/scan.c: lang/scan.l $(BUILD)/lang/parse.c
	$(call say,GEN,$@)
	$(Q)flex -o $@ $<
$(call objects,lang): | $(BUILD)/lang/parse.c
# the connector catalogue is validated and turned into C here; a bad entry fails the build
$(BUILD)/compiler/catalog_data.c: $(BUILD)/compiler/catalog/catalog_tool $(wildcard compiler/catalog/*.json)
	$(call say,GEN,$@)
	$(Q)$< $@ compiler/catalog
$(BUILD)/compiler/catalog/catalog_tool: $(BUILD)/compiler/catalog/catalog_tool.o $(call archives,base)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
# so is what each vendor client does: from the measured cases, and the constructs that `make clients` found in them
$(BUILD)/compiler/clients_data.c: $(BUILD)/compiler/clients/clients_tool compiler/clients/cases.json compiler/clients/constructs.json
	$(call say,GEN,$@)
	$(Q)$< $@ compiler/clients/cases.json compiler/clients/constructs.json
$(BUILD)/compiler/clients/clients_tool: $(BUILD)/compiler/clients/clients_tool.o $(BUILD)/compiler/clients/construct_rows.o $(BUILD)/compiler/clients/outcome.o $(call archives,base)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
# docs/checks/*.md inside the binary, for `flec explain`
$(BUILD)/cli/pages.c: $(BUILD)/cli/pages_tool $(wildcard docs/checks/*.md)
	$(call say,GEN,$@)
	$(Q)$< $@ docs/checks
$(BUILD)/cli/pages_tool: $(BUILD)/cli/pages_tool.o $(call archives,base)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/cli/main.o $(BUILD)/cli/version.o: $(BUILD)/cli/commit.h
$(BUILD)/cli/commit.h: FORCE
	@mkdir -p $(@D)
	@printf '#define FLEC_COMMIT "%s"\n' "$$(cat COMMIT 2>/dev/null || git describe --always --dirty 2>/dev/null || echo unknown)" > $@.new
	@cmp -s $@ $@.new && rm $@.new || mv $@.new $@

# the tables of docs/language.md, out of the forms; a unit holds them together
$(BUILD)/lang/reference_tool: $(BUILD)/lang/reference_tool.o $(call archives,lang base)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
reference: $(BUILD)/lang/reference_tool
	$< docs/language.md

# the constructs of the measured cases, and docs/clients.md out of them; a unit holds them together
CLIENTS_WAYS := $(addprefix $(BUILD)/compiler/clients/,construct_rows.o constructs.o avro_way.o json_way.o proto_way.o)
$(BUILD)/compiler/clients/derive_tool: $(addprefix $(BUILD)/compiler/clients/,derive_tool.o derive.o instance.o) $(CLIENTS_WAYS) $(call archives,schema base)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/compiler/clients/page_tool: $(addprefix $(BUILD)/compiler/clients/,page_tool.o page.o clients.o outcome.o) $(CLIENTS_WAYS) $(BUILD)/compiler/clients_data.o $(call archives,schema base)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
clients: $(BUILD)/compiler/clients/derive_tool
	$< compiler/clients/cases.json compiler/clients/constructs.json
	$(MAKE) --no-print-directory $(BUILD)/compiler/clients/page_tool
	$(BUILD)/compiler/clients/page_tool docs/clients.md

# the manual and completion, out of the tables of options
DATE := $(shell git log -1 --format=%cs 2>/dev/null || date -u +%F)
$(BUILD)/cli/man_tool: $(BUILD)/cli/man_tool.o $(filter-out $(BUILD)/cli/main.o,$(call objects,cli)) $(call archives,$(NEEDS_cli))
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
man: $(BUILD)/man/flec.1
$(BUILD)/man/flec.1: $(BUILD)/cli/man_tool
	$(call say,GEN,$(@D))
	$(Q)$< $(@D) $(DATE)
$(BUILD)/completion/flec.bash: $(BUILD)/flec
	@mkdir -p $(@D)
	$(call say,GEN,$(@D))
	$(Q)$< completion zsh > $(@D)/_flec && $< completion fish > $(@D)/flec.fish && $< completion bash > $@

# ---- the C library (docs/libflec.md), of the program's objects ----
LIBDIR      ?= $(PREFIX)/lib
LIB_SO      := libflec.so.$(VERSION)
LIB_ABI     := libflec.so.0
LIB_SEES    := $(patsubst %.c,$(BUILD)/%.o,$(call sources,runtime/lib))
$(BUILD)/$(LIB_SO): $(LIB_SEES) $(call archives,runtime schema base) runtime/lib/flec.map
	$(call say,LINK,$@)
	$(Q)$(CC) -shared $(filter-out -pie,$(LDFLAGS)) -Wl,-z,nodelete,--no-undefined,--as-needed -Wl,-soname,$(LIB_ABI) -Wl,--version-script=runtime/lib/flec.map -o $@ $(filter %.o %.a,$^) $(LDLIBS)
lib: $(BUILD)/$(LIB_SO)
install-lib: lib
	install -D -m 0644 runtime/lib/flec.h $(DESTDIR)$(PREFIX)/include/flec.h
	install -D -m 0755 $(BUILD)/$(LIB_SO) $(DESTDIR)$(LIBDIR)/$(LIB_SO)
	ln -sf $(LIB_SO) $(DESTDIR)$(LIBDIR)/$(LIB_ABI)
	ln -sf $(LIB_ABI) $(DESTDIR)$(LIBDIR)/libflec.so
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig
	sed 's|@prefix@|$(PREFIX)|; s|@libdir@|$(LIBDIR)|; s|@version@|$(VERSION)|' runtime/lib/flec.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/flec.pc
uninstall-lib:
	rm -f $(DESTDIR)$(PREFIX)/include/flec.h $(DESTDIR)$(LIBDIR)/libflec.so $(DESTDIR)$(LIBDIR)/$(LIB_ABI) $(DESTDIR)$(LIBDIR)/libflec.so.0.*
	rm -f $(DESTDIR)$(LIBDIR)/pkgconfig/flec.pc

# ---- for users: packages first, then a make of its own, which sees what was installed ----
deps:
	@tests/lib/deps build test
demo:
	@tests/lib/deps build
	@$(MAKE) --no-print-directory all $(BUILD)/tests/demo/kafka
	@tests/demo/run $(BUILD)/flec $(BUILD)/tests/demo/kafka
test:
	@tests/lib/deps build test
	@$(MAKE) --no-print-directory test-run
$(BUILD)/tests/demo/kafka $(BUILD)/tests/interop/registry_tool $(BUILD)/tests/interop/compat_tool $(BUILD)/tests/real/kms_tool: %: %.o $(call archives,runtime schema base)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
install: all man $(BUILD)/completion/flec.bash install-lib
	install -D -m 0755 $(BUILD)/flec $(DESTDIR)$(PREFIX)/bin/flec
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 0644 $(BUILD)/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -D -m 0644 $(BUILD)/completion/flec.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/flec
	install -D -m 0644 $(BUILD)/completion/_flec $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_flec
	install -D -m 0644 $(BUILD)/completion/flec.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/flec.fish
	cd docs && find . -name '*.md' -exec install -D -m 0644 '{}' '$(abspath $(DESTDIR)$(PREFIX))/share/doc/flec/{}' ';'
uninstall: uninstall-lib
	rm -f $(DESTDIR)$(PREFIX)/bin/flec
	rm -f $(DESTDIR)$(PREFIX)/share/man/man1/flec.1 $(DESTDIR)$(PREFIX)/share/man/man1/flec-*.1
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/flec $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_flec
	rm -f $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/flec.fish
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/flec
dist:
	@mkdir -p $(BUILD)
	git describe --always HEAD > $(BUILD)/COMMIT
	git archive --prefix=flec-$(VERSION)/ --add-file=$(BUILD)/COMMIT HEAD | gzip -n > $(BUILD)/flec-$(VERSION).tar.gz
clean:
	rm -rf $(BUILD)

# ---- tests: each suite leaves reports, the last line is summed from them ----
FUZZERS := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
test-run: all $(if $(SAN),,lib) $(UNITS) $(FUZZERS:%=$(BUILD)/replay/%)
	@tests/lib/suite $(BUILD) units cases+mutations hostile goldens+problems+examples $(if $(SAN),corpora,corpora+libflec)
$(BUILD)/replay/%: $(BUILD)/tests/fuzz/%_fuzz.o $(BUILD)/tests/fuzz/replay.o $(call archives,$(NEEDS_cli))
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%_fuzz.o $(call archives,$(NEEDS_cli))
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)
test-real:
	@tests/lib/deps build test real
	@$(MAKE) --no-print-directory all $(BUILD)/tests/demo/kafka $(BUILD)/tests/real/kms_tool
	@tests/lib/suite $(BUILD) real
test-interop:
	@tests/lib/deps build test interop
	@$(MAKE) --no-print-directory all $(BUILD)/tests/interop/registry_tool $(BUILD)/tests/interop/compat_tool
	@tests/lib/suite $(BUILD) interop
# the tables of docs/interop.md, out of the last run of test-interop with all clients (INTEROP_RUST=1)
interop-doc:
	"$$(tests/interop/client_python)" -W ignore tests/interop/matrix/page.py $(REPORTS)/interop/matrix.json
# everything again under ASan and UBSan, the units under valgrind, each fuzz target for FUZZ_SECONDS
FUZZ_SECONDS ?= 20
SOAK_SECONDS ?= 3600
SANITIZE := BUILD=$(BUILD)/asan OPT="-O1 -g -fno-omit-frame-pointer" SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
sanitize:
	@tests/lib/deps build test
	@$(MAKE) --no-print-directory $(SANITIZE) test-run
fuzzers:
	@$(MAKE) --no-print-directory BUILD=$(BUILD) CC=clang OPT="-O1 -g" \
	  SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fsanitize=fuzzer-no-link" $(FUZZERS:%=$(BUILD)/fuzz/%)
# the C library under eight threads, by ThreadSanitizer
THREADS := BUILD=$(BUILD)/tsan OPT="-O1 -g -fno-omit-frame-pointer" SAN="-fsanitize=thread"
threads-build:
	@$(MAKE) --no-print-directory $(THREADS) $(BUILD)/tsan/runtime/lib/threads_test
test-threads:
	@tests/lib/deps build test
	@$(MAKE) --no-print-directory threads-build
	@tests/lib/suite $(BUILD) threads
test-deep:
	@tests/lib/deps build test deep
	@$(MAKE) --no-print-directory all $(UNITS) threads-build
	@$(MAKE) --no-print-directory $(SANITIZE) test-build
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/clang fuzzers
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/lib/suite $(BUILD) deep
test-build: all $(UNITS) $(FUZZERS:%=$(BUILD)/replay/%)
# `flec serve` under load for SOAK_SECONDS and killed SOAK_KILLS times, each allocation failed, then each fuzz target for
# SOAK_SECONDS
SOAK_KILLS   ?= 1000
soak:
	@tests/lib/deps build test deep
	@$(MAKE) --no-print-directory all $(foreach u,$(UNITS),$(if $(findstring /alloc,$(u)),$(u)))
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/clang fuzzers
	@FUZZ_SECONDS=$(SOAK_SECONDS) SOAK_SECONDS=$(SOAK_SECONDS) SOAK_KILLS=$(SOAK_KILLS) tests/lib/suite $(BUILD) serve-soak allocs fuzz
bench:
	@tests/lib/deps build test bench
	@$(MAKE) --no-print-directory bench-run
# the empty program is linked to all that flec is, used or not
$(BUILD)/tests/bench/scale_empty: LDFLAGS += -Wl,--no-as-needed
BENCH := $(addprefix $(BUILD)/tests/bench/,engine_bench measure scale_floor scale_empty serve_load)
bench-run: all $(BENCH) $(BUILD)/tests/bench/libflec_bench
	@tests/bench/run $(BUILD) $(BENCH_PARTS)
	@dir=$$(mktemp -d) && $(BUILD)/tests/bench/libflec_bench "$$dir"; status=$$?; rm -rf "$$dir"; exit $$status
	@tests/bench/scale $(BUILD) $(BENCH_TOPICS)
	@tests/bench/serve $(BUILD)
# the engine beside its floor and the vendor's clients alone; BENCH_PARTS: of library,process,workers,peers
bench-engine:
	@tests/lib/deps build test bench
	@$(MAKE) --no-print-directory all $(BUILD)/tests/bench/engine_bench
	@tests/bench/run $(BUILD) $(BENCH_PARTS)
# flec serve beside Apicurio Registry alone
bench-serve:
	@tests/lib/deps build test bench
	@$(MAKE) --no-print-directory all $(BUILD)/tests/bench/serve_load
	@tests/bench/serve $(BUILD)
# the shared library as an application has it
$(BUILD)/tests/bench/libflec_bench: $(BUILD)/tests/bench/libflec_bench.o $(BUILD)/$(LIB_SO) $(call archives,base)
	$(call say,LINK,$@)
	@ln -sf $(LIB_SO) $(BUILD)/$(LIB_ABI)
	$(Q)$(CC) $(LDFLAGS) -Wl,-rpath,$(abspath $(BUILD)) -o $@ $^ $(LDLIBS)
$(BENCH): $(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(call archives,runtime lang schema base)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
sources_c = $(shell git ls-files '*.c' '*.h' | grep -v _data.c)
format:
	@tests/lib/deps lint
	clang-format -i $(sources_c)
lint:
	@tests/lib/deps build test lint
	@$(MAKE) --no-print-directory $(GEN_lang) all man $(BUILD)/completion/flec.bash
	@tests/lib/lint $(BUILD)
update-cases: all
	tests/cases.py --flec $(BUILD)/flec --update $(CASES)
help:
	@sed -n 's/^\([a-z][a-z-]*\):.*/  \1/p' Makefile | sort -u

.PHONY: all lib install-lib uninstall-lib reference clients deps demo test test-run test-build test-real test-interop interop-doc test-deep test-threads threads-build bench bench-run bench-engine bench-serve soak format lint sanitize fuzzers install uninstall dist \
  clean help update-cases FORCE unit-cli $(FOLDERS:%=lib-%) $(FOLDERS:%=unit-%)
.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find $(BUILD) -name '*.d' -not -path '$(BUILD)/asan/*' -not -path '$(BUILD)/clang/*' -not -path '$(BUILD)/tsan/*' 2>/dev/null)
