import { VicError } from '@vic/errors';
import type { Project } from '@vic/projects';
import { compileGlob } from '../policies/glob.ts';
import { matchesExpression } from './bounded-expression.ts';

/** How a proxy-cache project is set up, from its metadata. */
export interface ProxySettings {
  readonly projectId: number;
  readonly projectName: string;
  readonly registryId: number;
  /** 0 without a limit. */
  readonly speedKiBPerSecond: number;
  /** 0 without a limit. */
  readonly maxConnections: number;
  readonly filterPattern: string;
  readonly filterKind: 'doublestar' | 'regex';
  readonly usesReferrersApi: boolean;
  readonly servesLocalWhenNotFound: boolean;
}

/** The settings of a proxy-cache project; `undefined` for any other project. */
export function proxySettings(project: Project): ProxySettings | undefined {
  const { metadata, registryId } = project;
  if (registryId === undefined) return undefined;
  const number = (key: string): number => Math.max(Number(metadata[key] ?? 0) || 0, 0);
  return {
    projectId: project.id,
    projectName: project.name,
    registryId,
    speedKiBPerSecond: number('proxy_speed_kb'),
    maxConnections: number('max_upstream_conn'),
    filterPattern: metadata['proxy_cache_filter_pattern'] ?? '',
    filterKind: metadata['proxy_cache_filter_kind'] === 'regex' ? 'regex' : 'doublestar',
    usesReferrersApi: metadata['proxy_referrer_api'] === 'true',
    servesLocalWhenNotFound: metadata['proxy_cache_local_on_not_found'] === 'true',
  };
}

/** The repository's name at the upstream. Refuses, as if it were not there, what the project's filter keeps out. */
export function upstreamName(settings: ProxySettings, repository: string, isDockerHub: boolean): string {
  const name = repository.slice(settings.projectName.length + 1);
  if (!passesFilter(settings, name)) {
    throw new VicError({
      class: 'NotFound',
      code: 'DISTRIBUTION_NAME_UNKNOWN',
      message: `repository "${name}" does not match project repository filter`,
    });
  }
  return isDockerHub && !name.includes('/') ? `library/${name}` : name;
}

function passesFilter({ filterKind, filterPattern }: ProxySettings, name: string): boolean {
  if (filterPattern === '') return true;
  if (filterKind === 'doublestar') return compileGlob(filterPattern)(name);
  return matchesExpression(filterPattern, name);
}
