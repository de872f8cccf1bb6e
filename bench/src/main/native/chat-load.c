/* chat-load: clients of a chat that one or several servers offer, on one thread. Messages are lines. A client sends "j" to become a member of the
 * topic, "e..." to get the line back, "a..." to confirm to a publisher inside the server; every other line goes to all members. A message is 'm', the
 * digit of its publisher, its number in 10 digits, and letters that follow from the number. Every received line is compared with the expected one;
 * the first that is wrong, missing, repeated or out of order ends the program with exit code 1, except in the mode nodes, which counts them.
 *
 *   chat-load broadcast  ports=P[,Q] [conns=1000] [size=64] [depth=1] [seconds=1] [warmup=0.5] [pids=A,B]
 *       spreads the members evenly over the servers. The first sends `depth` messages at once, and continues when all members have received them.
 *       With pids=, reports the processor time of these processes, all threads together
 *   chat-load latency    ports=P[,Q] [rate=1000] [size=64] [seconds=1] [warmup=0.5]
 *       a client of P, which is no member, sends to one member, at Q. Without Q, a client of P gets each message back
 *   chat-load receive    ports=P,Q [every=512]    a member at Q, which confirms every Nth message to P; ends with its standard input
 *   chat-load nodes      ports=P,Q,R [dies=1] [rate=1000] [size=64] [seconds=2] [settle=5]
 *       one member per server, which also publishes. Prints "start", then "kill" in the middle, and expects the server number `dies` to be killed.
 *       Afterwards waits `settle` seconds for what is late
 *   chat-load hold       ports=P[,Q] [conns=1000]    spreads the members over the servers, prints "ready", and waits for the end of its standard input
 *
 * At first, all modes send lines "?" until each member has received the last of them, so that all servers know each other. Prints a JSON object.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000L
#define LETTERS 26
#define HEAD 12                /* a message without its letters: kind, publisher, number */
#define SIZE_MAX_BYTES 65536
#define SERVERS_MAX 9
#define PROBE_WAIT (SECOND / 5) /* doubles with each attempt */
#define PATIENCE (60 * SECOND)
#define TIMER 0xffffffffu
#define INPUT 0xfffffffeu

typedef struct {
  int fd, server, is_member, is_dead;
  char *partial; /* the beginning of a line whose rest has not arrived yet */
  int held;
  long probes[SERVERS_MAX], last[SERVERS_MAX], received[SERVERS_MAX]; /* by publisher */
  long last_at, pause;                                                /* the longest time without a message, in the mode nodes */
} Client;

static int ports[SERVERS_MAX], servers, pids[SERVERS_MAX], pid_count, conns = 1000, size = 64, depth = 1, dies = 1;
static long rate = 1000, every = 512;
static double seconds = 1, warmup = 0.5, settle = 5;
static char letters[LETTERS][SIZE_MAX_BYTES], in[1 << 20], out[1 << 20];
static Client *all;
static int count, epoll, timer;
static const char *mode;

static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * SECOND + t.tv_nsec;
}

static void fail(const char *what, const char *why) {
  fprintf(stderr, "chat-load: %s: %s\n", what, why);
  exit(1);
}

static double cpu_micros(int pid) {
  clockid_t clock;
  struct timespec t;
  if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t)) fail("processor time", "a server has exited");
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

/* --- connections --- */

static Client *open_client(int server, int is_member) {
  static int opened;
  Client *c = &all[count];
  int one = 1;
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002 + opened++ % 100)};
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(ports[server]), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  *c = (Client){.fd = socket(AF_INET, SOCK_STREAM, 0), .server = server, .is_member = is_member, .partial = malloc(SIZE_MAX_BYTES)};
  if (c->fd < 0) fail("socket", strerror(errno));
  if (bind(c->fd, (void *)&from, sizeof from) || connect(c->fd, (void *)&to, sizeof to)) fail("connect", strerror(errno));
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (is_member && send(c->fd, "j\n", 2, MSG_NOSIGNAL) != 2) fail("send", strerror(errno));
  epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){.events = EPOLLIN, .data.u32 = count++});
  return c;
}

/* Sends with a blocking socket: what is in flight fits into the buffers of socket and server, because its answers are awaited. */
static int send_all(Client *c, const char *bytes, long length) {
  for (long n; length > 0; bytes += n, length -= n)
    if ((n = send(c->fd, bytes, length, MSG_NOSIGNAL)) < 0) return 0;
  return 1;
}

