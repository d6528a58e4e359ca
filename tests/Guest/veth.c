// veth pairs and bridges through rtnetlink(7): making, changing, moving between networks, deleting, and packets that go over them.
#include "guest.h"
#include <arpa/inet.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

typedef struct {
    struct nlmsghdr header;
    char rest[1024];
} request_t;

static int netlink(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    CHECK(fd >= 0);
    return fd;
}

static struct rtattr *put(request_t *request, int type, const void *value, int length)
{
    struct rtattr *attribute = (struct rtattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = RTA_LENGTH(length);
    memcpy(RTA_DATA(attribute), value, length);
    request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
    return attribute;
}

static void put_text(request_t *request, int type, const char *text) { put(request, type, text, strlen(text) + 1); }
static void put_number(request_t *request, int type, uint32_t number) { put(request, type, &number, 4); }
static struct rtattr *begin(request_t *request, int type) { return put(request, type, "", 0); }
static void end(request_t *request, struct rtattr *nest) { nest->rta_len = (char *)request + request->header.nlmsg_len - (char *)nest; }

static void link_request(request_t *request, int type, int flags, int index)
{
    memset(request, 0, sizeof *request);
    request->header.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg));
    request->header.nlmsg_type = type;
    request->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    request->header.nlmsg_seq = 1;
    ((struct ifinfomsg *)NLMSG_DATA(&request->header))->ifi_index = index;
}

// Sends a request and returns the error of its acknowledgement.
static int ask(int fd, request_t *request)
{
    char answer[8192];
    CHECK_EQ(send(fd, request, request->header.nlmsg_len, 0), request->header.nlmsg_len);
    for (;;) {
        int length = recv(fd, answer, sizeof answer, 0);
        CHECK(length >= (int)sizeof(struct nlmsghdr));
        struct nlmsghdr *header = (struct nlmsghdr *)answer;
        if (header->nlmsg_type == NLMSG_ERROR) {
            return -((struct nlmsgerr *)NLMSG_DATA(header))->error;
        }
    }
}

