// Urgent data of TCP (tcp(7), send(2), sockatmark(3)), SO_RCVLOWAT, SO_LINGER
#include "inet.h"

static volatile sig_atomic_t signals;
static void on_signal(int signal) { signals++; }

static void urgent(int fd, const char *text) { CHECK_EQ(send(fd, text, strlen(text), MSG_OOB), (ssize_t)strlen(text)); }
static void plain(int fd, const char *text) { CHECK_EQ(send(fd, text, strlen(text), 0), (ssize_t)strlen(text)); }

static int at_mark(int fd)
{
    int mark = -1;
    CHECK_EQ(ioctl(fd, SIOCATMARK, &mark), 0);
    return mark;
}

static int ready_bytes(int fd)
{
    int count = -1;
    CHECK_EQ(ioctl(fd, FIONREAD, &count), 0);
    return count;
}

CASE(none)
{
    int fds[2];
    char c;
    tcp_pair(fds);
    CHECK_ERRNO(recv(fds[1], &c, 1, MSG_OOB), EINVAL);
    CHECK_ERRNO(recv(fds[1], &c, 1, MSG_OOB | MSG_DONTWAIT), EINVAL);
    CHECK_EQ(at_mark(fds[1]), 0);
    CHECK_EQ(events_of(fds[1], POLLPRI | POLLIN, 0), 0);
}

CASE(one_byte)
{
    int fds[2];
    char c = 0;
    tcp_pair(fds);
    urgent(fds[0], "u");
    CHECK_EQ(events_of(fds[1], POLLPRI, 5000), POLLPRI);
    CHECK_EQ(recv(fds[1], &c, 1, MSG_OOB), 1);
    CHECK_EQ(c, 'u');
    CHECK_ERRNO(recv(fds[1], &c, 1, MSG_OOB), EINVAL); // only once
    CHECK_EQ(events_of(fds[1], POLLPRI, 0), 0);
}

CASE(it_is_no_part_of_the_stream)
{
    int fds[2];
    char text[8] = "";
    tcp_pair(fds);
    plain(fds[0], "ab");
    urgent(fds[0], "u");
    plain(fds[0], "cd");
    CHECK_EQ(events_of(fds[1], POLLPRI, 5000), POLLPRI);
    CHECK_EQ(recv(fds[1], text, 8, 0), 2); // up to the mark
    CHECK_EQ(at_mark(fds[1]), 1);
    CHECK_EQ(recv(fds[1], text + 2, 6, 0), 2);
    CHECK_EQ(strcmp(text, "abcd"), 0);
    CHECK_EQ(at_mark(fds[1]), 0);
}

CASE(the_byte_can_be_taken_before_the_mark)
{
    int fds[2];
    char text[8] = "", c;
    tcp_pair(fds);
    plain(fds[0], "ab");
    urgent(fds[0], "u");
    CHECK_EQ(events_of(fds[1], POLLPRI, 5000), POLLPRI);
    CHECK_EQ(recv(fds[1], &c, 1, MSG_OOB), 1);
    CHECK_EQ(c, 'u');
    CHECK_EQ(recv(fds[1], text, 8, 0), 2);
    CHECK_EQ(at_mark(fds[1]), 1);
    CHECK_ERRNO(recv(fds[1], text, 8, MSG_DONTWAIT), EAGAIN);
}

CASE(passing_the_mark_loses_the_byte)
{
    int fds[2];
    char text[8] = "", c;
    tcp_pair(fds);
    urgent(fds[0], "u");
    plain(fds[0], "ab");
    CHECK_EQ(events_of(fds[1], POLLPRI, 5000), POLLPRI);
    CHECK_EQ(recv(fds[1], text, 8, 0), 2);
    CHECK_EQ(strcmp(text, "ab"), 0);
    CHECK_ERRNO(recv(fds[1], &c, 1, MSG_OOB), EINVAL);
}

CASE(only_the_last_byte_is_urgent)
{
    int fds[2];
    char text[8] = "", c;
    tcp_pair(fds);
    urgent(fds[0], "abc");
    CHECK_EQ(events_of(fds[1], POLLPRI, 5000), POLLPRI);
    CHECK_EQ(recv(fds[1], &c, 1, MSG_OOB), 1);
    CHECK_EQ(c, 'c');
    CHECK_EQ(recv(fds[1], text, 8, 0), 2);
    CHECK_EQ(strcmp(text, "ab"), 0);
}

