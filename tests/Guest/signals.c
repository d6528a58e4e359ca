// sigaction(2), sigprocmask(2), kill(2), sigqueue(3), sigaltstack(2), sigsuspend(2), sigtimedwait(2), signal(7)
#include "guest.h"
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/time.h>
#include <sys/ucontext.h>

static volatile int count, last, order[64], order_count;
static volatile siginfo_t last_info;

static void on_signal(int signal)
{
    count++;
    last = signal;
}

static void on_info(int signal, siginfo_t *info, void *context)
{
    count++;
    last = signal;
    last_info = *info;
    if (order_count < 64) {
        order[order_count++] = info->si_value.sival_int;
    }
}

static void handle(int signal, void (*handler)(int), int flags)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
    CHECK_EQ(sigaction(signal, &action, NULL), 0);
}

static void handle_info(int signal, int flags)
{
    struct sigaction action = { .sa_sigaction = on_info, .sa_flags = flags | SA_SIGINFO };
    CHECK_EQ(sigaction(signal, &action, NULL), 0);
}

static void block(int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
}

static void unblock(int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    CHECK_EQ(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
}

static int pending(int signal)
{
    sigset_t set;
    CHECK_EQ(sigpending(&set), 0);
    return sigismember(&set, signal);
}

CASE(handler_runs)
{
    handle(SIGUSR1, on_signal, 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK(count == 1 && last == SIGUSR1);
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    CHECK_EQ(count, 2);
}

CASE(sigaction_is_checked)
{
    struct sigaction action = { .sa_handler = on_signal };
    CHECK_ERRNO(sigaction(SIGKILL, &action, NULL), EINVAL);
    CHECK_ERRNO(sigaction(SIGSTOP, &action, NULL), EINVAL);
    CHECK_ERRNO(sigaction(0, &action, NULL), EINVAL);
    CHECK_ERRNO(sigaction(65, &action, NULL), EINVAL);
    CHECK_EQ(syscall(SYS_rt_sigaction, SIGKILL, NULL, NULL, 8), 0);
    CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4), EINVAL);
    CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, BAD_POINTER, NULL, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, NULL, BAD_POINTER, 8), EFAULT);
}

CASE(sigaction_tells_the_old_one)
{
    handle(SIGUSR1, on_signal, SA_RESTART);
    struct sigaction old;
    CHECK_EQ(sigaction(SIGUSR1, NULL, &old), 0);
    CHECK(old.sa_handler == on_signal);
    CHECK(old.sa_flags & SA_RESTART);
    handle(SIGUSR1, SIG_IGN, 0);
    CHECK_EQ(sigaction(SIGUSR1, NULL, &old), 0);
    CHECK(old.sa_handler == SIG_IGN);
}

CASE(blocked_signals_wait)
{
    handle(SIGUSR1, on_signal, 0);
    block(SIGUSR1);
    raise(SIGUSR1);
    raise(SIGUSR1);
    CHECK_EQ(count, 0);
    CHECK(pending(SIGUSR1));
    unblock(SIGUSR1);
    CHECK_EQ(count, 1);
    CHECK(!pending(SIGUSR1));
}

CASE(ignoring_discards_what_is_pending)
{
    block(SIGUSR1);
    raise(SIGUSR1);
    CHECK(pending(SIGUSR1));
    handle(SIGUSR1, SIG_IGN, 0);
    CHECK(!pending(SIGUSR1));
    raise(SIGUSR1);
    CHECK(pending(SIGUSR1)); // a blocked one stays although it is ignored
    handle(SIGUSR1, on_signal, 0);
    unblock(SIGUSR1);
    CHECK_EQ(count, 1);
}

CASE(signals_ignored_by_default_are_discarded)
{
    block(SIGCHLD);
    handle(SIGCHLD, on_signal, 0);
    raise(SIGCHLD);
    CHECK(pending(SIGCHLD));
    handle(SIGCHLD, SIG_DFL, 0);
    CHECK(!pending(SIGCHLD));
}

