// getitimer(2), setitimer(2), alarm(2), clock_nanosleep(2), clock_gettime(2), times(2), getrusage(2), RLIMIT_CPU
#include "guest.h"
#include <pthread.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>

#define MS 1000000LL

static volatile int taken;

static void handler(int number)
{
    (void)number;
    taken++;
}

static void handle(int number)
{
    struct sigaction action = { .sa_handler = handler };
    sigaction(number, &action, NULL);
}

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    CHECK_EQ(clock_gettime(clock, &now), 0);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void burn(int64_t ns)
{
    int64_t start = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    while (now_ns(CLOCK_PROCESS_CPUTIME_ID) - start < ns) {
        for (volatile int i = 0; i < 10000; i++) {
        }
    }
}

CASE(real_sends_sigalrm)
{
    handle(SIGALRM);
    struct itimerval value = { { 0, 0 }, { 0, 5000 } };
    CHECK_EQ(setitimer(ITIMER_REAL, &value, NULL), 0);
    while (!taken) {
        sleep_ms(1);
    }
    CHECK_EQ(getitimer(ITIMER_REAL, &value), 0);
    CHECK_EQ(value.it_value.tv_sec + value.it_value.tv_usec, 0);
}

CASE(real_interval)
{
    handle(SIGALRM);
    struct itimerval value = { { 0, 3000 }, { 0, 3000 } };
    CHECK_EQ(setitimer(ITIMER_REAL, &value, NULL), 0);
    while (taken < 4) {
        sleep_ms(1);
    }
    CHECK_EQ(getitimer(ITIMER_REAL, &value), 0);
    CHECK_EQ(value.it_interval.tv_usec, 3000);
}

CASE(old_value)
{
    struct itimerval value = { { 2, 5 }, { 100, 7 } }, old;
    CHECK_EQ(setitimer(ITIMER_REAL, &value, NULL), 0);
    CHECK_EQ(setitimer(ITIMER_REAL, NULL, &old), 0);
    CHECK(old.it_value.tv_sec >= 90 && old.it_value.tv_sec <= 100);
    CHECK_EQ(old.it_interval.tv_sec, 2);
    CHECK_EQ(old.it_interval.tv_usec, 5);
}

CASE(virtual_counts_cpu_time)
{
    handle(SIGVTALRM);
    struct itimerval value = { { 0, 0 }, { 0, 20000 } };
    CHECK_EQ(setitimer(ITIMER_VIRTUAL, &value, NULL), 0);
    sleep_ms(40);
    CHECK_EQ(taken, 0);
    for (int i = 0; i < 200 && !taken; i++) {
        burn(5 * MS);
    }
    CHECK_EQ(taken, 1);
}

CASE(prof_repeats)
{
    handle(SIGPROF);
    struct itimerval value = { { 0, 10000 }, { 0, 10000 } };
    CHECK_EQ(setitimer(ITIMER_PROF, &value, NULL), 0);
    for (int i = 0; i < 200 && taken < 3; i++) {
        burn(5 * MS);
    }
    CHECK(taken >= 3);
    CHECK_EQ(getitimer(ITIMER_PROF, &value), 0);
    CHECK_EQ(value.it_interval.tv_usec, 10000);
}

CASE(prof_goes_on_after_sleep)
{
    handle(SIGPROF);
    struct itimerval value = { { 0, 0 }, { 0, 30000 } };
    CHECK_EQ(setitimer(ITIMER_PROF, &value, NULL), 0);
    burn(5 * MS);
    sleep_ms(20);
    for (int i = 0; i < 200 && !taken; i++) {
        burn(5 * MS);
    }
    CHECK_EQ(taken, 1);
}

CASE(einval)
{
    struct itimerval value = { { 0, 0 }, { 0, 1000000 } };
    CHECK_ERRNO(setitimer(ITIMER_REAL, &value, NULL), EINVAL);
    value = (struct itimerval){ { 0, -1 }, { 1, 0 } };
    CHECK_ERRNO(setitimer(ITIMER_REAL, &value, NULL), EINVAL);
    value = (struct itimerval){ { 0, 0 }, { 1, 0 } };
    CHECK_ERRNO(syscall(SYS_setitimer, 3, &value, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_getitimer, 3, &value), EINVAL);
}

CASE(efault)
{
    CHECK_ERRNO(syscall(SYS_setitimer, ITIMER_REAL, BAD_POINTER, NULL), EFAULT);
    CHECK_ERRNO(syscall(SYS_getitimer, ITIMER_REAL, BAD_POINTER), EFAULT);
}

