// SPDX-License-Identifier: MIT
/* Files, by their descriptors. */
#include "shim.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int zclab_close(int fd)
{
	/* Linux has released the descriptor when close() says EINTR: a retry could close another's. */
	if (close(fd) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

int zclab_open(const char *path, int flags, uint32_t mode)
{
	return checked(open(path, flags | O_CLOEXEC, mode));
}

/* O_DIRECT has another value on other architectures. */
int zclab_o_direct(void)
{
	return O_DIRECT;
}

/* A file without a name: it is gone when it is closed before it was given one. */
int zclab_create_unnamed(const char *folder, uint32_t mode)
{
	return checked(open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, mode));
}

int zclab_name_unnamed(int fd, const char *path)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return checked(linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW));
}

int zclab_fdatasync(int fd)
{
	return checked(fdatasync(fd));
}

int zclab_drop_cached(int fd)
{
	/* It returns the error itself, and leaves errno alone. */
	return -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

/* cachestat(2) is newer than the headers that we compile with. */
#define CACHESTAT_NUMBER	451

struct cachestat_range_of_file {
	uint64_t off;
	uint64_t len;
};

struct cachestat_of_file {
	uint64_t nr_cache;
	uint64_t nr_dirty;
	uint64_t nr_writeback;
	uint64_t nr_evicted;
	uint64_t nr_recently_evicted;
};

/* How many of its pages are in the page cache. */
int64_t zclab_cached_pages(int fd, uint64_t length)
{
	struct cachestat_range_of_file range = { .off = 0, .len = length };
	struct cachestat_of_file stat = { 0 };

	if (syscall(CACHESTAT_NUMBER, fd, &range, &stat, 0) < 0)
		return -errno;
	return (int64_t)stat.nr_cache;
}
