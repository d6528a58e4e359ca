// Random system calls with random arguments, by a seed: whatever they do to the program, the sandbox goes on. Only ever run in a sandbox.
// Arguments: the seed, and how many children make calls one after another. Prints "survived" at the end.
#include "../guest.h"
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define CALLS 150
#define CHILD_MS 1500

static uint64_t state;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1d;
}

static char memory[65536] __attribute__((aligned(4096)));
static const char *paths[] = { ".", "file", "none", "/", "/proc/self/maps", "/dev/null", "/dev/zero", "/proc/self/fd/0", "link", "dir", "/tmp", "/proc/self/exe", "/dev/ptmx", "" };

// A number, a descriptor, an address, flags: anything that a call may take seriously.
static uint64_t argument(void)
{
    static const uint64_t edges[] = { 0, 1, 2, 3, 8, 64, 4095, 4096, 4097, 65536, INT32_MAX, 0x80000000, UINT32_MAX, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX, UINT64_MAX - 4095, 0x7fffffffe000,
        0x800000000000, -100, AT_EMPTY_PATH, O_CREAT | O_RDWR };
    switch (next() % 8) {
        case 0: return edges[next() % (sizeof edges / sizeof *edges)];
        case 1: return next() % 12;
        case 2: return (uintptr_t)memory + next() % 4096;
        case 3: return (uintptr_t)memory + sizeof memory - next() % 64;
        case 4: return (uintptr_t)paths[next() % (sizeof paths / sizeof *paths)];
        case 5: return 1ULL << next() % 64;
        case 6: return next() % 5000;
        default: return next() >> next() % 64;
    }
}

static void fill(void)
{
    for (size_t at = 0; at < sizeof memory; at += 8) {
        uint64_t word = argument();
        memcpy(memory + at, &word, 8);
    }
}

static int is_left_out(long number)
{
    switch (number) {
        case SYS_exit:
        case SYS_exit_group:
        case SYS_fork: // children of children make no calls: their number has a bound
        case SYS_vfork:
        case SYS_clone:
        case SYS_clone3:
            return 1;
        default:
            return 0;
    }
}

static void child(uint64_t seed)
{
    setpgid(0, 0);
    state = seed * 0x9e3779b97f4a7c15 + 1;
    struct rlimit space = { 1 << 30, 1 << 30 }, size = { 16 << 20, 16 << 20 };
    setrlimit(RLIMIT_AS, &space);
    setrlimit(RLIMIT_FSIZE, &size);
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    open("file", O_RDWR | O_CREAT, 0600);
    open("dir", O_RDONLY);
    int fds[2];
    if (pipe2(fds, O_NONBLOCK) != 0) {
        _exit(1);
    }
    // The parent stays out of reach: no signals to it, no look into it, no limits for it.
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2];
    syscall(SYS_capget, &header, data);
    uint32_t gone = 1u << CAP_SYS_PTRACE | 1u << CAP_KILL | 1u << CAP_SYS_RESOURCE;
    data[0].effective &= ~gone;
    data[0].permitted &= ~gone;
    syscall(SYS_capset, &header, data);
    if (seed % 2 || data[0].effective == 0) {
        if (setresuid(1000, 1000, 1000) != 0) {
            _exit(1);
        }
    }
    for (int i = 0; i < CALLS; i++) {
        if (i % 16 == 0) {
            fill();
        }
        long number = next() % 470;
        if (!is_left_out(number)) {
            syscall(number, argument(), argument(), argument(), argument(), argument(), argument());
        }
    }
    _exit(0);
}

int main(int count, char **arguments)
{
    uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 0) : 1;
    int children = count > 2 ? atoi(arguments[2]) : 50;
    prctl(PR_SET_DUMPABLE, 0);
    if (mkdir("/tmp/random", 0777) != 0 || chdir("/tmp/random") != 0 || mkdir("dir", 0777) != 0 || symlink("file", "link") != 0) {
        perror("random");
        return 2;
    }
    chmod(".", 0777);
    for (int i = 0; i < children; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            child(seed * 1000 + i);
        }
        if (pid < 0) {
            perror("fork");
            return 2;
        }
        int64_t end = monotonic_ns() + CHILD_MS * 1000000LL;
        while (waitpid(pid, NULL, WNOHANG) == 0) {
            if (monotonic_ns() > end) {
                kill(pid, SIGCONT);
                kill(pid, SIGKILL);
                waitpid(pid, NULL, 0);
                break;
            }
            sleep_ms(1);
        }
    }
    printf("survived\n");
    return 0;
}
