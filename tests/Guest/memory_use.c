// How memory is used: what comes before it is touched, what is copied when, what is given back; alone, after fork(2) and beside other threads.
#include "guest.h"
#include <pthread.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdatomic.h>

#define PAGE 4096

static __thread sigjmp_buf fault;

static void on_fault(int signal)
{
    siglongjmp(fault, signal);
}

// The signal that touching an address brings, or 0.
static int touch(volatile char *address, int write)
{
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
    int number = sigsetjmp(fault, 1);
    if (number == 0) {
        if (write) {
            *address = 1;
        } else {
            (void)*address;
        }
    }
    return number;
}

static char *map(size_t length)
{
    char *address = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(address != MAP_FAILED);
    return address;
}

static void end_well(pid_t pid)
{
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

static int file_of(int pages)
{
    int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    CHECK(fd >= 0);
    char page[PAGE];
    for (int i = 0; i < pages; i++) {
        memset(page, 'a' + i % 26, sizeof page);
        CHECK_EQ(write(fd, page, sizeof page), PAGE);
    }
    return fd;
}

CASE(memory_that_comes_again_is_zero)
{
    for (int round = 0; round < 200; round++) {
        size_t length = (1 + round % 40) * PAGE;
        char *at = map(length);
        for (size_t i = 0; i < length; i += 512) {
            CHECK_EQ(at[i], 0);
        }
        memset(at, 0x5a, length);
        CHECK_EQ(munmap(at, length), 0);
    }
}

CASE(unmapped_memory_faults_at_once)
{
    for (int round = 0; round < 50; round++) {
        char *at = map(16 * PAGE);
        memset(at, 1, 16 * PAGE);
        CHECK_EQ(munmap(at + 4 * PAGE, 4 * PAGE), 0);
        CHECK_EQ(touch(at + 4 * PAGE, 0), SIGSEGV);
        CHECK_EQ(touch(at + 8 * PAGE - 1, 1), SIGSEGV);
        CHECK_EQ(at[8 * PAGE], 1);
        CHECK_EQ(munmap(at, 16 * PAGE), 0);
        CHECK_EQ(touch(at, 0), SIGSEGV);
        CHECK_EQ(touch(at + 15 * PAGE, 0), SIGSEGV);
    }
}

CASE(protected_memory_faults_at_once)
{
    char *at = map(8 * PAGE);
    for (int round = 0; round < 30; round++) {
        memset(at, round, 8 * PAGE);
        CHECK_EQ(mprotect(at + PAGE, 6 * PAGE, PROT_READ), 0);
        CHECK_EQ(touch(at + PAGE, 1), SIGSEGV);
        CHECK_EQ(at[6 * PAGE], round);
        CHECK_EQ(mprotect(at + 2 * PAGE, PAGE, PROT_NONE), 0);
        CHECK_EQ(touch(at + 2 * PAGE, 0), SIGSEGV);
        CHECK_EQ(munmap(at + 3 * PAGE, PAGE), 0);
        CHECK_EQ(touch(at + 3 * PAGE, 0), SIGSEGV);
        CHECK_EQ(touch(at + 4 * PAGE, 1), SIGSEGV);
        CHECK(mmap(at + 3 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at + 3 * PAGE);
        CHECK_EQ(at[3 * PAGE], 0);
        CHECK_EQ(mprotect(at, 8 * PAGE, PROT_READ | PROT_WRITE), 0);
        CHECK_EQ(at[2 * PAGE], round);
    }
    munmap(at, 8 * PAGE);
}

CASE(protection_holds_in_both_after_fork)
{
    char *at = map(4 * PAGE);
    memset(at, 7, 4 * PAGE);
    CHECK_EQ(mprotect(at, 2 * PAGE, PROT_READ), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(touch(at, 1), SIGSEGV);
        CHECK_EQ(mprotect(at, 4 * PAGE, PROT_READ | PROT_WRITE), 0);
        at[0] = at[3 * PAGE] = 9;
        _exit(at[PAGE] == 7 ? 0 : 1);
    }
    CHECK_EQ(touch(at + PAGE, 1), SIGSEGV);
    end_well(pid);
    CHECK_EQ(at[0], 7);
    CHECK_EQ(at[3 * PAGE], 7);
    munmap(at, 4 * PAGE);
}

CASE(pages_from_below_and_from_above)
{
    enum { PAGES = 3000 };
    char *at = map(PAGES * PAGE);
    for (int i = 0; i < PAGES; i++) {
        CHECK_EQ(at[i * PAGE], 0);
        at[i * PAGE + i % PAGE] = 1;
    }
    for (int i = 0; i < PAGES; i++) {
        CHECK_EQ(at[i * PAGE + i % PAGE], 1);
    }
    munmap(at, PAGES * PAGE);
    at = map(PAGES * PAGE);
    for (int i = PAGES - 1; i >= 0; i--) {
        CHECK_EQ(at[i * PAGE + i % PAGE], 0);
        at[i * PAGE] = 2;
    }
    munmap(at, PAGES * PAGE);
}

CASE(forks_in_a_row_see_what_was_then)
{
    enum { PAGES = 300, FORKS = 12 };
    char *at = map(PAGES * PAGE);
    int gate[2];
    pid_t pids[FORKS];
    CHECK_EQ(pipe(gate), 0);
    for (int k = 0; k < FORKS; k++) {
        for (int i = 0; i < PAGES; i += 1 + k) {
            at[i * PAGE] = k + 1;
        }
        char expected[PAGES];
        for (int i = 0; i < PAGES; i++) {
            expected[i] = at[i * PAGE];
        }
        pids[k] = fork();
        if (pids[k] == 0) {
            char byte;
            close(gate[1]);
            read(gate[0], &byte, 1); // until the parent has written all that it will
            for (int i = PAGES - 1; i >= 0; i--) {
                if (at[i * PAGE] != expected[i]) {
                    _exit(1);
                }
                at[i * PAGE] = 99;
            }
            _exit(0);
        }
    }
    memset(at, 77, PAGES * PAGE);
    close(gate[1]);
    for (int k = 0; k < FORKS; k++) {
        end_well(pids[k]);
    }
    for (int i = 0; i < PAGES; i++) {
        CHECK_EQ(at[i * PAGE], 77);
    }
    close(gate[0]);
    munmap(at, PAGES * PAGE);
}

CASE(private_file_pages_are_copied_one_by_one_or_together)
{
    int fd = file_of(40);
    char *at = mmap(NULL, 40 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(at != MAP_FAILED);
    CHECK_EQ(at[20 * PAGE], 'a' + 20);
    at[20 * PAGE] = 'Z';
    for (int i = 0; i < 40; i++) {
        CHECK_EQ(at[i * PAGE + 1], 'a' + i % 26);
    }
    char byte;
    CHECK_EQ(pread(fd, &byte, 1, 20 * PAGE), 1);
    CHECK_EQ(byte, 'a' + 20);
    pid_t pid = fork();
    if (pid == 0) {
        at[21 * PAGE] = 'Y';
        _exit(at[20 * PAGE] == 'Z' ? 0 : 1);
    }
    end_well(pid);
    CHECK_EQ(at[21 * PAGE], 'a' + 21);
    munmap(at, 40 * PAGE);
    close(fd);
}

CASE(the_program_file_can_be_mapped_and_read)
{
    int fd = open("/proc/self/exe", O_RDONLY);
    CHECK(fd >= 0);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    size_t length = (status.st_size + PAGE - 1) / PAGE * PAGE;
    char *shown = mmap(NULL, length + PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    char *data = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, PAGE);
    char *end = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, length - PAGE);
    CHECK(shown != MAP_FAILED && data != MAP_FAILED && end != MAP_FAILED);
    CHECK(memcmp(shown, "\177ELF", 4) == 0);
    CHECK(memcmp(shown + PAGE, data, 3 * PAGE) == 0);
    data[PAGE] ^= 0xff;
    CHECK(shown[2 * PAGE] != data[PAGE]);
    for (int i = status.st_size % PAGE; i > 0 && i < PAGE; i++) {
        CHECK_EQ(end[i], 0);
    }
    CHECK_EQ(touch(end + PAGE, 0), SIGBUS);
    CHECK_EQ(touch(end + PAGE, 1), SIGBUS);
    CHECK_EQ(touch(shown + length, 0), SIGBUS);
    munmap(shown, length + PAGE);
    munmap(data, 3 * PAGE);
    munmap(end, 2 * PAGE);
    close(fd);
}

CASE(mapped_files_may_be_closed_before_they_are_touched)
{
    char *at[40];
    for (int i = 0; i < 40; i++) {
        int fd = open("/proc/self/exe", O_RDONLY);
        at[i] = mmap(NULL, 4 * PAGE, i % 2 ? PROT_READ : PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
        CHECK(at[i] != MAP_FAILED);
        close(fd);
    }
    for (int i = 0; i < 40; i += 3) {
        CHECK_EQ(munmap(at[i], i % 2 ? PAGE : 4 * PAGE), 0); // some of them before anything was touched
    }
    for (int i = 0; i < 40; i++) {
        CHECK_EQ(touch(at[i], 0), i % 3 == 0 ? SIGSEGV : 0);
    }
    for (int i = 0; i < 40; i++) {
        munmap(at[i], 4 * PAGE);
    }
}

static atomic_int stop;
static char *volatile shared;

static void *toucher(void *unused)
{
    unsigned seed = 1;
    while (!stop) {
        volatile char *place = shared + (seed >> 8) % (64 * PAGE);
        seed = seed * 1103515245 + 12345;
        touch(place, seed >> 31);
    }
    return unused;
}

CASE(threads_fault_while_another_maps_protects_and_unmaps)
{
    pthread_t threads[3];
    shared = map(64 * PAGE);
    stop = 0;
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(pthread_create(&threads[i], NULL, toucher, NULL), 0);
    }
    for (int round = 0; round < 150; round++) {
        char *part = shared + round % 56 * PAGE;
        if (round % 3 == 0) {
            CHECK_EQ(munmap(part, 4 * PAGE), 0);
        } else if (round % 3 == 1) {
            CHECK_EQ(mprotect(shared, PAGE, PROT_READ), 0);
        }
        CHECK(mmap(part, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == part);
        part[7 * PAGE] = 3;
        CHECK_EQ(madvise(part, PAGE, MADV_DONTNEED), 0);
    }
    stop = 1;
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    munmap(shared, 64 * PAGE);
}

static void *pair_writer(void *argument)
{
    volatile long *first = argument;
    volatile long *second = first + 256; // the same page
    for (long i = 1; !stop; i++) {
        *first = i;
        *second = i;
    }
    return NULL;
}

// What a thread writes first is in the copy if what it writes later is.
CASE(fork_beside_a_writing_thread_copies_each_page_at_one_moment)
{
    char *at = map(8 * PAGE);
    pthread_t thread;
    stop = 0;
    CHECK_EQ(pthread_create(&thread, NULL, pair_writer, at + 2 * PAGE), 0);
    for (int round = 0; round < 40; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            volatile long *first = (long *)(at + 2 * PAGE);
            long earlier = first[0], later = first[256];
            _exit(earlier == later || earlier == later + 1 ? 0 : 1);
        }
        end_well(pid);
    }
    stop = 1;
    pthread_join(thread, NULL);
    munmap(at, 8 * PAGE);
}

static void *forker(void *unused)
{
    for (int i = 0; i < 15; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            char *own = map(4 * PAGE);
            own[0] = 1;
            _exit(0);
        }
        int status;
        if (waitpid(pid, &status, 0) != pid || status != 0) {
            return (void *)1;
        }
    }
    return unused;
}

CASE(threads_fork_while_another_faults)
{
    pthread_t threads[2], touching;
    shared = map(64 * PAGE);
    stop = 0;
    CHECK_EQ(pthread_create(&touching, NULL, toucher, NULL), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(pthread_create(&threads[i], NULL, forker, NULL), 0);
    }
    for (int i = 0; i < 2; i++) {
        void *result;
        pthread_join(threads[i], &result);
        CHECK(result == NULL);
    }
    stop = 1;
    pthread_join(touching, NULL);
    munmap(shared, 64 * PAGE);
}

CASE(vfork_shares_and_fork_copies)
{
    static volatile int value;
    value = 1;
    pid_t pid = vfork();
    if (pid == 0) {
        value = 2;
        _exit(0);
    }
    end_well(pid);
    CHECK_EQ(value, 2);
    pid = fork();
    if (pid == 0) {
        value = 3;
        _exit(0);
    }
    end_well(pid);
    CHECK_EQ(value, 2);
}

CASE(spawned_programs_come_and_go)
{
    extern char **environ;
    char *arguments[] = { "true", NULL };
    for (int i = 0; i < 20; i++) {
        pid_t pid;
        CHECK_EQ(posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environ), 0);
        end_well(pid);
    }
}

CASE(children_that_outlive_their_parent_keep_memory)
{
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    char *at = map(200 * PAGE);
    memset(at, 5, 200 * PAGE);
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            int bad = 0;
            usleep(20000); // the parent has ended by now
            for (int i = 0; i < 200; i++) {
                bad |= at[i * PAGE] != 5;
                at[i * PAGE] = 6;
            }
            _exit(write(ends[1], bad ? "n" : "y", 1) != 1);
        }
        memset(at, 8, 100 * PAGE);
        _exit(0);
    }
    end_well(pid);
    munmap(at, 200 * PAGE);
    char answer = 0;
    CHECK_EQ(read(ends[0], &answer, 1), 1);
    CHECK_EQ(answer, 'y');
    close(ends[0]);
    close(ends[1]);
}

GUEST_MAIN("memory_use")
