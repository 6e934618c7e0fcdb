// SPDX-License-Identifier: MIT
/* Sockets: made in a namespace, connected, and their options. */
#include "errand.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>

static int make_socket(const struct errand *errand)
{
	return checked(socket(errand->domain, errand->type | SOCK_CLOEXEC, errand->protocol));
}

static int make_socket_inside(const struct errand *errand)
{
	int result = enter_user_namespace(errand);

	if (result)
		return result;
	if (setns(errand->net_fd, CLONE_NEWNET) < 0)
		return -errno;
	return make_socket(errand);
}

int zclab_socket(int user_fd, int net_fd, int domain, int type, int protocol)
{
	struct errand errand = {
		.run = make_socket_inside,
		.user_fd = user_fd,
		.net_fd = net_fd,
		.domain = domain,
		.type = type,
		.protocol = protocol,
	};

	return net_fd < 0 ? make_socket(&errand) : in_child(&errand);
}

int zclab_bind(int fd, const void *address, uint32_t length)
{
	return checked(bind(fd, address, length));
}

static int64_t monotonic_milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until the socket is writable. A negative timeout has no end. */
static int wait_writable(int fd, int timeout)
{
	struct pollfd entry = { .fd = fd, .events = POLLOUT };
	int64_t deadline = monotonic_milliseconds() + timeout;
	int64_t left = timeout;
	int ready;

	for (;;) {
		ready = poll(&entry, 1, (int)left);
		if (ready > 0)
			return 0;
		if (ready == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
		if (timeout < 0)
			continue;
		left = deadline - monotonic_milliseconds();
		if (left < 0)
			left = 0;
	}
}

/* Gives up an attempt that still runs, so that the socket can connect again. */
static void abandon_connect(int fd)
{
	const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	connect(fd, &nowhere, sizeof(nowhere));
}

static int connect_nonblocking(int fd, const void *address, uint32_t length, int timeout)
{
	int result;

	if (connect(fd, address, length) == 0)
		return 0;
	if (errno != EINPROGRESS && errno != EINTR)
		return -errno;
	result = wait_writable(fd, timeout);
	if (result == -ETIMEDOUT)
		abandon_connect(fd);
	if (result)
		return result;
	/*
	 * Asking again tells how it went and ends the attempt. SO_ERROR would only tell, and leave a
	 * socket that was refused with ECONNABORTED for its next attempt.
	 */
	return connect(fd, address, length) == 0 || errno == EISCONN ? 0 : -errno;
}

int zclab_connect(int fd, const void *address, uint32_t length, int timeout)
{
	int flags = fcntl(fd, F_GETFL);
	int result;

	if (flags < 0)
		return -errno;
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	result = connect_nonblocking(fd, address, length, timeout);
	if (fcntl(fd, F_SETFL, flags) < 0 && !result)
		result = -errno;
	return result;
}

int zclab_listen(int fd, int backlog)
{
	return checked(listen(fd, backlog));
}

int zclab_shutdown(int fd, int how)
{
	return checked(shutdown(fd, how));
}

/* The kernel truncates an address that does not fit; half an address is of no use to anybody. */
static int fitting(int result, socklen_t length, uint32_t capacity)
{
	if (result < 0)
		return -errno;
	return length > capacity ? -ERANGE : (int)length;
}

int zclab_getsockname(int fd, void *address, uint32_t capacity)
{
	socklen_t length = capacity;
	int result = getsockname(fd, address, &length);

	return fitting(result, length, capacity);
}

int zclab_getpeername(int fd, void *address, uint32_t capacity)
{
	socklen_t length = capacity;
	int result = getpeername(fd, address, &length);

	return fitting(result, length, capacity);
}

int zclab_setsockopt(int fd, int level, int name, const void *value, uint32_t length)
{
	return checked(setsockopt(fd, level, name, value, length));
}

int zclab_getsockopt(int fd, int level, int name, void *value, uint32_t capacity)
{
	socklen_t length = capacity;
	int result = getsockopt(fd, level, name, value, &length);

	return fitting(result, length, capacity);
}
