/**
 * The layouts of the C structures that zclab reads and writes: size, and offset and width of each
 * field, in bytes. A test compares all of them with the system's own headers.
 *
 * @module
 */

/** Offset and width of each field. Width 0 marks a nested structure or an array. */
type Fields = Readonly<Record<string, readonly [offset: number, width: 0 | 1 | 2 | 4 | 8]>>;

/** A structure of the kernel's interface. */
export interface Layout<F extends Fields = Fields> {
  /** Its name in C, such as `io_uring_params`. */
  readonly name: string;
  /** Its size in bytes. */
  readonly size: number;
  /** Its fields. */
  readonly fields: F;
}

function layout<const F extends Fields>(name: string, size: number, fields: F): Layout<F> {
  return { name, size, fields };
}

/** All layouts, keyed by their C names. */
export const LAYOUTS = {
  io_uring_params: layout("io_uring_params", 120, {
    sq_entries: [0, 4],
    cq_entries: [4, 4],
    flags: [8, 4],
    features: [20, 4],
    wq_fd: [24, 4],
    sq_off: [40, 0],
    cq_off: [80, 0],
  }),
  io_sqring_offsets: layout("io_sqring_offsets", 40, {
    head: [0, 4],
    tail: [4, 4],
    ring_mask: [8, 4],
    ring_entries: [12, 4],
    flags: [16, 4],
    dropped: [20, 4],
    array: [24, 4],
  }),
  io_cqring_offsets: layout("io_cqring_offsets", 40, {
    head: [0, 4],
    tail: [4, 4],
    ring_mask: [8, 4],
    ring_entries: [12, 4],
    overflow: [16, 4],
    cqes: [20, 4],
    flags: [24, 4],
  }),
  io_uring_sqe: layout("io_uring_sqe", 64, {
    opcode: [0, 1],
    flags: [1, 1],
    ioprio: [2, 2],
    fd: [4, 4],
    off: [8, 8],
    addr: [16, 8],
    len: [24, 4],
    msg_flags: [28, 4],
    user_data: [32, 8],
    buf_index: [40, 2],
    buf_group: [40, 2],
    personality: [42, 2],
    file_index: [44, 4],
    addr_len: [44, 2],
    addr3: [48, 8],
  }),
  io_uring_cqe: layout("io_uring_cqe", 16, {
    user_data: [0, 8],
    res: [8, 4],
    flags: [12, 4],
  }),
  io_uring_getevents_arg: layout("io_uring_getevents_arg", 24, {
    sigmask: [0, 8],
    sigmask_sz: [8, 4],
    ts: [16, 8],
  }),
  io_uring_sync_cancel_reg: layout("io_uring_sync_cancel_reg", 64, {
    addr: [0, 8],
    fd: [8, 4],
    flags: [12, 4],
    tv_sec: [16, 8],
    tv_nsec: [24, 8],
    opcode: [32, 1],
  }),
  io_uring_rsrc_register: layout("io_uring_rsrc_register", 32, {
    nr: [0, 4],
    flags: [4, 4],
    data: [16, 8],
    tags: [24, 8],
  }),
  io_uring_rsrc_update: layout("io_uring_rsrc_update", 16, {
    offset: [0, 4],
    resv: [4, 4],
    data: [8, 8],
  }),
  io_uring_rsrc_update2: layout("io_uring_rsrc_update2", 32, {
    offset: [0, 4],
    data: [8, 8],
    tags: [16, 8],
    nr: [24, 4],
  }),
  io_uring_probe: layout("io_uring_probe", 16, {
    last_op: [0, 1],
    ops_len: [1, 1],
  }),
  io_uring_probe_op: layout("io_uring_probe_op", 8, {
    op: [0, 1],
    flags: [2, 2],
  }),
  io_uring_buf_reg: layout("io_uring_buf_reg", 40, {
    ring_addr: [0, 8],
    ring_entries: [8, 4],
    bgid: [12, 2],
    flags: [14, 2],
  }),
  io_uring_buf: layout("io_uring_buf", 16, {
    addr: [0, 8],
    len: [8, 4],
    bid: [12, 2],
    resv: [14, 2],
  }),
  io_uring_region_desc: layout("io_uring_region_desc", 64, {
    user_addr: [0, 8],
    size: [8, 8],
    flags: [16, 4],
    id: [20, 4],
    mmap_offset: [24, 8],
  }),
  io_uring_query_hdr: layout("io_uring_query_hdr", 40, {
    next_entry: [0, 8],
    query_data: [8, 8],
    query_op: [16, 4],
    size: [20, 4],
    result: [24, 4],
  }),
  io_uring_query_opcode: layout("io_uring_query_opcode", 48, {
    nr_request_opcodes: [0, 4],
    nr_register_opcodes: [4, 4],
    feature_flags: [8, 8],
    ring_setup_flags: [16, 8],
    enter_flags: [24, 8],
    sqe_flags: [32, 8],
    nr_query_opcodes: [40, 4],
  }),
  io_uring_query_zcrx: layout("io_uring_query_zcrx", 40, {
    register_flags: [0, 8],
    area_flags: [8, 8],
    nr_ctrl_opcodes: [16, 4],
    features: [20, 4],
    rq_hdr_size: [24, 4],
    rq_hdr_alignment: [28, 4],
  }),
  io_uring_query_zcrx_event: layout("io_uring_query_zcrx_event", 48, {
    event_flags: [0, 4],
    stats_size: [4, 4],
    stats_off_alignment: [8, 4],
  }),
  io_uring_zcrx_rqe: layout("io_uring_zcrx_rqe", 16, {
    off: [0, 8],
    len: [8, 4],
    __pad: [12, 4],
  }),
  io_uring_zcrx_cqe: layout("io_uring_zcrx_cqe", 16, {
    off: [0, 8],
    __pad: [8, 8],
  }),
  io_uring_zcrx_offsets: layout("io_uring_zcrx_offsets", 32, {
    head: [0, 4],
    tail: [4, 4],
    rqes: [8, 4],
  }),
  io_uring_zcrx_area_reg: layout("io_uring_zcrx_area_reg", 48, {
    addr: [0, 8],
    len: [8, 8],
    rq_area_token: [16, 8],
    flags: [24, 4],
    dmabuf_fd: [28, 4],
  }),
  io_uring_zcrx_ifq_reg: layout("io_uring_zcrx_ifq_reg", 96, {
    if_idx: [0, 4],
    if_rxq: [4, 4],
    rq_entries: [8, 4],
    flags: [12, 4],
    area_ptr: [16, 8],
    region_ptr: [24, 8],
    offsets: [32, 0],
    zcrx_id: [64, 4],
    rx_buf_len: [68, 4],
    event_desc: [72, 8],
  }),
  zcrx_event_desc: layout("zcrx_event_desc", 96, {
    user_data: [0, 8],
    type_mask: [8, 4],
    flags: [12, 4],
    stats_offset: [16, 8],
  }),
  zcrx_stats: layout("zcrx_stats", 16, {
    copy_count: [0, 8],
    copy_bytes: [8, 8],
  }),
  zcrx_ctrl: layout("zcrx_ctrl", 72, {
    zcrx_id: [0, 4],
    op: [4, 4],
    zc_export: [24, 0],
    zc_flush: [24, 0],
    zc_arm_event: [24, 0],
    zc_area: [24, 0],
  }),
  zcrx_ctrl_export: layout("zcrx_ctrl_export", 48, {
    zcrx_fd: [0, 4],
  }),
  zcrx_ctrl_arm_event: layout("zcrx_ctrl_arm_event", 48, {
    event_type: [0, 4],
  }),
  zcrx_ctrl_add_area: layout("zcrx_ctrl_add_area", 48, {
    area_ptr: [0, 8],
  }),
  io_uring_napi: layout("io_uring_napi", 16, {
    busy_poll_to: [0, 4],
    prefer_busy_poll: [4, 1],
    opcode: [5, 1],
    op_param: [8, 4],
  }),
  iovec: layout("iovec", 16, {
    iov_base: [0, 8],
    iov_len: [8, 8],
  }),
  msghdr: layout("msghdr", 56, {
    msg_name: [0, 8],
    msg_namelen: [8, 4],
    msg_iov: [16, 8],
    msg_iovlen: [24, 8],
    msg_control: [32, 8],
    msg_controllen: [40, 8],
    msg_flags: [48, 4],
  }),
  cmsghdr: layout("cmsghdr", 16, {
    cmsg_len: [0, 8],
    cmsg_level: [8, 4],
    cmsg_type: [12, 4],
  }),
  tcp_zerocopy_receive: layout("tcp_zerocopy_receive", 64, {
    address: [0, 8],
    length: [8, 4],
    recv_skip_hint: [12, 4],
    inq: [16, 4],
    err: [20, 4],
    copybuf_address: [24, 8],
    copybuf_len: [32, 4],
    flags: [36, 4],
    msg_control: [40, 8],
    msg_controllen: [48, 8],
    msg_flags: [56, 4],
    reserved: [60, 4],
  }),
  __kernel_timespec: layout("__kernel_timespec", 16, {
    tv_sec: [0, 8],
    tv_nsec: [8, 8],
  }),
  sockaddr_in: layout("sockaddr_in", 16, {
    sin_family: [0, 2],
    sin_port: [2, 2],
    sin_addr: [4, 0],
  }),
  sockaddr_in6: layout("sockaddr_in6", 28, {
    sin6_family: [0, 2],
    sin6_port: [2, 2],
    sin6_flowinfo: [4, 4],
    sin6_addr: [8, 0],
    sin6_scope_id: [24, 4],
  }),
} as const;

