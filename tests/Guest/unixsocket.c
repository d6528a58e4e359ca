// unix(7): socket(2), socketpair(2), bind(2), connect(2), accept(2), send(2), recv(2), SCM_RIGHTS, SCM_CREDENTIALS
#include "guest.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static socklen_t address(struct sockaddr_un *name, const char *path)
{
    memset(name, 0, sizeof *name);
    name->sun_family = AF_UNIX;
    if (path[0] == '@') {
        memcpy(name->sun_path + 1, path + 1, strlen(path) - 1);
    } else {
        strcpy(name->sun_path, path);
    }
    return offsetof(struct sockaddr_un, sun_path) + strlen(path) + (path[0] == '@' ? 0 : 1);
}

static int bind_to(int fd, const char *path)
{
    struct sockaddr_un name;
    socklen_t length = address(&name, path);
    return bind(fd, (struct sockaddr *)&name, length);
}

static int connect_to(int fd, const char *path)
{
    struct sockaddr_un name;
    socklen_t length = address(&name, path);
    return connect(fd, (struct sockaddr *)&name, length);
}

static int listener(int type, const char *path)
{
    int fd = socket(AF_UNIX, type, 0);
    CHECK(fd >= 0);
    CHECK_EQ(bind_to(fd, path), 0);
    CHECK_EQ(listen(fd, 5), 0);
    return fd;
}

static void pair(int fds[2], int type)
{
    CHECK_EQ(socketpair(AF_UNIX, type, 0, fds), 0);
}

static long send_fd(int socket, int fd)
{
    char c = 'f';
    struct iovec part = { &c, 1 };
    union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = { 0 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return sendmsg(socket, &message, 0);
}

static int receive_fd(int socket, int flags)
{
    char c;
    struct iovec part = { &c, 1 };
    union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = { 0 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    CHECK_EQ(recvmsg(socket, &message, flags), 1);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    CHECK(header != NULL);
    CHECK(header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int)));
    int fd;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

CASE(socket_is_checked)
{
    CHECK_ERRNO(socket(AF_UNIX, 77, 0), EINVAL);
    CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM | 0x100, 0), EINVAL);
    CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM, 5), EPROTONOSUPPORT);
    CHECK_ERRNO(socket(999, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERRNO(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK) && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    CHECK_ERRNO(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, BAD_POINTER), EFAULT);
}

CASE(stream_pair_joins_bytes)
{
    int fds[2];
    pair(fds, SOCK_STREAM);
    CHECK_EQ(write(fds[0], "abc", 3), 3);
    CHECK_EQ(write(fds[0], "def", 3), 3);
    char buffer[10];
    CHECK_EQ(read(fds[1], buffer, 10), 6);
    CHECK(memcmp(buffer, "abcdef", 6) == 0);
    CHECK_EQ(write(fds[1], "back", 4), 4);
    CHECK_EQ(read(fds[0], buffer, 2), 2);
    CHECK_EQ(read(fds[0], buffer, 10), 2);
}

CASE(packets_keep_their_ends)
{
    int types[] = { SOCK_DGRAM, SOCK_SEQPACKET };
    for (int i = 0; i < 2; i++) {
        int fds[2];
        pair(fds, types[i]);
        CHECK_EQ(send(fds[0], "abc", 3, 0), 3);
        CHECK_EQ(send(fds[0], "defgh", 5, 0), 5);
        char buffer[10];
        CHECK_EQ(recv(fds[1], buffer, 10, 0), 3);
        CHECK_EQ(recv(fds[1], buffer, 2, 0), 2);
        CHECK_ERRNO(recv(fds[1], buffer, 2, MSG_DONTWAIT), EAGAIN);
        CHECK_EQ(send(fds[0], "defgh", 5, 0), 5);
        CHECK_EQ(recv(fds[1], buffer, 2, MSG_TRUNC), 5);
        CHECK_EQ(send(fds[0], "", 0, 0), 0);
        CHECK_EQ(recv(fds[1], buffer, 10, MSG_DONTWAIT), 0);
    }
}

