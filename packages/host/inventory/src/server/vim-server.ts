import { createHttpServer } from '@vic/http';
import type { Inventory } from '../inventory.ts';
import { Dispatcher } from './dispatch.ts';
import { folderRoutes } from './folder-route.ts';
import type { VimServer, VimServerOptions } from './options.ts';
import { sdkRoutes } from './sdk-route.ts';
import { Session } from './sessions.ts';

/** Large enough for the specification of a machine with megabytes of extraConfig. */
const BODY_LIMIT_BYTES = 8 * 1024 * 1024;

/** Serves the vSphere API of an inventory. */
export async function createVimServer(inventory: Inventory, options: VimServerOptions): Promise<VimServer> {
  const { host } = inventory;
  if (options.sessionIdleMs !== undefined) host.sessions.idleMs = options.sessionIdleMs;
  const server = createHttpServer({ logger: host.logger, tls: options.tls, bodyLimitBytes: BODY_LIMIT_BYTES });
  const anonymous = new Session({ userName: '', fullName: '', clientAddress: '', userAgent: '', now: host.now() });
  sdkRoutes(server.app, host, new Dispatcher(host, anonymous), server.closing);
  folderRoutes(server.app, host, server.closing);
  const bound = await server.listen(options.listen);
  const address = { host: options.listen.host, port: 'port' in bound ? bound.port : options.listen.port };
  const close = async (): Promise<void> => server.close();
  return { address, close, [Symbol.asyncDispose]: close };
}
