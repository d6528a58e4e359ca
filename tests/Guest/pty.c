// Pseudo-terminals (pty(7), pts(4), ioctl_tty(2)): making, opening, locking, packets, hang-up, limits.
#include "terminal.h"
#include <dirent.h>
#include <sys/epoll.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

static void nothing_to_do(int signal)
{
    (void)signal;
}

CASE(number_and_name)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY), number = -1;
    CHECK(ioctl(fd, TIOCGPTN, &number) == 0);
    char name[32];
    snprintf(name, sizeof name, "/dev/pts/%d", number);
    CHECK(strcmp(name, ptsname(fd)) == 0);
    struct stat s;
    CHECK(stat(name, &s) == 0 && S_ISCHR(s.st_mode));
    CHECK_EQ(major(s.st_rdev), 136);
    CHECK_EQ(minor(s.st_rdev), number);
    CHECK_EQ(s.st_uid, getuid());
    unsigned device = 0;
    CHECK(ioctl(fd, TIOCGDEV, &device) == 0);
    CHECK_EQ(device, s.st_rdev);
}

CASE(master_is_ptmx)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY);
    struct stat s;
    CHECK(fstat(fd, &s) == 0 && S_ISCHR(s.st_mode));
    CHECK(major(s.st_rdev) == 5 && minor(s.st_rdev) == 2);
}

CASE(slave_has_its_name)
{
    pty p = open_pty();
    char link[64], path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", p.slave);
    ssize_t length = readlink(path, link, sizeof link);
    CHECK(length > 0);
    link[length] = 0;
    CHECK(strcmp(link, ptsname(p.master)) == 0);
    CHECK(strcmp(ttyname(p.slave), link) == 0);
    CHECK(isatty(p.slave) && isatty(p.master));
}

CASE(lowest_number_is_used_again)
{
    int a = posix_openpt(O_RDWR), b = posix_openpt(O_RDWR), first, again;
    CHECK(ioctl(a, TIOCGPTN, &first) == 0);
    close(a);
    a = posix_openpt(O_RDWR);
    CHECK(ioctl(a, TIOCGPTN, &again) == 0);
    CHECK_EQ(again, first);
    close(b);
}

CASE(locked_at_first)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY), locked = 0;
    CHECK(ioctl(fd, TIOCGPTLCK, &locked) == 0);
    CHECK_EQ(locked, 1);
    CHECK_ERRNO(open(ptsname(fd), O_RDWR | O_NOCTTY), EIO);
    CHECK_ERRNO(ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY), EIO);
    locked = 0;
    CHECK(ioctl(fd, TIOCSPTLCK, &locked) == 0);
    CHECK(open(ptsname(fd), O_RDWR | O_NOCTTY) >= 0);
    locked = 1;
    CHECK(ioctl(fd, TIOCSPTLCK, &locked) == 0);
    CHECK_ERRNO(open(ptsname(fd), O_RDWR | O_NOCTTY), EIO);
    CHECK_ERRNO(ioctl(fd, TIOCSPTLCK, BAD_POINTER), EFAULT);
}

CASE(peer)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(unlockpt(fd) == 0);
    int slave = ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(slave >= 0);
    CHECK_EQ(fcntl(slave, F_GETFD), FD_CLOEXEC);
    put(fd, "x\n");
    EXPECT_READ(slave, 10, "x\n");
}

CASE(master_requests_of_the_slave)
{
    pty p = open_pty();
    int number = 0;
    CHECK_ERRNO(ioctl(p.slave, TIOCGPTN, &number), ENOTTY);
    CHECK_ERRNO(ioctl(p.slave, TIOCSPTLCK, &number), ENOTTY);
    CHECK_ERRNO(ioctl(p.slave, TIOCPKT, &number), ENOTTY);
    CHECK_ERRNO(ioctl(p.slave, TIOCGPTPEER, 0), EIO);
}

