// Set-user-ID and set-group-ID programs, file capabilities, no_new_privs and nosuid (execve(2), capabilities(7)). The program executes itself as "report".
#include "guest.h"
#include <linux/capability.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/xattr.h>

typedef struct {
    int ruid, euid, suid, rgid, egid, sgid, secure;
    unsigned long long permitted, effective;
} report;

static struct __user_cap_data_struct caps[2];

static void read_caps(void)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    CHECK_EQ(syscall(SYS_capget, &header, caps), 0);
}

__attribute__((constructor)) static void report_mode(void)
{
    char name[16];
    prctl(PR_GET_NAME, name);
    if (strncmp(name, "report", 6) != 0) {
        return;
    }
    uid_t r, e, s;
    gid_t gr, ge, gs;
    getresuid(&r, &e, &s);
    getresgid(&gr, &ge, &gs);
    read_caps();
    printf("%d %d %d %d %d %d %d %llx %llx\n", r, e, s, gr, ge, gs, (int)getauxval(AT_SECURE), caps[0].permitted | (unsigned long long)caps[1].permitted << 32,
           caps[0].effective | (unsigned long long)caps[1].effective << 32);
    fflush(stdout);
    _exit(0);
}

// A world-searchable directory on a tmpfs of our own with a copy of this program in it.
static void make_program(unsigned long flags)
{
    CHECK_EQ(unshare(CLONE_NEWNS), 0);
    CHECK_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(mkdir("m", 0755), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", flags, "mode=755"), 0);
    int in = open("/proc/self/exe", O_RDONLY), out = open("m/report", O_CREAT | O_WRONLY, 0755);
    CHECK(in >= 0 && out >= 0);
    static char buffer[1 << 16];
    ssize_t count;
    while ((count = read(in, buffer, sizeof buffer)) > 0) {
        CHECK_EQ(write(out, buffer, count), count);
    }
    close(in);
    close(out);
}

// Executes the program below a tracer of the same user, which lets it run.
static void execute_traced(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(ptrace(PTRACE_TRACEME, 0, 0, 0), 0);
        execl("m/report", "report", NULL);
        _exit(errno);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
    CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    _exit(status);
}

enum { NO_NEW_PRIVILEGES = 1, TRACED = 2 };

static report run_as(int uid, int how)
{
    int out[2];
    CHECK_EQ(pipe(out), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (uid) {
            CHECK_EQ(setgid(uid), 0);
            CHECK_EQ(setuid(uid), 0);
        }
        if (how & NO_NEW_PRIVILEGES) {
            CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        }
        dup2(out[1], STDOUT_FILENO);
        if (how & TRACED) {
            CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
            execute_traced();
        }
        execl("m/report", "report", NULL);
        _exit(errno);
    }
    close(out[1]);
    FILE *file = fdopen(out[0], "r");
    report r;
    memset(&r, 0, sizeof r);
    int fields = fscanf(file, "%d %d %d %d %d %d %d %llx %llx", &r.ruid, &r.euid, &r.suid, &r.rgid, &r.egid, &r.sgid, &r.secure, &r.permitted, &r.effective);
    fclose(file);
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    if (fields != 9) {
        r.ruid = -WEXITSTATUS(status);
    }
    return r;
}

static void set_caps(unsigned long long permitted, int effective)
{
    struct vfs_cap_data data = { .magic_etc = VFS_CAP_REVISION_2 | (effective ? VFS_CAP_FLAGS_EFFECTIVE : 0) };
    data.data[0].permitted = (unsigned)permitted;
    data.data[1].permitted = (unsigned)(permitted >> 32);
    CHECK_EQ(setxattr("m/report", "security.capability", &data, sizeof data, 0), 0);
}

CASE(plain_program)
{
    make_program(0);
    report r = run_as(1000, 0);
    CHECK_EQ(r.ruid, 1000);
    CHECK_EQ(r.euid, 1000);
    CHECK_EQ(r.secure, 0);
    CHECK_EQ(r.permitted, 0);
}

CASE(setuid_root)
{
    make_program(0);
    CHECK_EQ(chmod("m/report", 04755), 0);
    report r = run_as(1000, 0);
    CHECK_EQ(r.ruid, 1000);
    CHECK_EQ(r.euid, 0);
    CHECK_EQ(r.suid, 0);
    CHECK_EQ(r.rgid, 1000);
    CHECK_EQ(r.egid, 1000);
    CHECK_EQ(r.secure, 1);
    CHECK(r.permitted != 0);
    CHECK(r.permitted == r.effective);
}

CASE(setuid_root_gains_nothing_below_a_tracer)
{
    make_program(0);
    CHECK_EQ(chmod("m/report", 04755), 0);
    report r = run_as(1000, TRACED);
    CHECK_EQ(r.ruid, 1000);
    CHECK_EQ(r.euid, 1000);
    CHECK_EQ(r.suid, 1000);
    CHECK_EQ(r.permitted, 0);
    CHECK_EQ(r.secure, 1);
    r = run_as(0, TRACED); // unless the tracer has CAP_SYS_PTRACE, or it is no gain
    CHECK_EQ(r.euid, 0);
    CHECK(r.permitted != 0);
}

CASE(setuid_other)
{
    make_program(0);
    CHECK_EQ(chown("m/report", 1234, 1234), 0);
    CHECK_EQ(chmod("m/report", 04755), 0);
    report r = run_as(1000, 0);
    CHECK_EQ(r.euid, 1234);
    CHECK_EQ(r.suid, 1234);
    CHECK_EQ(r.egid, 1000);
    CHECK_EQ(r.permitted, 0);
    CHECK_EQ(r.secure, 1);
}

CASE(setuid_other_from_root)
{
    make_program(0);
    CHECK_EQ(chown("m/report", 1234, 1234), 0);
    CHECK_EQ(chmod("m/report", 04755), 0);
    report r = run_as(0, 0);
    CHECK_EQ(r.ruid, 0);
    CHECK_EQ(r.euid, 1234);
    CHECK_EQ(r.secure, 1);
    CHECK(r.permitted != 0);
    CHECK_EQ(r.effective, 0);
}

CASE(setgid)
{
    make_program(0);
    CHECK_EQ(chown("m/report", 0, 1234), 0);
    CHECK_EQ(chmod("m/report", 02755), 0);
    report r = run_as(1000, 0);
    CHECK_EQ(r.euid, 1000);
    CHECK_EQ(r.egid, 1234);
    CHECK_EQ(r.sgid, 1234);
    CHECK_EQ(r.secure, 1);
}

CASE(setgid_without_group_execute)
{
    make_program(0);
    CHECK_EQ(chown("m/report", 0, 1234), 0);
    CHECK_EQ(chmod("m/report", 02745), 0);
    CHECK_EQ(run_as(1000, 0).egid, 1000);
}

CASE(no_new_privs)
{
    make_program(0);
    CHECK_EQ(chmod("m/report", 06755), 0);
    report r = run_as(1000, 1);
    CHECK_EQ(r.euid, 1000);
    CHECK_EQ(r.egid, 1000);
    CHECK_EQ(r.secure, 0);
    CHECK_EQ(r.permitted, 0);
}

CASE(nosuid_mount)
{
    make_program(MS_NOSUID);
    CHECK_EQ(chmod("m/report", 06755), 0);
    report r = run_as(1000, 0);
    CHECK_EQ(r.euid, 1000);
    CHECK_EQ(r.egid, 1000);
    CHECK_EQ(r.secure, 0);
}

CASE(file_capabilities)
{
    make_program(0);
    set_caps(1 << CAP_CHOWN | 1 << CAP_KILL, 1);
    report r = run_as(1000, 0);
    CHECK_EQ(r.euid, 1000);
    CHECK_EQ(r.permitted, 1 << CAP_CHOWN | 1 << CAP_KILL);
    CHECK_EQ(r.effective, 1 << CAP_CHOWN | 1 << CAP_KILL);
    CHECK_EQ(r.secure, 1);
}

CASE(file_capabilities_below_a_tracer)
{
    make_program(0);
    set_caps(1 << CAP_CHOWN | 1 << CAP_KILL, 1);
    report r = run_as(1000, TRACED);
    CHECK_EQ(r.euid, 1000);
    CHECK_EQ(r.permitted, 0);
    CHECK_EQ(r.effective, 0);
}

CASE(file_capabilities_not_effective)
{
    make_program(0);
    set_caps(1 << CAP_CHOWN, 0);
    report r = run_as(1000, 0);
    CHECK_EQ(r.permitted, 1 << CAP_CHOWN);
    CHECK_EQ(r.effective, 0);
    CHECK_EQ(r.secure, 1);
}

CASE(file_capabilities_no_new_privs)
{
    make_program(0);
    set_caps(1 << CAP_CHOWN, 1);
    CHECK_EQ(run_as(1000, 1).permitted, 0);
}

CASE(file_capabilities_on_nosuid)
{
    make_program(MS_NOSUID);
    set_caps(1 << CAP_CHOWN, 1);
    CHECK_EQ(run_as(1000, 0).permitted, 0);
}

CASE(file_capabilities_beyond_bounding_set)
{
    make_program(0);
    set_caps(1 << CAP_CHOWN | 1 << CAP_KILL, 1);
    CHECK_EQ(prctl(PR_CAPBSET_DROP, CAP_KILL, 0, 0, 0), 0);
    CHECK_EQ(run_as(1000, 0).ruid, -EPERM);
    set_caps(1 << CAP_CHOWN | 1 << CAP_KILL, 0);
    CHECK_EQ(run_as(1000, 0).permitted, 1 << CAP_CHOWN);
}

CASE(capability_attribute_is_checked)
{
    make_program(0);
    CHECK_ERRNO(setxattr("m/report", "security.capability", "nonsense", 8, 0), EINVAL);
    set_caps(1, 1);
    char value[64];
    CHECK_EQ(getxattr("m/report", "security.capability", value, sizeof value), 20);
    CHECK_EQ(removexattr("m/report", "security.capability"), 0);
    CHECK_ERRNO(getxattr("m/report", "security.capability", value, sizeof value), ENODATA);
}

CASE(write_takes_capabilities)
{
    make_program(0);
    set_caps(1, 1);
    int fd = open("m/report", O_WRONLY | O_APPEND);
    CHECK_EQ(write(fd, "x", 1), 1);
    char value[64];
    CHECK_ERRNO(getxattr("m/report", "security.capability", value, sizeof value), ENODATA);
    set_caps(1, 1);
    CHECK_EQ(chown("m/report", 5, 5), 0);
    CHECK_ERRNO(getxattr("m/report", "security.capability", value, sizeof value), ENODATA);
}

static int mode_of(const char *path)
{
    struct stat status;
    CHECK_EQ(stat(path, &status), 0);
    return status.st_mode & 07777;
}

static void as_user(void (*action)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(setgid(1000), 0);
        CHECK_EQ(setuid(1000), 0);
        action();
        _exit(0);
    }
    CHECK_CHILD(pid);
}

