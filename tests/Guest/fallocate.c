// fallocate(2), SEEK_DATA and SEEK_HOLE, truncate(2) and limits, posix_fadvise(2), readahead(2), the sync family, preadv2(2) and pwritev2(2).
#include "guest.h"
#include <linux/falloc.h>
#include <sys/resource.h>
#include <sys/uio.h>

#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND 0x20
#endif

static int new_file(void)
{
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    return fd;
}

static off_t size_of(int fd)
{
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    return status.st_size;
}

CASE(allocate_grows)
{
    int fd = new_file();
    CHECK_EQ(fallocate(fd, 0, 1000, 9000), 0);
    CHECK_EQ(size_of(fd), 10000);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK(status.st_blocks * 512 >= 9000);
    char c = 1;
    CHECK_EQ(pread(fd, &c, 1, 9999), 1);
    CHECK_EQ(c, 0);
}

CASE(allocate_keep_size)
{
    int fd = new_file();
    CHECK_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 100000), 0);
    CHECK_EQ(size_of(fd), 0);
}

CASE(punch_hole)
{
    int fd = new_file();
    static char data[20000];
    memset(data, 'x', sizeof data);
    CHECK_EQ(write(fd, data, sizeof data), sizeof data);
    CHECK_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1000, 10000), 0);
    CHECK_EQ(size_of(fd), 20000);
    CHECK_EQ(pread(fd, data, sizeof data, 0), sizeof data);
    CHECK_EQ(data[999], 'x');
    CHECK_EQ(data[1000], 0);
    CHECK_EQ(data[10999], 0);
    CHECK_EQ(data[11000], 'x');
}

CASE(punch_hole_in_mapping)
{
    int fd = new_file();
    CHECK_EQ(ftruncate(fd, 16384), 0);
    char *shared = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memset(shared, 'x', 16384);
    CHECK_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096), 0);
    CHECK_EQ(shared[4095], 'x');
    CHECK_EQ(shared[4096], 0);
    CHECK_EQ(shared[8191], 0);
    CHECK_EQ(shared[8192], 'x');
}

CASE(errors)
{
    int fd = new_file(), fds[2], readable = open("file", O_RDONLY), directory = open(".", O_RDONLY), path = open("file", O_PATH);
    CHECK_EQ(pipe(fds), 0);
    CHECK_ERRNO(fallocate(fd, 0, -1, 1), EINVAL);
    CHECK_ERRNO(fallocate(fd, 0, 0, 0), EINVAL);
    CHECK_ERRNO(fallocate(fd, 0, 0, -1), EINVAL);
    CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 1), EOPNOTSUPP);
    CHECK_ERRNO(fallocate(fd, 0x1000, 0, 1), EOPNOTSUPP);
    CHECK_ERRNO(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_KEEP_SIZE, 0, 4096), EOPNOTSUPP);
    CHECK_ERRNO(fallocate(readable, 0, 0, 1), EBADF);
    CHECK_ERRNO(fallocate(path, 0, 0, 1), EBADF);
    CHECK_ERRNO(fallocate(-1, 0, 0, 1), EBADF);
    CHECK_ERRNO(fallocate(fds[1], 0, 0, 1), ESPIPE);
    CHECK_ERRNO(fallocate(directory, 0, 0, 1), EBADF);
    CHECK_ERRNO(fallocate(fd, 0, INT64_MAX, 1), EFBIG);
}

CASE(seek_data_and_hole)
{
    int fd = new_file();
    CHECK_EQ(ftruncate(fd, 1 << 20), 0);
    CHECK_EQ(pwrite(fd, "x", 1, 1 << 16), 1);
    CHECK_EQ(lseek(fd, 0, SEEK_DATA), 1 << 16);
    CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 0);
    CHECK_EQ(lseek(fd, 1 << 16, SEEK_HOLE), (1 << 16) + 4096);
    CHECK_EQ(lseek(fd, (1 << 16) + 5, SEEK_DATA), (1 << 16) + 5);
    CHECK_ERRNO(lseek(fd, 1 << 17, SEEK_DATA), ENXIO);
    CHECK_ERRNO(lseek(fd, 1 << 20, SEEK_DATA), ENXIO);
    CHECK_ERRNO(lseek(fd, 1 << 20, SEEK_HOLE), ENXIO);
    CHECK_ERRNO(lseek(fd, -1, SEEK_DATA), ENXIO);
    CHECK_ERRNO(lseek(fd, 0, 5), EINVAL);
}

CASE(seek_in_a_huge_hole)
{
    int fd = new_file();
    CHECK_EQ(ftruncate(fd, 1L << 40), 0);
    CHECK_ERRNO(lseek(fd, 0, SEEK_DATA), ENXIO);
    CHECK_EQ(lseek(fd, 12345, SEEK_HOLE), 12345);
    CHECK_EQ(pwrite(fd, "x", 1, (1L << 40) - 1), 1);
    CHECK_EQ(lseek(fd, 0, SEEK_DATA), (1L << 40) - 4096);
}

CASE(truncate_and_mapping)
{
    int fd = new_file();
    CHECK_EQ(ftruncate(fd, 8192), 0);
    char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    shared[100] = 'x';
    shared[5000] = 'y';
    CHECK_EQ(ftruncate(fd, 200), 0);
    CHECK_EQ(ftruncate(fd, 8192), 0);
    CHECK_EQ(shared[100], 'x');
    CHECK_EQ(shared[5000], 0);
    CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
    CHECK_ERRNO(truncate(".", 0), EISDIR);
    CHECK_ERRNO(truncate("missing", 0), ENOENT);
}

static volatile sig_atomic_t signals;

static void on_signal(int signal)
{
    (void)signal;
    signals++;
}

CASE(file_size_limit)
{
    int fd = new_file();
    struct rlimit limit = { 10000, 10000 };
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, on_signal);
    static char data[20000];
    CHECK_EQ(write(fd, data, sizeof data), 10000);
    CHECK_EQ(signals, 0);
    CHECK_ERRNO(write(fd, data, 1), EFBIG);
    CHECK_EQ(signals, 1);
    CHECK_ERRNO(pwrite(fd, data, 1, 10000), EFBIG);
    CHECK_EQ(signals, 2);
    CHECK_EQ(pwrite(fd, data, 10, 9995), 5);
    CHECK_ERRNO(ftruncate(fd, 10001), EFBIG);
    CHECK_EQ(signals, 3);
    CHECK_ERRNO(fallocate(fd, 0, 0, 10001), EFBIG);
    CHECK_EQ(signals, 4);
    CHECK_EQ(ftruncate(fd, 10000), 0);
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(write(fds[1], data, sizeof data), sizeof data);
}

CASE(file_size_limit_append)
{
    int fd = new_file();
    CHECK_EQ(ftruncate(fd, 9990), 0);
    close(fd);
    fd = open("file", O_WRONLY | O_APPEND);
    struct rlimit limit = { 10000, 10000 };
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    char data[100] = { 0 };
    CHECK_EQ(write(fd, data, sizeof data), 10);
    CHECK_ERRNO(write(fd, data, sizeof data), EFBIG);
}

CASE(file_size_limit_kills)
{
    pid_t pid = fork();
    if (pid == 0) {
        int fd = new_file();
        struct rlimit limit = { 1, 1 }, core = { 0, 0 };
        setrlimit(RLIMIT_CORE, &core);
        CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
        CHECK_EQ(pwrite(fd, "xx", 2, 1), -1);
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGXFSZ);
}

CASE(offset_overflow)
{
    int fd = new_file();
    CHECK_ERRNO(pwrite(fd, "xx", 2, INT64_MAX), EINVAL);
    CHECK_ERRNO(syscall(SYS_pread64, fd, BAD_POINTER, 2, INT64_MAX), EINVAL);
    CHECK_ERRNO(pwrite(fd, "x", 1, -1), EINVAL);
}

CASE(fadvise)
{
    int fd = new_file(), fds[2];
    CHECK_EQ(pipe(fds), 0);
    for (int advice = 0; advice < 6; advice++) {
        CHECK_EQ(posix_fadvise(fd, 0, 0, advice), 0);
    }
    CHECK_EQ(posix_fadvise(fd, 0, 0, 6), EINVAL);
    CHECK_EQ(posix_fadvise(fd, 0, -1, 0), EINVAL);
    CHECK_EQ(posix_fadvise(fds[0], 0, 0, 0), ESPIPE);
    CHECK_EQ(posix_fadvise(-1, 0, 0, 0), EBADF);
}

CASE(readahead_call)
{
    int fd = new_file(), fds[2], writable = open("file", O_WRONLY);
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(readahead(fd, 0, 4096), 0);
    CHECK_ERRNO(readahead(writable, 0, 4096), EBADF);
    CHECK_ERRNO(readahead(fds[0], 0, 4096), EINVAL);
    CHECK_ERRNO(readahead(-1, 0, 4096), EBADF);
}

CASE(sync_family)
{
    int fd = new_file(), fds[2], path = open("file", O_PATH), directory = open(".", O_RDONLY);
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK_EQ(fsync(fd), 0);
    CHECK_EQ(fdatasync(fd), 0);
    CHECK_EQ(fsync(directory), 0);
    CHECK_ERRNO(fsync(fds[1]), EINVAL);
    CHECK_ERRNO(fsync(path), EBADF);
    CHECK_ERRNO(fsync(-1), EBADF);
    CHECK_EQ(syncfs(fd), 0);
    CHECK_ERRNO(syncfs(-1), EBADF);
    CHECK_ERRNO(syncfs(path), EBADF);
    CHECK_EQ(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE), 0);
    CHECK_EQ(sync_file_range(fd, 0, 0, 0), 0);
    CHECK_ERRNO(sync_file_range(fd, 0, 0, 8), EINVAL);
    CHECK_ERRNO(sync_file_range(fd, -1, 0, 0), EINVAL);
    CHECK_ERRNO(sync_file_range(fd, 0, -1, 0), EINVAL);
    CHECK_ERRNO(sync_file_range(fds[0], 0, 0, 1), ESPIPE);
}