CASE(peeking_at_it)
{
    int fds[2];
    char c = 0;
    tcp_pair(fds);
    urgent(fds[0], "u");
    CHECK_EQ(events_of(fds[1], POLLPRI, 5000), POLLPRI);
    CHECK_EQ(recv(fds[1], &c, 1, MSG_OOB | MSG_PEEK), 1);
    CHECK_EQ(recv(fds[1], &c, 1, MSG_OOB | MSG_PEEK), 1);
    CHECK_EQ(c, 'u');
    CHECK_EQ(recv(fds[1], &c, 1, MSG_OOB), 1);
    CHECK_ERRNO(recv(fds[1], &c, 1, MSG_OOB | MSG_PEEK), EINVAL);
}

CASE(message_flags)
{
    int fds[2];
    char text[8];
    struct iovec v = { text, 8 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
    tcp_pair(fds);
    urgent(fds[0], "u");
    CHECK_EQ(events_of(fds[1], POLLPRI, 5000), POLLPRI);
    CHECK_EQ(recvmsg(fds[1], &m, MSG_OOB), 1);
    CHECK_EQ(m.msg_flags, MSG_OOB);
    plain(fds[0], "x");
    CHECK_EQ(recvmsg(fds[1], &m, 0), 1);
    CHECK_EQ(m.msg_flags, 0);
}

CASE(no_room_for_it)
{
    int fds[2];
    char c;
    tcp_pair(fds);
    urgent(fds[0], "u");
    CHECK_EQ(events_of(fds[1], POLLPRI, 5000), POLLPRI);
    CHECK_EQ(recv(fds[1], &c, 0, MSG_OOB), 0);
    CHECK_ERRNO(recv(fds[1], &c, 1, MSG_OOB), EINVAL);
}

CASE(in_line)
{
    int fds[2];
    char text[8] = "", c;
    tcp_pair(fds);
    CHECK_EQ(set_int(fds[1], SOL_SOCKET, SO_OOBINLINE, 1), 0);
    plain(fds[0], "ab");
    urgent(fds[0], "u");
    plain(fds[0], "cd");
    CHECK_EQ(events_of(fds[1], POLLPRI, 5000), POLLPRI);
    CHECK_ERRNO(recv(fds[1], &c, 1, MSG_OOB), EINVAL);
    CHECK_EQ(ready_bytes(fds[1]), 5);
    CHECK_EQ(recv(fds[1], text, 8, 0), 2); // it still stops at the mark
    CHECK_EQ(at_mark(fds[1]), 1);
    CHECK_EQ(recv(fds[1], text + 2, 6, 0), 3);
    CHECK_EQ(strcmp(text, "abucd"), 0);
}

CASE(bytes_before_the_mark)
{
    int fds[2];
    tcp_pair(fds);
    plain(fds[0], "ab");
    urgent(fds[0], "u");
    plain(fds[0], "cde");
    CHECK_EQ(events_of(fds[1], POLLPRI, 5000), POLLPRI);
    CHECK_EQ(ready_bytes(fds[1]), 2);
    char text[8];
    CHECK_EQ(recv(fds[1], text, 8, 0), 2);
    CHECK_EQ(recv(fds[1], text, 8, 0), 3);
}

CASE(the_byte_alone_is_not_readable)
{
    int fds[2];
    tcp_pair(fds);
    urgent(fds[0], "u");
    CHECK_EQ(events_of(fds[1], POLLPRI, 5000), POLLPRI);
    CHECK_EQ(events_of(fds[1], POLLIN, 0), 0);
    CHECK_EQ(at_mark(fds[1]), 1);
    plain(fds[0], "x");
    CHECK_EQ(events_of(fds[1], POLLIN, 5000), POLLIN);
}

CASE(peek_stops_at_the_mark)
{
    int fds[2];
    char text[8] = "";
    tcp_pair(fds);
    plain(fds[0], "ab");
    urgent(fds[0], "u");
    plain(fds[0], "cd");
    CHECK_EQ(events_of(fds[1], POLLPRI, 5000), POLLPRI);
    CHECK_EQ(recv(fds[1], text, 8, MSG_PEEK), 2);
    CHECK_EQ(at_mark(fds[1]), 0);
    CHECK_EQ(recv(fds[1], text, 8, 0), 2);
}

CASE(a_second_byte_replaces_the_first)
{
    int fds[2];
    char text[8] = "", c;
    tcp_pair(fds);
    urgent(fds[0], "1");
    CHECK_EQ(events_of(fds[1], POLLPRI, 5000), POLLPRI);
    urgent(fds[0], "2");
    plain(fds[0], "ab");
    CHECK_EQ(events_of(fds[1], POLLIN, 5000), POLLIN);
    CHECK_EQ(recv(fds[1], &c, 1, MSG_OOB), 1);
    CHECK_EQ(c, '2');
    CHECK_EQ(recv(fds[1], text, 8, 0), 2);
    CHECK_EQ(strcmp(text, "ab"), 0);
}

CASE(signal_to_the_owner)
{
    int fds[2];
    tcp_pair(fds);
    signal(SIGURG, on_signal);
    CHECK_EQ(fcntl(fds[1], F_SETOWN, getpid()), 0);
    urgent(fds[0], "u");
    for (int i = 0; i < 500 && !signals; i++) {
        sleep_ms(10);
    }
    CHECK_EQ(signals, 1);
}

CASE(no_signal_without_an_owner)
{
    int fds[2];
    tcp_pair(fds);
    signal(SIGURG, on_signal);
    urgent(fds[0], "u");
    CHECK_EQ(events_of(fds[1], POLLPRI, 5000), POLLPRI);
    sleep_ms(30);
    CHECK_EQ(signals, 0);
}

CASE(epoll_and_select)
{
    int fds[2], e = epoll_create1(0);
    tcp_pair(fds);
    struct epoll_event event = { .events = EPOLLPRI };
    CHECK_EQ(epoll_ctl(e, EPOLL_CTL_ADD, fds[1], &event), 0);
    urgent(fds[0], "u");
    CHECK_EQ(epoll_wait(e, &event, 1, 5000), 1);
    CHECK_EQ(event.events, EPOLLPRI);
    fd_set except;
    FD_ZERO(&except);
    FD_SET(fds[1], &except);
    CHECK_EQ(select(fds[1] + 1, NULL, NULL, &except, &(struct timeval){ 5, 0 }), 1);
}

CASE(after_the_end)
{
    int fds[2];
    char c;
    tcp_pair(fds);
    close(fds[0]);
    CHECK_EQ(events_of(fds[1], POLLIN, 5000), POLLIN);
    CHECK_ERRNO(recv(fds[1], &c, 1, MSG_OOB), EINVAL);
}

CASE(unconnected_and_listening)
{
    char c;
    CHECK_ERRNO(recv(socket(AF_INET, SOCK_STREAM, 0), &c, 1, MSG_OOB), EINVAL);
    CHECK_ERRNO(recv(bound4(SOCK_DGRAM), &c, 1, MSG_OOB | MSG_DONTWAIT), EAGAIN);
    CHECK_ERRNO(send(bound4(SOCK_DGRAM), &c, 1, MSG_OOB), EOPNOTSUPP);
    CHECK_EQ(at_mark(socket(AF_INET, SOCK_STREAM, 0)), 0);
}

CASE(mark_in_a_longer_stream)
{
    int fds[2];
    static char big[100000], got[100001];
    tcp_pair(fds);
    memset(big, 'x', sizeof big);
    CHECK_EQ(send(fds[0], big, sizeof big, 0), (ssize_t)sizeof big);
    urgent(fds[0], "u");
    plain(fds[0], "after");
    size_t have = 0;
    while (have < sizeof big) {
        ssize_t n = recv(fds[1], got + have, sizeof got - have, 0);
        CHECK(n > 0);
        have += n;
    }
    CHECK_EQ(have, sizeof big);
    CHECK_EQ(at_mark(fds[1]), 1);
    char text[8] = "";
    CHECK_EQ(recv(fds[1], text, 8, 0), 5);
    CHECK_EQ(strcmp(text, "after"), 0);
}

CASE(low_water_and_poll)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_EQ(int_option(fds[1], SOL_SOCKET, SO_RCVLOWAT), 1);
    CHECK_EQ(set_int(fds[1], SOL_SOCKET, SO_RCVLOWAT, 4), 0);
    CHECK_EQ(int_option(fds[1], SOL_SOCKET, SO_RCVLOWAT), 4);
    plain(fds[0], "abc");
    CHECK_EQ(events_of(fds[1], POLLIN, 50), 0);
    plain(fds[0], "d");
    CHECK_EQ(events_of(fds[1], POLLIN, 5000), POLLIN);
}

