// Guest programs: small C programs that run on Linux and in the sandbox and print one line for each case, which the runner compares.
// One file for each system-call family: CASE(name) { ... } and, last, GUEST_MAIN("family"). A program takes the names of cases to run, or runs all.
//
//   CASE(eagain_on_empty_pipe)
//   {
//       int fds[2];
//       CHECK(pipe2(fds, O_NONBLOCK) == 0);
//       char c;
//       CHECK_ERRNO(read(fds[0], &c, 1), EAGAIN);
//   }
//
// Every case runs in a child of its own, in a process group and a working directory of its own, and is killed after CASE_SECONDS. A failed check ends the case.
#ifndef MOAT_GUEST_H
#define MOAT_GUEST_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CASE_SECONDS
#define CASE_SECONDS 60
#endif

typedef struct {
    const char *name;
    void (*run)(void);
} guest_case;

static guest_case guest_cases[1024];
static int guest_case_count;

__attribute__((unused)) static void guest_add(const char *name, void (*run)(void))
{
    if (guest_case_count == (int)(sizeof guest_cases / sizeof *guest_cases)) {
        fprintf(stderr, "too many cases\n");
        exit(2);
    }
    guest_cases[guest_case_count++] = (guest_case){ name, run };
}

#define CASE(NAME)                                                                                  \
    static void case_##NAME(void);                                                                  \
    __attribute__((constructor)) static void add_##NAME(void) { guest_add(#NAME, case_##NAME); }    \
    static void case_##NAME(void)

// Ends the case as failed; in a child that the case made, ends that child with status 99 (wait for it with CHECK_CHILD).
__attribute__((format(printf, 1, 2), noreturn, unused)) static void guest_fail(const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(text, sizeof text - 1, format, list);
    va_end(list);
    if (length > (int)sizeof text - 2) {
        length = sizeof text - 2;
    }
    text[length++] = '\n';
    syscall(SYS_write, STDERR_FILENO, text, length);
    syscall(SYS_exit_group, 99);
    __builtin_unreachable();
}

