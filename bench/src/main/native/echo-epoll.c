/* echo-epoll: the floor. The least that a C program can do to echo: one level-triggered epoll loop that waits, receives and sends.
 * What a socket refuses is kept, and that client is not read from until it has left. There is no other queue and no limit.
 *
 *   gcc -O2 -o echo-epoll echo-epoll.c && echo-epoll PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct { char *bytes; long length; } Rest; /* what a client's socket refused, by descriptor */
static Rest rests[1 << 20];

static void watch(int epoll, int operation, int fd, unsigned events) {
  epoll_ctl(epoll, operation, fd, &(struct epoll_event){.events = events, .data.fd = fd});
}

static void end(int fd) {
  free(rests[fd].bytes);
  rests[fd] = (Rest){0};
  close(fd);
}

static void send_or_keep(int epoll, int fd, char *bytes, long length) {
  long sent = send(fd, bytes, length, MSG_NOSIGNAL);
  if (sent == length) return;
  if (sent < 0) sent = 0; /* full, or gone: then the next event says so */
  rests[fd] = (Rest){memcpy(malloc(length - sent), bytes + sent, length - sent), length - sent};
  watch(epoll, EPOLL_CTL_MOD, fd, EPOLLOUT);
}

static void send_rest(int epoll, int fd) {
  Rest *rest = &rests[fd];
  long sent = send(fd, rest->bytes, rest->length, MSG_NOSIGNAL);
  if (sent < 0) return end(fd);
  memmove(rest->bytes, rest->bytes + sent, rest->length -= sent);
  if (rest->length) return;
  free(rest->bytes);
  *rest = (Rest){0};
  watch(epoll, EPOLL_CTL_MOD, fd, EPOLLIN);
}

int main(int argc, char **argv) {
  int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 8080),
                                .sin_addr.s_addr = htonl(0x7f000001)};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (void *)&address, sizeof address) || listen(listener, 4096)) return perror("echo-epoll"), 1;
  watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN);
  static char buffer[65536];
  static struct epoll_event events[512];
  for (;;) {
    int n = epoll_wait(epoll, events, 512, -1);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        for (int c; (c = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0;) {
          setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
          watch(epoll, EPOLL_CTL_ADD, c, EPOLLIN);
        }
      } else if (rests[fd].bytes) {
        send_rest(epoll, fd);
      } else {
        long r = recv(fd, buffer, sizeof buffer, 0);
        if (r <= 0) end(fd);
        else send_or_keep(epoll, fd, buffer, r);
      }
    }
  }
}
