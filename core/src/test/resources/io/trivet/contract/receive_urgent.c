/* Connects to 127.0.0.1, waits with select(2) for the exceptional set only, and prints the urgent byte: "urgent !". The argument is
   the port. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
    (void) argc;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short) atoi(argv[1]))};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0 || connect(s, (struct sockaddr *) &address, sizeof address) < 0) {
        perror("connect");
        return 1;
    }
    fd_set urgent;
    FD_ZERO(&urgent);
    FD_SET(s, &urgent);
    char byte;
    struct timeval patience = {.tv_sec = 20};
    if (select(s + 1, NULL, NULL, &urgent, &patience) != 1 || recv(s, &byte, 1, MSG_OOB) != 1) {
        perror("recv");
        return 1;
    }
    printf("urgent %c\n", byte);
    return 0;
}
