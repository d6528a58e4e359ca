// netlink(7), rtnetlink(7), as getifaddrs(3) and iproute2 use them. Everything happens in a network with nothing but lo in it.
#include "guest.h"
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif
#define IFF_LOWER_UP 0x10000 // linux/if.h and net/if.h do not go together

struct request {
    struct nlmsghdr header;
    union {
        struct rtgenmsg any;
        struct ifinfomsg link;
        struct ifaddrmsg address;
        struct rtmsg route;
        struct ndmsg neighbor;
        char bytes[512];
    };
};

static char answer[65536];

// On Linux a case gets a network of its own; the sandbox's has nothing but lo either.
static void own_network(void)
{
    if (unshare(CLONE_NEWNET) == 0) {
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        struct request up = { { NLMSG_LENGTH(sizeof(struct ifinfomsg)), RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0 } };
        up.link.ifi_index = 1;
        up.link.ifi_flags = up.link.ifi_change = IFF_UP;
        CHECK_EQ(send(fd, &up, up.header.nlmsg_len, 0), up.header.nlmsg_len);
        CHECK(recv(fd, answer, sizeof answer, 0) > 0);
        close(fd);
    }
    CHECK_EQ(if_nametoindex("lo"), 1);
}

static int open_route(void)
{
    own_network();
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    CHECK(fd >= 0);
    return fd;
}

static void begin(struct request *request, int type, int flags, size_t header)
{
    memset(request, 0, sizeof *request);
    request->header.nlmsg_len = NLMSG_LENGTH(header);
    request->header.nlmsg_type = type;
    request->header.nlmsg_flags = NLM_F_REQUEST | flags;
    request->header.nlmsg_seq = 7;
}

static void put(struct request *request, int type, const void *value, int length)
{
    struct rtattr *attribute = (void *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = RTA_LENGTH(length);
    memcpy(RTA_DATA(attribute), value, length);
    request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
}

static void put_ip(struct request *request, int type, const char *text)
{
    struct in_addr address;
    CHECK_EQ(inet_pton(AF_INET, text, &address), 1);
    put(request, type, &address, 4);
}

static void post(int fd, struct request *request)
{
    CHECK_EQ(send(fd, request, request->header.nlmsg_len, 0), request->header.nlmsg_len);
}

// Receives one datagram that must be there already and returns its first message.
static struct nlmsghdr *next(int fd)
{
    ssize_t length = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
    CHECK(length >= (ssize_t)sizeof(struct nlmsghdr));
    struct nlmsghdr *header = (void *)answer;
    CHECK(header->nlmsg_len >= sizeof *header && header->nlmsg_len <= length);
    return header;
}

// The error that the kernel answers, as a positive number.
static int status_of(int fd)
{
    struct nlmsghdr *header = next(fd);
    CHECK_EQ(header->nlmsg_type, NLMSG_ERROR);
    return -((struct nlmsgerr *)NLMSG_DATA(header))->error;
}

static int ask(int fd, struct request *request)
{
    post(fd, request);
    return status_of(fd);
}

static void *attribute(struct nlmsghdr *header, size_t fixed, int type)
{
    int left = header->nlmsg_len - NLMSG_SPACE(fixed);
    for (struct rtattr *at = (void *)((char *)header + NLMSG_SPACE(fixed)); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
        if (at->rta_type == type) {
            return RTA_DATA(at);
        }
    }
    return NULL;
}

typedef int (*matcher)(struct nlmsghdr *header, void *context);

// Dumps, and counts the messages that match.
static int dump(int fd, struct request *request, matcher match, void *context)
{
    post(fd, request);
    int count = 0;
    for (;;) {
        ssize_t length = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
        CHECK(length > 0);
        int left = length;
        for (struct nlmsghdr *header = (void *)answer; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
            CHECK_EQ(header->nlmsg_seq, 7);
            CHECK(header->nlmsg_flags & NLM_F_MULTI);
            if (header->nlmsg_type == NLMSG_DONE) {
                CHECK_EQ(*(int *)NLMSG_DATA(header), 0);
                return count;
            }
            CHECK(header->nlmsg_type != NLMSG_ERROR);
            count += match(header, context);
        }
    }
}

static int any(struct nlmsghdr *header, void *context)
{
    return 1;
}

static void address_request(struct request *request, int type, int flags, const char *text, int prefix)
{
    begin(request, type, flags | NLM_F_ACK, sizeof(struct ifaddrmsg));
    request->address.ifa_family = AF_INET;
    request->address.ifa_prefixlen = prefix;
    request->address.ifa_index = 1;
    put_ip(request, IFA_LOCAL, text);
    put_ip(request, IFA_ADDRESS, text);
}

static void route_request(struct request *request, int type, int flags, const char *text, int prefix)
{
    begin(request, type, flags | NLM_F_ACK, sizeof(struct rtmsg));
    request->route.rtm_family = AF_INET;
    request->route.rtm_dst_len = prefix;
    request->route.rtm_table = RT_TABLE_MAIN;
    request->route.rtm_protocol = RTPROT_BOOT;
    request->route.rtm_scope = RT_SCOPE_LINK;
    request->route.rtm_type = RTN_UNICAST;
    put_ip(request, RTA_DST, text);
    int link = 1;
    put(request, RTA_OIF, &link, 4);
}

CASE(types_and_protocols)
{
    CHECK_ERRNO(socket(AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE), ESOCKTNOSUPPORT);
    CHECK_ERRNO(socket(AF_NETLINK, SOCK_RAW, -1), EPROTONOSUPPORT);
    CHECK_ERRNO(socket(AF_NETLINK, SOCK_RAW, 32), EPROTONOSUPPORT);
    int fds[2];
    CHECK_ERRNO(socketpair(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, fds), EOPNOTSUPP);
    int fd = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE), value;
    socklen_t length = sizeof value;
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &value, &length), 0);
    CHECK_EQ(value, NETLINK_ROUTE);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &length), 0);
    CHECK_EQ(value, AF_NETLINK);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length), 0);
    CHECK_EQ(value, SOCK_DGRAM);
}

