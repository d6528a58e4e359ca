// stat(2), lstat(2), fstatat(2), statx(2), statfs(2), utimensat(2)
#include "guest.h"
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

CASE(regular_file)
{
    int fd = open("f", O_WRONLY | O_CREAT, 0640);
    CHECK_EQ(write(fd, "12345", 5), 5);
    struct stat a, b;
    CHECK_EQ(stat("f", &a), 0);
    CHECK_EQ(fstat(fd, &b), 0);
    CHECK_EQ(a.st_mode, S_IFREG | 0640);
    CHECK_EQ(a.st_size, 5);
    CHECK_EQ(a.st_nlink, 1);
    CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
    CHECK_EQ(a.st_blksize, 4096);
    CHECK_EQ(a.st_blocks, 8);
    CHECK(a.st_uid == getuid() && a.st_gid == getgid());
}

CASE(directory_counts_its_links)
{
    struct stat status;
    CHECK_EQ(mkdir("d", 0750), 0);
    CHECK_EQ(stat("d", &status), 0);
    CHECK_EQ(status.st_mode, S_IFDIR | 0750);
    CHECK_EQ(status.st_nlink, 2);
    CHECK_EQ(mkdir("d/e", 0700), 0);
    CHECK_EQ(stat("d", &status), 0);
    CHECK_EQ(status.st_nlink, 3);
    CHECK_EQ(rmdir("d/e"), 0);
    CHECK_EQ(stat("d", &status), 0);
    CHECK_EQ(status.st_nlink, 2);
}

CASE(lstat_sees_the_link)
{
    CHECK_EQ(symlink("12345678", "l"), 0);
    struct stat status;
    CHECK_EQ(lstat("l", &status), 0);
    CHECK_EQ(status.st_mode, S_IFLNK | 0777);
    CHECK_EQ(status.st_size, 8);
    CHECK_ERRNO(stat("l", &status), ENOENT);
    CHECK_EQ(symlink(".", "m"), 0);
    CHECK_EQ(lstat("m/", &status), 0);
    CHECK(S_ISDIR(status.st_mode));
}

CASE(errors_of_the_path)
{
    struct stat status;
    CHECK_ERRNO(stat("none", &status), ENOENT);
    CHECK_ERRNO(stat("", &status), ENOENT);
    CHECK(open("f", O_CREAT, 0600) >= 0);
    CHECK_ERRNO(stat("f/x", &status), ENOTDIR);
    CHECK_ERRNO(stat("f/", &status), ENOTDIR);
    CHECK_ERRNO(lstat("f/", &status), ENOTDIR);
    CHECK_ERRNO(syscall(SYS_stat, BAD_POINTER, &status), EFAULT);
    CHECK_ERRNO(syscall(SYS_stat, ".", BAD_POINTER), EFAULT);
    CHECK_ERRNO(fstat(99, &status), EBADF);
    CHECK_ERRNO(syscall(SYS_fstat, 0, BAD_POINTER), EFAULT);
}

CASE(fstatat_with_an_empty_path)
{
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    struct stat status;
    CHECK_EQ(fstatat(fd, "", &status, AT_EMPTY_PATH), 0);
    CHECK(S_ISREG(status.st_mode));
    CHECK_EQ(fstatat(AT_FDCWD, "", &status, AT_EMPTY_PATH), 0);
    CHECK(S_ISDIR(status.st_mode));
    CHECK_ERRNO(fstatat(fd, "", &status, 0), ENOENT);
    CHECK_ERRNO(fstatat(fd, "x", &status, AT_EMPTY_PATH), ENOTDIR);
    CHECK_ERRNO(fstatat(99, "", &status, AT_EMPTY_PATH), EBADF);
    CHECK_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, ".", &status, 0x4), EINVAL);
}

