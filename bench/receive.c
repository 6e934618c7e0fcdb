// SPDX-License-Identifier: MIT
/*
 * receive - the C programs that zclab's bench of receiving compares with.
 *
 *	receive [NETWORK_NAMESPACE]
 *
 * It enters the namespace that it is given (a path such as /proc/PID/fd/N),
 * reads one command per line from standard input, runs it on processor CPU, and
 * answers with lines of JSON:
 *
 *	send CPU ADDRESS PORT BYTES
 *	recv CPU ADDRESS PORT BYTES LENGTH
 *	zcrx CPU ADDRESS PORT BYTES INTERFACE QUEUE AREA REFILL COMPLETIONS
 *
 *	send	Connects, sends a stream of BYTES bytes, ends it, waits until
 *		the other side has closed.
 *	recv	Receives one stream with recv(2), LENGTH bytes at most a time.
 *	zcrx	Receives one stream with IORING_OP_RECV_ZC from queue QUEUE of
 *		INTERFACE into an area of AREA bytes; with INTERFACE "-" without
 *		a device (ZCRX_REG_NODEV).
 *
 * The answer is one line.  Both receivers first print {"listening": PORT}, then
 * accept one connection.  A command that fails is answered with
 * {"error": TEXT}; the next one may follow.  The end of the input ends the
 * program.
 *
 * The stream: its 32-bit word K (little endian) is (K + 1) * 2654435769 modulo
 * 2^32, so that no two words of a stream of less than 16 GiB are the same.
 * Of every piece the receivers compare the first and the last 8 bytes (of a
 * shorter one, all).
 *
 * The loop of zcrx; whoever compares must run the same one:
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
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/*
 * What headers older than Linux 7.3 lack, under names of our own, so that newer
 * ones do no harm.
 */
#define OP_RECV_ZC			58		/* 6.15 */
#define REGISTER_ZCRX_IFQ		32		/* 6.15 */
#define REGISTER_ZCRX_CTRL		36		/* 6.19 */
#define REGION_TYPE_USER		1		/* 6.13 */
#define REG_NODEV			2		/* 7.1 */
#define CTRL_FLUSH_RQ			0		/* 6.19 */
#define EVENT_DESC_FLAG_STATS		1		/* 7.2 */
#define AREA_OFFSET_MASK		((1ULL << 48) - 1)
#ifndef IORING_SETUP_NO_SQARRAY
#define IORING_SETUP_NO_SQARRAY		(1U << 16)	/* 6.6 */
#endif

struct refill_entry {
	uint64_t off;
	uint32_t len;
	uint32_t pad;
};

struct refill_offsets {
	uint32_t head;
	uint32_t tail;
	uint32_t rqes;
	uint32_t resv[5];
};

struct area_request {
	uint64_t addr;
	uint64_t len;
	uint64_t token;
	uint32_t flags;
	uint32_t dmabuf_fd;
	uint64_t resv[2];
};

struct region_request {
	uint64_t user_addr;
	uint64_t size;
	uint32_t flags;
	uint32_t id;
	uint64_t mmap_offset;
	uint64_t resv[4];
};

struct copy_counts {
	uint64_t copy_count;
	uint64_t copy_bytes;
};

struct event_request {
	uint64_t user_data;
	uint32_t type_mask;
	uint32_t flags;
	uint64_t stats_offset;
	uint64_t resv[9];
};

struct queue_request {
	uint32_t if_idx;
	uint32_t if_rxq;
	uint32_t rq_entries;
	uint32_t flags;
	uint64_t area_ptr;
	uint64_t region_ptr;
	struct refill_offsets offsets;
	uint32_t zcrx_id;
	uint32_t rx_buf_len;
	uint64_t event_desc;
	uint64_t resv[2];
};

struct control_request {
	uint32_t zcrx_id;
	uint32_t op;
	uint64_t resv[2];
	uint64_t arguments[6];
};

/* The completion of a piece: the 16 bytes after the ordinary ones. */
struct piece_place {
	uint64_t off;
	uint64_t pad;
};

