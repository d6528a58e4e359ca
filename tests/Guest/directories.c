// mkdir(2), rmdir(2), unlink(2), rename(2), renameat2(2), getdents64(2), chdir(2), fchdir(2), getcwd(2), chroot(2)
#include "guest.h"
#include <dirent.h>
#include <limits.h>
#include <sys/statvfs.h>

static void make(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, name, strlen(name)), strlen(name));
    CHECK_EQ(close(fd), 0);
}

static int exists(const char *name)
{
    struct stat status;
    return lstat(name, &status) == 0;
}

// How often a name is in the current directory.
static int listed(const char *directory, const char *name)
{
    DIR *open = opendir(directory);
    CHECK(open != NULL);
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(open))) {
        count += strcmp(entry->d_name, name) == 0;
    }
    closedir(open);
    return count;
}

CASE(mkdir_applies_the_umask)
{
    umask(022);
    CHECK_EQ(mkdir("d", 0777), 0);
    struct stat status;
    CHECK_EQ(stat("d", &status), 0);
    CHECK_EQ(status.st_mode, S_IFDIR | 0755);
    CHECK_EQ(mkdir("e", 01777), 0);
    CHECK_EQ(stat("e", &status), 0);
    CHECK_EQ(status.st_mode, S_IFDIR | 01755);
    CHECK_EQ(mkdir("s", 06777), 0);
    CHECK_EQ(stat("s", &status), 0);
    CHECK_EQ(status.st_mode, S_IFDIR | 0755);
}

CASE(mkdir_errors)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    CHECK_ERRNO(mkdir("d", 0700), EEXIST);
    CHECK_ERRNO(mkdir(".", 0700), EEXIST);
    CHECK_ERRNO(mkdir("..", 0700), EEXIST);
    CHECK_ERRNO(mkdir("/", 0700), EEXIST);
    CHECK_ERRNO(mkdir("none/d", 0700), ENOENT);
    CHECK_ERRNO(mkdir("", 0700), ENOENT);
    make("f");
    CHECK_ERRNO(mkdir("f", 0700), EEXIST);
    CHECK_ERRNO(mkdir("f/d", 0700), ENOTDIR);
    CHECK_EQ(symlink("none", "l"), 0);
    CHECK_ERRNO(mkdir("l", 0700), EEXIST);
    CHECK_EQ(mkdir("e/", 0700), 0);
    CHECK_EQ(mkdir("g///", 0700), 0);
    CHECK_ERRNO(mkdirat(99, "x", 0700), EBADF);
    CHECK_ERRNO(syscall(SYS_mkdir, BAD_POINTER, 0700), EFAULT);
}

CASE(set_group_id_directories_pass_the_group_on)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    CHECK_EQ(chown("d", 0, 1234), 0);
    CHECK_EQ(chmod("d", 02777), 0);
    CHECK_EQ(mkdir("d/e", 0700), 0);
    make("d/f");
    struct stat status;
    CHECK_EQ(stat("d/e", &status), 0);
    CHECK_EQ(status.st_gid, 1234);
    CHECK_EQ(status.st_mode, S_IFDIR | 02700);
    CHECK_EQ(stat("d/f", &status), 0);
    CHECK_EQ(status.st_gid, 1234);
    CHECK_EQ(status.st_mode, S_IFREG | 0644);
}

CASE(rmdir_errors)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    make("d/f");
    CHECK_ERRNO(rmdir("d"), ENOTEMPTY);
    CHECK_ERRNO(rmdir("d/f"), ENOTDIR);
    CHECK_ERRNO(rmdir("d/."), EINVAL);
    CHECK_ERRNO(rmdir("d/.."), ENOTEMPTY);
    CHECK_ERRNO(rmdir("."), EINVAL);
    CHECK_ERRNO(rmdir(".."), ENOTEMPTY);
    CHECK_ERRNO(rmdir("/"), EBUSY);
    CHECK_ERRNO(rmdir("none"), ENOENT);
    CHECK_EQ(unlink("d/f"), 0);
    CHECK_EQ(symlink("d", "l"), 0);
    CHECK_ERRNO(rmdir("l"), ENOTDIR);
    CHECK_ERRNO(rmdir("l/"), ENOTDIR);
    CHECK_EQ(rmdir("d/"), 0);
    CHECK_ERRNO(rmdir("/proc"), EBUSY);
}

