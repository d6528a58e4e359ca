// pid_namespaces(7), ipc_namespaces(7): clone(2), unshare(2) and setns(2) with CLONE_NEWPID and CLONE_NEWIPC, and what a process in a namespace sees of others.
#include "guest.h"
#include <dirent.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>

static volatile sig_atomic_t got_signal, got_pid;

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    got_pid = info->si_pid;
    got_signal = number;
}

static void handle(int number)
{
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };
    CHECK(sigaction(number, &action, NULL) == 0);
}

// fork(2) with flags of clone(2).
static pid_t fork_with(unsigned long flags) { return syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0); }

static void await_byte(int fd)
{
    char byte;
    CHECK(read(fd, &byte, 1) == 1);
}

static void send_byte(int fd) { CHECK(write(fd, "x", 1) == 1); }

static void check_end(pid_t pid, int status)
{
    int found = 0;
    CHECK(waitpid(pid, &found, 0) == pid);
    CHECK(found == status);
}

static void make_pipe(int fds[2]) { CHECK(pipe2(fds, O_CLOEXEC) == 0); }

static void wait_for_signals(void)
{
    for (;;) {
        pause();
    }
}

// The first process of a new namespace, which is there, and ends when its pipe is written to.
static pid_t start_held(int *release)
{
    int ready[2], done[2];
    make_pipe(ready);
    make_pipe(done);
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        send_byte(ready[1]);
        await_byte(done[0]);
        _exit(0);
    }
    await_byte(ready[0]);
    *release = done[1];
    return pid;
}

// Whatever is mounted stays in the case.
static void mount_proc(const char *place)
{
    CHECK(mkdir(place, 0755) == 0);
    CHECK(unshare(CLONE_NEWNS) == 0);
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(mount("proc", place, "proc", 0, NULL) == 0);
}

static int count_processes(const char *proc)
{
    DIR *dir = opendir(proc);
    CHECK(dir != NULL);
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        count += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
    }
    closedir(dir);
    return count;
}

static void read_line(const char *path, const char *name, char *line, int room)
{
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    line[0] = 0;
    while (fgets(line, room, file) != NULL && strncmp(line, name, strlen(name)) != 0) {
        line[0] = 0;
    }
    fclose(file);
}

CASE(child_of_clone_is_the_first)
{
    pid_t pid = fork_with(CLONE_NEWPID);
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(getpid() == 1);
        CHECK(syscall(SYS_gettid) == 1);
        CHECK(getppid() == 0);
        pid_t next = fork();
        CHECK(next >= 0);
        if (next == 0) {
            CHECK(getpid() == 2);
            CHECK(getppid() == 1);
            _exit(3);
        }
        CHECK(next == 2);
        check_end(2, 3 << 8);
        _exit(5);
    }
    CHECK(pid > 1);
    check_end(pid, 5 << 8);
}

CASE(child_tid_is_told_in_each_namespace)
{
    pid_t parent_tid = 0;
    pid_t *child_tid = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(child_tid != MAP_FAILED);
    pid_t pid = syscall(SYS_clone, CLONE_NEWPID | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, NULL, &parent_tid, child_tid, 0);
    if (pid == 0) {
        _exit(0);
    }
    check_end(pid, 0);
    CHECK(parent_tid == pid);
    CHECK(*child_tid == 1);
}

CASE(unshare_moves_children_alone)
{
    pid_t before = getpid();
    CHECK(unshare(CLONE_NEWPID) == 0);
    CHECK(getpid() == before);
    int go[2];
    make_pipe(go);
    pid_t first = fork();
    if (first == 0) {
        CHECK(getpid() == 1);
        await_byte(go[0]);
        _exit(0);
    }
    CHECK(first > 1);
    pid_t second = fork();
    if (second == 0) {
        CHECK(getpid() == 2);
        CHECK(getppid() == 0);
        _exit(0);
    }
    check_end(second, 0);
    send_byte(go[1]);
    check_end(first, 0);
}

CASE(unshare_with_one_chosen_already)
{
    CHECK(unshare(CLONE_NEWPID) == 0);
    CHECK_ERRNO(unshare(CLONE_NEWPID), EINVAL);
    CHECK_ERRNO(fork_with(CLONE_NEWPID), EINVAL);
    CHECK_ERRNO(syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, malloc(4096) + 4096, NULL, NULL, 0), EINVAL);
}

CASE(clone_flags_that_do_not_go_together)
{
    CHECK_ERRNO(syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_NEWPID, malloc(4096) + 4096, NULL, NULL, 0), EINVAL);
    CHECK_ERRNO(fork_with(CLONE_NEWIPC | CLONE_SYSVSEM), EINVAL);
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        CHECK_ERRNO(syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, 0), EINVAL);
        _exit(0);
    }
    check_end(pid, 0);
}

