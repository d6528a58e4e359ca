// uname(2), sysinfo(2), getrandom(2), getrlimit(2), arch_prctl(2), getcpu(2), rseq(2), sethostname(2), calls that do not exist
#include "guest.h"
#include <asm/prctl.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

CASE(uname_tells_linux_on_x86_64)
{
    struct utsname names;
    CHECK_EQ(uname(&names), 0);
    CHECK(strcmp(names.sysname, "Linux") == 0 && strcmp(names.machine, "x86_64") == 0);
    CHECK(names.release[0] >= '4' && names.version[0] == '#');
    CHECK_ERRNO(syscall(SYS_uname, BAD_POINTER), EFAULT);
}

CASE(host_and_domain_names_can_be_set)
{
    struct utsname names;
    CHECK_EQ(sethostname("guest-host", 10), 0);
    CHECK_EQ(setdomainname("guest-domain", 12), 0);
    CHECK_EQ(uname(&names), 0);
    CHECK(strcmp(names.nodename, "guest-host") == 0 && strcmp(names.domainname, "guest-domain") == 0);
    CHECK_ERRNO(syscall(SYS_sethostname, "x", -1), EINVAL);
    CHECK_ERRNO(syscall(SYS_sethostname, "x", 65), EINVAL);
    CHECK_ERRNO(syscall(SYS_sethostname, BAD_POINTER, 5), EFAULT);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_ERRNO(sethostname("other", 5), EPERM);
    CHECK_ERRNO(setdomainname("other", 5), EPERM);
}

CASE(sysinfo_is_sane)
{
    struct sysinfo info;
    CHECK_EQ(sysinfo(&info), 0);
    CHECK(info.totalram > 0 && info.freeram > 0 && info.freeram <= info.totalram && info.mem_unit > 0 && info.procs > 0);
    CHECK_ERRNO(syscall(SYS_sysinfo, BAD_POINTER), EFAULT);
}

CASE(random_bytes)
{
    unsigned char a[300] = { 0 }, b[300] = { 0 };
    CHECK_EQ(getrandom(a, 300, 0), 300);
    CHECK_EQ(getrandom(b, 300, GRND_NONBLOCK), 300);
    CHECK(memcmp(a, b, 300) != 0);
    CHECK_EQ(getrandom(a, 0, 0), 0);
    CHECK_EQ(getrandom(a, 16, GRND_RANDOM), 16);
    CHECK_ERRNO(getrandom(a, 16, 8), EINVAL);
    CHECK_ERRNO(getrandom(a, 16, GRND_RANDOM | GRND_INSECURE), EINVAL);
    CHECK_ERRNO(syscall(SYS_getrandom, BAD_POINTER, 16, 0), EFAULT);
}

CASE(limits_can_be_lowered)
{
    struct rlimit limit;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit lower = { 50, 60 };
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &lower), 0);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK(limit.rlim_cur == 50 && limit.rlim_max == 60);
    lower.rlim_cur = 60;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &lower), 0);
    lower.rlim_cur = 61;
    CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &lower), EINVAL);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    struct rlimit higher = { 61, 61 };
    CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &higher), EPERM);
}

CASE(limits_are_checked)
{
    struct rlimit limit;
    CHECK_ERRNO(getrlimit(16, &limit), EINVAL);
    CHECK_ERRNO(syscall(SYS_getrlimit, RLIMIT_CPU, BAD_POINTER), EFAULT);
    CHECK_ERRNO(syscall(SYS_setrlimit, RLIMIT_CPU, BAD_POINTER), EFAULT);
    CHECK_ERRNO(syscall(SYS_prlimit64, 0, 16, NULL, &limit), EINVAL);
    CHECK_ERRNO(syscall(SYS_prlimit64, 999999, RLIMIT_CPU, NULL, &limit), ESRCH);
}

CASE(limits_of_a_child_by_prlimit)
{
    pid_t pid = fork();
    if (pid == 0) {
        pause();
    }
    struct rlimit wanted = { 33, 44 }, old, now;
    CHECK_EQ(prlimit(pid, RLIMIT_NOFILE, &wanted, &old), 0);
    CHECK_EQ(prlimit(pid, RLIMIT_NOFILE, NULL, &now), 0);
    CHECK(now.rlim_cur == 33 && now.rlim_max == 44);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &now), 0);
    CHECK(now.rlim_cur == old.rlim_cur);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

CASE(proc_limits_shows_them)
{
    struct rlimit limit = { 123, 456 };
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    FILE *file = fopen("/proc/self/limits", "r");
    CHECK(file != NULL);
    char line[256];
    int found = 0;
    unsigned soft, hard;
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "Max open files %u %u", &soft, &hard) == 2) {
            found = soft == 123 && hard == 456;
        }
    }
    CHECK(found);
}

