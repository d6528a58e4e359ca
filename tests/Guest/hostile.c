// Programs that attack what the platform keeps in their own address space. Each runs as a child that may die of it or not; the sandbox and the other processes go on.
// On Linux there is nothing of the kind, and the children just end.
#include "guest.h"
#include <cpuid.h>
#include <linux/futex.h>
#include <pthread.h>
#include <setjmp.h>

// The platform's slot of this thread is where the GS base points; all slots lie in 256 MiB that are aligned to their size, and its code is 256 MiB below.
static unsigned char *own_slot(void)
{
    unsigned a, b = 0, c, d;
    __cpuid_count(7, 0, a, b, c, d);
    if (!(b & 1)) {
        return NULL;
    }
    unsigned long base;
    __asm__ volatile("rdgsbase %0" : "=r"(base));
    return (unsigned char *)base;
}

// Waits a while for a child and kills it if it still runs.
static void end_child(pid_t pid)
{
    for (int i = 0; i < 100; i++) {
        if (waitpid(pid, NULL, WNOHANG) == pid) {
            return;
        }
        usleep(10000);
    }
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

static unsigned seed = 12345;

static unsigned next_random(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static void make_calls(int count)
{
    char c;
    int fds[2];
    if (pipe(fds)) {
        _exit(1);
    }
    for (int i = 0; i < count; i++) {
        syscall(SYS_getppid);
        if (write(fds[1], "x", 1) == 1 && read(fds[0], &c, 1) != 1) {
            _exit(1);
        }
    }
}

static void scribble(unsigned char *slot, int from, int to)
{
    for (int i = from; i < to; i += 8) {
        *(volatile unsigned long *)(slot + i) = (unsigned long)next_random() << 32 | next_random();
    }
}

static void check_neighbours(void)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        make_calls(100);
        _exit(42);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

static volatile int stop;

static void *call_for_ever(void *slot)
{
    *(unsigned char **)slot = own_slot();
    while (!stop) {
        make_calls(10);
    }
    return NULL;
}

CASE(scribbling_over_own_slot)
{
    for (int round = 0; round < 20; round++) {
        seed = 1000 + round;
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            unsigned char *slot = own_slot();
            for (int i = 0; slot && i < 20; i++) {
                scribble(slot, 0, 8192);
                syscall(SYS_getppid);
            }
            _exit(0);
        }
        end_child(pid);
    }
    check_neighbours();
}

CASE(scribbling_over_the_slot_of_a_calling_thread)
{
    for (int round = 0; round < 10; round++) {
        seed = 2000 + round;
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            static unsigned char *slot;
            pthread_t thread;
            pthread_create(&thread, NULL, call_for_ever, &slot);
            usleep(5000);
            for (int i = 0; slot && i < 2000; i++) {
                int from = next_random() % 8192 & ~7;
                int to = from + next_random() % 256;
                scribble(slot, from, to < 8192 ? to : 8192);
            }
            _exit(0);
        }
        end_child(pid);
    }
    check_neighbours();
}

static sigjmp_buf probe_failed;

static void leave_probe(int signal) { siglongjmp(probe_failed, signal); }

// Of the pages from one on, those that can be written.
static int find_writable(unsigned char *from, int pages, unsigned char **found, int count, int max)
{
    for (int i = 0; i < pages && count < max; i++) {
        unsigned char *page = from + i * 4096l;
        if (sigsetjmp(probe_failed, 1) == 0) {
            *(volatile unsigned char *)page = *(volatile unsigned char *)page;
            found[count++] = page;
        }
    }
    return count;
}

// The page that the jump leads to that has taken the place of a call's first instruction; NULL if there is none.
static unsigned char *find_trampolines(void)
{
    static const unsigned char *site;
    for (int i = 0; i < 100; i++) {
        long result;
        __asm__ volatile("lea 1f(%%rip), %0; 1: mov $110, %%eax; syscall" : "=&r"(site), "=&a"(result) : : "rcx", "r11", "memory");
    }
    int distance;
    memcpy(&distance, site + 1, sizeof distance);
    return site[0] == 0xe9 ? (unsigned char *)((unsigned long)(site + 5 + distance) & ~4095ul) : NULL;
}

