import { VicError } from '@vic/errors';
import type { ProjectMetadata } from './project.ts';

/** One key of a project's metadata. */
export interface MetadataKey {
  readonly name: string;
  /** Gives the value in its one spelling, or `undefined` when it is not one. */
  parse(value: string): string | undefined;
  /** Only for proxy-cache projects; dropped at creation of, and refused on, others. */
  readonly proxyCacheOnly?: boolean;
}

const MAX_INT32 = 2_147_483_647;
const MAX_PATTERN_LENGTH = 1024;
const SEVERITIES = ['none', 'unknown', 'negligible', 'low', 'medium', 'high', 'critical'];

/** A key that is `true` or `false`. */
export function booleanKey(name: string, options: { readonly proxyCacheOnly?: boolean } = {}): MetadataKey {
  return { name, ...options, parse: parseBoolean };
}

/** A key that is a whole number within limits, or −1 where `unlimited`. */
export function integerKey(
  name: string,
  limits: {
    readonly min: number;
    readonly max: number;
    readonly unlimited?: boolean;
    readonly proxyCacheOnly?: boolean;
  },
): MetadataKey {
  const parse = (value: string): string | undefined => {
    if (!/^-?\d{1,10}$/.test(value)) return undefined;
    const number = Number(value);
    const valid = (number >= limits.min && number <= limits.max) || (limits.unlimited === true && number === -1);
    return valid ? String(number) : undefined;
  };
  return { name, parse, ...(limits.proxyCacheOnly === undefined ? {} : { proxyCacheOnly: limits.proxyCacheOnly }) };
}

/** A key that is one of a few words. */
function choiceKey(
  name: string,
  choices: readonly string[],
  options: { readonly proxyCacheOnly?: boolean } = {},
): MetadataKey {
  return {
    name,
    ...options,
    parse: (value) => (choices.includes(value.toLowerCase()) ? value.toLowerCase() : undefined),
  };
}

/** Harbor's keys; packages that add their own give them to `Projects`. */
export const HARBOR_METADATA_KEYS: readonly MetadataKey[] = [
  booleanKey('public'),
  booleanKey('enable_content_trust'),
  booleanKey('enable_content_trust_cosign'),
  booleanKey('prevent_vul'),
  choiceKey('severity', SEVERITIES),
  booleanKey('auto_scan'),
  booleanKey('auto_sbom_generation'),
  booleanKey('reuse_sys_cve_allowlist'),
  integerKey('proxy_speed_kb', { min: 0, max: MAX_INT32, unlimited: true, proxyCacheOnly: true }),
  integerKey('max_upstream_conn', { min: 1, max: MAX_INT32, unlimited: true, proxyCacheOnly: true }),
  {
    name: 'proxy_cache_filter_pattern',
    proxyCacheOnly: true,
    parse: (value) => (value.length <= MAX_PATTERN_LENGTH ? value : undefined),
  },
  choiceKey('proxy_cache_filter_kind', ['doublestar', 'regex'], { proxyCacheOnly: true }),
  booleanKey('proxy_referrer_api', { proxyCacheOnly: true }),
  booleanKey('proxy_cache_local_on_not_found', { proxyCacheOnly: true }),
];

/** The policy that a retention policy belongs to is set by its owner, never by a client. */
export const RETENTION_KEY = 'retention_id';

/** Knows every key a project may have, and how each is spelled. */
export class MetadataRules {
  readonly #keys: ReadonlyMap<string, MetadataKey>;

  constructor(keys: readonly MetadataKey[]) {
    this.#keys = new Map(keys.map((key) => [key.name, key]));
  }

  /**
   * `current` with the changes in their one spelling; the first key or value that is not allowed is refused.
   *
   * Keys of proxy caches are dropped from other projects, as clients send them always.
   */
  merge(
    current: ProjectMetadata,
    changes: ProjectMetadata,
    options: { readonly isProxyCache: boolean },
  ): ProjectMetadata {
    const merged: Record<string, string> = { ...current };
    for (const [name, value] of Object.entries(changes)) {
      const key = this.#keys.get(name);
      if (key === undefined) throw invalidMetadata(`invalid key: ${name.slice(0, 100)}`);
      if (key.proxyCacheOnly === true && !options.isProxyCache) continue;
      const spelled = key.parse(value);
      if (spelled === undefined) throw invalidMetadata(`invalid value for ${name}: ${value.slice(0, 100)}`);
      merged[name] = spelled;
    }
    checkFilter(merged);
    return merged;
  }
}

function checkFilter(metadata: ProjectMetadata): void {
  const pattern = metadata['proxy_cache_filter_pattern'] ?? '';
  if (metadata['proxy_cache_filter_kind'] !== 'regex' || pattern === '') return;
  try {
    void new RegExp(pattern, 'u');
  } catch (cause) {
    throw invalidMetadata(`invalid proxy_cache_filter_pattern: "${pattern.slice(0, 100)}"`, cause);
  }
}

function parseBoolean(value: string): string | undefined {
  if (/^(?:1|t|true)$/i.test(value)) return 'true';
  return /^(?:0|f|false)$/i.test(value) ? 'false' : undefined;
}

function invalidMetadata(message: string, cause?: unknown): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'PROJECT_METADATA_INVALID', message, cause });
}