CASE(calls_that_netlink_has_not)
{
    int fd = open_route();
    CHECK_ERRNO(listen(fd, 1), EOPNOTSUPP);
    CHECK_ERRNO(accept(fd, NULL, NULL), EOPNOTSUPP);
    CHECK_ERRNO(shutdown(fd, SHUT_RDWR), EOPNOTSUPP);
    CHECK_ERRNO(send(fd, "x", 1, MSG_OOB), EOPNOTSUPP);
    CHECK_ERRNO(recv(fd, answer, 1, MSG_OOB), EOPNOTSUPP);
}

CASE(bind_checks_its_address)
{
    int fd = open_route();
    struct sockaddr_nl address = { .nl_family = AF_INET };
    CHECK_ERRNO(bind(fd, (void *)&address, sizeof address), EINVAL);
    address.nl_family = AF_NETLINK;
    CHECK_ERRNO(bind(fd, (void *)&address, sizeof address - 1), EINVAL);
    CHECK_EQ(bind(fd, (void *)&address, sizeof address), 0);
    address.nl_pid = 4711;
    CHECK_ERRNO(bind(fd, (void *)&address, sizeof address), EINVAL);
}

CASE(first_port_is_the_process_id)
{
    int fd = open_route(), second = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    struct sockaddr_nl address = { .nl_family = AF_NETLINK };
    socklen_t length = sizeof address;
    CHECK_EQ(getsockname(fd, (void *)&address, &length), 0);
    CHECK(length == sizeof address && address.nl_pid == 0 && address.nl_groups == 0);
    CHECK_EQ(bind(fd, (void *)&address, sizeof address), 0);
    CHECK_EQ(getsockname(fd, (void *)&address, &length), 0);
    CHECK_EQ(address.nl_pid, getpid());
    CHECK_ERRNO(bind(second, (void *)&address, sizeof address), EADDRINUSE);
    address.nl_pid = 0;
    CHECK_EQ(bind(second, (void *)&address, sizeof address), 0);
    CHECK_EQ(getsockname(second, (void *)&address, &length), 0);
    CHECK(address.nl_pid != 0 && address.nl_pid != (uint32_t)getpid());
    close(fd);
    fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    address.nl_pid = getpid();
    CHECK_EQ(bind(fd, (void *)&address, sizeof address), 0);
}

