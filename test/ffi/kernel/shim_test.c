// SPDX-License-Identifier: MIT
/*
 * Drives every function of the shim with good and bad arguments. Built with AddressSanitizer and
 * UBSan by shim_test.ts; network traffic stays inside namespaces made here.
 */
#include "../../../ffi/kernel/shim/address.c"
#include "../../../ffi/kernel/shim/devmem.c"
#include "../../../ffi/kernel/shim/errand.c"
#include "../../../ffi/kernel/shim/event.c"
#include "../../../ffi/kernel/shim/file.c"
#include "../../../ffi/kernel/shim/interface.c"
#include "../../../ffi/kernel/shim/memory.c"
#include "../../../ffi/kernel/shim/message.c"
#include "../../../ffi/kernel/shim/namespace.c"
#include "../../../ffi/kernel/shim/socket.c"
#include "../../../ffi/kernel/shim/splice.c"
#include "../../../ffi/kernel/shim/thread.c"

#include <dirent.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/time.h>

#define EXPECT(actual, expected) \
	expect(#actual, (long long)(actual), (long long)(expected), __LINE__)
#define EXPECT_TRUE(condition) expect(#condition, !!(condition), 1, __LINE__)

static void expect(const char *what, long long actual, long long expected, int line)
{
	if (actual == expected)
		return;
	fprintf(stderr, "line %d: %s: got %lld, expected %lld\n", line, what, actual, expected);
	exit(1);
}

static int expect_fd(int result, int line)
{
	if (result < 0)
		fprintf(stderr, "line %d: expected a descriptor, got %s\n", line, strerror(-result));
	if (result < 0)
		exit(1);
	if (!(fcntl(result, F_GETFD) & FD_CLOEXEC)) {
		fprintf(stderr, "line %d: the descriptor is inherited by exec\n", line);
		exit(1);
	}
	return result;
}

#define FD(call) expect_fd(call, __LINE__)

static uint32_t low(const void *address)
{
	return (uint32_t)(uintptr_t)address;
}

static uint32_t high(const void *address)
{
	return (uint32_t)((uintptr_t)address >> 32);
}

static int count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* A descriptor that is surely not open. */
#define NO_FD 1000000

static int user_namespace = -1;
static int net_namespace = -1;

static int open_socket(int domain, int type)
{
	return FD(zclab_socket(user_namespace, net_namespace, domain, type, 0));
}

static void test_memory(void)
{
	uint64_t address = 0;
	uint64_t limits[2];
	struct rlimit limit;
	int result;
	FILE *file;

	EXPECT(zclab_map(-1, 1 << 16, 0, 0, &address), 0);
	memset((void *)(uintptr_t)address, 7, 1 << 16);
	EXPECT(zclab_unmap(address, 1 << 16), 0);
	EXPECT(zclab_map(-1, 4096, 0, 0, NULL), -EFAULT);
	EXPECT(zclab_map(-1, 0, 0, 0, &address), -EINVAL);
	EXPECT(zclab_map(-1, UINT64_MAX & ~4095ull, 0, 0, &address), -ENOMEM);
	EXPECT(zclab_map(-1, 4096, 0, 12, &address), -EINVAL);
	EXPECT(zclab_map(NO_FD, 4096, 0, 0, &address), -EBADF);
	EXPECT(zclab_map(NO_FD, 4096, 0, 21, &address), -EINVAL);
	EXPECT(zclab_unmap(1, 4096), -EINVAL);

	/* Whether there are huge pages is up to the machine; the error must say that there are none. */
	result = zclab_map(-1, 1 << 21, 0, 21, &address);
	if (result == 0)
		EXPECT(zclab_unmap(address, 1 << 21), 0);
	else
		EXPECT(result, -ENOMEM);

	file = tmpfile();
	EXPECT(ftruncate(fileno(file), 8192), 0);
	EXPECT(zclab_map(fileno(file), 4096, 4096, 0, &address), 0);
	memcpy((void *)(uintptr_t)address, "shared", 6);
	EXPECT(fseek(file, 4096, SEEK_SET), 0);
	EXPECT(fgetc(file), 's');
	EXPECT(zclab_unmap(address, 4096), 0);
	fclose(file);

	EXPECT(zclab_memlock_limit(NULL), -EFAULT);
	EXPECT(zclab_memlock_limit(limits), 0);
	EXPECT(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	EXPECT(limits[0], limit.rlim_cur);
	EXPECT(limits[1], limit.rlim_max);
}

static void test_dma_buf(void)
{
	int memfd = FD(zclab_memfd(8192, 0));
	int dma_buf = zclab_udmabuf(memfd, 8192);
	struct stat status;

	EXPECT(fstat(memfd, &status), 0);
	EXPECT(status.st_size, 8192);
	EXPECT(ftruncate(memfd, 4096), -1);
	EXPECT(errno, EPERM);
	if (access("/dev/udmabuf", R_OK | W_OK) < 0) {
		EXPECT_TRUE(dma_buf == -ENOENT || dma_buf == -EACCES || dma_buf == -ENXIO);
	} else {
		EXPECT(zclab_close(FD(dma_buf)), 0);
		EXPECT(zclab_udmabuf(memfd, 100), -EINVAL);
		EXPECT(zclab_udmabuf(NO_FD, 4096), -EBADFD);
	}
	EXPECT(zclab_close(memfd), 0);
	EXPECT(zclab_memfd(UINT64_MAX, 0), -EINVAL);
	EXPECT(zclab_memfd(4096, 63), -ENODEV);
}

static void test_splice(void)
{
	static const char text[] = "pages";
	char copy[sizeof(text)] = { 0 };
	int ends[2], memfd = FD(zclab_memfd(4096, 0));
	int sockets[2];

	EXPECT(zclab_pipe(NULL), -EFAULT);
	EXPECT(zclab_pipe(ends), 0);
	FD(ends[0]);
	FD(ends[1]);
	EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	EXPECT(pwrite(memfd, text, sizeof(text), 100), sizeof(text));

	EXPECT(zclab_sendfile(sockets[0], memfd, 100, sizeof(text)), sizeof(text));
	EXPECT(read(sockets[1], copy, sizeof(copy)), sizeof(text));
	EXPECT_TRUE(!strcmp(copy, text));
	EXPECT(zclab_sendfile(sockets[0], NO_FD, 0, 1), -EBADF);

	EXPECT(zclab_splice(ends[0], -1, sockets[0], 1), -EAGAIN);
	EXPECT(zclab_splice(memfd, 100, ends[1], sizeof(text)), sizeof(text));
	EXPECT(zclab_splice(ends[0], -1, sockets[0], 4096), sizeof(text));
	EXPECT(read(sockets[1], copy, sizeof(copy)), sizeof(text));
	EXPECT_TRUE(!strcmp(copy, text));

	EXPECT(zclab_vmsplice(ends[1], low(text), high(text), sizeof(text)), sizeof(text));
	EXPECT(zclab_splice(ends[0], -1, sockets[0], 4096), sizeof(text));
	EXPECT(read(sockets[1], copy, sizeof(copy)), sizeof(text));
	EXPECT_TRUE(!strcmp(copy, text));
	EXPECT(zclab_vmsplice(ends[1], 1, 0, 4096), -EFAULT);

	EXPECT(zclab_close(sockets[0]), 0);
	EXPECT(zclab_close(sockets[1]), 0);
	EXPECT(zclab_close(ends[0]), 0);
	EXPECT(zclab_close(ends[1]), 0);
	EXPECT(zclab_close(memfd), 0);
}

static volatile sig_atomic_t ticks;
static int ticking_eventfd;

static void on_tick(int number)
{
	(void)number;
	if (++ticks == 3 && ticking_eventfd >= 0)
		zclab_eventfd_signal(ticking_eventfd);
}

/* Interrupts system calls every few milliseconds, as a signal without SA_RESTART does. */
static void start_ticks(int eventfd)
{
	struct sigaction action = { .sa_handler = on_tick };
	struct itimerval interval = { { 0, 5000 }, { 0, 5000 } };

	ticks = 0;
	ticking_eventfd = eventfd;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &interval, NULL);
}

static void stop_ticks(void)
{
	struct itimerval never = { 0 };

	setitimer(ITIMER_REAL, &never, NULL);
}

static void test_descriptors(void)
{
	int fd = FD(zclab_eventfd());
	int epoll_fd = FD(zclab_epoll_create());
	uint32_t numbers[2] = { 0 };

	EXPECT(zclab_epoll_add(epoll_fd, fd, 7), 0);
	EXPECT(zclab_epoll_wait(epoll_fd, numbers, 2, 0), 0);
	/* Each signal is an event, though nobody reads the eventfd. */
	for (int i = 0; i < 2; i++) {
		EXPECT(zclab_eventfd_signal(fd), 0);
		numbers[0] = 0;
		EXPECT(zclab_epoll_wait(epoll_fd, numbers, 2, -1), 1);
		EXPECT(numbers[0], 7);
		EXPECT(zclab_epoll_wait(epoll_fd, numbers, 2, 0), 0);
	}
	start_ticks(fd);
	/* A signal handler interrupts the wait, which then has nothing to say. */
	while (zclab_epoll_wait(epoll_fd, numbers, 2, -1) == 0)
		;
	stop_ticks();
	EXPECT_TRUE(ticks >= 3);
	EXPECT(zclab_epoll_wait(epoll_fd, NULL, 2, 0), -EFAULT);
	EXPECT(zclab_epoll_wait(epoll_fd, numbers, 0, 0), -EINVAL);
	EXPECT(zclab_epoll_wait(epoll_fd, numbers, 65, 0), -EINVAL);
	EXPECT(zclab_epoll_wait(NO_FD, numbers, 2, 0), -EBADF);
	EXPECT(zclab_epoll_add(epoll_fd, fd, 8), -EEXIST);
	EXPECT(zclab_epoll_add(NO_FD, fd, 8), -EBADF);
	EXPECT(zclab_close(epoll_fd), 0);
	EXPECT(zclab_close(fd), 0);
	EXPECT(zclab_close(NO_FD), -EBADF);
	EXPECT(zclab_eventfd_signal(NO_FD), -EBADF);
}

static ino_t inode(const char *path)
{
	struct stat status;

	EXPECT(stat(path, &status), 0);
	return status.st_ino;
}

static ino_t inode_of(int fd)
{
	struct stat status;

	EXPECT(fstat(fd, &status), 0);
	return status.st_ino;
}

static void expect_only_loopback(int fd)
{
	struct ifreq request = { .ifr_name = "lo" };

	EXPECT(ioctl(fd, SIOCGIFFLAGS, &request), 0);
	EXPECT_TRUE(request.ifr_flags & IFF_UP);
	EXPECT(zclab_interface_index(fd, "lo"), 1);
	request.ifr_ifindex = 2;
	EXPECT(ioctl(fd, SIOCGIFNAME, &request), -1);
}

static volatile sig_atomic_t ended_children;

static void on_child_end(int number)
{
	(void)number;
	ended_children++;
}

static void test_files(void)
{
	char path[] = "/tmp/zclab-shim-test-XXXXXX";
	int made = FD(mkostemp(path, O_CLOEXEC));
	char page[4096] = { 1 };
	int fd;

	EXPECT(zclab_open("/nonexistent/file", O_RDWR, 0), -ENOENT);
	EXPECT(zclab_o_direct(), O_DIRECT);
	fd = FD(zclab_open(path, O_RDWR, 0));
	EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	EXPECT(write(fd, page, sizeof(page)), sizeof(page));
	EXPECT(zclab_fdatasync(fd), 0);
	EXPECT(zclab_fdatasync(-1), -EBADF);
	/* Linux 6.5 has cachestat(2); a file in memory keeps what others drop. */
	if (zclab_cached_pages(fd, sizeof(page)) != -ENOSYS) {
		EXPECT(zclab_cached_pages(fd, sizeof(page)), 1);
		EXPECT(zclab_cached_pages(-1, sizeof(page)), -EBADF);
	}
	EXPECT(zclab_drop_cached(fd), 0);
	EXPECT(zclab_drop_cached(-1), -EBADF);
	EXPECT(zclab_close(fd), 0);
	EXPECT(zclab_close(made), 0);
	EXPECT(unlink(path), 0);
}

static void test_namespaces(void)
{
	struct sigaction action = { .sa_handler = on_child_end };
	ino_t own_net = inode("/proc/thread-self/ns/net");
	ino_t own_user = inode("/proc/thread-self/ns/user");
	int before = count_descriptors();
	sigset_t mask_before, mask_after;
	int user, net, fd, number;

	sigaction(SIGCHLD, &action, NULL);
	pthread_sigmask(SIG_SETMASK, NULL, &mask_before);
	user = FD(zclab_user_namespace());
	net = FD(zclab_net_namespace(user));
	fd = FD(zclab_socket(user, net, AF_INET, SOCK_DGRAM, 0));
	expect_only_loopback(fd);
	EXPECT_TRUE(inode_of(user) != own_user);
	EXPECT_TRUE(inode_of(net) != own_net);
	EXPECT(zclab_close(fd), 0);
	EXPECT(zclab_socket(user, net, AF_INET, SOCK_DGRAM, 200), -EPROTONOSUPPORT);
	EXPECT(zclab_socket(user, net, -1, SOCK_DGRAM, 0), -EAFNOSUPPORT);
	EXPECT(zclab_socket(user, NO_FD, AF_INET, SOCK_DGRAM, 0), -EBADF);
	EXPECT(zclab_socket(NO_FD, net, AF_INET, SOCK_DGRAM, 0), -EBADF);
	EXPECT(zclab_socket(user, user, AF_INET, SOCK_DGRAM, 0), -EINVAL);
	EXPECT(zclab_socket(-1, -1, AF_INET, -1, 0), -EINVAL);
	EXPECT(zclab_net_namespace(NO_FD), -EBADF);
	EXPECT(zclab_net_namespace(net), -EINVAL);
	EXPECT(zclab_close(net), 0);
	EXPECT(zclab_close(user), 0);

	/* Nothing of us moved, leaked or waits to be reaped. */
	pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
	for (number = 1; number <= SIGRTMAX; number++)
		EXPECT(sigismember(&mask_after, number), sigismember(&mask_before, number));
	EXPECT(inode("/proc/thread-self/ns/net"), own_net);
	EXPECT(inode("/proc/thread-self/ns/user"), own_user);
	EXPECT(count_descriptors(), before);
	EXPECT(ended_children, 0);
	EXPECT(waitpid(-1, NULL, __WALL | WNOHANG), -1);
	EXPECT(errno, ECHILD);
}

static void test_plain_namespace(void)
{
	int net = zclab_net_namespace(-1);
	int fd;

	if (geteuid() != 0) {
		EXPECT(net, -EPERM);
		return;
	}
	fd = FD(zclab_socket(-1, FD(net), AF_INET, SOCK_STREAM, 0));
	expect_only_loopback(fd);
	EXPECT(zclab_close(fd), 0);
	EXPECT(zclab_close(net), 0);
}

/* A listening socket on a port that the kernel chose. */
static int listen_on(const char *host, int backlog, struct sockaddr_storage *address, int *length)
{
	int fd;

	*length = zclab_parse_address(host, 0, address);
	EXPECT_TRUE(*length > 0);
	fd = open_socket(address->ss_family, SOCK_STREAM);
	EXPECT(zclab_bind(fd, address, (uint32_t)*length), 0);
	EXPECT(zclab_listen(fd, backlog), 0);
	EXPECT(zclab_getsockname(fd, address, sizeof(*address)), *length);
	return fd;
}

static bool is_blocking(int fd)
{
	return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void test_tcp_pages(void)
{
	int tcp = open_socket(AF_INET, SOCK_STREAM), udp = open_socket(AF_INET, SOCK_DGRAM);
	uint64_t address = 0;

	EXPECT(zclab_map_tcp(tcp, 8192, &address), 0);
	EXPECT_TRUE(address != 0);
	EXPECT(zclab_drop_pages(address, 4096), 0);
	EXPECT(zclab_drop_pages(address + 1, 4096), -EINVAL);
	EXPECT(zclab_unmap(address, 8192), 0);
	EXPECT(zclab_drop_pages(address, 4096), -ENOMEM);
	EXPECT(zclab_map_tcp(tcp, 8192, NULL), -EFAULT);
	EXPECT(zclab_map_tcp(tcp, 0, &address), -EINVAL);
	EXPECT(zclab_map_tcp(udp, 4096, &address), -ENODEV);
	EXPECT(zclab_map_tcp(NO_FD, 4096, &address), -EBADF);
	EXPECT(zclab_close(udp), 0);
	EXPECT(zclab_close(tcp), 0);
}

static void test_tcp(const char *host)
{
	struct sockaddr_storage address, peer;
	int length, listener, client, server, one = 1, value = 0;
	char text[] = "over the wire", got[sizeof(text)] = "";

	listener = listen_on(host, 8, &address, &length);
	client = open_socket(address.ss_family, SOCK_STREAM);
	EXPECT(zclab_connect(client, &address, (uint32_t)length, 1000), 0);
	EXPECT_TRUE(is_blocking(client));
	EXPECT(zclab_connect(client, &address, (uint32_t)length, 1000), -EISCONN);
	server = accept(listener, NULL, NULL);
	EXPECT_TRUE(server >= 0);
	EXPECT(zclab_getpeername(client, &peer, sizeof(peer)), length);
	EXPECT(memcmp(&peer, &address, (size_t)length), 0);
	EXPECT(zclab_getpeername(client, &peer, 4), -ERANGE);
	EXPECT(zclab_getsockname(client, &peer, 4), -ERANGE);
	EXPECT(zclab_getpeername(listener, &peer, sizeof(peer)), -ENOTCONN);

	EXPECT(zclab_setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
	EXPECT(zclab_getsockopt(client, IPPROTO_TCP, TCP_NODELAY, &value, sizeof(value)), 4);
	EXPECT_TRUE(value);
	EXPECT(zclab_setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, 1), -EINVAL);
	EXPECT(zclab_setsockopt(client, IPPROTO_TCP, TCP_NODELAY, NULL, 4), -EFAULT);
	EXPECT(zclab_setsockopt(client, 9999, 1, &one, 4), -ENOPROTOOPT);
	EXPECT(zclab_getsockopt(client, IPPROTO_TCP, 9999, &value, 4), -ENOPROTOOPT);

	EXPECT(zclab_send(client, low(text), high(text), sizeof(text), 0), sizeof(text));
	EXPECT(zclab_recv(server, low(got), high(got), sizeof(got), 0), sizeof(got));
	EXPECT(strcmp(got, text), 0);
	EXPECT(zclab_recv(server, low(got), high(got), sizeof(got), MSG_DONTWAIT), -EAGAIN);
	EXPECT(zclab_send(client, 16, 0, 8, 0), -EFAULT);
	EXPECT(zclab_shutdown(client, SHUT_WR), 0);
	EXPECT(zclab_recv(server, low(got), high(got), sizeof(got), 0), 0);
	/* A SIGPIPE would end this process here. */
	EXPECT(zclab_send(client, low(text), high(text), sizeof(text), 0), -EPIPE);
	EXPECT(zclab_shutdown(client, 99), -EINVAL);
	EXPECT(zclab_shutdown(listener, SHUT_RDWR), 0);
	EXPECT(zclab_close(server), 0);
	EXPECT(zclab_close(client), 0);
	EXPECT(zclab_close(listener), 0);
}

static void put_fragment(struct msghdr *message, size_t *used, int type,
			 const struct zclab_dmabuf_cmsg *said)
{
	struct cmsghdr *header = (void *)((char *)message->msg_control + *used);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = type;
	header->cmsg_len = CMSG_LEN(sizeof(*said));
	memcpy(CMSG_DATA(header), said, sizeof(*said));
	*used += DEVMEM_CONTROL;
}

/* What the kernel says of a message, without a device that would make it say so. */
static void test_device_memory_pieces(void)
{
	const struct zclab_dmabuf_cmsg linear = { .frag_size = 100 };
	const struct zclab_dmabuf_cmsg placed = {
		.frag_offset = 0x300001000ull,
		.frag_size = 4096,
		.frag_token = 7,
		.dmabuf_id = 5,
	};
	union {
		char bytes[5 * DEVMEM_CONTROL];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr message = { .msg_control = control.bytes };
	struct devmem_piece pieces[4] = { 0 };

	EXPECT(list_pieces(&message, 0, pieces), 0);
	EXPECT(list_pieces(&message, 10, pieces), 1);
	EXPECT(pieces[0].type, 0);
	EXPECT(pieces[0].length, 10);

	put_fragment(&message, &message.msg_controllen, 78, &linear);
	put_fragment(&message, &message.msg_controllen, 79, &placed);
	put_fragment(&message, &message.msg_controllen, SCM_TIMESTAMP, &placed);
	put_fragment(&message, &message.msg_controllen, 78, &linear);
	EXPECT(list_pieces(&message, 4296, pieces), 3);
	EXPECT(pieces[0].type, 78);
	EXPECT(pieces[0].length, 100);
	EXPECT(pieces[0].offset_low, 0);
	EXPECT(pieces[1].type, 79);
	EXPECT(pieces[1].token, 7);
	EXPECT(pieces[1].offset_low, 0x1000);
	EXPECT(pieces[1].offset_high, 3);
	EXPECT(pieces[1].length, 4096);
	EXPECT(pieces[1].dmabuf_id, 5);
	EXPECT(pieces[2].type, 78);
	EXPECT(pieces[2].offset_low, 100);
}

/* Over a link without device memory: what is received is copied whole, and sending is refused. */
static void test_device_memory_tcp(const char *host)
{
	struct sockaddr_storage address;
	struct devmem_piece pieces[DEVMEM_PIECES];
	char text[] = "in nobody's dma-buf", got[64];
	int length, listener, client, server, one = 1;
	uint32_t count = 9;

	listener = listen_on(host, 8, &address, &length);
	client = open_socket(address.ss_family, SOCK_STREAM);
	EXPECT(zclab_connect(client, &address, (uint32_t)length, 1000), 0);
	server = accept(listener, NULL, NULL);
	EXPECT_TRUE(server >= 0);
	EXPECT(zclab_recv_devmem(server, low(got), high(got), 64, MSG_DONTWAIT, pieces, &count),
	       -EAGAIN);
	EXPECT(count, 0);
	EXPECT(zclab_send(client, low(text), high(text), sizeof(text), 0), sizeof(text));
	EXPECT(zclab_recv_devmem(server, low(got), high(got), 64, 0, pieces, &count), sizeof(text));
	EXPECT(memcmp(got, text, sizeof(text)), 0);
	EXPECT(count, 1);
	EXPECT(pieces[0].type, 0);
	EXPECT(pieces[0].length, sizeof(text));
	EXPECT(zclab_recv_devmem(server, low(got), high(got), 64, 0, NULL, &count), -EFAULT);
	EXPECT(zclab_recv_devmem(server, low(got), high(got), 64, 0, pieces, NULL), -EFAULT);
	EXPECT(zclab_recv_devmem(NO_FD, low(got), high(got), 64, 0, pieces, &count), -EBADF);

	EXPECT(zclab_setsockopt(client, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)), 0);
	EXPECT(zclab_send_devmem(client, 0, 0, 4096, UINT32_MAX, 0), -EINVAL);
	EXPECT(zclab_send_devmem(NO_FD, 0, 0, 4096, 1, 0), -EBADF);
	EXPECT(zclab_shutdown(client, SHUT_WR), 0);
	EXPECT(zclab_recv_devmem(server, low(got), high(got), 64, 0, pieces, &count), 0);
	EXPECT(count, 0);
	EXPECT(zclab_send_devmem(client, 0, 0, 4096, 1, 0), -EINVAL);
	EXPECT(zclab_close(server), 0);
	EXPECT(zclab_close(client), 0);
	EXPECT(zclab_close(listener), 0);
}

static void test_udp(const char *host)
{
	struct sockaddr_storage address;
	int length = zclab_parse_address(host, 0, &address);
	int receiver = open_socket(address.ss_family, SOCK_DGRAM);
	int sender = open_socket(address.ss_family, SOCK_DGRAM);
	char text[] = "datagram", got[64];

	EXPECT(zclab_bind(receiver, &address, (uint32_t)length), 0);
	EXPECT(zclab_getsockname(receiver, &address, sizeof(address)), length);
	EXPECT(zclab_connect(sender, &address, (uint32_t)length, 0), 0);
	EXPECT(zclab_send(sender, low(text), high(text), sizeof(text), 0), sizeof(text));
	EXPECT(zclab_recv(receiver, low(got), high(got), sizeof(got), 0), sizeof(text));
	EXPECT(memcmp(got, text, sizeof(text)), 0);
	/* "da", "ta" and "gr" of "datagram": two bytes from every two. */
	EXPECT(zclab_send_each(sender, low(text), high(text), 2, 2, 3, 0), 3);
	EXPECT(zclab_recv(receiver, low(got), high(got), sizeof(got), 0), 2);
	EXPECT(zclab_recv(receiver, low(got), high(got), sizeof(got), 0), 2);
	EXPECT(memcmp(got, "ta", 2), 0);
	EXPECT(zclab_recv(receiver, low(got), high(got), sizeof(got), 0), 2);
	EXPECT(memcmp(got, "gr", 2), 0);
	EXPECT(zclab_send_each(sender, 16, 0, 8, 8, 2, 0), -EFAULT);
	EXPECT(zclab_send_each(sender, low(text), high(text), 2, 2, 0, 0), 0);
	EXPECT(zclab_bind(sender, &address, 1), -EINVAL);
	EXPECT(zclab_bind(sender, NULL, sizeof(address)), -EFAULT);
	EXPECT(zclab_listen(receiver, 1), -EOPNOTSUPP);
	EXPECT(zclab_close(sender), 0);
	EXPECT(zclab_close(receiver), 0);
}

static void test_connect_refused(void)
{
	struct sockaddr_storage address;
	int length, listener, client, server;

	listener = listen_on("127.0.0.1", 1, &address, &length);
	EXPECT(zclab_close(listener), 0);
	client = open_socket(AF_INET, SOCK_STREAM);
	EXPECT(zclab_connect(client, &address, (uint32_t)length, 1000), -ECONNREFUSED);
	EXPECT_TRUE(is_blocking(client));
	EXPECT(zclab_connect(client, &address, 1, 1000), -EINVAL);
	EXPECT(zclab_connect(client, NULL, (uint32_t)length, 1000), -EFAULT);

	/* The socket is as good as new, and an endless wait ends when there is an answer. */
	listener = listen_on("127.0.0.1", 1, &address, &length);
	EXPECT(zclab_connect(client, &address, (uint32_t)length, -1), 0);
	server = accept(listener, NULL, NULL);
	EXPECT(zclab_close(server), 0);
	EXPECT(zclab_close(client), 0);
	EXPECT(zclab_close(listener), 0);
}

/* Connects until the listener's backlog is full and an attempt finds no answer. */
static int fill_backlog(const struct sockaddr_storage *address, int length, int *clients, int most)
{
	int count, result;

	for (count = 0; count < most; count++) {
		clients[count] = open_socket(AF_INET, SOCK_STREAM);
		result = zclab_connect(clients[count], address, (uint32_t)length, 50);
		if (result == -ETIMEDOUT)
			return count;
		EXPECT(result, 0);
	}
	EXPECT(count, -1);
	return count;
}

static void test_connect_timeout(void)
{
	struct sockaddr_storage address;
	int clients[8];
	int length, listener, last, index;

	listener = listen_on("127.0.0.1", 0, &address, &length);
	last = fill_backlog(&address, length, clients, 8);
	EXPECT_TRUE(is_blocking(clients[last]));
	start_ticks(-1);
	EXPECT(zclab_connect(clients[last], &address, (uint32_t)length, 40), -ETIMEDOUT);
	stop_ticks();
	EXPECT_TRUE(ticks > 0);
	for (index = 0; index < last; index++)
		EXPECT(zclab_close(accept(listener, NULL, NULL)), 0);
	EXPECT(zclab_connect(clients[last], &address, (uint32_t)length, 5000), 0);
	for (index = 0; index <= last; index++)
		EXPECT(zclab_close(clients[index]), 0);
	EXPECT(zclab_close(listener), 0);
}

/* Waits until notifications of so many sends were read, all of them copied or none. */
static void expect_notified(int fd, uint32_t sends, uint32_t code)
{
	struct pollfd entry = { .fd = fd };
	uint32_t ranges[4 * 4];
	uint32_t seen = 0;
	int count, index;

	while (seen < sends) {
		EXPECT_TRUE(poll(&entry, 1, 5000) > 0);
		count = zclab_recv_error_queue(fd, ranges, 4);
		EXPECT_TRUE(count >= 0);
		for (index = 0; index < count; index++) {
			EXPECT(ranges[index * 4 + 2], code);
			EXPECT(ranges[index * 4 + 3], SO_EE_ORIGIN_ZEROCOPY);
			EXPECT_TRUE(ranges[index * 4] <= ranges[index * 4 + 1]);
			seen += ranges[index * 4 + 1] - ranges[index * 4] + 1;
		}
	}
	EXPECT(seen, sends);
	EXPECT(zclab_recv_error_queue(fd, ranges, 4), 0);
}

static void test_zero_copy_udp(const char *host)
{
	static char payload[4000];
	struct sockaddr_storage address;
	int length = zclab_parse_address(host, 0, &address);
	int receiver = open_socket(address.ss_family, SOCK_DGRAM);
	int sender = open_socket(address.ss_family, SOCK_DGRAM);
	int one = 1, index;

	EXPECT(zclab_bind(receiver, &address, (uint32_t)length), 0);
	EXPECT(zclab_getsockname(receiver, &address, sizeof(address)), length);
	EXPECT(zclab_connect(sender, &address, (uint32_t)length, 0), 0);
	EXPECT(zclab_setsockopt(sender, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)), 0);
	for (index = 0; index < 9; index++)
		EXPECT(zclab_send(sender, low(payload), high(payload), sizeof(payload),
				  MSG_ZEROCOPY), sizeof(payload));
	expect_notified(sender, 9, SO_EE_CODE_ZEROCOPY_COPIED);
	EXPECT(zclab_close(sender), 0);
	EXPECT(zclab_close(receiver), 0);
}

static void test_zero_copy_tcp(const char *host)
{
	static char payload[10000];
	struct sockaddr_storage address;
	int length, listener, client, server, one = 1;

	listener = listen_on(host, 1, &address, &length);
	client = open_socket(address.ss_family, SOCK_STREAM);
	EXPECT(zclab_connect(client, &address, (uint32_t)length, 1000), 0);
	server = accept(listener, NULL, NULL);
	EXPECT(zclab_setsockopt(client, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)), 0);
	EXPECT(zclab_send(client, low(payload), high(payload), sizeof(payload), MSG_ZEROCOPY),
	       sizeof(payload));
	EXPECT(zclab_recv(server, low(payload), high(payload), sizeof(payload), MSG_WAITALL),
	       sizeof(payload));
	expect_notified(client, 1, SO_EE_CODE_ZEROCOPY_COPIED);
	EXPECT(zclab_close(server), 0);
	EXPECT(zclab_close(client), 0);
	EXPECT(zclab_close(listener), 0);
}

