import { randomBytes } from 'node:crypto';
import type { LaunchSpec, ProcessSpec } from '@vic/agent-protocol';

/** A process with nothing special about it. */
export function processSpec(args: readonly string[], more: Partial<ProcessSpec> = {}): ProcessSpec {
  return { args, env: [], cwd: '/', user: '', groups: [], tty: false, openStdin: false, ...more };
}

/** A container with one interface and nothing special about it. */
export function launchSpec(process: ProcessSpec, more: Partial<LaunchSpec> = {}): LaunchSpec {
  return {
    time: String(BigInt(Date.now()) * 1_000_000n),
    entropy: randomBytes(32).toString('hex'),
    hostname: 'c1',
    domainname: '',
    interfaces: [
      {
        mac: '02:00:00:00:00:2a',
        setMac: true,
        name: 'eth0',
        addresses: ['172.16.0.2/16'],
        gateway: '172.16.0.1',
        mtu: 1400,
      },
    ],
    dns: { servers: ['172.16.0.1'], search: ['vic.test'], options: ['ndots:0'] },
    hosts: [{ address: '172.16.0.9', names: ['db', 'database'] }],
    process,
    limits: [{ resource: 7, soft: 512, hard: 1024 }],
    readonlyRootfs: false,
    shmSizeBytes: 1024 * 1024,
    tmpfs: [{ path: '/scratch', sizeBytes: 65_536, mode: 0o700, readonly: false, noexec: true }],
    ...more,
  };
}
