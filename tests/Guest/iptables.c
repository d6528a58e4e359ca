// The socket options of iptables(8): tables as blobs, good and hostile, and what they do to packets of loopback.
#include "guest.h"
#include <arpa/inet.h>
#include <linux/capability.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv4/ipt_REJECT.h>
#include <poll.h>
#include <sys/socket.h>

#define ALIGNED(SIZE) (((SIZE) + 7) & ~7u)

enum { ACCEPT = -NF_ACCEPT - 1, DROP = -NF_DROP - 1 };

static struct {
    struct ipt_replace head;
    char entries[65536];
} blob;
static struct xt_counters old_counters[4096];
static const int filter_hooks[] = { NF_INET_LOCAL_IN, NF_INET_FORWARD, NF_INET_LOCAL_OUT, -1 };
static const int nat_hooks[] = { NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN, NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING, -1 };

static int open_raw(void)
{
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    CHECK(fd >= 0);
    return fd;
}

static int get_info(int fd, const char *table, struct ipt_getinfo *info)
{
    socklen_t length = sizeof *info;
    memset(info, 0, sizeof *info);
    strncpy(info->name, table, sizeof info->name - 1);
    return getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, info, &length);
}

static void begin(const char *table, const int *hooks)
{
    memset(&blob, 0, sizeof blob);
    strcpy(blob.head.name, table);
    for (; *hooks >= 0; hooks++) {
        blob.head.valid_hooks |= 1u << *hooks;
    }
    blob.head.counters = old_counters;
}

static struct ipt_entry *add(unsigned matches, unsigned target)
{
    struct ipt_entry *entry = (void *)(blob.entries + blob.head.size);
    entry->target_offset = sizeof *entry + matches;
    entry->next_offset = entry->target_offset + target;
    struct xt_entry_target *to = (void *)((char *)entry + entry->target_offset);
    to->u.target_size = target;
    blob.head.size += entry->next_offset;
    blob.head.num_entries++;
    return entry;
}

static struct ipt_entry *verdict(int value)
{
    struct ipt_entry *entry = add(0, sizeof(struct xt_standard_target));
    struct xt_standard_target *target = (void *)((char *)entry + entry->target_offset);
    target->verdict = value;
    return entry;
}

static struct ipt_entry *target(const char *name, int revision, const void *data, unsigned length)
{
    struct ipt_entry *entry = add(0, sizeof(struct xt_entry_target) + ALIGNED(length));
    struct xt_entry_target *to = (void *)((char *)entry + entry->target_offset);
    strcpy(to->u.user.name, name);
    to->u.user.revision = revision;
    memcpy(to->data, data, length);
    return entry;
}

static void match(struct ipt_entry *entry, const char *name, int revision, const void *data, unsigned length)
{
    struct xt_entry_match *of = (void *)entry->elems;
    of->u.match_size = sizeof *of + ALIGNED(length);
    strcpy(of->u.user.name, name);
    of->u.user.revision = revision;
    memcpy(of->data, data, length);
}

static void error(const char *name)
{
    struct ipt_entry *entry = add(0, sizeof(struct xt_error_target));
    struct xt_error_target *to = (void *)((char *)entry + entry->target_offset);
    strcpy(to->target.u.user.name, XT_ERROR_TARGET);
    strcpy(to->errorname, name);
}

static void hook(int number, int policy)
{
    blob.head.underflow[number] = blob.head.size;
    verdict(policy);
}

static int replace(int fd)
{
    struct ipt_getinfo info;
    CHECK_EQ(get_info(fd, blob.head.name, &info), 0);
    blob.head.num_counters = info.num_entries;
    return setsockopt(fd, IPPROTO_IP, IPT_SO_SET_REPLACE, &blob, sizeof blob.head + blob.head.size);
}

// A table that lets everything pass.
static void plain(const char *table, const int *hooks)
{
    begin(table, hooks);
    for (const int *at = hooks; *at >= 0; at++) {
        blob.head.hook_entry[*at] = blob.head.size;
        hook(*at, ACCEPT);
    }
    error("ERROR");
}

