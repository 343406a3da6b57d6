import { text } from 'node:stream/consumers';
import { delay } from '@vic/async';
import { VicError } from '@vic/errors';
import { expect, it } from 'vitest';
import { SimulatedVch, newContainer } from './testing/simulated-vch.ts';

const signal = new AbortController().signal;

async function start(): Promise<SimulatedVch> {
  const vch = new SimulatedVch();
  await vch.start();
  return vch;
}

function typesOf(vch: SimulatedVch, name: string): string[] {
  return vch.events.filter((event) => event.container.config.name === name).map((event) => event.type);
}

it('a container is made by one instant clone, started, and its exit is reported once', async () => {
  await using vch = await start();
  await vch.execution.create(newContainer('a', ['exit', '3']), signal);
  const wait = vch.execution.wait('a', 'next-exit', signal);
  await vch.execution.start('a', signal);
  expect(await wait).toEqual({ exitCode: 3 });
  await expect.poll(() => vch.host.machineOf(vch.execution.get('a').config.id)?.powerState).toBe('poweredOff');
  expect(vch.execution.get('a').state).toMatchObject({ status: 'exited', exitCode: 3 });
  expect(vch.host.calls.filter((call) => call === 'instantClone')).toHaveLength(1);
  await expect
    .poll(() => typesOf(vch, 'a'))
    .toEqual(['container.created', 'network.connected', 'container.started', 'container.died', 'network.disconnected']);
});

it('the launch carries addresses, extra hosts and the name server of the VCH', async () => {
  await using vch = await start();
  const { config } = await vch.execution.create(
    newContainer('a', ['run'], { hostname: 'web', extraHosts: [{ address: '10.0.0.9', name: 'db' }] }),
    signal,
  );
  await vch.execution.start('a', signal);
  expect(vch.host.guestOf(config.id)?.launches[0]).toMatchObject({
    hostname: 'web',
    interfaces: [
      {
        mac: expect.stringMatching(/^02(:[0-9a-f]{2}){5}$/),
        setMac: true,
        addresses: ['172.16.0.2/16'],
        gateway: '172.16.0.1',
      },
    ],
    dns: { servers: ['172.16.0.1'] },
    hosts: [{ address: '10.0.0.9', names: ['db'] }],
  });
});

it('a program that is missing keeps its error, and the machine is off', async () => {
  await using vch = await start();
  const { config } = await vch.execution.create(newContainer('a', ['missing']), signal);
  await expect(vch.execution.start('a', signal)).rejects.toMatchObject({
    code: 'CONTAINER_START_FAILED',
    exitCode: 127,
  });
  expect(vch.execution.get('a').state).toMatchObject({ status: 'created', startError: { exitCode: 127 } });
  expect(vch.host.machineOf(config.id)?.powerState).toBe('poweredOff');
  expect(vch.networks.connected.size).toBe(0);
});

it('a machine that stands still during the start is told of with the reason the infrastructure gives', async () => {
  await using vch = await start();
  const { config } = await vch.execution.create(newContainer('full', ['stuck']), signal);
  vch.host.ask(vch.host.machineOf(config.id)?.ref ?? '', 'no room is left on [datastore1]');
  // The endpoint hears of it by its watch.
  await delay(1);
  await expect(vch.execution.start('full', signal)).rejects.toMatchObject({
    code: 'CONTAINER_VM_WAITS',
    message: expect.stringContaining('no room is left on [datastore1]'),
  });
});

it('a program that is missing keeps its error when the question of its machine is about to be taken back', async () => {
  await using vch = await start();
  const { config } = await vch.execution.create(newContainer('a', ['missing']), signal);
  vch.host.ask(vch.host.machineOf(config.id)?.ref ?? '', 'no room is left on [datastore1]');
  await delay(1);
  await expect(vch.execution.start('a', signal)).rejects.toMatchObject({ code: 'CONTAINER_START_FAILED' });
  expect(vch.execution.get('a').state).toMatchObject({ status: 'created', startError: { exitCode: 127 } });
});

it('a port that is taken fails the start and leaves nothing connected', async () => {
  await using vch = await start();
  const ports = [{ containerPort: 80, protocol: 'tcp' as const, hostAddress: '', hostPort: 81 }];
  await vch.execution.create(newContainer('a', ['run'], { ports }), signal);
  await expect(vch.execution.start('a', signal)).rejects.toThrow('already allocated');
  expect(vch.execution.get('a').state.status).toBe('created');
  expect(vch.networks.connected.size).toBe(0);
});

