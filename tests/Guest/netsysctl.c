// /proc/sys/net: what programs read and set
#include "inet.h"

static char text[4096];

static const char *get(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "/proc/sys/net/%s", name);
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        guest_fail("no %s", path);
    }
    ssize_t n = read(fd, text, sizeof text - 1);
    CHECK(n > 0);
    CHECK_EQ(text[n - 1], '\n');
    text[n - 1] = 0;
    close(fd);
    return text;
}

static int set(const char *name, const char *value)
{
    char path[128];
    snprintf(path, sizeof path, "/proc/sys/net/%s", name);
    int fd = open(path, O_WRONLY);
    if (fd < 0) {
        return -1;
    }
    ssize_t n = write(fd, value, strlen(value));
    int why = errno;
    close(fd);
    errno = why;
    return n < 0 ? -1 : 0;
}

CASE(backlog_is_bounded)
{
    CHECK_EQ(set("core/somaxconn", "3\n"), 0);
    CHECK_EQ(strcmp(get("core/somaxconn"), "3"), 0);
    int fd = listening4(100), made = 0;
    for (; made < 10; made++) {
        int c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        struct sockaddr_in a = loopback4(port_of(fd));
        CHECK(connect(c, (struct sockaddr *)&a, sizeof a) == 0 || errno == EINPROGRESS);
        if (!(events_of(c, POLLOUT, 100) & POLLOUT)) {
            break;
        }
    }
    CHECK_EQ(made, 4);
    CHECK_EQ(set("core/somaxconn", "4096"), 0);
}

CASE(port_range)
{
    CHECK_EQ(set("ipv4/ip_local_port_range", "40000 40010"), 0);
    CHECK_EQ(strcmp(get("ipv4/ip_local_port_range"), "40000\t40010"), 0);
    for (int i = 0; i < 5; i++) {
        int port = port_of(bound4(SOCK_DGRAM));
        CHECK(port >= 40000 && port <= 40010);
        port = port_of(bound4(SOCK_STREAM));
        CHECK(port >= 40000 && port <= 40010);
    }
    CHECK_ERRNO(set("ipv4/ip_local_port_range", "50000 40000"), EINVAL);
    CHECK_EQ(set("ipv4/ip_local_port_range", "32768\t60999\n"), 0);
}

CASE(privileged_ports)
{
    CHECK_EQ(set("ipv4/ip_unprivileged_port_start", "80"), 0);
    CHECK_EQ(strcmp(get("ipv4/ip_unprivileged_port_start"), "80"), 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(setresuid(1000, 1000, 1000), 0);
        struct sockaddr_in a = loopback4(80);
        CHECK_EQ(bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof a), 0);
        a = loopback4(79);
        CHECK_ERRNO(bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof a), EACCES);
        _exit(0);
    }
    CHECK_CHILD(child);
    CHECK_EQ(set("ipv4/ip_unprivileged_port_start", "1024"), 0);
}

CASE(forwarding)
{
    CHECK_EQ(set("ipv4/ip_forward", "1"), 0);
    CHECK_EQ(strcmp(get("ipv4/ip_forward"), "1"), 0);
    CHECK_EQ(strcmp(get("ipv4/conf/all/forwarding"), "1"), 0);
    CHECK_EQ(set("ipv4/ip_forward", "0"), 0);
    CHECK_EQ(strcmp(get("ipv4/ip_forward"), "0"), 0);
}

// Of interfaces to come: nothing here is changed by it.
CASE(autoconfiguration)
{
    const char *names[] = { "accept_ra", "autoconf", "accept_dad", "dad_transmits" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64], before[16];
        snprintf(path, sizeof path, "ipv6/conf/default/%s", names[i]);
        snprintf(before, sizeof before, "%s", get(path));
        CHECK_EQ(set(path, "1"), 0);
        CHECK_EQ(strcmp(get(path), "1"), 0);
        CHECK_EQ(set(path, "0\n"), 0);
        CHECK_EQ(strcmp(get(path), "0"), 0);
        CHECK_ERRNO(set(path, "much"), EINVAL);
        CHECK_EQ(set(path, before), 0);
        snprintf(path, sizeof path, "ipv6/conf/lo/%s", names[i]);
        get(path);
        snprintf(path, sizeof path, "ipv6/conf/all/%s", names[i]);
        get(path);
    }
}

CASE(no_numbers)
{
    CHECK_ERRNO(set("core/somaxconn", "many"), EINVAL);
    CHECK_ERRNO(set("ipv4/ip_unprivileged_port_start", "70000"), EINVAL);
}

CASE(others_may_not_write)
{
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK(set("core/somaxconn", "3") < 0);
}

CASE(what_programs_read)
{
    const char *names[] = { "core/rmem_max", "core/wmem_max", "core/optmem_max", "ipv4/tcp_rmem", "ipv4/tcp_wmem", "ipv4/tcp_available_congestion_control",
                            "ipv4/tcp_congestion_control", "ipv4/tcp_keepalive_time", "ipv4/tcp_keepalive_intvl", "ipv4/tcp_keepalive_probes", "ipv4/tcp_fin_timeout", "ipv4/tcp_syncookies",
                            "ipv4/tcp_sack", "ipv4/tcp_timestamps", "ipv4/tcp_window_scaling", "ipv4/tcp_tw_reuse", "ipv4/ip_default_ttl", "ipv4/ping_group_range", "ipv6/bindv6only",
                            "ipv6/conf/all/disable_ipv6", "unix/max_dgram_qlen" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        get(names[i]);
    }
    char used[64];
    snprintf(used, sizeof used, "%s", get("ipv4/tcp_congestion_control"));
    CHECK(strstr(get("ipv4/tcp_available_congestion_control"), used));
    CHECK_EQ(strcmp(get("ipv6/bindv6only"), "0"), 0);
    CHECK_EQ(strcmp(get("ipv4/ip_default_ttl"), "64"), 0);
}

GUEST_MAIN("netsysctl")
