// The wire between the two ends: passes frames from one link to the other, does to the packets of a case what its ends have asked for, and counts them.
#include "matrix.h"
#include "frame.h"
#include <linux/if_packet.h>
#include <net/if.h>
#include <stddef.h>

enum { MAX_CASES = 1024, MAX_CONNECTIONS = 512 };

struct part { uint32_t id; int base; };

static struct wired_case {
    int ends; // how many have said hello and are there
    int connection[2], link[2]; // by role; -1 for none
    long setting[SETTINGS][2], counter[COUNTERS][2];
    int has_met[2], is_done[2]; // waits for the other; has come to its end
    long value[2], *awaited[2], wanted[2]; // what it gave to the other; which counter it waits for, and until when
    uint32_t highest[2], acknowledged[2];
    int has_highest[2], has_acknowledged[2];
    struct frame *held[2], *parts[2][16]; // what waits, by role; a datagram's fragments
    int part_count[2];
    struct frame last[2]; // the last of each end, to forge another
} *cases[MAX_CASES];

static struct connection { int fd, index, role, length; char line[128]; } connections[MAX_CONNECTIONS];
static int connection_count, sockets[2];

static void answer(int connection, long value)
{
    char line[32];
    if (connection >= 0 && write(connections[connection].fd, line, snprintf(line, sizeof line, "%ld\n", value)) < 0) {
        return; // it has ended: so its other end learns
    }
}

static void copy_frame(struct frame *to, const struct frame *from)
{
    memcpy(to, from, offsetof(struct frame, bytes) + from->length);
    memcpy(&to->length, &from->length, sizeof *to - offsetof(struct frame, length));
}

