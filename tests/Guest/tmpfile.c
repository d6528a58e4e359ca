// O_TMPFILE, linkat(2) of what has no name, files that lose their name while open, extended attributes (xattr(7)).
#include "guest.h"
#include <sys/xattr.h>

static void link_fd(int fd, const char *name, int expected)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    errno = 0;
    CHECK_EQ(linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno, expected);
}

CASE(tmpfile_has_no_name)
{
    int fd = open(".", O_TMPFILE | O_RDWR, 0640);
    CHECK(fd >= 0);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_nlink, 0);
    CHECK_EQ(status.st_mode, S_IFREG | 0640);
    CHECK_EQ(write(fd, "hello", 5), 5);
    CHECK_EQ(rmdir("../nothing"), -1);
}

CASE(tmpfile_is_linked)
{
    int fd = open(".", O_TMPFILE | O_RDWR, 0600);
    CHECK_EQ(write(fd, "hello", 5), 5);
    link_fd(fd, "name", 0);
    struct stat status;
    CHECK_EQ(stat("name", &status), 0);
    CHECK_EQ(status.st_nlink, 1);
    CHECK_EQ(status.st_size, 5);
    link_fd(fd, "name", EEXIST);
    CHECK_EQ(unlink("name"), 0);
}

CASE(tmpfile_empty_path)
{
    int fd = open(".", O_TMPFILE | O_RDWR, 0600);
    CHECK_EQ(linkat(fd, "", AT_FDCWD, "name", AT_EMPTY_PATH), 0);
    CHECK_EQ(access("name", F_OK), 0);
    CHECK_ERRNO(linkat(fd, "", AT_FDCWD, "other", 0), ENOENT);
}

CASE(tmpfile_exclusive)
{
    int fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
    CHECK(fd >= 0);
    link_fd(fd, "name", ENOENT);
}

CASE(tmpfile_errors)
{
    close(open("file", O_CREAT | O_WRONLY, 0600));
    CHECK_ERRNO(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
    CHECK_ERRNO(open("file", O_TMPFILE | O_RDWR, 0600), ENOTDIR);
    CHECK_ERRNO(open("missing", O_TMPFILE | O_RDWR, 0600), ENOENT);
    CHECK_EQ(mkdir("d", 0500), 0);
    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(setuid(1000), 0);
    CHECK_ERRNO(open("d", O_TMPFILE | O_RDWR, 0600), EACCES);
}

CASE(unlinked_file_lives_on)
{
    int fd = open("file", O_CREAT | O_RDWR, 0600);
    CHECK_EQ(write(fd, "hello", 5), 5);
    CHECK_EQ(unlink("file"), 0);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_nlink, 0);
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK_EQ(fchmod(fd, 0644), 0);
    CHECK_EQ(ftruncate(fd, 3), 0);
    char buffer[8], path[64], text[300] = { 0 };
    CHECK_EQ(pread(fd, buffer, 8, 0), 3);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CHECK(readlink(path, text, sizeof text - 1) > 0);
    CHECK(strcmp(text + strlen(text) - 10, " (deleted)") == 0);
    link_fd(fd, "again", ENOENT);
}

CASE(link_count)
{
    int fd = open("a", O_CREAT | O_RDWR, 0600);
    struct stat status;
    CHECK_EQ(link("a", "b"), 0);
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_nlink, 2);
    CHECK_EQ(unlink("a"), 0);
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_nlink, 1);
    CHECK_EQ(rename("b", "c"), 0);
    CHECK_EQ(unlink("c"), 0);
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_nlink, 0);
}

CASE(removed_directory)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    int fd = open("d", O_RDONLY);
    CHECK_EQ(rmdir("d"), 0);
    CHECK_ERRNO(openat(fd, "x", O_CREAT | O_WRONLY, 0600), ENOENT);
    CHECK_ERRNO(mkdirat(fd, "x", 0700), ENOENT);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_nlink, 0);
}

CASE(xattr_user)
{
    int fd = open("file", O_CREAT | O_RDWR, 0600);
    char value[32];
    CHECK_EQ(setxattr("file", "user.one", "value", 5, 0), 0);
    CHECK_EQ(getxattr("file", "user.one", value, sizeof value), 5);
    CHECK(memcmp(value, "value", 5) == 0);
    CHECK_EQ(fgetxattr(fd, "user.one", NULL, 0), 5);
    CHECK_ERRNO(getxattr("file", "user.one", value, 4), ERANGE);
    CHECK_EQ(fsetxattr(fd, "user.two", "", 0, 0), 0);
    CHECK_EQ(getxattr("file", "user.two", value, sizeof value), 0);
    CHECK_ERRNO(getxattr("file", "user.three", value, sizeof value), ENODATA);
    CHECK_EQ(removexattr("file", "user.one"), 0);
    CHECK_ERRNO(removexattr("file", "user.one"), ENODATA);
}

