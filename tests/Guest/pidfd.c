// pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2), CLONE_PIDFD, clone3(2), kcmp(2), process_vm_readv(2)
#include "guest.h"
#include <linux/kcmp.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int pidfd_open(pid_t pid, unsigned flags)
{
    return syscall(SYS_pidfd_open, pid, flags);
}

static int pidfd_send(int fd, int number, siginfo_t *info, unsigned flags)
{
    return syscall(SYS_pidfd_send_signal, fd, number, info, flags);
}

static pid_t sleeper(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        while (1) {
            pause();
        }
    }
    return pid;
}

CASE(open_and_kill)
{
    pid_t pid = sleeper();
    int fd = pidfd_open(pid, 0);
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(pidfd_send(fd, 0, NULL, 0), 0);
    CHECK_EQ(pidfd_send(fd, SIGKILL, NULL, 0), 0);
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, SIGKILL);
    CHECK_ERRNO(pidfd_send(fd, 0, NULL, 0), ESRCH);
}

CASE(open_errors)
{
    CHECK_ERRNO(pidfd_open(0, 0), EINVAL);
    CHECK_ERRNO(pidfd_open(-1, 0), EINVAL);
    CHECK_ERRNO(pidfd_open(getpid(), 1), EINVAL);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK_ERRNO(pidfd_open(pid, 0), ESRCH);
}

static void *give_tid(void *where)
{
    *(volatile int *)where = gettid();
    sleep_ms(300);
    return NULL;
}

CASE(open_of_a_thread)
{
    pthread_t thread;
    volatile int tid = 0;
    CHECK_EQ(pthread_create(&thread, NULL, give_tid, (void *)&tid), 0);
    while (!tid) {
        sleep_ms(1);
    }
    CHECK_ERRNO(pidfd_open(tid, 0), ENOENT);
}

CASE(poll_tells_the_end)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char c;
        close(fds[1]);
        _exit(read(fds[0], &c, 1));
    }
    int fd = pidfd_open(pid, 0);
    struct pollfd poll_fd = { fd, POLLIN, 0 };
    CHECK_EQ(poll(&poll_fd, 1, 0), 0);
    close(fds[1]);
    CHECK_EQ(poll(&poll_fd, 1, 5000), 1);
    CHECK_EQ(poll_fd.revents, POLLIN);
    CHECK_CHILD(pid);
    CHECK_EQ(poll(&poll_fd, 1, 0), 1);
    CHECK(poll_fd.revents & POLLIN);
}

CASE(epoll_tells_the_end)
{
    pid_t pid = sleeper();
    int fd = pidfd_open(pid, 0), epoll = epoll_create1(0);
    struct epoll_event event = { EPOLLIN, { .fd = 9 } };
    CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
    CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 0);
    kill(pid, SIGKILL);
    CHECK_EQ(epoll_wait(epoll, &event, 1, 5000), 1);
    CHECK_EQ(event.data.fd, 9);
}

CASE(waitid)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(7);
    }
    int fd = pidfd_open(pid, 0);
    siginfo_t info = { 0 };
    CHECK_EQ(waitid(P_PIDFD, fd, &info, WEXITED), 0);
    CHECK_EQ(info.si_pid, pid);
    CHECK_EQ(info.si_status, 7);
    CHECK_EQ(info.si_code, CLD_EXITED);
    CHECK_ERRNO(waitid(P_PIDFD, fd, &info, WEXITED), ECHILD);
}

CASE(waitid_nonblocking)
{
    pid_t pid = sleeper();
    int fd = pidfd_open(pid, O_NONBLOCK);
    siginfo_t info = { 0 };
    CHECK_ERRNO(waitid(P_PIDFD, fd, &info, WEXITED), EAGAIN);
    kill(pid, SIGKILL);
    struct pollfd poll_fd = { fd, POLLIN, 0 };
    CHECK_EQ(poll(&poll_fd, 1, 5000), 1);
    CHECK_EQ(waitid(P_PIDFD, fd, &info, WEXITED), 0);
    CHECK_EQ(info.si_status, SIGKILL);
}

CASE(waitid_errors)
{
    siginfo_t info;
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_ERRNO(waitid(P_PIDFD, fds[0], &info, WEXITED), EBADF);
    CHECK_ERRNO(waitid(P_PIDFD, 99, &info, WEXITED), EBADF);
    CHECK_ERRNO(waitid(P_PIDFD, -1, &info, WEXITED), EINVAL);
    int fd = pidfd_open(getppid(), 0);
    CHECK_ERRNO(waitid(P_PIDFD, fd, &info, WEXITED), ECHILD);
}

