// NETLINK_SOCK_DIAG (sock_diag(7)): lists of sockets, one socket, filters; what ss(8) asks
#include "inet.h"
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/un.h>

static unsigned inode_of(int fd)
{
    struct stat s;
    CHECK_EQ(fstat(fd, &s), 0);
    return s.st_ino;
}

static int diag(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
    CHECK(fd >= 0);
    return fd;
}

typedef struct {
    int found, count, error, done;
    char message[4096];
    int length;
} answer;

// Sends a request and reads the answers; keeps the one whose inode, at an offset of the payload, is the wanted one.
static answer ask(int flags, const void *body, int length, unsigned inode, int inode_offset, const void *attribute, int attribute_length)
{
    struct {
        struct nlmsghdr h;
        char body[1024];
    } q = { .h = { NLMSG_HDRLEN + NLMSG_ALIGN(length), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | flags, 1, 0 } };
    memcpy(q.body, body, length);
    if (attribute) {
        struct rtattr *a = (struct rtattr *)(q.body + NLMSG_ALIGN(length));
        a->rta_len = RTA_LENGTH(attribute_length);
        a->rta_type = INET_DIAG_REQ_BYTECODE;
        memcpy(RTA_DATA(a), attribute, attribute_length);
        q.h.nlmsg_len += RTA_SPACE(attribute_length);
    }
    int fd = diag();
    struct timeval limit = { 5, 0 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    CHECK_EQ(send(fd, &q, q.h.nlmsg_len, 0), q.h.nlmsg_len);
    static answer r;
    memset(&r, 0, sizeof r);
    static char buffer[65536];
    while (!r.done && !r.error) {
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        CHECK(n > 0);
        for (struct nlmsghdr *h = (void *)buffer; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
            if (h->nlmsg_type == NLMSG_DONE) {
                r.done = 1;
            } else if (h->nlmsg_type == NLMSG_ERROR) {
                r.error = ((struct nlmsgerr *)NLMSG_DATA(h))->error;
                r.done = 1;
            } else {
                CHECK_EQ(h->nlmsg_type, SOCK_DIAG_BY_FAMILY);
                CHECK_EQ(h->nlmsg_flags & NLM_F_MULTI, flags & NLM_F_DUMP ? NLM_F_MULTI : 0);
                r.count++;
                unsigned has;
                memcpy(&has, (char *)NLMSG_DATA(h) + inode_offset, 4);
                if (has == inode) {
                    r.found++;
                    r.length = h->nlmsg_len - NLMSG_HDRLEN;
                    memcpy(r.message, NLMSG_DATA(h), r.length);
                }
                r.done |= !(flags & NLM_F_DUMP);
            }
        }
    }
    close(fd);
    return r;
}

static const void *attribute_of(const answer *r, int header, int type, int *length)
{
    int left = r->length - header;
    for (struct rtattr *a = (void *)(r->message + NLMSG_ALIGN(header)); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type == type) {
            *length = RTA_PAYLOAD(a);
            return RTA_DATA(a);
        }
    }
    return NULL;
}

#define INODE offsetof(struct inet_diag_msg, idiag_inode)

static answer dump_inet(int family, int protocol, unsigned states, int ext, unsigned inode)
{
    struct inet_diag_req_v2 q = { .sdiag_family = family, .sdiag_protocol = protocol, .idiag_ext = ext, .idiag_states = states };
    return ask(NLM_F_DUMP, &q, sizeof q, inode, INODE, NULL, 0);
}

CASE(listener)
{
    int fd = listening4(9);
    answer r = dump_inet(AF_INET, IPPROTO_TCP, 1 << 10, 0, inode_of(fd));
    CHECK_EQ(r.error, 0);
    CHECK_EQ(r.found, 1);
    struct inet_diag_msg *m = (void *)r.message;
    CHECK_EQ(m->idiag_family, AF_INET);
    CHECK_EQ(m->idiag_state, 10);
    CHECK_EQ(ntohs(m->id.idiag_sport), port_of(fd));
    CHECK_EQ(m->id.idiag_dport, 0);
    CHECK_EQ(m->id.idiag_src[0], htonl(INADDR_LOOPBACK));
    CHECK_EQ(m->idiag_wqueue, 9); // the backlog
    CHECK_EQ(m->idiag_rqueue, 0);
    CHECK_EQ(m->idiag_uid, 0);
}

