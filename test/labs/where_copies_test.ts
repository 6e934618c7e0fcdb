/**
 * where-copies, in a guest with the microscope: the number of copies on each path, and who makes them.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { textOf } from "../ffi/connections.ts";
import { testsNeeding } from "../needs.ts";
import { rowsOf, runLab } from "./run_lab.ts";

const test = testsNeeding("microscope", "softnic", "udmabuf");
const withoutIt = testsNeeding({ without: "microscope" });

type Row = {
  readonly link: string;
  readonly path: string;
  readonly copies: Readonly<Record<"sender" | "nic" | "receiver" | "application", number>>;
  readonly by: string;
  readonly kernelSays: string;
  readonly proof: string;
};

/** Rows as link, path, and the copies of sender, NIC, receiver and application. */
function countsOf(rows: readonly Row[]): string[] {
  return rows.map(({ link, path, copies: { sender, nic, receiver, application } }) =>
    `${link}: ${path}: ${sender} ${nic} ${receiver} ${application}`
  );
}

/** What the rows prove, and what they must prove by their counts. */
function proofsOf(rows: readonly Row[]): string[] {
  return rows.map(({ link, path, proof }) => `${link}: ${path}: ${proof}`);
}

function sumsOf(rows: readonly Row[]): string[] {
  return rows.map(({ link, path, copies }) => {
    const sum = Object.values(copies).reduce((sum, count) => sum + count, 0);
    return `${link}: ${path}: ${["no copy", "1 copy"][sum] ?? `${sum} copies`}`;
  });
}

/** Ways of sending that lend the kernel their pages. */
const LENDING = ["send-zc", "send-zc-fixed", "msg-zerocopy"] as const;

/** The copies on a path for send, for each way that lends pages, and for those that give a file's. */
function paths(to: string, copying: string, lending: string, file: string): string[] {
  const [link, receive] = to.split(" ");
  return [
    `${link}: send + ${receive}: ${copying}`,
    ...LENDING.map((send) => `${link}: ${send} + ${receive}: ${lending}`),
    ...["sendfile", "splice"].map((send) => `${link}: ${send} + ${receive}: ${file}`),
  ];
}