static void pass(int to, struct frame *f)
{
    struct iovec parts[2] = { { &f->offload, sizeof(struct virtio_net_hdr) }, { f->bytes, f->length } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    if (sendmsg(sockets[to], &message, 0) < 0) {
        dprintf(STDERR_FILENO, "wire: %d bytes: %s\n", f->length, strerror(errno));
    }
}

static void count(struct wired_case *c, enum counter counter, int from, long by)
{
    c->counter[counter][from] += by;
    for (int role = 0; role < 2; role++) {
        long *awaited = c->awaited[role];
        if (awaited && *awaited >= c->wanted[role]) {
            c->awaited[role] = NULL;
            answer(c->connection[role], 0);
        }
    }
}

static void count_packet(struct wired_case *c, int from, struct frame *f)
{
    count(c, PACKETS, from, 1);
    count(c, PARTS, from, f->is_part);
    if (packet_size(f) > c->counter[LARGEST][from]) {
        c->counter[LARGEST][from] = packet_size(f);
    }
    if (f->protocol == IPPROTO_UDP && f->first_part) {
        count(c, NO_CHECKSUM, from, get16(f->bytes + f->transport + 6) == 0);
    }
    if (f->protocol != IPPROTO_TCP) {
        return;
    }
    int data = f->end - f->payload;
    uint32_t end = f->sequence + data + !!(f->flags & SYN) + !!(f->flags & FIN);
    count(c, SYNS, from, !!(f->flags & SYN));
    count(c, FINS, from, !!(f->flags & FIN));
    count(c, RESETS, from, !!(f->flags & RST));
    count(c, URGENT, from, !!(f->flags & URG));
    count(c, DATA, from, data > 0);
    count(c, PURE_ACKS, from, data == 0 && (f->flags & (SYN | FIN | RST | ACK)) == ACK);
    if (f->flags & RST) {
        return;
    }
    if (!c->has_highest[from] || (f->flags & SYN) || (int32_t)(end - c->highest[from]) > 0) {
        count(c, NEW_DATA, from, c->has_highest[from] && data > 0);
        c->highest[from] = end;
        c->has_highest[from] = 1;
    } else {
        count(c, OLD_SEGMENTS, from, (int32_t)(f->sequence - c->highest[from]) < 0); // sent again, or a probe
    }
    if (f->flags & ACK) {
        c->acknowledged[from] = f->acknowledgment;
    }
    copy_frame(&c->last[from], f);
}

static int is_every(long *state, long every)
{
    return every && ++*state % every == 0;
}

static int is_dropped(struct wired_case *c, int from, struct frame *f)
{
    static long lost; // which one is lost depends on what else passes: any will do
    long (*s)[2] = c->setting;
    if (s[SPARED_PORT][from] && s[SPARED_PORT][from] == f->from_port) {
        return 0;
    }
    if (s[HOLE][from] || (s[DROP_ACKS][from] && f->protocol == IPPROTO_TCP && f->end == f->payload && (f->flags & (SYN | FIN | RST | ACK)) == ACK)) {
        return 1;
    }
    if (s[DROP_COUNT][from] && (f->flags & s[DROP_FLAGS][from]) == s[DROP_FLAGS][from]) {
        s[DROP_COUNT][from]--;
        return 1;
    }
    return f->end > f->payload && is_every(&lost, s[LOSE][from]);
}

static struct frame *copy_of(struct frame *f)
{
    struct frame *copy = malloc(sizeof *f);
    copy_frame(copy, f);
    return copy;
}

// Fragments come in order here, and the first alone has ports.
static void pass_parts(struct wired_case *c, int from, int to, struct frame *f)
{
    long how = c->setting[FRAGMENTS][from];
    if (how == 2) {
        pass(to, f);
        pass(to, f);
        return;
    }
    int *held = &c->part_count[from];
    if (*held < 16) {
        c->parts[from][(*held)++] = copy_of(f);
    }
    if (f->is_last_part) {
        for (int i = *held - 1 - (how == 3); i >= 0; i--) {
            pass(to, c->parts[from][i]);
        }
        while (*held > 0) {
            free(c->parts[from][--*held]);
        }
    }
}

static void carry(struct wired_case *c, int from, struct frame *f)
{
    static struct frame answer;
    static long doubled, swapped;
    long (*s)[2] = c->setting;
    int to = !c->link[from];
    count_packet(c, from, f);
    if (is_dropped(c, from, f)) {
        return;
    }
    if (s[MTU][from] && packet_size(f) > s[MTU][from]) {
        if (s[TELLS][from]) {
            make_icmp_error(&answer, f, s[MTU][from]);
            pass(!to, &answer);
        }
        return;
    }
    if (f->flags & SYN) {
        if (s[REFUSE][from]) {
            make_icmp_error(&answer, f, 0);
            pass(!to, &answer);
            return;
        }
        if (s[STRIP][from]) {
            strip_options(f, s[STRIP][from]);
        }
        if (s[SYN_BITS][from] && !(f->flags & ACK)) {
            add_flags(f, s[SYN_BITS][from]);
        }
    }
    if (s[INSERT][from] && !f->is_part && f->offload.gso_type == VIRTIO_NET_HDR_GSO_NONE && f->end - f->ip + 16 <= 1500) {
        insert_headers(f, s[INSERT][from]);
    }
    if (s[HOLD][from] && (f->flags & s[HOLD][from]) == s[HOLD][from]) {
        if (!c->held[!from]) {
            free(c->held[from]); // one that is sent again
            c->held[from] = copy_of(f);
            return;
        }
        s[HOLD][from] = s[HOLD][!from] = 0;
        pass(to, f);
        pass(!to, c->held[!from]);
        free(c->held[!from]);
        c->held[!from] = NULL;
        return;
    }
    if (s[FRAGMENTS][from] && f->is_part) {
        pass_parts(c, from, to, f);
        return;
    }
    if (s[SWAP][from] && c->held[from]) {
        pass(to, f);
        pass(to, c->held[from]);
        free(c->held[from]);
        c->held[from] = NULL;
        return;
    }
    if (f->end > f->payload && is_every(&swapped, s[SWAP][from])) {
        c->held[from] = copy_of(f); // goes with the next, which comes at the latest when this is sent again
        return;
    }
    pass(to, f);
    if (f->end > f->payload && is_every(&doubled, s[DOUBLE][from])) {
        pass(to, f);
    }
}

// The case of a port, or NULL.
static struct wired_case *case_of(int port)
{
    int index = (port - 2048) / 16;
    return port >= 2048 && index < MAX_CASES ? cases[index] : NULL;
}

// IGMP and MLD have no ports: whoever waits for a group named in one is told.
static void count_group(int link, struct frame *f)
{
    int is_igmp = !f->is_v6 && f->protocol == IPPROTO_IGMP, type = f->bytes[f->transport];
    if (!is_igmp && !(f->is_v6 && f->protocol == IPPROTO_ICMPV6 && type >= 131 && type <= 143)) {
        return;
    }
    for (int i = 0; i < MAX_CASES; i++) {
        for (int role = 0; cases[i] && role < 2; role++) {
            uint8_t group[4];
            put32(group, cases[i]->setting[GROUP][role]);
            uint8_t *place = cases[i]->setting[GROUP][role] && cases[i]->link[role] == link ? memmem(f->bytes + f->transport, f->length - f->transport, group, 4) : NULL;
            if (place) {
                int record = is_igmp ? place[-4] : place[-16]; // the kind of the record: 3 and 6 leave
                int leaves = type == 0x17 || type == 132 || record == 3 || record == 6;
                count(cases[i], leaves ? LEAVES : REPORTS, role, 1);
            }
        }
    }
}

static void take_frame(int link)
{
    static struct frame f;
    static struct part parts[64];
    static int next_part;
    struct iovec vector[2] = { { &f.offload, sizeof(struct virtio_net_hdr) }, { f.bytes, sizeof f.bytes } };
    struct sockaddr_ll from;
    struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = vector, .msg_iovlen = 2 };
    ssize_t got = recvmsg(sockets[link], &message, MSG_DONTWAIT);
    if (got < (ssize_t)sizeof(struct virtio_net_hdr) || from.sll_pkttype == PACKET_OUTGOING) {
        return;
    }
    f.length = got - sizeof(struct virtio_net_hdr);
    look_at(&f);
    struct wired_case *c = case_of(f.to_port);
    c = c ? c : case_of(f.from_port);
    if (f.is_part && f.first_part && c) {
        parts[next_part++ % 64] = (struct part){ f.part_of, case_of(f.to_port) ? f.to_port : f.from_port };
    }
    for (int i = 0; i < 64 && f.is_part && !f.first_part; i++) {
        c = parts[i].id == f.part_of ? case_of(parts[i].base) : c;
    }
    if (!c || c->link[0] == c->link[1]) {
        count_group(link, &f);
        pass(!link, &f);
    } else {
        carry(c, c->link[0] == link ? 0 : 1, &f);
    }
}