CASE(low_water_and_recv)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_EQ(set_int(fds[1], SOL_SOCKET, SO_RCVLOWAT, 4), 0);
    plain(fds[0], "ab");
    char text[8];
    CHECK_EQ(recv(fds[1], text, 8, MSG_DONTWAIT), 2); // what is there, if it may not wait
    struct pollfd ready = { fds[1], POLLIN, 0 };
    plain(fds[0], "ab");
    CHECK_EQ(poll(&ready, 1, 20), 0); // too little to be worth waking for
    plain(fds[0], "cd");
    CHECK_EQ(poll(&ready, 1, -1), 1);
    CHECK_EQ(recv(fds[1], text, 8, 0), 4);
    plain(fds[0], "xy");
    CHECK_EQ(recv(fds[1], text, 2, 0), 2); // no more than is wanted
}

CASE(low_water_of_zero_and_less)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(set_int(fd, SOL_SOCKET, SO_RCVLOWAT, 0), 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_RCVLOWAT), 1);
    int datagram = bound4(SOCK_DGRAM);
    CHECK_EQ(set_int(datagram, SOL_SOCKET, SO_RCVLOWAT, -1), 0);
    CHECK_EQ(int_option(datagram, SOL_SOCKET, SO_RCVLOWAT), 0x7fffffff);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_SNDLOWAT), 1);
    CHECK_ERRNO(set_int(fd, SOL_SOCKET, SO_SNDLOWAT, 2), ENOPROTOOPT);
}

