// SO_ATTACH_FILTER and its kin (socket(7), Documentation/networking/filter.rst): which programs are taken, and what they choose on each kind of socket
#include "inet.h"
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/udp.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/un.h>

#ifndef SO_LOCK_FILTER
#define SO_LOCK_FILTER 44
#endif
#ifndef SO_GET_FILTER
#define SO_GET_FILTER SO_ATTACH_FILTER
#endif
#define AD(x) ((unsigned)(SKF_AD_OFF + (x)))

static int attach(int fd, struct sock_filter *code, int count)
{
    struct sock_fprog p = { .len = count, .filter = code };
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p);
}

#define ATTACH(fd, ...) ({ struct sock_filter code_[] = { __VA_ARGS__ }; attach(fd, code_, sizeof code_ / sizeof code_[0]); })
#define RET(k) BPF_STMT(BPF_RET | BPF_K, k)

// A socket that gets what another sends, and the one that sends.
static int receiver, sender;

static void udp_pair(void)
{
    receiver = bound4(SOCK_DGRAM);
    sender = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = loopback4(port_of(receiver));
    CHECK_EQ(connect(sender, (struct sockaddr *)&to, sizeof to), 0);
}

// Sends, and receives what comes of it: nothing must come at all where there is no time to wait for it.
static int got_within(const char *text, int ms)
{
    char b[512];
    struct pollfd p = { .fd = receiver, .events = POLLIN };
    CHECK_EQ(send(sender, text, strlen(text), 0), (ssize_t)strlen(text));
    CHECK(poll(&p, 1, ms) >= 0);
    ssize_t n = recv(receiver, b, sizeof b, MSG_DONTWAIT);
    if (n >= 0)
    {
        CHECK(memcmp(b, text, n) == 0);
    }

    return n < 0 ? -errno : (int)n;
}

static int got(const char *text)
{
    return got_within(text, 5000);
}

static void lost(const char *text)
{
    CHECK_EQ(got_within(text, 0), -EAGAIN);
}

CASE(value_is_a_program)
{
    udp_pair();
    struct sock_filter code = RET(1);
    struct sock_fprog p = { .len = 1, .filter = &code };
    CHECK_ERRNO(setsockopt(receiver, SOL_SOCKET, SO_ATTACH_FILTER, &p, 3), EINVAL);
    CHECK_ERRNO(setsockopt(receiver, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p - 1), EINVAL);
    CHECK_ERRNO(setsockopt(receiver, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p + 1), EINVAL);
    CHECK_ERRNO(setsockopt(receiver, SOL_SOCKET, SO_ATTACH_FILTER, (void *)8, sizeof p), EFAULT);
    p.filter = NULL;
    CHECK_ERRNO(setsockopt(receiver, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p), EINVAL);
    p.filter = (void *)8;
    CHECK_ERRNO(setsockopt(receiver, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p), EFAULT);
    CHECK_ERRNO(attach(receiver, &code, 0), EINVAL);
    static struct sock_filter many[4097];
    CHECK_ERRNO(attach(receiver, many, 4097), EINVAL);
    CHECK_EQ(attach(receiver, &code, 1), 0);
}

// Programs of one instruction before a return.
static void trial(int code, unsigned k, int jt, int jf, int error)
{
    udp_pair();
    struct sock_filter program[] = { { code, jt, jf, k }, RET(0xffff) };
    if (error == 0)
    {
        CHECK_EQ(attach(receiver, program, 2), 0);
    }
    else
    {
        CHECK_ERRNO(attach(receiver, program, 2), error);
    }

    close(receiver);
    close(sender);
}

CASE(loads)
{
    trial(BPF_LD | BPF_W | BPF_ABS, 0, 0, 0, 0);
    trial(BPF_LD | BPF_H | BPF_ABS, 100000, 0, 0, 0);
    trial(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF, 0, 0, 0);
    trial(BPF_LD | BPF_B | BPF_ABS, SKF_LL_OFF, 0, 0, 0);
    trial(BPF_LD | BPF_W | BPF_IND, 4, 0, 0, 0);
    trial(BPF_LD | BPF_W | BPF_LEN, 0, 0, 0, 0);
    trial(BPF_LDX | BPF_W | BPF_LEN, 0, 0, 0, 0);
    trial(BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0, 0);
    trial(BPF_LDX | BPF_W | BPF_ABS, 0, 0, 0, EINVAL);
    trial(BPF_LDX | BPF_H | BPF_MSH, 0, 0, 0, EINVAL);
    trial(BPF_LD | BPF_B | BPF_MSH, 0, 0, 0, EINVAL);
    trial(BPF_LD | BPF_H | BPF_LEN, 0, 0, 0, EINVAL);
    trial(0x18, 0, 0, 0, EINVAL);
}

