# One step of the soak, in the Debian root: step.sh NAME. What it prints is the same every time.
set -e
mkdir -p /tmp/soak
cd /tmp/soak
case $1 in
  shell)
    i=0
    while [ $i -lt 60 ]; do /bin/true; i=$((i + 1)); done
    seq 2000 | sort -r | grep -c 7 | sed 's/^/seven: /'
    for i in 1 2 3 4 5 6 7 8; do (cat /etc/passwd | wc -l >/dev/null) & done
    wait
    ;;
  python)
    python3 -c '
import json, re, subprocess, threading, hashlib, mmap
print(sum(i * i for i in range(200000)), subprocess.run(["echo", "child"], capture_output=True).stdout)
found = []
threads = [threading.Thread(target=lambda n=n: found.append(n)) for n in range(40)]
[t.start() for t in threads]; [t.join() for t in threads]
area = mmap.mmap(-1, 32 << 20)
area[::4096] = b"x" * (32 << 8)
print(len(found), hashlib.sha256(area).hexdigest())
area.close()'
    ;;
  gcc)
    printf '#include <stdio.h>\n#include <string.h>\nint main(int c, char **v) { printf("%%d %%d\\n", c, (int)strlen(v[0])); return 0; }\n' >h.c
    gcc -O2 h.c -o h && ./h
    rm -f h h.c
    ;;
  git)
    rm -rf g && mkdir g && cd g
    git init -q .
    for i in $(seq 200); do echo "$i" >"f$i"; done
    git add .
    git -c user.email=a@b.c -c user.name=n commit -qm x
    git status --short | wc -l
    git gc -q
    git fsck 2>&1 | wc -l
    cd .. && rm -rf g
    ;;
  sqlite)
    rm -f s.db
    {
      echo "create table t(a integer primary key, b text); begin;"
      for i in $(seq 2000); do echo "insert into t(b) values('row $i');"; done
      echo "commit; select count(*), sum(length(b)) from t; delete from t where a % 2; vacuum; pragma integrity_check;"
    } | sqlite3 s.db
    rm -f s.db
    ;;
  redis) # the server lives as long as the container
    redis-benchmark -p 6390 -t set,get,lpush,lpop -n 2000 -c 10 -q >/dev/null
    redis-cli -p 6390 set soaked yes
    redis-cli -p 6390 get soaked
    redis-cli -p 6390 flushall
    ;;
  network)
    python3 -c '
import socket, threading
server = socket.create_server(("127.0.0.1", 0))
def serve():
    for _ in range(40):
        c, _ = server.accept()
        with c:
            while data := c.recv(65536): c.sendall(data)
t = threading.Thread(target=serve); t.start()
total = 0
for i in range(40):
    with socket.create_connection(server.getsockname()) as c:
        c.sendall(bytes(1000 * i)); c.shutdown(socket.SHUT_WR)
        while data := c.recv(65536): total += len(data)
t.join(); server.close()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.1", 0))
for i in range(100):
    u.sendto(bytes(500), u.getsockname()); total += len(u.recv(2000))
a, b = socket.socketpair()
for i in range(100):
    a.sendall(bytes(100)); total += len(b.recv(100))
print(total)'
    ;;
  forks)
    python3 -c '
import os
pids = []
for i in range(120):
    pid = os.fork()
    if pid == 0: os._exit(i % 7)
    pids.append(pid)
print(sum(os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]) for p in pids))
for i in range(60):
    pid = os.fork()
    if pid == 0:
        os.kill(os.getpid(), 9)
    os.waitpid(pid, 0)'
    ;;
  files)
    tar cf x.tar /usr/include/linux 2>/dev/null
    mkdir x && tar xf x.tar -C x
    find x -type f | wc -l
    (cd x && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
    rm -rf x x.tar
    find /usr/share -xdev -type f | wc -l
    ;;
  events)
    python3 -c '
import asyncio, signal, os
async def tick(n):
    for _ in range(20): await asyncio.sleep(0.001)
    return n
async def main():
    got = []
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: got.append(1))
    os.kill(os.getpid(), signal.SIGUSR1)
    child = await asyncio.create_subprocess_exec("sleep", "100")
    print(sum(await asyncio.gather(*(tick(n) for n in range(30)))), len(got))
    child.kill()
    print(await child.wait())
asyncio.run(main())'
    ;;
  *) exit 64 ;;
esac