CASE(namespaces_need_the_capability)
{
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(setresuid(1000, 1000, 1000) == 0);
        CHECK_ERRNO(unshare(CLONE_NEWPID), EPERM);
        CHECK_ERRNO(unshare(CLONE_NEWIPC), EPERM);
        CHECK_ERRNO(fork_with(CLONE_NEWPID), EPERM);
        _exit(0);
    }
    check_end(pid, 0);
}

CASE(end_of_the_first_ends_the_others)
{
    int alive[2], ready[2];
    make_pipe(alive);
    make_pipe(ready);
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        for (int i = 0; i < 4; i++) {
            pid_t other = fork();
            if (other == 0) {
                signal(SIGTERM, SIG_IGN);
                if (i == 0) {
                    setsid();
                }
                if (i == 1 && fork() == 0) {
                    send_byte(ready[1]);
                    pause();
                }
                send_byte(ready[1]);
                wait_for_signals();
            }
        }
        for (int i = 0; i < 5; i++) {
            await_byte(ready[0]);
        }
        _exit(7);
    }
    close(alive[1]);
    check_end(pid, 7 << 8);
    char byte;
    CHECK(fcntl(alive[0], F_SETFL, O_NONBLOCK) == 0);
    CHECK(read(alive[0], &byte, 1) == 0); // nobody holds the other end any more
}

CASE(fork_after_the_end_of_the_first)
{
    CHECK(unshare(CLONE_NEWPID) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    check_end(pid, 0);
    CHECK_ERRNO(fork(), ENOMEM);
}

CASE(orphans_become_children_of_the_first)
{
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        int told[2];
        make_pipe(told);
        pid_t middle = fork();
        if (middle == 0) {
            if (fork() == 0) {
                while (getppid() != 1) {
                    usleep(1000);
                }
                send_byte(told[1]);
                _exit(9);
            }
            _exit(0);
        }
        check_end(middle, 0);
        await_byte(told[0]);
        check_end(3, 9 << 8);
        CHECK_ERRNO(wait(NULL), ECHILD);
        _exit(0);
    }
    check_end(pid, 0);
}

CASE(subreaper_outside_gets_nobody)
{
    CHECK(syscall(SYS_prctl, 36 /* PR_SET_CHILD_SUBREAPER */, 1, 0, 0, 0) == 0);
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        pid_t middle = fork();
        if (middle == 0) {
            if (fork() == 0) {
                while (getppid() == 2) {
                    usleep(1000);
                }
                _exit(getppid());
            }
            _exit(0);
        }
        check_end(middle, 0);
        check_end(3, 1 << 8);
        _exit(0);
    }
    check_end(pid, 0);
}

CASE(first_is_spared_from_inside)
{
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        pid_t other = fork();
        if (other == 0) {
            CHECK(kill(1, SIGKILL) == 0);
            CHECK(kill(1, SIGTERM) == 0);
            CHECK(kill(1, SIGSTOP) == 0);
            _exit(0);
        }
        check_end(other, 0);
        CHECK(kill(1, SIGKILL) == 0);
        CHECK_ERRNO(kill(-1, SIGKILL), ESRCH);
        _exit(4);
    }
    check_end(pid, 4 << 8);
}

CASE(first_takes_what_it_handles)
{
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        handle(SIGTERM);
        pid_t other = fork();
        if (other == 0) {
            CHECK(kill(1, SIGTERM) == 0);
            _exit(0);
        }
        check_end(other, 0);
        CHECK(got_signal == SIGTERM);
        CHECK(got_pid == 2);
        _exit(0);
    }
    check_end(pid, 0);
}

CASE(first_is_killed_from_above)
{
    int ready[2];
    make_pipe(ready);
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        send_byte(ready[1]);
        wait_for_signals();
    }
    await_byte(ready[0]);
    CHECK(kill(pid, SIGTERM) == 0); // it has no handler
    CHECK(kill(pid, SIGUSR1) == 0);
    CHECK(kill(pid, 0) == 0);
    CHECK(kill(pid, SIGSTOP) == 0);
    int status = 0;
    CHECK(waitpid(pid, &status, WUNTRACED) == pid);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    CHECK(kill(pid, SIGCONT) == 0);
    CHECK(waitpid(pid, &status, WCONTINUED) == pid);
    CHECK(WIFCONTINUED(status));
    CHECK(kill(pid, SIGKILL) == 0);
    check_end(pid, SIGKILL);
}

