import { rm } from 'node:fs/promises';
import { namespaceExists } from '@vic/network';
import { createLogger } from '@vic/log';
import { removeCpuGroups } from '@vic/machines';
import { namespaceOf, tearDownHostNetwork } from '@vic/switches';
import { composeBackends, cpuGroupOf, memoryDirectoryOf } from './backends.ts';
import type { HostdConfiguration } from './configuration.ts';

/** Powering off is killing processes: a minute is plenty even for hundreds of machines. */
const POWER_OFF_TIMEOUT_MS = 60_000;

/** Powers every machine off and removes network and state of the host. Can be repeated; hostd must not run. */
export async function tearDown(configuration: HostdConfiguration): Promise<void> {
  const namespace = namespaceOf(configuration.instance);
  if (await namespaceExists(namespace)) {
    const logger = createLogger({ name: 'hostd', level: 'warn' });
    const { machines } = await composeBackends(configuration, logger, namespace);
    // A host that knows no machine ends all it finds.
    await machines.adopt([], AbortSignal.timeout(POWER_OFF_TIMEOUT_MS));
    await machines[Symbol.asyncDispose]();
  }
  await removeCpuGroups(cpuGroupOf(configuration));
  await tearDownHostNetwork(configuration.instance);
  await rm(memoryDirectoryOf(configuration), { recursive: true, force: true });
  await rm(configuration.stateDirectory, { recursive: true, force: true });
}