CASE(kill_and_stop_cannot_be_blocked)
{
    sigset_t set;
    sigfillset(&set);
    CHECK_EQ(sigprocmask(SIG_SETMASK, &set, NULL), 0);
    CHECK_EQ(sigprocmask(SIG_SETMASK, NULL, &set), 0);
    CHECK(!sigismember(&set, SIGKILL) && !sigismember(&set, SIGSTOP) && sigismember(&set, SIGTERM));
}

CASE(sigprocmask_is_checked)
{
    uint64_t set = 0;
    CHECK_ERRNO(syscall(SYS_rt_sigprocmask, 77, &set, NULL, 8), EINVAL);
    CHECK_EQ(syscall(SYS_rt_sigprocmask, 77, NULL, NULL, 8), 0);
    CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 7), EINVAL);
    CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, BAD_POINTER, NULL, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, BAD_POINTER, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_rt_sigpending, &set, 9), EINVAL);
}

static volatile int depth, deepest;

static void on_nested(int signal)
{
    depth++;
    if (depth > deepest) {
        deepest = depth;
    }
    if (count++ < 3) {
        raise(signal);
    }
    depth--;
}

CASE(own_signal_is_blocked_in_its_handler)
{
    handle(SIGUSR1, on_nested, 0);
    raise(SIGUSR1);
    CHECK_EQ(count, 4);
    CHECK_EQ(deepest, 1);
}

CASE(nodefer_lets_it_nest)
{
    handle(SIGUSR1, on_nested, SA_NODEFER);
    raise(SIGUSR1);
    CHECK_EQ(count, 4);
    CHECK_EQ(deepest, 4);
}

CASE(resethand_works_once)
{
    handle(SIGUSR1, on_signal, SA_RESETHAND);
    raise(SIGUSR1);
    struct sigaction old;
    CHECK_EQ(sigaction(SIGUSR1, NULL, &old), 0);
    CHECK(old.sa_handler == SIG_DFL);
    pid_t pid = fork();
    if (pid == 0) {
        raise(SIGUSR1);
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, SIGUSR1);
}

static void on_mask(int signal)
{
    sigset_t set;
    sigprocmask(SIG_SETMASK, NULL, &set);
    last = sigismember(&set, SIGUSR1) | sigismember(&set, SIGUSR2) << 1 | sigismember(&set, SIGTERM) << 2;
}

CASE(mask_of_the_action_counts_in_the_handler)
{
    struct sigaction action = { .sa_handler = on_mask };
    sigaddset(&action.sa_mask, SIGUSR2);
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    raise(SIGUSR1);
    CHECK_EQ(last, 3);
    sigset_t set;
    sigprocmask(SIG_SETMASK, NULL, &set);
    CHECK(!sigismember(&set, SIGUSR1) && !sigismember(&set, SIGUSR2));
}

CASE(default_actions_end_with_the_signal)
{
    int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT, SIGXCPU, SIGXFSZ,
        SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSYS, 32, 33, 34, 64 };
    for (unsigned i = 0; i < sizeof ending / sizeof *ending; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            syscall(SYS_kill, getpid(), ending[i]);
            _exit(0);
        }
        int status;
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK_EQ(status & 0x7f, ending[i]);
    }
    int ignored[] = { SIGCHLD, SIGCONT, SIGURG, SIGWINCH };
    for (unsigned i = 0; i < sizeof ignored / sizeof *ignored; i++) {
        CHECK_EQ(kill(getpid(), ignored[i]), 0);
    }
}

CASE(realtime_signals_queue_in_order)
{
    int signal = SIGRTMIN + 1;
    handle_info(signal, 0);
    block(signal);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(sigqueue(getpid(), signal, (union sigval){ .sival_int = i }), 0);
    }
    unblock(signal);
    CHECK_EQ(count, 10);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(order[i], i);
    }
    CHECK(last_info.si_code == SI_QUEUE && last_info.si_pid == getpid() && last_info.si_uid == getuid());
}

