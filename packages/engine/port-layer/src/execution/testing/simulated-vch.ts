import { randomHexId } from '@vic/ids';
import type { ContainerId, ImageId } from '@vic/ids';
import { silentLogger } from '@vic/log';
import type { NewContainer } from '../container.ts';
import type { PortLayerEvent } from '../events.ts';
import { VchExecution } from '../vch-execution.ts';
import { SimulatedHost } from './simulated-host.ts';
import { SimulatedNetworks } from './simulated-networks.ts';

/** One VCH whose endpoint can be killed and started again over the same simulated infrastructure. */
export class SimulatedVch implements AsyncDisposable {
  readonly host = new SimulatedHost();
  readonly events: PortLayerEvent[] = [];
  readonly logs = new Map<string, Buffer>();
  networks = new SimulatedNetworks();
  idlePowerOffMs = 60_000;
  #execution: VchExecution | undefined;

  get execution(): VchExecution {
    if (this.#execution === undefined) throw new Error('The endpoint is not running.');
    return this.#execution;
  }

  async start(): Promise<void> {
    const { host } = this;
    this.networks = new SimulatedNetworks();
    const execution = await VchExecution.open(
      {
        machines: host,
        networks: this.networks,
        topDiskOf: async () => '[ds] vch/images/top.vmdk',
        logFiles: {
          read: async (path, start, end) => (this.logs.get(path) ?? Buffer.alloc(0)).subarray(start, end),
          size: async (path) => this.logs.get(path)?.length ?? 0,
        },
        clock: { nowNs: () => host.nowNs() },
        logger: silentLogger(),
        configuration: {
          vchId: 'vch-1',
          vchKey: 'key',
          interactionUri: 'tcp://172.16.0.1:2377',
          defaultShape: { cpus: 1, memoryMiB: 256 },
          datastore: 'ds',
          nameConvention: '{name}-{id}',
          diskBytes: 2 ** 30,
          templateVersion: 'v1',
          bridgePortGroup: 'bridge',
          idlePowerOffMs: this.idlePowerOffMs,
          lastWordsMs: 1,
          tetherAwayMs: 1,
        },
      },
      new AbortController().signal,
    );
    this.#execution = execution;
    void this.#record(execution);
    host.listener = (session) => execution.receiveSession(session);
    host.dialAll();
  }

  /** The endpoint dies; machines go on and their tethers lose it. */
  async kill(): Promise<void> {
    this.host.listener = undefined;
    const dying = this.execution;
    this.#execution = undefined;
    for (const { config } of dying.list()) this.host.guestOf(config.id)?.disconnect();
    await dying[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#execution !== undefined) await this.kill();
  }

  async #record(execution: VchExecution): Promise<void> {
    for await (const event of execution.events(new AbortController().signal)) this.events.push(event);
  }
}

/** A container with everything at its default. */
export function newContainer(name: string, args: readonly string[], more: Partial<NewContainer> = {}): NewContainer {
  return {
    id: randomHexId<ContainerId>(),
    name,
    imageId: `sha256:${'a'.repeat(64)}` as ImageId,
    imageReference: 'busybox',
    process: {
      args,
      env: ['PATH=/bin'],
      cwd: '/',
      user: '',
      groups: [],
      tty: false,
      consoleSize: undefined,
      openStdin: args[0] === 'cat',
      stdinOnce: false,
    },
    stopSignal: 'SIGTERM',
    stopTimeoutSeconds: 10,
    hostname: '',
    domainname: '',
    shape: undefined,
    network: undefined,
    networkAliases: [],
    requestedAddress: undefined,
    ports: [],
    dns: { servers: [], search: [], options: [] },
    extraHosts: [],
    readonlyRootfs: false,
    shmSizeBytes: 67_108_864,
    tmpfs: [],
    ulimits: [],
    autoRemove: false,
    personality: '{}',
    ...more,
  };
}
