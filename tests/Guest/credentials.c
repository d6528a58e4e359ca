// setuid(2) and its kin, getgroups(2), capget(2), access(2), chmod(2), chown(2), umask(2), prctl(2) of credentials
#include "guest.h"
#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

static void make(const char *name, mode_t mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(fchmod(fd, mode), 0);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(chmod(".", 0755), 0);
}

static uint64_t capabilities(int set)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2];
    CHECK_EQ(syscall(SYS_capget, &header, data), 0);
    uint32_t low = set == 0 ? data[0].effective : set == 1 ? data[0].permitted : data[0].inheritable;
    uint32_t high = set == 0 ? data[1].effective : set == 1 ? data[1].permitted : data[1].inheritable;
    return low | (uint64_t)high << 32;
}

static int set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = { { effective, permitted, inheritable }, { effective >> 32, permitted >> 32, inheritable >> 32 } };
    return syscall(SYS_capset, &header, data);
}

static void check_uids(uid_t real, uid_t effective, uid_t saved)
{
    uid_t r, e, s;
    CHECK_EQ(getresuid(&r, &e, &s), 0);
    if (r != real || e != effective || s != saved) {
        guest_fail("uids are %u %u %u, not %u %u %u", r, e, s, real, effective, saved);
    }
}

CASE(setuid_of_root_sets_all)
{
    CHECK_EQ(syscall(SYS_setuid, 1000), 0);
    check_uids(1000, 1000, 1000);
    CHECK_ERRNO(syscall(SYS_setuid, 0), EPERM);
    CHECK_EQ(capabilities(0), 0);
    CHECK_EQ(capabilities(1), 0);
}

CASE(seteuid_comes_back)
{
    CHECK_EQ(seteuid(1000), 0);
    check_uids(0, 1000, 0);
    CHECK_EQ(capabilities(0), 0);
    CHECK(capabilities(1) != 0);
    CHECK_EQ(seteuid(0), 0);
    check_uids(0, 0, 0);
    CHECK_EQ(capabilities(0), capabilities(1));
}

CASE(setreuid_moves_the_saved_id)
{
    CHECK_EQ(setreuid(1000, 2000), 0);
    check_uids(1000, 2000, 2000);
    CHECK_EQ(setreuid(-1, 1000), 0);
    check_uids(1000, 1000, 2000);
    CHECK_ERRNO(setreuid(-1, 3000), EPERM);
    CHECK_EQ(setreuid(1000, -1), 0);
    check_uids(1000, 1000, 1000);
}

CASE(setresuid_exchanges)
{
    CHECK_EQ(setresuid(1, 2, 3), 0);
    check_uids(1, 2, 3);
    CHECK_EQ(setresuid(3, 1, 2), 0);
    check_uids(3, 1, 2);
    CHECK_EQ(setresuid(-1, -1, -1), 0);
    check_uids(3, 1, 2);
    CHECK_ERRNO(setresuid(4, -1, -1), EPERM);
    CHECK_ERRNO(syscall(SYS_getresuid, BAD_POINTER, BAD_POINTER, BAD_POINTER), EFAULT);
}

CASE(setgid_family)
{
    gid_t r, e, s;
    CHECK_EQ(syscall(SYS_setresgid, 10, 20, 30), 0);
    CHECK_EQ(getresgid(&r, &e, &s), 0);
    CHECK(r == 10 && e == 20 && s == 30);
    CHECK_EQ(setregid(40, 50), 0);
    CHECK_EQ(getresgid(&r, &e, &s), 0);
    CHECK(r == 40 && e == 50 && s == 50);
    CHECK_EQ(syscall(SYS_setgid, 60), 0);
    CHECK_EQ(getresgid(&r, &e, &s), 0);
    CHECK(r == 60 && e == 60 && s == 60);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_ERRNO(setgid(0), EPERM);
    CHECK_EQ(setgid(60), 0);
}

CASE(negative_ids_are_einval)
{
    CHECK_ERRNO(syscall(SYS_setuid, -1), EINVAL);
    CHECK_ERRNO(syscall(SYS_setgid, -1), EINVAL);
}

CASE(filesystem_ids_follow_and_part)
{
    CHECK_EQ(setfsuid(-1), 0);
    CHECK_EQ(seteuid(1000), 0);
    CHECK_EQ(setfsuid(-1), 1000);
    CHECK_EQ(seteuid(0), 0);
    CHECK_EQ(setfsuid(2000), 0);
    CHECK_EQ(setfsuid(-1), 2000);
    int fd = open("f", O_CREAT | O_WRONLY, 0600);
    CHECK(fd == -1 || fd >= 0);
    CHECK_EQ(setfsuid(0), 2000);
    CHECK_EQ(setfsgid(77), 0);
    CHECK_EQ(setfsgid(-1), 77);
    fd = open("g", O_CREAT | O_WRONLY, 0600);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_gid, 77);
}

