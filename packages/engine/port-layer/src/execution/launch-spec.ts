import { randomBytes } from 'node:crypto';
import { VicError } from '@vic/errors';
import { shortId } from '@vic/ids';
import type { InterfaceSpec, LaunchSpec, ProcessSpec, ResourceLimit } from '@vic/agent-protocol';
import type { NetworkEndpoint, NewContainer, ProcessConfig } from './container.ts';
import { tmpfsMount } from './tmpfs-option.ts';

/** Numbers of setrlimit(2) by Docker's names. */
const RESOURCES: Readonly<Record<string, number>> = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
};

/** Enough to reseed the kernel's pool after an instant clone. */
const ENTROPY_BYTES = 64;

/** Refuses what a launch could not honour, before anything is made. */
export function checkLaunchable(config: NewContainer): void {
  config.ulimits.map(resourceLimit);
  config.tmpfs.map((mount) => tmpfsMount(mount.path, mount.options));
}

/** The tether's orders for a container. */
export function launchSpecOf(
  config: NewContainer,
  endpoint: NetworkEndpoint | undefined,
  nameServers: readonly string[],
  now: { readonly timeNs: bigint; readonly consoleSize: ProcessConfig['consoleSize'] },
): LaunchSpec {
  const hostname = config.hostname === '' ? shortId(config.id) : config.hostname;
  return {
    time: now.timeNs.toString(),
    entropy: randomBytes(ENTROPY_BYTES).toString('hex'),
    hostname,
    domainname: config.domainname,
    interfaces: endpoint === undefined ? [] : [interfaceOf(endpoint)],
    dns: {
      servers: nameServers,
      search: config.dns.search,
      options: config.dns.options,
    },
    // The line of the container itself is written by its agent, which knows name and addresses.
    hosts: config.extraHosts.map(({ address, name }) => ({ address, names: [name] })),
    process: processSpecOf(config.process, now.consoleSize),
    limits: config.ulimits.map(resourceLimit),
    readonlyRootfs: config.readonlyRootfs,
    shmSizeBytes: config.shmSizeBytes,
    tmpfs: config.tmpfs.map((mount) => tmpfsMount(mount.path, mount.options)),
  };
}

/** A process in the tether's terms. */
export function processSpecOf(process: ProcessConfig, consoleSize = process.consoleSize): ProcessSpec {
  return {
    args: process.args,
    env: process.env,
    cwd: process.cwd,
    user: process.user,
    groups: process.groups,
    tty: process.tty,
    openStdin: process.openStdin,
    ...(process.tty && consoleSize !== undefined
      ? { consoleSize: { rows: consoleSize.rows, cols: consoleSize.columns } }
      : {}),
  };
}

function interfaceOf(endpoint: NetworkEndpoint): InterfaceSpec {
  return {
    mac: endpoint.mac.toLowerCase(),
    setMac: true,
    name: 'eth0',
    addresses: [`${endpoint.address}/${endpoint.prefixLength}`],
    ...(endpoint.gateway === '' ? {} : { gateway: endpoint.gateway }),
  };
}

function resourceLimit(limit: NewContainer['ulimits'][number]): ResourceLimit {
  const resource = RESOURCES[limit.name];
  if (resource === undefined) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'ULIMIT_INVALID',
      message: `invalid ulimit type: ${limit.name}`,
    });
  }
  return { resource, soft: limit.soft, hard: limit.hard };
}
