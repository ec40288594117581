/*
 * The load: chat clients by the thousand in one thread, and a judge of everything that they receive.
 *
 * One epoll loop and libc. Speaks roomchat.v1 as a browser does (a cursor for every room, "seen" every 64 KiB or 2 s)
 * and the dialect of the Channels tutorial. Every message carries a marker, ^TTTTNNNNNNNNRRRR in hexadecimal digits:
 * which talker, its how manyeth, which run. So a message is found in any envelope, several in one frame are counted
 * one by one, and what is lost, doubled, out of order or in the wrong room is noticed.
 * In v1, the ranges (prev, head] are checked too: each must begin where the one before ended, and hold all its numbers.
 *
 * Prints one JSON object; load.py runs it, and says what its options are.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL
#define MARKER 17 /* ^TTTTNNNNNNNNRRRR */
#define CHUNK (256 * 1024)
#define FRAME_MAX (8 * 1024 * 1024)
#define SEEN_BYTES 65536
#define SEEN_SECONDS 2

/* ------------------------------------------------------------------------------------------------ what is asked -- */

enum mode { CHAT, IDLE, STORM, POST };

static struct {
    const char *host, *path, *prefix, *origin, *cookies, *pids, *services;
    int port, listeners_port, rooms, members, talkers, window, size, concurrency, away;
    bool v1;
    enum mode mode;
    double rate, warmup, duration, drain, hold;
} opt = {
    .host = "127.0.0.1", .path = "/ws/chat/", .prefix = "bench", .rooms = 1, .members = 10, .talkers = 1, .window = 1,
    .size = 100, .concurrency = 64, .away = 100, .warmup = 0.5, .duration = 3, .drain = 30, .hold = 2, .v1 = true,
};

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

static void *grow(void *old, size_t size) {
    void *new = realloc(old, size);
    if (!new) fail("out of memory");
    return new;
}

static int64_t clock_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

/* ---------------------------------------------------------------------------------------------------- latencies -- */

/* Buckets of 1/32 of an octave: a quantile is off by 3 % at most. */
#define FINE 5
#define BUCKETS (64 << FINE)

struct latencies {
    uint64_t count, largest, buckets[BUCKETS];
};

static void note(struct latencies *all, int64_t ns) {
    uint64_t value = ns > 0 ? (uint64_t)ns : 0;
    int shift = value >> FINE ? 63 - FINE - __builtin_clzll(value) : 0;
    unsigned bucket = ((unsigned)shift << FINE) + (unsigned)(value >> shift);
    all->buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    all->count++;
    if (value > all->largest) all->largest = value;
}

static double quantile(const struct latencies *all, double share) {
    uint64_t wanted = (uint64_t)(share * (double)all->count), passed = 0;
    if (!all->count) return -1;
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
        passed += all->buckets[bucket];
        if (passed > wanted) {
            int shift = (int)(bucket >> FINE) - 1;
            double value = shift < 0 ? bucket : ((double)((bucket & ((1u << FINE) - 1)) | (1u << FINE)) + 0.5) * (double)(1ull << shift);
            return (value > (double)all->largest ? (double)all->largest : value) / 1e6;
        }
    }
    return (double)all->largest / 1e6;
}

static void print_latencies(const char *name, const struct latencies *all) {
    printf(",\"%s\":", name);
    if (!all->count) printf("null");
    else
        printf("{\"count\":%" PRIu64 ",\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"max\":%.3f}", all->count,
               quantile(all, .5), quantile(all, .9), quantile(all, .99), (double)all->largest / 1e6);
}

/* ------------------------------------------------------------------------------------ what the server has used -- */

struct usage {
    double cpu_seconds, rss_kib;
    int processes;
};

