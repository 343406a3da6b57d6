import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import {
  addAddress,
  createBridge,
  createNamespace,
  createVeth,
  deleteNamespace,
  inNamespace,
  setDefaultRoute,
  showTable,
} from '@vic/network';
import { run } from '@vic/process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NetworkConfiguration } from './index.ts';

/*
 * Endpoint, two containers and a client outside, each in a namespace of its own:
 *
 *   client 10.99.0.9 ── public bridge ── endpoint 10.99.0.10 | 10.98.0.1 ── container bridge ── c1 .2, c2 .3
 */
const base = `t-cn-${randomBytes(3).toString('hex')}`;
const [sw, endpoint, client, c1, c2] = ['sw', 'ep', 'cl', 'c1', 'c2'].map((part) => `${base}-${part}`) as [
  string,
  string,
  string,
  string,
  string,
];
const configuration: NetworkConfiguration = {
  vchId: 'f0e1',
  public: { mac: '02:00:00:00:01:01', address: '10.99.0.10/24', gateway: '10.99.0.9' },
  bridge: { mac: '02:00:00:00:01:02' },
  bridgeRange: '10.98.0.0/16',
  bridgeWidth: 24,
  dnsServers: [],
  reservedPorts: [2376],
  shielded: [{ address: '10.99.0.9', port: 443 }],
};

/** Who says nothing for this long was never reached; servers here answer at once. */
const SILENCE_MS = 5000;

interface Program {
  readonly command: (name: string, args?: Record<string, string>) => Promise<{ result?: unknown; error?: string }>;
  readonly stop: () => Promise<void>;
}

function startProgram(): Program {
  const script = join(import.meta.dirname, 'fixtures/network-program.ts');
  const [program, ...args] = inNamespace(endpoint, [process.execPath, script, JSON.stringify(configuration)]);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    command: async (command, commandArgs = {}) => {
      child.stdin.write(`${JSON.stringify({ command, ...commandArgs })}\n`);
      return JSON.parse(String((await lines.next()).value));
    },
    stop: async () => {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      await exited;
    },
  };
}

/** Runs a line of JavaScript in a namespace; what it printed. */
async function javascript(namespace: string, source: string): Promise<string> {
  const [program, ...args] = inNamespace(namespace, [process.execPath, '-e', source]);
  return (await run(program, args, { timeoutMs: 50_000 })).stdout.trim();
}

interface EchoServer {
  readonly ready: Promise<unknown>;
  readonly stop: () => void;
}

/** A TCP server in `namespace` that tells every client the address it sees. */
function echoAddress(namespace: string, port: number): EchoServer {
  const source = `require('net').createServer(c=>{c.on('error',()=>{});c.end(c.remoteAddress)})
    .listen(${port},'0.0.0.0',()=>console.log('ready'))`;
  const [program, ...args] = inNamespace(namespace, [process.execPath, '-e', source]);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return { ready: once(child.stdout, 'data'), stop: () => void child.kill('SIGKILL') };
}

/** What a TCP connection from `namespace` says; `refused` or `timeout` when there is none. */
async function dial(namespace: string, address: string, port: number): Promise<string> {
  return javascript(
    namespace,
    `const s=require('net').connect(${port},'${address}');let text='';
     s.setTimeout(${SILENCE_MS},()=>{console.log('timeout');process.exit()});s.on('data',d=>text+=d);
     s.on('error',()=>{console.log('refused');process.exit()});
     s.on('end',()=>{console.log(text);process.exit()})`,
  );
}

async function resolve(namespace: string, name: string): Promise<string> {
  return javascript(
    namespace,
    `const r=new (require('dns').promises.Resolver)({timeout:20000,tries:1});r.setServers(['10.98.0.1']);
     r.resolve4('${name}').then(a=>console.log(a.join()),e=>console.log(e.code))`,
  );
}

let program: Program;
const servers: EchoServer[] = [];

beforeAll(async () => {
  for (const namespace of [sw, endpoint, client, c1, c2]) await createNamespace(namespace);
  const scope = { namespace: sw };
  await createBridge(scope, 'public');
  await createBridge(scope, 'private');
  const port = async (name: string, bridge: string, namespace: string, mac: string): Promise<void> =>
    createVeth(scope, { name, bridge }, { name: name === 'ep1' ? 'eth1' : 'eth0', namespace, mac });
  await port('ep0', 'public', endpoint, configuration.public.mac);
  await port('ep1', 'private', endpoint, configuration.bridge.mac);
  await port('cl0', 'public', client, '02:00:00:00:02:01');
  await port('c1', 'private', c1, '02:00:00:00:03:01');
  await port('c2', 'private', c2, '02:00:00:00:03:02');
  await addAddress({ namespace: client }, 'eth0', '10.99.0.9/24');
  program = startProgram();
  const opened = await program.command('open');
  if (opened.error !== undefined) throw new Error(opened.error);
  for (const [namespace, name] of [
    [c1, 'one'],
    [c2, 'two'],
  ] as const) {
    const { result } = await program.command('reserve', { name });
    const { address, gateway } = result as { address: string; gateway: string };
    await addAddress({ namespace }, 'eth0', `${address}/24`);
    await setDefaultRoute({ namespace }, gateway);
  }
  servers.push(
    echoAddress(c1, 80),
    echoAddress(c2, 80),
    echoAddress(client, 90),
    echoAddress(client, 443),
    echoAddress(endpoint, 2376),
  );
  await Promise.all(servers.map(async ({ ready }) => ready));
});

