// /proc/net: the tables of live sockets, and counters
#include "inet.h"
#include <linux/netlink.h>
#include <sys/un.h>

static char text[1 << 20];

static void load(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/net/%s", name);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    size_t have = 0;
    for (ssize_t n; (n = read(fd, text + have, sizeof text - 1 - have)) > 0; have += n) {
    }
    text[have] = 0;
    close(fd);
}

static unsigned long inode_of(int fd)
{
    struct stat s;
    CHECK_EQ(fstat(fd, &s), 0);
    return s.st_ino;
}

// The line that ends with or holds this inode as a word of its own; NULL if there is none.
static char *line_of(unsigned long inode, int column)
{
    static char copy[512];
    for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        snprintf(copy, sizeof copy, "%.*s", (int)strcspn(line, "\n"), line);
        char words[512], *save, *word;
        strcpy(words, copy);
        word = strtok_r(words, " ", &save);
        for (int i = 0; word && i < column; i++) {
            word = strtok_r(NULL, " ", &save);
        }
        if (word && strtoul(word, NULL, 10) == inode) {
            return copy;
        }
    }
    return NULL;
}

static int state_of(const char *line)
{
    unsigned state;
    CHECK_EQ(sscanf(line, " %*d: %*[0-9A-F]:%*x %*[0-9A-F]:%*x %x", &state), 1);
    return state;
}

CASE(tcp_listener)
{
    int fd = listening4(7);
    load("tcp");
    char *line = line_of(inode_of(fd), 9);
    CHECK(line);
    CHECK_EQ(state_of(line), 10);
    char want[32];
    snprintf(want, sizeof want, "0100007F:%04X 00000000:0000", port_of(fd));
    CHECK(strstr(line, want));
}

CASE(tcp_listener_with_waiting_connections)
{
    int fd = listening4(7);
    connected4(port_of(fd));
    connected4(port_of(fd));
    CHECK_EQ(events_of(fd, POLLIN, 5000), POLLIN);
    sleep_ms(20);
    load("tcp");
    unsigned waiting;
    CHECK_EQ(sscanf(line_of(inode_of(fd), 9), " %*d: %*s %*s %*s %*x:%x", &waiting), 1);
    CHECK_EQ(waiting, 2);
}

CASE(tcp_connection_with_data)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_EQ(send(fds[0], "12345", 5, 0), 5);
    CHECK_EQ(events_of(fds[1], POLLIN, 5000), POLLIN);
    load("tcp");
    char *line = line_of(inode_of(fds[1]), 9);
    CHECK(line);
    CHECK_EQ(state_of(line), 1);
    unsigned sent, received;
    CHECK_EQ(sscanf(line, " %*d: %*s %*s %*s %x:%x", &sent, &received), 2);
    CHECK_EQ(sent, 0);
    CHECK_EQ(received, 5);
}

CASE(tcp_close_wait_and_fin_wait)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_EQ(shutdown(fds[0], SHUT_WR), 0);
    char c;
    CHECK_EQ(recv(fds[1], &c, 1, 0), 0);
    sleep_ms(20);
    load("tcp");
    CHECK_EQ(state_of(line_of(inode_of(fds[0]), 9)), 5);
    CHECK_EQ(state_of(line_of(inode_of(fds[1]), 9)), 8);
}

CASE(tcp_time_wait)
{
    int fds[2];
    tcp_pair(fds);
    int port = port_of(fds[0]), other = port_of(fds[1]);
    close(fds[0]);
    char c;
    CHECK_EQ(recv(fds[1], &c, 1, 0), 0);
    close(fds[1]);
    sleep_ms(20);
    load("tcp");
    char want[64];
    snprintf(want, sizeof want, "0100007F:%04X 0100007F:%04X 06", port, other);
    CHECK(strstr(text, want));
}

CASE(tcp_unbound_is_not_there)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    load("tcp");
    CHECK(!line_of(inode_of(fd), 9));
}