CASE(extensions)
{
    for (int i = 0; i <= 64; i++)
    {
        trial(BPF_LD | BPF_W | BPF_ABS, AD(i), 0, 0, i % 4 == 0 && i < SKF_AD_MAX ? 0 : EINVAL);
    }

    trial(BPF_LD | BPF_B | BPF_ABS, AD(SKF_AD_PROTOCOL), 0, 0, 0);
    trial(BPF_LD | BPF_W | BPF_IND, AD(1), 0, 0, 0);
    trial(BPF_LD | BPF_W | BPF_ABS, 0xffffffff, 0, 0, EINVAL);
}

CASE(arithmetic)
{
    static const int ops[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_MOD, BPF_OR, BPF_AND, BPF_XOR, BPF_LSH, BPF_RSH };
    for (unsigned i = 0; i < sizeof ops / sizeof ops[0]; i++)
    {
        int divides = ops[i] == BPF_DIV || ops[i] == BPF_MOD;
        int shifts = ops[i] == BPF_LSH || ops[i] == BPF_RSH;
        trial(BPF_ALU | ops[i] | BPF_K, 1, 0, 0, 0);
        trial(BPF_ALU | ops[i] | BPF_X, 0, 0, 0, 0);
        trial(BPF_ALU | ops[i] | BPF_K, 0, 0, 0, divides ? EINVAL : 0);
        trial(BPF_ALU | ops[i] | BPF_K, 32, 0, 0, shifts ? EINVAL : 0);
    }

    trial(BPF_ALU | BPF_NEG, 0, 0, 0, 0);
    trial(BPF_ALU | 0xb0, 0, 0, 0, EINVAL);
    trial(BPF_MISC | BPF_TAX, 0, 0, 0, 0);
    trial(BPF_MISC | BPF_TXA, 0, 0, 0, 0);
    trial(BPF_MISC | 0x40, 0, 0, 0, EINVAL);
}

CASE(jumps_and_scratch)
{
    trial(BPF_JMP | BPF_JA, 0, 0, 0, 0);
    trial(BPF_JMP | BPF_JA, 1, 0, 0, EINVAL);
    trial(BPF_JMP | BPF_JA, 0xffffffff, 0, 0, EINVAL);
    trial(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0, 0);
    trial(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0, EINVAL);
    trial(BPF_JMP | BPF_JSET | BPF_X, 0, 0, 1, EINVAL);
    trial(BPF_JMP | 0x50, 0, 0, 0, EINVAL);
    trial(BPF_ST, 15, 0, 0, 0);
    trial(BPF_ST, 16, 0, 0, EINVAL);
    trial(BPF_STX, 15, 0, 0, 0);
    trial(BPF_LD | BPF_MEM, 0, 0, 0, EINVAL); // nobody has written it
    trial(BPF_RET | BPF_X, 0, 0, 0, EINVAL);
    udp_pair();
    CHECK_ERRNO(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_IMM, 1)), EINVAL);
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LDX | BPF_MEM, 3), RET(0)), 0);
    CHECK_ERRNO(ATTACH(receiver, BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 0, 1), BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LD | BPF_MEM, 3), RET(0)), EINVAL);
}

CASE(udp_all_or_nothing)
{
    udp_pair();
    CHECK_EQ(got("one"), 3);
    CHECK_EQ(ATTACH(receiver, RET(0)), 0);
    lost("two");
    CHECK_EQ(ATTACH(receiver, RET(0xffffffff)), 0);
    CHECK_EQ(got("three"), 5);
    CHECK_EQ(ATTACH(receiver, RET(0)), 0);
    CHECK_EQ(setsockopt(receiver, SOL_SOCKET, SO_DETACH_FILTER, &(int){ 0 }, sizeof(int)), 0);
    CHECK_EQ(got("four"), 4);
}

CASE(udp_starts_at_its_header)
{
    udp_pair();
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8), BPF_JUMP(BPF_JMP | BPF_JEQ, 'a', 0, 1), RET(100), RET(0)), 0);
    CHECK_EQ(got("abc"), 3);
    lost("xbc");
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 2), BPF_JUMP(BPF_JMP | BPF_JEQ, port_of(receiver), 0, 1), RET(100), RET(0)), 0);
    CHECK_EQ(got("abc"), 3);
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), BPF_JUMP(BPF_JMP | BPF_JEQ, 11, 0, 1), RET(100), RET(0)), 0);
    CHECK_EQ(got("abc"), 3);
    lost("ab");
}

