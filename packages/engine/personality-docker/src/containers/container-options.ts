import type { ContainerCreate, HostConfig } from '@vic/docker-api';
import type { NewContainer } from '@vic/port-layer';
import { invalid, notServed } from '../http/docker-error.ts';
import { refuseUnknownCapabilities } from './capability-options.ts';
import { CONTAINER_CONFIG_RULES } from './container-config-rules.ts';
import { HOST_CONFIG_RULES } from './host-config-rules.ts';
import { type OptionRule, applyRules, honour } from './option-rule.ts';

const BODY_RULES: Readonly<Record<string, OptionRule>> = {
  ...CONTAINER_CONFIG_RULES,
  HostConfig: honour,
  NetworkingConfig: honour,
};

/** Refuses what cannot be had and returns the warnings for what has no effect. */
export function judgeOptions(body: ContainerCreate): string[] {
  const { HostConfig: hostConfig = {} } = body;
  refuseUnknownCapabilities(hostConfig);
  return [
    ...applyRules(body, BODY_RULES),
    ...applyRules(hostConfig, HOST_CONFIG_RULES),
    ...judgeRestartPolicy(hostConfig),
    ...judgeLogConfig(hostConfig),
  ];
}

function judgeRestartPolicy({ RestartPolicy: policy, AutoRemove = false }: HostConfig): string[] {
  const name = policy?.Name ?? '';
  if (!['', 'no', 'always', 'unless-stopped', 'on-failure'].includes(name)) {
    throw invalid(
      `invalid restart policy: unknown policy '${name.slice(0, 64)}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (name === '' || name === 'no') return [];
  if (AutoRemove) throw invalid("can't create 'AutoRemove' container with restart policy");
  return [`RestartPolicy: "${name}" has no effect; a container that has ended is not started again.`];
}

function judgeLogConfig({ LogConfig: log }: HostConfig): string[] {
  const warnings: string[] = [];
  const type = log?.Type ?? '';
  if (type !== '' && type !== 'json-file') {
    warnings.push(
      `LogConfig: the driver "${type.slice(0, 64)}" is not available; output is kept on the datastore and served by docker logs.`,
    );
  }
  if (Object.keys(log?.Config ?? {}).length > 0) warnings.push('LogConfig: options of the log driver have no effect.');
  return warnings;
}

/** The tmpfs mounts of `--tmpfs` and of `--mount type=tmpfs`; every other mount is refused. */
export function tmpfsOf(hostConfig: HostConfig): NewContainer['tmpfs'] {
  const plain = Object.entries(hostConfig.Tmpfs ?? {}).map(([path, options]) => ({ path, options }));
  const mounts = (hostConfig.Mounts ?? []).map((mount) => {
    if (mount.Type !== 'tmpfs') {
      throw notServed(
        `Mounts of type "${mount.Type ?? ''}"`,
        'copy the files into an image, or use --tmpfs for scratch space.',
      );
    }
    return { path: mount.Target ?? '', options: tmpfsMountOptions(mount) };
  });
  const all = [...plain, ...mounts];
  for (const { path } of all) {
    if (!path.startsWith('/') || path === '/')
      throw invalid(`invalid tmpfs mount path: "${path.slice(0, 128)}" must be absolute and not the root`);
  }
  return all;
}

function tmpfsMountOptions(mount: object): string {
  const { TmpfsOptions: options } = mount as {
    readonly TmpfsOptions?: { readonly SizeBytes?: unknown; readonly Mode?: unknown };
  };
  const parts = [
    'ReadOnly' in mount && mount.ReadOnly === true ? 'ro' : undefined,
    typeof options?.SizeBytes === 'number' && options.SizeBytes > 0 ? `size=${options.SizeBytes}` : undefined,
    typeof options?.Mode === 'number' && options.Mode > 0 ? `mode=${options.Mode.toString(8)}` : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(',');
}

const ULIMIT_NAMES =
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' ');

/** Resource limits of the process; unknown names and soft limits above the hard one are refused. */
export function ulimitsOf(hostConfig: HostConfig): NewContainer['ulimits'] {
  return (hostConfig.Ulimits ?? []).map(({ Name = '', Soft = 0, Hard = 0 }) => {
    if (!ULIMIT_NAMES.includes(Name)) throw invalid(`invalid ulimit type: ${Name.slice(0, 64)}`);
    if (Hard !== -1 && (Soft === -1 || Soft > Hard)) {
      throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`);
    }
    return { name: Name, soft: Soft, hard: Hard };
  });
}
