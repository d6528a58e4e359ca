// open(2), openat(2), openat2(2), creat(2), close(2), close_range(2), dup(2), fcntl(2)'s descriptor commands
#include "guest.h"
#include <limits.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>

static void make(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT, 0644);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, "data", 4), 4);
    CHECK_EQ(close(fd), 0);
}

CASE(lowest_free_descriptor)
{
    make("f");
    int a = open("f", O_RDONLY), b = open("f", O_RDONLY);
    CHECK_EQ(b, a + 1);
    CHECK_EQ(close(a), 0);
    CHECK_EQ(open("f", O_RDONLY), a);
}

CASE(create_uses_mode_and_umask)
{
    umask(027);
    CHECK(open("f", O_WRONLY | O_CREAT, 0666) >= 0);
    struct stat status;
    CHECK_EQ(stat("f", &status), 0);
    CHECK_EQ(status.st_mode, S_IFREG | 0640);
    CHECK(open("g", O_WRONLY | O_CREAT, 07777) >= 0);
    CHECK_EQ(stat("g", &status), 0);
    CHECK_EQ(status.st_mode, S_IFREG | 07750);
}

CASE(create_without_permission_bits_opens_for_writing)
{
    int fd = open("f", O_RDWR | O_CREAT, 0);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, "x", 1), 1);
}