CASE(tcp_header_and_width)
{
    listening4(1);
    load("tcp");
    CHECK_EQ(strncmp(text, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode", 96), 0);
    for (char *line = text; *line; line = strchr(line, '\n') + 1) {
        CHECK_EQ(strcspn(line, "\n"), 149);
    }
}

CASE(tcp6_listener)
{
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 a = loopback6(0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_EQ(listen(fd, 1), 0);
    load("tcp6");
    char *line = line_of(inode_of(fd), 9), want[80];
    CHECK(line);
    snprintf(want, sizeof want, "00000000000000000000000001000000:%04X 00000000000000000000000000000000:0000 0A", port_of(fd));
    CHECK(strstr(line, want));
    load("tcp");
    CHECK(!line_of(inode_of(fd), 9));
}

CASE(tcp6_any_address)
{
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    CHECK_EQ(listen(fd, 1), 0);
    load("tcp6");
    CHECK(strstr(line_of(inode_of(fd), 9), " 00000000000000000000000000000000:"));
}

CASE(tcp6_mapped_connection)
{
    int listener = socket(AF_INET6, SOCK_STREAM, 0);
    CHECK_EQ(listen(listener, 1), 0);
    int client = connected4(port_of(listener)), server = accept(listener, NULL, NULL);
    load("tcp6");
    CHECK(strstr(line_of(inode_of(server), 9), "0000000000000000FFFF00000100007F:"));
    load("tcp");
    CHECK(line_of(inode_of(client), 9));
}

CASE(udp_bound_and_connected)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    struct sockaddr_in to = loopback4(port_of(a));
    CHECK_EQ(connect(b, (struct sockaddr *)&to, sizeof to), 0);
    load("udp");
    CHECK_EQ(state_of(line_of(inode_of(a), 9)), 7);
    CHECK_EQ(state_of(line_of(inode_of(b), 9)), 1);
    char want[64];
    snprintf(want, sizeof want, "0100007F:%04X 0100007F:%04X 01", port_of(b), port_of(a));
    CHECK(strstr(line_of(inode_of(b), 9), want));
    for (char *line = text; *line; line = strchr(line, '\n') + 1) {
        CHECK_EQ(strcspn(line, "\n"), 127);
    }
}

CASE(udp_queue_and_drops)
{
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    CHECK_EQ(set_int(b, SOL_SOCKET, SO_RCVBUF, 0), 0);
    struct sockaddr_in to = loopback4(port_of(b));
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    }
    load("udp");
    unsigned waiting, drops;
    CHECK_EQ(sscanf(line_of(inode_of(b), 9), " %*d: %*s %*s %*s %*x:%x %*s %*s %*u %*u %*u %*u %*s %u", &waiting, &drops), 2);
    CHECK(waiting > 0);
    CHECK(drops > 0);
}

CASE(udp_unbound_is_not_there)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    load("udp");
    CHECK(!line_of(inode_of(fd), 9));
}

CASE(udp6_bound)
{
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 a = loopback6(0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    load("udp6");
    CHECK_EQ(state_of(line_of(inode_of(fd), 9)), 7);
}

CASE(raw_sockets)
{
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), fd6 = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
    load("raw");
    char *line = line_of(inode_of(fd), 9);
    CHECK(line);
    CHECK(strstr(line, "00000000:0001 00000000:0000 07"));
    load("raw6");
    CHECK(strstr(line_of(inode_of(fd6), 9), ":003A "));
}

CASE(closed_sockets_go)
{
    int fd = bound4(SOCK_DGRAM);
    unsigned long inode = inode_of(fd);
    load("udp");
    CHECK(line_of(inode, 9));
    close(fd);
    load("udp");
    CHECK(!line_of(inode, 9));
}

CASE(owner)
{
    CHECK_EQ(setresuid(1234, 1234, 0), 0);
    int fd = bound4(SOCK_DGRAM);
    load("udp");
    unsigned owner;
    CHECK_EQ(sscanf(line_of(inode_of(fd), 9), " %*d: %*s %*s %*s %*s %*s %*s %u", &owner), 1);
    CHECK_EQ(owner, 1234);
}

static int unix_named(const char *name, int type)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    strcpy(a.sun_path, name);
    int fd = socket(AF_UNIX, type, 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

CASE(unix_listener_with_a_path)
{
    int fd = unix_named("here", SOCK_STREAM);
    CHECK_EQ(listen(fd, 1), 0);
    load("unix");
    char *line = line_of(inode_of(fd), 6);
    CHECK(line);
    CHECK(strstr(line, " 00010000 0001 01 "));
    CHECK_EQ(strcmp(strrchr(line, ' ') + 1, "here"), 0);
}

CASE(unix_abstract_name)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "\0moat-procnet" };
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, 2 + 13), 0);
    load("unix");
    char *line = line_of(inode_of(fd), 6);
    CHECK(strstr(line, " 0002 01 "));
    CHECK_EQ(strcmp(strrchr(line, ' ') + 1, "@moat-procnet"), 0);
}

CASE(unix_pair)
{
    int fds[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    load("unix");
    CHECK(strstr(line_of(inode_of(fds[0]), 6), " 00000000 0005 03 "));
    CHECK(line_of(inode_of(fds[1]), 6));
}

CASE(unix_unnamed)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    load("unix");
    CHECK(strstr(line_of(inode_of(fd), 6), " 00000000 0001 01 "));
    CHECK_EQ(strncmp(text, "Num       RefCount Protocol Flags    Type St Inode Path\n", 56), 0);
}

CASE(netlink_socket)
{
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = 0x11 };
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    load("netlink");
    char *line = line_of(inode_of(fd), 9);
    CHECK(line);
    unsigned protocol, port, groups;
    CHECK_EQ(sscanf(line, "%*s %u %u %x", &protocol, &port, &groups), 3);
    CHECK_EQ(protocol, 0);
    CHECK_EQ(port, getpid());
    CHECK_EQ(groups, 0x11);
}

