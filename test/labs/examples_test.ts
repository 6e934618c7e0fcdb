import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { Command } from "../child.ts";
import { textOf } from "../ffi/connections.ts";
import { type Need, test } from "../needs.ts";

const PROJECT = fromFileUrl(new URL("../..", import.meta.url));
const FOLDER = `${PROJECT}labs/examples/`;

const RING: readonly Need[] = ["liburing", "shim", "io_uring"];
const LINKS: readonly Need[] = [...RING, "namespaces", "ip", "nsenter"];
const SINK: readonly Need[] = [...LINKS, "ifb", "tc", "IORING_OP_SEND_ZC"];

/** What each example needs and prints. */
const EXAMPLES: { readonly [file: string]: readonly [needs: readonly Need[], printed: RegExp] } = {
  "01_request_and_completion.ts": [
    RING,
    /^3 requests are prepared.*\nrequest 1 returned 0\nrequest 2 returned 0\nrequest 3 returned 0\n$/,
  ],
  "02_does_it_copy.ts": [SINK, /^256 requests, copied: 0\n$/],
  "03_it_must_copy.ts": [[...LINKS, "IORING_OP_SEND_ZC"], /^16 requests, copied: 16\n$/],
  "04_await.ts": [[...LINKS, "veth"], /^hello\n$/],
  "05_who_owns_it.ts": [SINK, /^OwnershipError: The kernel owns 1000 bytes.*\nfree again\n$/],
  "06_registered_buffer.ts": [
    SINK,
    /^not registered: \d.* µs for each request\nregistered: \d.* µs for each request\n$/,
  ],
  "07_multishot_receive.ts": [[...LINKS, "veth"], /^one\ntwo\nthree\n$/],
  "08_wait_then_send.ts": [
    SINK,
    /^the wait returned -62\nthe send returned 100\nafter (?:[5-9]\d|\d{3,}) ms\n$/,
  ],
  "09_busy_polling.ts": [
    [...LINKS, "veth", "ethtool", "IORING_REGISTER_NAPI"],
    /^sleeping: \d.* µs for each message\npolling: \d.* µs for each message\n$/,
  ],
  "10_experiment.ts": [SINK, /^600 bytes: .+\n8000 bytes: .+\n$/],
  "11_zero_copy_receive.ts": [
    [...LINKS, "softnic", "zcrx"],
    /^hello at byte \d+ of the area\nthe kernel copied 0 bytes\n$/,
  ],
  "12_first_touch.ts": [
    LINKS,
    /^Experiment: 5 rounds [^]*\nfresh +\d[^]*\ntouched +\d[^]*\n(fresh is|no difference seen).*\n$/,
  ],
};

for (const [file, [needs, printed]] of Object.entries(EXAMPLES)) {
  test(`the example ${file} runs and prints what it says`, { needs }, () => {
    const { code, stdout, stderr } = new Command(Deno.execPath(), {
      args: ["run", "--allow-all", `${FOLDER}${file}`],
      env: { NO_COLOR: "1" },
    }).outputSync();
    assertEquals(code, 0, textOf(stderr));
    assertMatch(textOf(stdout), printed);
  });
}

Deno.test("every example is run, and has its line in their README", () => {
  const files = [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
    .filter((name) => name !== "README.md").sort();
  assertEquals(files, Object.keys(EXAMPLES).sort());
  const readme = Deno.readTextFileSync(`${FOLDER}README.md`);
  for (const file of files) assertStringIncludes(readme, `](${file})`);
});