static void reset(int fd)
{
    plain("filter", filter_hooks);
    CHECK_EQ(replace(fd), 0);
    plain("nat", nat_hooks);
    CHECK_EQ(replace(fd), 0);
}

// A filter table whose OUTPUT chain begins with what the caller adds between these.
static void begin_output(void)
{
    begin("filter", filter_hooks);
    blob.head.hook_entry[NF_INET_LOCAL_IN] = blob.head.size;
    hook(NF_INET_LOCAL_IN, ACCEPT);
    blob.head.hook_entry[NF_INET_FORWARD] = blob.head.size;
    hook(NF_INET_FORWARD, ACCEPT);
    blob.head.hook_entry[NF_INET_LOCAL_OUT] = blob.head.size;
}

static void end_output(int policy)
{
    hook(NF_INET_LOCAL_OUT, policy);
    error("ERROR");
}

static int udp(const char *address, int port)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in local = { AF_INET, htons(port), { inet_addr(address) }, { 0 } };
    CHECK(fd >= 0);
    CHECK_EQ(bind(fd, (void *)&local, sizeof local), 0);
    return fd;
}

static int send_to(int fd, const char *address, int port)
{
    struct sockaddr_in to = { AF_INET, htons(port), { inet_addr(address) }, { 0 } };
    return sendto(fd, "hello", 5, 0, (void *)&to, sizeof to);
}

static void for_port(struct ipt_entry *entry, int protocol)
{
    entry->ip.proto = protocol;
}

CASE(info_of_the_first_table)
{
    int fd = open_raw();
    struct ipt_getinfo info;
    reset(fd);
    CHECK_EQ(get_info(fd, "filter", &info), 0);
    CHECK_EQ(info.valid_hooks, 1u << NF_INET_LOCAL_IN | 1u << NF_INET_FORWARD | 1u << NF_INET_LOCAL_OUT);
    CHECK_EQ(info.num_entries, 4);
    CHECK_EQ(info.size, 3 * (sizeof(struct ipt_entry) + sizeof(struct xt_standard_target)) + sizeof(struct ipt_entry) + sizeof(struct xt_error_target));
    CHECK_EQ(info.hook_entry[NF_INET_LOCAL_OUT], info.underflow[NF_INET_LOCAL_OUT]);
    CHECK_EQ(get_info(fd, "mangle", &info), 0);
    CHECK_EQ(info.num_entries, 6);
    CHECK_EQ(get_info(fd, "raw", &info), 0);
    CHECK_EQ(info.num_entries, 3);
    CHECK_ERRNO(get_info(fd, "nosuch", &info), ENOENT);
    CHECK_ERRNO(get_info(fd, "", &info), ENOENT);
}

CASE(sizes_of_options)
{
    int fd = open_raw();
    char room[256] = "filter";
    socklen_t length = sizeof(struct ipt_getinfo) - 1;
    CHECK_ERRNO(getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, room, &length), EINVAL);
    length = sizeof(struct ipt_getinfo) + 1;
    CHECK_ERRNO(getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, room, &length), EINVAL);
    length = 8;
    CHECK_ERRNO(getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, room, &length), EINVAL);
    length = sizeof(struct ipt_get_entries);
    ((struct ipt_get_entries *)room)->size = 5;
    CHECK_ERRNO(getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, room, &length), EINVAL);
    ((struct ipt_get_entries *)room)->size = 0;
    CHECK_ERRNO(getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, room, &length), EAGAIN);
    CHECK_ERRNO(getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, (void *)8, &(socklen_t){ sizeof(struct ipt_getinfo) }), EFAULT);
}

CASE(without_capability)
{
    int fd = open_raw();
    struct ipt_getinfo info;
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2];
    CHECK_EQ(syscall(SYS_capget, &header, data), 0);
    data[0].effective &= ~(1u << CAP_NET_ADMIN);
    CHECK_EQ(syscall(SYS_capset, &header, data), 0);
    CHECK_ERRNO(get_info(fd, "filter", &info), EPERM);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IPT_SO_SET_REPLACE, &blob, sizeof blob), EPERM);
}

