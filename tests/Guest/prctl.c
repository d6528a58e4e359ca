// prctl(2), capget(2), capset(2)
#include "guest.h"
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <sys/prctl.h>

static int capget(struct __user_cap_header_struct *header, struct __user_cap_data_struct *data)
{
    return syscall(SYS_capget, header, data);
}

static int capset(struct __user_cap_header_struct *header, struct __user_cap_data_struct *data)
{
    return syscall(SYS_capset, header, data);
}

static struct __user_cap_header_struct v3 = { _LINUX_CAPABILITY_VERSION_3, 0 };

CASE(name)
{
    char name[16];
    CHECK_EQ(prctl(PR_SET_NAME, "hello", 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_GET_NAME, name, 0, 0, 0), 0);
    CHECK(strcmp(name, "hello") == 0);
    CHECK_EQ(prctl(PR_SET_NAME, "a name of more than fifteen", 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_GET_NAME, name, 0, 0, 0), 0);
    CHECK(strcmp(name, "a name of more ") == 0);
    CHECK_ERRNO(prctl(PR_SET_NAME, BAD_POINTER, 0, 0, 0), EFAULT);
    CHECK_ERRNO(prctl(PR_GET_NAME, BAD_POINTER, 0, 0, 0), EFAULT);
}

CASE(dumpable)
{
    CHECK_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
    CHECK_EQ(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK_ERRNO(prctl(PR_SET_DUMPABLE, 2, 0, 0, 0), EINVAL);
    CHECK_EQ(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}

CASE(keepcaps)
{
    CHECK_EQ(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0), 1);
    CHECK_EQ(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0), SECBIT_KEEP_CAPS);
    CHECK_ERRNO(prctl(PR_SET_KEEPCAPS, 2, 0, 0, 0), EINVAL);
    CHECK_EQ(setuid(1000), 0);
    struct __user_cap_data_struct data[2];
    CHECK_EQ(capget(&v3, data), 0);
    CHECK(data[0].permitted & (1 << CAP_CHOWN));
    CHECK_EQ(data[0].effective, 0);
}

CASE(setuid_drops_capabilities)
{
    CHECK_EQ(setuid(1000), 0);
    struct __user_cap_data_struct data[2];
    CHECK_EQ(capget(&v3, data), 0);
    CHECK_EQ(data[0].permitted, 0);
    CHECK_EQ(data[0].effective, 0);
    CHECK_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
}

CASE(no_new_privs)
{
    CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
    CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    CHECK_ERRNO(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0), EINVAL);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
        _exit(0);
    }
    CHECK_CHILD(pid);
}

CASE(securebits)
{
    CHECK_EQ(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0), SECBIT_NOROOT | SECBIT_NOROOT_LOCKED);
    CHECK_ERRNO(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT_LOCKED, 0, 0, 0), EPERM);
    CHECK_ERRNO(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0), EPERM);
    CHECK_ERRNO(prctl(PR_SET_SECUREBITS, 1 << 20, 0, 0, 0), EPERM);
}

CASE(keepcaps_locked)
{
    CHECK_EQ(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS_LOCKED, 0, 0, 0), 0);
    CHECK_ERRNO(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), EPERM);
}

CASE(bounding_set)
{
    CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0), 1);
    CHECK_EQ(prctl(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0), 0);
    CHECK_ERRNO(prctl(PR_CAPBSET_READ, 200, 0, 0, 0), EINVAL);
    CHECK_ERRNO(prctl(PR_CAPBSET_DROP, 200, 0, 0, 0), EINVAL);
    CHECK_EQ(setuid(1000), 0);
    CHECK_ERRNO(prctl(PR_CAPBSET_DROP, CAP_KILL, 0, 0, 0), EPERM);
}

CASE(ambient)
{
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 0);
    CHECK_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0), EPERM);
    struct __user_cap_data_struct data[2];
    CHECK_EQ(capget(&v3, data), 0);
    data[0].inheritable |= 1 << CAP_KILL;
    CHECK_EQ(capset(&v3, data), 0);
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0), 0);
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 1);
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_KILL, 0, 0), 0);
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 0);
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0), 0);
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 0);
    CHECK_ERRNO(prctl(PR_CAP_AMBIENT, 9, 0, 0, 0), EINVAL);
    CHECK_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 200, 0, 0), EINVAL);
}

