// eventfd(2)
#include "guest.h"
#include <poll.h>
#include <sys/eventfd.h>

CASE(counter_adds_up)
{
    int fd = eventfd(3, 0);
    uint64_t value = 4;
    CHECK_EQ(write(fd, &value, 8), 8);
    CHECK_EQ(read(fd, &value, 8), 8);
    CHECK_EQ(value, 7);
}

CASE(semaphore_takes_one)
{
    int fd = eventfd(3, EFD_SEMAPHORE);
    uint64_t value;
    CHECK_EQ(read(fd, &value, 8), 8);
    CHECK_EQ(value, 1);
    CHECK_EQ(read(fd, &value, 8), 8);
    CHECK_EQ(value, 1);
}

CASE(eagain_when_zero)
{
    int fd = eventfd(0, EFD_NONBLOCK);
    uint64_t value;
    CHECK_ERRNO(read(fd, &value, 8), EAGAIN);
}

CASE(eagain_when_it_would_overflow)
{
    int fd = eventfd(1, EFD_NONBLOCK);
    uint64_t value = UINT64_MAX - 1;
    CHECK_ERRNO(write(fd, &value, 8), EAGAIN);
    value = UINT64_MAX - 2;
    CHECK_EQ(write(fd, &value, 8), 8);
    struct pollfd poll_fd = { fd, POLLIN | POLLOUT, 0 };
    CHECK_EQ(poll(&poll_fd, 1, 0), 1);
    CHECK_EQ(poll_fd.revents, POLLIN);
}

CASE(einval_for_all_ones)
{
    int fd = eventfd(0, 0);
    uint64_t value = UINT64_MAX;
    CHECK_ERRNO(write(fd, &value, 8), EINVAL);
}

CASE(einval_for_short_buffers)
{
    int fd = eventfd(1, 0);
    uint32_t value = 1;
    CHECK_ERRNO(read(fd, &value, 4), EINVAL);
    CHECK_ERRNO(write(fd, &value, 4), EINVAL);
}

CASE(einval_for_unknown_flags)
{
    CHECK_ERRNO(eventfd(0, 0x10), EINVAL);
}

CASE(efault_keeps_the_counter)
{
    int fd = eventfd(0, EFD_NONBLOCK);
    CHECK_ERRNO(syscall(SYS_write, fd, BAD_POINTER, 8), EFAULT);
    uint64_t value;
    CHECK_ERRNO(read(fd, &value, 8), EAGAIN);
}

CASE(read_waits_for_a_write)
{
    int fd = eventfd(0, 0);
    pid_t pid = fork();
    if (pid == 0) {
        sleep_ms(20);
        uint64_t one = 1;
        CHECK_EQ(write(fd, &one, 8), 8);
        _exit(0);
    }
    uint64_t value;
    CHECK_EQ(read(fd, &value, 8), 8);
    CHECK_EQ(value, 1);
    CHECK_CHILD(pid);
}

CASE(has_no_offset)
{
    int fd = eventfd(1, 0);
    uint64_t value;
    CHECK_ERRNO(pread(fd, &value, 8, 0), ESPIPE);
    CHECK_EQ(lseek(fd, 5, SEEK_SET), 0);
}

GUEST_MAIN("eventfd")
