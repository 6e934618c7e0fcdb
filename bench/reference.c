// SPDX-License-Identifier: MIT
/*
 * reference - the C program that zclab's bench compares itself with.
 *
 *	reference [NETWORK_NAMESPACE [USER_NAMESPACE]]
 *
 * It enters the namespaces that it is given (paths such as /proc/PID/fd/N),
 * reads one command per line from standard input, and answers each with one
 * line of JSON, so that a driver can run its rounds and ours in turns:
 *
 *	pin CPU
 *	nop BATCH OPERATIONS
 *	send MODE PAYLOAD BATCH SECONDS ADDRESS PORT BUFFERS
 *
 * "pin" keeps the program on one processor from then on.  BUFFERS is "many" or
 * "one".  A command that fails is answered with {"error": TEXT}; the next one may
 * follow.  The end of the input ends the program.
 *
 * The last two run the loop below; whoever compares must run the same one.
 * Everything that is not between "start" and "stop" is not timed.
 *
 *	ring		256 entries, completion queue of 512; SINGLE_ISSUER |
 *			DEFER_TASKRUN | NO_SQARRAY | TASKRUN_FLAG | SUBMIT_ALL;
 *			entered through its registered file descriptor
 *	socket		UDP, connected, registered as fixed file 0
 *	length		bytes of a request: PAYLOAD; with GSO (UDP_SEGMENT set
 *			to PAYLOAD) PAYLOAD * min(64, max(1, 65000 / PAYLOAD))
 *	memory		4 * BATCH chunks (BUFFERS "many"), or one that all
 *			requests send, as liburing's example program does
 *			("one"); each at a multiple of LENGTH rounded up to
 *			4096; written once; as one registered buffer (index 0)
 *			where the mode says fixed
 *	warm-up		4 batches, settle
 *	start
 *	do		batch
 *	while		the clock, read once per batch, is before start +
 *			SECONDS (nop: while operations are left)
 *	settle
 *	stop
 *
 *	batch:
 *	  1. if it is lazy and outstanding > 3 * BATCH:
 *	     wait(outstanding - 3 * BATCH) until that is no longer so.  With
 *	     the coming batch at most 4 * BATCH are out: one for each chunk.
 *	  2. prepare BATCH requests, each from the next chunk, round robin
 *	  3. enter(to_submit = BATCH, min_complete = BATCH, GETEVENTS), reap
 *	  4. while requests of this batch are not completed: wait(their number)
 *	  5. if it flushes: while outstanding > 0: wait(outstanding)
 *
 *	wait(n): enter(to_submit = 0, min_complete = n, GETEVENTS), reap
 *	reap:    consume all completions there are; while SQ flags have TASKRUN
 *	         or CQ_OVERFLOW: enter(0, 0, GETEVENTS), consume again
 *	settle:  while outstanding > 0: wait(outstanding)
 *
 * "outstanding" counts notifications: one more for each completion with
 * F_MORE, one less for each with F_NOTIF.  "Lazy" is every mode with
 * notifications that does not flush.
 *
 * Mode msg-zerocopy has no ring.  Its batch is lazy too, but step 2 and 3 are
 * one sendmmsg(2) with MSG_ZEROCOPY, then reap; and there
 *
 *	wait(n): poll(2) for POLLERR, reap
 *	reap:    recvmsg(2) from the error queue until it is empty
 *
 * A sendmmsg(2) that fails with ENOBUFS while notifications are outstanding waits
 * for one and is tried again.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Names that the kernel headers of Debian 12 (6.1) may be too old for. */
#ifndef IORING_SETUP_NO_SQARRAY
#define IORING_SETUP_NO_SQARRAY		(1U << 16)	/* Linux 6.6 */
#endif
#ifndef IORING_SEND_ZC_REPORT_USAGE
#define IORING_SEND_ZC_REPORT_USAGE	(1U << 3)	/* Linux 6.2 */
#endif
#ifndef IORING_NOTIF_USAGE_ZC_COPIED
#define IORING_NOTIF_USAGE_ZC_COPIED	(1U << 31)
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT			103		/* Linux 4.18 */
#endif
#ifndef SOL_UDP
#define SOL_UDP				17
#endif

