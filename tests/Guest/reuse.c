// Memory that is taken away and mapped again at the same place: it reads as zeros, and in between it is not there.
#include "guest.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/time.h>

#define PAGE 4096
#define FLAGS (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

static sigjmp_buf back;
static volatile int fault_code;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    fault_code = info->si_code;
    siglongjmp(back, 1);
}

// The si_code that a read or write of an address ends with; 0 if it works.
static int fault_of(volatile char *at, int is_write)
{
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &action, NULL);
    fault_code = 0;
    if (sigsetjmp(back, 1) == 0) {
        if (is_write) {
            *at = 1;
        } else {
            (void)*at;
        }
    }
    return fault_code;
}

static int is_zero(const char *memory, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (memory[i]) {
            return 0;
        }
    }
    return 1;
}

CASE(memory_mapped_again_is_zero)
{
    char *before = NULL;
    for (int i = 0; i < 200; i++) {
        size_t size = (1 + i % 40) * PAGE;
        char *m = mmap(NULL, size, RW, FLAGS, -1, 0);
        CHECK(m != MAP_FAILED);
        CHECK(is_zero(m, size));
        memset(m, 0xab, size);
        CHECK(munmap(m, size) == 0);
        before = m;
        CHECK(before != NULL);
    }
}

CASE(unmapped_memory_is_not_there)
{
    for (int i = 0; i < 50; i++) {
        char *m = mmap(NULL, 8 * PAGE, RW, FLAGS, -1, 0);
        CHECK(m != MAP_FAILED);
        memset(m, 1, 8 * PAGE);
        CHECK(munmap(m, 8 * PAGE) == 0);
        CHECK(fault_of(m + 3 * PAGE, i & 1) == SEGV_MAPERR);
        int fds[2];
        CHECK(pipe(fds) == 0);
        CHECK_ERRNO(write(fds[1], m, 1), EFAULT);
        close(fds[0]);
        close(fds[1]);
    }
}

CASE(part_of_a_range_mapped_again)
{
    char *m = mmap(NULL, 32 * PAGE, RW, FLAGS, -1, 0);
    CHECK(m != MAP_FAILED);
    memset(m, 1, 32 * PAGE);
    CHECK(munmap(m, 32 * PAGE) == 0);
    CHECK(mmap(m + 10 * PAGE, 4 * PAGE, RW, FLAGS | MAP_FIXED_NOREPLACE, -1, 0) == m + 10 * PAGE);
    CHECK(is_zero(m + 10 * PAGE, 4 * PAGE));
    CHECK(fault_of(m + 9 * PAGE, 0) == SEGV_MAPERR && fault_of(m + 14 * PAGE, 1) == SEGV_MAPERR);
    memset(m + 10 * PAGE, 2, 4 * PAGE);
    CHECK(mmap(m, 32 * PAGE, RW, FLAGS | MAP_FIXED, -1, 0) == m);
    CHECK(is_zero(m, 32 * PAGE));
}

CASE(mapped_again_with_other_rights)
{
    for (int protection = 0; protection < 8; protection++) {
        char *m = mmap(NULL, 4 * PAGE, RW, FLAGS, -1, 0);
        CHECK(m != MAP_FAILED);
        memset(m, 0xc3, 4 * PAGE);
        CHECK(munmap(m, 4 * PAGE) == 0);
        CHECK(mmap(m, 4 * PAGE, protection, FLAGS | MAP_FIXED, -1, 0) == m);
        int can_read = protection != 0, can_write = (protection & PROT_WRITE) != 0;
        CHECK((fault_of(m + PAGE, 0) == 0) == can_read && (fault_of(m + 2 * PAGE, 1) == 0) == can_write);
        CHECK(!can_read || is_zero(m + 3 * PAGE, PAGE));
        if (!can_read) {
            CHECK(fault_of(m + PAGE, 0) == SEGV_ACCERR);
        }
        CHECK(mprotect(m, 4 * PAGE, RW) == 0 && m[0] == 0 && is_zero(m + 3 * PAGE, PAGE));
        CHECK(munmap(m, 4 * PAGE) == 0);
    }
}

