import { randomBytes } from 'node:crypto';
import { pollUntil } from '@vic/async';
import { isVicError } from '@vic/errors';
import { HttpClient } from '@vic/http-client';
import { silentLogger } from '@vic/log';
import { MEDIA_TYPES, digestOfBytes } from '@vic/oci';
import { connectRegistry } from '@vic/registry-client';
import type { RegistryConnection } from '@vic/registry-client';
import { freePort, temporaryDirectory } from '@vic/testkit';
import { defaultConfiguration } from '../../apps/registry/src/configuration.ts';
import type { RegistryConfiguration } from '../../apps/registry/src/configuration.ts';
import { startRegistry } from '../../apps/registry/src/serve.ts';
import type { RunningRegistry } from '../../apps/registry/src/serve.ts';

/** An answer of the REST API. */
export interface Answer {
  readonly status: number;
  readonly location: string;
  readonly body: unknown;
}

/** How far a policy's destination is behind, as its answer shows it. */
export interface Lag {
  readonly pending: number;
  readonly held: number;
  readonly seconds: number;
  readonly last_error: string;
}

const DEADLINE_MS = 60_000;
/** A target that was away is asked again after twice the time, five minutes at most. */
const PATIENCE_MS = 6 * 60_000;

/** One installation of the whole program, with TLS by its own authority, that can be stopped and started again. */
export class Site implements AsyncDisposable {
  readonly url: string;
  readonly #configuration: RegistryConfiguration;
  readonly #directory: AsyncDisposable;
  #running: RunningRegistry | undefined;
  #password = '';
  #authority = '';

  private constructor(url: string, configuration: RegistryConfiguration, directory: AsyncDisposable) {
    this.url = url;
    this.#configuration = configuration;
    this.#directory = directory;
  }

  /** Installs and starts a registry. */
  static async open(): Promise<Site> {
    const directory = await temporaryDirectory('vic-topology-');
    const port = await freePort();
    const url = `https://127.0.0.1:${port}`;
    const given = { externalUrl: url, host: '127.0.0.1', port, notaryPort: undefined };
    const site = new Site(url, { ...defaultConfiguration(directory.path, given), hosts: ['127.0.0.1'] }, directory);
    await site.start();
    return site;
  }

  /** Starts the registry, again after {@link stop}. */
  async start(): Promise<void> {
    this.#running = await startRegistry(this.#configuration, silentLogger());
    this.#password = this.#running.administrator?.password ?? this.#password;
    this.#authority = this.#running.authority ?? this.#authority;
  }

  /** Stops the registry; what it keeps stays. */
  async stop(): Promise<void> {
    await this.#running?.[Symbol.asyncDispose]();
    this.#running = undefined;
  }

  /** Calls the REST API as the administrator. */
  async call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<Answer> {
    await using http = new HttpClient({ tls: { ca: this.#authority } });
    const authorization = `Basic ${Buffer.from(`admin:${this.#password}`).toString('base64')}`;
    const response = await http.request({
      method,
      url: `${this.url}/api/v2.0${path}`,
      headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const text = await response.text();
    const isJson = response.header('content-type')?.includes('json') === true;
    return {
      status: response.status,
      location: response.header('location') ?? '',
      body: isJson ? (JSON.parse(text) as unknown) : text,
    };
  }

  /** Adds an endpoint for another registry, trusting its authority; gives its id. */
  async know(other: Site): Promise<number> {
    const made = await this.call('POST', '/registries', {
      name: `at ${other.url}`,
      type: 'vic',
      url: other.url,
      credential: { type: 'basic', access_key: 'admin', access_secret: other.#password },
      ca_certificate: other.#authority,
    });
    return idOf(made);
  }

  /** Adds an event-based policy that pushes to an endpoint; gives its id. */
  async replicate(endpoint: number, settings: Readonly<Record<string, unknown>>): Promise<number> {
    const made = await this.call('POST', '/replication/policies', {
      enabled: true,
      override: true,
      trigger: { type: 'event_based' },
      dest_registry: { id: endpoint },
      ...settings,
    });
    return idOf(made);
  }

  /** How far a policy's destination is behind. */
  async lag(policy: number): Promise<Lag> {
    const { body } = await this.call('GET', `/replication/policies/${policy}`);
    return (body as { readonly lag: Lag }).lag;
  }

  /** Pushes an image with one random layer; gives its digest. */
  async push(repository: string, tag: string): Promise<string> {
    await using connection = this.#connect();
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const config = Buffer.from('{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}');
    const layer = randomBytes(50_000);
    for (const bytes of [config, layer]) {
      const upload = { digest: digestOfBytes(bytes), sizeBytes: bytes.length, open: () => once(bytes) };
      await connection.registry.writeBlob(repository, upload, signal);
    }
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOfBytes(config), size: config.length },
      layers: [{ mediaType: MEDIA_TYPES.ociLayer, digest: digestOfBytes(layer), size: layer.length }],
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    await connection.registry.putManifest(repository, tag, { bytes, mediaType: MEDIA_TYPES.ociManifest }, signal);
    return digestOfBytes(bytes);
  }

  /** What a tag names; `undefined` when nothing. */
  async digest(repository: string, tag: string): Promise<string | undefined> {
    await using connection = this.#connect();
    try {
      return (await connection.registry.headManifest(repository, tag, AbortSignal.timeout(DEADLINE_MS)))?.digest;
    } catch (error) {
      // There may be no such project yet; anything else does not mean that the tag is not there.
      if (isVicError(error, { code: 'REGISTRY_DENIED' })) return undefined;
      throw error;
    }
  }

  /** Removes a tag. */
  async untag(repository: string, tag: string): Promise<void> {
    await using connection = this.#connect();
    await connection.registry.deleteManifest(repository, tag, AbortSignal.timeout(DEADLINE_MS));
  }

  /** Stops the registry and removes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#directory[Symbol.asyncDispose]();
  }

  #connect(): RegistryConnection {
    const credentials = { username: 'admin', password: this.#password };
    return connectRegistry({ url: this.url, ca: this.#authority, credentials });
  }
}

/** Waits for something to become true. */
export async function until(what: () => Promise<boolean>): Promise<void> {
  const isSo = async (): Promise<true | undefined> => {
    try {
      return (await what()) ? true : undefined;
    } catch (error) {
      // Nothing can be told of a site that does not answer at this moment.
      if (isVicError(error, { class: 'Unavailable' })) return undefined;
      throw error;
    }
  };
  await pollUntil(isSo, 200, AbortSignal.timeout(PATIENCE_MS));
}

function idOf({ body, location, status }: Answer): number {
  if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`);
  return Number(location.split('/').at(-1));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