CASE(unlink_errors)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    make("f");
    CHECK_ERRNO(unlink("d"), EISDIR);
    CHECK_ERRNO(unlink("f/"), ENOTDIR);
    CHECK_ERRNO(unlink("d/"), EISDIR);
    CHECK_ERRNO(unlink("none/"), ENOENT);
    CHECK_ERRNO(unlink("."), EISDIR);
    CHECK_ERRNO(unlink(".."), EISDIR);
    CHECK_ERRNO(unlink("/"), EISDIR);
    CHECK_ERRNO(unlink("none"), ENOENT);
    CHECK_ERRNO(unlinkat(AT_FDCWD, "f", 0x1), EINVAL);
    CHECK_ERRNO(unlinkat(AT_FDCWD, "f", AT_REMOVEDIR), ENOTDIR);
    CHECK_EQ(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR), 0);
    CHECK_EQ(symlink("f", "l"), 0);
    CHECK_ERRNO(unlink("l/"), ENOTDIR);
    CHECK_EQ(unlink("l"), 0);
    CHECK(exists("f"));
}

CASE(rename_replaces)
{
    make("a");
    make("b");
    CHECK_EQ(rename("a", "b"), 0);
    CHECK(!exists("a"));
    char c;
    CHECK_EQ(read(open("b", O_RDONLY), &c, 1), 1);
    CHECK_EQ(c, 'a');
    CHECK_EQ(listed(".", "b"), 1);
}

CASE(rename_of_directories)
{
    CHECK_EQ(mkdir("a", 0700), 0);
    CHECK_EQ(mkdir("b", 0700), 0);
    make("a/f");
    CHECK_EQ(rename("a", "b"), 0);
    CHECK(exists("b/f") && !exists("a"));
    CHECK_EQ(mkdir("c", 0700), 0);
    CHECK_ERRNO(rename("c", "b"), ENOTEMPTY);
    CHECK_ERRNO(rename("b", "b/d"), EINVAL);
    CHECK_ERRNO(rename("b", "b/d/e"), ENOENT);
    CHECK_EQ(mkdir("c/x", 0700), 0);
    CHECK_ERRNO(rename("c/x", "c"), ENOTEMPTY);
    CHECK_ERRNO(rename("c", "c/x"), EINVAL);
    CHECK_ERRNO(rename("c", "c/x/y"), EINVAL);
    CHECK_EQ(rename("c/x", "moved"), 0);
    struct stat status;
    CHECK_EQ(stat("c", &status), 0);
    CHECK_EQ(status.st_nlink, 2);
}

CASE(rename_of_unlike_kinds)
{
    make("f");
    CHECK_EQ(mkdir("d", 0700), 0);
    CHECK_ERRNO(rename("f", "d"), EISDIR);
    CHECK_ERRNO(rename("d", "f"), ENOTDIR);
    CHECK_ERRNO(rename("f", "g/"), ENOTDIR);
    CHECK_ERRNO(rename("f/", "g"), ENOTDIR);
    CHECK_EQ(rename("d/", "e/"), 0);
    CHECK(exists("e"));
    CHECK_EQ(symlink("e", "l"), 0);
    CHECK_EQ(rename("l", "m"), 0);
    CHECK(exists("m"));
    CHECK_ERRNO(rename("m/", "n"), ENOTDIR);
}

CASE(rename_to_itself_does_nothing)
{
    make("f");
    CHECK_EQ(rename("f", "f"), 0);
    CHECK_EQ(link("f", "g"), 0);
    CHECK_EQ(rename("f", "g"), 0);
    CHECK(exists("f") && exists("g"));
    CHECK_EQ(mkdir("d", 0700), 0);
    CHECK_EQ(rename("d", "d"), 0);
}

CASE(rename_errors)
{
    make("f");
    CHECK_EQ(mkdir("d", 0700), 0);
    CHECK_ERRNO(rename("none", "g"), ENOENT);
    CHECK_ERRNO(rename("f", "none/g"), ENOENT);
    CHECK_ERRNO(rename("", "g"), ENOENT);
    CHECK_ERRNO(rename("f", ""), ENOENT);
    CHECK_ERRNO(rename(".", "g"), EBUSY);
    CHECK_ERRNO(rename("d/.", "g"), EBUSY);
    CHECK_ERRNO(rename("f", "."), EBUSY);
    CHECK_ERRNO(rename("f", ".."), EBUSY);
    CHECK_ERRNO(rename("f", "f/g"), ENOTDIR);
    CHECK_ERRNO(rename("f", "/proc/g"), EXDEV);
}