CASE(exclusive_create_fails_for_whatever_exists)
{
    make("f");
    CHECK_ERRNO(open("f", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK_EQ(symlink("none", "l"), 0);
    CHECK_ERRNO(open("l", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK_ERRNO(open(".", O_RDONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK_EQ(mkdir("d", 0700), 0);
    CHECK_ERRNO(open("d", O_RDONLY | O_CREAT | O_EXCL, 0600), EEXIST);
}

CASE(create_follows_a_dangling_link)
{
    CHECK_EQ(symlink("target", "l"), 0);
    CHECK(open("l", O_WRONLY | O_CREAT, 0600) >= 0);
    struct stat status;
    CHECK_EQ(lstat("target", &status), 0);
    CHECK(S_ISREG(status.st_mode));
}

CASE(create_in_a_missing_directory_is_enoent)
{
    CHECK_ERRNO(open("none/f", O_WRONLY | O_CREAT, 0600), ENOENT);
    make("f");
    CHECK_ERRNO(open("f/g", O_WRONLY | O_CREAT, 0600), ENOTDIR);
}

CASE(create_of_a_directory_is_eisdir)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    CHECK_ERRNO(open("d", O_RDONLY | O_CREAT, 0600), EISDIR);
    CHECK_ERRNO(open("d", O_WRONLY), EISDIR);
    CHECK_ERRNO(open("d", O_RDWR), EISDIR);
    CHECK_ERRNO(open(".", O_RDONLY | O_CREAT, 0600), EISDIR);
    CHECK_ERRNO(open("..", O_RDONLY | O_CREAT, 0600), EISDIR);
    CHECK_ERRNO(open("/", O_RDONLY | O_CREAT, 0600), EISDIR);
}

CASE(create_with_a_trailing_slash_is_eisdir)
{
    CHECK_ERRNO(open("f/", O_WRONLY | O_CREAT, 0600), EISDIR);
    make("g");
    CHECK_ERRNO(open("g/", O_WRONLY | O_CREAT, 0600), EISDIR);
    CHECK_ERRNO(open("g/", O_RDONLY), ENOTDIR);
}

CASE(create_and_directory_together_are_einval)
{
    CHECK_ERRNO(open("f", O_RDONLY | O_CREAT | O_DIRECTORY, 0600), EINVAL);
}

CASE(directory_flag_wants_a_directory)
{
    make("f");
    CHECK_ERRNO(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_EQ(symlink(".", "l"), 0);
    CHECK(open("l", O_RDONLY | O_DIRECTORY) >= 0);
    CHECK_ERRNO(open("l", O_RDONLY | O_DIRECTORY | O_NOFOLLOW), ENOTDIR);
    CHECK(open(".", O_RDONLY | O_DIRECTORY) >= 0);
}

CASE(nofollow_refuses_the_last_link_only)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    CHECK_EQ(symlink("d", "l"), 0);
    make("d/f");
    CHECK_EQ(symlink("d/f", "m"), 0);
    CHECK_ERRNO(open("m", O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK(open("l/f", O_RDONLY | O_NOFOLLOW) >= 0);
    CHECK(open("l/", O_RDONLY | O_NOFOLLOW) >= 0);
    CHECK_ERRNO(open("m", O_RDONLY | O_CREAT | O_NOFOLLOW, 0600), ELOOP);
}

CASE(truncate_flag_empties_the_file)
{
    make("f");
    int fd = open("f", O_WRONLY | O_TRUNC);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 0);
    make("f");
    CHECK(open("f", O_RDONLY | O_TRUNC) >= 0);
    struct stat status;
    CHECK_EQ(stat("f", &status), 0);
    CHECK_EQ(status.st_size, 0);
}

CASE(access_mode_three_allows_nothing)
{
    make("f");
    int fd = open("f", 3);
    CHECK(fd >= 0);
    char c;
    CHECK_ERRNO(read(fd, &c, 1), EBADF);
    CHECK_ERRNO(write(fd, &c, 1), EBADF);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, 3);
}

CASE(path_errors)
{
    char name[300], path[5000];
    memset(name, 'a', 256);
    name[256] = 0;
    CHECK_ERRNO(open(name, O_RDONLY), ENAMETOOLONG);
    CHECK_ERRNO(open(name, O_WRONLY | O_CREAT, 0600), ENAMETOOLONG);
    name[255] = 0;
    CHECK_ERRNO(open(name, O_RDONLY), ENOENT);
    CHECK(open(name, O_WRONLY | O_CREAT, 0600) >= 0);
    memset(path, '/', 4096);
    path[4096] = 0;
    CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
    path[4095] = 0;
    CHECK(open(path, O_RDONLY) >= 0);
    CHECK_ERRNO(open("", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("", O_WRONLY | O_CREAT, 0600), ENOENT);
    CHECK_ERRNO(syscall(SYS_open, BAD_POINTER, O_RDONLY), EFAULT);
    CHECK_ERRNO(syscall(SYS_open, NULL, O_RDONLY), EFAULT);
}

CASE(slashes_and_dots)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    make("d/f");
    CHECK(open("d//f", O_RDONLY) >= 0);
    CHECK(open("./d/.//./f", O_RDONLY) >= 0);
    CHECK(open("d/../d/f", O_RDONLY) >= 0);
    CHECK(open("/../../..", O_RDONLY) >= 0);
    CHECK_ERRNO(open("d/f/.", O_RDONLY), ENOTDIR);
    CHECK_ERRNO(open("d/f/..", O_RDONLY), ENOTDIR);
    CHECK_ERRNO(open("none/..", O_RDONLY), ENOENT);
}

CASE(openat_starts_at_its_descriptor)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    make("d/f");
    int d = open("d", O_RDONLY);
    CHECK(openat(d, "f", O_RDONLY) >= 0);
    CHECK_ERRNO(openat(d, "d", O_RDONLY), ENOENT);
    CHECK(openat(99, "/", O_RDONLY) >= 0);
    CHECK_ERRNO(openat(99, "f", O_RDONLY), EBADF);
    CHECK_ERRNO(openat(open("d/f", O_RDONLY), "f", O_RDONLY), ENOTDIR);
    CHECK(openat(open("d", O_PATH), "f", O_RDONLY) >= 0);
    CHECK_ERRNO(openat(d, "", O_RDONLY), ENOENT);
}

CASE(path_flag_gives_a_place_only)
{
    make("f");
    CHECK_EQ(chmod("f", 0), 0);
    int fd = open("f", O_PATH | O_RDWR | O_APPEND);
    CHECK_EQ(fcntl(fd, F_GETFL), O_PATH);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_ERRNO(fchmod(fd, 0600), EBADF);
    CHECK_ERRNO(fchown(fd, 0, 0), EBADF);
    CHECK_ERRNO(ioctl(fd, 0x5421, &status), EBADF);
    CHECK_ERRNO(fcntl(fd, F_SETFL, O_NONBLOCK), EBADF);
    CHECK_ERRNO((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0), EBADF);
    CHECK(dup(fd) >= 0);
    CHECK_EQ(fcntl(fd, F_GETFD), 0);
}

CASE(path_and_nofollow_give_the_link_itself)
{
    CHECK_EQ(symlink("none", "l"), 0);
    int fd = open("l", O_PATH | O_NOFOLLOW);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK(S_ISLNK(status.st_mode));
    char text[10];
    CHECK_EQ(readlinkat(fd, "", text, 10), 4);
    CHECK_ERRNO(open("l", O_PATH), ENOENT);
}

CASE(status_flags)
{
    make("f");
    int fd = open("f", O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFL), 0100000 | O_WRONLY | O_APPEND | O_NONBLOCK);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_SETFL, O_RDWR | O_CREAT), 0);
    CHECK_EQ(fcntl(fd, F_GETFL), 0100000 | O_WRONLY);
}

CASE(tmpfile_has_no_name)
{
    int fd = open(".", O_RDWR | O_TMPFILE, 0600);
    CHECK(fd >= 0);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_nlink, 0);
    CHECK_EQ(status.st_mode, S_IFREG | 0600);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CHECK_EQ(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), 0);
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_nlink, 1);
    CHECK_ERRNO(open(".", O_RDONLY | O_TMPFILE, 0600), EINVAL);
}