#define RING_ENTRIES		256
#define WARM_UP_BATCHES		4
#define CHUNK_ALIGNMENT		4096
#define PAYLOAD_MAX		65507U	/* of UDP over IPv4 */
#define GSO_SEGMENTS_MAX	64U
#define GSO_BYTES_MAX		65000U
#define STALL_MILLISECONDS	5000
#define WORDS_MAX		10	/* of a command; one more than any has */

struct ring {
	int fd;
	int registered;
	unsigned int flags;
	unsigned int entries;

	unsigned char *memory;
	size_t memory_size;
	struct io_uring_sqe *sqes;
	size_t sqes_size;

	unsigned int *sq_head;
	unsigned int *sq_tail;
	unsigned int *sq_flags;
	unsigned int sq_mask;

	unsigned int *cq_head;
	unsigned int *cq_tail;
	unsigned int cq_mask;
	struct io_uring_cqe *cqes;
};

struct mode {
	const char *name;
	bool zerocopy;		/* SEND_ZC, not SEND */
	bool fixed;		/* from a registered buffer */
	bool flush;		/* no notification outlives its batch */
	bool gso;		/* a train of datagrams in each request */
	bool msg_zerocopy;	/* sendmmsg(2), no ring */
};

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

/* One command: what it uses, where it stands, what it has counted. */
struct trial {
	const struct mode *mode;
	struct ring ring;
	int socket;
	const char *doing;	/* names the step that an error belongs to */

	struct io_uring_sqe request;	/* what all requests have in common */
	unsigned int batch;
	unsigned int payload;
	unsigned int segments;
	unsigned int length;

	unsigned char *memory;
	size_t memory_size;
	size_t stride;
	unsigned int chunks;
	unsigned int chunk;		/* the next */

	unsigned int pending;		/* requests not completed */
	unsigned int outstanding;	/* notifications not received */

	uint64_t completed;
	uint64_t notified;
	uint64_t copied;
	uint64_t system_calls;
};

static double clock_seconds(clockid_t clock)
{
	struct timespec now;

	/* Cannot fail for the two clocks that are read here. */
	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The ring. */

static int ring_setup(struct io_uring_params *params)
{
	long fd;

	memset(params, 0, sizeof(*params));
	params->flags = IORING_SETUP_SINGLE_ISSUER |
			IORING_SETUP_DEFER_TASKRUN |
			IORING_SETUP_NO_SQARRAY |
			IORING_SETUP_TASKRUN_FLAG |
			IORING_SETUP_SUBMIT_ALL;
	fd = syscall(__NR_io_uring_setup, RING_ENTRIES, params);
	if (fd < 0 && errno == EINVAL) {
		/* Linux 6.1 to 6.5: all but NO_SQARRAY. */
		unsigned int flags = params->flags & ~IORING_SETUP_NO_SQARRAY;

		memset(params, 0, sizeof(*params));
		params->flags = flags;
		fd = syscall(__NR_io_uring_setup, RING_ENTRIES, params);
	}
	return fd < 0 ? -errno : (int)fd;
}

static int ring_register(struct ring *ring, unsigned int opcode,
			 const void *argument, unsigned int count)
{
	long result = syscall(__NR_io_uring_register, ring->fd, opcode,
			      argument, count);

	return result < 0 ? -errno : (int)result;
}

static void *ring_map_region(int fd, size_t size, off_t offset)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, fd, offset);
}

