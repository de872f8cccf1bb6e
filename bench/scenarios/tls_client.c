/*
 * TLS clients for the scenarios: many connections in one thread, with OpenSSL. Reads commands from standard input and answers each with one line.
 *
 *   tls_client talk  port=P n=N [pause=PAUSE_MS] [ca=FILE]
 *       opens N connections; commands:
 *       run SECONDS      each connection sends a line of 64 bytes, waits for its echo, pauses for PAUSE_MS, and so on
 *       until SECONDS    the same, until a line arrives on standard input; the result covers at most the first SECONDS
 *       close
 *   tls_client storm port=P n=N stall=S [ca=FILE]
 *       go SECONDS       opens N connections at once. S of them stall: half send nothing, half only the first message of the handshake. The others
 *                        complete it, and exchange one line. Waits for these, for at most SECONDS
 *       wait SECONDS     waits until those that stall are closed; reports how long after they began to connect at least (end_least); and at most, after
 *                        they saw the connect, or the answer to their message (end_most)
 *
 * With a CA, every certificate is verified, with the name localhost.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
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

#define SIZE 64
#define HANDSHAKES_AT_ONCE_MAX 32
#define SECOND 1000000000LL

typedef struct {
    int fd;
    SSL *ssl;
    char stalls, connecting, open, ended, wrong, done;
    int in;
    uint32_t number;
    int64_t since, due, beganAt, answeredAt, endedAt;
    char expected[SIZE + 1];
} Connection;

static Connection *all;
static SSL_CTX *context;
static int n = 1, port, stall, epfd, running, next, handshakes, opened, failed, wrong, completed;
static uint64_t answers;
static int64_t measuredUntil, pauseNanos;
/* The connections that pause, in the order in which their pauses end: each at most once. */
static int *pausing, pausingFirst, pausingCount;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

/* Histogram of latencies: 64 buckets per power of two, each 1.6 % wide. */
static uint64_t histogram[64 * 64];

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
        if (total > 0 && seen >= share * (double) total) return (double) ((64ULL + (i & 63)) << ((i >> 6) - 6)) / 1e3;
    }
    return 0;
}

static void ended(Connection *c) {
    if (c->ended) return;
    c->ended = 1;
    c->endedAt = now();
    if (!c->stalls && !c->done) failed++;
    if (!c->open) handshakes--;
    if (c->ssl) SSL_free(c->ssl);
    c->ssl = NULL;
    close(c->fd);
}

/* Sends the next line. 64 bytes always fit into the socket: only one line at a time is on its way. */
static void ask(Connection *c) {
    int length = snprintf(c->expected, sizeof c->expected, "connection %d, line %u ", (int) (c - all), ++c->number);
    memset(c->expected + length, '-', (size_t) (SIZE - 1 - length));
    c->expected[SIZE - 1] = '\n';
    c->in = 0;
    c->since = now();
    if (SSL_write(c->ssl, c->expected, SIZE) != SIZE) ended(c);
}

static void askLater(Connection *c, int64_t due) {
    if (pauseNanos == 0) { ask(c); return; }
    c->due = due;
    pausing[(pausingFirst + pausingCount++) % n] = (int) (c - all);
}

/* Sends the next lines of the connections whose pause is over. Returns the time in nanoseconds until the next one's is. */
static int64_t askAfterPause(int64_t nanos) {
    while (pausingCount > 0) {
        Connection *c = &all[pausing[pausingFirst]];
        int64_t left = c->due - now();
        if (running && left > 0) return left < nanos ? left : nanos;
        pausingFirst = (pausingFirst + 1) % n;
        pausingCount--;
        if (running && !c->ended) ask(c);
    }
    return nanos;
}

