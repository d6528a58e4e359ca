// mount(2), umount2(2), pivot_root(2), chroot(2), unshare(CLONE_NEWNS), setns(2) and what /proc shows of mounts. Every case has a mount namespace of its own.
#include "guest.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

static void own_namespace(void)
{
    CHECK_EQ(unshare(CLONE_NEWNS), 0);
    CHECK_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
}

static void touch(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    CHECK(fd >= 0);
    close(fd);
}

static int exists(const char *path)
{
    return access(path, F_OK) == 0;
}

// The fields of a line of a mount table whose mount point ends in a name; returns the number of fields.
static int find_mount(const char *table, const char *name, int point_field, char fields[16][128])
{
    char line[4096];
    FILE *file = fopen(table, "r");
    CHECK(file);
    int count = 0;
    while (fgets(line, sizeof line, file)) {
        int found = 0;
        char *save;
        for (char *field = strtok_r(line, " \n", &save); field && found < 16; field = strtok_r(NULL, " \n", &save)) {
            snprintf(fields[found++], 128, "%s", field);
        }
        size_t length = strlen(fields[point_field]), wanted = strlen(name);
        if (found > point_field && length >= wanted && strcmp(fields[point_field] + length - wanted, name) == 0) {
            count = found;
        }
    }
    fclose(file);
    // the last line read is not the one found: read again
    if (count) {
        file = fopen(table, "r");
        while (fgets(line, sizeof line, file)) {
            int found = 0;
            char *save;
            for (char *field = strtok_r(line, " \n", &save); field && found < 16; field = strtok_r(NULL, " \n", &save)) {
                snprintf(fields[found++], 128, "%s", field);
            }
            size_t length = strlen(fields[point_field]), wanted = strlen(name);
            if (length >= wanted && strcmp(fields[point_field] + length - wanted, name) == 0) {
                fclose(file);
                return found;
            }
        }
        fclose(file);
    }
    return 0;
}

CASE(tmpfs)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0700), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, "size=1m,mode=750"), 0);
    struct stat status;
    CHECK_EQ(stat("m", &status), 0);
    CHECK_EQ(status.st_mode, S_IFDIR | 0750);
    touch("m/file");
    struct statfs fs;
    CHECK_EQ(statfs("m", &fs), 0);
    CHECK_EQ(fs.f_type, 0x01021994);
    CHECK_EQ(fs.f_blocks, 256);
    CHECK_EQ(umount("m"), 0);
    CHECK(!exists("m/file"));
}

CASE(tmpfs_is_full)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0700), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, "size=64k"), 0);
    int fd = open("m/file", O_CREAT | O_RDWR, 0600);
    static char big[100000];
    CHECK_EQ(write(fd, big, sizeof big), 65536);
    CHECK_ERRNO(write(fd, big, 1), ENOSPC);
    CHECK_EQ(ftruncate(fd, 0), 0);
    CHECK_EQ(write(fd, big, 4096), 4096);
    CHECK_ERRNO(fallocate(fd, 0, 0, 1 << 20), ENOSPC);
}

CASE(tmpfs_inodes)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0700), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, "nr_inodes=3"), 0);
    CHECK_EQ(mkdir("m/a", 0700), 0);
    CHECK_EQ(mkdir("m/b", 0700), 0);
    CHECK_ERRNO(mkdir("m/c", 0700), ENOSPC);
    CHECK_EQ(rmdir("m/a"), 0);
    CHECK_EQ(mkdir("m/c", 0700), 0);
}

