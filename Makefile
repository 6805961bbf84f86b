# shardferry: build, test, install.
#
#   make            build/shardferry
#   make demo       the main job on generated data, in one or two minutes once it is built (SCALE=1: all of it; KEEP=1: leave it running)
#   make test       all tests; the last line counts them
#   make unit       the unit tests alone; make unit-wire: those of one folder
#   make sanitize   all tests with AddressSanitizer and UndefinedBehaviorSanitizer
#   make fuzz       each fuzzer for FUZZ_SECONDS (default 60)
#   make bench      the side-by-side measurements
#   make model      the model of the epoch protocol (docs/epoch), checked with spin
#   make check-layers, make format, make install (DESTDIR, PREFIX), make clean

BUILD    ?= build
PREFIX   ?= /usr/local
DESTDIR  ?=
CC       ?= gcc
SANITIZE ?=
# make V=1 shows the commands.
Q := $(if $(V),,@)

# The folders, in the order in which they may depend on each other (make check-layers).
LAYERS := base conf wire parser catalog rewrite audit proxy migrate cli

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wwrite-strings -Wvla -Wformat=2
CPPFLAGS += -I. -I$(BUILD)/gen -D_GNU_SOURCE $(shell pg_config --includedir 2>/dev/null | sed 's/^/-I/')
CFLAGS   ?= -O2 -g
CFLAGS_ALL := -std=gnu11 $(WARNINGS) -fno-strict-aliasing -fstack-protector-strong -pthread $(CFLAGS)
LDLIBS   += -luv -lssl -lcrypto -lpq -lpg_query -lprotobuf-c -linih -ljansson -lm
ifneq ($(SANITIZE),)
CFLAGS_ALL += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1
LDFLAGS    += -fsanitize=address,undefined
endif

