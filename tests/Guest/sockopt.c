// Options of SOL_SOCKET for sockets of all families (socket(7)), and socket(2), shutdown(2), getsockname(2) with odd arguments
#include "inet.h"
#include <linux/netlink.h>
#include <sys/un.h>

static int udp4(void) { return socket(AF_INET, SOCK_DGRAM, 0); }
static int tcp4(void) { return socket(AF_INET, SOCK_STREAM, 0); }
static int udp6(void) { return socket(AF_INET6, SOCK_DGRAM, 0); }
static int tcp6(void) { return socket(AF_INET6, SOCK_STREAM, 0); }
static int raw4(void) { return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }
static int stream(void) { return socket(AF_UNIX, SOCK_STREAM, 0); }
static int datagram(void) { return socket(AF_UNIX, SOCK_DGRAM, 0); }
static int route(void) { return socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE); }

static void flag(int fd, int option)
{
    CHECK(fd >= 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, option), 0);
    CHECK_EQ(set_int(fd, SOL_SOCKET, option, 5), 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, option), 1);
    CHECK_EQ(set_int(fd, SOL_SOCKET, option, 0), 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, option), 0);
    int one = 1;
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, option, &one, 3), EINVAL);
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, option, BAD_POINTER, 4), EFAULT);
    close(fd);
}

#define EACH(NAME, OPTION)                                          \
    CASE(udp4_##NAME) { flag(udp4(), OPTION); }                     \
    CASE(tcp4_##NAME) { flag(tcp4(), OPTION); }                     \
    CASE(udp6_##NAME) { flag(udp6(), OPTION); }                     \
    CASE(tcp6_##NAME) { flag(tcp6(), OPTION); }                     \
    CASE(unix_stream_##NAME) { flag(stream(), OPTION); }            \
    CASE(unix_datagram_##NAME) { flag(datagram(), OPTION); }        \
    CASE(netlink_##NAME) { flag(route(), OPTION); }

EACH(reuseaddr, SO_REUSEADDR)
CASE(raw4_reuseaddr) { CHECK_EQ(int_option(raw4(), SOL_SOCKET, SO_REUSEADDR), 1); }
CASE(raw4_broadcast) { flag(raw4(), SO_BROADCAST); }
CASE(raw4_timestamp) { flag(raw4(), SO_TIMESTAMP); }
EACH(broadcast, SO_BROADCAST)
EACH(keepalive, SO_KEEPALIVE)
EACH(oobinline, SO_OOBINLINE)
EACH(dontroute, SO_DONTROUTE)
EACH(timestamp, SO_TIMESTAMP)
EACH(timestampns, SO_TIMESTAMPNS)

typedef struct { int domain, type, protocol; } kind;

static void identity(int fd, int domain, int type, int protocol)
{
    CHECK(fd >= 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_DOMAIN), domain);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_TYPE), type);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_PROTOCOL), protocol);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_ERROR), 0);
    CHECK_ERRNO(set_int(fd, SOL_SOCKET, SO_DOMAIN, 1), ENOPROTOOPT);
    CHECK_ERRNO(set_int(fd, SOL_SOCKET, SO_TYPE, 1), ENOPROTOOPT);
    CHECK_ERRNO(set_int(fd, SOL_SOCKET, SO_PROTOCOL, 1), ENOPROTOOPT);
    CHECK_ERRNO(set_int(fd, SOL_SOCKET, SO_ERROR, 1), ENOPROTOOPT);
    CHECK_ERRNO(set_int(fd, SOL_SOCKET, SO_ACCEPTCONN, 1), ENOPROTOOPT);
    close(fd);
}

CASE(udp4_identity) { identity(udp4(), AF_INET, SOCK_DGRAM, IPPROTO_UDP); }
CASE(tcp4_identity) { identity(tcp4(), AF_INET, SOCK_STREAM, IPPROTO_TCP); }
CASE(udp6_identity) { identity(udp6(), AF_INET6, SOCK_DGRAM, IPPROTO_UDP); }
CASE(tcp6_identity) { identity(tcp6(), AF_INET6, SOCK_STREAM, IPPROTO_TCP); }
CASE(raw4_identity) { identity(raw4(), AF_INET, SOCK_RAW, IPPROTO_ICMP); }
CASE(unix_stream_identity) { identity(stream(), AF_UNIX, SOCK_STREAM, 0); }
CASE(unix_datagram_identity) { identity(datagram(), AF_UNIX, SOCK_DGRAM, 0); }
CASE(unix_seqpacket_identity) { identity(socket(AF_UNIX, SOCK_SEQPACKET, 0), AF_UNIX, SOCK_SEQPACKET, 0); }
CASE(netlink_identity) { identity(route(), AF_NETLINK, SOCK_RAW, NETLINK_ROUTE); }

