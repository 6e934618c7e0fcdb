import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { rxHeldPieces, rxZcrx, whereCopies } from "zclab/labs";
import { OptionError } from "zclab/lab";
import { argumentsOf, guestArguments } from "../../../../labs/kit/notebook/in_guest.ts";
import { parseLabCommand } from "../../../../labs/kit/commands/lab.ts";
import { Command } from "../../../child.ts";
import { testsNeeding } from "../../../needs.ts";
import { SAMPLE } from "../../sample_lab.ts";
import { until } from "../../../until.ts";

const PROGRAM = fromFileUrl(new URL("in_guest_program.ts", import.meta.url));
const RECORDED = fromFileUrl(
  new URL("../../../../notebooks/recorded/rx_held_pieces.json", import.meta.url),
);

Deno.test("argumentsOf() gives what the command line reads back", () => {
  const options = { payload: [600, 9000], mode: ["zc", "zc+flush"] } as const;
  const args = argumentsOf(SAMPLE, { options, quick: true, repeats: 3, seed: 9 });
  const request = parseLabCommand(args, [SAMPLE]);
  assert(request.kind === "run");
  assertEquals(request.given.options, options as unknown as typeof request.given.options);
  assertEquals(
    [request.given.quick, request.given.repeats, request.given.seed],
    [true, 3, 9],
  );
  assertEquals(argumentsOf(rxZcrx, {}), ["rx-zcrx", "--seed=1"]);
  for (const look of [{}, { row: "zcrx,softnic", against: "recv" }, { changes: true }]) {
    const looking = parseLabCommand(argumentsOf(rxZcrx, { look }), [rxZcrx]);
    assert(looking.kind === "run");
    assertEquals(looking.given.look, { changes: false, ...look });
  }
});

Deno.test("argumentsOf() refuses what the lab does not have, before anything boots", () => {
  assertThrows(
    () => argumentsOf(rxHeldPieces, { options: { buffers: 1 } }),
    OptionError,
    "buffers",
  );
  assertThrows(() => argumentsOf(rxHeldPieces, { repeats: 0 }), OptionError, "repeats");
});

Deno.test("guestArguments() asks for the microscope where the lab needs it, or who runs it does", () => {
  assertEquals(guestArguments(rxZcrx), ["--clock=time"]);
  assertEquals(guestArguments(rxZcrx, { clock: "instructions" }), ["--clock=instructions"]);
  assertEquals(guestArguments(rxZcrx, { microscope: true }), ["--microscope"]);
  assertEquals(guestArguments(whereCopies), ["--microscope"]);
  assertEquals(guestArguments(whereCopies, { microscope: false }), ["--clock=time"]);
  // Which `deno task vm` refuses.
  assertEquals(guestArguments(whereCopies, { clock: "time" }), ["--microscope", "--clock=time"]);
});

/** Where the lab runs here, there is nothing to be seen of the guest. */
const test = testsNeeding("guest", { without: "zcrx" });

test("a lab runs in the guest, and its result is here; the guest ends with the program", async () => {
  const folder = await Deno.makeTempDir({ prefix: "zclab-test-" });
  try {
    const { success, stdout, stderr } = await new Command(Deno.execPath(), {
      args: ["run", "--allow-all", PROGRAM, RECORDED],
      env: { TMPDIR: folder },
      seconds: 900,
    }).output();
    assertEquals(success, true, new TextDecoder().decode(stderr));
    const { before, text, shown, document, after } = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals(before.recorded, true);
    assertMatch(
      before.source,
      /^RECORDED RUN, not measured here.*After deno task vm start it runs/,
    );
    assertStringIncludes(text, "goes on");
    assertEquals(shown, text.trimEnd());
    assertEquals(document.lab, "rx-held-pieces");
    assertEquals(document.invocation, {
      options: { buffers: 4 },
      quick: false,
      seed: 7,
      repeats: 1,
    });
    assertEquals([after.recorded, after.guest], [false, true]);
    const { release } = document.environment.kernel;
    assertEquals(after.source, `Measured in the guest, on Linux ${release}.`);
    await until(
      "nothing is left",
      () => ![...Deno.readDirSync(folder)].some(({ name }) => name.startsWith("zclab-standing-")),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
