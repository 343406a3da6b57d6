import { VicError } from '@vic/errors';
import type { IndexEntry, ImageIndex } from './manifest.ts';

/** Operating system and processor an image is for. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** Parses `linux/amd64` or `linux/arm64/v8`, as `docker pull --platform` gives it. */
export function parsePlatform(text: string): Platform {
  const match = /^([a-z0-9]{1,32})\/([a-z0-9_]{1,32})(?:\/([a-z0-9.]{1,32}))?$/i.exec(text);
  const [, os, architecture, variant] = match ?? [];
  if (os === undefined || architecture === undefined) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'OCI_PLATFORM_INVALID',
      message: `${JSON.stringify(text.slice(0, 100))} is not a platform`,
      remedy: 'Give it as os/architecture, for example linux/amd64.',
    });
  }
  const normalized = ALIASES[architecture.toLowerCase()] ?? architecture.toLowerCase();
  return { os: os.toLowerCase(), architecture: normalized, ...(variant === undefined ? {} : { variant }) };
}

const ALIASES: Readonly<Record<string, string>> = { x86_64: 'amd64', 'x86-64': 'amd64', aarch64: 'arm64' };

/** The first entry of an index for the platform; `undefined` when it has none. Attestations are never chosen. */
export function selectPlatform(index: ImageIndex, wanted: Platform): IndexEntry | undefined {
  const fitting = index.manifests.filter(
    ({ platform, annotations }) =>
      annotations['vnd.docker.reference.type'] === undefined &&
      platform?.os === wanted.os &&
      platform.architecture === wanted.architecture,
  );
  if (wanted.variant !== undefined) return fitting.find(({ platform }) => platform?.variant === wanted.variant);
  // amd64 has microarchitecture variants (v2, v3): the plain one runs everywhere.
  return fitting.find(({ platform }) => platform?.variant === undefined || platform.variant === 'v1') ?? fitting[0];
}