CASE(fsuid_drops_file_capabilities)
{
    make("f", 0600);
    CHECK_EQ(setfsuid(1000), 0);
    CHECK_EQ(capabilities(0) & (1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_FOWNER), 0);
    CHECK_ERRNO(open("f", O_RDONLY), EACCES);
    CHECK_EQ(setfsuid(0), 1000);
    CHECK(capabilities(0) & (1ULL << CAP_DAC_OVERRIDE));
    CHECK(open("f", O_RDONLY) >= 0);
}

CASE(keepcaps_keeps_the_permitted_set)
{
    uint64_t before = capabilities(1);
    CHECK_EQ(prctl(PR_SET_KEEPCAPS, 1), 0);
    CHECK_EQ(prctl(PR_GET_KEEPCAPS), 1);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_EQ(capabilities(1), before);
    CHECK_EQ(capabilities(0), 0);
    CHECK_EQ(set_capabilities(1ULL << CAP_SETUID, before, 0), 0);
    CHECK_EQ(setresuid(0, 0, 0), 0);
    CHECK_ERRNO(prctl(PR_SET_KEEPCAPS, 2), EINVAL);
}

CASE(groups)
{
    gid_t groups[] = { 5, 3, 9 }, back[10];
    CHECK_EQ(setgroups(3, groups), 0);
    CHECK_EQ(getgroups(0, NULL), 3);
    CHECK_EQ(getgroups(10, back), 3);
    CHECK(back[0] == 3 && back[1] == 5 && back[2] == 9);
    CHECK_ERRNO(getgroups(2, back), EINVAL);
    CHECK_ERRNO(syscall(SYS_getgroups, -1, back), EINVAL);
    CHECK_ERRNO(syscall(SYS_getgroups, 10, BAD_POINTER), EFAULT);
    CHECK_ERRNO(syscall(SYS_setgroups, 65537, groups), EINVAL);
    CHECK_ERRNO(syscall(SYS_setgroups, 3, BAD_POINTER), EFAULT);
    CHECK_EQ(setgroups(0, NULL), 0);
    CHECK_EQ(getgroups(10, back), 0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_ERRNO(setgroups(0, NULL), EPERM);
}

CASE(supplementary_groups_open_files)
{
    make("f", 0640);
    CHECK_EQ(chown("f", 1, 77), 0);
    gid_t group = 77;
    CHECK_EQ(setgroups(1, &group), 0);
    CHECK_EQ(setresgid(1000, 1000, 1000), 0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK(open("f", O_RDONLY) >= 0);
    CHECK_ERRNO(open("f", O_WRONLY), EACCES);
}

CASE(the_first_matching_class_decides)
{
    make("f", 0077);
    CHECK_EQ(chown("f", 1000, 1000), 0);
    CHECK_EQ(setgroups(0, NULL), 0);
    CHECK_EQ(setresgid(1000, 1000, 1000), 0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_ERRNO(open("f", O_RDONLY), EACCES);
    CHECK_EQ(chmod("f", 0707), 0);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(open("f", O_RDONLY) < 0);
    }
    CHECK_CHILD(pid);
}

CASE(group_denies_before_others_allow)
{
    make("f", 0604);
    CHECK_EQ(chown("f", 1, 1000), 0);
    CHECK_EQ(setresgid(1000, 1000, 1000), 0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_ERRNO(open("f", O_RDONLY), EACCES);
}

CASE(root_overrides_all_but_execution)
{
    make("f", 0);
    CHECK(open("f", O_RDWR) >= 0);
    CHECK_EQ(access("f", R_OK | W_OK), 0);
    CHECK_ERRNO(access("f", X_OK), EACCES);
    CHECK_EQ(chmod("f", 0001), 0);
    CHECK_EQ(access("f", X_OK), 0);
    CHECK_EQ(mkdir("d", 0), 0);
    CHECK_EQ(access("d", R_OK | W_OK | X_OK), 0);
}

CASE(access_uses_the_real_ids)
{
    make("f", 0600);
    CHECK_EQ(setresuid(1000, 0, 0), 0);
    CHECK(open("f", O_RDONLY) >= 0);
    CHECK_ERRNO(access("f", R_OK), EACCES);
    CHECK_EQ(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS), 0);
    CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, 0), EACCES);
    CHECK_EQ(access("f", F_OK), 0);
}

