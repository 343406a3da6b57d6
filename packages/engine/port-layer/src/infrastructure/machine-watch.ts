import { make } from '@vic/vim';
import type { ManagedObjectReference, PropertyFilterSpec, ResourcePoolRef } from '@vic/vim';
import { retrieve, watch } from '@vic/vim-client';
import type { ObjectChange, VimCaller } from '@vic/vim-client';
import type { MachineUpdate } from '../execution/machine.ts';
import { MACHINE_PROPERTIES, machineOf } from './machine-properties.ts';

/** How many machines one answer names at most. */
const PAGE = 500;

/** Follows the machines of a resource pool: all of them as the first batch, then what changes. */
export async function* watchMachines(
  client: VimCaller,
  pool: ResourcePoolRef,
  signal: AbortSignal,
): AsyncGenerator<readonly MachineUpdate[], void, undefined> {
  const spec = machinesOfPool(pool);
  const known = new Map<string, Readonly<Record<string, unknown>>>();
  for (const { obj, propSet } of await retrieve(client, [spec], { signal })) {
    known.set(obj.value, Object.fromEntries((propSet ?? []).map(({ name, val }) => [name, val])));
  }
  let isComplete = false;
  yield [...known.keys()].flatMap((ref) => changed(known, ref));
  for await (const changes of watch(client, spec, { signal })) {
    const updates = changes.flatMap(({ kind, ref, properties }) =>
      kind === 'leave' ? gone(known, ref) : remember(known, ref, properties, kind === 'enter'),
    );
    if (!isComplete) updates.push(...missing(known, changes));
    isComplete = true;
    if (updates.length > 0) yield updates;
  }
}

/**
 * Machines that left between the first look and the beginning of the watch, which names all there are.
 *
 * Only a first answer that is no full page is sure to name all; beyond that a machine that left in those few
 * milliseconds stays known until the next start.
 */
function missing(known: Map<string, unknown>, first: readonly ObjectChange[]): MachineUpdate[] {
  if (first.length >= PAGE) return [];
  const named = new Set(first.map(({ ref }) => ref.value));
  const left = [...known.keys()].filter((ref) => !named.has(ref));
  for (const ref of left) known.delete(ref);
  return left.map((ref) => ({ kind: 'gone', ref }));
}

function machinesOfPool(pool: ResourcePoolRef): PropertyFilterSpec {
  const traversal = make('TraversalSpec', { type: 'ResourcePool', path: 'vm', skip: false });
  return {
    propSet: [{ type: 'VirtualMachine', all: false, pathSet: [...MACHINE_PROPERTIES] }],
    objectSet: [{ obj: pool, skip: true, selectSet: [traversal] }],
  };
}

function remember(
  known: Map<string, Readonly<Record<string, unknown>>>,
  ref: ManagedObjectReference,
  properties: Readonly<Record<string, unknown>>,
  isNew: boolean,
): MachineUpdate[] {
  known.set(ref.value, isNew ? properties : { ...known.get(ref.value), ...properties });
  return changed(known, ref.value);
}

function changed(known: ReadonlyMap<string, Readonly<Record<string, unknown>>>, ref: string): MachineUpdate[] {
  const machine = machineOf(ref, known.get(ref) ?? {});
  return machine === undefined ? [] : [{ kind: 'changed', machine }];
}

function gone(known: Map<string, unknown>, ref: ManagedObjectReference): MachineUpdate[] {
  known.delete(ref.value);
  return [{ kind: 'gone', ref: ref.value }];
}
