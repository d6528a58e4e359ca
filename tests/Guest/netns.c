// network_namespaces(7): unshare(2), clone(2) and setns(2) with CLONE_NEWNET, /proc/PID/ns/net, and what each network has of its own.
#include "guest.h"
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/vfs.h>

static ino_t number_of(const char *path)
{
    struct stat st;
    CHECK(stat(path, &st) == 0);
    return st.st_ino;
}

static ino_t own_number(void) { return number_of("/proc/thread-self/ns/net"); }

static int flags_of(const char *name)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(fd >= 0);
    struct ifreq request = { 0 };
    strcpy(request.ifr_name, name);
    int rc = ioctl(fd, SIOCGIFFLAGS, &request);
    close(fd);
    return rc < 0 ? -errno : (unsigned short)request.ifr_flags;
}

static void set_up(const char *name, int up)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(fd >= 0);
    struct ifreq request = { 0 };
    strcpy(request.ifr_name, name);
    CHECK(ioctl(fd, SIOCGIFFLAGS, &request) == 0);
    request.ifr_flags = up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP;
    CHECK(ioctl(fd, SIOCSIFFLAGS, &request) == 0);
    close(fd);
}

static void read_file(const char *path, char *text, int room)
{
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    int length = read(fd, text, room - 1);
    CHECK(length >= 0);
    text[length] = 0;
    close(fd);
}

static int bind_udp(int port)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(fd >= 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_ANY) };
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

// A child in a network of its own, which waits until its end of a pipe is closed.
static pid_t start_child(int *release)
{
    int ready[2], end[2];
    CHECK(pipe(ready) == 0 && pipe(end) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(end[1]);
        CHECK(unshare(CLONE_NEWNET) == 0);
        char c = 1;
        CHECK(write(ready[1], &c, 1) == 1);
        CHECK(read(end[0], &c, 1) == 0);
        _exit(0);
    }
    char c;
    close(end[0]);
    CHECK(read(ready[0], &c, 1) == 1);
    *release = end[1];
    return child;
}

static void end_child(pid_t child, int release)
{
    int status;
    close(release);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_EQ(status, 0);
}

static int open_ns(pid_t pid)
{
    char path[64];
    sprintf(path, "/proc/%d/ns/net", pid);
    return open(path, O_RDONLY | O_CLOEXEC);
}

CASE(unshare_makes_a_network_with_loopback_that_is_down)
{
    ino_t before = own_number();
    CHECK(unshare(CLONE_NEWNET) == 0);
    CHECK(own_number() != before);
    CHECK_EQ(flags_of("lo"), IFF_LOOPBACK);
    CHECK_EQ(if_nametoindex("lo"), 1);
    struct if_nameindex *list = if_nameindex();
    CHECK(list != NULL && list[0].if_index == 1 && list[1].if_index == 0);
}

CASE(loopback_gets_its_addresses_when_it_comes_up)
{
    CHECK(unshare(CLONE_NEWNET) == 0);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    CHECK_ERRNO(connect(fd, (struct sockaddr *)&to, sizeof to), ENETUNREACH);
    set_up("lo", 1);
    CHECK_EQ(flags_of("lo"), IFF_LOOPBACK | IFF_UP | IFF_RUNNING);
    CHECK(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    char text[256];
    read_file("/proc/thread-self/net/if_inet6", text, sizeof text);
    CHECK(strncmp(text, "00000000000000000000000000000001 01 80 10 80       lo\n", 54) == 0);
}

CASE(packets_go_over_the_loopback_of_a_new_network)
{
    CHECK(unshare(CLONE_NEWNET) == 0);
    set_up("lo", 1);
    int receiver = bind_udp(7000);
    CHECK(receiver >= 0);
    int sender = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(7000), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    CHECK_EQ(sendto(sender, "hello", 5, 0, (struct sockaddr *)&to, sizeof to), 5);
    char text[8];
    CHECK_EQ(recv(receiver, text, sizeof text, 0), 5);
}

CASE(clone_with_newnet_leaves_the_parent_where_it_is)
{
    ino_t before = own_number();
    pid_t child = syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        CHECK(own_number() != before);
        CHECK_EQ(flags_of("lo"), IFF_LOOPBACK);
        _exit(0);
    }
    CHECK_CHILD(child);
    CHECK(own_number() == before);
}