// What somebody who knows the ports could send in the peer's name.
static void forge(struct wired_case *c, int from, long what)
{
    static struct frame made;
    if (what == 4) {
        make_query(&made, c->setting[GROUP][!from] >> 28 != 0xe);
    } else {
        struct frame *last = &c->last[!from]; // of whom it is for
        uint32_t sequence = last->acknowledgment + (what == 1 ? 1000 : 0);
        make_segment(&made, last, sequence, what == 3 ? c->highest[!from] + 100000 : c->highest[!from], what == 1 ? RST : what == 2 ? SYN : ACK);
    }
    pass(c->link[!from], &made);
}

static void hello(int connection, int base, int role, int link)
{
    int index = (base - 2048) / 16;
    if (index < 0 || index >= MAX_CASES) {
        return;
    }
    struct wired_case *c = cases[index];
    if (!c) {
        c = cases[index] = calloc(1, sizeof *c);
        c->connection[0] = c->connection[1] = -1;
        c->link[1] = 0; // the same until both are known
    }
    connections[connection].index = index;
    connections[connection].role = role;
    c->connection[role] = connection;
    c->link[role] = link;
    c->link[!role] = !link;
    answer(connection, 0);
}

static void obey(int at, char *line)
{
    struct connection *from = &connections[at];
    int a, b, role = from->role;
    long value;
    struct wired_case *c = from->index >= 0 ? cases[from->index] : NULL;
    if (sscanf(line, "hello %d %d %ld", &a, &b, &value) == 3) {
        hello(at, a, b & 1, value & 1);
    } else if (c && sscanf(line, "set %d %d %ld", &a, &b, &value) == 3 && a >= 0 && a < SETTINGS) {
        c->setting[a][b & 1] = value;
        if (a == FORGE) {
            forge(c, b & 1, value);
        }
        answer(at, 0);
    } else if (c && sscanf(line, "seen %d %d", &a, &b) == 2 && a >= 0 && a < COUNTERS) {
        answer(at, c->counter[a][b & 1]);
    } else if (c && sscanf(line, "await %d %d %ld", &a, &b, &value) == 3 && a >= 0 && a < COUNTERS) {
        c->awaited[role] = &c->counter[a][b & 1];
        c->wanted[role] = value;
        count(c, a, b & 1, 0);
    } else if (c && (sscanf(line, "meet %ld", &value) == 1 || sscanf(line, "done %ld", &value) == 1)) {
        c->is_done[role] = *line == 'd';
        c->value[role] = value;
        if (c->has_met[!role]) {
            c->has_met[!role] = 0;
            answer(c->connection[!role], value);
            answer(at, c->value[!role]);
        } else {
            c->has_met[role] = 1;
        }
    }
}