static bool read_process(int pid, int *parent, double *cpu) {
    char path[64], text[1024], state;
    unsigned long user, kernel;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    char *after_name = strrchr(text, ')');
    if (!after_name || sscanf(after_name + 2, "%c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &state, parent, &user, &kernel) != 4)
        return false;
    *cpu = (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
    return true;
}

/* Of processes and all their descendants, given as "12,34". */
static struct usage usage_of(const char *pids) {
    enum { MOST = 4096 };
    static int pid[MOST], parent[MOST], mine[MOST];
    static double cpu[MOST];
    struct usage sum = {0};
    int count = 0, known = 0;
    for (const char *at = pids; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : "") mine[known++] = atoi(at);
    if (!known) return sum;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && count < MOST && (entry = readdir(proc));)
        if (isdigit((unsigned char)*entry->d_name)) {
            pid[count] = atoi(entry->d_name);
            if (read_process(pid[count], &parent[count], &cpu[count])) count++;
        }
    if (proc) closedir(proc);
    for (int at = 0; at < known; at++)
        for (int i = 0; i < count; i++)
            if (parent[i] == mine[at] && known < MOST) mine[known++] = pid[i];
    for (int at = 0; at < known; at++)
        for (int i = 0; i < count; i++)
            if (pid[i] == mine[at]) {
                char path[64];
                long size, resident;
                sum.cpu_seconds += cpu[i];
                sum.processes++;
                snprintf(path, sizeof path, "/proc/%d/statm", pid[i]);
                FILE *file = fopen(path, "r");
                if (!file) continue;
                if (fscanf(file, "%ld %ld", &size, &resident) == 2) sum.rss_kib += (double)resident * (double)sysconf(_SC_PAGESIZE) / 1024;
                fclose(file);
            }
    return sum;
}

static double own_cpu(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* -------------------------------------------------------------------------------------------------------- state -- */

struct message {
    int64_t sent;
    uint32_t got;
    bool measured;
};

struct talker {
    int client, room, slot, under_way;
    uint32_t count, room_for;
    struct message *messages;
};

enum state { CLOSED, CONNECTING, UPGRADING, JOINING, LIVE };

struct client {
    int fd, index, room, talker;
    enum state state;
    bool wants_out, was_live;
    int64_t began, looked_at;
    uint64_t cursor, told, unseen; /* position; the position last sent in "seen"; bytes since then */
    char epoch[40];
    uint32_t *expected; /* from each talker of its room, the number that comes next */
    uint8_t *rest;      /* the beginning of a frame */
    size_t rest_length, rest_size;
    uint8_t *out;
    size_t out_length, out_size;
};

static struct client *clients;
static struct talker *talkers;
static int client_count, talker_count, talkers_in_room, receivers;
static int epoll_fd, opening, live, next_to_open;
static bool sending, measuring, is_back;
static uint64_t target; /* the position at which a client of a storm is caught up */
static int64_t storm_began;
static char run[5];
static uint8_t *buffer, *arrivals; /* arrivals = buffer + FRAME_MAX, so that a rest fits before them */

static struct latencies delivered_after, last_after, acked_after, joined_after, caught_up_after;
static struct {
    uint64_t deliveries, measured, frames, bytes, reads, sent, sent_measured, acks, acks_measured, complete;
    uint64_t lost, doubled, late, misrouted, strange, holes, miscounted, errors, refused, dropped, resets, caught_up;
} sum;
static char first_trouble[300];

static void trouble(const char *format, ...) {
    va_list arguments;
    if (*first_trouble) return;
    va_start(arguments, format);
    vsnprintf(first_trouble, sizeof first_trouble, format, arguments);
    va_end(arguments);
    for (char *at = first_trouble; *at; at++)
        if (*at == '"' || *at == '\\' || (unsigned char)*at < ' ' || (unsigned char)*at > '~') *at = '\'';
}

/* ------------------------------------------------------------------------------------------------------ writing -- */

static void watch(struct client *c) {
    struct epoll_event event = {.events = EPOLLIN | (c->wants_out ? EPOLLOUT : 0), .data.u32 = (uint32_t)c->index};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static void drop(struct client *c, const char *why) {
    if (c->state == CLOSED) return;
    if (c->state == LIVE) {
        live--;
        sum.dropped++;
    } else {
        opening--;
        sum.refused++;
    }
    trouble("client %d: %s", c->index, why);
    close(c->fd);
    c->state = CLOSED;
}

static void put(struct client *c, const void *data, size_t length) {
    ssize_t sent = 0;
    if (!c->out_length) {
        sent = send(c->fd, data, length, MSG_NOSIGNAL);
        if (sent == (ssize_t)length) return;
        if (sent < 0 && errno != EAGAIN) {
            drop(c, strerror(errno));
            return;
        }
        if (sent < 0) sent = 0;
    }
    length -= (size_t)sent;
    if (c->out_length + length > c->out_size) c->out = grow(c->out, c->out_size = 2 * (c->out_length + length));
    memcpy(c->out + c->out_length, (const uint8_t *)data + sent, length);
    c->out_length += length;
    if (!c->wants_out) c->wants_out = true, watch(c);
}

static void flush_out(struct client *c) {
    ssize_t sent = send(c->fd, c->out, c->out_length, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN) drop(c, strerror(errno));
        return;
    }
    c->out_length -= (size_t)sent;
    memmove(c->out, c->out + sent, c->out_length);
    if (!c->out_length) c->wants_out = false, watch(c);
}

/* To a socket that has spoken the kernel takes its time to acknowledge, and does it within the server's next send(), where
 * it is charged to the server; for one that only listens, it does it here. Over a network it is the client's in both cases.
 * So that clients who say "seen" cost a server no more of that than those who are silent, all are treated as silent. */
static void acknowledge_at_once(struct client *c) {
    int on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

static void put_frame(struct client *c, int opcode, const void *payload, size_t length) {
    static const uint8_t mask[4] = {0x5c, 0x91, 0x3e, 0x07};
    static uint8_t frame[70000];
    size_t at = 2;
    if (length > 65535) fail("a frame of %zu bytes", length);
    frame[0] = (uint8_t)(0x80 | opcode);
    if (length < 126) frame[1] = (uint8_t)(0x80 | length);
    else frame[1] = 0x80 | 126, frame[2] = (uint8_t)(length >> 8), frame[3] = (uint8_t)length, at = 4;
    memcpy(frame + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < length; i++) frame[at + i] = ((const uint8_t *)payload)[i] ^ mask[i & 3];
    put(c, frame, at + length);
    acknowledge_at_once(c);
}

static void say_seen(struct client *c) {
    char text[200];
    int length = snprintf(text, sizeof text, "{\"type\":\"seen\",\"heads\":{\"%s-%d\":%" PRIu64 "}}", opt.prefix, c->room, c->cursor);
    put_frame(c, 1, text, (size_t)length);
    c->told = c->cursor;
    c->unseen = 0;
}

static void say(struct talker *t, int64_t when) {
    static const char filler[] = " and so they sat in the room until late, and each said what there was to say, and all of them heard it";
    struct client *c = &clients[t->client];
    char text[66000];
    int number = (int)t->count, length = 0;
    if (c->state != LIVE) return;
    if (t->count == t->room_for) t->messages = grow(t->messages, (t->room_for = t->room_for ? 2 * t->room_for : 64) * sizeof *t->messages);
    t->messages[t->count++] = (struct message){.sent = when, .measured = measuring};
    t->under_way++;
    sum.sent++;
    if (measuring) sum.sent_measured++;
    int who = (int)(t - talkers);
    if (!opt.v1) length = snprintf(text, sizeof text, "{\"message\": \"");
    else {
        length = snprintf(text, sizeof text, "{\"type\":\"post\",\"id\":\"%s-%04x-%08x\",", run, who, number);
        if (opt.mode == POST) length += snprintf(text + length, sizeof text - (size_t)length, "\"room\":\"%s-%d\",", opt.prefix, t->room);
        length += snprintf(text + length, sizeof text - (size_t)length, "\"body\":\"");
    }
    int body = length;
    length += snprintf(text + length, sizeof text - (size_t)length, "^%04x%08x%s", who, number, run);
    while (length - body < opt.size) {
        int left = opt.size - (length - body), take = left < (int)sizeof filler - 1 ? left : (int)sizeof filler - 1;
        memcpy(text + length, filler, (size_t)take);
        length += take;
    }
    memcpy(text + length, "\"}", 2);
    put_frame(c, 1, text, (size_t)length + 2);
}

/* ----------------------------------------------------------------------------------------------------- judging -- */

static int64_t read_hex(const uint8_t *at, int digits) {
    int64_t value = 0;
    while (digits--) {
        uint8_t ch = *at++;
        if (ch >= '0' && ch <= '9') value = value << 4 | (ch - '0');
        else if (ch >= 'a' && ch <= 'f') value = value << 4 | (ch - 'a' + 10);
        else return -1;
    }
    return value;
}

static void go_on(struct talker *t) {
    t->under_way--;
    while (sending && opt.rate == 0 && t->under_way < opt.window && clients[t->client].state == LIVE) say(t, clock_now());
}

static void deliver(struct client *c, uint32_t who, uint32_t number, int64_t now) {
    if (who >= (uint32_t)talker_count || number >= talkers[who].count) {
        sum.strange++;
        return;
    }
    struct talker *t = &talkers[who];
    struct message *m = &t->messages[number];
    if (t->room != c->room) {
        sum.misrouted++;
        return;
    }
    uint32_t *expected = &c->expected[t->slot];
    if (number < *expected) {
        if ((int)m->got >= receivers) {
            sum.doubled++;
            return;
        }
        sum.late++; /* or doubled while another client's is lost: either is a fault */
    } else {
        sum.lost += number - *expected;
        *expected = number + 1;
    }
    sum.deliveries++;
    if (measuring) sum.measured++;
    m->got++;
    if (m->measured) note(&delivered_after, now - m->sent);
    if ((int)m->got == receivers) {
        sum.complete++;
        if (m->measured) note(&last_after, now - m->sent);
    }
    if (opt.mode != POST && t->client == c->index) go_on(t);
}

/* How many messages there are in a payload. */
static uint64_t find_messages(struct client *c, const uint8_t *at, const uint8_t *end, int64_t now) {
    uint64_t found = 0;
    while ((at = memchr(at, '^', (size_t)(end - at))) && end - at >= MARKER) {
        if (memcmp(at + 13, run, 4) == 0) {
            int64_t who = read_hex(at + 1, 4), number = read_hex(at + 5, 8);
            if (who < 0 || number < 0) sum.strange++;
            else deliver(c, (uint32_t)who, (uint32_t)number, now);
            found++;
        } else sum.strange++;
        at += MARKER;
    }
    return found;
}

static uint64_t number_after(const uint8_t *text, size_t length, const char *key) {
    const uint8_t *at = memmem(text, length, key, strlen(key));
    return at ? strtoull((const char *)at + strlen(key), NULL, 10) : 0;
}

static bool begins(const uint8_t *text, size_t length, const char *with) {
    return length >= strlen(with) && !memcmp(text, with, strlen(with));
}

static void become_live(struct client *c) {
    c->state = LIVE;
    c->was_live = true;
    opening--;
    live++;
    if (!is_back) note(&joined_after, clock_now() - c->began);
}

static void check_caught_up(struct client *c, uint64_t before, int64_t now) {
    if (is_back && before < target && c->cursor >= target) {
        sum.caught_up++;
        note(&caught_up_after, now - storm_began);
    }
}

static void note_epoch(struct client *c, const uint8_t *text, size_t length) {
    const uint8_t *epoch = memmem(text, length, "\"epoch\":\"", 9);
    const uint8_t *end = epoch ? memchr(epoch + 9, '"', (size_t)(text + length - epoch - 9)) : NULL;
    if (end) snprintf(c->epoch, sizeof c->epoch, "%.*s", (int)(end - epoch - 9), (const char *)epoch + 9);
}

static void on_joined(struct client *c, const uint8_t *text, size_t length, int64_t now) {
    const uint8_t *events = memmem(text, length, "\"events\":", 9);
    size_t top = events ? (size_t)(events - text) : length;
    uint64_t before = c->cursor, prev = number_after(text, top, "\"prev\":"), head = number_after(text, top, "\"head\":");
    note_epoch(c, text, top);
    bool reset = memmem(text, length, "\"reset\":\"", 9) != NULL;
    /* To start over is allowed by the protocol, and means that the server could not or would not bring what was missed. */
    if (reset && (is_back || c->state == LIVE)) sum.resets++;
    if (is_back && !reset && prev != c->cursor) sum.holes++;
    c->cursor = head;
    if (is_back) {
        uint64_t found = find_messages(c, text, text + length, now);
        if (!reset && found != head - prev) sum.miscounted++;
    }
    if (c->state == JOINING) become_live(c);
    check_caught_up(c, before, now);
}

static void on_events(struct client *c, const uint8_t *text, size_t length, int64_t now) {
    size_t top = length < 400 ? length : 400;
    uint64_t before = c->cursor, prev = number_after(text, top, "\"prev\":"), head = number_after(text, top, "\"head\":");
    uint64_t found = find_messages(c, text, text + length, now);
    if (!*c->epoch) note_epoch(c, text, top); /* a room has none until its first message */
    if (prev != c->cursor) {
        sum.holes++;
        trouble("client %d stood at %" PRIu64 " and got (%" PRIu64 ", %" PRIu64 "]", c->index, c->cursor, prev, head);
    }
    if (found != head - prev) sum.miscounted++;
    c->cursor = head;
    c->unseen += length;
    if (c->unseen >= SEEN_BYTES) say_seen(c);
    check_caught_up(c, before, now);
}

static void on_ack(const uint8_t *text, size_t length, int64_t now) {
    const uint8_t *id = memmem(text, length, "\"id\":\"", 6);
    if (!id || id + 6 + 18 > text + length || memcmp(id + 6, run, 4)) return;
    int64_t who = read_hex(id + 11, 4), number = read_hex(id + 16, 8);
    if (who < 0 || who >= talker_count || number < 0 || number >= talkers[who].count) return;
    struct message *m = &talkers[who].messages[number];
    sum.acks++;
    if (measuring) sum.acks_measured++;
    if (m->measured) note(&acked_after, now - m->sent);
    if (opt.mode == POST) go_on(&talkers[who]);
}

static void on_text(struct client *c, const uint8_t *text, size_t length, int64_t now) {
    sum.frames++;
    if (!opt.v1) {
        if (!find_messages(c, text, text + length, now) && memmem(text, length, "\"error\"", 7)) {
            sum.errors++;
            trouble("%.*s", (int)(length < 200 ? length : 200), text);
        }
    } else if (begins(text, length, "{\"type\":\"events\"")) on_events(c, text, length, now);
    else if (begins(text, length, "{\"type\":\"ack\"")) on_ack(text, length, now);
    else if (begins(text, length, "{\"type\":\"joined\"")) on_joined(c, text, length, now);
    else if (begins(text, length, "{\"type\":\"welcome\"")) {
        if (opt.mode == POST && c->talker >= 0) become_live(c);
    } else if (begins(text, length, "{\"type\":\"error\"") || begins(text, length, "{\"type\":\"bye\"")) {
        sum.errors++;
        trouble("%.*s", (int)(length < 200 ? length : 200), text);
        if (opt.mode == POST && c->talker >= 0) go_on(&talkers[c->talker]);
    }
}

/* ------------------------------------------------------------------------------------------------------ reading -- */

static size_t read_answer(struct client *c, const uint8_t *at, size_t length) {
    const uint8_t *end = memmem(at, length, "\r\n\r\n", 4);
    if (!end) return 0;
    if (!begins(at, length, "HTTP/1.1 101")) {
        char why[64];
        snprintf(why, sizeof why, "refused: %.40s", (const char *)at);
        drop(c, why);
        return length;
    }
    c->state = JOINING;
    if (!opt.v1) become_live(c);
    return (size_t)(end - at) + 4;
}

static size_t read_frames(struct client *c, uint8_t *at, size_t length, int64_t now) {
    size_t used = 0;
    while (c->state != CLOSED && length - used >= 2) {
        uint8_t *frame = at + used;
        size_t header = 2;
        uint64_t size = frame[1] & 127;
        if (size >= 126) {
            int digits = size == 126 ? 2 : 8;
            header += (size_t)digits;
            if (length - used < header) break;
            size = 0;
            for (int i = 0; i < digits; i++) size = size << 8 | frame[2 + i];
        }
        if (frame[1] & 0x80 || frame[0] < 0x80 || size > FRAME_MAX / 2) {
            drop(c, "not a frame of a server, or not in one piece");
            return length;
        }
        if (length - used < header + size) break;
        uint8_t *payload = frame + header;
        switch (frame[0] & 15) {
        case 1: on_text(c, payload, size, now); break;
        case 8: {
            char why[40];
            snprintf(why, sizeof why, "closed with %d", size >= 2 ? payload[0] << 8 | payload[1] : 0);
            drop(c, why);
            break;
        }
        case 9: put_frame(c, 10, payload, size < 125 ? size : 125); break;
        }
        used += header + size;
    }
    return used;
}

static void on_readable(struct client *c) {
    uint8_t *start = arrivals - c->rest_length;
    ssize_t got = recv(c->fd, arrivals, CHUNK, 0);
    if (got <= 0) {
        if (got < 0 && errno == EAGAIN) return;
        drop(c, got ? strerror(errno) : "the server ended the connection");
        return;
    }
    int64_t now = clock_now();
    sum.reads++;
    sum.bytes += (uint64_t)got;
    memcpy(start, c->rest, c->rest_length);
    size_t length = c->rest_length + (size_t)got, used = 0;
    start[length] = 0;
    if (c->state == UPGRADING) used = read_answer(c, start, length);
    if (c->state == JOINING || c->state == LIVE) used += read_frames(c, start + used, length - used, now);
    c->rest_length = 0;
    if (c->state == CLOSED || used >= length) return;
    c->rest_length = length - used;
    if (c->rest_length > FRAME_MAX - 1) fail("a frame without end");
    if (c->rest_length > c->rest_size) c->rest = grow(c->rest, c->rest_size = 2 * c->rest_length);
    memcpy(c->rest, start + used, c->rest_length);
}

/* ------------------------------------------------------------------------------------------------------ opening -- */

static char (*cookies)[256];
static int cookie_count;

static void read_cookies(void) {
    char line[256];
    FILE *file = fopen(opt.cookies, "r");
    if (!file) fail("%s: %s", opt.cookies, strerror(errno));
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = 0;
        cookies = grow(cookies, (size_t)(cookie_count + 1) * sizeof *cookies);
        strcpy(cookies[cookie_count++], line);
    }
    fclose(file);
}

static void open_client(struct client *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(opt.listeners_port && c->talker < 0 ? opt.listeners_port : opt.port))};
    int on = 1;
    inet_pton(AF_INET, opt.host, &address.sin_addr);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) fail("socket: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->state = CONNECTING;
    c->began = clock_now();
    c->rest_length = c->out_length = 0;
    c->wants_out = true;
    opening++;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u32 = (uint32_t)c->index};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) drop(c, strerror(errno));
}