CASE(children_are_in_their_parents_network)
{
    CHECK(unshare(CLONE_NEWNET) == 0);
    ino_t own = own_number();
    pid_t child = fork();
    if (child == 0) {
        CHECK(own_number() == own);
        _exit(0);
    }
    CHECK_CHILD(child);
}

CASE(setns_goes_back)
{
    ino_t before = own_number();
    int fd = open("/proc/self/ns/net", O_RDONLY);
    CHECK(fd >= 0);
    CHECK(unshare(CLONE_NEWNET) == 0);
    CHECK(own_number() != before);
    CHECK(setns(fd, CLONE_NEWNET) == 0);
    CHECK(own_number() == before);
    CHECK(unshare(CLONE_NEWNET) == 0);
    CHECK(setns(fd, 0) == 0);
    CHECK(own_number() == before);
}

CASE(setns_checks_descriptor_and_kind)
{
    int fd = open("/proc/self/ns/net", O_RDONLY);
    CHECK_ERRNO(setns(fd, CLONE_NEWUTS), EINVAL);
    CHECK_ERRNO(setns(-1, CLONE_NEWNET), EBADF);
    int other = open("/proc/self/status", O_RDONLY);
    CHECK_ERRNO(setns(other, CLONE_NEWNET), EINVAL);
    int path = open("/proc/self/ns/net", O_PATH);
    CHECK_ERRNO(setns(path, CLONE_NEWNET), EBADF);
}

CASE(needs_cap_sys_admin)
{
    int fd = open("/proc/self/ns/net", O_RDONLY);
    CHECK(setresuid(1000, 1000, 1000) == 0);
    CHECK_ERRNO(unshare(CLONE_NEWNET), EPERM);
    CHECK_ERRNO(syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0), EPERM);
    CHECK_ERRNO(setns(fd, CLONE_NEWNET), EPERM);
}

static void *move_thread(void *result)
{
    CHECK(unshare(CLONE_NEWNET) == 0);
    *(ino_t *)result = own_number();
    return NULL;
}

CASE(threads_can_be_in_different_networks)
{
    ino_t own = own_number(), other = 0;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, move_thread, &other) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(other != 0 && other != own);
    CHECK(own_number() == own);
    CHECK(number_of("/proc/self/ns/net") == own);
}

CASE(descriptor_keeps_a_network_whose_tasks_have_gone)
{
    int release;
    pid_t child = start_child(&release);
    int fd = open_ns(child);
    CHECK(fd >= 0);
    struct stat st;
    CHECK(fstat(fd, &st) == 0);
    end_child(child, release);
    CHECK(setns(fd, CLONE_NEWNET) == 0);
    CHECK(own_number() == st.st_ino);
    CHECK_EQ(flags_of("lo"), IFF_LOOPBACK);
}

CASE(bind_mount_keeps_a_network)
{
    CHECK(unshare(CLONE_NEWNS) == 0);
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    int release;
    pid_t child = start_child(&release);
    char path[64], name[64];
    sprintf(path, "/proc/%d/ns/net", child);
    ino_t number = number_of(path);
    sprintf(name, "kept");
    int file = open(name, O_CREAT | O_WRONLY, 0600);
    CHECK(file >= 0);
    close(file);
    CHECK(mount(path, name, NULL, MS_BIND, NULL) == 0);
    end_child(child, release);
    CHECK(number_of(name) == number);
    int fd = open(name, O_RDONLY);
    CHECK(fd >= 0);
    CHECK(umount2(name, MNT_DETACH) == 0);
    CHECK(setns(fd, CLONE_NEWNET) == 0);
    CHECK(own_number() == number);
}

