// fork(2), vfork(2), clone(2), clone3(2), wait4(2), waitid(2), exit(2), process groups, sessions, prctl(2) of processes
#include "guest.h"
#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static int status_of(pid_t pid)
{
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    return status;
}

CASE(fork_returns_twice)
{
    pid_t before = getpid(), pid = fork();
    if (pid == 0) {
        CHECK_EQ(getppid(), before);
        CHECK(getpid() != before);
        CHECK_EQ(syscall(SYS_gettid), getpid());
        _exit(7);
    }
    int status = status_of(pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CHECK_EQ(getpid(), before);
}

CASE(exit_status_is_a_byte)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0x1234);
    }
    CHECK_EQ(status_of(pid), 0x3400);
    pid = fork();
    if (pid == 0) {
        _exit(-1);
    }
    CHECK_EQ(WEXITSTATUS(status_of(pid)), 255);
}

CASE(killed_children_tell_the_signal)
{
    int signals[] = { SIGTERM, SIGKILL, SIGUSR1, SIGHUP, SIGALRM, SIGPIPE };
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            pause();
        }
        CHECK_EQ(kill(pid, signals[i]), 0);
        CHECK_EQ(status_of(pid), signals[i]);
    }
}

CASE(wait_without_children_is_echild)
{
    CHECK_ERRNO(wait(NULL), ECHILD);
    CHECK_ERRNO(waitpid(-1, NULL, WNOHANG), ECHILD);
    CHECK_ERRNO(waitpid(getppid(), NULL, 0), ECHILD);
    CHECK_ERRNO(waitpid(getpid(), NULL, 0), ECHILD);
    CHECK_ERRNO(waitpid(999999, NULL, 0), ECHILD);
    CHECK_ERRNO(waitpid(INT32_MIN, NULL, 0), ESRCH);
}

CASE(wait_is_checked)
{
    CHECK_ERRNO(waitpid(-1, NULL, 0x100), EINVAL);
    siginfo_t info;
    CHECK_ERRNO(waitid(P_ALL, 0, &info, 0), EINVAL);
    CHECK_ERRNO(waitid(77, 0, &info, WEXITED), EINVAL);
    CHECK_ERRNO(waitid(P_PID, -1, &info, WEXITED), EINVAL);
    CHECK_ERRNO(waitid(P_ALL, 0, &info, WEXITED | 0x100), EINVAL);
    CHECK_ERRNO(waitid(P_PID, 0, &info, WEXITED), EINVAL);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    CHECK_ERRNO(syscall(SYS_wait4, pid, BAD_POINTER, 0, NULL), EFAULT);
    CHECK_ERRNO(waitpid(pid, NULL, 0), ECHILD);
}

CASE(nohang_returns_zero_while_running)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char c;
        close(fds[1]);
        CHECK_EQ(read(fds[0], &c, 1), 0);
        _exit(3);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    close(fds[1]);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0x300);
    CHECK_ERRNO(waitpid(pid, &status, WNOHANG), ECHILD);
}

CASE(zombies_wait_to_be_waited_for)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    siginfo_t info;
    CHECK_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
    CHECK_EQ(kill(pid, 0), 0);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    char path[64], state[256];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    CHECK(fgets(state, sizeof state, file) != NULL);
    CHECK(strstr(state, ") Z ") != NULL);
    CHECK_EQ(status_of(pid), 0);
    CHECK_ERRNO(kill(pid, 0), ESRCH);
}

CASE(waitid_fills_the_information)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(42);
    }
    siginfo_t info;
    memset(&info, 0xff, sizeof info);
    CHECK_EQ(waitid(P_PID, pid, &info, WEXITED), 0);
    CHECK_EQ(info.si_signo, SIGCHLD);
    CHECK_EQ(info.si_code, CLD_EXITED);
    CHECK_EQ(info.si_pid, pid);
    CHECK_EQ(info.si_uid, getuid());
    CHECK_EQ(info.si_status, 42);
    pid = fork();
    if (pid == 0) {
        raise(SIGKILL);
    }
    CHECK_EQ(waitid(P_ALL, 0, &info, WEXITED), 0);
    CHECK_EQ(info.si_code, CLD_KILLED);
    CHECK_EQ(info.si_status, SIGKILL);
}

CASE(waitid_nohang_clears_the_pid)
{
    pid_t pid = fork();
    if (pid == 0) {
        pause();
    }
    siginfo_t info;
    memset(&info, 0xff, sizeof info);
    CHECK_EQ(waitid(P_PID, pid, &info, WEXITED | WNOHANG), 0);
    CHECK(info.si_pid == 0 && info.si_signo == 0);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(status_of(pid), SIGKILL);
}

CASE(stop_and_continue_are_reported)
{
    pid_t pid = fork();
    if (pid == 0) {
        while (1) {
            pause();
        }
    }
    int status;
    CHECK_EQ(kill(pid, SIGSTOP), 0);
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    CHECK_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
    CHECK_EQ(kill(pid, SIGCONT), 0);
    CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
    CHECK_EQ(status, 0xffff);
    siginfo_t info;
    CHECK_EQ(kill(pid, SIGTSTP), 0);
    CHECK_EQ(waitid(P_PID, pid, &info, WSTOPPED), 0);
    CHECK(info.si_code == CLD_STOPPED && info.si_status == SIGTSTP);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(status_of(pid), SIGKILL);
}

CASE(stopped_child_dies_of_sigkill_only)
{
    pid_t pid = fork();
    if (pid == 0) {
        pause();
    }
    CHECK_EQ(kill(pid, SIGSTOP), 0);
    int status;
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK_EQ(kill(pid, SIGTERM), 0);
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    CHECK_EQ(kill(pid, SIGCONT), 0);
    CHECK_EQ(status_of(pid), SIGTERM);
}

CASE(wait_by_group)
{
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        _exit(1);
    }
    setpgid(pid, pid);
    CHECK_ERRNO(waitpid(0, NULL, WNOHANG), ECHILD);
    int status;
    CHECK_EQ(waitpid(-pid, &status, 0), pid);
    CHECK_EQ(WEXITSTATUS(status), 1);
}

CASE(ignored_sigchld_reaps)
{
    signal(SIGCHLD, SIG_IGN);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    CHECK_ERRNO(waitpid(pid, NULL, 0), ECHILD);
    CHECK_ERRNO(kill(pid, 0), ESRCH);
}

CASE(nocldwait_reaps)
{
    struct sigaction action = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
    CHECK_EQ(sigaction(SIGCHLD, &action, NULL), 0);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    CHECK_ERRNO(wait(NULL), ECHILD);
}

static volatile siginfo_t child_info;
static volatile int child_signals;

static void on_child(int signal, siginfo_t *info, void *context)
{
    child_info = *info;
    child_signals++;
}

CASE(sigchld_tells_how_it_ended)
{
    struct sigaction action = { .sa_sigaction = on_child, .sa_flags = SA_SIGINFO };
    CHECK_EQ(sigaction(SIGCHLD, &action, NULL), 0);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(9);
    }
    while (!child_signals) {
        sleep_ms(1);
    }
    CHECK(child_info.si_pid == pid && child_info.si_status == 9 && child_info.si_code == CLD_EXITED);
    CHECK_EQ(WEXITSTATUS(status_of(pid)), 9);
}

CASE(nocldstop_is_silent_about_stops)
{
    struct sigaction action = { .sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_NOCLDSTOP };
    CHECK_EQ(sigaction(SIGCHLD, &action, NULL), 0);
    pid_t pid = fork();
    if (pid == 0) {
        pause();
    }
    CHECK_EQ(kill(pid, SIGSTOP), 0);
    int status;
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK_EQ(child_signals, 0);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    while (waitpid(pid, &status, 0) == -1) {
    }
    CHECK_EQ(child_signals, 1);
}