CASE(peek_leaves_it)
{
    int fds[2];
    char buffer[10];
    pair(fds, SOCK_STREAM);
    CHECK_EQ(write(fds[0], "abc", 3), 3);
    CHECK_EQ(recv(fds[1], buffer, 10, MSG_PEEK), 3);
    CHECK_EQ(recv(fds[1], buffer, 2, MSG_PEEK), 2);
    CHECK_EQ(recv(fds[1], buffer, 10, 0), 3);
}

CASE(waitall_fills_the_buffer)
{
    int fds[2];
    pair(fds, SOCK_STREAM);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(write(fds[0], "abc", 3), 3);
        sleep_ms(20);
        CHECK_EQ(write(fds[0], "def", 3), 3);
        _exit(0);
    }
    char buffer[6];
    CHECK_EQ(recv(fds[1], buffer, 6, MSG_WAITALL), 6);
    CHECK_CHILD(pid);
}

CASE(closed_peer_is_the_end)
{
    int fds[2];
    char c;
    pair(fds, SOCK_STREAM);
    CHECK_EQ(write(fds[0], "a", 1), 1);
    close(fds[0]);
    CHECK_EQ(read(fds[1], &c, 1), 1);
    CHECK_EQ(read(fds[1], &c, 1), 0);
    CHECK_ERRNO(send(fds[1], "x", 1, MSG_NOSIGNAL), EPIPE);
    struct pollfd entry = { fds[1], POLLIN | POLLOUT | POLLRDHUP, 0 };
    CHECK_EQ(poll(&entry, 1, 0), 1);
    CHECK_EQ(entry.revents, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
}

CASE(unread_data_resets_the_peer)
{
    int fds[2];
    char c;
    pair(fds, SOCK_STREAM);
    CHECK_EQ(write(fds[0], "a", 1), 1);
    close(fds[1]);
    CHECK_ERRNO(read(fds[0], &c, 1), ECONNRESET);
    CHECK_EQ(read(fds[0], &c, 1), 0);
}

CASE(sigpipe_unless_told_not_to)
{
    int fds[2];
    pair(fds, SOCK_STREAM);
    close(fds[1]);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(send(fds[0], "x", 1, 0) == -1);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, SIGPIPE);
}

CASE(shutdown_one_direction)
{
    int fds[2];
    char c;
    pair(fds, SOCK_STREAM);
    CHECK_EQ(shutdown(fds[0], SHUT_WR), 0);
    CHECK_EQ(read(fds[1], &c, 1), 0);
    CHECK_ERRNO(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(write(fds[1], "y", 1), 1);
    CHECK_EQ(read(fds[0], &c, 1), 1);
    CHECK_EQ(shutdown(fds[0], SHUT_RD), 0);
    CHECK_EQ(read(fds[0], &c, 1), 0);
    CHECK_ERRNO(send(fds[1], "z", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_ERRNO(shutdown(fds[0], 3), EINVAL);
}

CASE(bind_makes_a_socket_file)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    umask(022);
    CHECK_EQ(bind_to(fd, "s"), 0);
    struct stat status;
    CHECK_EQ(stat("s", &status), 0);
    CHECK_EQ(status.st_mode, S_IFSOCK | 0755);
    CHECK_ERRNO(open("s", O_RDWR), ENXIO);
    CHECK_ERRNO(bind_to(fd, "t"), EINVAL);
    CHECK_ERRNO(bind_to(socket(AF_UNIX, SOCK_STREAM, 0), "s"), EADDRINUSE);
    CHECK_ERRNO(bind_to(socket(AF_UNIX, SOCK_STREAM, 0), "none/s"), ENOENT);
    struct sockaddr_un name = { AF_INET };
    CHECK_ERRNO(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof name), EINVAL);
    CHECK_ERRNO(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, 1000), EINVAL);
}

