# gdb: breakpoints, steps, back traces, values, watchpoints, threads, forks, calls, a running process, core files.
cd /tmp
cat > p.c <<'END'
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
struct point { int x, y; double weight; char name[8]; };
static struct point points[3] = { { 1, 2, 0.5, "one" }, { 3, 4, 1.5, "two" }, { 5, 6, 2.5, "three" } };
static volatile int counter;
static int depth(int n) { return n == 0 ? counter : depth(n - 1) + 1; }
static double weigh(struct point *p, double by)
{
    double w = p->weight * by;
    counter++;
    return w;
}
static void handler(int signal) { counter += 100; }
static void *run(void *argument) { long n = (long)argument; for (int i = 0; i < 5; i++) __sync_fetch_and_add(&counter, n); return 0; }
int main(int argc, char **argv)
{
    double sum = 0;
    freopen("/tmp/out", "a", stdout);
    for (int i = 0; i < 3; i++) {
        sum += weigh(&points[i], 2);
    }
    printf("%g %d\n", sum, depth(3));
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
    pthread_t threads[2];
    for (long i = 0; i < 2; i++)
        pthread_create(&threads[i], 0, run, (void *)(i + 1));
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        counter = 7;
        _exit(counter);
    }
    int status;
    waitpid(child, &status, 0);
    printf("%d %d\n", counter, WEXITSTATUS(status));
    if (argc > 1)
        *(volatile int *)0 = 1;
    return 3;
}
END
gcc -g -O0 -pthread -o p p.c || exit 1
clean() { sed -E '/libthread_db|^warning: |^\[(New|Switching|Thread|Detaching|Attaching) |No such file or directory/d; s/0x[0-9a-f]{6,}/ADDR/g; s/(LWP|process|Id) [0-9]+/\1 N/g; /^$/d'; }
debug() { timeout 200 gdb -nx -q -batch -iex 'set auto-load no' -ex 'set confirm off' -ex 'handle SIGUSR1 nostop noprint pass' "$@" 2>&1 | clean | grep -vE '^(Signal +Stop|SIGUSR1 +No)'; }
echo '== breakpoints'; debug -ex 'break weigh' -ex run -ex bt -ex 'print *p' -ex next -ex next -ex 'print w' -ex 'info locals' -ex finish -ex 'delete' -ex 'print points' -ex 'print depth(4)' -ex 'print counter = 40' -ex continue ./p
echo '== conditions'; debug -ex 'break depth if n == 1' -ex run -ex bt -ex up -ex 'print n' -ex 'x/3i $pc' -ex 'info registers rip' -ex kill ./p | sed 's/=> *ADDR/=>/; s/^ *ADDR/ /'
echo '== watchpoints'; debug -ex 'break main' -ex run -ex 'watch counter' -ex 'continue' -ex 'continue' -ex 'info breakpoints' -ex 'delete 2' -ex 'hbreak handler' -ex continue -ex kill ./p
echo '== in software'; debug -ex 'set can-use-hw-watchpoints 0' -ex 'break weigh' -ex run -ex 'watch counter' -ex 'continue' -ex 'continue' -ex kill ./p
echo '== steps'; debug -ex 'break main' -ex run -ex 'stepi' -ex 'stepi' -ex 'nexti' -ex step -ex step -ex 'tbreak depth' -ex continue -ex 'return 5' -ex 'info source' -ex continue ./p | grep -vE '^(#0|Comp|Source lang|Prod|Located|Contains|Current source|Does not)'
echo '== signals'; debug -ex 'handle SIGUSR1 stop print pass' -ex run -ex 'bt -1' -ex 'print $_siginfo.si_signo' -ex 'break handler' -ex continue -ex 'bt -1' -ex 'print counter' -ex continue ./p | grep -v ' in .*raise\|^SIGUSR1\|pthread_kill'
echo '== threads'; debug -ex 'break run' -ex run -ex 'print n' -ex 'info threads' -ex 'bt 1' -ex 'next' -ex 'print n' -ex 'delete' -ex continue ./p | grep -vE '^(\*| ) +[0-9]|hit Breakpoint|^  Id|^#0'
echo '== forks'; debug -ex 'set follow-fork-mode child' -ex 'catch fork' -ex run -ex 'delete' -ex 'break _exit' -ex continue -ex 'print counter' -ex continue ./p | grep -vE '^(#0|[0-9]+|Catchpoint|arch_fork|ADDR)|in (_exit|fork|arch_fork)|hit Breakpoint'
echo '== calls and programs'; debug -ex 'catch syscall getppid' -ex 'catch exec' -ex run -ex 'info program' -ex 'delete' -ex continue --args sh -c 'echo $$ > /dev/null; exec true' | grep -E '^(Catchpoint [12]|It stopped|.*exited)' | sed 's/, .*in .*//'
echo '== a fault'; debug -ex run -ex 'bt -1' -ex 'print $_siginfo.si_signo' -ex 'print $_siginfo._sifields._sigfault.si_addr' -ex 'generate-core-file core.p' -ex kill --args ./p x
echo '== its core'; debug -ex 'bt -1' -ex 'print counter' -ex 'print points[2].name' ./p core.p | grep -v '^Core was'; readelf -n core.p | grep -oE 'NT_(PRSTATUS|PRPSINFO|SIGINFO|AUXV|FILE|FPREGSET|X86_XSTATE)' | sort -u
echo '== a running process'; python3 -c 'import time
while True: time.sleep(0.01)' & running=$!; sleep 0.5
debug -ex 'print 1 + 1' -ex 'print (int)getpid() == '$running -ex "generate-core-file core.r" -ex detach -p $running | grep -E '^(\$|\[Inferior|Saved)'; kill -0 $running && echo 'still there'; file core.r | cut -d, -f1; grep TracerPid /proc/$running/status; kill $running; wait $running; echo $?; sort out | uniq -c
