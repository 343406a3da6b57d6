import { VicError } from '@vic/errors';
import type { Actor } from '@vic/repositories';

/** The header with which a system administrator deletes what is immutable; its value says why. */
export const BREAK_GLASS_HEADER = 'x-vic-break-glass';

const MAX_REASON_LENGTH = 500;

/** Somebody who deletes in spite of immutability. */
interface BreakGlassActor extends Actor {
  readonly breakGlass: string;
}

/**
 * The actor, allowed to delete what is immutable for the `reason` given in {@link BREAK_GLASS_HEADER}.
 *
 * Only system administrators with everything they may do, not with a limited token; others are refused.
 */
export function withBreakGlass(actor: Actor, reason: string): Actor {
  const { principal } = actor;
  if (principal.kind !== 'user' || !principal.systemAdministrator || principal.grants !== undefined) {
    throw new VicError({
      class: 'PermissionDenied',
      code: 'BREAK_GLASS_REFUSED',
      message: 'Only a system administrator may delete what is immutable.',
    });
  }
  if (reason.trim() === '' || reason.length > MAX_REASON_LENGTH) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'BREAK_GLASS_REASON',
      message: `${BREAK_GLASS_HEADER} must say why, in at most ${MAX_REASON_LENGTH} characters.`,
    });
  }
  const allowed: BreakGlassActor = { ...actor, breakGlass: reason };
  return allowed;
}

/** Whether the actor came through {@link withBreakGlass}. */
export function breaksGlass(actor: Actor): boolean {
  return 'breakGlass' in actor && typeof actor.breakGlass === 'string';
}
