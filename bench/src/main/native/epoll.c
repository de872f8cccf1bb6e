/* epoll: the baseline, the minimum that a C program does: one level-triggered epoll loop that waits, receives and sends.
 * Bytes that a socket does not accept are kept, and that client is not read from until they have been sent. There is no other queue and no limit.
 *
 *   epoll PORT [echo | broadcast | lines]
 *
 * broadcast: sends what arrives to every client. lines: replies to each line with "ok: " and the line.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS (1 << 20)
#define LINE_MAX (64 << 10)

typedef struct { char *bytes; long length; } Bytes;
static Bytes rests[CLIENTS];    /* bytes that a client's socket did not accept, by descriptor */
static Bytes partials[CLIENTS]; /* the beginning of a line whose end has not arrived yet */
static char is_open[CLIENTS];
static int highest, epoll;

static void watch(int operation, int fd, unsigned events) {
  epoll_ctl(epoll, operation, fd, &(struct epoll_event){.events = events, .data.fd = fd});
}

static void append(Bytes *to, const char *bytes, long length) {
  to->bytes = realloc(to->bytes, to->length + length);
  memcpy(to->bytes + to->length, bytes, length);
  to->length += length;
}

static void drop(Bytes *of) {
  free(of->bytes);
  *of = (Bytes){0};
}

static void end(int fd) {
  drop(&rests[fd]);
  drop(&partials[fd]);
  is_open[fd] = 0;
  close(fd);
}

static void send_or_keep(int fd, const char *bytes, long length) {
  if (rests[fd].bytes) return append(&rests[fd], bytes, length);
  long sent = send(fd, bytes, length, MSG_NOSIGNAL);
  if (sent == length) return;
  if (sent < 0) sent = 0; /* the socket is full, or disconnected: the next event reports it */
  append(&rests[fd], bytes + sent, length - sent);
  watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
}

static void send_rest(int fd) {
  Bytes *rest = &rests[fd];
  long sent = send(fd, rest->bytes, rest->length, MSG_NOSIGNAL);
  if (sent < 0 && errno == EAGAIN) return;
  if (sent < 0) return end(fd);
  memmove(rest->bytes, rest->bytes + sent, rest->length -= sent);
  if (rest->length) return;
  drop(rest);
  watch(EPOLL_CTL_MOD, fd, EPOLLIN);
}

static void echo(int fd, const char *bytes, long length) { send_or_keep(fd, bytes, length); }

static void broadcast(int fd, const char *bytes, long length) {
  (void)fd;
  for (int to = 0; to <= highest; to++)
    if (is_open[to]) send_or_keep(to, bytes, length);
}

/* Sends the replies to all lines of one receive at once. Each reply is longer than its line; the worst case is an empty line. */
static void lines(int fd, const char *bytes, long length) {
  static char replies[5 * (65536 + LINE_MAX)];
  char *out = replies;
  Bytes *partial = &partials[fd];
  for (const char *newline; (newline = memchr(bytes, '\n', length));) {
    long n = newline + 1 - bytes;
    out = mempcpy(out, "ok: ", 4);
    if (partial->bytes) {
      out = mempcpy(out, partial->bytes, partial->length);
      drop(partial);
    }
    out = mempcpy(out, bytes, n);
    bytes += n, length -= n;
  }
  if (partial->length + length > LINE_MAX) return end(fd);
  if (length) append(partial, bytes, length);
  if (out > replies) send_or_keep(fd, replies, out - replies);
}

int main(int argc, char **argv) {
  const char *service = argc > 2 ? argv[2] : "echo";
  void (*serve)(int, const char *, long) = !strcmp(service, "lines") ? lines : !strcmp(service, "broadcast") ? broadcast : echo;
  int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  epoll = epoll_create1(0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 8080),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (void *)&address, sizeof address) || listen(listener, 4096)) return perror("epoll"), 1;
  watch(EPOLL_CTL_ADD, listener, EPOLLIN);
  static char buffer[65536];
  static struct epoll_event events[512];
  for (;;) {
    int n = epoll_wait(epoll, events, 512, -1);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        for (int c; (c = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0;) {
          setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
          watch(EPOLL_CTL_ADD, c, EPOLLIN);
          is_open[c] = 1;
          if (c > highest) highest = c;
        }
      } else if (rests[fd].bytes) {
        send_rest(fd);
      } else {
        long r = recv(fd, buffer, sizeof buffer, 0);
        if (r <= 0) end(fd);
        else serve(fd, buffer, r);
      }
    }
  }
}
