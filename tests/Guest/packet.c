// AF_PACKET (packet(7)) on loopback: what is seen, what is sent, options, rings
#include "inet.h"
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <net/if.h>

static int packet(int type, int protocol)
{
    int fd = socket(AF_PACKET, type, htons(protocol));
    CHECK(fd >= 0);
    return fd;
}

// One that sees IPv4 of loopback.
static int sniffer(int type)
{
    int fd = packet(type, 0);
    struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = 1 };
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static int target;

static void send_marked(const char *text)
{
    int fd = bound4(SOCK_DGRAM);
    target = bound4(SOCK_DGRAM);
    struct sockaddr_in to = loopback4(port_of(target));
    CHECK_EQ(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof to), (ssize_t)strlen(text));
    close(fd);
}

CASE(types_and_protocols)
{
    CHECK(packet(SOCK_RAW, ETH_P_ALL) >= 0);
    CHECK(packet(SOCK_DGRAM, ETH_P_IP) >= 0);
    CHECK(packet(SOCK_DGRAM, 0) >= 0);
    CHECK_ERRNO(socket(AF_PACKET, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
    CHECK_ERRNO(socket(AF_PACKET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
    int fds[2];
    CHECK_ERRNO(socketpair(AF_PACKET, SOCK_RAW, 0, fds), EOPNOTSUPP);
}

CASE(needs_privilege)
{
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_ERRNO(socket(AF_PACKET, SOCK_RAW, 0), EPERM);
}

CASE(raw_frames_have_a_header)
{
    int fd = sniffer(SOCK_RAW);
    send_marked("hello");
    unsigned char frame[256];
    struct sockaddr_ll from;
    socklen_t n = sizeof from;
    CHECK_EQ(recvfrom(fd, frame, sizeof frame, 0, (struct sockaddr *)&from, &n), 14 + 20 + 8 + 5);
    CHECK_EQ(n, 20); // with room for an address of eight bytes, of which there are six
    CHECK_EQ(from.sll_family, AF_PACKET);
    CHECK_EQ(ntohs(from.sll_protocol), ETH_P_IP);
    CHECK_EQ(from.sll_ifindex, 1);
    CHECK_EQ(from.sll_hatype, ARPHRD_LOOPBACK);
    CHECK_EQ(from.sll_halen, 6);
    CHECK_EQ(frame[12], 0x08);
    CHECK_EQ(frame[13], 0x00);
    CHECK_EQ(frame[14], 0x45);
    CHECK_EQ(memcmp(frame + 42, "hello", 5), 0);
}

CASE(datagrams_begin_with_the_network_header)
{
    int fd = sniffer(SOCK_DGRAM);
    send_marked("hello");
    unsigned char bytes[256];
    CHECK_EQ(recv(fd, bytes, sizeof bytes, 0), 33);
    CHECK_EQ(bytes[0], 0x45);
    CHECK_EQ(bytes[9], IPPROTO_UDP);
    CHECK_EQ(memcmp(bytes + 28, "hello", 5), 0);
}

CASE(one_protocol_sees_what_arrives_once)
{
    int fd = sniffer(SOCK_DGRAM);
    send_marked("hello");
    char bytes[256];
    struct sockaddr_ll from;
    socklen_t n = sizeof from;
    CHECK_EQ(recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &n), 33);
    CHECK_EQ(from.sll_pkttype, PACKET_HOST);
    CHECK_ERRNO(recv(fd, bytes, sizeof bytes, MSG_DONTWAIT), EAGAIN);
}

CASE(all_protocols_see_both_directions)
{
    int fd = packet(SOCK_DGRAM, ETH_P_ALL);
    send_marked("hello");
    char bytes[256];
    struct sockaddr_ll from;
    socklen_t n = sizeof from;
    CHECK_EQ(recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &n), 33);
    CHECK_EQ(from.sll_pkttype, PACKET_OUTGOING);
    CHECK_EQ(recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &n), 33);
    CHECK_EQ(from.sll_pkttype, PACKET_HOST);
}

CASE(ignore_outgoing)
{
    int fd = packet(SOCK_DGRAM, ETH_P_ALL);
    CHECK_EQ(int_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING), 0);
    CHECK_EQ(set_int(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1), 0);
    CHECK_EQ(int_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING), 1);
    CHECK_ERRNO(set_int(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 2), EINVAL);
    send_marked("hello");
    char bytes[256];
    struct sockaddr_ll from;
    socklen_t n = sizeof from;
    CHECK_EQ(recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &n), 33);
    CHECK_EQ(from.sll_pkttype, PACKET_HOST);
    CHECK_ERRNO(recv(fd, bytes, sizeof bytes, MSG_DONTWAIT), EAGAIN);
}

CASE(another_protocol_sees_nothing)
{
    int fd = packet(SOCK_DGRAM, ETH_P_IPV6);
    send_marked("hello");
    CHECK_EQ(events_of(fd, POLLIN, 50), 0);
}

CASE(protocol_of_nothing_sees_nothing)
{
    int fd = packet(SOCK_RAW, 0);
    send_marked("hello");
    CHECK_EQ(events_of(fd, POLLIN, 50), 0);
}

CASE(truncation)
{
    int fd = sniffer(SOCK_DGRAM);
    send_marked("hello");
    char bytes[10];
    CHECK_EQ(recv(fd, bytes, 10, MSG_PEEK), 10);
    CHECK_EQ(recv(fd, bytes, 10, MSG_PEEK | MSG_TRUNC), 33);
    struct iovec v = { bytes, 10 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
    CHECK_EQ(recvmsg(fd, &m, 0), 10);
    CHECK_EQ(m.msg_flags, MSG_TRUNC);
}

CASE(ready_bytes)
{
    int fd = sniffer(SOCK_DGRAM), count = -1;
    send_marked("hello");
    CHECK_EQ(events_of(fd, POLLIN, 5000), POLLIN);
    CHECK_EQ(ioctl(fd, FIONREAD, &count), 0);
    CHECK_EQ(count, 33);
}

CASE(names)
{
    int fd = packet(SOCK_RAW, ETH_P_ALL);
    struct sockaddr_ll a;
    socklen_t n = sizeof a;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    CHECK_EQ(a.sll_family, AF_PACKET);
    CHECK_EQ(ntohs(a.sll_protocol), ETH_P_ALL);
    CHECK_EQ(a.sll_ifindex, 0);
    fd = sniffer(SOCK_RAW);
    n = sizeof a;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    CHECK_EQ(a.sll_ifindex, 1);
    CHECK_EQ(a.sll_hatype, ARPHRD_LOOPBACK);
    CHECK_ERRNO(getpeername(fd, (struct sockaddr *)&a, &n), EOPNOTSUPP);
}

CASE(bad_bindings)
{
    int fd = packet(SOCK_RAW, ETH_P_ALL);
    struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_ifindex = 4711 };
    CHECK_ERRNO(bind(fd, (struct sockaddr *)&a, sizeof a), ENODEV);
    CHECK_ERRNO(bind(fd, (struct sockaddr *)&a, 8), EINVAL);
    a.sll_family = AF_INET;
    CHECK_ERRNO(bind(fd, (struct sockaddr *)&a, sizeof a), EINVAL);
    CHECK_ERRNO(connect(fd, (struct sockaddr *)&a, sizeof a), EOPNOTSUPP);
    CHECK_ERRNO(listen(fd, 1), EOPNOTSUPP);
    CHECK_ERRNO(accept(fd, NULL, NULL), EOPNOTSUPP);
    CHECK_ERRNO(shutdown(fd, SHUT_RD), EOPNOTSUPP);
}

CASE(statistics)
{
    int fd = sniffer(SOCK_DGRAM);
    struct tpacket_stats s;
    socklen_t n = sizeof s;
    CHECK_EQ(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &s, &n), 0);
    send_marked("a");
    send_marked("b");
    CHECK_EQ(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &s, &n), 0);
    CHECK_EQ(s.tp_packets, 2);
    CHECK_EQ(s.tp_drops, 0);
    CHECK_EQ(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &s, &n), 0);
    CHECK_EQ(s.tp_packets, 0);
}

CASE(drops)
{
    int fd = sniffer(SOCK_DGRAM);
    CHECK_EQ(set_int(fd, SOL_SOCKET, SO_RCVBUF, 0), 0);
    for (int i = 0; i < 30; i++) {
        send_marked("hello");
    }
    struct tpacket_stats s;
    socklen_t n = sizeof s;
    CHECK_EQ(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &s, &n), 0);
    CHECK_EQ(s.tp_packets, 30);
    CHECK(s.tp_drops > 0);
}

