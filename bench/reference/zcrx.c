// SPDX-License-Identifier: MIT
/*
 * zcrx ADDRESS PORT BYTES INTERFACE QUEUE AREA REFILL COMPLETIONS: receives
 * with IORING_OP_RECV_ZC from queue QUEUE of INTERFACE into an area of AREA
 * bytes; with INTERFACE "-" without a device (ZCRX_REG_NODEV).
 *
 * The loop; whoever compares must run the same one:
 *
 *	ring		8 entries, COMPLETIONS completions of 32 bytes;
 *			SINGLE_ISSUER | DEFER_TASKRUN | NO_SQARRAY |
 *			TASKRUN_FLAG | SUBMIT_ALL | CQE32; entered through its
 *			registered file descriptor
 *	buffers		the kernel's default length, a page
 *	refill ring	REFILL entries in memory of ours
 *
 *	start
 *	arm: one multishot RECV_ZC
 *	while the stream has not ended:
 *	  1. enter(to_submit, min_complete = 1, GETEVENTS, one second)
 *	  2. for each completion: check the piece, return it with one entry
 *	  3. publish the tail of the refill ring
 *	stop, when the last byte has been checked
 *
 * More than one completion cannot be waited for: the kernel counts the wake-ups
 * of the socket, of which there is one until its task work has run, not the
 * completions that this will post; so a wait for two would end with its time.
 * Nor is the kernel asked for more before step 3: while the sender is quick it
 * would always find more, until no buffer is left to receive into.
 *
 * A request that ends for want of room in a queue (ENOSPC) or of a buffer to
 * copy into (ENOMEM) is armed again.  Where the refill ring is full, and after
 * step 3 where there is no device, the kernel is told to take what is in it
 * (ZCRX_CTRL_FLUSH_RQ).
 */
#define _GNU_SOURCE
#include <string.h>

#include "command.h"
#include "queue.h"
#include "ring.h"
#include "stream.h"

#define RING_ENTRIES		8
#define USER_DATA		7	/* of the one request */

struct receiver {
	struct stream stream;
	struct ring ring;
	struct queue queue;
	unsigned int prepared;	/* requests that no call has submitted yet */
	bool armed;
	bool ended;
};

/* What the command says. */
struct order {
	struct stream_order stream;
	struct queue_options queue;
	unsigned int completions;
};

static void receiver_arm(struct receiver *receiver)
{
	struct ring *ring = &receiver->ring;
	unsigned int tail = *ring->sq_tail;
	struct io_uring_sqe *sqe = &ring->sqes[tail & ring->sq_mask];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = OP_RECV_ZC;
	sqe->ioprio = IORING_RECV_MULTISHOT;
	sqe->fd = receiver->stream.socket;
	sqe->file_index = receiver->queue.id;	/* where zcrx_ifq_idx is */
	sqe->user_data = USER_DATA;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	receiver->prepared++;
	receiver->armed = true;
	receiver->stream.armed++;
}

/* Waits for a completion, but no longer than a second. */
static int receiver_enter(struct receiver *receiver)
{
	struct __kernel_timespec limit = { .tv_sec = 1 };
	struct io_uring_getevents_arg argument = {
		.ts = (uint64_t)(uintptr_t)&limit,
	};
	long result = syscall(__NR_io_uring_enter, receiver->ring.registered,
			      receiver->prepared, 1,
			      IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG |
			      IORING_ENTER_REGISTERED_RING,
			      &argument, sizeof(argument));

	receiver->stream.system_calls++;
	if (result < 0)
		return errno == EINTR || errno == ETIME ? 0 : -errno;
	receiver->prepared -= (unsigned int)result;
	return 0;
}

static int receiver_take(struct receiver *receiver, uint64_t off,
			 uint32_t length)
{
	struct queue *queue = &receiver->queue;
	uint64_t place = off & AREA_OFFSET_MASK;
	int result;

	if (place + length > queue->area_size)
		return -ERANGE;
	result = stream_take(&receiver->stream, queue->area + place, length);
	return result < 0 ? result : queue_return(queue, off, length);
}

