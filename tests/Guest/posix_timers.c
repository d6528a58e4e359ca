// timer_create(2), timer_settime(2), timer_gettime(2), timer_getoverrun(2), timer_delete(2)
#include "guest.h"
#include <pthread.h>

#define MS 1000000LL

static volatile int taken;
static volatile int last_code, last_overrun;
static void *volatile last_value;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    taken++;
    last_code = info->si_code;
    last_overrun = info->si_overrun;
    last_value = info->si_value.sival_ptr;
}

static void handle(int number)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    CHECK_EQ(sigaction(number, &action, NULL), 0);
}

static timer_t make(clockid_t clock, int notify, int number)
{
    struct sigevent event = { .sigev_notify = notify, .sigev_signo = number, .sigev_value.sival_ptr = (void *)0xabcdef12345 };
    timer_t timer;
    CHECK_EQ(timer_create(clock, &event, &timer), 0);
    return timer;
}

static void set(timer_t timer, int flags, int64_t value, int64_t interval)
{
    struct itimerspec spec = { { interval / 1000000000, interval % 1000000000 }, { value / 1000000000, value % 1000000000 } };
    CHECK_EQ(timer_settime(timer, flags, &spec, NULL), 0);
}

static void block(int number, int how)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(how, &set, NULL);
}

CASE(sends_a_signal)
{
    handle(SIGUSR1);
    timer_t timer = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1);
    set(timer, 0, 10 * MS, 0);
    while (!taken) {
        sleep_ms(1);
    }
    CHECK_EQ(last_code, SI_TIMER);
    CHECK_EQ((int64_t)last_value, 0xabcdef12345);
    CHECK_EQ(last_overrun, 0);
}

CASE(default_event_is_sigalrm)
{
    alarm(0);
    block(SIGALRM, SIG_BLOCK);
    int first, second;
    CHECK_EQ(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &first), 0);
    CHECK_EQ(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &second), 0);
    CHECK_EQ(first, 0);
    CHECK_EQ(second, 1);
    struct itimerspec spec = { { 0, 0 }, { 0, 1000 } };
    CHECK_EQ(syscall(SYS_timer_settime, second, 0, &spec, NULL), 0);
    sigset_t wait;
    sigemptyset(&wait);
    sigaddset(&wait, SIGALRM);
    siginfo_t info;
    CHECK_EQ(sigwaitinfo(&wait, &info), SIGALRM);
    CHECK_EQ(info.si_code, SI_TIMER);
    CHECK_EQ(info.si_timerid, second);
    CHECK_EQ(info.si_value.sival_int, second);
}

CASE(interval_goes_on)
{
    handle(SIGUSR1);
    timer_t timer = make(CLOCK_REALTIME, SIGEV_SIGNAL, SIGUSR1);
    set(timer, 0, 5 * MS, 5 * MS);
    while (taken < 4) {
        sleep_ms(1);
    }
    CHECK_EQ(timer_delete(timer), 0);
}

CASE(overruns_are_counted)
{
    block(SIGUSR1, SIG_BLOCK);
    timer_t timer = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1);
    set(timer, 0, 2 * MS, 2 * MS);
    sleep_ms(50);
    sigset_t wait;
    sigemptyset(&wait);
    sigaddset(&wait, SIGUSR1);
    siginfo_t info;
    CHECK_EQ(sigwaitinfo(&wait, &info), SIGUSR1);
    CHECK(info.si_overrun >= 20);
    CHECK_EQ(timer_getoverrun(timer), info.si_overrun);
}

CASE(two_timers_may_share_a_signal)
{
    block(SIGUSR1, SIG_BLOCK);
    timer_t first = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1), second = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1);
    set(first, 0, MS, 0);
    set(second, 0, MS, 0);
    sleep_ms(20);
    sigset_t wait;
    sigemptyset(&wait);
    sigaddset(&wait, SIGUSR1);
    siginfo_t info;
    CHECK_EQ(sigwaitinfo(&wait, &info), SIGUSR1);
    struct timespec zero = { 0, 0 };
    CHECK_EQ(sigtimedwait(&wait, &info, &zero), SIGUSR1);
    CHECK_ERRNO(sigtimedwait(&wait, &info, &zero), EAGAIN);
}

CASE(none_is_only_asked)
{
    timer_t timer = make(CLOCK_MONOTONIC, SIGEV_NONE, 0);
    struct itimerspec now;
    CHECK_EQ(timer_gettime(timer, &now), 0);
    CHECK_EQ(now.it_value.tv_sec + now.it_value.tv_nsec, 0);
    set(timer, 0, 50000 * MS, 3000 * MS);
    CHECK_EQ(timer_gettime(timer, &now), 0);
    CHECK(now.it_value.tv_sec >= 40 && now.it_value.tv_sec < 50);
    CHECK_EQ(now.it_interval.tv_sec, 3);
    set(timer, 0, MS, 0);
    sleep_ms(10);
    CHECK_EQ(timer_gettime(timer, &now), 0);
    CHECK_EQ(now.it_value.tv_sec + now.it_value.tv_nsec, 0);
}

