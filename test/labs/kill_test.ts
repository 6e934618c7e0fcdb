import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { Random } from "../../labs/kit/trials/random.ts";
import {
  COUNT_FREE,
  ownInterfaces,
  runWithFewNamespaces,
  untilMarkedProcessesAreGone,
} from "../leftovers.ts";

const MAIN = fromFileUrl(new URL("../../labs/main.ts", import.meta.url));

/** How often the lab is killed. */
const KILLS = 100;
/** So many runs at most: those that were done before they were to be killed do not count. */
const MOST_RUNS = 300;
/** So many run at a time. */
const LANES = 2;
/** The lanes are one user's, and registered GSO packets of two labs are more than 8 MiB. */
const MODES = "non-zc,zc,zc+flush,zc-fixed,zc-fixed+flush,msg-zerocopy,gso";
const OPTIONS = [
  ...["--quick", "--payload", "600,8000", "--mode", MODES],
  ...["--repeats", "2", "--seconds", "0.01"],
];
/**
 * Namespaces that may exist at a time. A lab has two or three, and those of a killed one are there
 * until the kernel has cleaned up, which takes long on a busy machine. A leak soon uses them up.
 */
const NAMESPACES = LANES * 24;

Deno.test("the lab leaves nothing when it is killed at 100 random moments", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const before = ownInterfaces();
    const mark = crypto.randomUUID();
    const random = new Random(1);
    const moments = Array.from({ length: MOST_RUNS }, () => random.below(1000) / 1000);
    for (const name of ["tmp", "out"]) await Deno.mkdir(`${directory}/${name}`);
    const source = `${COUNT_FREE}
      // How long a run takes is found out: machines differ, and so does what else they do.
      let duration = Infinity;
      async function isKilled([index, moment]) {
        const started = performance.now();
        const child = new Deno.Command(Deno.execPath(), {
          args: ["run", "-A", "${MAIN}", ...${JSON.stringify(OPTIONS)},
            "--json", "${directory}/out/" + index + ".json"],
          env: { ZCLAB_MARK: "${mark}", TMPDIR: "${directory}/tmp" },
          stdin: "null",
          stdout: "null",
          stderr: "piped",
        }).spawn();
        const said = new Response(child.stderr).text();
        const timer = moment === undefined ? undefined : setTimeout(() => {
          try {
            child.kill("SIGKILL");
          } catch {
            // It has ended just now.
          }
        }, moment * duration);
        const { code, signal } = await child.status;
        clearTimeout(timer);
        if (signal !== null) return true;
        if (code !== 0) {
          throw new Error("the lab failed with exit code " + code + ": " + await said);
        }
        duration = Math.min(duration, performance.now() - started);
        return false;
      }
      const lanes = Array.from({ length: ${LANES} }, (_, lane) => lane);
      await Promise.all(lanes.map((lane) => isKilled(["whole-" + lane])));
      const moments = ${JSON.stringify(moments)}.entries();
      const kills = await Promise.all(lanes.map(async () => {
        let killed = 0;
        while (killed < ${KILLS / LANES}) {
          const { value, done } = moments.next();
          if (done) break;
          if (await isKilled(value)) killed++;
        }
        return killed;
      }));
      const killed = kills.reduce((sum, each) => sum + each);
      console.log(killed, await free(${NAMESPACES}));
    `;
    const [killed, free] = (await runWithFewNamespaces(NAMESPACES, source)).trim().split(" ");
    assertEquals({ killed, free }, { killed: String(KILLS), free: String(NAMESPACES) });

    await untilMarkedProcessesAreGone(mark);
    assertEquals(ownInterfaces(), before);
    assertEquals([...Deno.readDirSync(`${directory}/tmp`)].map((entry) => entry.name), []);
    const documents = [...Deno.readDirSync(`${directory}/out`)].map((entry) => entry.name);
    for (const name of documents) {
      // Whole or not there.
      assert(name.endsWith(".json"), name);
      JSON.parse(await Deno.readTextFile(`${directory}/out/${name}`));
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
