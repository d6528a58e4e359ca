// Options of IP and IPv6 for sockets of all protocols: what they take, what they answer (ip(7), ipv6(7))
#include "inet.h"

#ifndef IP_PROTOCOL
#define IP_PROTOCOL 52
#endif

static int udp4(void) { return socket(AF_INET, SOCK_DGRAM, 0); }
static int tcp4(void) { return socket(AF_INET, SOCK_STREAM, 0); }
static int raw4(void) { return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }
static int udp6(void) { return socket(AF_INET6, SOCK_DGRAM, 0); }
static int tcp6(void) { return socket(AF_INET6, SOCK_STREAM, 0); }
static int raw6(void) { return socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6); }

static void flag(int fd, int level, int option, int first)
{
    CHECK(fd >= 0);
    CHECK_EQ(int_option(fd, level, option), first);
    CHECK_EQ(set_int(fd, level, option, 1), 0);
    CHECK_EQ(int_option(fd, level, option), 1);
    CHECK_EQ(set_int(fd, level, option, 0), 0);
    CHECK_EQ(int_option(fd, level, option), 0);
    int one = 1;
    CHECK_ERRNO(setsockopt(fd, level, option, BAD_POINTER, sizeof one), EFAULT);
    CHECK_ERRNO(setsockopt(fd, level, option, &one, -1), EINVAL);
    close(fd);
}

