/* loadgen: a closed-loop HTTP/1.1 load driver. One thread, epoll, keep-alive, loopback only, bounded in time.
 *
 * Each of N clients has one request in flight and sends the next when the answer has come. With -s each client owns a
 * chain of refresh tokens: it sends the last token that it got and finds the next one in the answer's "refresh_token".
 * Without a body it sends GET. Prints one line of JSON; exit status 1 when any answer had another status than the
 * expected one (200, or that of -x), a chain broke or nothing was measured.
 *
 * Answers must carry a Content-Length, except those with status 304, which have no body. Build: cc -O2 -o loadgen loadgen.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_CLIENTS 256
#define MOST_SECONDS 60
#define TOKEN_BYTES 1024
#define REQUEST_BYTES 8192
#define ANSWER_BYTES 65536

struct client {
    int id, fd, alive;
    char token[TOKEN_BYTES];
    char request[REQUEST_BYTES];
    int request_length, sent;
    char answer[ANSWER_BYTES];
    int received;
    double began_at;
};

static struct client *clients;
static int client_count = 16, living, epoll_fd;
static struct sockaddr_in server;
static char path[1024];
static const char *body_template, *content_type = "application/x-www-form-urlencoded", *seeds_file;
static const char *headers = "";
static int expected_status = 200;
static double warm_up = 1, duration = 3;

static int measuring, stopping;
static long answered, failed;
static uint32_t *latencies;
static size_t latency_count, latency_capacity;
static char first_failure[400];

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(2);
}

static void read_seeds(void)
{
    FILE *file = fopen(seeds_file, "r");
    if (!file)
        die("cannot open %s", seeds_file);
    for (int i = 0; i < client_count; i++)
        if (fscanf(file, "%1023s", clients[i].token) != 1)
            die("%s has fewer tokens than there are clients", seeds_file);
    fclose(file);
}

static void write_seeds(void)
{
    FILE *file = fopen(seeds_file, "w");
    if (!file)
        die("cannot write %s", seeds_file);
    for (int i = 0; i < client_count; i++)
        fprintf(file, "%s\n", clients[i].token);
    fclose(file);
}

/* Copies the body template, with {token} and {client} replaced. */
static int write_body(const struct client *c, char *out, int capacity)
{
    int n = 0;
    for (const char *t = body_template; *t;) {
        if (!strncmp(t, "{token}", 7)) {
            n += snprintf(out + n, capacity - n, "%s", c->token);
            t += 7;
        } else if (!strncmp(t, "{client}", 8)) {
            n += snprintf(out + n, capacity - n, "%d", c->id);
            t += 8;
        } else
            out[n++] = *t++;
        if (n >= capacity - 1)
            die("the body is too long");
    }
    out[n] = 0;
    return n;
}

static void write_request(struct client *c)
{
    char body[REQUEST_BYTES / 2];
    int port = ntohs(server.sin_port);
    if (body_template) {
        int length = write_body(c, body, sizeof body);
        c->request_length = snprintf(c->request, REQUEST_BYTES,
            "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: */*\r\n%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
            path, port, headers, content_type, length, body);
    } else
        c->request_length = snprintf(c->request, REQUEST_BYTES,
            "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: */*\r\n%s\r\n", path, port, headers);
    if (c->request_length >= REQUEST_BYTES)
        die("the request is too long");
    c->sent = c->received = 0;
}

static void leave(struct client *c)
{
    if (c->alive)
        living--;
    c->alive = 0;
    close(c->fd);
}

static void fail(struct client *c, const char *why)
{
    failed++;
    if (!first_failure[0])
        snprintf(first_failure, sizeof first_failure, "client %d: %s: %.300s", c->id, why, c->answer);
    leave(c);
}