CASE(mount_errors)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0700), 0);
    touch("file");
    CHECK_ERRNO(mount("none", "missing", "tmpfs", 0, NULL), ENOENT);
    CHECK_ERRNO(mount("none", "m", "nosuchfs", 0, NULL), ENODEV);
    CHECK_ERRNO(mount("none", "m", NULL, 0, NULL), EINVAL);
    CHECK_ERRNO(mount("none", "m", "tmpfs", 0, "nonsense=1"), EINVAL);
    CHECK_ERRNO(mount("none", "m", "tmpfs", 0, "size=abc"), EINVAL);
    CHECK_ERRNO(mount("none", "m", BAD_POINTER, 0, NULL), EFAULT);
    CHECK_ERRNO(mount("none", BAD_POINTER, "tmpfs", 0, NULL), EFAULT);
    CHECK_ERRNO(mount("none", "file", "tmpfs", 0, NULL), ENOTDIR);
    CHECK_ERRNO(mount(NULL, "m", NULL, MS_BIND, NULL), EINVAL);
    CHECK_ERRNO(mount("missing", "m", NULL, MS_BIND, NULL), ENOENT);
    CHECK_ERRNO(mount("file", "m", NULL, MS_BIND, NULL), ENOTDIR);
    CHECK_ERRNO(mount("m", "file", NULL, MS_BIND, NULL), ENOTDIR);
    CHECK_ERRNO(mount(NULL, "m", NULL, MS_REMOUNT, NULL), EINVAL);
    CHECK_ERRNO(mount(NULL, "m", NULL, MS_PRIVATE, NULL), EINVAL);
    CHECK_ERRNO(mount(NULL, "/", NULL, MS_PRIVATE | MS_SHARED, NULL), EINVAL);
    CHECK_ERRNO(mount("m", "m", NULL, MS_MOVE, NULL), EINVAL);
}

CASE(needs_capability)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0777), 0);
    CHECK_EQ(setuid(1000), 0);
    CHECK_ERRNO(mount("none", "/", "tmpfs", 0, NULL), EPERM);
    CHECK_ERRNO(umount("/proc"), EPERM);
    CHECK_ERRNO(unshare(CLONE_NEWNS), EPERM);
    CHECK_ERRNO(syscall(SYS_pivot_root, "/", "/"), EPERM);
    CHECK_ERRNO(chroot("/"), EPERM);
}

CASE(bind_directory)
{
    own_namespace();
    CHECK_EQ(mkdir("a", 0700), 0);
    CHECK_EQ(mkdir("b", 0700), 0);
    touch("a/x");
    CHECK_EQ(mount("a", "b", NULL, MS_BIND, NULL), 0);
    CHECK(exists("b/x"));
    touch("b/y");
    CHECK(exists("a/y"));
    CHECK_ERRNO(rmdir("b"), EBUSY);
    CHECK_ERRNO(rename("b", "c"), EBUSY);
    CHECK_EQ(umount("b"), 0);
    CHECK(!exists("b/x"));
}

CASE(bind_file)
{
    own_namespace();
    touch("a");
    touch("b");
    int fd = open("a", O_WRONLY);
    CHECK_EQ(write(fd, "hello", 5), 5);
    close(fd);
    CHECK_EQ(mount("a", "b", NULL, MS_BIND, NULL), 0);
    struct stat status;
    CHECK_EQ(stat("b", &status), 0);
    CHECK_EQ(status.st_size, 5);
    CHECK_ERRNO(unlink("b"), EBUSY);
    CHECK_EQ(umount("b"), 0);
    CHECK_EQ(stat("b", &status), 0);
    CHECK_EQ(status.st_size, 0);
}

CASE(bind_is_not_recursive)
{
    own_namespace();
    CHECK_EQ(mkdir("a", 0700), 0);
    CHECK_EQ(mkdir("a/sub", 0700), 0);
    CHECK_EQ(mkdir("b", 0700), 0);
    CHECK_EQ(mkdir("c", 0700), 0);
    CHECK_EQ(mount("none", "a/sub", "tmpfs", 0, NULL), 0);
    touch("a/sub/x");
    CHECK_EQ(mount("a", "b", NULL, MS_BIND, NULL), 0);
    CHECK(!exists("b/sub/x"));
    CHECK_EQ(mount("a", "c", NULL, MS_BIND | MS_REC, NULL), 0);
    CHECK(exists("c/sub/x"));
    CHECK_ERRNO(umount("c"), EBUSY);
    CHECK_EQ(umount2("c", MNT_DETACH), 0);
    CHECK(!exists("c/sub"));
    CHECK(exists("a/sub/x"));
}

