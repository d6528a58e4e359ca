// Frames: reading, changing and making them.
#include "frame.h"
#include <string.h>

enum { TCP = 6, UDP = 17, ICMP = 1, ICMP6 = 58, IGMP = 2 };

uint16_t get16(const uint8_t *p) { return p[0] << 8 | p[1]; }
uint32_t get32(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }
void put16(uint8_t *p, uint16_t value) { p[0] = value >> 8; p[1] = value; }
void put32(uint8_t *p, uint32_t value) { put16(p, value >> 16); put16(p + 2, value); }

void look_at(struct frame *f)
{
    f->ip = f->transport = f->payload = f->protocol = f->is_part = f->is_last_part = f->from_port = f->to_port = f->flags = 0;
    f->first_part = 1;
    f->end = f->length;
    int type = f->length > 34 ? get16(f->bytes + 12) : 0, next, at = 14;
    uint8_t *ip = f->bytes + 14;
    if (type == ETH_P_IP) {
        f->is_v6 = 0;
        next = ip[9];
        at += (ip[0] & 15) * 4;
        f->end = 14 + get16(ip + 2);
        int fragment = get16(ip + 6);
        f->is_part = (fragment & 0x3fff) != 0;
        f->is_last_part = (fragment & 0x2000) == 0;
        f->first_part = (fragment & 0x1fff) == 0;
        f->part_of = get16(ip + 4);
    } else if (type == ETH_P_IPV6 && f->length >= 54) {
        f->is_v6 = 1;
        next = ip[6];
        at += 40;
        f->end = 54 + get16(ip + 4);
        while (next == 0 || next == 60 || next == 44) {
            if (next == 44) {
                f->is_part = 1;
                f->is_last_part = (f->bytes[at + 3] & 1) == 0;
                f->first_part = (get16(f->bytes + at + 2) & 0xfff8) == 0;
                f->part_of = get32(f->bytes + at + 4);
            }
            int length = next == 44 ? 8 : 8 * (f->bytes[at + 1] + 1);
            next = f->bytes[at];
            at += length;
        }
    } else {
        return;
    }
    f->ip = 14;
    f->protocol = next;
    f->transport = f->payload = at;
    uint8_t *p = f->bytes + at;
    if (f->first_part && (next == TCP || next == UDP) && at + 8 <= f->length) {
        f->from_port = get16(p);
        f->to_port = get16(p + 2);
        f->payload = at + 8;
        if (next == TCP) {
            f->sequence = get32(p + 4);
            f->acknowledgment = get32(p + 8);
            f->flags = p[13] | (p[12] & 1) << 8;
            f->payload = at + (p[12] >> 4) * 4;
        }
    }
}

static uint32_t sum(const uint8_t *bytes, int length, uint32_t so_far)
{
    for (int i = 0; i + 1 < length; i += 2) {
        so_far += get16(bytes + i);
    }
    if (length & 1) {
        so_far += bytes[length - 1] << 8;
    }
    while (so_far >> 16) {
        so_far = (so_far & 0xffff) + (so_far >> 16);
    }
    return so_far;
}

void write_checksums(struct frame *f)
{
    uint8_t *ip = f->bytes + f->ip;
    int length = f->end - f->transport, place = f->protocol == TCP ? 16 : f->protocol == UDP ? 6 : 2;
    uint8_t *field = f->bytes + f->transport + place;
    if (!f->is_v6) {
        put16(ip + 10, 0);
        put16(ip + 10, ~sum(ip, f->transport - f->ip, 0));
    }
    if (f->is_part) {
        return;
    }
    uint32_t pseudo = 0;
    if (f->protocol == TCP || f->protocol == UDP || f->protocol == ICMP6) {
        pseudo = sum(ip + (f->is_v6 ? 8 : 12), f->is_v6 ? 32 : 8, length + f->protocol);
    }
    if (f->offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        put16(field, pseudo);
        return;
    }
    put16(field, 0);
    uint16_t whole = ~sum(f->bytes + f->transport, length, pseudo);
    put16(field, whole == 0 && f->protocol == UDP ? 0xffff : whole);
}

int packet_size(const struct frame *f)
{
    return f->offload.gso_type != VIRTIO_NET_HDR_GSO_NONE ? f->payload - f->ip + f->offload.gso_size : f->end - f->ip;
}

void strip_options(struct frame *f, long kinds)
{
    uint8_t *end = f->bytes + f->payload;
    for (uint8_t *option = f->bytes + f->transport + 20; option < end && *option != 0;) {
        int length = *option == 1 ? 1 : option[1];
        if (kinds >> *option & 1) {
            memset(option, 1, length);
        }
        option += length;
    }
    write_checksums(f);
}

void add_flags(struct frame *f, int flags)
{
    f->bytes[f->transport + 13] |= flags;
    write_checksums(f);
}

// Puts bytes into the IP header or behind it.
static void widen(struct frame *f, int at, const uint8_t *bytes, int count)
{
    memmove(f->bytes + at + count, f->bytes + at, f->length - at);
    memcpy(f->bytes + at, bytes, count);
    f->length += count;
    f->offload.csum_start += count;
    f->offload.hdr_len += count;
    uint8_t *ip = f->bytes + f->ip;
    put16(ip + (f->is_v6 ? 4 : 2), get16(ip + (f->is_v6 ? 4 : 2)) + count);
}

