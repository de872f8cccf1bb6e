/*
 * The clients of the scenario relay: they join topics of RelayServer, publish, and check every line that they receive.
 *
 *   relay_client address=A port=N n=CLIENTS first=INDEX topics=T joins=K seed=S late=0|1
 *
 * The clients here are those from first to first + n - 1 of all. Client i has the id c<i>. It publishes to the topics that it joins, in turn. A
 * message is "publisher sequence stamp filler"; the filler follows from the seed, the publisher, its topic and the sequence. Each server numbers
 * the messages of each topic from 1. A client checks for each server and topic that the next number is that of the last message, plus the
 * messages reported as missed, plus 1. A late client has joined while others were publishing: it counts from the first message on, but at the
 * latest from those that were accepted before the command base.
 *
 * Commands on standard input. Each but accepted is answered by one line:
 *   start RATE                     publish so many messages per second, all clients here together
 *   stop
 *   mark                           start the statistics of a phase
 *   count                          print the counters
 *   accepted SERVER TOPIC=COUNT... how many messages a server has accepted until now
 *   base                           late clients must receive what is accepted from now on
 *   compare                        compare what was received and reported as missed with what was accepted
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    SLOTS = 24, /* servers, also those that have ended */
    JOINS_MAX = 4,
    PUBLISHERS_MAX = 4096,
    TOPICS_MAX = 1024,
    FILLER_MAX = 40,
    LINE_MAX_BYTES = 256,
    OUT_MAX = 1 << 14,
    IN_MAX = 1 << 12,
    CONNECTS_MAX = 200 /* at a time */
};
#define SECOND 1000000000LL
#define LATE_NANOS (SECOND / 2)

typedef struct {
    uint64_t last, missed; /* number of the last message, and messages reported as missed since */
    uint64_t base;         /* of a late client: the first message has at most this number + 1 */
    uint8_t known;         /* last is valid */
} Stream;

typedef struct {
    int fd, connected, joined, late, hasBase, leaving;
    uint32_t outLength, inLength;
    int8_t own; /* slot of its server */
    uint8_t writing, moving;
    char out[OUT_MAX], in[IN_MAX];
    uint32_t topic[JOINS_MAX], sequence[JOINS_MAX], echoed[JOINS_MAX];
    Stream streams[JOINS_MAX][SLOTS];
    uint32_t next;
} Client;

static Client *all;
static int n = 1, first, topics = 200, joins = 2, port, late, epfd, connecting, nextConnect;
static const char *address = "127.0.0.1";
static uint64_t seed = 1;
/* The last sequence of each publisher, by client and topic, with the slot of its server in the upper bits. */
static uint64_t *sequences;

static char names[SLOTS][17];
static int slots;
static uint64_t accepted[SLOTS][TOPICS_MAX];
static uint8_t isKnown[SLOTS]; /* accepted is up to date */
static uint64_t lostLines[SLOTS];

static int64_t startAt, marked, lastGap, lastLate, firstOf[SLOTS];
static uint64_t paced, failed, ended, moved, published, deliveries, gaps, gapLines, wrong, refused, remote;
static double rate;
static char firstError[512] = "-";

static uint64_t histogram[64 * 64];

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

static int filler(char *to, uint32_t publisher, uint32_t topic, uint32_t sequence) {
    uint64_t x = mix(seed ^ mix((uint64_t) publisher << 42 | (uint64_t) topic << 32 | sequence));
    int length = 1 + (int) (x % FILLER_MAX);
    for (int i = 0; i < length; i++) {
        if (i % 8 == 0) x = mix(x);
        to[i] = (char) ('a' + ((x >> (i % 8 * 8)) & 0xff) % 26);
    }
    return length;
}

static void record(int64_t nanos) {
    uint64_t v = nanos < 64 ? 64 : (uint64_t) nanos;
    int top = 63 - __builtin_clzll(v);
    histogram[(top << 6) + ((v >> (top - 6)) & 63)]++;
}

static double percentile(double share) {
    uint64_t total = 0, seen = 0;
    for (int i = 0; i < 64 * 64; i++) total += histogram[i];
    for (int i = 0; i < 64 * 64; i++) {
        seen += histogram[i];
        if (total > 0 && (double) seen >= share * (double) total) return (double) ((64ULL + (i & 63)) << ((i >> 6) - 6)) / 1e3;
    }
    return 0;
}

