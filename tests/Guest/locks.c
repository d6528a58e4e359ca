// Advisory locks: fcntl(2) record locks of processes and of open file descriptions, flock(2).
#include "guest.h"
#include <sys/file.h>

static int new_file(void)
{
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    return fd;
}

static int set(int fd, int command, int type, off_t start, off_t length)
{
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };
    return fcntl(fd, command, &lock);
}

static struct flock get(int fd, int command, int type, off_t start, off_t length)
{
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };
    CHECK(fcntl(fd, command, &lock) == 0);
    return lock;
}

// What another process sees of a range.
static void check_seen(off_t start, off_t length, int type, off_t seen_start, off_t seen_length)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open("file", O_RDWR);
        CHECK(fd >= 0);
        struct flock lock = get(fd, F_GETLK, F_WRLCK, start, length);
        CHECK_EQ(lock.l_type, type);
        if (type != F_UNLCK) {
            CHECK_EQ(lock.l_start, seen_start);
            CHECK_EQ(lock.l_len, seen_length);
            CHECK_EQ(lock.l_pid, parent);
            CHECK_EQ(lock.l_whence, SEEK_SET);
        }
        _exit(0);
    }
    CHECK_CHILD(pid);
}

CASE(write_lock_is_seen)
{
    int fd = new_file();
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 10, 20), 0);
    check_seen(0, 0, F_WRLCK, 10, 20);
    check_seen(0, 10, F_UNLCK, 0, 0);
    check_seen(30, 0, F_UNLCK, 0, 0);
    check_seen(29, 1, F_WRLCK, 10, 20);
}

CASE(own_lock_is_no_conflict)
{
    int fd = new_file();
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 0), 0);
    CHECK_EQ(get(fd, F_GETLK, F_WRLCK, 0, 0).l_type, F_UNLCK);
    CHECK_EQ(set(fd, F_SETLK, F_RDLCK, 0, 0), 0);
    check_seen(0, 0, F_RDLCK, 0, 0);
}

CASE(unlock_splits)
{
    int fd = new_file();
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 100), 0);
    CHECK_EQ(set(fd, F_SETLK, F_UNLCK, 40, 20), 0);
    check_seen(0, 0, F_WRLCK, 0, 40);
    check_seen(40, 20, F_UNLCK, 0, 0);
    check_seen(60, 0, F_WRLCK, 60, 40);
}

CASE(type_change_splits)
{
    int fd = new_file();
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 100), 0);
    CHECK_EQ(set(fd, F_SETLK, F_RDLCK, 40, 20), 0);
    check_seen(0, 40, F_WRLCK, 0, 40);
    check_seen(45, 1, F_RDLCK, 40, 20);
    check_seen(60, 0, F_WRLCK, 60, 40);
}

CASE(neighbours_become_one)
{
    int fd = new_file();
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 10), 0);
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 20, 10), 0);
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 10, 10), 0);
    check_seen(5, 1, F_WRLCK, 0, 30);
}

CASE(to_the_end)
{
    int fd = new_file();
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 100, 0), 0);
    check_seen(1L << 40, 1, F_WRLCK, 100, 0);
    CHECK_EQ(set(fd, F_SETLK, F_UNLCK, 200, 0), 0);
    check_seen(0, 0, F_WRLCK, 100, 100);
}

CASE(negative_length)
{
    int fd = new_file();
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 100, -10), 0);
    check_seen(0, 0, F_WRLCK, 90, 10);
    CHECK_ERRNO(set(fd, F_SETLK, F_WRLCK, 5, -10), EINVAL);
}

CASE(whence)
{
    int fd = new_file();
    CHECK_EQ(ftruncate(fd, 50), 0);
    CHECK_EQ(lseek(fd, 7, SEEK_SET), 7);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = 3, .l_len = 1 };
    CHECK_EQ(fcntl(fd, F_SETLK, &lock), 0);
    lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -10, .l_len = 5 };
    CHECK_EQ(fcntl(fd, F_SETLK, &lock), 0);
    check_seen(0, 20, F_WRLCK, 10, 1);
    check_seen(30, 0, F_WRLCK, 40, 5);
    lock.l_whence = 3;
    CHECK_ERRNO(fcntl(fd, F_SETLK, &lock), EINVAL);
}

