import { assert, assertEquals } from "@std/assert";
import { CAP } from "../../../ffi/kernel/capability.ts";
import { ERRNO } from "../../../ffi/kernel/errno.ts";
import { describeErrno } from "../../../ffi/kernel/errors.ts";
import { SOCKET_OPTIONS } from "../../../ffi/net/socket_options.ts";
import * as uapi from "../../../ffi/kernel/uapi.ts";
import { test } from "../../needs.ts";
import { askHeaders } from "../headers.ts";

/** Each record of constants with what the headers put before the names in it. */
const RECORDS: readonly (readonly [prefix: string, values: Readonly<Record<string, number>>])[] = [
  ["IORING_OP_", uapi.OP],
  ["IORING_SETUP_", uapi.SETUP],
  ["IORING_FEAT_", uapi.FEAT],
  ["IORING_ENTER_", uapi.ENTER],
  ["IORING_SQ_", { CQ_OVERFLOW: uapi.SQ_FLAG.CQ_OVERFLOW, TASKRUN: uapi.SQ_FLAG.TASKRUN }],
  ["IORING_CQ_", uapi.CQ_FLAG],
  ["IORING_CQE_F_", {
    BUFFER: uapi.CQE.BUFFER,
    MORE: uapi.CQE.MORE,
    SOCK_NONEMPTY: uapi.CQE.SOCK_NONEMPTY,
    NOTIF: uapi.CQE.NOTIF,
    SKIP: uapi.CQE.SKIP,
    32: uapi.CQE.LARGE,
  }],
  ["IORING_CQE_", { BUFFER_SHIFT: uapi.CQE.BUFFER_SHIFT }],
  ["IOSQE_", uapi.SQE],
  ["IORING_ASYNC_CANCEL_", uapi.ASYNC_CANCEL],
  ["IORING_", {
    ACCEPT_MULTISHOT: uapi.ACCEPT_MULTISHOT,
    NOTIF_USAGE_ZC_COPIED: uapi.NOTIF_USAGE_ZC_COPIED >>> 0,
    RSRC_REGISTER_SPARSE: uapi.RSRC_REGISTER_SPARSE,
    OFF_SQ_RING: Number(uapi.OFF.SQ_RING),
    OFF_CQ_RING: Number(uapi.OFF.CQ_RING),
    OFF_SQES: Number(uapi.OFF.SQES),
    RECVSEND_POLL_FIRST: uapi.RECVSEND.POLL_FIRST,
    RECV_MULTISHOT: uapi.RECVSEND.RECV_MULTISHOT,
    RECVSEND_FIXED_BUF: uapi.RECVSEND.FIXED_BUF,
    SEND_ZC_REPORT_USAGE: uapi.RECVSEND.SEND_ZC_REPORT_USAGE,
    SEND_VECTORIZED: uapi.RECVSEND.SEND_VECTORIZED,
  }],
  ["IORING_", {
    MEM_REGION_TYPE_USER: uapi.MEM_REGION_TYPE_USER,
    ZCRX_AREA_SHIFT: uapi.ZCRX.AREA_SHIFT,
    ZCRX_AREA_DMABUF: uapi.ZCRX.AREA_DMABUF,
  }],
  ["IORING_NOP_", uapi.NOP],
  ["IO_URING_", { OP_SUPPORTED: uapi.OP_SUPPORTED }],
  ["IO_URING_NAPI_", uapi.NAPI],
  ["IO_URING_QUERY_", uapi.QUERY],
  ["ZCRX_REG_", uapi.ZCRX_REG],
  ["ZCRX_FEATURE_", uapi.ZCRX_FEATURE],
  ["ZCRX_EVENT_", uapi.ZCRX_EVENT],
  ["ZCRX_EVENT_DESC_FLAG_", { STATS: uapi.ZCRX_EVENT_DESC_FLAG_STATS }],
  ["ZCRX_CTRL_", uapi.ZCRX_CTRL],
  ["CAP_", CAP],
  ["AF_", uapi.AF],
  ["SOCK_", uapi.SOCK],
  ["MSG_", uapi.MSG],
  ["POLL", uapi.POLL],
  ["TCP_", {
    ZEROCOPY_RECEIVE: uapi.TCP_ZEROCOPY_RECEIVE,
    RECEIVE_ZEROCOPY_FLAG_TLB_CLEAN_HINT: uapi.TCP_RECEIVE_ZEROCOPY_FLAG_TLB_CLEAN_HINT,
  }],
  ["", ERRNO],
];

/** The kernel's names that do not follow from ours. */
const REGISTER_NAMES: Readonly<Record<string, string>> = {
  UNREGISTER_EVENTFD: "IORING_UNREGISTER_EVENTFD",
  UNREGISTER_RING_FDS: "IORING_UNREGISTER_RING_FDS",
  UNREGISTER_PBUF_RING: "IORING_UNREGISTER_PBUF_RING",
  UNREGISTER_NAPI: "IORING_UNREGISTER_NAPI",
};

const LEVELS = ["SOL_SOCKET", "IPPROTO_IP", "IPPROTO_TCP", "IPPROTO_UDP", "IPPROTO_IPV6"];
const ERRNOS = [1, 2, 4, 11, 12, 14, 16, 17, 22, 28, 33, 53, 61, 62, 77, 85, 90, 95, 104, 105, 109]
  .concat(110, 111, 125);

const ours = new Map<string, number>();
for (const [prefix, values] of RECORDS) {
  for (const [name, value] of Object.entries(values)) ours.set(`${prefix}${name}`, value);
}
for (const [name, value] of Object.entries(uapi.REGISTER)) {
  ours.set(REGISTER_NAMES[name] ?? `IORING_REGISTER_${name}`, value);
}
for (const [name, [, value]] of Object.entries(SOCKET_OPTIONS)) ours.set(name, value);
for (const errno of ERRNOS) ours.set(describeErrno(errno)[0], errno);

const questions = new Map([...ours.keys(), ...LEVELS].map((name) => [name, name]));
const answers = askHeaders(questions);
const missing = [...ours.keys()].filter((name) => !answers.has(name));

Deno.test("Constants have the values of the system's headers", () => {
  for (const [name, value] of ours) {
    if (missing.includes(name)) continue;
    assertEquals(value >>> 0, Number(BigInt.asUintN(32, answers.get(name)!)), name);
  }
  assert(ours.size - missing.length > 100, "most constants are known to any headers");
});

test("All constants are known to the headers", {
  needs: [{
    name: `headers with ${missing.join(", ")}`,
    here: missing.length === 0,
    inGuest: true,
  }],
}, () => assertEquals(missing, []));

Deno.test("Socket options have the levels of the system's headers", () => {
  const prefixes: Readonly<Record<string, string>> = {
    SO: "SOL_SOCKET",
    IP: "IPPROTO_IP",
    IPV6: "IPPROTO_IPV6",
    TCP: "IPPROTO_TCP",
    UDP: "IPPROTO_UDP",
  };
  for (const [name, [level]] of Object.entries(SOCKET_OPTIONS)) {
    const expected = prefixes[name.slice(0, name.indexOf("_"))]!;
    assertEquals<number>(level, Number(answers.get(expected)), name);
  }
});

Deno.test("Every operation says since which kernel it exists", () => {
  assertEquals(Object.keys(uapi.OP_SINCE), Object.keys(uapi.OP));
  for (const since of Object.values(uapi.OP_SINCE)) assert(/^\d+\.\d+$/.test(since), since);
});