CASE(bind_remount_read_only)
{
    own_namespace();
    CHECK_EQ(mkdir("a", 0700), 0);
    CHECK_EQ(mkdir("b", 0700), 0);
    CHECK_EQ(mount("a", "b", NULL, MS_BIND, NULL), 0);
    CHECK_EQ(mount(NULL, "b", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), 0);
    CHECK_ERRNO(open("b/x", O_CREAT | O_WRONLY, 0600), EROFS);
    CHECK_ERRNO(mkdir("b/d", 0700), EROFS);
    touch("a/x");
    CHECK_ERRNO(unlink("b/x"), EROFS);
    CHECK_ERRNO(chmod("b/x", 0600), EROFS);
    CHECK_ERRNO(truncate("b/x", 0), EROFS);
    struct statvfs status;
    CHECK_EQ(statvfs("b", &status), 0);
    CHECK(status.f_flag & ST_RDONLY);
    CHECK_EQ(mount(NULL, "b", NULL, MS_BIND | MS_REMOUNT, NULL), 0);
    CHECK_EQ(unlink("b/x"), 0);
}

CASE(remount_busy_with_writers)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0700), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
    int fd = open("m/x", O_CREAT | O_WRONLY, 0600);
    CHECK_ERRNO(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
    close(fd);
    CHECK_EQ(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    CHECK_ERRNO(open("m/x", O_WRONLY), EROFS);
    CHECK((fd = open("m/x", O_RDONLY)) >= 0);
}

CASE(noexec_nodev)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0700), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", MS_NOEXEC | MS_NODEV, NULL), 0);
    int fd = open("m/x", O_CREAT | O_WRONLY, 0700);
    close(fd);
    CHECK_ERRNO(execl("m/x", "x", NULL), EACCES);
    CHECK_ERRNO(access("m/x", X_OK), EACCES);
    CHECK_EQ(mknod("m/null", S_IFCHR | 0666, (1 << 8) | 3), 0);
    CHECK_ERRNO(open("m/null", O_RDONLY), EACCES);
    fd = open("m/x", O_RDWR);
    CHECK_EQ(ftruncate(fd, 4096), 0);
    CHECK_ERRNO((long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0), EPERM);
}

CASE(stacked)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0700), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
    touch("m/first");
    CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
    CHECK(!exists("m/first"));
    touch("m/second");
    CHECK_EQ(umount("m"), 0);
    CHECK(exists("m/first"));
    CHECK_EQ(umount("m"), 0);
    CHECK_ERRNO(umount("m"), EINVAL);
}

CASE(umount_busy)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0700), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
    int fd = open("m/x", O_CREAT | O_RDWR, 0600);
    CHECK_ERRNO(umount("m"), EBUSY);
    CHECK_EQ(umount2("m", MNT_DETACH), 0);
    CHECK(!exists("m/x"));
    CHECK_EQ(write(fd, "x", 1), 1);
    close(fd);
    CHECK_ERRNO(umount("m"), EINVAL);
}

CASE(umount_cwd_busy)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0700), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
    CHECK_EQ(chdir("m"), 0);
    CHECK_ERRNO(umount("."), EBUSY);
    CHECK_EQ(chdir(".."), 0);
    CHECK_EQ(umount("m"), 0);
}