CASE(bad_arguments)
{
    int fd = new_file();
    CHECK_ERRNO(set(fd, F_SETLK, 7, 0, 0), EINVAL);
    CHECK_ERRNO(set(fd, F_SETLK, F_WRLCK, -1, 0), EINVAL);
    CHECK_ERRNO(set(fd, F_GETLK, F_UNLCK, 0, 0), EINVAL);
    CHECK_ERRNO(fcntl(fd, F_SETLK, BAD_POINTER), EFAULT);
    CHECK_ERRNO(set(fd, F_SETLK, F_WRLCK, INT64_MAX, INT64_MAX), EOVERFLOW);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = INT64_MAX };
    CHECK_EQ(lseek(fd, 10, SEEK_SET), 10);
    CHECK_ERRNO(fcntl(fd, F_SETLK, &lock), EOVERFLOW);
    CHECK_ERRNO(set(-1, F_SETLK, F_WRLCK, 0, 0), EBADF);
}

CASE(last_byte)
{
    int fd = new_file();
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, INT64_MAX, 1), 0);
    check_seen(INT64_MAX, 0, F_WRLCK, INT64_MAX, 0);
}

CASE(access_mode)
{
    close(new_file());
    int readable = open("file", O_RDONLY), writable = open("file", O_WRONLY), path = open("file", O_PATH);
    CHECK_ERRNO(set(readable, F_SETLK, F_WRLCK, 0, 0), EBADF);
    CHECK_ERRNO(set(writable, F_SETLK, F_RDLCK, 0, 0), EBADF);
    CHECK_ERRNO(set(path, F_SETLK, F_RDLCK, 0, 0), EBADF);
    CHECK_EQ(set(readable, F_SETLK, F_RDLCK, 0, 0), 0);
    CHECK_EQ(set(readable, F_SETLK, F_UNLCK, 0, 0), 0);
}

CASE(conflict)
{
    int fd = new_file();
    CHECK_EQ(set(fd, F_SETLK, F_RDLCK, 0, 10), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(set(fd, F_SETLK, F_RDLCK, 0, 10), 0);
        CHECK_ERRNO(set(fd, F_SETLK, F_WRLCK, 5, 1), EAGAIN);
        CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 10, 1), 0);
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 100), 0);
}

CASE(fork_does_not_inherit)
{
    int fd = new_file();
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 0), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_ERRNO(set(fd, F_SETLK, F_WRLCK, 0, 0), EAGAIN);
        CHECK_EQ(set(fd, F_SETLK, F_UNLCK, 0, 0), 0);
        close(fd);
        _exit(0);
    }
    CHECK_CHILD(pid);
    check_seen(0, 0, F_WRLCK, 0, 0);
}

CASE(any_close_releases)
{
    int fd = new_file();
    int other = open("file", O_RDONLY);
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 0), 0);
    close(other);
    check_seen(0, 0, F_UNLCK, 0, 0);
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 0), 0);
    other = dup(fd);
    CHECK_EQ(dup2(STDERR_FILENO, other), other);
    check_seen(0, 0, F_UNLCK, 0, 0);
}

CASE(exit_releases)
{
    int fd = new_file();
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 0), 0);
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 0), 0);
}

