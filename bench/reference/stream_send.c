// SPDX-License-Identifier: MIT
/* stream ADDRESS PORT BYTES: sends a stream. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "stream.h"

/* What is sent, kept from command to command. */
struct pattern {
	uint32_t *words;
	uint64_t count;
};

static int pattern_make(struct pattern *pattern, uint64_t bytes)
{
	uint64_t count = (bytes + 3) / 4;
	uint32_t word = 0;

	if (count <= pattern->count)
		return 0;
	free(pattern->words);
	pattern->count = 0;
	pattern->words = malloc(count * sizeof(*pattern->words));
	if (!pattern->words)
		return -ENOMEM;
	/* pattern_word() of each, by adding. */
	for (uint64_t i = 0; i < count; i++)
		pattern->words[i] = word += PATTERN_MULTIPLIER;
	pattern->count = count;
	return 0;
}

static int send_all(int fd, const void *memory, uint64_t bytes)
{
	const unsigned char *next = memory;

	while (bytes > 0) {
		ssize_t sent = send(fd, next, bytes, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		next += sent;
		bytes -= (uint64_t)sent;
	}
	return 0;
}

/* The other side closes when it has everything, or has failed. */
static int send_end(int fd)
{
	char nothing;
	ssize_t result;

	if (shutdown(fd, SHUT_WR))
		return -errno;
	do {
		result = recv(fd, &nothing, 1, 0);
	} while (result < 0 && errno == EINTR);
	return result < 0 ? -errno : 0;
}

static int send_stream(int fd, const struct stream_order *order,
		       const struct pattern *pattern)
{
	const struct endpoint *endpoint = &order->endpoint;
	int result;

	if (connect(fd, (const struct sockaddr *)&endpoint->address,
		    endpoint->length))
		return -errno;
	result = send_all(fd, pattern->words, order->bytes);
	return result < 0 ? result : send_end(fd);
}

static int send_measure(const struct stream_order *order,
			const struct pattern *pattern)
{
	double cpu = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
	int fd = stream_socket(&order->endpoint);
	int result;

	if (fd < 0)
		return fd;
	result = send_stream(fd, order, pattern);
	close(fd);
	if (result < 0)
		return result;
	cpu = clock_seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
	printf("{\"bytes\":%llu,\"cpuSeconds\":%.6f}\n",
	       (unsigned long long)order->bytes, cpu);
	return 0;
}

const char *stream_command(char **words)
{
	static struct pattern pattern;
	struct stream_order order;
	const char *problem = parse_stream(words + 1, &order);
	int result;

	if (problem)
		return problem;
	result = pattern_make(&pattern, order.bytes);
	if (result >= 0)
		result = send_measure(&order, &pattern);
	if (result < 0)
		answer_error("send", result);
	return NULL;
}
