# Moat: `make` builds artifacts/runsc, `make run` shows a sandboxed program, `make test` runs every test.
# PACKAGES=URL-or-folder restores from another package feed. PREFIX= for install.

CONFIGURATION ?= Release
PREFIX ?= /usr/local
RUNSC := artifacts/runsc

.PHONY: all build

all: $(RUNSC)

$(RUNSC): FORCE
	@tools/setup
	@tools/publish

build:
	dotnet build Moat.slnx -c Debug

FORCE:
