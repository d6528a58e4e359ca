// read(2), write(2), readv(2), writev(2), pread(2), pwrite(2), preadv2(2), lseek(2), ftruncate(2), fallocate(2)
#include "guest.h"
#include <limits.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int make(const char *text)
{
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

CASE(read_moves_the_offset)
{
    int fd = make("abcdef");
    char buffer[4] = "";
    CHECK_EQ(read(fd, buffer, 3), 3);
    CHECK(memcmp(buffer, "abc", 3) == 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
    CHECK_EQ(read(fd, buffer, 4), 3);
    CHECK_EQ(read(fd, buffer, 4), 0);
}

CASE(read_of_nothing_checks_the_descriptor)
{
    CHECK_ERRNO(read(99, NULL, 0), EBADF);
    int fd = make("a");
    CHECK_EQ(syscall(SYS_read, fd, BAD_POINTER, 0), 0);
}

CASE(read_needs_a_readable_descriptor)
{
    make("a");
    int fd = open("file", O_WRONLY);
    char c;
    CHECK_ERRNO(read(fd, &c, 1), EBADF);
    CHECK_ERRNO(pread(fd, &c, 1, 0), EBADF);
    fd = open("file", O_RDONLY);
    CHECK_ERRNO(write(fd, "x", 1), EBADF);
}

CASE(path_descriptors_cannot_be_read)
{
    make("a");
    int fd = open("file", O_PATH);
    char c;
    CHECK_ERRNO(read(fd, &c, 1), EBADF);
    CHECK_ERRNO(lseek(fd, 0, SEEK_SET), EBADF);
}

CASE(read_of_a_directory_is_eisdir)
{
    int fd = open(".", O_RDONLY);
    char c;
    CHECK_ERRNO(read(fd, &c, 1), EISDIR);
    CHECK_ERRNO(pread(fd, &c, 1, 0), EISDIR);
}

CASE(efault_for_bad_buffers)
{
    int fd = make("abc");
    CHECK_ERRNO(syscall(SYS_read, fd, BAD_POINTER, 3), EFAULT);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
    CHECK_ERRNO(syscall(SYS_write, fd, BAD_POINTER, 3), EFAULT);
    CHECK_ERRNO(syscall(SYS_read, fd, (void *)-4096L, 3), EFAULT);
}

CASE(read_at_the_end_does_not_look_at_the_buffer)
{
    int fd = make("abc");
    lseek(fd, 3, SEEK_SET);
    CHECK_EQ(syscall(SYS_read, fd, BAD_POINTER, 3), 0);
}

CASE(partial_read_up_to_a_bad_page)
{
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_EQ(munmap(pages + 4096, 4096), 0);
    int fd = make("abcdefgh");
    CHECK_EQ(syscall(SYS_read, fd, pages + 4096 - 5, 8), 5);
    CHECK(memcmp(pages + 4096 - 5, "abcde", 5) == 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 5);
}

CASE(partial_write_from_a_bad_page)
{
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_EQ(munmap(pages + 4096, 4096), 0);
    int fd = make("");
    memset(pages, 'z', 4096);
    CHECK_EQ(syscall(SYS_write, fd, pages + 4096 - 5, 8), 5);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 5);
}

CASE(reads_into_read_only_memory_fail)
{
    int fd = make("abc");
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_ERRNO(read(fd, page, 3), EFAULT);
}

CASE(sizes_beyond_long_are_refused)
{
    int fd = make("abc");
    char c;
    CHECK_ERRNO(syscall(SYS_read, fd, &c, (size_t)-1), EFAULT);
    CHECK_ERRNO(syscall(SYS_write, fd, &c, (size_t)LONG_MAX + 1), EFAULT);
}

CASE(write_past_the_end_leaves_a_hole_of_zeros)
{
    int fd = make("a");
    CHECK_EQ(lseek(fd, 10000, SEEK_SET), 10000);
    CHECK_EQ(write(fd, "b", 1), 1);
    char buffer[10001];
    CHECK_EQ(pread(fd, buffer, sizeof buffer, 0), 10001);
    CHECK(buffer[0] == 'a' && buffer[1] == 0 && buffer[9999] == 0 && buffer[10000] == 'b');
}

CASE(append_writes_at_the_end)
{
    make("abc");
    int fd = open("file", O_RDWR | O_APPEND);
    CHECK_EQ(lseek(fd, 1, SEEK_SET), 1);
    CHECK_EQ(write(fd, "d", 1), 1);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    char c;
    CHECK_EQ(read(fd, &c, 1), 1);
    CHECK_EQ(c, 'a');
}

CASE(append_beats_the_offset_of_pwrite)
{
    make("abc");
    int fd = open("file", O_RDWR | O_APPEND);
    CHECK_EQ(pwrite(fd, "d", 1, 0), 1);
    char buffer[8];
    CHECK_EQ(pread(fd, buffer, 8, 0), 4);
    CHECK(memcmp(buffer, "abcd", 4) == 0);
}

CASE(append_can_be_switched_on)
{
    int fd = make("abc");
    CHECK_EQ(fcntl(fd, F_SETFL, O_APPEND), 0);
    CHECK_EQ(write(fd, "d", 1), 1);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
    CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
    lseek(fd, 0, SEEK_SET);
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 4);
}

CASE(pread_keeps_the_offset)
{
    int fd = make("abcdef");
    char c;
    CHECK_EQ(pread(fd, &c, 1, 4), 1);
    CHECK_EQ(c, 'e');
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
    CHECK_EQ(pread(fd, &c, 1, 100), 0);
}

CASE(negative_offsets_are_einval)
{
    int fd = make("abc");
    char c;
    CHECK_ERRNO(pread(fd, &c, 1, -1), EINVAL);
    CHECK_ERRNO(pwrite(fd, &c, 1, -1), EINVAL);
    CHECK_ERRNO(pread(99, &c, 1, -1), EINVAL);
}

CASE(pread_on_a_pipe_is_espipe)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    char c;
    CHECK_ERRNO(pread(fds[0], &c, 1, 0), ESPIPE);
    CHECK_ERRNO(pwrite(fds[1], &c, 1, 0), ESPIPE);
    CHECK_ERRNO(lseek(fds[0], 0, SEEK_CUR), ESPIPE);
}

CASE(lseek_knows_five_ways)
{
    int fd = make("abcdef");
    CHECK_EQ(lseek(fd, 2, SEEK_SET), 2);
    CHECK_EQ(lseek(fd, 2, SEEK_CUR), 4);
    CHECK_EQ(lseek(fd, -1, SEEK_END), 5);
    CHECK_EQ(lseek(fd, 0, SEEK_DATA), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 6);
    CHECK_ERRNO(lseek(fd, 0, 5), EINVAL);
    CHECK_ERRNO(lseek(fd, 0, -1), EINVAL);
}

CASE(lseek_refuses_negative_results)
{
    int fd = make("abc");
    CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
    CHECK_ERRNO(lseek(fd, -4, SEEK_END), EINVAL);
    CHECK_ERRNO(lseek(fd, -1, SEEK_CUR), EINVAL);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
}

CASE(lseek_beyond_the_end_gives_nothing_to_read)
{
    int fd = make("abc");
    CHECK_EQ(lseek(fd, 1000, SEEK_END), 1003);
    char c;
    CHECK_EQ(read(fd, &c, 1), 0);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_size, 3);
}

CASE(seek_data_beyond_the_end_is_enxio)
{
    int fd = make("abc");
    CHECK_ERRNO(lseek(fd, 3, SEEK_DATA), ENXIO);
    CHECK_ERRNO(lseek(fd, 4, SEEK_HOLE), ENXIO);
    CHECK_ERRNO(lseek(fd, -1, SEEK_DATA), ENXIO);
}

CASE(seek_finds_data_behind_a_hole)
{
    int fd = make("");
    CHECK_EQ(pwrite(fd, "x", 1, 65536), 1);
    CHECK_EQ(lseek(fd, 0, SEEK_DATA), 65536);
    CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 0);
    CHECK_EQ(lseek(fd, 65536, SEEK_HOLE), 65537);
}

CASE(offset_overflow_is_refused)
{
    int fd = make("abc");
    lseek(fd, 3, SEEK_SET);
    CHECK_ERRNO(lseek(fd, LONG_MAX, SEEK_CUR), EINVAL);
    CHECK_ERRNO(lseek(fd, LONG_MAX, SEEK_END), EINVAL);
}

CASE(duplicates_share_the_offset)
{
    int fd = make("abcdef");
    int other = dup(fd);
    CHECK_EQ(lseek(fd, 3, SEEK_SET), 3);
    CHECK_EQ(lseek(other, 0, SEEK_CUR), 3);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(lseek(fd, 1, SEEK_CUR), 4);
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK_EQ(lseek(other, 0, SEEK_CUR), 4);
    int apart = open("file", O_RDONLY);
    CHECK_EQ(lseek(apart, 0, SEEK_CUR), 0);
}

CASE(readv_fills_one_after_another)
{
    int fd = make("abcdef");
    char a[2], b[1], c[10];
    struct iovec parts[] = { { a, 2 }, { NULL, 0 }, { b, 1 }, { c, 10 } };
    CHECK_EQ(readv(fd, parts, 4), 6);
    CHECK(memcmp(a, "ab", 2) == 0 && b[0] == 'c' && memcmp(c, "def", 3) == 0);
}

CASE(writev_writes_one_after_another)
{
    int fd = make("");
    struct iovec parts[] = { { "ab", 2 }, { "", 0 }, { "cde", 3 } };
    CHECK_EQ(writev(fd, parts, 3), 5);
    char buffer[8];
    CHECK_EQ(pread(fd, buffer, 8, 0), 5);
    CHECK(memcmp(buffer, "abcde", 5) == 0);
}

CASE(vectors_are_checked)
{
    int fd = make("abc");
    char c;
    struct iovec part = { &c, 1 };
    CHECK_EQ(readv(fd, &part, 0), 0);
    CHECK_ERRNO(syscall(SYS_readv, fd, &part, -1), EINVAL);
    CHECK_ERRNO(syscall(SYS_readv, fd, &part, 1025), EINVAL);
    CHECK_ERRNO(syscall(SYS_readv, fd, BAD_POINTER, 1), EFAULT);
    struct iovec negative[] = { { &c, 1 }, { &c, (size_t)-1 } };
    CHECK_ERRNO(syscall(SYS_readv, fd, negative, 2), EINVAL);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
}

CASE(writev_stops_at_a_bad_part)
{
    int fd = make("");
    struct iovec parts[] = { { "ab", 2 }, { BAD_POINTER, 3 }, { "cd", 2 } };
    CHECK_EQ(syscall(SYS_writev, fd, parts, 3), 2);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 2);
}

