# Redis over TCP and a unix socket: types, scripts, transactions, pipelines, persistence, and its own benchmark.
cd /tmp; mkdir a
start() { (cd $1; shift; exec redis-server --daemonize no --save '' --loglevel warning "$@" > log 2>&1) & }
await() { for i in $(seq 300); do [ "$("$@" ping 2>/dev/null)" = PONG ] && return; sleep 0.1; done; echo "no answer: $*"; cat /tmp/*/log; }
start a --port 6400 --unixsocket /tmp/a/s --appendonly yes; first=$!; await redis-cli -p 6400; r() { redis-cli -p 6400 "$@"; }
r set k v; r get k; r rpush l a b c d; r lrange l 0 -1; r zadd z 1 one 2 two 3 three; r zrange z 0 -1 withscores; r incrby n 41; r incr n; redis-cli -s /tmp/a/s hset h f1 x f2 y; redis-cli -s /tmp/a/s hgetall h
r eval 'local s = 0 for i = 1, 1000 do s = s + i end return s' 0; printf 'MULTI\nSET t 1\nINCR t\nEXEC\n' | r
for i in $(seq 2000); do echo "SET key:$i $((i * i))"; done | r --pipe | tail -1; r dbsize; r get key:1999; r setrange big 1000000 x; r strlen big; r getrange big 1000000 -1
(timeout 20 redis-cli -p 6400 subscribe news | head -6 > sub) & listener=$!; for i in $(seq 200); do [ "$(r publish news hello)" = 1 ] && break; sleep 0.05; done; wait $listener; cat sub
r bgsave; for i in $(seq 300); do r info persistence | grep -q rdb_bgsave_in_progress:0 && break; sleep 0.1; done; r info persistence | tr -d '\r' | grep rdb_last_bgsave_status; redis-check-rdb a/dump.rdb | grep -o 'RDB looks OK!.*'
timeout 100 redis-benchmark -p 6400 -t set,get,lpush -n 2000 -c 20 --csv | cut -d, -f1; timeout 100 redis-benchmark -s /tmp/a/s -t get -n 4000 -c 20 -P 16 --csv | cut -d, -f1; r llen mylist
r blpop nothing 1; r config set maxmemory 100mb; r debug digest | wc -c; r shutdown; wait $first; echo "server $?"
start a --port 6400 --appendonly yes; await redis-cli -p 6400; r get k; r strlen big; r llen mylist; kill -TERM $!; wait $!; echo "after TERM $?"