static int receiver_complete(struct receiver *receiver,
			     const struct io_uring_cqe *cqe)
{
	const struct piece_place *where = (const void *)(cqe + 1);

	if (cqe->user_data != USER_DATA)
		return -EBADMSG;
	if (cqe->flags & IORING_CQE_F_MORE)
		return cqe->res > 0 ? receiver_take(receiver, where->off,
						    (uint32_t)cqe->res)
				    : -EBADMSG;
	receiver->armed = false;
	receiver->ended = cqe->res == 0;
	if (cqe->res == 0 || cqe->res == -ENOSPC || cqe->res == -ENOMEM)
		return 0;
	return cqe->res > 0 ? -EBADMSG : cqe->res;
}

static int receiver_consume(struct receiver *receiver)
{
	struct ring *ring = &receiver->ring;
	unsigned int head = *ring->cq_head;
	unsigned int tail = __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE);
	int result = 0;

	for (; result >= 0 && head != tail; head++)
		result = receiver_complete(receiver,
					   &ring->cqes[(head & ring->cq_mask)
						       << 1]);
	__atomic_store_n(ring->cq_head, head, __ATOMIC_RELEASE);
	return result < 0 ? result : queue_publish(&receiver->queue);
}

static int receiver_turn(struct receiver *receiver)
{
	int result;

	if (!receiver->armed)
		receiver_arm(receiver);
	result = receiver_enter(receiver);
	return result < 0 ? result : receiver_consume(receiver);
}

static int receiver_stream(struct receiver *receiver)
{
	struct stream *stream = &receiver->stream;
	unsigned int idle = 0;
	int result = 0;

	stream->doing = "RECV_ZC";
	stream_start(stream);
	while (result >= 0 && !receiver->ended && idle < STREAM_SECONDS_MAX) {
		uint64_t before = stream->received;

		result = receiver_turn(receiver);
		if (stream->received != before)
			idle = 0;
		else
			idle++;
		if (stream->received >= stream->bytes && stream->seconds == 0)
			stream_stop(stream);
	}
	if (result < 0)
		return result;
	stream->system_calls += receiver->queue.flushes;
	stream->copied = receiver->queue.stats->copy_bytes;
	return receiver->ended ? stream_end(stream) : -ETIME;
}

static int receiver_open(struct receiver *receiver, const struct order *order)
{
	const struct ring_options options = {
		.entries = RING_ENTRIES,
		.completions = order->completions,
		.wide = true,
	};
	int result;

	receiver->stream.doing = "ring set-up";
	result = ring_open(&receiver->ring, &options);
	if (result < 0)
		return result;
	return queue_open(&receiver->queue, &receiver->ring, &order->queue,
			  &receiver->stream.doing);
}

static void receiver_close(struct receiver *receiver)
{
	stream_close(&receiver->stream);
	ring_close(&receiver->ring);
	queue_close(&receiver->queue);
}

static void zcrx_run(const struct order *order)
{
	struct receiver receiver = {
		.stream = STREAM_CLOSED,
		.ring = RING_CLOSED,
	};
	int result = receiver_open(&receiver, order);

	if (result >= 0)
		result = stream_open(&receiver.stream, &order->stream);
	if (result >= 0)
		result = receiver_stream(&receiver);
	stream_answer(&receiver.stream, result);
	receiver_close(&receiver);
}

/* INTERFACE QUEUE AREA REFILL */
static const char *parse_queue(char **words, struct queue_options *queue)
{
	queue->interface = strcmp(words[0], "-") == 0 ? NULL : words[0];
	if (!parse_small(words[1], 0, UINT16_MAX, &queue->index))
		return "QUEUE is a number from 0 to 65535";
	if (!parse_number(words[2], PAGE, 1ULL << 40, &queue->area) ||
	    queue->area % PAGE != 0)
		return "AREA is a number of bytes that fill pages";
	if (!parse_small(words[3], 1, 32768, &queue->refill))
		return "REFILL is a number from 1 to 32768";
	return NULL;
}

const char *zcrx_command(char **words)
{
	struct order order;
	const char *problem = parse_stream(words + 1, &order.stream);

	if (!problem)
		problem = parse_queue(words + 4, &order.queue);
	if (problem)
		return problem;
	if (!parse_small(words[8], RING_ENTRIES, 65536, &order.completions))
		return "COMPLETIONS is a number from 8 to 65536";
	zcrx_run(&order);
	return NULL;
}