CASE(xattr_flags)
{
    close(open("file", O_CREAT | O_RDWR, 0600));
    CHECK_ERRNO(setxattr("file", "user.x", "1", 1, XATTR_REPLACE), ENODATA);
    CHECK_EQ(setxattr("file", "user.x", "1", 1, XATTR_CREATE), 0);
    CHECK_ERRNO(setxattr("file", "user.x", "1", 1, XATTR_CREATE), EEXIST);
    CHECK_EQ(setxattr("file", "user.x", "2", 1, XATTR_REPLACE), 0);
    CHECK_ERRNO(setxattr("file", "user.x", "2", 1, 4), EINVAL);
}

CASE(xattr_list)
{
    close(open("file", O_CREAT | O_RDWR, 0600));
    char list[128];
    CHECK_EQ(setxattr("file", "user.a", "1", 1, 0), 0);
    CHECK_EQ(setxattr("file", "user.bb", "1", 1, 0), 0);
    ssize_t size = listxattr("file", list, sizeof list);
    CHECK(size >= 15);
    int found = 0;
    for (char *at = list; at < list + size; at += strlen(at) + 1) {
        found += strcmp(at, "user.a") == 0 || strcmp(at, "user.bb") == 0;
    }
    CHECK_EQ(found, 2);
    CHECK_EQ(listxattr("file", NULL, 0), size);
    CHECK_ERRNO(listxattr("file", list, 5), ERANGE);
}

CASE(xattr_names)
{
    close(open("file", O_CREAT | O_RDWR, 0600));
    char name[300];
    memset(name, 'x', sizeof name);
    memcpy(name, "user.", 5);
    name[256] = 0;
    CHECK_ERRNO(setxattr("file", name, "1", 1, 0), ERANGE);
    name[255] = 0;
    CHECK_EQ(setxattr("file", name, "1", 1, 0), 0);
    CHECK_ERRNO(setxattr("file", "", "1", 1, 0), ERANGE);
    CHECK_ERRNO(setxattr("file", "nonsense.x", "1", 1, 0), EOPNOTSUPP);
    CHECK_ERRNO(setxattr("file", BAD_POINTER, "1", 1, 0), EFAULT);
    CHECK_ERRNO(syscall(SYS_setxattr, "file", "user.x", BAD_POINTER, 1, 0), EFAULT);
    CHECK_ERRNO(syscall(SYS_setxattr, "file", "user.x", "1", 70000, 0), E2BIG);
    CHECK_ERRNO(setxattr("missing", "user.x", "1", 1, 0), ENOENT);
}

CASE(xattr_trusted)
{
    close(open("file", O_CREAT | O_RDWR, 0666));
    CHECK_EQ(chmod("file", 0666), 0);
    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(setxattr("file", "trusted.x", "1", 1, 0), 0);
    CHECK_EQ(setxattr("file", "user.x", "1", 1, 0), 0);
    char list[128], value[8];
    ssize_t before = listxattr("file", list, sizeof list);
    CHECK_EQ(setuid(1000), 0);
    CHECK_ERRNO(setxattr("file", "trusted.y", "1", 1, 0), EPERM);
    CHECK_ERRNO(getxattr("file", "trusted.x", value, sizeof value), ENODATA);
    CHECK_ERRNO(setxattr("file", "security.x", "1", 1, 0), EPERM);
    CHECK_EQ(listxattr("file", list, sizeof list), before - 10);
    CHECK_EQ(getxattr("file", "user.x", value, sizeof value), 1);
}

CASE(xattr_permission)
{
    close(open("file", O_CREAT | O_RDWR, 0600));
    CHECK_EQ(setxattr("file", "user.x", "1", 1, 0), 0);
    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(setuid(1000), 0);
    char value[8];
    CHECK_ERRNO(getxattr("file", "user.x", value, sizeof value), EACCES);
    CHECK_ERRNO(setxattr("file", "user.x", "1", 1, 0), EACCES);
}

CASE(xattr_of_other_kinds)
{
    CHECK_EQ(mkfifo("fifo", 0600), 0);
    CHECK_EQ(symlink("fifo", "link"), 0);
    CHECK_EQ(mkdir("d", 0700), 0);
    CHECK_ERRNO(setxattr("fifo", "user.x", "1", 1, 0), EPERM);
    CHECK_ERRNO(lsetxattr("link", "user.x", "1", 1, 0), EPERM);
    CHECK_EQ(setxattr("d", "user.x", "1", 1, 0), 0);
    CHECK_EQ(lsetxattr("link", "trusted.x", "1", 1, 0), 0);
    char value[8];
    CHECK_EQ(lgetxattr("link", "trusted.x", value, sizeof value), 1);
    int path = open("d", O_PATH);
    CHECK_ERRNO(fgetxattr(path, "user.x", value, sizeof value), EBADF);
}

GUEST_MAIN("tmpfile")
