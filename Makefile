# Moat: `make` builds artifacts/runsc, `make run` shows a sandboxed program, `make test` runs every test.
# `make guest FAMILY=eventfd [CASE=...]` runs one guest program on Linux and in the sandbox.
# PACKAGES=URL-or-folder restores from another package feed. PREFIX= and DESTDIR= for install.

PREFIX ?= /usr/local
export PACKAGES

.PHONY: all run test test-steady test-ptrace test-python guest bench microbench soak stress fuzz fuzz-coverage install uninstall format clean

all:
	@tools/publish

run: all
	@artifacts/runsc do busybox sh -c 'echo "== uname -a"; busybox uname -a; echo "== dmesg"; busybox dmesg; echo "== ps"; busybox ps'

test:
	@tools/test

# The tests under load, and on one processor beside a busy loop; lists what failed. ROUNDS=, WAYS="plain busy pinned", PROJECTS="Sandbox Engine" choose.
test-steady: all
	@tools/restore
	@tools/steady

# The projects that run sandboxes, with every sandbox on the ptrace platform: about ten minutes.
test-ptrace: all
	@tools/restore
	@MOAT_PLATFORM=ptrace WAYS=plain PROJECTS="$(or $(PROJECTS),Sandbox Engine Applications)" tools/steady

test-python: all
	@dotnet build tests/Applications.Tests -c Debug --no-restore --nologo -v quiet && dotnet artifacts/build/bin/Applications.Tests/debug/Applications.Tests.dll -noColor -trait speed=slow -class '*.PythonSuiteTests'

guest: all
	@tools/guest $(FAMILY) $(CASE)

# Parts of the kernel alone, in one process: BENCH='--filter *Checksum*' chooses.
microbench:
	@dotnet restore bench/Moat.Benchmarks --locked-mode --nologo -v quiet
	@dotnet run --project bench/Moat.Benchmarks -c Release --no-restore -- $(if $(BENCH),$(BENCH),--filter '*')

# An hour of applications in two sandboxes that live throughout, and short-lived ones: fails if something is left behind or grows. SOAK_SECONDS= for less.
soak: all
	@tools/soak

# What the platforms cost beside runc: docs/performance. As root, about twenty minutes; GVISOR=path compares with gVisor, BENCH="quick micro" chooses.
bench: all
	@tools/bench $(BENCH)

# The long version of the stress tests, which `make test` runs shortened: minutes.
stress: all
	@tools/restore
	@dotnet build tests/Sandbox.Tests -c Debug --no-restore --nologo -v quiet
	@MOAT_STRESS=1 dotnet artifacts/build/bin/Sandbox.Tests/debug/Sandbox.Tests.dll -noColor -class '*.Stress.*'
	@dotnet build tests/Engine.Tests -c Debug --no-restore --nologo -v quiet
	@MOAT_STRESS=1 dotnet artifacts/build/bin/Engine.Tests/debug/Engine.Tests.dll -noColor -class '*.DockerNetworkTests' -class '*.DockerDatabaseTests' -class '*.MatrixTests'
	@dotnet build tests/Applications.Tests -c Debug --no-restore --nologo -v quiet
	@dotnet artifacts/build/bin/Applications.Tests/debug/Applications.Tests.dll -noColor -class '*.RedisSuiteTests'
	@tools/stressors

# Hostile input for every parser that no run before has seen: packets, tables, filters, messages. FUZZ_SECONDS= for each target, which run one after the other.
FUZZ_SECONDS ?= 600
fuzz:
	@tools/restore
	@dotnet build tests/Fuzz.Tests -c Debug --no-restore --nologo -v quiet
	@FUZZ_SECONDS=$(FUZZ_SECONDS) nice -n 15 dotnet artifacts/build/bin/Fuzz.Tests/debug/Fuzz.Tests.dll -noColor -maxThreads 1 -class '*.FuzzTests'

# The same steered by coverage (SharpFuzz, afl++): TARGET="frames segments" chooses.
fuzz-coverage:
	@tools/fuzz $(FUZZ_SECONDS) $(TARGET)

install: all
	install -D -m 0755 artifacts/runsc $(DESTDIR)$(PREFIX)/bin/runsc

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/runsc

format:
	dotnet format Moat.slnx --verify-no-changes --no-restore

clean:
	rm -rf artifacts