/* The error queue also carries ICMP errors: they are no ranges, and what follows them is read. */
static void test_error_queue_of_two_kinds(const char *host, int level, int recverr)
{
	static char payload[4000];
	struct sockaddr_storage address;
	int length = zclab_parse_address(host, 9, &address);
	int sender = open_socket(address.ss_family, SOCK_DGRAM);
	int one = 1, pending;

	EXPECT(zclab_setsockopt(sender, level, recverr, &one, sizeof(one)), 0);
	EXPECT(zclab_setsockopt(sender, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)), 0);
	EXPECT(zclab_connect(sender, &address, (uint32_t)length, 0), 0);
	/* Nobody listens at the discard port here, so that an ICMP error comes back. */
	EXPECT(zclab_send(sender, low(payload), high(payload), 100, 0), 100);
	EXPECT(zclab_getsockopt(sender, SOL_SOCKET, SO_ERROR, &pending, sizeof(pending)), 4);
	EXPECT(pending, ECONNREFUSED);
	EXPECT(zclab_send(sender, low(payload), high(payload), sizeof(payload), MSG_ZEROCOPY),
	       sizeof(payload));
	expect_notified(sender, 1, SO_EE_CODE_ZEROCOPY_COPIED);
	EXPECT(zclab_close(sender), 0);
}

