// inotify(7)
#include "guest.h"
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>

static char buffer[65536] __attribute__((aligned(8)));
static ssize_t have, at;

// The next event, or NULL if there is none.
static struct inotify_event *next(int fd)
{
    if (at >= have) {
        have = read(fd, buffer, sizeof buffer);
        at = 0;
        if (have <= 0) {
            have = 0;
            return NULL;
        }
    }
    struct inotify_event *event = (struct inotify_event *)(buffer + at);
    at += sizeof *event + event->len;
    return event;
}

#define EXPECT(FD, WATCH, MASK, NAME)                                                                                  \
    do {                                                                                                               \
        struct inotify_event *event_ = next(FD);                                                                       \
        CHECK(event_ != NULL);                                                                                         \
        CHECK_EQ(event_->mask, (uint32_t)(MASK));                                                                      \
        CHECK_EQ(event_->wd, WATCH);                                                                                   \
        const char *name_ = (NAME);                                                                                    \
        CHECK(name_ ? event_->len > 0 && strcmp(event_->name, name_) == 0 : event_->len == 0);                         \
    } while (0)

#define EXPECT_NONE(FD) CHECK(next(FD) == NULL)

static void make(const char *path)
{
    int fd = open(path, O_CREAT | O_RDWR, 0644);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, "hello", 5), 5);
    close(fd);
}

static int watch_here(uint32_t mask, int *watch)
{
    int fd = inotify_init1(IN_NONBLOCK);
    CHECK(fd >= 0);
    *watch = inotify_add_watch(fd, ".", mask);
    CHECK(*watch > 0);
    return fd;
}

CASE(create_write_close)
{
    int wd, fd = watch_here(IN_ALL_EVENTS, &wd);
    make("f");
    EXPECT(fd, wd, IN_CREATE, "f");
    EXPECT(fd, wd, IN_OPEN, "f");
    EXPECT(fd, wd, IN_MODIFY, "f");
    EXPECT(fd, wd, IN_CLOSE_WRITE, "f");
    EXPECT_NONE(fd);
}

CASE(read_close)
{
    make("f");
    int wd, fd = watch_here(IN_ALL_EVENTS, &wd), file = open("f", O_RDONLY);
    char c;
    CHECK_EQ(read(file, &c, 1), 1);
    close(file);
    EXPECT(fd, wd, IN_OPEN, "f");
    EXPECT(fd, wd, IN_ACCESS, "f");
    EXPECT(fd, wd, IN_CLOSE_NOWRITE, "f");
    EXPECT_NONE(fd);
}

CASE(nothing_at_end_of_file)
{
    make("f");
    int file = open("f", O_RDONLY);
    lseek(file, 0, SEEK_END);
    int wd, fd = watch_here(IN_ACCESS, &wd);
    char c;
    CHECK_EQ(read(file, &c, 1), 0);
    EXPECT_NONE(fd);
}

CASE(directories)
{
    int wd, fd = watch_here(IN_ALL_EVENTS, &wd);
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(rmdir("d"), 0);
    EXPECT(fd, wd, IN_CREATE | IN_ISDIR, "d");
    EXPECT(fd, wd, IN_DELETE | IN_ISDIR, "d");
    EXPECT_NONE(fd);
}

CASE(symlinks_fifos_nodes)
{
    int wd, fd = watch_here(IN_ALL_EVENTS, &wd);
    CHECK_EQ(symlink("x", "s"), 0);
    CHECK_EQ(mkfifo("p", 0644), 0);
    EXPECT(fd, wd, IN_CREATE, "s");
    EXPECT(fd, wd, IN_CREATE, "p");
    EXPECT_NONE(fd);
}

