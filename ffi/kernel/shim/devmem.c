// SPDX-License-Identifier: MIT
/*
 * Device memory. The kernel's names for these came with Linux 6.12, after the headers of the
 * distributions that zclab is built on.
 */
#include "shim.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

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

static bool is_of_device_memory(const struct cmsghdr *header)
{
	return header->cmsg_level == SOL_SOCKET &&
	       header->cmsg_len >= CMSG_LEN(sizeof(struct zclab_dmabuf_cmsg)) &&
	       (header->cmsg_type == ZCLAB_SCM_DEVMEM_DMABUF ||
		header->cmsg_type == ZCLAB_SCM_DEVMEM_LINEAR);
}

static struct devmem_piece placed_piece(const struct zclab_dmabuf_cmsg *said)
{
	return (struct devmem_piece){
		.type = ZCLAB_SCM_DEVMEM_DMABUF,
		.token = said->frag_token,
		.offset_low = (uint32_t)said->frag_offset,
		.offset_high = (uint32_t)(said->frag_offset >> 32),
		.length = said->frag_size,
		.dmabuf_id = said->dmabuf_id,
	};
}

/* Such bytes lie in the caller's memory, one piece after the other. */
static struct devmem_piece copied_piece(const struct zclab_dmabuf_cmsg *said, uint32_t offset)
{
	return (struct devmem_piece){
		.type = ZCLAB_SCM_DEVMEM_LINEAR,
		.offset_low = offset,
		.length = said->frag_size,
	};
}

/* Lists what a message says of its bytes; those of which it says nothing are none of a dma-buf. */
static uint32_t list_pieces(struct msghdr *message, uint32_t length, struct devmem_piece *pieces)
{
	struct zclab_dmabuf_cmsg said;
	struct cmsghdr *header;
	uint32_t copied = 0;
	uint32_t count = 0;

	for (header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
		if (!is_of_device_memory(header))
			continue;
		memcpy(&said, CMSG_DATA(header), sizeof(said));
		if (header->cmsg_type == ZCLAB_SCM_DEVMEM_DMABUF) {
			pieces[count++] = placed_piece(&said);
		} else {
			pieces[count++] = copied_piece(&said, copied);
			copied += said.frag_size;
		}
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