SOURCES := $(foreach d,$(LAYERS),$(wildcard $(d)/*.c $(d)/*/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
SQL     := $(wildcard $(addsuffix /sql/*.sql,$(LAYERS)))
SQL_H   := $(SQL:%.sql=$(BUILD)/gen/%.h)
PAGES   := $(wildcard $(addsuffix /html/*,$(LAYERS)))
PAGES_H := $(PAGES:%=$(BUILD)/gen/%.h)
lib      = $(BUILD)/lib$(1).a
LIBS    := $(foreach d,$(LAYERS),$(call lib,$(d)))
# Link order: the folder that depends comes before the one that it depends on.
reverse  = $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))

# As many jobs as there are processors, unless -j says otherwise, or something is removed on the way.
ifeq ($(MAKELEVEL)$(filter clean,$(MAKECMDGOALS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:

all: $(BUILD)/shardferry

$(BUILD)/shardferry: $(OBJECTS)
	@echo "  LD $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/%.o: %.c | $(SQL_H) $(PAGES_H)
	@mkdir -p $(@D)
	@echo "  CC $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# SQL lives in .sql files; each becomes a header with one string, sql_<name>. What pages are made from likewise:
# html/report.css becomes html/report.css.h with html_report_css.
embed = { echo '/* Made from $<. */'; echo 'static const char $(1)[] ='; \
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/    "/' -e 's/$$/\\n"/' $<; echo '    ;'; } > $@

$(BUILD)/gen/%.h: %.sql
	@mkdir -p $(@D)
	@$(call embed,sql_$(notdir $*))

$(PAGES_H): $(BUILD)/gen/%.h: %
	@mkdir -p $(@D)
	@$(call embed,html_$(subst .,_,$(notdir $*)))

# One static library a folder, so that a unit test links its own folder and those below it, no others.
define folder_library
$(call lib,$(1)): $(patsubst %.c,$(BUILD)/%.o,$(filter $(1)/%,$(SOURCES)))
	@rm -f $$@
	$(Q)ar rcs $$@ $$^
endef
$(foreach d,$(LAYERS),$(eval $(call folder_library,$(d))))

# Unit tests: tests/unit/<folder>/test_<file>.c becomes build/tests/unit/<folder>/test_<file>.
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*/test_*.c))
upto  = $(if $(filter $(1),$(firstword $(2))),$(1),$(firstword $(2)) $(call upto,$(1),$(wordlist 2,$(words $(2)),$(2))))
define unit_rule
$(BUILD)/tests/unit/$(1)/test_%: tests/unit/$(1)/test_%.c $(foreach d,$(call upto,$(1),$(LAYERS)),$(call lib,$(d)))
	@mkdir -p $$(@D)
	@echo "  LD $$@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS_ALL) $(LDFLAGS) -MMD -MP -o $$@ $$< \
	    $(foreach d,$(call reverse,$(call upto,$(1),$(LAYERS))),$(call lib,$(d))) -lcmocka $(LDLIBS)
endef
$(foreach d,$(LAYERS),$(eval $(call unit_rule,$(d))))

unit: $(UNIT)
	@failed=0; for t in $(UNIT); do $$t || failed=1; done; exit $$failed

# One folder's unit tests: make unit-wire
$(addprefix unit-,$(LAYERS)): unit-%:
	@$(MAKE) --no-print-directory unit UNIT='$(filter $(BUILD)/tests/unit/$*/%,$(UNIT))'

# What a target needs is installed first, in a make of its own: pkg-config and the like are asked before any rule runs.
demo: | deps-demo
	@$(MAKE) --no-print-directory all
	@SHARDFERRY="$${SHARDFERRY:-$(BUILD)/shardferry}" demo/run

test: | deps-test
	@$(MAKE) --no-print-directory all check-layers unit-programs
	@BUILD=$(BUILD) tests/run

sanitize: | deps-test
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/sanitize SANITIZE=1 all unit-programs
	@BUILD=$(BUILD)/sanitize SHARDFERRY=$(CURDIR)/$(BUILD)/sanitize/shardferry tests/run

bench: | deps-bench
	@$(MAKE) --no-print-directory all
	@SHARDFERRY="$${SHARDFERRY:-$(BUILD)/shardferry}" BENCH_JSON="$${BENCH_JSON:-$(BUILD)/bench.json}" bench/run

model: | deps-model
	@scripts/check-model $(BUILD)/model

deps-%: ; @scripts/install-deps $*

unit-programs: $(UNIT)

check-layers: ; @scripts/check-layers

# Fuzzers: libFuzzer is clang's, so they are built from the sources, with clang, apart from the rest.
FUZZ_SECONDS ?= 60
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_LAYERS := base conf wire parser catalog rewrite
FUZZ_SOURCES := $(foreach d,$(FUZZ_LAYERS),$(wildcard $(d)/*.c))
FUZZ_FLAGS := -std=gnu11 -O1 -g -fno-strict-aliasing -pthread -fsanitize=address,undefined \
              -fno-sanitize-recover=undefined -fno-omit-frame-pointer
FUZZ_OBJECTS := $(FUZZ_SOURCES:%.c=$(BUILD)/fuzz/%.o)

$(BUILD)/fuzz/%.o: %.c | $(SQL_H)
	@mkdir -p $(@D)
	@echo "  CLANG $<"
	$(Q)clang $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_OBJECTS)
	$(Q)clang $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $< $(FUZZ_OBJECTS) $(LDLIBS)

fuzz: | deps-fuzz
	@$(MAKE) --no-print-directory fuzz-programs
	@python3 tests/fuzz/seed_wire.py $(BUILD)/fuzz/seeds
	@set -e; for f in $(FUZZ); do echo "== $$f, $(FUZZ_SECONDS) s"; \
	    mkdir -p $(BUILD)/fuzz/corpus/$$f $(BUILD)/fuzz/seeds/$${f#fuzz_}; \
	    $(BUILD)/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -rss_limit_mb=4096 -verbosity=0 \
	        -print_final_stats=1 -artifact_prefix=$(BUILD)/fuzz/ \
	        $(BUILD)/fuzz/corpus/$$f $(BUILD)/fuzz/seeds/$${f#fuzz_}; done

fuzz-programs: $(FUZZ:%=$(BUILD)/fuzz/%)

install: all
	install -D -m 755 $(BUILD)/shardferry $(DESTDIR)$(PREFIX)/bin/shardferry
	install -D -m 644 docs/shardferry.1 $(DESTDIR)$(PREFIX)/share/man/man1/shardferry.1
	install -D -m 644 conf/shardferry.ini $(DESTDIR)$(PREFIX)/share/doc/shardferry/shardferry.ini
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|/usr/local|$(PREFIX)|g' docs/shardferry.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/shardferry.service

format:
	clang-format -i $(SOURCES) $(wildcard $(addsuffix /*.h,$(LAYERS)) tests/unit/*/*.c tests/fuzz/*.c)

clean:
	rm -rf $(BUILD)

-include $(OBJECTS:.o=.d) $(UNIT:=.d) $(FUZZ_OBJECTS:.o=.d)

.PHONY: all demo test sanitize bench model unit unit-programs fuzz fuzz-programs check-layers install format clean \
        $(addprefix unit-,$(LAYERS))