CASE(revisions)
{
    int fd = open_raw();
    struct { const char *name; int revision, error; } cases[] = { { "conntrack", 3, 0 }, { "conntrack", 0, EPROTONOSUPPORT }, { "tcp", 0, 0 }, { "tcp", 1, EPROTONOSUPPORT }, { "nosuch", 0, ENOENT }, { "icmp6", 0, ENOENT }, { "multiport", 1, 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xt_get_revision revision = { .revision = cases[i].revision };
        socklen_t length = sizeof revision;
        strcpy(revision.name, cases[i].name);
        if (cases[i].error) {
            CHECK_ERRNO(getsockopt(fd, IPPROTO_IP, IPT_SO_GET_REVISION_MATCH, &revision, &length), cases[i].error);
        } else {
            CHECK_EQ(getsockopt(fd, IPPROTO_IP, IPT_SO_GET_REVISION_MATCH, &revision, &length), 0);
        }
    }
}

CASE(entries_come_back_as_they_were_set)
{
    int fd = open_raw();
    static union { struct ipt_get_entries head; char bytes[8192]; } got;
    reset(fd);
    begin_output();
    struct xt_comment_info comment = { "a rule" };
    struct ipt_entry *entry = add(sizeof(struct xt_entry_match) + ALIGNED(sizeof comment), sizeof(struct xt_standard_target));
    match(entry, "comment", 0, &comment, sizeof comment);
    ((struct xt_standard_target *)((char *)entry + entry->target_offset))->verdict = ACCEPT;
    end_output(ACCEPT);
    CHECK_EQ(replace(fd), 0);
    memset(&got, 0, sizeof got);
    strcpy(got.head.name, "filter");
    got.head.size = blob.head.size;
    socklen_t length = sizeof got.head + blob.head.size;
    CHECK_EQ(getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, &got, &length), 0);
    struct ipt_entry *back = (void *)((char *)got.head.entrytable + blob.head.hook_entry[NF_INET_LOCAL_OUT]);
    CHECK_EQ(back->next_offset, entry->next_offset);
    CHECK_EQ(back->counters.pcnt, 0);
    CHECK_EQ(memcmp(back->elems, entry->elems, entry->next_offset - sizeof *entry), 0);
    reset(fd);
}

CASE(dropped_output_is_told)
{
    int fd = open_raw();
    reset(fd);
    int receiver = udp("127.0.0.1", 7001), sender = udp("127.0.0.1", 0);
    begin_output();
    for_port(verdict(DROP), IPPROTO_UDP);
    end_output(ACCEPT);
    CHECK_EQ(replace(fd), 0);
    CHECK_ERRNO(send_to(sender, "127.0.0.1", 7001), EPERM);
    plain("filter", filter_hooks);
    CHECK_EQ(replace(fd), 0);
    CHECK_EQ(old_counters[2].pcnt, 1);
    CHECK_EQ(old_counters[2].bcnt, 33);
    CHECK_EQ(send_to(sender, "127.0.0.1", 7001), 5);
    CHECK_EQ(poll(&(struct pollfd){ receiver, POLLIN, 0 }, 1, 5000), 1);
}

CASE(policy_and_jumps)
{
    int fd = open_raw();
    reset(fd);
    int receiver = udp("127.0.0.1", 7002), sender = udp("127.0.0.1", 0);
    (void)receiver;
    begin_output();
    struct ipt_entry *jump = verdict(0);
    end_output(DROP);
    error("USER");
    ((struct xt_standard_target *)((char *)jump + jump->target_offset))->verdict = blob.head.size;
    for_port(verdict(ACCEPT), IPPROTO_UDP);
    verdict(XT_RETURN);
    error("ERROR");
    CHECK_EQ(replace(fd), 0);
    CHECK_EQ(send_to(sender, "127.0.0.1", 7002), 5);
    int raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 200);
    CHECK_ERRNO(send_to(raw, "127.0.0.1", 0), EPERM);
    reset(fd);
}

