// tcp(7) over loopback
#include "inet.h"

CASE(socket_refuses_protocols)
{
    CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    CHECK_ERRNO(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
    CHECK_ERRNO(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
    CHECK_ERRNO(socket(AF_INET, 77, 0), EINVAL);
}

CASE(socketpair_is_not_supported)
{
    int fds[2];
    CHECK_ERRNO(socketpair(AF_INET, SOCK_STREAM, 0, fds), EOPNOTSUPP);
}

CASE(domain_type_protocol)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_DOMAIN), AF_INET6);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
}

CASE(bind_short_address)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = loopback4(0);
    CHECK_ERRNO(bind(fd, (struct sockaddr *)&a, sizeof a - 1), EINVAL);
    CHECK_ERRNO(bind(fd, (struct sockaddr *)&a, 0), EINVAL);
    CHECK_ERRNO(bind(fd, (struct sockaddr *)&a, 200), EINVAL);
}

CASE(bind_other_family)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in6 a = loopback6(0);
    CHECK_ERRNO(bind(fd, (struct sockaddr *)&a, sizeof a), EAFNOSUPPORT);
}

CASE(bind_unspecified_family_means_any)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = { .sin_family = AF_UNSPEC };
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    int other = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_ERRNO(bind(other, (struct sockaddr *)&a, sizeof a), EAFNOSUPPORT);
}

CASE(bind_foreign_address)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc6120001) };
    CHECK_ERRNO(bind(fd, (struct sockaddr *)&a, sizeof a), EADDRNOTAVAIL);
}

CASE(bind_twice)
{
    int fd = bound4(SOCK_STREAM);
    struct sockaddr_in a = loopback4(0);
    CHECK_ERRNO(bind(fd, (struct sockaddr *)&a, sizeof a), EINVAL);
}

CASE(bind_bad_pointer)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERRNO(bind(fd, (struct sockaddr *)1, sizeof(struct sockaddr_in)), EFAULT);
}

CASE(bind_in_use)
{
    int first = bound4(SOCK_STREAM);
    struct sockaddr_in a = loopback4(port_of(first));
    int second = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERRNO(bind(second, (struct sockaddr *)&a, sizeof a), EADDRINUSE);
    a.sin_addr.s_addr = 0;
    CHECK_ERRNO(bind(second, (struct sockaddr *)&a, sizeof a), EADDRINUSE);
}

