// sendfile(2), splice(2), tee(2), vmsplice(2), copy_file_range(2).
#include "guest.h"
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

static char pattern[200000];

static int file_with(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof pattern; i++) {
        pattern[i] = (char)(i * 31 + i / 251);
    }
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, pattern, size), size);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void new_pipe(int fds[2])
{
    CHECK_EQ(pipe(fds), 0);
}

static void check_read(int fd, const char *expected, size_t length)
{
    char buffer[70000];
    size_t done = 0;
    while (done < length) {
        ssize_t count = read(fd, buffer + done, length - done);
        CHECK(count > 0);
        done += count;
    }
    CHECK(memcmp(buffer, expected, length) == 0);
}

CASE(sendfile_to_file)
{
    int in = file_with("in", 100000), out = open("out", O_RDWR | O_CREAT, 0600);
    CHECK_EQ(sendfile(out, in, NULL, 200000), 100000);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 100000);
    CHECK_EQ(lseek(out, 0, SEEK_CUR), 100000);
    CHECK_EQ(sendfile(out, in, NULL, 10), 0);
    CHECK_EQ(lseek(out, 0, SEEK_SET), 0);
    check_read(out, pattern, 60000);
}

CASE(sendfile_with_offset)
{
    int in = file_with("in", 1000), fds[2];
    new_pipe(fds);
    off_t offset = 100;
    CHECK_EQ(sendfile(fds[1], in, &offset, 50), 50);
    CHECK_EQ(offset, 150);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);
    check_read(fds[0], pattern + 100, 50);
}

CASE(sendfile_to_socket)
{
    int in = file_with("in", 3000), fds[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    CHECK_EQ(sendfile(fds[0], in, NULL, 3000), 3000);
    check_read(fds[1], pattern, 3000);
}

CASE(sendfile_from_proc)
{
    int in = open("/proc/meminfo", O_RDONLY), fds[2];
    CHECK(in >= 0);
    new_pipe(fds);
    CHECK(sendfile(fds[1], in, NULL, 4096) > 20);
}

CASE(sendfile_errors)
{
    int in = file_with("in", 10), fds[2];
    new_pipe(fds);
    int append = open("out", O_WRONLY | O_CREAT | O_APPEND, 0600), readable = open("in", O_RDONLY), writable = open("in", O_WRONLY), directory = open(".", O_RDONLY);
    off_t offset = 0, negative = -1;
    CHECK_ERRNO(sendfile(append, in, NULL, 1), EINVAL);
    CHECK_ERRNO(sendfile(readable, in, NULL, 1), EBADF);
    CHECK_ERRNO(sendfile(fds[1], writable, NULL, 1), EBADF);
    CHECK_ERRNO(sendfile(fds[1], -1, NULL, 1), EBADF);
    CHECK_ERRNO(sendfile(fds[1], fds[0], &offset, 1), ESPIPE);
    CHECK_ERRNO(sendfile(fds[1], in, &negative, 1), EINVAL);
    CHECK_ERRNO(syscall(SYS_sendfile, fds[1], in, BAD_POINTER, 1), EFAULT);
    CHECK_ERRNO(sendfile(fds[1], directory, NULL, 1), EINVAL);
}

CASE(sendfile_from_pipe_to_socket)
{
    int fds[2], sockets[2];
    new_pipe(fds);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    CHECK_EQ(write(fds[1], "abc", 3), 3);
    CHECK_ERRNO(sendfile(sockets[0], fds[0], NULL, 3), EINVAL);
}

CASE(sendfile_to_full_pipe)
{
    int in = file_with("in", 200000), fds[2];
    CHECK_EQ(pipe2(fds, O_NONBLOCK), 0);
    CHECK_EQ(sendfile(fds[1], in, NULL, 200000), 65536);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 65536);
    CHECK_ERRNO(sendfile(fds[1], in, NULL, 1), EAGAIN);
}

CASE(sendfile_sigpipe)
{
    int in = file_with("in", 10), fds[2];
    new_pipe(fds);
    close(fds[0]);
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERRNO(sendfile(fds[1], in, NULL, 10), EPIPE);
}

