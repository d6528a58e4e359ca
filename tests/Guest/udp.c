// udp(7) over loopback
#include "inet.h"

static struct sockaddr_in name_of(int fd)
{
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    return a;
}

static void send_to(int fd, int to, const char *text)
{
    struct sockaddr_in a = name_of(to);
    CHECK_EQ(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&a, sizeof a), (ssize_t)strlen(text));
}

CASE(datagrams_keep_their_bounds)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    send_to(a, b, "one");
    send_to(a, b, "twoo");
    char text[16];
    struct sockaddr_in from;
    socklen_t n = sizeof from;
    CHECK_EQ(recvfrom(b, text, 16, 0, (struct sockaddr *)&from, &n), 3);
    CHECK_EQ(from.sin_port, name_of(a).sin_port);
    CHECK_EQ(n, sizeof from);
    CHECK_EQ(recv(b, text, 16, 0), 4);
    CHECK_ERRNO(recv(b, text, 16, MSG_DONTWAIT), EAGAIN);
}

CASE(empty_datagram)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    send_to(a, b, "");
    CHECK_EQ(events_of(b, POLLIN, 5000), POLLIN);
    char c;
    CHECK_EQ(recv(b, &c, 1, 0), 0);
}

CASE(truncation)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    send_to(a, b, "abcdef");
    send_to(a, b, "abcdef");
    char text[4];
    struct iovec v = { text, 4 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
    CHECK_EQ(recvmsg(b, &m, 0), 4);
    CHECK_EQ(m.msg_flags, MSG_TRUNC);
    CHECK_EQ(recv(b, text, 4, MSG_TRUNC), 6);
    CHECK_ERRNO(recv(b, text, 4, MSG_DONTWAIT), EAGAIN);
}

CASE(peek)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    send_to(a, b, "abcdef");
    char text[8];
    CHECK_EQ(recv(b, text, 2, MSG_PEEK), 2);
    CHECK_EQ(recv(b, text, 2, MSG_PEEK | MSG_TRUNC), 6);
    CHECK_EQ(recv(b, text, 8, 0), 6);
}

CASE(no_destination)
{
    int a = bound4(SOCK_DGRAM);
    CHECK_ERRNO(send(a, "x", 1, 0), EDESTADDRREQ);
    struct sockaddr_in to = loopback4(0);
    CHECK_ERRNO(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof to), EINVAL);
    CHECK_ERRNO(sendto(a, "x", 1, 0, (struct sockaddr *)&to, 4), EINVAL);
    to.sin_family = AF_INET6;
    CHECK_ERRNO(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof to), EAFNOSUPPORT);
}

CASE(too_long)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    static char big[65536];
    struct sockaddr_in to = name_of(b);
    CHECK_ERRNO(sendto(a, big, 65508, 0, (struct sockaddr *)&to, sizeof to), EMSGSIZE);
    CHECK_EQ(sendto(a, big, 65507, 0, (struct sockaddr *)&to, sizeof to), 65507);
    CHECK_EQ(recv(b, big, sizeof big, 0), 65507);
}

CASE(connected_filters_senders)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM), c = bound4(SOCK_DGRAM);
    struct sockaddr_in peer = name_of(a);
    CHECK_EQ(connect(b, (struct sockaddr *)&peer, sizeof peer), 0);
    struct sockaddr_in to = name_of(b);
    sendto(c, "no", 2, 0, (struct sockaddr *)&to, sizeof to);
    char text[8];
    CHECK_ERRNO(recv(b, text, 8, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(sendto(a, "yes", 3, 0, (struct sockaddr *)&to, sizeof to), 3);
    CHECK_EQ(recv(b, text, 8, 0), 3);
    CHECK_EQ(send(b, "hi", 2, 0), 2);
    CHECK_EQ(recv(a, text, 8, 0), 2);
}

CASE(connect_chooses_names)
{
    int b = bound4(SOCK_DGRAM), a = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in peer = name_of(b), got;
    CHECK_EQ(connect(a, (struct sockaddr *)&peer, sizeof peer), 0);
    got = name_of(a);
    CHECK_EQ(ntohl(got.sin_addr.s_addr), INADDR_LOOPBACK);
    CHECK(got.sin_port != 0);
    socklen_t n = sizeof got;
    CHECK_EQ(getpeername(a, (struct sockaddr *)&got, &n), 0);
    CHECK_EQ(got.sin_port, peer.sin_port);
}

CASE(disconnect)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    struct sockaddr_in peer = name_of(b), none = { .sin_family = AF_UNSPEC };
    CHECK_EQ(connect(a, (struct sockaddr *)&peer, sizeof peer), 0);
    CHECK_EQ(connect(a, (struct sockaddr *)&none, sizeof none), 0);
    socklen_t n = sizeof none;
    CHECK_ERRNO(getpeername(a, (struct sockaddr *)&none, &n), ENOTCONN);
    CHECK_ERRNO(send(a, "x", 1, 0), EDESTADDRREQ);
}

