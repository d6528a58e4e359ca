// udplite(7) over loopback
#include "inet.h"

#define UDPLITE_SEND_CSCOV 10
#define UDPLITE_RECV_CSCOV 11

static int lite(int family)
{
    int fd = socket(family, SOCK_DGRAM, IPPROTO_UDPLITE);
    CHECK(fd >= 0);
    struct sockaddr_in a4 = loopback4(0);
    struct sockaddr_in6 a6 = loopback6(0);
    CHECK_EQ(family == AF_INET ? bind(fd, (struct sockaddr *)&a4, sizeof a4) : bind(fd, (struct sockaddr *)&a6, sizeof a6), 0);
    return fd;
}

static void exchange(int from, int to, const char *text)
{
    struct sockaddr_in a = loopback4(port_of(to));
    CHECK_EQ(sendto(from, text, strlen(text), 0, (struct sockaddr *)&a, sizeof a), (ssize_t)strlen(text));
    char got[64] = "";
    CHECK_EQ(events_of(to, POLLIN, 5000), POLLIN);
    CHECK_EQ(recv(to, got, sizeof got, 0), (ssize_t)strlen(text));
    CHECK_EQ(strcmp(got, text), 0);
}

CASE(identity)
{
    int fd = lite(AF_INET);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDPLITE);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
    CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, IPPROTO_UDPLITE), EPROTONOSUPPORT);
}

CASE(datagrams) { exchange(lite(AF_INET), lite(AF_INET), "hello"); }

CASE(v6_datagrams)
{
    int a = lite(AF_INET6), b = lite(AF_INET6);
    struct sockaddr_in6 to = loopback6(port_of(b));
    CHECK_EQ(sendto(a, "hi", 2, 0, (struct sockaddr *)&to, sizeof to), 2);
    CHECK_EQ(events_of(b, POLLIN, 5000), POLLIN);
}

CASE(ports_are_not_those_of_udp)
{
    int a = lite(AF_INET), b = bound4(SOCK_DGRAM);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in same = loopback4(port_of(a));
    CHECK_EQ(bind(udp, (struct sockaddr *)&same, sizeof same), 0);
    CHECK_EQ(sendto(b, "x", 1, 0, (struct sockaddr *)&same, sizeof same), 1);
    CHECK_EQ(events_of(udp, POLLIN, 5000), POLLIN);
    CHECK_EQ(events_of(a, POLLIN, 0), 0);
}

CASE(coverage_reads_back)
{
    int fd = lite(AF_INET);
    int options[] = { UDPLITE_SEND_CSCOV, UDPLITE_RECV_CSCOV };
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(int_option(fd, IPPROTO_UDPLITE, options[i]), 0);
        CHECK_EQ(set_int(fd, IPPROTO_UDPLITE, options[i], 20), 0);
        CHECK_EQ(int_option(fd, IPPROTO_UDPLITE, options[i]), 20);
        CHECK_EQ(set_int(fd, IPPROTO_UDPLITE, options[i], 3), 0); // the header is always covered
        CHECK_EQ(int_option(fd, IPPROTO_UDPLITE, options[i]), 8);
        CHECK_EQ(set_int(fd, IPPROTO_UDPLITE, options[i], 100000), 0);
        CHECK_EQ(int_option(fd, IPPROTO_UDPLITE, options[i]), 65535);
    }
    CHECK_ERRNO(set_int(fd, IPPROTO_UDPLITE, 99, 1), ENOPROTOOPT);
}

CASE(partial_coverage)
{
    int a = lite(AF_INET), b = lite(AF_INET);
    CHECK_EQ(set_int(a, IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV, 10), 0);
    exchange(a, b, "partly covered");
}

CASE(too_little_coverage_is_refused)
{
    int a = lite(AF_INET), b = lite(AF_INET);
    CHECK_EQ(set_int(a, IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV, 10), 0);
    CHECK_EQ(set_int(b, IPPROTO_UDPLITE, UDPLITE_RECV_CSCOV, 16), 0);
    struct sockaddr_in to = loopback4(port_of(b));
    CHECK_EQ(sendto(a, "partly covered", 14, 0, (struct sockaddr *)&to, sizeof to), 14);
    CHECK_EQ(events_of(b, POLLIN, 50), 0);
    CHECK_EQ(set_int(a, IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV, 16), 0);
    exchange(a, b, "partly covered");
}

CASE(options_of_ip)
{
    int fd = lite(AF_INET);
    CHECK_EQ(set_int(fd, IPPROTO_IP, IP_TTL, 9), 0);
    CHECK_EQ(int_option(fd, IPPROTO_IP, IP_TTL), 9);
}

GUEST_MAIN("udplite")