CASE(splice_file_to_pipe)
{
    int in = file_with("in", 5000), fds[2];
    new_pipe(fds);
    CHECK_EQ(splice(in, NULL, fds[1], NULL, 3000, 0), 3000);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 3000);
    check_read(fds[0], pattern, 3000);
    off_t offset = 4990;
    CHECK_EQ(splice(in, &offset, fds[1], NULL, 100, 0), 10);
    CHECK_EQ(offset, 5000);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 3000);
    CHECK_EQ(splice(in, &offset, fds[1], NULL, 100, 0), 0);
}

CASE(splice_pipe_to_file)
{
    int fds[2], out = open("out", O_RDWR | O_CREAT, 0600);
    file_with("in", 1);
    new_pipe(fds);
    CHECK_EQ(write(fds[1], pattern, 3000), 3000);
    CHECK_EQ(splice(fds[0], NULL, out, NULL, 2000, 0), 2000);
    CHECK_EQ(lseek(out, 0, SEEK_CUR), 2000);
    off_t offset = 5000;
    CHECK_EQ(splice(fds[0], NULL, out, &offset, 2000, 0), 1000);
    CHECK_EQ(offset, 6000);
    CHECK_EQ(lseek(out, 0, SEEK_END), 6000);
    CHECK_EQ(lseek(out, 5000, SEEK_SET), 5000);
    check_read(out, pattern + 2000, 1000);
}

CASE(splice_pipe_to_pipe)
{
    int a[2], b[2];
    new_pipe(a);
    new_pipe(b);
    CHECK_EQ(write(a[1], "hello world", 11), 11);
    CHECK_EQ(splice(a[0], NULL, b[1], NULL, 5, 0), 5);
    check_read(b[0], "hello", 5);
    check_read(a[0], " world", 6);
}

CASE(splice_nonblocking)
{
    int a[2], b[2];
    new_pipe(a);
    new_pipe(b);
    CHECK_ERRNO(splice(a[0], NULL, b[1], NULL, 5, SPLICE_F_NONBLOCK), EAGAIN);
    close(a[1]);
    CHECK_EQ(splice(a[0], NULL, b[1], NULL, 5, SPLICE_F_NONBLOCK), 0);
}

CASE(splice_waits_for_bytes)
{
    int a[2], b[2];
    new_pipe(a);
    new_pipe(b);
    pid_t pid = fork();
    if (pid == 0) {
        sleep_ms(20);
        CHECK_EQ(write(a[1], "x", 1), 1);
        _exit(0);
    }
    CHECK_EQ(splice(a[0], NULL, b[1], NULL, 5, 0), 1);
    CHECK_CHILD(pid);
}

CASE(splice_socket_to_pipe)
{
    int fds[2], sockets[2];
    new_pipe(fds);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    CHECK_EQ(write(sockets[0], "hello", 5), 5);
    CHECK_EQ(splice(sockets[1], NULL, fds[1], NULL, 100, 0), 5);
    check_read(fds[0], "hello", 5);
    CHECK_EQ(write(fds[1], "world", 5), 5);
    CHECK_EQ(splice(fds[0], NULL, sockets[1], NULL, 100, 0), 5);
    check_read(sockets[0], "world", 5);
}