CASE(lower_numbers_come_first)
{
    sigset_t all;
    sigfillset(&all);
    CHECK_EQ(sigprocmask(SIG_SETMASK, &all, NULL), 0);
    int signals[] = { SIGRTMIN + 5, SIGUSR2, SIGRTMIN + 1, SIGUSR1 };
    for (int i = 0; i < 4; i++) {
        struct sigaction action = { .sa_sigaction = on_info, .sa_flags = SA_SIGINFO, .sa_mask = all };
        CHECK_EQ(sigaction(signals[i], &action, NULL), 0);
        CHECK_EQ(sigqueue(getpid(), signals[i], (union sigval){ .sival_int = signals[i] }), 0);
    }
    sigemptyset(&all);
    CHECK_EQ(sigprocmask(SIG_SETMASK, &all, NULL), 0);
    CHECK_EQ(order_count, 4);
    CHECK(order[0] == SIGUSR1 && order[1] == SIGUSR2 && order[2] == SIGRTMIN + 1 && order[3] == SIGRTMIN + 5);
}

CASE(info_of_kill_and_tgkill)
{
    handle_info(SIGUSR1, 0);
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    CHECK(last_info.si_code == SI_USER && last_info.si_pid == getpid() && last_info.si_uid == getuid());
    CHECK_EQ(syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1), 0);
    CHECK_EQ(last_info.si_code, SI_TKILL);
    CHECK_EQ(syscall(SYS_tkill, getpid(), SIGUSR1), 0);
    CHECK_EQ(count, 3);
}

CASE(kill_is_checked)
{
    CHECK_ERRNO(kill(getpid(), 65), EINVAL);
    CHECK_ERRNO(kill(getpid(), -1), EINVAL);
    CHECK_ERRNO(kill(999999, SIGTERM), ESRCH);
    CHECK_ERRNO(kill(-999999, SIGTERM), ESRCH);
    CHECK_EQ(kill(0, 0), 0);
    CHECK_ERRNO(syscall(SYS_tgkill, getpid(), 999999, 0), ESRCH);
    CHECK_ERRNO(syscall(SYS_tgkill, 1, getpid(), 0), ESRCH);
    CHECK_ERRNO(syscall(SYS_tgkill, -1, getpid(), 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_tgkill, getpid(), 0, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_tkill, 0, 0), EINVAL);
}

CASE(sigqueue_is_checked)
{
    siginfo_t info = { .si_code = SI_USER };
    pid_t pid = fork();
    if (pid == 0) {
        pause();
    }
    CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info), EPERM);
    info.si_code = SI_TKILL;
    CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info), EPERM);
    info.si_code = 5;
    CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info), EPERM);
    info.si_code = SI_QUEUE;
    CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, BAD_POINTER), EFAULT);
    CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, 999999, SIGUSR1, &info), ESRCH);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

CASE(own_signals_may_lie_about_their_code)
{
    handle_info(SIGUSR1, 0);
    siginfo_t info = { .si_code = SI_USER, .si_pid = 4711 };
    CHECK_EQ(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info), 0);
    CHECK(last_info.si_code == SI_USER && last_info.si_pid == 4711);
    CHECK_EQ(last_info.si_signo, SIGUSR1);
}

static volatile uintptr_t stack_seen;

static void on_stack(int signal)
{
    char here;
    stack_seen = (uintptr_t)&here;
    stack_t now;
    sigaltstack(NULL, &now);
    last = now.ss_flags;
}