it('a container that removes itself goes when its start fails, and who waits for that is told', async () => {
  await using vch = await start();
  const ports = [{ containerPort: 80, protocol: 'tcp' as const, hostAddress: '', hostPort: 81 }];
  await vch.execution.create(newContainer('a', ['run'], { ports, autoRemove: true }), signal);
  const removed = vch.execution.wait('a', 'removed', signal);
  await expect(vch.execution.start('a', signal)).rejects.toThrow('already allocated');
  await removed;
  expect(vch.execution.list()).toEqual([]);
});

it('stop sends the stop signal, and start runs it again on a fresh boot', async () => {
  await using vch = await start();
  await vch.execution.create(newContainer('a', ['run']), signal);
  await vch.execution.start('a', signal);
  await vch.execution.stop('a', {}, signal);
  expect(vch.execution.get('a').state).toMatchObject({ status: 'exited', exitCode: 143 });
  await vch.execution.start('a', signal);
  expect(vch.execution.get('a').state.status).toBe('running');
  expect(vch.host.calls).toContain('powerOn');
  await expect(vch.execution.start('a', signal)).rejects.toMatchObject({ class: 'NotModified' });
});

it('restart keeps a container that removes itself', async () => {
  await using vch = await start();
  await vch.execution.create(newContainer('a', ['run'], { autoRemove: true }), signal);
  await vch.execution.start('a', signal);
  await vch.execution.restart('a', {}, signal);
  expect(vch.execution.get('a').state.status).toBe('running');
  const removed = vch.execution.wait('a', 'removed', signal);
  await vch.execution.kill('a', 'SIGKILL', signal);
  expect(await removed).toEqual({ exitCode: 137 });
  expect(vch.execution.list()).toEqual([]);
  expect(vch.networks.held.size).toBe(0);
});

it('remove refuses a running container unless forced', async () => {
  await using vch = await start();
  const { config } = await vch.execution.create(newContainer('a', ['run']), signal);
  await vch.execution.start('a', signal);
  await expect(vch.execution.remove('a', { force: false }, signal)).rejects.toMatchObject({ class: 'Conflict' });
  await vch.execution.remove('a', { force: true }, signal);
  expect(vch.host.machineOf(config.id)).toBeUndefined();
  await expect
    .poll(() => typesOf(vch, 'a').slice(-3))
    .toEqual(['container.killed', 'container.died', 'container.removed']);
});

it('a name is taken until its container is removed', async () => {
  await using vch = await start();
  await vch.execution.create(newContainer('a', ['run']), signal);
  await expect(vch.execution.create(newContainer('a', ['run']), signal)).rejects.toMatchObject({
    class: 'AlreadyExists',
  });
  await vch.execution.rename('a', 'b', signal);
  await vch.execution.create(newContainer('a', ['run']), signal);
  expect(() => vch.execution.get('missing')).toThrow('No such container: missing');
});

it('a create that fails gives everything back', async () => {
  await using vch = await start();
  await expect.poll(() => vch.host.machines().some((machine) => machine.frozen)).toBe(true);
  vch.host.failures.set('instantClone', new VicError({ class: 'ResourceExhausted', code: 'FULL', message: 'full' }));
  await expect(vch.execution.create(newContainer('a', ['run']), signal)).rejects.toMatchObject({ code: 'FULL' });
  expect(vch.networks.held.size).toBe(0);
  expect(vch.execution.list()).toEqual([]);
  await vch.execution.create(newContainer('a', ['run']), signal);
});

it('without instant clones containers boot cold', async () => {
  const vch = new SimulatedVch();
  await using _cleanup = vch;
  vch.host.hasInstantClone = false;
  await vch.start();
  await vch.execution.create(newContainer('a', ['exit', '0']), signal);
  await vch.execution.start('a', signal);
  expect(await vch.execution.wait('a', 'not-running', signal)).toEqual({ exitCode: 0 });
});

it('a template that cannot be cloned is replaced', async () => {
  await using vch = await start();
  await expect.poll(() => vch.host.machines().some((machine) => machine.frozen)).toBe(true);
  const broken = vch.host.machines()[0]?.ref;
  vch.host.failures.set('instantClone', new VicError({ class: 'Internal', code: 'BROKEN', message: 'broken' }));
  await vch.execution.create(newContainer('a', ['run']), signal);
  await expect.poll(() => vch.host.machines().map(({ ref }) => ref)).not.toContain(broken);
  await vch.execution.create(newContainer('b', ['run']), signal);
  expect(vch.host.calls.filter((call) => call === 'instantClone')).toHaveLength(2);
});

it('a container that is not started gives its memory back and starts all the same', async () => {
  const vch = new SimulatedVch();
  await using _cleanup = vch;
  vch.idlePowerOffMs = 5;
  await vch.start();
  const { config } = await vch.execution.create(newContainer('a', ['run']), signal);
  await expect.poll(() => vch.host.machineOf(config.id)?.powerState).toBe('poweredOff');
  await vch.execution.start('a', signal);
  expect(vch.execution.get('a').state.status).toBe('running');
});

