// ptrace(2): signals, system calls, memory, registers, single steps
#include "ptrace.h"

CASE(traceme_stops_at_signals)
{
    pid_t pid = start(nothing);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(traceme_twice_is_eperm)
{
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(ptrace(PTRACE_TRACEME, 0, 0, 0), 0);
        CHECK_ERRNO(ptrace(PTRACE_TRACEME, 0, 0, 0), EPERM);
        _exit(0);
    }
    CHECK_CHILD(pid);
}

CASE(requests_need_a_stopped_tracee)
{
    pid_t pid = start_free(sleep_for_ever);
    CHECK_ERRNO(trace(PTRACE_CONT, pid, 0, 0), ESRCH);
    CHECK_ERRNO(trace(PTRACE_CONT, 99999, 0, 0), ESRCH);
    CHECK_EQ(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
    CHECK_ERRNO(trace(PTRACE_CONT, pid, 0, 0), ESRCH);
    CHECK_ERRNO(trace(PTRACE_GETEVENTMSG, pid, 0, (long)BAD_POINTER), ESRCH);
    CHECK_ERRNO(trace(0x7777, pid, 0, 0), ESRCH);
    CHECK_EQ(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
    EXPECT_STOP(pid, EVENT(STOP));
    CHECK_ERRNO(trace(0x7777, pid, 0, 0), EIO);
    CHECK_ERRNO(trace(-1, pid, 0, 0), EIO);
    CHECK_ERRNO(trace(PTRACE_CONT, pid, 0, 65), EIO);
    CHECK_ERRNO(trace(PTRACE_CONT, pid, 0, -1), EIO);
    CHECK_ERRNO(trace(PTRACE_DETACH, pid, 0, 65), EIO);
    kill_and_reap(pid);
}

CASE(another_thread_of_the_tracer_is_esrch)
{
    static pid_t pid;
    pid = start(nothing);
    void *ask(void *argument)
    {
        return (void *)(trace(PTRACE_CONT, pid, 0, 0) == -1 && errno == ESRCH ? 1L : 0L);
    }
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, ask, NULL);
    pthread_join(thread, &result);
    CHECK_EQ((long)result, 1);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(signal_is_suppressed_or_injected)
{
    static volatile sig_atomic_t got;
    void handler(int signal) { got = signal; }
    void body(void)
    {
        signal(SIGUSR1, handler);
        signal(SIGUSR2, handler);
        raise(SIGUSR1);
        CHECK_EQ(got, 0);
        raise(SIGUSR1);
        CHECK_EQ(got, SIGUSR1);
        raise(SIGUSR1);
        CHECK_EQ(got, SIGUSR2);
        exit(7);
    }
    pid_t pid = start(body);
    int given[] = { 0, 0, SIGUSR1, SIGUSR2 };
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, given[i]), 0);
        EXPECT_STOP(pid, SIGUSR1);
    }
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGUSR2), 0);
    EXPECT_EXIT(pid, 7);
}

CASE(siginfo_of_a_signal_can_be_read_and_changed)
{
    static volatile siginfo_t seen; // raise() is a leaf to the compiler
    void handler(int signal, siginfo_t *info, void *context) { seen = *info; }
    void body(void)
    {
        struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
        sigaction(SIGUSR1, &action, NULL);
        raise(SIGUSR1);
        CHECK_EQ(seen.si_code, SI_QUEUE);
        CHECK_EQ(seen.si_value.sival_int, 77);
        raise(SIGUSR1);
        CHECK_EQ(seen.si_code, SI_TKILL);
        sigaction(SIGUSR2, &action, NULL);
        raise(SIGUSR1);
        CHECK_EQ(seen.si_signo, SIGUSR2);
        CHECK_EQ(seen.si_code, SI_USER);
        CHECK_EQ(seen.si_pid, getppid());
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGUSR1);
    siginfo_t info;
    CHECK_EQ(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
    CHECK_EQ(info.si_signo, SIGUSR1);
    CHECK_EQ(info.si_code, SI_TKILL);
    CHECK_EQ(info.si_pid, pid);
    info.si_code = SI_QUEUE;
    info.si_value.sival_int = 77;
    CHECK_ERRNO(trace(PTRACE_GETSIGINFO, pid, 0, (long)BAD_POINTER), EFAULT);
    CHECK_ERRNO(trace(PTRACE_SETSIGINFO, pid, 0, (long)BAD_POINTER), EFAULT);
    CHECK_EQ(ptrace(PTRACE_SETSIGINFO, pid, 0, &info), 0);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGUSR1), 0);
    EXPECT_STOP(pid, SIGUSR1);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGUSR1), 0);
    EXPECT_STOP(pid, SIGUSR1);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGUSR2), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(ignored_signals_are_shown)
{
    void body(void)
    {
        signal(SIGUSR1, SIG_IGN);
        raise(SIGUSR1);
        raise(SIGWINCH);
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGUSR1);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGUSR1), 0);
    EXPECT_STOP(pid, SIGWINCH);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGWINCH), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(blocked_signals_wait)
{
    void body(void)
    {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, NULL);
        raise(SIGUSR1);
        raise(SIGUSR2);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGUSR2);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGUSR1);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(deadly_signal_given_kills)
{
    void body(void) { raise(SIGUSR1); }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGUSR1);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGTERM), 0);
    EXPECT_KILLED(pid, SIGTERM);
}

