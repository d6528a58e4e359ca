// The calls that applications make all the time, each many times: HotCallTests counts what they allocate in the Sentry. Arguments: names of sections, or none for all. Prints "made" at the end.
// A section runs in a process of its own. What LOOP repeats is made WARM times first, so that what is made once and kept is there; then the task takes the section's name, under which it is counted.
#include "../inet.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/un.h>

#define WARM 100
#define COUNT 1500
#define MANY (WARM + COUNT)

static const char *section;

#define DIE() (fprintf(stderr, "%s line %d: %s\n", section, __LINE__, strerror(errno)), _exit(1))
#define MUST(WHAT) do { if (!(WHAT)) DIE(); } while (0)
#define NAME(WHAT) MUST(prctl(PR_SET_NAME, WHAT) == 0)
#define LOOP(...)                                                                                   \
    do {                                                                                            \
        NAME("rest");                                                                               \
        for (int i_ = 0; i_ < MANY; i_++) {                                                         \
            if (i_ == WARM) NAME(section);                                                          \
            __VA_ARGS__;                                                                            \
        }                                                                                           \
        NAME("rest");                                                                               \
    } while (0)

static char buffer[8192];
static struct iovec iov[2] = { { buffer, 100 }, { buffer + 1000, 100 } };

static int file_in(const char *folder)
{
    char path[64];
    snprintf(path, sizeof path, "%s/hot.XXXXXX", folder);
    int fd = mkstemp(path);
    MUST(fd >= 0 && unlink(path) == 0 && write(fd, buffer, sizeof buffer) == sizeof buffer);
    return fd;
}

static void file_io(const char *folder)
{
    int fd = file_in(folder);
    struct stat st;
    LOOP({
        MUST(lseek(fd, 0, SEEK_SET) == 0);
        MUST(write(fd, buffer, 100) == 100 && read(fd, buffer, 100) == 100);
        MUST(pwrite(fd, buffer, 100, 50) == 100 && pread(fd, buffer, 100, 50) == 100);
        MUST(writev(fd, iov, 2) == 200 && readv(fd, iov, 2) == 200);
        MUST(pwritev(fd, iov, 2, 0) == 200 && preadv(fd, iov, 2, 0) == 200);
        MUST(fstat(fd, &st) == 0);
    });
}

static void sec_file_tmp(void) { file_io("/tmp"); }
static void sec_file_root(void) { file_io("/var/tmp"); }

static void sec_file_host(void)
{
    int fd = open("/proc/self/exe", O_RDONLY);
    LOOP(MUST(pread(fd, buffer, 4096, 0) == 4096 && pread(fd, buffer, 5, 3) == 5));
}

static void sec_devices(void)
{
    int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY), random = open("/dev/urandom", O_RDONLY);
    LOOP(MUST(read(zero, buffer, 1) == 1 && write(null, buffer, 1) == 1 && read(random, buffer, 16) == 16 && syscall(SYS_getrandom, buffer, 16, 0) == 16));
}

static void sec_stat(void)
{
    struct stat st;
    struct statx stx;
    char cwd[256];
    MUST(mkdir("/tmp/hot.d", 0755) == 0 && symlink("hot.d", "/tmp/hot.l") == 0);
    LOOP({
        MUST(stat("/tmp/hot.d", &st) == 0 && stat("/tmp/hot.l/../hot.d", &st) == 0 && lstat("/tmp/hot.l", &st) == 0);
        MUST(stat("/etc/passwd", &st) == 0 && stat("/usr/bin/../lib", &st) == 0);
        MUST(statx(AT_FDCWD, "/etc/passwd", 0, STATX_ALL, &stx) == 0);
        MUST(access("/etc/passwd", R_OK) == 0 && stat("/etc/none.such", &st) == -1 && stat("/tmp/none.such", &st) == -1);
        MUST(readlink("/tmp/hot.l", buffer, 100) == 5 && getcwd(cwd, sizeof cwd));
    });
    MUST(unlink("/tmp/hot.l") == 0 && rmdir("/tmp/hot.d") == 0);
}