CASE(listing)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY), number, found = 0, ptmx = 0;
    CHECK(ioctl(fd, TIOCGPTN, &number) == 0);
    char name[16];
    snprintf(name, sizeof name, "%d", number);
    DIR *directory = opendir("/dev/pts");
    struct dirent *entry;
    while ((entry = readdir(directory))) {
        found += strcmp(entry->d_name, name) == 0;
        ptmx += strcmp(entry->d_name, "ptmx") == 0;
    }
    closedir(directory);
    CHECK_EQ(found, 1);
    CHECK_EQ(ptmx, 1);
    struct statfs s;
    CHECK(statfs("/dev/pts", &s) == 0);
    CHECK_EQ(s.f_type, 0x1cd1);
}

CASE(name_goes_with_the_master)
{
    pty p = open_pty();
    char name[64];
    strcpy(name, ptsname(p.master));
    CHECK(access(name, F_OK) == 0);
    close(p.master);
    CHECK_ERRNO(access(name, F_OK), ENOENT);
    CHECK_ERRNO(open(name, O_RDWR | O_NOCTTY), ENOENT);
}

CASE(directory_takes_no_files)
{
    CHECK_ERRNO(open("/dev/pts/file", O_CREAT | O_RDWR, 0600), EACCES);
    CHECK_ERRNO(mkdir("/dev/pts/dir", 0700), EPERM);
    pty p = open_pty();
    CHECK_ERRNO(unlink(ptsname(p.master)), EPERM);
}

CASE(attributes_can_be_changed)
{
    pty p = open_pty();
    struct stat s;
    CHECK(fchmod(p.slave, 0622) == 0 && fchown(p.slave, 1000, 1001) == 0);
    CHECK(stat(ptsname(p.master), &s) == 0);
    CHECK_EQ(s.st_mode & 07777, 0622);
    CHECK(s.st_uid == 1000 && s.st_gid == 1001);
}

CASE(not_seekable)
{
    pty p = open_pty();
    char c;
    CHECK_ERRNO(lseek(p.slave, 0, SEEK_SET), ESPIPE);
    CHECK_ERRNO(lseek(p.master, 0, SEEK_SET), ESPIPE);
    CHECK_ERRNO(pread(p.slave, &c, 1, 0), ESPIPE);
}

CASE(access_modes)
{
    pty p = open_pty();
    char c;
    int reader = open(ptsname(p.master), O_RDONLY | O_NOCTTY), writer = open(ptsname(p.master), O_WRONLY | O_NOCTTY);
    CHECK_ERRNO(write(reader, "x", 1), EBADF);
    CHECK_ERRNO(read(writer, &c, 1), EBADF);
    put(writer, "w");
    EXPECT(p.master, "w");
}

CASE(empty_reads_and_writes)
{
    pty p = open_pty();
    char c;
    CHECK_EQ(read(p.slave, &c, 0), 0);
    CHECK_EQ(write(p.slave, &c, 0), 0);
    CHECK_EQ(read(p.master, &c, 0), 0);
    CHECK_EQ(write(p.master, &c, 0), 0);
}

CASE(bad_buffers)
{
    pty p = open_pty();
    char *volatile bad = BAD_POINTER;
    CHECK_ERRNO(write(p.slave, bad, 5), EFAULT);
    CHECK_ERRNO(write(p.master, bad, 5), EFAULT);
    put(p.master, "abc\n");
    CHECK_ERRNO(read(p.slave, bad, 5), EFAULT);
}

CASE(nonblocking)
{
    pty p = open_pty();
    char c;
    CHECK(fcntl(p.slave, F_SETFL, O_RDWR | O_NONBLOCK) == 0 && fcntl(p.master, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    CHECK_ERRNO(read(p.slave, &c, 1), EAGAIN);
    CHECK_ERRNO(read(p.master, &c, 1), EAGAIN);
}

CASE(master_before_any_slave)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    char c;
    CHECK_EQ(ready(fd, POLLIN | POLLOUT, 0), POLLOUT);
    CHECK_ERRNO(read(fd, &c, 1), EAGAIN);
    put(fd, "ab\n");
    EXPECT(fd, "ab\r\n");
}

CASE(input_waits_for_a_slave)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(unlockpt(fd) == 0);
    put(fd, "early\n");
    int slave = open(ptsname(fd), O_RDWR | O_NOCTTY);
    EXPECT_READ(slave, 10, "early\n");
}