CASE(bind_reuse_address_without_listener)
{
    int first = socket(AF_INET, SOCK_STREAM, 0);
    set_int(first, SOL_SOCKET, SO_REUSEADDR, 1);
    struct sockaddr_in a = loopback4(0);
    CHECK_EQ(bind(first, (struct sockaddr *)&a, sizeof a), 0);
    a = loopback4(port_of(first));
    int second = socket(AF_INET, SOCK_STREAM, 0);
    set_int(second, SOL_SOCKET, SO_REUSEADDR, 1);
    CHECK_EQ(bind(second, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_EQ(listen(first, 1), 0);
    CHECK_ERRNO(listen(second, 1), EADDRINUSE);
}

CASE(bind_reuse_address_with_listener)
{
    int first = listening4(1);
    struct sockaddr_in a = loopback4(port_of(first));
    int second = socket(AF_INET, SOCK_STREAM, 0);
    set_int(second, SOL_SOCKET, SO_REUSEADDR, 1);
    CHECK_ERRNO(bind(second, (struct sockaddr *)&a, sizeof a), EADDRINUSE);
}

CASE(reuse_port_needs_both)
{
    int first = socket(AF_INET, SOCK_STREAM, 0);
    set_int(first, SOL_SOCKET, SO_REUSEPORT, 1);
    struct sockaddr_in a = loopback4(0);
    CHECK_EQ(bind(first, (struct sockaddr *)&a, sizeof a), 0);
    a = loopback4(port_of(first));
    int second = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERRNO(bind(second, (struct sockaddr *)&a, sizeof a), EADDRINUSE);
    set_int(second, SOL_SOCKET, SO_REUSEPORT, 1);
    CHECK_EQ(bind(second, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_EQ(listen(first, 1), 0);
    CHECK_EQ(listen(second, 1), 0);
}

CASE(port_is_free_after_close)
{
    int fd = listening4(1);
    struct sockaddr_in a = loopback4(port_of(fd));
    close(fd);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
}

CASE(listen_unbound_chooses_a_port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(listen(fd, 1), 0);
    CHECK(port_of(fd) != 0);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
    CHECK_EQ(listen(fd, 7), 0);
}

CASE(listen_on_connected)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_ERRNO(listen(fds[0], 1), EINVAL);
}

CASE(accept_without_listen)
{
    int fd = bound4(SOCK_STREAM);
    CHECK_ERRNO(accept(fd, NULL, NULL), EINVAL);
    CHECK_ERRNO(accept4(fd, NULL, NULL, 1), EINVAL);
}

CASE(accept_nonblocking)
{
    int fd = listening4(1);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    CHECK_ERRNO(accept(fd, NULL, NULL), EAGAIN);
    CHECK_EQ(events_of(fd, POLLIN | POLLOUT, 0), 0);
}

CASE(accept_flags_and_names)
{
    int listener = listening4(1);
    int client = connected4(port_of(listener));
    CHECK_EQ(events_of(listener, POLLIN, 5000), POLLIN);
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    int fd = accept4(listener, (struct sockaddr *)&a, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_EQ(n, sizeof a);
    CHECK_EQ(ntohs(a.sin_port), port_of(client));
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(port_of(fd), port_of(listener));
    n = 4;
    CHECK_EQ(getpeername(fd, (struct sockaddr *)&a, &n), 0);
    CHECK_EQ(n, sizeof a);
}

CASE(accept_does_not_inherit_nonblock)
{
    int listener = listening4(1);
    int client = connected4(port_of(listener));
    fcntl(listener, F_SETFL, O_NONBLOCK);
    events_of(listener, POLLIN, 5000);
    int fd = accept(listener, NULL, NULL);
    CHECK(fd >= 0 && client >= 0);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
}

CASE(names_before_anything)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(port_of(fd), 0);
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    CHECK_ERRNO(getpeername(fd, (struct sockaddr *)&a, &n), ENOTCONN);
    n = -1;
    CHECK_ERRNO(getsockname(fd, (struct sockaddr *)&a, &n), EINVAL);
}

CASE(connect_refused)
{
    int fd = bound4(SOCK_STREAM);
    struct sockaddr_in a = loopback4(port_of(fd));
    int client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERRNO(connect(client, (struct sockaddr *)&a, sizeof a), ECONNREFUSED);
    CHECK_EQ(int_option(client, SOL_SOCKET, SO_ERROR), 0);
    CHECK_EQ(listen(fd, 1), 0);
    CHECK_EQ(connect(client, (struct sockaddr *)&a, sizeof a), 0);
}

CASE(connect_nonblocking_refused)
{
    int fd = bound4(SOCK_STREAM);
    struct sockaddr_in a = loopback4(port_of(fd));
    int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK_ERRNO(connect(client, (struct sockaddr *)&a, sizeof a), EINPROGRESS);
    CHECK_EQ(events_of(client, POLLIN | POLLOUT, 5000), POLLIN | POLLOUT | POLLERR | POLLHUP);
    CHECK_EQ(int_option(client, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    CHECK_EQ(int_option(client, SOL_SOCKET, SO_ERROR), 0);
}

CASE(connect_nonblocking)
{
    int listener = listening4(1);
    struct sockaddr_in a = loopback4(port_of(listener));
    int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK_ERRNO(connect(client, (struct sockaddr *)&a, sizeof a), EINPROGRESS);
    CHECK_EQ(events_of(client, POLLOUT, 5000), POLLOUT);
    CHECK_EQ(int_option(client, SOL_SOCKET, SO_ERROR), 0);
    CHECK_EQ(connect(client, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_ERRNO(connect(client, (struct sockaddr *)&a, sizeof a), EISCONN);
}

CASE(connect_twice)
{
    int fds[2];
    tcp_pair(fds);
    struct sockaddr_in a = loopback4(1);
    CHECK_ERRNO(connect(fds[0], (struct sockaddr *)&a, sizeof a), EISCONN);
    CHECK_ERRNO(connect(fds[1], (struct sockaddr *)&a, sizeof a), EISCONN);
}

CASE(connect_bad_addresses)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = loopback4(1);
    CHECK_ERRNO(connect(fd, (struct sockaddr *)&a, 8), EINVAL);
    CHECK_ERRNO(connect(fd, (struct sockaddr *)&a, 1), EINVAL);
    struct sockaddr_in6 b = loopback6(1);
    CHECK_ERRNO(connect(fd, (struct sockaddr *)&b, sizeof b), EAFNOSUPPORT);
    a.sin_addr.s_addr = htonl(0xffffffff);
    CHECK_ERRNO(connect(fd, (struct sockaddr *)&a, sizeof a), ENETUNREACH);
}

CASE(connect_to_any_is_loopback)
{
    int listener = listening4(1);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port_of(listener)) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    socklen_t n = sizeof a;
    CHECK_EQ(getpeername(fd, (struct sockaddr *)&a, &n), 0);
    CHECK_EQ(ntohl(a.sin_addr.s_addr), INADDR_LOOPBACK);
}

CASE(connect_on_listener)
{
    int fd = listening4(1);
    struct sockaddr_in a = loopback4(1);
    CHECK_ERRNO(connect(fd, (struct sockaddr *)&a, sizeof a), EISCONN);
}

CASE(connect_to_itself)
{
    int fd = bound4(SOCK_STREAM);
    struct sockaddr_in a = loopback4(port_of(fd));
    CHECK_EQ(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_EQ(send(fd, "abc", 3, 0), 3);
    char text[8];
    CHECK_EQ(recv(fd, text, sizeof text, 0), 3);
}

CASE(disconnect_with_unspecified)
{
    int fds[2];
    tcp_pair(fds);
    struct sockaddr_in a = { .sin_family = AF_UNSPEC };
    CHECK_EQ(connect(fds[0], (struct sockaddr *)&a, sizeof a), 0);
    char c;
    CHECK_ERRNO(recv(fds[1], &c, 1, 0), ECONNRESET);
}

CASE(unconnected_io)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char c = 0;
    CHECK_ERRNO(recv(fd, &c, 1, 0), ENOTCONN);
    CHECK_ERRNO(send(fd, &c, 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(events_of(fd, POLLIN | POLLOUT, 0), POLLOUT | POLLHUP);
    CHECK_ERRNO(shutdown(fd, 3), EINVAL);
    CHECK_ERRNO(shutdown(fd, SHUT_RDWR), ENOTCONN);
}

CASE(half_close)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_EQ(shutdown(fds[0], SHUT_WR), 0);
    CHECK_EQ(events_of(fds[1], POLLIN | POLLRDHUP, 5000), POLLIN | POLLRDHUP);
    char text[8];
    CHECK_EQ(recv(fds[1], text, 8, 0), 0);
    CHECK_EQ(send(fds[1], "abc", 3, 0), 3);
    CHECK_EQ(recv(fds[0], text, 8, 0), 3);
    CHECK_ERRNO(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(events_of(fds[1], POLLIN | POLLOUT | POLLRDHUP, 0), POLLIN | POLLOUT | POLLRDHUP);
}

CASE(both_closed_hangs_up)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_EQ(shutdown(fds[0], SHUT_WR), 0);
    CHECK_EQ(events_of(fds[1], POLLIN, 5000), POLLIN);
    CHECK_EQ(shutdown(fds[1], SHUT_WR), 0);
    CHECK_EQ(events_of(fds[0], POLLIN, 5000) & POLLIN, POLLIN);
    CHECK_EQ(events_of(fds[0], POLLIN | POLLRDHUP, 5000), POLLIN | POLLHUP | POLLRDHUP);
}

CASE(shutdown_read)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_EQ(shutdown(fds[0], SHUT_RD), 0);
    char c;
    CHECK_EQ(recv(fds[0], &c, 1, 0), 0);
    CHECK_EQ(events_of(fds[0], POLLIN | POLLRDHUP, 0), POLLIN | POLLRDHUP);
    CHECK_EQ(send(fds[0], "x", 1, 0), 1);
    CHECK_EQ(recv(fds[1], &c, 1, 0), 1);
}

CASE(close_with_unread_data_resets)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_EQ(send(fds[0], "abc", 3, 0), 3);
    CHECK_EQ(events_of(fds[1], POLLIN, 5000), POLLIN);
    close(fds[1]);
    char c;
    CHECK_ERRNO(recv(fds[0], &c, 1, 0), ECONNRESET);
    CHECK_EQ(recv(fds[0], &c, 1, 0), 0);
    CHECK_ERRNO(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
}

CASE(linger_zero_resets)
{
    int fds[2];
    tcp_pair(fds);
    struct linger linger = { 1, 0 };
    CHECK_EQ(setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    close(fds[0]);
    CHECK_EQ(events_of(fds[1], POLLIN, 5000), POLLIN | POLLERR | POLLHUP);
    char c;
    CHECK_ERRNO(recv(fds[1], &c, 1, 0), ECONNRESET);
}

CASE(send_to_closed_peer)
{
    int fds[2];
    tcp_pair(fds);
    close(fds[1]);
    CHECK_EQ(events_of(fds[0], POLLIN, 5000), POLLIN);
    CHECK_EQ(send(fds[0], "x", 1, MSG_NOSIGNAL), 1);
    CHECK(events_of(fds[0], 0, 5000) & (POLLERR | POLLHUP));
    CHECK_ERRNO(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
}

CASE(broken_pipe_signals)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_EQ(shutdown(fds[0], SHUT_WR), 0);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGPIPE, SIG_DFL);
        send(fds[0], "x", 1, 0);
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

CASE(peek_leaves_data)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_EQ(send(fds[0], "abcdef", 6, 0), 6);
    char text[8];
    CHECK_EQ(recv(fds[1], text, 4, MSG_PEEK), 4);
    CHECK_EQ(recv(fds[1], text, 8, MSG_PEEK), 6);
    CHECK_EQ(recv(fds[1], text, 8, 0), 6);
    CHECK_ERRNO(recv(fds[1], text, 8, MSG_DONTWAIT), EAGAIN);
    CHECK_ERRNO(recv(fds[1], text, 8, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
}

CASE(wait_all)
{
    int fds[2];
    tcp_pair(fds);
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 4; i++) {
            send(fds[0], "ab", 2, 0);
            usleep(5000);
        }
        _exit(0);
    }
    char text[8];
    CHECK_EQ(recv(fds[1], text, 8, MSG_WAITALL), 8);
    CHECK(memcmp(text, "abababab", 8) == 0);
    waitpid(pid, NULL, 0);
}

CASE(truncate_discards)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_EQ(send(fds[0], "abcdef", 6, 0), 6);
    char text[8] = "zzzzzzz";
    CHECK_EQ(recv(fds[1], text, 4, MSG_TRUNC), 4);
    CHECK_EQ(text[0], 'z');
    CHECK_EQ(recv(fds[1], text, 8, 0), 2);
    CHECK_EQ(text[0], 'e');
}

CASE(receive_nothing)
{
    int fds[2];
    tcp_pair(fds);
    char c;
    CHECK_EQ(send(fds[0], "x", 1, 0), 1);
    CHECK_EQ(events_of(fds[1], POLLIN, 5000), POLLIN);
    CHECK_EQ(recv(fds[1], &c, 0, 0), 0);
    CHECK_EQ(send(fds[0], &c, 0, 0), 0);
    CHECK_EQ(recv(fds[1], &c, 1, 0), 1);
}

CASE(bad_buffers)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_ERRNO(send(fds[0], (void *)1, 4, 0), EFAULT);
    CHECK_EQ(send(fds[0], "abcd", 4, 0), 4);
    CHECK_EQ(events_of(fds[1], POLLIN, 5000), POLLIN);
    CHECK_ERRNO(recv(fds[1], (void *)1, 4, 0), EFAULT);
    char text[8];
    CHECK_EQ(recv(fds[1], text, 8, 0), 4);
}

CASE(receive_timeout)
{
    int fds[2];
    tcp_pair(fds);
    struct timeval t = { 0, 20000 };
    CHECK_EQ(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t), 0);
    char c;
    CHECK_ERRNO(recv(fds[0], &c, 1, 0), EAGAIN);
}

CASE(send_timeout)
{
    int fds[2];
    tcp_pair(fds);
    struct timeval t = { 0, 20000 };
    CHECK_EQ(setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t), 0);
    static char big[1 << 20];
    while (send(fds[0], big, sizeof big, 0) > 0) {
    }
    int error = errno;
    CHECK_EQ(error, EAGAIN);
    CHECK_EQ(events_of(fds[0], POLLOUT, 0), 0);
}

CASE(bytes_waiting)
{
    int fds[2], n = -1;
    tcp_pair(fds);
    CHECK_EQ(send(fds[0], "abcdef", 6, 0), 6);
    CHECK_EQ(events_of(fds[1], POLLIN, 5000), POLLIN);
    CHECK_EQ(ioctl(fds[1], FIONREAD, &n), 0);
    CHECK_EQ(n, 6);
    int listener = listening4(1);
    CHECK_ERRNO(ioctl(listener, FIONREAD, &n), EINVAL);
}

CASE(big_transfer)
{
    int fds[2];
    tcp_pair(fds);
    enum { SIZE = 8 << 20 };
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[1]);
        unsigned char *data = malloc(SIZE);
        for (int i = 0; i < SIZE; i++) {
            data[i] = i * 7 + (i >> 11);
        }
        _exit(write(fds[0], data, SIZE) == SIZE ? 0 : 1);
    }
    close(fds[0]);
    unsigned char part[10007];
    int at = 0, n;
    while ((n = read(fds[1], part, sizeof part)) > 0) {
        for (int i = 0; i < n; i++, at++) {
            if (part[i] != (unsigned char)(at * 7 + (at >> 11))) {
                CHECK_EQ(at, -1);
            }
        }
    }
    CHECK_EQ(at, SIZE);
    int status;
    waitpid(pid, &status, 0);
    CHECK_EQ(status, 0);
}

