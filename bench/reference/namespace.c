// SPDX-License-Identifier: MIT
/* Enters namespaces. */
#define _GNU_SOURCE
#include "namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

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

static int enter_user_namespace(const char *path)
{
	int fd = open_namespace(path);

	return fd < 0 ? fd : enter_namespace(fd, CLONE_NEWUSER);
}

/*
 * The user namespace first: it gives the right to enter the other.  Both are
 * open by then, as it takes the right to look at files of another process.
 */
int enter_namespaces(int count, char **paths)
{
	int network;
	int result;

	if (count == 0)
		return 0;
	network = open_namespace(paths[0]);
	if (network < 0)
		return network;
	result = count > 1 ? enter_user_namespace(paths[1]) : 0;
	if (result < 0) {
		close(network);
		return result;
	}
	return enter_namespace(network, CLONE_NEWNET);
}