static void sec_directory(void)
{
    int fd = open("/etc", O_RDONLY | O_DIRECTORY), tmp = open("/tmp", O_RDONLY | O_DIRECTORY);
    LOOP({
        MUST(lseek(fd, 0, SEEK_SET) == 0 && syscall(SYS_getdents64, fd, buffer, 1024) > 0);
        MUST(lseek(tmp, 0, SEEK_SET) == 0 && syscall(SYS_getdents64, tmp, buffer, 1024) > 0);
    });
}

static void sec_descriptors(void)
{
    int fd = file_in("/tmp"), pipe_fds[2];
    MUST(pipe(pipe_fds) == 0);
    LOOP({
        int other = dup(fd);
        MUST(other >= 0 && dup2(fd, 100) == 100 && fcntl(fd, F_DUPFD_CLOEXEC, 50) >= 50 && close(50) == 0 && close(100) == 0 && close(other) == 0);
        MUST(fcntl(fd, F_GETFL) >= 0 && fcntl(fd, F_SETFL, 0) == 0 && fcntl(fd, F_GETFD) >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
        int n;
        MUST(ioctl(pipe_fds[0], FIONREAD, &n) == 0 && ioctl(fd, TCGETS, buffer) == -1 && fsync(fd) == 0);
    });
}

static void sec_pipe(void)
{
    int fds[2];
    MUST(pipe(fds) == 0);
    LOOP(MUST(write(fds[1], buffer, 100) == 100 && read(fds[0], buffer, 100) == 100 && writev(fds[1], iov, 2) == 200 && readv(fds[0], iov, 2) == 200));
}

static void echo(int in, int out) { LOOP(MUST(read(in, buffer, 1) == 1 && write(out, buffer, 1) == 1)); }

// One to and fro for each round, with a process that answers.
static void ping_pong(int in, int out, int their_in, int their_out)
{
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        echo(their_in, their_out);
        _exit(0);
    }
    LOOP(MUST(write(out, buffer, 1) == 1 && read(in, buffer, 1) == 1));
    int status;
    MUST(waitpid(pid, &status, 0) == pid && status == 0);
}

static void sec_pipe_blocking(void)
{
    int to[2], fro[2];
    MUST(pipe(to) == 0 && pipe(fro) == 0);
    ping_pong(fro[0], to[1], to[0], fro[1]);
}

