// ptrace(2): options and the events that they ask for
#include "ptrace.h"

CASE(options_are_checked)
{
    pid_t pid = start(nothing);
    CHECK_ERRNO(trace(PTRACE_SETOPTIONS, pid, 0, 1 << 30), EINVAL);
    CHECK_ERRNO(trace(PTRACE_SETOPTIONS, pid, 0, 1 << 8), EINVAL);
    CHECK_ERRNO(trace(PTRACE_SETOPTIONS, pid, 0, -1), EINVAL);
    CHECK_EQ(trace(PTRACE_SETOPTIONS, pid, 0, 0xff | PTRACE_O_EXITKILL), 0);
    CHECK_ERRNO(trace(PTRACE_GETEVENTMSG, pid, 0, (long)BAD_POINTER), EFAULT);
    unsigned long message = 7;
    CHECK_EQ(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message), 0);
    CHECK_EQ(message, 0);
    kill_and_reap(pid);
}

CASE(fork_event)
{
    void body(void)
    {
        pid_t child = fork();
        if (child == 0) {
            _exit(5);
        }
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 5 << 8);
    }
    for (int seizes = 0; seizes < 2; seizes++) {
        pid_t pid;
        if (seizes) {
            static int fds[2];
            CHECK_EQ(pipe(fds), 0);
            void waiting(void)
            {
                char c;
                read(fds[0], &c, 1);
                body();
            }
            pid = start_free(waiting);
            CHECK_EQ(ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEFORK), 0);
            CHECK_EQ(write(fds[1], "x", 1), 1);
        } else {
            pid = start(body);
            CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK), 0);
            CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
        }
        pid_t child = follow(pid, PTRACE_EVENT_FORK);
        siginfo_t info;
        CHECK_EQ(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
        CHECK_EQ(info.si_code, EVENT(FORK));
        EXPECT_STOP(child, seizes ? EVENT(STOP) : SIGSTOP);
        CHECK_EQ(registers_of(child).rax, 0);
        CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
        CHECK_EQ(ptrace(PTRACE_CONT, child, 0, 0), 0);
        EXPECT_EXIT(child, 5); // the tracer first
        EXPECT_STOP(pid, SIGCHLD);
        CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
        EXPECT_EXIT(pid, 0);
    }
}

CASE(vfork_events)
{
    void body(void)
    {
        pid_t child = vfork();
        if (child == 0) {
            syscall(SYS_exit, 6);
        }
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 6 << 8);
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE), 0);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    pid_t child = follow(pid, PTRACE_EVENT_VFORK);
    EXPECT_STOP(child, SIGSTOP);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    int status;
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    CHECK_EQ(ptrace(PTRACE_CONT, child, 0, 0), 0);
    EXPECT_EXIT(child, 6);
    CHECK_EQ(follow(pid, PTRACE_EVENT_VFORK_DONE), child);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGCHLD);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(clone_event_of_a_thread)
{
    void body(void)
    {
        pthread_t thread;
        pthread_create(&thread, NULL, thread_body, NULL);
        pthread_join(thread, NULL);
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE), 0);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    pid_t thread = follow(pid, PTRACE_EVENT_CLONE);
    CHECK(thread != pid);
    EXPECT_STOP(thread, SIGSTOP);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    int status;
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, thread, 0, 0), 0);
    EXPECT_STOP(thread, SIGTRAP);
    CHECK_EQ(ptrace(PTRACE_CONT, thread, 0, 0), 0);
    EXPECT_EXIT(thread, 0);
    CHECK_ERRNO(trace(PTRACE_CONT, thread, 0, 0), ESRCH);
    EXPECT_EXIT(pid, 0);
}

static int exit_with_8(void *argument) { return 8; }

CASE(clone_flags)
{
    static char stack[16384];
    void body(void)
    {
        int status;
        pid_t child = clone(exit_with_8, stack + sizeof stack, CLONE_UNTRACED | SIGCHLD, NULL);
        CHECK_EQ(waitpid(child, &status, 0), child);
        child = clone(exit_with_8, stack + sizeof stack, CLONE_PTRACE | SIGCHLD, NULL);
        CHECK_EQ(waitpid(child, &status, 0), child);
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK), 0);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGCHLD);
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, 0), 0);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    int status;
    pid_t child = waitpid(-1, &status, __WALL);
    CHECK(child > 0 && child != pid && STOPPED(status, SIGSTOP));
    CHECK_EQ(ptrace(PTRACE_CONT, child, 0, 0), 0);
    EXPECT_EXIT(child, 8);
    EXPECT_STOP(pid, SIGCHLD);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

static void execute_true(void)
{
    if (getenv("AGAIN")) {
        return;
    }
    char *arguments[] = { "ptrace", "exits_at_once", NULL }, *environment[] = { "AGAIN=1", NULL };
    execve("/proc/self/exe", arguments, environment);
    guest_fail("execve: %s", strerror(errno));
}

// What the cases of execve(2) execute.
CASE(exits_at_once) { }

CASE(exec_without_the_option_is_a_sigtrap)
{
    pid_t pid = start(execute_true);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP);
    siginfo_t info;
    CHECK_EQ(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
    CHECK_EQ(info.si_code, SI_USER);
    CHECK_EQ(info.si_pid, pid);
    struct user_regs_struct registers = registers_of(pid);
    CHECK_EQ(registers.rax, 0);
    CHECK_EQ(registers.orig_rax, SYS_execve);
    CHECK_EQ(ptrace(PTRACE_DETACH, pid, 0, SIGKILL), 0);
    EXPECT_KILLED(pid, SIGKILL);
}