CASE(send_signal_errors)
{
    int fd = pidfd_open(getppid(), 0), fds[2];
    CHECK_ERRNO(pidfd_send(fd, 0, NULL, 8), EINVAL);
    CHECK_ERRNO(pidfd_send(fd, 99, NULL, 0), EINVAL);
    CHECK_ERRNO(pidfd_send(99, 0, NULL, 0), EBADF);
    CHECK_EQ(pipe(fds), 0);
    CHECK_ERRNO(pidfd_send(fds[0], 0, NULL, 0), EBADF);
    siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_USER };
    CHECK_ERRNO(pidfd_send(fd, SIGUSR2, &info, 0), EINVAL);
    CHECK_ERRNO(pidfd_send(fd, SIGUSR1, &info, 0), EPERM);
    CHECK_ERRNO(pidfd_send(fd, SIGUSR1, BAD_POINTER, 0), EFAULT);
}

static volatile int value;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    value = info->si_value.sival_int;
}

CASE(send_signal_with_info)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    sigaction(SIGUSR1, &action, NULL);
    int fd = pidfd_open(getpid(), 0);
    siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };
    info.si_value.sival_int = 42;
    CHECK_EQ(pidfd_send(fd, SIGUSR1, &info, 0), 0);
    CHECK_EQ(value, 42);
}

CASE(getfd)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    pid_t pid = sleeper();
    int fd = pidfd_open(pid, 0), copy = syscall(SYS_pidfd_getfd, fd, fds[1], 0);
    CHECK(copy >= 0);
    CHECK_EQ(fcntl(copy, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(write(copy, "x", 1), 1);
    char c;
    CHECK_EQ(read(fds[0], &c, 1), 1);
    CHECK_ERRNO(syscall(SYS_pidfd_getfd, fd, 99, 0), EBADF);
    CHECK_ERRNO(syscall(SYS_pidfd_getfd, fd, fds[0], 1), EINVAL);
    CHECK_ERRNO(syscall(SYS_pidfd_getfd, 99, fds[0], 0), EBADF);
    kill(pid, SIGKILL);
    struct pollfd poll_fd = { fd, POLLIN, 0 };
    CHECK_EQ(poll(&poll_fd, 1, 5000), 1);
    CHECK_ERRNO(syscall(SYS_pidfd_getfd, fd, fds[0], 0), ESRCH);
}

CASE(no_reading_or_writing)
{
    int fd = pidfd_open(getpid(), 0);
    char c = 0;
    CHECK_ERRNO(read(fd, &c, 1), EINVAL);
    CHECK_ERRNO(write(fd, &c, 1), EINVAL);
}

static long clone3(struct clone_args *args, size_t size)
{
    return syscall(SYS_clone3, args, size);
}

CASE(clone3_pidfd)
{
    int fd = -1;
    struct clone_args args = { .flags = CLONE_PIDFD, .pidfd = (uintptr_t)&fd, .exit_signal = SIGCHLD };
    pid_t pid = clone3(&args, sizeof args);
    if (pid == 0) {
        _exit(3);
    }
    CHECK(pid > 0);
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    siginfo_t info;
    CHECK_EQ(waitid(P_PIDFD, fd, &info, WEXITED), 0);
    CHECK_EQ(info.si_pid, pid);
    CHECK_EQ(info.si_status, 3);
}

CASE(clone3_exit_signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    struct clone_args args = { .exit_signal = SIGUSR2 };
    pid_t pid = clone3(&args, sizeof args);
    if (pid == 0) {
        _exit(3);
    }
    siginfo_t info;
    CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR2);
    CHECK_EQ(info.si_pid, pid);
    int status;
    CHECK_ERRNO(waitpid(pid, &status, 0), ECHILD);
    CHECK_EQ(waitpid(pid, &status, __WCLONE), pid);
}

CASE(clone3_errors)
{
    struct clone_args args = { .exit_signal = SIGCHLD };
    CHECK_ERRNO(clone3(&args, 56), EINVAL);
    CHECK_ERRNO(clone3(&args, 5000), E2BIG);
    CHECK_ERRNO(clone3(BAD_POINTER, sizeof args), EFAULT);
    args.exit_signal = 65;
    CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
    args = (struct clone_args){ .flags = SIGCHLD };
    CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
    args = (struct clone_args){ .flags = CLONE_SIGHAND };
    CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
    args = (struct clone_args){ .flags = 1ULL << 40 };
    CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
    args = (struct clone_args){ .stack = 4096 };
    CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
    args = (struct clone_args){ .flags = CLONE_INTO_CGROUP, .cgroup = 99999 };
    CHECK_ERRNO(clone3(&args, sizeof args), EBADF);
    args = (struct clone_args){ .set_tid_size = 1 };
    CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
}

