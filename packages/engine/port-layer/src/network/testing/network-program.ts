import { createInterface } from 'node:readline';
import type { ContainerId } from '@vic/ids';
import { silentLogger } from '@vic/log';
import { ContainerNetworks } from '../index.ts';
import type { NetworkConfiguration } from '../index.ts';

/*
 * The network domain as a program of its own, started by the contract test inside an endpoint's network namespace.
 * It takes one JSON command a line and answers each with one line.
 */

const configuration: NetworkConfiguration = JSON.parse(process.argv[2] ?? '{}');
const networks = new ContainerNetworks({ configuration, logger: silentLogger() });

const commands: Readonly<Record<string, (args: Record<string, string>) => unknown>> = {
  restore: ({ name = '', address = '', ports = '' }) => {
    const endpoint = { ...networks.reserve(requestOf(`${name}-template`, address)) };
    networks.release(`${name}-template` as ContainerId);
    networks.restore({ containerId: name as ContainerId, containerName: name }, endpoint, bindingsOf(ports));
  },
  open: () => networks.open(AbortSignal.timeout(20_000)),
  reserve: ({ name = '', address = '' }) => networks.reserve(requestOf(name, address)),
  connect: ({ name = '', ports = '' }) => networks.connect(name as ContainerId, bindingsOf(ports)),
  disconnect: ({ name = '' }) => networks.disconnect(name as ContainerId),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...args }: Record<string, string> = JSON.parse(line);
  try {
    const result = await commands[command ?? '']?.(args);
    process.stdout.write(`${JSON.stringify({ result: result ?? null })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: error instanceof Error ? error.message : String(error) })}\n`);
  }
}
await networks[Symbol.asyncDispose]();

function requestOf(name: string, address: string): Parameters<ContainerNetworks['reserve']>[0] {
  const requestedAddress = address === '' ? undefined : address;
  return { containerId: name as ContainerId, containerName: name, network: undefined, aliases: [], requestedAddress };
}

/** `8080:80/tcp,…` */
function bindingsOf(text: string): Parameters<ContainerNetworks['connect']>[1] {
  return text.split(',').flatMap((item) => {
    const match = /^(\d+):(\d+)\/(tcp|udp)$/.exec(item);
    if (match === null) return [];
    const protocol = match[3] === 'udp' ? 'udp' : 'tcp';
    return [{ hostPort: Number(match[1]), containerPort: Number(match[2]), protocol, hostAddress: '' }];
  });
}