CASE(slave_closed_is_eio)
{
    pty p = open_pty();
    char c;
    put(p.slave, "last");
    close(p.slave);
    CHECK_EQ(ready(p.master, POLLIN, 2000) & (POLLIN | POLLHUP), POLLIN | POLLHUP);
    EXPECT_READ(p.master, 10, "last");
    CHECK_ERRNO(read(p.master, &c, 1), EIO);
    CHECK_EQ(ready(p.master, POLLIN, 0) & POLLHUP, POLLHUP);
}

CASE(slave_opened_again)
{
    pty p = open_pty();
    close(p.slave);
    sleep_ms(10);
    CHECK_EQ(ready(p.master, POLLIN, 0) & POLLHUP, POLLHUP);
    p.slave = open(ptsname(p.master), O_RDWR | O_NOCTTY);
    CHECK(p.slave >= 0);
    CHECK_EQ(ready(p.master, POLLIN, 0), 0);
    put(p.slave, "x");
    EXPECT(p.master, "x");
}

CASE(settings_outlive_the_slave)
{
    pty p = open_pty();
    set_raw(p.slave, 7, 0);
    close(p.slave);
    p.slave = open(ptsname(p.master), O_RDWR | O_NOCTTY);
    struct termios t;
    CHECK(tcgetattr(p.slave, &t) == 0);
    CHECK_EQ(t.c_cc[VMIN], 7);
}

CASE(last_of_two_slaves_counts)
{
    pty p = open_pty();
    int second = open(ptsname(p.master), O_RDWR | O_NOCTTY);
    close(p.slave);
    sleep_ms(10);
    CHECK_EQ(ready(p.master, POLLIN, 0), 0);
    close(second);
    CHECK_EQ(ready(p.master, POLLIN, 2000) & POLLHUP, POLLHUP);
}

CASE(master_closed_hangs_up)
{
    pty p = open_pty();
    char c;
    struct termios t;
    close(p.master);
    CHECK_EQ(read(p.slave, &c, 1), 0);
    CHECK_ERRNO(write(p.slave, "x", 1), EIO);
    CHECK_ERRNO(tcgetattr(p.slave, &t), EIO);
    CHECK_ERRNO(tcsetpgrp(p.slave, getpid()), ENOTTY);
    CHECK_EQ(ready(p.slave, POLLIN | POLLOUT, 0), POLLIN | POLLOUT | POLLERR | POLLHUP);
}

CASE(hang_up_wakes_a_reader)
{
    pty p = open_pty();
    pid_t child = fork();
    if (child == 0) {
        char c;
        close(p.master);
        _exit(read(p.slave, &c, 1) == -1 && errno == EIO ? 0 : 1);
    }
    sleep_ms(20);
    await_sleep(child);
    close(p.master);
    CHECK_CHILD(child);
}

CASE(hang_up_wakes_a_writer)
{
    pty p = open_pty();
    CHECK(tcflow(p.slave, TCOOFF) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(p.master);
        _exit(write(p.slave, "x", 1) == -1 && errno == EIO ? 0 : 1);
    }
    sleep_ms(50);
    close(p.master);
    CHECK_CHILD(child);
}

CASE(slave_closed_wakes_the_master)
{
    pty p = open_pty();
    pid_t child = fork();
    if (child == 0) {
        char c;
        close(p.slave);
        _exit(read(p.master, &c, 1) == -1 && errno == EIO ? 0 : 1);
    }
    sleep_ms(50);
    close(p.slave);
    CHECK_CHILD(child);
}

