import { setImmediate } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { SimulatedVch, newContainer } from './testing/simulated-vch.ts';

const signal = new AbortController().signal;

async function start(): Promise<SimulatedVch> {
  const vch = new SimulatedVch();
  await vch.start();
  return vch;
}

it('attach before start gets the output from the first byte to the last', async () => {
  await using vch = await start();
  await vch.execution.create(newContainer('a', ['echo', 'hello']), signal);
  const clients = await Promise.all([1, 2].map(async () => vch.execution.attach('a', { stdin: false }, signal)));
  await vch.execution.start('a', signal);
  expect(await Promise.all(clients.map(async ({ stdout }) => text(stdout)))).toEqual(['hello\n', 'hello\n']);
});

it('input written before start arrives, and its end ends the process', async () => {
  await using vch = await start();
  await vch.execution.create(newContainer('a', ['cat']), signal);
  const { stdin, stdout } = await vch.execution.attach('a', { stdin: true }, signal);
  stdin?.end('early');
  await vch.execution.start('a', signal);
  expect(await text(stdout)).toBe('early');
  expect(await vch.execution.wait('a', 'not-running', signal)).toEqual({ exitCode: 0 });
});

it.each([
  ['a terminal goes on to take input after the client that started it has left', true, 'typed'],
  ['without a terminal the input ends with the client that started it', false, ''],
])('%s', async (_, tty, expected) => {
  await using vch = await start();
  const request = newContainer('a', ['cat']);
  const process = { ...request.process, tty, stdinOnce: true };
  await vch.execution.create({ ...request, process }, signal);
  const first = await vch.execution.attach('a', { stdin: true }, signal);
  await vch.execution.start('a', signal);
  const second = await vch.execution.attach('a', { stdin: true }, signal);
  first.detach();
  second.stdin?.end('typed');
  expect(await text(second.stdout)).toBe(expected);
});

it('attached clients stay attached when the tether reconnects', async () => {
  await using vch = await start();
  const { config } = await vch.execution.create(newContainer('a', ['cat']), signal);
  await vch.execution.start('a', signal);
  const { stdin, stdout } = await vch.execution.attach('a', { stdin: true }, signal);
  vch.host.guestOf(config.id)?.disconnect();
  vch.host.dialAll();
  stdin?.end('later');
  expect(await text(stdout)).toBe('later');
});

it('a container that removes itself goes once its clients have its output', async () => {
  await using vch = await start();
  const output = 'x'.repeat(200_000);
  const { config } = await vch.execution.create(newContainer('a', ['echo', output], { autoRemove: true }), signal);
  const guest = vch.host.guestOf(config.id);
  const delivered = Promise.withResolvers<void>();
  if (guest !== undefined) guest.outputHeld = delivered.promise;
  const { stdout } = await vch.execution.attach('a', { stdin: false }, signal);
  const removed = vch.execution.wait('a', 'removed', signal);
  await vch.execution.start('a', signal);
  await vch.execution.wait('a', 'not-running', signal);
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  expect(vch.host.machineOf(config.id)?.powerState).toBe('poweredOn');
  expect((await text(stdout)).length).toBe(output.length + 1);
  await removed;
  delivered.resolve();
  expect(vch.host.machineOf(config.id)).toBeUndefined();
});