CASE(urgent_receive_without_any)
{
    int fds[2];
    tcp_pair(fds);
    char c;
    CHECK_ERRNO(recv(fds[0], &c, 1, MSG_OOB), EINVAL);
}

CASE(error_queue_is_empty)
{
    int fds[2];
    tcp_pair(fds);
    char c;
    CHECK_ERRNO(recv(fds[0], &c, 1, MSG_ERRQUEUE), EAGAIN);
}

CASE(vectors)
{
    int fds[2];
    tcp_pair(fds);
    struct iovec out[3] = { { "ab", 2 }, { NULL, 0 }, { "cde", 3 } };
    CHECK_EQ(writev(fds[0], out, 3), 5);
    char a[1], b[8];
    struct iovec in[2] = { { a, 1 }, { b, 8 } };
    CHECK_EQ(events_of(fds[1], POLLIN, 5000), POLLIN);
    CHECK_EQ(readv(fds[1], in, 2), 5);
    CHECK(a[0] == 'a' && memcmp(b, "bcde", 4) == 0);
}

CASE(message_has_no_name)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_EQ(send(fds[0], "abc", 3, 0), 3);
    char text[8];
    struct sockaddr_in name;
    struct iovec v = { text, 8 };
    struct msghdr m = { .msg_name = &name, .msg_namelen = sizeof name, .msg_iov = &v, .msg_iovlen = 1 };
    CHECK_EQ(recvmsg(fds[1], &m, 0), 3);
    CHECK_EQ(m.msg_namelen, 0);
    CHECK_EQ(m.msg_flags, 0);
}

