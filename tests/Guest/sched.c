// sched(7), getpriority(2), ioprio_set(2), membarrier(2), unshare(2), personality(2)
#include "guest.h"
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/resource.h>

#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6
#endif

CASE(default_policy)
{
    CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
    CHECK_EQ(sched_getscheduler(getppid()), SCHED_OTHER);
    struct sched_param param = { 5 };
    CHECK_EQ(sched_getparam(0, &param), 0);
    CHECK_EQ(param.sched_priority, 0);
}

CASE(batch_and_idle)
{
    struct sched_param param = { 0 };
    CHECK_EQ(sched_setscheduler(0, SCHED_BATCH, &param), 0);
    CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
    CHECK_EQ(sched_setscheduler(0, SCHED_IDLE, &param), 0);
    CHECK_EQ(sched_getscheduler(0), SCHED_IDLE);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(sched_getscheduler(0), SCHED_IDLE);
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK_EQ(sched_setscheduler(0, SCHED_OTHER, &param), 0);
}

CASE(reset_on_fork)
{
    struct sched_param param = { 0 };
    CHECK_EQ(sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &param), 0);
    CHECK_EQ(sched_getscheduler(0), SCHED_BATCH | SCHED_RESET_ON_FORK);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
        _exit(0);
    }
    CHECK_CHILD(pid);
}

CASE(scheduler_errors)
{
    struct sched_param param = { 1 };
    CHECK_ERRNO(sched_setscheduler(0, SCHED_OTHER, &param), EINVAL);
    param.sched_priority = 0;
    CHECK_ERRNO(sched_setscheduler(0, SCHED_FIFO, &param), EINVAL);
    param.sched_priority = 100;
    CHECK_ERRNO(sched_setscheduler(0, SCHED_RR, &param), EINVAL);
    CHECK_ERRNO(sched_setscheduler(0, 77, &param), EINVAL);
    CHECK_ERRNO(sched_setscheduler(0, SCHED_OTHER, NULL), EINVAL);
    CHECK_ERRNO(sched_setscheduler(-1, SCHED_OTHER, &param), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, BAD_POINTER), EFAULT);
    param.sched_priority = 0;
    CHECK_ERRNO(sched_setscheduler(999999, SCHED_OTHER, &param), ESRCH);
    CHECK_ERRNO(sched_getscheduler(-1), EINVAL);
    CHECK_ERRNO(sched_getscheduler(999999), ESRCH);
    CHECK_ERRNO(sched_getparam(0, NULL), EINVAL);
}

CASE(priority_limits)
{
    CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
    CHECK_EQ(sched_get_priority_min(SCHED_RR), 1);
    CHECK_EQ(sched_get_priority_max(SCHED_OTHER), 0);
    CHECK_EQ(sched_get_priority_min(SCHED_IDLE), 0);
    CHECK_EQ(sched_get_priority_max(SCHED_DEADLINE), 0);
    CHECK_ERRNO(sched_get_priority_max(77), EINVAL);
}

CASE(rr_interval)
{
    struct timespec time;
    CHECK_EQ(sched_rr_get_interval(0, &time), 0);
    CHECK_EQ(time.tv_sec, 0);
    CHECK_ERRNO(syscall(SYS_sched_rr_get_interval, -1, &time), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_rr_get_interval, 0, BAD_POINTER), EFAULT);
}

struct attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t min, max;
};

CASE(attr)
{
    struct attr attr = { .size = 48, .policy = SCHED_BATCH, .nice = 7 }, got;
    CHECK_EQ(syscall(SYS_sched_setattr, 0, &attr, 0), 0);
    CHECK_EQ(syscall(SYS_sched_getattr, 0, &got, sizeof got, 0), 0);
    CHECK_EQ(got.size, 56);
    CHECK_EQ(got.policy, SCHED_BATCH);
    CHECK_EQ(got.nice, 7);
    CHECK_EQ(getpriority(PRIO_PROCESS, 0), 7);
    CHECK_ERRNO(syscall(SYS_sched_setattr, 0, &attr, 1), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_setattr, 0, NULL, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_getattr, 0, &got, 40, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_getattr, 0, &got, sizeof got, 1), EINVAL);
    attr.size = 8;
    CHECK_ERRNO(syscall(SYS_sched_setattr, 0, &attr, 0), E2BIG);
    attr.size = 48;
    attr.policy = 77;
    CHECK_ERRNO(syscall(SYS_sched_setattr, 0, &attr, 0), EINVAL);
}

CASE(affinity_is_kept)
{
    cpu_set_t all, one, got;
    CHECK_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    int last = -1;
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, &all)) {
            last = i;
        }
    }
    CHECK(last >= 0);
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    CHECK_EQ(sched_getaffinity(0, sizeof got, &got), 0);
    CHECK(CPU_EQUAL(&one, &got));
    CHECK_EQ(sched_getcpu(), last);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(sched_getaffinity(0, sizeof got, &got), 0);
        CHECK_EQ(CPU_COUNT(&got), 1);
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK_EQ(sched_setaffinity(0, sizeof all, &all), 0);
}

