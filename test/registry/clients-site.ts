import { lookup } from 'node:dns/promises';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { HttpClient, type HttpMethod, type HttpRequest } from '@vic/http-client';
import { silentLogger } from '@vic/log';
import { freePort, temporaryDirectory } from '@vic/testkit';
import { defaultConfiguration } from '../../apps/registry/src/configuration.ts';
import { startRegistry } from '../../apps/registry/src/serve.ts';
import { writeOciLayout } from '../../packages/registry/distribution/src/testing/oci-layout.ts';

/** An answer of the registry. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly bytes: Buffer;
  /** The body as JSON. */
  readonly json: () => unknown;
}

/** A name and a secret that open the registry. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

interface Parts {
  readonly name: string;
  readonly ports: { readonly registry: number; readonly notary: number };
  readonly directory: string;
  readonly authority: string;
  readonly password: string;
  readonly resources: AsyncDisposableStack;
}

const DEADLINE_MS = 300_000;

/** A registry with TLS by its own authority and a Notary server, for programs that know neither. */
export class ClientSite implements AsyncDisposable {
  /** Host and port, as images are named. */
  readonly host: string;
  readonly notaryUrl: string;
  readonly authority: string;
  /** The authority in a file, alone in its directory, named as `--cert-dir` and `certs.d` want it. */
  readonly authorityFile: string;
  readonly administrator: Credentials;
  readonly #directory: string;
  readonly #http: HttpClient;
  readonly #resources: AsyncDisposableStack;

  private constructor({ name, ports, directory, authority, password, resources }: Parts) {
    this.host = `${name}:${ports.registry}`;
    this.notaryUrl = `https://${name}:${ports.notary}`;
    this.authority = authority;
    this.authorityFile = join(directory, 'certificates', 'ca.crt');
    this.administrator = { username: 'admin', password };
    this.#directory = directory;
    this.#http = resources.use(new HttpClient({ tls: { ca: authority } }));
    this.#resources = resources;
  }

  /** Installs and starts a registry under a name of this machine. */
  static async open(): Promise<ClientSite> {
    await using resources = new AsyncDisposableStack();
    const { path: directory } = resources.use(await temporaryDirectory('vic-clients-'));
    const name = await loopbackName();
    const ports = { registry: await freePort(), notary: await freePort() };
    const configuration = defaultConfiguration(join(directory, 'data'), {
      externalUrl: `https://${name}:${ports.registry}`,
      host: '127.0.0.1',
      port: ports.registry,
      notaryPort: ports.notary,
    });
    const running = resources.use(await startRegistry({ ...configuration, hosts: [name] }, silentLogger()));
    const { authority = '', administrator } = running;
    const password = administrator?.password ?? '';
    const site = new ClientSite({ name, ports, directory, authority, password, resources: resources.move() });
    await mkdir(join(directory, 'certificates'));
    await writeFile(site.authorityFile, authority);
    return site;
  }

  /** A new directory that goes with the site: a client's home. */
  async scratch(): Promise<string> {
    return mkdtemp(join(this.#directory, 'scratch-'));
  }

  /** An OCI layout with an index of images for these architectures, tagged `multi`. */
  async layout(architectures: readonly string[] = ['amd64']): Promise<string> {
    const directory = join(await this.scratch(), 'layout');
    await writeOciLayout(directory, architectures);
    return directory;
  }

  /** Makes a private project. */
  async project(name: string, metadata: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.api('POST', '/projects', { project_name: name, metadata: { public: 'false', ...metadata } });
  }

  /** Calls the REST API as the administrator; throws unless it succeeds. */
  async api(method: HttpMethod, path: string, body?: unknown): Promise<Answer> {
    const answer = await this.send({
      method,
      url: `/api/v2.0${path}`,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...this.#authorization() } }),
    });
    if (answer.status < 300) return answer;
    throw new Error(`${method} ${path}: ${answer.status} ${answer.bytes.toString()}`);
  }

  /** Sends any request as the administrator; its URL may be relative. */
  async send(request: HttpRequest & { readonly url: string }): Promise<Answer> {
    const response = await this.#http.request({
      signal: AbortSignal.timeout(DEADLINE_MS),
      ...request,
      url: new URL(request.url, `https://${this.host}`),
      headers: { ...this.#authorization(), ...request.headers },
    });
    const bytes = Buffer.from(await response.bytes());
    const names = ['location', 'content-range', 'docker-content-digest', 'range'];
    return {
      status: response.status,
      headers: Object.fromEntries(names.map((name) => [name, response.header(name)])),
      bytes,
      json: () => JSON.parse(bytes.toString()) as unknown,
    };
  }

  /** Stops the registry and removes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  #authorization(): Readonly<Record<string, string>> {
    const { username, password } = this.administrator;
    return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  }
}

/** A name of this machine for 127.0.0.1, else that itself: clients do without TLS, or do not verify it, on `localhost`. */
async function loopbackName(): Promise<string> {
  const name = hostname();
  const found = await lookup(name, { family: 4 }).catch(() => undefined);
  return found?.address === '127.0.0.1' && name !== 'localhost' ? name : '127.0.0.1';
}
