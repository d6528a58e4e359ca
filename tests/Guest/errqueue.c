// Error queues (ip(7), IP_RECVERR) of UDP, raw and ping sockets
#include "inet.h"
#include <linux/errqueue.h>
#include <netinet/ip_icmp.h>
#include <netinet/icmp6.h>

// A port of loopback that nobody has.
static int free_port(int family)
{
    int fd = socket(family, SOCK_DGRAM, 0);
    struct sockaddr_in a4 = loopback4(0);
    struct sockaddr_in6 a6 = loopback6(0);
    CHECK_EQ(family == AF_INET ? bind(fd, (struct sockaddr *)&a4, sizeof a4) : bind(fd, (struct sockaddr *)&a6, sizeof a6), 0);
    int port = port_of(fd);
    close(fd);
    return port;
}

typedef struct {
    ssize_t length;
    int flags, name_length, cmsgs;
    struct sockaddr_storage name;
    char data[64];
    struct {
        struct sock_extended_err e;
        struct sockaddr_in6 offender;
    } error;
    size_t error_length;
    int level, type, has_error, ttl, tos, interface;
} queued;

static queued take_error(int fd, size_t room, int flags)
{
    queued q;
    memset(&q, 0, sizeof q);
    q.ttl = q.tos = q.interface = -1;
    char control[256];
    struct iovec v = { q.data, room };
    struct msghdr m = { &q.name, sizeof q.name, &v, 1, control, sizeof control, 0 };
    q.length = recvmsg(fd, &m, MSG_ERRQUEUE | flags);
    if (q.length < 0) {
        return q;
    }
    q.flags = m.msg_flags;
    q.name_length = m.msg_namelen;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        q.cmsgs++;
        if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) || (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
            q.has_error = 1;
            q.level = c->cmsg_level;
            q.error_length = c->cmsg_len - CMSG_LEN(0);
            memcpy(&q.error, CMSG_DATA(c), q.error_length < sizeof q.error ? q.error_length : sizeof q.error);
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) {
            memcpy(&q.ttl, CMSG_DATA(c), 4);
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            memcpy(&q.interface, CMSG_DATA(c), 4);
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
            q.tos = *CMSG_DATA(c);
        }
    }
    return q;
}

static int refused4(int *port)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_RECVERR, 1), 0);
    *port = free_port(AF_INET);
    struct sockaddr_in to = loopback4(*port);
    CHECK_EQ(sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof to), 5);
    CHECK_EQ(events_of(fd, 0, 5000), POLLERR);
    return fd;
}

CASE(empty_queue)
{
    int fd = bound4(SOCK_DGRAM);
    char c;
    CHECK_ERRNO(recv(fd, &c, 1, MSG_ERRQUEUE), EAGAIN); // does not wait
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_RECVERR, 1), 0);
    CHECK_ERRNO(recv(fd, &c, 1, MSG_ERRQUEUE), EAGAIN);
    CHECK_ERRNO(recv(fd, &c, 1, MSG_ERRQUEUE | MSG_DONTWAIT), EAGAIN);
}

CASE(port_unreachable)
{
    int port, fd = refused4(&port);
    queued q = take_error(fd, 64, 0);
    CHECK_EQ(q.length, 5);
    CHECK_EQ(memcmp(q.data, "hello", 5), 0);
    CHECK_EQ(q.flags, MSG_ERRQUEUE);
    CHECK_EQ(q.cmsgs, 1);
    CHECK_EQ(q.level, IPPROTO_IP);
    CHECK_EQ(q.error_length, 32);
    CHECK_EQ(q.error.e.ee_errno, ECONNREFUSED);
    CHECK_EQ(q.error.e.ee_origin, SO_EE_ORIGIN_ICMP);
    CHECK_EQ(q.error.e.ee_type, ICMP_DEST_UNREACH);
    CHECK_EQ(q.error.e.ee_code, ICMP_PORT_UNREACH);
    CHECK_EQ(q.error.e.ee_info, 0);
    CHECK_EQ(q.error.e.ee_data, 0);
}