CASE(refused_is_told_once)
{
    int gone = bound4(SOCK_DGRAM), a = bound4(SOCK_DGRAM);
    struct sockaddr_in peer = name_of(gone);
    close(gone);
    CHECK_EQ(connect(a, (struct sockaddr *)&peer, sizeof peer), 0);
    CHECK_EQ(send(a, "x", 1, 0), 1);
    CHECK(events_of(a, POLLIN, 5000) & POLLERR);
    char c;
    CHECK_ERRNO(recv(a, &c, 1, MSG_DONTWAIT), ECONNREFUSED);
    CHECK_ERRNO(recv(a, &c, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(send(a, "x", 1, 0), 1);
    CHECK_EQ(events_of(a, 0, 5000), POLLERR);
    CHECK_EQ(int_option(a, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
}

CASE(refused_is_not_told_unconnected)
{
    int gone = bound4(SOCK_DGRAM), a = bound4(SOCK_DGRAM);
    struct sockaddr_in peer = name_of(gone);
    close(gone);
    CHECK_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&peer, sizeof peer), 1);
    char c;
    CHECK_ERRNO(recv(a, &c, 1, MSG_DONTWAIT), EAGAIN);
}

CASE(broadcast_needs_permission)
{
    int a = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0x7fffffff) };
    CHECK_ERRNO(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof to), EACCES);
    CHECK_ERRNO(connect(a, (struct sockaddr *)&to, sizeof to), EACCES);
    CHECK_EQ(set_int(a, SOL_SOCKET, SO_BROADCAST, 1), 0);
    CHECK_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
}

CASE(listen_and_accept)
{
    int a = bound4(SOCK_DGRAM);
    CHECK_ERRNO(listen(a, 1), EOPNOTSUPP);
    CHECK_ERRNO(accept(a, NULL, NULL), EOPNOTSUPP);
}

CASE(shutdown_unconnected)
{
    int a = bound4(SOCK_DGRAM);
    CHECK_ERRNO(shutdown(a, SHUT_RDWR), ENOTCONN);
}

CASE(shutdown_connected)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    struct sockaddr_in peer = name_of(b);
    CHECK_EQ(connect(a, (struct sockaddr *)&peer, sizeof peer), 0);
    CHECK_EQ(shutdown(a, SHUT_WR), 0);
    CHECK_ERRNO(send(a, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(shutdown(a, SHUT_RD), 0);
    char c;
    CHECK_EQ(recv(a, &c, 1, 0), 0);
}

CASE(next_length)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM), n = -1;
    CHECK_EQ(ioctl(b, FIONREAD, &n), 0);
    CHECK_EQ(n, 0);
    send_to(a, b, "abc");
    send_to(a, b, "abcdef");
    CHECK_EQ(ioctl(b, FIONREAD, &n), 0);
    CHECK_EQ(n, 3);
}

CASE(many_at_once)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    struct sockaddr_in to = name_of(b);
    struct iovec v[3] = { { "a", 1 }, { "bb", 2 }, { "ccc", 3 } };
    struct mmsghdr m[3] = { 0 };
    for (int i = 0; i < 3; i++) {
        m[i].msg_hdr = (struct msghdr){ .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &v[i], .msg_iovlen = 1 };
    }
    CHECK_EQ(sendmmsg(a, m, 3, 0), 3);
    CHECK_EQ(m[2].msg_len, 3);
    char text[4][8];
    struct iovec w[4];
    struct mmsghdr r[4] = { 0 };
    for (int i = 0; i < 4; i++) {
        w[i] = (struct iovec){ text[i], 8 };
        r[i].msg_hdr = (struct msghdr){ .msg_iov = &w[i], .msg_iovlen = 1 };
    }
    CHECK_EQ(recvmmsg(b, r, 4, MSG_WAITFORONE, NULL), 3);
    CHECK_EQ(r[1].msg_len, 2);
    CHECK_ERRNO(recvmmsg(b, r, 4, MSG_DONTWAIT, NULL), EAGAIN);
}