CASE(capset_lowers_and_never_raises)
{
    struct __user_cap_data_struct data[2];
    CHECK_EQ(capget(&v3, data), 0);
    CHECK(data[0].effective & (1 << CAP_CHOWN));
    data[0].effective &= ~(1 << CAP_CHOWN);
    CHECK_EQ(capset(&v3, data), 0);
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    CHECK_ERRNO(fchown(fd, 5, 5), EPERM);
    data[0].effective |= 1 << CAP_CHOWN;
    CHECK_EQ(capset(&v3, data), 0);
    CHECK_EQ(fchown(fd, 5, 5), 0);
    data[0].effective &= ~(1 << CAP_CHOWN);
    data[0].permitted &= ~(1 << CAP_CHOWN);
    CHECK_EQ(capset(&v3, data), 0);
    data[0].permitted |= 1 << CAP_CHOWN;
    CHECK_ERRNO(capset(&v3, data), EPERM);
    data[0].permitted &= ~(1 << CAP_CHOWN);
    data[0].effective |= 1 << CAP_CHOWN;
    CHECK_ERRNO(capset(&v3, data), EPERM);
}

CASE(capget_errors)
{
    struct __user_cap_header_struct header = { 0, 0 };
    struct __user_cap_data_struct data[2];
    CHECK_ERRNO(capget(&header, data), EINVAL);
    CHECK_EQ(header.version, _LINUX_CAPABILITY_VERSION_3);
    header.version = 0;
    CHECK_EQ(capget(&header, NULL), 0);
    CHECK_ERRNO(syscall(SYS_capget, BAD_POINTER, data), EFAULT);
    CHECK_ERRNO(syscall(SYS_capget, &v3, BAD_POINTER), EFAULT);
    header = (struct __user_cap_header_struct){ _LINUX_CAPABILITY_VERSION_3, 999999 };
    CHECK_ERRNO(capget(&header, data), ESRCH);
    header.pid = -1;
    CHECK_ERRNO(capget(&header, data), EINVAL);
    header.pid = getppid();
    CHECK_EQ(capget(&header, data), 0);
    CHECK_ERRNO(capset(&header, data), EPERM);
}

CASE(subreaper)
{
    int value = -1;
    CHECK_EQ(prctl(PR_GET_CHILD_SUBREAPER, &value, 0, 0, 0), 0);
    CHECK_EQ(value, 0);
    CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 5, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_GET_CHILD_SUBREAPER, &value, 0, 0, 0), 0);
    CHECK_EQ(value, 1);
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        pid_t grandchild = fork();
        if (grandchild == 0) {
            sleep_ms(20);
            _exit(9);
        }
        CHECK_EQ(write(fds[1], &grandchild, sizeof grandchild), sizeof grandchild);
        _exit(0);
    }
    CHECK_CHILD(pid);
    pid_t grandchild;
    CHECK_EQ(read(fds[0], &grandchild, sizeof grandchild), sizeof grandchild);
    int status;
    CHECK_EQ(waitpid(grandchild, &status, 0), grandchild);
    CHECK_EQ(status, 9 << 8);
    CHECK_ERRNO(prctl(PR_GET_CHILD_SUBREAPER, BAD_POINTER, 0, 0, 0), EFAULT);
}

CASE(parent_death_signal)
{
    int value = -1, fds[2];
    CHECK_EQ(prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_GET_PDEATHSIG, &value, 0, 0, 0), 0);
    CHECK_EQ(value, SIGUSR1);
    CHECK_ERRNO(prctl(PR_SET_PDEATHSIG, 65, 0, 0, 0), EINVAL);
    CHECK_EQ(pipe(fds), 0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            CHECK_EQ(prctl(PR_GET_PDEATHSIG, &value, 0, 0, 0), 0);
            CHECK_EQ(value, 0);
            CHECK_EQ(prctl(PR_SET_PDEATHSIG, SIGUSR2, 0, 0, 0), 0);
            CHECK_EQ(write(fds[1], "r", 1), 1);
            int number;
            sigwait(&set, &number);
            CHECK_EQ(write(fds[1], "d", 1), 1);
            _exit(0);
        }
        char c;
        CHECK_EQ(read(fds[0], &c, 1), 1);
        _exit(0);
    }
    CHECK_CHILD(pid);
    char c;
    CHECK_EQ(read(fds[0], &c, 1), 1);
    CHECK_EQ(c, 'd');
}

CASE(timer_slack)
{
    CHECK_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 50000);
    CHECK_EQ(prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 1000);
    CHECK_EQ(prctl(PR_SET_TIMERSLACK, 0, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 50000);
}

CASE(tid_address_and_timing)
{
    CHECK_EQ(prctl(PR_GET_TIMING, 0, 0, 0, 0), PR_TIMING_STATISTICAL);
    CHECK_ERRNO(prctl(PR_SET_TIMING, PR_TIMING_TIMESTAMP, 0, 0, 0), EINVAL);
}

CASE(unknown_option)
{
    CHECK_ERRNO(prctl(9999, 0, 0, 0, 0), EINVAL);
    CHECK_ERRNO(prctl(PR_SET_UNALIGN, 1, 0, 0, 0), EINVAL);
    CHECK_ERRNO(prctl(PR_SET_ENDIAN, 1, 0, 0, 0), EINVAL);
}

GUEST_MAIN("prctl")
