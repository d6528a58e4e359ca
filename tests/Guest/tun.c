// /dev/net/tun: TUNSETIFF and its kin, packets and frames that a program reads and writes.
#include "guest.h"
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int open_tun(int flags)
{
    int fd = open("/dev/net/tun", O_RDWR | flags);
    CHECK(fd >= 0);
    return fd;
}

static int attach(int fd, const char *name, int flags)
{
    struct ifreq request = { 0 };
    strcpy(request.ifr_name, name);
    request.ifr_flags = flags;
    return ioctl(fd, TUNSETIFF, &request);
}

static struct ifreq request_of(const char *name)
{
    struct ifreq request = { 0 };
    strcpy(request.ifr_name, name);
    return request;
}

static int control(int request, struct ifreq *argument)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(fd >= 0);
    int rc = ioctl(fd, request, argument), error = errno;
    close(fd);
    errno = error;
    return rc;
}

static void give(const char *name, const char *address)
{
    struct ifreq request = request_of(name);
    struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = inet_addr(address);
    CHECK(control(SIOCSIFADDR, &request) == 0);
    in->sin_addr.s_addr = inet_addr("255.255.255.0");
    CHECK(control(SIOCSIFNETMASK, &request) == 0);
    CHECK(control(SIOCGIFFLAGS, &request) == 0);
    request.ifr_flags |= IFF_UP;
    CHECK(control(SIOCSIFFLAGS, &request) == 0);
}

static void no_v6(void)
{
    int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY);
    if (fd >= 0) {
        CHECK_EQ(write(fd, "1", 1), 1);
        close(fd);
    }
}

static void fresh(void)
{
    CHECK(unshare(CLONE_NEWNET) == 0);
    no_v6(); // so that only what a case sends is sent
}

static unsigned short sum(const void *data, int length)
{
    const unsigned short *word = data;
    unsigned total = 0;
    for (; length > 1; length -= 2) {
        total += *word++;
    }
    while (total >> 16) {
        total = (total & 0xffff) + (total >> 16);
    }
    return ~total;
}

// A datagram of "packet", with no checksum of UDP.
static int datagram(char *bytes, const char *from, const char *to, int port)
{
    struct iphdr *ip = (struct iphdr *)bytes;
    struct udphdr *udp = (struct udphdr *)(ip + 1);
    int length = sizeof *ip + sizeof *udp + 6;
    memset(bytes, 0, length);
    *ip = (struct iphdr){ .version = 4, .ihl = 5, .tot_len = htons(length), .ttl = 64, .protocol = IPPROTO_UDP, .saddr = inet_addr(from), .daddr = inet_addr(to) };
    ip->check = sum(ip, sizeof *ip);
    *udp = (struct udphdr){ .source = htons(7200), .dest = htons(port), .len = htons(sizeof *udp + 6) };
    memcpy(udp + 1, "packet", 6);
    return length;
}

static int receiver(int port)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = INADDR_ANY };
    CHECK(bind(fd, (struct sockaddr *)&own, sizeof own) == 0);
    struct timeval wait = { 10, 0 };
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0);
    return fd;
}

static void send_packet(const char *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(7200), .sin_addr.s_addr = inet_addr(address) };
    CHECK_EQ(sendto(fd, "packet", 6, 0, (struct sockaddr *)&to, sizeof to), 6);
    close(fd);
}

CASE(without_an_interface)
{
    fresh();
    int fd = open_tun(O_NONBLOCK);
    char c[64] = { 0 };
    CHECK_ERRNO(read(fd, c, sizeof c), EBADFD);
    CHECK_ERRNO(write(fd, c, sizeof c), EBADFD);
    struct ifreq request = { 0 };
    CHECK_ERRNO(ioctl(fd, TUNGETIFF, &request), EBADFD);
    CHECK_ERRNO(ioctl(fd, TUNSETPERSIST, 1), EBADFD);
    CHECK_ERRNO(ioctl(fd, TUNSETIFF, BAD_POINTER), EFAULT);
    struct pollfd waiting = { fd, POLLIN | POLLOUT, 0 };
    CHECK_EQ(poll(&waiting, 1, 0), 1);
    CHECK_EQ(waiting.revents, POLLERR);
    unsigned features = 0;
    CHECK(ioctl(fd, TUNGETFEATURES, &features) == 0);
    CHECK_EQ(features & (IFF_TUN | IFF_TAP | IFF_NO_PI), IFF_TUN | IFF_TAP | IFF_NO_PI);
}