CASE(send_file)
{
    int fds[2];
    tcp_pair(fds);
    int file = open("data", O_RDWR | O_CREAT, 0600);
    CHECK_EQ(write(file, "0123456789", 10), 10);
    off_t at = 2;
    CHECK_EQ(sendfile(fds[0], file, &at, 5), 5);
    CHECK_EQ(at, 7);
    char text[16];
    CHECK_EQ(recv(fds[1], text, 5, MSG_WAITALL), 5);
    CHECK(memcmp(text, "23456", 5) == 0);
}

CASE(splice_both_ways)
{
    int fds[2], pipes[2];
    tcp_pair(fds);
    CHECK_EQ(pipe(pipes), 0);
    CHECK_EQ(write(pipes[1], "hello", 5), 5);
    CHECK_EQ(splice(pipes[0], NULL, fds[0], NULL, 5, 0), 5);
    CHECK_EQ(events_of(fds[1], POLLIN, 5000), POLLIN);
    CHECK_EQ(splice(fds[1], NULL, pipes[1], NULL, 100, 0), 5);
    char text[8];
    CHECK_EQ(read(pipes[0], text, 8), 5);
}

CASE(epoll_edge_on_accept)
{
    int listener = listening4(5), ep = epoll_create1(0);
    struct epoll_event e = { EPOLLIN | EPOLLET, { .fd = listener } };
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, listener, &e), 0);
    CHECK_EQ(epoll_wait(ep, &e, 1, 0), 0);
    connected4(port_of(listener));
    CHECK_EQ(epoll_wait(ep, &e, 1, 5000), 1);
    CHECK_EQ(epoll_wait(ep, &e, 1, 0), 0);
    connected4(port_of(listener));
    CHECK_EQ(epoll_wait(ep, &e, 1, 5000), 1);
}