static void timeouts(int fd)
{
    struct timeval t = { 3, 500000 }, got = { 0 };
    socklen_t n = sizeof got;
    int options[] = { SO_RCVTIMEO, SO_SNDTIMEO };
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(getsockopt(fd, SOL_SOCKET, options[i], &got, &n), 0);
        CHECK_EQ(got.tv_sec + got.tv_usec, 0);
        CHECK_EQ(n, sizeof got);
        CHECK_EQ(setsockopt(fd, SOL_SOCKET, options[i], &t, sizeof t), 0);
        CHECK_EQ(getsockopt(fd, SOL_SOCKET, options[i], &got, &n), 0);
        CHECK_EQ(got.tv_sec, 3);
        CHECK_EQ(got.tv_usec, 500000);
        CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, options[i], &t, 8), EINVAL);
        struct timeval bad = { 1, 1000000 };
        CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, options[i], &bad, sizeof bad), EDOM);
        bad.tv_usec = -1;
        CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, options[i], &bad, sizeof bad), EDOM);
        memset(&got, 0, sizeof got);
    }
}

CASE(udp4_timeouts) { timeouts(udp4()); }
CASE(tcp4_timeouts) { timeouts(tcp4()); }
CASE(unix_timeouts) { timeouts(stream()); }
CASE(netlink_timeouts) { timeouts(route()); }

static void linger(int fd)
{
    struct linger l = { 7, 9 };
    socklen_t n = sizeof l;
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
    memset(&l, 0, sizeof l);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &n), 0);
    CHECK_EQ(l.l_onoff, 1);
    CHECK_EQ(l.l_linger, 9);
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, 4), EINVAL);
    l.l_onoff = 0;
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &n), 0);
    CHECK_EQ(l.l_onoff, 0);
}

CASE(tcp4_linger) { linger(tcp4()); }
CASE(udp4_linger) { linger(udp4()); }
CASE(unix_linger) { linger(stream()); }

static void buffers(int fd, int option, int force)
{
    CHECK_EQ(set_int(fd, SOL_SOCKET, option, 20000), 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, option), 40000);
    CHECK_EQ(set_int(fd, SOL_SOCKET, option, 0), 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, option), option == SO_SNDBUF ? 4608 : 2304);
    CHECK_EQ(set_int(fd, SOL_SOCKET, force, 1000000), 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, option), 2000000);
}

CASE(udp4_receive_buffer) { buffers(udp4(), SO_RCVBUF, SO_RCVBUFFORCE); }
CASE(udp4_send_buffer) { buffers(udp4(), SO_SNDBUF, SO_SNDBUFFORCE); }
CASE(tcp4_receive_buffer) { buffers(tcp4(), SO_RCVBUF, SO_RCVBUFFORCE); }
CASE(tcp4_send_buffer) { buffers(tcp4(), SO_SNDBUF, SO_SNDBUFFORCE); }
CASE(unix_receive_buffer) { buffers(stream(), SO_RCVBUF, SO_RCVBUFFORCE); }
CASE(unix_send_buffer) { buffers(stream(), SO_SNDBUF, SO_SNDBUFFORCE); }
CASE(netlink_receive_buffer) { buffers(route(), SO_RCVBUF, SO_RCVBUFFORCE); }

CASE(unix_peek_offset_of_others)
{
    CHECK_ERRNO(set_int(raw4(), SOL_SOCKET, SO_PEEK_OFF, 0), EOPNOTSUPP);
}

CASE(reuseport_of_internet_sockets)
{
    flag(udp4(), SO_REUSEPORT);
    flag(tcp4(), SO_REUSEPORT);
    flag(udp6(), SO_REUSEPORT);
}

CASE(reuseport_of_unix_sockets)
{
    CHECK_ERRNO(set_int(stream(), SOL_SOCKET, SO_REUSEPORT, 1), EOPNOTSUPP);
    CHECK_EQ(set_int(stream(), SOL_SOCKET, SO_REUSEPORT, 0), 0);
}

