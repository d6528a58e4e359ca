// Calls that ask for a number of the task's own, made so often that a kernel in user space answers them where they are made.
#include "guest.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define MANY 200

__attribute__((noinline)) static long call_getpid(void)
{
    long result;
    __asm__ volatile("mov $39, %%eax; syscall" : "=a"(result) : : "rcx", "r11", "memory");
    return result;
}

__attribute__((noinline)) static long call_getuid(void)
{
    long result;
    __asm__ volatile("mov $102, %%eax; syscall" : "=a"(result) : : "rcx", "r11", "memory");
    return result;
}

__attribute__((noinline)) static long call_gettid(void)
{
    long result;
    __asm__ volatile("mov $186, %%eax; syscall" : "=a"(result) : : "rcx", "r11", "memory");
    return result;
}

static void warm_up(void)
{
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(call_getpid(), syscall(SYS_getpid));
        CHECK_EQ(call_gettid(), syscall(SYS_gettid));
        CHECK_EQ(call_getuid(), syscall(SYS_getuid));
    }
}

static int filter_getpid(unsigned flags)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 77),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { 4, code };
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

CASE(child_has_its_own)
{
    warm_up();
    pid_t parent = call_getpid();
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < MANY; i++) {
            if (call_getpid() == parent || call_getpid() != call_gettid()) {
                _exit(1);
            }
        }
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(call_getpid(), parent);
}

CASE(user_follows_setresuid)
{
    warm_up();
    CHECK_EQ(syscall(SYS_setresuid, 1234, -1, -1), 0);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(call_getuid(), 1234);
    }
    CHECK_EQ(syscall(SYS_setresuid, 4000000000U, -1, -1), 0);
    CHECK_EQ(call_getuid(), 4000000000L);
}

static void *other_thread(void *expected)
{
    for (int i = 0; i < MANY; i++) {
        if (call_gettid() == *(long *)expected || call_getpid() != *(long *)expected) {
            return "wrong";
        }
    }
    return NULL;
}

CASE(thread_has_its_own)
{
    warm_up();
    long pid = call_getpid();
    pthread_t thread;
    void *result;
    CHECK_EQ(pthread_create(&thread, NULL, other_thread, &pid), 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK(result == NULL);
    CHECK_EQ(call_gettid(), pid);
}

CASE(filter_is_asked)
{
    warm_up();
    CHECK_EQ(filter_getpid(0), 0);
    CHECK_EQ(call_getpid(), -77);
    CHECK_EQ(call_gettid(), syscall(SYS_gettid));
}

static void *until_filtered(void *ready)
{
    while (call_getpid() > 0) {
        __atomic_store_n((int *)ready, 1, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

CASE(filter_of_another_thread_is_asked)
{
    warm_up();
    int ready = 0;
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, until_filtered, &ready), 0);
    while (!__atomic_load_n(&ready, __ATOMIC_SEQ_CST)) {
        sched_yield();
    }
    CHECK_EQ(filter_getpid(SECCOMP_FILTER_FLAG_TSYNC), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(call_getpid(), -77);
}

GUEST_MAIN("answers")