static void on_connected(struct client *c) {
    char request[1500], query[100] = "", room[100] = "", cookie[300] = "";
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        drop(c, strerror(error));
        return;
    }
    if (opt.mode != POST || c->talker < 0) snprintf(room, sizeof room, "%s-%d/", opt.prefix, c->room);
    if (is_back && *c->epoch) snprintf(query, sizeof query, "?epoch=%s&since=%" PRIu64, c->epoch, c->cursor);
    if (cookie_count) snprintf(cookie, sizeof cookie, "Cookie: %s\r\n", cookies[c->index % cookie_count]);
    int length = snprintf(request, sizeof request,
                          "GET %s%s%s HTTP/1.1\r\nHost: %s:%d\r\nOrigin: http://%s:%d\r\n%s"
                          "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: cm9vbWNoYXQtYmVuY2gtMQ==\r\n%s\r\n",
                          opt.path, room, query, opt.host, opt.port, opt.host, opt.port, cookie,
                          opt.v1 ? "Sec-WebSocket-Protocol: roomchat.v1\r\n" : "");
    c->state = UPGRADING;
    c->wants_out = false;
    watch(c);
    put(c, request, (size_t)length);
}

/* Without a farewell, as when a train enters a tunnel. No TIME_WAIT is left behind either. */
static void vanish(struct client *c) {
    struct linger at_once = {1, 0};
    if (c->state == CLOSED) return;
    if (c->state == LIVE) live--;
    else opening--;
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(c->fd);
    c->state = CLOSED;
}

