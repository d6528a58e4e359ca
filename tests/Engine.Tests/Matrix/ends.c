// The ends: runs the cases, each in a process of its own, and what they share.
#include "matrix.h"
#include <stdarg.h>
#include <sys/wait.h>

int role, family, base_port;

static struct { const char *name; void (*run)(void); } cases[128];
static int case_count, control = -1, others, hosts[2]; // the last part of this end's address and of the peer's
static const char *prefix;

void add_case(const char *name, void (*run)(void))
{
    cases[case_count].name = name;
    cases[case_count++].run = run;
}

void fail(int line, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    dprintf(STDERR_FILENO, "line %d: ", line);
    vdprintf(STDERR_FILENO, format, list);
    _exit(99);
}

static long ask(const char *format, ...) __attribute__((format(printf, 1, 2)));

// One line to the wire, one line back.
static long ask(const char *format, ...)
{
    char line[128];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(line, sizeof line, format, list);
    if (write(control, line, length) != length) {
        fail(__LINE__, "the wire is gone");
    }
    for (length = 0; length < (int)sizeof line - 1; length++) {
        if (read(control, line + length, 1) != 1) {
            fail(__LINE__, "the wire is gone");
        }
        if (line[length] == '\n') {
            break;
        }
    }
    line[length] = 0;
    return atol(line);
}

long swap_values(long value) { return ask("meet %ld\n", value); }
void wire(enum setting setting, int from, long value) { ask("set %d %d %ld\n", setting, from, value); }
long seen(enum counter counter, int from) { return ask("seen %d %d\n", counter, from); }
void await_seen(enum counter counter, int from, long count) { ask("await %d %d %ld\n", counter, from, count); }
void use_other_addresses(int which) { others = 10 * which; }
socklen_t address_length(void) { return family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6); }

static struct sockaddr_storage address(int host, int port)
{
    struct sockaddr_storage a = { .ss_family = family };
    char text[64];
    snprintf(text, sizeof text, "%s%d", prefix, others + host);
    if (family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)&a;
        inet_pton(AF_INET, text, &in->sin_addr);
        in->sin_port = htons(base_port + port);
    } else {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)&a;
        inet_pton(AF_INET6, text, &in->sin6_addr);
        in->sin6_port = htons(base_port + port);
    }
    return a;
}

struct sockaddr_storage peer(int port) { return address(hosts[1], port); }
struct sockaddr_storage own(int port) { return address(hosts[0], port); }
int set_int(int fd, int level, int option, int value) { return setsockopt(fd, level, option, &value, sizeof value); }

int int_option(int fd, int level, int option)
{
    int value = -1;
    socklen_t n = sizeof value;
    CHECK_EQ(getsockopt(fd, level, option, &value, &n), 0);
    return value;
}

int socket_at(int type, int port)
{
    struct sockaddr_storage a = own(port);
    int fd = socket(family, type, 0);
    CHECK(fd >= 0);
    CHECK_EQ(set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_EQ(bind(fd, ADDRESS(a)), 0);
    return fd;
}

int listening(int port, int backlog)
{
    int fd = socket_at(SOCK_STREAM, port);
    CHECK_EQ(listen(fd, backlog), 0);
    return fd;
}

int dialed(int port)
{
    struct sockaddr_storage a = peer(port), b = own(0);
    int fd = socket(family, SOCK_STREAM, 0);
    if (others) {
        ((struct sockaddr_in *)&b)->sin_port = 0; // at the same place for both families
        CHECK_EQ(bind(fd, ADDRESS(b)), 0);
    }
    CHECK_EQ(connect(fd, ADDRESS(a)), 0);
    return fd;
}

int begun(int port)
{
    struct sockaddr_storage a = peer(port);
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK_ERRNO(connect(fd, ADDRESS(a)), EINPROGRESS);
    return fd;
}

int accepted(int listener)
{
    int fd = accept(listener, NULL, NULL);
    CHECK(fd >= 0);
    return fd;
}

int tcp_pair(void)
{
    if (role == ACTIVE) {
        meet();
        return dialed(0);
    }
    int listener = listening(0, 8);
    meet();
    int fd = accepted(listener);
    close(listener);
    return fd;
}

int events_of(int fd, int wanted)
{
    struct pollfd p = { fd, wanted, 0 };
    CHECK(poll(&p, 1, -1) == 1);
    return p.revents;
}

int error_of(int fd)
{
    CHECK(events_of(fd, 0) & POLLERR);
    return int_option(fd, SOL_SOCKET, SO_ERROR);
}

// A byte of a stream that no shift of it equals.
static unsigned char pattern(long i, unsigned seed) { return (i * 2654435761u + seed) >> 13 ^ i >> 8; }

void send_pattern(int fd, long length, unsigned seed)
{
    static unsigned char bytes[16384];
    for (long done = 0; done < length;) {
        long count = length - done < (long)sizeof bytes ? length - done : (long)sizeof bytes;
        for (long i = 0; i < count; i++) {
            bytes[i] = pattern(done + i, seed);
        }
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        CHECK(sent > 0);
        done += sent;
    }
}

void read_pattern(int fd, long length, unsigned seed)
{
    static unsigned char bytes[16384];
    for (long done = 0; done < length;) {
        long count = length - done < (long)sizeof bytes ? length - done : (long)sizeof bytes;
        ssize_t got = read(fd, bytes, count);
        CHECK(got > 0);
        for (long i = 0; i < got; i++) {
            if (bytes[i] != pattern(done + i, seed)) {
                fail(__LINE__, "byte %ld of %ld is wrong", done + i, length);
            }
        }
        done += got;
    }
}

void read_end(int fd)
{
    char c;
    CHECK_EQ(read(fd, &c, 1), 0);
}

struct tcp_info info_of(int fd)
{
    struct tcp_info info = { 0 };
    socklen_t n = sizeof info;
    CHECK_EQ(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n), 0);
    return info;
}

