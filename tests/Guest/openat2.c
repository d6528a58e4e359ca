// openat2(2) with its RESOLVE_ flags, close_range(2), dup3(2), faccessat2(2), fchmodat2(2), name_to_handle_at(2), calls that no kernel of this configuration has.
#include "guest.h"
#include <linux/close_range.h>
#include <linux/openat2.h>

static int openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
    struct open_how how = { flags, mode, resolve };
    return syscall(SYS_openat2, directory, path, &how, sizeof how);
}

static int tree(void)
{
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(mkdir("d/e", 0755), 0);
    close(open("d/e/file", O_CREAT | O_WRONLY, 0644));
    close(open("outside", O_CREAT | O_WRONLY, 0644));
    CHECK_EQ(symlink("e/file", "d/link"), 0);
    CHECK_EQ(symlink("../outside", "d/escape"), 0);
    CHECK_EQ(symlink("/e/file", "d/absolute"), 0);
    CHECK_EQ(symlink("e", "d/dirlink"), 0);
    CHECK_EQ(symlink("loop", "d/loop"), 0);
    int fd = open("d", O_RDONLY | O_DIRECTORY);
    CHECK(fd >= 0);
    return fd;
}

CASE(plain)
{
    int d = tree();
    int fd = openat2(d, "e/file", O_RDWR | O_CLOEXEC, 0, 0);
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK(openat2(d, "new", O_CREAT | O_WRONLY, 0600, 0) >= 0);
    struct stat status;
    CHECK_EQ(fstatat(d, "new", &status, 0), 0);
    CHECK_EQ(status.st_mode & 07777, 0600);
}

CASE(how_is_checked)
{
    int d = tree();
    struct open_how how = { O_RDONLY, 0, 0 };
    char big[64] = { 0 };
    CHECK_ERRNO(openat2(d, "e", O_RDONLY | 0x40000000, 0, 0), EINVAL);
    CHECK_ERRNO(openat2(d, "e", 1ULL << 40, 0, 0), EINVAL);
    CHECK_ERRNO(openat2(d, "e", O_RDONLY, 0600, 0), EINVAL);
    CHECK_ERRNO(openat2(d, "x", O_CREAT | O_WRONLY, 010000, 0), EINVAL);
    CHECK_ERRNO(openat2(d, "e", O_RDONLY, 0, 0x80), EINVAL);
    CHECK_ERRNO(openat2(d, "e", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT), EINVAL);
    CHECK_ERRNO(syscall(SYS_openat2, d, "e", &how, 8), EINVAL);
    CHECK_ERRNO(syscall(SYS_openat2, d, "e", &how, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_openat2, d, "e", BAD_POINTER, sizeof how), EFAULT);
    CHECK_ERRNO(syscall(SYS_openat2, d, "e", &how, 8192), E2BIG);
    CHECK(syscall(SYS_openat2, d, "e", big, sizeof big) >= 0);
    big[40] = 1;
    CHECK_ERRNO(syscall(SYS_openat2, d, "e", big, sizeof big), E2BIG);
    CHECK_ERRNO(openat2(d, "e", O_PATH | O_RDWR | O_APPEND, 0, 0), EINVAL);
}