CASE(destination_and_offender)
{
    int port, fd = refused4(&port);
    queued q = take_error(fd, 64, 0);
    struct sockaddr_in *name = (struct sockaddr_in *)&q.name, *offender = (struct sockaddr_in *)&q.error.offender;
    CHECK_EQ(q.name_length, sizeof *name);
    CHECK_EQ(name->sin_family, AF_INET);
    CHECK_EQ(ntohs(name->sin_port), port);
    CHECK_EQ(name->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    CHECK_EQ(offender->sin_family, AF_INET);
    CHECK_EQ(offender->sin_port, 0);
    CHECK_EQ(offender->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
}

CASE(pending_error_comes_first)
{
    int port, fd = refused4(&port);
    char c;
    CHECK_ERRNO(recv(fd, &c, 1, 0), ECONNREFUSED);
    CHECK_ERRNO(recv(fd, &c, 1, 0), EAGAIN);
    CHECK_EQ(events_of(fd, 0, 0), POLLERR); // the queue is not empty
    CHECK_EQ(take_error(fd, 64, 0).length, 5);
    CHECK_EQ(events_of(fd, 0, 0), 0);
}

CASE(reading_the_queue_clears_the_pending_error)
{
    int port, fd = refused4(&port);
    CHECK_EQ(take_error(fd, 64, 0).length, 5);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_ERROR), 0);
    CHECK_EQ(events_of(fd, 0, 0), 0);
}

CASE(so_error_leaves_the_queue)
{
    int port, fd = refused4(&port);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_ERROR), 0);
    CHECK_EQ(take_error(fd, 64, 0).length, 5);
    CHECK_ERRNO(take_error(fd, 64, 0).length, EAGAIN);
}

CASE(sending_reports_the_pending_error)
{
    int port, fd = refused4(&port);
    struct sockaddr_in to = loopback4(port);
    CHECK_ERRNO(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to), ECONNREFUSED);
    CHECK_EQ(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
}

CASE(several_errors_in_order)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_RECVERR, 1), 0);
    struct sockaddr_in to = loopback4(free_port(AF_INET));
    for (int i = 1; i <= 3; i++) {
        CHECK_EQ(sendto(fd, "abc", i, 0, (struct sockaddr *)&to, sizeof to), i);
        CHECK_EQ(events_of(fd, 0, 5000), POLLERR);
        CHECK_EQ(int_option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    }
    CHECK_EQ(take_error(fd, 64, 0).length, 1);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED); // the next one's
    CHECK_EQ(take_error(fd, 64, 0).length, 2);
    CHECK_EQ(take_error(fd, 64, 0).length, 3);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_ERROR), 0);
}

CASE(truncated_payload)
{
    int port, fd = refused4(&port);
    queued q = take_error(fd, 2, 0);
    CHECK_EQ(q.length, 2);
    CHECK_EQ(q.flags, MSG_ERRQUEUE | MSG_TRUNC);
    CHECK_EQ(q.has_error, 1);
}

CASE(turning_it_off_empties_the_queue)
{
    int port, fd = refused4(&port);
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_RECVERR, 0), 0);
    CHECK_ERRNO(take_error(fd, 64, 0).length, EAGAIN);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED); // this one stays
}

CASE(no_queue_without_the_option)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in to = loopback4(free_port(AF_INET));
    CHECK_EQ(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    CHECK_EQ(send(fd, "x", 1, 0), 1);
    CHECK_EQ(events_of(fd, 0, 5000), POLLERR);
    CHECK_ERRNO(take_error(fd, 64, 0).length, EAGAIN);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
}

CASE(unconnected_without_the_option_hears_nothing)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in to = loopback4(free_port(AF_INET));
    CHECK_EQ(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    CHECK_EQ(events_of(fd, 0, 50), 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_ERROR), 0);
}