static void test_error_queue_arguments(void)
{
	uint32_t ranges[4];
	int fd = open_socket(AF_INET, SOCK_DGRAM);

	EXPECT(zclab_recv_error_queue(fd, ranges, 1), 0);
	EXPECT(zclab_recv_error_queue(fd, ranges, 0), 0);
	EXPECT(zclab_recv_error_queue(fd, NULL, 1), -EFAULT);
	EXPECT(zclab_recv_error_queue(fd, ranges, UINT32_MAX), -EINVAL);
	EXPECT(zclab_recv_error_queue(NO_FD, ranges, 1), -EBADF);
	EXPECT(zclab_recv_error_queue(net_namespace, ranges, 1), -ENOTSOCK);
	EXPECT(zclab_close(fd), 0);
}

static void test_bad_sockets(void)
{
	struct sockaddr_storage address;
	int value = 0;

	EXPECT(zclab_bind(NO_FD, &address, sizeof(address)), -EBADF);
	EXPECT(zclab_connect(NO_FD, &address, sizeof(address), 0), -EBADF);
	EXPECT(zclab_connect(net_namespace, &address, 16, 0), -ENOTSOCK);
	EXPECT(zclab_listen(NO_FD, 1), -EBADF);
	EXPECT(zclab_shutdown(NO_FD, SHUT_RD), -EBADF);
	EXPECT(zclab_getsockname(NO_FD, &address, sizeof(address)), -EBADF);
	EXPECT(zclab_getpeername(NO_FD, &address, sizeof(address)), -EBADF);
	EXPECT(zclab_setsockopt(NO_FD, SOL_SOCKET, SO_ZEROCOPY, &value, 4), -EBADF);
	EXPECT(zclab_getsockopt(NO_FD, SOL_SOCKET, SO_ZEROCOPY, &value, 4), -EBADF);
	EXPECT(zclab_send(NO_FD, 0, 0, 0, 0), -EBADF);
	EXPECT(zclab_recv(NO_FD, 0, 0, 0, 0), -EBADF);
	EXPECT(zclab_interface_index(NO_FD, "lo"), -EBADF);
	EXPECT(zclab_interface_index(NO_FD, NULL), -EFAULT);
	EXPECT(zclab_interface_index(NO_FD, "a name that is too long"), -ENAMETOOLONG);
}

