// ptrace(2): attaching, group stops, threads, what wait(2) and proc(5) say, how it ends
#include "ptrace.h"

CASE(attach_stops_with_sigstop)
{
    pid_t pid = start_free(spin_for_ever);
    CHECK_EQ(ptrace(PTRACE_ATTACH, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGSTOP);
    CHECK_ERRNO(trace(PTRACE_ATTACH, pid, 0, 0), EPERM);
    CHECK_ERRNO(trace(PTRACE_INTERRUPT, pid, 0, 0), EIO);
    CHECK_ERRNO(trace(PTRACE_LISTEN, pid, 0, 0), EIO);
    CHECK_EQ(ptrace(PTRACE_DETACH, pid, 0, 0), 0);
    CHECK_ERRNO(trace(PTRACE_DETACH, pid, 0, 0), ESRCH);
    CHECK_EQ(ptrace(PTRACE_ATTACH, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGSTOP);
    CHECK_EQ(ptrace(PTRACE_DETACH, pid, 0, SIGTERM), 0);
    EXPECT_KILLED(pid, SIGTERM);
}

CASE(attach_errors)
{
    CHECK_ERRNO(trace(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
    CHECK_ERRNO(trace(PTRACE_ATTACH, 99999, 0, 0), ESRCH);
    CHECK_ERRNO(trace(PTRACE_SEIZE, getppid(), 1, 0), EIO);
    CHECK_ERRNO(trace(PTRACE_SEIZE, getppid(), 0, 1 << 30), EIO);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(3);
    }
    siginfo_t info;
    CHECK_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
    CHECK_ERRNO(trace(PTRACE_ATTACH, pid, 0, 0), EPERM);
    EXPECT_EXIT(pid, 3);
}

CASE(attach_to_a_stopped_process)
{
    pid_t pid = start_free(sleep_for_ever);
    int status;
    kill(pid, SIGSTOP);
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK_EQ(ptrace(PTRACE_ATTACH, pid, 0, 0), 0);
    CHECK_EQ(waitpid(pid, &status, WNOHANG), pid);
    CHECK(STOPPED(status, SIGSTOP));
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGSTOP);
    CHECK_EQ(ptrace(PTRACE_DETACH, pid, 0, 0), 0);
    kill(pid, SIGCONT);
    kill_and_reap(pid);
}

CASE(not_the_same_user_is_eperm)
{
    pid_t victim = start_free(sleep_for_ever);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(setresgid(1000, 1000, 1000), 0);
        CHECK_EQ(setresuid(1000, 1000, 1000), 0);
        CHECK_ERRNO(trace(PTRACE_ATTACH, victim, 0, 0), EPERM);
        CHECK_ERRNO(trace(PTRACE_SEIZE, victim, 0, 0), EPERM);
        pid_t own = start_free(sleep_for_ever);
        CHECK_ERRNO(trace(PTRACE_ATTACH, own, 0, 0), EPERM); // changing ids has made it undumpable
        kill(own, SIGKILL);
        CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
        own = start_free(sleep_for_ever);
        CHECK_EQ(ptrace(PTRACE_ATTACH, own, 0, 0), 0);
        EXPECT_STOP(own, SIGSTOP);
        CHECK_ERRNO(trace(PTRACE_SETOPTIONS, own, 0, 1 << 21), EPERM); // PTRACE_O_SUSPEND_SECCOMP
        char filter[8];
        CHECK_ERRNO(trace(0x420c, own, 0, (long)filter), EACCES); // PTRACE_SECCOMP_GET_FILTER
        kill_and_reap(own);
        _exit(0);
    }
    CHECK_CHILD(pid);
    kill_and_reap(victim);
}

CASE(seize_interrupt_listen)
{
    pid_t pid = start_free(spin_for_ever);
    CHECK_EQ(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
    int status;
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    CHECK_EQ(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
    EXPECT_STOP(pid, EVENT(STOP));
    siginfo_t info;
    CHECK_EQ(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
    CHECK_EQ(info.si_signo, SIGTRAP);
    CHECK_EQ(info.si_code, EVENT(STOP));
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    kill(pid, SIGSTOP);
    EXPECT_STOP(pid, SIGSTOP);
    CHECK_ERRNO(trace(PTRACE_LISTEN, pid, 0, 0), EIO); // not a group stop yet
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGSTOP), 0);
    EXPECT_STOP(pid, SIGSTOP | PTRACE_EVENT_STOP << 8);
    CHECK_EQ(ptrace(PTRACE_LISTEN, pid, 0, 0), 0);
    CHECK_ERRNO(trace(PTRACE_GETREGS, pid, 0, (long)&info), ESRCH);
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    kill(pid, SIGCONT);
    EXPECT_STOP(pid, EVENT(STOP));
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGCONT);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGCONT), 0);
    CHECK_EQ(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
    EXPECT_STOP(pid, EVENT(STOP));
    CHECK_EQ(ptrace(PTRACE_DETACH, pid, 0, SIGKILL), 0); // not a stop that a signal could be given at
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    kill_and_reap(pid);
}

