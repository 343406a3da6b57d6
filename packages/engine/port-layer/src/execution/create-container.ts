import { withDeadline } from '@vic/async';
import { VicError } from '@vic/errors';
import { formatRfc3339 } from '@vic/time';
import { commitNew } from './commit.ts';
import type { NewContainer } from './container.ts';
import { ContainerUnit } from './container-unit.ts';
import { destroyMachine } from './destroy-machine.ts';
import type { ExecutionContext } from './execution-context.ts';
import { joinImage, joinInteraction, joinNetwork, newHandle } from './handle.ts';
import type { NewHandle } from './handle.ts';
import { armIdlePowerOff } from './idle-power-off.ts';
import { checkLaunchable } from './launch-spec.ts';
import type { Machine } from './machine.ts';
import { receiveSession } from './receive-session.ts';
import { signalNumber } from './signals.ts';

/** Making a template first may be part of it, and so may a busy host. */
const CREATE_TIMEOUT_MS = 180_000;

/** Reserves the name and address, makes the machine, and undoes it all on failure. */
export async function createContainer(
  context: ExecutionContext,
  request: NewContainer,
  signal: AbortSignal,
): Promise<ContainerUnit> {
  check(context, request);
  await using undo = new AsyncDisposableStack();
  context.registry.reserveName(request.name, request.id);
  undo.defer(() => context.registry.releaseName(request.name, request.id));
  context.making.set(request.id, {});
  undo.defer(() => void context.making.delete(request.id));

  const handle = await edit(context, request, undo);
  const machine = await commit(context, handle, signal);
  undo.defer(async () => discard(context, machine.ref));
  signal.throwIfAborted();

  const unit = register(context, handle, machine);
  undo.move();
  return unit;
}

function check(context: ExecutionContext, request: NewContainer): void {
  checkLaunchable(request);
  signalNumber(request.stopSignal === '' ? 'SIGTERM' : request.stopSignal);
  if (context.registry.byId(request.id) === undefined && !context.making.has(request.id)) return;
  throw new VicError({
    class: 'AlreadyExists',
    code: 'CONTAINER_ID_IN_USE',
    message: `A container with id ${request.id} exists already.`,
  });
}

/** The handle through its edits: image, network, interaction. The log is where the record says. */
async function edit(context: ExecutionContext, request: NewContainer, undo: AsyncDisposableStack): Promise<NewHandle> {
  const { configuration, networks } = context;
  const createdAt = formatRfc3339(context.clock.nowNs());
  let handle = newHandle(request, createdAt, request.shape ?? configuration.defaultShape, configuration);
  handle = joinImage(handle, await context.topDiskOf(request.imageId));
  if (request.network !== 'none') {
    const endpoint = networks.reserve({
      containerId: request.id,
      containerName: request.name,
      network: request.network === 'default' ? undefined : request.network,
      aliases: request.networkAliases,
      requestedAddress: request.requestedAddress,
    });
    undo.defer(() => networks.release(request.id));
    handle = joinNetwork(handle, endpoint, configuration.bridgePortGroup);
  }
  return joinInteraction(handle, configuration.interactionUri);
}

/**
 * Makes the machine. A client that goes away does not end the task at the infrastructure, so it is waited for
 * all the same; one whose end stays unknown is removed should it turn up.
 */
async function commit(context: ExecutionContext, handle: NewHandle, signal: AbortSignal): Promise<Machine> {
  signal.throwIfAborted();
  const { id } = handle.record.config;
  try {
    const { ref, powerState } = await withDeadline(
      'the container VM to be made',
      CREATE_TIMEOUT_MS,
      async (deadline) => commitNew(context, handle, deadline),
      context.background.signal,
    );
    const unseen: Machine = {
      ref,
      name: handle.record.vmName,
      powerState,
      frozen: false,
      crashed: false,
      question: undefined,
      changeVersion: '',
      extraConfig: {},
    };
    const seen = context.making.get(id)?.machine;
    return seen === undefined ? unseen : { ...seen, powerState };
  } catch (error) {
    context.abandoned.add(id);
    const seen = context.making.get(id)?.machine;
    if (seen !== undefined) discard(context, seen.ref);
    throw error;
  }
}

function discard(context: ExecutionContext, ref: string): void {
  context.removed.add(ref);
  context.background.run('Removing a container VM that is not wanted', async (signal) =>
    destroyMachine(context.machines, ref, signal),
  );
}

function register(context: ExecutionContext, handle: NewHandle, machine: Machine): ContainerUnit {
  const unit = new ContainerUnit(handle.record, machine, { status: 'created' }, context.unitDeps);
  const { session } = context.making.get(unit.id) ?? {};
  context.making.delete(unit.id);
  unit.bootExpected = machine.powerState === 'poweredOn';
  context.registry.add(unit);
  unit.publish({ type: 'container.created' });
  if (session !== undefined) receiveSession(context, unit, session);
  armIdlePowerOff(context, unit);
  return unit;
}
