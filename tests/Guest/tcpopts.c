// Options of TCP: what they take and answer (tcp(7))
#include "inet.h"

typedef struct { int value, error, reads; } trial;

static void trials(int option, const trial *t, int count)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    for (int i = 0; i < count; i++) {
        if (t[i].error) {
            CHECK_ERRNO(set_int(fd, IPPROTO_TCP, option, t[i].value), t[i].error);
        } else {
            CHECK_EQ(set_int(fd, IPPROTO_TCP, option, t[i].value), 0);
            CHECK_EQ(int_option(fd, IPPROTO_TCP, option), t[i].reads);
        }
    }
    short s = 1;
    CHECK_ERRNO(setsockopt(fd, IPPROTO_TCP, option, &s, sizeof s), EINVAL);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_TCP, option, BAD_POINTER, 4), EFAULT);
}

#define TRIALS(NAME, OPTION, ...)                              \
    CASE(NAME)                                                 \
    {                                                          \
        const trial list[] = { __VA_ARGS__ };                  \
        trials(OPTION, list, sizeof list / sizeof *list);      \
    }

TRIALS(nodelay, TCP_NODELAY, { 1, 0, 1 }, { 0, 0, 0 }, { 7, 0, 1 })
TRIALS(cork, TCP_CORK, { 1, 0, 1 }, { 0, 0, 0 })
TRIALS(keepidle, TCP_KEEPIDLE, { 1, 0, 1 }, { 32767, 0, 32767 }, { 0, EINVAL, 0 }, { 32768, EINVAL, 0 }, { -1, EINVAL, 0 })
TRIALS(keepintvl, TCP_KEEPINTVL, { 1, 0, 1 }, { 32767, 0, 32767 }, { 0, EINVAL, 0 }, { 32768, EINVAL, 0 })
TRIALS(keepcnt, TCP_KEEPCNT, { 1, 0, 1 }, { 127, 0, 127 }, { 0, EINVAL, 0 }, { 128, EINVAL, 0 })
TRIALS(syncnt, TCP_SYNCNT, { 1, 0, 1 }, { 127, 0, 127 }, { 0, EINVAL, 0 }, { 128, EINVAL, 0 })
TRIALS(user_timeout, TCP_USER_TIMEOUT, { 0, 0, 0 }, { 5000, 0, 5000 }, { -1, EINVAL, 0 })
TRIALS(linger2, TCP_LINGER2, { 10, 0, 10 }, { 120, 0, 120 }, { 121, 0, 120 }, { -7, 0, -1 }, { 0, 0, 60 })
TRIALS(defer_accept, TCP_DEFER_ACCEPT, { 0, 0, 0 }, { 1, 0, 1 }, { 2, 0, 3 }, { 8, 0, 15 }, { 255, 0, 367 }, { 100000, 0, 29887 }, { -1, 0, 0 })
TRIALS(window_clamp, TCP_WINDOW_CLAMP, { 0, 0, 0 }, { 1, 0, 1152 }, { 5000, 0, 5000 })
TRIALS(notsent_low_water, TCP_NOTSENT_LOWAT, { 0, 0, 0 }, { 4096, 0, 4096 }, { -1, 0, -1 })
TRIALS(inq, TCP_INQ, { 1, 0, 1 }, { 0, 0, 0 }, { 2, EINVAL, 0 })

CASE(maxseg)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(int_option(fd, IPPROTO_TCP, TCP_MAXSEG), 536);
    CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_MAXSEG, 1000), 0);
    CHECK_EQ(int_option(fd, IPPROTO_TCP, TCP_MAXSEG), 1000);
    CHECK_ERRNO(set_int(fd, IPPROTO_TCP, TCP_MAXSEG, 32768), EINVAL);
    CHECK_ERRNO(set_int(fd, IPPROTO_TCP, TCP_MAXSEG, -1), EINVAL);
}

CASE(congestion)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char name[16] = "";
    socklen_t n = sizeof name;
    CHECK_EQ(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
    CHECK_EQ(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &n), 0);
    CHECK_EQ(strcmp(name, "reno"), 0);
    CHECK_EQ(n, 16);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "nothing", 7), ENOENT);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "", 0), EINVAL);
}

CASE(info_of_states)
{
    struct tcp_info i;
    socklen_t n = sizeof i;
    int fd = socket(AF_INET, SOCK_STREAM, 0), fds[2];
    CHECK_EQ(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &n), 0);
    CHECK_EQ(i.tcpi_state, 7);
    fd = listening4(3);
    n = sizeof i;
    CHECK_EQ(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &n), 0);
    CHECK_EQ(i.tcpi_state, 10);
    tcp_pair(fds);
    n = sizeof i;
    CHECK_EQ(getsockopt(fds[0], IPPROTO_TCP, TCP_INFO, &i, &n), 0);
    CHECK_EQ(i.tcpi_state, 1);
    CHECK(i.tcpi_snd_mss > 0 && i.tcpi_snd_cwnd > 0 && i.tcpi_rto > 0 && i.tcpi_pmtu > 0);
    n = 8;
    CHECK_EQ(getsockopt(fds[0], IPPROTO_TCP, TCP_INFO, &i, &n), 0);
    CHECK_EQ(n, 8);
}

