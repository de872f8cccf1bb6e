/* Sends a signal to one thread of a process every millisecond, until its input ends. Arguments: process, thread, signal. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
    (void) argc;
    int process = atoi(argv[1]), thread = atoi(argv[2]), signal = atoi(argv[3]);
    struct pollfd input = {.fd = 0, .events = POLLIN};
    int sent = 0;
    while (poll(&input, 1, 1) == 0) {
        if (syscall(SYS_tgkill, process, thread, signal) < 0) {
            perror("tgkill");
            return 1;
        }
        if (++sent == 10) {
            printf("under way\n");
            fflush(stdout);
        }
    }
    printf("%d\n", sent);
    return 0;
}