int state_of(int port)
{
    FILE *file = fopen(family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6", "r");
    char line[512];
    int state = 0;
    unsigned local, at;
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x", &local, &at) == 2 && local == (unsigned)(base_port + port)) {
            state = at;
        }
    }
    fclose(file);
    return state;
}

// What the wire says when the other end has failed, whatever this one waits for.
static void on_urgent(int signal)
{
    static const char text[] = "the other end has failed";
    if (write(STDERR_FILENO, text, sizeof text - 1) > 0) {
        _exit(99);
    }
}

static void connect_to_wire(const char *address, int link)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = inet_addr(address) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        fail(__LINE__, "no wire: %s", strerror(errno));
    }
    set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    control = fd;
    fcntl(fd, F_SETOWN, getpid());
    signal(SIGURG, on_urgent);
    ask("hello %d %d %d\n", base_port, role, link);
}

static pid_t start(int index, int link, const char *wire_address, int errors)
{
    pid_t pid = fork();
    if (pid == 0) {
        dup2(errors, STDERR_FILENO);
        signal(SIGPIPE, SIG_IGN);
        alarm(120); // a hang is a failure
        connect_to_wire(wire_address, link);
        cases[index].run();
        ask("done 0\n"); // what the wire counts and does is the case's until both have ended
        _exit(0);
    }
    return pid;
}

static void report(int index, pid_t pid, int errors)
{
    int status;
    char text[512];
    waitpid(pid, &status, 0);
    ssize_t length = read(errors, text, sizeof text - 1);
    text[length < 0 ? 0 : length] = 0;
    const char *end = role == ACTIVE ? "active" : "passive";
    if (status == 0) {
        printf("%s/%s ok\n", cases[index].name, end);
    } else {
        printf("%s/%s FAILED: %s\n", cases[index].name, end, WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "timed out" : text);
    }
}

// matrix end ROLE FAMILY LINK WIRE PREFIX OWN PEER ROUND [CASE...]
static int ends_main(int count, char **arguments)
{
    static const int Parallel = 12; // both ends begin the cases in the same order, so that nobody waits for one that has not begun for want of a place
    int selected[128], chosen = 0, pipes[128][2];
    pid_t pids[128];
    role = strcmp(arguments[2], "passive") == 0;
    family = strcmp(arguments[3], "6") == 0 ? AF_INET6 : AF_INET;
    prefix = arguments[6];
    hosts[0] = atoi(arguments[7]);
    hosts[1] = atoi(arguments[8]);
    for (int i = 0; i < case_count; i++) {
        int wanted = count <= 10;
        for (int k = 10; k < count; k++) {
            wanted |= strcmp(arguments[k], cases[i].name) == 0;
        }
        if (wanted) {
            selected[chosen++] = i;
        }
    }
    for (int begun = 0, ended = 0; ended < chosen; ended++) {
        for (; begun < chosen && begun - ended < Parallel; begun++) {
            base_port = 2048 + 16 * (selected[begun] + 128 * atoi(arguments[9]));
            if (pipe(pipes[begun]) != 0) {
                perror("pipe");
                return 2;
            }
            pids[begun] = start(selected[begun], atoi(arguments[4]), arguments[5], pipes[begun][1]);
            close(pipes[begun][1]);
        }
        report(selected[ended], pids[ended], pipes[ended][0]);
    }
    return 0;
}

int main(int count, char **arguments)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (count == 5 && strcmp(arguments[1], "wire") == 0) {
        return wire_main(arguments + 2, arguments[4]);
    }
    if (count >= 10 && strcmp(arguments[1], "end") == 0) {
        return ends_main(count, arguments);
    }
    fprintf(stderr, "matrix: wire LINK LINK ADDRESS, or: end active|passive 4|6 LINK-NUMBER WIRE PREFIX OWN PEER ROUND [CASE...]\n");
    return 2;
}