CASE(epoll_edge_on_read)
{
    int fds[2], ep = epoll_create1(0);
    tcp_pair(fds);
    struct epoll_event e = { EPOLLIN | EPOLLRDHUP | EPOLLET, { .fd = fds[1] } };
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fds[1], &e), 0);
    CHECK_EQ(send(fds[0], "abc", 3, 0), 3);
    CHECK_EQ(epoll_wait(ep, &e, 1, 5000), 1);
    char c;
    CHECK_EQ(recv(fds[1], &c, 1, 0), 1);
    CHECK_EQ(epoll_wait(ep, &e, 1, 0), 0);
    CHECK_EQ(send(fds[0], "d", 1, 0), 1);
    CHECK_EQ(epoll_wait(ep, &e, 1, 5000), 1);
    shutdown(fds[0], SHUT_WR);
    CHECK_EQ(epoll_wait(ep, &e, 1, 5000), 1);
    CHECK_EQ(e.events, EPOLLIN | EPOLLRDHUP);
}

CASE(epoll_edge_on_write)
{
    int fds[2], ep = epoll_create1(0);
    tcp_pair(fds);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    struct epoll_event e = { EPOLLOUT | EPOLLET, { .fd = fds[0] } };
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &e), 0);
    CHECK_EQ(epoll_wait(ep, &e, 1, 5000), 1);
    CHECK_EQ(epoll_wait(ep, &e, 1, 0), 0);
    static char big[1 << 20];
    while (send(fds[0], big, sizeof big, 0) > 0) {
    }
    int error = errno;
    CHECK_EQ(error, EAGAIN);
    while (recv(fds[1], big, sizeof big, MSG_DONTWAIT) > 0) {
    }
    CHECK_EQ(epoll_wait(ep, &e, 1, 5000), 1);
    CHECK_EQ(e.events, EPOLLOUT);
}

