/**
 * Constants of the kernel's io_uring and socket interfaces, under their kernel names without the
 * prefix that the name of the record says. Values are ABI: they never change.
 * Source: include/uapi/linux/io_uring.h of Linux 7.3.
 *
 * @module
 */

/** `IORING_OP_*`, and the kernel version that brought each. */
export const OP = {
  NOP: 0,
  READ_FIXED: 4,
  WRITE_FIXED: 5,
  POLL_ADD: 6,
  SENDMSG: 9,
  RECVMSG: 10,
  TIMEOUT: 11,
  ACCEPT: 13,
  ASYNC_CANCEL: 14,
  LINK_TIMEOUT: 15,
  CONNECT: 16,
  CLOSE: 19,
  READ: 22,
  WRITE: 23,
  SEND: 26,
  RECV: 27,
  SHUTDOWN: 34,
  MSG_RING: 40,
  SOCKET: 45,
  SEND_ZC: 47,
  SENDMSG_ZC: 48,
  RECV_ZC: 58,
} as const;

/** The name of an operation, as {@linkcode OP} spells it. */
export type OperationName = keyof typeof OP;

/** The kernel version that brought each operation. */
export const OP_SINCE: Readonly<Record<OperationName, string>> = {
  NOP: "5.1",
  READ_FIXED: "5.1",
  WRITE_FIXED: "5.1",
  POLL_ADD: "5.1",
  SENDMSG: "5.3",
  RECVMSG: "5.3",
  TIMEOUT: "5.4",
  ACCEPT: "5.5",
  ASYNC_CANCEL: "5.5",
  LINK_TIMEOUT: "5.5",
  CONNECT: "5.5",
  CLOSE: "5.6",
  READ: "5.6",
  WRITE: "5.6",
  SEND: "5.6",
  RECV: "5.6",
  SHUTDOWN: "5.11",
  MSG_RING: "5.18",
  SOCKET: "5.19",
  SEND_ZC: "6.0",
  SENDMSG_ZC: "6.1",
  RECV_ZC: "6.15",
};

/** `IORING_SETUP_*` */
export const SETUP = {
  CQSIZE: 1 << 3,
  CLAMP: 1 << 4,
  SUBMIT_ALL: 1 << 7,
  COOP_TASKRUN: 1 << 8,
  TASKRUN_FLAG: 1 << 9,
  CQE32: 1 << 11,
  SINGLE_ISSUER: 1 << 12,
  DEFER_TASKRUN: 1 << 13,
  NO_SQARRAY: 1 << 16,
  CQE_MIXED: 1 << 18,
} as const;

/** `IORING_FEAT_*` */
export const FEAT = {
  SINGLE_MMAP: 1 << 0,
  NODROP: 1 << 1,
  EXT_ARG: 1 << 8,
} as const;

/** `IORING_ENTER_*` */
export const ENTER = {
  GETEVENTS: 1 << 0,
  EXT_ARG: 1 << 3,
  REGISTERED_RING: 1 << 4,
} as const;

/** `IORING_SQ_*`: flags of the submission queue */
export const SQ_FLAG = {
  CQ_OVERFLOW: 1 << 1,
  TASKRUN: 1 << 2,
} as const;

/** `IORING_CQ_*`: flags of the completion queue */
export const CQ_FLAG = {
  EVENTFD_DISABLED: 1 << 0,
} as const;

/** `IORING_CQE_F_*`: flags of a completion */
export const CQE = {
  /** The upper 16 bits of the flags are the id of a provided buffer. */
  BUFFER: 1 << 0,
  /** Another completion of the same request follows. */
  MORE: 1 << 1,
  /** The socket has more to read. */
  SOCK_NONEMPTY: 1 << 2,
  /** This is the notification of a zero-copy send: its memory is free again. */
  NOTIF: 1 << 3,
  /** This only fills the gap before the end of the queue (CQE_MIXED, 6.18). */
  SKIP: 1 << 5,
  /** `IORING_CQE_F_32`: this completion takes two places in the queue (CQE_MIXED, 6.18). */
  LARGE: 1 << 15,
  /** How far to shift the flags for the id of a provided buffer. */
  BUFFER_SHIFT: 16,
} as const;

/** Bit 31 of the result of a zero-copy notification: the kernel copied (or never sent) the data. */
export const NOTIF_USAGE_ZC_COPIED = 1 << 31;

/** `IOSQE_*`: flags of a submission */
export const SQE = {
  FIXED_FILE: 1 << 0,
  IO_DRAIN: 1 << 1,
  IO_LINK: 1 << 2,
  IO_HARDLINK: 1 << 3,
  ASYNC: 1 << 4,
  BUFFER_SELECT: 1 << 5,
} as const;

/** `IORING_RECVSEND_*`, `IORING_SEND_*`, `IORING_RECV_*`: what send and receive take in `ioprio` */
export const RECVSEND = {
  POLL_FIRST: 1 << 0,
  RECV_MULTISHOT: 1 << 1,
  FIXED_BUF: 1 << 2,
  SEND_ZC_REPORT_USAGE: 1 << 3,
  SEND_VECTORIZED: 1 << 5,
} as const;

/** `IORING_ACCEPT_MULTISHOT`, in `ioprio` */
export const ACCEPT_MULTISHOT = 1 << 0;