/** One structure in memory of its own, read and written by field name. Not for hot paths. */
export class Struct<F extends Fields = Fields> {
  /** The memory; pass this to foreign functions. */
  readonly buffer: ArrayBuffer;
  readonly #view: DataView;
  readonly #fields: F;

  /**
   * @param layout Which structure.
   * @param options `buffer` and `at`: existing memory, and where in it the structure starts;
   *   without them the structure gets zeroed memory of its own.
   */
  constructor(layout: Layout<F>, options: { buffer?: ArrayBuffer; at?: number } = {}) {
    this.buffer = options.buffer ?? new ArrayBuffer(layout.size);
    this.#view = new DataView(this.buffer, options.at ?? 0, layout.size);
    this.#fields = layout.fields;
  }

  /** Writes a field; an unsigned number of its width, or a bigint for 8 bytes. */
  set(field: keyof F & string, value: number | bigint): this {
    const [offset, width] = this.#fields[field]!;
    switch (width) {
      case 1:
        this.#view.setUint8(offset, Number(value));
        break;
      case 2:
        this.#view.setUint16(offset, Number(value), true);
        break;
      case 4:
        this.#view.setUint32(offset, Number(value), true);
        break;
      case 8:
        this.#view.setBigUint64(offset, BigInt(value), true);
        break;
      default:
        throw new TypeError(`${field} is not a number`);
    }
    return this;
  }

  /** Reads a field of at most 4 bytes as an unsigned number. */
  get(field: keyof F & string): number {
    const [offset, width] = this.#fields[field]!;
    switch (width) {
      case 1:
        return this.#view.getUint8(offset);
      case 2:
        return this.#view.getUint16(offset, true);
      case 4:
        return this.#view.getUint32(offset, true);
      case 8:
        return Number(this.#view.getBigUint64(offset, true));
      default:
        throw new TypeError(`${field} is not a number`);
    }
  }
}