CASE(orphans_go_to_init)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        pid_t inner = fork();
        if (inner == 0) {
            while (getppid() != 1) {
                sleep_ms(1);
            }
            CHECK_EQ(write(fds[1], "x", 1), 1);
            _exit(0);
        }
        _exit(0);
    }
    CHECK_CHILD(pid);
    char c;
    CHECK_EQ(read(fds[0], &c, 1), 1);
}

CASE(subreapers_get_orphans)
{
    CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    int is = 0;
    CHECK_EQ(prctl(PR_GET_CHILD_SUBREAPER, &is), 0);
    CHECK_EQ(is, 1);
    pid_t self = getpid(), pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            while (getppid() != self) {
                sleep_ms(1);
            }
            _exit(5);
        }
        _exit(0);
    }
    CHECK_CHILD(pid);
    int status;
    CHECK(wait(&status) > 0);
    CHECK_EQ(WEXITSTATUS(status), 5);
}

CASE(parent_death_signal)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int ready[2];
        CHECK_EQ(pipe(ready), 0);
        if (fork() == 0) {
            CHECK_EQ(prctl(PR_SET_PDEATHSIG, SIGKILL), 0);
            int is;
            CHECK_EQ(prctl(PR_GET_PDEATHSIG, &is), 0);
            CHECK_EQ(is, SIGKILL);
            close(fds[0]);
            CHECK_EQ(write(ready[1], "x", 1), 1);
            while (1) {
                pause();
            }
        }
        char c;
        CHECK_EQ(read(ready[0], &c, 1), 1);
        _exit(0);
    }
    close(fds[1]);
    CHECK_CHILD(pid);
    char c;
    CHECK_EQ(read(fds[0], &c, 1), 0);
    CHECK_ERRNO(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
}

CASE(vfork_suspends_the_parent)
{
    static volatile int value;
    value = 1;
    pid_t pid = vfork();
    if (pid == 0) {
        value = 2;
        _exit(0);
    }
    CHECK_EQ(value, 2);
    CHECK_CHILD(pid);
}

static int clone_child(void *argument)
{
    *(int *)argument = 77;
    return 5;
}

CASE(clone_with_shared_memory)
{
    static int value;
    static char stack[65536] __attribute__((aligned(16)));
    pid_t pid = clone(clone_child, stack + sizeof stack, CLONE_VM | SIGCHLD, &value);
    CHECK(pid > 0);
    CHECK_EQ(WEXITSTATUS(status_of(pid)), 5);
    CHECK_EQ(value, 77);
}

static int close_and_change(void *argument)
{
    close(*(int *)argument);
    return chdir("/") == 0 ? 0 : 1;
}

CASE(clone_with_shared_files_and_directory)
{
    static char stack[65536] __attribute__((aligned(16)));
    int fd = open("/dev/null", O_RDONLY);
    pid_t pid = clone(close_and_change, stack + sizeof stack, CLONE_FILES | CLONE_FS | SIGCHLD, &fd);
    CHECK_CHILD(pid);
    CHECK_ERRNO(fcntl(fd, F_GETFD), EBADF);
    char here[64];
    CHECK(getcwd(here, sizeof here) != NULL);
    CHECK(strcmp(here, "/") == 0);
}

CASE(clone_without_a_signal_needs_wclone)
{
    static int value;
    static char stack[65536] __attribute__((aligned(16)));
    pid_t pid = clone(clone_child, stack + sizeof stack, CLONE_VM, &value);
    CHECK(pid > 0);
    CHECK_ERRNO(waitpid(pid, NULL, 0), ECHILD);
    int status;
    CHECK_EQ(waitpid(pid, &status, __WCLONE), pid);
    CHECK_EQ(WEXITSTATUS(status), 5);
    pid = clone(clone_child, stack + sizeof stack, CLONE_VM, &value);
    CHECK_EQ(waitpid(pid, &status, __WALL), pid);
}