static long number_behind(const char *line, const char *word)
{
    char *at = strstr(text, line);
    CHECK(at);
    at = strstr(at, word);
    CHECK(at);
    return strtol(at + strlen(word), NULL, 10);
}

CASE(sockstat)
{
    load("sockstat");
    long tcp = number_behind("TCP:", "inuse "), udp = number_behind("UDP:", "inuse "), used = number_behind("sockets:", "used ");
    listening4(1);
    bound4(SOCK_DGRAM);
    load("sockstat");
    CHECK_EQ(number_behind("TCP:", "inuse "), tcp + 1);
    CHECK_EQ(number_behind("UDP:", "inuse "), udp + 1);
    CHECK_EQ(number_behind("sockets:", "used "), used + 2);
}

// The value of a counter in the two-line format of snmp and netstat.
static long counter(const char *group, const char *name)
{
    char *names = strstr(text, group), *values = strchr(names, '\n') + 1, *save1, *save2;
    char a[4096], b[4096];
    snprintf(a, sizeof a, "%.*s", (int)strcspn(names, "\n"), names);
    snprintf(b, sizeof b, "%.*s", (int)strcspn(values, "\n"), values);
    char *n = strtok_r(a, " ", &save1), *v = strtok_r(b, " ", &save2);
    while (n && v && strcmp(n, name) != 0) {
        n = strtok_r(NULL, " ", &save1);
        v = strtok_r(NULL, " ", &save2);
    }
    CHECK(n && v);
    return strtol(v, NULL, 10);
}

CASE(snmp_counts_connections)
{
    load("snmp");
    long active = counter("Tcp:", "ActiveOpens"), passive = counter("Tcp:", "PassiveOpens");
    int fds[2];
    tcp_pair(fds);
    load("snmp");
    CHECK(counter("Tcp:", "ActiveOpens") >= active + 1);
    CHECK(counter("Tcp:", "PassiveOpens") >= passive + 1);
    CHECK(counter("Tcp:", "CurrEstab") >= 2);
    CHECK_EQ(counter("Tcp:", "MaxConn"), -1);
}

CASE(snmp_counts_datagrams)
{
    load("snmp");
    long in = counter("Udp:", "InDatagrams"), out = counter("Udp:", "OutDatagrams"), none = counter("Udp:", "NoPorts");
    int a = bound4(SOCK_DGRAM), b = bound4(SOCK_DGRAM);
    struct sockaddr_in to = loopback4(port_of(b));
    CHECK_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    CHECK_EQ(events_of(b, POLLIN, 5000), POLLIN);
    char c;
    CHECK_EQ(recv(b, &c, 1, 0), 1);
    close(b);
    CHECK_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    load("snmp");
    CHECK(counter("Udp:", "InDatagrams") >= in + 1);
    CHECK(counter("Udp:", "OutDatagrams") >= out + 2);
    CHECK(counter("Udp:", "NoPorts") >= none + 1);
}

CASE(netstat_counts_bytes)
{
    load("netstat");
    long before = counter("IpExt:", "OutOctets");
    int fds[2];
    tcp_pair(fds);
    load("netstat");
    CHECK(counter("IpExt:", "OutOctets") > before);
    CHECK(strstr(text, "TcpExt: "));
}

CASE(igmp_lists_joined_groups)
{
    int fd = bound4(SOCK_DGRAM);
    struct ip_mreqn m = { .imr_ifindex = 1 };
    inet_pton(AF_INET, "239.7.8.9", &m.imr_multiaddr);
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m), 0);
    load("igmp");
    CHECK(strstr(text, "090807EF     1"));
    CHECK(strstr(text, "010000E0     1"));
    close(fd);
    load("igmp");
    CHECK(!strstr(text, "090807EF"));
}

CASE(tables_that_must_be_there)
{
    const char *names[] = { "arp", "dev", "dev_mcast", "icmp", "if_inet6", "igmp", "igmp6", "netlink", "netstat", "packet", "raw", "raw6", "route", "snmp", "snmp6", "sockstat",
                            "sockstat6", "tcp", "tcp6", "udp", "udp6", "unix" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/net/%s", names[i]);
        int fd = open(path, O_RDONLY);
        if (fd < 0) {
            guest_fail("no %s", path);
        }
        CHECK(read(fd, text, 100) >= 0);
        close(fd);
    }
    CHECK_ERRNO(open("/proc/net/nothing", O_RDONLY), ENOENT);
    CHECK(open("/proc/net/tcp", O_WRONLY) < 0 || geteuid() == 0);
}

CASE(other_ways_to_it)
{
    int fd = bound4(SOCK_DGRAM);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/net/udp", getpid());
    int file = open(path, O_RDONLY);
    CHECK(file >= 0);
    ssize_t n = read(file, text, sizeof text - 1);
    CHECK(n > 0);
    text[n] = 0;
    CHECK(line_of(inode_of(fd), 9));
}

GUEST_MAIN("procnet")
