// Signal-driven I/O: fcntl(2)'s O_ASYNC, F_SETOWN, F_SETSIG and their like, ioctl(2)'s FIOASYNC.
#include "guest.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static void block(int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
}

// The signal, or -1 after a time in which one would have come.
static int next_signal(int number, siginfo_t *info, int milliseconds)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    struct timespec limit = { milliseconds / 1000, milliseconds % 1000 * 1000000L };
    return sigtimedwait(&set, info, &limit);
}

CASE(owner_is_nobody_at_first)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(fcntl(fds[0], F_GETOWN), 0);
    CHECK_EQ(fcntl(fds[0], F_GETSIG), 0);
}

CASE(setown_and_getown)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(fcntl(fds[0], F_SETOWN, getpid()), 0);
    CHECK_EQ(fcntl(fds[0], F_GETOWN), getpid());
    CHECK_EQ(fcntl(fds[1], F_GETOWN), 0);
    CHECK_EQ(syscall(SYS_fcntl, fds[0], F_SETOWN, -getpgrp()), 0);
    struct f_owner_ex owner; // the plain call's answer, a small negative number, looks like an error to the C library
    CHECK_EQ(fcntl(fds[0], F_GETOWN_EX, &owner), 0);
    CHECK_EQ(owner.type, F_OWNER_PGRP);
    CHECK_EQ(owner.pid, getpgrp());
    CHECK_EQ(fcntl(fds[0], F_SETOWN, 0), 0);
    CHECK_EQ(fcntl(fds[0], F_GETOWN), 0);
}

CASE(setown_errors)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_ERRNO(fcntl(fds[0], F_SETOWN, 0x7ffffff0), ESRCH);
    CHECK_ERRNO(syscall(SYS_fcntl, fds[0], F_SETOWN, -2147483647 - 1), EINVAL);
    CHECK_ERRNO(fcntl(-1, F_SETOWN, getpid()), EBADF);
    int path = open("/", O_PATH);
    CHECK_ERRNO(fcntl(path, F_SETOWN, getpid()), EBADF);
}

CASE(setown_of_any_file)
{
    int fd = open("/dev/null", O_RDONLY);
    CHECK_EQ(fcntl(fd, F_SETOWN, getpid()), 0);
    CHECK_EQ(fcntl(fd, F_GETOWN), getpid());
}

CASE(owner_ex)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    struct f_owner_ex owner = { F_OWNER_TID, getpid() }, seen = { -1, -1 };
    CHECK_EQ(fcntl(fds[0], F_SETOWN_EX, &owner), 0);
    CHECK_EQ(fcntl(fds[0], F_GETOWN_EX, &seen), 0);
    CHECK_EQ(seen.type, F_OWNER_TID);
    CHECK_EQ(seen.pid, getpid());
    owner.type = 3;
    CHECK_ERRNO(fcntl(fds[0], F_SETOWN_EX, &owner), EINVAL);
    owner.type = F_OWNER_PGRP;
    owner.pid = getpgrp();
    CHECK_EQ(fcntl(fds[0], F_SETOWN_EX, &owner), 0);
    CHECK_EQ(fcntl(fds[0], F_GETOWN_EX, &seen), 0);
    CHECK_EQ(seen.type, F_OWNER_PGRP);
    CHECK_EQ(seen.pid, getpgrp());
    CHECK_ERRNO(syscall(SYS_fcntl, fds[0], F_SETOWN_EX, NULL), EFAULT);
    CHECK_ERRNO(syscall(SYS_fcntl, fds[0], F_GETOWN_EX, NULL), EFAULT);
}

CASE(setsig_range)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(fcntl(fds[0], F_SETSIG, SIGRTMIN), 0);
    CHECK_EQ(fcntl(fds[0], F_GETSIG), SIGRTMIN);
    CHECK_EQ(fcntl(fds[0], F_SETSIG, 64), 0);
    CHECK_ERRNO(fcntl(fds[0], F_SETSIG, 65), EINVAL);
    CHECK_ERRNO(fcntl(fds[0], F_SETSIG, -1), EINVAL);
    CHECK_EQ(fcntl(fds[0], F_GETSIG), 64);
}

CASE(pipe_sends_sigio)
{
    int fds[2];
    block(SIGIO);
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(fcntl(fds[0], F_SETOWN, getpid()), 0);
    CHECK_EQ(fcntl(fds[0], F_SETFL, O_ASYNC), 0);
    CHECK_EQ(fcntl(fds[0], F_GETFL) & O_ASYNC, O_ASYNC);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    siginfo_t info;
    CHECK_EQ(next_signal(SIGIO, &info, 10000), SIGIO);
    CHECK_EQ(info.si_code, SI_KERNEL);
}