CASE(interrupt_of_a_listener_stops_again)
{
    pid_t pid = start_free(sleep_for_ever);
    CHECK_EQ(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
    kill(pid, SIGTSTP);
    EXPECT_STOP(pid, SIGTSTP);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGSTOP), 0); // another one than was sent
    EXPECT_STOP(pid, SIGSTOP | PTRACE_EVENT_STOP << 8);
    CHECK_EQ(ptrace(PTRACE_LISTEN, pid, 0, 0), 0);
    CHECK_EQ(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGSTOP | PTRACE_EVENT_STOP << 8);
    kill_and_reap(pid);
}

CASE(group_stop_of_one_not_seized)
{
    void body(void)
    {
        raise(SIGSTOP);
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGSTOP);
    siginfo_t info;
    CHECK_EQ(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGSTOP), 0);
    EXPECT_STOP(pid, SIGSTOP); // the group stop
    CHECK_ERRNO(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), EINVAL);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0); // goes on all the same
    EXPECT_EXIT(pid, 0);
}

CASE(sigcont_takes_a_stop_back)
{
    void body(void) { raise(SIGSTOP); }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGSTOP);
    kill(pid, SIGCONT);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGSTOP), 0);
    EXPECT_STOP(pid, SIGCONT);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(sigchld_tells_of_stops)
{
    static siginfo_t last;
    void handler(int signal, siginfo_t *info, void *context) { last = *info; }
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART };
    sigaction(SIGCHLD, &action, NULL);
    void body(void) { raise(SIGUSR1); }
    pid_t pid = start(body);
    CHECK_EQ(last.si_code, CLD_TRAPPED);
    CHECK_EQ(last.si_status, SIGSTOP);
    CHECK_EQ(last.si_pid, pid);
    action.sa_flags |= SA_NOCLDSTOP;
    sigaction(SIGCHLD, &action, NULL);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGUSR1);
    CHECK_EQ(last.si_status, SIGSTOP);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
    CHECK_EQ(last.si_code, CLD_EXITED);
}

CASE(waitid_of_a_tracee)
{
    pid_t pid = start(nothing);
    siginfo_t info = { 0 };
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    CHECK_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
    CHECK_EQ(info.si_code, CLD_TRAPPED);
    CHECK_EQ(info.si_status, SIGTRAP);
    CHECK_EQ(waitid(P_PID, pid, &info, WSTOPPED), 0);
    info.si_pid = 1;
    CHECK_EQ(waitid(P_PID, pid, &info, WSTOPPED | WNOHANG), 0);
    CHECK_EQ(info.si_pid, 0);
    kill_and_reap(pid);
}

