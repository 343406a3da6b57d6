import type { Logger } from '@vic/log';
import type { Execution } from '@vic/port-layer';
import type { ImageBackend, NetworkBackend, RegistryLogin, SystemBackend } from './backends.ts';
import { EventHub } from './events/event-hub.ts';
import { ExecRequests } from './exec/exec-requests.ts';
import { Dispatcher } from './http/dispatch.ts';
import type { Exchange } from './http/exchange.ts';
import { routesOf } from './routes.ts';

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

/** Defaults of new containers, and what the server calls itself. */
export interface PersonalityConfiguration {
  readonly defaultShape: { readonly cpus: number; readonly memoryMiB: number };
  readonly minimumMemoryMiB: number;
  /** Version in the `Server` header. */
  readonly serverVersion: string;
}

/** What every handler of the personality sees. */
export interface PersonalityContext extends PersonalityDeps {
  readonly configuration: PersonalityConfiguration;
  readonly events: EventHub;
  readonly execRequests: ExecRequests;
  /** Fires when the personality is disposed of: for work that a client's going away must not leave half done. */
  readonly lifetime: AbortSignal;
}

/** The Docker API of one VCH. */
export interface Personality extends AsyncDisposable {
  /** Answers one request; never rejects. */
  handle(exchange: Exchange): Promise<void>;
}

/** The Docker API over a port layer. It follows the port layer's events until it is disposed of. */
export function createPersonality(deps: PersonalityDeps, configuration: PersonalityConfiguration): Personality {
  const events = new EventHub(deps);
  const lifetime = new AbortController();
  const context: PersonalityContext = {
    ...deps,
    configuration,
    events,
    execRequests: new ExecRequests(),
    lifetime: lifetime.signal,
  };
  const dispatcher = new Dispatcher(routesOf(context), {
    logger: deps.logger,
    serverVersion: configuration.serverVersion,
  });
  return {
    handle: async (exchange) => dispatcher.handle(exchange),
    [Symbol.asyncDispose]: async () => {
      lifetime.abort();
      await events[Symbol.asyncDispose]();
    },
  };
}
