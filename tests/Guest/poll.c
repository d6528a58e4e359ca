// poll(2), ppoll(2), select(2), pselect(2), epoll(7)
#include "guest.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>

static int add(int epoll, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = { events, { .u64 = data } };
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static int wait_now(int epoll, struct epoll_event *events, int count)
{
    return epoll_wait(epoll, events, count, 0);
}

static void on_signal(int signal)
{
}

CASE(poll_counts_ready_entries)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    struct pollfd entries[] = { { fds[0], POLLIN, 77 }, { fds[1], POLLOUT, 0 }, { -5, POLLIN, 77 } };
    CHECK_EQ(poll(entries, 3, 0), 1);
    CHECK(entries[0].revents == 0 && entries[1].revents == POLLOUT && entries[2].revents == 0);
}

CASE(poll_of_a_closed_descriptor_is_pollnval)
{
    struct pollfd entry = { 99, POLLIN, 0 };
    CHECK_EQ(poll(&entry, 1, -1), 1);
    CHECK_EQ(entry.revents, POLLNVAL);
}

CASE(regular_files_are_always_ready)
{
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    struct pollfd entry = { fd, POLLIN | POLLOUT | POLLPRI, 0 };
    CHECK_EQ(poll(&entry, 1, -1), 1);
    CHECK_EQ(entry.revents, POLLIN | POLLOUT);
    entry.fd = open(".", O_RDONLY);
    CHECK_EQ(poll(&entry, 1, -1), 1);
    CHECK_EQ(entry.revents, POLLIN | POLLOUT);
}

CASE(poll_times_out)
{
    int64_t before = monotonic_ns();
    CHECK_EQ(poll(NULL, 0, 20), 0);
    CHECK(monotonic_ns() - before >= 20000000);
}

CASE(poll_is_checked)
{
    struct rlimit limit = { 64, 64 };
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    struct pollfd entries[65];
    CHECK_ERRNO(poll(entries, 65, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_poll, BAD_POINTER, 1, 0), EFAULT);
    CHECK_EQ(syscall(SYS_poll, BAD_POINTER, 0, 0), 0);
    struct timespec bad = { 0, 1000000000 };
    CHECK_ERRNO(syscall(SYS_ppoll, NULL, 0, &bad, NULL, 8), EINVAL);
    CHECK_ERRNO(syscall(SYS_ppoll, NULL, 0, BAD_POINTER, NULL, 8), EFAULT);
    sigset_t set;
    sigemptyset(&set);
    CHECK_ERRNO(syscall(SYS_ppoll, NULL, 0, NULL, &set, 7), EINVAL);
}

CASE(poll_wakes)
{
    int fd = eventfd(0, 0);
    pid_t pid = fork();
    if (pid == 0) {
        sleep_ms(20);
        CHECK_EQ(eventfd_write(fd, 1), 0);
        _exit(0);
    }
    struct pollfd entry = { fd, POLLIN, 0 };
    CHECK_EQ(poll(&entry, 1, -1), 1);
    CHECK_EQ(entry.revents, POLLIN);
    CHECK_CHILD(pid);
}

CASE(ppoll_lets_a_signal_through)
{
    struct sigaction action = { .sa_handler = on_signal };
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    sigset_t set, none, now;
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    raise(SIGUSR1);
    CHECK_ERRNO(ppoll(NULL, 0, NULL, &none), EINTR);
    sigprocmask(SIG_SETMASK, NULL, &now);
    CHECK(sigismember(&now, SIGUSR1));
    CHECK_EQ(ppoll(NULL, 0, &(struct timespec){ 0, 0 }, &none), 0);
}

CASE(select_sets_and_counts)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    fd_set in, out;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(fds[0], &in);
    FD_SET(fds[1], &out);
    struct timeval zero = { 0, 0 };
    CHECK_EQ(select(fds[1] + 1, &in, &out, NULL, &zero), 1);
    CHECK(!FD_ISSET(fds[0], &in) && FD_ISSET(fds[1], &out));
    CHECK_EQ(write(fds[1], "x", 1), 1);
    FD_SET(fds[0], &in);
    CHECK_EQ(select(fds[1] + 1, &in, &out, NULL, NULL), 2);
    close(fds[1]);
    char c;
    CHECK_EQ(read(fds[0], &c, 1), 1);
    FD_ZERO(&in);
    FD_SET(fds[0], &in);
    CHECK_EQ(select(fds[0] + 1, &in, NULL, NULL, NULL), 1);
}