/* --------------------------------------------------------------------------------------------------------- time -- */

/* One turn of the loop, which waits until then at most. */
static void turn(int64_t until) {
    struct epoll_event events[1024];
    int64_t wait = until - clock_now();
    if (wait < 0) wait = 0;
    struct timespec timeout = {wait / SECOND, wait % SECOND};
    int count = epoll_pwait2(epoll_fd, events, 1024, &timeout, NULL);
    for (int i = 0; i < count; i++) {
        struct client *c = &clients[events[i].data.u32];
        if (c->state == CLOSED) continue;
        if (c->state == CONNECTING) {
            on_connected(c);
            continue;
        }
        if (events[i].events & EPOLLOUT) flush_out(c);
        if (c->state != CLOSED && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) on_readable(c);
    }
}

/* Positions that moved are told every two seconds; a twentieth of the clients at a time. */
static void tell_positions(int64_t now) {
    static int64_t next;
    static int part;
    if (!opt.v1 || now < next) return;
    next = now + SEEN_SECONDS * SECOND / 20;
    part = (part + 1) % 20;
    for (int i = part; i < client_count; i += 20)
        if (clients[i].state == LIVE && clients[i].cursor > clients[i].told) say_seen(&clients[i]);
}

static void run_until(int64_t until) {
    for (int64_t now; (now = clock_now()) < until;) {
        tell_positions(now);
        int64_t wake = now + SECOND / 10;
        turn(until < wake ? until : wake);
    }
}

