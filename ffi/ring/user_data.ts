/**
 * The two 32-bit words of `user_data`: the lower one is the caller's. The upper one is ours: 0 for
 * a request of the batch API that uses no memory, else the kind of owner (two bits) and its slot
 * in the table of requests.
 *
 * @module
 */
/** Where in the upper word the kind of owner begins. */
export const KIND_SHIFT = 30;
/** A request of the batch API that uses memory. */
export const BATCH = 1;
/** A request whose completions go to a {@linkcode Target}. */
export const TARGET = 2;
/** Our own requests, whose completions nobody needs. */
export const INTERNAL = 3;
/** Marks a zero-copy send in the upper word, whose cancellation needs care. */
export const ZERO_COPY = 1 << 29;
/** The slot in the upper word of a tracked request. */
export const SLOT_MASK = ZERO_COPY - 1;
/** The slot of {@linkcode INTERNAL} for what another ring posts. */
export const FROM_ANOTHER_RING = 1;
/** From here on the slot of {@linkcode INTERNAL} names who listens to what the kernel posts. */
export const FIRST_LISTENER = 2;
/** The upper word of a completion that another ring posts into this one (MSG_RING). */
export const POSTED = INTERNAL << KIND_SHIFT | FROM_ANOTHER_RING;
