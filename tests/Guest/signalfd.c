// signalfd(2)
#include "guest.h"
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/time.h>

static int make(int flags, int count, ...)
{
    sigset_t set;
    sigemptyset(&set);
    va_list list;
    va_start(list, count);
    for (int i = 0; i < count; i++) {
        sigaddset(&set, va_arg(list, int));
    }
    va_end(list);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, flags);
}

CASE(reads_a_kill)
{
    int fd = make(0, 1, SIGUSR1);
    kill(getpid(), SIGUSR1);
    struct signalfd_siginfo info;
    memset(&info, 0xff, sizeof info);
    CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
    CHECK_EQ(info.ssi_signo, SIGUSR1);
    CHECK_EQ(info.ssi_errno, 0);
    CHECK_EQ(info.ssi_code, SI_USER);
    CHECK_EQ(info.ssi_pid, getpid());
    CHECK_EQ(info.ssi_uid, getuid());
}

CASE(reads_a_queued_value)
{
    int fd = make(0, 1, SIGRTMIN + 1);
    union sigval value = { .sival_ptr = (void *)0x123456789abcdef0 };
    CHECK_EQ(sigqueue(getpid(), SIGRTMIN + 1, value), 0);
    struct signalfd_siginfo info;
    CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
    CHECK_EQ(info.ssi_code, SI_QUEUE);
    CHECK_EQ(info.ssi_ptr, 0x123456789abcdef0);
    CHECK_EQ(info.ssi_int, (int32_t)0x9abcdef0);
}

CASE(reads_a_child)
{
    int fd = make(0, 1, SIGCHLD);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(5);
    }
    struct signalfd_siginfo info;
    CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
    CHECK_EQ(info.ssi_signo, SIGCHLD);
    CHECK_EQ(info.ssi_code, CLD_EXITED);
    CHECK_EQ(info.ssi_pid, pid);
    CHECK_EQ(info.ssi_status, 5);
}

CASE(reads_a_timer)
{
    int fd = make(0, 1, SIGALRM);
    alarm(0);
    struct itimerval value = { { 0, 0 }, { 0, 5000 } };
    CHECK_EQ(setitimer(ITIMER_REAL, &value, NULL), 0);
    struct signalfd_siginfo info;
    CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
    CHECK_EQ(info.ssi_signo, SIGALRM);
    CHECK_EQ(info.ssi_code, SI_KERNEL);
}

CASE(reads_several)
{
    int fd = make(0, 3, SIGUSR2, SIGUSR1, SIGRTMIN);
    kill(getpid(), SIGRTMIN);
    kill(getpid(), SIGRTMIN);
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    struct signalfd_siginfo info[8];
    CHECK_EQ(read(fd, info, sizeof info), 4 * sizeof *info);
    CHECK_EQ(info[0].ssi_signo, SIGUSR1);
    CHECK_EQ(info[1].ssi_signo, SIGUSR2);
    CHECK_EQ(info[2].ssi_signo, SIGRTMIN);
    CHECK_EQ(info[3].ssi_signo, SIGRTMIN);
}

CASE(thread_signals_come_first)
{
    int fd = make(0, 2, SIGUSR2, SIGUSR1);
    kill(getpid(), SIGUSR1);
    raise(SIGUSR2);
    struct signalfd_siginfo info[2];
    CHECK_EQ(read(fd, info, sizeof info), sizeof info);
    CHECK_EQ(info[0].ssi_signo, SIGUSR2);
    CHECK_EQ(info[0].ssi_code, SI_TKILL);
    CHECK_EQ(info[1].ssi_signo, SIGUSR1);
}

CASE(eagain_when_none)
{
    int fd = make(SFD_NONBLOCK, 1, SIGUSR1);
    struct signalfd_siginfo info;
    CHECK_ERRNO(read(fd, &info, sizeof info), EAGAIN);
}

CASE(einval_for_short_reads)
{
    int fd = make(SFD_NONBLOCK, 1, SIGUSR1);
    kill(getpid(), SIGUSR1);
    char info[127];
    CHECK_ERRNO(read(fd, info, sizeof info), EINVAL);
    struct signalfd_siginfo whole[2];
    CHECK_EQ(read(fd, whole, sizeof whole - 1), sizeof *whole);
}

CASE(flags)
{
    int fd = make(SFD_NONBLOCK | SFD_CLOEXEC, 1, SIGUSR1);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    sigset_t set;
    sigemptyset(&set);
    CHECK_ERRNO(signalfd(-1, &set, 1), EINVAL);
}

