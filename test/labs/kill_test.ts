import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { Random } from "../../labs/kit/random.ts";
import {
  COUNT_FREE,
  isMarkedProcessLeft,
  ownInterfaces,
  runWithFewNamespaces,
} from "../leftovers.ts";

const MAIN = fromFileUrl(new URL("../../labs/main.ts", import.meta.url));

/** How often the lab is killed. */
const KILLS = 100;
/** The lab is done after about this many milliseconds, with these options. */
const DURATION = 1200;
const OPTIONS = ["--quick", "--payload", "600,8000", "--repeats", "2", "--seconds", "0.01"];
/** Namespaces that may exist at a time; a lab has two or three. A leak soon uses them up. */
const NAMESPACES = 12;

Deno.test("the lab leaves nothing when it is killed at 100 random moments", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const before = ownInterfaces();
    const mark = crypto.randomUUID();
    const random = new Random(1);
    const moments = Array.from({ length: KILLS }, () => random.below(DURATION));
    for (const name of ["tmp", "out"]) await Deno.mkdir(`${directory}/${name}`);
    const source = `${COUNT_FREE}
      let finished = 0;
      for (const [index, moment] of ${JSON.stringify(moments)}.entries()) {
        const child = new Deno.Command(Deno.execPath(), {
          args: ["run", "-A", "${MAIN}", ...${JSON.stringify(OPTIONS)},
            "--json", "${directory}/out/" + index + ".json"],
          env: { ZCLAB_MARK: "${mark}", TMPDIR: "${directory}/tmp" },
          stdin: "null",
          stdout: "null",
          stderr: "null",
        }).spawn();
        const timer = setTimeout(() => {
          try {
            child.kill("SIGKILL");
          } catch {
            // It has ended just now.
          }
        }, moment);
        const { code, signal } = await child.status;
        clearTimeout(timer);
        if (signal === null && code !== 0) throw new Error("the lab failed with exit code " + code);
        if (signal === null) finished++;
      }
      console.log(finished, await free(${NAMESPACES}));
    `;
    const [finished, free] = (await runWithFewNamespaces(NAMESPACES, source)).trim().split(" ");
    assertEquals(free, String(NAMESPACES));
    // Moments are spread over the whole run only if a few come too late, and not most.
    assert(Number(finished) < KILLS / 2, `${finished} of ${KILLS} ran to their end`);

    for (let look = 0; look < 100 && isMarkedProcessLeft(mark); look++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert(!isMarkedProcessLeft(mark));
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