CASE(kinds_of_files)
{
    struct stat status;
    CHECK_EQ(mkfifo("p", 0600), 0);
    CHECK_EQ(stat("p", &status), 0);
    CHECK_EQ(status.st_mode, S_IFIFO | 0600);
    CHECK_EQ(stat("/dev/null", &status), 0);
    CHECK(S_ISCHR(status.st_mode));
    CHECK(major(status.st_rdev) == 1 && minor(status.st_rdev) == 3);
    CHECK_EQ(mknod("c", S_IFCHR | 0600, makedev(1, 5)), 0);
    CHECK_EQ(stat("c", &status), 0);
    CHECK(S_ISCHR(status.st_mode) && major(status.st_rdev) == 1 && minor(status.st_rdev) == 5);
    CHECK_EQ(mknod("b", S_IFBLK | 0600, makedev(300, 70000)), 0);
    CHECK_EQ(stat("b", &status), 0);
    CHECK(S_ISBLK(status.st_mode) && major(status.st_rdev) == 300 && minor(status.st_rdev) == 70000);
    CHECK_EQ(mknod("r", S_IFREG | 0600, 0), 0);
    CHECK_EQ(mknod("r2", 0600, 0), 0);
    CHECK_EQ(stat("r2", &status), 0);
    CHECK(S_ISREG(status.st_mode));
    CHECK_EQ(mknod("s", S_IFSOCK | 0600, 0), 0);
    CHECK_ERRNO(mknod("d", S_IFDIR | 0600, 0), EPERM);
    CHECK_ERRNO(mknod("l", S_IFLNK | 0600, 0), EINVAL);
    CHECK_ERRNO(mknod("p", S_IFIFO | 0600, 0), EEXIST);
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(fstat(fds[0], &status), 0);
    CHECK_EQ(status.st_mode, S_IFIFO | 0600);
}

CASE(statx_fills_what_is_known)
{
    struct statx status;
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    CHECK_EQ(write(fd, "123", 3), 3);
    CHECK_EQ(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &status), 0);
    CHECK_EQ(status.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
    CHECK_EQ(status.stx_mode, S_IFREG | 0600);
    CHECK_EQ(status.stx_size, 3);
    CHECK_EQ(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &status), 0);
    CHECK_EQ(status.stx_size, 3);
    struct stat plain;
    CHECK_EQ(fstat(fd, &plain), 0);
    CHECK_EQ(makedev(status.stx_dev_major, status.stx_dev_minor), plain.st_dev);
    CHECK_EQ(status.stx_ino, plain.st_ino);
    CHECK_EQ(status.stx_mtime.tv_sec, plain.st_mtim.tv_sec);
    CHECK_EQ(status.stx_mtime.tv_nsec, plain.st_mtim.tv_nsec);
}

CASE(statx_is_checked)
{
    struct statx status;
    CHECK_ERRNO(statx(AT_FDCWD, ".", 0x4, STATX_BASIC_STATS, &status), EINVAL);
    CHECK_ERRNO(statx(AT_FDCWD, ".", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &status), EINVAL);
    CHECK_ERRNO(statx(AT_FDCWD, ".", 0, 0x80000000, &status), EINVAL);
    CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, ".", 0, STATX_BASIC_STATS, BAD_POINTER), EFAULT);
    CHECK_ERRNO(syscall(SYS_statx, 99, "x", 0, STATX_BASIC_STATS, &status), EBADF);
    CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, "none", 0, STATX_BASIC_STATS, &status), ENOENT);
    CHECK_EQ(symlink("none", "l"), 0);
    CHECK_EQ(statx(AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status), 0);
    CHECK(S_ISLNK(status.stx_mode));
}

CASE(statfs_of_tmpfs)
{
    struct statfs status;
    CHECK_EQ(statfs(".", &status), 0);
    CHECK_EQ(status.f_type, 0x01021994);
    CHECK_EQ(status.f_bsize, 4096);
    CHECK_EQ(status.f_namelen, 255);
    CHECK_EQ(fstatfs(open(".", O_RDONLY), &status), 0);
    CHECK_EQ(statfs("/proc", &status), 0);
    CHECK_EQ(status.f_type, 0x9fa0);
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(fstatfs(fds[0], &status), 0);
    CHECK_EQ(status.f_type, 0x50495045);
    CHECK_ERRNO(statfs("none", &status), ENOENT);
    CHECK_ERRNO(fstatfs(99, &status), EBADF);
    CHECK_ERRNO(syscall(SYS_statfs, ".", BAD_POINTER), EFAULT);
}