static void test_interface_index(void)
{
	int fd = open_socket(AF_INET, SOCK_DGRAM);

	EXPECT(zclab_interface_index(fd, "lo"), 1);
	EXPECT(zclab_interface_index(fd, "absent"), -ENODEV);
	EXPECT(zclab_interface_index(fd, ""), -ENODEV);
	EXPECT(zclab_close(fd), 0);
}

static void expect_round_trip(const char *text, uint16_t port, int length)
{
	/* One byte off, because a caller's buffer may lie anywhere. */
	char buffer[1 + sizeof(struct sockaddr_storage)], again[64];
	struct sockaddr_in parsed;

	EXPECT(zclab_parse_address(text, port, buffer + 1), length);
	memcpy(&parsed, buffer + 1, sizeof(parsed));
	EXPECT(ntohs(parsed.sin_port), port);
	EXPECT(zclab_format_address(buffer + 1, (uint32_t)length, again, sizeof(again)),
	       strlen(text));
	EXPECT(strcmp(again, text), 0);
	EXPECT(zclab_format_address(buffer + 1, (uint32_t)length, again, (uint32_t)strlen(text)),
	       -ENOSPC);
	EXPECT(zclab_format_address(buffer + 1, (uint32_t)length, again, 0), -ENOSPC);
	EXPECT(zclab_format_address(buffer + 1, (uint32_t)length - 1, again, 64), -EINVAL);
	EXPECT(zclab_format_address(buffer + 1, 1, again, 64), -EINVAL);
}

