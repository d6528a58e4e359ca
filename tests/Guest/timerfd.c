// timerfd_create(2), timerfd_settime(2), timerfd_gettime(2)
#include "guest.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <sys/timerfd.h>

static struct itimerspec spec_ns(int64_t value, int64_t interval)
{
    return (struct itimerspec){ { interval / 1000000000, interval % 1000000000 }, { value / 1000000000, value % 1000000000 } };
}

#define MS 1000000LL

CASE(expires_once)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec spec = spec_ns(20 * MS, 0);
    int64_t start = monotonic_ns();
    CHECK_EQ(timerfd_settime(fd, 0, &spec, NULL), 0);
    uint64_t count;
    CHECK_EQ(read(fd, &count, 8), 8);
    CHECK_EQ(count, 1);
    CHECK(monotonic_ns() - start >= 20 * MS);
    struct itimerspec now;
    CHECK_EQ(timerfd_gettime(fd, &now), 0);
    CHECK_EQ(now.it_value.tv_sec + now.it_value.tv_nsec, 0);
}

CASE(counts_intervals)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct itimerspec spec = spec_ns(5 * MS, 5 * MS);
    CHECK_EQ(timerfd_settime(fd, 0, &spec, NULL), 0);
    sleep_ms(40);
    uint64_t count;
    CHECK_EQ(read(fd, &count, 8), 8);
    CHECK(count >= 7);
    sleep_ms(15);
    CHECK_EQ(read(fd, &count, 8), 8);
    CHECK(count >= 2);
}

CASE(eagain_before_expiry)
{
    int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    uint64_t count;
    CHECK_ERRNO(read(fd, &count, 8), EAGAIN);
    struct itimerspec spec = spec_ns(3600000 * MS, 0);
    CHECK_EQ(timerfd_settime(fd, 0, &spec, NULL), 0);
    CHECK_ERRNO(read(fd, &count, 8), EAGAIN);
}

CASE(einval_for_short_reads)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    uint32_t count;
    CHECK_ERRNO(read(fd, &count, 4), EINVAL);
}

CASE(write_is_refused)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    uint64_t count = 1;
    CHECK_ERRNO(write(fd, &count, 8), EINVAL);
}

CASE(clocks)
{
    CHECK(timerfd_create(CLOCK_REALTIME, 0) >= 0);
    CHECK(timerfd_create(CLOCK_MONOTONIC, 0) >= 0);
    CHECK(timerfd_create(CLOCK_BOOTTIME, 0) >= 0);
    CHECK_ERRNO(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
    CHECK_ERRNO(timerfd_create(CLOCK_THREAD_CPUTIME_ID, 0), EINVAL);
    CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC_RAW, 0), EINVAL);
    CHECK_ERRNO(timerfd_create(CLOCK_TAI, 0), EINVAL);
    CHECK_ERRNO(timerfd_create(99, 0), EINVAL);
    CHECK_ERRNO(timerfd_create(-1, 0), EINVAL);
}

CASE(einval_for_unknown_flags)
{
    CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec spec = spec_ns(MS, 0);
    CHECK_ERRNO(timerfd_settime(fd, 4, &spec, NULL), EINVAL);
}

CASE(flags_are_kept)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE), O_NONBLOCK | O_RDWR);
}

CASE(einval_for_bad_times)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec spec = { { 0, 0 }, { 0, 1000000000 } };
    CHECK_ERRNO(timerfd_settime(fd, 0, &spec, NULL), EINVAL);
    spec = (struct itimerspec){ { 0, -1 }, { 1, 0 } };
    CHECK_ERRNO(timerfd_settime(fd, 0, &spec, NULL), EINVAL);
    spec = (struct itimerspec){ { 0, 0 }, { -1, 0 } };
    CHECK_ERRNO(timerfd_settime(fd, 0, &spec, NULL), EINVAL);
}

CASE(efault)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    CHECK_ERRNO(syscall(SYS_timerfd_settime, fd, 0, BAD_POINTER, NULL), EFAULT);
    CHECK_ERRNO(syscall(SYS_timerfd_gettime, fd, BAD_POINTER), EFAULT);
    struct itimerspec spec = spec_ns(1, 0);
    CHECK_ERRNO(syscall(SYS_timerfd_settime, fd, 0, &spec, BAD_POINTER), EFAULT);
    uint64_t count;
    CHECK_EQ(read(fd, &count, 8), 8);
}

CASE(wrong_descriptors)
{
    struct itimerspec spec = spec_ns(MS, 0);
    CHECK_ERRNO(timerfd_settime(99, 0, &spec, NULL), EBADF);
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_ERRNO(timerfd_settime(fds[0], 0, &spec, NULL), EINVAL);
    CHECK_ERRNO(timerfd_gettime(fds[0], &spec), EINVAL);
}

CASE(absolute_time_that_has_passed)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec spec = spec_ns(1, 0);
    CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL), 0);
    uint64_t count;
    CHECK_EQ(read(fd, &count, 8), 8);
    CHECK_EQ(count, 1);
}

