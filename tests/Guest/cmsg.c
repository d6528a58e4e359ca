// Control messages of internet sockets (cmsg(3), ip(7), ipv6(7), socket(7)): what goes with a datagram, what comes with one; MSG_MORE and UDP_CORK
#include "inet.h"
#include <netinet/udp.h>

static int bound6(void)
{
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 a = loopback6(0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

// Sends one byte with one control message.
static ssize_t send_with(int fd, int port, int v6, int level, int type, const void *data, size_t length)
{
    struct sockaddr_in a = loopback4(port);
    struct sockaddr_in6 a6 = loopback6(port);
    char control[256] = { 0 };
    struct iovec v = { "x", 1 };
    struct msghdr m = { v6 ? (void *)&a6 : (void *)&a, v6 ? sizeof a6 : sizeof a, &v, 1, control, CMSG_SPACE(length), 0 };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(length);
    memcpy(CMSG_DATA(c), data, length);
    return sendmsg(fd, &m, 0);
}

typedef struct {
    int count, flags;
    struct { int level, type; size_t length; unsigned char data[64]; } list[8];
    struct sockaddr_storage from;
} controls;

static controls receive(int fd, size_t room)
{
    controls r;
    memset(&r, 0, sizeof r);
    char control[512], c[8];
    struct iovec v = { c, sizeof c };
    struct msghdr m = { &r.from, sizeof r.from, &v, 1, control, room, 0 };
    CHECK(events_of(fd, POLLIN, 5000) & POLLIN);
    CHECK(recvmsg(fd, &m, 0) >= 0);
    r.flags = m.msg_flags;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h && r.count < 8; h = CMSG_NXTHDR(&m, h)) {
        r.list[r.count].level = h->cmsg_level;
        r.list[r.count].type = h->cmsg_type;
        r.list[r.count].length = h->cmsg_len - CMSG_LEN(0);
        memcpy(r.list[r.count].data, CMSG_DATA(h), r.list[r.count].length < 64 ? r.list[r.count].length : 64);
        r.count++;
    }
    return r;
}

static int number(const controls *r, int i)
{
    int value;
    memcpy(&value, r->list[i].data, sizeof value);
    return value;
}

CASE(ttl_is_sent_and_told)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM), ttl = 9;
    CHECK_EQ(set_int(b, IPPROTO_IP, IP_RECVTTL, 1), 0);
    CHECK_EQ(send_with(a, port_of(b), 0, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl), 1);
    controls r = receive(b, 512);
    CHECK_EQ(r.count, 1);
    CHECK_EQ(r.list[0].type, IP_TTL);
    CHECK_EQ(r.list[0].length, 4);
    CHECK_EQ(number(&r, 0), 9);
}

CASE(tos_is_sent_and_told)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM), tos = 0x10;
    CHECK_EQ(set_int(b, IPPROTO_IP, IP_RECVTOS, 1), 0);
    CHECK_EQ(send_with(a, port_of(b), 0, IPPROTO_IP, IP_TOS, &tos, sizeof tos), 1);
    controls r = receive(b, 512);
    CHECK_EQ(r.count, 1);
    CHECK_EQ(r.list[0].type, IP_TOS);
    CHECK_EQ(r.list[0].length, 1);
    CHECK_EQ(r.list[0].data[0], 0x10);
    unsigned char one = 0x20;
    CHECK_EQ(send_with(a, port_of(b), 0, IPPROTO_IP, IP_TOS, &one, 1), 1);
    CHECK_EQ(receive(b, 512).list[0].data[0], 0x20);
}