CASE(loops)
{
    int fd = open_raw();
    reset(fd);
    begin_output();
    struct ipt_entry *jump = verdict(0);
    ((struct xt_standard_target *)((char *)jump + jump->target_offset))->verdict = blob.head.hook_entry[NF_INET_LOCAL_OUT];
    end_output(ACCEPT);
    CHECK_ERRNO(replace(fd), ELOOP);
    begin_output();
    jump = verdict(0);
    end_output(ACCEPT);
    error("A");
    unsigned a = blob.head.size;
    ((struct xt_standard_target *)((char *)jump + jump->target_offset))->verdict = a;
    struct ipt_entry *second = verdict(0);
    verdict(XT_RETURN);
    error("B");
    ((struct xt_standard_target *)((char *)second + second->target_offset))->verdict = blob.head.size;
    verdict(a);
    verdict(XT_RETURN);
    error("ERROR");
    CHECK_ERRNO(replace(fd), ELOOP);
}

CASE(jumps_to_nowhere)
{
    int fd = open_raw();
    reset(fd);
    int places[] = { 8, 1, 1 << 20, 0x7ffffff8 };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        begin_output();
        verdict(places[i]);
        end_output(ACCEPT);
        CHECK_ERRNO(replace(fd), ELOOP);
    }
    int verdicts[] = { -3, -4, -6, -100 }; // NF_STOLEN, NF_QUEUE and what there is not
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        if (verdicts[i] == -4) {
            continue; // NF_QUEUE is a verdict where queues are
        }
        begin_output();
        verdict(verdicts[i]);
        end_output(ACCEPT);
        CHECK_ERRNO(replace(fd), EINVAL);
    }
}

CASE(offsets_that_lie)
{
    int fd = open_raw();
    reset(fd);
    for (int i = 0; i < 12; i++) {
        begin_output();
        struct ipt_entry *entry = verdict(ACCEPT);
        struct xt_entry_target *to = (void *)((char *)entry + entry->target_offset);
        switch (i) {
        case 0: entry->next_offset = 0; break;
        case 1: entry->next_offset = sizeof *entry; break;
        case 2: entry->next_offset += 4; break;
        case 3: entry->next_offset = 65528; break;
        case 4: entry->target_offset = 0; break;
        case 5: entry->target_offset = 4; break;
        case 6: entry->target_offset = entry->next_offset; break;
        case 7: to->u.target_size = 0; break;
        case 8: to->u.target_size = 65535; break;
        case 9: entry->ip.flags = 0x80; break;
        case 10: entry->ip.invflags = 0x80; break;
        case 11: entry->next_offset -= 8; break;
        }
        end_output(ACCEPT);
        CHECK_ERRNO(replace(fd), EINVAL);
    }
}

CASE(headers_that_lie)
{
    int fd = open_raw();
    reset(fd);
    for (int i = 0; i < 7; i++) {
        plain("filter", filter_hooks);
        switch (i) {
        case 0: blob.head.num_entries++; break;
        case 1: blob.head.hook_entry[NF_INET_LOCAL_OUT] += 8; break;
        case 2: blob.head.underflow[NF_INET_LOCAL_OUT] += 8; break;
        case 3: blob.head.valid_hooks = 0xff; break;
        case 4: blob.head.underflow[NF_INET_LOCAL_OUT] = blob.head.size; break;
        case 5: blob.head.num_entries = 0; break;
        case 6: blob.head.hook_entry[NF_INET_LOCAL_IN] = 0xfffffff8; break;
        }
        CHECK_ERRNO(replace(fd), EINVAL);
    }
    plain("filter", filter_hooks);
    blob.head.num_counters = 0;
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IPT_SO_SET_REPLACE, &blob, sizeof blob.head + blob.head.size), EINVAL);
    blob.head.num_counters = 3;
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IPT_SO_SET_REPLACE, &blob, sizeof blob.head + blob.head.size), EAGAIN);
    blob.head.num_counters = 0x7fffffff;
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, IPT_SO_SET_REPLACE, &blob, sizeof blob.head + blob.head.size), ENOMEM);
}