CASE(sender_above_has_no_number)
{
    int ready[2], done[2];
    make_pipe(ready);
    make_pipe(done);
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        got_pid = -1;
        handle(SIGUSR1);
        send_byte(ready[1]);
        await_byte(done[0]);
        while (got_signal == 0) {
            usleep(1000);
        }
        CHECK(got_pid == 0);
        _exit(0);
    }
    await_byte(ready[0]);
    CHECK(kill(pid, SIGUSR1) == 0);
    send_byte(done[1]);
    check_end(pid, 0);
}

CASE(end_is_told_by_the_number_above)
{
    handle(SIGCHLD);
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        _exit(6);
    }
    siginfo_t info = { 0 };
    CHECK(waitid(P_PID, pid, &info, WEXITED) == 0);
    CHECK(info.si_pid == pid);
    CHECK(info.si_status == 6);
    CHECK(got_signal == SIGCHLD);
    CHECK(got_pid == pid);
}

CASE(groups_and_sessions_from_above_have_no_number)
{
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        CHECK(getpgrp() == 0);
        CHECK(getsid(0) == 0);
        CHECK(setpgid(0, 0) == 0);
        CHECK(getpgrp() == 1);
        CHECK(getsid(0) == 0);
        pid_t other = fork();
        if (other == 0) {
            CHECK(getpgrp() == 1);
            CHECK(setsid() == 2);
            CHECK(getsid(0) == 2);
            CHECK(getpgid(1) == 1);
            _exit(0);
        }
        check_end(other, 0);
        _exit(0);
    }
    check_end(pid, 0);
}

CASE(group_is_signalled_across)
{
    int ready[2], done[2];
    make_pipe(ready);
    make_pipe(done);
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        handle(SIGUSR2);
        CHECK(setpgid(0, 0) == 0);
        send_byte(ready[1]);
        while (got_signal == 0) {
            usleep(1000);
        }
        _exit(0);
    }
    await_byte(ready[0]);
    CHECK(getpgid(pid) == pid);
    CHECK(kill(-pid, SIGUSR2) == 0);
    check_end(pid, 0);
}

CASE(outside_cannot_be_named)
{
    pid_t outer = getpid();
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        pid_t other = outer > 1 ? outer : 12345;
        CHECK_ERRNO(kill(other, 0), ESRCH);
        CHECK_ERRNO(getpgid(other), ESRCH);
        CHECK_ERRNO(getsid(other), ESRCH);
        CHECK_ERRNO(syscall(SYS_pidfd_open, other, 0), ESRCH);
        CHECK_ERRNO(sched_getscheduler(other), ESRCH);
        CHECK_ERRNO(getpriority(PRIO_PROCESS, other), ESRCH);
        CHECK_ERRNO(syscall(SYS_tgkill, other, other, 0), ESRCH);
        CHECK_ERRNO(waitpid(other, NULL, WNOHANG), ECHILD);
        _exit(0);
    }
    check_end(pid, 0);
}

CASE(proc_shows_the_namespace_that_mounted_it)
{
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        mount_proc("p");
        CHECK(count_processes("p") == 1);
        char text[256];
        int length = readlink("p/self", text, sizeof text);
        CHECK(length == 1 && text[0] == '1');
        length = readlink("p/thread-self", text, sizeof text);
        CHECK(length == 8 && memcmp(text, "1/task/1", 8) == 0);
        read_line("p/1/status", "NSpid:", text, sizeof text);
        CHECK(strcmp(text, "NSpid:\t1\n") == 0);
        read_line("p/1/status", "PPid:", text, sizeof text);
        CHECK(strcmp(text, "PPid:\t0\n") == 0);
        CHECK(readlink("/proc/self", text, sizeof text) > 0); // the one outside knows another number
        int number = 0, parent = -1, group = -1, session = -1;
        char name[32], state;
        FILE *file = fopen("p/1/stat", "r");
        CHECK(file != NULL && fscanf(file, "%d %31s %c %d %d %d", &number, name, &state, &parent, &group, &session) == 6);
        CHECK(number == 1 && parent == 0 && group == 0 && session == 0);
        _exit(0);
    }
    check_end(pid, 0);
}

CASE(proc_outside_shows_all_numbers)
{
    int release;
    pid_t pid = start_held(&release);
    char path[64], line[256], expected[64];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    read_line(path, "NSpid:", line, sizeof line);
    snprintf(expected, sizeof expected, "\t%d\t1\n", pid);
    CHECK(strlen(line) > strlen(expected) && strcmp(line + strlen(line) - strlen(expected), expected) == 0);
    read_line(path, "PPid:", line, sizeof line);
    snprintf(expected, sizeof expected, "PPid:\t%d\n", getpid());
    CHECK(strcmp(line, expected) == 0);
    send_byte(release);
    check_end(pid, 0);
}

