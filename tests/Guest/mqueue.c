// POSIX message queues: mq_overview(7)
#include "guest.h"
#include <mqueue.h>
#include <poll.h>

static char name[64];

static mqd_t make(int flags)
{
    snprintf(name, sizeof name, "/guest-%d", getpid());
    struct mq_attr attr = { .mq_maxmsg = 3, .mq_msgsize = 32 };
    mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR | flags, 0600, &attr);
    CHECK(queue >= 0);
    mq_unlink(name);
    return queue;
}

CASE(priorities_and_order)
{
    mqd_t queue = make(0);
    CHECK_EQ(mq_send(queue, "low", 4, 1), 0);
    CHECK_EQ(mq_send(queue, "high", 5, 9), 0);
    CHECK_EQ(mq_send(queue, "low2", 5, 1), 0);
    char text[32];
    unsigned priority;
    CHECK_EQ(mq_receive(queue, text, 32, &priority), 5);
    CHECK_EQ(priority, 9);
    CHECK_EQ(mq_receive(queue, text, 32, NULL), 4);
    CHECK_EQ(mq_receive(queue, text, 32, &priority), 5);
    CHECK(strcmp(text, "low2") == 0);
}

CASE(full_and_empty)
{
    mqd_t queue = make(O_NONBLOCK);
    char text[32];
    CHECK_ERRNO(mq_receive(queue, text, 32, NULL), EAGAIN);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(mq_send(queue, "x", 1, 0), 0);
    }
    CHECK_ERRNO(mq_send(queue, "x", 1, 0), EAGAIN);
    struct pollfd poll_fd = { queue, POLLIN | POLLOUT, 0 };
    CHECK_EQ(poll(&poll_fd, 1, 0), 1);
    CHECK_EQ(poll_fd.revents, POLLIN);
}

CASE(sizes)
{
    mqd_t queue = make(O_NONBLOCK);
    char text[64] = "";
    CHECK_ERRNO(mq_send(queue, text, 33, 0), EMSGSIZE);
    CHECK_EQ(mq_send(queue, text, 0, 0), 0);
    CHECK_ERRNO(mq_receive(queue, text, 31, NULL), EMSGSIZE);
    CHECK_EQ(mq_receive(queue, text, 64, NULL), 0);
    CHECK_ERRNO(mq_send(queue, text, 1, 32768), EINVAL);
}

CASE(attributes)
{
    mqd_t queue = make(0);
    struct mq_attr attr, old;
    CHECK_EQ(mq_getattr(queue, &attr), 0);
    CHECK_EQ(attr.mq_maxmsg, 3);
    CHECK_EQ(attr.mq_msgsize, 32);
    CHECK_EQ(attr.mq_curmsgs, 0);
    CHECK_EQ(attr.mq_flags, 0);
    attr.mq_flags = O_NONBLOCK;
    CHECK_EQ(mq_setattr(queue, &attr, &old), 0);
    CHECK_EQ(old.mq_flags, 0);
    CHECK_EQ(mq_getattr(queue, &attr), 0);
    CHECK_EQ(attr.mq_flags, O_NONBLOCK);
    attr.mq_flags = O_APPEND;
    CHECK_ERRNO(mq_setattr(queue, &attr, NULL), EINVAL);
}

CASE(names)
{
    snprintf(name, sizeof name, "/guest-%d", getpid());
    CHECK_ERRNO(mq_open(name, O_RDWR), ENOENT);
    mqd_t first = mq_open(name, O_CREAT | O_RDWR, 0600, NULL);
    CHECK(first >= 0);
    CHECK_EQ(fcntl(first, F_GETFD), FD_CLOEXEC);
    CHECK_ERRNO(mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, NULL), EEXIST);
    mqd_t second = mq_open(name, O_RDONLY);
    CHECK_EQ(mq_send(first, "x", 1, 0), 0);
    CHECK_ERRNO(mq_send(second, "x", 1, 0), EBADF);
    char text[8192];
    CHECK_EQ(mq_receive(second, text, sizeof text, NULL), 1);
    CHECK_EQ(mq_unlink(name), 0);
    CHECK_ERRNO(mq_unlink(name), ENOENT);
    CHECK_EQ(mq_send(first, "x", 1, 0), 0);
    CHECK_ERRNO(syscall(SYS_mq_open, "a/b", O_RDWR, 0, NULL), EACCES);
    CHECK_ERRNO(syscall(SYS_mq_open, "", O_RDWR, 0, NULL), ENOENT);
    CHECK_ERRNO(syscall(SYS_mq_open, BAD_POINTER, O_RDWR, 0, NULL), EFAULT);
    struct mq_attr attr = { .mq_maxmsg = 0, .mq_msgsize = 32 };
    CHECK_ERRNO(mq_open(name, O_CREAT | O_RDWR, 0600, &attr), EINVAL);
}