CASE(bad_ttl_and_tos)
{
    int a = bound4(SOCK_DGRAM), port = port_of(bound4(SOCK_DGRAM));
    int values[] = { 0, 256, -1 };
    for (int i = 0; i < 3; i++) {
        CHECK_ERRNO(send_with(a, port, 0, IPPROTO_IP, IP_TTL, &values[i], 4), EINVAL);
    }
    CHECK_ERRNO(send_with(a, port, 0, IPPROTO_IP, IP_TTL, &values[1], 1), EINVAL);
    CHECK_ERRNO(send_with(a, port, 0, IPPROTO_IP, IP_TOS, &values[1], 4), EINVAL);
    CHECK_ERRNO(send_with(a, port, 0, IPPROTO_IP, IP_TOS, &values[2], 4), EINVAL);
    CHECK_ERRNO(send_with(a, port, 0, IPPROTO_IP, IP_TOS, &values[1], 2), EINVAL);
}

CASE(unknown_messages)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM), value = 1;
    CHECK_ERRNO(send_with(a, port_of(b), 0, IPPROTO_IP, 200, &value, 4), EINVAL);
    CHECK_ERRNO(send_with(a, port_of(b), 0, SOL_SOCKET, 200, &value, 4), EINVAL);
    CHECK_EQ(send_with(a, port_of(b), 0, 250, 1, &value, 4), 1); // another level is none of its business
    CHECK_EQ(send_with(a, port_of(b), 0, IPPROTO_IPV6, IPV6_HOPLIMIT, &value, 4), 1);
}

CASE(broken_headers)
{
    int a = bound4(SOCK_DGRAM), port = port_of(bound4(SOCK_DGRAM));
    struct sockaddr_in to = loopback4(port);
    char control[64] = { 0 };
    struct iovec v = { "x", 1 };
    struct msghdr m = { &to, sizeof to, &v, 1, control, sizeof control, 0 };
    struct cmsghdr *c = (struct cmsghdr *)control;
    *c = (struct cmsghdr){ .cmsg_len = 65, .cmsg_level = IPPROTO_IP, .cmsg_type = IP_TTL };
    CHECK_ERRNO(sendmsg(a, &m, 0), EINVAL);
    c->cmsg_len = 15;
    CHECK_ERRNO(sendmsg(a, &m, 0), EINVAL);
    c->cmsg_len = 0;
    CHECK_ERRNO(sendmsg(a, &m, 0), EINVAL);
    m.msg_controllen = 15; // no header fits
    CHECK_EQ(sendmsg(a, &m, 0), 1);
    m.msg_control = BAD_POINTER;
    m.msg_controllen = 64;
    CHECK_ERRNO(sendmsg(a, &m, 0), EFAULT);
    m.msg_controllen = 1 << 30;
    CHECK_ERRNO(sendmsg(a, &m, 0), ENOBUFS);
}

CASE(source_address)
{
    int a = socket(AF_INET, SOCK_DGRAM, 0), b = bound4(SOCK_DGRAM);
    struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(0x7f000005) };
    CHECK_EQ(send_with(a, port_of(b), 0, IPPROTO_IP, IP_PKTINFO, &info, sizeof info), 1);
    controls r = receive(b, 512);
    CHECK_EQ(((struct sockaddr_in *)&r.from)->sin_addr.s_addr, htonl(0x7f000005));
}

CASE(foreign_source_address)
{
    int a = socket(AF_INET, SOCK_DGRAM, 0), port = port_of(bound4(SOCK_DGRAM));
    struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(0xc6336401) };
    CHECK_ERRNO(send_with(a, port, 0, IPPROTO_IP, IP_PKTINFO, &info, sizeof info), ENETUNREACH);
    CHECK_ERRNO(send_with(a, port, 0, IPPROTO_IP, IP_PKTINFO, &info, 8), EINVAL);
}

CASE(source_interface)
{
    int a = socket(AF_INET, SOCK_DGRAM, 0), b = bound4(SOCK_DGRAM);
    struct in_pktinfo info = { .ipi_ifindex = 1 };
    CHECK_EQ(send_with(a, port_of(b), 0, IPPROTO_IP, IP_PKTINFO, &info, sizeof info), 1);
    receive(b, 512);
    info.ipi_ifindex = 4711;
    CHECK_ERRNO(send_with(a, port_of(b), 0, IPPROTO_IP, IP_PKTINFO, &info, sizeof info), ENODEV);
}