CASE(backlog_holds_connections_until_accepted)
{
    int listener = listening4(3);
    int clients[4];
    for (int i = 0; i < 4; i++) {
        clients[i] = connected4(port_of(listener));
        CHECK_EQ(send(clients[i], &i, sizeof i, 0), sizeof i);
    }
    for (int i = 0; i < 4; i++) {
        int fd = accept(listener, NULL, NULL), got;
        CHECK_EQ(recv(fd, &got, sizeof got, MSG_WAITALL), sizeof got);
        CHECK_EQ(got, i);
    }
}

CASE(closing_a_listener_resets_what_waits)
{
    int listener = listening4(3);
    int client = connected4(port_of(listener));
    close(listener);
    char c;
    CHECK_ERRNO(recv(client, &c, 1, 0), ECONNRESET);
}

CASE(shutdown_of_a_listener_wakes_accept)
{
    int listener = listening4(3);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = accept(listener, NULL, NULL);
        _exit(fd < 0 && errno == EINVAL ? 0 : 1);
    }
    usleep(50000);
    CHECK_EQ(shutdown(listener, SHUT_RD), 0);
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

CASE(dual_stack)
{
    int listener = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 any = { .sin6_family = AF_INET6 }, peer;
    CHECK_EQ(bind(listener, (struct sockaddr *)&any, sizeof any), 0);
    CHECK_EQ(listen(listener, 2), 0);
    connected4(port_of(listener));
    socklen_t n = sizeof peer;
    int fd = accept(listener, (struct sockaddr *)&peer, &n);
    CHECK(fd >= 0);
    CHECK_EQ(n, sizeof peer);
    CHECK(IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
    int four = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port_of(listener)) };
    CHECK_ERRNO(bind(four, (struct sockaddr *)&a, sizeof a), EADDRINUSE);
}

