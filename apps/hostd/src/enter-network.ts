import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '@vic/files';
import { namespacePath } from '@vic/network';
import { type HostNetwork, planHostNetwork, setUpHostNetwork } from '@vic/switches';
import type { HostdConfiguration } from './configuration.ts';

/** Carries the subnet to the process inside the namespace; unset outside. */
const SUBNET_VARIABLE = 'VIC_HOSTD_SUBNET';
const SUBNET_FILE = 'subnet';

/**
 * Sets up the host's network and continues inside its namespace.
 *
 * Outside, this call replaces the process by one of the same command line in the namespace and does not return;
 * inside, it gives the network.
 */
export async function enterNetwork(
  configuration: HostdConfiguration,
  self: { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string | undefined>> },
): Promise<HostNetwork> {
  const subnet = self.env[SUBNET_VARIABLE];
  if (subnet !== undefined) {
    const network = planHostNetwork(configuration.instance, subnet);
    if (await isInside(network.namespace)) return network;
  }
  const wanted = configuration.subnet ?? (await rememberedSubnet(configuration));
  const network = await setUpHostNetwork({
    instance: configuration.instance,
    uplink: configuration.uplink,
    ...(wanted === undefined ? {} : { subnet: wanted }),
  });
  await rememberSubnet(configuration, network.subnet);
  process.execve?.(
    '/usr/bin/nsenter',
    ['nsenter', `--net=${namespacePath(network.namespace)}`, '--', process.execPath, ...self.argv.slice(1)],
    { ...self.env, [SUBNET_VARIABLE]: network.subnet },
  );
  throw new TypeError('this Node.js cannot replace its process');
}

/** A chosen subnet stays the host's across restarts of the machine: VCHs have static addresses in it. */
async function rememberedSubnet(configuration: HostdConfiguration): Promise<string | undefined> {
  return readFile(join(configuration.stateDirectory, SUBNET_FILE), 'utf8').catch(() => undefined);
}

async function rememberSubnet(configuration: HostdConfiguration, subnet: string): Promise<void> {
  await mkdir(configuration.stateDirectory, { recursive: true, mode: 0o755 });
  await replaceFile(join(configuration.stateDirectory, SUBNET_FILE), subnet, { mode: 0o644 });
}

async function isInside(namespace: string): Promise<boolean> {
  const [own, wanted] = await Promise.all([stat('/proc/self/ns/net'), stat(namespacePath(namespace))]);
  return own.ino === wanted.ino;
}
