import { isVicError } from '@vic/errors';
import type { Container, Execution } from '@vic/port-layer';
import { invalid, notFound } from '../http/docker-error.ts';

/** The container a client means by id, unique id prefix or name (with or without slash), with Docker's words when there is none. */
export function findContainer(execution: Pick<Execution, 'get'>, reference: string): Container {
  try {
    return execution.get(reference.replace(/^\//, ''));
  } catch (error) {
    throw inDockersWords(error, reference);
  }
}

/** Like {@link findContainer}, but `undefined` when there is none or more than one. */
export function findContainerIfAny(execution: Pick<Execution, 'get'>, reference: string): Container | undefined {
  try {
    return findContainer(execution, reference);
  } catch {
    return undefined;
  }
}

function inDockersWords(error: unknown, reference: string): unknown {
  if (isVicError(error, { class: 'NotFound' })) return notFound(`No such container: ${reference}`, error);
  if (isVicError(error, { class: 'InvalidArgument' }))
    return invalid(`multiple IDs found with provided prefix: ${reference}`);
  return error;
}
