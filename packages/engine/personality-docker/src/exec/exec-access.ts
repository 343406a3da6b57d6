import { isVicError } from '@vic/errors';
import type { ExecSession, Execution } from '@vic/port-layer';
import { notFound } from '../http/docker-error.ts';

/** The exec session with the id, with Docker's words when there is none. */
export function findExec(execution: Pick<Execution, 'exec'>, id: string): ExecSession {
  try {
    return execution.exec(id);
  } catch (error) {
    if (!isVicError(error, { class: 'NotFound' })) throw error;
    throw notFound(`No such exec instance: ${id}`, error);
  }
}
