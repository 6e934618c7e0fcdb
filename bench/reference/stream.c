// SPDX-License-Identifier: MIT
/* What both receivers of a stream do. */
#define _GNU_SOURCE
#include "stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"

const char *parse_stream(char **words, struct stream_order *order)
{
	const char *problem = parse_endpoint(words, true, &order->endpoint);

	if (problem)
		return problem;
	if (!parse_number(words[2], 1, 1ULL << 32, &order->bytes))
		return "BYTES is a number from 1 to 4294967296";
	return NULL;
}

static int socket_limit(int fd)
{
	struct timeval limit = { .tv_sec = STREAM_SECONDS_MAX };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		return -errno;
	return 0;
}

int stream_socket(const struct endpoint *endpoint)
{
	int fd = socket(endpoint->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC,
			0);
	int result;

	if (fd < 0)
		return -errno;
	result = socket_limit(fd);
	if (result < 0) {
		close(fd);
		return result;
	}
	return fd;
}

/* Prints the port, as port 0 leaves the choice to the kernel. */
static int stream_announce(const struct stream *stream)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	const struct sockaddr_in *four = (const void *)&address;

	if (getsockname(stream->listener, (struct sockaddr *)&address, &length))
		return -errno;
	/* The port is at the same place in both families. */
	printf("{\"listening\":%u}\n", ntohs(four->sin_port));
	return fflush(stdout) == 0 ? 0 : -errno;
}

static int stream_listen(struct stream *stream, const struct endpoint *endpoint)
{
	const struct sockaddr *address = (const void *)&endpoint->address;
	int one = 1;

	stream->doing = "listen";
	stream->listener = stream_socket(endpoint);
	if (stream->listener < 0)
		return stream->listener;
	if (setsockopt(stream->listener, SOL_SOCKET, SO_REUSEADDR, &one,
		       sizeof(one)))
		return -errno;
	if (bind(stream->listener, address, endpoint->length))
		return -errno;
	if (listen(stream->listener, 1))
		return -errno;
	return stream_announce(stream);
}

static int stream_accept(struct stream *stream)
{
	stream->doing = "accept";
	/*
	 * What is left to do for a ring that was closed interrupts a wait that
	 * has a time limit.
	 */
	do {
		stream->socket = accept4(stream->listener, NULL, NULL,
					 SOCK_CLOEXEC);
	} while (stream->socket < 0 && errno == EINTR);
	return stream->socket < 0 ? -errno : socket_limit(stream->socket);
}

int stream_open(struct stream *stream, const struct stream_order *order)
{
	int result = stream_listen(stream, &order->endpoint);

	stream->bytes = order->bytes;
	return result < 0 ? result : stream_accept(stream);
}

void stream_close(struct stream *stream)
{
	if (stream->socket >= 0)
		close(stream->socket);
	if (stream->listener >= 0)
		close(stream->listener);
}

void stream_start(struct stream *stream)
{
	stream->start = clock_seconds(CLOCK_MONOTONIC);
	stream->cpu_start = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
}

void stream_stop(struct stream *stream)
{
	stream->seconds = clock_seconds(CLOCK_MONOTONIC) - stream->start;
	stream->cpu_seconds = clock_seconds(CLOCK_THREAD_CPUTIME_ID) -
			      stream->cpu_start;
}

int stream_end(struct stream *stream)
{
	if (stream->received == stream->bytes)
		return 0;
	stream->doing = "the stream ended at another length";
	return -EBADMSG;
}

void stream_answer(const struct stream *stream, int result)
{
	if (result < 0) {
		answer_error(stream->doing, result);
		return;
	}
	printf("{\"bytes\":%llu,\"pieces\":%llu,\"seconds\":%.6f,"
	       "\"cpuSeconds\":%.6f,\"systemCalls\":%llu,\"armed\":%llu,"
	       "\"copiedBytes\":%llu}\n",
	       (unsigned long long)stream->received,
	       (unsigned long long)stream->pieces,
	       stream->seconds, stream->cpu_seconds,
	       (unsigned long long)stream->system_calls,
	       (unsigned long long)stream->armed,
	       (unsigned long long)stream->copied);
}
