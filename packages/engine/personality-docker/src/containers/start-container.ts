import { isVicError } from '@vic/errors';
import type { StartError } from '@vic/port-layer';
import type { Call } from '../http/call.ts';
import { conflict, invalid } from '../http/docker-error.ts';
import type { PersonalityContext } from '../personality.ts';
import { findContainer, findContainerIfAny } from './container-access.ts';

/** Bytes of body Docker forgives: old clients sent `null` or `{}`. */
const FORGIVEN_BODY_BYTES = 7;

/** `POST /containers/{id}/start`. */
export async function startContainer(context: PersonalityContext, call: Call): Promise<void> {
  if ((await call.bodyLength()) > FORGIVEN_BODY_BYTES) {
    throw invalid('starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24');
  }
  const { config } = findContainer(context.execution, call.param('id'));
  // A client that goes away does not stop a container from starting: its process may run already.
  try {
    await context.execution.start(config.id, context.lifetime);
  } catch (error) {
    throw inDockersWords(error, startErrorOf(context, config.id));
  }
  call.empty(204);
}

function startErrorOf(context: PersonalityContext, id: string): StartError | undefined {
  const state = findContainerIfAny(context.execution, id)?.state;
  return state?.status === 'created' ? state.startError : undefined;
}

/** The command line decides its exit code by words in the message: 127 and 126 need theirs. */
function inDockersWords(error: unknown, startError: StartError | undefined): unknown {
  if (!isVicError(error) || error.class === 'NotModified') return error;
  const exitCode = startError?.exitCode ?? exitCodeOf(error);
  if (exitCode === 127)
    return invalid(
      withWords(
        error.message,
        'executable file not found in $PATH',
        /executable file not found|no such file or directory/,
      ),
    );
  if (exitCode === 126)
    return invalid(withWords(error.message, 'permission denied', /permission denied|is a directory/));
  if (error.class === 'NotFound') return conflict(error.message, error);
  return error;
}

function exitCodeOf(error: Error): number | undefined {
  return 'exitCode' in error && typeof error.exitCode === 'number' ? error.exitCode : undefined;
}

/** The message of a failed start or exec with the words clients look for. */
export function withWords(message: string, words: string, present: RegExp): string {
  return present.test(message) ? message : `${message}: ${words}`;
}
