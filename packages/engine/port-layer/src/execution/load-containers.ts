import { formatRfc3339 } from '@vic/time';
import type { ContainerState } from './container.ts';
import { ContainerUnit } from './container-unit.ts';
import { VCH_KEY, decodeExit, decodeRecord, portsInForce } from './container-record.ts';
import type { ContainerRecord } from './container-record.ts';
import { destroyMachine } from './destroy-machine.ts';
import { KILLED_EXIT_CODE } from './end-container.ts';
import type { ExecutionContext } from './execution-context.ts';
import { readGuestStatus } from './guest-status.ts';
import { armIdlePowerOff } from './idle-power-off.ts';
import type { Machine } from './machine.ts';
import { writeDownEnd } from './reconcile.ts';
import { removeInBackground } from './remove-container.ts';
import { TemplatePool } from './template-pool.ts';
import { parseTimeNs } from './time.ts';
import { unreportedEnd } from './unreported-end.ts';

/** Rebuilds everything from the machines of the VCH, when the endpoint starts. */
export async function loadContainers(
  context: ExecutionContext,
  machines: readonly Machine[],
  signal: AbortSignal,
): Promise<void> {
  const units: ContainerUnit[] = [];
  for (const machine of machines) {
    if (machine.extraConfig[VCH_KEY] !== context.configuration.vchId) continue;
    if (TemplatePool.isTemplate(machine)) context.templates.observe(machine);
    else {
      const unit = loadContainer(context, machine);
      if (unit === undefined) removeHalfMade(context, machine);
      else units.push(unit);
    }
  }
  await context.networks.open(signal);
  for (const unit of units) settle(context, unit);
}

/** The container in a machine, with its address and ports taken back; `undefined` when its record is incomplete. */
export function loadContainer(context: ExecutionContext, machine: Machine): ContainerUnit | undefined {
  const record = decodeRecord(machine.extraConfig);
  if (record === undefined) return undefined;
  const state = stateOf(context, record, machine);
  const unit = new ContainerUnit(record, machine, state, context.unitDeps);
  // A container that was made and never started waits for its start.
  unit.bootExpected = state.status === 'created' && machine.powerState === 'poweredOn';
  context.registry.add(unit);
  if (record.endpoint === undefined) return unit;
  const isRunning = state.status === 'running';
  const ports = isRunning ? portsInForce(record, machine.extraConfig) : undefined;
  const name = { containerId: unit.id, containerName: record.config.name };
  try {
    context.networks.restore(name, record.endpoint, ports);
    unit.publishedPorts = ports ?? [];
  } catch (error) {
    context.logger.error(`Container ${unit.id} could not get its network back.`, { error: String(error) });
  }
  return unit;
}

function stateOf(context: ExecutionContext, record: ContainerRecord, machine: Machine): ContainerState {
  const { startedNs, exit, error } = readGuestStatus(machine.extraConfig);
  if (startedNs === undefined) {
    if (error === undefined) return { status: 'created' };
    return { status: 'created', startError: { exitCode: 128, message: error } };
  }
  const startedAt = formatRfc3339(startedNs);
  if (exit !== undefined && exit.timeNs >= startedNs) {
    return {
      status: 'exited',
      startedAt,
      finishedAt: formatRfc3339(exit.timeNs),
      exitCode: exit.code,
      oomKilled: exit.oom,
    };
  }
  const written = decodeExit(machine.extraConfig);
  if (written !== undefined && (parseTimeNs(written.finishedAt) ?? 0n) >= startedNs) {
    return { status: 'exited', oomKilled: false, ...written, startedAt };
  }
  if (machine.powerState === 'poweredOn') return { status: 'running', startedAt, pid: 0 };
  return {
    status: 'exited',
    startedAt,
    finishedAt: formatRfc3339(context.clock.nowNs()),
    exitCode: KILLED_EXIT_CODE,
    oomKilled: false,
    error: error ?? unreportedEnd(machine, 'while its endpoint was away'),
  };
}

/** What is left to do for a container whose endpoint was away. */
function settle(context: ExecutionContext, unit: ContainerUnit): void {
  const { state, record, machine } = unit;
  armIdlePowerOff(context, unit);
  if (state.status !== 'exited') return;
  if (record.config.autoRemove) removeInBackground(context, unit);
  else if (state.error !== undefined && decodeExit(machine.extraConfig)?.finishedAt !== state.finishedAt) {
    context.background.run(`Writing down the end of ${unit.id}`, async (signal) => writeDownEnd(context, unit, signal));
  }
}

function removeHalfMade(context: ExecutionContext, machine: Machine): void {
  context.logger.warn('Removing a container VM that was never finished.', { vm: machine.name });
  context.removed.add(machine.ref);
  context.background.run('Removing a half-made container VM', async (signal) =>
    destroyMachine(context.machines, machine.ref, signal),
  );
}