CASE(packet_info_of_a_connected_socket)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    struct sockaddr_in to = loopback4(port_of(a));
    CHECK_EQ(connect(b, (struct sockaddr *)&to, sizeof to), 0);
    CHECK_EQ(set_int(b, IPPROTO_IP, IP_PKTINFO, 1), 0);
    struct sockaddr_in back = loopback4(port_of(b));
    CHECK_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&back, sizeof back), 1);
    controls r = receive(b, 512);
    CHECK_EQ(r.count, 1);
    struct in_pktinfo info;
    memcpy(&info, r.list[0].data, sizeof info);
    CHECK_EQ(info.ipi_ifindex, 1);
    CHECK_EQ(info.ipi_spec_dst.s_addr, htonl(INADDR_LOOPBACK));
    CHECK_EQ(info.ipi_addr.s_addr, htonl(INADDR_LOOPBACK));
}

CASE(order_of_messages)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    CHECK_EQ(set_int(b, IPPROTO_IP, IP_RECVORIGDSTADDR, 1), 0);
    CHECK_EQ(set_int(b, IPPROTO_IP, IP_RECVTOS, 1), 0);
    CHECK_EQ(set_int(b, IPPROTO_IP, IP_RECVTTL, 1), 0);
    CHECK_EQ(set_int(b, IPPROTO_IP, IP_PKTINFO, 1), 0);
    CHECK_EQ(set_int(b, SOL_SOCKET, SO_TIMESTAMP, 1), 0);
    struct sockaddr_in to = loopback4(port_of(b));
    CHECK_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    controls r = receive(b, 512);
    CHECK_EQ(r.count, 5);
    CHECK_EQ(r.list[0].type, SO_TIMESTAMP);
    CHECK_EQ(r.list[1].type, IP_PKTINFO);
    CHECK_EQ(r.list[2].type, IP_TTL);
    CHECK_EQ(r.list[3].type, IP_TOS);
    CHECK_EQ(r.list[4].type, IP_ORIGDSTADDR);
    CHECK_EQ(memcmp(r.list[4].data, &to, sizeof to), 0);
}

CASE(room_for_some_of_them)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    CHECK_EQ(set_int(b, IPPROTO_IP, IP_RECVTTL, 1), 0);
    CHECK_EQ(set_int(b, IPPROTO_IP, IP_PKTINFO, 1), 0);
    struct sockaddr_in to = loopback4(port_of(b));
    CHECK_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    controls r = receive(b, CMSG_SPACE(sizeof(struct in_pktinfo)));
    CHECK_EQ(r.count, 1);
    CHECK_EQ(r.flags, MSG_CTRUNC);
}

CASE(timestamps)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    CHECK_EQ(set_int(b, SOL_SOCKET, SO_TIMESTAMPNS, 1), 0);
    CHECK_EQ(int_option(b, SOL_SOCKET, SO_TIMESTAMPNS), 1);
    CHECK_EQ(int_option(b, SOL_SOCKET, SO_TIMESTAMP), 0);
    struct timespec before, after, told;
    clock_gettime(CLOCK_REALTIME, &before);
    struct sockaddr_in to = loopback4(port_of(b));
    CHECK_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    controls r = receive(b, 512);
    clock_gettime(CLOCK_REALTIME, &after);
    CHECK_EQ(r.list[0].type, SO_TIMESTAMPNS);
    memcpy(&told, r.list[0].data, sizeof told);
    CHECK(told.tv_sec >= before.tv_sec && told.tv_sec <= after.tv_sec + 1);
    CHECK_EQ(set_int(b, SOL_SOCKET, SO_TIMESTAMP, 1), 0);
    CHECK_EQ(int_option(b, SOL_SOCKET, SO_TIMESTAMPNS), 0);
    CHECK_EQ(int_option(b, SOL_SOCKET, SO_TIMESTAMP), 1);
}

