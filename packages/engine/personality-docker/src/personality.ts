import type { Logger } from '@vic/log';
import type { Execution } from '@vic/port-layer';
import type { ImageBackend, NetworkBackend, RegistryLogin, SystemBackend } from './backends.ts';
import type { Exchange } from './exchange.ts';

/** What the personality stands on. */
export interface PersonalityDeps {
  readonly execution: Execution;
  readonly images: ImageBackend;
  readonly registry: RegistryLogin;
  readonly networks: NetworkBackend;
  readonly system: SystemBackend;
  readonly logger: Logger;
  /** Nanoseconds since the epoch. */
  readonly clock: () => bigint;
}

/** Defaults of new containers. */
export interface PersonalityConfiguration {
  readonly defaultShape: { readonly cpus: number; readonly memoryMiB: number };
  readonly minimumMemoryMiB: number;
}

/** The Docker API of one VCH. */
export interface Personality extends AsyncDisposable {
  /** Answers one request; never rejects. */
  handle(exchange: Exchange): Promise<void>;
}
