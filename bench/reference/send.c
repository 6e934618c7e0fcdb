// SPDX-License-Identifier: MIT
/*
 * send MODE PAYLOAD BATCH SECONDS ADDRESS PORT BUFFERS: UDP datagrams, in one
 * of several ways.  BUFFERS is "many" or "one" (trial.h).
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "clock.h"
#include "command.h"
#include "trial.h"
#include "words.h"

/* Names that the kernel headers of Debian 12 (6.1) may be too old for. */
#ifndef IORING_SEND_ZC_REPORT_USAGE
#define IORING_SEND_ZC_REPORT_USAGE	(1U << 3)	/* Linux 6.2 */
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT			103		/* Linux 4.18 */
#endif
#ifndef SOL_UDP
#define SOL_UDP				17
#endif

#define CHUNK_ALIGNMENT		4096
#define PAYLOAD_MAX		65507U	/* of UDP over IPv4 */
#define GSO_SEGMENTS_MAX	64U
#define GSO_BYTES_MAX		65000U

static const struct mode modes[] = {
	{ .name = "non-zc" },
	{ .name = "zc", .zerocopy = true },
	{ .name = "zc+flush", .zerocopy = true, .flush = true },
	{ .name = "zc-fixed", .zerocopy = true, .fixed = true },
	{ .name = "zc-fixed+flush", .zerocopy = true, .fixed = true,
	  .flush = true },
	{ .name = "msg-zerocopy", .msg_zerocopy = true },
	{ .name = "gso", .gso = true },
	{ .name = "gso+zc-fixed", .zerocopy = true, .fixed = true,
	  .gso = true },
};

/* What the command says. */
struct order {
	const struct mode *mode;
	unsigned int payload;
	unsigned int batch;
	double seconds;
	struct endpoint endpoint;
	bool one_buffer;
};

static int trial_set_option(struct trial *trial, int level, int name, int value)
{
	if (setsockopt(trial->socket, level, name, &value, sizeof(value)) < 0)
		return -errno;
	return 0;
}

static int trial_open_socket(struct trial *trial,
			     const struct endpoint *endpoint)
{
	const struct sockaddr *address = (const void *)&endpoint->address;
	int result = 0;

	trial->doing = "socket";
	trial->socket = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC,
			       0);
	if (trial->socket < 0)
		return -errno;
	if (trial->mode->msg_zerocopy) {
		trial->doing = "SO_ZEROCOPY";
		result = trial_set_option(trial, SOL_SOCKET, SO_ZEROCOPY, 1);
	} else if (trial->mode->gso) {
		trial->doing = "UDP_SEGMENT";
		result = trial_set_option(trial, SOL_UDP, UDP_SEGMENT,
					  (int)trial->payload);
	}
	if (result < 0)
		return result;
	trial->doing = "connect";
	return connect(trial->socket, address, endpoint->length) ? -errno : 0;
}