CASE(clone_flags_are_checked)
{
    CHECK_ERRNO(syscall(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_clone, CLONE_THREAD | CLONE_VM | SIGCHLD, 0, 0, 0, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_clone, CLONE_FS | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0), EINVAL);
}

CASE(clone3_is_checked)
{
    struct clone_args args = { .exit_signal = SIGCHLD };
    pid_t pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0) {
        _exit(4);
    }
    CHECK_EQ(WEXITSTATUS(status_of(pid)), 4);
    CHECK_ERRNO(syscall(SYS_clone3, &args, 8), EINVAL);
    CHECK_ERRNO(syscall(SYS_clone3, &args, 5000), E2BIG);
    CHECK_ERRNO(syscall(SYS_clone3, BAD_POINTER, sizeof args), EFAULT);
    args.exit_signal = 65;
    CHECK_ERRNO(syscall(SYS_clone3, &args, sizeof args), EINVAL);
    args.exit_signal = SIGCHLD;
    args.stack_size = 4096;
    CHECK_ERRNO(syscall(SYS_clone3, &args, sizeof args), EINVAL);
    args.stack_size = 0;
    args.flags = CLONE_DETACHED;
    CHECK_ERRNO(syscall(SYS_clone3, &args, sizeof args), EINVAL);
}

CASE(child_tids_are_written)
{
    int parent_tid = 0, child_tid = 0;
    int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, 0, &parent_tid, &child_tid, 0);
    if (pid == 0) {
        *shared = child_tid;
        _exit(0);
    }
    CHECK_EQ(parent_tid, pid);
    CHECK_CHILD(pid);
    CHECK_EQ(*shared, pid);
    CHECK_EQ(child_tid, 0);
}

CASE(process_groups)
{
    pid_t self = getpid();
    CHECK_EQ(getpgrp(), self);
    CHECK_EQ(getpgid(0), self);
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char c;
        close(fds[1]);
        CHECK_EQ(read(fds[0], &c, 1), 0);
        _exit(0);
    }
    CHECK_EQ(getpgid(pid), self);
    CHECK_EQ(setpgid(pid, 0), 0);
    CHECK_EQ(getpgid(pid), pid);
    CHECK_EQ(setpgid(pid, self), 0);
    CHECK_EQ(getpgid(pid), self);
    CHECK_ERRNO(setpgid(pid, 999999), EPERM);
    CHECK_ERRNO(setpgid(pid, -1), EINVAL);
    CHECK_ERRNO(setpgid(999999, 0), ESRCH);
    CHECK_ERRNO(setpgid(getppid(), 0), ESRCH);
    CHECK_ERRNO(getpgid(999999), ESRCH);
    CHECK_ERRNO(getsid(999999), ESRCH);
    close(fds[1]);
    CHECK_CHILD(pid);
}

CASE(sessions)
{
    CHECK_ERRNO(setsid(), EPERM);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(setsid(), getpid());
        CHECK_EQ(getsid(0), getpid());
        CHECK_EQ(getpgrp(), getpid());
        CHECK_ERRNO(setsid(), EPERM);
        CHECK_ERRNO(setpgid(0, 0), EPERM);
        _exit(0);
    }
    CHECK_CHILD(pid);
}

CASE(groups_of_other_sessions_are_out_of_reach)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(setsid(), getpid());
        CHECK_EQ(write(fds[1], "x", 1), 1);
        pause();
    }
    char c;
    CHECK_EQ(read(fds[0], &c, 1), 1);
    CHECK_ERRNO(setpgid(pid, pid), EPERM);
    CHECK_ERRNO(setpgid(0, pid), EPERM);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(status_of(pid), SIGKILL);
}

CASE(orphaned_stopped_groups_get_sighup)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(setsid(), getpid());
        pid_t inner = fork();
        if (inner == 0) {
            setpgid(0, 0);
            close(fds[0]);
            raise(SIGSTOP);
            while (1) {
                pause();
            }
        }
        int status;
        CHECK_EQ(waitpid(inner, &status, WUNTRACED), inner);
        _exit(0);
    }
    close(fds[1]);
    CHECK_CHILD(pid);
    char c;
    CHECK_EQ(read(fds[0], &c, 1), 0);
}