static void sec_unix_blocking(void)
{
    int s[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    ping_pong(s[0], s[0], s[1], s[1]);
}

static void socket_io(int a, int b)
{
    struct msghdr message = { .msg_iov = iov, .msg_iovlen = 2 };
    LOOP({
        MUST(write(a, buffer, 100) == 100 && read(b, buffer, 100) == 100);
        MUST(send(a, buffer, 100, 0) == 100 && recv(b, buffer, 100, 0) == 100);
        MUST(sendmsg(a, &message, 0) == 200 && recvmsg(b, &message, 0) == 200);
    });
}

static void sec_unix_stream(void)
{
    int s[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    socket_io(s[0], s[1]);
}

static void sec_unix_dgram(void)
{
    int s[2];
    MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
    socket_io(s[0], s[1]);
}

static void quick_pair(int s[2])
{
    int one = 1;
    tcp_pair(s);
    for (int i = 0; i < 2; i++)
        MUST(setsockopt(s[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0);
}

static void sec_tcp(void)
{
    int s[2];
    quick_pair(s);
    socket_io(s[0], s[1]);
}

static void sec_tcp_blocking(void)
{
    int s[2];
    quick_pair(s);
    ping_pong(s[0], s[0], s[1], s[1]);
}

static void sec_tcp_bulk(void)
{
    static char bulk[65536];
    int s[2];
    quick_pair(s);
    LOOP({
        MUST(write(s[0], bulk, sizeof bulk) == sizeof bulk);
        for (size_t got = 0; got < sizeof bulk;) {
            ssize_t n = read(s[1], bulk, sizeof bulk);
            MUST(n > 0);
            got += n;
        }
    });
}

static void sec_udp(void)
{
    struct sockaddr_in a = loopback4(0);
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    MUST(bind(fd, (struct sockaddr *)&a, n) == 0 && getsockname(fd, (struct sockaddr *)&a, &n) == 0);
    LOOP(MUST(sendto(fd, buffer, 64, 0, (struct sockaddr *)&a, sizeof a) == 64 && recv(fd, buffer, 64, 0) == 64 && sendto(fd, buffer, 64, 0, (struct sockaddr *)&a, sizeof a) == 64 && recvfrom(fd, buffer, 64, 0, (struct sockaddr *)&a, &n) == 64));
}

static void sec_epoll(void)
{
    int poll_fd = epoll_create1(0), event = eventfd(0, 0);
    struct epoll_event want = { .events = EPOLLIN }, got[4];
    uint64_t one = 1, value;
    LOOP({
        MUST(epoll_ctl(poll_fd, EPOLL_CTL_ADD, event, &want) == 0);
        MUST(write(event, &one, 8) == 8 && epoll_wait(poll_fd, got, 4, -1) == 1 && read(event, &value, 8) == 8 && epoll_wait(poll_fd, got, 4, 0) == 0);
        MUST(epoll_ctl(poll_fd, EPOLL_CTL_MOD, event, &want) == 0 && epoll_ctl(poll_fd, EPOLL_CTL_DEL, event, NULL) == 0);
    });
}

static void sec_epoll_blocking(void)
{
    int to = eventfd(0, 0), fro = eventfd(0, 0), poll_fd = epoll_create1(0);
    struct epoll_event want = { .events = EPOLLIN }, got;
    uint64_t one = 1, value;
    MUST(epoll_ctl(poll_fd, EPOLL_CTL_ADD, fro, &want) == 0);
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        LOOP(MUST(read(to, &value, 8) == 8 && write(fro, &one, 8) == 8));
        _exit(0);
    }
    LOOP(MUST(write(to, &one, 8) == 8 && epoll_wait(poll_fd, &got, 1, 10000) == 1 && read(fro, &value, 8) == 8));
    MUST(waitpid(pid, NULL, 0) == pid);
}

static void sec_poll(void)
{
    int fds[2];
    MUST(pipe(fds) == 0 && write(fds[1], buffer, 1) == 1);
    struct pollfd set[2] = { { fds[0], POLLIN, 0 }, { fds[1], POLLOUT, 0 } };
    LOOP({
        struct timeval zero = { 0, 0 };
        fd_set readable;
        FD_ZERO(&readable);
        FD_SET(fds[0], &readable);
        MUST(poll(set, 2, -1) == 2 && poll(set, 2, 0) == 2 && select(fds[1] + 1, &readable, NULL, NULL, &zero) == 1);
    });
}

static void sec_poll_blocking(void)
{
    int to[2], fro[2];
    MUST(pipe(to) == 0 && pipe(fro) == 0);
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        echo(to[0], fro[1]);
        _exit(0);
    }
    struct pollfd set = { fro[0], POLLIN, 0 };
    LOOP({
        fd_set readable;
        FD_ZERO(&readable);
        FD_SET(fro[0], &readable);
        MUST(write(to[1], buffer, 1) == 1 && (i_ & 1 ? poll(&set, 1, 10000) == 1 : select(fro[0] + 1, &readable, NULL, NULL, NULL) == 1) && read(fro[0], buffer, 1) == 1);
    });
    MUST(waitpid(pid, NULL, 0) == pid);
}

static int turn[2];

static void wait_turn(int *word)
{
    while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == 0)
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    __atomic_store_n(word, 0, __ATOMIC_SEQ_CST);
}

static void give_turn(int *word)
{
    __atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *futex_peer(void *unused)
{
    LOOP({ wait_turn(&turn[0]); give_turn(&turn[1]); });
    return unused;
}

static void sec_futex(void)
{
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, futex_peer, NULL) == 0);
    LOOP({ give_turn(&turn[0]); wait_turn(&turn[1]); });
    MUST(pthread_join(thread, NULL) == 0);
}