CASE(select_is_checked)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(50, &set); // below 64, which every table of descriptors has room for: what is beyond the table's end is not looked at
    struct timeval zero = { 0, 0 };
    CHECK_ERRNO(select(51, &set, NULL, NULL, &zero), EBADF);
    CHECK_ERRNO(select(-1, NULL, NULL, NULL, &zero), EINVAL);
    struct timeval negative = { -1, 0 };
    CHECK_ERRNO(select(0, NULL, NULL, NULL, &negative), EINVAL);
    CHECK_ERRNO(syscall(SYS_select, 10, BAD_POINTER, NULL, NULL, &zero), EFAULT);
    CHECK_ERRNO(syscall(SYS_select, 0, NULL, NULL, NULL, BAD_POINTER), EFAULT);
}

CASE(select_tells_the_time_left)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    struct timeval time = { 100, 0 };
    CHECK_EQ(select(fds[0] + 1, &set, NULL, NULL, &time), 1);
    CHECK(time.tv_sec >= 98);
    time = (struct timeval){ 0, 10000 };
    CHECK_EQ(select(0, NULL, NULL, NULL, &time), 0);
    CHECK(time.tv_sec == 0 && time.tv_usec == 0);
}

CASE(pselect_lets_a_signal_through)
{
    struct sigaction action = { .sa_handler = on_signal };
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    sigset_t set, none;
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    raise(SIGUSR1);
    CHECK_ERRNO(pselect(0, NULL, NULL, NULL, NULL, &none), EINTR);
}

CASE(epoll_is_checked)
{
    CHECK_ERRNO(epoll_create1(1), EINVAL);
    CHECK_ERRNO(epoll_create(0), EINVAL);
    int epoll = epoll_create1(EPOLL_CLOEXEC), fds[2];
    CHECK_EQ(fcntl(epoll, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(pipe(fds), 0);
    CHECK_ERRNO(add(epoll, 99, EPOLLIN, 0), EBADF);
    CHECK_ERRNO(add(99, fds[0], EPOLLIN, 0), EBADF);
    CHECK_ERRNO(add(epoll, epoll, EPOLLIN, 0), EINVAL);
    CHECK_ERRNO(add(fds[0], fds[1], EPOLLIN, 0), EINVAL);
    CHECK_ERRNO(add(epoll, open("f", O_CREAT | O_RDWR, 0600), EPOLLIN, 0), EPERM);
    CHECK_ERRNO(add(epoll, open(".", O_RDONLY), EPOLLIN, 0), EPERM);
    CHECK_EQ(add(epoll, fds[0], EPOLLIN, 0), 0);
    CHECK_ERRNO(add(epoll, fds[0], EPOLLIN, 0), EEXIST);
    struct epoll_event event = { EPOLLIN };
    CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_MOD, fds[1], &event), ENOENT);
    CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_DEL, fds[1], NULL), ENOENT);
    CHECK_ERRNO(epoll_ctl(epoll, 77, fds[0], &event), EINVAL);
    CHECK_ERRNO(syscall(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, fds[1], BAD_POINTER), EFAULT);
    CHECK_ERRNO(epoll_wait(epoll, &event, 0, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_epoll_wait, epoll, &event, -1, 0), EINVAL);
    CHECK_ERRNO(epoll_wait(fds[0], &event, 1, 0), EINVAL);
    CHECK_ERRNO(epoll_wait(99, &event, 1, 0), EBADF);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_ERRNO(syscall(SYS_epoll_wait, epoll, BAD_POINTER, 1, 0), EFAULT);
    CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
}

CASE(epoll_level_triggered)
{
    int epoll = epoll_create1(0), fd = eventfd(1, EFD_NONBLOCK);
    CHECK_EQ(add(epoll, fd, EPOLLIN, 0x123456789abcdef), 0);
    struct epoll_event event;
    CHECK_EQ(wait_now(epoll, &event, 1), 1);
    CHECK(event.events == EPOLLIN && event.data.u64 == 0x123456789abcdef);
    CHECK_EQ(wait_now(epoll, &event, 1), 1);
    eventfd_t value;
    CHECK_EQ(eventfd_read(fd, &value), 0);
    CHECK_EQ(wait_now(epoll, &event, 1), 0);
}

CASE(epoll_edge_triggered)
{
    int epoll = epoll_create1(0), fds[2];
    CHECK_EQ(pipe2(fds, O_NONBLOCK), 0);
    CHECK_EQ(add(epoll, fds[0], EPOLLIN | EPOLLET, 1), 0);
    struct epoll_event event;
    CHECK_EQ(wait_now(epoll, &event, 1), 0);
    CHECK_EQ(write(fds[1], "ab", 2), 2);
    CHECK_EQ(wait_now(epoll, &event, 1), 1);
    CHECK_EQ(wait_now(epoll, &event, 1), 0);
    char c;
    CHECK_EQ(read(fds[0], &c, 1), 1);
    CHECK_EQ(wait_now(epoll, &event, 1), 0);
    CHECK_EQ(write(fds[1], "c", 1), 1);
    CHECK_EQ(wait_now(epoll, &event, 1), 1);
}

