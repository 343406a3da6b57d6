import { toVicError } from '@vic/errors';
import type { WaitCondition } from '@vic/port-layer';
import type { Call } from '../http/call.ts';
import { invalid } from '../http/docker-error.ts';
import type { PersonalityContext } from '../personality.ts';
import { findContainer } from './container-access.ts';

/**
 * `POST /containers/{id}/wait`.
 *
 * The head of the answer goes out at once: the command line sends its start request only after it has read it.
 */
export async function waitContainer(context: PersonalityContext, call: Call): Promise<void> {
  const condition = conditionOf(call);
  const { config } = findContainer(context.execution, call.param('id'));
  const waiting = context.execution.wait(config.id, condition, call.signal);
  const body = call.stream('application/json');
  try {
    const { exitCode, error } = await waiting;
    const failure = error === undefined ? {} : { Error: { Message: error } };
    body.end(`${JSON.stringify({ StatusCode: exitCode, ...failure })}\n`);
  } catch (error) {
    body.end(`${JSON.stringify({ StatusCode: -1, Error: { Message: toVicError(error).message } })}\n`);
  }
}

function conditionOf(call: Call): WaitCondition {
  const condition = call.speaks('1.30') ? (call.query('condition') ?? '') : '';
  switch (condition) {
    case '':
    case 'not-running':
      return 'not-running';
    case 'next-exit':
    case 'removed':
      return condition;
    default:
      throw invalid(`invalid condition: "${condition.slice(0, 64)}"`);
  }
}
