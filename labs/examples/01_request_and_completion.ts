// A request goes in, a completion comes out: the smallest thing that a ring does.
import { Ring } from "zclab";

using ring = Ring.open({ entries: 8 });
for (let number = 1; number <= 3; number++) ring.batch.nop(number);
console.log(`${ring.batch.prepared} requests are prepared; the kernel knows of none`);
ring.batch.submitAndWait(3);
ring.batch.reap((userData, result) => console.log(`request ${userData} returned ${result}`));