CASE(access_is_checked)
{
    CHECK_ERRNO(access("none", F_OK), ENOENT);
    CHECK_ERRNO(access(".", 8), EINVAL);
    CHECK_ERRNO(access(".", -1), EINVAL);
    CHECK_ERRNO(syscall(SYS_access, BAD_POINTER, 0), EFAULT);
    CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, ".", 0, 0x1), EINVAL);
    CHECK_ERRNO(syscall(SYS_faccessat, 99, "x", 0), EBADF);
    CHECK_EQ(symlink("none", "l"), 0);
    CHECK_ERRNO(access("l", F_OK), ENOENT);
    CHECK_EQ(syscall(SYS_faccessat2, AT_FDCWD, "l", F_OK, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_EQ(syscall(SYS_faccessat2, open(".", O_PATH), "", F_OK, AT_EMPTY_PATH), 0);
}

CASE(chmod_keeps_the_kind)
{
    make("f", 0600);
    CHECK_EQ(chmod("f", 0100755 | 040000), 0);
    struct stat status;
    CHECK_EQ(stat("f", &status), 0);
    CHECK_EQ(status.st_mode, S_IFREG | 0755);
    CHECK_EQ(chmod("f", 07777), 0);
    CHECK_EQ(stat("f", &status), 0);
    CHECK_EQ(status.st_mode, S_IFREG | 07777);
}

CASE(chmod_is_for_owners)
{
    make("f", 0666);
    make("g", 0666);
    CHECK_EQ(chown("g", 1000, 50), 0);
    CHECK_EQ(setgroups(0, NULL), 0);
    CHECK_EQ(setresgid(1000, 1000, 1000), 0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_ERRNO(chmod("f", 0600), EPERM);
    CHECK_EQ(chmod("g", 02755), 0);
    struct stat status;
    CHECK_EQ(stat("g", &status), 0);
    CHECK_EQ(status.st_mode, S_IFREG | 0755);
    CHECK_ERRNO(chmod("none", 0600), ENOENT);
    CHECK_ERRNO(fchmod(99, 0600), EBADF);
}

CASE(chown_needs_the_capability)
{
    make("f", 0666);
    CHECK_EQ(chown("f", 1000, 1000), 0);
    gid_t group = 77;
    CHECK_EQ(setgroups(1, &group), 0);
    CHECK_EQ(setresgid(1000, 1000, 1000), 0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_ERRNO(chown("f", 1001, -1), EPERM);
    CHECK_ERRNO(chown("f", -1, 78), EPERM);
    CHECK_EQ(chown("f", 1000, 77), 0);
    CHECK_EQ(chown("f", -1, 1000), 0);
    CHECK_EQ(chown("f", -1, -1), 0);
}

CASE(chown_takes_set_id_bits)
{
    make("f", 06755);
    CHECK_EQ(chown("f", 5, 6), 0);
    struct stat status;
    CHECK_EQ(stat("f", &status), 0);
    CHECK_EQ(status.st_mode, S_IFREG | 0755);
    CHECK(status.st_uid == 5 && status.st_gid == 6);
    CHECK_EQ(chmod("f", 02644), 0);
    CHECK_EQ(chown("f", 0, 0), 0);
    CHECK_EQ(stat("f", &status), 0);
    CHECK_EQ(status.st_mode, S_IFREG | 02644);
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(chmod("d", 06755), 0);
    CHECK_EQ(chown("d", 5, 6), 0);
    CHECK_EQ(stat("d", &status), 0);
    CHECK_EQ(status.st_mode, S_IFDIR | 06755);
}

CASE(writing_takes_set_id_bits)
{
    make("f", 06777);
    CHECK_EQ(chown("f", 1000, 1000), 0);
    CHECK_EQ(chmod("f", 06777), 0);
    CHECK_EQ(setresgid(1000, 1000, 1000), 0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    int fd = open("f", O_WRONLY);
    CHECK_EQ(write(fd, "x", 1), 1);
    struct stat status;
    CHECK_EQ(stat("f", &status), 0);
    CHECK_EQ(status.st_mode, S_IFREG | 0777);
}

CASE(umask_swaps)
{
    umask(022);
    CHECK_EQ(umask(07777), 022);
    CHECK_EQ(umask(0), 0777);
    CHECK_EQ(umask(0), 0);
}

CASE(umask_is_shared_by_threads_and_copied_by_fork)
{
    umask(011);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(umask(022), 011);
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK_EQ(umask(0), 011);
}

CASE(capget_versions)
{
    struct __user_cap_header_struct header = { 0x12345, 0 };
    struct __user_cap_data_struct data[2];
    CHECK_ERRNO(syscall(SYS_capget, &header, data), EINVAL);
    CHECK_EQ(header.version, _LINUX_CAPABILITY_VERSION_3);
    header.version = 0;
    CHECK_EQ(syscall(SYS_capget, &header, NULL), 0);
    CHECK_EQ(header.version, _LINUX_CAPABILITY_VERSION_3);
    header.pid = -1;
    CHECK_ERRNO(syscall(SYS_capget, &header, data), EINVAL);
    header.pid = 999999;
    CHECK_ERRNO(syscall(SYS_capget, &header, data), ESRCH);
    header.pid = getpid();
    CHECK_EQ(syscall(SYS_capget, &header, data), 0);
    CHECK_ERRNO(syscall(SYS_capget, BAD_POINTER, data), EFAULT);
}

CASE(capset_only_takes_away)
{
    uint64_t all = capabilities(1);
    uint64_t less = all & ~(1ULL << CAP_CHOWN);
    CHECK_ERRNO(set_capabilities(all, less, 0), EPERM);
    CHECK_EQ(set_capabilities(less, less, 0), 0);
    CHECK_ERRNO(set_capabilities(less, all, 0), EPERM);
    make("f", 0600);
    CHECK_ERRNO(chown("f", 5, 5), EPERM);
    CHECK_EQ(set_capabilities(0, 0, 0), 0);
    CHECK_EQ(getuid(), 0);
    CHECK_EQ(chmod("f", 0), 0);
    CHECK_ERRNO(open("f", O_RDONLY), EACCES);
}

CASE(bounding_set)
{
    CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_CHOWN), 1);
    CHECK_EQ(prctl(PR_CAPBSET_DROP, CAP_CHOWN), 0);
    CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_CHOWN), 0);
    CHECK(capabilities(1) & (1ULL << CAP_CHOWN));
    CHECK_ERRNO(prctl(PR_CAPBSET_READ, 64), EINVAL);
    CHECK_ERRNO(prctl(PR_CAPBSET_DROP, 64), EINVAL);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_ERRNO(prctl(PR_CAPBSET_DROP, CAP_KILL), EPERM);
}