CASE(memberships)
{
    int fd = packet(SOCK_RAW, ETH_P_ALL);
    struct packet_mreq m = { .mr_ifindex = 1, .mr_type = PACKET_MR_PROMISC };
    CHECK_EQ(setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof m), 0);
    CHECK_EQ(setsockopt(fd, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &m, sizeof m), 0);
    CHECK_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, 8), EINVAL);
    m.mr_ifindex = 4711;
    CHECK_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof m), ENODEV);
}

CASE(unknown_options)
{
    int fd = packet(SOCK_RAW, ETH_P_ALL), v = 1;
    socklen_t n = sizeof v;
    CHECK_ERRNO(set_int(fd, SOL_PACKET, 200, 1), ENOPROTOOPT);
    CHECK_ERRNO(getsockopt(fd, SOL_PACKET, 200, &v, &n), ENOPROTOOPT);
    CHECK_ERRNO(set_int(fd, IPPROTO_IP, IP_TTL, 1), ENOPROTOOPT);
    CHECK_ERRNO(getsockopt(fd, IPPROTO_IP, IP_TTL, &v, &n), ENOPROTOOPT);
}

// An IPv4 datagram of UDP to a port of loopback.
static int make_udp(unsigned char *bytes, int port, const char *text)
{
    int length = 28 + strlen(text);
    struct iphdr ip = { .version = 4, .ihl = 5, .tot_len = htons(length), .ttl = 64, .protocol = IPPROTO_UDP, .saddr = htonl(INADDR_LOOPBACK), .daddr = htonl(INADDR_LOOPBACK) };
    unsigned sum = 0;
    for (int i = 0; i < 10; i++) {
        sum += ((unsigned short *)&ip)[i];
    }
    ip.check = ~((sum & 0xffff) + (sum >> 16));
    struct udphdr udp = { .source = htons(7), .dest = htons(port), .len = htons(length - 20) };
    memcpy(bytes, &ip, 20);
    memcpy(bytes + 20, &udp, 8);
    memcpy(bytes + 28, text, strlen(text));
    return length;
}

CASE(sending_a_raw_frame)
{
    int fd = packet(SOCK_RAW, 0), to = bound4(SOCK_DGRAM);
    unsigned char frame[128] = { 0 };
    frame[12] = 8;
    int length = 14 + make_udp(frame + 14, port_of(to), "hi");
    struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_ifindex = 1, .sll_protocol = htons(ETH_P_IP), .sll_halen = 6 };
    int seer = sniffer(SOCK_DGRAM);
    CHECK_EQ(sendto(fd, frame, length, 0, (struct sockaddr *)&a, sizeof a), length);
    char bytes[64];
    CHECK_EQ(recv(seer, bytes, sizeof bytes, 0), 30);
    CHECK_EQ(memcmp(bytes + 28, "hi", 2), 0);
}

CASE(sending_a_datagram)
{
    int fd = packet(SOCK_DGRAM, ETH_P_IP), to = bound4(SOCK_DGRAM);
    unsigned char bytes[128];
    int length = make_udp(bytes, port_of(to), "hi");
    struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_ifindex = 1, .sll_protocol = htons(ETH_P_IP), .sll_halen = 6 };
    int seer = sniffer(SOCK_RAW);
    CHECK_EQ(sendto(fd, bytes, length, 0, (struct sockaddr *)&a, sizeof a), length);
    CHECK_EQ(recv(seer, bytes, sizeof bytes, 0), 44);
    CHECK_EQ(bytes[12], 8);
    CHECK_EQ(memcmp(bytes + 42, "hi", 2), 0);
}

CASE(bad_sends)
{
    int fd = packet(SOCK_RAW, 0);
    char bytes[64] = { 0 };
    CHECK_ERRNO(send(fd, bytes, sizeof bytes, 0), ENXIO);
    struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_ifindex = 4711 };
    CHECK_ERRNO(sendto(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&a, sizeof a), ENXIO);
    a.sll_ifindex = 1;
    CHECK_ERRNO(sendto(fd, bytes, 5, 0, (struct sockaddr *)&a, sizeof a), EINVAL);
    CHECK_ERRNO(sendto(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&a, 4), EINVAL);
    CHECK_ERRNO(sendto(fd, BAD_POINTER, 64, 0, (struct sockaddr *)&a, sizeof a), EFAULT);
}

#define FRAMES 8
#define FRAME 2048

