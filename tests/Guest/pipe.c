// pipe(2), FIFOs (fifo(7)), F_SETPIPE_SZ, SIGPIPE
#include "guest.h"
#include <poll.h>
#include <sys/ioctl.h>

static void make(int fds[2], int flags)
{
    CHECK_EQ(pipe2(fds, flags), 0);
}

static short ready(int fd, short events)
{
    struct pollfd entry = { fd, events, 0 };
    CHECK(poll(&entry, 1, 0) >= 0);
    return entry.revents;
}

CASE(bytes_come_out_in_order)
{
    int fds[2];
    make(fds, 0);
    CHECK_EQ(write(fds[1], "abc", 3), 3);
    CHECK_EQ(write(fds[1], "def", 3), 3);
    char buffer[10];
    CHECK_EQ(read(fds[0], buffer, 4), 4);
    CHECK(memcmp(buffer, "abcd", 4) == 0);
    CHECK_EQ(read(fds[0], buffer, 10), 2);
}

CASE(flags)
{
    int fds[2];
    make(fds, O_CLOEXEC | O_NONBLOCK);
    CHECK_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fds[0], F_GETFL), O_RDONLY | O_NONBLOCK);
    CHECK_EQ(fcntl(fds[1], F_GETFL), O_WRONLY | O_NONBLOCK);
    CHECK_ERRNO(pipe2(fds, O_APPEND), EINVAL);
    CHECK_ERRNO(syscall(SYS_pipe2, BAD_POINTER, 0), EFAULT);
}

CASE(ends_go_one_way)
{
    int fds[2];
    make(fds, 0);
    char c;
    CHECK_ERRNO(read(fds[1], &c, 1), EBADF);
    CHECK_ERRNO(write(fds[0], &c, 1), EBADF);
}

CASE(end_of_file_without_writers)
{
    int fds[2];
    make(fds, 0);
    CHECK_EQ(write(fds[1], "a", 1), 1);
    close(fds[1]);
    char c;
    CHECK_EQ(read(fds[0], &c, 1), 1);
    CHECK_EQ(read(fds[0], &c, 1), 0);
    CHECK_EQ(ready(fds[0], POLLIN), POLLHUP);
}

CASE(sigpipe_without_readers)
{
    int fds[2];
    make(fds, 0);
    close(fds[0]);
    CHECK_EQ(ready(fds[1], POLLOUT), POLLOUT | POLLERR);
    pid_t pid = fork();
    if (pid == 0) {
        if (write(fds[1], "a", 1) == -1) {
            _exit(1);
        }
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, SIGPIPE);
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERRNO(write(fds[1], "a", 1), EPIPE);
    CHECK_EQ(write(fds[1], "", 0), 0);
}

CASE(empty_and_full_are_eagain)
{
    int fds[2];
    make(fds, O_NONBLOCK);
    char buffer[65536];
    CHECK_ERRNO(read(fds[0], buffer, 1), EAGAIN);
    CHECK_EQ(write(fds[1], buffer, 65536), 65536);
    CHECK_ERRNO(write(fds[1], buffer, 1), EAGAIN);
    CHECK_EQ(ready(fds[1], POLLOUT), 0);
    CHECK_EQ(read(fds[0], buffer, 4096), 4096);
    CHECK_EQ(ready(fds[1], POLLOUT), POLLOUT);
    CHECK_EQ(write(fds[1], buffer, 4096), 4096);
}

CASE(small_writes_are_whole_or_not_at_all)
{
    int fds[2];
    make(fds, O_NONBLOCK);
    char buffer[65536];
    CHECK_EQ(write(fds[1], buffer, 61440 + 1), 61441);
    CHECK_ERRNO(write(fds[1], buffer, 4096), EAGAIN);
    CHECK_EQ(write(fds[1], buffer, 4095), 4095);
}

CASE(large_writes_are_cut_when_nonblocking)
{
    int fds[2];
    make(fds, O_NONBLOCK);
    static char buffer[200000];
    CHECK_EQ(write(fds[1], buffer, sizeof buffer), 65536);
}

CASE(blocking_write_goes_on_until_all_is_read)
{
    int fds[2];
    make(fds, 0);
    pid_t pid = fork();
    if (pid == 0) {
        static char buffer[300000];
        memset(buffer, 'x', sizeof buffer);
        CHECK_EQ(write(fds[1], buffer, sizeof buffer), 300000);
        _exit(0);
    }
    close(fds[1]);
    char buffer[10000];
    long total = 0, count;
    while ((count = read(fds[0], buffer, sizeof buffer)) > 0) {
        total += count;
    }
    CHECK_EQ(total, 300000);
    CHECK_CHILD(pid);
}