CASE(segment_bases)
{
    unsigned long base = 0;
    CHECK_EQ(syscall(SYS_arch_prctl, ARCH_GET_FS, &base), 0);
    CHECK(base != 0);
    CHECK_EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x12345678), 0);
    CHECK_EQ(syscall(SYS_arch_prctl, ARCH_GET_GS, &base), 0);
    CHECK_EQ(base, 0x12345678);
    CHECK_ERRNO(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x800000000000), EPERM);
    CHECK_ERRNO(syscall(SYS_arch_prctl, ARCH_GET_GS, BAD_POINTER), EFAULT);
    CHECK_ERRNO(syscall(SYS_arch_prctl, 0x9999, 0), EINVAL);
}

CASE(gs_reads_through_its_base)
{
    static long values[2] = { 0, 0x1122334455667788 };
    CHECK_EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, values), 0);
    long read_back;
    __asm__ volatile("movq %%gs:8, %0" : "=r"(read_back));
    CHECK_EQ(read_back, values[1]);
    pid_t pid = fork();
    if (pid == 0) {
        __asm__ volatile("movq %%gs:8, %0" : "=r"(read_back));
        CHECK_EQ(read_back, values[1]);
        _exit(0);
    }
    CHECK_CHILD(pid);
}

CASE(processor_is_among_the_allowed)
{
    unsigned cpu = 9999, node = 9999;
    CHECK_EQ(syscall(SYS_getcpu, &cpu, &node, NULL), 0);
    cpu_set_t set;
    CHECK_EQ(sched_getaffinity(0, sizeof set, &set), 0);
    CHECK(CPU_ISSET(cpu, &set));
    CHECK_EQ(syscall(SYS_getcpu, NULL, NULL, NULL), 0);
    CHECK_ERRNO(syscall(SYS_getcpu, BAD_POINTER, NULL, NULL), EFAULT);
}

CASE(calls_that_do_not_exist)
{
    CHECK_ERRNO(syscall(9999), ENOSYS);
    CHECK_ERRNO(syscall(-1), ENOSYS);
    CHECK_ERRNO(syscall(511), ENOSYS);
    CHECK_ERRNO(syscall(SYS_uselib), ENOSYS);
    CHECK_ERRNO(syscall(SYS_create_module), ENOSYS);
    CHECK_ERRNO(syscall(SYS_getpmsg), ENOSYS);
    CHECK_ERRNO(syscall(SYS_afs_syscall), ENOSYS);
}

CASE(a_call_keeps_all_registers_but_three)
{
    long ok = 0;
    __asm__ volatile(
        "push %%rbx\n push %%rbp\n push %%r12\n push %%r13\n push %%r14\n push %%r15\n"
        "mov $1, %%rbx\n mov $2, %%rbp\n mov $3, %%r12\n mov $4, %%r13\n mov $5, %%r14\n mov $6, %%r15\n"
        "mov $7, %%rdi\n mov $8, %%rsi\n mov $9, %%rdx\n mov $10, %%r10\n mov $11, %%r8\n mov $12, %%r9\n"
        "mov $39, %%eax\n syscall\n"
        "add %%rbp, %%rbx\n add %%r12, %%rbx\n add %%r13, %%rbx\n add %%r14, %%rbx\n add %%r15, %%rbx\n"
        "add %%rdi, %%rbx\n add %%rsi, %%rbx\n add %%rdx, %%rbx\n add %%r10, %%rbx\n add %%r8, %%rbx\n add %%r9, %%rbx\n"
        "mov %%rbx, %%rcx\n"
        "pop %%r15\n pop %%r14\n pop %%r13\n pop %%r12\n pop %%rbp\n pop %%rbx\n"
        : "=c"(ok) : : "rax", "rdi", "rsi", "rdx", "r8", "r9", "r10", "r11", "memory", "cc");
    CHECK_EQ(ok, 78);
}

CASE(direction_flag_and_carry_survive)
{
    unsigned long flags = 0;
    __asm__ volatile("stc\n mov $39, %%eax\n syscall\n pushfq\n pop %0" : "=r"(flags) : : "rax", "rcx", "r11", "memory", "cc");
    CHECK_EQ(flags & 1, 1);
}

CASE(thirty_two_bit_arguments_are_cut)
{
    // The upper halves of int arguments do not count.
    CHECK_EQ(syscall(SYS_close, (long)dup(0) | 0x100000000), 0);
    CHECK_EQ(syscall(SYS_fcntl, 0x700000000, F_GETFD), 0);
}

CASE(time_moves_on)
{
    struct timespec a, b;
    CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &a), 0);
    sleep_ms(2);
    CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &b), 0);
    CHECK(b.tv_sec * 1000000000L + b.tv_nsec - a.tv_sec * 1000000000L - a.tv_nsec >= 2000000);
    CHECK_EQ(syscall(SYS_clock_gettime, CLOCK_REALTIME, &a), 0);
    CHECK_EQ(clock_gettime(CLOCK_REALTIME, &b), 0);
    long apart = b.tv_sec * 1000000000L + b.tv_nsec - a.tv_sec * 1000000000L - a.tv_nsec;
    CHECK(apart >= 0 && apart < 5000000000);
}

GUEST_MAIN("machine")