CASE(wait_gets_it)
{
    int fd = new_file();
    int ready[2];
    CHECK_EQ(pipe(ready), 0);
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 0), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(write(ready[1], "x", 1), 1);
        CHECK_EQ(set(fd, F_SETLKW, F_WRLCK, 0, 0), 0);
        char c = 0;
        CHECK_EQ(pread(fd, &c, 1, 0), 1);
        CHECK_EQ(c, 'y');
        _exit(0);
    }
    char c;
    CHECK_EQ(read(ready[0], &c, 1), 1);
    sleep_ms(20);
    CHECK_EQ(pwrite(fd, "y", 1, 0), 1);
    CHECK_EQ(set(fd, F_SETLK, F_UNLCK, 0, 0), 0);
    CHECK_CHILD(pid);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int signal)
{
    (void)signal;
    alarms++;
}

CASE(wait_interrupted)
{
    int fd = new_file();
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 0), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct sigaction action = { .sa_handler = on_alarm };
        sigaction(SIGUSR1, &action, NULL);
        pid_t killer = fork();
        if (killer == 0) {
            for (int i = 0; i < 200; i++) {
                sleep_ms(10);
                kill(getppid(), SIGUSR1);
            }
            _exit(0);
        }
        CHECK_ERRNO(set(fd, F_SETLKW, F_WRLCK, 0, 0), EINTR);
        kill(killer, SIGKILL);
        CHECK(alarms > 0);
        _exit(0);
    }
    CHECK_CHILD(pid);
}

CASE(deadlock)
{
    int fd = new_file();
    int ready[2];
    CHECK_EQ(pipe(ready), 0);
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 1), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 1, 1), 0);
        CHECK_EQ(write(ready[1], "x", 1), 1);
        CHECK_EQ(set(fd, F_SETLKW, F_WRLCK, 0, 1), 0);
        _exit(0);
    }
    char c;
    CHECK_EQ(read(ready[0], &c, 1), 1);
    sleep_ms(50); // the child waits for us now
    CHECK_ERRNO(set(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
    CHECK_EQ(set(fd, F_SETLK, F_UNLCK, 0, 1), 0);
    CHECK_CHILD(pid);
}

CASE(deadlock_of_three)
{
    int fd = new_file();
    int ready[2];
    CHECK_EQ(pipe(ready), 0);
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 1), 0);
    pid_t pids[2];
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            CHECK_EQ(set(fd, F_SETLK, F_WRLCK, i + 1, 1), 0);
            CHECK_EQ(write(ready[1], "x", 1), 1);
            CHECK_EQ(set(fd, F_SETLKW, F_WRLCK, i, 1), 0);
            _exit(0);
        }
        char c;
        CHECK_EQ(read(ready[0], &c, 1), 1);
        sleep_ms(50);
    }
    CHECK_ERRNO(set(fd, F_SETLKW, F_WRLCK, 2, 1), EDEADLK);
    CHECK_EQ(set(fd, F_SETLK, F_UNLCK, 0, 1), 0);
    CHECK_CHILD(pids[0]);
    CHECK_CHILD(pids[1]);
}

CASE(kept_across_exec)
{
    int fd = new_file();
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 0), 0);
        execl("/bin/sleep", "sleep", "5", NULL);
        guest_fail("exec");
    }
    char path[64], name[256];
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    for (int i = 0; i < 200; i++) {
        FILE *file = fopen(path, "r");
        if (file && fgets(name, sizeof name, file) && strcmp(name, "sleep\n") == 0) {
            fclose(file);
            break;
        }
        if (file) {
            fclose(file);
        }
        sleep_ms(10);
    }
    CHECK_ERRNO(set(fd, F_SETLK, F_WRLCK, 0, 0), EAGAIN);
    CHECK_EQ(get(fd, F_GETLK, F_WRLCK, 0, 0).l_pid, pid);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 0), 0);
}

CASE(lock_on_pipe)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(set(fds[1], F_SETLK, F_WRLCK, 0, 0), 0);
    CHECK_ERRNO(set(fds[0], F_SETLK, F_WRLCK, 0, 0), EBADF);
}

