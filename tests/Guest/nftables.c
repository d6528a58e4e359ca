// nf_tables over NETLINK_NETFILTER, as nft(8) speaks it: transactions, their errors, and what rules do to packets of loopback.
#include "guest.h"
#include <arpa/inet.h>
#include <linux/capability.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

static char batch[65536];
static unsigned used;
static struct nlmsghdr *message;
static char answer[65536];

static int open_netfilter(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    CHECK(fd >= 0);
    struct timeval limit = { 5, 0 };
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    return fd;
}

static void raw(int type, int flags, int family, int resource)
{
    message = (void *)(batch + used);
    memset(message, 0, sizeof *message + sizeof(struct nfgenmsg));
    message->nlmsg_type = type;
    message->nlmsg_flags = NLM_F_REQUEST | flags;
    message->nlmsg_seq = 1;
    message->nlmsg_len = NLMSG_LENGTH(sizeof(struct nfgenmsg));
    struct nfgenmsg *general = NLMSG_DATA(message);
    general->nfgen_family = family;
    general->res_id = htons(resource);
    used += message->nlmsg_len;
}

static void begin(void)
{
    used = 0;
    raw(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

static void add(int type, int flags) { raw(NFNL_SUBSYS_NFTABLES << 8 | type, flags, NFPROTO_IPV4, 0); }

static void put(int type, const void *value, int length)
{
    struct nlattr *attribute = (void *)(batch + used);
    attribute->nla_type = type;
    attribute->nla_len = NLA_HDRLEN + length;
    memset((char *)attribute + NLA_HDRLEN, 0, NLA_ALIGN(length));
    memcpy((char *)attribute + NLA_HDRLEN, value, length);
    used += NLA_ALIGN(attribute->nla_len);
    message->nlmsg_len = (char *)batch + used - (char *)message;
}

static void put_text(int type, const char *text) { put(type, text, strlen(text) + 1); }

static void put_number(int type, uint32_t number)
{
    number = htonl(number);
    put(type, &number, sizeof number);
}

static struct nlattr *open_nest(int type)
{
    struct nlattr *nest = (void *)(batch + used);
    put(type, "", 0);
    return nest;
}

static void close_nest(struct nlattr *nest) { nest->nla_len = (char *)batch + used - (char *)nest; }

static void put_data(int type, const void *value, int length)
{
    struct nlattr *nest = open_nest(type);
    put(NFTA_DATA_VALUE, value, length);
    close_nest(nest);
}

static struct nlattr *list, *element, *data;

static void open_expression(const char *name)
{
    element = open_nest(NFTA_LIST_ELEM);
    put_text(NFTA_EXPR_NAME, name);
    data = open_nest(NFTA_EXPR_DATA);
}

static void close_expression(void)
{
    close_nest(data);
    close_nest(element);
}

static void put_verdict(int code, const char *chain)
{
    open_expression("immediate");
    put_number(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    struct nlattr *value = open_nest(NFTA_IMMEDIATE_DATA), *verdict = open_nest(NFTA_DATA_VERDICT);
    put_number(NFTA_VERDICT_CODE, code);
    if (chain) {
        put_text(NFTA_VERDICT_CHAIN, chain);
    }
    close_nest(verdict);
    close_nest(value);
    close_expression();
}

static void add_table(int flags)
{
    add(NFT_MSG_NEWTABLE, NLM_F_CREATE | flags);
    put_text(NFTA_TABLE_NAME, "t");
}

static void add_chain(const char *name, int hook, int flags)
{
    add(NFT_MSG_NEWCHAIN, NLM_F_CREATE | flags);
    put_text(NFTA_CHAIN_TABLE, "t");
    put_text(NFTA_CHAIN_NAME, name);
    if (hook >= 0) {
        struct nlattr *nest = open_nest(NFTA_CHAIN_HOOK);
        put_number(NFTA_HOOK_HOOKNUM, hook);
        put_number(NFTA_HOOK_PRIORITY, 0);
        close_nest(nest);
        put_text(NFTA_CHAIN_TYPE, "filter");
    }
}

static void begin_rule(const char *chain, int flags)
{
    add(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | flags);
    put_text(NFTA_RULE_TABLE, "t");
    put_text(NFTA_RULE_CHAIN, chain);
    list = open_nest(NFTA_RULE_EXPRESSIONS);
}

static void end_rule(void) { close_nest(list); }

static void put_payload(int base, int offset, int length, int reg)
{
    open_expression("payload");
    put_number(NFTA_PAYLOAD_DREG, reg);
    put_number(NFTA_PAYLOAD_BASE, base);
    put_number(NFTA_PAYLOAD_OFFSET, offset);
    put_number(NFTA_PAYLOAD_LEN, length);
    close_expression();
}

static void put_compare(int reg, const void *value, int length)
{
    open_expression("cmp");
    put_number(NFTA_CMP_SREG, reg);
    put_number(NFTA_CMP_OP, NFT_CMP_EQ);
    put_data(NFTA_CMP_DATA, value, length);
    close_expression();
}

static void end(void) { raw(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES); }

static void send_batch(int fd)
{
    struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    CHECK_EQ(sendto(fd, batch, used, 0, (void *)&kernel, sizeof kernel), used);
}

// The next error or acknowledgement; 1 if there is none waiting.
static int next_error(int fd)
{
    ssize_t length = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
    if (length < 0) {
        if (errno != EAGAIN) {
            guest_fail("recv: errno %d", errno);
        }
        return 1;
    }
    struct nlmsghdr *header = (void *)answer;
    CHECK_EQ(header->nlmsg_type, NLMSG_ERROR);
    return ((struct nlmsgerr *)NLMSG_DATA(header))->error;
}

static void clean(int fd)
{
    begin();
    raw(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE, 0, NFPROTO_UNSPEC, 0);
    end();
    send_batch(fd);
    CHECK_EQ(next_error(fd), 1);
}

// How many messages of a kind a dump has.
static int count(int fd, int get, int wanted)
{
    int found = 0;
    used = 0;
    raw(NFNL_SUBSYS_NFTABLES << 8 | get, NLM_F_DUMP, NFPROTO_UNSPEC, 0);
    send_batch(fd);
    for (;;) {
        ssize_t length = recv(fd, answer, sizeof answer, 0);
        CHECK(length > 0);
        for (struct nlmsghdr *at = (void *)answer; NLMSG_OK(at, length); at = NLMSG_NEXT(at, length)) {
            if (at->nlmsg_type == NLMSG_DONE) {
                return found;
            }
            found += at->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | wanted);
        }
    }
}

static unsigned generation(int fd)
{
    used = 0;
    raw(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, 0, AF_UNSPEC, 0);
    send_batch(fd);
    CHECK(recv(fd, answer, sizeof answer, 0) > 0);
    struct nlattr *first = (void *)((char *)NLMSG_DATA(answer) + sizeof(struct nfgenmsg));
    CHECK_EQ(first->nla_type, NFTA_GEN_ID);
    return ntohl(*(uint32_t *)(first + 1));
}

CASE(batch_without_end)
{
    int fd = open_netfilter();
    clean(fd);
    unsigned before = generation(fd);
    begin();
    add_table(NLM_F_ACK);
    send_batch(fd);
    CHECK_EQ(next_error(fd), 0);
    CHECK_EQ(count(fd, NFT_MSG_GETTABLE, NFT_MSG_NEWTABLE), 0);
    CHECK_EQ(generation(fd), before);
}

CASE(one_error_undoes_all)
{
    int fd = open_netfilter();
    clean(fd);
    unsigned before = generation(fd);
    begin();
    add_table(0);
    add_chain("c", -1, 0);
    add_chain("c", -1, NLM_F_EXCL);
    end();
    send_batch(fd);
    CHECK_EQ(next_error(fd), -EEXIST);
    CHECK_EQ(next_error(fd), 1);
    CHECK_EQ(count(fd, NFT_MSG_GETTABLE, NFT_MSG_NEWTABLE), 0);
    CHECK_EQ(generation(fd), before);
}

CASE(generations)
{
    int fd = open_netfilter();
    clean(fd);
    unsigned before = generation(fd);
    begin();
    add_table(0);
    end();
    send_batch(fd);
    CHECK_EQ(next_error(fd), 1);
    CHECK_EQ(generation(fd), before + 1);
    begin();
    put_number(NFNL_BATCH_GENID, before);
    add_table(0);
    end();
    send_batch(fd);
    CHECK_EQ(next_error(fd), -ERESTART);
    clean(fd);
}

CASE(batches_that_are_wrong)
{
    int fd = open_netfilter();
    clean(fd);
    used = 0;
    raw(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, 99); // beyond the last
    end();
    send_batch(fd);
    CHECK_EQ(next_error(fd), -EINVAL);
    used = 0;
    raw(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_CTNETLINK); // which has no batches
    end();
    send_batch(fd);
    CHECK_EQ(next_error(fd), -EOPNOTSUPP);
    used = 0;
    add_table(0); // not in a batch
    send_batch(fd);
    CHECK_EQ(next_error(fd), -EINVAL);
    used = 0;
    raw(77 << 8, 0, AF_UNSPEC, 0); // no such subsystem
    send_batch(fd);
    CHECK_EQ(next_error(fd), -EINVAL);
    begin();
    add_table(0);
    raw(NFNL_SUBSYS_CTNETLINK << 8, 0, AF_UNSPEC, 0); // another subsystem's
    end();
    send_batch(fd);
    CHECK_EQ(next_error(fd), -EINVAL);
    CHECK_EQ(count(fd, NFT_MSG_GETTABLE, NFT_MSG_NEWTABLE), 0);
}

CASE(without_capability)
{
    int fd = open_netfilter();
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct sets[2];
    CHECK_EQ(syscall(SYS_capget, &header, sets), 0);
    sets[0].effective &= ~(1u << CAP_NET_ADMIN);
    CHECK_EQ(syscall(SYS_capset, &header, sets), 0);
    begin();
    add_table(0);
    end();
    send_batch(fd);
    CHECK_EQ(next_error(fd), -EPERM);
    used = 0;
    raw(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, NLM_F_DUMP, NFPROTO_UNSPEC, 0);
    send_batch(fd);
    CHECK_EQ(next_error(fd), -EPERM);
}

static int try_one(int fd)
{
    end();
    send_batch(fd);
    int error = next_error(fd);
    while (error != 1 && next_error(fd) != 1) {
    }
    return error;
}

CASE(names_that_are_not_there)
{
    int fd = open_netfilter();
    clean(fd);
    begin();
    add_chain("c", -1, 0);
    CHECK_EQ(try_one(fd), -ENOENT);
    begin();
    add(NFT_MSG_NEWTABLE, NLM_F_CREATE);
    CHECK_EQ(try_one(fd), -EINVAL);
    begin();
    add(NFT_MSG_DELTABLE, 0);
    put_text(NFTA_TABLE_NAME, "nosuch");
    CHECK_EQ(try_one(fd), -ENOENT);
    begin();
    add_table(0);
    begin_rule("nosuch", 0);
    end_rule();
    CHECK_EQ(try_one(fd), -ENOENT);
    begin();
    add_table(0);
    add_chain("c", 9, 0);
    CHECK_EQ(try_one(fd), -EOPNOTSUPP);
    char name[300];
    memset(name, 'x', sizeof name);
    name[299] = 0;
    begin();
    add(NFT_MSG_NEWTABLE, NLM_F_CREATE);
    put_text(NFTA_TABLE_NAME, name);
    CHECK_EQ(try_one(fd), -ERANGE);
    clean(fd);
}

CASE(expressions_that_are_wrong)
{
    int fd = open_netfilter();
    for (int i = 0; i < 8; i++) {
        static const int errors[] = { ENOENT, ERANGE, ERANGE, EINVAL, EINVAL, ENOENT, EINVAL, ENOENT };
        clean(fd);
        begin();
        add_table(0);
        add_chain("c", -1, 0);
        begin_rule("c", 0);
        switch (i) {
        case 0: open_expression("nosuch"); close_expression(); break;
        case 1: put_payload(NFT_PAYLOAD_NETWORK_HEADER, 0, 4, 5); break; // no such register
        case 2: put_payload(NFT_PAYLOAD_NETWORK_HEADER, 0, 20, NFT_REG32_15); break; // beyond the last
        case 3: open_expression("cmp"); put_number(NFTA_CMP_SREG, 1); put_number(NFTA_CMP_OP, 0); close_expression(); break;
        case 4: open_expression("cmp"); put_number(NFTA_CMP_SREG, 1); put_number(NFTA_CMP_OP, 99); put_data(NFTA_CMP_DATA, "abcd", 4); close_expression(); break;
        case 5: put_verdict(NFT_JUMP, "nosuch"); break;
        case 6: put_verdict(-77, NULL); break;
        case 7: open_expression("lookup"); put_text(NFTA_LOOKUP_SET, "nosuch"); put_number(NFTA_LOOKUP_SREG, 1); close_expression(); break;
        }
        end_rule();
        CHECK_EQ(try_one(fd), -errors[i]);
    }
    clean(fd);
}

CASE(jumps_that_are_too_deep)
{
    int fd = open_netfilter();
    clean(fd);
    for (int depth = 15; depth <= 17; depth++) {
        char name[16], next[16];
        begin();
        add_table(0);
        add_chain("c0", NF_INET_LOCAL_IN, 0);
        for (int i = 1; i <= depth; i++) {
            snprintf(name, sizeof name, "c%d", i);
            add_chain(name, -1, 0);
        }
        for (int i = 0; i < depth; i++) {
            snprintf(name, sizeof name, "c%d", i);
            snprintf(next, sizeof next, "c%d", i + 1);
            begin_rule(name, 0);
            put_verdict(NFT_JUMP, next);
            end_rule();
        }
        CHECK_EQ(try_one(fd), depth <= 15 ? 1 : -EMLINK);
        clean(fd);
    }
}

static int udp(int port)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in local = { AF_INET, htons(port), { inet_addr("127.0.0.1") }, { 0 } };
    CHECK_EQ(bind(fd, (void *)&local, sizeof local), 0);
    return fd;
}

static int send_to(int fd, int port)
{
    struct sockaddr_in to = { AF_INET, htons(port), { inet_addr("127.0.0.1") }, { 0 } };
    return sendto(fd, "hello", 5, 0, (void *)&to, sizeof to);
}

CASE(a_rule_drops_what_it_matches)
{
    int fd = open_netfilter(), sender = udp(0), receiver = udp(7101);
    (void)receiver;
    clean(fd);
    uint8_t protocol = IPPROTO_UDP;
    uint16_t port = htons(7101);
    begin();
    add_table(0);
    add_chain("out", NF_INET_LOCAL_OUT, 0);
    begin_rule("out", 0);
    put_payload(NFT_PAYLOAD_NETWORK_HEADER, 9, 1, 1);
    put_compare(1, &protocol, 1);
    put_payload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_REG32_05);
    put_compare(NFT_REG32_05, &port, 2);
    open_expression("counter");
    close_expression();
    put_verdict(NF_DROP, NULL);
    end_rule();
    CHECK_EQ(try_one(fd), 1);
    CHECK_ERRNO(send_to(sender, 7101), EPERM);
    CHECK_EQ(send_to(sender, 7102), 5);
    CHECK_EQ(count(fd, NFT_MSG_GETRULE, NFT_MSG_NEWRULE), 1);
    clean(fd);
    CHECK_EQ(send_to(sender, 7101), 5);
    CHECK_EQ(poll(&(struct pollfd){ receiver, POLLIN, 0 }, 1, 5000), 1);
}