CASE(epoll_edge_is_told_when_added_ready)
{
    int epoll = epoll_create1(0), fd = eventfd(1, EFD_NONBLOCK);
    CHECK_EQ(add(epoll, fd, EPOLLIN | EPOLLET, 1), 0);
    struct epoll_event event;
    CHECK_EQ(wait_now(epoll, &event, 1), 1);
    CHECK_EQ(wait_now(epoll, &event, 1), 0);
    event = (struct epoll_event){ EPOLLIN | EPOLLET };
    CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event), 0);
    CHECK_EQ(wait_now(epoll, &event, 1), 1);
}

CASE(epoll_oneshot)
{
    int epoll = epoll_create1(0), fd = eventfd(1, EFD_NONBLOCK);
    CHECK_EQ(add(epoll, fd, EPOLLIN | EPOLLONESHOT, 1), 0);
    struct epoll_event event;
    CHECK_EQ(wait_now(epoll, &event, 1), 1);
    CHECK_EQ(wait_now(epoll, &event, 1), 0);
    CHECK_EQ(eventfd_write(fd, 1), 0);
    CHECK_EQ(wait_now(epoll, &event, 1), 0);
    event = (struct epoll_event){ EPOLLIN | EPOLLONESHOT, { .u64 = 2 } };
    CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event), 0);
    CHECK_EQ(wait_now(epoll, &event, 1), 1);
    CHECK_EQ(event.data.u64, 2);
}

CASE(epoll_always_tells_of_hangup_and_error)
{
    int epoll = epoll_create1(0), fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(add(epoll, fds[0], 0, 1), 0);
    struct epoll_event event;
    CHECK_EQ(wait_now(epoll, &event, 1), 0);
    close(fds[1]);
    CHECK_EQ(wait_now(epoll, &event, 1), 1);
    CHECK_EQ(event.events, EPOLLHUP);
}

CASE(epoll_forgets_closed_files)
{
    int epoll = epoll_create1(0), fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(add(epoll, fds[0], EPOLLIN, 1), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    int other = dup(fds[0]);
    close(fds[0]);
    struct epoll_event event;
    CHECK_EQ(wait_now(epoll, &event, 1), 1);
    close(other);
    CHECK_EQ(wait_now(epoll, &event, 1), 0);
}

CASE(epoll_knows_duplicates_apart)
{
    int epoll = epoll_create1(0), fds[2];
    CHECK_EQ(pipe(fds), 0);
    int other = dup(fds[0]);
    CHECK_EQ(add(epoll, fds[0], EPOLLIN, 1), 0);
    CHECK_EQ(add(epoll, other, EPOLLIN, 2), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    struct epoll_event events[4];
    CHECK_EQ(wait_now(epoll, events, 4), 2);
    CHECK_EQ(events[0].data.u64 + events[1].data.u64, 3);
}

CASE(epoll_goes_round)
{
    int epoll = epoll_create1(0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(add(epoll, eventfd(1, 0), EPOLLIN, i), 0);
    }
    int seen = 0;
    for (int i = 0; i < 2; i++) {
        struct epoll_event events[2];
        CHECK_EQ(wait_now(epoll, events, 2), 2);
        seen |= 1 << events[0].data.u64 | 1 << events[1].data.u64;
    }
    CHECK_EQ(seen, 15);
}

CASE(epoll_nests)
{
    int outer = epoll_create1(0), inner = epoll_create1(0), fd = eventfd(0, EFD_NONBLOCK);
    CHECK_EQ(add(outer, inner, EPOLLIN, 7), 0);
    CHECK_EQ(add(inner, fd, EPOLLIN, 8), 0);
    struct epoll_event event;
    CHECK_EQ(wait_now(outer, &event, 1), 0);
    CHECK_EQ(eventfd_write(fd, 1), 0);
    CHECK_EQ(wait_now(outer, &event, 1), 1);
    CHECK_EQ(event.data.u64, 7);
    CHECK_EQ(wait_now(inner, &event, 1), 1);
    struct pollfd entry = { outer, POLLIN, 0 };
    CHECK_EQ(poll(&entry, 1, 0), 1);
    eventfd_t value;
    CHECK_EQ(eventfd_read(fd, &value), 0);
    CHECK_EQ(wait_now(outer, &event, 1), 0);
}

CASE(epoll_loops_are_refused)
{
    int a = epoll_create1(0), b = epoll_create1(0);
    CHECK_EQ(add(a, b, EPOLLIN, 0), 0);
    CHECK_ERRNO(add(b, a, EPOLLIN, 0), ELOOP);
    int chain = b;
    int i;
    for (i = 0; i < 10; i++) {
        int next = epoll_create1(0);
        if (add(next, chain, EPOLLIN, 0) != 0) {
            break;
        }
        chain = next;
    }
    int error = errno;
    CHECK(i < 10);
    CHECK(error == EINVAL || error == ELOOP);
}

CASE(epoll_exclusive)
{
    int epoll = epoll_create1(0), fd = eventfd(0, EFD_NONBLOCK);
    CHECK_EQ(add(epoll, fd, EPOLLIN | EPOLLEXCLUSIVE, 1), 0);
    struct epoll_event event = { EPOLLIN | EPOLLEXCLUSIVE };
    CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event), EINVAL);
    event.events = EPOLLIN;
    CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event), EINVAL);
    CHECK_ERRNO(add(epoll, eventfd(0, 0), EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 1), EINVAL);
    CHECK_ERRNO(add(epoll, epoll_create1(0), EPOLLIN | EPOLLEXCLUSIVE, 1), EINVAL);
    CHECK_EQ(eventfd_write(fd, 1), 0);
    CHECK_EQ(wait_now(epoll, &event, 1), 1);
}

