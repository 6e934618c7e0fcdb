/**
 * Looks at some paths with the microscope, and writes what was seen to a file: the recorded views that
 * notebooks draw. It runs in a guest with the microscope; `deno task notebook --record` starts it.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { Area, Microscope, type MicroscopeView, type Slice } from "zclab";
import { environment } from "zclab/experiment";
import { DatagramSink, fillStream, lookAtPath, StreamLink } from "zclab/lab";
import { compactView, type ViewsDocument } from "../exercises/recorded_views.ts";

/** Of so many windows the one with the fewest instructions is kept: others have the engine's in them. */
const WINDOWS = 5;

/** The same payload each time. */
function payloadOf(length: number): Uint8Array {
  const words = new Uint8Array(Math.ceil(length / 4) * 4);
  fillStream(words);
  return words.subarray(0, length);
}

/** What each view looks at. */
const VIEWS: Readonly<Record<string, (microscope: Microscope) => Promise<MicroscopeView>>> = {
  "send into ifb": (microscope) => intoSink(microscope, "send"),
  "send-zc into ifb": (microscope) => intoSink(microscope, "send-zc"),
  "send-zc over loopback": (microscope) => overLoopback(microscope, payloadOf(8192)),
  "zeros over loopback": (microscope) => overLoopback(microscope, new Uint8Array(8192)),
  "a program's own copy": copyInProgram,
};

async function intoSink(
  microscope: Microscope,
  send: "send" | "send-zc",
): Promise<MicroscopeView> {
  await using sink = await DatagramSink.open("ifb");
  const options = { send, receive: "nobody", bytes: payloadOf(8000) } as const;
  return await leastOf(async () => (await lookAtPath(microscope, sink, options)).view);
}

async function overLoopback(microscope: Microscope, bytes: Uint8Array): Promise<MicroscopeView> {
  await using link = await StreamLink.open({ kind: "loopback" });
  const options = { send: "send-zc", receive: "recv", bytes } as const;
  return await leastOf(async () => (await lookAtPath(microscope, link, options)).view);
}

/** A program that copies what it was given, as many do before they look at it. */
async function copyInProgram(microscope: Microscope): Promise<MicroscopeView> {
  using area = Area.map({ bytes: 2 * 8192 });
  const [payload, copy] = area.chunks(8192) as [Slice, Slice];
  microscope.watch(payload.write(payloadOf(8192)));
  const [from, to] = [payload.bytes, copy.write(new Uint8Array(8192)).bytes];
  return await leastOf(() => Promise.resolve(microscope.look("copy", () => to.set(from))));
}

async function leastOf(look: () => Promise<MicroscopeView>): Promise<MicroscopeView> {
  let least: MicroscopeView | undefined;
  for (let window = 0; window < WINDOWS; window++) {
    const view = await look();
    if (least === undefined || view.instructions.own < least.instructions.own) least = view;
  }
  return least!;
}

if (import.meta.main) {
  const { json, _: asked } = parseArgs(Deno.args, { string: ["json"] });
  if (typeof json !== "string") throw new TypeError("--json FILE is missing");
  using microscope = Microscope.open();
  const { kernel } = environment();
  const views: Record<string, ReturnType<typeof compactView>> = {};
  for (const [name, look] of Object.entries(VIEWS)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    const view = await look(microscope);
    console.log(`${name}: ${view.instructions.own} instructions`);
    views[name] = compactView(view);
  }
  const document: ViewsDocument = {
    recordedAt: new Date().toISOString().slice(0, 10),
    kernel: kernel.release ?? "(unknown)",
    clearsOnAllocation: kernel.clearsOnAllocation ?? null,
    views,
  };
  Deno.writeTextFileSync(json, `${JSON.stringify(document)}\n`);
}
