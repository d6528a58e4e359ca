// /proc/PID (proc(5)): the form of its files, and values that a program can check.
#include "guest.h"
#include <dirent.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

static char text[1 << 16];

// Reads a whole file; the length, or -1 with errno.
static long slurp(const char *path)
{
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        return -1;
    }
    long length = 0, count;
    while ((count = read(fd, text + length, sizeof text - 1 - length)) > 0) {
        length += count;
    }
    int saved = errno;
    close(fd);
    errno = saved;
    text[length] = 0;
    return count < 0 ? -1 : length;
}

static int words(const char *from)
{
    int count = 0;
    for (const char *at = from; *at;) {
        at += strspn(at, " \n");
        count += *at != 0;
        at += strcspn(at, " \n");
    }
    return count;
}

// The number behind "name:" in the file that was read last; -1 if there is none.
static long number(const char *name)
{
    char *at = text;
    size_t length = strlen(name);
    while (at && strncmp(at, name, length) != 0) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    return at ? strtol(at + length, NULL, 10) : -1;
}

CASE(stat_has_52_fields)
{
    CHECK(slurp("/proc/self/stat") > 0);
    CHECK_EQ(words(text), 52);
    CHECK_EQ(atoi(text), getpid());
    CHECK_EQ(strrchr(text, ')')[2], 'R');
}

CASE(stat_name_may_hold_anything)
{
    CHECK_EQ(prctl(PR_SET_NAME, "a) b"), 0);
    CHECK(slurp("/proc/self/stat") > 0);
    CHECK(strstr(text, "(a) b) R ") != NULL);
    CHECK_EQ(prctl(PR_SET_NAME, "a\nb\\"), 0);
    CHECK(slurp("/proc/self/status") > 0);
    CHECK(strncmp(text, "Name:\ta\\nb\\\\\n", 13) == 0);
}

CASE(statm_has_7_fields)
{
    CHECK(slurp("/proc/self/statm") > 0);
    CHECK_EQ(words(text), 7);
}

CASE(status_counts_resident_memory)
{
    CHECK(slurp("/proc/self/status") > 0);
    long before = number("RssAnon:");
    CHECK(before > 0 && number("VmHWM:") >= number("VmRSS:"));
    CHECK_EQ(number("VmRSS:"), number("RssAnon:") + number("RssFile:") + number("RssShmem:"));
    char *memory = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, 1, 8 << 20);
    CHECK(slurp("/proc/self/status") > 0);
    CHECK(number("RssAnon:") >= before + 8000);
    munmap(memory, 8 << 20);
    CHECK(slurp("/proc/self/status") > 0);
    CHECK(number("RssAnon:") < before + 4000);
    CHECK(number("VmHWM:") >= before + 8000);
}

CASE(shared_memory_is_rss_shmem)
{
    char *memory = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(memory, 1, 4 << 20);
    CHECK(slurp("/proc/self/status") > 0);
    CHECK(number("RssShmem:") >= 4096);
}

CASE(voluntary_switches_grow)
{
    CHECK(slurp("/proc/self/status") > 0);
    long before = number("voluntary_ctxt_switches:");
    for (int i = 0; i < 5; i++) {
        usleep(1000);
    }
    CHECK(slurp("/proc/self/status") > 0);
    CHECK(number("voluntary_ctxt_switches:") >= before + 5);
}

CASE(io_counts_reads_and_writes)
{
    CHECK(slurp("/proc/self/io") > 0);
    long read_before = number("rchar:"), written = number("wchar:"), calls = number("syscw:");
    int fd = open("/dev/zero", O_RDONLY), sink = open("/dev/null", O_WRONLY);
    CHECK_EQ(read(fd, text, 10000), 10000);
    CHECK_EQ(write(sink, text, 5000), 5000);
    CHECK(slurp("/proc/self/io") > 0);
    CHECK(number("rchar:") >= read_before + 10000);
    CHECK_EQ(number("wchar:"), written + 5000);
    CHECK_EQ(number("syscw:"), calls + 1);
}