static void add_set(const char *name, int flags, int id)
{
    add(NFT_MSG_NEWSET, NLM_F_CREATE);
    put_text(NFTA_SET_TABLE, "t");
    put_text(NFTA_SET_NAME, name);
    put_number(NFTA_SET_FLAGS, flags);
    put_number(NFTA_SET_KEY_TYPE, 13);
    put_number(NFTA_SET_KEY_LEN, 2);
    put_number(NFTA_SET_ID, id);
}

static void add_port(const char *name, int id, int port, int flags, int end_flag)
{
    uint16_t key = htons(port);
    add(NFT_MSG_NEWSETELEM, NLM_F_CREATE | flags);
    put_text(NFTA_SET_ELEM_LIST_TABLE, "t");
    put_text(NFTA_SET_ELEM_LIST_SET, name);
    put_number(NFTA_SET_ELEM_LIST_SET_ID, id);
    struct nlattr *elements = open_nest(NFTA_SET_ELEM_LIST_ELEMENTS), *one = open_nest(NFTA_LIST_ELEM);
    if (end_flag) {
        put_number(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
    }
    put_data(NFTA_SET_ELEM_KEY, &key, 2);
    close_nest(one);
    close_nest(elements);
}

CASE(sets_of_ports)
{
    int fd = open_netfilter(), sender = udp(0);
    clean(fd);
    begin();
    add_table(0);
    add_chain("out", NF_INET_LOCAL_OUT, 0);
    add_set("__set%d", NFT_SET_ANONYMOUS | NFT_SET_CONSTANT | NFT_SET_INTERVAL, 5);
    add_port("__set%d", 5, 0, 0, 1);
    add_port("__set%d", 5, 7200, 0, 0);
    add_port("__set%d", 5, 7210, 0, 1);
    begin_rule("out", 0);
    put_payload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, 1);
    open_expression("lookup");
    put_text(NFTA_LOOKUP_SET, "__set%d");
    put_number(NFTA_LOOKUP_SET_ID, 5);
    put_number(NFTA_LOOKUP_SREG, 1);
    close_expression();
    put_verdict(NF_DROP, NULL);
    end_rule();
    CHECK_EQ(try_one(fd), 1);
    CHECK_EQ(send_to(sender, 7199), 5);
    CHECK_ERRNO(send_to(sender, 7200), EPERM);
    CHECK_ERRNO(send_to(sender, 7209), EPERM);
    CHECK_EQ(count(fd, NFT_MSG_GETSET, NFT_MSG_NEWSET), 1);
    // The set goes with its rule.
    begin();
    add(NFT_MSG_DELRULE, 0);
    put_text(NFTA_RULE_TABLE, "t");
    put_text(NFTA_RULE_CHAIN, "out");
    CHECK_EQ(try_one(fd), 1);
    CHECK_EQ(count(fd, NFT_MSG_GETSET, NFT_MSG_NEWSET), 0);
    clean(fd);
}

