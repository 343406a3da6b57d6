import { join } from 'node:path';
import { Datastores } from '@vic/datastores';
import { silentLogger } from '@vic/log';
import { CertificateAuthority } from '@vic/pki';
import { freePort, temporaryDirectory } from '@vic/testkit';
import {
  type Inventory,
  type InventoryOptions,
  type VimServer,
  createInventory,
  createVimServer,
  hashPassword,
  writeUsers,
} from '../index.ts';
import { MemoryMachines } from './memory-machines.ts';

/** A host with machines in memory and everything else real, on loopback. */
export interface HostUnderTest extends AsyncDisposable {
  readonly directory: string;
  readonly machines: MemoryMachines;
  readonly url: string;
  readonly user: string;
  readonly password: string;
  inventory: Inventory;
  server: VimServer;
  /** Stops the server and the inventory and starts both again on the same state; `meanwhile` runs in between. */
  restart(meanwhile?: () => void): Promise<void>;
  /** What a kill does: what is under way is never finished by the old host, and a new one starts on what it left. */
  kill(): Promise<void>;
}

const PASSWORD = 'correct horse battery';
let credential: Promise<{ certificate: string; privateKey: string }> | undefined;

/** Starts a host; users are `root` (Admin), `reader` (ReadOnly) and `nobody` (NoAccess), all with the same password. */
export async function startHost(overrides: Partial<InventoryOptions> = {}): Promise<HostUnderTest> {
  const stack = new AsyncDisposableStack();
  const { path: directory } = stack.use(await temporaryDirectory());
  const usersFile = join(directory, 'users.json');
  const passwordHash = await hashPassword(PASSWORD);
  await writeUsers(usersFile, [
    { name: 'root', passwordHash, role: 'Admin' },
    { name: 'reader', passwordHash, role: 'ReadOnly' },
    { name: 'nobody', passwordHash, role: 'NoAccess' },
  ]);
  const machines = new MemoryMachines();
  const datastores = await Datastores.open([{ name: 'datastore1', directory: join(directory, 'datastore1') }]);
  credential ??= issue();
  const tls = await credential;
  const open = async (port: number): Promise<{ inventory: Inventory; server: VimServer }> => {
    const inventory = await createInventory({
      stateDirectory: join(directory, 'state'),
      hostname: 'host.test',
      datastores,
      machines,
      switches: { ensure: async () => undefined, remove: async () => undefined },
      programs: ['vch-endpoint'],
      usersFile,
      logger: silentLogger(),
      capacity: { cpus: 2, cpuMhz: 2000, cpuModel: 'test', memoryBytes: 8 * 2 ** 30 },
      ...overrides,
    });
    const server = await createVimServer(inventory, { tls, listen: { host: '127.0.0.1', port } });
    return { inventory, server };
  };
  // Not just any port: after a restart it has to be free still.
  const first = await open(await freePort());
  const stop = async (): Promise<void> => {
    await host.server.close();
    await host.inventory.close();
  };
  const host: HostUnderTest = {
    directory,
    machines,
    ...first,
    url: `https://127.0.0.1:${first.server.address.port}`,
    user: 'root',
    password: PASSWORD,
    restart: async (meanwhile) => {
      await stop();
      meanwhile?.();
      Object.assign(host, await open(first.server.address.port));
    },
    kill: async () => {
      const { port } = host.server.address;
      await host.server.close();
      Object.assign(host, await open(port));
    },
    [Symbol.asyncDispose]: async () => {
      await stop();
      await stack.disposeAsync();
    },
  };
  return host;
}

async function issue(): Promise<{ certificate: string; privateKey: string }> {
  const authority = await CertificateAuthority.create({ commonName: 'test' });
  const { certificate, key } = await authority.issueServer({ commonName: '127.0.0.1' }, ['127.0.0.1', 'localhost']);
  return { certificate, privateKey: key };
}
