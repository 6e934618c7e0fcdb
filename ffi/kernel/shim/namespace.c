// SPDX-License-Identifier: MIT
/* Namespaces: made, and entered for one call. */
#include "errand.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_namespace(const char *path)
{
	return checked(open(path, O_RDONLY | O_CLOEXEC));
}

static int write_file(const char *path, const char *text)
{
	size_t length = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int result = 0;
	ssize_t written;

	if (fd < 0)
		return -errno;
	written = write(fd, text, length);
	if (written < 0)
		result = -errno;
	else if ((size_t)written != length)
		result = -EIO;
	close(fd);
	return result;
}

/* Maps one id of the parent namespace to 0. */
static int write_id_map(const char *path, unsigned int id)
{
	char line[32];

	snprintf(line, sizeof(line), "0 %u 1", id);
	return write_file(path, line);
}

static int make_user_namespace(const struct errand *errand)
{
	unsigned int user = geteuid(), group = getegid();
	int result;

	(void)errand;
	if (unshare(CLONE_NEWUSER) < 0)
		return -errno;
	/* Without this the kernel refuses a group map to a user without privileges. */
	result = write_file("/proc/self/setgroups", "deny");
	if (!result)
		result = write_id_map("/proc/self/uid_map", user);
	if (!result)
		result = write_id_map("/proc/self/gid_map", group);
	return result ? result : open_namespace("/proc/self/ns/user");
}

static int raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result;

	if (fd < 0)
		return -errno;
	result = checked(ioctl(fd, SIOCGIFFLAGS, &request));
	if (!result) {
		request.ifr_flags |= IFF_UP;
		result = checked(ioctl(fd, SIOCSIFFLAGS, &request));
	}
	close(fd);
	return result;
}

static int make_net_namespace(const struct errand *errand)
{
	int result = enter_user_namespace(errand);

	if (result)
		return result;
	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	result = raise_loopback();
	return result ? result : open_namespace("/proc/self/ns/net");
}

int zclab_user_namespace(void)
{
	struct errand errand = { .run = make_user_namespace };

	return in_child(&errand);
}

int zclab_net_namespace(int user_fd)
{
	struct errand errand = { .run = make_net_namespace, .user_fd = user_fd };

	return in_child(&errand);
}

/*
 * io_uring_register(2) in another network namespace, where it looks interfaces up. The ring accepts
 * nobody but its own thread, so it is this thread that goes there and comes back.
 */
int zclab_register_inside(int net_fd, int ring_fd, uint32_t opcode, void *arg, uint32_t nr_args)
{
	int home = checked(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
	int result;

	if (home < 0)
		return home;
	result = checked(setns(net_fd, CLONE_NEWNET));
	if (!result) {
		result = checked(syscall(SYS_io_uring_register, ring_fd, opcode, arg, nr_args));
		/* Nothing of this process may go on in the wrong namespace without knowing it. */
		while (setns(home, CLONE_NEWNET) < 0)
			if (errno != ENOMEM)
				abort();
	}
	close(home);
	return result;
}