CASE(scribbling_over_all_that_can_be_written)
{
    for (int round = 0; round < 8; round++) {
        seed = 4000 + round;
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            static unsigned char *others_slot, *found[256];
            signal(SIGSEGV, leave_probe);
            signal(SIGBUS, leave_probe);
            unsigned char *slot = own_slot();
            if (!slot) {
                _exit(0);
            }
            unsigned char *trampolines = find_trampolines(), *slots = (unsigned char *)((unsigned long)slot & ~0xffffffful), *code = slots - 0x10000000ul;
            pthread_t thread;
            pthread_create(&thread, NULL, call_for_ever, &others_slot);
            usleep(5000);
            int count = find_writable(code, 16, found, 0, 256);
            count = find_writable(code + 0x100000, 16, found, count, 256);
            count = find_writable(slots, 16, found, count, 256);
            count = trampolines ? find_writable(trampolines, 1, found, count, 256) : count;
            signal(SIGSEGV, SIG_DFL);
            for (int i = 0; i < 400; i++) {
                // First the pages of others, one at a time, then everything at once.
                unsigned char *page = found[next_random() % count];
                int from = next_random() % 4096 & ~7, to = i < 200 ? from + next_random() % 128 : 4096;
                scribble(page, from, to < 4096 ? to : 4096);
                if (i % 4 == 0) {
                    syscall(SYS_getppid);
                }
            }
            _exit(0);
        }
        end_child(pid);
    }
    check_neighbours();
}

CASE(claiming_to_have_handed_over)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        static unsigned char *slot;
        pthread_t thread;
        pthread_create(&thread, NULL, call_for_ever, &slot);
        usleep(5000);
        for (int i = 0; slot && i < 100000; i++) {
            *(volatile int *)slot = i & 3;
        }
        _exit(0);
    }
    end_child(pid);
    check_neighbours();
}

CASE(blocking_all_signals_behind_the_platforms_back)
{
    // rt_sigreturn from the platform's code with a mask of one's own: the thread can't be interrupted any more, but killed.
    unsigned char *slot = own_slot();
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        if (!slot) {
            _exit(0);
        }
        unsigned char *code = (unsigned char *)(((unsigned long)slot & ~0xffffffful) - 0x10000000ul);
        for (int i = 0; i < 4000; i++) {
            if (code[i] == 0xb8 && *(int *)(code + i + 1) == SYS_rt_sigreturn && code[i + 5] == 0x0f && code[i + 6] == 0x05) {
                static unsigned long frame[256] __attribute__((aligned(64)));
                memset(frame, 0xff, 304); // the registers don't matter
                __asm__ volatile("mov %0, %%rsp; jmp *%1" : : "r"(frame), "r"(code + i) : "memory");
            }
        }
        _exit(0);
    }
    end_child(pid);
    check_neighbours();
}

static void ignore(int signal) { (void)signal; }

// Calls every syscall instruction of the platform's code with arguments of one's own. None may show us a file that we don't have.
CASE(mapping_through_the_platforms_instructions)
{
    for (int at = 0; at < 4094; at++) {
        unsigned char *slot = own_slot();
        if (!slot) {
            break;
        }
        unsigned char *code = (unsigned char *)(((unsigned long)slot & ~0xffffffful) - 0x10000000ul);
        if (code[at] != 0x0f || code[at + 1] != 0x05) {
            continue;
        }
        for (int fd = 0; fd < 20; fd++) {
            pid_t pid = fork();
            CHECK(pid >= 0);
            if (pid == 0) {
                signal(SIGALRM, SIG_DFL);
                alarm(1);
                register long a3 __asm__("r10") = MAP_SHARED | MAP_FIXED;
                register long a4 __asm__("r8") = fd;
                register long a5 __asm__("r9") = 0;
                __asm__ volatile("jmp *%0" : : "r"(code + at), "a"((long)SYS_mmap), "D"(0x10000000ul), "S"(4096ul), "d"((long)PROT_READ), "r"(a3), "r"(a4), "r"(a5) : "memory");
                _exit(0);
            }
            usleep(2000);
            CHECK(kill(pid, SIGKILL) == 0);
            CHECK(waitpid(pid, NULL, 0) == pid);
            if (fd == 2) {
                fd = 17;
            }
        }
    }
    signal(SIGUSR2, ignore);
    check_neighbours();
}

// Writes to what another thread tries to get at meanwhile; the process ends with it.
static void *write_later(void *target)
{
    usleep(2000);
    *(volatile unsigned char *)target = 0x90;
    _exit(42);
}

