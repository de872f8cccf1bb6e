/*
 * Clients for the scenarios: many connections in one thread. Reads commands from standard input and answers each with one line.
 *
 *   client talk  port=P n=N [size=B] [fixed=1] [seed=S] [window=W] [first=K]
 *       opens N connections; commands:
 *       talk M SECONDS   exchanges M messages on each connection and compares every byte of the echo, for at most SECONDS
 *       run SECONDS [R]  exchanges messages without a pause (or R per second in total; latency counts from the time a message was due)
 *       end SECONDS      exchanges messages without a pause until every connection has ended; reports how each ended
 *       count            reports the number of connections
 *       close            closes all connections in an orderly way, and exits
 *   client deaf  port=P n=N [size=B] [talks=0]     never reads; sends as much as the socket accepts, or nothing with talks=0
 *       blocked SECONDS  waits until no connection has made progress for half a second
 *   client drip  port=P n=N                         sends one byte per second of a line that never ends
 *       both: wait SECONDS   waits until all connections have ended; close
 *
 * The messages of a connection are lines of random letters derived from seed, connection and message number, so that the expected reply can be
 * computed at any time.
 */
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
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif
#define WINDOW_MAX 64
#define CONNECTS_UNDER_WAY_MAX 256
#define SECOND 1000000000LL

typedef struct {
    int fd;
    char connected, ended, wrong, writing;
    const char *how;             /* how it ended: "finished", or the name of an error */
    uint32_t sent, answered;     /* complete messages */
    uint32_t limit;              /* total number of messages to send */
    uint32_t out;                /* bytes sent of message number `sent` */
    uint32_t in;                 /* bytes received of reply number `answered` */
    uint64_t due;                /* open loop: messages that are due and not sent yet */
    int64_t since[WINDOW_MAX];   /* when each message in flight was sent, or due */
    int64_t dueAt, firstByte, endedAt, progress;
} Connection;

static Connection *all;
static int n = 1, port, size = 64, fixedSize, window = 1, talks = 1, first, epfd;
static uint64_t seed = 1;
static int live, connecting, next, running, paced, failed;
static int64_t interval; /* interval between the messages of one connection, if paced */
static uint64_t answers, bytesIn;
static char *line, *received;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/* Writes message number k of a connection to line; returns its length including the newline. */
static uint32_t message(const Connection *c, uint32_t k) {
    uint64_t x = mix(seed ^ mix((uint64_t) (first + (c - all)) << 32 | k));
    uint32_t length = fixedSize ? (uint32_t) size : 1 + (uint32_t) (x % (uint64_t) size);
    for (uint32_t i = 0; i < length - 1; i++) {
        if (i % 8 == 0) x = mix(x);
        line[i] = (char) ('a' + ((x >> (i % 8 * 8)) & 0xff) % 26);
    }
    line[length - 1] = '\n';
    return length;
}

/* Histogram of latencies: 64 buckets per power of two, each 1.6 % wide. */
static uint64_t histogram[64 * 64];
static uint64_t latencyMax;

static void record(int64_t nanos) {
    uint64_t v = nanos < 64 ? 64 : (uint64_t) nanos;
    int top = 63 - __builtin_clzll(v);
    histogram[(top << 6) + ((v >> (top - 6)) & 63)]++;
    if (v > latencyMax) latencyMax = v;
}

static double percentile(double share) {
    uint64_t total = 0, seen = 0;
    for (int i = 0; i < 64 * 64; i++) total += histogram[i];
    for (int i = 0; i < 64 * 64; i++) {
        seen += histogram[i];
        if (total > 0 && seen >= share * (double) total) return (double) ((64ULL + (i & 63)) << ((i >> 6) - 6)) / 1e3;
    }
    return 0;
}

static void interest(Connection *c, uint32_t events) {
    struct epoll_event e = {.events = events, .data.u32 = (uint32_t) (c - all)};
    epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &e);
}

static void ended(Connection *c, const char *how) {
    if (c->ended) return;
    c->ended = 1;
    c->how = how;
    c->endedAt = now();
    if (c->connected) live--; else { connecting--; failed++; }
    close(c->fd);
    c->fd = -1;
}

