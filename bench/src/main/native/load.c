/* load: load generator for an echo, line or broadcast server, on one thread, in C so that it is not the bottleneck. Compares every byte it
 * receives with the expected one; the first wrong byte ends it with exit code 1. Prints "measuring" when it starts to measure, and a JSON object.
 *
 *   load echo       port=P [conns=50] [size=64] [depth=1] [head=TEXT] [rate=0] [seconds=1] [warmup=0.3] [pid=PID]
 *       each connection sends `depth` messages at once, waits until all have come back, each preceded by `head`, and repeats. With a rate, that
 *       many messages per second are due in total, whether or not the server keeps up; latency counts from the time a message was due.
 *   load broadcast  port=P [conns=1000] …    one connection sends a message, and the next one when all connections have received it
 *   load connect    port=P [conns=50] …      each connection is opened, sends one message, receives it back, is closed, and repeats
 *   load hold       port=P [size=64]         for each number N on standard input: opens connections up to N, each echoes one message;
 *                                            prints "ok"
 *
 * With pid=, also reports the processor time of that process, all threads together. Percentiles are exact to 1 %.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif
#define SECOND 1000000000L
#define TEXTS_MAX 64           /* number of different bursts */
#define TEXT_BYTES_MAX (4 << 20) /* of all bursts together, or of two if those are larger */
#define SOURCES 200            /* client addresses, each with 28,000 ports of its own */
#define SETTLE (SECOND / 2)      /* time for a server to accept all connections */
#define HELLOS 100              /* idle connections that exchange their first message at a time */
#define PATIENCE (20 * SECOND)

typedef struct {
  int fd;
  unsigned text;  /* the burst in flight */
  char busy;      /* whether a burst is in flight */
  char connected;
  long left, got; /* bytes of the burst not sent yet, and bytes received */
  long from;      /* when the burst was sent, or due */
  unsigned late;  /* bursts that are due and wait for this one */
} Connection;

static int port, conns = 50, size = 64, depth = 1;
static long rate;
static double seconds = 1, warmup = 0.3;
static clockid_t server_clock;
static int server_pid;
static const char *head = "", *mode;

static char *texts[TEXTS_MAX], *replies[TEXTS_MAX];
static unsigned text_count;
static long text_length, reply_length;
static char in[1 << 20];
static Connection *all;
static int epoll;
static unsigned long opened;

/* --- time and figures --- */

static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * SECOND + t.tv_nsec;
}

static long cpu(clockid_t clock) {
  struct timespec t;
  return clock_gettime(clock, &t) ? 0 : t.tv_sec * SECOND + t.tv_nsec;
}

/* 128 buckets per power of two. */
#define FINE 7
static unsigned long histogram[64 << FINE], recorded;
static long slowest;

static void record(long nanos) {
  if (nanos < 1) nanos = 1;
  if (nanos > slowest) slowest = nanos;
  int shift = 63 - __builtin_clzl(nanos) - FINE;
  histogram[shift > 0 ? ((unsigned long)shift << FINE) + (nanos >> shift) : (unsigned long)nanos]++;
  recorded++;
}

static double percentile_micros(double fraction) {
  unsigned long seen = 0;
  for (unsigned long i = 0; i < 64 << FINE; i++) {
    seen += histogram[i];
    if (recorded && seen >= recorded * fraction) {
      long shift = (long)(i >> FINE) - 1;
      return (shift > 0 ? (i - (shift << FINE)) * (double)(1L << shift) : i) / 1e3;
    }
  }
  return 0;
}

static void fail(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "closed by the server");
  exit(1);
}

/* Starts measuring after the warm-up. */
static struct { int on; long at, end, server, own; unsigned long messages, all; } window;

static void window_open(void) {
  window.at = now() + warmup * SECOND;
  window.end = window.at + seconds * SECOND;
}