CASE(names_are_told)
{
    struct sockaddr_un name;
    socklen_t length = sizeof name;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&name, &length), 0);
    CHECK(length == 2 && name.sun_family == AF_UNIX);
    CHECK_EQ(bind_to(fd, "name"), 0);
    length = sizeof name;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&name, &length), 0);
    CHECK(length == 7 && strcmp(name.sun_path, "name") == 0);
    CHECK_EQ(listen(fd, 1), 0);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERRNO(getpeername(client, (struct sockaddr *)&name, &length), ENOTCONN);
    CHECK_EQ(connect_to(client, "name"), 0);
    length = sizeof name;
    CHECK_EQ(getpeername(client, (struct sockaddr *)&name, &length), 0);
    CHECK(length == 7 && strcmp(name.sun_path, "name") == 0);
    length = 4;
    CHECK_EQ(getpeername(client, (struct sockaddr *)&name, &length), 0);
    CHECK_EQ(length, 7);
}

CASE(autobind)
{
    struct sockaddr_un name = { AF_UNIX };
    socklen_t length = sizeof name;
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&name, 2), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&name, &length), 0);
    CHECK(length == 8 && name.sun_path[0] == 0);
}

CASE(abstract_names)
{
    int fd = listener(SOCK_STREAM, "@guest-abstract");
    CHECK_ERRNO(bind_to(socket(AF_UNIX, SOCK_STREAM, 0), "@guest-abstract"), EADDRINUSE);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(connect_to(client, "@guest-abstract"), 0);
    CHECK_ERRNO(connect_to(socket(AF_UNIX, SOCK_STREAM, 0), "@guest-other"), ECONNREFUSED);
    close(fd);
    CHECK_EQ(bind_to(socket(AF_UNIX, SOCK_STREAM, 0), "@guest-abstract"), 0);
}

CASE(accept_gives_the_other_end)
{
    int fd = listener(SOCK_STREAM, "s"), client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(connect_to(client, "s"), 0);
    struct sockaddr_un name;
    socklen_t length = sizeof name;
    int server = accept4(fd, (struct sockaddr *)&name, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    CHECK(server >= 0);
    CHECK_EQ(length, 2);
    CHECK(fcntl(server, F_GETFD) == FD_CLOEXEC && (fcntl(server, F_GETFL) & O_NONBLOCK));
    CHECK_EQ(write(client, "hello", 5), 5);
    char buffer[8];
    CHECK_EQ(read(server, buffer, 8), 5);
    CHECK_ERRNO(accept4(fd, NULL, NULL, 0x77), EINVAL);
    CHECK_ERRNO(accept(client, NULL, NULL), EINVAL);
    CHECK_ERRNO(accept(99, NULL, NULL), EBADF);
    CHECK_ERRNO(accept(open("/dev/null", O_RDWR), NULL, NULL), ENOTSOCK);
}

CASE(connect_errors)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERRNO(connect_to(fd, "none"), ENOENT);
    CHECK(open("file", O_CREAT | O_RDWR, 0600) >= 0);
    CHECK_ERRNO(connect_to(fd, "file"), ECONNREFUSED);
    int server = listener(SOCK_STREAM, "s");
    CHECK_ERRNO(connect_to(socket(AF_UNIX, SOCK_DGRAM, 0), "s"), EPROTOTYPE);
    CHECK_ERRNO(connect_to(socket(AF_UNIX, SOCK_SEQPACKET, 0), "s"), EPROTOTYPE);
    CHECK_EQ(connect_to(fd, "s"), 0);
    CHECK_ERRNO(connect_to(fd, "s"), EISCONN);
    close(server);
    CHECK_ERRNO(connect_to(socket(AF_UNIX, SOCK_STREAM, 0), "s"), ECONNREFUSED);
    CHECK_ERRNO(listen(socket(AF_UNIX, SOCK_STREAM, 0), 1), EINVAL);
    CHECK_ERRNO(listen(socket(AF_UNIX, SOCK_DGRAM, 0), 1), EOPNOTSUPP);
    char c;
    CHECK_ERRNO(recv(socket(AF_UNIX, SOCK_STREAM, 0), &c, 1, 0), EINVAL);
    CHECK_ERRNO(send(socket(AF_UNIX, SOCK_STREAM, 0), &c, 1, 0), ENOTCONN);
}

