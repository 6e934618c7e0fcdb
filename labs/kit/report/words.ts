/**
 * Words of a report: times, lists and numbers.
 *
 * @module
 */
import type { RunDocument } from "../run/run_document.ts";

/** When the run started; undefined if nothing says so. */
export function when({ startedAt, trials }: RunDocument): string | undefined {
  const started = startedAt ?? trials[0]?.startedAt;
  return started === undefined ? undefined : `${started.slice(0, 16).replace("T", " ")} UTC`;
}

/** Words in a row, the last one after another word, such as "and". */
export function list(items: readonly string[], last: string): string {
  return items.length < 2
    ? items.join("")
    : `${items.slice(0, -1).join(", ")} ${last} ${items.at(-1)}`;
}

/** A number with its thousands apart. */
export function count(value: number): string {
  return value.toLocaleString("en");
}