static int make(const char *kind, const char *name)
{
    request_t request;
    int fd = netlink();
    link_request(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
    if (name != NULL) {
        put_text(&request, IFLA_IFNAME, name);
    }
    struct rtattr *info = begin(&request, IFLA_LINKINFO);
    put(&request, IFLA_INFO_KIND, kind, strlen(kind));
    end(&request, info);
    int error = ask(fd, &request);
    close(fd);
    return error;
}

static void pair_request(request_t *request, const char *name, const char *peer, int peer_ns)
{
    link_request(request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
    put_text(request, IFLA_IFNAME, name);
    struct rtattr *info = begin(request, IFLA_LINKINFO);
    put_text(request, IFLA_INFO_KIND, "veth");
    struct rtattr *data = begin(request, IFLA_INFO_DATA);
    struct ifinfomsg none = { 0 };
    struct rtattr *other = put(request, VETH_INFO_PEER, &none, sizeof none);
    put_text(request, IFLA_IFNAME, peer);
    if (peer_ns >= 0) {
        put_number(request, IFLA_NET_NS_FD, peer_ns);
    }
    end(request, other);
    end(request, data);
    end(request, info);
}

static int make_pair(const char *name, const char *peer, int peer_ns)
{
    request_t request;
    int fd = netlink();
    pair_request(&request, name, peer, peer_ns);
    int error = ask(fd, &request);
    close(fd);
    return error;
}

static int set_number(const char *name, int attribute, uint32_t number)
{
    request_t request;
    int fd = netlink();
    link_request(&request, RTM_SETLINK, 0, if_nametoindex(name));
    put_number(&request, attribute, number);
    int error = ask(fd, &request);
    close(fd);
    return error;
}

static int delete(const char *name)
{
    request_t request;
    int fd = netlink();
    link_request(&request, RTM_DELLINK, 0, 0);
    put_text(&request, IFLA_IFNAME, name);
    int error = ask(fd, &request);
    close(fd);
    return error;
}

static struct ifreq request_of(const char *name)
{
    struct ifreq request = { 0 };
    strcpy(request.ifr_name, name);
    return request;
}

static int control(int request, struct ifreq *argument)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    int rc = ioctl(fd, request, argument);
    int error = errno;
    close(fd);
    errno = error;
    return rc;
}

static int flags_of(const char *name)
{
    struct ifreq request = request_of(name);
    CHECK(control(SIOCGIFFLAGS, &request) == 0);
    return (unsigned short)request.ifr_flags;
}

static void set_up(const char *name, int up)
{
    struct ifreq request = request_of(name);
    request.ifr_flags = up ? flags_of(name) | IFF_UP : flags_of(name) & ~IFF_UP;
    CHECK(control(SIOCSIFFLAGS, &request) == 0);
}

static void give(const char *name, const char *address, const char *mask)
{
    struct ifreq request = request_of(name);
    struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;
    in->sin_family = AF_INET;
    CHECK(inet_pton(AF_INET, address, &in->sin_addr) == 1);
    CHECK(control(SIOCSIFADDR, &request) == 0);
    CHECK(inet_pton(AF_INET, mask, &in->sin_addr) == 1);
    CHECK(control(SIOCSIFNETMASK, &request) == 0);
    set_up(name, 1);
}

static int own_ns(void)
{
    int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

// Another network, of which the caller stays out.
static int other_ns(void)
{
    int own = own_ns();
    CHECK(unshare(CLONE_NEWNET) == 0);
    int other = own_ns();
    CHECK(setns(own, CLONE_NEWNET) == 0);
    close(own);
    return other;
}

static void fresh(void) { CHECK(unshare(CLONE_NEWNET) == 0); }

static struct sockaddr_in at(const char *address, int port)
{
    struct sockaddr_in result = { .sin_family = AF_INET, .sin_port = htons(port) };
    CHECK(inet_pton(AF_INET, address, &result.sin_addr) == 1);
    return result;
}

static int receiver_at(const char *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in own = at(address, 7100);
    CHECK(bind(fd, (struct sockaddr *)&own, sizeof own) == 0);
    struct timeval wait = { 10, 0 };
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0);
    return fd;
}

static void send_to(const char *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = at(address, 7100);
    CHECK_EQ(sendto(fd, "packet", 6, 0, (struct sockaddr *)&to, sizeof to), 6);
    close(fd);
}

static void expect_packet(int fd)
{
    char text[16];
    CHECK_EQ(recv(fd, text, sizeof text, 0), 6);
}

CASE(pair_is_two_interfaces)
{
    fresh();
    CHECK_EQ(make_pair("one", "two", -1), 0);
    CHECK_EQ(if_nametoindex("two"), 2); // the other end comes first
    CHECK_EQ(if_nametoindex("one"), 3);
    CHECK_EQ(flags_of("one"), IFF_BROADCAST | IFF_MULTICAST);
}

CASE(name_that_is_taken)
{
    fresh();
    CHECK_EQ(make("bridge", "taken"), 0);
    CHECK_EQ(make("bridge", "taken"), EEXIST);
    CHECK_EQ(make_pair("new", "taken", -1), EEXIST);
    CHECK_EQ(if_nametoindex("new"), 0);
    CHECK_EQ(make_pair("taken", "new", -1), EEXIST);
    CHECK_EQ(if_nametoindex("new"), 0);
}

CASE(names_are_checked_and_numbered)
{
    fresh();
    CHECK_EQ(make("bridge", "a/b"), EINVAL);
    CHECK_EQ(make("bridge", "a b"), EINVAL);
    CHECK_EQ(make("bridge", "."), EINVAL);
    CHECK_EQ(make("bridge", "%s"), EINVAL);
    CHECK_EQ(make("bridge", "x%dy%d"), EINVAL);
    CHECK_EQ(make("bridge", "abcdefghijklmnop"), ERANGE);
    CHECK_EQ(make("bridge", "abcdefghijklmno"), 0);
    CHECK_EQ(make("bridge", "n%d"), 0);
    CHECK_EQ(make("bridge", "n%d"), 0);
    CHECK(if_nametoindex("n0") != 0 && if_nametoindex("n1") != 0);
    CHECK_EQ(make("bridge", NULL), 0);
    CHECK(if_nametoindex("bridge0") != 0);
    CHECK_EQ(make("veth", NULL), 0);
    CHECK(if_nametoindex("veth0") != 0 && if_nametoindex("veth1") != 0);
}

CASE(kind_that_there_is_not)
{
    fresh();
    CHECK_EQ(make("no-such-kind", "x"), EOPNOTSUPP);
    request_t request;
    int fd = netlink();
    link_request(&request, RTM_NEWLINK, NLM_F_CREATE, 0);
    put_text(&request, IFLA_IFNAME, "x");
    CHECK_EQ(ask(fd, &request), EOPNOTSUPP);
    link_request(&request, RTM_NEWLINK, 0, 0);
    put_text(&request, IFLA_IFNAME, "x");
    CHECK_EQ(ask(fd, &request), ENODEV);
}

CASE(needs_cap_net_admin)
{
    fresh();
    CHECK(setresuid(1000, 1000, 1000) == 0);
    CHECK_EQ(make("bridge", "x"), EPERM);
    CHECK_EQ(delete("lo"), EPERM);
    struct ifreq request = request_of("lo");
    request.ifr_flags = IFF_UP;
    CHECK_ERRNO(control(SIOCSIFFLAGS, &request), EPERM);
}

CASE(deleting_one_end_deletes_the_other)
{
    fresh();
    int other = other_ns();
    CHECK_EQ(make_pair("here", "there", other), 0);
    CHECK(if_nametoindex("there") == 0 && if_nametoindex("here") != 0);
    int own = own_ns();
    CHECK(setns(other, CLONE_NEWNET) == 0);
    CHECK(if_nametoindex("there") != 0);
    CHECK_EQ(delete("there"), 0);
    CHECK(if_nametoindex("there") == 0);
    CHECK(setns(own, CLONE_NEWNET) == 0);
    CHECK(if_nametoindex("here") == 0);
    CHECK_EQ(delete("here"), ENODEV);
    CHECK_EQ(delete("lo"), EOPNOTSUPP);
}

CASE(end_of_a_network_ends_the_pair)
{
    fresh();
    int other = other_ns();
    CHECK_EQ(make_pair("left", "right", other), 0);
    close(other);
    // The network ends a little later in Linux.
    for (int i = 0; i < 1000 && if_nametoindex("left") != 0; i++) {
        sleep_ms(10);
    }
    CHECK_EQ(if_nametoindex("left"), 0);
}

CASE(carrier_is_there_when_the_other_end_is_up)
{
    fresh();
    CHECK_EQ(make_pair("one", "two", -1), 0);
    set_up("one", 1);
    for (int i = 0; i < 1000 && (flags_of("one") & IFF_RUNNING); i++) {
        sleep_ms(10);
    }
    CHECK_EQ(flags_of("one") & (IFF_UP | IFF_RUNNING), IFF_UP);
    set_up("two", 1);
    for (int i = 0; i < 1000 && !(flags_of("one") & IFF_RUNNING); i++) {
        sleep_ms(10);
    }
    CHECK_EQ(flags_of("one") & (IFF_UP | IFF_RUNNING), IFF_UP | IFF_RUNNING);
}

CASE(packets_reach_another_network)
{
    fresh();
    int other = other_ns(), own = own_ns();
    CHECK_EQ(make_pair("here", "there", other), 0);
    give("here", "198.51.100.1", "255.255.255.0");
    CHECK(setns(other, CLONE_NEWNET) == 0);
    give("there", "198.51.100.2", "255.255.255.0");
    int receiver = receiver_at("198.51.100.2");
    CHECK(setns(own, CLONE_NEWNET) == 0);
    send_to("198.51.100.2");
    expect_packet(receiver);
}

CASE(stream_crosses_a_pair)
{
    fresh();
    int other = other_ns(), own = own_ns();
    CHECK_EQ(make_pair("here", "there", other), 0);
    give("here", "198.51.100.1", "255.255.255.0");
    CHECK(setns(other, CLONE_NEWNET) == 0);
    give("there", "198.51.100.2", "255.255.255.0");
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = at("198.51.100.2", 7101);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 1) == 0);
    CHECK(setns(own, CLONE_NEWNET) == 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
    int server = accept(listener, NULL, NULL);
    CHECK(server >= 0);
    pid_t child = fork();
    static char block[65536];
    if (child == 0) {
        for (size_t i = 0; i < sizeof block; i++) {
            block[i] = (char)(i * 7);
        }
        for (int i = 0; i < 16; i++) {
            CHECK_EQ(send(client, block, sizeof block, 0), sizeof block);
        }
        _exit(0);
    }
    close(client);
    size_t total = 0;
    for (ssize_t count; (count = recv(server, block, sizeof block, 0)) > 0;) {
        for (ssize_t i = 0; i < count; i++) {
            CHECK(block[i] == (char)((total + i) % sizeof block * 7));
        }
        total += count;
    }
    CHECK_EQ(total, 16 * sizeof block);
    CHECK_CHILD(child);
}