static void error(const Client *c, const char *what, const char *line) {
    if (wrong++ == 0) {
        snprintf(firstError, sizeof firstError, "client_%d:_%s:_%s", first + (int) (c - all), what, line);
        for (char *p = firstError; *p; p++) if (*p == ' ') *p = '_';
    }
}

static int slot(const char *name, int length) {
    for (int i = 0; i < slots; i++) if (strncmp(names[i], name, 16) == 0) return i;
    if (length != 16 || slots == SLOTS) { fprintf(stderr, "relay_client: too many servers: %.*s\n", length, name); exit(2); }
    memcpy(names[slots], name, 16);
    return slots++;
}

static void interest(Client *c) {
    struct epoll_event e = {.events = EPOLLIN | (c->writing ? EPOLLOUT : 0u), .data.u32 = (uint32_t) (c - all)};
    epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &e);
}

static void begin(Client *c) {
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) { perror("relay_client: socket"); exit(2); }
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
    inet_pton(AF_INET, address, &to.sin_addr);
    struct epoll_event e = {.events = EPOLLOUT, .data.u32 = (uint32_t) (c - all)};
    epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &e);
    c->connected = c->joined = c->inLength = c->outLength = c->leaving = 0;
    c->own = -1;
    connecting++;
    if (connect(c->fd, (struct sockaddr *) &to, sizeof to) < 0 && errno != EINPROGRESS) {
        failed++;
        connecting--;
        close(c->fd);
        c->fd = -1;
    }
}

static void lose(Client *c, const char *how) {
    close(c->fd);
    c->fd = -1;
    if (!c->connected) { connecting--; failed++; }
    else ended++;
    c->connected = 0;
    if (firstError[0] == '-') snprintf(firstError, sizeof firstError, "client_%d_ended:_%s", first + (int) (c - all), how);
}

static void flushOut(Client *c) {
    uint32_t done = 0;
    while (done < c->outLength) {
        ssize_t wrote = send(c->fd, c->out + done, c->outLength - done, MSG_NOSIGNAL);
        if (wrote < 0) {
            if (errno == EINTR) continue;
            if (errno != EAGAIN) { lose(c, strerrorname_np(errno)); return; }
            break;
        }
        done += (uint32_t) wrote;
    }
    memmove(c->out, c->out + done, c->outLength - done);
    c->outLength -= done;
    if (c->writing != (c->outLength > 0)) { c->writing = c->outLength > 0; interest(c); }
}

static void say(Client *c, const char *text, int length) {
    if (c->outLength + (uint32_t) length > OUT_MAX) { error(c, "the server does not read", text); return; }
    memcpy(c->out + c->outLength, text, (size_t) length);
    c->outLength += (uint32_t) length;
    flushOut(c);
}

static void publish(Client *c) {
    if (c->fd < 0 || c->joined < joins || c->leaving || c->outLength > OUT_MAX / 2) return;
    uint32_t k = c->next++ % (uint32_t) joins;
    char text[LINE_MAX_BYTES], fill[FILLER_MAX + 1];
    uint32_t me = (uint32_t) (first + (c - all)), sequence = ++c->sequence[k];
    fill[filler(fill, me, c->topic[k], sequence)] = 0;
    say(c, text, snprintf(text, sizeof text, "P t%u %u %u %lld %s\n", c->topic[k], me, sequence, (long long) now() / 1000, fill));
    published++;
}

static void hello(Client *c) {
    char text[LINE_MAX_BYTES];
    say(c, text, snprintf(text, sizeof text, "I c%d\n", first + (int) (c - all)));
    for (int k = 0; k < joins && c->fd >= 0; k++) say(c, text, snprintf(text, sizeof text, "J t%u\n", c->topic[k]));
}

static int joinOf(const Client *c, uint32_t topic) {
    for (int k = 0; k < joins; k++) if (c->topic[k] == topic) return k;
    return -1;
}

/* The first message of a server and topic has arrived at a late client, or the first gap (which counts from the base). */
static void begins(const Client *c, Stream *stream, uint64_t number) {
    stream->known = 1;
    stream->last = c->hasBase && number > stream->base ? stream->base : number - 1;
    stream->missed = 0;
}

