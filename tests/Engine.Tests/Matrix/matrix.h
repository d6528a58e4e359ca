// The program of the matrix: cases with two ends, each end a process of its own on one side of a link, and the wire between them, which drops, holds, changes and counts what passes.
// Each case must pass with Linux at both ends; then the sandbox takes one end or the other.
//
//   CASE(name)
//   {
//       if (role == ACTIVE) { ... } else { ... }
//   }
//
// The two ends of a case meet with meet(), which waits for the other; no end waits for a time. wire() changes what the wire does with the packets of the case, seen() asks what it has counted.
#ifndef MOAT_MATRIX_H
#define MOAT_MATRIX_H
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACTIVE, PASSIVE };

// What the wire does with packets of the case from one end; 0 is nothing. A name is the index of its value.
enum setting {
    HOLE,          // drops everything
    DROP_FLAGS,    // with DROP_COUNT: the next so many with all these flags of TCP are dropped
    DROP_COUNT,
    DROP_ACKS,     // drops segments that do nothing but acknowledge
    SPARED_PORT,   // of the sender: none of the above happens to it
    LOSE,          // every so manieth packet with data is lost
    DOUBLE,        // ... comes twice
    SWAP,          // ... comes behind the next
    MTU,           // larger ones are dropped
    TELLS,         // ... and their sender is told (ICMP)
    STRIP,         // kinds of options, as a mask, that are taken out of SYN
    SYN_BITS,      // flags that are added to SYN
    HOLD,          // packets with these flags wait until both ends have sent one
    INSERT,        // options and extension headers are put in: 1 harmless ones, 2 one that must be reported
    FRAGMENTS,     // of a datagram: 1 in reverse order, 2 each twice, 3 without the last
    REFUSE,        // SYN is answered with "host unreachable" (ICMP) and dropped
    FORGE,         // acts once: 1 a reset beside the next number, 2 SYN, 3 an acknowledgment of what was never sent, 4 a general query about groups
    GROUP,         // reports about this group are counted
    SETTINGS
};

// What the wire has counted of packets from one end.
enum counter { PACKETS, DATA, NEW_DATA, PURE_ACKS, SYNS, FINS, RESETS, URGENT, OLD_SEGMENTS, NO_CHECKSUM, LARGEST, PARTS, REPORTS, LEAVES, ICMP_ERRORS, COUNTERS };

extern int role, family, base_port;

// Ends the end as failed.
void fail(int line, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));

#define CHECK(CONDITION) do { errno = 0; if (!(CONDITION)) fail(__LINE__, "%s is false, errno %d (%s)", #CONDITION, errno, strerror(errno)); } while (0)
#define CHECK_EQ(ACTUAL, EXPECTED)                                                                                             \
    do {                                                                                                                       \
        errno = 0;                                                                                                             \
        long long actual_ = (long long)(ACTUAL), expected_ = (long long)(EXPECTED);                                            \
        if (actual_ != expected_) fail(__LINE__, "%s is %lld, not %lld, errno %d (%s)", #ACTUAL, actual_, expected_, errno, strerror(errno)); \
    } while (0)
#define CHECK_ERRNO(CALL, ERRNO)                                                                                               \
    do {                                                                                                                       \
        errno = 0;                                                                                                             \
        long long result_ = (long long)(CALL);                                                                                 \
        if (result_ != -1 || errno != (ERRNO)) fail(__LINE__, "%s gives %lld, errno %d (%s), not %s", #CALL, result_, errno, strerror(errno), #ERRNO); \
    } while (0)

void add_case(const char *name, void (*run)(void));
#define CASE(NAME)                                                                              \
    static void case_##NAME(void);                                                              \
    __attribute__((constructor)) static void add_##NAME(void) { add_case(#NAME, case_##NAME); } \
    static void case_##NAME(void)

// The other end has come to the same point; the value it gave.
long swap_values(long value);
#define meet() ((void)swap_values(0))
void wire(enum setting setting, int from, long value);
long seen(enum counter counter, int from);
// Waits until the wire has counted so many.
void await_seen(enum counter counter, int from, long count);

// An address of the other end, or of this one; other addresses than usual for cases that change what a host knows of its peer.
struct sockaddr_storage peer(int port), own(int port);
void use_other_addresses(int which); // 1 or 2
socklen_t address_length(void);
#define ADDRESS(STORAGE) ((struct sockaddr *)&(STORAGE)), address_length()

int set_int(int fd, int level, int option, int value);
int int_option(int fd, int level, int option);
int socket_at(int type, int port); // bound to the case's port and a number
int listening(int port, int backlog);
int dialed(int port);
int begun(int port); // connect without waiting
int accepted(int listener);
int tcp_pair(void); // the two ends of a connection
int events_of(int fd, int wanted); // waits for one of them, or an error
int error_of(int fd); // waits for an error, which it takes
void send_pattern(int fd, long length, unsigned seed);
void read_pattern(int fd, long length, unsigned seed);
void read_end(int fd);
struct tcp_info info_of(int fd);
int state_of(int port); // of the connection with this own port, in /proc/net/tcp or tcp6; 0 if there is none
int wire_main(char **links, const char *control);
#endif
