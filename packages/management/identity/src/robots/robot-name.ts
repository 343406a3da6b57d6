import { VicError } from '@vic/errors';

/** Harbor's prefix, which scripts have; accepted whatever the configured one is. */
export const HARBOR_ROBOT_PREFIX = 'robot$';
/** Needs no quoting in a shell. */
export const DEFAULT_ROBOT_PREFIX = 'robot-';

const BARE_NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const MAX_NAME_LENGTH = 255;

/** Refuses a name that cannot be a robot's, in Harbor's words; `+` separates the project, so it is none. */
export function requireRobotName(name: string): void {
  if (BARE_NAME.test(name) && name.length <= MAX_NAME_LENGTH) return;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'ROBOT_NAME_INVALID',
    message: 'robot name is not in lower case or contains illegal characters',
  });
}

/** What a robot is stored as: with its project, if it has one. */
export function storedRobotName(name: string, project: string | undefined): string {
  return project === undefined ? name : `${project}+${name}`;
}

/** What could be the stored name of the robot that signs in so; none when no robot is called like that. */
export function storedNameFrom(signInName: string, prefix: string): string | undefined {
  const used = [prefix, HARBOR_ROBOT_PREFIX].find((candidate) => signInName.startsWith(candidate));
  return used === undefined ? undefined : signInName.slice(used.length);
}