static unsigned char *ring(int fd)
{
    struct tpacket_req r = { 4096, FRAMES * FRAME / 4096, FRAME, FRAMES };
    CHECK_EQ(set_int(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2), 0);
    CHECK_EQ(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &r, sizeof r), 0);
    unsigned char *m = mmap(NULL, FRAMES * FRAME, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(m != MAP_FAILED);
    return m;
}

CASE(ring_receives)
{
    int fd = sniffer(SOCK_RAW);
    unsigned char *m = ring(fd);
    send_marked("hello");
    CHECK_EQ(events_of(fd, POLLIN, 5000), POLLIN);
    struct tpacket2_hdr *h = (void *)m;
    CHECK_EQ(h->tp_status & TP_STATUS_USER, TP_STATUS_USER);
    CHECK_EQ(h->tp_len, 47);
    CHECK_EQ(h->tp_snaplen, 47);
    CHECK_EQ(h->tp_mac, 66);
    CHECK_EQ(h->tp_net, 80);
    CHECK(h->tp_sec > 1000000);
    CHECK_EQ(memcmp(m + h->tp_net + 28, "hello", 5), 0);
    struct sockaddr_ll *a = (void *)(m + TPACKET_ALIGN(sizeof *h));
    CHECK_EQ(a->sll_ifindex, 1);
    CHECK_EQ(ntohs(a->sll_protocol), ETH_P_IP);
    h->tp_status = TP_STATUS_KERNEL;
}

CASE(ring_wraps_and_drops)
{
    int fd = sniffer(SOCK_RAW);
    unsigned char *m = ring(fd);
    struct tpacket_stats s;
    socklen_t n = sizeof s;
    CHECK_EQ(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &s, &n), 0);
    for (int i = 0; i < FRAMES + 3; i++) {
        send_marked("hello");
    }
    for (int i = 0; i < FRAMES; i++) {
        CHECK_EQ(((struct tpacket2_hdr *)(m + i * FRAME))->tp_status & TP_STATUS_USER, TP_STATUS_USER);
    }
    ((struct tpacket2_hdr *)m)->tp_status = TP_STATUS_KERNEL;
    send_marked("again");
    CHECK_EQ(((struct tpacket2_hdr *)m)->tp_status & (TP_STATUS_USER | TP_STATUS_LOSING), TP_STATUS_USER | TP_STATUS_LOSING);
    CHECK_EQ(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &s, &n), 0);
    CHECK_EQ(s.tp_packets, FRAMES + 4);
    CHECK_EQ(s.tp_drops, 3);
    ((struct tpacket2_hdr *)(m + FRAME))->tp_status = TP_STATUS_KERNEL;
    send_marked("again");
    CHECK_EQ(((struct tpacket2_hdr *)(m + FRAME))->tp_status & (TP_STATUS_USER | TP_STATUS_LOSING), TP_STATUS_USER);
}

CASE(ring_of_datagrams)
{
    int fd = sniffer(SOCK_DGRAM);
    unsigned char *m = ring(fd);
    send_marked("hello");
    struct tpacket2_hdr *h = (void *)m;
    CHECK_EQ(h->tp_len, 33);
    CHECK_EQ(h->tp_mac, h->tp_net);
    CHECK_EQ(m[h->tp_net], 0x45);
}

CASE(bad_rings)
{
    int fd = packet(SOCK_RAW, ETH_P_ALL);
    CHECK_EQ(set_int(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2), 0);
    struct tpacket_req odd = { 4095, 4, 2048, 8 }, small = { 4096, 4, 16, 1024 }, wrong = { 4096, 4, 2048, 7 }, unaligned = { 4096, 4, 2040, 8 };
    CHECK_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &odd, sizeof odd), EINVAL);
    CHECK_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &small, sizeof small), EINVAL);
    CHECK_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &wrong, sizeof wrong), EINVAL);
    CHECK_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &unaligned, sizeof unaligned), EINVAL);
    CHECK_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &odd, 4), EINVAL);
    struct tpacket_req good = { 4096, 4, 2048, 8 };
    CHECK_EQ(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &good, sizeof good), 0);
    CHECK_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &good, sizeof good), EBUSY);
    CHECK_ERRNO(set_int(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2), EBUSY);
    CHECK_ERRNO(set_int(fd, SOL_PACKET, PACKET_RESERVE, 4), EBUSY);
    memset(&good, 0, sizeof good);
    CHECK_EQ(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &good, sizeof good), 0);
}