CASE(preadv2_at_offset)
{
    int fd = new_file();
    CHECK_EQ(write(fd, "hello world", 11), 11);
    char a[4] = { 0 }, b[8] = { 0 };
    struct iovec parts[2] = { { a, 3 }, { b, 7 } };
    CHECK_EQ(preadv2(fd, parts, 2, 2, 0), 9);
    CHECK(memcmp(a, "llo", 3) == 0 && memcmp(b, " world", 6) == 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 11);
    CHECK_EQ(lseek(fd, 4, SEEK_SET), 4);
    CHECK_EQ(preadv2(fd, parts, 1, -1, 0), 3);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 7);
}

CASE(two_buffers_in_one_page)
{
    // In a child the page is shared with the parent at first: both buffers must still be in the page that stays.
    static char page[4096] __attribute__((aligned(4096))), whole[200];
    int fd = open("/bin/sh", O_RDONLY);
    CHECK(fd >= 0);
    page[0] = 1;
    pid_t pid = fork();
    if (pid == 0) {
        struct iovec parts[3] = { { page, 100 }, { page + 1000, 50 }, { page + 4046, 50 } };
        CHECK_EQ(pread(fd, whole, 200, 0), 200);
        CHECK_EQ(preadv(fd, parts, 3, 0), 200);
        CHECK(memcmp(page, whole, 100) == 0);
        CHECK(memcmp(page + 1000, whole + 100, 50) == 0);
        CHECK(memcmp(page + 4046, whole + 150, 50) == 0);
        _exit(0);
    }
    CHECK_CHILD(pid);
}

CASE(pwritev2_append)
{
    int fd = new_file();
    CHECK_EQ(write(fd, "hello", 5), 5);
    struct iovec part = { "xy", 2 };
    CHECK_EQ(pwritev2(fd, &part, 1, 0, RWF_APPEND), 2);
    CHECK_EQ(size_of(fd), 7);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 5);
    char buffer[8];
    CHECK_EQ(pread(fd, buffer, 8, 0), 7);
    CHECK(memcmp(buffer, "helloxy", 7) == 0);
    CHECK_EQ(lseek(fd, 1, SEEK_SET), 1);
    CHECK_EQ(pwritev2(fd, &part, 1, -1, RWF_APPEND), 2);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 9);
}

CASE(pwritev2_flags)
{
    int fd = new_file(), fds[2];
    CHECK_EQ(pipe(fds), 0);
    struct iovec part = { "xy", 2 };
    CHECK_EQ(pwritev2(fd, &part, 1, 0, RWF_SYNC), 2);
    CHECK_EQ(pwritev2(fd, &part, 1, 0, RWF_DSYNC | RWF_HIPRI), 2);
    CHECK_ERRNO(pwritev2(fd, &part, 1, 0, 0x1000), EOPNOTSUPP);
    CHECK_ERRNO(pwritev2(fd, &part, 1, 0, RWF_APPEND | RWF_NOAPPEND), EINVAL);
    CHECK_ERRNO(pwritev2(fd, &part, 1, -2, 0), EINVAL);
    CHECK_ERRNO(pwritev2(fds[1], &part, 1, 0, 0), ESPIPE);
    CHECK_EQ(pwritev2(fds[1], &part, 1, -1, 0), 2);
    CHECK_ERRNO(preadv2(-1, &part, 1, 0, 0), EBADF);
}

CASE(preadv2_nowait_on_pipe)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    char buffer[4];
    struct iovec part = { buffer, 4 };
    CHECK_ERRNO(preadv2(fds[0], &part, 1, -1, RWF_NOWAIT), EAGAIN);
    CHECK_EQ(write(fds[1], "abc", 3), 3);
    CHECK_EQ(preadv2(fds[0], &part, 1, -1, RWF_NOWAIT), 3);
}

CASE(noappend)
{
    int fd = open("file", O_RDWR | O_CREAT | O_APPEND, 0600);
    CHECK_EQ(write(fd, "hello", 5), 5);
    struct iovec part = { "J", 1 };
    CHECK_EQ(pwritev2(fd, &part, 1, 0, RWF_NOAPPEND), 1);
    CHECK_EQ(size_of(fd), 5);
    CHECK_EQ(pwrite(fd, "!", 1, 0), 1);
    CHECK_EQ(size_of(fd), 6);
}

GUEST_MAIN("fallocate")
