// Transfers in both directions under combinations of options and of what the wire does. The usual selection holds each pair of choices; MATRIX=all takes the whole product.
#include "matrix.h"

static const char *const congestion[] = { "cubic", "reno" };
enum { CONGESTION, SENDING, QUICKACK, SACK, STAMPS, SCALING, BUFFERS, LINK_KIND, CHOICES };
static const int choices[CHOICES] = { [CONGESTION] = 2, [SENDING] = 3, [QUICKACK] = 2, [SACK] = 2, [STAMPS] = 2, [SCALING] = 2, [BUFFERS] = 2, [LINK_KIND] = 5 };

static void transfer(const int *chosen)
{
    enum { Length = 150000 };
    int fd, listener = -1;
    if (role == ACTIVE) {
        long stripped = (chosen[SACK] ? 1 << 4 : 0) | (chosen[STAMPS] ? 1 << 8 : 0) | (chosen[SCALING] ? 1 << 3 : 0);
        for (int end = 0; end < 2; end++) {
            wire(STRIP, end, stripped);
            wire(LOSE, end, chosen[LINK_KIND] == 1 ? 23 : 0);
            wire(DOUBLE, end, chosen[LINK_KIND] == 2 ? 7 : 0);
            wire(SWAP, end, chosen[LINK_KIND] == 3 ? 11 : 0);
            wire(INSERT, end, chosen[LINK_KIND] == 4);
        }
    }
    struct sockaddr_storage a = role == ACTIVE ? peer(0) : own(0);
    fd = socket(family, SOCK_STREAM, 0);
    CHECK_EQ(set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_EQ(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion[chosen[CONGESTION]], strlen(congestion[chosen[CONGESTION]])), 0);
    if (chosen[BUFFERS]) {
        CHECK_EQ(set_int(fd, SOL_SOCKET, SO_RCVBUF, 16384), 0);
        CHECK_EQ(set_int(fd, SOL_SOCKET, SO_SNDBUF, 16384), 0);
    }
    if (role == PASSIVE) {
        listener = fd;
        CHECK_EQ(bind(listener, ADDRESS(a)), 0);
        CHECK_EQ(listen(listener, 1), 0);
        meet();
        fd = accepted(listener);
    } else {
        meet();
        CHECK_EQ(connect(fd, ADDRESS(a)), 0);
    }
    CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_NODELAY, chosen[SENDING] == 1), 0);
    CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_CORK, chosen[SENDING] == 2), 0);
    CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_QUICKACK, chosen[QUICKACK]), 0);
    char name[16] = "";
    socklen_t n = sizeof name;
    CHECK_EQ(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &n), 0);
    CHECK_EQ(strcmp(name, congestion[chosen[CONGESTION]]), 0);
    for (int turn = 0; turn < 2; turn++) {
        if (turn == role) {
            send_pattern(fd, Length, turn);
            CHECK_EQ(shutdown(fd, SHUT_WR), 0);
        } else {
            read_pattern(fd, Length, turn);
            read_end(fd);
        }
    }
    int options = info_of(fd).tcpi_options & (TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
    CHECK_EQ(options, (chosen[STAMPS] ? 0 : TCPI_OPT_TIMESTAMPS) | (chosen[SACK] ? 0 : TCPI_OPT_SACK) | (chosen[SCALING] ? 0 : TCPI_OPT_WSCALE));
    close(fd);
    close(listener);
}

// The choices of a number.
static void decode(int number, int *chosen)
{
    for (int i = 0; i < CHOICES; i++) {
        chosen[i] = number % choices[i];
        number /= choices[i];
    }
}

// How many pairs of choices a combination adds to those covered, or adds them.
static int cover(const int *chosen, char covered[CHOICES][8][CHOICES][8], int add)
{
    int count = 0;
    for (int i = 0; i < CHOICES; i++) {
        for (int k = i + 1; k < CHOICES; k++) {
            char *pair = &covered[i][chosen[i]][k][chosen[k]];
            count += !*pair;
            *pair |= add;
        }
    }
    return count;
}

// A part of the combinations: parts run side by side.
static void transfers(int part, int parts)
{
    static char covered[CHOICES][8][CHOICES][8];
    int all = 1, chosen[CHOICES], whole = getenv("MATRIX") && strcmp(getenv("MATRIX"), "all") == 0;
    for (int i = 0; i < CHOICES; i++) {
        all *= choices[i];
    }
    for (int taken = 0; taken < all; taken++) {
        int best = taken, most = 0;
        for (int i = 0; i < all && !whole; i++) {
            decode(i, chosen);
            int gain = cover(chosen, covered, 0);
            if (gain > most) {
                most = gain;
                best = i;
            }
        }
        if (!whole && most == 0) {
            return;
        }
        decode(best, chosen);
        cover(chosen, covered, 1);
        if (taken % parts == part) {
            alarm(120);
            transfer(chosen);
            meet();
        }
    }
}

CASE(transfers_first) { transfers(0, 4); }
CASE(transfers_second) { transfers(1, 4); }
CASE(transfers_third) { transfers(2, 4); }
CASE(transfers_fourth) { transfers(3, 4); }