// The platform's code lets an application's thread change rights in its own memory: not in the platform's, and what it shares with others to be copied or read only stays theirs.
CASE(taking_rights_through_the_platforms_instructions)
{
    unsigned char *memory = mmap(NULL, 200 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = memfd_create("read-only", 0);
    CHECK(memory != MAP_FAILED && fd >= 0 && ftruncate(fd, 4096) == 0);
    memset(memory, 1, 200 * 4096);
    unsigned char *file = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(file != MAP_FAILED && file[0] == 0);
    for (int at = 0; at < 4094; at++) {
        unsigned char *slot = own_slot();
        if (!slot) {
            break;
        }
        unsigned char *code = (unsigned char *)(((unsigned long)slot & ~0xffffffful) - 0x10000000ul);
        if (code[at] != 0x0f || code[at + 1] != 0x05) {
            continue;
        }
        unsigned char *targets[] = { memory, file, code };
        for (int i = 0; i < 3; i++) {
            pid_t pid = fork();
            CHECK(pid >= 0);
            if (pid == 0) {
                alarm(1);
                pthread_t thread;
                if (memory[0] != 1 || file[0] != 0 || pthread_create(&thread, NULL, write_later, targets[i])) {
                    _exit(1);
                }
                __asm__ volatile("mov %0, %%rbx; jmp *%1" : : "r"((unsigned long)slot), "r"(code + at), "a"((long)SYS_mprotect), "D"(targets[i]), "S"(4096ul), "d"((long)(PROT_READ | PROT_WRITE)) : "rbx", "memory");
                _exit(0);
            }
            int status;
            CHECK(waitpid(pid, &status, 0) == pid);
            CHECK(i < 2 || !WIFEXITED(status) || WEXITSTATUS(status) != 42);
            char c;
            CHECK(memory[0] == 1 && pread(fd, &c, 1, 0) == 1 && c == 0);
        }
    }
    check_neighbours();
}

CASE(jumping_anywhere_into_the_platforms_code)
{
    unsigned char *slot = own_slot();
    for (int i = 0; slot && i < 60; i++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            seed = 3000 + i;
            unsigned char *code = (unsigned char *)(((unsigned long)own_slot() & ~0xffffffful) - 0x10000000ul);
            void *target = code + next_random() % 1500;
            __asm__ volatile("mov %0, %%rbx; mov %0, %%rbp; mov %0, %%r12; jmp *%1" : : "r"((unsigned long)own_slot()), "r"(target) : "rbx", "r12", "memory");
            _exit(0);
        }
        usleep(3000);
        kill(pid, SIGKILL);
        CHECK(waitpid(pid, NULL, 0) == pid);
    }
    check_neighbours();
}

CASE(the_platforms_memory_is_in_no_map)
{
    make_calls(200);
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps);
    unsigned long slot = (unsigned long)own_slot();
    while (fgets(line, sizeof line, maps)) {
        unsigned long start, end;
        CHECK(sscanf(line, "%lx-%lx", &start, &end) == 2);
        CHECK(slot == 0 || slot < start || slot >= end);
    }
    fclose(maps);
}

CASE(registers_and_flags_survive_many_calls)
{
    for (int i = 0; i < 2000; i++) {
        unsigned long flags_before = 0x202 | (i & 1) | (i & 2 ? 0x400 : 0) | (i & 4 ? 0x800 : 0), flags_after, bx = i, r12 = ~(unsigned long)i, r13 = i * 3, r14 = i * 5, r15 = i * 7, result;
        unsigned long di = 1, si = 2, dx = 3;
        __asm__ volatile("push %[before]; popfq; mov $110, %%eax; syscall; pushfq; pop %[after]; cld"
                         : [after] "=&r"(flags_after), "=&a"(result), "+b"(bx), "+D"(di), "+S"(si), "+d"(dx)
                         : [before] "r"(flags_before)
                         : "rcx", "r11", "memory", "cc");
        __asm__ volatile("mov %[c], %%r12; mov %[d], %%r13; mov %[e], %%r14; mov %[f], %%r15; mov $110, %%eax; syscall; mov %%r12, %[c]; mov %%r13, %[d]; mov %%r14, %[e]; mov %%r15, %[f]"
                         : [c] "+m"(r12), [d] "+m"(r13), [e] "+m"(r14), [f] "+m"(r15) : : "rax", "rcx", "r11", "r12", "r13", "r14", "r15", "memory");
        CHECK((flags_after & 0xcd5) == (flags_before & 0xcd5));
        CHECK(bx == (unsigned long)i && di == 1 && si == 2 && dx == 3 && result == (unsigned long)getppid());
        CHECK(r12 == ~(unsigned long)i && r13 == (unsigned long)i * 3 && r14 == (unsigned long)i * 5 && r15 == (unsigned long)i * 7);
    }
}

GUEST_MAIN("hostile")