CASE(interface_of_packets)
{
    fresh();
    int fd = open_tun(0);
    CHECK(attach(fd, "", IFF_TUN | IFF_NO_PI) == 0);
    CHECK(if_nametoindex("tun0") != 0);
    struct ifreq request = { 0 };
    CHECK(ioctl(fd, TUNGETIFF, &request) == 0);
    CHECK(strcmp(request.ifr_name, "tun0") == 0);
    CHECK_EQ(request.ifr_flags & (IFF_TUN | IFF_TAP | IFF_NO_PI), IFF_TUN | IFF_NO_PI);
    CHECK(control(SIOCGIFFLAGS, &request) == 0);
    CHECK_EQ(request.ifr_flags & ~IFF_RUNNING, IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST);
    CHECK(control(SIOCGIFHWADDR, &request) == 0);
    CHECK_EQ(request.ifr_hwaddr.sa_family, 0xfffe);
    CHECK(control(SIOCGIFMTU, &request) == 0);
    CHECK_EQ(request.ifr_mtu, 1500);
    CHECK_ERRNO(attach(fd, "again", IFF_TUN), EEXIST);
    close(fd);
    CHECK(if_nametoindex("tun0") == 0);
}

CASE(interface_of_frames)
{
    fresh();
    int fd = open_tun(0);
    CHECK(attach(fd, "frames%d", IFF_TAP | IFF_NO_PI) == 0);
    struct ifreq request = request_of("frames0");
    CHECK(control(SIOCGIFFLAGS, &request) == 0);
    CHECK_EQ(request.ifr_flags & ~IFF_RUNNING, IFF_BROADCAST | IFF_MULTICAST);
    CHECK(control(SIOCGIFHWADDR, &request) == 0);
    CHECK_EQ(request.ifr_hwaddr.sa_family, 1);
    struct ifreq same = request_of("frames0");
    CHECK(ioctl(fd, SIOCGIFHWADDR, &same) == 0);
    CHECK(memcmp(&same.ifr_hwaddr, &request.ifr_hwaddr, sizeof same.ifr_hwaddr) == 0);
}

CASE(what_cannot_be_made)
{
    fresh();
    int fd = open_tun(0);
    CHECK_ERRNO(attach(fd, "x", 0), EINVAL);
    CHECK_ERRNO(attach(fd, "a/b", IFF_TUN), EINVAL);
    CHECK_ERRNO(attach(fd, "lo", IFF_TUN), EINVAL);
    CHECK(attach(fd, "x", IFF_TUN) == 0);
    int other = open_tun(0);
    CHECK_ERRNO(attach(other, "x", IFF_TAP), EINVAL);
    CHECK_ERRNO(attach(other, "x", IFF_TUN), EBUSY);
    CHECK_ERRNO(attach(other, "x", IFF_TUN | 0x8000), EBUSY);
    CHECK(setresuid(1000, 1000, 1000) == 0);
    CHECK_ERRNO(attach(other, "y", IFF_TUN), EPERM);
}

CASE(persistent_interface_and_its_owner)
{
    fresh();
    int fd = open_tun(0);
    CHECK(attach(fd, "stays", IFF_TUN) == 0);
    CHECK(ioctl(fd, TUNSETPERSIST, 1) == 0);
    CHECK(ioctl(fd, TUNSETOWNER, 1000) == 0);
    close(fd);
    CHECK(if_nametoindex("stays") != 0);
    fd = open_tun(0);
    pid_t child = fork();
    if (child == 0) {
        CHECK(setresuid(1001, 1001, 1001) == 0);
        CHECK_ERRNO(attach(fd, "stays", IFF_TUN), EPERM);
        _exit(0);
    }
    CHECK_CHILD(child);
    child = fork();
    if (child == 0) {
        CHECK(setresuid(1000, 1000, 1000) == 0);
        CHECK(attach(fd, "stays", IFF_TUN) == 0);
        CHECK(ioctl(fd, TUNSETPERSIST, 0) == 0);
        _exit(0);
    }
    CHECK_CHILD(child);
    CHECK(if_nametoindex("stays") != 0);
    close(fd);
    CHECK(if_nametoindex("stays") == 0);
}

CASE(reading_what_is_sent)
{
    fresh();
    int fd = open_tun(O_NONBLOCK);
    CHECK(attach(fd, "t", IFF_TUN | IFF_NO_PI) == 0);
    give("t", "198.51.100.1");
    char bytes[2048];
    CHECK_ERRNO(read(fd, bytes, sizeof bytes), EAGAIN);
    struct pollfd waiting = { fd, POLLIN | POLLOUT, 0 };
    CHECK_EQ(poll(&waiting, 1, 0), 1);
    CHECK_EQ(waiting.revents, POLLOUT);
    send_packet("198.51.100.2");
    CHECK_EQ(poll(&waiting, 1, 10000), 1);
    CHECK(waiting.revents & POLLIN);
    CHECK_EQ(read(fd, bytes, sizeof bytes), 34);
    struct iphdr *ip = (struct iphdr *)bytes;
    CHECK(ip->version == 4 && ip->protocol == IPPROTO_UDP && ip->daddr == inet_addr("198.51.100.2") && ip->saddr == inet_addr("198.51.100.1"));
    CHECK_EQ(sum(ip, sizeof *ip), 0);
    CHECK(memcmp(bytes + 28, "packet", 6) == 0);
    CHECK_ERRNO(read(fd, bytes, sizeof bytes), EAGAIN);
}

