/**
 * The symbol table: every foreign function that zclab calls, each parameter with its C type.
 * All of them return -errno on failure.
 *
 * @module
 */

/** The ring calls, exported by liburing 2.3 and later. */
export const LIBURING = {
  io_uring_setup: {
    parameters: [
      "u32", // unsigned entries
      "buffer", // struct io_uring_params *p
    ],
    result: "i32",
  },
  io_uring_enter: {
    parameters: [
      "u32", // unsigned fd
      "u32", // unsigned to_submit
      "u32", // unsigned min_complete
      "u32", // unsigned flags
      "pointer", // sigset_t *sig
    ],
    result: "i32",
  },
  io_uring_enter2: {
    parameters: [
      "u32", // unsigned fd
      "u32", // unsigned to_submit
      "u32", // unsigned min_complete
      "u32", // unsigned flags
      "buffer", // void *arg: struct io_uring_getevents_arg
      "usize", // size_t sz
    ],
    result: "i32",
  },
  io_uring_register: {
    parameters: [
      "u32", // unsigned fd
      "u32", // unsigned opcode
      "buffer", // void *arg
      "u32", // unsigned nr_args
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The shim (the folder shim). Memory addresses on hot paths travel as two 32-bit halves. */
export const SHIM = {
  // Memory.
  zclab_map: {
    parameters: [
      "i32", // int fd: -1 for anonymous memory, else a ring
      "u64", // uint64_t length, in bytes
      "u64", // uint64_t offset: of the ring's regions
      "u32", // uint32_t huge_shift: 0, 21 (2 MiB pages) or 30 (1 GiB pages)
      "buffer", // uint64_t *address: out
    ],
    result: "i32",
  },
  zclab_map_tcp: {
    parameters: [
      "i32", // int fd: a TCP socket
      "u64", // uint64_t length, in bytes: whole pages
      "buffer", // uint64_t *address: out
    ],
    result: "i32",
  },
  zclab_drop_pages: {
    parameters: [
      "u64", // uint64_t address
      "u64", // uint64_t length
    ],
    result: "i32",
  },
  zclab_unmap: {
    parameters: [
      "u64", // uint64_t address
      "u64", // uint64_t length
    ],
    result: "i32",
  },
  zclab_memfd: {
    parameters: [
      "u64", // uint64_t length, in bytes
      "u32", // uint32_t huge_shift: 0, 21 (2 MiB pages) or 30 (1 GiB pages)
    ],
    result: "i32",
  },
  zclab_udmabuf: {
    parameters: [
      "i32", // int memfd: one of zclab_memfd
      "u64", // uint64_t length: of the whole file, in bytes
    ],
    result: "i32",
  },
  zclab_memlock_limit: {
    parameters: [
      "buffer", // uint64_t limits[2]: out, soft and hard, in bytes; UINT64_MAX is unlimited
    ],
    result: "i32",
  },

  // File descriptors.
  zclab_close: {
    parameters: ["i32"], // int fd
    result: "i32",
  },
  zclab_open: {
    parameters: [
      "buffer", // const char *path
      "i32", // int flags
      "u32", // uint32_t mode
    ],
    result: "i32",
  },
  zclab_create_unnamed: {
    parameters: [
      "buffer", // const char *folder
      "u32", // uint32_t mode
    ],
    result: "i32",
  },
  zclab_name_unnamed: {
    parameters: [
      "i32", // int fd
      "buffer", // const char *path
    ],
    result: "i32",
  },
  zclab_fdatasync: {
    parameters: ["i32"], // int fd
    result: "i32",
    nonblocking: true,
  },
  zclab_drop_cached: {
    parameters: ["i32"], // int fd
    result: "i32",
  },
  zclab_cached_pages: {
    parameters: [
      "i32", // int fd
      "u64", // uint64_t length
    ],
    result: "i64",
  },
  zclab_o_direct: {
    parameters: [],
    result: "i32",
  },
  zclab_eventfd: {
    parameters: [],
    result: "i32",
  },
  zclab_eventfd_signal: {
    parameters: ["i32"], // int fd
    result: "i32",
  },
  zclab_epoll_create: {
    parameters: [],
    result: "i32",
  },
  zclab_epoll_add: {
    parameters: [
      "i32", // int epoll_fd
      "i32", // int event_fd
      "u32", // uint32_t number: what zclab_epoll_wait says of it
    ],
    result: "i32",
  },
  zclab_epoll_wait: {
    parameters: [
      "i32", // int epoll_fd
      "buffer", // uint32_t *numbers: out, those that were signalled
      "i32", // int most: room in numbers, 64 at most
      "i32", // int milliseconds
    ],
    result: "i32",
    nonblocking: true,
  },

  // Namespaces. Each returns a file descriptor that keeps the namespace alive.
  zclab_user_namespace: {
    parameters: [],
    result: "i32",
  },
  zclab_net_namespace: {
    parameters: ["i32"], // int user_fd: the user namespace that will own it, or -1 for ours
    result: "i32",
  },

  zclab_register_inside: {
    parameters: [
      "i32", // int net_fd: network namespace to make the call in
      "i32", // int ring_fd
      "u32", // unsigned opcode
      "buffer", // void *arg
      "u32", // unsigned nr_args
    ],
    result: "i32", // what io_uring_register returned
  },

  // Sockets.
  zclab_socket: {
    parameters: [
      "i32", // int user_fd: user namespace to enter first, or -1
      "i32", // int net_fd: network namespace to make the socket in, or -1 for ours
      "i32", // int domain
      "i32", // int type
      "i32", // int protocol
    ],
    result: "i32",
  },
  zclab_bind: {
    parameters: [
      "i32", // int fd
      "buffer", // const struct sockaddr *address
      "u32", // socklen_t length
    ],
    result: "i32",
  },
  zclab_connect: {
    parameters: [
      "i32", // int fd
      "buffer", // const struct sockaddr *address
      "u32", // socklen_t length
      "i32", // int timeout: milliseconds
    ],
    result: "i32",
  },
  zclab_listen: {
    parameters: [
      "i32", // int fd
      "i32", // int backlog
    ],
    result: "i32",
  },
  zclab_shutdown: {
    parameters: [
      "i32", // int fd
      "i32", // int how
    ],
    result: "i32",
  },
  zclab_getsockname: {
    parameters: [
      "i32", // int fd
      "buffer", // struct sockaddr_storage *address: out
      "u32", // socklen_t capacity
    ],
    result: "i32", // the address's length
  },
  zclab_getpeername: {
    parameters: [
      "i32", // int fd
      "buffer", // struct sockaddr_storage *address: out
      "u32", // socklen_t capacity
    ],
    result: "i32", // the address's length
  },
  zclab_setsockopt: {
    parameters: [
      "i32", // int fd
      "i32", // int level
      "i32", // int name
      "buffer", // const void *value
      "u32", // socklen_t length
    ],
    result: "i32",
  },
  zclab_getsockopt: {
    parameters: [
      "i32", // int fd
      "i32", // int level
      "i32", // int name
      "buffer", // void *value: out
      "u32", // socklen_t capacity
    ],
    result: "i32", // the value's length
  },
  zclab_send: {
    parameters: [
      "i32", // int fd
      "u32", // uint32_t address_low
      "u32", // uint32_t address_high
      "u32", // uint32_t length
      "u32", // uint32_t flags
    ],
    result: "i32", // bytes sent
  },
  zclab_send_each: {
    parameters: [
      "i32", // int fd
      "u32", // uint32_t address_low
      "u32", // uint32_t address_high
      "u32", // uint32_t length: of each piece
      "u32", // uint32_t stride: from one piece to the next
      "u32", // uint32_t count
      "u32", // uint32_t flags
    ],
    result: "i32", // pieces sent; an error only if that is none
  },
  zclab_recv: {
    parameters: [
      "i32", // int fd
      "u32", // uint32_t address_low
      "u32", // uint32_t address_high
      "u32", // uint32_t length
      "u32", // uint32_t flags
    ],
    result: "i32", // bytes received
  },
  zclab_recv_devmem: {
    parameters: [
      "i32", // int fd
      "u32", // uint32_t address_low: memory for what is not in the dma-buf
      "u32", // uint32_t address_high
      "u32", // uint32_t length: of that memory; the call takes no more bytes in all
      "u32", // uint32_t flags
      "buffer", // void *pieces: out, room for 256 of {type, token, offset, offset_high, length, id}
      "buffer", // uint32_t *count: out, of the pieces
    ],
    result: "i32", // bytes received
  },
  zclab_send_devmem: {
    parameters: [
      "i32", // int fd
      "u32", // uint32_t offset_low: in the dma-buf
      "u32", // uint32_t offset_high
      "u32", // uint32_t length
      "u32", // uint32_t dmabuf_id
      "u32", // uint32_t flags
    ],
    result: "i32", // bytes sent
  },
  zclab_recv_error_queue: {
    parameters: [
      "i32", // int fd
      "buffer", // uint32_t *ranges: out, {first, last, code, origin} each; code 1 = copied
      "u32", // uint32_t capacity: in ranges
    ],
    result: "i32", // ranges read; 0 when the queue is empty
  },
  zclab_interface_index: {
    parameters: [
      "i32", // int fd: a socket in the interface's namespace
      "buffer", // const char *name: NUL-terminated
    ],
    result: "i32",
  },
  zclab_ethtool: {
    parameters: [
      "i32", // int fd: a socket in the interface's namespace
      "buffer", // const char *name: NUL-terminated
      "buffer", // void *command: a struct of linux/ethtool.h that begins with its command
    ],
    result: "i32",
  },

  // Addresses.
  zclab_parse_address: {
    parameters: [
      "buffer", // const char *text: numeric, NUL-terminated
      "u16", // uint16_t port: host order
      "buffer", // struct sockaddr_storage *address: out, 128 bytes
    ],
    result: "i32", // the address's length, or -EINVAL
  },
  zclab_format_address: {
    parameters: [
      "buffer", // const struct sockaddr *address
      "u32", // socklen_t length
      "buffer", // char *text: out, without the port
      "u32", // uint32_t capacity
    ],
    result: "i32", // the text's length without its NUL
  },

  // Threads.
  zclab_thread_id: {
    parameters: [],
    result: "i32",
  },
  zclab_thread_cpu_seconds: {
    parameters: [],
    result: "f64", // CPU time of this thread, user and system
  },
  zclab_exit: {
    parameters: ["i32"], // int status
    result: "i32", // it does not return
  },
  zclab_milliseconds: {
    parameters: [],
    result: "f64", // CLOCK_MONOTONIC
  },
  zclab_affinity_get: {
    parameters: [
      "buffer", // void *mask: out
      "u32", // uint32_t bytes
    ],
    result: "i32", // bytes written
  },
  zclab_affinity_set: {
    parameters: [
      "buffer", // const void *mask
      "u32", // uint32_t bytes
    ],
    result: "i32",
  },

  // Pages through pipes.
  zclab_pipe: {
    parameters: ["buffer"], // int *ends: out, the end to read from and the one to write to
    result: "i32",
  },
  zclab_sendfile: {
    parameters: [
      "i32", // int socket
      "i32", // int fd
      "u64", // uint64_t offset, in the file
      "u32", // uint32_t length
    ],
    result: "i32", // bytes sent
  },
  zclab_splice: {
    parameters: [
      "i32", // int from
      "i64", // int64_t offset: in the file that it is from, -1 for a pipe
      "i32", // int to
      "u32", // uint32_t length
    ],
    result: "i32", // bytes moved
  },
  zclab_vmsplice: {
    parameters: [
      "i32", // int pipe
      "u32", // uint32_t address_low
      "u32", // uint32_t address_high
      "u32", // uint32_t length
    ],
    result: "i32", // bytes taken
  },

  // The microscope of the guest.
  zclab_microscope: {
    parameters: [
      "u32", // uint32_t what: a command of vm/microscope
      "buffer", // const void *address
      "u64", // uint64_t count
      "u64", // uint64_t extra
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;