CASE(connect_needs_write_permission)
{
    listener(SOCK_STREAM, "s");
    CHECK_EQ(chmod("s", 0555), 0);
    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    CHECK_ERRNO(connect_to(socket(AF_UNIX, SOCK_STREAM, 0), "s"), EACCES);
}

CASE(full_backlog_is_eagain)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(bind_to(fd, "s"), 0);
    CHECK_EQ(listen(fd, 1), 0);
    int i;
    for (i = 0; i < 10; i++) {
        if (connect_to(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), "s") != 0) {
            break;
        }
    }
    int error = errno;
    CHECK_EQ(i, 2);
    CHECK_EQ(error, EAGAIN);
    struct pollfd entry = { fd, POLLIN, 0 };
    CHECK_EQ(poll(&entry, 1, 0), 1);
}

CASE(datagrams_to_names)
{
    int a = socket(AF_UNIX, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_EQ(bind_to(a, "a"), 0);
    CHECK_EQ(bind_to(b, "b"), 0);
    struct sockaddr_un name;
    socklen_t length = address(&name, "b");
    CHECK_EQ(sendto(a, "hello", 5, 0, (struct sockaddr *)&name, length), 5);
    char buffer[8];
    length = sizeof name;
    CHECK_EQ(recvfrom(b, buffer, 8, 0, (struct sockaddr *)&name, &length), 5);
    CHECK(length == 4 && strcmp(name.sun_path, "a") == 0);
    CHECK_ERRNO(send(a, "x", 1, 0), ENOTCONN);
    CHECK_EQ(connect_to(a, "b"), 0);
    CHECK_EQ(send(a, "x", 1, 0), 1);
    int other = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_EQ(connect_to(b, "a"), 0);
    length = address(&name, "b");
    CHECK_ERRNO(sendto(other, "x", 1, 0, (struct sockaddr *)&name, length), EPERM);
    close(b);
    CHECK_ERRNO(send(a, "x", 1, 0), ECONNREFUSED);
    CHECK_ERRNO(send(a, "x", 1, 0), ENOTCONN);
}

CASE(too_large_datagrams_are_emsgsize)
{
    int fds[2], size = 0;
    pair(fds, SOCK_DGRAM);
    size = 4096;
    CHECK_EQ(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    static char buffer[1 << 20];
    CHECK_ERRNO(send(fds[0], buffer, sizeof buffer, 0), EMSGSIZE);
}

CASE(full_buffers_are_eagain)
{
    int fds[2];
    pair(fds, SOCK_STREAM | SOCK_NONBLOCK);
    static char buffer[65536];
    long total = 0, count;
    while ((count = write(fds[0], buffer, sizeof buffer)) > 0) {
        total += count;
    }
    int error = errno;
    CHECK_EQ(error, EAGAIN);
    CHECK(total >= 65536);
    struct pollfd entry = { fds[0], POLLOUT, 0 };
    CHECK_EQ(poll(&entry, 1, 0), 0);
    while ((count = read(fds[1], buffer, sizeof buffer)) > 0) {
        total -= count;
    }
    CHECK_EQ(total, 0);
    CHECK_EQ(poll(&entry, 1, 0), 1);
}

CASE(rights_pass_an_open_file)
{
    int fds[2];
    pair(fds, SOCK_STREAM);
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    CHECK_EQ(write(fd, "abcdef", 6), 6);
    CHECK_EQ(send_fd(fds[0], fd), 1);
    close(fd);
    int received = receive_fd(fds[1], 0);
    CHECK_EQ(fcntl(received, F_GETFD), 0);
    CHECK_EQ(lseek(received, 0, SEEK_CUR), 6);
    CHECK_EQ(send_fd(fds[0], received), 1);
    CHECK_EQ(fcntl(receive_fd(fds[1], MSG_CMSG_CLOEXEC), F_GETFD), FD_CLOEXEC);
}

CASE(rights_to_another_process)
{
    int fds[2], pipes[2];
    pair(fds, SOCK_SEQPACKET);
    CHECK_EQ(pipe(pipes), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(pipes[0]);
        close(pipes[1]);
        int fd = receive_fd(fds[1], 0);
        CHECK_EQ(write(fd, "through", 7), 7);
        _exit(0);
    }
    CHECK_EQ(send_fd(fds[0], pipes[1]), 1);
    char buffer[8];
    CHECK_EQ(read(pipes[0], buffer, 8), 7);
    CHECK_CHILD(pid);
}

CASE(rights_that_do_not_fit_are_closed)
{
    int fds[2], pipes[2];
    pair(fds, SOCK_STREAM);
    CHECK_EQ(pipe(pipes), 0);
    CHECK_EQ(send_fd(fds[0], pipes[1]), 1);
    close(pipes[1]);
    char c;
    struct iovec part = { &c, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    CHECK_EQ(recvmsg(fds[1], &message, 0), 1);
    CHECK(message.msg_flags & MSG_CTRUNC);
    CHECK_EQ(read(pipes[0], &c, 1), 0);
}

CASE(rights_are_checked)
{
    int fds[2];
    pair(fds, SOCK_STREAM);
    CHECK_ERRNO(send_fd(fds[0], 99), EBADF);
    char c = 0;
    CHECK_ERRNO(recv(fds[1], &c, 1, MSG_DONTWAIT), EAGAIN);
}

CASE(rights_die_with_the_queue)
{
    int fds[2], pipes[2];
    pair(fds, SOCK_STREAM);
    CHECK_EQ(pipe(pipes), 0);
    CHECK_EQ(send_fd(fds[0], pipes[1]), 1);
    close(pipes[1]);
    close(fds[0]);
    close(fds[1]);
    char c;
    CHECK_EQ(read(pipes[0], &c, 1), 0);
}

CASE(messages_with_rights_do_not_join)
{
    int fds[2];
    pair(fds, SOCK_STREAM);
    CHECK_EQ(write(fds[0], "ab", 2), 2);
    CHECK_EQ(send_fd(fds[0], 0), 1);
    CHECK_EQ(write(fds[0], "cd", 2), 2);
    char buffer[10];
    struct iovec part = { buffer, 10 };
    union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    CHECK_EQ(recvmsg(fds[1], &message, 0), 3);
    CHECK(memcmp(buffer, "abf", 3) == 0);
    CHECK(CMSG_FIRSTHDR(&message) != NULL);
    CHECK_EQ(read(fds[1], buffer, 10), 2);
}

CASE(credentials_are_passed)
{
    int fds[2], on = 1;
    pair(fds, SOCK_DGRAM);
    CHECK_EQ(setsockopt(fds[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
    CHECK_EQ(send(fds[0], "x", 1, 0), 1);
    char c;
    struct iovec part = { &c, 1 };
    union { char bytes[CMSG_SPACE(sizeof(struct ucred))]; struct cmsghdr align; } control;
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    CHECK_EQ(recvmsg(fds[1], &message, 0), 1);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    CHECK(header != NULL && header->cmsg_type == SCM_CREDENTIALS);
    struct ucred who;
    memcpy(&who, CMSG_DATA(header), sizeof who);
    CHECK(who.pid == getpid() && who.uid == getuid() && who.gid == getgid());
}

CASE(peer_credentials)
{
    int fds[2];
    pair(fds, SOCK_STREAM);
    struct ucred who;
    socklen_t length = sizeof who;
    CHECK_EQ(getsockopt(fds[0], SOL_SOCKET, SO_PEERCRED, &who, &length), 0);
    CHECK(who.pid == getpid() && who.uid == 0 && who.gid == 0);
    int fd = listener(SOCK_STREAM, "s");
    pid_t pid = fork();
    if (pid == 0) {
        int client = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_EQ(connect_to(client, "s"), 0);
        char c;
        CHECK_EQ(read(client, &c, 1), 0);
        _exit(0);
    }
    int server = accept(fd, NULL, NULL);
    length = sizeof who;
    CHECK_EQ(getsockopt(server, SOL_SOCKET, SO_PEERCRED, &who, &length), 0);
    CHECK_EQ(who.pid, pid);
    close(server);
    CHECK_CHILD(pid);
}

CASE(options)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0), value;
    socklen_t length = sizeof value;
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length), 0);
    CHECK_EQ(value, SOCK_SEQPACKET);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &length), 0);
    CHECK_EQ(value, AF_UNIX);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &value, &length), 0);
    CHECK_EQ(value, 0);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length), 0);
    CHECK_EQ(value, 0);
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length), 0);
    CHECK_EQ(value, 0);
    CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, 9999, &value, &length), ENOPROTOOPT);
    CHECK_ERRNO(getsockopt(fd, 77, 1, &value, &length), EOPNOTSUPP);
    CHECK_ERRNO(getsockopt(99, SOL_SOCKET, SO_TYPE, &value, &length), EBADF);
    CHECK_ERRNO(getsockopt(0, SOL_SOCKET, SO_TYPE, &value, &length), ENOTSOCK);
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &value, 1), EINVAL);
}

