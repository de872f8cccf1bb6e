/* Connects to 127.0.0.1 and sends its arguments: a port, then texts. A text that begins with '!' is sent, without it, as
   urgent data. Then prints what it receives until the peer closes. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short) atoi(argv[1]))};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0 || connect(s, (struct sockaddr *) &address, sizeof address) < 0) {
        perror("connect");
        return 1;
    }
    for (int i = 2; i < argc; i++) {
        int urgent = argv[i][0] == '!';
        const char *text = argv[i] + urgent;
        if (send(s, text, strlen(text), urgent ? MSG_OOB : 0) != (ssize_t) strlen(text)) {
            perror("send");
            return 1;
        }
    }
    char byte;
    while (read(s, &byte, 1) > 0) {
        putchar(byte);
    }
    return 0;
}
