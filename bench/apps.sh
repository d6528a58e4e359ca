# Applications for tools/bench, in the Debian root: prints lines "name value unit". Arguments: groups, or none for all.
cd /tmp
groups=" ${*:-python shell gcc files git sqlite redis nginx} "
wants() { case $groups in *" $1 "*) ;; *) return 1 ;; esac; }
ms() { date +%s%N | cut -c1-13; }
took() { # NAME COMMAND...
  name=$1
  shift
  from=$(ms)
  if "$@" >/dev/null 2>/tmp/errors; then
    echo "$name $(($(ms) - from)) ms"
  else
    echo "apps: $name: $(head -c 200 /tmp/errors)" >&2
  fi
}

if wants python; then
  took python-start-10 sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do python3 -c "import json, re, subprocess"; done'
  took python-loop python3 -c 'sum(i * i for i in range(3000000))'
fi
if wants shell; then
  took shell-100-forks sh -c 'i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i + 1)); done'
fi
if wants gcc; then
  printf '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <math.h>\nint main(void) { printf("%%d\\n", (int)strlen("x")); return 0; }\n' >h.c
  took gcc-5 sh -c 'for i in 1 2 3 4 5; do gcc -O2 h.c -o h && ./h; done'
fi
if wants files; then
  took find-usr sh -c 'find /usr -xdev -type f | wc -l'
  took du-share du -s /usr/share
  took tar-create tar cf x.tar /usr/include
  took tar-extract sh -c 'mkdir x && tar xf x.tar -C x'
  took rm-tree rm -rf x x.tar
fi
if wants git; then
  took git-2000-files sh -c 'mkdir g && cd g && git init -q . && for i in $(seq 2000); do echo $i >f$i; done && git add . && git -c user.email=a@b.c -c user.name=n commit -qm x && git status && cd .. && rm -rf g'
fi
if wants sqlite; then
  {
    echo 'create table t(a integer primary key, b text); begin;'
    for i in $(seq 5000); do echo "insert into t(b) values('row $i');"; done
    echo 'commit; select count(*) from t;'
  } >s.sql
  took sqlite-5000-inserts sh -c 'rm -f s.db; sqlite3 s.db <s.sql'
fi
if wants redis; then
  redis-server --save "" --appendonly no --port 6390 --bind 127.0.0.1 >/dev/null 2>&1 &
  server=$!
  until redis-cli -p 6390 ping >/dev/null 2>&1; do sleep 0.1; done
  redis-benchmark -p 6390 -t set,get -n 20000 -c 20 --csv 2>/dev/null | tr -d '"' | awk -F, '$1 == "SET" || $1 == "GET" { print "redis-" tolower($1), $2, "req/s" }'
  redis-benchmark -p 6390 -t get -n 100000 -c 20 -P 16 --csv 2>/dev/null | tr -d '"' | awk -F, '$1 == "GET" { print "redis-get-pipelined", $2, "req/s" }'
  kill $server
fi
if wants nginx; then
  mkdir -p n
  head -c 1024 /dev/zero >n/1k
  printf 'daemon off; pid /tmp/n/pid; error_log /dev/null; events{} user root; http{ access_log off; client_body_temp_path /tmp/n; proxy_temp_path /tmp/n; fastcgi_temp_path /tmp/n; uwsgi_temp_path /tmp/n; scgi_temp_path /tmp/n; server{ listen 127.0.0.1:8090; root /tmp/n; } }' >n/conf
  nginx -c /tmp/n/conf &
  server=$!
  until [ -s n/pid ]; do sleep 0.1; done
  sleep 0.5
  wrk -t1 -c16 -d2 http://127.0.0.1:8090/1k 2>/dev/null | awk '/Requests.sec/ { print "nginx-1k", $2, "req/s" }'
  kill $server
fi
wait
