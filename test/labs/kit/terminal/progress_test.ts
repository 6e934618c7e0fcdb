import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { stripVTControlCharacters } from "node:util";
import { Progress, type ProgressOptions } from "../../../../labs/kit/terminal/progress.ts";
import { displayWidth } from "../../../../labs/kit/text/table.ts";
import { Command } from "../../../child.ts";

/** A terminal that keeps what is written, and a clock that a test sets. */
class Terminal {
  written: string[] = [];
  time = 0;
  columns = 80;

  progress(options: ProgressOptions = {}): Progress {
    return new Progress({
      enabled: true,
      write: (text) => void this.written.push(text),
      columns: () => this.columns,
      now: () => this.time,
      ...options,
    });
  }

  /** What the line shows now. */
  get line(): string {
    const text = this.written.join("");
    return stripVTControlCharacters(text.slice(text.lastIndexOf("\x1b[2K"))).trim();
  }
}

Deno.test("Progress shows how much is done, the time left and what runs", () => {
  const terminal = new Terminal();
  using progress = terminal.progress();
  progress.update(0, 40, "payload 600");
  assertEquals(terminal.line, "▕                              ▏   0 %  0/40  payload 600");
  terminal.time = 25_000;
  progress.update(10, 40, "payload 4000");
  assertEquals(
    terminal.line,
    "▕███████▌                      ▏  25 % 10/40 1:15 left  payload 4000",
  );
  terminal.time = 100_000;
  progress.update(40, 40);
  assertEquals(terminal.line, "▕██████████████████████████████▏ 100 % 40/40 0:00 left");
});

Deno.test("Progress shows hours where there are any", () => {
  const terminal = new Terminal();
  using progress = terminal.progress();
  terminal.time = 100_000;
  progress.update(1, 100);
  assertStringIncludes(terminal.line, "2:45:00 left");
});

Deno.test("Progress draws at most ten times a second, and always when all is done", () => {
  const terminal = new Terminal();
  using progress = terminal.progress();
  for (let step = 0; step <= 1000; step++) {
    terminal.time = step;
    progress.update(step, 1000);
  }
  assertEquals(terminal.written.length, 11);
  assertStringIncludes(terminal.line, "1000/1000");
});

Deno.test("Progress keeps to one line of a narrow terminal", () => {
  const terminal = new Terminal();
  terminal.columns = 40;
  using progress = terminal.progress();
  terminal.time = 1000;
  progress.update(1, 9, "a note that is too long for a terminal of forty columns");
  for (const text of terminal.written) {
    assert(displayWidth(text) < 40, text);
    assert(!text.includes("\n"));
  }
  assert(terminal.line.endsWith("…"));
});

Deno.test("Progress clears its line when disposed, and draws nothing from then on", () => {
  const terminal = new Terminal();
  const progress = terminal.progress();
  progress.update(1, 2);
  progress[Symbol.dispose]();
  assertEquals(terminal.written.at(-1), "\r\x1b[2K");
  const count = terminal.written.length;
  progress.update(2, 2);
  progress[Symbol.dispose]();
  assertEquals(terminal.written.length, count);
});

Deno.test("Progress clears its line when aborted", () => {
  const terminal = new Terminal();
  const controller = new AbortController();
  using progress = terminal.progress({ signal: controller.signal });
  progress.update(1, 2);
  controller.abort();
  assertEquals(terminal.line, "");
  const count = terminal.written.length;
  progress.update(2, 2);
  assertEquals(terminal.written.length, count);
});

Deno.test("Progress with a signal that is aborted already draws nothing", () => {
  const terminal = new Terminal();
  using progress = terminal.progress({ signal: AbortSignal.abort() });
  progress.update(1, 2);
  assertEquals(terminal.written, []);
});

Deno.test("Progress.print puts a line in the place of the bar", () => {
  const terminal = new Terminal();
  using progress = terminal.progress();
  progress.update(1, 2);
  progress.print("a warning");
  assertEquals(terminal.written.slice(1), ["\r\x1b[2K", "a warning\n"]);
  progress.update(1, 2);
  assertStringIncludes(terminal.line, "1/2");
});

Deno.test("Progress without a terminal is silent and ends with its process", async () => {
  const code = `
    import { Progress } from ${
    JSON.stringify(import.meta.resolve("../../../../labs/kit/terminal/progress.ts"))
  };
    const progress = new Progress({ signal: new AbortController().signal });
    progress.update(1, 2);
    progress.update(2, 2);
  `;
  const { stdout, stderr, success } = await new Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", code],
  }).output();
  assert(success);
  assertEquals(new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr), "");
});