static void sec_memory(void)
{
    void *heap = sbrk(0);
    LOOP({
        char *m = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        MUST(m != MAP_FAILED);
        m[0] = 1;
        m[40000] = 1;
        MUST(mprotect(m + 4096, 8192, PROT_READ) == 0 && madvise(m, 65536, MADV_DONTNEED) == 0 && munmap(m, 65536) == 0);
        MUST(brk((char *)heap + 65536) == 0);
        ((char *)heap)[100] = 1;
        MUST(brk(heap) == 0);
    });
}

static volatile sig_atomic_t handled;

static void on_signal(int number) { handled += number > 0; }

static void sec_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal }, old;
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    LOOP({
        MUST(sigaction(SIGUSR1, &action, &old) == 0 && kill(getpid(), SIGUSR1) == 0 && raise(SIGUSR1) == 0);
        MUST(sigprocmask(SIG_BLOCK, &set, &before) == 0 && kill(getpid(), SIGUSR1) == 0 && sigprocmask(SIG_SETMASK, &before, NULL) == 0);
    });
    MUST(handled == 3 * MANY);
}

static void sec_faults(void)
{
    char *m = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(m != MAP_FAILED);
    LOOP({ m[i_ * 40960L] = 1; MUST(getppid() > 0); });
}

static void sec_time(void)
{
    struct timespec now, none = { 0, 1 }, later;
    struct timeval day;
    LOOP({
        MUST(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now) == 0 && syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &now) == 0 && syscall(SYS_gettimeofday, &day, NULL) == 0);
        MUST(nanosleep(&none, &later) == 0 && sched_yield() == 0);
    });
}

static void sec_identity(void)
{
    LOOP(MUST(syscall(SYS_getpid) > 0 && syscall(SYS_gettid) > 0 && getppid() > 0 && getuid() < 65535 && syscall(SYS_umask, 022) >= 0 && syscall(SYS_getpgid, 0) > 0));
}

static void sec_open(void)
{
    int fd = open("/tmp/hot.f", O_CREAT | O_WRONLY, 0644);
    MUST(fd >= 0 && close(fd) == 0);
    LOOP({
        MUST((fd = open("/etc/passwd", O_RDONLY)) >= 0 && close(fd) == 0);
        MUST((fd = open("/tmp/hot.f", O_RDONLY)) >= 0 && close(fd) == 0);
    });
    MUST(unlink("/tmp/hot.f") == 0);
}

static const struct {
    const char *name;
    void (*run)(void);
} sections[] = {
    { "file_tmp", sec_file_tmp }, { "file_root", sec_file_root }, { "file_host", sec_file_host }, { "devices", sec_devices }, { "stat", sec_stat }, { "directory", sec_directory },
    { "descriptors", sec_descriptors }, { "open", sec_open }, { "pipe", sec_pipe }, { "pipe_blocking", sec_pipe_blocking }, { "unix_stream", sec_unix_stream }, { "unix_dgram", sec_unix_dgram },
    { "unix_blocking", sec_unix_blocking }, { "tcp", sec_tcp }, { "tcp_blocking", sec_tcp_blocking }, { "tcp_bulk", sec_tcp_bulk }, { "udp", sec_udp }, { "epoll", sec_epoll },
    { "epoll_blocking", sec_epoll_blocking }, { "poll", sec_poll }, { "poll_blocking", sec_poll_blocking }, { "futex", sec_futex }, { "memory", sec_memory }, { "signals", sec_signals },
    { "faults", sec_faults }, { "time", sec_time }, { "identity", sec_identity },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        int is_wanted = argc == 1;
        for (int k = 1; k < argc; k++)
            is_wanted |= strcmp(argv[k], sections[i].name) == 0;
        if (!is_wanted)
            continue;
        section = sections[i].name;
        pid_t pid = fork();
        if (pid == 0) {
            alarm(60);
            sections[i].run();
            _exit(0);
        }
        int status;
        MUST(waitpid(pid, &status, 0) == pid);
        if (status != 0) {
            printf("%s ended with %#x\n", section, status);
            return 1;
        }
    }
    puts("made");
    return 0;
}
