// SPDX-License-Identifier: MIT
/* Messages: sent, received, and the error queue with what became of zero-copy sends. */
#include "shim.h"

#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
/* It takes struct timespec from time.h. */
#include <linux/errqueue.h>

/* The kernel moves at most INT_MAX bytes in one call, so an int holds what these two return. */

int zclab_send(int fd, uint32_t address_low, uint32_t address_high, uint32_t length, uint32_t flags)
{
	const void *data = pointer(address_low, address_high);
	ssize_t sent;

	/*
	 * A peer that went away is an error to handle, never a signal that ends the process. The
	 * system call itself, because send(3) of a process with threads does more to be cancellable.
	 */
	do {
		sent = syscall(SYS_sendto, fd, data, (size_t)length, (int)flags | MSG_NOSIGNAL, NULL, 0);
	} while (sent < 0 && errno == EINTR);
	return checked(sent);
}

/* Messages that one sendmmsg(2) takes, so that their headers fit on the stack. */
#define MESSAGES 64

static int send_messages(int fd, uint64_t address, uint32_t length, uint32_t stride,
			 uint32_t count, uint32_t flags)
{
	struct mmsghdr messages[MESSAGES];
	struct iovec vectors[MESSAGES];
	uint32_t i;
	int sent;

	memset(messages, 0, count * sizeof(*messages));
	for (i = 0; i < count; i++, address += stride) {
		vectors[i].iov_base = (void *)(uintptr_t)address;
		vectors[i].iov_len = length;
		messages[i].msg_hdr.msg_iov = &vectors[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	do {
		sent = sendmmsg(fd, messages, count, (int)flags | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return checked(sent);
}

int zclab_send_each(int fd, uint32_t address_low, uint32_t address_high, uint32_t length,
		    uint32_t stride, uint32_t count, uint32_t flags)
{
	uint64_t address = (uint64_t)address_high << 32 | address_low;
	uint32_t done = 0;

	while (done < count && done < INT_MAX - MESSAGES) {
		uint32_t part = count - done < MESSAGES ? count - done : MESSAGES;
		int sent = send_messages(fd, address, length, stride, part, flags);

		if (sent < 0)
			return done > 0 ? (int)done : sent;
		done += (uint32_t)sent;
		address += (uint64_t)sent * stride;
		if ((uint32_t)sent < part)
			break;
	}
	return (int)done;
}

int zclab_recv(int fd, uint32_t address_low, uint32_t address_high, uint32_t length, uint32_t flags)
{
	void *data = pointer(address_low, address_high);
	ssize_t got;

	do {
		got = recv(fd, data, length, (int)flags);
	} while (got < 0 && errno == EINTR);
	return checked(got);
}

static bool is_error_report(const struct cmsghdr *header)
{
	return (header->cmsg_level == SOL_IP && header->cmsg_type == IP_RECVERR) ||
	       (header->cmsg_level == SOL_IPV6 && header->cmsg_type == IPV6_RECVERR);
}

/* Finds the notification of zero-copy sends in a message of the error queue. */
static bool find_range(struct msghdr *message, uint32_t *range)
{
	struct sock_extended_err report;
	struct cmsghdr *header;

	for (header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
		if (!is_error_report(header) || header->cmsg_len < CMSG_LEN(sizeof(report)))
			continue;
		memcpy(&report, CMSG_DATA(header), sizeof(report));
		if (report.ee_errno != 0 || report.ee_origin != SO_EE_ORIGIN_ZEROCOPY)
			continue;
		range[0] = report.ee_info;
		range[1] = report.ee_data;
		range[2] = report.ee_code;
		range[3] = report.ee_origin;
		return true;
	}
	return false;
}

/* Takes one message off the error queue: 1 with a range, 0 for one of another kind, or -errno. */
static int take_error(int fd, uint32_t *range)
{
	/* Room for the report with its offender's address, and for time stamps beside it. */
	union {
		char bytes[512];
		struct cmsghdr align;
	} control;
	struct msghdr message = {
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t got;

	do {
		got = recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	return find_range(&message, range);
}

int zclab_recv_error_queue(int fd, uint32_t *ranges, uint32_t capacity)
{
	uint32_t count = 0;
	int result;

	if (!ranges)
		return -EFAULT;
	if (capacity > INT32_MAX)
		return -EINVAL;
	while (count < capacity) {
		result = take_error(fd, ranges + (size_t)count * 4);
		if (result == -EAGAIN)
			break;
		/* What was taken off the queue must reach the caller; an error that stays comes again. */
		if (result < 0)
			return count ? (int)count : result;
		count += (uint32_t)result;
	}
	return (int)count;
}