CASE(alternate_stack_is_used)
{
    static char stack[65536];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack }, old;
    CHECK_EQ(sigaltstack(&alternate, &old), 0);
    CHECK_EQ(old.ss_flags, SS_DISABLE);
    handle(SIGUSR1, on_stack, SA_ONSTACK);
    raise(SIGUSR1);
    CHECK(stack_seen - (uintptr_t)stack < sizeof stack);
    CHECK_EQ(last, SS_ONSTACK);
    CHECK_EQ(sigaltstack(NULL, &old), 0);
    CHECK(old.ss_sp == stack && old.ss_size == sizeof stack && old.ss_flags == 0);
    handle(SIGUSR1, on_stack, 0);
    raise(SIGUSR1);
    CHECK(!(stack_seen - (uintptr_t)stack < sizeof stack));
}

static void on_change(int signal)
{
    stack_t other = { .ss_flags = SS_DISABLE };
    errno = 0;
    last = sigaltstack(&other, NULL) == -1 ? errno : 0;
}

CASE(alternate_stack_is_checked)
{
    static char stack[65536];
    stack_t alternate = { .ss_sp = stack, .ss_size = 100 };
    CHECK_ERRNO(sigaltstack(&alternate, NULL), ENOMEM);
    alternate = (stack_t){ .ss_sp = stack, .ss_size = sizeof stack, .ss_flags = 0x40 };
    CHECK_ERRNO(sigaltstack(&alternate, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_sigaltstack, BAD_POINTER, NULL), EFAULT);
    CHECK_ERRNO(syscall(SYS_sigaltstack, NULL, BAD_POINTER), EFAULT);
    alternate.ss_flags = 0;
    CHECK_EQ(sigaltstack(&alternate, NULL), 0);
    handle(SIGUSR1, on_change, SA_ONSTACK);
    raise(SIGUSR1);
    CHECK_EQ(last, EPERM);
}

CASE(autodisarm_gives_the_stack_free)
{
    static char stack[65536];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack, .ss_flags = (int)(1U << 31) }, now;
    CHECK_EQ(sigaltstack(&alternate, NULL), 0);
    handle(SIGUSR1, on_stack, SA_ONSTACK);
    raise(SIGUSR1);
    CHECK(stack_seen - (uintptr_t)stack < sizeof stack);
    CHECK_EQ(last, SS_DISABLE);
    CHECK_EQ(sigaltstack(NULL, &now), 0);
    CHECK_EQ(now.ss_flags, (int)(1U << 31));
}

static sigjmp_buf jump;

static void on_overflow(int signal)
{
    siglongjmp(jump, 1);
}

static int __attribute__((noinline)) consume(int depth)
{
    volatile char frame[8192] __attribute__((unused));
    frame[0] = depth;
    return depth == 0 ? 0 : consume(depth + 2) + frame[0];
}

CASE(stack_overflow_can_be_handled)
{
    static char stack[65536];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
    CHECK_EQ(sigaltstack(&alternate, NULL), 0);
    handle(SIGSEGV, on_overflow, SA_ONSTACK);
    if (sigsetjmp(jump, 1) == 0) {
        consume(1);
        guest_fail("no overflow");
    }
}

CASE(sigsuspend_waits_with_another_mask)
{
    handle(SIGUSR1, on_signal, 0);
    block(SIGUSR1);
    raise(SIGUSR1);
    sigset_t none;
    sigemptyset(&none);
    CHECK_ERRNO(sigsuspend(&none), EINTR);
    CHECK_EQ(count, 1);
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    CHECK(sigismember(&now, SIGUSR1));
    CHECK_ERRNO(syscall(SYS_rt_sigsuspend, &none, 7), EINVAL);
    CHECK_ERRNO(syscall(SYS_rt_sigsuspend, BAD_POINTER, 8), EFAULT);
}

CASE(pause_returns_after_a_handler)
{
    handle(SIGALRM, on_signal, SA_RESTART);
    struct itimerval timer = { .it_value = { 0, 20000 } };
    CHECK_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
    CHECK_ERRNO(pause(), EINTR);
    CHECK_EQ(count, 1);
}

