# Viesti: one non-recursive Makefile. `make help` lists what there is.
#   SAN=address,undefined | SAN=thread   a sanitizer build, in a build folder of its own
#   CC=clang, WERROR=1                   another compiler, warnings as errors
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
SAN ?=
WERROR ?=
comma := ,
BUILD := build/$(notdir $(CC))$(if $(SAN),-$(subst $(comma),-,$(SAN)))
PKGS := libmicrohttpd libcurl libcjson hiredis openssl libxml-2.0

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla \
	-Wformat=2 -Wundef $(if $(findstring gcc,$(CC)),-Wjump-misses-init) $(if $(WERROR),-Werror)
OPT := $(if $(SAN),-O1 -fno-omit-frame-pointer,-O2)
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS))
PKG_LIBS = $(shell pkg-config --libs $(PKGS))
CFLAGS_ALL = -std=gnu11 -g $(OPT) $(WARN) -fstack-protector-strong -D_FORTIFY_SOURCE=$(if $(SAN),0,2) \
	$(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all) -Iinclude -Iservice -I$(BUILD)/gen $(PKG_CFLAGS) $(CFLAGS)
LDFLAGS_ALL = $(if $(SAN),-fsanitize=$(SAN)) -pthread -Wl,-z,relro,-z,now $(LDFLAGS)
LIBS_ALL = $(PKG_LIBS) -lpthread

SERVICE_C := $(sort $(shell find service -name '*.c' 2>/dev/null))
LIB_C := $(filter-out service/main.c,$(SERVICE_C))
SANDBOX_C := $(sort $(shell find tests/sandbox -name '*.c' 2>/dev/null))
UNIT_C := $(sort $(wildcard tests/unit/test_*.c))
UNIT_SUPPORT_C := $(filter-out $(UNIT_C),$(sort $(wildcard tests/unit/*.c)))
LUA := $(sort $(shell find service -name '*.lua' 2>/dev/null))

LIB_O := $(LIB_C:%.c=$(BUILD)/%.o)
LUA_O := $(BUILD)/gen/lua_scripts.o
SANDBOX_O := $(SANDBOX_C:%.c=$(BUILD)/%.o)
UNIT_SUPPORT_O := $(UNIT_SUPPORT_C:%.c=$(BUILD)/%.o)
UNIT_BIN := $(UNIT_C:tests/unit/%.c=$(BUILD)/unit/%)
LIB := $(BUILD)/libviesti.a

.DELETE_ON_ERROR:
.PHONY: all unit
all: $(if $(wildcard service/main.c),$(BUILD)/viesti) $(if $(SANDBOX_C),$(BUILD)/viesti-sandbox)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Redis scripts: each service/**/<name>.lua becomes an entry of lua_scripts[] (net/redis.h).
$(BUILD)/gen/lua_scripts.c: $(LUA) tests/lint/embed-lua.sh
	@mkdir -p $(@D)
	sh tests/lint/embed-lua.sh $(LUA) >$@
$(LUA_O): $(BUILD)/gen/lua_scripts.c
	$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(LIB): $(LIB_O) $(LUA_O)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/viesti: $(BUILD)/service/main.o $(LIB)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)
$(BUILD)/viesti-sandbox: $(SANDBOX_O) $(LIB)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ALL)
$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(UNIT_SUPPORT_O) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS_ALL)

# Unit programs: each prints its own result; one that fails does not hide the others.
unit: $(UNIT_BIN)
	@sh tests/unit/run.sh $(UNIT_BIN)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