static int put_message(char *to, char kind, int publisher, long number) {
  int header = sprintf(to, "%c%d%010ld", kind, publisher, number);
  memcpy(to + header, letters[number % LETTERS], size - header);
  to[size - 1] = '\n';
  return size;
}

static void probe(int from, int publisher, long number) {
  char line[32];
  if (!send_all(&all[from], line, sprintf(line, "?%d%010ld\n", publisher, number))) fail("send", strerror(errno));
}

/* Handles one line without its end. Passes the number of a message, whose other bytes are right, to a function. */
static void take(Client *c, char *line, int length, void (*arrived)(Client *, int, long)) {
  char *end;
  int publisher = length >= HEAD ? line[1] - '0' : -1;
  if (publisher < 0 || publisher >= SERVERS_MAX) fail("received a wrong line", line);
  char after = line[HEAD];
  line[HEAD] = 0;
  long number = strtol(line + 2, &end, 10);
  line[HEAD] = after;
  if (end != line + HEAD || number < 0) fail("received a wrong line", line);
  if (line[0] == '?' && length == HEAD) {
    c->probes[publisher] = number;
    return;
  }
  if (memcmp(line + HEAD, letters[number % LETTERS], length - HEAD) || !strchr("me", line[0])) fail("received a wrong line", line);
  arrived(c, publisher, number);
}