CASE(hard_links)
{
    make("f");
    int wd, fd = watch_here(IN_ALL_EVENTS, &wd), self = inotify_add_watch(fd, "f", IN_ALL_EVENTS);
    CHECK_EQ(link("f", "g"), 0);
    EXPECT(fd, self, IN_ATTRIB, NULL);
    EXPECT(fd, wd, IN_CREATE, "g");
    CHECK_EQ(unlink("g"), 0);
    EXPECT(fd, self, IN_ATTRIB, NULL);
    EXPECT(fd, wd, IN_DELETE, "g");
    EXPECT_NONE(fd);
}

CASE(unlink_of_a_watched_file)
{
    make("f");
    int wd, fd = watch_here(IN_ALL_EVENTS, &wd), self = inotify_add_watch(fd, "f", IN_ALL_EVENTS);
    CHECK_EQ(unlink("f"), 0);
    EXPECT(fd, self, IN_ATTRIB, NULL);
    EXPECT(fd, self, IN_DELETE_SELF, NULL);
    EXPECT(fd, self, IN_IGNORED, NULL);
    EXPECT(fd, wd, IN_DELETE, "f");
    EXPECT_NONE(fd);
    CHECK_ERRNO(inotify_rm_watch(fd, self), EINVAL);
}

CASE(unlink_of_an_open_file)
{
    make("f");
    int fd = inotify_init1(IN_NONBLOCK), self = inotify_add_watch(fd, "f", IN_ALL_EVENTS), file = open("f", O_RDONLY);
    CHECK_EQ(unlink("f"), 0);
    EXPECT(fd, self, IN_OPEN, NULL);
    EXPECT(fd, self, IN_ATTRIB, NULL);
    EXPECT_NONE(fd);
    close(file);
    EXPECT(fd, self, IN_CLOSE_NOWRITE, NULL);
    EXPECT(fd, self, IN_DELETE_SELF, NULL);
    EXPECT(fd, self, IN_IGNORED, NULL);
    EXPECT_NONE(fd);
}

CASE(rmdir_of_a_watched_directory)
{
    CHECK_EQ(mkdir("d", 0755), 0);
    int fd = inotify_init1(IN_NONBLOCK), self = inotify_add_watch(fd, "d", IN_ALL_EVENTS);
    int wd = inotify_add_watch(fd, ".", IN_ALL_EVENTS);
    CHECK_EQ(rmdir("d"), 0);
    EXPECT(fd, self, IN_DELETE_SELF, NULL);
    EXPECT(fd, self, IN_IGNORED, NULL);
    EXPECT(fd, wd, IN_DELETE | IN_ISDIR, "d");
    EXPECT_NONE(fd);
}

CASE(rename_has_a_cookie)
{
    make("f");
    CHECK_EQ(mkdir("d", 0755), 0);
    int wd, fd = watch_here(IN_MOVE | IN_MOVE_SELF, &wd), inner = inotify_add_watch(fd, "d", IN_MOVE), self = inotify_add_watch(fd, "f", IN_MOVE_SELF);
    CHECK_EQ(rename("f", "d/g"), 0);
    struct inotify_event *from = next(fd), *to = next(fd);
    CHECK(from && to);
    CHECK_EQ(from->wd, wd);
    CHECK_EQ(from->mask, IN_MOVED_FROM);
    CHECK(strcmp(from->name, "f") == 0);
    CHECK_EQ(to->wd, inner);
    CHECK_EQ(to->mask, IN_MOVED_TO);
    CHECK(strcmp(to->name, "g") == 0);
    CHECK(from->cookie != 0);
    CHECK_EQ(from->cookie, to->cookie);
    uint32_t cookie = from->cookie;
    EXPECT(fd, self, IN_MOVE_SELF, NULL);
    EXPECT_NONE(fd);
    CHECK_EQ(rename("d/g", "f"), 0);
    CHECK(next(fd)->cookie != cookie);
}

