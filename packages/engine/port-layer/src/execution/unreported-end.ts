import type { Machine } from './machine.ts';

/** What users are told of a machine that is off and whose guest did not say why. */
export function unreportedEnd({ crashed }: Pick<Machine, 'crashed'>, circumstance: string): string {
  return crashed
    ? 'The container VM ended without reporting why: it crashed, or was killed at the infrastructure.'
    : `The container VM was powered off ${circumstance}.`;
}
