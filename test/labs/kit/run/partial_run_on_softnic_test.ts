import { CATALOGUE } from "../../../../labs/catalogue.ts";
import { stopEverywhere } from "./partial_runs.ts";
import { testsNeeding } from "../../../needs.ts";

const test = testsNeeding("softnic");

/** Options for trials that are short under emulation, too. */
const LABS = {
  "rx-zcrx": { bytes: 1 << 20, area: 4 << 20 },
  "rx-held-pieces": {},
  "rx-devmem": { bytes: 1 << 20 },
  "rx-to-disk": { bytes: 1 << 20 },
} as const;

for (const [name, options] of Object.entries(LABS)) {
  test(`${name} that is stopped returns what it has measured`, async () => {
    const lab = CATALOGUE.find((lab) => lab.name === name)!;
    // In the second counted round.
    await stopEverywhere(lab, options, [0.75], true);
  });
}