CASE(moving_takes_addresses_away)
{
    fresh();
    int other = other_ns(), own = own_ns(); // which keeps the other end of the pair
    CHECK_EQ(make("veth", "mover"), 0);
    give("mover", "198.51.100.9", "255.255.255.0");
    int index = if_nametoindex("mover");
    CHECK_EQ(set_number("mover", IFLA_NET_NS_FD, other), 0);
    CHECK_EQ(if_nametoindex("mover"), 0);
    CHECK(setns(other, CLONE_NEWNET) == 0);
    CHECK_EQ(if_nametoindex("mover"), index);
    CHECK_EQ(flags_of("mover") & IFF_UP, 0);
    struct ifreq request = request_of("mover");
    CHECK_ERRNO(control(SIOCGIFADDR, &request), EADDRNOTAVAIL);
    close(own);
}

CASE(moving_by_process_and_what_cannot_move)
{
    fresh();
    CHECK_EQ(make("veth", "mover"), 0);
    CHECK_EQ(make("bridge", "stays"), 0);
    int ready[2], done[2];
    char c;
    CHECK(pipe(ready) == 0 && pipe(done) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(done[1]);
        CHECK(unshare(CLONE_NEWNET) == 0);
        CHECK_EQ(write(ready[1], "x", 1), 1);
        CHECK_EQ(read(done[0], &c, 1), 0);
        CHECK(if_nametoindex("mover") != 0);
        _exit(0);
    }
    CHECK_EQ(read(ready[0], &c, 1), 1);
    CHECK_EQ(set_number("mover", IFLA_NET_NS_PID, child), 0);
    CHECK_EQ(set_number("lo", IFLA_NET_NS_PID, child), EINVAL);
    CHECK_EQ(set_number("stays", IFLA_NET_NS_PID, child), EINVAL);
    CHECK_EQ(make("veth", "again"), 0);
    CHECK_EQ(set_number("again", IFLA_NET_NS_PID, 0x3fffffff), ESRCH);
    CHECK_EQ(set_number("again", IFLA_NET_NS_FD, 0x3fffffff), EBADF);
    CHECK_EQ(set_number("again", IFLA_NET_NS_FD, ready[0]), EINVAL);
    close(done[1]);
    CHECK_CHILD(child);
}