CASE(bind_mount_is_told_of_as_nsfs)
{
    CHECK(unshare(CLONE_NEWNS) == 0);
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    int file = open("shown", O_CREAT | O_WRONLY, 0600);
    CHECK(file >= 0);
    close(file);
    CHECK(mount("/proc/self/ns/net", "shown", NULL, MS_BIND, NULL) == 0);
    char wanted[64], line[512];
    sprintf(wanted, " net:[%lu] ", (unsigned long)own_number());
    FILE *list = fopen("/proc/self/mountinfo", "r");
    int found = 0;
    while (fgets(line, sizeof line, list) != NULL) {
        found += strstr(line, wanted) != NULL && strstr(line, " - nsfs nsfs ") != NULL;
    }
    CHECK_EQ(found, 1);
    CHECK(umount("shown") == 0);
}

CASE(files_of_namespaces)
{
    struct statfs fs;
    int fd = open("/proc/self/ns/net", O_RDONLY);
    CHECK(fstatfs(fd, &fs) == 0);
    CHECK_EQ(fs.f_type, 0x6e736673);
    CHECK_EQ(ioctl(fd, NS_GET_NSTYPE), CLONE_NEWNET);
    CHECK_ERRNO(ioctl(fd, TIOCGWINSZ, &fs), ENOTTY);
    CHECK_ERRNO(open("/proc/self/ns/net", O_RDWR), EPERM);
    char text[64], wanted[64];
    int length = readlink("/proc/self/ns/net", text, sizeof text - 1);
    CHECK(length > 0);
    text[length] = 0;
    sprintf(wanted, "net:[%lu]", (unsigned long)own_number());
    CHECK(strcmp(text, wanted) == 0);
    struct stat one, two;
    CHECK(fstat(fd, &one) == 0 && stat("/proc/self/ns/net", &two) == 0);
    CHECK(one.st_dev == two.st_dev && one.st_ino == two.st_ino);
}

CASE(process_that_has_ended_is_in_no_network)
{
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    siginfo_t info;
    CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
    char path[64], text[64];
    sprintf(path, "/proc/%d/ns/net", child);
    CHECK_ERRNO(readlink(path, text, sizeof text), ENOENT);
    CHECK_ERRNO(open(path, O_RDONLY), ENOENT);
    CHECK_CHILD(child);
}

CASE(sockets_stay_in_the_network_they_were_made_in)
{
    CHECK(unshare(CLONE_NEWNET) == 0);
    set_up("lo", 1);
    int receiver = bind_udp(7001);
    CHECK(receiver >= 0);
    int sender = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(unshare(CLONE_NEWNET) == 0);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(7001), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    CHECK_EQ(sendto(sender, "hello", 5, 0, (struct sockaddr *)&to, sizeof to), 5);
    char text[8];
    CHECK_EQ(recv(receiver, text, sizeof text, 0), 5);
    int stranger = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_ERRNO(sendto(stranger, "hello", 5, 0, (struct sockaddr *)&to, sizeof to), ENETUNREACH);
    struct ifreq request = { 0 };
    strcpy(request.ifr_name, "lo");
    CHECK(ioctl(receiver, SIOCGIFFLAGS, &request) == 0);
    CHECK(request.ifr_flags & IFF_UP);
    CHECK(ioctl(stranger, SIOCGIFFLAGS, &request) == 0);
    CHECK(!(request.ifr_flags & IFF_UP));
}

CASE(ports_are_a_networks_own)
{
    CHECK(unshare(CLONE_NEWNET) == 0);
    CHECK(bind_udp(7002) >= 0);
    CHECK_ERRNO(bind_udp(7002), EADDRINUSE);
    CHECK(unshare(CLONE_NEWNET) == 0);
    CHECK(bind_udp(7002) >= 0);
}