static void begin(Connection *c) {
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    connecting++;
    if (c->fd < 0) { perror("socket"); exit(2); }
    int one = 1, small = 4096;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!talks || window == 0) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    /* One local address per 10,000 connections, so that ports do not run out. */
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001u + (uint32_t) (first + (c - all)) / 10000)};
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    bind(c->fd, (struct sockaddr *) &from, sizeof from);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event e = {.events = EPOLLOUT, .data.u32 = (uint32_t) (c - all)};
    epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &e);
    if (connect(c->fd, (struct sockaddr *) &to, sizeof to) < 0 && errno != EINPROGRESS) ended(c, strerrorname_np(errno));
}

static void push(Connection *c) {
    while (!c->ended) {
        if (c->out == 0) {
            if (window > 0 && c->sent - c->answered >= (uint32_t) window) break;
            if (paced) {
                if (c->due == 0) break;
            } else if (!running && c->sent >= c->limit) break;
        }
        uint32_t length = message(c, c->sent);
        if (c->out == 0 && window > 0) c->since[c->sent % WINDOW_MAX] = paced ? c->dueAt : now();
        ssize_t wrote = send(c->fd, line + c->out, length - c->out, MSG_NOSIGNAL);
        if (wrote < 0) {
            if (errno == EINTR) continue;
            if (errno == EAGAIN) { if (!c->writing && window > 0) { c->writing = 1; interest(c, EPOLLIN | EPOLLOUT); } return; }
            ended(c, strerrorname_np(errno));
            return;
        }
        c->progress = now();
        if (c->firstByte == 0) c->firstByte = c->progress;
        c->out += (uint32_t) wrote;
        if (c->out == length) {
            c->out = 0;
            c->sent++;
            if (paced) { c->due--; c->dueAt += interval; }
        }
    }
    if (c->writing && !c->ended) { c->writing = 0; interest(c, EPOLLIN); }
}

static void pull(Connection *c) {
    while (!c->ended) {
        ssize_t got = recv(c->fd, received, 1 << 16, 0);
        if (got < 0) {
            if (errno == EINTR) continue;
            if (errno != EAGAIN) ended(c, strerrorname_np(errno));
            return;
        }
        if (got == 0) { ended(c, "finished"); return; }
        bytesIn += (uint64_t) got;
        int64_t t = now();
        for (ssize_t at = 0; at < got;) {
            uint32_t length = message(c, c->answered), left = length - c->in;
            uint32_t part = left < got - at ? left : (uint32_t) (got - at);
            if (c->answered >= c->sent + (c->out > 0) || memcmp(line + c->in, received + at, part) != 0) { c->wrong = 1; ended(c, "WRONG"); return; }
            at += part;
            c->in += part;
            if (c->in == length) {
                record(t - c->since[c->answered % WINDOW_MAX]);
                c->in = 0;
                c->answered++;
                answers++;
            }
        }
        if (got < 1 << 16) return;
    }
}

/* Waits for events for at most `wait` ns, and handles them. */
static void turn(int64_t wait) {
    static struct epoll_event events[512];
    while (next < n && connecting < CONNECTS_UNDER_WAY_MAX) begin(&all[next++]);
    struct timespec t = {.tv_sec = wait / SECOND, .tv_nsec = wait % SECOND};
    int count = epoll_pwait2(epfd, events, 512, &t, NULL);
    for (int i = 0; i < count; i++) {
        Connection *c = &all[events[i].data.u32];
        if (c->ended) continue;
        if (!c->connected) {
            int error = 0;
            socklen_t length = sizeof error;
            getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
            if (error != 0) { ended(c, strerrorname_np(error)); continue; }
            c->connected = 1;
            connecting--;
            live++;
            interest(c, window > 0 ? EPOLLIN : talks == 1 ? EPOLLOUT | EPOLLRDHUP | EPOLLET : EPOLLRDHUP | EPOLLET);
            continue;
        }
        if (window == 0) { /* never reads */
            int error = 0;
            socklen_t length = sizeof error;
            if (events[i].events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) {
                getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
                ended(c, error ? strerrorname_np(error) : "finished");
            } else if (talks == 1) push(c);
            continue;
        }
        if (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) pull(c);
        if (!c->ended) push(c);
    }
}

static int untilCommand(int64_t wait) {
    struct pollfd in[2] = {{.fd = 0, .events = POLLIN}, {.fd = epfd, .events = POLLIN}};
    return poll(in, 2, (int) (wait / 1000000)) > 0 && (in[0].revents != 0);
}