CASE(vhangup_by_ioctl)
{
    pty p = open_pty();
    char c;
    CHECK(ioctl(p.slave, TIOCVHANGUP, 0) == 0);
    CHECK_EQ(read(p.slave, &c, 1), 0);
    CHECK_ERRNO(write(p.slave, "x", 1), EIO);
    CHECK(open(ptsname(p.master), O_RDWR | O_NOCTTY) >= 0);
}

CASE(exclusive)
{
    pty p = open_pty();
    int on = -1;
    CHECK(ioctl(p.slave, TIOCGEXCL, &on) == 0);
    CHECK_EQ(on, 0);
    CHECK(ioctl(p.slave, TIOCEXCL) == 0 && ioctl(p.slave, TIOCGEXCL, &on) == 0);
    CHECK_EQ(on, 1);
    CHECK(fchmod(p.slave, 0666) == 0);
    CHECK(open(ptsname(p.master), O_RDWR | O_NOCTTY) >= 0);
    CHECK(setresuid(1000, 1000, 1000) == 0);
    CHECK_ERRNO(open(ptsname(p.master), O_RDWR | O_NOCTTY), EBUSY);
    CHECK(ioctl(p.slave, TIOCNXCL) == 0);
    CHECK(open(ptsname(p.master), O_RDWR | O_NOCTTY) >= 0);
}

CASE(window_size)
{
    pty p = open_pty();
    struct winsize size = { 1, 1, 1, 1 };
    CHECK(ioctl(p.slave, TIOCGWINSZ, &size) == 0);
    CHECK(size.ws_row == 0 && size.ws_col == 0 && size.ws_xpixel == 0 && size.ws_ypixel == 0);
    size = (struct winsize){ 24, 80, 640, 480 };
    CHECK(ioctl(p.master, TIOCSWINSZ, &size) == 0);
    memset(&size, 0, sizeof size);
    CHECK(ioctl(p.slave, TIOCGWINSZ, &size) == 0);
    CHECK(size.ws_row == 24 && size.ws_col == 80 && size.ws_xpixel == 640 && size.ws_ypixel == 480);
    size.ws_row = 50;
    CHECK(ioctl(p.slave, TIOCSWINSZ, &size) == 0 && ioctl(p.master, TIOCGWINSZ, &size) == 0);
    CHECK_EQ(size.ws_row, 50);
    CHECK_ERRNO(ioctl(p.master, TIOCSWINSZ, BAD_POINTER), EFAULT);
}

CASE(packet_mode_data)
{
    pty p = open_pty();
    int on = 1;
    CHECK(ioctl(p.master, TIOCPKT, &on) == 0);
    on = 0;
    CHECK(ioctl(p.master, TIOCGPKT, &on) == 0);
    CHECK_EQ(on, 1);
    put(p.slave, "abc");
    CHECK_EQ(ready(p.master, POLLIN, 2000), POLLIN);
    EXPECT_READ(p.master, 10, "\0abc");
    put(p.slave, "abc");
    CHECK_EQ(ready(p.master, POLLIN, 2000), POLLIN);
    EXPECT_READ(p.master, 3, "\0ab");
    EXPECT_READ(p.master, 3, "\0c");
    CHECK_ERRNO(ioctl(p.master, TIOCPKT, BAD_POINTER), EFAULT);
}

CASE(packet_mode_flush)
{
    pty p = open_pty();
    int on = 1;
    CHECK(ioctl(p.master, TIOCPKT, &on) == 0);
    CHECK(tcflush(p.slave, TCIFLUSH) == 0);
    CHECK_EQ(ready(p.master, POLLIN | POLLPRI, 2000), POLLIN | POLLPRI);
    char status = TIOCPKT_FLUSHREAD;
    expect_bytes(__LINE__, p.master, &status, 1);
    CHECK(tcflush(p.slave, TCOFLUSH) == 0);
    status = TIOCPKT_FLUSHWRITE;
    expect_bytes(__LINE__, p.master, &status, 1);
}