CASE(size_can_be_changed)
{
    int fds[2];
    make(fds, O_NONBLOCK);
    CHECK_EQ(fcntl(fds[0], F_GETPIPE_SZ), 65536);
    CHECK_EQ(fcntl(fds[0], F_SETPIPE_SZ, 5000), 8192);
    CHECK_EQ(fcntl(fds[1], F_GETPIPE_SZ), 8192);
    char buffer[10000];
    CHECK_EQ(write(fds[1], buffer, 10000), 8192);
    CHECK_ERRNO(fcntl(fds[0], F_SETPIPE_SZ, 4096), EBUSY);
    CHECK_EQ(fcntl(fds[0], F_SETPIPE_SZ, 1), -1);
    CHECK_EQ(fcntl(fds[0], F_SETPIPE_SZ, 100000), 131072);
    CHECK_EQ(write(fds[1], buffer, 10000), 10000);
    CHECK_ERRNO(fcntl(0, F_GETPIPE_SZ), EBADF);
}

CASE(fionread_counts)
{
    int fds[2], count = -1;
    make(fds, 0);
    CHECK_EQ(write(fds[1], "abcde", 5), 5);
    CHECK_EQ(ioctl(fds[0], FIONREAD, &count), 0);
    CHECK_EQ(count, 5);
    CHECK_EQ(ioctl(fds[1], FIONREAD, &count), 0);
    CHECK_EQ(count, 5);
    CHECK_ERRNO(ioctl(fds[0], FIONREAD, BAD_POINTER), EFAULT);
    CHECK_ERRNO(ioctl(fds[0], TIOCGWINSZ, &count), ENOTTY);
}

CASE(nonblocking_by_ioctl)
{
    int fds[2], on = 1, off = 0;
    make(fds, 0);
    CHECK_EQ(ioctl(fds[0], FIONBIO, &on), 0);
    CHECK(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    char c;
    CHECK_ERRNO(read(fds[0], &c, 1), EAGAIN);
    CHECK_EQ(ioctl(fds[0], FIONBIO, &off), 0);
    CHECK(!(fcntl(fds[0], F_GETFL) & O_NONBLOCK));
}

CASE(poll_tells_both_ends)
{
    int fds[2];
    make(fds, 0);
    CHECK_EQ(ready(fds[0], POLLIN | POLLRDNORM), 0);
    CHECK_EQ(ready(fds[1], POLLOUT | POLLWRNORM), POLLOUT | POLLWRNORM);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(ready(fds[0], POLLIN | POLLRDNORM), POLLIN | POLLRDNORM);
    CHECK_EQ(ready(fds[0], POLLOUT), 0);
}

CASE(read_of_a_bad_buffer_keeps_the_bytes)
{
    int fds[2];
    make(fds, O_NONBLOCK);
    CHECK_EQ(write(fds[1], "abc", 3), 3);
    CHECK_ERRNO(syscall(SYS_read, fds[0], BAD_POINTER, 3), EFAULT);
    char buffer[4];
    CHECK_EQ(read(fds[0], buffer, 4), 3);
}

CASE(write_from_a_bad_buffer_writes_nothing)
{
    int fds[2];
    make(fds, O_NONBLOCK);
    CHECK_ERRNO(syscall(SYS_write, fds[1], BAD_POINTER, 3), EFAULT);
    char c;
    CHECK_ERRNO(read(fds[0], &c, 1), EAGAIN);
}

CASE(readers_wake_when_the_last_writer_goes)
{
    int fds[2];
    make(fds, 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        sleep_ms(20);
        _exit(0);
    }
    close(fds[1]);
    char c;
    CHECK_EQ(read(fds[0], &c, 1), 0);
    CHECK_CHILD(pid);
}

CASE(writers_wake_when_the_last_reader_goes)
{
    int fds[2];
    make(fds, 0);
    signal(SIGPIPE, SIG_IGN);
    static char buffer[65536];
    CHECK_EQ(write(fds[1], buffer, 65536), 65536);
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        CHECK_ERRNO(write(fds[1], buffer, 1), EPIPE);
        _exit(0);
    }
    sleep_ms(20);
    close(fds[0]);
    CHECK_CHILD(pid);
}

CASE(interrupted_write_tells_how_much)
{
    int fds[2];
    make(fds, 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct sigaction action = { .sa_handler = (void (*)(int))(void *)getpid };
        sigaction(SIGUSR1, &action, NULL);
        static char buffer[100000];
        long count = write(fds[1], buffer, sizeof buffer);
        CHECK_EQ(count, 65536);
        _exit(0);
    }
    int count = 0;
    for (int i = 0; i < 2000 && count < 65536; i++) {
        sleep_ms(1);
        CHECK_EQ(ioctl(fds[0], FIONREAD, &count), 0);
    }
    sleep_ms(20);
    CHECK_EQ(kill(pid, SIGUSR1), 0);
    CHECK_CHILD(pid);
}

