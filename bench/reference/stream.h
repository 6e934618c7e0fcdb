/* SPDX-License-Identifier: MIT */
/* A TCP stream that is received: where it stands, what it has cost. */
#ifndef REFERENCE_STREAM_H
#define REFERENCE_STREAM_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "pattern.h"
#include "words.h"

#define STREAM_SECONDS_MAX	30	/* without any progress */

struct stream {
	const char *doing;	/* names the step that an error belongs to */
	int listener;
	int socket;
	uint64_t bytes;		/* expected */
	uint64_t received;
	uint64_t pieces;
	uint64_t system_calls;
	uint64_t armed;
	uint64_t copied;	/* as the kernel counts it */
	double start;
	double cpu_start;
	double seconds;
	double cpu_seconds;
};

#define STREAM_CLOSED	((struct stream){ .listener = -1, .socket = -1 })

/* What all commands about a stream say: ADDRESS PORT BYTES. */
struct stream_order {
	struct endpoint endpoint;
	uint64_t bytes;
};

/* Returns what is wrong with the words, or NULL. */
const char *parse_stream(char **words, struct stream_order *order);

/*
 * A TCP socket that waits no longer than STREAM_SECONDS_MAX, or a negative
 * errno.
 */
int stream_socket(const struct endpoint *endpoint);

/* Listens, prints the port, accepts.  Returns 0 or a negative errno. */
int stream_open(struct stream *stream, const struct stream_order *order);
void stream_close(struct stream *stream);

void stream_start(struct stream *stream);
void stream_stop(struct stream *stream);

/* What the end of the stream means: 0, or a negative errno if it is early. */
int stream_end(struct stream *stream);

/* Answers what the stream took or, where @result is an error, that. */
void stream_answer(const struct stream *stream, int result);

/* Checks and counts a piece.  Here, as it belongs to loops that are timed. */
static inline int stream_take(struct stream *stream, const unsigned char *piece,
			      size_t length)
{
	if (!piece_matches(piece, stream->received, length)) {
		stream->doing = "a piece is not what was sent";
		return -EBADMSG;
	}
	stream->received += length;
	stream->pieces++;
	return 0;
}

#endif
