// memfd_create(2) and file seals (fcntl(2)).
#include "guest.h"
#include <linux/memfd.h>
#include <sys/uio.h>

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8
#define MFD_EXEC 0x10
#endif

static int make(void)
{
    int fd = memfd_create("test", MFD_ALLOW_SEALING);
    CHECK(fd >= 0);
    CHECK_EQ(ftruncate(fd, 8192), 0);
    return fd;
}

static void *map(int fd, int protection, int flags)
{
    return mmap(NULL, 4096, protection, flags, fd, 0);
}

CASE(create)
{
    int fd = memfd_create("name", 0);
    CHECK(fd >= 0);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_mode, S_IFREG | 0777);
    CHECK_EQ(status.st_size, 0);
    CHECK_EQ(status.st_nlink, 0);
    CHECK_EQ(write(fd, "hello", 5), 5);
    char buffer[8];
    CHECK_EQ(pread(fd, buffer, 8, 0), 5);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
    CHECK_EQ(fcntl(fd, F_GETFD), 0);
    CHECK_EQ(fcntl(memfd_create("", MFD_CLOEXEC), F_GETFD), FD_CLOEXEC);
}

CASE(arguments)
{
    char name[300];
    memset(name, 'x', sizeof name);
    name[249] = 0;
    CHECK(memfd_create(name, 0) >= 0);
    name[249] = 'x';
    name[250] = 0;
    CHECK_ERRNO(memfd_create(name, 0), EINVAL);
    CHECK_ERRNO(memfd_create("x", 0x20), EINVAL);
    CHECK_ERRNO(memfd_create("x", MFD_EXEC | MFD_NOEXEC_SEAL), EINVAL);
    CHECK_ERRNO(memfd_create(BAD_POINTER, 0), EFAULT);
}

CASE(names_in_proc)
{
    int fd = memfd_create("my/name", 0);
    CHECK_EQ(ftruncate(fd, 4096), 0);
    char path[64], text[64] = { 0 };
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CHECK(readlink(path, text, sizeof text - 1) > 0);
    CHECK(strcmp(text, "/memfd:my/name (deleted)") == 0);
    CHECK(map(fd, PROT_READ, MAP_SHARED) != MAP_FAILED);
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    int found = 0;
    while (fgets(line, sizeof line, maps)) {
        found |= strstr(line, "/memfd:my/name (deleted)\n") != NULL;
    }
    CHECK(found);
}

CASE(open_again_through_proc)
{
    int fd = make();
    CHECK_EQ(write(fd, "hello", 5), 5);
    char path[64], buffer[8];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int other = open(path, O_RDONLY);
    CHECK(other >= 0);
    CHECK_EQ(read(other, buffer, 5), 5);
    CHECK_ERRNO(write(other, "x", 1), EBADF);
    close(fd);
    CHECK_EQ(pread(other, buffer, 5, 0), 5);
}

CASE(without_sealing)
{
    int fd = memfd_create("x", 0);
    CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
    CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
}

CASE(seals_add_up)
{
    int fd = make();
    CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), 0);
    CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
    CHECK_ERRNO(fcntl(make(), F_ADD_SEALS, 0x100), EINVAL);
}

CASE(seals_on_other_files)
{
    int fd = open("file", O_CREAT | O_RDWR, 0600), fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_ERRNO(fcntl(fds[0], F_GET_SEALS), EINVAL);
    CHECK_ERRNO(fcntl(fds[1], F_ADD_SEALS, F_SEAL_GROW), EINVAL);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == -1);
}

CASE(adding_wants_write_access)
{
    int fd = make();
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int readable = open(path, O_RDONLY);
    CHECK_ERRNO(fcntl(readable, F_ADD_SEALS, F_SEAL_GROW), EPERM);
    CHECK_EQ(fcntl(readable, F_GET_SEALS), 0);
}

CASE(shrink)
{
    int fd = make();
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    CHECK_ERRNO(ftruncate(fd, 4096), EPERM);
    CHECK_EQ(ftruncate(fd, 8192), 0);
    CHECK_EQ(ftruncate(fd, 16384), 0);
    CHECK_EQ(write(fd, "x", 1), 1);
}

