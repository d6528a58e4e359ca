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
TRIALS(linger2, TCP_LINGER2, { 10, 0, 10 }, { 120, 0, 120 })

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

GUEST_MAIN("tcpopts")