CASE(rename_over_a_file)
{
    make("f");
    make("g");
    int wd, fd = watch_here(IN_ALL_EVENTS, &wd), self = inotify_add_watch(fd, "g", IN_ALL_EVENTS);
    CHECK_EQ(rename("f", "g"), 0);
    EXPECT(fd, wd, IN_MOVED_FROM, "f");
    EXPECT(fd, wd, IN_MOVED_TO, "g");
    EXPECT(fd, self, IN_ATTRIB, NULL);
    EXPECT(fd, self, IN_DELETE_SELF, NULL);
    EXPECT(fd, self, IN_IGNORED, NULL);
    EXPECT_NONE(fd);
}

CASE(rename_of_a_directory)
{
    CHECK_EQ(mkdir("d", 0755), 0);
    int wd, fd = watch_here(IN_ALL_EVENTS, &wd);
    CHECK_EQ(rename("d", "e"), 0);
    EXPECT(fd, wd, IN_MOVED_FROM | IN_ISDIR, "d");
    EXPECT(fd, wd, IN_MOVED_TO | IN_ISDIR, "e");
    EXPECT_NONE(fd);
}

CASE(attributes)
{
    make("f");
    int wd, fd = watch_here(IN_ALL_EVENTS, &wd), self = inotify_add_watch(fd, "f", IN_ALL_EVENTS);
    CHECK_EQ(chmod("f", 0600), 0);
    EXPECT(fd, wd, IN_ATTRIB, "f");
    EXPECT(fd, self, IN_ATTRIB, NULL);
    CHECK_EQ(chown("f", 0, 0), 0);
    EXPECT(fd, wd, IN_ATTRIB, "f");
    EXPECT(fd, self, IN_ATTRIB, NULL);
    CHECK_EQ(utimensat(AT_FDCWD, "f", NULL, 0), 0);
    EXPECT(fd, wd, IN_ATTRIB, "f");
    EXPECT(fd, self, IN_ATTRIB, NULL);
    CHECK_EQ(truncate("f", 2), 0);
    EXPECT(fd, wd, IN_MODIFY, "f");
    EXPECT(fd, self, IN_MODIFY, NULL);
    CHECK_EQ(chmod(".", 0700), 0);
    EXPECT(fd, wd, IN_ATTRIB | IN_ISDIR, NULL);
    EXPECT_NONE(fd);
}

CASE(truncating_open)
{
    make("f");
    int wd, fd = watch_here(IN_ALL_EVENTS, &wd);
    close(open("f", O_WRONLY | O_TRUNC));
    EXPECT(fd, wd, IN_OPEN, "f");
    EXPECT(fd, wd, IN_MODIFY, "f");
    EXPECT(fd, wd, IN_CLOSE_WRITE, "f");
    EXPECT_NONE(fd);
}

CASE(equal_events_are_merged)
{
    make("f");
    int wd, fd = watch_here(IN_MODIFY, &wd), file = open("f", O_WRONLY);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(write(file, "x", 1), 1);
    }
    EXPECT(fd, wd, IN_MODIFY, "f");
    EXPECT_NONE(fd);
}

CASE(mask_is_a_filter)
{
    int wd, fd = watch_here(IN_CLOSE_WRITE, &wd);
    make("f");
    EXPECT(fd, wd, IN_CLOSE_WRITE, "f");
    EXPECT_NONE(fd);
}

CASE(adding_again_replaces_or_adds)
{
    int wd, fd = watch_here(IN_CREATE, &wd);
    CHECK_EQ(inotify_add_watch(fd, ".", IN_DELETE), wd);
    make("f");
    EXPECT_NONE(fd);
    CHECK_EQ(inotify_add_watch(fd, ".", IN_CREATE | IN_MASK_ADD), wd);
    CHECK_EQ(unlink("f"), 0);
    make("f");
    EXPECT(fd, wd, IN_DELETE, "f");
    EXPECT(fd, wd, IN_CREATE, "f");
    EXPECT_NONE(fd);
    CHECK_ERRNO(inotify_add_watch(fd, ".", IN_CREATE | IN_MASK_CREATE), EEXIST);
    CHECK_ERRNO(inotify_add_watch(fd, ".", IN_CREATE | IN_MASK_CREATE | IN_MASK_ADD), EINVAL);
}

