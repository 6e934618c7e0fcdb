// SPDX-License-Identifier: MIT
/* The loop over the ring. */
#define _GNU_SOURCE
#include "trial.h"

#include <string.h>
#include <sys/mman.h>

#include "message.h"

#define WARM_UP_BATCHES		4

/* The kernel headers of Debian 12 (6.1) are too old for it: Linux 6.2. */
#ifndef IORING_NOTIF_USAGE_ZC_COPIED
#define IORING_NOTIF_USAGE_ZC_COPIED	(1U << 31)
#endif

void trial_init(struct trial *trial, const struct mode *mode,
		unsigned int batch)
{
	memset(trial, 0, sizeof(*trial));
	trial->mode = mode;
	trial->batch = batch;
	trial->chunks = 4 * batch;
	trial->socket = -1;
	trial->ring = RING_CLOSED;
}

int trial_open_ring(struct trial *trial)
{
	const struct ring_options options = { .entries = TRIAL_BATCH_MAX };

	trial->doing = "ring set-up";
	return ring_open(&trial->ring, &options);
}

void trial_close(struct trial *trial)
{
	ring_close(&trial->ring);
	if (trial->socket >= 0)
		close(trial->socket);
	if (trial->memory)
		munmap(trial->memory, trial->memory_size);
}

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

static inline int trial_enter(struct trial *trial, unsigned int to_submit,
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

int trial_batch(struct trial *trial)
{
	if (trial->mode->msg_zerocopy)
		return message_batch(trial);
	return ring_batch(trial);
}

int trial_settle(struct trial *trial)
{
	if (trial->mode->msg_zerocopy)
		return message_settle(trial);
	return trial_wait_for_notifications(trial, 0);
}

int trial_warm_up(struct trial *trial)
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