CASE(rusage_counts_faults_and_peak)
{
    struct rusage before, after;
    CHECK_EQ(getrusage(RUSAGE_SELF, &before), 0);
    char *memory = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, 1, 16 << 20);
    munmap(memory, 16 << 20);
    CHECK_EQ(getrusage(RUSAGE_SELF, &after), 0);
    CHECK(after.ru_minflt > before.ru_minflt);
    CHECK(after.ru_maxrss >= 16000);
}

CASE(smaps_rollup_sums_smaps)
{
    CHECK(slurp("/proc/self/smaps_rollup") > 0);
    CHECK(strstr(text, "[rollup]\nRss:") != NULL);
    CHECK(number("Rss:") > 0 && number("Pss:") > 0 && number("Pss:") <= number("Rss:"));
}

CASE(undumpable_process_is_closed_to_others)
{
    CHECK_EQ(prctl(PR_SET_DUMPABLE, 0), 0);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        char path[64];
        if (setgid(1234) != 0 || setuid(1234) != 0) {
            _exit(1);
        }
        snprintf(path, sizeof path, "/proc/%d/environ", parent);
        if (open(path, O_RDONLY) >= 0 || errno != EACCES) {
            _exit(2);
        }
        snprintf(path, sizeof path, "/proc/%d/exe", parent);
        if (readlink(path, text, 100) >= 0 || errno != EACCES) {
            _exit(3);
        }
        snprintf(path, sizeof path, "/proc/%d/fd", parent);
        if (opendir(path) != NULL || errno != EACCES) {
            _exit(4);
        }
        snprintf(path, sizeof path, "/proc/%d/stat", parent);
        _exit(slurp(path) > 0 ? 0 : 5);
    }
    CHECK_CHILD(child);
}

CASE(fd_links_show_the_access)
{
    struct stat status;
    char path[64];
    int fd = open("/dev/null", O_WRONLY);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CHECK_EQ(lstat(path, &status), 0);
    CHECK_EQ(status.st_mode, S_IFLNK | 0300);
    CHECK_EQ(readlink(path, text, sizeof text), 9);
    CHECK(memcmp(text, "/dev/null", 9) == 0);
}

CASE(namespace_files_have_the_number_of_the_link)
{
    struct stat status;
    char expected[64];
    ssize_t length = readlink("/proc/self/ns/uts", text, sizeof text);
    CHECK(length > 0);
    CHECK_EQ(stat("/proc/self/ns/uts", &status), 0);
    snprintf(expected, sizeof expected, "uts:[%lu]", (unsigned long)status.st_ino);
    CHECK_EQ((size_t)length, strlen(expected));
    CHECK(memcmp(text, expected, length) == 0);
}

CASE(children_lists_them)
{
    char path[64], expected[32];
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    CHECK(slurp(path) > 0);
    snprintf(expected, sizeof expected, "%d ", child);
    CHECK(strcmp(text, expected) == 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

// One's own score may be lowered again to what it was.
CASE(oom_score_adj_goes_up_and_back)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY);
    CHECK(fd >= 0);
    CHECK(slurp("/proc/self/oom_score_adj") > 0);
    int before = atoi(text);
    char value[16];
    for (int score = 999; score >= before && score > 0; score -= 333) {
        int length = snprintf(value, sizeof value, "%d\n", score);
        CHECK_EQ(pwrite(fd, value, length, 0), length);
        CHECK(slurp("/proc/self/oom_score_adj") > 0);
        CHECK_EQ(atoi(text), score);
    }
    int length = snprintf(value, sizeof value, "%d", before);
    CHECK_EQ(pwrite(fd, value, length, 0), length);
    CHECK_ERRNO(pwrite(fd, "1001", 4, 0), EINVAL);
    CHECK_ERRNO(pwrite(fd, "x", 1, 0), EINVAL);
    CHECK(slurp("/proc/self/oom_score_adj") > 0);
    CHECK_EQ(atoi(text), before);
}

GUEST_MAIN("proc")