static void test_addresses(void)
{
	static const char *const wrong[] = {
		"", "localhost", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.4 ", ":", ":::", "::g",
		"fe80::1%", "fe80::1%lo", "fe80::1%-1", "fe80::1%4294967296", "fe80::1%1 ", "%1",
		"1.2.3.4%1", "::1/64", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc",
	};
	struct sockaddr_storage address = { .ss_family = AF_UNIX };
	char text[64];
	size_t index;

	expect_round_trip("127.0.0.1", 0, sizeof(struct sockaddr_in));
	expect_round_trip("255.255.255.255", 65535, sizeof(struct sockaddr_in));
	expect_round_trip("::", 1, sizeof(struct sockaddr_in6));
	expect_round_trip("::1", 9000, sizeof(struct sockaddr_in6));
	expect_round_trip("fe80::1%4294967295", 9000, sizeof(struct sockaddr_in6));
	expect_round_trip("::ffff:10.1.2.3", 80, sizeof(struct sockaddr_in6));
	expect_round_trip("1111:2222:3333:4444:5555:6666:7777:8888%3", 80,
			  sizeof(struct sockaddr_in6));
	for (index = 0; index < sizeof(wrong) / sizeof(*wrong); index++)
		EXPECT(zclab_parse_address(wrong[index], 1, &address), -EINVAL);
	EXPECT(zclab_parse_address(NULL, 1, &address), -EFAULT);
	EXPECT(zclab_parse_address("::1", 1, NULL), -EFAULT);
	EXPECT(zclab_format_address(&address, sizeof(address), text, 64), -EAFNOSUPPORT);
	EXPECT(zclab_format_address(NULL, 16, text, 64), -EFAULT);
	EXPECT(zclab_format_address(&address, 16, NULL, 64), -EFAULT);
}

