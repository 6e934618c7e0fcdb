/**
 * What the bench runs in the guest: measures all rows, and writes them to the file that is named.
 *
 * @module
 */
import { Progress } from "../../labs/kit/terminal/progress.ts";
import { EXIT } from "../../labs/kit/terminal/terminal.ts";
import { runProgram } from "../../labs/kit/commands/program.ts";
import { writeFigures } from "./figures.ts";
import { measureRows } from "./rows.ts";

if (import.meta.main) {
  await runProgram(async ([path]) => {
    using progress = new Progress();
    await writeFigures(path!, await measureRows(progress));
    return EXIT.done;
  });
}