CASE(preadv_and_pwritev_keep_the_offset)
{
    int fd = make("abcdef");
    struct iovec part = { "XY", 2 };
    CHECK_EQ(pwritev(fd, &part, 1, 2), 2);
    char a[3], b[3];
    struct iovec parts[] = { { a, 3 }, { b, 3 } };
    CHECK_EQ(preadv(fd, parts, 2, 0), 6);
    CHECK(memcmp(a, "abX", 3) == 0 && memcmp(b, "Yef", 3) == 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
    CHECK_ERRNO(preadv(fd, parts, 2, -1), EINVAL);
}

CASE(preadv2_with_minus_one_moves_the_offset)
{
    int fd = make("abcdef");
    char a[3];
    struct iovec part = { a, 3 };
    CHECK_EQ(preadv2(fd, &part, 1, -1, 0), 3);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
    CHECK_EQ(preadv2(fd, &part, 1, 1, 0), 3);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
    CHECK_ERRNO(preadv2(fd, &part, 1, 0, 0x40000000), EOPNOTSUPP);
}

CASE(pwritev2_writes_through_by_flag)
{
    int fd = make("abc");
    struct iovec part = { "de", 2 };
    CHECK_EQ(pwritev2(fd, &part, 1, -1, RWF_DSYNC), 2);
    CHECK_EQ(pwritev2(fd, &part, 1, 2, RWF_SYNC), 2);
    char buffer[8];
    CHECK_EQ(pread(fd, buffer, 8, 0), 4);
    CHECK(memcmp(buffer, "dede", 4) == 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 2);
    CHECK_ERRNO(pwritev2(fd, &part, 1, 0, 0x40000000), EOPNOTSUPP);
}

CASE(truncate_shrinks_and_grows_with_zeros)
{
    int fd = make("abcdef");
    CHECK_EQ(ftruncate(fd, 3), 0);
    CHECK_EQ(ftruncate(fd, 6), 0);
    char buffer[8];
    CHECK_EQ(pread(fd, buffer, 8, 0), 6);
    CHECK(memcmp(buffer, "abc\0\0\0", 6) == 0);
    CHECK_EQ(truncate("file", 1), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 1);
}

CASE(truncate_is_checked)
{
    int fd = make("abc");
    CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
    CHECK_ERRNO(truncate("file", -1), EINVAL);
    CHECK_ERRNO(truncate(".", 0), EISDIR);
    CHECK_ERRNO(truncate("none", 0), ENOENT);
    CHECK_ERRNO(ftruncate(99, 0), EBADF);
    CHECK_ERRNO(ftruncate(open("file", O_RDONLY), 0), EINVAL);
    CHECK_ERRNO(ftruncate(open(".", O_RDONLY), 0), EINVAL);
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_ERRNO(ftruncate(fds[1], 0), EINVAL);
    CHECK_ERRNO(ftruncate(open("file", O_PATH), 0), EBADF);
}

CASE(fallocate_grows_the_file)
{
    int fd = make("abc");
    CHECK_EQ(fallocate(fd, 0, 0, 10), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 10);
    CHECK_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 100), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 10);
}

CASE(fallocate_punches_holes)
{
    int fd = make("abcdef");
    CHECK_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1, 2), 0);
    char buffer[8];
    CHECK_EQ(pread(fd, buffer, 8, 0), 6);
    CHECK(memcmp(buffer, "a\0\0def", 6) == 0);
    CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 1, 2), EOPNOTSUPP);
}

CASE(fallocate_is_checked)
{
    int fd = make("abc");
    CHECK_ERRNO(fallocate(fd, 0, -1, 1), EINVAL);
    CHECK_ERRNO(fallocate(fd, 0, 0, 0), EINVAL);
    CHECK_ERRNO(fallocate(fd, 0, LONG_MAX, 2), EFBIG);
    CHECK_ERRNO(fallocate(open("file", O_RDONLY), 0, 0, 1), EBADF);
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_ERRNO(fallocate(fds[1], 0, 0, 1), ESPIPE);
}

CASE(file_size_limit_sends_sigxfsz)
{
    int fd = make("");
    struct rlimit limit = { 10, 10 };
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    CHECK_EQ(write(fd, "0123456789abc", 13), 10);
    CHECK_ERRNO(write(fd, "x", 1), EFBIG);
    CHECK_ERRNO(ftruncate(fd, 11), EFBIG);
    CHECK_EQ(ftruncate(fd, 5), 0);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGXFSZ, SIG_DFL);
        lseek(fd, 10, SEEK_SET);
        if (write(fd, "x", 1) == -1) {
            _exit(1);
        }
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
}

CASE(write_updates_the_times)
{
    int fd = make("abc");
    struct timespec old[] = { { 1000, 0 }, { 1000, 0 } };
    CHECK_EQ(futimens(fd, old), 0);
    CHECK_EQ(write(fd, "x", 1), 1);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_atime, 1000);
    CHECK(status.st_mtime > 1000000 && status.st_ctime > 1000000);
    CHECK_EQ(futimens(fd, old), 0);
    CHECK_EQ(write(fd, "", 0), 0);
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_mtime, 1000);
}