CASE(epoll_wakes)
{
    int epoll = epoll_create1(0), fd = eventfd(0, 0);
    CHECK_EQ(add(epoll, fd, EPOLLIN, 1), 0);
    pid_t pid = fork();
    if (pid == 0) {
        sleep_ms(20);
        CHECK_EQ(eventfd_write(fd, 1), 0);
        _exit(0);
    }
    struct epoll_event event;
    CHECK_EQ(epoll_wait(epoll, &event, 1, -1), 1);
    CHECK_CHILD(pid);
}

CASE(epoll_sees_what_is_added_while_waiting)
{
    int epoll = epoll_create1(0), fd = eventfd(1, 0);
    pid_t pid = fork();
    if (pid == 0) {
        sleep_ms(20);
        CHECK_EQ(add(epoll, fd, EPOLLIN, 9), 0);
        _exit(0);
    }
    struct epoll_event event;
    CHECK_EQ(epoll_wait(epoll, &event, 1, -1), 1);
    CHECK_EQ(event.data.u64, 9);
    CHECK_CHILD(pid);
}

CASE(epoll_times_out_and_is_interrupted)
{
    int epoll = epoll_create1(0);
    struct epoll_event event;
    int64_t before = monotonic_ns();
    CHECK_EQ(epoll_wait(epoll, &event, 1, 20), 0);
    CHECK(monotonic_ns() - before >= 20000000);
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
    ualarm(20000, 0);
    CHECK_ERRNO(epoll_wait(epoll, &event, 1, -1), EINTR);
}

CASE(epoll_pwait_lets_a_signal_through)
{
    int epoll = epoll_create1(0);
    struct sigaction action = { .sa_handler = on_signal };
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    sigset_t set, none;
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    raise(SIGUSR1);
    struct epoll_event event;
    CHECK_ERRNO(epoll_pwait(epoll, &event, 1, -1, &none), EINTR);
    struct timespec time = { 0, 1000000 };
    CHECK_EQ(syscall(SYS_epoll_pwait2, epoll, &event, 1, &time, NULL, 8), 0);
    time.tv_nsec = -1;
    CHECK_ERRNO(syscall(SYS_epoll_pwait2, epoll, &event, 1, &time, NULL, 8), EINVAL);
}

CASE(epoll_is_shared_by_fork)
{
    int epoll = epoll_create1(0), fd = eventfd(1, 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(add(epoll, fd, EPOLLIN, 5), 0);
        _exit(0);
    }
    CHECK_CHILD(pid);
    struct epoll_event event;
    CHECK_EQ(wait_now(epoll, &event, 1), 1);
    CHECK_EQ(event.data.u64, 5);
}

CASE(epoll_many_descriptors)
{
    int epoll = epoll_create1(0), fds[200];
    for (int i = 0; i < 200; i++) {
        fds[i] = eventfd(0, EFD_NONBLOCK);
        CHECK_EQ(add(epoll, fds[i], EPOLLIN, i), 0);
    }
    CHECK_EQ(eventfd_write(fds[123], 1), 0);
    struct epoll_event events[200];
    CHECK_EQ(wait_now(epoll, events, 200), 1);
    CHECK_EQ(events[0].data.u64, 123);
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(eventfd_write(fds[i], 1), 0);
    }
    CHECK_EQ(wait_now(epoll, events, 200), 200);
}

GUEST_MAIN("poll")