test("where-copies --quick counts each copy, and the kernel says the same", async () => {
  const { document, text } = await runLab(
    ...["where-copies", "--quick", "--repeats", "1", "--bytes", "8192"],
  );
  assertEquals([document.lab, document.complete], ["where-copies", true]);
  const rows = rowsOf<Row>(document);
  assertEquals(countsOf(rows), [
    "ifb: send: 1 0 0 0",
    ...LENDING.map((send) => `ifb: ${send}: 0 0 0 0`),
    "disk: write: 1 0 0 0",
    "disk: write-direct: 0 0 0 0",
    ...paths("loopback recv", "1 0 1 0", "0 0 2 0", "0 0 1 0"),
    ...paths("loopback tcp-zerocopy", "1 0 1 0", "0 0 1 0", "0 0 1 0"),
    ...paths("loopback zcrx-no-device", "1 0 1 0", "0 0 2 0", "0 0 1 0"),
    ...paths("softnic recv", "1 1 1 0", "0 1 1 0", "0 1 1 0"),
    ...paths("softnic tcp-zerocopy", "1 1 0 0", "0 1 0 0", "0 1 0 0"),
    ...paths("softnic zcrx", "1 1 0 0", "0 1 0 0", "0 1 0 0"),
    ...paths("softnic zcrx-no-device", "1 1 1 0", "0 1 1 0", "0 1 1 0"),
  ]);
  assertEquals(proofsOf(rows), sumsOf(rows));
  const of = (link: string, path: string): string[] => {
    const row = rows.find((one) => one.link === link && one.path === path)!;
    return [row.by, row.kernelSays];
  };
  assertEquals(of("ifb", "send"), ["sender: 1 _copy_from_iter", "nothing"]);
  assertEquals(of("ifb", "send-zc-fixed"), ["nobody", "not copied"]);
  assertEquals(of("disk", "write-direct"), ["nobody", "the page cache has 0 B"]);
  assertEquals(of("loopback", "send-zc + recv"), [
    "receiver: 1 skb_copy_ubufs, 1 _copy_to_iter",
    "copied",
  ]);
  assertEquals(of("loopback", "send + zcrx-no-device"), [
    "sender: 1 _copy_from_iter; receiver: 1 io_zcrx_copy_chunk",
    "zcrx copied 8192 B",
  ]);
  assertEquals(of("softnic", "send + recv"), [
    "sender: 1 _copy_from_iter; nic: 1 softnic_read; receiver: 1 _copy_to_iter",
    "the NIC placed 0 B",
  ]);
  assertEquals(of("loopback", "send-zc + tcp-zerocopy"), [
    "receiver: 1 skb_copy_ubufs",
    "copied, TCP_ZEROCOPY_RECEIVE copied 0 B, mapped 8192 B",
  ]);
  assertEquals(of("loopback", "sendfile + tcp-zerocopy"), [
    "receiver: 1 _copy_to_iter",
    "TCP_ZEROCOPY_RECEIVE copied 8192 B, mapped 0 B",
  ]);
  assertEquals(of("softnic", "send-zc + tcp-zerocopy"), [
    "nic: 1 softnic_read",
    "not copied, TCP_ZEROCOPY_RECEIVE copied 0 B, mapped 8192 B, the NIC placed 0 B",
  ]);
  assertEquals(of("softnic", "send-zc + zcrx"), [
    "nic: 1 softnic_read",
    "not copied, zcrx copied 0 B, the NIC placed 8192 B",
  ]);
  assertStringIncludes(
    text,
    "In 48 of 48 rows the kernel and the NIC say what the microscope saw.",
  );
});

test("where-copies counts odd payloads of zeros exactly, down to one byte", async () => {
  const { document } = await runLab(
    ...["where-copies", "--quick", "--repeats", "1", "--bytes", "1,4093", "--fill", "zeros"],
    ...["--link", "ifb,softnic", "--send", "send,send-zc", "--receive", "zcrx,devmem"],
  );
  const rows = rowsOf<Row>(document);
  const expected = [
    "ifb: send: 1 0 0 0",
    "ifb: send-zc: 0 0 0 0",
    "softnic: send + zcrx: 1 1 0 0",
    "softnic: send-zc + zcrx: 0 1 0 0",
    "softnic: send + devmem: 1 1 0 0",
    "softnic: send-zc + devmem: 0 1 0 0",
  ];
  assertEquals(countsOf(rows), [...expected, ...expected]);
  assertEquals(proofsOf(rows), sumsOf(rows));
});

test("where-copies draws what changes from a copying send to one that lends its pages", async () => {
  const path = await Deno.makeTempFile({ suffix: ".txt" });
  try {
    await runLab(
      ...["where-copies", "--quick", "--link", "ifb", "--send", "send,send-zc"],
      ...["--changes", path],
    );
    const text = await Deno.readTextFile(path);
    assertStringIncludes(
      text,
      "What changes from send, 8192 bytes, ifb to send-zc, 8192 bytes, ifb",
    );
    // A word of 8 bytes for each instruction, and some more: the copy, and memory that was cleared for it.
    assertMatch(text, /^−1\d{3} {2}rep_movs_alternative +copied payload/m);
    assertMatch(text, /^−\d{4} {2}__clear_pages/m);
    assertMatch(text, /^ *\+\d+ {2}gup_fast_fallback +new/m);
  } finally {
    await Deno.remove(path);
  }
});

withoutIt("where-copies says where there is a microscope", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "labs/main.ts", "where-copies", "--quick"],
    cwd: new URL("../..", import.meta.url),
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  assertEquals(code, 77);
  assertMatch(
    textOf(stderr),
    /microscope: .*deno task vm --microscope -- deno task lab where-copies/,
  );
});
