// SPDX-License-Identifier: MIT
/* Pages that go from a file or from memory through a pipe into a socket. */
#include "shim.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

int zclab_pipe(int *ends)
{
	if (!ends)
		return -EFAULT;
	return checked(pipe2(ends, O_CLOEXEC));
}

int zclab_sendfile(int socket, int fd, uint64_t offset, uint32_t length)
{
	off_t from = (off_t)offset;

	return checked(sendfile(socket, fd, &from, length));
}

/* A pipe has no offsets: it is negative where both ends have none. Does not wait for a pipe. */
int zclab_splice(int from, int64_t offset, int to, uint32_t length)
{
	loff_t at = offset;

	return checked(splice(from, offset < 0 ? NULL : &at, to, NULL, length, SPLICE_F_NONBLOCK));
}

int zclab_vmsplice(int pipe, uint32_t address_low, uint32_t address_high, uint32_t length)
{
	struct iovec memory = {
		.iov_base = pointer(address_low, address_high),
		.iov_len = length,
	};

	return checked(vmsplice(pipe, &memory, 1, SPLICE_F_NONBLOCK));
}
