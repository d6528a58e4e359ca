// mmap(2), munmap(2), mprotect(2), mremap(2), madvise(2), msync(2), mincore(2), brk(2), mlock(2), process_vm_readv(2)
#include "guest.h"
#include <setjmp.h>
#include <sys/resource.h>
#include <sys/uio.h>

#define PAGE 4096

static sigjmp_buf fault;
static volatile siginfo_t fault_info;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    fault_info = *info;
    siglongjmp(fault, signal);
}

// The signal that touching an address brings, or 0.
static int touch(volatile char *address, int write)
{
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    int signal = sigsetjmp(fault, 1);
    if (signal == 0) {
        if (write) {
            *address = 1;
        } else {
            (void)*address;
        }
    }
    return signal;
}

static char *map(size_t length, int protection)
{
    char *address = mmap(NULL, length, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(address != MAP_FAILED);
    return address;
}

static int make(const char *text, size_t length)
{
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
    CHECK_EQ(ftruncate(fd, length), 0);
    return fd;
}

CASE(anonymous_memory_is_zero)
{
    char *p = map(10 * PAGE, PROT_READ | PROT_WRITE);
    for (int i = 0; i < 10 * PAGE; i += 512) {
        CHECK_EQ(p[i], 0);
    }
    CHECK_EQ((long)p % PAGE, 0);
}

CASE(arguments_are_checked)
{
    CHECK_ERRNO((long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
    CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1), EINVAL);
    CHECK_ERRNO((long)mmap(NULL, (size_t)-1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    CHECK_ERRNO((long)mmap(NULL, 1UL << 47, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    CHECK_ERRNO((long)mmap((void *)1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), EINVAL);
    CHECK_ERRNO((long)mmap((void *)0x7ffffffff000, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), ENOMEM);
    CHECK_ERRNO((long)mmap((void *)-PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), ENOMEM);
}

CASE(hint_is_taken_when_free)
{
    char *p = map(4 * PAGE, PROT_READ);
    CHECK_EQ(munmap(p, 4 * PAGE), 0);
    CHECK(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == p);
    CHECK(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != p);
    CHECK(mmap(p + PAGE + 5, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == p + PAGE || 1);
}

CASE(hint_beyond_all_memory_is_passed_over)
{
    for (size_t length = PAGE; length <= (64 << 20); length <<= 2) {
        for (int populate = 0; populate <= MAP_POPULATE; populate += MAP_POPULATE) {
            char *p = mmap((void *)-1L, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | populate, -1, 0);
            CHECK(p != MAP_FAILED);
            p[length - 1] = 1;
            CHECK_EQ(munmap(p, length), 0);
        }
    }
}

CASE(fixed_replaces)
{
    char *p = map(3 * PAGE, PROT_READ | PROT_WRITE);
    memset(p, 'x', 3 * PAGE);
    CHECK(mmap(p + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p + PAGE);
    CHECK(p[PAGE - 1] == 'x' && p[PAGE] == 0 && p[2 * PAGE - 1] == 0 && p[2 * PAGE] == 'x');
}

CASE(fixed_noreplace_refuses)
{
    char *p = map(2 * PAGE, PROT_READ | PROT_WRITE);
    CHECK_ERRNO((long)mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    CHECK_EQ(munmap(p + PAGE, PAGE), 0);
    CHECK(mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == p + PAGE);
}

CASE(munmap_splits)
{
    char *p = map(3 * PAGE, PROT_READ | PROT_WRITE);
    CHECK_EQ(munmap(p + PAGE, PAGE), 0);
    CHECK_EQ(touch(p, 1), 0);
    CHECK_EQ(touch(p + PAGE, 0), SIGSEGV);
    CHECK_EQ(fault_info.si_code, SEGV_MAPERR);
    CHECK(fault_info.si_addr == p + PAGE);
    CHECK_EQ(touch(p + 2 * PAGE, 1), 0);
    CHECK_EQ(munmap(p, 3 * PAGE), 0);
    CHECK_EQ(munmap(p, 3 * PAGE), 0);
}

CASE(munmap_is_checked)
{
    char *p = map(PAGE, PROT_READ);
    CHECK_ERRNO(munmap(p + 1, PAGE), EINVAL);
    CHECK_ERRNO(munmap(p, 0), EINVAL);
    CHECK_ERRNO(munmap(p, (size_t)-1), EINVAL);
    CHECK_EQ(munmap(p, 1), 0);
}

CASE(mprotect_changes_rights)
{
    char *p = map(3 * PAGE, PROT_READ | PROT_WRITE);
    p[PAGE] = 'y';
    CHECK_EQ(mprotect(p + PAGE, PAGE, PROT_READ), 0);
    CHECK_EQ(touch(p + PAGE, 1), SIGSEGV);
    CHECK_EQ(fault_info.si_code, SEGV_ACCERR);
    CHECK_EQ(p[PAGE], 'y');
    CHECK_EQ(mprotect(p + PAGE, PAGE, PROT_NONE), 0);
    CHECK_EQ(touch(p + PAGE, 0), SIGSEGV);
    CHECK_EQ(fault_info.si_code, SEGV_ACCERR);
    CHECK_EQ(mprotect(p, 3 * PAGE, PROT_READ | PROT_WRITE), 0);
    CHECK_EQ(p[PAGE], 'y');
    CHECK_EQ(touch(p + PAGE, 1), 0);
}

CASE(mprotect_is_checked)
{
    char *p = map(3 * PAGE, PROT_READ | PROT_WRITE);
    CHECK_ERRNO(mprotect(p + 1, PAGE, PROT_READ), EINVAL);
    CHECK_EQ(mprotect(p, 0, PROT_READ), 0);
    CHECK_ERRNO(mprotect(p, PAGE, 0x40), EINVAL);
    CHECK_EQ(munmap(p + PAGE, PAGE), 0);
    CHECK_ERRNO(mprotect(p, 3 * PAGE, PROT_READ), ENOMEM);
    CHECK_EQ(touch(p, 1), SIGSEGV);
    CHECK_EQ(touch(p + 2 * PAGE, 1), 0);
    CHECK_ERRNO(mprotect(p, (size_t)-PAGE, PROT_READ), ENOMEM);
    int fd = make("x", PAGE);
    close(fd);
    fd = open("file", O_RDONLY);
    char *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    CHECK_ERRNO(mprotect(shared, PAGE, PROT_READ | PROT_WRITE), EACCES);
}

CASE(private_file_mapping_keeps_changes)
{
    int fd = make("abc", 3);
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(memcmp(p, "abc\0", 4) == 0);
    p[0] = 'X';
    char c;
    CHECK_EQ(pread(fd, &c, 1, 0), 1);
    CHECK_EQ(c, 'a');
    CHECK_EQ(pwrite(fd, "Z", 1, 1), 1);
    CHECK_EQ(p[0], 'X');
}

CASE(shared_file_mapping_writes_through)
{
    int fd = make("abc", PAGE);
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    p[0] = 'X';
    char c;
    CHECK_EQ(pread(fd, &c, 1, 0), 1);
    CHECK_EQ(c, 'X');
    CHECK_EQ(pwrite(fd, "Z", 1, 1), 1);
    CHECK_EQ(p[1], 'Z');
    char *q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    p[2] = 'Q';
    CHECK_EQ(q[2], 'Q');
    CHECK_EQ(msync(p, PAGE, MS_SYNC), 0);
}

CASE(file_mapping_needs_rights)
{
    int fd = make("abc", PAGE);
    int reader = open("file", O_RDONLY), writer = open("file", O_WRONLY);
    CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, reader, 0), EACCES);
    CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, reader, 0) != MAP_FAILED);
    CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, writer, 0), EACCES);
    CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, writer, 0), EACCES);
    CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 5), EINVAL);
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fds[0], 0), ENODEV);
    CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, open(".", O_RDONLY), 0), ENODEV);
}