CASE(connection)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_EQ(send(fds[0], "abc", 3, 0), 3);
    CHECK_EQ(events_of(fds[1], POLLIN, 5000), POLLIN);
    answer r = dump_inet(AF_INET, IPPROTO_TCP, 1 << 1, 0, inode_of(fds[1]));
    CHECK_EQ(r.found, 1);
    struct inet_diag_msg *m = (void *)r.message;
    CHECK_EQ(m->idiag_state, 1);
    CHECK_EQ(m->idiag_rqueue, 3);
    CHECK_EQ(ntohs(m->id.idiag_dport), port_of(fds[0]));
    CHECK_EQ(m->id.idiag_dst[0], htonl(INADDR_LOOPBACK));
}

CASE(states_choose)
{
    int fd = listening4(1);
    CHECK_EQ(dump_inet(AF_INET, IPPROTO_TCP, 1 << 1, 0, inode_of(fd)).found, 0);
    CHECK_EQ(dump_inet(AF_INET, IPPROTO_TCP, 0, 0, inode_of(fd)).count, 0);
    CHECK_EQ(dump_inet(AF_INET, IPPROTO_TCP, -1, 0, inode_of(fd)).found, 1);
    CHECK_EQ(dump_inet(AF_INET6, IPPROTO_TCP, -1, 0, inode_of(fd)).found, 0);
}

CASE(v6_listener)
{
    int fd = socket(AF_INET6, SOCK_STREAM, 0), length;
    CHECK_EQ(listen(fd, 1), 0);
    answer r = dump_inet(AF_INET6, IPPROTO_TCP, 1 << 10, 0, inode_of(fd));
    CHECK_EQ(r.found, 1);
    struct inet_diag_msg *m = (void *)r.message;
    CHECK_EQ(m->id.idiag_src[0] | m->id.idiag_src[1] | m->id.idiag_src[2] | m->id.idiag_src[3], 0);
    const char *only = attribute_of(&r, sizeof *m, INET_DIAG_SKV6ONLY, &length);
    CHECK(only);
    CHECK_EQ(*only, 0);
}

CASE(udp)
{
    int fd = bound4(SOCK_DGRAM);
    answer r = dump_inet(AF_INET, IPPROTO_UDP, 1 << 7, 0, inode_of(fd));
    CHECK_EQ(r.found, 1);
    CHECK_EQ(ntohs(((struct inet_diag_msg *)r.message)->id.idiag_sport), port_of(fd));
    struct sockaddr_in to = loopback4(9);
    CHECK_EQ(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    CHECK_EQ(dump_inet(AF_INET, IPPROTO_UDP, 1 << 1, 0, inode_of(fd)).found, 1);
    CHECK_EQ(dump_inet(AF_INET, IPPROTO_UDP, 1 << 7, 0, inode_of(fd)).found, 0);
}

CASE(attributes)
{
    int fds[2], length;
    tcp_pair(fds);
    int ext = 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_CONG - 1) | 1 << (INET_DIAG_SKMEMINFO - 1) | 1 << (INET_DIAG_TOS - 1) | 1 << (INET_DIAG_MEMINFO - 1);
    answer r = dump_inet(AF_INET, IPPROTO_TCP, 1 << 1, ext, inode_of(fds[0]));
    CHECK_EQ(r.found, 1);
    struct inet_diag_msg m;
    const struct tcp_info *info = attribute_of(&r, sizeof m, INET_DIAG_INFO, &length);
    CHECK(info && length >= 104);
    CHECK_EQ(info->tcpi_state, 1);
    const char *name = attribute_of(&r, sizeof m, INET_DIAG_CONG, &length);
    CHECK(name && strlen(name) > 2);
    CHECK(attribute_of(&r, sizeof m, INET_DIAG_SKMEMINFO, &length));
    CHECK_EQ(length, 36);
    CHECK(attribute_of(&r, sizeof m, INET_DIAG_MEMINFO, &length));
    CHECK_EQ(length, 16);
    CHECK(attribute_of(&r, sizeof m, INET_DIAG_TOS, &length));
    CHECK(attribute_of(&r, sizeof m, INET_DIAG_SHUTDOWN, &length));
    r = dump_inet(AF_INET, IPPROTO_TCP, 1 << 1, 0, inode_of(fds[0]));
    CHECK(!attribute_of(&r, sizeof m, INET_DIAG_INFO, &length));
}