#define CHECK(CONDITION)                                                                                                     \
    do {                                                                                                                     \
        errno = 0;                                                                                                           \
        if (!(CONDITION)) {                                                                                                  \
            guest_fail("line %d: %s is false, errno %d (%s)", __LINE__, #CONDITION, errno, strerror(errno));                 \
        }                                                                                                                    \
    } while (0)

#define CHECK_EQ(ACTUAL, EXPECTED)                                                                                           \
    do {                                                                                                                     \
        errno = 0;                                                                                                           \
        long long actual_ = (long long)(ACTUAL), expected_ = (long long)(EXPECTED);                                          \
        if (actual_ != expected_) {                                                                                          \
            guest_fail("line %d: %s is %lld, not %lld, errno %d (%s)", __LINE__, #ACTUAL, actual_, expected_, errno,         \
                       strerror(errno));                                                                                     \
        }                                                                                                                    \
    } while (0)

// The call fails (returns -1) with this error.
#define CHECK_ERRNO(CALL, ERRNO)                                                                                             \
    do {                                                                                                                     \
        errno = 0;                                                                                                           \
        long long result_ = (long long)(CALL);                                                                               \
        if (result_ != -1 || errno != (ERRNO)) {                                                                             \
            guest_fail("line %d: %s gives %lld, errno %d (%s), not errno %d (%s)", __LINE__, #CALL, result_, errno,          \
                       strerror(errno), (ERRNO), #ERRNO);                                                                    \
        }                                                                                                                    \
    } while (0)

// Waits for a child that must exit with 0.
#define CHECK_CHILD(PID)                                                                                                     \
    do {                                                                                                                     \
        int status_;                                                                                                         \
        CHECK_EQ(waitpid((PID), &status_, 0), (PID));                                                                        \
        if (status_ != 0) {                                                                                                  \
            guest_fail("line %d: child ended with wait status 0x%x", __LINE__, status_);                                     \
        }                                                                                                                    \
    } while (0)

// An address that nothing is mapped at.
#define BAD_POINTER ((void *)0x10)

__attribute__((unused)) static void sleep_ms(long milliseconds)
{
    struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
    while (nanosleep(&time, &time) == -1 && errno == EINTR) {
    }
}

__attribute__((unused)) static int64_t monotonic_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int guest_remove(const char *path, const struct stat *status, int type, struct FTW *place)
{
    return remove(path);
}

static void guest_run(const char *family, guest_case *test)
{
    char directory[] = "/tmp/guestXXXXXX";
    if (!mkdtemp(directory)) {
        printf("%s/%s FAILED: mkdtemp: %s\n", family, test->name, strerror(errno));
        return;
    }
    int out[2];
    if (pipe(out) != 0) {
        perror("pipe");
        exit(2);
    }
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        dup2(out[1], STDERR_FILENO);
        close(out[0]);
        close(out[1]);
        if (chdir(directory) != 0) {
            guest_fail("chdir: %s", strerror(errno));
        }
        // Whoever started the program may have ignored or blocked signals, also those that the C library keeps for itself, and given it any input.
        unsigned long action[4] = { 0 }, mask = 0; // SIG_DFL as the kernel takes it
        for (int signal = 1; signal <= 64; signal++) {
            syscall(SYS_rt_sigaction, signal, action, NULL, sizeof mask);
        }
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
        int null = open("/dev/null", O_RDWR);
        if (null > 0) {
            dup2(null, STDIN_FILENO);
            close(null);
        }
        alarm(CASE_SECONDS);
        test->run();
        _exit(0);
    }
    close(out[1]);
    int status = -1;
    while (waitpid(pid, &status, 0) == -1 && errno == EINTR) {
    }
    kill(-pid, SIGKILL);
    char text[512];
    ssize_t length = 0, count;
    while (length < (ssize_t)sizeof text - 1 && (count = read(out[0], text + length, sizeof text - 1 - length)) > 0) {
        length += count;
    }
    text[length] = 0;
    text[strcspn(text, "\n")] = 0;
    close(out[0]);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        printf("%s/%s ok\n", family, test->name);
    } else if (WIFEXITED(status)) {
        printf("%s/%s FAILED: %s\n", family, test->name, length ? text : "ended early");
    } else {
        printf("%s/%s FAILED: %s (signal %d)\n", family, test->name, WTERMSIG(status) == SIGALRM ? "timed out" : "killed", WTERMSIG(status));
    }
    fflush(stdout);
    if (nftw(directory, guest_remove, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        printf("%s/%s FAILED: its directory cannot be removed\n", family, test->name);
    }
}

// The cases see the same process whoever started the program: no descriptors but the standard ones, usual limits, niceness and umask.
static void guest_normalise(void)
{
    static const struct { int resource; struct rlimit limit; } limits[] = {
        { RLIMIT_STACK, { 8 << 20, RLIM_INFINITY } },
        { RLIMIT_NOFILE, { 20000, 20000 } },
        { RLIMIT_CORE, { 0, RLIM_INFINITY } },
    };
    syscall(SYS_close_range, 3, ~0U, 0);
    umask(022);
    if (getpriority(PRIO_PROCESS, 0) != 0) {
        setpriority(PRIO_PROCESS, 0, 0);
    }
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        setrlimit(limits[i].resource, &limits[i].limit);
    }
}

__attribute__((unused)) static int guest_main(const char *family, int count, char **names)
{
    guest_normalise();
    for (int i = 0; i < guest_case_count; i++) {
        int wanted = count < 2;
        for (int k = 1; k < count; k++) {
            wanted |= strcmp(names[k], guest_cases[i].name) == 0;
        }
        if (wanted) {
            guest_run(family, &guest_cases[i]);
        }
    }
    return 0;
}

#define GUEST_MAIN(FAMILY)             \
    int main(int count, char **names)  \
    {                                  \
        return guest_main(FAMILY, count, names); \
    }
#endif