CASE(v6_hop_limit_and_class)
{
    int a = bound6(), b = bound6(), value = 9;
    CHECK_EQ(set_int(b, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1), 0);
    CHECK_EQ(set_int(b, IPPROTO_IPV6, IPV6_RECVTCLASS, 1), 0);
    CHECK_EQ(send_with(a, port_of(b), 1, IPPROTO_IPV6, IPV6_HOPLIMIT, &value, 4), 1);
    controls r = receive(b, 512);
    CHECK_EQ(r.count, 2);
    CHECK_EQ(r.list[0].type, IPV6_HOPLIMIT);
    CHECK_EQ(number(&r, 0), 9);
    CHECK_EQ(r.list[1].type, IPV6_TCLASS);
    CHECK_EQ(r.list[1].length, 4);
    value = 0x28;
    CHECK_EQ(send_with(a, port_of(b), 1, IPPROTO_IPV6, IPV6_TCLASS, &value, 4), 1);
    r = receive(b, 512);
    CHECK_EQ(number(&r, 1), 0x28);
    value = 256;
    CHECK_ERRNO(send_with(a, port_of(b), 1, IPPROTO_IPV6, IPV6_HOPLIMIT, &value, 4), EINVAL);
    CHECK_ERRNO(send_with(a, port_of(b), 1, IPPROTO_IPV6, IPV6_TCLASS, &value, 4), EINVAL);
    value = -2;
    CHECK_ERRNO(send_with(a, port_of(b), 1, IPPROTO_IPV6, IPV6_HOPLIMIT, &value, 4), EINVAL);
    CHECK_ERRNO(send_with(a, port_of(b), 1, IPPROTO_IPV6, 200, &value, 4), EINVAL);
}

CASE(v6_packet_info)
{
    int a = bound6(), b = bound6();
    CHECK_EQ(set_int(b, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1), 0);
    struct in6_pktinfo info = { .ipi6_ifindex = 1 };
    CHECK_EQ(send_with(a, port_of(b), 1, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info), 1);
    controls r = receive(b, 512);
    CHECK_EQ(r.count, 1);
    CHECK_EQ(r.list[0].length, sizeof info);
    memcpy(&info, r.list[0].data, sizeof info);
    CHECK_EQ(info.ipi6_ifindex, 1);
    CHECK(IN6_IS_ADDR_LOOPBACK(&info.ipi6_addr));
    inet_pton(AF_INET6, "2001:db8::5", &info.ipi6_addr);
    CHECK_ERRNO(send_with(a, port_of(b), 1, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info), EINVAL);
    CHECK_ERRNO(send_with(a, port_of(b), 1, IPPROTO_IPV6, IPV6_PKTINFO, &info, 8), EINVAL);
}

CASE(v4_datagram_on_a_v6_socket)
{
    int b = socket(AF_INET6, SOCK_DGRAM, 0), a = bound4(SOCK_DGRAM);
    struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
    CHECK_EQ(bind(b, (struct sockaddr *)&any, sizeof any), 0);
    CHECK_EQ(set_int(b, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1), 0);
    CHECK_EQ(set_int(b, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1), 0);
    CHECK_EQ(set_int(b, IPPROTO_IP, IP_RECVTTL, 1), 0);
    struct sockaddr_in to = loopback4(port_of(b));
    CHECK_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    controls r = receive(b, 512);
    CHECK_EQ(r.count, 2);
    CHECK_EQ(r.list[0].level, IPPROTO_IPV6);
    CHECK_EQ(r.list[0].type, IPV6_PKTINFO);
    CHECK(IN6_IS_ADDR_V4MAPPED((struct in6_addr *)r.list[0].data));
    CHECK_EQ(r.list[1].level, IPPROTO_IP);
    CHECK_EQ(r.list[1].type, IP_TTL);
    CHECK(IN6_IS_ADDR_V4MAPPED(&((struct sockaddr_in6 *)&r.from)->sin6_addr));
}