CASE(clone3_longer_struct)
{
    struct {
        struct clone_args args;
        uint64_t more;
    } longer = { { .exit_signal = SIGCHLD }, 0 };
    pid_t pid = clone3(&longer.args, sizeof longer);
    if (pid == 0) {
        _exit(0);
    }
    CHECK_CHILD(pid);
    longer.more = 1;
    CHECK_ERRNO(clone3(&longer.args, sizeof longer), E2BIG);
}

CASE(clone_pidfd)
{
    int fd = -1;
    pid_t pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &fd, 0, 0);
    if (pid == 0) {
        _exit(0);
    }
    CHECK(fd >= 0);
    CHECK_CHILD(pid);
    CHECK_ERRNO(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &fd, 0, 0), EINVAL);
}

CASE(kcmp)
{
    int fd = dup(0), other = open("/dev/null", O_RDONLY);
    pid_t self = getpid(), parent = getppid();
    CHECK_EQ(syscall(SYS_kcmp, self, self, KCMP_FILE, 0, fd), 0);
    CHECK(syscall(SYS_kcmp, self, self, KCMP_FILE, other, fd) > 0);
    CHECK_EQ(syscall(SYS_kcmp, self, self, KCMP_VM, 0, 0), 0);
    CHECK(syscall(SYS_kcmp, self, parent, KCMP_VM, 0, 0) > 0);
    CHECK(syscall(SYS_kcmp, self, parent, KCMP_FILES, 0, 0) > 0);
    CHECK(syscall(SYS_kcmp, self, parent, KCMP_FS, 0, 0) > 0);
    CHECK(syscall(SYS_kcmp, self, parent, KCMP_SIGHAND, 0, 0) > 0);
    CHECK_ERRNO(syscall(SYS_kcmp, self, self, KCMP_FILE, 0, 999), EBADF);
    CHECK_ERRNO(syscall(SYS_kcmp, self, self, 99, 0, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_kcmp, self, 999999, KCMP_VM, 0, 0), ESRCH);
}

CASE(process_vm)
{
    static char text[8192] = "secret", got[8192];
    pid_t pid = sleeper();
    struct iovec local[2] = { { got, 3 }, { got + 100, 5 } }, remote[2] = { { text, 4 }, { text + 4, 100 } };
    CHECK_EQ(process_vm_readv(pid, local, 2, remote, 2, 0), 8);
    CHECK(memcmp(got, "sec", 3) == 0);
    CHECK(memcmp(got + 100, "ret", 3) == 0);
    memset(got, 'z', sizeof got);
    struct iovec all = { got, sizeof got }, there = { text, sizeof text };
    CHECK_EQ(process_vm_writev(pid, &all, 1, &there, 1, 0), 8192);
    CHECK(text[0] == 's');
    memset(got, 0, sizeof got);
    CHECK_EQ(process_vm_readv(pid, &all, 1, &there, 1, 0), 8192);
    CHECK(got[8191] == 'z');
    kill(pid, SIGKILL);
}

CASE(process_vm_errors)
{
    char c;
    struct iovec one = { &c, 1 }, bad = { BAD_POINTER, 1 };
    pid_t pid = sleeper();
    CHECK_ERRNO(process_vm_readv(pid, &one, 1, &bad, 1, 0), EFAULT);
    CHECK_ERRNO(process_vm_readv(pid, &one, 1, &one, 1, 1), EINVAL);
    CHECK_ERRNO(process_vm_readv(999999, &one, 1, &one, 1, 0), ESRCH);
    CHECK_ERRNO(process_vm_readv(pid, &one, 2000, &one, 1, 0), EINVAL);
    CHECK_EQ(process_vm_readv(pid, &one, 1, &one, 0, 0), 0);
    kill(pid, SIGKILL);
}

CASE(process_vm_without_permission)
{
    char c = 0;
    struct iovec one = { &c, 1 };
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        CHECK_EQ(setgid(1000), 0);
        CHECK_EQ(setuid(1000), 0);
        CHECK_ERRNO(process_vm_readv(parent, &one, 1, &one, 1, 0), EPERM);
        CHECK_ERRNO(syscall(SYS_kcmp, getpid(), parent, KCMP_VM, 0, 0), EPERM);
        int fd = pidfd_open(parent, 0);
        CHECK_ERRNO(pidfd_send(fd, SIGUSR1, NULL, 0), EPERM);
        CHECK_ERRNO(syscall(SYS_pidfd_getfd, fd, 0, 0), EPERM);
        _exit(0);
    }
    CHECK_CHILD(pid);
}

GUEST_MAIN("pidfd")