CASE(grow)
{
    int fd = make();
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
    CHECK_ERRNO(ftruncate(fd, 8193), EPERM);
    CHECK_ERRNO(pwrite(fd, "x", 1, 8192), EPERM);
    CHECK_ERRNO(fallocate(fd, 0, 0, 8193), EPERM);
    CHECK_EQ(pwrite(fd, "x", 1, 8191), 1);
    CHECK_EQ(ftruncate(fd, 100), 0);
    CHECK_ERRNO(ftruncate(fd, 101), EPERM);
}

CASE(write)
{
    int fd = make();
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
    CHECK_ERRNO(write(fd, "x", 1), EPERM);
    CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), EPERM);
    CHECK_EQ(ftruncate(fd, 100), 0);
    CHECK_ERRNO((long)map(fd, PROT_WRITE, MAP_SHARED), EPERM);
    CHECK(map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE) != MAP_FAILED);
    void *readable = map(fd, PROT_READ, MAP_SHARED);
    CHECK(readable != MAP_FAILED);
    CHECK_ERRNO(mprotect(readable, 4096, PROT_READ | PROT_WRITE), EACCES);
}

CASE(write_with_mapping_is_busy)
{
    int fd = make();
    char *shared = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
    CHECK(shared != MAP_FAILED);
    CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    CHECK_EQ(mprotect(shared, 4096, PROT_READ), 0);
    CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    CHECK_EQ(munmap(shared, 4096), 0);
    CHECK(map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE) != MAP_FAILED);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
}

CASE(future_write)
{
    int fd = make();
    char *shared = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
    shared[0] = 'x';
    char c = 0;
    CHECK_EQ(pread(fd, &c, 1, 0), 1);
    CHECK_EQ(c, 'x');
    CHECK_ERRNO(write(fd, "y", 1), EPERM);
    CHECK_ERRNO((long)map(fd, PROT_WRITE, MAP_SHARED), EPERM);
    void *readable = map(fd, PROT_READ, MAP_SHARED);
    CHECK(readable != MAP_FAILED);
    CHECK_ERRNO(mprotect(readable, 4096, PROT_WRITE), EACCES);
}

CASE(seal_exec)
{
    int fd = make();
    CHECK_EQ(fchmod(fd, 0644), 0);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC), 0);
    CHECK_ERRNO(fchmod(fd, 0755), EPERM);
    CHECK_EQ(fchmod(fd, 0600), 0);
    CHECK_EQ(write(fd, "x", 1), 1);
}

CASE(seal_exec_of_executable)
{
    int fd = make();
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC), 0);
    CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_EXEC | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE);
    CHECK_ERRNO(write(fd, "x", 1), EPERM);
}

CASE(noexec_seal)
{
    int fd = memfd_create("x", MFD_NOEXEC_SEAL);
    CHECK(fd >= 0);
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    CHECK_EQ(status.st_mode & 07777, 0666);
    CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_EXEC);
    CHECK_ERRNO(fchmod(fd, 0777), EPERM);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
}

CASE(exec_from_memfd)
{
    int fd = memfd_create("program", MFD_CLOEXEC), in = open("/bin/true", O_RDONLY);
    static char buffer[1 << 16];
    ssize_t count;
    CHECK(in >= 0);
    while ((count = read(in, buffer, sizeof buffer)) > 0) {
        CHECK_EQ(write(fd, buffer, count), count);
    }
    pid_t pid = fork();
    if (pid == 0) {
        char *arguments[] = { "true", NULL }, *environment[] = { NULL };
        syscall(SYS_execveat, fd, "", arguments, environment, AT_EMPTY_PATH);
        _exit(1);
    }
    CHECK_CHILD(pid);
}

CASE(shared_by_processes)
{
    int fd = make();
    char *shared = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
    pid_t pid = fork();
    if (pid == 0) {
        shared[100] = 7;
        _exit(0);
    }
    CHECK_CHILD(pid);
    CHECK_EQ(shared[100], 7);
    char c;
    CHECK_EQ(pread(fd, &c, 1, 100), 1);
    CHECK_EQ(c, 7);
}

GUEST_MAIN("memfd")
