import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '@vic/files';
import { createInventory, createVimServer } from '@vic/inventory';
import { createLogger } from '@vic/log';
import type { HostNetwork } from '@vic/switches';
import { composeBackends } from './backends.ts';
import type { HostdConfiguration } from './configuration.ts';
import { ADMINISTRATOR, ensureCredentials } from './credentials.ts';

/**
 * Serves the vSphere API on the host's address until SIGTERM or SIGINT.
 *
 * Machines that ran before are taken over; they go on when this ends, however it ends.
 */
export async function serve(configuration: HostdConfiguration, network: HostNetwork): Promise<void> {
  const logger = createLogger({ name: 'hostd', level: configuration.logLevel });
  // First of all, because what is made below it must not decide who may enter it.
  await makeStateDirectory(configuration.stateDirectory);
  const credentials = await ensureCredentials(join(configuration.stateDirectory, 'credentials'), network.address);
  const backends = await composeBackends(configuration, logger);
  await using inventory = await createInventory({
    ...backends,
    stateDirectory: join(configuration.stateDirectory, 'inventory'),
    hostname: configuration.instance,
    programs: Object.keys(configuration.programs),
    usersFile: credentials.usersFile,
    logger,
  });
  await using server = await createVimServer(inventory, {
    tls: { certificate: credentials.tls.certificate, privateKey: credentials.tls.key },
    listen: { host: network.address, port: configuration.port },
  });
  await writeReady(configuration, {
    address: network.address,
    port: server.address.port,
    gateway: network.gateway,
    namespace: network.namespace,
    thumbprint: credentials.thumbprint,
    user: ADMINISTRATOR,
    passwordFile: credentials.passwordFile,
    pid: process.pid,
  });
  logger.info('serving the vSphere API', { address: network.address, port: server.address.port });
  const received = await stopSignal();
  logger.info('stopping; machines go on', { signal: received });
}

/** Machines run as users of their own, who must reach their files below it but need not see what else there is. */
async function makeStateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o755 });
  await chmod(path, 0o711);
}

/** Resolves with the name of the first signal that asks the process to end. */
async function stopSignal(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  process.once('SIGTERM', resolve);
  process.once('SIGINT', resolve);
  return promise;
}

/** Says where the API is, for those who started this host; replaced atomically. */
async function writeReady(configuration: HostdConfiguration, ready: Record<string, unknown>): Promise<void> {
  const path = join(configuration.stateDirectory, 'ready.json');
  await replaceFile(path, `${JSON.stringify(ready, undefined, 2)}\n`, { mode: 0o644 });
}