/* A message: "t<topic> server number publisher sequence stamp filler". */
static void message(Client *c, char *line, int64_t t) {
    unsigned topic, publisher, sequence;
    unsigned long long number;
    long long stamp;
    char server[20], fill[FILLER_MAX + 2], expected[FILLER_MAX + 1];
    if (sscanf(line, "M t%u %16s %llu %u %u %lld %41s", &topic, server, &number, &publisher, &sequence, &stamp, fill) != 7) {
        error(c, "malformed", line);
        return;
    }
    int k = joinOf(c, topic), s = slot(server, (int) strlen(server));
    expected[filler(expected, publisher, topic, sequence)] = 0;
    if (k < 0 || publisher >= PUBLISHERS_MAX || strcmp(fill, expected) != 0) { error(c, "content", line); return; }
    Stream *stream = &c->streams[k][s];
    if (!stream->known && c->late) begins(c, stream, number);
    if (number != stream->last + stream->missed + 1) {
        char what[100];
        snprintf(what, sizeof what, number <= stream->last ? "duplicate after %llu missed %llu" : "number after %llu missed %llu",
                 (unsigned long long) stream->last, (unsigned long long) stream->missed);
        error(c, what, line);
    }
    stream->known = 1;
    stream->last = number;
    stream->missed = 0;
    uint64_t *sequenceOf = &sequences[((uint64_t) (c - all) * (uint64_t) joins + (uint64_t) k) * PUBLISHERS_MAX + publisher];
    if (*sequenceOf >> 32 == (uint64_t) s + 1 && sequence <= (uint32_t) *sequenceOf) error(c, "order of the publisher", line);
    *sequenceOf = ((uint64_t) s + 1) << 32 | sequence;
    deliveries++;
    int64_t latency = t - (int64_t) stamp * 1000;
    if (s != c->own) {
        remote++;
        if (firstOf[s] == 0) firstOf[s] = t;
        if (latency > LATE_NANOS) lastLate = t;
    } else if (publisher == (unsigned) (first + (c - all))) {
        record(latency);
        c->echoed[k] = sequence;
    }
}

static int isQuiet(const Client *c) {
    for (int k = 0; k < joins; k++) if (c->echoed[k] != c->sequence[k]) return 0;
    return 1;
}

/* Leaves the server, and connects again: a successor has taken over. */
static void move(Client *c) {
    close(c->fd);
    moved++;
    c->late = 1;
    c->hasBase = 0;
    c->writing = 0;
    memset(c->streams, 0, sizeof c->streams);
    c->fd = -1;
    begin(c);
}

static void handle(Client *c, char *line, int64_t t) {
    unsigned topic;
    unsigned long long missed;
    char server[20];
    switch (line[0]) {
        case 'M': message(c, line, t); break;
        case 'G':
            if (sscanf(line, "G t%u %16s %llu", &topic, server, &missed) != 3 || joinOf(c, topic) < 0) { error(c, "malformed", line); break; }
            Stream *stream = &c->streams[joinOf(c, topic)][slot(server, (int) strlen(server))];
            if (!stream->known && c->hasBase) begins(c, stream, stream->base + 1);
            if (!c->late || stream->known) {
                stream->missed += missed;
                gaps += missed;
                gapLines++;
                lastGap = t;
            }
            break;
        case 'H': c->own = (int8_t) slot(line + 2, (int) strlen(line + 2)); break;
        case 'J': c->joined++; break;
        case 'L': lostLines[slot(line + 2, (int) strlen(line + 2))]++; break;
        case 'F': refused++; break;
        case 'B': c->leaving = 1; break;
        default: error(c, "unknown", line);
    }
}

static void pull(Client *c) {
    while (c->fd >= 0) {
        ssize_t got = recv(c->fd, c->in + c->inLength, IN_MAX - c->inLength, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) {
            lose(c, got == 0 ? "finished" : strerrorname_np(errno));
            return;
        }
        int64_t t = now();
        c->inLength += (uint32_t) got;
        char *at = c->in, *end = c->in + c->inLength;
        for (char *newline; (newline = memchr(at, '\n', (size_t) (end - at))) != NULL; at = newline + 1) {
            *newline = 0;
            handle(c, at, t);
        }
        c->inLength = (uint32_t) (end - at);
        memmove(c->in, at, c->inLength);
        if (c->inLength == IN_MAX) { error(c, "line too long", ""); c->inLength = 0; }
        if (c->leaving && isQuiet(c)) { move(c); return; }
    }
}

