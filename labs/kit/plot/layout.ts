/**
 * Room on a drawing: how wide a text is, and where labels go so that none covers another.
 *
 * @module
 */

/** Widths in parts of the font's size, a little generous: fonts differ. */
const NARROW = /[iljtfrI.,:;'|!()[\] ]/;
const BROAD = /[mwMW%@—]/;

/**
 * About how wide a text is, in pixels; rather too much than too little.
 *
 * @param text One line.
 * @param size The size of the font.
 * @param weight Its weight; letters that are bold are wider.
 */
export function textWidth(text: string, size: number, weight = 400): number {
  let width = 0;
  for (const character of text) {
    width += NARROW.test(character)
      ? 0.38
      : BROAD.test(character)
      ? 0.95
      : /[A-Z]/.test(character)
      ? 0.7
      : character > "\u2e7f"
      ? 1.05
      : 0.62;
  }
  return width * size * (weight > 500 ? 1.1 : 1);
}

/**
 * A text cut into lines that fit, at spaces; a word that is too long by itself is cut, and ends
 * in an ellipsis.
 */
export function wrapped(text: string, width: number, size: number, weight = 400): string[] {
  const widthOf = (one: string): number => textWidth(one, size, weight);
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && widthOf(longer) > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  lines.push(line);
  return lines.map((one) => {
    if (widthOf(one) <= width) return one;
    const kept = [...one];
    while (kept.length > 1 && widthOf(`${kept.join("")}…`) > width) kept.pop();
    return `${kept.join("")}…`;
  });
}

/**
 * Places labels on a line, as near as possible to where they belong, so that none overlaps
 * another: neighbours that would are moved apart as one block.
 *
 * @param wanted The middle of each label.
 * @param sizes The length of each label along the line.
 * @param least Where the line begins.
 * @param most Where it ends; labels that do not all fit go beyond it.
 * @returns The middle of each label, in the order given.
 */
export function dodged(
  wanted: readonly number[],
  sizes: readonly number[],
  least: number,
  most: number,
): number[] {
  interface Block {
    members: number[];
    size: number;
    start: number;
  }
  const order = wanted.map((_, index) => index).sort((a, b) => wanted[a]! - wanted[b]!);
  const clamp = (block: Block): Block => {
    block.start = Math.max(least, Math.min(block.start, most - block.size));
    return block;
  };
  const blocks: Block[] = [];
  for (const index of order) {
    const size = sizes[index]!;
    let block = clamp({ members: [index], size, start: wanted[index]! - size / 2 });
    for (let last = blocks.at(-1); last !== undefined; last = blocks.at(-1)) {
      if (last.start + last.size <= block.start) break;
      blocks.pop();
      const members: number[] = [...last.members, ...block.members];
      // The start that is nearest to what its members want, each counted from its own place.
      let before = 0;
      let sum = 0;
      for (const member of members) {
        sum += wanted[member]! - sizes[member]! / 2 - before;
        before += sizes[member]!;
      }
      block = clamp({ members, size: last.size + block.size, start: sum / members.length });
    }
    blocks.push(block);
  }
  const placed = new Array<number>(wanted.length);
  for (const { members, start } of blocks) {
    let at = start;
    for (const member of members) {
      placed[member] = at + sizes[member]! / 2;
      at += sizes[member]!;
    }
  }
  return placed;
}

/**
 * Which ticks have room: the first and the last, then as many of the others as do not touch.
 *
 * @param places Where each is, ascending.
 * @param widths How wide the text of each is.
 * @param gap The least distance of two texts.
 * @returns Whether each is shown.
 */
export function roomyTicks(
  places: readonly number[],
  widths: readonly number[],
  gap: number,
): boolean[] {
  const shown = places.map(() => false);
  const last = places.length - 1;
  const fits = (a: number, b: number): boolean =>
    places[b]! - places[a]! >= (widths[a]! + widths[b]!) / 2 + gap;
  if (last < 0) return shown;
  shown[last] = true;
  let previous: number | undefined;
  for (let index = 0; index < last; index++) {
    if (previous !== undefined && !fits(previous, index)) continue;
    if (!fits(index, last)) break;
    shown[index] = true;
    previous = index;
  }
  return shown;
}