_Static_assert(sizeof(struct area_request) == 64 - 16, "area_request");
_Static_assert(sizeof(struct region_request) == 64, "region_request");
_Static_assert(sizeof(struct event_request) == 96, "event_request");
_Static_assert(sizeof(struct queue_request) == 96, "queue_request");
_Static_assert(sizeof(struct control_request) == 72, "control_request");

#define PAGE			4096U
#define RING_ENTRIES		8
#define USER_DATA		7	/* of the one request */
#define SECONDS_MAX		30	/* without any progress */
#define TAKEN_TRIES		500	/* while the queue is another's */
#define TAKEN_NANOSECONDS	10000000
#define MULTIPLIER		2654435769U
#define WORDS_MAX		16	/* of a command */

/* What the command line says. */
struct order {
	unsigned int cpu;
	struct sockaddr_storage address;
	socklen_t address_length;
	uint64_t bytes;
	uint64_t length;	/* recv */
	const char *interface;	/* zcrx; NULL: no device */
	unsigned int queue;
	uint64_t area;
	unsigned int refill;
	unsigned int completions;
};

/* What is sent, kept from command to command. */
struct pattern {
	uint32_t *words;
	uint64_t count;
};

/* A stream that is received: where it stands, what it has cost. */
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

struct ring {
	int fd;
	int registered;
	unsigned char *memory;
	size_t memory_size;
	struct io_uring_sqe *sqes;
	size_t sqes_size;
	unsigned int *sq_tail;
	unsigned int sq_mask;
	unsigned int *cq_head;
	unsigned int *cq_tail;
	unsigned int cq_mask;
	struct io_uring_cqe *cqes;
	unsigned int prepared;
};

struct refill {
	unsigned char *memory;
	size_t memory_size;
	unsigned int *head;
	unsigned int *tail;
	struct refill_entry *entries;
	unsigned int count;
	unsigned int next;	/* runs ahead of *tail */
	unsigned int limit;	/* next may run up to here */
	const struct copy_counts *stats;
};

struct receiver {
	struct stream stream;
	struct ring ring;
	struct refill refill;
	unsigned char *area;
	size_t area_size;
	unsigned int id;
	bool device;
	bool armed;
	bool ended;
};

