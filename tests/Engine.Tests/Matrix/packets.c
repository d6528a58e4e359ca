// IP and UDP: sizes, fragments, options, groups.
#include "matrix.h"
#include <net/if.h>
#include <netinet/udp.h>

enum { UDP_NO_CHECK_TX = 101, UDP_NO_CHECK_RX = 102 };

static int bound(int port) { return socket_at(SOCK_DGRAM, port); }

static int connected(int mine, int others)
{
    struct sockaddr_storage a = peer(others);
    int fd = bound(mine);
    CHECK_EQ(connect(fd, ADDRESS(a)), 0);
    return fd;
}

static int largest(void) { return family == AF_INET ? 65507 : 65527; }

static void send_datagram(int fd, int length)
{
    static unsigned char bytes[65536];
    for (int i = 0; i < length; i++) {
        bytes[i] = i * 7 + (i >> 8) + length;
    }
    CHECK_EQ(send(fd, bytes, length, 0), length);
}

static void check_datagram(int fd, int length)
{
    static unsigned char bytes[65536];
    CHECK_EQ(recv(fd, bytes, sizeof bytes, 0), length);
    for (int i = 0; i < length; i++) {
        CHECK_EQ(bytes[i], (unsigned char)(i * 7 + (i >> 8) + length));
    }
}

CASE(datagrams_of_every_size)
{
    const int sizes[] = { 0, 1, 1452, 1453, 1472, 1473, 2960, 8000, 40000, largest() };
    int fd = connected(role, !role);
    meet();
    for (int i = 0; i < 10; i++) {
        if (role == ACTIVE) {
            send_datagram(fd, sizes[i]);
        }
        check_datagram(fd, sizes[i]);
        if (role == PASSIVE) {
            send_datagram(fd, sizes[i]);
        }
    }
    meet();
    CHECK(seen(PARTS, role) > 0);
    CHECK(seen(LARGEST, role) <= 1500);
    CHECK_ERRNO(send(fd, (char[65536]){ 0 }, largest() + 1, 0), EMSGSIZE);
}

static void fragments(int how)
{
    int fd = connected(role, !role);
    wire(FRAGMENTS, role, how);
    meet();
    send_datagram(fd, 8000);
    send_datagram(fd, 100);
    if (how != 3) {
        check_datagram(fd, 8000);
    }
    check_datagram(fd, 100);
    meet();
    wire(FRAGMENTS, role, 0);
    send_datagram(fd, 7000);
    check_datagram(fd, 7000);
}

CASE(fragments_in_reverse_order) { fragments(1); }
CASE(fragments_that_come_twice) { fragments(2); }
CASE(fragment_that_is_lost) { fragments(3); }

CASE(nobody_is_bound)
{
    if (role == ACTIVE) {
        int fd = connected(1, 2);
        send_datagram(fd, 10);
        CHECK_EQ(error_of(fd), ECONNREFUSED);
    }
}

CASE(datagrams_without_checksum)
{
    int fd = connected(role, !role);
    if (family == AF_INET) {
        CHECK_EQ(set_int(fd, SOL_SOCKET, SO_NO_CHECK, 1), 0);
    } else {
        CHECK_EQ(set_int(fd, IPPROTO_UDP, UDP_NO_CHECK_TX, 1), 0);
        CHECK_EQ(set_int(fd, IPPROTO_UDP, UDP_NO_CHECK_RX, 1), 0);
    }
    meet();
    send_datagram(fd, 100);
    check_datagram(fd, 100);
    meet();
    CHECK_EQ(seen(NO_CHECKSUM, role), 1);
}

CASE(datagrams_without_checksum_are_not_for_v6)
{
    int fd = connected(role, !role);
    meet();
    if (family == AF_INET6 && role == ACTIVE) {
        CHECK_EQ(set_int(fd, IPPROTO_UDP, UDP_NO_CHECK_TX, 1), 0);
        send_datagram(fd, 100);
        CHECK_EQ(set_int(fd, IPPROTO_UDP, UDP_NO_CHECK_TX, 0), 0);
    }
    send_datagram(fd, 50);
    check_datagram(fd, 50);
}

CASE(options_and_extension_headers_are_passed_over)
{
    wire(INSERT, role, 1);
    int datagrams = connected(role, !role), fd = tcp_pair();
    send_datagram(datagrams, 1000);
    check_datagram(datagrams, 1000);
    send_pattern(fd, 30000, role);
    read_pattern(fd, 30000, !role);
}

CASE(options_that_nobody_knows)
{
    int fd = connected(role, !role);
    meet();
    if (role == ACTIVE) {
        wire(INSERT, ACTIVE, 2);
        send_datagram(fd, 100);
        if (family == AF_INET6) {
            CHECK_EQ(error_of(fd), EPROTO); // parameter problem
        }
        wire(INSERT, ACTIVE, 0);
        send_datagram(fd, 200);
    } else {
        if (family == AF_INET) {
            check_datagram(fd, 100); // IPv4 passes over what it does not know
        }
        check_datagram(fd, 200);
    }
}