CASE(reuse_address_shares)
{
    int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in at = loopback4(0);
    set_int(a, SOL_SOCKET, SO_REUSEADDR, 1);
    CHECK_EQ(bind(a, (struct sockaddr *)&at, sizeof at), 0);
    at = name_of(a);
    CHECK_ERRNO(bind(b, (struct sockaddr *)&at, sizeof at), EADDRINUSE);
    set_int(b, SOL_SOCKET, SO_REUSEADDR, 1);
    CHECK_EQ(bind(b, (struct sockaddr *)&at, sizeof at), 0);
}

CASE(packet_info)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    CHECK_EQ(set_int(b, IPPROTO_IP, IP_PKTINFO, 1), 0);
    CHECK_EQ(int_option(b, IPPROTO_IP, IP_PKTINFO), 1);
    send_to(a, b, "x");
    char c, control[64];
    struct iovec v = { &c, 1 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    CHECK_EQ(recvmsg(b, &m, 0), 1);
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    CHECK(h && h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_PKTINFO);
    CHECK_EQ(h->cmsg_len, CMSG_LEN(sizeof(struct in_pktinfo)));
    struct in_pktinfo info;
    memcpy(&info, CMSG_DATA(h), sizeof info);
    CHECK_EQ(ntohl(info.ipi_addr.s_addr), INADDR_LOOPBACK);
    CHECK_EQ(ntohl(info.ipi_spec_dst.s_addr), INADDR_LOOPBACK);
    CHECK_EQ(info.ipi_ifindex, 1);
    CHECK_EQ(m.msg_controllen, CMSG_SPACE(sizeof info));
}

CASE(ttl_and_tos)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    CHECK_EQ(set_int(b, IPPROTO_IP, IP_RECVTTL, 1), 0);
    CHECK_EQ(set_int(b, IPPROTO_IP, IP_RECVTOS, 1), 0);
    CHECK_EQ(set_int(a, IPPROTO_IP, IP_TTL, 33), 0);
    CHECK_EQ(set_int(a, IPPROTO_IP, IP_TOS, 0x10), 0);
    send_to(a, b, "x");
    char c, control[128];
    struct iovec v = { &c, 1 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    CHECK_EQ(recvmsg(b, &m, 0), 1);
    int ttl = -1, tos = -1;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
        CHECK_EQ(h->cmsg_level, IPPROTO_IP);
        if (h->cmsg_type == IP_TTL) {
            memcpy(&ttl, CMSG_DATA(h), sizeof ttl);
        } else if (h->cmsg_type == IP_TOS) {
            tos = *CMSG_DATA(h);
        }
    }
    CHECK_EQ(ttl, 33);
    CHECK_EQ(tos, 0x10);
}

CASE(timestamp)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    CHECK_EQ(set_int(b, SOL_SOCKET, SO_TIMESTAMP, 1), 0);
    send_to(a, b, "x");
    char c, control[64];
    struct iovec v = { &c, 1 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    CHECK_EQ(recvmsg(b, &m, 0), 1);
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    CHECK(h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_TIMESTAMP);
    struct timeval t;
    memcpy(&t, CMSG_DATA(h), sizeof t);
    time_t now = time(NULL);
    CHECK(t.tv_sec >= now - 10 && t.tv_sec <= now + 1);
}

CASE(control_is_cut)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    set_int(b, IPPROTO_IP, IP_PKTINFO, 1);
    send_to(a, b, "x");
    char c, control[8];
    struct iovec v = { &c, 1 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    CHECK_EQ(recvmsg(b, &m, 0), 1);
    CHECK_EQ(m.msg_flags, MSG_CTRUNC);
    CHECK_EQ(m.msg_controllen, 0);
}

CASE(packet_info_v6)
{
    int a = socket(AF_INET6, SOCK_DGRAM, 0), b = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 at = loopback6(0);
    CHECK_EQ(bind(b, (struct sockaddr *)&at, sizeof at), 0);
    at.sin6_port = htons(port_of(b));
    CHECK_EQ(set_int(b, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1), 0);
    CHECK_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&at, sizeof at), 1);
    char c, control[64];
    struct iovec v = { &c, 1 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    CHECK_EQ(recvmsg(b, &m, 0), 1);
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    CHECK(h && h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_PKTINFO);
    struct in6_pktinfo info;
    memcpy(&info, CMSG_DATA(h), sizeof info);
    CHECK(IN6_IS_ADDR_LOOPBACK(&info.ipi6_addr));
    CHECK_EQ(info.ipi6_ifindex, 1);
}

