# order_ext: an ordinary PGXS project, plus the two commands of the README
# (quickstart, test).
#
#   make && make install && make installcheck PGUSER=...   as everywhere
#   make quickstart   a private cluster with the main job running on it
#   make console      a web console on that cluster
#   make stop         stops that cluster
#   make test         every suite; last line "N passed, N failed"
#
# Variables: PG_CONFIG (which server), WERROR= (warnings do not stop the
# build), with_llvm=yes (bitcode for the JIT), COPT (more compiler flags).

EXTENSION  = order_ext
MODULE_big = order_ext
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" order_ext.control)

# Every list is a wildcard, so that no file can be forgotten.
OBJS       := $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c src/*/*/*.c)))
SQL_PARTS  := $(sort $(wildcard sql/parts/*.sql))
# Install and update scripts of earlier versions, as they were released.
DATA       := $(sort $(wildcard sql/released/*.sql))
UPGRADES   := $(notdir $(wildcard sql/upgrades/*))
DATA_built  = sql/order_ext--$(EXTVERSION).sql $(UPGRADES:%=sql/order_ext--%.sql)

# pg_regress and the isolation tester share the top-level expected/, so a
# name belongs to one of them only.  The *_setup files sort first: they keep
# the workers out of the database and create the extension.
# In the order of their numbers; those about verify(), which looks at everything there is, come
# while there is little.
SQL_TESTS  := $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
SQL_FIRST  := $(filter 00%,$(SQL_TESTS)) $(foreach test,$(SQL_TESTS),$(if $(findstring verify,$(test)),$(test)))
REGRESS    := $(SQL_FIRST) $(filter-out $(SQL_FIRST),$(SQL_TESTS))
ISOLATION  := $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
REGRESS_OPTS   = --inputdir=test
ISOLATION_OPTS = --inputdir=test --outputdir=.
ifneq (,$(filter $(REGRESS),$(ISOLATION)))
$(error test/sql and test/specs both have: $(filter $(REGRESS),$(ISOLATION)))
endif

# Signatures of hooks and callbacks are the server's, used parameters or not.
WERROR     ?= -Werror
PG_CPPFLAGS = -Isrc -MMD -MP -DORDER_EXT_VERSION='"$(EXTVERSION)"'
PG_CFLAGS   = -Wall -Wextra -Wno-unused-parameter $(WERROR)
EXTRA_CLEAN = $(OBJS:.o=.d) results regression.diffs regression.out \
	output_iso tmp_check $(EXTENSION)-$(EXTVERSION).tar.gz

# The server was perhaps built with LLVM, but bitcode needs the matching clang.
ifneq ($(origin with_llvm),command line)
override with_llvm = no
endif

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq ($(PGXS),)
ifneq (,$(filter-out quickstart console stop test dist,$(or $(MAKECMDGOALS),all)))
$(error $(PG_CONFIG) knows no PGXS: install the server's headers, or set PG_CONFIG; make quickstart installs what it needs)
endif
endif
include $(PGXS)

# Server headers are not ours to warn about.
override CPPFLAGS := $(patsubst -I$(includedir_server),-isystem $(includedir_server),$(CPPFLAGS))
override CPPFLAGS := $(patsubst -I$(includedir_internal),-isystem $(includedir_internal),$(CPPFLAGS))

# Libraries are loaded with RTLD_GLOBAL: bind our names to ourselves, so that
# another preloaded library with a function of the same name is never called.
ifeq ($(PORTNAME),linux)
SHLIB_LINK += -Wl,-Bsymbolic -lm
endif

-include $(wildcard $(OBJS:.o=.d))

# The library says of which version it is.
$(OBJS): order_ext.control

# The directory is a prerequisite too: a part that was removed rebuilds it.
sql/order_ext--$(EXTVERSION).sql: $(SQL_PARTS) sql/parts
	cat $(SQL_PARTS) > $@.tmp && mv $@.tmp $@

# An upgrade is joined as its parts.list says.
$(UPGRADES:%=sql/order_ext--%.sql): sql/order_ext--%.sql: sql/upgrades/% script/join-upgrade $(SQL_PARTS) \
		$(wildcard sql/upgrades/*/*)
	script/join-upgrade $< > $@.tmp && mv $@.tmp $@

# TAP tests start servers of their own and so cannot run as root.
PROVE ?= prove
TAP_FILES ?= $(sort $(wildcard test/t/*.pl))
tap-installcheck:
	rm -rf '$(CURDIR)/tmp_check' && mkdir -p '$(CURDIR)/tmp_check'
	TESTDIR='$(CURDIR)' TESTDATADIR='$(CURDIR)/tmp_check' TESTLOGDIR='$(CURDIR)/tmp_check/log' PATH="$(bindir):$$PATH" PGPORT='6$(DEF_PGPORT)' \
	PG_REGRESS='$(top_builddir)/src/test/regress/pg_regress' \
	$(PROVE) -I '$(top_srcdir)/src/test/perl' -I test/t $(PROVE_FLAGS) $(TAP_FILES)

# pgTAP runs in a database of its own on the running server.
PG_PROVE ?= pg_prove
PGTAP_DB ?= order_ext_pgtap
PGTAP_FILES ?= $(sort $(wildcard test/pgtap/*.sql))
pgtap-installcheck:
	$(bindir)/psql -Xq -v ON_ERROR_STOP=1 -d postgres \
	  -c 'DROP DATABASE IF EXISTS "$(PGTAP_DB)"' -c 'CREATE DATABASE "$(PGTAP_DB)"' \
	  -c 'ALTER DATABASE "$(PGTAP_DB)" SET order_ext.enabled = off'
	$(bindir)/psql -Xq -v ON_ERROR_STOP=1 -d '$(PGTAP_DB)' \
	  -c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION order_ext'
	$(PG_PROVE) -b '$(bindir)/psql' -d '$(PGTAP_DB)' $(PG_PROVE_FLAGS_PGTAP) $(PGTAP_FILES)

quickstart console stop test:
	@script/$@

bench:
	@bench/run $(BENCH_FLAGS)

# What is committed, for those who have no git.
DIST ?= $(EXTENSION)-$(EXTVERSION).tar.gz
dist:
	git archive --format=tar.gz --prefix=$(EXTENSION)-$(EXTVERSION)/ -o '$(DIST)' HEAD

.PHONY: quickstart console stop test bench dist tap-installcheck pgtap-installcheck