CASE(sigwaitinfo_takes_a_pending_signal)
{
    int signal = SIGRTMIN + 2;
    block(signal);
    CHECK_EQ(sigqueue(getpid(), signal, (union sigval){ .sival_int = 99 }), 0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    siginfo_t info;
    CHECK_EQ(sigwaitinfo(&set, &info), signal);
    CHECK(info.si_value.sival_int == 99 && info.si_code == SI_QUEUE);
    struct timespec zero = { 0, 0 };
    CHECK_ERRNO(sigtimedwait(&set, &info, &zero), EAGAIN);
    struct timespec bad = { 0, 1000000000 };
    CHECK_ERRNO(sigtimedwait(&set, &info, &bad), EINVAL);
    struct timespec little = { 0, 5000000 };
    CHECK_ERRNO(sigtimedwait(&set, NULL, &little), EAGAIN);
    CHECK_ERRNO(syscall(SYS_rt_sigtimedwait, BAD_POINTER, NULL, NULL, 8), EFAULT);
}

CASE(sigtimedwait_waits_for_a_child)
{
    block(SIGCHLD);
    pid_t pid = fork();
    if (pid == 0) {
        sleep_ms(10);
        _exit(0);
    }
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    siginfo_t info;
    CHECK_EQ(sigtimedwait(&set, &info, &(struct timespec){ 10, 0 }), SIGCHLD);
    CHECK_EQ(info.si_pid, pid);
    CHECK_CHILD(pid);
}

CASE(sigtimedwait_is_interrupted_by_others)
{
    handle(SIGALRM, on_signal, SA_RESTART);
    block(SIGUSR1);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    struct itimerval timer = { .it_value = { 0, 20000 } };
    CHECK_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
    CHECK_ERRNO(sigtimedwait(&set, NULL, &(struct timespec){ 10, 0 }), EINTR);
}

static void alarm_soon(int flags)
{
    handle(SIGALRM, on_signal, flags);
    struct itimerval timer = { .it_value = { 0, 30000 } };
    CHECK_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

static pid_t write_later(int fd)
{
    pid_t pid = fork();
    if (pid == 0) {
        sleep_ms(100);
        CHECK_EQ(write(fd, "x", 1), 1);
        _exit(0);
    }
    return pid;
}

CASE(read_is_interrupted_without_restart)
{
    int fds[2];
    char c;
    CHECK_EQ(pipe(fds), 0);
    alarm_soon(0);
    CHECK_ERRNO(read(fds[0], &c, 1), EINTR);
    CHECK_EQ(count, 1);
}

CASE(read_goes_on_with_restart)
{
    int fds[2];
    char c;
    CHECK_EQ(pipe(fds), 0);
    pid_t pid = write_later(fds[1]);
    alarm_soon(SA_RESTART);
    CHECK_EQ(read(fds[0], &c, 1), 1);
    CHECK_EQ(count, 1);
    CHECK_CHILD(pid);
}

CASE(wait_goes_on_with_restart)
{
    pid_t pid = fork();
    if (pid == 0) {
        sleep_ms(100);
        _exit(0);
    }
    alarm_soon(SA_RESTART);
    CHECK_CHILD(pid);
    CHECK_EQ(count, 1);
}

CASE(wait_is_interrupted_without_restart)
{
    pid_t pid = fork();
    if (pid == 0) {
        pause();
    }
    alarm_soon(0);
    CHECK_ERRNO(waitpid(pid, NULL, 0), EINTR);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

CASE(poll_and_sleep_never_restart)
{
    alarm_soon(SA_RESTART);
    CHECK_ERRNO(poll(NULL, 0, 10000), EINTR);
    alarm_soon(SA_RESTART);
    struct timespec left;
    CHECK_ERRNO(nanosleep(&(struct timespec){ 10, 0 }, &left), EINTR);
    CHECK(left.tv_sec >= 8 && left.tv_sec <= 9);
    CHECK_EQ(count, 2);
}

CASE(ignored_signals_do_not_interrupt)
{
    int fds[2];
    char c;
    CHECK_EQ(pipe(fds), 0);
    handle(SIGALRM, SIG_IGN, 0);
    struct itimerval timer = { .it_value = { 0, 20000 } };
    CHECK_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
    pid_t pid = write_later(fds[1]);
    CHECK_EQ(read(fds[0], &c, 1), 1);
    CHECK_CHILD(pid);
}

CASE(stop_and_continue_do_not_interrupt_a_read)
{
    int fds[2], ready[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char c;
        CHECK_EQ(write(ready[1], "r", 1), 1);
        CHECK_EQ(read(fds[0], &c, 1), 1);
        _exit(0);
    }
    char c;
    CHECK_EQ(read(ready[0], &c, 1), 1);
    sleep_ms(10);
    CHECK_EQ(kill(pid, SIGSTOP), 0);
    int status;
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK_EQ(kill(pid, SIGCONT), 0);
    CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_CHILD(pid);
}

static void on_registers(int signal, siginfo_t *info, void *context)
{
    ucontext_t *registers = context;
    registers->uc_mcontext.gregs[REG_R12] = 0x1234567;
    count++;
}

CASE(handler_changes_registers)
{
    struct sigaction action = { .sa_sigaction = on_registers, .sa_flags = SA_SIGINFO };
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    register long value __asm__("r12") = 1;
    register long result __asm__("rax") = SYS_tkill;
    register long tid __asm__("rdi") = syscall(SYS_gettid);
    register long signal __asm__("rsi") = SIGUSR1;
    result = SYS_tkill;
    __asm__ volatile("syscall" : "+r"(result), "+r"(value) : "r"(tid), "r"(signal) : "rcx", "r11", "memory");
    CHECK_EQ(value, 0x1234567);
}

static void on_float(int signal)
{
    double value = 3.0;
    for (int i = 0; i < 100; i++) {
        value *= 1.01;
    }
    __asm__ volatile("pxor %%xmm6, %%xmm6\n pxor %%xmm7, %%xmm7" ::: "xmm6", "xmm7");
    count += value > 3;
}

CASE(vector_registers_survive_a_handler)
{
    handle(SIGUSR1, on_float, 0);
    long in = 0x1122334455667788, out = 0;
    long tid = syscall(SYS_gettid);
    __asm__ volatile("movq %1, %%xmm7\n mov %2, %%rdi\n mov %3, %%esi\n mov %4, %%eax\n syscall\n movq %%xmm7, %0"
                     : "=r"(out) : "r"(in), "r"(tid), "i"(SIGUSR1), "i"(SYS_tkill) : "rax", "rdi", "rsi", "rcx", "r11", "xmm7", "memory");
    CHECK_EQ(count, 1);
    CHECK_EQ(out, in);
}

static void on_trap(int signal, siginfo_t *info, void *context)
{
    last = signal;
    last_info = *info;
    siglongjmp(jump, 1);
}

static void expect(int signal)
{
    struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
    CHECK_EQ(sigaction(signal, &action, NULL), 0);
    last = 0;
}

CASE(division_by_zero)
{
    expect(SIGFPE);
    if (sigsetjmp(jump, 1) == 0) {
        int low = 7, high = 0;
        __asm__ volatile("idivl %2" : "+a"(low), "+d"(high) : "r"(0));
    }
    CHECK_EQ(last, SIGFPE);
    CHECK_EQ(last_info.si_code, FPE_INTDIV);
}

CASE(undefined_instruction)
{
    expect(SIGILL);
    if (sigsetjmp(jump, 1) == 0) {
        __asm__ volatile("ud2");
    }
    CHECK_EQ(last, SIGILL);
    CHECK_EQ(last_info.si_code, ILL_ILLOPN);
}

CASE(breakpoint)
{
    expect(SIGTRAP);
    if (sigsetjmp(jump, 1) == 0) {
        __asm__ volatile("int3");
    }
    CHECK_EQ(last, SIGTRAP);
    CHECK_EQ(last_info.si_code, SI_KERNEL);
}

CASE(privileged_instruction)
{
    expect(SIGSEGV);
    if (sigsetjmp(jump, 1) == 0) {
        __asm__ volatile("hlt");
    }
    CHECK_EQ(last, SIGSEGV);
    CHECK_EQ(last_info.si_code, SI_KERNEL);
}

CASE(fault_while_blocked_kills)
{
    pid_t pid = fork();
    if (pid == 0) {
        handle(SIGSEGV, on_signal, 0);
        block(SIGSEGV);
        *(volatile char *)BAD_POINTER = 1;
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status & 0x7f, SIGSEGV);
}

CASE(fault_while_ignored_kills)
{
    pid_t pid = fork();
    if (pid == 0) {
        handle(SIGSEGV, SIG_IGN, 0);
        *(volatile char *)BAD_POINTER = 1;
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status & 0x7f, SIGSEGV);
}

CASE(bad_stack_for_a_handler_kills)
{
    pid_t pid = fork();
    if (pid == 0) {
        handle(SIGUSR1, on_signal, 0);
        long tid = syscall(SYS_gettid);
        __asm__ volatile("mov %0, %%rdi\n mov %1, %%esi\n mov %2, %%eax\n mov $16, %%rsp\n syscall\n"
                         :: "r"(tid), "i"(SIGUSR1), "i"(SYS_tkill) : "rax", "rdi", "rsi", "rcx", "r11", "memory");
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status & 0x7f, SIGSEGV);
}

static void *wait_for_signal(void *argument)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    int signal;
    sigwait(&set, &signal);
    *(int *)argument = signal;
    return NULL;
}

CASE(process_signals_go_to_a_thread_that_wants_them)
{
    block(SIGUSR1);
    int result = 0;
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, wait_for_signal, &result), 0);
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(result, SIGUSR1);
}