CASE(renameat2_flags)
{
    make("a");
    make("b");
    CHECK_ERRNO(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE), EEXIST);
    CHECK_EQ(renameat2(AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE), 0);
    CHECK_ERRNO(renameat2(AT_FDCWD, "c", AT_FDCWD, "b", 8), EINVAL);
    CHECK_ERRNO(renameat2(AT_FDCWD, "c", AT_FDCWD, "b", RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
    CHECK_EQ(renameat2(AT_FDCWD, "c", AT_FDCWD, "b", RENAME_EXCHANGE), 0);
    char text;
    CHECK_EQ(read(open("b", O_RDONLY), &text, 1), 1);
    CHECK_EQ(text, 'a');
    CHECK_EQ(read(open("c", O_RDONLY), &text, 1), 1);
    CHECK_EQ(text, 'b');
    CHECK_ERRNO(renameat2(AT_FDCWD, "c", AT_FDCWD, "none", RENAME_EXCHANGE), ENOENT);
}

CASE(exchange_of_a_file_and_a_directory)
{
    make("f");
    CHECK_EQ(mkdir("d", 0700), 0);
    CHECK_EQ(mkdir("e", 0700), 0);
    make("d/in");
    CHECK_EQ(renameat2(AT_FDCWD, "f", AT_FDCWD, "d", RENAME_EXCHANGE), 0);
    CHECK(exists("f/in"));
    CHECK_EQ(renameat2(AT_FDCWD, "f", AT_FDCWD, "e/f", RENAME_NOREPLACE), 0);
    CHECK_EQ(renameat2(AT_FDCWD, "e/f", AT_FDCWD, "d", RENAME_EXCHANGE), 0);
    CHECK(exists("d/in"));
    struct stat status;
    CHECK_EQ(stat("e", &status), 0);
    CHECK_EQ(status.st_nlink, 2);
    CHECK_ERRNO(renameat2(AT_FDCWD, "e", AT_FDCWD, "e/f", RENAME_EXCHANGE), EINVAL);
}

CASE(renamed_directory_is_the_same_working_directory)
{
    CHECK_EQ(mkdir("a", 0700), 0);
    CHECK_EQ(chdir("a"), 0);
    CHECK_EQ(rename("../a", "../b"), 0);
    char path[PATH_MAX];
    CHECK(getcwd(path, sizeof path) != NULL);
    CHECK(strcmp(path + strlen(path) - 2, "/b") == 0);
    make("f");
    CHECK(exists("../b/f"));
}

CASE(removed_working_directory)
{
    CHECK_EQ(mkdir("a", 0700), 0);
    CHECK_EQ(chdir("a"), 0);
    CHECK_EQ(rmdir("../a"), 0);
    char path[PATH_MAX];
    CHECK_ERRNO(syscall(SYS_getcwd, path, sizeof path), ENOENT);
    CHECK_ERRNO(open("f", O_CREAT, 0600), ENOENT);
    CHECK_ERRNO(mkdir("d", 0700), ENOENT);
    struct stat status;
    CHECK_EQ(stat(".", &status), 0);
    CHECK_EQ(status.st_nlink, 0);
    CHECK_EQ(chdir(".."), 0);
    CHECK(!exists("a"));
}

CASE(listing_has_every_name_once)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    char name[32];
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "d/file%d", i);
        CHECK(open(name, O_CREAT, 0600) >= 0);
        close(3);
        close(4);
        close(5);
    }
    DIR *open = opendir("d");
    int count = 0, dots = 0;
    struct dirent *entry;
    while ((entry = readdir(open))) {
        count++;
        dots += entry->d_name[0] == '.';
        CHECK_EQ(entry->d_type, entry->d_name[0] == '.' ? DT_DIR : DT_REG);
    }
    CHECK_EQ(count, 502);
    CHECK_EQ(dots, 2);
    rewinddir(open);
    int again = 0;
    while (readdir(open)) {
        again++;
    }
    CHECK_EQ(again, 502);
}