CASE(sigkill_ends_a_stopped_tracee)
{
    pid_t pid = start(nothing);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    EXPECT_KILLED(pid, SIGKILL);
    pid = start(nothing);
    CHECK_EQ(ptrace(PTRACE_KILL, pid, 0, 0), 0);
    EXPECT_KILLED(pid, SIGKILL);
    CHECK_ERRNO(trace(PTRACE_KILL, pid, 0, 0), ESRCH);
}

CASE(syscall_stops_come_in_pairs)
{
    void body(void)
    {
        syscall(SYS_getuid, 11, 12, 13, 14, 15, 16);
        syscall(SYS_close, -1);
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP | 0x80);
    struct user_regs_struct registers = registers_of(pid);
    CHECK_EQ(registers.orig_rax, SYS_getuid);
    CHECK_EQ(registers.rax, -ENOSYS);
    CHECK_EQ(registers.rdi, 11);
    CHECK_EQ(registers.rsi, 12);
    CHECK_EQ(registers.rdx, 13);
    CHECK_EQ(registers.r10, 14);
    CHECK_EQ(registers.r8, 15);
    CHECK_EQ(registers.r9, 16);
    CHECK_EQ(registers.rcx, registers.rip);
    CHECK_EQ(registers.cs, 0x33);
    CHECK_EQ(registers.ss, 0x2b);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP | 0x80);
    registers = registers_of(pid);
    CHECK_EQ(registers.orig_rax, SYS_getuid);
    CHECK_EQ(registers.rax, 0);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP | 0x80);
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, 0), 0);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP);
    CHECK_EQ(registers_of(pid).rax, -EBADF);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(syscall_can_be_changed_at_entry)
{
    void body(void)
    {
        CHECK_EQ(syscall(SYS_getuid), getppid());
        CHECK_EQ(syscall(SYS_dup2, 98, 99), -1);
        CHECK_EQ(syscall(SYS_getuid), 0);
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP);
    struct user_regs_struct registers = registers_of(pid);
    registers.orig_rax = SYS_getppid;
    set_registers(pid, registers);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(syscall_minus_one_is_skipped)
{
    void body(void)
    {
        CHECK_EQ(syscall(SYS_getuid), 4321);
        CHECK_ERRNO(syscall(SYS_getuid), ENOSYS);
        CHECK_ERRNO(syscall(SYS_getuid), EPERM);
    }
    pid_t pid = start(body);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
        EXPECT_STOP(pid, SIGTRAP);
        struct user_regs_struct registers = registers_of(pid);
        CHECK_EQ(registers.orig_rax, SYS_getuid);
        registers.orig_rax = -1;
        registers.rax = i == 0 ? 4321 : registers.rax;
        set_registers(pid, registers);
        CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
        EXPECT_STOP(pid, SIGTRAP);
        CHECK_EQ(registers_of(pid).orig_rax, -1);
        if (i == 2) {
            CHECK_EQ(trace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), -EPERM), 0);
        }
    }
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(syscall_arguments_and_result_can_be_changed)
{
    void body(void)
    {
        CHECK_EQ(syscall(SYS_close, -1), 55);
        CHECK_EQ(syscall(SYS_umask, 077), 022);
        CHECK_EQ(syscall(SYS_umask, 022), 027);
    }
    umask(022);
    pid_t pid = start(body);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
        EXPECT_STOP(pid, SIGTRAP);
        if (i == 1) {
            CHECK_EQ(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rdi), 027), 0);
        }
        CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
        EXPECT_STOP(pid, SIGTRAP);
        if (i == 0) {
            CHECK_EQ(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), 55), 0);
        }
    }
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(signal_given_at_a_syscall_stop_is_sent)
{
    void body(void) { getppid(); }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, SIGUSR1), 0);
    EXPECT_STOP(pid, SIGTRAP);
    CHECK_EQ(registers_of(pid).rax, getpid());
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGUSR1);
    siginfo_t info;
    CHECK_EQ(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
    CHECK_EQ(info.si_code, SI_KERNEL);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGUSR1), 0);
    EXPECT_KILLED(pid, SIGUSR1);
}

