import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { silentLogger } from '@vic/log';
import { freePort, temporaryDirectory } from '@vic/testkit';
import { VimClient, list, probeThumbprint } from '@vic/vim-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkVchOptions,
  createVch,
  deleteVch,
  findPlace,
  listVchs,
  makeCertificates,
  networkOf,
  readBootstrapIso,
  runsProcessMachines,
} from './index.ts';
import type { CreateVchDeps, NewVch, VchOptions, VchPlace } from './index.ts';
import { vchOptions } from './testing/vch-options.ts';

const VCSIM = join(import.meta.dirname, '../../../../build/peers/bin/vcsim');
const signal = new AbortController().signal;
const PASSWORD = 'a password only for tests';

let client: VimClient;
let stop: () => Promise<void>;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let url: string;
let thumbprint: string;

beforeAll(async () => {
  if (!existsSync(VCSIM)) return;
  directory = await temporaryDirectory();
  const port = await freePort();
  const args = ['-esx', '-l', `127.0.0.1:${port}`, '-username', 'root', '-password', PASSWORD];
  const vcsim = spawn(VCSIM, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = new Promise<void>((resolve) => vcsim.once('exit', () => resolve()));
  await new Promise<void>((resolve) => createInterface({ input: vcsim.stdout }).once('line', () => resolve()));
  stop = async () => {
    vcsim.kill('SIGTERM');
    await exited;
  };
  url = `https://127.0.0.1:${port}/sdk`;
  thumbprint = (await probeThumbprint('127.0.0.1', port)).sha256;
  client = await VimClient.connect({ url, user: 'root', password: PASSWORD, thumbprint, logger: silentLogger() });
});

afterAll(async () => {
  if (!existsSync(VCSIM)) return;
  await client[Symbol.asyncDispose]();
  await stop();
  await directory[Symbol.asyncDispose]();
});

const place = (): Promise<VchPlace> =>
  findPlace(client, { computeResource: undefined, imageStore: undefined, datacenter: undefined }, signal);

async function request(options: Partial<VchOptions>): Promise<NewVch> {
  const settings = checkVchOptions(vchOptions(options));
  const iso = join(directory.path, 'bootstrap.iso');
  await writeFile(iso, 'not really an ISO');
  const given = { server: undefined, clientAuthorities: [], registryAuthorities: [] };
  return {
    settings,
    place: await place(),
    certificates: await makeCertificates(settings, given, new Date()),
    bootstrapIso: await readBootstrapIso(iso),
    vim: { url, thumbprint, user: 'root' },
    vimPassword: PASSWORD,
    version: '0.1.0',
    timeoutMs: 30_000,
  };
}

function deps(overrides: Partial<CreateVchDeps> = {}): CreateVchDeps & { readonly lines: string[] } {
  const lines: string[] = [];
  return { client, lines, report: (line) => lines.push(line), waitUntilReady: async () => undefined, ...overrides };
}

/** A client to which something happens after the server has done what `method` asks and before its answer is there. */
function clientWhoseAnswer(method: string, isPreceded: () => void): VimClient {
  return new Proxy(client, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'call' && name !== 'runTask') return value.bind(target) as unknown;
      return async (self: unknown, called: string, args: unknown, options: { readonly signal?: AbortSignal } = {}) => {
        const answer: unknown = await value.call(target, self, called, args);
        if (called === method) isPreceded();
        options.signal?.throwIfAborted();
        return answer;
      };
    },
  });
}

/** Names of everything a VCH consists of. */
async function inventory(): Promise<Record<string, readonly string[]>> {
  const names = async (type: 'VirtualMachine' | 'ResourcePool' | 'Network'): Promise<string[]> =>
    (await list(client, type, ['name']))
      .map((object) => object.properties.name ?? '')
      .toSorted((a, b) => a.localeCompare(b));
  const { files } = await place();
  const folders = (await files.list('')).map((entry) => entry.name);
  const vic = folders.includes('VIC') ? (await files.list('VIC')).map((entry) => entry.name) : [];
  return {
    machines: await names('VirtualMachine'),
    pools: await names('ResourcePool'),
    networks: await names('Network'),
    vic: vic.filter((name) => name !== 'boot'),
  };
}