CASE(splice_errors)
{
    int in = file_with("in", 10), fds[2], other[2];
    new_pipe(fds);
    new_pipe(other);
    int out = open("out", O_RDWR | O_CREAT, 0600), append = open("out", O_WRONLY | O_APPEND);
    off_t offset = 0;
    CHECK_EQ(write(fds[1], "abc", 3), 3);
    CHECK_ERRNO(splice(in, NULL, out, NULL, 1, 0), EINVAL);
    CHECK_ERRNO(splice(fds[0], NULL, fds[1], NULL, 1, 0), EINVAL);
    CHECK_ERRNO(splice(fds[0], &offset, out, NULL, 1, 0), ESPIPE);
    CHECK_ERRNO(splice(in, NULL, fds[1], &offset, 1, 0), ESPIPE);
    CHECK_ERRNO(splice(fds[1], NULL, out, NULL, 1, 0), EBADF);
    CHECK_ERRNO(splice(in, NULL, fds[0], NULL, 1, 0), EBADF);
    CHECK_ERRNO(splice(fds[0], NULL, append, NULL, 1, 0), EINVAL);
    CHECK_ERRNO(splice(in, NULL, fds[1], NULL, 1, 0x10), EINVAL);
    CHECK_EQ(splice(-1, NULL, -1, NULL, 0, 0), 0);
    CHECK_ERRNO(splice(-1, NULL, fds[1], NULL, 1, 0), EBADF);
    CHECK_ERRNO(syscall(SYS_splice, in, BAD_POINTER, fds[1], NULL, 1, 0), EFAULT);
    offset = -1;
    CHECK_ERRNO(splice(in, &offset, fds[1], NULL, 1, 0), EINVAL);
}

CASE(splice_reader_gone)
{
    int in = file_with("in", 10), fds[2];
    new_pipe(fds);
    close(fds[0]);
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERRNO(splice(in, NULL, fds[1], NULL, 10, 0), EPIPE);
}