CASE(dual_stack)
{
    int b = socket(AF_INET6, SOCK_DGRAM, 0), a = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in6 any = { .sin6_family = AF_INET6 }, from;
    CHECK_EQ(bind(b, (struct sockaddr *)&any, sizeof any), 0);
    struct sockaddr_in to = loopback4(port_of(b));
    CHECK_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    char c;
    socklen_t n = sizeof from;
    CHECK_EQ(recvfrom(b, &c, 1, 0, (struct sockaddr *)&from, &n), 1);
    CHECK(IN6_IS_ADDR_V4MAPPED(&from.sin6_addr));
    CHECK_EQ(sendto(b, "y", 1, 0, (struct sockaddr *)&from, n), 1);
    CHECK_EQ(recv(a, &c, 1, 0), 1);
}

CASE(receive_timeout)
{
    int a = bound4(SOCK_DGRAM);
    struct timeval t = { 0, 20000 };
    CHECK_EQ(setsockopt(a, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t), 0);
    char c;
    CHECK_ERRNO(recv(a, &c, 1, 0), EAGAIN);
}

CASE(bad_buffers)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    struct sockaddr_in to = name_of(b);
    CHECK_ERRNO(sendto(a, (void *)1, 4, 0, (struct sockaddr *)&to, sizeof to), EFAULT);
    CHECK_ERRNO(sendto(a, "x", 1, 0, (void *)1, sizeof to), EFAULT);
    send_to(a, b, "abcd");
    CHECK_ERRNO(recv(b, (void *)1, 4, 0), EFAULT);
}

CASE(receive_buffer_drops)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    set_int(b, SOL_SOCKET, SO_RCVBUF, 1);
    CHECK_EQ(int_option(b, SOL_SOCKET, SO_RCVBUF), 2304);
    static char part[1000];
    struct sockaddr_in to = name_of(b);
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(sendto(a, part, sizeof part, 0, (struct sockaddr *)&to, sizeof to), sizeof part);
    }
    int got = 0;
    while (recv(b, part, sizeof part, MSG_DONTWAIT) > 0) {
        got++;
    }
    CHECK(got >= 1 && got < 10);
}

CASE(urgent_is_not_supported)
{
    int a = bound4(SOCK_DGRAM);
    char c = 0;
    struct sockaddr_in to = loopback4(9);
    CHECK_ERRNO(sendto(a, &c, 1, MSG_OOB, (struct sockaddr *)&to, sizeof to), EOPNOTSUPP);
}

CASE(source_and_destination_of_different_versions)
{
    struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr_in6 mapped = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr);
    int datagrams = socket(AF_INET6, SOCK_DGRAM, 0), stream = socket(AF_INET6, SOCK_STREAM, 0);
    CHECK_EQ(bind(datagrams, (struct sockaddr *)&here, sizeof here), 0);
    CHECK_EQ(bind(stream, (struct sockaddr *)&here, sizeof here), 0);
    CHECK_ERRNO(sendto(datagrams, "x", 1, 0, (struct sockaddr *)&mapped, sizeof mapped), ENETUNREACH);
    CHECK_ERRNO(connect(stream, (struct sockaddr *)&mapped, sizeof mapped), ENETUNREACH);
    CHECK_ERRNO(connect(datagrams, (struct sockaddr *)&mapped, sizeof mapped), ENETUNREACH);
    CHECK_ERRNO(send(datagrams, "x", 1, 0), EDESTADDRREQ);
}

static int from_source(const char *source, const char *to)
{
    struct in6_pktinfo info = { 0 };
    struct sockaddr_in6 name = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
    inet_pton(AF_INET6, source, &info.ipi6_addr);
    inet_pton(AF_INET6, to, &name.sin6_addr);
    char control[CMSG_SPACE(sizeof info)] = "";
    struct iovec part = { "x", 1 };
    struct msghdr m = { .msg_name = &name, .msg_namelen = sizeof name, .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){ .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO, .cmsg_len = CMSG_LEN(sizeof info) };
    memcpy(CMSG_DATA(c), &info, sizeof info);
    int fd = socket(AF_INET6, SOCK_DGRAM, 0), result = sendmsg(fd, &m, 0);
    close(fd);
    return result;
}