static void open_all(int concurrency, double seconds) {
    int64_t limit = clock_now() + (int64_t)(seconds * SECOND);
    for (next_to_open = 0; next_to_open < client_count || opening;) {
        while (next_to_open < client_count && opening < concurrency) {
            if (clients[next_to_open].state == CLOSED) open_client(&clients[next_to_open]);
            next_to_open++;
        }
        if (clock_now() > limit) {
            trouble("%d of %d were open after %.0f s", live, client_count, seconds);
            return;
        }
        tell_positions(clock_now());
        turn(clock_now() + SECOND / 10);
    }
}

static int speaker_turn;

static void talk_until(int64_t until) {
    static int64_t due;
    sending = true;
    if (opt.rate == 0) {
        for (int i = 0; i < talker_count; i++)
            while (talkers[i].under_way < opt.window && clients[talkers[i].client].state == LIVE) say(&talkers[i], clock_now());
        run_until(until);
        return;
    }
    int64_t gap = (int64_t)(SECOND / opt.rate);
    if (!due) due = clock_now();
    for (int64_t now; (now = clock_now()) < until;) {
        /* Counted from when it was due: a server that holds the clients up does not look better for it. */
        for (; due <= now; due += gap) say(&talkers[speaker_turn++ % talker_count], due);
        tell_positions(now);
        turn(due < until ? due : until);
    }
}