describe.skipIf(!existsSync(VCSIM))('a virtual container host on vcsim -esx', () => {
  it('is created, listed with its configuration, and deleted without a trace', async () => {
    const before = await inventory();
    const create = await request({ name: 'one', memoryMb: 4096 });
    const { lines, ...createDeps } = deps();
    const { configuration } = await createVch(createDeps, create, signal);
    expect(networkOf(configuration, 'public')).toMatchObject({ address: '10.0.0.10/24', gateway: '10.0.0.1' });
    expect(networkOf(configuration, 'bridge').mac).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
    const [vch] = await listVchs(client, signal);
    expect(vch).toMatchObject({ name: 'one', poweredOn: true, configuration });
    expect(lines).toContain('Creating bridge network "one"');
    if (vch === undefined) throw new Error('not listed');
    const report = (): undefined => undefined;
    await deleteVch({ client, place: await place(), report }, vch, { force: false }, signal);
    expect(await listVchs(client, signal)).toEqual([]);
    expect(await inventory()).toEqual(before);
  });

  it('is undone when its API never answers, and says how to wait longer', async () => {
    const before = await inventory();
    const create = { ...(await request({ name: 'slow' })), timeoutMs: 1_500 };
    const never = deps({
      waitUntilReady: async (_configuration, deadline) =>
        new Promise((_resolve, reject) => deadline.addEventListener('abort', () => reject(deadline.reason))),
    });
    await expect(createVch(never, create, signal)).rejects.toMatchObject({
      code: 'VCH_CREATE_TOO_SLOW',
      remedy: expect.stringContaining('--timeout'),
    });
    expect(await inventory()).toEqual(before);
  });

  it.each(['CreateResourcePool', 'AddVirtualSwitch', 'AddPortGroup', 'CreateVM_Task', 'PowerOnVM_Task'])(
    'is undone when it is interrupted while %s is under way',
    async (method) => {
      const before = await inventory();
      const interrupt = new AbortController();
      const interrupted = clientWhoseAnswer(method, () => interrupt.abort(new Error('interrupted')));
      const create = createVch(deps({ client: interrupted }), await request({ name: 'half' }), interrupt.signal);
      await expect(create).rejects.toThrow('interrupted');
      expect(await inventory()).toEqual(before);
    },
  );

  it('uploads a bootstrap ISO once for several, and refuses names, addresses and networks that are taken', async () => {
    const first = deps();
    await createVch(first, await request({ name: 'first' }), signal);
    await expect(createVch(deps(), await request({ name: 'first' }), signal)).rejects.toMatchObject({
      class: 'AlreadyExists',
      message: expect.stringContaining('A VCH with the name "first" already exists'),
    });
    await expect(createVch(deps(), await request({ name: 'second' }), signal)).rejects.toThrow(
      'The address 10.0.0.10 is used by another virtual container host.',
    );
    const other = { publicNetworkIp: '10.0.0.11/24' };
    await expect(
      createVch(deps(), await request({ ...other, name: 'second', bridgeNetwork: 'first' }), signal),
    ).rejects.toThrow(/must not be shared/);
    await expect(
      createVch(deps(), await request({ ...other, name: 'second', publicNetwork: 'nowhere' }), signal),
    ).rejects.toMatchObject({ class: 'NotFound', remedy: expect.stringContaining('"VM Network"') });
    const withoutAddress = { publicNetworkIp: undefined, publicNetworkGateway: undefined, tlsCname: 'x.example' };
    await expect(createVch(deps(), await request({ ...withoutAddress, name: 'second' }), signal)).rejects.toMatchObject(
      {
        code: 'VCH_DHCP_NOT_SUPPORTED',
        remedy: expect.stringContaining('--public-network-ip 10.0.0.11/24 --public-network-gateway 10.0.0.1'),
      },
    );
    const second = deps();
    await createVch(second, await request({ ...other, name: 'second' }), signal);
    expect(second.lines.join()).toContain('Bootstrap ISO is at');
    for (const vch of await listVchs(client, signal)) {
      await deleteVch({ client, place: await place(), report: () => undefined }, vch, { force: true }, signal);
    }
    expect((await (await place()).files.list('VIC/boot')).map((entry) => entry.name)).toEqual([]);
  });

  it('names candidates after a look-up in vain, and knows that vcsim runs no process VMs', async () => {
    const names = { computeResource: undefined, imageStore: undefined, datacenter: undefined };
    for (const [wrong, candidate] of [
      [{ ...names, datacenter: 'nope' }, 'ha-datacenter'],
      [{ ...names, computeResource: 'nope' }, 'localhost.localdomain'],
      [{ ...names, imageStore: { datastore: 'nope', folder: '' } }, 'LocalDS_0'],
    ] as const) {
      await expect(findPlace(client, wrong, signal)).rejects.toMatchObject({
        class: 'NotFound',
        remedy: expect.stringContaining(candidate),
      });
    }
    expect(await runsProcessMachines(client, await place(), signal)).toBe(false);
  });
});