CASE(packet_mode_flow)
{
    pty p = open_pty();
    int on = 1;
    CHECK(ioctl(p.master, TIOCPKT, &on) == 0);
    change(p.slave, IXON, 0, 0, 0, 0, 0);
    char status = TIOCPKT_NOSTOP;
    expect_bytes(__LINE__, p.master, &status, 1);
    change(p.slave, 0, 0, 0, IXON, 0, 0);
    status = TIOCPKT_DOSTOP;
    expect_bytes(__LINE__, p.master, &status, 1);
    CHECK(tcflow(p.slave, TCOOFF) == 0);
    status = TIOCPKT_STOP;
    expect_bytes(__LINE__, p.master, &status, 1);
    CHECK(tcflow(p.slave, TCOON) == 0);
    status = TIOCPKT_START;
    expect_bytes(__LINE__, p.master, &status, 1);
}

CASE(packet_mode_extproc)
{
    pty p = open_pty();
    int on = 1;
    CHECK(ioctl(p.master, TIOCPKT, &on) == 0);
    change(p.slave, 0, 0, 0, 0, 0, EXTPROC);
    char status = TIOCPKT_IOCTL;
    expect_bytes(__LINE__, p.master, &status, 1);
}

CASE(extproc_passes_all)
{
    pty p = open_pty();
    change(p.slave, 0, 0, 0, 0, 0, EXTPROC);
    put(p.master, "a\003b\177");
    EXPECT(p.slave, "a\003b\177");
    NOTHING(p.master);
}

CASE(epoll_sees_both_sides)
{
    pty p = open_pty();
    int e = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = 1 }, got;
    CHECK(epoll_ctl(e, EPOLL_CTL_ADD, p.slave, &event) == 0);
    event.data.u32 = 2;
    CHECK(epoll_ctl(e, EPOLL_CTL_ADD, p.master, &event) == 0);
    CHECK_EQ(epoll_wait(e, &got, 1, 0), 0);
    put(p.slave, "x");
    CHECK_EQ(epoll_wait(e, &got, 1, 2000), 1);
    CHECK_EQ(got.data.u32, 2);
    EXPECT(p.master, "x");
    change(p.slave, 0, 0, ECHO, 0, 0, 0);
    put(p.master, "y");
    CHECK_EQ(epoll_wait(e, &got, 1, 30), 0);
    put(p.master, "\n");
    CHECK_EQ(epoll_wait(e, &got, 1, 2000), 1);
    CHECK_EQ(got.data.u32, 1);
}

CASE(large_output_arrives)
{
    pty p = open_pty();
    set_raw(p.slave, 1, 0);
    pid_t child = fork();
    if (child == 0) {
        char text[100000];
        memset(text, 'o', sizeof text);
        _exit(write(p.slave, text, sizeof text) == sizeof text ? 0 : 1);
    }
    close(p.slave);
    char buffer[5000];
    long total = 0;
    ssize_t count;
    while ((count = read(p.master, buffer, sizeof buffer)) > 0) {
        total += count;
    }
    CHECK_EQ(total, 100000);
    CHECK_CHILD(child);
}

CASE(writer_is_interrupted)
{
    pty p = open_pty();
    CHECK(tcflow(p.slave, TCOOFF) == 0);
    pid_t child = fork();
    if (child == 0) {
        struct sigaction action = { .sa_handler = nothing_to_do };
        sigaction(SIGUSR1, &action, NULL);
        _exit(write(p.slave, "x", 1) == -1 && errno == EINTR ? 0 : 1);
    }
    sleep_ms(20);
    await_sleep(child);
    CHECK(kill(child, SIGUSR1) == 0);
    CHECK_CHILD(child);
}

CASE(many)
{
    int fds[100], numbers[100];
    for (int i = 0; i < 100; i++) {
        fds[i] = posix_openpt(O_RDWR | O_NOCTTY);
        CHECK(fds[i] >= 0 && ioctl(fds[i], TIOCGPTN, &numbers[i]) == 0);
        for (int k = 0; k < i; k++) {
            CHECK(numbers[k] != numbers[i]);
        }
    }
}

GUEST_MAIN("pty")