CASE(sysemu_makes_no_call)
{
    void body(void)
    {
        CHECK_EQ(syscall(SYS_exit_group, 3), 1234);
        CHECK_EQ(syscall(SYS_getppid), getpid() - getpid() + getppid());
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
    CHECK_EQ(ptrace(PTRACE_SYSEMU, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP | 0x80);
    CHECK_EQ(registers_of(pid).orig_rax, SYS_exit_group);
    CHECK_EQ(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), 1234), 0);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(interrupted_call_restarts_across_a_stop)
{
    static int fds[2];
    void body(void)
    {
        char c;
        CHECK_EQ(read(fds[0], &c, 1), 1);
        CHECK_EQ(c, 'x');
    }
    CHECK_EQ(pipe(fds), 0);
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP | 0x80);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    kill(pid, SIGUSR1);
    EXPECT_STOP(pid, SIGTRAP | 0x80);
    CHECK_EQ(registers_of(pid).rax, -512); // ERESTARTSYS
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGUSR1);
    CHECK_EQ(registers_of(pid).rax, -512);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP | 0x80);
    CHECK_EQ(registers_of(pid).orig_rax, SYS_read);
    CHECK_EQ(registers_of(pid).rax, -ENOSYS);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    EXPECT_EXIT(pid, 0);
}