CASE(getdents_small_buffers)
{
    make("some-name-of-a-file");
    int fd = open(".", O_RDONLY | O_DIRECTORY);
    char buffer[4096];
    CHECK_ERRNO(syscall(SYS_getdents64, fd, buffer, 10), EINVAL);
    long length = syscall(SYS_getdents64, fd, buffer, 24);
    CHECK_EQ(length, 24);
    int total = 1;
    while ((length = syscall(SYS_getdents64, fd, buffer, 48)) > 0) {
        total++;
        CHECK(length <= 48);
    }
    CHECK_EQ(length, 0);
    CHECK_EQ(syscall(SYS_getdents64, fd, buffer, sizeof buffer), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK(syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 60);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_ERRNO(syscall(SYS_getdents64, fd, BAD_POINTER, 4096), EFAULT);
    CHECK_ERRNO(syscall(SYS_getdents64, open("some-name-of-a-file", O_RDONLY), buffer, 4096), ENOTDIR);
    CHECK_ERRNO(syscall(SYS_getdents64, 99, buffer, 4096), EBADF);
}

CASE(getdents_of_a_removed_directory)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    int fd = open("d", O_RDONLY);
    CHECK_EQ(rmdir("d"), 0);
    char buffer[4096];
    CHECK_ERRNO(syscall(SYS_getdents64, fd, buffer, sizeof buffer), ENOENT);
}

CASE(old_getdents_has_its_type_last)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    int fd = open(".", O_RDONLY);
    char buffer[4096];
    long length = syscall(SYS_getdents, fd, buffer, sizeof buffer);
    CHECK(length > 0);
    int found = 0;
    for (long at = 0; at < length;) {
        unsigned short size;
        memcpy(&size, buffer + at + 16, 2);
        if (strcmp(buffer + at + 18, "d") == 0) {
            found = 1;
            CHECK_EQ(buffer[at + size - 1], DT_DIR);
        }
        at += size;
    }
    CHECK(found);
}

CASE(entries_removed_while_listing)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    char name[32];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "d/%d", i);
        CHECK_EQ(mknod(name, S_IFREG | 0600, 0), 0);
    }
    DIR *open = opendir("d");
    struct dirent *entry;
    int removed = 0;
    while ((entry = readdir(open))) {
        if (entry->d_name[0] != '.') {
            CHECK_EQ(unlinkat(dirfd(open), entry->d_name, 0), 0);
            removed++;
        }
    }
    CHECK_EQ(removed, 300);
    CHECK_EQ(rmdir("d"), 0);
}

CASE(seekdir_comes_back)
{
    for (char c = 'a'; c <= 'j'; c++) {
        char name[] = { c, 0 };
        make(name);
    }
    DIR *open = opendir(".");
    char third[256] = "", fourth[256] = "";
    readdir(open);
    readdir(open);
    strcpy(third, readdir(open)->d_name);
    long place = telldir(open);
    strcpy(fourth, readdir(open)->d_name);
    while (readdir(open)) {
    }
    seekdir(open, place);
    CHECK(strcmp(readdir(open)->d_name, fourth) == 0);
    CHECK(strcmp(third, fourth) != 0);
}

CASE(chdir_errors)
{
    make("f");
    CHECK_ERRNO(chdir("f"), ENOTDIR);
    CHECK_ERRNO(chdir("none"), ENOENT);
    CHECK_ERRNO(chdir(""), ENOENT);
    CHECK_ERRNO(fchdir(99), EBADF);
    CHECK_ERRNO(fchdir(open("f", O_RDONLY)), ENOTDIR);
    CHECK_EQ(mkdir("d", 0), 0);
    CHECK_EQ(chmod(".", 0755), 0);
    int fd = open("d", O_RDONLY);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_ERRNO(chdir("d"), EACCES);
    CHECK_ERRNO(fchdir(fd), EACCES);
}

CASE(getcwd_sizes)
{
    char path[PATH_MAX];
    CHECK_EQ(chdir("/"), 0);
    CHECK_EQ(syscall(SYS_getcwd, path, 2), 2);
    CHECK(strcmp(path, "/") == 0);
    CHECK_ERRNO(syscall(SYS_getcwd, path, 1), ERANGE);
    CHECK_ERRNO(syscall(SYS_getcwd, BAD_POINTER, 10), EFAULT);
    CHECK_EQ(chdir("/proc"), 0);
    CHECK_EQ(syscall(SYS_getcwd, path, sizeof path), 6);
}