static void ring_find_queues(struct ring *ring,
			     const struct io_uring_params *params)
{
	unsigned char *memory = ring->memory;

	ring->sq_head = (unsigned int *)(memory + params->sq_off.head);
	ring->sq_tail = (unsigned int *)(memory + params->sq_off.tail);
	ring->sq_flags = (unsigned int *)(memory + params->sq_off.flags);
	ring->sq_mask = *(unsigned int *)(memory + params->sq_off.ring_mask);
	ring->cq_head = (unsigned int *)(memory + params->cq_off.head);
	ring->cq_tail = (unsigned int *)(memory + params->cq_off.tail);
	ring->cq_mask = *(unsigned int *)(memory + params->cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(memory + params->cq_off.cqes);
}

static void ring_fill_array(struct ring *ring,
			    const struct io_uring_params *params)
{
	unsigned int *array;

	if (params->flags & IORING_SETUP_NO_SQARRAY)
		return;
	array = (unsigned int *)(ring->memory + params->sq_off.array);
	for (unsigned int i = 0; i < params->sq_entries; i++)
		array[i] = i;
}

static int ring_map(struct ring *ring, const struct io_uring_params *params)
{
	size_t queues = params->cq_off.cqes +
			params->cq_entries * sizeof(struct io_uring_cqe);
	size_t array = params->sq_off.array +
		       params->sq_entries * sizeof(unsigned int);
	size_t sqes = params->sq_entries * sizeof(struct io_uring_sqe);
	void *memory;

	memory = ring_map_region(ring->fd, queues > array ? queues : array,
				 IORING_OFF_SQ_RING);
	if (memory == MAP_FAILED)
		return -errno;
	ring->memory = memory;
	ring->memory_size = queues > array ? queues : array;

	memory = ring_map_region(ring->fd, sqes, IORING_OFF_SQES);
	if (memory == MAP_FAILED)
		return -errno;
	ring->sqes = memory;
	ring->sqes_size = sqes;

	ring_find_queues(ring, params);
	ring_fill_array(ring, params);
	return 0;
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

static int ring_open(struct ring *ring)
{
	struct io_uring_params params;
	int result;

	result = ring_setup(&params);
	if (result < 0)
		return result;
	ring->fd = result;
	ring->flags = params.flags;
	ring->entries = params.sq_entries;
	result = ring_map(ring, &params);
	if (result < 0)
		return result;
	return ring_register_itself(ring);
}

static void ring_close(struct ring *ring)
{
	struct io_uring_rsrc_update update = {
		.offset = (unsigned int)ring->registered,
	};

	/* The registration holds the ring: without this, it would outlive us. */
	if (ring->registered >= 0)
		ring_register(ring, IORING_UNREGISTER_RING_FDS, &update, 1);
	if (ring->sqes)
		munmap(ring->sqes, ring->sqes_size);
	if (ring->memory)
		munmap(ring->memory, ring->memory_size);
	if (ring->fd >= 0)
		close(ring->fd);
}

static int ring_enter(const struct ring *ring, unsigned int to_submit,
		      unsigned int min_complete)
{
	long result = syscall(__NR_io_uring_enter, ring->registered, to_submit,
			      min_complete,
			      IORING_ENTER_GETEVENTS |
			      IORING_ENTER_REGISTERED_RING, NULL, 0);

	return result < 0 ? -errno : (int)result;
}

/* The loop over the ring. */

static int trial_prepare(struct trial *trial)
{
	struct ring *ring = &trial->ring;
	unsigned int head = __atomic_load_n(ring->sq_head, __ATOMIC_ACQUIRE);
	unsigned int tail = *ring->sq_tail;
	unsigned int chunk = trial->chunk;
	uint64_t memory = (uint64_t)(uintptr_t)trial->memory;

	for (unsigned int i = 0; i < trial->batch; i++, tail++) {
		struct io_uring_sqe *sqe = &ring->sqes[tail & ring->sq_mask];

		if (tail - head >= ring->entries)
			return -EBUSY;
		*sqe = trial->request;
		sqe->addr = memory + chunk * trial->stride;
		sqe->user_data = chunk;
		if (++chunk == trial->chunks)
			chunk = 0;
	}
	__atomic_store_n(ring->sq_tail, tail, __ATOMIC_RELEASE);
	trial->chunk = chunk;
	trial->pending += trial->batch;
	return 0;
}

static int trial_count(struct trial *trial, const struct io_uring_cqe *cqe)
{
	if (cqe->user_data >= trial->chunks)
		return -EBADMSG;
	if (cqe->flags & IORING_CQE_F_NOTIF) {
		trial->outstanding--;
		trial->notified++;
		if ((unsigned int)cqe->res & IORING_NOTIF_USAGE_ZC_COPIED)
			trial->copied++;
		return 0;
	}
	trial->pending--;
	trial->completed++;
	if (cqe->flags & IORING_CQE_F_MORE)
		trial->outstanding++;
	if (cqe->res < 0)
		return cqe->res;
	return (unsigned int)cqe->res == trial->length ? 0 : -EMSGSIZE;
}

static int trial_consume(struct trial *trial)
{
	struct ring *ring = &trial->ring;
	unsigned int head = *ring->cq_head;
	unsigned int tail = __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE);
	int failure = 0;

	for (; head != tail; head++) {
		int result = trial_count(trial,
					 &ring->cqes[head & ring->cq_mask]);

		if (result < 0 && failure == 0)
			failure = result;
	}
	__atomic_store_n(ring->cq_head, head, __ATOMIC_RELEASE);
	return failure;
}

static bool trial_has_deferred(const struct trial *trial)
{
	unsigned int flags = __atomic_load_n(trial->ring.sq_flags,
					     __ATOMIC_RELAXED);

	return flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

static int trial_enter(struct trial *trial, unsigned int to_submit,
		       unsigned int min_complete)
{
	int result;

	do {
		result = ring_enter(&trial->ring, to_submit, min_complete);
		trial->system_calls++;
	} while (result == -EINTR);
	return result;
}

static int trial_reap(struct trial *trial)
{
	int result = trial_consume(trial);

	while (result >= 0 && trial_has_deferred(trial)) {
		result = trial_enter(trial, 0, 0);
		if (result >= 0)
			result = trial_consume(trial);
	}
	return result;
}

static int trial_wait(struct trial *trial, unsigned int completions)
{
	int result = trial_enter(trial, 0, completions);

	return result < 0 ? result : trial_reap(trial);
}

static int trial_submit(struct trial *trial)
{
	unsigned int left = trial->batch;

	/* Once in all but theory: SUBMIT_ALL goes on after a bad request. */
	while (left > 0) {
		int result = trial_enter(trial, left, trial->batch);

		if (result <= 0)
			return result < 0 ? result : -EIO;
		left -= (unsigned int)result;
	}
	return trial_reap(trial);
}

static int trial_wait_for_requests(struct trial *trial)
{
	int result = 0;

	while (result >= 0 && trial->pending > 0)
		result = trial_wait(trial, trial->pending);
	return result;
}

/* Waits until at most @limit notifications are outstanding. */
static int trial_wait_for_notifications(struct trial *trial, unsigned int limit)
{
	int result = 0;

	while (result >= 0 && trial->outstanding > limit)
		result = trial_wait(trial, trial->outstanding - limit);
	return result;
}

static int ring_batch(struct trial *trial)
{
	int result = 0;

	if (!trial->mode->flush)
		result = trial_wait_for_notifications(trial, 3 * trial->batch);
	if (result >= 0)
		result = trial_prepare(trial);
	if (result >= 0)
		result = trial_submit(trial);
	if (result >= 0)
		result = trial_wait_for_requests(trial);
	if (result >= 0 && trial->mode->flush)
		result = trial_wait_for_notifications(trial, 0);
	return result;
}

/* The loop over sendmmsg(2) with MSG_ZEROCOPY. */

static const struct sock_extended_err *find_error(struct msghdr *message)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(message);

	if (!control)
		return NULL;
	if (control->cmsg_level == SOL_IP && control->cmsg_type == IP_RECVERR)
		return (const void *)CMSG_DATA(control);
	if (control->cmsg_level == SOL_IPV6 &&
	    control->cmsg_type == IPV6_RECVERR)
		return (const void *)CMSG_DATA(control);
	return NULL;
}

/* Returns 1 for a range of notifications, 0 for an empty queue. */
static int error_queue_read(struct trial *trial)
{
	char control[256];
	struct msghdr message = {
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	const struct sock_extended_err *error;
	uint32_t count;

	trial->system_calls++;
	if (recvmsg(trial->socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return errno == EAGAIN ? 0 : -errno;
	error = find_error(&message);
	if (!error || error->ee_origin != SO_EE_ORIGIN_ZEROCOPY ||
	    error->ee_errno != 0)
		return -EBADMSG;
	/* Both ends belong to the range, and the counter wraps at 2^32. */
	count = error->ee_data - error->ee_info + 1;
	trial->outstanding -= count;
	trial->notified += count;
	if (error->ee_code & SO_EE_CODE_ZEROCOPY_COPIED)
		trial->copied += count;
	return 1;
}

static int error_queue_reap(struct trial *trial)
{
	int result;

	do
		result = error_queue_read(trial);
	while (result > 0);
	return result;
}

static int error_queue_wait(struct trial *trial, unsigned int limit)
{
	while (trial->outstanding > limit) {
		struct pollfd poller = { .fd = trial->socket };
		int result = poll(&poller, 1, STALL_MILLISECONDS);

		trial->system_calls++;
		if (result < 0 && errno != EINTR)
			return -errno;
		if (result == 0)
			return -ETIME;
		result = error_queue_reap(trial);
		if (result < 0)
			return result;
	}
	return 0;
}

/* Sends what is left of a batch with one sendmmsg(2); returns how many. */
static int message_send(struct trial *trial, unsigned int left)
{
	struct mmsghdr messages[RING_ENTRIES];
	struct iovec vectors[RING_ENTRIES];
	unsigned int chunk = trial->chunk;
	int sent;

	memset(messages, 0, left * sizeof(*messages));
	for (unsigned int i = 0; i < left; i++) {
		vectors[i].iov_base = trial->memory + chunk * trial->stride;
		vectors[i].iov_len = trial->length;
		messages[i].msg_hdr.msg_iov = &vectors[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		if (++chunk == trial->chunks)
			chunk = 0;
	}
	sent = sendmmsg(trial->socket, messages, left, MSG_ZEROCOPY);
	trial->system_calls++;
	if (sent < 0)
		return -errno;
	for (int i = 0; i < sent; i++)
		if (messages[i].msg_len != trial->length)
			return -EMSGSIZE;
	trial->outstanding += (unsigned int)sent;
	trial->completed += (unsigned int)sent;
	trial->chunk = (trial->chunk + (unsigned int)sent) % trial->chunks;
	return sent;
}

static int message_batch(struct trial *trial)
{
	int result = error_queue_wait(trial, 3 * trial->batch);
	unsigned int left = trial->batch;

	while (result >= 0 && left > 0) {
		result = message_send(trial, left);
		if (result >= 0)
			left -= (unsigned int)result;
		else if (result == -ENOBUFS && trial->outstanding > 0)
			result = error_queue_wait(trial,
						  trial->outstanding - 1);
	}
	if (result >= 0)
		result = error_queue_reap(trial);
	return result;
}

/* Either loop. */

static int trial_batch(struct trial *trial)
{
	if (trial->mode->msg_zerocopy)
		return message_batch(trial);
	return ring_batch(trial);
}

static int trial_settle(struct trial *trial)
{
	if (trial->mode->msg_zerocopy)
		return error_queue_wait(trial, 0);
	return trial_wait_for_notifications(trial, 0);
}

static int trial_warm_up(struct trial *trial)
{
	int result = 0;

	trial->doing = "warm-up";
	for (int i = 0; result >= 0 && i < WARM_UP_BATCHES; i++)
		result = trial_batch(trial);
	if (result >= 0)
		result = trial_settle(trial);
	trial->completed = 0;
	trial->notified = 0;
	trial->copied = 0;
	trial->system_calls = 0;
	return result;
}

/* What a trial needs. */

static void trial_init(struct trial *trial, const struct mode *mode,
		       unsigned int batch)
{
	memset(trial, 0, sizeof(*trial));
	trial->mode = mode;
	trial->batch = batch;
	trial->chunks = 4 * batch;
	trial->socket = -1;
	trial->ring.fd = -1;
	trial->ring.registered = -1;
}

static void trial_close(struct trial *trial)
{
	ring_close(&trial->ring);
	if (trial->socket >= 0)
		close(trial->socket);
	if (trial->memory)
		munmap(trial->memory, trial->memory_size);
}

static int trial_set_option(struct trial *trial, int level, int name, int value)
{
	if (setsockopt(trial->socket, level, name, &value, sizeof(value)) < 0)
		return -errno;
	return 0;
}

static int trial_open_socket(struct trial *trial,
			     const struct sockaddr_storage *address,
			     socklen_t length)
{
	const struct mode *mode = trial->mode;
	int result = 0;

	trial->doing = "socket";
	trial->socket = socket(address->ss_family, SOCK_DGRAM | SOCK_CLOEXEC,
			       0);
	if (trial->socket < 0)
		return -errno;
	if (mode->msg_zerocopy) {
		trial->doing = "SO_ZEROCOPY";
		result = trial_set_option(trial, SOL_SOCKET, SO_ZEROCOPY, 1);
	} else if (mode->gso) {
		trial->doing = "UDP_SEGMENT";
		result = trial_set_option(trial, SOL_UDP, UDP_SEGMENT,
					  (int)trial->payload);
	}
	if (result < 0)
		return result;
	trial->doing = "connect";
	if (connect(trial->socket, (const struct sockaddr *)address, length))
		return -errno;
	return 0;
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

static int trial_open_ring(struct trial *trial)
{
	trial->doing = "ring set-up";
	return ring_open(&trial->ring);
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

static unsigned int mode_segments(const struct mode *mode, unsigned int payload)
{
	unsigned int segments = GSO_BYTES_MAX / payload;

	if (!mode->gso || segments == 0)
		return 1;
	return segments < GSO_SEGMENTS_MAX ? segments : GSO_SEGMENTS_MAX;
}

static int trial_open_send(struct trial *trial,
			   const struct sockaddr_storage *address,
			   socklen_t length)
{
	int result = trial_open_socket(trial, address, length);

	if (result >= 0)
		result = trial_map_memory(trial);
	if (result < 0 || trial->mode->msg_zerocopy)
		return result;
	result = trial_open_ring(trial);
	if (result >= 0)
		result = trial_register(trial);
	trial_describe_request(trial);
	return result;
}

/* The commands. */

static void answer_error(const char *doing, int error)
{
	printf("{\"error\":\"%s: %s\"}\n", doing, strerror(-error));
}

static int nop_measure(struct trial *trial, uint64_t operations)
{
	uint64_t batches = (operations + trial->batch - 1) / trial->batch;
	double start, seconds;
	int result = 0;

	trial->doing = "NOP";
	start = clock_seconds(CLOCK_MONOTONIC);
	for (uint64_t i = 0; result >= 0 && i < batches; i++)
		result = trial_batch(trial);
	seconds = clock_seconds(CLOCK_MONOTONIC) - start;
	if (result < 0)
		return result;
	printf("{\"nanoseconds\":%.3f,\"operations\":%llu,"
	       "\"systemCalls\":%llu,\"flags\":%u}\n",
	       seconds * 1e9 / (double)trial->completed,
	       (unsigned long long)trial->completed,
	       (unsigned long long)trial->system_calls, trial->ring.flags);
	return 0;
}

static void nop_run(unsigned int batch, uint64_t operations)
{
	static const struct mode plain = { .name = "nop" };
	struct trial trial;
	int result;

	trial_init(&trial, &plain, batch);
	trial.request.opcode = IORING_OP_NOP;
	result = trial_open_ring(&trial);
	if (result >= 0)
		result = trial_warm_up(&trial);
	if (result >= 0)
		result = nop_measure(&trial, operations);
	if (result < 0)
		answer_error(trial.doing, result);
	trial_close(&trial);
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

static void send_run(const struct mode *mode, unsigned int payload,
		     unsigned int batch, double seconds, bool one_buffer,
		     const struct sockaddr_storage *address, socklen_t length)
{
	struct trial trial;
	int result;

	trial_init(&trial, mode, batch);
	if (one_buffer)
		trial.chunks = 1;
	trial.payload = payload;
	trial.segments = mode_segments(mode, payload);
	trial.length = payload * trial.segments;
	result = trial_open_send(&trial, address, length);
	if (result >= 0)
		result = trial_warm_up(&trial);
	if (result >= 0)
		result = send_measure(&trial, seconds);
	if (result < 0)
		answer_error(trial.doing, result);
	trial_close(&trial);
}

/* The command lines. */

static const struct mode *find_mode(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	}
	return NULL;
}

/* A number from 0 on. */
static bool parse_index(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *number <= max;
}

/* A number from 1 on. */
static bool parse_number(const char *text, uint64_t max, uint64_t *number)
{
	return parse_index(text, max, number) && *number > 0;
}

static bool parse_buffers(const char *text, bool *one)
{
	*one = strcmp(text, "one") == 0;
	return *one || strcmp(text, "many") == 0;
}

static bool parse_seconds(const char *text, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	return end != text && *end == '\0' && *seconds > 0 && *seconds <= 3600;
}

/* Returns the length of the address, or 0 if @text is not a numeric one. */
static socklen_t parse_address(const char *text, uint16_t port,
			       struct sockaddr_storage *address)
{
	struct sockaddr_in *four = (struct sockaddr_in *)address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		return sizeof(*four);
	}
	if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		return sizeof(*six);
	}
	return 0;
}

static const char *command_pin(char **words, int count)
{
	cpu_set_t set;
	uint64_t cpu;

	if (count != 2)
		return "usage: pin CPU";
	if (!parse_index(words[1], CPU_SETSIZE - 1, &cpu))
		return "CPU is the number of a processor";
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		answer_error("sched_setaffinity", -errno);
	else
		printf("{\"cpu\":%llu}\n", (unsigned long long)cpu);
	return NULL;
}

static const char *command_nop(char **words, int count)
{
	uint64_t batch, operations;

	if (count != 3)
		return "usage: nop BATCH OPERATIONS";
	if (!parse_number(words[1], RING_ENTRIES, &batch))
		return "BATCH is a number from 1 to 256";
	if (!parse_number(words[2], UINT64_MAX / 2, &operations))
		return "OPERATIONS is a number of at least 1";
	nop_run((unsigned int)batch, operations);
	return NULL;
}

static const char *command_send(char **words, int count)
{
	struct sockaddr_storage address;
	const struct mode *mode;
	uint64_t payload, batch, port;
	socklen_t length;
	double seconds;
	bool one;

	if (count != 8)
		return "usage: send MODE PAYLOAD BATCH SECONDS ADDRESS PORT BUFFERS";
	mode = find_mode(words[1]);
	if (!mode)
		return "MODE is not known";
	if (!parse_number(words[2], PAYLOAD_MAX, &payload))
		return "PAYLOAD is a number from 1 to 65507";
	if (!parse_number(words[3], RING_ENTRIES, &batch))
		return "BATCH is a number from 1 to 256";
	if (!parse_seconds(words[4], &seconds))
		return "SECONDS is more than 0 and at most 3600";
	if (!parse_number(words[6], UINT16_MAX, &port))
		return "PORT is a number from 1 to 65535";
	length = parse_address(words[5], (uint16_t)port, &address);
	if (length == 0)
		return "ADDRESS is a numeric IPv4 or IPv6 address";
	if (!parse_buffers(words[7], &one))
		return "BUFFERS is one or many";
	send_run(mode, (unsigned int)payload, (unsigned int)batch, seconds, one,
		 &address, length);
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
	const char *problem;
	char *words[WORDS_MAX];
	int count = split(line, words, WORDS_MAX);

	if (count > 0 && strcmp(words[0], "pin") == 0)
		problem = command_pin(words, count);
	else if (count > 0 && strcmp(words[0], "nop") == 0)
		problem = command_nop(words, count);
	else if (count > 0 && strcmp(words[0], "send") == 0)
		problem = command_send(words, count);
	else
		problem = "the commands are pin, nop and send";
	if (problem)
		printf("{\"error\":\"%s\"}\n", problem);
}

static int open_namespace(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int enter_namespace(int fd, int type)
{
	int result = setns(fd, type) < 0 ? -errno : 0;

	close(fd);
	return result;
}

/*
 * The user namespace first: it gives the right to enter the other.  Both are
 * open by then, as it takes the right to look at files of another process.
 */
static int enter_namespaces(int count, char **paths)
{
	int network, user;
	int result = 0;

	if (count == 0)
		return 0;
	network = open_namespace(paths[0]);
	if (network < 0)
		return network;
	if (count > 1) {
		user = open_namespace(paths[1]);
		result = user < 0 ? user : enter_namespace(user, CLONE_NEWUSER);
	}
	if (result < 0) {
		close(network);
		return result;
	}
	return enter_namespace(network, CLONE_NEWNET);
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t capacity = 0;
	int result;

	if (argc > 3) {
		fputs("usage: reference [NETWORK_NAMESPACE [USER_NAMESPACE]]\n",
		      stderr);
		return 2;
	}
	result = enter_namespaces(argc - 1, argv + 1);
	if (result < 0) {
		fprintf(stderr, "reference: namespace: %s\n",
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