CASE(beneath)
{
    int d = tree();
    CHECK(openat2(d, "e/file", O_RDONLY, 0, RESOLVE_BENEATH) >= 0);
    CHECK(openat2(d, "link", O_RDONLY, 0, RESOLVE_BENEATH) >= 0);
    CHECK(openat2(d, "e/../e/file", O_RDONLY, 0, RESOLVE_BENEATH) >= 0);
    CHECK_ERRNO(openat2(d, "../outside", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    CHECK_ERRNO(openat2(d, "e/../../outside", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    CHECK_ERRNO(openat2(d, "escape", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    CHECK_ERRNO(openat2(d, "absolute", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    CHECK_ERRNO(openat2(d, "/etc", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    CHECK_ERRNO(openat2(d, "..", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    CHECK_ERRNO(openat2(d, "../new", O_CREAT | O_WRONLY, 0600, RESOLVE_BENEATH), EXDEV);
}

CASE(in_root)
{
    int d = tree();
    CHECK(openat2(d, "/e/file", O_RDONLY, 0, RESOLVE_IN_ROOT) >= 0);
    CHECK(openat2(d, "absolute", O_RDONLY, 0, RESOLVE_IN_ROOT) >= 0);
    CHECK(openat2(d, "../../e/file", O_RDONLY, 0, RESOLVE_IN_ROOT) >= 0);
    CHECK_ERRNO(openat2(d, "escape", O_RDONLY, 0, RESOLVE_IN_ROOT), ENOENT);
    CHECK_ERRNO(openat2(d, "/etc/passwd", O_RDONLY, 0, RESOLVE_IN_ROOT), ENOENT);
    CHECK(openat2(d, "/new", O_CREAT | O_WRONLY, 0600, RESOLVE_IN_ROOT) >= 0);
    CHECK_EQ(access("d/new", F_OK), 0);
    CHECK_EQ(symlink("/made", "d/to-make"), 0);
    CHECK(openat2(d, "to-make", O_CREAT | O_WRONLY, 0600, RESOLVE_IN_ROOT) >= 0);
    CHECK_EQ(access("d/made", F_OK), 0);
}

CASE(no_symlinks)
{
    int d = tree();
    CHECK(openat2(d, "e/file", O_RDONLY, 0, RESOLVE_NO_SYMLINKS) >= 0);
    CHECK_ERRNO(openat2(d, "link", O_RDONLY, 0, RESOLVE_NO_SYMLINKS), ELOOP);
    CHECK_ERRNO(openat2(d, "dirlink/file", O_RDONLY, 0, RESOLVE_NO_SYMLINKS), ELOOP);
    CHECK_ERRNO(openat2(AT_FDCWD, "/proc/self/status", O_RDONLY, 0, RESOLVE_NO_SYMLINKS), ELOOP);
    CHECK(openat2(d, "link", O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS) >= 0);
}

CASE(no_magiclinks)
{
    int d = tree();
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", d);
    CHECK(openat2(AT_FDCWD, path, O_RDONLY, 0, 0) >= 0);
    CHECK_ERRNO(openat2(AT_FDCWD, path, O_RDONLY, 0, RESOLVE_NO_MAGICLINKS), ELOOP);
    CHECK_ERRNO(openat2(AT_FDCWD, "/proc/self/cwd/d", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS), ELOOP);
    CHECK(openat2(d, "link", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS) >= 0);
}

CASE(no_xdev)
{
    int d = tree();
    CHECK(openat2(d, "e/file", O_RDONLY, 0, RESOLVE_NO_XDEV) >= 0);
    CHECK_ERRNO(openat2(AT_FDCWD, "/proc/version", O_RDONLY, 0, RESOLVE_NO_XDEV), EXDEV);
    int proc = open("/proc", O_RDONLY);
    CHECK(openat2(proc, "version", O_RDONLY, 0, RESOLVE_NO_XDEV) >= 0);
    CHECK_ERRNO(openat2(proc, "..", O_RDONLY, 0, RESOLVE_NO_XDEV), EXDEV);
}

CASE(loops)
{
    int d = tree();
    CHECK_ERRNO(openat2(d, "loop", O_RDONLY, 0, 0), ELOOP);
    CHECK_ERRNO(openat2(d, "loop/x", O_RDONLY, 0, RESOLVE_BENEATH), ELOOP);
}

CASE(close_range_call)
{
    int first = dup(0);
    for (int i = 1; i < 5; i++) {
        CHECK_EQ(dup(0), first + i);
    }
    CHECK_EQ(close_range(first + 1, first + 2, 0), 0);
    CHECK_ERRNO(fcntl(first + 1, F_GETFD), EBADF);
    CHECK_ERRNO(fcntl(first + 2, F_GETFD), EBADF);
    CHECK_EQ(fcntl(first, F_GETFD), 0);
    CHECK_EQ(fcntl(first + 3, F_GETFD), 0);
    CHECK_EQ(close_range(first, ~0U, CLOSE_RANGE_CLOEXEC), 0);
    CHECK_EQ(fcntl(first, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(close_range(first, ~0U, CLOSE_RANGE_UNSHARE), 0);
    CHECK_ERRNO(fcntl(first, F_GETFD), EBADF);
    CHECK_ERRNO(close_range(5, 4, 0), EINVAL);
    CHECK_ERRNO(close_range(100, 200, 8), EINVAL);
}

CASE(dup3_call)
{
    CHECK_EQ(dup3(0, 50, O_CLOEXEC), 50);
    CHECK_EQ(fcntl(50, F_GETFD), FD_CLOEXEC);
    CHECK_ERRNO(dup3(0, 0, 0), EINVAL);
    CHECK_ERRNO(dup3(0, 51, O_NONBLOCK), EINVAL);
    CHECK_ERRNO(dup3(99, 51, 0), EBADF);
    CHECK_ERRNO(dup3(0, -1, 0), EBADF);
    CHECK_ERRNO(dup3(0, 1 << 30, 0), EBADF);
}

CASE(faccessat2_call)
{
    int d = tree();
    CHECK_EQ(syscall(SYS_faccessat2, d, "e/file", R_OK, 0), 0);
    CHECK_EQ(syscall(SYS_faccessat2, d, "", X_OK, AT_EMPTY_PATH), 0);
    CHECK_ERRNO(syscall(SYS_faccessat2, d, "e/file", X_OK, 0), EACCES);
    CHECK_EQ(syscall(SYS_faccessat2, d, "loop", F_OK, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_ERRNO(syscall(SYS_faccessat2, d, "e", 8, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_faccessat2, d, "e", 0, 0x8000), EINVAL);
    CHECK_EQ(chmod("d/e/file", 0600), 0);
    CHECK_EQ(setresuid(1000, 0, 0), 0);
    CHECK_EQ(syscall(SYS_faccessat2, d, "e/file", R_OK, AT_EACCESS), 0);
    CHECK_ERRNO(syscall(SYS_faccessat2, d, "e/file", R_OK, 0), EACCES);
}

CASE(fchmodat2_call)
{
    int d = tree(), file = openat(d, "e/file", O_PATH);
    struct stat status;
    CHECK_EQ(syscall(452, d, "e/file", 0640, 0), 0);
    CHECK_EQ(fstatat(d, "e/file", &status, 0), 0);
    CHECK_EQ(status.st_mode & 07777, 0640);
    CHECK_EQ(syscall(452, file, "", 0600, AT_EMPTY_PATH), 0);
    CHECK_EQ(fstatat(d, "e/file", &status, 0), 0);
    CHECK_EQ(status.st_mode & 07777, 0600);
    CHECK_ERRNO(syscall(452, d, "link", 0600, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
    CHECK_ERRNO(syscall(452, d, "e/file", 0600, 0x8000), EINVAL);
}

CASE(open_flags)
{
    int d = tree();
    CHECK_ERRNO(openat(d, "e/file", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERRNO(openat(d, "link", O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK_ERRNO(openat(d, "e", O_WRONLY), EISDIR);
    CHECK_ERRNO(openat(d, "e/file", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST);
    CHECK_ERRNO(openat(d, "link", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST);
    CHECK_ERRNO(openat(d, "e/file/", O_RDONLY), ENOTDIR);
    CHECK_ERRNO(openat(d, "new/", O_CREAT | O_WRONLY, 0600), EISDIR);
    int path = openat(d, "link", O_PATH | O_NOFOLLOW);
    struct stat status;
    CHECK_EQ(fstat(path, &status), 0);
    CHECK(S_ISLNK(status.st_mode));
    char text[16];
    CHECK_EQ(readlinkat(path, "", text, sizeof text), 6);
    CHECK_ERRNO(read(path, text, 1), EBADF);
    CHECK_ERRNO(fchmod(path, 0600), EBADF);
}

CASE(mknod_kinds)
{
    struct stat status;
    CHECK_EQ(mknod("fifo", S_IFIFO | 0600, 0), 0);
    CHECK_EQ(mknod("socket", S_IFSOCK | 0600, 0), 0);
    CHECK_EQ(mknod("file", 0600, 0), 0);
    CHECK_EQ(mknod("null", S_IFCHR | 0600, 1 << 8 | 3), 0);
    CHECK_EQ(mknod("disk", S_IFBLK | 0600, 200 << 8 | 7), 0);
    CHECK_EQ(stat("null", &status), 0);
    CHECK_EQ(status.st_rdev, 1 << 8 | 3);
    CHECK_EQ(stat("file", &status), 0);
    CHECK(S_ISREG(status.st_mode));
    CHECK_ERRNO(mknod("dir", S_IFDIR | 0700, 0), EPERM);
    CHECK_ERRNO(mknod("link", S_IFLNK | 0700, 0), EINVAL);
    CHECK_ERRNO(mknod("fifo", S_IFIFO | 0600, 0), EEXIST);
    CHECK_ERRNO(open("socket", O_RDWR), ENXIO);
    CHECK_EQ(chmod(".", 0777), 0);
    CHECK_EQ(setuid(1000), 0);
    CHECK_ERRNO(mknod("null2", S_IFCHR | 0600, 1 << 8 | 3), EPERM);
    CHECK_EQ(mknod("fifo2", S_IFIFO | 0600, 0), 0);
}

CASE(utimensat_call)
{
    int fd = open("file", O_CREAT | O_WRONLY, 0600);
    struct timespec times[2] = { { 1000, 5 }, { 2000, 999999999 } };
    struct stat status;
    CHECK_EQ(utimensat(AT_FDCWD, "file", times, 0), 0);
    CHECK_EQ(stat("file", &status), 0);
    CHECK_EQ(status.st_atim.tv_sec, 1000);
    CHECK_EQ(status.st_mtim.tv_nsec, 999999999);
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_nsec = UTIME_NOW;
    CHECK_EQ(futimens(fd, times), 0);
    CHECK_EQ(stat("file", &status), 0);
    CHECK_EQ(status.st_atim.tv_sec, 1000);
    CHECK(status.st_mtim.tv_sec > 100000);
    times[0].tv_nsec = 1000000000;
    CHECK_ERRNO(futimens(fd, times), EINVAL);
    CHECK_ERRNO(syscall(SYS_utimensat, AT_FDCWD, "file", BAD_POINTER, 0), EFAULT);
    CHECK_ERRNO(utimensat(AT_FDCWD, "file", NULL, 0x8000), EINVAL);
    times[0].tv_nsec = times[1].tv_nsec = UTIME_OMIT;
    CHECK_EQ(utimensat(AT_FDCWD, "missing", times, 0), 0);
    CHECK_ERRNO(utimensat(AT_FDCWD, "missing", NULL, 0), ENOENT);
    CHECK_EQ(symlink("file", "link"), 0);
    struct timespec old[2] = { { 5, 0 }, { 6, 0 } };
    CHECK_EQ(utimensat(AT_FDCWD, "link", old, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_EQ(lstat("link", &status), 0);
    CHECK_EQ(status.st_mtim.tv_sec, 6);
    CHECK_EQ(stat("file", &status), 0);
    CHECK(status.st_mtim.tv_sec > 100000);
}

GUEST_MAIN("openat2")