CASE(sigbus_beyond_the_end)
{
    int fd = make("abc", PAGE + 1);
    char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK_EQ(touch(p + PAGE + 100, 0), 0);
    CHECK_EQ(touch(p + 2 * PAGE, 0), SIGBUS);
    CHECK_EQ(fault_info.si_code, BUS_ADRERR);
    CHECK(fault_info.si_addr == p + 2 * PAGE);
    CHECK_EQ(ftruncate(fd, 3 * PAGE), 0);
    CHECK_EQ(touch(p + 2 * PAGE, 1), 0);
}

CASE(truncation_takes_mapped_pages)
{
    int fd = make("abc", 2 * PAGE);
    char *shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *private = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    shared[PAGE] = 'x';
    private[PAGE] = 'y';
    CHECK_EQ(ftruncate(fd, PAGE), 0);
    CHECK_EQ(touch(shared + PAGE, 0), SIGBUS);
    CHECK_EQ(touch(private + PAGE, 0), SIGBUS);
    CHECK_EQ(ftruncate(fd, 2 * PAGE), 0);
    CHECK_EQ(touch(shared + PAGE, 0), 0);
    CHECK_EQ(shared[PAGE], 0);
    CHECK_EQ(private[PAGE], 0);
}

CASE(tail_of_the_last_page_is_zero_after_truncation)
{
    int fd = make("abcdef", 6);
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    p[100] = 'x';
    CHECK_EQ(ftruncate(fd, 3), 0);
    CHECK_EQ(ftruncate(fd, 200), 0);
    CHECK_EQ(p[3], 0);
    CHECK_EQ(p[100], 0);
}

