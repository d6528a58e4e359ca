// Groups of IPv4 and IPv6 (ip(7), ipv6(7), RFC 3678): joining, leaving, sources, and what is delivered. On loopback, which needs no link.
#include "inet.h"

#define GROUP "239.1.2.3"
#define OTHER "239.1.2.4"

static struct sockaddr_in group4(const char *text, int port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
    CHECK_EQ(inet_pton(AF_INET, text, &a.sin_addr), 1);
    return a;
}

static struct ip_mreqn on_loopback(const char *text)
{
    struct ip_mreqn m = { .imr_ifindex = 1 };
    CHECK_EQ(inet_pton(AF_INET, text, &m.imr_multiaddr), 1);
    return m;
}

static int receiver(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in any = { .sin_family = AF_INET };
    CHECK_EQ(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0), 0);
    return fd;
}

static int sender(void)
{
    int fd = bound4(SOCK_DGRAM);
    struct ip_mreqn m = { .imr_ifindex = 1 };
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof m), 0);
    return fd;
}

static int join(int fd, const char *group)
{
    struct ip_mreqn m = on_loopback(group);
    return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m);
}

static int leave(int fd, const char *group)
{
    struct ip_mreqn m = on_loopback(group);
    return setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &m, sizeof m);
}

static int with_source(int fd, int option, const char *group, const char *source)
{
    struct ip_mreq_source m = { .imr_interface.s_addr = htonl(INADDR_LOOPBACK) };
    CHECK_EQ(inet_pton(AF_INET, group, &m.imr_multiaddr), 1);
    CHECK_EQ(inet_pton(AF_INET, source, &m.imr_sourceaddr), 1);
    return setsockopt(fd, IPPROTO_IP, option, &m, sizeof m);
}

static int arrives(int from, int to, const char *group)
{
    struct sockaddr_in a = group4(group, port_of(to));
    char c;
    CHECK_EQ(sendto(from, "x", 1, 0, (struct sockaddr *)&a, sizeof a), 1);
    int came = events_of(to, POLLIN, 50) == POLLIN;
    while (recv(to, &c, 1, MSG_DONTWAIT) >= 0) {
    }
    return came;
}

CASE(join_and_leave)
{
    int fd = receiver();
    CHECK_EQ(join(fd, GROUP), 0);
    CHECK_ERRNO(join(fd, GROUP), EADDRINUSE);
    CHECK_EQ(leave(fd, GROUP), 0);
    CHECK_ERRNO(leave(fd, GROUP), EADDRNOTAVAIL);
    CHECK_EQ(join(fd, GROUP), 0);
}

CASE(only_groups)
{
    int fd = receiver();
    CHECK_ERRNO(join(fd, "127.0.0.1"), EINVAL);
    CHECK_ERRNO(join(fd, "198.51.100.1"), EINVAL);
    CHECK_ERRNO(join(fd, "255.255.255.255"), EINVAL);
}

CASE(bad_interfaces)
{
    int fd = receiver();
    struct ip_mreqn m = on_loopback(GROUP);
    m.imr_ifindex = 4711;
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m), ENODEV);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &m, sizeof m), EADDRNOTAVAIL);
    struct ip_mreq r = { .imr_interface.s_addr = htonl(0xc6336401) };
    inet_pton(AF_INET, GROUP, &r.imr_multiaddr);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof r), ENODEV);
}

CASE(interface_by_address)
{
    int fd = receiver();
    struct ip_mreq r = { .imr_interface.s_addr = htonl(INADDR_LOOPBACK) };
    inet_pton(AF_INET, GROUP, &r.imr_multiaddr);
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof r), 0);
    CHECK_ERRNO(join(fd, GROUP), EADDRINUSE);
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &r, sizeof r), 0);
}

CASE(short_values)
{
    int fd = receiver();
    struct ip_mreqn m = on_loopback(GROUP);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, 4), EINVAL);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, 0), EINVAL);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, BAD_POINTER, sizeof m), EFAULT);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, &m, 8), EINVAL);
}