CASE(extensions_that_are_wrong)
{
    int fd = open_raw();
    reset(fd);
    struct ipt_reject_info info = { IPT_ICMP_ECHOREPLY };
    begin_output();
    target("REJECT", 0, &info, sizeof info);
    end_output(ACCEPT);
    CHECK_ERRNO(replace(fd), EINVAL);
    info.with = IPT_TCP_RESET; // of every protocol
    begin_output();
    target("REJECT", 0, &info, sizeof info);
    end_output(ACCEPT);
    CHECK_ERRNO(replace(fd), EINVAL);
    begin_output();
    target("NOSUCH", 0, &info, sizeof info);
    end_output(ACCEPT);
    CHECK_ERRNO(replace(fd), ENOENT);
    struct nf_nat_ipv4_multi_range_compat range = { 1, { { NF_NAT_RANGE_MAP_IPS, inet_addr("127.0.0.2"), inet_addr("127.0.0.2"), { 0 }, { 0 } } } };
    begin_output();
    target("SNAT", 0, &range, sizeof range); // not in this table
    end_output(ACCEPT);
    CHECK_ERRNO(replace(fd), EINVAL);
    begin_output();
    struct { struct xt_conntrack_mtinfo3 info; char more[8]; } tracking = { .info = { .match_flags = XT_CONNTRACK_STATE, .state_mask = 0xffff } };
    struct ipt_entry *entry = add(sizeof(struct xt_entry_match) + ALIGNED(sizeof tracking), sizeof(struct xt_standard_target));
    match(entry, "conntrack", 3, &tracking, sizeof tracking); // too long
    end_output(ACCEPT);
    CHECK_ERRNO(replace(fd), EINVAL);
}

CASE(rejected_datagrams)
{
    int fd = open_raw();
    reset(fd);
    int sender = udp("127.0.0.1", 0);
    struct ipt_reject_info info = { IPT_ICMP_PORT_UNREACHABLE };
    int receiver = udp("127.0.0.1", 7003);
    (void)receiver;
    begin("filter", filter_hooks);
    blob.head.hook_entry[NF_INET_LOCAL_IN] = 0;
    for_port(target("REJECT", 0, &info, sizeof info), IPPROTO_UDP);
    hook(NF_INET_LOCAL_IN, ACCEPT);
    blob.head.hook_entry[NF_INET_FORWARD] = blob.head.size;
    hook(NF_INET_FORWARD, ACCEPT);
    blob.head.hook_entry[NF_INET_LOCAL_OUT] = blob.head.size;
    end_output(ACCEPT);
    CHECK_EQ(replace(fd), 0);
    struct sockaddr_in to = { AF_INET, htons(7003), { inet_addr("127.0.0.1") }, { 0 } };
    CHECK_EQ(connect(sender, (void *)&to, sizeof to), 0);
    CHECK_EQ(send(sender, "x", 1, 0), 1);
    char c;
    CHECK_ERRNO(recv(sender, &c, 1, 0), ECONNREFUSED);
    reset(fd);
}

CASE(destination_nat_of_own_packets)
{
    int fd = open_raw();
    reset(fd);
    int server = udp("127.0.0.1", 7004), client = udp("127.0.0.1", 0);
    struct nf_nat_ipv4_multi_range_compat range = { 1, { { NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED, inet_addr("127.0.0.1"), inet_addr("127.0.0.1"), { htons(7004) }, { htons(7004) } } } };
    begin("nat", nat_hooks);
    for (const int *at = nat_hooks; *at >= 0; at++) {
        blob.head.hook_entry[*at] = blob.head.size;
        if (*at == NF_INET_LOCAL_OUT) {
            struct ipt_entry *entry = target("DNAT", 0, &range, sizeof range);
            entry->ip.proto = IPPROTO_UDP;
            entry->ip.dst.s_addr = inet_addr("127.0.0.53");
            entry->ip.dmsk.s_addr = 0xffffffff;
        }
        hook(*at, ACCEPT);
    }
    error("ERROR");
    CHECK_EQ(replace(fd), 0);
    CHECK_EQ(send_to(client, "127.0.0.53", 53), 5);
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    char room[16];
    CHECK_EQ(recvfrom(server, room, sizeof room, 0, (void *)&from, &length), 5);
    CHECK_EQ(sendto(server, "answer", 6, 0, (void *)&from, length), 6);
    CHECK_EQ(recvfrom(client, room, sizeof room, 0, (void *)&from, &length), 6);
    CHECK_EQ(from.sin_addr.s_addr, inet_addr("127.0.0.53"));
    CHECK_EQ(ntohs(from.sin_port), 53);
    reset(fd);
}