CASE(priority)
{
    int fd = udp4();
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_PRIORITY), 0);
    CHECK_EQ(set_int(fd, SOL_SOCKET, SO_PRIORITY, 6), 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_PRIORITY), 6);
    CHECK_EQ(set_int(fd, SOL_SOCKET, SO_PRIORITY, 7), 0); // with CAP_NET_ADMIN
}

CASE(mark)
{
    int fd = udp4();
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_MARK), 0);
    CHECK_EQ(set_int(fd, SOL_SOCKET, SO_MARK, 0x1234), 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_MARK), 0x1234);
}

CASE(bind_to_device)
{
    int fd = udp4();
    char name[16] = "x";
    socklen_t n = sizeof name;
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &n), 0);
    CHECK_EQ(n, 0);
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
    n = sizeof name;
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &n), 0);
    CHECK_EQ(n, 3);
    CHECK_EQ(strcmp(name, "lo"), 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, 62), 1); // SO_BINDTOIFINDEX
    n = 2;
    CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &n), EINVAL);
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "nothing0", 9), ENODEV);
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0), 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, 62), 0);
    CHECK_EQ(set_int(fd, SOL_SOCKET, 62, 1), 0);
    CHECK_EQ(set_int(fd, SOL_SOCKET, 62, 4711), 0); // nobody looks whether it is there
    CHECK_ERRNO(set_int(fd, SOL_SOCKET, 62, -1), EINVAL);
}

CASE(bound_to_loopback_reaches_nothing_else)
{
    int fd = udp4();
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2), 0);
    int other = bound4(SOCK_DGRAM);
    struct sockaddr_in to = loopback4(port_of(other));
    CHECK_EQ(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    CHECK_EQ(events_of(other, POLLIN, 5000), POLLIN);
}

CASE(cookies_differ)
{
    unsigned long long a = 0, b = 0;
    socklen_t n = sizeof a;
    int fd = udp4();
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, 57, &a, &n), 0); // SO_COOKIE
    CHECK_EQ(n, 8);
    CHECK_EQ(getsockopt(udp4(), SOL_SOCKET, 57, &b, &n), 0);
    CHECK(a != b && a != 0 && b != 0);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, 57, &b, &n), 0);
    CHECK_EQ(a, b);
    n = 4;
    CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, 57, &b, &n), EINVAL);
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, 57, &b, 8), ENOPROTOOPT);
}

CASE(peer_name_as_an_option)
{
    int fds[2];
    tcp_pair(fds);
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    CHECK_EQ(getsockopt(fds[0], SOL_SOCKET, 28, &a, &n), 0); // SO_PEERNAME
    CHECK_EQ(n, sizeof a);
    CHECK_EQ(ntohs(a.sin_port), port_of(fds[1]));
    n = 4;
    CHECK_EQ(getsockopt(fds[0], SOL_SOCKET, 28, &a, &n), 0);
    CHECK_EQ(n, 4);
    char big[64];
    n = sizeof big;
    CHECK_ERRNO(getsockopt(fds[0], SOL_SOCKET, 28, big, &n), EINVAL); // more than there is
    n = sizeof a;
    CHECK_ERRNO(getsockopt(tcp4(), SOL_SOCKET, 28, &a, &n), ENOTCONN);
}

CASE(unknown_option)
{
    int v;
    socklen_t n = sizeof v;
    CHECK_ERRNO(set_int(udp4(), SOL_SOCKET, 9999, 1), ENOPROTOOPT);
    CHECK_ERRNO(getsockopt(udp4(), SOL_SOCKET, 9999, &v, &n), ENOPROTOOPT);
    CHECK_ERRNO(set_int(stream(), SOL_SOCKET, 9999, 1), ENOPROTOOPT);
    CHECK_ERRNO(set_int(route(), SOL_SOCKET, 9999, 1), ENOPROTOOPT);
    CHECK_ERRNO(set_int(stream(), IPPROTO_TCP, TCP_NODELAY, 1), EOPNOTSUPP);
}

