/* What the containers of the tests run: one static program with a few behaviours, by its first argument. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int serve(int port, int answers) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 8)) return 9;
    printf("listening\n");
    fflush(stdout);
    for (int count = 0;; count++) {
        char request[4096];
        int peer = accept(listener, NULL, NULL);
        if (peer < 0) return 9;
        if (read(peer, request, sizeof request) > 0 && answers) {
            /* Not well at first, as many are. */
            const char *answer = count < 2 ? "HTTP/1.1 503 Not yet\r\n\r\n" : "HTTP/1.1 200 OK\r\n\r\n";
            if (write(peer, answer, strlen(answer)) < 0) return 9;
        }
        close(peer);
    }
}

static int read_all(const char *path, long limit) {
    static char buffer[4096];
    int file = open(path, O_RDONLY);
    long sum = 0, count;
    if (file < 0) return perror(path), 1;
    while (limit > 0 && (count = read(file, buffer, sizeof buffer)) != 0) {
        if (count < 0) return perror(path), 1;
        sum += count;
        limit -= count;
    }
    printf("%s %ld\n", path, sum);
    return 0;
}

int main(int count, char **words) {
    const char *what = count > 1 ? words[1] : "";
    if (!strcmp(what, "who")) {
        char folder[256];
        gid_t groups[8];
        int number = getgroups(8, groups);
        printf("uid %d gid %d groups", getuid(), getgid());
        for (int i = 0; i < number; i++) printf(" %d", groups[i]);
        printf(" in %s with NOTE=%s\n", getcwd(folder, sizeof folder), getenv("NOTE"));
        return 0;
    }
    if (!strcmp(what, "read")) {
        for (int i = 2; i < count; i++)
            if (read_all(words[i], 1L << 40)) return 5;
        return 0;
    }
    if (!strcmp(what, "begin")) return read_all(words[2], 4096);
    if (!strcmp(what, "write")) {
        FILE *file = fopen(words[2], "w");
        return !file || fputs("written", file) < 0 || fclose(file) ? 6 : read_all(words[2], 100);
    }
    if (!strcmp(what, "port")) return serve(atoi(words[2]), 0);
    if (!strcmp(what, "http")) return serve(atoi(words[2]), 1);
    if (!strcmp(what, "wait")) {
        printf("waiting\n");
        fflush(stdout);
        for (;;) pause();
    }
    /* The one signal that no first process of a namespace can ignore. */
    if (!strcmp(what, "crash")) *(volatile int *)8 = 1;
    return 7;
}