CASE(connect_and_peer)
{
    int fd = open_route();
    struct sockaddr_nl address = { .nl_family = AF_NETLINK };
    socklen_t length = sizeof address;
    CHECK_EQ(getpeername(fd, (void *)&address, &length), 0);
    CHECK(length == sizeof address && address.nl_family == AF_NETLINK && address.nl_pid == 0);
    CHECK_ERRNO(connect(fd, (void *)&address, 4), EINVAL);
    address.nl_pid = 99999;
    CHECK_EQ(connect(fd, (void *)&address, sizeof address), 0);
    address.nl_pid = 0;
    CHECK_EQ(getpeername(fd, (void *)&address, &length), 0);
    CHECK_EQ(address.nl_pid, 99999);
    struct request request;
    begin(&request, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
    CHECK_ERRNO(send(fd, &request, request.header.nlmsg_len, 0), ECONNREFUSED);
    address.nl_family = AF_UNSPEC;
    CHECK_EQ(connect(fd, (void *)&address, sizeof address), 0);
    post(fd, &request);
}

CASE(sending_nothing_and_too_much)
{
    int fd = open_route();
    CHECK_ERRNO(send(fd, "", 0, 0), ENODATA);
    int small = 1;
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    CHECK_ERRNO(send(fd, answer, 16384, 0), EMSGSIZE);
    CHECK_ERRNO(send(fd, BAD_POINTER, 32, 0), EFAULT);
    CHECK_ERRNO(recv(fd, answer, sizeof answer, MSG_DONTWAIT), EAGAIN);
}

CASE(options)
{
    int fd = open_route(), value = 1;
    socklen_t length = sizeof value;
    int flags[] = { NETLINK_BROADCAST_ERROR, NETLINK_NO_ENOBUFS, NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        CHECK_EQ(getsockopt(fd, SOL_NETLINK, flags[i], &value, &length), 0);
        CHECK_EQ(value, 0);
        value = 5;
        CHECK_EQ(setsockopt(fd, SOL_NETLINK, flags[i], &value, sizeof value), 0);
        CHECK_EQ(getsockopt(fd, SOL_NETLINK, flags[i], &value, &length), 0);
        CHECK_EQ(value, 1);
    }
    CHECK_EQ(setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &value, 3), 0); // too short: 0
    CHECK_EQ(getsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &value, &length), 0);
    CHECK_EQ(value, 0);
    CHECK_ERRNO(setsockopt(fd, SOL_NETLINK, 777, &value, sizeof value), ENOPROTOOPT);
    CHECK_ERRNO(getsockopt(fd, SOL_NETLINK, 777, &value, &length), ENOPROTOOPT);
    CHECK_ERRNO(getsockopt(fd, SOL_SOCKET + 100, 1, &value, &length), ENOPROTOOPT);
}

CASE(memberships)
{
    int fd = open_route(), group = RTNLGRP_IPV4_ROUTE;
    CHECK_EQ(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group), 0);
    group = 0;
    CHECK_ERRNO(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group), EINVAL);
    group = 100000;
    CHECK_ERRNO(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group), EINVAL);
    struct sockaddr_nl address;
    socklen_t length = sizeof address;
    CHECK_EQ(getsockname(fd, (void *)&address, &length), 0);
    CHECK_EQ(address.nl_groups, RTMGRP_IPV4_ROUTE);
    uint32_t words[8] = { 0 };
    length = sizeof words;
    CHECK_EQ(getsockopt(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, words, &length), 0);
    CHECK(words[0] == RTMGRP_IPV4_ROUTE && length >= 4);
    group = RTNLGRP_IPV4_ROUTE;
    CHECK_EQ(setsockopt(fd, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &group, sizeof group), 0);
    length = sizeof address;
    CHECK_EQ(getsockname(fd, (void *)&address, &length), 0);
    CHECK_EQ(address.nl_groups, 0);
}

static int is_lo(struct nlmsghdr *header, void *context)
{
    struct ifinfomsg *link = NLMSG_DATA(header);
    CHECK_EQ(header->nlmsg_type, RTM_NEWLINK);
    CHECK(link->ifi_index == 1 && link->ifi_type == ARPHRD_LOOPBACK && link->ifi_family == AF_UNSPEC);
    CHECK((link->ifi_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_LOWER_UP)) == (IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_LOWER_UP));
    CHECK(strcmp(attribute(header, sizeof *link, IFLA_IFNAME), "lo") == 0);
    CHECK_EQ(*(uint32_t *)attribute(header, sizeof *link, IFLA_MTU), 65536);
    CHECK(memcmp(attribute(header, sizeof *link, IFLA_ADDRESS), "\0\0\0\0\0", 6) == 0);
    CHECK(strcmp(attribute(header, sizeof *link, IFLA_QDISC), "noqueue") == 0);
    CHECK(attribute(header, sizeof *link, IFLA_STATS64) && attribute(header, sizeof *link, IFLA_STATS));
    return 1;
}