static void write_file(void)
{
    int fd = open("file", O_WRONLY);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, "x", 1), 1);
}

static void truncate_file(void)
{
    CHECK_EQ(truncate("file", 100), 0);
}

static void make_file(int mode)
{
    chmod(".", 0777);
    unlink("file");
    close(open("file", O_CREAT | O_WRONLY, 0666));
    CHECK_EQ(chown("file", 1000, 1000), 0);
    CHECK_EQ(chmod("file", mode), 0);
}

CASE(write_takes_set_id)
{
    make_file(06777);
    as_user(write_file);
    CHECK_EQ(mode_of("file"), 0777);
    make_file(06767);
    as_user(write_file);
    CHECK((mode_of("file") & 04000) == 0);
    make_file(06777);
    write_file();
    CHECK_EQ(mode_of("file"), 06777);
}

CASE(truncate_takes_set_id)
{
    make_file(06777);
    as_user(truncate_file);
    CHECK_EQ(mode_of("file"), 0777);
}

CASE(chown_takes_set_id)
{
    make_file(06777);
    CHECK_EQ(chown("file", 5, 5), 0);
    CHECK_EQ(mode_of("file"), 0777);
    make_file(06767);
    CHECK_EQ(chown("file", 5, -1), 0);
    CHECK_EQ(mode_of("file"), 02767);
    CHECK_EQ(mkdir("d", 0777), 0);
    CHECK_EQ(chmod("d", 06777), 0);
    CHECK_EQ(chown("d", 5, 5), 0);
    CHECK_EQ(mode_of("d"), 06777);
}