CASE(fifo_opens_wait_for_each_other)
{
    CHECK_EQ(mkfifo("f", 0600), 0);
    pid_t pid = fork();
    if (pid == 0) {
        sleep_ms(10);
        int fd = open("f", O_WRONLY);
        CHECK(fd >= 0);
        CHECK_EQ(write(fd, "hello", 5), 5);
        _exit(0);
    }
    int fd = open("f", O_RDONLY);
    CHECK(fd >= 0);
    char buffer[8];
    CHECK_EQ(read(fd, buffer, 8), 5);
    CHECK_EQ(read(fd, buffer, 8), 0);
    CHECK_CHILD(pid);
}

CASE(fifo_nonblocking_opens)
{
    CHECK_EQ(mkfifo("f", 0600), 0);
    CHECK_ERRNO(open("f", O_WRONLY | O_NONBLOCK), ENXIO);
    int reader = open("f", O_RDONLY | O_NONBLOCK);
    CHECK(reader >= 0);
    char c;
    CHECK_EQ(read(reader, &c, 1), 0);
    CHECK_EQ(ready(reader, POLLIN), 0);
    int writer = open("f", O_WRONLY | O_NONBLOCK);
    CHECK(writer >= 0);
    CHECK_ERRNO(read(reader, &c, 1), EAGAIN);
    CHECK_EQ(write(writer, "x", 1), 1);
    CHECK_EQ(read(reader, &c, 1), 1);
    close(writer);
    CHECK_EQ(ready(reader, POLLIN), POLLHUP);
}

CASE(fifo_read_write_never_waits)
{
    CHECK_EQ(mkfifo("f", 0600), 0);
    int fd = open("f", O_RDWR);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, "abc", 3), 3);
    char buffer[4];
    CHECK_EQ(read(fd, buffer, 4), 3);
    CHECK_ERRNO(lseek(fd, 0, SEEK_SET), ESPIPE);
}

CASE(fifo_open_is_interrupted)
{
    CHECK_EQ(mkfifo("f", 0600), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct sigaction action = { .sa_handler = (void (*)(int))(void *)getpid };
        sigaction(SIGUSR1, &action, NULL);
        CHECK_ERRNO(open("f", O_RDONLY), EINTR);
        _exit(0);
    }
    int status;
    sleep_ms(100);
    do {
        CHECK_EQ(kill(pid, SIGUSR1), 0);
        sleep_ms(10);
    } while (waitpid(pid, &status, WNOHANG) == 0);
    CHECK(status == 0 || status == SIGUSR1);
}

CASE(pipes_reopen_through_proc)
{
    int fds[2];
    make(fds, 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fds[0]);
    int writer = open(path, O_WRONLY);
    CHECK(writer >= 0);
    CHECK_EQ(write(writer, "x", 1), 1);
    char c;
    CHECK_EQ(read(fds[0], &c, 1), 1);
}

CASE(many_processes_write_whole_records)
{
    int fds[2];
    make(fds, 0);
    for (int i = 0; i < 4; i++) {
        if (fork() == 0) {
            char record[500];
            memset(record, 'a' + i, sizeof record);
            for (int k = 0; k < 20; k++) {
                CHECK_EQ(write(fds[1], record, sizeof record), 500);
            }
            _exit(0);
        }
    }
    close(fds[1]);
    char record[500];
    int records = 0;
    for (;;) {
        long got = 0, count;
        while (got < 500 && (count = read(fds[0], record + got, 500 - got)) > 0) {
            got += count;
        }
        if (got == 0) {
            break;
        }
        CHECK_EQ(got, 500);
        for (int i = 1; i < 500; i++) {
            CHECK_EQ(record[i], record[0]);
        }
        records++;
    }
    CHECK_EQ(records, 80);
}

CASE(owner_and_permissions_can_be_changed)
{
    int fds[2];
    struct stat st;
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(fstat(fds[0], &st), 0);
    CHECK_EQ(st.st_mode, S_IFIFO | 0600);
    CHECK_EQ(fchown(fds[1], 1000, 1001), 0);
    CHECK_EQ(fchmod(fds[1], 0640), 0);
    CHECK_EQ(fstat(fds[0], &st), 0);
    CHECK(st.st_uid == 1000 && st.st_gid == 1001);
    CHECK_EQ(st.st_mode, S_IFIFO | 0640);
    CHECK_EQ(setresuid(1002, 1002, 1002), 0);
    CHECK_ERRNO(fchown(fds[1], 1002, -1), EPERM);
    CHECK_ERRNO(fchmod(fds[1], 0600), EPERM);
}

GUEST_MAIN("pipe")