CASE(udp_is_cut)
{
    udp_pair();
    CHECK_EQ(ATTACH(receiver, RET(10)), 0);
    CHECK_EQ(got("abcdef"), 2);
    CHECK_EQ(ATTACH(receiver, RET(8)), 0);
    CHECK_EQ(got("abcdef"), 0);
    CHECK_EQ(ATTACH(receiver, RET(1)), 0); // the header stays
    CHECK_EQ(got("abcdef"), 0);
}

CASE(loads_outside_end_it)
{
    udp_pair();
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 10), RET(100)), 0);
    lost("ab");
    CHECK_EQ(got("abc"), 3);
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 8), RET(100)), 0);
    lost("abc");
    CHECK_EQ(got("abcd"), 4);
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LDX | BPF_IMM, 0xfffffff8), BPF_STMT(BPF_LD | BPF_B | BPF_IND, 16), RET(100)), 0);
    CHECK_EQ(got("a"), 1);
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0x7fffffff), RET(100)), 0);
    lost("a");
}

CASE(network_header)
{
    udp_pair();
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF + 9), BPF_JUMP(BPF_JMP | BPF_JEQ, IPPROTO_UDP, 0, 1), RET(100), RET(0)), 0);
    CHECK_EQ(got("a"), 1);
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_NET_OFF + 12), BPF_JUMP(BPF_JMP | BPF_JEQ, INADDR_LOOPBACK, 0, 1), RET(100), RET(0)), 0);
    CHECK_EQ(got("a"), 1);
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, SKF_NET_OFF), BPF_STMT(BPF_MISC | BPF_TXA, 0), BPF_JUMP(BPF_JMP | BPF_JEQ, 20, 0, 1), RET(100), RET(0)), 0);
    CHECK_EQ(got("a"), 1);
}

// Whether an extension has a value.
static void attach_has(unsigned extension, unsigned value)
{
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(extension)), BPF_JUMP(BPF_JMP | BPF_JEQ, value, 0, 1), RET(100), RET(0)), 0);
}

static int has(unsigned extension, unsigned value)
{
    attach_has(extension, value);
    return got("a") == 1;
}

CASE(extensions_have_values)
{
    udp_pair();
    CHECK(has(SKF_AD_PROTOCOL, ETH_P_IP));
    CHECK(has(SKF_AD_PKTTYPE, PACKET_HOST));
    CHECK(has(SKF_AD_IFINDEX, 1));
    CHECK(has(SKF_AD_HATYPE, 772)); // ARPHRD_LOOPBACK
    CHECK(has(SKF_AD_MARK, 0));
    CHECK(has(SKF_AD_VLAN_TAG_PRESENT, 0));
    CHECK(has(SKF_AD_PAY_OFFSET, 8)); // from where the filter begins
    attach_has(SKF_AD_PROTOCOL, ETH_P_IPV6);
    lost("a");
}

CASE(mark_is_seen)
{
    udp_pair();
    CHECK_EQ(setsockopt(sender, SOL_SOCKET, SO_MARK, &(int){ 77 }, sizeof(int)), 0);
    CHECK(has(SKF_AD_MARK, 77));
}

CASE(computes)
{
    udp_pair();
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_IMM, 17), BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 5), BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 8), BPF_STMT(BPF_RET | BPF_A, 0)), 0);
    CHECK_EQ(got("abcdefgh"), 2); // 17 % 5 ^ 8 = 10: the header, and two
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LDX | BPF_IMM, 0), BPF_STMT(BPF_LD | BPF_IMM, 7), BPF_STMT(BPF_ALU | BPF_MOD | BPF_X, 0), RET(100)), 0);
    lost("a");
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LDX | BPF_IMM, 0), BPF_STMT(BPF_LD | BPF_IMM, 7), BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), RET(100)), 0);
    lost("a");
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LDX | BPF_IMM, 3), BPF_STMT(BPF_LD | BPF_IMM, 9), BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(SKF_AD_ALU_XOR_X)), BPF_STMT(BPF_RET | BPF_A, 0)), 0);
    CHECK_EQ(got("abcdefgh"), 2);
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_IMM, 0xfffffff6), BPF_STMT(BPF_ALU | BPF_NEG, 0), BPF_STMT(BPF_RET | BPF_A, 0)), 0);
    CHECK_EQ(got("abcdefgh"), 2);
}

