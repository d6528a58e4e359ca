// How connections begin and end.
#include "matrix.h"

CASE(syn_that_is_lost_is_sent_again)
{
    if (role == ACTIVE) {
        wire(DROP_FLAGS, ACTIVE, 2);
        wire(DROP_COUNT, ACTIVE, 1);
    }
    int fd = tcp_pair();
    CHECK_EQ(seen(SYNS, ACTIVE) >= 2, 1);
    send_pattern(fd, 1000, role);
    read_pattern(fd, 1000, !role);
}

CASE(answer_to_syn_that_is_lost_is_sent_again)
{
    if (role == ACTIVE) {
        wire(DROP_FLAGS, PASSIVE, 2);
        wire(DROP_COUNT, PASSIVE, 1);
    }
    int fd = tcp_pair();
    send_pattern(fd, 1000, role);
    read_pattern(fd, 1000, !role);
}

CASE(last_of_the_handshake_that_is_lost_comes_with_data)
{
    if (role == ACTIVE) {
        wire(DROP_FLAGS, ACTIVE, 16);
        wire(DROP_COUNT, ACTIVE, 1);
    }
    int fd = tcp_pair();
    send_pattern(fd, 1000, role);
    read_pattern(fd, 1000, !role);
}

CASE(nobody_listens)
{
    if (role == ACTIVE) {
        CHECK_EQ(error_of(begun(1)), ECONNREFUSED);
        CHECK(seen(RESETS, PASSIVE) > 0);
    }
}

CASE(host_that_a_router_cannot_reach)
{
    if (role == ACTIVE) {
        wire(REFUSE, ACTIVE, 1);
        CHECK_EQ(error_of(begun(1)), EHOSTUNREACH);
    }
}

CASE(both_connect_at_once)
{
    struct sockaddr_storage a = peer(1 + !role);
    int fd = socket_at(SOCK_STREAM, 1 + role);
    wire(HOLD, role, 2);
    meet();
    CHECK_EQ(connect(fd, ADDRESS(a)), 0);
    send_pattern(fd, 3000, role);
    read_pattern(fd, 3000, !role);
    CHECK_EQ(info_of(fd).tcpi_state, TCP_ESTABLISHED);
}

CASE(both_close_at_once)
{
    int fd = tcp_pair();
    wire(HOLD, role, 1);
    meet();
    CHECK_EQ(shutdown(fd, SHUT_WR), 0);
    read_end(fd);
    if (role == PASSIVE) {
        close(fd);
        while (state_of(0) != TCP_TIME_WAIT) {
            usleep(1000);
        }
    }
}

CASE(half_closed_goes_on_the_other_way)
{
    int fd = tcp_pair();
    if (role == ACTIVE) {
        send_pattern(fd, 5000, 1);
        CHECK_EQ(shutdown(fd, SHUT_WR), 0);
        CHECK_ERRNO(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
        read_pattern(fd, 100000, 2);
        read_end(fd);
    } else {
        read_pattern(fd, 5000, 1);
        read_end(fd);
        CHECK(events_of(fd, POLLRDHUP) & POLLRDHUP);
        send_pattern(fd, 100000, 2);
        close(fd);
    }
}

CASE(close_with_unread_data_resets)
{
    int fd = tcp_pair();
    if (role == ACTIVE) {
        CHECK_EQ(send(fd, "unread", 6, 0), 6);
        meet();
        CHECK_EQ(error_of(fd), ECONNRESET);
    } else {
        CHECK(events_of(fd, POLLIN) & POLLIN);
        close(fd);
        meet();
        await_seen(RESETS, PASSIVE, 1);
        CHECK_EQ(seen(FINS, PASSIVE), 0);
    }
}

CASE(close_that_does_not_linger_resets)
{
    int fd = tcp_pair();
    meet(); // a reset must not end connect(2)
    if (role == ACTIVE) {
        char c;
        CHECK_ERRNO(read(fd, &c, 1), ECONNRESET);
    } else {
        struct linger none = { 1, 0 };
        CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none), 0);
        close(fd);
        await_seen(RESETS, PASSIVE, 1);
        CHECK_EQ(seen(FINS, PASSIVE), 0);
        CHECK_EQ(state_of(0), 0);
    }
}