CASE(only_the_own_threads_tracees)
{
    pid_t pid = start(nothing);
    void *look(void *argument)
    {
        int status;
        return (void *)(long)(waitpid(-1, &status, __WNOTHREAD | __WALL | WNOHANG) == -1 && errno == ECHILD);
    }
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, look, NULL);
    pthread_join(thread, &result);
    CHECK_EQ((long)result, 1);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(tracer_that_ends_lets_go)
{
    pid_t pid = start_free(sleep_for_ever);
    pid_t tracer = fork();
    if (tracer == 0) {
        CHECK_EQ(ptrace(PTRACE_ATTACH, pid, 0, 0), 0);
        EXPECT_STOP(pid, SIGSTOP);
        _exit(0);
    }
    CHECK_CHILD(tracer);
    CHECK_EQ(ptrace(PTRACE_ATTACH, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGSTOP);
    CHECK_EQ(ptrace(PTRACE_DETACH, pid, 0, 0), 0);
    int status;
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    kill_and_reap(pid);
}

CASE(tracer_that_ends_before_it_has_heard_of_a_stop)
{
    static int go[2];
    CHECK_EQ(pipe(go), 0);
    void body(void)
    {
        char c;
        read(go[0], &c, 1);
        for (int i = 0; i < 100; i++) {
            getppid();
        }
        _exit(8);
    }
    pid_t pid = start_free(body);
    pid_t tracer = fork();
    if (tracer == 0) {
        CHECK_EQ(ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
        CHECK_EQ(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
        EXPECT_STOP(pid, EVENT(STOP));
        CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
        siginfo_t info;
        CHECK_EQ(waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT), 0);
        CHECK_EQ(info.si_status, SIGTRAP | 0x80);
        _exit(0);
    }
    CHECK_CHILD(tracer);
    CHECK_EQ(write(go[1], "x", 1), 1);
    EXPECT_EXIT(pid, 8);
}

CASE(exitkill)
{
    pid_t pid = start_free(sleep_for_ever);
    pid_t tracer = fork();
    if (tracer == 0) {
        CHECK_EQ(ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL), 0);
        _exit(0);
    }
    CHECK_CHILD(tracer);
    EXPECT_KILLED(pid, SIGKILL);
}

CASE(parent_hears_after_the_tracer)
{
    static int go[2], done[2];
    CHECK_EQ(pipe(go), 0);
    CHECK_EQ(pipe(done), 0);
    void body(void)
    {
        char c;
        read(go[0], &c, 1);
        _exit(4);
    }
    pid_t pid = start_free(body);
    pid_t tracer = fork();
    if (tracer == 0) {
        CHECK_EQ(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
        write(go[1], "x", 1);
        siginfo_t info;
        CHECK_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
        write(done[1], "x", 1);
        char c;
        read(go[0], &c, 1);
        EXPECT_EXIT(pid, 4);
        _exit(0);
    }
    char c;
    CHECK_EQ(read(done[0], &c, 1), 1);
    int status;
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0); // it has ended, but its tracer has not heard
    write(go[1], "y", 1);
    EXPECT_EXIT(pid, 4);
    CHECK_CHILD(tracer);
}

static char *read_status(pid_t pid, const char *key)
{
    static char text[4096];
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    int fd = open(path, O_RDONLY);
    int length = read(fd, text, sizeof text - 1);
    close(fd);
    CHECK(length > 0);
    text[length] = 0;
    char *line = strstr(text, key);
    CHECK(line != NULL);
    line += strlen(key);
    *strchr(line, '\n') = 0;
    return line;
}

CASE(proc_shows_tracer_and_state)
{
    pid_t pid = start(nothing);
    CHECK_EQ(strcmp(read_status(pid, "\nState:\t"), "t (tracing stop)"), 0);
    CHECK_EQ(atoi(read_status(pid, "\nTracerPid:\t")), getpid());
    CHECK_EQ(ptrace(PTRACE_DETACH, pid, 0, SIGSTOP), 0);
    int status;
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK_EQ(strcmp(read_status(pid, "\nState:\t"), "T (stopped)"), 0);
    CHECK_EQ(atoi(read_status(pid, "\nTracerPid:\t")), 0);
    kill(pid, SIGCONT);
    EXPECT_EXIT(pid, 0);
}

CASE(proc_mem_of_a_tracee)
{
    static long word = 41;
    void body(void) { CHECK_EQ(word, 43); }
    pid_t pid = start(body);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    int fd = open(path, O_RDWR);
    CHECK(fd >= 0);
    long value;
    CHECK_EQ(pread(fd, &value, 8, (long)&word), 8);
    CHECK_EQ(value, 41);
    value = 43;
    CHECK_EQ(pwrite(fd, &value, 8, (long)&word), 8);
    CHECK_ERRNO(pread(fd, &value, 8, 16), EIO);
    CHECK_ERRNO(pwrite(fd, &value, 8, 16), EIO);
    CHECK_EQ(lseek(fd, (long)mark, SEEK_SET), (long)mark);
    CHECK_EQ(read(fd, &value, 8), 8);
    CHECK_EQ(memcmp(&value, mark, 8), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), (long)mark + 8);
    CHECK_EQ(pwrite(fd, &value, 8, (long)mark), 8); // code, which the tracee may not write
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
    CHECK_EQ(pread(fd, &value, 8, (long)&word), 0); // the memory has gone
    close(fd);
}