CASE(absolute_time_with_interval_counts_from_it)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec spec = spec_ns(monotonic_ns() - 100 * MS, 10 * MS);
    CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL), 0);
    uint64_t count;
    CHECK_EQ(read(fd, &count, 8), 8);
    CHECK(count >= 10);
}

CASE(absolute_realtime)
{
    int fd = timerfd_create(CLOCK_REALTIME, 0);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct itimerspec spec = spec_ns(now.tv_sec * 1000000000LL + now.tv_nsec + 20 * MS, 0);
    CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, NULL), 0);
    uint64_t count;
    CHECK_EQ(read(fd, &count, 8), 8);
    CHECK_EQ(count, 1);
}

CASE(gettime_shows_what_is_left)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec spec = spec_ns(100000 * MS, 7 * MS), now;
    CHECK_EQ(timerfd_settime(fd, 0, &spec, NULL), 0);
    CHECK_EQ(timerfd_gettime(fd, &now), 0);
    CHECK(now.it_value.tv_sec >= 90 && now.it_value.tv_sec <= 100);
    CHECK_EQ(now.it_interval.tv_nsec, 7 * MS);
}

CASE(settime_returns_the_old_value)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec spec = spec_ns(50000 * MS, 3 * MS), old;
    CHECK_EQ(timerfd_settime(fd, 0, &spec, NULL), 0);
    struct itimerspec zero = { 0 };
    CHECK_EQ(timerfd_settime(fd, 0, &zero, &old), 0);
    CHECK(old.it_value.tv_sec >= 40 && old.it_value.tv_sec <= 50);
    CHECK_EQ(old.it_interval.tv_nsec, 3 * MS);
    CHECK_EQ(timerfd_gettime(fd, &old), 0);
    CHECK_EQ(old.it_value.tv_sec + old.it_value.tv_nsec, 0);
}

CASE(disarming_forgets_expiries)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct itimerspec spec = spec_ns(1, 0), zero = { 0 };
    CHECK_EQ(timerfd_settime(fd, 0, &spec, NULL), 0);
    sleep_ms(10);
    CHECK_EQ(timerfd_settime(fd, 0, &zero, NULL), 0);
    uint64_t count;
    CHECK_ERRNO(read(fd, &count, 8), EAGAIN);
}

CASE(poll_waits_for_expiry)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct pollfd poll_fd = { fd, POLLIN | POLLOUT, 0 };
    CHECK_EQ(poll(&poll_fd, 1, 0), 0);
    struct itimerspec spec = spec_ns(15 * MS, 0);
    CHECK_EQ(timerfd_settime(fd, 0, &spec, NULL), 0);
    CHECK_EQ(poll(&poll_fd, 1, 5000), 1);
    CHECK_EQ(poll_fd.revents, POLLIN);
    uint64_t count;
    CHECK_EQ(read(fd, &count, 8), 8);
    CHECK_EQ(poll(&poll_fd, 1, 0), 0);
}

CASE(epoll_waits_for_expiry)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0), epoll = epoll_create1(0);
    struct epoll_event event = { EPOLLIN | EPOLLET, { .u64 = 7 } };
    CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
    struct itimerspec spec = spec_ns(10 * MS, 10 * MS);
    CHECK_EQ(timerfd_settime(fd, 0, &spec, NULL), 0);
    CHECK_EQ(epoll_wait(epoll, &event, 1, 5000), 1);
    CHECK_EQ(event.data.u64, 7);
}

CASE(survives_fork)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec spec = spec_ns(20 * MS, 0);
    CHECK_EQ(timerfd_settime(fd, 0, &spec, NULL), 0);
    pid_t pid = fork();
    if (pid == 0) {
        uint64_t count;
        CHECK_EQ(read(fd, &count, 8), 8);
        _exit(count != 1);
    }
    CHECK_CHILD(pid);
}

static void handler(int number)
{
    (void)number;
}

CASE(read_is_interrupted)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct sigaction action = { .sa_handler = handler };
    sigaction(SIGALRM, &action, NULL);
    struct itimerval soon = { { 0, 0 }, { 0, 10000 } };
    CHECK_EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
    uint64_t count;
    CHECK_ERRNO(read(fd, &count, 8), EINTR);
}

CASE(has_no_offset)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    uint64_t count;
    CHECK_ERRNO(pread(fd, &count, 8, 0), ESPIPE);
}

CASE(many_expire_in_order)
{
    int64_t order[20];
    int fds[20];
    for (int i = 0; i < 20; i++) {
        fds[i] = timerfd_create(CLOCK_MONOTONIC, 0);
        order[i] = (i * 7) % 20 + 1;
        struct itimerspec spec = spec_ns(order[i] * MS, 0);
        CHECK_EQ(timerfd_settime(fds[i], 0, &spec, NULL), 0);
    }
    for (int i = 0; i < 20; i++) {
        uint64_t count;
        CHECK_EQ(read(fds[i], &count, 8), 8);
        CHECK_EQ(count, 1);
    }
}

GUEST_MAIN("timerfd")