CASE(process_is_one_of_the_callers_pid_namespace)
{
    fresh();
    int ready[2], done[2];
    CHECK(pipe(ready) == 0 && pipe(done) == 0);
    pid_t outside = fork();
    char c;
    if (outside == 0) {
        close(done[1]);
        fresh();
        CHECK_EQ(write(ready[1], "r", 1), 1);
        CHECK_EQ(read(done[0], &c, 1), 0);
        _exit(0);
    }
    CHECK_EQ(read(ready[0], &c, 1), 1);
    CHECK_EQ(make("veth", "mover"), 0);
    pid_t first = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0);
    if (first == 0) {
        CHECK_EQ(set_number("mover", IFLA_NET_NS_PID, outside), ESRCH); // it has no number here
        pid_t second = fork();
        if (second == 0) {
            fresh();
            CHECK_EQ(write(ready[1], "r", 1), 1);
            pause();
        }
        CHECK_EQ(second, 2);
        CHECK_EQ(read(ready[0], &c, 1), 1);
        CHECK_EQ(set_number("mover", IFLA_NET_NS_PID, 2), 0);
        _exit(0);
    }
    CHECK_CHILD(first);
    close(done[1]);
    CHECK_CHILD(outside);
}

CASE(name_in_the_other_network_is_taken)
{
    fresh();
    int other = other_ns(), own = own_ns();
    CHECK_EQ(make("veth", "same"), 0);
    CHECK(setns(other, CLONE_NEWNET) == 0);
    CHECK_EQ(make("veth", "same"), 0);
    CHECK(setns(own, CLONE_NEWNET) == 0);
    CHECK_EQ(set_number("same", IFLA_NET_NS_FD, other), EEXIST);
    CHECK(if_nametoindex("same") != 0);
}

