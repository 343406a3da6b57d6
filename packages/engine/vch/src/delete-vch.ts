import { VicError } from '@vic/errors';
import type { ManagedObjectReference } from '@vic/vim';
import { isFault } from '@vic/vim';
import { mapLimit } from '@vic/async';
import { parseDatastorePath, properties, retrieveProperties } from '@vic/vim-client';
import type { VimClient } from '@vic/vim-client';
import { BOOT_FOLDER } from './bootstrap-iso.ts';
import { removeBridge } from './bridge-port-group.ts';
import { networkOf } from './configuration.ts';
import type { VchConfiguration } from './configuration.ts';
import { CREATED_BRIDGE_KEY } from './create-vch.ts';
import { configurationOf, extraConfigOf, listVchs } from './list-vchs.ts';
import type { FoundVch } from './list-vchs.ts';
import type { VchPlace } from './vch-place.ts';

/** What {@link deleteVch} works with. */
export interface DeleteVchDeps {
  readonly client: VimClient;
  readonly place: VchPlace;
  readonly report: (line: string) => void;
}

/** Machines of a VCH are removed this many at a time. */
const CONCURRENCY = 4;
/** Kept unless forced: what users mean to outlive a VCH. */
const VOLUMES_FOLDER = 'volumes';
const TEMPLATE_KEY = 'guestinfo.vic.template';

/**
 * Deletes a virtual container host with its containers, images, networks and pool.
 *
 * Without `force`, running containers stop it before anything is touched, and volumes are kept. Can be repeated after
 * a failure: the endpoint, by which the VCH is found, goes last but one.
 */
export async function deleteVch(
  deps: DeleteVchDeps,
  vch: FoundVch,
  options: { readonly force: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { client, place, report } = deps;
  const configuration = configurationOf(vch);
  const pool: ManagedObjectReference<'ResourcePool'> = {
    type: 'ResourcePool',
    value: configuration.resourcePool.value,
  };
  const machines = await machinesOf(client, pool, vch, signal);
  const running = machines.find((machine) => machine.poweredOn && !machine.isTemplate);
  if (running !== undefined && !options.force) throw stillRunning(running.name);
  // First of all, so that the endpoint does not make templates anew while they are removed.
  await powerOff(client, vch.endpoint, signal);
  report(machines.length === 0 ? 'There are no container VMs' : `Removing ${machines.length} container VMs`);
  await mapLimit(machines, CONCURRENCY, async (machine) => {
    await powerOff(client, machine.ref, signal);
    await client.runTask(machine.ref, 'Destroy_Task', {}, { signal });
  });
  report(`Removing images in ${configuration.folder}`);
  await removeFolder(deps, configuration, options.force, signal);
  report('Removing appliance VM');
  await client.runTask(vch.endpoint, 'Destroy_Task', {}, { signal });
  if (vch.extraConfig[CREATED_BRIDGE_KEY] === 'true') {
    const { portGroup } = networkOf(configuration, 'bridge');
    report(`Removing bridge network "${portGroup}"`);
    await removeBridge(client, place, portGroup);
  }
  report('Removing resource pool');
  await client.runTask(pool, 'Destroy_Task', {}, { signal }).catch(ignoreGone);
  await removeUnusedIso(deps, configuration, signal);
}

async function machinesOf(
  client: VimClient,
  pool: ManagedObjectReference<'ResourcePool'>,
  vch: FoundVch,
  signal: AbortSignal,
) {
  const { vm } = await properties(client, pool, ['vm'], { signal }).catch((error: unknown) => {
    ignoreGone(error);
    return { vm: undefined };
  });
  const refs = (vm ?? []).filter(
    (ref) => ref.value !== vch.endpoint.value,
  ) as ManagedObjectReference<'VirtualMachine'>[];
  const found = await retrieveProperties(client, refs, ['name', 'runtime.powerState', 'config.extraConfig'], {
    signal,
  });
  return found.map(({ ref, properties: machine }) => ({
    ref,
    name: machine.name ?? ref.value,
    poweredOn: machine['runtime.powerState'] !== 'poweredOff',
    isTemplate: extraConfigOf(machine['config.extraConfig'])[TEMPLATE_KEY] === 'true',
  }));
}

async function powerOff(
  client: VimClient,
  machine: ManagedObjectReference<'VirtualMachine'>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.runTask(machine, 'PowerOffVM_Task', {}, { signal });
  } catch (error) {
    if (!isFault(error, 'InvalidPowerState')) throw error;
  }
}

async function removeFolder(
  deps: DeleteVchDeps,
  configuration: VchConfiguration,
  force: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { files } = deps.place;
  const { path } = parseDatastorePath(configuration.folder);
  const entries = await files.list(path, signal).catch((error: unknown) => {
    ignoreGone(error);
    return [];
  });
  const kept = force ? [] : entries.filter((entry) => entry.name === VOLUMES_FOLDER);
  if (kept.length === 0) return files.delete(path, signal);
  deps.report(`Volumes are kept in ${files.pathOf(`${path}/${VOLUMES_FOLDER}`)}; --force removes them`);
  for (const entry of entries) {
    if (entry.name !== VOLUMES_FOLDER) await files.delete(`${path}/${entry.name}`, signal);
  }
}

/** The ISO is shared; it goes with the last VCH that boots from it. */
async function removeUnusedIso(
  deps: DeleteVchDeps,
  configuration: VchConfiguration,
  signal: AbortSignal,
): Promise<void> {
  const { path } = parseDatastorePath(configuration.bootstrapIso);
  const others = await listVchs(deps.client, signal);
  const used = others.some((other) => other.configuration?.bootstrapIso === configuration.bootstrapIso);
  if (!used && path.includes(`${BOOT_FOLDER}/`)) await deps.place.files.delete(path, signal);
}

function stillRunning(name: string): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'VCH_HAS_RUNNING_CONTAINERS',
    message: `VM ${name} is powered on.`,
    remedy: 'Stop the containers first, or use --force to remove them as they run.',
  });
}

function ignoreGone(error: unknown): void {
  if (!isFault(error, 'ManagedObjectNotFound') && !isFault(error, 'FileNotFound')) throw error;
}
