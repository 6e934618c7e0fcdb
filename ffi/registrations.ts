/**
 * Which rings know a file or an area under which index.
 *
 * @module
 */

/** The index of one thing in each ring that it is registered with. */
export class Registrations {
  readonly #owners: object[] = [];
  readonly #indices: number[] = [];

  /** The index in the owner's table, or -1. */
  indexIn(owner: object): number {
    for (let i = 0; i < this.#owners.length; i++) {
      if (this.#owners[i] === owner) return this.#indices[i]!;
    }
    return -1;
  }

  /** Notes an index. */
  add(owner: object, index: number): void {
    this.#owners.push(owner);
    this.#indices.push(index);
  }

  /** Forgets an owner. */
  delete(owner: object): void {
    const at = this.#owners.indexOf(owner);
    if (at < 0) return;
    this.#owners.splice(at, 1);
    this.#indices.splice(at, 1);
  }
}
