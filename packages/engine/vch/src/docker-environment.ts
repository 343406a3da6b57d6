import type { VchConfiguration } from './configuration.ts';
import { networkOf } from './configuration.ts';

/** How a docker client reaches a VCH. */
export interface DockerEnvironment {
  /** `host:port`. */
  readonly dockerHost: string;
  /** Variables for docker, in the order they are printed. */
  readonly variables: Readonly<Record<string, string>>;
  /** The command that tries it. */
  readonly command: string;
}

/** Ports of the Docker API, as Docker itself uses them. */
const TLS_PORT = 2376;
const PLAIN_PORT = 2375;

function dockerPortOf(configuration: VchConfiguration): number {
  return configuration.tls.mode === 'no-tls' ? PLAIN_PORT : TLS_PORT;
}

/** How docker reaches a VCH; `certificatePath` is where its client certificate is, when that is known. */
export function dockerEnvironmentOf(configuration: VchConfiguration, certificatePath?: string): DockerEnvironment {
  const address = networkOf(configuration, 'public').address.replace(/\/.*/, '');
  const dockerHost = `${address}:${dockerPortOf(configuration)}`;
  switch (configuration.tls.mode) {
    case 'no-tls':
      return { dockerHost, variables: { DOCKER_HOST: dockerHost }, command: `docker -H ${dockerHost} info` };
    case 'tls-no-verify':
      return { dockerHost, variables: { DOCKER_HOST: dockerHost }, command: `docker -H ${dockerHost} --tls info` };
    case 'tls-verify': {
      const path = certificatePath ?? '<directory of the client certificate>';
      const files = `--tlscacert="${path}/ca.pem" --tlscert="${path}/cert.pem" --tlskey="${path}/key.pem"`;
      return {
        dockerHost,
        variables: { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: path, DOCKER_HOST: dockerHost },
        command: `docker -H ${dockerHost} --tlsverify ${files} info`,
      };
    }
  }
}

/** The lines of an environment file for docker. */
export function environmentFileOf(environment: DockerEnvironment): string {
  return Object.entries(environment.variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