CASE(exclusive_tmpfile_cannot_be_linked)
{
    int fd = open(".", O_RDWR | O_TMPFILE | O_EXCL, 0600);
    CHECK(fd >= 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CHECK_ERRNO(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), ENOENT);
}

CASE(descriptor_limit_is_emfile)
{
    make("f");
    struct rlimit limit = { 10, 10 };
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int last = -1, fd;
    while ((fd = open("f", O_RDONLY)) >= 0) {
        last = fd;
    }
    int error = errno;
    CHECK_EQ(error, EMFILE);
    CHECK_EQ(last, 9);
    CHECK_ERRNO(dup(0), EMFILE);
    CHECK_ERRNO(dup2(0, 10), EBADF);
    CHECK_ERRNO(fcntl(0, F_DUPFD, 10), EINVAL);
    CHECK_ERRNO(fcntl(0, F_DUPFD, 9), EMFILE);
    int fds[2];
    CHECK_ERRNO(pipe(fds), EMFILE);
}

CASE(close_of_nothing_is_ebadf)
{
    CHECK_ERRNO(close(99), EBADF);
    CHECK_ERRNO(close(-1), EBADF);
    int fd = dup(0);
    CHECK_EQ(close(fd), 0);
    CHECK_ERRNO(close(fd), EBADF);
}

CASE(dup_shares_all_but_close_on_exec)
{
    make("f");
    int fd = open("f", O_RDONLY | O_CLOEXEC);
    int other = dup(fd);
    CHECK_EQ(fcntl(other, F_GETFD), 0);
    CHECK_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    CHECK(fcntl(other, F_GETFL) & O_NONBLOCK);
    CHECK_ERRNO(dup(99), EBADF);
}

CASE(dup2_replaces)
{
    make("f");
    int fd = open("f", O_RDONLY), null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK_EQ(dup2(fd, null), null);
    CHECK_EQ(fcntl(null, F_GETFD), 0);
    char c;
    CHECK_EQ(read(null, &c, 1), 1);
    CHECK_EQ(dup2(fd, fd), fd);
    CHECK_ERRNO(dup2(99, 99), EBADF);
    CHECK_ERRNO(dup2(99, fd), EBADF);
    CHECK_ERRNO(dup2(fd, -1), EBADF);
    CHECK_EQ(read(fd, &c, 1), 1);
}

CASE(dup3_is_strict)
{
    int fd = dup(0);
    CHECK_ERRNO(dup3(fd, fd, 0), EINVAL);
    CHECK_ERRNO(dup3(fd, 20, O_NONBLOCK), EINVAL);
    CHECK_EQ(dup3(fd, 20, O_CLOEXEC), 20);
    CHECK_EQ(fcntl(20, F_GETFD), FD_CLOEXEC);
}