CASE(v6_only)
{
    int listener = socket(AF_INET6, SOCK_STREAM, 0);
    CHECK_EQ(set_int(listener, IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
    struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
    CHECK_EQ(bind(listener, (struct sockaddr *)&any, sizeof any), 0);
    CHECK_ERRNO(set_int(listener, IPPROTO_IPV6, IPV6_V6ONLY, 0), EINVAL);
    CHECK_EQ(listen(listener, 2), 0);
    int four = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = loopback4(port_of(listener));
    CHECK_ERRNO(connect(four, (struct sockaddr *)&a, sizeof a), ECONNREFUSED);
    CHECK_EQ(bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof a), 0);
    int six = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 b = loopback6(port_of(listener));
    CHECK_EQ(connect(six, (struct sockaddr *)&b, sizeof b), 0);
}

CASE(mapped_address_on_v6_socket)
{
    int listener = listening4(1);
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port_of(listener)) };
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &a.sin6_addr);
    CHECK_EQ(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    int only = socket(AF_INET6, SOCK_STREAM, 0);
    CHECK_EQ(set_int(only, IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
    CHECK_ERRNO(connect(only, (struct sockaddr *)&a, sizeof a), ENETUNREACH);
}

CASE(options_round_trip)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    static const int options[][2] = { { TCP_NODELAY, 1 }, { TCP_CORK, 1 }, { TCP_KEEPIDLE, 11 }, { TCP_KEEPINTVL, 12 }, { TCP_KEEPCNT, 13 }, { TCP_SYNCNT, 3 }, { TCP_LINGER2, 7 }, { TCP_USER_TIMEOUT, 1234 }, };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        CHECK_EQ(set_int(fd, IPPROTO_TCP, options[i][0], options[i][1]), 0);
        CHECK_EQ(int_option(fd, IPPROTO_TCP, options[i][0]), options[i][1]);
    }
}

CASE(options_refused)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERRNO(set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, 0), EINVAL);
    CHECK_ERRNO(set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, 40000), EINVAL);
    CHECK_ERRNO(set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, 128), EINVAL);
    CHECK_ERRNO(set_int(fd, IPPROTO_TCP, TCP_SYNCNT, 0), EINVAL);
    CHECK_ERRNO(set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, -1), EINVAL);
    CHECK_ERRNO(set_int(fd, IPPROTO_TCP, TCP_MAXSEG, 4), EINVAL);
    CHECK_ERRNO(set_int(fd, IPPROTO_TCP, 9999, 1), ENOPROTOOPT);
    CHECK_ERRNO(set_int(fd, 99, 1, 1), ENOPROTOOPT);
    char c = 1;
    CHECK_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &c, 1), EINVAL);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, (void *)1, 4), EFAULT);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "nonesuch", 8), ENOENT);
}

