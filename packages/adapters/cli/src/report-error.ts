import { randomBytes } from 'node:crypto';
import { isVicError } from '@vic/errors';
import type { Terminal } from './terminal.ts';

/** The exit status of a command that failed. */
export const EXIT_FAILURE = 1;

/** The exit status of a command line that was not understood. */
export const EXIT_USAGE = 2;

/**
 * Tells the user why a command failed.
 *
 * A `VicError` is told as its sentence and how to solve it; anything else is a defect, told with an id and
 * everything needed to report it.
 */
export function reportError(terminal: Terminal, what: string, error: unknown, json: boolean): void {
  if (json) {
    terminal.error(`${JSON.stringify({ error: asJson(error) })}\n`);
    return;
  }
  if (isVicError(error) && error.class !== 'Internal') {
    terminal.error(`${what} failed: ${error.message}\n`);
    if (error.remedy !== undefined) terminal.error(`\nHow to solve it: ${error.remedy}\n`);
    return;
  }
  const id = randomBytes(4).toString('hex');
  const message = error instanceof Error ? error.message : String(error);
  terminal.error(`${what} failed unexpectedly (${id}): ${message}\n`);
  if (error instanceof Error && error.stack !== undefined) terminal.error(`${error.stack}\n`);
  terminal.error(`\nPlease report this with the lines above and the id ${id}.\n`);
}

function asJson(error: unknown): Record<string, unknown> {
  if (!isVicError(error)) return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) };
  const { code, message, remedy } = error;
  return { class: error.class, code, message, ...(remedy === undefined ? {} : { remedy }) };
}
