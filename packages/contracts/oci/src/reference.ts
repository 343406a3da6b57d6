import { VicError } from '@vic/errors';
import { isDigest } from './digest.ts';
import type { Digest } from './digest.ts';

/** A parsed image reference; see the `distribution/reference` grammar Docker uses. */
export interface ImageReference {
  /** Registry host, with its port: `docker.io`, `registry.local:5000`, `[::1]:5000`. */
  readonly domain: string;
  /** Repository inside the registry: `library/busybox`. */
  readonly path: string;
  /** Absent when the reference has neither, or only a digest. */
  readonly tag?: string;
  readonly digest?: Digest;
}

/** The longest repository name (domain and path) the grammar allows. */
const MAX_REFERENCE_LENGTH = 255;

const DEFAULT_DOMAIN = 'docker.io';
const LEGACY_DEFAULT_DOMAIN = 'index.docker.io';
const OFFICIAL_PREFIX = 'library/';

const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const MAX_TAG_LENGTH = 128;
const TAG = /^\w[\w.-]{0,127}$/;
/** Far above any legal reference; keeps the patterns below away from hostile megabytes. */
const MAX_INPUT_LENGTH = 512;

/** Whether `text` can name a repository inside a registry; at most 255 characters, as clients accept. */
export function isRepositoryName(text: string): boolean {
  return text.length <= MAX_REFERENCE_LENGTH && text.split('/').every((component) => COMPONENT.test(component));
}

/** Whether `text` can be a tag. */
export function isTagName(text: string): boolean {
  return text.length <= MAX_TAG_LENGTH && TAG.test(text);
}

/** Parses what a user or a client wrote. Adds the default domain, never a tag: see {@link withTag}. */
export function parseReference(text: string): ImageReference {
  if (text.length === 0 || text.length > MAX_INPUT_LENGTH) throw invalid();
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'OCI_REFERENCE_IS_ID',
      message: `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`,
    });
  }
  const [beforeDigest, digest] = splitDigest(text);
  const colon = beforeDigest.lastIndexOf(':');
  const hasTag = colon > beforeDigest.lastIndexOf('/');
  const tag = hasTag ? beforeDigest.slice(colon + 1) : undefined;
  if (tag !== undefined && !TAG.test(tag)) throw invalid();
  const { domain, path } = splitDomain(hasTag ? beforeDigest.slice(0, colon) : beforeDigest);
  if (!DOMAIN.test(domain)) throw invalid();
  if (path !== path.toLowerCase()) {
    throw invalid(`repository name (${path}) must be lowercase`);
  }
  if (!path.split('/').every((component) => COMPONENT.test(component))) throw invalid();
  if (domain.length + 1 + path.length > MAX_REFERENCE_LENGTH) {
    throw invalid(`repository name must not be more than ${MAX_REFERENCE_LENGTH} characters`);
  }
  return { domain, path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** The reference with `latest` when it has neither tag nor digest. */
export function withTag(reference: ImageReference, tag = 'latest'): ImageReference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag } : reference;
}

/** The short form Docker shows: `busybox:latest`, `registry.local:5000/a/b@sha256:…`. */
export function familiarReference(reference: ImageReference): string {
  const { domain, path } = reference;
  const isOfficial = path.startsWith(OFFICIAL_PREFIX) && !path.slice(OFFICIAL_PREFIX.length).includes('/');
  const shortPath = isOfficial ? path.slice(OFFICIAL_PREFIX.length) : path;
  return `${domain === DEFAULT_DOMAIN ? shortPath : `${domain}/${path}`}${suffixOf(reference)}`;
}

/** The complete form: `docker.io/library/busybox:latest`. */
export function canonicalReference(reference: ImageReference): string {
  return `${reference.domain}/${reference.path}${suffixOf(reference)}`;
}

function suffixOf({ tag, digest }: ImageReference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function splitDigest(text: string): readonly [rest: string, digest: Digest | undefined] {
  const at = text.indexOf('@');
  if (at === -1) return [text, undefined];
  const digest = text.slice(at + 1);
  if (!isDigest(digest)) throw invalid();
  return [text.slice(0, at), digest];
}

/** The part before the first slash is a host when it looks like one: a dot, a port, `localhost`, or an upper-case letter. */
function splitDomain(name: string): { readonly domain: string; readonly path: string } {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const given = slash !== -1 && isHost ? first : DEFAULT_DOMAIN;
  const domain = given === LEGACY_DEFAULT_DOMAIN ? DEFAULT_DOMAIN : given;
  const path = slash !== -1 && isHost ? name.slice(slash + 1) : name;
  return { domain, path: domain === DEFAULT_DOMAIN && !path.includes('/') ? OFFICIAL_PREFIX + path : path };
}

function invalid(message = 'invalid reference format'): VicError {
  const detail = message === 'invalid reference format' ? message : `invalid reference format: ${message}`;
  return new VicError({ class: 'InvalidArgument', code: 'OCI_REFERENCE_INVALID', message: detail });
}
