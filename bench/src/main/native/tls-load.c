/* tls-load: load generator for an echo server over TLS 1.3, on one thread, with OpenSSL. Counts the bytes that come back. Prints a JSON object.
 *
 *   tls-load echo        PORT PID CONNECTIONS SIZE DEPTH SECONDS WARMUP   each connection sends DEPTH messages of SIZE bytes, and repeats when
 *                                                                         all have come back
 *   tls-load handshakes  PORT PID SECONDS WARMUP                          connect, full handshake, close_notify, close; one at a time
 *   tls-load hold        PORT PID                                         for each number N on standard input: opens connections up to N, each
 *                                                                         echoes one message; prints "ok"
 *
 * Reports the processor time of the process PID, all threads together. The server's certificate is not verified.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  int fd;
  long got, left; /* bytes received of the replies, and bytes of the burst that were not sent yet */
  SSL *ssl;
} Connection;

static int port;
static clockid_t server_clock;
static SSL_CTX *context;

static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static void fail(const char *what) {
  fprintf(stderr, "tls-load: %s: %s\n", what, errno ? strerror(errno) : "closed by the server");
  ERR_print_errors_fp(stderr);
  exit(1);
}

/* Opens the connection with a number, from one of several addresses: one has 28,000 ports. */
static Connection open_connection(int number) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002 + number % 200)};
  int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  if (fd < 0 || bind(fd, (void *)&from, sizeof from) || connect(fd, (void *)&to, sizeof to)) fail("connect");
  SSL *ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  if (SSL_connect(ssl) != 1) fail("handshake");
  return (Connection){.fd = fd, .ssl = ssl};
}

/* Sends what is left of the burst; what the socket refuses is sent when it is writable again. */
static void send_left(int epoll, unsigned index, Connection *c, const char *burst, long length) {
  long before = c->left;
  int sent = SSL_write(c->ssl, burst + length - c->left, c->left);
  if (sent <= 0 && SSL_get_error(c->ssl, sent) != SSL_ERROR_WANT_WRITE) fail("send");
  c->left -= sent > 0 ? sent : 0;
  if (c->left || before != length)
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &(struct epoll_event){.events = EPOLLIN | (c->left ? EPOLLOUT : 0), .data.u32 = index});
}

static void echo(int conns, int size, int depth, double seconds, double warmup) {
  long length = (long)size * depth;
  char *burst = malloc(length), *in = malloc(1 << 20);
  memset(burst, 'x', length);
  Connection *all = calloc(conns, sizeof *all);
  int epoll = epoll_create1(0);
  for (int i = 0; i < conns; i++) {
    all[i] = open_connection(i);
    fcntl(all[i].fd, F_SETFL, O_NONBLOCK);
    epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &(struct epoll_event){.events = EPOLLIN, .data.u32 = i});
  }
  for (int i = 0; i < conns; i++) {
    all[i].left = length;
    send_left(epoll, i, &all[i], burst, length);
  }
  double from = now(CLOCK_MONOTONIC) + warmup, until = from + seconds, t = 0, used = 0;
  unsigned long messages = 0;
  for (int measuring = 0; t < until;) {
    struct epoll_event events[512];
    int n = epoll_wait(epoll, events, 512, 100);
    t = now(CLOCK_MONOTONIC);
    if (!measuring && t >= from) measuring = 1, messages = 0, from = t, used = now(server_clock);
    for (int i = 0; i < n; i++) {
      unsigned index = events[i].data.u32;
      Connection *c = &all[index];
      errno = 0;
      if (events[i].events & EPOLLOUT) send_left(epoll, index, c, burst, length);
      if (!(events[i].events & ~EPOLLOUT)) continue;
      int r;
      while ((r = SSL_read(c->ssl, in, 1 << 20)) > 0) c->got += r;
      if (SSL_get_error(c->ssl, r) != SSL_ERROR_WANT_READ) fail("receive");
      if (c->got < length) continue;
      if (c->got > length) fail("more came back than was sent");
      messages += depth;
      c->got = 0;
      c->left = length;
      send_left(epoll, index, c, burst, length);
    }
  }
  double elapsed = now(CLOCK_MONOTONIC) - from;
  printf("{\"per_s\": %.0f, \"server_cpu_us\": %.4f}\n", messages / elapsed, (now(server_clock) - used) / messages * 1e6);
}

static void handshakes(double seconds, double warmup) {
  double from = now(CLOCK_MONOTONIC) + warmup, until = from + seconds, used = 0;
  unsigned long count = 0;
  int measuring = 0;
  for (int i = 0; now(CLOCK_MONOTONIC) < until; i++, count++) {
    if (!measuring && now(CLOCK_MONOTONIC) >= from) measuring = 1, count = 0, from = now(CLOCK_MONOTONIC), used = now(server_clock);
    Connection c = open_connection(i);
    SSL_shutdown(c.ssl);
    SSL_free(c.ssl);
    close(c.fd);
  }
  double elapsed = now(CLOCK_MONOTONIC) - from;
  printf("{\"per_s\": %.0f, \"server_cpu_us\": %.4f}\n", count / elapsed, (now(server_clock) - used) / count * 1e6);
}

static void hold(void) {
  int open = 0, wanted;
  while (scanf("%d", &wanted) == 1) {
    for (; open < wanted; open++) {
      Connection c = open_connection(open);
      char hello[6];
      if (SSL_write(c.ssl, "hello\n", 6) != 6 || SSL_read(c.ssl, hello, 6) <= 0) fail("first message");
    }
    puts("ok");
    fflush(stdout);
  }
}

int main(int argc, char **argv) {
  if (argc < 4) return fprintf(stderr, "tls-load: see the head of tls-load.c\n"), 2;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGPIPE, SIG_IGN);
  port = atoi(argv[2]);
  if (clock_getcpuclockid(atoi(argv[3]), &server_clock)) fail("the clock of the server");
  context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (!strcmp(argv[1], "echo") && argc == 9) echo(atoi(argv[4]), atoi(argv[5]), atoi(argv[6]), atof(argv[7]), atof(argv[8]));
  else if (!strcmp(argv[1], "handshakes") && argc == 6) handshakes(atof(argv[4]), atof(argv[5]));
  else if (!strcmp(argv[1], "hold")) hold();
  else return fprintf(stderr, "tls-load: see the head of tls-load.c\n"), 2;
  return 0;
}