static void begin(Connection *c) {
    int one = 1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) { perror("socket"); exit(2); }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->connecting = 1;
    c->beganAt = now();
    handshakes++;
    if (connect(c->fd, (struct sockaddr *) &to, sizeof to) != 0 && errno != EINPROGRESS) { ended(c); return; }
    c->ssl = SSL_new(context);
    SSL_set_fd(c->ssl, c->fd);
    SSL_set_connect_state(c->ssl);
    SSL_set_tlsext_host_name(c->ssl, "localhost");
    SSL_set1_host(c->ssl, "localhost");
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = (uint32_t) (c - all)};
    epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &e);
}

/* Reads and discards what a server sends to a client that stalls. */
static void discard(Connection *c) {
    char bytes[4096];
    ssize_t got;
    while ((got = recv(c->fd, bytes, sizeof bytes, 0)) > 0) c->answeredAt = now();
    if (got == 0 || errno != EAGAIN) ended(c);
}

static void event(Connection *c) {
    if (c->ended) return;
    if (c->connecting) {
        int error = 0;
        socklen_t length = sizeof error;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error != 0) { ended(c); return; }
        struct sockaddr_in peer;
        length = sizeof peer;
        if (getpeername(c->fd, (struct sockaddr *) &peer, &length) != 0) return;
        c->connecting = 0;
        c->answeredAt = now();
        if (c->stalls && (c - all) % 2 == 0) SSL_do_handshake(c->ssl); /* sends the first message */
    }
    if (c->stalls) { discard(c); return; }
    if (!c->open) {
        ERR_clear_error();
        int result = SSL_do_handshake(c->ssl);
        if (result != 1) {
            int reason = SSL_get_error(c->ssl, result);
            if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) ended(c);
            return;
        }
        c->open = 1;
        handshakes--;
        opened++;
        if (stall > 0 || running) ask(c);
    }
    while (!c->ended) {
        char bytes[SIZE];
        ERR_clear_error();
        int got = SSL_read(c->ssl, bytes, SIZE - c->in);
        if (got <= 0) {
            if (SSL_get_error(c->ssl, got) != SSL_ERROR_WANT_READ) ended(c);
            return;
        }
        if (memcmp(bytes, c->expected + c->in, (size_t) got) != 0) { c->wrong = 1; wrong++; ended(c); return; }
        c->in += got;
        if (c->in < SIZE) continue;
        answers++;
        if (!c->done) { c->done = 1; completed++; }
        int64_t t = now();
        if (t <= measuredUntil) record(t - c->since);
        c->since = 0;
        if (running) askLater(c, t + pauseNanos);
    }
}

static void turn(int64_t nanos) {
    struct epoll_event events[256];
    int most = stall > 0 ? n : HANDSHAKES_AT_ONCE_MAX;
    while (next < n && handshakes < most) begin(&all[next++]);
    struct timespec timeout = {.tv_nsec = askAfterPause(nanos)};
    int count = epoll_pwait2(epfd, events, 256, &timeout, NULL);
    for (int i = 0; i < count; i++) event(&all[events[i].data.u32]);
}