static int underWay(void) {
    int count = 0;
    for (int i = 0; i < n; i++) count += !all[i].ended && (all[i].sent != all[i].answered || all[i].out > 0);
    return count;
}

/* Prints how connections ended, and what was in flight. */
static void tally(const char *what, double seconds) {
    int wrong = 0, orderly = 0, resets = 0, partial = 0, unanswered = 0, others = 0;
    double least = 1e9, most = 0;
    const char *other = "-";
    for (int i = 0; i < n; i++) {
        Connection *c = &all[i];
        wrong += c->wrong;
        if (!c->ended || c->wrong) continue;
        if (strcmp(c->how, "finished") == 0) orderly++;
        else if (strcmp(c->how, "ECONNRESET") == 0 || strcmp(c->how, "EPIPE") == 0) resets++;
        else { others++; other = c->how; }
        if (c->in > 0) partial++;
        else if (c->sent != c->answered || c->out > 0) unanswered++;
        double after = c->firstByte ? (double) (c->endedAt - c->firstByte) / 1e9 : 0;
        if (after < least) least = after;
        if (after > most) most = after;
    }
    printf("%s live=%d waiting=%d wrong=%d finished=%d reset=%d other=%d other_name=%s partial=%d unanswered=%d answers=%llu bytes=%llu seconds=%.3f "
           "end_least=%.3f end_most=%.3f\n", what, live, underWay(), wrong, orderly, resets, others, other, partial, unanswered,
           (unsigned long long) answers, (unsigned long long) bytesIn, seconds, most > 0 ? least : 0, most);
    fflush(stdout);
}

static int64_t dripped;
static int64_t dripFrom;

/* Sends the bytes that are due: those of connection i are due at i / n after each full second. */
static void drip(void) {
    int64_t t = now();
    while (dripFrom + dripped * SECOND / n <= t) {
        Connection *c = &all[dripped++ % n];
        if (!c->connected || c->ended) continue;
        if (send(c->fd, "x", 1, MSG_NOSIGNAL) == 1) {
            if (c->firstByte == 0) c->firstByte = now();
        } else if (errno != EAGAIN) ended(c, strerrorname_np(errno));
    }
}

static void setRunning(int on) {
    running = on;
    for (int i = 0; on && i < n; i++) if (all[i].connected && !all[i].ended) push(&all[i]);
}