CASE(threads_stop_one_by_one)
{
    static volatile int running;
    void *spin(void *argument)
    {
        __sync_fetch_and_add(&running, 1);
        spin_for_ever();
        return NULL;
    }
    static int fds[2];
    CHECK_EQ(pipe(fds), 0);
    void body(void)
    {
        pthread_t threads[3];
        pid_t self = getpid();
        for (int i = 0; i < 3; i++) {
            pthread_create(&threads[i], NULL, spin, NULL);
        }
        while (running < 3) {
            sched_yield();
        }
        write(fds[1], &self, sizeof self);
        sleep_for_ever();
    }
    pid_t pid = start_free(body), ready;
    CHECK_EQ(read(fds[0], &ready, sizeof ready), sizeof ready);
    char path[64];
    int found = 0;
    for (pid_t tid = pid; tid < pid + 20; tid++) {
        snprintf(path, sizeof path, "/proc/%d/task/%d", pid, tid);
        if (access(path, F_OK) == 0) {
            CHECK_EQ(ptrace(PTRACE_SEIZE, tid, 0, 0), 0);
            CHECK_EQ(ptrace(PTRACE_INTERRUPT, tid, 0, 0), 0);
            EXPECT_STOP(tid, EVENT(STOP));
            found++;
        }
    }
    CHECK_EQ(found, 4);
    kill(pid, SIGKILL);
    int status, ended = 0;
    while (waitpid(-1, &status, __WALL) > 0) {
        CHECK(WIFSIGNALED(status));
        ended++;
    }
    CHECK_EQ(ended, 4);
}

CASE(group_stop_of_threads)
{
    static int fds[2];
    CHECK_EQ(pipe(fds), 0);
    void *sleeper(void *argument)
    {
        sleep_for_ever();
        return NULL;
    }
    void body(void)
    {
        pthread_t thread;
        pthread_create(&thread, NULL, sleeper, NULL);
        sleep_for_ever();
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE), 0);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    pid_t thread = follow(pid, PTRACE_EVENT_CLONE);
    EXPECT_STOP(thread, SIGSTOP);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    CHECK_EQ(ptrace(PTRACE_CONT, thread, 0, 0), 0);
    CHECK_EQ(syscall(SYS_tgkill, pid, pid, SIGSTOP), 0);
    EXPECT_STOP(pid, SIGSTOP);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGSTOP), 0);
    EXPECT_STOP(pid, SIGSTOP); // the group stop, of both
    EXPECT_STOP(thread, SIGSTOP);
    siginfo_t info;
    CHECK_ERRNO(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), EINVAL);
    CHECK_ERRNO(ptrace(PTRACE_GETSIGINFO, thread, 0, &info), EINVAL);
    kill(pid, SIGKILL);
    EXPECT_KILLED(thread, SIGKILL);
    EXPECT_KILLED(pid, SIGKILL);
}

CASE(fault_is_shown_before_it_kills)
{
    void body(void) { *(volatile int *)BAD_POINTER = 1; }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGSEGV);
    siginfo_t info;
    CHECK_EQ(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
    CHECK_EQ(info.si_code, SEGV_MAPERR);
    CHECK_EQ((long)info.si_addr, (long)BAD_POINTER);
    CHECK_EQ(registers_of(pid).orig_rax, -1);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGSEGV), 0);
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(WTERMSIG(status), SIGSEGV);
}