static double clock_seconds(clockid_t clock)
{
	struct timespec now;

	/* Cannot fail for the two clocks that are read here. */
	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void answer_error(const char *doing, int error)
{
	printf("{\"error\":\"%s: %s\"}\n", doing, strerror(-error));
}

/* The pattern. */

static uint32_t pattern_word(uint64_t index)
{
	return ((uint32_t)index + 1) * MULTIPLIER;
}

/* The 8 bytes of the stream from @offset on. */
static uint64_t pattern_at(uint64_t offset)
{
	uint64_t index = offset >> 2;
	unsigned int shift = (offset & 3) * 8;
	uint64_t bytes = pattern_word(index) |
			 (uint64_t)pattern_word(index + 1) << 32;

	if (shift == 0)
		return bytes;
	return bytes >> shift |
	       (uint64_t)pattern_word(index + 2) << (64 - shift);
}

static bool pattern_matches(const unsigned char *piece, uint64_t offset)
{
	uint64_t bytes;

	memcpy(&bytes, piece, sizeof(bytes));
	return bytes == pattern_at(offset);
}

static bool pattern_matches_short(const unsigned char *piece, uint64_t offset,
				  size_t length)
{
	uint64_t bytes = pattern_at(offset);

	return memcmp(piece, &bytes, length) == 0;
}

static bool piece_matches(const unsigned char *piece, uint64_t offset,
			  size_t length)
{
	if (length < 8)
		return pattern_matches_short(piece, offset, length);
	return pattern_matches(piece, offset) &&
	       pattern_matches(piece + length - 8, offset + length - 8);
}

/* Either receiver. */

static void stream_start(struct stream *stream)
{
	stream->start = clock_seconds(CLOCK_MONOTONIC);
	stream->cpu_start = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
}

static void stream_stop(struct stream *stream)
{
	stream->seconds = clock_seconds(CLOCK_MONOTONIC) - stream->start;
	stream->cpu_seconds = clock_seconds(CLOCK_THREAD_CPUTIME_ID) -
			      stream->cpu_start;
}

static int stream_take(struct stream *stream, const unsigned char *piece,
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

static int stream_end(struct stream *stream)
{
	if (stream->received == stream->bytes)
		return 0;
	stream->doing = "the stream ended at another length";
	return -EBADMSG;
}

static void stream_answer(const struct stream *stream)
{
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

static int socket_limit(int fd)
{
	struct timeval limit = { .tv_sec = SECONDS_MAX };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		return -errno;
	return 0;
}

static int socket_open(const struct order *order)
{
	int fd = socket(order->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC,
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

static int stream_listen(struct stream *stream, const struct order *order)
{
	const struct sockaddr *address = (const void *)&order->address;
	int one = 1;

	stream->doing = "listen";
	stream->bytes = order->bytes;
	stream->listener = socket_open(order);
	if (stream->listener < 0)
		return stream->listener;
	if (setsockopt(stream->listener, SOL_SOCKET, SO_REUSEADDR, &one,
		       sizeof(one)))
		return -errno;
	if (bind(stream->listener, address, order->address_length))
		return -errno;
	if (listen(stream->listener, 1))
		return -errno;
	return stream_announce(stream);
}

static int stream_accept(struct stream *stream)
{
	stream->doing = "accept";
	/* What is left to do for a ring that was closed interrupts a wait that has a time limit. */
	do {
		stream->socket = accept4(stream->listener, NULL, NULL, SOCK_CLOEXEC);
	} while (stream->socket < 0 && errno == EINTR);
	return stream->socket < 0 ? -errno : socket_limit(stream->socket);
}

static void stream_close(struct stream *stream)
{
	if (stream->socket >= 0)
		close(stream->socket);
	if (stream->listener >= 0)
		close(stream->listener);
}

/* recv */

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

static int recv_stream(struct stream *stream, const struct order *order)
{
	unsigned char *memory = malloc(order->length);
	int result;

	stream->doing = "malloc";
	if (!memory)
		return -ENOMEM;
	/* So that no page fault is timed. */
	memset(memory, 0, order->length);
	stream->doing = "recv";
	stream_start(stream);
	do
		result = recv_piece(stream, memory, order->length);
	while (result > 0);
	free(memory);
	return result < 0 ? result : stream_end(stream);
}

static void run_recv(const struct order *order)
{
	struct stream stream = { .listener = -1, .socket = -1 };
	int result = stream_listen(&stream, order);

	if (result >= 0)
		result = stream_accept(&stream);
	if (result >= 0)
		result = recv_stream(&stream, order);
	if (result >= 0)
		stream_answer(&stream);
	else
		answer_error(stream.doing, result);
	stream_close(&stream);
}

/* The ring of zcrx. */

static int ring_setup(struct io_uring_params *params, unsigned int completions)
{
	long fd;

	memset(params, 0, sizeof(*params));
	params->cq_entries = completions;
	params->flags = IORING_SETUP_SINGLE_ISSUER |
			IORING_SETUP_DEFER_TASKRUN |
			IORING_SETUP_NO_SQARRAY |
			IORING_SETUP_TASKRUN_FLAG |
			IORING_SETUP_SUBMIT_ALL |
			IORING_SETUP_CQE32 |
			IORING_SETUP_CQSIZE;
	fd = syscall(__NR_io_uring_setup, RING_ENTRIES, params);
	return fd < 0 ? -errno : (int)fd;
}

static int ring_register(const struct ring *ring, unsigned int opcode,
			 void *argument, unsigned int count)
{
	long result = syscall(__NR_io_uring_register, ring->fd, opcode,
			      argument, count);

	return result < 0 ? -errno : (int)result;
}

static void *map_memory(int fd, size_t size, off_t offset)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    flags | MAP_POPULATE, fd, offset);

	return memory == MAP_FAILED ? NULL : memory;
}

static int ring_map(struct ring *ring, const struct io_uring_params *params)
{
	size_t completion = 2 * sizeof(struct io_uring_cqe);

	ring->memory_size = params->cq_off.cqes +
			    params->cq_entries * completion;
	ring->memory = map_memory(ring->fd, ring->memory_size,
				  IORING_OFF_SQ_RING);
	if (!ring->memory)
		return -errno;
	ring->sqes_size = params->sq_entries * sizeof(struct io_uring_sqe);
	ring->sqes = map_memory(ring->fd, ring->sqes_size, IORING_OFF_SQES);
	return ring->sqes ? 0 : -errno;
}

static void ring_find_queues(struct ring *ring,
			     const struct io_uring_params *params)
{
	unsigned char *memory = ring->memory;

	ring->sq_tail = (unsigned int *)(memory + params->sq_off.tail);
	ring->sq_mask = *(unsigned int *)(memory + params->sq_off.ring_mask);
	ring->cq_head = (unsigned int *)(memory + params->cq_off.head);
	ring->cq_tail = (unsigned int *)(memory + params->cq_off.tail);
	ring->cq_mask = *(unsigned int *)(memory + params->cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(memory + params->cq_off.cqes);
}

static int ring_register_itself(struct ring *ring)
{
	struct io_uring_rsrc_update update = {
		.offset = -1U,
		.data = (uint64_t)ring->fd,
	};
	int result = ring_register(ring, IORING_REGISTER_RING_FDS, &update, 1);

	if (result < 0)
		return result;
	ring->registered = (int)update.offset;
	return 0;
}

static int ring_open(struct ring *ring, unsigned int completions)
{
	struct io_uring_params params;
	int result = ring_setup(&params, completions);

	if (result < 0)
		return result;
	ring->fd = result;
	result = ring_map(ring, &params);
	if (result < 0)
		return result;
	ring_find_queues(ring, &params);
	return ring_register_itself(ring);
}

static void ring_close(struct ring *ring)
{
	struct io_uring_rsrc_update update = {
		.offset = (unsigned int)ring->registered,
	};

	/* The registration holds the ring, which would outlive us. */
	if (ring->registered >= 0)
		ring_register(ring, IORING_UNREGISTER_RING_FDS, &update, 1);
	if (ring->sqes)
		munmap(ring->sqes, ring->sqes_size);
	if (ring->memory)
		munmap(ring->memory, ring->memory_size);
	if (ring->fd >= 0)
		close(ring->fd);
}

static int ring_enter(struct ring *ring)
{
	struct __kernel_timespec limit = { .tv_sec = 1 };
	struct io_uring_getevents_arg argument = {
		.ts = (uint64_t)(uintptr_t)&limit,
	};
	long result = syscall(__NR_io_uring_enter, ring->registered,
			      ring->prepared, 1,
			      IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG |
			      IORING_ENTER_REGISTERED_RING,
			      &argument, sizeof(argument));

	if (result < 0)
		return errno == EINTR || errno == ETIME ? 0 : -errno;
	ring->prepared -= (unsigned int)result;
	return 0;
}

/* The refill ring. */

static int refill_flush(struct receiver *receiver)
{
	struct control_request control = {
		.zcrx_id = receiver->id,
		.op = CTRL_FLUSH_RQ,
	};

	receiver->stream.system_calls++;
	return ring_register(&receiver->ring, REGISTER_ZCRX_CTRL, &control, 0);
}

static void refill_publish(struct refill *refill)
{
	__atomic_store_n(refill->tail, refill->next, __ATOMIC_RELEASE);
}

static void refill_look(struct refill *refill)
{
	refill->limit = __atomic_load_n(refill->head, __ATOMIC_ACQUIRE) +
			refill->count;
}

static int refill_make_room(struct receiver *receiver)
{
	struct refill *refill = &receiver->refill;
	int result;

	refill_look(refill);
	if (refill->next != refill->limit)
		return 0;
	refill_publish(refill);
	result = refill_flush(receiver);
	if (result < 0)
		return result;
	refill_look(refill);
	return refill->next == refill->limit ? -EBUSY : 0;
}

static int refill_return(struct receiver *receiver, uint64_t off, uint32_t len)
{
	struct refill *refill = &receiver->refill;
	struct refill_entry *entry;

	if (refill->next == refill->limit) {
		int result = refill_make_room(receiver);

		if (result < 0)
			return result;
	}
	entry = &refill->entries[refill->next++ & (refill->count - 1)];
	entry->off = off;
	entry->len = len;
	entry->pad = 0;
	return 0;
}

static int receiver_publish(struct receiver *receiver)
{
	unsigned int before = *receiver->refill.tail;

	refill_publish(&receiver->refill);
	/* Without a device nobody looks at the refill ring by himself. */
	if (receiver->device || before == receiver->refill.next)
		return 0;
	return refill_flush(receiver);
}

/* Registering. */

static int receiver_map(struct receiver *receiver, const struct order *order)
{
	struct refill *refill = &receiver->refill;
	size_t entries;

	receiver->stream.doing = "mmap";
	receiver->area_size = order->area;
	receiver->area = map_memory(-1, receiver->area_size, 0);
	if (!receiver->area)
		return -errno;
	/* A page for head and tail, the entries, a page for the statistics. */
	entries = order->refill * sizeof(struct refill_entry);
	entries = (entries + PAGE - 1) / PAGE * PAGE;
	refill->memory_size = entries + 2 * PAGE;
	refill->memory = map_memory(-1, refill->memory_size, 0);
	return refill->memory ? 0 : -errno;
}

static int refill_find(struct refill *refill, const struct queue_request *ifq,
		       uint64_t stats_offset)
{
	const struct refill_offsets *offsets = &ifq->offsets;

	if (offsets->rqes > PAGE ||
	    (ifq->rq_entries & (ifq->rq_entries - 1)) != 0)
		return -EBADMSG;
	refill->head = (unsigned int *)(refill->memory + offsets->head);
	refill->tail = (unsigned int *)(refill->memory + offsets->tail);
	refill->entries = (void *)(refill->memory + offsets->rqes);
	refill->stats = (const void *)(refill->memory + stats_offset);
	refill->count = ifq->rq_entries;
	refill->next = *refill->tail;
	refill_look(refill);
	return 0;
}

/* A ring that was closed lets go of its queue a moment later. */
static int queue_register(const struct ring *ring, struct queue_request *ifq)
{
	const struct timespec moment = { .tv_nsec = TAKEN_NANOSECONDS };
	int result = -EEXIST;

	for (int i = 0; result == -EEXIST && i < TAKEN_TRIES; i++) {
		if (i > 0)
			nanosleep(&moment, NULL);
		result = ring_register(ring, REGISTER_ZCRX_IFQ, ifq, 1);
	}
	return result;
}

static int receiver_register(struct receiver *receiver,
			     const struct order *order)
{
	struct refill *refill = &receiver->refill;
	struct region_request region = {
		.user_addr = (uint64_t)(uintptr_t)refill->memory,
		.size = refill->memory_size,
		.flags = REGION_TYPE_USER,
	};
	struct area_request area = {
		.addr = (uint64_t)(uintptr_t)receiver->area,
		.len = receiver->area_size,
	};
	struct event_request event = {
		.flags = EVENT_DESC_FLAG_STATS,
		.stats_offset = refill->memory_size - PAGE,
	};
	struct queue_request ifq = {
		.rq_entries = order->refill,
		.flags = order->interface ? 0 : REG_NODEV,
		.if_rxq = order->queue,
		.area_ptr = (uint64_t)(uintptr_t)&area,
		.region_ptr = (uint64_t)(uintptr_t)&region,
		.event_desc = (uint64_t)(uintptr_t)&event,
	};
	int result;

	receiver->stream.doing = "the interface";
	if (order->interface) {
		ifq.if_idx = if_nametoindex(order->interface);
		if (ifq.if_idx == 0)
			return -errno;
	}
	receiver->stream.doing = "IORING_REGISTER_ZCRX_IFQ";
	result = queue_register(&receiver->ring, &ifq);
	if (result < 0)
		return result;
	receiver->id = ifq.zcrx_id;
	return refill_find(refill, &ifq, event.stats_offset);
}

/* The loop of zcrx. */

static void receiver_arm(struct receiver *receiver)
{
	struct ring *ring = &receiver->ring;
	unsigned int tail = *ring->sq_tail;
	struct io_uring_sqe *sqe = &ring->sqes[tail & ring->sq_mask];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = OP_RECV_ZC;
	sqe->ioprio = IORING_RECV_MULTISHOT;
	sqe->fd = receiver->stream.socket;
	sqe->file_index = receiver->id;	/* where zcrx_ifq_idx is */
	sqe->user_data = USER_DATA;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	ring->prepared++;
	receiver->armed = true;
	receiver->stream.armed++;
}

static int receiver_take(struct receiver *receiver, uint64_t off,
			 uint32_t length)
{
	uint64_t place = off & AREA_OFFSET_MASK;
	int result;

	if (place + length > receiver->area_size)
		return -ERANGE;
	result = stream_take(&receiver->stream, receiver->area + place, length);
	if (result < 0)
		return result;
	return refill_return(receiver, off, length);
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
	return result < 0 ? result : receiver_publish(receiver);
}

static int receiver_turn(struct receiver *receiver)
{
	int result;

	if (!receiver->armed)
		receiver_arm(receiver);
	receiver->stream.system_calls++;
	result = ring_enter(&receiver->ring);
	return result < 0 ? result : receiver_consume(receiver);
}

static int receiver_stream(struct receiver *receiver)
{
	struct stream *stream = &receiver->stream;
	unsigned int idle = 0;
	int result = 0;

	stream->doing = "RECV_ZC";
	stream_start(stream);
	while (result >= 0 && !receiver->ended && idle < SECONDS_MAX) {
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
	stream->copied = receiver->refill.stats->copy_bytes;
	return receiver->ended ? stream_end(stream) : -ETIME;
}

static int receiver_open(struct receiver *receiver, const struct order *order)
{
	int result = receiver_map(receiver, order);

	if (result < 0)
		return result;
	receiver->device = order->interface;
	receiver->stream.doing = "ring set-up";
	result = ring_open(&receiver->ring, order->completions);
	if (result < 0)
		return result;
	return receiver_register(receiver, order);
}

static void receiver_close(struct receiver *receiver)
{
	stream_close(&receiver->stream);
	ring_close(&receiver->ring);
	if (receiver->refill.memory)
		munmap(receiver->refill.memory, receiver->refill.memory_size);
	if (receiver->area)
		munmap(receiver->area, receiver->area_size);
}

static void run_zcrx(const struct order *order)
{
	struct receiver receiver = {
		.stream = { .listener = -1, .socket = -1 },
		.ring = { .fd = -1, .registered = -1 },
	};
	int result = receiver_open(&receiver, order);

	if (result >= 0)
		result = stream_listen(&receiver.stream, order);
	if (result >= 0)
		result = stream_accept(&receiver.stream);
	if (result >= 0)
		result = receiver_stream(&receiver);
	if (result >= 0)
		stream_answer(&receiver.stream);
	else
		answer_error(receiver.stream.doing, result);
	receiver_close(&receiver);
}

/* send */

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
		pattern->words[i] = word += MULTIPLIER;
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

static int send_stream(int fd, const struct order *order,
		       const struct pattern *pattern)
{
	const struct sockaddr *address = (const void *)&order->address;
	int result;

	if (connect(fd, address, order->address_length))
		return -errno;
	result = send_all(fd, pattern->words, order->bytes);
	return result < 0 ? result : send_end(fd);
}

static int send_measure(const struct order *order,
			const struct pattern *pattern)
{
	double cpu = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
	int fd = socket_open(order);
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

static void run_send(const struct order *order)
{
	static struct pattern pattern;
	int result = pattern_make(&pattern, order->bytes);

	if (result >= 0)
		result = send_measure(order, &pattern);
	if (result < 0)
		answer_error("send", result);
}

/* The command lines. */

static bool parse_number(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *number <= max;
}

static bool parse_small(const char *text, unsigned int least, unsigned int max,
			unsigned int *number)
{
	uint64_t value;

	if (!parse_number(text, max, &value) || value < least)
		return false;
	*number = (unsigned int)value;
	return true;
}

static bool parse_address(const char *text, unsigned int port,
			  struct order *order)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&order->address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&order->address;

	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)port);
		order->address_length = sizeof(*four);
		return true;
	}
	if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)port);
		order->address_length = sizeof(*six);
		return true;
	}
	return false;
}

