import { assertEquals } from "@std/assert";
import { Area, physicalPages } from "zclab";
import { comparePages } from "zclab/lab";
import { test } from "../../../needs.ts";

const PAGE = 4096;

test(
  "comparePages() accepts only what was read where it was placed",
  { needs: ["root"] },
  () => {
    using area = Area.map({ bytes: 4 * PAGE });
    // What nobody has written has no page yet.
    area.unsafeBytes().fill(1);
    const [first, second] = physicalPages(area) as unknown as [number, number];
    const placements = [
      { queue: 1, address: first * PAGE + 64, length: 1000 },
      { queue: 1, address: second * PAGE, length: PAGE },
    ];
    const same = (offset: number, length: number): boolean =>
      comparePages(area, [{ offset, length }], placements).same;
    assertEquals(comparePages(area, [{ offset: 64, length: 1000 }], placements), {
      same: true,
      read: 1,
      placed: 2,
    });
    assertEquals(same(164, 100), true, "a part of it");
    assertEquals(same(PAGE, PAGE), true, "a whole page");
    assertEquals(same(0, 1000), false, "it begins before");
    assertEquals(same(64, 1001), false, "it ends after");
    assertEquals(same(2 * PAGE, 10), false, "another page");
    assertEquals(comparePages(area, [], placements).same, false, "nothing was read");
  },
);
