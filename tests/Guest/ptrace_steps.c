// ptrace(2): single steps and the debug registers
#include "ptrace.h"

CASE(single_step)
{
    void body(void)
    {
        raise(SIGUSR1);
        long result;
        __asm__ volatile("mov $1, %%rax\n\tnop\n\tnop\n\tadd $5, %%rax\n\tint3\n\tmov %%rax, %0" : "=r"(result)::"rax");
        CHECK_EQ(result, 6);
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGUSR1);
    int steps = 0;
    siginfo_t info;
    struct user_regs_struct registers;
    long before = 0;
    do {
        CHECK_EQ(ptrace(PTRACE_SINGLESTEP, pid, 0, 0), 0);
        EXPECT_STOP(pid, SIGTRAP);
        registers = registers_of(pid);
        CHECK_EQ(registers.eflags & 0x100, 0);
        CHECK_EQ(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
        CHECK(registers.rip != before);
        before = registers.rip;
        steps++;
    } while (info.si_code != SI_KERNEL && steps < 3000);
    CHECK_EQ(registers.rax, 6);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(single_step_codes)
{
    void body(void)
    {
        __asm__ volatile("int3\n\tnop\n\tmov $39, %%eax\n\tsyscall\n\tnop\n\tpushfq\n\tpop %%rcx\n\tint3" ::: "rax", "rcx", "r11", "memory");
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP);
    long start = registers_of(pid).rip;
    int lengths[] = { 1, 5, 2, 1, 1, 1 };
    int codes[] = { TRAP_TRACE, TRAP_TRACE, TRAP_BRKPT, TRAP_TRACE, TRAP_TRACE, TRAP_TRACE };
    for (int i = 0; i < 6; i++) {
        CHECK_EQ(ptrace(PTRACE_SINGLESTEP, pid, 0, 0), 0);
        EXPECT_STOP(pid, SIGTRAP);
        siginfo_t info;
        CHECK_EQ(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
        struct user_regs_struct registers = registers_of(pid);
        start += lengths[i];
        CHECK_EQ(registers.rip, start);
        CHECK_EQ(info.si_code, codes[i]);
        if (i == 2) {
            CHECK_EQ(registers.rax, pid);
        }
    }
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP);
    kill_and_reap(pid);
}

CASE(single_step_into_a_handler)
{
    static volatile int runs;
    void handler(int signal) { runs++; }
    void body(void)
    {
        signal(SIGUSR1, handler);
        raise(SIGUSR1);
        CHECK_EQ(runs, 1);
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGUSR1);
    CHECK_EQ(ptrace(PTRACE_SINGLESTEP, pid, 0, SIGUSR1), 0);
    EXPECT_STOP(pid, SIGTRAP);
    CHECK_EQ(registers_of(pid).rip, (long)handler);
    siginfo_t info;
    CHECK_EQ(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
    CHECK_EQ(info.si_code, SIGTRAP);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(stepping_over_a_hot_call)
{
    void body(void)
    {
        for (int i = 0; i < 200; i++) {
            CHECK_EQ(syscall(SYS_getppid), getppid());
        }
        raise(SIGUSR1);
        CHECK_EQ(syscall(SYS_getppid), getppid());
        raise(SIGUSR2);
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGUSR1);
    int steps = 0, status, calls = 0;
    do {
        struct user_regs_struct registers = registers_of(pid);
        long code;
        CHECK_EQ(trace(PTRACE_PEEKTEXT, pid, registers.rip, (long)&code), 0);
        calls += (code & 0xffff) == 0x050f && registers.rax == SYS_getppid;
        CHECK_EQ(ptrace(PTRACE_SINGLESTEP, pid, 0, 0), 0);
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        steps++;
    } while (STOPPED(status, SIGTRAP) && steps < 3000);
    CHECK(STOPPED(status, SIGUSR2));
    CHECK_EQ(calls, 2);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

// However hot its calls are, a tracee's code is what its file says.
CASE(code_of_a_hot_call)
{
    extern char __executable_start;
    static int fds[2];
    CHECK_EQ(pipe(fds), 0);
    void body(void)
    {
        for (int i = 0; i < 300; i++) {
            CHECK_EQ(syscall(SYS_getppid), getppid());
        }
        write(fds[1], "x", 1);
        while (1) {
            syscall(SYS_getppid);
        }
    }
    pid_t pid = start_free(body);
    unsigned char c, wanted[64], seen[64];
    CHECK_EQ(read(fds[0], &c, 1), 1);
    CHECK_EQ(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
    int exe = open("/proc/self/exe", O_RDONLY);
    CHECK_EQ(pread(exe, wanted, sizeof wanted, (char *)syscall - &__executable_start), sizeof wanted);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
        EXPECT_STOP(pid, EVENT(STOP));
        for (size_t j = 0; j < sizeof seen; j += 8) {
            CHECK_EQ(trace(PTRACE_PEEKTEXT, pid, (long)syscall + j, (long)(seen + j)), 0);
        }
        CHECK_EQ(memcmp(seen, wanted, sizeof seen), 0);
        for (int j = 0; j < 20; j++) {
            CHECK_EQ(ptrace(PTRACE_SINGLESTEP, pid, 0, 0), 0);
            EXPECT_STOP(pid, SIGTRAP);
        }
        CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
        sleep_ms(5);
    }
    CHECK_EQ(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
    EXPECT_STOP(pid, EVENT(STOP));
    CHECK_EQ(ptrace(PTRACE_DETACH, pid, 0, 0), 0);
    sleep_ms(5);
    kill_and_reap(pid);
}

#define DEBUG_REGISTER(INDEX) (offsetof(struct user, u_debugreg) + 8 * (INDEX))

static void set_debug(pid_t pid, int index, unsigned long value) { CHECK_EQ(trace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(index), value), 0); }

static unsigned long get_debug(pid_t pid, int index)
{
    unsigned long value;
    CHECK_EQ(trace(PTRACE_PEEKUSER, pid, DEBUG_REGISTER(index), (long)&value), 0);
    return value;
}

static int code_of(pid_t pid)
{
    siginfo_t info;
    CHECK_EQ(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
    return info.si_code;
}

CASE(debug_registers_at_first)
{
    pid_t pid = start(nothing);
    unsigned long value;
    CHECK_EQ(get_debug(pid, 0), 0);
    CHECK_EQ(get_debug(pid, 6), 0xffff0ff0);
    CHECK_EQ(get_debug(pid, 7), 0);
    CHECK_EQ(trace(PTRACE_PEEKUSER, pid, DEBUG_REGISTER(4), (long)&value), 0);
    CHECK_ERRNO(trace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(4), 0), EIO);
    CHECK_ERRNO(trace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(5), 1), EIO);
    CHECK_ERRNO(trace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(7), 0x20001), EINVAL); // for I/O
    CHECK_ERRNO(trace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(7), 0x40001), EINVAL); // two bytes of code
    CHECK_EQ(get_debug(pid, 7), 0);
    kill_and_reap(pid);
}

CASE(watchpoint)
{
    static volatile long words[4];
    void body(void)
    {
        for (long i = 1; i <= 3; i++) {
            words[0] = i;
            words[1] = i * 10;
            words[2] = i;
        }
    }
    pid_t pid = start(body);
    set_debug(pid, 0, (long)&words[1]);
    CHECK_EQ(get_debug(pid, 0), (long)&words[1]);
    set_debug(pid, 7, 0x90001); // L0, write, eight bytes
    for (long i = 1; i <= 3; i++) {
        CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
        EXPECT_STOP(pid, SIGTRAP);
        CHECK_EQ(code_of(pid), TRAP_HWBKPT);
        CHECK_EQ(get_debug(pid, 6) & 0x400f, 1);
        long value;
        CHECK_EQ(trace(PTRACE_PEEKDATA, pid, (long)&words[1], (long)&value), 0);
        CHECK_EQ(value, i * 10);
        CHECK_EQ(trace(PTRACE_PEEKDATA, pid, (long)&words[2], (long)&value), 0);
        CHECK_EQ(value, i - 1);
        CHECK_EQ(registers_of(pid).eflags & 0x100, 0);
        set_debug(pid, 6, 0);
    }
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(watchpoint_of_a_byte_and_switched_off)
{
    static volatile char bytes[8];
    void body(void)
    {
        bytes[2] = 1;
        bytes[3] = 2;
        bytes[4] = 3;
        bytes[3] = 4;
        bytes[3] = 5;
    }
    pid_t pid = start(body);
    set_debug(pid, 2, (long)&bytes[3]);
    set_debug(pid, 7, 1 << 24 | 1 << 4);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
        EXPECT_STOP(pid, SIGTRAP);
        CHECK_EQ(get_debug(pid, 6) & 0xf, 4);
        set_debug(pid, 6, 0);
    }
    set_debug(pid, 7, 0);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(breakpoint_in_hardware)
{
    void body(void)
    {
        CHECK_EQ(mark(1), 2);
        CHECK_EQ(mark(2), 3);
    }
    pid_t pid = start(body);
    set_debug(pid, 1, (long)mark);
    set_debug(pid, 7, 1 << 2);
    for (int i = 1; i <= 2; i++) {
        CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
        EXPECT_STOP(pid, SIGTRAP);
        CHECK_EQ(code_of(pid), TRAP_HWBKPT);
        CHECK_EQ(registers_of(pid).rip, (long)mark);
        CHECK_EQ(registers_of(pid).rdi, i);
        CHECK_EQ(get_debug(pid, 6) & 0xf, 2);
        set_debug(pid, 6, 0);
        CHECK_EQ(ptrace(PTRACE_SINGLESTEP, pid, 0, 0), 0);
        EXPECT_STOP(pid, SIGTRAP);
        CHECK(registers_of(pid).rip != (long)mark);
        CHECK_EQ(code_of(pid), TRAP_TRACE);
        CHECK_EQ(get_debug(pid, 6) & 0x400f, 0x4000);
    }
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(watchpoint_across_calls_signals_and_forks)
{
    static volatile long word;
    static volatile int handled;
    void handler(int signal) { handled++; }
    void body(void)
    {
        signal(SIGUSR1, handler);
        raise(SIGUSR1);
        pid_t child = fork();
        if (child == 0) {
            word = 5; // nobody watches
            _exit(0);
        }
        waitpid(child, NULL, 0);
        getppid();
        word = 1;
        _exit(handled);
    }
    pid_t pid = start(body);
    set_debug(pid, 0, (long)&word);
    set_debug(pid, 7, 0x90001);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGUSR1);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGUSR1), 0);
    EXPECT_STOP(pid, SIGCHLD);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP);
    CHECK_EQ(code_of(pid), TRAP_HWBKPT);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 1);
}

GUEST_MAIN("ptrace_steps")
