// A frame as the wire sees it.
#ifndef MOAT_FRAME_H
#define MOAT_FRAME_H
#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <stdint.h>

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };

struct frame {
    struct virtio_net_hdr_v1 offload; // 12 bytes, of which packet sockets take 10
    uint8_t bytes[70000];
    int length;
    // What it holds; offsets from the frame's begin, 0 for what is not there.
    int ip, transport, payload, end, protocol;
    int is_v6, is_part, is_last_part, first_part; // of a datagram in fragments
    uint32_t part_of;
    int from_port, to_port, flags;
    uint32_t sequence, acknowledgment;
};

uint16_t get16(const uint8_t *p);
uint32_t get32(const uint8_t *p);
void put16(uint8_t *p, uint16_t value);
void put32(uint8_t *p, uint32_t value);
void look_at(struct frame *frame);
// Writes the checksums of IP and of the transport; one that is the link's to finish stays so.
void write_checksums(struct frame *frame);
// The size of the packets that it becomes on a link.
int packet_size(const struct frame *frame);
void strip_options(struct frame *frame, long kinds);
void add_flags(struct frame *frame, int flags);
void insert_headers(struct frame *frame, long how);
// Makes answer a message to who sent this frame: "too big" if there is an MTU, "host unreachable" if not.
void make_icmp_error(struct frame *answer, const struct frame *frame, int mtu);
// Makes answer a segment to who sent this frame, as its peer would send it.
void make_segment(struct frame *answer, const struct frame *frame, uint32_t sequence, uint32_t acknowledgment, int flags);
// Makes a general query of IGMPv3 or MLDv2 to all hosts.
void make_query(struct frame *query, int is_v6);
#endif
