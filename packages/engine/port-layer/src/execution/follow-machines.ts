import type { ContainerUnit } from './container-unit.ts';
import { ID_KEY, VCH_KEY } from './container-record.ts';
import { destroyMachine } from './destroy-machine.ts';
import type { ExecutionContext } from './execution-context.ts';
import { loadContainer } from './load-containers.ts';
import type { Machine, MachineUpdate } from './machine.ts';
import { reconcile, reconcileGone } from './reconcile.ts';
import { TemplatePool } from './template-pool.ts';

/** Takes what the watch of the infrastructure reports. */
export function takeUpdate(context: ExecutionContext, update: MachineUpdate): void {
  if (update.kind === 'gone') takeGone(context, update.ref);
  else takeMachine(context, update.machine);
}

function takeGone(context: ExecutionContext, ref: string): void {
  context.removed.delete(ref);
  context.templates.forget(ref);
  const unit = context.registry.byRef(ref);
  if (unit !== undefined) reconcileGone(context, unit);
}

function takeMachine(context: ExecutionContext, machine: Machine): void {
  if (context.removed.has(machine.ref) || machine.extraConfig[VCH_KEY] !== context.configuration.vchId) return;
  const unit = context.registry.byRef(machine.ref);
  if (unit !== undefined) return reconcile(context, unit, machine);
  if (TemplatePool.isTemplate(machine)) return context.templates.observe(machine);
  takeUnknown(context, machine);
}

/** A machine of ours that is no container yet: being made, given up, or brought back by someone. */
function takeUnknown(context: ExecutionContext, machine: Machine): void {
  const id = machine.extraConfig[ID_KEY] ?? '';
  const making = context.making.get(id);
  if (making !== undefined) {
    making.machine = machine;
    return;
  }
  if (context.abandoned.has(id)) {
    context.removed.add(machine.ref);
    context.background.run('Removing a container VM that was given up', async (signal) =>
      destroyMachine(context.machines, machine.ref, signal),
    );
    return;
  }
  if (context.registry.byId(id) !== undefined) {
    context.logger.warn('A VM claims to be a container that another VM is; it is ignored.', { vm: machine.name });
    return;
  }
  const unit: ContainerUnit | undefined = loadContainer(context, machine);
  unit?.publish({ type: 'container.created' });
}
