import { createServer, type IncomingMessage } from 'node:http';
import { HttpClient } from '@vic/http-client';
import {
  decodeRequest,
  decodeResponse,
  encodeFault,
  encodeResponse,
  isA,
  propertyAt,
  TypedValue,
  VimFault,
  type MethodName,
  type MethodResult,
} from '@vic/vim';
import { probeThumbprint } from '../index.ts';

/** A server between a client and a server, neither of them ours, and what its codec refused. */
export interface CodecProxy extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly string[];
  readonly refusals: readonly string[];
}

/** Takes every message apart with our codec, strictly for requests, and writes every answer anew with it. */
export async function codecProxy(target: string): Promise<CodecProxy> {
  const { hostname, port } = new URL(target);
  const { sha256 } = await probeThumbprint(hostname, Number(port));
  const http = new HttpClient({ tls: { thumbprint: sha256 }, connectionsPerOrigin: 32 });
  const requests: string[] = [];
  const refusals: string[] = [];
  const forward = async (
    request: IncomingMessage,
  ): Promise<{ status: number; cookie: readonly string[]; body: string }> => {
    const body = await bodyOf(request);
    const headers: Record<string, string> = {};
    for (const name of ['cookie', 'soapaction', 'content-type']) {
      const value = request.headers[name];
      if (typeof value === 'string') headers[name] = value;
    }
    const method = request.method === 'POST' ? 'POST' : 'GET';
    const url = `${target}${request.url ?? ''}`;
    const upstream = await http.request({ method, url, headers, ...(method === 'POST' ? { body } : {}) });
    const answer = await upstream.bytes();
    const cookie = upstream.headerLines('set-cookie').map((line) => line.replace(/; ?secure/i, ''));
    if (method === 'GET') return { status: upstream.status, cookie, body: answer.toString() };
    const name = decodeRequest(body).method.name;
    requests.push(name);
    return { status: upstream.status, cookie, body: rewrite(name, answer) };
  };
  const server = createServer((request, response) => {
    forward(request).then(
      ({ status, cookie, body }) =>
        response.writeHead(status, { 'content-type': 'text/xml', 'set-cookie': [...cookie] }).end(body),
      (error: unknown) => {
        refusals.push(String(error));
        response.writeHead(502).end();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return {
    url: `http://127.0.0.1:${address.port}/sdk`,
    requests,
    refusals,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await http[Symbol.asyncDispose]();
    },
  };
}

function rewrite(name: MethodName, answer: Uint8Array): string {
  try {
    return encodeResponse(name, withTypes(decodeResponse(name, answer)) as MethodResult<MethodName>);
  } catch (error) {
    if (error instanceof VimFault) return encodeFault(error);
    throw error;
  }
}

/** States the declared type of every property value, as a server does that knows what it holds. */
function withTypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withTypes);
  if (isA(value, 'ObjectContent')) return { ...value, propSet: value.propSet?.map((it) => typed(value.obj.type, it)) };
  if (isA(value, 'ObjectUpdate'))
    return { ...value, changeSet: value.changeSet?.map((it) => typed(value.obj.type, it)) };
  if (typeof value !== 'object' || value === null || !('$type' in value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withTypes(member)]));
}

function typed<T extends { readonly name: string; readonly val?: unknown }>(managedType: string, property: T): T {
  const type = propertyAt(managedType, property.name)?.type;
  if (type === undefined || property.val === undefined) return property;
  return { ...property, val: new TypedValue(type, property.val) };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