static void send_rest(struct client *c)
{
    while (c->sent < c->request_length) {
        ssize_t n = send(c->fd, c->request + c->sent, c->request_length - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN) {
            fail(c, strerror(errno));
            return;
        }
        if (n < 0)
            break;
        c->sent += n;
    }
    struct epoll_event event = {.events = c->sent < c->request_length ? EPOLLOUT : EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static void ask(struct client *c)
{
    if (stopping) {
        leave(c);
        return;
    }
    write_request(c);
    c->began_at = now();
    send_rest(c);
}

static void enter(struct client *c)
{
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (struct sockaddr *)&server, sizeof server))
        die("cannot connect: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event);
    c->alive = 1;
    living++;
}

static int find_token(const char *body, char *token)
{
    const char *at = strstr(body, "\"refresh_token\"");
    return at && sscanf(at + strlen("\"refresh_token\""), " : \"%1023[^\"]\"", token) == 1;
}

static void record(double seconds)
{
    if (latency_count == latency_capacity) {
        latency_capacity = latency_capacity ? latency_capacity * 2 : 1 << 16;
        latencies = realloc(latencies, latency_capacity * sizeof *latencies);
    }
    latencies[latency_count++] = (uint32_t)(seconds * 1e6);
}

static void receive(struct client *c)
{
    ssize_t n = recv(c->fd, c->answer + c->received, ANSWER_BYTES - 1 - c->received, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    c->received += n > 0 ? n : 0;
    c->answer[c->received] = 0;
    if (n <= 0 || c->received == ANSWER_BYTES - 1) {
        fail(c, "the connection ended, or the answer does not");
        return;
    }
    char *body = strstr(c->answer, "\r\n\r\n"), *length = strcasestr(c->answer, "\r\ncontent-length:");
    if (!body)
        return;
    int status = 0;
    sscanf(c->answer, "HTTP/1.1 %d", &status);
    if (status != 304 && (!length || length > body)) {
        fail(c, "no Content-Length");
        return;
    }
    body += 4;
    if (status != 304 && c->received - (body - c->answer) < atol(length + 17))
        return;
    if (status != expected_status || (seeds_file && !find_token(body, c->token))) {
        fail(c, "refused");
        return;
    }
    answered++;
    if (measuring)
        record(now() - c->began_at);
    ask(c);
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double percentile(double p)
{
    return latency_count ? latencies[(size_t)(p * (latency_count - 1) + 0.5)] / 1000.0 : 0;
}

static void usage(void)
{
    die("loadgen -u http://127.0.0.1:PORT/PATH [-b BODY] [-s TOKENS_FILE] [-T CONTENT_TYPE] [-c CLIENTS]\n"
        "        [-H HEADER_LINES] [-x STATUS] [-w WARM_UP_SECONDS] [-d SECONDS]\n"
        "BODY may contain {token} and {client}; each of HEADER_LINES ends with CR and LF");
}

static void read_arguments(int argc, char **argv)
{
    char host[64] = "";
    int port = 0;
    for (int option; (option = getopt(argc, argv, "u:b:s:T:H:x:c:w:d:")) != -1;)
        switch (option) {
        case 'u': sscanf(optarg, "http://%63[0-9.]:%d%1023s", host, &port, path); break;
        case 'b': body_template = optarg; break;
        case 's': seeds_file = optarg; break;
        case 'T': content_type = optarg; break;
        case 'H': headers = optarg; break;
        case 'x': expected_status = atoi(optarg); break;
        case 'c': client_count = atoi(optarg); break;
        case 'w': warm_up = atof(optarg); break;
        case 'd': duration = atof(optarg); break;
        default: usage();
        }
    if (!path[0] || (seeds_file && !body_template))
        usage();
    if (strncmp(host, "127.", 4))
        die("loopback addresses only");
    if (client_count < 1 || client_count > MOST_CLIENTS || warm_up + duration > MOST_SECONDS)
        die("at most %d clients and %d seconds", MOST_CLIENTS, MOST_SECONDS);
    server.sin_family = AF_INET;
    server.sin_port = htons(port);
    inet_pton(AF_INET, host, &server.sin_addr);
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv);
    clients = calloc(client_count, sizeof *clients);
    epoll_fd = epoll_create1(0);
    if (seeds_file)
        read_seeds();
    for (int i = 0; i < client_count; i++) {
        clients[i].id = i;
        enter(&clients[i]);
        ask(&clients[i]);
    }
    double started_at = now(), measured_from = 0, measured_to = 0;
    while (living > 0) {
        struct epoll_event events[MOST_CLIENTS];
        int n = epoll_wait(epoll_fd, events, MOST_CLIENTS, 100);
        double t = now();
        if (!measured_from && t - started_at >= warm_up) {
            measuring = 1;
            measured_from = t;
        }
        if (measuring && t - measured_from >= duration) {
            measuring = 0;
            stopping = 1;
            measured_to = t;
        }
        if (stopping && t - measured_to > 10)
            die("an answer does not come");
        for (int i = 0; i < n; i++) {
            struct client *c = events[i].data.ptr;
            if (c->alive && events[i].events & EPOLLOUT)
                send_rest(c);
            else if (c->alive)
                receive(c);
        }
    }
    if (seeds_file && !failed)
        write_seeds();
    if (latency_count)
        qsort(latencies, latency_count, sizeof *latencies, by_size);
    double seconds = measured_to - measured_from;
    printf("{\"rate\": %.1f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"answered\": %ld, \"failed\": %ld}\n",
        measured_to ? latency_count / seconds : 0, percentile(.5), percentile(.99), answered, failed);
    if (first_failure[0])
        fprintf(stderr, "%s\n", first_failure);
    return failed || !latency_count;
}