static void turn(int64_t wait) {
    static struct epoll_event events[512];
    while (nextConnect < n && connecting < CONNECTS_MAX) begin(&all[nextConnect++]);
    struct timespec t = {.tv_sec = wait / SECOND, .tv_nsec = wait % SECOND};
    int count = epoll_pwait2(epfd, events, 512, &t, NULL);
    for (int i = 0; i < count; i++) {
        if (events[i].data.u32 == UINT32_MAX) continue; /* standard input */
        Client *c = &all[events[i].data.u32];
        if (c->fd < 0) continue;
        if (!c->connected) {
            int failure = 0;
            socklen_t length = sizeof failure;
            getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &failure, &length);
            if (failure != 0) { lose(c, strerrorname_np(failure)); continue; }
            c->connected = 1;
            connecting--;
            interest(c);
            hello(c);
            continue;
        }
        if (events[i].events & EPOLLOUT) flushOut(c);
        if (c->fd >= 0 && events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) pull(c);
    }
    if (rate > 0) {
        int64_t due = (int64_t) ((double) (now() - startAt) * rate / 1e9);
        for (int burst = 0; (int64_t) paced < due && burst < 200; burst++) publish(&all[paced++ % (uint64_t) n]);
    }
}

static void mark(void) {
    marked = now();
    lastGap = lastLate = 0;
    memset(firstOf, 0, sizeof firstOf);
    memset(lostLines, 0, sizeof lostLines);
    memset(histogram, 0, sizeof histogram);
}

static double since(int64_t t) {
    return t == 0 ? -1 : (double) (t - marked) / 1e9;
}

static void count(void) {
    int live = 0, joined = 0;
    for (int i = 0; i < n; i++) { live += all[i].connected; joined += all[i].connected && all[i].joined == joins; }
    printf("count live=%d joined=%d connecting=%d failed=%llu ended=%llu moved=%llu published=%llu deliveries=%llu remote=%llu gaps=%llu gap_lines=%llu "
           "wrong=%llu refused=%llu last_gap=%.3f last_late=%.3f p50=%.1f p99=%.1f first_error=%s", live, joined, connecting,
           (unsigned long long) failed, (unsigned long long) ended, (unsigned long long) moved, (unsigned long long) published,
           (unsigned long long) deliveries, (unsigned long long) remote, (unsigned long long) gaps, (unsigned long long) gapLines,
           (unsigned long long) wrong, (unsigned long long) refused, since(lastGap), since(lastLate), percentile(0.5), percentile(0.99),
           firstError);
    for (int i = 0; i < slots; i++) printf(" first_%s=%.3f lost_%s=%llu", names[i], since(firstOf[i]), names[i], (unsigned long long) lostLines[i]);
    printf("\n");
}

static void setAccepted(char *text) {
    char *save, *word = strtok_r(text, " ", &save);
    int s = slot(word, (int) strlen(word));
    isKnown[s] = 1;
    memset(accepted[s], 0, sizeof accepted[s]);
    while ((word = strtok_r(NULL, " ", &save)) != NULL) {
        unsigned topic;
        unsigned long long messages;
        if (sscanf(word, "t%u=%llu", &topic, &messages) == 2 && topic < TOPICS_MAX) accepted[s][topic] = messages;
    }
}

static void setBase(void) {
    for (int i = 0; i < n; i++) {
        Client *c = &all[i];
        if (!c->late || c->hasBase) continue;
        c->hasBase = 1;
        for (int k = 0; k < joins; k++) for (int s = 0; s < SLOTS; s++) c->streams[k][s].base = accepted[s][c->topic[k]];
    }
}

/*
 * Compares what each client has received with what each server has accepted. open: messages neither received nor reported. extra: more than were
 * accepted. unanswered: messages that a client has published and not received itself.
 */
