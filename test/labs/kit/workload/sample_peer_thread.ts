/** A Worker that doubles numbers, and fails where it is asked to. */
import { answerRequests } from "../../../../labs/kit/workload/peer.ts";

/** A number, and when to fail instead. */
export interface Doubling {
  readonly value: number;
  readonly fails?: "before" | "after";
  /** What the Worker counts up once it has begun. */
  readonly begun?: Int32Array<SharedArrayBuffer>;
}

answerRequests<Doubling, number>(({ value, fails, begun }, prepared) => {
  if (fails === "before") throw new RangeError("not prepared");
  prepared();
  if (begun !== undefined) Atomics.add(begun, 0, 1);
  if (fails === "after") throw new RangeError("not done");
  return 2 * value;
});
