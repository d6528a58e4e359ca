# Runs one unit of Redis' own test suite, which is at /share, with Debian's programs, and prints "outcome: test", a line for each. Numbers in names are N: some are drawn by lot.
mkdir -p /tmp/redis/src && cd /tmp/redis && cp -r /share/tests .
for program in server cli benchmark check-aof check-rdb; do ln -s /usr/bin/redis-$program src/redis-$program; done
tclsh8.6 tests/test_helper.tcl --single "$1" --clients 1 > /tmp/log 2>&1
status=$?
sed -nE 's/\x1b\[[0-9;]*m//g; s/ \([0-9]+ ms\)$//; s/[0-9]+/N/g; s/^\[(ok|err|exception|timeout|ignore|skip)\]: /\1: /p' /tmp/log
[ $status = 0 ] || tail -40 /tmp/log >&2
exit $status