CASE(streams_join_nothing)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERRNO(join(fd, GROUP), EPROTO);
    CHECK_ERRNO(leave(fd, GROUP), EPROTO);
    struct ipv6_mreq m = { .ipv6mr_interface = 1 };
    inet_pton(AF_INET6, "ff02::1234", &m.ipv6mr_multiaddr);
    CHECK_ERRNO(setsockopt(socket(AF_INET6, SOCK_STREAM, 0), IPPROTO_IPV6, IPV6_JOIN_GROUP, &m, sizeof m), EPROTO);
}

CASE(members_alone_are_told)
{
    int a = receiver(), from = sender();
    CHECK_EQ(arrives(from, a, GROUP), 0);
    CHECK_EQ(join(a, GROUP), 0);
    CHECK_EQ(arrives(from, a, GROUP), 1);
    CHECK_EQ(arrives(from, a, OTHER), 0);
    CHECK_EQ(leave(a, GROUP), 0);
    CHECK_EQ(arrives(from, a, GROUP), 0);
}

CASE(all_members_get_a_copy)
{
    int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0), from = sender();
    struct sockaddr_in any = { .sin_family = AF_INET };
    set_int(a, SOL_SOCKET, SO_REUSEADDR, 1);
    set_int(b, SOL_SOCKET, SO_REUSEADDR, 1);
    CHECK_EQ(bind(a, (struct sockaddr *)&any, sizeof any), 0);
    any.sin_port = htons(port_of(a));
    CHECK_EQ(bind(b, (struct sockaddr *)&any, sizeof any), 0);
    CHECK_EQ(join(a, GROUP), 0);
    CHECK_EQ(join(b, GROUP), 0);
    struct sockaddr_in to = group4(GROUP, port_of(a));
    CHECK_EQ(sendto(from, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    CHECK_EQ(events_of(a, POLLIN, 5000), POLLIN);
    CHECK_EQ(events_of(b, POLLIN, 5000), POLLIN);
}

CASE(multicast_all_hears_what_others_joined)
{
    int a = receiver(), b = receiver(), from = sender();
    CHECK_EQ(join(b, GROUP), 0);
    CHECK_EQ(arrives(from, a, GROUP), 0);
    CHECK_EQ(set_int(a, IPPROTO_IP, IP_MULTICAST_ALL, 1), 0);
    CHECK_EQ(arrives(from, a, GROUP), 1);
}

CASE(bound_to_the_group)
{
    int a = socket(AF_INET, SOCK_DGRAM, 0), from = sender();
    struct sockaddr_in name = group4(GROUP, 0);
    CHECK_EQ(bind(a, (struct sockaddr *)&name, sizeof name), 0);
    CHECK_EQ(join(a, GROUP), 0);
    CHECK_EQ(join(a, OTHER), 0);
    CHECK_EQ(arrives(from, a, GROUP), 1);
    CHECK_EQ(arrives(from, a, OTHER), 0); // it is bound to another
}

CASE(closing_leaves)
{
    int a = receiver(), b = receiver(), from = sender();
    CHECK_EQ(join(b, GROUP), 0);
    CHECK_EQ(set_int(a, IPPROTO_IP, IP_MULTICAST_ALL, 1), 0);
    close(b);
    CHECK_EQ(join(a, OTHER), 0);
    CHECK_EQ(arrives(from, a, OTHER), 1);
}

CASE(one_source)
{
    int fd = receiver(), from = sender();
    CHECK_EQ(with_source(fd, IP_ADD_SOURCE_MEMBERSHIP, GROUP, "198.51.100.9"), 0);
    CHECK_EQ(arrives(from, fd, GROUP), 0);
    CHECK_ERRNO(with_source(fd, IP_ADD_SOURCE_MEMBERSHIP, GROUP, "198.51.100.9"), EADDRNOTAVAIL);
    CHECK_EQ(with_source(fd, IP_ADD_SOURCE_MEMBERSHIP, GROUP, "127.0.0.1"), 0);
    CHECK_EQ(arrives(from, fd, GROUP), 1);
    CHECK_EQ(with_source(fd, IP_DROP_SOURCE_MEMBERSHIP, GROUP, "127.0.0.1"), 0);
    CHECK_EQ(arrives(from, fd, GROUP), 0);
    CHECK_ERRNO(with_source(fd, IP_DROP_SOURCE_MEMBERSHIP, GROUP, "127.0.0.1"), EADDRNOTAVAIL);
    CHECK_EQ(with_source(fd, IP_DROP_SOURCE_MEMBERSHIP, GROUP, "198.51.100.9"), 0);
    CHECK_EQ(join(fd, GROUP), 0); // it has left with the last source
}

CASE(all_but_one_source)
{
    int fd = receiver(), from = sender();
    CHECK_ERRNO(with_source(fd, IP_BLOCK_SOURCE, GROUP, "127.0.0.1"), EINVAL); // not joined
    CHECK_EQ(join(fd, GROUP), 0);
    CHECK_EQ(with_source(fd, IP_BLOCK_SOURCE, GROUP, "127.0.0.1"), 0);
    CHECK_EQ(arrives(from, fd, GROUP), 0);
    CHECK_ERRNO(with_source(fd, IP_BLOCK_SOURCE, GROUP, "127.0.0.1"), EADDRNOTAVAIL);
    CHECK_EQ(with_source(fd, IP_UNBLOCK_SOURCE, GROUP, "127.0.0.1"), 0);
    CHECK_EQ(arrives(from, fd, GROUP), 1);
    CHECK_ERRNO(with_source(fd, IP_UNBLOCK_SOURCE, GROUP, "127.0.0.1"), EADDRNOTAVAIL);
}

CASE(joined_for_all_becomes_joined_for_one)
{
    int fd = receiver(), from = sender();
    CHECK_EQ(join(fd, GROUP), 0);
    CHECK_EQ(with_source(fd, IP_ADD_SOURCE_MEMBERSHIP, GROUP, "198.51.100.9"), 0);
    CHECK_EQ(arrives(from, fd, GROUP), 0);
    CHECK_ERRNO(with_source(fd, IP_BLOCK_SOURCE, GROUP, "127.0.0.1"), EINVAL);
}

CASE(blocking_one_takes_no_other_way)
{
    int fd = receiver();
    CHECK_EQ(join(fd, GROUP), 0);
    CHECK_EQ(with_source(fd, IP_BLOCK_SOURCE, GROUP, "198.51.100.9"), 0);
    CHECK_ERRNO(with_source(fd, IP_ADD_SOURCE_MEMBERSHIP, GROUP, "127.0.0.1"), EINVAL);
    CHECK_ERRNO(with_source(fd, IP_DROP_SOURCE_MEMBERSHIP, GROUP, "127.0.0.1"), EINVAL);
}

CASE(too_many_groups)
{
    int fd = receiver(), made = 0;
    for (; made < 100; made++) {
        char text[32];
        snprintf(text, sizeof text, "239.9.9.%d", made + 1);
        if (join(fd, text) != 0) {
            int why = errno;
            CHECK_EQ(why, ENOBUFS);
            break;
        }
    }
    CHECK_EQ(made, 20); // igmp_max_memberships
}

CASE(protocol_independent)
{
    int fd = receiver(), from = sender();
    struct group_req g = { .gr_interface = 1 };
    struct sockaddr_in a = group4(GROUP, 0);
    memcpy(&g.gr_group, &a, sizeof a);
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &g, sizeof g), 0);
    CHECK_EQ(arrives(from, fd, GROUP), 1);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &g, sizeof g), EADDRINUSE);
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, MCAST_LEAVE_GROUP, &g, sizeof g), 0);
    CHECK_EQ(arrives(from, fd, GROUP), 0);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &g, 20), EINVAL);
    g.gr_group.ss_family = AF_INET6;
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &g, sizeof g), EINVAL);
}