/* Receives what is there. Returns 0 at the end of the connection. */
static int receive(Client *c, void (*arrived)(Client *, int, long)) {
  memcpy(in, c->partial, c->held);
  long n = recv(c->fd, in + c->held, sizeof in - c->held - 1, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return 1;
  if (n <= 0) return 0;
  char *line = in, *limit = in + c->held + n, *end;
  for (; (end = memchr(line, '\n', limit - line)); line = end + 1) {
    *end = 0;
    take(c, line, end - line, arrived);
  }
  if ((c->held = limit - line) > SIZE_MAX_BYTES) fail("received", "a line that is too long");
  memcpy(c->partial, line, c->held);
  return 1;
}

/* --- the loop --- */

static int is_input_ended;

/* Waits for events, at most until a time, and handles all that have arrived. Returns the time. */
static long turn(long until, void (*arrived)(Client *, int, long)) {
  struct epoll_event events[256];
  long t = now();
  if (until > t) {
    struct itimerspec at = {.it_value = {until / SECOND, until % SECOND}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, 0);
  }
  int n = epoll_wait(epoll, events, 256, until > t ? 1000 : 0);
  for (int i = 0; i < n; i++) {
    unsigned which = events[i].data.u32;
    if (which == TIMER) {
      unsigned long expirations;
      if (read(timer, &expirations, sizeof expirations) < 0) continue;
    } else if (which == INPUT) {
      is_input_ended = 1;
    } else if (!receive(&all[which], arrived)) {
      if (strcmp(mode, "nodes") || all[which].server != dies) fail("receive", "closed by the server");
      all[which].is_dead = 1;
      epoll_ctl(epoll, EPOLL_CTL_DEL, all[which].fd, 0);
    }
  }
  return now();
}

static void unexpected(Client *c, int publisher, long number) {
  (void)c, (void)publisher, (void)number;
  fail("received", "a message that nobody has sent");
}

static int probed(int publisher, long number) {
  for (int i = 0; i < count; i++)
    if (all[i].is_member && all[i].probes[publisher] != number) return 0;
  return 1;
}

/* Sends probes by a client until all members have received the last one, which is also the last one in flight. */
static void synchronize(int from, int publisher) {
  long start = now(), wait = PROBE_WAIT;
  for (long number = 1;; number++, wait *= 2) {
    probe(from, publisher, number);
    for (long t = now(), until = t + wait; t < until;)
      if (t = turn(until, unexpected), probed(publisher, number)) return;
    if (now() - start > PATIENCE) fail("start", "not all members receive what is published");
  }
}

/* --- figures --- */

static int by_value(const void *a, const void *b) { return (*(long *)a > *(long *)b) - (*(long *)a < *(long *)b); }

/* --- broadcast --- */

static long burst_first; /* the number of the first message in flight */
static long arrivals;    /* of messages in flight */

static void in_burst(Client *c, int publisher, long number) {
  if (publisher || number != c->last[0] + 1 || number >= burst_first + depth) fail("received", "a message that is not the next one");
  c->last[0] = number, arrivals++;
}

static void open_members(void) {
  for (int i = 0; i < conns; i++) open_client(i * servers / conns, 1);
  synchronize(0, 0);
}

static void broadcast(void) {
  open_members();
  long start = now() + warmup * SECOND, end = 0, messages = 0, began = 0, elapsed;
  double before[SERVERS_MAX];
  burst_first = 1;
  for (;; burst_first += depth) {
    long t = now();
    if (!end && t >= start) {
      for (int i = 0; i < pid_count; i++) before[i] = cpu_micros(pids[i]);
      began = now(), end = began + seconds * SECOND, messages = 0;
    }
    if (end && t >= end) break;
    int length = 0;
    for (int i = 0; i < depth; i++) length += put_message(out + length, 'm', 0, burst_first + i);
    arrivals = 0;
    if (!send_all(&all[0], out, length)) fail("send", strerror(errno));
    while (arrivals < (long)depth * conns)
      if (turn(now() + SECOND, in_burst) - t > PATIENCE) fail("receive", "a message is lost");
    messages += depth;
  }
  elapsed = now() - began;
  printf("{\"messages\": %ld, \"per_s\": %.2f, \"cpu_us\": [", messages, messages * 1e9 / elapsed);
  for (int i = 0; i < pid_count; i++) printf("%s%.3f", i ? ", " : "", (cpu_micros(pids[i]) - before[i]) / messages);
  puts("]}");
}

/* --- latency --- */

static long *sent_at, *latencies, recorded, arrived_last, measured_from;

static void timed(Client *c, int publisher, long number) {
  (void)c;
  long t = now();
  if (publisher || number != arrived_last + 1) fail("received", "a message that is not the next one");
  arrived_last = number;
  if (sent_at[number] >= measured_from) latencies[recorded++] = t - sent_at[number];
}

static void latency(void) {
  int is_echo = servers == 1;
  Client *sender = open_client(0, 0);
  if (!is_echo) open_client(1, 1), synchronize(0, 0);
  long most = rate * (seconds + warmup) + 2, start = now(), sent = 0;
  sent_at = calloc(most, sizeof *sent_at), latencies = calloc(most, sizeof *latencies);
  measured_from = start + warmup * SECOND;
  while (sent < most - 2) {
    long due = start + (sent + 1) * SECOND / rate;
    do turn(due, timed);
    while (now() < due);
    put_message(out, is_echo ? 'e' : 'm', 0, ++sent);
    sent_at[sent] = now();
    if (!send_all(sender, out, size)) fail("send", strerror(errno));
  }
  for (long t = now(), until = t + PATIENCE; arrived_last < sent;)
    if ((t = turn(t + SECOND, timed)) > until) fail("receive", "a message is lost");
  qsort(latencies, recorded, sizeof *latencies, by_value);
  printf("{\"messages\": %ld, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}\n", recorded, latencies[recorded / 2] / 1e3,
         latencies[recorded * 99 / 100] / 1e3, latencies[recorded - 1] / 1e3);
}

/* --- receive --- */

static void confirmed(Client *c, int publisher, long number) {
  if (publisher || number != c->last[0] + 1) fail("received", "a message that is not the next one");
  c->last[0] = number;
  if (number % every == 0) {
    char line[32];
    if (!send_all(&all[0], line, sprintf(line, "a%ld\n", number))) fail("send", strerror(errno));
  }
}

static void until_input_ends(void) {
  puts("ready");
  fflush(stdout);
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &(struct epoll_event){.events = EPOLLIN, .data.u32 = INPUT});
  while (!is_input_ended) turn(now() + SECOND, confirmed);
}

static void hold(void) {
  open_members();
  until_input_ends();
}

static void receive_all(void) {
  open_client(0, 0);
  open_client(1, 1);
  synchronize(0, 0);
  until_input_ends();
  printf("{\"messages\": %ld}\n", all[1].last[0]);
}

/* --- nodes --- */

static long repeated;

static void counted(Client *c, int publisher, long number) {
  long t = now();
  if (publisher != dies && publisher != c->server) { /* from the other server that goes on */
    if (c->last_at && t - c->last_at > c->pause) c->pause = t - c->last_at;
    c->last_at = t;
  }
  if (number <= c->last[publisher]) {
    repeated++;
    return;
  }
  c->last[publisher] = number, c->received[publisher]++;
}