CASE(elements_twice)
{
    int fd = open_netfilter();
    clean(fd);
    begin();
    add_table(0);
    add_set("s", 0, 1);
    add_port("s", 1, 5, 0, 0);
    add_port("s", 1, 5, 0, 0);
    CHECK_EQ(try_one(fd), 1);
    begin();
    add_port("s", 0, 5, NLM_F_EXCL, 0);
    CHECK_EQ(try_one(fd), -EEXIST);
    begin();
    add_port("s", 0, 6, 0, 1); // no set of intervals
    CHECK_EQ(try_one(fd), -EINVAL);
    begin();
    add_port("nosuch", 0, 6, 0, 0);
    CHECK_EQ(try_one(fd), -ENOENT);
    clean(fd);
}

CASE(random_messages)
{
    int fd = open_netfilter();
    unsigned seed = 54321;
    uint8_t protocol = IPPROTO_UDP;
    for (int i = 0; i < 100; i++) {
        begin();
        add_table(0);
        unsigned first = used;
        add_chain("out", NF_INET_LOCAL_OUT, 0);
        add_set("s", 0, 1);
        add_port("s", 1, 5, 0, 0);
        begin_rule("out", 0);
        put_payload(NFT_PAYLOAD_NETWORK_HEADER, 9, 1, 1);
        put_compare(1, &protocol, 1);
        put_verdict(NFT_RETURN, NULL);
        end_rule();
        unsigned last = used;
        end();
        for (int j = 0; j < 1 + i % 3; j++) {
            seed = seed * 1103515245 + 12345;
            unsigned at = first + (seed >> 8) % (last - first);
            seed = seed * 1103515245 + 12345;
            batch[at] = seed >> 16;
        }
        struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
        CHECK_EQ(sendto(fd, batch, used, 0, (void *)&kernel, sizeof kernel), used);
        while (recv(fd, answer, sizeof answer, MSG_DONTWAIT) > 0) {
        }
    }
    close(fd);
    fd = open_netfilter();
    clean(fd);
    CHECK_EQ(count(fd, NFT_MSG_GETTABLE, NFT_MSG_NEWTABLE), 0);
}

GUEST_MAIN("nftables")
