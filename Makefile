# Viesti: one non-recursive Makefile. `make help` lists what there is.
#   SAN=address,undefined | SAN=thread   a sanitizer build, in a build folder of its own
#   CC=clang, WERROR=1                   another compiler, warnings as errors
VERSION := 0.1.0
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
SAN ?=
WERROR ?=
FUZZ ?=
PREFIX ?= /usr/local
DESTDIR ?=
PYTHON ?= $(if $(wildcard /usr/bin/python3),/usr/bin/python3,python3)
comma := ,
BUILD := build/$(if $(FUZZ),fuzz,$(notdir $(CC))$(if $(SAN),-$(subst $(comma),-,$(SAN))))
PKGS := libmicrohttpd libcurl libcjson hiredis openssl libxml-2.0 libzip

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla \
	-Wformat=2 -Wundef $(if $(findstring gcc,$(CC)),-Wjump-misses-init) $(if $(WERROR),-Werror)
OPT := $(if $(SAN),-O1 -fno-omit-frame-pointer,-O2)
SAN_FLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all) $(if $(FUZZ),-fsanitize=fuzzer-no-link)
# Asked once, when first needed: `deps` may have to install them before.
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(patsubst -I%,-isystem%,$$(shell pkg-config --cflags $(PKGS))))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $$(shell pkg-config --libs $(PKGS)))$(PKG_LIBS)
# TLS to Redis where hiredis has it (1.0 and later).
HIREDIS_SSL = $(eval HIREDIS_SSL := $$(shell pkg-config --exists hiredis_ssl && echo hiredis_ssl))$(HIREDIS_SSL)
CPPFLAGS_ALL = -Iinclude -Iservice -I$(BUILD)/gen -DVIESTI_VERSION='"$(VERSION)"' $(PKG_CFLAGS) \
	$(if $(HIREDIS_SSL),-DHAVE_HIREDIS_SSL)
CFLAGS_ALL = -std=gnu11 -g $(OPT) $(WARN) -fstack-protector-strong -D_FORTIFY_SOURCE=$(if $(SAN),0,2) \
	$(SAN_FLAGS) $(CPPFLAGS_ALL) $(CFLAGS)
LDFLAGS_ALL = $(SAN_FLAGS) -pthread -Wl,-z,relro,-z,now $(LDFLAGS)
LIBS_ALL = $(PKG_LIBS) $(if $(HIREDIS_SSL),$(shell pkg-config --libs $(HIREDIS_SSL))) -lpthread

