import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type Server, createServer } from 'node:net';

/** Below the ports that Linux gives to outgoing connections and to whoever listens on port 0, which are any program's. */
const FIRST_PORT = 20_000;
const END_PORT = 32_768;
const ATTEMPTS = 100;

/** What keeps the ports that were given from other test processes; it goes with this one, however that ends. */
const reserved = new Set<Server>();

/** A TCP port that nobody listens on at this moment, and that is given to no other test while this process lives. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(FIRST_PORT, END_PORT);
    const reservation = await listenOn({ path: `\0vic-test-port-${port}` });
    if (reservation === undefined) continue;
    reserved.add(reservation.unref());
    const probe = await listenOn({ host, port });
    if (probe === undefined) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
  throw new Error(`none of ${ATTEMPTS} TCP ports was free`);
}

/** The server that listens, or nothing where another does. */
async function listenOn(address: { readonly path: string } | { readonly host: string; readonly port: number }) {
  const server = createServer();
  try {
    await once(server.listen(address), 'listening');
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