static void window_look(long t) {
  if (window.on || t < window.at) return;
  window.on = 1, window.at = t, window.end = t + seconds * SECOND, window.messages = 0;
  memset(histogram, 0, sizeof histogram);
  recorded = slowest = 0;
  window.server = server_pid ? cpu(server_clock) : 0;
  window.own = cpu(CLOCK_PROCESS_CPUTIME_ID);
  puts("measuring");
  fflush(stdout);
}

static void done(unsigned messages, long nanos) {
  window.messages += messages, window.all += messages;
  record(nanos);
}

static char report[1024];

static void window_close(void) {
  double elapsed = now() - window.at;
  double server = server_pid ? cpu(server_clock) - window.server : 0, own = cpu(CLOCK_PROCESS_CPUTIME_ID) - window.own;
  double each = window.messages ? 1e3 * window.messages : 1e300;
  snprintf(report, sizeof report, "{\"messages\": %lu, \"messages_all\": %lu, \"seconds\": %.4f, \"messages_per_s\": %.1f, \"rate_asked\": %ld, "
         "\"server_cpu_us_per_message\": %.5f, \"load_cpu_us_per_message\": %.5f, \"server_busy\": %.4f, \"load_busy\": %.4f, "
         "\"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f}",
         window.messages, window.all, elapsed / SECOND, window.messages / elapsed * SECOND, rate, server / each, own / each,
         server / elapsed, own / elapsed, percentile_micros(.5), percentile_micros(.99), percentile_micros(.999), slowest / 1e3);
}

/* --- bytes sent and bytes expected --- */

/* Bursts that differ in every message, so that bytes of another message, position or connection are detected. */
static void write_texts(void) {
  text_length = (long)size * depth;
  reply_length = text_length + (long)strlen(head) * depth;
  text_count = TEXT_BYTES_MAX / text_length;
  text_count = text_count < 2 ? 2 : text_count > TEXTS_MAX ? TEXTS_MAX : text_count;
  uint64_t random = 88172645463325252ull;
  for (unsigned t = 0; t < text_count; t++) {
    char *out = texts[t] = malloc(text_length), *back = replies[t] = malloc(reply_length);
    for (int m = 0; m < depth; m++, out += size) {
      for (int i = 0; i < size - 1; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        out[i] = 'a' + (random >> 32) % 26;
      }
      out[size - 1] = '\n';
      back = mempcpy(mempcpy(back, head, strlen(head)), out, size);
    }
  }
}

/* Receives and checks every byte. Returns true when the reply is complete. */
static int take(Connection *c, const char *expected) {
  for (;;) {
    long room = reply_length - c->got; /* an extra byte is detected before the next burst, when nothing must have arrived */
    long n = recv(c->fd, in, room < (long)sizeof in ? room : (long)sizeof in, 0);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n <= 0) fail("recv");
    if (memcmp(in, expected + c->got, n)) errno = EBADMSG, fail("received a wrong byte");
    if ((c->got += n) == reply_length) return 1;
    if (n < (long)sizeof in) return 0;
  }
}

/* --- connections --- */

static void watch(int operation, Connection *c, unsigned events) {
  epoll_ctl(epoll, operation, c->fd, &(struct epoll_event){.events = events, .data.u32 = c - all});
}

static int open_socket(int flags) {
  int one = 1, fd = socket(AF_INET, SOCK_STREAM | flags, 0);
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002 + opened++ % SOURCES)};
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (fd < 0) fail("socket");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  if (bind(fd, (void *)&from, sizeof from)) fail("bind");
  if (connect(fd, (void *)&to, sizeof to) && errno != EINPROGRESS) fail("connect");
  return fd;
}

static void open_all(int from, int to) {
  for (int i = from; i < to; i++) {
    all[i].fd = open_socket(0);
    fcntl(all[i].fd, F_SETFL, O_NONBLOCK);
    watch(EPOLL_CTL_ADD, &all[i], EPOLLIN);
  }
}

