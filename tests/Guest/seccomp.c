// seccomp(2), prctl(PR_SET_SECCOMP)
#include "guest.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

#define LOAD(FIELD) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, FIELD))
#define RETURN(VALUE) BPF_STMT(BPF_RET | BPF_K, VALUE)
#define IF_CALL(NAME, VALUE) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##NAME, 0, 1), RETURN(VALUE)
#define PROGRAM(...) (struct sock_filter[]){ __VA_ARGS__ }, sizeof(struct sock_filter[]){ __VA_ARGS__ } / sizeof(struct sock_filter)

static int seccomp(unsigned operation, unsigned flags, void *argument)
{
    return syscall(SYS_seccomp, operation, flags, argument);
}

static int install(struct sock_filter *filter, unsigned short length, unsigned flags)
{
    struct sock_fprog program = { length, filter };
    return seccomp(SECCOMP_SET_MODE_FILTER, flags, &program);
}

CASE(errno_of_one_call)
{
    CHECK_EQ(install(PROGRAM(LOAD(nr), IF_CALL(uname, SECCOMP_RET_ERRNO | 77), RETURN(SECCOMP_RET_ALLOW)), 0), 0);
    struct utsname name;
    CHECK_ERRNO(syscall(SYS_uname, &name), 77);
    CHECK(getpid() > 0);
    CHECK_EQ(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 2);
}

CASE(errno_of_a_restart_is_a_value)
{
    for (int number = 511; number <= 517; number++) {
        CHECK_EQ(install(PROGRAM(LOAD(args[2]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), RETURN(SECCOMP_RET_ERRNO | number), RETURN(SECCOMP_RET_ALLOW)), 0), 0);
        CHECK_ERRNO(syscall(SYS_dup, -1, 0, number), number);
    }
}

CASE(errno_zero_is_success)
{
    CHECK_EQ(install(PROGRAM(LOAD(nr), IF_CALL(uname, SECCOMP_RET_ERRNO), RETURN(SECCOMP_RET_ALLOW)), 0), 0);
    CHECK_EQ(syscall(SYS_uname, BAD_POINTER), 0);
}

CASE(errno_is_cut_to_4095)
{
    CHECK_EQ(install(PROGRAM(LOAD(nr), IF_CALL(uname, SECCOMP_RET_ERRNO | 0xffff), RETURN(SECCOMP_RET_ALLOW)), 0), 0);
    CHECK_ERRNO(syscall(SYS_uname, BAD_POINTER), 4095);
}

CASE(arguments)
{
    CHECK_EQ(install(PROGRAM(LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_dup, 0, 3), LOAD(args[0]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1234, 0, 1), RETURN(SECCOMP_RET_ERRNO | 5),
                             RETURN(SECCOMP_RET_ALLOW)),
                     0),
             0);
    CHECK_ERRNO(dup(1234), 5);
    CHECK_ERRNO(dup(1235), EBADF);
}

CASE(architecture)
{
    CHECK_EQ(install(PROGRAM(LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0), RETURN(SECCOMP_RET_KILL_PROCESS), RETURN(SECCOMP_RET_ALLOW)), 0), 0);
    CHECK(getpid() > 0);
}

CASE(newest_and_strictest_counts)
{
    CHECK_EQ(install(PROGRAM(LOAD(nr), IF_CALL(uname, SECCOMP_RET_ERRNO | 5), RETURN(SECCOMP_RET_ALLOW)), 0), 0);
    CHECK_EQ(install(PROGRAM(LOAD(nr), IF_CALL(uname, SECCOMP_RET_ALLOW), IF_CALL(dup, SECCOMP_RET_ERRNO | 6), RETURN(SECCOMP_RET_ALLOW)), 0), 0);
    CHECK_ERRNO(syscall(SYS_uname, BAD_POINTER), 5);
    CHECK_ERRNO(dup(0), 6);
    CHECK_EQ(install(PROGRAM(LOAD(nr), IF_CALL(uname, SECCOMP_RET_ERRNO | 7), RETURN(SECCOMP_RET_ALLOW)), 0), 0);
    CHECK_ERRNO(syscall(SYS_uname, BAD_POINTER), 7);
}

static int status_of(struct sock_filter *filter, unsigned short length)
{
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(install(filter, length, 0), 0);
        syscall(SYS_uname, BAD_POINTER);
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    return status & 0x7f;
}

CASE(kill)
{
    CHECK_EQ(status_of(PROGRAM(LOAD(nr), IF_CALL(uname, SECCOMP_RET_KILL_PROCESS), RETURN(SECCOMP_RET_ALLOW))), SIGSYS);
    CHECK_EQ(status_of(PROGRAM(LOAD(nr), IF_CALL(uname, SECCOMP_RET_KILL_THREAD), RETURN(SECCOMP_RET_ALLOW))), SIGSYS);
    CHECK_EQ(status_of(PROGRAM(LOAD(nr), IF_CALL(uname, 0x12340000), RETURN(SECCOMP_RET_ALLOW))), SIGSYS);
    CHECK_EQ(status_of(PROGRAM(LOAD(nr), IF_CALL(uname, SECCOMP_RET_TRAP), RETURN(SECCOMP_RET_ALLOW))), SIGSYS);
}

