// SPDX-License-Identifier: MIT
/* Waiting for events: eventfd and epoll. */
#include "shim.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

int zclab_eventfd(void)
{
	return checked(eventfd(0, EFD_CLOEXEC));
}

int zclab_eventfd_signal(int fd)
{
	const uint64_t one = 1;
	ssize_t written;

	do {
		written = write(fd, &one, sizeof(one));
	} while (written < 0 && errno == EINTR);
	return written < 0 ? -errno : 0;
}

int zclab_epoll_create(void)
{
	return checked(epoll_create1(EPOLL_CLOEXEC));
}

/* Each signal of the eventfd is an event, whether or not anybody has read the ones before. */
int zclab_epoll_add(int epoll_fd, int event_fd, uint32_t number)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u32 = number };

	return checked(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fd, &event));
}

/* Events that one wait takes at most. */
#define EPOLL_EVENTS	64

/* The numbers of those that were signalled; how many, and none when the time has run out. */
int zclab_epoll_wait(int epoll_fd, uint32_t *numbers, int most, int milliseconds)
{
	struct epoll_event events[EPOLL_EVENTS];
	int count;

	if (!numbers)
		return -EFAULT;
	if (most < 1 || most > EPOLL_EVENTS)
		return -EINVAL;
	count = epoll_wait(epoll_fd, events, most, milliseconds);
	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < count; i++)
		numbers[i] = events[i].data.u32;
	return count;
}
