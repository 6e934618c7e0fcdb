/**
 * Completions that one ring posts into another.
 *
 * @module
 */
import { ClosedError } from "../../../ffi/kernel/errors.ts";
import type { Api } from "./api.ts";
import type { Chance } from "./chance.ts";
import { POSTS, type Rings } from "./ring.ts";

/** The parts of the world that it works with. */
interface Parts {
  readonly api: Api;
  readonly chance: Chance;
  readonly rings: Rings;
}

/** Posts into another ring, or into the same one. */
export class Posts {
  #next = POSTS;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Posts into another ring, or into the same one. */
  make(): void {
    const { api, chance, rings } = this.#parts;
    const [from, to] = [chance.pick(rings.open), chance.pick(rings.open)];
    if (from === undefined || to === undefined) return;
    if (from.linked) rings.submit(from);
    const userData = this.#next;
    this.#next = userData + 1 > 0xffffffff ? POSTS : userData + 1;
    to.posts.set(userData, 1);
    const confirm = (result: number): void => {
      if (result >= 0) {
        if (to.posts.has(userData)) to.posts.set(userData, 2);
      } else to.posts.delete(userData);
    };
    if (chance.percent(60)) {
      const done = rings.prepare(
        from,
        `msgRing(${to.name}, ${userData})`,
        "valid",
        (u) => from.ring.batch.msgRing(to.ring, userData, userData & 0xffff, u),
        { complete: confirm },
      );
      if (!done) to.posts.delete(userData);
    } else {
      api.start(
        `${from.name}.msgRing(${to.name}, ${userData})`,
        "valid",
        from,
        () => from.ring.msgRing(to.ring, userData, userData & 0xffff),
        {
          onValue: () => confirm(0),
          onError: (error) => {
            if (!(error instanceof ClosedError)) to.posts.delete(userData);
          },
        },
      );
      from.linked = false;
    }
  }
}
