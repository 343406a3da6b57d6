import { silentLogger } from '@vic/log';
import { make, type ManagedObjectReference, type VirtualMachineConfigSpec } from '@vic/vim';
import { list, probeThumbprint, VimClient, type VimClientOptions } from '../index.ts';

/** A vSphere server, started for one suite. */
export interface VimServerUnderTest extends AsyncDisposable {
  /** `https://127.0.0.1:port`. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

/** Where a server is known not to behave like ESXi; each flag skips the tests of that one behaviour. */
export interface VimServerQuirks {
  /** Takes requests whose elements are out of order or unknown. */
  readonly acceptsAnyElements?: boolean;
  /** Lets two machines of a folder have the same name. */
  readonly allowsDuplicateNames?: boolean;
  /** Never compares `changeVersion`. */
  readonly ignoresChangeVersion?: boolean;
  /** Serves datastore files to anybody. */
  readonly openFolder?: boolean;
  /** Loses updates when a version is asked for again. */
  readonly forgetsVersions?: boolean;
}

/** What {@link vimServerSuite} runs against. */
export interface VimServerSuiteOptions {
  readonly name: string;
  readonly start: () => Promise<VimServerUnderTest>;
  readonly quirks?: VimServerQuirks;
  /** Why the server cannot be started here; the suite is then skipped under this name. */
  readonly unavailable?: string | undefined;
}

/** Places of a lone host that every test needs. */
export interface Places {
  readonly datacenter: ManagedObjectReference<'Datacenter'>;
  readonly vmFolder: ManagedObjectReference;
  readonly pool: ManagedObjectReference<'ResourcePool'>;
  readonly datastore: ManagedObjectReference<'Datastore'>;
  readonly datastoreName: string;
}

/** A client of the server under test, which pins the certificate that the server presents. */
export async function connectTo(
  server: VimServerUnderTest,
  overrides: Partial<VimClientOptions> = {},
): Promise<VimClient> {
  const { hostname, port } = new URL(server.url);
  const { sha256 } = await probeThumbprint(hostname, Number(port));
  const { url, user, password } = server;
  return VimClient.connect({ url, user, password, thumbprint: sha256, logger: silentLogger(), ...overrides });
}

/** Finds the places of the server under test. */
export async function findPlaces(client: VimClient): Promise<Places> {
  const [datacenter] = await list(client, 'Datacenter', ['vmFolder']);
  const pools = await list(client, 'ResourcePool', ['name']);
  const [datastore] = await list(client, 'Datastore', ['name']);
  const root = pools.find((pool) => pool.properties.name === 'Resources') ?? pools[0];
  const vmFolder = datacenter?.properties.vmFolder;
  const datastoreName = datastore?.properties.name;
  if (datacenter === undefined || vmFolder === undefined || root === undefined || datastoreName === undefined) {
    throw new Error('the server under test has no data center, resource pool or datastore');
  }
  return {
    datacenter: datacenter.ref,
    vmFolder,
    pool: root.ref,
    datastore: datastore?.ref ?? { type: 'Datastore', value: '' },
    datastoreName,
  };
}

/** A small machine with a SCSI controller and no disk. */
export function smallMachine(name: string, places: Places): VirtualMachineConfigSpec {
  const controller = make('ParaVirtualSCSIController', { key: -100, busNumber: 0, sharedBus: 'noSharing' });
  return {
    name,
    guestId: 'otherGuest64',
    numCPUs: 1,
    memoryMB: 32,
    files: { vmPathName: `[${places.datastoreName}]` },
    deviceChange: [{ operation: 'add', device: controller }],
    extraConfig: [{ key: 'guestinfo.suite', value: 'created' }],
  };
}

/** Creates a small machine; disposing it powers it off and destroys it if it is still there. */
export async function temporaryMachine(
  client: VimClient,
  places: Places,
  name: string,
): Promise<AsyncDisposable & { readonly ref: ManagedObjectReference<'VirtualMachine'> }> {
  const ref = await client.runTask(places.vmFolder, 'CreateVM_Task', {
    config: smallMachine(name, places),
    pool: places.pool,
  });
  return {
    ref,
    [Symbol.asyncDispose]: async () => {
      // A test may have powered it off or destroyed it itself.
      await client.runTask(ref, 'PowerOffVM_Task', {}).catch(() => undefined);
      await client.runTask(ref, 'Destroy_Task', {}).catch(() => undefined);
    },
  };
}