CASE(mtu_and_address)
{
    fresh();
    CHECK_EQ(make("veth", "v"), 0);
    struct ifreq request = request_of("v");
    CHECK(control(SIOCGIFMTU, &request) == 0);
    CHECK_EQ(request.ifr_mtu, 1500);
    CHECK_EQ(set_number("v", IFLA_MTU, 67), EINVAL);
    CHECK_EQ(set_number("v", IFLA_MTU, 65536), EINVAL);
    CHECK_EQ(set_number("v", IFLA_MTU, 9000), 0);
    CHECK(control(SIOCGIFMTU, &request) == 0);
    CHECK_EQ(request.ifr_mtu, 9000);
    request.ifr_mtu = 1400;
    CHECK(control(SIOCSIFMTU, &request) == 0);
    request.ifr_mtu = -1;
    CHECK_ERRNO(control(SIOCSIFMTU, &request), EINVAL);
    CHECK(control(SIOCGIFHWADDR, &request) == 0);
    CHECK_EQ(request.ifr_hwaddr.sa_family, 1);
    CHECK_EQ(request.ifr_hwaddr.sa_data[0] & 3, 2);
    memcpy(request.ifr_hwaddr.sa_data, "\x02\1\2\3\4\5", 6);
    CHECK(control(SIOCSIFHWADDR, &request) == 0);
    CHECK(control(SIOCGIFHWADDR, &request) == 0);
    CHECK(memcmp(request.ifr_hwaddr.sa_data, "\x02\1\2\3\4\5", 6) == 0);
    request.ifr_hwaddr.sa_data[0] = 1;
    CHECK_ERRNO(control(SIOCSIFHWADDR, &request), EADDRNOTAVAIL);
    request.ifr_hwaddr.sa_family = 772;
    CHECK_ERRNO(control(SIOCSIFHWADDR, &request), EINVAL);
}

CASE(renaming)
{
    fresh();
    CHECK_EQ(make("bridge", "before"), 0);
    CHECK_EQ(make("bridge", "taken"), 0);
    struct ifreq request = request_of("before");
    strcpy(request.ifr_newname, "taken");
    CHECK_ERRNO(control(SIOCSIFNAME, &request), EEXIST);
    strcpy(request.ifr_newname, "a/b");
    CHECK_ERRNO(control(SIOCSIFNAME, &request), EINVAL);
    strcpy(request.ifr_newname, "after");
    CHECK(control(SIOCSIFNAME, &request) == 0);
    CHECK(if_nametoindex("after") != 0 && if_nametoindex("before") == 0);
    CHECK_ERRNO(control(SIOCSIFNAME, &request), ENODEV);
    request_t change;
    int fd = netlink();
    link_request(&change, RTM_SETLINK, 0, if_nametoindex("after"));
    put_text(&change, IFLA_IFNAME, "last");
    CHECK_EQ(ask(fd, &change), 0);
    CHECK(if_nametoindex("last") != 0);
}

