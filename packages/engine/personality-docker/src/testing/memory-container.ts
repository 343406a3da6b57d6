import { Broadcast } from '@vic/async';
import type { NetworkId } from '@vic/ids';
import type { Container, ContainerState, LogLine, NewContainer, PortBinding } from '@vic/port-layer';
import { MemoryProcess } from './memory-process.ts';

/** The id of the fixture's bridge network. */
export const MEMORY_BRIDGE_ID = 'b'.repeat(64) as NetworkId;

/** A container of the fixture: its configuration, state, log and process. */
export class MemoryContainer {
  readonly createdAt: string;
  readonly log: LogLine[] = [];
  readonly logged = new Broadcast<LogLine>();
  readonly changed = new Broadcast<'exited' | 'removed'>();
  readonly address: string;
  config: NewContainer;
  state: ContainerState = { status: 'created' };
  process: MemoryProcess;
  restartCount = 0;
  publishedPorts: readonly PortBinding[] = [];
  lastExit: { exitCode: number; error?: string } = { exitCode: 0 };

  constructor(config: NewContainer, createdAt: string, address: string) {
    this.config = config;
    this.createdAt = createdAt;
    this.address = address;
    this.process = this.newProcess();
  }

  /** A process for the next start, which clients may attach to before it. */
  newProcess(): MemoryProcess {
    return new MemoryProcess(this.config.process, (stream, payload) => {
      for (const line of linesOf(payload)) {
        const entry = { stream, timeNs: BigInt(Date.now()) * 1_000_000n, payload: line };
        this.log.push(entry);
        this.logged.publish(entry);
      }
    });
  }

  /** What the port layer would show. */
  snapshot(): Container {
    const { config } = this;
    const inNetwork = config.network !== 'none';
    return {
      config,
      createdAt: this.createdAt,
      state: this.state,
      shape: config.shape ?? { cpus: 2, memoryMiB: 2048 },
      endpoint: inNetwork
        ? {
            network: config.network ?? 'bridge',
            networkId: MEMORY_BRIDGE_ID,
            aliases: config.networkAliases,
            mac: '02:42:ac:10:00:02',
            address: config.requestedAddress ?? this.address,
            prefixLength: 16,
            gateway: '172.16.0.1',
          }
        : undefined,
      publishedPorts: this.publishedPorts,
      restartCount: this.restartCount,
      vm: { name: `${config.name}-${config.id.slice(0, 12)}`, path: `[datastore] ${config.id}` },
    };
  }
}

function linesOf(payload: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let at = 0; at < payload.length;) {
    const newline = payload.indexOf(10, at);
    const end = newline < 0 ? payload.length : newline + 1;
    lines.push(payload.subarray(at, end));
    at = end;
  }
  return lines;
}