CASE(bad_arguments)
{
    uint64_t set = 0;
    CHECK_ERRNO(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_signalfd4, -1, BAD_POINTER, 8, 0), EFAULT);
    CHECK_ERRNO(syscall(SYS_signalfd4, 99, &set, 8, 0), EBADF);
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_ERRNO(syscall(SYS_signalfd4, fds[0], &set, 8, 0), EINVAL);
}

CASE(mask_can_change)
{
    int fd = make(SFD_NONBLOCK, 1, SIGUSR1);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGUSR2);
    struct signalfd_siginfo info;
    CHECK_ERRNO(read(fd, &info, sizeof info), EAGAIN);
    CHECK_EQ(signalfd(fd, &set, 0), fd);
    CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
    CHECK_EQ(info.ssi_signo, SIGUSR2);
}

CASE(kill_and_stop_are_left_out)
{
    int fd = make(SFD_NONBLOCK, 2, SIGKILL, SIGSTOP);
    CHECK(fd >= 0);
    struct pollfd poll_fd = { fd, POLLIN, 0 };
    CHECK_EQ(poll(&poll_fd, 1, 0), 0);
}

CASE(poll_waits)
{
    int fd = make(0, 1, SIGUSR1);
    struct pollfd poll_fd = { fd, POLLIN, 0 };
    CHECK_EQ(poll(&poll_fd, 1, 0), 0);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        sleep_ms(10);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    CHECK_EQ(poll(&poll_fd, 1, 5000), 1);
    CHECK_EQ(poll_fd.revents, POLLIN);
    CHECK_CHILD(pid);
}

CASE(child_sees_its_own_signals)
{
    int fd = make(SFD_NONBLOCK, 1, SIGUSR1);
    kill(getpid(), SIGUSR1);
    pid_t pid = fork();
    if (pid == 0) {
        struct signalfd_siginfo info;
        struct pollfd poll_fd = { fd, POLLIN, 0 };
        CHECK_EQ(poll(&poll_fd, 1, 0), 0);
        CHECK_ERRNO(read(fd, &info, sizeof info), EAGAIN);
        kill(getpid(), SIGUSR1);
        CHECK_EQ(poll(&poll_fd, 1, 0), 1);
        CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
        CHECK_EQ(info.ssi_pid, getpid());
        _exit(0);
    }
    CHECK_CHILD(pid);
    struct signalfd_siginfo info;
    CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
    CHECK_EQ(info.ssi_pid, getpid());
}

CASE(epoll_belongs_to_who_added)
{
    int fd = make(0, 1, SIGUSR1), epoll = epoll_create1(0);
    struct epoll_event event = { EPOLLIN, { .fd = fd } };
    CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
    CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 0);
    kill(getpid(), SIGUSR1);
    CHECK_EQ(epoll_wait(epoll, &event, 1, 1000), 1);
}

static void *wait_and_kill(void *unused)
{
    sleep_ms(10);
    kill(getpid(), SIGUSR1);
    return unused;
}

CASE(read_blocks_until_a_signal)
{
    int fd = make(0, 1, SIGUSR1);
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, wait_and_kill, NULL), 0);
    struct signalfd_siginfo info;
    CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
    CHECK_EQ(info.ssi_signo, SIGUSR1);
    pthread_join(thread, NULL);
}

static void handler(int number)
{
    (void)number;
}

CASE(other_signals_interrupt_a_read)
{
    int fd = make(0, 1, SIGUSR1);
    struct sigaction action = { .sa_handler = handler };
    sigaction(SIGALRM, &action, NULL);
    struct itimerval value = { { 0, 0 }, { 0, 10000 } };
    CHECK_EQ(setitimer(ITIMER_REAL, &value, NULL), 0);
    struct signalfd_siginfo info;
    CHECK_ERRNO(read(fd, &info, sizeof info), EINTR);
}

CASE(consumed_signals_are_not_pending)
{
    int fd = make(0, 1, SIGUSR1);
    kill(getpid(), SIGUSR1);
    sigset_t pending;
    sigpending(&pending);
    CHECK_EQ(sigismember(&pending, SIGUSR1), 1);
    struct signalfd_siginfo info;
    CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
    sigpending(&pending);
    CHECK_EQ(sigismember(&pending, SIGUSR1), 0);
}

CASE(writes_are_refused)
{
    int fd = make(0, 1, SIGUSR1);
    CHECK_ERRNO(write(fd, "x", 1), EINVAL);
}

GUEST_MAIN("signalfd")