CASE(packet_info_of_the_other_version)
{
    CHECK_EQ(from_source("::1", "::1"), 1);
    CHECK_ERRNO(from_source("::1", "::ffff:127.0.0.1"), EINVAL);
    CHECK_ERRNO(from_source("::", "::ffff:127.0.0.1"), EINVAL);
    CHECK_ERRNO(from_source("::ffff:127.0.0.1", "::1"), EINVAL);
    CHECK_EQ(from_source("::ffff:127.0.0.1", "::ffff:127.0.0.1"), 1);
    CHECK_ERRNO(from_source("::ffff:198.51.100.9", "::ffff:127.0.0.1"), ENETUNREACH);
    CHECK_ERRNO(from_source("2001:db8::9", "::1"), EINVAL);
}

static int drain(int fd, int size)
{
    static char bytes[65536];
    int count = 0;
    ssize_t n;
    for (; (n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) >= 0; count++)
        CHECK(n <= size || !size);
    return count;
}

CASE(one_write_is_cut)
{
    enum { SEGMENT = 103 };
    static char bytes[65536];
    int a = socket(AF_INET, SOCK_DGRAM, 0), b = bound4(SOCK_DGRAM);
    struct sockaddr_in to = name_of(b);
    CHECK_EQ(connect(a, (struct sockaddr *)&to, sizeof to), 0);
    CHECK_ERRNO(set_int(a, IPPROTO_UDP, SEGMENT, -1), EINVAL);
    CHECK_ERRNO(set_int(a, IPPROTO_UDP, SEGMENT, 65536), EINVAL);
    CHECK_EQ(set_int(a, IPPROTO_UDP, SEGMENT, 100), 0);
    CHECK_EQ(int_option(a, IPPROTO_UDP, SEGMENT), 100);
    CHECK_EQ(send(a, bytes, 1050, 0), 1050);
    CHECK_EQ(drain(b, 100), 11);
    CHECK_EQ(send(a, bytes, 100, 0), 100);
    CHECK_EQ(send(a, bytes, 0, 0), 0);
    CHECK_EQ(drain(b, 100), 2);
    CHECK_EQ(send(a, bytes, 12800, 0), 12800);
    CHECK_EQ(drain(b, 100), 128);
    CHECK_ERRNO(send(a, bytes, 12801, 0), EINVAL);
    CHECK_EQ(set_int(a, SOL_SOCKET, SO_NO_CHECK, 1), 0);
    CHECK_ERRNO(send(a, bytes, 1050, 0), EINVAL);
    CHECK_EQ(set_int(a, SOL_SOCKET, SO_NO_CHECK, 0), 0);
    CHECK_ERRNO(send(a, BAD_POINTER, 1050, 0), EFAULT);
    CHECK_EQ(drain(b, 100), 0);
    CHECK_EQ(send(a, bytes, 70, MSG_MORE), 70);
    CHECK_EQ(send(a, bytes, 70, 0), 70);
    CHECK_EQ(drain(b, 100), 2);
    CHECK_EQ(set_int(a, IPPROTO_UDP, SEGMENT, 0), 0);
    CHECK_EQ(send(a, bytes, 1050, 0), 1050);
    CHECK_EQ(drain(b, 0), 1);
}

static int send_cut(int fd, int type, int length)
{
    static char bytes[100];
    char control[CMSG_SPACE(8)] = "";
    struct iovec part = { bytes, sizeof bytes };
    struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(length) };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){ .cmsg_level = IPPROTO_UDP, .cmsg_type = type, .cmsg_len = CMSG_LEN(length) };
    *CMSG_DATA(c) = 30;
    return sendmsg(fd, &m, 0);
}

CASE(one_write_is_cut_by_a_control_message)
{
    int a = socket(AF_INET, SOCK_DGRAM, 0), b = bound4(SOCK_DGRAM);
    struct sockaddr_in to = name_of(b);
    CHECK_EQ(connect(a, (struct sockaddr *)&to, sizeof to), 0);
    CHECK_EQ(send_cut(a, 103, 2), 100);
    CHECK_EQ(drain(b, 30), 4);
    CHECK_ERRNO(send_cut(a, 103, 4), EINVAL);
    CHECK_ERRNO(send_cut(a, 103, 1), EINVAL);
    CHECK_ERRNO(send_cut(a, 104, 2), EINVAL);
    CHECK_EQ(drain(b, 0), 0);
}

CASE(runs_may_be_asked_for)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(int_option(fd, IPPROTO_UDP, 104), 0);
    CHECK_EQ(set_int(fd, IPPROTO_UDP, 104, 5), 0);
    CHECK_EQ(int_option(fd, IPPROTO_UDP, 104), 1);
}

GUEST_MAIN("udp")