CASE(congestion_control)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
    char name[16] = "";
    socklen_t n = sizeof name;
    CHECK_EQ(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &n), 0);
    CHECK(strcmp(name, "reno") == 0);
    CHECK_EQ(n, 16);
}

CASE(info_tells_the_state)
{
    int fds[2];
    tcp_pair(fds);
    struct tcp_info info;
    socklen_t n = sizeof info;
    CHECK_EQ(getsockopt(fds[0], IPPROTO_TCP, TCP_INFO, &info, &n), 0);
    CHECK_EQ(info.tcpi_state, TCP_ESTABLISHED);
    int listener = listening4(1);
    n = sizeof info;
    CHECK_EQ(getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &n), 0);
    CHECK_EQ(info.tcpi_state, TCP_LISTEN);
    shutdown(fds[0], SHUT_WR);
    CHECK_EQ(events_of(fds[1], POLLIN, 5000), POLLIN);
    n = 1;
    CHECK_EQ(getsockopt(fds[1], IPPROTO_TCP, TCP_INFO, &info, &n), 0);
    CHECK_EQ(info.tcpi_state, TCP_CLOSE_WAIT);
    CHECK_EQ(n, 1);
}

CASE(accepted_inherits_options)
{
    int listener = bound4(SOCK_STREAM);
    set_int(listener, IPPROTO_TCP, TCP_NODELAY, 1);
    set_int(listener, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(listener, IPPROTO_TCP, TCP_KEEPIDLE, 77);
    listen(listener, 1);
    connected4(port_of(listener));
    int fd = accept(listener, NULL, NULL);
    CHECK_EQ(int_option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK_EQ(int_option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    CHECK_EQ(int_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 77);
}

CASE(cork_holds_until_uncorked)
{
    int fds[2];
    tcp_pair(fds);
    set_int(fds[0], IPPROTO_TCP, TCP_CORK, 1);
    CHECK_EQ(send(fds[0], "a", 1, 0), 1);
    CHECK_EQ(events_of(fds[1], POLLIN, 20), 0);
    CHECK_EQ(send(fds[0], "b", 1, 0), 1);
    set_int(fds[0], IPPROTO_TCP, TCP_CORK, 0);
    char text[8];
    CHECK_EQ(events_of(fds[1], POLLIN, 5000), POLLIN);
    CHECK_EQ(recv(fds[1], text, 8, 0), 2);
}

CASE(more_holds_until_the_rest)
{
    int fds[2];
    tcp_pair(fds);
    CHECK_EQ(send(fds[0], "a", 1, MSG_MORE), 1);
    CHECK_EQ(events_of(fds[1], POLLIN, 20), 0);
    CHECK_EQ(send(fds[0], "b", 1, 0), 1);
    char text[8];
    CHECK_EQ(events_of(fds[1], POLLIN, 5000), POLLIN);
    CHECK_EQ(recv(fds[1], text, 8, 0), 2);
}

CASE(interrupted_receive)
{
    int fds[2];
    tcp_pair(fds);
    struct sigaction action = { .sa_handler = (void (*)(int))getpid };
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 0);
    char c;
    CHECK_ERRNO(recv(fds[0], &c, 1, 0), EINTR);
}

CASE(connections_in_a_row)
{
    int listener = listening4(5);
    for (int i = 0; i < 300; i++) {
        int client = connected4(port_of(listener)), fd = accept(listener, NULL, NULL);
        CHECK(fd >= 0);
        char c;
        CHECK_EQ(send(client, "x", 1, 0), 1);
        CHECK_EQ(recv(fd, &c, 1, 0), 1);
        close(client);
        close(fd);
    }
}

GUEST_MAIN("tcp")