CASE(info_counts_bytes)
{
    struct { char start[120]; unsigned long long acknowledged, received; unsigned out, in; } i;
    socklen_t n = sizeof i;
    int fds[2];
    char text[100] = "";
    tcp_pair(fds);
    CHECK_EQ(send(fds[0], text, 100, 0), 100);
    CHECK_EQ(recv(fds[1], text, 100, MSG_WAITALL), 100);
    CHECK_EQ(send(fds[1], text, 7, 0), 7);
    CHECK_EQ(recv(fds[0], text, 7, MSG_WAITALL), 7);
    CHECK_EQ(getsockopt(fds[1], IPPROTO_TCP, TCP_INFO, &i, &n), 0);
    CHECK_EQ(i.received, 100);
    n = sizeof i;
    CHECK_EQ(getsockopt(fds[0], IPPROTO_TCP, TCP_INFO, &i, &n), 0);
    CHECK_EQ(i.received, 7);
    CHECK(i.acknowledged >= 100);
    CHECK(i.out >= 2 && i.in >= 2);
}

CASE(quickack_of_a_connection)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_EQ(set_int(fds[0], IPPROTO_TCP, TCP_QUICKACK, 1), 0);
    CHECK_EQ(int_option(fds[0], IPPROTO_TCP, TCP_QUICKACK), 1);
}

CASE(small_receive_buffer_moves_on)
{
    int listener = bound4(SOCK_STREAM);
    CHECK_EQ(set_int(listener, SOL_SOCKET, SO_RCVBUF, 4096), 0);
    CHECK_EQ(listen(listener, 1), 0);
    int a = connected4(port_of(listener)), b = accept(listener, NULL, NULL);
    static char big[200000];
    pid_t child = fork();
    if (child == 0) {
        close(a);
        size_t got = 0;
        for (ssize_t n; (n = recv(b, big, sizeof big, 0)) > 0; got += n) {
        }
        CHECK_EQ(got, sizeof big);
        _exit(0);
    }
    CHECK_EQ(send(a, big, sizeof big, 0), (ssize_t)sizeof big);
    close(a);
    CHECK_CHILD(child);
}

// What may wait unsent is little, whatever the send buffer has room for.
CASE(notsent_low_water_bounds_what_waits)
{
    enum { LOW = 16384 };
    int fds[2];
    static char block[4096];
    tcp_pair(fds);
    CHECK_EQ(set_int(fds[0], IPPROTO_TCP, TCP_NOTSENT_LOWAT, LOW), 0);
    CHECK_EQ(set_int(fds[0], SOL_SOCKET, SO_SNDBUF, 1 << 20), 0);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    while (send(fds[0], block, sizeof block, 0) > 0)
        ;
    CHECK_ERRNO(send(fds[0], block, sizeof block, 0), EAGAIN);
    unsigned info[37]; // the last is tcpi_notsent_bytes
    socklen_t length = sizeof info;
    CHECK_EQ(getsockopt(fds[0], IPPROTO_TCP, TCP_INFO, info, &length), 0);
    CHECK(info[36] >= LOW && info[36] < LOW + 65536);
    struct pollfd p = { fds[0], POLLOUT, 0 };
    CHECK_EQ(poll(&p, 1, 0), 0);
    long total = 0;
    while (poll(&p, 1, 0) == 0) {
        ssize_t n = recv(fds[1], block, sizeof block, 0);
        CHECK(n > 0);
        total += n;
    }
    CHECK(p.revents == POLLOUT && total > 0);
    CHECK(send(fds[0], block, 100, 0) == 100);
}

CASE(inq_tells_what_is_left)
{
    int fds[2], on = 1;
    char bytes[100] = "", control[64];
    tcp_pair(fds);
    CHECK_EQ(setsockopt(fds[1], IPPROTO_TCP, TCP_INQ, &on, sizeof on), 0);
    CHECK_EQ(send(fds[0], bytes, 100, 0), 100);
    struct iovec part = { bytes, 30 };
    struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    CHECK_EQ(recvmsg(fds[1], &m, 0), 30);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    CHECK(c && c->cmsg_level == IPPROTO_TCP && c->cmsg_type == TCP_INQ && c->cmsg_len == CMSG_LEN(sizeof(int)));
    CHECK_EQ(*(int *)CMSG_DATA(c), 70);
    CHECK(!CMSG_NXTHDR(&m, c));
}

CASE(window_clamp_of_a_connection)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_ERRNO(set_int(fds[0], IPPROTO_TCP, TCP_WINDOW_CLAMP, 0), EINVAL);
    CHECK_EQ(set_int(fds[0], IPPROTO_TCP, TCP_WINDOW_CLAMP, 20000), 0);
    CHECK_EQ(int_option(fds[0], IPPROTO_TCP, TCP_WINDOW_CLAMP), 20000);
}

CASE(no_multipath)
{
    CHECK_EQ(int_option(socket(AF_INET, SOCK_STREAM, 0), IPPROTO_TCP, 43), 0); // TCP_IS_MPTCP
    CHECK_ERRNO(set_int(socket(AF_INET, SOCK_STREAM, 0), IPPROTO_TCP, 43, 1), ENOPROTOOPT);
}

GUEST_MAIN("tcpopts")
