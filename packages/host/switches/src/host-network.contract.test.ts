import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { inNamespace, listTables, namespaceExists, readNetworkSetting } from '@vic/network';
import { run } from '@vic/process';
import { afterAll, describe, expect, it } from 'vitest';
import { Switches, VM_NETWORK, setUpHostNetwork, tearDownHostNetwork } from './index.ts';

const suffix = randomBytes(3).toString('hex');
const first = `a${suffix}`;
const second = `b${suffix}`;

const LISTEN = `const s=require('net').createServer(c=>c.end('hi')).listen(7000,'0.0.0.0',()=>console.log('ready'));`;
const DIAL = `
  const s=require('net').connect({port:7000,host:process.argv[1]});
  s.on('data',()=>process.exit(0));s.on('error',()=>process.exit(1));setTimeout(()=>process.exit(1),3000)`;

/** Listens in one namespace and connects from another; whether the bytes arrived. */
async function reaches(from: string | undefined, to: string, address: string): Promise<boolean> {
  const [listenProgram, ...listenArgs] = inNamespace(to, [process.execPath, '-e', LISTEN]);
  const server = spawn(listenProgram, listenArgs, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(server, 'exit');
  try {
    await Promise.race([once(server.stdout, 'data'), exited]);
    const client = [process.execPath, '-e', DIAL, address] as const;
    const [program, ...args] = from === undefined ? client : inNamespace(from, client);
    const { code } = await run(program, args, { timeoutMs: 30_000, okCodes: [0, 1] });
    return code === 0;
  } finally {
    server.kill('SIGKILL');
    await exited;
  }
}

afterAll(async () => {
  await tearDownHostNetwork(first);
  await tearDownHostNetwork(second);
});

describe('setUpHostNetwork()', () => {
  it('makes a network the machine and the host reach each other on, idempotently', async () => {
    const network = await setUpHostNetwork({ instance: first, uplink: 'none' });
    expect(await setUpHostNetwork({ instance: first, uplink: 'none' })).toEqual(network);
    await expect.poll(async () => reaches(undefined, network.namespace, network.address)).toBe(true);
  });

  it('gives a second instance a network of its own, and tears each down by itself', async () => {
    const one = await setUpHostNetwork({ instance: first, uplink: 'nat' });
    const two = await setUpHostNetwork({ instance: second, uplink: 'nat' });
    expect(two.subnet).not.toBe(one.subnet);
    expect(await readNetworkSetting({}, 'ipv4/ip_forward')).toBe('1');
    await tearDownHostNetwork(second);
    await tearDownHostNetwork(second);
    expect(await namespaceExists(two.namespace)).toBe(false);
    expect(await namespaceExists(one.namespace)).toBe(true);
    expect(await readNetworkSetting({}, 'ipv4/ip_forward')).toBe('1');
  });

  it('completes a network whose machine side is gone', async () => {
    const network = await setUpHostNetwork({ instance: first, uplink: 'none' });
    await run('ip', ['-n', network.namespace, 'link', 'delete', 'uplink']);
    expect(await reaches(undefined, network.namespace, network.address)).toBe(false);
    await setUpHostNetwork({ instance: first, subnet: network.subnet, uplink: 'none' });
    await expect.poll(async () => reaches(undefined, network.namespace, network.address)).toBe(true);
  });

  it('keeps machines on another port group away from the host', async () => {
    const network = await setUpHostNetwork({ instance: first, uplink: 'none' });
    const switches = new Switches({ namespace: network.namespace });
    await switches.ensure({ name: 'private', virtualSwitch: 'vSwitch0', vlanId: 0 });
    const guest = `t-gu-${suffix}`;
    await run('ip', ['netns', 'add', guest]);
    try {
      await switches.createVethPort('private', guest, 'eth0', '02:00:00:00:00:01');
      await run('ip', ['-n', guest, 'address', 'add', network.address.replace(/2$/, '77/24'), 'dev', 'eth0']);
      expect(await reaches(guest, network.namespace, network.address)).toBe(false);
      await switches.createVethPort(VM_NETWORK, guest, 'eth1', '02:00:00:00:00:02');
      await run('ip', ['-n', guest, 'address', 'flush', 'dev', 'eth0']);
      await run('ip', ['-n', guest, 'address', 'add', network.address.replace(/2$/, '78/24'), 'dev', 'eth1']);
      await expect.poll(async () => reaches(guest, network.namespace, network.address)).toBe(true);
    } finally {
      await run('ip', ['netns', 'delete', guest]);
    }
  });

  it('tearDownHostNetwork() leaves no interface, namespace or table', async () => {
    const network = await setUpHostNetwork({ instance: first, uplink: 'nat' });
    const tablesBefore = await listTables({}, 'ip');
    await tearDownHostNetwork(first);
    expect(await namespaceExists(network.namespace)).toBe(false);
    const left = await listTables({}, 'ip');
    expect(tablesBefore.filter((table) => left.includes(table)).length).toBeLessThan(tablesBefore.length);
  });

  it('refuses instance names and subnets that cannot be', async () => {
    await expect(setUpHostNetwork({ instance: 'No Way', uplink: 'none' })).rejects.toMatchObject({
      class: 'InvalidArgument',
    });
    await expect(setUpHostNetwork({ instance: first, subnet: '10.0.0.0/8', uplink: 'none' })).rejects.toMatchObject({
      class: 'InvalidArgument',
    });
  });
});