CASE(small_control_buffer)
{
    int port, fd = refused4(&port);
    char data[8], control[20];
    struct iovec v = { data, 8 };
    struct msghdr m = { NULL, 0, &v, 1, control, sizeof control, 0 };
    CHECK_EQ(recvmsg(fd, &m, MSG_ERRQUEUE), 5);
    CHECK_EQ(m.msg_flags, MSG_ERRQUEUE | MSG_CTRUNC);
}

CASE(packet_info_and_ttl_of_the_error)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_RECVERR, 1), 0);
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_PKTINFO, 1), 0);
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_RECVTTL, 1), 0);
    struct sockaddr_in to = loopback4(free_port(AF_INET));
    CHECK_EQ(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    CHECK_EQ(events_of(fd, 0, 5000), POLLERR);
    queued q = take_error(fd, 64, 0);
    CHECK_EQ(q.cmsgs, 3);
    CHECK_EQ(q.ttl, 64);
    CHECK_EQ(q.interface, 1);
    CHECK_EQ(q.has_error, 1);
}

CASE(epoll_tells_of_the_error)
{
    int port, fd = refused4(&port), e = epoll_create1(0);
    struct epoll_event event = { .events = 0 };
    CHECK_EQ(epoll_ctl(e, EPOLL_CTL_ADD, fd, &event), 0);
    CHECK_EQ(epoll_wait(e, &event, 1, 5000), 1);
    CHECK_EQ(event.events, EPOLLERR);
    take_error(fd, 64, 0);
    CHECK_EQ(epoll_wait(e, &event, 1, 0), 0);
}

CASE(select_tells_of_the_error)
{
    int port, fd = refused4(&port);
    fd_set in, out;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(fd, &in);
    FD_SET(fd, &out);
    CHECK_EQ(select(fd + 1, &in, &out, NULL, &(struct timeval){ 5, 0 }), 2);
}

CASE(blocking_receive_is_woken_by_the_error)
{
    int fd = bound4(SOCK_DGRAM);
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_RECVERR, 1), 0);
    int port = free_port(AF_INET);
    pid_t child = fork();
    if (child == 0) {
        sleep_ms(50);
        struct sockaddr_in to = loopback4(port);
        CHECK_EQ(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
        _exit(0);
    }
    char c;
    CHECK_ERRNO(recv(fd, &c, 1, 0), ECONNREFUSED);
    CHECK_CHILD(child);
}

CASE(v6_port_unreachable)
{
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CHECK_EQ(set_int(fd, IPPROTO_IPV6, IPV6_RECVERR, 1), 0);
    int port = free_port(AF_INET6);
    struct sockaddr_in6 to = loopback6(port);
    CHECK_EQ(sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof to), 5);
    CHECK_EQ(events_of(fd, 0, 5000), POLLERR);
    queued q = take_error(fd, 64, 0);
    CHECK_EQ(q.length, 5);
    CHECK_EQ(q.level, IPPROTO_IPV6);
    CHECK_EQ(q.error_length, 44);
    CHECK_EQ(q.error.e.ee_errno, ECONNREFUSED);
    CHECK_EQ(q.error.e.ee_origin, SO_EE_ORIGIN_ICMP6);
    CHECK_EQ(q.error.e.ee_type, ICMP6_DST_UNREACH);
    CHECK_EQ(q.error.e.ee_code, ICMP6_DST_UNREACH_NOPORT);
    struct sockaddr_in6 *name = (struct sockaddr_in6 *)&q.name;
    CHECK_EQ(name->sin6_family, AF_INET6);
    CHECK_EQ(ntohs(name->sin6_port), port);
    CHECK(IN6_IS_ADDR_LOOPBACK(&name->sin6_addr));
    CHECK_EQ(q.error.offender.sin6_family, AF_INET6);
    CHECK(IN6_IS_ADDR_LOOPBACK(&q.error.offender.sin6_addr));
}

