// SPDX-License-Identifier: MIT
/*
 * What JavaScript cannot do well: socket calls, control messages, namespaces, address parsing.
 *
 * Every function returns a result that is not negative, or -errno. No policy, no global state, no
 * memory that is not handed out. The table in symbols.ts is the contract.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/errqueue.h>
#include <linux/udmabuf.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(void *) == 8, "zclab needs a 64-bit machine");

/* Not in the headers of every libc that zclab builds with. */
#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

static int checked(long result)
{
	return result < 0 ? -errno : (int)result;
}

static void *pointer(uint32_t low, uint32_t high)
{
	return (void *)((uintptr_t)high << 32 | low);
}

/* Memory. */

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

/* File descriptors. */

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

/* Namespaces. */

/* Work for a child that enters or makes namespaces, so that no thread of ours changes its own. */
struct errand {
	int (*run)(const struct errand *errand);
	int user_fd;
	int net_fd;
	int domain;
	int type;
	int protocol;
	int result;
};

static int run_errand(void *argument)
{
	struct errand *errand = argument;

	errand->result = errand->run(errand);
	return 0;
}

/*
 * Runs an errand in a child that shares our memory and our descriptors, and returns its result.
 *
 * A process of its own, because the kernel lets no thread of a multi-threaded process change its
 * user namespace. It shares the memory, because copying the page tables of a JavaScript engine
 * takes milliseconds, and the descriptors, so that what it opens is ours. We stand still while it
 * runs (CLONE_VFORK), thus its stack may lie on ours. It takes no signal, and its end sends none:
 * somebody else's SIGCHLD handler must not hear of it.
 */
