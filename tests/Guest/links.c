// link(2), linkat(2), symlink(2), readlink(2) and how paths follow links
#include "guest.h"
#include <limits.h>

static void make(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
    CHECK(fd >= 0);
    CHECK_EQ(close(fd), 0);
}

static long inode_of(const char *name)
{
    struct stat status;
    CHECK_EQ(lstat(name, &status), 0);
    return status.st_ino;
}

CASE(hard_links_are_one_file)
{
    make("a");
    CHECK_EQ(link("a", "b"), 0);
    CHECK_EQ(inode_of("a"), inode_of("b"));
    struct stat status;
    CHECK_EQ(stat("a", &status), 0);
    CHECK_EQ(status.st_nlink, 2);
    int fd = open("b", O_WRONLY);
    CHECK_EQ(write(fd, "xyz", 3), 3);
    CHECK_EQ(stat("a", &status), 0);
    CHECK_EQ(status.st_size, 3);
    CHECK_EQ(unlink("a"), 0);
    CHECK_EQ(stat("b", &status), 0);
    CHECK_EQ(status.st_nlink, 1);
}

CASE(link_errors)
{
    make("a");
    CHECK_EQ(mkdir("d", 0700), 0);
    CHECK_ERRNO(link("a", "a"), EEXIST);
    CHECK_ERRNO(link("a", "d"), EEXIST);
    CHECK_ERRNO(link("d", "e"), EPERM);
    CHECK_ERRNO(link("none", "b"), ENOENT);
    CHECK_ERRNO(link("a", "none/b"), ENOENT);
    CHECK_ERRNO(link("a", "b/"), ENOENT);
    CHECK_ERRNO(link("a", ""), ENOENT);
    CHECK_ERRNO(link("", "b"), ENOENT);
    CHECK_ERRNO(link("a", "a/b"), ENOTDIR);
    CHECK_ERRNO(link("a", "."), EEXIST);
    CHECK_ERRNO(linkat(AT_FDCWD, "a", AT_FDCWD, "b", 0x1), EINVAL);
    CHECK_ERRNO(linkat(99, "a", AT_FDCWD, "b", 0), EBADF);
}

CASE(link_of_a_symbolic_link)
{
    make("a");
    CHECK_EQ(symlink("a", "l"), 0);
    CHECK_EQ(link("l", "m"), 0);
    CHECK_EQ(inode_of("l"), inode_of("m"));
    CHECK_EQ(linkat(AT_FDCWD, "l", AT_FDCWD, "n", AT_SYMLINK_FOLLOW), 0);
    CHECK_EQ(inode_of("a"), inode_of("n"));
}

CASE(link_by_descriptor)
{
    int fd = open("a", O_CREAT | O_RDWR, 0600);
    CHECK_EQ(linkat(fd, "", AT_FDCWD, "b", AT_EMPTY_PATH), 0);
    CHECK_EQ(inode_of("a"), inode_of("b"));
    CHECK_EQ(unlink("a"), 0);
    CHECK_EQ(unlink("b"), 0);
    CHECK_ERRNO(linkat(fd, "", AT_FDCWD, "c", AT_EMPTY_PATH), ENOENT);
}

CASE(readlink_cuts_and_does_not_end)
{
    CHECK_EQ(symlink("target", "l"), 0);
    char text[16];
    memset(text, '#', sizeof text);
    CHECK_EQ(readlink("l", text, 3), 3);
    CHECK(memcmp(text, "tar#", 4) == 0);
    CHECK_EQ(readlink("l", text, 16), 6);
    CHECK(memcmp(text, "target#", 7) == 0);
}

CASE(readlink_errors)
{
    CHECK_EQ(symlink("target", "l"), 0);
    make("f");
    char text[16];
    CHECK_ERRNO(readlink("f", text, 16), EINVAL);
    CHECK_ERRNO(readlink(".", text, 16), EINVAL);
    CHECK_ERRNO(readlink("none", text, 16), ENOENT);
    CHECK_ERRNO(readlink("l/", text, 16), ENOENT);
    CHECK_ERRNO(readlink("", text, 16), ENOENT);
    CHECK_ERRNO(syscall(SYS_readlink, "l", text, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_readlink, "l", text, -1), EINVAL);
    CHECK_ERRNO(syscall(SYS_readlink, "l", BAD_POINTER, 16), EFAULT);
    CHECK_ERRNO(readlinkat(AT_FDCWD, "", text, 16), ENOENT);
    int fd = open("f", O_RDONLY);
    CHECK_ERRNO(readlinkat(fd, "", text, 16), ENOENT);
}

