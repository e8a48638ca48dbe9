/* What the machine allows: sends prebuilt frames, one send() for each client and turn, and does nothing else.
 *
 * server <file with an event per line>, with the orders of ../servers/orders.mjs on stdin. It is no WebSocket server
 * for others: it has no accept key, which the benchmark's clients do not look at. It never blocks as long as the
 * window of a run fits into the kernel's buffers, and waits for the client where it does not. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_EVENTS 1024
#define MAX_CLIENTS 65536

struct frame {
	char *bytes;
	size_t length;
};

static struct frame frames[MAX_EVENTS];
static int frame_count;
static int clients[MAX_CLIENTS];
static int client_count;
static int listener, poller;
static long received;
static struct {
	long events, batch, window;
	double interval_ms;
} plan; /* nothing to do while events is 0 */

static void fail(const char *what) {
	perror(what);
	exit(1);
}

static double now_ms(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static double cpu_micros(void) {
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

/* Events of 126 to 65,535 bytes. */
static struct frame text_frame(const char *text, size_t length) {
	struct frame frame = {malloc(length + 4), length + 4};
	char header[4] = {(char)0x81, 126, (char)(length >> 8), (char)length};
	memcpy(frame.bytes, header, 4);
	memcpy(frame.bytes + 4, text, length);
	return frame;
}

static void read_events(const char *path) {
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t capacity = 0;
	ssize_t length;
	if (!file) fail(path);
	while (frame_count < MAX_EVENTS && (length = getline(&line, &capacity, file)) > 0)
		frames[frame_count++] = text_frame(line, length - (line[length - 1] == '\n'));
	free(line);
	fclose(file);
}

static void watch(int fd) {
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

static void accept_client(void) {
	int on = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	if (fd < 0) fail("accept");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	watch(fd);
}

static void forget_client(int fd) {
	for (int index = 0; index < client_count; index++)
		if (clients[index] == fd) clients[index--] = clients[--client_count];
	close(fd);
}

/* The first thing a client says is its whole handshake; what follows is of no interest. */
static void read_client(int fd) {
	static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
	char request[4096];
	ssize_t length = recv(fd, request, sizeof request, 0);
	if (length <= 0) forget_client(fd);
	else if (length > 4 && !memcmp(request, "GET ", 4)) {
		if (client_count == MAX_CLIENTS || send(fd, answer, sizeof answer - 1, 0) < 0) fail("handshake");
		clients[client_count++] = fd;
	}
}

static void send_to(int fd, const char *bytes, size_t length) {
	while (length > 0) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN) return;
		if (sent > 0) {
			bytes += sent;
			length -= sent;
		}
		if (length > 0) poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
	}
}

static void take_order(const char *line) {
	if (sscanf(line, "run %ld %ld %ld %lf", &plan.events, &plan.batch, &plan.window, &plan.interval_ms) == 4)
		received = 0;
	else
		sscanf(line, "received %ld", &received);
}

static void read_orders(void) {
	static char buffer[4096];
	static size_t filled;
	ssize_t length = read(STDIN_FILENO, buffer + filled, sizeof buffer - 1 - filled);
	char *line = buffer, *end;
	if (length <= 0) exit(0);
	filled += length;
	buffer[filled] = 0;
	for (; (end = strchr(line, '\n')); line = end + 1) take_order(line);
	filled -= line - buffer;
	memmove(buffer, line, filled);
}

/* A turn of the event loop. */
static void turn(int timeout_ms) {
	struct epoll_event events[256];
	int count = epoll_wait(poller, events, 256, timeout_ms);
	for (int index = 0; index < count; index++) {
		int fd = events[index].data.fd;
		if (fd == STDIN_FILENO) read_orders();
		else if (fd == listener) accept_client();
		else read_client(fd);
	}
}

static void publish(long first, long batch) {
	static char *joined;
	size_t length = 0;
	if (batch == 1) {
		struct frame *frame = &frames[first % frame_count];
		for (int index = 0; index < client_count; index++) send_to(clients[index], frame->bytes, frame->length);
		return;
	}
	for (long event = first; event < first + batch; event++) {
		struct frame *frame = &frames[event % frame_count];
		joined = realloc(joined, length + frame->length);
		memcpy(joined + length, frame->bytes, frame->length);
		length += frame->length;
	}
	for (int index = 0; index < client_count; index++) send_to(clients[index], joined, length);
}

static void run(void) {
	double *sent_at = calloc(plan.events + plan.batch, sizeof *sent_at);
	double started_at = now_ms(), started_cpu = cpu_micros(), due;
	long sent = 0;
	for (long turns = 0; sent < plan.events; turns++) {
		while (plan.window > 0 && sent + plan.batch - received > plan.window) turn(-1);
		due = started_at + turns * plan.interval_ms;
		while (now_ms() < due) turn((int)(due - now_ms()) + 1);
		for (long event = 0; event < plan.batch; event++) sent_at[sent + event] = now_ms();
		publish(sent, plan.batch);
		sent += plan.batch;
		turn(0);
	}
	while (plan.window > 0 && received < plan.events) turn(-1);
	printf("{\"cpuMicros\":%.0f,\"wallMs\":%.3f,\"sentAt\":[", cpu_micros() - started_cpu, now_ms() - started_at);
	for (long event = 0; event < sent; event++) printf("%s%.4f", event ? "," : "", sent_at[event]);
	printf("]}\n");
	fflush(stdout);
	free(sent_at);
	plan.events = 0;
}

int main(int count, char **arguments) {
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	if (count != 2) return 2;
	read_events(arguments[1]);
	poller = epoll_create1(0);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 4096) < 0) fail("listen");
	getsockname(listener, (struct sockaddr *)&address, &size);
	watch(listener);
	watch(STDIN_FILENO);
	printf("{\"port\":%d}\n", ntohs(address.sin_port));
	fflush(stdout);
	for (;;) {
		turn(-1);
		if (plan.events > 0) run();
	}
}