#define FLAGS4(NAME, OPTION, FIRST)                                                        \
    CASE(udp4_##NAME) { flag(udp4(), IPPROTO_IP, OPTION, FIRST); }                         \
    CASE(tcp4_##NAME) { flag(tcp4(), IPPROTO_IP, OPTION, FIRST); }                         \
    CASE(raw4_##NAME) { flag(raw4(), IPPROTO_IP, OPTION, FIRST); }                         \
    CASE(udp6_##NAME) { flag(udp6(), IPPROTO_IP, OPTION, FIRST); }

#define FLAGS6(NAME, OPTION, FIRST)                                                        \
    CASE(udp6_##NAME) { flag(udp6(), IPPROTO_IPV6, OPTION, FIRST); }                       \
    CASE(tcp6_##NAME) { flag(tcp6(), IPPROTO_IPV6, OPTION, FIRST); }                       \
    CASE(raw6_##NAME) { flag(raw6(), IPPROTO_IPV6, OPTION, FIRST); }

FLAGS4(ip_pktinfo, IP_PKTINFO, 0)
FLAGS4(ip_recvttl, IP_RECVTTL, 0)
FLAGS4(ip_recvtos, IP_RECVTOS, 0)
FLAGS4(ip_recverr, IP_RECVERR, 0)
FLAGS4(ip_recvorigdstaddr, IP_RECVORIGDSTADDR, 0)
FLAGS4(ip_freebind, IP_FREEBIND, 0)
FLAGS4(ip_multicast_loop, IP_MULTICAST_LOOP, 1)
CASE(udp4_ip_multicast_all) { flag(udp4(), IPPROTO_IP, IP_MULTICAST_ALL, 1); }
CASE(tcp4_ip_multicast_all) { flag(tcp4(), IPPROTO_IP, IP_MULTICAST_ALL, 1); }
CASE(raw4_ip_multicast_all) { flag(raw4(), IPPROTO_IP, IP_MULTICAST_ALL, 1); }
CASE(udp6_ip_multicast_all) { flag(udp6(), IPPROTO_IP, IP_MULTICAST_ALL, 0); }
FLAGS4(ip_bind_address_no_port, IP_BIND_ADDRESS_NO_PORT, 0)
FLAGS6(ipv6_recvpktinfo, IPV6_RECVPKTINFO, 0)
FLAGS6(ipv6_recvhoplimit, IPV6_RECVHOPLIMIT, 0)
FLAGS6(ipv6_recvtclass, IPV6_RECVTCLASS, 0)
FLAGS6(ipv6_recverr, IPV6_RECVERR, 0)
FLAGS6(ipv6_multicast_loop, IPV6_MULTICAST_LOOP, 1)
FLAGS6(ipv6_multicast_all, 29, 1)
FLAGS6(ipv6_dontfrag, IPV6_DONTFRAG, 0)

typedef struct {
    int value, error, reads;
} trial;

static void trials(int fd, int level, int option, const trial *t, int count)
{
    CHECK(fd >= 0);
    for (int i = 0; i < count; i++) {
        if (t[i].error) {
            CHECK_ERRNO(set_int(fd, level, option, t[i].value), t[i].error);
        } else {
            CHECK_EQ(set_int(fd, level, option, t[i].value), 0);
            CHECK_EQ(int_option(fd, level, option), t[i].reads);
        }
    }
    close(fd);
}

#define TRIALS(FD, LEVEL, OPTION, ...)                                                     \
    do {                                                                                   \
        const trial list[] = { __VA_ARGS__ };                                              \
        trials(FD, LEVEL, OPTION, list, sizeof list / sizeof *list);                       \
    } while (0)

#define TTL { 1, 0, 1 }, { 255, 0, 255 }, { 0, EINVAL, 0 }, { 256, EINVAL, 0 }, { -2, EINVAL, 0 }, { -1, 0, 64 }
CASE(udp4_ip_ttl) { TRIALS(udp4(), IPPROTO_IP, IP_TTL, TTL); }
CASE(tcp4_ip_ttl) { TRIALS(tcp4(), IPPROTO_IP, IP_TTL, TTL); }
CASE(raw4_ip_ttl) { TRIALS(raw4(), IPPROTO_IP, IP_TTL, TTL); }
CASE(udp6_ip_ttl) { TRIALS(udp6(), IPPROTO_IP, IP_TTL, TTL); }
CASE(udp4_ip_tos) { TRIALS(udp4(), IPPROTO_IP, IP_TOS, { 0x10, 0, 0x10 }, { 0xff, 0, 0xff }, { 3, 0, 3 }, { 0x1b8, 0, 0xb8 }); }
CASE(raw4_ip_tos) { TRIALS(raw4(), IPPROTO_IP, IP_TOS, { 0x10, 0, 0x10 }, { 0xff, 0, 0xff }); }
CASE(tcp4_ip_tos_keeps_ecn_bits) { TRIALS(tcp4(), IPPROTO_IP, IP_TOS, { 0x10, 0, 0x10 }, { 0xff, 0, 0xfc }, { 3, 0, 0 }); }
CASE(udp4_ip_multicast_ttl) { TRIALS(udp4(), IPPROTO_IP, IP_MULTICAST_TTL, { 0, 0, 0 }, { 255, 0, 255 }, { 256, EINVAL, 0 }, { -2, EINVAL, 0 }, { -1, 0, 1 }); }
CASE(tcp4_ip_multicast_ttl) { TRIALS(tcp4(), IPPROTO_IP, IP_MULTICAST_TTL, { 1, EINVAL, 0 }); }
CASE(raw4_ip_multicast_ttl) { TRIALS(raw4(), IPPROTO_IP, IP_MULTICAST_TTL, { 7, 0, 7 }); }
CASE(udp4_ip_minttl) { TRIALS(udp4(), IPPROTO_IP, IP_MINTTL, { 0, 0, 0 }, { 255, 0, 255 }, { 256, EINVAL, 0 }, { -1, EINVAL, 0 }); }
CASE(tcp4_ip_minttl) { TRIALS(tcp4(), IPPROTO_IP, IP_MINTTL, { 9, 0, 9 }, { 256, EINVAL, 0 }); }
#define DISCOVER { 0, 0, 0 }, { 1, 0, 1 }, { 2, 0, 2 }, { 3, 0, 3 }, { 4, 0, 4 }, { 5, 0, 5 }, { 6, EINVAL, 0 }, { -1, EINVAL, 0 }
CASE(udp4_ip_mtu_discover) { TRIALS(udp4(), IPPROTO_IP, IP_MTU_DISCOVER, DISCOVER); }
CASE(tcp4_ip_mtu_discover) { TRIALS(tcp4(), IPPROTO_IP, IP_MTU_DISCOVER, DISCOVER); }
CASE(raw4_ip_mtu_discover) { TRIALS(raw4(), IPPROTO_IP, IP_MTU_DISCOVER, DISCOVER); }
CASE(udp6_ipv6_mtu_discover) { TRIALS(udp6(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, DISCOVER); }
CASE(tcp6_ipv6_mtu_discover) { TRIALS(tcp6(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, DISCOVER); }
CASE(mtu_discover_first)
{
    CHECK_EQ(int_option(udp4(), IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_WANT);
    CHECK_EQ(int_option(udp6(), IPPROTO_IPV6, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_WANT);
}
#define HOPS { 0, 0, 0 }, { 1, 0, 1 }, { 255, 0, 255 }, { 256, EINVAL, 0 }, { -2, EINVAL, 0 }, { -1, 0, 64 }
CASE(udp6_unicast_hops) { TRIALS(udp6(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, HOPS); }
CASE(tcp6_unicast_hops) { TRIALS(tcp6(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, HOPS); }
CASE(raw6_unicast_hops) { TRIALS(raw6(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, HOPS); }
CASE(udp6_multicast_hops) { TRIALS(udp6(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, { 0, 0, 0 }, { 255, 0, 255 }, { 256, EINVAL, 0 }, { -2, EINVAL, 0 }, { -1, 0, 1 }); }
CASE(tcp6_multicast_hops) { TRIALS(tcp6(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, { 3, ENOPROTOOPT, 0 }); }
CASE(udp6_tclass) { TRIALS(udp6(), IPPROTO_IPV6, IPV6_TCLASS, { 0x10, 0, 0x10 }, { 255, 0, 255 }, { 256, EINVAL, 0 }, { -2, EINVAL, 0 }, { -1, 0, 0 }); }
CASE(tcp6_tclass_keeps_ecn_bits) { TRIALS(tcp6(), IPPROTO_IPV6, IPV6_TCLASS, { 0x10, 0, 0x10 }, { 255, 0, 252 }); }
CASE(udp6_minhopcount) { TRIALS(udp6(), IPPROTO_IPV6, 73, { 1, 0, 1 }, { 255, 0, 255 }, { 256, EINVAL, 0 }, { -1, EINVAL, 0 }); }
CASE(udp6_multicast_if) { TRIALS(udp6(), IPPROTO_IPV6, IPV6_MULTICAST_IF, { 1, 0, 1 }, { 0, 0, 0 }, { 4711, ENODEV, 0 }, { -1, ENODEV, 0 }); }
CASE(tcp6_multicast_if) { TRIALS(tcp6(), IPPROTO_IPV6, IPV6_MULTICAST_IF, { 1, ENOPROTOOPT, 0 }); }
CASE(ipv6_multicast_loop_is_zero_or_one) { TRIALS(udp6(), IPPROTO_IPV6, IPV6_MULTICAST_LOOP, { 2, EINVAL, 0 }, { -1, EINVAL, 0 }, { 0, 0, 0 }); }
CASE(ip_multicast_all_is_zero_or_one) { TRIALS(udp4(), IPPROTO_IP, IP_MULTICAST_ALL, { 2, EINVAL, 0 }, { -1, EINVAL, 0 }, { 0, 0, 0 }); }
CASE(ip_unicast_if) { TRIALS(udp4(), IPPROTO_IP, 50, { htonl(1), 0, htonl(1) }, { htonl(4711), EADDRNOTAVAIL, 0 }, { 0, 0, 0 }); }

CASE(levels_of_the_other_family)
{
    CHECK_ERRNO(set_int(udp4(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, 3), ENOPROTOOPT);
    CHECK_ERRNO(set_int(tcp4(), IPPROTO_IPV6, IPV6_V6ONLY, 1), ENOPROTOOPT);
    CHECK_ERRNO(set_int(raw6(), IPPROTO_IP, IP_TTL, 3), ENOPROTOOPT);
    int v;
    socklen_t n = sizeof v;
    CHECK_ERRNO(getsockopt(udp4(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, &v, &n), EOPNOTSUPP);
    CHECK_ERRNO(getsockopt(udp4(), 250, 1, &v, &n), EOPNOTSUPP);
    CHECK_ERRNO(set_int(udp4(), 250, 1, 1), ENOPROTOOPT);
    CHECK_ERRNO(set_int(udp4(), IPPROTO_TCP, TCP_NODELAY, 1), ENOPROTOOPT);
    CHECK_ERRNO(set_int(tcp4(), IPPROTO_UDP, 1, 1), ENOPROTOOPT);
}

CASE(unknown_options)
{
    int v;
    socklen_t n = sizeof v;
    CHECK_ERRNO(set_int(udp4(), IPPROTO_IP, 150, 1), ENOPROTOOPT);
    CHECK_ERRNO(getsockopt(udp4(), IPPROTO_IP, 150, &v, &n), ENOPROTOOPT);
    CHECK_ERRNO(set_int(udp6(), IPPROTO_IPV6, 150, 1), ENOPROTOOPT);
    CHECK_ERRNO(getsockopt(udp6(), IPPROTO_IPV6, 150, &v, &n), ENOPROTOOPT);
    CHECK_ERRNO(set_int(tcp4(), IPPROTO_TCP, 200, 1), ENOPROTOOPT);
    CHECK_ERRNO(getsockopt(tcp4(), IPPROTO_TCP, 200, &v, &n), ENOPROTOOPT);
}

CASE(one_byte_values)
{
    int fd = udp4();
    unsigned char c = 77;
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_TTL, &c, 1), 0);
    CHECK_EQ(int_option(fd, IPPROTO_IP, IP_TTL), 77);
    c = 0;
    socklen_t n = 1;
    CHECK_EQ(getsockopt(fd, IPPROTO_IP, IP_TTL, &c, &n), 0);
    CHECK_EQ(n, 1);
    CHECK_EQ(c, 77);
    char two[2] = { 0, 9 };
    n = 2;
    CHECK_EQ(getsockopt(fd, IPPROTO_IP, IP_TTL, two, &n), 0);
    CHECK_EQ(n, 1);
    CHECK_EQ(two[0], 77);
    CHECK_EQ(two[1], 9);
    n = 0;
    CHECK_EQ(getsockopt(fd, IPPROTO_IP, IP_TTL, two, &n), 0);
    CHECK_EQ(n, 0);
}

CASE(empty_values)
{
    int fd = udp4();
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IP_TTL, "", 0), EINVAL);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, "", 0), EINVAL);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, "", 0), EINVAL);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IP_FREEBIND, "", 0), EINVAL);
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_PKTINFO, 1), 0);
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_PKTINFO, "", 0), 0);
    CHECK_EQ(int_option(fd, IPPROTO_IP, IP_PKTINFO), 0);
}

CASE(short_values_of_v6)
{
    short s = 1;
    CHECK_ERRNO(setsockopt(udp6(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, &s, 2), EINVAL);
    CHECK_ERRNO(setsockopt(udp6(), IPPROTO_IPV6, IPV6_RECVPKTINFO, &s, 2), EINVAL);
    CHECK_ERRNO(setsockopt(udp6(), IPPROTO_IPV6, IPV6_V6ONLY, &s, 2), EINVAL);
    char two[4] = { 9, 9, 9, 9 };
    socklen_t n = 2;
    CHECK_EQ(getsockopt(udp6(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, two, &n), 0);
    CHECK_EQ(n, 2);
    CHECK_EQ(two[0], 64);
    CHECK_EQ(two[2], 9);
}

CASE(lengths_of_getsockopt)
{
    int fd = udp4();
    long long big = -1;
    socklen_t n = sizeof big;
    CHECK_EQ(getsockopt(fd, IPPROTO_IP, IP_TTL, &big, &n), 0);
    CHECK_EQ(n, 4);
    n = -1;
    CHECK_ERRNO(getsockopt(fd, IPPROTO_IP, IP_TTL, &big, &n), EINVAL);
    CHECK_ERRNO(getsockopt(fd, IPPROTO_IP, IP_TTL, &big, BAD_POINTER), EFAULT);
    n = 4;
    CHECK_ERRNO(getsockopt(fd, IPPROTO_IP, IP_TTL, BAD_POINTER, &n), EFAULT);
}

CASE(v6only)
{
    int fd = udp6();
    flag(udp6(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
    flag(tcp6(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
    struct sockaddr_in6 a = loopback6(0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_ERRNO(set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1), EINVAL);
}

CASE(mtu)
{
    int v;
    socklen_t n = sizeof v;
    int fd = udp4();
    CHECK_ERRNO(getsockopt(fd, IPPROTO_IP, IP_MTU, &v, &n), ENOTCONN);
    struct sockaddr_in a = loopback4(9);
    CHECK_EQ(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_EQ(int_option(fd, IPPROTO_IP, IP_MTU), 65535);
    int fd6 = udp6();
    CHECK_ERRNO(getsockopt(fd6, IPPROTO_IPV6, IPV6_MTU, &v, &n), ENOTCONN);
    struct sockaddr_in6 a6 = loopback6(9);
    CHECK_EQ(connect(fd6, (struct sockaddr *)&a6, sizeof a6), 0);
    CHECK_EQ(int_option(fd6, IPPROTO_IPV6, IPV6_MTU), 65536);
}

CASE(header_included_is_for_raw_sockets)
{
    CHECK_ERRNO(set_int(udp4(), IPPROTO_IP, IP_HDRINCL, 1), ENOPROTOOPT);
    CHECK_ERRNO(set_int(tcp4(), IPPROTO_IP, IP_HDRINCL, 1), ENOPROTOOPT);
    int fd = raw4();
    CHECK_EQ(int_option(fd, IPPROTO_IP, IP_HDRINCL), 0);
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_HDRINCL, 1), 0);
    CHECK_EQ(int_option(fd, IPPROTO_IP, IP_HDRINCL), 1);
}

CASE(ip_options_are_empty)
{
    char bytes[40];
    socklen_t n = sizeof bytes;
    int fd = tcp4();
    CHECK_EQ(getsockopt(fd, IPPROTO_IP, IP_OPTIONS, bytes, &n), 0);
    CHECK_EQ(n, 0);
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_OPTIONS, NULL, 0), 0);
}

CASE(multicast_if_by_address)
{
    int fd = udp4();
    struct in_addr a = { htonl(INADDR_LOOPBACK) }, b = { 0 };
    socklen_t n = sizeof b;
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &a, sizeof a), 0);
    CHECK_EQ(getsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &b, &n), 0);
    CHECK_EQ(b.s_addr, a.s_addr);
    CHECK_EQ(n, 4);
    a.s_addr = htonl(0xcb007101); // 203.0.113.1
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &a, sizeof a), EADDRNOTAVAIL);
    struct ip_mreqn m = { .imr_ifindex = 1 };
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof m), 0);
    m.imr_ifindex = 4711;
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof m), EADDRNOTAVAIL);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &a, 3), EINVAL);
    CHECK_ERRNO(setsockopt(tcp4(), IPPROTO_IP, IP_MULTICAST_IF, &a, sizeof a), EINVAL);
    a.s_addr = 0;
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &a, sizeof a), 0);
    CHECK_EQ(getsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &b, &n), 0);
    CHECK_EQ(b.s_addr, 0);
}

