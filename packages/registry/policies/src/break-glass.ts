import { VicError } from '@vic/errors';
import type { Actor } from '@vic/repositories';

/** The header with which a system administrator deletes what is immutable; its value says why. */
export const BREAK_GLASS_HEADER = 'x-vic-break-glass';

const MAX_REASON_LENGTH = 500;

/** The parts of a request that {@link withBreakGlass} reads. */
interface BreakGlassRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * The actor, allowed to delete what is immutable for the reason that the request gives in {@link BREAK_GLASS_HEADER};
 * as it is when the request has no such header, or only reads.
 *
 * Only system administrators with everything they may do, not with a limited token; others are refused, and so is
 * every change but a deletion.
 */
export function withBreakGlass(actor: Actor, { method, headers }: BreakGlassRequest): Actor {
  const given = headers[BREAK_GLASS_HEADER];
  if (given === undefined || method === 'GET' || method === 'HEAD') return actor;
  if (method !== 'DELETE') throw deletionsOnly();
  return allowed(actor, String(given));
}

/** Whether the actor came through {@link withBreakGlass}. */
export function breaksGlass(actor: Actor): boolean {
  return actor.breakGlass !== undefined;
}

function allowed(actor: Actor, reason: string): Actor {
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
  return { ...actor, breakGlass: reason };
}

function deletionsOnly(): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'BREAK_GLASS_DELETES_ONLY',
    message: `${BREAK_GLASS_HEADER} allows deletions only.`,
    remedy: 'Delete the immutable tag with it, then make the change without it.',
  });
}