// The shortest frames hold the header and the address, and nothing of the packet.
CASE(ring_of_the_shortest_frames)
{
    int fd = sniffer(SOCK_RAW);
    struct tpacket_req r = { 4096, 1, 64, 64 };
    CHECK_EQ(set_int(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2), 0);
    CHECK_EQ(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &r, sizeof r), 0);
    unsigned char *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(m != MAP_FAILED);
    send_marked("hello");
    send_marked("again");
    CHECK_EQ(events_of(fd, POLLIN, 5000), POLLIN);
    for (int i = 0; i < 2; i++) {
        struct tpacket2_hdr *h = (void *)(m + i * 64);
        CHECK_EQ(h->tp_status & TP_STATUS_USER, TP_STATUS_USER);
        CHECK_EQ(h->tp_len, 47);
        CHECK_EQ(h->tp_snaplen, 0);
        CHECK_EQ(h->tp_mac, 66);
        CHECK_EQ(h->tp_net, 80);
        CHECK_EQ(((struct sockaddr_ll *)(m + i * 64 + TPACKET_ALIGN(sizeof *h)))->sll_ifindex, 1);
    }
}

// Headers whose place a frame's 16 bits cannot say are lost.
CASE(ring_with_too_much_in_reserve)
{
    int fd = sniffer(SOCK_RAW);
    struct tpacket_req r = { 131072, 1, 131072, 1 };
    CHECK_EQ(set_int(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2), 0);
    CHECK_EQ(set_int(fd, SOL_PACKET, PACKET_RESERVE, 65500), 0);
    CHECK_EQ(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &r, sizeof r), 0);
    send_marked("hello");
    CHECK_EQ(events_of(fd, POLLIN, 50), 0);
    struct tpacket_stats s;
    socklen_t n = sizeof s;
    CHECK_EQ(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &s, &n), 0);
    CHECK_EQ(s.tp_drops, 1);
}

CASE(ring_that_is_mapped_stays)
{
    int fd = sniffer(SOCK_RAW);
    unsigned char *m = ring(fd);
    struct tpacket_req none = { 0 };
    CHECK_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &none, sizeof none), EBUSY);
    CHECK_EQ(munmap(m, FRAMES * FRAME), 0);
    CHECK_EQ(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &none, sizeof none), 0);
}

CASE(header_length_of_a_version)
{
    int fd = packet(SOCK_RAW, ETH_P_ALL), v = TPACKET_V2;
    socklen_t n = sizeof v;
    CHECK_EQ(getsockopt(fd, SOL_PACKET, PACKET_HDRLEN, &v, &n), 0);
    CHECK_EQ(v, 32);
    v = 77;
    CHECK_ERRNO(getsockopt(fd, SOL_PACKET, PACKET_HDRLEN, &v, &n), EINVAL);
}

CASE(no_mapping_without_a_ring)
{
    int fd = packet(SOCK_RAW, ETH_P_ALL);
    void *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(m == MAP_FAILED);
}

CASE(auxiliary_data)
{
    int fd = sniffer(SOCK_RAW);
    CHECK_EQ(set_int(fd, SOL_PACKET, PACKET_AUXDATA, 1), 0);
    CHECK_EQ(int_option(fd, SOL_PACKET, PACKET_AUXDATA), 1);
    send_marked("hello");
    char bytes[256], control[128];
    struct iovec v = { bytes, sizeof bytes };
    struct msghdr m = { NULL, 0, &v, 1, control, sizeof control, 0 };
    CHECK_EQ(recvmsg(fd, &m, 0), 47);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    CHECK(c);
    CHECK_EQ(c->cmsg_level, SOL_PACKET);
    CHECK_EQ(c->cmsg_type, PACKET_AUXDATA);
    struct tpacket_auxdata *a = (void *)CMSG_DATA(c);
    CHECK_EQ(a->tp_len, 47);
    CHECK_EQ(a->tp_snaplen, 47);
    CHECK_EQ(a->tp_net, 14);
}

CASE(interface_by_ioctl)
{
    int fd = packet(SOCK_RAW, ETH_P_ALL);
    struct ifreq r = { .ifr_name = "lo" };
    CHECK_EQ(ioctl(fd, SIOCGIFINDEX, &r), 0);
    CHECK_EQ(r.ifr_ifindex, 1);
    CHECK_EQ(ioctl(fd, SIOCGIFHWADDR, &r), 0);
    CHECK_EQ(r.ifr_hwaddr.sa_family, ARPHRD_LOOPBACK);
}

GUEST_MAIN("packet")