CASE(fcntl_duplicates_from_a_number_on)
{
    CHECK_EQ(fcntl(0, F_DUPFD, 30), 30);
    CHECK_EQ(fcntl(0, F_DUPFD, 30), 31);
    CHECK_EQ(fcntl(0, F_DUPFD_CLOEXEC, 30), 32);
    CHECK_EQ(fcntl(32, F_GETFD), FD_CLOEXEC);
    CHECK_ERRNO(fcntl(0, F_DUPFD, -1), EINVAL);
    CHECK_ERRNO(fcntl(0, 9999), EINVAL);
    CHECK_ERRNO(fcntl(99, F_GETFD), EBADF);
    CHECK_EQ(fcntl(32, F_SETFD, 0), 0);
    CHECK_EQ(fcntl(32, F_GETFD), 0);
    CHECK_EQ(fcntl(32, F_SETFD, 0xff), 0);
    CHECK_EQ(fcntl(32, F_GETFD), FD_CLOEXEC);
}

CASE(close_range_closes)
{
    for (int i = 40; i < 50; i++) {
        CHECK_EQ(dup2(0, i), i);
    }
    CHECK_EQ(syscall(SYS_close_range, 42, 45, 0), 0);
    CHECK_EQ(fcntl(41, F_GETFD), 0);
    CHECK_ERRNO(fcntl(42, F_GETFD), EBADF);
    CHECK_ERRNO(fcntl(45, F_GETFD), EBADF);
    CHECK_EQ(fcntl(46, F_GETFD), 0);
    CHECK_EQ(syscall(SYS_close_range, 46, ~0U, 4), 0);
    CHECK_EQ(fcntl(46, F_GETFD), FD_CLOEXEC);
    CHECK_ERRNO(syscall(SYS_close_range, 5, 4, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_close_range, 40, 50, 8), EINVAL);
}

static int openat2(int fd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
    struct open_how how = { flags, mode, resolve };
    return syscall(SYS_openat2, fd, path, &how, sizeof how);
}

CASE(openat2_is_strict)
{
    make("f");
    CHECK(openat2(AT_FDCWD, "f", O_RDONLY, 0, 0) >= 0);
    CHECK_ERRNO(openat2(AT_FDCWD, "f", O_RDONLY, 0600, 0), EINVAL);
    CHECK_ERRNO(openat2(AT_FDCWD, "g", O_CREAT | O_WRONLY, 010000, 0), EINVAL);
    CHECK_ERRNO(openat2(AT_FDCWD, "f", 1ULL << 40, 0, 0), EINVAL);
    CHECK_ERRNO(openat2(AT_FDCWD, "f", 0x40000000, 0, 0), EINVAL);
    CHECK_ERRNO(openat2(AT_FDCWD, "f", O_RDONLY, 0, 0x1000), EINVAL);
    CHECK_ERRNO(openat2(AT_FDCWD, "f", O_PATH | O_APPEND, 0, 0), EINVAL);
    CHECK_ERRNO(openat2(AT_FDCWD, "f", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT), EINVAL);
    uint64_t how[8] = { O_RDONLY };
    CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, "f", how, 16), EINVAL);
    CHECK(syscall(SYS_openat2, AT_FDCWD, "f", how, 64) >= 0);
    how[5] = 1;
    CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, "f", how, 64), E2BIG);
    CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, "f", how, 5000), E2BIG);
    CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, "f", BAD_POINTER, 24), EFAULT);
}