static void chmod_set_gid(void)
{
    CHECK_EQ(chmod("file", 02755), 0);
}

CASE(chmod_of_foreign_group_drops_set_gid)
{
    make_file(0755);
    CHECK_EQ(chown("file", 1000, 5), 0);
    as_user(chmod_set_gid);
    CHECK_EQ(mode_of("file"), 0755);
}

CASE(set_gid_directory_gives_group)
{
    CHECK_EQ(mkdir("d", 0777), 0);
    CHECK_EQ(chown("d", 0, 1234), 0);
    CHECK_EQ(chmod("d", 02777), 0);
    close(open("d/file", O_CREAT | O_WRONLY, 0600));
    CHECK_EQ(mkdir("d/sub", 0700), 0);
    struct stat status;
    CHECK_EQ(stat("d/file", &status), 0);
    CHECK_EQ(status.st_gid, 1234);
    CHECK_EQ(stat("d/sub", &status), 0);
    CHECK_EQ(status.st_gid, 1234);
    CHECK(status.st_mode & 02000);
}

static void sticky_foreign(void)
{
    CHECK_ERRNO(unlink("d/foreign"), EPERM);
    CHECK_ERRNO(rename("d/foreign", "d/x"), EPERM);
    CHECK_EQ(unlink("d/own"), 0);
}