static int in_child(struct errand *errand)
{
	_Alignas(16) char stack[32 * 1024];
	sigset_t every, before;
	int result, status;
	pid_t child, ended;

	errand->result = -ECHILD;
	sigfillset(&every);
	result = pthread_sigmask(SIG_SETMASK, &every, &before);
	if (result)
		return -result;
	child = clone(run_errand, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES, errand);
	result = checked(child);
	if (child > 0) {
		do {
			ended = waitpid(child, &status, __WALL);
		} while (ended < 0 && errno == EINTR);
		result = errand->result;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result;
}

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

static int enter_user_namespace(const struct errand *errand)
{
	if (errand->user_fd < 0)
		return 0;
	return checked(setns(errand->user_fd, CLONE_NEWUSER));
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

/* Sockets. */

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

/*
 * Device memory. The kernel's names for these came with Linux 6.12, after the headers of the
 * distributions that zclab is built on.
 */
#define ZCLAB_MSG_SOCK_DEVMEM 0x2000000
#define ZCLAB_SCM_DEVMEM_LINEAR 78
#define ZCLAB_SCM_DEVMEM_DMABUF 79

struct zclab_dmabuf_cmsg {
	uint64_t frag_offset;
	uint32_t frag_size;
	uint32_t frag_token;
	uint32_t dmabuf_id;
	uint32_t flags;
};

_Static_assert(sizeof(struct zclab_dmabuf_cmsg) == 24, "struct dmabuf_cmsg of linux/uio.h");

/* Pieces that one call takes, so that their control messages fit on the stack. */
#define DEVMEM_PIECES 256

#define DEVMEM_CONTROL CMSG_SPACE(sizeof(struct zclab_dmabuf_cmsg))

struct devmem_piece {
	uint32_t type; /* 79: in the dma-buf, 78: copied out of a packet's head, 0: copied whole */
	uint32_t token;
	uint32_t offset_low;
	uint32_t offset_high;
	uint32_t length;
	uint32_t dmabuf_id;
};

/* Lists what a message says of its bytes; those of which it says nothing are none of a dma-buf. */
static uint32_t list_pieces(struct msghdr *message, uint32_t length, struct devmem_piece *pieces)
{
	struct zclab_dmabuf_cmsg said;
	struct cmsghdr *header;
	uint64_t copied = 0;
	uint32_t count = 0;

	for (header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
		struct devmem_piece *piece = &pieces[count];

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_len < CMSG_LEN(sizeof(said)))
			continue;
		if (header->cmsg_type != ZCLAB_SCM_DEVMEM_DMABUF &&
		    header->cmsg_type != ZCLAB_SCM_DEVMEM_LINEAR)
			continue;
		memcpy(&said, CMSG_DATA(header), sizeof(said));
		*piece = (struct devmem_piece){
			.type = (uint32_t)header->cmsg_type,
			.length = said.frag_size,
		};
		if (header->cmsg_type == ZCLAB_SCM_DEVMEM_LINEAR) {
			/* Such bytes lie in the caller's memory, one piece after the other. */
			piece->offset_low = (uint32_t)copied;
			copied += said.frag_size;
		} else {
			piece->token = said.frag_token;
			piece->offset_low = (uint32_t)said.frag_offset;
			piece->offset_high = (uint32_t)(said.frag_offset >> 32);
			piece->dmabuf_id = said.dmabuf_id;
		}
		count++;
	}
	if (!count && length)
		pieces[count++] = (struct devmem_piece){ .length = length };
	return count;
}

int zclab_recv_devmem(int fd, uint32_t address_low, uint32_t address_high, uint32_t length,
		      uint32_t flags, void *pieces, uint32_t *count)
{
	union {
		char bytes[DEVMEM_PIECES * DEVMEM_CONTROL];
		struct cmsghdr align;
	} control;
	struct iovec vector = {
		.iov_base = pointer(address_low, address_high),
		.iov_len = length,
	};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t got;

	if (!pieces || !count)
		return -EFAULT;
	*count = 0;
	do {
		got = recvmsg(fd, &message, (int)flags | ZCLAB_MSG_SOCK_DEVMEM);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	*count = list_pieces(&message, (uint32_t)got, pieces);
	return (int)got;
}

int zclab_send_devmem(int fd, uint32_t offset_low, uint32_t offset_high, uint32_t length,
		      uint32_t dmabuf_id, uint32_t flags)
{
	union {
		char bytes[CMSG_SPACE(sizeof(dmabuf_id))];
		struct cmsghdr align;
	} control = { 0 };
	/* No address in this process's memory, but where the data starts in the dma-buf. */
	struct iovec vector = {
		.iov_base = pointer(offset_low, offset_high),
		.iov_len = length,
	};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	ssize_t sent;

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = ZCLAB_SCM_DEVMEM_DMABUF;
	header->cmsg_len = CMSG_LEN(sizeof(dmabuf_id));
	memcpy(CMSG_DATA(header), &dmabuf_id, sizeof(dmabuf_id));
	do {
		sent = sendmsg(fd, &message, (int)flags | MSG_ZEROCOPY | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return checked(sent);
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

static int name_interface(struct ifreq *request, const char *name)
{
	size_t length;

	if (!name)
		return -EFAULT;
	length = strnlen(name, IFNAMSIZ);
	if (length == IFNAMSIZ)
		return -ENAMETOOLONG;
	memcpy(request->ifr_name, name, length);
	return 0;
}

int zclab_interface_index(int fd, const char *name)
{
	struct ifreq request = { 0 };
	int result = name_interface(&request, name);

	if (result < 0)
		return result;
	if (ioctl(fd, SIOCGIFINDEX, &request) < 0)
		return -errno;
	return request.ifr_ifindex;
}

int zclab_ethtool(int fd, const char *name, void *command)
{
	struct ifreq request = { 0 };
	int result = name_interface(&request, name);

	if (result < 0)
		return result;
	if (!command)
		return -EFAULT;
	request.ifr_data = command;
	return checked(ioctl(fd, SIOCETHTOOL, &request));
}

/* Addresses. Callers' buffers may lie at any byte, so addresses are copied, not cast. */

static bool parse_scope(const char *text, uint32_t *scope)
{
	unsigned long value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value > UINT32_MAX)
		return false;
	*scope = (uint32_t)value;
	return true;
}

static int parse_ipv6(const char *text, uint16_t port, void *address)
{
	struct sockaddr_in6 parsed = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const char *percent = strchr(text, '%');
	size_t length = percent ? (size_t)(percent - text) : strlen(text);
	char digits[INET6_ADDRSTRLEN];

	if (length >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, length);
	digits[length] = '\0';
	if (inet_pton(AF_INET6, digits, &parsed.sin6_addr) != 1)
		return -EINVAL;
	if (percent && !parse_scope(percent + 1, &parsed.sin6_scope_id))
		return -EINVAL;
	memcpy(address, &parsed, sizeof(parsed));
	return sizeof(parsed);
}

int zclab_parse_address(const char *text, uint16_t port, void *address)
{
	struct sockaddr_in parsed = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (!text || !address)
		return -EFAULT;
	if (inet_pton(AF_INET, text, &parsed.sin_addr) != 1)
		return parse_ipv6(text, port, address);
	memcpy(address, &parsed, sizeof(parsed));
	return sizeof(parsed);
}

/* Writes an address as text, with the scope where it has one. */
static int address_text(const void *address, uint32_t length, char *text, size_t capacity)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;
	sa_family_t family;
	size_t used;

	if (length < sizeof(family))
		return -EINVAL;
	memcpy(&family, address, sizeof(family));
	if (family == AF_INET && length >= sizeof(four)) {
		memcpy(&four, address, sizeof(four));
		return inet_ntop(AF_INET, &four.sin_addr, text, capacity) ? 0 : -errno;
	}
	if (family != AF_INET6)
		return family == AF_INET ? -EINVAL : -EAFNOSUPPORT;
	if (length < sizeof(six))
		return -EINVAL;
	memcpy(&six, address, sizeof(six));
	if (!inet_ntop(AF_INET6, &six.sin6_addr, text, capacity))
		return -errno;
	used = strlen(text);
	if (six.sin6_scope_id)
		snprintf(text + used, capacity - used, "%%%" PRIu32, six.sin6_scope_id);
	return 0;
}

int zclab_format_address(const void *address, uint32_t length, char *text, uint32_t capacity)
{
	char whole[INET6_ADDRSTRLEN + sizeof("%4294967295")];
	size_t used;
	int result;

	if (!address || !text)
		return -EFAULT;
	result = address_text(address, length, whole, sizeof(whole));
	if (result)
		return result;
	used = strlen(whole);
	if (used >= capacity)
		return -ENOSPC;
	memcpy(text, whole, used + 1);
	return (int)used;
}

/* Time and threads. */

/* From any thread, at once: nothing is run or waited for first. It does not return. */
int zclab_exit(int status)
{
	_exit(status);
}

double zclab_milliseconds(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		return -errno;
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int zclab_thread_id(void)
{
	return checked(syscall(SYS_gettid));
}

double zclab_thread_cpu_seconds(void)
{
	struct timespec used;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) < 0)
		return -errno;
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

int zclab_affinity_get(void *mask, uint32_t bytes)
{
	return checked(syscall(SYS_sched_getaffinity, 0, (size_t)bytes, mask));
}

int zclab_affinity_set(const void *mask, uint32_t bytes)
{
	return checked(syscall(SYS_sched_setaffinity, 0, (size_t)bytes, mask));
}