CASE(symlink_errors)
{
    make("f");
    CHECK_ERRNO(symlink("x", "f"), EEXIST);
    CHECK_ERRNO(symlink("x", "none/l"), ENOENT);
    CHECK_ERRNO(symlink("", "l"), ENOENT);
    CHECK_ERRNO(symlink("x", ""), ENOENT);
    CHECK_ERRNO(symlink("x", "l/"), ENOENT);
    CHECK_ERRNO(symlink("x", "f/l"), ENOTDIR);
    CHECK_ERRNO(symlink("x", "."), EEXIST);
    CHECK_EQ(symlink("none", "l"), 0);
    CHECK_ERRNO(symlink("x", "l"), EEXIST);
    char target[4097];
    memset(target, 'a', 4096);
    target[4096] = 0;
    CHECK_ERRNO(symlink(target, "m"), ENAMETOOLONG);
    target[4095] = 0;
    CHECK_EQ(symlink(target, "m"), 0);
    struct stat status;
    CHECK_EQ(lstat("m", &status), 0);
    CHECK_EQ(status.st_size, 4095);
    CHECK_ERRNO(stat("m", &status), ENAMETOOLONG);
}

CASE(loops_are_eloop)
{
    CHECK_EQ(symlink("b", "a"), 0);
    CHECK_EQ(symlink("a", "b"), 0);
    CHECK_EQ(symlink("self", "self"), 0);
    struct stat status;
    CHECK_ERRNO(stat("a", &status), ELOOP);
    CHECK_ERRNO(stat("self", &status), ELOOP);
    CHECK_ERRNO(stat("a/x", &status), ELOOP);
    CHECK_ERRNO(open("a", O_RDONLY | O_CREAT, 0600), ELOOP);
    CHECK_ERRNO(open("self", O_RDONLY), ELOOP);
    CHECK_ERRNO(chdir("a"), ELOOP);
    CHECK_EQ(unlink("a"), 0);
}

CASE(forty_links_are_followed_and_no_more)
{
    make("0");
    char from[16], to[16];
    for (int i = 1; i <= 41; i++) {
        snprintf(from, sizeof from, "%d", i - 1);
        snprintf(to, sizeof to, "%d", i);
        CHECK_EQ(symlink(from, to), 0);
    }
    struct stat status;
    CHECK_EQ(stat("40", &status), 0);
    CHECK_ERRNO(stat("41", &status), ELOOP);
    CHECK(open("40", O_RDONLY) >= 0);
    CHECK_ERRNO(open("41", O_RDONLY), ELOOP);
    CHECK(open("40", O_RDWR | O_CREAT, 0600) >= 0);
    CHECK_ERRNO(open("41", O_RDWR | O_CREAT, 0600), ELOOP);
}

CASE(forty_links_in_the_middle_of_a_path)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    make("d/f");
    CHECK_EQ(symlink(".", "d/l"), 0);
    char path[256] = "d";
    for (int i = 0; i < 40; i++) {
        strcat(path, "/l");
    }
    strcat(path, "/f");
    struct stat status;
    CHECK_EQ(stat(path, &status), 0);
    char longer[300] = "d/l";
    strcat(longer, path + 1);
    CHECK_ERRNO(stat(longer, &status), ELOOP);
}

CASE(relative_links_start_where_they_are)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    make("d/f");
    CHECK_EQ(symlink("f", "d/l"), 0);
    CHECK_EQ(symlink("d/l", "m"), 0);
    struct stat status;
    CHECK_EQ(stat("d/l", &status), 0);
    CHECK_EQ(stat("m", &status), 0);
    CHECK_EQ(symlink("../d/../d/f", "d/n"), 0);
    CHECK_EQ(stat("d/n", &status), 0);
}

