import { connect } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pollUntil } from '@vic/async';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nginx, redis } from '../../tools/lab/images/index.ts';
import { type E2eLab, openLab } from './open-lab.ts';

let lab: E2eLab;
let nginxImage: string;
let redisImage: string;
beforeAll(async () => {
  lab = await openLab();
  nginxImage = await lab.push(nginx);
  redisImage = await lab.push(redis);
});
afterAll(async () => lab.removeContainers());

describe('services in container VMs', () => {
  it('serve nginx through a published port, from outside the VCH', async () => {
    await lab.docker.ok(['run', '--detach', '--name', 'web', '--publish', '8080:80', nginxImage]);
    const page = await pollUntil(
      () => lab.fetchText(`http://${lab.vchAddress}:8080/`),
      200,
      AbortSignal.timeout(120_000),
    );
    expect(page).toContain('Welcome to nginx!');
    expect(await lab.docker.ok(['port', 'web'])).toContain('80/tcp -> 0.0.0.0:8080');
    expect(
      (await lab.docker.run(['run', '--detach', '--publish', '8080:80', lab.busybox, 'sleep', '9'])).stderr,
    ).toContain('port is already allocated');
  });

  it('serve redis on a port the VCH chooses', async () => {
    await lab.docker.ok(['run', '--detach', '--name', 'cache', '--publish', '6379', redisImage]);
    const port = Number((await lab.docker.ok(['port', 'cache', '6379/tcp'])).split('\n')[0]?.split(':').at(-1));
    expect(port).toBeGreaterThan(1024);
    const answer = await pollUntil(
      () => redisCommand(lab.vchAddress, port, 'SET colour green'),
      200,
      AbortSignal.timeout(120_000),
    );
    expect(answer).toBe('+OK');
    expect(await redisCommand(lab.vchAddress, port, 'GET colour')).toBe('$5\r\ngreen');
  });

  it('find each other by name and short id', async () => {
    const id = (await lab.docker.ok(['ps', '--quiet', '--filter', 'name=web'])).trim();
    expect(await lab.docker.ok(['run', '--rm', lab.busybox, 'wget', '-qO-', 'http://web/'])).toContain(
      'Welcome to nginx!',
    );
    expect(await lab.docker.ok(['run', '--rm', lab.busybox, 'wget', '-qO-', `http://${id}/`])).toContain(
      'Welcome to nginx!',
    );
    expect((await lab.docker.run(['run', '--rm', lab.busybox, 'nslookup', 'no-such-name'])).code).not.toBe(0);
  });

  it('reach a published port at the VCH’s own address from inside', async () => {
    const url = `http://${lab.vchAddress}:8080/`;
    expect(await lab.docker.ok(['run', '--rm', lab.busybox, 'wget', '-qO-', url])).toContain('Welcome to nginx!');
  });

  it('have no network with --network none', async () => {
    const interfaces = await lab.docker.ok(['run', '--rm', '--network', 'none', lab.busybox, 'ls', '/sys/class/net']);
    expect(interfaces.split(/\s+/)).toEqual(['lo']);
  });

  it('have the MAC that neighbours remember, at an address that was another’s', async () => {
    const script = 'hostname -i; cat /sys/class/net/eth0/address';
    const see = async (): Promise<string> => lab.docker.ok(['run', '--rm', lab.busybox, 'sh', '-c', script]);
    const first = await see();
    expect(first).toMatch(/\n00:50:56:[0-3][0-9a-f]:/);
    expect(await see()).toBe(first);
  });

  it('give their ports back when they stop', async () => {
    await lab.docker.ok(['stop', 'web']);
    await lab.docker.ok(['run', '--detach', '--name', 'web-2', '--publish', '8080:80', nginxImage]);
    expect(
      await pollUntil(() => lab.fetchText(`http://${lab.vchAddress}:8080/`), 200, AbortSignal.timeout(120_000)),
    ).toContain('nginx');
  });
});

/** The whole answer to a command, `undefined` while nobody gives one. */
async function redisCommand(host: string, port: number, command: string): Promise<string | undefined> {
  const signal = AbortSignal.timeout(10_000);
  const socket = connect(port, host);
  socket.on('error', () => undefined);
  try {
    // Redis ends the connection, and with it the answer, after what was asked before.
    socket.write(`${command}\r\nQUIT\r\n`);
    const answer = await text(addAbortSignal(signal, socket));
    return /^([\s\S]+)\r\n\+OK\r\n$/.exec(answer)?.[1];
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}
