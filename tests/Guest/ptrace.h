// What the programs about ptrace(2) have in common: children that are traced, and what is expected of their stops.
#ifndef MOAT_PTRACE_H
#define MOAT_PTRACE_H
#include "guest.h"
#include <elf.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#define STOPPED(STATUS, SIGNAL) (WIFSTOPPED(STATUS) && (STATUS) >> 8 == (SIGNAL))
#define EVENT(EVENT) (SIGTRAP | PTRACE_EVENT_##EVENT << 8)

// The call as the kernel has it: the C library's changes what peeks return.
__attribute__((unused)) static long trace(long request, pid_t pid, unsigned long address, unsigned long data) { return syscall(SYS_ptrace, request, pid, address, data); }

__attribute__((unused)) static void expect_stop_at(int line, pid_t pid, int what)
{
    int status;
    if (waitpid(pid, &status, __WALL) != pid) {
        guest_fail("line %d: waitpid: %s", line, strerror(errno));
    }
    if (!STOPPED(status, what)) {
        guest_fail("line %d: wait status 0x%x, not a stop by 0x%x", line, status, what);
    }
}
#define EXPECT_STOP(PID, WHAT) expect_stop_at(__LINE__, PID, WHAT)

__attribute__((unused)) static void expect_end_at(int line, pid_t pid, int what)
{
    int status;
    if (waitpid(pid, &status, __WALL) != pid || status != what) {
        guest_fail("line %d: wait status 0x%x, not 0x%x", line, status, what);
    }
}
#define EXPECT_EXIT(PID, CODE) expect_end_at(__LINE__, PID, (CODE) << 8)
#define EXPECT_KILLED(PID, SIGNAL) expect_end_at(__LINE__, PID, SIGNAL)

__attribute__((unused)) static struct user_regs_struct registers_of(pid_t pid)
{
    struct user_regs_struct registers;
    CHECK_EQ(ptrace(PTRACE_GETREGS, pid, 0, &registers), 0);
    return registers;
}

__attribute__((unused)) static void set_registers(pid_t pid, struct user_regs_struct registers) { CHECK_EQ(ptrace(PTRACE_SETREGS, pid, 0, &registers), 0); }

// A child that its parent traces and that has stopped itself before it runs BODY.
__attribute__((unused)) static pid_t start(void (*body)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(ptrace(PTRACE_TRACEME, 0, 0, 0), 0);
        raise(SIGSTOP);
        body();
        syscall(SYS_exit_group, 0);
    }
    EXPECT_STOP(pid, SIGSTOP);
    return pid;
}

// A child that runs BODY and knows nothing of being traced.
__attribute__((unused)) static pid_t start_free(void (*body)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        body();
        syscall(SYS_exit_group, 0);
    }
    return pid;
}

__attribute__((unused)) static void nothing(void) { }
__attribute__((unused)) static void sleep_for_ever(void)
{
    while (1) {
        pause();
    }
}
static volatile long spins;
__attribute__((unused)) static void spin_for_ever(void)
{
    while (1) {
        spins++;
    }
}

__attribute__((unused)) static void kill_and_reap(pid_t pid)
{
    int status;
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, __WALL) == pid && !WIFSIGNALED(status) && !WIFEXITED(status)) {
        ptrace(PTRACE_CONT, pid, 0, 0);
    }
}

__attribute__((noinline, unused)) static long mark(long value)
{
    __asm__ volatile("" : "+r"(value));
    return value + 1;
}

// The event of a stop, and its message.
__attribute__((unused)) static pid_t follow(pid_t pid, int event)
{
    EXPECT_STOP(pid, SIGTRAP | event << 8);
    unsigned long child;
    CHECK_EQ(ptrace(PTRACE_GETEVENTMSG, pid, 0, &child), 0);
    return child;
}

__attribute__((unused)) static void *thread_body(void *argument)
{
    getppid();
    return NULL;
}

#endif