CASE(files_are_nothing_to_udp_and_tcp)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM), fds[2];
    CHECK_EQ(send_with(a, port_of(b), 0, SOL_SOCKET, SCM_RIGHTS, &a, sizeof a), 1);
    CHECK_EQ(receive(b, 512).count, 0);
    tcp_pair(fds);
    char control[CMSG_SPACE(4)] = { 0 };
    struct iovec v = { "x", 1 };
    struct msghdr m = { NULL, 0, &v, 1, control, sizeof control, 0 };
    *CMSG_FIRSTHDR(&m) = (struct cmsghdr){ .cmsg_len = CMSG_LEN(4), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &a, 4);
    CHECK_EQ(sendmsg(fds[0], &m, 0), 1);
    CHECK_EQ(receive(fds[1], 512).count, 0);
}

CASE(more)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    struct sockaddr_in to = loopback4(port_of(b));
    CHECK_EQ(sendto(a, "ab", 2, MSG_MORE, (struct sockaddr *)&to, sizeof to), 2);
    CHECK_EQ(events_of(b, POLLIN, 50), 0);
    CHECK_EQ(sendto(a, "cd", 2, MSG_MORE, (struct sockaddr *)&to, sizeof to), 2);
    CHECK_EQ(sendto(a, "e", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    char text[16] = "";
    CHECK_EQ(recv(b, text, 16, 0), 5);
    CHECK_EQ(strcmp(text, "abcde"), 0);
}

CASE(cork)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    struct sockaddr_in to = loopback4(port_of(b));
    CHECK_EQ(connect(a, (struct sockaddr *)&to, sizeof to), 0);
    CHECK_EQ(int_option(a, IPPROTO_UDP, UDP_CORK), 0);
    CHECK_EQ(set_int(a, IPPROTO_UDP, UDP_CORK, 1), 0);
    CHECK_EQ(int_option(a, IPPROTO_UDP, UDP_CORK), 1);
    CHECK_EQ(send(a, "ab", 2, 0), 2);
    CHECK_EQ(send(a, "cd", 2, 0), 2);
    CHECK_EQ(events_of(b, POLLIN, 50), 0);
    CHECK_EQ(set_int(a, IPPROTO_UDP, UDP_CORK, 0), 0);
    char text[16] = "";
    CHECK_EQ(recv(b, text, 16, 0), 4);
    CHECK_EQ(strcmp(text, "abcd"), 0);
}

CASE(corked_too_long)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    static char big[60000];
    struct sockaddr_in to = loopback4(port_of(b));
    CHECK_EQ(sendto(a, big, sizeof big, MSG_MORE, (struct sockaddr *)&to, sizeof to), (ssize_t)sizeof big);
    CHECK_ERRNO(sendto(a, big, sizeof big, 0, (struct sockaddr *)&to, sizeof to), EMSGSIZE);
}

CASE(sendmmsg_with_messages)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    CHECK_EQ(set_int(b, IPPROTO_IP, IP_RECVTTL, 1), 0);
    struct sockaddr_in to = loopback4(port_of(b));
    char control[2][CMSG_SPACE(4)];
    struct iovec v = { "x", 1 };
    struct mmsghdr m[2];
    memset(control, 0, sizeof control);
    memset(m, 0, sizeof m);
    for (int i = 0; i < 2; i++) {
        m[i].msg_hdr = (struct msghdr){ &to, sizeof to, &v, 1, control[i], sizeof control[i], 0 };
        *CMSG_FIRSTHDR(&m[i].msg_hdr) = (struct cmsghdr){ .cmsg_len = CMSG_LEN(4), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_TTL };
        *(int *)CMSG_DATA(CMSG_FIRSTHDR(&m[i].msg_hdr)) = 20 + i;
    }
    CHECK_EQ(sendmmsg(a, m, 2, 0), 2);
    controls r = receive(b, 512);
    CHECK_EQ(number(&r, 0), 20);
    r = receive(b, 512);
    CHECK_EQ(number(&r, 0), 21);
}

GUEST_MAIN("cmsg")
