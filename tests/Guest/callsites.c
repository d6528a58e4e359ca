// System calls whose instructions a platform may have patched, and what an application does to the code and to the places where it may have put its trampolines. On Linux these are just holes.
#include "guest.h"
#include <pthread.h>

#define PAGE 4096
#define SITES 64
#define SITE_SIZE 16
#define HOT 40

typedef long (*site_fn)(void);

// Code with many calls of getppid(2), each called often enough to be worth a patch.
static unsigned char *make_sites(void)
{
    unsigned char *code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) {
        return NULL;
    }
    memset(code, 0x90, PAGE);
    for (int i = 0; i < SITES; i++) {
        memcpy(code + i * SITE_SIZE, "\x90\xb8\x6e\x00\x00\x00\x0f\x05\xc3", 9); // mov eax, 110; syscall; ret
    }
    return mprotect(code, PAGE, PROT_READ | PROT_EXEC) ? NULL : code;
}

static void heat(unsigned char *code)
{
    for (int i = 0; i < SITES; i++) {
        for (int k = 0; k < HOT; k++) {
            CHECK(((site_fn)(code + i * SITE_SIZE))() == getppid());
        }
    }
}

// The page that a site's jump leads to, or a hole.
static unsigned char *place_of(unsigned char *code, int site)
{
    unsigned char *at = code + site * SITE_SIZE + 1;
    if (at[0] != 0xe9) {
        return code - (512ul << 20);
    }
    int distance;
    memcpy(&distance, at + 1, sizeof distance);
    return (unsigned char *)((unsigned long)(at + 5 + distance) & ~(PAGE - 1ul));
}

static void check_calls(unsigned char *code)
{
    long parent = getppid();
    for (int i = 0; i < SITES; i++) {
        CHECK(((site_fn)(code + i * SITE_SIZE))() == parent);
    }
}