void insert_headers(struct frame *f, long how)
{
    if (f->is_v6) {
        // Hop-by-hop options: a router alert and padding, or an option that must be understood (RFC 8200 section 4.2: the two highest bits are 10); destination options: an unknown one that may be passed over.
        uint8_t headers[] = { 60, 0, 5, 2, 0, 0, 1, 0, f->bytes[20], 0, 0x1e, 2, 7, 7, 1, 0 };
        headers[10] = how == 2 ? 0x9e : 0x1e;
        f->bytes[20] = 0;
        widen(f, 54, headers, sizeof headers);
    } else {
        static const uint8_t harmless[] = { 1, 0x94, 4, 0, 0, 0x1e, 4, 0, 0, 1, 1, 0 }; // a router alert, and an unknown one
        static const uint8_t strange[] = { 1, 0x9e, 6, 1, 2, 3, 4, 1 };
        f->bytes[14] += how == 2 ? 2 : 3;
        widen(f, 34, how == 2 ? strange : harmless, how == 2 ? sizeof strange : sizeof harmless);
    }
    look_at(f);
    write_checksums(f);
}

static void turn_round(struct frame *answer, const struct frame *f)
{
    int width = f->is_v6 ? 16 : 4, at = f->is_v6 ? 22 : 26;
    memset(answer, 0, 200);
    memcpy(answer->bytes, f->bytes + 6, 6);
    memcpy(answer->bytes + 6, f->bytes, 6);
    memcpy(answer->bytes + 12, f->bytes + 12, f->is_v6 ? 42 : 22);
    memcpy(answer->bytes + at, f->bytes + at + width, width);
    memcpy(answer->bytes + at + width, f->bytes + at, width);
    memset(&answer->offload, 0, sizeof answer->offload);
}

static void finish(struct frame *answer, int is_v6, int protocol, int length)
{
    uint8_t *ip = answer->bytes + 14;
    answer->length = 14 + (is_v6 ? 40 : 20) + length;
    if (is_v6) {
        put16(ip + 4, length);
        ip[6] = protocol;
    } else {
        ip[0] = 0x45;
        put16(ip + 2, 20 + length);
        put16(ip + 6, 0);
        ip[8] = ip[8] ? ip[8] : 64;
        ip[9] = protocol;
    }
    look_at(answer);
    write_checksums(answer);
}

void make_icmp_error(struct frame *answer, const struct frame *f, int mtu)
{
    turn_round(answer, f);
    int quoted = f->payload - f->ip > 500 || f->end < f->payload ? f->end - f->ip : f->payload - f->ip;
    uint8_t *message = answer->bytes + (f->is_v6 ? 54 : 34);
    memset(message, 0, 8);
    if (f->is_v6) {
        message[0] = mtu ? 2 : 1;
        message[1] = mtu ? 0 : 3;
    } else {
        message[0] = 3;
        message[1] = mtu ? 4 : 1;
    }
    put32(message + 4, mtu);
    memcpy(message + 8, f->bytes + f->ip, quoted);
    finish(answer, f->is_v6, f->is_v6 ? ICMP6 : ICMP, 8 + quoted);
}

void make_segment(struct frame *answer, const struct frame *f, uint32_t sequence, uint32_t acknowledgment, int flags)
{
    turn_round(answer, f);
    uint8_t *segment = answer->bytes + (f->is_v6 ? 54 : 34);
    memset(segment, 0, 20);
    put16(segment, f->to_port);
    put16(segment + 2, f->from_port);
    put32(segment + 4, sequence);
    put32(segment + 8, acknowledgment);
    segment[12] = 5 << 4;
    segment[13] = flags;
    put16(segment + 14, 100);
    finish(answer, f->is_v6, TCP, 20);
}

void make_query(struct frame *query, int is_v6)
{
    static const uint8_t router[] = { 0x02, 0, 0, 0, 0, 0xfe };
    memset(query, 0, 200);
    memcpy(query->bytes + 6, router, sizeof router);
    uint8_t *ip = query->bytes + 14;
    if (is_v6) {
        static const uint8_t frame_to[] = { 0x33, 0x33, 0, 0, 0, 1 };
        static const uint8_t headers[] = { 58, 0, 5, 2, 0, 0, 1, 0, 130, 0, 0, 0, 0, 100, 0, 0 }; // hop-by-hop options with a router alert; a query to be answered within 100 ms
        memcpy(query->bytes, frame_to, 6);
        put16(query->bytes + 12, ETH_P_IPV6);
        ip[0] = 0x60;
        ip[7] = 1;
        ip[8] = 0xfe, ip[9] = 0x80, ip[23] = 0xfe;
        ip[24] = 0xff, ip[25] = 0x02, ip[39] = 1;
        memcpy(ip + 40, headers, sizeof headers);
        finish(query, 1, 0, 8 + 28);
    } else {
        static const uint8_t frame_to[] = { 0x01, 0, 0x5e, 0, 0, 1 };
        static const uint8_t addresses[] = { 198, 51, 100, 254, 224, 0, 0, 1 };
        memcpy(query->bytes, frame_to, 6);
        put16(query->bytes + 12, ETH_P_IP);
        memcpy(ip + 12, addresses, sizeof addresses);
        ip[8] = 1;
        ip[20] = 0x11;
        ip[21] = 1; // answered within 100 ms
        finish(query, 0, IGMP, 12);
    }
}
