// SPDX-License-Identifier: MIT
/* Memory: mapped, and what a dma-buf may stand on. */
#include "shim.h"

#include <fcntl.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Not in the headers of every libc that zclab builds with. */
#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

static int map_flags(int fd, uint32_t huge_shift)
{
	if (fd >= 0)
		return huge_shift ? -EINVAL : MAP_SHARED | MAP_POPULATE;
	if (!huge_shift)
		return MAP_PRIVATE | MAP_ANONYMOUS;
	if (huge_shift != 21 && huge_shift != 30)
		return -EINVAL;
	return MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (int)(huge_shift << MAP_HUGE_SHIFT);
}

int zclab_map(int fd, uint64_t length, uint64_t offset, uint32_t huge_shift, uint64_t *address)
{
	int flags = map_flags(fd, huge_shift);
	int error;
	void *memory;

	if (!address)
		return -EFAULT;
	if (flags < 0)
		return flags;
	memory = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, fd < 0 ? -1 : fd, (off_t)offset);
	if (memory == MAP_FAILED)
		return -errno;
	/*
	 * A child process must not turn pages that the kernel reads and writes into copy-on-write
	 * ones, nor pay for a copy of those that are pinned.
	 */
	if (fd < 0 && madvise(memory, length, MADV_DONTFORK) < 0) {
		error = errno;
		munmap(memory, length);
		return -error;
	}
	*address = (uintptr_t)memory;
	return 0;
}

/*
 * Room for pages of TCP sockets, which TCP_ZEROCOPY_RECEIVE puts there. It can only be read, and where
 * no page is, a touch ends the process. It keeps the socket's file open.
 */
int zclab_map_tcp(int fd, uint64_t length, uint64_t *address)
{
	void *memory;

	if (!address)
		return -EFAULT;
	memory = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	*address = (uintptr_t)memory;
	return 0;
}

/* Gives the pages back, and keeps the room. */
int zclab_drop_pages(uint64_t address, uint64_t length)
{
	return checked(madvise((void *)(uintptr_t)address, length, MADV_DONTNEED));
}

int zclab_unmap(uint64_t address, uint64_t length)
{
	return checked(munmap((void *)(uintptr_t)address, length));
}

/* A file of memory, as long as it shall be and never shorter: what a dma-buf may stand on. */
int zclab_memfd(uint64_t length, uint32_t huge_shift)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int error, fd;

	if (huge_shift)
		flags |= MFD_HUGETLB | huge_shift << MAP_HUGE_SHIFT;
	fd = memfd_create("zclab", flags);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)length) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0) {
		error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

int zclab_udmabuf(int memfd, uint64_t length)
{
	struct udmabuf_create create = {
		.memfd = (uint32_t)memfd,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = length,
	};
	int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int result;

	if (device < 0)
		return -errno;
	result = checked(ioctl(device, UDMABUF_CREATE, &create));
	close(device);
	return result;
}

int zclab_memlock_limit(uint64_t *limits)
{
	struct rlimit limit;

	if (!limits)
		return -EFAULT;
	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		return -errno;
	limits[0] = limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
	limits[1] = limit.rlim_max == RLIM_INFINITY ? UINT64_MAX : limit.rlim_max;
	return 0;
}