static void *call_uname(void *unused)
{
    syscall(SYS_uname, BAD_POINTER);
    return unused;
}

CASE(kill_thread_spares_the_others)
{
    CHECK_EQ(install(PROGRAM(LOAD(nr), IF_CALL(uname, SECCOMP_RET_KILL_THREAD), RETURN(SECCOMP_RET_ALLOW)), 0), 0);
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, call_uname, NULL), 0);
    sleep_ms(50);
    CHECK(getpid() > 0);
    _exit(0);
}

CASE(trace_without_tracer)
{
    CHECK_EQ(install(PROGRAM(LOAD(nr), IF_CALL(uname, SECCOMP_RET_TRACE), RETURN(SECCOMP_RET_ALLOW)), 0), 0);
    CHECK_ERRNO(syscall(SYS_uname, BAD_POINTER), ENOSYS);
}

static siginfo_t seen;
static volatile long seen_rax;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)number;
    seen = *info;
    seen_rax = ((ucontext_t *)context)->uc_mcontext.gregs[13]; // REG_RAX
    ((ucontext_t *)context)->uc_mcontext.gregs[13] = 4711;
}

CASE(trap)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    sigaction(SIGSYS, &action, NULL);
    CHECK_EQ(install(PROGRAM(LOAD(nr), IF_CALL(uname, SECCOMP_RET_TRAP | 0x99), RETURN(SECCOMP_RET_ALLOW)), 0), 0);
    CHECK_EQ(syscall(SYS_uname, BAD_POINTER), 4711);
    CHECK_EQ(seen.si_signo, SIGSYS);
    CHECK_EQ(seen.si_code, 1);
    CHECK_EQ(seen.si_errno, 0x99);
    CHECK_EQ(seen.si_syscall, SYS_uname);
    CHECK_EQ(seen.si_arch, AUDIT_ARCH_X86_64);
    CHECK(seen.si_call_addr != NULL);
    CHECK_EQ(seen_rax, SYS_uname);
}

CASE(inherited_by_fork_and_exec)
{
    CHECK_EQ(install(PROGRAM(LOAD(nr), IF_CALL(uname, SECCOMP_RET_ERRNO | 5), RETURN(SECCOMP_RET_ALLOW)), 0), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_ERRNO(syscall(SYS_uname, BAD_POINTER), 5);
        close(2);
        execl("/bin/uname", "uname", NULL);
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(status != 0);
}

CASE(arithmetic)
{
    // ((nr + 3) * 2 - 6) / 2 == nr, through scratch memory and x
    CHECK_EQ(install(PROGRAM(LOAD(nr), BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 3), BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 2), BPF_STMT(BPF_ST, 5), BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 6),
                             BPF_STMT(BPF_LD | BPF_MEM, 5), BPF_STMT(BPF_ALU | BPF_SUB | BPF_X, 0), BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 1), BPF_STMT(BPF_MISC | BPF_TAX, 0),
                             BPF_STMT(BPF_LD | BPF_IMM, SYS_uname), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1), RETURN(SECCOMP_RET_ERRNO | 9), RETURN(SECCOMP_RET_ALLOW)),
                     0),
             0);
    CHECK_ERRNO(syscall(SYS_uname, BAD_POINTER), 9);
    CHECK(getppid() > 0);
}

CASE(division_by_zero_kills)
{
    CHECK_EQ(status_of(PROGRAM(LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 0, 3), BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0), BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
                               RETURN(SECCOMP_RET_ALLOW), RETURN(SECCOMP_RET_ALLOW))),
             SIGSYS);
}

