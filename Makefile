# flec: one binary over a static library per folder. `make help` lists the targets.
VERSION  := 0.1.0
BUILD    ?= build
PREFIX   ?= /usr/local
CC       ?= gcc
PKGS     := jansson libcurl openssl rdkafka
CSTD     := -std=gnu11
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wundef -Wvla -Wno-unused-parameter
HARDEN   := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
OPT      ?= -O2 -g
SAN      ?=
CPPFLAGS += -I. -I$(BUILD) -D_GNU_SOURCE -DFLEC_VERSION='"$(VERSION)"' $(if $(findstring -O0,$(OPT))$(SAN),,-D_FORTIFY_SOURCE=2)
CFLAGS   := $(CSTD) $(WARN) $(if $(CI)$(WERROR),-Werror) $(HARDEN) $(OPT) $(SAN) $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDFLAGS  := -pie -Wl,-z,relro,-z,now $(SAN)
LDLIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm -lpthread

FOLDERS  := base schema lang compiler runtime
# what each folder may include, besides itself; checked by tests/lib/boundaries, which the build runs
NEEDS_base     :=
NEEDS_schema   := base
NEEDS_lang     := base
NEEDS_compiler := lang schema base
NEEDS_runtime  := schema base

sources   = $(filter-out %_test.c %_fuzz.c %_bench.c %_tool.c,$(wildcard $(1)/*.c $(1)/*/*.c))
GEN_lang := $(BUILD)/lang/parse.c $(BUILD)/lang/scan.c
GEN_compiler := $(BUILD)/compiler/catalog_data.c
objects   = $(patsubst %.c,$(BUILD)/%.o,$(call sources,$(1))) $(GEN_$(1):.c=.o)
archive   = $(BUILD)/libflec-$(1).a
archives  = $(foreach f,$(1),$(call archive,$(f)))

all: $(BUILD)/flec
$(BUILD)/flec: $(call objects,cli) $(call archives,compiler lang runtime schema base)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

define folder
$(call archive,$(1)): $(call objects,$(1))
	@rm -f $$@
	ar rcs $$@ $$^
lib-$(1): $(call archive,$(1))
TESTS_$(1) := $(patsubst %.c,$(BUILD)/%,$(wildcard $(1)/*_test.c $(1)/*/*_test.c))
$$(TESTS_$(1)): $(BUILD)/%: $(BUILD)/%.o $(call archives,$(1) $(NEEDS_$(1)))
	$(CC) $(LDFLAGS) -o $$@ $$^ -lcmocka $(LDLIBS)
unit-$(1): $$(TESTS_$(1))
	@for t in $$^; do $$$$t || exit 1; done
endef
$(foreach f,$(FOLDERS),$(eval $(call folder,$(f))))

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/%.o: $(BUILD)/%.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-unused-function -Wno-shadow -MMD -MP -c -o $@ $<
$(BUILD)/lang/parse.c: lang/parse.y
	@mkdir -p $(@D)
	bison -Werror -d -o $@ $<
$(BUILD)/lang/scan.c: lang/scan.l $(BUILD)/lang/parse.c
	flex -o $@ $<

.PHONY: all $(FOLDERS:%=lib-%) $(FOLDERS:%=unit-%)
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