CASE(detach_without)
{
    udp_pair();
    CHECK_ERRNO(setsockopt(receiver, SOL_SOCKET, SO_DETACH_FILTER, &(int){ 0 }, sizeof(int)), ENOENT);
    CHECK_ERRNO(setsockopt(receiver, SOL_SOCKET, SO_DETACH_FILTER, NULL, 0), EINVAL);
}

CASE(lock)
{
    udp_pair();
    int on = -1;
    socklen_t n = sizeof on;
    CHECK_EQ(getsockopt(receiver, SOL_SOCKET, SO_LOCK_FILTER, &on, &n), 0);
    CHECK_EQ(on, 0);
    CHECK_EQ(ATTACH(receiver, RET(9)), 0);
    CHECK_EQ(setsockopt(receiver, SOL_SOCKET, SO_LOCK_FILTER, &(int){ 0 }, sizeof(int)), 0);
    CHECK_EQ(setsockopt(receiver, SOL_SOCKET, SO_LOCK_FILTER, &(int){ 5 }, sizeof(int)), 0);
    CHECK_EQ(getsockopt(receiver, SOL_SOCKET, SO_LOCK_FILTER, &on, &n), 0);
    CHECK_EQ(on, 1);
    CHECK_ERRNO(ATTACH(receiver, RET(0)), EPERM);
    CHECK_ERRNO(setsockopt(receiver, SOL_SOCKET, SO_DETACH_FILTER, &on, sizeof on), EPERM);
    CHECK_ERRNO(setsockopt(receiver, SOL_SOCKET, SO_LOCK_FILTER, &(int){ 0 }, sizeof(int)), EPERM);
    CHECK_EQ(setsockopt(receiver, SOL_SOCKET, SO_LOCK_FILTER, &(int){ 1 }, sizeof(int)), 0);
    CHECK_EQ(got("abc"), 1);
}

CASE(get)
{
    udp_pair();
    struct sock_filter back[4] = { 0 };
    socklen_t n = 0;
    CHECK_EQ(getsockopt(receiver, SOL_SOCKET, SO_GET_FILTER, NULL, &n), 0);
    CHECK_EQ(n, 0);
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_IMM, 17), RET(5)), 0);
    CHECK_EQ(getsockopt(receiver, SOL_SOCKET, SO_GET_FILTER, NULL, &n), 0);
    CHECK_EQ(n, 2); // instructions, not bytes
    n = 1;
    CHECK_ERRNO(getsockopt(receiver, SOL_SOCKET, SO_GET_FILTER, back, &n), EINVAL);
    n = 4;
    CHECK_EQ(getsockopt(receiver, SOL_SOCKET, SO_GET_FILTER, back, &n), 0);
    CHECK_EQ(n, 2);
    CHECK(back[0].k == 17 && back[1].code == (BPF_RET | BPF_K) && back[2].code == 0);
    n = 2;
    CHECK_ERRNO(getsockopt(receiver, SOL_SOCKET, SO_GET_FILTER, (void *)8, &n), EFAULT);
}

CASE(udp6)
{
    receiver = socket(AF_INET6, SOCK_DGRAM, 0);
    sender = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 to = loopback6(0);
    CHECK_EQ(bind(receiver, (struct sockaddr *)&to, sizeof to), 0);
    to.sin6_port = htons(port_of(receiver));
    CHECK_EQ(connect(sender, (struct sockaddr *)&to, sizeof to), 0);
    CHECK(has(SKF_AD_PROTOCOL, ETH_P_IPV6));
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF + 6), BPF_JUMP(BPF_JMP | BPF_JEQ, IPPROTO_UDP, 0, 1), RET(9), RET(0)), 0);
    CHECK_EQ(got("abc"), 1);
}

CASE(raw_starts_at_the_ip_header)
{
    receiver = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
    CHECK(receiver >= 0);
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9), BPF_JUMP(BPF_JMP | BPF_JEQ, IPPROTO_UDP, 0, 1), RET(24), RET(0)), 0);
    int raw = receiver;
    udp_pair();
    CHECK_EQ(got("abc"), 3);
    unsigned char b[100];
    CHECK_EQ(recv(raw, b, sizeof b, MSG_DONTWAIT), 24);
    CHECK_EQ(b[0], 0x45);
    CHECK_EQ(ATTACH(raw, RET(0)), 0);
    CHECK_EQ(got("abc"), 3);
    CHECK_ERRNO(recv(raw, b, sizeof b, MSG_DONTWAIT), EAGAIN);
}