CASE(receive_timeout)
{
    int fds[2];
    char c;
    pair(fds, SOCK_STREAM);
    struct timeval time = { 0, 20000 };
    CHECK_EQ(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), 0);
    int64_t before = monotonic_ns();
    CHECK_ERRNO(read(fds[0], &c, 1), EAGAIN);
    CHECK(monotonic_ns() - before >= 20000000);
    time.tv_usec = 1000000;
    CHECK_ERRNO(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), EDOM);
}

CASE(queue_length_by_ioctl)
{
    int fds[2], count;
    pair(fds, SOCK_STREAM);
    CHECK_EQ(write(fds[0], "abcde", 5), 5);
    CHECK_EQ(ioctl(fds[1], FIONREAD, &count), 0);
    CHECK_EQ(count, 5);
}

CASE(many_messages_at_once)
{
    int fds[2];
    pair(fds, SOCK_DGRAM);
    struct iovec out[3] = { { "a", 1 }, { "bc", 2 }, { "def", 3 } };
    struct mmsghdr messages[3] = { 0 };
    for (int i = 0; i < 3; i++) {
        messages[i].msg_hdr.msg_iov = &out[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    CHECK_EQ(sendmmsg(fds[0], messages, 3, 0), 3);
    CHECK_EQ(messages[2].msg_len, 3);
    char buffers[5][10];
    struct iovec in[5];
    struct mmsghdr received[5] = { 0 };
    for (int i = 0; i < 5; i++) {
        in[i] = (struct iovec){ buffers[i], 10 };
        received[i].msg_hdr.msg_iov = &in[i];
        received[i].msg_hdr.msg_iovlen = 1;
    }
    CHECK_EQ(recvmmsg(fds[1], received, 5, MSG_DONTWAIT, NULL), 3);
    CHECK(received[0].msg_len == 1 && received[1].msg_len == 2 && received[2].msg_len == 3);
}

CASE(sockets_do_not_seek)
{
    int fds[2];
    char c;
    pair(fds, SOCK_STREAM);
    CHECK_ERRNO(lseek(fds[0], 0, SEEK_CUR), ESPIPE);
    CHECK_ERRNO(pread(fds[0], &c, 1, 0), ESPIPE);
    char path[64], text[64] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fds[0]);
    CHECK(readlink(path, text, sizeof text - 1) > 0);
    CHECK(strncmp(text, "socket:[", 8) == 0);
    CHECK_ERRNO(open(path, O_RDWR), ENXIO);
}

GUEST_MAIN("unixsocket")