CASE(bad_programs)
{
    CHECK_ERRNO(install(PROGRAM(LOAD(nr)), 0), EINVAL);
    CHECK_ERRNO(install(PROGRAM(RETURN(SECCOMP_RET_ALLOW)) * 0, 0), EINVAL);
    CHECK_ERRNO(install(PROGRAM(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), RETURN(SECCOMP_RET_ALLOW)), 0), EINVAL);
    CHECK_ERRNO(install(PROGRAM(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), RETURN(SECCOMP_RET_ALLOW)), 0), EINVAL);
    CHECK_ERRNO(install(PROGRAM(BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), RETURN(SECCOMP_RET_ALLOW)), 0), EINVAL);
    CHECK_ERRNO(install(PROGRAM(BPF_JUMP(BPF_JMP | BPF_JA, 5, 0, 0), RETURN(SECCOMP_RET_ALLOW)), 0), EINVAL);
    CHECK_ERRNO(install(PROGRAM(BPF_JUMP(BPF_JMP | BPF_JEQ, 5, 1, 0), RETURN(SECCOMP_RET_ALLOW)), 0), EINVAL);
    CHECK_ERRNO(install(PROGRAM(BPF_STMT(BPF_LD | BPF_MEM, 0), RETURN(SECCOMP_RET_ALLOW)), 0), EINVAL);
    CHECK_ERRNO(install(PROGRAM(BPF_STMT(BPF_ST, 16), RETURN(SECCOMP_RET_ALLOW)), 0), EINVAL);
    CHECK_ERRNO(install(PROGRAM(BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RETURN(SECCOMP_RET_ALLOW)), 0), EINVAL);
    CHECK_ERRNO(install(PROGRAM(BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), RETURN(SECCOMP_RET_ALLOW)), 0), EINVAL);
    CHECK_ERRNO(install(PROGRAM(BPF_STMT(0xffff, 0), RETURN(SECCOMP_RET_ALLOW)), 0), EINVAL);
    CHECK_ERRNO(install(PROGRAM(BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), RETURN(SECCOMP_RET_ALLOW)), 0), EINVAL);
}

CASE(bad_arguments)
{
    CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, 0, BAD_POINTER), EFAULT);
    CHECK_ERRNO(install((void *)BAD_POINTER, 1, 0), EFAULT);
    CHECK_ERRNO(install(PROGRAM(RETURN(SECCOMP_RET_ALLOW)), 0x8000), EINVAL);
    CHECK_ERRNO(seccomp(99, 0, NULL), EINVAL);
    CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
    CHECK_ERRNO(prctl(PR_SET_SECCOMP, 9, 0, 0, 0), EINVAL);
    CHECK_EQ(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
}

CASE(needs_no_new_privs)
{
    CHECK_EQ(setuid(1000), 0);
    CHECK_ERRNO(install(PROGRAM(RETURN(SECCOMP_RET_ALLOW)), 0), EACCES);
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(install(PROGRAM(RETURN(SECCOMP_RET_ALLOW)), 0), 0);
}

CASE(prctl_form)
{
    struct sock_filter filter[] = { LOAD(nr), IF_CALL(uname, SECCOMP_RET_ERRNO | 5), RETURN(SECCOMP_RET_ALLOW) };
    struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
    CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0), 0);
    CHECK_ERRNO(syscall(SYS_uname, BAD_POINTER), 5);
}

CASE(actions_available)
{
    uint32_t action = SECCOMP_RET_ALLOW;
    CHECK_EQ(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action), 0);
    action = SECCOMP_RET_KILL_PROCESS;
    CHECK_EQ(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action), 0);
    action = 0x12340000;
    CHECK_ERRNO(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action), EOPNOTSUPP);
    CHECK_ERRNO(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, BAD_POINTER), EFAULT);
}

CASE(strict_mode)
{
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0), 0);
        syscall(SYS_exit, 5);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 5 << 8);
    pid = fork();
    if (pid == 0) {
        CHECK_EQ(seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL), 0);
        syscall(SYS_getpid);
        syscall(SYS_exit, 5);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, SIGKILL);
}

static volatile int go, result;

static void *wait_and_call(void *unused)
{
    while (!go) {
        sleep_ms(1);
    }
    errno = 0;
    syscall(SYS_uname, BAD_POINTER);
    result = errno;
    return unused;
}

CASE(tsync)
{
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, wait_and_call, NULL), 0);
    CHECK_EQ(install(PROGRAM(LOAD(nr), IF_CALL(uname, SECCOMP_RET_ERRNO | 5), RETURN(SECCOMP_RET_ALLOW)), SECCOMP_FILTER_FLAG_TSYNC), 0);
    go = 1;
    pthread_join(thread, NULL);
    CHECK_EQ(result, 5);
}

CASE(threads_keep_their_own)
{
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, wait_and_call, NULL), 0);
    CHECK_EQ(install(PROGRAM(LOAD(nr), IF_CALL(uname, SECCOMP_RET_ERRNO | 5), RETURN(SECCOMP_RET_ALLOW)), 0), 0);
    go = 1;
    pthread_join(thread, NULL);
    CHECK_EQ(result, EFAULT);
}

CASE(too_many_filters)
{
    static struct sock_filter filter[4096];
    for (int i = 0; i < 4096; i++) {
        filter[i] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
    }
    int count = 0;
    int error = 0;
    while (count < 20 && (error = install(filter, 4096, 0) == 0 ? 0 : errno) == 0) {
        count++;
    }
    CHECK_EQ(error, ENOMEM);
    CHECK(count >= 1 && count < 8);
}

GUEST_MAIN("seccomp")
