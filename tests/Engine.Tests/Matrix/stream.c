// What happens on a connection that stands.
#include "matrix.h"

CASE(keepalive_finds_the_peer)
{
    int fd = tcp_pair();
    if (role == ACTIVE) {
        CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1), 0);
        CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1), 0);
        CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, 1), 0);
        CHECK_EQ(set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
        await_seen(OLD_SEGMENTS, ACTIVE, 3); // three probes, each answered, or the first would have been the last
    }
    meet();
    send_pattern(fd, 100, role);
    read_pattern(fd, 100, !role);
}

CASE(keepalive_finds_nobody)
{
    int fd = tcp_pair();
    if (role == ACTIVE) {
        wire(HOLE, PASSIVE, 1);
        CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1), 0);
        CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1), 0);
        CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, 2), 0);
        CHECK_EQ(set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
        CHECK_EQ(error_of(fd), ETIMEDOUT);
        await_seen(RESETS, ACTIVE, 1);
        CHECK_EQ(seen(OLD_SEGMENTS, ACTIVE), 2);
        char c;
        CHECK_EQ(read(fd, &c, 1), 0);
    }
}

CASE(user_timeout_ends_what_nobody_acknowledges)
{
    int fd = tcp_pair();
    if (role == ACTIVE) {
        wire(HOLE, PASSIVE, 1);
        CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 700), 0);
        send_pattern(fd, 5000, 1);
        CHECK_EQ(error_of(fd), ETIMEDOUT);
        CHECK(seen(OLD_SEGMENTS, ACTIVE) >= 1);
    }
}

CASE(peer_that_vanishes_and_returns)
{
    int fd = tcp_pair();
    if (role == ACTIVE) {
        wire(HOLE, ACTIVE, 1);
        send_pattern(fd, 30000, 1);
        await_seen(OLD_SEGMENTS, ACTIVE, 3);
        wire(HOLE, ACTIVE, 0);
        read_pattern(fd, 30000, 2);
    } else {
        read_pattern(fd, 30000, 1);
        send_pattern(fd, 30000, 2);
    }
}

CASE(closed_window_is_probed)
{
    int fd = tcp_pair();
    static char block[4096];
    if (role == ACTIVE) {
        long sent = 0;
        CHECK_EQ(set_int(fd, SOL_SOCKET, SO_SNDBUF, 65536), 0);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        while (seen(OLD_SEGMENTS, ACTIVE) < 3) {
            for (ssize_t n; (n = send(fd, block, sizeof block, 0)) > 0; sent += n) {
            }
            poll(&(struct pollfd){ fd, POLLOUT, 0 }, 1, 50); // what is acknowledged makes room
        }
        CHECK(info_of(fd).tcpi_state == TCP_ESTABLISHED);
        swap_values(sent);
        fcntl(fd, F_SETFL, 0);
        CHECK_EQ(shutdown(fd, SHUT_WR), 0);
        read_end(fd);
    } else {
        CHECK_EQ(set_int(fd, SOL_SOCKET, SO_RCVBUF, 8192), 0);
        for (long left = swap_values(0); left > 0;) {
            ssize_t n = read(fd, block, sizeof block);
            CHECK(n > 0);
            left -= n;
        }
        read_end(fd);
        close(fd);
    }
}

CASE(small_segments_wait_for_the_acknowledgment)
{
    int fd = tcp_pair();
    if (role == ACTIVE) {
        wire(DROP_ACKS, PASSIVE, 1);
        CHECK_EQ(send(fd, "0123456789", 10, 0), 10);
        await_seen(NEW_DATA, ACTIVE, 1);
        for (int i = 0; i < 6; i++) {
            CHECK_EQ(send(fd, "0123456789", 10, 0), 10);
        }
        wire(DROP_ACKS, PASSIVE, 0);
        meet();
        CHECK(seen(NEW_DATA, ACTIVE) <= 3);
    } else {
        char text[70];
        CHECK_EQ(recv(fd, text, sizeof text, MSG_WAITALL), sizeof text);
        meet();
    }
}

CASE(small_segments_without_delay_do_not)
{
    int fd = tcp_pair();
    if (role == ACTIVE) {
        CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1), 0);
        wire(DROP_ACKS, PASSIVE, 1);
        for (int i = 1; i <= 7; i++) {
            CHECK_EQ(send(fd, "0123456789", 10, 0), 10);
            await_seen(NEW_DATA, ACTIVE, i);
        }
        wire(DROP_ACKS, PASSIVE, 0);
    } else {
        char text[70];
        CHECK_EQ(recv(fd, text, sizeof text, MSG_WAITALL), sizeof text);
    }
}