CASE(ports_of_a_bridge)
{
    fresh();
    CHECK_EQ(make("bridge", "br"), 0);
    CHECK_EQ(make("bridge", "br2"), 0);
    CHECK_EQ(make_pair("p", "q", -1), 0);
    CHECK_EQ(set_number("p", IFLA_MASTER, if_nametoindex("br")), 0);
    CHECK_EQ(set_number("p", IFLA_MASTER, if_nametoindex("br")), 0);
    CHECK_EQ(set_number("p", IFLA_MASTER, if_nametoindex("br2")), 0);
    CHECK_EQ(set_number("lo", IFLA_MASTER, if_nametoindex("br")), EINVAL);
    CHECK_EQ(set_number("br2", IFLA_MASTER, if_nametoindex("br")), ELOOP);
    CHECK_EQ(set_number("q", IFLA_MASTER, if_nametoindex("p")), EOPNOTSUPP);
    CHECK_EQ(set_number("q", IFLA_MASTER, 4711), EINVAL);
    CHECK_EQ(set_number("p", IFLA_MASTER, 0), 0);
    CHECK_EQ(set_number("p", IFLA_MASTER, 0), 0);
}

CASE(bridge_has_the_lowest_address_and_mtu_of_its_ports)
{
    fresh();
    CHECK_EQ(make("bridge", "br"), 0);
    CHECK_EQ(make("veth", "p"), 0);
    struct ifreq request = request_of("p");
    request.ifr_hwaddr.sa_family = 1;
    memcpy(request.ifr_hwaddr.sa_data, "\0\0\0\1\2\3", 6);
    CHECK(control(SIOCSIFHWADDR, &request) == 0);
    CHECK_EQ(set_number("p", IFLA_MTU, 1400), 0);
    CHECK_EQ(set_number("p", IFLA_MASTER, if_nametoindex("br")), 0);
    request = request_of("br");
    CHECK(control(SIOCGIFHWADDR, &request) == 0);
    CHECK(memcmp(request.ifr_hwaddr.sa_data, "\0\0\0\1\2\3", 6) == 0);
    CHECK(control(SIOCGIFMTU, &request) == 0);
    CHECK_EQ(request.ifr_mtu, 1400);
}

// Two networks at a bridge in this one.
static void make_star(int *first, int *second)
{
    fresh();
    int own = own_ns();
    *first = other_ns();
    *second = other_ns();
    CHECK_EQ(make("bridge", "br"), 0);
    set_up("br", 1);
    CHECK_EQ(make_pair("p1", "eth", *first), 0);
    CHECK_EQ(make_pair("p2", "eth", *second), 0);
    CHECK_EQ(set_number("p1", IFLA_MASTER, if_nametoindex("br")), 0);
    CHECK_EQ(set_number("p2", IFLA_MASTER, if_nametoindex("br")), 0);
    set_up("p1", 1);
    set_up("p2", 1);
    give("br", "198.51.100.1", "255.255.255.0");
    CHECK(setns(*first, CLONE_NEWNET) == 0);
    give("eth", "198.51.100.2", "255.255.255.0");
    CHECK(setns(*second, CLONE_NEWNET) == 0);
    give("eth", "198.51.100.3", "255.255.255.0");
    CHECK(setns(own, CLONE_NEWNET) == 0);
    close(own);
}

CASE(packets_cross_a_bridge)
{
    int first, second, own;
    make_star(&first, &second);
    own = own_ns();
    int here = receiver_at("198.51.100.1");
    CHECK(setns(second, CLONE_NEWNET) == 0);
    int there = receiver_at("198.51.100.3");
    CHECK(setns(first, CLONE_NEWNET) == 0);
    send_to("198.51.100.3");
    expect_packet(there);
    send_to("198.51.100.1");
    expect_packet(here);
    CHECK(setns(own, CLONE_NEWNET) == 0);
    send_to("198.51.100.3");
    expect_packet(there);
}

