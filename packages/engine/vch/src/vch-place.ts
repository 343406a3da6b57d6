import { DatastoreFiles, list, properties, retrieveProperties } from '@vic/vim-client';
import type { VimClient } from '@vic/vim-client';
import type { ManagedObjectReference } from '@vic/vim';
import { invalidOption, notFound } from './vch-error.ts';
import type { VchSettings } from './vch-settings.ts';

/** Where a VCH is, or is to be. */
export interface VchPlace {
  readonly datacenter: ManagedObjectReference<'Datacenter'>;
  readonly vmFolder: ManagedObjectReference<'Folder'>;
  /** The pool that the VCH's own is made in. */
  readonly parentPool: ManagedObjectReference<'ResourcePool'>;
  readonly host: ManagedObjectReference<'HostSystem'>;
  readonly datastoreName: string;
  readonly files: DatastoreFiles;
  /** Names of the networks there are, port groups included. */
  readonly networkNames: readonly string[];
}

/** What is looked up by. */
export type PlaceNames = Pick<VchSettings, 'computeResource' | 'imageStore'> & {
  readonly datacenter: string | undefined;
};

/** Looks everything up that a VCH needs; what is missing or ambiguous is refused with the names there are. */
export async function findPlace(client: VimClient, names: PlaceNames, signal: AbortSignal): Promise<VchPlace> {
  const datacenter = await findDatacenter(client, names.datacenter, signal);
  const compute = await findCompute(client, datacenter.ref, names.computeResource, signal);
  const datastore = await findDatastore(client, compute.datastores, names.imageStore?.datastore, signal);
  const networks = await list(client, 'Network', ['name'], { signal, below: datacenter.ref });
  return {
    datacenter: datacenter.ref,
    vmFolder: datacenter.vmFolder,
    parentPool: compute.pool,
    host: compute.host,
    datastoreName: datastore.name,
    files: await DatastoreFiles.open(client, datacenter.ref, datastore.ref, signal),
    networkNames: networks.flatMap((network) => network.properties.name ?? []),
  };
}

async function findDatacenter(client: VimClient, name: string | undefined, signal: AbortSignal) {
  const all = (await list(client, 'Datacenter', ['name', 'vmFolder'], { signal })).flatMap(
    ({ ref, properties: found }) =>
      found.vmFolder === undefined
        ? []
        : [{ ref, name: found.name ?? '', vmFolder: found.vmFolder as ManagedObjectReference<'Folder'> }],
  );
  return pick(all, name, {
    what: 'datacenter',
    option: '--target',
    ambiguous: 'Datacenter must be specified in --target (e.g. --target addr/datacenter).',
  });
}

async function findCompute(
  client: VimClient,
  datacenter: ManagedObjectReference<'Datacenter'>,
  name: string | undefined,
  signal: AbortSignal,
) {
  const paths = ['name', 'resourcePool', 'host', 'datastore'] as const;
  const all = (await list(client, 'ComputeResource', paths, { signal, below: datacenter })).flatMap(
    ({ properties: found }) => {
      const [host] = found.host ?? [];
      if (found.resourcePool === undefined || host === undefined) return [];
      const pool = found.resourcePool as ManagedObjectReference<'ResourcePool'>;
      return [{ name: found.name ?? '', pool, host, datastores: found.datastore ?? [] }];
    },
  );
  const pool = name === undefined ? undefined : await findPool(client, datacenter, name, signal);
  if (pool !== undefined) {
    const owner = all.find((compute) => compute.pool.value === pool.owner) ?? all[0];
    if (owner !== undefined) return { ...owner, pool: pool.ref };
  }
  return pick(all, name?.split('/').at(-1), {
    what: 'compute resource',
    option: '--compute-resource',
    ambiguous: 'There are several compute resources; --compute-resource must name one.',
  });
}

/** A resource pool by name, other than the roots, which go by the names of their compute resources. */
async function findPool(
  client: VimClient,
  datacenter: ManagedObjectReference<'Datacenter'>,
  name: string,
  signal: AbortSignal,
) {
  const pools = await list(client, 'ResourcePool', ['name', 'parent'], { signal, below: datacenter });
  const pool = pools.find((candidate) => candidate.properties.name === name.split('/').at(-1));
  return pool?.properties.parent?.type === 'ResourcePool'
    ? { ref: pool.ref, owner: pool.properties.parent.value }
    : undefined;
}

async function findDatastore(
  client: VimClient,
  refs: readonly ManagedObjectReference[],
  name: string | undefined,
  signal: AbortSignal,
) {
  const found = await retrieveProperties(client, refs as readonly ManagedObjectReference<'Datastore'>[], ['name'], {
    signal,
  });
  const all = found.map(({ ref, properties: { name: datastore = '' } }) => ({ ref, name: datastore }));
  return pick(all, name, {
    what: 'datastore',
    option: '--image-store',
    ambiguous: 'An image store must be specified: there are several datastores.',
  });
}

/** The one of that name, or the only one there is. */
function pick<T extends { readonly name: string }>(
  all: readonly T[],
  name: string | undefined,
  words: { readonly what: string; readonly option: string; readonly ambiguous: string },
): T {
  const names = all.map((candidate) => candidate.name);
  if (name !== undefined) {
    const found = all.find((candidate) => candidate.name === name);
    if (found === undefined) throw notFound(words.what, name, names, words.option);
    return found;
  }
  const [only] = all;
  if (only === undefined) throw notFound(words.what, '', [], words.option);
  if (all.length === 1) return only;
  throw invalidOption(
    words.ambiguous,
    `Suggested values for ${words.option}: ${names
      .slice(0, 10)
      .map((each) => `"${each}"`)
      .join(', ')}`,
  );
}

/** Whether the host can run process VMs: only hostd can. */
export async function runsProcessMachines(client: VimClient, place: VchPlace, signal: AbortSignal): Promise<boolean> {
  const { 'summary.hardware': hardware } = await properties(client, place.host, ['summary.hardware'], { signal });
  return hardware?.vendor === 'VIC' && hardware.model === 'hostd';
}