static void *report_thread(void *argument)
{
	*(int *)argument = zclab_thread_id();
	return NULL;
}

static void test_threads(void)
{
	unsigned long mask[128] = { 0 }, none[128] = { 0 };
	double before = zclab_thread_cpu_seconds();
	volatile unsigned int work;
	pthread_t thread;
	int other = 0, bytes;

	EXPECT(zclab_thread_id(), getpid());
	EXPECT(pthread_create(&thread, NULL, report_thread, &other), 0);
	EXPECT(pthread_join(thread, NULL), 0);
	EXPECT_TRUE(other > 0 && other != getpid());
	EXPECT_TRUE(before >= 0);
	for (work = 0; work < 10000000; work++)
		continue;
	EXPECT_TRUE(zclab_thread_cpu_seconds() > before);

	bytes = zclab_affinity_get(mask, sizeof(mask));
	EXPECT_TRUE(bytes > 0 && memcmp(mask, none, sizeof(mask)) != 0);
	EXPECT(zclab_affinity_set(mask, (uint32_t)bytes), 0);
	EXPECT(zclab_affinity_get(mask, 1), -EINVAL);
	EXPECT(zclab_affinity_get(NULL, sizeof(mask)), -EFAULT);
	EXPECT(zclab_affinity_set(none, sizeof(none)), -EINVAL);
	EXPECT(zclab_affinity_set(NULL, sizeof(none)), -EFAULT);
}

