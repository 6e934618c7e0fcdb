import { assertEquals } from "@std/assert";
import { Command } from "../child.ts";
import { ownInterfaces, untilMarkedProcessesAreGone } from "../leftovers.ts";
import { Unprivileged } from "../unprivileged.ts";
import { test } from "../needs.ts";

/** Learners at once. */
const LEARNERS = 8;
/** Users that no machine has; nothing is theirs. */
const FIRST_USER = 2_000_001;

/** Executes a notebook as `deno task notebook --check` does, its types aside. */
const EXECUTE = `
  const { executeNotebook } = await import(Deno.args[0] + "/notebooks/tool/execute.ts");
  const { readNotebook } = await import(Deno.args[0] + "/notebooks/tool/notebook_file.ts");
  const { failure } = await executeNotebook(readNotebook(Deno.args[1]));
  console.log(failure === undefined ? "ok" : failure.message);
`;

test(`${LEARNERS} learners without root share a machine, a checkout and a DENO_DIR`, {
  needs: ["root", { component: "nbclient" }],
}, async () => {
  using shared = new Unprivileged();
  const { project, denoDirectory } = shared.shareProject();
  const interfaces = ownInterfaces();
  const mark = crypto.randomUUID();
  const learners = Array.from({ length: LEARNERS }, async (_, index): Promise<string> => {
    const user = FIRST_USER + index;
    const home = `${shared.directory}/home-${user}`;
    await Deno.mkdir(home);
    await Deno.chown(home, user, user);
    const name = index % 2 === 0 ? "01-rings-and-completions" : "02-zero-copy-send";
    const { stdout, stderr } = await new Command("setpriv", {
      args: [
        ...[`--reuid=${user}`, `--regid=${user}`, "--clear-groups"],
        ...[shared.deno, "eval", "--cached-only", "--config", `${project}/deno.json`],
        ...[EXECUTE, project, name],
      ],
      cwd: home,
      clearEnv: true,
      env: {
        HOME: home,
        PATH: "/usr/bin:/bin",
        DENO_DIR: denoDirectory,
        NO_COLOR: "1",
        ZCLAB_MARK: mark,
      },
    }).output();
    const decoder = new TextDecoder();
    return decoder.decode(stdout).trim() || decoder.decode(stderr).trim();
  });
  assertEquals(await Promise.all(learners), new Array(LEARNERS).fill("ok"));
  await untilMarkedProcessesAreGone(mark);
  assertEquals(ownInterfaces(), interfaces);
});
