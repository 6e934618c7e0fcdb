import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { Command } from "../child.ts";
import { textOf } from "../ffi/connections.ts";

const PROJECT = fromFileUrl(new URL("../..", import.meta.url));
const FOLDER = `${PROJECT}labs/examples/`;

/** What each example prints. */
const PRINTED: { readonly [file: string]: RegExp } = {
  "01_request_and_completion.ts":
    /^3 requests are prepared.*\nrequest 1 returned 0\nrequest 2 returned 0\nrequest 3 returned 0\n$/,
  "02_does_it_copy.ts": /^256 requests, copied: 0\n$/,
  "03_it_must_copy.ts": /^16 requests, copied: 16\n$/,
  "04_await.ts": /^hello\n$/,
  "05_who_owns_it.ts": /^OwnershipError: The kernel owns 1000 bytes.*\nfree again\n$/,
  "06_registered_buffer.ts": /^not registered: \d.* µs for each request\nregistered: \d.*\n$/,
  "07_multishot_receive.ts": /^one\ntwo\nthree\n$/,
  "08_wait_then_send.ts": /^the wait returned -62\nthe send returned 100\nafter [5-9]\d+ ms\n$/,
  "09_busy_polling.ts": /^sleeping: \d.* µs for each message\npolling: \d.* µs for each message\n$/,
  "10_experiment.ts": /^600 bytes: .+\n8000 bytes: .+\n$/,
};
/** Runs only in the guest. */
const IN_GUEST = "11_zero_copy_receive.ts";

function run(file: string): { code: number; stdout: string; stderr: string } {
  const { code, stdout, stderr } = new Command(Deno.execPath(), {
    args: ["run", "--allow-all", `${FOLDER}${file}`],
    env: { NO_COLOR: "1" },
  }).outputSync();
  return { code, stdout: textOf(stdout), stderr: textOf(stderr) };
}

for (const [file, printed] of Object.entries(PRINTED)) {
  Deno.test(`the example ${file} runs and prints what it says`, () => {
    const { code, stdout, stderr } = run(file);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, printed);
  });
}

Deno.test("every example is run, and has its line in the README", () => {
  const files = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();
  assertEquals(files, [...Object.keys(PRINTED), IN_GUEST].sort());
  const readme = Deno.readTextFileSync(`${PROJECT}README.md`);
  for (const file of files) assertMatch(readme, new RegExp(`labs/examples/${file}`), file);
});