CASE(protocol_independent_sources)
{
    int fd = receiver(), from = sender();
    struct group_source_req g = { .gsr_interface = 1 };
    struct sockaddr_in a = group4(GROUP, 0), s = loopback4(0);
    memcpy(&g.gsr_group, &a, sizeof a);
    memcpy(&g.gsr_source, &s, sizeof s);
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &g, sizeof g), 0);
    CHECK_EQ(arrives(from, fd, GROUP), 1);
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, &g, sizeof g), 0);
    CHECK_EQ(arrives(from, fd, GROUP), 0);
    CHECK_EQ(join(fd, GROUP), 0);
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, MCAST_BLOCK_SOURCE, &g, sizeof g), 0);
    CHECK_EQ(arrives(from, fd, GROUP), 0);
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, MCAST_UNBLOCK_SOURCE, &g, sizeof g), 0);
    CHECK_EQ(arrives(from, fd, GROUP), 1);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &g, 40), EINVAL);
}

CASE(v6_join_leave_and_deliver)
{
    int fd = socket(AF_INET6, SOCK_DGRAM, 0), from = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
    CHECK_EQ(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
    struct ipv6_mreq m = { .ipv6mr_interface = 1 };
    inet_pton(AF_INET6, "ff02::1234", &m.ipv6mr_multiaddr);
    CHECK_EQ(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m, sizeof m), 0);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m, sizeof m), EADDRINUSE);
    CHECK_EQ(setsockopt(fd, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &m, sizeof m), 0);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &m, sizeof m), EADDRNOTAVAIL);
    m.ipv6mr_interface = 4711;
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m, sizeof m), ENODEV);
    m.ipv6mr_interface = 1;
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m, 16), EINVAL);
    inet_pton(AF_INET6, "::1", &m.ipv6mr_multiaddr);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m, sizeof m), EINVAL);
    close(from);
}

