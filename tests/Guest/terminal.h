// What the programs about terminals share: a pseudo-terminal whose slave is raw or as it is made, and reads that wait for what is on its way.
#ifndef MOAT_TERMINAL_H
#define MOAT_TERMINAL_H
#include "guest.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

typedef struct {
    int master;
    int slave;
} pty;

__attribute__((unused)) static pty open_pty(void)
{
    pty p;
    p.master = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(p.master >= 0);
    CHECK(grantpt(p.master) == 0 && unlockpt(p.master) == 0);
    p.slave = open(ptsname(p.master), O_RDWR | O_NOCTTY);
    CHECK(p.slave >= 0);
    return p;
}

__attribute__((unused)) static void change(int fd, tcflag_t input_off, tcflag_t output_off, tcflag_t local_off, tcflag_t input_on, tcflag_t output_on, tcflag_t local_on)
{
    struct termios t;
    CHECK(tcgetattr(fd, &t) == 0);
    t.c_iflag = (t.c_iflag & ~input_off) | input_on;
    t.c_oflag = (t.c_oflag & ~output_off) | output_on;
    t.c_lflag = (t.c_lflag & ~local_off) | local_on;
    CHECK(tcsetattr(fd, TCSANOW, &t) == 0);
}

__attribute__((unused)) static void set_raw(int fd, int minimum, int tenths)
{
    struct termios t;
    CHECK(tcgetattr(fd, &t) == 0);
    cfmakeraw(&t);
    t.c_cc[VMIN] = minimum;
    t.c_cc[VTIME] = tenths;
    CHECK(tcsetattr(fd, TCSANOW, &t) == 0);
}

__attribute__((unused)) static int ready(int fd, int events, int timeout_ms)
{
    struct pollfd p = { fd, events, 0 };
    return poll(&p, 1, timeout_ms) == 1 ? p.revents : 0;
}

__attribute__((unused)) static void put(int fd, const char *text)
{
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
}

// Waits until a child that does nothing else sleeps in its call.
__attribute__((unused)) static void await_sleep(pid_t child)
{
    char path[32], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", child);
    for (int i = 0; i < 500; i++) {
        int fd = open(path, O_RDONLY);
        CHECK(fd >= 0);
        ssize_t length = read(fd, text, sizeof text - 1);
        close(fd);
        CHECK(length > 0);
        text[length] = 0;
        if (strrchr(text, ')')[2] == 'S') {
            return;
        }
        sleep_ms(10);
    }
    guest_fail("child %d does not sleep", child);
}

// Reads until so many bytes have come and compares them; nothing more follows.
__attribute__((unused)) static void expect_bytes(int line, int fd, const char *text, size_t length)
{
    char buffer[8192];
    size_t have = 0;
    while (have < length && ready(fd, POLLIN, 5000)) {
        ssize_t count = read(fd, buffer + have, sizeof buffer - have);
        if (count <= 0) {
            break;
        }
        have += count;
    }
    buffer[have < sizeof buffer ? have : sizeof buffer - 1] = 0;
    if (have != length || memcmp(buffer, text, length) != 0) {
        for (size_t i = 0; i < have; i++) {
            buffer[i] = buffer[i] < 32 ? '?' : buffer[i];
        }
        guest_fail("line %d: read %zu bytes \"%s\", not %zu", line, have, buffer, length);
    }
}

#define EXPECT(FD, TEXT) expect_bytes(__LINE__, (FD), (TEXT), sizeof(TEXT) - 1)

// One read gives exactly this.
#define EXPECT_READ(FD, SIZE, TEXT)                                                          \
    do {                                                                                     \
        char read_[8192];                                                                    \
        CHECK_EQ(read((FD), read_, (SIZE)), sizeof(TEXT) - 1);                               \
        if (memcmp(read_, (TEXT), sizeof(TEXT) - 1) != 0) {                                  \
            guest_fail("line %d: read something else: %.*s", __LINE__, (int)sizeof(TEXT) - 1, read_); \
        }                                                                                    \
    } while (0)

#define NOTHING(FD) CHECK_EQ(ready((FD), POLLIN, 30), 0)
#endif