CASE(protected_memory_mapped_again)
{
    char *m = mmap(NULL, 8 * PAGE, RW, FLAGS, -1, 0);
    CHECK(m != MAP_FAILED);
    for (int i = 0; i < 20; i++) {
        memset(m, 1, 8 * PAGE);
        CHECK(mprotect(m + 2 * PAGE, 2 * PAGE, PROT_READ) == 0);
        CHECK(fault_of(m + 2 * PAGE, 1) == SEGV_ACCERR);
        CHECK(munmap(m + PAGE, 4 * PAGE) == 0);
        CHECK(fault_of(m + 2 * PAGE, 0) == SEGV_MAPERR);
        CHECK(mmap(m + PAGE, 4 * PAGE, RW, FLAGS | MAP_FIXED, -1, 0) == m + PAGE);
        CHECK(is_zero(m + PAGE, 4 * PAGE) && m[0] == 1 && m[5 * PAGE] == 1);
    }
}

CASE(a_file_where_memory_was)
{
    int fd = memfd_create("reuse", 0);
    CHECK(fd >= 0 && ftruncate(fd, 4 * PAGE) == 0);
    char *m = mmap(NULL, 4 * PAGE, RW, FLAGS, -1, 0);
    CHECK(m != MAP_FAILED);
    for (int i = 0; i < 20; i++) {
        memset(m, 1, 4 * PAGE);
        CHECK(munmap(m, 4 * PAGE) == 0);
        CHECK(mmap(m, 2 * PAGE, RW, (i & 1 ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED, fd, PAGE) == m);
        CHECK(i > 1 || is_zero(m, 2 * PAGE));
        strcpy(m, "in the file");
        char text[12];
        CHECK(pread(fd, text, sizeof text, PAGE) == sizeof text);
        CHECK((strcmp(text, "in the file") == 0) == (i > 0));
        CHECK(fault_of(m + 3 * PAGE, 1) == SEGV_MAPERR);
        CHECK(mmap(m, 4 * PAGE, RW, FLAGS | MAP_FIXED, -1, 0) == m);
        CHECK(is_zero(m, 4 * PAGE));
    }
}

CASE(discarded_memory_is_zero)
{
    char *m = mmap(NULL, 64 * PAGE, RW, FLAGS, -1, 0);
    CHECK(m != MAP_FAILED);
    for (int i = 0; i < 100; i++) {
        memset(m, i + 1, 64 * PAGE);
        int from = i * 7 % 60, count = 1 + i % 4;
        CHECK(madvise(m + from * PAGE, count * PAGE, MADV_DONTNEED) == 0);
        CHECK(is_zero(m + from * PAGE, count * PAGE));
        CHECK(m[(from + count) % 64 * PAGE] == (char)(i + 1));
    }
}

CASE(discarded_memory_is_read_into)
{
    char *m = mmap(NULL, 4 * PAGE, RW, FLAGS, -1, 0);
    CHECK(m != MAP_FAILED);
    int zero = open("/dev/zero", O_RDONLY), fds[2];
    CHECK(zero >= 0 && pipe(fds) == 0);
    for (int i = 0; i < 50; i++) {
        memset(m, 1, 4 * PAGE);
        CHECK(madvise(m, 4 * PAGE, MADV_DONTNEED) == 0);
        CHECK(write(fds[1], "hello", 6) == 6 && read(fds[0], m + PAGE, 6) == 6);
        CHECK(strcmp(m + PAGE, "hello") == 0 && is_zero(m + PAGE + 6, PAGE - 6) && is_zero(m, PAGE) && is_zero(m + 2 * PAGE, 2 * PAGE));
    }
}

CASE(the_heap_comes_back_as_zeros)
{
    char *start = sbrk(0);
    for (int i = 0; i < 50; i++) {
        CHECK(brk(start + 20 * PAGE) == 0);
        CHECK(is_zero(start, 20 * PAGE));
        memset(start, 1, 20 * PAGE);
        CHECK(brk(start) == 0);
    }
}

CASE(a_child_does_not_see_what_was_unmapped)
{
    char *m = mmap(NULL, 16 * PAGE, RW, FLAGS, -1, 0);
    CHECK(m != MAP_FAILED);
    for (int i = 0; i < 10; i++) {
        memset(m, 1, 16 * PAGE);
        CHECK(munmap(m, 8 * PAGE) == 0);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            if (fault_of(m, 0) != SEGV_MAPERR || m[8 * PAGE] != 1) {
                _exit(1);
            }
            m[8 * PAGE] = 2;
            if (mmap(m, 8 * PAGE, RW, FLAGS | MAP_FIXED, -1, 0) != m || !is_zero(m, 8 * PAGE)) {
                _exit(2);
            }
            memset(m, 3, 16 * PAGE);
            _exit(0);
        }
        CHECK(mmap(m, 8 * PAGE, RW, FLAGS | MAP_FIXED, -1, 0) == m);
        CHECK(is_zero(m, 8 * PAGE));
        memset(m, 4, 8 * PAGE);
        int status;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK(m[0] == 4 && m[8 * PAGE] == 1);
    }
}