/* Sends the rest of the burst; what the socket does not accept is sent when it is writable again. */
static void send_left(Connection *c, int was_full) {
  long sent = send(c->fd, texts[c->text] + text_length - c->left, c->left, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) fail("send");
  if (sent > 0) c->left -= sent;
  if (c->left || was_full) watch(EPOLL_CTL_MOD, c, EPOLLIN | (c->left ? EPOLLOUT : 0));
}

static void begin(Connection *c, long from) {
  c->text = (c->text + 1) % text_count;
  c->from = from, c->left = text_length, c->got = 0, c->busy = 1;
  send_left(c, 0);
}

/* Polls for events. With a rate it never sleeps, since its own wakeup latency would be in every figure. Fails if the server is stuck. */
static int next_events(struct epoll_event *events, long *t) {
  static long last;
  int n = epoll_wait(epoll, events, 512, rate ? 0 : 50);
  *t = now();
  if (n || !last) last = *t;
  if (*t - last > PATIENCE) errno = ETIMEDOUT, fail("no answer");
  window_look(*t);
  return n;
}

/* --- the modes --- */

static void echo(void) {
  struct epoll_event events[512];
  open_all(0, conns);
  for (int i = 0; i < conns; i++) all[i].text = i % text_count;
  window_open();
  long started = now(), t = started;
  double gap = rate ? (double)SECOND * depth / rate : 0;
  unsigned long due = 0; /* bursts that have become due; number k belongs to connection k % conns */
  int busy = 0;
  for (int i = 0; !rate && i < conns; i++, busy++) begin(&all[i], now());
  while (busy || !*report) { /* until the end of the window, and until all bursts in flight have come back */
    int n = next_events(events, &t);
    for (; rate && !*report && started + (long)(due * gap) <= t; due++) {
      Connection *c = &all[due % conns];
      if (c->busy) c->late++;
      else begin(c, started + (long)(due * gap)), busy++;
    }
    for (int i = 0; i < n; i++) {
      Connection *c = &all[events[i].data.u32];
      if (events[i].events & EPOLLOUT) send_left(c, 1);
      if (!(events[i].events & ~EPOLLOUT)) continue;
      if (!c->busy) errno = EBADMSG, fail("received an extra byte");
      if (!take(c, replies[c->text])) continue;
      long end = now();
      done(depth, end - c->from);
      c->busy = 0, busy--;
      if (*report) continue;
      if (!rate) begin(c, end), busy++;
      else if (c->late) c->late--, begin(c, c->from + (long)(gap * conns)), busy++;
    }
    if (*report || t < window.end) continue;
    for (int i = 0; rate && i < conns; i++) /* bursts that are due and unanswered count with their delay so far */
      for (unsigned k = 0; k < all[i].late + all[i].busy; k++) record(t - all[i].from - (long)(k * gap * conns));
    window_close();
  }
}

static void broadcast(void) {
  struct epoll_event events[512];
  unsigned text = 0;
  int have = conns;
  open_all(0, conns);
  window_open();
  window.at += SETTLE, window.end += SETTLE;
  long t = now(), settled = t + SETTLE, from = 0;
  while (!*report) {
    int n = next_events(events, &t);
    if (have == conns && t >= settled) {
      if (from) done(conns, t - from);
      if (t >= window.end) return window_close();
      text = (text + 1) % text_count;
      for (int i = 0; i < conns; i++) all[i].got = 0;
      have = 0, from = now();
      all[0].text = text, all[0].left = text_length;
      send_left(&all[0], 0);
    }
    for (int i = 0; i < n; i++) {
      Connection *c = &all[events[i].data.u32];
      if (events[i].events & EPOLLOUT) send_left(c, 1);
      if (!(events[i].events & ~EPOLLOUT)) continue;
      if (c->got == reply_length || have == conns) errno = EBADMSG, fail("received an extra byte");
      have += take(c, replies[text]);
    }
  }
}