CASE(oneshot)
{
    int wd, fd = watch_here(IN_CREATE | IN_ONESHOT, &wd);
    make("f");
    make("g");
    EXPECT(fd, wd, IN_CREATE, "f");
    EXPECT(fd, wd, IN_IGNORED, NULL);
    EXPECT_NONE(fd);
}

CASE(excl_unlink)
{
    make("f");
    int wd, fd = watch_here(IN_MODIFY | IN_EXCL_UNLINK, &wd), file = open("f", O_WRONLY);
    CHECK_EQ(unlink("f"), 0);
    CHECK_EQ(write(file, "x", 1), 1);
    EXPECT_NONE(fd);
}

CASE(onlydir_and_symlinks)
{
    make("f");
    CHECK_EQ(symlink("f", "s"), 0);
    int fd = inotify_init1(IN_NONBLOCK);
    CHECK_ERRNO(inotify_add_watch(fd, "f", IN_OPEN | IN_ONLYDIR), ENOTDIR);
    int file = inotify_add_watch(fd, "f", IN_OPEN);
    CHECK_EQ(inotify_add_watch(fd, "s", IN_OPEN), file);
    CHECK(inotify_add_watch(fd, "s", IN_OPEN | IN_DONT_FOLLOW) != file);
}

CASE(remove)
{
    int wd, fd = watch_here(IN_ALL_EVENTS, &wd);
    CHECK_EQ(inotify_rm_watch(fd, wd), 0);
    EXPECT(fd, wd, IN_IGNORED, NULL);
    make("f");
    EXPECT_NONE(fd);
    CHECK_ERRNO(inotify_rm_watch(fd, wd), EINVAL);
    int again = inotify_add_watch(fd, ".", IN_OPEN);
    CHECK(again != wd);
}

CASE(errors)
{
    int fd = inotify_init1(IN_NONBLOCK), fds[2];
    CHECK_ERRNO(inotify_init1(1), EINVAL);
    CHECK_ERRNO(inotify_add_watch(fd, ".", 0), EINVAL);
    CHECK_ERRNO(inotify_add_watch(fd, ".", 0x1000), EINVAL);
    CHECK_ERRNO(inotify_add_watch(fd, "nothing", IN_OPEN), ENOENT);
    CHECK_ERRNO(syscall(SYS_inotify_add_watch, fd, BAD_POINTER, IN_OPEN), EFAULT);
    CHECK_ERRNO(inotify_add_watch(99, ".", IN_OPEN), EBADF);
    CHECK_EQ(pipe(fds), 0);
    CHECK_ERRNO(inotify_add_watch(fds[0], ".", IN_OPEN), EINVAL);
    CHECK_ERRNO(inotify_rm_watch(fds[0], 1), EINVAL);
    CHECK_ERRNO(inotify_rm_watch(99, 1), EBADF);
    CHECK_ERRNO(write(fd, "x", 1), EBADF);
}

CASE(flags)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK_ERRNO(read(fd, buffer, sizeof buffer), EAGAIN);
}

CASE(short_buffers)
{
    int wd, fd = watch_here(IN_CREATE, &wd);
    make("f");
    make("g");
    CHECK_ERRNO(read(fd, buffer, 16), EINVAL);
    CHECK_EQ(read(fd, buffer, 40), 32);
    CHECK_EQ(read(fd, buffer, 1000), 32);
}

CASE(names_are_padded)
{
    int wd, fd = watch_here(IN_CREATE, &wd);
    make("fifteen-letters");
    make("sixteen--letters");
    struct inotify_event *event = next(fd);
    CHECK_EQ(event->len, 16);
    event = next(fd);
    CHECK_EQ(event->len, 32);
}