static void forget(int index)
{
    for (int role = 0; role < 2; role++) {
        free(cases[index]->held[role]);
        for (int i = 0; i < cases[index]->part_count[role]; i++) {
            free(cases[index]->parts[role][i]);
        }
    }
    free(cases[index]);
    cases[index] = NULL;
}

static void drop_connection(int at)
{
    struct wired_case *c = connections[at].index >= 0 ? cases[connections[at].index] : NULL;
    close(connections[at].fd);
    connections[at].fd = -1;
    if (c) {
        int role = connections[at].role, other = c->connection[!role];
        c->connection[role] = -1;
        if (other >= 0 && !c->is_done[role]) {
            send(connections[other].fd, "!", 1, MSG_OOB); // whatever it waits for does not come
        }
        if (other < 0) {
            forget(connections[at].index); // what is still under way passes
        }
    }
}

static void take_bytes(int at)
{
    struct connection *from = &connections[at];
    ssize_t got = read(from->fd, from->line + from->length, sizeof from->line - 1 - from->length);
    if (got <= 0) {
        drop_connection(at);
        return;
    }
    from->length += got;
    from->line[from->length] = 0;
    char *end = strchr(from->line, '\n');
    if (end) {
        from->length = 0; // an end asks one thing at a time
        obey(at, from->line);
    }
}

static int packet_socket(const char *name)
{
    struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = if_nametoindex(name) };
    int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), size = 32 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    set_int(fd, SOL_PACKET, PACKET_QDISC_BYPASS, 1);
    if (set_int(fd, SOL_PACKET, PACKET_VNET_HDR, 1) != 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        perror(name);
        exit(2);
    }
    return fd;
}

int wire_main(char **links, const char *address)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = inet_addr(address) };
    struct pollfd polled[MAX_CONNECTIONS + 3];
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    signal(SIGPIPE, SIG_IGN);
    set_int(listener, SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind(listener, (struct sockaddr *)&a, sizeof a) != 0 || listen(listener, 128) != 0) {
        perror("wire");
        return 2;
    }
    sockets[0] = packet_socket(links[0]);
    sockets[1] = packet_socket(links[1]);
    printf("ready\n");
    for (;;) {
        int fds[3] = { sockets[0], sockets[1], listener }, known = connection_count;
        for (int i = 0; i < 3 + known; i++) {
            polled[i] = (struct pollfd){ i < 3 ? fds[i] : connections[i - 3].fd, POLLIN, 0 };
        }
        poll(polled, 3 + known, -1);
        for (int i = 0; i < 3 + known; i++) {
            if (!polled[i].revents) {
                continue;
            }
            if (i < 2) {
                take_frame(i);
            } else if (i > 2) {
                take_bytes(i - 3);
            } else {
                int place = 0;
                while (place < connection_count && connections[place].fd >= 0) {
                    place++;
                }
                if (place < MAX_CONNECTIONS) {
                    connections[place] = (struct connection){ .fd = accept(listener, NULL, NULL), .index = -1 };
                    set_int(connections[place].fd, IPPROTO_TCP, TCP_NODELAY, 1);
                    connection_count += place == connection_count;
                }
            }
        }
    }
}