CASE(ofd_belongs_to_description)
{
    int fd = new_file();
    int other = open("file", O_RDWR);
    CHECK_EQ(set(fd, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
    CHECK_ERRNO(set(other, F_OFD_SETLK, F_WRLCK, 5, 10), EAGAIN);
    struct flock lock = get(other, F_OFD_GETLK, F_WRLCK, 0, 0);
    CHECK_EQ(lock.l_type, F_WRLCK);
    CHECK_EQ(lock.l_pid, -1);
    CHECK_EQ(lock.l_len, 10);
    int copy = dup(fd);
    close(fd);
    CHECK_ERRNO(set(other, F_OFD_SETLK, F_WRLCK, 5, 10), EAGAIN);
    close(copy);
    CHECK_EQ(set(other, F_OFD_SETLK, F_WRLCK, 5, 10), 0);
}

CASE(ofd_is_inherited)
{
    int fd = new_file();
    CHECK_EQ(set(fd, F_OFD_SETLK, F_WRLCK, 0, 0), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(set(fd, F_OFD_SETLK, F_WRLCK, 0, 0), 0);
        CHECK_EQ(set(fd, F_OFD_SETLK, F_UNLCK, 0, 0), 0);
        _exit(0);
    }
    CHECK_CHILD(pid);
    int other = open("file", O_RDWR);
    CHECK_EQ(set(other, F_OFD_SETLK, F_WRLCK, 0, 0), 0);
}

CASE(ofd_meets_process_locks)
{
    int fd = new_file();
    int other = open("file", O_RDWR);
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 0), 0);
    CHECK_ERRNO(set(other, F_OFD_SETLK, F_WRLCK, 0, 0), EAGAIN);
    CHECK_ERRNO(set(fd, F_OFD_SETLK, F_WRLCK, 0, 0), EAGAIN);
    CHECK_EQ(get(other, F_OFD_GETLK, F_WRLCK, 0, 0).l_pid, getpid());
}

CASE(ofd_wants_pid_zero)
{
    int fd = new_file();
    struct flock lock = { .l_type = F_WRLCK, .l_pid = 1 };
    CHECK_ERRNO(fcntl(fd, F_OFD_SETLK, &lock), EINVAL);
    CHECK_ERRNO(fcntl(fd, F_OFD_GETLK, &lock), EINVAL);
}

CASE(ofd_waits)
{
    int fd = new_file();
    CHECK_EQ(set(fd, F_OFD_SETLK, F_WRLCK, 0, 0), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(fd);
        int other = open("file", O_RDWR);
        CHECK_EQ(set(other, F_OFD_SETLKW, F_WRLCK, 0, 0), 0);
        _exit(0);
    }
    sleep_ms(20);
    close(fd);
    CHECK_CHILD(pid);
}