CASE(namespace_files)
{
    struct stat own, children;
    CHECK(stat("/proc/self/ns/pid", &own) == 0);
    CHECK(stat("/proc/self/ns/pid_for_children", &children) == 0);
    CHECK(own.st_ino == children.st_ino);
    CHECK(unshare(CLONE_NEWPID) == 0);
    CHECK_ERRNO(stat("/proc/self/ns/pid_for_children", &children), ENOENT);
    pid_t pid = fork();
    if (pid == 0) {
        wait_for_signals();
    }
    CHECK(stat("/proc/self/ns/pid_for_children", &children) == 0);
    CHECK(own.st_ino != children.st_ino);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/pid", pid);
    struct stat theirs;
    CHECK(stat(path, &theirs) == 0);
    CHECK(theirs.st_ino == children.st_ino);
    CHECK(kill(pid, SIGKILL) == 0);
    check_end(pid, SIGKILL);
}

CASE(setns_from_above)
{
    int release;
    pid_t pid = start_held(&release);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/pid", pid);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    CHECK_ERRNO(setns(fd, CLONE_NEWIPC), EINVAL);
    CHECK(setns(fd, CLONE_NEWPID) == 0);
    pid_t guest = fork();
    if (guest == 0) {
        CHECK(getpid() == 2);
        CHECK(getppid() == 0);
        CHECK(kill(1, 0) == 0);
        _exit(0);
    }
    check_end(guest, 0);
    send_byte(release);
    check_end(pid, 0);
    CHECK_ERRNO(fork(), ENOMEM);
    fd = open("/proc/self/ns/pid", O_RDONLY); // its own: undone
    CHECK(fd >= 0);
    CHECK(setns(fd, 0) == 0);
    guest = fork();
    if (guest == 0) {
        _exit(0);
    }
    check_end(guest, 0);
}

CASE(setns_to_one_above)
{
    int fd = open("/proc/self/ns/pid", O_RDONLY);
    CHECK(fd >= 0);
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        CHECK_ERRNO(setns(fd, CLONE_NEWPID), EINVAL);
        _exit(0);
    }
    check_end(pid, 0);
}

CASE(waiting_for_a_group_that_was_founded_above)
{
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        CHECK(getpgrp() == 0); // it is not to be seen here
        siginfo_t info;
        pid_t inner = fork();
        if (inner == 0) {
            _exit(3);
        }
        CHECK(waitid(P_PGID, 0, &info, WEXITED | WNOWAIT) == 0);
        CHECK(info.si_pid == inner && info.si_status == 3);
        int status = 0;
        CHECK(waitpid(0, &status, 0) == inner);
        CHECK(status == 3 << 8);
        _exit(0);
    }
    check_end(pid, 0);
}

CASE(namespaces_are_nested)
{
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        pid_t inner = fork_with(CLONE_NEWPID);
        if (inner == 0) {
            CHECK(getpid() == 1);
            CHECK(getppid() == 0);
            CHECK_ERRNO(kill(2, 0), ESRCH);
            _exit(8);
        }
        CHECK(inner == 2);
        check_end(2, 8 << 8);
        _exit(0);
    }
    check_end(pid, 0);
}

CASE(inner_namespace_ends_with_the_outer)
{
    int alive[2], ready[2];
    make_pipe(alive);
    make_pipe(ready);
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        if (fork_with(CLONE_NEWPID) == 0) {
            if (fork() == 0) {
                send_byte(ready[1]);
                wait_for_signals();
            }
            wait_for_signals();
        }
        await_byte(ready[0]);
        _exit(0);
    }
    close(alive[1]);
    check_end(pid, 0);
    char byte;
    CHECK(fcntl(alive[0], F_SETFL, O_NONBLOCK) == 0);
    CHECK(read(alive[0], &byte, 1) == 0);
}

CASE(vfork_and_exec_in_a_namespace)
{
    CHECK(unshare(CLONE_NEWPID) == 0);
    pid_t pid = vfork();
    if (pid == 0) {
        _exit(getpid());
    }
    check_end(pid, 1 << 8);
}