CASE(splice_to_full_pipe)
{
    int in = file_with("in", 200000), fds[2];
    new_pipe(fds);
    CHECK_EQ(splice(in, NULL, fds[1], NULL, 200000, 0), 65536);
    CHECK_ERRNO(splice(in, NULL, fds[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
}

CASE(tee_copies)
{
    int a[2], b[2];
    new_pipe(a);
    new_pipe(b);
    CHECK_EQ(write(a[1], "hello", 5), 5);
    CHECK_EQ(tee(a[0], b[1], 3, 0), 3);
    CHECK_EQ(tee(a[0], b[1], 100, 0), 5);
    check_read(b[0], "helhello", 8);
    check_read(a[0], "hello", 5);
}

CASE(tee_errors)
{
    int a[2], b[2], in = file_with("in", 10);
    new_pipe(a);
    new_pipe(b);
    CHECK_ERRNO(tee(a[0], b[1], 1, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_ERRNO(tee(a[0], a[1], 1, 0), EINVAL);
    CHECK_ERRNO(tee(in, b[1], 1, 0), EINVAL);
    CHECK_ERRNO(tee(a[1], b[1], 1, 0), EBADF);
    CHECK_ERRNO(tee(a[0], b[0], 1, 0), EBADF);
    CHECK_ERRNO(tee(a[0], b[1], 1, 0x10), EINVAL);
    CHECK_EQ(tee(-1, -1, 0, 0), 0);
    close(a[1]);
    CHECK_EQ(tee(a[0], b[1], 1, 0), 0);
}

CASE(vmsplice_in)
{
    int fds[2];
    new_pipe(fds);
    struct iovec parts[2] = { { "hello ", 6 }, { "world", 5 } };
    CHECK_EQ(vmsplice(fds[1], parts, 2, 0), 11);
    check_read(fds[0], "hello world", 11);
}

CASE(vmsplice_out)
{
    int fds[2];
    new_pipe(fds);
    char buffer[8] = { 0 };
    struct iovec part = { buffer, 5 };
    CHECK_EQ(write(fds[1], "hello world", 11), 11);
    CHECK_EQ(vmsplice(fds[0], &part, 1, 0), 5);
    CHECK(memcmp(buffer, "hello", 6) == 0);
}

CASE(vmsplice_errors)
{
    int fds[2], in = file_with("in", 10);
    new_pipe(fds);
    struct iovec part = { "x", 1 };
    CHECK_ERRNO(vmsplice(in, &part, 1, 0), EBADF);
    CHECK_ERRNO(vmsplice(fds[1], &part, 1, 0x10), EINVAL);
    CHECK_ERRNO(vmsplice(fds[1], &part, 2000, 0), EINVAL);
    CHECK_ERRNO(vmsplice(fds[1], BAD_POINTER, 1, 0), EFAULT);
    CHECK_EQ(vmsplice(fds[1], &part, 0, 0), 0);
}

CASE(vmsplice_nonblocking)
{
    int fds[2];
    new_pipe(fds);
    static char big[100000];
    struct iovec part = { big, sizeof big };
    CHECK(vmsplice(fds[1], &part, 1, SPLICE_F_NONBLOCK) > 0);
    CHECK_ERRNO(vmsplice(fds[1], &part, 1, SPLICE_F_NONBLOCK), EAGAIN);
}

CASE(copy_file_range_moves_offsets)
{
    int in = file_with("in", 100000), out = open("out", O_RDWR | O_CREAT, 0600);
    CHECK_EQ(copy_file_range(in, NULL, out, NULL, 60000, 0), 60000);
    CHECK_EQ(copy_file_range(in, NULL, out, NULL, 60000, 0), 40000);
    CHECK_EQ(copy_file_range(in, NULL, out, NULL, 60000, 0), 0);
    CHECK_EQ(lseek(out, 0, SEEK_CUR), 100000);
    CHECK_EQ(lseek(out, 0, SEEK_SET), 0);
    check_read(out, pattern, 65000);
}

CASE(copy_file_range_with_offsets)
{
    int in = file_with("in", 1000), out = open("out", O_RDWR | O_CREAT, 0600);
    off_t from = 100, to = 7;
    CHECK_EQ(copy_file_range(in, &from, out, &to, 50, 0), 50);
    CHECK_EQ(from, 150);
    CHECK_EQ(to, 57);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);
    CHECK_EQ(lseek(out, 7, SEEK_SET), 7);
    check_read(out, pattern + 100, 50);
}

CASE(copy_file_range_same_file)
{
    int in = file_with("in", 1000);
    off_t from = 0, to = 500;
    CHECK_EQ(copy_file_range(in, &from, in, &to, 100, 0), 100);
    from = 0, to = 50;
    CHECK_ERRNO(copy_file_range(in, &from, in, &to, 100, 0), EINVAL);
}

CASE(copy_file_range_errors)
{
    int in = file_with("in", 10), fds[2], directory = open(".", O_RDONLY);
    new_pipe(fds);
    int append = open("out", O_WRONLY | O_CREAT | O_APPEND, 0600), readable = open("in", O_RDONLY), out = open("out", O_RDWR);
    CHECK_ERRNO(copy_file_range(in, NULL, out, NULL, 1, 1), EINVAL);
    CHECK_ERRNO(copy_file_range(in, NULL, append, NULL, 1, 0), EBADF);
    CHECK_ERRNO(copy_file_range(in, NULL, readable, NULL, 1, 0), EBADF);
    CHECK_ERRNO(copy_file_range(directory, NULL, out, NULL, 1, 0), EISDIR);
    CHECK_ERRNO(copy_file_range(fds[0], NULL, out, NULL, 1, 0), EINVAL);
    CHECK_ERRNO(copy_file_range(in, NULL, fds[1], NULL, 1, 0), EINVAL);
    CHECK_ERRNO(copy_file_range(-1, NULL, out, NULL, 1, 0), EBADF);
    CHECK_ERRNO(syscall(SYS_copy_file_range, in, BAD_POINTER, out, NULL, 1, 0), EFAULT);
}

CASE(pipe_size)
{
    int fds[2], in = file_with("in", 1);
    new_pipe(fds);
    CHECK_EQ(fcntl(fds[0], F_GETPIPE_SZ), 65536);
    CHECK_EQ(fcntl(fds[0], F_SETPIPE_SZ, 1), 4096);
    CHECK_EQ(fcntl(fds[1], F_GETPIPE_SZ), 4096);
    CHECK_EQ(fcntl(fds[1], F_SETPIPE_SZ, 5000), 8192);
    CHECK_EQ(fcntl(fds[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
    CHECK_EQ(write(fds[1], pattern, 100000), 100000);
    CHECK_ERRNO(fcntl(fds[1], F_SETPIPE_SZ, 4096), EBUSY);
    CHECK_ERRNO(fcntl(in, F_GETPIPE_SZ), EBADF);
    CHECK_ERRNO(fcntl(in, F_SETPIPE_SZ, 4096), EBADF);
}

GUEST_MAIN("splice")
