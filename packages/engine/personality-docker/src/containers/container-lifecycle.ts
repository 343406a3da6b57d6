import { isVicError } from '@vic/errors';
import { parseContainerName } from '@vic/docker-api';
import type { Call } from '../http/call.ts';
import { conflict, invalid, notServed } from '../http/docker-error.ts';
import type { PersonalityContext } from '../personality.ts';
import { findContainer } from './container-access.ts';
import { nameConflict, refuseTakenName } from './create-container.ts';
import { parseSignal } from './signal-name.ts';

/** `POST /containers/{id}/stop`: 304 when it does not run. */
export async function stopContainer(context: PersonalityContext, call: Call): Promise<void> {
  const { config } = findContainer(context.execution, call.param('id'));
  await context.execution.stop(config.id, stopOptions(call), context.lifetime);
  call.empty(204);
}

/** `POST /containers/{id}/restart`. */
export async function restartContainer(context: PersonalityContext, call: Call): Promise<void> {
  const { config } = findContainer(context.execution, call.param('id'));
  const options = stopOptions(call);
  await context.execution.restart(config.id, options, context.lifetime);
  call.empty(204);
}

/** `POST /containers/{id}/kill`. */
export async function killContainer(context: PersonalityContext, call: Call): Promise<void> {
  const reference = call.param('id');
  const signalName = parseSignal(call.query('signal') || 'KILL');
  const { config } = findContainer(context.execution, reference);
  try {
    await context.execution.kill(config.id, signalName, context.lifetime);
  } catch (error) {
    if (!isVicError(error, { class: 'Conflict' })) throw error;
    throw conflict(`cannot kill container: ${reference}: container ${config.id} is not running`, error);
  }
  call.empty(204);
}

/** `DELETE /containers/{id}`. */
export async function removeContainer(context: PersonalityContext, call: Call): Promise<void> {
  if (call.flag('link')) throw notServed('links', 'use a network and the name of the other container.');
  const { config, state } = findContainer(context.execution, call.param('id'));
  const force = call.flag('force');
  if (state.status === 'removing') throw conflict(`removal of container ${config.name} is already in progress`);
  try {
    await context.execution.remove(config.id, { force }, context.lifetime);
  } catch (error) {
    if (force || !isVicError(error, { class: 'Conflict' })) throw error;
    throw conflict(
      `cannot remove container "/${config.name}": container is running: stop the container before removing or force remove`,
      error,
    );
  }
  call.empty(204);
}

/** `POST /containers/{id}/rename`. */
export async function renameContainer(context: PersonalityContext, call: Call): Promise<void> {
  const asked = call.query('name') ?? '';
  const { config } = findContainer(context.execution, call.param('id'));
  if (asked === '') throw invalid('Neither old nor new names may be empty');
  const name = parseContainerName(asked);
  if (name === config.name) throw invalid('Renaming a container with the same name as its current name');
  refuseTakenName(context, name);
  try {
    await context.execution.rename(config.id, name, context.lifetime);
  } catch (error) {
    if (!isVicError(error, { class: 'AlreadyExists' })) throw error;
    throw nameConflict(name, undefined, error);
  }
  call.empty(204);
}

/** The largest side of a terminal; the kernel keeps both in 16 bits. */
const MAX_CONSOLE = 65_535;

/** Rows and columns of a resize request. */
export function consoleSizeOf(call: Call): { readonly rows: number; readonly columns: number } {
  const rows = call.integer('h') ?? 0;
  const columns = call.integer('w') ?? 0;
  if (rows < 0 || columns < 0 || rows > MAX_CONSOLE || columns > MAX_CONSOLE)
    throw invalid(`invalid console size ${rows}x${columns}`);
  return { rows, columns };
}

/** `POST /containers/{id}/resize`: remembered for the start when it does not run yet. */
export async function resizeContainer(context: PersonalityContext, call: Call): Promise<void> {
  const { rows, columns } = consoleSizeOf(call);
  const { config } = findContainer(context.execution, call.param('id'));
  await context.execution.resize(config.id, rows, columns);
  call.empty(200);
}

function stopOptions(call: Call): { signal?: string; timeoutSeconds?: number } {
  const timeoutSeconds = call.integer('t');
  const signal = call.speaks('1.42') ? (call.query('signal') ?? '') : '';
  return {
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    ...(signal === '' ? {} : { signal: parseSignal(signal) }),
  };
}