static void send_credentials(int fd)
{
    char byte = 'x';
    struct iovec part = { &byte, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    CHECK(sendmsg(fd, &message, 0) == 1);
}

static pid_t receive_credentials(int fd)
{
    char byte, control[CMSG_SPACE(sizeof(struct ucred))];
    struct iovec part = { &byte, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    CHECK(recvmsg(fd, &message, 0) == 1);
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    CHECK(head != NULL && head->cmsg_type == SCM_CREDENTIALS);
    struct ucred who;
    memcpy(&who, CMSG_DATA(head), sizeof who);
    return who.pid;
}

CASE(credentials_are_told_as_the_reader_knows_them)
{
    int pair[2], on = 1;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
    CHECK(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        send_credentials(pair[1]);
        CHECK(receive_credentials(pair[1]) == 0);
        struct ucred who;
        socklen_t length = sizeof who;
        CHECK(getsockopt(pair[1], SOL_SOCKET, SO_PEERCRED, &who, &length) == 0);
        CHECK(who.pid == 0);
        _exit(0);
    }
    CHECK(receive_credentials(pair[0]) == pid);
    send_credentials(pair[0]);
    check_end(pid, 0);
}

CASE(locks_are_told_as_the_asker_knows_them)
{
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    CHECK(fd >= 0);
    struct flock mine = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    CHECK(fcntl(fd, F_SETLK, &mine) == 0);
    pid_t pid = fork_with(CLONE_NEWPID);
    if (pid == 0) {
        struct flock asked = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        CHECK(fcntl(fd, F_GETLK, &asked) == 0);
        CHECK(asked.l_type == F_WRLCK);
        CHECK(asked.l_pid == 0);
        _exit(0);
    }
    check_end(pid, 0);
}

CASE(pidfd_of_a_first_process)
{
    int fd = -1;
    struct { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, rest[3]; } request = { .flags = CLONE_NEWPID | CLONE_PIDFD, .pidfd = (uintptr_t)&fd, .exit_signal = SIGCHLD };
    pid_t pid = syscall(SYS_clone3, &request, sizeof request);
    CHECK(pid >= 0);
    if (pid == 0) {
        wait_for_signals();
    }
    CHECK(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) == 0); // spared
    CHECK(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0);
    check_end(pid, SIGKILL);
}

CASE(ipc_objects_are_of_a_namespace)
{
    key_t key = 0x4d6f0000 + (getpid() & 0xffff);
    int fd = open("/proc/self/ns/ipc", O_RDONLY);
    CHECK(fd >= 0);
    int queue = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
    int segment = shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(queue >= 0 && segment >= 0);
    char *memory = shmat(segment, NULL, 0);
    CHECK(memory != (void *)-1);
    strcpy(memory, "text");
    CHECK(unshare(CLONE_NEWIPC) == 0);
    CHECK_ERRNO(msgget(key, 0600), ENOENT);
    CHECK_ERRNO(shmget(key, 4096, 0600), ENOENT);
    CHECK(strcmp(memory, "text") == 0);
    int other = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(other >= 0);
    CHECK(setns(fd, CLONE_NEWIPC) == 0);
    CHECK(msgget(key, 0600) == queue);
    CHECK(shmget(key, 4096, 0600) == segment);
    CHECK(msgctl(queue, IPC_RMID, NULL) == 0);
    CHECK(shmctl(segment, IPC_RMID, NULL) == 0);
    CHECK(shmdt(memory) == 0);
}

CASE(clone_with_ipc_of_its_own)
{
    key_t key = 0x4d700000 + (getpid() & 0xffff);
    int set = semget(key, 1, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(set >= 0);
    struct stat own, theirs;
    CHECK(stat("/proc/self/ns/ipc", &own) == 0);
    pid_t pid = fork_with(CLONE_NEWIPC);
    if (pid == 0) {
        CHECK_ERRNO(semget(key, 1, 0600), ENOENT);
        CHECK(stat("/proc/self/ns/ipc", &theirs) == 0);
        CHECK(own.st_ino != theirs.st_ino);
        _exit(0);
    }
    check_end(pid, 0);
    CHECK(semctl(set, 0, IPC_RMID) == 0);
}

CASE(adjustments_are_made_on_leaving)
{
    int set = semget(IPC_PRIVATE, 1, 0600);
    CHECK(set >= 0);
    int fd = open("/proc/self/ns/ipc", O_RDONLY);
    CHECK(fd >= 0);
    struct sembuf up = { 0, 3, SEM_UNDO };
    CHECK(semop(set, &up, 1) == 0);
    CHECK(semctl(set, 0, GETVAL) == 3);
    CHECK(unshare(CLONE_NEWIPC) == 0);
    CHECK_ERRNO(semctl(set, 0, GETVAL), EINVAL);
    CHECK(setns(fd, CLONE_NEWIPC) == 0);
    CHECK(semctl(set, 0, GETVAL) == 0);
    CHECK(semctl(set, 0, IPC_RMID) == 0);
}

GUEST_MAIN("pidns")