/* The words that all commands have: CPU ADDRESS PORT BYTES. */
static const char *parse_common(struct order *order, char **words)
{
	unsigned int port;

	if (!parse_small(words[0], 0, CPU_SETSIZE - 1, &order->cpu))
		return "CPU is the number of a processor";
	if (!parse_small(words[2], 0, UINT16_MAX, &port))
		return "PORT is a number from 0 to 65535";
	if (!parse_address(words[1], port, order))
		return "ADDRESS is a numeric IPv4 or IPv6 address";
	if (!parse_number(words[3], 1ULL << 32, &order->bytes) ||
	    order->bytes == 0)
		return "BYTES is a number from 1 to 4294967296";
	return NULL;
}

static const char *parse_recv(struct order *order, char **words)
{
	if (!parse_number(words[4], 1ULL << 30, &order->length) ||
	    order->length == 0)
		return "LENGTH is a number from 1 to 1073741824";
	return NULL;
}

/* INTERFACE QUEUE AREA REFILL COMPLETIONS */
static const char *parse_zcrx(struct order *order, char **words)
{
	order->interface = strcmp(words[4], "-") == 0 ? NULL : words[4];
	if (!parse_small(words[5], 0, UINT16_MAX, &order->queue))
		return "QUEUE is a number from 0 to 65535";
	if (!parse_number(words[6], 1ULL << 40, &order->area) ||
	    order->area == 0 || order->area % PAGE != 0)
		return "AREA is a number of bytes that fill pages";
	if (!parse_small(words[7], 1, 32768, &order->refill))
		return "REFILL is a number from 1 to 32768";
	if (!parse_small(words[8], RING_ENTRIES, 65536, &order->completions))
		return "COMPLETIONS is a number from 8 to 65536";
	return NULL;
}