CASE(umount_errors)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0700), 0);
    CHECK_ERRNO(umount("m"), EINVAL);
    CHECK_ERRNO(umount("missing"), ENOENT);
    CHECK_ERRNO(umount2("m", 0x10), EINVAL);
    CHECK_ERRNO(umount(BAD_POINTER), EFAULT);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
    CHECK_ERRNO(umount2("m", MNT_EXPIRE | MNT_DETACH), EINVAL);
    CHECK_EQ(symlink("m", "link"), 0);
    CHECK_ERRNO(umount2("link", UMOUNT_NOFOLLOW), EINVAL);
    CHECK_EQ(umount2("link", 0), 0);
}

CASE(umount_expire)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0700), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
    CHECK_ERRNO(umount2("m", MNT_EXPIRE), EAGAIN);
    CHECK_EQ(umount2("m", MNT_EXPIRE), 0);
}

CASE(move)
{
    own_namespace();
    CHECK_EQ(mkdir("a", 0700), 0);
    CHECK_EQ(mkdir("b", 0700), 0);
    CHECK_EQ(mount("none", "a", "tmpfs", 0, NULL), 0);
    touch("a/x");
    CHECK_EQ(mkdir("a/sub", 0700), 0);
    CHECK_ERRNO(mount("a", "a/sub", NULL, MS_MOVE, NULL), ELOOP);
    CHECK_EQ(mount("a", "b", NULL, MS_MOVE, NULL), 0);
    CHECK(!exists("a/x"));
    CHECK(exists("b/x"));
    CHECK_EQ(umount("b"), 0);
}

CASE(dotdot_crosses)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0700), 0);
    touch("outside");
    CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mkdir("m/d", 0700), 0);
    CHECK(exists("m/../outside"));
    CHECK(exists("m/d/../../outside"));
    CHECK_EQ(chdir("m/d"), 0);
    char path[256];
    CHECK(getcwd(path, sizeof path));
    CHECK(strcmp(path + strlen(path) - 4, "/m/d") == 0);
}

CASE(namespace_is_a_copy)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0700), 0);
    CHECK_EQ(mkdir("n", 0700), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
    touch("m/x");
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(unshare(CLONE_NEWNS), 0);
        CHECK(exists("m/x"));
        CHECK_EQ(umount("m"), 0);
        CHECK_EQ(mount("none", "n", "tmpfs", 0, NULL), 0);
        touch("n/y");
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK(exists("m/x"));
    CHECK(!exists("n/y"));
}

CASE(setns)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0700), 0);
    char here[256], path[300];
    CHECK(getcwd(here, sizeof here));
    snprintf(path, sizeof path, "%s/m/x", here);
    int before = open("/proc/self/ns/mnt", O_RDONLY);
    CHECK(before >= 0);
    CHECK_EQ(unshare(CLONE_NEWNS), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
    touch("m/x");
    CHECK_ERRNO(setns(before, CLONE_NEWUTS), EINVAL);
    CHECK_ERRNO(setns(-1, 0), EBADF);
    int file = open("/dev/null", O_RDONLY);
    CHECK_ERRNO(setns(file, 0), EINVAL);
    CHECK_EQ(setns(before, CLONE_NEWNS), 0);
    CHECK(!exists(path));
    CHECK(getcwd(path, sizeof path));
    CHECK(strcmp(path, "/") == 0);
}

CASE(ns_links)
{
    char first[64] = { 0 }, second[64] = { 0 };
    CHECK(readlink("/proc/self/ns/mnt", first, 63) > 5);
    CHECK(strncmp(first, "mnt:[", 5) == 0);
    own_namespace();
    CHECK(readlink("/proc/self/ns/mnt", second, 63) > 5);
    CHECK(strcmp(first, second) != 0);
}

CASE(unshare_flags)
{
    CHECK_ERRNO(unshare(1), EINVAL);
    CHECK_EQ(unshare(0), 0);
    CHECK_EQ(unshare(CLONE_FS | CLONE_FILES), 0);
}