CASE(chroot_hides_the_rest)
{
    CHECK_EQ(mkdir("r", 0755), 0);
    CHECK_EQ(mkdir("r/d", 0755), 0);
    make("r/f");
    int outside = open(".", O_RDONLY);
    CHECK_EQ(chroot("r"), 0);
    CHECK_EQ(chdir("/"), 0);
    CHECK(exists("/f") && exists("/../f") && exists("../../f"));
    char path[PATH_MAX];
    CHECK_EQ(syscall(SYS_getcwd, path, sizeof path), 2);
    CHECK_EQ(fchdir(outside), 0);
    CHECK(exists("r/f"));
    long length = syscall(SYS_getcwd, path, sizeof path);
    CHECK(length > 0);
    CHECK(strncmp(path, "(unreachable)/", 14) == 0);
}

CASE(chroot_errors)
{
    make("f");
    CHECK_ERRNO(chroot("f"), ENOTDIR);
    CHECK_ERRNO(chroot("none"), ENOENT);
    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_ERRNO(chroot("."), EPERM);
}

CASE(sticky_directories_protect_their_files)
{
    CHECK_EQ(mkdir("d", 0777), 0);
    CHECK_EQ(chmod("d", 01777), 0);
    CHECK_EQ(chmod(".", 0755), 0);
    make("d/mine");
    make("d/other");
    CHECK_EQ(chown("d/other", 1000, 1000), 0);
    CHECK_EQ(setresgid(1000, 1000, 1000), 0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_ERRNO(unlink("d/mine"), EPERM);
    CHECK_ERRNO(rename("d/mine", "d/x"), EPERM);
    CHECK_ERRNO(rename("d/other", "d/mine"), EPERM);
    CHECK_EQ(rename("d/other", "d/x"), 0);
    CHECK_EQ(unlink("d/x"), 0);
}

CASE(changes_need_a_writable_directory)
{
    CHECK_EQ(mkdir("d", 0755), 0);
    make("d/f");
    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_ERRNO(mkdir("d/e", 0700), EACCES);
    CHECK_ERRNO(unlink("d/f"), EACCES);
    CHECK_ERRNO(rename("d/f", "d/g"), EACCES);
    CHECK_ERRNO(open("d/g", O_CREAT, 0600), EACCES);
    CHECK_ERRNO(symlink("x", "d/l"), EACCES);
    CHECK_ERRNO(mkdir("d/f", 0700), EEXIST);
    CHECK_ERRNO(rmdir("d/none"), ENOENT);
    CHECK(open("d/f", O_RDONLY | O_CREAT, 0600) >= 0);
}

CASE(directories_that_cannot_be_searched)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    make("d/f");
    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(chmod("d", 0644), 0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    struct stat status;
    CHECK_ERRNO(stat("d/f", &status), EACCES);
    CHECK_ERRNO(stat("d/none", &status), EACCES);
    CHECK_ERRNO(stat("d/..", &status), EACCES);
    CHECK(open("d", O_RDONLY) >= 0);
    CHECK_EQ(listed("d", "f"), 1);
}

CASE(removed_directory_takes_no_more)
{
    CHECK_EQ(mkdir("d", 0700), 0);
    int fd = open("d", O_RDONLY);
    CHECK_EQ(rmdir("d"), 0);
    CHECK_ERRNO(openat(fd, "f", O_CREAT, 0600), ENOENT);
    CHECK_ERRNO(mkdirat(fd, "e", 0700), ENOENT);
    CHECK_ERRNO(symlinkat("x", fd, "l"), ENOENT);
    make("f");
    CHECK_ERRNO(linkat(AT_FDCWD, "f", fd, "g", 0), ENOENT);
    CHECK_ERRNO(renameat(AT_FDCWD, "f", fd, "g"), ENOENT);
}

CASE(long_chains_of_directories)
{
    char name[] = "abcdefghijklmnopqrstuvwxyz";
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(mkdir(name, 0700), 0);
        CHECK_EQ(chdir(name), 0);
    }
    char path[8192];
    CHECK_ERRNO(syscall(SYS_getcwd, path, sizeof path), ENAMETOOLONG);
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(chdir(".."), 0);
        CHECK_EQ(rmdir(name), 0);
    }
}

GUEST_MAIN("directories")