CASE(one_by_its_ends)
{
    int fds[2];
    tcp_pair(fds);
    struct inet_diag_req_v2 q = { .sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = -1 };
    q.id.idiag_sport = htons(port_of(fds[0]));
    q.id.idiag_dport = htons(port_of(fds[1]));
    q.id.idiag_src[0] = q.id.idiag_dst[0] = htonl(INADDR_LOOPBACK);
    q.id.idiag_cookie[0] = q.id.idiag_cookie[1] = -1;
    CHECK_EQ(ask(0, &q, sizeof q, inode_of(fds[0]), INODE, NULL, 0).found, 1);
    q.id.idiag_dport = htons(1);
    CHECK_EQ(ask(0, &q, sizeof q, 0, INODE, NULL, 0).error, -ENOENT);
}

CASE(ports_choose)
{
    int a = listening4(1), b = listening4(1);
    struct inet_diag_req_v2 q = { .sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = -1 };
    q.id.idiag_sport = htons(port_of(a));
    CHECK_EQ(ask(NLM_F_DUMP, &q, sizeof q, inode_of(a), INODE, NULL, 0).found, 1);
    CHECK_EQ(ask(NLM_F_DUMP, &q, sizeof q, inode_of(b), INODE, NULL, 0).found, 0);
}

static answer filtered(const void *code, int length, int fd)
{
    struct inet_diag_req_v2 q = { .sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = -1 };
    return ask(NLM_F_DUMP, &q, sizeof q, inode_of(fd), INODE, code, length);
}

CASE(filter_by_source_port)
{
    int a = listening4(1), port = port_of(a);
    struct inet_diag_bc_op ge[] = { { INET_DIAG_BC_S_GE, 8, 12 }, { 0, 0, port } }, le[] = { { INET_DIAG_BC_S_LE, 8, 12 }, { 0, 0, port - 1 } };
    CHECK_EQ(filtered(ge, sizeof ge, a).found, 1);
    CHECK_EQ(filtered(le, sizeof le, a).found, 0);
    le[1].no = port;
    CHECK_EQ(filtered(le, sizeof le, a).found, 1);
}

CASE(filter_by_address)
{
    int a = listening4(1);
    struct {
        struct inet_diag_bc_op op;
        struct inet_diag_hostcond c;
        unsigned address;
    } f = { { INET_DIAG_BC_S_COND, sizeof f, sizeof f + 4 }, { AF_INET, 8, -1 }, htonl(0x7f000000) };
    CHECK_EQ(filtered(&f, sizeof f, a).found, 1);
    f.address = htonl(0x0a000000);
    CHECK_EQ(filtered(&f, sizeof f, a).found, 0);
    f.address = htonl(0x7f000000);
    f.c.port = port_of(a) + 1;
    CHECK_EQ(filtered(&f, sizeof f, a).found, 0);
}

CASE(filter_that_makes_no_sense)
{
    int a = listening4(1);
    struct inet_diag_bc_op bad[] = { { 99, 4, 8 }, { INET_DIAG_BC_NOP, 4, 4 } };
    CHECK_EQ(filtered(bad, sizeof bad, a).error, -EINVAL);
    struct inet_diag_bc_op loop[] = { { INET_DIAG_BC_JMP, 0, 0 } };
    CHECK_EQ(filtered(loop, sizeof loop, a).error, -EINVAL);
    struct inet_diag_bc_op shorter[] = { { INET_DIAG_BC_S_GE, 8, 12 } };
    CHECK_EQ(filtered(shorter, sizeof shorter, a).error, -EINVAL);
}

#define UNIX_INODE offsetof(struct unix_diag_msg, udiag_ino)

static answer dump_unix(unsigned states, unsigned show, unsigned inode)
{
    struct unix_diag_req q = { .sdiag_family = AF_UNIX, .udiag_states = states, .udiag_show = show };
    return ask(NLM_F_DUMP, &q, sizeof q, inode, UNIX_INODE, NULL, 0);
}

CASE(unix_pair)
{
    int fds[2], length;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    answer r = dump_unix(-1, UDIAG_SHOW_PEER | UDIAG_SHOW_NAME, inode_of(fds[0]));
    CHECK_EQ(r.found, 1);
    struct unix_diag_msg *m = (void *)r.message;
    CHECK_EQ(m->udiag_family, AF_UNIX);
    CHECK_EQ(m->udiag_type, SOCK_STREAM);
    CHECK_EQ(m->udiag_state, 1);
    const unsigned *peer = attribute_of(&r, sizeof *m, UNIX_DIAG_PEER, &length);
    CHECK(peer);
    CHECK_EQ(*peer, inode_of(fds[1]));
    CHECK(!attribute_of(&r, sizeof *m, UNIX_DIAG_NAME, &length));
}

