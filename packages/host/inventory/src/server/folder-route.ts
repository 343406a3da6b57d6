import type { Readable } from 'node:stream';
import { VicError } from '@vic/errors';
import { type HttpApplication, type HttpReply, type HttpRequest, streamingBodies } from '@vic/http';
import type { Host } from '../model/host.ts';
import { transferUser } from './authenticate.ts';
import { requireDatastorePrivilege } from './datastore-path.ts';

interface FolderQuery {
  readonly dcPath?: string | readonly string[];
  readonly dsName?: string | readonly string[];
}

/** Serves the files of datastores: `/folder/<path>?dcPath=<datacenter>&dsName=<datastore>`. */
export function folderRoutes(app: HttpApplication, host: Host, closing: AbortSignal): void {
  void app.register(
    streamingBodies((scope) => {
      scope.get('/folder/*', { exposeHeadRoute: false }, async (request, reply) => download(host, request, reply));
      scope.head('/folder/*', async (request, reply) => describeFile(host, request, reply));
      scope.put('/folder/*', async (request, reply) => upload(host, request, reply, closing));
    }),
  );
}

async function download(host: Host, request: HttpRequest, reply: HttpReply): Promise<HttpReply> {
  const path = await authorizedPath(host, request, reply, 'Datastore.Browse');
  const { sizeBytes } = await describe(host, path, reply);
  const range = parseRange(request.headers.range, sizeBytes);
  if (range === 'unsatisfiable') return reply.code(416).header('content-range', `bytes */${sizeBytes}`).send('');
  if (range === undefined) {
    // As much as was announced: a log may have grown meanwhile.
    const whole = { start: 0, endExclusive: sizeBytes };
    return reply.header('content-length', sizeBytes).send(await host.datastores.read(path, whole));
  }
  return reply
    .code(206)
    .header('content-range', `bytes ${range.start}-${range.endExclusive - 1}/${sizeBytes}`)
    .header('content-length', range.endExclusive - range.start)
    .send(await host.datastores.read(path, range));
}

async function describeFile(host: Host, request: HttpRequest, reply: HttpReply): Promise<HttpReply> {
  const path = await authorizedPath(host, request, reply, 'Datastore.Browse');
  const { sizeBytes } = await describe(host, path, reply);
  reply.raw.setHeader('content-length', sizeBytes);
  return reply.header('content-length', sizeBytes).send('');
}

async function upload(host: Host, request: HttpRequest, reply: HttpReply, closing: AbortSignal): Promise<HttpReply> {
  const path = await authorizedPath(host, request, reply, 'Datastore.FileManagement');
  if (request.headers['content-range'] !== undefined) {
    throw new VicError({ class: 'NotSupported', code: 'FOLDER_PARTIAL_PUT', message: 'A file is written as a whole.' });
  }
  const gone = new AbortController();
  const body = request.body as Readable;
  body.once('aborted', () =>
    gone.abort(new VicError({ class: 'Cancelled', code: 'FOLDER_CLIENT_GONE', message: 'The client has gone away.' })),
  );
  const { created } = await host.datastores.write(path, body, AbortSignal.any([gone.signal, closing]));
  return reply.code(created ? 201 : 200).send('');
}

async function authorizedPath(host: Host, request: HttpRequest, reply: HttpReply, privilege: string): Promise<string> {
  const user = await transferUser(host, request);
  if (user === undefined) {
    reply.header('www-authenticate', 'Basic realm="hostd"');
    throw new VicError({ class: 'Unauthenticated', code: 'FOLDER_UNAUTHENTICATED', message: 'Log in to reach files.' });
  }
  const path = datastorePath(request);
  requireDatastorePrivilege(host, path, privilege, user);
  return path;
}

function datastorePath(request: HttpRequest): string {
  const { dcPath, dsName } = request.query as FolderQuery;
  const wildcard = (request.params as { readonly '*': string })['*'];
  if (typeof dsName !== 'string' || dsName === '') throw invalid('dsName must name a datastore.');
  if (dcPath !== undefined && dcPath !== '' && dcPath !== 'ha-datacenter' && dcPath !== '/ha-datacenter')
    throw invalid('dcPath must be ha-datacenter.');
  if (wildcard === '') throw invalid('The path of a file is missing.');
  return `[${dsName}] ${wildcard}`;
}

async function describe(host: Host, path: string, reply: HttpReply): Promise<{ readonly sizeBytes: number }> {
  const file = await host.datastores.stat(path);
  if (file.kind === 'directory')
    throw new VicError({ class: 'InvalidArgument', code: 'FOLDER_IS_DIRECTORY', message: `${path} is a directory.` });
  reply
    .header('content-type', 'application/octet-stream')
    .header('accept-ranges', 'bytes')
    .header('last-modified', new Date(file.modifiedAtMs).toUTCString());
  return file;
}

/** The one range of a request; several ranges are answered with the whole file, as HTTP allows. */
function parseRange(
  header: string | undefined,
  sizeBytes: number,
): { start: number; endExclusive: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const [, first = '', last = ''] = match;
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const endExclusive = first === '' || last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1);
  return start >= endExclusive ? 'unsatisfiable' : { start, endExclusive };
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'FOLDER_INVALID_URL', message });
}