static void nodes(void) {
  for (int i = 0; i < servers; i++) open_client(i, 1);
  for (int i = 0; i < servers; i++) synchronize(i, i);
  puts("start");
  fflush(stdout);
  long sent[SERVERS_MAX] = {0}, start = now(), total = rate * seconds, is_told = 0, t;
  for (long k = 0; k < total; k++) {
    long due = start + k * SECOND / rate;
    do t = turn(due, counted);
    while (t < due);
    if (!is_told && k >= total / 2) is_told = 1, puts("kill"), fflush(stdout);
    Client *c = &all[k % servers];
    if (c->is_dead) continue;
    put_message(out, 'm', c->server, sent[c->server] + 1);
    if (send_all(c, out, size)) sent[c->server]++;
    else if (c->server != dies) fail("send", strerror(errno));
  }
  long accepted[SERVERS_MAX], until = now() + settle * SECOND, lost, lost_of_dead;
  do { /* what is late may arrive, and a lost server is noticed */
    turn(now() + SECOND / 10, counted);
    lost = lost_of_dead = 0;
    for (int p = 0; p < servers; p++) {
      accepted[p] = p == dies ? 0 : sent[p]; /* what any member has received, the killed server had accepted */
      for (int r = 0; r < servers && p == dies; r++)
        if (all[r].received[p] > accepted[p]) accepted[p] = all[r].received[p];
      for (int r = 0; r < servers; r++)
        if (r != dies) *(p == dies ? &lost_of_dead : &lost) += accepted[p] - all[r].received[p] > 0 ? accepted[p] - all[r].received[p] : 0;
    }
  } while (now() < until);
  if (!all[dies].is_dead) fail("nodes", "the server was not killed");
  long longest = 0, survivors = 0, of_dead = accepted[dies];
  for (int i = 0; i < servers; i++) {
    if (i == dies) continue;
    survivors += sent[i];
    if (all[i].pause > longest) longest = all[i].pause;
  }
  printf("{\"published\": %ld, \"lost\": %ld, \"published_by_dead\": %ld, \"lost_of_dead\": %ld, \"repeated\": %ld, \"pause_ms\": %.1f}\n", survivors, lost,
         of_dead, lost_of_dead, repeated, longest / 1e6);
}

static int numbers(char *text, int *to) {
  int n = 0;
  for (char *word = strtok(text, ","); word && n < SERVERS_MAX; word = strtok(0, ",")) to[n++] = atoi(word);
  return n;
}

int main(int argc, char **argv) {
  mode = argc > 1 ? argv[1] : "";
  for (int i = 2; i < argc; i++) {
    char *value = strchr(argv[i], '=');
    if (!value) return fprintf(stderr, "chat-load: %s needs a value\n", argv[i]), 2;
    *value++ = 0;
    if (!strcmp(argv[i], "ports")) servers = numbers(value, ports);
    else if (!strcmp(argv[i], "pids")) pid_count = numbers(value, pids);
    else if (!strcmp(argv[i], "conns")) conns = atoi(value);
    else if (!strcmp(argv[i], "size")) size = atoi(value);
    else if (!strcmp(argv[i], "depth")) depth = atoi(value);
    else if (!strcmp(argv[i], "dies")) dies = atoi(value);
    else if (!strcmp(argv[i], "rate")) rate = atol(value);
    else if (!strcmp(argv[i], "every")) every = atol(value);
    else if (!strcmp(argv[i], "seconds")) seconds = atof(value);
    else if (!strcmp(argv[i], "warmup")) warmup = atof(value);
    else if (!strcmp(argv[i], "settle")) settle = atof(value);
    else return fprintf(stderr, "chat-load: unknown option %s\n", argv[i]), 2;
  }
  if (size <= HEAD || (long)size * depth > (long)sizeof out || size > SIZE_MAX_BYTES)
    return fprintf(stderr, "chat-load: size=%d depth=%d is out of range\n", size, depth), 2;
  struct rlimit descriptors;
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  setrlimit(RLIMIT_NOFILE, &descriptors);
  for (int k = 0; k < LETTERS; k++)
    for (int i = 0; i < SIZE_MAX_BYTES; i++) letters[k][i] = 'a' + (k + i) % LETTERS;
  all = calloc(conns > SERVERS_MAX ? conns : SERVERS_MAX, sizeof *all);
  epoll = epoll_create1(0);
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &(struct epoll_event){.events = EPOLLIN, .data.u32 = TIMER});
  if (!strcmp(mode, "broadcast")) broadcast();
  else if (!strcmp(mode, "latency")) latency();
  else if (!strcmp(mode, "receive")) receive_all();
  else if (!strcmp(mode, "nodes")) nodes();
  else if (!strcmp(mode, "hold")) hold();
  else return fprintf(stderr, "chat-load: unknown mode, expected broadcast, latency, receive, nodes or hold\n"), 2;
  return 0;
}
