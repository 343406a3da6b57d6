import { setImmediate } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import type { ExitStatus } from '@vic/agent-protocol';
import { expect, it } from 'vitest';
import { SimulatedVch, newContainer } from './testing/simulated-vch.ts';

const signal = new AbortController().signal;

async function start(): Promise<SimulatedVch> {
  const vch = new SimulatedVch();
  await vch.start();
  return vch;
}

it('an exec gives its streams and its exit code', async () => {
  await using vch = await start();
  await vch.execution.create(newContainer('a', ['run']), signal);
  await vch.execution.start('a', signal);
  const process = { ...newContainer('x', ['sh']).process, openStdin: true };
  const { id } = await vch.execution.createExec('a', process);
  const { stdin, stdout } = await vch.execution.startExec(id, signal);
  stdin?.end();
  await text(stdout);
  await expect.poll(() => vch.execution.exec(id).state).toEqual({ status: 'exited', exitCode: 7 });
  expect(vch.execution.execsOf('a')).toHaveLength(1);
  await expect(vch.execution.startExec(id, signal)).rejects.toMatchObject({ class: 'Conflict' });
});

it('an exec gets the size its client tells while it is being started', async () => {
  await using vch = await start();
  const { config } = await vch.execution.create(newContainer('a', ['run']), signal);
  await vch.execution.start('a', signal);
  const guest = vch.host.guestOf(config.id);
  const held = Promise.withResolvers<void>();
  if (guest !== undefined) guest.execHeld = held.promise;
  const { id } = await vch.execution.createExec('a', {
    ...newContainer('x', ['sh']).process,
    tty: true,
    openStdin: true,
  });
  const starting = vch.execution.startExec(id, signal);
  await setImmediate();
  await vch.execution.resizeExec(id, 20, 70);
  expect(guest?.sizes).toEqual([]);
  held.resolve();
  const { stdin, stdout } = await starting;
  expect(guest?.sizes).toEqual([{ rows: 20, cols: 70 }]);
  stdin?.end();
  await text(stdout);
});

it('an exec waits for a tether that is dialing again', async () => {
  await using vch = await start();
  const { config } = await vch.execution.create(newContainer('a', ['run']), signal);
  await vch.execution.start('a', signal);
  vch.host.guestOf(config.id)?.disconnect();
  await setImmediate();
  const process = { ...newContainer('x', ['sh']).process, openStdin: true };
  const { id } = await vch.execution.createExec('a', process);
  const starting = vch.execution.startExec(id, signal);
  vch.host.dialAll();
  const { stdin, stdout } = await starting;
  stdin?.end();
  await text(stdout);
  await expect.poll(() => vch.execution.exec(id).state).toEqual({ status: 'exited', exitCode: 7 });
});

/** A container `a` with an exec session that runs in it. */

async function withExec(
  vch: SimulatedVch,
): Promise<{ readonly id: string; readonly guest: NonNullable<ReturnType<SimulatedVch['host']['guestOf']>> }> {
  const { config } = await vch.execution.create(newContainer('a', ['run']), signal);
  await vch.execution.start('a', signal);
  const guest = vch.host.guestOf(config.id);
  if (guest === undefined) throw new Error('the container has no guest');
  const process = { ...newContainer('x', ['sh', '-c', 'work']).process, user: 'app', openStdin: true };
  const { id } = await vch.execution.createExec('a', process);
  await vch.execution.startExec(id, signal);
  return { id, guest };
}

it('an endpoint that starts again finds the execs that run, and tells their ends', async () => {
  await using vch = await start();
  const { id, guest } = await withExec(vch);
  await vch.kill();
  await vch.start();
  expect(vch.execution.execsOf('a').map((exec) => exec.id)).toEqual([id]);
  expect(vch.execution.exec(id)).toMatchObject({
    process: { args: ['sh', '-c', 'work'], user: 'app', tty: false },
    state: { status: 'running', pid: 43 },
  });
  await vch.execution.resizeExec(id, 20, 70);
  expect(guest.sizes).toEqual([{ rows: 20, cols: 70 }]);
  await expect(vch.execution.startExec(id, signal)).rejects.toMatchObject({ class: 'Conflict' });
  guest.endExecs(3);
  await expect.poll(() => vch.execution.exec(id).state).toEqual({ status: 'exited', exitCode: 3 });
  expect(vch.events.filter((event) => event.type === 'exec.died')).toMatchObject([{ execId: id, exitCode: 3 }]);
});

it('an exec that ended while its endpoint was away ends as it did', async () => {
  await using vch = await start();
  const { id, guest } = await withExec(vch);
  await vch.kill();
  guest.endExecs(5);
  await vch.start();
  await expect.poll(() => vch.execution.exec(id).state).toEqual({ status: 'exited', exitCode: 5 });
  expect(vch.events.filter((event) => event.type === 'exec.died')).toMatchObject([{ execId: id, exitCode: 5 }]);
});

it('an exec goes on while its tether dials again, and its end is told once', async () => {
  await using vch = await start();
  const { id, guest } = await withExec(vch);
  guest.disconnect();
  await setImmediate();
  expect(vch.execution.exec(id).state.status).toBe('running');
  vch.host.dialAll();
  guest.endExecs(9);
  await expect.poll(() => vch.execution.exec(id).state).toEqual({ status: 'exited', exitCode: 9 });
  guest.disconnect();
  vch.host.dialAll();
  await setImmediate();
  expect(vch.events.filter((event) => event.type === 'exec.died')).toHaveLength(1);
});

it('an exec that a tether does not know any more is over', async () => {
  await using vch = await start();
  const { id, guest } = await withExec(vch);
  guest.execs.length = 0;
  // The new connection is there before the old one is known to be lost.
  vch.host.dialAll();
  guest.disconnectOldest();
  await expect.poll(() => vch.execution.exec(id).state).toMatchObject({ status: 'exited', exitCode: 137 });
});

it('an exec nobody will tell the end of ends with its container', async () => {
  await using vch = await start();
  const { id, guest } = await withExec(vch);
  guest.disconnect();
  await setImmediate();
  guest.exit(0);
  await expect.poll(() => vch.execution.exec(id).state).toMatchObject({ status: 'exited', exitCode: 137 });
});

it('a guest gets no execs of other containers, and none that make no sense', async () => {
  await using vch = await start();
  const { id } = await withExec(vch);
  const { config } = await vch.execution.create(newContainer('b', ['run']), signal);
  await vch.execution.start('b', signal);
  const forged = { id, args: ['x'], tty: false, user: '', openStdin: false };
  for (const session of [forged, { ...forged, id: '../x' }, { ...forged, id: 'a'.repeat(64), args: 7 }, 'text']) {
    vch.host
      .guestOf(config.id)
      ?.execs.push({ session: JSON.stringify(session), ended: Promise.withResolvers<ExitStatus>() });
  }
  vch.host.guestOf(config.id)?.disconnect();
  vch.host.dialAll();
  await setImmediate();
  expect(vch.execution.execsOf('b')).toEqual([]);
  expect(vch.execution.exec(id)).toMatchObject({
    process: { args: ['sh', '-c', 'work'] },
    state: { status: 'running' },
  });
});
