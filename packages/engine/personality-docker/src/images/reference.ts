const DEFAULT_PREFIX = /^(?:index\.)?docker\.io\/(?:library\/)?/;

/** A reference as Docker shows it: without `docker.io/library/`, with `:latest` when it has neither tag nor digest. */
export function familiarReference(reference: string): string {
  const name = reference.replace(DEFAULT_PREFIX, '');
  if (isImageId(name) || name.includes('@')) return name;
  const { tag } = splitTag(name);
  return tag === '' ? `${name}:latest` : name;
}

/** Repository and tag of a reference without digest; the tag is empty when there is none. A port is not a tag. */
export function splitTag(reference: string): { readonly repository: string; readonly tag: string } {
  const colon = reference.lastIndexOf(':');
  if (colon < 0 || reference.indexOf('/', colon) >= 0) return { repository: reference, tag: '' };
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

/** Whether the text is an image id in full, with or without `sha256:`. */
export function isImageId(text: string): boolean {
  return /^(sha256:)?[0-9a-f]{64}$/.test(text);
}