SERVICE_C := $(sort $(shell find service -name '*.c' 2>/dev/null))
LIB_C := $(filter-out service/main.c,$(SERVICE_C))
SANDBOX_C := $(sort $(shell find tests/sandbox -name '*.c' 2>/dev/null))
UNIT_C := $(sort $(wildcard tests/unit/test_*.c))
UNIT_SUPPORT_C := $(filter-out $(UNIT_C),$(sort $(wildcard tests/unit/*.c)))
FLOWS_C := $(sort $(wildcard tests/flows/*.c))
BENCH_C := $(sort $(wildcard tests/bench/*.c))
EINVOICE_C := $(sort $(wildcard tests/einvoice/*.c))
FUZZ_C := $(sort $(wildcard tests/fuzz/fuzz_*.c))
LUA := $(sort $(shell find service -name '*.lua' 2>/dev/null))
TIDY_C := $(SERVICE_C) $(SANDBOX_C) $(BENCH_C) $(FLOWS_C) $(EINVOICE_C)

LIB_O := $(LIB_C:%.c=$(BUILD)/%.o)
LUA_O := $(if $(wildcard include/net/redis.h),$(BUILD)/gen/lua_scripts.o)
SANDBOX_O := $(SANDBOX_C:%.c=$(BUILD)/%.o)
UNIT_SUPPORT_O := $(UNIT_SUPPORT_C:%.c=$(BUILD)/%.o)
FLOWS_O := $(FLOWS_C:%.c=$(BUILD)/%.o)
UNIT_BIN := $(UNIT_C:tests/unit/%.c=$(BUILD)/unit/%)
BENCH_BIN := $(BENCH_C:tests/bench/%.c=$(BUILD)/bench/%)
FUZZ_BIN := $(FUZZ_C:tests/fuzz/%.c=$(BUILD)/%)
LIB := $(BUILD)/libviesti.a

DEPS_BUILD := build/deps/build
PYTEST := BUILD=$(BUILD) PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m pytest -p no:cacheprovider -q

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all help deps demo test unit flows einvoice system layers check chaos bench bench-programs lint tidy docs fuzz fuzz-run \
	image install clean

all: $(if $(wildcard service/main.c),$(BUILD)/viesti) $(if $(SANDBOX_C),$(BUILD)/viesti-sandbox) ## build viesti and viesti-sandbox

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "make %-12s %s\n", $$1, $$2 }'
	@sed -n '2,3s/^#//p' $(firstword $(MAKEFILE_LIST))

# What a target lacks is installed by name (Debian, as root) or named in one line. A stamp per set, so it is asked once.
deps: ## install what build, tests, lint, fuzz and bench need
	@sh tests/deps.sh build test einvoice lint fuzz bench
build/deps/%: tests/deps.sh
	@mkdir -p $(@D)
	@sh tests/deps.sh $*
	@touch $@

$(UNIT_C:%.c=$(BUILD)/%.o) $(UNIT_SUPPORT_O) $(FLOWS_O): | build/deps/test
$(BUILD)/%.o: %.c | $(DEPS_BUILD)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Redis scripts: each service/**/<name>.lua becomes an entry of lua_scripts[] (net/redis.h).
$(BUILD)/gen/lua_scripts.c: $(LUA) tests/lint/embed-lua.sh
	@mkdir -p $(@D)
	sh tests/lint/embed-lua.sh $(LUA) >$@
$(BUILD)/gen/lua_scripts.o: $(BUILD)/gen/lua_scripts.c | $(DEPS_BUILD)
	$(CC) $(CFLAGS_ALL) -c -o $@ $<

# The contract and its page, served by the service itself (service/http/status.c); the list of operators that is built in
# (service/systems/netvisor/operators.c).
EMBEDDED := openapi.yaml service/http/docs.html deploy/netvisor-operators.tsv
$(BUILD)/gen/contract.c: $(EMBEDDED) tests/lint/embed-file.sh
	@mkdir -p $(@D)
	sh tests/lint/embed-file.sh contract_openapi openapi.yaml contract_docs service/http/docs.html \
		netvisor_operator_list deploy/netvisor-operators.tsv >$@
$(BUILD)/gen/contract.o: $(BUILD)/gen/contract.c | $(DEPS_BUILD)
	$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(LIB): $(LIB_O) $(LUA_O) $(BUILD)/gen/contract.o
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/viesti: $(BUILD)/service/main.o $(LIB)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)
$(BUILD)/viesti-sandbox: $(SANDBOX_O) $(LIB)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)
# The attempt of the flow cases serves the tests of systems too.
$(UNIT_C:%.c=$(BUILD)/%.o) $(UNIT_SUPPORT_O): CPPFLAGS_ALL += -Itests
$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(UNIT_SUPPORT_O) $(BUILD)/tests/flows/fake.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS_ALL)
# A service with the flow of the register tests, for the system tests of runs.
$(BUILD)/tests/system/world.o: CPPFLAGS_ALL += -Itests/unit
$(BUILD)/viesti-world: $(BUILD)/service/main.o $(BUILD)/tests/system/world.o $(BUILD)/tests/unit/sync_world.o $(LIB)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)
$(BUILD)/flow-cases: $(FLOWS_O) $(LIB) | build/deps/test
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS_ALL)
$(BUILD)/einvoice-samples: $(EINVOICE_C:%.c=$(BUILD)/%.o) $(LIB)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)
$(BUILD)/bench/%: $(BUILD)/tests/bench/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)
$(BUILD)/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(LIB)
	$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(LIBS_ALL)
$(BUILD)/config-doc: $(BUILD)/tests/lint/config_doc.o $(LIB)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)

demo: all build/deps/test ## relay the sample invoices through sandbox and service, and compare the ledgers (KEEP=1 leaves it serving)
	@BUILD=$(BUILD) $(PYTHON) tests/system/demo.py

test: build/deps/test ## every test
	@$(PYTHON) tests/run_all.py unit flows einvoice system layers

# Unit programs: each prints its own result; one that fails does not hide the others.
unit: $(UNIT_BIN) build/deps/test ## unit tests
	@sh tests/unit/run.sh $(UNIT_BIN)

flows: $(if $(FLOWS_C),$(BUILD)/flow-cases) build/deps/test ## flow cases: recorded exchanges
	@$(if $(FLOWS_C),$(BUILD)/flow-cases tests/flows,echo "flows: 0 passed$(comma) 0 failed")

# The official rules lie in the folder that VIESTI_SHARED names; without it the test says that they were left out.
einvoice: $(BUILD)/einvoice-samples build/deps/test $(if $(VIESTI_SHARED),build/deps/einvoice) ## e-invoices against the official rules
	@$(PYTEST) -rs tests/einvoice