CASE(packet_raw)
{
    receiver = socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = 1 };
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12), BPF_JUMP(BPF_JMP | BPF_JEQ, ETH_P_IP, 0, 3), BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
        BPF_JUMP(BPF_JMP | BPF_JEQ, IPPROTO_UDP, 0, 1), RET(40), RET(0)), 0);
    CHECK_EQ(bind(receiver, (struct sockaddr *)&a, sizeof a), 0);
    int seen = receiver;
    udp_pair();
    CHECK_EQ(got("abcdef"), 6);
    unsigned char b[100];
    struct sockaddr_ll from;
    socklen_t n = sizeof from;
    CHECK_EQ(recvfrom(seen, b, sizeof b, MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from, &n), 40);
    CHECK_EQ(b[23], IPPROTO_UDP);
    struct tpacket_stats stats;
    n = sizeof stats;
    CHECK_EQ(getsockopt(seen, SOL_PACKET, PACKET_STATISTICS, &stats, &n), 0);
    CHECK_EQ(stats.tp_packets, 1);
    CHECK_EQ(ATTACH(seen, RET(0)), 0);
    CHECK_EQ(got("abcdef"), 6);
    CHECK_ERRNO(recv(seen, b, sizeof b, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(getsockopt(seen, SOL_PACKET, PACKET_STATISTICS, &stats, &n), 0);
    CHECK_EQ(stats.tp_packets, 0); // what a filter drops is not counted
}

CASE(packet_cooked)
{
    receiver = socket(AF_PACKET, SOCK_DGRAM, 0);
    struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = 1 };
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(SKF_AD_PKTTYPE)), BPF_JUMP(BPF_JMP | BPF_JEQ, PACKET_OUTGOING, 0, 3), BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
        BPF_JUMP(BPF_JMP | BPF_JEQ, IPPROTO_UDP, 0, 1), RET(100), RET(0)), 0);
    CHECK_EQ(bind(receiver, (struct sockaddr *)&a, sizeof a), 0);
    int seen = receiver;
    udp_pair();
    CHECK_EQ(got("abc"), 3);
    unsigned char b[100];
    struct sockaddr_ll from;
    socklen_t n = sizeof from;
    CHECK_EQ(recvfrom(seen, b, sizeof b, MSG_DONTWAIT, (struct sockaddr *)&from, &n), 31);
    CHECK_EQ(from.sll_pkttype, PACKET_OUTGOING);
    CHECK_ERRNO(recv(seen, b, sizeof b, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(ATTACH(seen, BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_LL_OFF + 12), BPF_JUMP(BPF_JMP | BPF_JEQ, 8, 0, 1), RET(100), RET(0)), 0);
}

CASE(packet_auxdata_has_both_lengths)
{
    receiver = socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = 1 };
    CHECK_EQ(ATTACH(receiver, RET(20)), 0);
    CHECK_EQ(setsockopt(receiver, SOL_PACKET, PACKET_AUXDATA, &(int){ 1 }, sizeof(int)), 0);
    CHECK_EQ(bind(receiver, (struct sockaddr *)&a, sizeof a), 0);
    int seen = receiver;
    udp_pair();
    CHECK_EQ(got("abc"), 3);
    char b[100], control[100];
    struct iovec v = { b, sizeof b };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    CHECK_EQ(recvmsg(seen, &m, MSG_DONTWAIT), 20);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    CHECK(c != NULL && c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA);
    struct tpacket_auxdata *x = (struct tpacket_auxdata *)CMSG_DATA(c);
    CHECK_EQ(x->tp_len, 14 + 20 + 8 + 3);
    CHECK_EQ(x->tp_snaplen, 20);
}

CASE(ring_has_both_lengths)
{
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    CHECK_EQ(ATTACH(fd, RET(20)), 0);
    CHECK_EQ(setsockopt(fd, SOL_PACKET, PACKET_VERSION, &(int){ TPACKET_V2 }, sizeof(int)), 0);
    struct tpacket_req r = { .tp_block_size = 4096, .tp_block_nr = 1, .tp_frame_size = 2048, .tp_frame_nr = 2 };
    CHECK_EQ(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &r, sizeof r), 0);
    struct tpacket2_hdr *h = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(h != MAP_FAILED);
    struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = 1 };
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    udp_pair();
    CHECK_EQ(got("abc"), 3);
    CHECK(h->tp_status & TP_STATUS_USER);
    CHECK_EQ(h->tp_len, 14 + 20 + 8 + 3);
    CHECK_EQ(h->tp_snaplen, 20);
}

