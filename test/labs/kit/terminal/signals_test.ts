import { assertEquals } from "@std/assert";
import { runModule } from "../../../ffi/connections.ts";

const MODULE = new URL("../../../../labs/kit/terminal/signals.ts", import.meta.url);

Deno.test("onEndingSignal() takes two signals of one key press for one, and stops listening", () => {
  const { code, stdout, stderr } = runModule(`
    import { onEndingSignal, SIGNAL_EXIT } from "${MODULE}";
    const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
    {
      using _listener = onEndingSignal((_, again) => console.log(again));
      Deno.kill(Deno.pid, "SIGINT");
      Deno.kill(Deno.pid, "SIGTERM");
      await sleep(1000);
      Deno.kill(Deno.pid, "SIGHUP");
      await sleep(200);
    }
    setTimeout(() => console.log("goes on"), 10_000);
    Deno.kill(Deno.pid, "SIGTERM");
    await sleep(10_000);
  `);
  assertEquals({ code, stdout, stderr }, {
    code: 143,
    stdout: "false\ntrue\n",
    stderr: "",
  });
});
