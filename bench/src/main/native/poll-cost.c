/* poll-cost: measures the cost of one bare poll(2) or select(2) on a set of connected TCP sockets of which one is ready.
 *
 *   gcc -O2 -o poll-cost poll-cost.c && poll-cost SOCKETS
 *
 * The baseline for Select.select: the array is filled once, the call is repeated, and its result is not examined. The protocol is that
 * of SelectCost.java: for each line on standard input ("poll" or "select") it measures for 200 ms and prints the processor time per call
 * in nanoseconds.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Returns the processor time of this thread, so that other load on the machine does not count. */
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

int main(int argc, char **argv) {
  int sockets = argc > 1 ? atoi(argv[1]) : 1000;
  struct pollfd *set = calloc(sockets, sizeof *set);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0), highest = 0;
  if (bind(listener, (void *)&address, sizeof address) || listen(listener, 1024)) fail("listen");
  getsockname(listener, (void *)&address, &length);
  for (int i = 0; i + 1 < sockets; i += 2) {
    set[i].fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(set[i].fd, (void *)&address, sizeof address)) fail("connect");
    set[i + 1].fd = accept(listener, 0, 0);
  }
  for (int i = 0; i < sockets; i++) {
    set[i].events = POLLIN;
    if (set[i].fd > highest) highest = set[i].fd;
  }
  if (write(set[sockets / 2].fd, "x", 1) != 1) fail("write");
  /* The bitmap may be larger than fd_set: the limit of 1,024 is the C library's, not the kernel's. */
  size_t bytes = (highest / 64 + 1) * 8;
  char *wanted = calloc(1, bytes), *asked = malloc(bytes);
  for (int i = 0; i < sockets; i++) wanted[set[i].fd / 8] |= 1 << set[i].fd % 8;

  char line[32];
  while (fgets(line, sizeof line, stdin)) {
    int by_select = !strncmp(line, "select", 6);
    long calls = 0;
    double start = now(), t;
    while ((t = now()) - start < 2e8) {
      for (int i = 0; i < 16; i++) {
        int ready = by_select ? (memcpy(asked, wanted, bytes), select(highest + 1, (void *)asked, 0, 0, 0)) : poll(set, sockets, -1);
        if (ready != 1) fail("ready");
      }
      calls += 16;
    }
    printf("%.0f\n", (t - start) / calls);
    fflush(stdout);
  }
  return 0;
}