CASE(openat2_stays_beneath)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    make("d/f");
    make("outside");
    CHECK_EQ(symlink("../outside", "d/up"), 0);
    CHECK_EQ(symlink("/etc", "d/absolute"), 0);
    CHECK_EQ(symlink("f", "d/inside"), 0);
    int d = open("d", O_PATH);
    CHECK(openat2(d, "f", O_RDONLY, 0, RESOLVE_BENEATH) >= 0);
    CHECK(openat2(d, "inside", O_RDONLY, 0, RESOLVE_BENEATH) >= 0);
    CHECK(openat2(d, "../d/f", O_RDONLY, 0, 0) >= 0);
    CHECK_ERRNO(openat2(d, "../outside", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    CHECK_ERRNO(openat2(d, "up", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    CHECK_ERRNO(openat2(d, "absolute", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    CHECK_ERRNO(openat2(d, "/etc", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
}

CASE(openat2_in_root)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    make("d/f");
    CHECK_EQ(symlink("/f", "d/absolute"), 0);
    CHECK_EQ(symlink("../../../f", "d/up"), 0);
    int d = open("d", O_PATH);
    CHECK(openat2(d, "/f", O_RDONLY, 0, RESOLVE_IN_ROOT) >= 0);
    CHECK(openat2(d, "absolute", O_RDONLY, 0, RESOLVE_IN_ROOT) >= 0);
    CHECK(openat2(d, "up", O_RDONLY, 0, RESOLVE_IN_ROOT) >= 0);
    CHECK(openat2(d, "../../f", O_RDONLY, 0, RESOLVE_IN_ROOT) >= 0);
}

CASE(openat2_without_links)
{
    make("f");
    CHECK_EQ(symlink("f", "l"), 0);
    CHECK_ERRNO(openat2(AT_FDCWD, "l", O_RDONLY, 0, RESOLVE_NO_SYMLINKS), ELOOP);
    CHECK(openat2(AT_FDCWD, "l", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS) >= 0);
    CHECK_ERRNO(openat2(AT_FDCWD, "/proc/self/exe", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS), ELOOP);
    CHECK_ERRNO(openat2(AT_FDCWD, "/proc/version", O_RDONLY, 0, RESOLVE_NO_XDEV), EXDEV);
}

CASE(noatime_needs_the_owner)
{
    make("f");
    CHECK_EQ(chmod("f", 0666), 0);
    CHECK_EQ(chmod(".", 0777), 0);
    CHECK(open("f", O_RDONLY | O_NOATIME) >= 0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_ERRNO(open("f", O_RDONLY | O_NOATIME), EPERM);
}

CASE(unlinked_file_stays_usable)
{
    make("f");
    int fd = open("f", O_RDWR);
    CHECK_EQ(unlink("f"), 0);
    char buffer[8];
    CHECK_EQ(read(fd, buffer, 8), 4);
    CHECK_EQ(write(fd, "more", 4), 4);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_nlink, 0);
    CHECK_EQ(status.st_size, 8);
    char path[64], link[128] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CHECK(readlink(path, link, sizeof link - 1) > 0);
    CHECK(strstr(link, "/f (deleted)") != NULL);
    CHECK(open(path, O_RDONLY) >= 0);
}

CASE(reopening_through_proc_gives_a_new_offset)
{
    make("f");
    int fd = open("f", O_RDONLY);
    CHECK_EQ(lseek(fd, 2, SEEK_SET), 2);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int other = open(path, O_RDWR);
    CHECK(other >= 0);
    CHECK_EQ(lseek(other, 0, SEEK_CUR), 0);
    CHECK_EQ(write(other, "x", 1), 1);
    CHECK_ERRNO(open(path, O_RDONLY | O_NOFOLLOW), ELOOP);
}

CASE(creat_is_write_create_truncate)
{
    make("f");
    int fd = creat("f", 0600);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 0);
}

CASE(running_program_cannot_be_written)
{
    CHECK_ERRNO(open("/proc/self/exe", O_WRONLY), ETXTBSY);
    CHECK_ERRNO(truncate("/proc/self/exe", 0), ETXTBSY);
}

CASE(nodev_mounts_open_no_devices)
{
    CHECK_EQ(mknod("device", S_IFCHR | 0600, makedev(4000, 1)), 0);
    CHECK_ERRNO(open("device", O_RDONLY), EACCES);
    CHECK_EQ(mknod("block", S_IFBLK | 0600, makedev(4000, 1)), 0);
    CHECK_ERRNO(open("block", O_RDONLY), EACCES);
    int fd = open("device", O_PATH);
    CHECK(fd >= 0);
}

GUEST_MAIN("open")
