import { silentLogger } from '@vic/log';
import type { ManagedObjectReference, ResourcePoolRef, VirtualMachineConfigSpec } from '@vic/vim';
import { VimClient, probeThumbprint } from '@vic/vim-client';
import type { HostUnderTest } from './host-under-test.ts';

/** A virtual machine. */
export type VmRef = ManagedObjectReference<'VirtualMachine'>;
/** The pool that every host has. */
export const ROOT_POOL = { type: 'ResourcePool', value: 'ha-root-pool' } as const;
/** The folder of all machines. */
export const VM_FOLDER = { type: 'Folder', value: 'ha-folder-vm' } as const;

/** A client of the host, signed in. */
export async function connectTo(host: HostUnderTest, user = host.user): Promise<VimClient> {
  const { hostname, port } = new URL(host.url);
  const { sha256 } = await probeThumbprint(hostname, Number(port));
  return VimClient.connect({
    url: host.url,
    user,
    password: host.password,
    thumbprint: sha256,
    logger: silentLogger(),
  });
}

/** Makes a machine of the least that one needs, and what is given. */
export async function createMachine(
  client: VimClient,
  given: Partial<VirtualMachineConfigSpec>,
  pool: ResourcePoolRef = ROOT_POOL,
): Promise<VmRef> {
  const config: VirtualMachineConfigSpec = { memoryMB: 64, files: { vmPathName: '[datastore1]' }, ...given };
  return client.runTask(VM_FOLDER, 'CreateVM_Task', { config, pool });
}

/** A property of an object. */
export async function readProperty<T>(client: VimClient, ref: ManagedObjectReference, path: string): Promise<T> {
  return client.call(ref as never, 'Fetch', { prop: path }) as Promise<T>;
}