CASE(original_destination)
{
    int fd = open_raw();
    reset(fd);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in local = { AF_INET, htons(7006), { inet_addr("127.0.0.1") }, { 0 } }, asked = { AF_INET, htons(7005), { inet_addr("127.0.0.8") }, { 0 } }, told;
    CHECK_EQ(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)), 0);
    CHECK_EQ(bind(listener, (void *)&local, sizeof local), 0);
    CHECK_EQ(listen(listener, 1), 0);
    struct nf_nat_ipv4_multi_range_compat range = { 1, { { NF_NAT_RANGE_PROTO_SPECIFIED, 0, 0, { htons(7006) }, { htons(7006) } } } };
    begin("nat", nat_hooks);
    for (const int *at = nat_hooks; *at >= 0; at++) {
        blob.head.hook_entry[*at] = blob.head.size;
        if (*at == NF_INET_LOCAL_OUT) {
            struct ipt_entry *entry = target("REDIRECT", 0, &range, sizeof range);
            entry->ip.proto = IPPROTO_TCP;
            entry->ip.dst.s_addr = inet_addr("127.0.0.8");
            entry->ip.dmsk.s_addr = 0xffffffff;
        }
        hook(*at, ACCEPT);
    }
    error("ERROR");
    CHECK_EQ(replace(fd), 0);
    CHECK_EQ(connect(client, (void *)&asked, sizeof asked), 0);
    int accepted = accept(listener, NULL, NULL);
    CHECK(accepted >= 0);
    socklen_t length = sizeof told;
    CHECK_EQ(getsockopt(accepted, IPPROTO_IP, SO_ORIGINAL_DST, &told, &length), 0);
    CHECK_EQ(told.sin_family, AF_INET);
    CHECK_EQ(told.sin_addr.s_addr, asked.sin_addr.s_addr);
    CHECK_EQ(told.sin_port, asked.sin_port);
    CHECK_EQ(getsockopt(client, IPPROTO_IP, SO_ORIGINAL_DST, &told, &length), 0);
    CHECK_EQ(told.sin_port, asked.sin_port);
    length = sizeof told - 1;
    CHECK_ERRNO(getsockopt(accepted, IPPROTO_IP, SO_ORIGINAL_DST, &told, &length), EINVAL);
    length = sizeof told;
    CHECK_ERRNO(getsockopt(listener, IPPROTO_IP, SO_ORIGINAL_DST, &told, &length), ENOENT);
    CHECK_ERRNO(getsockopt(fd, IPPROTO_IP, SO_ORIGINAL_DST, &told, &length), ENOPROTOOPT);
    reset(fd);
}

CASE(random_blobs)
{
    int fd = open_raw();
    reset(fd);
    unsigned seed = 12345;
    for (int i = 0; i < 3000; i++) {
        plain("filter", filter_hooks);
        struct ipt_getinfo info;
        CHECK_EQ(get_info(fd, "filter", &info), 0);
        blob.head.num_counters = info.num_entries;
        unsigned length = sizeof blob.head + blob.head.size;
        for (int j = 0; j < 1 + i % 4; j++) {
            seed = seed * 1103515245 + 12345;
            unsigned at = 32 + (seed >> 8) % (length - 32 - 16); // not the name, nor the counters
            at = at < offsetof(struct ipt_replace, num_counters) ? at : at + 12;
            seed = seed * 1103515245 + 12345;
            ((unsigned char *)&blob)[at] = seed >> 16;
        }
        (void)setsockopt(fd, IPPROTO_IP, IPT_SO_SET_REPLACE, &blob, length); // survives
    }
    reset(fd);
}

GUEST_MAIN("iptables")