/** `IORING_ASYNC_CANCEL_*` */
export const ASYNC_CANCEL = {
  ALL: 1 << 0,
  FD: 1 << 1,
  ANY: 1 << 2,
  FD_FIXED: 1 << 3,
} as const;

/** `IORING_TIMEOUT_*` */
export const TIMEOUT = { ETIME_SUCCESS: 1 << 5 } as const;

/** `IORING_REGISTER_*` */
export const REGISTER = {
  EVENTFD: 4,
  UNREGISTER_EVENTFD: 5,
  PROBE: 8,
  FILES2: 13,
  FILES_UPDATE2: 14,
  BUFFERS2: 15,
  BUFFERS_UPDATE: 16,
  RING_FDS: 20,
  UNREGISTER_RING_FDS: 21,
  PBUF_RING: 22,
  UNREGISTER_PBUF_RING: 23,
  SYNC_CANCEL: 24,
  NAPI: 27,
  UNREGISTER_NAPI: 28,
  ZCRX_IFQ: 32,
  QUERY: 35,
  ZCRX_CTRL: 36,
} as const;

/** `IO_URING_OP_SUPPORTED`: what `IORING_REGISTER_PROBE` says of an operation that the kernel has */
export const OP_SUPPORTED = 1 << 0;

/** `IO_URING_NAPI_*`: what `IORING_REGISTER_NAPI` does, and how a ring learns what to poll (6.9) */
export const NAPI = {
  REGISTER_OP: 0,
  STATIC_ADD_ID: 1,
  STATIC_DEL_ID: 2,
  TRACKING_DYNAMIC: 0,
  TRACKING_STATIC: 1,
  TRACKING_INACTIVE: 255,
} as const;

/** `IORING_MEM_REGION_TYPE_USER`: the region is memory of the program's */
export const MEM_REGION_TYPE_USER = 1;

/** `IO_URING_QUERY_*` (6.18) */
export const QUERY = { OPCODES: 0, ZCRX: 1, SCQ: 2, ZCRX_EVENT: 3 } as const;

/** `IORING_ZCRX_*`: zero-copy receive (6.15) */
export const ZCRX = {
  /** The bit from which on the number of the area is found in an offset. */
  AREA_SHIFT: 48,
  /** `flags` of an area: it is a dma-buf. */
  AREA_DMABUF: 1 << 0,
} as const;

/** `ZCRX_REG_*`: `flags` of a registration (6.19, 7.1) */
export const ZCRX_REG = { IMPORT: 1 << 0, NODEV: 1 << 1 } as const;

/** `ZCRX_FEATURE_*` (7.0, 7.2) */
export const ZCRX_FEATURE = { RX_PAGE_SIZE: 1 << 0, EVENT: 1 << 1 } as const;

/** `ZCRX_EVENT_*`: what happens to a receiver (7.2); bits of a mask are `1 << event` */
export const ZCRX_EVENT = { ALLOC_FAIL: 0, COPY: 1 } as const;

/** `ZCRX_EVENT_DESC_FLAG_STATS`: the refill ring's region has room for statistics (7.2) */
export const ZCRX_EVENT_DESC_FLAG_STATS = 1;

/** `ZCRX_CTRL_*` (6.19; 7.2 and 7.3 the last two) */
export const ZCRX_CTRL = { FLUSH_RQ: 0, EXPORT: 1, ARM_EVENT: 2, ADD_AREA: 3 } as const;

/** `IORING_NOP_*`: flags of a NOP (6.18 the last one) */
export const NOP = { INJECT_RESULT: 1 << 0, TW: 1 << 4, CQE32: 1 << 5 } as const;

/** `IORING_RSRC_REGISTER_SPARSE` */
export const RSRC_REGISTER_SPARSE = 1;

/** `IORING_OFF_*`: where the ring's regions are mapped */
export const OFF = {
  SQ_RING: 0n,
  CQ_RING: 0x8000000n,
  SQES: 0x10000000n,
} as const;

/** Address families, socket types and protocols of `socket(2)` */
export const AF = { INET: 2, INET6: 10 } as const;
/** Socket types */
export const SOCK = { STREAM: 1, DGRAM: 2, NONBLOCK: 0o4000, CLOEXEC: 0o2000000 } as const;

/** `MSG_*`: flags of send and receive */
export const MSG = {
  PEEK: 0x2,
  CTRUNC: 0x8,
  TRUNC: 0x20,
  DONTWAIT: 0x40,
  WAITALL: 0x100,
  ERRQUEUE: 0x2000,
  NOSIGNAL: 0x4000,
  MORE: 0x8000,
  SOCK_DEVMEM: 0x2000000,
  ZEROCOPY: 0x4000000,
} as const;

/** `TCP_ZEROCOPY_RECEIVE`: an option that is not set and not read, but called (4.18) */
export const TCP_ZEROCOPY_RECEIVE = 35;

/** `TCP_RECEIVE_ZEROCOPY_FLAG_TLB_CLEAN_HINT`: there is no page where pages are mapped to (5.11) */
export const TCP_RECEIVE_ZEROCOPY_FLAG_TLB_CLEAN_HINT = 1;

/** `POLL*`: what to poll for, and what a poll returns */
export const POLL = { IN: 0x1, PRI: 0x2, OUT: 0x4, ERR: 0x8, HUP: 0x10, RDHUP: 0x2000 } as const;
