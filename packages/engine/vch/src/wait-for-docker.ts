import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { pollUntil } from '@vic/async';

/** How to ask a Docker API whether it is there. */
export interface DockerProbe {
  readonly host: string;
  readonly port: number;
  /** `undefined` for an API without TLS. */
  readonly tls:
    | {
        /** Authority of the server's certificate; anything is taken when absent. */
        readonly ca: string | undefined;
        readonly certificate: string | undefined;
        readonly key: string | undefined;
      }
    | undefined;
}

const INTERVAL_MS = 250;
const REQUEST_TIMEOUT_MS = 5_000;

/** Waits until the API answers a ping; gives the version of the API. */
export async function waitForDocker(probe: DockerProbe, signal: AbortSignal): Promise<string> {
  return pollUntil(() => ping(probe).catch(() => undefined), INTERVAL_MS, signal);
}

async function ping(probe: DockerProbe): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  const { host, port, tls } = probe;
  const options = { host, port, path: '/_ping', timeout: REQUEST_TIMEOUT_MS, agent: false } as const;
  const request =
    tls === undefined
      ? plainRequest(options)
      : tlsRequest({
          ...options,
          ca: tls.ca,
          cert: tls.certificate,
          key: tls.key,
          // Only for certificates the user brought, whose authority is not known here; nothing is sent or believed.
          rejectUnauthorized: tls.ca !== undefined,
        });
  request.on('response', (response) => {
    response.resume();
    const version = response.headers['api-version'];
    // A server that wants a client certificate we were not given is there all the same.
    resolve(response.statusCode === 200 ? String(version ?? '') : undefined);
  });
  request.on('timeout', () => request.destroy(new Error('no answer')));
  request.on('error', (error) => {
    const wantsCertificate = 'code' in error && String(error.code).includes('CERTIFICATE_REQUIRED');
    if (wantsCertificate) resolve('');
    else reject(error);
  });
  request.end();
  return promise;
}
