import type { ContainerConfig, EndpointSettings } from '@vic/docker-api';
import { type OptionRule, honour, refuse, warn } from './option-rule.ts';

const ASSIGNED = 'addresses are assigned by the network; what was sent is ignored.';

/** What becomes of every property of `ContainerConfig`. */
export const CONTAINER_CONFIG_RULES: Readonly<Record<keyof ContainerConfig, OptionRule>> = {
  Hostname: honour,
  Domainname: honour,
  User: honour,
  AttachStdin: honour,
  AttachStdout: honour,
  AttachStderr: honour,
  ExposedPorts: honour,
  Tty: honour,
  OpenStdin: honour,
  StdinOnce: honour,
  Env: honour,
  Cmd: honour,
  Healthcheck: warn('health checks are not run.', isNoHealthcheck),
  ArgsEscaped: warn('only Windows containers know this option.'),
  Image: honour,
  Volumes: warn("no volume is made: data stays in the container's own layer and goes with it."),
  WorkingDir: honour,
  Entrypoint: honour,
  NetworkDisabled: honour,
  MacAddress: refuse('the MAC address of a container VM is chosen by the infrastructure.'),
  OnBuild: warn('triggers only matter to builds.'),
  Labels: honour,
  StopSignal: honour,
  StopTimeout: honour,
  Shell: warn('the shell form is only used by builds and health checks.'),
};

/** What becomes of every property of an endpoint in `NetworkingConfig`. */
export const ENDPOINT_RULES: Readonly<Record<keyof EndpointSettings, OptionRule>> = {
  IPAMConfig: honour,
  Links: refuse('use the name of the other container.'),
  MacAddress: refuse('the MAC address of a container VM is chosen by the infrastructure.'),
  Aliases: honour,
  DriverOpts: warn('the network has no options of its own per container.'),
  GwPriority: warn('a container VM has one network, and its gateway is that of the network.'),
  NetworkID: warn(ASSIGNED),
  EndpointID: warn(ASSIGNED),
  Gateway: warn(ASSIGNED),
  IPAddress: warn(ASSIGNED),
  IPPrefixLen: warn(ASSIGNED),
  IPv6Gateway: warn(ASSIGNED),
  GlobalIPv6Address: warn(ASSIGNED),
  GlobalIPv6PrefixLen: warn(ASSIGNED),
  DNSNames: warn(ASSIGNED),
};

/** What becomes of every property of an endpoint's `IPAMConfig`. */
export const IPAM_RULES: Readonly<Record<string, OptionRule>> = {
  IPv4Address: honour,
  IPv6Address: refuse('the networks of a VCH are IPv4.'),
  LinkLocalIPs: refuse('link-local addresses cannot be asked for.'),
};

function isNoHealthcheck(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('Test' in value) || !Array.isArray(value.Test)) return false;
  return value.Test.length === 0 || (value.Test.length === 1 && value.Test[0] === 'NONE');
}
