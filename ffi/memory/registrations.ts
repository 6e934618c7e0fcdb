/**
 * Which rings know a file or an area under which index.
 *
 * @module
 */

/** The index of one thing in each ring that it is registered with. */
export class Registrations {
  // Nearly always there is one at most, so the first is found without a search.
  #owner: object | undefined;
  #index = -1;
  readonly #further = new Map<object, number>();
  readonly #undo = new Map<object, () => void>();

  /** The index in the owner's table, or -1. */
  indexIn(owner: object): number {
    if (this.#owner === owner) return this.#index;
    return this.#further.size === 0 ? -1 : this.#further.get(owner) ?? -1;
  }

  /**
   * Notes an index.
   *
   * @param undo Takes the thing out of the owner's table, for {@linkcode undoAll}.
   */
  add(owner: object, index: number, undo?: () => void): void {
    if (undo !== undefined) this.#undo.set(owner, undo);
    if (this.#owner === undefined) {
      this.#owner = owner;
      this.#index = index;
    } else this.#further.set(owner, index);
  }

  /** Forgets an owner. */
  delete(owner: object): void {
    this.#undo.delete(owner);
    if (this.#owner === owner) {
      this.#owner = undefined;
      this.#index = -1;
    } else this.#further.delete(owner);
  }

  /** Takes the thing out of every owner's table. */
  undoAll(): void {
    for (const undo of [...this.#undo.values()]) undo();
  }
}