afterAll(async () => {
  for (const server of servers) server.stop();
  await program.stop();
  for (const namespace of [c1, c2, client, endpoint, sw]) await deleteNamespace(namespace);
});

describe('ContainerNetworks', () => {
  it('lets containers out through the public address, and reach each other directly', async () => {
    await expect.poll(async () => dial(c1, '10.99.0.9', 90)).toBe('10.99.0.10');
    await expect.poll(async () => dial(c1, '10.98.0.3', 80)).toBe('10.98.0.2');
  });

  it('publishes a port to the outside, with the address of the client, and to containers', async () => {
    await program.command('connect', { name: 'one', ports: '8080:80/tcp' });
    await expect.poll(async () => dial(client, '10.99.0.10', 8080)).toBe('10.99.0.9');
    await expect.poll(async () => dial(c2, '10.99.0.10', 8080)).toMatch(/^10\.98\.0\.(?:1|3)$/);
    await expect.poll(async () => dial(c1, '10.99.0.10', 8080)).toBe('10.98.0.1');
    await expect.poll(async () => dial(endpoint, '10.99.0.10', 8080)).toMatch(/^10\.9[89]\.0\.1/);
    await program.command('disconnect', { name: 'one' });
    expect(await dial(client, '10.99.0.10', 8080)).toBe('refused');
  });

  it('keeps everything that is not published out, whoever routes it here', async () => {
    await run('ip', ['-n', client, 'route', 'add', '10.98.0.0/24', 'via', '10.99.0.10']);
    expect(await dial(client, '10.98.0.2', 80)).toBe('timeout');
    await run('ip', ['-n', client, 'route', 'delete', '10.98.0.0/24']);
  });

  it("keeps containers away from the endpoint's own services", async () => {
    await expect.poll(async () => dial(client, '10.99.0.10', 2376)).toBe('10.99.0.9');
    expect(await dial(c1, '10.99.0.10', 2376)).toBe('refused');
    expect(await dial(c1, '10.98.0.1', 2376)).toBe('refused');
  });

  it('keeps containers away from the infrastructure, and only from that', async () => {
    await expect.poll(async () => dial(endpoint, '10.99.0.9', 443)).toBe('10.99.0.10');
    expect(await dial(c1, '10.99.0.9', 443)).toBe('refused');
    await expect.poll(async () => dial(c1, '10.99.0.9', 90)).toBe('10.99.0.10');
  });

  it('refuses a port that is taken and leaves the rules as they were', async () => {
    await program.command('connect', { name: 'one', ports: '8081:80/tcp' });
    expect(await program.command('connect', { name: 'two', ports: '8082:80/tcp,8081:80/tcp' })).toEqual({
      error:
        'driver failed programming external connectivity on endpoint two: ' +
        'Bind for 0.0.0.0:8081 failed: port is already allocated',
    });
    await expect.poll(async () => dial(client, '10.99.0.10', 8081)).toBe('10.99.0.9');
    await program.command('disconnect', { name: 'one' });
  });

  it('resolves the names of running containers', async () => {
    await program.command('connect', { name: 'two' });
    expect(await resolve(c1, 'two')).toBe('10.98.0.3');
    await program.command('disconnect', { name: 'two' });
    expect(await resolve(c1, 'two')).toBe('ESERVFAIL');
  });

  it('is restored after a kill, published ports staying in force meanwhile', async () => {
    await program.command('connect', { name: 'one', ports: '8083:80/tcp' });
    await program.stop();
    await expect.poll(async () => dial(client, '10.99.0.10', 8083)).toBe('10.99.0.9');
    program = startProgram();
    await program.command('restore', { name: 'one', address: '10.98.0.2', ports: '8083:80/tcp' });
    await program.command('restore', { name: 'two', address: '10.98.0.3' });
    expect(await program.command('open')).toEqual({ result: null });
    await expect.poll(async () => dial(client, '10.99.0.10', 8083)).toBe('10.99.0.9');
    expect(await resolve(c2, 'one')).toBe('10.98.0.2');
    const { result } = await program.command('reserve', { name: 'three' });
    expect(result).toMatchObject({ address: '10.98.0.4', gateway: '10.98.0.1', network: 'bridge' });
    expect(await showTable({ namespace: endpoint }, 'ip', 'vic')).toContain('10.98.0.2 . 80');
  });
});