CASE(smaller_mtu_on_the_way_of_a_stream)
{
    use_other_addresses(1);
    wire(MTU, role, 1280);
    wire(TELLS, role, 1);
    int fd = tcp_pair();
    send_pattern(fd, 100000, role);
    read_pattern(fd, 100000, !role);
    CHECK(info_of(fd).tcpi_snd_mss <= 1280 - 40);
    CHECK_EQ(int_option(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, family == AF_INET ? IP_MTU : IPV6_MTU), 1280);
    int next, listener = role == PASSIVE ? listening(1, 1) : -1;
    meet();
    if (role == ACTIVE) {
        next = dialed(1); // what was learnt serves the next connection
        CHECK(info_of(next).tcpi_snd_mss <= 1280 - 40);
    } else {
        next = accepted(listener);
    }
    send_pattern(next, 5000, role);
    read_pattern(next, 5000, !role);
}

CASE(smaller_mtu_on_the_way_of_datagrams)
{
    int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
    use_other_addresses(2);
    struct sockaddr_storage a = peer(!role + 4);
    int fd = bound(role + 4);
    CHECK_EQ(connect(fd, ADDRESS(a)), 0);
    wire(MTU, role, 1280);
    wire(TELLS, role, 1);
    CHECK_EQ(set_int(fd, level, family == AF_INET ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, IP_PMTUDISC_DO), 0);
    meet();
    if (role == ACTIVE) {
        send_datagram(fd, 1400);
        CHECK_EQ(error_of(fd), EMSGSIZE);
        CHECK_EQ(int_option(fd, level, family == AF_INET ? IP_MTU : IPV6_MTU), 1280);
        CHECK_ERRNO(send(fd, (char[1400]){ 0 }, 1400, 0), EMSGSIZE);
        CHECK_EQ(set_int(fd, level, family == AF_INET ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, IP_PMTUDISC_WANT), 0);
        send_datagram(fd, 1401);
    } else {
        check_datagram(fd, 1401);
    }
}

CASE(way_that_swallows_large_packets)
{
    int fd = tcp_pair();
    if (role == ACTIVE) {
        send_pattern(fd, 500, 1);
        meet();
        wire(MTU, ACTIVE, 1200);
        CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 1000), 0);
        send_pattern(fd, 5000, 1);
        CHECK_EQ(error_of(fd), ETIMEDOUT);
    } else {
        read_pattern(fd, 500, 1);
        meet();
    }
}

static struct sockaddr_storage group(int link)
{
    struct sockaddr_storage a = { .ss_family = family };
    if (family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)&a;
        in->sin_addr.s_addr = htonl(0xef010000 | base_port);
        in->sin_port = htons(base_port + 3);
    } else {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)&a;
        inet_pton(AF_INET6, "ff15::", &in->sin6_addr);
        in->sin6_addr.s6_addr32[3] = htonl(0x12340000 | base_port);
        in->sin6_port = htons(base_port + 3);
        in->sin6_scope_id = link;
    }
    return a;
}

CASE(groups_are_joined_reported_and_left)
{
    int link = if_nametoindex("eth0");
    struct sockaddr_storage to = group(link);
    int fd = socket(family, SOCK_DGRAM, 0);
    if (role == ACTIVE) {
        struct ip_mreqn by = { .imr_ifindex = link };
        CHECK_EQ(family == AF_INET ? setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof by) : set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, link), 0);
        meet();
        CHECK_EQ(sendto(fd, "hello", 5, 0, ADDRESS(to)), 5);
        meet();
        return;
    }
    struct group_req request = { .gr_interface = link };
    char text[8];
    memcpy(&request.gr_group, &to, sizeof to);
    wire(GROUP, PASSIVE, family == AF_INET ? 0xef010000L | base_port : 0x12340000L | base_port);
    CHECK_EQ(bind(fd, ADDRESS(to)), 0);
    CHECK_EQ(setsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, MCAST_JOIN_GROUP, &request, sizeof request), 0);
    await_seen(REPORTS, PASSIVE, 1);
    meet();
    CHECK_EQ(recv(fd, text, sizeof text, 0), 5);
    await_seen(REPORTS, PASSIVE, 2); // once more, since one may be lost (RFC 3376 section 5.1)
    long reports = seen(REPORTS, PASSIVE);
    wire(FORGE, ACTIVE, 4);
    await_seen(REPORTS, PASSIVE, reports + 1);
    CHECK_EQ(setsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, MCAST_LEAVE_GROUP, &request, sizeof request), 0);
    await_seen(LEAVES, PASSIVE, 1);
    meet();
}
