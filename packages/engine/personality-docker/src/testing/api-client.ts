import { connect, type Socket } from 'node:net';

/** An answer of the API. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON. */
  json(): unknown;
}

/** Sends one request, with a JSON body when one is given, and reads the whole answer. */
export async function request(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as unknown };
}

/** A raw connection after the head of its answer was read. */
export interface RawConnection {
  readonly head: string;
  readonly socket: Socket;
  /** Everything until the server ends the connection. */
  rest(): Promise<Buffer>;
  /** Reads until the bytes received so far contain the text. */
  until(text: string): Promise<Buffer>;
}

/** Sends raw bytes and reads the head of the answer; the connection stays open, half-closable. */
export async function openRaw(port: number, text: string): Promise<RawConnection> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.write(text);
  let received = Buffer.alloc(0);
  let ended = false;
  let wake: (() => void) | undefined;
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    wake?.();
  });
  socket.on('error', () => socket.destroy());
  for (const event of ['end', 'close']) {
    socket.on(event, () => {
      ended = true;
      wake?.();
    });
  }
  const until = async (done: () => boolean): Promise<Buffer> => {
    while (!done() && !ended) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return received;
  };
  await until(() => received.includes('\r\n\r\n'));
  const end = received.indexOf('\r\n\r\n') + 4;
  const head = received.subarray(0, end).toString();
  received = Buffer.from(received.subarray(end));
  return {
    head,
    socket,
    rest: async () => {
      const all = await until(() => ended);
      socket.destroy();
      return all;
    },
    until: async (wanted) => until(() => received.includes(wanted)),
  };
}

/** The head of a request that asks for the connection. */
export function upgradeRequest(path: string, body = ''): string {
  const type = body === '' ? '' : 'Content-Type: application/json\r\n';
  return `POST ${path} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n${type}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
