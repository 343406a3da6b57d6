import { VicError } from '@vic/errors';
import type { NetworkId } from '@vic/ids';
import { type Logger, silentLogger } from '@vic/log';
import type { NetworkDescription, SystemDescription } from '../backends.ts';
import { createPersonalityServer } from '../http/personality-server.ts';
import { createPersonality } from '../personality.ts';
import { MEMORY_BRIDGE_ID } from './memory-container.ts';
import { MemoryExecution } from './memory-execution.ts';
import { MemoryImages, type RegistryImage } from './memory-images.ts';

const SHELL_ENV = { Env: ['PATH=/bin:/usr/bin'] };

const REGISTRY: readonly RegistryImage[] = [
  { reference: 'busybox:latest', config: { ...SHELL_ENV, Cmd: ['sh'] }, layerBytes: [1_984_213] },
  {
    reference: 'web:1',
    config: {
      ...SHELL_ENV,
      Entrypoint: ['sleep'],
      Cmd: ['100'],
      ExposedPorts: { '80/tcp': {} },
      WorkingDir: '/srv',
      User: 'www',
      Labels: { tier: 'front' },
      StopSignal: 'SIGQUIT',
      Volumes: { '/data': {} },
    },
    layerBytes: [1000, 2000],
  },
  { reference: 'broken:latest', config: { Labels: { broken: 'yes' } }, layerBytes: [10] },
];

const NETWORKS: readonly NetworkDescription[] = [
  {
    id: MEMORY_BRIDGE_ID,
    name: 'bridge',
    driver: 'bridge',
    createdAt: '2026-11-01T10:00:00Z',
    subnet: '172.16.0.0/16',
    gateway: '172.16.0.1',
    internal: false,
    labels: {},
  },
  {
    id: 'a'.repeat(64) as NetworkId,
    name: 'none',
    driver: 'null',
    createdAt: '2026-11-01T10:00:00Z',
    subnet: undefined,
    gateway: undefined,
    internal: false,
    labels: {},
  },
];

const SYSTEM: SystemDescription = {
  id: 'd4673984-5be5-4ce2-8f47-1d2cb2d7eadc',
  vchName: 'vch-1',
  version: '2.0.0',
  gitCommit: '45873be',
  builtAt: '2026-11-01T10:00:00Z',
  kernelVersion: '6.1.0',
  operatingSystem: 'vSphere Integrated Containers',
  osVersion: '2.0.0',
  architecture: 'amd64',
  cpus: 4,
  memoryBytes: 4_294_967_296,
  statusLines: [['VCH memory limit', '4 GiB']],
  labels: ['site=lab'],
  insecureRegistries: ['registry.test:5000', '127.0.0.0/8'],
  httpProxy: '',
  httpsProxy: '',
  noProxy: '',
};

/** A VCH in memory behind a real HTTP server on loopback. */
export interface MemoryVch extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly execution: MemoryExecution;
  readonly images: MemoryImages;
}

/** Starts a VCH in memory; `busybox` is there already unless `images` is empty. */
export async function startMemoryVch(
  options: { readonly images?: readonly string[]; readonly logger?: Logger; readonly socketPath?: string } = {},
): Promise<MemoryVch> {
  const logger = options.logger ?? silentLogger();
  const execution = new MemoryExecution();
  const images = new MemoryImages(REGISTRY, () => execution.list());
  for (const name of options.images ?? ['busybox'])
    await images.pull(name, { onProgress: () => undefined }, new AbortController().signal);
  const personality = createPersonality(
    {
      execution,
      images,
      logger,
      clock: () => BigInt(Date.now()) * 1_000_000n,
      networks: { list: () => NETWORKS },
      system: { describe: async () => SYSTEM },
      registry: { login: async ({ username, password }) => login(username, password) },
    },
    { defaultShape: { cpus: 2, memoryMiB: 2048 }, minimumMemoryMiB: 64, serverVersion: SYSTEM.version },
  );
  const server = createPersonalityServer(personality, { logger });
  const address = await server.listen(
    options.socketPath === undefined ? { host: '127.0.0.1', port: 0 } : { path: options.socketPath },
  );
  const port = 'port' in address ? address.port : 0;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    execution,
    images,
    [Symbol.asyncDispose]: async () => {
      await personality[Symbol.asyncDispose]();
      await server.close(100);
    },
  };
}

function login(username: string, password: string): { identityToken: string } {
  if (username === 'ann' && password === 'right') return { identityToken: '' };
  throw new VicError({
    class: 'Unauthenticated',
    code: 'REGISTRY_LOGIN_FAILED',
    message: 'incorrect username or password',
  });
}