CASE(ip_ttl_and_hops_are_two)
{
    int fd = udp6();
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_TTL, 9), 0);
    CHECK_EQ(int_option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 64);
    CHECK_EQ(set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 8), 0);
    CHECK_EQ(int_option(fd, IPPROTO_IP, IP_TTL), 9);
}

CASE(accepted_connections_inherit)
{
    int listener = bound4(SOCK_STREAM);
    CHECK_EQ(set_int(listener, IPPROTO_IP, IP_TTL, 33), 0);
    CHECK_EQ(set_int(listener, IPPROTO_IP, IP_TOS, 0x10), 0);
    CHECK_EQ(listen(listener, 1), 0);
    int a = connected4(port_of(listener)), b = accept(listener, NULL, NULL);
    CHECK_EQ(int_option(b, IPPROTO_IP, IP_TTL), 33);
    CHECK_EQ(int_option(b, IPPROTO_IP, IP_TOS), 0x10);
    CHECK_EQ(set_int(b, IPPROTO_IP, IP_TTL, 34), 0);
    CHECK_EQ(int_option(listener, IPPROTO_IP, IP_TTL), 33);
    close(a);
}

CASE(freebind)
{
    int fd = udp4();
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc6336405) }; // 198.51.100.5
    CHECK_ERRNO(bind(fd, (struct sockaddr *)&a, sizeof a), EADDRNOTAVAIL);
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_FREEBIND, 1), 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    int stream = tcp4();
    CHECK_EQ(set_int(stream, IPPROTO_IP, IP_FREEBIND, 1), 0);
    CHECK_EQ(bind(stream, (struct sockaddr *)&a, sizeof a), 0);
}