CASE(sticky_directory)
{
    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(mkdir("d", 0777), 0);
    CHECK_EQ(chmod("d", 01777), 0);
    close(open("d/foreign", O_CREAT | O_WRONLY, 0666));
    close(open("d/own", O_CREAT | O_WRONLY, 0666));
    CHECK_EQ(chown("d/own", 1000, 1000), 0);
    as_user(sticky_foreign);
}

static int protects(const char *name)
{
    char path[64], value = 0;
    snprintf(path, sizeof path, "/proc/sys/fs/%s", name);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    CHECK_EQ(read(fd, &value, 1), 1);
    close(fd);
    return value != '0';
}

static void link_foreign(void)
{
    if (protects("protected_hardlinks")) {
        CHECK_ERRNO(link("d/foreign", "d/link"), EPERM);
    } else {
        CHECK_EQ(link("d/foreign", "d/link"), 0);
    }
}

CASE(protected_hardlinks)
{
    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(mkdir("d", 0777), 0);
    CHECK_EQ(chmod("d", 0777), 0);
    close(open("d/foreign", O_CREAT | O_WRONLY, 0644));
    as_user(link_foreign);
}

static void follow_foreign(void)
{
    int fd = open("d/link", O_RDONLY);
    if (protects("protected_symlinks")) {
        CHECK(fd == -1);
    } else {
        CHECK(fd >= 0);
    }
}

static void make_link(void)
{
    CHECK_EQ(symlink("/dev/null", "d/link"), 0);
}

CASE(protected_symlinks)
{
    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(mkdir("d", 0777), 0);
    CHECK_EQ(chmod("d", 01777), 0);
    as_user(make_link);
    follow_foreign();
}

GUEST_MAIN("setuid_exec")