CASE(tracer_can_keep_a_call_from_restarting)
{
    static int fds[2];
    void body(void)
    {
        char c;
        CHECK_EQ(syscall(SYS_read, fds[0], &c, 1), 66);
    }
    CHECK_EQ(pipe(fds), 0);
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    kill(pid, SIGUSR1);
    EXPECT_STOP(pid, SIGUSR1);
    CHECK_EQ(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), 66), 0);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(sleep_goes_on_after_an_interrupt)
{
    void body(void)
    {
        struct timespec time = { 0, 150000000 };
        CHECK_EQ(nanosleep(&time, NULL), 0);
        CHECK_EQ(poll(NULL, 0, 50), 0);
    }
    pid_t pid = start_free(body);
    CHECK_EQ(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
    for (int i = 0; i < 3; i++) {
        sleep_ms(10);
        CHECK_EQ(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
        EXPECT_STOP(pid, EVENT(STOP));
        CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    }
    EXPECT_EXIT(pid, 0);
}

CASE(peek_and_poke)
{
    static long word = 0x1122334455667788;
    void body(void) { CHECK_EQ(word, 99); }
    pid_t pid = start(body);
    long seen = 0;
    CHECK_EQ(trace(PTRACE_PEEKDATA, pid, (long)&word, (long)&seen), 0);
    CHECK_EQ(seen, 0x1122334455667788);
    CHECK_EQ(trace(PTRACE_PEEKTEXT, pid, (long)&word + 1, (long)&seen), 0);
    CHECK_ERRNO(trace(PTRACE_PEEKDATA, pid, 16, (long)&seen), EIO);
    CHECK_ERRNO(trace(PTRACE_PEEKDATA, pid, -8, (long)&seen), EIO);
    CHECK_ERRNO(trace(PTRACE_PEEKDATA, pid, (long)&word, 16), EFAULT);
    CHECK_ERRNO(trace(PTRACE_POKEDATA, pid, 16, 1), EIO);
    CHECK_EQ(trace(PTRACE_POKEDATA, pid, (long)&word, 99), 0);
    CHECK_EQ(word, 0x1122334455667788);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(poke_changes_code_of_one_process_only)
{
    void body(void)
    {
        mark(1);
        __builtin_trap();
    }
    pid_t pid = start(body);
    long before, now;
    CHECK_EQ(trace(PTRACE_PEEKTEXT, pid, (long)mark, (long)&before), 0);
    CHECK_EQ(memcmp(&before, mark, 8), 0);
    CHECK_EQ(trace(PTRACE_POKETEXT, pid, (long)mark, (before & ~0xffL) | 0xcc), 0);
    CHECK_EQ(trace(PTRACE_PEEKTEXT, pid, (long)mark, (long)&now), 0);
    CHECK_EQ(now, (before & ~0xffL) | 0xcc);
    CHECK_EQ(mark(5), 6);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP);
    struct user_regs_struct registers = registers_of(pid);
    CHECK_EQ(registers.rip, (long)mark + 1);
    siginfo_t info;
    CHECK_EQ(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
    CHECK_EQ(info.si_code, SI_KERNEL);
    CHECK_EQ(trace(PTRACE_POKETEXT, pid, (long)mark, before), 0);
    registers.rip--;
    set_registers(pid, registers);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGILL);
    kill_and_reap(pid);
}

CASE(memory_that_the_tracee_may_not_touch)
{
    static long *none, *read_only, *shared;
    void body(void)
    {
        mprotect(none, 4096, PROT_READ);
        CHECK_EQ(none[0], 5);
        CHECK_EQ(read_only[0], 6);
    }
    none = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    read_only = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    none[0] = 4;
    mprotect(none, 4096, PROT_NONE);
    pid_t pid = start(body);
    long seen;
    CHECK_EQ(trace(PTRACE_PEEKDATA, pid, (long)none, (long)&seen), 0);
    CHECK_EQ(seen, 4);
    CHECK_EQ(trace(PTRACE_POKEDATA, pid, (long)none, 5), 0);
    CHECK_EQ(trace(PTRACE_POKEDATA, pid, (long)read_only, 6), 0);
    CHECK_EQ(trace(PTRACE_PEEKDATA, pid, (long)shared, (long)&seen), 0);
    CHECK_ERRNO(trace(PTRACE_POKEDATA, pid, (long)shared, 7), EIO);
    CHECK_EQ(read_only[0], 0);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(peek_across_pages)
{
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(pages + 4096, 4096);
    pid_t pid = start(nothing);
    long seen;
    CHECK_EQ(trace(PTRACE_PEEKDATA, pid, (long)pages + 4088, (long)&seen), 0);
    CHECK_ERRNO(trace(PTRACE_PEEKDATA, pid, (long)pages + 4092, (long)&seen), EIO);
    kill_and_reap(pid);
}

CASE(peekuser_and_pokeuser)
{
    pid_t pid = start(nothing);
    struct user_regs_struct registers = registers_of(pid);
    long seen;
    CHECK_EQ(trace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rsp), (long)&seen), 0);
    CHECK_EQ(seen, registers.rsp);
    CHECK_EQ(trace(PTRACE_PEEKUSER, pid, offsetof(struct user, u_debugreg[7]), (long)&seen), 0);
    CHECK_EQ(seen, 0);
    CHECK_EQ(trace(PTRACE_PEEKUSER, pid, offsetof(struct user, u_debugreg[0]), (long)&seen), 0);
    CHECK_EQ(seen, 0);
    CHECK_EQ(trace(PTRACE_PEEKUSER, pid, offsetof(struct user, start_code), (long)&seen), 0);
    CHECK_EQ(seen, 0);
    CHECK_ERRNO(trace(PTRACE_PEEKUSER, pid, 4, (long)&seen), EIO);
    CHECK_ERRNO(trace(PTRACE_PEEKUSER, pid, sizeof(struct user) + 16, (long)&seen), EIO); // the kernel's has two words more
    CHECK_ERRNO(trace(PTRACE_PEEKUSER, pid, -8, (long)&seen), EIO);
    CHECK_ERRNO(trace(PTRACE_PEEKUSER, pid, 0, 16), EFAULT);
    CHECK_ERRNO(trace(PTRACE_POKEUSER, pid, 4, 0), EIO);
    CHECK_ERRNO(trace(PTRACE_POKEUSER, pid, offsetof(struct user, start_code), 0), EIO);
    CHECK_ERRNO(trace(PTRACE_POKEUSER, pid, sizeof(struct user) + 16, 0), EIO);
    CHECK_EQ(trace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[7]), 0), 0);
    CHECK_EQ(trace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.r12), 0x123456789), 0);
    CHECK_EQ(registers_of(pid).r12, 0x123456789);
    kill_and_reap(pid);
}