CASE(affinity_errors)
{
    uint64_t mask[16] = { 0 };
    CHECK_ERRNO(syscall(SYS_sched_setaffinity, 0, sizeof mask, mask), EINVAL);
    mask[0] = ~0ULL;
    CHECK_ERRNO(syscall(SYS_sched_setaffinity, 999999, sizeof mask, mask), ESRCH);
    CHECK_ERRNO(syscall(SYS_sched_setaffinity, 0, 8, BAD_POINTER), EFAULT);
    CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, 7, mask), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, 0, mask), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_getaffinity, 999999, sizeof mask, mask), ESRCH);
    CHECK(syscall(SYS_sched_getaffinity, 0, sizeof mask, mask) >= 8);
}

CASE(nice)
{
    CHECK_EQ(getpriority(PRIO_PROCESS, 0), 0);
    CHECK_EQ(setpriority(PRIO_PROCESS, 0, 5), 0);
    CHECK_EQ(getpriority(PRIO_PROCESS, 0), 5);
    CHECK_EQ(setpriority(PRIO_PROCESS, 0, 100), 0);
    CHECK_EQ(getpriority(PRIO_PROCESS, getpid()), 19);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(getpriority(PRIO_PROCESS, 0), 19);
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK_EQ(getpriority(PRIO_PGRP, 0), 19);
}

CASE(nice_without_permission)
{
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(setpriority(PRIO_PROCESS, 0, 5), 0);
        CHECK_EQ(setuid(1000), 0);
        CHECK_ERRNO(setpriority(PRIO_PROCESS, 0, 4), EACCES);
        CHECK_ERRNO(setpriority(PRIO_PROCESS, getppid(), 10), EPERM);
        CHECK_EQ(setpriority(PRIO_PROCESS, 0, 6), 0);
        CHECK_EQ(getpriority(PRIO_USER, 0), 6);
        _exit(0);
    }
    CHECK_CHILD(pid);
}

CASE(priority_errors)
{
    CHECK_ERRNO(getpriority(9, 0), EINVAL);
    CHECK_ERRNO(setpriority(9, 0, 0), EINVAL);
    CHECK_ERRNO(getpriority(PRIO_PROCESS, 999999), ESRCH);
    CHECK_ERRNO(setpriority(PRIO_PROCESS, 999999, 0), ESRCH);
}

CASE(ioprio)
{
    CHECK_EQ(syscall(SYS_ioprio_set, 1, 0, (2 << 13) | 3), 0);
    CHECK_EQ(syscall(SYS_ioprio_get, 1, 0), (2 << 13) | 3);
    CHECK_EQ(syscall(SYS_ioprio_set, 1, 0, 3 << 13), 0);
    CHECK_EQ(syscall(SYS_ioprio_get, 1, 0), 3 << 13);
    CHECK_ERRNO(syscall(SYS_ioprio_set, 9, 0, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_ioprio_get, 9, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_ioprio_set, 1, 0, 5), EINVAL);
    CHECK_ERRNO(syscall(SYS_ioprio_set, 1, 0, 5 << 13), EINVAL);
    CHECK_ERRNO(syscall(SYS_ioprio_get, 1, 999999), ESRCH);
}

static volatile int stop, spins;

static void *spin(void *unused)
{
    while (!stop) {
        spins++;
    }
    return unused;
}

CASE(membarrier)
{
    CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) & MEMBARRIER_CMD_GLOBAL);
    CHECK_ERRNO(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), EPERM);
    CHECK_EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0), 0);
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, spin, NULL), 0);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0);
    }
    CHECK_EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0), 0);
    stop = 1;
    pthread_join(thread, NULL);
    CHECK_ERRNO(syscall(SYS_membarrier, 1 << 30, 0, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 1, 0), EINVAL);
}

CASE(unshare_files_and_fs)
{
    CHECK_EQ(unshare(CLONE_FILES | CLONE_FS), 0);
    CHECK_EQ(unshare(0), 0);
    CHECK_ERRNO(unshare(1), EINVAL);
    CHECK_EQ(unshare(CLONE_NEWUTS), 0);
    CHECK_EQ(sethostname("other", 5), 0);
    char name[65];
    CHECK_EQ(gethostname(name, sizeof name), 0);
    CHECK(strcmp(name, "other") == 0);
}

CASE(unshare_without_capability)
{
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(setuid(1000), 0);
        CHECK_ERRNO(unshare(CLONE_NEWUTS), EPERM);
        CHECK_ERRNO(unshare(CLONE_NEWNS), EPERM);
        _exit(0);
    }
    CHECK_CHILD(pid);
}

CASE(setns_errors)
{
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_ERRNO(setns(99, 0), EBADF);
    CHECK_ERRNO(setns(fds[0], 0), EINVAL);
}

CASE(personality)
{
    CHECK_EQ(personality(0xffffffff), 0);
    CHECK_EQ(personality(ADDR_NO_RANDOMIZE), 0);
    CHECK_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE);
        _exit(0);
    }
    CHECK_CHILD(pid);
}

GUEST_MAIN("sched")