int main(int count, char **arguments) {
    const char *mode = count > 1 ? arguments[1] : "";
    int deaf = strcmp(mode, "deaf") == 0, drips = strcmp(mode, "drip") == 0;
    for (int i = 2; i < count; i++) {
        long long v = atoll(strchr(arguments[i], '=') ? strchr(arguments[i], '=') + 1 : "0");
        if (!strncmp(arguments[i], "port=", 5)) port = (int) v;
        else if (!strncmp(arguments[i], "n=", 2)) n = (int) v;
        else if (!strncmp(arguments[i], "size=", 5)) size = (int) v;
        else if (!strncmp(arguments[i], "fixed=", 6)) fixedSize = (int) v;
        else if (!strncmp(arguments[i], "seed=", 5)) seed = (uint64_t) v;
        else if (!strncmp(arguments[i], "window=", 7)) window = (int) v;
        else if (!strncmp(arguments[i], "first=", 6)) first = (int) v;
        else if (!strncmp(arguments[i], "talks=", 6)) talks = (int) v;
        else { fprintf(stderr, "client: unknown option %s\n", arguments[i]); return 2; }
    }
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdin, NULL, _IONBF, 0); /* otherwise a second command could be in the buffer, where poll does not see it */
    if (deaf) window = 0;
    if (drips) { window = 0; talks = 2; }
    if (window > WINDOW_MAX) return 2;
    all = calloc((size_t) n, sizeof *all);
    line = malloc((size_t) size + 1);
    received = malloc(1 << 16);
    epfd = epoll_create1(EPOLL_CLOEXEC);
    int64_t start = now();
    while (live + failed < n && now() - start < 60 * SECOND) turn(SECOND / 10);
    tally("connected", (double) (now() - start) / 1e9);
    dripFrom = now();
    running = deaf && talks == 1;
    if (running) setRunning(1);

    char command[256];
    while (1) {
        while (!untilCommand(drips ? 1000000 : 100000000)) {
            if (drips) drip();
            turn(0);
        }
        if (!fgets(command, sizeof command, stdin)) return 0;
        double seconds = 0;
        unsigned messages = 0;
        double rate = 0;
        int64_t t0 = now();
        uint64_t before = answers;
        if (sscanf(command, "talk %u %lf", &messages, &seconds) == 2) {
            for (int i = 0; i < n; i++) if (!all[i].ended) { all[i].limit = all[i].sent + messages; if (all[i].connected) push(&all[i]); }
            int64_t looked = 0;
            while (now() - t0 < (int64_t) (seconds * 1e9)) {
                turn(SECOND / 100);
                if (now() - looked > SECOND / 20) { looked = now(); if (underWay() == 0) break; }
            }
            int done = 0;
            for (int i = 0; i < n; i++) done += !all[i].ended && all[i].answered >= all[i].limit;
            printf("done=%d ", done);
            tally("talked", (double) (now() - t0) / 1e9);
        } else if (sscanf(command, "run %lf %lf", &seconds, &rate) >= 1) {
            memset(histogram, 0, sizeof histogram);
            latencyMax = 0;
            paced = rate > 0;
            interval = paced ? (int64_t) (1e9 * n / rate) : 0;
            for (int i = 0; i < n; i++) { all[i].due = 0; all[i].dueAt = t0 + (paced ? (int64_t) (1e9 * i / rate) : 0); }
            if (!paced) setRunning(1);
            int64_t due = 0, end = t0 + (int64_t) (seconds * 1e9);
            for (int64_t t = now(); t < end; t = now()) {
                int64_t wait = end - t;
                if (paced) {
                    while (t0 + (int64_t) ((double) due * 1e9 / rate) <= t) {
                        Connection *c = &all[due++ % n];
                        c->due++;
                        if (c->connected && !c->ended) push(c);
                    }
                    wait = t0 + (int64_t) ((double) due * 1e9 / rate) - t;
                }
                turn(wait < 0 ? 0 : wait > SECOND / 10 ? SECOND / 10 : wait);
            }
            double took = (double) (now() - t0) / 1e9;
            uint64_t got = answers - before;
            setRunning(0);
            uint64_t late = 0;
            for (int i = 0; i < n; i++) { late += all[i].due; all[i].due = 0; all[i].limit = all[i].sent + (all[i].out > 0); }
            paced = 0;
            for (int64_t t = now(); underWay() > 0 && now() - t < 5 * SECOND;) turn(SECOND / 100);
            printf("rate=%.0f p50=%.1f p99=%.1f p999=%.1f max=%.1f late=%llu ", (double) got / took, percentile(0.5), percentile(0.99),
                   percentile(0.999), (double) latencyMax / 1e3, (unsigned long long) late);
            tally("ran", took);
        } else if (sscanf(command, "end %lf", &seconds) == 1) {
            printf("started\n");
            fflush(stdout);
            setRunning(1);
            while (live > 0 && now() - t0 < (int64_t) (seconds * 1e9)) turn(SECOND / 10);
            setRunning(0);
            tally("ended", (double) (now() - t0) / 1e9);
        } else if (sscanf(command, "blocked %lf", &seconds) == 1) {
            while (now() - t0 < (int64_t) (seconds * 1e9)) {
                turn(SECOND / 20);
                int64_t last = t0;
                for (int i = 0; i < n; i++) if (all[i].progress > last) last = all[i].progress;
                if (now() - last > SECOND / 2) break;
            }
            tally("blocked", (double) (now() - t0) / 1e9);
        } else if (sscanf(command, "wait %lf", &seconds) == 1) {
            while (live > 0 && now() - t0 < (int64_t) (seconds * 1e9)) { if (drips) drip(); turn(drips ? 1000000 : SECOND / 10); }
            tally("waited", (double) (now() - t0) / 1e9);
        } else if (!strncmp(command, "count", 5)) {
            tally("counted", 0);
        } else if (!strncmp(command, "close", 5)) {
            for (int i = 0; i < n; i++) if (all[i].fd > 0) close(all[i].fd);
            printf("closed\n");
            return 0;
        }
    }
}