CASE(trailing_slashes_follow_links)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    CHECK_EQ(symlink("d", "l"), 0);
    make("f");
    CHECK_EQ(symlink("f", "m"), 0);
    struct stat status;
    CHECK_EQ(lstat("l/", &status), 0);
    CHECK(S_ISDIR(status.st_mode));
    CHECK_EQ(lstat("l/.", &status), 0);
    CHECK(S_ISDIR(status.st_mode));
    CHECK_ERRNO(lstat("m/", &status), ENOTDIR);
    CHECK_EQ(symlink("d/", "n"), 0);
    CHECK_EQ(stat("n", &status), 0);
    CHECK_EQ(symlink("f/", "o"), 0);
    CHECK_ERRNO(stat("o", &status), ENOTDIR);
}

CASE(dangling_links)
{
    CHECK_EQ(symlink("none", "l"), 0);
    CHECK_ERRNO(mkdir("l", 0700), EEXIST);
    CHECK_ERRNO(mkdir("l/", 0700), EEXIST);
    CHECK_ERRNO(mkdir("l/x", 0700), ENOENT);
    CHECK_EQ(rename("l", "m"), 0);
    CHECK_ERRNO(chmod("m", 0600), ENOENT);
    CHECK_EQ(lchown("m", 1, 2), 0);
    struct stat status;
    CHECK_EQ(lstat("m", &status), 0);
    CHECK(status.st_uid == 1 && status.st_gid == 2);
    CHECK_ERRNO(open("m/", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("m/", O_RDONLY | O_CREAT, 0600), EISDIR);
}

CASE(magic_links_of_proc)
{
    make("f");
    int fd = open("f", O_RDONLY);
    char path[64], text[PATH_MAX], here[PATH_MAX];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    long length = readlink(path, text, sizeof text);
    CHECK(getcwd(here, sizeof here) != NULL);
    CHECK_EQ(length, (long)strlen(here) + 2);
    CHECK(memcmp(text, here, strlen(here)) == 0 && memcmp(text + strlen(here), "/f", 2) == 0);
    length = readlink("/proc/self/cwd", text, sizeof text);
    CHECK_EQ(length, (long)strlen(here));
    struct stat a, b;
    CHECK_EQ(stat("/proc/self/cwd/f", &a), 0);
    CHECK_EQ(stat("f", &b), 0);
    CHECK_EQ(a.st_ino, b.st_ino);
    CHECK_EQ(readlink("/proc/self/root", text, sizeof text), 1);
    CHECK_EQ(lstat(path, &a), 0);
    CHECK_EQ(a.st_mode, S_IFLNK | 0500);
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(fstat(fds[0], &a), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fds[0]);
    length = readlink(path, text, sizeof text - 1);
    text[length] = 0;
    snprintf(here, sizeof here, "pipe:[%ld]", (long)a.st_ino);
    CHECK(strcmp(text, here) == 0);
}

CASE(self_is_the_reader)
{
    char text[64] = "", number[64];
    CHECK(readlink("/proc/self", text, sizeof text - 1) > 0);
    snprintf(number, sizeof number, "%d", getpid());
    CHECK(strcmp(text, number) == 0);
    memset(text, 0, sizeof text);
    CHECK(readlink("/proc/thread-self", text, sizeof text - 1) > 0);
    snprintf(number, sizeof number, "%d/task/%ld", getpid(), syscall(SYS_gettid));
    CHECK(strcmp(text, number) == 0);
}

CASE(rename_over_a_link_replaces_the_link)
{
    make("f");
    make("g");
    CHECK_EQ(symlink("f", "l"), 0);
    CHECK_EQ(rename("g", "l"), 0);
    struct stat status;
    CHECK_EQ(lstat("l", &status), 0);
    CHECK(S_ISREG(status.st_mode));
    CHECK_EQ(lstat("f", &status), 0);
}

CASE(links_beyond_protected_hardlinks)
{
    make("f");
    CHECK_EQ(chmod("f", 0600), 0);
    CHECK_EQ(chmod(".", 0777), 0);
    CHECK_EQ(setresgid(1000, 1000, 1000), 0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    make("own");
    CHECK_EQ(link("own", "own2"), 0);
    char protect = '?';
    int fd = open("/proc/sys/fs/protected_hardlinks", O_RDONLY);
    if (fd >= 0) {
        CHECK_EQ(read(fd, &protect, 1), 1);
    }
    if (protect == '1') {
        CHECK_ERRNO(link("f", "g"), EPERM);
    } else {
        CHECK_EQ(link("f", "g"), 0);
    }
}

GUEST_MAIN("links")