CASE(waits_and_times_out)
{
    mqd_t queue = make(0);
    pid_t pid = fork();
    if (pid == 0) {
        sleep_ms(10);
        CHECK_EQ(mq_send(queue, "hello", 6, 0), 0);
        _exit(0);
    }
    char text[32];
    CHECK_EQ(mq_receive(queue, text, 32, NULL), 6);
    CHECK_CHILD(pid);
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_nsec += 10000000;
    if (time.tv_nsec >= 1000000000) {
        time.tv_nsec -= 1000000000;
        time.tv_sec++;
    }
    CHECK_ERRNO(mq_timedreceive(queue, text, 32, NULL, &time), ETIMEDOUT);
    time.tv_nsec = 1000000000;
    CHECK_ERRNO(mq_timedreceive(queue, text, 32, NULL, &time), EINVAL);
}

CASE(notify)
{
    mqd_t queue = make(0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 77 };
    CHECK_EQ(mq_notify(queue, &event), 0);
    CHECK_ERRNO(mq_notify(queue, &event), EBUSY);
    CHECK_EQ(mq_send(queue, "x", 1, 0), 0);
    siginfo_t info;
    CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
    CHECK_EQ(info.si_code, SI_MESGQ);
    CHECK_EQ(info.si_pid, getpid());
    CHECK_EQ(info.si_value.sival_int, 77);
    CHECK_EQ(mq_notify(queue, &event), 0);
    CHECK_EQ(mq_notify(queue, NULL), 0);
    event.sigev_signo = 65;
    CHECK_ERRNO(mq_notify(queue, &event), EINVAL);
}

CASE(read_tells_the_state)
{
    mqd_t queue = make(0);
    CHECK_EQ(mq_send(queue, "hello", 5, 1), 0);
    char text[128] = "";
    CHECK_EQ(read(queue, text, sizeof text), 60);
    CHECK(strcmp(text, "QSIZE:5          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n") == 0);
    CHECK_EQ(read(queue, text, sizeof text), 0);
    CHECK_EQ(pread(queue, text, 5, 3), 5);
    CHECK(memcmp(text, "ZE:5 ", 5) == 0);
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    CHECK_EQ(mq_notify(queue, &event), 0);
    CHECK_EQ(lseek(queue, 0, SEEK_SET), 0);
    CHECK_EQ(read(queue, text, sizeof text), 60);
    char wanted[128];
    snprintf(wanted, sizeof wanted, "QSIZE:5          NOTIFY:0     SIGNO:10    NOTIFY_PID:%-6d\n", getpid());
    CHECK(strcmp(text, wanted) == 0);
    CHECK_EQ(lseek(queue, 0, SEEK_END), 80);
    CHECK_ERRNO(lseek(queue, -1, SEEK_SET), EINVAL);
    CHECK_ERRNO(write(queue, "x", 1), EINVAL);
}

CASE(wrong_descriptors)
{
    int fds[2];
    char text[8];
    CHECK_EQ(pipe(fds), 0);
    CHECK_ERRNO(mq_send(fds[1], "x", 1, 0), EBADF);
    CHECK_ERRNO(mq_receive(fds[0], text, 8, NULL), EBADF);
    CHECK_ERRNO(mq_send(99, "x", 1, 0), EBADF);
}

GUEST_MAIN("mqueue")