CASE(clone_newns)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0700), 0);
    pid_t pid = syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, 0);
    if (pid == 0) {
        CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
        touch("m/x");
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK(!exists("m/x"));
    CHECK_ERRNO(syscall(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, NULL, NULL, NULL, 0), EINVAL);
}

CASE(pivot)
{
    own_namespace();
    CHECK_EQ(mkdir("root", 0700), 0);
    CHECK_EQ(mount("none", "root", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mkdir("root/old", 0700), 0);
    touch("root/new");
    CHECK_EQ(syscall(SYS_pivot_root, "root", "root/old"), 0);
    CHECK_EQ(chdir("/"), 0);
    CHECK(exists("/new"));
    CHECK(exists("/old/proc"));
    CHECK_EQ(umount2("/old", MNT_DETACH), 0);
    CHECK(!exists("/old/proc"));
    CHECK(exists("/../new"));
}

CASE(pivot_onto_itself)
{
    own_namespace();
    CHECK_EQ(mkdir("root", 0700), 0);
    CHECK_EQ(mount("none", "root", "tmpfs", 0, NULL), 0);
    touch("root/new");
    CHECK_EQ(chdir("root"), 0);
    CHECK_EQ(syscall(SYS_pivot_root, ".", "."), 0);
    CHECK_EQ(umount2(".", MNT_DETACH), 0);
    CHECK(exists("/new"));
}

CASE(pivot_errors)
{
    own_namespace();
    CHECK_EQ(mkdir("root", 0700), 0);
    CHECK_EQ(mkdir("root/old", 0700), 0);
    touch("file");
    CHECK_ERRNO(syscall(SYS_pivot_root, "file", "file"), ENOTDIR);
    CHECK_ERRNO(syscall(SYS_pivot_root, "missing", "root"), ENOENT);
    CHECK_ERRNO(syscall(SYS_pivot_root, "/", "/"), EBUSY);
    CHECK_EQ(mkdir("m", 0700), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mkdir("m/old", 0700), 0);
    CHECK_ERRNO(syscall(SYS_pivot_root, "m/old", "m/old"), EINVAL);
}

CASE(chroot_confines)
{
    own_namespace();
    CHECK_EQ(mkdir("jail", 0700), 0);
    CHECK_EQ(mkdir("jail/d", 0700), 0);
    touch("jail/inside");
    touch("outside");
    CHECK_EQ(chroot("jail"), 0);
    CHECK_EQ(chdir("/"), 0);
    CHECK(exists("/inside"));
    CHECK(!exists("/../outside"));
    CHECK(exists("/d/../../../inside"));
    char path[64];
    CHECK(getcwd(path, sizeof path));
    CHECK(strcmp(path, "/") == 0);
}

CASE(unreachable_cwd)
{
    CHECK_EQ(mkdir("jail", 0700), 0);
    CHECK_EQ(chroot("jail"), 0);
    char path[256];
    CHECK(syscall(SYS_getcwd, path, sizeof path) > 0);
    CHECK(strncmp(path, "(unreachable)", 13) == 0);
}

CASE(shared_propagates)
{
    own_namespace();
    CHECK_EQ(mkdir("a", 0700), 0);
    CHECK_EQ(mkdir("b", 0700), 0);
    CHECK_EQ(mount("none", "a", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mount(NULL, "a", NULL, MS_SHARED, NULL), 0);
    CHECK_EQ(mkdir("a/sub", 0700), 0);
    CHECK_EQ(mount("a", "b", NULL, MS_BIND, NULL), 0);
    CHECK_EQ(mount("none", "a/sub", "tmpfs", 0, NULL), 0);
    touch("a/sub/x");
    CHECK(exists("b/sub/x"));
    CHECK_EQ(umount("b/sub"), 0);
    CHECK(!exists("a/sub/x"));
}

CASE(slave_only_receives)
{
    own_namespace();
    CHECK_EQ(mkdir("a", 0700), 0);
    CHECK_EQ(mkdir("b", 0700), 0);
    CHECK_EQ(mount("none", "a", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mount(NULL, "a", NULL, MS_SHARED, NULL), 0);
    CHECK_EQ(mkdir("a/one", 0700), 0);
    CHECK_EQ(mkdir("a/two", 0700), 0);
    CHECK_EQ(mount("a", "b", NULL, MS_BIND, NULL), 0);
    CHECK_EQ(mount(NULL, "b", NULL, MS_SLAVE, NULL), 0);
    CHECK_EQ(mount("none", "a/one", "tmpfs", 0, NULL), 0);
    touch("a/one/x");
    CHECK(exists("b/one/x"));
    CHECK_EQ(mount("none", "b/two", "tmpfs", 0, NULL), 0);
    touch("b/two/y");
    CHECK(!exists("a/two/y"));
}

CASE(shared_between_namespaces)
{
    own_namespace();
    CHECK_EQ(mkdir("a", 0700), 0);
    CHECK_EQ(mount("none", "a", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mount(NULL, "a", NULL, MS_SHARED, NULL), 0);
    CHECK_EQ(mkdir("a/sub", 0700), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(unshare(CLONE_NEWNS), 0);
        CHECK_EQ(mount("none", "a/sub", "tmpfs", 0, NULL), 0);
        touch("a/sub/x");
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK(exists("a/sub/x"));
}

CASE(unbindable)
{
    own_namespace();
    CHECK_EQ(mkdir("a", 0700), 0);
    CHECK_EQ(mkdir("b", 0700), 0);
    CHECK_EQ(mount("none", "a", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mount(NULL, "a", NULL, MS_UNBINDABLE, NULL), 0);
    CHECK_ERRNO(mount("a", "b", NULL, MS_BIND, NULL), EINVAL);
}

// The access time of a file and of its directory after both were read, for a mount with some flags; both start at 1.
static void read_at(unsigned long flags, time_t start, time_t *file, time_t *directory)
{
    CHECK_EQ(mkdir("m", 0700), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", flags & ~MS_RDONLY, NULL), 0);
    int fd = open("m/f", O_CREAT | O_WRONLY, 0600);
    CHECK_EQ(write(fd, "x", 1), 1);
    close(fd);
    struct timespec times[] = { { start, 0 }, { 2, 0 } };
    CHECK_EQ(utimensat(AT_FDCWD, "m/f", times, 0), 0);
    CHECK_EQ(utimensat(AT_FDCWD, "m", times, 0), 0);
    CHECK_EQ(mount(NULL, "m", NULL, MS_REMOUNT | flags, NULL), 0);
    char buffer[1024];
    fd = open("m/f", O_RDONLY);
    CHECK_EQ(read(fd, buffer, 1), 1);
    close(fd);
    fd = open("m", O_RDONLY | O_DIRECTORY);
    CHECK(syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0);
    close(fd);
    struct stat status;
    CHECK_EQ(stat("m/f", &status), 0);
    *file = status.st_atime;
    CHECK_EQ(stat("m", &status), 0);
    *directory = status.st_atime;
}

CASE(access_times_move_with_relatime)
{
    time_t file, directory;
    own_namespace();
    read_at(MS_RELATIME, 1, &file, &directory);
    CHECK(file > 1 && directory > 1);
}

CASE(later_access_times_stay_with_relatime)
{
    time_t file, directory, later = time(NULL) + 1000;
    own_namespace();
    read_at(MS_RELATIME, later, &file, &directory);
    CHECK(file == later && directory == later);
}

CASE(access_times_always_move_with_strictatime)
{
    time_t file, directory, later = time(NULL) + 1000;
    own_namespace();
    read_at(MS_STRICTATIME, later, &file, &directory);
    CHECK(file < later && directory < later);
}

CASE(access_times_stay_with_noatime)
{
    time_t file, directory;
    own_namespace();
    read_at(MS_NOATIME, 1, &file, &directory);
    CHECK(file == 1 && directory == 1);
}

CASE(access_times_of_directories_stay_with_nodiratime)
{
    time_t file, directory;
    own_namespace();
    read_at(MS_NODIRATIME, 1, &file, &directory);
    CHECK(file > 1 && directory == 1);
}

CASE(access_times_stay_on_a_read_only_mount)
{
    time_t file, directory;
    own_namespace();
    read_at(MS_RDONLY, 1, &file, &directory);
    CHECK(file == 1 && directory == 1);
}

CASE(mountinfo)
{
    own_namespace();
    CHECK_EQ(mkdir("a", 0700), 0);
    CHECK_EQ(mkdir("a/deep", 0700), 0);
    CHECK_EQ(mkdir("with space", 0700), 0);
    CHECK_EQ(mount("the source", "with space", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k"), 0);
    CHECK_EQ(mkdir("with space/in", 0700), 0);
    char fields[16][128];
    int count = find_mount("/proc/self/mountinfo", "/with\\040space", 4, fields);
    CHECK(count >= 10);
    CHECK(strcmp(fields[3], "/") == 0);
    CHECK(strcmp(fields[5], "rw,nosuid,nodev,relatime") == 0);
    CHECK(strcmp(fields[6], "-") == 0);
    CHECK(strcmp(fields[7], "tmpfs") == 0);
    CHECK(strcmp(fields[8], "the\\040source") == 0);
    CHECK(strncmp(fields[9], "rw,size=64k", 11) == 0);
    CHECK_EQ(mount("with space/in", "a/deep", NULL, MS_BIND, NULL), 0);
    count = find_mount("/proc/self/mountinfo", "/a/deep", 4, fields);
    CHECK(count >= 10);
    CHECK(strcmp(fields[3], "/in") == 0);
    CHECK_EQ(mount(NULL, "a/deep", NULL, MS_SHARED, NULL), 0);
    count = find_mount("/proc/self/mountinfo", "/a/deep", 4, fields);
    CHECK(strncmp(fields[6], "shared:", 7) == 0);
    CHECK(strcmp(fields[7], "-") == 0);
}

CASE(mounts_table)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0700), 0);
    CHECK_EQ(mount("src", "m", "tmpfs", MS_NOEXEC | MS_RDONLY, NULL), 0);
    char fields[16][128];
    CHECK_EQ(find_mount("/proc/self/mounts", "/m", 1, fields), 6);
    CHECK(strcmp(fields[0], "src") == 0);
    CHECK(strcmp(fields[2], "tmpfs") == 0);
    CHECK(strncmp(fields[3], "ro,noexec,relatime", 18) == 0);
    CHECK(strcmp(fields[4], "0") == 0);
    CHECK(find_mount("/proc/self/mountstats", "/m", 4, fields) >= 8);
    CHECK(strcmp(fields[0], "device") == 0);
    CHECK(strcmp(fields[1], "src") == 0);
}

CASE(proc_and_sysfs)
{
    own_namespace();
    CHECK_EQ(mkdir("p", 0700), 0);
    CHECK_EQ(mkdir("s", 0700), 0);
    CHECK_EQ(mount("proc", "p", "proc", 0, NULL), 0);
    CHECK(exists("p/self/status"));
    CHECK_EQ(mount("sysfs", "s", "sysfs", MS_RDONLY, NULL), 0);
    CHECK(exists("s/devices"));
}

CASE(nosymfollow)
{
    own_namespace();
    CHECK_EQ(mkdir("m", 0700), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", 256, NULL), 0);
    touch("m/x");
    CHECK_EQ(symlink("x", "m/link"), 0);
    CHECK_ERRNO(open("m/link", O_RDONLY), ELOOP);
    char text[8];
    CHECK_EQ(readlink("m/link", text, sizeof text), 1);
}

GUEST_MAIN("mounts")
