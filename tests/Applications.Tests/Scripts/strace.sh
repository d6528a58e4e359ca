# strace: calls of a program, of its children and threads; signals, changed results, filters, processes that run already.
cd /tmp
clean() { sed -E 's/0x[0-9a-f]+/ADDR/g; s/^[0-9]+ +//; s/\[pid +[0-9]+\] //; s/(si_pid|si_uid|si_utime|si_stime)=[0-9]+( \/\*[^*]*\*\/)?/\1=N/g; s/(= |\(|\{)[0-9]{1,6}( <|$)/\1N\2/' "$@"; }
strace -o log -e trace=openat,read,write,close,execve cat /etc/debian_version && grep -vE 'ld.so.cache|locale' log | clean | grep -v '^close'
strace -o log -y -e trace=write,dup2,%stat sh -c 'echo text > out; test -d /etc; echo $((6 * 7))' && clean log | sed 's/<[a-z]*:\[[0-9]*\]>//g; s/  *=/ =/'
strace -f -o log -e signal=none -e trace=execve,vfork,fork,clone,clone3 sh -c '/bin/true; (exit 3); /bin/echo done; cat /proc/self/comm | wc -l' && clean log | grep -v '^<\.\.\.' | sed -E 's/(fork|clone)\(.*/\1/; s/( <unfinished \.\.\.>|\) += N)$//' | sort
strace -f -c -o log sh -c 'for i in 1 2 3 4 5; do /bin/true; done'; awk '$NF == "execve" || $NF == "exit_group" { print $NF, $4 }' log | sort
strace -qq -e trace=geteuid -e inject=geteuid:retval=1234 -o /dev/null id -u
strace -qq -o log -e trace=openat -e inject=openat:error=EACCES:when=2+ cat /etc/hostname 2>&1 | sed 's/.*cannot/cannot/; s/.*error while/error while/'; tail -1 log | clean
strace -qq -e trace=nanosleep,clock_nanosleep -e inject=nanosleep,clock_nanosleep:retval=0 -o log sleep 1000 && echo 'slept not at all'
strace -o log -e trace=none -e signal=all bash -c 'trap "echo caught" USR1; kill -USR1 $$; kill -WINCH $$; kill -TERM $$'; echo $?; clean log
strace -o log -f --seccomp-bpf -e trace=getppid,setpriority python3 -c 'import os; os.getppid(); os.setpriority(os.PRIO_PROCESS, 0, 5)' && clean log
sleep 100 & sleeper=$!
strace -o log -p $sleeper -e trace=none 2>/dev/null & tracer=$!
until grep -q "TracerPid:.$tracer" /proc/$sleeper/status; do sleep 0.05; done; echo attached
kill -STOP $sleeper; until grep -q 'stopped by SIGSTOP' log; do sleep 0.05; done; grep ^State /proc/$sleeper/status
kill -CONT $sleeper; until grep -q 'SIGCONT' log; do sleep 0.05; done; kill -TERM $sleeper; wait $sleeper; echo $?; wait $tracer; clean log
python3 -c 'while True: pass' & spinner=$!; strace -o log -p $spinner & tracer=$!; until grep -q "TracerPid:.$tracer" /proc/$spinner/status; do sleep 0.05; done
kill -INT $tracer; wait $tracer; grep TracerPid /proc/$spinner/status; kill $spinner; wait $spinner; echo $?
cat > t.c <<'END'
#include <pthread.h>
#include <unistd.h>
static void *run(void *p) { getppid(); return 0; }
int main(void) { pthread_t t[3]; for (int i = 0; i < 3; i++) pthread_create(&t[i], 0, run, 0); for (int i = 0; i < 3; i++) pthread_join(t[i], 0); return 0; }
END
gcc -O1 -pthread -o t t.c && strace -f -o log -e trace=getppid,exit,exit_group ./t && clean log | grep -oE '^(getppid|exit|exit_group)\(' | sort | uniq -c
strace -f -qq -o log make -s -f - <<< 'all: ; @echo made' && grep -c 'execve("' log; strace -o log nothing-like-this; echo $?; strace -D -o log -e trace=none sh -c 'exit 9'; echo $?