CASE(registers_are_checked)
{
    pid_t pid = start(nothing);
    CHECK_ERRNO(trace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.cs), 0), EIO);
    CHECK_ERRNO(trace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.cs), 0x10), EIO);
    CHECK_ERRNO(trace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.ss), 0x18), EIO);
    CHECK_ERRNO(trace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.ds), 0x18), EIO);
    CHECK_ERRNO(trace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.fs_base), 0x800000000000), EIO);
    CHECK_ERRNO(trace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.gs_base), -4096), EIO);
    long flags = registers_of(pid).eflags;
    CHECK_EQ(trace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.eflags), -1), 0);
    CHECK_EQ(registers_of(pid).eflags, flags | 0x54dd5);
    CHECK_EQ(trace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.eflags), 0), 0);
    CHECK_EQ(registers_of(pid).eflags, flags & ~0x54dd5);
    CHECK_ERRNO(trace(PTRACE_SETREGS, pid, 0, (long)BAD_POINTER), EFAULT);
    CHECK_ERRNO(trace(PTRACE_GETREGS, pid, 0, (long)BAD_POINTER), EFAULT);
    struct user_regs_struct registers = registers_of(pid);
    registers.r15 = 42;
    registers.cs = 8;
    CHECK_ERRNO(trace(PTRACE_SETREGS, pid, 0, (long)&registers), EIO);
    CHECK_EQ(registers_of(pid).r15, 42); // what comes before the one that is refused is set
    kill_and_reap(pid);
}

CASE(register_sets)
{
    pid_t pid = start(nothing);
    struct user_regs_struct registers = registers_of(pid), other;
    struct iovec vector = { &other, sizeof other };
    CHECK_EQ(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &vector), 0);
    CHECK_EQ(vector.iov_len, sizeof other);
    CHECK_EQ(memcmp(&registers, &other, sizeof other), 0);
    memset(&other, 0, sizeof other);
    vector.iov_len = 16;
    CHECK_EQ(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &vector), 0);
    CHECK_EQ(vector.iov_len, 16);
    CHECK_EQ(other.r15, registers.r15);
    CHECK_EQ(other.r13, 0);
    char large[1024];
    vector = (struct iovec){ large, sizeof large };
    CHECK_EQ(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &vector), 0);
    CHECK_EQ(vector.iov_len, sizeof other);
    vector = (struct iovec){ &other, 12 };
    CHECK_ERRNO(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &vector), EINVAL);
    vector = (struct iovec){ &other, sizeof other };
    CHECK_ERRNO(ptrace(PTRACE_GETREGSET, pid, 0x7777, &vector), EINVAL);
    CHECK_ERRNO(trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)BAD_POINTER), EFAULT);
    vector = (struct iovec){ BAD_POINTER, sizeof other };
    CHECK_ERRNO(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &vector), EFAULT);
    unsigned long three[3] = { 0x15, 0x14, 0x13 };
    vector = (struct iovec){ three, sizeof three };
    CHECK_EQ(ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &vector), 0);
    other = registers_of(pid);
    CHECK_EQ(other.r15, 0x15);
    CHECK_EQ(other.r13, 0x13);
    CHECK_EQ(other.r12, registers.r12);
    set_registers(pid, registers);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

static double vector_sum(void)
{
    double value = 1.5;
    __asm__ volatile("movsd %0, %%xmm7\n\tint3\n\tmovsd %%xmm7, %0" : "+m"(value)::"xmm7");
    return value;
}