// A pair whose second end takes little, and whose first end holds much that it has not taken.
static void stuffed_pair(int fds[2])
{
    static char big[1 << 20];
    int listener = bound4(SOCK_STREAM);
    CHECK_EQ(set_int(listener, SOL_SOCKET, SO_RCVBUF, 4096), 0);
    CHECK_EQ(listen(listener, 1), 0);
    fds[0] = connected4(port_of(listener));
    fds[1] = accept(listener, NULL, NULL);
    CHECK_EQ(set_int(fds[0], SOL_SOCKET, SO_SNDBUF, 200000), 0);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    while (send(fds[0], big, sizeof big, 0) > 0) {
    }
    fcntl(fds[0], F_SETFL, 0);
}

CASE(linger_reads_back)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct linger l = { 5, 7 };
    socklen_t n = sizeof l;
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
    memset(&l, 0, sizeof l);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &n), 0);
    CHECK_EQ(l.l_onoff, 1);
    CHECK_EQ(l.l_linger, 7);
}

CASE(linger_of_zero_resets)
{
    int fds[2];
    char c;
    tcp_pair(fds);
    struct linger l = { 1, 0 };
    CHECK_EQ(setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
    close(fds[0]);
    CHECK_ERRNO(recv(fds[1], &c, 1, 0), ECONNRESET);
}

CASE(close_lingers_until_all_is_acknowledged)
{
    int fds[2];
    static char big[1 << 20];
    stuffed_pair(fds);
    struct linger l = { 1, 10 };
    CHECK_EQ(setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
    int closed[2];
    CHECK_EQ(pipe(closed), 0);
    pid_t child = fork();
    if (child == 0) {
        close(fds[0]);
        CHECK_EQ(write(closed[1], "x", 1), 1);
        sleep_ms(200);
        size_t got = 0;
        for (ssize_t n; (n = recv(fds[1], big, sizeof big, 0)) > 0; got += n) {
        }
        CHECK(got > 100000);
        _exit(0);
    }
    char c;
    CHECK_EQ(read(closed[0], &c, 1), 1);
    int64_t before = monotonic_ns();
    CHECK_EQ(close(fds[0]), 0);
    // The child has closed its descriptor: this is the last one, and its data is read 200 ms later.
    CHECK(monotonic_ns() - before > 50000000);
    CHECK_CHILD(child);
}

CASE(close_lingers_no_longer_than_its_time)
{
    int fds[2];
    stuffed_pair(fds);
    struct linger l = { 1, 1 };
    CHECK_EQ(setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
    int64_t before = monotonic_ns();
    CHECK_EQ(close(fds[0]), 0);
    CHECK(monotonic_ns() - before > 900000000);
}

GUEST_MAIN("urgent")
