// SPDX-License-Identifier: MIT
/* recv ADDRESS PORT BYTES LENGTH: at most LENGTH bytes for each recv(2). */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "command.h"
#include "stream.h"

/* Returns 1 while there may be more. */
static int recv_piece(struct stream *stream, unsigned char *memory,
		      size_t length)
{
	ssize_t count = recv(stream->socket, memory, length, 0);
	int result;

	stream->system_calls++;
	if (count < 0)
		return errno == EINTR ? 1 : -errno;
	if (count == 0)
		return 0;
	result = stream_take(stream, memory, (size_t)count);
	if (result < 0)
		return result;
	if (stream->received == stream->bytes)
		stream_stop(stream);
	return 1;
}

static int recv_stream(struct stream *stream, size_t length)
{
	unsigned char *memory = malloc(length);
	int result;

	stream->doing = "malloc";
	if (!memory)
		return -ENOMEM;
	/* So that no page fault is timed. */
	memset(memory, 0, length);
	stream->doing = "recv";
	stream_start(stream);
	do
		result = recv_piece(stream, memory, length);
	while (result > 0);
	free(memory);
	return result < 0 ? result : stream_end(stream);
}

const char *recv_command(char **words)
{
	struct stream stream = STREAM_CLOSED;
	struct stream_order order;
	const char *problem = parse_stream(words + 1, &order);
	uint64_t length;
	int result;

	if (problem)
		return problem;
	if (!parse_number(words[4], 1, 1ULL << 30, &length))
		return "LENGTH is a number from 1 to 1073741824";
	result = stream_open(&stream, &order);
	if (result >= 0)
		result = recv_stream(&stream, length);
	stream_answer(&stream, result);
	stream_close(&stream);
	return NULL;
}