CASE(fpu_registers)
{
    void body(void) { CHECK(vector_sum() == 2.75); }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP);
    struct user_fpregs_struct fpu, again;
    CHECK_EQ(ptrace(PTRACE_GETFPREGS, pid, 0, &fpu), 0);
    double value;
    memcpy(&value, (char *)fpu.xmm_space + 7 * 16, 8);
    CHECK(value == 1.5);
    CHECK_EQ(fpu.mxcsr & ~0x3f, 0x1f80);
    CHECK_EQ(fpu.cwd, 0x37f);
    CHECK_EQ(fpu.padding[20], 0);
    value = 2.75;
    memcpy((char *)fpu.xmm_space + 7 * 16, &value, 8);
    CHECK_EQ(ptrace(PTRACE_SETFPREGS, pid, 0, &fpu), 0);
    struct iovec vector = { &again, sizeof again };
    CHECK_EQ(ptrace(PTRACE_GETREGSET, pid, NT_FPREGSET, &vector), 0);
    CHECK_EQ(vector.iov_len, 512);
    CHECK_EQ(memcmp(fpu.xmm_space, again.xmm_space, 16 * 16), 0);
    fpu.mxcsr |= 0x80000000;
    CHECK_ERRNO(trace(PTRACE_SETFPREGS, pid, 0, (long)&fpu), EINVAL);
    CHECK_ERRNO(trace(PTRACE_SETFPREGS, pid, 0, (long)BAD_POINTER), EFAULT);
    vector = (struct iovec){ &again, 256 };
    CHECK_ERRNO(ptrace(PTRACE_SETREGSET, pid, NT_FPREGSET, &vector), EINVAL);
    CHECK_EQ(ptrace(PTRACE_GETREGSET, pid, NT_FPREGSET, &vector), 0);
    CHECK_EQ(vector.iov_len, 256);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(extended_state)
{
    void body(void) { CHECK(vector_sum() == 4.25); }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP);
    static unsigned char state[16384];
    struct iovec vector = { state, sizeof state };
    CHECK_EQ(ptrace(PTRACE_GETREGSET, pid, NT_X86_XSTATE, &vector), 0);
    size_t size = vector.iov_len;
    CHECK(size >= 576 && size < sizeof state);
    uint64_t known, used;
    memcpy(&known, state + 464, 8);
    memcpy(&used, state + 512, 8);
    CHECK_EQ(known & 3, 3);
    CHECK_EQ(used & ~known, 0);
    double value;
    memcpy(&value, state + 160 + 7 * 16, 8);
    CHECK(value == 1.5);
    value = 4.25;
    memcpy(state + 160 + 7 * 16, &value, 8);
    CHECK_EQ(ptrace(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &vector), 0);
    static unsigned char wrong[16384];
    struct iovec bad = { wrong, size };
    memcpy(wrong, state, size);
    wrong[27] = 0x80; // MXCSR
    CHECK_ERRNO(ptrace(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &bad), EINVAL);
    memcpy(wrong, state, size);
    wrong[512 + 7] = 0x40; // a feature that nobody has
    CHECK_ERRNO(ptrace(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &bad), EINVAL);
    memcpy(wrong, state, size);
    wrong[520 + 7] = 0x80; // the compacted format
    CHECK_ERRNO(ptrace(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &bad), EINVAL);
    memcpy(wrong, state, size);
    wrong[540] = 1; // reserved
    CHECK_ERRNO(ptrace(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &bad), EINVAL);
    bad.iov_len = size - 8;
    CHECK_ERRNO(ptrace(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &bad), EFAULT);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(peek_at_pending_signals)
{
    void body(void)
    {
        sigset_t set;
        sigfillset(&set);
        sigprocmask(SIG_BLOCK, &set, NULL);
        for (int i = 0; i < 3; i++) {
            sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i });
        }
        syscall(SYS_tgkill, getpid(), gettid(), SIGUSR2);
        syscall(SYS_getgid);
    }
    pid_t pid = start(body);
    do {
        CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
        EXPECT_STOP(pid, SIGTRAP);
    } while (registers_of(pid).orig_rax != SYS_getgid);
    struct __ptrace_peeksiginfo_args arguments = { 1, PTRACE_PEEKSIGINFO_SHARED, 5 };
    siginfo_t infos[5];
    CHECK_EQ(trace(PTRACE_PEEKSIGINFO, pid, (long)&arguments, (long)infos), 2);
    CHECK_EQ(infos[0].si_value.sival_int, 1);
    CHECK_EQ(infos[1].si_value.sival_int, 2);
    arguments = (struct __ptrace_peeksiginfo_args){ 0, 0, 5 };
    CHECK_EQ(trace(PTRACE_PEEKSIGINFO, pid, (long)&arguments, (long)infos), 1);
    CHECK_EQ(infos[0].si_signo, SIGUSR2);
    CHECK_ERRNO(trace(PTRACE_PEEKSIGINFO, pid, (long)&arguments, (long)BAD_POINTER), EFAULT);
    CHECK_ERRNO(trace(PTRACE_PEEKSIGINFO, pid, (long)BAD_POINTER, (long)infos), EFAULT);
    arguments.nr = -1;
    CHECK_ERRNO(trace(PTRACE_PEEKSIGINFO, pid, (long)&arguments, (long)infos), EINVAL);
    arguments = (struct __ptrace_peeksiginfo_args){ 0, 2, 1 };
    CHECK_ERRNO(trace(PTRACE_PEEKSIGINFO, pid, (long)&arguments, (long)infos), EINVAL);
    arguments = (struct __ptrace_peeksiginfo_args){ 100, 0, 1 };
    CHECK_EQ(trace(PTRACE_PEEKSIGINFO, pid, (long)&arguments, (long)infos), 0);
    kill_and_reap(pid);
}

