// SPDX-License-Identifier: MIT
/* The loop over sendmmsg(2) with MSG_ZEROCOPY. */
#define _GNU_SOURCE
#include "message.h"

#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
/* It takes struct timespec from time.h. */
#include <linux/errqueue.h>

#include "trial.h"

#define STALL_MILLISECONDS	5000

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
	struct mmsghdr messages[TRIAL_BATCH_MAX];
	struct iovec vectors[TRIAL_BATCH_MAX];
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

int message_batch(struct trial *trial)
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

int message_settle(struct trial *trial)
{
	return error_queue_wait(trial, 0);
}
