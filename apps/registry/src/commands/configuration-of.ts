import { VicError } from '@vic/errors';
import { type RegistryConfiguration, defaultConfiguration, readRegistryConfiguration } from '../configuration.ts';

/** Where the registry listens unless told otherwise. */
export const DEFAULT_PORT = 5443;
/** Where the notary listens unless told otherwise: the port docker's content trust expects. */
export const DEFAULT_NOTARY_PORT = 4443;

/** The configuration that a command's options name. */
export async function configurationOf(options: {
  readonly config: string | undefined;
  readonly data: string | undefined;
  readonly url?: string | undefined;
  readonly listen?: string | undefined;
  readonly port?: number | undefined;
  readonly 'notary-port'?: number | undefined;
  readonly 'no-notary'?: boolean;
  readonly 'trusted-proxy'?: readonly string[];
}): Promise<RegistryConfiguration> {
  if ((options.config === undefined) === (options.data === undefined)) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'REGISTRY_INSTALLATION_UNNAMED',
      message: 'Which registry is meant: give either --config or --data.',
      remedy: 'For a first try: registry serve --data ./registry-data',
    });
  }
  if (options.config !== undefined) {
    refuseBesideFile(options);
    return readRegistryConfiguration(options.config);
  }
  if (options.url !== undefined && !URL.canParse(options.url)) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'REGISTRY_URL_INVALID',
      message: `--url is not a URL: ${options.url.slice(0, 200)}.`,
      remedy: 'Give scheme and host: https://registry.example.com:5443',
    });
  }
  const port = options.port ?? DEFAULT_PORT;
  return defaultConfiguration(options.data ?? '', {
    externalUrl: options.url ?? `https://localhost:${port}`,
    host: options.listen ?? '0.0.0.0',
    port,
    notaryPort: options['no-notary'] === true ? undefined : (options['notary-port'] ?? DEFAULT_NOTARY_PORT),
    trustedProxies: options['trusted-proxy'] ?? [],
  });
}

/** What the file says would win, so that the option would have no effect. */
function refuseBesideFile(options: Readonly<Record<string, unknown>>): void {
  const given = ['url', 'listen', 'port', 'notary-port'].find((name) => options[name] !== undefined);
  const proxies = options['trusted-proxy'];
  const isGiven = Array.isArray(proxies) && proxies.length > 0;
  const other = isGiven ? 'trusted-proxy' : undefined;
  const name = given ?? (options['no-notary'] === true ? 'no-notary' : other);
  if (name === undefined) return;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'REGISTRY_OPTION_BESIDE_FILE',
    message: `--${name} has no effect beside --config: the file says it.`,
    remedy: `Leave --${name} out, or change the file.`,
  });
}