CASE(close_that_lingers_waits_for_the_last_acknowledgment)
{
    int fd = tcp_pair();
    if (role == ACTIVE) {
        struct linger some = { 1, 30 };
        CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &some, sizeof some), 0);
        wire(DROP_FLAGS, ACTIVE, 1);
        wire(DROP_COUNT, ACTIVE, 2);
        send_pattern(fd, 20000, 1);
        CHECK_EQ(close(fd), 0);
        CHECK(seen(FINS, ACTIVE) >= 2);
    } else {
        read_pattern(fd, 20000, 1);
        read_end(fd);
    }
}

CASE(data_for_what_is_closed_is_reset)
{
    int fd = tcp_pair();
    if (role == ACTIVE) {
        read_end(fd);
        CHECK_EQ(send(fd, "late", 4, MSG_NOSIGNAL), 4);
        CHECK(events_of(fd, 0) & POLLHUP);
        CHECK_ERRNO(send(fd, "later", 5, MSG_NOSIGNAL), EPIPE);
    } else {
        close(fd);
        await_seen(RESETS, PASSIVE, 1);
    }
}

CASE(listener_that_closes_resets_who_waits)
{
    if (role == ACTIVE) {
        meet();
        int fd = dialed(0);
        meet();
        CHECK_EQ(error_of(fd), ECONNRESET);
    } else {
        int listener = listening(0, 8);
        meet();
        CHECK(events_of(listener, POLLIN) & POLLIN);
        meet();
        close(listener);
        await_seen(RESETS, PASSIVE, 1);
    }
}

CASE(time_wait_keeps_the_port_and_gives_way_to_a_new_connection)
{
    struct sockaddr_storage a = peer(0), mine = own(1);
    if (role == ACTIVE) {
        for (int i = 0; i < 3; i++) {
            int fd = socket_at(SOCK_STREAM, 1);
            meet();
            CHECK_EQ(connect(fd, ADDRESS(a)), 0);
            read_end(fd);
            close(fd); // the other end has closed first: the waiting is there
            while (state_of(1) != 0) {
                usleep(1000);
            }
            meet();
        }
        int fd = socket(family, SOCK_STREAM, 0);
        CHECK_EQ(bind(fd, ADDRESS(mine)), 0);
    } else {
        int listener = listening(0, 8);
        for (int i = 0; i < 3; i++) {
            meet();
            int fd = accepted(listener);
            CHECK_EQ(shutdown(fd, SHUT_WR), 0);
            read_end(fd);
            close(fd);
            meet();
        }
        close(listener);
        CHECK_EQ(state_of(0), TCP_TIME_WAIT);
        int fd = socket(family, SOCK_STREAM, 0);
        mine = own(0);
        CHECK_ERRNO(bind(fd, ADDRESS(mine)), EADDRINUSE);
        CHECK_EQ(set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1), 0);
        CHECK_EQ(bind(fd, ADDRESS(mine)), 0);
    }
}

CASE(ecn_is_offered_without_harm)
{
    if (role == ACTIVE) {
        wire(SYN_BITS, ACTIVE, 0xc0);
    }
    int fd = tcp_pair();
    send_pattern(fd, 50000, role);
    read_pattern(fd, 50000, !role);
}

CASE(deferred_accept_waits_for_data)
{
    if (role == ACTIVE) {
        meet();
        int fd = dialed(0);
        meet();
        meet();
        CHECK_EQ(send(fd, "now", 3, 0), 3);
        CHECK(read(fd, &(char){ 0 }, 1) == 1);
    } else {
        char text[8];
        int listener = socket_at(SOCK_STREAM, 0);
        CHECK_EQ(set_int(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 30), 0);
        CHECK_EQ(listen(listener, 8), 0);
        meet();
        meet();
        await_seen(PURE_ACKS, ACTIVE, 1);
        fcntl(listener, F_SETFL, O_NONBLOCK);
        CHECK_ERRNO(accept(listener, NULL, NULL), EAGAIN);
        meet();
        CHECK(events_of(listener, POLLIN) & POLLIN);
        int fd = accepted(listener);
        CHECK_EQ(recv(fd, text, sizeof text, MSG_DONTWAIT), 3);
        CHECK_EQ(send(fd, "y", 1, 0), 1);
    }
}

