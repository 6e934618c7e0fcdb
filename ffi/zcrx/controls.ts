/**
 * What the kernel is told about a receiver that exists (`IORING_REGISTER_ZCRX_CTRL`).
 *
 * @module
 */
import { ERRNO } from "../kernel/errno.ts";
import { ClosedError, UnsupportedError, unwrap, UringError } from "../kernel/errors.ts";
import { LAYOUTS, Struct } from "../kernel/layout.ts";
import { addressOf } from "../kernel/memory.ts";
import { native } from "../kernel/native.ts";
import { REGISTER, ZCRX_CTRL, ZCRX_EVENT } from "../kernel/uapi.ts";
import type { Area } from "../memory/area.ts";
import { EVENT_NAMES } from "./events.ts";
import { type ZcrxEvent, zcrxFeatures } from "./query.ts";
import { explainArea } from "./refusals.ts";
import { areaArgument } from "./registration.ts";
import { type Attachment, claim, control, type SharedReceiver } from "./shared.ts";

/** Has the next event of a kind told again: see {@linkcode ZcrxReceiver.arm}. */
export function armEvent(attachment: Attachment, event: ZcrxEvent): void {
  if (ZCRX_EVENT[event] === undefined) {
    throw new RangeError(`An event is one of ${EVENT_NAMES.join(", ")}, got ${event}`);
  }
  const argument = control(attachment.id, ZCRX_CTRL.ARM_EVENT);
  union(argument, LAYOUTS.zcrx_ctrl_arm_event).set("event_type", ZCRX_EVENT[event]);
  const result = call(attachment, argument);
  if (result === -ERRNO.EINVAL) {
    throw new UringError("ZCRX_CTRL_ARM_EVENT", ERRNO.EINVAL, {
      meaning: `${event} is armed: it has not happened since`,
      advice: "arm an event after nextEvent has told of it",
    });
  }
  unwrap("ZCRX_CTRL_ARM_EVENT", result);
}

/** A descriptor that keeps the registration: see {@linkcode ZcrxReceiver.export}. */
export function exportDescriptor(attachment: Attachment): number {
  if (!zcrxFeatures().share) {
    throw new UnsupportedError("ZCRX_CTRL_EXPORT", { since: "6.19" });
  }
  const argument = control(attachment.id, ZCRX_CTRL.EXPORT);
  unwrap("ZCRX_CTRL_EXPORT", call(attachment, argument));
  return union(argument, LAYOUTS.zcrx_ctrl_export).get("zcrx_fd");
}

/** Gives the kernel a further area: see {@linkcode ZcrxReceiver.addArea}. */
export function addArea(attachment: Attachment, shared: SharedReceiver, area: Area): void {
  if (area.closed) throw new ClosedError("Area");
  if (!zcrxFeatures().addArea) {
    throw new UnsupportedError("ZCRX_CTRL_ADD_AREA", { since: "7.3" });
  }
  const release = claim(area);
  const description = areaArgument(area);
  const argument = control(attachment.id, ZCRX_CTRL.ADD_AREA);
  union(argument, LAYOUTS.zcrx_ctrl_add_area).set("area_ptr", addressOf(description.buffer));
  const result = call(attachment, argument);
  if (result < 0) {
    release();
    const { bufferBytes, areas } = shared;
    throw explainArea(-result, { area, bufferBytes, areas: areas.length });
  }
  shared.addArea(area, release);
}

/** The part of the argument that differs from control to control. */
function union(argument: Struct, layout: ConstructorParameters<typeof Struct>[0]): Struct {
  const [at] = LAYOUTS.zcrx_ctrl.fields.zc_export;
  return new Struct(layout, { buffer: argument.buffer, at });
}

function call({ engine }: Attachment, argument: Struct): number {
  return native().io_uring_register(engine.fd, REGISTER.ZCRX_CTRL, argument.buffer, 0);
}