static void reconnect(Connection *c) {
  c->from = now();
  c->fd = open_socket(SOCK_NONBLOCK);
  c->connected = 0;
  watch(EPOLL_CTL_ADD, c, EPOLLOUT);
}

static void connects(void) {
  struct epoll_event events[512];
  opened = getpid() * 7919L; /* starts at ports other than those that a previous run may have left in TIME_WAIT */
  window_open();
  int busy = conns;
  for (int i = 0; i < conns; i++) reconnect(&all[i]);
  for (long t; busy;) {
    int n = next_events(events, &t);
    if (t >= window.end && !*report) window_close();
    for (int i = 0; i < n; i++) {
      Connection *c = &all[events[i].data.u32];
      if (!c->connected) {
        long from = c->from;
        c->connected = 1;
        watch(EPOLL_CTL_MOD, c, EPOLLIN);
        begin(c, from);
      } else if (events[i].events & EPOLLOUT) {
        send_left(c, 1);
      } else if (take(c, replies[c->text])) {
        long from = c->from;
        close(c->fd);
        done(1, now() - from);
        if (*report) busy--;
        else reconnect(c);
      }
    }
  }
}

static void hold(void) {
  char line[32];
  int have = 0;
  while (fgets(line, sizeof line, stdin)) {
    for (int wanted = atoi(line), next; have < wanted; have = next) {
      next = have + HELLOS < wanted ? have + HELLOS : wanted;
      open_all(have, next);
      for (int i = have; i < next; i++) begin(&all[i], now());
      for (int waiting = next - have; waiting;) {
        struct epoll_event event;
        if (epoll_wait(epoll, &event, 1, PATIENCE / 1000000) <= 0) errno = ETIMEDOUT, fail("no answer");
        Connection *c = &all[event.data.u32];
        if (event.events & EPOLLOUT) send_left(c, 1);
        waiting -= event.events & EPOLLIN && take(c, replies[c->text]);
      }
    }
    puts("ok");
    fflush(stdout);
  }
}

int main(int argc, char **argv) {
  mode = argc > 1 ? argv[1] : "";
  for (int i = 2; i < argc; i++) {
    char *value = strchr(argv[i], '=');
    if (!value) return fprintf(stderr, "load: %s needs a value\n", argv[i]), 2;
    *value++ = 0;
    if (!strcmp(argv[i], "port")) port = atoi(value);
    else if (!strcmp(argv[i], "conns")) conns = atoi(value);
    else if (!strcmp(argv[i], "size")) size = atoi(value);
    else if (!strcmp(argv[i], "depth")) depth = atoi(value);
    else if (!strcmp(argv[i], "head")) head = value;
    else if (!strcmp(argv[i], "rate")) rate = atol(value);
    else if (!strcmp(argv[i], "seconds")) seconds = atof(value);
    else if (!strcmp(argv[i], "warmup")) warmup = atof(value);
    else if (!strcmp(argv[i], "pid")) server_pid = atoi(value);
    else return fprintf(stderr, "load: unknown option %s\n", argv[i]), 2;
  }
  struct rlimit descriptors;
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  setrlimit(RLIMIT_NOFILE, &descriptors);
  if (server_pid && clock_getcpuclockid(server_pid, &server_clock)) return fprintf(stderr, "load: no process %d\n", server_pid), 1;
  write_texts();
  all = calloc(!strcmp(mode, "hold") ? descriptors.rlim_cur : (unsigned long)conns, sizeof *all);
  epoll = epoll_create1(0);
  if (!strcmp(mode, "echo")) echo();
  else if (!strcmp(mode, "broadcast")) broadcast();
  else if (!strcmp(mode, "connect")) connects();
  else if (!strcmp(mode, "hold")) return hold(), 0;
  else return fprintf(stderr, "load: unknown mode, expected echo, broadcast, connect or hold\n"), 2;
  puts(report);
  return 0;
}