it('a machine powered off by someone else is an exit with code 137 and one event', async () => {
  await using vch = await start();
  const { config } = await vch.execution.create(newContainer('a', ['run']), signal);
  await vch.execution.start('a', signal);
  await vch.host.powerOff(vch.host.machineOf(config.id)?.ref ?? '');
  await expect.poll(() => vch.execution.get('a').state).toMatchObject({ status: 'exited', exitCode: 137 });
  expect(vch.execution.get('a').state).toHaveProperty('error');
  const before = vch.execution.get('a').state;
  await expect.poll(() => vch.host.machineOf(config.id)?.extraConfig).toHaveProperty(['vic.exit']);
  await vch.kill();
  await vch.start();
  expect(vch.execution.get('a').state).toEqual(before);
  expect(typesOf(vch, 'a').filter((type) => type === 'container.died')).toHaveLength(1);
});

it('a machine destroyed by someone else takes its container along', async () => {
  await using vch = await start();
  const { config } = await vch.execution.create(newContainer('a', ['run']), signal);
  await vch.execution.start('a', signal);
  vch.host.vanish(vch.host.machineOf(config.id)?.ref ?? '');
  const ends = (): string[] =>
    typesOf(vch, 'a').filter((type) => type === 'container.died' || type === 'container.removed');
  await expect.poll(ends).toEqual(['container.died', 'container.removed']);
  expect(vch.execution.list()).toEqual([]);
  expect(vch.networks.held.size).toBe(0);
});

it('a machine powered on by someone else gets its launch', async () => {
  await using vch = await start();
  const { config } = await vch.execution.create(newContainer('a', ['run']), signal);
  await vch.execution.start('a', signal);
  await vch.execution.stop('a', {}, signal);
  await expect.poll(() => vch.host.machineOf(config.id)?.powerState).toBe('poweredOff');
  await vch.host.powerOn(vch.host.machineOf(config.id)?.ref ?? '');
  await expect.poll(() => vch.execution.get('a').state.status).toBe('running');
});

it('an endpoint that starts again has everything back', async () => {
  await using vch = await start();
  const ports = [{ containerPort: 80, protocol: 'tcp' as const, hostAddress: '', hostPort: 0 }];
  await vch.execution.create(newContainer('running', ['cat'], { ports }), signal);
  await vch.execution.start('running', signal);
  await vch.execution.create(newContainer('created', ['run']), signal);
  const { config } = await vch.execution.create(newContainer('rm', ['run'], { autoRemove: true }), signal);
  await vch.execution.start('rm', signal);
  const before = vch.execution.get('running');
  await vch.kill();
  vch.host.guestOf(config.id)?.exit(0);
  vch.host.plant({ 'vic.vch': 'vch-1', 'guestinfo.vic.id': 'half' });
  await vch.start();
  const { config: configAfter, publishedPorts } = vch.execution.get('running');
  expect({ config: configAfter, publishedPorts }).toEqual({
    config: before.config,
    publishedPorts: before.publishedPorts,
  });
  expect(vch.execution.get('created').state.status).toBe('created');
  await expect.poll(() => vch.execution.list()).toHaveLength(2);
  await expect.poll(() => vch.host.machineOf('half')).toBeUndefined();
  const { stdin, stdout } = await vch.execution.attach('running', { stdin: true }, signal);
  stdin?.end('still there');
  expect(await text(stdout)).toBe('still there');
});

it('a machine knows how its container wants to be stopped', async () => {
  await using vch = await start();
  const request = newContainer('a', ['run'], { stopSignal: 'SIGQUIT', stopTimeoutSeconds: 30 });
  const { config } = await vch.execution.create(request, signal);
  expect(vch.host.machineOf(config.id)?.extraConfig).toMatchObject({
    'guestinfo.vic.stop.signal': '3',
    'guestinfo.vic.stop.timeout': '30',
  });
});

it.each([
  ['crashed', 'The container VM ended without reporting why: it crashed, or was killed at the infrastructure.'],
  ['was powered off', 'The container VM was powered off at the infrastructure.'],
])('a container whose machine %s has that as its error', async (how, error) => {
  await using vch = await start();
  const { config } = await vch.execution.create(newContainer('a', ['run']), signal);
  await vch.execution.start('a', signal);
  const ref = vch.host.machineOf(config.id)?.ref ?? '';
  if (how === 'crashed') vch.host.crash(ref);
  else await vch.host.powerOff(ref);
  await expect.poll(() => vch.execution.get('a').state).toMatchObject({ status: 'exited', exitCode: 137, error });
});