CASE(bind_address_no_port)
{
    int fd = tcp4();
    struct sockaddr_in a = loopback4(0);
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1), 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_EQ(port_of(fd), 0);
    int listener = listening4(1);
    a = loopback4(port_of(listener));
    CHECK_EQ(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    CHECK(port_of(fd) != 0);
}

CASE(minttl_drops_segments_that_came_far)
{
    int fds[2];
    tcp_pair(fds);
    char c;
    CHECK_EQ(set_int(fds[1], IPPROTO_IP, IP_MINTTL, 255), 0);
    CHECK_EQ(send(fds[0], "x", 1, 0), 1);
    CHECK_EQ(events_of(fds[1], POLLIN, 50), 0);
    CHECK_EQ(set_int(fds[0], IPPROTO_IP, IP_TTL, 255), 0);
    CHECK_EQ(send(fds[0], "y", 1, 0), 1);
    CHECK_EQ(recv(fds[1], &c, 1, 0), 1); // the first has been sent again
    CHECK_EQ(c, 'x');
}

CASE(minttl_is_nothing_to_udp)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    CHECK_EQ(set_int(b, IPPROTO_IP, IP_MINTTL, 255), 0);
    struct sockaddr_in to = loopback4(port_of(b));
    CHECK_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    CHECK_EQ(events_of(b, POLLIN, 5000), POLLIN);
}

GUEST_MAIN("ipopts")