CASE(utimensat_sets_times)
{
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    struct timespec times[] = { { 111, 222 }, { 333, 444 } };
    CHECK_EQ(utimensat(AT_FDCWD, "f", times, 0), 0);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK(status.st_atim.tv_sec == 111 && status.st_atim.tv_nsec == 222 && status.st_mtim.tv_sec == 333 && status.st_mtim.tv_nsec == 444);
    struct timespec omit[] = { { 5, UTIME_OMIT }, { 7, 8 } };
    CHECK_EQ(futimens(fd, omit), 0);
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK(status.st_atim.tv_sec == 111 && status.st_mtim.tv_sec == 7);
    struct timespec now[] = { { 0, UTIME_NOW }, { 0, UTIME_OMIT } };
    CHECK_EQ(futimens(fd, now), 0);
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK(status.st_atim.tv_sec > 1000000 && status.st_mtim.tv_sec == 7);
    CHECK_EQ(utimensat(AT_FDCWD, "f", NULL, 0), 0);
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK(status.st_mtim.tv_sec > 1000000);
}

CASE(utimensat_is_checked)
{
    CHECK(open("f", O_CREAT | O_RDWR, 0600) >= 0);
    struct timespec bad[] = { { 1, 1000000000 }, { 1, 0 } };
    CHECK_ERRNO(utimensat(AT_FDCWD, "f", bad, 0), EINVAL);
    bad[0].tv_nsec = -1;
    CHECK_ERRNO(utimensat(AT_FDCWD, "f", bad, 0), EINVAL);
    struct timespec good[] = { { 1, 0 }, { 1, 0 } };
    CHECK_ERRNO(utimensat(AT_FDCWD, "none", good, 0), ENOENT);
    CHECK_ERRNO(syscall(SYS_utimensat, AT_FDCWD, "f", good, 0x1), EINVAL);
    CHECK_ERRNO(syscall(SYS_utimensat, AT_FDCWD, "f", BAD_POINTER, 0), EFAULT);
    CHECK_ERRNO(syscall(SYS_utimensat, 99, NULL, good, 0), EBADF);
    struct timespec omit[] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };
    CHECK_EQ(utimensat(AT_FDCWD, "none", omit, 0), 0);
    CHECK_EQ(symlink("f", "l"), 0);
    CHECK_EQ(utimensat(AT_FDCWD, "l", good, AT_SYMLINK_NOFOLLOW), 0);
    struct stat status;
    CHECK_EQ(lstat("l", &status), 0);
    CHECK_EQ(status.st_mtime, 1);
    CHECK_EQ(stat("f", &status), 0);
    CHECK(status.st_mtime > 1000);
}

