import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CertificateAuthority } from '@vic/pki';
import { freePort } from '@vic/testkit';
import {
  decodeRequest,
  encodeFault,
  encodeResponse,
  make,
  VimFault,
  type DecodedRequest,
  type MethodName,
  type MethodResult,
} from '@vic/vim';

/** What a scripted server does. */
export interface ServerScript {
  /** Body of `/sdk/vimServiceVersions.xml`; absent gives status 404. */
  readonly versions?: string;
  /** The result of a call; throwing a fault answers with it, `undefined` never answers. */
  readonly answer: (
    request: DecodedRequest,
    server: ScriptedServer,
  ) => { readonly result: unknown } | number | undefined;
}

/** A server on loopback, and what it was sent. */
export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  /** The authority to trust. */
  readonly ca: string;
  /** Every call with its `SOAPAction`. */
  readonly calls: readonly { readonly method: string; readonly action: string }[];
  /** How often somebody logged in. */
  readonly logins: number;
}

const CONTENT = {
  rootFolder: { type: 'Folder', value: 'root' },
  propertyCollector: { type: 'PropertyCollector', value: 'pc' },
  sessionManager: { type: 'SessionManager', value: 'sm' },
  about: {
    fullName: 'Scripted',
    name: 'Scripted',
    vendor: 'none',
    version: '6.7.0',
    build: '1',
    osType: 'none',
    productLineId: 'none',
    apiType: 'HostAgent',
    apiVersion: '6.7.1',
  },
};

/** Starts a server that lets anybody log in and answers everything else by its script. */
export async function scriptedServer(script: ServerScript): Promise<ScriptedServer> {
  const authority = await CertificateAuthority.create({ commonName: 'test authority' });
  const { certificate, key } = await authority.issueServer({ commonName: 'localhost' }, ['127.0.0.1']);
  const calls: { method: string; action: string }[] = [];
  let logins = 0;
  const call = (request: DecodedRequest): { readonly result: unknown } | number | undefined => {
    const { name } = request.method;
    if (name === 'RetrieveServiceContent') return { result: CONTENT };
    if (name === 'Logout') return { result: undefined };
    if (name !== 'Login') return script.answer(request, scripted);
    logins++;
    const now = new Date();
    return {
      result: make('UserSession', {
        key: String(logins),
        userName: 'u',
        fullName: 'u',
        loginTime: now,
        lastActiveTime: now,
        locale: 'en',
        messageLocale: 'en',
        extensionSession: false,
        ipAddress: '',
        userAgent: '',
        callCount: 0,
      }),
    };
  };
  const server = createServer({ cert: certificate, key }, (request, response) => {
    if (request.method === 'GET')
      return respond(response, script.versions === undefined ? 404 : 200, script.versions ?? '');
    const take = (body: Buffer): void => {
      const decoded = decodeRequest(body);
      calls.push({ method: decoded.method.name, action: String(request.headers['soapaction']) });
      if (decoded.method.name === 'Login')
        response.setHeader('set-cookie', `vmware_soap_session="${logins + 1}"; Path=/`);
      answer(response, decoded.method.name, () => call(decoded));
    };
    // A client that goes away in the middle of a request waits for no answer.
    return void bodyOf(request).then(take, () => response.destroy());
  });
  const port = await listen(server);
  const scripted: ScriptedServer = {
    url: `https://127.0.0.1:${port}`,
    ca: authority.credential.certificate,
    calls,
    get logins() {
      return logins;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return scripted;
}

function answer(
  response: ServerResponse,
  method: MethodName,
  call: () => { readonly result: unknown } | number | undefined,
): void {
  try {
    const outcome = call();
    if (outcome === undefined) return;
    if (typeof outcome === 'number') respond(response, outcome, 'not now');
    else respond(response, 200, encodeResponse(method, outcome.result as MethodResult<MethodName>));
  } catch (error) {
    if (!(error instanceof VimFault)) throw error;
    respond(response, 500, encodeFault(error));
  }
}

function respond(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function listen(server: Server): Promise<number> {
  // One that nobody else takes once the server is gone.
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return port;
}