CASE(unix_listener)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), length;
    struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "there" };
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_EQ(listen(fd, 3), 0);
    answer r = dump_unix(1 << 10, UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN, inode_of(fd));
    CHECK_EQ(r.found, 1);
    struct unix_diag_msg m;
    const char *name = attribute_of(&r, sizeof m, UNIX_DIAG_NAME, &length);
    CHECK(name && strncmp(name, "there", 5) == 0);
    const struct unix_diag_rqlen *queues = attribute_of(&r, sizeof m, UNIX_DIAG_RQLEN, &length);
    CHECK(queues);
    CHECK_EQ(queues->udiag_rqueue, 0);
    CHECK_EQ(queues->udiag_wqueue, 3);
    CHECK_EQ(dump_unix(1 << 1, 0, inode_of(fd)).found, 0);
}

CASE(unix_one_by_inode)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct unix_diag_req q = { .sdiag_family = AF_UNIX, .udiag_states = -1, .udiag_ino = inode_of(fd), .udiag_cookie = { -1, -1 } };
    CHECK_EQ(ask(0, &q, sizeof q, inode_of(fd), UNIX_INODE, NULL, 0).found, 1);
    q.udiag_ino = 0;
    CHECK_EQ(ask(0, &q, sizeof q, 0, UNIX_INODE, NULL, 0).error, -EINVAL);
    q.udiag_ino = 0x7ffffff0;
    CHECK_EQ(ask(0, &q, sizeof q, 0, UNIX_INODE, NULL, 0).error, -ENOENT);
}

CASE(unix_shutdown)
{
    int fds[2], length;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    CHECK_EQ(shutdown(fds[0], SHUT_WR), 0);
    answer r = dump_unix(-1, 0, inode_of(fds[0]));
    const char *bits = attribute_of(&r, sizeof(struct unix_diag_msg), UNIX_DIAG_SHUTDOWN, &length);
    CHECK(bits);
    CHECK_EQ(*bits, 2);
}

CASE(netlink_sockets)
{
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    struct sockaddr_nl a = { .nl_family = AF_NETLINK };
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    struct netlink_diag_req q = { .sdiag_family = AF_NETLINK, .sdiag_protocol = NDIAG_PROTO_ALL };
    answer r = ask(NLM_F_DUMP, &q, sizeof q, inode_of(fd), offsetof(struct netlink_diag_msg, ndiag_ino), NULL, 0);
    CHECK_EQ(r.found, 1);
    CHECK_EQ(((struct netlink_diag_msg *)r.message)->ndiag_portid, getpid());
    CHECK_EQ(((struct netlink_diag_msg *)r.message)->ndiag_protocol, NETLINK_ROUTE);
}

CASE(unknown_families_and_short_requests)
{
    char family[4] = { 45 };
    CHECK_EQ(ask(NLM_F_DUMP, family, 4, 0, 0, NULL, 0).error, -ENOENT);
    family[0] = AF_UNIX;
    CHECK_EQ(ask(NLM_F_DUMP, family, 4, 0, 0, NULL, 0).error, -EINVAL);
    family[0] = AF_INET;
    CHECK_EQ(ask(NLM_F_DUMP, family, 4, 0, 0, NULL, 0).error, -EINVAL);
    struct inet_diag_req_v2 q = { .sdiag_family = AF_INET, .sdiag_protocol = 250, .idiag_states = -1 };
    CHECK_EQ(ask(NLM_F_DUMP, &q, sizeof q, 0, INODE, NULL, 0).count, 0);
    CHECK_EQ(ask(0, &q, sizeof q, 0, INODE, NULL, 0).error, -ENOENT);
}

CASE(many_sockets_in_one_dump)
{
    static int fds[300];
    for (int i = 0; i < 300; i++) {
        fds[i] = bound4(SOCK_DGRAM);
    }
    answer r = dump_inet(AF_INET, IPPROTO_UDP, -1, 0, inode_of(fds[299]));
    CHECK_EQ(r.found, 1);
    CHECK(r.count >= 300);
}

GUEST_MAIN("sockdiag")