CASE(utimensat_needs_the_owner_for_other_times)
{
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    CHECK_EQ(fchmod(fd, 0666), 0);
    CHECK_EQ(chmod(".", 0777), 0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    struct timespec times[] = { { 1, 0 }, { 1, 0 } };
    CHECK_ERRNO(utimensat(AT_FDCWD, "f", times, 0), EPERM);
    CHECK_EQ(utimensat(AT_FDCWD, "f", NULL, 0), 0);
    struct timespec mixed[] = { { 0, UTIME_NOW }, { 0, UTIME_OMIT } };
    CHECK_ERRNO(utimensat(AT_FDCWD, "f", mixed, 0), EPERM);
    struct timespec both[] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
    CHECK_EQ(utimensat(AT_FDCWD, "f", both, 0), 0);
}

CASE(change_time_follows_attributes)
{
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    struct stat before, after;
    CHECK_EQ(fstat(fd, &before), 0);
    sleep_ms(20);
    CHECK_EQ(fchmod(fd, 0644), 0);
    CHECK_EQ(fstat(fd, &after), 0);
    CHECK(after.st_ctim.tv_sec > before.st_ctim.tv_sec || after.st_ctim.tv_nsec > before.st_ctim.tv_nsec);
    CHECK_EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
    sleep_ms(20);
    CHECK_EQ(link("f", "g"), 0);
    CHECK_EQ(fstat(fd, &before), 0);
    CHECK(after.st_ctim.tv_sec < before.st_ctim.tv_sec || after.st_ctim.tv_nsec < before.st_ctim.tv_nsec);
}

CASE(directory_times_follow_its_entries)
{
    struct timespec old[] = { { 1, 0 }, { 1, 0 } };
    struct stat status;
    CHECK_EQ(mkdir("d", 0700), 0);
    CHECK_EQ(utimensat(AT_FDCWD, "d", old, 0), 0);
    CHECK(open("d/f", O_CREAT, 0600) >= 0);
    CHECK_EQ(stat("d", &status), 0);
    CHECK(status.st_mtime > 1);
    CHECK_EQ(utimensat(AT_FDCWD, "d", old, 0), 0);
    CHECK_EQ(rename("d/f", "d/g"), 0);
    CHECK_EQ(stat("d", &status), 0);
    CHECK(status.st_mtime > 1);
    CHECK_EQ(utimensat(AT_FDCWD, "d", old, 0), 0);
    CHECK_EQ(unlink("d/g"), 0);
    CHECK_EQ(stat("d", &status), 0);
    CHECK(status.st_mtime > 1);
}

CASE(reading_moves_the_access_time)
{
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    CHECK_EQ(write(fd, "x", 1), 1);
    struct timespec old[] = { { 1, 0 }, { 2, 0 } };
    CHECK_EQ(futimens(fd, old), 0);
    char c;
    CHECK_EQ(pread(fd, &c, 1, 0), 1);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK(status.st_atime > 2);
    CHECK_EQ(status.st_mtime, 2);
}

// /tmp is mounted with relatime.
CASE(a_later_access_time_stays)
{
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    CHECK_EQ(write(fd, "x", 1), 1);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    time_t later = status.st_mtime + 1000;
    struct timespec times[] = { { later, 0 }, { 2, 0 } };
    CHECK_EQ(futimens(fd, times), 0);
    char c;
    CHECK_EQ(pread(fd, &c, 1, 0), 1);
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_atime, later);
}

CASE(noatime_keeps_the_access_time)
{
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    CHECK_EQ(write(fd, "x", 1), 1);
    struct timespec old[] = { { 1, 0 }, { 2, 0 } };
    CHECK_EQ(futimens(fd, old), 0);
    int quiet = open("f", O_RDONLY | O_NOATIME);
    char c;
    CHECK_EQ(read(quiet, &c, 1), 1);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_atime, 1);
    CHECK_EQ(fcntl(quiet, F_SETFL, 0), 0);
    CHECK_EQ(pread(quiet, &c, 1, 0), 1);
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK(status.st_atime > 2);
}

CASE(listing_moves_the_access_time)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    struct timespec old[] = { { 1, 0 }, { 2, 0 } };
    CHECK_EQ(utimensat(AT_FDCWD, "d", old, 0), 0);
    int fd = open("d", O_RDONLY | O_DIRECTORY);
    char entries[1024];
    CHECK(syscall(SYS_getdents64, fd, entries, sizeof entries) > 0);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK(status.st_atime > 2);
}

CASE(utimes_and_utime_work_too)
{
    CHECK(open("f", O_CREAT, 0600) >= 0);
    long times[] = { 5, 6, 7, 8 };
    CHECK_EQ(syscall(SYS_utimes, "f", times), 0);
    struct stat status;
    CHECK_EQ(stat("f", &status), 0);
    CHECK(status.st_atim.tv_sec == 5 && status.st_atim.tv_nsec == 6000 && status.st_mtim.tv_sec == 7 && status.st_mtim.tv_nsec == 8000);
    long seconds[] = { 9, 10 };
    CHECK_EQ(syscall(SYS_utime, "f", seconds), 0);
    CHECK_EQ(stat("f", &status), 0);
    CHECK(status.st_atim.tv_sec == 9 && status.st_mtim.tv_sec == 10 && status.st_mtim.tv_nsec == 0);
    times[1] = 1000000;
    CHECK_ERRNO(syscall(SYS_utimes, "f", times), EINVAL);
    CHECK_EQ(syscall(SYS_futimesat, AT_FDCWD, "f", NULL), 0);
}

GUEST_MAIN("stat")
