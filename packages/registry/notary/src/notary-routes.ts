import { VicError } from '@vic/errors';
import { type HttpApplication, type HttpReply, type HttpRequest, streamingBodies } from '@vic/http';
import type { Readable } from 'node:stream';
import type { MetadataChoice } from './metadata-store.ts';
import type { Notary } from './notary.ts';
import { metadataNotFound } from './notary-error.ts';
import { isTargetsRole } from './validate-update.ts';

/** Decides about requests to the notary; implemented by the token service. */
export interface NotaryAccess {
  /** Throws a challenge when other credentials could help; `actions` are `pull`, `push` or `delete` on the collection. */
  authorize(request: {
    readonly authorization: string | undefined;
    readonly host: string | undefined;
    readonly address: string;
    /** Absent for `GET /v2/`: any valid credentials do. */
    readonly wanted?: { readonly gun: string; readonly actions: readonly string[] };
  }): Promise<void>;
}

/** What {@link notaryRoutes} needs. */
export interface NotaryRoutesDeps {
  readonly notary: Notary;
  readonly access: NotaryAccess;
}

const PREFIX = '/v2/';
/** What clients publish at once: a root, targets with tens of thousands of tags, a snapshot. */
const MAX_UPDATE_BYTES = 32 * 1024 * 1024;
const MAX_FILES = 100;
const GUN = /^[a-z0-9][a-zA-Z0-9._:/-]{0,510}$/;

/** The HTTP API of Notary's server, as `notary` and `docker trust` speak it. */
export function notaryRoutes(deps: NotaryRoutesDeps): (app: HttpApplication) => void {
  return (app) => {
    app.get('/_notary_server/health', async () => ({}));
    void app.register(
      streamingBodies((scope) => {
        for (const url of ['/v2', '/v2/*']) {
          scope.all(url, async (request, reply) => answer(deps, request, reply));
        }
      }),
    );
  };
}

async function answer(deps: NotaryRoutesDeps, request: HttpRequest, reply: HttpReply): Promise<unknown> {
  const path = decodeURIComponent(request.url.split('?')[0] ?? '').slice(PREFIX.length);
  const match = /^(.+)\/_trust\/tuf\/(.*)$/s.exec(path);
  const [, gun = '', file = ''] = match ?? [];
  if (match !== null && !GUN.test(gun)) throw metadataNotFound('a collection of that name');
  const actions = { GET: ['pull'], HEAD: ['pull'], POST: ['push', 'pull'], DELETE: ['delete'] }[request.method] ?? [];
  await deps.access.authorize({
    authorization: request.headers.authorization,
    host: request.headers.host,
    address: request.ip,
    ...(match === null ? {} : { wanted: { gun, actions } }),
  });
  if (path === '') return {};
  if (match === null || actions.length === 0)
    throw metadataNotFound(`${request.method} ${PREFIX}${path.slice(0, 200)}`);
  if (file === '') return changeCollection(deps.notary, gun, request);
  const key = /^(timestamp|snapshot)\.key$/.exec(file);
  if (key !== null) {
    const role = key[1] === 'snapshot' ? 'snapshot' : 'timestamp';
    void reply.type('application/json');
    return request.method === 'POST' ? deps.notary.rotateKey(gun, role) : deps.notary.publicKey(gun, role);
  }
  const { role, choice } = parseFileName(file);
  const found = await deps.notary.metadata(gun, role, choice);
  return reply
    .type('application/json')
    .header('last-modified', new Date(found.createdAtMs).toUTCString())
    .header('cache-control', choice === undefined ? 'no-cache, max-age=0' : 'public, max-age=2592000')
    .send(found.bytes);
}

async function changeCollection(notary: Notary, gun: string, request: HttpRequest): Promise<unknown> {
  if (request.method === 'DELETE') await notary.remove(gun);
  else if (request.method === 'POST') await notary.update(gun, await readUpdate(request));
  else throw metadataNotFound('a list of files');
  return {};
}

/** `root.json`, `targets/releases.json`, `snapshot.<sha256>.json`, `3.root.json`. */
function parseFileName(file: string): { readonly role: string; readonly choice: MetadataChoice } {
  const match = /^(?:([1-9]\d{0,9})\.)?([a-z0-9_/-]+?)(?:\.([0-9a-f]{64}))?\.json$/i.exec(file);
  const [, version, role = '', sha256] = match ?? [];
  if (!['root', 'snapshot', 'timestamp'].includes(role) && !isTargetsRole(role)) {
    throw metadataNotFound(file.slice(0, 200));
  }
  if (version !== undefined) return { role, choice: { version: Number(version) } };
  return { role, choice: sha256 === undefined ? undefined : { sha256: sha256.toLowerCase() } };
}

/** The files of a multipart upload, named by their roles. */
async function readUpdate(request: HttpRequest): Promise<ReadonlyMap<string, Buffer>> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.body as Readable) {
    length += (chunk as Buffer).length;
    if (length > MAX_UPDATE_BYTES) throw tooLarge();
    chunks.push(chunk as Buffer);
  }
  const files = new Map<string, Buffer>();
  const headers = { 'content-type': request.headers['content-type'] ?? '' };
  const form = await new Response(Buffer.concat(chunks), { headers }).formData().catch((cause: unknown) => {
    throw malformed('is not a multipart form', cause);
  });
  for (const [, part] of form) {
    if (typeof part === 'string') continue;
    if (!['root', 'snapshot'].includes(part.name) && !isTargetsRole(part.name)) throw invalidRole(part.name);
    files.set(part.name, Buffer.from(await part.arrayBuffer()));
  }
  if (files.size === 0 || files.size > MAX_FILES) throw malformed(`holds ${files.size} metadata files`);
  return files;
}

function malformed(problem: string, cause?: unknown): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'NOTARY_MALFORMED',
    message: `The uploaded update ${problem}.`,
    ...(cause === undefined ? {} : { cause }),
  });
}

function invalidRole(role: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'NOTARY_INVALID_ROLE',
    message: `"${role.slice(0, 100)}" is no role that a client publishes.`,
  });
}

function tooLarge(): VicError {
  return new VicError({
    class: 'PayloadTooLarge',
    code: 'NOTARY_UPDATE_TOO_LARGE',
    message: `An update may have ${MAX_UPDATE_BYTES} bytes.`,
  });
}