static void *sleep_until_told(void *argument)
{
	uint64_t count;

	return read(*(int *)argument, &count, sizeof(count)) < 0 ? argument : NULL;
}

int main(void)
{
	int before = count_descriptors();
	int stop = FD(zclab_eventfd());
	pthread_t companion;

	/* With a second thread, as in every JavaScript engine, no thread can enter a user namespace. */
	EXPECT(pthread_create(&companion, NULL, sleep_until_told, &stop), 0);
	test_memory();
	test_dma_buf();
	test_splice();
	test_descriptors();
	test_files();
	test_namespaces();
	test_plain_namespace();
	user_namespace = FD(zclab_user_namespace());
	net_namespace = FD(zclab_net_namespace(user_namespace));
	test_addresses();
	test_bad_sockets();
	test_interface_index();
	test_tcp_pages();
	test_tcp("127.0.0.1");
	test_tcp("::1");
	test_device_memory_pieces();
	test_device_memory_tcp("127.0.0.1");
	test_device_memory_tcp("::1");
	test_udp("127.0.0.1");
	test_udp("::1");
	test_connect_refused();
	test_connect_timeout();
	test_zero_copy_udp("127.0.0.1");
	test_zero_copy_udp("::1");
	test_zero_copy_tcp("127.0.0.1");
	test_zero_copy_tcp("::1");
	test_error_queue_of_two_kinds("127.0.0.1", SOL_IP, IP_RECVERR);
	test_error_queue_of_two_kinds("::1", SOL_IPV6, IPV6_RECVERR);
	test_error_queue_arguments();
	test_threads();
	EXPECT(zclab_eventfd_signal(stop), 0);
	EXPECT(pthread_join(companion, NULL), 0);
	EXPECT(zclab_close(stop), 0);
	EXPECT(zclab_close(net_namespace), 0);
	EXPECT(zclab_close(user_namespace), 0);
	EXPECT(count_descriptors(), before);
	puts("every function of the shim behaves");
	return 0;
}