CASE(group_signals_reach_all_members)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    pid_t pids[3];
    for (int i = 0; i < 3; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            setpgid(0, i ? pids[0] : 0);
            CHECK_EQ(write(fds[1], "x", 1), 1);
            while (1) {
                pause();
            }
        }
        setpgid(pids[i], pids[0]);
    }
    char c[3];
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(read(fds[0], c, 1), 1);
    }
    CHECK_EQ(kill(-pids[0], SIGTERM), 0);
    for (int i = 0; i < 3; i++) {
        int status;
        CHECK_EQ(waitpid(pids[i], &status, 0), pids[i]);
        CHECK_EQ(status, SIGTERM);
    }
}

CASE(exec_keeps_mask_and_ignored_signals)
{
    handle(SIGUSR1, SIG_IGN, 0);
    handle(SIGUSR2, on_signal, 0);
    block(SIGTERM);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "while read name value; do case $name in SigBlk:|SigIgn:|SigCgt:) echo $name $value;; esac; done < /proc/self/status > out", NULL);
        _exit(1);
    }
    CHECK_CHILD(pid);
    FILE *file = fopen("out", "r");
    char name[32];
    unsigned long value, blocked = 0, ignored = 0, caught = 0;
    while (fscanf(file, "%31s %lx", name, &value) == 2) {
        *(name[3] == 'B' ? &blocked : name[3] == 'I' ? &ignored : &caught) = value;
    }
    CHECK(blocked & 1 << (SIGTERM - 1));
    CHECK(ignored & 1 << (SIGUSR1 - 1));
    CHECK(!(caught & 1 << (SIGUSR2 - 1)));
}

CASE(pending_signals_are_not_inherited)
{
    block(SIGUSR1);
    raise(SIGUSR1);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(!pending(SIGUSR1));
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK(pending(SIGUSR1));
}

GUEST_MAIN("signals")