CASE(thread_id)
{
    handle(SIGUSR1);
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
    event._sigev_un._tid = gettid();
    timer_t timer;
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    set(timer, 0, MS, 0);
    while (!taken) {
        sleep_ms(1);
    }
    event._sigev_un._tid = getppid();
    CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
}

CASE(absolute)
{
    handle(SIGUSR1);
    timer_t timer = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1);
    set(timer, TIMER_ABSTIME, monotonic_ns() + 10 * MS, 0);
    while (!taken) {
        sleep_ms(1);
    }
    set(timer, TIMER_ABSTIME, 1, 0);
    while (taken < 2) {
        sleep_ms(1);
    }
}

CASE(settime_returns_the_old_value)
{
    timer_t timer = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1);
    set(timer, 0, 70000 * MS, 2 * MS);
    struct itimerspec zero = { 0 }, old;
    CHECK_EQ(timer_settime(timer, 0, &zero, &old), 0);
    CHECK(old.it_value.tv_sec >= 60 && old.it_value.tv_sec < 70);
    CHECK_EQ(old.it_interval.tv_nsec, 2 * MS);
    CHECK_EQ(timer_gettime(timer, &old), 0);
    CHECK_EQ(old.it_value.tv_sec + old.it_value.tv_nsec, 0);
}

CASE(delete_takes_the_signal_back)
{
    block(SIGUSR1, SIG_BLOCK);
    timer_t timer = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1);
    set(timer, 0, 1, 0);
    sleep_ms(10);
    CHECK_EQ(timer_delete(timer), 0);
    CHECK_ERRNO(timer_delete(timer), EINVAL);
    struct itimerspec now;
    CHECK_ERRNO(timer_gettime(timer, &now), EINVAL);
}

CASE(einval)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65 };
    timer_t timer;
    CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
    event.sigev_signo = 0;
    CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
    event = (struct sigevent){ .sigev_notify = 77, .sigev_signo = SIGUSR1 };
    CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
    event = (struct sigevent){ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    CHECK_ERRNO(timer_create(77, &event, &timer), EINVAL);
    CHECK_ERRNO(timer_create(CLOCK_MONOTONIC_COARSE, &event, &timer), EOPNOTSUPP);
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    struct itimerspec spec = { { 0, 0 }, { 0, 1000000000 } };
    CHECK_ERRNO(timer_settime(timer, 0, &spec, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_timer_settime, 0, 0, NULL, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_timer_getoverrun, 55), EINVAL);
}

CASE(efault)
{
    CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, BAD_POINTER, BAD_POINTER), EFAULT);
    CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, BAD_POINTER), EFAULT);
    int id;
    CHECK_EQ(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id), 0);
    CHECK_ERRNO(syscall(SYS_timer_settime, id, 0, BAD_POINTER, NULL), EFAULT);
    CHECK_ERRNO(syscall(SYS_timer_gettime, id, BAD_POINTER), EFAULT);
}

CASE(not_inherited)
{
    int id;
    CHECK_EQ(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_ERRNO(syscall(SYS_timer_delete, id), EINVAL);
        _exit(0);
    }
    CHECK_CHILD(pid);
}

static void burn(int64_t ns)
{
    struct timespec now;
    int64_t start = -1, used;
    do {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        used = now.tv_sec * 1000000000LL + now.tv_nsec;
        start = start < 0 ? used : start;
    } while (used - start < ns);
}

CASE(process_cpu_clock)
{
    handle(SIGUSR1);
    timer_t timer = make(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1);
    set(timer, 0, 20 * MS, 0);
    sleep_ms(40);
    CHECK_EQ(taken, 0);
    for (int i = 0; i < 100 && !taken; i++) {
        burn(5 * MS);
    }
    CHECK_EQ(taken, 1);
}

CASE(thread_cpu_clock)
{
    handle(SIGUSR1);
    timer_t timer = make(CLOCK_THREAD_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1);
    set(timer, 0, 10 * MS, 10 * MS);
    for (int i = 0; i < 100 && taken < 3; i++) {
        burn(10 * MS);
    }
    CHECK(taken >= 3);
}

CASE(ignored_signals_do_not_stop_an_interval)
{
    signal(SIGUSR1, SIG_IGN);
    timer_t timer = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1);
    set(timer, 0, 2 * MS, 2 * MS);
    sleep_ms(15);
    handle(SIGUSR1);
    while (!taken) {
        sleep_ms(1);
    }
}

CASE(exec_deletes)
{
    int id;
    CHECK_EQ(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id), 0);
    struct itimerspec spec = { { 0, 0 }, { 0, 30 * MS } };
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id), 0);
        CHECK_EQ(syscall(SYS_timer_settime, id, 0, &spec, NULL), 0);
        execl("/bin/sh", "sh", "-c", "sleep 0.1", NULL);
        _exit(98);
    }
    CHECK_CHILD(pid);
}

GUEST_MAIN("posix_timers")