CASE(datagram_tells_the_group)
{
    int fd = receiver(), from = sender();
    CHECK_EQ(join(fd, GROUP), 0);
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_PKTINFO, 1), 0);
    struct sockaddr_in to = group4(GROUP, port_of(fd));
    CHECK_EQ(sendto(from, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    char c, control[128];
    struct iovec v = { &c, 1 };
    struct msghdr m = { NULL, 0, &v, 1, control, sizeof control, 0 };
    CHECK_EQ(recvmsg(fd, &m, 0), 1);
    struct in_pktinfo info;
    memcpy(&info, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof info);
    CHECK_EQ(info.ipi_ifindex, 1);
    CHECK_EQ(info.ipi_addr.s_addr, to.sin_addr.s_addr);
}

CASE(ttl_of_a_group)
{
    int fd = receiver(), from = sender();
    CHECK_EQ(join(fd, GROUP), 0);
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_RECVTTL, 1), 0);
    CHECK_EQ(set_int(from, IPPROTO_IP, IP_MULTICAST_TTL, 7), 0);
    struct sockaddr_in to = group4(GROUP, port_of(fd));
    CHECK_EQ(sendto(from, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    char c, control[128];
    struct iovec v = { &c, 1 };
    struct msghdr m = { NULL, 0, &v, 1, control, sizeof control, 0 };
    CHECK_EQ(recvmsg(fd, &m, 0), 1);
    CHECK_EQ(*(int *)CMSG_DATA(CMSG_FIRSTHDR(&m)), 7);
}

CASE(connecting_to_a_group)
{
    int fd = receiver(), from = sender();
    CHECK_EQ(join(fd, GROUP), 0);
    struct sockaddr_in to = group4(GROUP, port_of(fd));
    CHECK_EQ(connect(from, (struct sockaddr *)&to, sizeof to), 0);
    CHECK_EQ(send(from, "x", 1, 0), 1);
    CHECK_EQ(events_of(fd, POLLIN, 5000), POLLIN);
    CHECK_ERRNO(connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof to), ENETUNREACH);
}

GUEST_MAIN("multicast")