CASE(setsig_tells_which_file)
{
    int fds[2];
    block(SIGRTMIN + 1);
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(fcntl(fds[0], F_SETOWN, getpid()), 0);
    CHECK_EQ(fcntl(fds[0], F_SETSIG, SIGRTMIN + 1), 0);
    CHECK_EQ(fcntl(fds[0], F_SETFL, O_ASYNC), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    siginfo_t info;
    CHECK_EQ(next_signal(SIGRTMIN + 1, &info, 10000), SIGRTMIN + 1);
    CHECK_EQ(info.si_code, POLL_IN);
    CHECK_EQ(info.si_fd, fds[0]);
    CHECK_EQ(info.si_band, POLLIN | POLLRDNORM);
}

CASE(nothing_without_owner_or_flag)
{
    int fds[2];
    block(SIGIO);
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(fcntl(fds[0], F_SETFL, O_ASYNC), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    siginfo_t info;
    CHECK_ERRNO(next_signal(SIGIO, &info, 50), EAGAIN);
    CHECK_EQ(fcntl(fds[0], F_SETOWN, getpid()), 0);
    CHECK_EQ(fcntl(fds[0], F_SETFL, 0), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_ERRNO(next_signal(SIGIO, &info, 50), EAGAIN);
}

CASE(fioasync_of_a_socket)
{
    int fds[2], on = 1, off = 0;
    block(SIGIO);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    CHECK_EQ(fcntl(fds[0], F_SETOWN, getpid()), 0);
    CHECK_EQ(ioctl(fds[0], FIOASYNC, &on), 0);
    CHECK_EQ(fcntl(fds[0], F_GETFL) & O_ASYNC, O_ASYNC);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    siginfo_t info;
    CHECK_EQ(next_signal(SIGIO, &info, 10000), SIGIO);
    CHECK_EQ(ioctl(fds[0], FIOASYNC, &off), 0);
    CHECK_EQ(fcntl(fds[0], F_GETFL) & O_ASYNC, 0);
    CHECK_ERRNO(ioctl(fds[0], FIOASYNC, NULL), EFAULT);
}

CASE(fioasync_where_there_is_none)
{
    int on = 1, off = 0, fd = eventfd(0, 0);
    CHECK_EQ(ioctl(fd, FIOASYNC, &off), 0);
    CHECK_ERRNO(ioctl(fd, FIOASYNC, &on), ENOTTY);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_ASYNC, 0);
    CHECK_EQ(fcntl(fd, F_SETFL, O_ASYNC), 0);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_ASYNC, 0);
}

CASE(child_is_the_owner)
{
    int fds[2], ready[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        block(SIGIO);
        CHECK_EQ(write(ready[1], "x", 1), 1);
        CHECK_EQ(next_signal(SIGIO, NULL, 10000), SIGIO);
        _exit(0);
    }
    char c;
    CHECK_EQ(read(ready[0], &c, 1), 1);
    CHECK_EQ(fcntl(fds[0], F_SETOWN, child), 0);
    CHECK_EQ(fcntl(fds[0], F_SETFL, O_ASYNC), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(fcntl(fds[0], F_GETOWN), 0); // it has gone
}

CASE(hang_up_is_told)
{
    int fds[2];
    block(SIGIO);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    CHECK_EQ(fcntl(fds[0], F_SETOWN, getpid()), 0);
    CHECK_EQ(fcntl(fds[0], F_SETFL, O_ASYNC), 0);
    close(fds[1]);
    CHECK_EQ(next_signal(SIGIO, NULL, 10000), SIGIO);
}

CASE(close_ends_it)
{
    int fds[2];
    block(SIGIO);
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(fcntl(fds[0], F_SETOWN, getpid()), 0);
    CHECK_EQ(fcntl(fds[0], F_SETFL, O_ASYNC), 0);
    int copy = dup(fds[0]);
    close(fds[0]);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(next_signal(SIGIO, NULL, 10000), SIGIO);
    close(copy);
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERRNO(write(fds[1], "x", 1), EPIPE);
    CHECK_ERRNO(next_signal(SIGIO, NULL, 50), EAGAIN);
}

GUEST_MAIN("fasync")