CASE(tcp_connection)
{
    int l = listening4(5);
    sender = connected4(port_of(l));
    receiver = accept(l, NULL, NULL);
    CHECK(receiver >= 0);
    // Segments whose first byte of data is x are lost, and come again.
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 12), BPF_STMT(BPF_ALU | BPF_RSH, 4), BPF_STMT(BPF_ALU | BPF_LSH, 2), BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 3, 0), BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0), BPF_JUMP(BPF_JMP | BPF_JEQ, 'x', 0, 1), RET(0), RET(0xffffffff)), 0);
    CHECK_EQ(send(sender, "abc", 3, 0), 3);
    char b[100];
    CHECK_EQ(recv(receiver, b, sizeof b, 0), 3);
    CHECK_EQ(send(sender, "xyz", 3, 0), 3);
    usleep(20000);
    CHECK_ERRNO(recv(receiver, b, sizeof b, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(setsockopt(receiver, SOL_SOCKET, SO_DETACH_FILTER, &(int){ 0 }, sizeof(int)), 0);
    CHECK_EQ(recv(receiver, b, sizeof b, 0), 3);
}

CASE(tcp_listener_and_what_it_hands_down)
{
    int l = listening4(5);
    int port = port_of(l);
    CHECK_EQ(ATTACH(l, RET(0)), 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in a = loopback4(port);
    CHECK_ERRNO(connect(fd, (struct sockaddr *)&a, sizeof a), EINPROGRESS);
    usleep(20000);
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    CHECK_EQ(poll(&p, 1, 0), 0);
    close(fd);
    CHECK_EQ(ATTACH(l, RET(0xffffffff)), 0);
    CHECK_EQ(setsockopt(l, SOL_SOCKET, SO_LOCK_FILTER, &(int){ 1 }, sizeof(int)), 0);
    fd = connected4(port);
    int got_one = accept(l, NULL, NULL);
    CHECK(got_one >= 0);
    socklen_t n = 0;
    CHECK_EQ(getsockopt(got_one, SOL_SOCKET, SO_GET_FILTER, NULL, &n), 0);
    CHECK_EQ(n, 1);
    CHECK_ERRNO(ATTACH(got_one, RET(0)), EPERM);
}

CASE(unix_datagrams)
{
    int fds[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
    receiver = fds[0];
    sender = fds[1];
    CHECK_EQ(ATTACH(receiver, BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ, 'a', 0, 1), RET(2), RET(0)), 0);
    CHECK_EQ(got("abc"), 2);
    lost("xyz");
    lost("");
}

CASE(unix_streams_do_not_care)
{
    int fds[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    receiver = fds[0];
    sender = fds[1];
    CHECK_EQ(ATTACH(receiver, RET(0)), 0);
    CHECK_EQ(got("abc"), 3);
}

CASE(ping)
{
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    CHECK(fd >= 0);
    CHECK_EQ(ATTACH(fd, BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0), BPF_JUMP(BPF_JMP | BPF_JEQ, ICMP_ECHOREPLY, 0, 1), RET(0xffffffff), RET(0)), 0);
    struct icmphdr e = { .type = ICMP_ECHO, .checksum = htons(0xf7ff) };
    struct sockaddr_in to = loopback4(0);
    CHECK_EQ(sendto(fd, &e, sizeof e, 0, (struct sockaddr *)&to, sizeof to), (ssize_t)sizeof e);
    unsigned char b[100];
    CHECK_EQ(recv(fd, b, sizeof b, 0), 28);
    CHECK_EQ(b[20], ICMP_ECHOREPLY);
    CHECK_ERRNO(recv(fd, b, sizeof b, MSG_DONTWAIT), EAGAIN);
}

static void *attach_and_detach(void *socket)
{
    int fd = *(int *)socket;
    for (int i = 0; i < 2000; i++) {
        ATTACH(fd, RET(0xffffffff));
        setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, NULL, 0);
    }
    return NULL;
}

CASE(asked_for_while_it_goes)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, attach_and_detach, &fd), 0);
    for (int i = 0; i < 2000; i++) {
        struct sock_filter program[4];
        socklen_t count = 4;
        CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, program, &count), 0);
        CHECK(count <= 1);
    }
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

GUEST_MAIN("sockfilter")
