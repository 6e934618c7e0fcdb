import { assert, assertEquals, assertRejects } from "@std/assert";
import { ClosedError } from "../../../../ffi/kernel/errors.ts";
import { PeerError, WorkerPeer } from "../../../../labs/kit/workload/peer.ts";
import type { Doubling } from "./sample_peer_thread.ts";

const MODULE = new URL("./sample_peer_thread.ts", import.meta.url);

function start(module = MODULE): Promise<WorkerPeer<Doubling, number>> {
  return WorkerPeer.start(module, "The sample");
}

Deno.test("a peer answers one request after the other, and begins when it is let", async () => {
  using peer = await start();
  const begun = new Int32Array(new SharedArrayBuffer(4));
  for (const value of [1, 2, 3]) {
    const { begin, answer } = await peer.request({ value, begun });
    // Long enough for a thread that does not wait.
    assertEquals(Atomics.wait(begun, 0, value - 1, 20), "timed-out");
    begin();
    // The thread that let it begin may block: nothing of its event loop is needed.
    while (Atomics.load(begun, 0) < value) Atomics.wait(begun, 0, value - 1, 1);
    assertEquals(await answer, 2 * value);
  }
});

Deno.test("a peer that fails says at what, before it began and after, and goes on", async () => {
  using peer = await start();
  await assertRejects(
    () => peer.request({ value: 1, fails: "before" }),
    PeerError,
    "The sample failed: RangeError: not prepared",
  );
  const failing = await peer.request({ value: 1, fails: "after" });
  failing.begin();
  await assertRejects(() => failing.answer, PeerError, "The sample failed: RangeError: not done");
  const { begin, answer } = await peer.request({ value: 4 });
  begin();
  assertEquals(await answer, 8);
});

Deno.test("a peer has one request at a time", async () => {
  using peer = await start();
  const { begin, answer } = await peer.request({ value: 1 });
  await assertRejects(() => peer.request({ value: 2 }), PeerError, "is busy");
  begin();
  assertEquals(await answer, 2);
});

Deno.test("a peer that is closed answers nothing any more", async () => {
  const peer = await start();
  const { answer } = await peer.request({ value: 1 });
  assert(!peer.isClosed);
  peer.close();
  peer.close();
  assert(peer.isClosed);
  await assertRejects(() => answer, PeerError, "closed");
  await assertRejects(() => peer.request({ value: 1 }), ClosedError);
});

Deno.test("a peer whose module fails does not start", async () => {
  const module = new URL('data:application/javascript,throw new Error("no such thing")');
  await assertRejects(() => start(module), PeerError, "no such thing");
});
