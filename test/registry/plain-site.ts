import { silentLogger } from '@vic/log';
import { type RegistryConfiguration, defaultConfiguration } from '../../apps/registry/src/configuration.ts';
import { startRegistry } from '../../apps/registry/src/serve.ts';

/** A registry in this process, on plain HTTP and a free port. */
export interface PlainSite extends AsyncDisposable {
  readonly url: string;
  /** Of a new installation; of another one, what was given. */
  readonly password: string;
  /** Calls the REST API, as the administrator unless `headers` say otherwise. */
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

/** The configuration that {@link openPlainSite} serves a directory with. */
export function plainConfiguration(
  directory: string,
  more: Partial<RegistryConfiguration> = {},
): RegistryConfiguration {
  const given = { externalUrl: 'http://registry.example', host: '127.0.0.1', port: 0, notaryPort: undefined };
  return { ...defaultConfiguration(directory, given), tls: 'none', ...more };
}

/** Serves the installation in a directory, made where there is none. */
export async function openPlainSite(
  configuration: RegistryConfiguration,
  known: { readonly password: string } = { password: '' },
): Promise<PlainSite> {
  const running = await startRegistry(configuration, silentLogger());
  if (!('port' in running.address)) throw new Error('no port');
  const url = `http://127.0.0.1:${running.address.port}`;
  const password = running.administrator?.password ?? known.password;
  return {
    url,
    password,
    call: async (method, path, body, headers = { authorization: basic('admin', password) }) =>
      fetch(`${url}/api/v2.0${path}`, {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    [Symbol.asyncDispose]: async () => running[Symbol.asyncDispose](),
  };
}

/** The header of Basic authentication. */
export function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}
