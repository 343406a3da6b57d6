import { retry } from '@vic/async';
import { describeError, isVicError } from '@vic/errors';
import type { ErrorClass } from '@vic/errors';
import type { ContainerUnit } from './container-unit.ts';
import type { ExecutionContext } from './execution-context.ts';
import { handleOf, machineChangeOf, machineSpecOf } from './handle.ts';
import type { EditHandle, NewHandle } from './handle.ts';
import { MACHINE_CHANGED } from './machine.ts';
import type { PowerState } from './machine.ts';

/** Failures of an instant clone that a cold boot would meet as well. */
const NOT_THE_TEMPLATE: readonly ErrorClass[] = [
  'AlreadyExists',
  'InvalidArgument',
  'ResourceExhausted',
  'PermissionDenied',
  'Unauthenticated',
  'Unavailable',
  'DeadlineExceeded',
  'Cancelled',
];

/** Makes the machine of a new handle in one task: an instant clone where possible, else a machine that boots cold. */
export async function commitNew(
  context: ExecutionContext,
  handle: NewHandle,
  signal: AbortSignal,
): Promise<{ readonly ref: string; readonly powerState: PowerState }> {
  const spec = machineSpecOf(handle, context.configuration);
  const template = await context.templates.take(spec.shape, signal);
  if (template !== undefined) {
    try {
      return { ref: await context.machines.instantClone(template, spec, signal), powerState: 'poweredOn' };
    } catch (error) {
      if (NOT_THE_TEMPLATE.some((errorClass) => isVicError(error, { class: errorClass }))) throw error;
      context.logger.warn(`The instant clone failed, the container boots cold instead: ${describeError(error)}`);
      context.templates.discard(template, error);
    }
  }
  return { ref: await context.machines.create(spec, signal), powerState: 'poweredOff' };
}

/** Applies an edit to a container's machine; made again on what the machine is by then when someone was faster. */
export async function commitEdit(
  context: ExecutionContext,
  unit: ContainerUnit,
  edit: (handle: EditHandle) => EditHandle,
  signal: AbortSignal,
): Promise<void> {
  await retry(
    async (attempt) => {
      if (attempt > 1) unit.machine = (await context.machines.read(unit.machine.ref, signal)) ?? unit.machine;
      const handle = edit(handleOf(unit.record, unit.machine));
      await context.machines.reconfigure(unit.machine.ref, machineChangeOf(handle), signal);
      unit.record = handle.record;
    },
    {
      retryIf: (error) => isVicError(error, { code: MACHINE_CHANGED }),
      attempts: 6,
      initialDelayMs: 20,
      maxDelayMs: 500,
      signal,
    },
  );
}