static int trial_map_memory(struct trial *trial)
{
	size_t alignment = CHUNK_ALIGNMENT;
	void *memory;

	trial->doing = "mmap";
	trial->stride = (trial->length + alignment - 1) / alignment * alignment;
	trial->memory_size = trial->chunks * trial->stride;
	memory = mmap(NULL, trial->memory_size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	trial->memory = memory;
	/* Otherwise every chunk would be the one page of zeros. */
	memset(memory, 'z', trial->memory_size);
	return 0;
}

static int trial_register(struct trial *trial)
{
	struct iovec buffer = {
		.iov_base = trial->memory,
		.iov_len = trial->memory_size,
	};
	int result;

	trial->doing = "IORING_REGISTER_FILES";
	result = ring_register(&trial->ring, IORING_REGISTER_FILES,
			       &trial->socket, 1);
	if (result < 0 || !trial->mode->fixed)
		return result;
	trial->doing = "IORING_REGISTER_BUFFERS";
	return ring_register(&trial->ring, IORING_REGISTER_BUFFERS, &buffer, 1);
}

static void trial_describe_request(struct trial *trial)
{
	struct io_uring_sqe *request = &trial->request;

	request->opcode = IORING_OP_SEND;
	request->flags = IOSQE_FIXED_FILE;
	request->fd = 0;
	request->len = trial->length;
	if (trial->mode->zerocopy) {
		request->opcode = IORING_OP_SEND_ZC;
		request->ioprio = IORING_SEND_ZC_REPORT_USAGE;
	}
	if (trial->mode->fixed) {
		request->ioprio |= IORING_RECVSEND_FIXED_BUF;
		request->buf_index = 0;
	}
}

static int trial_open(struct trial *trial, const struct endpoint *endpoint)
{
	int result = trial_open_socket(trial, endpoint);

	if (result >= 0)
		result = trial_map_memory(trial);
	if (result < 0 || trial->mode->msg_zerocopy)
		return result;
	trial_describe_request(trial);
	result = trial_open_ring(trial);
	return result < 0 ? result : trial_register(trial);
}

static void send_answer(const struct trial *trial, double seconds, double cpu)
{
	double sent = (double)trial->completed;

	printf("{\"requestsPerSecond\":%.1f,\"datagramsPerSecond\":%.1f,"
	       "\"seconds\":%.6f,\"sent\":%llu,\"notified\":%llu,"
	       "\"copied\":%llu,\"systemCalls\":%llu,"
	       "\"cpuSecondsPerRequest\":%.4e,\"flags\":%u}\n",
	       sent / seconds, sent * trial->segments / seconds, seconds,
	       (unsigned long long)trial->completed,
	       (unsigned long long)trial->notified,
	       (unsigned long long)trial->copied,
	       (unsigned long long)trial->system_calls,
	       cpu / sent, trial->ring.flags);
}

static int send_measure(struct trial *trial, double limit)
{
	double cpu = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
	double start = clock_seconds(CLOCK_MONOTONIC);
	int result;

	trial->doing = trial->mode->name;
	do {
		result = trial_batch(trial);
		if (result < 0)
			return result;
	} while (clock_seconds(CLOCK_MONOTONIC) - start < limit);
	result = trial_settle(trial);
	if (result < 0)
		return result;
	send_answer(trial, clock_seconds(CLOCK_MONOTONIC) - start,
		    clock_seconds(CLOCK_THREAD_CPUTIME_ID) - cpu);
	return 0;
}

static unsigned int mode_segments(const struct mode *mode, unsigned int payload)
{
	unsigned int segments = GSO_BYTES_MAX / payload;

	if (!mode->gso || segments == 0)
		return 1;
	return segments < GSO_SEGMENTS_MAX ? segments : GSO_SEGMENTS_MAX;
}

static void send_run(const struct order *order)
{
	struct trial trial;
	int result;

	trial_init(&trial, order->mode, order->batch);
	if (order->one_buffer)
		trial.chunks = 1;
	trial.payload = order->payload;
	trial.segments = mode_segments(order->mode, order->payload);
	trial.length = order->payload * trial.segments;
	result = trial_open(&trial, &order->endpoint);
	if (result >= 0)
		result = trial_warm_up(&trial);
	if (result >= 0)
		result = send_measure(&trial, order->seconds);
	if (result < 0)
		answer_error(trial.doing, result);
	trial_close(&trial);
}

static const struct mode *find_mode(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	}
	return NULL;
}

static bool parse_buffers(const char *text, bool *one)
{
	*one = strcmp(text, "one") == 0;
	return *one || strcmp(text, "many") == 0;
}

const char *send_command(char **words)
{
	struct order order;
	const char *problem;

	order.mode = find_mode(words[1]);
	if (!order.mode)
		return "MODE is not known";
	if (!parse_small(words[2], 1, PAYLOAD_MAX, &order.payload))
		return "PAYLOAD is a number from 1 to 65507";
	if (!parse_small(words[3], 1, TRIAL_BATCH_MAX, &order.batch))
		return "BATCH is a number from 1 to 256";
	if (!parse_seconds(words[4], &order.seconds))
		return "SECONDS is more than 0 and at most 3600";
	problem = parse_endpoint(words + 5, false, &order.endpoint);
	if (problem)
		return problem;
	if (!parse_buffers(words[7], &order.one_buffer))
		return "BUFFERS is one or many";
	send_run(&order);
	return NULL;
}