CASE(many_stops_and_signals_at_once)
{
    void body(void)
    {
        signal(SIGUSR1, SIG_IGN);
        for (int i = 0; i < 300; i++) {
            getppid();
        }
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
    int stops = 0, status;
    while (1) {
        CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status)) {
            break;
        }
        CHECK(STOPPED(status, SIGTRAP | 0x80) || STOPPED(status, SIGUSR1));
        stops += STOPPED(status, SIGTRAP | 0x80);
        if (STOPPED(status, SIGTRAP | 0x80) && stops % 50 == 0) {
            kill(pid, SIGUSR1);
        }
    }
    CHECK_EQ(status, 0);
    CHECK_EQ(stops, 603); // rt_sigaction, the calls, exit_group's entry
}

static unsigned dice_state;

static unsigned dice(unsigned sides)
{
    dice_state = dice_state * 1103515245 + 12345;
    return (dice_state >> 16) % sides;
}

static void live_unsteadily(void)
{
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        pid_t child;
        switch (dice(5)) {
        case 0:
            child = dice(2) ? fork() : vfork();
            if (child == 0) {
                _exit(3);
            }
            waitpid(child, NULL, __WALL);
            break;
        case 1:
            if (pthread_create(&thread, NULL, thread_body, NULL) == 0) {
                pthread_join(thread, NULL);
            }
            break;
        case 2:
            raise(SIGWINCH);
            break;
        case 3:
            sched_yield();
            break;
        default:
            getppid();
        }
    }
}

static void trace_unsteadily(const volatile pid_t *victims, int count)
{
    static char state[16384];
    const long requests[] = { PTRACE_SEIZE, PTRACE_ATTACH, PTRACE_INTERRUPT, PTRACE_CONT, PTRACE_SYSCALL, PTRACE_SINGLESTEP, PTRACE_LISTEN, PTRACE_DETACH };
    for (int i = 0; i < 600; i++) {
        pid_t pid = victims[dice(count)];
        if (pid <= 1) {
            continue;
        }
        struct user_regs_struct registers;
        struct iovec vector = { state, sizeof state };
        int status;
        unsigned choice = dice(12);
        if (choice < 8) {
            trace(requests[choice], pid, 0, choice == 0 && dice(2) ? 0x7f : 0);
        } else if (choice == 8 && ptrace(PTRACE_GETREGS, pid, 0, &registers) == 0 && ptrace(PTRACE_GETREGSET, pid, NT_X86_XSTATE, &vector) == 0) {
            ptrace(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &vector);
        } else if (choice == 9) {
            kill(pid, dice(6) == 0 ? SIGKILL : dice(3) == 0 ? SIGSTOP : SIGCONT);
        } else if ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0 && WIFSTOPPED(status)) {
            ptrace(PTRACE_CONT, pid, 0, 0);
        }
    }
    _exit(0);
}

// Tracers and tracees in every state, none of whom may hang: whatever happens, all of them can be killed and waited for.
CASE(storm)
{
    enum { VICTIMS = 4, TRACERS = 3 };
    volatile pid_t *victims = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t tracers[TRACERS];
    for (int i = 0; i < TRACERS; i++) {
        dice_state = i * 7919 + getpid();
        if ((tracers[i] = fork()) == 0) {
            trace_unsteadily(victims, VICTIMS);
        }
    }
    for (int i = 0; i < 40; i++) {
        dice_state = i * 977 + getpid();
        int place = i % VICTIMS, status;
        if (victims[place] != 0) {
            kill(victims[place], SIGKILL);
            waitpid(victims[place], &status, __WALL);
        }
        victims[place] = start_free(live_unsteadily);
        sleep_ms(3);
    }
    for (int i = 0; i < TRACERS; i++) {
        kill(tracers[i], SIGKILL);
    }
    for (int i = 0; i < VICTIMS; i++) {
        kill(victims[i], SIGKILL);
    }
    int ended = 0;
    while (waitpid(-1, NULL, __WALL) > 0) {
        ended++;
    }
    CHECK_EQ(ended, VICTIMS + TRACERS);
}

GUEST_MAIN("ptrace_stops")