CASE(rights_taken_from_copied_memory_leave_the_copy)
{
    // Writable and executable memory of which a child has a copy: less rights, but still writable.
    for (int i = 0; i < 2; i++) {
        char *m = mmap(NULL, 200 * PAGE, RW | PROT_EXEC, FLAGS, -1, 0);
        CHECK(m != MAP_FAILED);
        memset(m, 1, 200 * PAGE);
        int to[2], fro[2];
        CHECK(pipe(to) == 0 && pipe(fro) == 0);
        pid_t pid = fork();
        CHECK(pid >= 0);
        char c = 0;
        if (pid == 0) {
            if (read(to[0], &c, 1) != 1 || m[5 * PAGE] != 1) {
                _exit(1);
            }
            if (mprotect(m, 200 * PAGE, RW) != 0) {
                _exit(2);
            }
            m[6 * PAGE] = 3;
            _exit(write(fro[1], &c, 1) == 1 ? 0 : 3);
        }
        CHECK(mprotect(m, 200 * PAGE, RW) == 0);
        m[5 * PAGE] = 2;
        CHECK(write(to[1], &c, 1) == 1 && read(fro[0], &c, 1) == 1);
        CHECK(m[6 * PAGE] == 1 && m[5 * PAGE] == 2);
        int status;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK(munmap(m, 200 * PAGE) == 0);
    }
}

CASE(rights_taken_from_a_files_private_mapping_leave_the_file)
{
    int fd = open("file", O_RDWR | O_CREAT, 0700);
    CHECK(fd >= 0 && ftruncate(fd, 40 * PAGE) == 0);
    CHECK(pwrite(fd, "there", 6, 30 * PAGE) == 6);
    char *m = mmap(NULL, 40 * PAGE, RW | PROT_EXEC, MAP_PRIVATE, fd, 0);
    CHECK(m != MAP_FAILED);
    CHECK(strcmp(m + 30 * PAGE, "there") == 0);
    CHECK(mprotect(m, 40 * PAGE, RW) == 0);
    strcpy(m + 30 * PAGE, "other");
    char text[6];
    CHECK(pread(fd, text, 6, 30 * PAGE) == 6 && strcmp(text, "there") == 0);
}

static void *map_and_unmap(void *unused)
{
    for (int i = 0; i < 100; i++) {
        char *m = mmap(NULL, 16 * PAGE, RW, FLAGS, -1, 0);
        if (m == MAP_FAILED || !is_zero(m, 16 * PAGE)) {
            return NULL;
        }
        memset(m, 1, 16 * PAGE);
        if (munmap(m, 16 * PAGE)) {
            return NULL;
        }
    }
    return unused;
}

CASE(threads_map_and_unmap_at_once)
{
    pthread_t threads[3];
    int token;
    CHECK(map_and_unmap(&token) == &token);
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_create(&threads[i], NULL, map_and_unmap, &token) == 0);
    }
    for (int i = 0; i < 3; i++) {
        void *result;
        CHECK(pthread_join(threads[i], &result) == 0);
        CHECK(result == &token);
    }
    CHECK(map_and_unmap(&token) == &token);
}

#define ARENA (2 << 20)

