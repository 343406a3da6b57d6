import { createHash } from 'node:crypto';
import { silentLogger } from '@vic/log';
import type { DeclaredRoute } from '@vic/rest';
import { temporaryDirectory } from '@vic/testkit';
import { type RegistryConfiguration, defaultConfiguration } from '../../apps/registry/src/configuration.ts';
import { startRegistry } from '../../apps/registry/src/serve.ts';

/** Who calls; each may what those before it may, in both projects. */
export const STANDINGS = [
  'anonymous',
  'stranger',
  'limitedGuest',
  'guest',
  'developer',
  'maintainer',
  'projectAdmin',
  'administrator',
] as const;

/** One of {@link STANDINGS}. */
export type Standing = (typeof STANDINGS)[number];

/** A project of the matrix, with a repository `app` whose tag `1` is an empty image. */
export interface MatrixProject {
  readonly id: number;
  readonly name: string;
}

/** A request, bytes as they are and anything else as JSON. */
export interface MatrixCall {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A registry with a private and a public project, and somebody of each standing. */
export interface MatrixWorld extends AsyncDisposable {
  readonly routes: readonly DeclaredRoute[];
  readonly team: MatrixProject;
  readonly open: MatrixProject;
  /** `Authorization` by standing. */
  readonly callers: ReadonlyMap<Standing, string | undefined>;
  /** A developer who is one through a group only, and a guest besides. */
  readonly developerByGroup: string;
  /** A user who is nobody of those. */
  readonly bystanderId: number;
  readonly request: (authorization: string | undefined, call: MatrixCall) => Promise<Answer>;
  /** As the administrator; throws unless it succeeds. */
  readonly prepare: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Answer>;
}

const API = '/api/v2.0';
const PASSWORD = 'Matrix1password';
const ROLES = { projectAdmin: 1, developer: 2, guest: 3, maintainer: 4, limitedGuest: 5 } as const;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** Starts a registry on a temporary directory and peoples it through its API. */
export async function matrixWorld(): Promise<MatrixWorld> {
  await using resources = new AsyncDisposableStack();
  const directory = resources.use(await temporaryDirectory('vic-matrix-'));
  const configuration: RegistryConfiguration = {
    ...defaultConfiguration(directory.path, {
      externalUrl: 'http://registry.example',
      host: '127.0.0.1',
      port: 0,
      notaryPort: undefined,
    }),
    tls: 'none',
  };
  const registry = resources.use(await startRegistry(configuration, silentLogger()));
  const { port } = registry.address as { readonly port: number };
  const administrator = basic('admin', registry.administrator?.password ?? '');
  const request = requester(`http://127.0.0.1:${port}`);
  const prepare: MatrixWorld['prepare'] = async (method, path, body, headers) => {
    const answer = await request(administrator, { method, path, body, headers });
    if (answer.status < 300) return answer;
    throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  };
  const [team, open] = [await makeProject(prepare, 'team', false), await makeProject(prepare, 'open', true)];
  const callers = new Map<Standing, string | undefined>([
    ['anonymous', undefined],
    ['administrator', administrator],
  ]);
  for (const standing of ['stranger', 'limitedGuest', 'guest', 'developer', 'maintainer', 'projectAdmin'] as const) {
    const id = await makeUser(prepare, standing);
    callers.set(standing, basic(standing, PASSWORD));
    if (standing === 'stranger') continue;
    for (const project of [team, open]) {
      const member = { role_id: ROLES[standing], member_user: { user_id: id } };
      await prepare('POST', `${API}/projects/${project.name}/members`, member);
    }
  }
  const developerByGroup = await makeDeveloperByGroup(prepare, [team, open]);
  const bystanderId = await makeUser(prepare, 'bystander');
  const running = resources.move();
  return {
    routes: registry.routes,
    team,
    open,
    callers,
    developerByGroup,
    bystanderId,
    request,
    prepare,
    [Symbol.asyncDispose]: async () => running.disposeAsync(),
  };
}

/** The value of `Authorization` for a name and a secret. */
export function basic(name: string, secret: string): string {
  return `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;
}

/** The id at the end of an answer's `Location`. */
export function idIn({ headers }: Answer): number {
  return Number(headers.get('location')?.split('/').at(-1));
}

function requester(base: string): MatrixWorld['request'] {
  return async (authorization, { method, path, body, headers }) => {
    const isRaw = body instanceof Uint8Array;
    const type = isRaw ? MANIFEST : 'application/json';
    const response = await fetch(base + path, {
      method,
      headers: {
        ...headers,
        ...(authorization === undefined ? {} : { authorization }),
        ...(body === undefined ? {} : { 'content-type': type }),
      },
      ...(body === undefined ? {} : { body: isRaw ? Buffer.from(body) : JSON.stringify(body) }),
      redirect: 'manual',
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
}

async function makeUser(prepare: MatrixWorld['prepare'], name: string): Promise<number> {
  const user = { username: name, password: PASSWORD, email: `${name}@example.com`, realname: name };
  return idIn(await prepare('POST', `${API}/users`, user));
}

async function makeDeveloperByGroup(
  prepare: MatrixWorld['prepare'],
  projects: readonly MatrixProject[],
): Promise<string> {
  const userId = await makeUser(prepare, 'grouped');
  const groupId = idIn(await prepare('POST', `${API}/usergroups`, { group_name: 'builders', group_type: 4 }));
  await prepare('PUT', `${API}/usergroups/${groupId}/members/${userId}`);
  for (const { name } of projects) {
    const members = `${API}/projects/${name}/members`;
    await prepare('POST', members, { role_id: ROLES.guest, member_user: { user_id: userId } });
    await prepare('POST', members, { role_id: ROLES.developer, member_group: { id: groupId } });
  }
  return basic('grouped', PASSWORD);
}

async function makeProject(prepare: MatrixWorld['prepare'], name: string, isPublic: boolean): Promise<MatrixProject> {
  const metadata = { public: String(isPublic) };
  const id = idIn(await prepare('POST', `${API}/projects`, { project_name: name, metadata }));
  const config = Buffer.from('{}');
  const upload = await prepare('POST', `/v2/${name}/app/blobs/uploads/`);
  const location = new URL(upload.headers.get('location') ?? '', 'http://registry.example');
  location.searchParams.set('digest', digestOf(config));
  await prepare('PUT', location.pathname + location.search, config);
  await prepare('PUT', `/v2/${name}/app/manifests/1`, emptyImage());
  return { id, name };
}

/** The manifest of an image without layers. */
export function emptyImage(): Buffer {
  const config = Buffer.from('{}');
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length },
      layers: [],
    }),
  );
}

function digestOf(content: Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
