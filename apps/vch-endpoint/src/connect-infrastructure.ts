import { delay } from '@vic/async';
import { VicError, describeError, isVicError } from '@vic/errors';
import type { Logger } from '@vic/log';
import type { VchConfiguration, VchSecrets } from '@vic/vch';
import { reference } from '@vic/vim';
import type { FolderRef, ManagedObjectReference, ResourcePoolRef, VirtualMachineRef } from '@vic/vim';
import { DatastoreFiles, VimClient, list, parseDatastorePath } from '@vic/vim-client';

/** The VCH's place at the infrastructure. */
export interface Infrastructure {
  readonly client: VimClient;
  /** The endpoint's own machine. */
  readonly machine: VirtualMachineRef;
  readonly pool: ResourcePoolRef;
  readonly folder: FolderRef;
  /** Name of the VCH's datastore. */
  readonly datastore: string;
  /** The VCH's folder, relative to the datastore's root. */
  readonly directory: string;
  readonly files: DatastoreFiles;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

/** Connects to the vSphere API, for as long as it takes: the endpoint may be up before its host's API is. */
export async function connectInfrastructure(
  configuration: VchConfiguration,
  secrets: VchSecrets,
  logger: Logger,
  signal: AbortSignal,
): Promise<Infrastructure> {
  const client = await connectPatiently(configuration, secrets, logger, signal);
  const { datastore, path: directory } = parseDatastorePath(configuration.folder);
  return {
    client,
    machine: await ownMachine(client, configuration.id, signal),
    pool: reference('ResourcePool', configuration.resourcePool.value),
    folder: reference('Folder', configuration.vmFolder.value),
    datastore,
    directory,
    files: await openDatastore(client, datastore, signal),
  };
}

async function connectPatiently(
  configuration: VchConfiguration,
  secrets: VchSecrets,
  logger: Logger,
  signal: AbortSignal,
): Promise<VimClient> {
  const { url, thumbprint, user } = configuration.vim;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await VimClient.connect({ url, thumbprint, user, password: secrets.vimPassword, logger, signal });
    } catch (error) {
      // Anything else than an absent server does not get better by waiting.
      if (!isVicError(error, { class: 'Unavailable' }) && !isVicError(error, { class: 'DeadlineExceeded' }))
        throw error;
      logger.warn(`The vSphere API is not there yet: ${describeError(error)}`);
    }
    await delay(pauseMs, signal);
  }
}

/** The endpoint VM has the VCH's id as its BIOS UUID. */
async function ownMachine(client: VimClient, uuid: string, signal: AbortSignal): Promise<VirtualMachineRef> {
  const index = client.content.searchIndex;
  const found =
    index === undefined ? undefined : await client.call(index, 'FindByUuid', { uuid, vmSearch: true }, { signal });
  if (found !== undefined) return reference('VirtualMachine', found.value);
  throw new VicError({
    class: 'NotFound',
    code: 'ENDPOINT_NOT_FOUND',
    message: `No virtual machine has the UUID ${uuid} of this endpoint.`,
    remedy: 'Create the virtual container host again with vic-machine.',
  });
}

async function openDatastore(client: VimClient, name: string, signal: AbortSignal): Promise<DatastoreFiles> {
  for (const { ref: datacenter } of await list(client, 'Datacenter', ['name'], { signal })) {
    const datastores = await list(client, 'Datastore', ['name'], { signal, below: datacenter });
    const datastore = datastores.find(({ properties }) => properties.name === name);
    if (datastore !== undefined) return DatastoreFiles.open(client, datacenter, asDatastore(datastore.ref), signal);
  }
  throw new VicError({
    class: 'NotFound',
    code: 'ENDPOINT_DATASTORE_NOT_FOUND',
    message: `There is no datastore "${name}", where this virtual container host keeps its files.`,
  });
}

function asDatastore(ref: ManagedObjectReference): ManagedObjectReference<'Datastore'> {
  return reference('Datastore', ref.value);
}