CASE(signal_mask)
{
    void body(void)
    {
        raise(SIGUSR1);
        sigset_t set;
        sigprocmask(SIG_BLOCK, NULL, &set);
        CHECK(sigismember(&set, SIGUSR2) && !sigismember(&set, SIGKILL) && !sigismember(&set, SIGSTOP));
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGUSR1);
    uint64_t mask = 1;
    CHECK_EQ(trace(PTRACE_GETSIGMASK, pid, 8, (long)&mask), 0);
    CHECK_EQ(mask, 0);
    CHECK_ERRNO(trace(PTRACE_GETSIGMASK, pid, 16, (long)&mask), EINVAL);
    CHECK_ERRNO(trace(PTRACE_SETSIGMASK, pid, 4, (long)&mask), EINVAL);
    CHECK_ERRNO(trace(PTRACE_SETSIGMASK, pid, 8, (long)BAD_POINTER), EFAULT);
    mask = 1 << (SIGUSR2 - 1) | 1 << (SIGKILL - 1) | 1 << (SIGSTOP - 1);
    CHECK_EQ(trace(PTRACE_SETSIGMASK, pid, 8, (long)&mask), 0);
    CHECK_EQ(trace(PTRACE_GETSIGMASK, pid, 8, (long)&mask), 0);
    CHECK_EQ(mask, 1 << (SIGUSR2 - 1));
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(arch_prctl_of_a_tracee)
{
    pid_t pid = start(nothing);
    unsigned long base = 0;
    CHECK_EQ(trace(PTRACE_ARCH_PRCTL, pid, (long)&base, 0x1003), 0); // ARCH_GET_FS
    CHECK_EQ(base, registers_of(pid).fs_base);
    CHECK(base != 0);
    CHECK_EQ(trace(PTRACE_ARCH_PRCTL, pid, 0x12345000, 0x1001), 0); // ARCH_SET_GS
    CHECK_EQ(registers_of(pid).gs_base, 0x12345000);
    CHECK_ERRNO(trace(PTRACE_ARCH_PRCTL, pid, 0x800000000000, 0x1001), EPERM);
    CHECK_ERRNO(trace(PTRACE_ARCH_PRCTL, pid, 0, 0x7777), EINVAL);
    CHECK_ERRNO(trace(PTRACE_ARCH_PRCTL, pid, (long)BAD_POINTER, 0x1004), EFAULT);
    kill_and_reap(pid);
}

CASE(call_injected_into_an_interrupted_one)
{
    static int fds[2];
    CHECK_EQ(pipe(fds), 0);
    void body(void)
    {
        char c;
        CHECK_EQ(syscall(SYS_read, fds[0], &c, 1), 1);
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    kill(pid, SIGUSR1);
    EXPECT_STOP(pid, SIGUSR1);
    struct user_regs_struct saved = registers_of(pid), registers = saved;
    CHECK_EQ(saved.orig_rax, SYS_read);
    registers.rip -= 2; // the syscall instruction
    registers.rax = SYS_getpid;
    registers.orig_rax = -1;
    set_registers(pid, registers);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP);
    CHECK_EQ(registers_of(pid).rax, pid);
    kill(pid, SIGUSR2);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGUSR2);
    set_registers(pid, saved); // the interrupted call restarts
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    EXPECT_EXIT(pid, 0);
}

GUEST_MAIN("ptrace")