CASE(short_reads_cut_packets)
{
    fresh();
    int fd = open_tun(O_NONBLOCK);
    CHECK(attach(fd, "t", IFF_TUN) == 0);
    give("t", "198.51.100.1");
    for (int i = 0; i < 3; i++) {
        send_packet("198.51.100.2");
    }
    unsigned char bytes[2048];
    CHECK_ERRNO(read(fd, bytes, 3), EINVAL); // and the packet is gone
    CHECK_EQ(read(fd, bytes, 14), 14);
    CHECK(bytes[0] == 1 && bytes[2] == 8 && bytes[3] == 0 && bytes[4] == 0x45);
    CHECK_EQ(read(fd, bytes, sizeof bytes), 38);
    CHECK(bytes[0] == 0 && bytes[2] == 8 && bytes[3] == 0 && bytes[4] == 0x45);
}

static void *read_one(void *result)
{
    int *fds = result;
    char bytes[2048];
    fds[1] = read(fds[0], bytes, sizeof bytes);
    return NULL;
}

CASE(reading_waits)
{
    fresh();
    int fds[2] = { open_tun(0), 0 };
    CHECK(attach(fds[0], "t", IFF_TUN | IFF_NO_PI) == 0);
    give("t", "198.51.100.1");
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, read_one, fds) == 0);
    sleep_ms(20);
    send_packet("198.51.100.2");
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_EQ(fds[1], 34);
}

CASE(writing_is_receiving)
{
    fresh();
    int fd = open_tun(0);
    CHECK(attach(fd, "t", IFF_TUN | IFF_NO_PI) == 0);
    char bytes[256];
    int length = datagram(bytes, "198.51.100.2", "198.51.100.1", 7201);
    CHECK_ERRNO(write(fd, bytes, length), EIO);
    give("t", "198.51.100.1");
    int socket = receiver(7201);
    CHECK_EQ(write(fd, bytes, length), length);
    char text[16];
    CHECK_EQ(recv(socket, text, sizeof text, 0), 6);
    bytes[0] = 0x15;
    CHECK_ERRNO(write(fd, bytes, length), EINVAL);
    CHECK_ERRNO(syscall(SYS_write, fd, BAD_POINTER, (long)length), EFAULT);
}

CASE(frames_are_asked_for_and_answered)
{
    fresh();
    int fd = open_tun(O_NONBLOCK);
    CHECK(attach(fd, "t", IFF_TAP | IFF_NO_PI) == 0);
    give("t", "198.51.100.1");
    send_packet("198.51.100.2");
    unsigned char frame[2048], own[6];
    struct pollfd waiting = { fd, POLLIN, 0 };
    do {
        CHECK_EQ(poll(&waiting, 1, 10000), 1);
        CHECK(read(fd, frame, sizeof frame) >= 42);
    } while (frame[12] != 8 || frame[13] != 6);
    CHECK(memcmp(frame, "\xff\xff\xff\xff\xff\xff", 6) == 0);
    CHECK(frame[21] == 1 && memcmp(frame + 38, "\xc6\x33\x64\x02", 4) == 0);
    memcpy(own, frame + 6, 6);
    memcpy(frame, own, 6);
    memcpy(frame + 6, "\2\0\0\0\0\2", 6);
    frame[21] = 2;
    memcpy(frame + 32, own, 6);
    memcpy(frame + 38, "\xc6\x33\x64\x01", 4);
    memcpy(frame + 22, "\2\0\0\0\0\2", 6);
    memcpy(frame + 28, "\xc6\x33\x64\x02", 4);
    CHECK_EQ(write(fd, frame, 42), 42);
    do {
        CHECK_EQ(poll(&waiting, 1, 10000), 1);
        CHECK(read(fd, frame, sizeof frame) >= 42);
    } while (frame[12] != 8 || frame[13] != 0);
    CHECK(memcmp(frame, "\2\0\0\0\0\2", 6) == 0);
    CHECK(memcmp(frame + 42, "packet", 6) == 0);
    CHECK_ERRNO(write(fd, frame, 13), EINVAL);
}

CASE(stays_in_the_network_it_was_opened_in)
{
    fresh();
    int own = open("/proc/thread-self/ns/net", O_RDONLY);
    int fd = open_tun(0);
    CHECK(unshare(CLONE_NEWNET) == 0);
    CHECK(attach(fd, "t", IFF_TUN) == 0);
    CHECK(if_nametoindex("t") == 0);
    CHECK(setns(own, CLONE_NEWNET) == 0);
    CHECK(if_nametoindex("t") != 0);
}

GUEST_MAIN("tun")