# They wait for more than they reckon: two files side by side, each with its own services and ports.
SYSTEM_JOBS ?= 2
system: all $(BUILD)/viesti-world $(BUILD)/flow-cases $(BUILD)/bench/load build/deps/test ## system tests: the real binaries, a real Redis, the sandbox
	@$(if $(wildcard tests/system/test_*.py),$(PYTEST) -rs -n $(SYSTEM_JOBS) --dist loadfile tests/system,echo "system: 0 passed$(comma) 0 failed")

layers: build/deps/test ## the layer rule alone
	@$(PYTHON) tests/lint/run.py layers

SAN_AU := SAN=address,undefined
check: build/deps/test ## unit tests, flow cases and e-invoices under the address, undefined-behaviour and thread sanitizers
	@$(PYTHON) tests/run_all.py "unit $(SAN_AU)" "flows $(SAN_AU)" "einvoice $(SAN_AU)" "unit SAN=thread" "flows SAN=thread"

chaos: all build/deps/test ## the large ledger test: kills, cut lines, an emptied Redis
	@CHAOS=1 $(PYTEST) -s tests/system/test_ledger.py

bench: all bench-programs build/deps/test build/deps/bench ## measure, beside the yardsticks (QUICK=1: under two minutes)
	@BUILD=$(BUILD) QUICK=$(QUICK) $(PYTHON) tests/bench/run.py
bench-programs: $(BENCH_BIN)

lint: $(BUILD)/config-doc build/deps/lint build/deps/test ## format, clang-tidy, layers, options, routes, cases, requirement ids
	@BUILD=$(BUILD) $(PYTHON) tests/lint/run.py
# One stamp per file; the object is its dependency, so a changed header counts.
tidy: $(TIDY_C:%.c=$(BUILD)/tidy/%.ok)
$(BUILD)/tidy/%.ok: $(BUILD)/%.o .clang-tidy tests/lint/analyzer.h | build/deps/lint
	@mkdir -p $(@D)
	@clang-tidy --quiet $*.c -- -std=gnu11 $(filter-out -Wjump-misses-init -Werror,$(WARN)) -Wno-unused-value \
		$(CPPFLAGS_ALL) $(if $(filter service/base/%,$*),,-include tests/lint/analyzer.h) 2>$@.err >$@.out || { cat $@.out $@.err; false; }
	@touch $@

docs: $(BUILD)/config-doc ## write deploy/CONFIGURATION.md, deploy/viesti.env.sample and deploy/REASONS.md from their tables
	$(BUILD)/config-doc reasons >deploy/REASONS.md
	$(BUILD)/config-doc reference >deploy/CONFIGURATION.md
	$(BUILD)/config-doc sample >deploy/viesti.env.sample

FUZZ_SECONDS ?= 10
fuzz: build/deps/fuzz ## libFuzzer on each tests/fuzz/fuzz_*.c (FUZZ_SECONDS=10 each)
	@$(MAKE) --no-print-directory CC=clang SAN=address,undefined FUZZ=1 FUZZ_SECONDS=$(FUZZ_SECONDS) fuzz-run
fuzz-run: $(FUZZ_BIN)
	@sh tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ_BIN)

image: ## container image viesti:VERSION
	@sh tests/image.sh viesti:$(VERSION)

install: all ## into $(DESTDIR)$(PREFIX)
	install -D -m 755 $(BUILD)/viesti $(DESTDIR)$(PREFIX)/bin/viesti
	install -D -m 755 $(BUILD)/viesti-sandbox $(DESTDIR)$(PREFIX)/bin/viesti-sandbox
	install -D -m 644 deploy/CONFIGURATION.md $(DESTDIR)$(PREFIX)/share/doc/viesti/CONFIGURATION.md
	install -D -m 644 deploy/REASONS.md $(DESTDIR)$(PREFIX)/share/doc/viesti/REASONS.md
	install -D -m 644 deploy/viesti.env.sample $(DESTDIR)$(PREFIX)/share/doc/viesti/viesti.env.sample
	install -D -m 644 deploy/netvisor-operators.tsv $(DESTDIR)$(PREFIX)/share/viesti/netvisor-operators.tsv
	install -D -m 644 deploy/nginx/viesti.conf $(DESTDIR)$(PREFIX)/share/doc/viesti/nginx.conf
	sed 's:/usr/local/bin/:$(PREFIX)/bin/:' deploy/systemd/viesti.service | \
		install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/lib/systemd/system/viesti.service

clean: ## remove build/
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