CASE(alarm_returns_what_was_left)
{
    CHECK(alarm(100) > 0); // the frame's own
    unsigned left = alarm(50);
    CHECK(left >= 98 && left <= 100);
    struct itimerval value;
    CHECK_EQ(getitimer(ITIMER_REAL, &value), 0);
    CHECK(value.it_value.tv_sec >= 48 && value.it_value.tv_sec <= 50);
    CHECK(alarm(0) >= 48);
    CHECK_EQ(alarm(0), 0);
}

CASE(alarm_rounds)
{
    struct itimerval value = { { 0, 0 }, { 0, 400000 } };
    CHECK_EQ(setitimer(ITIMER_REAL, &value, NULL), 0);
    CHECK_EQ(alarm(0), 1);
    value.it_value = (struct timeval){ 7, 100000 };
    CHECK_EQ(setitimer(ITIMER_REAL, &value, NULL), 0);
    CHECK_EQ(alarm(0), 7);
}

CASE(alarm_is_not_inherited)
{
    alarm(100);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(alarm(0), 0);
        _exit(0);
    }
    CHECK_CHILD(pid);
}

CASE(alarm_kills_by_default)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct itimerval value = { { 0, 0 }, { 0, 5000 } };
        setitimer(ITIMER_REAL, &value, NULL);
        pause();
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, SIGALRM);
}

CASE(alarm_survives_exec)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct itimerval value = { { 0, 0 }, { 0, 100000 } };
        setitimer(ITIMER_REAL, &value, NULL);
        execl("/bin/sh", "sh", "-c", "sleep 5", NULL);
        _exit(98);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, SIGALRM);
}

CASE(nanosleep_tells_the_rest)
{
    handle(SIGALRM);
    struct itimerval value = { { 0, 0 }, { 0, 10000 } };
    CHECK_EQ(setitimer(ITIMER_REAL, &value, NULL), 0);
    struct timespec time = { 50, 0 }, rest = { 0, 0 };
    CHECK_ERRNO(nanosleep(&time, &rest), EINTR);
    CHECK(rest.tv_sec >= 48 && rest.tv_sec < 50);
}

CASE(clock_nanosleep_absolute)
{
    int64_t wanted = monotonic_ns() + 20 * MS;
    struct timespec time = { wanted / 1000000000, wanted % 1000000000 };
    CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL), 0);
    CHECK(monotonic_ns() >= wanted);
    CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL), 0);
    wanted = now_ns(CLOCK_REALTIME) + 10 * MS;
    time = (struct timespec){ wanted / 1000000000, wanted % 1000000000 };
    CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, NULL), 0);
    CHECK(now_ns(CLOCK_REALTIME) >= wanted);
}

CASE(clock_nanosleep_absolute_leaves_the_rest_alone)
{
    handle(SIGALRM);
    struct itimerval value = { { 0, 0 }, { 0, 10000 } };
    CHECK_EQ(setitimer(ITIMER_REAL, &value, NULL), 0);
    int64_t wanted = monotonic_ns() + 100000 * MS;
    struct timespec time = { wanted / 1000000000, wanted % 1000000000 }, rest = { 7, 7 };
    CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, &rest), EINTR);
    CHECK_EQ(rest.tv_sec, 7);
}

CASE(clock_nanosleep_errors)
{
    struct timespec time = { 0, 1000000000 };
    CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL), EINVAL);
    time = (struct timespec){ 0, 1 };
    CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &time, NULL), EOPNOTSUPP);
    CHECK_ERRNO(syscall(SYS_clock_nanosleep, 55, 0, &time, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_COARSE, 0, &time, NULL), EOPNOTSUPP);
    CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, BAD_POINTER, NULL), EFAULT);
}

static volatile int stop;

static void *spin(void *unused)
{
    while (!stop) {
    }
    return unused;
}

CASE(clock_nanosleep_by_cpu_time)
{
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, spin, NULL), 0);
    int64_t start = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    struct timespec time = { 0, 20 * MS };
    CHECK_EQ(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &time, NULL), 0);
    CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) - start >= 20 * MS);
    stop = 1;
    pthread_join(thread, NULL);
}

CASE(clocks_go_forward)
{
    clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME, CLOCK_TAI, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE };
    for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        int64_t before = now_ns(clocks[i]);
        CHECK(now_ns(clocks[i]) >= before);
        struct timespec resolution;
        CHECK_EQ(clock_getres(clocks[i], &resolution), 0);
        CHECK_EQ(resolution.tv_sec, 0);
        CHECK(resolution.tv_nsec >= 1);
    }
    struct timespec time;
    CHECK_ERRNO(clock_gettime(55, &time), EINVAL);
    CHECK_ERRNO(clock_getres(55, &time), EINVAL);
    CHECK_ERRNO(syscall(SYS_clock_gettime, CLOCK_BOOTTIME, BAD_POINTER), EFAULT);
    CHECK_EQ(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL), 0);
}