/* Messages that have not reached everybody, or whose acks have not come; those that were refused are never complete. */
static uint64_t outstanding(void) {
    uint64_t waiting = sum.sent - sum.complete, unanswered = sum.sent - sum.acks - sum.errors;
    return opt.v1 && opt.mode != STORM && unanswered > waiting ? unanswered : waiting;
}

static double settle(double seconds) {
    int64_t began = clock_now(), limit = began + (int64_t)(seconds * SECOND);
    sending = false;
    while (outstanding() && live && clock_now() < limit) run_until(clock_now() + SECOND / 100);
    return (double)(clock_now() - began) / SECOND;
}

/* ------------------------------------------------------------------------------------------------------- report -- */

static struct usage before, after, services_before, services_after;
static double window, own_before, own_after, drained;

static void begin_window(void) {
    before = usage_of(opt.pids);
    services_before = usage_of(opt.services);
    own_before = own_cpu();
    window = (double)clock_now();
    measuring = true;
}

static void end_window(void) {
    measuring = false;
    window = ((double)clock_now() - window) / SECOND;
    after = usage_of(opt.pids);
    services_after = usage_of(opt.services);
    own_after = own_cpu();
}

static void report(double opened) {
    if (window <= 0) window = 1e-9; /* it never came to that */
    double cpu = after.cpu_seconds - before.cpu_seconds;
    uint64_t faults = sum.lost + sum.doubled + sum.late + sum.misrouted + sum.strange + sum.holes + sum.miscounted + sum.errors +
                      sum.refused + sum.dropped + sum.resets;
    bool ok = !faults && !outstanding() && (opt.mode != STORM || (int)sum.caught_up == client_count);
    if (!ok)
        trouble("lost %" PRIu64 ", doubled %" PRIu64 ", late %" PRIu64 ", misrouted %" PRIu64 ", strange %" PRIu64 ", miscounted %" PRIu64
                ", resets %" PRIu64 ", unfinished %" PRIu64 " of %" PRIu64, sum.lost, sum.doubled, sum.late, sum.misrouted, sum.strange, sum.miscounted, sum.resets,
                outstanding(), sum.sent);
    printf("{\"ok\":%s,\"trouble\":\"%s\"", ok ? "true" : "false", first_trouble);
    printf(",\"clients\":%d,\"open_seconds\":%.3f,\"window_seconds\":%.3f,\"drain_seconds\":%.3f", client_count, opened, window, drained);
    printf(",\"deliveries\":%" PRIu64 ",\"messages\":%" PRIu64 ",\"acks\":%" PRIu64, sum.measured, sum.sent_measured, sum.acks_measured);
    printf(",\"cpu_seconds\":%.3f,\"services_cpu_seconds\":%.3f,\"generator_cpu\":%.3f", cpu,
           services_after.cpu_seconds - services_before.cpu_seconds, (own_after - own_before) / window);
    printf(",\"deliveries_per_second\":%.1f,\"acks_per_second\":%.1f,\"server_cpu\":%.3f", (double)sum.measured / window,
           (double)sum.acks_measured / window, cpu / window);
    if (sum.measured) printf(",\"cpu_per_100k\":%.4f", cpu * 1e5 / (double)sum.measured);
    printf(",\"rss_kib_before\":%.0f,\"rss_kib_after\":%.0f,\"processes\":%d", before.rss_kib, after.rss_kib, after.processes);
    printf(",\"frames\":%" PRIu64 ",\"reads\":%" PRIu64 ",\"bytes\":%" PRIu64, sum.frames, sum.reads, sum.bytes);
    printf(",\"lost\":%" PRIu64 ",\"doubled\":%" PRIu64 ",\"late\":%" PRIu64 ",\"misrouted\":%" PRIu64 ",\"strange\":%" PRIu64, sum.lost,
           sum.doubled, sum.late, sum.misrouted, sum.strange);
    printf(",\"holes\":%" PRIu64 ",\"miscounted\":%" PRIu64 ",\"errors\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"dropped\":%" PRIu64, sum.holes,
           sum.miscounted, sum.errors, sum.refused, sum.dropped);
    printf(",\"resets\":%" PRIu64 ",\"caught_up\":%" PRIu64 ",\"unfinished\":%" PRIu64, sum.resets, sum.caught_up, outstanding());
    print_latencies("delivery_ms", &delivered_after);
    print_latencies("last_ms", &last_after);
    print_latencies("ack_ms", &acked_after);
    print_latencies("join_ms", &joined_after);
    print_latencies("caught_up_ms", &caught_up_after);
    puts("}");
}

