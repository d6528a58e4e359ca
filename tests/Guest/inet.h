// What the programs about AF_INET and AF_INET6 share: addresses of loopback, pairs of connected sockets.
#ifndef MOAT_INET_H
#define MOAT_INET_H
#include "guest.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

__attribute__((unused)) static struct sockaddr_in loopback4(int port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    return a;
}

__attribute__((unused)) static struct sockaddr_in6 loopback6(int port)
{
    struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    return a;
}

// The port that a socket is bound to.
__attribute__((unused)) static int port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    return ntohs(a.ss_family == AF_INET ? ((struct sockaddr_in *)&a)->sin_port : ((struct sockaddr_in6 *)&a)->sin6_port);
}

__attribute__((unused)) static int bound4(int type)
{
    int fd = socket(AF_INET, type, 0);
    struct sockaddr_in a = loopback4(0);
    CHECK(fd >= 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

__attribute__((unused)) static int listening4(int backlog)
{
    int fd = bound4(SOCK_STREAM);
    CHECK_EQ(listen(fd, backlog), 0);
    return fd;
}

__attribute__((unused)) static int connected4(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = loopback4(port);
    CHECK_EQ(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

// Two ends of a TCP connection.
__attribute__((unused)) static void tcp_pair(int fds[2])
{
    int listener = listening4(5);
    fds[0] = connected4(port_of(listener));
    fds[1] = accept(listener, NULL, NULL);
    CHECK(fds[1] >= 0);
    close(listener);
}

// The events of a descriptor, waiting for one of those wanted.
__attribute__((unused)) static int events_of(int fd, int wanted, int milliseconds)
{
    struct pollfd p = { fd, wanted, 0 };
    CHECK(poll(&p, 1, milliseconds) >= 0);
    return p.revents;
}

__attribute__((unused)) static int int_option(int fd, int level, int option)
{
    int value = -1;
    socklen_t n = sizeof value;
    CHECK_EQ(getsockopt(fd, level, option, &value, &n), 0);
    return value;
}

__attribute__((unused)) static int set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}
#endif