CASE(sync_calls_work)
{
    int fd = make("abc");
    CHECK_EQ(fsync(fd), 0);
    CHECK_EQ(fdatasync(fd), 0);
    CHECK_EQ(syncfs(fd), 0);
    sync();
    CHECK_ERRNO(fsync(99), EBADF);
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_ERRNO(fsync(fds[0]), EINVAL);
    CHECK_ERRNO(fsync(open("file", O_PATH)), EBADF);
    CHECK_EQ(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE), 0);
    CHECK_ERRNO(sync_file_range(fd, 0, 0, 0x100), EINVAL);
}

CASE(readahead_and_fadvise_are_checked)
{
    int fd = make("abc");
    CHECK_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED), 0);
    CHECK_EQ(posix_fadvise(fd, 0, 0, 77), EINVAL);
    CHECK_EQ(posix_fadvise(99, 0, 0, POSIX_FADV_NORMAL), EBADF);
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(posix_fadvise(fds[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
    CHECK_ERRNO(readahead(99, 0, 1), EBADF);
}

CASE(dev_null_and_zero)
{
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR), full = open("/dev/full", O_RDWR);
    char buffer[100] = "x";
    CHECK_EQ(read(null, buffer, 100), 0);
    CHECK_EQ(write(null, buffer, 100), 100);
    CHECK_EQ(syscall(SYS_write, null, BAD_POINTER, 100), 100);
    CHECK_EQ(read(zero, buffer, 100), 100);
    CHECK(buffer[0] == 0 && buffer[99] == 0);
    CHECK_EQ(write(zero, buffer, 100), 100);
    CHECK_EQ(read(full, buffer, 100), 100);
    CHECK_ERRNO(write(full, buffer, 1), ENOSPC);
    CHECK_EQ(lseek(null, 10, SEEK_SET), 0);
}

CASE(copy_file_range_copies)
{
    int fd = make("abcdef");
    int to = open("to", O_RDWR | O_CREAT, 0600);
    off_t from = 2;
    CHECK_EQ(copy_file_range(fd, &from, to, NULL, 10, 0), 4);
    CHECK_EQ(from, 6);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
    CHECK_EQ(lseek(to, 0, SEEK_CUR), 4);
    CHECK_ERRNO(copy_file_range(fd, NULL, to, NULL, 1, 1), EINVAL);
    CHECK_ERRNO(copy_file_range(fd, NULL, open("to", O_RDONLY), NULL, 1, 0), EBADF);
    CHECK_ERRNO(copy_file_range(open(".", O_RDONLY), NULL, to, NULL, 1, 0), EISDIR);
    CHECK_ERRNO(copy_file_range(fd, NULL, open("to", O_WRONLY | O_APPEND), NULL, 1, 0), EBADF);
}

// The part that finds room goes; the call does not wait for the rest.
CASE(sendfile_to_a_full_nonblocking_socket)
{
    int ends[2], source = open("large", O_CREAT | O_RDWR, 0600);
    CHECK_EQ(ftruncate(source, 16 << 20), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    off_t offset = 0;
    ssize_t sent = sendfile(ends[0], source, &offset, 16 << 20);
    CHECK(sent > 0 && sent < 16 << 20);
    CHECK_EQ(offset, sent);
}

CASE(sendfile_copies)
{
    int fd = make("abcdef");
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    off_t from = 1;
    CHECK_EQ(sendfile(fds[1], fd, &from, 3), 3);
    CHECK_EQ(from, 4);
    char buffer[8];
    CHECK_EQ(read(fds[0], buffer, 8), 3);
    CHECK(memcmp(buffer, "bcd", 3) == 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
    CHECK_EQ(sendfile(fds[1], fd, NULL, 2), 2);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 2);
    CHECK_ERRNO(sendfile(fds[1], fds[0], NULL, 1), EINVAL);
    from = -1;
    CHECK_ERRNO(sendfile(fds[1], fd, &from, 1), EINVAL);
}

GUEST_MAIN("readwrite")