/* -------------------------------------------------------------------------------------------------------- modes -- */

static void chat(void) {
    begin_window();
    end_window();
    talk_until(clock_now() + (int64_t)(opt.warmup * SECOND));
    /* The first message of a room makes the room, and that is not what is measured. */
    for (int64_t limit = clock_now() + (int64_t)(opt.drain * SECOND); sum.complete < (uint64_t)talker_count && live && clock_now() < limit;)
        talk_until(clock_now() + SECOND / 20);
    begin_window();
    talk_until(clock_now() + (int64_t)(opt.duration * SECOND));
    end_window();
    drained = settle(opt.drain);
}

static void storm(void) {
    talk_until(clock_now() + (int64_t)(opt.warmup * SECOND));
    settle(opt.drain);
    struct talker *poster = &talkers[0];
    for (int i = 0; i < client_count; i++)
        if (i != poster->client) vanish(&clients[i]);
    receivers = 1;
    for (int said = 0; said < opt.away; said++) {
        uint64_t acks = sum.acks;
        say(poster, clock_now());
        for (int64_t limit = clock_now() + 10 * SECOND; sum.acks == acks && clock_now() < limit;) turn(clock_now() + SECOND / 10);
    }
    run_until(clock_now() + SECOND / 5);
    target = clients[poster->client].cursor;
    vanish(&clients[poster->client]);
    /* What was said meanwhile is due to everybody now. */
    receivers = client_count;
    puts("away");
    fflush(stdout);
    if (getchar() == EOF) exit(2);
    is_back = true;
    /* The poster has it all; so that it counts as one who comes back, it forgets the last message. */
    struct client *p = &clients[poster->client];
    p->cursor = target - 1;
    p->expected[poster->slot]--;
    talkers[0].messages[poster->count - 1].got--;
    begin_window();
    storm_began = clock_now();
    open_all(client_count, opt.drain);
    for (int64_t limit = storm_began + (int64_t)(opt.drain * SECOND); (int)sum.caught_up < client_count && clock_now() < limit;) turn(clock_now() + SECOND / 10);
    end_window();
    drained = (double)(clock_now() - storm_began) / SECOND;
    sum.complete = sum.sent; /* completeness is judged by the positions here */
}