CASE(exec_event)
{
    pid_t pid = start(execute_true);
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD), 0);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    CHECK_EQ(follow(pid, PTRACE_EVENT_EXEC), pid);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP | 0x80);
    CHECK_EQ(registers_of(pid).rax, 0);
    CHECK_EQ(ptrace(PTRACE_KILL, pid, 0, 0), 0);
    EXPECT_KILLED(pid, SIGKILL);
}

CASE(exec_by_another_thread)
{
    void *run(void *argument)
    {
        execute_true();
        return NULL;
    }
    void body(void)
    {
        pthread_t thread;
        pthread_create(&thread, NULL, run, NULL);
        sleep_for_ever();
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE), 0);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    pid_t thread = follow(pid, PTRACE_EVENT_CLONE);
    EXPECT_STOP(thread, SIGSTOP);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    CHECK_EQ(ptrace(PTRACE_CONT, thread, 0, 0), 0);
    CHECK_EQ(follow(pid, PTRACE_EVENT_EXEC), thread); // under the id of the process
    CHECK_ERRNO(trace(PTRACE_CONT, thread, 0, 0), ESRCH);
    kill_and_reap(pid);
    int status;
    CHECK_ERRNO(waitpid(-1, &status, __WALL), ECHILD);
}

CASE(exit_event)
{
    void body(void) { syscall(SYS_exit_group, 9); }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT), 0);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    CHECK_EQ(follow(pid, PTRACE_EVENT_EXIT), 9 << 8);
    CHECK_EQ(registers_of(pid).orig_rax, SYS_exit_group);
    long word;
    CHECK_EQ(trace(PTRACE_PEEKTEXT, pid, (long)mark, (long)&word), 0);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 9);
    pid = start(sleep_for_ever);
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT), 0);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, SIGTERM), 0);
    CHECK_EQ(follow(pid, PTRACE_EVENT_EXIT), SIGTERM);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_KILLED(pid, SIGTERM);
}

CASE(get_syscall_info)
{
    void body(void)
    {
        syscall(SYS_getuid, 21, 22, 23, 24, 25, 26);
        syscall(SYS_close, -1);
    }
    pid_t pid = start(body);
    struct {
        uint8_t op, pad[3];
        uint32_t arch;
        uint64_t ip, sp;
        union {
            struct {
                uint64_t nr, args[6];
            } entry;
            struct {
                int64_t value;
                uint8_t is_error;
            } exit;
        };
        uint64_t rest[8];
    } info;
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
    CHECK_EQ(trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (long)&info), 24);
    CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_NONE);
    CHECK_EQ(info.arch, AUDIT_ARCH_X86_64);
    CHECK_EQ(info.sp, registers_of(pid).rsp);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP | 0x80);
    CHECK_EQ(trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (long)&info), 80);
    CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_ENTRY);
    CHECK_EQ(info.entry.nr, SYS_getuid);
    CHECK_EQ(info.entry.args[0], 21);
    CHECK_EQ(info.entry.args[5], 26);
    memset(&info, 0xff, sizeof info);
    CHECK_EQ(trace(PTRACE_GET_SYSCALL_INFO, pid, 8, (long)&info), 80);
    CHECK_EQ(info.arch, AUDIT_ARCH_X86_64);
    CHECK_EQ(info.ip, UINT64_MAX);
    CHECK_ERRNO(trace(PTRACE_GET_SYSCALL_INFO, pid, 8, (long)BAD_POINTER), EFAULT);
    CHECK_EQ(trace(PTRACE_GET_SYSCALL_INFO, pid, 0, (long)BAD_POINTER), 80);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP | 0x80);
    CHECK_EQ(trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (long)&info), 33);
    CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_EXIT);
    CHECK_EQ(info.exit.value, 0);
    CHECK_EQ(info.exit.is_error, 0);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP | 0x80);
    CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
    EXPECT_STOP(pid, SIGTRAP | 0x80);
    CHECK_EQ(trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (long)&info), 33);
    CHECK_EQ(info.exit.value, -EBADF);
    CHECK_EQ(info.exit.is_error, 1);
    kill_and_reap(pid);
}

// SECCOMP_RET_TRACE with 7 for getuid, everything else is allowed.
static void install_filter(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getuid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 7),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getgid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof code / sizeof *code, code };
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

CASE(seccomp_event)
{
    void body(void)
    {
        install_filter();
        CHECK_EQ(syscall(SYS_getuid), 0);
        CHECK_EQ(syscall(SYS_getuid), 333);
        CHECK_EQ(syscall(SYS_getuid), getppid());
        CHECK_ERRNO(syscall(SYS_getuid), EDOM);
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
        CHECK_EQ(follow(pid, PTRACE_EVENT_SECCOMP), 7);
        struct user_regs_struct registers = registers_of(pid);
        CHECK_EQ(registers.orig_rax, SYS_getuid);
        CHECK_EQ(registers.rax, -ENOSYS);
        long info[16];
        CHECK_EQ(trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (long)info), 84);
        CHECK_EQ(*(uint8_t *)info, PTRACE_SYSCALL_INFO_SECCOMP);
        CHECK_EQ((int)info[10], 7);
        registers.orig_rax = i == 1 ? -1 : i == 2 ? SYS_getppid : i == 3 ? SYS_getgid : SYS_getuid;
        registers.rax = i == 1 ? 333 : registers.rax;
        set_registers(pid, registers);
    }
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

CASE(seccomp_trace_without_a_tracer_that_asks)
{
    void body(void)
    {
        install_filter();
        CHECK_ERRNO(syscall(SYS_getuid), ENOSYS);
    }
    pid_t pid = start(body);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    EXPECT_EXIT(pid, 0);
}

GUEST_MAIN("ptrace_events")