CASE(accepted_connection_is_in_its_listeners_network)
{
    CHECK(unshare(CLONE_NEWNET) == 0);
    set_up("lo", 1);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(7003), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    CHECK(bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 1) == 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK(unshare(CLONE_NEWNET) == 0);
    int accepted = accept(listener, NULL, NULL);
    CHECK(accepted >= 0);
    struct ifreq request = { 0 };
    strcpy(request.ifr_name, "lo");
    CHECK(ioctl(accepted, SIOCGIFFLAGS, &request) == 0);
    CHECK(request.ifr_flags & IFF_UP);
    CHECK_EQ(write(client, "x", 1), 1);
    char c;
    CHECK_EQ(read(accepted, &c, 1), 1);
}

CASE(abstract_names_are_a_networks_own)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0netns-case" };
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + 11;
    CHECK(unshare(CLONE_NEWNET) == 0);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(listener, (struct sockaddr *)&name, length) == 0 && listen(listener, 1) == 0);
    CHECK(unshare(CLONE_NEWNET) == 0);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERRNO(connect(client, (struct sockaddr *)&name, length), ECONNREFUSED);
    int other = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(other, (struct sockaddr *)&name, length) == 0 && listen(other, 1) == 0);
    CHECK(connect(client, (struct sockaddr *)&name, length) == 0);
}

CASE(names_in_the_filesystem_reach_across_networks)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "across" };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(listener, (struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 1) == 0);
    CHECK(unshare(CLONE_NEWNET) == 0);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(client, (struct sockaddr *)&name, sizeof name) == 0);
    int server = accept(listener, NULL, NULL);
    CHECK_EQ(write(client, "x", 1), 1);
    char c;
    CHECK_EQ(read(server, &c, 1), 1);
}

CASE(proc_net_is_of_the_process)
{
    int release;
    pid_t child = start_child(&release);
    CHECK(unshare(CLONE_NEWNET) == 0);
    CHECK(bind_udp(7004) >= 0);
    char path[64], own[4096], other[4096];
    sprintf(path, "/proc/%d/net/udp", child);
    read_file(path, other, sizeof other);
    read_file("/proc/thread-self/net/udp", own, sizeof own);
    CHECK(strstr(own, ":1B5C ") != NULL);
    CHECK(strstr(other, ":1B5C ") == NULL);
    end_child(child, release);
}

CASE(settings_are_a_networks_own)
{
    char text[16];
    CHECK(unshare(CLONE_NEWNET) == 0);
    read_file("/proc/sys/net/ipv4/ip_forward", text, sizeof text);
    char before = text[0];
    int fd = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, before == '1' ? "0\n" : "1\n", 2), 2);
    read_file("/proc/sys/net/ipv4/ip_forward", text, sizeof text);
    CHECK(text[0] != before);
    int release;
    pid_t child = start_child(&release);
    int ns = open_ns(child);
    CHECK(setns(ns, CLONE_NEWNET) == 0);
    read_file("/proc/sys/net/ipv4/ip_forward", text, sizeof text);
    CHECK(text[0] == before || text[0] == '0');
    end_child(child, release);
}

CASE(netlink_tells_of_its_sockets_network)
{
    CHECK(unshare(CLONE_NEWNET) == 0);
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    CHECK(fd >= 0);
    struct {
        struct nlmsghdr header;
        struct rtgenmsg family;
    } request = { { sizeof request, RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 1, 0 }, { AF_UNSPEC } };
    CHECK_EQ(send(fd, &request, sizeof request, 0), sizeof request);
    char answer[4096];
    int length = recv(fd, answer, sizeof answer, 0);
    CHECK(length >= (int)sizeof(struct nlmsghdr));
    CHECK_EQ(((struct nlmsghdr *)answer)->nlmsg_type, NLMSG_DONE);
}

CASE(networks_come_and_go)
{
    for (int i = 0; i < 40; i++) {
        CHECK(unshare(CLONE_NEWNET) == 0);
        if (i % 8 == 0) {
            set_up("lo", 1);
            CHECK(bind_udp(7005) >= 0);
        }
    }
}

GUEST_MAIN("netns")