static int number(const char *text) { return atoi(text); }

int main(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (!strcmp(name, "--port")) opt.port = number(value);
        else if (!strcmp(name, "--listeners-port")) opt.listeners_port = number(value);
        else if (!strcmp(name, "--path")) opt.path = value;
        else if (!strcmp(name, "--prefix")) opt.prefix = value;
        else if (!strcmp(name, "--dialect")) opt.v1 = !strcmp(value, "v1");
        else if (!strcmp(name, "--mode")) opt.mode = !strcmp(value, "idle") ? IDLE : !strcmp(value, "storm") ? STORM : !strcmp(value, "post") ? POST : CHAT;
        else if (!strcmp(name, "--rooms")) opt.rooms = number(value);
        else if (!strcmp(name, "--members")) opt.members = number(value);
        else if (!strcmp(name, "--talkers")) opt.talkers = number(value);
        else if (!strcmp(name, "--window")) opt.window = number(value);
        else if (!strcmp(name, "--size")) opt.size = number(value);
        else if (!strcmp(name, "--concurrency")) opt.concurrency = number(value);
        else if (!strcmp(name, "--away")) opt.away = number(value);
        else if (!strcmp(name, "--rate")) opt.rate = atof(value);
        else if (!strcmp(name, "--warmup")) opt.warmup = atof(value);
        else if (!strcmp(name, "--duration")) opt.duration = atof(value);
        else if (!strcmp(name, "--drain")) opt.drain = atof(value);
        else if (!strcmp(name, "--hold")) opt.hold = atof(value);
        else if (!strcmp(name, "--cookies")) opt.cookies = value;
        else if (!strcmp(name, "--pids")) opt.pids = value;
        else if (!strcmp(name, "--services")) opt.services = value;
        else fail("what is %s?", name);
    }
    if (opt.size < MARKER || opt.size > 4000) fail("--size %d", opt.size);
    uint16_t random;
    if (getrandom(&random, sizeof random, 0) != sizeof random) fail("getrandom");
    snprintf(run, sizeof run, "%04x", random);
    if (opt.cookies) read_cookies();

    /* In the mode "post" the talkers are in no room, and one client in each room listens. */
    int per_room = opt.mode == POST ? 1 + opt.talkers : opt.members;
    talkers_in_room = opt.talkers && opt.talkers < opt.members ? opt.talkers : opt.mode == POST ? opt.talkers : opt.members;
    client_count = opt.rooms * per_room;
    talker_count = opt.mode == IDLE ? 0 : opt.rooms * talkers_in_room;
    receivers = opt.mode == POST ? 1 : opt.members;
    if (talker_count > 0xffff) fail("too many talkers");
    clients = grow(NULL, (size_t)client_count * sizeof *clients);
    memset(clients, 0, (size_t)client_count * sizeof *clients);
    talkers = grow(NULL, (size_t)(talker_count + 1) * sizeof *talkers);
    memset(talkers, 0, (size_t)(talker_count + 1) * sizeof *talkers);
    buffer = grow(NULL, FRAME_MAX + CHUNK + 1);
    arrivals = buffer + FRAME_MAX;
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < client_count; i++) {
        int room = i / per_room, member = i % per_room;
        clients[i] = (struct client){.index = i, .room = room, .talker = -1};
        clients[i].expected = grow(NULL, (size_t)talkers_in_room * sizeof(uint32_t));
        memset(clients[i].expected, 0, (size_t)talkers_in_room * sizeof(uint32_t));
        int slot = opt.mode == POST ? member - 1 : member;
        if (talker_count && slot >= 0 && slot < talkers_in_room) {
            clients[i].talker = room * talkers_in_room + slot;
            talkers[clients[i].talker] = (struct talker){.client = i, .room = room, .slot = slot};
        }
    }

    if (opt.mode == IDLE) begin_window();
    int64_t began = clock_now();
    open_all(opt.concurrency, 60);
    double opened = (double)(clock_now() - began) / SECOND;
    run_until(clock_now() + SECOND * 3 / 10);
    if (live == client_count) switch (opt.mode) {
        case IDLE: run_until(clock_now() + (int64_t)(opt.hold * SECOND)); end_window(); break;
        case STORM: storm(); break;
        default: chat();
        }
    report(opened);
    for (int i = 0; i < client_count; i++) vanish(&clients[i]);
    return 0;
}
