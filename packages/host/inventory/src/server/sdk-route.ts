import type { HttpApplication, HttpReply, HttpRequest } from '@vic/http';
import {
  type ApiVersion,
  VimFault,
  decodeRequest,
  encodeFault,
  encodeResponse,
  invalidRequest,
  knownVersion,
  versionOfSoapAction,
} from '@vic/vim';
import { generalFault } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import type { LoginCall } from '../objects/session-manager.ts';
import { SESSION_COOKIE, sessionOf } from './authenticate.ts';
import type { Dispatcher } from './dispatch.ts';
import type { Session } from './sessions.ts';

const XML = 'text/xml; charset=utf-8';
const VERSIONS = ['6.7.1', '6.7', '6.5', '6.0', '5.5'];

/** Serves the SOAP API and the list of its versions. */
export function sdkRoutes(app: HttpApplication, host: Host, dispatcher: Dispatcher, closing: AbortSignal): void {
  app.addContentTypeParser(/^(text|application)\/(soap\+)?xml/, { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  const handle = async (request: HttpRequest, reply: HttpReply): Promise<HttpReply> =>
    answer(request, reply, { host, dispatcher, closing });
  app.post('/sdk', handle);
  app.post('/sdk/vimService', handle);
  app.get('/sdk/vimServiceVersions.xml', async (_request, reply) =>
    reply.header('content-type', XML).send(versionsDocument()),
  );
}

interface Context {
  readonly host: Host;
  readonly dispatcher: Dispatcher;
  readonly closing: AbortSignal;
}

async function answer(request: HttpRequest, reply: HttpReply, context: Context): Promise<HttpReply> {
  const asked = versionOfSoapAction(header(request, 'soapaction'));
  const version = knownVersion(asked);
  reply.header('content-type', XML).header('cache-control', 'no-cache');
  try {
    if (!Buffer.isBuffer(request.body)) throw invalidRequest('The request has no SOAP envelope.');
    // A client of a newer version may send what the metadata does not know; others must keep to it.
    const newer = asked !== undefined && version === undefined;
    const decoded = decodeRequest(request.body, { mode: newer ? 'lenient' : 'strict' });
    const result = await dispatched(request, reply, context, decoded);
    return await reply.send(encodeResponse(decoded.method.name, result as never, encoding(version)));
  } catch (error) {
    const fault = generalFault(error);
    if (fault.faultType === 'SystemError')
      context.host.logger.error('Call failed', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    return reply.code(500).send(encodeFault(fault, encoding(version)));
  }
}

async function dispatched(
  request: HttpRequest,
  reply: HttpReply,
  { host, dispatcher, closing }: Context,
  decoded: ReturnType<typeof decodeRequest>,
): Promise<unknown> {
  const session = sessionOf(host, request);
  const gone = clientGone(request, reply);
  const call: LoginCall = {
    session,
    userName: session?.userName ?? '',
    signal: AbortSignal.any([gone, closing]),
    clientAddress: request.ip,
    userAgent: (header(request, 'user-agent') ?? '').slice(0, 200),
    onLogin: (opened: Session) => setCookie(reply, opened.token),
  };
  if (session !== undefined) {
    session.callCount++;
    session.activeCalls++;
  }
  try {
    return await dispatcher.dispatch(decoded, call);
  } finally {
    if (session !== undefined) {
      session.activeCalls--;
      session.lastActiveAt = host.now();
    }
  }
}

function setCookie(reply: HttpReply, token: string): void {
  reply.header('set-cookie', `${SESSION_COOKIE}="${token}"; Path=/; HttpOnly; Secure; SameSite=Strict`);
}

/** Fires when the client's connection closes before it was answered. */
function clientGone(request: HttpRequest, reply: HttpReply): AbortSignal {
  const controller = new AbortController();
  const { socket } = request.raw;
  const abort = (): void =>
    controller.abort(new VimFault({ fault: { $type: 'RequestCanceled' }, message: 'The client has gone away.' }));
  socket.once('close', abort);
  // The connection serves many requests; this one must not stay behind in it.
  reply.raw.once('close', () => socket.off('close', abort));
  return controller.signal;
}

function encoding(version: ApiVersion | undefined): { version?: ApiVersion } {
  return version === undefined ? {} : { version };
}

function header(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function versionsDocument(): string {
  const [current, ...prior] = VERSIONS;
  const priorVersions = prior.map((version) => `<version>${version}</version>`).join('');
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n<namespaces version="1.0"><namespace><name>urn:vim25</name>' +
    `<version>${current}</version><priorVersions>${priorVersions}</priorVersions></namespace></namespaces>\n`
  );
}