CASE(flock_exclusive)
{
    int fd = new_file();
    int other = open("file", O_RDONLY);
    CHECK_EQ(flock(fd, LOCK_EX), 0);
    CHECK_ERRNO(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    CHECK_ERRNO(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    CHECK_EQ(flock(fd, LOCK_UN), 0);
    CHECK_EQ(flock(other, LOCK_EX | LOCK_NB), 0);
}

CASE(flock_shared_and_upgrade)
{
    int fd = new_file();
    int other = open("file", O_RDWR);
    CHECK_EQ(flock(fd, LOCK_SH), 0);
    CHECK_EQ(flock(other, LOCK_SH), 0);
    CHECK_ERRNO(flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    // The failed conversion has lost the shared lock.
    CHECK_EQ(flock(other, LOCK_EX | LOCK_NB), 0);
    CHECK_EQ(flock(other, LOCK_SH), 0);
    CHECK_EQ(flock(fd, LOCK_SH | LOCK_NB), 0);
}

CASE(flock_is_shared_by_dup_and_fork)
{
    int fd = new_file();
    int copy = dup(fd);
    CHECK_EQ(flock(fd, LOCK_EX), 0);
    CHECK_EQ(flock(copy, LOCK_EX | LOCK_NB), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(flock(fd, LOCK_UN), 0);
        _exit(0);
    }
    CHECK_CHILD(pid);
    int other = open("file", O_RDWR);
    CHECK_EQ(flock(other, LOCK_EX | LOCK_NB), 0);
}

CASE(flock_ends_with_last_close)
{
    int fd = new_file();
    int copy = dup(fd), other = open("file", O_RDWR);
    CHECK_EQ(flock(fd, LOCK_EX), 0);
    close(fd);
    CHECK_ERRNO(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    close(copy);
    CHECK_EQ(flock(other, LOCK_EX | LOCK_NB), 0);
}

CASE(flock_and_fcntl_do_not_meet)
{
    int fd = new_file();
    int other = open("file", O_RDWR);
    CHECK_EQ(flock(fd, LOCK_EX), 0);
    CHECK_EQ(set(other, F_OFD_SETLK, F_WRLCK, 0, 0), 0);
    CHECK_EQ(get(fd, F_GETLK, F_WRLCK, 0, 0).l_pid, -1);
}

CASE(flock_arguments)
{
    int fd = new_file();
    int path = open("file", O_PATH);
    CHECK_ERRNO(flock(fd, 0), EINVAL);
    CHECK_ERRNO(flock(fd, LOCK_SH | LOCK_EX), EINVAL);
    CHECK_ERRNO(flock(-1, LOCK_SH), EBADF);
    CHECK_ERRNO(flock(path, LOCK_SH), EBADF);
    CHECK_EQ(flock(fd, LOCK_UN), 0);
}

CASE(flock_waits)
{
    int fd = new_file();
    CHECK_EQ(flock(fd, LOCK_EX), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int other = open("file", O_RDWR);
        close(fd);
        CHECK_EQ(flock(other, LOCK_SH), 0);
        _exit(0);
    }
    sleep_ms(20);
    CHECK_EQ(flock(fd, LOCK_SH), 0);
    CHECK_CHILD(pid);
}

CASE(proc_locks)
{
    int fd = new_file();
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 3, 4), 0);
    CHECK_EQ(flock(fd, LOCK_SH), 0);
    char posix[128], flocked[128], line[256];
    snprintf(posix, sizeof posix, "POSIX  ADVISORY  WRITE %d ", getpid());
    snprintf(flocked, sizeof flocked, "FLOCK  ADVISORY  READ %d ", getpid());
    char inode[64];
    snprintf(inode, sizeof inode, ":%lu 3 6\n", (unsigned long)status.st_ino);
    int found = 0;
    FILE *file = fopen("/proc/locks", "r");
    CHECK(file);
    while (fgets(line, sizeof line, file)) {
        found |= strstr(line, posix) && strstr(line, inode) ? 1 : 0;
        found |= strstr(line, flocked) && strstr(line, " 0 EOF\n") ? 2 : 0;
    }
    CHECK_EQ(found, 3);
}

CASE(many_locks)
{
    int fd = new_file();
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(set(fd, F_SETLK, i % 2 ? F_WRLCK : F_RDLCK, i * 3, 3), 0);
    }
    check_seen(0, 0, F_RDLCK, 0, 3);
    CHECK_EQ(set(fd, F_SETLK, F_WRLCK, 0, 0), 0);
    check_seen(700, 1, F_WRLCK, 0, 0);
    CHECK_EQ(set(fd, F_SETLK, F_UNLCK, 0, 0), 0);
    check_seen(0, 0, F_UNLCK, 0, 0);
}

CASE(dupfd_query)
{
    int fd = new_file();
    int copy = dup(fd), other = open("file", O_RDWR);
    CHECK_EQ(fcntl(fd, 1027, copy), 1);
    CHECK_EQ(fcntl(fd, 1027, other), 0);
    CHECK_ERRNO(fcntl(fd, 1027, -1), EBADF);
}

CASE(unknown_command)
{
    int fd = new_file();
    CHECK_ERRNO(fcntl(fd, 77, 0), EINVAL);
}

GUEST_MAIN("locks")