CASE(cpu_clock_stands_still_in_sleep)
{
    int64_t before = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    sleep_ms(100);
    CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) - before < 80 * MS);
}

CASE(cpu_clock_ids)
{
    clockid_t clock;
    CHECK_EQ(clock_getcpuclockid(getppid(), &clock), 0);
    CHECK(now_ns(clock) >= 0);
    CHECK_EQ(pthread_getcpuclockid(pthread_self(), &clock), 0);
    burn(MS);
    CHECK(now_ns(clock) >= MS);
    CHECK_EQ(clock_getcpuclockid(999999, &clock), ESRCH);
    struct timespec time;
    CHECK_ERRNO(syscall(SYS_clock_gettime, (~getppid() << 3) | 6, &time), EINVAL);
    CHECK_ERRNO(syscall(SYS_clock_gettime, -1, &time), EINVAL);
}

CASE(clock_settime_errors)
{
    struct timespec time = { 1, 1000000000 };
    CHECK_ERRNO(clock_settime(CLOCK_REALTIME, &time), EINVAL);
    time.tv_nsec = 0;
    CHECK_ERRNO(clock_settime(CLOCK_MONOTONIC, &time), EINVAL);
    CHECK_ERRNO(clock_settime(55, &time), EINVAL);
    CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_REALTIME, BAD_POINTER), EFAULT);
}

CASE(adjtimex_tells)
{
    struct timex timex = { 0 };
    int state = adjtimex(&timex);
    CHECK(state >= 0 && state <= 5);
    CHECK_EQ(timex.tick, 10000);
    CHECK(timex.time.tv_sec > 1000000000);
    CHECK_ERRNO(syscall(SYS_adjtimex, BAD_POINTER), EFAULT);
    CHECK_ERRNO(syscall(SYS_clock_adjtime, 55, &timex), EINVAL);
    CHECK_ERRNO(syscall(SYS_clock_adjtime, CLOCK_MONOTONIC, &timex), EOPNOTSUPP);
}

CASE(times_counts_children)
{
    struct tms before, after;
    CHECK(times(&before) != -1);
    pid_t pid = fork();
    if (pid == 0) {
        burn(60 * MS);
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK(times(&after) != -1);
    CHECK(after.tms_cutime + after.tms_cstime - before.tms_cutime - before.tms_cstime >= 4);
    CHECK_ERRNO(syscall(SYS_times, BAD_POINTER), EFAULT);
    CHECK(syscall(SYS_times, NULL) > 0);
}

CASE(rusage)
{
    struct rusage self, thread, children;
    burn(10 * MS);
    CHECK_EQ(getrusage(RUSAGE_SELF, &self), 0);
    CHECK(self.ru_utime.tv_sec * 1000000 + self.ru_utime.tv_usec + self.ru_stime.tv_sec * 1000000 + self.ru_stime.tv_usec >= 9000);
    CHECK(self.ru_maxrss > 0);
    CHECK_EQ(getrusage(RUSAGE_THREAD, &thread), 0);
    CHECK_EQ(getrusage(RUSAGE_CHILDREN, &children), 0);
    CHECK_EQ(children.ru_utime.tv_sec + children.ru_utime.tv_usec, 0);
    CHECK_ERRNO(syscall(SYS_getrusage, 5, &self), EINVAL);
    CHECK_ERRNO(syscall(SYS_getrusage, RUSAGE_SELF, BAD_POINTER), EFAULT);
}

CASE(wait4_tells_usage)
{
    pid_t pid = fork();
    if (pid == 0) {
        burn(20 * MS);
        _exit(0);
    }
    int status;
    struct rusage usage;
    CHECK_EQ(wait4(pid, &status, 0, &usage), pid);
    CHECK(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec >= 15000);
}

CASE(rlimit_cpu_sends_sigxcpu_then_kills)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = { 1, 2 };
        struct sigaction action = { .sa_handler = handler };
        sigaction(SIGXCPU, &action, NULL);
        CHECK_EQ(setrlimit(RLIMIT_CPU, &limit), 0);
        while (!taken) {
        }
        CHECK_EQ(getrlimit(RLIMIT_CPU, &limit), 0);
        CHECK_EQ(limit.rlim_cur, 2);
        while (1) {
        }
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, SIGKILL);
}

GUEST_MAIN("itimer")