CASE(backlog_lets_no_more_in)
{
    enum { Asked = 6, Backlog = 2 };
    int fds[Asked];
    if (role == ACTIVE) {
        meet();
        for (int i = 0; i < Asked; i++) {
            fds[i] = begun(0);
            if (i <= Backlog) {
                CHECK_EQ(events_of(fds[i], POLLOUT), POLLOUT);
            }
        }
        meet();
        for (int i = 0; i < Asked; i++) {
            CHECK_EQ(events_of(fds[i], POLLOUT), POLLOUT); // the others ask again
            CHECK_EQ(send(fds[i], "x", 1, 0), 1);
        }
    } else {
        int listener = listening(0, Backlog);
        meet();
        meet();
        fcntl(listener, F_SETFL, O_NONBLOCK);
        for (int i = 0; i <= Backlog; i++) {
            CHECK(events_of(listener, POLLIN) & POLLIN);
            fds[i] = accepted(listener);
        }
        fcntl(listener, F_SETFL, 0);
        for (int i = Backlog + 1; i < Asked; i++) {
            fds[i] = accepted(listener);
        }
        for (int i = 0; i < Asked; i++) {
            char c;
            CHECK_EQ(read(fds[i], &c, 1), 1);
        }
    }
}

CASE(full_queue_of_requests_answers_with_cookies)
{
    enum { Flood = 40, Backlog = 4, Spared = 9 };
    if (role == ACTIVE) {
        struct sockaddr_storage a = peer(0);
        int good = socket_at(SOCK_STREAM, Spared);
        meet();
        wire(SPARED_PORT, ACTIVE, base_port + Spared);
        wire(DROP_ACKS, ACTIVE, 1);
        for (int i = 0; i < Flood; i++) {
            begun(0);
        }
        await_seen(SYNS, ACTIVE, Flood);
        CHECK_EQ(connect(good, ADDRESS(a)), 0);
        send_pattern(good, 20000, 1);
        read_pattern(good, 20000, 2);
    } else {
        int listener = listening(0, Backlog);
        meet();
        int fd = accepted(listener);
        read_pattern(fd, 20000, 1);
        send_pattern(fd, 20000, 2);
    }
}

CASE(listeners_of_one_port_share_connections)
{
    enum { Listeners = 3, Connections = 60 };
    if (role == ACTIVE) {
        meet();
        for (int i = 0; i < Connections; i++) {
            dialed(0);
        }
        meet();
        meet();
    } else {
        int listeners[Listeners], shares[Listeners] = { 0 }, all = 0;
        struct sockaddr_storage a = own(0);
        for (int i = 0; i < Listeners; i++) {
            listeners[i] = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
            CHECK_EQ(set_int(listeners[i], SOL_SOCKET, SO_REUSEPORT, 1), 0);
            CHECK_EQ(bind(listeners[i], ADDRESS(a)), 0);
            CHECK_EQ(listen(listeners[i], Connections), 0);
        }
        meet();
        meet();
        while (all < Connections) {
            struct pollfd polled[Listeners];
            for (int i = 0; i < Listeners; i++) {
                polled[i] = (struct pollfd){ listeners[i], POLLIN, 0 };
            }
            CHECK(poll(polled, Listeners, -1) > 0);
            for (int i = 0; i < Listeners; i++) {
                while (accept(listeners[i], NULL, NULL) >= 0) {
                    shares[i]++;
                    all++;
                }
            }
        }
        for (int i = 0; i < Listeners; i++) {
            CHECK(shares[i] > 0);
        }
        meet();
    }
}