CASE(nothing_is_mapped_where_trampolines_are)
{
    unsigned char *code = make_sites();
    CHECK(code);
    heat(code);
    unsigned char *place = place_of(code, 0), state;
    CHECK_ERRNO(mprotect(place, PAGE, PROT_READ), ENOMEM);
    CHECK_ERRNO(mprotect(place, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC), ENOMEM);
    CHECK_ERRNO(madvise(place, PAGE, MADV_DONTNEED), ENOMEM);
    CHECK_ERRNO(mincore(place, PAGE, &state), ENOMEM);
    CHECK_ERRNO((long)mremap(place, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
    int fds[2];
    CHECK(pipe(fds) == 0);
    CHECK_ERRNO(write(fds[1], place, 1), EFAULT);
    CHECK(write(fds[1], "x", 1) == 1);
    CHECK_ERRNO(read(fds[0], place, 1), EFAULT);
    CHECK(munmap(place, PAGE) == 0);
    check_calls(code);
}

CASE(mapping_over_the_trampolines)
{
    unsigned char *code = make_sites();
    CHECK(code);
    heat(code);
    int flags[] = { MAP_FIXED, MAP_FIXED_NOREPLACE, 0 };
    for (int i = 0; i < 3; i++) {
        unsigned char *place = place_of(code, i);
        CHECK(mmap(place, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags[i], -1, 0) == place);
        for (int k = 0; k < PAGE; k++) {
            CHECK(place[k] == 0);
        }
        memset(place, 0xcc, PAGE);
        check_calls(code);
        CHECK(place[0] == 0xcc && place[PAGE - 1] == 0xcc);
        CHECK(munmap(place, PAGE) == 0);
        check_calls(code);
    }
}

CASE(moving_memory_over_the_trampolines)
{
    unsigned char *code = make_sites();
    CHECK(code);
    heat(code);
    unsigned char *place = place_of(code, 0);
    unsigned char *memory = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    memset(memory, 7, 3 * PAGE);
    CHECK(mremap(memory, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place - PAGE) == place - PAGE);
    check_calls(code);
    CHECK(place[0] == 7 && place[PAGE - 1] == 7);
}

CASE(growing_memory_over_the_trampolines)
{
    unsigned char *code = make_sites();
    CHECK(code);
    heat(code);
    unsigned char *place = place_of(code, 0);
    unsigned char *memory = mmap(place - 3 * PAGE, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(memory == place - 3 * PAGE);
    memory[0] = 5;
    CHECK(mremap(memory, 3 * PAGE, 6 * PAGE, 0) == memory);
    CHECK(place[0] == 0);
    memset(memory, 5, 6 * PAGE);
    check_calls(code);
}

CASE(a_stack_grows_over_the_trampolines)
{
    unsigned char *code = make_sites();
    CHECK(code);
    heat(code);
    unsigned char *place = place_of(code, 0);
    unsigned char *stack = mmap(place + 20 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
    CHECK(stack == place + 20 * PAGE);
    for (unsigned char *at = stack; at >= place; at -= PAGE) {
        CHECK(*(volatile unsigned char *)at == 0);
        *(volatile unsigned char *)at = 1;
    }
    check_calls(code);
}

CASE(code_moved_elsewhere_still_calls)
{
    unsigned char *code = make_sites();
    CHECK(code);
    heat(code);
    unsigned char *moved = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(moved != MAP_FAILED && mremap(code, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, moved) == moved);
    check_calls(moved);
    CHECK(memcmp(moved, "\x90\xb8\x6e\x00\x00\x00\x0f\x05\xc3", 9) == 0);
}

CASE(code_made_writable_is_as_it_was)
{
    unsigned char *code = make_sites();
    CHECK(code);
    heat(code);
    CHECK(mprotect(code, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
    for (int i = 0; i < SITES; i++) {
        CHECK(memcmp(code + i * SITE_SIZE, "\x90\xb8\x6e\x00\x00\x00\x0f\x05\xc3", 9) == 0);
    }
    check_calls(code);
}

static volatile int stop;

static void *call_all(void *code)
{
    long parent = getppid();
    while (!stop) {
        for (int i = 0; i < SITES; i++) {
            if (((site_fn)((unsigned char *)code + i * SITE_SIZE))() != parent) {
                return NULL;
            }
        }
    }
    return code;
}

CASE(mapping_over_trampolines_that_another_thread_executes)
{
    for (int round = 0; round < 6; round++) {
        unsigned char *code = make_sites();
        CHECK(code);
        heat(code);
        stop = 0;
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, call_all, code) == 0);
        for (int i = 0; i < 20; i++) {
            unsigned char *place = place_of(code, i * 3 % SITES);
            CHECK(mmap(place, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == place);
            memset(place, 0xcc, PAGE);
            usleep(i * 20);
            CHECK(munmap(place, PAGE) == 0);
        }
        stop = 1;
        void *result;
        CHECK(pthread_join(thread, &result) == 0);
        CHECK(result == code);
        CHECK(munmap(code, PAGE) == 0);
    }
}

CASE(code_taken_away_from_a_thread_that_calls)
{
    // The thread dies of it, and with it the process; nobody else does.
    for (int round = 0; round < 4; round++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            struct rlimit none = { 0, 0 };
            setrlimit(RLIMIT_CORE, &none);
            unsigned char *code = make_sites();
            if (!code) {
                _exit(1);
            }
            for (int i = 0; i < SITES * HOT; i++) {
                ((site_fn)(code + i % SITES * SITE_SIZE))();
            }
            stop = 0;
            pthread_t thread;
            pthread_create(&thread, NULL, call_all, code);
            usleep(2000);
            if (round & 1) {
                mprotect(code, PAGE, PROT_READ);
            } else {
                munmap(code, PAGE);
            }
            pthread_join(thread, NULL);
            _exit(0);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    }
}

CASE(a_child_and_its_parent_go_on_with_the_same_code)
{
    unsigned char *code = make_sites();
    CHECK(code);
    heat(code);
    pid_t self = getpid();
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        for (int i = 0; i < SITES; i++) {
            if (((site_fn)(code + i * SITE_SIZE))() != self) {
                _exit(1);
            }
        }
        unsigned char *place = place_of(code, 0);
        if (mmap(place, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != place) {
            _exit(2);
        }
        memset(place, 0xcc, PAGE);
        for (int i = 0; i < SITES; i++) {
            if (((site_fn)(code + i * SITE_SIZE))() != self) {
                _exit(3);
            }
        }
        _exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    check_calls(code);
}

GUEST_MAIN("callsites")
