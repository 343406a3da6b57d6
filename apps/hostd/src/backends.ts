import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Datastores } from '@vic/datastores';
import type { Logger } from '@vic/log';
import { type Machines, createMachineBackend } from '@vic/machines';
import { Switches } from '@vic/switches';
import type { HostdConfiguration } from './configuration.ts';

/** What the inventory drives, made real on this machine. */
export interface Backends {
  readonly datastores: Datastores;
  readonly machines: Machines;
  readonly switches: Switches;
}

/** On a tmpfs: the memory of instant clone sources must not be written back to a disk. Gone after a reboot, as they are. */
export function memoryDirectoryOf({ instance }: HostdConfiguration): string {
  return `/dev/shm/vic-${instance}`;
}

/** The control group of all machines of a host. */
export function cpuGroupOf({ instance }: HostdConfiguration): string {
  return `vic-${instance}`;
}

/** Puts datastore, switches and machines of a host together; `namespace` when called from outside the host's own. */
export async function composeBackends(
  configuration: HostdConfiguration,
  logger: Logger,
  namespace?: string,
): Promise<Backends> {
  const { stateDirectory } = configuration;
  await mkdir(stateDirectory, { recursive: true, mode: 0o755 });
  const switches = new Switches(namespace === undefined ? {} : { namespace });
  const machines = await createMachineBackend({
    runtimeDirectory: join(stateDirectory, 'machines'),
    memoryDirectory: memoryDirectoryOf(configuration),
    programs: configuration.programs,
    network: switches,
    qemuUserBase: configuration.machineUserBase,
    cpuGroup: cpuGroupOf(configuration),
    logger,
  });
  const datastores = await Datastores.open([
    { name: 'datastore1', directory: join(stateDirectory, 'datastores/datastore1') },
  ]);
  return { datastores, machines, switches };
}