CASE(corked_data_goes_in_full_segments)
{
    int fd = tcp_pair();
    if (role == ACTIVE) {
        CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1), 0);
        CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_CORK, 1), 0);
        for (int i = 0; i < 20; i++) {
            CHECK_EQ(send(fd, "0123456789", 10, 0), 10);
        }
        CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_CORK, 0), 0);
        meet();
        CHECK(seen(NEW_DATA, ACTIVE) <= 5); // one, unless 200 ms pass between two of them
    } else {
        char text[200];
        CHECK_EQ(recv(fd, text, sizeof text, MSG_WAITALL), sizeof text);
        meet();
    }
}

CASE(data_that_nobody_answers_is_acknowledged_all_the_same)
{
    int fd = tcp_pair();
    if (role == ACTIVE) {
        CHECK_EQ(send(fd, "x", 1, 0), 1);
        int left = 1;
        while (left != 0) {
            CHECK_EQ(ioctl(fd, TIOCOUTQ, &left), 0);
            usleep(1000);
        }
    }
    meet();
}

CASE(urgent_byte_is_apart)
{
    char text[16];
    int fd = tcp_pair();
    if (role == ACTIVE) {
        CHECK_EQ(send(fd, "abc", 3, 0), 3);
        CHECK_EQ(send(fd, "dE", 2, MSG_OOB), 2);
        CHECK_EQ(send(fd, "fg", 2, 0), 2);
        meet();
        CHECK(seen(URGENT, ACTIVE) > 0);
    } else {
        int mark = 0;
        CHECK(events_of(fd, POLLPRI) & POLLPRI);
        for (int available = 0; available < 6; usleep(1000)) {
            CHECK_EQ(ioctl(fd, FIONREAD, &available), 0);
            available = available < 4 ? available : 6; // up to the mark, on which Linux and others do not agree
        }
        CHECK_EQ(recv(fd, text, 1, MSG_OOB), 1);
        CHECK_EQ(text[0], 'E');
        CHECK_EQ(read(fd, text, sizeof text), 4); // no read passes the mark
        CHECK_EQ(memcmp(text, "abcd", 4), 0);
        CHECK_EQ(ioctl(fd, SIOCATMARK, &mark), 0);
        CHECK_EQ(mark, 1);
        CHECK_EQ(recv(fd, text, 2, MSG_WAITALL), 2);
        CHECK_EQ(memcmp(text, "fg", 2), 0);
        CHECK_ERRNO(recv(fd, text, 1, MSG_OOB), EINVAL);
        meet();
    }
}

CASE(urgent_byte_in_line)
{
    char text[16];
    int fd = tcp_pair();
    if (role == ACTIVE) {
        meet();
        CHECK_EQ(send(fd, "abC", 3, MSG_OOB), 3);
        CHECK_EQ(send(fd, "de", 2, 0), 2);
    } else {
        CHECK_EQ(set_int(fd, SOL_SOCKET, SO_OOBINLINE, 1), 0);
        meet();
        CHECK(events_of(fd, POLLPRI) & POLLPRI);
        CHECK_EQ(recv(fd, text, 2, MSG_WAITALL), 2);
        int mark = 0;
        CHECK_EQ(ioctl(fd, SIOCATMARK, &mark), 0);
        CHECK_EQ(mark, 1);
        CHECK_EQ(recv(fd, text, 3, MSG_WAITALL), 3);
        CHECK_EQ(memcmp(text, "Cde", 3), 0);
    }
}

// RFC 5961: whoever is not on the way cannot end a connection.
CASE(forged_segments_end_nothing)
{
    int fd = tcp_pair();
    for (int what = 1; what <= 3; what++) {
        send_pattern(fd, 100, role);
        read_pattern(fd, 100, !role);
        meet();
        if (role == ACTIVE) {
            wire(FORGE, ACTIVE, what);
            wire(FORGE, PASSIVE, what);
        }
        meet();
    }
    send_pattern(fd, 100, role);
    read_pattern(fd, 100, !role);
    CHECK_EQ(info_of(fd).tcpi_state, TCP_ESTABLISHED);
    meet();
    CHECK_EQ(seen(RESETS, role), 0);
}