CASE(v6_socket_and_a_mapped_destination)
{
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_RECVERR, 1), 0);
    CHECK_EQ(set_int(fd, IPPROTO_IPV6, IPV6_RECVERR, 1), 0);
    struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(free_port(AF_INET)) };
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr);
    CHECK_EQ(sendto(fd, "abc", 3, 0, (struct sockaddr *)&to, sizeof to), 3);
    CHECK_EQ(events_of(fd, 0, 5000), POLLERR);
    queued q = take_error(fd, 64, 0);
    CHECK_EQ(q.length, 3);
    CHECK_EQ(q.level, IPPROTO_IPV6);
    CHECK_EQ(q.error.e.ee_origin, SO_EE_ORIGIN_ICMP);
    CHECK_EQ(q.error.e.ee_code, ICMP_PORT_UNREACH);
    CHECK(IN6_IS_ADDR_V4MAPPED(&((struct sockaddr_in6 *)&q.name)->sin6_addr));
    CHECK(IN6_IS_ADDR_V4MAPPED(&q.error.offender.sin6_addr));
}

CASE(options_read_back)
{
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    CHECK_EQ(int_option(fd, IPPROTO_IPV6, IPV6_RECVERR), 0);
    CHECK_EQ(int_option(fd, IPPROTO_IP, IP_RECVERR), 0);
    CHECK_EQ(set_int(fd, IPPROTO_IPV6, IPV6_RECVERR, 7), 0);
    CHECK_EQ(int_option(fd, IPPROTO_IPV6, IPV6_RECVERR), 1);
    CHECK_EQ(int_option(fd, IPPROTO_IP, IP_RECVERR), 0);
    char one = 1;
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, 1), 0);
    CHECK_EQ(int_option(fd, IPPROTO_IP, IP_RECVERR), 1);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &one, 1), EINVAL);
}

CASE(raw_socket_hears_of_its_protocol)
{
    int raw = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_UDP);
    CHECK(raw >= 0);
    CHECK_EQ(set_int(raw, IPPROTO_IP, IP_RECVERR, 1), 0);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = loopback4(free_port(AF_INET));
    CHECK_EQ(sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof to), 5);
    CHECK_EQ(events_of(raw, 0, 5000), POLLERR);
    queued q = take_error(raw, 64, 0);
    CHECK_EQ(q.length, 13); // from the UDP header on
    CHECK_EQ(memcmp(q.data + 8, "hello", 5), 0);
    CHECK_EQ(q.error.e.ee_errno, ECONNREFUSED);
    CHECK_EQ(((struct sockaddr_in *)&q.name)->sin_port, 0);
}

CASE(descriptor_closed_with_a_full_queue)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_RECVERR, 1), 0);
    struct sockaddr_in to = loopback4(free_port(AF_INET));
    for (int i = 0; i < 40; i++) {
        sendto(fd, "abc", 3, 0, (struct sockaddr *)&to, sizeof to);
    }
    CHECK_EQ(close(fd), 0);
}

CASE(bad_payload_pointer_loses_the_error)
{
    int port, fd = refused4(&port);
    CHECK_ERRNO(recv(fd, BAD_POINTER, 4, MSG_ERRQUEUE), EFAULT);
    CHECK_ERRNO(take_error(fd, 64, 0).length, EAGAIN);
}

CASE(peeking_takes_the_error)
{
    int port, fd = refused4(&port);
    CHECK_EQ(take_error(fd, 64, MSG_PEEK).length, 5);
    CHECK_ERRNO(take_error(fd, 64, 0).length, EAGAIN);
}

CASE(tcp_and_unix_have_none)
{
    char c;
    int fds[2];
    tcp_pair(fds);
    CHECK_ERRNO(recv(fds[0], &c, 1, MSG_ERRQUEUE), EAGAIN);
    CHECK_EQ(set_int(fds[0], IPPROTO_IP, IP_RECVERR, 1), 0);
    CHECK_EQ(int_option(fds[0], IPPROTO_IP, IP_RECVERR), 1);
    CHECK_ERRNO(recv(fds[0], &c, 1, MSG_ERRQUEUE), EAGAIN);
}

GUEST_MAIN("errqueue")