CASE(broadcasts_reach_all_ports_and_the_bridge)
{
    int first, second, own;
    make_star(&first, &second);
    own = own_ns();
    int here = receiver_at("0.0.0.0");
    CHECK(setns(second, CLONE_NEWNET) == 0);
    int there = receiver_at("0.0.0.0");
    CHECK(setns(first, CLONE_NEWNET) == 0);
    int sender = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
    CHECK(setsockopt(sender, SOL_SOCKET, SO_BROADCAST, &one, sizeof one) == 0);
    struct sockaddr_in to = at("198.51.100.255", 7100);
    struct pollfd waiting[] = { { here, POLLIN, 0 }, { there, POLLIN, 0 } };
    // In Linux a port takes part a little after it has its carrier.
    for (int i = 0; i < 200 && !(waiting[0].revents && waiting[1].revents); i++) {
        CHECK_EQ(sendto(sender, "packet", 6, 0, (struct sockaddr *)&to, sizeof to), 6);
        sleep_ms(i == 0 ? 0 : 50);
        CHECK(poll(waiting, 2, 0) >= 0);
    }
    expect_packet(here);
    expect_packet(there);
    CHECK(setns(own, CLONE_NEWNET) == 0);
}

CASE(packets_are_passed_on_between_networks)
{
    fresh();
    int own = own_ns(), first = other_ns(), second = other_ns();
    CHECK_EQ(make_pair("r1", "eth", first), 0);
    CHECK_EQ(make_pair("r2", "eth", second), 0);
    give("r1", "198.51.100.1", "255.255.255.128");
    give("r2", "198.51.100.129", "255.255.255.128");
    int setting = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY);
    CHECK_EQ(write(setting, "1", 1), 1);
    for (int i = 0; i < 2; i++) {
        CHECK(setns(i == 0 ? first : second, CLONE_NEWNET) == 0);
        give("eth", i == 0 ? "198.51.100.2" : "198.51.100.130", "255.255.255.128");
        int fd = netlink();
        request_t request = { .header = { NLMSG_LENGTH(sizeof(struct rtmsg)), RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, 1, 0 } };
        struct rtmsg *route = NLMSG_DATA(&request.header);
        *route = (struct rtmsg){ .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT, .rtm_type = RTN_UNICAST };
        struct in_addr gateway = at(i == 0 ? "198.51.100.1" : "198.51.100.129", 0).sin_addr;
        put(&request, RTA_GATEWAY, &gateway, sizeof gateway);
        CHECK_EQ(ask(fd, &request), 0);
        close(fd);
    }
    int receiver = receiver_at("198.51.100.130");
    CHECK(setns(first, CLONE_NEWNET) == 0);
    send_to("198.51.100.130");
    expect_packet(receiver);
    CHECK(setns(own, CLONE_NEWNET) == 0);
}

// Both ends of a pair at one bridge, and a bridge with two ways to another: frames go round for ever, or until somebody drops them.
CASE(loops_end)
{
    fresh();
    CHECK_EQ(make("bridge", "a"), 0);
    CHECK_EQ(make("bridge", "b"), 0);
    CHECK_EQ(make_pair("a1", "b1", -1), 0);
    CHECK_EQ(make_pair("a2", "b2", -1), 0);
    const char *names[] = { "a1", "a2", "b1", "b2" };
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(set_number(names[i], IFLA_MASTER, if_nametoindex(names[i][0] == 'a' ? "a" : "b")), 0);
        CHECK_EQ(if_nametoindex(names[i]) != 0, 1);
    }
    give("a", "198.51.100.1", "255.255.255.0");
    set_up("b", 1);
    for (int i = 0; i < 4; i++) {
        set_up(names[i], 1);
    }
    int sender = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
    CHECK(setsockopt(sender, SOL_SOCKET, SO_BROADCAST, &one, sizeof one) == 0);
    struct sockaddr_in to = at("198.51.100.255", 7100);
    CHECK_EQ(sendto(sender, "packet", 6, 0, (struct sockaddr *)&to, sizeof to), 6);
    set_up("a1", 0);
    CHECK_EQ(delete("a"), 0);
    CHECK_EQ(delete("b"), 0);
    CHECK_EQ(delete("a1"), 0);
    CHECK_EQ(delete("a2"), 0);
}