CASE(dump_links)
{
    int fd = open_route();
    struct request request;
    begin(&request, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
    CHECK_EQ(dump(fd, &request, is_lo, NULL), 1);
    begin(&request, RTM_GETLINK, NLM_F_DUMP, sizeof(struct rtgenmsg)); // as old programs ask
    CHECK_EQ(dump(fd, &request, is_lo, NULL), 1);
    CHECK_ERRNO(recv(fd, answer, sizeof answer, MSG_DONTWAIT), EAGAIN);
}

CASE(get_one_link)
{
    int fd = open_route();
    struct request request;
    begin(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
    request.link.ifi_index = 1;
    post(fd, &request);
    struct nlmsghdr *header = next(fd);
    CHECK_EQ(header->nlmsg_flags, 0);
    is_lo(header, NULL);
    begin(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
    put(&request, IFLA_IFNAME, "lo", 3);
    post(fd, &request);
    is_lo(next(fd), NULL);
}

CASE(get_a_link_that_is_not_there)
{
    int fd = open_route();
    struct request request;
    begin(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
    CHECK_EQ(ask(fd, &request), EINVAL);
    request.link.ifi_index = 4711;
    CHECK_EQ(ask(fd, &request), ENODEV);
    begin(&request, RTM_GETLINK, 0, sizeof(struct rtgenmsg));
    CHECK_EQ(ask(fd, &request), EINVAL);
    begin(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
    put(&request, IFLA_IFNAME, "nope0", 6);
    CHECK_EQ(ask(fd, &request), ENODEV);
}

CASE(an_acknowledged_get_is_two_messages)
{
    int fd = open_route();
    struct request request;
    begin(&request, RTM_GETLINK, NLM_F_ACK, sizeof(struct ifinfomsg));
    request.link.ifi_index = 1;
    post(fd, &request);
    is_lo(next(fd), NULL);
    CHECK_EQ(status_of(fd), 0);
}

CASE(errors_repeat_the_request)
{
    int fd = open_route(), on = 1;
    struct request request;
    begin(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
    request.link.ifi_index = 4711;
    post(fd, &request);
    struct nlmsghdr *header = next(fd);
    CHECK_EQ(header->nlmsg_len, NLMSG_LENGTH(sizeof(int)) + request.header.nlmsg_len);
    CHECK(memcmp((char *)NLMSG_DATA(header) + 4, &request, request.header.nlmsg_len) == 0);
    CHECK_EQ(setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on), 0);
    post(fd, &request);
    header = next(fd);
    CHECK_EQ(header->nlmsg_len, NLMSG_LENGTH(sizeof(struct nlmsgerr)));
    CHECK_EQ(header->nlmsg_flags & NLM_F_CAPPED, NLM_F_CAPPED);
}

CASE(unknown_types)
{
    int fd = open_route();
    struct request request;
    begin(&request, 9999, 0, sizeof(struct rtgenmsg));
    CHECK_EQ(ask(fd, &request), EOPNOTSUPP);
    begin(&request, 3, NLM_F_ACK, sizeof(struct rtgenmsg)); // netlink's own: acknowledged and no more
    CHECK_EQ(ask(fd, &request), 0);
    begin(&request, RTM_GETLINK, NLM_F_ACK, 0); // too short for a family
    CHECK_EQ(ask(fd, &request), 0);
    begin(&request, RTM_GETLINK, NLM_F_ACK, sizeof(struct ifinfomsg));
    request.header.nlmsg_flags = NLM_F_ACK; // no request
    CHECK_EQ(ask(fd, &request), 0);
}

CASE(malformed_lengths_are_ignored)
{
    int fd = open_route();
    struct request request;
    begin(&request, RTM_GETLINK, NLM_F_ACK, sizeof(struct ifinfomsg));
    request.header.nlmsg_len = 15;
    CHECK_EQ(send(fd, &request, 32, 0), 32);
    request.header.nlmsg_len = 33;
    CHECK_EQ(send(fd, &request, 32, 0), 32);
    request.header.nlmsg_len = 0xffffffff;
    CHECK_EQ(send(fd, &request, 32, 0), 32);
    CHECK_EQ(send(fd, &request, 7, 0), 7);
    CHECK_ERRNO(recv(fd, answer, sizeof answer, MSG_DONTWAIT), EAGAIN);
}

CASE(several_requests_in_one_datagram)
{
    int fd = open_route();
    char both[64];
    struct request request;
    begin(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
    request.link.ifi_index = 1;
    memcpy(both, &request, 32);
    request.link.ifi_index = 4711;
    memcpy(both + 32, &request, 32);
    CHECK_EQ(send(fd, both, 64, 0), 64);
    is_lo(next(fd), NULL);
    CHECK_EQ(status_of(fd), ENODEV);
}

CASE(truncation_and_peeking)
{
    int fd = open_route();
    struct request request;
    begin(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
    request.link.ifi_index = 4711;
    post(fd, &request);
    ssize_t length = recv(fd, answer, 4, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
    CHECK_EQ(length, 36 + 16);
    struct sockaddr_nl from;
    struct iovec part = { answer, 20 };
    struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1 };
    CHECK_EQ(recvmsg(fd, &message, MSG_DONTWAIT), 20);
    CHECK_EQ(message.msg_flags & MSG_TRUNC, MSG_TRUNC);
    CHECK(message.msg_namelen == sizeof from && from.nl_family == AF_NETLINK && from.nl_pid == 0 && from.nl_groups == 0);
    CHECK_ERRNO(recv(fd, answer, sizeof answer, MSG_DONTWAIT), EAGAIN);
}

CASE(poll_tells_of_answers)
{
    int fd = open_route();
    struct pollfd entry = { fd, POLLIN | POLLOUT, 0 };
    CHECK_EQ(poll(&entry, 1, 0), 1);
    CHECK_EQ(entry.revents, POLLOUT);
    struct request request;
    begin(&request, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
    post(fd, &request);
    CHECK_EQ(poll(&entry, 1, 0), 1);
    CHECK_EQ(entry.revents, POLLIN | POLLOUT);
}

static int is_loopback_v4(struct nlmsghdr *header, void *context)
{
    struct ifaddrmsg *address = NLMSG_DATA(header);
    if (address->ifa_family != AF_INET) {
        return 0;
    }
    CHECK(address->ifa_prefixlen == 8 && address->ifa_scope == RT_SCOPE_HOST && address->ifa_index == 1 && address->ifa_flags == IFA_F_PERMANENT);
    CHECK_EQ(*(uint32_t *)attribute(header, sizeof *address, IFA_LOCAL), htonl(INADDR_LOOPBACK));
    CHECK_EQ(*(uint32_t *)attribute(header, sizeof *address, IFA_ADDRESS), htonl(INADDR_LOOPBACK));
    CHECK(strcmp(attribute(header, sizeof *address, IFA_LABEL), "lo") == 0);
    return 1;
}

static int is_loopback_v6(struct nlmsghdr *header, void *context)
{
    struct ifaddrmsg *address = NLMSG_DATA(header);
    if (address->ifa_family != AF_INET6) {
        return 0;
    }
    CHECK(address->ifa_prefixlen == 128 && address->ifa_scope == RT_SCOPE_HOST);
    CHECK(memcmp(attribute(header, sizeof *address, IFA_ADDRESS), &in6addr_loopback, 16) == 0);
    return 1;
}

CASE(dump_addresses)
{
    int fd = open_route();
    struct request request;
    begin(&request, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
    CHECK_EQ(dump(fd, &request, is_loopback_v4, NULL), 1);
    CHECK_EQ(dump(fd, &request, is_loopback_v6, NULL), 1);
    request.address.ifa_family = AF_INET;
    CHECK_EQ(dump(fd, &request, any, NULL), 1);
    request.address.ifa_family = AF_INET6;
    CHECK_EQ(dump(fd, &request, any, NULL), 1);
}

CASE(getifaddrs_shows_lo)
{
    own_network();
    struct ifaddrs *list;
    CHECK_EQ(getifaddrs(&list), 0);
    int v4 = 0, v6 = 0, packet = 0;
    for (struct ifaddrs *at = list; at; at = at->ifa_next) {
        CHECK(strcmp(at->ifa_name, "lo") == 0 && at->ifa_addr);
        v4 += at->ifa_addr->sa_family == AF_INET;
        v6 += at->ifa_addr->sa_family == AF_INET6;
        packet += at->ifa_addr->sa_family == AF_PACKET;
    }
    freeifaddrs(list);
    CHECK(v4 == 1 && v6 == 1 && packet == 1);
}

CASE(if_nameindex_shows_lo)
{
    own_network();
    struct if_nameindex *list = if_nameindex();
    CHECK(list && list[0].if_index == 1 && strcmp(list[0].if_name, "lo") == 0 && list[1].if_index == 0);
    if_freenameindex(list);
}

CASE(add_and_delete_an_address)
{
    int fd = open_route();
    struct request request;
    address_request(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, "198.51.100.7", 24);
    CHECK_EQ(ask(fd, &request), 0);
    CHECK_EQ(ask(fd, &request), EEXIST);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr = { inet_addr("198.51.100.7") } };
    CHECK_EQ(bind(udp, (void *)&own, sizeof own), 0);
    address_request(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, "198.51.100.7", 24);
    CHECK_EQ(ask(fd, &request), 0);
    address_request(&request, RTM_DELADDR, 0, "198.51.100.7", 24);
    CHECK_EQ(ask(fd, &request), 0);
    CHECK_EQ(ask(fd, &request), EADDRNOTAVAIL);
    close(udp);
    udp = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_ERRNO(bind(udp, (void *)&own, sizeof own), EADDRNOTAVAIL);
}

CASE(addresses_are_checked)
{
    int fd = open_route();
    struct request request;
    address_request(&request, RTM_NEWADDR, NLM_F_CREATE, "198.51.100.7", 33);
    CHECK_EQ(ask(fd, &request), EINVAL);
    address_request(&request, RTM_NEWADDR, NLM_F_CREATE, "198.51.100.7", 24);
    request.address.ifa_index = 4711;
    CHECK_EQ(ask(fd, &request), ENODEV);
    begin(&request, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE, sizeof(struct ifaddrmsg));
    request.address.ifa_family = AF_INET;
    request.address.ifa_index = 1;
    CHECK_EQ(ask(fd, &request), EINVAL);
}

CASE(changes_need_a_capability)
{
    int fd = open_route();
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(setuid(1000), 0);
        int own = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
        struct request request;
        address_request(&request, RTM_NEWADDR, NLM_F_CREATE, "198.51.100.7", 24);
        CHECK_EQ(ask(own, &request), EPERM);
        route_request(&request, RTM_DELROUTE, 0, "198.51.100.0", 24);
        CHECK_EQ(ask(own, &request), EPERM);
        begin(&request, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
        CHECK_EQ(dump(own, &request, any, NULL), 1);
        _exit(0);
    }
    CHECK_CHILD(child);
    close(fd);
}

static int is_table(struct nlmsghdr *header, void *context)
{
    struct rtmsg *route = NLMSG_DATA(header);
    return route->rtm_table == *(int *)context;
}

CASE(local_routes_of_lo)
{
    int fd = open_route(), local = RT_TABLE_LOCAL, main = RT_TABLE_MAIN;
    struct request request;
    begin(&request, RTM_GETROUTE, NLM_F_DUMP, sizeof(struct rtmsg));
    request.route.rtm_family = AF_INET;
    CHECK(dump(fd, &request, is_table, &local) >= 2);
    CHECK_EQ(dump(fd, &request, is_table, &main), 0);
}

CASE(an_address_makes_its_network_s_route)
{
    int fd = open_route(), main = RT_TABLE_MAIN;
    struct request request, routes;
    begin(&routes, RTM_GETROUTE, NLM_F_DUMP, sizeof(struct rtmsg));
    routes.route.rtm_family = AF_INET;
    int before = dump(fd, &routes, any, NULL);
    address_request(&request, RTM_NEWADDR, NLM_F_CREATE, "198.51.100.7", 24);
    CHECK_EQ(ask(fd, &request), 0);
    CHECK(dump(fd, &routes, any, NULL) >= before + 2);
    CHECK_EQ(dump(fd, &routes, is_table, &main), 0); // lo's networks are local
    request.header.nlmsg_type = RTM_DELADDR;
    CHECK_EQ(ask(fd, &request), 0);
    CHECK_EQ(dump(fd, &routes, any, NULL), before);
}

CASE(add_and_delete_a_route)
{
    int fd = open_route(), main = RT_TABLE_MAIN;
    struct request request, routes;
    begin(&routes, RTM_GETROUTE, NLM_F_DUMP, sizeof(struct rtmsg));
    routes.route.rtm_family = AF_INET;
    route_request(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, "198.51.100.0", 25);
    CHECK_EQ(ask(fd, &request), 0);
    CHECK_EQ(ask(fd, &request), EEXIST);
    CHECK_EQ(dump(fd, &routes, is_table, &main), 1);
    route_request(&request, RTM_NEWROUTE, NLM_F_REPLACE, "198.51.100.0", 26);
    CHECK_EQ(ask(fd, &request), ENOENT);
    route_request(&request, RTM_DELROUTE, 0, "198.51.100.0", 25);
    CHECK_EQ(ask(fd, &request), 0);
    CHECK_EQ(ask(fd, &request), ESRCH);
    CHECK_EQ(dump(fd, &routes, is_table, &main), 0);
}

CASE(routes_are_checked)
{
    int fd = open_route();
    struct request request;
    route_request(&request, RTM_NEWROUTE, NLM_F_CREATE, "198.51.100.1", 24);
    CHECK_EQ(ask(fd, &request), EINVAL); // bits behind the prefix
    route_request(&request, RTM_NEWROUTE, NLM_F_CREATE, "198.51.100.0", 33);
    CHECK_EQ(ask(fd, &request), EINVAL);
    begin(&request, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE, sizeof(struct rtmsg));
    request.route.rtm_family = AF_INET;
    request.route.rtm_table = RT_TABLE_MAIN;
    request.route.rtm_type = RTN_UNICAST;
    put_ip(&request, RTA_GATEWAY, "198.51.100.1");
    CHECK_EQ(ask(fd, &request), ENETUNREACH);
}

CASE(ask_for_the_way_to_an_address)
{
    int fd = open_route();
    struct request request;
    begin(&request, RTM_GETROUTE, 0, sizeof(struct rtmsg));
    request.route.rtm_family = AF_INET;
    request.route.rtm_dst_len = 32;
    put_ip(&request, RTA_DST, "127.0.0.5");
    post(fd, &request);
    struct nlmsghdr *header = next(fd);
    struct rtmsg *route = NLMSG_DATA(header);
    CHECK(header->nlmsg_type == RTM_NEWROUTE && route->rtm_type == RTN_LOCAL && route->rtm_table == RT_TABLE_MAIN);
    CHECK_EQ(*(int *)attribute(header, sizeof *route, RTA_OIF), 1);
    begin(&request, RTM_GETROUTE, 0, sizeof(struct rtmsg));
    request.route.rtm_family = AF_INET;
    request.route.rtm_dst_len = 32;
    put_ip(&request, RTA_DST, "198.51.100.1");
    CHECK_EQ(ask(fd, &request), ENETUNREACH);
}

CASE(members_are_told_of_changes)
{
    int fd = open_route(), listener = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_IFADDR }, from;
    CHECK_EQ(bind(listener, (void *)&address, sizeof address), 0);
    struct request request;
    address_request(&request, RTM_NEWADDR, NLM_F_CREATE, "198.51.100.9", 32);
    CHECK_EQ(ask(fd, &request), 0);
    socklen_t length = sizeof from;
    CHECK(recvfrom(listener, answer, sizeof answer, MSG_DONTWAIT, (void *)&from, &length) > 0);
    CHECK(from.nl_pid == 0 && from.nl_groups == RTMGRP_IPV4_IFADDR);
    struct nlmsghdr *header = (void *)answer;
    CHECK(header->nlmsg_type == RTM_NEWADDR && header->nlmsg_seq == 7);
    request.header.nlmsg_type = RTM_DELADDR;
    CHECK_EQ(ask(fd, &request), 0);
    CHECK_EQ(next(listener)->nlmsg_type, RTM_DELADDR);
    CHECK_ERRNO(recv(listener, answer, sizeof answer, MSG_DONTWAIT), EAGAIN);
}

CASE(mtu_and_down_and_up)
{
    int fd = open_route(), mtu = 1500;
    struct request request;
    begin(&request, RTM_NEWLINK, NLM_F_ACK, sizeof(struct ifinfomsg));
    request.link.ifi_index = 1;
    put(&request, IFLA_MTU, &mtu, 4);
    CHECK_EQ(ask(fd, &request), 0);
    begin(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
    request.link.ifi_index = 1;
    post(fd, &request);
    CHECK_EQ(*(uint32_t *)attribute(next(fd), sizeof(struct ifinfomsg), IFLA_MTU), 1500);
    begin(&request, RTM_NEWLINK, NLM_F_ACK, sizeof(struct ifinfomsg));
    request.link.ifi_index = 1;
    request.link.ifi_change = IFF_UP;
    CHECK_EQ(ask(fd, &request), 0);
    struct request get;
    begin(&get, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
    get.link.ifi_index = 1;
    post(fd, &get);
    CHECK_EQ(((struct ifinfomsg *)NLMSG_DATA(next(fd)))->ifi_flags & (IFF_UP | IFF_RUNNING), 0);
    request.link.ifi_flags = IFF_UP;
    CHECK_EQ(ask(fd, &request), 0);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr = { htonl(INADDR_LOOPBACK) } };
    CHECK_EQ(connect(udp, (void *)&to, sizeof to), 0);
    mtu = 65536;
    put(&request, IFLA_MTU, &mtu, 4);
    CHECK_EQ(ask(fd, &request), 0);
}

CASE(links_that_cannot_be_changed)
{
    int fd = open_route();
    struct request request;
    begin(&request, RTM_DELLINK, NLM_F_ACK, sizeof(struct ifinfomsg));
    request.link.ifi_index = 1;
    CHECK_EQ(ask(fd, &request), EOPNOTSUPP);
    request.link.ifi_index = 4711;
    CHECK_EQ(ask(fd, &request), ENODEV);
    begin(&request, RTM_NEWLINK, NLM_F_ACK, sizeof(struct ifinfomsg));
    request.link.ifi_index = 4711;
    request.link.ifi_flags = request.link.ifi_change = IFF_UP;
    CHECK_EQ(ask(fd, &request), ENODEV);
}

CASE(a_new_link_without_name_or_number)
{
    int fd = open_route();
    struct request request;
    begin(&request, RTM_NEWLINK, NLM_F_ACK, sizeof(struct ifinfomsg));
    CHECK_EQ(ask(fd, &request), ENODEV); // iproute2 asks this to find out whether it can change links
    request.link.ifi_index = -1;
    CHECK_EQ(ask(fd, &request), EINVAL);
    begin(&request, RTM_DELLINK, NLM_F_ACK, sizeof(struct ifinfomsg));
    CHECK_EQ(ask(fd, &request), EINVAL);
}

static int is_rule(struct nlmsghdr *header, void *context)
{
    return header->nlmsg_type == RTM_NEWRULE;
}

CASE(rules_and_neighbors)
{
    int fd = open_route();
    struct request request;
    begin(&request, RTM_GETRULE, NLM_F_DUMP, sizeof(struct rtmsg));
    request.route.rtm_family = AF_INET6;
    CHECK_EQ(dump(fd, &request, is_rule, NULL), 2);
    begin(&request, RTM_GETNEIGH, NLM_F_DUMP, sizeof(struct ndmsg));
    CHECK_EQ(dump(fd, &request, any, NULL), 0);
}

CASE(a_full_receiver_loses_messages)
{
    int fd = open_route(), small = 1;
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    struct request request;
    begin(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
    request.link.ifi_index = 4711;
    for (int i = 0; i < 100; i++) {
        post(fd, &request);
    }
    CHECK_ERRNO(recv(fd, answer, sizeof answer, MSG_DONTWAIT), ENOBUFS);
    CHECK_EQ(status_of(fd), ENODEV);
}

CASE(user_to_user)
{
    int fd = open_route(), other = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    struct sockaddr_nl address = { .nl_family = AF_NETLINK }, from;
    socklen_t length = sizeof address;
    CHECK_EQ(bind(other, (void *)&address, sizeof address), 0);
    CHECK_EQ(getsockname(other, (void *)&address, &length), 0);
    CHECK_EQ(sendto(fd, "hello", 5, 0, (void *)&address, sizeof address), 5);
    CHECK_EQ(recvfrom(other, answer, sizeof answer, MSG_DONTWAIT, (void *)&from, &length), 5);
    CHECK(from.nl_pid != 0 && memcmp(answer, "hello", 5) == 0);
}

static void check_file(const char *path, const char *expected)
{
    char text[4096];
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    ssize_t length = read(fd, text, sizeof text - 1);
    CHECK(length >= 0);
    text[length] = 0;
    CHECK(strncmp(text, expected, strlen(expected)) == 0);
    close(fd);
}

CASE(proc_net_tables)
{
    own_network();
    check_file("/proc/self/net/dev", "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
                                     "packets errs drop fifo colls carrier compressed\n    lo: ");
    check_file("/proc/self/net/if_inet6", "00000000000000000000000000000001 01 80 10 80       lo\n");
    check_file("/proc/self/net/arp", "IP address       HW type     Flags       HW address            Mask     Device\n");
}

CASE(proc_net_route)
{
    int fd = open_route();
    struct request request;
    route_request(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, "198.51.100.0", 25);
    CHECK_EQ(ask(fd, &request), 0);
    char expected[512];
    snprintf(expected, sizeof expected, "%-127s\n%-127s\n", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
             "lo\t006433C6\t00000000\t0001\t0\t0\t0\t80FFFFFF\t0\t0\t0");
    check_file("/proc/self/net/route", expected);
    route_request(&request, RTM_DELROUTE, 0, "198.51.100.0", 25);
    CHECK_EQ(ask(fd, &request), 0);
}

GUEST_MAIN("netlink")
