import { VicError } from '@vic/errors';

/** What keeps servers from listening, and what to do about it. */
const CAUSES: ReadonlyMap<unknown, readonly [problem: string, remedy: string]> = new Map([
  ['EADDRINUSE', ['another program listens there', 'Stop that program, or choose another port.']],
  ['EADDRNOTAVAIL', ['this machine has no such address', 'Choose an address of this machine, or 0.0.0.0 for all.']],
  ['ENOTFOUND', ['nobody knows that name', 'Give an address, or a name that the resolver of this machine knows.']],
  ['EACCES', ['it is not allowed', 'Ports below 1024 and directories of others need more rights; choose another.']],
]);

/** Says why nothing can listen at a place; errors of unknown cause stay what they are. */
export function listenFailure(place: string, error: unknown): unknown {
  const cause = CAUSES.get(error instanceof Error && 'code' in error ? error.code : undefined);
  if (cause === undefined) return error;
  const [problem, remedy] = cause;
  return new VicError({
    class: 'Unavailable',
    code: 'HTTP_CANNOT_LISTEN',
    message: `Cannot listen on ${place}: ${problem}.`,
    remedy,
    cause: error,
  });
}
