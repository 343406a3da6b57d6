import { Type } from '@vic/http';
import { WirePermissionsSchema, grantsToWire } from '../grants/wire-grants.ts';
import { FOREVER, type Robot } from '../robots/robot.ts';
import type { RobotView } from '../robots/robots.ts';
import { timeText } from './user-body.ts';

const MAX_DESCRIPTION_LENGTH = 1024;
const SECRET = Type.Optional(Type.String({ maxLength: 1024 }));

/** A robot as a client sends it. */
export const ROBOT_REQUEST = Type.Object({
  name: Type.String({ maxLength: 512 }),
  description: Type.Optional(Type.String({ maxLength: MAX_DESCRIPTION_LENGTH })),
  secret: SECRET,
  level: Type.String({ maxLength: 20 }),
  disable: Type.Optional(Type.Boolean()),
  duration: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
  permissions: Type.Optional(WirePermissionsSchema),
});

/** A secret as a client sends it. */
export const ROBOT_SECRET_REQUEST = Type.Object({ secret: SECRET });

/** A robot in Harbor's form. */
export function robotBody(robot: RobotView): Readonly<Record<string, unknown>> {
  return {
    id: robot.id,
    name: robot.fullName,
    description: robot.description,
    level: robot.level,
    duration: robot.durationDays,
    editable: true,
    disable: robot.disabled,
    expires_at: expiresAt(robot),
    permissions: grantsToWire(robot.grants),
    creator_type: robot.creatorKind === 'user' ? 'local' : robot.creatorKind,
    creator_ref: robot.creatorId,
    last_used_time: robot.lastUsedAtMs === undefined ? null : timeText(robot.lastUsedAtMs),
    creation_time: timeText(robot.createdAtMs),
    update_time: timeText(robot.updatedAtMs),
  };
}

/** The answer to the making of a robot: the only one with its secret. */
export function createdRobotBody(robot: RobotView, secret: string): Readonly<Record<string, unknown>> {
  return {
    id: robot.id,
    name: robot.fullName,
    secret,
    creation_time: timeText(robot.createdAtMs),
    expires_at: expiresAt(robot),
  };
}

/** Seconds since 1970; −1 for never. */
function expiresAt({ expiresAtMs }: Pick<Robot, 'expiresAtMs'>): number {
  return expiresAtMs === FOREVER ? FOREVER : Math.floor(expiresAtMs / 1000);
}