CASE(lengths)
{
    int v = 1;
    socklen_t n = 2;
    CHECK_EQ(getsockopt(udp4(), SOL_SOCKET, SO_TYPE, &v, &n), 0);
    CHECK_EQ(n, 2);
    n = 0;
    CHECK_EQ(getsockopt(udp4(), SOL_SOCKET, SO_TYPE, &v, &n), 0);
    CHECK_EQ(n, 0);
    n = -1;
    CHECK_ERRNO(getsockopt(udp4(), SOL_SOCKET, SO_TYPE, &v, &n), EINVAL);
    CHECK_ERRNO(setsockopt(udp4(), SOL_SOCKET, SO_REUSEADDR, &v, -1), EINVAL);
    CHECK_ERRNO(setsockopt(udp4(), SOL_SOCKET, SO_REUSEADDR, &v, 0), EINVAL);
    n = 4;
    CHECK_ERRNO(getsockopt(udp4(), SOL_SOCKET, SO_TYPE, BAD_POINTER, &n), EFAULT);
    CHECK_ERRNO(getsockopt(udp4(), SOL_SOCKET, SO_TYPE, &v, NULL), EFAULT);
}

CASE(no_sockets)
{
    int v = 1;
    socklen_t n = sizeof v;
    int file = open("/dev/null", O_RDWR);
    CHECK_ERRNO(getsockopt(-1, SOL_SOCKET, SO_TYPE, &v, &n), EBADF);
    CHECK_ERRNO(getsockopt(file, SOL_SOCKET, SO_TYPE, &v, &n), ENOTSOCK);
    CHECK_ERRNO(setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &v, n), ENOTSOCK);
    CHECK_ERRNO(listen(file, 1), ENOTSOCK);
    CHECK_ERRNO(shutdown(file, 0), ENOTSOCK);
    CHECK_ERRNO(send(file, &v, 1, 0), ENOTSOCK);
    CHECK_ERRNO(recv(file, &v, 1, 0), ENOTSOCK);
    CHECK_ERRNO(accept(file, NULL, NULL), ENOTSOCK);
    CHECK_ERRNO(getsockname(file, (struct sockaddr *)&v, &n), ENOTSOCK);
    CHECK_ERRNO(getpeername(file, (struct sockaddr *)&v, &n), ENOTSOCK);
}