static int hasCommand(void) {
    struct pollfd p = {.fd = 0, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

static void tally(const char *what, double seconds) {
    int live = 0, closed = 0;
    double least = 1e9, most = 0;
    for (int i = 0; i < n; i++) {
        Connection *c = &all[i];
        live += c->fd > 0 && !c->ended;
        if (!c->stalls || !c->ended) continue;
        closed++;
        double afterBegin = (double) (c->endedAt - c->beganAt) / 1e9, afterAnswer = (double) (c->endedAt - c->answeredAt) / 1e9;
        if (afterBegin < least) least = afterBegin;
        if (afterAnswer > most) most = afterAnswer;
    }
    printf("%s live=%d opened=%d completed=%d failed=%d wrong=%d answers=%llu seconds=%.3f stalled=%d end_least=%.3f end_most=%.3f\n", what, live, opened,
           completed, failed, wrong, (unsigned long long) answers, seconds, closed, closed > 0 ? least : 0, most);
    fflush(stdout);
}

int main(int count, char **arguments) {
    int storm = count > 1 && strcmp(arguments[1], "storm") == 0;
    const char *ca = NULL;
    for (int i = 2; i < count; i++) {
        char *value = strchr(arguments[i], '=');
        if (value == NULL) return 2;
        value++;
        if (!strncmp(arguments[i], "port=", 5)) port = atoi(value);
        else if (!strncmp(arguments[i], "n=", 2)) n = atoi(value);
        else if (!strncmp(arguments[i], "stall=", 6)) stall = atoi(value);
        else if (!strncmp(arguments[i], "pause=", 6)) pauseNanos = atoi(value) * 1000000LL;
        else if (!strncmp(arguments[i], "ca=", 3)) ca = value;
        else { fprintf(stderr, "tls_client: unknown option %s\n", arguments[i]); return 2; }
    }
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdin, NULL, _IONBF, 0); /* otherwise a second command could be in the buffer, where poll does not see it */
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    if (ca != NULL) {
        if (SSL_CTX_load_verify_locations(context, ca, NULL) != 1) { fprintf(stderr, "tls_client: cannot read %s\n", ca); return 2; }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    }
    all = calloc((size_t) n, sizeof *all);
    pausing = calloc((size_t) n, sizeof *pausing);
    for (int i = 0; i < stall; i++) all[(int64_t) i * n / stall].stalls = 1; /* spread over all */
    epfd = epoll_create1(EPOLL_CLOEXEC);
    int64_t start = now();
    if (!storm) while (opened + failed < n && now() - start < 60 * SECOND) turn(SECOND / 10);
    tally("connected", (double) (now() - start) / 1e9);

    char command[256];
    while (1) {
        while (!hasCommand()) if (storm && next == 0) usleep(2000); else turn(SECOND / 100);
        if (!fgets(command, sizeof command, stdin)) return 0;
        double seconds = 0;
        int64_t t0 = now();
        if (sscanf(command, "run %lf", &seconds) == 1 || sscanf(command, "until %lf", &seconds) == 1) {
            int untilCommand = command[0] == 'u';
            memset(histogram, 0, sizeof histogram);
            uint64_t before = answers;
            measuredUntil = t0 + (int64_t) (seconds * 1e9);
            running = 1;
            for (int i = 0; i < n; i++) {
                if (all[i].open && !all[i].ended && all[i].since == 0) askLater(&all[i], t0 + pauseNanos * i / n); /* spread over a pause */
            }
            while (untilCommand ? !hasCommand() : now() < measuredUntil) turn(SECOND / 100);
            running = 0;
            double took = (double) (now() - t0) / 1e9;
            uint64_t got = answers - before;
            int waiting = 1;
            for (int64_t t = now(); waiting > 0 && now() - t < 10 * SECOND;) {
                turn(SECOND / 100);
                waiting = 0;
                for (int i = 0; i < n; i++) waiting += !all[i].ended && all[i].since != 0;
            }
            printf("rate=%.0f p50=%.1f p99=%.1f p999=%.1f waiting=%d ", (double) got / took, percentile(0.5), percentile(0.99), percentile(0.999), waiting);
            tally("ran", took);
        } else if (sscanf(command, "go %lf", &seconds) == 1) {
            while ((next < n || completed + failed < n - stall) && now() - t0 < (int64_t) (seconds * 1e9)) turn(SECOND / 100);
            tally("went", (double) (now() - t0) / 1e9);
        } else if (sscanf(command, "wait %lf", &seconds) == 1) {
            int closed = 0;
            while (closed < stall && now() - t0 < (int64_t) (seconds * 1e9)) {
                turn(SECOND / 100);
                closed = 0;
                for (int i = 0; i < n; i++) closed += all[i].stalls && all[i].ended;
            }
            tally("waited", (double) (now() - t0) / 1e9);
        } else if (!strncmp(command, "close", 5)) {
            for (int i = 0; i < n; i++) if (all[i].ssl) { SSL_shutdown(all[i].ssl); close(all[i].fd); }
            printf("closed\n");
            return 0;
        }
    }
}
