// raw(7) and icmp(7) over loopback
#include "inet.h"
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

static unsigned short sum_of(const void *bytes, int length)
{
    const unsigned char *p = bytes;
    unsigned sum = 0;
    for (int i = 0; i < length; i++) {
        sum += i % 2 ? p[i] : p[i] << 8;
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return htons(~sum);
}

CASE(raw_wants_a_protocol)
{
    CHECK_ERRNO(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
}

CASE(raw_needs_the_capability)
{
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_ERRNO(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
}

CASE(raw_sees_its_echo_and_the_answer)
{
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    CHECK(fd >= 0);
    struct icmphdr echo = { .type = ICMP_ECHO, .un.echo = { htons(getpid()), htons(7) } };
    echo.checksum = sum_of(&echo, sizeof echo);
    struct sockaddr_in to = loopback4(0);
    CHECK_EQ(sendto(fd, &echo, sizeof echo, 0, (struct sockaddr *)&to, sizeof to), sizeof echo);
    int answered = 0;
    for (int i = 0; i < 50 && !answered; i++) {
        unsigned char bytes[128];
        CHECK_EQ(events_of(fd, POLLIN, 5000), POLLIN);
        CHECK(recv(fd, bytes, sizeof bytes, 0) >= 28);
        CHECK_EQ(bytes[0], 0x45);
        struct icmphdr *got = (void *)(bytes + 20);
        answered = got->type == ICMP_ECHOREPLY && got->un.echo.id == echo.un.echo.id && got->un.echo.sequence == htons(7);
    }
    CHECK(answered);
}

CASE(raw_sends_nowhere)
{
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    CHECK_ERRNO(send(fd, "12345678", 8, 0), EDESTADDRREQ);
    struct sockaddr_in6 other = loopback6(0);
    CHECK_ERRNO(sendto(fd, "12345678", 8, 0, (struct sockaddr *)&other, sizeof other), EAFNOSUPPORT);
}

CASE(raw_v6_has_no_header)
{
    int fd = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
    CHECK(fd >= 0);
    struct icmp6_filter filter;
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
    CHECK_EQ(setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter), 0);
    struct icmp6_hdr echo = { .icmp6_type = ICMP6_ECHO_REQUEST };
    struct sockaddr_in6 to = loopback6(0);
    CHECK_EQ(sendto(fd, &echo, sizeof echo, 0, (struct sockaddr *)&to, sizeof to), sizeof echo);
    CHECK_EQ(events_of(fd, POLLIN, 5000), POLLIN);
    struct icmp6_hdr got;
    CHECK_EQ(recv(fd, &got, sizeof got, 0), sizeof got);
    CHECK_EQ(got.icmp6_type, ICMP6_ECHO_REPLY);
}

GUEST_MAIN("icmp")