CASE(bad_domains_types_and_protocols)
{
    CHECK_ERRNO(socket(45, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERRNO(socket(1000, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERRNO(socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERRNO(socket(0, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERRNO(socket(AF_INET, 0, 0), ESOCKTNOSUPPORT);
    CHECK_ERRNO(socket(AF_INET, 11, 0), EINVAL);
    CHECK_ERRNO(socket(AF_INET, SOCK_STREAM | 0x100000, 0), EINVAL);
    CHECK_ERRNO(socket(AF_INET, SOCK_RDM, 0), ESOCKTNOSUPPORT);
    CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    CHECK_ERRNO(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
    CHECK_ERRNO(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
    CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM, 5), EPROTONOSUPPORT);
    CHECK_ERRNO(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
    CHECK_ERRNO(socket(AF_NETLINK, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
    CHECK_ERRNO(socket(AF_NETLINK, SOCK_RAW, 100), EPROTONOSUPPORT);
}

CASE(pairs)
{
    int fds[2];
    CHECK_ERRNO(socketpair(AF_INET, SOCK_STREAM, 0, fds), EOPNOTSUPP);
    CHECK_ERRNO(socketpair(AF_INET, SOCK_DGRAM, 0, fds), EOPNOTSUPP);
    CHECK_ERRNO(socketpair(AF_NETLINK, SOCK_RAW, 0, fds), EOPNOTSUPP);
    CHECK_ERRNO(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, BAD_POINTER), EFAULT);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    CHECK_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fds[1], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

CASE(shutdown_arguments)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_ERRNO(shutdown(fds[0], 3), EINVAL);
    CHECK_ERRNO(shutdown(fds[0], -1), EINVAL);
    CHECK_ERRNO(shutdown(tcp4(), SHUT_RD), ENOTCONN);
    CHECK_ERRNO(shutdown(udp4(), SHUT_RD), ENOTCONN);
    CHECK_EQ(shutdown(stream(), SHUT_RD), 0);
    CHECK_ERRNO(shutdown(-1, SHUT_RD), EBADF);
    CHECK_EQ(shutdown(fds[0], SHUT_RDWR), 0);
}

CASE(names_with_little_room)
{
    int fd = bound4(SOCK_DGRAM);
    struct sockaddr_in a;
    memset(&a, 0xee, sizeof a);
    socklen_t n = 4;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    CHECK_EQ(n, sizeof a);
    CHECK_EQ(ntohs(a.sin_port), port_of(fd));
    CHECK_EQ(a.sin_addr.s_addr, 0xeeeeeeee);
    n = -1;
    CHECK_ERRNO(getsockname(fd, (struct sockaddr *)&a, &n), EINVAL);
    CHECK_ERRNO(getsockname(fd, (struct sockaddr *)&a, BAD_POINTER), EFAULT);
    n = sizeof a;
    CHECK_ERRNO(getsockname(fd, BAD_POINTER, &n), EFAULT);
    CHECK_ERRNO(getpeername(fd, (struct sockaddr *)&a, &n), ENOTCONN);
}

CASE(bind_arguments)
{
    struct sockaddr_in a = loopback4(0);
    CHECK_ERRNO(bind(udp4(), (struct sockaddr *)&a, 8), EINVAL);
    CHECK_ERRNO(bind(udp4(), (struct sockaddr *)&a, -1), EINVAL);
    CHECK_ERRNO(bind(udp4(), (struct sockaddr *)&a, 200), EINVAL);
    CHECK_ERRNO(bind(udp4(), BAD_POINTER, sizeof a), EFAULT);
    a.sin_family = AF_INET6;
    CHECK_ERRNO(bind(udp4(), (struct sockaddr *)&a, sizeof a), EAFNOSUPPORT);
    a = loopback4(0);
    int fd = udp4();
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_ERRNO(bind(fd, (struct sockaddr *)&a, sizeof a), EINVAL);
}

CASE(accept4_flags)
{
    int listener = listening4(4);
    connected4(port_of(listener));
    CHECK_ERRNO(accept4(listener, NULL, NULL, 1), EINVAL);
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    CHECK_EQ(int_option(listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
}

CASE(accept_inherits_options)
{
    int listener = bound4(SOCK_STREAM);
    struct timeval t = { 9, 0 };
    set_int(listener, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(listener, SOL_SOCKET, SO_OOBINLINE, 1);
    set_int(listener, SOL_SOCKET, SO_RCVBUF, 20000);
    set_int(listener, SOL_SOCKET, SO_PRIORITY, 3);
    setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    CHECK_EQ(listen(listener, 1), 0);
    connected4(port_of(listener));
    int fd = accept(listener, NULL, NULL);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_OOBINLINE), 1);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_RCVBUF), 40000);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_PRIORITY), 0); // but not this
    memset(&t, 0, sizeof t);
    socklen_t n = sizeof t;
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, &n), 0);
    CHECK_EQ(t.tv_sec, 9);
}

CASE(debug_needs_privilege_only_to_be_set)
{
    int fd = udp4();
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_DEBUG), 0);
    CHECK_EQ(set_int(fd, SOL_SOCKET, SO_DEBUG, 1), 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_DEBUG), 1);
}

CASE(busy_poll)
{
    int fd = udp4();
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_BUSY_POLL), 0);
    CHECK_ERRNO(set_int(fd, SOL_SOCKET, SO_BUSY_POLL, -1), EINVAL);
    CHECK_EQ(set_int(fd, SOL_SOCKET, SO_BUSY_POLL, 50), 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_BUSY_POLL), 50);
    CHECK_EQ(set_int(fd, SOL_SOCKET, 69, 3), 0); // SO_PREFER_BUSY_POLL
    CHECK_EQ(int_option(fd, SOL_SOCKET, 69), 1);
    CHECK_EQ(set_int(fd, SOL_SOCKET, 70, 8), 0); // SO_BUSY_POLL_BUDGET
    CHECK_ERRNO(set_int(fd, SOL_SOCKET, 70, 65536), EINVAL);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_INCOMING_NAPI_ID), 0);
    CHECK_ERRNO(set_int(fd, SOL_SOCKET, SO_INCOMING_NAPI_ID, 1), ENOPROTOOPT);
}

CASE(options_of_old)
{
    int fd = tcp4();
    CHECK_EQ(set_int(fd, SOL_SOCKET, SO_BSDCOMPAT, 1), 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_BSDCOMPAT), 0);
}

GUEST_MAIN("sockopt")