CASE(fionread)
{
    int wd, fd = watch_here(IN_CREATE, &wd), count;
    CHECK_EQ(ioctl(fd, FIONREAD, &count), 0);
    CHECK_EQ(count, 0);
    make("f");
    make("g");
    CHECK_EQ(ioctl(fd, FIONREAD, &count), 0);
    CHECK_EQ(count, 64);
}

CASE(poll_waits)
{
    int wd, fd = watch_here(IN_CREATE, &wd);
    struct pollfd poll_fd = { fd, POLLIN, 0 };
    CHECK_EQ(poll(&poll_fd, 1, 0), 0);
    pid_t pid = fork();
    if (pid == 0) {
        sleep_ms(10);
        make("f");
        _exit(0);
    }
    CHECK_EQ(poll(&poll_fd, 1, 5000), 1);
    CHECK_EQ(poll_fd.revents, POLLIN);
    CHECK_CHILD(pid);
}

CASE(read_blocks)
{
    int fd = inotify_init1(0), wd = inotify_add_watch(fd, ".", IN_CREATE);
    pid_t pid = fork();
    if (pid == 0) {
        sleep_ms(10);
        make("f");
        _exit(0);
    }
    EXPECT(fd, wd, IN_CREATE, "f");
    CHECK_CHILD(pid);
}

CASE(sendfile_reads_and_writes)
{
    make("f");
    make("g");
    int source = open("f", O_RDONLY), target = open("g", O_WRONLY), wd, fd = watch_here(IN_ACCESS | IN_MODIFY, &wd);
    CHECK_EQ(sendfile(target, source, NULL, 5), 5);
    EXPECT(fd, wd, IN_ACCESS, "f");
    EXPECT(fd, wd, IN_MODIFY, "g");
    EXPECT_NONE(fd);
}

CASE(overflow)
{
    int wd, fd = watch_here(IN_ATTRIB, &wd);
    make("f");
    make("g");
    int first = open("f", O_RDONLY), second = open("g", O_RDONLY);
    for (int i = 0; i < 8300; i++) {
        fchmod(first, 0600);
        fchmod(second, 0600);
    }
    struct inotify_event *event, *last = NULL;
    int count = 0;
    while ((event = next(fd))) {
        count++;
        last = event;
        if (event->mask & IN_Q_OVERFLOW) {
            break;
        }
    }
    CHECK_EQ(count, 16385);
    CHECK_EQ(last->mask, IN_Q_OVERFLOW);
    CHECK_EQ(last->wd, -1);
}

CASE(many_watches)
{
    int fd = inotify_init1(IN_NONBLOCK), wd[200];
    char name[16];
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "f%d", i);
        make(name);
        wd[i] = inotify_add_watch(fd, name, IN_ATTRIB);
        CHECK_EQ(wd[i], i + 1);
    }
    CHECK_EQ(chmod("f150", 0600), 0);
    EXPECT(fd, wd[150], IN_ATTRIB, NULL);
    EXPECT_NONE(fd);
}

CASE(two_instances)
{
    int wd, fd = watch_here(IN_CREATE, &wd), wd2, fd2 = watch_here(IN_CREATE | IN_OPEN, &wd2);
    make("f");
    EXPECT(fd, wd, IN_CREATE, "f");
    EXPECT_NONE(fd);
    EXPECT(fd2, wd2, IN_CREATE, "f");
    EXPECT(fd2, wd2, IN_OPEN, "f");
    EXPECT_NONE(fd2);
}

CASE(getdents_is_an_access)
{
    int wd, fd = watch_here(IN_ACCESS, &wd), directory = open(".", O_RDONLY | O_DIRECTORY);
    CHECK(syscall(SYS_getdents64, directory, buffer, sizeof buffer) > 0);
    EXPECT(fd, wd, IN_ACCESS | IN_ISDIR, NULL);
}

GUEST_MAIN("inotify")