CASE(listeners_hear_of_interfaces)
{
    fresh();
    int listener = netlink();
    struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
    CHECK(bind(listener, (struct sockaddr *)&group, sizeof group) == 0);
    CHECK_EQ(make("bridge", "heard"), 0);
    int index = if_nametoindex("heard");
    CHECK_EQ(delete("heard"), 0);
    int made = 0, gone = 0;
    char buffer[16384];
    struct timeval wait = { 10, 0 };
    CHECK(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0);
    while (!gone) {
        int length = recv(listener, buffer, sizeof buffer, 0);
        CHECK(length > 0);
        for (struct nlmsghdr *message = (struct nlmsghdr *)buffer; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length)) {
            CHECK_EQ(((struct ifinfomsg *)NLMSG_DATA(message))->ifi_index, index);
            made += message->nlmsg_type == RTM_NEWLINK;
            gone += message->nlmsg_type == RTM_DELLINK;
        }
    }
    CHECK(made >= 1 && gone == 1);
}

CASE(uevents_tell_of_interfaces)
{
    fresh();
    int listener = socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
    CHECK(listener >= 0);
    struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = 1 };
    CHECK(bind(listener, (struct sockaddr *)&group, sizeof group) == 0);
    CHECK_EQ(make("bridge", "seen"), 0);
    char text[2048];
    struct timeval wait = { 10, 0 };
    CHECK(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0);
    int length = recv(listener, text, sizeof text - 1, 0);
    CHECK(length > 0);
    text[length] = 0;
    CHECK(strcmp(text, "add@/devices/virtual/net/seen") == 0);
    int found = 0;
    for (char *word = text; word < text + length; word += strlen(word) + 1) {
        found += strcmp(word, "ACTION=add") == 0 || strcmp(word, "SUBSYSTEM=net") == 0 || strcmp(word, "INTERFACE=seen") == 0;
    }
    CHECK_EQ(found, 3);
}

CASE(ioctl_sets_addresses)
{
    fresh();
    CHECK_EQ(make("bridge", "d"), 0);
    struct ifreq request = request_of("d");
    struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = inet_addr("198.51.100.7");
    CHECK_ERRNO(control(SIOCSIFNETMASK, &request), EADDRNOTAVAIL);
    CHECK(control(SIOCSIFADDR, &request) == 0);
    CHECK_EQ(flags_of("d") & IFF_UP, 0);
    CHECK(control(SIOCGIFNETMASK, &request) == 0);
    CHECK_EQ(in->sin_addr.s_addr, inet_addr("255.255.255.0"));
    in->sin_addr.s_addr = inet_addr("255.0.255.0");
    CHECK_ERRNO(control(SIOCSIFNETMASK, &request), EINVAL);
    in->sin_addr.s_addr = inet_addr("255.255.255.128");
    CHECK(control(SIOCSIFNETMASK, &request) == 0);
    CHECK(control(SIOCGIFBRDADDR, &request) == 0);
    CHECK_EQ(in->sin_addr.s_addr, inet_addr("198.51.100.127"));
    in->sin_addr.s_addr = inet_addr("198.51.100.8");
    CHECK(control(SIOCSIFADDR, &request) == 0);
    CHECK(control(SIOCGIFADDR, &request) == 0);
    CHECK_EQ(in->sin_addr.s_addr, inet_addr("198.51.100.8"));
    in->sin_addr.s_addr = 0;
    CHECK(control(SIOCSIFADDR, &request) == 0);
    CHECK_ERRNO(control(SIOCGIFADDR, &request), EADDRNOTAVAIL);
}

GUEST_MAIN("veth")