static void compare(void) {
    uint64_t open = 0, extra = 0, unanswered = 0, streams = 0;
    for (int i = 0; i < n; i++) {
        Client *c = &all[i];
        if (!c->connected) continue;
        for (int k = 0; k < joins; k++) {
            unanswered += c->sequence[k] - c->echoed[k];
            for (int s = 0; s < slots; s++) {
                Stream *stream = &c->streams[k][s];
                if (!isKnown[s] || (c->late && !c->hasBase && !stream->known)) continue;
                streams++;
                uint64_t expected = accepted[s][c->topic[k]];
                uint64_t have = c->late && !stream->known ? stream->base : stream->last + stream->missed;
                if (have < expected) open += expected - have;
                if (have > expected) extra += have - expected;
            }
        }
    }
    printf("compare streams=%llu open=%llu extra=%llu unanswered=%llu\n", (unsigned long long) streams, (unsigned long long) open,
           (unsigned long long) extra, (unsigned long long) unanswered);
    memset(isKnown, 0, sizeof isKnown); /* a server that is killed meanwhile can accept more, which remains unknown */
}

static void command(char *text) {
    if (sscanf(text, "start %lf", &rate) == 1) { startAt = now(); paced = 0; printf("started\n"); }
    else if (!strcmp(text, "stop")) { rate = 0; printf("stopped\n"); }
    else if (!strcmp(text, "mark")) { mark(); printf("marked\n"); }
    else if (!strcmp(text, "count")) count();
    else if (!strncmp(text, "accepted ", 9)) { setAccepted(text + 9); return; }
    else if (!strcmp(text, "base")) { setBase(); printf("based\n"); }
    else if (!strcmp(text, "compare")) compare();
    else { fprintf(stderr, "relay_client: unknown command %s\n", text); exit(2); }
    fflush(stdout);
}

static void readCommands(void) {
    static char text[1 << 16];
    static size_t length;
    while (1) {
        ssize_t got = read(0, text + length, sizeof text - 1 - length);
        if (got == 0) exit(0);
        if (got < 0) return;
        length += (size_t) got;
        text[length] = 0;
        char *at = text;
        for (char *newline; (newline = strchr(at, '\n')) != NULL; at = newline + 1) {
            *newline = 0;
            command(at);
        }
        length -= (size_t) (at - text);
        memmove(text, at, length + 1);
    }
}

int main(int argc, char **arguments) {
    for (int i = 1; i < argc; i++) {
        char *value = strchr(arguments[i], '=');
        if (value == NULL) return 2;
        long long v = atoll(++value);
        if (!strncmp(arguments[i], "port=", 5)) port = (int) v;
        else if (!strncmp(arguments[i], "address=", 8)) address = value;
        else if (!strncmp(arguments[i], "n=", 2)) n = (int) v;
        else if (!strncmp(arguments[i], "first=", 6)) first = (int) v;
        else if (!strncmp(arguments[i], "topics=", 7)) topics = (int) v;
        else if (!strncmp(arguments[i], "joins=", 6)) joins = (int) v;
        else if (!strncmp(arguments[i], "seed=", 5)) seed = (uint64_t) v;
        else if (!strncmp(arguments[i], "late=", 5)) late = (int) v;
        else { fprintf(stderr, "relay_client: unknown option %s\n", arguments[i]); return 2; }
    }
    if (joins < 1 || joins > JOINS_MAX || topics < joins || topics > TOPICS_MAX) return 2;
    signal(SIGPIPE, SIG_IGN);
    all = calloc((size_t) n, sizeof *all);
    sequences = calloc((size_t) n * (size_t) joins * PUBLISHERS_MAX, sizeof *sequences);
    epfd = epoll_create1(EPOLL_CLOEXEC);
    fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
    epoll_ctl(epfd, EPOLL_CTL_ADD, 0, &e);
    for (int i = 0; i < n; i++) {
        all[i].late = late;
        all[i].fd = -1;
        for (int k = 0; k < joins; k++) { /* topic i, and then at different distances, so that each pair of topics has few members in common */
            all[i].topic[k] = (uint32_t) (((uint64_t) (first + i) * (uint64_t) (k * 6 + 1) + (uint64_t) k) % (uint64_t) topics);
            for (int j = 0; j < k; j++) {
                if (all[i].topic[j] == all[i].topic[k]) {
                    all[i].topic[k] = (all[i].topic[k] + 1) % (uint32_t) topics;
                    j = -1;
                }
            }
        }
    }
    mark();
    while (1) {
        turn(rate > 0 ? SECOND / 1000 : SECOND / 20);
        readCommands();
    }
}