CASE(system_calls_on_a_page_beyond_the_end_are_efault)
{
    int fd = make("abc", PAGE);
    char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_ERRNO(write(fds[1], p + PAGE, 1), EFAULT);
}

CASE(fork_copies_private_memory)
{
    char *p = map(100 * PAGE, PROT_READ | PROT_WRITE);
    memset(p, 'a', 100 * PAGE);
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 100; i++) {
            CHECK_EQ(p[i * PAGE], 'a');
            p[i * PAGE] = 'c';
        }
        _exit(0);
    }
    CHECK_CHILD(pid);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(p[i * PAGE], 'a');
    }
}

CASE(fork_keeps_the_childs_copy_from_the_parents_writes)
{
    char *p = map(PAGE, PROT_READ | PROT_WRITE);
    p[0] = 'a';
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char c;
        CHECK_EQ(read(fds[0], &c, 1), 1);
        CHECK_EQ(p[0], 'a');
        _exit(0);
    }
    p[0] = 'b';
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_CHILD(pid);
}

CASE(fork_shares_shared_memory)
{
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = fork();
    if (pid == 0) {
        p[7] = 'c';
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK_EQ(p[7], 'c');
}

CASE(grandchildren_keep_their_copies)
{
    char *p = map(PAGE, PROT_READ | PROT_WRITE);
    p[0] = 1;
    pid_t pid = fork();
    if (pid == 0) {
        p[0] = 2;
        pid_t inner = fork();
        if (inner == 0) {
            CHECK_EQ(p[0], 2);
            p[0] = 3;
            _exit(0);
        }
        CHECK_CHILD(inner);
        CHECK_EQ(p[0], 2);
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK_EQ(p[0], 1);
}

CASE(mremap_grows_in_place_or_moves)
{
    char *p = map(4 * PAGE, PROT_READ | PROT_WRITE);
    p[0] = 'a';
    CHECK_EQ(munmap(p + PAGE, 3 * PAGE), 0);
    CHECK(mremap(p, PAGE, 2 * PAGE, 0) == p);
    CHECK_EQ(p[PAGE], 0);
    CHECK(mmap(p + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p + 2 * PAGE);
    CHECK_ERRNO((long)mremap(p, 2 * PAGE, 3 * PAGE, 0), ENOMEM);
    char *q = mremap(p, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED && q != p);
    CHECK_EQ(q[0], 'a');
    CHECK_EQ(q[3 * PAGE - 1], 0);
    CHECK_EQ(touch(p, 0), SIGSEGV);
}

CASE(mremap_shrinks)
{
    char *p = map(3 * PAGE, PROT_READ | PROT_WRITE);
    CHECK(mremap(p, 3 * PAGE, PAGE, 0) == p);
    CHECK_EQ(touch(p + PAGE, 0), SIGSEGV);
    CHECK_EQ(touch(p, 1), 0);
}

CASE(mremap_to_a_fixed_place)
{
    char *p = map(2 * PAGE, PROT_READ | PROT_WRITE), *q = map(2 * PAGE, PROT_READ | PROT_WRITE);
    p[0] = 'p';
    q[0] = 'q';
    q[PAGE] = 'r';
    CHECK(mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q) == q);
    CHECK_EQ(q[0], 'p');
    CHECK_EQ(q[PAGE], 'r');
    CHECK_EQ(touch(p, 0), SIGSEGV);
    CHECK_EQ(touch(p + PAGE, 0), 0);
}

CASE(mremap_is_checked)
{
    char *p = map(2 * PAGE, PROT_READ | PROT_WRITE);
    CHECK_ERRNO((long)mremap(p + 1, PAGE, PAGE, 0), EINVAL);
    CHECK_ERRNO((long)mremap(p, PAGE, 0, 0), EINVAL);
    CHECK_ERRNO((long)mremap(p, PAGE, PAGE, 0x10), EINVAL);
    CHECK_ERRNO((long)mremap(p, PAGE, PAGE, MREMAP_FIXED, p + PAGE), EINVAL);
    CHECK_ERRNO((long)mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE), EINVAL);
    CHECK_EQ(munmap(p + PAGE, PAGE), 0);
    CHECK_ERRNO((long)mremap(p, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE), EFAULT);
    CHECK_ERRNO((long)mremap(p + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
    CHECK_ERRNO((long)mremap(p, 0, PAGE, MREMAP_MAYMOVE), EINVAL);
}

CASE(mremap_of_nothing_duplicates_shared_memory)
{
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *q = mremap(p, 0, PAGE, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED && q != p);
    p[5] = 'z';
    CHECK_EQ(q[5], 'z');
}

CASE(mremap_dontunmap_leaves_zeros)
{
    char *p = map(PAGE, PROT_READ | PROT_WRITE), *place = map(PAGE, PROT_READ);
    p[0] = 'a';
    char *q = mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | 4, place);
    CHECK(q == place);
    CHECK_EQ(q[0], 'a');
    CHECK_EQ(p[0], 0);
    CHECK_ERRNO((long)mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE | 4), EINVAL);
    CHECK_ERRNO((long)mremap(p, PAGE, PAGE, 4), EINVAL);
}

CASE(dontneed_gives_zeros)
{
    char *p = map(3 * PAGE, PROT_READ | PROT_WRITE);
    memset(p, 'x', 3 * PAGE);
    CHECK_EQ(madvise(p + PAGE, PAGE, MADV_DONTNEED), 0);
    CHECK(p[PAGE - 1] == 'x' && p[PAGE] == 0 && p[2 * PAGE - 1] == 0 && p[2 * PAGE] == 'x');
    int fd = make("abc", PAGE);
    char *file = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    file[0] = 'X';
    CHECK_EQ(madvise(file, PAGE, MADV_DONTNEED), 0);
    CHECK_EQ(file[0], 'a');
    char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    shared[0] = 'S';
    CHECK_EQ(madvise(shared, PAGE, MADV_DONTNEED), 0);
    CHECK_EQ(shared[0], 'S');
}

CASE(madvise_is_checked)
{
    char *p = map(3 * PAGE, PROT_READ | PROT_WRITE);
    CHECK_EQ(madvise(p, PAGE, MADV_NORMAL), 0);
    CHECK_EQ(madvise(p, PAGE, MADV_WILLNEED), 0);
    CHECK_EQ(madvise(p, PAGE, MADV_SEQUENTIAL), 0);
    CHECK_EQ(madvise(p, 0, MADV_NORMAL), 0);
    CHECK_ERRNO(madvise(p, PAGE, 999), EINVAL);
    CHECK_ERRNO(madvise(p + 1, PAGE, MADV_NORMAL), EINVAL);
    CHECK_ERRNO(madvise(p, (size_t)-1, MADV_NORMAL), EINVAL);
    CHECK_EQ(munmap(p + PAGE, PAGE), 0);
    memset(p, 'x', PAGE);
    memset(p + 2 * PAGE, 'x', PAGE);
    CHECK_ERRNO(madvise(p, 3 * PAGE, MADV_DONTNEED), ENOMEM);
    CHECK(p[0] == 0 && p[2 * PAGE] == 0);
}

CASE(dontfork_and_wipeonfork)
{
    char *gone = map(PAGE, PROT_READ | PROT_WRITE), *wiped = map(PAGE, PROT_READ | PROT_WRITE);
    gone[0] = wiped[0] = 'x';
    CHECK_EQ(madvise(gone, PAGE, MADV_DONTFORK), 0);
    CHECK_EQ(madvise(wiped, PAGE, MADV_WIPEONFORK), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(touch(gone, 0), SIGSEGV);
        CHECK_EQ(wiped[0], 0);
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK(gone[0] == 'x' && wiped[0] == 'x');
    CHECK_EQ(madvise(gone, PAGE, MADV_DOFORK), 0);
    CHECK_EQ(madvise(wiped, PAGE, MADV_KEEPONFORK), 0);
    pid = fork();
    if (pid == 0) {
        CHECK(gone[0] == 'x' && wiped[0] == 'x');
        _exit(0);
    }
    CHECK_CHILD(pid);
}

CASE(msync_is_checked)
{
    int fd = make("abc", PAGE);
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK_EQ(msync(p, PAGE, MS_ASYNC), 0);
    CHECK_ERRNO(msync(p + 1, PAGE, MS_SYNC), EINVAL);
    CHECK_ERRNO(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
    CHECK_ERRNO(msync(p, PAGE, 0x100), EINVAL);
    CHECK_EQ(munmap(p, PAGE), 0);
    CHECK_ERRNO(msync(p, PAGE, MS_SYNC), ENOMEM);
}

CASE(mincore_tells_residency)
{
    char *p = map(3 * PAGE, PROT_READ | PROT_WRITE);
    p[PAGE] = 1;
    unsigned char pages[3];
    CHECK_EQ(mincore(p, 3 * PAGE, pages), 0);
    CHECK_EQ(pages[1] & 1, 1);
    CHECK_ERRNO(mincore(p + 1, PAGE, pages), EINVAL);
    CHECK_ERRNO(syscall(SYS_mincore, p, PAGE, BAD_POINTER), EFAULT);
    CHECK_EQ(munmap(p + PAGE, PAGE), 0);
    CHECK_ERRNO(mincore(p, 3 * PAGE, pages), ENOMEM);
}

CASE(brk_moves_the_heap)
{
    char *start = sbrk(0);
    char *now = (char *)syscall(SYS_brk, start + 3 * PAGE + 100);
    CHECK(now == start + 3 * PAGE + 100);
    start[2 * PAGE] = 'x';
    CHECK((char *)syscall(SYS_brk, start + 2 * PAGE) == start + 2 * PAGE);
    CHECK((char *)syscall(SYS_brk, start + 3 * PAGE) == start + 3 * PAGE);
    CHECK_EQ(start[2 * PAGE], 0);
    CHECK((char *)syscall(SYS_brk, 0) == start + 3 * PAGE);
    CHECK((char *)syscall(SYS_brk, 1) == start + 3 * PAGE);
    CHECK((char *)syscall(SYS_brk, start) == start);
}

CASE(address_space_limit_is_enomem)
{
    struct rlimit limit = { 64 << 20, 64 << 20 };
    CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    CHECK_ERRNO((long)mmap(NULL, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    CHECK(mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

CASE(data_limit_stops_brk)
{
    char *start = sbrk(0);
    struct rlimit limit = { 4 << 20, 4 << 20 };
    CHECK_EQ(setrlimit(RLIMIT_DATA, &limit), 0);
    CHECK((char *)syscall(SYS_brk, start + (64 << 20)) == start);
}

CASE(stack_grows_to_its_limit)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = { 1 << 20, 1 << 20 };
        CHECK_EQ(setrlimit(RLIMIT_STACK, &limit), 0);
        volatile char *here = __builtin_alloca(512 << 10);
        for (int i = (512 << 10) - 1; i >= 0; i -= 1024) {
            here[i] = 1;
        }
        _exit(0);
    }
    CHECK_CHILD(pid);
}

static void __attribute__((noinline)) recurse(int depth)
{
    volatile char frame[4096] __attribute__((unused));
    frame[0] = depth;
    if (depth != 0) {
        recurse(depth + 2);
    }
    frame[1] = frame[0];
}

CASE(stack_overflow_is_sigsegv)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = { 256 << 10, 256 << 10 };
        setrlimit(RLIMIT_STACK, &limit);
        limit = (struct rlimit){ 0, 0 };
        setrlimit(RLIMIT_CORE, &limit);
        recurse(1);
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

CASE(growsdown_mapping_grows)
{
    char *area = map(64 * PAGE, PROT_NONE);
    CHECK_EQ(munmap(area, 64 * PAGE), 0);
    char *top = area + 62 * PAGE;
    CHECK(mmap(top, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0) == top);
    CHECK_EQ(touch(top, 1), 0);
    CHECK_EQ(touch(top - 100, 1), 0);
}

CASE(executable_memory_runs_code)
{
    unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
    char *p = map(PAGE, PROT_READ | PROT_WRITE);
    memcpy(p, code, sizeof code);
    CHECK_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
    CHECK_EQ(((int (*)(void))p)(), 42);
    CHECK_EQ(mprotect(p, PAGE, PROT_READ | PROT_WRITE), 0);
    p[1] = 43;
    CHECK_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
    CHECK_EQ(((int (*)(void))p)(), 43);
}

CASE(jump_into_data_is_sigsegv)
{
    char *p = map(PAGE, PROT_READ | PROT_WRITE);
    p[0] = 0xc3;
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &action, NULL);
    int signal = sigsetjmp(fault, 1);
    if (signal == 0) {
        ((void (*)(void))p)();
    }
    CHECK_EQ(signal, SIGSEGV);
    CHECK_EQ(fault_info.si_code, SEGV_ACCERR);
    CHECK(fault_info.si_addr == p);
}

CASE(null_and_kernel_addresses_fault)
{
    CHECK_EQ(touch(NULL, 0), SIGSEGV);
    CHECK_EQ(fault_info.si_code, SEGV_MAPERR);
    CHECK(fault_info.si_addr == NULL);
    CHECK_EQ(touch((char *)0xffffffff80000000, 0), SIGSEGV);
    CHECK_EQ(touch((char *)0x800000000000, 0), SIGSEGV);
    CHECK_EQ(fault_info.si_code, SI_KERNEL);
    CHECK(fault_info.si_addr == NULL);
}

CASE(dev_zero_can_be_mapped)
{
    int fd = open("/dev/zero", O_RDWR);
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED);
    CHECK_EQ(p[100], 0);
    p[100] = 1;
    char *q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(q != MAP_FAILED);
    q[0] = 'x';
    pid_t pid = fork();
    if (pid == 0) {
        q[1] = 'y';
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK_EQ(q[1], 'y');
}

CASE(mlock_is_checked)
{
    char *p = map(2 * PAGE, PROT_READ | PROT_WRITE);
    CHECK_EQ(mlock(p, PAGE), 0);
    CHECK_EQ(munlock(p, PAGE), 0);
    CHECK_EQ(munmap(p + PAGE, PAGE), 0);
    CHECK_ERRNO(mlock(p, 2 * PAGE), ENOMEM);
    CHECK_ERRNO(mlockall(0x10), EINVAL);
    CHECK_ERRNO(mlockall(0), EINVAL);
    CHECK_EQ(munlockall(), 0);
    CHECK_ERRNO(syscall(SYS_mlock2, p, PAGE, 2), EINVAL);
}

CASE(proc_maps_shows_the_mapping)
{
    int fd = make("abc", PAGE);
    char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps != NULL);
    char line[512], wanted[64];
    snprintf(wanted, sizeof wanted, "%lx-%lx r--s 00000000 ", (long)p, (long)p + PAGE);
    int found = 0, stack = 0, heap = 0;
    while (fgets(line, sizeof line, maps)) {
        found |= strncmp(line, wanted, strlen(wanted)) == 0 && strstr(line, "/file\n") != NULL;
        stack |= strstr(line, "[stack]") != NULL;
        heap |= strstr(line, "[heap]") != NULL;
    }
    CHECK(found);
    CHECK(stack);
    CHECK(heap);
}

CASE(process_vm_reads_and_writes_a_child)
{
    char *p = map(PAGE, PROT_READ | PROT_WRITE);
    strcpy(p, "child");
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char c;
        CHECK_EQ(read(fds[0], &c, 1), 1);
        CHECK(strcmp(p, "CHild") == 0);
        _exit(0);
    }
    memset(p, 0, 10);
    char buffer[10] = "";
    struct iovec local = { buffer, 5 }, remote = { p, 5 };
    CHECK_EQ(process_vm_readv(pid, &local, 1, &remote, 1, 0), 5);
    CHECK(strcmp(buffer, "child") == 0);
    struct iovec out = { "CH", 2 };
    remote.iov_len = 2;
    CHECK_EQ(process_vm_writev(pid, &out, 1, &remote, 1, 0), 2);
    CHECK_ERRNO(process_vm_readv(pid, &local, 1, &remote, 1, 1), EINVAL);
    remote.iov_base = BAD_POINTER;
    CHECK_ERRNO(process_vm_readv(pid, &local, 1, &remote, 1, 0), EFAULT);
    CHECK_ERRNO(process_vm_readv(999999, &local, 1, &remote, 1, 0), ESRCH);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_CHILD(pid);
}

CASE(many_mappings)
{
    char *p = map(2000 * PAGE, PROT_READ | PROT_WRITE);
    for (int i = 0; i < 2000; i += 2) {
        CHECK_EQ(mprotect(p + i * PAGE, PAGE, PROT_READ), 0);
    }
    p[PAGE] = 'x';
    CHECK_EQ(touch(p, 1), SIGSEGV);
    CHECK_EQ(mprotect(p, 2000 * PAGE, PROT_READ | PROT_WRITE), 0);
    CHECK_EQ(touch(p, 1), 0);
    CHECK_EQ(munmap(p, 2000 * PAGE), 0);
}

GUEST_MAIN("memory")