// Takes memory of its arena away in each way there is, while others do so in theirs: what comes back is zero.
static void *take_away_and_look(void *arena)
{
    unsigned long state = (unsigned long)arena;
    for (int i = 0; i < 400; i++) {
        state = state * 6364136223846793005ul + 1442695040888963407ul;
        unsigned how = state >> 33;
        size_t size = (1 + how / 8 % 32) * PAGE;
        char *at = (char *)arena + how / 256 % (ARENA / PAGE - 32) * PAGE;
        if (mmap(at, size, RW, FLAGS | MAP_FIXED, -1, 0) != at || !is_zero(at, size)) {
            return NULL;
        }
        memset(at, 0x41, size);
        size_t half = size / 2 / PAGE * PAGE;
        if (how % 4 == 0 && (madvise(at + half, size - half, MADV_DONTNEED) || !is_zero(at + half, size - half) || (half && at[0] != 0x41))) {
            return NULL;
        }
        if (how % 4 == 1 && (mprotect(at, size, PROT_READ) || mprotect(at, size, RW) || at[size - 1] != 0x41)) {
            return NULL;
        }
        if (how % 4 >= 2 && munmap(at, size)) {
            return NULL;
        }
    }
    return arena;
}

CASE(threads_take_memory_away_at_once)
{
    pthread_t threads[3];
    char *arenas = mmap(NULL, 3 * ARENA, PROT_NONE, FLAGS | MAP_NORESERVE, -1, 0);
    CHECK(arenas != MAP_FAILED);
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_create(&threads[i], NULL, take_away_and_look, arenas + i * ARENA) == 0);
    }
    for (int i = 0; i < 3; i++) {
        void *result;
        CHECK(pthread_join(threads[i], &result) == 0);
        CHECK(result == arenas + i * ARENA);
    }
}

static volatile sig_atomic_t ticks;

static void on_tick(int signal) { ticks += signal > 0; }

CASE(interrupts_while_memory_comes_and_goes)
{
    struct sigaction action = { .sa_handler = on_tick, .sa_flags = SA_RESTART };
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    struct itimerval often = { { 0, 300 }, { 0, 300 } }, never = { { 0, 0 }, { 0, 0 } };
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (int i = 0; i < 1500; i++) {
        char *m = mmap(NULL, 4 * PAGE, RW, FLAGS, -1, 0);
        CHECK(m != MAP_FAILED && m[0] == 0 && m[3 * PAGE] == 0);
        m[0] = m[3 * PAGE] = 1;
        CHECK(madvise(m + 3 * PAGE, PAGE, MADV_DONTNEED) == 0);
        CHECK(m[3 * PAGE] == 0 && m[0] == 1);
        CHECK(munmap(m, 4 * PAGE) == 0);
    }
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    CHECK(ticks > 0);
}

static volatile int workers_left;

// As above, with discards only, while signals come: what was taken away on the way back from an interrupted call stays away.
static void *discard_and_look(void *memory)
{
    char *m = memory, *result = memory;
    for (int i = 0; i < 600 && result; i++) {
        int from = i * 7 % 28, count = 1 + i % 4;
        memset(m, i + 1, 32 * PAGE);
        if (madvise(m + from * PAGE, count * PAGE, MADV_DONTNEED) || !is_zero(m + from * PAGE, count * PAGE) || m[31 * PAGE + 1] != (char)(i + 1)) {
            result = NULL;
        }
        char *fresh = mmap(NULL, count * PAGE, RW, FLAGS, -1, 0);
        if (fresh == MAP_FAILED || !is_zero(fresh, count * PAGE) || memset(fresh, 0x55, count * PAGE) != fresh || munmap(fresh, count * PAGE)) {
            result = NULL;
        }
    }
    __atomic_sub_fetch(&workers_left, 1, __ATOMIC_RELEASE);
    return result;
}

CASE(interrupts_while_threads_take_memory_away)
{
    struct sigaction action = { .sa_handler = on_tick, .sa_flags = SA_RESTART };
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    pthread_t threads[3];
    char *memory = mmap(NULL, 3 * 32 * PAGE, RW, FLAGS, -1, 0);
    CHECK(memory != MAP_FAILED);
    workers_left = 3;
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_create(&threads[i], NULL, discard_and_look, memory + i * 32 * PAGE) == 0);
    }
    for (int i = 0; __atomic_load_n(&workers_left, __ATOMIC_ACQUIRE) > 0; i++) {
        usleep(100);
        CHECK(pthread_kill(threads[i % 3], SIGALRM) == 0);
    }
    for (int i = 0; i < 3; i++) {
        void *result;
        CHECK(pthread_join(threads[i], &result) == 0);
        CHECK(result == memory + i * 32 * PAGE);
    }
}

GUEST_MAIN("reuse")