CASE(ambient_capabilities)
{
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 0);
    CHECK_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0), EPERM);
    uint64_t all = capabilities(1);
    CHECK_EQ(set_capabilities(all, all, 1ULL << CAP_KILL), 0);
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0), 0);
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 1);
    CHECK_EQ(set_capabilities(all, all, 0), 0);
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 0);
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), 0);
    CHECK_ERRNO(prctl(PR_CAP_AMBIENT, 77, 0, 0, 0), EINVAL);
    CHECK_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 64, 0, 0), EINVAL);
}

CASE(no_new_privs_is_one_way)
{
    CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
    CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1);
    }
    CHECK_CHILD(pid);
}

CASE(securebits)
{
    CHECK_EQ(prctl(PR_GET_SECUREBITS), 0);
    CHECK_EQ(prctl(PR_SET_SECUREBITS, 1 << 2), 0);
    CHECK_EQ(prctl(PR_GET_SECUREBITS), 1 << 2);
    uint64_t before = capabilities(0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_EQ(capabilities(0), before);
}

CASE(threads_have_credentials_of_their_own)
{
    // The raw call changes the calling thread only; a child made by it is another one.
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(syscall(SYS_setresuid, 1000, 1000, 1000), 0);
        _exit(0);
    }
    CHECK_CHILD(pid);
    check_uids(0, 0, 0);
}

CASE(signals_need_the_same_user)
{
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_ERRNO(kill(pid, SIGTERM), EPERM);
    CHECK_ERRNO(kill(pid, 0), EPERM);
    CHECK_ERRNO(kill(999999, 0), ESRCH);
    CHECK_EQ(kill(getpid(), 0), 0);
}

CASE(proc_status_tells_the_ids)
{
    CHECK_EQ(setresgid(4, 5, 6), 0);
    CHECK_EQ(setresuid(1, 2, 3), 0);
    FILE *file = fopen("/proc/thread-self/status", "r");
    CHECK(file != NULL);
    char line[256];
    int found = 0;
    while (fgets(line, sizeof line, file)) {
        found += strcmp(line, "Uid:\t1\t2\t3\t2\n") == 0;
        found += strcmp(line, "Gid:\t4\t5\t6\t5\n") == 0;
    }
    CHECK_EQ(found, 2);
}

CASE(dumpable_follows_changes_of_identity)
{
    CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
    CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
    CHECK_ERRNO(prctl(PR_SET_DUMPABLE, 2), EINVAL);
    CHECK_EQ(seteuid(1000), 0);
    CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);
    CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
    CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
}

GUEST_MAIN("credentials")