CASE(names)
{
    char name[17] = "";
    CHECK_EQ(prctl(PR_SET_NAME, "a-name-that-is-too-long"), 0);
    CHECK_EQ(prctl(PR_GET_NAME, name), 0);
    CHECK(strcmp(name, "a-name-that-is-") == 0);
    FILE *file = fopen("/proc/self/comm", "r");
    char line[64] = "";
    CHECK(fgets(line, sizeof line, file) != NULL);
    CHECK(strcmp(line, "a-name-that-is-\n") == 0);
    int fd = open("/proc/self/comm", O_WRONLY);
    CHECK_EQ(write(fd, "other", 5), 5);
    CHECK_EQ(prctl(PR_GET_NAME, name), 0);
    CHECK(strcmp(name, "other") == 0);
    CHECK_ERRNO(prctl(PR_SET_NAME, BAD_POINTER), EFAULT);
    CHECK_ERRNO(prctl(9999), EINVAL);
}

CASE(usage_of_children)
{
    struct rusage usage;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    int status;
    memset(&usage, 0xff, sizeof usage);
    CHECK_EQ(wait4(pid, &status, 0, &usage), pid);
    CHECK(usage.ru_utime.tv_sec >= 0 && usage.ru_utime.tv_usec < 1000000);
    CHECK_EQ(getrusage(RUSAGE_SELF, &usage), 0);
    CHECK(usage.ru_maxrss > 0);
    CHECK_EQ(getrusage(RUSAGE_CHILDREN, &usage), 0);
    CHECK_EQ(getrusage(RUSAGE_THREAD, &usage), 0);
    CHECK_ERRNO(getrusage(7, &usage), EINVAL);
    CHECK_ERRNO(syscall(SYS_getrusage, RUSAGE_SELF, BAD_POINTER), EFAULT);
}

CASE(process_limit_is_eagain)
{
    struct rlimit limit = { 1, 1 };
    CHECK_EQ(setrlimit(RLIMIT_NPROC, &limit), 0);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    CHECK_CHILD(pid); // root is not limited
    CHECK_EQ(setresuid(12345, 12345, 12345), 0);
    CHECK_ERRNO(fork(), EAGAIN);
}

CASE(many_children_in_any_order)
{
    pid_t pids[40];
    for (int i = 0; i < 40; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            _exit(i);
        }
    }
    for (int i = 39; i >= 0; i--) {
        CHECK_EQ(WEXITSTATUS(status_of(pids[i])), i);
    }
}

CASE(deep_chain_of_forks)
{
    int depth = 0;
    pid_t pid;
    while (depth < 20 && (pid = fork()) == 0) {
        depth++;
    }
    if (depth == 20) {
        _exit(20);
    }
    int code = WEXITSTATUS(status_of(pid));
    CHECK_EQ(code, 20);
    if (depth > 0) {
        _exit(code);
    }
}

CASE(exit_group_takes_all_threads)
{
    static char stack[65536] __attribute__((aligned(16)));
    pid_t pid = fork();
    if (pid == 0) {
        static int value;
        clone((int (*)(void *))(void *)pause, stack + sizeof stack, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FS | CLONE_FILES, &value);
        syscall(SYS_exit_group, 6);
    }
    CHECK_EQ(WEXITSTATUS(status_of(pid)), 6);
}

static int late_child(void *argument)
{
    sleep_ms(50);
    return 5;
}

CASE(leader_may_go_first)
{
    static char stack[65536] __attribute__((aligned(16)));
    pid_t pid = fork();
    if (pid == 0) {
        clone(late_child, stack + sizeof stack, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FS | CLONE_FILES, NULL);
        syscall(SYS_exit, 8);
    }
    CHECK_EQ(WEXITSTATUS(status_of(pid)), 5);
}

GUEST_MAIN("process")