struct command {
	const char *name;
	int words;
	const char *(*parse)(struct order *order, char **words);
	void (*run)(const struct order *order);
};

static const struct command commands[] = {
	{ .name = "send", .words = 5, .run = run_send },
	{ .name = "recv", .words = 6, .run = run_recv, .parse = parse_recv },
	{ .name = "zcrx", .words = 10, .run = run_zcrx, .parse = parse_zcrx },
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static int pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : 0;
}

static const char *run_words(const struct command *command, char **words)
{
	struct order order = { .cpu = 0 };
	const char *problem = parse_common(&order, words);
	int result;

	if (!problem && command->parse)
		problem = command->parse(&order, words);
	if (problem)
		return problem;
	result = pin(order.cpu);
	if (result < 0)
		answer_error("sched_setaffinity", result);
	else
		command->run(&order);
	return NULL;
}

static int split(char *line, char **words, int capacity)
{
	char *rest = NULL;
	int count = 0;

	for (char *word = strtok_r(line, " \n", &rest);
	     word && count < capacity; word = strtok_r(NULL, " \n", &rest))
		words[count++] = word;
	return count;
}

static void run_command(char *line)
{
	const struct command *command;
	const char *problem;
	char *words[WORDS_MAX];
	int count = split(line, words, WORDS_MAX);

	command = count > 0 ? find_command(words[0]) : NULL;
	if (!command)
		problem = "the commands are send, recv and zcrx";
	else if (count != command->words)
		problem = "this command takes another number of words";
	else
		problem = run_words(command, words + 1);
	if (problem)
		printf("{\"error\":\"%s\"}\n", problem);
}

static int enter_namespace(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int result;

	if (fd < 0)
		return -errno;
	result = setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
	close(fd);
	return result;
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t capacity = 0;
	int result = argc == 2 ? enter_namespace(argv[1]) : 0;

	if (argc > 2) {
		fputs("usage: receive [NETWORK_NAMESPACE]\n", stderr);
		return 2;
	}
	if (result < 0) {
		fprintf(stderr, "receive: namespace: %s\n",
			strerror(-result));
		return 1;
	}
	while (getline(&line, &capacity, stdin) >= 0) {
		run_command(line);
		if (fflush(stdout) != 0)
			break;
	}
	result = ferror(stdin) || ferror(stdout);
	free(line);
	return result;
}
